"""Signed-in people against each other and against other sites: forged requests on every change, other people's ids on every route, fixation,
what pages show of hostile text, what is kept of a session that ended. Routes and bodies are made as in routes.py."""
import contextlib, html, json, os, re, tempfile, urllib.parse
from garant import Client, Server, check
from people import PASSWORD, Visitor, opened, visitor
from rows import table
from words import title
from routes import CANARY, ELSEWHERE, OPEN, POLICY, UNKNOWN, Faults, Routes, ask, leads_away, pages_lead_away

HOSTILE_AGENT = {"User-Agent": "Mozilla/5.0 " + CANARY, "Accept-Language": "en"}
FORM = "application/x-www-form-urlencoded"


def data(name):
    return {"identity": {"first_name": CANARY, "last_name": CANARY, "note": CANARY, "site": "https://people.example/?" + "%3Csvg%3E"},
            "contact": {"email": f"{name}@people.example", "phone": "+33612345678"}}


@contextlib.contextmanager
def peopled():
    """A server with two people, a manager whose team the first is in, and a support agent who may act; each has the canary everywhere."""
    with Server(POLICY) as server:
        operator, app = server.operator(), server.client("app")
        server.ids = {name: opened(server, data(name)) for name in ("alice", "bob")}
        for name, role in (("manager", "manager"), ("support", "support")):
            server.ids[name] = opened(server, data(name), role=role)
            operator.post(f"/v1/accounts/{server.ids[name]}/agreement", {"date": "2026-11-01", "reference": CANARY}).expect(200, 201, 204)
        operator.put(f"/v1/accounts/{server.ids['alice']}/manager", {"manager": server.ids["manager"]}).expect(204)
        support = visitor(server, "support@people.example")
        for name in ("alice", "bob"):
            ident = server.ids[name]
            app.record(ident, "visits", {"page": CANARY, "more": {CANARY: CANARY}}).expect(201)
            app.request("POST", f"/v1/subjects/{ident}/attachments?category=visits&name={urllib.parse.quote(CANARY)}", CANARY.encode(),
                        {"Content-Type": "text/html"}.items()).expect(201)
            app.consent(ident, "news", "given", channel="email", wording=CANARY, by=CANARY).expect(201)
            app.post(f"/v1/subjects/{ident}/disclosures", {"recipient": "carrier", "purpose": "service", "categories": ["identity"]}).expect(201)
            support.post(f"/v1/subjects/{ident}/folders", {"folder": "dossier", "name": CANARY, "why": CANARY, "by": CANARY}).expect(201)
            app.post(f"/v1/subjects/{ident}/calls", {"purpose": "service", "subject": CANARY}).expect(201)
        yield server


def page_paths(routes, row, person):
    """Paths of a page: with the values that are there, and in both languages where it has a parameter for it."""
    values = {"id": person, "category": "identity", "hash": "1.0", "older": "1.0", "newer": "1.0", "token": "x"}
    queries = routes.parameters(row, "query")
    return [routes.path(row, values, {"lang": lang} if "lang" in queries else {}) for lang in (("en", "fr") if "lang" in queries else ("en",))]


def form_of(body):
    """The same body as a form sends it."""
    if not isinstance(body, dict):
        return b""
    return urllib.parse.urlencode({name: value if isinstance(value, str) else json.dumps(value) for name, value in body.items()}).encode()


# What pages of other sites may send, without a session: each handler says which sites (MP-06 tries them).
ABROAD = set(re.findall(r"^ABROAD\((\w+)\)", table("front/door/routes.def") + table("front/door/features.def"), re.M))
# What changes nothing: looks (the rows LOOK of events.def) and what is noted beside them.
LOOKS = {*re.findall(r'^LOOK\("([a-z.]+)"', table("store/events.def"), re.M), "refusal", "notice.shown", "session.activity", "connector.read"} - {"disclosure"}


def journal_acts(server):
    """The acts of all entries so far, in their order."""
    with tempfile.TemporaryDirectory() as folder:
        server.save_journal(folder)
        found = []
        for where, _, names in sorted(os.walk(os.path.join(folder, "tile/entries"))):
            for name in sorted(names):
                with open(os.path.join(where, name), "rb") as file:
                    found += re.findall(r'"act":"([a-z.]+)"', file.read().decode(errors="replace"))
    return found


def difference(one, two):
    """Where two texts begin to differ."""
    at = next((n for n, (x, y) in enumerate(zip(one, two)) if x != y), min(len(one), len(two)))
    return f"{one[max(0, at - 60):at + 100]!r} / {two[max(0, at - 60):at + 100]!r}" if one != two else "the same"


def register(tests):
    @tests.test("sessions: a forged request is refused on every change")
    def forged():
        count, wrong = 0, []
        with peopled() as server:
            routes = Routes(server)
            people = {name: visitor(server, f"{name}@people.example") for name in ("alice", "bob", "manager", "support")}
            for row in routes.rows:
                if row["method"] == "GET" or row["who"] in ("public", "operator"):
                    continue
                name = "support" if row["who"] in ("staff", "token") else "alice"
                browser = people[name]
                cookie = "; ".join(f"{key}={value}" for key, value in browser.cookies.items())
                path = routes.path(row, {"id": server.ids[name], "category": "identity"})
                bodies = [(routes.body(row, "x"), {})]
                if row["body"] == "form":
                    form = {k: v if isinstance(v, str) else "x" for k, v in (bodies[0][0] or {}).items()}
                    bodies = [(form_of({**form, "csrf": token}), {"Content-Type": FORM}) for token in ("", "A" * 43, people["bob"].csrf)]
                    bodies.append((form_of(form), {"Content-Type": FORM}))
                elif row["body"] == "file":
                    bodies = [(b"file", {"Content-Type": "text/csv"})]
                tries = [(body, {**kind, **more}) for body, kind in bodies for more in (
                    {}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "A" * 43}, {"X-CSRF-Token": people["bob"].csrf},
                    {"X-CSRF-Token": browser.csrf, "Sec-Fetch-Site": "cross-site"}, {"X-CSRF-Token": browser.csrf, "Sec-Fetch-Site": "same-site"},
                    {"X-CSRF-Token": browser.csrf, "Origin": "https://evil.example"}, {"X-CSRF-Token": browser.csrf, "Origin": "null"})]
                for body, more in tries:
                    client = Client(server.port, headers={"Cookie": cookie})
                    if row["who"] == "anyone" and "Origin" not in more and "Sec-Fetch-Site" not in more and not browser.cookies:
                        continue
                    answer = ask(client, row, path, body, **more)
                    count += 1
                    said = answer.body.decode(errors="replace")
                    if row["name"] in ABROAD and ("Origin" in more or "Sec-Fetch-Site" in more):
                        # Taken without the session: this policy has no such form, or says that the site is none of those it lists.
                        if answer.status == 404 or (answer.status == 403 and "does not list the site" in said):
                            continue
                    if answer.status != 403 or not any(told in html.unescape(said) for told in ('"code":"forged"', *title("forged"))):
                        wrong.append(f"{row['name']} {more}: {answer.status} {said[:160]}")
            # Nothing of it was done: all are signed in, hold what they held, and the true token is taken.
            for name, browser in people.items():
                browser.get("/v1/session").expect(200)
                held = server.client("app").read(server.ids[name], "service").expect(200).json["data"]
                if held["identity"]["first_name"] != CANARY or held["contact"]["email"] != f"{name}@people.example":
                    wrong.append(f"{name} was changed: {held}")
            people["alice"].delete("/v1/me/sessions").expect(204)
        check(not wrong, f"{len(wrong)} of {count} wrong:\n" + "\n".join(wrong[:40]))
        check(count > 300, f"only {count} requests")
        return f"{count} requests"

    @tests.test("sessions: signing in for somebody from another site is refused")
    def signing_in_forged():
        with peopled() as server:
            for more in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
                for path, body in (("/v1/session", {"identifier": "alice@people.example", "password": PASSWORD}),
                                   ("/signin", form_of({"identifier": "alice@people.example", "password": PASSWORD})),
                                   ("/password/reset", form_of({"identifier": "alice@people.example"})), ("/signout", b"")):
                    kind = {"Content-Type": FORM} if isinstance(body, bytes) else {}
                    answer = server.anyone().post(path, body, **more, **kind)
                    check(answer.status == 403 and "set-cookie" not in answer.headers, f"{path} {more}: {answer.status} {answer.headers}")

    @tests.test("sessions: fixation, and what a session leaves behind")
    def fixation():
        with peopled() as server:
            fixed = "A" * 43
            for name in ("__Host-sid", "sid", "__Secure-sid"):
                browser = Visitor(server)
                browser.cookies[name] = fixed
                before = dict(browser.cookies)
                answer = browser.post("/v1/session", {"identifier": "alice@people.example", "password": PASSWORD}).expect(200)
                given = answer.headers["set-cookie"]
                check(re.fullmatch(r"__Host-sid=[A-Za-z0-9_-]{43}; (?=.*Path=/)(?=.*Secure)(?=.*HttpOnly)(?=.*SameSite=Lax).*", given), given)
                check("domain" not in given.lower() and "max-age" not in given.lower() and fixed not in given, given)
                old = Client(server.port, headers={"Cookie": f"{name}={before[name]}"})
                old.get("/v1/session").expect(401)
            one, two = (visitor(server, "alice@people.example") for _ in range(2))
            check(one.cookies != two.cookies and one.csrf != two.csrf, "two sessions share a secret")
            again = visitor(server, "alice@people.example")
            held = again.cookies["__Host-sid"]
            again.post("/v1/session", {"identifier": "alice@people.example", "password": PASSWORD}).expect(200, 403)
            # Signed out: the cookie is taken back, and what it was opens nothing, here and everywhere.
            secret = dict(one.cookies)
            answer = one.delete("/v1/session").expect(204)
            check('__Host-sid=;' in answer.headers.get("set-cookie", "") and "Max-Age=0" in answer.headers["set-cookie"], f"{answer.headers}")
            check("clear-site-data" not in answer.headers, f"what is not of these pages is wiped: {answer.headers}")
            one.cookies = secret
            one.get("/v1/session").expect(401)
            page = one.get("/me", Accept="text/html")
            check(page.status == 303 and page.headers["location"].startswith("/signin"), f"{page.status} {page.headers}")
            two.delete("/v1/me/sessions").expect(204)
            Client(server.port, headers={"Cookie": "__Host-sid=" + held}).get("/v1/session").expect(401)
            two.get("/v1/session").expect(200)
            # A cookie beside others, twice, quoted, in another's name.
            secret = two.cookies["__Host-sid"]
            for header, status in ((f"a=b; __Host-sid={secret}; c=d", 200), (f"__host-sid={secret}", 401), (f'__Host-sid="{secret}"', 401),
                                   (f"sid={secret}", 401), (f"__Host-sid={secret}x", 401), (f"__Host-sid={secret[:-1]}", 401),
                                   (f"__Host-sid={secret.swapcase()}", 401), (f"x__Host-sid={secret}", 401)):
                answer = Client(server.port, headers={"Cookie": header}).get("/v1/session")
                check(answer.status == status, f"{header.replace(secret, 'SECRET')}: {answer.status}, and not {status}")
            check_twice = Client(server.port, headers={"Cookie": f"__Host-sid={fixed}; __Host-sid={secret}"}).get("/v1/session")
            check(check_twice.status in (401, 400), f"two cookies of one name: {check_twice.status}")

    @tests.test("sessions: on every route, somebody else is as absent as nobody")
    def others():
        """Bob's id and nobody's give Alice the same answer, whatever the route; so do they to a manager who has only Alice in the team."""
        count, wrong = 0, []
        with peopled() as server:
            routes = Routes(server)
            for name in ("alice", "manager"):
                browser = visitor(server, f"{name}@people.example")
                for row in routes.rows:
                    if row["who"] in (*OPEN, "operator") or not set(routes.parameters(row, "path")) & {"id"} or row["path"] == "/v1/me/sessions/{id}":
                        continue
                    said = []
                    for ident in (server.ids["bob"], UNKNOWN):
                        body = routes.body(row, "service")
                        more = {"Accept": "text/html"} if routes.is_page(row) else {}
                        if row["body"] == "form":
                            more["Content-Type"], body = FORM, form_of({**{k: v for k, v in (body or {}).items() if isinstance(v, str)}, "purpose": "service",
                                                                        "csrf": browser.csrf})
                        answer = ask(browser, row, routes.path(row, {"id": ident, "category": "contact", "purpose": "service"}), body, **more)
                        said.append((answer.status, answer.body.decode(errors="replace").replace(ident, "ID").replace(ident[-6:], "ID"),
                                     {k: v.replace(ident, "ID") for k, v in answer.headers.items() if k not in ("date", "content-length")}))
                        count += 1
                    if said[0] != said[1] or said[0][0] < 300 and not routes.is_page(row):       # a page may ask why, before it looks
                        wrong.append(f"{row['name']} as {name}: {said[0][0]} and {said[1][0]}: {difference(said[0][1], said[1][1])}")
                browser.get("/v1/session").expect(200)
            held = server.client("app").read(server.ids["bob"], "service").expect(200).json["data"]
            check(held["identity"]["first_name"] == CANARY, f"Bob was changed: {held}")
        check(not wrong, f"{len(wrong)} of {count} wrong:\n" + "\n".join(wrong[:30]))
        check(count > 150, f"only {count} requests")
        return f"{count} requests"

    @tests.test("sessions: staff routes are closed to people, to staff without their agreement, and to the wrong act")
    def staff():
        count, wrong = 0, []
        with peopled() as server:
            routes = Routes(server)
            opened(server, data("novice"), role="support")
            callers = {"nobody": Visitor(server), "alice": visitor(server, "alice@people.example"), "novice": visitor(server, "novice@people.example")}
            for row in routes.rows:
                if row["who"] not in ("staff", "operator", "token"):
                    continue
                for name, browser in callers.items():
                    body, more = routes.body(row, "service"), {}
                    if row["body"] == "form":
                        more["Content-Type"], body = FORM, form_of({
                            **{k: v for k, v in (body or {}).items() if isinstance(v, str)}, "csrf": browser.csrf or ""})
                    answer = ask(browser, row, routes.path(row, {"id": server.ids["bob"], "category": "contact", "purpose": "service"}), body, **more)
                    count += 1
                    allowed = (303, 401) if name == "nobody" else (403, 404) if name == "alice" else (400, 403, 404, 409, 422)
                    if name == "novice" and row["who"] == "token":
                        allowed = (*allowed, 200, 204, 207, 412, 413, 415, 428)     # lists that show nobody; what is shown of people is tested below
                    if answer.status not in allowed or answer.status == 303 and not answer.headers["location"].startswith("/signin"):
                        wrong.append(f"{row['name']} as {name}: {answer.status} {answer.headers.get('location', '')} {answer.body[:160]}")
                    if name != "nobody" and b"bob@people.example" in answer.body:
                        wrong.append(f"{row['name']} as {name} shows Bob's address")
        check(not wrong, f"{len(wrong)} of {count} wrong:\n" + "\n".join(wrong[:30]))
        return f"{count} requests"

    @tests.test("sessions: no hostile text is alive on any page")
    def canaries():
        faults, shown, seen = Faults(), set(), 0
        with peopled() as server:
            routes = Routes(server)
            for name in ("alice", "manager", "support"):
                browser = visitor(server, f"{name}@people.example")
                browser.headers = HOSTILE_AGENT
                browser.get("/me", Accept="text/html")
                again = Visitor(server, headers=HOSTILE_AGENT).sign_in(f"{name}@people.example")
                for row in routes.rows:
                    if not routes.is_page(row) or row["who"] == "operator":
                        continue
                    person = server.ids["alice"] if row["who"] == "staff" else server.ids[name]
                    for path in page_paths(routes, row, person):
                        if row["method"] == "GET":
                            answer = ask(again, row, path, None, Accept="text/html")
                        elif "look" in row["name"] or row["name"] in ("edit_save", "forgotten_form", "factor_begin_form", "consents_decide"):
                            body = {k: (person if k == "id" else "service" if k == "purpose" else CANARY) for k in (routes.body(row, "x") or {})}
                            answer = ask(again, row, path, form_of({**body, "purpose": "service", "csrf": again.csrf}),
                                         **{"Content-Type": FORM, "Accept": "text/html"})
                        else:
                            continue
                        cached = answer.headers.get("cache-control", "")
                        more = [f"a page of one's own may be kept: {cached}"] if row["who"] in ("self", "staff") and cached != "no-store" else []
                        faults.note(f"{row['name']} as {name}", answer, *more)
                        if answer.status == 200:
                            shown.add(row["name"])
                            seen += b"&lt;svg onload" in answer.body
        check(len(shown) >= 20, f"only {len(shown)} pages were shown: {sorted(shown)}")
        check(seen >= 20, f"the canary stood, escaped, on {seen} pages only: the test sees nothing")
        faults.end(60)
        return f"{len(shown)} pages, the canary escaped on {seen} of {faults.count} answers"

    @tests.test("sessions: following a link changes nothing")
    def links():
        """Every GET, by everyone, with the token of a link that is open: what the journal then tells are looks and refusals, and the link still works."""
        with peopled() as server:
            operator, routes = server.operator(), Routes(server)
            made = operator.post("/v1/accounts", {"data": data("later"), "supplied_by": "person"}).expect(201).json
            token = urllib.parse.parse_qs(urllib.parse.urlsplit(made["link"]).query)["token"][0]
            people = [visitor(server, f"{name}@people.example") for name in ("alice", "support")] + [Visitor(server)]
            entries = journal_acts(server)
            for row in routes.rows:
                if row["method"] != "GET" or row["who"] == "operator":
                    continue
                for browser in people:
                    values = {"id": server.ids["alice"], "category": "identity", "token": token}
                    query = {"token": token} if "token" in routes.parameters(row, "query") else {}
                    for method in ("GET", "HEAD"):
                        browser.request(method, routes.path(row, values, query), headers={"Accept": "text/html"}.items())
            acts = set(journal_acts(server)[len(entries):])
            check(acts and acts <= LOOKS, f"a link has done {sorted(acts - LOOKS)}")
            check({"read", "refusal"} <= acts, f"the test looked at nothing: {acts}")
            for browser in people[:2]:
                browser.get("/v1/session").expect(200)
            server.anyone().post("/v1/invitations/accept", {"token": token, "password": PASSWORD}).expect(200)
        return f"{sorted(acts)}"

    @tests.test("sessions: no way back after signing in leads away")
    def ways_back():
        count = 0
        with peopled() as server:
            for where in ELSEWHERE:
                for place in ("form", "query"):
                    form = {"identifier": "alice@people.example", "password": PASSWORD, **({"next": where} if place == "form" else {})}
                    path = "/signin" + ("?" + urllib.parse.urlencode({"next": where}) if place == "query" else "")
                    answer = Visitor(server).post(path, form_of(form), **{"Content-Type": FORM, "Accept": "text/html"})
                    check(answer.status in (200, 303, 400, 422), f"{place} {where!r}: {answer.status} {answer.body[:200]}")
                    check(not leads_away(answer.headers.get("location", "/")) and not pages_lead_away(answer), f"{place} {where!r}: {answer.headers}")
                    count += answer.status == 303
                said = Visitor(server).post("/v1/session", {"identifier": "alice@people.example", "password": PASSWORD, "next": where})
                check(said.status in (200, 400, 422) and not leads_away(said.json.get("next") or "/"), f"{where!r}: {said.body}")
            answer = Visitor(server).post("/signin", form_of({"identifier": "alice@people.example", "password": PASSWORD, "next": "/me/rights"}),
                                          **{"Content-Type": FORM}).expect(303)
            check(answer.headers["location"].startswith("/me/rights"), f"a sound way back is lost: {answer.headers}")
        check(count > 20, f"only {count} signed in")
        return f"{count} sign-ins"
