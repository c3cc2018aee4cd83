//! The kinds of events and their fields: the one table that parsing, folding, the JSON schema and the
//! documentation go by.

/// What a field holds. Lengths are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A name or id: 1 to 500 bytes, no control characters.
    Id,
    /// The same, compared without regard to case and kept in lower case.
    LowerId,
    /// Free text up to so many bytes.
    Text(usize),
    /// An RFC 3339 time with an offset.
    Time,
    /// `true` or `false`.
    Bool,
    /// A whole number, zero or more.
    Count,
    /// A commit's hash: 40 or 64 hexadecimal digits, kept in lower case.
    Sha,
    /// A list of hashes.
    Shas,
    /// A list of ids.
    Ids,
    /// A list of paths or patterns, up to 4,096 bytes each.
    Paths,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A list of `{sha, authored_at}`.
    Commits,
    /// A list of `{repository, revision}`.
    Revisions,
    /// A list of `{repository, paths, formerly}`.
    Repositories,
    /// An object of strings.
    Labels,
}

/// Where a field stands in its kind's table.
pub type FieldId = u8;

/// One field of a kind.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// As it is written in JSON.
    pub name: &'static str,
    /// What it holds.
    pub ty: Type,
    /// How it takes part.
    pub role: Role,
    /// What it means, for the JSON schema.
    pub about: &'static str,
}

/// How a field takes part in its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Part of what the entity is known by; required even of a partial event.
    Identity,
    /// Part of the identity with the default `production`.
    IdentityEnvironment,
    /// Required of every event that is not partial.
    Required,
    /// May be left out.
    Optional,
}

impl Role {
    /// Whether the field is part of what the entity is known by.
    #[must_use]
    pub fn is_identity(self) -> bool {
        matches!(self, Self::Identity | Self::IdentityEnvironment)
    }
}

macro_rules! kinds {
    ($( $(#[doc = $doc:literal])+ $kind:ident $module:ident $name:literal $letter:literal {
        $( $constant:ident $field:literal $role:ident ($ty:expr) $about:literal; )+
    } )+) => {
        /// What an event is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind { $( $(#[doc = $doc])+ $kind, )+ }

        impl Kind {
            /// Every kind, in the order of the documentation.
            pub const ALL: &'static [Kind] = &[$( Kind::$kind, )+];

            /// As it is written in JSON.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $( Kind::$kind => $name, )+ }
            }
            /// The letter that an entity's key begins with.
            #[must_use]
            pub fn letter(self) -> char {
                match self { $( Kind::$kind => $letter, )+ }
            }
            /// The kind of this name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $( $name => Some(Kind::$kind), )+ _ => None }
            }
            /// Its fields.
            #[must_use]
            pub fn fields(self) -> &'static [Field] {
                match self { $( Kind::$kind => $module::FIELDS, )+ }
            }
            /// What it is, in a sentence.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self { $( Kind::$kind => concat!($($doc),+).trim_ascii(), )+ }
            }
        }

        $(
            /// Field numbers of this kind.
            pub mod $module {
                #[allow(unused_imports)]
                use super::{Field, FieldId, LONG, Role, Type, WHOLE};
                #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
                #[repr(u8)]
                enum Number { $( $constant, )+ }
                $( #[doc = $about] pub const $constant: FieldId = Number::$constant as FieldId; )+
                /// The table.
                pub const FIELDS: &[Field] = &[
                    $( Field { name: $field, ty: $ty, role: Role::$role, about: $about }, )+
                ];
            }
        )+
    };
}

const LONG: usize = 200_000;
/// Of texts that the program itself writes: more than any event that is taken.
const WHOLE: usize = 10_000_000;

kinds! {
    /// One attempt to put a revision of a service into an environment.
    Deployment deployment "deployment" 'd' {
        SERVICE "service" Identity (Type::Id) "The service's slug.";
        ENVIRONMENT "environment" IdentityEnvironment (Type::LowerId) "Where it went; production when left out.";
        ID "id" Identity (Type::Id) "The source's id of this deployment.";
        REVISION "revision" Optional (Type::Id) "What was deployed: a commit's hash, or any name that the source gives.";
        REPOSITORY "repository" Optional (Type::LowerId) "The repository that the revision is of.";
        REVISIONS "revisions" Optional (Type::Revisions) "Where one deployment ships several repositories.";
        STARTED_AT "started_at" Optional (Type::Time) "When it began.";
        EXPOSED_AT "exposed_at" Optional (Type::Time) "When the first users met it (a canary).";
        FINISHED_AT "finished_at" Optional (Type::Time) "When it ended; needs an outcome.";
        OUTCOME "outcome" Optional (Type::Choice(&["succeeded", "failed", "cancelled"])) "How it ended; needs finished_at.";
        CATEGORY "category" Optional (Type::Choice(&["application", "configuration", "infrastructure", "data", "flag"])) "What was changed; application when left out.";
        TRIGGER "trigger" Optional (Type::Choice(&["pipeline", "manual", "schedule"])) "What set it off.";
        ROLLBACK "rollback" Optional (Type::Bool) "The source says that it goes back to an earlier state.";
        UNPLANNED "unplanned" Optional (Type::Bool) "The source says that it mends something in a hurry.";
        INFERRED "inferred" Optional (Type::Bool) "Guessed from a tag or a merge.";
        COMMITS "commits" Optional (Type::Commits) "What it ships, for senders without a commit graph.";
        BRANCH "branch" Optional (Type::Id) "The branch it was built from.";
        URL "url" Optional (Type::Text(4_096)) "Where to read more.";
        LABELS "labels" Optional (Type::Labels) "What the site wants to keep.";
    }
    /// A commit with its place in the graph.
    Commit commit "commit" 'c' {
        REPOSITORY "repository" Identity (Type::LowerId) "The repository's name.";
        SHA "sha" Identity (Type::Sha) "The commit's hash.";
        PARENTS "parents" Optional (Type::Shas) "Its parents, the first parent first; [] for a root; left out: unknown.";
        AUTHORED_AT "authored_at" Required (Type::Time) "When it was written.";
        COMMITTED_AT "committed_at" Optional (Type::Time) "When it was committed.";
        AUTHOR "author" Optional (Type::Id) "Who wrote it; replaced by a keyed pseudonym as it is taken in.";
        BOT "bot" Optional (Type::Bool) "Whether the author is a program; judged by the bots setting when left out.";
        MESSAGE "message" Optional (Type::Text(LONG)) "Its message.";
        PATHS "paths" Optional (Type::Paths) "What it touches, compared with its first parent.";
        LABELS "labels" Optional (Type::Labels) "What the site wants to keep.";
    }
    /// A pull request or merge request.
    PullRequest pull_request "pull_request" 'p' {
        REPOSITORY "repository" Identity (Type::LowerId) "The repository's name.";
        NUMBER "number" Identity (Type::Count) "Its number in the repository.";
        OPENED_AT "opened_at" Optional (Type::Time) "When it was opened.";
        FIRST_COMMIT_AT "first_commit_at" Optional (Type::Time) "When its first commit was written.";
        FIRST_REVIEW_AT "first_review_at" Optional (Type::Time) "The first review by someone other than the author.";
        APPROVED_AT "approved_at" Optional (Type::Time) "When it was approved.";
        MERGED_AT "merged_at" Optional (Type::Time) "When it was merged.";
        CLOSED_AT "closed_at" Optional (Type::Time) "When it was closed.";
        MERGE_SHA "merge_sha" Optional (Type::Sha) "The commit that it became on its base.";
        COMMITS "commits" Optional (Type::Shas) "Its commits.";
        AUTHOR "author" Optional (Type::Id) "Who opened it; replaced by a keyed pseudonym as it is taken in.";
        BOT "bot" Optional (Type::Bool) "Whether the author is a program; judged by the bots setting when left out.";
        BRANCH "branch" Optional (Type::Id) "The branch it comes from.";
        BASE "base" Optional (Type::Id) "The branch it goes to.";
        REVERTS "reverts" Optional (Type::Count) "The number of the pull request that it takes back.";
        TITLE "title" Optional (Type::Text(10_000)) "Its title.";
        URL "url" Optional (Type::Text(4_096)) "Where to read more.";
        LABELS "labels" Optional (Type::Labels) "What the site wants to keep.";
    }
    /// Something went wrong for users.
    Incident incident "incident" 'i' {
        ID "id" Identity (Type::Id) "The source's id of this incident.";
        SERVICE "service" Optional (Type::Id) "The service that it hits (or services).";
        SERVICES "services" Optional (Type::Ids) "The services that it hits.";
        ENVIRONMENT "environment" Optional (Type::LowerId) "Where; production when left out.";
        TITLE "title" Optional (Type::Text(10_000)) "What it is called.";
        SEVERITY "severity" Optional (Type::Choice(&["critical", "major", "minor", "info"])) "How bad it is; unknown when left out.";
        STARTED_AT "started_at" Required (Type::Time) "When it began.";
        DETECTED_AT "detected_at" Optional (Type::Time) "When it was noticed.";
        ACKNOWLEDGED_AT "acknowledged_at" Optional (Type::Time) "When somebody took it up.";
        COMMUNICATED_AT "communicated_at" Optional (Type::Time) "When the teams were told.";
        MITIGATED_AT "mitigated_at" Optional (Type::Time) "When users were well again.";
        RESOLVED_AT "resolved_at" Optional (Type::Time) "When it was over.";
        DEPLOYMENT "deployment" Optional (Type::Id) "The id of the deployment that caused it.";
        REVISION "revision" Optional (Type::Id) "The revision that caused it.";
        SAME_AS "same_as" Optional (Type::Id) "source:id of the incident that this one repeats.";
        URL "url" Optional (Type::Text(4_096)) "Where to read more.";
        LABELS "labels" Optional (Type::Labels) "What the site wants to keep.";
    }
    /// An interval in which a service was up or down, or how many of its requests were good.
    Availability availability "availability" 'a' {
        SERVICE "service" Identity (Type::Id) "The service's slug.";
        ENVIRONMENT "environment" IdentityEnvironment (Type::LowerId) "Where; production when left out.";
        FROM "from" Identity (Type::Time) "When the interval begins.";
        TO "to" Required (Type::Time) "When it ends.";
        UP "up" Optional (Type::Bool) "Whether it was up (or good and total).";
        GOOD "good" Optional (Type::Count) "How many requests were answered well.";
        TOTAL "total" Optional (Type::Count) "How many requests there were.";
        LABELS "labels" Optional (Type::Labels) "What the site wants to keep.";
    }
    /// What a monitor says of a check of its: since when it is up, or down. An outage is from down to the next up.
    Check check "check" 'k' {
        ID "id" Identity (Type::Id) "The source's id of what it watches; the same for every outage of it.";
        SINCE "since" Identity (Type::Time) "Since when this holds.";
        UP "up" Identity (Type::Bool) "Whether it is up.";
        SERVICE "service" Optional (Type::Id) "The service that it tells of; a notice of up may leave it to that of down.";
        ENVIRONMENT "environment" Optional (Type::LowerId) "Where; production when left out.";
        COUNTS_AS "counts_as" Optional (Type::Choice(&["incident", "availability", "both"])) "What its outages are: incidents (when left out), intervals of downtime between those of uptime, or both.";
        SHORTEST "shortest" Optional (Type::Count) "Seconds: an outage that was over sooner counts as none.";
        INFERRED "inferred" Optional (Type::Bool) "Said of the beginning afterwards; what was said at the time counts before it.";
        TITLE "title" Optional (Type::Text(10_000)) "What its outage is called.";
        SEVERITY "severity" Optional (Type::Choice(&["critical", "major", "minor", "info"])) "How bad its outage is; unknown when left out.";
        URL "url" Optional (Type::Text(4_096)) "Where to read more.";
        LABELS "labels" Optional (Type::Labels) "What the site wants to keep.";
    }
    /// An announced interruption, taken out of uptime.
    Maintenance maintenance "maintenance" 'm' {
        SERVICE "service" Identity (Type::Id) "The service's slug.";
        ENVIRONMENT "environment" IdentityEnvironment (Type::LowerId) "Where; production when left out.";
        FROM "from" Identity (Type::Time) "When it begins.";
        TO "to" Required (Type::Time) "When it ends.";
        REASON "reason" Optional (Type::Text(10_000)) "What for.";
        LABELS "labels" Optional (Type::Labels) "What the site wants to keep.";
    }
    /// What is deployed.
    Service service "service" 's' {
        SLUG "slug" Identity (Type::Id) "What events call it.";
        NAME "name" Optional (Type::Id) "What people call it.";
        TEAM "team" Optional (Type::Id) "The team that runs it.";
        REPOSITORIES "repositories" Optional (Type::Repositories) "Where its code lives.";
        PRODUCTION "production" Optional (Type::Ids) "The environments that together are its production.";
        TYPE "type" Optional (Type::Id) "What sort of service it is.";
        TIER "tier" Optional (Type::Id) "How much depends on it.";
        FORMERLY "formerly" Optional (Type::Ids) "Slugs that it had before.";
        ARCHIVED_AT "archived_at" Optional (Type::Time) "Since when it is no longer run.";
        LABELS "labels" Optional (Type::Labels) "What the site wants to keep.";
    }
    /// A node of the tree of teams.
    Team team "team" 't' {
        SLUG "slug" Identity (Type::Id) "What events call it.";
        NAME "name" Optional (Type::Id) "What people call it.";
        PARENT "parent" Optional (Type::Id) "The team above it.";
        LABELS "labels" Optional (Type::Labels) "What the site wants to keep.";
    }
    /// A remark on a stretch of time, shown on charts and reports.
    Note note "note" 'n' {
        ID "id" Identity (Type::Id) "The source's id of this note.";
        SERVICE "service" Optional (Type::Id) "The service it is about (or team).";
        TEAM "team" Optional (Type::Id) "The team it is about.";
        FROM "from" Required (Type::Time) "When it begins.";
        TO "to" Optional (Type::Time) "When it ends.";
        TEXT "text" Required (Type::Text(10_000)) "What it says.";
        LABELS "labels" Optional (Type::Labels) "What the site wants to keep.";
    }
    /// An event of another vocabulary that means none of the kinds above: kept for ever, counted, and read by no metric.
    Other other "other" 'o' {
        TYPE "type" Identity (Type::Id) "What its sender calls it, like dev.cdevents.build.finished.0.3.0.";
        ID "id" Identity (Type::Id) "The sender's id of this event.";
        REASON "reason" Optional (Type::Text(10_000)) "Why it became none of the kinds above, where its type is one that can.";
        DATA "data" Required (Type::Text(WHOLE)) "The event as JSON.";
    }
    /// The organisation's settings, written by the program itself when the configuration changes.
    Settings settings "settings" 'x' {
        VALUE "value" Required (Type::Text(WHOLE)) "The settings as JSON.";
    }
}

impl Kind {
    /// Whether senders may use it; the rest is written by the program alone, and read back from its exports. Another
    /// vocabulary is sent as what it is, so that what it means can be found out: nobody sends `other`.
    #[must_use]
    pub fn is_public(self) -> bool {
        !matches!(self, Kind::Other | Kind::Settings)
    }

    /// Whether its identity holds the source.
    #[must_use]
    pub fn identity_has_source(self) -> bool {
        matches!(
            self,
            Kind::Deployment
                | Kind::Incident
                | Kind::Availability
                | Kind::Check
                | Kind::Maintenance
                | Kind::Note
                | Kind::Other
        )
    }

    /// The number of the field of this name.
    #[must_use]
    pub fn field(self, name: &str) -> Option<FieldId> {
        self.fields().iter().position(|f| f.name == name).and_then(|i| FieldId::try_from(i).ok())
    }
}
