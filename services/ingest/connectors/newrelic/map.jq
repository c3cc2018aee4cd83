# New Relic: one delivery, one state of one issue, by a workflow's default template or one with more fields. All of them
# hold the whole issue.

def list(name): [.body[name]? | if type == "array" then .[] elif . == null then empty else tostring end | strings | select(. != "")];

def priority: .body.priority? // "" | tostring | ascii_downcase;
def is_chosen: priority as $p | any(.settings.severities[] | ascii_downcase; . == "*" or . == $p);
# only templates with `entityTypes` or `conditionProducts` tell
def is_probe: any((list("entityTypes"), list("conditionProducts"))[]; test("synthetic|monitor_entity"; "i"));
def what: if .settings.as == "incident" then (if is_chosen then "incident" else null end)
  elif (is_chosen or is_probe) | not then null
  elif .settings.as == "availability" then "availability"
  else "incident" end;
# a probe's issues also tell when its target is up
def tells_availability: .settings.as == "availability" or (.settings.as == "auto" and is_probe);

def services:
  {service: (list("service") + list("services")), entity: list("impactedEntities"), condition: list("alertConditionNames"), policy: list("alertPolicyNames")} as $names
  | first_of(.settings.service_from[] | $names[.] // [] | map(slug | values) | unique | select(length > 0)) // [];

# of `service` and `services` both would count: what is not meant now is cleared
def of($services): if ($services | length) == 1 then . + {service: $services[0], services: null}
  else . + {service: null, services: $services} end;

def created_at: .body.createdAt? // null | time | need("createdAt");
def updated_at: first_of((.body.updatedAt? // null | time), created_at);
def state: .body.state? // "" | tostring | ascii_upcase;
def closed_at: if state == "CLOSED" then first_of((.body.closedAt? // null | time), updated_at) else null end;

# The default template doesn't say who did what; a user's action on an open issue is nearly always the acknowledgement.
def acknowledged_at: first_of((.body.acknowledgedAt? // null | time),
  (if state == "ACKNOWLEDGED" or (state == "ACTIVATED" and .body.trigger? == "USER_ACTION" and (.body.owner? | . == null or (. != "" and . != "N/A")))
   then updated_at else null end));

# The *first* acknowledgement counts, and the event with the latest `at` wins. So it is an event of its own, with
# nothing else in it, whose `at` is its time mirrored at a fixed day: the earlier, the later.
def first_acknowledged($id): acknowledged_at | values
  | {kind: "incident", id: $id, partial: true, acknowledged_at: ., at: mirrored("2020-01-01T00:00:00Z"; .)};

def matches:
  def one(name): list(name) | join(",") | as_id;
  {entity: one("impactedEntities"), condition: one("alertConditionNames"), policy: one("alertPolicyNames"),
   workflow: one("workflowName"), account: one("accountId")};

def environment: first_of(list("environment")[]);

# Since when what an issue is about is down, and since when it is up again: it stays so until there is another issue. That
# has another id, so it is known by what it is about.
def notices($services):
  .settings as $settings | matches as $matches
  | $services[] as $service
  | {
      id: ([first_of($matches.condition, $matches.policy), $service] | map(values) | join("/") | as_id),
      service: $service,
      environment: environment,
      severity: (priority | severity_guess),
      matches: ($matches + {entity: (first_of(list("impactedEntities")[] | select(slug == $service)) | as_id)})
    } as $about
  | ($about + {since: created_at, up: false, title: (.body.title? | if type == "array" then .[0] else . end | text | short(10000))}),
    (if closed_at == null then empty else $about + {since: closed_at, up: true} end)
  | check_notice({as: "availability", shortest: $settings.shortest}; null);

def issue:
  (.body.id | as_id | need("id")) as $id
  | services as $services
  | what as $what
  | (closed_at != null and seconds_between(created_at; closed_at) < .settings.shortest) as $is_flapping
  | if $what == null then empty
    elif ($services | length) == 0 then error("impactedEntities is missing")
    else
    (if tells_availability then notices($services) else empty end),
    (if $what == "availability" then empty
    elif $is_flapping then {kind: "incident", id: $id, deleted: true, at: closed_at}
    else
      ({
        kind: "incident", id: $id,
        environment: environment,
        title: (.body.title? | if type == "array" then .[0] else . end | text | short(10000)),
        severity: (priority | severity_guess),
        started_at: created_at,
        resolved_at: closed_at,
        url: (.body.issueUrl? // null | text | short(4096)),
        matches: matches,
        at: updated_at
      } | drop_nulls | of($services)),
      first_acknowledged($id)
    end) end;

if .body.issueUrl? == null and .body.createdAt? == null then empty
elif state | IN("CREATED", "ACTIVATED", "ACKNOWLEDGED", "CLOSED") then issue
else empty end
