//! `vigie export`: the event log, or the facts, as files that other programs read.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use futures::TryStreamExt;
use vigie_engine::Folding;
use vigie_store::RawEvent;

use crate::context::{Context, Use};
use crate::failure::{Failure, Outcome};
use crate::humane;
use crate::terminal::{bar, say};

mod facts;

/// Write the event log or the facts into a folder
#[derive(Debug, clap::Args)]
#[command(after_help = "\
ndjson writes events.ndjson, which vigie import reads back: the same facts, and nothing counted twice.
parquet and csv write one file for each table of facts; their instants are UTC. Where a service declares regions,
each row stands under its region and under production, which holds them all: choose one environment.")]
pub struct Args {
    /// What to write: the log (ndjson), or the facts (parquet, csv)
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Format,
    /// The folder; made where it is not there, its files of the same names replaced
    dir: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Ndjson,
    Parquet,
    Csv,
}

pub async fn run(context: Context, args: Args) -> Outcome {
    let config = context.load(&[])?;
    std::fs::create_dir_all(&args.dir)
        .map_err(|error| Failure::new(format_args!("the folder {} cannot be made: {error}", args.dir.display())))?;
    if args.format == Format::Ndjson {
        let store = context.store(&config, Use::Ask).await?.store;
        return events(&store, &args.dir).await;
    }
    let engine = context.engine(&config, Use::Ask, Folding::OnDemand).await?;
    let snapshot = engine.snapshot();
    let is_csv = args.format == Format::Csv;
    let work = tokio::task::spawn_blocking(move || facts::write(&snapshot, &args.dir, is_csv));
    for (file, rows) in work.await.map_err(Failure::new)?? {
        say(format_args!("{}: {}", file.display(), humane::some(rows, "row", "rows")));
    }
    Ok(())
}

async fn events(store: &vigie_store::Store, dir: &Path) -> Outcome {
    let path = dir.join("events.ndjson");
    let mut file = Replacing::new(&path)?;
    let up_to = store.last_seq().await?;
    let bar = bar(u64::try_from(up_to).unwrap_or(0), "exporting");
    let mut count = 0;
    let mut pages = std::pin::pin!(store.stream(up_to));
    while let Some(page) = pages.try_next().await? {
        for raw in &page {
            write_event(&mut file.writer, raw).map_err(|error| cannot_write(&path, &error))?;
        }
        count += page.len() as u64;
        bar.set_position(page.last().and_then(|last| u64::try_from(last.seq).ok()).unwrap_or(0));
    }
    bar.finish_and_clear();
    file.done()?;
    say(format_args!("{}: {}", path.display(), humane::some(count, "event", "events")));
    Ok(())
}

/// The event as it is recorded. One without any time of its own is given that of its recording: read back in, it
/// would else count as newer than all that followed it.
fn write_event(out: &mut impl Write, raw: &RawEvent) -> std::io::Result<()> {
    let body = &*raw.body;
    let after_source = after_source(body);
    if body[after_source..].starts_with(",\"at\":") {
        writeln!(out, "{body}")
    } else {
        let at = vigie_model::format_time(raw.at);
        writeln!(out, "{},\"at\":\"{at}\"{}", &body[..after_source], &body[after_source..])
    }
}

/// Where the member `source`, which comes second in every normalised event, ends.
fn after_source(body: &str) -> usize {
    const SOURCE: &str = "\"source\":\"";
    let Some(start) = body.find(SOURCE).map(|at| at + SOURCE.len()) else { return body.len() };
    let mut is_escaped = false;
    for (at, byte) in body.bytes().enumerate().skip(start) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    body.len()
}

fn cannot_write(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(format_args!("{} cannot be written: {error}", path.display()))
}

/// A file that appears under its name when it is complete, and not at all when it is not.
struct Replacing {
    writer: BufWriter<File>,
    partial: PathBuf,
    path: PathBuf,
}

impl Replacing {
    fn new(path: &Path) -> Result<Self, Failure> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file = File::create(&partial).map_err(|error| cannot_write(&partial, &error))?;
        Ok(Self { writer: BufWriter::with_capacity(1 << 20, file), partial, path: path.to_owned() })
    }

    fn done(mut self) -> Outcome {
        let complete = self.writer.flush().and_then(|()| self.writer.get_ref().sync_all());
        complete
            .and_then(|()| std::fs::rename(&self.partial, &self.path))
            .map_err(|error| cannot_write(&self.path, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(body: &str) -> String {
        let raw = RawEvent {
            seq: 1,
            recorded_at: 0,
            home: "c:team:a".into(),
            at: 1_000_000,
            digest: vigie_model::Digest::default(),
            body: body.into(),
        };
        let mut out = Vec::new();
        write_event(&mut out, &raw).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_event_without_a_time_gets_that_of_its_recording() {
        let odd = r#"{"kind":"team","source":"a\"\\","slug":"x","labels":{"at":"y"}}"#;
        let with = "{\"kind\":\"team\",\"source\":\"a\\\"\\\\\",\"at\":\"1970-01-01T00:00:01Z\",\"slug\":\"x\",\"labels\":{\"at\":\"y\"}}\n";
        assert_eq!(written(odd), with);
        assert_eq!(written(with.trim_end()), with);
    }
}
