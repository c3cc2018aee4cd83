//! A catalogue of what is on GitLab, from a server that answers like it.

use std::collections::BTreeMap;
use std::sync::Arc;

use insta::assert_snapshot;
use serde_json::{Value, json};
use vigie_peerkit::github::{Denied, Organisation, Part, Repository, Secondary, Size};
use vigie_peerkit::gitlab::GitLab;

use crate::bench::{Bench, Ran};

/// Nobody but the people.
fn nothing() -> (Organisation, String) {
    let all = Organisation::new(1, Size { repositories: 0, people: 3, days: 10, pulls: 0 });
    let person = all.accounts.iter().find(|account| !account.bot).unwrap().login.clone();
    (all, person)
}

fn set(all: &mut Organisation, name: &str, change: impl FnOnce(&mut Repository)) {
    let own = all.repositories.iter_mut().find(|own| own.name == name).unwrap();
    change(Arc::make_mut(own));
}

/// One project of each sort, in a tree of groups.
fn harbour() -> Organisation {
    let (mut all, person) = nothing();
    let mut heads = BTreeMap::new();
    for (name, place) in [
        ("checkout", "web/core"),
        ("Search_API", "web"),
        ("shop", "web/core"),
        ("widgets", "till/core"),
        ("tools", ""),
        ("notes", "till/core"),
        ("old", "web"),
        ("copy", "web"),
        ("void", "web"),
    ] {
        all.create_repository(name);
        all.place(name, place);
        if name != "void" {
            heads.insert(name, all.push(name, "main", &person, "Begin"));
        }
    }
    all.archive("old");
    set(&mut all, "copy", |own| own.fork = true);
    for (name, environment) in [
        ("shop", "production"),
        ("shop", "staging"),
        ("shop", "production"),
        ("Search_API", "prod-eu"),
        ("Search_API", "prod-us"),
        ("checkout", "staging"),
    ] {
        let deployment = all.deploy(name, environment, &heads[name], &person, None);
        all.deployment_status(name, deployment, "success");
    }
    all.create_environment("checkout", "production");
    for (job, runs) in [("test", 5), ("deploy-live", 3), ("deploy-staging", 2)] {
        for _ in 0..runs {
            let run = all.start_run("checkout", job, "push", "main", &heads["checkout"], &person);
            all.finish_run("checkout", run, "success");
        }
    }
    for tag in ["v1.0", "v1.1"] {
        all.release("widgets", tag, &person, true);
    }
    for tag in ["2025.1", "2025.2"] {
        all.tag("tools", tag, &heads["tools"]);
    }
    all
}

fn discover(bench: &Bench, server: &GitLab, more: &[&str]) -> Ran {
    bench.write("token", "glpat-made-up\n");
    let arguments = ["discover", "gitlab", "--token-file", "token", "--url", server.url()];
    let ran = bench.run(&[&arguments[..], more].concat());
    Ran { out: ran.out.replace(server.url(), "https://gitlab.test"), ..ran }
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_are_proposed_with_what_shows_their_deployments() {
    let server = GitLab::serve(harbour()).await;
    let bench = Bench::new();
    let ran = discover(&bench, &server, &["harbour"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    // What is left of the quota depends on the minute.
    let (asked, notes) = ran.err.split_once('\n').unwrap();
    assert_eq!(asked.split(';').next(), Some("looked at 6 repositories with 30 requests"));
    assert_snapshot!(notes, @r"
    note: harbour/web/old: it is archived, and nobody deploys it any more; it is left out
    note: harbour/web/copy: it is a fork; it is left out, unless it is named itself
    note: harbour/web/void: it is empty; it is left out
    ");
    assert_snapshot!(ran.out, @r#"
    # Proposed by vigie discover gitlab. Review it, and put what is right into vigie.toml.

    [[team]]
    slug = "harbour"
    name = "Harbour"

    [[team]]
    slug = "till"
    name = "Till"
    parent = "harbour"

    [[team]]
    slug = "harbour-till-core"
    name = "Core (harbour/till)"
    parent = "till"

    [[team]]
    slug = "web"
    name = "Web"
    parent = "harbour"

    [[team]]
    slug = "harbour-web-core"
    name = "Core (harbour/web)"
    parent = "web"

    # deployments 1 (0 into production), job deploy-live 3, tags 0
    # Environments: production, staging.
    # Each run of deploy-live counts as a deployment.
    [[service]]
    slug = "checkout"
    team = "harbour-web-core"
    repositories = ["harbour/web/core/checkout"]

    # deployments 2 (2 into production)
    # Environments: prod-eu, prod-us.
    [[service]]
    slug = "search-api"
    team = "web"
    repositories = ["harbour/web/Search_API"]
    production = ["prod-eu", "prod-us"]

    # deployments 3 (2 into production)
    # Environments: production, staging.
    [[service]]
    slug = "shop"
    team = "harbour-web-core"
    repositories = ["harbour/web/core/shop"]

    # deployments 0, jobs 0, releases 2, tags 2
    # Each release (v*) counts as a deployment.
    [[service]]
    slug = "widgets"
    team = "harbour-till-core"
    repositories = ["harbour/till/core/widgets"]

    # deployments 0, jobs 0, tags 2
    # Its tags may be its deployments. To count them, clone it and add:
    # [[pull]]
    # git = "PATH"
    # repository = "harbour/tools"
    # service = "tools"
    # tags = "*"
    [[service]]
    slug = "tools"
    team = "harbour"
    repositories = ["harbour/tools"]

    # deployments 0, jobs 0, tags 0
    # Nothing says when it is deployed. Name an environment in the job that deploys it, so that deployments
    # are kept, or send them to /v1/events. Where each merge is deployed, clone it and add:
    # [[pull]]
    # git = "PATH"
    # repository = "harbour/till/core/notes"
    # service = "notes"
    # every_merge = true
    [[service]]
    slug = "notes"
    team = "harbour-till-core"
    repositories = ["harbour/till/core/notes"]

    [[pull]]
    gitlab = ["harbour/web/Search_API", "harbour/web/core/shop", "harbour/tools", "harbour/till/core/notes"]
    url = "https://gitlab.test"
    token_file = "token"

    [[pull]]
    gitlab = ["harbour/web/core/checkout"]
    source = "gitlab-jobs"
    url = "https://gitlab.test"
    token_file = "token"

    # What it is told holds for its pull as for webhooks; for those it needs a secret_file, too.
    [[hook]]
    connector = "gitlab"
    source = "gitlab-jobs"
    settings = { deploy_jobs = ["deploy-live"] }

    [[pull]]
    gitlab = ["harbour/till/core/widgets"]
    source = "gitlab-releases"
    url = "https://gitlab.test"
    token_file = "token"

    # Write a long random text into the file: it tells this hook's deliveries from the other's.
    [[hook]]
    connector = "gitlab"
    source = "gitlab-releases"
    settings = { deploy_releases = ["v*"] }
    secret_file = "gitlab-releases.secret"
    "#);
    bench.write("proposed.toml", &ran.out);
    bench.run(&["config", "check", "--config", "proposed.toml"]).good();

    // What it proposes is what brings the deployments, each once.
    bench.write("vigie.toml", &ran.out.replace("https://gitlab.test", server.url()));
    bench.write("gitlab-releases.secret", "long and random");
    bench.run(&["pull"]).good();
    bench.run(&["export", "--format", "ndjson", "out"]).good();
    let mut deployments: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in bench.read("out/events.ndjson").lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        if event["kind"] == "deployment" && event["outcome"] == "succeeded" {
            let text = |key: &str| event[key].as_str().unwrap().to_owned();
            *deployments.entry((text("source"), text("service"))).or_default() += 1;
        }
    }
    let expected = [
        (("gitlab", "search-api"), 2),
        (("gitlab", "shop"), 3),
        (("gitlab-jobs", "checkout"), 4),
        (("gitlab-releases", "widgets"), 2),
    ];
    let expected = expected.map(|((source, service), count)| ((source.to_owned(), service.to_owned()), count));
    assert_eq!(deployments, BTreeMap::from(expected));

    // Now that it stands in the file, there is nothing left to propose, whoever is asked for it.
    for again in [discover(&bench, &server, &["harbour"]), bench.run(&["discover", "gitlab"])] {
        assert_eq!((again.status, again.out.lines().last()), (0, Some("# There is nothing new.")), "{}", again.out);
    }
    // One that is new goes to the pull that is there, and to the team that is there under its longer name.
    server.organisation(|all| {
        let person = all.accounts.iter().find(|account| !account.bot).unwrap().login.clone();
        all.create_repository("fresh");
        all.place("fresh", "till/core");
        let head = all.push("fresh", "main", &person, "Begin");
        let run = all.start_run("fresh", "rollout", "push", "main", &head, &person);
        all.finish_run("fresh", run, "success");
    });
    let fresh = discover(&bench, &server, &["harbour/till/core/fresh", "--format", "json"]).json();
    assert_eq!(
        (&fresh["services"][0]["slug"], &fresh["services"][0]["team"]),
        (&json!("fresh"), &json!("harbour-till-core"))
    );
    assert_eq!(fresh["teams"], json!([]));
    assert_eq!(
        fresh["remarks"],
        json!([
            "Add \"harbour/till/core/fresh\" to the gitlab = […] of the [[pull]] whose source is gitlab-jobs.",
            "Add \"rollout\" to deploy_jobs of the [[hook]] whose source is gitlab-jobs.",
        ])
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn few_questions_are_asked_of_each_project() {
    let (mut all, person) = nothing();
    for number in 0..120 {
        let name = format!("service-{number:03}");
        all.create_repository(&name);
        all.place(&name, "payments");
        let head = all.push(&name, "main", &person, "Begin");
        let deployment = all.deploy(&name, "production", &head, &person, None);
        all.deployment_status(&name, deployment, "success");
    }
    let server = GitLab::serve(all).await;
    let ran = discover(&Bench::new(), &server, &["harbour", "--format", "json"]);
    let proposed = ran.json();
    let services = proposed["services"].as_array().unwrap();
    assert_eq!(services.iter().filter(|service| service["team"] == "payments").count(), 120);
    // Two pages of projects, the name of the group above; of each project environments, deployments, those into production.
    assert_eq!(server.traffic().requests.len(), 2 + 1 + 3 * 120);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_token_may_not_see_is_said_and_the_rest_is_proposed() {
    let server = GitLab::serve(harbour()).await;
    server.faults(|faults| {
        let denied = |part, name: &str, status| Denied { repository: Some(name.to_owned()), part, status };
        faults.denied = vec![
            denied(Part::Deployments, "shop", 403),
            denied(Part::Runs, "checkout", 404),
            denied(Part::Releases, "widgets", 403),
        ];
        faults.refused = vec![("descendant_groups".to_owned(), 403)];
    });
    let bench = Bench::new();
    let ran = discover(&bench, &server, &["harbour"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let told: Vec<&str> = ran.err.lines().filter(|line| line.contains("not seen")).collect();
    assert_snapshot!(told.join("\n"), @r"
    note: harbour/web/core/checkout: its jobs were not seen: GitLab answers 404: 404 Not Found
    note: harbour/web/core/shop: its environments were not seen: GitLab answers 403: 403 Forbidden; the token needs the scope read_api and the role Reporter in the project
    note: harbour/web/core/shop: its deployments were not seen: GitLab answers 403: 403 Forbidden; the token needs the scope read_api and the role Reporter in the project
    note: harbour/till/core/widgets: its releases were not seen: GitLab answers 403: 403 Forbidden; the token needs the scope read_api and the role Reporter in the project
    note: harbour: the names of its groups were not seen: GitLab answers 403: insufficient_scope: The request requires higher privileges than provided by the access token.; make a token with the scope read_api
    ");
    let evidence: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("# deployments")).collect();
    assert_snapshot!(evidence.join("\n"), @r"
    # deployments 1 (0 into production), jobs not seen, tags 0
    # deployments 2 (2 into production)
    # deployments not seen, jobs 0, tags 0
    # deployments 0, jobs 0, releases not seen, tags 2
    # deployments 0, jobs 0, tags 2
    # deployments 0, jobs 0, tags 0
    ");
    bench.write("proposed.toml", &ran.out);
    bench.run(&["config", "check", "--config", "proposed.toml"]).good();

    // A limit that lasts ends the asking, not what was found.
    server.faults(|faults| {
        faults.denied.clear();
        faults.refused.clear();
        faults.secondary = Some(Secondary { after: 8, requests: 1_000, status: 429, retry_after: Some(600) });
    });
    server.forget_traffic();
    let ran = discover(&bench, &server, &["harbour"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(ran.out.lines().filter(|line| *line == "[[service]]").count(), 6, "{}", ran.out);
    assert!(ran.err.contains("its deployments were not seen: GitLab answers 429"), "{}", ran.err);
    assert!(server.traffic().requests.len() < 16, "{:#?}", server.traffic().requests);
    server.faults(|faults| faults.secondary = None);

    server.faults(|faults| faults.token = Some("another".to_owned()));
    let ran = discover(&bench, &server, &["harbour"]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("GitLab does not know the token"), "{}", ran.err);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_and_what_is_left_out_are_said() {
    let server = GitLab::serve(nothing().0).await;
    let bench = Bench::new();
    let ran = discover(&bench, &server, &["harbour"]);
    assert_eq!((ran.status, ran.out.lines().last()), (0, Some("# There is nothing new.")));
    assert!(ran.err.contains("note: harbour: it has no project with code"), "{}", ran.err);

    let ran = discover(&bench, &server, &["nobody"]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("nobody, a project or group on GitLab: there is none"), "{}", ran.err);

    server.organisation(|all| *all = harbour());
    let ran = discover(
        &bench,
        &server,
        &["harbour/web/copy", "harbour/nowhere", "harbour/web/s*", "--exclude", "harbour/web/core/*"],
    );
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("error: harbour/nowhere: there is none"), "{}", ran.err);
    let slugs: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("slug = ")).collect();
    assert_eq!(slugs, ["slug = \"harbour\"", "slug = \"web\"", "slug = \"copy\"", "slug = \"search-api\""]);

    let ran = bench.run(&["discover", "gitlab", "harbour"]);
    assert!(ran.status == 1 && ran.err.contains("name a file that holds a token: --token-file FILE"), "{}", ran.err);
    let ran = bench.run(&["discover", "gitlab"]);
    assert!(ran.status == 1 && ran.err.contains("no [[pull]] gitlab is configured"), "{}", ran.err);
    server.stop().await;
}
