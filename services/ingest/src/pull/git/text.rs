//! What git allows in names, messages and dates, made into what an event may hold.

use vigie_model::{SECOND, Time};

/// The longest id of an event, in bytes.
const MAX_ID: usize = 500;
/// The longest message of a commit, in bytes.
const MAX_MESSAGE: usize = 200_000;
/// 9999-12-31T23:59:59Z.
const LAST_SECOND: i64 = 253_402_300_799;

/// A name or id: valid UTF-8, one line, printable, not too long; `None` where nothing is left.
pub(super) fn id(bytes: &[u8]) -> Option<Box<str>> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    let clean = if text.chars().any(char::is_control) {
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().into()
    } else {
        Box::<str>::from(text)
    };
    let clean = cut(&clean, MAX_ID).trim_end();
    (!clean.is_empty()).then(|| clean.into())
}

/// A message: valid UTF-8, without NUL and without white space at its end. The second part says that it was cut.
pub(super) fn message(bytes: &[u8]) -> (Option<Box<str>>, bool) {
    // Enough for what is kept, as a damaged one may be endless.
    let is_long = bytes.len() > MAX_MESSAGE;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_MESSAGE)]);
    let text = if text.contains('\0') { text.replace('\0', "").into() } else { text };
    let clean = cut(&text, MAX_MESSAGE).trim_end();
    ((!clean.is_empty()).then(|| clean.into()), is_long)
}

/// The beginning of a text, up to so many bytes and to the end of a character.
fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// `Name <email>` and the seconds since 1970, of `Name <email> 1700000000 +0100`. The seconds are `None` where
/// they are no number.
pub(super) fn signature(line: &[u8]) -> (&[u8], Option<i64>) {
    let Some(end) = line.iter().rposition(|b| *b == b'>') else {
        return (line, None);
    };
    let mut words = line[end + 1..].split(|b| *b == b' ').filter(|word| !word.is_empty());
    let seconds = words.next().and_then(|word| std::str::from_utf8(word).ok()).and_then(|word| word.parse().ok());
    (&line[..=end], seconds)
}

/// An instant; `None` outside the years 1970 to 9999.
pub(super) fn time(seconds: Option<i64>) -> Option<Time> {
    seconds.filter(|s| (0..=LAST_SECOND).contains(s)).map(|s| s * SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_printable_and_short() {
        assert_eq!(id(b"Ada <ada@example.com>").as_deref(), Some("Ada <ada@example.com>"));
        assert_eq!(id(b" a\x00b\x1b\x7f ").as_deref(), Some("a b"));
        assert_eq!(id(b"J\xe9r\xf4me").as_deref(), Some("J\u{fffd}r\u{fffd}me"));
        assert_eq!(id(b" \x01 "), None);
        assert_eq!(id("é".repeat(400).as_bytes()).map(|id| id.len()), Some(500));
    }

    #[test]
    fn messages_are_text_without_nul() {
        assert_eq!(message(b"Fix\n\nThe \xff bug\x00\n\n"), (Some("Fix\n\nThe \u{fffd} bug".into()), false));
        assert_eq!(message(b"\n"), (None, false));
        let (text, is_cut) = message("é".repeat(150_000).as_bytes());
        assert!(is_cut && text.is_some_and(|text| text.len() <= MAX_MESSAGE));
    }

    #[test]
    fn signatures_are_read_leniently() {
        assert_eq!(signature(b"Ada <a@b> 1700000000 +0100"), (&b"Ada <a@b>"[..], Some(1_700_000_000)));
        assert_eq!(signature(b"<> -5 +0000"), (&b"<>"[..], Some(-5)));
        assert_eq!(signature(b"A > B <a@b>  7"), (&b"A > B <a@b>"[..], Some(7)));
        assert_eq!(signature(b"Ada <a@b> yesterday"), (&b"Ada <a@b>"[..], None));
        assert_eq!(signature(b"Ada"), (&b"Ada"[..], None));
    }

    #[test]
    fn times_lie_between_1970_and_9999() {
        assert_eq!(time(Some(1)), Some(SECOND));
        assert_eq!(time(Some(LAST_SECOND)).map(vigie_model::format_time).as_deref(), Some("9999-12-31T23:59:59Z"));
        for seconds in [Some(-1), Some(LAST_SECOND + 1), Some(i64::MAX), None] {
            assert_eq!(time(seconds), None);
        }
    }
}
