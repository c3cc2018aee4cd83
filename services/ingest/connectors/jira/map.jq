# Jira: one delivery a change of an issue, with the whole issue in it; issues that are no incidents are ignored.
# Also taken: what an automation rule sends as "Issue data (Jira format)", which doesn't name the event.

def issue: .body.issue;
def fields: issue.fields;
def type_name: first_of(fields.issuetype | objects | .name);
def project_key: first_of(fields.project | objects | .key);
# "new", "indeterminate" (in progress) or "done"
def status_category: first_of(fields.status | objects | .statusCategory | objects | .key);
def labels: [fields.labels | arrays[] | strings];
# What this delivery changed, with the values before and after as text.
def changes: [.body.changelog | objects | .items | arrays[] | objects];

# --- Is it an incident, and was it one before this change? ---

def incident_like($type; $labels):
  .settings as $settings
  | ($type | fits($settings.incident_types)) or any($labels[]; fits($settings.incident_labels));

def in_projects: (.settings.projects // []) as $projects
  | ($projects | length) == 0 or (project_key | fits($projects));

def is_incident: in_projects and incident_like(type_name; labels);

# The labels are one text in a change, parted by spaces.
def was_incident:
  changes as $changes
  | in_projects and incident_like(
      (first($changes[] | select(.field == "issuetype") | {was: .fromString}) // {was: type_name} | .was);
      (first($changes[] | select(.field == "labels") | {was: [.fromString | strings | splits(" +")]}) // {was: labels} | .was));

# --- What the issue says ---

# A custom field's values as text, however they are wrapped: text, a choice ({value}), a component or user ({name}), a list of those.
def texts:
  if type == "array" then .[] | texts
  elif type == "object" then first_of(.value, .name, .label, .id) | texts
  elif . == null or type == "boolean" then empty
  else tostring | select(test("^\\s*$") | not) end;
def field($name): if ($name // "") == "" then null else fields[$name] end;
def field_time($name): first_of(field($name) | time_or_null);

def id: first_of(issue.key) | as_id | need("issue.key");
def created_at: first_of(fields.created | time) | need("issue.fields.created");
def updated_at: first_of((fields.updated | time), (.body.timestamp | time)) | need("issue.fields.updated");

# What follows this prefix in a label.
def labelled($prefix): if ($prefix // "") == "" then empty else labels[] | select(startswith($prefix)) | ltrimstr($prefix) | select(. != "") end;

# The names of the services: the first of these places that has any. The project is the last resort.
def service_names:
  first(
    ([field(.settings.service_field) | texts],
     [labelled(.settings.service_label)],
     [fields.components | arrays[] | objects | .name | strings],
     [first_of(fields.project | objects | .name, .key)])
    | map(select(slug != null)) | select(length > 0))
  // [];

# One service gets a field of its own, several a list.
def services:
  [service_names[] | slug] | unique
  | if length == 0 then {} elif length == 1 then {service: .[0]} else {services: .} end;

def severity:
  first_of(([field(.settings.severity_field) | texts][] | severity_guess), (first_of(fields.priority | objects | .name) | severity_guess));

# In the status category "done", by a resolution or without one.
def is_resolved: fields.resolutiondate != null and fields.resolutiondate != "" or status_category == "done";
def resolved_at:
  if is_resolved then first_of((fields.resolutiondate | time), (fields.statuscategorychangedate | time), updated_at) else null end;

# Of another tool: "pagerduty:Q123" in a label, or a link to it in the description.
def same_as:
  .settings.links as $links
  | first_of(
      (labelled(.settings.same_as_label) | select(test("^[^:]+:.+"))),
      (fields.description | text | linked_incident($links)));

def url: first_of(issue.self) as $self
  | if $self == null then null else "\($self | tostring | sub("/rest/.*$"; ""))/browse/\(id)" end;

# --- The events ---

def incident:
  field_time(.settings.started_field) as $started
  | {
      kind: "incident",
      id: id,
      environment: first_of(fields.environment | strings | environment_guess),
      title: first_of(fields.summary | strings | short(10000)),
      severity: severity,
      started_at: ($started // created_at),
      # without a start of its own, nothing is known about the time between the start and the ticket
      detected_at: first_of(field_time(.settings.detected_field), (if $started == null then empty else created_at end)),
      mitigated_at: field_time(.settings.mitigated_field),
      resolved_at: resolved_at,
      same_as: same_as,
      url: url,
      matches: {
        project: (project_key | as_id),
        issue_type: (type_name | as_id),
        service: (service_names | if length == 1 then .[0] else null end | as_id),
        labels: (labels | join(" ") | as_id)
      },
      at: updated_at
    }
  + services
  | drop_nulls;

# Perhaps reopened: the status or the resolution changed, and it is not resolved now. (What the status before meant isn't said;
# clearing what was empty changes nothing.)
def reopened: (is_resolved | not) and any(changes[]; .field == "status" or .field == "resolution");

# Somebody takes it up when its status first becomes one "in progress". Only the first time counts, whatever arrives
# when: mirrored at the creation, the earliest change has the latest `at` (and all of them an earlier one than the incident's own).
def taken_up:
  if status_category == "indeterminate" and any(changes[]; .field == "status") then
    {kind: "incident", id: id, partial: true, acknowledged_at: updated_at, at: mirrored(created_at; updated_at)}
  else empty end;

# Moved to another project, it has another key and is another incident for Vigie: the old one goes.
def moved: changes[] | select(.field == "Key") | .fromString | as_id | values;

def deleted($id): {kind: "incident", id: $id, deleted: true, at: first_of((.body.timestamp | time), updated_at)};

if (.body | type) != "object" or (.body.issue | type) != "object" or (.body.issue.fields | type) != "object" then empty
# Comments and worklogs hold a part of the issue only.
elif first_of(.body.webhookEvent) as $event | $event != null and ($event | tostring | test("^jira:issue_(created|updated|deleted)$") | not) then empty
elif .body.webhookEvent == "jira:issue_deleted" then
  if is_incident then deleted(id) else empty end
elif is_incident then
  incident as $incident
  | (if reopened then $incident + {resolved_at: null} else $incident end),
    taken_up,
    (moved as $old | deleted($old))
elif was_incident then deleted(id)
else empty end
