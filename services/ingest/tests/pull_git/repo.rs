//! A repository in a temporary folder, and what a pull of it tells.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use tempfile::TempDir;
use vigie_ingest::pull::git::{Cursor, Deployments, GitError, GitOptions, GitPull};
use vigie_model::kinds::{commit, deployment};
use vigie_model::people::{Concealer, PeopleKey};
use vigie_model::settings::People;
use vigie_model::{Event, Kind, Settings, Time, Value, format_time, parse_time};

pub struct Repo {
    pub folder: TempDir,
    pub path: PathBuf,
}

/// What a pull gave.
pub struct Pulled {
    pub events: Vec<Event>,
    pub warnings: Vec<String>,
    pub cursor: Option<Cursor>,
}

pub fn now() -> Time {
    parse_time("2026-11-01T00:00:00Z").unwrap()
}

/// Options that leave authors as they are.
pub fn options() -> GitOptions {
    let settings = Settings { people: People::Names, ..Settings::default() };
    GitOptions { threads: 2, ..GitOptions::new(now(), Arc::new(Concealer::new(PeopleKey([7; 32]), &settings))) }
}

pub fn every_merge() -> GitOptions {
    GitOptions { deployments: Deployments::EveryMerge, ..options() }
}

pub fn with_tags(patterns: &[&str]) -> GitOptions {
    GitOptions { deployments: Deployments::Tags(patterns.iter().map(ToString::to_string).collect()), ..options() }
}

pub fn try_pull(path: &Path, options: GitOptions, cursor: Option<&Cursor>) -> Result<Pulled, GitError> {
    let mut batches = GitPull::open(path, options)?.since(cursor)?;
    let plan = batches.plan().clone();
    let mut pulled = Pulled { events: Vec::new(), warnings: Vec::new(), cursor: cursor.cloned() };
    for batch in &mut batches {
        let batch = batch?;
        pulled.events.extend(batch.events);
        assert_eq!((batch.done, batch.total), (pulled.events.len() as u64, plan.commits + plan.deployments));
        // A cursor is kept as text.
        pulled.cursor = Some(Cursor::parse(&batch.cursor.to_string()).unwrap());
    }
    pulled.warnings = batches.warnings();
    assert_eq!(pulled.of(Kind::Commit).len() as u64, plan.commits);
    for event in &pulled.events {
        let again = Event::from_stored(&event.to_json(), event.at);
        assert_eq!(again.as_ref(), Ok(event), "an event that the log could not read back");
    }
    Ok(pulled)
}

pub fn git(folder: &Path, at: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    for (name, value) in [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "Ada"),
        ("GIT_AUTHOR_EMAIL", "ada@example.com"),
        ("GIT_COMMITTER_NAME", "Grace"),
        ("GIT_COMMITTER_EMAIL", "grace@example.com"),
        ("GIT_AUTHOR_DATE", at),
        ("GIT_COMMITTER_DATE", at),
    ] {
        command.env(name, value);
    }
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("git is installed");
    // git may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {error}");
    output.stdout
}

impl Repo {
    pub fn new() -> Self {
        Self::init(&["init", "-q", "-b", "main"])
    }

    pub fn init(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web");
        std::fs::create_dir(&path).unwrap();
        git(&path, "2026-10-01T00:00:00Z", arguments, b"");
        Self { folder, path }
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_at("2026-10-01T12:00:00Z", arguments)
    }

    /// Runs git with this date for author and committer.
    pub fn git_at(&self, at: &str, arguments: &[&str]) -> String {
        String::from_utf8(git(&self.path, at, arguments, b"")).unwrap().trim().to_owned()
    }

    pub fn write(&self, file: &str, content: &str) {
        let file = self.path.join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, content).unwrap();
    }

    /// Commits a file of this name, with the name for a message.
    pub fn commit(&self, name: &str, at: &str) -> String {
        self.write(name, name);
        self.commit_all(name, at)
    }

    pub fn commit_all(&self, message: &str, at: &str) -> String {
        self.git_at(at, &["add", "-A"]);
        self.git_at(at, &["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Stores a commit object as it is, however wrong, and puts `main` there.
    pub fn raw_commit(&self, object: &[u8]) -> String {
        let arguments = ["hash-object", "-t", "commit", "-w", "--stdin", "--literally"];
        let id = git(&self.path, "2026-10-01T12:00:00Z", &arguments, object);
        let id = String::from_utf8(id).unwrap().trim().to_owned();
        self.git(&["update-ref", "refs/heads/main", &id]);
        id
    }

    /// A commit object of the tree of HEAD with these lines.
    pub fn raw(&self, author: &str, committer: &str, message: &[u8]) -> Vec<u8> {
        let (tree, parent) = (self.git(&["rev-parse", "HEAD^{tree}"]), self.git(&["rev-parse", "HEAD"]));
        let head = format!("tree {tree}\nparent {parent}\nauthor {author}\ncommitter {committer}\n\n");
        [head.as_bytes(), message].concat()
    }

    pub fn pull(&self, options: GitOptions) -> Pulled {
        try_pull(&self.path, options, None).unwrap()
    }

    pub fn pull_since(&self, options: GitOptions, cursor: &Pulled) -> Pulled {
        try_pull(&self.path, options, cursor.cursor.as_ref()).unwrap()
    }

    pub fn error(&self, options: GitOptions) -> String {
        match try_pull(&self.path, options, None) {
            Ok(_) => panic!("it was pulled"),
            Err(error) => error.to_string().replace(&self.folder.path().display().to_string(), "…"),
        }
    }
}

impl Pulled {
    pub fn of(&self, kind: Kind) -> Vec<&Event> {
        self.events.iter().filter(|event| event.kind == kind).collect()
    }

    /// The commits by the first line of their message, in the order that they came in.
    pub fn titles(&self) -> Vec<String> {
        self.of(Kind::Commit).iter().map(|commit| title(commit)).collect()
    }

    /// A line for each event, commits called by their titles.
    pub fn told(&self) -> String {
        let names: BTreeMap<String, String> =
            self.of(Kind::Commit).iter().map(|c| (c.text(commit::SHA).to_owned(), title(c))).collect();
        let name = |sha: &str| names.get(sha).cloned().unwrap_or_else(|| "a commit that was not given".to_owned());
        let line = |event: &Event| match event.kind {
            Kind::Commit => {
                let parents = match event.get(commit::PARENTS) {
                    Some(Value::Texts(parents)) => parents.iter().map(|p| name(p)).collect::<Vec<_>>().join(", "),
                    _ => "unknown".to_owned(),
                };
                format!("commit {} after [{parents}], committed {}", title(event), date(event, commit::COMMITTED_AT))
            }
            _ => {
                let commit = name(event.text(deployment::REVISION));
                let id = event.text(deployment::ID);
                let id = names.get(id).map_or(id, String::as_str);
                format!("deployment {id} of {commit}, finished {}", date(event, deployment::FINISHED_AT))
            }
        };
        self.events.iter().map(|event| line(event) + "\n").collect()
    }
}

pub fn title(commit: &Event) -> String {
    commit.text(commit::MESSAGE).lines().next().unwrap_or("(no message)").to_owned()
}

pub fn date(event: &Event, field: u8) -> String {
    match event.get(field) {
        Some(Value::Time(at)) => format_time(*at),
        _ => "never".to_owned(),
    }
}
