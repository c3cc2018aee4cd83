# Argo CD notifications. The template in README.md sends the whole Application; its `status.operationState` is the
# latest sync, and that is the deployment, however many notifications (one per trigger, per image) tell of it.

def app: first_of(.body.app?, (.body | objects | select(.kind? == "Application")));

def filled: if type == "array" then [.[] | select(. != null and . != "")] else [] end;

# The revisions of an operation, of its result or of an entry of the history: one, or one for each source.
def revisions: first_of(
    (.revisions? | filled | select(length > 0)),
    (.revision? | strings | select(. != "") | [.])) // [];

# The sources of the same, without those that are written as an empty one.
def sources: first_of(
    (.sources? | filled | select(length > 0)),
    (.source? | objects | select((.repoURL? // "") != "") | [.])) // [];

def synced_revisions: app | .status as $s | first_of(
    ($s.operationState.syncResult | revisions | select(length > 0)),
    ($s.operationState.operation.sync | revisions | select(length > 0)),
    ($s.sync | revisions | select(length > 0))) // [];

def synced_sources: app | first_of(
    (.status.operationState.syncResult | sources | select(length > 0)),
    (.spec | sources | select(length > 0))) // [];

# The source that the application is made of; one with a `ref` only lends its values to another.
def main_source: synced_sources as $sources | synced_revisions as $revisions
  | first_of(
      [range(0; $sources | length) | {source: $sources[.], revision: $revisions[.]}]
      | (.[] | select((.source.ref? // "") == "")), .[0]);

# What is compared of a source (a chart's path is only its name again, and not always there).
def essence: map(if .chart? then del(.path) else . end);

# Nothing new was synced: the history's entry before this sync's has the same revisions and sources. So it is when Argo CD
# heals a drift or someone presses "sync" once more.
def nothing_new:
  synced_revisions as $now
  | app
  | .status.operationState as $op
  | [.status.history[]? | objects] as $history
  | ([$history[] | select(.deployStartedAt != $op.startedAt)] | last) as $before
  | $before != null and ($now | length) > 0 and ($before | revisions) == $now
    and ($op.phase != "Succeeded" or ($op.syncResult | sources | essence) == ($before | sources | essence));

# Nothing was applied, or all of it was as it should be already.
def nothing_applied:
  app.status.operationState
  | .phase == "Succeeded" and ((.syncResult.resources? | type) == "array")
    and ([.syncResult.resources[] | select((.message? // "") | endswith(" unchanged") | not)] | length) == 0;

# A sync that touched nothing that runs changed the configuration.
def category:
  [app.status.operationState.syncResult.resources[]?
   | {runs: ((.kind? // "") as $kind
       | ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Rollout", "Job", "CronJob", "Pod", "DeploymentConfig"] | index($kind) != null),
      changed: ((.message? // "") | endswith(" unchanged") | not)}]
  | if length == 0 or any(.[]; .runs and .changed) then null else "configuration" end;

# The tag of the application's own image: the one that is named like it, or the only one. Of several tags of it (old pods
# still run) the one that is the chart's version; else it isn't clear.
def own_tag(service):
  synced_revisions as $revisions
  | [first_of(
      ([app.status.operationState.syncResult.resources[]? | .images? | arrays | .[]] | select(length > 0)),
      (app.status.summary.images? | arrays | select(length > 0)), [])[] | strings] as $images
  | first_of(
      ([$images[] | select(image_name == service)] | select(length > 0)),
      ($images | select((map(image_repository) | unique | length) == 1)), [])
  | map(image_tag) | unique
  | [.[] | strings | select(. as $t | ["latest", "main", "master", "stable", "edge", "nightly"] | index($t) | not)]
  | if length == 1 then .[0] else first_of(.[] | select(. as $t | $revisions | index($t))) end;

def source_fields: main_source | if . == null then {} else
    {revision} + (if (.revision | is_sha) and (.source.chart? // "") == "" then {repository: (.source.repoURL | repo)} else {} end) end;

# While a sync runs, and where it failed, the images are still the old ones. What is not clear is left out, so that a later
# notification has nothing to take back.
def revision_fields(service; ended):
  .settings.revision as $wanted
  | app.status.operationState.phase as $phase
  | if $wanted == "source" then source_fields
  elif ended | not then {}
  elif $phase != "Succeeded" then (if $wanted == "image" then {} else source_fields end)
  else own_tag(service) as $tag
  | if $tag != null then {revision: $tag}
    elif $wanted == "image" or (app.status.health.status? == "Degraded" and (app.status.summary.images? // [] | length) > 0) then {}
    else source_fields end end;

# How the sync stands: `at` is when that held.
def outcome:
  app.status as $s | $s.operationState as $op | $s.health as $health
  | ($health.lastTransitionTime? | time_or_null) as $turned
  | .settings as $set
  | if $op.phase == "Failed" or $op.phase == "Error" then
      ($op.finishedAt | time | need("app.status.operationState.finishedAt")) as $ended
      | {outcome: (if ($op.message? // "") | test("operation terminated"; "i") then "cancelled" else "failed" end), finished_at: $ended, at: $ended}
    elif $op.phase == "Succeeded" then
      ($op.finishedAt | time | need("app.status.operationState.finishedAt")) as $ended
      | (seconds_between($ended; $turned) // 0) as $settled
      | if $set.succeeded == "synced" or (($health.status? // "") | . == "" or . == "Healthy") then
          # healthy again much later is another story
          (if $settled > 0 and $settled <= $set.settle_seconds and $set.succeeded != "synced" then $turned else $ended end)
          | {outcome: "succeeded", finished_at: ., at: .}
        elif $health.status == "Degraded" and $settled > 0 and $settled <= $set.settle_seconds then
          # `at` is the beginning, so that a rollout once reported as healthy stays so, whichever notification comes first
          {outcome: "failed", finished_at: $turned, at: $op.startedAt}
        else {at: $op.startedAt} end
    else {at: $op.startedAt} end;

def deployment:
  app as $app
  | $app.status.operationState as $op
  | ($op.startedAt | time | need("app.status.operationState.startedAt")) as $started
  | ($app.metadata.name | need("app.metadata.name")) as $name
  | ($name | service_guess | need("app.metadata.name")) as $service
  | outcome as $outcome
  | main_source as $main
  | {
      kind: "deployment",
      service: $service,
      environment: first_of(.settings.environment,
        ($app.metadata.labels? // {} | .environment?, .env?, .["app.kubernetes.io/environment"]? | environment_guess),
        ($name, $app.spec.destination.namespace?, $app.spec.destination.name? | environment_guess)),
      id: "\($app.metadata.namespace? // "argocd")/\($name)@\($started)",
      started_at: $started,
      category: category,
      trigger: (if $op.operation.initiatedBy.automated? == true then "pipeline"
                elif ($op.operation.initiatedBy.username? // "") != "" then "manual" else null end),
      url: (first_of(.body.context.argocdUrl?) | if . == null then null else
            rtrimstr("/") + "/applications/\($app.metadata.namespace? // "argocd")/\($name)" end),
      labels: {synced: (synced_revisions | join(", "))},
      matches: {
        app: $name,
        project: $app.spec.project?,
        namespace: $app.spec.destination.namespace?,
        cluster: first_of($app.spec.destination.name?, $app.spec.destination.server?),
        repository: ($main.source.repoURL? | repo)
      }
    }
    + revision_fields($service; $outcome.outcome != null)
    + $outcome
  | drop_nulls;

if (app | type) == "object" and (app.status.operationState? | type) == "object"
   and app.metadata.deletionTimestamp? == null and app.status.operationState.operation.sync.dryRun? != true
   and (nothing_new or nothing_applied | not)
then deployment else empty end
