//! Real peers: what real tools send, in the way that they send it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use vigie_model::{SystemClock, format_time};
use vigie_store::DeliveryState;
use vigie_testkit::TestDatabase;

use crate::house::{House, Site, facts, signed};

/// GitHub's published examples of its webhooks: every one is mapped or ignored, none fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_delivery_that_github_publishes_is_understood() {
    let examples = github_examples();
    let database = TestDatabase::sqlite();
    let house = Site::new().hook("github", "github", &["a secret"], json!({})).serve(&database).await;
    let mut sent = 0;
    for group in examples.as_array().unwrap() {
        let event = group["name"].as_str().unwrap();
        for example in group["examples"].as_array().unwrap() {
            let body = example.to_string();
            let signature = format!("sha256={}", signed("a secret", body.as_bytes()));
            let id = sent.to_string();
            let headers = [
                ("content-type", "application/json"),
                ("x-github-event", event),
                ("x-github-delivery", &*id),
                ("x-hub-signature-256", &*signature),
            ];
            let heard = house.post("/v1/hooks/github", &headers, body).await;
            assert!(heard.accepted(), "{event}: {heard:?}");
            sent += 1;
        }
    }
    house.settle().await;
    let all = house.deliveries().await;
    let failed: Vec<_> = all.iter().filter_map(|row| Some((row.kind.as_deref()?, row.error.as_deref()?))).collect();
    assert_eq!(failed, []);
    let count = |state| all.iter().filter(|row| row.state == state).count();
    assert_eq!(sent, 329, "the package holds another number of examples");
    assert_eq!((count(DeliveryState::Mapped), count(DeliveryState::Ignored)), (21, 308));
    // Once more, each under an id of its own: nothing is counted twice.
    let last = house.engine.status().last_seq;
    house.engine.replay(&vigie_engine::Requeue::Matching(vigie_store::DeliveryFilter::default())).await.unwrap();
    house.settle().await;
    assert_eq!(house.engine.status().last_seq, last);
    house.stop().await;
}

/// The examples, out of the package of that name; fetched once for a build folder.
fn github_examples() -> Value {
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).join("webhooks-examples-7.6.1");
    let index = package.join("package/api.github.com/index.json");
    if !index.exists() {
        std::fs::create_dir_all(&package).unwrap();
        let run = |command: &mut Command| {
            let done = command.current_dir(&package).stdout(Stdio::null()).status();
            let done = done.unwrap_or_else(|error| panic!("{command:?}: {error}; install npm to run this test"));
            assert!(done.success(), "{command:?} failed; it fetches GitHub's examples from the package registry");
        };
        run(Command::new("npm").args(["pack", "--silent", "@octokit/webhooks-examples@7.6.1"]));
        run(Command::new("tar").args(["xzf", "octokit-webhooks-examples-7.6.1.tgz"]));
    }
    serde_json::from_str(&std::fs::read_to_string(index).unwrap()).unwrap()
}

/// A real Alertmanager in a folder of its own.
struct Alertmanager {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Alertmanager {
    async fn start(house: &House, secret: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| -> PathBuf {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let secret = write("secret", secret);
        let config = format!(
            "route: {{receiver: vigie, group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}\n\
            receivers:\n- name: vigie\n  webhook_configs:\n  - url: {}\n    send_resolved: true\n    \
            http_config: {{authorization: {{type: Bearer, credentials_file: {}}}}}\n",
            house.url("/v1/hooks/alertmanager"),
            secret.display()
        );
        let config = write("alertmanager.yml", &config);
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new("prometheus-alertmanager");
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--cluster.listen-address=")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| {
            panic!("prometheus-alertmanager: {error}; install the package of that name to run this test")
        });
        let manager = Self { child, url: format!("http://{address}"), _folder: folder };
        let ready = async {
            while !reqwest::get(format!("{}/-/ready", manager.url)).await.is_ok_and(|a| a.status().is_success()) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), ready).await.expect("Alertmanager does not become ready");
        manager
    }

    async fn alert(&self, alert: Value) {
        let request = reqwest::Client::new().post(format!("{}/api/v2/alerts", self.url)).json(&json!([alert]));
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_of_a_real_alertmanager_opens_an_incident_and_closes_it() {
    let database = TestDatabase::sqlite();
    let site = Site { clock: std::sync::Arc::new(SystemClock), ..Site::new() };
    let site = site.hook("alertmanager", "alertmanager", &["s3cret"], json!({}));
    let site = site.service("checkout", "alertname", "CheckoutDown");
    let house = site.serve(&database).await;
    let manager = Alertmanager::start(&house, "s3cret").await;
    let started = house.engine.now() - 60 * vigie_model::SECOND;
    let mut alert = json!({
        "labels": {"alertname": "CheckoutDown", "severity": "page", "job": "shop"},
        "annotations": {"summary": "Nobody can pay"},
        "startsAt": format_time(started),
    });
    manager.alert(alert.clone()).await;
    let incidents = async |is_over: bool| loop {
        house.settle().await;
        let found = facts(&house.engine).into_iter().flat_map(|own| own.incidents).collect::<Vec<_>>();
        match found.first() {
            Some(incident) if incident.resolved_at.is_some() == is_over => return found,
            _ => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    };
    let patience = Duration::from_secs(60);
    let open = tokio::time::timeout(patience, incidents(false)).await.expect("no incident opens");
    assert_eq!(open.len(), 1);
    assert_eq!((&*open[0].service, open[0].title.as_deref()), ("checkout", Some("Nobody can pay")));
    assert_eq!((open[0].started_at, &*open[0].severity), (started, "critical"));

    alert["endsAt"] = format_time(house.engine.now()).into();
    manager.alert(alert).await;
    let over = tokio::time::timeout(patience, incidents(true)).await.expect("the incident does not close");
    assert_eq!(over.len(), 1, "it is the same incident");
    assert_eq!(over[0].started_at, started);
    assert!(house.deliveries().await.iter().all(|row| row.state == DeliveryState::Mapped));
    drop(manager);
    house.stop().await;
}
