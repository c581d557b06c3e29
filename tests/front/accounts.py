"""Accounts from outside: opened, invited, registered, approved, given roles and teams, imported, closed."""
import html, json, os, re, subprocess, tempfile
from garant import PROGRAM, TOP, Client, Server, check, garant
from mailbox import Mailbox, wait_for
from people import PASSWORD, Visitor, bcrypt, form, opened, visitor

NOW = "2026-11-22T10:00:00Z"


def kept_argon(memory, passes):
    return f"$argon2id$v=19$m={memory},t={passes},p=1$c29tZXNhbHRzb21l$0000000000000000000000000000000000000000000"


def portal(name, **contact):
    """A user of the portal, with all that an account needs but its folders."""
    return {"identity": {"first_name": "Marguerite", "last_name": "Duras"}, "contact": {"email": f"{name}@regie.example", **contact},
            "work": {"company": "Régie", "site": "Lyon"}}


def customer(name):
    return {"identity": {"first_name": "Thibault", "last_name": "Marchand"}, "contact": {"email": f"{name}@societe.example"}}


FOLDERS = [{"folder": "dossier", "name": "Audiences 2026", "why": "demande du responsable"}]


def token_of(link):
    return re.split("[/=]", link)[-1]


def accept(server, link, password=PASSWORD):
    return server.anyone().post("/v1/invitations/accept", {"token": token_of(link), "password": password})


def desk(server, role="account_staff", name="desk", data=None):
    """A member of staff: account, agreement on record, and a token that stands for them."""
    operator = server.operator()
    ident = opened(server, data or portal(name), role=role)
    operator.post(f"/v1/accounts/{ident}/agreement", {"date": "2026-11-01", "reference": "coffre, classeur 4"}).expect(200)
    return ident, holder(server, role, ident)


def holder(server, role, ident):
    made = server.operator().post("/v1/tokens", {"name": f"of-{ident[-8:].lower()}", "actor": role, "holder": ident}).expect(201).json
    return Client(server.port, made["token"], epoch=lambda: server.starts)


def register(tests):
    @tests.test("accounts: what one needs is named, and who may open it")
    def opening():
        with Server("mxplorerplace", now=NOW) as server:
            ident, staff = desk(server)
            half = portal("half")
            del half["work"]["site"], half["identity"]["first_name"]
            problem = staff.post("/v1/accounts", {"data": half, "supplied_by": "manager"}) \
                .refused("missing-field", status=422, clause=r"^accounts\.needs", promise="MX-02")
            check(all(word in problem["detail"] for word in ("identity.first_name", "work.site", "folders")), f"{problem}")
            check("contact.email" not in problem["detail"] and problem["field"] == "identity.first_name", f"{problem}")
            staff.post("/v1/accounts", {"data": portal("a"), "folders": FOLDERS}).refused("missing-field", status=422)
            staff.post("/v1/accounts", {"data": portal("a"), "folders": FOLDERS, "supplied_by": "rumour"}).refused("undeclared", status=422)
            made = staff.post("/v1/accounts", {"data": portal("a"), "folders": FOLDERS, "supplied_by": "manager"}).expect(201)
            check(made.headers["location"].endswith(made.json["id"]) and made.json["state"] == "invited" and "link" not in made.json,
                  f"{made.json}")
            staff.post("/v1/accounts", {"data": portal("a"), "folders": FOLDERS, "supplied_by": "manager"}).refused("conflict", status=409)
            staff.post("/v1/accounts", {"data": portal("b"), "folders": FOLDERS, "supplied_by": "person", "role": "analyst"}) \
                .refused("forbidden", status=403, clause=r"^roles\.analyst$")
            server.client("tracker").post("/v1/accounts", {"data": portal("b"), "supplied_by": "person", "folders": FOLDERS}) \
                .refused("forbidden", "purpose-refused", status=403)
            server.anyone().post("/v1/accounts", {"data": portal("b"), "supplied_by": "person"}).expect(401)
            server.anyone().post("/v1/accounts/register", {"data": portal("b"), "password": PASSWORD}) \
                .refused("forbidden", status=403, clause=r"^accounts\.opened_by")
            one = staff.get(f"/v1/accounts/{made.json['id']}").expect(200).json["account"]
            check(one["state"] == "invited" and one["opened_by"] == "account_staff" and one["sessions"] == 0, f"{one}")
            check('"password"' not in json.dumps(one) and "token" not in json.dumps(one), f"{one}")
            listed = staff.get("/v1/accounts?state=invited").expect(200).json
            check([row["id"] for row in listed["accounts"]] == [made.json["id"]] and listed["next"] is None, f"{listed}")
            check({row["id"] for row in staff.get("/v1/accounts").expect(200).json["accounts"]} == {ident, made.json["id"]}, "the list")
            file = server.client("app").get(f"/v1/subjects/{made.json['id']}/access").expect(200).json
            check(file["source"] == "manager" and file["account"]["state"] == "invited", f"{file['source']} {file['account']}")
            check([f["name"] for f in file["folders"]] == ["Audiences 2026"] and file["folders"][0]["allowed"], f"{file['folders']}")
            check("account.open" in [look["act"] for look in file["looks"]], f"{file['looks']}")

    @tests.test("accounts: an invitation works once, until its end, and dies with the next")
    def invitation():
        with Mailbox() as mailbox, Server("mxplorerplace", now=NOW, arguments=mailbox.arguments()) as server:
            ident, staff = desk(server)
            to = "zoe@regie.example"
            made = staff.post("/v1/accounts", {"data": portal("zoe"), "folders": FOLDERS, "supplied_by": "manager", "language": "fr"}).expect(201).json
            letter = mailbox.wait(to, "invitation")
            check("Le responsable hiérarchique" in letter.text and letter.headers["content-language"] == "fr", letter.text)
            told = mailbox.wait(to, "opened_by_other")
            check("Le responsable hiérarchique" in told.text and "/privacy" in told.text, told.text)
            first = letter.links[0]
            for wrong in (first[:-1] + ("A" if first[-1] != "A" else "B"), "x" * 43, ""):
                accept(server, wrong).refused("not-found", status=404)
            staff.post(f"/v1/accounts/{made['id']}/invite").expect(200)
            second = mailbox.wait(to, "invitation", count=2).links[0]
            gone = accept(server, first).refused("not-found", status=404)
            accept(server, second, "court").refused("weak-password", status=422)
            server.advance(hours=71, minutes=59)
            accept(server, second).expect(200)
            check(accept(server, second).refused("not-found", status=404)["detail"] == gone["detail"], "a used link is told apart")
            zoe = visitor(server, to)
            check(zoe.id == made["id"], "somebody else signed in")
            staff.post(f"/v1/accounts/{made['id']}/invite").refused("conflict", status=409)
            server.operator().post(f"/v1/accounts/{ident}/invite").refused("conflict", status=409)
            late = server.operator().post("/v1/accounts", {"data": portal("late"), "supplied_by": "person", "role": "manager"})
            server.advance(hours=72, seconds=1)
            accept(server, late.expect(201).json["link"]).refused("not-found", status=404)

    @tests.test("accounts: a manager's team, and nobody else")
    def team():
        with Server("mxplorerplace", now=NOW) as server:
            desk_id, staff = desk(server)
            boss = opened(server, portal("boss"), role="manager")
            other = opened(server, portal("other"), role="manager")
            manager, stranger = holder(server, "manager", boss), holder(server, "manager", other)
            made = manager.post("/v1/accounts", {"data": portal("a"), "folders": FOLDERS, "supplied_by": "manager"}).expect(201).json["id"]
            check(manager.get(f"/v1/accounts/{made}").expect(200).json["account"]["managers"] == [boss], "not in the manager's team")
            page = html.unescape(server.operator().export(made)[0]["index.html"].decode())
            row = re.search(r"In the team of</th><td>(.*?)</td>", page)
            check(row and row[1] and boss not in page, f"whose team, in the export: {row and row[0]}")
            check([row["id"] for row in manager.get("/v1/accounts").expect(200).json["accounts"]] == [made], "the team's list")
            check(stranger.get("/v1/accounts").expect(200).json["accounts"] == [], "another team is listed")
            stranger.get(f"/v1/accounts/{made}").refused("not-found", status=404)
            stranger.read(made, "access_rights").refused("not-found", status=404)
            manager.read(made, "access_rights").expect(200)
            manager.put(f"/v1/accounts/{made}/manager", {"manager": other}).refused("forbidden", status=403)
            staff.put(f"/v1/accounts/{made}/manager", {"manager": desk_id}).refused("invalid-value", status=422)
            staff.put(f"/v1/accounts/{made}/manager", {"manager": other}).expect(204)
            manager.get(f"/v1/accounts/{made}").refused("not-found", status=404)
            stranger.get(f"/v1/accounts/{made}").expect(200)
            server.client("app").erase(other)
            stranger.get(f"/v1/accounts/{made}").refused("unauthorised", status=401)
            check(staff.get(f"/v1/accounts/{made}").expect(200).json["account"]["managers"] == [], "the team of an erased manager is still there")
            server.client("manager").post("/v1/accounts", {"data": portal("b"), "folders": FOLDERS, "supplied_by": "manager"}).refused("forbidden", status=403)

    @tests.test("accounts: a role is the operator's to give, and stays closed until the agreement is recorded")
    def roles():
        with Server("mxplorerplace", now=NOW) as server:
            operator, app = server.operator(), server.client("app")
            ident = opened(server, portal("new"), role="account_staff")
            person = app.create(portal("p"))["id"]
            staff = holder(server, "account_staff", ident)
            staff.read(person, "service").refused("forbidden", status=403, clause=r"^roles\.account_staff")
            for body in ({"date": "2026-11-23", "reference": "x"}, {"date": "hier", "reference": "x"}):
                operator.post(f"/v1/accounts/{ident}/agreement", body).refused("invalid-value", status=422)
            operator.post(f"/v1/accounts/{ident}/agreement", {"date": "2026-11-20", "reference": ""}).refused("missing-field", status=422)
            staff.post(f"/v1/accounts/{ident}/agreement", {"date": "2026-11-20", "reference": "x"}).refused("forbidden", status=403)
            operator.post(f"/v1/accounts/{ident}/agreement", {"date": "2026-11-20", "reference": "x"}).expect(200)
            staff.read(person, "service").expect(200)
            app.put(f"/v1/accounts/{person}/role", {"role": "analyst"}).refused("forbidden", status=403)
            operator.put(f"/v1/accounts/{person}/role", {"role": "analyst"}).refused("not-found", status=404)
            operator.put(f"/v1/accounts/{ident}/role", {"role": "app"}).refused("undeclared", status=422)
            _, analyst = desk(server, "analyst", "analyst")
            for path in ("/v1/accounts", f"/v1/accounts/{ident}"):
                analyst.get(path).refused("reason-missing", status=403, clause=r"^roles\.analyst\.reason$")
            analyst.get(f"/v1/accounts/{ident}", **{"Garant-Reason": "ticket 4711"}).expect(200)
            looks = app.get(f"/v1/subjects/{ident}/access").expect(200).json["looks"]
            check([look.get("reason") for look in looks if look["act"] == "account.read" and look["actor"] == "analyst"] == ["ticket 4711"], f"{looks}")
            operator.put(f"/v1/accounts/{ident}/role", {"role": None}).expect(204)
            staff.read(person, "service").refused("unauthorised", status=401)
            operator.post("/v1/tokens", {"name": "again", "actor": "account_staff", "holder": ident}).refused("invalid-value", status=422)

    @tests.test("accounts: registration tells nobody whether an address is known")
    def registration():
        with Mailbox() as mailbox, Server("site-fr", now=NOW, arguments=mailbox.arguments()) as server:
            anyone = server.anyone()
            def new(email, password=PASSWORD):
                return anyone.post("/v1/accounts/register", {"data": {"identity": {"last_name": "Colin", "first_name": "Anne"},
                    "contact": {"email": email}}, "password": password, "language": "fr"})
            first = new("anne@site.example").expect(202)
            confirm = mailbox.wait("anne@site.example", "identifier_confirm").links[0]
            Visitor(server).post("/v1/session", {"identifier": "anne@site.example", "password": PASSWORD}).expect(401)
            # Who gets the letter must know what was typed: else a stranger's password would open an account at their address.
            for other in ({"password": "Stranger-Word 41 here!"}, {}, {"password": ""}):
                anyone.post("/v1/registrations/confirm", {"token": token_of(confirm), **other}).refused("invalid-value", "missing-field", status=422)
            anyone.post("/v1/registrations/confirm", {"token": token_of(confirm), "password": PASSWORD}).expect(200)
            anyone.post("/v1/registrations/confirm", {"token": token_of(confirm), "password": PASSWORD}).refused("not-found", status=404)
            anne = visitor(server, "anne@site.example")
            second = new("Anne@Site.example", "Autre-Mot 77 de Passe!").expect(202)
            check(first.body == second.body, "the answers differ")
            check("/signin" in mailbox.wait("anne@site.example", "known_address").links[0], "the owner is not told")
            Visitor(server).post("/v1/session", {"identifier": "anne@site.example", "password": "Autre-Mot 77 de Passe!"}).expect(401)
            new("anne@site.example", "court").refused("weak-password", status=422)
            anyone.post("/v1/accounts/register", {"data": {"identity": {"last_name": "C"}}, "password": PASSWORD}).expect(422)
            # One who mistyped the password registers again; what was not confirmed gives way, and its link is dead.
            new("paul@site.example", "Premier-Mot 11 Oublié!").expect(202)
            old = mailbox.wait("paul@site.example", "identifier_confirm").links[0]
            new("paul@site.example").expect(202)
            fresh = mailbox.wait("paul@site.example", "identifier_confirm", count=2).links[0]
            anyone.post("/v1/registrations/confirm", {"token": token_of(old), "password": PASSWORD}).refused("not-found", status=404)
            # Nobody confirms: gone after 72 hours, and the address is free.
            before = server.operator().get("/v1/accounts?state=invited").expect(200).json["accounts"]
            check(len(before) == 1, f"{before}")
            server.advance(hours=72, seconds=1)
            anyone.post("/v1/registrations/confirm", {"token": token_of(fresh), "password": PASSWORD}).refused("not-found", status=404)
            server.sweep()
            check(server.operator().get("/v1/accounts?state=invited").expect(200).json["accounts"] == [], "an unconfirmed registration stays")
            new("paul@site.example").expect(202)
            mailbox.wait("paul@site.example", "identifier_confirm", count=3)

    @tests.test("accounts: registrations are slowed down by address")
    def paced():
        with Server("site-fr") as server:
            body = {"data": {"identity": {"last_name": "Colin"}, "contact": {"email": "x@site.example"}}, "password": "court"}
            seen = {server.anyone().post("/v1/accounts/register", body).status for _ in range(30)}
            check(429 in seen, f"{seen}")

    @tests.test("accounts: staff approve or refuse where the policy asks")
    def approval():
        with Mailbox() as mailbox, Server("myportal", now=NOW, arguments=mailbox.arguments()) as server:
            app, anyone = server.client("app"), server.anyone()
            def come(name):
                anyone.post("/v1/accounts/register", {"data": customer(name), "password": PASSWORD, "language": "en"}).expect(202)
                link = mailbox.wait(f"{name}@societe.example", "identifier_confirm").links[0]
                return anyone.post("/v1/registrations/confirm", {"token": token_of(link), "password": PASSWORD}).expect(200).json["state"]
            quoted = {"data": {**customer("quoted"), "testimonial": {"quote": "Un bon outil.", "signed": "T. M."}}, "password": PASSWORD}
            anyone.post("/v1/accounts/register", quoted).refused("consent-missing", status=403, clause=r"^categories\.testimonial$")
            anyone.post("/v1/accounts/register", {**quoted, "consents": {"purpose": "testimonials", "decision": "given"}}).expect(202)
            check(come("good") == "awaiting" and come("bad") == "awaiting", "open without approval")
            mailbox.wait("good@societe.example", "awaiting_approval")
            Visitor(server).post("/v1/session", {"identifier": "good@societe.example", "password": PASSWORD}).expect(401)
            listed = {row["id"] for row in app.get("/v1/accounts?state=awaiting").expect(200).json["accounts"]}
            waiting = [app.lookup({"contact.email": f"{name}@societe.example"}, "service").expect(200).json["id"] for name in ("good", "bad")]
            check(listed == set(waiting), f"{listed}")
            server.anyone().post(f"/v1/accounts/{waiting[0]}/approve").expect(401)
            app.post(f"/v1/accounts/{waiting[0]}/approve").expect(200)
            app.post(f"/v1/accounts/{waiting[1]}/refuse").expect(200)
            app.post(f"/v1/accounts/{waiting[1]}/approve").refused("conflict", status=409)
            mailbox.wait("good@societe.example", "approved")
            mailbox.wait("bad@societe.example", "refused_account")
            visitor(server, "good@societe.example")
            Visitor(server).post("/v1/session", {"identifier": "bad@societe.example", "password": PASSWORD}).expect(401)
            server.sweep()
            check(len(app.get("/v1/accounts?state=refused").expect(200).json["accounts"]) == 1, "gone before the letter")
            # Who was refused is not kept for longer than the letter that says so.
            server.advance(days=8)
            wait_for(lambda: server.sweep() and not app.get("/v1/accounts?state=refused").expect(200).json["accounts"])
            visitor(server, "good@societe.example")

    @tests.test("accounts: an address is changed when the new one confirms it, and the former one is told")
    def identifier():
        with Mailbox() as mailbox, Server("myportal", now=NOW, arguments=mailbox.arguments()) as server:
            app = server.client("app")
            ident = opened(server, customer("old"))
            person = visitor(server, "old@societe.example")
            own = person.get(f"/v1/subjects/{ident}/access").expect(200)
            etag = f'"{own.json["version"]}"'
            person.patch(f"/v1/subjects/{ident}", {"contact": {"email": "quick@societe.example"}}, etag=etag).refused("conflict", status=409)
            person.post("/v1/me/identifier", {"field": "identity.last_name", "value": "x"}).refused("undeclared", status=422)
            person.post("/v1/me/identifier", {"field": "contact.email", "value": "no address"}).refused("invalid-value", status=422)
            person.post("/v1/me/identifier", {"field": "contact.email", "value": "new@societe.example"}).expect(202)
            person.post("/v1/me/identifier", {"field": "contact.email", "value": "more@societe.example"}).refused("too-many-requests", status=429)
            link = mailbox.wait("new@societe.example", "identifier_confirm").links[0]
            mailbox.none_within(0.3, "old@societe.example", "identifier_changed")
            visitor(server, "old@societe.example")
            server.anyone().post("/v1/identifier/confirm", {"token": token_of(link)}).expect(200)
            server.anyone().post("/v1/identifier/confirm", {"token": token_of(link)}).refused("not-found", status=404)
            mailbox.wait("old@societe.example", "identifier_changed")
            visitor(server, "new@societe.example")
            Visitor(server).post("/v1/session", {"identifier": "old@societe.example", "password": PASSWORD}).expect(401)
            former = app.get(f"/v1/subjects/{ident}/former").expect(200).json["former"]
            check([(row["field"], row["value"]) for row in former] == [("email", "old@societe.example")], f"{former}")
            opened(server, customer("taken"))
            server.advance(minutes=2)
            person.post("/v1/me/identifier", {"field": "contact.email", "value": "taken@societe.example"}).expect(202)
            link = mailbox.wait("taken@societe.example", "identifier_confirm").links[0]
            server.anyone().post("/v1/identifier/confirm", {"token": token_of(link)}).refused("conflict", status=409)
            server.advance(minutes=16)
            person.post("/v1/me/identifier", {"field": "contact.email", "value": "third@societe.example"}).refused("reauthenticate", status=403)

    @tests.test("accounts: who closes theirs is out of reach at once")
    def closing():
        with Mailbox() as mailbox, Server("deskmanager", now=NOW, arguments=mailbox.arguments()) as server:
            app = server.client("app")
            data = {"account": {"screen_name": "kestrel"}, "contact": {"name": "Kes Trel", "email": "kes@shop.example"}}
            registration = {"data": data, "password": PASSWORD, "language": "en"}
            def join():
                server.anyone().post("/v1/accounts/register", registration).expect(202)
                link = mailbox.wait("kes@shop.example", "identifier_confirm", count=len(mailbox.find("kes@shop.example", "closed")) + 1).links[0]
                server.anyone().post("/v1/registrations/confirm", {"token": token_of(link), "password": PASSWORD}).expect(200)
                return visitor(server, "kes@shop.example")
            person = join()
            other = visitor(server, "kes@shop.example")
            server.advance(minutes=16)
            for path, body in (("/v1/me/close", None), (f"/v1/subjects/{person.id}/close", None),
                               (f"/v1/subjects/{person.id}/events", {"event": "closure"})):
                person.post(path, body).refused("reauthenticate", "forbidden", status=403)
            person.post("/v1/session/proof", {"password": PASSWORD}).expect(204)
            person.post("/v1/me/close").expect(204)
            for client in (person, other):
                client.get("/v1/session").expect(401)
            Visitor(server).post("/v1/session", {"identifier": "kes@shop.example", "password": PASSWORD}).expect(401)
            app.read(person.id, "account").refused("not-found", status=404)
            app.get(f"/v1/accounts/{person.id}").refused("not-found", status=404)
            app.post(f"/v1/subjects/{person.id}/close").refused("not-found", status=404)
            mailbox.wait("kes@shop.example", "closed")
            check(join().id != person.id, "the address is not free, though the policy reserves none")

    @tests.test("accounts: a table is imported line by line, and each fault has its line and field")
    def table():
        with Server("myportal", now=NOW) as server:
            app = server.client("app")
            app.create(customer("known"))
            lines = ["identity.first_name;identity.last_name;contact.email;company.name;language",
                     "Ana;Pereira;ana@societe.example;\"Société \"\"A\"\";\nfils\";fr",
                     "Léo;Petit;known@societe.example;;",
                     "Zoé;;zoe@societe.example;;",
                     "Max;Weber;no address;;",
                     "Ida;Rossi;ANA@societe.example;;",
                     "Eva;Lind",
                     "",
                     "Joe;\"Quote",]
            body = ("\ufeff" + "\r\n".join(lines)).encode()
            answer = app.request("POST", "/v1/accounts/import?supplied_by=paper", body, {"Content-Type": "text/csv"}.items()).expect(207).json
            got = [(line["line"], line["status"], line.get("field")) for line in answer["lines"]]
            check(got == [(2, 201, None), (4, 409, "contact.email"), (5, 422, "identity.last_name"), (6, 422, "contact.email"),
                          (7, 409, "contact.email"), (8, 422, None), (10, 422, None)], f"{answer['lines']}")
            check(answer["opened"] == 1 and answer["refused"] == 6 and "line 2" in answer["lines"][4]["detail"], f"{answer}")
            check("societe.example" not in json.dumps(answer), "values are said again")
            held = app.read(answer["lines"][0]["id"], "service").expect(200).json["data"]
            check(held["company"]["name"] == "Société \"A\";\nfils" and held["identity"]["first_name"] == "Ana", f"{held}")
            for header in ("identity.first_name;identity.religion\nA;B", "", "contact.email,contact.email\na,b"):
                check(app.request("POST", "/v1/accounts/import", header.encode(), {"Content-Type": "text/csv"}.items()).status == 422, header)
            app.request("POST", "/v1/accounts/import", b"x", {"Content-Type": "text/html"}.items()).expect(415)
            app.request("POST", "/v1/accounts/import", b"contact.email\n\xe9\x81", {"Content-Type": "text/csv"}.items()).expect(422)
            rows = "identity.last_name,contact.email\n" + "".join(f"Nom{n},p{n}@societe.example\n" for n in range(10_001))
            app.request("POST", "/v1/accounts/import?supplied_by=paper", rows.encode(), {"Content-Type": "text/csv"}.items()).expect(413)
            listed = app.post("/v1/accounts/import", {"accounts": [{"data": customer("j1"), "supplied_by": "paper"}, {"data": customer("j1"),
                "supplied_by": "paper"}, {"data": {}}]}).expect(207).json
            check([line["status"] for line in listed["lines"]].count(201) == 1 and listed["opened"] == 1, f"{listed}")
            odd = [1, None, "x", [], {"data": []}, {"data": 5, "supplied_by": "paper"}, {"data": {"identity": 5}, "supplied_by": "paper"},
                   {"data": {"identity": ["x"], "contact": None}, "supplied_by": "paper"}, {"data": customer("odd"), "supplied_by": ["paper"]},
                   {"data": customer("odd"), "supplied_by": "paper", "folders": 5, "consents": 7}]
            strange = app.post("/v1/accounts/import", {"accounts": odd}).expect(207).json
            check(strange["opened"] == 0 and {line["status"] for line in strange["lines"]} <= {400, 409, 422}, f"{strange}")

    @tests.test("accounts: tables as Excel, LibreOffice, HubSpot, Mailchimp, Google and Entra write them")
    def foreign():
        with Server("tests/front/values.yaml") as server:
            app = server.client("app")

            def send(body, query="", status=207):
                body = body if isinstance(body, bytes) else body.encode()
                return app.request("POST", "/v1/accounts/import?supplied_by=person&invite=false" + query, body,
                                   {"Content-Type": "text/csv"}.items()).expect(status).json

            def one(body, **wanted):
                """Opens one person, and compares what is held of them."""
                answer = send(body)
                check(answer["opened"] == 1 and answer["refused"] == 0, f"{body!r}: {answer}")
                held = app.read(answer["lines"][0]["id"], "service").expect(200).json["data"]
                held = {**held["identity"], **held["contact"], **held.get("misc", {})}
                check({k: held.get(k) for k in wanted} == wanted, f"{body!r}: {held}")
            one("identity.name;contact.email;;\r\nA;b1@ex.example;;\r\n;;;\r\n", name="A")
            one("identity.name;contact.email;misc.txt\r\nA;b2@ex.example\r\n", name="A", txt=None)
            one("Nom affich\u00e9;E-mail\r\nZo\u00e9;b3@ex.example\r\n".encode("cp1252"), name="Zo\u00e9")
            one("sep=|\nNom complet|Adresse e-mail\nA|b4@ex.example\n", name="A")
            one("Name\tEmail Address\tMobile phone\rA\tb5@ex.example\t06 12 34 56 78\r".encode("utf-16"), name="A", phone="06 12 34 56 78")
            one("identity.name;contact.email;misc.n;misc.b;misc.d;misc.txt\r\nA;b6@ex.example;12,5;VRAI;31/12/2026;\"1 rue A\r\nLyon\"\r\n",
                n=12.5, b=True, d="2026-12-31", txt="1 rue A\nLyon")
            one("sep=;;;\r\nidentity.name;contact.email;\r\nA;b15@ex.example;\r\n", name="A")
            one("\ufeffSEP=\t\r\nidentity.name\tcontact.email\r\nA\tb16@ex.example\r\n", name="A")
            one("sep=;\r\nidentity.name;contact.email\r\n\u00c9;b17@ex.example\r\n".encode("utf-16"), name="\u00c9")
            one("version:v1.0,\nName [displayName] Required,Mail [mail] Required\nA,b18@ex.example\n", name="A", email="b18@ex.example")
            one("identity.name\u00a0;;Identity.Nick;CONTACT.EMAIL\r\nA;;zed;b19@ex.example\r\n", name="A", nick="zed")
            one("identity.name;contact.email\r\nA;b20@ex.example\r\n".encode("utf-16-le"), name="A")
            one('\r\n;;\r\n"identity.name";"E-mail\r\nAddress"\r\nA;b21@ex.example\r\n', email="b21@ex.example")
            one("identity.name;contact.email\r\nA;Doe, Ann <b22@ex.example>\r\n\x1a", email="b22@ex.example")
            one('Display name,User principal name,Mail\nA,zed,b7@ex.example\n', name="A", login="zed", email="b7@ex.example")
            one('identity.name,contact.email,misc.txt\nA,b8@ex.example,screen 24" wide\n', txt='screen 24" wide')
            # What a spreadsheet or a program puts around a value is not of it.
            cells = [("misc.d", "2026/12/31", "2026-12-31"), ("misc.d", "2026-12-31T00:00:00.000Z", "2026-12-31"),
                     ("misc.d", "31/12/2026 00:00:00", "2026-12-31"), ("misc.d", "31 December 2026", "2026-12-31"),
                     ("misc.d", "1er mars 2026", "2026-03-01"), ("misc.d", "3 f\u00e9vr. 2026", "2026-02-03"), ("misc.d", "December 31st, 2026", "2026-12-31"),
                     ("misc.d", "15 AO\u00dbT 2026", "2026-08-15"), ("misc.d", "15 aout 2026", "2026-08-15"),
                     ("misc.b", "vero", True), ("misc.b", "s\u00ed", True), ("misc.b", "\u2713", True), ("misc.b", "fa\u0142sz", False),
                     ("misc.txt", "'+33 6", "+33 6"), ("misc.txt", "'=1+1", "=1+1"), ("misc.txt", '="0033"', "0033"), ("misc.txt", "'90s music", "'90s music"),
                     ("misc.txt", '="a"&"b"', '="a"&"b"'),
                     ("misc.c", "France", "FR"), ("misc.c", "\u00c9tats-Unis", "US"), ("misc.c", "DEU", "DE"), ("misc.c", "United Kingdom", "GB"),
                     ("misc.ch", "YES", "yes"), ("misc.ch", "ile-de-france", "\u00cele-de-France"), ("misc.ch", "No ", "no"),
                     ("misc.u", "www.ex.example/a", "https://www.ex.example/a"), ("misc.u", "Ex.Example", "https://ex.example"),
                     ("misc.t", "31/12/2026 14:05", "2026-12-31T14:05:00+01:00"), ("misc.t", "2026-07-01 14:05:09", "2026-07-01T14:05:09+02:00"),
                     ("misc.t", "2026-07-01T14:05:09.5+0200", "2026-07-01T14:05:09.5+02:00"), ("misc.t", "2026-07-01 14:05:09 UTC", "2026-07-01T14:05:09Z"),
                     ("misc.t", "1 juillet 2026 9:05 PM", "2026-07-01T21:05:00+02:00"), ("misc.t", "2026-07-01 12:05 am", "2026-07-01T00:05:00+02:00"),
                     ("misc.t", "2026-03-29 01:30", "2026-03-29T01:30:00+01:00"), ("misc.t", "2026-03-29 03:30", "2026-03-29T03:30:00+02:00"),
                     ("misc.iban", "MA64 0115 1900 0001 2050 0053 4921", "MA64011519000001205000534921"),
                     ("contact.phone", "sms:+33612345601", "+33612345601")]
            for number, (field, typed, wanted) in enumerate(cells):
                quoted = '"' + typed.replace('"', '""') + '"'
                one(f"identity.name;contact.email;{field}\r\nA;c{number}@ex.example;{quoted}\r\n", **{field.partition(".")[2]: wanted})
            for typed in ("12/31/2026", "31/12/26", "2026-12-31T10:00:00Z", "2026/13/01", "46387", "3 jui 2026", "31 f\u00e9vrier 2026",
                          "3 marsch 2026", "mars 2026", "3 mars avril 2026", "3 3 mars 2026"):
                check(send(f"identity.name;contact.email;misc.d\nA;no@ex.example;{typed}\n")["refused"] == 1, f"{typed} is a day")
            for typed in ("2026-12-31 25:00", "2026-12-31 10:61", "2026-12-31 13:00 PM", "2026-12-31 10:00 CET", "31/12/26 10:00", "10:00"):
                check(send(f"identity.name;contact.email;misc.t\nA;no@ex.example;{typed}\n")["refused"] == 1, f"{typed} is a moment")
            # A column with one day that can only have its month first: its other days are not guessed.
            doubt = send("identity.name;contact.email;misc.d\nA;e1@ex.example;03/04/2026\nB;e2@ex.example;12/31/2026\nC;e3@ex.example;05/05/2026\n"
                         "D;e4@ex.example;31/01/2026\n")["lines"]
            check([line["status"] for line in doubt] == [422, 422, 201, 201] and doubt[0]["column"] == 3 and "day or month first" in doubt[0]["detail"],
                  f"{doubt}")
            warned = send('identity.name,contact.email,misc.txt\nA,b9@ex.example,"quoted ""well"""\nB,b10@ex.example,19" rack\nC,b11@ex.example,"a"b\n')
            check([line.get("warning", "")[:16] for line in warned["lines"]] == ["", "line 3, column 3", "line 4, column 3"], f"{warned['lines']}")
            table = os.path.join(server.folder, "inch.csv")
            with open(table, "w", encoding="utf-8") as file:
                file.write('identity.name,contact.email,misc.txt\nA,b12@ex.example,x\nB,b13@ex.example,24" wide\nC,b14@ex.example,30" wide\n')
            done = server.run("account", "import", table, "--supplied-by", "person", "--no-invitation", "--json", ok=None)
            check(done.returncode == 0 and "line 3, column 3: a quote" in json.loads(done.stderr)["detail"]
                  and "1 lines more" in json.loads(done.stderr)["detail"], f"{done.stdout} {done.stderr}")
            # A column is chosen, proposed, or complained of; all of them at once.
            odd = send("Full name,E-mail,Marital status,contact.emial,misc.religion\nA,c@ex.example,x,y,z\n", status=422)
            check(all(word in odd["detail"] for word in ("column 3", "column 4", "contact.email", "column 5")), f"{odd}")
            check("Marital" not in json.dumps(odd), "a heading is said again")
            chosen = send("Full name,E-mail,Marital status,x,y\nA,c@ex.example,single,1,2\n", "&map=Marital%20status%3Dmisc.txt%2C4%3D-%2C*%3D-&dry_run=true")
            check([(c.get("field"), c["how"]) for c in chosen["columns"]] == [("identity.name", "proposed"), ("contact.email", "proposed"),
                  ("misc.txt", "chosen"), (None, "left"), (None, "left")], f"{chosen}")
            send("E-mail,Courriel\na@ex.example,b@ex.example\n", status=422)
            # A dry run tells and writes nothing; every fault of a line is told at once.
            table = ("identity.name;contact.email;misc.n;misc.d\nA;d1@ex.example;1;\n;nobody;much;never\nB;b8@ex.example;;\nC;d1@ex.example;;\n")
            dry = send(table, "&dry_run=true")
            check(dry["dry_run"] and (dry["opened"], dry["refused"]) == (1, 3) and all("id" not in line for line in dry["lines"]), f"{dry}")
            faults = [(f.get("column"), f["field"]) for f in dry["lines"][1]["faults"]]
            check(dry["lines"][1]["line"] == 3 and set(faults) == {(2, "contact.email"), (3, "misc.n"), (4, "misc.d")}, f"{dry['lines']}")
            check([(line["line"], line.get("column")) for line in dry["lines"][2:]] == [(4, 2), (5, 2)], f"{dry['lines']}")
            check((send(table)["opened"], send(table, "&line=40")["lines"][0]["line"]) == (1, 40), "the dry run wrote, or lines are miscounted")

    @tests.test("accounts: passwords come along as other programs kept them, and are made anew at the first sign-in")
    def hashes():
        with Mailbox() as mailbox, Server("tests/front/values.yaml", arguments=mailbox.arguments()) as server:
            kept = {"z1": bcrypt("Trombone-Lichen 42 Kestrels!"),
                    "z2": "$argon2id$v=19$m=19456,t=2,p=2$c29tZXNhbHRzb21l$0000000000000000000000000000000000000000000",
                    "z3": "5f4dcc3b5aa765d61d8327deb882cf99", "z4": "$2b$31$abcdefghijklmnopqrstuupkvHj1c6E382bN8hwXRlu1xE4bc1pgG",
                    "z5": bcrypt("Trombone-Lichen 42 Kestrels!", 9), "z6": kept_argon(6 << 10, 6), "z7": kept_argon(7 << 10, 4),
                    "z8": kept_argon(7 << 10, 5), "weak": bcrypt("secret")}
            with tempfile.NamedTemporaryFile("w", suffix=".csv", dir=server.folder, delete=False) as file:
                file.write("identity.name;contact.email;password_hash\n" + "".join(f"A;{k}@ex.example;{v}\n" for k, v in kept.items()))
            done = subprocess.run([PROGRAM, "account", "import", file.name, "--supplied-by", "person", "--data", server.data, "--json"],
                                  cwd=TOP, capture_output=True, text=True, timeout=60)
            lines = json.loads(done.stdout)["lines"]
            check([(x["status"], x.get("column")) for x in lines] == [(201, None), (201, None), (422, 3), (422, 3),
                                                                             (422, 3), (422, 3), (422, 3), (201, None), (201, None)], f"{lines}")
            check("invite the person" in lines[4]["detail"], f"{lines[4]}")
            for _ in range(2):                    # as it came, and made anew
                server.anyone().post("/v1/session", {"identifier": "z1@ex.example", "password": "Trombone-Lichen 42 Kestrels!"}).expect(200)
            # Right, and weaker than the policy asks: it opens nothing, by the API and on the page, and is not made anew; a wrong one tells nothing.
            for _ in range(2):
                problem = server.anyone().post("/v1/session", {"identifier": "weak@ex.example", "password": "secret"}).refused("weak-password")
                check("length" in problem["missing"] and "choose a new one" in problem["detail"], f"{problem}")
            server.anyone().post("/v1/session", {"identifier": "weak@ex.example", "password": "secrets"}).expect(401)
            page = form(server.anyone(), "/signin", identifier="weak@ex.example", password="secret")
            check(page.status != 303 and b"set-cookie" not in page.body, f"{page.status}")
            server.anyone().post("/v1/password/reset", {"identifier": "weak@ex.example"}).expect(202)
            link = mailbox.wait("weak@ex.example").links[0]
            server.anyone().post("/v1/password/reset/confirm", {"token": token_of(link), "password": PASSWORD}).expect(204)
            visitor(server, "weak@ex.example")
            server.anyone().post("/v1/session", {"identifier": "z1@ex.example", "password": "U*U"}).expect(401)
            server.anyone().post("/v1/session", {"identifier": "z2@ex.example", "password": "U*U*U"}).expect(401)
            body = ("identity.name;contact.email;password_hash\nA;z9@ex.example;" + kept["z1"]).encode()
            refused = server.client("app").request("POST", "/v1/accounts/import?supplied_by=person", body, {"Content-Type": "text/csv"}.items())
            check(refused.expect(207).json["lines"][0]["status"] == 403, f"{refused.json}")

    @tests.test("accounts: from the command line")
    def commands():
        with Server("myportal", now=NOW) as server:
            def run(*words, given=None):
                done = subprocess.run([PROGRAM, "account", *words, "--data", server.data, "--json"], cwd=TOP, input=given, capture_output=True,
                                      text=True, timeout=60)
                return done.returncode, json.loads(done.stdout or "null"), done.stderr
            status, made, _ = run("open", given=json.dumps({"data": customer("cli"), "supplied_by": "person"}))
            check(status == 0 and "/invitation?token=" in made["link"], f"{made}")
            check(run("list")[1]["accounts"][0]["id"] == made["id"] and run("show", made["id"])[1]["account"]["state"] == "invited", "list, show")
            check(run("role", made["id"], "support")[0] == 0, "role")
            check(run("agree", made["id"], "--date", "2026-11-20", "--reference", "coffre")[1]["agreement"].startswith("2026-11-20"), "agree")
            check(run("invite", made["id"])[1]["link"] != made["link"], "invite")
            with tempfile.NamedTemporaryFile("w", suffix=".csv", dir=server.folder, delete=False) as file:
                file.write("identity.last_name,contact.email\n" + "".join(f"Nom{n},p{n}@societe.example\n" for n in range(450))
                           + "Nom,p7@societe.example\nNom,rien\n")
            status, done, said = run("import", file.name, "--supplied-by", "paper", "--no-invitation")
            check(status == 65 and done["opened"] == 450 and done["refused"] == 2 and "2 of 452" in said, f"{status} {said}")
            check([(line["line"], line["field"]) for line in done["lines"] if line["status"] != 201] ==
                  [(452, "contact.email"), (453, "contact.email")], f"{done['lines'][-3:]}")
            check(run("close", made["id"])[0] == 0 and run("show", made["id"])[0] == 1, "close")
            check("import" in garant("help", "account") and "ouvrir" not in garant("help", "account", "--lang", "en"), "help")
