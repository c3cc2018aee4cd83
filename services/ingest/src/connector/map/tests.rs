use super::*;

const LIMITS: OutputLimits = OutputLimits { bytes: 10_000, events: 100 };

fn run(map: &str, input: &str) -> Result<String, String> {
    let program = Program::compile("tool/map.jq", map).map_err(|error| error.to_string())?;
    let out = program.run(input.as_bytes(), LIMITS).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn a_map_puts_out_a_line_a_value() {
    assert_eq!(run(".a[] | {b: .}", r#"{"a": [1, "x\ny"]}"#).unwrap(), "{\"b\":1}\n{\"b\":\"x\\ny\"}\n");
    assert_eq!(run("empty", "{}").unwrap(), "");
    assert_eq!(
        run("[.n, (.s | test(\"^A\"; \"i\"))]", r#"{"n": 12345678901234567890, "s": "abc"}"#).unwrap(),
        "[12345678901234567890,true]\n"
    );
}

#[test]
fn a_map_has_the_prelude_and_may_override_it() {
    assert_eq!(run("\"Shop Checkout!\" | slug", "{}").unwrap(), "\"shop-checkout\"\n");
    assert_eq!(run("def slug: \"mine\"; 7 | slug", "{}").unwrap(), "\"mine\"\n");
    assert_eq!(run("\"2026-10-03 10:05:00 +0200\" | time", "{}").unwrap(), "\"2026-10-03T10:05:00+02:00\"\n");
    assert_eq!(
        run(".x | need(\"rollout.number\")", "{}").unwrap_err(),
        "tool/map.jq:1: rollout.number is missing; the input was null"
    );
}

#[test]
fn what_is_native_does_what_its_definition_does() {
    let plain = PRELUDE.split("\ndef record(").nth(1).and_then(|rest| rest.split_once(";\n\n")).unwrap().0;
    let plain = format!("def record({plain};\n");
    for call in [
        "record([\"a\", \"b\", \"c\"]; [1, null, {d: null}])",
        "record([]; [])",
        "record([\"a\", \"b\"]; [false])",
        "record([\"a\", \"a\"]; [1, 2])",
        "[record([\"a\"]; [1], [2])]",
    ] {
        assert_eq!(run(call, "{}"), run(&format!("{plain}{call}"), "{}"), "{call}");
    }
    assert!(run("record(1; 2)", "{}").unwrap_err().contains("record takes a list of names and a list of values"));
}

#[test]
fn an_error_of_the_map_names_the_file_and_the_value_shortened() {
    assert_eq!(run("error(\"no such thing\")", "{}").unwrap_err(), "tool/map.jq:1: no such thing; the input was {}");
    assert_eq!(run("error({a: 1})", "{}").unwrap_err(), "tool/map.jq:1: {\"a\":1}; the input was {}");
    assert_eq!(
        run(".a.b", r#"{"a": "text"}"#).unwrap_err(),
        "tool/map.jq:1: cannot index \"text\" with \"b\"; the input was {\"a\":\"text\"}"
    );
    let long = format!(r#"{{"a": "{}"}}"#, "x".repeat(100_000));
    let error = run(".a.b", &long).unwrap_err();
    assert!(error.len() < 500 && error.contains("with \"b\"; the input was"), "{error}");
    assert!(run(".", "{").unwrap_err().starts_with("tool/map.jq: "));
}

#[test]
fn an_error_of_the_map_names_the_line_and_what_it_was_given() {
    let map = "# A comment.\ndef day:\n  split(\"T\")\n  | first;\n\n.rollout\n| {number: (.n + 1),\n   day: (.started | day)}";
    let said = |input: &str| run(map, input).unwrap_err();
    assert_eq!(
        said(r#"{"rollout": {"n": 1, "started": 5}}"#),
        "tool/map.jq:3: split input and separator must be strings; the input was 5"
    );
    assert_eq!(
        said(r#"{"rollout": {"n": [], "started": ""}}"#),
        "tool/map.jq:7: cannot calculate [] + 1; the input was {\"n\":[],\"started\":\"\"}"
    );
    assert_eq!(said("[]"), "tool/map.jq:6: cannot index [] with \"rollout\"");
    // A map that looks at its own errors fails as it would without anybody looking, be it without a place.
    let own = "try (.a | error(\"x\")) catch if . == \"x\" then error(\"mine\") else \"looked at\" end";
    assert_eq!(run(own, "{}").unwrap_err(), "tool/map.jq: mine");
    // Paths and updates stay what they are.
    assert_eq!(run("path(.a.b), (.a |= 1), (.c = 2)", "{}").unwrap().lines().count(), 3);
    assert!(run(".a.b |= 1", "{\"a\": 5}").unwrap_err().starts_with("tool/map.jq:"));
}

#[test]
fn what_does_not_compile_is_said_with_its_place_in_the_map() {
    for (map, said) in [
        ("def a:\n  .b |\n  slgu;\na", "tool/map.jq:3:3: there is no function slgu"),
        (".a | need", "tool/map.jq:1:6: there is no function need"),
        ("need(1; 2)", "tool/map.jq:1:1: there is no function need with 2 arguments"),
        ("\"é\" + $x", "tool/map.jq:1:7: there is no variable $x"),
        ("{a: 1", "tool/map.jq:1:6: expected closing brace, found the end"),
        ("if . then 1", "tool/map.jq:1:12: expected else or end, found the end"),
        ("", "tool/map.jq:1:1: expected term, found the end"),
        (". ]", "tool/map.jq:1:3: expected token, found ]"),
        ("import \"x\" as x; .", "module loading not supported"),
        ("import \"x\" as $x; $x", "a map has no modules"),
        ("include \"x\"; .", "module loading not supported"),
    ] {
        let error = run(map, "{}").unwrap_err();
        assert!(error.contains(said), "{map}\n{error}");
    }
}

#[test]
fn nothing_leads_out_of_a_map() {
    for name in [
        "now",
        "env",
        "input",
        "inputs",
        "debug",
        "debug(1)",
        "stderr",
        "halt",
        "halt_error",
        "localtime",
        "input_filename",
    ] {
        let error = run(name, "{}").unwrap_err();
        assert!(error.contains("there is no "), "{name}: {error}");
    }
    assert!(run("$ENV", "{}").unwrap_err().contains("there is no variable $ENV"));
    assert!(run("now", "{}").unwrap_err().contains("depends on the delivery alone"));
}

#[test]
fn too_much_output_is_an_error() {
    let program = |map: &str| Program::compile("tool/map.jq", map).unwrap();
    assert_eq!(program("range(101)").run(b"{}", LIMITS), Err(MapError::TooManyEvents));
    assert_eq!(program("range(100)").run(b"{}", LIMITS).map(|out| out.len()), Ok(290));
    assert_eq!(program("\"x\" * 10000").run(b"{}", LIMITS), Err(MapError::TooManyBytes));
    assert_eq!(program("repeat(1)").run(b"{}", LIMITS), Err(MapError::TooManyEvents));
}
