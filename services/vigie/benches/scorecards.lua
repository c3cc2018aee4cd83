-- wrk: the nine metrics of one service over 90 days, a GraphQL request each.
-- Arguments after `--`: the number of services to go through in turn (1: equal requests), the window's two ends.
local services, to, from = 1000, "2026-10-31T00:00:00Z", "2026-08-02T00:00:00Z"
local at = 0

function init(arguments)
  services = tonumber(arguments[1] or "1000")
  from = arguments[2] or from
  to = arguments[3] or to
end

local head = '{"query":"{ scorecard(scope: {service: [\\"service-%04d\\"]}, window: {from: \\"%s\\", to: \\"%s\\"}) '
  .. '{ metrics { name unit value noData numerator denominator sampleSize status level target { objective } } } }"}'

function request()
  local body = string.format(head, at, from, to)
  at = (at + 1) % services
  return wrk.format("POST", "/graphql", { ["Content-Type"] = "application/json" }, body)
end
