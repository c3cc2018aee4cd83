//! A repository on GitHub with several services in it: which paths a commit touches is known from a clone.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use vigie_engine::Engine;
use vigie_githubkit::github::{Commit, GitHub as Server, Organisation, Size};
use vigie_ingest::pull::github::GitHub;
use vigie_store::PreparedEvent;
use vigie_testkit::{TestDatabase, events, store_test_suite};

use crate::github::pull_of;
use crate::house::{Site, facts};
use crate::pulling::pulled;

store_test_suite! {
    a_service_counts_the_commits_that_touch_its_paths,
    without_a_clone_the_rest_arrives_and_it_is_told,
}

const NAME: &str = "checkout";

/// A repository that git knows, and the server's account of it.
struct Twin<'a> {
    server: &'a Server,
    work: &'a Path,
    bare: &'a Path,
}

impl Twin<'_> {
    fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.current_dir(self.work).args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]);
        let date = "2026-06-01T12:00:00Z";
        command.env("GIT_AUTHOR_DATE", date).env("GIT_COMMITTER_DATE", date).env("GIT_CONFIG_GLOBAL", "/dev/null");
        let output = command.args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Somebody writes a file.
    fn commit(&self, file: &str) -> String {
        let path = self.work.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{:?}", std::time::Instant::now())).unwrap();
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "-m", file]);
        let sha = self.git(&["rev-parse", "HEAD"]);
        self.git(&["push", "--quiet", &self.bare.to_string_lossy(), "HEAD:refs/heads/main"]);
        let parents = self.git(&["log", "-1", "--format=%P"]);
        self.server.organisation(|all| {
            let at = all.now();
            let repository = Arc::make_mut(all.repositories.iter_mut().find(|it| it.name == NAME).unwrap());
            let commit = Commit {
                sha: sha.clone(),
                parents: parents.split_whitespace().map(str::to_owned).collect(),
                message: file.to_owned(),
                author: None,
                author_name: "Ada".to_owned(),
                author_email: "ada@example.org".to_owned(),
                author_offset: 0,
                authored_at: "2026-06-01T12:00:00Z".parse().unwrap(),
                committed_at: "2026-06-01T12:00:00Z".parse().unwrap(),
                web_flow: false,
            };
            repository.commits.insert(sha.clone(), Arc::new(commit));
            repository.branches.insert("main".to_owned(), sha.clone());
            repository.pushed_at = Some(at);
        });
        sha
    }

    fn deploy(&self, sha: &str) {
        self.server.organisation(|all| {
            let id = all.deploy(NAME, "production", &sha.to_owned(), "adao", None);
            all.deployment_status(NAME, id, "success");
        });
    }
}

/// An organisation of one repository, without any history.
async fn empty() -> Server {
    let server =
        Server::serve(Organisation::new(5, Size { repositories: 1, days: 5, pulls: 0, ..Size::small() })).await;
    server.organisation(|all| {
        let repository = Arc::make_mut(&mut all.repositories[0]);
        assert_eq!((repository.name.as_str(), repository.default_branch.as_str()), (NAME, "main"));
        repository.commits.clear();
        repository.branches.clear();
        repository.pulls.clear();
        repository.deployments.clear();
        repository.issues.clear();
    });
    server
}

/// The service of the repository's name is what lies in one folder of it.
async fn declare(engine: &Engine) {
    let repositories = serde_json::json!([{"repository": format!("harbour/{NAME}"), "paths": ["front/**"]}]);
    let service = events::service(NAME).with("repositories", repositories).at("2026-01-01T00:00:00Z");
    let event = PreparedEvent::new(service.event());
    engine.store().append(&[event], engine.now()).await.unwrap();
}

fn changes(engine: &Engine) -> BTreeSet<String> {
    let all = facts(engine);
    let own = all.iter().filter(|it| &*it.service.service == NAME);
    own.flat_map(|it| it.changes.iter()).map(|change| change.sha.to_string()).collect()
}

async fn a_service_counts_the_commits_that_touch_its_paths(database: TestDatabase) {
    let server = empty().await;
    let folder = tempfile::tempdir().unwrap();
    let (work, clones) = (folder.path().join("work"), folder.path().join("git"));
    let bare = clones.join(format!("harbour/{NAME}.git"));
    std::fs::create_dir_all(&work).unwrap();
    let twin = Twin { server: &server, work: &work, bare: &bare };
    twin.git(&["init", "--quiet", "-b", "main", "."]);
    twin.git(&["init", "--quiet", "--bare", "-b", "main", &bare.to_string_lossy()]);
    twin.git(&["-C", &bare.to_string_lossy(), "config", "uploadpack.allowFilter", "true"]);
    server.serve_clones(&clones);
    let first = twin.commit("front/a");
    twin.deploy(&first);
    let (front, back) = (twin.commit("front/b"), twin.commit("back/c"));
    twin.deploy(&back);

    let site = Site::new().unmapped();
    let engine = site.engine(&database).await;
    declare(&engine).await;
    let source = GitHub { repositories: vec![format!("harbour/{NAME}")], ..pull_of(&server, &site) };
    assert_eq!(pulled(&engine, &source).await.notes, [""; 0]);
    assert_eq!(changes(&engine), BTreeSet::from([front.clone()]));
    let clone = source.clones.read_dir().unwrap().next().unwrap().unwrap().path().join(format!("harbour/{NAME}.git"));
    assert!(clone.join("HEAD").exists() && !clone.join("front").exists(), "a bare clone stands at {}", clone.display());

    // Nothing new is not fetched, what is new is, also where the clone was removed meanwhile.
    assert_eq!(pulled(&engine, &source).await.accepted, 0);
    std::fs::remove_dir_all(&source.clones).unwrap();
    assert_eq!(pulled(&engine, &source).await.accepted, 0);
    assert!(!source.clones.exists());
    let (more, other) = (twin.commit("front/d"), twin.commit("back/e"));
    twin.deploy(&other);
    assert_eq!(pulled(&engine, &source).await.notes, [""; 0]);
    assert_eq!(changes(&engine), BTreeSet::from([front, more]));
    engine.shutdown().await;
    server.stop().await;
}

async fn without_a_clone_the_rest_arrives_and_it_is_told(database: TestDatabase) {
    let server = empty().await;
    let folder = tempfile::tempdir().unwrap();
    let (work, bare) = (folder.path().join("work"), folder.path().join("bare.git"));
    std::fs::create_dir_all(&work).unwrap();
    let twin = Twin { server: &server, work: &work, bare: &bare };
    twin.git(&["init", "--quiet", "-b", "main", "."]);
    twin.git(&["init", "--quiet", "--bare", "-b", "main", &bare.to_string_lossy()]);
    let first = twin.commit("front/a");
    twin.deploy(&first);
    let (front, back) = (twin.commit("front/b"), twin.commit("back/c"));
    twin.deploy(&back);
    let site = Site::new().unmapped();
    let engine = site.engine(&database).await;
    declare(&engine).await;
    let source = GitHub { repositories: vec![format!("harbour/{NAME}")], ..pull_of(&server, &site) };
    let notes = pulled(&engine, &source).await.notes;
    assert_eq!(notes.len(), 1);
    assert!(notes[0].starts_with("harbour/checkout: the paths of its commits are unknown"), "{notes:?}");
    assert_eq!(changes(&engine), BTreeSet::from([front, back]));
    engine.shutdown().await;
    server.stop().await;
}
