//! A bare clone that is kept beside the database, for what no API says in bulk: which paths commits touch.
//!
//! It is fetched by `git`, with commits and trees and without the contents of files where the server can leave them out, and
//! read like any clone. It can be removed at any time: the next run fetches it anew and reads what is new.
//!
//! Pulls that share one take turns writing it: each holds the file beside it, and the system lets go of that for whoever is
//! killed. What is there may be read meanwhile: git adds to it, and what it joins is there before the parts are removed.

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

/// How long git may take.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// How often it is looked whether another pull is done with the clone.
const LOOK: Duration = Duration::from_millis(100);
/// What the names of packs begin with that git is still writing.
const UNFINISHED: [&str; 2] = ["tmp_", ".tmp-"];
/// How many packs there may be, of which every fetch brings one; as many as git itself lets gather.
const PACKS: usize = 50;
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
        self.tidy();
        let fetched = match self.fetch_once(remote).await {
            Err(failure) if failure.is_damage => {
                tracing::warn!(folder = %self.folder.display(), error = %failure.why, "a clone is damaged and made anew");
                self.remove().await;
                self.fetch_once(remote).await
            }
            fetched => fetched,
        };
        fetched.map_err(|failure| failure.why)?;
        // The clone serves as it is.
        if let Err(failure) = self.join().await {
            tracing::warn!(folder = %self.folder.display(), error = %failure.why, "the packs of a clone were not joined");
        }
        Ok(())
    }

    /// A git in the clone.
    fn git(&self, arguments: &[&str]) -> Command {
        // Named as it is: looked for, a repository around the folder might be found.
        let mut folder = OsString::from("--git-dir=");
        folder.push(&self.folder);
        let mut command = git(&[]);
        command.arg(&folder).args(arguments);
        command
    }

    async fn fetch_once(&self, remote: &Remote<'_>) -> Result<(), Failure> {
        let Remote { url, branch, user, password, ca_file } = *remote;
        // What is there already stays as it is.
        run(git(&["init", "--bare", "--quiet"]).arg(&self.folder)).await?;
        for (name, value) in [
            ("remote.origin.url", url),
            ("remote.origin.promisor", "true"),
            ("remote.origin.partialclonefilter", "blob:none"),
        ] {
            run(&mut self.git(&["config", name, value])).await?;
        }
        run(&mut self.git(&["symbolic-ref", "HEAD", &format!("refs/heads/{branch}")])).await?;
        let refspec = format!("+refs/heads/{branch}:refs/heads/{branch}");
        // Git's own upkeep would go on behind the fetch.
        let mut fetch =
            self.git(&["fetch", "--quiet", "--no-tags", "--no-auto-gc", "--filter=blob:none", "origin", &refspec]);
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
        run_long(&mut fetch).await
    }

    /// Makes one of the packs where there are many. What a server sent is kept, whether a branch still leads to it or not:
    /// commits are never forgotten.
    ///
    /// This is `git repack` and not `git gc`: where a pull is ended in the middle the parts of that would go on, and remove
    /// packs later.
    async fn join(&self) -> Result<(), Failure> {
        let files = std::fs::read_dir(self.packs()).into_iter().flatten().flatten();
        let packs = files.filter(|file| file.path().extension().is_some_and(|it| it == "pack"));
        match packs.count() > PACKS {
            true => run_long(&mut self.git(&["repack", "-a", "-d", "--quiet"])).await,
            false => Ok(()),
        }
    }

    fn packs(&self) -> PathBuf {
        self.folder.join("objects/pack")
    }

    /// Removes the locks and the unfinished packs of a git that was ended in the middle; nobody else writes here.
    fn tidy(&self) {
        let mut folders = vec![self.folder.clone(), self.packs()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
                let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                let is_left =
                    path.extension().is_some_and(|it| it == "lock") || UNFINISHED.iter().any(|it| name.starts_with(it));
                if is_folder && path.starts_with(self.folder.join("refs")) {
                    folders.push(path);
                } else if !is_folder && is_left {
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

async fn run_long(command: &mut Command) -> Result<(), Failure> {
    match tokio::time::timeout(LONGEST, run(command)).await {
        Ok(done) => done,
        Err(_) => Err(format!("git was not through after {} minutes", LONGEST.as_secs() / 60).into()),
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
mod tests;
