//! What a query costs: the requests that GitHub would need to fill each connection, a hundred to a point.

use async_graphql::parser::parse_query;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Request, Value};

/// What a query costs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    pub points: u64,
    /// How many nodes it may give at most.
    pub nodes: u64,
}

struct Counting<'a> {
    document: &'a ExecutableDocument,
    request: &'a Request,
    requests: u64,
    nodes: u64,
}

/// A variable that is not given is null.
macro_rules! constant {
    ($request:expr, $value:expr) => {
        $value.node.clone().into_const_with(|name| $request.variables.get(&name).cloned().ok_or(())).ok()
    };
}

/// A query that nobody can read costs a point.
pub(super) fn of(request: &Request) -> Cost {
    let Ok(document) = parse_query(&request.query) else {
        return Cost { points: 1, nodes: 0 };
    };
    let mut counting = Counting { document: &document, request, requests: 0, nodes: 0 };
    match &document.operations {
        DocumentOperations::Single(operation) => counting.set(&operation.node.selection_set.node, 1, 0),
        DocumentOperations::Multiple(operations) => {
            let wanted = request.operation_name.as_deref().unwrap_or_default();
            if let Some((_, operation)) = operations.iter().find(|(name, _)| name.as_str() == wanted) {
                counting.set(&operation.node.selection_set.node, 1, 0);
            }
        }
    }
    Cost { points: ((counting.requests + 50) / 100).max(1), nodes: counting.nodes }
}

impl Counting<'_> {
    fn set(&mut self, set: &SelectionSet, parents: u64, depth: usize) {
        // fragments may go in circles; the schema refuses them later
        if depth > 60 {
            return;
        }
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => self.field(&field.node, parents, depth),
                Selection::InlineFragment(fragment) => self.set(&fragment.node.selection_set.node, parents, depth + 1),
                Selection::FragmentSpread(spread) => {
                    let document = self.document;
                    if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                        self.set(&fragment.node.selection_set.node, parents, depth + 1);
                    }
                }
            }
        }
    }

    fn field(&mut self, field: &Field, parents: u64, depth: usize) {
        let left_out = field.directives.iter().any(|directive| {
            let condition = directive.node.get_argument("if").and_then(|value| constant!(self.request, value));
            let wanted = directive.node.name.node == "include";
            (wanted || directive.node.name.node == "skip") && condition == Some(Value::Boolean(!wanted))
        });
        if left_out {
            return;
        }
        let argument = |name| field.get_argument(name).and_then(|value| constant!(self.request, value));
        let size = argument("first").or_else(|| argument("last")).and_then(|value| match value {
            Value::Number(number) => number.as_u64(),
            _ => None,
        });
        let ids = argument("ids").and_then(|value| if let Value::List(ids) = value { Some(ids.len()) } else { None });
        let mut children = parents;
        if let Some(size) = size {
            self.requests = self.requests.saturating_add(parents);
            children = parents.saturating_mul(size);
            self.nodes = self.nodes.saturating_add(children);
        } else if let Some(ids) = ids {
            self.requests += 1;
            children = parents.saturating_mul(ids as u64);
        }
        self.set(&field.selection_set.node, children, depth + 1);
    }
}
