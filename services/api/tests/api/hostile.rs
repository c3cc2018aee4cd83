//! What is asked in bad faith is refused before any work is begun, and the server lives on.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use vigie_api::{CostLimits, Limits};

use crate::harness::{OCTOBER, Setting, Talk, organisation};

async fn refused(talk: &Talk, what: &str, query: &str) -> String {
    let refusal = talk.refusal(query).await;
    assert_eq!(talk.get("/health/live").await.status, 200, "{what}");
    refusal
}

#[tokio::test]
async fn shapes_that_cost_too_much() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    let card = format!("scorecard({OCTOBER})");
    let parents = |levels: usize| {
        format!("{{ team(slug: \"a\") {}{}{} }}", "{ parent ".repeat(levels), "{ slug }", " }".repeat(levels))
    };
    let aliases: String = (0..10_000).map(|n| format!("a{n}: __typename ")).collect();
    let cards: String = (0..400)
        .map(|n| {
            format!("a{n}: {card} {{ metrics {{ by(dimension: SERVICE) {{ nodes {{ metric {{ value }} }} }} }} }} ")
        })
        .collect();
    let mut bombs = "{ ...f0 }".to_owned();
    for level in 0..30 {
        bombs += &format!(" fragment f{level} on Query {{ ...f{0} ...f{0} }}", level + 1);
    }
    bombs += " fragment f30 on Query { __typename }";
    let nested_by = format!(
        "{{ {card} {{ metrics {{ {}value{} }} }} }}",
        "by(dimension: SERVICE, first: 500) { nodes { metric { ".repeat(4),
        " } } }".repeat(4)
    );
    let introspection =
        format!("{{ __schema {{ types {{ {} name {} }} }} }}", "fields { type { ".repeat(6), " } }".repeat(6));
    for (what, query, why) in [
        ("depth", parents(40), "TOO_COMPLEX: the query is nested to a depth of 42, and 24 is the most"),
        ("brackets", "{a".repeat(50_000), "TOO_COMPLEX: the query is nested more than 48 levels deep"),
        (
            "lists",
            format!("{{ services(team: {}) }}", "[".repeat(60_000)),
            "TOO_COMPLEX: the query is nested more than 48 levels deep",
        ),
        ("aliases", format!("{{ {aliases} }}"), "TOO_COMPLEX: the query has"),
        ("cards", format!("{{ {} }}", &cards), "TOO_COMPLEX: the query has"),
        ("fragments", bombs, "TOO_COMPLEX: the query is nested to a depth of"),
        (
            "cycle",
            "{ ...a } fragment a on Query { ...b ...b } fragment b on Query { ...a ...a }".into(),
            "BAD_INPUT: the fragment",
        ),
        ("nested breakdowns", nested_by, "TOO_COMPLEX: the query has a cost of"),
        ("introspection", introspection, "TOO_COMPLEX: the query has a cost of"),
        (
            "directives",
            format!("{{ services {} {{ totalCount }} }}", "@include(if: true) ".repeat(5_000)),
            "TOO_COMPLEX: the query has more than",
        ),
        (
            "text",
            format!("{{ services {{ totalCount }} }} # {}", "x".repeat(500_000)),
            "TOO_COMPLEX: the query has 500",
        ),
    ] {
        let refusal = refused(&talk, what, &query).await;
        assert!(refusal.starts_with(why), "{what}: {refusal}");
        assert_eq!(refusal.lines().count(), 1, "{what}: {refusal}");
    }
}

#[tokio::test]
async fn huge_lists_of_names() {
    let talk = Talk::start().await;
    let names: Vec<String> = (0..50_000).map(|n| format!("s{n}")).collect();
    let query = "query ($s: ScopeInput) { scorecard(scope: $s, window: {last: \"P1D\"}) { window { from } } }";
    let answer = talk.heard(query, json!({"s": {"service": names}})).await.json();
    assert_eq!(
        answer["errors"][0]["message"],
        "scope.service has 50000 names, and 1000 is the most; ask for a team, or in parts"
    );
}

#[tokio::test]
async fn work_beyond_the_budget_is_not_begun() {
    let limits = Limits { rows: 5_000, ..Limits::default() };
    let talk = Talk::with(Setting { limits, ..Setting::new() }).await;
    talk.given(&organisation()).await;
    let series: String =
        (0..20).map(|n| format!("a{n}: metric(name: LEAD_TIME) {{ series(every: HOUR) {{ value }} }} ")).collect();
    let refusal = talk.refusal(&format!("{{ scorecard({OCTOBER}) {{ {series} }} }}")).await;
    assert!(refusal.starts_with("TOO_COMPLEX: the answer would need more than 5000 values"), "{refusal}");
}

#[tokio::test]
async fn usual_tools_are_not_in_the_way_of_the_limits() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    let schema = talk.data(INTROSPECTION).await;
    assert!(schema["__schema"]["types"].as_array().unwrap().len() > 40);
    // A dashboard: every metric with course, past, parts and evidence.
    let dashboard = format!("{{ scorecard({OCTOBER}) {{ metrics {{ name value unit status target {{ objective }} previous {{ value }}
        series(every: DAY) {{ from to value sampleSize }} by(dimension: SERVICE, first: 50) {{ nodes {{ service {{ slug name }} metric {{ value status }} }} }}
        evidence(first: 20) {{ nodes {{ counted reason deployment {{ id }} change {{ title }} incident {{ id }} }} }} }} }} }}");
    assert!(talk.data(&dashboard).await["scorecard"]["metrics"].is_array());
}

#[tokio::test]
async fn bodies_that_are_no_requests() {
    let talk = Talk::start().await;
    for body in [
        "",
        "x",
        "[]",
        "[{\"query\": \"{ teams { slug } }\"}]",
        "{}",
        "{\"query\": 1}",
        "null",
        "{\"query\": \"{ teams { slug } }\", \"variables\": []}",
        "\"{ teams { slug } }\"",
    ] {
        let heard = talk.post("/graphql", body).await;
        assert_eq!(heard.status, 400, "{body}");
        assert_eq!(heard.json()["code"], "BAD_INPUT", "{body}");
        assert!(heard.json()["errors"][0]["message"].is_string(), "{body}");
    }
    let deep = format!(
        "{{\"query\": \"{{ teams {{ slug }} }}\", \"variables\": {}{}}}",
        "{\"a\": ".repeat(5_000),
        "}".repeat(5_000)
    );
    assert_eq!(talk.post("/graphql", deep).await.status, 400);
    let not_utf8 = talk
        .send(reqwest::Method::POST, "/graphql", &[("content-type", "application/graphql")], vec![0xff, 0xfe])
        .await;
    assert_eq!(not_utf8.status, 400);
    assert_eq!(talk.post("/graphql", " ".repeat(2_000_000)).await.status, 413);
    assert_eq!(talk.send(reqwest::Method::DELETE, "/graphql", &[], "").await.status, 405);
}

#[tokio::test]
async fn a_limit_can_be_set() {
    let cost = CostLimits { depth: 2, ..CostLimits::default() };
    let talk = Talk::with(Setting { limits: Limits { cost, ..Limits::default() }, ..Setting::new() }).await;
    assert!(talk.refusal("{ services { nodes { slug } } }").await.contains("a depth of 3, and 2 is the most"));
    assert_eq!(talk.heard("{ teams { slug } }", Value::Null).await.json(), json!({"data": {"teams": []}}));
}

#[tokio::test]
async fn a_body_that_never_comes_is_given_up() {
    let limits = Limits { patience: Duration::from_millis(50), ..Limits::default() };
    let talk = Talk::with(Setting { limits, ..Setting::new() }).await;
    let address = talk.address();
    let heard = tokio::task::spawn_blocking(move || {
        let mut line = TcpStream::connect(address).unwrap();
        line.write_all(b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n[").unwrap();
        let mut heard = [0; 64];
        let length = line.read(&mut heard).unwrap();
        String::from_utf8_lossy(&heard[..length]).into_owned()
    });
    let heard = heard.await.unwrap();
    assert!(heard.starts_with("HTTP/1.1 408 "), "{heard}");
}

/// What explorers and code generators send.
const INTROSPECTION: &str = "query IntrospectionQuery { __schema { queryType { name } mutationType { name } subscriptionType { name }
    types { ...FullType } directives { name description locations args { ...InputValue } } } }
  fragment FullType on __Type { kind name description
    fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
    inputFields { ...InputValue } interfaces { ...TypeRef }
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
  fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
  fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
    ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";
