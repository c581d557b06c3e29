"""The whole person is held against the policy after any change, by every door: conditions of other categories, what an account needs, consent."""
import json, subprocess, tempfile
from browser import Browser
from garant import PROGRAM, TOP, Server, check
from identifiers import variant
from mailbox import Mailbox
from people import PASSWORD, Visitor, form, opened, registered, staff, visitor

NOW = "2026-11-23T09:00:00Z"
VALUES = "tests/front/values.yaml"
FIRM = (("      nick: {type: text, min: 2, max: 10}\n", "      nick: {type: text, min: 2, max: 10}\n      kind: {type: choice, choices: [person, firm]}\n"),
        ("  misc:\n    fields:\n      d:", "  firm:\n    fields:\n      vat: {type: text, required: true, when: {identity.kind: firm}}\n"
                                          "      maiden: {type: text, when: {identity.kind: person}}\n      note: {type: text}\n"
                                          "  jobs:\n    many: true\n    fields:\n      at: {type: time, required: true}\n"
                                          "      order: {type: text, when: {identity.kind: firm}}\n  misc:\n    fields:\n      d:"),
        ("categories: [identity, contact,", "categories: [identity, firm, jobs, contact,"))


def person(name, kind=None, **more):
    return {"identity": {"name": name, **({"kind": kind} if kind else {})}, "contact": {"email": f"{name.lower()}@ex.example"}, **more}


def register(tests):
    @tests.test("whole: a change of what others depend on is refused while they do not fit, whoever makes it")
    def conditions():
        with Mailbox() as mailbox, variant(VALUES, *FIRM) as policy, Server(policy, now=NOW, arguments=mailbox.arguments()) as server:
            app = server.client("app")
            needs = {"clause": r"^categories\.firm\.fields\.vat$", "status": 422}
            app.post("/v1/subjects", {"data": person("A", "firm"), "source": "person"}).refused("missing-field", **needs)
            app.post("/v1/subjects", {"data": person("A", firm={"vat": "FR1"}), "source": "person"}).refused("undeclared", **needs)
            ident = opened(server, person("A"))
            clerk = staff(server, person("Clerk"), "clerk@ex.example", "clerk")
            own = visitor(server, "a@ex.example")
            def everybody(patch, code, **refused):
                app.change(ident, "service", patch).refused(code, **refused)
                clerk.change(ident, "service", patch).refused(code, **refused)
                etag = f'"{own.get(f"/v1/subjects/{ident}/access").json["version"]}"'
                own.patch(f"/v1/subjects/{ident}", patch, etag=etag).refused(code, **refused)
                server.operator().patch(f"/v1/subjects/{ident}", patch, etag=etag).refused(code, **refused)
            everybody({"identity": {"kind": "firm"}}, "missing-field", field="firm.vat", **needs)
            version = own.get(f"/v1/subjects/{ident}/access").json["version"]
            page = form(own, "/me/edit/identity", csrf=own.csrf, version=version, **{"identity.name": "A", "identity.kind": "firm"})
            check(page.status == 422 and b"vat" in page.body, f"{page.status}")
            everybody({"firm": {"vat": "FR1"}}, "undeclared", **needs)
            app.change(ident, "service", {"identity": {"kind": "firm"}, "firm": {"vat": "FR1"}}).expect(200)
            everybody({"identity": {"kind": "person"}}, "undeclared", field="firm.vat", **needs)
            everybody({"identity": {"kind": None}}, "undeclared", **needs)
            app.delete(f"/v1/subjects/{ident}/records/firm").refused("missing-field", **needs)
            check(form(own, "/me/drop/firm", csrf=own.csrf, sure="yes").status == 422, "its person dropped what is needed")
            app.record(ident, "jobs", {"at": NOW, "order": "7"}).expect(201)
            everybody({"identity": {"kind": "person"}, "firm": {"vat": None}}, "undeclared", clause=r"^categories\.jobs\.fields\.order$")
            app.delete(f"/v1/subjects/{ident}/records/jobs").expect(204)
            app.change(ident, "service", {"identity": {"kind": "person"}, "firm": {"vat": None}}).expect(200)
            app.record(ident, "jobs", {"at": NOW, "order": "7"}).refused("undeclared", clause=r"^categories\.jobs\.fields\.order$")
            # What does not fit already, since the policy was another then, holds up no other change.
            app.change(ident, "service", {"misc": {"i": 3}}).expect(200)

    @tests.test("whole: by registration, by a table, by the operator opening an account")
    def doors():
        with Mailbox() as mailbox, variant(VALUES, *FIRM) as policy, Server(policy, now=NOW, arguments=mailbox.arguments()) as server:
            body = {"data": person("B", "firm"), "password": PASSWORD}
            server.anyone().post("/v1/accounts/register", body).refused("missing-field", status=422, field="firm.vat")
            server.operator().post("/v1/accounts", {"data": person("B", "firm"), "supplied_by": "person"}).refused("missing-field", field="firm.vat")
            app = server.client("app")
            sent = app.request("POST", "/v1/accounts/import?supplied_by=person&dry_run=true",
                               b"identity.name,identity.kind,contact.email,firm.vat\nB,firm,b@ex.example,\nC,firm,c@ex.example,FR2\nD,,d@ex.example,FR3\n",
                               {"Content-Type": "text/csv"}.items()).json["lines"]
            check([line["status"] for line in sent] == [422, 200, 422], f"{sent}")
            sent = app.request("POST", "/v1/batch", json.dumps({"requests": [{"method": "POST", "path": "/v1/subjects",
                               "body": {"data": person("E", "firm"), "source": "person"}}]}).encode(), {"Content-Type": "application/json"}.items())
            check(b"missing-field" in sent.body, f"{sent.status} {sent.body[:300]}")

    @tests.test("whole: what an account needs in one case only is asked for where the case is, by the person and by staff")
    def in_one_case():
        needs = ("needs: [identity.name, contact.email]", "needs: [identity.name, identity.kind, contact.email]")
        with Mailbox() as mailbox, variant(VALUES, *FIRM, needs) as policy, Server(policy, now=NOW, arguments=mailbox.arguments()) as server:
            page = Browser(server).get("/register").expect(200)
            asked = {field.get("name") for field in page.form("/register")["fields"]}
            check({"identity.kind", "firm.vat"} <= asked and not {"firm.maiden", "firm.note"} & asked, f"{asked}")
            def registers(name, **fields):
                body = {"identity.name": name, "contact.email": f"{name.lower()}@ex.example", **fields}
                return form(server.anyone(), "/register", csrf="", **body).status
            check(registers("E", **{"identity.kind": "firm"}) == 422, "a firm without what firms need")
            check(registers("F", **{"identity.kind": "firm", "firm.vat": "FR1"}) == 200 and mailbox.wait("f@ex.example"), "a firm cannot register")
            check(registers("G", **{"identity.kind": "person", "firm.vat": ""}) == 200 and mailbox.wait("g@ex.example"), "a person cannot register")
            clerk = staff(server, person("Clerk", "person"), "clerk@ex.example", "clerk")
            page = clerk.get("/staff/open", Accept="text/html").expect(200).body.decode()
            check('name="firm.vat"' in page, "staff are not asked for it")

    @tests.test("whole: an unfit past holds up no other change, and mending it in parts is allowed")
    def past():
        with tempfile.TemporaryDirectory() as folder:
            with Server(VALUES, now=NOW, data=folder + "/data") as server:
                ident = server.client("app").post("/v1/subjects", {"data": person("A"), "source": "person"}).expect(201).json["id"]
            login = "      login: {type: text, identifier: true}\n"
            later = ((login, login + "      town: {type: text, required: true}\n"),
                     ("version: \"1.0\"", "version: \"1.1\""))
            with variant(VALUES, *later) as policy, Server(policy, now=NOW, data=folder + "/data") as server:
                app = server.client("app")
                app.change(ident, "service", {"identity": {"nick": "aa"}}).expect(200)
                app.change(ident, "service", {"contact": {"phone": "+33612345678"}}).refused("missing-field", field="contact.town")
                app.change(ident, "service", {"contact": {"town": "Lyon"}}).expect(200)

    @tests.test("whole: what an account needs is not taken away while there is one")
    def needed():
        changes = (("needs: [identity.name, contact.email]", "needs: [identity.name, identity.nick, contact.email]"),)
        with variant(VALUES, *changes) as policy, Server(policy, now=NOW) as server:
            app = server.client("app")
            data = person("A", contact={"email": "a@ex.example", "login": "aaa"})
            data["identity"]["nick"] = "aa"
            ident = opened(server, data)
            own = visitor(server, "a@ex.example")
            app.change(ident, "service", {"identity": {"nick": None}}).refused("missing-field", clause=r"^accounts\.needs$", field="identity.nick")
            app.delete(f"/v1/subjects/{ident}/records/contact").refused("missing-field", clause=r"^accounts\.needs$", field="contact.email")
            server.operator().delete(f"/v1/subjects/{ident}/records/identity").refused("missing-field", clause=r"^accounts\.needs$")
            check(form(own, "/me/drop/identity", csrf=own.csrf, sure="yes").status == 422, "its person dropped what their account needs")
            bare = app.post("/v1/subjects", {"data": person("C"), "source": "person"}).expect(201).json["id"]
            app.delete(f"/v1/subjects/{bare}/records/contact").expect(204)

    @tests.test("whole: a manager and the operator open no account without the folders that it needs")
    def folders():
        with Server("mxplorerplace", now=NOW) as server:
            from accounts import FOLDERS, portal
            desk = staff(server, portal("desk"), "desk@regie.example", "account_staff")
            boss = staff(server, portal("boss"), "boss@regie.example", "manager")
            for who in (desk, boss, server.operator()):
                sent = who.post("/v1/accounts", {"data": portal("a"), "supplied_by": "manager", "invite": False})
                sent.refused("missing-field", status=422, clause=r"^accounts\.needs$", field="folders")
            for number, who in enumerate((desk, boss, server.operator())):
                sent = {"data": portal(f"p{number}"), "folders": FOLDERS, "supplied_by": "manager", "invite": False}
                made = who.post("/v1/accounts", sent).expect(201).json["id"]
                server.client("app").post("/v1/authorize", {"subject": made, "folder": FOLDERS[0]["folder"], "name": FOLDERS[0]["name"]}).expect(200)

    @tests.test("whole: nobody stores what needs a consent, not by the operator's socket, a file, or a person's own page")
    def consents():
        with Server("deskmanager", now=NOW) as server:
            app, mobile, operator = server.client("app"), server.client("mobile"), server.operator()
            data = {"contact": {"name": "Kes", "email": "kes@shop.example"}, "account": {"screen_name": "kes"}}
            ident = app.post("/v1/subjects", {"data": data, "source": "person"}).expect(201).json["id"]
            place = {"at": NOW, "device_id": "planted-device-0042", "latitude": 45.76, "longitude": 4.83}
            def etag():
                return app.get(f"/v1/subjects/{ident}/access").expect(200).json["version"]
            def refused(answer):
                answer.refused("consent-missing", status=403, clause=r"^(purposes|categories)\.")
            for who in (operator, app, mobile):
                refused(who.post(f"/v1/subjects/{ident}/records/mobile", {"fields": place, "source": "mobile_app"}))
            for who in (operator, app):
                refused(who.patch(f"/v1/subjects/{ident}", {"tastes": {"hobbies": "planted-hobby"}}, etag=f'"{etag()}"'))
            sent = operator.post(f"/v1/subjects/{ident}/attachments?category=tastes&name=a.txt", b"planted-hobby", **{"Content-Type": "text/plain"})
            refused(sent)
            done = subprocess.run([PROGRAM, "subject", "patch", ident, "--data", server.data], cwd=TOP, input=json.dumps({"tastes": {"hobbies": "x"}}),
                                  capture_output=True, text=True, timeout=60)
            check(done.returncode != 0, "by the command")
            # What is held already is corrected, consent or not (GDPR 16).
            app.consent(ident, "profile", "given").expect(201)
            operator.patch(f"/v1/subjects/{ident}", {"tastes": {"hobbies": "one"}}, etag=f'"{etag()}"').expect(200)
            operator.patch(f"/v1/subjects/{ident}", {"contact": {"phone": "+33612345678"}}, etag=f'"{etag()}"').expect(200)
            # While processing is restricted nothing more is stored, but what is wrong is corrected.
            app.put(f"/v1/subjects/{ident}/restriction", {"ground": "accuracy"}).expect(204)
            operator.patch(f"/v1/subjects/{ident}", {"contact": {"phone": "+33612345679"}}, etag=f'"{etag()}"').expect(200)
            operator.patch(f"/v1/subjects/{ident}", {"demographics": {"postcode": "69001"}}, etag=f'"{etag()}"').refused(status=403)
