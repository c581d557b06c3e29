"""MO: myownconference, webinar rooms whose customers bring their own visitors."""
import base64, contextlib, hashlib, html, io, json, os, re, ssl, subprocess, sys, urllib.parse, zipfile
from browser import Browser, Page
from certificates import Certificates
from garant import (DAY, TOP, Client, Fault, check, check_absent, check_bytes_absent, check_line, check_searchable, garant,
                    milliseconds, routes, wrapped_keys)
from mailbox import Mailbox, wait_for
from notices import journal_of
from people import PASSWORD, Visitor, form, opened, registered, staff, totp, visitor
from promise import only_as_declared, part, promise, refuses_elsewhere
from uses import command, refused, uses_of
from wiretap import Tap
from words import event, word

TENANT = "myownconference"
NOW = "2026-11-22T10:00:00Z"
CARDS = ("4111111111111111", "4111 1111 1111 1111", "5500-0000-0000-0004", "3782 822463 10005", "6011000990139424",
         "paid with 4111.1111.1111.1111 yesterday", "４１１１１１１１１１１１１１１１")


def person(number):
    return {"identity": {"display_name": f"kestrel-{number}"}, "login": {"email": f"kestrel.{number}@rooms.example"}}


ROOM = {"title": "Planted room of kestrels", "layout": "gallery", "chat": True, "starts": "2026-12-01T18:00:00Z"}
PAYMENT = {"reference": "pay_3MmlLrLkdIwHu7ix", "invoice": "INV-77", "amount": 49, "paid": "2026-11-20"}


def started(t, **options):
    server = t.server(tenant=TENANT, **options)
    return server, server.client("app")


def doors_for(t, server, mailbox, one, desk, category, fields):
    """Every door through which a person's data come in, each with these fields more than the policy declares: its name, and the request."""
    client, operator, own = server.client("app"), server.operator(), f"/v1/subjects/{one.id}"
    data = person(2)
    data[category] = {**data.get(category, {}), **fields}
    more, typed = {category: fields}, {f"{category}.{name}": value for name, value in fields.items()}
    table = (",".join(["identity.display_name", "login.email", *typed]) + "\nkestrel,k3@rooms.example," + ",".join(map(str, fields.values())) + "\n").encode()
    with open(t.path("table.csv"), "wb") as file:
        file.write(table)
    new = {"data": data, "source": "person"}
    found = {
        "a person made": lambda: client.post("/v1/subjects", new),
        "a person made, for a purpose": lambda: client.post("/v1/subjects", {**new, "purpose": "service"}),
        "a change": lambda: client.change(one.id, "service", more),
        "a change by staff": lambda: desk.patch(f"{own}?purpose=service", more, etag="*"),
        "a change by the person": lambda: one.patch(own, more, etag="*"),
        "a batch": lambda: client.post("/v1/batch", {"requests": [{"method": "POST", "path": "/v1/subjects", "body": new}]}),
        "a registration": lambda: server.anyone().post("/v1/accounts/register", {"data": data, "password": PASSWORD}),
        "an account opened": lambda: operator.post("/v1/accounts", {"data": data, "supplied_by": "person", "role": "support"}),
        "a table": lambda: operator.request("POST", "/v1/accounts/import?supplied_by=person", table, {"Content-Type": "text/csv"}.items()),
        "accounts as JSON": lambda: operator.post("/v1/accounts/import", {"accounts": [{"data": data, "supplied_by": "person", "role": "support"}]}),
        "the registration page": lambda: form(server.anyone(), "/register", **{"identity.display_name": "k", "login.email": "k4@rooms.example", **typed},
                                              password=PASSWORD),
        "the command that makes": lambda: command(server, "subject", "create", given=json.dumps(new)),
        "the command that changes": lambda: command(server, "subject", "patch", one.id, "--purpose", "service", "--version", "1", given=json.dumps(more)),
        "the command that takes a table": lambda: command(server, "account", "import", t.path("table.csv"), "--supplied-by", "person"),
    }
    if category in ("rooms", "connection"):                          # of which there are many: each comes alone
        found = {}
    if category in ("identity", "login", "settings"):
        found["the page that corrects"] = lambda: form(one, f"/me/edit/{category}", **typed, version="1", csrf=one.csrf)
    if category == "rooms":
        found["preferences"] = lambda: one.put("/v1/me/preferences/rooms/autumn", {"title": "Autumn", **fields})
        found["preferences by the platform"] = lambda: client.put(f"{own}/preferences/rooms/autumn?purpose=service", {"title": "Autumn", **fields})
        found["the page of preferences"] = lambda: form(one, "/me/preferences/rooms", place="autumn", **{"rooms.title": "Autumn", **typed}, csrf=one.csrf)
    if category in ("rooms", "connection"):
        found["a record"] = lambda: client.record(one.id, category, {**({"at": NOW, "ip": "192.0.2.44"} if category == "connection" else ROOM), **fields})
    if category == "hobbies":
        found["a record"] = lambda: client.record(one.id, category, fields)
        found["what is only in memory"] = lambda: client.put(f"{own}/transient/{category}", fields)
        found["a file"] = lambda: client.request("POST", f"{own}/attachments?category={category}&name=a.txt", b"a", {"Content-Type": "text/plain"}.items())
        found["preferences"] = lambda: client.put(f"{own}/preferences/{category}/autumn?purpose=service", fields)
    return found


def undeclared(name, answer, field, secret):
    """A refusal that names the clause and the field, and repeats nothing of the value; by command, the exit status."""
    if isinstance(answer, tuple):
        status, said = answer
        check(status != 0 and secret not in said and "policies/myownconference.yaml:" in said, f"{name}: {status} {said}")
        return
    check(secret.encode() not in answer.body, f"{name}: the refusal repeats the value: {answer.body}")
    if answer.headers["content-type"].startswith("text/html"):
        page = Page(name, answer.status, answer.headers, answer.body)
        check(answer.status == 422 and field in page.read.text, f"{name}: {answer.status} {page.read.text}")
        check(re.search(r"categories(\.\w+)?", page.read.text), f"{name}: no clause: {page.read.text}")
        return
    if answer.status == 207 and "lines" in answer.json:
        line, = answer.json["lines"]
        check(answer.json["opened"] == 0 and line["code"] == "undeclared" and "categories" in line["clause"], f"{name}: {line}")
        return
    refused(name, answer, "undeclared", status=422, clause="^categories", promise="MO-01")
    check(field in answer.body.decode(), f"{name}: {field} is not named: {answer.body}")


@promise("MO-01")
def essential_only(t):
    """A name or pseudonym, an e-mail address, a password and the address of the computer are all that is needed; what the policy does not declare
    is refused by every door; a password is held as a salted memory-hard hash and nothing else."""
    mailbox = t.enter_context(Mailbox())
    server, client = started(t, now=NOW, arguments=mailbox.arguments())
    with part("only name or pseudonym, e-mail, password and IP are needed"):
        asked = {field["name"] for form_ in Browser(server).get("/register").read.forms for field in form_["fields"] if "required" in field}
        check(asked == {"identity.display_name", "login.email"}, f"the page asks for {asked}")
        registered(server, mailbox, person(1), "kestrel.1@rooms.example")
        one = visitor(server, "kestrel.1@rooms.example", tenant=TENANT)
        held = client.get(f"/v1/subjects/{one.id}/access").expect(200).json["data"]
        check(set(held) == {"identity", "login", "connection"} and held["identity"] == person(1)["identity"] and held["login"] == person(1)["login"]
              and held["connection"][0]["fields"]["ip"] == "127.0.0.1", f"held: {held}")
        for category, field in (("identity", "display_name"), ("login", "email")):
            data = person(3)
            del data[category][field]
            server.anyone().post("/v1/accounts/register", {"data": data, "password": PASSWORD}) \
                  .refused("missing-field", status=422, field=f"{category}.{field}")
        server.anyone().post("/v1/accounts/register", {"data": person(8)}).expect(202)
        token = mailbox.wait("kestrel.8@rooms.example").links[0].rpartition("=")[2]
        asked = {field["name"] for form_ in Browser(server).get(f"/registration?token={token}").read.forms
                 for field in form_["fields"] if "required" in field}
        check(asked == {"password"}, f"the link's page asks for {asked}")
        server.anyone().post("/v1/registrations/confirm", {"token": token, "password": ""}).refused("weak-password", status=422)
    desk, secret = staff(server, person(9), "kestrel.9@rooms.example", "support"), "Tr0mbone-Lichen-42"
    desk.headers = {"Garant-Reason": "ticket 4711"}
    before = client.get(f"/v1/subjects/{one.id}/access").expect(200).json["data"]
    with part("a field that the policy does not declare is refused by every door: page, API, table and command"):
        for category, field in (("identity", "birth_date"), ("login", "password"), ("settings", "password"), ("rooms", "password"), ("connection", "password")):
            for name, ask in doors_for(t, server, mailbox, one, desk, category, {field: secret}).items():
                undeclared(f"{name}, {category}.{field}", ask(), field, secret)
    with part("and so is a category"):
        for name, ask in doors_for(t, server, mailbox, one, desk, "hobbies", {"hobby": secret}).items():
            undeclared(f"{name}, hobbies", ask(), "hobbies", secret)
        after = client.get(f"/v1/subjects/{one.id}/access").expect(200).json["data"]
        check(after == before, f"something was kept: {after}")
        check_searchable([secret], t.folder)
        check_absent([secret], server.folder)
    with part("a password is only a salted memory-hard hash: it stands in no file, nor any plain digest of it"):
        changed, again = "Zul+9-girafe-Lente-7", "Kobu-7-renard-Vite-9"
        one.put("/v1/me/password", {"current": PASSWORD, "new": changed}).expect(204)
        server.anyone().post("/v1/password/reset", {"identifier": "kestrel.1@rooms.example", "tenant": TENANT}).expect(202)
        link = mailbox.wait("kestrel.1@rooms.example", "reset").links[0]
        server.anyone().post("/v1/password/reset/confirm", {"token": re.split("[/=]", link)[-1], "password": again}).expect(204)
        visitor(server, "kestrel.1@rooms.example", again, tenant=TENANT)
        wait_for(lambda: not server.operator().get("/v1/mail").expect(200).json["queued"])
        passwords = [PASSWORD, changed, again]
        digests = [hashlib.new(kind, word.encode()).digest() for word in passwords for kind in ("md5", "sha1", "sha256", "sha512", "blake2b")]
        check_absent([*passwords, "$argon2id$", *(digest.hex() for digest in digests)], server.folder)
        check_bytes_absent(digests, server.folder)
        check(not any(word in letter.text + letter.html for word in passwords for letter in mailbox.letters), "a letter holds a password")
        told = client.get(f"/v1/subjects/{one.id}/access").body.decode() + json.dumps(client.export(one.id)[1]) \
            + server.operator().get(f"/v1/accounts/{one.id}").body.decode() + command(server, "account", "show", one.id)[1]
        check("argon2" not in told and not any(word in told for word in passwords), "an answer holds a password or its hash")
    with part("and checking one takes the memory that makes guessing dear"):     # against a request of the same moment that checks none
        def peak(ask):
            """How much more memory the server had while it answered, the least of three: others of its works may fall into one of them."""
            found = []
            for _ in range(3):
                with open(f"/proc/{server.process.pid}/clear_refs", "w", encoding="ascii") as file:
                    file.write("5")
                start = resident(server.process.pid)
                ask()
                found.append(resident(server.process.pid) - start)
            return min(found)
        cheap = peak(lambda: server.anyone().get("/privacy").expect(200))
        for tried in (again, "a wrong one"):
            dear = peak(lambda tried=tried: server.anyone().post("/v1/session", {"identifier": "kestrel.1@rooms.example", "password": tried, "tenant": TENANT})
                        .expect(200, 401))
            check(dear >= cheap + 16 * 1024, f"{dear} KiB for a password, {cheap} KiB without")


def resident(process):
    """The most memory that a process had since its mark was reset, in KiB."""
    with open(f"/proc/{process}/status", encoding="ascii") as file:
        return int(re.search(r"VmHWM:\s+(\d+)", file.read())[1])


@promise("MO-03")
def last_visit_and_settings(t):
    """The last visit is what the account's keeping runs from; settings of the account and of each room are saved and there at the next visit."""
    mailbox = t.enter_context(Mailbox())
    server, app = started(t, now=NOW, arguments=mailbox.arguments())
    operator = server.operator()
    registered(server, mailbox, {**person(1), "settings": {"time_zone": "Europe/Vilnius"}}, "kestrel.1@rooms.example")
    registered(server, mailbox, person(2), "kestrel.2@rooms.example")
    registered(server, mailbox, person(3), "kestrel.3@rooms.example")
    ident, idle, other = (app.lookup({"login.email": f"kestrel.{n}@rooms.example"}, "service").expect(200).json["id"] for n in (1, 2, 3))

    def last_visit():
        return operator.get(f"/v1/accounts/{ident}").expect(200).json["account"]["last_visit"]
    with part("the last visit is updated: by sign-in and by use, on page and API"):
        check(last_visit() is None, "a visit before any")
        first = visitor(server, "kestrel.1@rooms.example", tenant=TENANT)
        check(milliseconds(last_visit()) == server.now(), f"the sign-in is no visit: {last_visit()}")
        for use in (lambda: first.get("/me", Accept="text/html"), lambda: first.get("/v1/me/preferences")):
            server.advance(days=2)
            use().expect(200)
            server.restart()                                         # what is in memory for a minute is written at a stop
            check(milliseconds(last_visit()) == server.now(), f"a use is no visit: {last_visit()}")
        app.read(ident, "service").expect(200)
        server.advance(days=2)
        check(milliseconds(last_visit()) == server.now() - 2 * DAY, "a look by the platform is a visit")
        said = command(server, "account", "show", ident)[1]
        check(last_visit()[:10] in said, f"the command does not show it: {said}")
    rooms = "/v1/me/preferences/rooms/"
    autumn = {"title": "Planted autumn room", "layout": "gallery", "chat": True, "starts": "2026-12-01T18:00:00Z"}
    winter = {"title": "Planted winter room", "layout": "speaker", "chat": False}
    with part("settings are saved a room, by page and API, each its own, held against the policy's types"):
        first.put(rooms + "autumn", {"layout": "gallery"}).refused("missing-field", status=422, field="rooms.title")
        first.put(rooms + "autumn", {name: autumn[name] for name in ("title", "layout", "starts")}).expect(200)
        form(first, "/me/preferences/rooms", place="winter", **{"rooms.title": winter["title"], "rooms.layout": "speaker", "rooms.starts": ""},
             csrf=first.csrf).expect(303)
        for wrong in ({"layout": "cinema"}, {"chat": "no"}, {"starts": "tomorrow"}, {"title": "x" * 201}, {"title": 7}):
            first.put(rooms + "winter", wrong).refused("invalid-value", status=422, clause=r"^categories\.rooms\.fields", promise="MO-03")
            typed = {f"rooms.{name}": str(value) for name, value in {**winter, **wrong}.items()}
            if wrong not in ({"chat": "no"}, {"title": 7}):          # on a page a box is ticked or not, and all that is typed is text
                form(first, "/me/preferences/rooms", place="winter", **typed, csrf=first.csrf).expect(422)
        first.put(rooms + "winter", {"recording": True}).refused("undeclared", status=422, clause=r"^categories\.rooms", promise="MO-03")
    with part("settings of the account are saved, by page and API"):
        app.change(ident, "service", {"settings": {"language": "lt"}}).expect(200)
        browser = Browser(server)
        browser.sign_in("kestrel.1@rooms.example", PASSWORD).expect(200)
        browser.submit(browser.get("/me/edit/settings"), "/me/edit/settings", fields={"settings.time_zone": "Europe/Riga"}).expect(200)
        first.patch(f"/v1/subjects/{ident}", {"settings": {"language": "de"}}, etag="*").refused("invalid-value", status=422, clause=r"^categories\.settings")
    with part("there at the next visit, on another device, and nobody else's"):
        server.advance(days=20)
        again = visitor(server, "kestrel.1@rooms.example", tenant=TENANT)
        check(again.get(rooms + "autumn").expect(200).json["values"] == autumn, "the room's settings")
        check(again.get(rooms + "winter").expect(200).json["values"] == winter, "the other room's")
        data = app.read(ident, "service", ["settings", "rooms"]).expect(200).json["data"]
        check(data["settings"] == {"language": "lt", "time_zone": "Europe/Riga"} and len(data["rooms"]) == 2, f"{data}")
        check("Planted winter room" in again.get("/me/preferences", Accept="text/html").expect(200).body.decode(), "the page has not the room")
        neighbour = visitor(server, "kestrel.3@rooms.example", tenant=TENANT)
        check(neighbour.get(rooms + "autumn").expect(200).json["values"].get("title") is None, "a neighbour has the room")
        neighbour.get(f"/v1/subjects/{ident}/preferences/rooms/autumn").refused("forbidden", status=403)
        check_absent(["Planted autumn room", "Planted winter room"], server.folder)
    with part("the visit, not the opening, is what 180 days run from"):
        server.advance(days=170)
        server.sweep()
        check(again.get(rooms + "autumn").expect(200, 401).status == 401, "the session outlived its idle limit")
        check(app.get(f"/v1/subjects/{idle}/access").status == 404, "an account nobody visits is kept beyond 180 days")
        check(app.get(f"/v1/subjects/{ident}/access").expect(200).json["data"]["rooms"], "erased though it was visited")
        check(app.get(f"/v1/subjects/{other}/access").status == 200, "a neighbour who came later is gone")
        server.advance(days=11)
        server.sweep()
        check(app.get(f"/v1/subjects/{ident}/access").status == 404, "kept beyond 180 days from the last visit")


@promise("MO-05")
def two_purposes(t):
    """The service, and telling about other products: each reads its own data, the second only with consent."""
    mailbox = t.enter_context(Mailbox())
    server, client = started(t, arguments=mailbox.arguments())
    ident = client.create(person(1))["id"]
    client.record(ident, "rooms", ROOM).expect(201)
    only_as_declared(server, client, ident, "MO-05", desk=staff(server, person(90), "kestrel.90@rooms.example", "support"))
    with part("a read for another purpose is refused with its clause"):
        for purpose in ("sale", "rent", "visitor_marketing", "visitor_statistics"):
            client.read(ident, purpose).refused("purpose-refused", status=403, clause=r"^never\.")
            for act in ("read", "send", "disclose"):
                client.post("/v1/decisions", {"subject": ident, "purpose": purpose, "act": act, **({"channel": "email"} if act == "send" else {})}) \
                      .refused("purpose-refused", status=403, clause=r"^never\.")


COMPANY = {"payer": "company", "company_name": "Kestrel UAB", "company_address": "1 Vilniaus g., Vilnius", "iban": "LT121000011101001000"}
OF_COMPANY = ("company_name", "company_address", "iban")


@promise("MO-06")
def conditional_fields(t):
    """The real name is optional; address and bank details only when a company pays, and then needed: made, changed, by page, API and command."""
    mailbox = t.enter_context(Mailbox())
    server, client = started(t, arguments=mailbox.arguments())
    registered(server, mailbox, person(1), "kestrel.1@rooms.example")
    one = visitor(server, "kestrel.1@rooms.example", tenant=TENANT)

    def made(number, **more):
        return client.post("/v1/subjects", {"data": {**person(number), **more}, "source": "person"})

    def by_every_door(billing, *codes, field, whole=True):
        """As part of a new person, of a registration, and as a change by platform, person and page."""
        expected = {"status": 422, "clause": rf"^categories\.billing\.fields\.{field}", "promise": "MO-06"}
        refused(f"made with {billing}", made(4, billing=billing), *codes, **expected)
        refused(f"registered with {billing}", server.anyone().post("/v1/accounts/register", {
            "data": {**person(4), "billing": billing}, "password": PASSWORD}), *codes, **expected)
        refused(f"changed to {billing}", client.change(one.id, "billing", {"billing": billing}), *codes, **expected)
        refused(f"changed by the person to {billing}", one.patch(f"/v1/subjects/{one.id}", {"billing": billing}, etag="*"), *codes, **expected)
        if whole:
            version = one.get(f"/v1/subjects/{one.id}/access").expect(200).json["version"]
            typed = {f"billing.{name}": billing.get(name, "") for name in ("payer", *OF_COMPANY)}
            page = form(one, "/me/edit/billing", **typed, version=str(version), csrf=one.csrf)
            check(page.status == 422, f"the page with {billing}: {page.status}")
    with part("the real name is optional"):
        made(2, identity={"display_name": "kestrel-2", "first_name": "Rasa", "last_name": "Kazlauskaitė"}).expect(201)
        made(3).expect(201)
        nameless = {"identity": {"first_name": "Rasa"}, "login": person(5)["login"]}
        client.post("/v1/subjects", {"data": nameless, "source": "person"}).refused("missing-field", status=422, field="identity.display_name")
        one.patch(f"/v1/subjects/{one.id}", {"identity": {"display_name": None}}, etag="*").refused("missing-field", status=422, clause="^categories.identity")
    with part("an e-mail address is needed to sign in, and stays"):
        client.post("/v1/subjects", {"data": {"identity": person(5)["identity"], "login": {}}, "source": "person"}) \
              .refused("missing-field", status=422, clause="^categories.login")
        server.anyone().post("/v1/accounts/register", {"data": {"identity": person(5)["identity"]}, "password": PASSWORD}) \
              .refused("missing-field", status=422, field="login.email")
        client.change(one.id, "service", {"login": {"email": None}}).refused(status=422, clause="^categories.login")
        visitor(server, "kestrel.1@rooms.example", tenant=TENANT)
    with part("company address and bank details only when a company pays, by every door"):
        for field in OF_COMPANY:
            for payer in ({"payer": "person"}, {}):
                by_every_door({**payer, field: COMPANY[field]}, field=field)
    with part("and needed then, by every door"):
        for field in OF_COMPANY:
            by_every_door({name: value for name, value in COMPANY.items() if name != field}, "missing-field", field=field)
    with part("the same when the payer changes, both ways"):
        made(6, billing=COMPANY).expect(201)
        made(7, billing={"payer": "person"}).expect(201)
        client.change(one.id, "billing", {"billing": {"payer": "company"}}).refused("missing-field", status=422, clause=r"^categories\.billing\.fields")
        client.change(one.id, "billing", {"billing": COMPANY}).expect(200)
        client.change(one.id, "billing", {"billing": {"payer": "person"}}).refused(status=422, clause=r"^categories\.billing")
        for field in OF_COMPANY:
            client.change(one.id, "billing", {"billing": {field: None}}).refused("missing-field", status=422, clause=rf"^categories\.billing\.fields\.{field}")
        client.change(one.id, "billing", {"billing": {"payer": "person", **dict.fromkeys(OF_COMPANY)}}).expect(200)
        check(client.read(one.id, "billing", ["billing"]).json["data"]["billing"] == {"payer": "person"}, "the company's data are still there")


@promise("MO-07")
def support_needs_consent(t):
    """Storing what more is given through support is refused without an explicit consent, to everybody, and recorded with it."""
    mailbox = t.enter_context(Mailbox())
    server, client = started(t, arguments=mailbox.arguments())
    registered(server, mailbox, person(1), "kestrel.1@rooms.example")
    one, desk = visitor(server, "kestrel.1@rooms.example", tenant=TENANT), staff(server, person(9), "kestrel.9@rooms.example", "support")
    desk.headers = {"Garant-Reason": "ticket 4711"}
    operator, ident = server.operator(), one.id
    note = {"at": NOW, "note": "Planted note: my screen reader skips the chat"}

    def stores(who):
        return who.record(ident, "support_notes", note)

    def attaches(who):
        return who.request("POST", f"/v1/subjects/{ident}/attachments?category=support_notes&name=note.txt", b"Planted note: a file",
                           {"Content-Type": "text/plain"}.items())

    def nobody_stores():
        for name, who in (("the platform", client), ("support", desk)):
            for doing, ask in (("a note", stores), ("a file", attaches)):
                refused(f"{name}, {doing}", ask(who), "consent-missing", status=403, clause="support", promise="MO-07")
            refused(f"{name}, the question", who.post("/v1/decisions", {"subject": ident, "purpose": "support_extra", "categories": ["support_notes"],
                    "act": "write"}), "consent-missing", status=403, clause=r"^purposes\.support_extra$", promise="MO-07")
        stores(operator).refused(status=403)
        item, = client.post("/v1/batch", {"requests": [{"method": "POST", "path": f"/v1/subjects/{ident}/records/support_notes", "body": {"fields": note}}]}) \
                      .expect(207).json["results"]
        check(item["status"] == 403 and item["body"]["code"] == "consent-missing", f"in a batch: {item}")
        refused("a read", client.read(ident, "support_extra", ["support_notes"]), "consent-missing", status=403, clause=r"^purposes\.support_extra$")
        check("Planted note" not in client.get(f"/v1/subjects/{ident}/access").expect(200).body.decode(), "it is held all the same")
    with part("storing without a consent is refused to everybody, with its clause"):
        nobody_stores()
        client.consent(ident, "support_extra", "refused", wording="May we keep your note?").expect(201)
        nobody_stores()
        client.consent(ident, "product_news", "given", channel="email", wording="Oui.").expect(201)     # another consent is no consent
        nobody_stores()
    with part("the consent is recorded: what, when, in which words, under which version, how"):
        row = client.consent(ident, "support_extra", "given", wording="May we keep your note?", method="button").expect(201).json["consents"][0]
        version = server.anyone().get("/v1/policy/versions").expect(200).json["versions"][0]["version"]
        check((row["purpose"], row["decision"], row["policy"], row["method"]) == ("support_extra", "given", version, "button"), f"{row}")
        check(row["wording_hash"] == hashlib.sha256("May we keep your note?".encode()).hexdigest() and row["at"], f"{row}")
        seen = one.get(f"/v1/subjects/{ident}/consents").expect(200).json["consents"][-1]
        check(seen.pop("receipt") and seen == row, f"the person sees another record: {seen}")
    with part("with it, it is stored and sealed"):
        for who in (client, desk):
            stores(who).expect(201)
        attaches(client).expect(201)
        check(len(client.read(ident, "support_extra", ["support_notes"]).expect(200).json["data"]["support_notes"]) == 2, "not held")
        check_absent(["Planted note"], server.folder)
    with part("withdrawn, by page, nothing more is stored nor read"):
        page = form(one, "/me/consents", purpose="support_extra", decision="withdrawn", csrf=one.csrf)
        check(page.status == 303, f"{page.status} {page.body}")
        for who in (client, desk):
            refused("stored", stores(who), "consent-missing", status=403, clause="support", promise="MO-07")
            refused("attached", attaches(who), "consent-missing", status=403, clause="support", promise="MO-07")
        refused("read", client.read(ident, "support_extra", ["support_notes"]), "consent-missing", status=403, clause=r"^purposes\.support_extra$")
        rows = client.get(f"/v1/subjects/{ident}/consents").expect(200).json
        decided = [r["decision"] for r in rows["consents"] if r["purpose"] == "support_extra"]
        check(decided == ["refused", "given", "withdrawn"] and rows["live"] == ["product_news"], f"{rows}")


@promise("MO-14")
def corrected_both_ways(t):
    """In the profile, and by staff who answer a written request: the same rectification, with its former value, its source and its entry, which
    the person sees."""
    mailbox = t.enter_context(Mailbox())
    server, app = started(t, now=NOW, arguments=mailbox.arguments())
    registered(server, mailbox, person(1), "kestrel.1@rooms.example")
    ident = app.lookup({"login.email": "kestrel.1@rooms.example"}, "service").expect(200).json["id"]
    browser, own = Browser(server), f"/v1/subjects/{ident}"
    browser.sign_in("kestrel.1@rooms.example", PASSWORD).expect(200)
    with part("corrected in the profile, by page and API"):
        server.advance(days=1)
        browser.sign_in("kestrel.1@rooms.example", PASSWORD)
        browser.submit(browser.get("/me/edit/identity"), "/me/edit/identity", fields={"identity.display_name": "kestrel-by-profile"}).expect(200)
        check(app.read(ident, "service").expect(200).json["data"]["identity"] == {"display_name": "kestrel-by-profile"}, "not corrected by the page")
        one = visitor(server, "kestrel.1@rooms.example", tenant=TENANT)
        one.patch(own, {"identity": {"display_name": "kestrel-by-API"}}).refused(status=428)
        stale = one.patch(own, {"identity": {"display_name": "kestrel-by-API"}}, etag='"1"')
        check(stale.status == 412, f"a version that is over is taken: {stale.status}")
        one.patch(own, {"identity": {"display_name": "kestrel-by-API"}}, etag="*").expect(200)
    server.advance(days=1)
    support = staff(server, person(2), "kestrel.2@rooms.example", "support")
    asked = {"Garant-Reason": "Letter of 23 November, correct the name shown"}
    with part("corrected by written request: by the desk that answers it, for a reason"):
        etag = support.get(f"{own}?purpose=service", **asked).expect(200).etag
        patch = {"identity": {"display_name": "kestrel-by-letter"}}
        support.get(f"{own}?purpose=service").refused("reason-missing", status=403, clause=r"^roles\.support\.reason$")
        support.patch(f"{own}?purpose=service&source=person", patch, etag=etag, **asked).expect(200)
        check(app.read(ident, "service").expect(200).json["data"]["identity"] == patch["identity"], "not corrected by letter")
        accounting = staff(server, person(3), "kestrel.3@rooms.example", "accounting")
        accounting.patch(f"{own}?purpose=service&source=person", patch, etag="*").refused("forbidden", status=403, clause=r"^roles\.accounting$")
    with part("the same recorded rectification: former values, source, entry, seen by the person"):
        access = app.get(own + "/access").expect(200).json
        former = sorted((row["field"], row["value"]) for row in access["former"])
        check(former == [("display_name", value) for value in ("kestrel-1", "kestrel-by-API", "kestrel-by-profile")], f"former values: {former}")
        entries = [row for row in access["looks"] if row["act"] == "rectify" and row["outcome"] == "done"]
        check(sorted(row["actor"] for row in entries) == ["person", "person", "support"] and {row["categories"] for row in entries} == {"identity"},
              f"{entries}")
        check(len({row["says"] for row in entries}) == 1, f"two kinds of rectification: {entries}")
        why = [(row["act"], row["reason"]) for row in access["looks"] if row["actor"] == "support" and row["outcome"] == "done"]
        check(sorted(why) == [(act, asked["Garant-Reason"]) for act in ("read", "rectify")], f"the person does not read why: {access['looks']}")
        identity = next(row for row in access["categories"] if row["category"] == "identity")["records"][0]
        check(identity["fields"]["display_name"]["source"] == "person", f"the source is {identity}")
        browser.sign_in("kestrel.1@rooms.example", PASSWORD)
        for language, words in (("en", (event("rectify"), "Support")), ("fr", (event("rectify", "fr"), "Assistance"))):
            browser.get(f"/me/looks?who=done&lang={language}").expect(200).has(*words, asked["Garant-Reason"])
            browser.get(f"/me/looks?who=you&lang={language}").expect(200).has(words[0])
        browser.get("/me?lang=en").expect(200).has("kestrel-by-letter", word("card.before") + " kestrel-1", "kestrel-by-profile", "kestrel-by-API")
        server.operator().post("/v1/journal/verify").expect(200)
    with part("what was there before goes at its own term"):             # 30 days, whatever goes on
        server.advance(days=28)
        app.post(own + "/events", {"event": "last_use"}).expect(204)
        server.sweep()
        check(len(app.get(own + "/access").expect(200).json["former"]) == 3, "gone before its term")
        server.advance(days=3)
        server.sweep()
        access = app.get(own + "/access").expect(200).json
        check(access["former"] == [] and access["data"]["identity"] == {"display_name": "kestrel-by-letter"}, f"{access['former']}")


def planted(number):
    """What is planted of a person: their data, and every text of theirs that no file may hold in clear."""
    data = {"identity": {"display_name": f"planted-kestrel-{number}", "first_name": f"Planted-Rasa-{number}", "last_name": f"Planted-Kazlauskaitė-{number}"},
            "login": {"email": f"planted.{number}@rooms.example"}, "settings": {"language": "lt", "time_zone": f"Planted/Vilnius-{number}"}}
    texts = [value for fields in data.values() for value in fields.values() if len(value) > 8]
    return data, [*texts, f"Planted room {number}", f"planted slide content {number}", f"planted-slides-{number}.pdf", f"192.0.2.{200 + number}",
                  f"planted taker {number}", f"planted ticket {number}", f"planted former {number}", f"Planted notice {number}"]


def whole(server, mailbox, number, support):
    """A person of whom there is something in everything that holds anything: their visitor, id and attachment."""
    client, (data, _) = server.client("app"), planted(number)
    registered(server, mailbox, {**data, "identity": {**data["identity"], "first_name": f"planted former {number}"}}, data["login"]["email"])
    one = visitor(server, data["login"]["email"], tenant=TENANT)
    client.change(one.id, "service", {"identity": {"first_name": data["identity"]["first_name"]}}).expect(200)
    client.consent(one.id, "product_news", "given", channel="email", wording="May we write?", by=f"planted taker {number}").expect(201)
    client.record(one.id, "rooms", {**ROOM, "title": f"Planted room {number}"}).expect(201)
    client.record(one.id, "connection", {"at": NOW, "ip": f"192.0.2.{200 + number}"}).expect(201)
    client.post(f"/v1/subjects/{one.id}/messages", {"purpose": "service_notices", "subject": f"Planted notice {number}", "text": "Rooms move."}).expect(202)
    client.post(f"/v1/subjects/{one.id}/disclosures", {"recipient": "host", "purpose": "service", "categories": ["identity"]}).expect(201)
    support.get(f"/v1/subjects/{one.id}?purpose=service", **{"Garant-Reason": f"planted ticket {number}"}).expect(200)
    file = client.request("POST", f"/v1/subjects/{one.id}/attachments?category=rooms&name=planted-slides-{number}.pdf",
                          f"planted slide content {number}".encode(), {"Content-Type": "application/pdf"}.items()).expect(201).json["id"]
    check(client.get(f"/v1/subjects/{one.id}/attachments/{file}?purpose=service").expect(200).body == f"planted slide content {number}".encode(), "the file")
    mailbox.wait(data["login"]["email"], "service_message")
    access = client.get(f"/v1/subjects/{one.id}/access").expect(200).body.decode()
    missing = [text for text in planted(number)[1] if text not in access and not text.startswith(("planted slide", "Planted notice"))]
    check(not missing, f"what was planted is not held: {missing}")
    return one, file


def nobody(server, number, ident, file):
    """By every door the person is not there."""
    client, address = server.client("app"), f"planted.{number}@rooms.example"
    for path in ("?purpose=service", "/access", "/export", "/former", "/consents", "/looks", "/disclosures", "/folders", "/preferences",
                 f"/attachments/{file}?purpose=service", "/contacts?purpose=service_notices"):
        for who in (client, server.operator()):
            who.get(f"/v1/subjects/{ident}{path}").refused("not-found", status=404)
    client.lookup({"login.email": address}, "service").refused("not-found", status=404)
    for who in (client, server.operator()):
        who.get(f"/v1/accounts/{ident}").refused("not-found", status=404)
        check(ident not in [row["id"] for row in server.operator().get("/v1/accounts").expect(200).json["accounts"]], "still in the list of accounts")
    for write in (client.record(ident, "rooms", ROOM), client.consent(ident, "product_news", "given", channel="email"),
                  client.post(f"/v1/subjects/{ident}/messages", {"purpose": "service_notices", "subject": "a", "text": "b"}),
                  client.post(f"/v1/subjects/{ident}/events", {"event": "last_use"})):
        write.refused("not-found", status=404)
    server.anyone().post("/v1/session", {"identifier": address, "password": PASSWORD, "tenant": TENANT}).refused("unauthorised", status=401)
    for words in (("show", ident, "--purpose", "service"), ("access", ident), ("looks", ident), ("former", ident)):
        status, said = command(server, "subject", *words)
        check(status != 0 and "lanted" not in said, f"garant subject {words}: {status} {said}")


@promise("MO-15")
def irreversible(t):
    """After a deletion nothing is decryptable: store, journal, a backup restored beside it; files and rooms included; a certificate proves it."""
    mailbox = t.enter_context(Mailbox())
    server, client = started(t, now=NOW, arguments=mailbox.arguments())
    operator = server.operator()
    registered(server, mailbox, person(8), "kestrel.8@rooms.example")
    support, other = staff(server, person(9), "kestrel.9@rooms.example", "support"), visitor(server, "kestrel.8@rooms.example", tenant=TENANT)
    client.record(other.id, "rooms", ROOM).expect(201)
    before = wrapped_keys(server.data)
    people = {how: whole(server, mailbox, number, support) for number, how in enumerate(("page", "API", "command"), 1)}
    keys, texts = wrapped_keys(server.data) - before, [text for number in (1, 2, 3) for text in planted(number)[1]]
    check(len(keys) >= 3, f"{len(keys)} keys of three people are in the keyring")
    copy = t.path("backup")
    operator.post("/v1/backup", {"to": copy}).expect(200)
    certificates = {}
    with part("from the profile: one press, after what goes at once was said, and nobody is signed in any more"):
        browser, elsewhere = Browser(server), Browser(server)
        for one in (browser, elsewhere):
            one.sign_in("planted.1@rooms.example", PASSWORD).expect(200)
        page = browser.get("/me/erase").expect(200).has(word("erase.gone"), "Settings of rooms", word("erase.stays"))
        shown = browser.submit(page, "/me/erase", press={"sure": "yes"}).expect(200)
        certificates["page"] = re.search(r"\b[0-9A-HJKMNP-TV-Z]{26}\b", shown.read.text)[0]
        for one in (browser, elsewhere):
            check(one.send("GET", "/me").status == 303, "a session outlives the person")
        people["page"][0].get("/v1/session").refused("unauthorised", status=401)
    with part("on a written request, by API and command"):
        certificates["API"] = client.erase(people["API"][0].id)["certificate"]["id"]
        said = json.loads(garant("erase", people["command"][0].id, "--data", server.data, "--policy", server.policy, "--tenant", TENANT, "--json"))
        certificates["command"] = said["certificate"]["id"]
        check(len(set(certificates.values())) == 3, f"{certificates}")
        for number in (2, 3):
            letter = mailbox.wait(f"planted.{number}@rooms.example", "erased")
            check(list(certificates.values())[number - 1] in letter.text, f"the person is not told the certificate: {letter.text}")
    with part("immediate: gone by page, API and command from the same moment, for good"):
        for number, (one, file) in enumerate(people.values(), 1):
            nobody(server, number, one.id, file)
            client.post(f"/v1/subjects/{one.id}/erase", {}).expect(200, 404)
            nobody(server, number, one.id, file)
        other.get(f"/v1/subjects/{other.id}/access").expect(200)
    with part("nothing is decryptable in the store: no text of theirs, and no key that opens one"):
        check_searchable(texts[:4], t.folder)
        wait_for(lambda: not operator.get("/v1/mail").expect(200).json["queued"])
        check_absent(texts, server.folder)
        left = wrapped_keys(server.data) & keys
        check(not left, f"{len(left)} keys of the people are still in the keyring")
        check_bytes_absent(keys, server.data)
    with part("nor in its journal, which goes on verifying"):
        entries = journal_of(server, t.path("journal"))
        check(not [entry for entry in entries if "lanted" in entry or any(one.id in entry for one, _ in people.values())], "the journal names somebody")
        check_absent(texts, t.path("journal"))
        operator.post("/v1/journal/verify").expect(200)
    with part("files and room data included"):
        check_absent([text for text in texts if "slide" in text or "room" in text], server.folder, copy)
        for one, file in people.values():
            for who in (client, operator):
                who.get(f"/v1/subjects/{one.id}/attachments/{file}?purpose=service").refused("not-found", status=404)
                who.get(f"/v1/subjects/{one.id}/preferences/rooms/autumn?purpose=service").refused("not-found", status=404)
    key = server.anyone().get("/v1/journal/key").expect(200).body.decode().strip()
    with part("a certificate proves it, verified offline by the program and by an independent one; an altered one is refused"):
        for how, ident in certificates.items():
            answer = client.get(f"/v1/certificates/{ident}").expect(200).json
            path = t.path(f"certificate-{how}.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(answer, file)
            check([row["category"] for row in answer["certificate"]["kept"]] == ["consents"], f"more is kept than the proofs: {answer['certificate']}")
            garant("verify", "--certificate", path, "--key", key)
            verified = subprocess.run([sys.executable, os.path.join(TOP, "tests/interop/verify.py"), t.path("journal"), "--certificate", path],
                                      capture_output=True, text=True)
            check(verified.returncode == 0, f"the certificate does not verify: {verified.stdout}{verified.stderr}")
            answer["certificate"]["at"] = "2026-11-21T10:00:00.000Z"
            with open(path, "w", encoding="utf-8") as file:
                json.dump(answer, file)
            check(garant("verify", "--certificate", path, "--key", key, ok=None).returncode != 0, "an altered certificate is taken")
    with part("nor in a backup restored beside it"):
        check_absent(texts, copy)
        server.stop()
        garant("restore", copy, "--data", server.data)
        server.start()
        for number, (one, file) in enumerate(people.values(), 1):
            nobody(server, number, one.id, file)
        check_absent(texts, server.folder, copy)
        check_bytes_absent(keys, server.data)
        again = visitor(server, "kestrel.8@rooms.example", tenant=TENANT)
        check(again.id == other.id, "the others are not all there")
        client.read(other.id, "service").expect(200)
        server.operator().post("/v1/journal/verify").expect(200)
        client.create(planted(1)[0])                                 # the address is free


@promise("MO-16")
def within_180_days(t):
    """Data goes within 180 days of the last use, to the day; a later use moves the day: a sign-in, a look at a page or at the API, what the
    platform tells."""
    mailbox = t.enter_context(Mailbox())
    server, client = started(t, now=NOW, arguments=mailbox.arguments())
    begun, people = milliseconds(NOW), {}
    for number, how in enumerate(("never used again", "told by the platform", "signed in again", "used by API", "late in the day"), 1):
        registered(server, mailbox, {**person(number), "settings": {"language": "lt"}}, f"kestrel.{number}@rooms.example")
        ident = client.lookup({"login.email": f"kestrel.{number}@rooms.example"}, "service").expect(200).json["id"]
        client.record(ident, "rooms", {**ROOM, "title": f"Planted room of kestrels {number}"}).expect(201)
        client.record(ident, "connection", {"at": NOW, "ip": "192.0.2.44"}).expect(201)
        client.request("POST", f"/v1/subjects/{ident}/attachments?category=rooms&name=planted-{number}.txt", b"Planted room file",
                       {"Content-Type": "text/plain"}.items()).expect(201)
        people[how] = {"id": ident, "number": number, "last": begun}
    by_api = visitor(server, f"kestrel.{people['used by API']['number']}@rooms.example", tenant=TENANT)

    def used(how, at, use):
        server.set_clock(milliseconds(at))
        use()
        people[how]["last"] = server.now()
    used("used by API", "2026-12-10T12:00:00Z", lambda: by_api.get("/v1/me/preferences").expect(200))
    used("told by the platform", "2026-12-20T09:00:00Z", lambda: client.post(
        f"/v1/subjects/{people['told by the platform']['id']}/events", {"event": "last_use"}).expect(204))
    used("signed in again", "2027-01-05T18:00:00Z", lambda: visitor(server, f"kestrel.{people['signed in again']['number']}@rooms.example", tenant=TENANT))
    used("late in the day", "2027-01-10T23:30:00Z", lambda: client.post(
        f"/v1/subjects/{people['late in the day']['id']}/events", {"event": "last_use"}).expect(204))
    server.restart()

    def held(one):
        answer = server.operator().get(f"/v1/subjects/{one['id']}/access").expect(200, 404, 410)
        return answer.status == 200 and f"kestrel-{one['number']}" in answer.body.decode() and f"kestrels {one['number']}" in answer.body.decode()
    with part("gone within 180 days of the last use, to the day, and a later use moves the day"):
        for how, one in sorted(people.items(), key=lambda pair: pair[1]["last"]):
            day = one["last"] - one["last"] % DAY
            server.set_clock(day + 180 * DAY - 1000)
            server.sweep()
            check(held(one), f"{how}: erased before 180 days after the last use")
            server.set_clock(min(day + 180 * DAY + 1000, one["last"] + 180 * DAY))
            server.sweep()
            check(not held(one), f"{how}: still held 180 days after the last use")
    with part("all of it, files and proofs of sign-in included, from page, API and files"):
        for one in people.values():
            for path in ("?purpose=service", "/access", "/export"):
                client.get(f"/v1/subjects/{one['id']}{path}").refused("not-found", status=404)
            server.anyone().post("/v1/session", {"identifier": f"kestrel.{one['number']}@rooms.example", "password": PASSWORD, "tenant": TENANT}) \
                  .refused("unauthorised", status=401)
        wait_for(lambda: not server.operator().get("/v1/mail").expect(200).json["queued"])
        check_absent(["Planted room", "192.0.2.44", *(f"kestrel.{one['number']}@rooms.example" for one in people.values())], server.folder)


def beyond_loopback(t, *arguments, **options):
    """A server told to listen on every address, by the machine's own clock: not started yet."""
    server = t.server(start=False, tenant=TENANT, arguments=arguments, **options)
    line = server.command()
    line[line.index("--listen") + 1] = "0.0.0.0:0"
    at = line.index("--clock-file")
    server.command = lambda: line[:at] + line[at + 2:]
    return server


def ports(process):
    """The ports at this end of all internet sockets that the process has."""
    owned, found = set(), set()
    for name in os.listdir(f"/proc/{process.pid}/fd"):
        with contextlib.suppress(OSError):
            owned.add(os.readlink(f"/proc/{process.pid}/fd/{name}")[8:-1])       # socket:[INODE]
    for kind in ("tcp", "tcp6", "udp", "udp6"):
        with open(f"/proc/{process.pid}/net/{kind}") as file:
            found |= {int(line.split()[1].rpartition(":")[2], 16) for line in file.readlines()[1:] if line.split()[9] in owned}
    return found


@promise("MO-22")
def notices_always_go(t):
    """A notice about the service goes to who refused all marketing, and says what it is; marketing does not go that way."""
    mailbox = t.enter_context(Mailbox())
    server, client = started(t, now=NOW, arguments=mailbox.arguments())
    people = {}
    for number, language in ((22, "fr"), (23, "en")):
        registered(server, mailbox, person(number), f"kestrel.{number}@rooms.example", language=language)
        people[language] = f"kestrel.{number}@rooms.example", client.lookup({"login.email": f"kestrel.{number}@rooms.example"}, "service").json["id"]
    desk = staff(server, person(9), "kestrel.9@rooms.example", "support")
    notice = {"purpose": "service_notices", "subject": "The rooms move to a new server", "text": "On Sunday the rooms will be closed for an hour."}
    with part("goes without marketing consent, whoever sends it, in either language"):
        for to, ident in people.values():
            for purpose in ("product_news", "interest_tracking"):
                client.consent(ident, purpose, "refused", channel="email").expect(201)
            client.put(f"/v1/subjects/{ident}/objections/product_news").expect(204)
            check(client.get(f"/v1/subjects/{ident}/consents").expect(200).json["live"] == [], "there is a consent")
            client.post(f"/v1/subjects/{ident}/messages", notice).expect(202)
            letter = mailbox.wait(to, "service_message")
            check(letter.subject == notice["subject"] and notice["text"] in letter.text and notice["text"] in html.unescape(letter.html), f"{letter.text}")
            server.client("mailer").post(f"/v1/subjects/{ident}/messages", {**notice, "subject": "Second notice"}).expect(202)
            check(mailbox.wait(to, "service_message", count=2).subject == "Second notice", "another letter")
    with part("marked as a notice about the service, in either language"):
        for language, words in (("fr", ("message de service", "même si elles refusent")), ("en", ("service message", "even those who refuse"))):
            letter = mailbox.wait(people[language][0], "service_message")
            check(letter.headers["service-notice"] == "letter=service_message; purpose=service_notices", f"not marked: {letter.headers}")
            for body in (letter.text, letter.html):
                check(all(word in body for word in words), f"not marked as a service notice in {language}: {body}")
            check("list-unsubscribe" not in letter.headers, "a notice that one cannot leave offers to leave it")
    with part("marketing does not go that way, even to who consents, by page and API"):
        to, ident = people["fr"]
        for decision in ("refused", "given"):
            client.consent(ident, "product_news", decision, channel="email", wording="Oui.").expect(201)
            for who in (client, server.client("mailer")):
                who.post(f"/v1/subjects/{ident}/messages", {**notice, "purpose": "product_news"}) \
                   .refused("purpose-refused", status=403, clause=r"^purposes\.product_news")
            page = form(desk, f"/staff/people/{ident}/messages", **{**notice, "purpose": "product_news"}, csrf=desk.csrf)
            check(page.status == 403 and "product_news" in page.body.decode(), f"by page: {page.status}")
        client.post(f"/v1/subjects/{ident}/messages", {**notice, "purpose": "curiosity"}).refused("purpose-refused", status=403, clause="^purposes$")
        mailbox.none_within(1, to, "service_message", count=2)


@promise("MO-23")
def encrypted_everywhere(t):
    """Hosted in the Union. Nothing in the clear beyond this machine: plain HTTP is refused there unless a proxy that ends TLS is declared,
    who came to the proxy in the clear is refused, TLS is of the policy's version; what is stored is sealed, in files, without a database link."""
    processors = ["name: UAB Example Hosting\n    purposes: [service, room_visitors]\n    categories: [identity, login, connection, settings, rooms, visitor]"
                  "\n    country: LT"]
    refuses_elsewhere(t, ["main: {country: LT, kind", "backups: {country: DE, kind"], processors, "US", "the Union", accepted="FR")
    with part("plain HTTP is refused outside loopback"):             # at the start, with the clause
        status, said = beyond_loopback(t).refuses_to_start()
        check(status == 78 and "plain HTTP beyond loopback is refused" in said, f"{status} {said}")
        line = re.search(r"policies/myownconference\.yaml:(\d+), promise MO-23", said)
        check(line, f"the clause is not named: {said}")
        check_line({"file": "policies/myownconference.yaml", "line": int(line[1]), "path": "security.transport"})
    with part("behind a declared proxy, who came to it in the clear is refused"):
        proxied = beyond_loopback(t, "--proxy")
        proxied.start()
        client = proxied.client("app")
        for path in ("/v1/policy", "/privacy", "/signin", "/me"):
            client.get(path, **{"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "http"}).refused("forbidden", status=403)
        client.post("/v1/session", {"identifier": "a@rooms.example", "password": PASSWORD},
                    **{"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "http"}).refused("forbidden", status=403)
        answer = client.get("/v1/policy", **{"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}).expect(200)
        check(answer.headers["strict-transport-security"] == "max-age=31536000", f"{answer.headers}")
        proxied.stop()
    certificates = Certificates(t.path("tls"))
    with part("TLS is of the policy's version and above, whatever is asked for"):
        outside = beyond_loopback(t, tls=certificates)
        outside.start()
        for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            try:
                Client(outside.port, context=certificates.context(old, old)).get("/healthz")
                raise Fault(f"{old.name} is spoken, and the policy says 1.2")
            except ssl.SSLError as error:
                check("PROTOCOL_VERSION" in error.reason, f"{old.name}: {error}")
        for new in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            Client(outside.port, context=certificates.context(new, new)).get("/privacy").expect(200)
        outside.stop()
    server = t.server(tenant=TENANT, tls=certificates)
    planted = ["planted-kestrel-23", "kestrel.23@rooms.example", "Planted room of kestrels"]
    with part("nothing is heard on the wire"):
        with Tap(server.port) as tap:
            client = Client(tap.port, server.client("app").token, context=server.context)
            ident = client.create({"identity": {"display_name": planted[0]}, "login": {"email": planted[1]}})["id"]
            client.record(ident, "rooms", ROOM).expect(201)
            read = client.get(f"/v1/subjects/{ident}/access").expect(200).body.decode()
            check(all(value in read for value in planted), "what was planted is not held")
            heard = bytes(tap.heard)
        check(len(heard) > 4000 and not any(value.encode() in heard for value in (*planted, ident, client.token)), "heard on the wire")
    with part("no database link: what is stored is sealed, in files of this machine"):
        check(ports(server.process) == {server.port}, f"a link to another program or machine: {ports(server.process)}")

    def state():
        board = server.client("app").get("/v1/promises?fresh=true").expect(200).json
        return next(one["state"] for one in board["clauses"] if one["path"] == "security.transport")
    with part("the board tells when the certificate is not renewed"):
        check(state() == "kept", f"the board says {state()}")
        server.advance(days=84)
        check(state() == "at_risk", f"a certificate that ends in six days: {state()}")
        server.advance(days=7)
        check(state() == "broken", f"a certificate that is over: {state()}")
    with part("no database link: what is stored is sealed, in files of this machine"):
        server.stop()
        check_searchable(planted, t.folder)
        check_absent(planted, server.folder)


class Device(Visitor):
    """A browser by the server's clock: it forgets a cookie when its time is over, as every browser does."""

    def __init__(self, server, **options):
        super().__init__(server, **options)
        self.server, self.ends, self.said = server, {}, {}

    def request(self, method, path, body=None, headers=(), key=None):
        for name in [name for name, end in self.ends.items() if self.server.now() >= end]:
            self.cookies.pop(name, None)
        answer = super().request(method, path, body, headers, key)
        first, *rest = answer.headers.get("set-cookie", "").split("; ")
        name, self.said = first.partition("=")[0], {word.partition("=")[0].lower(): word.partition("=")[2] for word in rest}
        if name:
            check(name == "__Host-sid", f"{method} {path} sets {name}")
            check("secure" in self.said and "httponly" in self.said and self.said["samesite"] == "Lax" and self.said["path"] == "/"
                  and "domain" not in self.said, f"{method} {path}: {self.said}")
            self.ends[name] = self.server.now() + int(self.said["max-age"]) * 1000
        return answer

    def slid(self, doing, answer):
        """The answer moved the cookie's end to 30 days from now, and left its value."""
        check(self.said.get("max-age") == str(30 * 86400), f"{doing}: the session slides and its cookie does not: {answer.headers.get('set-cookie')}")
        return answer


def ways_of_use(one, room):
    """Every way in which a signed-in person uses the server: what it is, and the request."""
    own = f"/v1/subjects/{one.id}"
    return {"a page": lambda: one.get("/me", Accept="text/html").expect(200),
            "a form": lambda: form(one, "/me/language", language="en", next="/me", csrf=one.csrf).expect(303),
            "a download": lambda: form(one, "/me/export", csrf=one.csrf).expect(200),
            "a page that is not there": lambda: one.get("/me/edit/nothing", Accept="text/html").expect(404),
            "the API, reading": lambda: one.get("/v1/session").expect(200),
            "the API, a list": lambda: one.get("/v1/me/sessions").expect(200),
            "the API, a long answer": lambda: one.get(own + "/access").expect(200),
            "the API, a file": lambda: one.get(own + "/export").expect(200),
            "the API, writing": lambda: one.put("/v1/me/preferences/rooms/" + room, {"title": "Room of the cookie"}).expect(200),
            "the API, refused": lambda: one.put("/v1/me/preferences/rooms/" + room, {"layout": "cinema"}).expect(422),
            "the API, forbidden": lambda: one.get("/v1/accounts").expect(403),
            "the API, without the session's token": lambda: one.request("PUT", "/v1/me/preferences/rooms/" + room, {"title": "a"},
                                                                      {"X-CSRF-Token": "none"}.items()).expect(403),
            "what a proxy asks": lambda: one.get("/v1/forward-auth").expect(200)}


@promise("MO-17")
def one_session_cookie(t):
    """The session's cookie is opaque, slides with every use, and ends 30 days after the last; public pages set none; no password is typed again."""
    mailbox = t.enter_context(Mailbox())
    server, _ = started(t, now=NOW, arguments=mailbox.arguments())
    address = person(1)["login"]["email"]
    registered(server, mailbox, person(1), address)
    with part("the public pages set none"):              # every route that is nobody's in particular, for who is not signed in
        public = [path for method, path, who in routes() if method == "GET" and who in ("PUBLIC", "ANYONE") and "{" not in path]
        check(len(public) > 15 and {"/privacy", "/cookies", "/signin", "/register"} <= set(public), f"{public}")
        for path in public:
            for accept in ("text/html", "application/json"):
                answer = server.anyone().get(path, Accept=accept)
                check(answer.status < 500 and "set-cookie" not in answer.headers, f"{path} sets {answer.headers.get('set-cookie')}")
    one, other = Device(server).sign_in(address), Device(server).sign_in(address)
    with part("the public pages set none"):              # nor for who is signed in: looking at them is no use of the session
        for path in [path for method, path, who in routes() if method == "GET" and who == "PUBLIC" and "{" not in path]:
            server.advance(minutes=1)
            check("set-cookie" not in other.get(path, Accept="text/html").headers, f"{path} sets a cookie for who is signed in")
        seen = [row["seen"] for row in one.get("/v1/me/sessions").expect(200).json["sessions"] if not row["this"]]
        check([milliseconds(at) for at in seen] == [milliseconds(NOW)], f"looking at the public pages is a use: {seen}")
    value = one.cookies["__Host-sid"]
    with part("its value is opaque, and holds nothing personal"):
        check(re.fullmatch(r"[\w-]{43}", value) and value != other.cookies["__Host-sid"], f"not opaque: {value}")
        bytes_of_it = base64.urlsafe_b64decode(value + "=")
        check(address.encode() not in bytes_of_it and one.id not in value and one.id.encode() not in bytes_of_it, "it holds who it is of")
        check_absent([value], server.folder)
    with part("each use moves its end, by page, API and proxy"):
        for doing, use in ways_of_use(one, "autumn").items():
            server.advance(hours=1)
            one.slid(doing, use())
    with part("the password is not typed again"):        # for months, over a restart, as long as the cookie is used within its 30 days
        for doing in ("the API, reading", "a page", "the API, writing", "what a proxy asks"):
            server.advance(days=29)
            one.slid(doing, ways_of_use(one, "autumn")[doing]())
        server.restart()
        server.advance(days=29, hours=23)
        one.slid("after a restart", one.get("/v1/session").expect(200))
        check(one.cookies["__Host-sid"] == value, "another value")
    with part("gone 30 days after the last use, in the browser and on the server"):
        idle = Device(server).sign_in(address)
        kept = idle.cookies["__Host-sid"]
        server.advance(days=30, minutes=-1)
        idle.get("/me", Accept="text/html").expect(200)
        server.advance(days=30, minutes=1)
        idle.get("/v1/session").refused("unauthorised", status=401)
        check(not idle.cookies, "the browser keeps the cookie beyond 30 days")
        Client(server.port, headers={"Cookie": f"__Host-sid={kept}"}).get("/v1/session").refused("unauthorised", status=401)
    with part("it does not outlive the session"):        # whose last hour is 180 days after the sign-in, whatever the use
        fresh = Device(server).sign_in(address)
        for days in (25, 25, 25, 25, 25, 29):
            server.advance(days=days)
            fresh.get("/v1/session").expect(200)
        check(fresh.said["max-age"] == str(26 * 86400), f"the cookie outlives the session's last hour: {fresh.said}")
        server.advance(days=26, minutes=1)
        fresh.get("/v1/session").refused("unauthorised", status=401)
        check(not fresh.cookies, "the cookie outlives the session")
        for number, (doing, end) in enumerate(ways_of_ending().items(), 2):
            registered(server, mailbox, person(number), person(number)["login"]["email"])
            leaver = Device(server).sign_in(person(number)["login"]["email"])
            answer = end(leaver)
            check("__Host-sid" not in leaver.cookies and leaver.said.get("max-age") == "0", f"{doing}: the cookie stays: {answer.headers}")
            leaver.get("/v1/session").expect(401)


def ways_of_ending():
    """Every way in which a person ends the session they are in."""
    def this(one):
        return next(row["id"] for row in one.get("/v1/me/sessions").expect(200).json["sessions"] if row["this"])
    return {"sign-out by API": lambda one: one.delete("/v1/session").expect(204),
            "sign-out by page": lambda one: form(one, "/signout", csrf=one.csrf).expect(303),
            "this device by API": lambda one: one.delete("/v1/me/sessions/" + this(one)).expect(204),
            "this device by page": lambda one: form(one, "/me/sessions", session=this(one), csrf=one.csrf).expect(303),
            "closing by API": lambda one: one.post("/v1/me/close", {}).expect(204),
            "closing by page": lambda one: form(one, "/me/close", csrf=one.csrf, sure="yes").expect(200),
            "erasure by API": lambda one: one.post(f"/v1/subjects/{one.id}/erase", {}).expect(200),
            "erasure by page": lambda one: form(one, "/me/erase", sure="yes", csrf=one.csrf).expect(200)}


@promise("MO-24")
def agreement_before_work(t):
    """A staff role stays closed, by token and by session, until its signed agreement is on record; both are in the journal."""
    server, client = started(t, now=NOW)
    operator, ident = server.operator(), client.create(person(1))["id"]
    clerk = opened(server, person(7), role="support")
    made = operator.post("/v1/tokens", {"name": "clerk", "actor": "support", "holder": clerk}).expect(201).json
    by_token = Client(server.port, made["token"], headers={"Garant-Reason": "ticket 4711"}, epoch=lambda: server.starts)
    by_session = visitor(server, person(7)["login"]["email"])
    by_session.post("/v1/me/factor/confirm", {"code": totp(by_session.post("/v1/me/factor", {}).expect(200).json["secret"], server.now())}).expect(200)
    by_session.csrf = by_session.get("/v1/session").expect(200).json["csrf"]
    by_session.headers = {"Garant-Reason": "ticket 4711"}
    nobody = server.client("support")
    nobody.headers = {"Garant-Reason": "ticket 4711"}
    with part("the role is closed until the signature"):             # by token, by session, on the pages; and to a token that stands for nobody
        for one in (by_token, by_session, nobody):
            one.read(ident, "service").refused("forbidden", status=403, clause=r"^roles\.support")
            one.get("/v1/accounts").refused("forbidden", status=403)
        for path in ("/staff/people", "/staff/open", f"/staff/people/{ident}"):
            by_session.get(path, Accept="text/html").expect(403)
        check(by_session.get("/v1/session").expect(200).json["closed"] == "agreement", "the session does not say why its role is closed")
    with part("nobody records their own, nor one that is not signed yet"):
        by_session.post(f"/v1/accounts/{clerk}/agreement", {"date": "2026-11-20", "reference": "mine"}).refused("forbidden", status=403)
        form(by_session, f"/staff/people/{clerk}/agreement", date="2026-11-20", reference="mine", csrf=by_session.csrf).expect(403)
        by_token.post(f"/v1/accounts/{clerk}/agreement", {"date": "2026-11-20", "reference": "mine"}).refused("forbidden", status=403)
        operator.post(f"/v1/accounts/{clerk}/agreement", {"date": "2026-11-23", "reference": "tomorrow"}).refused("invalid-value", status=422)
        by_session.read(ident, "service").refused("forbidden", status=403, clause=r"^roles\.support")
    with part("the signature is recorded, with its date, and seen by who signed"):
        operator.post(f"/v1/accounts/{clerk}/agreement", {"date": "2026-11-20", "reference": "Planted safe, shelf 4"}).expect(200)
        check(operator.get(f"/v1/accounts/{clerk}").expect(200).json["account"]["agreement"].startswith("2026-11-20"), "the date is not shown")
        check("2026-11-20" in command(server, "account", "show", clerk)[1], "the command does not show the date")
        looks = client.get(f"/v1/subjects/{clerk}/access").expect(200).json["looks"]
        check("account.agreement" in [look["act"] for look in looks], f"not on record: {looks}")
        with zipfile.ZipFile(io.BytesIO(form(by_session, "/me/export", csrf=by_session.csrf).expect(200).body)) as archive:
            own = json.loads(archive.read("data.json"))["account"]
        check(own["agreement"].startswith("2026-11-20"), f"who signed does not see it: {own}")
    with part("the role opens then"):
        for one in (by_token, by_session):
            one.read(ident, "service").expect(200)
        by_session.get("/staff/people", Accept="text/html").expect(200)
        nobody.read(ident, "service").refused("forbidden", status=403, clause=r"^roles\.support")
        check(by_session.get("/v1/session").expect(200).json["closed"] is None, "the session still says closed")
        other = opened(server, person(8), role="support")            # one's signature opens nobody else's role
        theirs = operator.post("/v1/tokens", {"name": "other", "actor": "support", "holder": other}).expect(201).json["token"]
        Client(server.port, theirs, headers={"Garant-Reason": "ticket 4712"}).read(ident, "service").refused("forbidden", status=403, clause=r"^roles\.support")
    with part("what was refused before is on record, for whom it concerns"):
        refusals = [look for look in client.get(f"/v1/subjects/{ident}/access").expect(200).json["looks"] if look["outcome"] == "refused"]
        check(len([look for look in refusals if look["actor"] == "support"]) >= 6, f"{refusals}")
        check_absent(["Planted safe, shelf 4", "ticket 4711"], server.data)


@promise("MO-20")
def no_payment_data(t):
    """A card number in any field, event, message or log is refused or masked; only the payment's reference is kept."""
    server, client = started(t)
    document = client.get("/v1/policy").expect(200).json["document"]
    ident = client.create(person(1))["id"]
    client.consent(ident, "support_extra", "given").expect(201)
    client.consent(ident, "interest_tracking", "given", channel="email").expect(201)
    client.consent(ident, "room_support", "given").expect(201)
    valid = {"identity": person(2)["identity"], "login": {"email": "free@rooms.example"}, "connection": {"at": NOW, "ip": "192.0.2.1"},
             "settings": {}, "rooms": ROOM, "payments": PAYMENT, "support_notes": {"at": NOW, "note": "help"}, "visitor": {"name": "Guest"},
             "interest": {"at": NOW, "message": "m", "action": "link", "link": "https://rooms.example/"},
             "billing": {"payer": "company", "company_name": "K", "company_address": "V", "iban": "LT121000011101001000"}}
    tried = 0
    for category, body in document["categories"].items():
        for field, type_ in body["fields"].items():
            if type_["type"] not in ("text", "email", "url", "phone", "json"):
                continue
            for card in CARDS:
                fields = {**valid[category], field: {"email": card.replace(" ", "") + "@rooms.example",
                                                     "url": "https://rooms.example/" + card.replace(" ", "")}.get(type_["type"], card)}
                if body.get("many") == "true":
                    answer = client.record(ident, category, fields)
                else:
                    answer = client.post("/v1/subjects", {"data": {**person(3), category: fields}, "source": "person"})
                check(answer.status == 422, f"{category}.{field} with {card}: {answer.status} {answer.body[:200]!r}")
                problem = answer.refused("card-number", "invalid-value", status=422)
                check(type_["type"] != "text" or problem["code"] == "card-number", f"{category}.{field}: {problem}")
                check(not re.search(r"\d{6}", problem["detail"]), f"the refusal repeats digits: {problem}")
                tried += 1
    check(tried > 50, f"only {tried} fields were tried")
    for card in CARDS:
        client.consent(ident, "product_news", "given", channel="email", wording=card).refused("card-number", status=422)
        client.consent(ident, "product_news", "given", channel="email", by=card).refused("card-number", status=422)
        client.post("/v1/subjects", {"data": person(4), "source": "person", "supplied_by": card}).refused("card-number", status=422)
        client.post(f"/v1/subjects/{ident}/holds", {"category": "*", "ground": card}).refused("card-number", status=422)
        client.put(f"/v1/subjects/{ident}/restriction", {"ground": card}).refused("card-number", status=422)
        client.request("POST", f"/v1/subjects/{ident}/attachments?category=rooms&name=note.txt", f"text {card} text".encode(),
                       {"Content-Type": "text/plain"}.items()).refused("card-number", status=422)
        name = urllib.parse.quote(card)
        client.request("POST", f"/v1/subjects/{ident}/attachments?category=rooms&name={name}", b"slides",
                       {"Content-Type": "text/plain"}.items()).refused("card-number", status=422)
    for purpose in ("card_storage", "card_processing"):
        client.read(ident, purpose).refused("purpose-refused", status=403, clause=r"^never\.payment_data", promise="MO-20")
    # What looks like one and is none passes; the payment's reference is kept.
    client.record(ident, "support_notes", {"at": NOW, "note": "ticket 4111111111111112, call +33 1 23 45 67 89"}).expect(201)
    with part("only the payment's reference is kept"):
        client.record(ident, "payments", PAYMENT).expect(201)
        told = client.get(f"/v1/subjects/{ident}/access").expect(200).json
        payments = next(one for one in told["categories"] if one["category"] == "payments")
        check([name for record in payments["records"] for name in record["fields"]] == list(PAYMENT), f"{payments}")
        check(PAYMENT["reference"] in json.dumps(told["data"]["payments"]), f"the reference is not kept: {told['data']}")
    client.get("/v1/subjects/4111111111111111?purpose=service").expect(404, 400)
    client.get("/v1/certificates/4111111111111111").expect(404, 400)
    client.post("/v1/subjects", {"data": person(5), "source": "person"}, key="4111111111111111")
    server.stop()
    check_absent(["4111111111111111", "4111 1111 1111 1111", "5500-0000-0000-0004", "3782 822463 10005", "6011000990139424",
                  "378282246310005", "5500000000000004"], server.folder)


@promise("MO-08")
def consent_taken_for_somebody(t):
    """No other use without a consent; taken by a representative for a person, it is recorded with who took it, how, and the wording."""
    mailbox = t.enter_context(Mailbox())
    server, app = started(t, arguments=mailbox.arguments())
    wording = "Planted wording: do you want to hear about our other products by e-mail? You may stop at any time."
    channel, host = {"channel": "email"}, {"recipient": "host", "purpose": "product_news", "categories": ["login"]}
    registered(server, mailbox, person(1), "kestrel.1@rooms.example")
    one = visitor(server, "kestrel.1@rooms.example", tenant=TENANT)
    representative, books = (staff(server, person(number), f"kestrel.{number}@rooms.example", role)
                             for number, role in ((3, "representative"), (4, "accounting")))
    opened(server, person(6), role="representative")
    unsigned = visitor(server, "kestrel.6@rooms.example", tenant=TENANT)
    email = {"login": {"email": "kestrel.1@rooms.example"}}

    def no_use():
        """Every read and act for it, by every actor, is refused for want of the consent, or because the actor has nothing to do with it."""
        for who, name in ((app, "app"), (server.client("mailer"), "mailer"), (representative, "representative")):
            for purpose in ("product_news", "interest_tracking"):
                for doing, ask in uses_of(who, one.id, purpose, email, {"login": {"email": "kestrel.1@rooms.example"}}, recipient="host").items():
                    if "nobody in particular" not in doing:
                        refused(f"{name}, {doing} for {purpose}", ask(), "consent-missing", "purpose-refused", "forbidden", status=403)
            for purpose in ("product_news",):
                who.get(f"/v1/subjects/{one.id}?purpose={purpose}").refused("consent-missing", status=403, clause=r"^purposes\.product_news$", promise="MO-09")
    with part("no other use without a consent: no read and no act, by any actor, with its clause"):
        no_use()
        page = form(representative, f"/staff/people/{one.id}", purpose="product_news").expect(403).body.decode()
        check("purposes.product_news" in page and "kestrel-1" not in page, f"by page: {page}")
    with part("at sign-up, by the person's own hand, on the page and by API"):
        browser = Browser(server)
        registering = browser.get("/register").expect(200)
        ticked = {"consent.product_news.email": "on"}
        browser.submit(registering, "/register", press=ticked, fields={"identity.display_name": "kestrel-7", "login.email": "kestrel.7@rooms.example"}) \
               .expect(200)
        server.anyone().post("/v1/accounts/register", {"data": person(5), "password": PASSWORD, "language": "en", "consents": [
            {"purpose": "product_news", "decision": "given", "wording": wording, **channel}]}).expect(202)
        for number in (7, 5):
            address = f"kestrel.{number}@rooms.example"
            link = mailbox.wait(address).links[0]
            server.anyone().post("/v1/registrations/confirm", {"token": link.rpartition("=")[2], "password": PASSWORD}).expect(200)
            own = visitor(server, address, tenant=TENANT)
            rows = own.get(f"/v1/subjects/{own.id}/consents").expect(200).json
            check([(row["decision"], row["purpose"]) for row in rows["consents"]] == [("given", "product_news")], f"{rows}")
            check(rows["live"] == ["product_news"], f"{rows}")
            check(rows["consents"][0]["wording"], f"the words of the form are not kept: {rows}")
            app.read(own.id, "product_news").expect(200)
            app.read(own.id, "interest_tracking").refused("consent-missing", status=403, clause=r"^purposes\.interest_tracking$")
    said = {"purpose": "product_news", "decision": "given", "wording": wording, "method": "telephone", "by": "Zoé Lindqvist, desk 4", **channel}
    path = f"/v1/subjects/{one.id}/consents"
    with part("taken by a representative alone, and by nobody whose role does not take consents"):
        refused("accounting", books.post(path, said), "forbidden", status=403, clause=r"^roles\.accounting$")
        refused("the mailer", server.client("mailer").post(path, said), "forbidden", status=403, clause=r"^systems\.mailer$")
        refused("a representative who has not signed", unsigned.post(path, said), "forbidden", status=403)
        for method in ("use", "continue", "terms"):                  # what is no act of the person is no consent, whoever notes it
            representative.post(path, {**said, "method": method}).refused("undeclared", status=422, clause="^consent.method$", promise="MO-08")
        check(one.get(path).expect(200).json["consents"] == [], "recorded all the same")
        representative.post(path, said).expect(201)
        representative.get(f"/v1/subjects/{one.id}?purpose=product_news").expect(200)
        app.read(one.id, "product_news").expect(200)
    row = one.get(path).expect(200).json["consents"][-1]
    told = garant("subject", "consents", one.id, "--data", server.data, "--policy", server.policy, "--tenant", TENANT, "--json")
    command_row = json.loads(told)["consents"][-1]
    access = one.get(f"/v1/subjects/{one.id}/access").expect(200).json
    exported = app.export(one.id)[1]
    with part("recorded: who took it, in the ledger, in what the person takes away and in their view of looks"):
        check(row["by"] == command_row["by"] == "Zoé Lindqvist, desk 4", f"{row} {command_row}")
        for held in (access, exported):
            check("Zoé Lindqvist, desk 4" in json.dumps(held, ensure_ascii=False), "it is not told who took it")
        check(any(look["actor"] == "representative" and look["act"] == "consent.given" for look in access["looks"]), "the role that took it is not in the view")
        check_absent(["Zoé Lindqvist"], server.folder)
    with part("recorded: how"):
        check(row["method"] == command_row["method"] == "telephone" and row["channel"] == "email" and row["at"] and row["policy"] == "4.0", f"{row}")
    with part("recorded: the wording itself, which the person reads again"):
        check(row["wording"] == command_row["wording"] == wording, f"{row}")
        check(row["wording_hash"] == hashlib.sha256(wording.encode()).hexdigest(), f"the wording: {row}")
        check(wording in json.dumps(access, ensure_ascii=False) and wording in json.dumps(exported, ensure_ascii=False), "not in the access answer or export")
        for language in ("fr", "en"):
            shown = html.unescape(one.get(f"/me/consents?lang={language}", Accept="text/html").expect(200).body.decode())
            check(wording in shown, f"the page in {language} does not show what was asked")
    with part("withdrawn as any other, by the person, at once, with one press"):
        form(one, "/me/consents", purpose="product_news", channel="email", decision="withdrawn", csrf=one.csrf).expect(303)
        no_use()
        rows = one.get(path).expect(200).json
        check([r["decision"] for r in rows["consents"]] == ["given", "withdrawn"] and rows["live"] == [], f"{rows}")
        representative.post(path, {**said, "by": "Zoé Lindqvist, desk 4"}).expect(201)       # asked again, it may be given again
        app.read(one.id, "product_news").expect(200)


@promise("MO-10")
def only_who_needs_it(t):
    """A role reads for its own ends, after its agreement, its second factor and, for support, a reason; the person sees every look."""
    mailbox = t.enter_context(Mailbox())
    server, app = started(t, arguments=mailbox.arguments())
    registered(server, mailbox, person(1), "kestrel.1@rooms.example")
    one = visitor(server, "kestrel.1@rooms.example", tenant=TENANT)
    file = app.request("POST", f"/v1/subjects/{one.id}/attachments?category=rooms&name=plan.txt", b"a plan", {"Content-Type": "text/plain"}.items()) \
              .expect(201).json["id"]
    app.put(f"/v1/subjects/{one.id}/preferences/rooms/autumn?purpose=service", {"title": "Autumn"}).expect(200)
    support, news, books = (staff(server, person(number), f"kestrel.{number}@rooms.example", role)
                            for number, role in ((2, "support"), (3, "representative"), (4, "accounting")))
    why = "planted ticket 4711: the room does not open"
    said = {"Garant-Reason": urllib.parse.quote(why)}

    def read(who, purpose, **headers):
        return who.get(f"/v1/subjects/{one.id}?purpose={purpose}", **headers)

    def seen():
        return one.get(f"/v1/subjects/{one.id}/access").expect(200).json["looks"]
    before = len(seen())
    looks = {"a read": lambda **more: read(support, "service", **more),
             "a look-up": lambda **more: support.request("POST", "/v1/subjects/lookup", {"identifier": {"login.email": "kestrel.1@rooms.example"},
                                                         "purpose": "service"}, more.items()),
             "a file": lambda **more: support.get(f"/v1/subjects/{one.id}/attachments/{file}?purpose=service", **more),
             "preferences": lambda **more: support.get(f"/v1/subjects/{one.id}/preferences/rooms/autumn?purpose=service", **more),
             "all preferences": lambda **more: support.get(f"/v1/subjects/{one.id}/preferences?purpose=service", **more),
             "the contact log": lambda **more: support.get(f"/v1/subjects/{one.id}/contacts?purpose=service", **more),
             "the choices": lambda **more: support.get(f"/v1/subjects/{one.id}/consents", **more),
             "the account": lambda **more: support.get(f"/v1/accounts/{one.id}", **more)}
    with part("the need is checked: a reason, before each look, by page and API"):
        for name, look in looks.items():
            for none in ({}, {"Garant-Reason": "%20"}):
                refused(name, look(**none), "reason-missing", status=403, clause=r"^roles\.support\.reason$", promise="MO-10")
        for path in ("", "/contacts"):
            page = form(support, f"/staff/people/{one.id}{path}", purpose="service", reason="")
            check(page.status == 403 and "kestrel-1" not in page.body.decode(), f"{path}: {page.status} without a reason")
        for name, look in looks.items():
            look(**said).expect(200)
        page = form(support, f"/staff/people/{one.id}", purpose="service", reason=why).expect(200).body.decode()
        check("kestrel-1" in page, "no look by page")
    acts = {"subject.update": lambda **more: support.request("POST", f"/v1/subjects/{one.id}/records/rooms", {"fields": ROOM}, more.items()),
            "rectify": lambda **more: support.request("PATCH", f"/v1/subjects/{one.id}?purpose=service", {"identity": {"first_name": "Rasa"}},
                                                      {"If-Match": "*", **more}.items()),
            "consent.refused": lambda **more: support.request("POST", f"/v1/subjects/{one.id}/consents", {"purpose": "support_extra",
                                                              "decision": "refused"}, more.items()),
            "attachment.add": lambda **more: support.request("POST", f"/v1/subjects/{one.id}/attachments?category=rooms&name=a.txt", b"a",
                                                             {"Content-Type": "text/plain", **more}.items())}
    with part("the need is checked: a reason, before each look, by page and API"):
        for name, act in acts.items():                           # what is done besides looking needs its reason too, and keeps it
            refused(name, act(), "reason-missing", status=403, clause=r"^roles\.support\.reason$", promise="MO-10")
            check(act(**said).status < 300, "not done")
    with part("the role is checked: each for its own ends and no other, by page and API"):
        for who, role, purpose in ((support, "support", "billing"), (books, "accounting", "service"), (news, "representative", "billing"),
                                   (support, "support", "product_news"), (books, "accounting", "room_visitors")):
            refused(f"{role} for {purpose}", read(who, purpose, **said), "forbidden", status=403, clause=rf"^roles\.{role}$")
            page = form(who, f"/staff/people/{one.id}", purpose=purpose, reason=why).expect(403).body.decode()
            check(f"roles.{role}" in page and "kestrel.1@" not in page, f"the page of {role} for {purpose}: {page}")
        read(news, "product_news").refused("consent-missing", status=403, clause=r"^purposes\.product_news")
        check(set(read(books, "billing").expect(200).json["data"]) <= {"identity", "login", "billing", "payments"}, "accounting sees more")
        check(set(read(news, "service").expect(200).json["data"]) <= {"identity", "login", "connection", "settings", "rooms"}, "a representative sees more")
    with part("who has signed nothing, gave no second factor, or has no role, has no access"):
        opened(server, person(5), role="accounting")
        closed = visitor(server, "kestrel.5@rooms.example", tenant=TENANT)
        read(closed, "billing").refused("forbidden", status=403)
        for path in ("/staff/people", "/staff/open", f"/staff/people/{one.id}"):
            closed.get(path, Accept="text/html").expect(403)
            one.get(path, Accept="text/html").expect(403)
        check(word("staff.closed") in closed.get("/staff", Accept="text/html").expect(403).body.decode(), "the page does not say that the role is closed")
        one.get(f"/v1/subjects/{support.id}?purpose=service").refused("forbidden", status=403)
        for path in ("access", "looks", "consents"):
            one.get(f"/v1/subjects/{support.id}/{path}").refused("not-found", status=404)
    with part("every access is in the person's own view: who, for what, why; by page, API and command"):
        told = seen()[:len(seen()) - before]
        done = [(look["actor"], look["act"], look["purpose"], look["reason"]) for look in told if look["outcome"] == "done"]
        check(len([row for row in done if row[0] == "support" and row[3] == why]) >= len(looks) + 1, f"looks of support seen: {told}")
        check(all(row[3] == why for row in done if row[0] == "support"), f"a look without its reason: {told}")
        for act in ("read", "subject.lookup", "attachment.read", "account.read"):
            check(("support", act, "service", why) in done, f"no {act} seen: {told}")
        for act in acts:
            check(any(row[:2] == ("support", act) and row[3] == why for row in done), f"no {act} with its reason seen: {told}")
        check(("accounting", "read", "billing", None) in done and ("representative", "read", "service", None) in done, f"looks seen: {told}")
        denied = [look for look in told if look["outcome"] == "refused"]
        check({"support", "representative", "accounting"} <= {look["actor"] for look in denied} and len(denied) >= 20, f"refusals seen: {denied}")
        pages = one.get(f"/v1/subjects/{one.id}/looks?limit=1000").expect(200).json["looks"]
        check({look["entry"] for look in told} <= {look["entry"] for look in pages}, "the list of looks has fewer")
        ran = json.loads(garant("subject", "looks", one.id, "--data", server.data, "--policy", server.policy, "--tenant", TENANT, "--json"))["looks"]
        check({look["entry"] for look in told} <= {look["entry"] for look in ran}, "the command shows fewer")
        for language, role in (("en", "Support"), ("fr", "Assistance")):
            shown = one.get(f"/me/looks?lang={language}").expect(200).body.decode()
            check(role in shown and why in shown, f"the page in {language} does not show who looked and why")
        def listed():
            return [(look["actor"], look["reason"]) for look in seen() if look["act"] == "account.listed"]
        already = len(listed())
        support.get("/v1/accounts", **said).expect(200)
        form(support, "/staff/people", state="", reason=why).expect(200)
        garant("account", "list", "--data", server.data, "--policy", server.policy, "--tenant", TENANT, "--json")
        check(listed()[:len(listed()) - already] == [("operator", None), ("support", why), ("support", why)], f"who listed accounts: {listed()}")
    with part("the reason stands nowhere in clear"):
        check_searchable([why], t.folder)
        check_absent([why], server.folder)
    with part("a role taken back is over at once"):
        server.operator().put(f"/v1/accounts/{support.id}/role", {"role": None}).expect(204)
        read(support, "service", **said).refused("unauthorised", status=401)


@promise("MO-18")
def without_cookies(t):
    """Who refuses cookies is not kept signed in: every public page works, and what is one's own asks to sign in again."""
    mailbox = t.enter_context(Mailbox())
    server, _ = started(t, now=NOW, arguments=mailbox.arguments())
    registered(server, mailbox, person(1), "kestrel.1@rooms.example")
    signed = visitor(server, "kestrel.1@rooms.example", tenant=TENANT)
    signed.get("/v1/session").expect(200)
    mine = [path for method, path, who in routes() if method == "GET" and who == "SELF" and path.startswith("/me") and "{" not in path]
    check(len(mine) > 10, f"{mine}")
    with part("pages work without cookies: each public one, forms included"):
        public = [path for method, path, who in routes() if method == "GET" and who in ("PUBLIC", "ANYONE") and "{" not in path
                  and not path.startswith(("/v1/", "/leave", "/registration", "/confirm", "/invitation", "/requests/")) and path != "/"]
        # this policy logs no use by scripts; no form is named, and no link of a recipient or of what it was told
        without = {"/embed/usage.js": 404, "/embed/usage.gif": 400, "/embed/form.js": 400, "/charter": 404, "/told": 404}
        for path in public:
            page = Browser(server).send("GET", path)
            served = (without[path],) if path in without else (200, 302)
            check(page.status in served and "set-cookie" not in page.headers, f"{path}: {page.status} {page.headers}")
        server.anyone().post("/v1/password/reset", {"identifier": "kestrel.1@rooms.example", "tenant": TENANT}).expect(202)
        browser = Browser(server)
        registering = browser.get("/register").expect(200)
        sent = browser.submit(registering, "/register", fields={"identity.display_name": "k", "login.email": "kestrel.7@rooms.example"})
        check(sent.status == 200 and not browser.cookies, "registering takes a cookie")
        mailbox.wait("kestrel.7@rooms.example")
    with part("thrown away, the session is reset: every own page and answer asks to sign in again"):
        signed.cookies = {}
        browser = Browser(server)
        for path in mine:
            asked = browser.send("GET", path)
            check(asked.status == 303 and asked.headers["location"] == "/signin?next=" + urllib.parse.quote(path, safe=""), f"{path}: {asked.headers}")
        page = browser.get("/me").expect(200)
        check(any(form_["action"].split("?")[0] == "/signin" for form_ in page.read.forms), "it does not ask to sign in")
        for path in ("/v1/session", "/v1/me/sessions", "/v1/me/preferences", "/v1/me/folders"):
            signed.get(path).refused("unauthorised", status=401)
        signed.put("/v1/me/preferences/rooms/autumn", {"title": "Autumn"}).refused("unauthorised", status=401)
    with part("signing in works as often as one likes, and without the cookie for that answer only"):
        for _ in range(3):
            answer = signed.post("/v1/session", {"identifier": "kestrel.1@rooms.example", "password": PASSWORD, "tenant": TENANT}).expect(200)
            check("set-cookie" in answer.headers, "no cookie was offered")
            signed.cookies = {}
            signed.get("/v1/session").refused("unauthorised", status=401)
        back = Browser(server)
        page = back.submit(back.get("/me/looks"), "/signin", identifier="kestrel.1@rooms.example", password=PASSWORD).expect(200)
        check(page.path == "/me/looks", f"not led back to where one was going: {page.path}")
