-- What wrk sends: each picture of a folder in turn as a form's field `file`; and what it says.
--   wrk ... -s load.lua URL -- PICTURES DELAY
-- PICTURES: files 0.jpg, 1.jpg, ...   DELAY: each connection's mean pause in milliseconds, 0 for none
-- (exponential, so that requests come as from many who know nothing of each other).

local requests, delays, last = {}, 0, 0

function init(arguments)
  local folder = arguments[1]
  delays = tonumber(arguments[2])
  wrk.headers["Content-Type"] = "multipart/form-data; boundary=pawsight"
  while true do
    local file = io.open(folder .. "/" .. #requests .. ".jpg", "rb")
    if not file then break end
    local part = '--pawsight\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n' ..
      "Content-Type: image/jpeg\r\n\r\n" .. file:read("*a") .. "\r\n--pawsight--\r\n"
    file:close()
    requests[#requests + 1] = wrk.format("POST", nil, nil, part)
  end
end

function request()
  last = last % #requests + 1
  return requests[last]
end

function delay()
  if delays == 0 then return 0 end
  return math.floor(-delays * math.log(1 - math.random()) + 0.5)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'JSON {"seconds": %f, "requests": %d, "refused": %d, "failed": {"connecting": %d, ' ..
    '"reading": %d, "writing": %d, "in time": %d}, "percentiles": {',
    summary.duration / 1e6, summary.requests, errors.status,
    errors.connect, errors.read, errors.write, errors.timeout))
  for step = 1, 1000 do
    io.write(string.format('%s"%.1f": %f', step > 1 and "," or "", step / 10,
      latency:percentile(step / 10) / 1e6))
  end
  io.write("}}\n")
end
