"""What people are found by is theirs to correct (GDPR 16): address, telephone, login; by page, by API, by staff; or it is said why not."""
import contextlib, os, tempfile, urllib.parse
import engine
from browser import Browser
from garant import TOP, Server, check
from mailbox import Mailbox
from people import PASSWORD, Visitor, bcrypt, form, opened, registered, visitor
from words import word

NOW = "2026-11-23T09:00:00Z"
VALUES = "tests/front/values.yaml"


def shopper(name, **more):
    return {"account": {"screen_name": name, "login": name}, "contact": {"name": name.title(), "email": f"{name}@shop.example"}, **more}


@contextlib.contextmanager
def variant(policy, *changes):
    """A policy with some passages written otherwise."""
    with open(os.path.join(TOP, policy), encoding="utf-8") as file, tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as out:
        text = file.read()
        for old, new in changes:
            check(text.count(old) == 1, f"{policy} has {text.count(old)} times {old!r}")
            text = text.replace(old, new)
        out.write(text)
        out.flush()
        yield out.name


def change(who, field, value):
    return who.post("/v1/me/identifier", {"field": field, "value": value})


def signs_in(server, identifier, password=PASSWORD):
    return Visitor(server).post("/v1/session", {"identifier": identifier, "password": password}).status == 200


FORM = """
collection:
  ask:
    title: {en: Ask, fr: Demander}
    says: {en: "To answer you.", fr: "Pour vous répondre."}
    fields: [identity.name, contact.email, contact.phone, contact.login]
    purposes: [service]
"""


def by_form(server, mailbox, email, **contact):
    """What somebody sends by the form, and the answer to the link of their letter."""
    said = server.anyone().get("/v1/forms/ask").expect(200).json
    server.advance(seconds=3)
    count = len(mailbox.find(email))
    server.anyone().post("/forms/ask", {"data": {"identity": {"name": "N"}, "contact": {"email": email, **contact}}, "boxes": [],
                                        "stamp": said["stamp"]}).expect(200)
    link = mailbox.wait(email, count=count + 1).links[0]
    token = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["token"][0]
    return server.anyone().post("/v1/submissions/confirm", {"token": token})


def register(tests):
    @tests.test("identifiers: a form's link tells nobody whether a telephone or login is known, and takes neither from whom it is")
    def at_a_form():
        with variant(VALUES, ("\nrights:\n", FORM + "rights:\n")) as policy, Mailbox() as mailbox, \
                Server(policy, now=NOW, arguments=mailbox.arguments()) as server:
            app = server.client("app")
            owner = opened(server, {"identity": {"name": "Y"}, "contact": {"email": "y@ex.example", "phone": "+33 6 12 34 56 78", "login": "yara"}})
            known = opened(server, {"identity": {"name": "K"}, "contact": {"email": "k@ex.example"}})
            answers = {}
            for email, more in (("a@ex.example", {"phone": "+33612345678"}), ("b@ex.example", {"phone": "+33612345600"}), ("c@ex.example", {"login": "YARA"}),
                                ("d@ex.example", {"login": "+33612345678"}), ("e@ex.example", {"phone": "06 12 34 56 78", "login": "free"}),
                                ("k@ex.example", {"phone": "0033612345678"}), ("y@ex.example", {"phone": "+33612345678"})):
                said = by_form(server, mailbox, email, **more).expect(200)
                answers[email] = said.body
            check(len(set(answers.values())) == 1, f"the answers tell who is known: {answers}")
            held = {}
            for email in answers:
                ident = app.lookup({"contact.email": email}, "service").expect(200).json["id"]
                held[email] = app.read(ident, "service").expect(200).json["data"]["contact"]
            check(held["b@ex.example"]["phone"] == "+33612345600" and held["e@ex.example"]["login"] == "free", f"what was free is not held: {held}")
            for email in ("a@ex.example", "c@ex.example", "d@ex.example", "e@ex.example", "k@ex.example"):
                check("phone" not in held[email], f"{email} has the telephone of another: {held[email]}")
            check(app.lookup({"contact.phone": "+33612345678"}, "service").json["id"] == owner and known != owner, "the telephone is somebody else's now")
            check(app.lookup({"contact.login": "yara"}, "service").json["id"] == owner, "the login is somebody else's now")
            return "seven senders, one answer"

    @tests.test("identifiers: who registers is told that a name is taken, on record, and a few times a day")
    def at_registration():
        with Mailbox() as mailbox, Server(VALUES, now=NOW, arguments=mailbox.arguments()) as server:
            opened(server, {"identity": {"name": "Y"}, "contact": {"email": "y@ex.example", "phone": "+33612345678", "login": "yara"}})

            def asks(number, **contact):
                return server.anyone().post("/v1/accounts/register", {"data": {"identity": {"name": "Z"}, "contact":
                                            {"email": f"z{number}@ex.example", **contact}}, "password": PASSWORD})

            def entries():
                with contextlib.closing(engine.base(server.data)) as base:
                    return base.execute("SELECT COUNT(*) FROM journal").fetchone()[0]
            before = entries()
            for number in range(15):
                said = asks(number, **({"phone": "06 12 34 56 78"} if number % 2 else {"login": "Yara"}))
                said.refused("conflict", status=409)
                check("yara" not in said.body.decode().lower() and "56 78" not in said.body.decode(), f"{said.body}")
            check(entries() >= before + 15, f"{entries() - before} of 15 refusals are on record")
            for more in ({"login": "yara"}, {"phone": "+33612345678"}):
                check("per day" in asks(20, **more).refused("too-many-requests", status=429)["detail"], "it is the pace of a minute")
            asks(21, login="free").expect(202)               # nobody else is kept out
            server.advance(days=1, minutes=1)
            asks(23, login="yara").refused("conflict", status=409)
            return "fifteen times, then on the next day"

    @tests.test("identifiers: a login is corrected by its person after their password, told by letter, kept as a former value")
    def login():
        with Mailbox() as mailbox, Server("deskmanager", now=NOW, arguments=mailbox.arguments()) as server:
            app = server.client("app")
            for name in ("kes", "tom"):
                registered(server, mailbox, shopper(name), f"{name}@shop.example")
            kes = visitor(server, "kes")
            ident = kes.id
            check(signs_in(server, "kes@shop.example"), "the address does not sign in")
            server.advance(minutes=16)
            change(kes, "account.login", "kestrel").refused("reauthenticate", status=403)
            etag = f'"{kes.get(f"/v1/subjects/{ident}/access").json["version"]}"'
            kes.patch(f"/v1/subjects/{ident}", {"account": {"login": "quick"}}, etag=etag).refused("conflict", status=409, field="account.login")
            kes.post("/v1/session/proof", {"password": PASSWORD}).expect(204)
            check(change(kes, "account.login", "kestrel").expect(202).json["state"] == "changed", "not changed")
            check(change(kes, "account.login", "KESTREL ").expect(202).json["state"] in ("changed", "unchanged"), "the same name")
            check(not signs_in(server, "kes") and signs_in(server, "Kestrel") and signs_in(server, "kes@shop.example"), "who signs in")
            said = mailbox.wait("kes@shop.example", "identifier_set").text
            check("Identifiant" in said or "Login" in said, f"what was changed is not named: {said}")
            check("kestrel" not in said, "the letter says the value")
            former = app.get(f"/v1/subjects/{ident}/former").expect(200).json["former"]
            check(("login", "kes") in [(row["field"], row["value"]) for row in former], f"{former}")
            own = kes.get(f"/v1/subjects/{ident}/access").expect(200).json
            check(own["data"]["account"]["login"].lower() == "kestrel", f"{own['data']['account']}")
            # Another's name is refused alike however it is written, and trying is slowed down.
            said = [change(kes, "account.login", one) for one in ("tom", "TOM", " Tom ")]
            check([one.status for one in said] == [409] * 3, f"{[one.status for one in said]}")
            check(len({one.body for one in said}) <= 3 and all("tom" not in one.json["detail"].lower() for one in said), "the refusal says the name")
            change(kes, "account.login", "someone").refused("too-many-requests", status=429)
            server.advance(days=1, minutes=1)
            kes.sign_in("kestrel")
            check(change(kes, "account.login", "kes").expect(202).json["state"] == "changed", "the name that was left is not free")

    @tests.test("identifiers: a telephone is corrected and removed by its person; who has it first keeps it")
    def telephone():
        with Mailbox() as mailbox, Server(VALUES, now=NOW, arguments=mailbox.arguments()) as server:
            app = server.client("app")
            ident = opened(server, {"identity": {"name": "Z"}, "contact": {"email": "z@ex.example", "phone": "06 12 34 56 78", "login": "zed"}})
            opened(server, {"identity": {"name": "Y"}, "contact": {"email": "y@ex.example", "phone": "06 12 34 56 99"}})
            zed = visitor(server, "zed")
            change(zed, "contact.phone", "06 12").refused("invalid-value", status=422, field="contact.phone")
            change(zed, "contact.phone", "+33 6 12 34 56 99").refused("conflict", status=409)
            check(change(zed, "contact.phone", "06 12 34 56 79").expect(202).json["state"] == "changed", "not changed")
            mailbox.wait("z@ex.example", "identifier_set")
            check(signs_in(server, "+33612345679") and not signs_in(server, "+33612345678"), "who signs in")
            check(app.read(ident, "service").json["data"]["contact"]["phone"] == "06 12 34 56 79", "not held")
            check(zed.post("/v1/me/identifier", {"field": "contact.phone", "value": ""}).expect(202).json["state"] == "changed", "not removed")
            check("phone" not in app.read(ident, "service").json["data"]["contact"] and not signs_in(server, "+33612345679"), "still held")
            zed.post("/v1/me/identifier", {"field": "contact.phone"}).refused("missing-field", status=422)
            zed.post("/v1/me/identifier", {"field": "identity.name", "value": "X"}).refused("undeclared", status=422)
            change(zed, "contact.login", "y@ex.example").expect(202, 409)
            check(visitor(server, "y@ex.example").id != ident, "a login shadows another's address")

    @tests.test("identifiers: a name that is another's address or telephone keeps nobody out")
    def across():
        with Server(VALUES, now=NOW) as server:
            zed = opened(server, {"identity": {"name": "Z"}, "contact": {"email": "z@ex.example"}})
            one = opened(server, {"identity": {"name": "Y"}, "contact": {"email": "y@ex.example", "phone": "+33612345699"}})
            who = visitor(server, "z@ex.example")
            change(who, "contact.login", "+33612345699").refused("conflict", status=409)
            change(who, "contact.login", "Y@EX.example")
            check(visitor(server, "y@ex.example").id == one and visitor(server, "+33612345699").id == one, "kept out")
            app = server.client("app")
            app.change(zed, "service", {"contact": {"login": "+33 6 12 34 56 99"}}).refused("conflict", status=409)
            made = app.post("/v1/subjects", {"data": {"identity": {"name": "W"}, "contact": {"login": "0612345699"}}, "source": "person"})
            made.refused("conflict", status=409)

    @tests.test("identifiers: an e-mail address that is only where letters go is confirmed too, and not moved by who found a browser open")
    def letters_only():
        with Mailbox() as mailbox, variant(VALUES, ("email: {type: email, identifier: true}", "email: {type: email}")) as policy, \
                Server(policy, now=NOW, arguments=mailbox.arguments()) as server:
            table = ("identity.name,contact.login,contact.email,password_hash\n"
                     f"Z,zed,z@ex.example,{bcrypt(PASSWORD)}\n")
            made = server.operator().request("POST", "/v1/accounts/import?supplied_by=person&invite=false", table.encode(),
                                             {"Content-Type": "text/csv"}.items()).json
            check(made["opened"] == 1, f"{made}")
            zed = visitor(server, "zed")
            path = f"/v1/subjects/{zed.id}"
            etag = f'"{zed.get(path + "/access").json["version"]}"'
            zed.patch(path, {"contact": {"email": "thief@ex.example"}}, etag=etag).refused("conflict", status=409, field="contact.email")
            page = form(zed, "/me/edit/contact", csrf=zed.csrf, version=etag.strip('"'), **{"contact.email": "thief@ex.example"})
            check(page.status == 409, f"{page.status} {page.headers}")
            change(zed, "contact.email", "new@ex.example").expect(202)
            link = mailbox.wait("new@ex.example", "identifier_confirm").links[0]
            server.anyone().post("/v1/identifier/confirm", {"token": link.split("=")[-1]}).expect(200)
            mailbox.wait("z@ex.example", "identifier_changed")
            check(server.client("app").read(zed.id, "service").json["data"]["contact"]["email"] == "new@ex.example", "not changed")

    @tests.test("identifiers: the page offers each, changes it, says what happens, and never says saved of what it did not do")
    def pages():
        with Mailbox() as mailbox, Server(VALUES, now=NOW, arguments=mailbox.arguments()) as server:
            opened(server, {"identity": {"name": "Z"}, "contact": {"email": "z@ex.example", "phone": "+33612345678"}})
            browser = Browser(server)
            browser.sign_in("z@ex.example", PASSWORD)
            page = browser.get("/me/security").expect(200).has(word("security.hint_other"))
            offered = [f["value"] for one in page.read.forms for f in one["fields"] if f.get("name") == "field"]
            check(offered == ["contact.email", "contact.phone", "contact.login"], f"{offered}")
            browser.submit(page, "/me/security/address", like={"field": "contact.login"}, value="zed").expect(200).has(word("done.changed"), "zed")
            page = browser.submit(browser.get("/me/security"), "/me/security/address", like={"field": "contact.phone"}, value="12").expect(422)
            page.has("phone: ", "+33 6 12 34 56 78")
            page = browser.submit(browser.get("/me/security"), "/me/security/address", like={"field": "contact.phone"}, value="+33612345679")
            page.expect(200).has(word("done.changed"), "+33612345679")
            page = browser.submit(page, "/me/security/address", like={"field": "contact.phone"}, value="+33612345679").has(word("done.unchanged"))
            page = browser.get("/me/edit/contact").expect(200)
            check("/me/security" in page.read.links, "no way to change it")
            version = next(f["value"] for one in page.read.forms for f in one["fields"] if f.get("name") == "version")
            csrf = next(f["value"] for one in page.read.forms for f in one["fields"] if f.get("name") == "csrf")
            who = visitor(server, "z@ex.example")
            page = form(who, "/me/edit/contact", csrf=who.csrf, version=version, **{"contact.phone": "+33612345670"})
            check(page.status == 409 and "saved" not in page.headers.get("location", ""), f"{page.status} {page.headers}")
            page = form(who, "/me/edit/contact", csrf=who.csrf, version=version, **{"contact.phone": "+33612345679"})
            check(page.status == 303 and "unchanged" in page.headers["location"], f"{page.status} {page.headers}")
            page = form(who, "/me/edit/contact", csrf=who.csrf, version=version, **{"identity.name": "Other"})
            check("saved" not in page.headers.get("location", ""), f"{page.status} {page.headers}")
            server.advance(minutes=16)
            page = browser.submit(browser.get("/me/security"), "/me/security/address", like={"field": "contact.login"}, value="zz").expect(200)
            page.has(word("title.again"))

    @tests.test("identifiers: what does not come from its person says from whom, and to whom to write")
    def fixed():
        changes = (("categories:\n", "sources:\n  hr: {title: {en: \"Your employer\", fr: \"Votre employeur\"}, third_party: true, notice_within: 1mo}\n"
                                     "categories:\n  badge:\n    source: [hr]\n    if_missing: none\n    fields:\n"
                                     "      number: {type: text, identifier: true}\n      site: {type: text}\n"),
                   ("categories: [identity, contact,", "categories: [badge, identity, contact,"))
        with variant(VALUES, *changes) as policy, Server(policy, now=NOW) as server:
            app = server.client("app")
            ident = opened(server, {"identity": {"name": "Z"}, "contact": {"email": "z@ex.example"}})
            app.change(ident, "service", {"badge": {"number": "B-12", "site": "Lyon"}}, source="hr").expect(200)
            who = visitor(server, "z@ex.example")
            problem = change(who, "badge.number", "B-13").refused("forbidden", status=403, field="badge.number")
            check("Your employer" in problem["detail"] and "privacy@example.org" in problem["detail"], f"{problem}")
            browser = Browser(server)
            browser.sign_in("z@ex.example", PASSWORD)
            browser.get("/me/security").expect(200).has("Your employer", "privacy@example.org")
            page = browser.get("/me").expect(200).has("Your employer")
            check("/me/edit/badge" not in page.read.links, "a form that cannot be sent is offered")
            browser.get("/me/edit/badge").expect(404)

    @tests.test("identifiers: staff correct each, within their role, and the person is told")
    def by_staff():
        with Mailbox() as mailbox, Server(VALUES, now=NOW, arguments=mailbox.arguments()) as server:
            app = server.client("app")
            ident = opened(server, {"identity": {"name": "Z"}, "contact": {"email": "z@ex.example", "phone": "+33612345678", "login": "zed"}})
            who = visitor(server, "zed")
            app.change(ident, "service", {"contact": {"phone": "+33612345679", "login": "zed2"}}).expect(200)
            said = mailbox.wait("z@ex.example", "identifier_set").text
            check("phone" in said.lower() and "login" in said.lower(), f"{said}")
            who.get("/v1/session").expect(200)
            check(signs_in(server, "zed2") and not signs_in(server, "zed"), "who signs in")
            app.change(ident, "service", {"identity": {"nick": "zz"}}).expect(200)
            app.change(ident, "service", {"contact": {"email": "zz@ex.example"}}).expect(200)
            mailbox.wait("z@ex.example", "identifier_changed")
            check(len(mailbox.find("z@ex.example", "identifier_set")) == 1, "told of what was not changed")
            who.get("/v1/session").expect(401)

    @tests.test("identifiers: of any type is typed, corrected and removed by its person, on the page and by API")
    def of_any_type():
        more = ("      login: {type: text, identifier: true}\n",
                "      login: {type: text, identifier: true}\n      member: {type: integer, identifier: true}\n      ratio: {type: number, identifier: true}\n"
                "      born: {type: date, identifier: true}\n      account: {type: iban, identifier: true}\n      site: {type: url, identifier: true}\n")
        first = {"member": 12, "ratio": 1.5, "born": "1990-01-31", "account": "FR7630006000011234567890189", "site": "https://a.example/"}
        typed = {"member": ("13", 13), "ratio": ("2,5", 2.5), "born": ("28/02/1991", "1991-02-28"),
                 "account": ("FR14 2004 1010 0505 0001 3M02 606", "FR1420041010050500013M02606"), "site": ("https://b.example/", "https://b.example/")}
        with Mailbox() as mailbox, variant(VALUES, more) as policy, Server(policy, now=NOW, arguments=mailbox.arguments()) as server:
            app = server.client("app")
            ident = opened(server, {"identity": {"name": "Zoe"}, "contact": {"email": "zoe@ex.example", "login": "zoe", **first}})
            own = visitor(server, "zoe@ex.example")
            own.post("/v1/session/proof", {"password": PASSWORD}).expect(204)
            def held():
                return app.read(ident, "service").expect(200).json["data"]["contact"]
            def later():                                             # changes are spaced
                server.advance(minutes=20)
                own.post("/v1/session/proof", {"password": PASSWORD}).expect(204)
            for name, (text, value) in typed.items():
                later()
                check(change(own, f"contact.{name}", text).expect(202).json["state"] == "changed" and held()[name] == value, f"{name}: {held()}")
                check(change(own, f"contact.{name}", text).expect(202).json["state"] == "unchanged", f"{name} again")
                check(app.lookup({f"contact.{name}": value}, "service").expect(200).json["id"] == ident, f"{name} finds nobody")
                later()
                page = form(own, "/me/security/address", csrf=own.csrf, field=f"contact.{name}", value=str(first[name]))
                check(page.status == 303 and held()[name] == first[name], f"{name} on the page: {page.status} {held()}")
                later()
                change(own, f"contact.{name}", "").expect(202)
                check(name not in held(), f"{name} is not removed: {held()}")
            change(own, "contact.member", "thirteen").refused("invalid-value", status=422, field="contact.member")

    @tests.test("identifiers: nobody takes away the last by which somebody signs in")
    def last():
        with variant(VALUES, ("needs: [identity.name, contact.email]", "needs: [identity.name]")) as policy, Server(policy, now=NOW) as server:
            app = server.client("app")
            ident = opened(server, {"identity": {"name": "Z"}, "contact": {"email": "z@ex.example", "login": "zed"}})
            bare = app.post("/v1/subjects", {"data": {"identity": {"name": "B"}, "contact": {"login": "bare"}}, "source": "person"}).expect(201).json["id"]
            who = visitor(server, "zed")
            app.delete(f"/v1/subjects/{ident}/records/contact").refused("conflict", status=409)
            check(form(who, "/me/drop/contact", csrf=who.csrf, sure="yes").status == 409, "erased by its person")
            check(signs_in(server, "zed"), "kept out")
            app.change(ident, "service", {"contact": {"login": None}}).expect(200)
            app.change(ident, "service", {"contact": {"email": None}}).refused("conflict", status=409)
            change(who, "contact.email", "").refused("conflict", status=409)
            app.delete(f"/v1/subjects/{bare}/records/contact").expect(204)

