//! `connector.toml`, parsed: what of it can be wrong was wrong here, and was said with its place.

use vigie_model::Time;

use super::settings::Settings;
use super::{Fault, nearest};

mod read;
#[cfg(test)]
mod tests;

/// What a connector says of itself and of its tool's deliveries.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The tool's name.
    pub title: String,
    /// What is taken from it, in a line.
    pub about: String,
    /// Real deliveries were mapped and looked at, not its documentation alone.
    pub proven: bool,
    /// The tool's own page on its webhooks.
    pub page: Option<String>,
    /// How a delivery may prove where it comes from; one of them suffices.
    pub signatures: Vec<Scheme>,
    /// Where the tool's own id of a delivery stands; none: it is known by its content.
    pub id: Option<Path>,
    /// Where the tool's own time of what happened stands: of deliveries without an id and without it, equal ones mean
    /// something each time.
    pub time: Option<Path>,
    /// Where the delivery's type stands.
    pub kind: Option<Path>,
    /// The field of a form that holds the JSON; empty: the form's fields themselves are the body.
    pub form: Option<String>,
    /// What a site may set, with defaults.
    pub settings: Settings,
}

/// Where something stands in a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Path {
    /// A header, by its lower-case name.
    Header(String),
    /// A value of the body, by the keys and list places that lead to it.
    Body(Vec<String>),
}

/// How a delivery proves where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// A signature over the delivery.
    Hmac(Box<Hmac>),
    /// A header holds the secret itself.
    Token {
        /// The header.
        header: String,
        /// What stands before the secret.
        prefix: String,
    },
    /// HTTP basic; the secret is `user:password`.
    Basic {
        /// The header.
        header: String,
    },
}

/// A keyed hash of the delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hmac {
    /// The header that holds it.
    pub header: String,
    /// The hash.
    pub algorithm: Algorithm,
    /// How its bytes are written.
    pub encoding: Encoding,
    /// What stands before it.
    pub prefix: String,
    /// What is hashed, one after the other.
    pub signed: Vec<Part>,
    /// Where the time of signing stands.
    pub timestamp: Option<Stamp>,
    /// How far that time may be from now, in microseconds.
    pub tolerance: Option<Time>,
    /// What parts the header, where it holds several things.
    pub split: Option<String>,
    /// The key of the signature, in a header of `key=value`s.
    pub element: Option<String>,
    /// The secret is base64, behind this prefix.
    pub base64_secret: Option<String>,
}

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// SHA-1, as old tools have it.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How bytes are written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Hexadecimal digits of either case.
    Hex,
    /// The usual base64, with or without padding.
    Base64,
}

/// A piece of what is hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// As it is.
    Text(String),
    /// The time of signing, as the delivery writes it.
    Timestamp,
    /// The delivery's id.
    Id,
    /// The raw bytes of the body.
    Body,
    /// The address that was called.
    Url,
}

/// Where the time of signing stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stamp {
    /// In a header of its own.
    Header(String),
    /// Behind this key of the signature's header.
    Element(String),
}

impl Manifest {
    /// Reads the text of a `connector.toml`; `place` is how messages call the file.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(place: &str, text: &str) -> Result<Self, Fault> {
        read::manifest(&read::Source { place, text })
    }

    /// Whether a header says something secret, so that it is neither stored nor shown to a map.
    #[must_use]
    pub fn is_secret_header(&self, name: &str) -> bool {
        let is_named = [&self.id, &self.kind].into_iter().flatten().any(|path| *path == Path::Header(name.to_owned()));
        // What proxies and tools add beside it, too: a key, a session, an address that holds a token.
        let telling =
            ["auth", "cookie", "token", "secret", "password", "api-key", "apikey", "access-key", "-uri", "-url"];
        (!is_named && telling.iter().any(|part| name.contains(part)))
            || self.signatures.iter().any(|scheme| match scheme {
                Scheme::Hmac(hmac) => hmac.header == name,
                Scheme::Token { header, .. } | Scheme::Basic { header } => header == name,
            })
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Header(name) => write!(f, "headers.{name}"),
            Self::Body(keys) => write!(f, "body.{}", keys.join(".")),
        }
    }
}
