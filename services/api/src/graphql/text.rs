//! A first look at a query's text, before any parser sees it: one pass, no memory.
//!
//! A parser that descends recursively answers deep nesting with a stack overflow, which no handler can catch; and
//! whatever a parser does with a million tokens is too much. So both are refused here.

use crate::error::{ApiError, Code, Result};

/// How large a query may be before it is looked at.
#[derive(Debug, Clone, Copy)]
pub struct TextLimits {
    /// Bytes.
    pub bytes: usize,
    /// Brackets inside brackets, of any kind.
    pub nesting: usize,
    /// Names, numbers, strings and signs.
    pub tokens: usize,
}

impl Default for TextLimits {
    fn default() -> Self {
        Self { bytes: 128 * 1024, nesting: 48, tokens: 10_000 }
    }
}

impl TextLimits {
    /// Passes a query's text, or says which limit it breaks.
    ///
    /// # Errors
    /// `TOO_COMPLEX`, with the limit.
    pub fn check(&self, query: &str) -> Result<()> {
        if query.len() > self.bytes {
            return Err(too_much(format!("the query has {} bytes, more than {}", query.len(), self.bytes)));
        }
        let mut nesting = 0usize;
        let mut tokens = 0usize;
        let mut rest = query.as_bytes();
        while let Some((&first, after)) = rest.split_first() {
            let length = match first {
                b' ' | b'\t' | b'\r' | b'\n' | b',' => {
                    rest = after;
                    continue;
                }
                b'#' => {
                    rest = &rest[until(rest, |byte| byte == b'\n' || byte == b'\r')..];
                    continue;
                }
                b'"' => string(rest),
                b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => until(rest, |byte| !is_name(byte)),
                b'{' | b'[' | b'(' => {
                    nesting += 1;
                    1
                }
                b'}' | b']' | b')' => {
                    nesting = nesting.saturating_sub(1);
                    1
                }
                _ => 1,
            };
            tokens += 1;
            if nesting > self.nesting {
                return Err(too_much(format!("the query is nested more than {} levels deep", self.nesting)));
            }
            if tokens > self.tokens {
                return Err(too_much(format!("the query has more than {} words and signs", self.tokens)));
            }
            rest = &rest[length..];
        }
        Ok(())
    }
}

fn too_much(what: String) -> ApiError {
    ApiError::new(Code::TooComplex, format!("{what}; ask for less, or in several requests"))
}

fn is_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

fn until(bytes: &[u8], end: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| end(*byte)).unwrap_or(bytes.len())
}

/// The length of the string that begins here, block strings and escapes included. One without an end goes on to the
/// end of the line, as the parser will complain anyway.
fn string(bytes: &[u8]) -> usize {
    if let Some(body) = bytes.strip_prefix(b"\"\"\"") {
        let mut at = 0;
        while at < body.len() {
            if body[at..].starts_with(b"\\\"\"\"") {
                at += 4;
            } else if body[at..].starts_with(b"\"\"\"") {
                return 3 + at + 3;
            } else {
                at += 1;
            }
        }
        // Without an end it is no block string to the parser either: what follows is counted, however it is read.
        return 3;
    }
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            b'\n' | b'\r' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(query: &str) -> std::result::Result<(), String> {
        TextLimits::default().check(query).map_err(|error| error.to_string())
    }

    #[test]
    fn ordinary_queries_pass() {
        assert_eq!(verdict("{ scorecard(window: {last: \"P30D\"}) { metrics { name value } } }"), Ok(()));
        assert_eq!(verdict("# {{{{ a comment\n{ a(b: \"({[\\\"({[\", c: \"\"\"{{{ \\\"\"\" {{{\"\"\") }"), Ok(()));
    }

    #[test]
    fn deep_and_long_ones_do_not() {
        let deep = "{a".repeat(100_000);
        assert!(verdict(&deep[..100_000]).is_err_and(|why| why.contains("48 levels")));
        let lists = format!("{{ a(b: {}) }}", "[".repeat(60));
        assert!(verdict(&lists).is_err_and(|why| why.contains("48 levels")));
        let many: String = (0..12_000).map(|n| format!("a{n}:a ")).collect();
        assert!(verdict(&format!("{{{many}}}")).is_err_and(|why| why.contains("10000 words")));
        assert!(verdict(&" ".repeat(200_000)).is_err_and(|why| why.contains("bytes")));
    }

    #[test]
    fn no_string_hides_brackets_from_the_count() {
        // The parser reads `""` and `"` here, or fails; what follows must be counted either way.
        let hidden = format!("{{ a(b: \"\"\" {} ", "[".repeat(60));
        assert!(verdict(&hidden).is_err());
        let newline = format!("{{ a(b: \"\n{} ", "[".repeat(60));
        assert!(verdict(&newline).is_err());
    }
}
