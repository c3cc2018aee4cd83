//! Catalogues of Backstage, proposed as lines of `vigie.toml`.

use insta::assert_snapshot;
use serde_json::json;

use crate::bench::Bench;

const ORGANISATION: &str = "\
apiVersion: backstage.io/v1alpha1
kind: Group
metadata:
  name: commerce
spec:
  type: department
  profile:
    displayName: Commerce
  children: [payments]
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata:
  name: payments
  title: Payments
spec:
  type: team
  children: []
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata:
  name: search_team
spec:
  type: team
  parent: group:default/commerce
  children: []
---
apiVersion: backstage.io/v1alpha1
kind: User
metadata:
  name: jane
spec:
  memberOf: [payments]
---
apiVersion: backstage.io/v1beta1
kind: System
metadata:
  name: shop
spec:
  owner: commerce
";

const COMPONENTS: &str = "\
# Comments and anchors are YAML, too.
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: Checkout.API
  title: Checkout
  annotations:
    github.com/project-slug: acme/shop
    backstage.io/source-location: url:https://github.com/acme/shop/tree/main/services/checkout/
    pagerduty.com/service-id: PXYZ123
    backstage.io/techdocs-ref: dir:.
  links:
    - url: https://grafana.example.com/d/checkout
      title: Dashboard
    - url: https://runbooks.example.com/checkout
spec:
  type: service
  lifecycle: production
  owner: group:default/payments
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: storefront
  labels: &own {github.com/project-slug: acme/shop}
  annotations:
    <<: *own
    backstage.io/source-location: url:https://github.com/acme/shop/tree/main/
    pagerduty.com/service-id:
spec: {type: website, lifecycle: experimental, owner: payments}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: search
  annotations:
    gitlab.com/project-slug: acme/discovery/search-engine
    argocd/app-name: search-prod
spec:
  type: service
  lifecycle: deprecated
  owner: search_team
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: '2048'
spec:
  type: service
  lifecycle: production
  owner: games
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: logging
spec:
  type: library
  lifecycle: production
  owner: user:jane
";

/// The configuration that a proposal makes, with what stands before it.
fn checked(bench: &Bench, before: &str, proposal: &str) -> String {
    bench.write("checked.toml", &format!("{before}{proposal}"));
    bench.run(&["config", "check", "--config", "checked.toml"]).good()
}

#[test]
fn a_catalogue_is_proposed_as_services_and_teams() {
    let bench = Bench::new();
    bench.write("org.yaml", ORGANISATION);
    bench.write("catalog-info.yaml", COMPONENTS);
    let ran = bench.run(&["catalog", "import", "org.yaml", "catalog-info.yaml"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_snapshot!(ran.err, @r"
    note: catalog-info.yaml:58: component logging: a library is not deployed; --type library proposes it all the same
    note: not used: 1 system, 1 user: they say nothing that Vigie measures by
    ");
    assert_snapshot!(ran.out, @r#"
    # Proposed by vigie catalog import. Review it, and put what is right into vigie.toml.

    [[team]]
    slug = "commerce"
    name = "Commerce"

    [[team]]
    slug = "payments"
    name = "Payments"
    parent = "commerce"

    [[team]]
    slug = "search-team"
    name = "search_team"
    parent = "commerce"

    # Owns components, but no file that was read declares group:default/games.
    [[team]]
    slug = "games"

    # Dashboard: https://grafana.example.com/d/checkout
    # https://runbooks.example.com/checkout
    # acme/shop is of several services: say by matches which of its deployments are this one's:
    # matches = { repository = "acme/shop", environment = "…" }
    [[service]]
    slug = "checkout-api"
    name = "Checkout"
    team = "payments"
    type = "service"
    repositories = [{ paths = ["services/checkout/**"], repository = "acme/shop" }]
    matches = [{ pagerduty_service_id = "PXYZ123" }]

    # Lifecycle: experimental.
    # acme/shop is of several services: say by matches which of its deployments are this one's, and which paths are its own:
    # matches = { repository = "acme/shop", environment = "…" }
    [[service]]
    slug = "storefront"
    team = "payments"
    type = "website"
    repositories = [{ repository = "acme/shop" }]

    # Lifecycle: deprecated. Where it is no longer run, write archived_at, like 2026-01-31T00:00:00Z.
    [[service]]
    slug = "search"
    team = "search-team"
    type = "service"
    repositories = [{ repository = "acme/discovery/search-engine" }]
    matches = [{ repository = "acme/discovery/search-engine" }, { app = "search-prod" }]

    # No annotation names its repository: write repositories = ["acme/shop"].
    [[service]]
    slug = "2048"
    team = "games"
    type = "service"
    "#);
    let effective = checked(&bench, "organization = \"Acme\"\n", &ran.out);
    assert!(effective.contains("slug = \"checkout-api\"\nname = \"Checkout\"\nteam = \"payments\"\n"), "{effective}");
    assert!(
        effective.contains("slug = \"search-team\"\nname = \"search_team\"\nparent = \"commerce\"\n"),
        "{effective}"
    );
    assert!(!bench.path("vigie.toml").exists());
    // With what it proposed, there is nothing left to propose.
    bench.write("vigie.toml", &ran.out);
    let again = bench.run(&["catalog", "import", "org.yaml", "catalog-info.yaml"]);
    assert_eq!((again.status, again.out.lines().last()), (0, Some("# There is nothing new.")));
    assert!(
        again.err.contains("vigie.toml: it has 4 services already that would be proposed, and are left out: "),
        "{}",
        again.err
    );
}

#[test]
fn what_stands_in_the_configuration_is_not_proposed_again() {
    let bench = Bench::new();
    let file = "[[team]]\nslug = \"commerce\"\nparent = \"payments\"\n\n\
        [[service]]\nslug = \"till\"\nformerly = [\"search\"]\nrepositories = [\"Acme/Shop\"]\n";
    bench.write("vigie.toml", file);
    bench.write("org.yaml", ORGANISATION);
    bench.write("catalog-info.yaml", COMPONENTS);
    let ran = bench.run(&["catalog", "import", ".", "org.yaml"]);
    assert!(
        ran.err.contains("note: vigie.toml: it has 1 service already that would be proposed, and is left out: search")
    );
    assert!(
        ran.err.contains("note: vigie.toml: it has 1 team already that would be proposed, and is left out: commerce")
    );
    assert!(ran.err.contains("note: team payments: its parent commerce stands below it too"), "{}", ran.err);
    assert!(!ran.out.contains("slug = \"search\"\n") && !ran.out.contains("slug = \"commerce\"\n"), "{}", ran.out);
    checked(&bench, file, &ran.good());
}

#[test]
fn what_cannot_be_used_is_said_with_its_place_and_the_rest_is_proposed() {
    let bench = Bench::new();
    let entity = |name: &str, rest: &str| {
        format!("---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\n{rest}")
    };
    let text = [
        "apiVersion: v1\nkind: ConfigMap\n".to_owned(),
        entity("${{ values.name }}", ""),
        entity("shop", "  annotations: {github.com/project-slug: shop}\nspec:\n  type: service\n  owner: user:jane\n"),
        entity("Shop", "spec: {type: service, owner: shop}\n"),
        entity("till", "  annotations:\n    backstage.io/source-location: dir:./till\nspec: {owner: '${{x}}'}\n"),
        entity("_._", ""),
        entity("sh.op", "  namespace: other\nspec: {owner: default/till}\n"),
        "---\na: [\n".to_owned(),
    ]
    .concat();
    bench.write("all.yaml", &text);
    bench.write("bytes.yaml", "");
    std::fs::write(bench.path("bytes.yaml"), [0xff, 0xfe, 0x00]).unwrap();
    std::fs::create_dir(bench.path("empty")).unwrap();
    let ran = bench.run(&["catalog", "import", "all.yaml", "bytes.yaml", "gone.yaml", "empty"]);
    assert_eq!(ran.status, 1);
    assert_snapshot!(ran.err, @r#"
    error: empty: no catalog-info.yaml is in it or below; name the file, if it is called otherwise
    error: all.yaml:1: apiVersion "v1" is none of Backstage's; it has backstage.io/v1alpha1
    error: all.yaml:7: metadata.name "${{ values.name }}" is no name of an entity; it looks like a template's placeholder
    error: all.yaml:45: this is no YAML: while parsing a node, did not find expected node content; what stands behind it was not read
    error: bytes.yaml: it cannot be read: stream did not contain valid UTF-8
    error: gone.yaml: it cannot be read: No such file or directory (os error 2)
    error: all.yaml:21: component Shop: it stands at all.yaml:10 already, which is used
    error: all.yaml:35: component _._: its name has no letter and no digit of which a slug could be made
    error: all.yaml:13: component shop: github.com/project-slug "shop" is no repository; write it like acme/shop
    error: all.yaml:29: component till: backstage.io/source-location "dir:./till" is no address of a repository, like url:https://github.com/acme/shop
    note: all.yaml:16: component shop: spec.owner "user:jane" is a person, and teams are measured; it is proposed without a team
    note: all.yaml:30: component till: spec.owner "${{x}}" names no group, like group:default/team-a; it is proposed without a team
    "#);
    assert_snapshot!(ran.out, @r#"
    # Proposed by vigie catalog import. Review it, and put what is right into vigie.toml.

    # Owns components, but no file that was read declares group:default/till.
    [[team]]
    slug = "till"

    # No annotation names its repository: write repositories = ["acme/shop"].
    [[service]]
    slug = "shop"
    type = "service"

    # No annotation names its repository: write repositories = ["acme/shop"].
    [[service]]
    slug = "till"

    # No annotation names its repository: write repositories = ["acme/shop"].
    [[service]]
    slug = "sh-op"
    name = "sh.op"
    team = "till"
    "#);
    checked(&bench, "", &ran.out);
}

#[test]
fn a_folder_is_searched_and_locations_are_followed() {
    let bench = Bench::new();
    for folder in ["repo/.backstage", "repo/node_modules/other", "repo/services/till", "teams"] {
        std::fs::create_dir_all(bench.path(folder)).unwrap();
    }
    let component = |name: &str| {
        format!(
            "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{name: {name}}}\nspec: {{owner: commerce}}\n"
        )
    };
    bench.write("repo/.backstage/catalog-info.yaml", &component("portal"));
    bench.write("repo/node_modules/other/catalog-info.yaml", &component("other"));
    bench.write("repo/services/till/catalog-info.yml", &component("till"));
    bench.write("teams/org.yaml", ORGANISATION);
    bench.write(
        "repo/catalog-info.yaml",
        "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: all}\nspec:\n  targets:\n    - ../teams/org.yaml\n    \
         - ./services/till/catalog-info.yml\n    - ./services/*/catalog-info.yaml\n    - https://github.com/acme/a/blob/main/catalog-info.yaml\n",
    );
    let ran = bench.run(&["catalog", "import", "repo", "--format", "json"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    let said = ran.err.clone();
    let found = ran.json();
    let slugs = |table: &str| -> Vec<String> {
        let all = found[table].as_array().unwrap();
        all.iter().map(|own| own["slug"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        (slugs("services"), slugs("teams")),
        (
            vec!["till".to_owned(), "portal".to_owned()],
            vec!["commerce".to_owned(), "payments".to_owned(), "search-team".to_owned()],
        )
    );
    assert_eq!(found["services"][0]["team"], "commerce");
    assert_eq!(found["services"][0]["comments"].as_array().unwrap().len(), 1);
    assert_eq!(found["notes"][0]["level"], json!("note"));
    assert!(
        said.contains("repo/catalog-info.yaml:8: location all: ./services/*/catalog-info.yaml is a pattern"),
        "{said}"
    );
    assert!(said.contains("catalog-info.yaml is elsewhere; fetch it, and name the file"), "{said}");
}

#[test]
fn a_file_is_replaced_only_where_that_is_said() {
    let bench = Bench::new();
    bench.write("catalog-info.yaml", COMPONENTS);
    let arguments = ["catalog", "import", "catalog-info.yaml", "-o", "proposed.toml"];
    let ran = bench.run(&arguments);
    assert_eq!((ran.status, ran.out.as_str()), (0, ""));
    assert!(ran.err.ends_with("proposed.toml is written: 4 services and 3 teams\n"), "{}", ran.err);
    checked(&bench, "", &bench.read("proposed.toml"));
    bench.write("proposed.toml", "# mine\n");
    let ran = bench.run(&arguments);
    assert_eq!(
        (ran.status, ran.err.as_str()),
        (1, "error: proposed.toml is there already; name a new file, or replace it with --force\n")
    );
    assert_eq!(bench.read("proposed.toml"), "# mine\n");
    let ran = bench.run(&[&arguments[..], &["--force", "--type", "library"]].concat());
    assert!(ran.err.ends_with("proposed.toml is replaced: 1 service and 0 teams\n"), "{}", ran.err);
    assert!(bench.read("proposed.toml").contains("slug = \"logging\"\n"));
}
