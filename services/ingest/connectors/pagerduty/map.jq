# PagerDuty webhooks v3: one delivery, one event of one incident, which is `event.data`.

def event: .body.event? // {} | if type == "object" then . else {} end;
def incident: event.data? // {} | if type == "object" then . else {} end;
def occurred_at: event.occurred_at | time | need("event.occurred_at");

# The *first* acknowledgement and the *first* status update count, and the event with the latest `at` wins. So each is
# an event of its own, with nothing else in it, whose `at` is its time mirrored at a fixed day: the earlier, the later.
def only_the_first($id; field):
  {kind: "incident", id: $id, partial: true, (field): occurred_at, at: mirrored("2020-01-01T00:00:00Z"; occurred_at)};

# priorities are named by the account ("P1", "SEV-2", "Critical"); without one the urgency is all there is
def severity:
  (incident.priority?.summary? // null | severity_guess)
  // (if incident.urgency == "high" then .settings.high_urgency elif incident.urgency == "low" then .settings.low_urgency else null end);

# "Checkout (staging)": only the last word is taken for an environment
def environment: incident.service?.summary? // "" | tostring | [splits("[^A-Za-z0-9]+") | select(. != "")]
  | if length > 1 then last | environment_guess else null end;

# merged into another incident, or opened by a tool that links to its own
def same_as:
  incident.id as $own
  | first_of(
      ((.source // "pagerduty") as $source | incident.resolve_reason? | select(.type? == "merge_resolve_reason")
       | .incident?.id? | strings | select(. != $own) | "\($source):\(.)"),
      (.settings.links as $links | event.client?.url? | linked_incident($links)));

def whole($id):
  {
    kind: "incident", id: $id,
    # a service that was deleted has no name
    service: (first_of(incident.service?.summary?, incident.service?.id?) | slug),
    environment: environment,
    title: (incident.title? // null | text | short(10000)),
    severity: severity,
    # not sent by older subscriptions: then only the first event knows it
    started_at: first_of((incident.created_at? // null | time), (select(event.event_type == "incident.triggered") | occurred_at)),
    resolved_at: (if event.event_type == "incident.resolved" then occurred_at else null end),
    same_as: same_as,
    url: (incident.html_url? // null | text | short(4096)),
    matches: {
      pagerduty_service: (incident.service?.summary? // null | as_id),
      pagerduty_service_id: (incident.service?.id? // null | as_id),
      pagerduty_team: (incident.teams?[0]?.summary? // null | as_id),
      escalation_policy: (incident.escalation_policy?.summary? // null | as_id),
      incident_type: (incident.incident_type?.name? // null | as_id)
    },
    at: occurred_at
  }
  | drop_nulls
  | if .service == null or .started_at == null then . + {partial: true} else . end;

# these events are about the incident itself and hold it
def is_change: . as $type | any((
  "incident.triggered", "incident.acknowledged", "incident.unacknowledged", "incident.escalated",
  "incident.delegated", "incident.reassigned", "incident.reopened", "incident.resolved", "incident.priority_updated",
  "incident.service_updated", "incident.incident_type.changed"); . == $type);

(event.event_type // "") as $type
| if $type == "incident.status_update_published" then
    (incident.incident?.id? // null | as_id | need("event.data.incident.id")) as $id | only_the_first($id; "communicated_at")
  elif ($type | is_change) then
    (incident.id | as_id | need("event.data.id")) as $id
    | (whole($id) | if $type == "incident.reopened" then . + {resolved_at: null} else . end),
      (if $type == "incident.acknowledged" then only_the_first($id; "acknowledged_at") else empty end)
  else empty end
