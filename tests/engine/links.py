"""garant serve on PostgreSQL: its addresses, passwords and links, from outside."""
import contextlib, json, os, re, shutil, socket, tempfile, threading, time
from certificates import Certificates
from garant import Server, check, check_line, garant
from postgres import Postgres
from tap import Tests

tests = Tests()
SECRET = "Correct-Horse-77-Battery"
ACCESS = """local all garant trust
local all other scram-sha-256
host all keeper 127.0.0.1/32 scram-sha-256
host all garant 127.0.0.1/32 trust
"""


class Databases:
    """Two databases on a PostgreSQL of their own, and servers on them."""

    def __init__(self, **options):
        self.folder = tempfile.mkdtemp(prefix="garant-links-")
        self.server = Postgres(loopback=True, access=ACCESS, **options)

    def __enter__(self):
        self.server.__enter__()
        _, errors = self.server.run(f"CREATE ROLE keeper LOGIN PASSWORD '{SECRET}';\nCREATE ROLE other LOGIN PASSWORD '{SECRET}';\n"
                                    "CREATE DATABASE garant_data;\nCREATE DATABASE garant_keys;\n"
                                    "GRANT ALL ON DATABASE garant_data TO keeper;\nGRANT ALL ON DATABASE garant_keys TO keeper;\n"
                                    "ALTER DATABASE garant_data OWNER TO keeper;\nALTER DATABASE garant_keys OWNER TO keeper;\n")
        check(not errors, errors)
        return self

    def __exit__(self, *_):
        self.server.__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)

    def at(self, where, user="garant", host="127.0.0.1", more=""):
        """The two options."""
        return [word for option, name in (("--store", "garant_data"), ("--keyring", "garant_keys"))
                for word in (option, f"postgresql://{user}@{host}:{self.server.port}/{name}?{where}{more}")]

    def file(self, name, text, mode=0o600):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def garant(self, *arguments, policy="mxplorerplace", env=None, **options):
        self.policy = f"policies/{policy}.yaml" if not policy.endswith(".yaml") else policy
        server = Server(self.policy, folder=self.folder, arguments=arguments, start=False, env={"GARANT_STORE": "", "GARANT_KEYRING": "", **(env or {})},
                        **options)
        server.charters = None
        return server


def plain_policy(base, say):
    """A policy that says nothing of links between machines, or that they are not encrypted."""
    with open("policies/mxplorerplace.yaml", encoding="utf-8") as file:
        text = file.read()
    check("internal: true" in text, "the policy says nothing of links between machines")
    return base.file("plain.yaml", text.replace(", internal: true", say))


def lived(server, base, where):
    """A person is written and read, before and after a restart; the journal verifies by command."""
    server.start()
    with contextlib.ExitStack() as stack:
        stack.callback(server.stop)
        app = server.client("app")
        made = app.create({"contact": {"email": "ana.souza@example.org"}, "identity": {"first_name": "Ana", "last_name": "Souza"}})
        server.restart()
        check(app.get(f"/v1/subjects/{made['id']}?purpose=account").status in (200, 403), "the person is not there after a restart")
        server.stop()
    said = json.loads(garant("verify", "--data", server.data, "--policy", server.policy, *where, "--json"))
    check(said["size"] > 2, f"{said}")


@tests.test("postgresql links: a password in an address is refused, in a file it opens")
def passwords():
    with Databases() as base:
        policy = plain_policy(base, "")
        told = base.at("", user=f"keeper:{SECRET}")
        server = base.garant(*told, policy=policy)
        status, log = server.refuses_to_start()
        check(status == 78 and "has a password" in log and SECRET not in log, f"{status}: {log}")
        open_file = base.file("open", SECRET + "\n", 0o644)
        status, log = base.garant(*base.at("", user="keeper"), "--store-password-file", open_file, policy=policy).refuses_to_start()
        check(status == 78 and "open to everybody" in log and SECRET not in log, f"{status}: {log}")
        status, log = base.garant(*base.at("", user="keeper"), policy=policy).refuses_to_start()
        check(status != 0 and "no connection to the PostgreSQL database of" in log, f"{status}: {log}")
        wrong = base.file("wrong", "not-the-secret\n")
        status, log = base.garant(*base.at("", user="keeper"), "--store-password-file", wrong, policy=policy).refuses_to_start()
        check("no connection to the PostgreSQL database of" in log and "not-the-secret" not in log, f"{status}: {log}")
        kept = base.file("secret", SECRET + "\nanother line\n")
        where = [*base.at("", user="keeper"), "--store-password-file", kept]
        server = base.garant(*where, policy=policy)
        lived(server, base, where)
        with_file = base.file("pgpass", f"*:*:*:keeper:{SECRET}\n")
        check(json.loads(garant("verify", "--data", server.data, "--policy", policy, *base.at(f"passfile={with_file}", user="keeper"), "--json"))["size"],
              "passfile= is not read")
        check(json.loads(garant("verify", "--data", server.data, "--policy", policy, *base.at("", user="keeper"), "--store-password-file",
                                "credential:secret", "--json", env={"CREDENTIALS_DIRECTORY": base.folder}))["size"], "a credential is not read")
        check(SECRET not in server.log(), "the password stands in the log")


@tests.test("postgresql links: the folder remembers, and commands say what they miss")
def remembered():
    with Databases() as base:
        policy = plain_policy(base, "")
        where = base.at("")
        server = base.garant(*where, policy=policy)
        status, log = base.garant(where[0], where[1], policy=policy).refuses_to_start()
        check(status == 78 and "needs --store and --keyring" in log, f"{status}: {log}")
        status, log = base.garant(where[0], where[1], "--keyring", where[1], policy=policy).refuses_to_start()
        check(status == 78 and "they need one each" in log, f"{status}: {log}")
        lived(server, base, where)
        run = garant("verify", "--data", server.data, ok=None)
        check(run.returncode == 78 and "--store and --keyring name where" in run.stderr, f"{run.returncode} {run.stderr}")
        status, log = base.garant(policy=policy).refuses_to_start()
        check(status == 78 and "--store and --keyring name where" in log, f"{status}: {log}")
        said = garant("doctor", "--data", server.data, "--policy", policy, env={"GARANT_STORE": where[1], "GARANT_KEYRING": where[3]}, ok=None)
        check("on PostgreSQL" in said.stdout and "data.db" not in said.stdout and "verified from its first entry" in said.stdout, said.stdout)
        server.start()
        other = Server(policy, folder=tempfile.mkdtemp(dir=base.folder), arguments=where, start=False)
        shutil.copytree(server.data, other.data, ignore=shutil.ignore_patterns("garant.sock"))
        status, log = other.refuses_to_start()
        check("another server writes to this PostgreSQL database" in log, f"{status}: {log}")
        server.stop()


@tests.test("postgresql links: MO-23, only TLS with a certificate that was verified, else the clause")
def encrypted():
    with Databases() as base:
        made = Certificates(os.path.join(base.folder, "tls"))
        server = base.garant(*base.at(f"sslrootcert={made.authority}"))
        status, log = server.refuses_to_start()                  # no TLS at all
        check("not TLS with a certificate" in log and status != 0, f"{status}: {log}")
        named = re.search(r"(policies/mxplorerplace\.yaml):(\d+)", log)
        check(named, log)
        check_line({"file": named[1], "line": int(named[2]), "path": "security.transport.internal"})
        check(not base.server.run("SELECT 1 FROM pg_tables WHERE tablename = 'journal'", "garant_data")[0], "tables were made all the same")
        for name in ("tls.pem", "tls.key"):
            shutil.copy(os.path.join(made.folder, name), os.path.join(base.server.dir, name))
            base.server.given(os.path.join(base.server.dir, name))
        base.server.settings |= {"ssl": "on", "ssl_cert_file": f"{base.server.dir}/tls.pem", "ssl_key_file": f"{base.server.dir}/tls.key"}
        base.server.stop()
        base.server.start()
        other = Certificates(os.path.join(base.folder, "other"))
        for authority in (other.authority, os.path.join(base.folder, "absent.pem")):
            status, log = base.garant(*base.at(f"sslrootcert={authority}")).refuses_to_start()
            check("not TLS with a certificate" in log, f"{authority}: {status}: {log}")
        weaker = base.at(f"sslrootcert={made.authority}", more="&sslmode=prefer")   # what the address asks is not enough: the policy's holds
        server = base.garant(*weaker)
        lived_encrypted(server, base)
        run = garant("verify", "--data", server.data, *weaker, ok=None)             # without a policy file: its last version is asked
        check(run.returncode != 0 and "sslmode=verify-full" in run.stderr, f"{run.returncode} {run.stderr}")
        check(re.search(r"\(mxplorerplace [^)]*:\d+", run.stderr), run.stderr)
        full = base.at(f"sslrootcert={made.authority}", more="&sslmode=verify-full")
        check(json.loads(garant("verify", "--data", server.data, *full, "--json"))["size"] > 2, "verify does not open it")


def lived_encrypted(server, base):
    server.start()
    try:
        made = server.client("app").create({"contact": {"email": "ana.souza@example.org"}, "identity": {"first_name": "Ana", "last_name": "Souza"}})
        check(made["id"], f"{made}")
        out, _ = base.server.run("SELECT count(*), count(*) FILTER (WHERE ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
                                 " WHERE application_name = 'garant'")
        every, with_tls = map(int, out.split())
        check(every >= 2 and every == with_tls, f"of {every} connections {with_tls} are encrypted")
    finally:
        server.stop()


@tests.test("postgresql links: a reload to a policy that asks for encrypted links is refused")
def reloaded():
    with Databases() as base:
        policy = plain_policy(base, "")
        server = base.garant(*base.at(""), policy=policy)
        server.start()
        try:
            with open("policies/mxplorerplace.yaml", encoding="utf-8") as file:
                text = file.read()
            with open(policy, "w", encoding="utf-8") as file:
                file.write(text)
            run = garant("policy", "reload", "--data", server.data, ok=None)
            check(run.returncode != 0 and "sslmode=verify-full" in run.stderr, f"{run.returncode} {run.stdout} {run.stderr}")
            server.anyone().get("/healthz").expect(200)
        finally:
            server.stop()


class Older:
    """A relay in front of a PostgreSQL, which says at each connection that it is of an older version."""

    def __init__(self, port, version):
        self.port_of, self.version, self.listening = port, version, socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listening.accept()
                far = socket.create_connection(("127.0.0.1", self.port_of))
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self.carry, args=(one, other), daemon=True).start()

    def carry(self, one, other):
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(re.sub(rb"(server_version\0)\d\d", rb"\g<1>" + self.version, data))
            other.shutdown(socket.SHUT_WR)

    def close(self):
        self.listening.close()


@tests.test("postgresql links: a server of an older version than 14 is refused, before a table is made")
def older():
    with Databases() as base:
        policy, port = plain_policy(base, ""), base.server.port
        for version, starts in ((b"13", False), (b"14", True)):
            relay = Older(port, version)
            base.server.port = relay.port
            server = base.garant(*base.at("sslmode=disable"), policy=policy)
            base.server.port = port
            if starts:
                server.start()
                server.stop()
            else:
                status, log = server.refuses_to_start()
                check(status == 78 and "is older than version 14" in log, f"{status}: {log}")
                check(not base.server.run("SELECT 1 FROM pg_tables WHERE tablename = 'journal'", "garant_data")[0], "tables were made all the same")
            relay.close()


@tests.test("postgresql links: a password that is changed while the server runs is read again")
def changed():
    with Databases() as base:
        policy, kept = plain_policy(base, ""), base.file("secret", SECRET + "\n")
        server = base.garant(*base.at("", user="keeper"), "--store-password-file", kept, policy=policy)
        server.start()
        try:
            app = server.client("app")
            app.create({"contact": {"email": "ana.souza@example.org"}, "identity": {"first_name": "Ana", "last_name": "Souza"}})
            base.file("secret", "Another-Horse-88\n")
            _, errors = base.server.run("ALTER ROLE keeper PASSWORD 'Another-Horse-88';\n"
                                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'keeper';")
            check(not errors, errors)
            until, bo = time.monotonic() + 20, {"contact": {"email": "bo@example.org"}, "identity": {"first_name": "Bo", "last_name": "Ek"}}
            while (answer := app.post("/v1/subjects", {"data": bo, "source": "person"})).status != 201:
                check(answer.status == 503 and time.monotonic() < until, f"{answer.status} {answer.body}\n{server.log()[-2000:]}")
            check("Another-Horse" not in server.log(), "the password stands in the log")
        finally:
            server.stop()


if __name__ == "__main__":
    tests.main()
