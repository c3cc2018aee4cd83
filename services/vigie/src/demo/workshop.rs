//! A repository with its services, simulated event by event.

use std::collections::BTreeMap;

use vigie_model::{DAY, HOUR, MINUTE, Time};

use super::chance::{Chance, is_working_day, whole};
use super::incident::Incident;
use super::line::{Ended, Line, Why};
use super::organisation::{Profile, SHARED_FOLDER, Style};
use super::outbox::Outbox;
use super::pace::{self, Pace, Releases, Span};
use super::repository::{PullRequest, Repository};
use super::watch;

mod consequences;

/// What happens next; the number is the line's.
enum Action {
    Begin(usize),
    Merge(usize, Box<PullRequest>),
    Push { line: usize, message: String },
    Deploy { line: usize, why: Why, duration: Option<Time> },
    Hotfix { line: usize, duration: Time },
    MergeBack { line: usize, sha: String },
}

/// A repository, its services, and what is about to happen.
pub(super) struct Workshop {
    repository: Repository,
    pub lines: Vec<Line>,
    /// For each line, what was merged last: its number, commit and title.
    last_merges: Vec<Option<(Option<i64>, String, String)>>,
    queue: BTreeMap<(Time, u64), Action>,
    count: u64,
    incidents: u64,
    chance: Chance,
    span: Span,
}

impl Workshop {
    pub(super) fn new(seed: u64, span: Span, name: &str, profiles: Vec<Profile>, outbox: &mut Outbox) -> Self {
        let mut chance = Chance::new(seed, name);
        let mut repository = Repository::new(seed, name, profiles.len());
        let folders: Vec<String> = profiles.iter().map(|p| format!("{}/README.md", source_folder(p))).collect();
        for (index, message) in ["Begin", "Build and release", "First customers"].into_iter().enumerate() {
            let at = span.from + (5 + Time::try_from(index).unwrap_or(0)) * HOUR;
            let author = repository.author(&mut chance);
            repository.push(outbox, at, &author, message, &folders);
        }
        let mut workshop = Self {
            repository,
            last_merges: vec![None; profiles.len()],
            lines: Vec::new(),
            queue: BTreeMap::new(),
            count: 0,
            incidents: 0,
            chance,
            span,
        };
        for (line, profile) in profiles.into_iter().enumerate() {
            let interval = pace::at(&profile, span, span.from).interval;
            let waited = (interval * workshop.chance.unit()).floor();
            workshop.lines.push(Line::new(profile, waited));
            let at = whole(span.from + workshop.chance.between(9 * HOUR, 15 * HOUR));
            workshop.schedule(at, Action::Deploy { line, why: Why::Planned, duration: None });
        }
        workshop
    }

    fn schedule(&mut self, at: Time, action: Action) {
        self.count += 1;
        self.queue.insert((at, self.count), action);
    }

    fn pace(&self, line: usize, at: Time) -> Pace {
        pace::at(&self.lines[line].profile, self.span, at)
    }

    /// One day, with everything that happens on it.
    pub(super) fn day(&mut self, outbox: &mut Outbox, day: Time) {
        for line in 0..self.lines.len() {
            let pace = self.pace(line, day);
            if is_working_day(day) {
                self.working_day(outbox, line, day, pace);
            }
            if self.chance.happens(pace.bad_luck) {
                let at = whole(day + self.chance.between(0, DAY));
                let incident = self.incident(line, at, pace);
                self.send(outbox, line, &incident);
            }
            // One service is rolled out again by a nightly job now and then, with nothing new in it.
            if self.lines[line].profile.slug == "stock" && self.chance.happens(0.15) {
                self.schedule(day + 3 * HOUR, Action::Deploy { line, why: Why::Again, duration: None });
            }
        }
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 >= day + DAY {
                break;
            }
            let ((at, _), action) = entry.remove_entry();
            self.act(outbox, at, action);
        }
        for line in &mut self.lines {
            watch::day(outbox, &mut self.chance, line, day);
        }
    }

    fn working_day(&mut self, outbox: &mut Outbox, line: usize, day: Time, pace: Pace) {
        for _ in 0..self.chance.count(pace.changes) {
            let at = whole(day + self.chance.between(7 * HOUR, 15 * HOUR));
            self.schedule(at, Action::Begin(line));
        }
        for _ in 0..self.chance.count(self.lines[line].profile.switches) {
            let at = whole(day + self.chance.between(8 * HOUR, 16 * HOUR));
            let id = self.lines[line].switch(outbox, &mut self.chance, at);
            // A flag can hurt too, and then it is the flag that takes the blame.
            if self.chance.happens(0.03) {
                let mut incident = self.incident(line, at + 4 * MINUTE, pace);
                incident.deployment = Some(id);
                self.send(outbox, line, &incident);
            }
        }
        let own = &mut self.lines[line];
        own.waited += 1.0;
        if matches!(own.profile.releases, Releases::EveryDays(_)) && own.waited >= pace.interval {
            own.waited = 0.0;
            let at = whole(day + self.chance.between(9 * HOUR, 13 * HOUR));
            self.schedule(at, Action::Deploy { line, why: Why::Planned, duration: None });
        }
        if self.chance.happens(0.03) {
            let at = whole(day + self.chance.between(HOUR, 5 * HOUR));
            self.update_by_bot(line, at);
        }
    }

    fn update_by_bot(&mut self, line: usize, at: Time) {
        let title = "Update dependencies".to_owned();
        let mut pull_request = self.repository.hurry(at, at + 4 * HOUR, "renovate[bot]".to_owned(), title);
        pull_request.paths = self.paths(line);
        self.schedule(at + 4 * HOUR, Action::Merge(line, Box::new(pull_request)));
    }

    fn act(&mut self, outbox: &mut Outbox, at: Time, action: Action) {
        match action {
            Action::Begin(line) => self.begin(outbox, at, line),
            Action::Push { line, message } => {
                let author = self.repository.author(&mut self.chance);
                let paths = self.paths(line);
                self.repository.push(outbox, at, &author, &message, &paths);
                self.last_merges[line] = Some((None, self.repository.head.clone(), message));
                self.merged(at, &paths);
            }
            Action::Merge(line, pull_request) => {
                let sha = self.repository.merge(outbox, &pull_request);
                self.last_merges[line] = Some((Some(pull_request.number), sha, pull_request.title));
                self.merged(at, &pull_request.paths);
            }
            Action::Deploy { line, why, duration } => self.deploy(outbox, at, line, why, duration),
            Action::Hotfix { line, duration } => {
                let Some(live) = self.lines[line].live.clone() else { return };
                let author = self.repository.author(&mut self.chance);
                let paths = self.paths(line);
                let sha = self.repository.commit(outbox, &[&live.revision], at, &author, "Mend in a hurry", &paths);
                let why = Why::Hotfix(sha.clone());
                self.schedule(at + 2 * MINUTE, Action::Deploy { line, why, duration: Some(duration) });
                self.schedule(at + duration + 10 * MINUTE, Action::MergeBack { line, sha });
            }
            Action::MergeBack { line, sha } => {
                let (head, author) = (self.repository.head.clone(), self.repository.author(&mut self.chance));
                let paths = self.paths(line);
                self.repository.head =
                    self.repository.commit(outbox, &[&head, &sha], at, &author, "Merge the hotfix back", &paths);
            }
        }
    }

    /// Somebody begins a change.
    fn begin(&mut self, outbox: &mut Outbox, at: Time, line: usize) {
        let pace = self.pace(line, at);
        let style = self.lines[line].profile.style;
        if style == Style::Trunk {
            let message = Repository::title(&mut self.chance);
            let done = at + self.chance.spread(pace.coding, 0.5);
            self.schedule(done, Action::Push { line, message });
            return;
        }
        let medians = [pace.coding, pace.pickup, pace.review];
        let paths = self.paths(line);
        let pull_request = self.repository.begin(outbox, &mut self.chance, (style, at), medians, paths);
        if self.chance.happens(0.05) {
            self.repository.close(outbox, &pull_request);
        } else {
            self.schedule(pull_request.merged_at, Action::Merge(line, Box::new(pull_request)));
        }
    }

    fn paths(&mut self, line: usize) -> Vec<String> {
        let profile = &self.lines[line].profile;
        let folder = source_folder(profile).to_owned();
        let file = self.chance.pick(&["lib", "routes", "mail", "store", "view", "prices"]);
        let mut paths = vec![format!("{folder}/{file}.rs")];
        if ships_shared_folder(profile) && self.chance.happens(0.1) {
            paths.push(format!("{SHARED_FOLDER}/button.ts"));
        }
        paths
    }

    /// Something is on the main branch: who ships it, and when?
    fn merged(&mut self, at: Time, paths: &[String]) {
        for line in 0..self.lines.len() {
            let own = &mut self.lines[line];
            if !touches(&own.profile, paths) {
                continue;
            }
            own.is_behind = true;
            if own.profile.releases == Releases::OnMerge && !own.is_scheduled {
                own.is_scheduled = true;
                let start = at + self.chance.between(1, 4) * MINUTE;
                self.schedule(start, Action::Deploy { line, why: Why::Planned, duration: None });
            }
        }
    }

    fn deploy(&mut self, outbox: &mut Outbox, at: Time, line: usize, why: Why, duration: Option<Time>) {
        let pace = self.pace(line, at);
        let duration = duration.unwrap_or_else(|| self.chance.spread(pace.pipeline, 0.25));
        let own = &mut self.lines[line];
        let revision = match &why {
            Why::Planned => {
                let held_until = own.held_until;
                own.is_scheduled = at < held_until;
                if own.is_scheduled {
                    self.schedule(held_until, Action::Deploy { line, why, duration: None });
                    return;
                }
                if !own.is_behind {
                    return;
                }
                own.is_behind = false;
                self.repository.head.clone()
            }
            Why::Again => match &own.live {
                Some(live) => live.revision.clone(),
                None => return,
            },
            Why::Back(revision) | Why::Hotfix(revision) => revision.clone(),
        };
        let is_first = own.live.is_none();
        let tools = (&mut *outbox, &mut self.chance);
        let ended = own.deploy(tools, &self.repository.name, &revision, (at, &why), (duration, pace.broken_pipeline));
        match (ended, why) {
            (Ended::Released(release), Why::Planned) if !is_first => self.consequences(outbox, line, &release, pace),
            (Ended::Released(_), Why::Back(_)) => self.fix_forward(line, pace),
            (Ended::Released(_), _) => {}
            (Ended::Failed { at }, _) => {
                let later = at + self.chance.between(12, 50) * MINUTE;
                self.try_again(line, later);
            }
            (Ended::CanaryFailed { id, exposed_at, at }, _) => {
                let mut incident = self.incident(line, exposed_at + MINUTE, pace);
                incident.deployment = Some(id);
                incident.mitigated_at = Some(at.max(incident.acknowledged_at) + MINUTE);
                self.send(outbox, line, &incident);
                let later = at + self.chance.between(2, 6) * HOUR;
                self.try_again(line, later);
            }
        }
    }

    fn try_again(&mut self, line: usize, at: Time) {
        self.lines[line].is_behind = true;
        self.lines[line].is_scheduled = true;
        self.schedule(at, Action::Deploy { line, why: Why::Planned, duration: None });
    }

    fn incident(&mut self, line: usize, at: Time, pace: Pace) -> Incident {
        self.incidents += 1;
        let slug = self.lines[line].profile.slug.clone();
        let id = format!("{slug}-inc-{}", self.incidents);
        Incident::begin(&mut self.chance, id, vec![slug], at, pace.detect, pace.restore)
    }

    fn send(&mut self, outbox: &mut Outbox, line: usize, incident: &Incident) {
        incident.send(outbox, &mut self.chance);
        if incident.is_outage() {
            self.lines[line].outages.push((incident.started_at, incident.mitigated_at.unwrap_or(Time::MAX)));
        }
    }
}

fn source_folder(profile: &Profile) -> &str {
    profile.folder.as_deref().unwrap_or("src")
}

/// `web` and `cart` are built with the same buttons.
pub(super) fn ships_shared_folder(profile: &Profile) -> bool {
    profile.folder.is_some() && matches!(profile.slug.as_str(), "web" | "cart")
}

fn touches(profile: &Profile, paths: &[String]) -> bool {
    let Some(folder) = &profile.folder else { return true };
    paths.iter().any(|path| {
        path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'))
            || (ships_shared_folder(profile) && path.starts_with(SHARED_FOLDER))
    })
}
