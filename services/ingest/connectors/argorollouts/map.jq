# Argo Rollouts notifications, by the templates in README.md: {"event", "timestamp", "rollout": the whole Rollout}.
# The event counts more than the Rollout's status, which may be as it was just before. One revision of a Rollout is one
# deployment.

def condition(type): first_of(.status.conditions[]? | select(.type? == type)) // {};

# The weight that users got already: what the traffic router has, or the steps that are behind.
def weight: .body.rollout
  | [ .status.canary.weights.canary.weight?,
      ((.spec.strategy.canary.steps? // [])[0:(.status.currentStepIndex? // 0)][]? | .setWeight?) ]
  | map(numbers) | max // 0;

def canary: (.body.rollout.spec.strategy.canary? | type) == "object";

def deployment:
  .body.rollout as $r
  | ($r.metadata.name | need("body.rollout.metadata.name")) as $name
  | ($name | service_guess | need("body.rollout.metadata.name")) as $service
  | ($r.metadata.annotations["rollout.argoproj.io/revision"]? // ($r.metadata.generation? | if . == null then null else "g\(.)" end)
     | need("the annotation rollout.argoproj.io/revision")) as $revision
  | ([$r.spec.template.spec.containers[]? | {name: .name, image: .image}]) as $containers
  | {
      kind: "deployment",
      service: $service,
      environment: first_of(.settings.environment,
        ($r.metadata.labels? // {} | .environment?, .env?, .["app.kubernetes.io/environment"]? | environment_guess),
        ($r.metadata.namespace?, $name | environment_guess)),
      id: "\($r.metadata.uid // "\($r.metadata.namespace? // "default")/\($name)")/\($revision)",
      revision: (first_of(($containers[] | select((.name? // "" | service_guess) == $service or (.image | image_name) == $service) | .image), $containers[0].image?)
        | image_tag),
      matches: {
        rollout: $name,
        namespace: $r.metadata.namespace?,
        app: first_of($r.metadata.labels? // {} | .["app.kubernetes.io/name"]?, .app?),
        image: ($containers[0].image? | image_repository)
      }
    };

def aborted: .event == "aborted" or .rollout.status.abort? == true;

# When the first users met it: of several notifications the earliest counts, therefore its `at` is mirrored at the
# Rollout's creation (the event with the latest `at` wins).
def exposed(when): {partial: true, exposed_at: when, at: (mirrored(.body.rollout.metadata.creationTimestamp // when; when))};

def events:
  .body as $b
  | $b.rollout.status as $s
  | ($b.timestamp? | time) as $now
  | (.body.rollout | condition("Progressing").lastUpdateTime? | time) as $progress
  | first_of($now, $progress) as $when
  | ($when | need("body.timestamp")) as $when
  | deployment as $d
  | if $b | aborted then
      # a status of before has no time of its own
      first_of(($s.abortedAt? | time), $when) as $ended
      | $d + {outcome: "failed", finished_at: $ended, at: $ended}
    elif $b.event == "completed" or ($b.event? // "" | . == "" and $s.phase? == "Healthy") then
      (if $b.event == "completed" then $when
       else first_of(($b.rollout | first_of(condition("Healthy"), condition("Completed")).lastTransitionTime? | time), $when) end) as $ended
      | $d + {outcome: "succeeded", finished_at: $ended, at: $ended}
    elif $b.event == "degraded" or ($b.event? // "" | . == "" and $s.phase? == "Degraded") then
      $d + {outcome: "failed", finished_at: $when, at: $when}
    elif $b.event == "started" then
      $d + {started_at: $when, at: $when}
    elif $b.event == "step" or $b.event == "paused" or ($b.event? // "") == "" then
      # paused before any weight was set, nobody has met it
      if canary and weight > 0 then
        first_of(($s.pauseConditions[]? | select(.reason? == "CanaryPauseStep") | .startTime | time), $when) as $seen
        | $d + exposed($seen)
      else $d + {partial: true, at: $when} end
    else empty end
  | drop_nulls;

if (.body.rollout? | type) == "object" and .body.rollout.metadata.deletionTimestamp? == null then events else empty end
