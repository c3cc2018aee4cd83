//! Tokens: what they look like, and what is kept of them.

use std::fmt;

use subtle::ConstantTimeEq;

/// A secret that a client sends as `Authorization: Bearer vg_…`.
///
/// It is `vg_` and 32 random bytes in hexadecimal, so that scanners for secrets find it and nobody guesses it. Only its
/// digest is ever stored; as the secret is random and long, a fast digest is as good as a slow one: there is no
/// dictionary to try.
#[derive(Clone)]
pub struct Token(String);

/// What is stored of a token.
#[derive(Clone, Copy, Eq)]
pub struct TokenDigest(pub [u8; 32]);

const PREFIX: &str = "vg_";
const BYTES: usize = 32;

impl Token {
    /// A new token.
    ///
    /// # Errors
    /// The system has no randomness to give.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut secret = [0u8; BYTES];
        getrandom::fill(&mut secret)?;
        Ok(Self(format!("{PREFIX}{}", blake3::Hash::from_bytes(secret).to_hex())))
    }

    /// What a client sent, if it has the form of a token.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        let right = digits.len() == 2 * BYTES
            && digits.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase());
        right.then(|| Self(text.to_owned()))
    }

    /// What is stored of it.
    #[must_use]
    pub fn digest(&self) -> TokenDigest {
        TokenDigest(*blake3::hash(self.0.as_bytes()).as_bytes())
    }

    /// The secret itself: to be shown once, to the one who asked for it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Token(vg_…)")
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("TokenDigest(…)")
    }
}

impl PartialEq for TokenDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl std::hash::Hash for TokenDigest {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_random_and_never_printed() {
        let (one, two) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert_ne!(one.digest(), two.digest());
        assert_eq!(Token::parse(one.reveal()).map(|token| token.digest()), Some(one.digest()));
        assert_eq!(format!("{one:?} {:?}", one.digest()), "Token(vg_…) TokenDigest(…)");
    }

    #[test]
    fn other_texts_are_none() {
        let upper = format!("vg_{}", "A".repeat(64));
        for text in ["", "vg_", "vg_00", upper.as_str(), "Bearer x"] {
            assert!(Token::parse(text).is_none(), "{text}");
        }
    }
}
