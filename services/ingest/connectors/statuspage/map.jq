# Statuspage: a delivery holds a whole incident with all its updates, or one component with the change of its state.
# Planned maintenance is an incident with `scheduled_for`.

def objects_of: if type == "array" then .[] | objects else empty end;
def page: .body.page?.id? // null | as_id;

# --- Incidents ----------------------------------------------------------------------------------------

def incident: .body.incident;
def updates: incident.incident_updates? | objects_of;
# groups are only headings of the page
def components: [incident.components? | objects_of | select(.group? != true)];
def services: .settings.service as $default
  | ([components[].name? // null | slug | values] | unique)
  | if length == 0 then [$default | slug | values] else . end;
def matches: {page: page, component: ([components[].name? | strings] | join(",") | as_id), component_id: ([components[].id? | strings] | join(",") | as_id)};

def status: incident.status? // "" | tostring | ascii_downcase;
def updated_at: first_of((incident.updated_at? // null | time), (incident.created_at? // null | time)) | need("incident.updated_at");

# it was thought to be over, and isn't
def is_reopened: (status | IN("investigating", "identified")) and any(updates; .status? | IN("monitoring", "resolved", "postmortem"));

def severity: incident.impact? | if . == "none" then "info" else severity_guess end;

def outage:
  services as $services | is_reopened as $is_reopened
  | {
      kind: "incident", id: (incident.id | as_id | need("incident.id")),
      title: (incident.name? // null | text | short(10000)),
      severity: severity,
      started_at: (first_of((incident.started_at? // null | time), (incident.created_at? // null | time)) | need("incident.created_at")),
      # the first update that subscribers were told of
      communicated_at: earliest(updates | select(.deliver_notifications? != false) | first_of(.display_at?, .created_at?)),
      mitigated_at: (if .settings.monitoring_is_mitigated and (status | IN("monitoring", "resolved", "postmortem")) then incident.monitoring_at? // null | time else null end),
      resolved_at: (if status | IN("resolved", "postmortem") then incident.resolved_at? // null | time else null end),
      url: (first_of(incident.shortlink? // null | text) | short(4096)),
      matches: matches,
      at: updated_at
    }
  | drop_nulls
  | if $is_reopened then . + {mitigated_at: null, resolved_at: null} else . end
  # of `service` and `services` both would count: what is not meant now is cleared
  | if ($services | length) == 1 then . + {service: $services[0], services: null}
    elif ($services | length) > 1 then . + {service: null, services: $services}
    # no component is named: until one is, or a [[service]] matches it, it is listed as incomplete
    else . + {partial: true} end;

def maintenance:
  . as $in | (incident.scheduled_for | time) as $from
  # it may be done early
  | earlier(incident.scheduled_until; (if status == "completed" then incident.resolved_at? else null end)) as $to
  | if $to == null or seconds_between($from; $to) <= 0 then empty
    else
      (components | if length == 0 then [{name: $in.settings.service}] else . end)[]
      | . as $component | (.name? // null | slug | values) as $service
      | $in | {kind: "maintenance", service: $service, from: $from, to: $to,
               reason: (incident.name? // null | text | short(10000)),
               matches: {page: page, component: ($component.name? // null | as_id), component_id: ($component.id? // null | as_id)},
               at: updated_at} | drop_nulls
    end;

# --- Components ---------------------------------------------------------------------------------------

# A notice that a component is well again doesn't say since when it wasn't, and names no outage: neither downtime nor an
# incident can be made of it. The page's incidents tell of those; this is kept as a note.
def component_note:
  .body.component_update as $update
  | .body.component as $component
  | def words: tostring | gsub("_"; " ");
    {
      kind: "note", id: "component/\($update.id | as_id | need("component_update.id"))",
      service: (first_of($component.name?, $update.component_id?) | slug | need("component.name")),
      from: (first_of(($update.created_at? // null | time), ($component.updated_at? // null | time)) | need("component_update.created_at")),
      text: "\($component.name? // "Component"): \($update.old_status? // "unknown" | words) → \($update.new_status? // "unknown" | words)",
      at: (first_of(($update.created_at? // null | time), ($component.updated_at? // null | time)))
    };

if (.body.incident? | type) == "object" then
  if (incident.scheduled_for? // null | time) != null then maintenance else outage end
elif (.body.component_update? | type) == "object" then
  if .settings.notes then component_note else empty end
else empty end
