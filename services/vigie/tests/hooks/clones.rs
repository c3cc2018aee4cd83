//! A repository with several services in it, on GitHub and on GitLab: which paths a commit touches is known from a clone.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use vigie_engine::Engine;
use vigie_ingest::pull::Pull;
use vigie_ingest::pull::github::GitHub;
use vigie_ingest::pull::gitlab::GitLab;
use vigie_peerkit::github::{Commit, GitHub as GitHubServer, Organisation, Size};
use vigie_peerkit::gitlab::GitLab as GitLabServer;
use vigie_store::PreparedEvent;
use vigie_testkit::{TestDatabase, events, store_test_suite};

use crate::house::{Site, facts};
use crate::pulling::pulled;
use crate::{github, gitlab};

store_test_suite! {
    on_github_a_service_counts_the_commits_that_touch_its_paths,
    on_gitlab_a_service_counts_the_commits_that_touch_its_paths,
    without_a_clone_of_github_the_rest_arrives_and_it_is_told,
    without_a_clone_of_gitlab_the_rest_arrives_and_it_is_told,
}

const NAME: &str = "checkout";

/// Changes what a server holds.
type Server<'a> = dyn Fn(&mut dyn FnMut(&mut Organisation)) + Sync + 'a;

/// A repository that git knows, and the server's account of it.
struct Twin<'a> {
    server: &'a Server<'a>,
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
        (self.server)(&mut |all| {
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
        (self.server)(&mut |all| {
            let id = all.deploy(NAME, "production", &sha.to_owned(), "adao", None);
            all.deployment_status(NAME, id, "success");
        });
    }
}

/// An organisation of one repository, without any history.
fn empty() -> Organisation {
    let mut all = Organisation::new(5, Size { repositories: 1, days: 5, pulls: 0, ..Size::small() });
    let repository = Arc::make_mut(&mut all.repositories[0]);
    assert_eq!((repository.name.as_str(), repository.default_branch.as_str()), (NAME, "main"));
    repository.commits.clear();
    repository.branches.clear();
    repository.pulls.clear();
    repository.deployments.clear();
    repository.issues.clear();
    all
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

async fn on_github_a_service_counts_the_commits_that_touch_its_paths(database: TestDatabase) {
    let (server, folder, site) =
        (GitHubServer::serve(empty()).await, tempfile::tempdir().unwrap(), Site::new().unmapped());
    server.serve_clones(&folder.path().join("git"));
    let source = GitHub { repositories: vec![format!("harbour/{NAME}")], ..github::pull_of(&server, &site) };
    counted(&database, &|change| server.organisation(change), folder.path(), &site, &source, &source.clones).await;
    server.stop().await;
}

async fn on_gitlab_a_service_counts_the_commits_that_touch_its_paths(database: TestDatabase) {
    let (server, folder, site) =
        (GitLabServer::serve(empty()).await, tempfile::tempdir().unwrap(), Site::new().unmapped());
    server.serve_clones(&folder.path().join("git"));
    let source = GitLab { projects: vec![format!("harbour/{NAME}")], ..gitlab::pull_of(&server, &site) };
    counted(&database, &|change| server.organisation(change), folder.path(), &site, &source, &source.clones).await;
    server.stop().await;
}

async fn counted(
    database: &TestDatabase,
    server: &Server<'_>,
    folder: &Path,
    site: &Site,
    source: &dyn Pull,
    clones: &Path,
) {
    let (work, bare) = (folder.join("work"), folder.join(format!("git/harbour/{NAME}.git")));
    std::fs::create_dir_all(&work).unwrap();
    let twin = Twin { server, work: &work, bare: &bare };
    twin.git(&["init", "--quiet", "-b", "main", "."]);
    twin.git(&["init", "--quiet", "--bare", "-b", "main", &bare.to_string_lossy()]);
    twin.git(&["-C", &bare.to_string_lossy(), "config", "uploadpack.allowFilter", "true"]);
    let first = twin.commit("front/a");
    twin.deploy(&first);
    let (front, back) = (twin.commit("front/b"), twin.commit("back/c"));
    twin.deploy(&back);

    let engine = site.engine(database).await;
    declare(&engine).await;
    assert_eq!(pulled(&engine, source).await.notes, [""; 0]);
    assert_eq!(changes(&engine), BTreeSet::from([front.clone()]));
    let clone = clones.read_dir().unwrap().next().unwrap().unwrap().path().join(format!("harbour/{NAME}.git"));
    assert!(clone.join("HEAD").exists() && !clone.join("front").exists(), "a bare clone stands at {}", clone.display());

    // Nothing new is not fetched, what is new is, also where the clone was removed meanwhile.
    assert_eq!(pulled(&engine, source).await.accepted, 0);
    std::fs::remove_dir_all(clones).unwrap();
    assert_eq!(pulled(&engine, source).await.accepted, 0);
    assert!(!clones.exists());
    let (more, other) = (twin.commit("front/d"), twin.commit("back/e"));
    twin.deploy(&other);
    assert_eq!(pulled(&engine, source).await.notes, [""; 0]);
    assert_eq!(changes(&engine), BTreeSet::from([front, more]));
    engine.shutdown().await;
}

async fn without_a_clone_of_github_the_rest_arrives_and_it_is_told(database: TestDatabase) {
    let (server, site) = (GitHubServer::serve(empty()).await, Site::new().unmapped());
    let source = GitHub { repositories: vec![format!("harbour/{NAME}")], ..github::pull_of(&server, &site) };
    uncloned(&database, &|change| server.organisation(change), &site, &source).await;
    server.stop().await;
}

async fn without_a_clone_of_gitlab_the_rest_arrives_and_it_is_told(database: TestDatabase) {
    let (server, site) = (GitLabServer::serve(empty()).await, Site::new().unmapped());
    let source = GitLab { projects: vec![format!("harbour/{NAME}")], ..gitlab::pull_of(&server, &site) };
    uncloned(&database, &|change| server.organisation(change), &site, &source).await;
    server.stop().await;
}

async fn uncloned(database: &TestDatabase, server: &Server<'_>, site: &Site, source: &dyn Pull) {
    let folder = tempfile::tempdir().unwrap();
    let (work, bare) = (folder.path().join("work"), folder.path().join("bare.git"));
    std::fs::create_dir_all(&work).unwrap();
    let twin = Twin { server, work: &work, bare: &bare };
    twin.git(&["init", "--quiet", "-b", "main", "."]);
    twin.git(&["init", "--quiet", "--bare", "-b", "main", &bare.to_string_lossy()]);
    let first = twin.commit("front/a");
    twin.deploy(&first);
    let (front, back) = (twin.commit("front/b"), twin.commit("back/c"));
    twin.deploy(&back);
    let engine = site.engine(database).await;
    declare(&engine).await;
    let notes = pulled(&engine, source).await.notes;
    assert_eq!(notes.len(), 1);
    assert!(notes[0].starts_with("harbour/checkout: the paths of its commits are unknown"), "{notes:?}");
    assert!(!notes[0].contains(&format!("{NAME}.git")), "the same of many is said once: {notes:?}");
    assert_eq!(changes(&engine), BTreeSet::from([front, back]));
    engine.shutdown().await;
}
