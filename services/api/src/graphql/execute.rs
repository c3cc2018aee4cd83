//! From a request to the bytes of its answer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::parser::types::{BaseType, ExecutableDocument};
use async_graphql::{Name, Request, Response, ServerError, ValidationMode, Value, Variables};
use futures::FutureExt;

use super::context::Ask;
use super::cost::CostLimits;
use super::documents::{Document, Documents};
use super::inputs::{ScopeInput, WindowInput};
use super::schema::{VigieSchema, build};
use super::text::TextLimits;
use crate::aside::Aside;
use crate::error::{ApiError, Code, Result};
use crate::http::answer::Made;

/// The schema with what is remembered of earlier requests.
pub struct Graphql {
    /// Validates everything.
    strict: VigieSchema,
    /// Trusts a text that was validated before.
    fast: VigieSchema,
    documents: Documents,
    limits: CostLimits,
    aside: Arc<Aside>,
}

/// From so many points on a query is answered away from the thread that serves connections, so that the small ones
/// behind it do not wait.
const HEAVY: u64 = 10_000;

impl Graphql {
    /// The schema, with a place for heavy queries.
    #[must_use]
    pub fn new(text: TextLimits, limits: CostLimits, aside: Arc<Aside>) -> Self {
        Self {
            strict: build(ValidationMode::Strict),
            fast: build(ValidationMode::Fast),
            documents: Documents::new(text),
            limits,
            aside,
        }
    }

    /// Answers a request. What is wrong with the query, as far as it can be said in the answer, is said there.
    ///
    /// # Errors
    /// Too many heavy queries are waiting.
    pub async fn answer(&self, request: Request, ask: Ask) -> Result<Made> {
        let (document, points) = match self.prepare(&request) {
            Ok(prepared) => prepared,
            Err(error) => return Ok(refused(&error)),
        };
        let schema = if document.is_proven() && has_known_keys(&document.parsed, &request.variables) {
            &self.fast
        } else {
            &self.strict
        };
        let ask = Arc::new(ask);
        let mut request = request.data(ask.clone());
        request.set_parsed_query(document.parsed.clone());
        let response = if points < HEAVY {
            run(schema.clone(), request).await
        } else {
            let (schema, runtime) = (schema.clone(), tokio::runtime::Handle::current());
            self.aside.run(move || runtime.block_on(run(schema, request))).await?
        };
        if response.is_ok() {
            document.prove();
        }
        let made = render(response);
        Ok(Made { repeatable: made.repeatable && !ask.is_volatile(), ..made })
    }

    fn prepare(&self, request: &Request) -> Result<(Arc<Document>, u64)> {
        let document = self.documents.get(&request.query)?;
        let cost = self.limits.check(&document.parsed, &request.variables)?;
        Ok((document, cost.points))
    }
}

async fn run(schema: VigieSchema, request: Request) -> Response {
    // A resolver that panics is a fault of ours, and must take down neither the connection nor the thread.
    let answer = AssertUnwindSafe(schema.execute(request)).catch_unwind().await;
    answer.unwrap_or_else(|_| {
        let error = ApiError::internal("a resolver panicked", &"see the panic above");
        Response::from_errors(vec![server_error(&error)])
    })
}

/// Validation looks into the values of variables too. What it would find there and the resolvers' own parsing would not
/// is a key that an input does not have.
fn has_known_keys(document: &ExecutableDocument, variables: &Variables) -> bool {
    variables.iter().all(|(name, value)| match value {
        Value::Object(object) if object.values().any(holds_object) => false,
        Value::Object(object) => inputs_of(document, name).all(|input| {
            let known: &[&str] = match input {
                Some("ScopeInput") => ScopeInput::KEYS,
                Some("WindowInput") => WindowInput::KEYS,
                _ => return false,
            };
            object.keys().all(|key| known.contains(&key.as_str()))
        }),
        other => !holds_object(other),
    })
}

/// The types that a variable is declared with, in every operation that has it.
fn inputs_of<'a>(document: &'a ExecutableDocument, variable: &'a Name) -> impl Iterator<Item = Option<&'a str>> {
    let definitions = document.operations.iter().flat_map(|(_, operation)| &operation.node.variable_definitions);
    definitions.filter(move |definition| definition.node.name.node == *variable).map(|definition| {
        match &definition.node.var_type.node.base {
            BaseType::Named(name) => Some(name.as_str()),
            BaseType::List(_) => None,
        }
    })
}

fn holds_object(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::List(list) => list.iter().any(holds_object),
        _ => false,
    }
}

fn render(mut response: Response) -> Made {
    let mut repeatable = true;
    for error in &mut response.errors {
        // What is no error of ours comes from parsing or validation.
        let code = error.source::<ApiError>().map_or(Code::BadInput, |error| error.code);
        repeatable &= matches!(code, Code::BadInput | Code::NotFound | Code::Forbidden | Code::TooComplex);
        error.extensions.get_or_insert_default().set("code", code.as_str());
    }
    let body = serde_json::to_vec(&response).unwrap_or_else(|error| {
        let error = ApiError::internal("an answer could not be written", &error);
        serde_json::to_vec(&Response::from_errors(vec![server_error(&error)])).unwrap_or_default()
    });
    Made { body, repeatable, notice: None }
}

fn refused(error: &ApiError) -> Made {
    render(Response::from_errors(vec![server_error(error)]))
}

fn server_error(error: &ApiError) -> ServerError {
    let mut refused = ServerError::new(error.message.clone(), None);
    refused.source = Some(Arc::new(error.clone()));
    refused
}
