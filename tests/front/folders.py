"""Folders and preferences from outside: who may grant, who may ask, two tenants, and a real nginx that asks before it lets a request through."""
import http.server, json, os, re, tempfile, threading, time, urllib.parse
from browser import Browser
from garant import TOP, Client, Server, check, check_absent, garant, milliseconds
from nginx import Nginx
from people import PASSWORD, Visitor, opened, visitor
from words import event

POLICY = "tests/front/folders.yaml"
FILE = {"folder": "file", "name": "sales"}


def person(client, number=1):
    return client.create({"identity": {"name": f"Planted Name {number}"}, "contact": {"email": f"zoe.{number}@example.org"}})["id"]


def grant(client, ident, name="sales", why="works on it", **more):
    return client.post(f"/v1/subjects/{ident}/folders", {"folder": "file", "name": name, "why": why, **more})


def revoke(client, ident, name="sales", why="left the team"):
    return client.request("DELETE", f"/v1/subjects/{ident}/folders", {"folder": "file", "name": name, "why": why})


def asked(client, ident, name="sales", **more):
    return client.post("/v1/authorize", {"subject": ident, "folder": "file", "name": name, **more})


def started(**options):
    return Server(POLICY, tenant="one", **options)


# ---- A proxy and an application behind it. ----

class Application:
    """An application that says what reached it: the target, and every header."""

    def __init__(self):
        self.seen = seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                seen.append(self.path)
                body = json.dumps({"path": self.path, "headers": [[name.lower(), value] for name, value in self.headers.items()]}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            do_POST = do_GET

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def behind(garant_port, application_port):
    """An nginx with the configuration that docs/forward-auth.md prints, but for the addresses."""
    with open(os.path.join(TOP, "docs/forward-auth.md"), encoding="utf-8") as file:
        site = next(block for block in re.findall(r"```nginx\n(.*?)```", file.read(), re.S) if "listen" in block)
    for before, after in (("listen 443 ssl;", "listen 127.0.0.1:PORT;"), ("127.0.0.1:8080", f"127.0.0.1:{garant_port}"),
                          ("127.0.0.1:3000", f"127.0.0.1:{application_port}"), ("folder=dossier", "folder=file")):
        check(before in site, f"the configuration has no {before}")
        site = site.replace(before, after)
    return Nginx(site)


def reached(answer):
    """What reached the application: its target, and its headers, each name with all values."""
    said = answer.expect(200).json
    headers = {}
    for name, value in said["headers"]:
        headers.setdefault(name, []).append(value)
    return said["path"], headers


def register(tests):
    @tests.test("folders: a system that lists the tenants which it serves gets no token of another, and an older one opens nothing there")
    def served():
        with tempfile.TemporaryDirectory(prefix="garant-served-") as folder:
            with open(os.path.join(TOP, POLICY), encoding="utf-8") as file:
                text = file.read()
            path, line = os.path.join(folder, "policy.yaml"), "counter: {purposes: [statistics], acts: [read, write]}"
            check(line in text, "the policy has another system")

            def write(more):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text.replace(line, line.replace("}", more + "}")))
            write("")
            with Server(path, tenant="one") as server:
                idents = {name: person(server.client("app", name)) for name in ("one", "two")}
                counters = {name: server.client("counter", name) for name in ("one", "two")}
                for name, counter in counters.items():
                    counter.get(f"/v1/subjects/{idents[name]}?purpose=statistics").expect(200)
                write(", tenants: [one]")
                server.operator().post("/v1/policy/reload").expect(200)
                counters["one"].get(f"/v1/subjects/{idents['one']}?purpose=statistics").expect(200)
                counters["two"].get(f"/v1/subjects/{idents['two']}?purpose=statistics").refused("unauthorised", status=401)
                server.operator().post("/v1/tokens", {"name": "again", "actor": "counter", "tenant": "two"}).refused(
                    "forbidden", status=403, clause=r"^systems\.counter$")
                server.operator().post("/v1/tokens", {"name": "again", "actor": "counter", "tenant": "one"}).expect(201)

    @tests.test("folders: /me does not say that nothing is held where access to folders is; it leads to the page that has it")
    def own_page():
        with started() as server:
            ident = opened(server, {"identity": {"name": "Zoé"}, "contact": {"email": "zoe@example.org"}})
            zoe = visitor(server, "zoe@example.org", tenant="one")

            def sections():
                page = zoe.get("/me", Accept="text/html").expect(200).body.decode()
                held, nothing = page.split('<p class="after"><strong>')
                return 'href="/me/rights">' in held.split('id="held"')[1], nothing.split("</ul>")[0]

            shown, nothing = sections()
            check(not shown and nothing.count("<li>") > 0, f"before any grant: {nothing}")
            before = nothing.count("<li>")
            grant(server.client("clerk"), ident).expect(201)
            shown, nothing = sections()
            check(shown and nothing.count("<li>") == before - 1, f"after a grant: {nothing}")

    @tests.test("folders: granted, asked, taken back; each act and refusal on record")
    def life():
        with started(now="2026-11-22T10:00:00Z") as server:
            app, clerk = server.client("app"), server.client("clerk")
            ident = person(app)
            check(asked(app, ident).expect(200).json["allowed"] is False, "allowed before any grant")
            check(asked(app, ident).json["clause"]["path"] == "folders.file", "the clause is not named")
            made = grant(clerk, ident, by="Planted Clerk", until="2026-12-31").expect(201)
            check("sales" not in made.body.decode(), "the answer, which is kept, holds the folder's name")
            check(asked(app, ident).expect(200).json == {"allowed": True, "until": "2026-12-31T23:00:00.000Z", "grant": 1}, "not allowed")
            check(asked(clerk, ident, purpose="service").expect(200).json["allowed"], "asked by a clerk")
            check(not asked(app, ident, "sales/2026").json["allowed"] and not asked(app, ident, "Sales").json["allowed"], "another folder")
            grant(clerk, ident, "audience", "covers for a colleague").expect(201)
            revoke(clerk, ident).expect(204)
            check(not asked(app, ident).json["allowed"], "a revoked grant holds")
            revoke(clerk, ident).refused("not-found", status=404)
            rows = app.get(f"/v1/subjects/{ident}/folders").expect(200).json["folders"]
            check([(row["name"], row["allowed"], len(row["history"])) for row in rows] == [("audience", True, 1), ("sales", False, 2)], f"{rows}")
            history = rows[1]["history"]
            check([(h["act"], h["why"], h["by"], h["actor"]) for h in history] ==
                  [("granted", "works on it", "Planted Clerk", "clerk"), ("revoked", "left the team", None, "clerk")], f"{history}")
            access = app.get(f"/v1/subjects/{ident}/access").expect(200).json
            check(access["folders"] == rows and rows[0]["category"] == "access", "the access answer has other folders")
            said = [look["says"] for look in access["looks"]]
            check(said.count(event("folder.granted")) == 2 and said.count(event("folder.revoked")) == 1
                  and said.count(event("refusal")) == 5, f"{said}")
            files, data = app.export(ident)
            check(data["folders"] == rows and "audience" in files["index.html"].decode(), "the export lacks them")
            metrics = server.anyone().get("/metrics").body.decode()
            time.sleep(5.1)
            metrics = server.anyone().get("/metrics").body.decode()
            check('garant_folder_checks_total{outcome="allowed"} 2' in metrics and 'garant_folder_checks_total{outcome="refused"} 5' in metrics,
                  "checks are not counted")
            check_absent(["audience-planted", "Planted Clerk", "covers for a colleague", "left the team"], server.data)
            server.advance(days=31)
            server.sweep()
            rows = app.get(f"/v1/subjects/{ident}/folders").expect(200).json["folders"]
            check([row["name"] for row in rows] == ["audience"] and asked(app, ident, "audience").json["allowed"], f"at the term: {rows}")

    @tests.test("folders: wrong actors, wrong values, two tenants")
    def wrong():
        with started() as server:
            app, clerk = server.client("app"), server.client("clerk")
            ident = person(app)
            for name in ("app", "visitor", "counter"):
                answer = grant(server.client(name), ident)
                if name == "visitor":
                    answer.refused("forbidden", status=403, clause="^roles.visitor")
                else:
                    answer.refused("forbidden", status=403, clause=r"^folders\.file\.granted_by")
            grant(server.operator(), ident).refused("forbidden", status=403, clause=r"^folders\.file\.granted_by")
            asked(server.client("counter"), ident).refused("forbidden", status=403, clause=r"^systems\.counter")
            server.client("counter").get(f"/v1/subjects/{ident}/folders").refused("forbidden", status=403)
            clerk.post(f"/v1/subjects/{ident}/folders", {**FILE, "folder": "files", "why": "x"}).refused("undeclared", status=422, clause="^folders")
            for wrong, code, field in (({"why": ""}, "missing-field", "why"), ({"name": ""}, "missing-field", "name"), ({"why": " "}, "missing-field", "why"),
                                       ({"until": "yesterday"}, "invalid-value", "until"),
                                       ({"why": "4111 1111 1111 1111"}, "card-number", "why"), ({"name": "x" * 201}, "invalid-value", "name")):
                clerk.post(f"/v1/subjects/{ident}/folders", {**FILE, "why": "x", **wrong}).refused(code, status=422, field=field)
            grant(clerk, ident).expect(201)
            other, other_clerk = server.client("app", tenant="two"), server.client("clerk", tenant="two")
            for answer in (asked(other, ident), other.get(f"/v1/subjects/{ident}/folders"), grant(other_clerk, ident), revoke(other_clerk, ident),
                           other.get(f"/v1/subjects/{ident}/preferences/boards/main")):
                answer.refused("not-found", status=404)
            twin = person(other)
            check(not asked(other, twin).expect(200).json["allowed"], "a grant of one tenant holds in another")
            check(asked(app, ident).expect(200).json["allowed"], "the grant is gone")

    @tests.test("folders: a restored backup gives no access back")
    def restored():
        with started() as server:
            app, clerk = server.client("app"), server.client("clerk")
            ident = person(app)
            grant(clerk, ident).expect(201)
            copy = os.path.join(server.folder, "copy")
            server.operator().post("/v1/backup", {"to": copy}).expect(200)
            revoke(clerk, ident).expect(204)
            server.stop()
            garant("restore", copy, "--data", server.data)
            server.start()
            check(not asked(app, ident).expect(200).json["allowed"], "the revoked grant is back")
            check(len(app.get(f"/v1/subjects/{ident}/folders").json["folders"][0]["history"]) == 2, "the history is shorter")

    @tests.test("folders: a day is one of the controller's own clocks, in any country and when they change")
    def days():
        rows = (("FR", "2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00"), ("DE", "2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00"),
                ("IE", "2026-03-29", "2026-03-29T00:00", "2026-03-29T23:00"), ("FI", "2026-10-25", "2026-10-24T21:00", "2026-10-25T22:00"))
        with open(os.path.join(TOP, POLICY), encoding="utf-8") as file, tempfile.TemporaryDirectory() as folder:
            text = file.read()
            for country, day, opens, ends in rows:
                path = os.path.join(folder, f"{country}.yaml")
                with open(path, "w", encoding="utf-8") as own:
                    own.write(text.replace("  country: FR", f"  country: {country}", 1))
                with Server(path, tenant="one", now="2026-01-15T10:00:00Z") as server:
                    app = server.client("app", tenant="one")
                    ident = person(app)
                    grant(server.client("clerk", tenant="one"), ident, **{"from": day, "until": day}).expect(201)
                    for moment, seconds, allowed in ((opens, -1, False), (opens, 0, True), (ends, -1, True), (ends, 0, False)):
                        server.set_clock(milliseconds(moment + ":00Z") + seconds * 1000)
                        got = asked(app, ident, purpose="rights").expect(200).json["allowed"]
                        check(got is allowed, f"{country}, {day}: {moment}{seconds:+} is {got}")

    @tests.test("folders: behind nginx, with sessions")
    def behind_nginx():
        with started() as server, Application() as application, behind(server.port, application.port) as nginx:
            clerk = server.client("clerk")
            data = {"identity": {"name": "Zoé"}, "contact": {"email": "zoe@example.org"}}
            ident = opened(server, data)
            away, zoe = Visitor(server, port=nginx.port), Visitor(server, port=nginx.port)
            target = "/files/sales/report.csv?year=2026&next=//evil.example"
            answer = away.get(target).expect(303)
            check(urllib.parse.urlsplit(answer.headers["location"])[2:4] == ("/signin", "next=/files/sales/report.csv"), f"{answer.headers}")
            forged = {"Garant-Subject": "01ARZ3NDEKTSV4RRFFQ69G5FAV", "Garant-Role": "clerk", "garant_subject": "x", "Authorization": "Bearer garant_x"}
            away.get(target, **forged).expect(303)
            check(application.seen == [], "a stranger's request went through")
            page = Browser(nginx).get("/files/sales/report.csv").expect(200)
            check(page.path == "/signin?next=/files/sales/report.csv", f"sent to {page.path}")
            zoe.sign_in("zoe@example.org", tenant="one")
            check(zoe.id == ident, f"signed in as {zoe.id}")
            answer = zoe.get(target).expect(403)
            zoe.get(target, **forged).expect(403)
            check(application.seen == [], "a request without a grant went through")
            grant(clerk, ident).expect(201)
            grant(clerk, ident, "ventes d'été").expect(201)
            for headers in ({}, forged, {"Garant-Subject": ""}):
                path, seen = reached(zoe.get(target, **headers))
                check(path == target and seen["garant-subject"] == [ident], f"{path} {seen}")
                check("garant-role" not in seen and "garant_subject" not in seen and "cookie" not in seen, f"{seen}")
            path, seen = reached(zoe.post("/files/sales/upload", b"some bytes"))
            check(seen["garant-subject"] == [ident], "a request with a body")
            path, _ = reached(zoe.get("/files/ventes%20d'%C3%A9t%C3%A9/x"))
            count = len(application.seen)
            for trick in ("/files/secret/x", "/files/sales/../secret/x", "/files/sales/%2e%2e/secret/x", "/files//secret/x", "/files/sales%2f..%2fsecret/x",
                          "/files/./secret/x", "/files/sales/..%2fsecret/x", "/files/sales", "/files/", "/files/sales/x%00y", "/files/sales\\..\\secret/x"):
                answer = zoe.get(trick)
                check(answer.status in (400, 403, 404), f"{trick}: {answer.status}")
            check(len(application.seen) == count, f"went through: {application.seen[count:]}")
            chrome = Browser(nginx)                                   # through the sign-in page, and back to where one was going
            page = chrome.submit(chrome.get("/files/sales/report.csv"), "/signin", identifier="zoe@example.org", password=PASSWORD)
            check(page.expect(200).path == "/files/sales/report.csv" and application.seen[-1] == page.path, f"came back to {page.path}")
            revoke(clerk, ident).expect(204)
            chrome.send("GET", "/files/sales/report.csv").expect(403)
            zoe.get(target).expect(403)
            path, _ = reached(zoe.get("/files/ventes%20d'%C3%A9t%C3%A9/x"))
            refusals = [look for look in server.client("app").get(f"/v1/subjects/{ident}/access").json["looks"] if look["act"] == "refusal"]
            check(refusals and refusals[0]["clause"] == "folders.file" and refusals[0]["actor"] == "person", f"{refusals[:1]}")
            # In a role: its name goes with the request; the grants stay the person's own.
            clerk_id = opened(server, {"identity": {"name": "Max"}, "contact": {"email": "max@example.org"}}, role="clerk")
            max_ = Visitor(server, port=nginx.port).sign_in("max@example.org", tenant="one")
            max_.get(target).expect(403)
            grant(max_, clerk_id).expect(201)
            _, seen = reached(max_.get(target, **forged))
            check(seen["garant-subject"] == [clerk_id] and seen["garant-role"] == ["clerk"], f"{seen}")
            # The end of a session, and of an account, is the end of access.
            grant(clerk, ident).expect(201)
            zoe.get(target).expect(200)
            zoe.delete("/v1/session").expect(204)
            zoe.get(target).expect(303)
            again = Visitor(server, port=nginx.port).sign_in("zoe@example.org", tenant="one")
            again.get(target).expect(200)
            server.client("app").post(f"/v1/subjects/{ident}/events", {"event": "closure"}).expect(204)
            again.get(target).expect(303)

    @tests.test("folders: behind nginx, the cookie of a session that is kept for days slides with what is guarded")
    def slides_behind_nginx():
        with open(os.path.join(TOP, POLICY), encoding="utf-8") as file, tempfile.TemporaryDirectory(prefix="garant-folders-") as folder:
            kept = os.path.join(folder, "kept.yaml")
            with open(kept, "w", encoding="utf-8") as other:
                other.write(file.read().replace("session: {idle: 30m, absolute: 12h}", "session: {idle: 20d, absolute: 90d}"))
            with Server(kept, tenant="one", now="2026-11-22T10:00:00Z") as server, Application() as application, \
                    behind(server.port, application.port) as nginx:
                ident = opened(server, {"identity": {"name": "Zoé"}, "contact": {"email": "zoe@example.org"}})
                grant(server.client("clerk"), ident).expect(201)
                zoe = Visitor(server, port=nginx.port).sign_in("zoe@example.org", tenant="one")
                for path, status in (("/files/sales/x", 200), ("/files/secret/x", 403), ("/files/sales/x", 200)):
                    server.advance(days=15)
                    answer = zoe.get(path).expect(status)
                    check(f"Max-Age={20 * 86400};" in answer.headers.get("set-cookie", ""), f"{path}: {answer.headers}")
                zoe.delete("/v1/session").expect(204)
                answer = zoe.get("/files/sales/x").expect(303)
                check("set-cookie" not in answer.headers, f"{answer.headers}")

    @tests.test("folders: what is asked at the door, without a proxy")
    def door():
        with started() as server:
            clerk = server.client("clerk")
            ident = opened(server, {"identity": {"name": "Zoé"}, "contact": {"email": "zoe@example.org"}})
            zoe = visitor(server, "zoe@example.org", tenant="one")
            server.anyone().get("/v1/forward-auth").refused("unauthorised", status=401)
            Client(server.port, server.client("app").token).get("/v1/forward-auth").refused("unauthorised", status=401)
            server.anyone().get("/v1/forward-auth", Cookie="__Host-sid=" + "A" * 43).refused("unauthorised", status=401)
            answer = zoe.get("/v1/forward-auth", **{"Garant-Subject": "x", "Authorization": "Basic eDp5"}).expect(200)
            check(answer.headers["garant-subject"] == ident and "garant-role" not in answer.headers, f"{answer.headers}")
            check(answer.headers["cache-control"] == "no-store", "the answer may be kept")
            zoe.get("/v1/forward-auth?folder=file&name=sales").refused("forbidden", status=403, clause="^folders.file")
            zoe.get("/v1/forward-auth?folder=file").refused("missing-field", status=422)
            zoe.get("/v1/forward-auth?folder=drawer&name=sales").refused("undeclared", status=422)
            check(zoe.post("/v1/authorize", FILE).expect(200).json["allowed"] is False, "allowed without a grant")
            zoe.post(f"/v1/subjects/{ident}/folders", {**FILE, "why": "I like it"}).refused("forbidden", status=403)
            grant(clerk, ident).expect(201)
            zoe.get("/v1/forward-auth?folder=file&name=sales").expect(200)
            check(zoe.post("/v1/authorize", FILE).expect(200).json["allowed"] is True, "their own grant")
            check([row["name"] for row in zoe.get("/v1/me/folders").expect(200).json["folders"]] == ["sales"], "their own folders")
            for pattern, uri, status in (("/files/:name/*", "/files/sales/a/b?c", 200), ("/files/:name", "/files/sales", 200),
                                         ("/files/:name", "/files/sales/", 403),
                                         ("/files/:name/*", "/files/sales", 403), ("/files/:name/*", "", 403), ("/files/*", "/files/sales", 403),
                                         ("/:name/*", "/files/sales", 403), ("/files/:name/*", "/files/sales/../x", 403),
                                         ("/files/:name/*", "http://x/files/sales/a", 403)):
                answer = zoe.get("/v1/forward-auth?folder=file&path=" + urllib.parse.quote(pattern, safe=""), **{"X-Original-URI": uri})
                check(answer.status == status, f"{pattern} on {uri}: {answer.status}")
            for pattern, uri, status in (("/files/:name/*", "/files/sales/[draft].pdf?filter[name]=a|b", 200),
                                         ("/files/:name/*", "/files/sales/" + "s/" * 30, 200),
                                         ("/files/:name/*", "/files/sales/a//b", 403), ("/files/:name/*", "/files/sales/a/%2e%2e/b", 403),
                                         ("/files/:name/*", "/files/sales/a%2Fb", 403), ("/files/:name/*", "/files/sales/a\\b", 403),
                                         # what an application behind reads as "..": servlets cut parameters off, others decode twice
                                         ("/files/:name/*", "/files/sales/..;/secret/x", 403), ("/files/:name/*", "/files/sales/..;a=b/secret/x", 403),
                                         ("/files/:name/*", "/files/sales/%2e%2e%3b/secret/x", 403), ("/files/:name/*", "/files/sales/.;/x", 403),
                                         ("/files/:name/*", "/files/sales/%252e%252e/secret/x", 403), ("/files/:name/*", "/files/sales/%252E./x", 403),
                                         ("/files/:name/*", "/files/sales/..%252fsecret/x", 403), ("/files/:name/*", "/files/sales/..%255Csecret/x", 403),
                                         ("/files/:name/*", "/files/sales;a=b/x", 403), ("/files/:name/*", "/files/sales/a;v=1/b", 200),
                                         ("/files/:name/*", "/files/sales/..a;b/..b/c..;d", 200), ("/files/:name/*", "/files/sales/100%25/50%25%20off", 200)):
                for header in ("X-Original-URI", "X-Forwarded-Uri"):
                    answer = zoe.get("/v1/forward-auth?folder=file&path=" + urllib.parse.quote(pattern, safe=""), **{header: uri})
                    check(answer.status == status, f"{header}: {pattern} on {uri}: {answer.status}")
            both = {"X-Original-URI": "/files/sales/a", "X-Forwarded-Uri": "/files/other/a"}
            zoe.get("/v1/forward-auth?folder=file&path=/files/:name/*", **both).refused("forbidden", status=403)
            page = {"Accept": "text/html", "X-Forwarded-Uri": "/files/sales/a?b=1", "X-Forwarded-Method": "GET"}
            led = server.anyone().get("/v1/forward-auth", **page).expect(303).headers["location"]
            check(re.fullmatch(r"http://127\.0\.0\.1:\d+/signin\?next=%2Ffiles%2Fsales%2Fa%3Fb%3D1", led), led)
            for other in ({"X-Forwarded-Method": "POST"}, {"Accept": "application/json"}, {"X-Original-URI": "/files/sales/a?b=1"}):
                server.anyone().get("/v1/forward-auth", **{**page, **other}).refused("unauthorised", status=401)
            led = server.anyone().get("/v1/forward-auth", **{**page, "X-Forwarded-Uri": "//evil.example/"}).expect(303).headers["location"]
            check(led.endswith("/signin"), f"led away: {led}")
            stranger = opened(server, {"identity": {"name": "Ana"}, "contact": {"email": "ana@example.org"}})
            ana = visitor(server, "ana@example.org", tenant="one")
            ana.get(f"/v1/subjects/{ident}/folders").refused("not-found", status=404)
            ana.post("/v1/authorize", {**FILE, "subject": ident}).refused("not-found", status=404)
            ana.get(f"/v1/subjects/{ident}/preferences/boards/main").refused("forbidden", "not-found")
            check(stranger != ident and not ana.post("/v1/authorize", FILE).json["allowed"], "another's grant")

    @tests.test("preferences: over the API, and by the person on each of their devices")
    def preferences():
        with started() as server:
            app = server.client("app")
            ident = opened(server, {"identity": {"name": "Zoé"}, "contact": {"email": "zoe@example.org"}})
            desk = visitor(server, "zoe@example.org", tenant="one")
            place = "/v1/me/preferences/boards/" + urllib.parse.quote("ventes d'été")
            check(desk.get(place).expect(200).json["values"] == {"colour": "#0055a4", "items": 20}, "the policy's defaults")
            desk.put(place, {"items": 50}).expect(200)
            desk.put("/v1/me/preferences/boards/*", {"colour": "#112233"}).expect(200)
            desk.put(place, {"items": 4}).refused("invalid-value", status=422, field="boards.items")
            desk.put(place, {"colour": "red"}).refused("invalid-value", status=422, field="boards.colour")
            desk.put(place, {"size": 1}).refused("undeclared", status=422, field="boards.size")
            desk.put("/v1/me/preferences/access/x", {}).refused("undeclared", status=422)
            Visitor(server).put(place, {"items": 9}).refused("unauthorised", status=401)
            phone = visitor(server, "zoe@example.org", tenant="one")
            found = phone.get(place).expect(200).json
            check(found["values"] == {"colour": "#112233", "items": 50} and found["from"] == {"colour": "all", "items": "place"}, f"{found}")
            path = f"/v1/subjects/{ident}/preferences/boards/{urllib.parse.quote(found['place'])}"
            check(app.get(path).expect(200).json == found, "the platform reads something else")
            server.client("counter").get(path).refused("forbidden", status=403)
            server.client("visitor").put(path, {"items": 60}).refused("forbidden", status=403)
            app.put(path, {"items": None}).expect(200)
            check(phone.get(place).json["values"]["items"] == 20, "null does not give the default again")
            kinds = phone.get("/v1/me/preferences").expect(200).json["preferences"]
            check([k["category"] for k in kinds] == ["boards"] and [p["place"] for p in kinds[0]["places"]] == ["*", "ventes d'été"], f"{kinds}")
            stale = Visitor(server)
            stale.cookies = dict(phone.cookies)
            stale.put(place, {"items": 9}).refused("forged", status=403)         # without the session's token
            phone.delete(place).expect(204)
            phone.delete(place).expect(404)
            threads, results = [], []
            for number in range(8):
                one = visitor(server, "zoe@example.org", tenant="one") if number < 4 else desk
                threads.append(threading.Thread(target=lambda c=one, n=number: results.append(c.put(place, {"items": 10 + n}).status)))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            check(results.count(200) >= 6 and set(results) <= {200, 409, 412}, f"{results}")
            held = app.get(f"/v1/subjects/{ident}/access").json["data"]["boards"]
            check(len([row for row in held if row["fields"].get("board")]) == 1, f"a place has several records: {held}")
