//! A bare clone that is kept beside the database, for what no API says in bulk: which paths commits touch.
//!
//! It is fetched by `git`, with commits and trees and without the contents of files where the server can leave them out, and
//! read like any clone. It can be removed at any time: the next run fetches it anew and reads what is new.
//!
//! Pulls that share one take turns writing it: each holds the file beside it, and the system lets go of that for whoever is
//! killed. What is there may be read meanwhile, as git only adds to it.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::process::Command;

use super::git::{Deployments, GitOptions, open_clone};
use super::{Pages, PullError, Start};

/// How long a fetch may take.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// How often it is looked whether another pull is done with the clone.
const LOOK: Duration = Duration::from_millis(100);
/// What git says where the clone itself is damaged, and not the way to the host.
const DAMAGED: [&str; 12] = [
    "not a git repository",
    "not in a git directory",
    "bad config",
    "bad object",
    "cannot lock ref",
    "corrupt",
    "did not send all necessary objects",
    "does not match index",
    "inflate",
    "invalid object",
    "packfile",
    "reference broken",
];

/// What git says where the disk is full, or may not be written.
const DISK: [&str; 3] = ["No space left", "Permission denied", "Read-only file system"];

/// A clone's folder.
#[derive(Debug)]
pub(super) struct Mirror {
    folder: PathBuf,
    /// The repository's name in events.
    name: String,
}

/// Where a repository is, and who asks for it.
pub(super) struct Remote<'r> {
    pub url: &'r str,
    pub branch: &'r str,
    pub user: &'r str,
    pub password: &'r str,
    /// A file with the certificates (PEM) of the host's authority, where it is not a public one.
    pub ca_file: Option<&'r Path>,
}

impl Mirror {
    /// The clone of `name` at `url`, below a folder for all of them.
    pub(super) fn new(clones: &Path, url: &str, name: &str) -> Self {
        let plain = |text: &str| text.replace(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c), "_");
        let host = url.split("://").last().and_then(|rest| rest.split('/').next()).unwrap_or_default();
        // A name may not lead out of the folder.
        let parts = name.to_lowercase();
        let parts = parts.split('/').filter(|part| !matches!(*part, "" | "." | "..")).map(plain);
        let mut folder = clones.join(plain(host));
        folder.extend(parts);
        folder.set_extension(match folder.extension() {
            Some(extension) => format!("{}.git", extension.to_string_lossy()),
            None => "git".to_owned(),
        });
        Self { folder, name: name.to_owned() }
    }

    /// Gets what is new of a branch.
    ///
    /// # Errors
    /// Why it could not be fetched, and what to do.
    pub(super) async fn fetch(&self, remote: &Remote<'_>) -> Result<(), String> {
        let _turn = self.turn().await?;
        let is_whole = ["HEAD", "objects", "refs"].iter().all(|part| self.folder.join(part).exists());
        if !is_whole {
            self.remove().await;
        }
        self.unlock();
        match self.fetch_once(remote).await {
            Err(failure) if failure.is_damage => {
                tracing::warn!(folder = %self.folder.display(), error = %failure.why, "a clone is damaged and made anew");
                self.remove().await;
                self.fetch_once(remote).await.map_err(|failure| failure.why)
            }
            fetched => fetched.map_err(|failure| failure.why),
        }
    }

    async fn fetch_once(&self, remote: &Remote<'_>) -> Result<(), Failure> {
        let Remote { url, branch, user, password, ca_file } = *remote;
        // What is there already stays as it is.
        run(git(&["init", "--bare", "--quiet"]).arg(&self.folder)).await?;
        // Named as it is: looked for, a repository around the folder might be found.
        let mut folder = OsString::from("--git-dir=");
        folder.push(&self.folder);
        let at = |arguments: &[&str]| {
            let mut command = git(&[]);
            command.arg(&folder).args(arguments);
            command
        };
        for (name, value) in [
            ("remote.origin.url", url),
            ("remote.origin.promisor", "true"),
            ("remote.origin.partialclonefilter", "blob:none"),
            // What was deleted there is kept: commits are never forgotten.
            ("gc.auto", "0"),
        ] {
            run(&mut at(&["config", name, value])).await?;
        }
        run(&mut at(&["symbolic-ref", "HEAD", &format!("refs/heads/{branch}")])).await?;
        let refspec = format!("+refs/heads/{branch}:refs/heads/{branch}");
        let mut fetch = at(&["fetch", "--quiet", "--no-tags", "--filter=blob:none", "origin", &refspec]);
        // Not as arguments: those are seen by everybody on the machine.
        let authorization = format!("Authorization: Basic {}", STANDARD.encode(format!("{user}:{password}")));
        let mut settings = vec![
            ("http.extraHeader", authorization.as_str()),
            // Whoever is at another address is not to learn the password.
            ("http.followRedirects", "false"),
            // A server that says nothing any more is given up on.
            ("http.lowSpeedLimit", "1"),
            ("http.lowSpeedTime", "60"),
        ];
        let ca_file = ca_file.map(|file| std::path::absolute(file).unwrap_or_else(|_| file.to_owned()));
        let ca_file = ca_file.map(|file| file.to_string_lossy().into_owned());
        settings.extend(ca_file.as_deref().map(|file| ("http.sslCAInfo", file)));
        fetch.env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (number, (name, value)) in settings.into_iter().enumerate() {
            fetch.env(format!("GIT_CONFIG_KEY_{number}"), name).env(format!("GIT_CONFIG_VALUE_{number}"), value);
        }
        match tokio::time::timeout(LONGEST, run(&mut fetch)).await {
            Ok(fetched) => fetched,
            Err(_) => Err(format!("git was not through after {} minutes", LONGEST.as_secs() / 60).into()),
        }
    }

    /// Removes the locks of a git that was ended in the middle; nobody else writes here.
    fn unlock(&self) {
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                if is_folder && path.starts_with(self.folder.join("refs")) {
                    folders.push(path);
                } else if !is_folder && path.extension().is_some_and(|extension| extension == "lock") {
                    let _ = std::fs::remove_file(path);
                }
            }
        }
    }

    /// Waits until nobody else writes the clone. It is one's own as long as the file is held.
    async fn turn(&self) -> Result<File, String> {
        let wrong = |path: &Path, error: &std::io::Error| format!("{} cannot be made: {error}", path.display());
        if let Some(parent) = self.folder.parent() {
            std::fs::create_dir_all(parent).map_err(|error| wrong(parent, &error))?;
        }
        let path = self.folder.with_extension("git.lock");
        let file = File::create(&path).map_err(|error| wrong(&path, &error))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOOK).await,
                Err(TryLockError::Error(error)) => {
                    return Err(format!("{} cannot be locked: {error}", path.display()));
                }
            }
        }
    }

    /// Removes the clone, which may be damaged: the next run fetches it anew.
    pub(super) async fn forget(&self) {
        let _turn = match self.turn().await {
            Ok(turn) => turn,
            Err(error) => {
                tracing::warn!(folder = %self.folder.display(), %error, "a clone was not removed");
                return;
            }
        };
        self.remove().await;
    }

    /// The same for whoever has the turn.
    async fn remove(&self) {
        match tokio::fs::remove_dir_all(&self.folder).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(folder = %self.folder.display(), %error, "a clone was not removed");
            }
            _ => {}
        }
    }

    /// The commits with their paths, from a cursor of the clone on.
    ///
    /// # Errors
    /// See [`PullError`].
    pub(super) async fn pages(&self, start: Start) -> Result<Box<dyn Pages>, PullError> {
        let mut options = GitOptions::new(start.now, start.concealer);
        options.repository = Some(self.name.clone());
        // Those are known from the API.
        options.deployments = Deployments::None;
        options.with_paths = start.patterned.contains(&self.name.to_lowercase());
        options.is_exact = true;
        open_clone(self.folder.clone(), options, start.cursor.as_deref()).await
    }
}

fn git(arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.args(arguments).env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C").env_remove("GIT_DIR");
    // What was left out is never asked for one by one: from a server that leaves nothing out git would do so for ever.
    command.env("GIT_NO_LAZY_FETCH", "1");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// Why git did not do something.
struct Failure {
    why: String,
    /// The clone is damaged.
    is_damage: bool,
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self { why, is_damage: false }
    }
}

async fn run(command: &mut Command) -> Result<(), Failure> {
    let output = command.output().await.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "git is not installed here, and the clone is made by it: install it".to_owned(),
        _ => format!("git cannot be run: {error}"),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let why = said.lines().find(|line| line.starts_with("fatal:")).or_else(|| said.lines().last());
    // What the host says is not of the clone, and what is wrong with the disk stays wrong with another clone.
    let mut own = said.lines().filter(|line| !line.starts_with("remote:"));
    let is_of_disk = DISK.iter().any(|text| said.contains(text));
    let is_damage = !is_of_disk && own.any(|line| DAMAGED.iter().any(|text| line.contains(text)));
    Err(Failure { why: format!("git says: {}", why.unwrap_or("nothing").trim()), is_damage })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_password_is_not_taken_to_another_address() {
        let (here, elsewhere) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let (url, other) = (here.local_addr().unwrap(), elsewhere.local_addr().unwrap());
        let heard = std::thread::spawn(move || {
            let (mut stream, _) = here.accept().unwrap();
            let mut heard = [0; 4_096];
            let count = stream.read(&mut heard).unwrap();
            let answer = format!(
                "HTTP/1.1 302 Found\r\nLocation: http://{other}/a/b.git/info/refs?service=git-upload-pack\r\n\
                Content-Length: 0\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&heard[..count]).into_owned()
        });
        let folder = tempfile::tempdir().unwrap();
        let url = format!("http://{url}/a/b.git");
        let mirror = Mirror::new(folder.path(), &url, "a/b");
        let remote = Remote { url: &url, branch: "main", user: "ada", password: "secret", ca_file: None };
        let refused = mirror.fetch(&remote).await.unwrap_err();
        assert!(refused.starts_with("git says: fatal:") && !refused.contains("secret"), "{refused}");
        assert!(heard.join().unwrap().contains(&format!("Basic {}", STANDARD.encode("ada:secret"))));
        elsewhere.set_nonblocking(true).unwrap();
        assert!(elsewhere.accept().is_err(), "the other address was asked");
    }

    /// Runs git in a folder.
    async fn in_folder(folder: &Path, arguments: &[&str]) {
        let who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
        let done = run(git(&["-C"]).arg(folder).args(who).args(arguments)).await;
        done.map_err(|failure| failure.why).unwrap();
    }

    /// A repository with a commit. Gives its URL.
    async fn repository(folder: &Path) -> String {
        std::fs::create_dir_all(folder).unwrap();
        in_folder(folder, &["init", "--quiet", "-b", "main", "."]).await;
        in_folder(folder, &["config", "uploadpack.allowFilter", "true"]).await;
        in_folder(folder, &["commit", "--quiet", "--allow-empty", "-m", "Begin"]).await;
        format!("file://{}", folder.display())
    }

    #[tokio::test]
    async fn a_damaged_clone_heals_and_leaves_the_repository_around_it_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (origin, outer) = (folder.path().join("origin"), folder.path().join("outer"));
        let url = repository(&origin).await;
        repository(&outer).await;
        in_folder(&outer, &["config", "remote.origin.url", "https://example.org/outer.git"]).await;
        let config = || std::fs::read_to_string(outer.join(".git/config")).unwrap();
        let before = config();
        let mirror = Mirror::new(&outer.join("clones"), &url, "acme/shop");
        let remote = Remote { url: &url, branch: "main", user: "ada", password: "secret", ca_file: None };
        assert_eq!(mirror.fetch(&remote).await, Ok(()));

        let own = |path: &str| mirror.folder.join(path);
        for part in ["objects", "refs", "HEAD"] {
            match part {
                "HEAD" => std::fs::remove_file(own(part)).unwrap(),
                _ => std::fs::remove_dir_all(own(part)).unwrap(),
            }
            assert_eq!(mirror.fetch(&remote).await, Ok(()), "without {part}");
            assert!(own("refs/heads/main").exists());
        }
        for (part, text) in [("HEAD", "odd"), ("config", "[[["), ("refs/heads/main", "odd")] {
            std::fs::write(own(part), text).unwrap();
            assert_eq!(mirror.fetch(&remote).await, Ok(()), "with an odd {part}");
        }
        // Of a git that was killed.
        in_folder(&origin, &["commit", "--quiet", "--allow-empty", "-m", "Go on"]).await;
        let old = std::fs::read_to_string(own("refs/heads/main")).unwrap();
        for lock in ["HEAD.lock", "config.lock", "packed-refs.lock", "refs/heads/main.lock"] {
            std::fs::write(own(lock), "").unwrap();
        }
        assert_eq!(mirror.fetch(&remote).await, Ok(()));
        assert_ne!(std::fs::read_to_string(own("refs/heads/main")).unwrap(), old);
        assert_eq!(config(), before);
    }

    #[tokio::test]
    async fn pulls_that_meet_in_a_clone_take_turns() {
        let folder = tempfile::tempdir().unwrap();
        let clones = folder.path().join("clones");
        let url = repository(&folder.path().join("origin")).await;
        // What a killed process leaves, which holds nothing any more.
        let mirror = Mirror::new(&clones, &url, "acme/shop");
        drop(mirror.turn().await.unwrap());
        let remote = Remote { url: &url, branch: "main", user: "ada", password: "secret", ca_file: None };
        let fetched = futures::future::join_all((0..6).map(|_| mirror.fetch(&remote))).await;
        assert_eq!(fetched, vec![Ok(()); 6]);
        assert!(mirror.folder.join("refs/heads/main").exists());

        // One waits as long as another holds it.
        let turn = mirror.turn().await.unwrap();
        let mut waiting = std::pin::pin!(mirror.fetch(&remote));
        assert!(futures::poll!(&mut waiting).is_pending());
        drop(turn);
        assert_eq!(waiting.await, Ok(()));
    }

    #[test]
    fn a_clone_lies_below_the_folder_whatever_its_name() {
        let folder = |url: &str, name: &str| Mirror::new(Path::new("clones"), url, name).folder;
        assert_eq!(
            folder("https://github.com/Acme/Shop.git", "Acme/Shop"),
            Path::new("clones/github.com/acme/shop.git")
        );
        assert_eq!(folder("http://localhost:80/a/b.js.git", "a/b.js"), Path::new("clones/localhost_80/a/b.js.git"));
        assert_eq!(folder("https://h/x", "../../etc/a b"), Path::new("clones/h/etc/a_b.git"));
    }
}
