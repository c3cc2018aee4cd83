//! Repositories and accounts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::github::model::{Account, Repository, Sha, Team};
use crate::github::organisation::Organisation;

impl Organisation {
    /// A new repository without a commit; its default branch comes with the first push onto `main`.
    pub fn create_repository(&mut self, name: &str) {
        let now = self.tick();
        let id = self.id();
        self.repositories.push(Arc::new(Repository {
            id,
            name: name.to_owned(),
            former_names: Vec::new(),
            default_branch: "main".to_owned(),
            private: true,
            fork: false,
            archived: false,
            disabled: false,
            created_at: now,
            updated_at: now,
            pushed_at: None,
            commits: HashMap::new(),
            branches: BTreeMap::new(),
            tags: BTreeMap::new(),
            environments: BTreeSet::new(),
            pulls: Vec::new(),
            deployments: Vec::new(),
            runs: Vec::new(),
            releases: Vec::new(),
            labels: Vec::new(),
            issues: Vec::new(),
            next_number: 1,
        }));
    }

    /// The repository has another name. The former one leads to it until another repository takes it.
    pub fn rename(&mut self, repository: &str, name: &str) {
        let now = self.tick();
        let it = self.change(repository);
        it.former_names.push(std::mem::replace(&mut it.name, name.to_owned()));
        it.updated_at = now;
    }

    /// The repository is read-only from now on.
    pub fn archive(&mut self, repository: &str) {
        let now = self.tick();
        let it = self.change(repository);
        it.archived = true;
        it.updated_at = now;
    }

    /// The repository is gone.
    pub fn delete_repository(&mut self, repository: &str) {
        self.tick();
        self.repositories.retain(|it| it.name != repository);
    }

    /// Somebody tags a commit. GitHub sends a `create` of it, which nobody here reads.
    pub fn tag(&mut self, repository: &str, tag: &str, sha: &Sha) {
        self.tick();
        self.change(repository).tags.insert(tag.to_owned(), sha.clone());
    }

    /// The project lies in a subgroup on GitLab: `web/till`, or nothing for the group itself.
    pub fn place(&mut self, repository: &str, subgroup: &str) {
        let id = self.repository(repository).id;
        self.places.insert(id, subgroup.to_owned());
    }

    /// Somebody sets an environment up, to which nothing is deployed yet.
    pub fn create_environment(&mut self, repository: &str, name: &str) {
        self.tick();
        self.change(repository).environments.insert(name.to_owned());
    }

    /// A new team, below another where one is named.
    pub fn create_team(&mut self, slug: &str, name: &str, parent: Option<&str>) {
        self.tick();
        let id = self.id();
        let (slug, name, parent) = (slug.to_owned(), name.to_owned(), parent.map(str::to_owned));
        self.teams.push(Team { id, slug, name, parent, repositories: BTreeMap::new() });
    }

    /// A team may do something in a repository: `ADMIN`, `MAINTAIN`, `WRITE`, `TRIAGE`, `READ`.
    ///
    /// # Panics
    /// Where there is no such team.
    pub fn grant(&mut self, team: &str, repository: &str, permission: &str) {
        self.tick();
        let id = self.repository(repository).id;
        let team = self.teams.iter_mut().find(|it| it.slug == team).unwrap_or_else(|| panic!("no team {team}"));
        team.repositories.insert(id, permission.to_owned());
    }

    /// Another user, or a bot.
    pub fn join(&mut self, login: &str, name: &str, bot: bool) {
        let id = self.id() / 10;
        let offset = if bot { 0 } else { self.chance.of(&[&0, &60, &120, &-300, &330]).to_owned() };
        let mailbox = if bot { format!("{login}[bot]") } else { login.to_owned() };
        self.accounts.push(Account {
            id,
            login: login.to_owned(),
            name: name.to_owned(),
            email: format!("{id}+{mailbox}@users.noreply.github.com"),
            bot,
            deleted: false,
            offset,
        });
    }

    /// An account is deleted: what it did is left, by nobody.
    pub fn delete_account(&mut self, login: &str) {
        let account = self.account(login);
        self.accounts[account].deleted = true;
    }
}
