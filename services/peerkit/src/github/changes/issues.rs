//! Issues and their labels.

use crate::github::model::{Issue, Label, Time};
use crate::github::organisation::{Organisation, What};

impl Organisation {
    /// Somebody opens an issue with labels, which are made where the repository has none of that name. Returns its
    /// number.
    pub fn open_issue(&mut self, repository: &str, login: &str, title: &str, labels: &[&str]) -> i64 {
        let author = self.account(login);
        let now = self.tick();
        for label in labels {
            self.label(repository, label);
        }
        let id = self.id();
        let body = (!self.chance.percent(20)).then(|| "Seen by several customers. Timeline below.".to_owned());
        let it = self.change(repository);
        let number = it.next_number;
        it.next_number += 1;
        let issue = Issue {
            id,
            number,
            title: title.to_owned(),
            body,
            author,
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            unlabeled: Vec::new(),
            created_at: now,
            updated_at: now,
            closed_at: None,
        };
        it.issues.push(issue.clone());
        self.happened(repository, author, What::Issue { action: "opened", issue: issue.into(), label: None });
        number
    }

    /// Somebody closes an issue.
    pub fn close_issue(&mut self, repository: &str, number: i64, login: &str) {
        self.change_issue(repository, number, login, "closed", None, |issue, now| issue.closed_at = Some(now));
    }

    /// Somebody opens a closed issue again.
    pub fn reopen_issue(&mut self, repository: &str, number: i64, login: &str) {
        self.change_issue(repository, number, login, "reopened", None, |issue, _| issue.closed_at = None);
    }

    /// Somebody puts a label on an issue.
    pub fn label_issue(&mut self, repository: &str, number: i64, login: &str, label: &str) {
        self.label(repository, label);
        self.change_issue(repository, number, login, "labeled", Some(label), |issue, _| {
            issue.labels.push(label.to_owned());
        });
    }

    /// Somebody takes a label off an issue.
    pub fn unlabel_issue(&mut self, repository: &str, number: i64, login: &str, label: &str) {
        self.change_issue(repository, number, login, "unlabeled", Some(label), |issue, now| {
            issue.labels.retain(|name| name != label);
            issue.unlabeled.push((label.to_owned(), now));
        });
    }

    /// Somebody deletes an issue: nothing says so but its webhook.
    pub fn delete_issue(&mut self, repository: &str, number: i64, login: &str) {
        self.change_issue(repository, number, login, "deleted", None, |_, _| ());
        self.change(repository).issues.retain(|issue| issue.number != number);
    }

    /// The repository has this label from now on.
    pub fn label(&mut self, repository: &str, name: &str) {
        if self.repository(repository).labels.iter().any(|label| label.name == name) {
            return;
        }
        let label = Label {
            id: self.id(),
            name: name.to_owned(),
            color: format!("{:06x}", self.chance.below(0x0100_0000)),
            description: (name == "incident").then(|| "Something is down or slow for customers".to_owned()),
            created_at: self.now,
        };
        self.change(repository).labels.push(label);
    }

    fn change_issue(
        &mut self,
        repository: &str,
        number: i64,
        login: &str,
        action: &'static str,
        label: Option<&str>,
        change: impl FnOnce(&mut Issue, Time),
    ) {
        let sender = self.account(login);
        let now = self.tick();
        let it = self.change(repository);
        let issue = it.issues.iter_mut().find(|issue| issue.number == number);
        let issue = issue.unwrap_or_else(|| panic!("no issue {number}"));
        change(issue, now);
        // deleting one leaves its time as it was
        if action != "deleted" {
            issue.updated_at = now;
        }
        let issue = issue.clone().into();
        self.happened(repository, sender, What::Issue { action, issue, label: label.map(str::to_owned) });
    }
}
