# incident.io: the body names its type, and holds what it is about under that very name. Every delivery about a public
# incident holds the whole incident; one about a private incident holds its id only, of which nothing can be made.

def about: .body as $body | $body[$body.event_type? // "" | tostring]? // {} | if type == "object" then . else {} end;
def incident: about | if (.incident? | type) == "object" then .incident else . end;

def lower: text // "" | ascii_downcase | gsub("^\\s+|\\s+$"; "");
def status: incident.incident_status?.category? // "live" | lower;
def is_over: IN("learning", "closed", "post-incident", "post_incident");

def updated_at: first_of((incident.updated_at? // null | time), (incident.created_at? // null | time)) | need("updated_at");

# "Impact started at" and "Impact started" are the same
def timestamp(names): incident as $i
  | first_of(names[] | lower as $name | $i.incident_timestamp_values?[]? | objects
      | select((.incident_timestamp?.name? // "" | lower | sub(" at$"; "")) == ($name | sub(" at$"; "")))
      | .value? | if type == "object" then .value else . end | time);

def field(names): incident as $i
  | [ names[] | lower as $name | $i.custom_field_entries?[]? | objects
      | select((.custom_field?.name? // "" | lower) == $name)
      | .values?[]? | objects
      | first_of(.value_catalog_entry?.name?, .value_option?.value?, .value_text?) | strings | select(. != "") ];

def services: .settings.service_fields as $names | field($names) | map(slug | values) | unique;

# the linked issue of a tracker, or an alert that is named by a link
def same_as: .settings.links as $links | incident.external_issue_reference?
  | first_of(.issue_permalink? | linked_incident($links));

def is_reopened: (about.previous_status?.category? // "" | lower | is_over) and (about.new_status?.category? // "" | lower | . == "live");
def is_just_over: (about.new_status?.category? // "" | lower | is_over) and (about.previous_status?.category? // "" | lower | is_over | not);

def whole:
  .settings as $s | services as $services
  | timestamp($s.started) as $impact
  | {
      kind: "incident", id: (incident.id? // null | as_id | need("the incident's id")),
      environment: (field($s.environment_fields)[0] | as_id),
      title: (incident.name? // null | text | short(10000)),
      severity: (incident.severity?.name? // null | severity_guess),
      # when it was reported says when it began only where nothing better is known, and then not when it was noticed
      started_at: first_of($impact, timestamp($s.detected), (incident.created_at? // null | time)),
      detected_at: (if $impact == null then null else first_of(timestamp($s.detected), (incident.created_at? // null | time)) end),
      acknowledged_at: timestamp($s.acknowledged),
      mitigated_at: (if is_reopened then null else timestamp($s.mitigated) end),
      resolved_at: (if status | is_over then first_of(timestamp($s.resolved), (if is_just_over then updated_at else null end)) else null end),
      same_as: same_as,
      url: (incident.permalink? // null | text | short(4096)),
      labels: {reference: (incident.reference? // null | as_id)},
      matches: {
        incident_type: (incident.incident_type?.name? // null | as_id),
        service: ($services | join(",") | as_id),
        reference: (incident.reference? // null | as_id)
      },
      at: updated_at
    }
  | drop_nulls
  # of `service` and `services` both would count: what is not meant now is cleared
  | if ($services | length) == 1 then . + {service: $services[0], services: null}
    elif ($services | length) > 1 then . + {service: null, services: $services}
    # nobody has said which service: until somebody does, or a [[service]] matches it, it is listed as incomplete
    else . + {partial: true} end;

(.body.event_type? // "" | tostring) as $type
| if ($type | IN("public_incident.incident_created_v2", "public_incident.incident_updated_v2", "public_incident.incident_status_updated_v2")) | not then empty
  # rehearsals, and the work streams within an incident
  elif incident.mode? | IN("test", "tutorial", "stream") then empty
  elif status | IN("declined", "canceled", "cancelled", "merged") then
    # it was none, or is part of another one
    {kind: "incident", id: (incident.id? // null | as_id | need("the incident's id")), deleted: true, at: updated_at}
  elif status == "triage" and (.settings.triage | not) then empty
  elif is_reopened then {mitigated_at: null, resolved_at: null} + whole
  else whole end
