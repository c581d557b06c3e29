"""MP-16 again: every row that decides is bound to the journal entry that wrote it. What was altered behind the server's back is named by
verify, doctor and the board, and nobody acts upon it; an older data.db beside today's keyring does not pass for today's."""
import os, shutil, time
import engine
import ledger
from letters import SAID
from garant import Client, check, check_absent, garant
from mailbox import Mailbox, wait_for
from mp import complete, person
from notices import journal_of
from people import PASSWORD, Visitor, opened, staff, visitor
from promise import further, part
from traces import id_bytes
from trackers import chosen

# What this policy can fill from outside. Folders are another platform's: tests/unit/test_board.c.
LIVED = ["subject", "identifier", "consent", "milestone", "hold", "disclosure", "certificate", "duty", "token", "account", "session", "ticket",
         "attempt", "device", "team", "acknowledgement", "wording", "policy_version", "policy_compiled", "meta",
         "campaign", "publication", "dsr", "authority", "authority_person", "tracker_choice"]
AT_START = ["policy_version", "policy_day", "meta"]          # without them no instance opens: the start names them


def shown_and_asked(server, ident):
    """What others than the person decide of: a campaign, a publication, a request, one of an authority, a choice about trackers."""
    app = server.client("app")
    app.post("/v1/campaigns", {"name": "Planted", "purpose": "news", **SAID}).expect(201)
    app.post(f"/v1/subjects/{ident}/publications", {"category": "testimonial", "agree": True, "fields": {"quote": "Planted", "signed": "T."}}).expect(201)
    app.post("/v1/requests", {"kind": "question", "channel": "post", "subject": ident, "text": "Planted?"}).expect(201)
    app.post("/v1/authorities", {"authority": "Planted", "ground": "CPP 77-1-1", "received": "2026-01-05", "subjects": [ident],
                                 "categories": ["identity"]}).expect(201)
    chosen(server, []).expect(201)


def lived(server):
    """People of whom something is in every table that this policy can fill."""
    app, operator = server.client("app"), server.operator()
    ident = complete(app)
    app.consent(ident, "news", "given", channel="email").expect(201)
    app.post(f"/v1/subjects/{ident}/events", {"event": "last_contact"}).expect(204)
    operator.post(f"/v1/subjects/{ident}/holds", {"category": "billing", "ground": "litigation"}).expect(201)
    app.post(f"/v1/subjects/{ident}/disclosures", {"recipient": "mailer", "purpose": "service", "categories": ["identity"]}).expect(200, 201)
    app.change(ident, "service", {"contact": {"phone": "+33155550111"}}).expect(200)
    staff(server, person(90), "thibault.90@societe.example", "support")
    member = opened(server, person(4))
    visitor(server, "thibault.4@societe.example")
    Visitor(server).post("/v1/session", {"identifier": "thibault.4@societe.example", "password": "Wrong-pass-11"}).expect(401)
    partner = staff(server, person(91), "thibault.91@societe.example", "partner")
    operator.put(f"/v1/accounts/{member}/manager", {"manager": partner.id}).expect(204)
    operator.post("/v1/accounts", {"data": person(5), "supplied_by": "person"}).expect(201)
    told_by_another = {name: body for name, body in person(9).items() if name in ("identity", "contact", "company")}
    app.create(told_by_another, source="partner")            # the person is to be informed
    app.erase(app.create(person(6))["id"])
    app.post("/v1/policy/acknowledgements", {"subject": ident}).expect(200, 201)
    shown_and_asked(server, ident)
    return ident, member


def looks(server, data):
    """What verify and doctor say of that folder, and how they end."""
    options = ["--policy", server.policy, "--data", data, "--clock-file", server.clock_file]
    return [garant(verb, *options, ok=None) for verb in ("verify", "doctor")]


def named(server, data, tables, what):
    """Both end badly; doctor names each of the tables, with the journal entry, and verify the first."""
    verify, doctor = looks(server, data)
    said = doctor.stdout + doctor.stderr
    check(verify.returncode != 0 and "journal" in verify.stderr, f"{what}: verify passes: {verify.returncode} {verify.stdout} {verify.stderr}")
    check(doctor.returncode != 0, f"{what}: doctor passes: {said}")
    missing = [table for table in tables if f"{table}," not in said]
    check(not missing, f"{what}: doctor does not name {', '.join(missing)}: {said}")


def every_change_is_named(server, tables, older, copy):
    for number in range(max(len(ledger.bound_tables()[table][1]) for table in tables)):
        with ledger.tampered(server.data, copy):
            altered = [table for table in tables if ledger.alter(copy, table, number)]
            if altered:                                      # a column that is sealed to its row is opened instead
                named(server, copy, altered, f"column {number} of {', '.join(altered)}")
    for change in (ledger.delete, ledger.copy):
        with ledger.tampered(server.data, copy):
            changed = [table for table in tables if change(copy, table) is not False]
            named(server, copy, changed, change.__name__)
    for table in AT_START:
        for change in (lambda data, table=table: ledger.alter(data, table, 1), lambda data, table=table: ledger.delete(data, table)):
            if table in ledger.filled(server.data):
                with ledger.tampered(server.data, copy):
                    change(copy)
                    named(server, copy, [], f"{table}")
    # One row, or all of a person, as it was; and with it what binds it.
    with ledger.tampered(server.data, copy):
        ledger.put_back(copy, older, ["subject"])
        named(server, copy, ["subject"], "people as they were")
    with ledger.tampered(server.data, copy):
        ledger.put_back(copy, older, [*ledger.bound_tables(), "bound", "ledger"])
        verify, doctor = looks(server, copy)
        check(verify.returncode and doctor.returncode, f"all rows put back as they were: {verify.stdout} {doctor.stdout}")


@further("MP-16")
def named_rows(t):
    """Each table that decides: altered in each of its columns, deleted from, copied in, put back as it was once."""
    server = t.server()
    lived(server)
    server.stop()
    older, copy = t.path("older"), t.path("copy")
    engine.copied(server.data, older)
    server.start()
    ident = complete(server.client("app"), 7)
    lacking = set(LIVED) - set(ledger.filled(server.data))
    check(not lacking, f"nothing is in {', '.join(sorted(lacking))}")
    server.operator().put(f"/v1/subjects/{ident}/restriction", {"ground": "contested"}).expect(204)
    server.stop()
    for run in looks(server, server.data):
        check(run.returncode == 0, f"before any alteration: {run.stdout} {run.stderr}")
    tables = [table for table in ledger.filled(server.data) if table not in AT_START]
    with part("tampering shows"):
        every_change_is_named(server, tables, older, copy)


@further("MP-16")
def not_acted_upon(t):
    """What was altered is refused where it would decide, and the board says so; the others' is served."""
    server = t.server()
    ident, member = lived(server)
    app, campaigns, operator = server.client("app"), server.client("campaigns"), server.operator()
    beside = complete(app, 8)
    app.consent(ident, "news", "withdrawn", channel="email").expect(201)
    app.read(ident, "news").refused("consent-missing", status=403)
    operator.put(f"/v1/subjects/{beside}/restriction", {"ground": "contested"}).expect(204)
    mine = visitor(server, "thibault.4@societe.example")
    older = t.path("kept")

    def altered(*statements):
        server.stop()
        shutil.rmtree(older, ignore_errors=True)
        engine.copied(server.data, older, ignore=shutil.ignore_patterns("garant.sock"))
        touched = ledger.execute(server.data, *statements)
        check(all(touched), f"nothing was altered by {statements}")
        server.start()

    def as_before():
        server.stop()
        shutil.rmtree(server.data)
        engine.copied(older, server.data)
        server.start()

    def board(broken=True):
        said = operator.get("/v1/promises?fresh=true").expect(200).json
        probe, = [probe for probe in said["probes"] if probe["name"] == "ledger"]
        check((probe["state"] == "broken") == broken, f"the board: {probe}")
        rows = operator.get("/v1/unreadable").expect(200).json["altered"]
        check(bool(rows) == broken, f"named: {rows}")
        return rows

    def refused(answer, why):
        check(answer.status >= 400 and b'"data"' not in answer.body, f"{why}: {answer.status} {answer.body[:300]}")
        return answer

    board(broken=False)
    for statement in ("UPDATE consent SET decision = 'given'", "DELETE FROM consent WHERE decision = 'withdrawn'",
                      "UPDATE consent SET at = at + 1000"):
        altered(statement)
        answer = refused(app.read(ident, "news"), statement)
        check(answer.json["code"] == "integrity" and "consent" in answer.json["detail"], f"{statement}: {answer.body}")
        check({row["table"] for row in board()} == {"consent"}, "the board names other tables")
        app.read(member, "service").expect(200)              # nobody else is held up
        as_before()
        app.read(ident, "news").refused("consent-missing", status=403)
    for statement in (f"DELETE FROM hold", "UPDATE hold SET until = 1", "UPDATE hold SET category = 'abuse'"):
        altered(statement)
        operator.post("/v1/sweep").expect(200)
        refused(app.post(f"/v1/subjects/{ident}/erase", {}), statement)
        board()
        as_before()
    altered("UPDATE subject SET restricted = NULL WHERE restricted IS NOT NULL")
    refused(app.read(beside, "service"), "a restriction taken away")
    board()
    as_before()
    altered("UPDATE token SET actor = 'app' WHERE actor = 'campaigns'")
    refused(campaigns.read(ident, "service"), "a token of another class")
    board()
    as_before()
    altered("UPDATE account SET role = 'support' WHERE role IS NULL")
    refused(mine.get(f"/v1/subjects/{ident}?purpose=service&reason=4711"), "a role given by hand")
    refused(Visitor(server).post("/v1/session", {"identifier": "thibault.4@societe.example", "password": PASSWORD}), "signed in with that role")
    board()
    as_before()
    altered("UPDATE session SET ends = ends + 86400000")
    refused(mine.get("/v1/me"), "a session prolonged by hand")
    as_before()
    mine.get("/v1/session").expect(200)
    altered("UPDATE identifier SET subject = (SELECT subject FROM identifier ORDER BY subject DESC LIMIT 1)")
    refused(app.lookup({"contact.email": "thibault.1@societe.example"}, "service"), "an address given to another person")
    as_before()


def part_of(ident):
    """The part of a shared table that a row's sum is of (docs/ledger.md)."""
    return id_bytes(ident)[-1] // 4


@further("MP-16")
def stopped_campaign(t):
    """A campaign that was stopped is not started by hand: nothing of it leaves, the board names it, and other campaigns go on."""
    box = t.enter_context(Mailbox())
    server = t.server(arguments=box.arguments())
    app, operator = server.client("app"), server.operator()
    ident = complete(app)
    app.consent(ident, "news", "given", channel="email").expect(201)
    made, later = {}, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(server.now() / 1000 + 30 * 86400))
    for name in ("stopped", "other"):
        made[name] = app.post("/v1/campaigns", {"name": name, "purpose": "news", **SAID}).expect(201).json["id"]
        while name == "other" and part_of(made[name]) == part_of(made["stopped"]):       # what is altered stops its neighbours in the part
            made[name] = app.post("/v1/campaigns", {"name": name, "purpose": "news", **SAID}).expect(201).json["id"]
        app.post(f"/v1/campaigns/{made[name]}/count").expect(200)
    app.post(f"/v1/campaigns/{made['stopped']}/steer", {"do": "start", "at": later}).expect(200)
    app.post(f"/v1/campaigns/{made['stopped']}/steer", {"do": "stop"}).expect(200)
    server.stop()
    touched = ledger.execute(server.data, "UPDATE campaign SET state = 'running', next_at = 0, due = NULL WHERE state = 'stopped'")
    check(touched == [1], "no stopped campaign was altered")
    server.start()
    with part("tampering shows"):
        for door in (lambda: app.get(f"/v1/campaigns/{made['stopped']}"), lambda: app.post(f"/v1/campaigns/{made['stopped']}/steer", {"do": "pause"})):
            said = door().refused("integrity")
            check("campaign" in said["detail"], f"{said}")
        app.post(f"/v1/campaigns/{made['other']}/steer", {"do": "start"}).expect(200)
        wait_for(lambda: app.get(f"/v1/campaigns/{made['other']}").expect(200).json["state"] == "done")
        check(len([letter for letter in box.letters if letter.subject in SAID["subject"].values()]) == 1, "the one that was stopped went out")
        rows = wait_for(lambda: operator.get("/v1/unreadable").expect(200).json["altered"])   # the board's walk comes by
        check({row["table"] for row in rows} == {"campaign"}, f"named: {rows}")


@further("MP-16")
def put_back_with_its_head(t):
    """What is put back, or taken away, together with all that binds it is refused by the act, and named by board, doctor and verify."""
    server = t.server()
    ident, member = lived(server)
    app, operator, tokens = server.client("app"), server.operator(), {}
    for name in ("ended", "other"):
        tokens[name] = operator.post("/v1/tokens", {"name": name, "actor": "app"}).expect(201).json["token"]
    app.consent(ident, "news", "given", channel="email").expect(200, 201)
    ended = Client(lambda: server.port, tokens["ended"], epoch=lambda: server.starts)
    ended.read(ident, "news").expect(200)
    server.stop()
    older, kept = t.path("older"), t.path("kept")
    engine.copied(server.data, older, ignore=shutil.ignore_patterns("garant.sock"))
    server.start()
    operator.request("DELETE", "/v1/tokens/ended").expect(204)
    app.consent(ident, "news", "withdrawn", channel="email").expect(201)
    for _ in range(3):
        Visitor(server).post("/v1/session", {"identifier": "thibault.4@societe.example", "password": "Wrong-pass-11"}).expect(401, 429)
    ended.read(ident, "news").expect(401)
    app.read(ident, "news").refused("consent-missing", status=403)
    server.stop()
    engine.copied(server.data, kept, ignore=shutil.ignore_patterns("garant.sock"))
    check(all(run.returncode == 0 for run in looks(server, server.data)), "before any alteration")

    def news():
        return app.read(ident, "news")

    def signing_in():
        return Visitor(server).post("/v1/session", {"identifier": "thibault.4@societe.example", "password": "Wrong-pass-11"})

    def whole(*tables):
        return lambda: ledger.put_back_whole(server.data, older, list(tables))

    def by_hand(*statements):
        return lambda: check(all(ledger.execute(server.data, *statements)), f"nothing was altered by {statements}")

    no_head, no_link = "DELETE FROM ledger WHERE name = '{}'", "UPDATE journal SET bound = NULL WHERE bound IS NOT NULL"
    cases = [("a token that was revoked", whole("token"), lambda: ended.read(ident, "news"), "token"),
             ("consents, beside newer rows of the same people", whole("consent"), news, "older state"),
             ("people with all that is theirs", whole("consent", "account", "session", "device", "subject"), news, ""),
             ("all tokens and their head taken away", by_hand("DELETE FROM token", no_head.format("token"), "DELETE FROM bound WHERE of_table = 'token'"),
              news, "token"),
             ("failed tries and their head taken away", by_hand("DELETE FROM attempt", "DELETE FROM bound WHERE of_table = 'attempt'",
                                                                no_head.format("attempt")), signing_in, "attempt"),
             ("failed tries as they were", whole("attempt"), signing_in, "attempt"),
             ("one person's head alone", by_hand(no_head.format("person")), news, ""),
             ("the head of all heads alone", by_hand(no_head.format("*")), None, ""),
             ("consents put back and the links to newer entries cut", lambda: (whole("consent", "subject", "account", "session", "device")(),
                                                                                by_hand(no_link)()), None, "")]
    for what, alter, act, table in cases:
        alter()
        verify, doctor = looks(server, server.data)
        check(verify.returncode and doctor.returncode, f"{what}: verify {verify.returncode}, doctor {doctor.returncode}: {doctor.stdout}")
        server.start()
        if act:
            answer = act()
            check(answer.status >= 500 and answer.json["code"] == "integrity" and table in answer.json["detail"], f"{what}: {answer.body}")
        said = operator.get("/v1/promises?fresh=true").expect(200).json
        probe, = [probe for probe in said["probes"] if probe["name"] == "ledger"]
        check(probe["state"] == "broken" and said["state"] == "broken", f"{what}: the board: {probe}")
        check(operator.get("/v1/unreadable").expect(200).json["altered"], f"{what}: nothing is named")
        server.stop()
        shutil.rmtree(server.data)
        engine.copied(kept, server.data)
    server.start()
    app.read(ident, "news").refused("consent-missing", status=403)
    check(operator.post("/v1/journal/verify").expect(200).json["rows"] > 10, "no rows were held against the journal")


@further("MP-16")
def older_file(t):
    """An older data.db beside today's keyring is named by every start; a restore puts a backup in place, and says so."""
    server = t.server()
    app, operator = server.client("app"), server.operator()
    ident = complete(app)
    backup, older = t.path("backup"), t.path("older.db")
    operator.post("/v1/backup", {"to": backup}).expect(200, 201)
    server.stop()
    engine.set_aside(server.data, older)
    server.start()
    app.consent(ident, "news", "given", channel="email").expect(201)
    app.consent(ident, "news", "withdrawn", channel="email").expect(201)
    server.kill()                                            # not in order: what was acknowledged is known all the same
    engine.put_back(server.data, older)
    status, said = server.refuses_to_start()
    check(status and "older than the keyring" in said, f"serve: {status} {said}")
    for run in looks(server, server.data):
        check(run.returncode and "older than the keyring" in run.stdout + run.stderr, f"{run.args}: {run.stdout} {run.stderr}")
    garant("restore", backup, "--data", server.data)
    for run in looks(server, server.data):
        check(run.returncode == 0, f"after a restore: {run.stdout} {run.stderr}")
    server.start()
    app.read(ident, "service").expect(200)
    check([entry for entry in journal_of(server, t.path("journal")) if '"act":"restore"' in entry], "no entry tells of the restore")


@further("MP-16")
def restored(t):
    """A restore takes nothing over from a file whose rows were altered, and puts the backup in place once that file is out of the way."""
    server = t.server()
    app, operator = server.client("app"), server.operator()
    ident = complete(app)
    app.consent(ident, "news", "given", channel="email").expect(201)
    backup = t.path("backup")
    operator.post("/v1/backup", {"to": backup}).expect(200, 201)
    app.consent(ident, "news", "withdrawn", channel="email").expect(201)
    server.stop()
    ledger.execute(server.data, "UPDATE consent SET decision = 'given'")
    run = garant("restore", backup, "--data", server.data, ok=None)
    check(run.returncode and "consent" in run.stderr, f"rows that were altered are taken over: {run.stdout} {run.stderr}")
    ledger.execute(server.data, "DELETE FROM bound")
    ledger.execute(server.data, "DELETE FROM ledger")
    run = garant("restore", backup, "--data", server.data, ok=None)
    check(run.returncode and "lost what binds" in run.stderr, f"rows whose bindings are gone are taken over: {run.stdout} {run.stderr}")
    engine.taken_away(server.data, t.path("altered.db"))
    garant("restore", backup, "--data", server.data)
    for run in looks(server, server.data):
        check(run.returncode == 0, f"after a restore: {run.stdout} {run.stderr}")
    server.start()
    app.read(ident, "news").expect(200)                      # as the backup has it
    server.stop()
    # What is whole is taken over: a withdrawal since the backup is not undone.
    server.start()
    app.consent(ident, "news", "withdrawn", channel="email").expect(201)
    server.stop()
    garant("restore", backup, "--data", server.data)
    server.start()
    app.read(ident, "news").refused("consent-missing", status=403)
    check(server.operator().post("/v1/journal/verify").expect(200).json["rows"] > 10, "no rows were held against the journal")


@further("MX-11")
def wordings(t):
    """What a person agreed to word for word, and by whom and on what evidence it was taken, stands in no file in clear; it is told all the same."""
    server = t.server(policy="myportal")
    app, planted = server.client("app"), [f"planted-{what}-Zorglub" for what in ("wording", "evidence", "taker")]
    ident = complete(app)
    app.consent(ident, "news", "given", channel="email", wording=planted[0], evidence=planted[1], by=planted[2]).expect(201)
    told = app.get(f"/v1/subjects/{ident}/access").expect(200).body.decode()
    check(all(value in told for value in planted), f"not all is told: {told[:500]}")
    check_absent(planted, server.folder)
    server.stop()
    check_absent(planted, server.folder)
