-- The requests of a benchmark, for wrk: wrk … -s bench/load.lua URL -- ACT TOKEN STAMP SKIP IDS
-- ACT: create, keyed (create with an Idempotency-Key), get, lookup, consent, export, erase, authorize, session, signin, file, health, choice (about
-- trackers, from a page of a site, each from another address behind a proxy: TOKEN is the version of the policy, the hash of what was shown, the
-- site's origin and the purposes, with blanks between; one in two is a refusal). STAMP makes
-- the addresses new. IDS: a file of subject ids, a line each, with their e-mail (authorize: the name of a folder) after a blank; erase takes
-- each once, from line SKIP on. For session each id is a Cookie header, | for each blank behind a semicolon, and they take turns; for signin TOKEN is
-- the password of all.
-- Prints one JSON line at the end.
local count = 0

function setup(thread)
    thread:set("number", count)
    count = count + 1
    threads = count
end

local function read_ids(path)
    local ids, mails = {}, {}
    for line in io.lines(path) do
        local id, mail = line:match("(%S+) (%S+)")
        ids[#ids + 1], mails[#mails + 1] = id, mail
    end
    return ids, mails
end

local act, stamp, ids, mails, headers, at, step, password, choices

function init(args)
    act, stamp = args[1], args[3]
    headers = { ["Authorization"] = "Bearer " .. args[2], ["Content-Type"] = "application/json" }
    if act == "session" then
        headers = {}
    end
    if act == "signin" then
        headers, password = { ["Content-Type"] = "application/json" }, args[2]
    end
    if act == "choice" then
        local version, wording, origin, purposes = args[2]:match("(%S+) (%S+) (%S+) (%S+)")
        headers = { ["Content-Type"] = "application/json", ["Origin"] = origin, ["X-Forwarded-Proto"] = "https" }
        local body = '{"version":"' .. version .. '","wording":"' .. wording .. '","method":"banner","given":['
        choices = { body .. "]}", body .. '"' .. purposes:gsub(",", '","') .. '"]}' }
    end
    ids, mails = read_ids(args[5])
    math.randomseed(number * 7919 + 17)
    at = tonumber(args[4]) + number            -- each thread its own part of the ids: every second, third… one
    step = tonumber(args[6])
end

local function create()
    at = at + step
    local name = string.format("%s-%d-%d", stamp, number, at)
    return wrk.format("POST", "/v1/subjects", headers, string.format(
        '{"data":{"identity":{"first_name":"Camille","last_name":"Bernard %s"},' ..
        '"contact":{"email":"%s@bench.example","phone":"+33612345678"}},"source":"person"}', name, name))
end

local function event()
    at = at + step
    local second = math.floor(at / 100)
    return string.format('{"id":"%s-%d-%d","subject":"%s","at":"2026-11-%02dT%02d:%02d:%02d.%03dZ","fields":{"page":"/page-%d","action":"view",' ..
        '"response_ms":%d}}', stamp, number, at, ids[math.random(#ids)], 1 + math.floor(second / 36000) % 20, 8 + math.floor(second / 3600) % 10,
        math.floor(second / 60) % 60, second % 60, at % 100 * 10, at % 37, at % 400)
end

local acts = {
    create = create,
    event = function() return wrk.format("POST", "/v1/usage", headers, '{"events":' .. event() .. "}") end,
    events = function()
        local some = {}
        for n = 1, 100 do
            some[n] = event()
        end
        return wrk.format("POST", "/v1/usage", headers, '{"events":[' .. table.concat(some, ",") .. "]}")
    end,
    keyed = function()
        headers["Idempotency-Key"] = string.format("%s/%d/%d", stamp, number, at)
        return create()
    end,
    get = function()
        return wrk.format("GET", "/v1/subjects/" .. ids[math.random(#ids)] .. "?purpose=service", headers)
    end,
    lookup = function()
        return wrk.format("POST", "/v1/subjects/lookup", headers,
            '{"identifier":{"contact.email":"' .. mails[math.random(#mails)] .. '"},"purpose":"service"}')
    end,
    consent = function()
        return wrk.format("POST", "/v1/subjects/" .. ids[math.random(#ids)] .. "/consents", headers,
            '{"purpose":"news","decision":"given"}')
    end,
    export = function()
        return wrk.format("GET", "/v1/subjects/" .. ids[math.random(#ids)] .. "/export", headers)
    end,
    erase = function()
        at = at + step
        return wrk.format("POST", "/v1/subjects/" .. (ids[at] or "00000000000000000000000000") .. "/erase", headers, "{}")
    end,
    authorize = function()
        local n = math.random(#ids)
        return wrk.format("POST", "/v1/authorize", headers, '{"subject":"' .. ids[n] .. '","folder":"file","name":"' .. mails[n] .. '"}')
    end,
    session = function()
        at = at % #ids + 1
        headers["Cookie"] = (ids[at]:gsub("|", "; "))
        return wrk.format("GET", "/v1/forward-auth", headers)
    end,
    signin = function()
        return wrk.format("POST", "/v1/session", headers,
            '{"identifier":"' .. mails[math.random(#mails)] .. '","password":"' .. password .. '"}')
    end,
    choice = function()
        headers["X-Forwarded-For"] = string.format("10.%d.%d.%d", math.random(0, 255), math.random(0, 255), math.random(1, 254))
        return wrk.format("POST", "/v1/trackers/choices?lang=en", headers, choices[math.random(2)])
    end,
    file = function() return wrk.format("GET", "/file.txt", headers) end,
    health = function() return wrk.format("GET", "/healthz", headers) end,
}

function request() return acts[act]() end

function done(summary, latency)
    io.write(string.format('\n{"requests":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,"max_ms":%.3f,"refused":%d,"broken":%d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
        latency.max / 1000, summary.errors.status,
        summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
