"""The load of mxplorerplace's servers: counted by hour without people, forecast with an honest band, told before it is too much, and forgotten."""
import contextlib, html, json, re, time
import engine
from browser import Browser
from garant import DAY, add_months, check, check_absent, milliseconds, moment
from mx import in_role, person
from promise import part, promise
from seasonal import AHEAD, WEEK, forecast, log_of, rounded, uses
from terms import Terms
from traces import counts as counts_of

NOW, HOUR, WEEKS = "2026-11-22T10:00:00Z", 3_600_000, 14
MEASURES = ("events", "requests", "response", "storage")


def metrics(server):
    """Each line of /metrics by its name and labels."""
    text = server.anyone().get("/metrics").expect(200).body.decode()
    return {name: float(value) for name, value in re.findall(r"^(\S+) (\S+)$", text, re.M)}


def requests_of(server):
    return sum(value for name, value in metrics(server).items() if name.startswith("garant_requests_total"))


def next_hour(server):
    """The servers' own figures once the hour that ends now stands there: it is written when the jobs see that it is over."""
    turns = 'garant_job_turns_total{job="load"}'
    until, end = metrics(server).get(turns, 0) + 2, time.monotonic() + 20
    while metrics(server).get(turns, 0) < until and time.monotonic() < end:     # it knows which hour it is
        time.sleep(0.1)
    server.set_clock(server.now() + HOUR)
    app = server.client("app")
    while time.monotonic() < end:
        told = {measure: app.get(f"/v1/capacity?measure={measure}").expect(200).json for measure in MEASURES[1:]}
        if told["requests"]["hours"]["values"][-1:] > [0] and told["storage"]["hours"]["values"][-1:] > [0]:
            return {measure: one["hours"]["values"] for measure, one in told.items()}
        time.sleep(0.1)
    raise AssertionError(f"the hour was not written: {told['requests']['hours']}")


def over(server):
    """Hours of the table from before its term. What the server itself did fourteen months later is younger, and stands there if its hour was seen to end."""
    with contextlib.closing(engine.base(server.data)) as base:
        term = (server.now() - 13 * 31 * DAY) // HOUR
        return base.execute("SELECT count(*) FROM load WHERE hour < ?", (term,)).fetchone()[0]


def by_weekday(first, counts):
    """Means of the last eight weeks by weekday and hour in France, where winter begins within them."""
    cells = {}
    for number in range(len(counts) - 8 * WEEK, len(counts)):
        at = (first + number) * HOUR
        local = moment(at + (2 if at < milliseconds("2026-10-25T01:00:00Z") else 1) * HOUR)
        cells.setdefault((local.isoweekday(), local.hour), []).append(counts[number])
    return {cell: (rounded(sum(values) / len(values)), max(values)) for cell, values in cells.items()}


def in_browser(server, number, role="analyst"):
    """The browser of another member of staff: sessions end while the clock goes on."""
    browser = Browser(server)
    browser.cookies = dict(in_role(server, number, role).cookies)
    return browser


def near(told, computed):
    return len(told) == len(computed) == AHEAD and all(abs(a - rounded(b)) <= 1 for a, b in zip(told, computed))


@promise("MX-16")
def history_sizes_the_servers(t):
    """Retention runs by category; history by hour and weekday with a forecast and its band are shown to who sizes the servers, and are of nobody."""
    with part("each category is erased at its term, and none earlier"):
        with t.server(now=NOW) as one:
            check(Terms(one).run() >= 4, "its terms were not tried")
    first, counts = uses(milliseconds(NOW) // HOUR, WEEKS)
    value, low, high = forecast([float(count) for count in counts])
    limit = int((max(value) + max(high)) / 2)
    check(max(counts[-24:]) < limit, "the limit would be reached already")
    policy = t.copy_of_policy(lambda text: text.replace("events: 20000", f"events: {limit}"))
    server = t.server(policy=policy, now=NOW)
    app, tracker, made = server.client("app"), server.client("tracker"), server.client("app").create(person(1))["id"]
    told = app.get("/v1/capacity").expect(200).json
    check(told["hours"]["values"] == [] and told["weeks"] == 0 and "forecast" not in told, f"before anything was counted: {told}")
    path = log_of(t.path("uses.json"), made, first, counts)
    taken = json.loads(server.run("usage", "import", path, "--format", "json", "--category", "usage", "--json"))
    check(taken["taken"] == sum(counts), f"the log: {str(taken)[:300]}")
    told = app.get("/v1/capacity?measure=events").expect(200).json
    page = in_browser(server, 93)
    with part("load by hour and weekday, as counted by hand: by page, API and command"):
        check(milliseconds(told["hours"]["from"]) == first * HOUR and told["hours"]["values"] == counts, "the hours are not as counted by hand")
        cells = {(cell["weekday"], cell["hour"]): (cell["mean"], cell["most"]) for cell in told["weekdays"]}
        check(cells == by_weekday(first, counts), "the weekdays are not as counted by hand")
        check(json.loads(server.run("capacity", "events", "--json")) == told, "the command tells something else")
        shown = html.unescape(page.get("/staff/capacity?lang=en").expect(200).body.decode())
        rows = re.findall(r'<tr><th scope="row">(\d\d):00</th>(.*?)</tr>', shown, re.S)
        check({(day + 1, int(hour)): cell for hour, row in rows for day, cell in enumerate(re.findall(r">(\d+)</td>", row))}
              == {cell: str(mean) for cell, (mean, _) in cells.items()}, "the page's table by weekday and hour")
    with part("each event once, whoever sends it again"):
        again = json.loads(server.run("usage", "import", path, "--format", "json", "--category", "usage", "--json"))
        sent = {"events": {"id": "once", "subject": made, "at": "2026-11-22T09:10:00Z", "fields": {"action": "view"}}}
        for _ in range(2):
            tracker.post("/v1/usage", sent).expect(200)
        counts[-1] += 1
        check(again["taken"] == 0 and app.get("/v1/capacity").expect(200).json["hours"]["values"] == counts, "something was counted twice")
    value, low, high = forecast([float(count) for count in counts])
    told = app.get("/v1/capacity").expect(200).json
    with part("a forecast of four weeks with its band, as computed a second time: by page, API and command"):
        check(told["weeks"] == WEEKS and milliseconds(told["forecast"]["from"]) == (first + len(counts)) * HOUR, f"{told['weeks']}, {told['forecast']['from']}")
        for name, computed in (("value", value), ("low", low), ("high", high)):
            check(near(told["forecast"][name], computed), f"{name}: {told['forecast'][name][:24]}, not {[round(one, 1) for one in computed[:24]]}")
        check(all(a <= b <= c for a, b, c in zip(told["forecast"]["low"], told["forecast"]["value"], told["forecast"]["high"])), "the band is not around it")
        check(json.loads(server.run("capacity", "--json"))["forecast"] == told["forecast"], "the command tells another")
        for language in ("en", "fr"):
            shown = html.unescape(page.get(f"/staff/capacity?measure=events&lang={language}").expect(200).body.decode())
            for day in told["days_ahead"]:
                check(re.search(rf">{day['value']}</td><td[^>]*>{day['low']}–{day['high']}</td>", shown), f"the page's table: {day}")
            drawn = {name: len(points.split()) for name, points in re.findall(r'<poly\w+(?: class="(\w+)")? points="([^"]+)"', shown)}
            check(drawn == {"": len(told["days"]), "ahead": len(told["days_ahead"]), "band": 2 * len(told["days_ahead"])}, f"the picture: {drawn}")
    with part("of hours held back nine in ten lie in the band, and the error is smaller than a naive forecast's"):
        trial, known = told["trial"], [float(count) for count in counts]
        tried, its_low, its_high = forecast(known[:-AHEAD])
        inside = sum(rounded(a) <= b <= rounded(c) for a, b, c in zip(its_low, known[-AHEAD:], its_high))
        naive = sum(abs(one - known[-AHEAD - WEEK + number % WEEK]) for number, one in enumerate(known[-AHEAD:])) / AHEAD
        error = sum(abs(one - expected) for one, expected in zip(known[-AHEAD:], tried)) / AHEAD
        check(trial == {"points": AHEAD, "inside": inside, "error": rounded(error), "naive": rounded(naive)}, f"{trial}, not {inside} {error} {naive}")
        check(0.85 * AHEAD <= inside <= 0.95 * AHEAD and error < naive, f"{inside} of {AHEAD}, {error} {naive}")
        shown = html.unescape(page.get("/staff/capacity?lang=en").expect(200).body.decode())
        check(f"{inside} of {AHEAD}" in shown, "the page does not say so")
    with part("a limit that nears is told: on the page, to whoever sizes the servers at their first page, and to /metrics"):
        reaches = next(number for number, one in enumerate(told["forecast"]["high"]) if one >= limit)
        check((told["limit"], told["alarm"]) == (limit, "near") and milliseconds(told["reaches"]) == (first + len(counts) + reaches) * HOUR, f"{told['alarm']}")
        server.set_clock(server.now() + HOUR)
        server.sweep()
        found = metrics(server)
        check(found['garant_capacity_alarm{measure="events"}'] == 1 and found['garant_capacity_limit{measure="events"}'] == limit, f"{found}")
        check(limit > found['garant_capacity_expected{measure="events"}'] >= max(told["forecast"]["value"]) - 1, "the most that is expected")
        says = "The limit may be reached"
        page = in_browser(server, 94)
        for path in ("/staff/capacity", "/staff"):
            page.get(path + "?lang=en").expect(200).has(says)
        with open(policy, encoding="utf-8") as file:
            text = file.read()
        with open(policy, "w", encoding="utf-8") as file:
            file.write(text.replace(f"events: {limit}", f"events: {max(counts[-24:])}").replace('version: "', 'version: "9', 1))
        server.operator().post("/v1/policy/reload").expect(200)
        server.set_clock(server.now() + HOUR)
        server.sweep()
        check(metrics(server)['garant_capacity_alarm{measure="events"}'] == 3, "a limit that was reached")
    with part("answered requests, their times and the storage are counted too"):
        next_hour(server)
        begun = requests_of(server)
        for _ in range(40):
            app.get("/v1/capacity").expect(200)
        ended, own = requests_of(server), next_hour(server)
        check(40 <= ended - begun <= own["requests"][-1] <= ended - begun + 60, f"{own['requests']}, {begun} {ended}")
        check(0 < own["response"][-1] < 30_000_000 and own["storage"][-1] > 100_000, f"{own}")
        for _ in range(20):
            app.get("/v1/capacity").expect(200)
        server.restart()
        check(next_hour(server)["requests"][-1] >= 20, "an orderly stop loses its hour")
        page = in_browser(server, 95)
        for measure in MEASURES[1:]:
            page.get(f"/staff/capacity?measure={measure}&lang=en").expect(200).has("Load of the servers")
    with part("who objects to it, or is restricted, is not counted; an erasure leaves no trace but the sum"):
        objecting, restricted = (app.create(person(number))["id"] for number in (2, 3))
        app.put(f"/v1/subjects/{objecting}/objections/capacity").expect(204)
        sent = {"events": [{"id": f"of-{who}", "subject": who, "fields": {"action": "view", "page": "/planted/opposé"}} for who in (objecting, restricted)]}
        was = sum(app.get("/v1/capacity").expect(200).json["hours"]["values"])
        check(tracker.post("/v1/usage", sent).expect(200).json["taken"] == 2, "what serves other purposes is not taken")
        app.put(f"/v1/subjects/{restricted}/restriction", {"ground": "accuracy"}).expect(204)
        more = {"events": [{"id": f"more-{who}", "subject": who, "fields": {"action": "view"}} for who in (objecting, restricted)]}
        check(tracker.post("/v1/usage", more).expect(200).json["taken"] == 1, "a restriction stops nothing")
        server.set_clock(server.now() + HOUR)
        check(sum(app.get("/v1/capacity").expect(200).json["hours"]["values"]) == was + 1, "one who objects is counted, or one who did not is not")
        app.erase(made)
        told = app.get("/v1/capacity").expect(200).json
        check(sum(told["hours"]["values"]) == was + 1 and made not in json.dumps(told), "the sums changed, or name somebody")
        check_absent(["/planted/grille-1", "/planted/opposé"], server.folder)
    with part("for who works for that purpose alone"):
        outsider = in_browser(server, 96, "account_staff")
        outsider.get("/staff/capacity").expect(403)
        check("The limit" not in outsider.get("/staff?lang=en").expect(200).read.text, "the first page tells them")
        tracker.get("/v1/capacity").refused(status=403)
        server.anyone().get("/v1/capacity").expect(401)
    with part("kept for its own term, beyond that of the events, and no longer"):
        server.set_clock(add_months(server.now(), 14))
        server.sweep()
        check(app.get("/v1/capacity").expect(200).json["hours"]["values"][0] == counts[0], "the sums went with the events")
        check(counts_of(server.data)["load"] > len(counts) * 0.9, "rows of the table went before")
        server.set_clock(add_months(milliseconds(NOW), 26))
        server.sweep()
        check(over(server) == 0, "rows of the table are kept beyond the term")
        for measure in MEASURES:
            hours = app.get(f"/v1/capacity?measure={measure}").expect(200).json["hours"]
            check(not hours["values"] or milliseconds(hours["from"]) > server.now() - 13 * 31 * DAY, f"{measure}: kept beyond the term: {hours.get('from')}")
