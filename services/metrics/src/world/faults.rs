//! What is wrong with an entity itself: it is incomplete, its events disagree, its times are in an order that cannot
//! be (events.md).

use vigie_model::kinds::{FieldId, Kind, deployment, incident, pull_request};
use vigie_model::{Entity, Time, Value, format_time};

use crate::facts::quality::Fault;

/// How an entity's times ought to stand.
struct Times {
    /// When it happened.
    at: FieldId,
    /// In each, none comes before those that stand before it.
    orders: &'static [&'static [FieldId]],
}

const DEPLOYMENT: Times = Times {
    at: deployment::FINISHED_AT,
    orders: &[&[deployment::STARTED_AT, deployment::EXPOSED_AT, deployment::FINISHED_AT]],
};
/// The ends of the stages of lead time.
const PULL_REQUEST: Times = Times {
    at: pull_request::MERGED_AT,
    orders: &[&[
        pull_request::FIRST_COMMIT_AT,
        pull_request::OPENED_AT,
        pull_request::FIRST_REVIEW_AT,
        pull_request::MERGED_AT,
    ]],
};
/// Users may be well again before anybody takes an incident up. A restoration before the start has a row of its own.
const INCIDENT: Times = Times {
    at: incident::STARTED_AT,
    orders: &[
        &[incident::STARTED_AT, incident::DETECTED_AT, incident::ACKNOWLEDGED_AT],
        &[incident::MITIGATED_AT, incident::RESOLVED_AT],
    ],
};

fn times_of(kind: Kind) -> Option<&'static Times> {
    match kind {
        Kind::Deployment => Some(&DEPLOYMENT),
        Kind::PullRequest => Some(&PULL_REQUEST),
        Kind::Incident => Some(&INCIDENT),
        _ => None,
    }
}

/// What is wrong with an entity; nothing with a deleted one.
pub(super) fn faults_of(entity: &Entity) -> Vec<Fault> {
    let mut faults = Vec::new();
    if entity.is_deleted() {
        return faults;
    }
    let mut add = |code, at: Option<Time>, detail| faults.push(Fault { code, subject: subject_of(entity), at, detail });
    let missing: Vec<&str> = entity.missing().collect();
    if !missing.is_empty() {
        let detail = format!("it still lacks {} and is counted nowhere; send it", missing.join(", "));
        add("incomplete", None, detail);
    } else if let Some(times) = times_of(entity.kind)
        && times.orders.iter().any(|order| !order.iter().filter_map(|field| entity.time(*field)).is_sorted())
    {
        let fields = entity.kind.fields();
        let name = |field: &FieldId| fields[usize::from(*field)].name;
        let orders: Vec<String> =
            times.orders.iter().map(|order| order.iter().map(name).collect::<Vec<_>>().join(", ")).collect();
        let detail = format!("its times are not in the order {}; they are used as they are", orders.join(" and "));
        add("times_out_of_order", entity.time(times.at), detail);
    }
    let tied: Vec<&str> = entity.tied().collect();
    if !tied.is_empty() {
        let detail = format!(
            "two events of the same instant disagree on {}; one of them was taken by a fixed rule, send a later one to settle it",
            tied.join(", ")
        );
        add("tied", None, detail);
    }
    faults
}

/// `kind:`, the environment and the source where they are part of what it is known by, and the rest of that. A
/// service's rows are about itself, so that it is not named again.
fn subject_of(entity: &Entity) -> String {
    let kind = entity.kind;
    let is_of_service = matches!(kind, Kind::Deployment | Kind::Availability | Kind::Maintenance);
    let mut parts = vec![kind.name().to_owned()];
    if is_of_service {
        parts.extend(entity.text(deployment::ENVIRONMENT).map(str::to_owned));
    }
    if kind.identity_has_source() {
        parts.push(entity.source.to_string());
    }
    for (field, number) in kind.fields().iter().zip(0..) {
        let is_told = is_of_service && (number == deployment::SERVICE || number == deployment::ENVIRONMENT);
        if !field.role.is_identity() || is_told {
            continue;
        }
        match entity.get(number) {
            Some(Value::Text(text)) => parts.push(text.to_string()),
            Some(Value::Time(at)) => parts.push(format_time(at)),
            Some(Value::Int(n)) => parts.push(n.to_string()),
            Some(Value::Bool(is)) => parts.push(format!("{}={is}", field.name)),
            _ => {}
        }
    }
    parts.join(":")
}

#[cfg(test)]
mod tests {
    use vigie_model::kinds::{availability, commit, maintenance};

    use super::*;

    #[test]
    fn services_and_repositories_are_named_by_the_same_field_in_every_kind_that_lives_with_them() {
        assert_eq!([availability::SERVICE, maintenance::SERVICE], [deployment::SERVICE; 2]);
        assert_eq!([availability::ENVIRONMENT, maintenance::ENVIRONMENT], [deployment::ENVIRONMENT; 2]);
        assert_eq!(pull_request::REPOSITORY, commit::REPOSITORY);
    }
}
