use super::super::Origin;
use super::*;

fn folder(root: &Path, name: &str, manifest: &str) {
    let folder = root.join(name);
    fs::create_dir_all(folder.join("fixtures")).unwrap();
    fs::write(folder.join("connector.toml"), manifest).unwrap();
    fs::write(folder.join("map.jq"), "empty").unwrap();
    fs::write(folder.join("fixtures/one.json"), "{}").unwrap();
}

#[test]
fn every_shipped_connector_is_readable_and_says_what_it_is() {
    let registry = Registry::shipped();
    assert_eq!(registry.faults().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());
    assert!(registry.iter().count() >= 34);
    for connector in registry.iter() {
        let name = &connector.name;
        assert!(connector.manifest.page.as_ref().is_some_and(|page| page.starts_with("https://")), "{name}");
        assert!(connector.fixtures().unwrap().len() >= 3, "{name}");
        assert_eq!(connector.origin, Origin::Shipped);
    }
}

#[test]
fn a_sites_own_folder_adds_connectors_and_replaces_shipped_ones() {
    let root = tempfile::tempdir().unwrap();
    folder(root.path(), "beacon", "title = \"Beacon\"\nabout = \"Rollouts\"");
    folder(root.path(), "github", "title = \"Our GitHub\"\nabout = \"Pushes\"");
    folder(root.path(), "gitlab", "title = \"Our GitLab\"");
    folder(root.path(), "My Tool", "title = \"X\"\nabout = \"Y\"");
    folder(root.path(), ".git", "");
    fs::write(root.path().join("README.md"), "ours").unwrap();
    let registry = Registry::load(Some(root.path())).unwrap();
    let title = |name: &str| registry.get(name).map(|connector| connector.manifest.title.clone());
    assert_eq!((title("beacon").as_deref(), title("github").as_deref()), (Some("Beacon"), Some("Our GitHub")));
    assert_eq!(registry.get("beacon").unwrap().origin, Origin::Own(root.path().join("beacon")));
    assert_eq!(registry.get("beacon").unwrap().fixtures().unwrap(), [("one.json".to_owned(), "{}".to_owned())]);
    // The shipped one must not stand in for one that is broken: it would map by other rules than the site's.
    assert_eq!(title("gitlab"), None);
    assert!(
        registry.unknown("gitlab").contains("gitlab/connector.toml: about is missing"),
        "{}",
        registry.unknown("gitlab")
    );
    let faults: Vec<String> = registry.faults().map(ToString::to_string).collect();
    assert!(faults.len() == 2 && faults[0].contains("My Tool: a connector's folder is named by"), "{faults:?}");
    assert_eq!(registry.unknown("beakon"), "there is no connector \"beakon\"; did you mean beacon?");
    assert!(registry.unknown("zzzzzz").starts_with("there is no connector \"zzzzzz\"; there are alertmanager, "));
    let absent = Registry::load(Some(&root.path().join("absent"))).unwrap_err();
    assert!(absent.to_string().contains("absent: it cannot be read"), "{absent}");
}
