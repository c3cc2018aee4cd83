//! What is missing of what was asked for, and why.

use std::collections::{BTreeMap, BTreeSet};

use vigie_model::{Time, format_time};

use super::asked::Question;
use super::naming::Target;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(super) struct Notes {
    all: Vec<String>,
    /// Series that name no service, an example of each label that was looked for.
    nameless: BTreeMap<String, (BTreeSet<String>, String)>,
    /// Values that are no state: how many, and one of them.
    odd: BTreeMap<String, (u64, f64)>,
    /// Queries that gave something.
    heard: BTreeSet<String>,
    /// Of which services requests were counted, and whether any was good.
    good: BTreeMap<Target, bool>,
}

/// Series that are remembered, so that the same one is counted once.
const SERIES: usize = 1_000;

impl Notes {
    pub(super) fn add(&mut self, note: String) {
        self.all.push(note);
    }

    /// A series names no service.
    pub(super) fn nameless(&mut self, label: &str, series: String) {
        let (all, _) = self.nameless.entry(label.to_owned()).or_insert_with(|| (BTreeSet::new(), series.clone()));
        if all.len() < SERIES {
            all.insert(series);
        }
    }

    /// A value is no state.
    pub(super) fn odd(&mut self, question: &Question, value: f64) {
        self.odd.entry(question.to_string()).or_insert((0, value)).0 += 1;
    }

    /// A query gives something.
    pub(super) fn heard(&mut self, question: &Question) {
        if !self.heard.contains(&question.to_string()) {
            self.heard.insert(question.to_string());
        }
    }

    /// A query is over: where it gave nothing, that is said.
    pub(super) fn silent(&mut self, question: &Question, from: Time, to: Time) {
        if from < to && !self.heard.contains(&question.to_string()) {
            self.add(format!("{question} gives nothing from {} to {}", format_time(from), format_time(to)));
        }
    }

    /// Requests of a service are counted.
    pub(super) fn good(&mut self, target: &Target, is_any_good: bool, is_any: bool) {
        if is_any {
            *self.good.entry(target.clone()).or_default() |= is_any_good;
        }
    }

    pub(super) fn sentences(&self) -> Vec<String> {
        let mut all = self.all.clone();
        for (label, (series, example)) in &self.nameless {
            let many = match series.len() {
                1 => "a series names".to_owned(),
                many => format!("{many} series name"),
            };
            all.push(format!(
                "{many} no service: no label {label}, and no matches of a [[service]] that fits, like {example}; set label, \
                 or matches"
            ));
        }
        for (query, (count, value)) in &self.odd {
            all.push(format!(
                "{query} gives what is neither 1 (up) nor 0 (down), like {value}: left out {count} times; compare with \
                 == bool or > bool"
            ));
        }
        for (target, _) in self.good.iter().filter(|(_, is_any_good)| !**is_any_good) {
            all.push(format!("no request of {} in {} was good: is good right?", target.service, target.environment));
        }
        all
    }
}
