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
    }}")).await, @r#"
    {
      "data": {
        "scorecard": {
          "metric": {
            "denominator": 3.0,
            "evidence": {
              "nodes": [
                {
                  "counted": false,
                  "deployment": {
                    "blame": [],
                    "failed": false,
                    "id": "d4",
                    "recoveredAt": null,
                    "rollback": true
                  },
                  "reason": "rollback"
                },
                {
                  "counted": true,
                  "deployment": {
                    "blame": [
                      {
                        "counts": true,
                        "deployment": null,
                        "incident": {
                          "id": "i1"
                        },
                        "rule": "explicit"
                      },
                      {
                        "counts": true,
                        "deployment": {
                          "id": "d4"
                        },
                        "incident": null,
                        "rule": "rollback"
                      }
                    ],
                    "failed": true,
                    "id": "d3",
                    "recoveredAt": "2026-10-05T12:00:00Z",
                    "rollback": false
                  },
                  "reason": null
                },
                {
                  "counted": true,
                  "deployment": {
                    "blame": [],
                    "failed": false,
                    "id": "d2",
                    "recoveredAt": null,
                    "rollback": false
                  },
                  "reason": null
                },
                {
                  "counted": true,
                  "deployment": {
                    "blame": [],
                    "failed": false,
                    "id": "d1",
                    "recoveredAt": null,
                    "rollback": false
                  },
                  "reason": null
                }
              ],
              "totalCount": 4
            },
            "excluded": [
              {
                "count": 1,
                "explanation": "rollbacks, which bring nothing new",
                "reason": "rollback"
              }
            ],
            "interval": {
              "high": 0.7923403991979523,
              "low": 0.061491944720396215
            },
            "level": null,
            "name": "CHANGE_FAILURE_RATE",
            "noData": null,
            "numerator": 1.0,
            "sampleSize": 3,
            "status": "MISSED",
            "target": {
              "action": "Strengthen tests",
              "comparison": "BELOW",
              "from": null,
              "objective": 0.05,
              "setAt": "default"
            },
            "trend": "UNCLEAR",
            "unit": "RATIO",
            "value": 0.3333333333333333
          },
          "window": {
            "from": "2026-10-01T00:00:00Z",
            "timeZone": "UTC",
            "to": "2026-11-01T00:00:00Z"
          }
        }
      }
    }
    "#);
}

#[tokio::test]
async fn no_data_is_null_and_says_why() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    assert_snapshot!(talk.ask(&format!("{{
        scorecard(scope: {{service: \"search\"}}, {OCTOBER}) {{ metrics {{ name value noData sampleSize status }} }}
    }}")).await, @r#"
    {
      "data": {
        "scorecard": {
          "metrics": [
            {
              "name": "DEPLOYMENT_FREQUENCY",
              "noData": null,
              "sampleSize": 2,
              "status": "MISSED",
              "value": 0.06451612903225806
            },
            {
              "name": "LEAD_TIME",
              "noData": "NO_CHANGES",
              "sampleSize": 0,
              "status": "NO_DATA",
              "value": null
            },
            {
              "name": "CHANGE_FAILURE_RATE",
              "noData": "NO_FAILURE_SIGNAL",
              "sampleSize": 0,
              "status": "NO_DATA",
              "value": null
            },
            {
              "name": "FAILED_DEPLOYMENT_RECOVERY_TIME",
              "noData": "NO_FAILURE_SIGNAL",
              "sampleSize": 0,
              "status": "NO_DATA",
              "value": null
            },
            {
              "name": "REWORK_RATE",
              "noData": "NO_FAILURE_SIGNAL",
              "sampleSize": 0,
              "status": "NO_DATA",
              "value": null
            },
            {
              "name": "MTTR",
              "noData": "NO_INCIDENTS",
              "sampleSize": 0,
              "status": "NO_DATA",
              "value": null
            },
            {
              "name": "MTTD",
              "noData": "NO_INCIDENTS",
              "sampleSize": 0,
              "status": "NO_DATA",
              "value": null
            },
            {
              "name": "MTTA",
              "noData": "NO_INCIDENTS",
              "sampleSize": 0,
              "status": "NO_DATA",
              "value": null
            },
            {
              "name": "UPTIME",
              "noData": "NO_COVERAGE",
              "sampleSize": 0,
              "status": "NO_DATA",
              "value": null
            }
          ]
        }
      }
    }
    "#);
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
    }}")).await, @r#"
    {
      "data": {
        "scorecard": {
          "metric": {
            "budget": null,
            "evidence": {
              "nodes": [
                {
                  "change": {
                    "bot": false,
                    "deployedAt": "2026-10-05T10:00:00Z",
                    "deployment": {
                      "id": "d3",
                      "service": {
                        "slug": "checkout"
                      }
                    },
                    "leadTime": 100800.0,
                    "pullRequest": 7,
                    "repository": "acme/shop",
                    "sha": "ccccccc000000000000000000000000000000000",
                    "stages": {
                      "coding": 7200.0,
                      "deploy": 7200.0,
                      "pickup": 14400.0,
                      "review": 72000.0
                    },
                    "startedAt": "2026-10-04T06:00:00Z",
                    "title": "Pay by card"
                  },
                  "counted": true
                },
                {
                  "change": {
                    "bot": false,
                    "deployedAt": "2026-10-02T10:00:00Z",
                    "deployment": {
                      "id": "d2",
                      "service": {
                        "slug": "checkout"
                      }
                    },
                    "leadTime": 7200.0,
                    "pullRequest": null,
                    "repository": "acme/shop",
                    "sha": "bbbbbbb000000000000000000000000000000000",
                    "stages": null,
                    "startedAt": "2026-10-02T08:00:00Z",
                    "title": null
                  },
                  "counted": true
                }
              ]
            },
            "mean": 54000.0,
            "quantiles": [
              7200.0,
              54000.0,
              100800.0
            ],
            "rollbacks": null,
            "stages": {
              "coding": 7200.0,
              "deploy": 7200.0,
              "pickup": 14400.0,
              "review": 72000.0
            },
            "value": 54000.0,
            "waiting": {
              "count": 0,
              "oldest": null
            }
          }
        }
      }
    }
    "#);
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
    }}")).await, @r#"
    {
      "data": {
        "scorecard": {
          "metric": {
            "denominator": 93.0,
            "environments": {
              "nodes": [
                {
                  "environment": "production",
                  "metric": {
                    "numerator": 6.0
                  }
                }
              ]
            },
            "numerator": 6.0,
            "previous": {
              "noData": "NO_DEPLOYMENTS",
              "numerator": 0.0,
              "value": null
            },
            "series": [
              {
                "from": "2026-10-01T00:00:00Z",
                "sampleSize": 2,
                "to": "2026-10-05T00:00:00Z",
                "value": 0.5
              },
              {
                "from": "2026-10-05T00:00:00Z",
                "sampleSize": 2,
                "to": "2026-10-12T00:00:00Z",
                "value": 0.14285714285714285
              },
              {
                "from": "2026-10-12T00:00:00Z",
                "sampleSize": 0,
                "to": "2026-10-19T00:00:00Z",
                "value": 0.0
              },
              {
                "from": "2026-10-19T00:00:00Z",
                "sampleSize": 2,
                "to": "2026-10-26T00:00:00Z",
                "value": 0.09523809523809525
              },
              {
                "from": "2026-10-26T00:00:00Z",
                "sampleSize": 0,
                "to": "2026-11-01T00:00:00Z",
                "value": 0.0
              }
            ],
            "services": {
              "nodes": [
                {
                  "metric": {
                    "numerator": 1.0
                  },
                  "service": {
                    "slug": "batch"
                  },
                  "team": null
                },
                {
                  "metric": {
                    "numerator": 3.0
                  },
                  "service": {
                    "slug": "checkout"
                  },
                  "team": null
                },
                {
                  "metric": {
                    "numerator": 2.0
                  },
                  "service": {
                    "slug": "search"
                  },
                  "team": null
                }
              ],
              "totalCount": 3
            },
            "teams": {
              "nodes": [
                {
                  "metric": {
                    "numerator": 3.0
                  },
                  "team": {
                    "parent": null,
                    "slug": "commerce"
                  }
                },
                {
                  "metric": {
                    "numerator": 2.0
                  },
                  "team": {
                    "parent": null,
                    "slug": "discovery"
                  }
                },
                {
                  "metric": {
                    "numerator": 3.0
                  },
                  "team": {
                    "parent": {
                      "slug": "commerce"
                    },
                    "slug": "payments"
                  }
                },
                {
                  "metric": {
                    "numerator": 1.0
                  },
                  "team": null
                }
              ]
            }
          }
        }
      }
    }
    "#);
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
    }}")).await, @r#"
    {
      "data": {
        "scorecard": {
          "mttr": {
            "denominator": 1.0,
            "evidence": {
              "nodes": [
                {
                  "incident": {
                    "blamed": [
                      {
                        "id": "d3"
                      }
                    ],
                    "id": "i1",
                    "restoredAt": "2026-10-05T12:00:00Z",
                    "services": [
                      {
                        "slug": "checkout"
                      }
                    ],
                    "severity": "major",
                    "source": "test"
                  }
                }
              ]
            },
            "numerator": 5400.0,
            "sampleSize": 1,
            "value": 5400.0
          },
          "rework": {
            "rollbacks": {
              "count": 1,
              "medianTime": 7200.0
            },
            "value": 0.25
          },
          "uptime": {
            "budget": {
              "allowed": 2678.4000000000024,
              "burnRates": [
                {
                  "lookBack": "PT5M",
                  "rate": 0.0
                },
                {
                  "lookBack": "PT30M",
                  "rate": 0.0
                },
                {
                  "lookBack": "PT1H",
                  "rate": 0.0
                },
                {
                  "lookBack": "PT2H",
                  "rate": 0.0
                },
                {
                  "lookBack": "PT6H",
                  "rate": 0.0
                },
                {
                  "lookBack": "P1D",
                  "rate": 0.0
                },
                {
                  "lookBack": "P3D",
                  "rate": 0.0
                }
              ],
              "from": "2026-10-01T00:00:00Z",
              "left": -1.0161290322580627,
              "spent": 2.0161290322580627,
              "to": "2026-11-01T00:00:00Z"
            },
            "coverage": 1.0,
            "denominator": 2678400.0,
            "evidence": {
              "nodes": [
                {
                  "counted": true,
                  "interval": {
                    "from": "2026-10-05T10:30:00Z",
                    "service": {
                      "slug": "checkout"
                    },
                    "to": "2026-10-05T12:00:00Z"
                  }
                }
              ]
            },
            "numerator": 2673000.0,
            "value": 0.997983870967742
          }
        }
      }
    }
    "#);
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
    }}")).await, @r#"
    {
      "data": {
        "none": null,
        "service": {
          "declared": true,
          "failureSignal": true,
          "name": "Checkout",
          "scorecard": {
            "metric": {
              "numerator": 3.0
            }
          },
          "team": {
            "name": "Payments",
            "parent": {
              "name": "Commerce"
            }
          }
        },
        "team": {
          "name": "Commerce",
          "scorecard": {
            "metric": {
              "numerator": 3.0
            }
          },
          "services": [
            {
              "slug": "checkout"
            }
          ]
        },
        "teams": [
          {
            "slug": "commerce"
          },
          {
            "slug": "discovery"
          },
          {
            "slug": "payments"
          }
        ]
      }
    }
    "#);
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
