"""The worst that one caller can do to all others: every route at its dearest, as one signed-in person, one token, one member of staff, and
visitors whom nobody knows, beside an honest client.

What is asked is made from the route table, so that a new route is tested on the day it is there: its largest body, its longest page, a
batch full of it. Beside that go slow readers of exports, floods of rows, uploads, two thousand sign-ins. The callers are a program of their
own (this file, run), so that the honest client does not wait for them here; what it waits is compared with a server that is left alone."""
import contextlib, http.client, io, itertools, json, os, queue, random, re, socket, subprocess, sys, threading, time, urllib.parse, zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [path for path in (os.path.join(HERE, "..", "lib"), HERE) if path not in sys.path]
from garant import Client, Fault, Server, check, garant
from people import PASSWORD, Visitor, opened, staff, visitor
from routes import Routes
from slow import p99, waits

RELEASE = os.environ.get("GARANT_TIER") == "release"
POLICY = "tests/hostile/people.yaml"
MEMORY = 256 << 20                                              # bytes that the server may ever have, whatever is done to it
ROUNDS = 20 if RELEASE else 1
FORM = "application/x-www-form-urlencoded"
LONG = "long " * 3000                                           # one text of a body at its dearest


# ---- What is wrong with an answer. ----

def fault_of(answer):
    """Why this answer may not be, or None: broken inside, or said to be right and empty or cut."""
    kind, body = answer.headers.get("content-type", ""), answer.body
    if answer.status >= 500 and answer.status not in (503, 507):
        return f"{answer.status} {body[:200]!r}"
    if answer.status == 503 and b'"code":"memory"' in body:
        return f"out of memory: {body[:200]!r}"
    if answer.status in (429, 503) and not answer.headers.get("retry-after", "").isdigit():
        return f"{answer.status} without Retry-After"
    if answer.status not in (200, 201, 202, 207):
        return None
    if not body:
        return f"{answer.status} with nothing" if kind or answer.status == 200 else None
    try:
        if "json" in kind:
            json.loads(body)
        elif kind == "application/zip":
            with zipfile.ZipFile(io.BytesIO(body)) as archive:
                if archive.testzip():
                    return "a damaged archive"
                json.loads(archive.read("data.json"))
        elif kind.startswith("text/html") and not body.rstrip().endswith(b"</html>"):
            return f"a page cut at {len(body)} bytes"
    except (ValueError, zipfile.BadZipFile) as wrong:
        return f"{answer.status} of {len(body)} bytes, cut: {wrong}"
    return None


# ---- Every route at its dearest. ----

class Dearest:
    """Requests of each route for a caller, made from the table: what is known of the route's meaning stands in `known`."""

    def __init__(self, routes, ids):
        self.routes, self.ids, self.numbers = routes, ids, itertools.count(1)

    def known(self, name, who):
        """Bodies that are taken, of the largest kind: an empty list where the generated ones must do."""
        n = next(self.numbers)
        text = LONG[:4000]
        many = [{"purpose": "news", "decision": ("given", "withdrawn")[k % 2], "channel": "email", "wording": text[:200]} for k in range(50)]
        service = {"purpose": "service"}
        return {
            "subject_create": {"data": {"identity": {"first_name": text, "last_name": text, "note": text}, "contact":
                               {"email": f"flood{n}-{who}@people.example"}}, "source": "person", "consents": many},
            "subject_lookup": {"identifier": {"contact.email": "alice@people.example"}, **service},
            "subject_patch": {"identity": {"note": f"{n} {text}"}},
            "record_add": {"fields": {"page": f"{n} {text}", "more": {str(k): LONG[:500] for k in range(120)}}},
            "consent_record": many,
            "event_add": {"event": "last_contact", "at": "2026-11-21T09:30:00Z"},
            "hold_create": {"category": "visits", "ground": text[:200], "until": "2027-11-21T00:00:00Z"},
            "disclosure_make": {"recipient": "carrier", "categories": ["identity", "contact"], **service},
            "folder_grant": {"folder": "dossier", "name": f"{n} {text[:150]}", "why": text[:200], "by": "x"},
            "preference_set": {"colour": f"#{n % 0xffffff:06x}"},
            "me_preference_set": {"colour": f"#{n % 0xffffff:06x}"},
            "contact_send": {"subject": text[:150], "text": text, **service},
            "contact_call": {"subject": text[:150], **service},
            "subject_decide": {"purpose": "service", "act": "read", "subject": self.ids["alice"], "categories": ["identity"] * 300},
            "account_open": {"data": {"identity": {"first_name": text, "last_name": text}, "contact": {"email": f"open{n}-{who}@people.example"}},
                             "supplied_by": "person"},
            "account_register": {"data": {"identity": {"first_name": text, "last_name": text}, "contact": {"email": f"self{n}@people.example"}},
                                 "password": PASSWORD},
            "reset_ask": {"identifier": "alice@people.example"},
            "signin": {"identifier": "alice@people.example", "password": PASSWORD},
            "identifier_change": {"value": f"other{n}@people.example", "identifier": f"other{n}@people.example"},
        }.get(name)

    def batch(self, who):
        """Batches full of one request each."""
        ident = self.ids["alice"]
        rows = [{"method": "GET", "path": "/v1/promises?fresh=true"}, {"method": "GET", "path": f"/v1/subjects/{ident}/access"},
                {"method": "GET", "path": f"/v1/subjects/{ident}/looks?limit=1000"}, {"method": "GET", "path": "/v1/accounts?limit=1000"},
                {"method": "GET", "path": f"/v1/subjects/{ident}?purpose=service"}, {"method": "GET", "path": f"/v1/subjects/{ident}/contacts?purpose=service"}]
        more = {"method": "POST", "path": f"/v1/subjects/{ident}/records/visits", "body": {"fields": {"page": LONG[:800]}}}
        return [{"requests": [row] * 1000} for row in [*rows, more]]

    def values(self, row):
        return {"id": self.ids["alice"], "attachment": self.ids["file"], "category": "preferences" if "preferences" in row["path"] else "visits",
                "purpose": "news", "hash": "1.0", "older": "1.0", "newer": "1.0", "index": "000", "level": "0", "name": "garant.css",
                "place": f"p{next(self.numbers)}", "token": "x"}

    def queries(self, row):
        dear = {"limit": "1000", "fresh": "true", "category": "visits", "name": "big.bin", "dry_run": "true", "index": "0", "reason": LONG[:200],
                "to": "partner", "purpose": "service"}
        return {name: dear[name] for name in self.routes.parameters(row, "query") if name in dear}

    def requests(self, row, who):
        """(method, path, body, headers) of this route, each dear in its own way."""
        path = self.routes.path(row, self.values(row), self.queries(row))
        headers = {"Accept": "text/html" if self.routes.is_page(row) else "application/json"}
        if row["method"] == "PATCH":
            headers["If-Match"] = "*"
        if row["body"] == "none":
            return [(row["method"], path, None, headers)]
        if row["body"] == "file":
            lines = b"contact.email,identity.first_name,identity.last_name\n" + b"".join(b"line%d@people.example,A,B\n" % k for k in range(20000))
            return [(row["method"], path, lines if "import" in row["path"] else os.urandom(1 << 20) * 32,
                     {**headers, "Content-Type": "text/csv" if "import" in row["path"] else "application/pdf"})]
        if row["name"] == "batch":
            return [(row["method"], path, body, headers) for body in self.batch(who)]
        filled = self.routes.body(row, LONG)
        if row["body"] == "form" and not row["path"].startswith("/v1/"):
            form = {name: value if isinstance(value, str) else LONG for name, value in (filled or {}).items()}
            return [(row["method"], path, form, {**headers, "Content-Type": FORM})]
        wide = b"[" * 20 + b",".join([b'{"a":"b"}'] * 30000) + b"]" * 20
        known = self.known(row["name"], who)
        bodies = [known] if known is not None else []
        return [(row["method"], path, body, headers) for body in [*bodies, filled or {}, wide]]


def may_call(row, who):
    """Whom the table lets ask. Visitors try the doors that are open, the others all that theirs opens."""
    kinds = {"visitor": ("public", "anyone"), "person": ("own", "self", "anyone", "public"), "token": ("token", "own", "public"),
             "staff": ("token", "own", "staff", "self")}
    ends = row["name"] in ("session_end", "session_drop_others", "sessions_end", "session_drop", "signout", "subject_erase", "me_close",
                           "subject_close", "erase_now", "close_now", "password_set", "factor_remove", "staff_close", "restriction_set")
    another = who == "person" and row["name"].startswith("signin")            # a browser has one session, and the next takes its place
    return row["who"] in kinds[who] and not ends and not another                # what ends the caller, or its victim, is worth no second request


class Attack:
    """Callers side by side until their list is done; what they were told, and what was wrong with it."""

    def __init__(self, said):
        self.port, self.faults, self.statuses, self.lock = said["port"], [], {}, threading.Lock()
        self.said, self.jobs = said, queue.SimpleQueue()

    def client(self, who):
        client = Client(self.port, timeout=120, headers=self.said["headers"].get(who, {}))
        client.csrf = self.said["csrf"].get(who)
        return client

    def note(self, name, answer):
        fault = fault_of(answer)
        with self.lock:
            self.statuses.setdefault(answer.status, []).append(name)
            if fault:
                self.faults.append(f"{name}: {fault}")

    def ask(self, clients, job):
        who, name, method, path, body, headers = job
        if headers.get("Content-Type") == FORM:
            body = urllib.parse.urlencode({**body, "csrf": clients[who].csrf or ""}).encode()
        try:
            self.note(f"{name} as {who}", clients[who].request(method, path, body, headers.items()))
        except http.client.IncompleteRead as cut:
            clients[who] = self.client(who)
            again = clients[who].request(method, path, body, headers.items())
            if name == "attachment_get" and again.status == 404:       # another caller's DELETE came meanwhile: what is erased is not read on
                return self.note(f"{name} as {who}", again)
            with self.lock:
                self.faults.append(f"{name} as {who}: cut: {cut}")
        except (OSError, http.client.HTTPException):
            clients[who] = self.client(who)                    # closed on purpose, before or while a body came

    def work(self):
        clients = {who: self.client(who) for who in ("visitor", "person", "token", "staff")}
        with contextlib.suppress(queue.Empty):
            while True:
                self.ask(clients, self.jobs.get_nowait())

    def run(self, jobs, side_by_side):
        for job in jobs:
            self.jobs.put(job)
        threads = [threading.Thread(target=self.work, daemon=True) for _ in range(side_by_side)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    # What no single request is.

    def slow_readers(self, path, who, count, seconds):
        """Asks for much on many connections and takes a drop now and then."""
        open_ones = []
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in self.said["headers"][who].items())
        for _ in range(count):
            with contextlib.suppress(OSError):
                one = socket.socket()
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                one.connect(("127.0.0.1", self.port))
                one.sendall((head + "\r\n").encode())
                one.setblocking(False)
                open_ones.append(one)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for one in open_ones:
                with contextlib.suppress(OSError):
                    one.recv(4096)
            time.sleep(0.2)
        for one in open_ones:
            one.close()


def attack(said):
    """The program of the callers: each part in turn, told on standard output."""
    routes = Routes.__new__(Routes)
    routes.rows, routes.description = said["rows"], said["description"]
    routes.schemas = routes.description["components"]["schemas"]
    dear, one, choose = Dearest(routes, said["ids"]), Attack(said), random.Random(said["seed"])
    person = said["ids"]["alice"]

    def part(name, jobs=(), side_by_side=24, run=None):
        began = time.monotonic()
        one.statuses = {}
        run() if run else one.run(jobs, side_by_side)
        told = {status: len(names) for status, names in sorted(one.statuses.items())}
        print(json.dumps({"part": name, "statuses": told, "seconds": round(time.monotonic() - began, 1), "faults": one.faults[:40]}), flush=True)
        one.faults = []

    def jobs_of(who):
        rows = [row for row in routes.rows if may_call(row, who)]
        return [(who, row["name"], *request) for row in rows for request in dear.requests(row, who)]

    for _ in range(said["rounds"]):
        part("slow readers of exports", run=lambda: one.slow_readers(f"/v1/subjects/{person}/export", "person", 40, 2))
        part("slow readers of all that is held", run=lambda: one.slow_readers(f"/v1/subjects/{person}/access", "person", 100, 2))
        for who in ("visitor", "person", "token", "staff"):
            jobs = jobs_of(who)
            choose.shuffle(jobs)
            part(f"every route, as {who}", jobs)
        for name, who, count in (("subject_access", "person", 16), ("subject_export", "person", 6), ("attachment_add", "token", 20), ("me_page", "person", 4),
                                 ("subject_read", "token", 20), ("promises_get", "token", 24), ("subject_create", "token", 40), ("batch", "token", 1),
                                 ("signin", "visitor", 2000 if said["rounds"] > 1 else 40)):
            row = next(row for row in routes.rows if row["name"] == name)
            part(f"{name} alone, as {who}", [(who, name, *request) for _ in range(count) for request in dear.requests(row, who)], 40)
    print(json.dumps({"end": True}), flush=True)


# ---- The test. ----

def high_water(server):
    """Bytes that the server ever had in memory."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmHWM:\s+(\d+) kB", file.read())[1]) << 10


def data(name, **more):
    return {"identity": {"first_name": "Ana", "last_name": "Test", **more}, "contact": {"email": f"{name}@people.example"}}


def prepare(server):
    """A person of whom much is held, a member of staff and a token: what the callers need to know."""
    app = server.client("app")
    alice = opened(server, data("alice"))
    files = [app.request("POST", f"/v1/subjects/{alice}/attachments?category=visits&name=f{n}.bin", os.urandom(1 << 20) * 20,
                         {"Content-Type": "application/pdf"}.items()).expect(201).json["id"] for n in range(3)]
    visit = {"method": "POST", "path": f"/v1/subjects/{alice}/records/visits", "body": {"fields": {"page": LONG[:900]}}}
    for _ in range(2):
        app.post("/v1/batch", {"requests": [visit] * 500}).expect(207)
    callers = {"person": visitor(server, "alice@people.example"), "staff": staff(server, data("support"), "support@people.example", "support")}
    headers = {who: {"Cookie": "; ".join(f"{k}={v}" for k, v in one.cookies.items()), "X-CSRF-Token": one.csrf, "Accept-Language": "en"}
               for who, one in callers.items()}
    headers["token"] = {"Authorization": "Bearer " + server.tokens["app", None]}
    return {"port": server.port, "ids": {"alice": alice, "file": files[0]}, "headers": headers, "csrf": {who: one.csrf for who, one in callers.items()},
            "rows": json.loads(garant("help", "routes", "--json")), "seed": random.randrange(1 << 30), "rounds": ROUNDS,
            "description": server.anyone().get("/openapi.json").expect(200).json}


def told_by(process, parts):
    """Collects what the callers tell, part by part, until they end."""
    for line in process.stdout:
        parts.append({**json.loads(line), "at": time.monotonic()})


def tried():
    """All of it, beside an honest client: what was told part by part, the client's waits here and with a server left alone, and the memory."""
    with Server(POLICY) as server, Server(POLICY) as control:
        said, parts, looks = prepare(server), [], []
        process = subprocess.Popen([sys.executable, "-B", os.path.abspath(__file__)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        with process.stdin as file:
            json.dump(said, file)
        reader = threading.Thread(target=told_by, args=(process, parts))
        reader.start()
        while reader.is_alive():
            began = time.monotonic()
            looks.append(waits(server, control, lambda: reader.is_alive() and time.monotonic() < began + 1, "reader"))
        check(process.wait() == 0 and parts and parts[-1].get("end"), f"the callers broke off: {parts[-1:]}")
        server.anyone().get("/healthz").expect(200)
        here, alone = ([wait for look in looks for wait in look[k]] for k in (0, 1))
        broke = [line for line in server.log().splitlines() if "broke off" in line]
        return parts[:-1], here, alone, high_water(server), broke


def register(tests):
    @tests.test("worst: every route at its dearest, by one person, one token, one member of staff, and visitors")
    def worst():
        parts, waited, control, memory, broke = tried()
        here, alone = p99(waited), p99(control)
        wrong = [f"{part['part']}: {fault}" for part in parts for fault in part["faults"]]
        told = "; ".join(f"{part['part']} {part['statuses']}" for part in parts)
        check(not wrong, f"{len(wrong)} answers are wrong:\n" + "\n".join([*wrong[:40], *broke[:5]]))
        check(memory < MEMORY, f"the server had {memory >> 20} MiB: {told}")
        check(here <= max(3 * alone, alone + 60), f"an honest client's p99: {here:.1f} ms here and {alone:.1f} ms with a server left alone: {told}")
        asked = sum(sum(part["statuses"].values()) for part in parts)
        check(asked > 400 and all(any(s.startswith("2") for s in part["statuses"]) for part in parts if part["statuses"]), told)
        return f"{asked} requests, {memory >> 20} MiB; an honest client's p99 {here:.1f} ms, {alone:.1f} ms with a server left alone"


def main():
    attack(json.load(sys.stdin))


if __name__ == "__main__":
    main()
