# The Notification plugin posts a job with one of its builds, in phases: QUEUED, STARTED, COMPLETED, FINALIZED.
# The times are milliseconds: of STARTED when it began, of COMPLETED when it ended, of FINALIZED now.

# "job/web/job/deploy-shop/" is "web/deploy-shop"; `name` holds only the last part.
def full_name: first_of(
  (.body.url? | strings | sub("^/+"; "") | [splits("/?job/")] | map(rtrimstr("/") | select(. != "")) | join("/") | @text | gsub("%2F"; "/")),
  .body.name?);

# The value of the first of these parameters that the build has.
def parameter(names):
  (.body.build.parameters? // {} | objects | with_entries(.key |= ascii_downcase)) as $parameters
  | first_of(names[] | $parameters[ascii_downcase]?);

def branch: .body.build.scm.branch? | if type == "string" then sub("^(refs/heads/|refs/remotes/)"; "") | sub("^origin/"; "") | select(. != "" and . != "detached") else empty end;

# A multibranch job is named after its branch; what is above it is what is built.
def job_name: (first_of(branch) // "") as $branch
  | full_name | split("/")
  | if length > 1 and (.[-1] == $branch or (.[-1] | gsub("%2[fF]"; "/")) == $branch) then .[-2] else .[-1] end;

def status: .body.build.status? // "" | ascii_upcase;

def outcome:
  status as $s
  | if $s == "SUCCESS" then "succeeded"
    elif $s == "UNSTABLE" then .settings.unstable
    elif $s == "FAILURE" then "failed"
    elif $s == "ABORTED" then "cancelled"
    else null end;

def deployment:
  .body.build as $build
  | (first_of(parameter(.settings.service_parameters), (job_name | service_of_job), ($build.scm.url? | repo_name))
     | service_guess | need("the name of body.url")) as $service
  | {
      kind: "deployment",
      service: $service,
      environment: first_of(.settings.environment,
        (parameter(.settings.environment_parameters) | if . == null then null else environment_guess // (tostring | ascii_downcase) end),
        (full_name | environment_guess)),
      id: "\(full_name)#\($build.number | need("body.build.number"))",
      revision: (first_of($build.scm.commit?, parameter(.settings.revision_parameters)) | as_id),
      repository: ($build.scm.url? | repo),
      branch: first_of(branch),
      url: $build.full_url?,
      matches: {
        job: full_name,
        repository: ($build.scm.url? | repo),
        branch: first_of(branch)
      }
    };

def events:
  .body.build as $build
  | ($build.timestamp? | time) as $time
  | $build.phase as $phase
  | if $phase == "STARTED" then
      ($time | need("body.build.timestamp")) as $time
      | deployment + {started_at: $time, at: $time}
    elif outcome != null then
      ($time | need("body.build.timestamp")) as $time
      | deployment + {outcome: outcome, finished_at: $time, at: $time}
      + (if $phase == "COMPLETED" and ($build.duration? // 0) > 0 then {started_at: ($time | plus_seconds(-$build.duration / 1000))} else {} end)
    else empty end
  | drop_nulls;

if (.body.build? | type) == "object" and (.body.build.phase? as $p | ["STARTED", "COMPLETED", "FINALIZED"] | index($p) != null)
   and (. as $root | full_name | fits($root.settings.jobs))
then events else empty end
