-- wrk: signed deliveries of GitHub, each with an id of its own (or all with one: nothing is new then).
-- Arguments after `--`: a file with a line for each body (its signature, a tab, the body), "new" or "same".
local bodies, same, thread, count = {}, false, 0, 0
local threads = 0

function setup(own)
  own:set("thread", threads)
  threads = threads + 1
end

function init(arguments)
  for line in io.lines(arguments[1]) do
    local signature, body = line:match("^(%x+)\t(.*)$")
    bodies[#bodies + 1] = { signature, body }
  end
  same = arguments[2] == "same"
  run = arguments[3] or "0"
end

function request()
  count = count + 1
  local one = bodies[same and 1 or (count * 2 + thread) % #bodies + 1]
  return wrk.format("POST", "/v1/hooks/github", {
    ["Content-Type"] = "application/json",
    ["X-GitHub-Event"] = "deployment_status",
    ["X-GitHub-Delivery"] = same and "same" or (run .. "-" .. thread .. "-" .. count),
    ["X-Hub-Signature-256"] = "sha256=" .. one[1],
  }, one[2])
end
