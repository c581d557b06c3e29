"""What stops an end, and what ends besides records: holds in each of their forms, restriction, files, letters, ways in, the archive; versions."""
import re
import sample
from acts import Journal, Stage
from garant import DAY, add_months, check, garant, milliseconds
from mailbox import Mailbox, wait_for
from notices import own_copy
from people import PASSWORD, opened, registered, visitor
from promise import further
from traces import counts, rows_of

NOW = "2026-11-22T10:00:00Z"
TENANTS = {"myownconference": "myownconference"}
TEXT = [("Content-Type", "text/plain")]


def customer(number):
    return {"identity": {"first_name": f"Apolline-{number}", "last_name": f"Vasseur-{number}"},
            "contact": {"email": f"apolline.{number}@exemple.example", "phone": f"+3347800{number:04d}", "address": f"{number} montée de la Grande-Côte"}}


def file_of(client, ident, category, name="a.txt", content=b"planted content of a file"):
    return client.request("POST", f"/v1/subjects/{ident}/attachments?category={category}&name={name}", content, TEXT).expect(201).json["id"]


@further("FR-05")
def each_form_of_a_hold(t):
    """On all and on one category; the longer of two; against the end of an account; its files and former values; deleted one by one; and a
    restriction, which keeps likewise."""
    server = t.server(now=NOW)
    client, operator, now = server.client("app"), server.operator(), milliseconds(NOW)
    names = ("free", "all", "two", "restricted", "erased", "account", "account held", "account restricted")
    people = {name: client.create(customer(number))["id"] for number, name in enumerate(names)}

    def hold(name, category, **more):
        return client.post(f"/v1/subjects/{people[name]}/holds", {"category": category, "ground": "Affaire 2027-31", **more}).expect(201).json["id"]

    def there(name):
        return client.get(f"/v1/subjects/{people[name]}/access").expect(200, 404).status == 200 or bool(rows_of(server.data, people[name]))

    def held(name, category="identity"):
        answer = operator.get(f"/v1/subjects/{people[name]}/access").expect(200, 404)
        return answer.status == 200 and category in answer.json["data"]
    # What is held is not deleted by itself, record or file; what is free is.
    file = file_of(client, people["all"], "contact")
    every = hold("all", "*")
    for answer in (client.delete(f"/v1/subjects/{people['all']}/attachments/{file}"), client.delete(f"/v1/subjects/{people['all']}/records/contact", etag="*")):
        answer.refused("conflict", status=409)
    hold("two", "identity", until="2027-01-15")
    hold("two", "identity", until="2027-04-15")
    hold("account held", "*")
    client.put(f"/v1/subjects/{people['restricted']}/restriction", {"ground": "accuracy contested"}).expect(204)
    client.put(f"/v1/subjects/{people['account restricted']}/restriction", {"ground": "accuracy contested"}).expect(204)
    for name in ("free", "all", "two", "restricted"):
        operator.post(f"/v1/subjects/{people[name]}/events", {"event": "closure"}).expect(204)
    server.set_clock(now + 31 * DAY)
    server.sweep()
    check(not held("free") and held("all") and held("all", "contact") and held("two") and not held("two", "contact") and held("restricted"),
          f"after 31 days: {[(name, held(name), held(name, 'contact')) for name in ('free', 'all', 'two', 'restricted')]}")
    told = next(row for row in operator.get(f"/v1/subjects/{people['two']}/access").expect(200).json["categories"] if row["category"] == "identity")
    check(told["records"][0]["until"].startswith("2027-04-15"), f"of two holds the longer counts: {told['records']}")
    server.set_clock(milliseconds("2027-02-15T10:00:00Z"))                    # the shorter is over
    server.sweep()
    check(held("two"), "the shorter of two holds ended the longer")
    server.set_clock(milliseconds("2027-04-17T10:00:00Z"))
    server.sweep()
    check(not held("two") and "hold" not in rows_of(server.data, people["two"]), "a hold that is over goes on holding, or is not ended")
    ended = [entry for entry in Journal(server).since(0) if entry["act"] == "hold.released"]
    check(len(ended) == 2, f"the end of two holds is not on record: {ended}")
    operator.delete(f"/v1/subjects/{people['restricted']}/restriction").expect(204)
    operator.delete(f"/v1/subjects/{people['all']}/holds/{every}").expect(204)
    server.sweep()
    check(not held("restricted") and not held("all") and not held("all", "contact"), "what stopped the end is over, and the end does not come")
    # An erasure keeps what is held of each kind, tells so, and lets it go with the hold.
    ident = people["erased"]
    client.change(ident, "account", {"identity": {"last_name": "Planted-Later"}}, source="person").expect(200)
    file_of(client, ident, "identity"), file_of(client, ident, "contact")
    litigation = client.post(f"/v1/subjects/{ident}/holds", {"category": "identity", "ground": "litigation"}).expect(201).json["id"]
    certificate = client.erase(ident)["certificate"]
    kept = {row["category"]: row for row in certificate["kept"]}
    check(set(kept) == {"identity"} and kept["identity"]["records"] == 3 and "17(3)(e)" in kept["identity"]["ground"], f"{certificate['kept']}")
    check(kept["identity"]["until"].startswith("2028-04-17"), f"the hold of twelve months: {kept['identity']}")
    left = rows_of(server.data, ident)
    check(all(left.get(table) == 1 for table in ("record", "former", "attachment", "attachment_part", "hold")), f"held of them: {left}")
    shown = operator.get(f"/v1/archive/{ident}/identity?reason=affaire").expect(200).json
    check(shown["records"][0]["fields"]["last_name"] == "Planted-Later", f"{shown}")
    operator.delete(f"/v1/subjects/{ident}/holds/{litigation}").expect(204)
    server.sweep()
    check(not rows_of(server.data, ident), f"left after the hold: {rows_of(server.data, ident)}")
    # The end of an account: two years after its last use.
    server.set_clock(add_months(now, 24) + DAY)
    server.sweep()
    check(not there("account"), "an account out of use goes on")
    check(there("account held") and held("account held"), "the end of the account took a person who is held")
    check(there("account restricted") and held("account restricted"), "the end of the account took a person whose processing is restricted")


@further("FR-08")
def what_the_law_keeps_stays(t):
    """Billing and fraud elements are not deleted by themselves, by whom it may be, and stay out of the ordinary reach after an erasure."""
    server = t.server(now=NOW)
    client, operator = server.client("app"), server.operator()
    ident = client.create(customer(1))["id"]
    invoice = {"invoice": "F-2026-0117", "issued": "2026-11-20", "amount": 125.5, "recipient": "Apolline Vasseur-1"}
    item = client.record(ident, "billing", invoice).expect(201).json["item"]
    file = file_of(client, ident, "billing")
    for one in (client, operator):
        for path in ("records/billing", f"records/billing?item={item}", f"attachments/{file}"):
            one.delete(f"/v1/subjects/{ident}/{path}", etag="*").refused("conflict", status=409)
    client.erase(ident)
    for path in ("?purpose=billing", "?purpose=billing&categories=billing", f"/attachments/{file}?purpose=billing", "/access", "/export"):
        client.get(f"/v1/subjects/{ident}{path}").expect(404, 410)
    size = Journal(server).size()
    for path in ("/v1/archive", f"/v1/archive/{ident}/billing?reason=control"):
        client.get(path).refused("forbidden", status=403, clause="archive")
    operator.get(f"/v1/archive/{ident}/billing").expect(400, 422)             # nobody looks without a reason
    rows = operator.get("/v1/archive").expect(200).json["archive"]
    check([(row["category"], row["records"], "L123-22" in row["ground"]) for row in rows if row["id"] == ident] == [("billing", 1, True)], f"{rows}")
    shown = operator.get(f"/v1/archive/{ident}/billing?reason=control").expect(200).json
    check(shown["records"][0]["fields"]["invoice"] == "F-2026-0117", f"{shown}")
    acts = [(entry["act"], entry["outcome"], entry.get("purpose")) for entry in Journal(server).since(size)]
    check(("archive.list", "done", None) in [(act, outcome, None) for act, outcome, _ in acts], f"the list is not on record: {acts}")
    check(("archive.read", "done", "control") in acts, f"the look and its reason are not on record: {acts}")


@further("MP-14")
def every_way_in_ends(t):
    """With a closing end sessions, links, tokens and the team; what the law keeps passes to the archive at its term, apart from the rest."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now=NOW, arguments=mailbox.arguments())
    client, operator = server.client("app"), server.operator()

    def person(number):
        return {"identity": {"first_name": f"Thibault-{number}", "last_name": "Marchand"}, "contact": {"email": f"thibault.{number}@societe.example"}}
    boss = opened(server, person(1), role="partner")
    operator.post(f"/v1/accounts/{boss}/agreement", {"date": "2026-01-05", "reference": "safe, shelf 2"}).expect(200)
    member = opened(server, person(2), manager=boss)
    token = operator.post("/v1/tokens", {"name": "of-the-boss", "actor": "partner", "holder": boss}).expect(201).json["token"]
    one = visitor(server, person(1)["contact"]["email"])
    server.anyone().post("/v1/password/reset", {"identifier": person(1)["contact"]["email"]}).expect(202)
    link = mailbox.wait(person(1)["contact"]["email"], "reset").links[0].rsplit("/", 1)[1]
    headers = [("Authorization", f"Bearer {token}")]
    server.anyone().request("GET", f"/v1/subjects/{member}?purpose=service", headers=headers).expect(200)
    check({"session", "ticket", "token_holder"} <= set(rows_of(server.data, boss)), f"{rows_of(server.data, boss)}")
    client.post(f"/v1/subjects/{boss}/close").expect(204)
    check(not {"session", "ticket"} & set(rows_of(server.data, boss)), f"a way in is left: {rows_of(server.data, boss)}")
    one.get("/v1/session").expect(401)
    server.anyone().request("GET", f"/v1/subjects/{member}?purpose=service", headers=headers).expect(401)
    server.anyone().post("/v1/password/reset/confirm", {"token": link, "password": "Trombone-Lichen 43 Kestrels!"}).expect(404)
    check(operator.get(f"/v1/accounts/{member}").expect(200).json["account"]["managers"] == [], "who left still has a team")
    # What the law keeps of somebody who is a customer still: first in use, then in the archive.
    ident = client.create(person(3))["id"]
    client.record(ident, "billing", {"invoice": "F-2026-0042", "issued": "2026-11-22", "amount": 990, "recipient": "Société 1"}).expect(201)
    check(client.read(ident, "legal_duties", ["billing"]).expect(200).json["data"]["billing"], "the invoice")
    server.set_clock(milliseconds("2027-12-30T10:00:00Z"))
    client.post(f"/v1/subjects/{ident}/events", {"event": "last_use"}).expect(204)
    server.sweep()
    check(client.read(ident, "legal_duties", ["billing"]).expect(200).json["data"]["billing"], "in the archive before its time")
    server.set_clock(milliseconds("2028-01-02T10:00:00Z"))
    archived = server.sweep()["archived"]
    check(archived == {"billing": 1}, f"a year after the year's end it is still in use: {archived}")
    check(client.read(ident, "legal_duties", ["billing"]).expect(200).json["data"].get("billing") in (None, []), "read from the archive as from the rest")
    records = next(row for row in client.get(f"/v1/subjects/{ident}/access").expect(200).json["categories"] if row["category"] == "billing")["records"]
    check([row["archived"] for row in records] == [True], f"the person is not told: {records}")


@further("MP-13")
def what_is_no_record_ends_too(t):
    """Files with their content, letters that went, answers kept for a repeated request, duties that were done; and what a withdrawal starts."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now=NOW, arguments=mailbox.arguments())
    client, operator, now = server.client("app"), server.operator(), milliseconds(NOW)
    data = {"identity": {"first_name": "Thibault", "last_name": "Marchand"}, "contact": {"email": "thibault@societe.example"}}
    ident = client.create(data)["id"]
    file_of(client, ident, "navigation")
    client.post(f"/v1/subjects/{ident}/messages", {"purpose": "service", "subject": "Planned work", "text": "On Sunday."}).expect(202)
    mailbox.wait("thibault@societe.example", "service_message")
    was = rows_of(server.data, ident)
    check(was["attachment"] == was["attachment_part"] == 1 and was["mail"] == 1 and was["idempotency"], f"{was}")
    server.set_clock(now + 29 * DAY)
    client.post(f"/v1/subjects/{ident}/events", {"event": "last_use"}).expect(204)
    server.sweep()
    check(rows_of(server.data, ident)["attachment_part"] == 1, "a file goes before its term")
    server.set_clock(now + 31 * DAY)
    server.sweep()
    left = rows_of(server.data, ident)
    check("attachment" not in left and "attachment_part" not in left, f"a file, or its content, is held beyond its term: {left}")
    check(left.get("idempotency", 0) <= 1, f"answers of a month ago are kept for a repeated request: {left}")
    # Letters that went are kept as long as the policy's objections or contacts ask for, and no longer.
    server.set_clock(add_months(now, 14))
    client.post(f"/v1/subjects/{ident}/events", {"event": "last_use"}).expect(204)
    server.sweep()
    check("mail" not in rows_of(server.data, ident), f"a letter of fourteen months ago: {rows_of(server.data, ident)}")
    # A duty that was done is a request that was answered: it goes with them, five years after.
    client.change(ident, "service", {"company": {"name": "Société", "address": "rue du Port"}}, source="partner").expect(200)
    duty = next(row for row in operator.get("/v1/duties").expect(200).json["duties"] if row["kind"] == "inform")["id"]
    operator.post(f"/v1/duties/{duty}/done", {"outcome": "done"}).expect(204)
    done, before = server.now(), counts(server.data)["duty"]
    for at, expected in ((add_months(done, 60) - DAY, before), (add_months(done, 60) + DAY, before - 1)):
        server.set_clock(at - 2 * DAY if at < add_months(done, 60) else at)
        client.post(f"/v1/subjects/{ident}/events", {"event": "last_use"}).expect(204, 404)
        server.sweep()
        check(counts(server.data)["duty"] == expected, f"duties at {at - done}: {counts(server.data)['duty']}, not {expected}")


@further("MO-15")
def a_browser_left_open(t):
    """Whoever finds a browser where somebody is signed in does not erase nor close them: that takes the password, typed a moment ago."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now=NOW, arguments=mailbox.arguments(), tenant="myownconference")
    registered(server, mailbox, {"identity": {"display_name": "kestrel"}, "login": {"email": "kestrel@rooms.example"}}, "kestrel@rooms.example")
    one = visitor(server, "kestrel@rooms.example", tenant="myownconference")
    server.advance(hours=2)
    for path in (f"/v1/subjects/{one.id}/erase", "/v1/me/close"):
        one.post(path, {}).refused("reauthenticate", status=403)
    one.get(f"/v1/subjects/{one.id}/access").expect(200)
    one.post("/v1/session/proof", {"password": "a guess of it"}).expect(401, 403)
    one.post(f"/v1/subjects/{one.id}/erase", {}).refused("reauthenticate", status=403)
    one.post("/v1/session/proof", {"password": PASSWORD}).expect(204)
    one.post(f"/v1/subjects/{one.id}/erase", {}).expect(200)
    check(not rows_of(server.data, one.id), "not erased")


@further("MO-16")
def use_is_what_counts(t):
    """Whoever goes on using the service by one session, without signing in again, is not erased; 180 days after the last such use they are."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now=NOW, arguments=mailbox.arguments(), tenant="myownconference")
    app, operator = server.client("app"), server.operator()
    registered(server, mailbox, {"identity": {"display_name": "kestrel"}, "login": {"email": "kestrel@rooms.example"}}, "kestrel@rooms.example")
    one = visitor(server, "kestrel@rooms.example", tenant="myownconference")
    for _ in range(5):
        server.advance(days=28)
        one.get("/v1/me/preferences").expect(200)
    used = server.now()
    server.restart()                                             # what was noted of uses in memory is written at the end
    server.set_clock(used + 179 * DAY)
    server.sweep()
    check(app.get(f"/v1/subjects/{one.id}/access").status == 200, "erased within 180 days of the last use")
    server.set_clock(used + 181 * DAY)
    server.sweep()
    check(operator.get(f"/v1/subjects/{one.id}/access").status == 404 and not rows_of(server.data, one.id), "kept beyond 180 days of the last use")


@further("MX-09")
def what_came_after_stays_done(t):
    """A restored backup loses what was written since, but undoes nothing that a person or the law decided since: an objection, a hold, a duty met,
    access taken back, a password, an ended session, an erasure."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now=NOW, arguments=mailbox.arguments())
    stage = Stage(server)
    app, operator, staff_ = stage.app, server.operator(), stage.actor("account_staff")
    data = sample.person(stage.document, 31)
    address, before, after = data["contact"]["email"], PASSWORD, "Trombone-Lichen 43 Kestrels!"
    ident, gone = opened(server, data), stage.person()
    app.change(ident, "service", {"work": data["work"]}, source="manager").expect(200)
    staff_.post(f"/v1/subjects/{ident}/folders", {"folder": "dossier", "name": "Planted", "why": "Planted"}).expect(201)
    one = visitor(server, address)

    def enters():
        asked = {"subject": ident, "folder": "dossier", "name": "Planted", "purpose": "access_rights"}
        return staff_.post("/v1/authorize", asked).expect(200).json["allowed"]
    check(enters() is True, "access was given")
    copy = t.path("backup")
    server.advance(minutes=1)
    operator.post("/v1/backup", {"to": copy}).expect(200)
    server.advance(minutes=1)
    app.put(f"/v1/subjects/{ident}/objections/statistics").expect(204)
    app.post(f"/v1/subjects/{ident}/holds", {"category": "identity", "ground": "Affaire 12"}).expect(201)
    duty = next(row for row in operator.get("/v1/duties").expect(200).json["duties"] if row["kind"] == "inform")["id"]
    operator.post(f"/v1/duties/{duty}/done", {"outcome": "done"}).expect(204)
    staff_.request("DELETE", f"/v1/subjects/{ident}/folders", {"folder": "dossier", "name": "Planted", "why": "Planted"}).expect(204)
    one.put("/v1/me/password", {"current": before, "new": after}).expect(204)
    other = visitor(server, address, after)
    other.delete("/v1/session").expect(204)
    app.erase(gone)
    server.stop()
    garant("restore", copy, "--data", server.data)
    server.start()
    app.read(ident, "statistics").refused("purpose-refused", status=403)
    held = app.get(f"/v1/subjects/{ident}/access").expect(200).json
    check([hold["ground"] for hold in held["holds"]] == ["Affaire 12"], f"the hold: {held['holds']}")
    check(operator.get("/v1/duties").expect(200).json["duties"] == [], "a duty that was met is open again")
    check(enters() is False, "access that was taken back is there again")
    never = {"identifier": address, "password": before}
    server.anyone().post("/v1/session", never).expect(401)
    visitor(server, address, after)
    app.read(gone, "service").expect(404)
    check(not rows_of(server.data, gone), f"an erased person came back: {rows_of(server.data, gone)}")


@further("MO-28", "MP-20")
def told_in_time(t):
    """A version whose day is to come is told by letter when it is announced, not when it applies; one that applies at once is told at once."""
    mailbox = t.enter_context(Mailbox())
    edit = own_copy(t)
    server = t.server(policy=edit(), tenant=TENANTS.get(t.policy), now=NOW, arguments=mailbox.arguments())
    stage = Stage(server)
    stage.person()
    with open(edit(), encoding="utf-8") as file:
        text = file.read()
    category, field = stage.document.identifier()
    address = sample.fields(stage.policy.categories[category], 1)[field]
    version, date = (re.search(rf"\n  {key}: .*\n", text)[0] for key in ("version", "date"))
    event = next(name for name, body in stage.policy.categories.items() if re.search(rf"\n  {name}: \{{from: event, active: \w+\}}\n", text))
    term = re.search(rf"\n  {event}: \{{from: event, active: \w+\}}\n", text)[0]
    coming = [(version, "\n  version: '77.1'\n"), (date, "\n  date: 2027-01-15\n"), (term, re.sub(r"active: \w+", "active: 4y", term))]
    edit(*coming)
    server.advance(hours=1)
    check(server.operator().post("/v1/policy/reload").expect(200).json["coming"]["version"] == "77.1", "not announced")
    letter = mailbox.wait(address, "policy_changed")
    check("77.1" in letter.text and server.now() < milliseconds("2027-01-15T00:00:00Z"), f"{letter.text}")
    server.set_clock(milliseconds("2027-01-20T10:00:00Z"))
    server.restart()
    edit((coming[0][1], "\n  version: '77.2'\n"), (coming[1][1], "\n  date: 2027-01-20\n"), (coming[2][1], re.sub(r"active: \w+", "active: 5y", term)))
    server.operator().post("/v1/policy/reload").expect(200)
    wait_for(lambda: any("77.2" in letter.text for letter in mailbox.find(address, "policy_changed")))      # one that applies at once, at once
