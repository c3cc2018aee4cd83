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

def notice($since; $up):
  .settings as $settings
  | about + {
    id: (monitor.id | as_id | need("monitor.id")),
    since: $since,
    up: $up,
    severity: $settings.severity
  };

def title: ["\(monitor.name) is down", .body.heartbeat.msg] | map(strings | select(. != "")) | join(": ") | short(10000);

def down: .settings as $settings | notice(at; false) + {title: title} | check_notice($settings; "both");

def up:
  .settings as $settings
  # where the notice of down got lost, newer versions say here since when
  | (down_since as $since | if $since == null then empty else notice($since; false) + {inferred: true} end), notice(at; true)
  | check_notice($settings; "both");

# Tests of the notification, and certificates that will expire, come without a heartbeat.
if (.body | type) != "object" or (.body.heartbeat | type) != "object" or (.body.monitor | type) != "object" then empty
# A reminder that a monitor is still down is no second outage.
elif .body.heartbeat.status == 0 and .body.heartbeat.important != false and .body.heartbeat.important != 0 then down
elif .body.heartbeat.status == 1 then up
# 2 is "pending" (it will be tried again), 3 maintenance
else empty end
