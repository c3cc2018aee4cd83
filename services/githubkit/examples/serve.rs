//! Serves an organisation until the input ends: `serve SEED SIZE`. With a folder as third, writes its deliveries there
//! first, one JSON a line.

use std::io::{BufWriter, Read, Write};

use vigie_githubkit::github::{GitHub, Organisation, Size};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let seed = arguments.next().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    let size = match arguments.next().as_deref() {
        Some("large") => Size::large(),
        Some("medium") => Size::medium(),
        _ => Size::small(),
    };
    let begun = std::time::Instant::now();
    let organisation = Organisation::new(seed, size);
    let commits: usize = organisation.repositories.iter().map(|it| it.commits.len()).sum();
    let pulls: usize = organisation.repositories.iter().map(|it| it.pulls.len()).sum();
    let deployments: usize = organisation.repositories.iter().map(|it| it.deployments.len()).sum();
    let runs = organisation.repositories.iter().map(|it| it.runs.len()).max();
    eprintln!(
        "made in {:?}: {commits} commits, {pulls} pulls, {deployments} deployments, {runs:?} runs",
        begun.elapsed()
    );
    if let Some(file) = arguments.next() {
        let begun = std::time::Instant::now();
        let mut out = BufWriter::new(std::fs::File::create(file)?);
        for (event, body) in organisation.deliveries() {
            writeln!(out, "{}", serde_json::json!({"type": event, "body": body}))?;
        }
        out.flush()?;
        eprintln!("deliveries in {:?}", begun.elapsed());
    }
    let server = GitHub::serve(organisation).await;
    println!("{}", server.url());
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    server.stop().await;
    Ok(())
}
