//! Globs for names (branches, bots) and for the paths of a repository.
//!
//! Matching a text takes time proportional to its length times the pattern's: the set of reachable pattern
//! positions is carried along, nothing is tried twice.

use smallvec::{SmallVec, smallvec};

/// A glob for names. `*` matches any characters, `/` among them, `?` exactly one; everything else stands for
/// itself, brackets too: `*[bot]` means a name that ends with `[bot]`. The whole name has to match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    exact: Glob,
    folded: Glob,
}

impl Pattern {
    /// Compiles a glob for names. Every text is one.
    #[must_use]
    pub fn name(pattern: &str) -> Self {
        let tokens = |text: &str| {
            Glob::of(text.chars().map(|c| match c {
                '*' => Token::Anything,
                '?' => Token::AnyChar,
                c => Token::Char(c),
            }))
        };
        Self { exact: tokens(pattern), folded: tokens(&pattern.to_lowercase()) }
    }

    /// Whether the whole of `name` matches.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.exact.matches(name)
    }

    /// Whether the whole of `name` matches where upper and lower case are the same.
    #[must_use]
    pub fn matches_ignore_case(&self, name: &str) -> bool {
        self.folded.matches(&name.to_lowercase())
    }
}

/// Why a path pattern cannot be used. The message says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing, or nothing after `!` or `/`.
    #[error("the path pattern {0:?} is empty; write a path like lib/** (or ** for everything)")]
    Empty(String),
    /// A backslash: paths of a repository have none, and there is no escaping.
    #[error("the path pattern {0:?} has a backslash; separate folders with /")]
    Backslash(String),
    /// `.`, `..` or an empty segment: no path of a repository has one, so it would silently match nothing.
    #[error(
        "the path pattern {0:?} has a \".\", a \"..\" or a double slash; write the path from the repository's root, like lib/**"
    )]
    Segment(String),
}

/// A glob for the paths of a repository, counted from its root (a leading `/` or `./` changes nothing), case
/// included.
///
/// - `*` matches any characters but `/`, `?` one character but `/`.
/// - `**` matches any characters; `**/` also no folder at all: `**/x` matches `x` and `a/b/x`, `a/**/b` also `a/b`.
/// - `dir/` and `dir/**` match everything below `dir`; a path without wildcards matches itself and what is below.
/// - A leading `!` excludes (see [`PathSet`]). Brackets are literal; there is no escaping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern {
    excludes: bool,
    kind: PathKind,
}

/// The usual patterns need no glob.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PathKind {
    Everything,
    /// Everything under this prefix, which ends with `/`.
    Below(String),
    /// This path and everything under it.
    AtOrBelow(String),
    Glob(Glob),
}

impl PathPattern {
    /// Compiles a path pattern.
    ///
    /// # Errors
    /// See [`PatternError`].
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        let (excludes, rest) = match pattern.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, pattern),
        };
        let path = rest.strip_prefix("./").unwrap_or(rest);
        let path = path.strip_prefix('/').unwrap_or(path);
        if path.is_empty() {
            return Err(PatternError::Empty(pattern.to_owned()));
        }
        if path.contains('\\') {
            return Err(PatternError::Backslash(pattern.to_owned()));
        }
        if path.strip_suffix('/').unwrap_or(path).split('/').any(|segment| matches!(segment, "" | "." | "..")) {
            return Err(PatternError::Segment(pattern.to_owned()));
        }
        let plain = |text: &str| !text.contains(['*', '?']);
        let below = path.strip_suffix("/**").or_else(|| path.strip_suffix('/'));
        let kind = match below {
            _ if path == "**" => PathKind::Everything,
            Some(folder) if plain(folder) => PathKind::Below(format!("{folder}/")),
            None if plain(path) => PathKind::AtOrBelow(path.to_owned()),
            Some(folder) => PathKind::Glob(Glob::path(&format!("{folder}/**"))),
            None => PathKind::Glob(Glob::path(path)),
        };
        Ok(Self { excludes, kind })
    }

    /// Whether the pattern began with `!`.
    #[must_use]
    pub fn excludes(&self) -> bool {
        self.excludes
    }

    /// Whether `path` matches what follows the `!`, if there is one.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        match &self.kind {
            PathKind::Everything => true,
            PathKind::Below(folder) => path.len() > folder.len() && path.starts_with(folder),
            PathKind::AtOrBelow(own) => {
                path.strip_prefix(own.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
            PathKind::Glob(glob) => glob.matches(path),
        }
    }
}

/// The path patterns of a service. For each path the last pattern that matches decides; where none does, the path
/// is in the set only if the first pattern excludes (so `["!docs/**"]` is everything but the docs). A set without
/// patterns holds everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathSet(Vec<PathPattern>);

impl PathSet {
    /// Compiles the patterns.
    ///
    /// # Errors
    /// The first pattern's that cannot be used, see [`PatternError`].
    pub fn new(patterns: &[String]) -> Result<Self, PatternError> {
        patterns.iter().map(|pattern| PathPattern::new(pattern)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether there is no pattern, so that every commit counts whether its paths are known or not.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `path` is in the set.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        match self.0.iter().rev().find(|pattern| pattern.matches(path)) {
            Some(decisive) => !decisive.excludes,
            None => self.0.first().is_none_or(|first| first.excludes),
        }
    }

    /// Whether at least one of the paths is in the set; a set without patterns is touched by anything, even by no
    /// path.
    pub fn touches<'a>(&self, paths: impl IntoIterator<Item = &'a str>) -> bool {
        self.is_everything() || paths.into_iter().any(|path| self.contains(path))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Char(char),
    /// One character.
    AnyChar,
    /// One character but `/`.
    NoSlash,
    /// Any characters.
    Anything,
    /// Any characters but `/`.
    InSegment,
    /// Nothing, or any characters up to and with a `/`.
    Folders,
}

impl Token {
    fn may_be_empty(self) -> bool {
        matches!(self, Self::Anything | Self::InSegment | Self::Folders)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Glob(Vec<Token>);

impl Glob {
    /// A repeated wildcard that may match nothing says what one says, and would cost time.
    fn of(tokens: impl IntoIterator<Item = Token>) -> Self {
        let mut tokens: Vec<Token> = tokens.into_iter().collect();
        tokens.dedup_by(|b, a| a == b && a.may_be_empty());
        Self(tokens)
    }

    fn path(pattern: &str) -> Self {
        let mut tokens = Vec::new();
        let mut rest = pattern;
        while let Some(c) = rest.chars().next() {
            let segment_begins =
                tokens.is_empty() || tokens.last() == Some(&Token::Char('/')) || tokens.last() == Some(&Token::Folders);
            if let Some(after) = rest.strip_prefix("**/").filter(|_| segment_begins) {
                tokens.push(Token::Folders);
                rest = after;
            } else if rest.starts_with("**") {
                tokens.push(Token::Anything);
                rest = rest.trim_start_matches('*');
            } else {
                tokens.push(match c {
                    '*' => Token::InSegment,
                    '?' => Token::NoSlash,
                    c => Token::Char(c),
                });
                rest = &rest[c.len_utf8()..];
            }
        }
        // `a/**` is what is below `a`: at least one character of it.
        if tokens.ends_with(&[Token::Char('/'), Token::Anything]) {
            tokens.push(Token::AnyChar);
        }
        Self::of(tokens)
    }

    /// Carries the set of positions in the pattern that the text so far can have reached.
    fn matches(&self, text: &str) -> bool {
        let end = self.0.len();
        let mut here: SmallVec<[bool; 64]> = smallvec![false; end + 1];
        let mut next = here.clone();
        self.enter(&mut here, 0);
        for c in text.chars() {
            next.fill(false);
            for (at, token) in self.0.iter().enumerate().filter(|(at, _)| here[*at]) {
                match token {
                    Token::Char(own) if *own == c => self.enter(&mut next, at + 1),
                    Token::AnyChar => self.enter(&mut next, at + 1),
                    Token::NoSlash if c != '/' => self.enter(&mut next, at + 1),
                    Token::Anything => self.enter(&mut next, at),
                    Token::InSegment if c != '/' => self.enter(&mut next, at),
                    Token::Folders => {
                        // Inside a folder's name only this token goes on; the one after it waits for the slash.
                        next[at] = true;
                        if c == '/' {
                            self.enter(&mut next, at + 1);
                        }
                    }
                    Token::Char(_) | Token::NoSlash | Token::InSegment => {}
                }
            }
            std::mem::swap(&mut here, &mut next);
        }
        here[end]
    }

    /// Reaches a position, and those behind it that take no character to reach.
    fn enter(&self, states: &mut [bool], at: usize) {
        for (at, token) in self.0.iter().enumerate().skip(at) {
            states[at] = true;
            if !token.may_be_empty() {
                return;
            }
        }
        states[self.0.len()] = true;
    }
}

#[cfg(test)]
mod tests;
