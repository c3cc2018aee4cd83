# Datadog sends what a template says: the one of this connector's page. A monitor's notices have
# `alert_cycle_key`; an incident has `incident_id`; what has neither is an event.

# a variable that Datadog knows nothing of stays as it is, or is empty
def given: if type == "number" then tostring elif type != "string" then null
  elif test("^\\s*$|^\\$[A-Z_]+(\\[[^\\]]*\\])?$|^(null|None|N/A|n/a)$") then null else gsub("^\\s+|\\s+$"; "") end;
def field(name): .body[name]? | given;

def happened_at: first_of((field("date") | time), (field("last_updated") | time_or_null));

# "env:prod,service:checkout,urgent" and the scope of a multi alert
def tags: [(field("tags"), field("scope")) | values | split(",")[] | gsub("^\\s+|\\s+$"; "") | select(. != "")];
def tag(name): (name + ":") as $start | first_of(tags[] | select(startswith($start)) | .[($start | length):]);

def service: tags as $tags
  | first_of(.settings.service_tags[] as $name | tag($name) | slug);
def environment: first_of(tag("env"), tag("environment"));
def revision: first_of(tag("git.commit.sha"), tag("version"));

# without "[Triggered on {host:web-1}] "
def title: first_of(field("alert_title"), field("event_title")) | if . == null then null
  else sub("^(\\[[^\\]]*\\] *)+"; "") | short(10000) end;

# what names the service best comes first
def matches:
  {service: tag("service"), monitor: title, monitor_id: field("alert_id"), hostname: field("hostname")}
  + ([tags[] | select(test("^[^:]+:.")) | capture("^(?<key>[^:]+):(?<value>.+)$")] | from_entries)
  | map_values(as_id);

# The *first* time of something counts, and the event with the latest `at` wins. So it is an event of its own, with
# nothing else in it, whose `at` is its time mirrored at a fixed day: the earlier, the later.
def only_the_first($id; name; $time):
  {kind: "incident", id: $id, partial: true, (name): $time, at: mirrored("2020-01-01T00:00:00Z"; $time)};

# --- Monitors -----------------------------------------------------------------------------------------

def transition: field("transition") // "" | ascii_downcase | gsub("^re-|[^a-z]"; "");
# "Triggered", "Re-Triggered", "Warn", "No Data", "Renotify", "Recovered"
def state: transition as $t
  | if $t | IN("triggered", "alert") then "critical"
    elif $t | IN("warn", "warning") then "warning"
    elif $t == "nodata" then "no data"
    elif $t | IN("recovered", "recovery", "ok", "success", "warnrecovered", "alertrecovered", "nodatarecovered") then "recovered"
    else null end;

def is_chosen: [state, (tag("severity") | values), (field("priority") | values) | values | ascii_downcase] as $words
  | any(.settings.severities[] | ascii_downcase; . == "*" or IN($words[]));

def notice($up):
  .settings as $settings
  | {
    # the monitor and, of one that alerts for several things, which of them
    id: (["monitor", (first_of(field("alert_id"), field("alert_cycle_key")) | need("alert_id")), field("scope")] | map(values) | join("/") | as_id),
    since: (happened_at | need("date")),
    up: $up,
    service: (first_of(service, (title | slug)) | need("a service tag or alert_title")),
    environment: environment,
    title: (if $up then null else title end),
    severity: (first_of(tag("severity"), field("priority")) | severity_guess | . // $settings.severity),
    url: (field("link") | if . == null then null else short(4096) end),
    matches: matches
  }
  | check_notice($settings; "incident");

def monitor_event:
  state as $state
  | if $state == null then empty
    elif $state == "no data" and (.settings.no_data | not) then empty
    # which threshold it recovers from isn't said: where it was no outage, that changes nothing
    elif $state == "recovered" then .settings.as as $as | notice(true) | if $as == "auto" or $as == "incident" then bare_notice else . end
    elif is_chosen or $state == "no data" then notice(false)
    else empty end;

# --- Incidents ----------------------------------------------------------------------------------------

# the incident's own fields, where the template gives them
def fields: .body.incident_fields? | if type == "object" then . else {} end;
def services: [fields.services?, fields.service? | if type == "array" then .[] else . end | strings | slug | values]
  | unique;

def incident_event:
  (if (services | length) > 0 then services else [service | values] end) as $services
  # an incident's notice may come without a date, and then its arrival is all that is known
  | first_of(happened_at, .received_at) as $at
  | "incident/\(field("incident_id"))" as $id
  | (field("incident_status") // "active" | ascii_downcase) as $status
  | ({
      kind: "incident", id: $id, partial: true,
      environment: first_of(environment, (fields.env?, fields.environment? | if type == "array" then .[0] else . end | strings)),
      title: (field("incident_title") | if . == null then null else short(10000) end),
      severity: (field("incident_severity") | severity_guess),
      mitigated_at: (if $status == "stable" then $at else null end),
      resolved_at: (if $status | IN("resolved", "completed") then $at else null end),
      url: (first_of(field("incident_url"), field("link")) | if . == null then null else short(4096) end),
      matches: (matches + {service: ($services | join(",")), team: (fields.teams? | if type == "array" then join(",") else text end)}
        | del(.monitor, .monitor_id)),
      at: $at
    } | drop_nulls
      # of `service` and `services` both would count: what is not meant now is cleared
      | if ($services | length) == 1 then . + {service: $services[0], services: null}
        elif ($services | length) > 1 then . + {service: null, services: $services}
        else . end)
    # active is not over, so that this also opens one again
    | (if $status == "active" then . + {mitigated_at: null, resolved_at: null} else . end),
      (if $status == "active" then only_the_first($id; "started_at"; $at) else empty end);

# --- Events -------------------------------------------------------------------------------------------

def is_deployment: tags as $tags | any(.settings.deployment_tags[]; IN($tags[]));

def deployment:
  (happened_at | need("date")) as $at
  | {
      kind: "deployment",
      id: first_of(tag("deployment_id"), field("id"), ([service, revision, $at] | map(values) | join("/"))),
      service: (service | need("a service tag")),
      environment: environment,
      revision: (revision | as_id),
      repository: (first_of(tag("git.repository_url"), tag("repository"), tag("repo")) | repo),
      finished_at: $at,
      outcome: (if field("alert_type") // "" | ascii_downcase == "error" then "failed" else "succeeded" end),
      url: (field("link") | if . == null then null else short(4096) end),
      matches: (matches | del(.monitor, .monitor_id)),
      at: $at
    }
  | drop_nulls;

if field("incident_id") != null then incident_event
elif field("alert_cycle_key") != null or state != null then monitor_event
elif is_deployment then deployment
else empty end
