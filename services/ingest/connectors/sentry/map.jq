# Sentry: `sentry-hook-resource` names what a delivery is about, `action` what happened to it. Both the alert and the
# issue are there as a whole; when it happened is only in the header.

def resource: .type // (.body.data? | if type != "object" then null
  elif has("metric_alert") then "metric_alert" elif has("issue") then "issue"
  elif has("event") and has("triggered_rule") then "event_alert" else null end);
def action: .body.action? // "" | tostring | ascii_downcase;
def sent_at: .headers["sentry-hook-timestamp"] | time_or_null;

# --- Metric alerts ------------------------------------------------------------------------------------

def alert: .body.data.metric_alert? // {} | if type == "object" then . else {} end;
def states: if any(.settings.severities[]; . == "*") then ["critical", "warning"] else .settings.severities | map(ascii_downcase) end;

def metric_alert:
  ("metric/\(alert.id | as_id | need("data.metric_alert.id"))") as $id
  | (alert.date_started | time) as $began
  | first_of((alert.date_closed | time), sent_at, .received_at) as $ended
  | {
      kind: "incident", id: $id,
      service: (first_of((alert.projects?[0]? // null | slug), (alert.alert_rule?.name? // null | slug)) | need("data.metric_alert.projects")),
      environment: (alert.alert_rule?.environment? // null | as_id),
      title: (first_of(alert.alert_rule?.name?, alert.title?, .body.data.description_title?) | as_id),
      started_at: $began,
      detected_at: (alert.date_detected? // null | time),
      url: (.body.data.web_url? // null | text | short(4096)),
      matches: {
        project: (alert.projects?[0]? // null | as_id),
        projects: ([alert.projects?[]? | strings] | join(",") | as_id),
        alert_rule: (alert.alert_rule?.name? // null | as_id)
      }
    } as $event
  | action as $action
  | if $action | IN("critical", "warning") then
      if states | index([$action]) == null then empty
      else
        $event + {
          started_at: ($began | need("data.metric_alert.date_started")),
          severity: (if $action == "critical" then "critical" else "minor" end),
          # alerts get worse and better within one incident
          at: first_of(sent_at, (alert.date_detected? // null | time), $began)
        } | drop_nulls
      end
    elif $action == "resolved" then
      if $began != null and seconds_between($began; $ended) < (.settings.shortest // 0)
      # after the notice that it began, which was sent later than it began
      then {kind: "incident", id: $id, deleted: true, at: first_of(sent_at, $ended)}
      else
        # it isn't said which state it comes from: one that never was an incident stays incomplete
        $event + {partial: true, started_at: null, detected_at: null, resolved_at: $ended, at: first_of(sent_at, $ended)}
        | drop_nulls
      end
    else empty end;

# --- Issues -------------------------------------------------------------------------------------------

def is_chosen($level): any(.settings.levels[]; ascii_downcase == ($level // "" | tostring | ascii_downcase));

def issue:
  .body.data.issue as $issue
  | ($issue.lastSeen? // null | time) as $seen
  | first_of(sent_at, $seen, .received_at) as $at
  | action as $action
  | if is_chosen($issue.level?) | not then empty
    elif $action | IN("created", "resolved", "unresolved", "archived", "ignored", "assigned") | not then empty
    else
      {
        kind: "incident", id: "issue/\($issue.id | as_id | need("data.issue.id"))",
        service: (first_of($issue.project?.slug?, $issue.project?.name?) | slug | need("data.issue.project")),
        title: ($issue.title? // null | text | short(10000)),
        severity: ($issue.level | severity_guess),
        started_at: ($issue.firstSeen? // null | time | need("data.issue.firstSeen")),
        # an archived issue is one that nobody waits for any more
        resolved_at: (if $action | IN("resolved", "archived", "ignored") then $at else null end),
        url: (first_of(($issue.web_url?, $issue.permalink?) | text) | short(4096)),
        labels: {issue: ($issue.shortId? // null | as_id)},
        matches: {project: (first_of($issue.project?.slug?, $issue.project?.name?) | as_id), platform: ($issue.platform? // null | as_id), logger: ($issue.logger? // null | as_id)},
        at: $at
      }
      | drop_nulls
      # it came back
      | if $action == "unresolved" then . + {resolved_at: null} else . end
    end;

# An issue alert says what rule of an issue fired, with the event that made it: the same incident as the issue's. When it
# began is known better by the issue's own deliveries, so that it goes into an event that they win over.
def issue_alert:
  .body.data.event as $event
  | first_of(sent_at, ($event.datetime? // null | time), .received_at) as $at
  | if is_chosen($event.level?) | not then empty
    else
      "issue/\($event.issue_id | as_id | need("data.event.issue_id"))" as $id
      # the event has the project's number; its name is in the address
      | first_of($event.url? // null | text // "" | capture("/projects/[^/]+/(?<p>[^/]+)/") | .p) as $project
      | ([$event.tags?[]? | if type == "array" then {key: .[0], value: .[1]} else objects | {key, value} end | select(.key | type == "string")] | from_entries) as $tags
      | ({
          kind: "incident", id: $id, partial: true,
          service: ($project | slug),
          environment: (first_of($event.environment?, $tags.environment) | as_id),
          title: ($event.title? // null | text | short(10000)),
          severity: ($event.level | severity_guess),
          url: (first_of($event.web_url? // null | text) | short(4096)),
          labels: {release: (first_of($event.release?, $tags.release) | as_id)},
          matches: {project: $project, alert_rule: (.body.data.triggered_rule? // null | as_id)},
          at: $at
        } | drop_nulls),
        (first_of(($event.datetime? // null | time), $at) as $seen
         | {kind: "incident", id: $id, partial: true, started_at: $seen, at: mirrored("2020-01-01T00:00:00Z"; $seen)})
    end;

resource as $resource
| if $resource == "metric_alert" and alert != {} then metric_alert
  elif $resource == "issue" and (.body.data?.issue? | type) == "object" then issue
  elif $resource == "event_alert" and (.body.data?.event? | type) == "object" then issue_alert
  else empty end
