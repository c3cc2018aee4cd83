//! `vigie token`.

use insta::assert_snapshot;
use serde_json::json;

use crate::bench::Bench;

#[test]
fn a_token_is_shown_once_listed_and_revoked() {
    let bench = Bench::new();
    let ran = bench.run(&["token", "create", "ci", "--may", "read,ingest", "--team", "payments", "--expires", "P90D"]);
    assert!(ran.err.contains("It is shown only now.") && ran.err.contains("Authorization: Bearer vg_"), "{}", ran.err);
    let secret = ran.good();
    assert!(secret.starts_with("vg_") && secret.trim_end().len() == 67, "{secret}");
    let listed = bench.run(&["token", "list"]);
    assert!(!listed.out.contains(secret.trim_end()));
    let listed = bench.run(&["token", "list", "--format", "json"]).json();
    let token = &listed[0];
    assert_eq!(
        (&token["name"], &token["may"], &token["state"]),
        (&json!("ci"), &json!(["ingest", "read"]), &json!("valid"))
    );
    assert_eq!(token["team"], "payments");

    let again = bench.run(&["token", "create", "ci", "--may", "read"]);
    assert_eq!(again.status, 1);
    assert_snapshot!(again.err, @"error: there is a token ci already; revoke it first (vigie token revoke ci), or choose another name");

    assert_eq!(bench.run(&["token", "revoke", "ci"]).err, "ci is revoked; servers refuse it within seconds\n");
    let twice = bench.run(&["token", "revoke", "ci"]);
    assert_eq!((twice.status, twice.err.as_str()), (1, "error: ci was revoked before\n"));
    let unknown = bench.run(&["token", "revoke", "ca"]);
    assert_eq!((unknown.status, unknown.err.as_str()), (1, "error: ca is no token; see vigie token list\n"));
    assert!(bench.run(&["token", "list"]).good().contains("revoked"));

    // The name, and with it the source of the events, can be used again, with the same rights.
    let other = bench.run(&["token", "create", "ci", "--may", "admin"]);
    assert_eq!(
        (other.status, other.err.as_str()),
        (1, "error: ci had other rights; renew it with --may ingest,read --team payments, or choose another name\n")
    );
    let renewed = bench.run(&["token", "create", "ci", "--may", "ingest,read", "--team", "payments"]).good();
    assert_ne!(renewed, secret);
    assert_eq!(bench.run(&["token", "list", "--format", "json"]).json()[0]["state"], "valid");
}

#[test]
fn nothing_to_list_is_said_on_standard_error() {
    let bench = Bench::new();
    bench.run(&["database", "migrate"]).good();
    let ran = bench.run(&["token", "list"]);
    assert_eq!((ran.status, ran.out.as_str()), (0, ""));
    assert!(ran.err.contains("vigie token create NAME --may ingest,read"), "{}", ran.err);
}
