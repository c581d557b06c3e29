"""Every route, from the route table: its headers and cookies whoever asks, line feeds and scripts in every parameter, other people's ids.

What is asked is made from /openapi.json, so that a new route is tested on the day it is there."""
import contextlib, html.parser, os, re, shutil, tempfile, urllib.parse
from described import Routes, ask
from garant import TOP, Client, Server, check
from people import opened, visitor

POLICY = "tests/hostile/people.yaml"
CANARY = "<svg onload=alert(1)>\"'"                             # stands in the policy's own words too
LINES = "a\r\nX-Injected: yes\r\nSet-Cookie: sid=injected\r\n\r\n<svg onload=alert(1)>"
UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
OPEN, SIGNED_IN = ("public", "anyone"), ("self", "staff")       # who may ask; any other needs a token or more
ALWAYS = {"x-content-type-options": "nosniff", "referrer-policy": "same-origin", "cross-origin-opener-policy": "same-origin",
          "cross-origin-resource-policy": "same-origin",
          "content-security-policy": "default-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"}
ELSEWHERE = ["https://evil.example/", "//evil.example/", "///evil.example", "////evil.example", "/\\evil.example", "\\/evil.example", "\\\\evil.example",
             "http:evil.example", "https:/evil.example", "javascript:alert(1)", "data:text/html,x", "/.//evil.example", "/..//evil.example",
             "/\t/evil.example", "\t//evil.example", " //evil.example", "/%09/evil.example", "/%5cevil.example", "/%2f/evil.example", "//evil.example\\@x",
             "https://people.example@evil.example", "@evil.example", "/@evil.example", "?next=//evil.example", "", "evil.example", "/\u2215/evil.example",
             "//%65vil.example", "/a//evil.example/../..", "/signin?next=https://evil.example/", "//[::1]/", "/" + "a" * 5000]


# What a page may hold in itself: the certificate's signed file, to be saved and never shown.
SIGNED = re.compile(r"data:application/jose;base64,[A-Za-z0-9+/]+={0,2}")


class Page(html.parser.HTMLParser):
    """What of a page a browser would run, load or send elsewhere."""

    def __init__(self, text):
        super().__init__()
        self.faults, self.links, self.inside = [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.inside = tag if tag in ("script", "style") else None
        for name, value in attributes:
            if name.startswith("on") or name in ("style", "srcdoc", "formaction"):
                self.faults.append(f"<{tag} {name}>")
            if name in ("href", "src", "action", "data", "poster", "xlink:href", "cite", "ping") \
                    and re.match(r"[\s\0]*(javascript|data|vbscript):", value or "", re.I) \
                    and not (tag == "a" and "download" in given and SIGNED.fullmatch(value)):
                self.faults.append(f"<{tag} {name}={value}>")
        for name in {"form": ["action"], "a": [], "area": []}.get(tag, ["src", "href", "data", "poster", "srcset"]):
            if re.match(r"\s*([a-z]+:)?[/\\]{2}", given.get(name) or "", re.I):
                self.faults.append(f"<{tag} {name}={given[name]}>")
        if tag == "meta" and given.get("http-equiv", "").lower() == "refresh" or tag in ("base", "object", "embed", "iframe", "frame"):
            self.faults.append(f"<{tag}>")
        if tag == "svg" and "onload" in given:
            self.faults.append("the canary is alive")

    def handle_data(self, data):
        if self.inside and data.strip():
            self.faults.append(f"inline {self.inside}: {data.strip()[:40]}")

    def handle_endtag(self, tag):
        self.inside = None


def faults_of(answer, page=None):
    """What is wrong with the headers of any answer, and with it as a page."""
    is_file = answer.headers.get("content-disposition", "").startswith("attachment;")
    expected = {**ALWAYS, **({"content-security-policy": "default-src 'none'; sandbox"} if is_file and answer.status == 200 else {})}
    if " /embed/" in answer.asked and answer.status == 200:      # what pages of other sites load
        expected["cross-origin-resource-policy"] = "cross-origin"
    faults = [f"{name}: {answer.headers.get(name)}" for name, value in expected.items() if answer.headers.get(name) != value]
    if "geolocation=()" not in answer.headers.get("permissions-policy", "") or "cache-control" not in answer.headers:
        faults.append("Permissions-Policy or Cache-Control")
    if "x-injected" in answer.headers:
        faults.append("a header was injected")
    cookie = answer.headers.get("set-cookie")
    if cookie and not re.fullmatch(r"(__Host-)?sid=[A-Za-z0-9_-]*((; ?)(Path=/|Secure|HttpOnly|SameSite=(Lax|Strict)|Max-Age=\d+))*", cookie):
        faults.append(f"Set-Cookie: {cookie}")
    kind = answer.headers.get("content-type", "")
    if kind.startswith("text/html"):
        text = answer.body.decode()
        faults += Page(text).faults
        if CANARY in text or "<svg onload" in text:
            faults.append("the canary stands unescaped")
    elif answer.status >= 400 and not kind.startswith("application/problem+json"):
        faults.append(f"a problem of type {kind}")
    if answer.status >= 500 and answer.status != 503:
        faults.append(f"status {answer.status}: {answer.body[:200]}")
    if answer.status in (301, 302, 303, 307, 308) and leads_away(answer.headers.get("location", "")):
        faults.append(f"leads away: {answer.headers.get('location')}")
    return faults


def leads_away(location):
    """As a browser reads it (WHATWG URL): tabs and line ends fall out, backslashes are slashes."""
    read = re.sub(r"[\t\r\n]", "", location).strip(" \0").replace("\\", "/")
    return urllib.parse.urlsplit(urllib.parse.urljoin("https://here.example/a/b", read)).netloc != "here.example"


class Faults:
    """Collects what is wrong, so that a run tells of all routes at once."""

    def __init__(self):
        self.wrong, self.count = [], 0

    def note(self, name, answer, *more):
        self.count += 1
        self.wrong += [f"{name}: {answer.status}: {fault}" for fault in [*faults_of(answer), *more]]

    def end(self, least):
        check(not self.wrong, f"{len(self.wrong)} wrong:\n" + "\n".join(self.wrong[:40]))
        check(self.count >= least, f"only {self.count} requests")
        return f"{self.count} requests"


@contextlib.contextmanager
def lived_in(policy=POLICY):
    """A server where a person has the canary in each text field, a file of that name, and a history."""
    with Server(policy) as server:
        app = server.client("app")
        data = {"identity": {"first_name": CANARY, "last_name": CANARY, "note": LINES.replace("\r\n", " "), "site": "https://people.example/?" + "%3Csvg%3E"},
                "contact": {"email": "canary@people.example", "phone": "+33612345678"}}
        server.person = app.create(data, supplied_by=CANARY)["id"]
        app.record(server.person, "visits", {"page": CANARY, "more": {CANARY: CANARY}}).expect(201)
        name = urllib.parse.quote(CANARY)
        server.file = app.request("POST", f"/v1/subjects/{server.person}/attachments?category=visits&name={name}", CANARY.encode(),
                                  {"Content-Type": "text/html"}.items()).expect(201).json["id"]
        app.consent(server.person, "news", "given", channel="email", wording=CANARY, by=CANARY).expect(201)
        app.change(server.person, "service", {"identity": {"last_name": CANARY + "2"}}, source="person").expect(200)
        app.post(f"/v1/subjects/{server.person}/disclosures", {"recipient": "carrier", "purpose": "service", "categories": ["identity"]}).expect(201)
        gone = app.create({"identity": data["identity"], "contact": {"email": "gone@people.example"}})["id"]
        server.certificate = app.post(f"/v1/subjects/{gone}/erase", {"ground": "request"}).expect(200).json["certificate"]["id"]
        yield server


def values_of(server, row):
    """For the path of a route: the person, or what else is there."""
    return {"id": server.certificate if "certificates" in row["path"] else server.person, "attachment": server.file, "category": "visits",
            "purpose": "service", "hash": "1.0", "older": "1.0", "newer": "1.0", "index": "000", "level": "0", "name": "garant.css"}


def register(tests):
    @tests.test("routes: headers and cookies of every answer, whoever asks")
    def headers():
        faults = Faults()
        with lived_in() as server:
            routes = Routes(server)
            callers = {"nobody": server.anyone(), "forged": Client(server.port, "garant_" + "A" * 43), "reader": server.client("reader"),
                       "app": server.client("app"), "operator": server.operator(),
                       "old cookie": server.anyone(headers={"Cookie": "__Host-sid=" + "A" * 43 + "; sid=x"})}
            for row in sorted(routes.rows, key=lambda r: r["method"] != "GET"):          # what changes things comes last
                for caller, client in callers.items():
                    if caller == "operator" and row["method"] != "GET":
                        continue
                    for accept in ("application/json", "text/html"):
                        answer = ask(client, row, routes.path(row, values_of(server, row)), routes.body(row, "x"), Accept=accept)
                        more = ["a stranger is served"] if row["who"] not in OPEN and answer.status < 300 \
                            and caller in ("nobody", "forged", "old cookie") else []
                        faults.note(f"{row['name']} as {caller}, {accept}", answer, *more)
            for path in ("/nothing", "/" + urllib.parse.quote(CANARY), "/v1/nothing", "/static/nothing.css", "/me/nothing"):
                for accept in ("application/json", "text/html"):
                    answer = server.anyone().get(path, Accept=accept)
                    faults.note(path, answer, *([] if answer.status == 404 else ["not 404"]))
        return faults.end(700)

    @tests.test("routes: no answer tells where the files of this machine are, to whoever is not its operator")
    def places():
        """The policy is named by its whole path, as a unit of systemd names it."""
        told, count = set(), 0
        with tempfile.TemporaryDirectory(prefix="planted-place-") as folder:
            shutil.copy(os.path.join(TOP, POLICY), folder)
            with lived_in(policy=os.path.join(folder, "people.yaml")) as server:
                routes, app = Routes(server), server.client("app")
                opened(server, {"identity": {"first_name": "Zed", "last_name": "Young"}, "contact": {"email": "zed@people.example"}})
                refusal = app.read(server.person, "resale").refused(clause="purposes")
                check(refusal["clause"]["file"] == "people.yaml", f"{refusal}")
                callers = {"nobody": server.anyone(), "app": app, "reader": server.client("reader"), "person": visitor(server, "zed@people.example")}
                for row in sorted(routes.rows, key=lambda r: (r["method"] != "GET", "session" in r["path"] or "signout" in r["path"])):
                    for caller, client in callers.items():
                        for accept in ("application/json", "text/html"):
                            answer = ask(client, row, routes.path(row, values_of(server, row)), routes.body(row, "x"), Accept=accept)
                            said, count = answer.body + repr(answer.headers).encode(), count + 1
                            told |= {f"{row['name']} to {caller}"} if re.search(b"planted-place|garant-test-", said) else set()
        check(not told, f"{len(told)} of {count}: {sorted(told)[:20]}")
        return f"{count} requests"

    @tests.test("routes: line feeds and scripts in every parameter")
    def injection():
        faults = Faults()
        with lived_in() as server:
            routes, app, anyone = Routes(server), server.client("app"), server.anyone()
            for row in routes.rows:
                client = anyone if row["who"] in (*OPEN, *SIGNED_IN) else app
                for value in (LINES, CANARY, "%0d%0aX-Injected:%20yes", "{{7*7}}${7*7}", "' OR '1'='1", "../../../etc/passwd", "\u202e\ufeff\u0085\u2028x"):
                    asked = [routes.path(row, {**values_of(server, row), name: value}) for name in routes.parameters(row, "path")]
                    asked += [routes.path(row, values_of(server, row), {name: value}) for name in routes.parameters(row, "query")]
                    asked += [routes.path(row, values_of(server, row), {value: value})]
                    for path in asked:
                        for accept in ("application/json", "text/html"):
                            faults.note(f"{row['name']} {path[:80]}", ask(client, row, path, routes.body(row, "x"), Accept=accept))
                    body = routes.body(row, value)
                    if isinstance(body, dict) and row["who"] != "operator":
                        faults.note(f"{row['name']} body of {value[:20]!r}", ask(client, row, routes.path(row, values_of(server, row)), body))
                        form = urllib.parse.urlencode({name: value for name in body}).encode()
                        faults.note(f"{row['name']} form of {value[:20]!r}", ask(client, row, routes.path(row, values_of(server, row)), form,
                                                                                 **{"Content-Type": "application/x-www-form-urlencoded"}))
            for header in ("Accept-Language", "Accept", "User-Agent", "If-None-Match", "Idempotency-Key", "Cookie", "Origin", "X-Forwarded-For",
                           "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded", "X-Original-URL", "X-Rewrite-URL", "X-CSRF-Token", "Sec-Fetch-Site"):
                for path in ("/privacy", "/nothing", "/v1/policy"):
                    answer = app.get(path, **{header: CANARY})
                    faults.note(f"{header} {path}", answer)
            answer = anyone.get("/nothing", Host="evil.example", **{"X-Forwarded-Host": "evil.example"})
            faults.note("Host", answer, *(["the Host is repeated"] if b"evil.example" in answer.body else []))
        return faults.end(1500)

    @tests.test("routes: no redirect leads away")
    def redirects():
        faults, followed = Faults(), 0
        with lived_in() as server:
            routes = Routes(server)
            for row in routes.rows:
                if row["who"] not in (*OPEN, *SIGNED_IN):
                    continue
                for where in ELSEWHERE:
                    body = routes.body(row, "x")
                    asked = [({}, None), ({"next": where}, None)] + [({name: where}, None) for name in routes.parameters(row, "query")]
                    asked += [({}, {**body, name: where}) for name in ("next", "return_to", "to") if isinstance(body, dict) and name in body]
                    for query, sent in asked:
                        for accept in ("text/html", "application/json"):
                            path = routes.path(row, values_of(server, row), query)
                            answer = ask(server.anyone(), row, path, sent or body, Accept=accept)
                            faults.note(f"{row['name']} {query or sent}", answer, *pages_lead_away(answer))
                            followed += answer.status in (302, 303)
            for where in ELSEWHERE:                           # as a path of its own: "//evil.example" must not come back as a place
                path = urllib.parse.quote(where, safe="/?=&@:%\\[]") or "/"
                if path.startswith("/") and "\\" not in path:
                    answer = server.anyone().get(path, Accept="text/html")
                    faults.note(path, answer, *pages_lead_away(answer))
        check(followed > 0, "nothing was redirected at all")
        return faults.end(500)

    @tests.test("routes: a file that was sent in is never opened in the site's name")
    def files():
        with Server(POLICY) as server:
            app = server.client("app")
            person = app.create({"identity": {"first_name": "A", "last_name": "B"}, "contact": {"email": "f@people.example"}})["id"]
            count = 0
            for kind in ("text/html", "TEXT/HTML; charset=utf-7", "application/xhtml+xml", "image/svg+xml", "text/xml", "text/javascript", "text/css",
                         "application/ecmascript", "application/wasm", "image/png", "application/pdf", "text/plain", "", "a/b\tc", "multipart/x-mixed-replace"):
                made = app.request("POST", f"/v1/subjects/{person}/attachments?category=visits&name=x.html", CANARY.encode(), {"Content-Type": kind}.items())
                if made.status != 201:
                    continue
                count += 1
                answer = app.get(f"/v1/subjects/{person}/attachments/{made.json['id']}?purpose=service").expect(200)
                check(not faults_of(answer), f"{kind}: {faults_of(answer)}")
                check(answer.headers["content-disposition"].startswith("attachment; "), f"{kind}: {answer.headers}")
                check(not re.search("html|xml|script|css|svg|wasm|multipart", answer.headers["content-type"], re.I), f"{kind}: {answer.headers}")
                check(answer.body == CANARY.encode(), "the file is another")
            check(count >= 10, f"only {count} types were taken")
            return f"{count} types"

    @tests.test("routes: another tenant's people are as absent as nobody's")
    def tenants():
        """Each route with an id, asked for a person of another tenant and for nobody: the same answer, but for the id."""
        count, wrong = 0, []
        with Server("myownconference") as server:
            document = server.operator().get("/v1/policy", **{"Garant-Tenant": "myownconference"}).expect(200).json["document"]
            others = [name for name in document["tenants"] if name != "myownconference"]
            routes, mine = Routes(server), server.client("app", tenant="myownconference")
            theirs = server.client("app", tenant=others[0])
            person = mine.create({"identity": {"display_name": "kestrel"}, "login": {"email": "kestrel@rooms.example"}})["id"]
            mine.read(person, "service").expect(200)
            for row in routes.rows:
                if "{id}" not in row["path"] or row["who"] in (*OPEN, "self", "operator"):
                    continue
                said = []
                for ident in (person, UNKNOWN):
                    values = {"id": ident, "category": "login", "purpose": "service"}
                    answer = ask(theirs, row, routes.path(row, values), routes.body(row, "service"))
                    said.append((answer.status, answer.body.decode(errors="replace").replace(ident, "ID"),
                                 {k: v for k, v in answer.headers.items() if k not in ("date", "content-length")}))
                    count += 1
                if said[0] != said[1] or said[0][0] < 400:
                    wrong.append(f"{row['name']}: {said}")
            mine.read(person, "service").expect(200)
        check(not wrong and count >= 70, f"of {count}:\n" + "\n".join(wrong))
        return f"{count} requests"


def pages_lead_away(answer):
    """Hidden fields and links of a page that would take someone elsewhere afterwards."""
    if not answer.headers.get("content-type", "").startswith("text/html"):
        return []
    text = answer.body.decode()
    found = re.findall(r'name="next"[^>]*value="([^"]*)"', text) + re.findall(r'value="([^"]*)"[^>]*name="next"', text)
    found += [urllib.parse.unquote(m) for m in re.findall(r'href="[^"]*[?&;]next=([^"&]*)"', text)]
    return [f"the page carries {one!r}" for one in found if leads_away(html_text(one))]


def html_text(text):
    import html
    return html.unescape(text)
