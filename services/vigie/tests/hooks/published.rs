//! GitHub's own description of its REST API: the answers that it publishes are read by a pull, and the server of the tests
//! answers in their shape.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};
use vigie_ingest::pull::github::GitHub;
use vigie_peerkit::github::{GitHub as Server, Organisation, Size};
use vigie_testkit::TestDatabase;

use crate::github::site;
use crate::house::{deliveries, facts};
use crate::missed::pull_as_app;
use crate::pulling::{pull, pulled};

/// The package that holds the description.
const PACKAGE: &str = "@octokit/openapi@23.0.2";

/// What a pull asks of REST: the path as the description has it, and as one of the server's repositories has it.
const ASKED: [(&str, &str); 8] = [
    ("/app/installations", "/app/installations"),
    ("/app/hook/deliveries", "/app/hook/deliveries"),
    ("/app/hook/deliveries/{delivery_id}", "/app/hook/deliveries/{delivery}"),
    ("/repos/{owner}/{repo}/compare/{basehead}", "/repos/harbour/checkout/compare/{range}"),
    ("/repos/{owner}/{repo}/deployments", "/repos/harbour/checkout/deployments"),
    ("/repos/{owner}/{repo}/actions/workflows", "/repos/harbour/checkout/actions/workflows"),
    (
        "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs",
        "/repos/harbour/checkout/actions/workflows/{workflow}/runs",
    ),
    ("/repos/{owner}/{repo}/releases", "/repos/harbour/checkout/releases"),
];

/// The fields that a pull, or the map that it goes through, reads of them: the path's place in [`ASKED`], where it stands, its
/// type, and whether it may be null.
const READ: [(usize, &str, &str, bool); 46] = [
    (0, "[].id", "integer", false),
    (0, "[].account.login", "string", false),
    (1, "[].id", "integer", false),
    (1, "[].guid", "string", false),
    (1, "[].delivered_at", "string", false),
    (1, "[].status_code", "integer", false),
    (1, "[].repository_id", "integer", true),
    (2, "request.headers", "object", true),
    (2, "request.payload", "object", true),
    (3, "commits[].sha", "string", false),
    (3, "commits[].author.login", "string", false),
    (3, "commits[].commit.author", "object", true),
    (3, "commits[].commit.author.name", "string", false),
    (3, "commits[].commit.author.date", "string", false),
    (3, "commits[].commit.committer", "object", true),
    (3, "commits[].commit.committer.date", "string", false),
    (3, "commits[].commit.message", "string", false),
    (3, "commits[].parents[].sha", "string", false),
    (4, "[].id", "integer", false),
    (4, "[].node_id", "string", false),
    (4, "[].sha", "string", false),
    (4, "[].ref", "string", false),
    (4, "[].task", "string", false),
    (4, "[].environment", "string", false),
    (4, "[].original_environment", "string", false),
    (4, "[].production_environment", "boolean", false),
    (4, "[].created_at", "string", false),
    (5, "workflows[].id", "integer", false),
    (5, "workflows[].name", "string", false),
    (5, "workflows[].path", "string", false),
    (6, "workflow_runs[].id", "integer", false),
    (6, "workflow_runs[].name", "string", true),
    (6, "workflow_runs[].path", "string", false),
    (6, "workflow_runs[].event", "string", false),
    (6, "workflow_runs[].conclusion", "string", true),
    (6, "workflow_runs[].head_sha", "string", false),
    (6, "workflow_runs[].head_branch", "string", true),
    (6, "workflow_runs[].run_attempt", "integer", false),
    (6, "workflow_runs[].run_started_at", "string", false),
    (6, "workflow_runs[].created_at", "string", false),
    (6, "workflow_runs[].updated_at", "string", false),
    (7, "[].id", "integer", false),
    (7, "[].tag_name", "string", false),
    (7, "[].created_at", "string", false),
    (7, "[].published_at", "string", true),
    (7, "[].target_commitish", "string", false),
];

/// A field of users that GitHub sends everywhere, and does not describe everywhere.
const UNDESCRIBED: &str = "user_view_type";

/// The description, out of the package; fetched once for a build folder.
fn description() -> Value {
    let all = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = all.join("github-openapi-23.0.2");
    let file = "package/generated/api.github.com.json";
    if !folder.join(file).exists() {
        std::fs::create_dir_all(all).unwrap();
        let fetched = tempfile::tempdir_in(all).unwrap();
        let run = |command: &mut Command| {
            let done = command.current_dir(&fetched).stdout(Stdio::null()).status();
            let done = done.unwrap_or_else(|error| panic!("{command:?}: {error}; install npm to run this test"));
            assert!(done.success(), "{command:?} failed; it fetches GitHub's description from the package registry");
        };
        run(Command::new("npm").args(["pack", "--silent", PACKAGE]));
        let packed = "octokit-openapi-23.0.2.tgz";
        run(Command::new("tar").args(["xzf", packed, file]));
        std::fs::remove_file(fetched.path().join(packed)).unwrap();
        // Another test may have been faster.
        if std::fs::rename(fetched.path(), &folder).is_ok() {
            drop(fetched.keep());
        }
    }
    serde_json::from_str(&std::fs::read_to_string(folder.join(file)).unwrap()).unwrap()
}

struct Described(Value);

impl Described {
    fn resolved<'d>(&'d self, node: &'d Value) -> &'d Value {
        let Some(reference) = node["$ref"].as_str() else { return node };
        let found = self.0.pointer(reference.trim_start_matches('#'));
        self.resolved(found.unwrap_or_else(|| panic!("the description lacks {reference}")))
    }

    fn answer(&self, path: &str) -> &Value {
        let answer = &self.0["paths"][path]["get"]["responses"]["200"]["content"]["application/json"];
        assert!(answer.is_object(), "the description lacks {path}");
        answer
    }

    /// Every example of an answer.
    fn examples(&self, path: &str) -> Vec<Value> {
        let all = self.answer(path)["examples"].as_object().into_iter().flatten();
        all.map(|(_, example)| self.resolved(example)["value"].clone()).collect()
    }

    /// The alternatives that a schema is made of; itself where it is of one piece.
    fn pieces<'d>(&'d self, schema: &'d Value) -> Vec<&'d Value> {
        let schema = self.resolved(schema);
        let parts = ["allOf", "anyOf", "oneOf"].iter().filter_map(|name| schema[*name].as_array()).flatten();
        let parts: Vec<&Value> = parts.flat_map(|part| self.pieces(part)).collect();
        if parts.is_empty() { vec![schema] } else { parts }
    }

    fn is_nullable(&self, schema: &Value) -> bool {
        let schema = self.resolved(schema);
        let parts = ["allOf", "anyOf", "oneOf"].iter().filter_map(|name| schema[*name].as_array()).flatten();
        schema["nullable"] == true || parts.into_iter().any(|part| self.is_nullable(part))
    }

    /// The schema of what stands at a place of another.
    fn at<'d>(&'d self, schema: &'d Value, place: &str) -> Option<&'d Value> {
        let mut schema = schema;
        for name in place.replace("[]", ".[]").split('.').filter(|name| !name.is_empty()) {
            schema = self.pieces(schema).into_iter().find_map(|piece| match name {
                "[]" => piece.get("items"),
                name => piece["properties"].get(name),
            })?;
        }
        Some(schema)
    }

    /// Whatever of a value is not as it is described.
    fn check(&self, schema: &Value, value: &Value, place: &str, wrong: &mut Vec<String>) {
        if value.is_null() {
            if !self.is_nullable(schema) && !self.pieces(schema).iter().all(|piece| piece["type"].is_null()) {
                wrong.push(format!("{place} may not be null"));
            }
            return;
        }
        let pieces = self.pieces(schema);
        let fits = |piece: &&&Value| match piece["type"].as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            _ => true,
        };
        let fitting: Vec<&Value> = pieces.iter().filter(fits).copied().collect();
        if fitting.is_empty() {
            wrong.push(format!("{place} is {value} and not of its type"));
        }
        for (number, item) in value.as_array().into_iter().flatten().enumerate().take(20) {
            if let Some(items) = fitting.iter().find_map(|piece| piece.get("items")) {
                self.check(items, item, &format!("{place}[{number}]"), wrong);
            }
        }
        let is_free = fitting.iter().any(|piece| piece["properties"].is_null());
        for (name, member) in value.as_object().into_iter().flatten() {
            match fitting.iter().find_map(|piece| piece["properties"].get(name)) {
                Some(schema) => self.check(schema, member, &format!("{place}.{name}"), wrong),
                None if is_free || name == UNDESCRIBED => {}
                None => wrong.push(format!("{place}.{name} is not described")),
            }
        }
        // Of several alternatives each has its own.
        if let (Some(members), [only]) = (value.as_object(), fitting.as_slice()) {
            let required = only["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let missing = required.filter(|name| !members.contains_key(*name));
            wrong.extend(missing.map(|name| format!("{place} lacks {name}")));
        }
    }
}

#[test]
fn what_a_pull_reads_is_what_github_describes() {
    let described = Described(description());
    let mut wrong = Vec::new();
    for (asked, place, kind, nullable) in READ {
        let (path, schema) = (ASKED[asked].0, &described.answer(ASKED[asked].0)["schema"]);
        match described.at(schema, place) {
            None => wrong.push(format!("{path} has no {place}")),
            Some(found) => {
                let kinds: Vec<&str> =
                    described.pieces(found).iter().filter_map(|piece| piece["type"].as_str()).collect();
                if !kinds.contains(&kind) || described.is_nullable(found) != nullable {
                    let null = if described.is_nullable(found) { " or null" } else { "" };
                    wrong.push(format!("{path}: {place} is {}{null}", kinds.join(" or ")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn the_server_of_the_tests_answers_in_githubs_shape() {
    let described = Described(description());
    let server = Server::serve(Organisation::new(7, Size::small())).await;
    let client = reqwest::Client::builder().user_agent("vigie").no_proxy().build().unwrap();
    let get = async |path: &str| -> Value {
        let answer = client.get(format!("{}{path}", server.url())).bearer_auth("a").send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap()
    };
    let delivery = get("/app/hook/deliveries").await[0]["id"].to_string();
    let workflow = get("/repos/harbour/checkout/actions/workflows").await["workflows"][0]["id"].to_string();
    let commits = get("/repos/harbour/checkout/commits").await;
    let range = format!("{}...main", commits[5]["sha"].as_str().unwrap());
    let mut wrong = Vec::new();
    for (path, own) in ASKED {
        let own = own.replace("{delivery}", &delivery).replace("{workflow}", &workflow).replace("{range}", &range);
        described.check(&described.answer(path)["schema"], &get(&own).await, path, &mut wrong);
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_that_github_publishes_is_read() {
    let described = Described(description());
    let published = |place: usize| {
        let all = described.examples(ASKED[place].0);
        assert!(!all.is_empty(), "{} has no example", ASKED[place].0);
        all.into_iter().next().unwrap()
    };
    assert!(ASKED.iter().all(|(path, _)| described.examples(path).len() == 1), "each is answered below");
    let size = Size { repositories: 1, days: 5, pulls: 2, ..Size::small() };
    let mut organisation = Organisation::new(3, size);
    // The one that the delivery is about.
    Arc::make_mut(&mut organisation.repositories[0]).id = 456;
    let name = organisation.repositories[0].name.clone();
    let server = Server::serve(organisation).await;
    let everything = json!({"deploy_workflows": "*", "deploy_releases": "*"});
    let site = site().hook("github", "github", &[], everything);
    let database = TestDatabase::sqlite();
    let engine = site.engine(&database).await;
    let source = GitHub { repositories: vec![format!("harbour/{name}")], ..pull_as_app(&server, &site) };
    let mut handed_over = published(1);
    // One that arrived is not asked for.
    handed_over[0]["status_code"] = json!(502);
    let answers = [
        ("/app/hook/deliveries", handed_over),
        ("/app/hook/deliveries/12345678", published(2)),
        ("/deployments", published(4)),
        ("/actions/workflows", published(5)),
        ("/runs", published(6)),
        ("/releases", published(7)),
        ("/compare/", published(3)),
    ];
    server.faults(|faults| faults.published = answers.map(|(path, answer)| (path.to_owned(), answer)).to_vec());
    let result = pulled(&engine, &source).await;
    let notes = result.notes.iter().filter(|note| !note.contains("Could not resolve to a node")).collect::<Vec<_>>();
    assert!(notes.is_empty(), "{notes:?}");
    let ids: Vec<String> =
        facts(&engine).iter().flat_map(|own| own.deployments.iter()).map(|row| row.id.to_string()).collect();
    for id in ["1", "run-30433642.1", "release-1"] {
        assert!(ids.iter().any(|own| own == id), "{id} is not among {ids:?}");
    }
    // Commits are compared once some are known.
    server.organisation(|all| all.push(&name, "main", "adao", "A change"));
    pulled(&engine, &source).await;
    let log = engine.store().tail(0, usize::MAX).await.unwrap();
    assert!(log.iter().any(|record| record.body.contains("6dcb09b5b57875f334f61aebed695e2e4193db5e")), "the commit");
    let kept = deliveries(&engine).await;
    assert_eq!((result.deliveries, kept.len()), (1, 1));
    assert_eq!(kept[0].tool_id.as_deref(), Some("0b989ba4-242f-11e5-81e1-c7b6966d2516"));

    server.faults(|faults| faults.published = vec![("/app/installations".to_owned(), published(0))]);
    let refused = pull(&engine, &pull_as_app(&server, &site)).await.unwrap_err();
    assert!(refused.to_string().contains("it is for octocat."), "{refused}");
    engine.shutdown().await;
    server.stop().await;
}
