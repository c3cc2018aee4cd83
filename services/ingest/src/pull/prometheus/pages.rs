//! The pages of a run: one query after the other, each along time.

use std::collections::{BTreeMap, BTreeSet};

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;
use vigie_model::{DAY, Event, MINUTE, SECOND, Time, format_time};

use super::api::{Api, ApiError, Range, Series};
use super::asked::{Asked, Question};
use super::counts::counts;
use super::cursor::{Cursor, Place};
use super::naming::Target;
use super::notes::Notes;
use super::states::{extend, joined};
use super::{PrometheusSource, SOURCE, events, naming};
use crate::pull::http::Http;
use crate::pull::{Pages, PullBatch, PullError, Start, Summary, Traffic};

/// Answers that are asked for at once: Prometheus gives no more than 11,000 for a series. Where that is too much for it,
/// half of them, and so on down to the least.
const MOST_POINTS: i64 = 10_000;
const LEAST_POINTS: i64 = 50;
/// How far back a source is read that was never read before.
const FIRST: Time = 90 * DAY;
/// How far back samples are looked at to see how far apart they are.
const SAMPLED: Time = 15 * MINUTE;
/// The step where that cannot be seen, and that of counts.
const STEP: Time = MINUTE;
const COUNTS_STEP: Time = 5 * MINUTE;
/// Microseconds.
const MILLISECOND: Time = SECOND / 1_000;
/// Clocks that differ by more are told of.
const SKEW: Time = MINUTE;

/// See the module's documentation.
pub(super) struct PrometheusPages {
    source: PrometheusSource,
    api: Api,
    cursor: Cursor,
    readings: Vec<Reading>,
    /// The one that is under way.
    at: usize,
    points: i64,
    notes: Notes,
    services: BTreeSet<String>,
    given: u64,
}

/// A query with where this run reads it from and to.
struct Reading {
    asked: Asked,
    key: String,
    from: Time,
    end: Time,
    /// The query may be a plain selector: nobody has said otherwise yet.
    is_plain: bool,
}

impl PrometheusPages {
    /// Looks at the server, and at what there is to read.
    pub(super) async fn open(source: PrometheusSource, http: Http, start: Start) -> Result<Self, PullError> {
        let (mut api, mut notes) = (Api::new(http), Notes::default());
        let server = api.now().await?;
        if (server - start.now).abs() > SKEW {
            notes.add(format!(
                "the server's clock says {}, this machine's {}: set the one that is wrong",
                format_time(server),
                format_time(start.now)
            ));
        }
        // What is still to come on either clock is not asked for.
        let now = server.min(start.now);
        let mut cursor = match start.cursor.as_deref().map(Cursor::parse) {
            Some(Ok(cursor)) => cursor,
            None => Cursor::default(),
            Some(Err(why)) => {
                notes.add(format!("where the last run stood cannot be read ({why}): everything is read again"));
                Cursor::default()
            }
        };
        let mut readings = Vec::new();
        for asked in &source.asked {
            let key = asked.key();
            let place = cursor.0.remove(&key).filter(|place| source.since.is_none_or(|since| since >= place.since));
            let step = match asked.step.or(place.as_ref().map(|place| place.step)) {
                Some(step) => step,
                None => step(&mut api, asked, now, &mut notes).await?,
            };
            let place = match place {
                // From the next instant on that the new steps have.
                Some(place) => Place { until: -(-place.until).div_euclid(step) * step, step, ..place },
                None => {
                    let since = source.since.unwrap_or(now - FIRST).max(0);
                    Place { since, step, until: since.div_euclid(step) * step, open: BTreeMap::new() }
                }
            };
            let delay = source.delay.unwrap_or(step.min(MINUTE));
            let end = ((now - delay).div_euclid(step) * step).max(place.until);
            readings.push(Reading { asked: asked.clone(), key: key.clone(), from: place.until, end, is_plain: true });
            cursor.0.insert(key, place);
        }
        let (services, points) = (BTreeSet::new(), MOST_POINTS);
        Ok(Self { source, api, cursor, readings, at: 0, points, notes, services, given: 0 })
    }

    async fn page(&mut self) -> Result<Option<PullBatch>, PullError> {
        loop {
            let Some(reading) = self.readings.get(self.at) else { return Ok(None) };
            let Some(place) = self.cursor.0.get(&reading.key) else { return Ok(None) };
            if place.until >= reading.end {
                self.notes.silent(&reading.asked.question, reading.from, reading.end);
                self.at += 1;
                continue;
            }
            let range = range(place, reading.end, self.points);
            let asked = reading.asked.clone();
            let is_plain = reading.is_plain;
            match ask(&mut self.api, &asked, is_plain, range).await {
                Ok(answer) => return self.take(&asked, range, answer).map(Some),
                Err(ApiError::TooMuch(_)) if self.points / 2 >= LEAST_POINTS => self.points /= 2,
                Err(ApiError::BadQuery(_)) if is_plain && matches!(asked.question, Question::State(_)) => {
                    self.readings[self.at].is_plain = false;
                }
                Err(ApiError::BadQuery(error)) => return Err(bad(&asked, &error)),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Makes events of what was answered, and goes on behind it.
    fn take(&mut self, asked: &Asked, range: Range, answer: Answer) -> Result<PullBatch, PullError> {
        let mut all = Vec::new();
        let key = asked.key();
        let open = self.cursor.0.get_mut(&key).map(|place| std::mem::take(&mut place.open)).unwrap_or_default();
        let mut still_open = BTreeMap::new();
        match answer {
            Answer::State(series) => {
                let mut named = self.named(asked, series);
                for target in open.keys() {
                    named.entry(target.clone()).or_default();
                }
                for (target, own) in named {
                    let states = joined(own.iter().map(Vec::as_slice), |odd| self.notes.odd(&asked.question, odd));
                    let give = |run| all.push(events::state(&self.source.source, &target, run));
                    let run = extend(open.get(&target).copied(), &states, range.step, give);
                    // One that ended before is not gone on with.
                    still_open.extend(run.filter(|run| run.to == range.last).map(|run| (target, run)));
                }
            }
            Answer::Counts { good, total } => {
                let (mut good, total) = (self.named(asked, good), self.named(asked, total));
                for (target, own) in total {
                    let good = good.remove(&target).unwrap_or_default();
                    let counts = counts(good.iter().map(Vec::as_slice), own.iter().map(Vec::as_slice));
                    self.notes.good(&target, counts.iter().any(|count| count.good > 0), !counts.is_empty());
                    let event = |count| events::count(&self.source.source, &target, range.step, count);
                    all.extend(counts.into_iter().map(event));
                }
            }
        }
        if let Some(place) = self.cursor.0.get_mut(&key) {
            place.until = range.last;
            place.open = still_open;
        }
        self.given += all.len() as u64;
        Ok(self.batch(all))
    }

    /// The samples of each service.
    fn named(&mut self, asked: &Asked, all: Vec<Series>) -> BTreeMap<Target, Vec<Vec<(Time, f64)>>> {
        let mut named: BTreeMap<Target, Vec<_>> = BTreeMap::new();
        for series in all.into_iter().filter(|series| !series.points.is_empty()) {
            self.notes.heard(&asked.question);
            match naming::target(asked, &self.source.routes, &series.labels) {
                Ok(target) => {
                    self.services.insert(target.service.clone());
                    named.entry(target).or_default().push(series.points);
                }
                Err(shown) => self.notes.nameless(&asked.label, shown),
            }
        }
        named
    }

    fn batch(&self, events: Vec<Event>) -> PullBatch {
        let until = |reading: &Reading| self.cursor.0.get(&reading.key).map_or(reading.from, |place| place.until);
        let seconds = |length: Time| u64::try_from(length / SECOND).unwrap_or(0);
        PullBatch {
            events,
            cursor: self.cursor.to_string(),
            done: self.readings.iter().map(|reading| seconds(until(reading) - reading.from)).sum(),
            total: self.readings.iter().map(|reading| seconds(reading.end - reading.from)).sum(),
            read_until: self.readings.iter().map(until).min(),
        }
    }
}

impl Pages for PrometheusPages {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<PullBatch>, PullError>> {
        self.page().boxed()
    }

    fn notes(&self) -> Vec<String> {
        self.notes.sentences()
    }

    fn traffic(&self) -> Traffic {
        self.api.traffic()
    }

    fn summary(&self) -> Summary {
        let requests = self.api.traffic().requests;
        let details = json!({
            "source": self.source.source, "url": self.source.http.url, "services": self.services,
            "intervals": self.given, "requests": requests,
        });
        Summary {
            title: format!("{} {}", SOURCE.name, self.source.http.url),
            read: vec![(self.services.len() as u64, "service", "services"), (self.given, "interval", "intervals")],
            details: details.as_object().cloned().unwrap_or_default(),
            service: self.services.first().cloned(),
        }
    }
}

/// What was answered.
enum Answer {
    State(Vec<Series>),
    Counts { good: Vec<Series>, total: Vec<Series> },
}

async fn ask(api: &mut Api, asked: &Asked, is_plain: bool, range: Range) -> Result<Answer, ApiError> {
    match &asked.question {
        Question::State(query) => {
            let lookback = range.step + range.step / 2;
            // By itself a sample counts for five minutes, and hides gaps that are shorter. Of what is no plain selector only
            // servers that know of a lookback of the query's own can do better.
            let (query, lookback) = match is_plain {
                true => (format!("last_over_time({query}[{}ms])", lookback / MILLISECOND), None),
                false => (query.clone(), Some(lookback)),
            };
            Ok(Answer::State(api.range(&query, range, lookback).await?))
        }
        Question::Counts { good, total } => {
            let [good, total] = asked.sums(good, total, range.step);
            Ok(Answer::Counts {
                good: api.range(&good, range, None).await?,
                total: api.range(&total, range, None).await?,
            })
        }
    }
}

/// What is read next: whole days where that is possible, so that an interval is not said in parts.
fn range(place: &Place, end: Time, points: i64) -> Range {
    let Place { step, until, .. } = *place;
    let most = until.saturating_add(points.saturating_mul(step));
    let day = most.div_euclid(DAY) * DAY;
    let last = match most >= end {
        true => end,
        false if day > until && day % step == 0 => day,
        false => most,
    };
    Range { first: until + step, last, step }
}

/// How far apart the answers are to be that nobody said it of.
async fn step(api: &mut Api, asked: &Asked, now: Time, notes: &mut Notes) -> Result<Time, PullError> {
    let query = match &asked.question {
        Question::Counts { .. } => return Ok(COUNTS_STEP),
        Question::State(query) => query,
    };
    let (seen, why) = match api.samples(query, SAMPLED, now).await {
        Ok(series) => (spacing(&series), "it has no samples just now"),
        // It is asked again as a whole, and then what is wrong with it is said.
        Err(ApiError::BadQuery(_)) => (None, "it is no plain selector"),
        Err(error) => return Err(error.into()),
    };
    if seen.is_none() {
        notes.add(format!(
            "how far apart the samples of {query} are cannot be seen, as {why}: they are read a minute apart; write step to \
             say it"
        ));
    }
    Ok(seen.unwrap_or(STEP))
}

/// How far apart samples are: the middle one of all distances, in whole seconds.
fn spacing(all: &[Series]) -> Option<Time> {
    let pairs = all.iter().flat_map(|series| series.points.windows(2));
    let mut distances: Vec<Time> = pairs.filter_map(|pair| Some(pair.get(1)?.0 - pair.first()?.0)).collect();
    distances.sort_unstable();
    let middle = *distances.get(distances.len() / 2)?;
    Some(((middle + SECOND / 2) / SECOND * SECOND).max(SECOND))
}

/// A query that is none, with what it should be.
fn bad(asked: &Asked, error: &PullError) -> PullError {
    let wanted = match &asked.question {
        Question::State(query) => {
            format!("the query {query} has to give 1 while a service is up and 0 while it is down")
        }
        Question::Counts { good, total } => format!(
            "good ({good}) and total ({total}) have to be counters, like http_requests_total{{code!~\"5..\"}}, without rate() \
             or sum()"
        ),
    };
    PullError::Refused(format!("{error}: {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(until: Time, step: Time) -> Place {
        Place { since: 0, step, until, open: BTreeMap::new() }
    }

    #[test]
    fn whole_days_are_read_where_they_fit_into_one_answer() {
        let step = 15 * SECOND;
        assert_eq!(range(&place(0, step), 30 * DAY, 10_000), Range { first: step, last: DAY, step });
        assert_eq!(range(&place(DAY / 2, step), 30 * DAY, 10_000).last, 2 * DAY);
        assert_eq!(range(&place(0, step), DAY / 2, 10_000).last, DAY / 2);
        // A day of seconds does not fit.
        assert_eq!(range(&place(0, SECOND), 30 * DAY, 10_000).last, 10_000 * SECOND);
        assert_eq!(range(&place(DAY - 100 * SECOND, SECOND), 30 * DAY, 10_000).last, DAY);
        // Steps that do not meet midnight.
        assert_eq!(range(&place(0, 7 * SECOND), 30 * DAY, 20_000).last, 140_000 * SECOND);
    }

    #[test]
    fn the_resolution_is_the_middle_of_what_is_seen() {
        let series = |millis: &[i64]| Series {
            labels: BTreeMap::new(),
            points: millis.iter().map(|at| (at * 1_000, 1.0)).collect(),
        };
        assert_eq!(spacing(&[series(&[0, 15_002, 29_999, 90_000, 105_000])]), Some(15 * SECOND));
        assert_eq!(spacing(&[series(&[0, 200, 400])]), Some(SECOND));
        assert_eq!(spacing(&[series(&[5])]), None);
    }
}
