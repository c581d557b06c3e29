#!/usr/bin/python3
"""The promise board from outside: all kept, then a break planted in the files of a stopped server, seen in every place it is shown."""
import json, os, re, shutil, sqlite3, tempfile
from common import SMALL, TOP, Server, check, garant, tests
import sample

FULL = "policies/mxplorerplace.yaml"
PERSON = {"identity": {"first_name": "Zénobie-Planted", "last_name": "Canari-Planted"},
          "contact": {"email": "zenobie.planted@people.example", "phone": "+33123456789"}}


def lived(server):
    """A little of everything that the small policy has."""
    app = server.client("app")
    ident, gone = app.create(PERSON)["id"], app.create({**PERSON, "contact": {"email": "gone@people.example"}})["id"]
    app.record(ident, "visits", {"page": "/a/page"}).expect(201)
    app.record(ident, "invoices", {"number": "F-1", "amount": 12}).expect(201)
    app.change(ident, "service", {"identity": {"last_name": "Nouveau-Planted"}}).expect(200)
    app.consent(ident, "news", wording="News by e-mail").expect(201)
    app.erase(gone)
    return app


def board(server, fresh=True):
    return server.operator().get("/v1/promises?fresh=" + ("true" if fresh else "false")).expect(200).json


def state(seen, probe):
    return next(one["state"] for one in seen["probes"] if one["name"] == probe)


def plant(server, statement, file="data.db"):
    server.stop()
    with sqlite3.connect(os.path.join(server.data, file)) as database:
        changed = database.execute(statement).rowcount
    database.close()
    check(changed > 0, f"the plant changed nothing: {statement}")


# What is broken, the statement, its file; which probes besides.
PLANTS = [
    ("notice", "UPDATE policy_version SET text = text || ' '", "data.db"),
    ("consents", "UPDATE wording SET text = 'Everything'", "data.db"),
    ("undeclared", "UPDATE record SET category = 'hobbies' WHERE category = 'visits'", "data.db", "readable"),
    ("retention", "UPDATE record SET at = at - 500 * 86400000, due = NULL WHERE category = 'visits'", "data.db"),
    ("retention", "UPDATE former SET at = at - 500 * 86400000, due = NULL", "data.db"),
    ("requests", "INSERT INTO erasing (tenant, subject, certificate, at, facts) VALUES ('small', x'00112233445566778899aabbccddeeff',"
                 " x'ffeeddccbbaa99887766554433221100', 1, '{}')", "data.db", "ledger"),
    ("ledger", "UPDATE consent SET method = 'elsewhere'", "data.db"),
    ("sealed", "UPDATE record SET sealed = CAST('{\"page\":\"in clear, and long enough to be one\"}' AS BLOB) WHERE category = 'visits'", "data.db",
     "readable"),
    ("keyring", "DELETE FROM key WHERE class = 0", "keys.db"),
    ("keyring", "INSERT INTO key SELECT tenant, x'00112233445566778899aabbccddeeff', class, wrapped FROM key LIMIT 1", "keys.db"),
]


@tests.test("a break planted in the files is seen by doctor and by promises without a server, and by nothing before it")
def planted():
    for probe, statement, file, *besides in PLANTS:
        with Server(SMALL, arguments=["--country", "FR"]) as server:
            lived(server)
            check(board(server)["state"] == "kept", f"not all is kept before {probe} is broken")
            plant(server, statement, file)
            run = garant("promises", "--data", server.data, "--policy", SMALL, "--json", ok=None)
            check(run.returncode == 1, f"{probe}: promises ended with {run.returncode}: {run.stderr}")
            seen = json.loads(run.stdout)
            check(seen["state"] == "broken" and state(seen, probe) == "broken", f"{probe}: not seen: {statement}")
            others = [one["name"] for one in seen["probes"] if one["state"] == "broken" and one["name"] != probe]
            check(others == besides, f"{probe} broken shows as {others}")
            run = garant("doctor", "--data", server.data, "--policy", SMALL, "--json", ok=None)
            check(run.returncode != 0, f"{probe}: doctor ended with 0")
    return f"{len(PLANTS)} breaks"


@tests.test("a term longer than the years since 1970 is looked at as any other")
def long_term():
    with open(os.path.join(TOP, FULL), encoding="utf-8") as file:
        text = file.read()
    longer = re.sub(r"\n  consents: \{from: withdrawal, active: \w+", "\n  consents: {from: withdrawal, active: 90y", text)
    check(longer != text, "consents have no term there")
    folder = tempfile.mkdtemp(prefix="garant-board-")
    try:
        path = os.path.join(folder, "policy.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(longer)
        with Server(path, arguments=["--country", "FR", "--unlawful"]) as server:
            server.operator().post("/v1/backup", {"to": os.path.join(server.folder, "copy")}).expect(200)
            for _ in range(3):
                seen = board(server)
            check(seen["state"] == "kept", f"{seen['counts']}")
    finally:
        shutil.rmtree(folder)


@tests.test("on each of the five platforms' policies all is kept after a person came; the operator of several tenants need not name one")
def five():
    for policy in ("mxplorerplace", "myportal", "site-fr", "myownconference", "deskmanager"):
        with Server(policy, arguments=["--country", "FR"]) as server:
            document = sample.Document(server.operator().get("/v1/policy").expect(200).json["document"])
            tenants = list(document.tree.get("tenants") or [None])
            server.client(document.actor(), tenants[0]).create(sample.person(document, 1))
            server.operator().post("/v1/backup", {"to": os.path.join(server.folder, "copy")}).expect(200)
            seen = board(server)
            amiss = [(one["name"], one["bad"], one.get("risk")) for one in seen["probes"] if one["state"] != "kept"]
            check(seen["state"] == "kept" and not amiss and seen["counts"]["kept"] > 60, f"{policy}: {amiss} {seen['counts']}")
            check(garant("doctor", "--data", server.data, ok=None).returncode == 0, f"{policy}: doctor")
            run = garant("rotate", os.path.join(server.folder, "new.key"), "--data", server.data, ok=None)
            check(run.returncode == 0, f"{policy}: rotate: {run.stderr}")


@tests.test("an entry altered in the middle of the journal is seen by the running server")
def journal():
    with Server(SMALL, arguments=["--country", "FR"]) as server:
        lived(server)
        check(state(board(server), "journal") == "kept", "it is whole at first")
        with sqlite3.connect(os.path.join(server.data, "data.db"), timeout=10) as database:
            database.execute("UPDATE journal SET leaf = replace(leaf, 'subject.create', 'subject.update') "
                             "WHERE seq = (SELECT min(seq) FROM journal WHERE leaf LIKE '%subject.create%')")
        database.close()
        check(state(board(server), "journal") == "broken", "the altered entry is not seen")
        check(garant("doctor", "--data", server.data, ok=None).returncode != 0, "doctor sees nothing")
        server.kill()


@tests.test("an entry altered in the first bundle of a longer journal is seen though the store opens; a read without its purpose too")
def old_entries():
    with Server(SMALL, arguments=["--country", "FR"]) as server:
        app = lived(server)
        ident = app.lookup({"contact.email": PERSON["contact"]["email"]}, "service").expect(200).json["id"]
        for _ in range(300):
            app.read(ident, "service").expect(200)
        plant(server, "UPDATE journal SET leaf = replace(leaf, '\"purpose\":\"service\"', '\"purpose\":\"resale\"') WHERE seq = "
                      "(SELECT MIN(seq) FROM journal WHERE leaf LIKE '%\"act\":\"read\"%')")
        seen = json.loads(garant("promises", "--data", server.data, "--policy", SMALL, "--json", ok=None).stdout)
        check(state(seen, "journal") == "broken" and state(seen, "purposes") == "broken", "the altered entry is not seen")


@tests.test("broken everywhere at once: JSON, page in both languages, metrics, doctor; the clause with its line and evidence")
def shown():
    with Server(SMALL, arguments=["--country", "FR"]) as server:
        app = lived(server)
        whole = board(server)
        check(whole["state"] == "kept" and whole["counts"]["kept"] > 10 and whole["counts"]["broken"] == 0, f"{whole['counts']}")
        plant(server, PLANTS[3][1])
        server.start()
        seen = board(server)
        check(state(seen, "retention") == "broken", "the running server does not see it")
        broken = [one for one in seen["clauses"] if one["state"] == "broken"]
        check(broken and all(one["path"] == "retention.visits" and one["bad"] == 1 for one in broken), f"{broken}")
        with open(broken[0]["file"], encoding="utf-8") as file:
            check("visits" in file.read().split("\n")[broken[0]["line"] - 1], "the line is not the clause's")
        for lang, word in (("en", "Broken"), ("fr", "Rompu")):
            page = server.anyone().get(f"/promises?lang={lang}").expect(200)
            text = page.body.decode()
            check(f'<html lang="{lang}"' in text and word in text and "retention.visits" in text, f"the page in {lang}")
            check(not re.search(r"Planted|people\.example", text), "personal data on the page")
            check("style=" not in text and "<script" not in text and "default-src 'self'" in page.headers["content-security-policy"], "the page's CSP")
        figures = server.anyone().get("/metrics").expect(200).body.decode()
        check('garant_promise_state{probe="retention"} 3' in figures and 'garant_promise_state{probe="journal"} 1' in figures, "metrics")
        check(garant("doctor", "--data", server.data, ok=None).returncode != 0, "doctor on the running server ends with 0")
        check(app.get("/v1/promises").expect(200).json["state"] == "broken", "a token of the policy may ask")
        server.anyone().get("/v1/promises").refused("unauthorised", status=401)
        app.get("/v1/promises?fresh=perhaps").refused("usage")
        server.sweep()
        server.operator().get("/v1/promises?fresh=true")


@tests.test("a backup that is not made in time breaks its promise, and the next one mends it")
def time_goes_by():
    with Server(FULL, now="2026-11-22T09:00:00Z", arguments=["--country", "FR"]) as server:
        data = {**PERSON, "work": {"company": "C", "site": "S"}}
        server.client("app").create(data)
        check(state(board(server), "backups") == "at_risk", "a promise of backups is kept before any was made")
        server.operator().post("/v1/backup", {"to": os.path.join(server.folder, "first")}).expect(200)
        check(board(server)["state"] == "kept", "all is kept at first")
        server.operator().post("/v1/backup", {"to": os.path.join(server.folder, "copy")}).expect(200)
        every = board(server)
        check(state(every, "backups") == "kept", "a backup was just made")
        server.advance(days=400)
        check(state(board(server), "backups") == "broken", "no backup for 400 days is seen")
        server.operator().post("/v1/backup", {"to": os.path.join(server.folder, "again")}).expect(200)
        check(state(board(server), "backups") == "kept", "a new backup mends it")


tests.main()
