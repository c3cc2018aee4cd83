# Healthchecks.io (or a server of one's own): one delivery when a check goes down, one when it is up again, in the
# template of README.md. The notice of up doesn't say since when the check was down and names the check but not the
# outage: the incident is known by the check.

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

def incident:
  {
    kind: "incident",
    id: (first_of(.body.code, .body.slug) | as_id | need("code")),
    service: (service | need("name")),
    environment: environment,
    severity: severity,
    matches: {check: first_of(.body.name | as_id), slug: first_of(.body.slug | as_id), tags: (tags | join(" "))},
    at: changed_at
  };

def down:
  incident + {title: "\(first_of(.body.name, .body.slug)) is down", started_at: changed_at}
  | drop_nulls
  # the check's earlier outage is over, this one is not
  | . + {resolved_at: null};

def up: incident + {partial: true, resolved_at: changed_at} | drop_nulls;

if (severity as $s | (.settings.severities // []) | index([$s])) == null then empty
elif .body.status? == "down" then down
elif .body.status? == "up" then up
else empty end
