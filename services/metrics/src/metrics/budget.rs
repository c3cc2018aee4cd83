//! The error budget of an uptime objective, and how fast it burns (metrics.md, Uptime).

use vigie_model::settings::{BudgetWindow, UptimeSource};
use vigie_model::window::{Window, month_of, month_window};
use vigie_model::{DAY, HOUR, MINUTE, Time};

use crate::sample::seconds;
use crate::slice::{ServiceUptime, Slice};

/// The look-backs of the alert pairs: 1 h and 5 min, 6 h and 30 min (page), 1 d and 2 h, 3 d and 6 h (ticket).
pub const LOOK_BACKS: [Time; 7] = [5 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, DAY, 3 * DAY];

/// How much may go wrong in the budget window, and how much did.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorBudget {
    /// The budget window's start.
    pub from: Time,
    /// Its end, which may lie ahead.
    pub to: Time,
    /// Seconds that the service may be down in it.
    pub allowed: f64,
    /// The share of that which is spent; above 1 where more is.
    pub spent: f64,
    /// `1 - spent`; may be below 0.
    pub left: f64,
    /// One for each of [`LOOK_BACKS`], ending where the question's window does.
    pub burn_rates: Vec<BurnRate>,
}

/// How many times faster than allowed errors come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BurnRate {
    /// Microseconds.
    pub look_back: Time,
    /// `(1 - uptime) / (1 - objective)`; `None`: nothing was observed.
    pub rate: Option<f64>,
}

/// The budget window that holds the end of a slice: the calendar month, or a rolling one that ends there.
fn budget_window(slice: &Slice) -> (Time, Time) {
    let end = slice.window().to;
    match slice.settings().budget_window {
        BudgetWindow::Month => {
            let zone = slice.zone();
            // A window's end lies outside it: the end of October is judged in October.
            let (year, month) = month_of(zone, end.saturating_sub(1));
            month_window(zone, year, month)
        }
        BudgetWindow::Rolling(length) => (end.saturating_sub(length), end),
    }
}

/// How much of its budget is left, 1 being all; `None` where nothing was observed.
pub(crate) fn left(slice: &Slice, objective: f64) -> Option<f64> {
    let (from, to) = budget_window(slice);
    Some(1.0 - spent(slice, from, to, objective)?)
}

/// The mean over the services with data of their down time so far / what is allowed.
#[allow(clippy::cast_precision_loss)] // counts and lengths far below 2^53
fn spent(slice: &Slice, from: Time, to: Time, objective: f64) -> Option<f64> {
    let allowed = (1.0 - objective) * seconds(to - from);
    let end = slice.window().to.min(to);
    let so_far = slice.over(vec![Window::new(from, end)]);
    let known = so_far.first().service_uptimes();
    if known.is_empty() || allowed <= 0.0 {
        return None;
    }
    let down = |own: &ServiceUptime| match own.source {
        // Requests know no time: the share that failed stands for as much of the time so far.
        UptimeSource::Requests => (1.0 - own.ratio()) * seconds(end - from),
        UptimeSource::Probes | UptimeSource::Incidents => seconds(own.observed - own.up),
    };
    Some(known.iter().map(down).sum::<f64>() / known.len() as f64 / allowed)
}

pub(crate) fn budget(slice: &Slice, objective: f64) -> Option<ErrorBudget> {
    let (from, to) = budget_window(slice);
    let spent = spent(slice, from, to, objective)?;
    let end = slice.window().to;
    let windows = LOOK_BACKS.iter().map(|length| Window::new(end.saturating_sub(*length), end));
    let look_backs = slice.over(windows.collect());
    let rates = LOOK_BACKS.iter().zip(look_backs.iter()).map(|(look_back, slice)| BurnRate {
        look_back: *look_back,
        rate: slice.uptimes().ratios.value().map(|value| (1.0 - value) / (1.0 - objective)),
    });
    let allowed = (1.0 - objective) * seconds(to - from);
    Some(ErrorBudget { from, to, allowed, spent, left: 1.0 - spent, burn_rates: rates.collect() })
}
