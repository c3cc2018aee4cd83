# Events of EventBridge, as they are (an API destination) or wrapped by SNS.

def event: .body
  | if .Type? == "Notification" and (.Message? | type) == "string" then ([.Message | try fromjson catch null] | .[0]) else . end
  | if type == "object" then . else {} end;

# --- ECS Deployment State Change -----------------------------------------------------------------------------------
# resources: ["arn:aws:ecs:eu-west-1:111122223333:service/shop-prod/checkout"]; old services have no cluster in theirs.
def ecs(root):
  .detail as $d
  | (first_of(.resources[]? | strings | select(test(":service/")) | capture(":service/(?<path>.+)$") | .path)
     | need("the service's ARN in resources") | split("/")) as $path
  | (if ($path | length) > 1 then $path[0] else null end) as $cluster
  | $path[-1] as $name
  | (first_of($d.updatedAt?, .time?) | time | need("detail.updatedAt")) as $when
  | {
      kind: "deployment",
      service: ($name | service_guess | need("the service's name")),
      environment: first_of(root.settings.environment, ($cluster, $name | environment_guess)),
      id: ($d.deploymentId | need("detail.deploymentId")),
      # the circuit breaker starts another deployment, back to the one before
      rollback: (if ($d.reason? // "") | test("rolling back"; "i") then true else null end),
      matches: {ecs_service: $name, cluster: $cluster, account: .account?, region: .region?},
      at: $when
    }
  + (if $d.eventName == "SERVICE_DEPLOYMENT_IN_PROGRESS" then {started_at: $when}
     elif $d.eventName == "SERVICE_DEPLOYMENT_COMPLETED" then {outcome: "succeeded", finished_at: $when}
     else {outcome: "failed", finished_at: $when} end)
  | drop_nulls;

# --- CodeDeploy Deployment State-change Notification -------------------------------------------------------------------
def codedeploy(root):
  .detail as $d
  | (.time | time | need("time")) as $when
  | {
      kind: "deployment",
      service: ($d.application | service_guess | need("detail.application")),
      environment: first_of(root.settings.environment, ($d.deploymentGroup?, $d.application | environment_guess)),
      id: ($d.deploymentId | need("detail.deploymentId")),
      matches: {application: $d.application, deployment_group: $d.deploymentGroup?, account: .account?, region: first_of($d.region?, .region?)},
      at: $when
    }
  + ({START: {started_at: $when},
      SUCCESS: {outcome: "succeeded", finished_at: $when},
      FAILURE: {outcome: "failed", finished_at: $when},
      STOP: {outcome: "cancelled", finished_at: $when}}[$d.state])
  | drop_nulls;

. as $root
| event
| if (.detail? | type) != "object" then empty
  elif .source? == "aws.ecs" and .["detail-type"]? == "ECS Deployment State Change"
    and (.detail.eventName? as $n | ["SERVICE_DEPLOYMENT_IN_PROGRESS", "SERVICE_DEPLOYMENT_COMPLETED", "SERVICE_DEPLOYMENT_FAILED"] | index($n) != null) then ecs($root)
  elif .source? == "aws.codedeploy" and .["detail-type"]? == "CodeDeploy Deployment State-change Notification"
    and (.detail.state? as $n | ["START", "SUCCESS", "FAILURE", "STOP"] | index($n) != null) then codedeploy($root)
  else empty end
