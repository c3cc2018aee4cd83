//! What is wrong with a configuration: everything at once, each with its place.

use std::ops::Range;

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// Bytes of the file.
    File(Range<usize>),
    /// A variable or a flag, by its name.
    Outside(String),
    /// Nowhere: the whole.
    Nowhere,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, line and column, counted from 1; none for a variable or a flag.
    pub place: Option<(String, usize, usize)>,
    /// The key with its section (`metrics.levels`, `service[2].slug`), or the variable; empty for the syntax.
    pub key: String,
    /// The value as it was written, shortened, without passwords; empty where there is none.
    pub value: String,
    /// What is wrong, and what to write.
    pub message: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some((file, line, column)) = &self.place {
            write!(f, "{file}:{line}:{column}: ")?;
        }
        match (self.key.as_str(), self.value.as_str()) {
            ("", _) => {}
            (key, "") => write!(f, "{key}: ")?,
            (key, value) => write!(f, "{key} = {value}: ")?,
        }
        f.write_str(&self.message)
    }
}

/// Everything that is wrong, in the order of the file; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// The text of a file by lines, to say where something is.
pub(super) struct Source<'t> {
    pub name: &'t str,
    pub text: &'t str,
}

impl Source<'_> {
    /// The line and the column, in characters, of a byte; both from 1.
    pub(super) fn place(&self, byte: usize) -> (usize, usize) {
        let before = self.text.get(..byte).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }

    /// What stands there, on one line, shortened, without passwords.
    pub(super) fn excerpt(&self, span: &Range<usize>) -> String {
        let text = self.text.get(span.clone()).unwrap_or("").trim();
        let line = text.lines().next().unwrap_or("");
        let mut short: String = line.chars().take(80).collect();
        if short.len() < text.len() {
            short.push('…');
        }
        mask(&short)
    }
}

/// The text with the passwords of its URLs replaced by `***`.
#[must_use]
pub fn mask(text: &str) -> String {
    let mut masked = match text.split_once("://") {
        Some((scheme, rest)) => {
            // A password may itself hold an @ or a slash, so it ends at the last @ before the query.
            let authority = rest.find(['?', '#']).unwrap_or(rest.len());
            match (rest.find(':'), rest[..authority].rfind('@')) {
                (Some(colon), Some(at)) if colon < at => {
                    format!("{scheme}://{}:***{}", &rest[..colon], &rest[at..])
                }
                _ => text.to_owned(),
            }
        }
        None => text.to_owned(),
    };
    if let Some(start) = masked.find("password=") {
        let start = start + "password=".len();
        let end = masked[start..].find(['&', '"', '\'']).map_or(masked.len(), |length| start + length);
        masked.replace_range(start..end, "***");
    }
    masked
}

/// The known name that was probably meant.
pub(super) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let name = name.to_lowercase().replace('-', "_");
    let near = known.into_iter().map(|known| (strsim::damerau_levenshtein(&name, known), known));
    let allowed = (name.chars().count() / 3).max(1);
    near.filter(|(distance, _)| *distance <= allowed).min().map(|(_, known)| known)
}

/// `did you mean X?`, or all that is known.
pub(super) fn remedy(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("write one of {}", known.join(", ")),
    }
}
