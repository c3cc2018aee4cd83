# GitHub: one webhook delivery → native events.

def repository: .body.repository.full_name | need("repository.full_name") | repo;

# What a site can map a service by.
def matches($more): {repository: repository} + $more;

# Programs say so themselves; what doesn't is judged by the site's own patterns.
def bot: if .type == "Bot" then true else null end;

# Push: the commits of the default branch (and of the branches that the site adds). Those of other branches
# arrive on it when they are merged. The payload knows no parents, and its lists of files are cut off for large
# commits: both are left out, so that they count as unknown instead of wrong until the repository is read.
def push:
  repository as $repository
  | (.body.ref // "" | ltrimstr("refs/heads/")) as $branch
  | .body.repository.default_branch as $default
  | .settings.branches as $more
  | if (.body.ref // "" | startswith("refs/heads/") | not) or .body.deleted == true then empty
    elif $branch != $default and ($branch | fits($more) | not) then empty
    else
      # A push may hold thousands: what is usual goes past the slower general helpers.
      ["kind", "repository", "sha", "authored_at", "at", "message", "author"] as $names
      | .body.commits[]?
      | if .id and .timestamp then . elif . == null then empty else .id | need("id of a commit") | null | need("timestamp of a commit") end
      | (.timestamp | if length == 25 or length == 20 then . else time end) as $t
      | record($names; ["commit", $repository, .id, $t, $t,
          (.message // "" | if length > 50000 then short(200000) else . end),
          (.author | if (.username // "") != "" then .username else .name | as_id end)])
    end;

# The pull request as the payload shows it, as of its last change.
def pull_request_event:
  repository as $repository
  | .body.pull_request
  | {kind: "pull_request", repository: $repository, number: (.number | need("pull_request.number")),
     opened_at: (.created_at | time | need("pull_request.created_at")),
     merged_at: .merged_at | time,
     closed_at: .closed_at | time,
     # before the merge it is the commit of a trial merge
     merge_sha: (if .merged_at then .merge_commit_sha else null end),
     author: .user.login | as_id, bot: .user | bot,
     branch: .head.ref | as_id, base: .base.ref | as_id,
     reverts: reverts_number($repository),
     title: .title | short(10000), url: .html_url,
     at: first_of(.updated_at, .created_at) | time};

def pull_request:
  if .body.action | IN("opened", "edited", "ready_for_review", "closed") then pull_request_event | drop_nulls
  elif .body.action == "reopened" then pull_request_event | drop_nulls + {closed_at: null}
  else empty end;

# A review counts when it is by somebody else, and no program. Of several the earliest holds, while of several
# events the one with the latest `at` does: so `at` is the review's time mirrored at the opening, and the event
# has nothing but that time. Approvals likewise.
def review:
  repository as $repository
  | .body.review as $review | .body.pull_request as $pr
  | if .body.action != "submitted" or ($review.state // "" | ascii_downcase | IN("approved", "commented", "changes_requested") | not) then empty
    elif ($review.user.login // "") == ($pr.user.login // "") or $review.user.type == "Bot" or ($review.user.login | is_bot) then empty
    else
      ($review.submitted_at | time) as $t
      | {kind: "pull_request", repository: $repository, number: ($pr.number | need("pull_request.number")), partial: true,
         at: mirrored($pr.created_at; $t)}
      | select($t != null and .at != null)
      | . + {first_review_at: $t},
        (select($review.state | ascii_downcase == "approved") | . + {approved_at: $t})
    end;

def deployment_environment:
  environment_named(first_of(.original_environment, .environment); .production_environment);

def trigger: # of the workflow run, by what set it off
  if . == null then null elif . == "workflow_dispatch" then "manual" elif . == "schedule" then "schedule" else "pipeline" end;

def deployment_event:
  . as $in | repository as $repository
  | .body.deployment
  | {kind: "deployment", service: ($repository | repo_name | slug), id: (.id | need("deployment.id") | tostring),
     environment: deployment_environment,
     repository: $repository, revision: .sha,
     branch: (if .ref == .sha then null else .ref | as_id end),
     started_at: .created_at | time,
     trigger: $in.body.workflow_run.event | trigger,
     rollback: (if .task // "" | test("rollback"; "i") then true else null end),
     url: first_of($in.body.deployment_status.log_url, $in.body.deployment_status.target_url, $in.body.workflow_run.html_url),
     at: (.created_at | time | need("deployment.created_at")),
     matches: ($in | matches({environment: .body.deployment.environment, task: .body.deployment.task, workflow: .body.workflow.name}))};

# Statuses: queued, pending, waiting and in_progress say that it is under way; inactive that a later one took over.
def deployment_status:
  .body.deployment_status as $status
  | {success: "succeeded", failure: "failed", error: "failed"}[$status.state // ""] as $outcome
  | ($status.created_at | time) as $t
  | if $outcome != null then deployment_event + {outcome: $outcome, finished_at: ($t | need("deployment_status.created_at")), at: $t} | drop_nulls
    elif $status.state | IN("queued", "pending", "waiting", "in_progress") then deployment_event + {at: ($t | need("deployment_status.created_at"))} | drop_nulls
    else empty end;

# Only the workflows that the site names; each attempt of a run is a deployment of its own.
def workflow_run:
  . as $in | .body.workflow_run as $run
  | {success: "succeeded", failure: "failed", timed_out: "failed", startup_failure: "failed", cancelled: "cancelled"}[$run.conclusion // ""] as $outcome
  | [$run.name, .body.workflow.name, ($run.path // .body.workflow.path // "" | split("@")[0] | split("/") | last)] as $names
  | if ([$names[] | fits($in.settings.deploy_workflows)] | any | not) then empty
    elif $run.event // "" | startswith("pull_request") then empty
    elif ($run.conclusion != null and $outcome == null) then empty
    else
      repository as $repository
      | (first_of($run.updated_at, $run.run_started_at, $run.created_at) | time | need("workflow_run.updated_at")) as $t
      | {kind: "deployment", service: $repository | repo_name | slug,
         id: "run-\($run.id | need("workflow_run.id")).\($run.run_attempt // 1)",
         environment: first_of($run.name | environment_guess, $in.settings.environment),
         repository: $repository, revision: $run.head_sha, branch: $run.head_branch | as_id,
         started_at: first_of($run.run_started_at, $run.created_at) | time,
         outcome: $outcome, finished_at: (if $outcome == null then null else $t end),
         trigger: $run.event | trigger, url: $run.html_url, at: $t,
         matches: matches({workflow: $run.name, environment: ($run.name | environment_guess)})}
      | drop_nulls
    end;

# Only the tags that the site names. `published` and `released` announce the same one; a pre-release waits for the latter.
def release:
  . as $in | .body.release as $release
  | if (.body.action | IN("published", "released") | not) or $release.draft == true or $release.prerelease == true then empty
    elif $release.tag_name | fits($in.settings.deploy_releases) | not then empty
    else
      repository as $repository
      | (first_of($release.published_at, $release.created_at) | time | need("release.published_at")) as $t
      | {kind: "deployment", service: $repository | repo_name | slug, id: "release-\($release.id | need("release.id"))",
         environment: $in.settings.environment, repository: $repository,
         revision: first_of($release.target_commitish | select(is_sha), $release.tag_name),
         outcome: "succeeded", finished_at: $t, inferred: true, url: $release.html_url, at: $t,
         matches: matches({tag: $release.tag_name})}
      | drop_nulls
    end;

# Issues with an incident label. One that loses the label was no incident.
def issue:
  . as $in | .body.issue as $issue | repository as $repository
  | [$issue.labels[]?.name | strings] as $labels
  | ([$labels[] | fits($in.settings.incident_labels)] | any) as $is
  | (first_of($issue.updated_at, $issue.created_at) | time) as $t
  | {kind: "incident", id: "\($repository)#\($issue.number | need("issue.number"))", at: $t} as $identity
  | .body.action as $action
  | if $action == "unlabeled" and ($is | not) and (.body.label.name | fits($in.settings.incident_labels)) then
      $identity + {deleted: true}
    elif $is and ($action | IN("deleted", "transferred")) then
      # the issue's own time stands still at its end: a second later is after everything before
      $identity + {deleted: true, at: ($t | plus_seconds(1))}
    elif $is and ($action | IN("opened", "edited", "closed", "reopened", "labeled", "unlabeled")) then
      ([$labels[] | select($in.settings.service_label != "" and startswith($in.settings.service_label))
        | ltrimstr($in.settings.service_label) | slug | values]) as $services
      | $identity + {
          service: (if ($services | length) > 1 then null else first_of($services[0], ($repository | repo_name | slug)) end),
          services: (if ($services | length) > 1 then $services else null end),
          title: $issue.title | short(10000),
          severity: first_of($labels[] | select(fits($in.settings.incident_labels) | not) | label_severity),
          started_at: ($issue.created_at | time | need("issue.created_at")),
          resolved_at: $issue.closed_at | time,
          url: $issue.html_url,
          matches: (if ($services | length) > 1 then null else matches({service: $services[0]}) end)}
      | drop_nulls
      | if $action == "reopened" then . + {resolved_at: null} else . end
    else empty end;

if (.body | type) != "object" then empty
elif .type == "push" then push
elif .type == "pull_request" then pull_request
elif .type == "pull_request_review" then review
elif .type == "deployment" then select(.body.action == "created") | deployment_event | drop_nulls
elif .type == "deployment_status" then deployment_status
elif .type == "workflow_run" then workflow_run
elif .type == "release" then release
elif .type == "issues" then issue
else empty end
