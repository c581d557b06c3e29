"""The platform's own databases: a map beside the policy, reached by erasure, access, correction, restriction and objection; nothing is
answered while one is skipped, whatever kill -9 cuts off. PostgreSQL and MariaDB are Debian's, started here on sockets of their own."""
import contextlib, json, os, random, shutil, sqlite3, tempfile, threading, time
import engine
from browser import Browser
from garant import Fault, Server, check, policy_file
from mailbox import Mailbox
from mariadb import MariaDB
from people import staff
from postgres import Postgres
from requests import Desk, quiet

POLICY, START = "site-fr", "2026-11-23T10:00:00Z"
FRENCH_DOWN = "MariaDB est injoignable"
DDL = """CREATE TABLE customers (id INTEGER PRIMARY KEY, email VARCHAR(200), name VARCHAR(200), blocked INTEGER, news INTEGER);
CREATE INDEX customers_email ON customers (email);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, address VARCHAR(200));
CREATE INDEX orders_customer ON orders (customer_id);
CREATE TABLE invoices (id INTEGER PRIMARY KEY, customer_id INTEGER, payer VARCHAR(200));
CREATE TABLE countries (code VARCHAR(9));"""
TABLES = """
    tables:
      customers:
        key: {email: contact.email}
        columns: {id: none, email: contact, name: {category: identity, blank: "-"}, blocked: none, news: none}
        erase: null
        restrict: {blocked: ["1", "0"]}
        object: {improvement: {news: ["0", "1"]}}
        correct: {email: contact.email}
      orders:
        under: {customer_id: customers.id}
        columns: {id: none, customer_id: none, address: contact}
        erase: delete
      invoices:
        under: {customer_id: customers.id}
        columns: {id: none, customer_id: none, payer: contact}
        erase: keep
        ground: "Code de commerce, L123-22"
        until: "10 years"
      countries: none
"""


def register(tests):
    tests.test("stores: an erasure reaches SQLite, PostgreSQL and MariaDB; its certificate is interim until then, and then names rows and remains")(all_three)
    tests.test("stores: what is not reached, not mapped or forgotten keeps the request open, and says why")(kept_open)
    tests.test("stores: a map that cannot be used refuses nobody: the request waits until it is mended")(broken_map)
    tests.test("stores: who changed an address is found under the former one too, as long as nobody else has it")(former)
    tests.test("stores: the page of jobs asks why, and has pages")(page_of_jobs)
    tests.test("stores: an erasure cut off by kill -9 at any moment is done once, with its counts, and no value is left")(cut_off)
    tests.test("stores: copy, restriction, objection and correction reach them; what people do by hand needs its evidence")(other_rights)


def rows_of(number, canary):
    """What a platform has of one person, and of another."""
    return "".join(f"INSERT INTO customers VALUES ({n}, '{email}', '{name}', 0, 1);"
                   f"INSERT INTO orders VALUES ({n}, {n}, '{name} street'); INSERT INTO orders VALUES ({n + 1000}, {n}, '{name} road');"
                   f"INSERT INTO invoices VALUES ({n}, {n}, '{name}');"
                   for n, email, name in ((number, email_of(number), canary), (number + 500, f"other.{number}@exemple.example", "Other")))


def email_of(number):
    return f"zoe.{number}@exemple.example"


def person(number):
    return {"identity": {"first_name": "Zoé", "last_name": f"Carrel-{number}"}, "contact": {"email": email_of(number)}}


class Platform:
    """A policy in a folder of its own with its map, and stores of those kinds."""

    def __init__(self, stack, kinds=("sqlite",), more=""):
        self.folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="garant-stores-"))
        os.chmod(self.folder, 0o755)
        self.policy, self.map, self.kinds, self.more = f"{self.folder}/policy.yaml", f"{self.folder}/connectors.yaml", kinds, more
        shutil.copy(policy_file(POLICY), self.policy)
        self.sqlite = f"{self.folder}/shop.db"
        with contextlib.closing(sqlite3.connect(self.sqlite)) as db:
            db.executescript("PRAGMA journal_mode = wal;" + DDL)
        if "postgresql" in kinds:
            self.postgres = stack.enter_context(Postgres())
            check(not self.postgres.run(DDL)[1], "PostgreSQL takes no tables")
            self.credentials("pg", f"host={self.postgres.dir}\nuser=garant\ndbname=postgres\n")
        if "mariadb" in kinds:
            self.mariadb = stack.enter_context(MariaDB())
            self.mariadb.run(DDL)
            self.credentials("maria", f"socket={self.mariadb.socket}\nuser=garant\npassword=Pass-word 1\ndbname=shop\n")
        self.write()

    def credentials(self, name, text):
        with open(f"{self.folder}/{name}", "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
            out.write(text)

    def write(self, change=lambda text: text):
        where = {"sqlite": f"path: {self.sqlite}", "postgresql": f"credentials: {self.folder}/pg\n    backup_days: 30",
                 "mariadb": f"credentials: {self.folder}/maria"}
        with open(self.map, "w", encoding="utf-8") as out:
            out.write(change("here: [main, backups]\nstores:\n" + "".join(f"  shop_{kind}:\n    kind: {kind}\n    {where[kind]}{TABLES}"
                                                                        for kind in self.kinds) + self.more))

    def fill(self, number, canary):
        sql = rows_of(number, canary)
        with contextlib.closing(sqlite3.connect(self.sqlite)) as db:
            db.executescript(sql)
        if "postgresql" in self.kinds:
            check(not self.postgres.run(sql)[1], "PostgreSQL takes no rows")
        if "mariadb" in self.kinds:
            self.mariadb.run(sql)

    def select(self, sql):
        """What each store answers, as rows of texts."""
        with contextlib.closing(sqlite3.connect(self.sqlite)) as db:
            found = {"sqlite": [["NULL" if cell is None else str(cell) for cell in row] for row in db.execute(sql)]}
        if "postgresql" in self.kinds:
            found["postgresql"] = [line.split("\t") for line in self.postgres.run(sql)[0].splitlines()]
        if "mariadb" in self.kinds:
            found["mariadb"] = [line.split("\t") for line in self.mariadb.run(sql).splitlines()]
        return found

    def gone(self, number, canary):
        """No query of any store finds the person but in what is kept, and the other is whole."""
        for table, columns in (("customers", "email, name"), ("orders", "address")):
            for kind, rows in self.select(f"SELECT {columns} FROM {table}").items():
                said = json.dumps(rows)
                check(canary not in said and email_of(number) not in said, f"{kind} has the person in {table}: {said}")
        for kind, rows in self.select(f"SELECT id FROM orders WHERE customer_id = {number + 500}").items():
            check(len(rows) == 2, f"{kind}: somebody else's rows went")


@contextlib.contextmanager
def started(kinds=("sqlite",), more=""):
    with contextlib.ExitStack() as stack:
        box = stack.enter_context(Mailbox())
        platform = Platform(stack, kinds, more)
        server = stack.enter_context(Server(platform.policy, arguments=box.arguments(), now=START))
        yield platform, server, Desk(server, box)


def until(what, holds, seconds=120):
    """Waits for what the courier does by itself; a busy machine only makes it later."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.05)
    raise Fault(f"{what} did not come about")


def asked(desk, number, kind="erasure"):
    """A request of that person, who proved by a link who they are."""
    email = email_of(number)
    ident = desk.client.post("/v1/requests", {"kind": kind, "channel": "phone", "email": email}).expect(201).json["id"]
    check(desk.by_link(email, "confirm").status == 200, "the link proves nothing")
    return ident


def answered(desk, ident):
    """Pressed again while stores are still at work."""
    return until("the answer", lambda: desk.move(ident, "answer").status == 200 or desk.get(ident)["state"] == "answered")


def certificate(desk, ident):
    return desk.client.get(f"/v1/certificates/{ident}").expect(200).json["certificate"]


def all_three():
    with started(("sqlite", "postgresql", "mariadb")) as (platform, server, desk):
        platform.fill(1, "canary-Carrel")
        subject = desk.client.create(person(1))["id"]
        found = desk.client.post("/v1/connectors/check", None).expect(200).json
        check(found["whole"] and [one["state"] for one in found["stores"]] == ["done"] * 3, f"{found}")
        dry = desk.client.get(f"/v1/subjects/{subject}/stores").expect(200).json
        for store in dry["stores"]:
            rows = {one["table"]: one["found"] for one in store["tables"]}
            check(rows == {"customers": 1, "orders": 2, "invoices": 1}, f"{store}")
        check(all(len(rows) == 4 for rows in platform.select("SELECT id FROM orders").values()), "a dry run changed something")
        ident = asked(desk, 1)
        answered(desk, ident)
        platform.gone(1, "canary-Carrel")
        file = desk.get(ident)
        paper = until("the last certificate", lambda: certificate(desk, file["certificate"]))
        check(paper["interim"] is False and len(paper["stores"]) == 3, f"{paper}")
        for store in paper["stores"]:
            rows = {one["table"]: (one["found"], one["erased"], one["changed"], one["kept"]) for one in store["tables"]}
            check(rows == {"customers": (1, 0, 1, 0), "orders": (2, 2, 0, 0), "invoices": (1, 0, 0, 1)}, f"{store}")
            check(store["tables"][2]["ground"].startswith("Code de commerce"), f"{store}")
        left = {store["store"]: [(one["what"], bool(one["until"])) for one in store["remains"]] for store in paper["stores"]}
        check(left == {"shop_sqlite": [("backups", False)], "shop_postgresql": [("dead-rows", False), ("log", False), ("backups", True)],
                       "shop_mariadb": [("dead-rows", False), ("binlog", False), ("backups", False)]}, f"{left}")
        page = desk.client.get(f"/v1/certificates/{file['certificate']}", Accept="text/html").expect(200).body.decode()
        check("shop_postgresql" in page and "binlog" in page, "the page of the certificate does not tell of the stores")
        server.run("verify")
        return "3 stores, 12 rows"


def kept_open():
    with started(("sqlite", "mariadb")) as (platform, server, desk):
        platform.fill(2, "canary-two")
        desk.client.create(person(2))
        ident = asked(desk, 2)
        platform.mariadb.stop()
        desk.move(ident, "answer").refused("conflict", status=409)
        job = until("the job", lambda: [one for one in desk.client.get("/v1/connectors").json["jobs"] if one["stores"][1]["why"]])[0]
        check("MariaDB is not reached" in job["stores"][1]["why"] and job["request"] == ident, f"{job}")
        said = desk.move(ident, "answer").refused("conflict", status=409)
        check("shop_mariadb" in json.dumps(said) and desk.get(ident)["state"] == "progress", f"{said}")
        down = job["stores"][1]
        check(down["code"] == "busy" and FRENCH_DOWN in down["why_fr"], f"{down}")
        refused = desk.client.post(f"/v1/requests/{ident}/moves/answer", {}, **{"Accept-Language": "fr"}).expect(409).json
        check(FRENCH_DOWN in refused["detail"] and "is not reached" not in refused["detail"], f"{refused}")
        role = Browser.of(server, staff(server, person(90), email_of(90), "support"))
        role.get("/staff/stores?lang=fr").expect(200).has(FRENCH_DOWN).lacks("is not reached")
        role.get("/staff/stores?lang=en").expect(200).has("MariaDB is not reached").lacks(FRENCH_DOWN)
        check(certificate(desk, job["job"])["interim"] is True, "the certificate is the last one though a store is down")
        with contextlib.closing(sqlite3.connect(platform.sqlite)) as db:
            check(not db.execute("SELECT 1 FROM orders WHERE address LIKE 'canary%'").fetchall(), "the store that is up waits for the other")
    for change, why in ((lambda text: text.replace("      countries: none\n", ""), "countries (forgotten)"),
                        (lambda text: text.replace(", news: none", ""), "customers.news (unmapped)"),
                        (lambda text: text.replace("        under: {customer_id: customers.id}\n", "", 1), "no-key")):
        with started() as (platform, server, desk):
            platform.fill(3, "canary-three")
            desk.client.create(person(3))
            ident = asked(desk, 3)
            platform.write(change)
            desk.move(ident, "answer").refused("conflict", status=409)
            job = until(why, lambda: [one for one in desk.client.get("/v1/connectors").json["jobs"] if one["stores"][0]["why"]])[0]
            check(why in job["stores"][0]["why"], f"{why}: {job}")
            said = desk.move(ident, "answer").refused("conflict", status=409)
            check(why in json.dumps(said) and desk.get(ident)["state"] == "progress", f"{said}")
            check(not desk.client.post("/v1/connectors/check", None).expect(200).json["whole"], f"{why}: the look says that all is well")
            check(len(platform.select("SELECT id FROM orders")["sqlite"]) == 4, f"{why}: something was erased in a store that is not mapped")
            platform.write()
            desk.client.post(f"/v1/connectors/{job['job']}/retry", None).expect(200)
            answered(desk, ident)
            platform.gone(3, "canary-three")
    return "a store down, three faults of the map"


def waiting(desk):
    """The jobs that are open and whose first store says why."""
    return [one for one in desk.client.get("/v1/connectors").expect(200).json["jobs"] if one["stores"][0]["why"]]


def broken_map():
    """A field that is none, no YAML, no file: the erasure is done here, the request waits, and a map that is mended finds the rows."""
    with started() as (platform, server, desk):
        for number, damage in enumerate((lambda text: text.replace("contact.email", "contact.nothing"), lambda text: text + "  : [", None), 30):
            canary = f"canary-{number}"
            platform.fill(number, canary)
            subject = desk.client.create(person(number))["id"]
            ident = asked(desk, number)
            if damage:
                platform.write(damage)
            else:
                os.unlink(platform.map)
                os.mkdir(platform.map)
            said = desk.move(ident, "answer").refused("conflict", status=409)
            check("connectors.yaml" in json.dumps(said), f"the reason is not told: {said}")
            desk.client.read(subject, "account").refused("not-found", status=404)
            server.kill()
            server.start()
            job, = until("the job", lambda: waiting(desk))
            check(job["stores"][0]["store"] == "connectors.yaml" and job["request"] == ident, f"{job}")
            check(certificate(desk, job["job"])["interim"] is True and desk.get(ident)["state"] == "progress", "answered, though no store was reached")
            desk.client.post(f"/v1/connectors/{job['job']}/stores/connectors.yaml", {"text": "done"}).refused("conflict", status=409)
            check(len(platform.select(f"SELECT id FROM orders WHERE customer_id = {number}")["sqlite"]) == 2, "rows went under a map that is none")
            if not damage:
                os.rmdir(platform.map)
            platform.write()
            desk.client.post(f"/v1/connectors/{job['job']}/retry", None).expect(200)
            answered(desk, ident)
            platform.gone(number, canary)
            paper = certificate(desk, desk.get(ident)["certificate"])
            check(paper["interim"] is False and [one["store"] for one in paper["stores"]] == ["shop_sqlite"], f"{paper}")
        platform.fill(40, "canary-forty")
        subject = desk.client.create(person(40))["id"]
        platform.write(lambda text: text.replace("contact.email", "contact.nothing"))
        server.operator().put(f"/v1/subjects/{subject}/objections/improvement").expect(204)
        job, = until("the objection's job", lambda: waiting(desk))
        platform.write()
        desk.client.post(f"/v1/connectors/{job['job']}/retry", None).expect(200)
        until("the objection", lambda: platform.select("SELECT news FROM customers WHERE id = 40")["sqlite"] == [["0"]])
        until("its end", lambda: not desk.client.get("/v1/connectors").json["jobs"])
        ident = asked(desk, 40)                                  # mended so that it looks people up by what was not kept
        platform.write(lambda text: text.replace("contact.email", "contact.nothing"))
        desk.move(ident, "answer").refused("conflict", status=409)
        job, = until("the last job", lambda: waiting(desk))
        platform.write(lambda text: text.replace("key: {email: contact.email}", "key: {name: identity.last_name}"))
        desk.client.post(f"/v1/connectors/{job['job']}/retry", None).expect(200)
        job, = until("what people do", lambda: [one for one in waiting(desk) if one["stores"][0]["by_hand"]])
        check("identity.last_name" in job["stores"][0]["why"], f"{job}")
        desk.move(ident, "answer").refused("conflict", status=409)
        desk.client.post(f"/v1/connectors/{job['job']}/stores/shop_sqlite", {"text": "row 40 emptied, A. Petit"}).expect(200)
        answered(desk, ident)
        server.run("verify")
        return "five times"


def former():
    with started() as (platform, server, desk):
        platform.write(lambda text: text.replace("        correct: {email: contact.email}\n", ""))
        operator, moved = server.operator(), {}
        for number in (50, 51):
            platform.fill(number, f"canary-{number}")
            moved[number] = desk.client.create(person(number))["id"]
            desk.client.change(moved[number], "account", {"contact": {"email": f"moved.{number}@exemple.example"}}).expect(200)
        found = desk.client.get(f"/v1/subjects/{moved[50]}/stores").expect(200).json["stores"][0]
        check([one["found"] for one in found["tables"]] == [1, 2, 1], f"{found}")
        desk.client.create({"identity": {"first_name": "Ana", "last_name": "Souza"}, "contact": {"email": email_of(51)}})
        found = desk.client.get(f"/v1/subjects/{moved[51]}/stores").expect(200).json["stores"][0]
        check([one["found"] for one in found["tables"]] == [0, 0, 0], f"what stands under an address that is somebody else's now: {found}")
        for number in (50, 51):
            operator.post(f"/v1/subjects/{moved[number]}/erase", {"ground": "request"}).expect(200)
        until("both erasures", lambda: not desk.client.get("/v1/connectors").expect(200).json["jobs"])
        platform.gone(50, "canary-50")
        check(platform.select("SELECT email FROM customers WHERE id = 51")["sqlite"] == [[email_of(51)]], "rows of who has the address now went")
        server.run("verify")
        return "found, and somebody else's left"


def page_of_jobs():
    """Who must say why they look does so there too; and more jobs than a page has."""
    with contextlib.ExitStack() as stack:
        box = stack.enter_context(Mailbox())
        platform = Platform(stack, (), "  paper:\n    kind: manual\n    title: {fr: Classeurs, en: Binders}\n")
        with open(platform.policy, encoding="utf-8") as file:
            text = file.read()
        acts = "    acts: [read, write, send, erase, export]\n"
        check(acts in text, "the policy has no such role")
        with open(platform.policy, "w", encoding="utf-8") as file:
            file.write(text.replace(acts, acts + "    reason: required\n"))
        server = stack.enter_context(Server(platform.policy, arguments=box.arguments(), now=START))
        desk, operator = Desk(server, box), server.operator()
        subject = desk.client.create(person(6))["id"]
        for _ in range(103):
            operator.put(f"/v1/subjects/{subject}/objections/improvement").expect(204)
            operator.request("DELETE", f"/v1/subjects/{subject}/objections/improvement").expect(204)
        first = desk.client.get("/v1/connectors").expect(200).json
        second = desk.client.get(f"/v1/connectors?after={first['next']}").expect(200).json
        check((len(first["jobs"]), len(second["jobs"]), second["next"]) == (200, 6, None), f"{len(first['jobs'])}, {len(second['jobs'])}")
        told = json.loads(server.run("connector", "--after", first["next"], "--json"))
        check([one["job"] for one in told["jobs"]] == [one["job"] for one in second["jobs"]], "the command has another page")
        visitor = staff(server, person(90), email_of(90), "support")
        visitor.get("/v1/connectors").refused("reason-missing", status=403)
        role, last = Browser.of(server, visitor), second["jobs"][-1]["job"]
        page = role.get("/staff/stores").expect(200).lacks(first["jobs"][0]["job"]).lacks("Binders")
        page = role.submit(page, "/staff/stores", reason="planted ticket 5").expect(200).has(first["jobs"][0]["job"]).lacks(last)
        page = role.submit(page, "/staff/stores", like={"after": first["next"]}.items()).expect(200).has(last)
        page = role.submit(page, "/staff/stores", like={"job": last, "store": "paper"}.items(), text="binder 9, A. Petit").expect(200)
        check(desk.client.get(f"/v1/connectors/{last}").expect(200).json["state"] == "closed", "it is not on record")
        return "206 jobs on two pages"


def cut_off():
    with started() as (platform, server, desk):
        random.seed(14)
        for number in range(10, 18):
            platform.fill(number, f"canary-{number}")
            desk.client.create(person(number))
            ident = asked(desk, number)
            sending = threading.Thread(target=lambda: quiet(lambda: desk.move(ident, "answer")))
            sending.start()
            time.sleep(random.uniform(0, 0.25))
            server.kill()
            sending.join()
            server.start()

            def tried_again():                                   # a process cut off may hold the store for a moment: the next try is due later
                server.advance(minutes=1)
                return desk.move(ident, "answer").status == 200 or desk.get(ident)["state"] == "answered"
            until("the answer", tried_again)
            platform.gone(number, f"canary-{number}")
            paper = certificate(desk, desk.get(ident)["certificate"])
            rows = {one["table"]: (one["found"], one["erased"]) for one in paper["stores"][0]["tables"]}
            check(paper["interim"] is False and rows["orders"] == (2, 2) and rows["customers"][0] == 1, f"{paper}")
        check(not desk.client.get("/v1/connectors").json["jobs"], "a job is left")
        server.run("verify")
        server.stop()
        with contextlib.closing(engine.base(server.data)) as db:
            check(db.execute("SELECT COUNT(*) FROM connector_value").fetchone() == (0,), "values to look people up by are left")
            check(db.execute("SELECT COUNT(*) FROM connector_job WHERE state <> 'closed'").fetchone() == (0,), "a job is not closed")
        return "8 times"


def other_rights():
    with started(more="  paper:\n    kind: manual\n    title: {fr: Classeurs, en: Binders}\n") as (platform, server, desk):
        platform.fill(5, "canary-five")
        subject = desk.client.create(person(5))["id"]
        held = desk.client.get(f"/v1/subjects/{subject}/access").expect(200).json["stores"]
        check(held[0]["state"] == "done" and held[0]["tables"][1]["rows"] == [{"address": "canary-five street"}, {"address": "canary-five road"}]
              and held[1]["state"] == "manual", f"{held}")
        ident = asked(desk, 5, "restriction")
        desk.move(ident, "answer").refused("conflict", status=409)
        until("the mark", lambda: platform.select("SELECT blocked FROM customers WHERE id = 5")["sqlite"] == [["1"]])
        until("what is left to people", lambda: "paper" in json.dumps(desk.move(ident, "answer").refused("conflict", status=409)))
        job = desk.client.get("/v1/connectors").json["jobs"][0]
        desk.client.post(f"/v1/connectors/{job['job']}/stores/shop_sqlite", {"text": "done"}).refused("conflict", status=409)
        desk.client.post(f"/v1/connectors/{job['job']}/stores/paper", {"text": ""}).refused("missing-field", status=422)
        told = desk.client.post(f"/v1/connectors/{job['job']}/stores/paper", {"text": "binder 7 marked on 23 November, A. Petit"}).expect(200).json
        check(told["stores"][1]["evidence"].startswith("binder 7") and told["state"] == "closed", f"{told}")
        desk.move(ident, "answer").expect(200)
        check(platform.select("SELECT blocked FROM customers WHERE id = 505")["sqlite"] == [["0"]], "somebody else is marked too")
        evidence = {"text": "nothing of them there, A. Petit"}

        def follows(what, ask, sql, value):
            """That act reaches the store by itself, and the binders by hand."""
            ask()
            until(what, lambda: platform.select(sql)["sqlite"] == [[value]])
            for one in desk.client.get("/v1/connectors").json["jobs"]:
                path = f"/v1/connectors/{one['job']}/stores/paper"  # 412: the courier writes the job at that moment
                until("the evidence", lambda at=path: desk.client.post(at, evidence).expect(200, 412).status == 200)
            until(f"the end of {what}", lambda: not desk.client.get("/v1/connectors").json["jobs"])

        news, mail = "SELECT news FROM customers WHERE id = 5", "SELECT email FROM customers WHERE id = 5"
        follows("the end of the restriction", lambda: server.operator().request("DELETE", f"/v1/subjects/{subject}/restriction").expect(204),
                "SELECT blocked FROM customers WHERE id = 5", "0")
        follows("the objection", lambda: server.operator().put(f"/v1/subjects/{subject}/objections/improvement").expect(204), news, "0")
        new = "zoe.new@exemple.example"
        follows("the correction", lambda: desk.client.change(subject, "account", {"contact": {"email": new}}).expect(200), mail, new)
        return "copy, restriction and its end, objection, correction, by hand"
