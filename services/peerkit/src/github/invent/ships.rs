//! The stories of deployments and incidents.

use chrono::TimeDelta;

use super::pulls::PullStory;
use super::{Shipping, Story, Telling, words};
use crate::github::model::Sha;

pub(super) struct DeployStory {
    repository: String,
    sha: Sha,
    by: String,
    run: Option<i64>,
    /// What is still to come, the next one last.
    environments: Vec<&'static str>,
    /// The deployment under way and its next statuses, the next one last.
    current: Option<(i64, Vec<&'static str>)>,
}

pub(super) struct IncidentStory {
    repository: String,
    title: String,
    /// What it is called when it is opened.
    labels: Vec<String>,
    number: Option<i64>,
    steps: Vec<Step>,
}

#[derive(Clone, Copy)]
enum Step {
    Close,
    Reopen,
    Label,
    Unlabel,
}

impl IncidentStory {
    pub fn new(telling: &mut Telling, repository: &str) -> Self {
        let chance = &mut telling.organisation.chance;
        let severity = chance.of(&["sev1", "sev2", "sev3"]);
        let incident = ["incident".to_owned(), format!("service:{repository}"), severity.to_owned()];
        let (title, labels, steps) = match chance.below(10) {
            // no incident at all
            0 | 1 => ("Typo in the settings page", vec!["bug".to_owned()], vec![Step::Close]),
            2 => (words::outage(chance), vec!["bug".to_owned()], vec![Step::Close, Step::Label]),
            3 => (words::outage(chance), incident.to_vec(), vec![Step::Close, Step::Unlabel]),
            4 => (words::outage(chance), incident.to_vec(), vec![Step::Close, Step::Reopen, Step::Close]),
            5 => (words::outage(chance), incident.to_vec(), Vec::new()),
            _ => (words::outage(chance), incident.to_vec(), vec![Step::Close]),
        };
        Self { repository: repository.to_owned(), title: title.to_owned(), labels, number: None, steps }
    }
}

impl Telling {
    /// The default branch has a new commit: it is checked, and mostly goes out.
    pub(super) fn merged(&mut self, repository: &str, sha: &Sha, by: &str) {
        let branch = self.organisation.repository(repository).default_branch.clone();
        self.run(repository, "ci", "push", &branch, sha, by);
        if !self.organisation.chance.percent(80) {
            return;
        }
        let manual = self.organisation.chance.percent(15);
        let event = if manual { "workflow_dispatch" } else { "push" };
        let (by, run) = match self.shipping[repository] {
            Shipping::Releases => return,
            Shipping::Runs => {
                self.run(repository, "deploy-production", event, &branch, sha, by);
                return;
            }
            Shipping::Bot => ("harbour-deploy".to_owned(), None),
            Shipping::Workflow => {
                let run = self.organisation.start_run(repository, "deploy", event, &branch, sha, by);
                ("github-actions".to_owned(), Some(run))
            }
        };
        let environments = if run.is_some() { vec!["production", "staging"] } else { vec!["prod-eu", "staging"] };
        let story =
            DeployStory { repository: repository.to_owned(), sha: sha.clone(), by, run, environments, current: None };
        let at = self.organisation.now + self.minutes(4..12);
        self.schedule(at, Story::Deploy(story));
    }

    pub(super) fn deploy(&mut self, mut story: DeployStory) {
        let name = story.repository.clone();
        let failing = self.organisation.chance.percent(9);
        match story.current.take() {
            None => {
                let Some(environment) = story.environments.pop() else {
                    return self.end_deploy(&story, "success");
                };
                let id = self.organisation.deploy(&name, environment, &story.sha, &story.by, story.run);
                let last = if failing { "failure" } else { "success" };
                let middle = if story.run.is_some() { "in_progress" } else { "pending" };
                story.current = Some((id, vec![last, middle, "queued"]));
            }
            Some((id, mut states)) => {
                let state = states.pop().unwrap_or("error");
                let staging = self.organisation.repository(&name).deployment(id).is_some_and(|it| !it.production);
                if state == "pending" && staging && self.organisation.chance.percent(25) {
                    self.organisation.redirect_deployment(&name, id, "staging-2");
                } else {
                    self.organisation.deployment_status(&name, id, state);
                }
                if state == "failure" {
                    return self.end_deploy(&story, "failure");
                }
                // one in fifty never says how it ended
                let silent = states.len() == 1 && self.organisation.chance.percent(2);
                if !states.is_empty() && !silent {
                    story.current = Some((id, states));
                }
            }
        }
        let at = self.organisation.now + self.minutes(0..6);
        self.schedule(at, Story::Deploy(story));
    }

    fn end_deploy(&mut self, story: &DeployStory, conclusion: &str) {
        if let Some(run) = story.run {
            self.organisation.finish_run(&story.repository, run, conclusion);
        }
        let pull = self
            .organisation
            .repository(&story.repository)
            .pulls
            .iter()
            .find(|pull| pull.merge_commit_sha.as_ref() == Some(&story.sha) && !pull.title.starts_with("Revert"));
        let number = pull.map(|pull| pull.number);
        if conclusion == "failure"
            && let Some(number) = number
            && self.organisation.chance.percent(70)
        {
            let author = self.person();
            if let Some(revert) = PullStory::revert(&self.organisation, &story.repository, number, &author) {
                let at = self.organisation.now + self.minutes(5..30);
                self.schedule(at, Story::Pull(revert));
            }
        }
    }

    /// A run that starts now and ends some minutes later.
    pub(super) fn run(&mut self, repository: &str, file: &str, event: &str, branch: &str, sha: &Sha, by: &str) {
        let run = self.organisation.start_run(repository, file, event, branch, sha, by);
        let conclusion = match self.organisation.chance.below(100) {
            0..8 => "failure",
            8..11 => "cancelled",
            11 => "timed_out",
            12 => "skipped",
            _ => "success",
        };
        let at = self.organisation.now + self.minutes(2..25);
        let name = repository.to_owned();
        self.schedule(at, Story::Finish { repository: name.clone(), run, conclusion });
        if conclusion == "failure" && self.organisation.chance.percent(40) {
            let again = at + TimeDelta::minutes(45);
            self.schedule(again, Story::Finish { repository: name, run, conclusion: "success" });
        }
    }

    pub(super) fn incident(&mut self, mut story: IncidentStory) {
        let by = self.person();
        let name = story.repository.clone();
        match story.number {
            None => {
                let labels: Vec<_> = story.labels.iter().map(String::as_str).collect();
                story.number = Some(self.organisation.open_issue(&name, &by, &story.title, &labels));
            }
            Some(number) => match story.steps.pop() {
                None => return,
                Some(Step::Close) => self.organisation.close_issue(&name, number, &by),
                Some(Step::Reopen) => self.organisation.reopen_issue(&name, number, &by),
                Some(Step::Label) => self.organisation.label_issue(&name, number, &by, "incident"),
                Some(Step::Unlabel) => self.organisation.unlabel_issue(&name, number, &by, "incident"),
            },
        }
        let at = self.organisation.now + self.minutes(10..600);
        self.schedule(at, Story::Incident(story));
    }
}
