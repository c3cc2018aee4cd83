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
    let unfinished = ["objects/pack/tmp_pack_1", "objects/pack/.tmp-1-pack-2.pack"];
    unfinished.iter().for_each(|part| std::fs::write(own(part), "").unwrap());
    assert_eq!(mirror.fetch(&remote).await, Ok(()));
    assert!(!unfinished.iter().any(|part| own(part).exists()));
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

#[tokio::test]
async fn the_packs_of_many_fetches_become_one_that_has_what_they_had() {
    let folder = tempfile::tempdir().unwrap();
    let origin = folder.path().join("origin");
    let url = repository(&origin).await;
    std::fs::write(origin.join("file"), "text").unwrap();
    in_folder(&origin, &["add", "."]).await;
    let mirror = Mirror::new(&folder.path().join("clones"), &url, "acme/shop");
    let remote = Remote { url: &url, branch: "main", user: "ada", password: "secret", ca_file: None };
    let count = |extension: &str| {
        let files = std::fs::read_dir(mirror.packs()).unwrap().flatten();
        files.filter(|file| file.path().extension().is_some_and(|it| it == extension)).count()
    };
    let head = |folder: &Path| gix::open(folder).unwrap().head_id().unwrap().detach();
    let mut commits = Vec::new();
    for _ in 0..PACKS {
        in_folder(&origin, &["commit", "--quiet", "--allow-empty", "-m", "Go on"]).await;
        assert_eq!(mirror.fetch(&remote).await, Ok(()));
        commits.push(head(&origin));
    }
    assert_eq!(count("pack"), PACKS);
    let reader = gix::open(&mirror.folder).unwrap();
    assert!(reader.find_commit(commits[0]).is_ok());

    // A branch is rewritten. That packs cannot be joined is no reason to go without what is new.
    in_folder(&origin, &["commit", "--quiet", "--allow-empty", "--amend", "-m", "Go back"]).await;
    commits.push(head(&origin));
    in_folder(&mirror.folder, &["config", "repack.packKeptObjects", "odd"]).await;
    assert_eq!(mirror.fetch(&remote).await, Ok(()));
    assert_eq!((head(&mirror.folder), count("pack")), (head(&origin), PACKS + 1));
    in_folder(&mirror.folder, &["config", "--unset", "repack.packKeptObjects"]).await;
    assert_eq!(mirror.fetch(&remote).await, Ok(()));
    assert_eq!((count("pack"), count("promisor")), (1, 1));

    // Whoever reads meanwhile, and whoever comes later, finds every commit, and still no contents of files.
    for repository in [reader, gix::open(&mirror.folder).unwrap()] {
        let is_there = |id: &gix::ObjectId| repository.find_commit(*id).and_then(|commit| commit.tree()).is_ok();
        assert!(commits.iter().all(is_there));
        let contents = gix::open(&origin).unwrap().rev_parse_single("HEAD:file").unwrap().detach();
        assert!(!repository.has_object(contents));
    }
}

#[test]
fn a_clone_lies_below_the_folder_whatever_its_name() {
    let folder = |url: &str, name: &str| Mirror::new(Path::new("clones"), url, name).folder;
    assert_eq!(folder("https://github.com/Acme/Shop.git", "Acme/Shop"), Path::new("clones/github.com/acme/shop.git"));
    assert_eq!(folder("http://localhost:80/a/b.js.git", "a/b.js"), Path::new("clones/localhost_80/a/b.js.git"));
    assert_eq!(folder("https://h/x", "../../etc/a b"), Path::new("clones/h/etc/a_b.git"));
}
