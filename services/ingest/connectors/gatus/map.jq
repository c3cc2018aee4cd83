# Gatus, through its `custom` alert provider (with the template of README.md) or its `gitlab` one (GitLab's alert format,
# sent to any address).

# --- What the two providers send, in one shape ---

def custom:
  .body
  | select(type == "object" and (.status == "TRIGGERED" or .status == "RESOLVED"))
  | {
      name: first_of(.endpoint_name),
      group: first_of(.endpoint_group),
      url: first_of(.endpoint_url),
      description: first_of(.description),
      resolved: (.status == "RESOLVED")
    };

def gitlab:
  .body
  | select(type == "object" and has("fingerprint") and has("monitoring_tool"))
  # the endpoint's display name is "group/name"
  | (first_of(.service) // "" | tostring | capture("^((?<group>.*)/)?(?<name>[^/]*)$")) as $endpoint
  | {
      name: first_of($endpoint.name),
      group: first_of($endpoint.group),
      # where the site names the service in the provider's settings, only the address tells endpoints apart
      url: first_of(.hosts),
      # the alert's own description is quoted in a longer text
      description: first_of(.description | strings | capture("\n> (?<text>[^\n]+)") | .text),
      severity: (first_of(.severity) | severity_guess),
      environment: first_of(.gitlab_environment_name | strings),
      resolved: (first_of(.end_time) != null),
      at: first_of((.end_time, .start_time) | time)
    };

def notice($input):
  {
    id: (if has("at") then [.group, .name, .url] else [.group, .name] end | map(values) | join("/") | as_id | need("endpoint_name")),
    # the custom provider has no time to give
    since: (.at // $input.received_at),
    up: .resolved,
    service: (.name | service_guess | need("endpoint_name")),
    environment: first_of(.environment, $input.settings.environment, (.group | environment_guess), (.name | environment_guess)),
    severity: .severity,
    title: (if .resolved then null
      else ["\([.group, .name] | map(values) | join("/")) is down", .description] | map(values) | join(": ") | short(10000) end),
    matches: {endpoint: (.name | as_id), group: (.group | as_id), url: (.url | as_id)}
  }
  | check_notice($input.settings; "both");

. as $input
| first(gitlab, custom)
| .severity = (first_of(.severity, $input.settings.severity) | severity_guess)
| (.severity as $s | $input.settings.severities | index([$s]) != null) as $counts
| if $counts then notice($input) elif .resolved then notice($input) | bare_notice else empty end
