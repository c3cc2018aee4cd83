//! What the program and a worker say to each other: frames of a kind, a length and so many bytes.

use std::io::{self, Read, Write};

/// The bytes of a frame's head: its kind, and its length in little endian.
pub(super) const HEAD: usize = 5;

/// A map follows that requests will name: its digest, the length of its place, its place and its text.
pub(super) const PROGRAM: u8 = b'P';
/// A request: the digest of a map, and an input.
pub(super) const MAP: u8 = b'M';

/// The outputs.
pub(super) const OUTPUTS: u8 = b'O';
/// The map failed: why.
pub(super) const FAILED: u8 = b'F';
/// It put out too many bytes.
pub(super) const TOO_MANY_BYTES: u8 = b'B';
/// It put out too many values.
pub(super) const TOO_MANY_EVENTS: u8 = b'E';

/// The bytes of a digest.
pub(super) const DIGEST: usize = 32;

pub(super) fn head(kind: u8, length: usize) -> io::Result<[u8; HEAD]> {
    let length = u32::try_from(length).map_err(|_| io::Error::other("too long for a frame"))?;
    let [a, b, c, d] = length.to_le_bytes();
    Ok([kind, a, b, c, d])
}

pub(super) fn parse_head([kind, a, b, c, d]: [u8; HEAD]) -> (u8, usize) {
    (kind, u32::from_le_bytes([a, b, c, d]) as usize)
}

/// The content of a frame that makes a map known.
pub(super) fn program(digest: &[u8; DIGEST], place: &str, map: &str) -> io::Result<Vec<u8>> {
    let [_, length @ ..] = head(0, place.len())?;
    Ok([digest.as_slice(), &length, place.as_bytes(), map.as_bytes()].concat())
}

/// The digest, the place and the text of a map.
pub(super) fn parse_program(content: &[u8]) -> Option<([u8; DIGEST], String, String)> {
    let (digest, rest) = content.split_first_chunk::<DIGEST>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (place, map) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some((*digest, text(place), text(map)))
}

/// The next frame; none where the other side has gone.
pub(super) fn read_frame(from: &mut impl Read) -> io::Result<Option<(u8, Vec<u8>)>> {
    let mut start = [0; HEAD];
    match from.read_exact(&mut start) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        result => result?,
    }
    let (kind, length) = parse_head(start);
    let mut content = vec![0; length];
    from.read_exact(&mut content)?;
    Ok(Some((kind, content)))
}

pub(super) fn write_frame(to: &mut impl Write, kind: u8, content: &[u8]) -> io::Result<()> {
    to.write_all(&head(kind, content.len())?)?;
    to.write_all(content)?;
    to.flush()
}
