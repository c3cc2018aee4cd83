//! Prometheus, and what speaks its API (Mimir, Thanos, VictoriaMetrics): the availability of services.
//!
//! Two sorts of queries are read. A **state** is 1 while a service is up and 0 while it is down (`probe_success`, `up`):
//! it becomes intervals. **Counts** are two counters, of good requests and of all: they become numbers for each step.
//!
//! Both are asked at instants that are whole multiples of the step, wherever a run begins, and each answer stands for the
//! step before its instant. So what is read again gives the same events, and nothing is said of what is still to come.
//!
//! - A state that stays is one event for each UTC day. While it goes on, each run says it anew up to where it has read: the
//!   same interval, a little longer.
//! - Where there is no answer there is no event: the time is unobserved. A sample counts for one and a half steps, which
//!   forgives a late scrape. Where the query is more than a selector, a server that cannot be told so (Prometheus before
//!   2.43) lets it count for five minutes.
//! - Where several series are one service's, it is down while any of them says so.

mod api;
mod asked;
mod counts;
mod cursor;
mod events;
mod naming;
mod notes;
mod pages;
mod states;

use futures::FutureExt;
use futures::future::BoxFuture;
use vigie_model::Time;

use super::http::{Http, HttpSettings};
use super::{Pages, Pull, PullError, Source, Start};
use crate::connector::Routes;

pub use asked::{Asked, Question};

/// The registry's line.
pub const SOURCE: Source = Source {
    name: "prometheus",
    about: "The availability of services, from Prometheus or what speaks its API (Mimir, Thanos, VictoriaMetrics).",
};

/// The label that names the service, where no other is given.
pub const LABEL: &str = "service";

/// What is asked of a Prometheus.
#[derive(Debug, Clone)]
pub struct PrometheusSource {
    /// How it is reached: the URL is the one below which `/api/v1` stands.
    pub http: HttpSettings,
    /// Who says so in the events. Each of several pulls needs its own, as two that speak of one service would take
    /// each other's word.
    pub source: String,
    /// The queries.
    pub asked: Vec<Asked>,
    /// Which service the labels of a series mean: what fits here comes before the label.
    pub routes: Routes,
    /// From when on it is read at first; `None`: for 90 days.
    pub since: Option<Time>,
    /// How long after it a sample is sure to be there; `None`: a step, and at most a minute.
    pub delay: Option<Time>,
}

impl Pull for PrometheusSource {
    fn name(&self) -> String {
        let source = if self.source == SOURCE.name { String::new() } else { format!(" source={}", self.source) };
        format!("prometheus {}{source}", self.http.url)
    }

    fn open(&self, start: Start) -> BoxFuture<'_, Result<Box<dyn Pages>, PullError>> {
        async move {
            let http = Http::open(&self.http)?;
            let pages = pages::PrometheusPages::open(self.clone(), http, start).await?;
            Ok(Box::new(pages) as Box<dyn Pages>)
        }
        .boxed()
    }
}
