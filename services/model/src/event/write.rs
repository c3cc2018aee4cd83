//! Events as normalised JSON: one line, the fields in the order of the table, times in UTC.

use super::{Event, Value, time_text};

pub(super) fn to_json(event: &Event) -> String {
    let mut out = String::with_capacity(256);
    out.push_str("{\"kind\":\"");
    out.push_str(event.kind.name());
    out.push_str("\",\"source\":");
    string(&mut out, &event.source);
    if !event.timeless {
        out.push_str(",\"at\":\"");
        out.push_str(&time_text(event.at));
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
        Value::Int(n) => out.push_str(&n.to_string()),
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
    out.push_str(&time_text(at));
    out.push('"');
}

fn string(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (i, byte) in text.bytes().enumerate() {
        let escape: &str = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(&text[plain..i]);
        if escape.is_empty() {
            out.push_str(&format!("\\u{byte:04x}"));
        } else {
            out.push_str(escape);
        }
        plain = i + 1;
    }
    out.push_str(&text[plain..]);
    out.push('"');
}
