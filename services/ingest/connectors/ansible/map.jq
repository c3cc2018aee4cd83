# Notifications of AWX (Ansible Tower, Automation Platform) of jobs and workflow jobs; a playbook can send the same.

# The extra variables come as JSON in a string.
def variables: .body.extra_vars?
  | if type == "string" then ([try fromjson catch {}] | .[0]) else . end
  | if type == "object" then with_entries(.key |= ascii_downcase) else {} end;

def variable(names): variables as $v
  | [names[] | $v[ascii_downcase] | strings, numbers | tostring | select(. != "")] | .[0];

def outcome: {successful: "succeeded", failed: "failed", error: "failed", canceled: "cancelled"}[. // ""];

# Whether any host was changed. A job that says nothing of hosts may have changed them.
def changed: .body.hosts? | if type != "object" or length == 0 then true else any(.[]; (.changed? // 0) > 0) end;

def deployment:
  .body as $b
  | ($b.started? | time) as $started
  | ($b.finished? | time) as $finished
  | ($b.status | outcome) as $outcome
  | ($b.name | need("body.name")) as $name
  | {
      kind: "deployment",
      service: (first_of(variable(.settings.service_variables), ($name | service_of_job), ($b.project? | slug)) | service_guess | need("body.name")),
      environment: first_of(.settings.environment,
        (variable(.settings.environment_variables) | if . == null then null else environment_guess // ascii_downcase end),
        ($b.inventory?, $b.limit?, $name | environment_guess)),
      id: ($b.id | need("body.id") | tostring),
      revision: (variable(.settings.revision_variables) | as_id),
      repository: (variable(.settings.repository_variables) | repo),
      started_at: $started,
      url: $b.url?,
      labels: {playbook: $b.playbook?},
      matches: {
        template: $name,
        project: $b.project?,
        playbook: $b.playbook?,
        inventory: $b.inventory?
      }
    }
  + (if $outcome == null then {at: ($started | need("body.started"))}
     else first_of($finished, $started) | need("body.finished") | {outcome: $outcome, finished_at: ., at: .} end)
  | drop_nulls;

. as $root
| if (.body.name? // "") == "" or (.body.status? | outcome) == null and .body.status? != "running" then empty
  # updates of projects and inventories are notified in the same form
  elif (.body.friendly_name? // "Job") as $f | ["Job", "Workflow Job"] | index($f) == null then empty
  elif [(.body.name, .body.playbook?) | fits($root.settings.templates)] | any | not then empty
  elif $root.settings.unchanged == false and .body.status == "successful" and (changed | not) then empty
  else deployment end
