//! Reading single values: each is given back checked, or noted as wrong.

use chrono::{NaiveDate, Weekday};
use toml::de::DeValue;
use vigie_model::duration::parse_every;
use vigie_model::pattern::PathPattern;
use vigie_model::settings::BudgetWindow;
use vigie_model::window::Zone;
use vigie_model::{Time, parse_time};

use super::problem::{Origin, remedy};
use super::reader::{Node, Reader};

impl Reader {
    pub(super) fn mistyped<T>(&mut self, node: &Node<'_>, expected: &str) -> Option<T> {
        self.wrong(node, format_args!("expected {expected}, found {}", found(node.value)));
        None
    }

    pub(super) fn title(&mut self, node: &Node<'_>) -> Option<String> {
        match node.value {
            DeValue::String(text) => Some(text.trim().to_owned()),
            _ => self.mistyped(node, "a text in quotes"),
        }
    }

    /// A text that is not empty and of which an id may be made.
    pub(super) fn text(&mut self, node: &Node<'_>) -> Option<String> {
        let text = self.title(node)?;
        if text.is_empty() {
            self.wrong(node, "empty; write something, or leave the key out");
            return None;
        }
        if text.len() > 500 || text.chars().any(char::is_control) {
            self.wrong(node, "at most 500 bytes and no control characters are allowed");
            return None;
        }
        Some(text)
    }

    pub(super) fn texts(&mut self, node: &Node<'_>) -> Option<Vec<String>> {
        if let (Origin::Outside(_), DeValue::String(list)) = (&node.origin, node.value) {
            // A variable holds one text, so a list is separated by commas.
            return Some(list.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect());
        }
        Some(self.items(node).iter().filter_map(|item| self.text(item)).collect())
    }

    pub(super) fn paths(&mut self, node: &Node<'_>) -> Option<Vec<String>> {
        let mut paths = Vec::new();
        for item in self.items(node) {
            let Some(path) = self.text(&item) else {
                continue;
            };
            match PathPattern::new(&path) {
                Ok(_) => paths.push(path),
                Err(error) => self.wrong(&item, error),
            }
        }
        Some(paths)
    }

    pub(super) fn flag(&mut self, node: &Node<'_>) -> Option<bool> {
        match (node.value, &node.origin) {
            (DeValue::Boolean(flag), _) => Some(*flag),
            (DeValue::String(text), Origin::Outside(_)) if text == "true" || text == "1" => Some(true),
            (DeValue::String(text), Origin::Outside(_)) if text == "false" || text == "0" => Some(false),
            _ => self.mistyped(node, "true or false (without quotes)"),
        }
    }

    pub(super) fn whole(&mut self, node: &Node<'_>, least: i64, most: i64) -> Option<i64> {
        let wanted = match least == most {
            true => format!("{least}"),
            false => format!("a whole number from {least} to {most}"),
        };
        let number = match (node.value, &node.origin) {
            (DeValue::Integer(number), _) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            (DeValue::String(text), Origin::Outside(_)) => text.trim().parse().ok(),
            _ => {
                return self.mistyped(node, &format!("{wanted} (without quotes)"));
            }
        };
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.wrong(node, format_args!("write {wanted}"));
        }
        number
    }

    pub(super) fn bytes(&mut self, node: &Node<'_>) -> Option<usize> {
        let number = match node.value {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            DeValue::String(text) => parse_bytes(text),
            _ => return self.mistyped(node, "a number of bytes, like 1048576 or \"1 MiB\""),
        };
        let number = number.filter(|number| (1_024..=1 << 40).contains(number));
        if number.is_none() {
            self.wrong(node, "write a number of bytes, at least 1024, like 1048576 or \"1 MiB\"");
        }
        number.and_then(|number| usize::try_from(number).ok())
    }

    pub(super) fn share(&mut self, node: &Node<'_>) -> Option<f64> {
        let number = match (node.value, &node.origin) {
            (DeValue::Float(number), _) => number.as_str().parse::<f64>().ok(),
            (DeValue::Integer(number), _) => number.as_str().parse().ok(),
            (DeValue::String(text), Origin::Outside(_)) => text.trim().parse().ok(),
            _ => return self.mistyped(node, "a number from 0 to 1, like 0.1 (without quotes)"),
        };
        let number = number.filter(|number| (0.0..=1.0).contains(number));
        if number.is_none() {
            self.wrong(node, "write a number from 0 to 1, like 0.1");
        }
        number
    }

    /// A text that `read` makes something of.
    pub(super) fn parsed<T, E: std::fmt::Display>(
        &mut self,
        node: &Node<'_>,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(node)?;
        match read(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.wrong(node, error);
                None
            }
        }
    }

    pub(super) fn zone(&mut self, node: &Node<'_>) -> Option<String> {
        self.parsed(node, |name| Zone::parse(name).map(|zone| zone.name().to_owned()))
    }

    pub(super) fn length(&mut self, node: &Node<'_>) -> Option<Time> {
        self.parsed(node, parse_every)
    }

    pub(super) fn budget(&mut self, node: &Node<'_>) -> Option<BudgetWindow> {
        self.parsed(node, BudgetWindow::parse)
    }

    /// One of the words.
    pub(super) fn choice<T>(&mut self, node: &Node<'_>, parse: fn(&str) -> Option<T>, names: &[&str]) -> Option<T> {
        self.parsed(node, |name| parse(name).ok_or_else(|| format!("unknown; {}", remedy(name, names))))
    }

    /// Some of the words, each once.
    pub(super) fn choices<T: PartialEq>(
        &mut self,
        node: &Node<'_>,
        parse: fn(&str) -> Option<T>,
        names: &[&str],
    ) -> Option<Vec<T>> {
        let mut all = Vec::new();
        if let (Origin::Outside(_), DeValue::String(_)) = (&node.origin, node.value) {
            for name in self.texts(node)? {
                match parse(&name) {
                    Some(value) => all.push(value),
                    None => self.wrong(node, format_args!("{name:?} is unknown; {}", remedy(&name, names))),
                }
            }
        } else {
            for item in self.items(node) {
                all.extend(self.choice(&item, parse, names));
            }
        }
        let mut once: Vec<T> = Vec::with_capacity(all.len());
        for value in all {
            if !once.contains(&value) {
                once.push(value);
            }
        }
        Some(once)
    }

    pub(super) fn weekdays(&mut self, node: &Node<'_>) -> Option<Vec<Weekday>> {
        let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let days = self.choices(node, |name| name.parse().ok(), &names)?;
        if is_empty_list(node) {
            self.wrong(node, "at least one day has to be a working day");
        }
        Some(days)
    }

    pub(super) fn date(&mut self, node: &Node<'_>) -> Option<NaiveDate> {
        let text = match node.value {
            DeValue::Datetime(date) => date.to_string(),
            DeValue::String(text) => text.to_string(),
            _ => return self.mistyped(node, "a date, like 2026-07-01"),
        };
        let date = text.parse().ok();
        if date.is_none() {
            self.wrong(node, "this is no date; write it like 2026-07-01");
        }
        date
    }

    pub(super) fn dates(&mut self, node: &Node<'_>) -> Option<Vec<NaiveDate>> {
        let mut dates: Vec<_> = self.items(node).iter().filter_map(|item| self.date(item)).collect();
        dates.sort_unstable();
        dates.dedup();
        Some(dates)
    }

    pub(super) fn instant(&mut self, node: &Node<'_>) -> Option<Time> {
        let text = match node.value {
            // TOML allows a space for the T.
            DeValue::Datetime(at) => at.to_string().replace(' ', "T"),
            DeValue::String(text) => text.to_string(),
            _ => return self.mistyped(node, "a time, like 2026-10-01T12:00:00Z"),
        };
        match parse_time(&text) {
            Ok(at) => Some(at),
            Err(error) => {
                self.wrong(node, error);
                None
            }
        }
    }
}

/// Whether a list with nothing in it was written.
pub(super) fn is_empty_list(node: &Node<'_>) -> bool {
    matches!(node.value, DeValue::Array(items) if items.is_empty())
}

fn parse_bytes(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim().to_lowercase().as_str() {
        "" | "b" => 1,
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(factor)
}

fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
