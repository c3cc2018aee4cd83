# Azure DevOps: one service hook notification → native events.

# "organisation/project/repository", in lower case.
def repository_of:
  first_of(.remoteUrl, .webUrl) as $url
  | if $url != null then $url | repo
    elif .name != null then [.project.name, .name] | map(values) | join("/") | ascii_downcase
    else null end;

def branch_of: if . == null then null else ltrimstr("refs/heads/") | as_id end;

# The service that a pipeline is named after: "Shop.CD" and "shop-deploy" are of "shop".
def service_of: if . == null then null else slug | sub("-(ci-cd|cicd|cd|ci|deploy|deployment|release|pipeline)$"; "") end;

# A stage is named by whoever wrote the pipeline: "Prod", "Deploy to staging". "Stage 1" is what none was given.
def environment_of($fallback):
  if . == null or test("^(__default|stage [0-9]+)$"; "i") then $fallback
  else first_of(environment_guess, as_id) end;

def outcomes: {succeeded: "succeeded", partiallySucceeded: "succeeded", succeededWithIssues: "succeeded", failed: "failed", rejected: "failed", canceled: "cancelled", cancelled: "cancelled", stopped: "cancelled"};

# Push: the commits of the default branch (and of the branches that the site adds). Those of other branches
# arrive on it when they are merged. The payload knows no parents: parents and paths are left to a read of the repository.
def push:
  .settings.branches as $more | .body.resource as $r
  | ($r.repository | repository_of | need("resource.repository")) as $repository
  | ($r.repository.defaultBranch // "" | branch_of) as $default
  | [$r.refUpdates[]?.name | strings | select(startswith("refs/heads/")) | branch_of] as $branches
  | if ([$branches[] | . == $default or fits($more)] | any | not) then empty
    else
      $r.commits[]? | values
      | (first_of(.author.date, .committer.date) | time | need("date of a commit")) as $t
      | {kind: "commit", repository: $repository, sha: (.commitId | need("commitId of a commit")), authored_at: $t, committed_at: .committer.date | time,
         message: (.comment // "" | short(200000)), author: .author.name | as_id, at: latest($t, .committer.date)}
      | drop_nulls
    end;

# The pull request as the payload shows it. "Merged" announces a merge attempt: only a completed one is a merge.
def pull_request_event:
  .body.createdDate as $sent | .body.resource as $pr
  | ($pr.repository | repository_of | need("resource.repository")) as $repository
  | ($pr.closedDate | time) as $closed
  | {kind: "pull_request", repository: $repository, number: ($pr.pullRequestId | need("resource.pullRequestId")),
     opened_at: ($pr.creationDate | time | need("resource.creationDate")),
     merged_at: (if $pr.status == "completed" then $closed else null end),
     closed_at: (if $pr.status | IN("completed", "abandoned") then $closed else null end),
     # before that it is the commit of a trial merge
     merge_sha: (if $pr.status == "completed" then $pr.lastMergeCommit.commitId else null end),
     author: $pr.createdBy.displayName | as_id,
     bot: (if $pr.createdBy.displayName // "" | test("Build Service \\(") then true else null end),
     branch: $pr.sourceRefName | branch_of, base: $pr.targetRefName | branch_of,
     reverts: ({title: $pr.title, body: $pr.description} | reverts_number($repository)),
     title: $pr.title | short(10000), url: $pr._links.web.href,
     at: latest($pr.creationDate, $closed, $sent)}
  | drop_nulls;

# A vote by somebody else is a review. It has no time of its own, so the first notification that shows it dates it.
# Of several the earliest holds, while of several events the one with the latest `at` does: so `at` is the review's time
# mirrored at the opening, and the event has nothing but that time. Approvals (with or without suggestions) likewise.
def reviews:
  .body.createdDate as $sent | .body.resource as $pr
  | select($pr.status == "active")
  | [$pr.reviewers[]? | select(.isContainer != true and .id != $pr.createdBy.id) | .vote // 0 | select(. != 0)] as $votes
  | select(($votes | length) > 0)
  | ($sent | time) as $t
  | {kind: "pull_request", repository: ($pr.repository | repository_of), number: $pr.pullRequestId, partial: true,
     at: mirrored($pr.creationDate; $t)}
  | select($t != null and .at != null)
  | . + {first_review_at: $t}, (select([$votes[] | . > 0] | any) | . + {approved_at: $t});

def pull_request:
  pull_request_event
  + (if (.body.message.text // "" | test("reactivated"; "i")) and .body.resource.status == "active" then {closed_at: null} else {} end),
  (if .body.eventType == "git.pullrequest.updated" then reviews else empty end);

# A classic release's deployment to a stage. A stage can be deployed to again: each attempt is a deployment of its own.
# (That it began is not mapped: that notification does not say which attempt it is of.)
def release_deployment:
  . as $in | .body.resource as $r
  | first_of($r.environment, $r.deployment.releaseEnvironment) as $stage
  | first_of($r.deployment.deploymentStatus, $stage.status) as $status
  | outcomes[$status // ""] as $outcome
  | if $outcome == null then empty
    else
      first_of($r.deployment.release.id, $stage.release.id, $stage.releaseId, $r.release.id) as $release
      | first_of($r.deployment.attempt, ([$stage.deploySteps[]?.attempt | values] | max)) as $attempt
      | (first_of($r.deployment.completedOn, $in.body.createdDate) | time | need("createdDate")) as $t
      | first_of($r.deployment.release.artifacts, $r.release.artifacts, []) as $artifacts
      | (first_of(($artifacts[] | select(.isPrimary == true)), $artifacts[0]).definitionReference // {}) as $source
      | first_of($r.deployment.releaseDefinition.name, $stage.releaseDefinition.name, $r.release.releaseDefinition.name) as $definition
      | {kind: "deployment",
         service: (first_of(($definition | service_of), ($r.project.name | slug)) | need("the release definition's name")),
         id: "release-\($release | need("release.id"))-\($stage.id | need("environment.id"))-\($attempt // $t)",
         environment: $stage.name | environment_of($in.settings.environment),
         revision: first_of($source.sourceVersion.id, $source.version.name, $source.version.id) | as_id,
         repository: first_of($source.repository.name | select(. != null and contains("/")) | repo),
         branch: $source.branch.id | branch_of,
         started_at: first_of($r.deployment.startedOn, $r.deployment.queuedOn) | time,
         outcome: $outcome, finished_at: $t,
         url: first_of($stage.release._links.web.href, $r.deployment.release._links.web.href), at: $t,
         matches: {project: $r.project.name, pipeline: $definition, stage: $stage.name}}
      | drop_nulls
    end;

# What the pipeline ran on, where the notification says it.
def run_source:
  (.resources.repositories.self // {}) as $self
  | {revision: $self.version, branch: $self.refName | branch_of,
     repository: first_of($self.repository.fullName | select(. != null and contains("/")) | repo)};

# A stage that the site names. A stage has no times of its own: the notification's stands for them.
def stage:
  . as $in | .body.resource as $r | first_of($r.stage.displayName, $r.stage.name) as $name
  | outcomes[$r.stage.result // ""] as $outcome
  | (.body.createdDate | time | need("createdDate")) as $t
  | first_of($r.pipeline.name, $r.run.pipeline.name) as $pipeline
  | if ([$name, $r.stage.name | fits($in.settings.deploy_stages)] | any | not) then empty
    elif $r.stage.state != "running" and ($r.stage.state != "completed" or $outcome == null) then empty
    else
      {kind: "deployment", service: ($pipeline | service_of | need("resource.pipeline.name")),
       id: "run-\($r.run.id | need("resource.run.id"))-\($r.stage.name | need("resource.stage.name"))" | as_id,
       environment: $name | environment_of($in.settings.environment),
       started_at: (if $r.stage.state == "running" then $t else null end),
       outcome: (if $r.stage.state == "completed" then $outcome else null end),
       finished_at: (if $r.stage.state == "completed" then $t else null end),
       url: first_of($r.stage._links.web.href, $r.run._links.web.href), at: $t,
       matches: {pipeline: $pipeline, stage: $name}}
      + ($r.run | run_source)
      | drop_nulls
    end;

# A pipeline that is a deployment as a whole. `build.complete` and the run's own notification are of the same one.
def run($id; $pipeline; $state; $result; $started; $finished; $url; $source):
  . as $in
  | outcomes[$result // ""] as $outcome
  | if ($pipeline | fits($in.settings.deploy_pipelines) | not) or $outcome == null and $state != "inProgress" then empty
    else
      ($finished | time) as $ended
      | {kind: "deployment", service: ($pipeline | service_of | need("the pipeline's name")), id: "run-\($id | need("the run's id"))",
         environment: first_of($pipeline | environment_guess, $in.settings.environment),
         started_at: $started | time, outcome: $outcome,
         finished_at: (if $outcome == null then null else $ended | need("the run's end") end),
         url: $url, at: first_of((select($outcome != null) | $ended), $started | time),
         matches: {pipeline: $pipeline}}
      + $source
      | drop_nulls
    end;

def run_event:
  .body.resource as $r
  | run($r.run.id; first_of($r.pipeline.name, $r.run.pipeline.name); $r.run.state; $r.run.result;
        $r.run.createdDate; $r.run.finishedDate; $r.run._links.web.href; $r.run | run_source);

def build:
  .body.resource as $b
  | run($b.id; $b.definition.name; "completed"; first_of($b.result, $b.status); $b.startTime; $b.finishTime;
        first_of($b._links.web.href);
        # "LG:refs/heads/main:<sha>" in older versions
        {revision: first_of($b.sourceVersion, ($b.sourceGetVersion // "" | split(":") | last | select(is_sha))),
         branch: first_of($b.sourceBranch, ($b.sourceGetVersion // "" | split(":")[1])) | branch_of});

if (.body | type) != "object" then empty
else
  .body.eventType as $type
  | if $type == "git.push" then push
    elif $type | IN("git.pullrequest.created", "git.pullrequest.updated", "git.pullrequest.merged") then pull_request
    elif $type == "ms.vss-release.deployment-completed-event" then release_deployment
    elif $type == "ms.vss-pipelines.stage-state-changed-event" then stage
    elif $type == "ms.vss-pipelines.run-state-changed-event" then run_event
    elif $type == "build.complete" then build
    else empty end
end
