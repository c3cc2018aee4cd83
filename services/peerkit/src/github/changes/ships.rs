//! What goes out: deployments, workflow runs, releases.

use crate::github::model::{Deployment, Release, Run, Sha, Status};
use crate::github::organisation::{Organisation, What};

impl Organisation {
    /// Somebody, or a workflow run, deploys a commit. Returns the deployment's id.
    pub fn deploy(&mut self, repository: &str, environment: &str, sha: &Sha, login: &str, run: Option<i64>) -> i64 {
        let creator = self.account(login);
        let now = self.tick();
        let id = self.id();
        let it = self.repository(repository);
        assert!(it.commits.contains_key(sha), "{repository} has no commit {sha}");
        let branch = it.default_branch.clone();
        let deployment = Deployment {
            id,
            sha: sha.clone(),
            reference: if run.is_some() || self.chance.percent(50) { branch } else { sha.to_string() },
            task: "deploy".to_owned(),
            original_environment: environment.to_owned(),
            environment: environment.to_owned(),
            // GitHub sets the flag by the name `production` alone; for others, who deploys says so
            production: environment.starts_with("prod"),
            transient: environment.starts_with("preview"),
            description: None,
            creator,
            run,
            created_at: now,
            updated_at: now,
            statuses: Vec::new(),
        };
        let run = self.run(repository, run);
        self.change(repository).deployments.push(deployment.clone());
        self.happened(repository, creator, What::Deployment { deployment: deployment.into(), run });
        id
    }

    /// A deployment goes to another environment than it was meant for, as one of its statuses says.
    pub fn redirect_deployment(&mut self, repository: &str, deployment: i64, environment: &str) {
        let it = self.change(repository);
        let index = it.deployments.binary_search_by_key(&deployment, |deployment| deployment.id);
        let index = index.unwrap_or_else(|_| panic!("no deployment {deployment}"));
        environment.clone_into(&mut it.deployments[index].environment);
        self.deployment_status(repository, deployment, "in_progress");
    }

    /// How a deployment is doing: `queued`, `in_progress`, `success`, `failure`, `error`, `inactive`, … A success makes
    /// the earlier successes of its environment inactive, as GitHub does by itself.
    pub fn deployment_status(&mut self, repository: &str, deployment: i64, state: &str) -> i64 {
        let id = self.add_status(repository, deployment, state);
        if state == "success" {
            let it = self.repository(repository);
            let new = it.deployment(deployment).expect("it has a status");
            let earlier: Vec<_> = it
                .deployments
                .iter()
                .rev()
                .filter(|other| other.id != deployment && !other.transient && other.environment == new.environment)
                .filter(|other| other.statuses.last().is_some_and(|status| status.state == "success"))
                .map(|other| other.id)
                .collect();
            for other in earlier {
                self.add_status(repository, other, "inactive");
            }
        }
        id
    }

    fn add_status(&mut self, repository: &str, deployment: i64, state: &str) -> i64 {
        let now = self.tick();
        let id = self.id();
        let root = format!("https://github.com/{}/{repository}", self.login);
        let it = self.change(repository);
        let index = it.deployments.binary_search_by_key(&deployment, |deployment| deployment.id);
        let index = index.unwrap_or_else(|_| panic!("no deployment {deployment}"));
        let deployment = &mut it.deployments[index];
        let status = Status {
            id,
            state: state.to_owned(),
            creator: deployment.creator,
            description: String::new(),
            environment: deployment.environment.clone(),
            log_url: deployment.run.map_or_else(String::new, |run| format!("{root}/actions/runs/{run}/job/{id}")),
            environment_url: String::new(),
            created_at: now,
        };
        deployment.statuses.push(status.clone());
        deployment.updated_at = now;
        let deployment = deployment.clone();
        let run = self.run(repository, deployment.run);
        let what = What::Status { status: status.into(), deployment: deployment.clone().into(), run };
        self.happened(repository, deployment.creator, what);
        id
    }

    /// A workflow starts: `push`, `pull_request`, `schedule`, `workflow_dispatch`, `release`. Returns the run's id.
    pub fn start_run(
        &mut self,
        repository: &str,
        file: &str,
        event: &str,
        branch: &str,
        sha: &Sha,
        login: &str,
    ) -> i64 {
        let actor = self.account(login);
        let now = self.tick();
        self.next_run += 1 + self.chance.below(9) as i64;
        let id = self.next_run;
        let it = self.change(repository);
        let path = format!(".github/workflows/{file}.yml");
        let number = 1 + it.runs.iter().rev().find(|run| run.path == path).map_or(0, |run| run.number);
        let workflow = it.id + file.bytes().fold(0, |sum, byte| sum * 3 + i64::from(byte)) % 100_000;
        let run = Run {
            id,
            workflow,
            name: file.to_owned(),
            path,
            event: event.to_owned(),
            branch: branch.to_owned(),
            sha: sha.clone(),
            number,
            attempt: 1,
            status: "queued".to_owned(),
            conclusion: None,
            actor,
            created_at: now,
            started_at: now,
            updated_at: now,
        };
        it.runs.push(run.clone());
        self.happened(repository, actor, What::Run { action: "requested", run: run.into() });
        id
    }

    /// A run is done: `success`, `failure`, `cancelled`, `timed_out`, `skipped`, …
    pub fn finish_run(&mut self, repository: &str, run: i64, conclusion: &str) {
        self.change_run(repository, run, "completed", |run, _| {
            "completed".clone_into(&mut run.status);
            run.conclusion = Some(conclusion.to_owned());
        });
    }

    /// A run starts over, as another attempt.
    pub fn rerun(&mut self, repository: &str, run: i64) {
        self.change_run(repository, run, "requested", |run, now| {
            "queued".clone_into(&mut run.status);
            run.conclusion = None;
            run.attempt += 1;
            run.started_at = now;
        });
    }

    /// Somebody publishes a release of the default branch's newest commit; `final_one` is false for a pre-release.
    pub fn release(&mut self, repository: &str, tag: &str, login: &str, final_one: bool) -> i64 {
        let author = self.account(login);
        let now = self.tick();
        let id = self.id();
        let it = self.change(repository);
        let sha = it.head().expect("there is something to release").clone();
        let release = Release {
            id,
            tag: tag.to_owned(),
            // GitHub gives the commit's time, not that of the draft
            created_at: it.commits[&sha].committed_at,
            sha,
            target: it.default_branch.clone(),
            name: Some(format!("Version {}", tag.trim_start_matches('v'))),
            draft: false,
            prerelease: !final_one,
            author,
            published_at: Some(now),
        };
        it.tags.insert(tag.to_owned(), release.sha.clone());
        it.releases.push(release.clone());
        let actions: &[_] = if final_one { &["published", "released"] } else { &["published", "prereleased"] };
        for action in actions {
            self.happened(repository, author, What::Release { action, release: release.clone().into() });
        }
        id
    }

    fn run(&self, repository: &str, id: Option<i64>) -> Option<Box<Run>> {
        let it = self.repository(repository);
        let index = it.runs.binary_search_by_key(&id?, |run| run.id).ok()?;
        Some(it.runs[index].clone().into())
    }

    fn change_run(
        &mut self,
        repository: &str,
        id: i64,
        action: &'static str,
        change: impl FnOnce(&mut Run, crate::github::model::Time),
    ) {
        let now = self.tick();
        let it = self.change(repository);
        let index = it.runs.binary_search_by_key(&id, |run| run.id).unwrap_or_else(|_| panic!("no run {id}"));
        let run = &mut it.runs[index];
        change(run, now);
        run.updated_at = now;
        let run = run.clone();
        self.happened(repository, run.actor, What::Run { action, run: run.into() });
    }
}
