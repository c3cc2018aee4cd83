# Pingdom: one delivery a state change of a check.
# The notice that a check is up again doesn't say since when it was down, so that no availability can be made of it,
# and names the check but not the outage: the incident is known by the check.

def tags: [.body.tags? | if type == "array" then .[] | strings else empty end];

# Pingdom's importance of the check; old deliveries have none, and a check that is down is critical until told otherwise.
def severity:
  (.body.importance_level? // "HIGH" | tostring | ascii_upcase) | if . == "LOW" then "minor" else "critical" end;

def service:
  .settings.service_tag as $prefix
  | first_of(
      (tags[] | select(($prefix // "") != "" and startswith($prefix)) | ltrimstr($prefix) | slug),
      (.body.check_name | service_guess),
      (.body.check_params.hostname? | slug));

def environment: first_of(.settings.environment, (tags[] | environment_guess), (.body.check_name | environment_guess));

def changed_at:
  first_of(
    (.body.state_changed_timestamp | time),
    # said to be UTC by its name, and written without an offset
    (.body.state_changed_utc_time | strings | select(. != "") | if test("(Z|[+-][0-9:]+)$") then . else . + "Z" end | time))
  | need("state_changed_timestamp");

def incident:
  {
    kind: "incident",
    id: (.body.check_id | as_id | need("check_id")),
    service: (service | need("check_name")),
    environment: environment,
    severity: severity,
    matches: {
      check: (.body.check_name | as_id),
      check_id: (.body.check_id | as_id),
      hostname: first_of(.body.check_params.hostname? | as_id),
      tags: (tags | join(","))
    },
    at: changed_at
  };

def down:
  incident
  + {
      title: ([.body.check_name, .body.description] | map(strings | select(. != "")) | join(": ") | short(10000)),
      started_at: changed_at,
      labels: {reason: first_of(.body.long_description | strings | short(500))}
    }
  | drop_nulls
  # the check's earlier outage is over, this one is not
  | . + {resolved_at: null};

def up: incident + {partial: true, resolved_at: changed_at} | drop_nulls;

(.body.current_state? // "" | tostring | ascii_upcase) as $now
| (.body.previous_state? // "" | tostring | ascii_upcase) as $before
| if $now == $before or (severity as $s | .settings.severities | index([$s])) == null then empty
  elif $now == "DOWN" or $now == "FAILING" then down
  elif $now == "UP" or $now == "SUCCESS" then up
  else empty end
