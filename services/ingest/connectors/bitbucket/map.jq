# Bitbucket Cloud and Bitbucket Data Center: one webhook delivery → native events.
# Cloud names its events repo:push, pullrequest:…; Data Center repo:refs_changed, pr:….

def wanted($settings): fits($settings.branches);

# The parents of a commit, unknown unless all of them are told.
def hashes($list; f): if ($list | type) == "array" then [$list[] | f] | if all(is_sha) then . else null end else null end;

# "Octo Cat <octocat@example.com>" → "Octo Cat"
def without_address: if . == null then null else sub("\\s*<[^>]*>\\s*$"; "") | as_id end;

# Of several reviews the earliest holds, while of several events the one with the latest `at` does: so `at` is the
# review's time mirrored at the opening, and the event has nothing but that time. Approvals likewise.
def reviewed($repository; $number; $opened; $when; $approved):
  ($when | time) as $t
  | {kind: "pull_request", repository: $repository, number: $number, partial: true, at: mirrored($opened; $t)}
  | select($t != null and .at != null)
  | . + {first_review_at: $t}, (select($approved) | . + {approved_at: $t});

# --- Cloud -------------------------------------------------------------------------------------------

def cloud_repository: .body.repository.full_name | need("repository.full_name") | repo;

# A push lists at most five commits of each branch; the newest one stands in it as the branch's target.
def cloud_push:
  .settings as $settings | cloud_repository as $repository
  | .body.push.changes[]?
  | select(.new.type == "branch" and (.new.name | wanted($settings)))
  | [(.commits // [])[], .new.target] | map(select(.hash != null and .date != null)) | unique_by(.hash) | sort_by(.date)[]
  | (.date | time) as $t
  | {kind: "commit", repository: $repository, sha: .hash,
     parents: hashes(.parents; .hash),
     authored_at: $t, message: .message | short(200000),
     author: first_of(.author.user.nickname, .author.user.display_name, (.author.raw | without_address)) | as_id, at: $t}
  | drop_nulls;

def person: first_of(.account_id, .uuid, .nickname, .username);

def cloud_pull_request:
  cloud_repository as $repository
  | .type as $type | .body.pullrequest as $pr
  | (first_of($pr.updated_on, $pr.created_on) | time) as $t
  | {kind: "pull_request", repository: $repository, number: ($pr.id | need("pullrequest.id")),
     opened_at: ($pr.created_on | time | need("pullrequest.created_on")),
     # these deliveries come when it happens; the last change is that
     merged_at: (if $type == "pullrequest:fulfilled" then $t else null end),
     closed_at: (if $type | IN("pullrequest:fulfilled", "pullrequest:rejected") then $t else null end),
     # mostly cut to twelve digits, which names no commit
     merge_sha: first_of($pr.merge_commit.hash | select(is_sha)),
     author: first_of($pr.author.nickname, $pr.author.username, $pr.author.display_name) | as_id,
     bot: (if $pr.author.type == "app_user" then true else null end),
     branch: $pr.source.branch.name | as_id, base: $pr.destination.branch.name | as_id,
     reverts: ({title: $pr.title, body: first_of($pr.description, $pr.summary.raw)} | reverts_number($repository)),
     title: $pr.title | short(10000), url: $pr.links.html.href, at: $t}
  | drop_nulls;

# By somebody else than the author, and no program.
def cloud_review($by; $when; $approved):
  .body.pullrequest as $pr
  | select(($by | person) != ($pr.author | person) and $by.type != "app_user" and ($by.nickname | is_bot | not))
  | reviewed(cloud_repository; $pr.id | need("pullrequest.id"); $pr.created_on; $when; $approved);

# Bitbucket has no webhook for its deployments. A pipeline, or any tool, reports a status of a commit: those that
# the site names are deployments.
def cloud_status:
  . as $in | .body.commit_status as $s
  | {SUCCESSFUL: "succeeded", FAILED: "failed", STOPPED: "cancelled"}[$s.state // ""] as $outcome
  | if ([$s.name, $s.key | fits($in.settings.deploy_statuses)] | any | not) or ($outcome == null and $s.state != "INPROGRESS") then empty
    else
      cloud_repository as $repository
      | first_of($s.commit.hash, ($s.links.commit.href // "" | split("/") | last | select(is_sha))) as $sha
      | (first_of($s.updated_on, $s.created_on) | time) as $t
      | {kind: "deployment", service: $repository | repo_name | slug,
         id: "\($s.key | need("commit_status.key"))@\($sha | need("the commit of commit_status"))" | as_id,
         environment: first_of($s.name | environment_guess, $in.settings.environment),
         repository: $repository, revision: $sha, branch: $s.refname | as_id,
         started_at: $s.created_on | time, outcome: $outcome, finished_at: (if $outcome == null then null else $t end),
         url: $s.url, at: $t,
         matches: {repository: $repository, status: $s.name, key: $s.key}}
      | drop_nulls
    end;

# --- Data Center --------------------------------------------------------------------------------------

def server_repository: "\(.project.key | need("project.key"))/\(.slug | need("repository.slug"))" | ascii_downcase;

# Newer versions list the commits; from older ones nothing but the branch's new end is known, without any time.
def server_push:
  .settings as $settings
  | select(.body.repository != null)
  | (.body.repository | server_repository) as $repository
  | if ([.body.changes[]? | select(.ref.type == "BRANCH") | .ref.displayId | wanted($settings)] | any | not) then empty
    else
      [(.body.commits // [])[], (.body.toCommit | values)] | map(select(.id != null and .authorTimestamp != null)) | unique_by(.id) | sort_by(.authorTimestamp)[]
      | {kind: "commit", repository: $repository, sha: .id,
         parents: hashes(.parents; .id),
         authored_at: .authorTimestamp | time, committed_at: .committerTimestamp | time,
         message: .message | short(200000), author: first_of(.author.slug, .author.name) | as_id,
         at: latest(.authorTimestamp, .committerTimestamp)}
      | drop_nulls
    end;

def server_pull_request:
  .type as $type | .body.date as $date | .body.pullRequest as $pr
  | ($pr.toRef.repository | server_repository) as $repository
  | {kind: "pull_request", repository: $repository, number: ($pr.id | need("pullRequest.id")),
     opened_at: ($pr.createdDate | time | need("pullRequest.createdDate")),
     merged_at: (if $type == "pr:merged" then first_of($pr.closedDate, $date) | time else null end),
     closed_at: (if $type | IN("pr:merged", "pr:declined") then first_of($pr.closedDate, $date) | time else null end),
     merge_sha: first_of($pr.properties.mergeCommit.id | select(is_sha)),
     author: first_of($pr.author.user.slug, $pr.author.user.name) | as_id,
     bot: (if $pr.author.user.type == "SERVICE" then true else null end),
     branch: $pr.fromRef.displayId | as_id, base: $pr.toRef.displayId | as_id,
     reverts: ({title: $pr.title, body: $pr.description} | reverts_number($repository)),
     title: $pr.title | short(10000), url: $pr.links.self[0].href,
     at: latest($pr.createdDate, $pr.updatedDate, $date)}
  | drop_nulls;

def server_review($by; $when; $approved):
  .body.pullRequest as $pr
  | select($by.id != $pr.author.user.id and $by.type != "SERVICE" and ($by.name | is_bot | not))
  | reviewed($pr.toRef.repository | server_repository; $pr.id | need("pullRequest.id"); $pr.createdDate; $when; $approved);

if (.body | type) != "object" then empty
else
  (first_of(.type, .body.eventKey)) as $type | .type = $type
  | if $type == "repo:push" then cloud_push
    elif $type | IN("pullrequest:created", "pullrequest:updated", "pullrequest:fulfilled", "pullrequest:rejected") then cloud_pull_request
    elif $type == "pullrequest:approved" then cloud_review(.body.approval.user; .body.approval.date; true)
    elif $type == "pullrequest:changes_request_created" then cloud_review(.body.changes_request.user; .body.changes_request.date; false)
    # a comment on a line is a review
    elif $type == "pullrequest:comment_created" then select(.body.comment.inline != null) | cloud_review(.body.comment.user; .body.comment.created_on; false)
    elif $type | IN("repo:commit_status_created", "repo:commit_status_updated") then cloud_status
    elif $type == "repo:refs_changed" then server_push
    elif $type | IN("pr:opened", "pr:modified", "pr:merged", "pr:declined") then server_pull_request
    elif $type == "pr:reviewer:approved" then server_review(first_of(.body.participant.user, .body.actor); .body.date; true)
    elif $type | IN("pr:reviewer:needs_work", "pr:reviewer:changes_requested") then server_review(first_of(.body.participant.user, .body.actor); .body.date; false)
    elif $type == "pr:comment:added" then select(.body.comment.anchor != null) | server_review(.body.actor; first_of(.body.comment.createdDate, .body.date); false)
    else empty end
end
