//! Numbers, with what stands behind them.

use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{OCTOBER, Talk, organisation};

#[tokio::test]
async fn a_value_comes_with_its_evidence() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    assert_snapshot!(talk.ask(&format!("{{
        scorecard(scope: {{service: \"checkout\"}}, {OCTOBER}) {{
            window {{ from to timeZone }}
            metric(name: CHANGE_FAILURE_RATE) {{
                name unit value noData numerator denominator sampleSize status level trend
                interval {{ low high }}
                target {{ objective comparison action setAt from }}
                excluded {{ reason count explanation }}
                evidence {{
                    totalCount
                    nodes {{ counted reason deployment {{ id failed rollback blame {{ rule counts incident {{ id }} deployment {{ id }} }} recoveredAt }} }}
                }}
            }}
        }}
    }}")).await, @"");
}

#[tokio::test]
async fn no_data_is_null_and_says_why() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    assert_snapshot!(talk.ask(&format!("{{
        scorecard(scope: {{service: \"search\"}}, {OCTOBER}) {{ metrics {{ name value noData sampleSize status }} }}
    }}")).await, @"");
}

#[tokio::test]
async fn metrics_come_in_the_order_of_the_enum() {
    let talk = Talk::start().await;
    let asked = talk
        .data(&format!("{{ scorecard({OCTOBER}) {{ metrics(only: [UPTIME, LEAD_TIME, UPTIME]) {{ name }} }} }}"))
        .await;
    assert_eq!(asked, json!({"scorecard": {"metrics": [{"name": "LEAD_TIME"}, {"name": "UPTIME"}]}}));
    let one = talk.data(&format!("{{ scorecard({OCTOBER}) {{ metrics(only: MTTR) {{ name }} }} }}")).await;
    assert_eq!(one["scorecard"]["metrics"], json!([{"name": "MTTR"}]));
}

#[tokio::test]
async fn lead_time_knows_its_stages_and_what_waits() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    assert_snapshot!(talk.ask(&format!("{{
        scorecard(scope: {{team: \"commerce\"}}, {OCTOBER}) {{
            metric(name: LEAD_TIME) {{
                value mean quantiles(at: [0, 0.5, 1])
                stages {{ coding pickup review deploy }}
                waiting {{ count oldest }}
                rollbacks {{ count }} budget {{ left }}
                evidence {{ nodes {{ counted change {{ repository sha pullRequest title bot startedAt deployedAt leadTime stages {{ coding pickup review deploy }} deployment {{ id service {{ slug }} }} }} }} }}
            }}
        }}
    }}")).await, @"");
}

#[tokio::test]
async fn a_metric_has_a_past_a_course_and_parts() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    assert_snapshot!(talk.ask(&format!("{{
        scorecard({OCTOBER}) {{
            metric(name: DEPLOYMENT_FREQUENCY) {{
                numerator denominator
                previous {{ value noData numerator }}
                series(every: WEEK) {{ from to value sampleSize }}
                services: by(dimension: SERVICE) {{ totalCount nodes {{ service {{ slug }} team {{ slug }} metric {{ numerator }} }} }}
                teams: by(dimension: TEAM) {{ nodes {{ team {{ slug parent {{ slug }} }} metric {{ numerator }} }} }}
                environments: by(dimension: ENVIRONMENT) {{ nodes {{ environment metric {{ numerator }} }} }}
            }}
        }}
    }}")).await, @"");
}

#[tokio::test]
async fn incidents_and_uptime() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    assert_snapshot!(talk.ask(&format!("{{
        scorecard(scope: {{service: \"checkout\"}}, {OCTOBER}) {{
            mttr: metric(name: MTTR) {{ value numerator denominator sampleSize evidence {{ nodes {{ incident {{ id source severity services {{ slug }} blamed {{ id }} restoredAt }} }} }} }}
            uptime: metric(name: UPTIME) {{
                value coverage numerator denominator
                budget {{ from to allowed spent left burnRates {{ lookBack rate }} }}
                evidence {{ nodes {{ counted interval {{ service {{ slug }} from to }} }} }}
            }}
            rework: metric(name: REWORK_RATE) {{ value rollbacks {{ count medianTime }} }}
        }}
    }}")).await, @"");
}

#[tokio::test]
async fn services_and_teams_have_scorecards_of_their_own() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    assert_snapshot!(talk.ask(&format!("{{
        service(slug: \"checkout\") {{ name declared failureSignal team {{ name parent {{ name }} }} scorecard({OCTOBER}) {{ metric(name: DEPLOYMENT_FREQUENCY) {{ numerator }} }} }}
        team(slug: \"commerce\") {{ name services {{ slug }} scorecard({OCTOBER}) {{ metric(name: DEPLOYMENT_FREQUENCY) {{ numerator }} }} }}
        teams {{ slug }}
        none: service(slug: \"nope\") {{ slug }}
    }}")).await, @"");
}

#[tokio::test]
async fn a_window_is_given_with_any_offset_or_as_variables() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    let query = "query ($scope: ScopeInput, $window: WindowInput!) { scorecard(scope: $scope, window: $window) {
        window { from to } metric(name: DEPLOYMENT_FREQUENCY) { numerator } } }";
    let variables = json!({
        "scope": {"service": "checkout"},
        "window": {"from": "2026-10-02T02:00:00+02:00", "to": "2026-10-03T00:00:00.000Z"},
    });
    assert_snapshot!(talk.heard(query, variables).await.shown(), @"");
    // A key that no input has must not be passed over: it would mean the whole organisation.
    let mistyped = json!({"scope": {"sevice": "checkout"}, "window": {"last": "P1D"}});
    assert_snapshot!(talk.heard(query, mistyped).await.shown(), @"");
}

#[tokio::test]
async fn definitions_say_what_a_number_means() {
    let talk = Talk::start().await;
    let asked = talk.data("{ definitions { name version title text settings { name value } } }").await;
    let definitions = asked["definitions"].as_array().unwrap();
    assert_eq!(definitions.len(), 9);
    assert_snapshot!(serde_json::to_string_pretty(&definitions[0]).unwrap(), @"");
}

#[tokio::test]
async fn data_quality_says_what_to_mend() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    assert_snapshot!(talk.ask(&format!("{{
        dataQuality({OCTOBER}) {{ issues {{ code count detail remedy examples(first: 1) {{ totalCount nodes {{ service {{ slug }} at subject detail }} pageInfo {{ hasNextPage }} }} }} }}
    }}")).await, @"");
}

#[tokio::test]
async fn errors_say_what_to_do() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    let mut heard = String::new();
    for query in [
        "{ scorecard(scope: {service: \"chekout\"}, window: {last: \"P1D\"}) { window { from } } }",
        "{ scorecard(scope: {team: [\"payment\"]}, window: {last: \"P1D\"}) { window { from } } }",
        "{ services(team: \"discovry\") { totalCount } }",
        "{ scorecard(window: {}) { window { from } } }",
        "{ scorecard(window: {last: \"P1D\", month: \"2026-10\"}) { window { from } } }",
        "{ scorecard(window: {last: \"P1M\"}) { window { from } } }",
        "{ scorecard(window: {from: \"2026-10-01\", to: \"2026-10-02T00:00:00Z\"}) { window { from } } }",
        "{ scorecard(window: {from: \"2026-10-01T00:00:00\", to: \"2026-10-02T00:00:00Z\"}) { window { from } } }",
        "{ scorecard(window: {month: \"2026-13\"}) { window { from } } }",
        "{ scorecard(window: {last: \"P1D\"}, asOf: \"2030-01-01T00:00:00Z\") { window { from } } }",
        "{ scorecard(window: {last: \"P1D\"}) { metric(name: SPEED) { value } } }",
        "{ scorecard(window: {last: \"P1D\"}) { metric(name: MTTR) { quantiles(at: [2]) } } }",
        "{ scorecard(window: {last: \"P3650D\"}) { metric(name: MTTR) { series(every: HOUR) { value } } } }",
        "{ services(first: 501) { totalCount } }",
        "{ services(after: \"nonsense\") { totalCount } }",
        "{ scorcard { window } }",
        "{ services { ",
        "mutation { drop }",
    ] {
        heard += &talk.refusal(query).await;
        heard.push('\n');
    }
    assert_snapshot!(heard, @"");
}
