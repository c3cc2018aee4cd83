//! The story of a pull request: commits, opening, reviews, the end.

use super::{Story, Telling, words, working};
use crate::github::changes::Merge;
use crate::github::organisation::Organisation;

pub(super) struct PullStory {
    repository: String,
    author: String,
    branch: String,
    title: String,
    body: Option<String>,
    commits: usize,
    number: Option<i64>,
    /// Who and what, the next one last.
    reviews: Vec<(String, &'static str)>,
    /// Something is changed between the reviews and the end.
    afterthought: bool,
    end: End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Merge(Merge),
    Close,
    /// It stays open.
    Never,
}

impl PullStory {
    pub fn new(telling: &mut Telling, repository: &str) -> Self {
        if telling.organisation.chance.percent(18) {
            return Self::of_a_bot(telling, repository);
        }
        let (author, other, third) = (telling.person(), telling.person(), telling.person());
        let chance = &mut telling.organisation.chance;
        let title = words::title(chance);
        let branch = format!("{}-{}", words::slug(&title), chance.below(10_000));
        let mut reviews = Vec::new();
        if chance.percent(85) {
            reviews.push((other.clone(), "APPROVED"));
        }
        if chance.percent(30) {
            reviews.push((other, chance.of(&["CHANGES_REQUESTED", "COMMENTED"])));
        }
        if chance.percent(20) {
            // the author answers
            reviews.push((author.clone(), "COMMENTED"));
        }
        if chance.percent(25) {
            reviews.push((third, chance.of(&["COMMENTED", "APPROVED", "PENDING"])));
        }
        if chance.percent(25) {
            reviews.push(("review-helper".to_owned(), "COMMENTED"));
        }
        // nobody approves their own
        reviews.retain(|(by, state)| *by != author || *state == "COMMENTED");
        let body = chance.percent(75).then(|| words::body(chance));
        Self {
            repository: repository.to_owned(),
            author,
            branch,
            title,
            body,
            commits: 1 + chance.below(4),
            number: None,
            reviews,
            afterthought: chance.percent(25),
            end: match chance.below(100) {
                0..60 => End::Merge(Merge::Squash),
                60..80 => End::Merge(Merge::Commit),
                80..88 => End::Merge(Merge::Rebase),
                88..95 => End::Close,
                _ => End::Never,
            },
        }
    }

    fn of_a_bot(telling: &mut Telling, repository: &str) -> Self {
        let reviewer = telling.person();
        let chance = &mut telling.organisation.chance;
        let (package, from, to) = words::update(chance);
        Self {
            repository: repository.to_owned(),
            author: "dependabot".to_owned(),
            branch: format!("dependabot/cargo/{package}-{to}-{}", chance.below(10_000)),
            title: format!("Bump {package} from {from} to {to}"),
            body: Some(format!(
                "Bumps [{package}](https://crates.io/crates/{package}) from {from} to {to}.\n\n---\n\nDependabot \
                 will resolve any conflicts with this PR as long as you don't alter it yourself."
            )),
            commits: 1,
            number: None,
            reviews: if chance.percent(50) { vec![(reviewer, "APPROVED")] } else { Vec::new() },
            afterthought: false,
            end: if chance.percent(80) { End::Merge(Merge::Squash) } else { End::Close },
        }
    }

    /// Takes an earlier change back.
    pub fn revert(organisation: &Organisation, repository: &str, number: i64, author: &str) -> Option<Self> {
        let pull = organisation.repository(repository).pull(number)?;
        Some(Self {
            repository: repository.to_owned(),
            author: author.to_owned(),
            branch: format!("revert-{number}-{}", pull.head_ref.replace('/', "-")),
            title: format!("Revert \"{}\"", pull.title),
            body: Some(format!("Reverts {}/{repository}#{number}", organisation.login)),
            commits: 1,
            number: None,
            reviews: Vec::new(),
            afterthought: false,
            end: End::Merge(Merge::Squash),
        })
    }
}

impl Telling {
    pub(super) fn pull(&mut self, mut story: PullStory) {
        let name = story.repository.clone();
        let urgent = story.title.starts_with("Revert");
        let wait = match story.number {
            None if story.commits > 0 => {
                let message = if story.title.starts_with("Bump") || urgent {
                    story.title.clone()
                } else {
                    words::title(&mut self.organisation.chance)
                };
                self.organisation.push(&name, &story.branch, &story.author, &message);
                story.commits -= 1;
                self.minutes(5..300)
            }
            None => {
                let number = self.organisation.open_pull(
                    &name,
                    &story.branch,
                    &story.author,
                    &story.title,
                    story.body.as_deref(),
                );
                story.number = Some(number);
                self.check(&story, number);
                self.minutes(10..1_500)
            }
            Some(number) => {
                if let Some((by, state)) = story.reviews.pop() {
                    self.organisation.review(&name, number, &by, state);
                    self.minutes(5..900)
                } else if story.afterthought {
                    story.afterthought = false;
                    self.change_again(&story, number);
                    self.minutes(5..240)
                } else {
                    return self.end(&story, number);
                }
            }
        };
        let next = self.organisation.now + if urgent { wait / 30 } else { wait };
        let next = if urgent || story.author == "dependabot" { next } else { working(next) };
        self.schedule(next, Story::Pull(story));
    }

    fn check(&mut self, story: &PullStory, number: i64) {
        let sha = self.organisation.repository(&story.repository).pull(number).expect("it is open").head_sha.clone();
        self.run(&story.repository, "ci", "pull_request", &story.branch, &sha, &story.author);
        if self.organisation.repository(&story.repository).pull(number).is_some_and(|pull| pull.draft) {
            self.organisation.ready_pull(&story.repository, number, &story.author);
        }
    }

    fn change_again(&mut self, story: &PullStory, number: i64) {
        let chance = &mut self.organisation.chance;
        match chance.below(4) {
            0 => {
                self.organisation.force_push(&story.repository, &story.branch, &story.author, 1, "Address the review");
            }
            1 => {
                self.organisation.edit_pull(&story.repository, number, &story.author, &format!("{} again", story.title))
            }
            _ => {
                self.organisation.push(&story.repository, &story.branch, &story.author, "Address the review");
            }
        }
    }

    fn end(&mut self, story: &PullStory, number: i64) {
        let by = if self.organisation.chance.percent(60) && story.author != "dependabot" {
            story.author.clone()
        } else {
            self.person()
        };
        match story.end {
            End::Never => return,
            End::Close => self.organisation.close_pull(&story.repository, number, &by),
            End::Merge(how) => {
                let sha = self.organisation.merge(&story.repository, number, &by, how);
                self.merged(&story.repository, &sha, &by);
            }
        }
        if self.organisation.chance.percent(80) {
            self.organisation.delete_branch(&story.repository, &story.branch, &by);
        }
    }
}
