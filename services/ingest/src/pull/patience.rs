//! The patience with somebody else's API: when a request is asked again, how long limits are waited for, and how much of a
//! quota is left to others.

use std::time::Duration;

use http::header::{DATE, HeaderMap};

use super::PullError;

/// How often a request is asked at most.
const TRIES: u32 = 5;
/// What is waited for within a run; longer pauses end it.
const LONGEST: Duration = Duration::from_secs(90);
/// What is waited where a limit was met and nothing says for how long.
pub(super) const UNSAID: Duration = Duration::from_secs(60);
/// The share of a quota that is left to others: one in so many.
const RESERVE: u64 = 10;

/// Why a try gave nothing.
pub(super) enum Trouble {
    /// It may be tried again, after so long where the source says so.
    Passing(String, Option<Duration>),
    Final(PullError),
}

/// How requests that failed are asked again: a few times, a little later each time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// The first pause; each is twice the one before.
    pub first: Duration,
}

impl Patience {
    /// Waits before the next try, or gives up.
    pub(super) async fn wait(self, tries: u32, message: String, asked_for: Option<Duration>) -> Result<(), PullError> {
        let pause = asked_for.unwrap_or_else(|| self.first * 2_u32.pow(tries.saturating_sub(1).min(TRIES)));
        if tries >= TRIES || pause > LONGEST {
            return Err(PullError::Unavailable { message, retry_after: asked_for });
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

/// What is left of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quota {
    pub remaining: u64,
    pub limit: u64,
    /// When there will be more.
    pub resets_in: Duration,
}

impl Quota {
    /// As the headers `{prefix}remaining`, `{prefix}limit` and `{prefix}reset` tell it.
    pub(super) fn read(headers: &HeaderMap, prefix: &str) -> Option<Self> {
        let (remaining, limit) =
            (number(headers, &format!("{prefix}remaining"))?, number(headers, &format!("{prefix}limit"))?);
        Some(Self { remaining, limit, resets_in: resets_in(headers, prefix).unwrap_or(UNSAID) })
    }

    /// Whether what is left is for others.
    pub(super) fn is_low(&self) -> bool {
        self.remaining < self.limit.div_ceil(RESERVE)
    }

    /// That it is, in words.
    pub(super) fn message(&self) -> String {
        format!("{} of {} requests are left, which others may need", self.remaining, self.limit)
    }
}

/// How long it is until a quota is full again, by the source's own clock. Some tell the instant, some the seconds that are
/// left until then, which are never as many.
pub(super) fn resets_in(headers: &HeaderMap, prefix: &str) -> Option<Duration> {
    const INSTANTS: i64 = 1_000_000_000;
    let reset = i64::try_from(number(headers, &format!("{prefix}reset"))?).ok()?;
    if reset < INSTANTS {
        return Some(Duration::from_secs(u64::try_from(reset).unwrap_or(0) + 1));
    }
    let now = chrono::DateTime::parse_from_rfc2822(text(headers, DATE.as_str())?).ok()?.timestamp();
    // A second for what its clock rounds off.
    Some(Duration::from_secs(u64::try_from(reset - now).unwrap_or(0) + 1))
}

/// A header that is a number.
pub(super) fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    text(headers, name)?.trim().parse().ok()
}

/// A header that can be read.
pub(super) fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// `<https://…?page=2>; rel="next", …`
pub(super) fn next_of(link: &str) -> Option<&str> {
    link.split(',').find_map(|part| {
        let (url, rest) = part.trim().strip_prefix('<')?.split_once('>')?;
        rest.contains("rel=\"next\"").then_some(url)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_quota_is_full_again_by_the_clock_of_who_says_so() {
        let told = headers(&[
            ("ratelimit-remaining", "199"),
            ("ratelimit-limit", "2000"),
            ("ratelimit-reset", "1767225660"),
            ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ]);
        let quota = Quota::read(&told, "ratelimit-").unwrap();
        assert_eq!(quota, Quota { remaining: 199, limit: 2_000, resets_in: Duration::from_secs(61) });
        assert!(quota.is_low() && !Quota { remaining: 200, ..quota }.is_low());
        assert_eq!(Quota::read(&told, "x-ratelimit-"), None);
        let left = headers(&[("ratelimit-reset", "33")]);
        assert_eq!(resets_in(&left, "ratelimit-"), Some(Duration::from_secs(34)));
    }

    #[test]
    fn the_next_page_is_where_the_link_says() {
        let link = "<https://a.example/x?page=1>; rel=\"prev\", <https://a.example/x?page=3>; rel=\"next\"";
        assert_eq!(next_of(link), Some("https://a.example/x?page=3"));
        assert_eq!(next_of("<https://a.example/x?page=1>; rel=\"first\""), None);
    }
}
