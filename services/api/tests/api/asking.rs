//! How a question is put, what its answer means, and what is said of a wrong one.

use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{OCTOBER, Talk, organisation};

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
    assert_snapshot!(talk.heard(query, variables).await.shown(), @r#"
    200
    {
      "data": {
        "scorecard": {
          "metric": {
            "numerator": 1.0
          },
          "window": {
            "from": "2026-10-02T00:00:00Z",
            "to": "2026-10-03T00:00:00Z"
          }
        }
      }
    }
    "#);
    // A key that no input has must not be passed over: it would mean the whole organisation.
    let mistyped = json!({"scope": {"sevice": "checkout"}, "window": {"last": "P1D"}});
    assert_snapshot!(talk.heard(query, mistyped).await.shown(), @r#"
    200
    {
      "data": null,
      "errors": [
        {
          "extensions": {
            "code": "BAD_INPUT"
          },
          "locations": [
            {
              "column": 63,
              "line": 1
            }
          ],
          "message": "Invalid value for argument \"scope\", unknown field \"sevice\" of type \"ScopeInput\""
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn definitions_say_what_a_number_means() {
    let talk = Talk::start().await;
    let asked = talk.data("{ definitions { name version title text settings { name value } } }").await;
    let definitions = asked["definitions"].as_array().unwrap();
    assert_eq!(definitions.len(), 9);
    assert_snapshot!(serde_json::to_string_pretty(&definitions[0]).unwrap(), @r#"
    {
      "name": "DEPLOYMENT_FREQUENCY",
      "settings": [
        {
          "name": "frequency_days",
          "value": "calendar"
        },
        {
          "name": "working_days",
          "value": "[\"monday\",\"tuesday\",\"wednesday\",\"thursday\",\"friday\"]"
        },
        {
          "name": "holidays",
          "value": "[]"
        },
        {
          "name": "time_zone",
          "value": "UTC"
        },
        {
          "name": "deployments_from",
          "value": "none"
        },
        {
          "name": "categories",
          "value": "[\"application\"]"
        },
        {
          "name": "production",
          "value": "[\"production\",\"prod\",\"live\",\"prd\"]"
        },
        {
          "name": "ownership",
          "value": "now"
        }
      ],
      "text": "Deliveries finished in the window, divided by the days in the window times the services in scope. A delivery is a successful deployment that is neither a rollback nor a redeployment. In scope are the services with a delivery finished before the window's end and no earlier than 90 days before its start; the dormant rest is counted as left out. A service in scope without deliveries in the window counts as 0; with no service in scope there is no value.",
      "title": "Deployment frequency",
      "version": 1
    }
    "#);
}

#[tokio::test]
async fn data_quality_says_what_to_mend() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    assert_snapshot!(talk.ask(&format!("{{
        dataQuality({OCTOBER}) {{ issues {{ code count detail remedy examples(first: 1) {{ totalCount nodes {{ service {{ slug }} at subject detail }} pageInfo {{ hasNextPage }} }} }} }}
    }}")).await, @r#"
    {
      "data": {
        "dataQuality": {
          "issues": [
            {
              "code": "no_failure_signal",
              "count": 2,
              "detail": "Nobody would notice a failure of these services: their deployments are left out of the failure and rework rates.",
              "examples": {
                "nodes": [
                  {
                    "at": null,
                    "detail": "nobody would notice a failure of it: its deployments are left out of the failure and rework rates",
                    "service": {
                      "slug": "batch"
                    },
                    "subject": "service:batch"
                  }
                ],
                "pageInfo": {
                  "hasNextPage": true
                },
                "totalCount": 2
              },
              "remedy": "Connect an incident or monitoring tool, or set failure_signal for the service."
            },
            {
              "code": "no_uptime_source",
              "count": 2,
              "detail": "Neither requests, probes nor incidents of these services are known: they have no uptime.",
              "examples": {
                "nodes": [
                  {
                    "at": null,
                    "detail": "no requests, probes or incidents are known of it: it has no uptime",
                    "service": {
                      "slug": "batch"
                    },
                    "subject": "service:batch"
                  }
                ],
                "pageInfo": {
                  "hasNextPage": true
                },
                "totalCount": 2
              },
              "remedy": "Send availability events, or connect a monitoring tool."
            },
            {
              "code": "undeclared_service",
              "count": 1,
              "detail": "Services are named by events and not by the catalogue: they have no team, and their repository is guessed by their name.",
              "examples": {
                "nodes": [
                  {
                    "at": null,
                    "detail": "events name it, and the catalogue does not: it has no team, and its repository is guessed by its name",
                    "service": {
                      "slug": "batch"
                    },
                    "subject": "service:batch"
                  }
                ],
                "pageInfo": {
                  "hasNextPage": false
                },
                "totalCount": 1
              },
              "remedy": "Declare them in the configuration, or send service events."
            }
          ]
        }
      }
    }
    "#);
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
        "{ scorecard(window: {last: \"P5000D\"}) { metric(name: MTTR) { series(every: HOUR) { value } } } }",
        "{ services(first: 501) { totalCount } }",
        "{ services(after: \"nonsense\") { totalCount } }",
        "{ scorcard { window } }",
        "{ services { ",
        "mutation { drop }",
    ] {
        heard += &talk.refusal(query).await;
        heard.push('\n');
    }
    assert_snapshot!(heard, @r#"
    NOT_FOUND: service: there is no service "chekout"; did you mean "checkout"?
    NOT_FOUND: team: there is no team "payment"; did you mean "payments"?
    NOT_FOUND: team: there is no team "discovry"; did you mean "discovery"?
    BAD_INPUT: window: no window; give from and to, or last (like P30D), or month (like 2026-10)
    BAD_INPUT: window: the window has last P1D and month "2026-10"; give only one of them
    BAD_INPUT: window.last: "P1M" has months or years, which have no fixed length; write days or weeks, like P30D, P90D or P52W
    BAD_INPUT: window.from: "2026-10-01": this is no RFC 3339 time; write it like 2026-10-01T12:00:00Z
    BAD_INPUT: window.from: "2026-10-01T00:00:00": the time has no offset; write it like 2026-10-01T12:00:00Z or 2026-10-01T14:00:00+02:00
    BAD_INPUT: window: month "2026-13" is no calendar month; write the year and the month, like 2026-10
    BAD_INPUT: asOf: 2030-01-01T00:00:00Z lies ahead; give an earlier instant, or leave it out for the present
    BAD_INPUT: Invalid value for argument "name", enumeration type "MetricName" does not contain the value "SPEED"
    BAD_INPUT: at: 2 is not between 0 and 1; write 0.95 for the 95th percentile
    TOO_COMPLEX: every: a series by hour over 5000 days would have more than 100000 points; ask for longer steps or a shorter window
    BAD_INPUT: first: 501 is not between 0 and 500; ask page by page, with after
    BAD_INPUT: after: "nonsense" is no cursor of this list; take it from pageInfo.endCursor or an edge
    BAD_INPUT: Unknown field "scorcard" on type "Query". Did you mean "scorecard"?
    BAD_INPUT: the query is no GraphQL:  --> 1:14
      |
    1 | { services { 
      |              ^---
      |
      = expected selection
    BAD_INPUT: Schema is not configured for mutations.
    BAD_INPUT: Schema is not configured for mutations.
    "#);
}
