//! What a query may cost, found before anything is executed.
//!
//! Each field has a price and, where it gives a list, a length; the cost of a query is what it would amount to with
//! every list full. A fragment is priced once however often it is spread, so that the look itself stays linear in the
//! length of the text. A point is about a microsecond of work.

use std::collections::HashMap;

use async_graphql::Variables;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Name, Positioned, Value};

use crate::error::{ApiError, Code, Result};
use crate::graphql::page::{DEFAULT_FIRST, MAX_FIRST};

/// The most that one query may ask for.
#[derive(Debug, Clone, Copy)]
pub struct CostLimits {
    /// Points.
    pub points: u64,
    /// Fields and fragments, with every fragment written out.
    pub selections: u64,
    /// Selections inside selections.
    pub depth: u64,
}

impl Default for CostLimits {
    fn default() -> Self {
        Self { points: 500_000, selections: 3_000, depth: 24 }
    }
}

/// What a query would amount to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// See [`CostLimits::points`].
    pub points: u64,
    /// See [`CostLimits::selections`].
    pub selections: u64,
    /// See [`CostLimits::depth`].
    pub depth: u64,
}

impl CostLimits {
    /// Passes a document, or says which limit it breaks.
    ///
    /// # Errors
    /// `TOO_COMPLEX` with the limit; `BAD_INPUT` where fragments spread themselves.
    pub fn check(&self, document: &ExecutableDocument, variables: &Variables) -> Result<Cost> {
        let cost = cost(document, variables)?;
        let over = |what: &str, is: u64, limit: u64| {
            let message =
                format!("the query {what} {is}, and {limit} is the most; ask for less, or in several requests");
            Err(ApiError::new(Code::TooComplex, message))
        };
        if cost.depth > self.depth {
            return over("is nested to a depth of", cost.depth, self.depth);
        }
        if cost.selections > self.selections {
            return over("has a number of fields, fragments written out, of", cost.selections, self.selections);
        }
        if cost.points > self.points {
            return over("has a cost of", cost.points, self.points);
        }
        Ok(cost)
    }
}

fn cost(document: &ExecutableDocument, variables: &Variables) -> Result<Cost> {
    let mut walk = Walk { document, variables, fragments: HashMap::new() };
    let mut whole = Cost::default();
    // Every operation, as validation looks at all of them.
    match &document.operations {
        DocumentOperations::Single(operation) => whole.add(walk.set(&operation.node.selection_set)?),
        DocumentOperations::Multiple(operations) => {
            for operation in operations.values() {
                whole.add(walk.set(&operation.node.selection_set)?);
            }
        }
    }
    Ok(whole)
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    /// `None`: being walked.
    fragments: HashMap<&'a Name, Option<Cost>>,
}

impl<'a> Walk<'a> {
    fn set(&mut self, set: &'a Positioned<SelectionSet>) -> Result<Cost> {
        let mut sum = Cost::default();
        for selection in &set.node.items {
            let one = match &selection.node {
                Selection::Field(field) => self.field(&field.node)?,
                Selection::InlineFragment(inline) => self.set(&inline.node.selection_set)?.inside(0, 1),
                Selection::FragmentSpread(spread) => self.spread(&spread.node.fragment_name.node)?.inside(0, 1),
            };
            sum.add(one);
        }
        Ok(sum)
    }

    fn field(&mut self, field: &'a Field) -> Result<Cost> {
        let (price, length) = self.price(field);
        Ok(self.set(&field.selection_set)?.inside(price, length))
    }

    fn spread(&mut self, name: &'a Name) -> Result<Cost> {
        match self.fragments.get(name) {
            Some(Some(known)) => return Ok(*known),
            Some(None) => {
                return Err(ApiError::bad_input(format!("the fragment {name:?} contains itself; take out the spread")));
            }
            None => {}
        }
        let Some(fragment) = self.document.fragments.get(name) else {
            return Ok(Cost::default()); // validation says so better
        };
        self.fragments.insert(name, None);
        let cost = self.set(&fragment.node.selection_set)?;
        self.fragments.insert(name, Some(cost));
        Ok(cost)
    }

    /// The price of a field itself, and how many rows it gives.
    fn price(&self, field: &Field) -> (u64, u64) {
        match field.name.node.as_str() {
            "metrics" => (0, self.names(field, "only").unwrap_or(METRICS).saturating_mul(10)),
            "metric" | "previous" => (10, 1),
            "trend" | "interval" => (40, 1),
            "stages" | "waiting" | "rollbacks" | "quantiles" => (5, 1),
            "budget" => (20, 1),
            // How many buckets is known only with the window; what really comes is counted as it comes.
            "series" => (100, 60),
            "by" => (100, self.first(field)),
            "evidence" | "deployments" | "changes" | "incidents" | "services" | "examples" => (10, self.first(field)),
            "table" => (2_000, 20),
            "dataQuality" => (500, 1),
            // They are the database's to find.
            "deliveries" | "pulls" => (5_000, self.first(field)),
            "teams" => (10, 50),
            "blame" | "blamed" | "settings" | "burnRates" => (1, 4),
            "definitions" => (1, METRICS),
            // Introspection: lists of lists of types grow without an end.
            "types" => (1, 80),
            "fields" => (1, 12),
            "enumValues" | "inputFields" | "possibleTypes" | "directives" => (1, 6),
            "args" => (1, 4),
            _ => (1, 1),
        }
    }

    fn first(&self, field: &Field) -> u64 {
        match self.argument(field, "first") {
            None | Some(Ok(Value::Null)) => DEFAULT_FIRST as u64,
            Some(Ok(Value::Number(number))) => number.as_u64().unwrap_or_default().min(MAX_FIRST as u64),
            // A variable with a default of its own, or something that validation refuses.
            Some(_) => MAX_FIRST as u64,
        }
    }

    fn names(&self, field: &Field, argument: &str) -> Option<u64> {
        match self.argument(field, argument)? {
            Ok(Value::List(list)) => Some((list.len() as u64).min(METRICS)),
            Ok(Value::Enum(_)) => Some(1),
            _ => None,
        }
    }

    /// The value of an argument; `Some(Err)`: a variable that the request does not give.
    fn argument(&self, field: &Field, name: &str) -> Option<std::result::Result<Value, ()>> {
        let value = field.get_argument(name)?.node.clone();
        Some(value.into_const_with(|name| self.variables.get(&name).cloned().ok_or(())))
    }
}

const METRICS: u64 = 9;

impl Cost {
    fn add(&mut self, other: Self) {
        self.points = self.points.saturating_add(other.points);
        self.selections = self.selections.saturating_add(other.selections);
        self.depth = self.depth.max(other.depth);
    }

    /// The cost of a selection that holds this, `length` times.
    fn inside(self, price: u64, length: u64) -> Self {
        Self {
            points: self.points.saturating_mul(length).saturating_add(price),
            selections: self.selections.saturating_add(1),
            depth: self.depth.saturating_add(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::parser::parse_query;

    fn of(query: &str) -> Cost {
        cost(&parse_query(query).unwrap(), &Variables::default()).unwrap()
    }

    #[test]
    fn lists_multiply_what_they_hold() {
        assert_eq!(of("{ scorecard { metric { value } } }").points, 12);
        assert_eq!(of("{ scorecard { metric { by(first: 7) { nodes { environment } } } } }").points, 125);
        assert_eq!(of("{ services { nodes { slug } } }").points, 210);
        assert_eq!(of("{ services(first: 100000) { nodes { slug } } }").points, 1_010);
    }

    #[test]
    fn a_pile_of_fragments_is_priced_and_not_walked() {
        let mut query = "{ ...f0 }".to_owned();
        for level in 0..60 {
            query += &format!(" fragment f{level} on Query {{ ...f{} ...f{} }}", level + 1, level + 1);
        }
        query += " fragment f60 on Query { __typename }";
        let document = parse_query(&query).unwrap();
        let refused = CostLimits::default().check(&document, &Variables::default()).unwrap_err();
        assert_eq!(refused.code, Code::TooComplex);
    }

    #[test]
    fn a_fragment_inside_itself_is_an_error() {
        let document = parse_query("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a ...a }").unwrap();
        let refused = CostLimits::default().check(&document, &Variables::default()).unwrap_err();
        assert_eq!(refused.code, Code::BadInput);
    }
}
