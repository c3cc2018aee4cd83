# A deploy as Netlify posts it, with its `state`.

# What is wrong with it.
def failure: .body.error_message? // "" | tostring;

def outcome:
  if .body.state == "ready" then
    # a production deploy that isn't published (publishing is locked) has not reached anybody
    (if (.body.context? // "production") == "production" and (.body.published_at? | time) == null then null else "succeeded" end)
  elif .body.state == "error" then (if failure | test("cancel(l)?ed"; "i") then "cancelled" else "failed" end)
  elif .body.state == "rejected" then "cancelled"
  else null end;

def deployment:
  .body as $b
  | ($b.created_at? | time) as $created
  | first_of((if $b.state == "ready" then $b.published_at? else null end), $b.updated_at?, $b.published_at?) as $ended
  | outcome as $outcome
  | ($b.name | need("body.name")) as $site
  | {
      kind: "deployment",
      service: ($site | slug | need("body.name")),
      environment: (if $b.context == "production" or $b.context == null then null
        elif $b.context == "deploy-preview" then "preview"
        else ($b.branch? | environment_guess // slug) // $b.context end),
      id: ($b.id | need("body.id")),
      revision: $b.commit_ref?,
      # https://github.com/acme/shop/commit/1f2e…
      repository: ($b.commit_url? | if type == "string" then sub("/(-/)?commits?/.*$"; "") | repo else null end),
      branch: $b.branch?,
      started_at: $created,
      trigger: (if ($b.commit_ref? // "") == "" then "manual" else "pipeline" end),
      url: (if ($b.admin_url? // "") == "" then null else $b.admin_url + "/deploys/" + $b.id end),
      matches: {site: $site, branch: $b.branch?, repository: ($b.commit_url? | if type == "string" then sub("/(-/)?commits?/.*$"; "") | repo else null end)}
    }
  + (if $outcome == null then {at: ($created | need("body.created_at"))}
     else ($ended | time | need("body.updated_at")) as $ended | {outcome: $outcome, finished_at: $ended, at: $ended} end)
  | drop_nulls;

. as $root
| if (.body.state? as $s | ["ready", "error", "rejected", "new", "enqueued", "building", "uploading", "uploaded", "preparing", "prepared", "processing"] | index($s)) == null
    or (.body.site_id? // "") == "" then empty
  elif .body.skipped? == true or (failure | test("^skipped"; "i")) then empty
  elif .body.context? == "deploy-preview" and ($root.settings.previews | not) then empty
  else deployment end
