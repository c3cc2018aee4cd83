# UptimeRobot: one delivery when a monitor goes down, one when it is up again, in the fields of the template of README.md
# (its variables' own names), or in those of an older template that spells them monitor_friendly_name, alert_type and so on.
# The notice of up also says for how long it was down; the two agree on the start only to within seconds.

# What a template's field holds; a variable that UptimeRobot had nothing for stays as it was written.
def field(names): first_of(.body | names | values | tostring | select(test("^\\*[A-Za-z]+\\*$") | not));

def name: field(.monitorFriendlyName?, .monitor_friendly_name?);
def url: field(.monitorURL?, .monitor_url?);
def monitor: field(.monitorID?, .monitor_id?);

# "up", "down", or null for what is neither (a certificate that will expire).
def state:
  field(.alertType?, .alert_type?) as $number
  | field(.alertTypeFriendlyName?, .alert_type_friendly_name?) as $word
  | if $number == "2" then "up" elif $number == "1" then "down"
    elif $number == null then ($word // "" | ascii_downcase | select(. == "up" or . == "down")) // null
    else null end;

# The template of README.md has the time; without it the arrival is the nearest that is known.
def changed_at: first_of((field(.alertDateTime?, .alert_date_time?) | time), .received_at);

# Seconds, or in words: "1 day, 2 hours, 44 minutes and 37 seconds".
def seconds_down:
  (field(.alertDuration?, .alert_duration?) // "" | select(test("^[0-9]+$")) | tonumber)
  // ((field(.alertFriendlyDuration?, .alert_friendly_duration?) // "" | ascii_downcase)
      | [match("([0-9]+) *(d|h|m|s)[a-z]*"; "g") | (.captures[0].string | tonumber) * {d: 86400, h: 3600, m: 60, s: 1}[.captures[1].string]]
      | if length == 0 then null else add end);

def about:
  {
    service: (first_of(name, (url | values | sub("^[a-z]+://"; ""))) | service_guess | need("monitorFriendlyName")),
    environment: first_of(.settings.environment, (name | environment_guess)),
    matches: {monitor: (name | as_id), monitor_id: (monitor | as_id), url: (url | as_id)}
  };

def title: ["\(first_of(name, url)) is down", field(.alertDetails?, .alert_details?)] | map(values) | join(": ") | short(10000);

def notice($since; $up; $title):
  .settings as $settings
  | about + {
    id: (first_of(monitor, name, url) | as_id | need("monitorID")),
    since: $since,
    up: $up,
    severity: $settings.severity,
    title: $title
  }
  | check_notice($settings; "both");

def up:
  changed_at as $at
  | seconds_down as $seconds
  | (if ($seconds // 0) > 0 then notice($at | plus_seconds(-$seconds); false; null) + {inferred: true} else empty end), notice($at; true; null);

def down: changed_at as $at | title as $title | notice($at; false; $title);

if state == "up" then up elif state == "down" then down else empty end
