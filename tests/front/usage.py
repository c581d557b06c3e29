"""Events of use: in blocks of a day, found again one by one."""
import gzip, json, os, random, re, subprocess, tempfile, threading, time
import engine
import tracked_site
from browser import Browser
from garant import TOP, Server, check, check_absent, milliseconds, policy_file
from people import form, opened, staff, visitor

NOW = "2026-11-23T09:00:00Z"


def body(number):
    return {"identity": {"first_name": "A", "last_name": str(number)},
            "contact": {"email": f"u{number}@exemple.example", "phone": f"+3312345{number:04}", "address": "1 rue A"},
            "work": {"company": "C", "site": "S"}}


def member(server):
    boss = staff(server, body(90), "u90@exemple.example", "account_staff")
    return opened(server, body(1), opener=boss, folders=[{"folder": "dossier", "name": "A", "why": "B"}])


def held(app, ident):
    return app.get(f"/v1/subjects/{ident}/access").expect(200).json["data"].get("usage", [])


def blocks(server):
    with engine.base(server.data, write=True) as db:
        return [row[0] for row in db.execute("SELECT LENGTH(sealed) FROM record WHERE category = 'usage' ORDER BY 1")]


def register(tests):
    @tests.test("usage: in any order, in any request, again and again, events are each kept once, in the order of time, in few rows")
    def any_order():
        draw = random.Random(13)
        with Server("mxplorerplace", now=NOW) as server:
            tracker, app = server.client("tracker"), server.client("app")
            ident = member(server)
            times = [f"2026-11-{draw.choice((20, 21)):02}T{draw.randrange(24):02}:{draw.randrange(60):02}:{draw.randrange(60):02}.{draw.randrange(1000):03}Z"
                     for _ in range(400)]
            sent = [{"id": f"e{number}", "subject": ident, "at": at, "fields": {"page": f"/p/{number}", "action": "view", "response_ms": number}}
                    for number, at in enumerate(times)]
            taken = 0
            for turn in range(2):
                draw.shuffle(sent)
                rest = list(sent)
                while rest:
                    some = rest[:draw.choice((1, 7, 60))]
                    rest = rest[len(some):]
                    taken += tracker.post("/v1/usage", {"events": some}).expect(200).json["taken"]
                check(taken == len(sent), f"turn {turn}: {taken} of {len(sent)} were taken")
            rows = held(app, ident)
            check([row["fields"]["page"] for row in rows] ==
                  [f"/p/{number}" for number in sorted(range(len(times)), key=lambda n: times[n])], "not each of them, in the order of time")
            check(all(row["fields"]["response_ms"] == int(row["fields"]["page"][3:]) and row["at"][:19] == row["fields"]["at"][:19] for row in rows),
                  "not as they were sent")
            sizes = blocks(server)
            check(len(sizes) < len(sent) / 4 and sizes[-1] < 1000, f"{len(sizes)} rows, {sizes[-1]} bytes")
            app.delete(f"/v1/subjects/{ident}/records/usage?item={rows[0]['item']}").refused("invalid-value", status=422)
            app.delete(f"/v1/subjects/{ident}/records/usage").expect(204)
            check(held(app, ident) == [] and blocks(server) == [], "not gone")

    @tests.test("usage: an event goes on the day of its term, with those of its day, and is there the day before")
    def term():
        with Server("mxplorerplace", now=NOW) as server:
            tracker, app = server.client("tracker"), server.client("app")
            ident = member(server)
            tracker.post("/v1/usage", {"events": [{"id": at, "subject": ident, "at": at, "fields": {"page": "/" + at[8:10], "action": "view"}} for at in (
                "2026-11-20T08:00:00Z", "2026-11-20T21:30:00Z", "2026-11-21T08:00:00Z")]}).expect(200)
            for now, there in (("2027-11-19T22:00:00Z", ["/20", "/20", "/21"]), ("2027-11-20T22:00:00Z", ["/21"]), ("2027-11-21T22:00:00Z", [])):
                server.set_clock(milliseconds(now))
                server.sweep()
                told = app.get(f"/v1/subjects/{ident}/access")
                check([row["fields"]["page"] for row in held(app, ident)] == there, f"{now}: {told.body[:300]}")

    @tests.test("usage: killed at any moment, what was acknowledged is there, and what is sent again after the start is each there once")
    def killed():
        with Server("mxplorerplace", now=NOW) as server:
            ident, app = member(server), server.client("app")
            said, over = {}, threading.Event()

            def send(turn, thread):
                tracker = server.client("tracker")
                for number in range(1000):
                    events = [{"id": f"{turn}-{thread}-{number}-{n}", "subject": ident, "at": f"2026-11-22T{number % 24:02}:{thread:02}:{n:02}Z",
                               "fields": {"page": f"/{turn}/{thread}/{number}/{n}", "action": "view"}} for n in range(10)]
                    said[turn, thread, number] = (events, False)
                    try:
                        tracker.post("/v1/usage", {"events": events}).expect(200)
                    except Exception:                              # the server was killed: nothing was said
                        return
                    said[turn, thread, number] = (events, True)
                    if over.is_set():
                        return
            for turn in range(3):
                threads = [threading.Thread(target=send, args=(turn, thread)) for thread in range(4)]
                known = sum(done for _, done in said.values())
                for thread in threads:
                    thread.start()
                while sum(done for _, done in list(said.values())) < known + 20:
                    over.wait(0.01)
                server.kill()
                for thread in threads:
                    thread.join()
                server.start()
                pages = [row["fields"]["page"] for row in held(app, ident)]
                check(len(pages) == len(set(pages)), "an event is there twice")
                lost = [event["id"] for events, done in said.values() if done for event in events if event["fields"]["page"] not in set(pages)]
                check(not lost, f"{len(lost)} acknowledged events are lost: {lost[:3]}")
            for events, _ in said.values():
                server.client("tracker").post("/v1/usage", {"events": events}).expect(200)
            pages = [row["fields"]["page"] for row in held(app, ident)]
            check(sorted(pages) == sorted(event["fields"]["page"] for events, _ in said.values() for event in events), "not each of them once")

    @tests.test("usage: the script tells what the policy declares, once that was accepted, and keeps nothing on the device")
    def script():
        with open(os.path.join(TOP, policy_file("myportal")), encoding="utf-8") as file:
            text = tracked_site.policy(file.read(), "site.example")
        more = "".join(f"      {name}: {{type: text, required: false, max: 200, title: {{fr: A, en: A}}}}\n" for name in ("action", "target", "error"))
        text = text.replace("      referrer: {type: text", more + "      referrer: {type: text", 1)
        with tempfile.TemporaryDirectory(prefix="garant-usage-") as folder:
            path, told = os.path.join(folder, "policy.yaml"), os.path.join(folder, "told.json")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            with Server(path) as server:
                served = server.anyone().get("/embed/usage.js").expect(200).body
                check(len(gzip.compress(served, 9)) <= 3000, f"{len(gzip.compress(served, 9))} bytes")
                says = json.loads(re.search(r"\n\((\{.*\})\);\s*$", served.decode())[1])
                check({"page", "action", "target", "error"} <= set(says["fields"]) and "audience" in says["asked"] and says["exempt"] == [], f"{says}")
                with open(told, "w", encoding="utf-8") as file:
                    json.dump({"garant": f"http://127.0.0.1:{server.port}", "asked": "audience", "fields": says["fields"]}, file)
                ran = subprocess.run(["node", os.path.join(TOP, "tests/browser/usage.mjs"), told], capture_output=True, text=True, timeout=300, check=False)
                check(ran.returncode == 0 and json.loads(ran.stdout) == [], f"{ran.stdout} {ran.stderr[-1000:]}")
        with Server("tests/lib/small.yaml") as server:
            server.anyone().get("/embed/usage.js").refused("not-found", status=404)

    @tests.test("usage: the picture of one pixel counts views of the sites' own pages alone, as the policy and the person let it")
    def picture():
        more = ("  seen:\n    title: {fr: \"Compte les pages vues.\", en: \"Counts pages seen.\"}\n    kind: pixel\n    purpose: statistics\n"
                "    exempt: audience\n    lifetime: session\n    personal: false\n    identifies: false\n    where: [account]\n")
        with open(os.path.join(TOP, policy_file("mxplorerplace")), encoding="utf-8") as file:
            said = file.read().replace("trackers:\n", more + "trackers:\n  sites: [www.mxplorerplace.example]\n", 1)
        with tempfile.TemporaryDirectory(prefix="garant-picture-") as folder:
            path = os.path.join(folder, "policy.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(said)
            with Server(path, now=NOW) as server:
                of_person(server)
        with open(os.path.join(TOP, policy_file("deskmanager")), encoding="utf-8") as file:
            said = file.read().replace("cookies:\n", "cookies:\n" + more.replace("statistics", "audience").replace("[account]", "[public]"), 1)
        with tempfile.TemporaryDirectory(prefix="garant-picture-") as folder:
            path = os.path.join(folder, "policy.yaml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(said.replace("acts: [read, send, consent]", "acts: [read, send, consent]").replace(
                    "purposes: [marketing, contests]\n", "purposes: [marketing, contests, audience]\n"))
            with Server(path, now=NOW) as server:
                of_nobody(server)
        with Server("tests/lib/small.yaml") as server:
            server.anyone().get("/embed/usage.gif?purpose=service").refused("not-found", status=404)

    @tests.test("usage: lines of nobody count as visits by day, in a table that shares no value with any other, for 25 months at most")
    def visits():
        with open(os.path.join(TOP, policy_file("deskmanager")), encoding="utf-8") as file:
            said = file.read()
        check(said.count("visits: {from: event, active: 25mo}") == 1, "the policy has another term")
        with tempfile.TemporaryDirectory(prefix="garant-visits-") as folder:
            policy, log = os.path.join(folder, "policy.yaml"), os.path.join(folder, "site.log")
            with open(policy, "w", encoding="utf-8") as file:
                file.write(said.replace("visits: {from: event, active: 25mo}", "visits: {from: event, active: 5y}")
                           .replace("purposes: [marketing, contests]\n    acts: [read, send, consent]", "purposes: [marketing, contests, audience]\n"
                                    "    acts: [read, send, consent]"))
            with Server(policy, now=NOW) as server:
                visits_of(server, log)


OWN_PAGE = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "image", "User-Agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/145.0 planted-agent"}
STRANGE = (                                     # what the browser says of anything but a picture on a page of the sites
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": None}, {"Sec-Fetch-Dest": "document"}, {"Sec-Fetch-Dest": None},
    {"Referer": None}, {"Referer": "https://evil.example/planted-page"}, {"Referer": "https://www.evil.example?https://www.mxplorerplace.example/"},
    {"Referer": "planted"}, {"Sec-GPC": "1"})


def seen(who, purpose, page, **more):
    """The picture, as a browser asks for it on that page; always the same one, which sets no cookie and is kept by nobody."""
    sent = {name: value for name, value in {**OWN_PAGE, "Referer": page, **more}.items() if value is not None}
    told = who.get(f"/embed/usage.gif?purpose={purpose}", **sent).expect(200)
    check(told.body[:6] == b"GIF89a" and told.headers["content-type"] == "image/gif" and "set-cookie" not in told.headers and
          told.headers["cache-control"] == "no-store" and told.headers["cross-origin-resource-policy"] == "same-site", f"{told.headers}")


def of_person(server):
    app, page = server.client("app"), "https://www.mxplorerplace.example/planted-page?q=planted-query#planted"
    ident = member(server)
    who = visitor(server, "u1@exemple.example")
    for strange in STRANGE:
        seen(who, "statistics", page, **strange)
    seen(server.anyone(), "statistics", page)
    for purpose in ("service", "planted", "improvement"):                        # no tracker of theirs is declared
        seen(who, purpose, page)
    check(held(app, ident) == [], f"recorded: {held(app, ident)}")
    seen(who, "statistics", page)
    server.advance(seconds=1)
    seen(who, "statistics", f"http://127.0.0.1:{server.port}/planted-own", **{"Sec-Fetch-Site": "same-origin"})
    rows = [{name: row["fields"].get(name) for name in ("page", "action", "browser", "system")} for row in held(app, ident)]
    check(rows == [{"page": page, "action": "view", "browser": "Firefox 145", "system": "Windows"} for page in ("/planted-page", "/planted-own")], f"{rows}")
    check_absent(["planted-page", "planted-query", "planted-agent"], server.data)
    app.put(f"/v1/subjects/{ident}/objections/statistics").expect(204)
    seen(who, "statistics", page)
    check(len(held(app, ident)) == 2, "an objection is passed over")


def of_nobody(server):
    for strange in STRANGE:
        seen(server.anyone(), "audience", "https://deskmanager.example/planted-a", **strange)
    for _ in range(12):
        seen(server.anyone(), "audience", "https://deskmanager.example/planted-a?q=planted-query")
    seen(server.anyone(), "personalisation", "https://deskmanager.example/planted-a")
    check_absent(["planted-a", "planted-query", "planted-agent"], server.data)
    server.set_clock(milliseconds("2026-12-02T10:00:00Z"))
    told = server.client("app").get("/v1/usage/audience?purpose=audience&month=2026-11&by=page").expect(200).json
    check((told["rows"], told["views"]) == ([{"key": "/planted-a", "views": 12}], 12), f"{told}")


def line(user, day, path, address="192.0.2.77"):
    return (f'{address} - {user} [{day}:08:00:00 +0000] "GET {path} HTTP/1.1" 200 5 "https://planted-from.example/" '
            '"Mozilla/5.0 (Windows NT 10.0) Firefox/145.0"\n')


def imported(server, log):
    told = json.loads(server.run("usage", "import", log, "--json"))
    return {name: told[name] for name in ("taken", "visits", "nobody", "over", "bad")}


def values_by_table(server):
    """What each table holds, but for small numbers and what names the instance's parts."""
    with engine.base(server.data, write=True) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {table: {value for row in db.execute(f'SELECT * FROM "{table}"') for value in row if isinstance(value, (bytes, str)) and len(value) >= 16}
                for table in tables}


def visits_of(server, log):
    app = server.client("app")
    ident = app.create({"contact": {"name": "Clarisse Planted", "email": "clarisse@conso.example", "phone": "+33611110001", "address": "1 rue A"},
                        "account": {"screen_name": "clarisse", "login": "login-1"}})["id"]
    with open(log, "w", encoding="utf-8") as file:
        file.writelines([line("-", "20/Nov/2026", "/planted-a")] * 12 + [line("-", "21/Nov/2026", "/planted-b?q=planted-query")] * 3 +
                        [line(ident, "20/Nov/2026", "/planted-a")] * 2 + [line("stranger@conso.example", "20/Nov/2026", "/planted-a"),
                                                                         line("-", "01/Sep/2024", "/planted-old")])
    check(imported(server, log) == {"taken": 2, "visits": 15, "nobody": 1, "over": 1, "bad": 0}, "the first time")
    check(imported(server, log) == {"taken": 0, "visits": 0, "nobody": 0, "over": 0, "bad": 0}, "again")
    held = values_by_table(server)
    check(len(held["audience"]) >= 4, f"{held['audience']}")
    for table, values in held.items():
        check(table == "audience" or not values & held["audience"], f"{table} has a value of the audience's")
    check_absent(["192.0.2.77", "planted-a", "planted-b", "planted-query", "planted-from"], server.data)
    asked = "/v1/usage/audience?purpose=audience&month=2026-11&by="
    app.get(asked + "page").refused("invalid-value", status=422)                                     # the month is not over
    app.erase(ident)
    server.set_clock(milliseconds("2026-12-02T10:00:00Z"))
    told = app.get(asked + "page").expect(200).json
    check((told["rows"], told["others"], told["views"], told["min_group"]) == ([{"key": "/planted-a", "views": 12}], 3, 15, 10), f"{told}")
    told = app.get(asked + "day").expect(200).json
    check((told["rows"], told["others"]) == ([{"key": "2026-11-20", "views": 12}], 3), f"{told}")
    visits_page(server)
    app.get(asked + "ip").refused("undeclared", status=422)
    app.get(asked.replace("purpose=audience", "purpose=improvement") + "day").refused("undeclared", status=422)
    server.client("contest_site").get(asked + "day").refused("forbidden", status=403)
    for now, there in (("2028-12-19T10:00:00Z", 15), ("2028-12-20T10:00:00Z", 3), ("2028-12-21T10:00:00Z", 0)):
        server.set_clock(milliseconds(now))
        wait_until(lambda there=there: app.get(asked + "day").expect(200).json["views"] == there, f"{now}: not {there} visits")


def visits_page(server):
    """The same for staff of a role that has the purpose, as a page and as CSV; below the least group together."""
    data = {"contact": {"name": "Desk Planted", "email": "desk@conso.example"}, "account": {"screen_name": "desk"}}
    desk = Browser.of(server, staff(server, data, "desk@conso.example", "campaigns", language="en"))
    page = desk.submit(desk.get("/staff/audience").expect(200), "/staff/audience", by="page", month="2026-11").expect(200)
    page.has("/planted-a", "Seen less often, together")
    check("planted-b" not in str(page.html) and ">12<" in str(page.html) and ">3<" in str(page.html), f"{page.html}")
    table = desk.submit(page, "/staff/audience.csv").expect(200).body
    check((table if isinstance(table, str) else table.decode()).splitlines() == ["key,views", '"/planted-a","12"', "others,3", "all,15"], f"{table}")
    desk.submit(page, "/staff/audience", by="page", month="2026-12").expect(422)
    other = {"contact": {"name": "Books Planted", "email": "books@conso.example"}, "account": {"screen_name": "books"}}
    books = staff(server, other, "books@conso.example", "accounting")
    form(books, "/staff/audience", csrf=books.csrf, purpose="audience", by="page", month="2026-11").expect(403)
    form(books, "/staff/audience.csv", csrf=books.csrf, purpose="audience", by="page", month="2026-11").expect(403)


def wait_until(holds, otherwise):
    """What time brings is brought within the minute; a busy machine may need longer."""
    for _ in range(600):
        if holds():
            return
        time.sleep(0.2)
    check(False, otherwise)
