use super::*;

fn fault(text: &str) -> String {
    Manifest::parse("tool/connector.toml", text).unwrap_err().to_string()
}

const HEAD: &str = "title = \"Tool\"\nabout = \"Things\"\n";
const HMAC: &str = "[[signature]]\nscheme = \"hmac\"\nheader = \"x-sig\"\nalgorithm = \"sha256\"\nencoding = \"hex\"\n";

#[test]
fn a_manifest_is_read() {
    let text = format!(
        "{HEAD}proven = true\npage = \"https://example.com\"\n{HMAC}signed = \"v0:{{timestamp}}:{{body}}\"\ntimestamp = \"x-at\"\n\
         tolerance = \"PT5M\"\n[[signature]]\nscheme = \"basic\"\n[delivery]\nid = \"headers.x-id\"\ntype = \"body.a.0\"\n\
         [settings]\nlabels = [\"a\"]\nn = 1\n"
    );
    let manifest = Manifest::parse("tool/connector.toml", &text).unwrap();
    let Scheme::Hmac(hmac) = &manifest.signatures[0] else { panic!("{manifest:?}") };
    assert_eq!(hmac.signed, [Part::Text("v0:".to_owned()), Part::Timestamp, Part::Text(":".to_owned()), Part::Body]);
    assert_eq!(hmac.tolerance, Some(5 * vigie_model::MINUTE));
    assert_eq!(manifest.signatures[1], Scheme::Basic { header: "authorization".to_owned() });
    assert_eq!(manifest.kind.as_ref().map(ToString::to_string).as_deref(), Some("body.a.0"));
    assert!(manifest.proven && manifest.is_secret_header("x-sig") && manifest.is_secret_header("authorization"));
    assert!(!manifest.is_secret_header("x-at"));
    let least = Manifest::parse("tool/connector.toml", HEAD).unwrap();
    assert!(!least.proven && least.signatures.is_empty() && least.settings.defaults().is_empty());
}

#[test]
fn each_fault_has_its_place_and_a_remedy() {
    for (text, said) in [
        ("title = \"T\"\n".to_owned(), "tool/connector.toml: about is missing; "),
        (
            format!("{HEAD}titel = 1\n"),
            "tool/connector.toml:3:1: titel = 1: there is no key titel here; did you mean title?",
        ),
        (format!("{HEAD}zzz = 1\n"), "there is no key zzz here; known here are title, about, "),
        (
            format!("{HEAD}proven = \"yes\"\n"),
            "tool/connector.toml:3:10: proven = \"yes\": invalid type: string \"yes\", expected a boolean",
        ),
        ("title = \"\"\nabout = \"b\"".to_owned(), "tool/connector.toml:1:9: title = \"\": write one line of text"),
        (
            format!("{HEAD}[[signature]]\nscheme = \"hmca\"\n"),
            ":4:10: scheme = \"hmca\": there is no \"hmca\" here; write one of hmac, token, basic",
        ),
        (format!("{HEAD}[[signature]]\nheader = \"x\"\n"), "scheme is missing"),
        (
            format!("{HEAD}[[signature]]\nscheme = \"token\"\n"),
            "header is missing; name the header that holds the token",
        ),
        (format!("{HEAD}[[signature]]\nscheme = \"hmac\"\nheader = \"x\"\n"), "algorithm is missing; write sha1"),
        (
            format!("{HEAD}[[signature]]\nscheme = \"token\"\nheader = \"X-Token\"\n"),
            ":5:10: header = \"X-Token\": write the header's name alone and in lower case",
        ),
        (
            format!("{HEAD}[[signature]]\nscheme = \"token\"\nheader = \"x\"\nalgorithm = \"sha1\"\n"),
            "algorithm = \"sha1\": only an hmac signature has this; remove it",
        ),
        (
            format!("{HEAD}[[signature]]\nscheme = \"basic\"\nprefix = \"Basic \"\n"),
            "HTTP basic has no prefix of its own",
        ),
        (
            format!("{HEAD}{HMAC}signed = \"{{bodi}}\"\n"),
            "signed = \"{bodi}\": there is no {bodi}; write of {body}, {timestamp}, {id} and {url}",
        ),
        (format!("{HEAD}{HMAC}signed = \"{{url}}\"\n"), "has to hold the {body}"),
        (format!("{HEAD}{HMAC}signed = \"{{timestamp}}{{body}}\"\n"), "{timestamp} needs timestamp"),
        (
            format!("{HEAD}{HMAC}signed = \"{{id}}{{body}}\"\n[delivery]\nid = \"body.id\"\n"),
            "{id} needs an id in [delivery] that is a header's",
        ),
        (format!("{HEAD}{HMAC}tolerance = \"PT5M\"\n"), "this needs timestamp"),
        (format!("{HEAD}{HMAC}timestamp = \"x-at\"\ntolerance = \"soon\"\n"), "tolerance = \"soon\": "),
        (format!("{HEAD}{HMAC}timestamp_element = \"t\"\n"), "this needs element"),
        (
            format!("{HEAD}{HMAC}element = \"v1\"\ntimestamp = \"x-at\"\ntimestamp_element = \"t\"\n"),
            "the timestamp stands in one place",
        ),
        (format!("{HEAD}{HMAC}split = \"\"\n"), "write what parts the header"),
        (format!("{HEAD}{HMAC}secret = \"hex:\"\n"), "write \"base64:\""),
        (
            format!("{HEAD}[delivery]\nid = \"header.x\"\n"),
            ":4:6: id = \"header.x\": write where it stands: headers.NAME or body.KEY.KEY",
        ),
        (format!("{HEAD}[delivery]\ntype = \"headers.X-Event\"\n"), "write the header's name in lower case"),
        (format!("{HEAD}[delivery]\nid = \"body.\"\n"), "write where it stands"),
        (
            format!("{HEAD}[settings]\nfrom = 2026-10-01\n"),
            "tool/connector.toml:4: settings.from = 2026-10-01: a setting is a text",
        ),
        (format!("{HEAD}[settings]\nnested = {{ a = 1 }}\n"), "a setting is a text"),
        ("title = ".to_owned(), "tool/connector.toml:1:"),
    ] {
        let found = fault(&text);
        assert!(
            found.starts_with("tool/connector.toml") && found.contains(said),
            "{text}\nsaid: {found}\nnot:  {said}"
        );
    }
}
