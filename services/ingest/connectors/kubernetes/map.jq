# kubewatch sends, as a CloudEvent, an object as it is (`obj`) and as it was (`oldObj`), for every update: of a rollout
# the change of the image first, then its progress. Only a changed image is a deployment.

def images: [(.spec.template.spec.initContainers[]?, .spec.template.spec.containers[]?) | {name: .name, image: .image}];

# The image of the container that is named like the service, else of the first whose image changed, else of the first.
def own_image(service; old):
  [.spec.template.spec.containers[]? | {name: .name, image: .image}] as $containers
  | first_of(
      ($containers[] | select((.name? // "" | service_guess) == service or (.image | image_name) == service) | .image),
      ($containers[] | select(. as $c | old | index($c) | not) | .image),
      $containers[0].image);

# Deployments number their rollouts. The controller writes the number a moment after the change, so one that it has not
# yet seen is the next. The others have only the number of their specification.
def rollout_number(kind):
  if kind == "Deployment" then
    (.metadata.annotations["deployment.kubernetes.io/revision"]? // "0" | tonumber) as $n
    | if $n == 0 or ((.status.observedGeneration? // 0) < (.metadata.generation? // 1)) then $n + 1 else $n end
  else "g\(.metadata.generation? // 0)" end;

def progressing: first_of(.status.conditions[]? | select(.type? == "Progressing")) // {};

def seen: (.status.observedGeneration? // 0) >= (.metadata.generation? // 1);

# Whether the rollout ended between the two: pods that come and go later (a scaled workload) do not count again. A DaemonSet
# tells nothing that a joining node wouldn't change as well.
def ended(kind; old):
  if kind == "Deployment" then
    seen and (progressing | .status? == "True" and .reason? == "NewReplicaSetAvailable")
    and (old | progressing | .reason? != "NewReplicaSetAvailable")
  elif kind == "StatefulSet" then
    seen and .status.updateRevision? != null and .status.currentRevision? == .status.updateRevision
    and (old | .status.currentRevision? != .status.updateRevision?)
  else false end;

# `kubectl rollout restart` only writes a time into the template: a restart that is newer than the last change of an image.
def restarted:
  (.spec.template.metadata.annotations["kubectl.kubernetes.io/restartedAt"]? | time_or_null) as $restart
  | ([.metadata.managedFields[]? | select(.fieldsV1 | tojson | test("\"f:image\"")) | .time] | latest(.[] | time_or_null)) as $image
  | $restart != null and $image != null and (seconds_between($image; $restart) > 0);

def deployment(root; old):
  root.body.data as $data
  | . as $obj
  | (.metadata.name | need("body.data.obj.metadata.name")) as $name
  | ($name | service_guess | need("body.data.obj.metadata.name")) as $service
  | own_image($service; old) as $image
  | {
      kind: "deployment",
      service: $service,
      environment: first_of(root.settings.environment,
        (.metadata.labels? // {} | .environment?, .env?, .["app.kubernetes.io/environment"]? | environment_guess),
        (.metadata.namespace?, .metadata.name | environment_guess)),
      id: "\(.metadata.uid // "\(.metadata.namespace)/\(.metadata.name)")/\(rollout_number($data.kind))",
      revision: (if $image == null then null else ($image | image_tag) // "latest" end),
      labels: {images: ([images[] | .image] | unique | join(", ") | short(1000))},
      matches: {
        namespace: .metadata.namespace?,
        workload: $name,
        app: first_of(.metadata.labels? // {} | .["app.kubernetes.io/name"]?, .app?),
        image: ($image | image_repository)
      }
    };

def begun(root; old; when): deployment(root; old) + {started_at: when, at: when}
  + (if root.settings.succeeded == "update" or root.body.data.kind == "DaemonSet" then {outcome: "succeeded", finished_at: when} else {} end);

def update(root):
  .data as $data | $data.obj as $obj | $data.oldObj as $old
  | (.time | time | need("body.time")) as $when
  | ($old | images) as $before
  | if ($obj | images) != $before then $obj | begun(root; $before; $when) | drop_nulls
    elif root.settings.succeeded == "update" or ($obj | restarted) then empty
    elif $obj | ended($data.kind; $old) then
      # the condition says when, to the second
      ($obj | first_of(progressing.lastUpdateTime?, $when) | time) as $ended
      | ($obj | deployment(root; $before)) + {outcome: "succeeded", finished_at: $ended, at: $ended} | drop_nulls
    elif ($obj | progressing | .reason? == "ProgressDeadlineExceeded") and ($old | progressing | .reason? != "ProgressDeadlineExceeded") then
      ($obj | first_of(progressing.lastUpdateTime?, $when) | time) as $ended
      | ($obj | deployment(root; $before)) + {outcome: "failed", finished_at: $ended, at: $ended} | drop_nulls
    else empty end;

def create(root):
  (.time | time | need("body.time")) as $when | .data.obj | begun(root; []; $when) | drop_nulls;

. as $root
| .body
| if (.data? | type) != "object" or (.data.obj? | type) != "object" then empty
  elif (.data.kind? // "") as $kind | ["Deployment", "StatefulSet", "DaemonSet"] | index($kind) == null then empty
  elif .data.obj.metadata.namespace? | fits($root.settings.ignore_namespaces) then empty
  elif .data.operation? == "update" and (.data.oldObj? | type) == "object" then update($root)
  elif .data.operation? == "create" then create($root)
  else empty end
