"""Who looks at people, from outside: each list stands in the view of everybody on it; reasons of acts as of looks; consents taken for one's own
purposes alone."""
import contextlib, json, os, shutil, tempfile, urllib.parse
import promise, sample
from described import Routes
from garant import TOP, Client, Server, check
from mailbox import Mailbox
from people import PASSWORD, form, opened, staff, visitor
from uses import command

WHY = {"Garant-Reason": "ticket 4711"}
NOW = "2026-11-22T10:00:00Z"
# A desk that must say why, with every act there is.
DESK = ("    purposes: [customer_service, orders, account]\n    acts: [read, write, send]\n    reason: required\n",
        "    purposes: [account, orders, accounting, customer_service, marketing, mail_measure, profile, personalisation, mobile_features, social]\n"
        "    acts: [read, write, send, disclose, erase, export, consent]\n    reason: required\n")
OPENED = ("accounts: {opened_by: [self],", "accounts: {opened_by: [self, staff],")


def portal(number):
    return {"identity": {"first_name": "Ana", "last_name": "Canari"}, "contact": {"email": f"ana.{number}@people.example"},
            "work": {"company": "Studio", "site": "Lyon"}}


def consumer(number):
    return {"account": {"screen_name": f"Canari {number}"}, "contact": {"name": "Ana Canari", "email": f"ana.{number}@people.example"}}


def holder(server, role, ident):
    """A token that stands for that member of staff."""
    server.operator().post(f"/v1/accounts/{ident}/agreement", {"date": "2026-11-01", "reference": "safe, shelf 4"}).expect(200)
    made = server.operator().post("/v1/tokens", {"name": f"of-{ident[-8:].lower()}", "actor": role, "holder": ident}).expect(201).json
    return Client(server.port, made["token"], epoch=lambda: server.starts)


def looks(server, ident, act):
    """(actor, purpose, reason) of what is done about a person, as their own view has it."""
    rows = server.operator().get(f"/v1/subjects/{ident}/looks?limit=1000").expect(200).json["looks"]
    return [(row["actor"], row["purpose"] or "", row["reason"]) for row in rows if row["act"] == act and row["outcome"] == "done"]


@contextlib.contextmanager
def altered(policy, *changes):
    """A policy file with some of its lines changed, in a folder of its own."""
    with open(os.path.join(TOP, f"policies/{policy}.yaml"), encoding="utf-8") as file:
        said = file.read()
    for before, after in changes:
        check(said.count(before) == 1, f"{policy} says {said.count(before)} times {before!r}")
        said = said.replace(before, after)
    folder = tempfile.mkdtemp(prefix="garant-looks-")
    try:
        path = os.path.join(folder, f"{policy}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(said)
        yield path
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def register(tests):
    @tests.test("looks: who lists accounts stands in the view of each person listed, by API, page and command")
    def listed():
        with Server("mxplorerplace", now=NOW) as server:
            clerk = staff(server, portal(1), "ana.1@people.example", "account_staff")
            people = [opened(server, portal(number)) for number in (2, 3, 4)]
            apart = server.client("app").create(portal(9))["id"]
            first = [row["id"] for row in clerk.get("/v1/accounts?purpose=service&limit=2").expect(200).json["accounts"]]
            for ident in [clerk.id, *people]:
                seen = looks(server, ident, "account.listed")
                check(seen == [("account_staff", "service", None)] * (ident in first), f"by API: on the page {ident in first}, told {seen}")
            clerk.get("/staff/people", Accept="text/html").expect(200)
            code, said = command(server, "account", "list", "--json")
            check(code == 0 and all(ident in said for ident in people), said)
            for ident in people:
                actors = [row[0] for row in looks(server, ident, "account.listed")]
                check(actors == ["operator"] + ["account_staff"] * (1 + (ident in first)), f"by page and command: {actors}")
            check(looks(server, apart, "account.listed") == [], "who has no account was listed")
            before = looks(server, people[0], "account.listed")
            check(server.operator().get("/v1/accounts?state=awaiting").expect(200).json["accounts"] == [], "somebody awaits")
            check(looks(server, people[0], "account.listed") == before, "who was not on the list is told of it")

    @tests.test("looks: the reason that a list needs is kept for each person on it, and a refused list shows nobody")
    def reasons_of_lists():
        with Server("mxplorerplace", now=NOW) as server:
            person = opened(server, portal(2))
            analyst = holder(server, "analyst", opened(server, portal(1), role="analyst"))
            analyst.get("/v1/accounts").refused("reason-missing", status=403, clause=r"^roles\.analyst\.reason$")
            check(looks(server, person, "account.listed") == [], "a refused list is in the person's view")
            analyst.get("/v1/accounts", **WHY).expect(200)
            check(looks(server, person, "account.listed") == [("analyst", "", "ticket 4711")], f"{looks(server, person, 'account.listed')}")

    @tests.test("looks: the lists of duties and acknowledgements stand in the view of each person on them")
    def lists():
        with Server("mxplorerplace", now=NOW) as server:
            operator = server.operator()
            person, other = opened(server, portal(2), supplied_by="manager"), opened(server, portal(3))
            operator.post("/v1/policy/acknowledgements", {"subject": person}).expect(201)
            operator.get("/v1/policy/acknowledgements").expect(200)
            check(looks(server, person, "acknowledgement.listed") == [("operator", "", None)], f"{looks(server, person, 'acknowledgement.listed')}")
            on = [row["subject"] for row in operator.get("/v1/duties").expect(200).json["duties"]]
            check(person in on and other not in on, f"duties: {on}")
            for ident in (person, other):
                check(looks(server, ident, "duty.listed") == [("operator", "", None)] * (ident in on), f"{looks(server, ident, 'duty.listed')}")

    @tests.test("looks: who decides on publications says why first where their role must, on the page as by API")
    def of_publications():
        role = "    purposes: [community]\n    acts: [read, write]\n"
        needs = role + "systems:", role + "    reason: required\nsystems:"
        with altered("deskmanager", needs, OPENED) as policy, Server(policy, now=NOW) as server:
            app = server.client("app")
            author = app.create(consumer(1))["id"]
            desk = staff(server, consumer(2), "ana.2@people.example", "moderation")
            app.consent(author, "community", "given", wording="Yes.").expect(201)
            sent = {"category": "content", "fields": {"title": "Planted desk", "kind": "story"}}
            app.post(f"/v1/subjects/{author}/publications", sent).expect(201)
            for path in ("/v1/reports", "/v1/waiting/content"):
                desk.get(path).refused("reason-missing", status=403, clause=r"^roles\.moderation\.reason$")
            page = desk.get("/staff/publications", Accept="text/html").expect(200).body.decode()
            check("Planted desk" not in page and 'name="reason"' in page, "the list is shown before it is said why")
            page = form(desk, "/staff/publications", csrf=desk.csrf, reason="queue of today").expect(200).body.decode()
            check("Planted desk" in page and 'value="queue of today"' in page, "the list is not shown once it is said why")
            check([why for actor, _, why in looks(server, author, "read") if actor == "moderation"] == ["queue of today"], "the reason is not told")

    @tests.test("looks: a role that must say why says it before each act as before each look, by every route")
    def acts():
        wrong, done = [], set()
        with altered("deskmanager", DESK) as policy, Server(policy, now=NOW) as server:
            app, routes = server.client("app"), Routes(server)
            document = sample.Document(server.operator().get("/v1/policy").expect(200).json["document"])
            desk = holder(server, "service_desk", opened(server, consumer(1), role="service_desk"))
            server.accept_charters()
            for number, row in enumerate(promise.person_routes(routes), 50):
                ident = app.create(sample.person(document, number))["id"]
                desk.headers = {}
                silent = promise.reached(desk, routes, document, row, ident)
                desk.headers = WHY
                said = promise.reached(desk, routes, document, row, ident)
                if said[0] < 400:
                    done.add(row["name"])
                    code = json.loads(silent[1])["code"] if silent[0] == 403 else ""
                    wrong += [f"{row['name']}: {silent}, and {said[0]} with a reason"] if code != "reason-missing" else []
        check(not wrong, "\n".join(wrong))
        must = {"subject_read", "subject_patch", "record_drop", "subject_close", "subject_erase", "objection_set", "objection_lift", "restriction_set",
                "restriction_lift", "event_add", "hold_create", "attachment_add", "transient_drop", "disclosure_make", "preference_list", "subject_access",
                "subject_looks", "subject_export", "subject_former", "consent_list", "disclosure_list", "folder_list"}
        check(must <= done, f"never done with a reason: {sorted(must - done)}")

    @tests.test("looks: what such a role makes or changes keeps the reason for the person, beside what the act says itself")
    def kept():
        with altered("deskmanager", DESK, OPENED) as policy, Server(policy, now=NOW) as server:
            desk = holder(server, "service_desk", opened(server, consumer(1), role="service_desk"))
            body = {"data": consumer(2), "source": "person"}
            desk.post("/v1/subjects", body).refused("reason-missing", status=403, clause=r"^roles\.service_desk\.reason$")
            ident = desk.post("/v1/subjects", body, **WHY).expect(201).json["id"]
            check(looks(server, ident, "subject.create") == [("service_desk", "", "ticket 4711")], f"{looks(server, ident, 'subject.create')}")
            row = {"purpose": "profile", "decision": "given", "wording": "Yes."}
            desk.post(f"/v1/subjects/{ident}/consents", row).refused("reason-missing", status=403)
            desk.post(f"/v1/subjects/{ident}/consents", row, **WHY).expect(201)
            check(looks(server, ident, "consent.given") == [("service_desk", "profile", "ticket 4711")], f"{looks(server, ident, 'consent.given')}")
            with_account = opened(server, consumer(3))
            note = {"date": "2026-11-01", "reference": "safe, shelf 4"}
            desk.post(f"/v1/accounts/{with_account}/agreement", note).refused("reason-missing", status=403)
            desk.post(f"/v1/accounts/{with_account}/agreement", note, **WHY).expect(200)
            seen = looks(server, with_account, "account.agreement")
            check(seen == [("service_desk", "", "ticket 4711")], f"the reason of an act with a note of its own: {seen}")

    @tests.test("looks: forms of staff that must say why ask for it, and keep it")
    def forms():
        with altered("deskmanager", DESK, OPENED) as policy, Server(policy, now=NOW) as server:
            desk = staff(server, consumer(1), "ana.1@people.example", "service_desk")
            ident = opened(server, consumer(2))
            here, asked = f"/staff/people/{ident}", {"purpose": "customer_service", "subject": "Your order", "contacts.motive": "order"}
            for path, fields, act in (("/agreement", {"date": "2026-11-01", "reference": "safe, shelf 5"}, "account.agreement"),
                                      ("/messages", {**asked, "text": "It left."}, "mail.queued"),
                                      ("/calls", asked, "contact.call"),
                                      ("/close", {}, "subject.close")):
                seen = form(desk, here + ("/contacts" if path in ("/messages", "/calls") else ""), purpose="customer_service", reason="ticket 4711")
                parts = seen.expect(200).body.decode().split(f'action="{here}{path}"')
                check(len(parts) == 1 and path == "/agreement" or 'name="reason"' in parts[-1].split("</form>")[0], f"{path} asks for no reason")
                silent = form(desk, here + path, **fields)
                check(silent.status == 403, f"{path} without a reason: {silent.status}")
                said = form(desk, here + path, **fields, reason="ticket 4711")
                said.expect(303)
                seen = [(actor, purpose if "purpose" in fields else "", why) for actor, purpose, why in looks(server, ident, act)]
                check(("service_desk", fields.get("purpose", ""), "ticket 4711") in seen, f"{act}: {seen}")

    @tests.test("looks: a certificate of erasure names its person's own controller, and is read, on record, by who erases in that tenant")
    def certificates():
        with Mailbox() as mailbox, Server("myownconference", tenant="myownconference", arguments=mailbox.arguments()) as server:
            server.operator().post("/v1/tenants/academy/staff", {}).expect(201)
            link = mailbox.wait("donnees@academie.example").links[0]
            token = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["token"][0]
            server.anyone().post("/v1/invitations/accept", {"token": token, "password": PASSWORD}).expect(200)
            owner = visitor(server, "donnees@academie.example", tenant="academy")
            program = Client(server.port, server.token("app", name="theirs", tenant="academy"))
            owner.post("/v1/tenant/tokens/theirs", {"decision": "accept"}).expect(204)
            made = program.erase(program.create({"visitor": {"name": "Gone"}}, source="customer")["id"])["certificate"]
            check((made["tenant"], made["controller"]) == ("academy", "Académie Exemple"), f"{made}")
            shown = program.get(f"/v1/certificates/{made['id']}", Accept="text/html").expect(200).body.decode()
            check("Académie Exemple" in shown and "Akovana" not in shown, "the page names another controller")
            server.client("app", tenant="myownconference").get(f"/v1/certificates/{made['id']}").refused("not-found", status=404)
        with Server("tests/hostile/people.yaml") as server:
            def data(name):
                return {"identity": {"first_name": "A", "last_name": "B"}, "contact": {"email": f"{name}@people.example"}}
            app, operator = server.client("app"), server.operator()
            ident = app.erase(app.create(data("gone"))["id"])["certificate"]["id"]
            opened(server, data("bob"))
            bob = visitor(server, "bob@people.example")
            for who, client, status, entries in (("another person", bob, 403, 1), ("a reader", server.client("reader"), 403, 1),
                                                 ("a recipient", server.client("carrier"), 403, 1), ("nobody", server.anyone(), 401, 0),
                                                 ("who erases", app, 200, 1), ("the operator", operator, 200, 1)):
                before = operator.post("/v1/journal/verify").expect(200).json["size"]
                answer = client.get(f"/v1/certificates/{ident}").expect(status)
                after = operator.post("/v1/journal/verify").expect(200).json["size"]
                check(after - before == entries, f"{who}: {after - before} entries")
                check(status == 200 or b"pseudonym" not in answer.body, f"{who} sees whose it is")

    @tests.test("looks: a command says why, and the person reads it")
    def commands():
        with Server("mxplorerplace", now=NOW) as server:
            ident = opened(server, portal(1))
            code, said = command(server, "subject", "access", ident, "--reason", "asked on the phone, ticket 4711")
            check(code == 0, said)
            check(looks(server, ident, "access") == [("operator", "", "asked on the phone, ticket 4711")], f"{looks(server, ident, 'access')}")
            code, said = command(server, "account", "close", ident, "--reason", "left, ticket 4712")
            seen = looks(server, ident, "subject.close")
            check(code == 0 and seen == [("operator", "closure", "left, ticket 4712")], f"{said} {seen}")

    @tests.test("looks: a role takes consents for its own purposes alone; what a person withdraws or objects to is taken by any of them")
    def consents():
        with Server("deskmanager", now=NOW) as server:
            app = server.client("app")
            team = holder(server, "campaigns", opened(server, consumer(1), role="campaigns"))
            ident = app.create(consumer(2))["id"]
            for decision in ("given", "refused"):
                team.consent(ident, "profile", decision, wording="Yes.").refused("forbidden", status=403, clause=r"^roles\.campaigns$")
                team.consent(ident, "marketing", decision, channel="email", wording="Yes.").expect(201)
            check(looks(server, ident, "consent.given") == [("campaigns", "marketing", None)], f"{looks(server, ident, 'consent.given')}")
            yes = {"decision": "given", "wording": "Yes."}
            both = [{"purpose": "marketing", "channel": "sms", **yes}, {"purpose": "profile", **yes}]
            team.post(f"/v1/subjects/{ident}/consents", both).refused("forbidden", status=403, clause=r"^roles\.campaigns$")
            app.consent(ident, "profile", wording="Yes.").expect(201)
            team.consent(ident, "profile", "withdrawn").expect(201)
            team.put(f"/v1/subjects/{ident}/objections/studies").expect(204)
            team.delete(f"/v1/subjects/{ident}/objections/studies").refused("forbidden", status=403, clause=r"^roles\.campaigns$")
            app.delete(f"/v1/subjects/{ident}/objections/studies").expect(204)
            made = app.create(consumer(3))
            team.post("/v1/subjects", {"data": consumer(4), "source": "person", "consents": [{"purpose": "profile", "decision": "given", "wording": "Yes."}]}) \
                .refused("forbidden", status=403)
            check(made["id"], "nobody was made")
