//! Small things that the measurements share.

use std::time::Duration;

/// The value below which this share of the sorted values lies.
pub fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let at = (sorted.len() as f64 * share) as usize;
    sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// The most memory that this process has had so far, in megabytes (Linux).
pub fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)).and_then(|text| text.parse().ok());
    kilobytes.unwrap_or(0u64) / 1024
}

/// The number after `--name`, else the default.
pub fn argument(name: &str, default: usize) -> usize {
    text_argument(name).and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// The text after `--name`.
pub fn text_argument(name: &str) -> Option<String> {
    let mut arguments = std::env::args();
    arguments.find(|argument| *argument == format!("--{name}"))?;
    arguments.next()
}
