# GitLab: one webhook delivery → native events.

def repository: first_of(.body.project.path_with_namespace, .body.project.git_http_url, .body.repository.homepage) | need("project.path_with_namespace") | repo;
def service: repository | repo_name | slug;
def matches($more): {repository: repository} + $more;

def a_bot: .username // "" | is_bot or test("^(project|group)_[0-9]+_bot");

# Push: the commits of the default branch (and of the branches that the site adds). Those of other branches
# arrive on it when they are merged. The payload knows no parents: parents and paths are left to a read of the repository.
def push:
  repository as $repository
  | (.body.ref // "") as $ref | ($ref | ltrimstr("refs/heads/")) as $branch
  | .settings.branches as $more
  | if ($ref | startswith("refs/heads/") | not) then empty
    elif $branch != .body.project.default_branch and ($branch | fits($more) | not) then empty
    else
      .body.commits[]? | values
      | (.timestamp | time | need("timestamp of a commit")) as $t
      | {kind: "commit", repository: $repository, sha: (.id | need("id of a commit")), authored_at: $t, at: $t,
         message: (.message // "" | short(200000)), author: .author.name | as_id}
      | drop_nulls
    end;

# The merge request as the payload shows it. It has no times of merging and closing: the deliveries that
# announce these changes carry them as the time of the last change.
def merge_request:
  repository as $repository
  | .body as $body | .body.object_attributes as $mr
  | first_of($mr.updated_at, $mr.created_at) as $t
  | $mr.action as $action
  | {kind: "pull_request", repository: $repository, number: ($mr.iid | need("object_attributes.iid")),
     opened_at: ($mr.created_at | time | need("object_attributes.created_at")),
     merged_at: (if $action == "merge" then $t | time else null end),
     closed_at: (if $action | IN("merge", "close") then $t | time else null end),
     # a squash and a fast-forward have no merge commit
     merge_sha: (if $action == "merge" then first_of($mr.merge_commit_sha, $mr.squash_commit_sha, $mr.last_commit.id) else null end),
     # only an id tells the author, so the login is known where the author acts
     author: (if $body.user.id != null and $body.user.id == $mr.author_id or $action == "open" and $body.user.id == null then $body.user.username | as_id else null end),
     branch: $mr.source_branch | as_id, base: $mr.target_branch | as_id,
     reverts: ({title: $mr.title, body: $mr.description} | reverts_number($repository)),
     title: $mr.title | short(10000), url: $mr.url,
     at: $t | time}
  | drop_nulls;

# A review counts when it is by somebody else, and no program. Of several the earliest holds, while of several
# events the one with the latest `at` does: so `at` is the review's time mirrored at the opening, and the event
# has nothing but that time. Approvals likewise.
def reviewed($mr; $when; $approved):
  repository as $repository
  | select((.body.user.id == null or .body.user.id != $mr.author_id) and (.body.user | a_bot | not))
  | ($when | time) as $t
  | {kind: "pull_request", repository: $repository, number: ($mr.iid | need("merge_request.iid")), partial: true,
     at: mirrored($mr.created_at; $t)}
  | select($t != null and .at != null)
  | . + {first_review_at: $t}, (select($approved) | . + {approved_at: $t});

def merge_request_event:
  .body.object_attributes as $mr | $mr.action as $action
  | if $action | IN("open", "close", "merge") then merge_request
    elif $action == "reopen" then merge_request + {closed_at: null}
    # an update can be anything; of interest is what the event holds
    elif $action == "update" then
      select(.body.changes == null or ([.body.changes | has("title", "description", "target_branch")] | any)) | merge_request
    # `approval` is one person's, `approved` the last one that is required
    elif $action | IN("approval", "approved") then reviewed($mr; $mr.updated_at; true)
    else empty end;

# A comment on a line of the changes is GitLab's review.
def note:
  .body.object_attributes as $note | .body.merge_request as $mr
  | if $mr == null or $note.system == true or $note.noteable_type != "MergeRequest" then empty
    elif $note.type == "DiffNote" or $note.position != null or ($note.line_code // "") != "" then reviewed($mr; $note.created_at; false)
    else empty end;

# The full hash stands only in the commit's address.
def deployed_sha: first_of((.commit_url // "" | split("/") | last | select(is_sha)), .short_sha);

def deployment:
  .body as $body
  | {success: "succeeded", failed: "failed", canceled: "cancelled"}[$body.status // ""] as $outcome
  | ($body.status_changed_at | time) as $t
  | if $outcome == null and ($body.status | IN("created", "running", "blocked") | not) then empty
    else
      {kind: "deployment", service: service,
       # before GitLab 14.2 only the job has an id
       id: (first_of($body.deployment_id, ($body.deployable_id | values | "job-\(.)")) | need("deployment_id") | tostring),
       environment: environment_named($body.environment; $body.environment_tier == "production"),
       repository: repository, revision: $body | deployed_sha, branch: $body.ref | as_id,
       started_at: (if $body.status == "running" then $t else null end),
       outcome: $outcome, finished_at: (if $outcome == null then null else $t | need("status_changed_at") end),
       url: $body.deployable_url, at: ($t | need("status_changed_at")),
       matches: matches({environment: $body.environment, tier: $body.environment_tier})}
      | drop_nulls
    end;

# A job of those that the site names: from the job's own deliveries and from its pipeline's, which say the same.
def job($name; $id; $status; $environment; $times; $sha; $branch; $url):
  .settings as $settings
  | {success: "succeeded", failed: "failed", canceled: "cancelled"}[$status // ""] as $outcome
  | if ($name | fits($settings.deploy_jobs) | not) or ($outcome == null and $status != "running") then empty
    else
      ($times.finished | time) as $finished
      # a job that is cancelled before it runs has deployed nothing
      | select(if $outcome == null then $times.started != null else $finished != null end)
      | {kind: "deployment", service: service, id: "job-\($id | need("id of job \($name)"))",
         environment: first_of(environment_named($environment.name; $environment.deployment_tier == "production"), ($name | environment_guess), $settings.environment),
         repository: repository, revision: $sha, branch: $branch | as_id,
         started_at: $times.started | time, outcome: $outcome, finished_at: (if $outcome == null then null else $finished end),
         url: $url, at: latest($times.started, (if $outcome == null then null else $finished end)),
         matches: matches({job: $name, environment: $environment.name})}
      | drop_nulls
    end;

def pipeline:
  . as $in | .body.object_attributes as $p
  | .body.builds[]? as $b
  | $in | job($b.name; $b.id; $b.status; $b.environment; {started: $b.started_at, finished: $b.finished_at}; $p.sha; $p.ref;
      ($in.body.project.web_url | if . then . + "/-/jobs/\($b.id)" else null end));

def build:
  . as $in | .body as $b
  | job($b.build_name; $b.build_id; $b.build_status; $b.environment; {started: $b.build_started_at, finished: $b.build_finished_at}; $b.sha; $b.ref;
      (first_of($in.body.project.web_url, $b.repository.homepage) | if . then . + "/-/jobs/\($b.build_id)" else null end));

# Only the tags that the site names. What GitLab's API tells of a release has no number, so the tag is its name.
def release:
  . as $in | .body as $r
  | if $r.action != "create" or ($r.tag | fits($in.settings.deploy_releases) | not) then empty
    else
      (first_of($r.released_at, $r.created_at) | time | need("released_at")) as $t
      | {kind: "deployment", service: service, id: "release-\(repository)@\($r.tag | need("tag"))",
         environment: $in.settings.environment, repository: repository, revision: first_of($r.commit.id, $r.tag),
         outcome: "succeeded", finished_at: $t, inferred: true, url: $r.url, at: $t,
         matches: matches({tag: $r.tag})}
      | drop_nulls
    end;

# Incidents: issues of that type, or with one of the labels. One that ceases to be was none.
def issue:
  . as $in | .body as $body | .body.object_attributes as $issue
  | def incident_label: fits($in.settings.incident_labels);
  [($body.labels // $issue.labels // [])[] | .title | strings] as $labels
  | (($issue.type // "" | ascii_downcase) == "incident" or ([$labels[] | incident_label] | any)) as $is
  | ($body.changes.type.previous // "" | tostring | ascii_downcase) as $type_before
  | ($type_before == "incident" or ([$body.changes.labels.previous[]? | .title | strings | incident_label] | any)) as $was
  | (first_of($issue.updated_at, $issue.created_at) | time) as $t
  | if ($is or $was | not) or ($issue.action | IN("open", "update", "close", "reopen") | not) then empty
    else
      {kind: "incident", id: "\(repository)#\($issue.iid | need("object_attributes.iid"))", at: $t} as $identity
      | if $is | not then $identity + {deleted: true}
        else
          [$labels[] | select($in.settings.service_label != "" and startswith($in.settings.service_label))
           | ltrimstr($in.settings.service_label) | slug | values] as $services
          | $identity + {
              service: (if ($services | length) > 1 then null else first_of($services[0], service) end),
              services: (if ($services | length) > 1 then $services else null end),
              title: $issue.title | short(10000),
              severity: first_of({critical: "critical", high: "major", medium: "minor", low: "info"}[$issue.severity // ""],
                ($labels[] | select(incident_label | not) | label_severity)),
              started_at: ($issue.created_at | time | need("object_attributes.created_at")),
              # older versions have no closed_at in the payload
              resolved_at: (if $issue.state == "closed" then first_of($issue.closed_at, (select($issue.action == "close") | $t)) | time else null end),
              url: $issue.url,
              matches: (if ($services | length) > 1 then null else matches({service: $services[0]}) end)}
          | drop_nulls
          | if $issue.action == "reopen" then . + {resolved_at: null} else . end
        end
    end;

if (.body | type) != "object" then empty
else
  .body.object_kind as $kind
  | if $kind == "push" then push
    elif $kind == "merge_request" then merge_request_event
    elif $kind == "note" then note
    elif $kind == "deployment" then deployment
    elif $kind == "pipeline" then pipeline
    elif $kind == "build" then build
    elif $kind == "release" then release
    elif $kind == "issue" or $kind == "work_item" then issue
    else empty end
end
