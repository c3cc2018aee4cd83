//! `vigie demo`.

use vigie_model::{Clock, DAY, SystemClock};

use crate::bench::{Bench, wait_for};

const SMALL: [&str; 8] = ["demo", "--services", "4", "--months", "1", "--listen", "127.0.0.1:0", "--database"];

#[test]
fn the_same_seed_on_the_same_day_gives_the_same_events() {
    let bench = Bench::new();
    let run = |seed: &str, database: &str| -> String {
        let demo = bench.start(&[&SMALL[..], &[database, "--seed", seed]].concat());
        assert!(demo.said.contains(" events made up\n"), "{}", demo.said);
        let (status, said) = demo.stop();
        assert_eq!(status, 0, "{said}");
        bench.run(&["export", "--format", "ndjson", "out", "--database", database]).good();
        bench.read("out/events.ndjson")
    };
    let today = || SystemClock.now() / DAY;
    loop {
        let day = today();
        let (one, two) = (run("7", "sqlite://one.db"), run("7", "sqlite://two.db"));
        if today() != day {
            for name in ["one.db", "two.db"] {
                std::fs::remove_file(bench.path(name)).unwrap();
            }
            continue;
        }
        assert!(one.lines().count() > 500);
        // Authors are concealed by a key that each database makes for itself.
        assert_eq!(without_authors(&one), without_authors(&two));
        assert_ne!(without_authors(&one), without_authors(&run("8", "sqlite://three.db")));
        return;
    }
}

fn without_authors(events: &str) -> String {
    let line = |line: &str| match line.split_once(r#""author":"person-"#) {
        Some((before, after)) => format!("{before}{}\n", after.split_once('"').map_or("", |(_, after)| after)),
        None => format!("{line}\n"),
    };
    events.lines().map(line).collect()
}

#[test]
fn it_says_that_it_is_made_up_and_mixes_with_nothing() {
    let bench = Bench::new();
    let demo = bench.start(&[&SMALL[..], &["sqlite://demo.db"]].concat());
    assert!(demo.said.contains("Vigie shows made-up data at http://"), "{}", demo.said);
    let page = wait_for(async { reqwest::get(&demo.url).await.unwrap().text().await.unwrap() });
    assert!(page.contains("made up"), "{page}");
    let card = bench.run(&["scorecard", "--database", "sqlite://demo.db"]).good();
    assert!(card.starts_with("Fernhill Outfitters (made-up data): whole organisation, 4 services"), "{card}");
    // A configuration that lies around does not rename it.
    bench.write("vigie.toml", "organization = \"Acme\"\n");
    let ran = bench.run(&["scorecard", "--database", "sqlite://demo.db"]);
    assert!(ran.out.starts_with("Fernhill Outfitters (made-up data)"), "{}", ran.out);
    assert_eq!(
        ran.err,
        "note: the database holds made-up data, so the configuration's settings are not applied to it\n"
    );
    demo.stop();
    let again = bench.run(&[&SMALL[..], &["sqlite://demo.db"]].concat());
    assert_eq!(again.status, 1);
    assert_eq!(
        again.err,
        "error: sqlite://demo.db holds events already, and made-up ones are not to be mixed with them; name a fresh database, or leave --database out\n"
    );
}

#[test]
fn questions_as_of_an_earlier_day_have_an_answer() {
    let bench = Bench::new();
    let events = bench.demo("4", "2");
    let text = std::fs::read_to_string(events).unwrap();
    let middle = {
        let start = crate::roundtrip::start(&text);
        format!("{}-20T00:00:00Z", &start[..7])
    };
    let card = bench.run(&[
        "scorecard",
        "--database",
        "sqlite://made-up.db",
        "--as-of",
        &middle,
        "--last",
        "P10D",
        "--format",
        "json",
    ]);
    let card = card.json();
    assert_eq!(card["asOf"], middle);
    assert!(crate::roundtrip::metric(&card, "DEPLOYMENT_FREQUENCY")["value"].as_f64().unwrap() > 0.0);
}
