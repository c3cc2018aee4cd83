//! From the text of a `connector.toml`: serde takes it apart, and what it cannot know is checked here.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use vigie_model::duration::parse_every;
use vigie_model::json::shorten;

use super::super::settings::{Settings, json};
use super::{Algorithm, Encoding, Fault, Hmac, Manifest, Part, Path, Scheme, Stamp, nearest};

/// A file and how messages call it.
pub(super) struct Source<'t> {
    pub place: &'t str,
    pub text: &'t str,
}

impl Source<'_> {
    /// `connector.toml:3:10: header = "X-Y": message`.
    fn fault(&self, span: &Range<usize>, message: impl std::fmt::Display) -> Fault {
        let before = self.text.get(..span.start).unwrap_or_default();
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let written = shorten(self.text.lines().nth(line).unwrap_or_default().trim());
        Fault(format!("{}:{}:{column}: {written}: {message}", self.place, line + 1))
    }

    /// What serde found, in our words where it has the words of Rust.
    fn refused(&self, error: &toml::de::Error) -> Fault {
        let span = error.span().unwrap_or(0..0);
        let message = error.message();
        let quoted = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        match quoted(message).as_slice() {
            [name, ..] if message.starts_with("missing field") => {
                Fault(format!("{}: {name} is missing; see the table of keys in the connectors' README", self.place))
            }
            [name, known @ ..] if message.starts_with("unknown field") => {
                let known = known.iter().map(String::as_str);
                let remedy = match nearest(name, known.clone()) {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("known here are {}", known.collect::<Vec<_>>().join(", ")),
                };
                self.fault(&span, format_args!("there is no key {name} here; {remedy}"))
            }
            [name, known @ ..] if message.starts_with("unknown variant") => {
                self.fault(&span, format_args!("there is no {name:?} here; write one of {}", known.join(", ")))
            }
            _ => self.fault(&span, message),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    title: Spanned<String>,
    about: Spanned<String>,
    #[serde(default)]
    proven: bool,
    page: Option<String>,
    #[serde(default)]
    signature: Vec<Spanned<RawSignature>>,
    #[serde(default)]
    delivery: RawDelivery,
    #[serde(default)]
    settings: toml::Table,
    #[serde(default)]
    choices: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawDelivery {
    id: Option<Spanned<String>>,
    time: Option<Spanned<String>>,
    #[serde(rename = "type")]
    kind: Option<Spanned<String>>,
    form: Option<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum RawScheme {
    Hmac,
    Token,
    Basic,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSignature {
    scheme: RawScheme,
    header: Option<Spanned<String>>,
    prefix: Option<Spanned<String>>,
    algorithm: Option<Spanned<Algorithm>>,
    encoding: Option<Spanned<Encoding>>,
    signed: Option<Spanned<String>>,
    timestamp: Option<Spanned<String>>,
    tolerance: Option<Spanned<String>>,
    split: Option<Spanned<String>>,
    element: Option<Spanned<String>>,
    timestamp_element: Option<Spanned<String>>,
    secret: Option<Spanned<String>>,
}

pub(super) fn manifest(source: &Source<'_>) -> Result<Manifest, Fault> {
    let raw: RawManifest = toml::from_str(source.text).map_err(|error| source.refused(&error))?;
    for text in [&raw.title, &raw.about] {
        if text.get_ref().trim().is_empty() || text.get_ref().contains('\n') {
            return Err(source.fault(&text.span(), "write one line of text"));
        }
    }
    let id = raw.delivery.id.as_ref().map(|text| path(source, text)).transpose()?;
    let kind = raw.delivery.kind.as_ref().map(|text| path(source, text)).transpose()?;
    let time = raw.delivery.time.as_ref().map(|text| path(source, text)).transpose()?;
    let signatures = raw.signature.iter().map(|raw| scheme(source, raw, id.as_ref())).collect::<Result<_, _>>()?;
    Ok(Manifest {
        title: raw.title.into_inner(),
        about: raw.about.into_inner(),
        proven: raw.proven,
        page: raw.page,
        signatures,
        id,
        time,
        kind,
        form: raw.delivery.form,
        settings: settings(source, &raw.settings, raw.choices)?,
    })
}

fn path(source: &Source<'_>, text: &Spanned<String>) -> Result<Path, Fault> {
    let wrong = |message: &str| Err(source.fault(&text.span(), message));
    match text.get_ref().split_once('.') {
        Some(("headers", name)) if is_header(name) => Ok(Path::Header(name.to_owned())),
        Some(("headers", _)) => wrong("write the header's name in lower case, like headers.x-request-id"),
        Some(("body", keys)) if !keys.split('.').any(str::is_empty) => {
            Ok(Path::Body(keys.split('.').map(str::to_owned).collect()))
        }
        _ => wrong("write where it stands: headers.NAME or body.KEY.KEY"),
    }
}

/// As HTTP has them, in lower case.
fn is_header(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9') || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn header(source: &Source<'_>, text: &Spanned<String>) -> Result<String, Fault> {
    if is_header(text.get_ref()) {
        return Ok(text.get_ref().clone());
    }
    Err(source.fault(&text.span(), "write the header's name alone and in lower case, like x-signature"))
}

fn scheme(source: &Source<'_>, raw: &Spanned<RawSignature>, id: Option<&Path>) -> Result<Scheme, Fault> {
    let signature = raw.get_ref();
    let missing = |key: &str, remedy: &str| source.fault(&raw.span(), format_args!("{key} is missing; {remedy}"));
    let authorization = || "authorization".to_owned();
    let own_header = signature.header.as_ref().map(|text| header(source, text)).transpose()?;
    let prefix = signature.prefix.as_ref().map(|text| text.get_ref().clone()).unwrap_or_default();
    if signature.scheme != RawScheme::Hmac {
        only_hmac(source, signature)?;
    }
    match signature.scheme {
        RawScheme::Basic => match &signature.prefix {
            Some(prefix) => Err(source.fault(&prefix.span(), "HTTP basic has no prefix of its own; remove it")),
            None => Ok(Scheme::Basic { header: own_header.unwrap_or_else(authorization) }),
        },
        RawScheme::Token => {
            let header = own_header.ok_or_else(|| missing("header", "name the header that holds the token"))?;
            Ok(Scheme::Token { header, prefix })
        }
        RawScheme::Hmac => {
            let header = own_header.ok_or_else(|| missing("header", "name the header that holds the signature"))?;
            let algorithm =
                signature.algorithm.as_ref().ok_or_else(|| missing("algorithm", "write sha1, sha256 or sha512"))?;
            let encoding = signature.encoding.as_ref().ok_or_else(|| missing("encoding", "write hex or base64"))?;
            let (algorithm, encoding) = (*algorithm.get_ref(), *encoding.get_ref());
            hmac(source, signature, Hmac { prefix, ..bare(header, algorithm, encoding) }, id)
        }
    }
}

fn bare(header: String, algorithm: Algorithm, encoding: Encoding) -> Hmac {
    Hmac {
        header,
        algorithm,
        encoding,
        prefix: String::new(),
        signed: vec![Part::Body],
        timestamp: None,
        tolerance: None,
        split: None,
        element: None,
        base64_secret: None,
    }
}

/// The keys that only a signature over the delivery has.
fn only_hmac(source: &Source<'_>, signature: &RawSignature) -> Result<(), Fault> {
    let texts = [
        &signature.signed,
        &signature.timestamp,
        &signature.tolerance,
        &signature.split,
        &signature.element,
        &signature.timestamp_element,
        &signature.secret,
    ];
    let spans = texts.into_iter().flatten().map(Spanned::span);
    let others = signature.algorithm.as_ref().map(Spanned::span);
    match spans.chain(others).chain(signature.encoding.as_ref().map(Spanned::span)).next() {
        Some(span) => Err(source.fault(&span, "only an hmac signature has this; remove it")),
        None => Ok(()),
    }
}

fn hmac(source: &Source<'_>, raw: &RawSignature, mut hmac: Hmac, id: Option<&Path>) -> Result<Scheme, Fault> {
    let text = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.get_ref().clone());
    hmac.element = text(&raw.element);
    // A header of `key=value`s that says nothing else is a list parted by commas.
    hmac.split = text(&raw.split).or_else(|| hmac.element.as_ref().map(|_| ",".to_owned()));
    if let Some(split) = raw.split.as_ref().filter(|split| split.get_ref().is_empty()) {
        return Err(source.fault(&split.span(), "write what parts the header, like \",\", or leave it out"));
    }
    hmac.timestamp = match (&raw.timestamp, &raw.timestamp_element) {
        (Some(_), Some(element)) => {
            return Err(source.fault(&element.span(), "the timestamp stands in one place; remove this or timestamp"));
        }
        (Some(name), None) => Some(Stamp::Header(header(source, name)?)),
        (None, Some(element)) if hmac.element.is_none() => {
            return Err(
                source.fault(&element.span(), "this needs element, the key of the signature in the same header")
            );
        }
        (None, element) => text(element).map(Stamp::Element),
    };
    if let Some(tolerance) = &raw.tolerance {
        if hmac.timestamp.is_none() {
            return Err(source.fault(&tolerance.span(), "this needs timestamp or timestamp_element"));
        }
        let length = parse_every(tolerance.get_ref()).map_err(|error| source.fault(&tolerance.span(), error))?;
        hmac.tolerance = Some(length);
    }
    if let Some(signed) = &raw.signed {
        hmac.signed = template(signed.get_ref()).map_err(|message| source.fault(&signed.span(), message))?;
        let has = |part: &Part| hmac.signed.contains(part);
        let wrong = |message: &str| Err(source.fault(&signed.span(), message));
        if !has(&Part::Body) {
            return wrong("what is signed has to hold the {body}, or the signature says nothing of it");
        }
        if has(&Part::Timestamp) && hmac.timestamp.is_none() {
            return wrong("{timestamp} needs timestamp or timestamp_element, which say where it stands");
        }
        // The body is not looked into before the signature is known to be right.
        if has(&Part::Id) && !matches!(id, Some(Path::Header(_))) {
            return wrong("{id} needs an id in [delivery] that is a header's, like \"headers.webhook-id\"");
        }
    }
    if let Some(secret) = &raw.secret {
        let Some(prefix) = secret.get_ref().strip_prefix("base64:") else {
            return Err(
                source.fault(&secret.span(), "write \"base64:\", and what stands before the base64, if anything")
            );
        };
        hmac.base64_secret = Some(prefix.to_owned());
    }
    Ok(Scheme::Hmac(Box::new(hmac)))
}

/// `v0:{timestamp}:{body}`
fn template(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('{') {
        if !before.is_empty() {
            parts.push(Part::Text(before.to_owned()));
        }
        let (name, after) = behind.split_once('}').unwrap_or((behind, ""));
        parts.push(match name {
            "timestamp" => Part::Timestamp,
            "id" => Part::Id,
            "body" => Part::Body,
            "url" => Part::Url,
            _ => return Err(format!("there is no {{{name}}}; write of {{body}}, {{timestamp}}, {{id}} and {{url}}")),
        });
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Ok(parts)
}

fn settings(
    source: &Source<'_>,
    table: &toml::Table,
    choices: BTreeMap<String, Vec<String>>,
) -> Result<Settings, Fault> {
    if let Some(name) = choices.keys().find(|name| !table.contains_key(*name)) {
        return Err(Fault(format!("{}: choices.{name}: there is no such setting", source.place)));
    }
    let mut all = serde_json::Map::new();
    for (name, value) in table {
        let wrong = |message: &str| {
            let line = source.text.lines().position(|line| {
                line.trim_start().strip_prefix(name.as_str()).is_some_and(|rest| rest.trim_start().starts_with('='))
            });
            let place = line.map(|line| format!(":{}", line + 1)).unwrap_or_default();
            Fault(format!("{}{place}: settings.{name} = {}: {message}", source.place, shorten(&value.to_string())))
        };
        let value =
            json(value).ok_or_else(|| wrong("a setting is a text, a number, true, false or a list of those"))?;
        all.insert(name.clone(), value);
    }
    let settings = Settings::new(all, choices);
    // The defaults are held to what a site is held to.
    settings.with(settings.defaults()).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(|fault| format!("settings.{fault}")).collect();
        Fault(format!("{}: {}", source.place, faults.join("; ")))
    })?;
    Ok(settings)
}
