# CircleCI's outbound webhooks: `workflow-completed` and `job-completed`. Projects on GitHub's and Bitbucket's older
# integration have `pipeline.vcs`; those on the newer ones have `pipeline.trigger_parameters` instead.

def pipeline: .body.pipeline? // {};
def git: pipeline.trigger_parameters?.git? // {};

def repository: first_of(
  (pipeline.vcs.target_repository_url? | repo),
  (pipeline.vcs.origin_repository_url? | repo),
  (git.checkout_url? | repo),
  (pipeline.trigger_parameters?.gitlab?.repo_url? | repo),
  (pipeline.trigger_parameters?.github_app?.repo_url? | repo),
  # gh/acme/shop; the slugs of other projects are made of ids
  (.body.project.slug? | strings | select(test("^(gh|bb|github|bitbucket)/")) | sub("^[a-z]+/"; "") | repo));

def revision: first_of(pipeline.vcs.revision?, git.checkout_sha?, pipeline.trigger_parameters?.gitlab?.commit_sha?);

def branch: first_of(pipeline.vcs.branch?, git.branch?, pipeline.trigger_parameters?.gitlab?.branch?);

# When the commit was written, for sites that send no commits.
def authored_at: first_of(pipeline.vcs.commit?.authored_at?, pipeline.trigger_parameters?.gitlab?.commit_timestamp?) | time_or_null;

def outcome: if . == "success" then "succeeded"
  elif . == "failed" or . == "error" or . == "timedout" or . == "infrastructure_fail" then "failed"
  elif . == "canceled" then "cancelled"
  else null end;

def deployment(run; what; id):
  (.body.happened_at? | time) as $happened
  | (run.stopped_at? | time) as $stopped
  | first_of($stopped, $happened) as $ended
  | ($ended | need("body.\(what).stopped_at")) as $ended
  | repository as $repository
  | (first_of(($repository | repo_name), .body.project.name?) | service_guess | need("body.project.name")) as $service
  | {
      kind: "deployment",
      service: $service,
      environment: first_of(.settings.environment, (.body.job.name?, .body.workflow.name? | environment_guess)),
      id: id,
      revision: revision,
      repository: $repository,
      branch: branch,
      started_at: first_of((run.started_at? | time), (run.created_at? | time)),
      finished_at: $ended,
      outcome: (run.status | outcome),
      commits: (if (revision | is_sha) and authored_at != null then [{sha: revision, authored_at: authored_at}] else null end),
      trigger: ((pipeline.trigger.type? // "") | if . == "scheduled_pipeline" or . == "schedule" then "schedule" elif . == "" then null else "pipeline" end),
      url: .body.workflow.url?,
      matches: {
        project: .body.project.name?,
        repository: $repository,
        workflow: .body.workflow.name?,
        job: .body.job.name?,
        branch: branch
      },
      at: $ended
    } | drop_nulls;

. as $root
| select((.body | type) == "object")
| (.body.workflow.name? | fits($root.settings.workflows)) as $whole
| if .body.type? == "workflow-completed" and $whole and (.body.workflow.status? | outcome) != null then
    deployment(.body.workflow; "workflow"; (.body.workflow.id | need("body.workflow.id")))
  # a job of a workflow that counts as a whole is a part of it
  elif .body.type? == "job-completed" and ($whole | not) and (.body.job.name? | fits($root.settings.jobs)) and (.body.job.status? | outcome) != null then
    deployment(.body.job; "job"; (.body.job.id | need("body.job.id")))
  else empty end
