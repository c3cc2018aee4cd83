//! What is odd about a repository and does not keep it from being read.

/// How often something odd was met.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub impossible_dates: u64,
    pub future_dates: u64,
    pub cut_messages: u64,
    pub unknown_paths: u64,
}

impl Counts {
    pub fn add(&mut self, other: Self) {
        self.impossible_dates += other.impossible_dates;
        self.future_dates += other.future_dates;
        self.cut_messages += other.cut_messages;
        self.unknown_paths += other.unknown_paths;
    }

    /// Each as a sentence.
    pub fn sentences(self) -> impl Iterator<Item = String> {
        let dates = |count: u64| if count == 1 { "1 date".to_owned() } else { format!("{count} dates") };
        let commits = |count: u64| if count == 1 { "1 commit".to_owned() } else { format!("{count} commits") };
        [
            (
                self.impossible_dates,
                format!("{} outside the years 1970 to 9999: read as 1970-01-01", dates(self.impossible_dates)),
            ),
            (self.future_dates, format!("{} in the future: kept, though a clock was wrong", dates(self.future_dates))),
            (
                self.cut_messages,
                format!("the message of {} was longer than 200,000 bytes: cut", commits(self.cut_messages)),
            ),
            (
                self.unknown_paths,
                format!(
                    "the paths of {} are unknown (too many, or trees are missing): they count for every service",
                    commits(self.unknown_paths)
                ),
            ),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(_, sentence)| sentence)
    }
}
