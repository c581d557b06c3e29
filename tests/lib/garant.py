"""Drives a real server from outside: starts it with a policy, talks HTTP to it, owns its clock, searches its files.

Only the standard library of Debian's Python 3. Nothing here knows the insides of the server: it runs the program, sends requests
and reads files as bytes. A test imports it so:

    sys.path.insert(0, os.path.join(TOP, "tests/lib"))
    from garant import Server
    with Server("mxplorerplace") as server:
        app = server.client("app")
        made = app.post("/v1/subjects", {"data": {...}, "source": "person"}).expect(201)
"""
import base64, contextlib, datetime, http.client, io, itertools, json, os, random, re, select, shutil, signal, socket, sqlite3, struct, subprocess
import sys, tempfile, threading, time, urllib.parse, uuid, zipfile
import doors, engine, rows

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("GARANT_BUILD", "build"))
PROGRAM = os.path.join(BUILD, "garant")
DAY = 86_400_000                                                # milliseconds


class Fault(AssertionError):
    """What a test expected and did not get."""


# ---- Answers and clients. ----

class Answer:
    """An HTTP answer: status, headers (names in lower case), body as bytes, .json read when asked for."""

    def __init__(self, asked, status, headers, body):
        self.asked, self.status, self.headers, self.body = asked, status, headers, body

    @property
    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            raise Fault(f"{self.asked}: the answer {self.status} is not JSON: {self.body[:200]!r}") from None

    @property
    def etag(self):
        return self.headers.get("etag")

    def expect(self, *statuses):
        """The answer itself when its status is one of these."""
        doors.asserted()
        if self.status not in statuses:
            raise Fault(f"{self.asked}: expected {' or '.join(map(str, statuses))}, got {self.status} "
                        f"{self.body[:600].decode(errors='replace')}")
        return self

    def refused(self, *codes, status=None, clause=None, promise=None, field=None):
        """A problem (RFC 9457) with one of these codes, that names the clause: its path, and a file and line that hold it."""
        if self.status < 400 or not self.headers.get("content-type", "").startswith("application/problem+json"):
            raise Fault(f"{self.asked}: expected a refusal, got {self.status} {self.body[:300].decode(errors='replace')}")
        problem = self.json
        check(problem.get("status") == self.status, f"{self.asked}: status in the problem: {problem}")
        check(not codes or problem.get("code") in codes, f"{self.asked}: expected {codes}, got {problem}")
        check(status is None or self.status == status, f"{self.asked}: expected status {status}, got {problem}")
        check(field is None or field in (problem.get("field"), *re.split(r"[ \"]", problem.get("detail", ""))),
              f"{self.asked}: expected the field {field} named, got {problem}")
        if clause is not None:
            said = problem.get("clause") or {}
            check(re.search(clause, said.get("path", "")), f"{self.asked}: expected the clause {clause}, got {problem}")
            check_line(said)
        if promise is not None:
            said = problem.get("clause") or {}
            check(promise in said.get("promises", []), f"{self.asked}: expected the promise {promise}, got {problem}")
        return problem


def check(holds, otherwise):
    doors.asserted()
    if not holds:
        raise Fault(otherwise)


class Policies(threading.local):
    """The policy files that servers were started with, by their names: those of this thread's scenario before those of any other."""
    everybody = {}

    def __init__(self):
        self.own = {}

    def add(self, path):
        self.own[os.path.basename(path)] = self.everybody[os.path.basename(path)] = os.path.join(TOP, path)

    def get(self, name):
        return self.own.get(name) or self.everybody.get(name)


POLICIES = Policies()


def policy_told(file):
    """The path of a policy file as answers name it: from TOP, or by its name alone."""
    return POLICIES.get(file) or os.path.join(TOP, file)


def check_line(clause):
    """The file and line a clause names are there, and the line holds the last word of the clause's path."""
    with open(policy_told(clause["file"]), encoding="utf-8") as file:
        lines = file.read().split("\n")
    check(0 < clause["line"] <= len(lines), f"the clause names line {clause['line']} of {clause['file']}, which has {len(lines)}")
    words = [word for word in re.split(r"[.\[\]]", clause["path"]) if word and not word.isdigit()]
    near = "\n".join(lines[max(0, clause["line"] - 2):clause["line"] + 1])
    check(any(word in near for word in words),
          f"line {clause['line']} of {clause['file']} does not speak of {clause['path']}: {near}")


class Client:
    """Requests with one token to a port (or what gives it), on connections of their own (one a thread). Writes get an Idempotency-Key unless one is given."""

    def __init__(self, port=None, token=None, path=None, timeout=300, headers=None, epoch=lambda: 0, context=None):
        self.told, self.token, self.path, self.timeout, self.headers = port, token, path, timeout, headers or {}
        self.context = context                                   # an ssl.SSLContext where the server ends TLS
        self.epoch = epoch                                       # connections do not outlive it: how often the server was started
        self.before_disclosure = None                            # called before a first one: Server.charters
        self.local = threading.local()

    @property
    def port(self):
        return self.told() if callable(self.told) else self.told

    @port.setter
    def port(self, port):
        self.told = port

    def connect(self):
        if self.path is None and self.context:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=self.timeout, context=self.context)
        if self.path is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        connection = http.client.HTTPConnection("localhost", timeout=self.timeout)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(self.timeout)
        connection.sock.connect(self.path)
        return connection

    def request(self, method, path, body=None, headers=(), key=None):
        """One request. A body that is not bytes is sent as JSON (a merge patch for PATCH). A broken connection raises."""
        if self.before_disclosure and method == "POST" and (path.endswith("/disclosures") or path == "/v1/batch"):
            self.before_disclosure()
        doors.requested(method, path, operator=self.path is not None, html="text/html" in dict(headers).get("Accept", ""))
        sent = {"Accept-Language": "en", **self.headers}
        if self.token:
            sent["Authorization"] = "Bearer " + self.token
        if method not in ("GET", "HEAD"):
            sent["Idempotency-Key"] = key or uuid.uuid4().hex
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode()
            sent["Content-Type"] = "application/merge-patch+json" if method == "PATCH" else "application/json"
        sent.update(headers)
        if body is None and method in ("POST", "PUT", "PATCH"):
            body = b""
        connection, epoch = getattr(self.local, "connection", None) or (None, None)
        if connection is not None and (epoch != self.epoch() or select.select([connection.sock], [], [], 0)[0]):
            connection.close()
            connection = None
        self.local.connection, connection = None, connection or self.connect()
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            data = answer.read()
        except Exception:
            connection.close()
            raise
        if answer.will_close:
            connection.close()
        else:
            self.local.connection = connection, self.epoch()
        return Answer(f"{method} {path}", answer.status, {k.lower(): v for k, v in answer.getheaders()}, data)

    def get(self, path, **headers):
        return self.request("GET", path, headers=headers.items())

    def post(self, path, body=None, key=None, **headers):
        return self.request("POST", path, body, headers.items(), key)

    def put(self, path, body=None, **headers):
        return self.request("PUT", path, body, headers.items())

    def patch(self, path, body, etag=None, **headers):
        return self.request("PATCH", path, body, {**headers, **({"If-Match": etag} if etag else {})}.items())

    def delete(self, path, etag=None, **headers):
        return self.request("DELETE", path, None, {**headers, **({"If-Match": etag} if etag else {})}.items())

    # The acts that most tests need, each a few words.

    def create(self, data, source="person", **more):
        """A person with this data; the answer's JSON."""
        return self.post("/v1/subjects", {"data": data, "source": source, **more}).expect(201).json

    def lookup(self, identifier, purpose):
        return self.post("/v1/subjects/lookup", {"identifier": identifier, "purpose": purpose})

    def read(self, subject, purpose, categories=None):
        wanted = {"purpose": purpose, **({"categories": ",".join(categories)} if categories else {})}
        return self.get(f"/v1/subjects/{subject}?{urllib.parse.urlencode(wanted)}")

    def change(self, subject, purpose, patch, source=None, permitted=None):
        """A merge patch on the newest version as read for this purpose; permitted: when the person let that source give it."""
        said = {"purpose": purpose, "source": source, "permitted": permitted}
        query = urllib.parse.urlencode({name: value for name, value in said.items() if value})
        return self.patch(f"/v1/subjects/{subject}?{query}", patch, etag=self.read(subject, purpose).expect(200).etag)

    def consent(self, subject, purpose, decision="given", **more):
        return self.post(f"/v1/subjects/{subject}/consents", {"purpose": purpose, "decision": decision, **more})

    def record(self, subject, category, fields, **more):
        return self.post(f"/v1/subjects/{subject}/records/{category}", {"fields": fields, **more})

    def export(self, subject):
        """The export: its files by name, data.json read as "data"."""
        answer = self.get(f"/v1/subjects/{subject}/export").expect(200)
        check(answer.headers["content-type"].startswith("application/zip"), f"export is {answer.headers['content-type']}")
        with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
            check(archive.testzip() is None, "the exported archive is damaged")
            files = {name: archive.read(name) for name in archive.namelist()}
        return files, json.loads(files["data.json"])

    def erase(self, subject, ground="request"):
        return self.post(f"/v1/subjects/{subject}/erase", {"ground": ground}).expect(200).json


# ---- The server. ----

def policy_file(name):
    """policies/NAME.yaml as the server is told it: relative to the top, where the server is started."""
    return name if name.endswith(".yaml") else f"policies/{name}.yaml"


HELD = []                                                       # the names of the ports that this process chose


def free_port():
    """A port for a program that cannot choose its own: outside the range that systems hand out, and of this process alone until it ends."""
    for port in random.sample(range(15000, 32000), 1000):
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            name = stack.enter_context(socket.socket(socket.AF_UNIX))
            name.bind(f"\0garant-test-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
            HELD.append(name)
            stack.pop_all()
            return port
    raise Fault("no port is free")


def routes():
    """The rows of routes.def: (method, path, who)."""
    return re.findall(r'^ROUTE\(\w+, ([A-Z]+), "([^"]+)", ([A-Z]+),', rows.table("front/door/routes.def"), re.M)


def garant(*arguments, ok=(0,), env=None, timeout=120, given=""):
    """Runs the program, with `given` on its standard input; its standard output. A status outside `ok` is a fault; ok=None gives the finished process."""
    doors.commanded(arguments)
    return ran(arguments, ok, env, timeout, given)


def data_of(arguments):
    """The data folder that a command names."""
    words = [str(word) for word in arguments]
    return next((value for word, value in zip(words, words[1:]) if word == "--data"), None)


def ran(arguments, ok=(0,), env=None, timeout=120, given=""):
    """The same, as no test of a command: what only prepares something."""
    run = subprocess.run([PROGRAM, *map(str, arguments)], cwd=TOP, input=given or "", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         text=True, errors="replace", timeout=timeout, env={**os.environ, **engine.environment(data_of(arguments)), **(env or {})})
    if ok is None:
        return run
    check(run.returncode in ok, f"garant {' '.join(map(str, arguments))}: status {run.returncode}: "
                                f"{run.stdout[-500:]}{run.stderr[-1500:]}")
    return run.stdout


class Server:
    """A server over a data folder. Used with `with`: started, and stopped by its process id whatever happens."""

    def __init__(self, policy, folder=None, data=None, now=None, arguments=(), env=None, start=True, log=None, tenant=None,
                 tls=None):
        self.policy, self.tenant = policy_file(policy), tenant
        POLICIES.add(self.policy)
        self.tls = tls                                           # of certificates.py: the server then ends TLS itself
        self.context = tls.context() if tls else None
        self.made = folder is None
        self.folder = folder or tempfile.mkdtemp(prefix="garant-test-")
        self.data = data or os.path.join(self.folder, "data")
        self.clock_file = os.path.join(self.folder, "clock")
        self.log_file = log or os.path.join(self.folder, "server.log")
        self.arguments, self.env, self.process, self.port, self.starts = list(arguments), env or {}, None, None, 0
        self.tokens = {}
        self.charters = set()                                    # tenants whose recipients accepted; None: tests that see to it themselves
        if not os.path.exists(self.clock_file):
            self.set_clock(0)
        if now is not None:
            self.set_clock(milliseconds(now))
        if start:
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.stop()
        if kind is not None:
            tail = "".join(open(self.log_file, errors="replace").readlines()[-15:]) if os.path.exists(self.log_file) else ""
            if tail and hasattr(value, "add_note"):
                value.add_note("server log: " + tail)
        if self.made and self.data.startswith(self.folder) and not os.environ.get("GARANT_KEEP"):
            engine.dropped(self.data)
        if self.made and not os.environ.get("GARANT_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)

    # Life.

    def command(self):
        return [PROGRAM, "serve", "--policy", self.policy, "--data", self.data, "--listen", f"127.0.0.1:{self.port or 0}",
                "--clock-file", self.clock_file, *(self.tls.arguments() if self.tls else []), *self.arguments]

    def spawn(self):
        self.starts += 1
        engine.ready(self.data)
        self.began_at = os.path.getsize(self.log_file) if os.path.exists(self.log_file) else 0
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(self.command(), cwd=TOP, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **engine.environment(self.data), **self.env})
        return self.process

    def told_port(self):
        """The port that the server says it listens on, chosen by the system unless one was given; None while it has not said so."""
        with open(self.log_file, "rb") as log:
            log.seek(self.began_at)
            said = re.search(rb'"event":"listening","address":"[^"]*:(\d+)"', log.read())
        return int(said[1]) if said else None

    def start(self, within=120):
        """Starts and waits until it is ready; the seconds that took. Started again it takes the same port, or another when that is gone."""
        began, before = time.monotonic(), self.port if self.starts else None
        self.spawn()
        while time.monotonic() - began < within:
            if self.process.poll() is not None:
                if not before or "cannot be listened on" not in self.log()[-2000:]:
                    break
                before = self.port = None
                self.spawn()
            port = self.told_port()
            with contextlib.suppress(OSError, http.client.HTTPException):
                if port and Client(port, timeout=20, context=self.context).get("/healthz").status == 200:
                    self.port = port
                    return time.monotonic() - began
            time.sleep(0.005)
        status, self_log = self.process.poll(), self.log()
        self.stop()
        raise Fault(f"the server did not start within {within} s (status {status}): {self_log[-1500:]}")

    def refuses_to_start(self, within=60):
        """Starts what must not start; its exit status and what it said."""
        doors.commanded(["serve"])
        before = len(self.log())
        process = self.spawn()
        try:
            status = process.wait(within)
        except subprocess.TimeoutExpired:
            self.stop()
            raise Fault("the server started, and should have refused") from None
        self.process = None
        check(status > 0, f"the server ended with {status}, and should have refused with a clear status")
        return status, self.log()[before:]

    def stop(self, within=300):
        """Asks it to end (SIGTERM) and waits; its exit status."""
        if self.process is None:
            return None
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(within)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise Fault(f"the server did not stop within {within} s of SIGTERM")
        return process.returncode

    def kill(self):
        """kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def restart(self):
        self.stop()
        return self.start()

    def log(self):
        if not os.path.exists(self.log_file):
            return ""
        with open(self.log_file, encoding="utf-8", errors="replace") as file:
            return file.read()

    # Its clock.

    def set_clock(self, value):
        """Milliseconds since 1970, or 0 for the machine's time. Written in place: the server has the file mapped."""
        mode = "r+b" if os.path.exists(self.clock_file) else "wb"
        with open(self.clock_file, mode) as file:
            file.write(struct.pack("=q", value))

    def now(self):
        with open(self.clock_file, "rb") as file:
            value = struct.unpack("=q", file.read(8))[0]
        return value or int(time.time() * 1000)

    def advance(self, days=0, hours=0, minutes=0, seconds=0, ms=0):
        """Moves the server's clock; the new time in milliseconds."""
        self.set_clock(self.now() + int(days * DAY + hours * 3_600_000 + minutes * 60_000 + seconds * 1000 + ms))
        return self.now()

    # Callers.

    def token(self, actor, name=None, tenant=None):
        """A fresh token for an actor class of the policy."""
        name, tenant = name or f"{actor}-{uuid.uuid4().hex[:8]}", tenant or self.tenant
        said = ran(["token", "create", "--data", self.data, "--name", name, "--actor", actor,
                    *(["--tenant", tenant] if tenant else []), "--json"])
        return json.loads(said)["token"]

    def client(self, actor, tenant=None, **options):
        """A client for an actor class; the token is made once and outlives restarts."""
        if (actor, tenant) not in self.tokens:
            self.tokens[actor, tenant] = self.token(actor, tenant=tenant)
        made = Client(lambda: self.port, self.tokens[actor, tenant], epoch=lambda: self.starts, context=self.context, **options)
        made.before_disclosure = lambda: self.accept_once(tenant or self.tenant)
        return made

    def accept_once(self, tenant=None):
        """Before a first disclosure: what every recipient does before it gets anything."""
        if self.charters is not None and tenant not in self.charters:
            self.charters.add(tenant)
            self.accept_charters(tenant=tenant)

    def accept_charters(self, *names, tenant=None):
        """The recipients of the policy that a charter is asked of (or these) accept it, each on its own page."""
        operator = self.operator()
        operator.headers = {**operator.headers, **({"Garant-Tenant": tenant} if tenant else {})}
        asked = operator.get("/v1/recipients")
        if asked.status == 403 and asked.json["clause"]["path"].startswith("tenants."):
            return                                               # stored only: its own staff has them accept
        register = asked.expect(200).json
        for row in register["recipients"]:
            if row["charter"] not in ("pending", "lapsed") or (names and row["recipient"] not in names):
                continue
            link = operator.post(f"/v1/recipients/{row['recipient']}/links").expect(201).json["link"]
            form = {"token": link.split("token=")[1], "read": "yes", "name": "Ana Souza", "language": register["charter"]["language"],
                    **{name: register["charter"][name] for name in ("version", "hash")}}
            page = self.anyone().post("/charter?lang=en", form, Accept="text/html").expect(200)
            check(b"Ana Souza" in page.body, f"{row['recipient']} did not accept: {page.body[:2000]!r}")

    def operator(self, **options):
        """The operator, on the data folder's own socket."""
        headers = {"Garant-Tenant": self.tenant} if self.tenant else {}
        made = Client(path=os.path.join(self.data, "garant.sock"), headers=headers, epoch=lambda: self.starts, **options)
        made.before_disclosure = lambda: self.accept_once(self.tenant)
        return made

    def anyone(self, **options):
        return Client(lambda: self.port, epoch=lambda: self.starts, context=self.context, **options)

    def run(self, *arguments, **options):
        """A command on this server's data folder, under its policy."""
        return garant(*arguments, "--data", self.data, "--policy", self.policy, *(["--tenant", self.tenant] if self.tenant else []), **options)

    def run_refused(self, code, *arguments, status=None, clause=None, **options):
        """A command that is refused with that code and exit status, and names the clause, its file and line; what it said."""
        run = self.run(*arguments, "--json", ok=None, **options)
        check(run.returncode != 0 and not run.stdout, f"garant {' '.join(map(str, arguments))} is not refused: {run.stdout[:300]}")
        said = json.loads(run.stderr)
        check(said["code"] == code and said["status"] == run.returncode, f"expected {code}, got {run.returncode} {said}")
        check(status is None or run.returncode == status, f"expected the exit status {status}, got {run.returncode} {said}")
        if clause is not None:
            named = re.search(r"\((\S+):(\d+), (\S+?)(?:, promises? [^)]*)?\)$", said["detail"])
            check(named and re.search(clause, named[3]), f"expected the clause {clause}, got {said}")
            check_line({"file": named[1], "line": int(named[2]), "path": named[3]})
        return said

    def save_journal(self, folder):
        """The journal as files, as c2sp.org/tlog-tiles lays them out: what verify.py reads offline."""
        client = self.operator()

        def save(path):
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            with open(os.path.join(folder, path), "wb") as file:
                file.write(client.get("/v1/journal/" + path).expect(200).body)
        save("checkpoint")
        save("key")
        with open(os.path.join(folder, "checkpoint"), encoding="utf-8") as file:
            count = int(file.read().split("\n")[1])
        for level in itertools.count():
            for tile in range((count + 255) // 256):
                name = "/".join(f"x{part}" for part in re.findall("...", f"{tile:0{3 * ((len(str(tile)) + 2) // 3)}d}"))
                name = name[:-4] + name[-3:] + (f".p/{count % 256}" if (tile + 1) * 256 > count else "")
                save(f"tile/{level}/{name}")
                if level == 0:
                    save(f"tile/entries/{name}")
            count //= 256
            if count == 0:
                return folder

    def sweep(self):
        return self.operator().post("/v1/sweep").expect(200).json


# ---- Time. ----

def milliseconds(moment):
    """Of an RFC 3339 text, a date text, a datetime, or milliseconds themselves."""
    if isinstance(moment, int):
        return moment
    if isinstance(moment, str):
        moment = datetime.datetime.fromisoformat(moment.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return round(moment.timestamp() * 1000)


def moment(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc)


def add_months(ms, months):
    """Calendar months later, the last day of the month when there is no such day."""
    start = moment(ms)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = (datetime.date(year + (month == 11), (month + 1) % 12 + 1, 1) - datetime.timedelta(1)).day
    return milliseconds(start.replace(year=year, month=month + 1, day=min(start.day, last)))


# ---- Searching bytes. ----

def forms(value):
    """The ways a planted value may stand in a file: as it is, in other encodings, escaped, in base64, in hexadecimal."""
    texts = {value, value.lower(), value.upper(), urllib.parse.quote(value), json.dumps(value)[1:-1], value.replace("@", "&#64;")}
    found = set()
    for text in texts:
        for encoding in ("utf-8", "utf-16-le", "utf-16-be", "latin-1"):
            with contextlib.suppress(UnicodeEncodeError):
                found.add(text.encode(encoding))
    for raw in {value.encode(), value.lower().encode()}:
        found |= {raw.hex().encode(), raw.hex().upper().encode(), raw[::-1]}
        for shift in range(3):
            coded = base64.b64encode(b"\0" * shift + raw)
            inner = coded[(0, 2, 3)[shift]:len(coded) - (0, 3, 2)[(shift + len(raw)) % 3] - (1 if (shift + len(raw)) % 3 else 0)]
            found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return {form for form in found if len(form) >= 6}


def find_values(values, *places):
    """Where any form of any value stands in the files under these folders: a list of (file, value, offset); empty is good.

    Archives are looked into. Values shorter than 6 characters would be found by chance and are not accepted."""
    doors.used("files", "byte search")
    wanted = []
    for value in values:
        value = str(value)
        check(len(value) >= 6, f"{value!r} is too short to be searched for")
        wanted += [(form, value) for form in forms(value)]
    hits = []
    for place in places:
        walk = [(os.path.dirname(place), [], [os.path.basename(place)])] if os.path.isfile(place) else os.walk(place)
        for where, _, names in walk:
            for name in names:
                path = os.path.join(where, name)
                if not os.path.isfile(path):
                    continue
                with open(path, "rb") as file:
                    bodies = [(path, file.read())]
                if zipfile.is_zipfile(path):
                    with zipfile.ZipFile(path) as archive:
                        bodies += [(f"{path}!{member}", archive.read(member)) for member in archive.namelist()]
                for label, body in bodies:
                    hits += [(label, value, body.find(form)) for form, value in wanted if form in body]
    return hits


def check_absent(values, *places):
    hits = find_values(values, *places)
    check(not hits, "found in clear: " + "; ".join(f"{value!r} in {path} at byte {at}" for path, value, at in hits[:8]))


def check_searchable(values, folder):
    """The search itself finds a value planted in a file, so that finding none elsewhere means something."""
    path = os.path.join(folder, "planted")
    for value in values:
        with open(path, "wb") as file:
            file.write(b"\0" * 1000 + base64.b64encode(b"xy" + str(value).encode() + b"z") + b"\0" * 1000)
        check(find_values([value], path), f"the byte search does not find {value!r} where it was planted")
    os.unlink(path)


# ---- Keys. ----

def wrapped_keys(data):
    """Every key that stands, wrapped, in the keyring's file, whatever its tables: read as any program could that stole it. What `anchor`
    holds is no key: how far the journal had come, and the ledger's head."""
    base = engine.base(data, "keys.db")
    with contextlib.closing(base):
        tables = [row[0] for row in base.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'anchor'")]
        return {cell for table in tables for row in base.execute(f'SELECT * FROM "{table}"') for cell in row
                if isinstance(cell, bytes) and len(cell) > 48}


def check_bytes_absent(blobs, folder):
    """None of these bytes stands in any file of the folder."""
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    body = file.read()
                check(not any(blob in body for blob in blobs), f"they are still in {path}")
