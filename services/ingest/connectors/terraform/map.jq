# Run notifications. One run is one deployment from the moment it is applied; a run that only plans is none.

def outcome: {applied: "succeeded", errored: "failed", canceled: "cancelled", force_canceled: "cancelled"}[. // ""];

def deployment(root):
  root.body as $run
  | . as $note
  | ($note.run_updated_at | time | need("run_updated_at")) as $when
  | ($run.workspace_name | need("body.workspace_name")) as $workspace
  | {
      kind: "deployment",
      service: ($workspace | service_guess | need("body.workspace_name")),
      environment: first_of(root.settings.environment, ($workspace | environment_guess)),
      id: $run.run_id,
      category: root.settings.category,
      trigger: (if ($run.run_message? // "") | test("^(queued|triggered) manually"; "i") then "manual" else null end),
      url: $run.run_url?,
      matches: {workspace: $workspace, organization: $run.organization_name?},
      at: $when
    }
  + (if $note.run_status == "applying" then {started_at: $when} else {outcome: ($note.run_status | outcome), finished_at: $when} end)
  | drop_nulls;

. as $root
| if (.body.run_id? // "") == "" then empty  # the verification, a workspace's health
  else .body.notifications[]? | objects
    | select(.run_status? == "applying" or (.run_status? | outcome) != null)
    | deployment($root) end
