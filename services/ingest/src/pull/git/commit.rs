//! A raw commit object, and the event that it becomes.

use std::sync::Arc;

use gix::ObjectId;
use vigie_model::kinds::commit as c;
use vigie_model::{Event, Kind, Value};

use super::text;
use super::warnings::Counts;

/// The parts of a commit object, as they stand in it.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct RawCommit<'b> {
    pub tree: &'b [u8],
    /// `parent <hash>` lines.
    parents: &'b [u8],
    pub author: &'b [u8],
    pub committer: &'b [u8],
    pub message: &'b [u8],
}

impl<'b> RawCommit<'b> {
    /// Reads what can be read: history holds commits that today's git would refuse to make.
    pub fn of(object: &'b [u8]) -> Self {
        let mut commit = Self::default();
        let mut first_parent = None;
        let mut start = 0;
        while let Some(len) = memchr::memchr(b'\n', &object[start..]) {
            let (line, next) = (&object[start..start + len], start + len + 1);
            if line.is_empty() {
                commit.message = &object[next..];
                break;
            }
            if let Some(tree) = line.strip_prefix(b"tree ") {
                commit.tree = tree;
            } else if line.starts_with(b"parent ") {
                // Parents follow each other: all of them are one slice.
                commit.parents = &object[*first_parent.get_or_insert(start)..next];
            } else if let Some(author) = line.strip_prefix(b"author ") {
                commit.author = author;
            } else if let Some(committer) = line.strip_prefix(b"committer ") {
                commit.committer = committer;
            }
            // Others are signatures and the like, which may go over several lines.
            start = next;
        }
        commit
    }

    pub fn parents(&self) -> impl Iterator<Item = ObjectId> + use<'b> {
        let lines = self.parents.split(|b| *b == b'\n');
        lines.filter_map(|line| ObjectId::from_hex(line.strip_prefix(b"parent ")?).ok())
    }

    /// The committer's seconds since 1970, whatever they are.
    pub fn committed_seconds(&self) -> Option<i64> {
        text::signature(self.committer).1
    }
}

/// What all commits of a pull have in common.
#[derive(Debug, Clone)]
pub(super) struct CommitContext {
    pub source: Arc<str>,
    /// In lower case.
    pub repository: Box<str>,
    pub now: vigie_model::Time,
}

/// The event of a commit. `parents` is `None` where they are beyond the boundary of a shallow clone.
pub(super) fn event(
    id: &gix::oid,
    raw: &RawCommit,
    has_parents: bool,
    paths: Option<Vec<Box<str>>>,
    context: &CommitContext,
    counts: &mut Counts,
) -> Event {
    let (author, authored) = text::signature(raw.author);
    let (_, committed) = text::signature(raw.committer);
    let mut date = |seconds| {
        let at = text::time(seconds);
        counts.impossible_dates += u64::from(at.is_none());
        counts.future_dates += u64::from(at.is_some_and(|at| at > context.now));
        at.unwrap_or(0)
    };
    let (authored_at, committed_at) = (date(authored), date(committed));
    let (message, is_cut) = text::message(raw.message);
    counts.cut_messages += u64::from(is_cut);
    let mut fields = Vec::with_capacity(9);
    fields.push((c::REPOSITORY, Value::Text(context.repository.clone())));
    fields.push((c::SHA, Value::Text(id.to_string().into())));
    if has_parents {
        fields.push((c::PARENTS, Value::Texts(raw.parents().map(|parent| parent.to_string().into()).collect())));
    }
    fields.push((c::AUTHORED_AT, Value::Time(authored_at)));
    fields.push((c::COMMITTED_AT, Value::Time(committed_at)));
    fields.extend(text::id(author).map(|author| (c::AUTHOR, Value::Text(author))));
    fields.extend(message.map(|message| (c::MESSAGE, Value::Text(message))));
    fields.extend(paths.map(|paths| (c::PATHS, Value::Texts(paths))));
    Event {
        kind: Kind::Commit,
        source: context.source.clone(),
        at: authored_at.max(committed_at),
        timeless: false,
        partial: false,
        deleted: false,
        fields,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_read_by_its_headers() {
        let object = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nparent 1111111111111111111111111111111111111111\nparent 2222222222222222222222222222222222222222\nauthor A <a@b> 1 +0000\ncommitter C <c@d> 2 +0000\ngpgsig -----BEGIN\n parent 3333333333333333333333333333333333333333\n -----END\nencoding latin1\n\nTitle\n\ntree of life\n";
        let raw = RawCommit::of(object);
        assert_eq!(raw.tree, b"4b825dc642cb6eb9a060e54bf8d69288fbee4904");
        let parents: Vec<_> = raw.parents().map(|p| p.to_string()).collect();
        assert_eq!(parents, ["1".repeat(40), "2".repeat(40)]);
        assert_eq!((raw.author, raw.committed_seconds()), (&b"A <a@b> 1 +0000"[..], Some(2)));
        assert_eq!(raw.message, b"Title\n\ntree of life\n");
    }

    #[test]
    fn what_is_no_commit_is_read_as_far_as_it_goes() {
        for object in
            [&b""[..], b"tree", b"tree \n", b"\n", b"parent x\nparent y\n\n", b"author\n\nmessage", b"committer  \n"]
        {
            let raw = RawCommit::of(object);
            assert_eq!(raw.parents().count(), 0);
            assert_eq!(raw.committed_seconds(), None);
        }
    }
}
