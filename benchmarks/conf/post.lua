-- Post one prepared request again and again. The one argument names a file: header lines, an empty line, the body.
-- "{{n}}" in the body, and in one header, becomes a number that differs in every request, where a partner wants each
-- request to have its own.
local head, tail, numbered, value_head, value_tail
local count = 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  local text = file:read("*a")
  file:close()
  local at, after = text:find("\n\n", 1, true)
  for name, value in text:sub(1, at):gmatch("([^:\n]+): ([^\n]*)\n") do
    wrk.headers[name] = value
    local from, to = value:find("{{n}}", 1, true)
    if from then
      numbered, value_head, value_tail = name, value:sub(1, from - 1), value:sub(to + 1)
    end
  end
  wrk.method = "POST"
  wrk.body = text:sub(after + 1)
  local from, to = wrk.body:find("{{n}}", 1, true)
  if from then
    head, tail = wrk.body:sub(1, from - 1), wrk.body:sub(to + 1)
    request = function()
      count = count + 1
      local number = string.format("%08d", count)
      if numbered then
        wrk.headers[numbered] = value_head .. number .. value_tail
      end
      return wrk.format("POST", nil, nil, head .. number .. tail)
    end
  end
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '{"calls": %d, "seconds": %.6f, "refused": %d, "broken": %d, "p50": %.6f, "p99": %.6f}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))
end
