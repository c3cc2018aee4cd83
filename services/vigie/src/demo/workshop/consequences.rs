//! What a release does to its users, and what is done about it: it is mended, rolled back or reverted.

use vigie_model::{MINUTE, Time};

use super::{Action, Workshop};
use crate::demo::line::{Release, Why};
use crate::demo::outbox::Outbox;
use crate::demo::pace::Pace;

impl Workshop {
    /// After a step back somebody mends what was wrong, and that goes out.
    pub(super) fn fix_forward(&mut self, line: usize, pace: Pace) {
        let busy_until = self.lines[line].busy_until;
        let merged_at = busy_until + self.chance.spread(pace.restore, 0.4);
        self.lines[line].held_until = merged_at;
        self.lines[line].is_behind = true;
        let author = self.repository.author(&mut self.chance);
        let title = "Mend what was rolled back".to_owned();
        let mut fix = self.repository.hurry(busy_until + MINUTE, merged_at, author, title);
        fix.paths = self.paths(line);
        self.schedule(merged_at, Action::Merge(line, Box::new(fix)));
        self.schedule(merged_at + 5 * MINUTE, Action::Deploy { line, why: Why::Planned, duration: None });
    }

    /// What a release does to its users, and what is done about it.
    pub(super) fn consequences(&mut self, outbox: &mut Outbox, line: usize, release: &Release, pace: Pace) {
        if !self.chance.happens(pace.failure) {
            return;
        }
        let roll = self.chance.unit();
        let after = release.finished_at;
        let duration = self.chance.spread(pace.pipeline, 0.2) / 2_000_000 * 1_000_000 + MINUTE;
        match roll {
            ..0.45 => {
                let started_at = after + self.chance.spread(4 * MINUTE, 0.6);
                let mut incident = self.incident(line, started_at, pace);
                if self.chance.happens(0.7) {
                    incident.deployment = Some(release.id.clone());
                } else {
                    incident.revision = Some(release.revision.clone());
                }
                let mend_at = incident.acknowledged_at + self.chance.spread(pace.restore, 0.5) / 2_000_000 * 1_000_000;
                if self.mend(line, mend_at, duration) {
                    incident.mitigated_at = Some(mend_at + duration + 3 * MINUTE);
                }
                self.send(outbox, line, &incident);
            }
            ..0.65 => {
                let started_at = after + self.chance.spread(15 * MINUTE, 0.8);
                let incident = self.incident(line, started_at, pace);
                self.send(outbox, line, &incident);
            }
            ..0.8 => {
                let mend_at = after + self.chance.spread(pace.restore, 0.5);
                self.mend(line, mend_at, duration);
            }
            ..0.9 => {
                let at = after + self.chance.spread(pace.restore, 0.4);
                self.revert(line, at);
            }
            _ => {
                let at = after + self.chance.spread(pace.restore, 0.6);
                self.hold(line, at + duration);
                self.schedule(at, Action::Hotfix { line, duration });
            }
        }
    }

    /// Goes back or mends in a hurry at `at`; or leaves it to somebody's hands (`false`).
    fn mend(&mut self, line: usize, at: Time, duration: Time) -> bool {
        let before = self.lines[line].before.clone();
        match (self.chance.unit(), before) {
            (..0.55, Some(revision)) => {
                self.hold(line, at + duration);
                self.schedule(at, Action::Deploy { line, why: Why::Back(revision), duration: Some(duration) });
                true
            }
            (..0.8, _) => {
                self.hold(line, at + duration);
                self.schedule(at, Action::Hotfix { line, duration });
                true
            }
            _ => false,
        }
    }

    fn hold(&mut self, line: usize, until: Time) {
        self.lines[line].held_until = self.lines[line].held_until.max(until + 2 * MINUTE);
    }

    fn revert(&mut self, line: usize, at: Time) {
        let Some((number, sha, title)) = self.last_merges[line].clone() else { return };
        let title = format!("Revert \"{title}\"");
        if let Some(number) = number {
            let author = self.repository.author(&mut self.chance);
            let mut pull_request = self.repository.hurry(at - 6 * MINUTE, at, author, title);
            pull_request.reverts = Some((number, sha));
            pull_request.paths = self.paths(line);
            self.schedule(at, Action::Merge(line, Box::new(pull_request)));
        } else {
            let message = format!("{title}\n\nThis reverts commit {sha}.");
            self.schedule(at, Action::Push { line, message });
        }
        self.schedule(at + 5 * MINUTE, Action::Deploy { line, why: Why::Planned, duration: None });
    }
}
