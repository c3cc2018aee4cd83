//! Whether a delivery comes from where it says: yes or no, over the raw bytes, in constant time.
//!
//! There is no reason in the answer, because it would help only those who guess. A hook without a secret has nothing
//! to verify: whether it is admitted is the caller's affair.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac as KeyedHash, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;
use vigie_model::{SECOND, Time};

use super::manifest::{Algorithm, Encoding, Hmac, Manifest, Part, Path, Scheme, Stamp};

#[cfg(test)]
mod tests;

/// Tools differ in whether they pad.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a tool and a hook share. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// A secret; none where the text is empty, which everybody knows.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.into()))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A delivery as it came.
#[derive(Clone, Copy)]
pub struct Signed<'d> {
    /// Answers a header by its lower-case name.
    pub header: &'d dyn Fn(&str) -> Option<&'d str>,
    /// The body's raw bytes.
    pub body: &'d [u8],
    /// The address that was called, as the tool knows it.
    pub url: &'d str,
    /// When it came.
    pub now: Time,
}

/// Whether one of the connector's schemes proves the delivery with one of the secrets.
#[must_use]
pub fn verify(manifest: &Manifest, secrets: &[Secret], delivery: Signed<'_>) -> bool {
    let id = match &manifest.id {
        Some(Path::Header(name)) => (delivery.header)(name).unwrap_or_default(),
        _ => "",
    };
    let mut is_right = false;
    for scheme in &manifest.signatures {
        for secret in secrets {
            is_right |= match scheme {
                Scheme::Hmac(hmac) => is_signed(hmac, secret, id, delivery),
                Scheme::Token { header, prefix } => has_token(header, prefix, secret, delivery),
                Scheme::Basic { header } => has_password(header, secret, delivery),
            };
        }
    }
    is_right
}

/// Why a secret can prove nothing under any of a connector's schemes; for whoever configures it, never for a sender.
///
/// # Errors
/// What the secret has to look like.
pub fn check_secret(manifest: &Manifest, secret: &Secret) -> Result<(), String> {
    let mut needs = Vec::new();
    for scheme in &manifest.signatures {
        match scheme {
            Scheme::Token { .. } => return Ok(()),
            Scheme::Basic { .. } if secret.0.contains(':') => return Ok(()),
            Scheme::Basic { .. } => needs.push("user:password".to_owned()),
            Scheme::Hmac(hmac) if key(hmac, secret).is_some() => return Ok(()),
            Scheme::Hmac(hmac) => {
                needs.push(format!("{}BASE64", hmac.base64_secret.as_deref().unwrap_or_default()));
            }
        }
    }
    match needs.is_empty() {
        true => Err(format!("{} signs nothing, so a secret cannot be checked", manifest.title)),
        false => Err(format!("the secret has to look like {}", needs.join(" or "))),
    }
}

/// HTTP compares the names of schemes (`Bearer`) without regard to case.
fn strip_scheme<'t>(text: &'t str, prefix: &str, header: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    let is_same = if header == "authorization" { head.eq_ignore_ascii_case(prefix) } else { head == prefix };
    is_same.then_some(rest)
}

fn has_token(header: &str, prefix: &str, secret: &Secret, delivery: Signed<'_>) -> bool {
    let given = (delivery.header)(header).and_then(|text| strip_scheme(text, prefix, header));
    given.is_some_and(|given| is_equal(given.trim().as_bytes(), secret.0.as_bytes()))
}

fn has_password(header: &str, secret: &Secret, delivery: Signed<'_>) -> bool {
    let given = (delivery.header)(header).and_then(|text| strip_scheme(text, "Basic ", "authorization"));
    let given = given.and_then(|text| BASE64.decode(text.trim()).ok());
    // Without a colon it is no name with a password, and a token that is one must not pass for it.
    given.is_some_and(|given| secret.0.contains(':') && is_equal(&given, secret.0.as_bytes()))
}

/// Of their hashes, so that not even the length can be measured.
fn is_equal(given: &[u8], secret: &[u8]) -> bool {
    Sha256::digest(given).ct_eq(&Sha256::digest(secret)).into()
}

fn key(hmac: &Hmac, secret: &Secret) -> Option<Vec<u8>> {
    match &hmac.base64_secret {
        None => Some(secret.0.as_bytes().to_vec()),
        Some(prefix) => {
            let text = secret.0.strip_prefix(prefix.as_str()).unwrap_or(&secret.0);
            BASE64.decode(text.trim()).ok().filter(|key| !key.is_empty())
        }
    }
}

/// The value of a key in `t=123,v1=abc`.
fn element<'t>(part: &'t str, key: &str) -> Option<&'t str> {
    part.split_once('=').filter(|(name, _)| name.trim() == key).map(|(_, value)| value.trim())
}

fn is_signed(hmac: &Hmac, secret: &Secret, id: &str, delivery: Signed<'_>) -> bool {
    let (Some(header), Some(key)) = ((delivery.header)(&hmac.header), key(hmac, secret)) else { return false };
    let parts: Vec<&str> = match &hmac.split {
        Some(split) => header.split(split.as_str()).map(str::trim).collect(),
        None => vec![header.trim()],
    };
    let timestamp = match &hmac.timestamp {
        None => None,
        Some(Stamp::Header(name)) => (delivery.header)(name).map(str::trim),
        Some(Stamp::Element(key)) => parts.iter().find_map(|part| element(part, key)),
    };
    if hmac.timestamp.is_some() && !is_timely(hmac, timestamp, delivery.now) {
        return false;
    }
    let signed: Vec<&[u8]> = hmac
        .signed
        .iter()
        .map(|part| match part {
            Part::Text(text) => text.as_bytes(),
            Part::Timestamp => timestamp.unwrap_or_default().as_bytes(),
            Part::Id => id.as_bytes(),
            Part::Body => delivery.body,
            Part::Url => delivery.url.as_bytes(),
        })
        .collect();
    let mut is_right = false;
    for part in parts {
        let part = match &hmac.element {
            Some(key) => element(part, key),
            None => Some(part),
        };
        let bytes = part.and_then(|part| part.strip_prefix(hmac.prefix.as_str())).and_then(|text| decode(hmac, text));
        is_right |= bytes.is_some_and(|bytes| match hmac.algorithm {
            Algorithm::Sha1 => is_hash::<KeyedHash<Sha1>>(&key, &signed, &bytes),
            Algorithm::Sha256 => is_hash::<KeyedHash<Sha256>>(&key, &signed, &bytes),
            Algorithm::Sha512 => is_hash::<KeyedHash<Sha512>>(&key, &signed, &bytes),
        });
    }
    is_right
}

/// Whether the time of signing is there, and near enough where that is asked for.
fn is_timely(hmac: &Hmac, timestamp: Option<&str>, now: Time) -> bool {
    let Some(seconds) = timestamp.and_then(|text| text.parse::<i64>().ok()) else { return false };
    let at = seconds.saturating_mul(SECOND);
    hmac.tolerance.is_none_or(|tolerance| now.abs_diff(at) <= tolerance.unsigned_abs())
}

fn decode(hmac: &Hmac, text: &str) -> Option<Vec<u8>> {
    match hmac.encoding {
        Encoding::Base64 => BASE64.decode(text).ok(),
        Encoding::Hex => {
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let pairs = text.as_bytes().chunks(2).map(|pair| match *pair {
                [high, low] => Some(digit(high)? << 4 | digit(low)?),
                _ => None,
            });
            pairs.collect()
        }
    }
}

/// Compares in constant time.
fn is_hash<M: Mac + KeyInit>(key: &[u8], signed: &[&[u8]], given: &[u8]) -> bool {
    // A key of any length is one.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { return false };
    for part in signed {
        mac.update(part);
    }
    mac.verify_slice(given).is_ok()
}
