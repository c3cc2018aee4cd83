# What every connector's map may use. It is put before the map, which is then run on one delivery:
#   {"type", "id", "headers", "body", "received_at", "source", "settings"}
# Plain jq, without `input`, `env`, `now`, modules or anything else from outside.

# --- Choosing and shaping -------------------------------------------------------------------------

# Whether it is one of these: `.action | IN("opened", "closed")`. (jq has it, jaq doesn't.)
def IN(stream): . as $x | any(stream; . == $x);

# The first value that says something: neither null nor false nor a blank string, nor what a template
# engine writes for a value that it doesn't have. null if there is none.
def first_of(stream):
  first(stream | select(
    . != null and . != false and
    (if type == "string" then . != "" and (. == "<no value>" or . == "<nil>" or . == "null" or . == "undefined" | not)
       and ((.[0:1] | . == " " or . == "\t" or . == "\n" or . == "\r") and test("^\\s*$") | not)
     else true end))) // null;

# What an event cannot do without. A delivery that lacks it fails, and says so.
def need(what): if . == null or . == "" then error("\(what) is missing") else . end;

# Without the fields that are null or "" (a null in an event clears the field), also one level down
# (`matches`, `labels`), and without objects that become empty by that.
def drop_nulls:
  if type != "object" then .
  else map_values(
    if type == "object" then map_values(select(. != null and . != "")) | select(. != {})
    else select(. != null and . != "") end) end;

# An object of names and values, without those whose value is null: `record(["a", "b"]; [1, null])` is {"a": 1}. For
# deliveries that hold thousands of things, where each member of an object as it is usually written costs. (Vigie has a
# faster one in the place of this definition.)
def record($names; $values):
  reduce range($names | length) as $i ({}; if $values[$i] == null then . else .[$names[$i]] = $values[$i] end);

# At most so many bytes of a text (fewer where it isn't ASCII).
def short(n): if type == "string" and utf8bytelength > n then .[0:(n / 4 | floor)] else . end;

# A text as it is, null for anything else. (Not `strings` for a field of an object: where that finds none, there is no object.)
def text: if type == "string" then . else null end;

# Something that can be a name or id: a string of 1 to 500 bytes without control characters; null if nothing is left.
def as_id:
  if . == null then null
  else tostring
  # the usual name needs no regular expression: what JSON writes as it is has no control characters
  | if length > 0 and length <= 100 and (tojson | length) == length + 2 and utf8bytelength == length and (startswith(" ") or endswith(" ") or contains("\u007f") | not) then .
    else gsub("[\\x00-\\x1f\\x7f-\\x9f]+"; " ") | gsub("^\\s+|\\s+$"; "") | short(500)
    | if . == "" then null else . end end end;

# Lower case, everything but a-z and 0-9 becomes "-"; null if nothing is left.
def slug:
  if . == null then null
  else tostring | ascii_downcase | gsub("[^a-z0-9]+"; "-") | ltrimstr("-") | .[0:100] | rtrimstr("-")
  | if . == "" then null else . end end;

# Whether a string fits one of the patterns (a string or a list of them): `*` is any run of characters,
# the rest stands for itself, upper and lower case are the same. No pattern fits nothing.
def fits(patterns):
  if . == null or . == "" then false
  else tostring as $s
  | [patterns | if type == "array" then .[] else . end | strings | select(. != "")
     | . as $p | select($p == "*" or ($s | test(
         "^" + ($p | gsub("(?<c>[.+?^$(){}|\\[\\]\\\\])"; "\\" + .c) | gsub("\\*"; ".*")) + "$"; "i")))]
  | length > 0 end;

# --- Times ------------------------------------------------------------------------------------------

def __zeros(n): tostring | if length < n then ("000000000"[0:n - length]) + . else . end;

# Microseconds since 1970 as RFC 3339 in UTC.
def __from_micros:
  . as $us | ($us / 1000000 | floor) as $s | ($us - $s * 1000000) as $f
  | ($s | todate) as $t
  | if $f == 0 then $t else ($t | rtrimstr("Z")) + "." + ($f | floor | __zeros(6) | sub("0+$"; "")) + "Z" end;

# A number of seconds, milli-, micro- or nanoseconds since 1970, told apart by its size, as RFC 3339.
# Zero and less is no time (tools write it for "never").
def __from_number:
  if . <= 0 then null
  elif . < 1e11 then . * 1000000 | round | __from_micros
  elif . < 1e14 then . * 1000 | round | __from_micros
  elif . < 1e17 then . | round | __from_micros
  else . / 1000 | floor | __from_micros end;

# Whether it is RFC 3339 by its looks. Cheap, for lists of many commits: no regular expression.
def __is_rfc3339:
  length as $n | $n >= 20 and $n <= 35 and .[10:11] == "T"
  and (if endswith("Z") then $n == 20 or .[19:20] == "." else .[-3:-2] == ":" and (.[-6:-5] | . == "+" or . == "-") end);

# RFC 3339 from what tools write, with the offset that they gave:
#   "2026-10-03T10:05:00+02:00" as it is, "2026-10-03 10:05:00 UTC", "2026-10-03T10:05:00+0200",
#   1791021900, "1791021900", 1791021900000 and longer numbers.
# null for null, "", 0 and the zero time of year 1. Anything else, a time without an offset too, is an error.
def time:
  if type == "string" and __is_rfc3339 and (startswith("0001-01-01") or startswith("0000-00-00") | not) then .
  elif . == null or . == "" or . == false then null
  elif type == "number" then __from_number
  elif type != "string" then error("not a time: \(tojson)")
  elif startswith("0001-01-01") or startswith("0000-00-00") then null
  else . as $given
  | if test("^\\s*-?[0-9]+(\\.[0-9]+)?\\s*$") then (tonumber | __from_number)
    elif test("^\\s*$") then null
    else
      [capture("^\\s*(?<d>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]+(?<t>[0-9]{2}:[0-9]{2})(?<s>:[0-9]{2})?(?<f>\\.[0-9]+)? ?(?<o>[Zz]|UTC|GMT|[+-][0-9]{2}(:?[0-9]{2})?)\\s*$")]
      | if length == 0 then error("not a time with an offset: \($given | tojson)")
        else .[0]
        | (.o | if . == "Z" or . == "z" or . == "UTC" or . == "GMT" then "Z"
                elif length == 3 then . + ":00"
                elif length == 5 then .[0:3] + ":" + .[3:5]
                else . end) as $o
        | .d + "T" + .t + (.s // ":00") + (.f // "") + $o
        end
    end
  end;

# The same, but null for what cannot be read.
def time_or_null: try time catch null;

# A time of `time`'s kinds in microseconds since 1970; null for none.
def __micros:
  time
  | if . == null then null
    else . as $t
    | (.[0:19] + "Z" | fromdateiso8601) as $s
    | (.[19:] | rtrimstr("Z")) as $rest
    | (if ($rest | length) >= 6 and ($rest[-3:-2] == ":") then $rest[-6:] else "" end) as $o
    | ($rest[0:($rest | length) - ($o | length)]) as $f
    | (if $o == "" then 0
       else (($o[1:3] | tonumber) * 60 + ($o[4:6] | tonumber)) * (if $o[0:1] == "-" then -60 else 60 end) end) as $off
    | (if $f == "" then 0 else ($f[1:7] + "000000")[0:6] | tonumber end) as $us
    | ($s - $off) * 1000000 + $us
    end;

# The later, the earlier of two times; of one and none: the one.
def later(a; b): (a | time) as $a | (b | time) as $b
  | if $a == null then $b elif $b == null then $a elif ($b | __micros) > ($a | __micros) then $b else $a end;
def earlier(a; b): (a | time) as $a | (b | time) as $b
  | if $a == null then $b elif $b == null then $a elif ($b | __micros) < ($a | __micros) then $b else $a end;
# The same of many.
def latest(stream): reduce stream as $t (null; later(.; $t));
def earliest(stream): reduce stream as $t (null; earlier(.; $t));

# Seconds from a to b (negative if b is before a); null where one of them is unknown.
def seconds_between(a; b): (a | __micros) as $a | (b | __micros) as $b
  | if $a == null or $b == null then null else ($b - $a) / 1000000 end;

# t as far before `opened` as it was after it. The event with the latest `at` wins, so that of several reviews
# the *earliest* wins if each event's `at` is the review's time mirrored at the pull request's opening.
def mirrored(opened; t): (opened | __micros) as $o | (t | __micros) as $t
  | if $o == null or $t == null then null else 2 * $o - $t | __from_micros end;

# So many seconds later (or, negative, earlier), in UTC.
def plus_seconds(n): __micros | if . == null then null else . + n * 1000000 | round | __from_micros end;

# --- Repositories, commits, people -----------------------------------------------------------------

# "owner/name" in lower case from a full name or any address of the repository:
#   "Acme/Shop", "https://github.com/acme/shop.git", "ssh://git@host:7999/acme/shop.git", "git@host:acme/shop.git",
#   "https://gitlab.com/acme/web/shop/-/tree/main", "https://dev.azure.com/org/project/_git/shop", "https://host/scm/acme/shop.git".
# null when there is nothing.
def repo:
  if . == null or . == "" then null
  # a name as most tools have it needs none of the rest
  elif type == "string" and test("^[A-Za-z0-9_-][A-Za-z0-9_.-]*/[A-Za-z0-9_-][A-Za-z0-9_.-]*$") and (endswith(".git") or startswith("scm/") | not)
  then ascii_downcase
  else tostring | ascii_downcase | sub("[?#].*$"; "") | sub("^\\s+"; "") | sub("[/\\s]+$"; "")
  | sub("^git\\+"; "")
  | (if test("^[a-z][a-z0-9+.-]*://") then sub("^[a-z][a-z0-9+.-]*://([^/@]*@)?"; "")
     elif test("^([^/@:]+@)?[^/@:]+\\.?[^/@:]*:[^/].*/") then sub("^([^/@]+@)?"; "") | sub(":"; "/")
     elif test("^(github|gitlab|codeberg|bitbucket|git|dev\\.azure)\\.[a-z0-9.-]+/[^/]+/") then .
     else "/" + . end)
  | (capture("^(?<host>[^/]*)/+(?<path>.*)$") // {host: "", path: .})
  | .host as $host
  | .path | sub("\\.git$"; "") | sub("/-/.*$"; "")
  | (if $host == "github.com" or $host == "bitbucket.org" or $host == "codeberg.org" then (split("/") | .[0:2] | join("/") | sub("\\.git$"; ""))
     elif $host == "api.github.com" then sub("^repos/"; "") | (split("/") | .[0:2] | join("/"))
     elif ($host | test("(^|\\.)(dev\\.azure\\.com|visualstudio\\.com)(:|$)")) then
       # the organisation stands in the host of the old addresses
       (if ($host | endswith(".visualstudio.com")) and $host != "vs-ssh.visualstudio.com" then ($host | split(".")[0]) + "/" + . else . end)
       | sub("^v3/"; "") | sub("/defaultcollection/"; "/")
       # a repository named like its project is addressed without it
       | (if test("^[^/]+/_git/[^/]+") then sub("^(?<o>[^/]+)/_git/(?<r>[^/]+).*$"; .o + "/" + .r + "/" + .r)
          else sub("/_git/"; "/") | (split("/") | .[0:3] | join("/")) end)
     elif test("^(scm|projects/[^/]+/repos)/") then
       # Bitbucket Data Center
       sub("^scm/"; "") | sub("^projects/"; "") | sub("/repos/"; "/") | (split("/") | .[0:2] | join("/"))
     else . end)
  | if . == "" then null else . end end;

# The last part of a repository's name: the best guess of the service when nothing else names one.
def repo_name: repo | if . == null then null else split("/") | last end;

# A commit's full hash.
def is_sha: type == "string" and (length == 40 or length == 64) and test("^[0-9a-fA-F]+$") and (test("^0+$") | not);

# A login of a program. (A tool that says so itself is asked first.)
def is_bot: (. // "") | tostring | ascii_downcase | endswith("[bot]") or startswith("dependabot") or startswith("renovate");

# The number of the pull request that this one takes back, from its title and description (one text, or an
# object with `title` and `body`); null if none. With the repository: not one of another repository.
def reverts_number(repository):
  (repository | repo) as $repo
  | (if type == "object" then [.title, .body] else [., .] end | map(if type == "string" then . else "" end)) as [$title, $body]
  | first_of(
      # "Reverts acme/shop#12" (GitHub), "This reverts merge request !12" (GitLab), "Reverts !12", "Reverts #12", "Revert PR #12"
      ($body | capture("(^|[^a-z])revert(s|ed|ing)?:?\\s+(merge request|pull request|mr|pr)?\\s*(?<where>[a-z0-9_./-]*)[#!](?<n>[0-9]{1,9})"; "i")
       | select(.where == "" or $repo == null or (.where | repo) == $repo) | .n),
      # the title that quotes a squashed commit: Revert "Fix the till (#12)"
      ($title | capture("^\\s*revert\\s+\".*\\([#!](?<n>[0-9]{1,9})\\)\"[^\"]*$"; "i") | .n))
  | if . == null then null else tonumber end;
def reverts_number: reverts_number(null);

# --- Names that mean something ------------------------------------------------------------------------

# The environment in a longer name: "shop-prod" → "production", "shop-staging-2" → "staging". A name that is an
# environment's as such, with or without a region, is kept: "prod-eu" → "prod-eu". null when nothing is recognised.
def environment_guess:
  def word:
    if . == "production" or . == "prod" or . == "prd" or . == "live" then "production"
    elif test("^(stag(e|ing)?[0-9]*|stg|preprod|preproduction)$") then "staging"
    elif test("^(nonprod|nonproduction)$") then "non-production"
    elif test("^dev(el|elop|elopment)?[0-9]*$") then "development"
    elif test("^test(ing)?[0-9]*$") then "test"
    elif test("^(qa|uat|sandbox|demo|preview)[0-9]*$") then sub("[0-9]+$"; "")
    else null end;
  def region: test("^([0-9]+[a-z]?|eu|us|usa|uk|gb|de|fr|nl|ie|ca|br|in|jp|au|sg|ap|sa|me|af|emea|apac|amer|latam|global|asia|europe|america|east|west|north|south|central|(north|south)(east|west)|[a-z]{2,9}(east|west|north|south|central)[0-9]?|(east|west|north|south|central)[a-z]{2,9}[0-9]?)$");
  if type != "string" or . == "" then null
  else ascii_downcase
  | gsub("^\\s+|\\s+$"; "") as $name
  | ($name | gsub("(?<p>pre|non)[-_. ]prod"; .p + "prod") | [splits("[^a-z0-9]+") | select(. != "")]) as $words
  | [$words[] | word | values] as $found
  | if ($found | length) == 0 then null
    elif ($words | length) == 1 then $found[0]
    elif ($words[0] | word) != null and ([$words[1:][] | region] | all) then $name
    # "shop-production-preview": what is not production says more than what is
    else first_of(($found[] | select(. != "production")), $found[0]) end
  end;

# The environment that a tool names exactly: its name, but "production" where the tool marks it as production and
# the name says no environment of its own ("Production – shop", "shop.example.com").
def environment_named(name; production):
  (name | as_id) as $name | ($name | environment_guess) as $guess
  | if production == true and ($guess == null or $guess == "production") then "production" else $name end;

# critical, major, minor or info from what tools call it; null when nothing is recognised.
def severity_guess:
  def word:
    if test("^(page|critical|crit|fatal|disaster|emergency|emerg|blocker|urgent|highest|p0|p1|s1|sev0|sev1|severity1)$") then "critical"
    elif test("^(high|major|error|err|p2|s2|sev2|severity2)$") then "major"
    elif test("^(medium|moderate|minor|average|warning|warn|p3|s3|sev3|severity3)$") then "minor"
    elif test("^(low|lowest|info|information|informational|notice|debug|p4|p5|s4|s5|sev4|sev5|severity4|severity5)$") then "info"
    else null end;
  if . == null then null
  else tostring | ascii_downcase | gsub("(?<p>\\b(p|s|sev|severity))[-_ ]+(?<n>[0-5])"; .p + .n)
  | first_of(splits("[^a-z0-9]+") | select(. != "") | word) end;

# critical, major, minor or info from a label, where nothing but that is in it: "sev1", "P2", "critical",
# "severity: high", "priority::low". null otherwise.
def label_severity:
  if type != "string" then null
  else ascii_downcase | sub("^(severity|priority|prio|impact|urgency)[^a-z0-9]+"; "")
  | if test("^((p|s|sev|severity)[-_ ]?[0-5]|[a-z]+)$") then severity_guess else null end end;

# --- Container images -----------------------------------------------------------------------------------

# The tag of "registry:5000/acme/shop:1.4@sha256:…"; without one the digest; null without either.
def image_tag:
  if type != "string" or . == "" then null
  else split("@") as $at | ($at[0] | split("/") | last | split(":")) as $name
  | if ($name | length) > 1 then ($name[1:] | join(":")) else $at[1] end
  | if . == "" then null else . end end;

# Everything before the tag: "registry:5000/acme/shop".
def image_repository:
  if type != "string" or . == "" then null
  else split("@")[0] | split("/") | (last |= split(":")[0]) | join("/") end;

# The last part of that, the best guess of a service: "shop".
def image_name: image_repository | if . == null then null else split("/") | last end;

# A monitor's notice of a check of its (`id`, `service`, `since`, `up`, …), by the settings that each of them has: `as`
# (where it is "auto", what that means here) and `shortest`. Vigie makes outages of such notices, so that a notice of up
# need not say which outage it ends.
def check_notice($settings; $auto):
  {kind: "check"} + . + {
    counts_as: (if $settings.as == "auto" then $auto else $settings.as end),
    shortest: (if $settings.shortest > 0 then $settings.shortest | ceil else null end),
    at: .since
  } | drop_nulls;

# The notice that something is up whose outages would not count: it still ends one that did when it began.
def bare_notice: {kind: "check", id: .id, since: .since, up: true, at: .since};

# The service in a name that holds its environment as well: "shop-prod" → "shop", "prod-shop" → "shop". Only at the
# ends, and only words that are hardly ever a service's own; null if nothing is left.
def service_guess:
  slug | if . == null then null
  else sub("-(production|prod|prd|live|staging|stage|stg|preprod|preproduction|development|dev|qa|uat|sandbox)$"; "")
  | sub("^(production|prod|prd|staging|stg|preprod)-"; "") end;

# --- Incidents of other tools ---------------------------------------------------------------------------

# The first incident of another tool that a text links to, as "source:id" for `same_as`; null if none. Only of the
# sources named, which must be called like their connectors: links to others would be listed as unknown.
def linked_incident(sources):
  if type != "string" or . == "" then null
  else . as $text
  | { pagerduty: "https://[a-z0-9.-]+\\.pagerduty\\.com/incidents/(?<id>[A-Z0-9]+)",
      opsgenie: "https://[a-z0-9.-]*opsgenie\\.com/alert/(detail|show)/(?<id>[0-9a-f-]{36})",
      newrelic: "https://[a-z0-9.-]*newrelic\\.com/[^\\s\"]*issues/(?<id>[0-9a-f-]{36})",
      sentry: "https://[a-z0-9.-]*sentry[a-z0-9.-]*/(organizations/[^/\\s]+/)?issues/(?<id>[0-9]+)",
      jira: "https://[a-z0-9.-]+/(jira/)?browse/(?<id>[A-Z][A-Z0-9_]+-[0-9]+)" } as $addresses
  | first_of(sources | if type == "array" then .[] else . end
      | . as $source | $addresses[$source] // empty
      | . as $address | $text | capture($address) | $source + ":" + .id)
  end;

# The service in the name of a deploying job: "Deploy - Checkout (prod)" → "checkout". null if nothing is left.
def service_of_job:
  slug | if . == null then null
  else [split("-")[] | select(. as $w | ["deploy", "deploys", "deploying", "deployment", "release", "rollout", "job", "pipeline", "workflow", "to"] | index($w) | not)]
  | join("-") | service_guess end;
