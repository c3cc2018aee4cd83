//! Which form a text has, from its beginning.

/// A byte order mark, which some tools write before UTF-8.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

/// How events follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// One a line (NDJSON): a broken line breaks no other.
    Lines,
    /// A JSON array (or several).
    Array,
    /// Values one after the other, over any number of lines.
    Values,
}

impl Form {
    /// What a content type says of it.
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        const LINES: [&str; 6] = [
            "application/x-ndjson",
            "application/ndjson",
            "application/jsonl",
            "application/x-jsonl",
            "application/jsonlines",
            "application/x-jsonlines",
        ];
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        LINES.iter().any(|known| essence.eq_ignore_ascii_case(known)).then_some(Self::Lines)
    }
}

/// The form of a text that begins with `head`; `None` where more of it has to be seen.
pub(super) fn detect(head: &[u8], limit: usize, is_all: bool) -> Option<Form> {
    // What goes on for longer than an event may be is not one object: lines recover best.
    let undecided = || match (is_all, head.len() > limit) {
        (true, _) => Some(Form::Values),
        (false, true) => Some(Form::Lines),
        (false, false) => None,
    };
    let text = head.strip_prefix(BOM).unwrap_or(head).trim_ascii_start();
    if text.first() == Some(&b'[') {
        return Some(Form::Array);
    }
    let Some(end) = memchr::memchr(b'\n', text) else {
        return undecided();
    };
    if is_one_object(&text[..end]) {
        return Some(Form::Lines);
    }
    match text[end..].trim_ascii_start().first() {
        // A pretty-printed object goes on with a key, so this is the next object, and the first line is broken.
        Some(b'{') => Some(Form::Lines),
        Some(_) => Some(Form::Values),
        None => undecided(),
    }
}

/// Whether a line is one object, going by its braces.
fn is_one_object(line: &[u8]) -> bool {
    let line = line.trim_ascii_end();
    let (mut depth, mut in_string, mut is_escaped) = (0_u32, false, false);
    for (at, byte) in line.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1 == line.len() && line[0] == b'{';
                }
            }
            _ => {}
        }
    }
    false
}
