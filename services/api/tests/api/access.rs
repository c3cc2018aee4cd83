//! Who may do what.

use insta::assert_snapshot;
use reqwest::Method;
use serde_json::json;
use vigie_api::auth::Auth;
use vigie_model::SECOND;
use vigie_testkit::time;

use crate::harness::{OCTOBER, Setting, Talk, organisation};

async fn guarded() -> Talk {
    let talk = Talk::with(Setting { auth: Auth::Required, ..Setting::new() }).await;
    talk.given(&organisation()).await;
    talk
}

const QUESTION: &str = r#"{"query": "{ teams { slug } }"}"#;

#[tokio::test]
async fn without_a_token_nothing_is_told() {
    let talk = guarded().await;
    let refused = talk.post("/graphql", QUESTION).await;
    assert_eq!(refused.header("www-authenticate"), "Bearer realm=\"vigie\"");
    assert_snapshot!(refused.shown(), @r#"
    401
    {
      "code": "UNAUTHENTICATED",
      "errors": [
        {
          "extensions": {
            "code": "UNAUTHENTICATED"
          },
          "message": "a token is needed; send it as Authorization: Bearer vg_…"
        }
      ],
      "message": "a token is needed; send it as Authorization: Bearer vg_…"
    }
    "#);
    assert_snapshot!(talk.post("/v1/events", "{}").await.shown(), @r#"
    401
    {
      "code": "UNAUTHENTICATED",
      "message": "a token is needed; send it as Authorization: Bearer vg_…"
    }
    "#);
    assert_eq!(talk.get("/v1/table?last=P1D").await.status, 401);
    assert_eq!(talk.get("/metrics").await.status, 401);
    // These say nothing that needs one.
    for path in ["/", "/health/live", "/health/ready", "/assets/page.css"] {
        assert_eq!(talk.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_token_may_what_it_was_made_for() {
    let talk = guarded().await;
    let (reader, sender) =
        (talk.token("dashboard", "read", None, None).await, talk.token("ci", "ingest", None, None).await);
    let send = async |token: &str, path: &str, body: &'static str| {
        talk.send(Method::POST, path, &[("authorization", token)], body).await
    };
    assert_eq!(send(&reader, "/graphql", QUESTION).await.status, 200);
    assert_snapshot!(send(&reader, "/v1/events", "[]").await.shown(), @r#"
    403
    {
      "code": "FORBIDDEN",
      "message": "the token \"dashboard\" may not ingest; create one with --may ingest"
    }
    "#);
    assert_snapshot!(send(&sender, "/graphql", QUESTION).await.shown(), @r#"
    403
    {
      "code": "FORBIDDEN",
      "errors": [
        {
          "extensions": {
            "code": "FORBIDDEN"
          },
          "message": "the token \"ci\" may not read; create one with --may read"
        }
      ],
      "message": "the token \"ci\" may not read; create one with --may read"
    }
    "#);
    assert_eq!(send(&sender, "/v1/events", "[]").await.status, 202);
    for wrong in ["Bearer vg_123", "Bearer ", "Basic dXNlcjpwYXNz", "vg_0", "Bearer é"] {
        let refused = talk.send(Method::POST, "/graphql", &[("authorization", wrong)], QUESTION).await;
        assert_eq!(refused.status, 401, "{wrong}");
    }
    let unknown = format!("Bearer vg_{}", "0".repeat(64));
    assert_snapshot!(send(&unknown, "/graphql", QUESTION).await.shown(), @r#"
    401
    {
      "code": "UNAUTHENTICATED",
      "errors": [
        {
          "extensions": {
            "code": "UNAUTHENTICATED"
          },
          "message": "the token is not valid (any more); create a new one"
        }
      ],
      "message": "the token is not valid (any more); create a new one"
    }
    "#);
}

#[tokio::test]
async fn a_token_ends() {
    let talk = guarded().await;
    let short = talk.token("short", "read", None, Some("2026-11-01T00:01:00Z")).await;
    let revoked = talk.token("revoked", "read", None, None).await;
    let status = async |token: &str| {
        talk.send(Method::POST, "/graphql", &[("authorization", token)], QUESTION).await.status.as_u16()
    };
    assert_eq!((status(&short).await, status(&revoked).await), (200, 200));
    assert!(talk.engine.store().revoke_token("revoked", talk.engine.now()).await.unwrap());
    // What was looked up is trusted for a few seconds.
    assert_eq!(status(&revoked).await, 200);
    talk.clock.advance(6 * SECOND);
    assert_eq!(status(&revoked).await, 401);
    talk.clock.set(time("2026-11-01T00:01:00Z"));
    assert_eq!(status(&short).await, 401);
}

#[tokio::test]
async fn a_teams_token_sees_that_team_only() {
    let talk = guarded().await;
    let token = talk.token("payments", "read", Some("payments"), None).await;
    let ask = async |query: &str| {
        let body = json!({"query": query}).to_string();
        talk.send(Method::POST, "/graphql", &[("authorization", &token)], body).await.json()
    };
    assert_snapshot!(serde_json::to_string_pretty(&ask(&format!("{{
        services {{ totalCount nodes {{ slug }} }}
        teams {{ slug }}
        service(slug: \"search\") {{ slug }}
        scorecard({OCTOBER}) {{ metric(name: DEPLOYMENT_FREQUENCY) {{ numerator by(dimension: SERVICE) {{ nodes {{ service {{ slug }} }} }} }} }}
        deployments({OCTOBER}) {{ nodes {{ id }} }}
        table({OCTOBER}, metrics: DEPLOYMENT_FREQUENCY, by: SERVICE) {{ rows {{ service numerator }} }}
    }}")).await).unwrap(), @r#"
    {
      "data": {
        "deployments": {
          "nodes": [
            {
              "id": "d4"
            },
            {
              "id": "d3"
            },
            {
              "id": "d2"
            },
            {
              "id": "d1"
            }
          ]
        },
        "scorecard": {
          "metric": {
            "by": {
              "nodes": [
                {
                  "service": {
                    "slug": "checkout"
                  }
                }
              ]
            },
            "numerator": 3.0
          }
        },
        "service": null,
        "services": {
          "nodes": [
            {
              "slug": "checkout"
            }
          ],
          "totalCount": 1
        },
        "table": {
          "rows": [
            {
              "numerator": 3.0,
              "service": "checkout"
            }
          ]
        },
        "teams": [
          {
            "slug": "commerce"
          },
          {
            "slug": "payments"
          }
        ]
      }
    }
    "#);
    // What is hidden is as unknown as what is not there.
    let hidden =
        ask(&format!("{{ scorecard(scope: {{service: \"search\"}}, {OCTOBER}) {{ window {{ from }} }} }}")).await;
    assert_eq!(
        hidden["errors"][0]["message"],
        "service: there is no service \"search\"; no event names it, so check the spelling"
    );
    // Another's answer to the same question is not given to this token.
    let all = talk.token("all", "read", None, None).await;
    let body = json!({"query": "{ services { totalCount } }"}).to_string();
    let whole = talk.send(Method::POST, "/graphql", &[("authorization", &all)], body).await.json();
    assert_eq!(whole["data"]["services"]["totalCount"], 3);
    assert_eq!(ask("{ services { totalCount } }").await["data"]["services"]["totalCount"], 1);
}

#[tokio::test]
async fn on_an_open_server_a_token_still_names_and_limits() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    let token = talk.token("payments", "read", Some("payments"), None).await;
    let answer = talk.send(Method::POST, "/graphql", &[("authorization", &token)], QUESTION).await.json();
    assert_eq!(answer["data"]["teams"].as_array().unwrap().len(), 2);
    assert_eq!(talk.send(Method::POST, "/graphql", &[("authorization", "Bearer vg_1")], QUESTION).await.status, 401);
}

#[tokio::test]
async fn pages_of_other_sites_may_not_ask_an_open_server() {
    let talk = Talk::start().await;
    let send = async |origin: &str| {
        talk.send(Method::POST, "/v1/events", &[("origin", origin), ("content-type", "text/plain")], "[]").await
    };
    assert_eq!(send("https://example.org").await.status, 403);
    assert_eq!(send("null").await.status, 403);
    let own = format!("http://{}", talk.address());
    assert_eq!(send(&own).await.status, 202);
    assert_eq!(send("http://example.org").await.header("access-control-allow-origin"), "");
}
