//! Which sources are pulled, and how that goes.

use vigie_model::Time;
use vigie_store::{PullState, PulledSource, Store};

use super::Finding;
use crate::commands::pull::{name, wanted};
use crate::config::{Config, PullEntry, PullSource, When};
use crate::hooks::LazyMaps;
use crate::humane;

const PULLS: &str = "Pulls";

pub(super) async fn look(config: &Config, store: Option<&Store>, now: Time, findings: &mut Vec<Finding>) {
    let maps = LazyMaps::new(config);
    for entry in &config.pulls {
        let pull = match wanted(config, &entry.source, &maps) {
            Ok(pull) => pull,
            Err(failure) => {
                findings.push(Finding::problem(PULLS, format!("{}: {}", name(&entry.source), failure.message), ""));
                continue;
            }
        };
        if let PullSource::Git(git) = &entry.source
            && !git.path.exists()
        {
            let text = format!("git {}: there is no such folder", git.path.display());
            findings.push(Finding::problem(PULLS, text, "change the path of the [[pull]]"));
            continue;
        }
        let own = match store {
            Some(store) => store.pulled_source(&pull.name(), now).await,
            None => Ok(None),
        };
        findings.push(match own {
            Ok(own) => finding(entry, own.as_ref(), now),
            Err(error) => Finding::problem(PULLS, error.to_string(), ""),
        });
    }
}

fn finding(entry: &PullEntry, own: Option<&PulledSource>, now: Time) -> Finding {
    let when = match &entry.when {
        When::Every(every) => format!("every {}", humane::duration(*every)),
        When::Cron(expression) => format!("at {expression}"),
    };
    let name = name(&entry.source);
    let Some(own) = own else {
        return Finding::note(PULLS, format!("{name}, {when}: never pulled yet"), "vigie serve does, or vigie pull");
    };
    let mut told = vec![format!("{name}, {when}: {}", standing(own, now))];
    let last = &own.last;
    // While all goes well the next run follows from the last one.
    told.extend(last.next_run_at.filter(|_| last.state != PullState::Running).map(|at| match at > now {
        true => format!("next in {}", humane::duration(at - now)),
        false => "next one due".to_owned(),
    }));
    told.extend(last.standing.read_until.map(|until| format!("read up to {} ago", ago(until, now))));
    told.extend(last.standing.quota_left.map(|left| format!("{} left", humane::some(left, "request", "requests"))));
    let text = told.join(", ");
    match (&last.error, last.standing.notes.first()) {
        (Some(error), _) => Finding::note(PULLS, text, error.clone()),
        (None, Some(note)) => Finding::note(PULLS, text, note.clone()),
        (None, None) => Finding::good(PULLS, text),
    }
}

fn standing(own: &PulledSource, now: Time) -> String {
    let good = match own.succeeded_at {
        Some(at) => format!("pulled {} ago", ago(at, now)),
        None => "never pulled to the end".to_owned(),
    };
    match own.last.state {
        PullState::Succeeded => good,
        PullState::Running => {
            let standing = &own.last.standing;
            let share = match standing.total {
                0 => String::new(),
                total => format!(", {} % done", standing.done.saturating_mul(100) / total),
            };
            format!("{good}; running for {}{share}", ago(own.last.started_at, now))
        }
        PullState::Interrupted => format!("{good}; the last run was interrupted, and the next one goes on"),
        PullState::Failed => {
            format!("{good}; failed {} in a row", humane::some(own.failures, "time", "times"))
        }
    }
}

fn ago(at: Time, now: Time) -> String {
    humane::duration((now - at).max(0))
}
