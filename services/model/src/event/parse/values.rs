//! The values of fields: each reader takes the name that a fault is to be reported under.

use super::super::{Labels, Rejection, RepositoryPaths};
use crate::json::{Json, shorten};
use crate::{Time, parse_time};

/// The longest id, in bytes.
const MAX_ID: usize = 500;

pub(super) fn missing(field: &str, hint: &str) -> Rejection {
    Rejection::new(field, "it is missing", hint)
}

pub(super) fn required<'j, 'a>(name: &str, value: Option<&'j Json<'a>>) -> Result<&'j Json<'a>, Rejection> {
    value.ok_or_else(|| missing(name, "give it"))
}

pub(super) fn wrong_type(name: &str, wanted: &str, value: &Json) -> Rejection {
    let error = match value {
        Json::Null => format!("it is null, not {wanted}"),
        _ => format!("{} is {}, not {wanted}", value.shortened(), value.type_name()),
    };
    Rejection::new(name, error, format!("send {wanted}"))
}

pub(super) fn too_long(name: &str, value: &Json, len: usize, max: usize) -> Rejection {
    Rejection::new(name, format!("{} has {len} bytes, more than {max}", value.shortened()), "shorten it")
}

pub(super) fn read_text<'j>(name: &str, value: &'j Json, max: usize) -> Result<&'j str, Rejection> {
    let Json::Text(text) = value else {
        return Err(wrong_type(name, "a string", value));
    };
    if text.contains('\0') {
        return Err(Rejection::new(
            name,
            format!("{} holds a NUL character", value.shortened()),
            "leave NUL characters out",
        ));
    }
    if text.len() > max {
        return Err(too_long(name, value, text.len(), max));
    }
    Ok(text)
}

/// A name or id.
///
/// # Errors
/// Where it is no string, empty, too long or holds control characters.
pub fn read_id<'j>(name: &str, value: &'j Json) -> Result<&'j str, Rejection> {
    let text = read_text(name, value, MAX_ID)?;
    if text.trim().is_empty() {
        return Err(Rejection::new(name, "it is empty", "give it a value, or leave the field out"));
    }
    if text.chars().any(char::is_control) {
        return Err(Rejection::new(
            name,
            format!("{} holds a control character", value.shortened()),
            "use printable characters",
        ));
    }
    Ok(text)
}

/// An id that is compared without regard to case. Lower case may be longer (`İ`), and what is stored has to be
/// read again.
pub(super) fn read_lower_id(name: &str, value: &Json) -> Result<Box<str>, Rejection> {
    let lower = read_id(name, value)?.to_lowercase();
    if lower.len() > MAX_ID {
        return Err(too_long(name, value, lower.len(), MAX_ID));
    }
    Ok(lower.into())
}

/// A time with its offset.
///
/// # Errors
/// Where it is no string, no time, or has no offset.
pub fn read_time(name: &str, value: &Json) -> Result<Time, Rejection> {
    let Json::Text(text) = value else {
        return Err(wrong_type(name, "a time in a string, like \"2026-10-01T12:00:00Z\"", value));
    };
    parse_time(text).map_err(|error| {
        let message = error.to_string();
        let (what, hint) = message.split_once("; ").unwrap_or((&message, "write it like 2026-10-01T12:00:00Z"));
        Rejection::new(name, format!("{}: {what}", value.shortened()), hint)
    })
}

pub(super) fn read_bool(name: &str, value: &Json) -> Result<bool, Rejection> {
    match value {
        Json::Bool(v) => Ok(*v),
        _ => Err(wrong_type(name, "true or false", value)),
    }
}

pub(super) fn read_count(name: &str, value: &Json) -> Result<i64, Rejection> {
    match value {
        Json::Int(n) if *n >= 0 => Ok(*n),
        Json::Int(_) | Json::Float(_) => Err(Rejection::new(
            name,
            format!("{} is no whole number from 0 to {}", value.shortened(), i64::MAX),
            "send a whole number, zero or more",
        )),
        _ => Err(wrong_type(name, "a whole number", value)),
    }
}

pub(super) fn read_sha(name: &str, value: &Json) -> Result<Box<str>, Rejection> {
    let text = read_text(name, value, 10_000)?;
    if !matches!(text.len(), 40 | 64) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Rejection::new(
            name,
            format!("{} is no commit hash", value.shortened()),
            "send the full hash, 40 (or 64) hexadecimal digits",
        ));
    }
    Ok(text.to_ascii_lowercase().into())
}

pub(super) fn read_list<T>(
    name: &str,
    value: &Json,
    mut read: impl FnMut(&str, &Json) -> Result<T, Rejection>,
) -> Result<Vec<T>, Rejection> {
    let Json::List(items) = value else {
        return Err(wrong_type(name, "an array", value));
    };
    items
        .iter()
        .enumerate()
        // The name with its index is only written for a fault: this runs for every parent of every commit.
        .map(|(i, item)| read("", item).or_else(|_| read(&format!("{name}[{i}]"), item)))
        .collect()
}

/// The named members of an object that has no others.
pub(super) fn members<'j, 'a, const N: usize>(
    name: &str,
    value: &'j Json<'a>,
    names: [&str; N],
) -> Result<[Option<&'j Json<'a>>; N], Rejection> {
    let Json::Object(members) = value else {
        return Err(wrong_type(name, "an object", value));
    };
    let mut found = [None; N];
    for (key, value) in members {
        match names.iter().position(|n| n == key) {
            Some(i) => found[i] = Some(value),
            None => {
                let hint = nearest(key, names.iter().copied())
                    .map_or_else(|| format!("it has {}", names.join(", ")), |near| format!("did you mean {near}?"));
                return Err(Rejection::new(format!("{name}.{}", shorten(key)), "there is no such member", hint));
            }
        }
    }
    Ok(found)
}

pub(super) fn read_repository(name: &str, value: &Json) -> Result<RepositoryPaths, Rejection> {
    // A plain name stands for the whole repository.
    if let Json::Text(_) = value {
        return Ok(RepositoryPaths {
            repository: read_lower_id(name, value)?,
            paths: Vec::new(),
            formerly: Vec::new(),
        });
    }
    let [repository, paths, formerly] = members(name, value, ["repository", "paths", "formerly"])?;
    let repository_name = format!("{name}.repository");
    let some = |v: Option<&Json>, part: &str, max: usize| -> Result<Vec<Box<str>>, Rejection> {
        match v {
            None | Some(Json::Null) => Ok(Vec::new()),
            Some(list) => read_list(&format!("{name}.{part}"), list, |n, v| Ok(read_text(n, v, max)?.into())),
        }
    };
    Ok(RepositoryPaths {
        repository: read_lower_id(&repository_name, required(&repository_name, repository)?)?,
        paths: some(paths, "paths", 4_096)?,
        formerly: some(formerly, "formerly", 500)?.iter().map(|s| s.to_lowercase().into()).collect(),
    })
}

pub(super) fn read_labels(name: &str, value: &Json) -> Result<Labels, Rejection> {
    let Json::Object(members) = value else {
        return Err(wrong_type(name, "an object of strings", value));
    };
    let mut labels = Vec::with_capacity(members.len());
    for (key, value) in members {
        let at = format!("{name}.{}", shorten(key));
        if key.contains('\0') || key.len() > 500 {
            return Err(Rejection::new(
                at,
                "this key is too long or holds a NUL character",
                "use keys of up to 500 bytes",
            ));
        }
        labels.push((key.as_ref().into(), read_text(&at, value, 10_000)?.into()));
    }
    labels.sort();
    Ok(labels)
}

/// The known name that is most like `name`, where one is like it at all: a slip of the fingers, or a beginning
/// (`env`, `repository_name`).
pub(super) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str> + Clone) -> Option<&'n str> {
    // A name of megabytes is not worth comparing.
    let name: String = name.chars().take(64).collect::<String>().to_lowercase();
    let slip = known
        .clone()
        .map(|k| (strsim::damerau_levenshtein(&name, k), k))
        .filter(|(distance, k)| *distance <= (name.len().min(k.len()) / 3).max(1))
        .min();
    let beginning =
        || known.filter(|k| name.len() >= 3 && k.len() >= 3 && (k.starts_with(&*name) || name.starts_with(k)));
    match slip {
        Some((_, near)) => Some(near),
        None => beginning().max_by_key(|k| k.bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count()),
    }
}
