# Gitea, Forgejo and Gogs: one webhook delivery → native events.

def repository: first_of(.body.repository.full_name, .body.repository.html_url) | need("repository.full_name") | repo;
def service: repository | repo_name | slug;
def matches($more): {repository: repository} + $more;
def login: first_of(.login, .username);

# Push: the commits of the default branch (and of the branches that the site adds). Those of other branches
# arrive on it when they are merged. The payload knows no parents: parents and paths are left to a read of the repository.
def push:
  repository as $repository
  | (.body.ref // "") as $ref | ($ref | ltrimstr("refs/heads/")) as $branch
  | .settings.branches as $more
  | if ($ref | startswith("refs/heads/") | not) then empty
    elif $branch != .body.repository.default_branch and ($branch | fits($more) | not) then empty
    else
      .body.commits[]? | values
      | (.timestamp | time | need("timestamp of a commit")) as $t
      | {kind: "commit", repository: $repository, sha: (.id | need("id of a commit")), authored_at: $t, at: $t,
         message: (.message // "" | short(200000)),
         author: first_of(.author.username, .author.name) | as_id}
      | drop_nulls
    end;

# The pull request as the payload shows it. Gogs gives fewer fields, and no time of opening: there the delivery's
# arrival stands for it, and what comes later is partial.
def pull_request_event:
  . as $in | repository as $repository
  | .body.pull_request as $pr | .body.action as $action
  | first_of($pr.created_at | time, (select($action == "opened") | $in.received_at)) as $opened
  | first_of($pr.updated_at | time, ($pr.closed_at | time), ($pr.merged_at | time), $opened, $in.received_at) as $t
  | {kind: "pull_request", repository: $repository, number: (first_of($pr.number, $in.body.number) | need("pull_request.number")),
     partial: (if $opened == null then true else null end),
     opened_at: $opened,
     merged_at: $pr.merged_at | time,
     # Gitea sends the merge before it has noted the closing
     closed_at: first_of(($pr.closed_at, $pr.merged_at) | time, (select($action == "closed") | $t)),
     merge_sha: (if $pr.merged == true or $pr.merged_at != null then first_of($pr.merge_commit_sha, $pr.merged_commit_id) else null end),
     author: $pr.user | login | as_id,
     branch: first_of($pr.head.ref, $pr.head_branch) | as_id, base: first_of($pr.base.ref, $pr.base_branch) | as_id,
     reverts: ({title: $pr.title, body: $pr.body} | reverts_number($repository)),
     title: $pr.title | short(10000), url: $pr.html_url, at: $t};

# A review counts when it is by somebody else, and no program. The payload has no time of its own for it: the
# pull request's last change is the review. Of several the earliest holds, while of several events the one with the
# latest `at` does: so `at` is the review's time mirrored at the opening, and the event has nothing but that time.
def review:
  repository as $repository | .body.pull_request as $pr
  | (.body.review.type // "") as $what
  | ($pr.updated_at | time) as $t
  | select(.body.sender != null and (.body.sender | login) != ($pr.user | login) and (.body.sender | login | is_bot | not))
  | {kind: "pull_request", repository: $repository, number: (first_of($pr.number, .body.number) | need("pull_request.number")), partial: true,
     at: mirrored($pr.created_at; $t)}
  | select($t != null and .at != null)
  | . + {first_review_at: $t}, (select($what | endswith("approved")) | . + {approved_at: $t});

def pull_request:
  if .body.pull_request == null then empty
  elif .body.action == "reviewed" or .body.review != null then review
  elif .body.action | IN("opened", "edited", "closed") then pull_request_event | drop_nulls
  elif .body.action == "reopened" then pull_request_event | .closed_at = null | drop_nulls + {closed_at: null}
  else empty end;

def trigger:
  if . == null then null elif . == "workflow_dispatch" then "manual" elif . == "schedule" then "schedule" else "pipeline" end;

# Only the workflows that the site names; each attempt of a run is a deployment of its own.
def workflow_run:
  . as $in | .body.workflow_run as $run
  | {success: "succeeded", failure: "failed", cancelled: "cancelled"}[$run.conclusion // ""] as $outcome
  | first_of(.body.workflow.name, $run.name, $run.display_title) as $name
  | [$name, (.body.workflow.id | strings), ($run.path // .body.workflow.path // "" | split("@")[0] | split("/") | last)] as $names
  | if ([$names[] | fits($in.settings.deploy_workflows)] | any | not) then empty
    elif ($run.event // "" | startswith("pull_request")) or (($run.conclusion // "") != "" and $outcome == null) then empty
    else
      ($run.completed_at | time) as $finished
      | select($outcome == null or $finished != null)
      | {kind: "deployment", service: service,
         id: "run-\($run.id | need("workflow_run.id")).\(if ($run.run_attempt // 0) == 0 then 1 else $run.run_attempt end)",
         environment: first_of($name | environment_guess, $in.settings.environment),
         repository: repository, revision: $run.head_sha, branch: $run.head_branch | as_id,
         started_at: $run.started_at | time,
         outcome: $outcome, finished_at: (if $outcome == null then null else $finished end),
         trigger: $run.event | trigger, url: $run.html_url,
         at: first_of(latest($run.started_at, $finished), $in.received_at),
         matches: matches({workflow: $name})}
      | drop_nulls
    end;

# Only the tags that the site names.
def release:
  . as $in | .body.release as $release
  | if .body.action != "published" or $release.draft == true or $release.prerelease == true then empty
    elif $release.tag_name | fits($in.settings.deploy_releases) | not then empty
    else
      (first_of($release.published_at, $release.created_at) | time | need("release.published_at")) as $t
      | {kind: "deployment", service: service, id: "release-\($release.id | need("release.id"))",
         environment: $in.settings.environment, repository: repository,
         revision: first_of($release.target_commitish | select(is_sha), $release.tag_name),
         outcome: "succeeded", finished_at: $t, inferred: true, url: $release.html_url, at: $t,
         matches: matches({tag: $release.tag_name})}
      | drop_nulls
    end;

# Issues with an incident label. One that loses the label was no incident (newer versions tell which were removed).
def issue:
  . as $in | .body as $body | .body.issue as $issue
  | [$issue.labels[]?.name | strings] as $labels
  | ([$labels[] | fits($in.settings.incident_labels)] | any) as $is
  | ([$body.changes.removed_labels[]?.name | fits($in.settings.incident_labels)] | any) as $was
  | (first_of($issue.updated_at, $issue.created_at) | time) as $t
  | if $issue == null or ($is or $was | not) then empty
    elif $body.action | IN("opened", "edited", "closed", "reopened", "label_updated", "label_cleared", "deleted") | not then empty
    else
      {kind: "incident", id: "\(repository)#\(first_of($issue.number, $body.number) | need("issue.number"))", at: $t} as $identity
      | if $is | not then $identity + {deleted: true}
        # the issue's own time stands still at its end: a second later is after everything before
        elif $body.action == "deleted" then $identity + {deleted: true, at: ($t | plus_seconds(1))}
        else
          [$labels[] | select($in.settings.service_label != "" and startswith($in.settings.service_label))
           | ltrimstr($in.settings.service_label) | slug | values] as $services
          | $identity + {
              service: (if ($services | length) > 1 then null else first_of($services[0], service) end),
              services: (if ($services | length) > 1 then $services else null end),
              title: $issue.title | short(10000),
              severity: first_of($labels[] | select(fits($in.settings.incident_labels) | not) | label_severity),
              started_at: ($issue.created_at | time | need("issue.created_at")),
              resolved_at: first_of($issue.closed_at | time, (select($issue.state == "closed" and $body.action == "closed") | $t)),
              url: first_of($issue.html_url, ($body.repository.html_url | values + "/issues/\($issue.number)")),
              matches: (if ($services | length) > 1 then null else matches({service: $services[0]}) end)}
          | drop_nulls
          | if $body.action == "reopened" then . + {resolved_at: null} else . end
        end
    end;

if (.body | type) != "object" then empty
else
  (first_of(.type, .headers["x-gitea-event"], .headers["x-forgejo-event"]) // "") as $type
  | if $type == "push" then push
    # reviews come as pull_request_approved, pull_request_rejected and pull_request_comment
    elif $type | startswith("pull_request") then pull_request
    elif $type == "workflow_run" then workflow_run
    elif $type == "release" then release
    elif $type == "issues" then issue
    else empty end
end
