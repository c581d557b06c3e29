#!/usr/bin/python3
"""The promise board from outside: all kept, then a break planted in the files of a stopped server, seen in every place it is shown."""
import json, os, re, shutil, sys, tempfile
from common import SMALL, TOP, Server, check, garant, tests
import engine
from garant import policy_told
import people, sample

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
    with engine.base(server.data, file, write=True) as database:
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


# ---- Each clause that is shown as kept is turned by a break of its own probe, on the policies of all five platforms. ----

YEARS = 40 * 365 * 86_400_000
RIGHTS = ("access", "rectification", "restriction", "portability", "withdrawal", "objection", "post_mortem")
SOMEBODY = "x'00112233445566778899aabbccddeeff'"


def try_all(document, server):
    """A little of all that this policy lets be done; what it refuses is not there."""
    tree, tenant = document.tree, next(iter(document.tree.get("tenants") or [None]))
    server.tenant = tenant
    app, operator = server.client(document.actor(), tenant), server.operator()
    ident = app.create(sample.person(document, 1))["id"]
    gone, other, left = (app.create(sample.person(document, number))["id"] for number in (2, 6, 7))
    operator.post(f"/v1/subjects/{left}/close").expect(204)
    for name, category in document.categories.items():
        if sample.truth(category.get("many")):
            operator.post(f"/v1/subjects/{ident}/records/{name}", {"fields": sample.fields(category, 3), "source": "person"})
        operator.request("POST", f"/v1/subjects/{ident}/attachments?category={name}&name=a.txt", b"text", {"Content-Type": "text/plain"}.items())
    for name in document.actor_purposes():
        app.read(ident, name)
        for recipient in tree.get("recipients") or {}:
            if isinstance(tree["recipients"], dict):
                operator.post(f"/v1/subjects/{ident}/disclosures", {"recipient": recipient, "purpose": name,
                                                                    "categories": sample.listed(tree["recipients"][recipient].get("categories"))})
        channels = sample.listed(document.purposes[name].get("channels")) or [None]
        for one, decision in ((other, "given"), (ident, "given"), (ident, "withdrawn")):
            app.consent(one, name, decision, wording="These words", **({"channel": channels[0]} if channels[0] else {}))
        app.put(f"/v1/subjects/{ident}/objections/{name}")
        app.delete(f"/v1/subjects/{ident}/objections/{name}")
    for name in document.single():                               # a former value of each
        for purpose in document.using(name):
            app.change(ident, purpose, {name: sample.fields(document.categories[name], 5)}) if app.read(ident, purpose).status == 200 else None
    for source in [name for name, body in (tree.get("sources") or {}).items() if sample.truth(body.get("permission"))]:
        app.put(f"/v1/subjects/{other}/sources/{source}").expect(204)
        for name in [one for one in document.single() if source in sample.listed(document.categories[one].get("source"))]:
            for purpose in document.using(name):
                app.change(other, purpose, {name: sample.fields(document.categories[name], 8)}, source=source) \
                    if app.read(other, purpose).status == 200 else None
    role = next(iter(tree.get("roles") or {}), None) if people.first_folder(server) else None      # without one it would need a folder
    made = operator.post("/v1/accounts", {"data": sample.person(document, 4), "supplied_by": "person", **({"role": role} if role else {})})
    if made.status == 201:
        token = re.split("[/=]", made.json["link"])[-1]
        operator.post("/v1/invitations/accept", {"token": token, "password": "Kobu-7-renard-Vite"})
        operator.post("/v1/session", {"identifier": made.json.get("identifier", ""), "password": "Kobu-7-renard-Vite"})
    operator.post(f"/v1/subjects/{gone}/erase", {"ground": "request"})
    server.sweep()                                              # made-up times may be past a short term
    operator.post("/v1/backup", {"to": os.path.join(server.folder, "copy")})
    return tenant or tree["policy"]["id"]


def records_of_all(document, tenant, whose):
    """Puts a record of each category to those people; no row of the ledger is bound to a record."""
    return "; ".join(f"INSERT OR IGNORE INTO record (tenant, subject, category, item, version, class, sealed, at, state) SELECT '{tenant}', id, '{name}',"
                     f" 99, 1, 0, x'00', 1, 0 FROM subject WHERE {whose}" for name, body in document.categories.items() if "transient" not in body)


def breaks(document, tenant):
    """A statement each, with its file: what of a policy has nothing of the kind is not altered by it."""
    back = f"at = at - {YEARS}"
    transient = next((name for name, body in document.categories.items() if "transient" in body), None)
    closed = (f"UPDATE record SET {back}; UPDATE attachment SET {back}; UPDATE former SET {back}; UPDATE consent SET {back}; DELETE FROM hold;"
              " INSERT OR REPLACE INTO milestone SELECT tenant, id, 'closure', 1 FROM subject WHERE state = 0;"
              " INSERT OR REPLACE INTO milestone SELECT tenant, id, 'contract_end', 1 FROM subject WHERE state = 0;"
              " UPDATE subject SET state = 1, created = 1, last_use = 1, due = 1 WHERE state = 0")
    each = records_of_all(document, tenant, "state = 0")
    person = f"(SELECT id FROM subject WHERE tenant = '{tenant}' AND state = 0 LIMIT 1)"
    choice = ("INSERT INTO tracker_choice (tenant, id, purpose, decision, device, at, policy, wording, language, site, method, due) "
              f"SELECT '{tenant}', {SOMEBODY}, 'audience', {{}}, 1, v.version, w.hash, 'en', 'x', 'banner', {{}} FROM policy_version v, wording w LIMIT 1")
    letter = ("INSERT INTO campaign (tenant, id, state, purpose, channel, actor, body, at, pace, sent, skipped, failed, uncertain, measured, opened)"
              f" VALUES ('{tenant}', {SOMEBODY}, 'done', 'x', 'email', 'x', '', 1, 0, 1, 0, 0, 0, 0, 0); INSERT INTO campaign_letter (tenant, subject,"
              f" campaign, state, at, tries, due) VALUES ('{tenant}', {person}, {SOMEBODY}, 1, 9e15, 1, 9e15)")
    breach = ("INSERT INTO breach (tenant, id, version, drill, known, authority, subjects, processors, letters, unreached, closed, due, body)"
              f" VALUES ('{tenant}', {SOMEBODY}, 1, 0, 1, 2, 2, 2, 0, 0, {{}}, {{}}, x'00')")
    shown = [f"INSERT INTO publication (tenant, subject, id, category, purpose, item, version, state, at) VALUES ('{tenant}', {person}, {SOMEBODY},"
             f" '{name}', '{body['public']}', 1, 1, 1, 1)" for name, body in document.categories.items() if body.get("public")]
    recipients = document.tree.get("recipients")
    charters = [name for name, body in recipients.items() if body.get("charter") == "accepted"] if isinstance(recipients, dict) else []
    unaccepted = "; ".join(          # each was given data after its acceptance had ended
        f"UPDATE charter_acceptance SET ended = 2 WHERE recipient = '{name}'; INSERT INTO charter_acceptance (tenant, id, recipient, version, hash, language,"
        f" via, who, at, ended) VALUES ('{tenant}', {SOMEBODY}, '{name}', '1', 'x', 'en', 'link', 'x', 1, 2); INSERT INTO disclosure (tenant, subject, id,"
        f" recipient, purpose, categories, at) VALUES ('{tenant}', {person}, x'{number:032x}', '{name}', 'x', 'x', 9e12)"
        for number, name in enumerate(charters, 1))
    return {
        "publications": shown,
        "support": [f"INSERT INTO support (id, tenant, home, actor, asker, reason, state, writes, lasts, at, decided, ends, due) VALUES "
                    f"({SOMEBODY}, '{tenant}', '{tenant}', 'x', x'01', 'x', 3, 0, 1, 1, 1, 30000000, 9e12)"],
        "notice": ["UPDATE policy_version SET text = text || ' '"],
        "consents": ["UPDATE wording SET text = 'Everything'", "UPDATE consent SET policy = 'none'"],
        "trackers": [choice.format("'refused', x'00'", "9e15"), choice.format("'refused', NULL", "1"), choice.format("'given', NULL", "9e15")],
        "letters": [letter],
        "permissions": ["DELETE FROM consent WHERE channel = 'source'"],
        "undeclared": ["UPDATE OR IGNORE record SET category = 'hobbies'"],
        "transient": [f"UPDATE OR IGNORE record SET category = '{transient}'"] if transient else [],
        "retention": [f"INSERT INTO consent (tenant, subject, purpose, channel, seq, decision, at, policy) SELECT '{tenant}', {person}, 'x', 'email', 1, "
                      "'withdrawn', 1, version FROM policy_version LIMIT 1",
                      each, f"UPDATE record SET {back}, due = NULL", f"UPDATE former SET {back}, due = NULL", f"UPDATE consent SET {back}, last = 1",
                      f"UPDATE attachment SET {back}, due = NULL", f"{each}; {closed}",
                      f"UPDATE certificate SET {back}", "UPDATE mail SET created = 1, due = 1", f"UPDATE folder_grant SET {back}, due = 1",
                      breach.format("1", "2")],
        "breaches": [breach.format("NULL", "NULL")],
        "duties": [f"INSERT INTO duty (tenant, id, kind, about, subject, at, due) VALUES ('{tenant}', {SOMEBODY}, 'inform', '', {person}, 1, 2)"],
        "requests": [f"INSERT INTO erasing (tenant, subject, certificate, at, facts) VALUES ('{tenant}', {SOMEBODY}, {SOMEBODY}, 1, '{{}}')"],
        "register": [f"INSERT INTO dsr (tenant, id, version, kind, channel, state, identity, received, paused, alarm, legal, body) VALUES "
                     f"('{tenant}', {SOMEBODY}, 1, 'access', 'post', 'received', 'none', 1, 0, 2, 3, x'00')"],
        "rights": ["; ".join(f"INSERT INTO dsr (tenant, id, version, kind, channel, state, identity, received, paused, alarm, legal, body) VALUES "
                             f"('{tenant}', x'{number:032x}', 1, '{kind}', 'post', 'received', 'none', 1, 0, 2, 3, x'00')"
                             for number, kind in enumerate(RIGHTS, 1)),
                   f"INSERT INTO dsr_step (tenant, request, version, at, move, actor) VALUES ('{tenant}', {SOMEBODY}, 1, 1, 'refuse', 'x')",
                   f"INSERT INTO dsr_step (tenant, request, version, at, move, actor) VALUES ('{tenant}', {SOMEBODY}, 1, 1, 'ask_proof', 'x')",
                   f"INSERT INTO dsr_step (tenant, request, version, at, move, actor, note, price) VALUES "
                   f"('{tenant}', {SOMEBODY}, 1, 1, 'clarify', 'x', x'00', 1)"],
        "stores": [f"INSERT INTO connector_job (tenant, id, version, act, state, at, body) VALUES ('{tenant}', {SOMEBODY}, 1, 'restrict', 'open', 1, x'00')"],
        "mergers": ["INSERT INTO merger (hash, who, at, digest, body, passed, entered, content) VALUES ('a', x'01', 1, 'b', '', 'c', 1, x'01')"],
        "authorities": [f"INSERT INTO authority_person (tenant, subject, request, disclosure, handed) SELECT tenant, id, {SOMEBODY}, {SOMEBODY}, 1 "
                        "FROM subject WHERE state = 0 LIMIT 1"],
        "identity": [f"INSERT INTO dsr_proof (tenant, request, id, at, due, meta, content) VALUES ('{tenant}', {SOMEBODY}, {SOMEBODY}, 1, 2, x'00', x'00')"],
        "holds": [f"INSERT INTO hold (tenant, subject, id, category, ground, since, until) VALUES ('{tenant}', {person}, {SOMEBODY}, '', 'x', 1, 2)"],
        "accounts": [f"INSERT INTO session (digest, tenant, subject, id, created, seen, ends, authenticated, factor) VALUES "
                     f"({SOMEBODY}, '{tenant}', {SOMEBODY}, {SOMEBODY}, 1, 9e12, 9e12, 1, 0)"],
        "recipients": [f"INSERT INTO disclosure (tenant, subject, id, recipient, purpose, categories, at) VALUES "
                       f"('{tenant}', {person}, {SOMEBODY}, 'stranger', 'x', 'x', 9e12)"],
        "charters": [unaccepted] if unaccepted else [],
        "sealed": ["UPDATE record SET sealed = CAST('{\"page\":\"in clear, and long enough to be one\"}' AS BLOB)"],
        "sessions": [f"INSERT INTO session (digest, tenant, subject, id, created, seen, ends, authenticated, factor) VALUES "
                     f"({SOMEBODY}, '{tenant}', {person}, {SOMEBODY}, 1, 1, 1, 1, 0)"],
        "passwords": [f"INSERT OR REPLACE INTO account (tenant, subject, state, password, opened, opened_by) VALUES "
                      f"('{tenant}', {person}, 'open', CAST('letmein' AS BLOB), 1, 'x')"],
    }


# An entry that names a purpose nobody declared: planted beside the running server, since none starts on an altered journal.
FORGED = """UPDATE journal SET leaf = replace(leaf, '"purpose":"', '"purpose":"resale_') WHERE seq =
            (SELECT min(seq) FROM journal WHERE leaf LIKE '%"act":"read"%')"""
# Of these the condition is not in the files: the country that the operator tells, time, the certificate, the cookies of answers; each is
# planted by a test of its own (here, in tests/unit/test_board.c, and in tests/front/transport.py).
CONDITIONS = {"hosting", "backups", "transport", "cookies", "master", "keyring", "readable"}


@tests.test("on each of the five platforms' policies every clause shown as kept is turned by a break that its own probe sees")
def each_clause():
    told = []
    for policy in ("mxplorerplace", "myportal", "site-fr", "myownconference", "deskmanager"):
        with Server(policy, arguments=["--country", "FR"]) as server:
            document = sample.Document(server.operator().get("/v1/policy").expect(200).json["document"])
            tenant = try_all(document, server)
            seen = board(server)
            amiss = [(one["name"], one["bad"]) for one in seen["probes"] if one["state"] == "broken"]
            check(not amiss, f"{policy}: broken before anything was: {amiss}")
            kept = {(one["path"], one["line"], one["probe"]) for one in seen["clauses"] if one["state"] == "kept" and one["probe"] not in CONDITIONS}
            copy = os.path.join(server.folder, "whole")
            server.stop()
            engine.copied(server.data, copy, ignore=shutil.ignore_patterns("*.sock"))
            server.start()
            with engine.base(server.data, write=True) as database:
                check(database.execute(FORGED).rowcount == 1, f"{policy}: no read to alter")
            database.close()
            after, count = board(server), 1
            check(state(after, "purposes") == state(after, "journal") == "broken", f"{policy}: an altered read is not seen")
            turned = {(one["path"], one["line"], one["probe"]) for one in after["clauses"]
                      if one.get("probe") in ("purposes", "journal") and one["state"] == "broken"}
            server.kill()
            seen_by = {}
            for probe, statements in breaks(document, tenant).items():
                for statement in statements:
                    with tempfile.TemporaryDirectory() as folder:
                        data = engine.copied(copy, os.path.join(folder, "data"))
                        with engine.base(data, write=True) as database:
                            changed = sum(database.execute(one).rowcount for one in statement.split(";"))
                        database.close()
                        if not changed:
                            continue
                        run = garant("promises", "--data", data, "--policy", server.policy, "--json", ok=None)
                        check(run.stdout, f"{policy}: {statement}: {run.stderr}")
                        after = json.loads(run.stdout)
                        seen_by[probe] = seen_by.get(probe) or state(after, probe) == "broken"
                        turned |= {(one["path"], one["line"], one["probe"]) for one in after["clauses"]
                                   if one.get("probe") == probe and one["state"] == "broken"}
                        count += 1
            with tempfile.TemporaryDirectory() as folder:         # terms that begin with an act of ours: years in which nobody swept
                data, later = engine.copied(copy, os.path.join(folder, "data")), os.path.join(folder, "clock")
                with engine.base(data, write=True) as database:
                    database.executescript(records_of_all(document, tenant, "1"))
                database.close()
                with open(later, "wb") as clock:
                    clock.write((server.now() + YEARS).to_bytes(8, sys.byteorder))
                after = json.loads(garant("promises", "--data", data, "--policy", server.policy, "--clock-file", later, "--json", ok=None).stdout)
                turned |= {(one["path"], one["line"], one["probe"]) for one in after["clauses"]
                           if one.get("probe") == "retention" and one["state"] == "broken"}
                count += 1
            blind = [probe for probe, sees in seen_by.items() if not sees]
            check(not blind, f"{policy}: nothing turns {blind}")
            left = sorted(kept - turned)
            check(not left, f"{policy}: {len(left)} of {len(kept)} kept, whatever is broken: {left}")
            told.append(f"{policy} {len(kept)} clauses by {count} breaks")
    return "; ".join(told)


@tests.test("an entry altered in the middle of the journal is seen by the running server")
def journal():
    with Server(SMALL, arguments=["--country", "FR"]) as server:
        lived(server)
        check(state(board(server), "journal") == "kept", "it is whole at first")
        with engine.base(server.data, write=True) as database:
            database.execute("UPDATE journal SET leaf = replace(leaf, 'subject.create', 'subject.update') "
                             "WHERE seq = (SELECT min(seq) FROM journal WHERE leaf LIKE '%subject.create%')")
        database.close()
        check(any(state(board(server), "journal") == "broken" for _ in range(20)), "the altered entry is not seen")
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
        with open(policy_told(broken[0]["file"]), encoding="utf-8") as file:
            check("visits" in file.read().split("\n")[broken[0]["line"] - 1], "the line is not the clause's")
        for lang, word in (("en", "Not kept"), ("fr", "Non tenu")):
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
