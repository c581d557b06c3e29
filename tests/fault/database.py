"""A store on PostgreSQL whose databases go away: killed under load and started again, sessions ended, another host in their place."""
import contextlib, os, random, shutil, signal, socket, struct, subprocess, tempfile, threading, time
from common import RELEASE, SMALL, preloaded, tests
from garant import Server, check
from load import Load, journal_holds
from postgres import Postgres

WITHIN = 2                                                       # seconds in which who asks is refused, while the databases are away
RECOVERS = 30
WRITERS_LOCK = 7449355                                           # of src/store/engine/pg.c: who has it writes


@contextlib.contextmanager
def served(loopback=False, hosts=None, policy=SMALL, env=None):
    """A PostgreSQL, and a server on two databases of it; its addresses name these hosts."""
    with Postgres(loopback=loopback) as base:
        _, errors = base.run("CREATE DATABASE garant_data;\nCREATE DATABASE garant_keys;\n")
        check(not errors, errors)
        at = hosts(base) if hosts else f"host={base.dir}"
        arguments = [word for option, name in (("--store", "garant_data"), ("--keyring", "garant_keys"))
                     for word in (option, f"user=garant dbname={name} {at}")]
        with Server(policy, arguments=arguments, env={"GARANT_STORE": "", "GARANT_KEYRING": "", **(env or {})}) as server:
            yield base, server


def health(server):
    began = time.monotonic()
    status = server.anyone(timeout=30).get("/healthz").status
    return status, time.monotonic() - began


def until_healthy(server, status=200, within=RECOVERS):
    began = time.monotonic()
    while health(server)[0] != status:
        check(time.monotonic() - began < within, f"/healthz did not say {status} within {within} s: {server.log()[-1500:]}")
        time.sleep(0.02)
    return time.monotonic() - began


def wait_for_load(load, acknowledged):
    until = time.monotonic() + RECOVERS
    while load.acknowledged < acknowledged or not load.everyone():
        check(time.monotonic() < until, "nothing is acknowledged")
        time.sleep(0.01)


def refused_meanwhile(server, load, seconds):
    """While they are away: writes and reads are refused with 503, each within two seconds; how long the slowest took."""
    slowest, asked, until = 0, 0, time.monotonic() + seconds
    client = load.new_client()
    person = load.everyone()[0]
    while time.monotonic() < until:
        for ask in (lambda: client.create({"contact": {"email": f"away{asked}@load.example"}}), lambda: client.read(person.id, "service")):
            began = time.monotonic()
            with contextlib.suppress(AssertionError):
                answer = ask()
                check(getattr(answer, "status", 200) == 503, f"answered while the databases are away: {answer}")
            slowest, asked = max(slowest, time.monotonic() - began), asked + 1
        time.sleep(0.02)
    return slowest, asked


@tests.test("the databases are killed under load: nothing acknowledged is lost or done twice, 503 meanwhile, and it goes on by itself")
def killed():
    rounds, chance = 20 if RELEASE else 5, random.Random(2026)
    slowest = recovery = asked = 0
    with served() as (base, server):
        load = Load(server)
        until_healthy(server)
        for _ in range(rounds):
            load.start()
            wait_for_load(load, load.acknowledged + 5)
            time.sleep(chance.uniform(0.1, 0.8))
            base.stop(signal.SIGQUIT)
            until_healthy(server, 503, WITHIN)
            took, count = refused_meanwhile(server, load, 0.4)
            slowest, asked = max(slowest, took), asked + count
            base.start()
            recovery = max(recovery, until_healthy(server))
            time.sleep(chance.uniform(0.1, 0.3))
            load.stop()
            load.settle()
            load.verify(load.everyone()[-60:])
        check(slowest < WITHIN, f"a request was refused after {slowest:.1f} s only")
        load.verify()
        size = journal_holds(server)
        log = server.log()
        fates = log.count('"event":"store.commit-asked"')
        check(load.acknowledged > rounds * 10 and load.refused, f"{load.acknowledged} acknowledged, {load.refused} refused: there was no load")
        check(log.count('"event":"store.not-reached"') >= rounds, "the log does not tell that the databases are away")
    return (f"{rounds} kills, {load.acknowledged} writes acknowledged, 0 lost, 0 done twice, {load.refused} refused meanwhile, {fates} commits asked after, "
            f"refused within {slowest * 1000:.0f} ms, healthy {recovery:.1f} s at most after the start, journal of {size} entries verified")


# ---- The answer to a COMMIT that never comes: a link that reads what goes over it. ----

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"


class Link:
    """Between the server and PostgreSQL. `cut` says what happens to the next COMMIT of the data: "before" it is sent, or "behind" it, its answer
    kept back; then every connection ends, and new ones are let through again after `closed` seconds. What goes over it takes `delay` seconds each way.
    `poses`: who asks whether somebody is there is asked for a password instead; `heard` is all that came from there."""

    def __init__(self, port):
        self.to, self.cut, self.closed, self.opens, self.all = port, None, 0, 0, []
        self.delay, self.poses, self.heard = 0, False, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.socket.accept()
            except OSError:
                return
            if time.monotonic() < self.opens:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self.to))
            self.all += [near, far]
            data = []                                            # whether it is the data's, which its first message says
            threading.Thread(target=self.back, args=(far, near), daemon=True).start()
            threading.Thread(target=self.forth, args=(near, far, data), daemon=True).start()

    def forth(self, near, far, data):
        with contextlib.suppress(OSError):
            while said := near.recv(65536):
                if self.poses and not data and b"application_name\0garant" not in said:
                    self.pose(near, said)
                    return
                time.sleep(self.delay)
                data = data or [b"garant_data" in said, False]
                data[1] |= b"READ COMMITTED READ WRITE" in said  # the writer's; readers end their snapshots by that word too
                if self.cut and all(data) and said.endswith(COMMIT):
                    self.cutting(far, said)
                    return
                far.sendall(said)
        self.end(near, far)

    def pose(self, near, said):
        """As a server without TLS that wants the password as it is."""
        heard = [said]
        self.heard.append(heard)
        if said[4:8] == b"\x04\xd2\x16\x2f":                      # whether it has TLS
            near.sendall(b"N")
            heard.append(near.recv(65536))
        near.sendall(b"R\0\0\0\x08\0\0\0\x03")
        heard.append(near.recv(65536))
        self.end(near)

    def cutting(self, far, said):
        how, self.cut = self.cut, None
        self.opens = time.monotonic() + self.closed
        if how == "behind":
            self.kept = far
            far.sendall(said)
            while far.fileno() >= 0 and self.kept is far:        # until its answer is here
                time.sleep(0.005)
        self.end(*self.all)

    kept = None

    def back(self, far, near):
        with contextlib.suppress(OSError):
            while said := far.recv(65536):
                if self.kept is far:
                    self.kept = None
                    return
                time.sleep(self.delay)
                near.sendall(said)
        self.end(near, far)

    @staticmethod
    def end(*sockets):
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def linked(more="sslmode=disable"):
    """A server that reaches its data through a Link."""
    links = []

    def hosts(base):
        links.append(Link(base.port))
        return f"host=127.0.0.1 port={links[0].port} {more} gssencmode=disable"
    with served(loopback=True, hosts=hosts) as (base, server):
        try:
            yield base, server, links[0]
        finally:
            links[0].closed = 0


@tests.test("the answer to a COMMIT is lost: the journal tells whether it was done, and it is answered so, or done again once")
def lost_answers():
    with linked() as (base, server, link):
        app, told = server.client("app"), {"before": [], "behind": []}
        rounds = 10 if RELEASE else 3
        for number in range(rounds):
            for how in ("before", "behind"):
                until_healthy(server)
                data = {"identity": {"first_name": "Ana", "last_name": "Lost"}, "contact": {"email": f"{how}{number}@lost.example", "phone": "+33600000000"}}
                link.cut, link.closed, key = how, 0, f"key-{how}-{number}"
                made = app.post("/v1/subjects", {"data": data, "source": "person"}, key=key)
                check(link.cut is None, "no COMMIT came by")
                check(made.status == (503 if how == "before" else 201), f"the COMMIT was lost {how} it: {made.status} {made.body[:300]}")
                check(how == "behind" or made.json["code"] == "storage", f"{made.json}")
                told[how].append(made.status)
                until_healthy(server)
                again = app.post("/v1/subjects", {"data": data, "source": "person"}, key=key).expect(201).json
                check(how == "before" or again["id"] == made.json["id"], f"done twice: {made.json} {again}")
        until_healthy(server)
        link.cut, link.closed = "behind", 2.5                    # it cannot be known for a while
        data["contact"]["email"] = "unknown@lost.example"
        began = time.monotonic()
        made = app.post("/v1/subjects", {"data": data, "source": "person"}, key="key-unknown")
        took = time.monotonic() - began
        check(made.status == 503 and made.json["code"] == "outcome-unknown" and took < WITHIN, f"{made.status} {made.body[:300]} after {took:.1f} s")
        until_healthy(server)
        again = app.post("/v1/subjects", {"data": data, "source": "person"}, key="key-unknown").expect(201).json
        check(app.lookup({"contact.email": "unknown@lost.example"}, "service").expect(200).json["id"] == again["id"], "another person is found")
        until_healthy(server)
        thief = threading.Thread(target=lambda: base.run(f"SELECT pg_advisory_lock({WRITERS_LOCK}); SELECT pg_sleep(2.5)", "garant_data"))
        thief.start()                                            # it waits for the lock, and has it before the server is back
        while base.run("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted", "garant_data")[0].strip() == "0":
            check(thief.is_alive(), "nobody waits for the lock")
        link.cut, link.closed = "behind", 0
        data["contact"]["email"] = "stolen@lost.example"
        made = app.post("/v1/subjects", {"data": data, "source": "person"}, key="key-stolen")
        check(made.status == 503 and made.json["code"] == "outcome-unknown", f"the lock is another's: {made.status} {made.body[:300]}")
        thief.join()
        until_healthy(server)
        again = app.post("/v1/subjects", {"data": data, "source": "person"}, key="key-stolen").expect(201).json
        check(app.read(again["id"], "service").expect(200).json["id"] == again["id"], "the key of who was made is gone")
        everybody = int(base.run("SELECT count(*) FROM subject", "garant_data")[0])
        check(everybody == 2 * rounds + 2, f"{everybody} people are there")
        size = journal_holds(server)
    return f"{2 * rounds} answers lost and told by the journal, one told as not known after {took:.1f} s; journal of {size} entries verified"


def frozen(base, how):
    """SIGSTOP, or SIGCONT, to every process of it: sockets stay open, and nobody answers."""
    found = {int(line.split()[0]): int(line.split()[1]) for line in subprocess.run(["ps", "-eo", "pid=,ppid="], text=True, capture_output=True,
                                                                               check=True).stdout.splitlines()}
    for pid in [base.process.pid] + [pid for pid, parent in found.items() if parent == base.process.pid]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, how)


@tests.test("the databases stand still, their sockets open: 503 within two seconds, nothing is acknowledged, and it goes on by itself")
def stand_still():
    rounds, slowest, asked, recovery = 5 if RELEASE else 2, 0, 0, 0
    with served(loopback=True, hosts=lambda base: f"host=127.0.0.1 port={base.port} sslmode=disable") as (base, server):
        load = Load(server)
        until_healthy(server)
        for _ in range(rounds):
            load.start()
            wait_for_load(load, load.acknowledged + 5)
            frozen(base, signal.SIGSTOP)
            try:
                began = time.monotonic()
                until_healthy(server, 503, WITHIN)
                found = time.monotonic() - began
                took, count = refused_meanwhile(server, load, 1)
                before = load.acknowledged                       # what was committed before is acknowledged until here
                more, others = refused_meanwhile(server, load, 2)
                check(load.acknowledged == before, "something is acknowledged while nobody keeps it")
                slowest, asked = max(slowest, took, more, found), asked + count + others
            finally:
                frozen(base, signal.SIGCONT)
            recovery = max(recovery, until_healthy(server))
            load.stop()
            load.settle()
            load.verify(load.everyone()[-60:])
        check(slowest < WITHIN + 0.3, f"the slowest refusal took {slowest:.2f} s")   # libpq counts a connection's time in whole seconds
        load.verify()
        size = journal_holds(server)
        said = server.log().count('"event":"store.not-reached"')
        check(said >= rounds, "nothing is said of it")
        busy = threading.Thread(target=base.run, args=("BEGIN; LOCK TABLE subject; SELECT pg_sleep(4); COMMIT;", "garant_data"))
        busy.start()                                             # a statement that waits its time is no such thing
        while base.run("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted", "garant_data")[0].strip() == "0":
            check(busy.is_alive(), "nobody has the lock")
        began = time.monotonic()
        server.client("app").create({"contact": {"email": "patient@load.example"}})
        check(time.monotonic() - began > 2, "nothing was waited for")
        check(server.log().count('"event":"store.not-reached"') == said, "a statement that takes its time is taken for a server that stands still")
        busy.join()
    return f"{rounds} times, {asked} refused, the slowest after {slowest:.2f} s; back after {recovery:.2f} s; journal of {size} entries verified"


def writer(base):
    """The session that writes the data."""
    return base.run("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted", "garant_data")[0].strip()


def waits(base, server, meanwhile, after):
    """A write waits four seconds for a lock, in the same session to its end; `meanwhile()` is done at its begin, `after()` within it."""
    until_healthy(server)
    session = writer(base)
    busy = threading.Thread(target=base.run, args=("BEGIN; LOCK TABLE subject; SELECT pg_sleep(4); COMMIT;", "garant_data"))
    busy.start()
    while base.run("SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted", "garant_data")[0].strip() == "0":
        check(busy.is_alive(), "nobody has the lock")
    meanwhile()
    later = threading.Timer(3, after)
    later.start()
    began = time.monotonic()
    server.client("app").create({"contact": {"email": "patient@load.example"}})
    check(time.monotonic() - began > 2, "nothing was waited for")
    for thread in (later, busy):
        thread.join()
    check(server.log().count('"event":"store.not-reached"') == 0 and writer(base) == session, "a server that is far away is taken for one that stands still")


@tests.test("the databases are far away, and a statement takes its time: no connection is cut, and who asks gives no password away")
def far_away():
    with linked("") as (base, server, link):                     # whether there is TLS is asked for too
        waits(base, server, lambda: setattr(link, "delay", 0.22), lambda: setattr(link, "delay", 0))
    folder = tempfile.mkdtemp(prefix="garant-far-")
    try:
        with open(os.path.join(folder, "pgpass"), "w", encoding="utf-8") as file:
            file.write("*:*:*:*:Correct-Horse-77\n")
        os.chmod(file.name, 0o600)
        with linked(f"sslmode=disable passfile={file.name}") as (base, server, link):
            waits(base, server, lambda: setattr(link, "poses", True), lambda: setattr(link, "poses", False))
            check(link.heard, "nobody asked whether somebody is there")
            for heard in link.heard:
                check(not any(b"Correct-Horse" in said for said in heard), "a password went to who only answered")
                check(b"user\0garant" in heard[0] and not any(heard[1:]), f"more is said than the address allows: {heard}")
    finally:
        shutil.rmtree(folder)
    return f"{len(link.heard)} asked"


@tests.test("several hosts: the one that takes writes is found, and found again")
def several_hosts():
    with Postgres(loopback=True) as standby, Postgres(loopback=True, settings={"default_transaction_read_only": "on"}) as reading:
        for name in ("garant_data", "garant_keys"):
            standby.run(f"CREATE DATABASE {name};\n")
            reading.run(f"SET default_transaction_read_only = off;\nCREATE DATABASE {name};\n")
        at = f"host=127.0.0.1,127.0.0.1 port={reading.port},{standby.port} sslmode=disable"
        arguments = ["--store", f"user=garant dbname=garant_data {at}", "--keyring", f"user=garant dbname=garant_keys {at}"]
        with Server(SMALL, arguments=arguments, env={"GARANT_STORE": "", "GARANT_KEYRING": ""}) as server:
            load = Load(server, writers=2)
            load.start()
            wait_for_load(load, 3)
            standby.stop(signal.SIGQUIT)
            until_healthy(server, 503, WITHIN)
            standby.start()
            until_healthy(server)
            load.stop()
            load.settle()
            people = load.verify()
            made = reading.run("SELECT 1 FROM pg_tables WHERE tablename = 'journal'", "garant_data")[0].strip()
            check(not made, "the host that only reads was written to")
    return f"{people} people"


class Ahead:
    """The control file of tests/fault/ahead.c, and the environment that preloads it."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "ahead")
        self.set(0)
        self.env = {"LD_PRELOAD": preloaded("ahead"), "AHEAD_CONTROL": self.path}

    def set(self, milliseconds):
        with open(self.path, "r+b" if os.path.exists(self.path) else "wb") as file:
            file.write(struct.pack("=q", milliseconds))


@tests.test("an answer that waits for the database is not cut: its reader is not the one who is slow")
def waits_for_the_database():
    """The table of records is locked while a copy is read, and the clock jumps by ten minutes: who is idle is let go of, the copy goes on."""
    with tempfile.TemporaryDirectory(prefix="garant-ahead-") as folder:
        ahead = Ahead(folder)
        with served(policy="tests/hostile/people.yaml", env=ahead.env) as (base, server):
            app, count = server.client("app", timeout=120), 4000
            ident = app.create({"identity": {"first_name": "Ana", "last_name": "Test"}, "contact": {"email": "ana@people.example"}})["id"]
            for _ in range(0, count, 400):
                app.post("/v1/batch", {"requests": [{"method": "POST", "path": f"/v1/subjects/{ident}/records/visits",
                                                     "body": {"fields": {"page": "/" + "a" * 900}}}] * 400}).expect(207)
            idle = socket.create_connection(("127.0.0.1", server.port))
            idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            check(idle.recv(65536), "no answer")
            told, reader = [], socket.socket()
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.connect(("127.0.0.1", server.port))
            reader.sendall(f"GET /v1/subjects/{ident}/access HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
                           f"Authorization: Bearer {server.tokens['app', None]}\r\n\r\n".encode())
            told.append(reader.recv(1024))                        # it has begun
            base.ask("BEGIN; LOCK TABLE record IN ACCESS EXCLUSIVE MODE;", "garant_data")

            def read_on():
                while told[-1]:
                    told.append(reader.recv(1 << 16))
            thread = threading.Thread(target=read_on)
            thread.start()
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'record'::regclass;"
            while base.ask(waiting, "garant_data").strip() == "0":
                time.sleep(0.02)                                  # until the next piece waits for the lock
            before = sum(len(one) for one in told)
            ahead.set(600_000)
            while idle.recv(65536):                               # let go of, by the same look over all connections
                pass
            server.anyone(timeout=60).get("/healthz")
            base.ask("COMMIT;", "garant_data")
            thread.join()
            whole = b"".join(told)
            check(whole.endswith(b"\r\n0\r\n\r\n"), f"cut off after {len(whole)} bytes, {before} before: {server.log()[-600:]}")
    return f"{len(whole) >> 10} KiB, {before >> 10} KiB before the lock"
