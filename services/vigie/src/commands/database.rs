//! `vigie database`: the schema and what is in it.

use std::path::{Path, PathBuf};

use serde_json::json;
use vigie_model::format_time;
use vigie_store::{ConnectOptions, KNOWN_VERSION, Report, Store};

use crate::config::Config;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::humane;
use crate::terminal::{Format, Grid, Output, Paint, plain, print, print_json, say, spinner};

/// Bring the database up to date, look through it, back it up
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Bring the schema up to what this program needs
    Migrate,
    /// Write everything but the facts, which are folded anew, into a new file
    Backup {
        /// The file, which must not be there yet
        file: PathBuf,
    },
    /// Read a backup into an empty database
    Restore {
        /// The file
        file: PathBuf,
    },
    /// Count what is there and read the whole log for damage; changes nothing
    Check {
        #[command(flatten)]
        output: Output,
    },
}

pub async fn run(context: Context, args: Args) -> Outcome {
    let config = context.load(&[])?;
    match args.action {
        Action::Migrate => {
            let store = Store::connect(&config.database, ConnectOptions::default()).await?;
            let done = store.migrate(context.now()).await?;
            match (done.from, done.to) {
                (0, to) => say(format_args!("{} is set up, version {to}", store.place())),
                (from, to) if from == to => say(format_args!("{} has version {to} already", store.place())),
                (from, to) => say(format_args!("{} went from version {from} to {to}", store.place())),
            }
            store.close().await;
            Ok(())
        }
        Action::Backup { file } => backup(&context, &config, &file).await,
        Action::Restore { file } => restore(&context, &config, &file).await,
        Action::Check { output } => {
            let store = Store::connect(&config.database, ConnectOptions::read_only()).await?;
            let report = store.check().await?;
            let behind = if report.version == KNOWN_VERSION { unfolded(&store).await? } else { 0 };
            let faults = if report.version == KNOWN_VERSION {
                let busy = spinner("reading the log");
                let faults = store.verify().await;
                busy.finish_and_clear();
                faults?
            } else {
                Vec::new()
            };
            match output.format {
                Format::Json => print_json(&json(&report, behind, &faults))?,
                Format::Table => print(&table(&report, behind, &faults))?,
            }
            if faults.is_empty() { Ok(()) } else { Err(Failure::said()) }
        }
    }
}

/// Into a file beside the one that is asked for, which is there only once it is whole.
async fn backup(context: &Context, config: &Config, file: &Path) -> Outcome {
    if file.exists() {
        let message = format!("{} is there already; name a new file, so that no backup is lost", file.display());
        return Err(Failure::new(message));
    }
    let from = Store::connect(&config.database, ConnectOptions::read_only()).await?;
    from.check_version().await?;
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = PathBuf::from(unfinished);
    let _ = std::fs::remove_file(&unfinished);
    let to = Store::open(&url_of(&unfinished), ConnectOptions::default(), context.now()).await?;
    let copied = copy(&from, &to).await;
    to.close().await;
    let whole = copied.and_then(|count| {
        std::fs::rename(&unfinished, file)?;
        Ok(count)
    });
    if whole.is_err() {
        let _ = std::fs::remove_file(&unfinished);
    }
    let records = humane::some(whole?, "record", "records");
    say(format_args!("{records} of {} written to {}", from.place(), file.display()));
    Ok(())
}

async fn restore(context: &Context, config: &Config, file: &Path) -> Outcome {
    let from = Store::connect(&url_of(file), ConnectOptions::read_only()).await?;
    from.check_version().await?;
    let to = Store::open(&config.database, ConnectOptions::default(), context.now()).await?;
    let records = humane::some(copy(&from, &to).await?, "record", "records");
    say(format_args!(
        "{records} of {} are in {}; the facts are folded with the next command",
        file.display(),
        to.place()
    ));
    to.close().await;
    Ok(())
}

/// In a URL some signs of a file's name would mean something else.
fn url_of(file: &Path) -> String {
    let name = file.display().to_string();
    format!("sqlite://{}", name.replace('%', "%25").replace('?', "%3F").replace('#', "%23"))
}

async fn copy(from: &Store, to: &Store) -> Result<u64, Failure> {
    let busy = spinner("copying the log");
    let copied =
        from.copy_into(to, |count| busy.set_message(format!("copying the log: {}", humane::count(count)))).await;
    busy.finish_and_clear();
    Ok(copied?)
}

/// How many records of the log are not in the facts yet.
pub async fn unfolded(store: &Store) -> Result<i64, Failure> {
    let reader = store.read_facts().await?;
    let folded = reader.folded_seq();
    reader.finish().await?;
    Ok((store.last_seq().await? - folded).max(0))
}

fn json(report: &Report, behind: i64, faults: &[String]) -> serde_json::Value {
    let counts = |pairs: Vec<(String, i64)>| -> serde_json::Map<String, serde_json::Value> {
        pairs.into_iter().map(|(name, count)| (name, count.into())).collect()
    };
    json!({
        "database": report.place,
        "engine": report.engine,
        "version": report.version,
        "knownVersion": report.known,
        "bytes": report.bytes,
        "events": counts(report.events.clone()),
        "facts": counts(report.facts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()),
        "recordedFrom": report.recorded.map(|(first, _)| format_time(first)),
        "recordedTo": report.recorded.map(|(_, last)| format_time(last)),
        "unfolded": behind,
        "faults": faults,
    })
}

fn table(report: &Report, behind: i64, faults: &[String]) -> String {
    let mut out =
        format!("{}\n{}, {}, version {}", report.place, report.engine, humane::bytes(report.bytes), report.version);
    if report.version != report.known {
        out.push_str(&format!(" of {}: run vigie database migrate", report.known));
    }
    out.push_str("\n\n");
    let mut grid = Grid::new(&["Holds", ">Rows"]);
    let unsigned = |count: i64| humane::count(u64::try_from(count).unwrap_or(0));
    for (kind, count) in &report.events {
        grid.row([plain(format!("{kind} events")), plain(unsigned(*count))]);
    }
    for (name, count) in &report.facts {
        grid.row([plain(name.replace('_', " ")), plain(unsigned(*count))]);
    }
    out.push_str(&grid.render(Paint::for_stdout()));
    if let Some((first, last)) = report.recorded {
        out.push_str(&format!("\nRecorded from {} to {}.\n", format_time(first), format_time(last)));
    }
    if behind > 0 {
        out.push_str(&format!(
            "{} not folded yet.\n",
            humane::some(u64::try_from(behind).unwrap_or(0), "record is", "records are")
        ));
    }
    match faults {
        [] if report.version == report.known => out.push_str("Nothing is wrong with the log.\n"),
        [] => {}
        faults => {
            out.push_str("\nDamaged; restore a backup:\n");
            for fault in faults {
                out.push_str(&format!("  {fault}\n"));
            }
        }
    }
    out
}
