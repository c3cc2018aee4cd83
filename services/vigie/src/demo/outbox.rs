//! Events on their way out, in the order in which their tools would have sent them.

use std::collections::BTreeMap;

use serde_json::Value;
use vigie_model::{Time, format_time};

/// What is to be sent, by when. Two events of one instant keep the order in which they were put in.
#[derive(Default)]
pub(super) struct Outbox {
    waiting: BTreeMap<(Time, u64), String>,
    count: u64,
}

impl Outbox {
    pub(super) fn send(&mut self, at: Time, event: &Value) {
        self.count += 1;
        self.waiting.insert((at, self.count), event.to_string());
    }

    /// Takes out what is sent before `until`, oldest first.
    pub(super) fn until(&mut self, until: Time) -> Vec<String> {
        let later = self.waiting.split_off(&(until, 0));
        std::mem::replace(&mut self.waiting, later).into_values().collect()
    }
}

/// An instant as events write it.
pub(super) fn text(at: Time) -> Value {
    Value::String(format_time(at))
}

/// The same for one that may be unknown; the caller leaves `null` members out with [`without_nulls`].
pub(super) fn maybe(at: Option<Time>) -> Value {
    at.map_or(Value::Null, text)
}

/// In an event `null` clears a field; here it only stands for "not said".
pub(super) fn without_nulls(mut event: Value) -> Value {
    if let Value::Object(members) = &mut event {
        members.retain(|_, value| !value.is_null());
    }
    event
}
