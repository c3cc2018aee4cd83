//! Intervals and counts as events.

use std::sync::Arc;

use vigie_model::kinds::availability as a;
use vigie_model::{Event, FieldId, Kind, Time, Value};

use super::counts::Count;
use super::naming::Target;
use super::states::Run;

/// A service was up, or down. The same interval that has grown is the later word on it.
pub(super) fn state(source: &str, target: &Target, run: Run) -> Event {
    event(source, target, (run.from, run.to), vec![(a::UP, Value::Bool(run.up))])
}

/// So many requests of a step were good.
pub(super) fn count(source: &str, target: &Target, step: Time, count: Count) -> Event {
    let fields = vec![(a::GOOD, Value::Int(count.good)), (a::TOTAL, Value::Int(count.total))];
    event(source, target, (count.to - step, count.to), fields)
}

fn event(source: &str, target: &Target, (from, to): (Time, Time), said: Vec<(FieldId, Value)>) -> Event {
    let mut fields = vec![
        (a::SERVICE, Value::Text(target.service.as_str().into())),
        (a::ENVIRONMENT, Value::Text(target.environment.as_str().into())),
        (a::FROM, Value::Time(from)),
        (a::TO, Value::Time(to)),
    ];
    fields.extend(said);
    Event {
        kind: Kind::Availability,
        source: Arc::from(source),
        at: to,
        timeless: false,
        partial: false,
        deleted: false,
        fields,
    }
}
