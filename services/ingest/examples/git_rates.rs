//! How fast a repository is read: `cargo run -p vigie-ingest --example git_rates -- PATH [paths] [every-merge]`.
//! `git log --format=%H%P%at%ct%B` of the same repository is the measure.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use vigie_ingest::pull::git::{Deployments, GitOptions, GitPull};
use vigie_model::people::{Concealer, PeopleKey};
use vigie_model::{Clock, Settings, SystemClock};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(path) = arguments.first() else {
        return Err("name a repository".into());
    };
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    let concealer = Arc::new(Concealer::new(PeopleKey([7; 32]), &Settings::default()));
    let mut options = GitOptions::new(SystemClock.now(), concealer);
    options.with_paths = has("paths");
    if has("every-merge") {
        options.deployments = Deployments::EveryMerge;
    }
    let mut cursor = None;
    for run in ["first", "second"] {
        let start = Instant::now();
        let mut batches = GitPull::open(Path::new(path), options.clone())?.since(cursor.as_ref())?;
        let planned = start.elapsed();
        let mut count = 0;
        for batch in &mut batches {
            let batch = batch?;
            count += batch.events.len();
            cursor = Some(batch.cursor);
        }
        println!(
            "{run} run: {count} events, planned in {planned:.2?}, done in {:.2?}: {:?}",
            start.elapsed(),
            batches.plan()
        );
        for warning in batches.warnings() {
            println!("  {warning}");
        }
    }
    Ok(())
}
