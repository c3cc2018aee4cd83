//! Numbers beside numbers: the window before, the course, the parts; and each metric's own company.

use insta::assert_snapshot;

use crate::harness::{OCTOBER, Talk, organisation};

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
