# Stack updates ("generic JSON"). The payload holds no time at all: the delivery's arrival stands for it.

# Something other than "same": an update that found everything in place changed nothing.
def changed: .resourceChanges? | if type != "object" then true else [to_entries[] | select(.key != "same" and (.value // 0) != 0)] | length > 0 end;

def deployment:
  .body as $b
  | (.received_at | time | need("received_at")) as $when
  | ($b.projectName | need("body.projectName")) as $project
  | ($b.stackName | need("body.stackName") | split("/") | last) as $stack
  | first_of($b.organization.githubLogin?, $b.organization.name?) as $organization
  | {
      kind: "deployment",
      service: ($project | service_guess | need("body.projectName")),
      environment: first_of(.settings.environment, ($stack, $project | environment_guess)),
      # https://app.pulumi.com/acme/website/prod/updates/42
      id: (first_of(($b.updateUrl? // "" | capture("/updates/(?<n>[0-9]+)") | .n), .id, $b.updateUrl?) | need("body.updateUrl")
           | "\($project)/\($stack)/\(.)"),
      category: .settings.category,
      finished_at: $when,
      outcome: $b.result,
      url: $b.updateUrl?,
      matches: {project: $project, stack: $stack, organization: $organization},
      at: $when
    } | drop_nulls;

. as $root
| if .body.isPreview? != true and (.body.kind? as $k | $root.settings.operations | index($k) != null)
    and (.body.result? == "succeeded" or .body.result? == "failed") and (.type == null or .type == "stack_update")
    and (.body.result == "failed" or (.body | changed))
  then deployment else empty end
