//! The server that answers like GitHub, tested as what reads from it would.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "tests")]

mod faults;
mod graphql;
mod history;
mod rest;
mod schema;
mod setup;

use reqwest::{Client, Response};
use serde_json::{Value, json};
use vigie_peerkit::github::{GitHub, Organisation, Size};

async fn small() -> GitHub {
    GitHub::serve(Organisation::new(7, Size::small())).await
}

fn client() -> Client {
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert("authorization", "Bearer secret".parse().unwrap());
    let client = Client::builder().user_agent("tests").default_headers(headers);
    client.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

async fn get(server: &GitHub, path: &str) -> Response {
    client().get(format!("{}{path}", server.url())).send().await.unwrap()
}

async fn json_of(server: &GitHub, path: &str) -> Value {
    get(server, path).await.json().await.unwrap()
}

async fn ask(server: &GitHub, query: &str, variables: Value) -> Value {
    let body = json!({"query": query, "variables": variables});
    let url = format!("{}/graphql", server.url());
    client().post(url).json(&body).send().await.unwrap().json().await.unwrap()
}

fn next(response: &Response) -> Option<String> {
    let links = response.headers().get("link")?.to_str().unwrap();
    let link = links.split(", ").find(|link| link.ends_with("rel=\"next\""))?;
    Some(link.split('>').next().unwrap().trim_start_matches('<').to_owned())
}

/// Every item of a list, and how many pages it took.
async fn all(server: &GitHub, path: &str, field: Option<&str>) -> (Vec<Value>, usize) {
    let mut url = format!("{}{path}", server.url());
    let (mut items, mut pages) = (Vec::new(), 0);
    loop {
        let response = client().get(&url).send().await.unwrap();
        assert_eq!(response.status(), 200, "{url}");
        let following = next(&response);
        let mut body: Value = response.json().await.unwrap();
        let page = match field {
            Some(field) => body[field].take(),
            None => body.take(),
        };
        items.extend(page.as_array().unwrap().iter().cloned());
        pages += 1;
        match following {
            Some(next) => url = next,
            None => return (items, pages),
        }
    }
}
