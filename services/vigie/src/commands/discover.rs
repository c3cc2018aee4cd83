//! `vigie discover`: looks at the repositories of a host of code and proposes a catalogue of them.

use vigie_ingest::pull::discover::Discover;

use crate::config::Config;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::humane::{count, some};
use crate::proposal::{Proposal, Target};
use crate::terminal::{say, spinner};

mod github;
mod gitlab;
mod pulls;
mod services;

use services::{Planned, Words};

/// Look at repositories and propose a catalogue of them: services, teams, and where their deployments show
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    host: Hosts,
}

/// What a host of code adds to what every one of them has: a module here.
trait Host {
    /// Where the proposal goes.
    fn target(&self) -> &Target;

    /// What looks at its repositories.
    fn lookout(&self, config: &Config) -> Result<Box<dyn Discover>, Failure>;

    /// What it calls what it has.
    fn words(&self) -> Words;

    /// Proposes what pulls these repositories, and what it is told.
    fn sections(&self, planned: &[Planned], config: &Config, proposal: &mut Proposal) -> Outcome;
}

macro_rules! hosts {
    ($( $(#[$about:meta])* $name:literal $host:ident $module:ident; )+) => {
        #[derive(Debug, clap::Subcommand)]
        enum Hosts { $( $(#[$about])* #[command(name = $name)] $host($module::Args), )+ }

        impl Hosts {
            fn host(&self) -> (&'static str, &dyn Host) {
                match self { $( Self::$host(args) => ($name, args), )+ }
            }
        }
    };
}

// A host is a module beside this file with `Args` that are a `Host`, and a line here.
hosts! {
    /// Repositories on GitHub: their teams, environments, deployments, workflows, releases and tags
    #[command(after_help = "\
Forks, archived and empty repositories are left out, and what vigie.toml says already is not proposed again. Nothing is
changed: review the lines, and put them into vigie.toml. A token needs read access to contents, deployments and actions, and,
for teams, to the members of the organisation (a classic token: read:org).")]
    "github" GitHub github;
    /// Projects on GitLab: their groups as teams, environments, deployments, jobs, releases and tags
    #[command(after_help = "\
Archived and empty projects and forks are left out, and what vigie.toml says already is not proposed again. Nothing is changed:
review the lines, and put them into vigie.toml. A token needs the scope read_api and the role Reporter.")]
    "gitlab" GitLab gitlab;
}

pub async fn run(context: Context, args: Args) -> Outcome {
    let (name, host) = args.host.host();
    host.target().check()?;
    let config = context.load(&[])?;
    let lookout = host.lookout(&config)?;
    let busy = spinner(&format!("looking at {name}"));
    let found = lookout.discover().await;
    busy.finish_and_clear();
    let found = found.map_err(Failure::new)?;
    let mut proposal = Proposal { origin: format!("vigie discover {name}"), ..Proposal::default() };
    for (place, message) in &found.faults {
        proposal.fault(place.as_str(), message.as_str());
    }
    for (place, message) in joined(&found.notes) {
        proposal.note(place, message);
    }
    let file = context.config_file().display().to_string();
    let planned = services::propose(&found, host.words(), &config, &file, &mut proposal);
    host.sections(&planned, &config, &mut proposal)?;
    proposal.beside(&config, &file);
    let repositories = some(found.repositories.len() as u64, "repository", "repositories");
    let requests = some(found.traffic.requests, "request", "requests");
    let left =
        found.traffic.quota_left.map(|left| format!("; {} more may be sent for now", count(left))).unwrap_or_default();
    say(format_args!("looked at {repositories} with {requests}{left}"));
    host.target().write(&proposal)
}

/// Says once what is to be said of many.
fn joined(notes: &[(String, String)]) -> Vec<(String, &str)> {
    /// Places that are named before the rest is counted.
    const NAMED: usize = 5;
    let mut all: Vec<(&str, Vec<&str>)> = Vec::new();
    for (place, message) in notes {
        match all.iter_mut().find(|(known, _)| known == message) {
            Some((_, places)) => places.push(place),
            None => all.push((message, vec![place])),
        }
    }
    let place = |places: &[&str]| match places.split_at_checked(NAMED) {
        Some((first, rest)) if !rest.is_empty() => {
            format!("{} and {} more", first.join(", "), count(rest.len() as u64))
        }
        _ => places.join(", "),
    };
    all.into_iter().map(|(message, places)| (place(&places), message)).collect()
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn what_is_said_of_many_is_said_once() {
        let notes: Vec<(String, String)> = (0..7)
            .map(|number| (format!("acme/{number}"), "empty".to_owned()))
            .chain([("acme".to_owned(), "no teams".to_owned())])
            .collect();
        let said = joined(&notes);
        let places: Vec<(&str, &str)> = said.iter().map(|(place, message)| (place.as_str(), *message)).collect();
        assert_eq!(places, [("acme/0, acme/1, acme/2, acme/3, acme/4 and 2 more", "empty"), ("acme", "no teams")]);
    }
}
