//! What history holds that today's git would not write.

use vigie_model::Kind;
use vigie_model::kinds::commit as c;

use crate::repo::{Repo, every_merge, git, options, title, try_pull};

#[test]
fn a_shallow_clone_ends_at_commits_with_unknown_parents() {
    let repo = Repo::new();
    for n in 1..=5 {
        repo.commit(&format!("c{n}"), &format!("2026-10-0{n}T12:00:00Z"));
    }
    let url = format!("file://{}", repo.path.display());
    git(repo.folder.path(), "2026-10-01T12:00:00Z", &["clone", "-q", "--depth", "2", &url, "shallow"], b"");
    let pulled = try_pull(&repo.folder.path().join("shallow"), every_merge(), None).unwrap();
    insta::assert_snapshot!(pulled.told(), @"
    commit c4 after [unknown], committed 2026-10-04T12:00:00Z
    deployment c4 of c4, finished 2026-10-04T12:00:00Z
    commit c5 after [c4], committed 2026-10-05T12:00:00Z
    deployment c5 of c5, finished 2026-10-05T12:00:00Z
    ");
    insta::assert_snapshot!(pulled.warnings.join("\n"), @"this is a shallow clone: what lies behind 1 of its commits is unknown; `git fetch --unshallow` gets it");
}

#[test]
fn a_shallow_clone_that_was_completed_gives_what_was_missing_and_the_parents() {
    let repo = Repo::new();
    for n in 1..=5 {
        repo.commit(&format!("c{n}"), &format!("2026-10-0{n}T12:00:00Z"));
    }
    let url = format!("file://{}", repo.path.display());
    git(repo.folder.path(), "2026-10-01T12:00:00Z", &["clone", "-q", "--depth", "2", &url, "shallow"], b"");
    let shallow = repo.folder.path().join("shallow");
    let first = try_pull(&shallow, options(), None).unwrap();
    git(&shallow, "2026-10-01T12:00:00Z", &["fetch", "-q", "--unshallow"], b"");
    let second = try_pull(&shallow, options(), first.cursor.as_ref()).unwrap();
    insta::assert_snapshot!(second.told(), @"
    commit c1 after [], committed 2026-10-01T12:00:00Z
    commit c2 after [c1], committed 2026-10-02T12:00:00Z
    commit c3 after [c2], committed 2026-10-03T12:00:00Z
    commit c4 after [c3], committed 2026-10-04T12:00:00Z
    commit c5 after [c4], committed 2026-10-05T12:00:00Z
    ");
}

#[test]
fn names_and_messages_that_are_no_text_become_text() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00Z");
    let mut object = repo.raw("AUTHOR 1790000000 +0000", "G <g@h> 1790000000 +0000", b"caf\xe9\x00\nbody\n\n");
    let at = object.windows(6).position(|part| part == b"AUTHOR").unwrap();
    object.splice(at..at + 6, b"J\xf4\x01\x1b[31m <j@k>".iter().copied());
    repo.raw_commit(&object);
    let pulled = repo.pull(options());
    assert_eq!(pulled.events[1].text(c::AUTHOR), "J\u{fffd}  [31m <j@k>");
    assert_eq!(pulled.events[1].text(c::MESSAGE), "caf\u{fffd}\nbody");
}

#[test]
fn an_endless_message_is_cut_and_an_empty_one_is_none() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00Z");
    repo.raw_commit(&repo.raw("A <a@b> 1 +0000", "A <a@b> 1 +0000", &"é".repeat(1_000_000).into_bytes()));
    repo.raw_commit(&repo.raw("<> 1 +0000", "<> 1 +0000", b"\n"));
    let pulled = repo.pull(options());
    let mut by_length: Vec<usize> = pulled.events.iter().map(|e| e.text(c::MESSAGE).len()).collect();
    by_length.sort_unstable();
    assert_eq!(by_length, [0, 3, 200_000]);
    assert!(pulled.warnings.iter().any(|w| w == "the message of 1 commit was longer than 200,000 bytes: cut"));
}

#[test]
fn a_missing_commit_is_named_with_what_to_do() {
    let repo = Repo::new();
    let one = repo.commit("one", "2026-10-01T12:00:00Z");
    repo.commit("two", "2026-10-02T12:00:00Z");
    std::fs::remove_file(repo.path.join(".git/objects").join(&one[..2]).join(&one[2..])).unwrap();
    insta::assert_snapshot!(repo.error(options()).replace(&one, "ONE"), @"the object ONE cannot be read: it is missing; the clone is damaged or incomplete: `git fsck` says more, a fresh clone helps");
}

#[test]
fn a_damaged_commit_is_named_with_what_to_do() {
    let repo = Repo::new();
    let one = repo.commit("one", "2026-10-01T12:00:00Z");
    let object = repo.path.join(".git/objects").join(&one[..2]).join(&one[2..]);
    std::fs::remove_file(&object).unwrap();
    std::fs::write(&object, b"not zlib").unwrap();
    let error = repo.error(options());
    assert!(error.contains(&one) && error.contains("`git fsck`"), "{error}");
}

#[test]
fn a_repository_of_sha_256_is_read_too() {
    let repo = Repo::init(&["init", "-q", "-b", "main", "--object-format=sha256"]);
    repo.commit("one", "2026-10-01T12:00:00Z");
    repo.commit("two", "2026-10-02T12:00:00Z");
    repo.git(&["tag", "-a", "v1.0", "-m", "x"]);
    let pulled = repo.pull(options());
    assert!(pulled.of(Kind::Commit).iter().all(|commit| commit.text(c::SHA).len() == 64));
    insta::assert_snapshot!(pulled.told(), @"
    commit one after [], committed 2026-10-01T12:00:00Z
    commit two after [one], committed 2026-10-02T12:00:00Z
    deployment v1.0 of two, finished 2026-10-01T12:00:00Z
    ");
    assert_eq!(repo.pull_since(options(), &pulled).events.len(), 0);
}

#[test]
fn authors_are_concealed() {
    let repo = Repo::new();
    repo.commit("one", "2026-10-01T12:00:00Z");
    repo.raw_commit(&repo.raw("ci[bot] <1+ci[bot]@users.noreply.github.com> 1 +0000", "A <a@b> 1 +0000", b"two"));
    repo.raw_commit(&repo.raw("Ada <ada@example.com> 1 +0000", "A <a@b> 1 +0000", b"three"));
    let settings = vigie_model::Settings::default();
    let key = vigie_model::people::PeopleKey([7; 32]);
    let concealer = vigie_model::people::Concealer::new(key, &settings).into();
    let pulled = repo.pull(vigie_ingest::pull::git::GitOptions { concealer, ..options() });
    let author = |name: &str| {
        let commit = pulled.events.iter().find(|event| title(event) == name).unwrap();
        (commit.text(c::AUTHOR).to_owned(), commit.get(c::BOT) == Some(&vigie_model::Value::Bool(true)))
    };
    assert!(author("one").0.starts_with("person-") && author("two").0.starts_with("person-"));
    assert_eq!(author("one"), author("three"));
    assert_eq!((author("one").1, author("two").1), (false, true));
}
