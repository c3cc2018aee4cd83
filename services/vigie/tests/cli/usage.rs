//! Help, wrong usage, and the configuration.

use insta::assert_snapshot;

use crate::bench::Bench;

#[test]
fn help_shows_what_there_is() {
    let bench = Bench::new();
    assert_snapshot!(bench.run(&["--help"]).good(), @"
    Deployment and incident metrics of an organisation: from the events of its tools to numbers that can be traced

    Usage: vigie [OPTIONS] <COMMAND>

    Commands:
      serve       Take events in and answer questions, over HTTP
      demo        Fill a fresh database with a made-up organisation and serve it
      import      Take native events in, from files or a pipe: JSON objects, arrays, or one object a line
      export      Write the event log or the facts into a folder
      pull        Ask a source for what it knows: a git repository, a Prometheus, or all that the configuration lists
      scorecard   Show how a service, a team or the whole organisation does: values, targets, levels
      discover    Look at repositories and propose a catalogue of them: services, teams, and where their deployments show
      catalog     Read the catalogue of another tool and propose it as services and teams
      connector   List, test and try the webhook connectors
      deliveries  List what tools sent to webhooks, and what became of it
      replay      Map deliveries again: after a connector, its settings or the catalogue were mended
      token       Create, list and revoke access tokens
      database    Bring the database up to date, look through it, back it up
      config      Check the configuration
      doctor      Say what is set up, what is reachable, what data is missing and how to get it
      help        Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    For every command:
          --config <FILE>   The configuration [default: vigie.toml, where it is there]
          --database <URL>  The database: sqlite://FILE or postgres://HOST/NAME [default: sqlite://vigie.db]

    Settings come from vigie.toml, then VIGIE_* variables, then flags.
    Exit status: 0 done, 1 something was rejected or failed, 2 wrong usage.
    To see something at once: vigie demo
    ");
}

#[test]
fn wrong_usage_ends_with_status_2() {
    let bench = Bench::new();
    bench.run_with(&["import", "-"], "").good();
    for (arguments, said) in [
        (&["scorcard"][..], "tip: a similar subcommand exists: 'scorecard'"),
        (&[], "Usage: vigie [OPTIONS] <COMMAND>"),
        (&["report"], "unrecognized subcommand"),
        (&["import"], "<FILE>..."),
        (&["scorecard", "--month", "2026-13"], "month \"2026-13\" is no calendar month"),
        (&["scorecard", "--month", "2026-10", "--last", "P30D"], "cannot be used with"),
        (&["scorecard", "--last", "a while"], "--last a while: "),
        (&["scorecard", "--from", "2026-10-01T00:00:00Z"], "--to"),
        (&["scorecard", "--from", "2026-10-32", "--to", "2026-11-02"], "or 2026-10-01 for the beginning of that day"),
        (&["deliveries", "--since", "yesterday"], "or 2026-10-01 for the beginning of that day"),
        (&["scorecard", "--last", "P1D", "--format", "xml"], "possible values: table, json"),
        (&["serve", "--listen", "everywhere"], "--listen"),
        (&["import", "-", "--database", "vigie.db"], "--database"),
        (&["token", "create", "ci", "--may", "fly"], "possible values: ingest, read, admin"),
        (&["pull", "git", ".", "--tags", "v*", "--every-merge"], "cannot be used with"),
        (&["catalog", "import"], "<FILE|DIR>..."),
        (&["discover"], "Usage: vigie discover [OPTIONS] <COMMAND>"),
        (&["discover", "github", "https://github.com/acme"], "write it like acme/shop, acme/shop-* or acme"),
        (&["discover", "github", "acme", "--url", "github.example.com"], "this is no URL"),
        (&["catalog", "import", "a.yaml", "--force"], "--output <FILE>"),
    ] {
        let ran = bench.run(arguments);
        assert_eq!((ran.status, ran.out.as_str()), (2, ""), "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(said), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn an_unknown_service_or_team_is_named_with_the_nearest_known_one() {
    let bench = Bench::new();
    let event = r#"{"kind": "service", "slug": "checkout", "team": "payments"}"#;
    bench.run_with(&["import", "-"], event).good();
    let ran = bench.run(&["scorecard", "--service", "chekout"]);
    assert_eq!(
        (ran.status, ran.err.as_str()),
        (1, "error: there is no service \"chekout\"; did you mean \"checkout\"?\n")
    );
    let ran = bench.run(&["scorecard", "--team", "payment"]);
    assert_eq!(
        (ran.status, ran.err.as_str()),
        (1, "error: there is no team \"payment\"; did you mean \"payments\"?\n")
    );
}

#[test]
fn config_check_says_everything_that_is_wrong_with_its_place() {
    let bench = Bench::new();
    bench.write(
        "vigie.toml",
        "organization = \"Acme\"\ntime_zone = \"Europe/Pariss\"\n\n[metrics]\nchange_unti = \"auto\"\nlevels = 1999\n",
    );
    let ran = bench.run(&["config", "check"]);
    assert_eq!((ran.status, ran.err.as_str()), (1, "error: 3 things are wrong\n"));
    let places: Vec<&str> = ran.out.lines().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(places, ["vigie.toml:2:13", "vigie.toml:5:1", "vigie.toml:6:10"], "{}", ran.out);
    assert!(ran.out.contains("did you mean change_unit?"), "{}", ran.out);
    // Every command says so, and does nothing.
    let ran = bench.run(&["scorecard"]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.starts_with("error: the configuration:\nvigie.toml:2:13: "), "{}", ran.err);
    let ran = bench.run(&["config", "check", "--format", "json"]);
    let problems: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.status, &problems["problems"][1]["line"]), (1, &5.into()));
}

#[test]
fn config_check_prints_the_effective_settings_and_no_password() {
    let bench = Bench::new();
    bench.write("vigie.toml", "organization = \"Acme\"\ndatabase = \"postgres://me:from-the-file@db/vigie\"\n");
    let mut command = bench.command(&["config", "check"]);
    command.env("VIGIE_TIME_ZONE", "Asia/Tokyo").env("VIGIE_DATABASE", "postgres://me:s3cret@db/vigie");
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{err}");
    assert!(out.contains("organization = \"Acme\"\ntime_zone = \"Asia/Tokyo\""), "{out}");
    assert!(
        out.contains("postgres://me:***@db/vigie") && !out.contains("s3cret") && !out.contains("from-the-file"),
        "{out}"
    );
    assert_eq!(err, "vigie.toml is good; these are the settings with their defaults\n");
}

#[test]
fn the_configuration_becomes_part_of_the_record_and_only_its_changes() {
    let bench = Bench::new();
    bench.write("vigie.toml", "organization = \"Acme\"\n[[team]]\nslug = \"payments\"\n[[service]]\nslug = \"checkout\"\nteam = \"payments\"\n");
    let ran = bench.run_with(&["import", "-"], r#"{"kind": "service", "slug": "search"}"#);
    assert!(ran.err.contains("applied vigie.toml: 3 changes recorded"), "{}", ran.err);
    let ran = bench.run(&["scorecard", "--team", "payments"]);
    assert!(ran.out.starts_with("Acme: payments (team payments, 1 service), production\n"), "{}", ran.out);
    assert_eq!(ran.err, "");
    bench.write("vigie.toml", "organization = \"Acme Ltd\"\n[[service]]\nslug = \"checkout\"\n");
    let ran = bench.run(&["scorecard"]);
    assert!(ran.err.contains("3 changes recorded"), "{}", ran.err);
    assert!(ran.out.starts_with("Acme Ltd: whole organisation, 2 services"), "{}", ran.out);
    // Without a file, what was recorded stands.
    std::fs::remove_file(bench.path("vigie.toml")).unwrap();
    assert!(bench.run(&["scorecard"]).good().starts_with("Acme Ltd: "));
}

#[test]
fn a_date_is_the_beginning_of_its_day_where_the_organisation_is() {
    let bench = Bench::new();
    bench.write("vigie.toml", "time_zone = \"Europe/Paris\"\n");
    bench.run_with(&["import", "-"], "").good();
    let window = |from: &str, to: &str| {
        let card = bench.run(&["scorecard", "--format", "json", "--from", from, "--to", to]).json();
        card["window"].clone()
    };
    let days = window("2026-03-15", "2026-07-01");
    assert_eq!(days, window("2026-03-14T23:00:00Z", "2026-07-01T00:00:00+02:00"));
    assert_eq!((&days["from"], &days["to"]), (&"2026-03-14T23:00:00Z".into(), &"2026-06-30T22:00:00Z".into()));
    let ran = bench.run(&["scorecard", "--from", "2026-03-15", "--to", "2026-03-15"]);
    assert_eq!(ran.status, 2, "{}", ran.err);
}
