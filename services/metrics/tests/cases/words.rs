//! A line's words, times and durations as cases write them.

use vigie_model::duration::parse_every;
use vigie_model::{MINUTE, Time, parse_time};

/// A line cut at blanks; what stands in double quotes is one word.
pub fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut is_quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => is_quoted = !is_quoted,
            blank if blank.is_whitespace() && !is_quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            _ => word.push(letter),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// A time: a whole RFC 3339 one, or short, in UTC: `2026-10-01`, `2026-10-01T12:30`, `2026-10-01T12:30:05`.
pub fn time(text: &str) -> Result<Time, String> {
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        16 => format!("{text}:00Z"),
        19 => format!("{text}Z"),
        _ => text.to_owned(),
    };
    parse_time(&whole).map_err(|error| format!("{text}: {error}"))
}

/// A time as it is written in events.
pub fn stamp(text: &str) -> Result<String, String> {
    time(text).map(vigie_model::format_time)
}

/// Two times, `from..to`; either may be left out.
pub fn span(text: &str) -> Result<(Option<Time>, Option<Time>), String> {
    let (from, to) = text.split_once("..").ok_or_else(|| format!("{text} is no span, like FROM..TO"))?;
    let end = |text: &str| if text.is_empty() { Ok(None) } else { time(text).map(Some) };
    Ok((end(from)?, end(to)?))
}

/// A number: `0.9`, `4/6`, `1-1.5/24`, `90%`, a length of time in seconds (`1h30m`, `PT1H`), or `none`.
pub fn number(text: &str) -> Result<Option<f64>, String> {
    if text == "none" || text == "-" {
        return Ok(None);
    }
    if let Some(percent) = text.strip_suffix('%') {
        return Ok(number(percent)?.map(|n| n / 100.0));
    }
    if let Some((whole, rest)) = text.split_once('-').filter(|(whole, _)| !whole.is_empty()) {
        return Ok(number(whole)?.zip(number(rest)?).map(|(a, b)| a - b));
    }
    if let Some((above, below)) = text.split_once('/') {
        return Ok(number(above)?.zip(number(below)?).map(|(a, b)| a / b));
    }
    if let Ok(plain) = text.parse::<f64>() {
        return Ok(Some(plain));
    }
    match parse_every(text) {
        Ok(micros) => Ok(Some(micros as f64 / 1e6)),
        Err(error) => Err(format!("{text} is no number: {error}")),
    }
}

/// Whether two numbers are the same as far as the one that was written goes.
pub fn same(found: Option<f64>, expected: Option<f64>) -> bool {
    match (found, expected) {
        (Some(found), Some(expected)) => (found - expected).abs() <= 1e-9 * expected.abs().max(1e-3),
        (None, None) => true,
        _ => false,
    }
}

/// For messages.
pub fn show(value: Option<f64>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| format!("{value}"))
}

/// `every 8h`.
pub fn length(text: &str) -> Result<Time, String> {
    let micros = parse_every(text).map_err(|error| error.to_string())?;
    if micros < MINUTE / 60 { Err(format!("{text} is too short")) } else { Ok(micros) }
}
