//! A delivery as it is kept: headers and body, packed.

use std::cell::RefCell;

use vigie_model::{Digest, Time};
use zstd::bulk::Compressor;

use super::{Envelope, Manifest};

/// A delivery as it came, but for the headers that hold secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawDelivery {
    /// Names, in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The bytes of the body.
    pub body: Vec<u8>,
}

/// What was kept cannot be read: the database was altered, or a later release wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the delivery was not kept in a form that this program reads")]
pub struct Damaged;

/// The first byte of what is packed: a frame of zstd follows, or what was to be packed, as it is.
const PACKED: u8 = 1;
const AS_IT_IS: u8 = 2;
/// Form, length of what is unpacked, length of the headers.
const HEAD: usize = 9;
/// More than any delivery that is ever taken in.
const MOST: usize = 1 << 30;

thread_local! {
    /// Making one costs more than most deliveries.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = RefCell::new(Compressor::new(1).ok());
}

impl RawDelivery {
    /// Packs a delivery. The names of the headers are in lower case; those with secrets in them are left out.
    #[must_use]
    pub fn pack<'d>(
        manifest: &Manifest,
        headers: impl IntoIterator<Item = (&'d str, &'d str)>,
        body: &[u8],
    ) -> Vec<u8> {
        let headers: Vec<_> = headers.into_iter().filter(|(name, _)| !manifest.is_secret_header(name)).collect();
        let headers = serde_json::to_vec(&headers).unwrap_or_default();
        let plain = [&headers, body].concat();
        let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
        let frame = COMPRESSOR.with_borrow_mut(|compressor| compressor.as_mut()?.compress(&plain).ok());
        // As it is where packing gains nothing, or there is no memory for it.
        let (form, content) = match &frame {
            Some(frame) if frame.len() < plain.len() => (PACKED, frame),
            _ => (AS_IT_IS, &plain),
        };
        [&[form][..], &length(plain.len()), &length(headers.len()), content].concat()
    }

    /// Unpacks one.
    ///
    /// # Errors
    /// See [`Damaged`].
    pub fn unpack(packed: &[u8]) -> Result<Self, Damaged> {
        let (head, frame) = packed.split_at_checked(HEAD).ok_or(Damaged)?;
        let &[form, a, b, c, d, e, f, g, h] = head else { return Err(Damaged) };
        let length = |bytes| usize::try_from(u32::from_le_bytes(bytes)).unwrap_or(usize::MAX);
        let (whole, of_headers) = (length([a, b, c, d]), length([e, f, g, h]));
        if whole > MOST {
            return Err(Damaged);
        }
        let mut plain = match form {
            PACKED => zstd::bulk::decompress(frame, whole).map_err(|_| Damaged)?,
            AS_IT_IS => frame.to_vec(),
            _ => return Err(Damaged),
        };
        if plain.len() != whole || of_headers > whole {
            return Err(Damaged);
        }
        let body = plain.split_off(of_headers);
        let headers = serde_json::from_slice(&plain).map_err(|_| Damaged)?;
        Ok(Self { headers, body })
    }

    /// The headers as [`Envelope::read`] takes them.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (&**name, &**value))
    }
}

/// What a delivery is recognised by when it comes again: the tool's own id of it, else what it says, with its arrival
/// where that is the only time there is.
#[must_use]
pub fn identity(connector: &str, source: &str, envelope: &Envelope<'_>, body: &[u8], received_at: Time) -> Digest {
    let kind = envelope.kind.as_deref().unwrap_or_default();
    let arrival = match envelope.is_timeless {
        true => [b"\0".as_slice(), &received_at.to_be_bytes()].concat(),
        false => Vec::new(),
    };
    let own = match &envelope.id {
        Some(id) => [b"id\0", id.as_bytes()].concat(),
        None => [b"content\0", kind.as_bytes(), b"\0", body, &arrival].concat(),
    };
    Digest::of(&[connector.as_bytes(), b"\0", source.as_bytes(), b"\0", &own].concat())
}

#[cfg(test)]
mod tests {
    use super::super::manifest::Path;
    use super::*;

    fn manifest() -> Manifest {
        let text = "title = \"T\"\nabout = \"A\"\nproven = false\n[[signature]]\nscheme = \"token\"\n\
            header = \"x-token\"\n[delivery]\nid = \"headers.x-id\"\ntype = \"headers.x-type\"\n";
        Manifest::parse("connector.toml", text).unwrap()
    }

    #[test]
    fn what_is_packed_comes_out_again_but_for_secrets() {
        let headers = [("x-id", "7"), ("x-token", "secret"), ("authorization", "Bearer x"), ("x-type", "ü")];
        for body in [&b"{\"a\": 1}"[..], &[b'x'; 100_000], b""] {
            let packed = RawDelivery::pack(&manifest(), headers, body);
            assert!(packed.len() < 400, "{}", packed.len());
            let raw = RawDelivery::unpack(&packed).unwrap();
            assert_eq!(raw.headers().collect::<Vec<_>>(), [("x-id", "7"), ("x-type", "ü")]);
            assert_eq!(raw.body, body);
        }
    }

    #[test]
    fn a_delivery_of_any_length_comes_out_again() {
        // Some of these are as long packed as they were, which must not be taken for what was not packed.
        for length in 0..300 {
            let body: Vec<u8> = (b'a'..=b'z').cycle().take(length).collect();
            let raw = RawDelivery::unpack(&RawDelivery::pack(&manifest(), [("host", "127.0.0.1")], &body)).unwrap();
            assert_eq!(raw.body, body);
        }
    }

    #[test]
    fn what_was_altered_is_an_error() {
        let packed = RawDelivery::pack(&manifest(), [("a", "b")], b"{}");
        for end in 0..packed.len() {
            assert_eq!(RawDelivery::unpack(&packed[..end]), Err(Damaged), "{end}");
        }
        for place in 0..packed.len() {
            let mut altered = packed.clone();
            altered[place] ^= 0x55;
            // Never a panic, and never more than was there.
            let _ = RawDelivery::unpack(&altered);
        }
    }

    #[test]
    fn a_delivery_is_known_by_its_id_or_by_what_it_says() {
        let manifest = manifest();
        let of = |id: Option<&str>, kind: &str, source: &str, body: &str| {
            let headers = id.map(|id| ("x-id", id)).into_iter().chain([("x-type", kind)]);
            let envelope = Envelope::read(&manifest, headers, body.as_bytes()).unwrap();
            identity("github", source, &envelope, body.as_bytes(), 1)
        };
        assert_eq!(of(Some("1"), "a", "s", "{}"), of(Some("1"), "a", "s", "{\"attempt\": 2}"));
        assert_ne!(of(Some("1"), "a", "s", "{}"), of(Some("2"), "a", "s", "{}"));
        assert_ne!(of(Some("1"), "a", "s", "{}"), of(Some("1"), "a", "t", "{}"));
        assert_eq!(of(None, "a", "s", "{}"), of(None, "a", "s", "{}"));
        assert_ne!(of(None, "a", "s", "{}"), of(None, "b", "s", "{}"));
        assert_ne!(of(None, "a", "s", "{}"), of(None, "a", "s", "{ }"));
        // Where there is a time, a delivery is known by what it says; without it by when it came, too.
        let timed = Manifest { time: Some(Path::Body(vec!["at".to_owned()])), ..manifest.clone() };
        let at = |received_at: Time, body: &str| {
            let envelope = Envelope::read(&timed, [], body.as_bytes()).unwrap();
            identity("github", "s", &envelope, body.as_bytes(), received_at)
        };
        assert_eq!(at(1, r#"{"at": "noon"}"#), at(2, r#"{"at": "noon"}"#));
        assert_ne!(at(1, r#"{"at": null}"#), at(2, r#"{"at": null}"#));
        assert_ne!(at(1, "{}"), at(2, "{}"));
    }
}
