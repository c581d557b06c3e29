"""garant move: from a folder to PostgreSQL and back, refused where it must be, and begun again after a crash."""
import contextlib, json, os, signal, socket, subprocess, threading, time
from copies import PERSON, SMALL, person, places
from garant import BUILD, Server, check, garant
from links import tests

ENV = {"GARANT_STORE": "", "GARANT_KEYRING": "", "GARANT_DATA": "", "GARANT_POLICY": ""}


def databases(at, name):
    """Two new ones: their addresses."""
    for kind in ("data", "keys"):
        _, errors = at.base.run(f"CREATE DATABASE {name}_{kind};\n")
        check(not errors, errors)
    return [f"host={at.base.dir} user=garant dbname={name}_{kind}" for kind in ("data", "keys")]


def out(data, where):
    return ["move", "--from", data, "--to", where[0], "--keyring", where[1]]


def back(data, where):
    return ["move", "--from", where[0], "--keyring", where[1], "--to", data]


def refused(words, said, status=None):
    run = garant(*words, env=ENV, ok=None)
    check(run.returncode != 0 and said in run.stderr and status in (None, run.returncode), f"{run.returncode} {run.stdout} {run.stderr}")


def lived(server):
    """Two people, of whom one is erased; their ids."""
    server.start()
    app = server.client("app")
    stays, goes = (app.create(person(number), consents=[{"purpose": "news", "decision": "given"}])["id"] for number in (1, 2))
    app.erase(goes)
    return stays, goes


def whole(server, stays, goes):
    server.start()
    try:
        app = server.client("app")
        check(app.read(stays, "service").expect(200).json["data"]["identity"] == PERSON["identity"], "who stays is not read")
        app.read(goes, "service").expect(404, 410)
        app.create(person(9))
        last = app.create(person(8))["id"]
        app.erase(last)
    finally:
        server.stop()
    return last


def verified(data, *where):
    said = json.loads(garant("verify", "--data", data, "--policy", SMALL, *where, "--json", env=ENV))
    check(said["rows"] > 2, f"{said}")
    return said


@tests.test("postgresql moves: a folder to databases, and from there into a new folder; nobody who was erased comes back")
def there_and_back():
    with places() as at:
        server, where = at.server("home", False), databases(at, "there")
        stays, goes = lived(server)
        refused(out(server.data, where), "another process uses the data folder")
        server.stop()
        before = verified(server.data)
        said = json.loads(garant(*out(server.data, where), "--json", env=ENV))
        check(said["moved"] is True and said["size"] >= before["size"] and said["rows"] > before["rows"], f"{said}")
        refused(["verify", "--data", server.data, "--policy", SMALL], "has moved to PostgreSQL: there_data")
        status, log = server.refuses_to_start()
        check(status == 78 and "moved says how to go back" in log, f"{status}: {log}")
        refused(["restore", "/nowhere", "--data", server.data, "--yes"], "has moved to PostgreSQL")
        refused(out(server.data, where), "has data already")
        refused(out(server.data, databases(at, "other")), "was moved already")
        options = ["--store", where[0], "--keyring", where[1]]
        server.arguments = options
        after = verified(server.data, *options)
        check(after["root"] == before["root"] or after["size"] > before["size"], f"{before} {after}")
        last = whole(server, stays, goes)
        refused(back(server.data, where), "has data already")            # the files of then lie there
        new = os.path.join(at.folder, "new")
        refused(back(new, where), "master key")
        check(not os.path.exists(new), "a folder is left by a move that was refused")
        key = os.path.join(server.data, "master.key")
        garant(*back(new, where), "--master", key, env=ENV)
        check(sorted(os.listdir(new)) == ["data.db", "keys.db", "lock", "reserve"], f"{os.listdir(new)}")
        status, log = server.refuses_to_start()
        check(status == 78 and f"has moved to {new}" in log, f"{status}: {log}")
        verified(new, "--master", key)
        server.data, server.arguments = new, ["--master", key]
        server.start()
        server.client("app").read(last, "service").expect(404, 410)
        server.client("app").read(stays, "service").expect(200)
        server.stop()


@tests.test("postgresql moves: what is said when its words are wrong, and into a place that has data")
def wrong():
    with places() as at:
        server, where = at.server("home", False), databases(at, "there")
        lived(server)
        server.stop()
        refused(["move", "--from", server.data, "--to", server.data], "the data folder, and the address", 64)
        refused(["move", "--to", where[0], "--keyring", where[1]], "--from and --to", 64)
        refused(["move", "--from", server.data, "--to", where[0]], "--keyring ADDRESS", 64)
        refused(out(server.data, [where[0], where[0]]), "one each")
        other = at.server("other", True)
        lived(other)
        taken = at.made["other"]
        refused(out(server.data, [taken[1], taken[3]]), "another server writes")
        other.stop()
        refused(out(server.data, [taken[1], taken[3]]), "has data already")
        verified(other.data, *taken)
        verified(server.data)


def arriving(at, database, said):
    """The mark of a move into that database that was cut off: from there."""
    unmarked(at, database)
    _, errors = at.base.run("CREATE TABLE garant_moved (left_for text, arrives_from text);\n"
                            f"INSERT INTO garant_moved VALUES (NULL, '{said}');\n", database)
    check(not errors, errors)


def unmarked(at, *databases_):
    for database in databases_:
        at.base.run("DROP TABLE IF EXISTS garant_moved", database)


@tests.test("postgresql moves: begun again with the database of another, which is neither emptied nor marked; a mark is of one place alone")
def strangers():
    with places() as at:
        server, where, other = at.server("home", False), databases(at, "there"), at.server("other", True)
        lived(server)
        server.stop()
        stays, goes = lived(other)
        other.stop()
        taken = at.made["other"]

        def untouched():
            verified(other.data, *taken)
            for name in ("other_data", "other_keys"):
                check(not at.base.run("SELECT 1 FROM pg_tables WHERE tablename = 'garant_moved'", name)[0], f"{name} is marked")
        arriving(at, "there_data", server.data)                  # cut off; then given with the keyring, or the data, of another
        refused(out(server.data, [where[0], taken[3]]), "has data already")
        untouched()
        unmarked(at, "there_data")
        arriving(at, "there_keys", server.data)
        refused(out(server.data, [taken[1], where[1]]), "has data already")
        untouched()
        arriving(at, "there_data", "/of/another")                # begun from elsewhere
        refused(out(server.data, where), "came from /of/another")
        verified(server.data)
        for name in ("there_data", "there_keys"):
            arriving(at, name, server.data)                      # all of it arrived, unverified; the folder went elsewhere
        garant(*out(server.data, where), env=ENV)
        for name in ("there_data", "there_keys"):
            arriving(at, name, server.data)
        with open(os.path.join(server.data, "moved"), encoding="utf-8") as mark:
            said = mark.read()
        with open(os.path.join(server.data, "moved"), "w", encoding="utf-8") as mark:
            mark.write("/elsewhere" + said[said.index("\n"):])
        refused(out(server.data, where), "was moved already, to /elsewhere")
        with open(os.path.join(server.data, "moved"), "w", encoding="utf-8") as mark:
            keys = said[:said.index("\n")].replace("there_keys", "other_keys")
            mark.write(keys + said[said.index("\n"):])           # its end, with the keyring of another
        refused(out(server.data, [where[0], taken[3]]), "is not the one of")
        untouched()
        other.start()
        app = other.client("app")
        check(app.read(stays, "service").expect(200).json["data"]["identity"] == PERSON["identity"], "a person of another is gone")
        app.read(goes, "service").expect(404, 410)
        other.stop()


class Poser:
    """Who stands in a database's place, without TLS, and wants the password as it is: all that is said to it."""

    def __init__(self):
        self.said, self.listening = [], socket.create_server(("0.0.0.0", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listening.accept()
                threading.Thread(target=self.answer, args=(near,), daemon=True).start()

    def answer(self, near):
        with contextlib.suppress(OSError):
            while said := near.recv(65536):
                self.said.append(said)
                if said[:1] == b"p":
                    break
                near.sendall(b"N" if said[4:8] == b"\x04\xd2\x16\x2f" else b"R\0\0\0\x08\0\0\0\x03")
        near.close()

    def was_told(self, what):
        said, self.said = self.said, []
        check(said, "nobody came")
        return any(what in one for one in said)


@tests.test("postgresql moves: no password away from this machine before the policy is asked whether links are encrypted")
def cautious():
    with places() as at:
        strict = "policies/mxplorerplace.yaml"
        with open(strict, encoding="utf-8") as file:
            text = file.read()
        check("internal: true" in text, "the policy says nothing of links between machines")
        plain = os.path.join(at.folder, "plain.yaml")
        with open(plain, "w", encoding="utf-8") as file:
            file.write(text.replace(", internal: true", ""))
        passfile = os.path.join(at.folder, "pgpass")
        with open(passfile, "w", encoding="utf-8") as file:
            file.write("*:*:*:*:Correct-Horse-77\n")
        os.chmod(passfile, 0o600)
        poser, new = Poser(), os.path.join(at.folder, "new")

        def where(host):                                         # 0.0.0.0 is no name of this machine, and leads to it
            return [f"host={host} port={poser.port} user=garant passfile={passfile} dbname={name}" for name in ("one", "two")]

        def asked(words, gives, status=None):
            run = garant(*words, env=ENV, ok=None)
            check(run.returncode and status in (None, run.returncode), f"{run.returncode} {run.stdout} {run.stderr}")
            check(poser.was_told(b"Correct-Horse") == gives, f"{words}: the password was {'not ' if gives else ''}given: {run.stderr}")
        os.mkdir(os.path.join(at.folder, "home"))
        server = Server(strict, folder=os.path.join(at.folder, "home"), start=False, env=ENV)
        server.charters = None
        server.start()
        server.stop()
        asked(out(server.data, where("127.0.0.1")), False)       # the folder's policy, which no address is too near for
        asked([*out(server.data, where("127.0.0.1")), "--policy", plain], False)
        asked(back(new, where("0.0.0.0")), False)                # whose policy is not known yet
        asked(back(new, where("127.0.0.1")), True)
        asked([*back(new, where("0.0.0.0")), "--policy", strict], False)
        asked([*back(new, where("0.0.0.0")), "--policy", plain], True)
        with open(os.path.join(server.data, "moved"), "w", encoding="utf-8") as mark:
            mark.write("PostgreSQL: one, two\n")
        asked(out(server.data, where("0.0.0.0")), False)         # all but ended
        poser.listening.close()


@tests.test("postgresql moves: the old keyring that lies in the folder is told of from the first day, and is bad behind the policy's term")
def left_over():
    with places() as at:
        server, where = at.server("home", False), databases(at, "there")
        lived(server)
        server.stop()
        with open(SMALL, encoding="utf-8") as file:
            text = file.read()
        policies = {}
        for name, more in (("says", "backup: {every: 24h, keep: 30d, keyring_keep: 7d, purge: shred}\n"), ("silent", "")):
            policies[name] = os.path.join(at.folder, name + ".yaml")
            with open(policies[name], "w", encoding="utf-8") as file:
                file.write(text + more)

        def told(policy="says"):
            run = garant("doctor", "--data", server.data, "--policy", policies[policy], "--store", where[0], "--keyring", where[1], "--json", env=ENV, ok=None)
            rows = [(one["level"], one["detail"]) for one in json.loads(run.stdout) if one["check"] == "old keyring"]
            check(len(rows) < 2 and (not rows or rows[0][0] != "bad" or run.returncode), f"{run.returncode} {rows}")
            return rows[0] if rows else None
        garant(*out(server.data, where), env=ENV)
        mark, day = os.path.join(server.data, "moved"), 24 * 3600
        moved = os.stat(mark).st_mtime
        level, detail = told()
        last = time.strftime("%Y-%m-%d", time.gmtime(moved + 7 * day))
        check(level == "remark" and last in detail, f"{level}: {detail}, not {last}")
        os.utime(mark, (moved - 8 * day,) * 2)
        check(told()[0] == "bad", "longer than the policy says, and nobody is told")
        os.utime(mark, (moved,) * 2)
        check(told("silent")[0] == "bad", "a copy of the keyring lies there that the policy says nothing of")
        for name in ("data.db", "keys.db"):
            os.remove(os.path.join(server.data, name))
        check(told() is None, "it is gone, and still told of")


def killed(words, after):
    """Killed after so many seconds; whether it was still at it."""
    run = subprocess.Popen([os.path.join(BUILD, "garant"), *words], env={**os.environ, **ENV}, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        run.wait(after)
        return False
    except subprocess.TimeoutExpired:
        run.send_signal(signal.SIGKILL)
        run.wait()
        return True


def openable(*wheres):
    def opens(where):
        return garant("verify", "--data", where[0], "--policy", SMALL, *where[1:], env=ENV, ok=None).returncode == 0
    return [where for where in wheres if opens(where)]


@tests.test("postgresql moves: killed at any moment, it is begun again and ends; never can both be opened")
def cut_off():
    with places() as at:
        server, where = at.server("home", False), databases(at, "there")
        stays, goes = lived(server)
        server.stop()
        options, key = ["--store", where[0], "--keyring", where[1]], os.path.join(server.data, "master.key")
        new = os.path.join(at.folder, "new")
        os.mkdir(new, 0o700)
        for words, first, then in ((out(server.data, where), [server.data], [server.data, *options]),
                                   ([*back(new, where), "--master", key], [server.data, *options], [new, "--master", key])):
            cuts, after = 0, 0.05
            while killed(words, after):
                after, cuts = after * 1.4, cuts + 1
                check(len(openable(first, then)) <= 1, f"both are opened after {after} s")
            check(cuts >= 2, f"{cuts} were cut off")
            opened = openable(first, then)
            check(opened == [then], f"{opened}")
        server.data, server.arguments = new, ["--master", key]
        whole(server, stays, goes)
        check(not os.path.exists(os.path.join(new, "arriving")), "the mark of a move is left")


@tests.test("postgresql moves: cut off between its two marks, it ends what was left, and carries nothing again")
def between():
    with places() as at:
        server, where = at.server("home", False), databases(at, "there")
        stays, goes = lived(server)
        server.stop()
        options, key, new = ["--store", where[0], "--keyring", where[1]], os.path.join(server.data, "master.key"), os.path.join(at.folder, "new")
        garant(*out(server.data, where), env=ENV)
        server.arguments = options
        whole(server, stays, goes)                               # more than what left: it is not to be taken for it
        for name in ("there_data", "there_keys"):
            arriving(at, name, server.data)
        refused(["verify", "--data", server.data, "--policy", SMALL, *options], "was cut off")
        refused(out(server.data, where), "is not the one of")
        unmarked(at, "there_data", "there_keys")
        os.mkdir(new, 0o700)
        words = [*back(new, where), "--master", key]
        port = at.base.run("SHOW port")[0].strip()
        came = f"PostgreSQL: there_data ({at.base.dir}:{port}), keyring there_keys ({at.base.dir}:{port})"
        garant(*words, env=ENV)
        with open(os.path.join(new, "arriving"), "w", encoding="utf-8") as mark:
            mark.write(came + "\n")
        at.base.run("DROP TABLE garant_moved", "there_data")
        refused(["verify", "--data", new, "--policy", SMALL, "--master", key], "was cut off")
        refused(["verify", "--data", server.data, "--policy", SMALL, *options], "has moved to")
        rows = json.loads(garant(*words, "--json", env=ENV))["rows"]
        check(rows == 0 and openable([server.data, *options], [new, "--master", key]) == [[new, "--master", key]], f"{rows}")
