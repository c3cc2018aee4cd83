# Healthchecks.io (or a server of one's own): one delivery when a check goes down, one when it is up again, in the
# template of README.md.

# Healthchecks joins tags by spaces.
def tags: [.body.tags? | strings | splits("\\s+") | select(. != "")];

def severity: first_of((tags[] | label_severity), (.settings.severity | severity_guess));

def service:
  (.settings.service_tag // "") as $prefix
  | first_of(
      (tags[] | select($prefix != "" and startswith($prefix)) | ltrimstr($prefix) | slug),
      (.body.name? | service_guess),
      (.body.slug? | service_guess));

def environment: first_of(.settings.environment, (tags[] | environment_guess), (.body.name? | environment_guess));

# $NOW is when the check changed, not when the webhook was sent, and stays the same when it is sent again.
def changed_at: first_of(.body.now | time) | need("now");

def notice($up):
  .settings as $settings
  | {
    id: (first_of(.body.code, .body.slug) | as_id | need("code")),
    since: changed_at,
    up: $up,
    service: (service | need("name")),
    environment: environment,
    severity: severity,
    title: (if $up then null else "\(first_of(.body.name, .body.slug)) is down" end),
    matches: {check: first_of(.body.name | as_id), slug: first_of(.body.slug | as_id), tags: (tags | join(" "))}
  }
  | check_notice($settings; "incident");

(severity as $s | .settings.severities | index([$s]) != null) as $counts
| if .body.status? == "down" then if $counts then notice(false) else empty end
  elif .body.status? == "up" then notice(true) | if $counts then . else bare_notice end
  else empty end
