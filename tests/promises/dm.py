"""DM: deskmanager, a consumer brand with a shop, contests, mobile applications and social features."""
import html, json
from acts import Journal
from browser import Browser
from garant import add_months, check, check_absent, check_searchable, milliseconds, moment
from mailbox import Mailbox, wait_for
from people import PASSWORD, form, registered, staff, visitor
from promise import part, promise
from sample import listed

NOW = "2026-11-22T10:00:00Z"
CARD = {"number": "4111 1111 1111 1111", "holder": "Planted Holder-Dupont", "expires": "12/2029"}


def person(number):
    return {"contact": {"name": f"Clarisse Planted-{number}", "email": f"clarisse.{number}@conso.example", "phone": f"+3361111{number:04d}",
                        "address": f"{number} allée des Planted-Tilleuls"},
            "account": {"screen_name": f"clarisse{number}", "login": f"login-{number}"}}


PERMITTED = {"at": NOW}                          # at a source that needs it: what arrives
SAMPLES = {                                     # a value of each category that a disk may hold, another for each number
    "contact": lambda n: {"phone": f"+336222233{n:02}"}, "account": lambda n: {"screen_name": f"clarisse{n}"},
    "demographics": lambda n: {"postcode": f"690{n:02}"}, "tastes": lambda n: {"household": n + 1}, "device": lambda n: {"at": NOW, "system": f"Linux {n}"},
    "mobile": lambda n: {"at": NOW, "latitude": 45.76 + n}, "usage": lambda n: {"at": NOW, "page": f"/{n}"},
    "visits": lambda n: {"day": "2026-11-22", "page": f"/{n}"}, "mail_events": lambda n: {"at": NOW, "campaign": f"{n}", "action": "opened"},
    "feedback": lambda n: {"at": NOW, "comment": f"Solide {n}"}, "content": lambda n: {"title": f"Bureau {n}", "kind": "photo"},
    "social_profile": lambda n: {"name": f"Cla {n}"}, "basket": lambda n: {"items": {"chair": n}},
    "tailoring": lambda n: {"remembered_name": f"Cla {n}"},
    "orders": lambda n: {"number": f"C-{n}", "ordered": "2026-11-22", "amount": 10, "delivery": "Lyon"},
    "contacts": lambda n: {"at": NOW, "channel": "phone", "motive": "order", "subject": f"Retard {n}"},
    "credit": lambda n: {"level": ("accepted", "refused")[n % 2]},
    "entries": lambda n: {"contest": f"printemps {n}"}}


def each_source_of_each_category(client, ident, document):
    """Every category from every source: those that the policy gives it are kept with the datum, every other is refused by the category's clause."""
    purposes = {category: next(name for name, body in document["purposes"].items() if category in listed(body["categories"])) for category in SAMPLES}

    def write(category, value, source):
        if document["categories"][category].get("many") == "true":
            return client.record(ident, category, value, source=source, **({"permission": PERMITTED} if source == "social_network" else {}))
        return client.change(ident, purposes[category], {category: value}, source=source, permitted=NOW if source == "social_network" else None)
    seen = {"kept": 0, "refused": 0}
    for category, value in SAMPLES.items():
        for number, source in enumerate(("person", *document["sources"])):
            if source in listed(document["categories"][category].get("source") or "person"):
                write(category, value(number), source).expect(200, 201)
                held = fields_of(client.get(f"/v1/subjects/{ident}/access").expect(200).json)
                changed = [row["source"] for row in held if row["category"] == category and row["field"] in value(number)]
                check(source in changed, f"{category} from {source} is held as from {changed}")
                seen["kept"] += 1
            else:
                write(category, value(number), source).refused("undeclared", status=422, clause=rf"^categories\.{category}$")
                seen["refused"] += 1
    check(seen["kept"] > 25 and seen["refused"] > 50, f"{seen}")


def sources_at_creation(server, client):
    """The same when a person is made, over the API, by the command, and by their own hand; an unknown source, or none, is refused."""
    with part("each datum has its source"):
        for number, source in enumerate(("person", "site", "mini_site", "mobile_app", "messages", "social_network"), 20):
            more = {"permission": PERMITTED} if source == "social_network" else {}
            ident = client.post("/v1/subjects", {"data": {"contact": person(number)["contact"]}, "source": source, **more}).expect(201).json["id"]
            access = client.get(f"/v1/subjects/{ident}/access").expect(200).json
            exported = client.export(ident)[1]
            told = json.loads(server.run("subject", "access", ident, "--json"))
            for one in (access, exported, told):
                check(one["source"] == source and {row["source"] for row in fields_of(one)} == {source}, f"from {source}: {one['source']} {fields_of(one)}")
            page = html.unescape(client.export(ident)[0]["index.html"].decode())
            check(access["source_title"] and access["source_title"] in page, f"the export's page does not say where it comes from: {source}")
        for source in ("mini_site", "messages", "social_network", "credit_agency"):
            client.post("/v1/subjects", {"data": person(30), "source": source}).refused("undeclared", status=422, clause=r"^categories\.(account|contact)$")
    with part("a source that is unknown, or not that category's, is refused"):
        for unknown in ("a_friend", "Person", "sources", "*"):
            client.post("/v1/subjects", {"data": person(30), "source": unknown}) \
                  .refused("undeclared", status=422, clause="^sources$", promise="DM-03")
            server.run_refused("undeclared", "subject", "create", clause="^sources$", given=json.dumps({"data": person(30), "source": unknown}))
        for none in ({}, {"source": ""}):
            client.post("/v1/subjects", {"data": person(30), **none}) \
                  .refused("missing-field", status=422, clause="^sources$", field="source", promise="DM-03")


def files_and_changes(server, client, ident, given):
    """A change or a file is from whom it is said to be from, or else from who brought it: never the person's without a word."""
    with part("no change passes without its source"):
        etag = client.read(ident, "account").expect(200).etag
        client.patch(f"/v1/subjects/{ident}?purpose=account", {"contact": {"phone": "+33611119999"}}, etag=etag).expect(200)
        check(given()[("contact", "phone")] == "app", f"the shop's change is said to be from {given()[('contact', 'phone')]}")
        version = client.read(ident, "account").json["version"]
        server.run("subject", "patch", ident, "--version", version, given=json.dumps({"contact": {"phone": "+33611118888"}}))
        check(given()[("contact", "phone")] == "operator", f"the operator's change is said to be from {given()[('contact', 'phone')]}")
        client.change(ident, "account", {"contact": {"phone": "+33611117777"}}, source="rumour").refused("undeclared", status=422, clause="^sources$")
    with part("attached files have their source"):
        path = f"/v1/subjects/{ident}/attachments?category=content&name="
        expected = {"mine.txt": ("person", "&source=person"), "app.txt": ("mobile_app", "&source=mobile_app"), "shop.txt": ("app", "")}
        for name, (_, query) in expected.items():
            client.request("POST", path + name + query, b"planted", [("Content-Type", "text/plain")]).expect(201)
        for source, clause in (("messages", r"^categories\.content$"), ("credit_agency", r"^categories\.content$"), ("rumour", "^sources$")):
            client.request("POST", f"{path}no.txt&source={source}", b"planted", [("Content-Type", "text/plain")]) \
                  .refused("undeclared", status=422, clause=clause)
        for access in (client.get(f"/v1/subjects/{ident}/access").expect(200).json, client.export(ident)[1]):
            told = {row["name"]: row["source"] for row in access["attachments"]}
            check(told == {name: source for name, (source, _) in expected.items()}, f"files from {told}")


def third_parties(server, client):
    """Whose data a third party gave is owed word of it within a month: the duty is there, late when it is, and done on record."""
    def owed():
        return client.get("/v1/duties").expect(200).json["duties"]
    with part("a third party's datum makes the duty to tell"):
        for row in owed():                                            # of what stood before
            client.post(f"/v1/duties/{row['id']}/done", {"outcome": "done"}).expect(204)
        made = client.post("/v1/subjects", {"data": {"contact": person(40)["contact"]}, "source": "social_network", "permission": PERMITTED}) \
                     .expect(201).json["id"]
        changed = client.create(person(41))["id"]
        check([row["subject"] for row in owed()] == [made], f"{owed()}")
        client.change(changed, "credit_check", {"credit": {"level": "guarantee"}}, source="credit_agency").expect(200)
        check(sorted((row["subject"], row["about"], row["kind"], row["article"]) for row in owed()) ==
              sorted([(made, "social_network", "inform", "GDPR 14(3)"), (changed, "credit_agency", "inform", "GDPR 14(3)")]), f"{owed()}")
        for source in ("site", "mobile_app", "person"):
            client.change(changed, "account", {"contact": {"phone": f"+3361111{len(source):04d}"}}, source=source).expect(200)
        check(len(owed()) == 2, f"a duty without a third party: {owed()}")
        for who in ("mobile", "contest_site", "campaigns", "accounting"):
            server.client(who).get("/v1/duties").refused("forbidden", status=403, clause=rf"^(systems|roles)\.{who}$")
    with part("it has its term, and is done on record"):
        due = add_months(server.now(), 1)
        check({row["due"][:10] for row in owed()} == {moment(due).date().isoformat()}, f"a month is owed: {owed()}")
        server.set_clock(due - 60_000)
        check([row["late"] for row in owed()] == [False, False], "late before the term")
        server.advance(days=1)
        check([row["late"] for row in owed()] == [True, True], "the term is over and nothing says so")
        board = {one["name"]: one["state"] for one in server.operator().get("/v1/promises?fresh=true").expect(200).json["probes"]}
        check(board["duties"] == "broken", f"the board says {board['duties']}")
        for row in owed():
            client.post(f"/v1/duties/{row['id']}/done", {"outcome": "done", "note": "letter of 23 December"}).expect(204)
            client.post(f"/v1/duties/{row['id']}/done", {"outcome": "done"}).refused("not-found", status=404)
        check(owed() == [], f"done, and owed: {owed()}")


@promise("DM-03")
def sources(t):
    """Each datum has a source; one that a third party gave brings the duty to tell the person, with its deadline."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now=NOW, arguments=mailbox.arguments())
    client = server.client("app")
    document = client.get("/v1/policy").expect(200).json["document"]
    sources_at_creation(server, client)
    registered(server, mailbox, {"contact": {"name": "Clarisse", "email": "own@conso.example"}, "account": {"screen_name": "clarisse"}}, "own@conso.example")
    browser = Browser(server)
    browser.sign_in("own@conso.example", PASSWORD).expect(200)
    ident = client.lookup({"contact.email": "own@conso.example"}, "account").expect(200).json["id"]

    def given():
        rows = fields_of(client.get(f"/v1/subjects/{ident}/access").expect(200).json)
        return {(row["category"], row["field"]): row["source"] for row in rows if row["category"] in ("contact", "account")}
    with part("a change keeps the source of each field"):
        check(set(given().values()) == {"person"}, f"who registers supplies it: {given()}")
        client.change(ident, "account", {"contact": {"phone": "+33622222222"}}, source="mobile_app").expect(200)
        browser.submit(browser.get("/me/edit/contact"), "/me/edit/contact", fields={"contact.address": "1 place Bellecour"}).expect(200)
        check(given() == {("contact", "name"): "person", ("contact", "email"): "person", ("contact", "phone"): "mobile_app",
                          ("contact", "address"): "person", ("account", "screen_name"): "person"}, f"{given()}")
        browser.get("/me").expect(200).has("Our mobile applications")
        client.change(ident, "account", {"contact": {"phone": "+33622222244", "address": "1 place Bellecour"}}, source="site").expect(200)
        check((given()[("contact", "phone")], given()[("contact", "address")]) == ("site", "person"), f"what did not change has another source: {given()}")
    for purpose in ("profile", "personalisation", "mobile_features", "community", "social", "marketing", "mail_measure"):
        channel = {"channel": "email"} if purpose in ("marketing", "mail_measure") else {}
        client.consent(ident, purpose, "given", wording="Oui.", **channel).expect(201)
    with part("each datum has its source"):
        each_source_of_each_category(client, ident, document)
        browser.get("/me").expect(200).has("source: Our mini-sites on social networks", "source: The credit agency", "source: Your emails, texts and messages")
    files_and_changes(server, client, ident, given)
    third_parties(server, client)


def fields_of(access):
    """Every field of an access answer with its source."""
    return [{"category": category["category"], "field": field, "source": said["source"]} for category in access["categories"]
            for record in category["records"] for field, said in record["fields"].items()]


TASTE = {"demographics": {"birth_date": "1990-05-04", "age_range": "25-39", "gender": "other", "postcode": "69003"},
         "tastes": {"products": "bureaux", "hobbies": "aviron", "household": 3}}


@promise("DM-05")
def demographics(t):
    """Demographics, tastes and household: declared categories only, with a purpose."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(arguments=mailbox.arguments())
    client = server.client("app")
    registered(server, mailbox, person(1), "clarisse.1@conso.example")
    own = visitor(server, "clarisse.1@conso.example")
    ident = own.id
    client.consent(ident, "profile", "given").expect(201)
    browser = Browser(server)
    browser.sign_in("clarisse.1@conso.example", PASSWORD).expect(200)

    yes = {"purpose": "profile", "decision": "given"}

    def version():
        return f'"{client.read(ident, "account").expect(200).json["version"]}"'
    with part("declared categories only"):
        client.change(ident, "profile", TASTE).expect(200)
        check(client.read(ident, "profile").expect(200).json["data"] == TASTE, "not held as given")
        changed = browser.submit(browser.get("/me/edit/tastes"), "/me/edit/tastes", fields={"tastes.hobbies": "voile"}).expect(200)
        check("voile" in changed.read.text and client.read(ident, "profile").json["data"]["tastes"] == {**TASTE["tastes"], "hobbies": "voile"}, "by the page")
        for patch in ({"demographics": {"income": 30000}}, {"demographics": {"ethnicity": "none"}}, {"tastes": {"politics": "none"}},
                      {"family": {"children": 2}}, {"household": {"size": 3}}):
            for answer in (client.change(ident, "profile", patch), own.patch(f"/v1/subjects/{ident}", patch, etag=version()),
                           server.operator().patch(f"/v1/subjects/{ident}", patch, etag=version()),
                           client.post("/v1/subjects", {"data": {**person(2), **patch}, "source": "person", "consents": [yes]}),
                           server.anyone().post("/v1/accounts/register", {"data": {**person(3), **patch}, "password": PASSWORD, "consents": [yes]})):
                answer.refused("undeclared", status=422, clause="^categories", promise="DM-05")
            server.run_refused("undeclared", "subject", "patch", ident, "--version", json.loads(version().strip('"')), clause="^categories",
                               given=json.dumps(patch))
        for patch in ({"demographics": {"age_range": "33"}}, {"demographics": {"birth_date": "hier"}}, {"tastes": {"household": 0}},
                      {"tastes": {"household": "three"}}, {"demographics": {"gender": 1}}):
            for answer in (client.change(ident, "profile", patch), own.patch(f"/v1/subjects/{ident}", patch, etag=version())):
                answer.refused("invalid-value", status=422, clause="^categories", field=next(f"{c}.{f}" for c, v in patch.items() for f in v))
        for field, value in (("tastes.household", "0"), ("tastes.household", "three")):
            refused = browser.submit(browser.get("/me/edit/tastes"), "/me/edit/tastes", fields={field: value})
            check(refused.status == 422, f"{field}={value} on the page: {refused.status}")
    with part("each with a purpose"):
        # None that does not declare them reads them, and without consent there is none left but studies in groups.
        for purpose in ("account", "orders", "accounting", "customer_service", "improvement", "feedback", "contests"):
            for category in TASTE:
                client.read(ident, purpose, [category]).refused("purpose-refused", status=403, clause=rf"^purposes\.{purpose}")
                client.post("/v1/decisions", {"subject": ident, "purpose": purpose, "categories": [category], "act": "read"}) \
                    .refused("purpose-refused", status=403, clause=rf"^purposes\.{purpose}")
        for recipient, purpose in (("call_centre", "customer_service"), ("subsidiary", "customer_service"), ("carrier", "orders")):
            client.post(f"/v1/subjects/{ident}/disclosures", {"recipient": recipient, "purpose": purpose, "categories": ["tastes"]}) \
                .refused("purpose-refused", status=403, clause=rf"^(recipients\.{recipient}|purposes\.{purpose})$")
        for role in ("campaigns", "accounting", "mobile", "contest_site"):
            server.client(role).read(ident, "profile").refused("forbidden", status=403, clause=rf"^(roles|systems)\.{role}$")
        client.consent(ident, "profile", "withdrawn").expect(201)
        client.read(ident, "profile").refused("consent-missing", status=403, clause=r"^purposes\.profile", promise="DM-05")
        client.change(ident, "account", {"tastes": {"hobbies": "marche"}}).refused("purpose-refused", status=403, clause=r"^purposes\.account$")
        changed = t.server(policy=t.copy_of_policy(lambda text: text.replace("categories: [demographics, tastes]", "categories: [demographics]")), start=False)
        status, said = changed.refuses_to_start()
        check(status == 78 and "tastes" in said, f"a category that no purpose uses: status {status}: {said}")


PLACE = {"at": NOW, "device_id": "planted-device-0042", "latitude": 45.7612345, "longitude": 4.8312345}


def by_no_door(server, client, ident, own):
    """Without the consent nobody stores it, whoever they are and whatever the way; and no other category takes it with any."""
    mobile, operator, path = server.client("mobile"), server.operator(), f"/v1/subjects/{ident}"
    for fields in (PLACE, {"at": NOW, "device_id": PLACE["device_id"]}, {"at": NOW, "latitude": 45.7612345, "longitude": 4.8312345}):
        for caller in (client, mobile, operator):
            caller.record(ident, "mobile", fields, source="mobile_app") \
                  .refused("consent-missing", status=403, clause=r"^purposes\.mobile_features$", promise="DM-06")
    for caller in (client, mobile, operator):
        caller.request("POST", f"{path}/attachments?category=mobile&name=a.txt", PLACE["device_id"].encode(), [("Content-Type", "text/plain")]) \
              .refused("consent-missing", status=403, clause=r"^purposes\.mobile_features$", promise="DM-06")
    batch = {"requests": [{"method": "POST", "path": f"{path}/records/mobile", "body": {"fields": PLACE, "source": "mobile_app"}}]}
    said = client.post("/v1/batch", batch).expect(207).json["results"][0]
    check(said["status"] == 403 and said["body"]["code"] == "consent-missing", f"by a batch: {said}")
    own.record(ident, "mobile", PLACE, source="mobile_app").refused("forbidden", status=403, clause="^roles$")


@promise("DM-06")
def position_with_consent(t):
    """Precise position and device id only with consent."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now=NOW, arguments=mailbox.arguments())
    client, mobile = server.client("app"), server.client("mobile")
    registered(server, mailbox, person(1), "clarisse.1@conso.example")
    own = visitor(server, "clarisse.1@conso.example")
    ident, browser = own.id, Browser(server)
    browser.sign_in("clarisse.1@conso.example", PASSWORD).expect(200)
    with part("refused without a consent"):
        by_no_door(server, client, ident, own)
        mobile.consent(ident, "mobile_features", "refused").expect(201)
        by_no_door(server, client, ident, own)
        for act in ("read", "write"):
            client.post("/v1/decisions", {"subject": ident, "purpose": "mobile_features", "categories": ["mobile"], "act": act}) \
                .refused("consent-missing", status=403, clause=r"^purposes\.mobile_features$")
        client.read(ident, "mobile_features").refused("consent-missing", status=403, clause=r"^purposes\.mobile_features$", promise="DM-06")
    with part("no other door takes it"):
        for purpose in ("profile", "personalisation", "social", "community"):
            client.consent(ident, purpose, "given").expect(201)
        for category in ("device", "usage"):
            for field in ("device_id", "latitude", "longitude", "position"):
                client.record(ident, category, {"at": NOW, field: PLACE.get(field, "45.76,4.83")}, source="mobile_app") \
                    .refused("undeclared", status=422, clause=rf"^categories\.{category}", field=f"{category}.{field}")
        for category in ("contact", "account", "basket"):
            own.patch(f"/v1/subjects/{ident}", {category: {"device_id": PLACE["device_id"]}}, etag="*").refused("undeclared", status=422, clause="^categories")
        client.post("/v1/subjects", {"data": {**person(2), "mobile": PLACE}, "source": "mobile_app"}).refused("usage", status=400)
        server.anyone().post("/v1/accounts/register", {"data": {**person(3), "mobile": PLACE}, "password": PASSWORD}).refused("usage", status=400)
        check_absent([PLACE["device_id"]], server.folder)
    with part("held with it"):
        browser.submit(browser.get("/me/consents"), "/me/consents", like={"purpose": "mobile_features", "decision": "given"}).expect(200)
        mobile.record(ident, "mobile", PLACE, source="mobile_app").expect(201)
        held = mobile.read(ident, "mobile_features", ["mobile"]).expect(200).json["data"]["mobile"]
        check([record["fields"] for record in held] == [PLACE], f"{held}")
        browser.get("/me").expect(200).has(PLACE["device_id"], "45.7612345")
        for purpose in ("account", "orders", "improvement", "audience", "studies", "personalisation"):
            client.read(ident, purpose, ["mobile"]).refused("purpose-refused", status=403, clause=rf"^purposes\.{purpose}$")
        check_absent([PLACE["device_id"]], server.folder)
    with part("refused again when it is withdrawn"):
        browser.submit(browser.get("/me/consents"), "/me/consents", like={"purpose": "mobile_features", "decision": "withdrawn"}).expect(200)
        by_no_door(server, client, ident, own)
        mobile.read(ident, "mobile_features", ["mobile"]).refused("consent-missing", status=403, clause=r"^purposes\.mobile_features$", promise="DM-06")


@promise("DM-11")
def card_for_the_transaction(t):
    """Card data lives no longer than the transaction: in memory only, gone on release, at the term, at a stop; elsewhere refused."""
    server = t.server(now=NOW)
    client = server.client("app")
    ident = client.create(person(1))["id"]
    path = f"/v1/subjects/{ident}/transient/card"
    planted = ["4111111111111111", CARD["number"], CARD["holder"]]

    def held():
        return client.get(path + "?purpose=orders").status == 200
    check_searchable(planted, t.folder)
    with part("card data never reaches the disk"):
        client.put(path, CARD).expect(204)
        check(client.get(path + "?purpose=orders").expect(200).json == CARD, "the card is not there for the transaction")
        for purpose in ("account", "marketing", "accounting", "studies", "sale"):
            client.get(path + f"?purpose={purpose}").refused(status=403)
        for other in (f"/v1/subjects/{ident}?purpose=orders", f"/v1/subjects/{ident}/access"):
            check("4111" not in client.get(other).expect(200).body.decode(), f"the card stands in {other}")
        check(not any(b"4111" in content for content in client.export(ident)[0].values()), "the card stands in the export")
        server.operator().post("/v1/backup", {"to": t.path("backup")}).expect(200)
        check_absent(planted, server.folder, t.path("backup"))
    with part("gone with the transaction"):
        client.delete(path).expect(204)                                   # the transaction ended
        check(not held(), "held after its release")
        client.put(path, CARD).expect(204)                                # the transaction never ended: its term does
        server.advance(minutes=14)
        check(held(), "gone before its term")
        server.advance(minutes=2)
        check(not held(), "held after 16 minutes, and 15 are declared")
        client.put(path, CARD).expect(204)                                # the server stops
        server.restart()
        check(not held(), "held after a restart")
        client.put(path, CARD).expect(204)                                # the server dies
        server.kill()
        check_absent(planted, server.folder)
        server.start()
        check(not held(), "held after a crash")
    with part("refused or masked elsewhere"):
        for category, fields in (("orders", {"number": "C-1", "ordered": "2026-11-22", "amount": 10, "delivery": "4111 1111 1111 1111"}),
                                 ("feedback", {"at": NOW, "comment": "card 5500-0000-0000-0004"}), ("card", CARD)):
            client.record(ident, category, fields).refused("card-number", "usage", "conflict", "undeclared", status=None)
        client.change(ident, "account", {"account": {"screen_name": "4111111111111111"}}).refused("card-number", status=422)
        client.post("/v1/subjects", {"data": {**person(2), "card": CARD}, "source": "person"}).refused()
    with part("card data never reaches the disk"):
        server.stop()
        check_absent(planted + ["5500-0000-0000-0004", "5500000000000004"], server.folder)


@promise("DM-04")
def no_recoverable_password(t):
    """Identifier or e-mail, screen name and a password of which only a digest is kept; no security question; nobody can read a password again."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now=NOW, arguments=mailbox.arguments())
    client, address, new = server.client("app"), "clarisse.1@conso.example", "Zul+9-girafe-Lente"
    registered(server, mailbox, person(1), address)
    browser = Browser(server)
    with part("by identifier or e-mail"):
        for identifier in (address, "login-1"):
            check(visitor(server, identifier).get("/v1/session").expect(200).json["subject"], "nobody is signed in")
            browser.cookies = {}
            browser.sign_in(identifier, PASSWORD).expect(200)
            browser.get("/me").expect(200).has("clarisse1")
    one = visitor(server, address)
    with part("no answer is stored but hashed"):
        secrets = ({"password": PASSWORD}, {"secret_question": "Nom du chien ?"}, {"secret_answer": "Planted-Rex"}, {"security_answer": "Planted-Rex"})
        for fields in secrets:
            field = f"account.{next(iter(fields))}"
            for who in (client, one, server.operator()):
                who.patch(f"/v1/subjects/{one.id}", {"account": fields}, etag="*") \
                   .refused("undeclared", status=422, clause=r"^categories\.account", field=field)
            body = {"data": {**person(2), "account": {"screen_name": "b", **fields}}, "password": PASSWORD}
            server.anyone().post("/v1/accounts/register", body).refused("undeclared", status=422, clause=r"^categories\.account", field=field)
            sent = {**dict(csrf_of(browser)), "account.screen_name": "b", **{f"account.{name}": value for name, value in fields.items()}}
            check(browser.send("POST", "/me/edit/account", sent).status == 422, f"the page takes {fields}")
    # A forgotten password is replaced through a link, never sent.
    server.anyone().post("/v1/password/reset", {"identifier": address}).expect(202)
    letter = mailbox.wait(address, "reset")
    token = letter.links[0].rsplit("/", 1)[1]
    server.anyone().post("/v1/password/reset/confirm", {"token": token, "password": new}).expect(204)
    mailbox.wait(address, "reset_done")
    with part("no password can be read again"):
        for one_letter in mailbox.letters:
            check(PASSWORD not in one_letter.text + one_letter.html and new not in one_letter.text + one_letter.html, "a letter holds a password")
        server.anyone().post("/v1/session", {"identifier": address, "password": PASSWORD}).refused("unauthorised", status=401)
        again = visitor(server, address, new)
        # It is in no answer and in no file, not as it was and not as its digest.
        files, exported = client.export(one.id)
        held = [client.get(f"/v1/subjects/{one.id}/access").expect(200).body.decode(), json.dumps(exported), files["index.html"].decode(),
                server.operator().get(f"/v1/accounts/{one.id}").expect(200).body.decode(), server.run("account", "show", one.id, "--json"),
                *(again.get(path).expect(200).body.decode() for path in ("/me", "/me/security", "/v1/session", "/v1/me/sessions"))]
        check(not any(word in text for text in held for word in ("argon2", PASSWORD, new, "Planted-Rex")), "an answer holds a password")
        check_searchable([PASSWORD, new], t.folder)
        check_absent([PASSWORD, new, "$argon2id$", "Planted-Rex", token], server.folder)
    board = {probe["name"]: probe for probe in server.operator().get("/v1/promises?fresh=true").expect(200).json["probes"]}
    check(board["passwords"]["state"] == "kept" and board["passwords"]["figure"] == 1, f"{board['passwords']}")


def csrf_of(browser):
    """The session's token as the page's forms carry it."""
    return [(f["name"], f["value"]) for f in browser.get("/me/edit/account").expect(200).form("/me/edit/account")["fields"]
            if f.get("type") == "hidden"]


ORDER = {"number": "C-2026-1", "ordered": "2026-11-22", "amount": 249.9, "delivery": "1 allée des Planted-Tilleuls", "payment_reference": "Planted-P77"}


def customer(server, client, mailbox, number):
    """Somebody with an account who ordered once, called, and was assessed for credit: their id, and their browser."""
    address = f"clarisse.{number}@conso.example"
    registered(server, mailbox, person(number), address)
    ident = client.lookup({"contact.email": address}, "account").expect(200).json["id"]
    client.record(ident, "orders", ORDER, source="site").expect(201)
    client.record(ident, "contacts", {"at": NOW, "channel": "phone", "motive": "order", "subject": "Retard"}, source="messages").expect(201)
    browser = Browser(server)
    browser.sign_in(address, PASSWORD).expect(200)
    return ident, browser


def disclosed(client, ident, recipient, purpose, *categories):
    return client.post(f"/v1/subjects/{ident}/disclosures", {"recipient": recipient, "purpose": purpose, "categories": list(categories)})


def seen_in_the_register(server, client, ident, browser, expected):
    """What was disclosed, to whom, for what: in the register over the API, the access answer, the export, by the command, and on the person's page."""
    for rows in (client.get(f"/v1/subjects/{ident}/disclosures").expect(200).json["disclosures"],
                 client.get(f"/v1/subjects/{ident}/access").expect(200).json["disclosures"], client.export(ident)[1]["disclosures"],
                 json.loads(server.run("subject", "access", ident, "--json"))["disclosures"]):
        check(sorted((row["recipient"], row["purpose"], row["categories"]) for row in rows) == sorted(expected), f"the register: {rows}")
    names = {name: body["name"] for name, body in client.get("/v1/policy").expect(200).json["document"]["recipients"].items()}
    browser.get("/me").expect(200).has(*(names[recipient] for recipient, _, _ in expected))
    journal = [entry for entry in Journal(server).since(0) if entry["act"] == "disclosure" and entry["outcome"] == "done"]
    check(len(journal) >= len(expected) and all(entry["purpose"] and entry["categories"] for entry in journal), f"on record: {journal}")


def why_not(document, recipient, purpose, category):
    """With which code and clause that disclosure is refused: by the purpose, before the recipient is looked at."""
    body = document["purposes"][purpose]
    if body["basis"] == "consent":
        return "consent-missing", rf"^purposes\.{purpose}$"
    if category not in listed(body["categories"]):
        return "purpose-refused", rf"^purposes\.{purpose}$"
    known = purpose in listed(document["recipients"][recipient]["purposes"])
    return "purpose-refused" if known else "forbidden", rf"^recipients\.{recipient}$"


@promise("DM-23")
def shared_with_who_is_bound(t):
    """The group, providers and the credit agency are given what the policy says, once bound to secrecy; others nothing; the register shows all."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now=NOW, arguments=mailbox.arguments())
    client = server.client("app")
    ident, browser = customer(server, client, mailbox, 1)
    document = client.get("/v1/policy").expect(200).json["document"]
    given = [("carrier", "orders", "contact,orders"), ("call_centre", "customer_service", "contact,orders,contacts"),
             ("subsidiary", "customer_service", "contact,orders"), ("credit_agency", "credit_check", "contact")]
    with part("the group, providers and credit agencies get what the policy says"):
        for recipient, purpose, categories in given:
            data = disclosed(client, ident, recipient, purpose, *categories.split(",")).expect(201).json["data"]
            check(set(data) == set(categories.split(",")) and data["contact"] == person(1)["contact"], f"{recipient} is given {data}")
    with part("nothing else, for nothing else, to nobody else"):
        for recipient, body in document["recipients"].items():
            for purpose in document["purposes"]:
                for category in ("contact", "orders", "contacts", "tastes", "account", "feedback"):
                    if any(recipient == r and purpose == p and category in c.split(",") for r, p, c in given):
                        continue
                    code, clause = why_not(document, recipient, purpose, category)
                    disclosed(client, ident, recipient, purpose, category).refused(code, status=403, clause=clause)
            for purpose in ("sale", "rent"):
                disclosed(client, ident, recipient, purpose, "contact").refused("purpose-refused", status=403, clause=r"^never\.sale$")
        disclosed(client, ident, "advertiser", "orders", "contact").refused("undeclared", status=422, clause="^recipients$")
        for who in ("campaigns", "accounting", "mobile", "contest_site", "service_desk"):
            disclosed(server.client(who), ident, "carrier", "orders", "contact").refused("forbidden", status=403, clause=rf"^(roles|systems)\.{who}$")
        disclosed(server.client("subsidiary"), ident, "call_centre", "customer_service", "contact") \
            .refused("forbidden", status=403, clause=r"^recipients\.subsidiary$")
    with part("the register shows all"):
        seen_in_the_register(server, client, ident, browser, given)
        for language in ("fr", "en"):
            register = server.run("register", "--format", "csv", "--lang", language)
            for body in document["recipients"].values():
                check(body["name"] in register, f"the register of processing lacks {body['name']}")
    with part("refused to who has not accepted the charter"):
        behind = "\n    answers_rights: controller\n  subsidiary:"
        bound = "contract: 2026-02-01\n    contract_kind: article_28\n    charter: accepted" + behind
        for after in (bound.replace("charter: accepted", "charter: pending"), "contract: false\n    charter: accepted" + behind):
            closed = t.server(policy=t.copy_of_policy(lambda text: text.replace(bound, after)), arguments=["--unlawful"])
            app = closed.client("app")
            one = app.create(person(2))["id"]
            disclosed(app, one, "call_centre", "customer_service", "contact").refused("forbidden", status=403, clause=r"^recipients\.call_centre")
            disclosed(app, one, "subsidiary", "customer_service", "contact").expect(201)
            check(app.get(f"/v1/subjects/{one}/disclosures").expect(200).json["disclosures"][0]["recipient"] == "subsidiary", "recorded though refused")
            check([row["outcome"] for row in app.get(f"/v1/subjects/{one}/access").json["looks"] if row["act"] == "refusal"] == ["refused"], "not on record")


WHY = {"Garant-Reason": "call of the customer"}
MOTIVES = ("order", "technical", "complaint", "credit", "general")


def noted_by_motive(server, mailbox, app, ident, desk):
    """Calls and messages of each motive, by API and page: as the log, the access answer, the export, the command and the person's page have them."""
    log, purpose = f"/v1/subjects/{ident}/contacts?purpose=customer_service", "customer_service"
    calls, messages = f"/v1/subjects/{ident}/calls", f"/v1/subjects/{ident}/messages"

    def rows(where=""):
        told = app.get(log + (f"&where={where}" if where else "")).expect(200).json
        return sorted((row["fields"]["channel"], row["fields"]["motive"], row["fields"]["subject"]) for row in told["contacts"]), told["counts"]["motive"]
    with part("orders, technical matters, complaints and credit are noted by motive, calls and letters alike"):
        for motive in MOTIVES:
            app.post(calls, {"purpose": purpose, "subject": f"Appel planted {motive}", "fields": {"motive": motive}}).expect(201)
        app.post(messages, {"purpose": purpose, "subject": "Votre planted commande", "text": "Elle part demain.", "fields": {"motive": "order"}}).expect(202)
        for act, more in (("calls", {}), ("messages", {"text": "Nous regardons."})):
            form(desk, f"/staff/people/{ident}/{act}", csrf=desk.csrf, purpose=purpose, subject=f"Page planted {act}", reason="rappel",
                 **{"contacts.motive": "complaint"}, **more).expect(303)
        mailbox.wait(f"clarisse.1@conso.example", "service_message", count=2)
        noted = sorted([("phone", motive, f"Appel planted {motive}") for motive in MOTIVES] + [("email", "order", "Votre planted commande"),
                       ("phone", "complaint", "Page planted calls"), ("email", "complaint", "Page planted messages"), ("phone", "order", "Retard")])
        wait_for(lambda: len(rows()[0]) == len(noted))
        check(rows()[0] == noted, f"the log: {rows()[0]}")
    with part("the log tells how many of each, and shows one motive alone"):
        check(rows()[1] == {"order": 3, "technical": 1, "complaint": 3, "credit": 1, "general": 1}, f"{rows()[1]}")
        for motive in MOTIVES:
            check(rows(f"motive:{motive}")[0] == [row for row in noted if row[1] == motive], f"{motive}: {rows(f'motive:{motive}')}")
        for wrong in ("motive:other", "subject:Retard", "motive", "level:accepted"):
            app.get(f"{log}&where={wrong}").refused("invalid-value", status=422)
        shown = form(desk, f"/staff/people/{ident}/contacts", csrf=desk.csrf, purpose=purpose, reason="rappel", where="motive:complaint").expect(200)
        shown = html.unescape(shown.body.decode())
        check(all((subject in shown) == (motive == "complaint") for _, motive, subject in noted), "the page of staff shows others, or not those")
    with part("its person sees it, in their copies and on their page"):
        own = Browser(server)
        own.sign_in("clarisse.1@conso.example", PASSWORD).expect(200)
        files, exported = app.export(ident)
        told = app.get(f"/v1/subjects/{ident}/access").expect(200).body.decode()
        for text in (own.get("/me").expect(200).read.text, told, json.dumps(exported, ensure_ascii=False),
                     html.unescape(files["index.html"].decode()), server.run("subject", "access", ident, "--json")):
            check(all(subject in text for _, _, subject in noted), "a contact is missing")
    with part("a contact without its motive, or with more than is declared, is refused by name"):
        before = rows()
        for act, more in (("calls", {}), ("messages", {"text": "a"})):
            app.post(f"/v1/subjects/{ident}/{act}", {"purpose": purpose, "subject": "a", **more}).refused("missing-field", field="contacts.motive")
            app.post(f"/v1/subjects/{ident}/{act}", {"purpose": purpose, "subject": "a", "fields": {"motive": "order", "mood": "bad"}, **more}) \
               .refused("undeclared", status=422, field="mood", clause=r"^categories\.contacts$")
            app.post(f"/v1/subjects/{ident}/{act}", {"purpose": purpose, "subject": "a", "fields": {"motive": "sale"}, **more}) \
               .refused("invalid-value", status=422)
            answer = form(desk, f"/staff/people/{ident}/{act}", csrf=desk.csrf, purpose=purpose, subject="a", reason="rappel", **more)
            check(answer.status == 422, f"{act} without a motive: {answer.status}")
        check(rows() == before and len(mailbox.find("clarisse.1@conso.example", "service_message")) == 2, "something was noted")


@promise("DM-16")
def customer_service_by_motive(t):
    """Customer service notes each contact under its motive, for staff whose purposes allow it; credit is assessed for its own purpose alone."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now=NOW, arguments=mailbox.arguments())
    app = server.client("app")
    ident, browser = customer(server, app, mailbox, 1)
    desk = staff(server, person(901), "clarisse.901@conso.example", "service_desk")
    other = staff(server, person(902), "clarisse.902@conso.example", "accounting")
    credit = staff(server, person(903), "clarisse.903@conso.example", "credit_desk")
    noted_by_motive(server, mailbox, app, ident, desk)
    log = f"/v1/subjects/{ident}/contacts?purpose="
    with part("staff whose purposes allow it, and nobody else"):
        desk.get(log + "customer_service", **WHY).expect(200)
        for who, role in ((other, "accounting"), (credit, "credit_desk"), (server.client("contest_site"), None)):
            clause = rf"^roles\.{role}$" if role else r"^systems\.contest_site$"
            who.get(log + "customer_service", **WHY).refused("forbidden", status=403, clause=clause)
            who.post(f"/v1/subjects/{ident}/calls", {"purpose": "customer_service", "subject": "a", "fields": {"motive": "order"}}, **WHY) \
               .refused("forbidden", status=403, clause=clause)
        for purpose in ("orders", "credit_check", "marketing"):
            app.get(log + purpose).refused(status=403, clause=rf"^purposes\.{purpose}$")
        looks = app.get(f"/v1/subjects/{ident}/looks?limit=1000").expect(200).json["looks"]
        looks = [row for row in looks if row["actor"] == "service_desk" and row["outcome"] == "done"]
        read = [(row["purpose"], row["categories"], bool(row["reason"])) for row in looks if row["act"] in ("read", "contact.call", "mail.queued")]
        check(read and set(read) <= {("customer_service", "contacts", True), ("customer_service", None, True)}, f"{read}")
    with part("credit is assessed for its own declared purpose alone"):
        given = {"credit": {"level": "accepted"}}
        credit_only(server, app, ident, desk, credit, given)
    with part("each contact goes at its own term"):
        server.set_clock(add_months(server.now(), 35))
        check(app.get(log + "customer_service").expect(200).json["contacts"], "gone before its term")
        server.set_clock(add_months(server.now(), 2))
        server.sweep()
        check(not app.get(log + "customer_service").expect(200, 404).json.get("contacts"), "kept beyond its term")


def credit_only(server, app, ident, desk, credit, given):
    """Written and read for credit_check, by the agency's data and the credit desk; refused for every other purpose, by API, page and command."""
    app.change(ident, "credit_check", given, source="credit_agency").expect(200)
    read = f"/v1/subjects/{ident}?purpose=credit_check&categories=credit"
    check(credit.get(read, **WHY).expect(200).json["data"] == given, "the credit desk does not read it")
    etag = app.read(ident, "credit_check").expect(200).etag
    for purpose in app.get("/v1/policy").expect(200).json["document"]["purposes"]:
        if purpose != "credit_check":
            app.patch(f"/v1/subjects/{ident}?source=credit_agency&purpose={purpose}", given, etag=etag) \
               .refused(status=403, clause=rf"^purposes\.{purpose}")
            app.get(f"/v1/subjects/{ident}?purpose={purpose}&categories=credit").refused(status=403, clause=rf"^purposes\.{purpose}")
    for who in (desk, server.client("contest_site")):
        who.get(read, **WHY).refused("forbidden", status=403)
    answer = form(desk, f"/staff/people/{ident}", csrf=desk.csrf, purpose="credit_check", reason="rappel")
    check(answer.status in (403, 422), f"customer service on the page: {answer.status}")
    server.run_refused("forbidden", "subject", "show", ident, "--purpose", "customer_service", "--categories", "credit")


@promise("DM-21")
def orders_are_shipped(t):
    """Contact and delivery go to the carrier, and no more, and stand in the register; what is billed is kept for its term, to the day."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now=NOW, arguments=mailbox.arguments())
    client = server.client("app")
    ident, browser = customer(server, client, mailbox, 1)
    gone, _ = customer(server, client, mailbox, 2)
    with part("contact and delivery data go to the carrier"):
        data = disclosed(client, ident, "carrier", "orders", "contact", "orders").expect(201).json["data"]
        parcel = {name: ORDER[name] for name in ("number", "delivery")}
        check(data["contact"] == person(1)["contact"] and [row["fields"] for row in data["orders"]] == [parcel], f"the carrier is given {data}")
        noted = client.get(f"/v1/subjects/{ident}/disclosures").expect(200).json["disclosures"][-1]
        check("orders.delivery" in noted["fields"].split(",") and "payment" not in noted["fields"] and "amount" not in noted["fields"], f"noted: {noted}")
        Browser(server).get("/privacy?lang=en").expect(200).has("It only gets these details")
        for category in ("account", "contacts", "tastes"):
            disclosed(client, ident, "carrier", "orders", category).refused("purpose-refused", status=403, clause=r"^purposes\.orders$")
        disclosed(client, ident, "carrier", "marketing", "contact").refused("consent-missing", status=403, clause=r"^purposes\.marketing$")
        for purpose in ("account", "customer_service", "accounting"):
            disclosed(client, ident, "carrier", purpose, "contact").refused("forbidden", status=403, clause=r"^recipients\.carrier$")
    with part("in the register"):
        seen_in_the_register(server, client, ident, browser, [("carrier", "orders", "contact,orders")])
    with part("billing is kept for its term"):
        certificate = client.erase(gone)["certificate"]
        check([(row["category"], row["until"][:10]) for row in certificate["kept"]] == [("orders", "2036-12-31")], f"kept: {certificate['kept']}")
        accountant = bookkeeper(server, 90)

        def kept():
            return {row["id"] for row in accountant.get("/v1/archive").expect(200).json["archive"] if row["category"] == "orders"}
        held = accountant.get(f"/v1/archive/{gone}/orders?reason=audit").expect(200).json["records"]
        check([row["fields"] for row in held] == [ORDER], f"the archive holds {held}")
        client.get(f"/v1/archive/{gone}/orders?reason=audit").refused("forbidden", status=403, clause="^archive$")
        for day, there in (("2036-12-30T12:00:00Z", True), ("2037-01-01T12:00:00Z", False)):
            server.set_clock(milliseconds(day))
            server.sweep()
            accountant = bookkeeper(server, int(day[:4]))            # the former one's account was out of use
            check((gone in kept()) == there, f"on {day} what was billed is {'gone' if there else 'kept'}")
        server.operator().post("/v1/journal/verify").expect(200)


def bookkeeper(server, number):
    """A token of somebody in accounting, whose agreement is recorded."""
    operator = server.operator()
    ident = operator.post("/v1/accounts", {"data": person(number), "supplied_by": "person", "role": "accounting"}).expect(201).json["id"]
    operator.post(f"/v1/accounts/{ident}/agreement", {"date": "2026-01-05", "reference": "safe, shelf 2"}).expect(200)
    token = operator.post("/v1/tokens", {"name": f"books-{number}", "actor": "accounting", "holder": ident}).expect(201).json["token"]
    client = server.anyone()
    client.token = token
    return client


@promise("DM-18")
def marketing_by_channel(t):
    """By e-mail, SMS and post: a consent each, changed by the person on the page and over the API, and no use by a channel that has none."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now=NOW, arguments=mailbox.arguments())
    client, channels = server.client("app"), ("email", "sms", "post")
    ident, browser = customer(server, client, mailbox, 1)
    own = visitor(server, "clarisse.1@conso.example")

    def allowed(who=client):
        """By which channels marketing may go; each refusal names its clause."""
        found = set()
        for channel in channels:
            answer = who.post("/v1/decisions", {"subject": ident, "purpose": "marketing", "categories": ["contact"], "act": "send", "channel": channel})
            if answer.status == 200:
                found.add(channel)
            else:
                answer.refused("consent-missing", status=403, clause=r"^purposes\.marketing", promise=None)
        return found
    with part("a consent for each channel"):
        check(allowed() == set(), f"without a consent: {allowed()}")
        for number, channel in enumerate(channels, 1):
            client.consent(ident, "marketing", "given", channel=channel, wording="Oui.").expect(201)
            check(allowed() == set(channels[:number]), f"after {channel}: {allowed()}")
        rows = client.get(f"/v1/subjects/{ident}/consents").expect(200).json["consents"]
        check(sorted(row["channel"] for row in rows) == sorted(channels), f"the ledger: {rows}")
        client.consent(ident, "marketing", "given", wording="Oui.").refused(status=422, clause=r"^purposes\.marketing")
        client.consent(ident, "marketing", "given", channel="fax", wording="Oui.").refused(status=422, clause=r"^purposes\.marketing")
    with part("the person changes each on the page and over the API"):
        for channel in channels:
            browser.submit(browser.get("/me/consents"), "/me/consents", like={"purpose": "marketing", "channel": channel, "decision": "withdrawn"}).expect(200)
            check(allowed() == set(channels) - {channel}, f"withdrawn for {channel}, and {allowed()}")
            browser.submit(browser.get("/me/consents"), "/me/consents", like={"purpose": "marketing", "channel": channel, "decision": "given"}).expect(200)
            own.post(f"/v1/subjects/{ident}/consents", {"purpose": "marketing", "channel": channel, "decision": "withdrawn"}).expect(201)
            check(allowed() == set(channels) - {channel}, f"withdrawn for {channel}, and {allowed()}")
            own.post(f"/v1/subjects/{ident}/consents", {"purpose": "marketing", "channel": channel, "decision": "given"}).expect(201)
        check(allowed() == set(channels), f"given again: {allowed()}")
    with part("an objection stops all of them"):
        own.put(f"/v1/subjects/{ident}/objections/marketing").expect(204)
        for channel in channels:
            client.post("/v1/decisions", {"subject": ident, "purpose": "marketing", "categories": ["contact"], "act": "send", "channel": channel}) \
                .refused("purpose-refused", status=403, clause=r"^purposes\.marketing")


def months_on(server, count=1):
    """The clock that many months on."""
    server.set_clock(add_months(server.now(), count))


@promise("DM-22")
def studies_of_groups(t):
    """Studies count people by groups, and show none below the policy's smallest, nor what would tell of one by subtraction."""
    server = t.server(now=NOW)
    app = server.client("app")
    groups = {"female": 30, "male": 25, "other": 5}
    people = [gender for gender, count in groups.items() for _ in range(count)]
    made = [app.create({**person(number), "demographics": {"gender": gender, "age_range": ("25-39", "40-59")[number % 2]}})["id"]
            for number, gender in enumerate(people)]
    asked = "/v1/usage/figures?purpose=studies&month=2026-10&by=demographics."
    with part("groups above the smallest are counted as by hand"):
        told = app.get(asked + "age_range").expect(200).json
        check({row["key"]: row["people"] for row in told["rows"]} == {"25-39": 30, "40-59": 30} and told["all"]["people"] == 60, f"by age: {told}")
        table = app.get("/v1/usage/figures.csv?purpose=studies&month=2026-10&by=demographics.age_range").expect(200).body.decode()
        check('"25-39"' in table and '"30"' in table, f"as a table: {table}")
    with part("never below it"):
        told = app.get(asked + "gender").expect(200).json
        check(told["min_group"] == 20 and "other" not in json.dumps(told["rows"]), f"by gender: {told}")
    with part("nor by subtraction: a further group is hidden"):
        check({row["key"]: row["people"] for row in told["rows"]} == {"female": 30} and told["hidden"] == 2, f"by gender: {told}")
        check(told["all"]["people"] - 30 >= 20, "the rest is a small group")
    with part("who objected is not counted"):
        for ident in made[:11]:
            app.put(f"/v1/subjects/{ident}/objections/studies").expect(204)
        told = app.get(asked + "gender").expect(200).json
        check(told["all"]["people"] == 49 and [row["people"] for row in told["rows"]] == [25], f"after 11 of 30 objected: {told}")
    with part("for its purpose alone"):
        app.get(asked.replace("studies", "audience") + "gender").refused(status=422)
        server.client("contest_site").get(asked + "gender").refused("forbidden", status=403)


@promise("DM-15")
def logs_give_figures(t):
    """Logs of the sites are taken in and tied to people, give figures under their purpose, and go with their people."""
    server = t.server(now=NOW)
    app = server.client("app")
    made = [app.create(person(number))["id"] for number in range(12)]
    log = t.path("site.log")
    with open(log, "w", encoding="utf-8") as file:
        for number, ident in enumerate(made):
            for day in (20, 21):
                file.write(f'192.0.2.{number} - {ident} [{day}/Nov/2026:08:00:0{number % 10} +0000] "GET /planted?q=planted-query HTTP/1.1" 200 5 "-" '
                           f'"Mozilla/5.0 (Windows NT 10.0) Firefox/145.0"\n')
    told = json.loads(server.run("usage", "import", log, "--json"))
    with part("tied to their person, cut to what is declared"):
        check((told["taken"], told["nobody"], told["bad"], told["queries"]) == (24, 0, 0, 24), f"told: {told}")
        check({row["field"] for row in told["dropped"]} >= {"file", "status", "bytes"}, f"dropped: {told['dropped']}")
        rows = app.export(made[3])[1]["data"]["device"]
        check([row["fields"] for row in rows] == [{"at": f"2026-11-{day}T08:00:03.000Z", "ip": "192.0.2.3", "browser": "Firefox 145", "system": "Windows"}
                                                  for day in (20, 21)], f"held: {rows}")
    with part("they give figures, as counted by hand"):
        months_on(server)
        told = app.get("/v1/usage/figures?purpose=improvement&month=2026-11&by=day").expect(200).json
        check({row["key"]: (row["people"], row["events"]) for row in told["rows"]} == {"2026-11-20": (12, 12), "2026-11-21": (12, 12)}, f"figures: {told}")
    with part("erased with their person"):
        for ident in made[:3]:
            app.erase(ident)
        check_absent(["192.0.2.2", "planted-query"], server.data)
        told = app.get("/v1/usage/figures?purpose=improvement&month=2026-11&by=day").expect(200).json
        check(told["rows"] == [] and told["all"]["events"] is None, f"of nine people: {told}")
