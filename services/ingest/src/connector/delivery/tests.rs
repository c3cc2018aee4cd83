use serde_json::json;

use super::*;

fn manifest(rest: &str) -> Manifest {
    Manifest::parse("connector.toml", &format!("title = \"T\"\nabout = \"A\"\n{rest}")).unwrap()
}

fn seen(envelope: &Envelope<'_>) -> Value {
    let settings = Map::from_iter([("as".to_owned(), json!("auto"))]);
    serde_json::from_slice(&envelope.input("tool", &settings, 0)).unwrap()
}

#[test]
fn the_map_sees_the_delivery_with_its_id_and_type() {
    let manifest = manifest("[delivery]\nid = \"headers.x-id\"\ntype = \"body.events.1.kind\"");
    let headers = [("x-id", " 7 "), ("accept", "*/*"), ("authorization", "Bearer s3cret"), ("x-id", "8")];
    let body = br#" {"events": [{"kind": "a"}, {"kind": "b"}], "n": 12345678901234567890.5} "#;
    let envelope = Envelope::read(&manifest, headers, body).unwrap();
    assert_eq!((envelope.id.as_deref(), envelope.kind.as_deref()), (Some("7"), Some("b")));
    let seen = seen(&envelope);
    assert_eq!(seen["headers"], json!({"x-id": " 7 ", "accept": "*/*"}), "the first of two counts; no secrets");
    assert_eq!(
        (&seen["type"], &seen["source"], &seen["settings"]["as"]),
        (&json!("b"), &json!("tool"), &json!("auto"))
    );
    assert_eq!(seen["received_at"], "1970-01-01T00:00:00Z");
    let input = envelope.input("tool", &Map::new(), 0);
    assert!(String::from_utf8(input).unwrap().contains("12345678901234567890.5"));
}

#[test]
fn an_id_and_a_type_are_texts_wherever_they_stand() {
    for (body, id) in [
        (r#"{"a": {"b": "x"}}"#, Some("x")),
        (r#"{"a": {"b": 12}}"#, Some("12")),
        (r#"{"a": {"b": true}}"#, Some("true")),
        (r#"{"a": {"b": "x"}, "a": {"b": "y"}}"#, Some("y")),
        (r#"{"a": {"b": {"b": "z"}}}"#, None),
        (r#"{"a": {"b": null}}"#, None),
        (r#"{"a": {"b": " "}}"#, None),
        (r#"{"b": "x", "a": []}"#, None),
        ("[]", None),
        ("7", None),
    ] {
        let manifest = manifest("[delivery]\nid = \"body.a.b\"");
        let envelope = Envelope::read(&manifest, [], body.as_bytes()).unwrap();
        assert_eq!(envelope.id.as_deref(), id, "{body}");
    }
}

#[test]
fn a_form_holds_json_in_its_field_or_is_an_object_itself() {
    let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    let payload = manifest("[delivery]\nform = \"payload\"\ntype = \"body.a\"");
    let envelope = Envelope::read(&payload, form, b"x=1&payload=%7B%22a%22%3A+%22caf%C3%A9%22%7D").unwrap();
    assert_eq!((envelope.kind.as_deref(), &seen(&envelope)["body"]), (Some("café"), &json!({"a": "café"})));
    assert_eq!(Envelope::read(&payload, form, b"x=1"), Err(Unreadable::NoField("payload".to_owned())));
    let whole = manifest("[delivery]\nform = \"\"");
    let envelope = Envelope::read(&whole, form, b"a=1+2&b=%zz&c&d=50%").unwrap();
    assert_eq!(seen(&envelope)["body"], json!({"a": "1 2", "b": "%zz", "c": "", "d": "50%"}));
    let neither = manifest("");
    assert_eq!(Envelope::read(&neither, form, b"a=1"), Err(Unreadable::Form));
    assert!(Envelope::read(&neither, form, b"{\"a\": 1}").is_ok(), "JSON under a form's content type");
}

#[test]
fn what_is_no_json_is_refused() {
    let manifest = manifest("");
    let read = |body: &[u8]| Envelope::read(&manifest, [], body).map(|_| ()).unwrap_err();
    assert_eq!((read(b""), read(b" \n")), (Unreadable::Empty, Unreadable::Empty));
    assert_eq!(read(b"\"\xff\""), Unreadable::NotUtf8(1));
    for body in ["{", "hello", "{} {}", "{\"a\": 1e999}", "# {}", "{\"a\": NaN}"] {
        assert!(matches!(read(body.as_bytes()), Unreadable::NotJson(_)), "{body}");
    }
    let deep = "[".repeat(100_000);
    assert!(matches!(read(deep.as_bytes()), Unreadable::NotJson(error) if error.contains("recursion")));
    assert!(Envelope::read(&manifest, [], "\u{feff}{}".as_bytes()).is_ok(), "a byte order mark is no content");
}
