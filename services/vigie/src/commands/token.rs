//! `vigie token`: who may send and ask.

use serde_json::json;
use vigie_api::auth::{Right, Rights, Token};
use vigie_model::{Time, duration, format_time};
use vigie_store::{Store, Token as StoredToken};

use crate::context::{Context, Use};
use crate::failure::{Failure, Outcome};
use crate::terminal::{Format, Grid, Output, Paint, Tone, plain, print, print_json, say};

/// Create, list and revoke access tokens
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Create a token and show it, this one time
    ///
    /// A name that was revoked or has expired gets a new secret: the events that it sends keep their source.
    Create {
        /// What it is called, and the source of the events that it sends
        name: String,
        /// What its bearer may do: ingest, read, admin, separated by commas
        #[arg(long, value_name = "RIGHTS", value_delimiter = ',', required = true, value_parser = ["ingest", "read", "admin"])]
        may: Vec<String>,
        /// Only this team and those below it
        #[arg(long, value_name = "SLUG")]
        team: Option<String>,
        /// Void after so long, like P90D
        #[arg(long, value_name = "DURATION")]
        expires: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// List the tokens; their secrets are kept nowhere
    List {
        #[command(flatten)]
        output: Output,
    },
    /// Take a token back
    Revoke {
        /// The token's name
        name: String,
    },
}

pub async fn run(context: Context, args: Args) -> Outcome {
    let config = context.load(&[])?;
    match args.action {
        Action::Create { name, may, team, expires, output } => {
            let now = context.now();
            let expires_at = expires.as_deref().map(|text| end(text, now)).transpose()?;
            let name = checked_name(&name)?;
            let store = context.store(&config, Use::Write).await?.store;
            let rights = in_order(&may);
            let secret = Token::generate().map_err(|error| Failure::new(format_args!("no randomness: {error}")))?;
            let hash = secret.digest().0.to_vec();
            let token = StoredToken { name, hash, rights, team, created_at: now, expires_at, revoked_at: None };
            add(&store, &token, now).await?;
            store.close().await;
            show(&token, secret.reveal(), &config.listen, output.format)
        }
        Action::List { output } => {
            let tokens = context.store(&config, Use::Ask).await?.store.tokens().await?;
            list(&tokens, context.now(), output.format)
        }
        Action::Revoke { name } => {
            let store = context.store(&config, Use::Ask).await?.store;
            if store.revoke_token(&name, context.now()).await? {
                say(format_args!("{name} is revoked; servers refuse it within seconds"));
                return Ok(());
            }
            let is_known = store.tokens().await?.iter().any(|token| token.name == name);
            let why = if is_known { "was revoked before" } else { "is no token; see vigie token list" };
            Err(Failure::new(format_args!("{name} {why}")))
        }
    }
}

fn end(text: &str, now: Time) -> Result<Time, Failure> {
    match duration::parse_every(text) {
        Ok(length) if length > 0 => Ok(now.saturating_add(length)),
        Ok(_) => Err(Failure::usage(format_args!(
            "--expires {text}: it would be void at once; write a longer time, like P90D"
        ))),
        Err(error) => Err(Failure::usage(format_args!("--expires {text}: {error}"))),
    }
}

/// The name becomes the source of events, so it has to be able to be one.
fn checked_name(name: &str) -> Result<String, Failure> {
    let trimmed = name.trim();
    if trimmed.is_empty() || trimmed.len() > 100 || trimmed.chars().any(char::is_control) {
        return Err(Failure::usage("the name of a token has 1 to 100 printable characters"));
    }
    Ok(trimmed.to_owned())
}

fn in_order(may: &[String]) -> String {
    let rights = Rights::parse(&may.join(","));
    let all = [Right::Ingest, Right::Read, Right::Admin];
    all.iter().filter(|right| rights.has(**right)).map(|right| right.as_str()).collect::<Vec<_>>().join(",")
}

async fn add(store: &Store, token: &StoredToken, now: Time) -> Outcome {
    if store.add_token(token).await? {
        return Ok(());
    }
    let known = store.tokens().await?.into_iter().find(|known| known.name == token.name);
    let Some(known) = known else { return Err(Failure::new("the token could not be written; try again")) };
    let name = &token.name;
    if state(&known, now) == "valid" {
        return Err(Failure::new(format_args!(
            "there is a token {name} already; revoke it first (vigie token revoke {name}), or choose another name"
        )));
    }
    if known.rights != token.rights || known.team != token.team {
        let team = known.team.as_ref().map(|team| format!(" --team {team}")).unwrap_or_default();
        return Err(Failure::new(format_args!(
            "{name} had other rights; renew it with --may {}{team}, or choose another name",
            known.rights
        )));
    }
    store.rotate_token(name, &token.hash, token.expires_at).await?;
    Ok(())
}

fn show(token: &StoredToken, secret: &str, listen: &str, format: Format) -> Outcome {
    if format == Format::Json {
        let mut out = described(token, token.created_at);
        out["token"] = json!(secret);
        return Ok(print_json(&out)?);
    }
    print(&format!("{secret}\n"))?;
    say("It is shown only now. Send it as a header:");
    let rights = Rights::parse(&token.rights);
    if rights.ingest {
        say(format_args!("  curl -H 'Authorization: Bearer {secret}' --json @event.json http://{listen}/v1/events"));
    }
    if rights.read {
        let question = r#"{"query": "{ scorecard(window: {last: \"P30D\"}) { metrics { name value status } } }"}"#;
        say(format_args!("  curl -H 'Authorization: Bearer {secret}' --json '{question}' http://{listen}/graphql"));
    }
    Ok(())
}

fn state(token: &StoredToken, now: Time) -> &'static str {
    match (token.revoked_at, token.expires_at) {
        (Some(_), _) => "revoked",
        (None, Some(end)) if end <= now => "expired",
        _ => "valid",
    }
}

fn described(token: &StoredToken, now: Time) -> serde_json::Value {
    json!({
        "name": token.name,
        "may": token.rights.split(',').collect::<Vec<_>>(),
        "team": token.team,
        "state": state(token, now),
        "createdAt": format_time(token.created_at),
        "expiresAt": token.expires_at.map(format_time),
        "revokedAt": token.revoked_at.map(format_time),
    })
}

fn list(tokens: &[StoredToken], now: Time, format: Format) -> Outcome {
    if format == Format::Json {
        let all: Vec<_> = tokens.iter().map(|token| described(token, now)).collect();
        return Ok(print_json(&json!(all))?);
    }
    if tokens.is_empty() {
        say("there are no tokens; create one: vigie token create NAME --may ingest,read");
        return Ok(());
    }
    let mut grid = Grid::new(&["Name", "May", "Team", "State", "Created", "Expires"]);
    for token in tokens {
        let state = state(token, now);
        grid.row([
            plain(&token.name),
            plain(&token.rights),
            plain(token.team.clone().unwrap_or_else(|| "all".to_owned())),
            (state.to_owned(), Some(if state == "valid" { Tone::Good } else { Tone::Faint })),
            plain(format_time(token.created_at)),
            plain(token.expires_at.map_or_else(|| "never".to_owned(), format_time)),
        ]);
    }
    Ok(print(&grid.render(Paint::for_stdout()))?)
}
