//! A map, compiled and run: one input object → a stream of outputs.
//!
//! `lib.jq` comes before every map as a prelude of its own, so that places in messages are the map's. There is no
//! clock, no environment, no input but the one and no module: names that would lead out are not defined.
//! Nothing here limits time, depth or memory: jq has no way to. [`super::Pool`] runs maps where that can be done.

use std::fmt::{self, Write as _};

use jaq_core::load::parse::Def;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, RunPtr, Vars, data::JustLut, native};
use jaq_json::{Val, read};
use vigie_model::json::shorten;

mod locate;
#[cfg(test)]
mod tests;

/// What every map may use.
const PRELUDE: &str = include_str!("../../connectors/lib.jq");

/// Native functions that are not there, because what a delivery becomes depends on the delivery alone.
const DENIED: [&str; 13] = [
    "debug_empty",
    "env",
    "get_search_list",
    "halt",
    "input",
    "input_filename",
    "input_line_number",
    "inputs",
    "localtime",
    "now",
    "repl",
    "stderr_empty",
    "strflocaltime",
];
/// Definitions of the standard library that are made of them.
const DENIED_DEFINITIONS: [&str; 5] = ["debug", "halt", "halt_error", "stderr", "input_line_number"];

/// Definitions of the prelude that are plain jq for everybody and native here, because they are where the time goes.
const NATIVE: [&str; 1] = ["record"];

type Kind = JustLut<Val>;

/// A compiled map.
pub struct Program {
    place: String,
    map: Box<str>,
    filter: jaq_core::Filter<Kind>,
}

/// How much a map may put out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputLimits {
    /// Bytes of JSON.
    pub bytes: usize,
    /// Values.
    pub events: usize,
}

/// Why a map gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// It failed, or said so itself; with the file, and the line where there is one.
    #[error("{0}")]
    Failed(String),
    /// It put out more bytes.
    #[error("the output has too many bytes")]
    TooManyBytes,
    /// It put out more values.
    #[error("the output has too many events")]
    TooManyEvents,
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Program {
    /// Compiles a map; `place` is how messages call its file.
    ///
    /// # Errors
    /// `PLACE:LINE:COLUMN: what is wrong`.
    pub fn compile(place: &str, map: &str) -> Result<Self, MapError> {
        let arena = Arena::default();
        let source = Source { place, map };
        let modules = Loader::new(definitions()?)
            .load(&arena, File { code: map, path: () })
            .map_err(|errors| source.load_error(&errors))?;
        load::import(&modules, |_| Err("a map has no modules".to_owned()))
            .map_err(|errors| source.load_error(&errors))?;
        let filter = Compiler::default().with_funs(functions()).compile(modules).map_err(|errors| {
            let first = errors.first().and_then(|(_, errors)| errors.first());
            first.map_or_else(
                || source.failed(None, "it does not compile"),
                |(found, undefined)| source.failed(Some(found), &undefined_text(found, undefined)),
            )
        })?;
        Ok(Self { place: place.to_owned(), map: map.into(), filter })
    }

    /// Runs the map on an input, as JSON: what it puts out, one JSON value a line.
    ///
    /// # Errors
    /// The input is no JSON, the map fails, or it puts out more than the limits.
    pub fn run(&self, input: &[u8], limits: OutputLimits) -> Result<Vec<u8>, MapError> {
        let failed = |text: &dyn fmt::Display| MapError::Failed(format!("{}: {text}", self.place));
        let value = read::parse_single(input).map_err(|error| failed(&error))?;
        let context = Ctx::<Kind>::new(&self.filter.lut, Vars::new([]));
        let mut out = Vec::new();
        let mut events = 0_usize;
        for value in self.filter.id.run((context, value)) {
            let value = match value {
                Ok(value) => value,
                Err(stop) => {
                    return Err(match stop.get_err() {
                        Ok(error) => {
                            let text = error_text(error);
                            match locate::locate(&self.map, input, &text) {
                                Some(located) => MapError::Failed(format!("{}:{located}", self.place)),
                                None => failed(&text),
                            }
                        }
                        Err(_) => failed(&"it broke off"),
                    });
                }
            };
            events += 1;
            if events > limits.events {
                return Err(MapError::TooManyEvents);
            }
            let mut line = Line { out: &mut out, most: limits.bytes };
            if write!(line, "{value}").and_then(|()| line.write_char('\n')).is_err() {
                return Err(MapError::TooManyBytes);
            }
        }
        Ok(out)
    }
}

/// What every map may use: of jq's own what leads nowhere, and the prelude.
fn definitions() -> Result<Vec<Def<&'static str>>, MapError> {
    let prelude = load::parse(PRELUDE, |parser| parser.defs());
    let prelude = prelude.ok_or_else(|| MapError::Failed("lib.jq: it is no jq".to_owned()))?;
    let standard = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let standard = standard.filter(|definition| !DENIED_DEFINITIONS.contains(&definition.name));
    Ok(standard.chain(prelude.into_iter().filter(|definition| !NATIVE.contains(&definition.name))).collect())
}

/// Likewise what is not written in jq.
fn functions() -> impl Iterator<Item = native::Fun<Kind>> {
    let functions = jaq_core::funs::<Kind>().chain(jaq_std::funs()).chain(jaq_json::funs());
    functions.filter(|(name, ..)| !DENIED.contains(name)).chain(native_functions())
}

fn native_functions() -> impl Iterator<Item = native::Fun<Kind>> {
    let record: native::Filter<RunPtr<Kind>> = ("record", native::v(2), |mut call| {
        let values = call.0.pop_var();
        let names = call.0.pop_var();
        native::bome(record(&names, &values))
    });
    std::iter::once(native::run::<Kind>(record))
}

/// As its definition in `lib.jq`.
fn record(names: &Val, values: &Val) -> Result<Val, jaq_json::Error> {
    let (Val::Arr(names), Val::Arr(values)) = (names, values) else {
        return Err(jaq_json::Error::str("record takes a list of names and a list of values"));
    };
    let pairs = names.iter().zip(values.iter()).filter(|(_, value)| !matches!(value, Val::Null));
    Ok(Val::obj(pairs.map(|(name, value)| (name.clone(), value.clone())).collect()))
}

/// Text up to so many bytes in all.
struct Line<'o> {
    out: &'o mut Vec<u8>,
    most: usize,
}

impl fmt::Write for Line<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.out.len() + text.len() > self.most {
            return Err(fmt::Error);
        }
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// What the map said with `error("…")`, or what jq says; a value in it may be the whole delivery, so it is shortened.
fn error_text(error: jaq_json::Error) -> String {
    let mut text = Middle::default();
    match error.into_val() {
        Val::TStr(said) => {
            let _ = text.write_str(&String::from_utf8_lossy(&said));
        }
        other => {
            let _ = write!(text, "{other}");
        }
    }
    text.finish()
}

/// The beginning and the end of a text.
#[derive(Default)]
struct Middle {
    text: String,
}

const HEAD: usize = 200;
const TAIL: usize = 100;

impl fmt::Write for Middle {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text.push_str(text);
        Ok(())
    }
}

impl Middle {
    fn finish(self) -> String {
        let clean = |c: char| if c.is_control() { ' ' } else { c };
        let length = self.text.chars().count();
        if length <= HEAD + TAIL {
            return self.text.chars().map(clean).collect();
        }
        let head: String = self.text.chars().take(HEAD).map(clean).collect();
        let tail: String = self.text.chars().skip(length - TAIL).map(clean).collect();
        format!("{head}…{tail}")
    }
}

/// A map's text, to say where something is.
struct Source<'t> {
    place: &'t str,
    map: &'t str,
}

impl Source<'_> {
    fn load_error(&self, errors: &load::Errors<&str, ()>) -> MapError {
        use load::Error;
        let (found, message) = match errors.first().map(|(_, error)| error) {
            Some(Error::Io(all)) => match all.first() {
                Some((path, error)) => (Some(*path), error.clone()),
                None => (None, "it cannot be read".to_owned()),
            },
            Some(Error::Lex(all)) => match all.first() {
                Some((expected, found)) => (Some(*found), expected_text(expected.as_str(), found)),
                None => (None, "it cannot be read".to_owned()),
            },
            Some(Error::Parse(all)) => match all.first() {
                Some((expected, found)) => (Some(*found), expected_text(expected.as_str(), found)),
                None => (None, "it cannot be read".to_owned()),
            },
            None => (None, "it cannot be read".to_owned()),
        };
        self.failed(found, &message)
    }

    fn failed(&self, found: Option<&str>, message: &str) -> MapError {
        let place = self.place;
        let at = found.and_then(|found| {
            // `found` is a part of the map's text; of one that is not, nothing can be said.
            let start = (found.as_ptr() as usize).checked_sub(self.map.as_ptr() as usize)?;
            self.map.get(..start)
        });
        MapError::Failed(match at {
            Some(before) => {
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
                format!("{place}:{line}:{column}: {message}")
            }
            None => format!("{place}: {message}"),
        })
    }
}

fn expected_text(expected: &str, found: &str) -> String {
    let near: String = found.lines().next().unwrap_or_default().chars().take(30).collect();
    match near.trim() {
        "" => format!("expected {expected}, found the end"),
        near => format!("expected {expected}, found {}", shorten(near)),
    }
}

fn undefined_text(found: &str, undefined: &jaq_core::compile::Undefined) -> String {
    use jaq_core::compile::Undefined;
    match undefined {
        Undefined::Filter(_) if DENIED.contains(&found) || DENIED_DEFINITIONS.contains(&found) => {
            format!("there is no {found} here: what a delivery becomes depends on the delivery alone")
        }
        Undefined::Filter(0) => format!("there is no function {found}"),
        Undefined::Filter(arguments) => format!("there is no function {found} with {arguments} arguments"),
        other => format!("there is no {} {found}", other.as_str()),
    }
}
