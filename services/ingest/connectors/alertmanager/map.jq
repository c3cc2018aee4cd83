# Alertmanager: one delivery is a group of alerts, and each alert stands for itself. The same alert comes again with
# every repetition and with every change of its group. It is known by its labels (`fingerprint`) and by when it began
# (`startsAt`), so that the next outage of the same thing is another incident.

def labels: .labels? // {} | if type == "object" then with_entries(select((.value | type) == "string")) else {} end;
def labelled(names): labels as $l | first_of(names[] | $l[.]);

def name: labels.alertname // "alert";
def fingerprint: first_of(.fingerprint,
  # not sent by versions before 0.17
  (labels | to_entries | sort_by(.key) | map("\(.key)=\(.value)") | join(",") | short(400)));

def severity_word($s): labelled($s.severity_labels) | if . == null then null else ascii_downcase end;
def is_chosen($s): severity_word($s) as $word | any($s.severities[]; . == "*" or ascii_downcase == $word);
def is_probe($s): labels as $l | any($l.alertname, $l.job | values; fits($s.probes));

# a probe's target is in `instance`; its `job` is the prober
def service($s):
  if is_probe($s) then labelled(($s.service_labels - ["job"])) else labelled($s.service_labels) end
  | (. // "") | sub("^[a-z]+://"; "") | sub("[/?].*$"; "") | sub(":[0-9]+$"; "") | slug // "unknown";

# a label that says it is believed; the names of clusters and namespaces are guessed from
def environment($s): labelled($s.environment_labels)
  // first_of(labelled(["namespace", "kubernetes_namespace"]) | environment_guess)
  // first_of(labelled(["cluster"]) | environment_guess);

def what($s): if $s.as == "incident" then (if is_chosen($s) then "incident" else null end)
  elif (is_chosen($s) or is_probe($s)) | not then null
  elif $s.as == "availability" then "availability"
  else "incident" end;
# a probe's alerts also tell when its target is up
def tells_availability($s): $s.as == "availability" or ($s.as == "auto" and is_probe($s));

# Since when an alert's target is down, and since when it is up again. It is known by its labels alone: it stays up until
# it fires again.
def notices($s; $began; $ended; $matches):
  service($s) as $service | environment($s) as $environment | (severity_word($s) | severity_guess) as $severity
  | {id: fingerprint, since: $began, up: false, service: $service, environment: $environment, title: name, severity: $severity, matches: $matches},
    (if $ended == null then empty
     else {id: fingerprint, since: $ended, up: true, service: $service, environment: $environment, severity: $severity, matches: $matches} end)
  | check_notice({as: "availability", shortest: $s.shortest}; null);

def alert($group; $s; $received):
  what($s) as $what | name as $name
  | if $what == null then empty else
    (.startsAt | time | need("startsAt of the alert \($name)")) as $began
    # a resolved alert always has its end; where a relay dropped it, the arrival of this notice is the best guess
    | (if .status == "resolved" then first_of((.endsAt | time), $received) else null end) as $ended
    | ($ended != null and seconds_between($began; $ended) < $s.shortest) as $is_flapping
    # in UTC, because the members of a cluster may write another offset
    | "\(fingerprint)/\($began | plus_seconds(0))" as $id
    | (labels + {receiver: ($group.receiver? // null | text)} | map_values(as_id)) as $matches
    | (if tells_availability($s) then notices($s; $began; $ended; $matches) else empty end),
      (if $what == "availability" then empty
      elif $is_flapping then {kind: "incident", id: $id, deleted: true, at: $ended}
      else
        {
          kind: "incident", id: $id,
          service: service($s), environment: environment($s),
          title: (first_of(.annotations?[$s.title]? // null | text) // name | short(10000)),
          severity: (severity_word($s) | severity_guess),
          started_at: $began, resolved_at: $ended,
          url: (first_of((.generatorURL?, $group.externalURL?) | text) | short(4096)),
          matches: $matches,
          # firing again and again changes nothing, so that repetitions are recognised
          at: ($ended // $began)
        } | drop_nulls
      end)
    end;

.settings as $s | .body as $group | .received_at as $received
| $group.alerts? | if type == "array" then .[] | objects | alert($group; $s; $received) else empty end
