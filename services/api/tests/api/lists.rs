//! Lists, page by page.

use insta::assert_snapshot;
use serde_json::json;
use vigie_testkit::events::{deployed, incident, service};

use crate::harness::{OCTOBER, Talk, organisation};

#[tokio::test]
async fn pages_follow_each_other_while_rows_arrive() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    let page = async |after: &str| {
        let query = format!("{{ deployments({OCTOBER}, first: 2{after}) {{
            totalCount nodes {{ id }} edges {{ cursor }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}");
        talk.data(&query).await["deployments"].clone()
    };
    let first = page("").await;
    assert_eq!(first["nodes"], json!([{"id": "b1"}, {"id": "s2"}]));
    assert_eq!(first["totalCount"], 7);
    assert_eq!(first["pageInfo"]["hasPreviousPage"], false);
    assert_eq!(first["pageInfo"]["startCursor"], first["edges"][0]["cursor"]);
    // One that is newer than the page, and one that belongs on the next.
    talk.given(&[deployed("search", "s3", "2026-10-30T10:00:00Z"), deployed("search", "s0", "2026-10-07T10:00:00Z")])
        .await;
    let after = format!(", after: {}", first["pageInfo"]["endCursor"]);
    let second = page(&after).await;
    assert_eq!(second["nodes"], json!([{"id": "s1"}, {"id": "s0"}]));
    assert_eq!((&second["totalCount"], &second["pageInfo"]["hasPreviousPage"]), (&json!(9), &json!(true)));
    let after = format!(", after: {}", second["pageInfo"]["endCursor"]);
    assert_eq!(page(&after).await["nodes"], json!([{"id": "d4"}, {"id": "d3"}]));
}

#[tokio::test]
async fn services_page_by_their_slug() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    let first =
        talk.data("{ services(first: 2) { totalCount nodes { slug } pageInfo { endCursor hasNextPage } } }").await;
    assert_eq!(first["services"]["nodes"], json!([{"slug": "batch"}, {"slug": "checkout"}]));
    talk.given(&[service("a-new-one"), service("orders")]).await;
    let after = &first["services"]["pageInfo"]["endCursor"];
    let second = talk
        .data(&format!("{{ services(after: {after}) {{ totalCount nodes {{ slug }} pageInfo {{ hasNextPage }} }} }}"))
        .await;
    assert_eq!(second["services"]["nodes"], json!([{"slug": "orders"}, {"slug": "search"}]));
    assert_eq!(second["services"]["totalCount"], 5);
    let of_team = talk.data("{ services(team: \"commerce\") { nodes { slug } } }").await;
    assert_eq!(of_team["services"]["nodes"], json!([{"slug": "checkout"}]));
}

#[tokio::test]
async fn lists_can_be_narrowed() {
    let talk = Talk::start().await;
    talk.given(&organisation()).await;
    talk.given(&[incident("i2", "search", "2026-10-30T10:00:00Z").with("severity", "minor")]).await;
    assert_snapshot!(talk.ask(&format!("{{
        failed: deployments({OCTOBER}, failed: true) {{ nodes {{ id environment region outcome category trigger baseline redeployment unplanned inferred repository revision startedAt finishedAt changes {{ totalCount nodes {{ title }} }} }} }}
        fine: deployments({OCTOBER}, failed: false, scope: {{service: [\"search\", \"batch\"]}}) {{ nodes {{ id }} }}
        open: incidents({OCTOBER}, open: true) {{ nodes {{ id severity mitigatedAt }} }}
        closed: incidents({OCTOBER}, open: false) {{ nodes {{ id title detectedAt acknowledgedAt mitigatedAt resolvedAt }} }}
        changes({OCTOBER}) {{ totalCount nodes {{ sha title }} }}
        elsewhere: deployments({OCTOBER}, scope: {{environment: \"staging\"}}) {{ totalCount nodes {{ id }} }}
    }}")).await, @r#"
    {
      "data": {
        "changes": {
          "nodes": [
            {
              "sha": "ccccccc000000000000000000000000000000000",
              "title": "Pay by card"
            },
            {
              "sha": "bbbbbbb000000000000000000000000000000000",
              "title": null
            }
          ],
          "totalCount": 2
        },
        "closed": {
          "nodes": [
            {
              "acknowledgedAt": "2026-10-05T10:40:00Z",
              "detectedAt": "2026-10-05T10:35:00Z",
              "id": "i1",
              "mitigatedAt": "2026-10-05T12:00:00Z",
              "resolvedAt": null,
              "title": "Cards are refused"
            }
          ]
        },
        "elsewhere": {
          "nodes": [],
          "totalCount": 0
        },
        "failed": {
          "nodes": [
            {
              "baseline": false,
              "category": "application",
              "changes": {
                "nodes": [
                  {
                    "title": "Pay by card"
                  }
                ],
                "totalCount": 1
              },
              "environment": "production",
              "finishedAt": "2026-10-05T10:00:00Z",
              "id": "d3",
              "inferred": false,
              "outcome": "succeeded",
              "redeployment": false,
              "region": "production",
              "repository": "acme/shop",
              "revision": "ccccccc000000000000000000000000000000000",
              "startedAt": null,
              "trigger": null,
              "unplanned": false
            }
          ]
        },
        "fine": {
          "nodes": [
            {
              "id": "b1"
            },
            {
              "id": "s2"
            },
            {
              "id": "s1"
            }
          ]
        },
        "open": {
          "nodes": [
            {
              "id": "i2",
              "mitigatedAt": null,
              "severity": "minor"
            }
          ]
        }
      }
    }
    "#);
}
