# Opsgenie: one delivery, one action on one alert. Only "Create" holds everything (the details among it), so that what
# comes later is partial, and takes nothing from fields that it may lack.

def alert: .body.alert? // {} | if type == "object" then . else {} end;
def action: .body.action? // "" | tostring | ascii_downcase;

# nanoseconds; milliseconds from some versions
def updated_at: first_of((alert.updatedAt | if type == "number" and . > 1e17 then . / 1000000 | round else . end | time),
  (alert.insertedAt | if type == "number" and . > 1e17 then . / 1000000 | round else . end | time),
  (alert.createdAt | time)) | need("alert.updatedAt");

# 3 or "P3"
def priority: alert.priority? | if . == null or . == "" then null else tostring | ascii_upcase | if test("^[1-5]$") then "P" + . else . end end;
def is_chosen: priority as $p | $p == null or any(.settings.priorities[]; ascii_upcase == $p);

def tag(name): (name | ascii_downcase + ":") as $start
  | first_of(alert.tags? | if type == "array" then .[] | strings | select(ascii_downcase | startswith($start)) | .[($start | length):] else empty end);
def details: alert.details? // {} | if type == "object" then . else {} end;
def detail(name): (name | ascii_downcase) as $name
  | first_of(details | to_entries[] | select(.key | ascii_downcase == $name) | .value | strings);
def team: first_of(alert.responders?[]? | objects | select(.type? == "team") | .name? | strings);

# tags and entity are in every delivery
def lasting_service: .settings.service_tag as $tag | first_of(tag($tag), alert.entity?) | slug;
def any_service: .settings.service_tag as $tag
  | lasting_service // (first_of(detail($tag), team, .body.integrationName?) | slug);

def same_as: .settings.links as $links | first_of(
  detail("same_as"),
  ((details | to_entries[] | .value | strings), alert.description?) | strings | linked_incident($links));

def whole:
  {
    kind: "incident",
    id: (alert.alertId | as_id | need("alert.alertId")),
    service: lasting_service,
    environment: (.settings.environment_tag as $tag | tag($tag)),
    title: (alert.message? // null | text | short(10000)),
    severity: (priority | severity_guess),
    started_at: (alert.createdAt? // null | time),
    matches: {
      entity: (alert.entity? // null | as_id),
      tags: ([alert.tags? | arrays | .[] | strings] | join(",") | as_id),
      team: (team | as_id),
      integration: (.body.integrationName? // null | as_id)
    },
    at: updated_at
  };

def created:
  whole + {
    service: any_service,
    environment: (.settings.environment_tag as $tag | first_of(tag($tag), detail($tag))),
    same_as: same_as,
    # the name of whoever made it is left out
    labels: {alias: (alert.alias? // null | as_id | if . != null and test("@") then null else . end)}
  }
  | .started_at |= need("alert.createdAt")
  | drop_nulls;

def changed: whole + {partial: true} | drop_nulls;

# The *first* acknowledgement counts, and the event with the latest `at` wins. So it is an event of its own, with
# nothing else in it, whose `at` is its time mirrored at a fixed day: the earlier, the later.
def first_acknowledged:
  {kind: "incident", id: (alert.alertId | as_id), partial: true, acknowledged_at: updated_at, at: mirrored("2020-01-01T00:00:00Z"; updated_at)};

def deleted: {kind: "incident", id: (alert.alertId | as_id | need("alert.alertId")), deleted: true, at: updated_at};

action as $action
| if $action == "updatepriority" and (is_chosen | not) then deleted
  elif $action == "delete" then deleted
  elif is_chosen | not then empty
  elif $action == "create" then created
  elif $action == "acknowledge" then changed, first_acknowledged
  elif $action == "close" then changed + {resolved_at: updated_at}
  elif $action | IN("unacknowledge", "updatepriority", "updatemessage", "addtags", "removetags", "assignownership") then changed
  else empty end
