"""What public authorities ask, and a new owner: two people approve, what is handed over is on record, and the person is told."""
import datetime, hashlib, html, json, re, urllib.parse
from garant import check, check_absent, check_bytes_absent
from mailbox import Mailbox, wait_for
from notices import own_copy
from people import PASSWORD, form, opened, registered, staff, upload, visitor
from promise import part, promise
from uses import command, refused, uses_of
import dm, mo, mp

NOW = "2026-12-20T10:00:00Z"
PDF = b"%PDF-1.4 planted requisition of the court"
GROUND, COURT, LAW = "Code de procédure pénale, art. 77-1-1", "Tribunal judiciaire de Planted", "Code de procédure pénale, art. 11"


def asked(people, categories=("identity", "contact"), **more):
    return {"authority": COURT, "ground": GROUND, "reference": "PV 2026/815", "received": "2026-12-19", "subjects": list(people),
            "categories": list(categories), **more}


def entered(who, people, **more):
    """Entered with its document by a program or by staff; its id."""
    ident = who.post("/v1/authorities", asked(people, **more)).expect(201).json["id"]
    who.request("POST", f"/v1/authorities/{ident}/document?name=requisition.pdf", PDF, {"Content-Type": "application/octet-stream"}.items()).expect(201)
    return ident


def approved(ident, *people):
    for one in people:
        one.post(f"/v1/authorities/{ident}/approve").expect(200)
    return ident


def hand(who, ident, subject):
    return who.post(f"/v1/authorities/{ident}/hand", {"subject": subject})


class Seen:
    """All that one person can see of what an authority was given."""

    def __init__(self, server, ident, address):
        self.server, self.ident, self.person = server, ident, visitor(server, address)

    def doors(self):
        operator, ident = self.server.operator(), self.ident
        export = operator.export(ident)
        return {"access answer": operator.get(f"/v1/subjects/{ident}/access").expect(200).json,
                "own access answer": self.person.get(f"/v1/subjects/{ident}/access").expect(200).json,
                "export": export[1], "command": json.loads(self.server.run("subject", "access", ident, "--json"))}

    def pages(self):
        paths = ("/me", "/me/looks", "/me/history", "/me/requests")
        return {path: html.unescape(self.person.get(path, Accept="text/html").expect(200).body.decode()) for path in paths}

    def nothing(self):
        """No door tells that it was asked, approved or handed over."""
        for name, file in self.doors().items():
            text = json.dumps(file, ensure_ascii=False)
            check(file["authorities"] == [] and file["disclosures"] == [], f"{name} tells: {file['authorities']} {file['disclosures']}")
            check_absent([COURT, GROUND, LAW, "PV 2026/815"], text, name)
            check(not [look for look in file["looks"] if look["act"].startswith("authority.")], f"{name} lists the look")
        for path, text in self.pages().items():
            check_absent([COURT, GROUND, LAW, "Data given to a public authority", "Données remises à une autorité publique"], text, path)
        listed = self.person.get(f"/v1/subjects/{self.ident}/disclosures").expect(200).json["disclosures"]
        looks = self.person.get(f"/v1/subjects/{self.ident}/looks").expect(200).json["looks"]
        check(listed == [] and not [look for look in looks if look["act"].startswith("authority.")], f"{listed} {looks}")

    def told(self, categories, at, secrecy=None):
        """Every door tells it, with ground, and until when the law forbade it."""
        for name, file in self.doors().items():
            row, = file["authorities"]
            check((row["authority"], row["ground"], row["reference"], row["categories"]) == (COURT, GROUND, "PV 2026/815", categories), f"{name}: {row}")
            check(row["handed"][:10] == at and row["secrecy"] == secrecy, f"{name}: {row}")
            given, = file["disclosures"]
            check((given["recipient"], given["name"], given["ground"], given["categories"], given["at"][:10]) ==
                      ("authorities", COURT, GROUND, categories, at), f"{name}: {given}")
        page = self.pages()["/me"]
        check(COURT in page and GROUND in page and (secrecy is None or secrecy in page), f"{page}")
        check([row["ground"] for row in self.person.get(f"/v1/subjects/{self.ident}/disclosures").expect(200).json["disclosures"]] == [GROUND], "list")


def enters(server, desk, other, app, people):
    """By page, API and command; what is missing is asked for; programs and one person alone approve nothing."""
    made = {}
    with part("a request is entered with authority, ground, scope, date and its sealed document: by page, API and command"):
        fields = {"authority": COURT, "ground": GROUND, "reference": "PV 2026/815", "received": "2026-12-19", "subjects": people["page"] + "\n",
                  "category.identity": "on", "category.contact": "on"}
        page = upload(desk, "/staff/authorities/new", {"document": ("req.pdf", "application/pdf", PDF)}, csrf=desk.csrf, **fields).expect(303)
        made["page"] = re.search(r"/staff/authorities/(\w+)", page.headers["location"])[1]
        made["API"] = entered(app, [people["API"]])
        made["command"] = json.loads(server.run("authority", "enter", "--json", given=json.dumps(asked([people["command"]]))))["id"]
        path = server.data + "/../requisition.pdf"
        with open(path, "wb") as file:
            file.write(PDF)
        server.run("authority", "attach", made["command"], path)
        for door, ident in made.items():
            file = desk.get(f"/v1/authorities/{ident}").expect(200).json
            check((file["authority"], file["ground"], file["received"], file["categories"], [one["subject"] for one in file["people"]], file["state"]) ==
                      (COURT, GROUND, "2026-12-19", ["identity", "contact"], [people[door]], "entered"), f"by {door}: {file}")
            check(desk.get(f"/v1/authorities/{ident}/document").expect(200).body == PDF, f"by {door}: another document")
        for member in ("authority", "ground", "received", "subjects", "categories"):
            body = asked([people["API"]])
            del body[member]
            app.post("/v1/authorities", body).refused("missing-field", status=422, field=member)
        app.post("/v1/authorities", asked([people["API"]], ["health"])).refused("undeclared", status=422)
        listed = {row["id"] for row in json.loads(server.run("authority", "list", "--json"))["authorities"]}
        check(listed == set(made.values()), f"{listed}")
        shown = html.unescape(desk.get("/staff/authorities", Accept="text/html").expect(200).body.decode())
        check(shown.count(COURT) == len(made), f"{shown}")
        for one in (server.client("site"), server.client("support")):
            one.get("/v1/authorities").refused("forbidden", status=403)
            one.post("/v1/authorities", asked([people["API"]])).refused("forbidden", status=403)
    with part("two different people approve it, and before that nothing is handed over"):
        bare = app.post("/v1/authorities", asked([people["API"]])).expect(201).json["id"]
        desk.post(f"/v1/authorities/{bare}/approve").refused("missing-field", status=422, field="document")
        app.post(f"/v1/authorities/{made['API']}/approve").refused("forbidden", status=403)              # a program is nobody
        for door, ident in made.items():
            hand(desk, ident, people[door]).refused("conflict", status=409, clause="^authorities$")
        form(desk, f"/staff/authorities/{made['page']}", csrf=desk.csrf, act="approve").expect(303)
        page = form(desk, f"/staff/authorities/{made['page']}", csrf=desk.csrf, act="approve").expect(409)
        check(desk.get(f"/v1/authorities/{made['page']}").json["state"] == "entered", f"one person was enough: {page.body}")
        hand(desk, made["page"], people["page"]).refused("conflict", status=409, clause="^authorities$")
        form(other, f"/staff/authorities/{made['page']}", csrf=other.csrf, act="approve").expect(303)
        approved(made["API"], desk, other)
        server.run("authority", "approve", made["command"])
        server.run_refused("conflict", "authority", "approve", made["command"])
        approved(made["command"], desk)
        desk.request("POST", f"/v1/authorities/{made['API']}/document?name=other.pdf", PDF, {"Content-Type": "application/octet-stream"}.items()) \
            .refused("conflict", status=409)
        refused = entered(app, [people["API"]])
        desk.post(f"/v1/authorities/{refused}/refuse", {"text": ""}).refused("missing-field", status=422)
        desk.post(f"/v1/authorities/{refused}/refuse", {"text": "No law requires it."}).expect(200)
        hand(desk, refused, people["API"]).refused("conflict", status=409)
        desk.post(f"/v1/authorities/{refused}/approve").refused("conflict", status=409)
    return made


def hands_over(server, box, desk, made, people, addresses):
    with part("what is handed over is what was approved, once, and stands among the disclosures with its ground"):
        for door, ident in made.items():
            Seen(server, people[door], addresses[door]).nothing()
        page = form(desk, f"/staff/authorities/{made['page']}/hand", csrf=desk.csrf, subject=people["page"]).expect(200)
        given = {"page": json.loads(page.body), "API": hand(desk, made["API"], people["API"]).expect(201).json,
                 "command": json.loads(server.run("authority", "hand", made["command"], people["command"], "--json"))}
        for door, one in given.items():
            check(set(one["data"]) == {"identity", "contact"} and one["data"]["contact"]["email"] == addresses[door], f"by {door}: {one}")
            check(one["ground"] == GROUND and one["authority"] == COURT, f"by {door}: {one}")
            hand(desk, made[door], people[door]).refused("conflict", status=409)
        hand(desk, made["page"], people["API"]).refused("not-found", status=404)                             # not whom it is about
    with part("the person is told at once, by letter, on their page, in their access answer and export"):
        for door, address in addresses.items():
            letter = box.wait(address, "authority_told")
            check(COURT in letter.text and GROUND in letter.text, f"{letter.text}")
            Seen(server, people[door], address).told("identity,contact", "2026-12-20")
            check(len(box.find(address, "authority_told")) == 1, "told twice")
            looks = server.operator().get(f"/v1/subjects/{people[door]}/looks").expect(200).json["looks"]
            check("authority.disclosed" in [look["act"] for look in looks], f"{looks}")
            check(desk.get(f"/v1/authorities/{made[door]}").expect(200).json["state"] == "closed", "nothing more follows, and it is open")


def keeps_secret(server, box, desk, other, app, ident, address):
    with part("where the law forbids telling, its ground and end are recorded, and until then no door tells"):
        app.post("/v1/authorities", asked([ident], secrecy=LAW)).refused("missing-field", status=422, field="secret_until")
        app.post("/v1/authorities", asked([ident], secret_until="2027-01-20")).refused("missing-field", status=422, field="secrecy")
        app.post("/v1/authorities", asked([ident], secrecy=LAW, secret_until="2026-12-01")).refused("invalid-value", status=422, field="secret_until")
        secret = approved(entered(app, [ident], secrecy=LAW, secret_until="2027-01-10"), desk, other)
        seen = Seen(server, ident, address)
        seen.nothing()
        check(hand(desk, secret, ident).expect(201).json["data"]["contact"]["email"] == address, "it is not handed over")
        seen.nothing()
        box.none_within(1.5, address, "authority_told")
        file = desk.get(f"/v1/authorities/{secret}").expect(200).json
        check(file["secrecy"] == LAW and file["secret"] and file["people"][0]["handed"] and not file["people"][0]["told"], f"{file}")
        desk.post(f"/v1/authorities/{secret}/secrecy", {"secrecy": LAW, "secret_until": "2027-01-20"}).expect(200)
        server.advance(days=22)                                                  # the first end has come, and was moved
        box.none_within(2.5, address, "authority_told")
        Seen(server, ident, address).nothing()
    with part("on the day it ends the telling falls due by itself, with the reason why it comes late"):
        server.advance(days=10)
        letter = box.wait(address, "authority_told")
        check(COURT in letter.text and GROUND in letter.text and LAW in letter.text, f"{letter.text}")
        Seen(server, ident, address).told("identity,contact", "2026-12-20", LAW)
        looks = server.operator().get(f"/v1/subjects/{ident}/looks").expect(200).json["looks"]
        check("authority.told" in [look["act"] for look in looks], f"{looks}")
        operator = server.operator()
        check(operator.get(f"/v1/authorities/{secret}").expect(200).json["state"] == "closed", "everybody was told, and it is open")
        operator.post(f"/v1/authorities/{secret}/secrecy", {"secrecy": LAW, "secret_until": "2027-09-20"}).refused("conflict", status=409)


def never_sold(server, ident, known, patch, service="service", recipient="host"):
    """By nobody and for nothing: no consent opens it, and no recipient that the policy does not declare is given anything."""
    app, category = server.client("app"), next(iter(known))
    for purpose in ("sale", "rent"):
        app.consent(ident, purpose, "given", wording="Oui.").refused("purpose-refused", status=403, clause=r"^never\.sale$")
        uses = uses_of(app, ident, purpose, known, patch, recipient=recipient)
        for name, use in uses.items():
            refused(f"{name} for {purpose}", use(), "purpose-refused", status=403, clause=r"^never\.sale$")
        refused(f"the operator, for {purpose}", server.operator().get(f"/v1/subjects/{ident}?purpose={purpose}"), "purpose-refused", status=403,
                clause=r"^never\.sale$")
        status, said = command(server, "subject", "show", ident, "--purpose", purpose)
        check(status == 1 and "never.sale" in said, f"{status} {said}")
    app.post(f"/v1/subjects/{ident}/disclosures", {"recipient": "broker", "purpose": service, "categories": [category]}) \
       .refused("undeclared", status=422, clause="^recipients$")


@promise("MP-11")
def authority_asks(t):
    """No sale, no rent; what an authority is given needs a ground and two people, and its person is told at once, unless the law forbids it."""
    box = t.enter_context(Mailbox())
    server = t.server(now=NOW, arguments=box.arguments())
    app = server.client("app")
    desk = staff(server, mp.person(20), "thibault.20@societe.example", "dpo")
    other = staff(server, mp.person(21), "thibault.21@societe.example", "dpo")
    people, addresses = {}, {}
    for number, door in enumerate(("page", "API", "command", "secret"), 30):
        people[door], addresses[door] = opened(server, mp.person(number)), f"thibault.{number}@societe.example"
    secret = people.pop("secret"), addresses.pop("secret")
    with part("no sale, no rent, whatever is agreed to: refused with its clause, and nobody who is not declared is given anything"):
        never_sold(server, secret[0], {"contact": {"email": secret[1]}}, {"contact": {"phone": "+33147200000"}})
    made = enters(server, desk, other, app, people)
    hands_over(server, box, desk, made, people, addresses)
    keeps_secret(server, box, desk, other, app, *secret)


# ---- A short course of the same on the other platforms. ----

def recorded(server, box, desk, other, ident, address, categories):
    """Entered with its ground, approved by two, handed over on record, and told; and what waits for the end of its secrecy."""
    app = server.client("app")
    plain = entered(app, [ident], categories=categories)
    hand(desk, plain, ident).refused("conflict", status=409, clause="^authorities$")
    desk.post(f"/v1/authorities/{plain}/approve").expect(200)
    desk.post(f"/v1/authorities/{plain}/approve").refused("conflict", status=409)
    hand(desk, plain, ident).refused("conflict", status=409, clause="^authorities$")
    approved(plain, other)
    Seen(server, ident, address).nothing()
    check(set(hand(desk, plain, ident).expect(201).json["data"]) <= set(categories), "more than was approved")
    letter = box.wait(address, "authority_told")
    check(COURT in letter.text and GROUND in letter.text, f"{letter.text}")
    Seen(server, ident, address).told(",".join(categories), server_day(server))


def own(server, box, data, address):
    """An account of somebody's own: their id and address."""
    registered(server, box, data, address)
    return visitor(server, address).id, address


def server_day(server):
    return datetime.datetime.fromtimestamp(server.now() / 1000, datetime.timezone.utc).strftime("%Y-%m-%d")


@promise("DM-12")
def never_shared(t):
    """Never sold, rented or shared, whatever is agreed to; an authority is given what two people approved, and its person is told."""
    box = t.enter_context(Mailbox())
    server = t.server(now=NOW, arguments=box.arguments())
    people = {}
    for number, name in enumerate(("clarisse", "desk", "other")):
        data = {"contact": {"name": name.title(), "email": f"{name}@conso.example"}, "account": {"screen_name": name}}
        people[name] = own(server, box, data, f"{name}@conso.example") if name == "clarisse" else staff(server, data, f"{name}@conso.example", "dpo")
    ident, address = people["clarisse"]
    with part("never sold, rented or shared, whatever is agreed to: refused with its clause, and nobody who is not declared is given anything"):
        never_sold(server, ident, {"contact": {"email": address}}, {"contact": {"name": "Other"}}, service="account", recipient="carrier")
    with part("an authority is given what two different people approved, on record with its ground, and the person is told"):
        recorded(server, box, people["desk"], people["other"], ident, address, ["contact"])


# ---- MO-26: a new owner. ----

OLD, NEW = "UAB Akovana", "UAB Planted Takeover"
SIGNED = b"%PDF-1.4 planted acceptance, signed"


def accepts(server, controller=NEW, version="1.0", **more):
    query = {"controller": controller, "by": "Jonas Planted", "signed": "2026-12-18", "version": version, "name": "acceptance.pdf", **more}
    return server.operator().request("POST", "/v1/mergers?" + urllib.parse.urlencode(query), SIGNED, {"Content-Type": "application/pdf"}.items())


def reload_of(server):
    return server.operator().post("/v1/policy/reload")


def controllers(server, *people):
    """Who is responsible, as all doors say it."""
    said = {server.operator().get("/v1/policy").expect(200).json["document"]["controller"]["legal_name"]}
    notice = html.unescape(server.anyone().get("/privacy?lang=en", Accept="text/html").expect(200).body.decode())
    for ident in people:
        said |= {server.operator().get(f"/v1/subjects/{ident}/access").expect(200).json["controller"]["legal_name"],
                 json.loads(server.run("subject", "access", ident, "--json"))["controller"]["legal_name"]}
    name, = said
    check(name in notice, f"the notice does not name {name}")
    return name


def must_accept(server, edit, version):
    with part("a new owner that has not accepted the same policy is refused, with the clause"):
        edit((f"\n  legal_name: {OLD}\n", f"\n  legal_name: {NEW}\n"), (f"\n    legal_name: {OLD}\n", f"\n    legal_name: {NEW}\n"),
             (f'version: "{version}"', 'version: "9.0"'), *later(edit, "2027-02-01"))
        reload_of(server).refused("policy", status=422, clause=r"^merger\.same_rules$", promise="MO-26")
        status, said = command(server, "policy", "reload")
        check(status != 0 and "merger.same_rules" in said, f"{status} {said}")
        accepts(server, version="8.9").refused("conflict", status=409, field="version")
        accepts(server, controller=OLD).refused("invalid-value", status=422, field="controller")
        accepts(server, signed="2027-12-18").refused("invalid-value", status=422, field="signed")
        server.client("app").get("/v1/mergers").refused("unauthorised", "forbidden")
        accepts(server, controller="UAB Somebody Else", version=version).expect(201)
        reload_of(server).refused("policy", status=422, clause=r"^merger\.same_rules$")
        check(controllers(server) == OLD, "it took over")
    with part("its acceptance is on record: which version and hash, who signed and when, and the document"):
        path = server.data + "/../signed.pdf"
        with open(path, "wb") as file:
            file.write(SIGNED)
        told = json.loads(server.run("merger", "accept", path, "--controller", NEW, "--by", "Jonas Planted", "--signed", "2026-12-18", "--version", version,
                                     "--json"))
        server.run_refused("conflict", "merger", "accept", path, "--controller", NEW, "--by", "Jonas Planted", "--signed", "2026-12-18", "--version", version)
        row, = [one for one in told["acceptances"] if one["controller"] == NEW]
        hash_now = server.operator().get("/v1/policy").json["hash"]
        check((row["by"], row["signed"], row["version"], row["hash"], row["digest"], row["passed"]) ==
                  ("Jonas Planted", "2026-12-18", version, hash_now, hashlib.sha256(SIGNED).hexdigest(), None), f"{row}")
        check(server.operator().get("/v1/mergers").expect(200).json["acceptances"] == told["acceptances"], "the API tells another list")
        check(server.operator().get(f"/v1/mergers/{row['digest']}").expect(200).body == SIGNED, "another document")
        check_bytes_absent([b"Jonas Planted", SIGNED[9:]], server.data)


def later(edit, day):
    """The change of the file's date to that day."""
    with open(edit(), encoding="utf-8") as file:
        line = re.search(r"^  date: (\S+)$", file.read(), re.M)
    return [(f"  date: {line[1]}\n", f"  date: {day}\n")]


def same_rules(server, edit):
    with part("it keeps the same rules: what changes besides is refused, and so is a day before people had time to leave"):
        edit(("  interest: {from: event, active: 180d}", "  interest: {from: event, active: 300d}"))
        reload_of(server).refused("policy", status=422, clause=r"^merger\.same_rules$")
        edit(("  interest: {from: event, active: 300d}", "  interest: {from: event, active: 180d}"))
        for day in ("2026-12-19", "2026-12-27"):
            edit(*later(edit, day))
            reload_of(server).refused("policy", status=422, clause=r"^merger\.tell$")
        edit(*later(edit, "2027-02-01"))
        check(controllers(server) == OLD, "it took over")


def everyone_told(server, box, people):
    with part("everybody is told before, by letter and on their page, with the right to leave first"):
        reload_of(server).expect(200)
        for ident, address in people.values():
            letter = box.wait(address, "controller_changes")
            check(NEW in letter.text and "/me/close" in letter.text and "/me/consents" in letter.text, f"{letter.text}")
        wait_for(lambda: server.operator().get("/v1/mergers").expect(200).json["announced"]["everyone_told"])
        coming = json.loads(server.run("merger", "list", "--json"))["announced"]
        check((coming["controller"], coming["date"], coming["told"]) == (NEW, "2027-02-01", len(people)), f"{coming}")
        banner = server.anyone().get("/v1/policy/banner").expect(200).json
        check(NEW in json.dumps(banner["coming"], ensure_ascii=False), f"{banner}")
        check(controllers(server, *[ident for ident, _ in people.values()]) == OLD, "it took over before its day")
        leaver = visitor(server, people["leaver"][1])
        page = html.unescape(leaver.get("/me", Accept="text/html").expect(200).body.decode())
        check(NEW in page and "/me/close" in page, f"{page}")
        form(leaver, "/me/close", csrf=leaver.csrf, sure="yes").expect(200, 303)
        objector, app = visitor(server, people["objector"][1]), server.client("app")
        app.consent(objector.id, "product_news", "given", channel="email", wording="Oui.").expect(201)
        app.read(objector.id, "product_news").expect(200)
        objector.put(f"/v1/subjects/{objector.id}/objections/product_news").expect(204)


def passes(server, box, people):
    with part("nothing passes before the day, and on it the new owner is responsible"):
        server.advance(days=30)
        check(controllers(server, people["stayer"][0]) == OLD, "it took over before its day")
        server.restart()
        check(controllers(server, people["stayer"][0]) == OLD, "a restart let it take over")
        server.advance(days=14)
        wait_for(lambda: server.operator().get("/v1/policy").expect(200).json["document"]["controller"]["legal_name"] == NEW)
        check(controllers(server, people["stayer"][0]) == NEW, "it did not take over")
        row, = [one for one in server.operator().get("/v1/mergers").expect(200).json["acceptances"] if one["controller"] == NEW]
        check(row["passed"] == server.operator().get("/v1/policy").json["hash"] and row["entered"], f"{row}")
    with part("who left or objected first stays so"):
        server.anyone().post("/v1/session", {"identifier": people["leaver"][1], "password": PASSWORD}).expect(401)
        app = server.client("app")
        app.read(people["leaver"][0], "service").refused("not-found", status=404)
        app.read(people["objector"][0], "product_news").refused("purpose-refused", status=403)
        app.read(people["objector"][0], "service").expect(200)
        server.operator().post("/v1/journal/verify").expect(200)


@promise("MO-26")
def new_owner(t):
    """No sale and no sharing; authorities on a justified request; a new owner accepts the same policy, and everybody is told first."""
    box = t.enter_context(Mailbox())
    edit = own_copy(t)
    version = re.search(r'version: "([^"]+)"', open(edit(), encoding="utf-8").read())[1]
    server = t.server(policy=edit(), tenant=mo.TENANT, now=NOW, arguments=box.arguments())
    desk, other = (staff(server, mo.person(number), f"kestrel.{number}@rooms.example", "dpo") for number in (2, 3))
    people = {name: own(server, box, mo.person(number), f"kestrel.{number}@rooms.example")
              for number, name in enumerate(("stayer", "leaver", "objector"), 10)}
    ident, address = people["stayer"]
    with part("no sale and no sharing, whatever is agreed to: refused with its clause"):
        never_sold(server, ident, {"login": {"email": address}}, {"identity": {"display_name": "Other"}})
    with part("authorities on a justified request: ground, two people, on record, and the person is told"):
        recorded(server, box, desk, other, ident, address, ["identity", "login"])
    must_accept(server, edit, version)
    same_rules(server, edit)
    everyone_told(server, box, {**people, "desk": (desk.id, "kestrel.2@rooms.example"), "other": (other.id, "kestrel.3@rooms.example")})
    passes(server, box, people)
