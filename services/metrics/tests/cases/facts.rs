//! What is expected of a service's facts: `facts SERVICE ID [ENVIRONMENT]: …`, of production where none is named and it is there.

use vigie_model::facts::{Blame, ChangeFact, DeploymentFact};
use vigie_model::format_time;

use crate::run::Asked;
use crate::words::{time, words};

/// What a deployment is, separated by commas: any of `baseline`, `delivery`, `rollback`, `redeployment`,
/// `unplanned`, `joined`, `failed by RULE` (all that hold, and no others); and where they are given, `blamed by
/// RULE …` (every rule that counts), `evidence RULE …` (those that do not), `changes NAME …`, `recovered TIME`.
pub fn check(text: &str, asked: &Asked) -> Result<(), String> {
    let (head, expected) = text.split_once(": ").ok_or("write: facts SERVICE ID: …")?;
    let head = words(head);
    let [service, id, rest @ ..] = head.as_slice() else {
        return Err("write: facts SERVICE ID: …".to_owned());
    };
    let facts = asked.facts.iter().find(|facts| *facts.service.service == **service);
    let facts = facts.ok_or_else(|| format!("there is no service {service}"))?;
    let of_id = || facts.deployments.iter().filter(|row| *row.id == **id);
    let within = |name: &str| of_id().find(|row| *row.environment == *name);
    let row: Option<&DeploymentFact> = match rest.first() {
        Some(environment) => within(environment),
        None => within("production").or_else(|| of_id().next()),
    };
    let row = row.ok_or_else(|| format!("there is no deployment {id}"))?;
    let blame: Vec<Blame> = serde_json::from_str(&row.blame).map_err(|error| error.to_string())?;
    let mut flags = flags(row);
    let mut wanted = Vec::new();
    for item in expected.split(',').map(str::trim) {
        let (word, names) = item.split_once(' ').unwrap_or((item, ""));
        let rules = |counts: bool| {
            let mut rules: Vec<&str> =
                blame.iter().filter(|blame| blame.counts == counts).map(|blame| blame.rule.as_str()).collect();
            rules.dedup();
            rules.join(" ")
        };
        match word {
            "blamed" => expect(item, &format!("blamed by {}", rules(true)))?,
            "evidence" => expect(item, &format!("evidence {}", rules(false)))?,
            "changes" => {
                let mut names = words(names);
                names.sort();
                expect(&names.join(" "), &changes(&facts.changes, row, asked).join(" "))?;
            }
            "recovered" => {
                let found = row.recovered_at.map_or_else(|| "never".to_owned(), format_time);
                let wanted = if names == "never" { names.to_owned() } else { format_time(time(names)?) };
                expect(&wanted, &found)?;
            }
            "plain" => {}
            _ => wanted.push(item.to_owned()),
        }
    }
    flags.sort();
    wanted.sort();
    expect(&wanted.join(", "), &flags.join(", "))
}

fn expect(expected: &str, found: &str) -> Result<(), String> {
    if expected == found { Ok(()) } else { Err(format!("expected: {expected}; found: {found}")) }
}

fn flags(row: &DeploymentFact) -> Vec<String> {
    let flags = [
        (row.baseline, "baseline"),
        (row.delivery, "delivery"),
        (row.rollback, "rollback"),
        (row.redeployment, "redeployment"),
        (row.unplanned, "unplanned"),
        (row.joined, "joined"),
    ];
    let held = flags.iter().filter(|(holds, _)| *holds).map(|(_, name)| (*name).to_owned());
    let failed = row.failed.then(|| format!("failed by {}", row.failed_by.as_deref().unwrap_or("outcome")));
    held.chain(failed).collect()
}

fn changes(all: &[ChangeFact], row: &DeploymentFact, asked: &Asked) -> Vec<String> {
    let own = all.iter().filter(|change| {
        change.deployment_id == row.id
            && change.deployment_source == row.source
            && change.deployment_region == row.region
            && change.environment == row.environment
    });
    let mut names: Vec<String> = own
        .map(|change| match change.pull_request {
            Some(number) => format!("#{number}"),
            None => asked.names.name(&change.sha),
        })
        .collect();
    names.sort();
    names
}
