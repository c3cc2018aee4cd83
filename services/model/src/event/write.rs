//! Events as normalised JSON: one line, the fields in the order of the table, times in UTC.

use std::fmt::Write;

use super::{Event, Value};
use crate::time::write_time;

pub(super) fn to_json(event: &Event) -> String {
    let mut out = String::with_capacity(512);
    out.push_str("{\"kind\":\"");
    out.push_str(event.kind.name());
    out.push_str("\",\"source\":");
    string(&mut out, &event.source);
    if !event.timeless {
        out.push_str(",\"at\":\"");
        write_time(&mut out, event.at);
        out.push('"');
    }
    if event.partial {
        out.push_str(",\"partial\":true");
    }
    if event.deleted {
        out.push_str(",\"deleted\":true");
    }
    let fields = event.kind.fields();
    for (id, value) in &event.fields {
        out.push_str(",\"");
        out.push_str(fields[usize::from(*id)].name);
        out.push_str("\":");
        write_value(&mut out, value);
    }
    out.push('}');
    out
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Time(at) => time(out, *at),
        Value::Text(text) => string(out, text),
        Value::Bool(v) => out.push_str(if *v { "true" } else { "false" }),
        Value::Int(n) => drop(write!(out, "{n}")),
        Value::Texts(items) => list(out, items, |out, item| string(out, item)),
        Value::Commits(items) => list(out, items, |out, item| {
            out.push_str("{\"sha\":");
            string(out, &item.sha);
            out.push_str(",\"authored_at\":");
            time(out, item.authored_at);
            out.push('}');
        }),
        Value::Revisions(items) => list(out, items, |out, item| {
            out.push_str("{\"repository\":");
            string(out, &item.repository);
            out.push_str(",\"revision\":");
            string(out, &item.revision);
            out.push('}');
        }),
        Value::Repositories(items) => list(out, items, |out, item| {
            out.push_str("{\"repository\":");
            string(out, &item.repository);
            if !item.paths.is_empty() {
                out.push_str(",\"paths\":");
                list(out, &item.paths, |out, path| string(out, path));
            }
            if !item.formerly.is_empty() {
                out.push_str(",\"formerly\":");
                list(out, &item.formerly, |out, name| string(out, name));
            }
            out.push('}');
        }),
        Value::Labels(labels) => {
            out.push('{');
            for (i, (key, label)) in labels.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                string(out, key);
                out.push(':');
                string(out, label);
            }
            out.push('}');
        }
    }
}

fn list<T>(out: &mut String, items: &[T], write: impl Fn(&mut String, &T)) {
    out.push('[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(']');
}

fn time(out: &mut String, at: crate::Time) {
    out.push('"');
    write_time(out, at);
    out.push('"');
}

/// Whether a byte of a string is written as an escape.
const ESCAPED: [bool; 256] = {
    let mut escaped = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        escaped[byte] = true;
        byte += 1;
    }
    escaped[b'"' as usize] = true;
    escaped[b'\\' as usize] = true;
    escaped
};

fn string(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = text;
    while let Some(at) = plain.bytes().position(|byte| ESCAPED[usize::from(byte)]) {
        out.push_str(&plain[..at]);
        match plain.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            // Writing to a String cannot fail.
            byte => drop(write!(out, "\\u{byte:04x}")),
        }
        plain = &plain[at + 1..];
    }
    out.push_str(plain);
    out.push('"');
}
