//! The vectors are those that the tools publish, or RFC 2202 and 4231 where a tool publishes none.

use std::collections::HashMap;

use super::*;

/// 2021-02-25, when the vector of Standard Webhooks was signed.
const SIGNED_AT: i64 = 1_614_265_330;

struct Delivery<'t> {
    headers: HashMap<&'t str, &'t str>,
    body: &'t str,
    now: i64,
}

fn delivery<'t>(headers: &[(&'t str, &'t str)], body: &'t str) -> Delivery<'t> {
    Delivery { headers: headers.iter().copied().collect(), body, now: SIGNED_AT }
}

impl Delivery<'_> {
    fn is_from(&self, manifest: &str, secrets: &[&str]) -> bool {
        let text = format!("title = \"Tool\"\nabout = \"Things\"\n{manifest}");
        let manifest = Manifest::parse("connector.toml", &text).unwrap();
        let secrets: Vec<Secret> = secrets.iter().filter_map(|text| Secret::new(text)).collect();
        let header = |name: &str| self.headers.get(name).copied();
        let url = "https://vigie.example.com/v1/hooks/tool";
        verify(&manifest, &secrets, Signed { header: &header, body: self.body.as_bytes(), url, now: self.now * SECOND })
    }
}

fn shipped(name: &str) -> String {
    let registry = crate::connector::Registry::shipped();
    let place = "connectors/";
    assert!(registry.get(name).is_some());
    let text = std::fs::read_to_string(format!("{place}{name}/connector.toml")).unwrap();
    text.lines().filter(|line| !line.starts_with("title") && !line.starts_with("about")).collect::<Vec<_>>().join("\n")
}

#[test]
fn githubs_example() {
    let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let secret = "It's a Secret to Everybody";
    let github = shipped("github");
    let good = delivery(&[("x-hub-signature-256", signature)], "Hello, World!");
    assert!(good.is_from(&github, &[secret]));
    assert!(good.is_from(&github, &["the new one", secret]), "while one is rotated, both are tried");
    assert!(!good.is_from(&github, &["another"]) && !good.is_from(&github, &[]) && !good.is_from(&github, &[""]));
    assert!(!delivery(&[("x-hub-signature-256", signature)], "Hello, World").is_from(&github, &[secret]));
    assert!(!delivery(&[("x-hub-signature", signature)], "Hello, World!").is_from(&github, &[secret]));
    let upper = signature.replace("757107ea", "757107EA");
    assert!(delivery(&[("x-hub-signature-256", &upper)], "Hello, World!").is_from(&github, &[secret]));
    for bad in ["", "sha256=", "sha256=75", "sha256=7", "sha256=zz", &signature[7..], "sha1=757107ea", "sha256=é"] {
        assert!(!delivery(&[("x-hub-signature-256", bad)], "Hello, World!").is_from(&github, &[secret]), "{bad}");
    }
}

#[test]
fn atlassians_example() {
    let signature = "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9";
    let good = delivery(&[("x-hub-signature", signature)], "Hello World!");
    for name in ["bitbucket", "jira"] {
        assert!(good.is_from(&shipped(name), &["It's a Secret to Everybody"]), "{name}");
    }
}

#[test]
fn the_example_of_standard_webhooks() {
    let body = "{\"test\": 2432232314}";
    let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let id = ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek");
    let headers = [id, ("webhook-timestamp", "1614265330"), ("webhook-signature", signature)];
    let incidentio = shipped("incidentio");
    let good = delivery(&headers, body);
    assert!(good.is_from(&incidentio, &[secret]));
    assert!(good.is_from(&incidentio, &["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]), "the prefix may be left out");
    assert!(!good.is_from(&incidentio, &["whsec_no base64"]));
    let several = format!("v1,AAAA v2,x {signature}");
    assert!(delivery(&[id, headers[1], ("webhook-signature", &several)], body).is_from(&incidentio, &[secret]));
    for seconds in [-301, 301] {
        let replayed = Delivery { now: SIGNED_AT + seconds, ..delivery(&headers, body) };
        assert!(!replayed.is_from(&incidentio, &[secret]), "{seconds}");
    }
    assert!(Delivery { now: SIGNED_AT + 300, ..delivery(&headers, body) }.is_from(&incidentio, &[secret]));
    for other in [
        [("webhook-id", "msg_other"), headers[1], headers[2]],
        [id, ("webhook-timestamp", "1614265331"), headers[2]],
        [id, ("webhook-timestamp", "soon"), headers[2]],
        [id, ("other", ""), headers[2]],
    ] {
        assert!(!delivery(&other, body).is_from(&incidentio, &[secret]), "{other:?}");
    }
}

#[test]
fn slacks_example_with_the_time_in_what_is_signed() {
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let manifest = r#"
[[signature]]
scheme = "hmac"
header = "x-slack-signature"
algorithm = "sha256"
encoding = "hex"
prefix = "v0="
signed = "v0:{timestamp}:{body}"
timestamp = "x-slack-request-timestamp"
tolerance = "PT5M"
"#;
    let signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    let headers = [("x-slack-signature", signature), ("x-slack-request-timestamp", "1531420618")];
    let good = Delivery { now: 1_531_420_700, ..delivery(&headers, body) };
    assert!(good.is_from(manifest, &["8f742231b10e8888abcd99yyyzzz85a5"]));
    assert!(!delivery(&headers, body).is_from(manifest, &["8f742231b10e8888abcd99yyyzzz85a5"]));
}

#[test]
fn circlecis_example_and_several_signatures_in_one_header() {
    let right = "773ba44693c7553d6ee20f61ea5d2757a9a4f4a44d2841ae4e95b52e4cd62db4";
    let circleci = shipped("circleci");
    for header in [format!("v1={right}"), format!("v2=abc, v1={right}"), format!("v1=00,v1={right}")] {
        assert!(delivery(&[("circleci-signature", &header)], "foo").is_from(&circleci, &["secret"]), "{header}");
    }
    for header in ["v1=not-a-valid-signature".to_owned(), format!("v2={right}"), right.to_owned()] {
        assert!(!delivery(&[("circleci-signature", &header)], "foo").is_from(&circleci, &["secret"]), "{header}");
    }
    let header = format!("v1=130dcacb53a94d983a37cf2acba98e805a1c37185309ba56fdcccbcf00d6dd8b,v1={right}");
    assert!(delivery(&[("x-pagerduty-signature", &header)], "foo").is_from(&shipped("pagerduty"), &["secret"]));
}

#[test]
fn a_time_beside_the_signature_in_one_header() {
    let manifest = r#"
[[signature]]
scheme = "hmac"
header = "x-signature"
algorithm = "sha256"
encoding = "hex"
signed = "{timestamp}.{body}"
element = "v1"
timestamp_element = "t"
tolerance = "PT5M"
"#;
    let right = "e08a3f9140ccbff3177a61b2b192d470bbdecab0341104f9ec01227d528e5852";
    for (header, is_right) in [
        (format!("t=1614265330,v1={right}"), true),
        (format!("v0=00, v1={right}, t=1614265330"), true),
        (format!("t=1614265331,v1={right}"), false),
        (format!("v1={right}"), false),
        (format!("t=now,v1={right}"), false),
    ] {
        assert_eq!(delivery(&[("x-signature", &header)], "foo").is_from(manifest, &["secret"]), is_right, "{header}");
    }
}

#[test]
fn the_vectors_of_the_rfcs() {
    let body = "what do ya want for nothing?";
    let sha512 = "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737";
    let good = delivery(&[("x-tfe-notification-signature", sha512)], body);
    assert!(good.is_from(&shipped("terraform"), &["Jefe"]));
    let manifest = "[[signature]]\nscheme = \"hmac\"\nheader = \"x\"\nalgorithm = \"sha1\"\nencoding = \"base64\"";
    for padded in ["7/zfauXrL6LSdBbV8YTfnCWafHk=", "7/zfauXrL6LSdBbV8YTfnCWafHk"] {
        assert!(delivery(&[("x", padded)], body).is_from(manifest, &["Jefe"]));
    }
}

#[test]
fn a_header_may_hold_the_secret_itself() {
    let gitlab = shipped("gitlab");
    assert!(delivery(&[("x-gitlab-token", "s3cret")], "{}").is_from(&gitlab, &["s3cret"]));
    for wrong in ["s3cre", "s3crett", "S3cret", ""] {
        assert!(!delivery(&[("x-gitlab-token", wrong)], "{}").is_from(&gitlab, &["s3cret"]), "{wrong}");
    }
    let alertmanager = shipped("alertmanager");
    for good in ["Bearer s3cret", "bearer s3cret"] {
        assert!(delivery(&[("authorization", good)], "{}").is_from(&alertmanager, &["s3cret"]), "{good}");
    }
    assert!(!delivery(&[("authorization", "s3cret")], "{}").is_from(&alertmanager, &["s3cret"]));
}

#[test]
fn a_name_and_a_password() {
    let jenkins = shipped("jenkins");
    // RFC 7617's example
    let header = ("authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert!(delivery(&[header], "{}").is_from(&jenkins, &["Aladdin:open sesame"]));
    assert!(!delivery(&[header], "{}").is_from(&jenkins, &["Aladdin:open"]));
    assert!(!delivery(&[("authorization", "Basic !")], "{}").is_from(&jenkins, &["Aladdin:open sesame"]));
    // "s3cret" without a name is a bearer's, not a password.
    let header = ("authorization", "Basic czNjcmV0");
    assert!(!delivery(&[header], "{}").is_from(&shipped("alertmanager"), &["s3cret"]));
}

#[test]
fn a_secret_that_can_prove_nothing_is_said_beforehand() {
    let check = |name: &str, secret: &str| {
        let registry = crate::connector::Registry::shipped();
        check_secret(&registry.get(name).unwrap().manifest, &Secret::new(secret).unwrap())
    };
    assert_eq!(check("github", "anything"), Ok(()));
    assert_eq!(check("jenkins", "me:secret"), Ok(()));
    assert_eq!(check("jenkins", "secret"), Err("the secret has to look like user:password".to_owned()));
    assert_eq!(check("incidentio", "?"), Err("the secret has to look like whsec_BASE64".to_owned()));
    assert!(check("pingdom", "x").unwrap_err().contains("signs nothing"));
    assert_eq!(format!("{:?}", Secret::new("s3cret")), "Some(Secret(…))");
}
