use proptest::prelude::*;

use super::*;

/// What a text is split into: `line:column content`, each.
fn split_by(form: Option<Form>, limit: usize, input: &[u8], chunk: usize) -> (Option<Form>, Vec<String>) {
    let mut splitter = Splitter::new(form, limit);
    let mut found = Vec::new();
    let mut take = |splitter: &mut Splitter| {
        let Some(block) = splitter.take() else { return };
        for piece in block.pieces {
            let content = match piece.content {
                Content::Text(range) => String::from_utf8_lossy(&block.bytes[range]).into_owned(),
                Content::TooLong(bytes) => format!("<{bytes} bytes>"),
                Content::Fault(fault) => format!("<{fault}>"),
            };
            found.push(format!("{}@{}:{} {content}", piece.index, piece.line, piece.column));
        }
    };
    for chunk in input.chunks(chunk) {
        splitter.push(chunk);
        take(&mut splitter);
    }
    splitter.finish();
    take(&mut splitter);
    (splitter.form(), found)
}

fn split(input: &str) -> (Option<Form>, Vec<String>) {
    split_by(None, 1_000, input.as_bytes(), usize::MAX)
}

#[test]
fn one_object_a_line() {
    let (form, pieces) = split("\u{feff}{\"a\":1}\r\n\n  {\"b\":\"}\"} \n{\"c\"\nnonsense\n{\"d\":1}");
    assert_eq!(form, Some(Form::Lines));
    assert_eq!(pieces, ["0@1:1 {\"a\":1}", "1@3:3 {\"b\":\"}\"}", "2@4:1 {\"c\"", "3@5:1 nonsense", "4@6:1 {\"d\":1}"]);
}

#[test]
fn a_broken_first_line_is_one_line() {
    let (form, pieces) = split("{\"a\": \"x\n{\"b\":1}\n");
    assert_eq!((form, pieces.len()), (Some(Form::Lines), 2));
    let (form, pieces) = split("what is this?\n{\"b\":1}\n");
    assert_eq!((form, pieces.len()), (Some(Form::Lines), 2));
}

#[test]
fn one_object_over_many_lines() {
    let (form, pieces) = split("{\n  \"a\": {\"x\": [1]},\n  \"b\": \"}\"\n}\n");
    assert_eq!(form, Some(Form::Values));
    assert_eq!(pieces, ["0@1:1 {\n  \"a\": {\"x\": [1]},\n  \"b\": \"}\"\n}"]);
}

#[test]
fn several_objects_over_many_lines() {
    let (_, pieces) = split("{\n\"a\": 1\n}\n{\n\"b\": 2\n}{\"c\":\n3} {\n\"d\": \"not closed\n}\n{\"e\":5}\n");
    assert_eq!(
        pieces,
        [
            "0@1:1 {\n\"a\": 1\n}",
            "1@4:1 {\n\"b\": 2\n}",
            "2@6:2 {\"c\":\n3}",
            "3@7:4 {\n\"d\": \"not closed\n}",
            "4@10:1 {\"e\":5}"
        ]
    );
}

#[test]
fn an_array() {
    let (form, pieces) = split(" [ {\"a\":[1,2]} ,\n  {\"b\":\"],\\\"\"}, 3\n]\n");
    assert_eq!(form, Some(Form::Array));
    assert_eq!(pieces, ["0@1:4 {\"a\":[1,2]}", "1@2:3 {\"b\":\"],\\\"\"}", "2@2:17 3"]);
    assert_eq!(split("[]").1, [""; 0]);
    assert_eq!(split("[ \n ]\n[1]\n[2,3]").1, ["0@3:2 1", "1@4:2 2", "2@4:4 3"], "several");
}

#[test]
fn what_is_broken_around_the_elements_of_an_array_is_said() {
    insta::assert_debug_snapshot!([
        split("[1,]").1,
        split("[,1]").1,
        split("[1 2]").1,
        split("[1,{\"a\"").1,
        split("[1").1,
        split("[").1,
        split("[1] x y").1,
        split("[{\"a\":1}}]").1,
        split("[{\"a\": \"not closed\n}, {\"b\":1}]").1,
    ], @r#"
    [
        [
            "0@1:2 1",
            "1@1:4 <a value is missing beside this comma>",
        ],
        [
            "0@1:2 <a value is missing beside this comma>",
            "0@1:3 1",
        ],
        [
            "0@1:2 1 2",
        ],
        [
            "0@1:2 1",
            "1@1:4 {\"a\"",
            "2@1:8 <the array is not closed>",
        ],
        [
            "0@1:2 1",
            "1@1:3 <the array is not closed>",
        ],
        [
            "0@1:2 <the array is not closed>",
        ],
        [
            "0@1:2 1",
            "1@1:5 <there is text after the end of the array>",
        ],
        [
            "0@1:2 {\"a\":1}}",
        ],
        [
            "0@1:2 {\"a\": \"not closed\n}",
            "1@2:4 {\"b\":1}",
        ],
    ]
    "#);
}

#[test]
fn what_is_too_long_is_counted_and_not_kept() {
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(100_000));
    let lines = format!("{{\"a\":1}}\n{long}\n{{\"b\":1}}");
    let array = format!("[{{\"a\":1}},\n{long},\n{{\"b\":1}}]");
    let values = format!("{{\n\"a\":1}}\n{long}\n{{\"b\":1}}");
    for (input, expected) in [(lines, "1@2:1"), (array, "1@2:1"), (values, "1@3:1")] {
        for chunk in [1, 7, 5_000, 1_000_000] {
            let (_, pieces) = split_by(None, 1_000, input.as_bytes(), chunk);
            assert_eq!(pieces.len(), 3);
            assert_eq!(pieces[1], format!("{expected} <100008 bytes>"));
            assert!(pieces[2].ends_with(":1 {\"b\":1}"), "{}", pieces[2]);
        }
    }
}

#[test]
fn no_more_is_held_than_the_limit_and_a_little() {
    let mut splitter = Splitter::new(None, 1_000);
    for start in ["{\"a\":1}\n", "[", "{\n\"a\":"] {
        splitter.push(start.as_bytes());
        for _ in 0..1_000 {
            splitter.push(&[b'x'; 4_096]);
            assert!(splitter.buffer.capacity() < 40_000);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn how_the_bytes_arrive_changes_nothing(
        input in "(\u{feff})?[\\[\\]{}\",:\\\\\\n a-c1é]{0,60}",
        chunk in 1..9_usize,
        lines in any::<bool>(),
        limit in 5..40_usize,
    ) {
        let form = lines.then_some(Form::Lines);
        // Where the form is guessed, enough has to be seen at once.
        let limit = if lines { limit } else { 1_000 };
        prop_assert_eq!(
            split_by(form, limit, input.as_bytes(), chunk),
            split_by(form, limit, input.as_bytes(), usize::MAX)
        );
    }

    #[test]
    fn an_array_is_split_into_its_elements(
        elements in proptest::collection::vec("(\\{\"[a-c{}\\[\\],]{0,5}\":(\\[1,2\\]|\"\\\\\"\")\\}|[0-9]{1,3})", 1..6),
        space in "[ \n]{0,3}",
    ) {
        let input = format!("{space}[{space}{}{space}]{space}", elements.join(&format!("{space},{space}")));
        let (form, pieces) = split(&input);
        prop_assert_eq!(form, Some(Form::Array));
        let found: Vec<&str> = pieces.iter().filter_map(|p| p.split_once(' ')).map(|(_, text)| text).collect();
        prop_assert_eq!(found, elements);
    }

    #[test]
    fn no_bytes_make_it_panic(input in proptest::collection::vec(any::<u8>(), 0..300), chunk in 1..50_usize) {
        let _ = split_by(None, 50, &input, chunk);
    }
}
