//! Repositories and accounts.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::github::model::{Account, Repository};
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
