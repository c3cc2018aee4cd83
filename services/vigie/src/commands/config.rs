//! `vigie config`: what is configured, and what is wrong with it.

use serde_json::json;

use crate::config;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::terminal::{Format, Output, print, print_json, say};

/// Check the configuration
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Say what is wrong, with line and column, or print the effective settings with secrets masked
    Check {
        #[command(flatten)]
        output: Output,
    },
}

pub async fn run(context: Context, args: Args) -> Outcome {
    let Action::Check { output } = args.action;
    let flags: Vec<(&str, String)> = context.database().map(|url| ("database", url.to_owned())).into_iter().collect();
    let file = context.config_file();
    match (context.read(&flags), output.format) {
        (Ok(config), Format::Table) => {
            print(&config.effective())?;
            if file.exists() {
                say(format_args!("{} is good; these are the settings with their defaults", file.display()));
            } else {
                say(format_args!("there is no {}; these are the defaults", file.display()));
            }
            Ok(())
        }
        (Ok(config), Format::Json) => Ok(print_json(&json!({ "problems": [], "effective": config.effective() }))?),
        (Err(problems), Format::Table) => {
            print(&format!("{problems}\n"))?;
            Err(Failure::new(count(&problems)))
        }
        (Err(problems), Format::Json) => {
            let all: Vec<_> = problems
                .0
                .iter()
                .map(|problem| {
                    let place = problem.place.as_ref();
                    json!({
                        "file": place.map(|(file, ..)| file), "line": place.map(|(_, line, _)| line),
                        "column": place.map(|(.., column)| column),
                        "key": problem.key, "value": problem.value, "message": problem.message,
                    })
                })
                .collect();
            print_json(&json!({ "problems": all }))?;
            Err(Failure::said())
        }
    }
}

fn count(problems: &config::Problems) -> String {
    crate::humane::some(problems.0.len() as u64, "thing is wrong", "things are wrong")
}
