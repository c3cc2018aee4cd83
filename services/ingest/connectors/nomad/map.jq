# Lines of Nomad's event stream: {"Index", "Events": [{"Topic", "Type", "Payload"}]}, {} as a heartbeat. One version of a
# job is one deployment: the job's registration says what image it runs, the deployment how it went.

def id(job; created; version): "\(job)/\(created // 0).\(version)";

def common(root; namespace; job):
  {
    kind: "deployment",
    service: (job | service_guess | need("the job's id")),
    environment: first_of(root.settings.environment, (namespace, job | environment_guess)),
    matches: {job: job, namespace: namespace}
  };

# --- JobRegistered: { Payload: { Job } } -------------------------------------------------------------------------------
# The image of the task that is named like the job, or of the first; else what the job's `meta` says.
def revision:
  (.ID | service_guess) as $service
  | [.TaskGroups[]? | .Tasks[]? | {name: .Name, image: .Config?.image?} | select((.image | type) == "string")] as $tasks
  | first_of(
      (.Meta? // {} | .revision?, .version?, .commit?),
      ($tasks[] | select((.name // "" | service_guess) == $service or (.image | image_name) == $service) | .image | image_tag),
      ($tasks[0].image? | image_tag));

def registered(root):
  .Payload.Job as $job
  | ($job.SubmitTime | time // root.received_at) as $when
  | common(root; $job.Namespace?; $job.ID) + {
      id: id($job.ID; $job.CreateIndex?; $job.Version // 0),
      partial: true,
      revision: ($job | revision),
      repository: ($job.Meta? // {} | .repository? | repo),
      started_at: $when,
      at: $when
    } | drop_nulls;

# --- DeploymentStatusUpdate and the like: { Payload: { Deployment } } ------------------------------------------------------
def deployed(root):
  .Payload.Deployment as $d
  # Nomad tells the times since 1.10; before, the arrival stands for them
  | ($d.ModifyTime? | time // root.received_at) as $when
  | (common(root; $d.Namespace?; $d.JobID) + {id: id($d.JobID; $d.JobCreateIndex?; $d.JobVersion // 0)}) as $common
  | ({successful: "succeeded", failed: "failed", cancelled: "cancelled"}[$d.Status? // ""]) as $outcome
  | if $outcome != null then $common + {outcome: $outcome, finished_at: $when, at: $when} | drop_nulls
    elif $d.Status? == "running" then
      ($d.CreateTime? | time) as $created
      | ($common + {started_at: $created, at: ($created // $when)}
         + (if $created == null then {partial: true} else {} end) | drop_nulls),
      # the first healthy canary meets users: the earliest such event counts, so its `at` is mirrored (the latest `at` wins)
      (if [$d.TaskGroups[]? | select((.DesiredCanaries? // 0) > 0 and (.HealthyAllocs? // 0) > 0)] | length > 0 then
         $common + {partial: true, exposed_at: $when, at: mirrored($created // "2020-01-01T00:00:00Z"; $when)} | drop_nulls
       else empty end)
    else empty end;

. as $root
| .body
| (if (.Events? | type) == "array" then .Events[] elif (.Topic? // "") != "" then . else empty end)
| objects
| if .Topic? == "Deployment" and (.Payload.Deployment?.JobID? // "") != "" and (.Payload.Deployment.JobID | fits($root.settings.ignore) | not)
  then deployed($root)
  elif .Type? == "JobRegistered" and (.Payload.Job?.ID? // "") != "" and .Payload.Job.Type? == "service" and .Payload.Job.Stop? != true
    and (.Payload.Job.Update?.MaxParallel? // 1) > 0 and (.Payload.Job.ID | fits($root.settings.ignore) | not)
  then registered($root)
  else empty end
