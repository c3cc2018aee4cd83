# Uptime Kuma: one delivery when a monitor goes down, one when it is up again (and, if it is set so, more while it stays down).

# Times of Uptime Kuma are UTC, written without an offset: "2026-10-03 10:05:00.123".
def utc: first_of(if type == "string" and test("^[0-9-]+[ T][0-9:.]+$") then . + " UTC" else . end | time);

def monitor: .body.monitor;
def at: .body.heartbeat.time | utc | need("heartbeat.time");
def down_since: .body.heartbeat.lastDownTime | utc;

def tag($name):
  first_of(monitor.tags | arrays[] | objects | select($name != "" and (.name | tostring | ascii_downcase) == ($name // "" | ascii_downcase)) | .value);

def about:
  {
    service: (first_of((tag(.settings.service_tag) | slug), (monitor.name | service_guess)) | need("monitor.name")),
    environment: first_of(.settings.environment, (tag(.settings.environment_tag) | strings),
      (monitor | (.name, .pathName) | environment_guess)),
    matches: {
      monitor: (monitor.name | as_id),
      monitor_id: (monitor.id | as_id),
      # the groups that the monitor is in: "Shop / Checkout"
      path: (monitor.pathName | as_id),
      url: first_of((monitor.url, monitor.hostname) | select(. != "https://" and . != "http://") | as_id),
      tags: ([monitor.tags | arrays[] | objects | [.name, .value] | map(strings | select(. != "")) | join("=")] | join(",") | as_id)
    }
  };

# The monitor and its outage's start, to the second: the database of some installations keeps no more.
def outage($since):
  monitor.id | as_id | need("monitor.id")
  | . + "@" + ($since | "\(seconds_between("1970-01-01T00:00:00Z"; .) | round)");

def incident($id): about + {kind: "incident", id: $id, severity: .settings.severity, at: at};

def title: (["\(monitor.name) is down", .body.heartbeat.msg] | map(strings | select(. != "")) | join(": ") | short(10000));

def down:
  if .settings.old then
    incident(monitor.id | as_id | need("monitor.id")) + {title: title, started_at: at} | drop_nulls
    # the monitor's earlier outage is over, this one is not
    | . + {resolved_at: null}
  elif .settings.as != "availability" then
    incident(outage(at)) + {title: title, started_at: at} | drop_nulls
  # an interval of downtime needs its end
  else empty end;

def up:
  (.settings.shortest // 0) as $shortest
  | if .settings.old then
      incident(monitor.id | as_id | need("monitor.id")) + {partial: true, resolved_at: at}
    else
      (down_since | need("heartbeat.lastDownTime (an older Uptime Kuma? then set old = true)")) as $since
      | at as $to
      | seconds_between($since; $to) as $seconds
      # "auto" too: nothing says since when it had been up, and with its downtimes alone it would never have been
      | if .settings.as != "availability" then
          if $seconds < $shortest then {kind: "incident", id: outage($since), deleted: true, at: $to}
          else incident(outage($since)) + {started_at: $since, resolved_at: $to} end
        elif $seconds < $shortest or $seconds <= 0 then empty
        else about + {kind: "availability", from: $since, to: $to, up: false, at: $to} end
    end
  | drop_nulls;

# Tests of the notification, and certificates that will expire, come without a heartbeat.
if (.body | type) != "object" or (.body.heartbeat | type) != "object" or (.body.monitor | type) != "object" then empty
# A reminder that a monitor is still down is no second outage.
elif .body.heartbeat.status == 0 and .body.heartbeat.important != false and .body.heartbeat.important != 0 then down
elif .body.heartbeat.status == 1 then up
# 2 is "pending" (it will be tried again), 3 maintenance
else empty end
