"""Backups of data on PostgreSQL: into databases and into files, from either, and nobody who was erased comes back."""
import contextlib, json, os, shutil, subprocess, tempfile
from garant import PROGRAM, Server, check, garant
from links import tests
from postgres import Postgres

SMALL = "tests/lib/small.yaml"
PERSON = {"identity": {"first_name": "Ana", "last_name": "Copied"}, "contact": {"email": "ana@copies.example", "phone": "+33600000000"}}


class Places:
    """Folders, each with its data in files or in two databases, and commands on them."""

    def __init__(self, base, folder):
        self.base, self.folder, self.made = base, folder, {}

    def server(self, name, databases):
        where = []
        if databases and name not in self.made:
            for kind in ("data", "keys"):
                _, errors = self.base.run(f"CREATE DATABASE {name}_{kind};\n")
                check(not errors, errors)
        if databases:
            where = [word for option, kind in (("--store", "data"), ("--keyring", "keys"))
                     for word in (option, f"host={self.base.dir} user=garant dbname={name}_{kind}")]
        os.makedirs(os.path.join(self.folder, name), exist_ok=True)
        self.made[name] = where
        return Server(SMALL, folder=os.path.join(self.folder, name), arguments=where, start=False, env={"GARANT_STORE": "", "GARANT_KEYRING": ""})

    def run(self, server, *arguments, **options):
        env = {"GARANT_STORE": "", "GARANT_KEYRING": ""}
        return garant(*arguments, "--data", server.data, "--policy", SMALL, *self.made[os.path.basename(server.folder)], env=env, **options)


@contextlib.contextmanager
def places():
    with Postgres() as base:
        folder = tempfile.mkdtemp(prefix="garant-copies-")
        try:
            yield Places(base, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def person(number):
    return {**PERSON, "contact": {**PERSON["contact"], "email": f"ana{number}@copies.example"}}


def lived(at, server, backup):
    """Two people; a backup; then one is erased, one withdraws, and a third comes. Their ids."""
    app = server.client("app")
    stays, goes = (app.create(person(number), consents=[{"purpose": "news", "decision": "given"}])["id"] for number in (1, 2))
    at.run(server, "backup", backup, "--keys")
    app.erase(goes)
    app.consent(stays, "news", "withdrawn").expect(201)
    return stays, goes, app.create(person(3))["id"]


def whole(at, server, stays, goes, withdrawn):
    """After a restore: who stays is read, who went is gone, and the journal and every row hold."""
    server.start()
    try:
        app = server.client("app")
        check(app.read(stays, "service").expect(200).json["data"]["identity"] == PERSON["identity"], "who stays is not read")
        app.read(goes, "service").expect(404, 410) if goes else None
        rows = app.get(f"/v1/subjects/{stays}/consents").expect(200).json["consents"]
        check((rows[-1]["decision"] == "withdrawn") == withdrawn, f"{rows}")
        app.create(person(4))
    finally:
        server.stop()
    said = json.loads(at.run(server, "verify", "--json"))
    check(said["rows"] > 5, f"{said}")


@tests.test("postgresql copies: a backup is put back into the same databases; who was erased since stays so")
def same():
    with places() as at:
        server, backup = at.server("one", True), os.path.join(at.folder, "backup")
        server.start()
        stays, goes, came = lived(at, server, backup)
        run = at.run(server, "restore", backup, "--yes", ok=None)
        check(run.returncode != 0, "a restore beside the running server is not refused")
        server.stop()
        check(sorted(os.listdir(backup)) == ["data.db", "keys.db", "keys.json", "manifest.json"], f"{os.listdir(backup)}")
        check(json.loads(at.run(server, "verify", "--backup", backup, "--json"))["size"] > 2, "the backup is not signed")
        said = json.loads(at.run(server, "restore", backup, "--yes", "--json"))
        check(said["silenced"] == 1 and not os.path.exists(os.path.join(server.data, "restoring")), f"{said}")
        whole(at, server, stays, goes, withdrawn=True)
        server.start()
        server.client("app").read(came, "service").expect(404, 410)
        server.stop()
        with open(os.path.join(backup, "data.db"), "r+b") as file:
            file.seek(5000)
            file.write(b"altered")
        before = at.base.run("SELECT count(*) FROM journal", "one_data")[0]
        run = at.run(server, "restore", backup, "--yes", ok=None)
        check(run.returncode == 2 and at.base.run("SELECT count(*) FROM journal", "one_data")[0] == before, f"{run.returncode} {run.stderr}")


@tests.test("postgresql copies: from databases into files, and from files into databases, on a new machine")
def across():
    with places() as at:
        for number, (first, then) in enumerate(((True, False), (False, True))):
            server, backup = at.server(f"from{number}", first), os.path.join(at.folder, f"backup{number}")
            server.start()
            stays, goes, _ = lived(at, server, backup)
            server.stop()
            other = at.server(f"to{number}", then)
            os.rmdir(other.data) if os.path.exists(other.data) else None
            master = os.path.join(server.data, "master.key")
            at.made[f"to{number}"] += ["--master", master]
            other.arguments = at.made[f"to{number}"]
            run = at.run(other, "restore", backup, "--yes", ok=None)
            check(run.returncode != 0, "a restore without the keyring is not refused")
            said = json.loads(at.run(other, "restore", backup, "--keys", backup, "--yes", "--json"))
            check(said["restored"] is True, f"{said}")
            whole(at, other, stays, None, withdrawn=False)
            check(os.path.exists(os.path.join(other.data, "data.db")) != then, f"{os.listdir(other.data)}")
            check(goes, "nobody was erased")


@tests.test("postgresql copies: a restore that is killed leaves wrapped keys nowhere once something is started")
def killed():
    with places() as at:
        server, backup = at.server("one", True), os.path.join(at.folder, "backup")
        server.start()
        stays, goes, came = lived(at, server, backup)
        server.stop()
        scratch = os.path.join(server.data, "restoring")
        run = subprocess.Popen([PROGRAM, "restore", backup, "--yes", "--data", server.data, *at.made["one"]], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "GARANT_STORE": "", "GARANT_KEYRING": ""})
        while not os.path.exists(os.path.join(scratch, "keys.db")) and run.poll() is None:
            pass
        run.kill()
        check(run.wait() != 0 and os.path.exists(os.path.join(scratch, "keys.db")), f"it was not killed while it worked: {run.returncode}")
        server.start()
        check(not os.path.exists(scratch), f"{os.listdir(scratch) if os.path.exists(scratch) else ''}")
        app = server.client("app")
        app.read(came, "service").expect(200)
        app.read(goes, "service").expect(404, 410)
        app.read(stays, "service").expect(200)
        server.stop()
