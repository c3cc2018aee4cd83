//! The patience with somebody else's API: when a request is asked again, how long limits are waited for, and how much of a
//! quota is left to others.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime};
use http::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

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

/// After so many questions of a run that were not answered each of the others is asked once only.
const FEW: u32 = 10;
/// After so many in a row the source is taken to be down.
const SILENT: u32 = 20;

/// The questions of a run that were not answered, however often they were asked. One is no reason to leave out what others
/// would tell.
#[derive(Debug, Default)]
pub(super) struct Silence {
    in_all: AtomicU32,
    in_a_row: AtomicU32,
}

impl Silence {
    /// A question was answered.
    pub(super) fn broken(&self) {
        self.in_a_row.store(0, Ordering::Relaxed);
    }

    /// A question was not answered. Gives whether others may still be.
    pub(super) fn is_short(&self) -> bool {
        self.in_all.fetch_add(1, Ordering::Relaxed);
        self.in_a_row.fetch_add(1, Ordering::Relaxed) + 1 < SILENT
    }

    /// As how many tries one counts.
    pub(super) fn tries(&self, tries: u32) -> u32 {
        if self.in_all.load(Ordering::Relaxed) < FEW { tries } else { tries.max(TRIES) }
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
    let now = http_date(text(headers, DATE.as_str())?)?;
    // A second for what its clock rounds off.
    Some(Duration::from_secs(u64::try_from(reset - now).unwrap_or(0) + 1))
}

/// How long a source wants to be left alone: seconds, or until a date by its own clock.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    if let Some(seconds) = number(headers, RETRY_AFTER.as_str()) {
        return Some(Duration::from_secs(seconds));
    }
    let date = |name: &HeaderName| http_date(text(headers, name.as_str())?.trim());
    let seconds = date(&RETRY_AFTER)? - date(&DATE)?;
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// A date in any of the forms that HTTP knows, as seconds.
fn http_date(text: &str) -> Option<i64> {
    let old = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    let current = DateTime::parse_from_rfc2822(text).ok().map(|date| date.timestamp());
    current.or_else(|| {
        let date = old.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
        Some(date.and_utc().timestamp())
    })
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
    fn a_source_that_is_silent_is_asked_less_and_then_no_more() {
        let silence = Silence::default();
        let heard: Vec<bool> = (0..FEW).map(|_| silence.is_short()).collect();
        assert!(heard.iter().all(|is_short| *is_short));
        assert_eq!(silence.tries(1), TRIES);
        silence.broken();
        assert_eq!((1..).find(|_| !silence.is_short()), Some(SILENT));
    }

    #[test]
    fn a_pause_is_told_in_seconds_or_as_a_date() {
        let told = |retry_after: &'static str, date: Option<&'static str>| {
            let date = date.map(|date| ("date", date));
            let all: Vec<_> = std::iter::once(("retry-after", retry_after)).chain(date).collect();
            super::retry_after(&headers(&all)).map(|pause| pause.as_secs())
        };
        let now = Some("Sun, 06 Nov 1994 08:47:37 GMT");
        assert_eq!(told("120", now), Some(120));
        assert_eq!(told("120", None), Some(120));
        for date in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(told(date, now), Some(120), "{date}");
            assert_eq!(told(date, None), None, "by whose clock?");
        }
        assert_eq!(told("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(0), "it is over");
        assert_eq!(told("soon", now), None);
    }

    #[test]
    fn the_next_page_is_where_the_link_says() {
        let link = "<https://a.example/x?page=1>; rel=\"prev\", <https://a.example/x?page=3>; rel=\"next\"";
        assert_eq!(next_of(link), Some("https://a.example/x?page=3"));
        assert_eq!(next_of("<https://a.example/x?page=1>; rel=\"first\""), None);
    }
}
