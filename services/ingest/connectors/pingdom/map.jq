# Pingdom: one delivery a state change of a check.

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

def notice($up):
  .settings as $settings
  | {
    id: (.body.check_id | as_id | need("check_id")),
    since: changed_at,
    up: $up,
    service: (service | need("check_name")),
    environment: environment,
    severity: severity,
    title: (if $up then null else [.body.check_name, .body.description] | map(strings | select(. != "")) | join(": ") | short(10000) end),
    labels: {reason: (if $up then null else first_of(.body.long_description | strings | short(500)) end)},
    matches: {
      check: (.body.check_name | as_id),
      check_id: (.body.check_id | as_id),
      hostname: first_of(.body.check_params.hostname? | as_id),
      tags: (tags | join(","))
    }
  }
  | check_notice($settings; "both");

(.body.current_state? // "" | tostring | ascii_upcase) as $now
| (.body.previous_state? // "" | tostring | ascii_upcase) as $before
| (severity as $s | .settings.severities | index([$s]) != null) as $counts
| if $now == $before then empty
  elif $now == "DOWN" or $now == "FAILING" then if $counts then notice(false) else empty end
  elif $now == "UP" or $now == "SUCCESS" then notice(true) | if $counts then . else bare_notice end
  else empty end
