# Subscriptions send one event each: {"Timestamp", "EventType", "Payload": {"ServerUri", "Event"}}. The event names its
# documents by id, and where in its message their names stand.

def event: .body.Payload?.Event? // {};

# The name, in the message, of the document whose id begins like this.
def named(prefix): event as $e
  | first_of($e.MessageReferences[]? | objects | select((.ReferencedDocumentId? // "") | startswith(prefix + "-"))
      | . as $r | $e.Message | strings | .[$r.StartIndex // 0:(($r.StartIndex // 0) + ($r.Length // 0))]);

def document(prefix): first_of(event.RelatedDocumentIds[]? | strings | select(startswith(prefix + "-")));

# "Deploy to Prod (#3) started  for Shop release 1.4.0 to Prod", where the references are missing.
def words: event.Message? // "" | tostring
  | first_of(capture("(succeeded|failed|started|canceled|cancelled)\\s+for (?<project>.+) release (?<release>\\S+) to (?<environment>.+?)( for .+)?$")) // {};

def deployment:
  event as $e
  | words as $words
  | first_of(named("Projects"), $words.project) as $project
  | first_of(named("Environments"), $words.environment) as $environment
  | (document("Deployments") | need("the deployment in body.Payload.Event.RelatedDocumentIds")) as $deployment
  | ($e.Occurred | time | need("body.Payload.Event.Occurred")) as $when
  | {
      kind: "deployment",
      service: ($project | service_guess | need("the project in body.Payload.Event.MessageReferences")),
      environment: first_of(.settings.environment,
        (if $environment == null then null else ($environment | environment_guess) // ($environment | ascii_downcase) end)),
      id: (if ($e.SpaceId? // "") != "" then "\($e.SpaceId)/\($deployment)" else $deployment end),
      revision: (first_of(named("Releases"), $words.release) | as_id),
      url: (first_of(.body.Payload.ServerUri?) | if . == null then null else
        rtrimstr("/") + "/app#/" + (if ($e.SpaceId? // "") != "" then $e.SpaceId + "/" else "" end) + "deployments/" + $deployment end),
      matches: {
        project: $project,
        project_id: document("Projects"),
        tenant: named("Tenants"),
        space: $e.SpaceId?
      },
      at: $when
    }
  + ({DeploymentStarted: {started_at: $when},
      DeploymentSucceeded: {outcome: "succeeded", finished_at: $when},
      DeploymentFailed: {outcome: "failed", finished_at: $when},
      TaskCanceled: {outcome: "cancelled", finished_at: $when}}[$e.Category])
  | drop_nulls;

if (event.Category? as $c | ["DeploymentStarted", "DeploymentSucceeded", "DeploymentFailed"] | index($c)) != null then deployment
# any task can be cancelled; of a deployment's, only one that names its project and environment can be told
elif event.Category? == "TaskCanceled" and document("Deployments") != null
  and first_of(named("Projects"), words.project) != null and first_of(named("Environments"), words.environment) != null then deployment
else empty end
