//! A catalogue of what is on GitHub, from a server that answers like it.

use std::collections::BTreeMap;
use std::sync::Arc;

use insta::assert_snapshot;
use serde_json::{Value, json};
use vigie_peerkit::github::{Denied, GitHub, Organisation, Part, Repository, Size};

use crate::bench::{Bench, Ran};

/// Nobody but the people.
fn nothing() -> Organisation {
    Organisation::new(1, Size { repositories: 0, people: 3, days: 10, pulls: 0 })
}

fn set(all: &mut Organisation, name: &str, change: impl FnOnce(&mut Repository)) {
    let own = all.repositories.iter_mut().find(|own| own.name == name).unwrap();
    change(Arc::make_mut(own));
}

/// One repository of each sort.
fn harbour() -> Organisation {
    let mut all = nothing();
    let person = all.accounts.iter().find(|account| !account.bot).unwrap().login.clone();
    let names = ["checkout", "Search_API", "shop", "widgets", "tools", "notes", "old", "copy", "void"];
    let mut heads = BTreeMap::new();
    for name in names {
        all.create_repository(name);
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
    ] {
        let deployment = all.deploy(name, environment, &heads[name], &person, None);
        all.deployment_status(name, deployment, "success");
    }
    all.create_environment("checkout", "production");
    for (file, runs) in [("ci", 5), ("release", 3), ("deploy-staging", 2)] {
        for _ in 0..runs {
            let run = all.start_run("checkout", file, "push", "main", &heads["checkout"], &person);
            all.finish_run("checkout", run, "success");
        }
    }
    all.release("checkout", "v0.1", &person, true);
    for (tag, is_final) in [("v1.0", true), ("v1.1-rc.1", false), ("v1.1", true)] {
        all.release("widgets", tag, &person, is_final);
    }
    for tag in ["2025.1", "2025.2"] {
        all.tag("tools", tag, &heads["tools"]);
    }
    all.create_team("commerce", "Commerce", None);
    all.create_team("payments", "Payments", Some("commerce"));
    all.create_team("platform", "Platform", None);
    all.create_team("guests", "Guests", None);
    for (team, repository, permission) in [
        ("payments", "shop", "ADMIN"),
        ("payments", "checkout", "MAINTAIN"),
        ("platform", "shop", "ADMIN"),
        ("platform", "checkout", "WRITE"),
        ("platform", "tools", "WRITE"),
        ("guests", "notes", "READ"),
    ] {
        all.grant(team, repository, permission);
    }
    all
}

fn discover(bench: &Bench, server: &GitHub, more: &[&str]) -> Ran {
    bench.write("token", "ghp_made_up\n");
    let arguments = ["discover", "github", "--token-file", "token", "--url", server.url()];
    let ran = bench.run(&[&arguments[..], more].concat());
    Ran { out: ran.out.replace(server.url(), "https://github.test"), ..ran }
}

#[tokio::test(flavor = "multi_thread")]
async fn repositories_are_proposed_with_what_shows_their_deployments() {
    let server = GitHub::serve(harbour()).await;
    let bench = Bench::new();
    let ran = discover(&bench, &server, &["harbour"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_snapshot!(ran.err, @r"
    looked at 6 repositories with 8 requests; 4,996 more may be sent for now
    note: harbour/void: it is empty, or disabled by GitHub; it is left out
    ");
    assert_snapshot!(ran.out, @r#"
    # Proposed by vigie discover github. Review it, and put what is right into vigie.toml.

    [[team]]
    slug = "commerce"
    name = "Commerce"

    [[team]]
    slug = "payments"
    name = "Payments"
    parent = "commerce"

    [[team]]
    slug = "platform"
    name = "Platform"

    # Deployments API 2 (2 into production), tags 0
    # Environments: prod-eu, prod-us.
    [[service]]
    slug = "search-api"
    repositories = ["harbour/Search_API"]
    production = ["prod-eu", "prod-us"]

    # Deployments API 0, workflow release.yml 3, releases 1, tags 1
    # Environments: production.
    # Teams: payments (maintain), platform (write).
    # Each run of release.yml counts as a deployment.
    [[service]]
    slug = "checkout"
    team = "payments"
    repositories = ["harbour/checkout"]

    # Deployments API 0, workflows 0, tags 0
    # Nothing says when it is deployed. Name an environment in the job that deploys it, so that deployments
    # are kept, or send them to /v1/events. Where each merge is deployed, clone it and add:
    # [[pull]]
    # git = "PATH"
    # repository = "harbour/notes"
    # service = "notes"
    # every_merge = true
    [[service]]
    slug = "notes"
    repositories = ["harbour/notes"]

    # Deployments API 3 (2 into production), tags 0
    # Environments: production, staging.
    # Teams: payments (admin), platform (admin).
    [[service]]
    slug = "shop"
    team = "payments"
    repositories = ["harbour/shop"]

    # Deployments API 0, workflows 0, tags 2
    # Its tags may be its deployments. To count them, clone it and add:
    # [[pull]]
    # git = "PATH"
    # repository = "harbour/tools"
    # service = "tools"
    # tags = "*"
    [[service]]
    slug = "tools"
    team = "platform"
    repositories = ["harbour/tools"]

    # Deployments API 0, workflows 0, releases 3, tags 3
    # Each release (v*) counts as a deployment.
    [[service]]
    slug = "widgets"
    repositories = ["harbour/widgets"]

    [[pull]]
    github = ["harbour/Search_API", "harbour/notes", "harbour/shop", "harbour/tools"]
    url = "https://github.test"
    token_file = "token"

    [[pull]]
    github = ["harbour/checkout"]
    source = "github-workflows"
    url = "https://github.test"
    token_file = "token"

    # What it is told holds for its pull as for webhooks; for those it needs a secret_file, too.
    [[hook]]
    connector = "github"
    source = "github-workflows"
    settings = { deploy_workflows = ["release.yml"] }

    [[pull]]
    github = ["harbour/widgets"]
    source = "github-releases"
    url = "https://github.test"
    token_file = "token"

    # Write a long random text into the file: it tells this hook's deliveries from the other's.
    [[hook]]
    connector = "github"
    source = "github-releases"
    settings = { deploy_releases = ["v*"] }
    secret_file = "github-releases.secret"
    "#);
    bench.write("proposed.toml", &ran.out);
    bench.run(&["config", "check", "--config", "proposed.toml"]).good();

    // What it proposes is what brings the deployments, each once.
    bench.write("vigie.toml", &ran.out.replace("https://github.test", server.url()));
    bench.write("github-releases.secret", "long and random");
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
        (("github", "search-api"), 2),
        (("github", "shop"), 3),
        (("github-releases", "widgets"), 2),
        (("github-workflows", "checkout"), 3),
    ];
    let expected = expected.map(|((source, service), count)| ((source.to_owned(), service.to_owned()), count));
    assert_eq!(deployments, BTreeMap::from(expected));

    // Now that it stands in the file, there is nothing left to propose, whoever is asked for it.
    for again in [discover(&bench, &server, &["harbour"]), bench.run(&["discover", "github"])] {
        assert_eq!((again.status, again.out.lines().last()), (0, Some("# There is nothing new.")), "{}", again.out);
        assert!(again.err.contains("vigie.toml: it has the services of these repositories already"), "{}", again.err);
    }
    // One that is new goes to the pull that is there.
    server.organisation(|all| {
        all.create_repository("fresh");
        let person = all.accounts.iter().find(|account| !account.bot).unwrap().login.clone();
        let head = all.push("fresh", "main", &person, "Begin");
        let run = all.start_run("fresh", "deploy", "push", "main", &head, &person);
        all.finish_run("fresh", run, "success");
    });
    let fresh = discover(&bench, &server, &["harbour", "--format", "json"]).json();
    assert_eq!(fresh["services"][0]["slug"], "fresh");
    assert_eq!(
        fresh["remarks"],
        json!([
            "Add \"harbour/fresh\" to the github = […] of the [[pull]] whose source is github-workflows.",
            "Add \"deploy.yml\" to deploy_workflows of the [[hook]] whose source is github-workflows.",
        ])
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn few_questions_are_asked() {
    let mut all = nothing();
    let person = all.accounts.iter().find(|account| !account.bot).unwrap().login.clone();
    all.create_team("payments", "Payments", None);
    for number in 0..120 {
        let name = format!("service-{number:03}");
        all.create_repository(&name);
        let head = all.push(&name, "main", &person, "Begin");
        let deployment = all.deploy(&name, "production", &head, &person, None);
        all.deployment_status(&name, deployment, "success");
        all.grant("payments", &name, "ADMIN");
    }
    let server = GitHub::serve(all).await;
    let ran = discover(&Bench::new(), &server, &["harbour", "--format", "json"]);
    let proposed = ran.json();
    let services = proposed["services"].as_array().unwrap();
    assert_eq!(services.iter().filter(|service| service["team"] == "payments").count(), 120);
    // Five pages of repositories, two counts of what went into production, a page of teams and one more of its repositories.
    assert_eq!(server.traffic().requests.len(), 9, "{:#?}", server.traffic().requests);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_token_may_not_see_is_said_and_the_rest_is_proposed() {
    let server = GitHub::serve(harbour()).await;
    server.faults(|faults| {
        let denied = |part, name: Option<&str>| Denied { repository: name.map(str::to_owned), part, status: 403 };
        faults.denied = vec![
            denied(Part::Teams, None),
            denied(Part::Deployments, Some("shop")),
            denied(Part::Runs, Some("checkout")),
            denied(Part::Releases, Some("widgets")),
        ];
    });
    let bench = Bench::new();
    let ran = discover(&bench, &server, &["harbour/shop", "harbour/checkout", "harbour/widgets"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_snapshot!(ran.err, @r"
    looked at 3 repositories with 10 requests; 4,993 more may be sent for now
    note: harbour/shop: its deployments may not be seen: the token needs the permission Deployments (read)
    note: harbour/widgets: its releases may not be seen: the token needs the permission Contents (read)
    note: harbour/checkout: its workflows were not seen: GitHub answers 403: Resource not accessible by personal access token; the token needs the permission actions=read
    note: harbour: its teams may not be seen (organization.teams: Resource not accessible by personal access token): a fine-grained token or an app needs the organisation's permission Members (read), a classic token the scope read:org
    ");
    assert!(!ran.out.contains("[[team]]") && !ran.out.contains("team = "), "{}", ran.out);
    let evidence: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("# Deployments API")).collect();
    assert_eq!(
        evidence,
        [
            "# Deployments API not seen, workflows 0, tags 0",
            "# Deployments API 0, workflows not seen, releases 1, tags 1",
            "# Deployments API 0, workflows 0, releases not seen, tags 3",
        ]
    );
    assert!(ran.out.contains("# What deploys it may not be seen: give the token the permissions"), "{}", ran.out);
    bench.write("proposed.toml", &ran.out);
    bench.run(&["config", "check", "--config", "proposed.toml"]).good();

    server.faults(|faults| faults.token = Some("another".to_owned()));
    let ran = discover(&bench, &server, &["harbour"]);
    assert_eq!((ran.status, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("GitHub does not know the token"), "{}", ran.err);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_organisation_an_unknown_owner_and_what_is_left_out_are_said() {
    let server = GitHub::serve(nothing()).await;
    let bench = Bench::new();
    let ran = discover(&bench, &server, &["harbour"]);
    assert_eq!((ran.status, ran.out.lines().last()), (0, Some("# There is nothing new.")));
    assert!(ran.err.contains("note: harbour: it has no repository with code"), "{}", ran.err);
    bench.write("proposed.toml", &ran.out);
    bench.run(&["config", "check", "--config", "proposed.toml"]).good();

    let ran = discover(&bench, &server, &["nobody"]);
    assert_eq!(
        (ran.status, ran.out.as_str(), ran.err.as_str()),
        (1, "", "error: the owner nobody: there is none, or the token may not see it\n")
    );
    server.organisation(|all| *all = harbour());
    let ran = discover(&bench, &server, &["harbour/old", "harbour/nowhere", "harbour/s*", "--exclude", "harbour/shop"]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("error: harbour/nowhere: repository: Could not resolve to a Repository"), "{}", ran.err);
    assert!(ran.err.contains("note: harbour/old: it is archived"), "{}", ran.err);
    let slugs: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("slug = ")).collect();
    assert_eq!(slugs, ["slug = \"search-api\""]);

    let ran = bench.run(&["discover", "github", "harbour"]);
    assert!(ran.status == 1 && ran.err.contains("name a file that holds a token: --token-file FILE"), "{}", ran.err);
    let ran = bench.run(&["discover", "github"]);
    assert!(ran.status == 1 && ran.err.contains("no [[pull]] github is configured"), "{}", ran.err);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_file_says_of_a_repository_stands() {
    let server = GitHub::serve(harbour()).await;
    let bench = Bench::new();
    bench.write(
        "vigie.toml",
        "[[service]]\nslug = \"till\"\nrepositories = [\"Harbour/Shop\"]\n\
         [[service]]\nslug = \"widgets\"\nrepositories = [\"harbour/other-widgets\"]\n\
         [[hook]]\nconnector = \"github\"\nsettings = { deploy_releases = [\"v*\"] }\n",
    );
    let ran = discover(&bench, &server, &["harbour/shop", "harbour/widgets", "harbour/tools", "--source", "github"]);
    assert!(ran.err.contains("the services of these repositories already: harbour/shop\n"), "{}", ran.err);
    assert!(ran.out.contains("github = [\"harbour/shop\", \"harbour/tools\"]\n"), "{}", ran.out);
    let taken = "slug = \"harbour-widgets\"\nrepositories = [\"harbour/widgets\"]\nmatches = { repository = \"harbour/widgets\" }\n";
    assert!(ran.out.contains(taken), "{}", ran.out);
    assert!(ran.out.contains("# The [[hook]] of the source github has deploy_releases"), "{}", ran.out);
    assert!(ran.out.contains("secret_file = \"github-releases.secret\"\n"), "{}", ran.out);
    bench.write("both.toml", &(bench.read("vigie.toml") + &ran.out));
    bench.run(&["config", "check", "--config", "both.toml"]).good();
    server.stop().await;
}
