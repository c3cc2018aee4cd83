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
