//! A bare clone that is kept beside the database, for what no API says in bulk: which paths commits touch.
//!
//! It is fetched by `git`, with commits and trees and without the contents of files where the server can leave them out, and
//! read like any clone. It can be removed at any time: the next run fetches it anew and reads what is new.
//!
//! Pulls that share one take turns writing it: each holds the file beside it, and the system lets go of that for whoever is
//! killed. What is there may be read meanwhile, as git only adds to it.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::process::Command;

use super::git::{Deployments, GitSource};
use super::{Pages, Pull, PullError, Start};

/// How long a fetch may take.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// How often it is looked whether another pull is done with the clone.
const LOOK: Duration = Duration::from_millis(100);

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
        let Remote { url, branch, user, password, ca_file } = *remote;
        let _turn = self.turn().await?;
        if !self.folder.join("HEAD").exists() {
            let folder = self.folder.to_string_lossy().into_owned();
            run(&mut git(&["init", "--bare", "--quiet", &folder])).await?;
        }
        // Of a git that was ended in the middle; nobody else writes here.
        let _ = tokio::fs::remove_file(self.folder.join("config.lock")).await;
        let at = |arguments: &[&str]| {
            let mut command = git(&["-C"]);
            command.arg(&self.folder).args(arguments);
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
            Err(_) => Err(format!("git was not through after {} minutes", LONGEST.as_secs() / 60)),
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
        if let Err(error) = tokio::fs::remove_dir_all(&self.folder).await {
            tracing::warn!(folder = %self.folder.display(), %error, "a clone was not removed");
        }
    }

    /// The commits with their paths, from a cursor of the clone on.
    ///
    /// # Errors
    /// See [`PullError`].
    pub(super) async fn pages(&self, start: Start) -> Result<Box<dyn Pages>, PullError> {
        let source = GitSource {
            path: self.folder.clone(),
            repository: Some(self.name.clone()),
            service: None,
            environment: None,
            // Those are known from the API.
            deployments: Deployments::None,
        };
        source.open(start).await
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

async fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().await.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "git is not installed here, and the clone is made by it: install it".to_owned(),
        _ => format!("git cannot be run: {error}"),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let why = said.lines().find(|line| line.starts_with("fatal:")).or_else(|| said.lines().last());
    Err(format!("git says: {}", why.unwrap_or("nothing").trim()))
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

    #[tokio::test]
    async fn pulls_that_meet_in_a_clone_take_turns() {
        let folder = tempfile::tempdir().unwrap();
        let (origin, clones) = (folder.path().join("origin"), folder.path().join("clones"));
        let url = format!("file://{}", origin.display());
        for arguments in [
            &["init", "--quiet", "-b", "main", origin.to_str().unwrap()][..],
            &["-C", origin.to_str().unwrap(), "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit"][..],
        ] {
            let mut command = git(arguments);
            if arguments.ends_with(&["commit"]) {
                command.args(["--quiet", "--allow-empty", "-m", "Begin"]);
            }
            run(&mut command).await.unwrap();
        }
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
