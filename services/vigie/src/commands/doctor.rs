//! `vigie doctor`: what is set up, what is reachable, what data is missing and how to get it. It changes nothing.

use serde_json::json;

use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::humane;
use crate::terminal::{Format, Output, Paint, Tone, print, print_json};

mod data;
mod hooks;
mod pulls;
mod setup;

/// Say what is set up, what is reachable, what data is missing and how to get it
#[derive(Debug, clap::Args)]
#[command(after_help = "Changes nothing. Ends with status 1 where something is broken; missing data alone is not.")]
pub struct Args {
    #[command(flatten)]
    output: Output,
}

/// How serious a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grade {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// Broken.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug)]
pub(crate) struct Finding {
    area: &'static str,
    grade: Grade,
    text: String,
    /// What to do; empty where nothing is to be done.
    remedy: String,
}

impl Finding {
    pub(crate) fn good(area: &'static str, text: impl Into<String>) -> Self {
        Self { area, grade: Grade::Good, text: text.into(), remedy: String::new() }
    }

    pub(crate) fn note(area: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { area, grade: Grade::Note, text: text.into(), remedy: remedy.into() }
    }

    pub(crate) fn problem(area: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { area, grade: Grade::Problem, text: text.into(), remedy: remedy.into() }
    }
}

pub async fn run(context: Context, args: Args) -> Outcome {
    let findings = look(&context).await;
    let problems = findings.iter().filter(|finding| finding.grade == Grade::Problem).count();
    match args.output.format {
        Format::Json => print_json(&json(&findings))?,
        Format::Table => print(&table(&findings, Paint::for_stdout()))?,
    }
    match problems {
        0 => Ok(()),
        many => Err(Failure::new(humane::some(many as u64, "problem", "problems"))),
    }
}

async fn look(context: &Context) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(config) = setup::configuration(context, &mut findings) else { return findings };
    let store = setup::database(context, &config, &mut findings).await;
    pulls::look(&config, store.as_ref(), context.now(), &mut findings).await;
    setup::server(&config, store.as_ref(), context.now(), &mut findings).await;
    hooks::look(&config, store.as_ref(), &mut findings).await;
    if let Some(store) = store {
        data::look(context, store, &mut findings).await;
    }
    findings
}

fn json(findings: &[Finding]) -> serde_json::Value {
    let grade = |grade| match grade {
        Grade::Good => "good",
        Grade::Note => "note",
        Grade::Problem => "problem",
    };
    findings
        .iter()
        .map(|finding| {
            json!({
                "area": finding.area, "grade": grade(finding.grade), "text": finding.text,
                "remedy": (!finding.remedy.is_empty()).then_some(&finding.remedy),
            })
        })
        .collect()
}

fn table(findings: &[Finding], paint: Paint) -> String {
    let mut out = String::new();
    let mut area = "";
    for finding in findings {
        if finding.area != area {
            area = finding.area;
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&paint.tone(Tone::Strong, area));
            out.push('\n');
        }
        let mark = match finding.grade {
            Grade::Good => paint.tone(Tone::Good, "ok  "),
            Grade::Note => paint.tone(Tone::Warning, "note"),
            Grade::Problem => paint.tone(Tone::Bad, "bad "),
        };
        out.push_str(&format!("  {mark}  {}\n", finding.text));
        if !finding.remedy.is_empty() {
            out.push_str(&format!("        {}\n", paint.tone(Tone::Faint, &finding.remedy)));
        }
    }
    out
}
