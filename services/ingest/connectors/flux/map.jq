# An event of Flux's controllers, as the notification controller posts it. Its `metadata` holds the revision, with or
# without the controller's prefix, and what the Alert's eventMetadata adds.

def meta(name): .body.metadata? // {} | objects
  | first_of(.[name]?, (to_entries[] | select(.key | endswith(".toolkit.fluxcd.io/" + name)) | .value));

# "main@sha1:1f2e…", "main/1f2e…" (old), "v1.2.3@sha1:…", "latest@sha256:…" (an OCI artifact)
def commit: if type != "string" then null else [scan("[0-9a-fA-F]{40,64}")] | map(select(is_sha)) | last end;
def branch: if type != "string" then null
  else split("@")[0] | sub("/[0-9a-fA-F]{40,64}$"; "") | sub("^refs/heads/"; "")
  | if test("^sha(1|256):") or test("^v?[0-9]+\\.[0-9]") or is_sha or . == "latest" then null else . end end;

def common:
  (.body.involvedObject.name | need("body.involvedObject.name")) as $name
  | ((meta("service") // $name) | service_guess | need("body.involvedObject.name")) as $service
  | {
      kind: "deployment",
      service: $service,
      environment: first_of(.settings.environment, meta("environment"), meta("env"),
        (.body.involvedObject.namespace?, $name, meta("cluster") | environment_guess)),
      repository: (meta("repository") | repo),
      trigger: "pipeline",
      matches: {
        name: $name,
        namespace: .body.involvedObject.namespace?,
        kind: .body.involvedObject.kind?,
        cluster: meta("cluster"),
        repository: (meta("repository") | repo)
      }
    };

def when: .body.timestamp | time | need("body.timestamp");

def object: "\(.body.involvedObject.namespace? // "default")/\(.body.involvedObject.name)";

# --- HelmRelease -------------------------------------------------------------------------------------------
# "Helm upgrade succeeded for release apps/shop.v5 with chart shop@1.2.3": every release of Helm has its own number.
def release_number: .body.message? // "" | first_of(capture("release (?<r>[^\\s]+\\.v?[0-9]+) with chart") | .r);

# The application's version where the chart says it, else the chart's.
def helm_revision: first_of(meta("app-version"), meta("revision"),
  (.body.message? // "" | capture("with chart [^\\s@]+@(?<v>[^\\s:]+)") | .v)) | if . == null then null else sub(":$"; "") end;

def helm:
  .body.reason as $reason
  | when as $when
  | common + {revision: helm_revision, finished_at: $when, at: $when}
  + (if $reason == "InstallSucceeded" or $reason == "UpgradeSucceeded" then
       {id: first_of(release_number, "\(object)@\($when)"), outcome: "succeeded"}
     elif $reason == "RollbackSucceeded" then
       # it says to which release it went back, not the number that it became
       {id: "\(object)/rollback@\($when)", outcome: "succeeded", rollback: true}
     else
       # the same version is tried again and again: one failed deployment
       {id: "\(object)/failed/\(helm_revision // "")\(meta("token") // "" | if . == "" then . else "#" + . end)", outcome: "failed"} end)
  | drop_nulls;

# --- Kustomization -------------------------------------------------------------------------------------------
# One revision of a Kustomization is one deployment, announced by several events: what was applied, its health, and later,
# for the same revision, mended drift and health lost and found, which are no deployment any more. Therefore the first
# of each kind counts, and of the kinds health found outweighs health missed, that the mere applying, and that the failure
# to apply (which is tried again). The event with the latest `at` wins: each kind's time is mirrored at a year of its own.
def kustomization(outcome; year):
  when as $when
  | (meta("originRevision") // meta("revision")) as $revision
  | if $revision == null then empty else
    common + {
      id: "\(object)@\(meta("revision") // $revision)",
      revision: first_of(($revision | commit), $revision),
      branch: ($revision | branch),
      outcome: outcome, finished_at: $when, at: mirrored("\(year)-01-01T00:00:00Z"; $when)
    } | drop_nulls end;

def kustomize:
  .body.reason as $reason
  | (.body.message? // "" | tostring) as $message
  | if .body.severity? == "error" then
      if $reason == "HealthCheckFailed" then kustomization("failed"; 2018)
      elif ["ReconciliationFailed", "BuildFailed", "ValidationFailed"] | index($reason) then kustomization("failed"; 2006)
      else empty end
    elif ($message | test("^health check passed"; "i")) or $reason == "ReconciliationSucceeded" then kustomization("succeeded"; 2024)
    elif $message | test("(^|\\n)[^\\s]+ (created|configured)\\s*(\\n|$)") then kustomization("succeeded"; 2012)
    else empty end;

. as $root
| if (.body.involvedObject? | type) != "object" or (.body.involvedObject.name? | fits($root.settings.ignore)) then empty
  elif .body.involvedObject.kind? == "HelmRelease" then
    if .body.reason? as $r | ["InstallSucceeded", "UpgradeSucceeded", "RollbackSucceeded", "InstallFailed", "UpgradeFailed", "RollbackFailed", "TestFailed"] | index($r)
    then helm else empty end
  elif .body.involvedObject.kind? == "Kustomization" then kustomize
  else empty end
