"""DM: deskmanager, a consumer brand with a shop, contests, mobile applications and social features."""
import json
from garant import add_months, check, check_absent, check_searchable, milliseconds
from mailbox import Mailbox
from people import PASSWORD, registered, visitor
from promise import promise

NOW = "2026-11-22T10:00:00Z"
CARD = {"number": "4111 1111 1111 1111", "holder": "Planted Holder-Dupont", "expires": "12/2029"}


def person(number):
    return {"contact": {"name": f"Clarisse Planted-{number}", "email": f"clarisse.{number}@conso.example", "phone": f"+3361111{number:04d}",
                        "address": f"{number} allée des Planted-Tilleuls"},
            "account": {"screen_name": f"clarisse{number}", "login": f"login-{number}"}}


@promise("DM-03")
def sources(t):
    """Each datum has a source; one that a third party gave brings the duty to tell the person, with its deadline."""
    server = t.server(now=NOW)
    client = server.client("app")
    for source in ("person", "site", "mini_site", "mobile_app", "messages"):
        number = len(source)
        data = person(number) if source in ("person", "site", "mobile_app") else {"contact": person(number)["contact"]}
        ident = client.post("/v1/subjects", {"data": data, "source": source})
        if source in ("mini_site", "messages"):
            check(ident.status in (201, 422), f"{ident.status}")              # the account is needed where the policy says so
            continue
        access = json.dumps(client.get(f"/v1/subjects/{ident.expect(201).json['id']}/access").expect(200).json)
        check(f'"{source}"' in access, f"the source {source} is not with the data: {access}")
    check(client.get("/v1/duties").expect(200).json["duties"] == [], "a duty without a third party")
    ident = client.create(person(1))["id"]
    client.change(ident, "account", {"contact": {"phone": "+33622222222"}}, source="mobile_app").expect(200)
    client.consent(ident, "social", "given").expect(201)
    client.change(ident, "social", {"social_profile": {"network": "Exemple Réseau", "name": "Cla", "permission": "profile"}},
                  source="social_network").expect(200)
    held = client.get(f"/v1/subjects/{ident}/access").expect(200).json
    given = {(row["category"], row["field"]): row["source"] for row in fields_of(held)}
    check(given[("contact", "email")] == "person" and given[("contact", "phone")] == "mobile_app", f"{given}")
    check(given[("social_profile", "name")] == "social_network", f"{given}")
    duties = client.get("/v1/duties").expect(200).json["duties"]
    check(len(duties) == 1 and duties[0]["subject"] == ident, f"{duties}")
    due = milliseconds(duties[0]["due"])
    check(abs(due - add_months(milliseconds(NOW), 1)) <= 86_400_000, f"one month is owed: {duties}")
    for unknown in ("a_friend", "", "Person"):
        client.post("/v1/subjects", {"data": person(9), "source": unknown}).refused(status=422)
    client.post("/v1/subjects", {"data": person(9)}).refused("missing-field", "usage")


def fields_of(access):
    """Every field of an access answer with its source."""
    return [{"category": category["category"], "field": field, "source": said["source"]} for category in access["categories"]
            for record in category["records"] for field, said in record["fields"].items()]


@promise("DM-05")
def demographics(t):
    """Demographics, tastes and household: declared categories only, with a purpose."""
    server = t.server()
    client = server.client("app")
    ident = client.create(person(1), consents=[{"purpose": "profile", "decision": "given"}])["id"]
    taste = {"demographics": {"birth_date": "1990-05-04", "age_range": "25-39", "gender": "other", "postcode": "69003"},
             "tastes": {"products": "bureaux", "hobbies": "aviron", "household": 3}}
    client.change(ident, "profile", taste).expect(200)
    check(client.read(ident, "profile").expect(200).json["data"] == taste, "not held as given")
    for patch in ({"demographics": {"income": 30000}}, {"demographics": {"ethnicity": "none"}}, {"tastes": {"politics": "none"}},
                  {"family": {"children": 2}}, {"household": {"size": 3}}):
        client.change(ident, "profile", patch).refused("undeclared", status=422, clause="^categories", promise="DM-05")
    for patch in ({"demographics": {"age_range": "33"}}, {"demographics": {"birth_date": "hier"}}, {"tastes": {"household": 0}},
                  {"tastes": {"household": "three"}}, {"demographics": {"gender": 1}}):
        client.change(ident, "profile", patch).refused("invalid-value", status=422, clause="^categories")
    # With a purpose: none that does not declare them reads them, and without consent there is none left but studies in groups.
    for purpose in ("account", "orders", "customer_service", "improvement", "feedback", "contests"):
        for category in taste:
            client.read(ident, purpose, [category]).refused("purpose-refused", status=403, clause=rf"^purposes\.{purpose}")
    client.consent(ident, "profile", "withdrawn").expect(201)
    client.read(ident, "profile").refused("consent-missing", status=403, clause=r"^purposes\.profile", promise="DM-05")
    client.change(ident, "account", {"tastes": {"hobbies": "marche"}}).refused(status=403)

    def no_purpose(text):
        return text.replace("categories: [demographics, tastes]", "categories: [demographics]")
    changed = t.server(policy=t.copy_of_policy(no_purpose), start=False)
    status, said = changed.refuses_to_start()
    check(status == 78 and "tastes" in said, f"a category that no purpose uses: status {status}: {said}")


@promise("DM-06")
def position_with_consent(t):
    """Precise position and device id only with consent."""
    server = t.server()
    client, mobile = server.client("app"), server.client("mobile")
    ident = client.create(person(1))["id"]
    place = {"at": NOW, "device_id": "planted-device-0042", "latitude": 45.7612345, "longitude": 4.8312345}
    for fields in (place, {"at": NOW, "device_id": "planted-device-0042"}, {"at": NOW, "latitude": 45.7612345, "longitude": 4.8312345}):
        for caller in (client, mobile):
            caller.record(ident, "mobile", fields, source="mobile_app").refused("consent-missing", status=403, clause="mobile", promise="DM-06")
    mobile.consent(ident, "mobile_features", "refused").expect(201)
    mobile.record(ident, "mobile", place, source="mobile_app").refused("consent-missing", status=403, promise="DM-06")
    # Nor by another door: no other category takes them.
    for category in ("device", "usage"):
        for field in ("device_id", "latitude", "longitude", "position"):
            answer = client.record(ident, category, {"at": NOW, field: place.get(field, "45.76,4.83")}, source="mobile_app")
            answer.refused("undeclared", "consent-missing")
    check_absent(["planted-device-0042"], server.folder)
    mobile.consent(ident, "mobile_features", "given", wording="Use my position?").expect(201)
    mobile.record(ident, "mobile", place, source="mobile_app").expect(201)
    held = mobile.read(ident, "mobile_features", ["mobile"]).expect(200).json["data"]["mobile"]
    check([record["fields"] for record in held] == [place], f"{held}")
    for purpose in ("account", "orders", "marketing", "improvement", "audience", "studies"):
        client.read(ident, purpose, ["mobile"]).refused(status=403, clause=rf"^purposes\.{purpose}")
    mobile.consent(ident, "mobile_features", "withdrawn").expect(201)
    mobile.record(ident, "mobile", place, source="mobile_app").refused("consent-missing", status=403, promise="DM-06")
    mobile.read(ident, "mobile_features", ["mobile"]).refused("consent-missing", status=403, promise="DM-06")


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
    client.put(path, CARD).expect(204)
    check(client.get(path + "?purpose=orders").expect(200).json == CARD, "the card is not there for the transaction")
    for purpose in ("account", "marketing", "accounting", "studies", "sale"):
        client.get(path + f"?purpose={purpose}").refused(status=403)
    for other in (f"/v1/subjects/{ident}?purpose=orders", f"/v1/subjects/{ident}/access"):
        check("4111" not in client.get(other).expect(200).body.decode(), f"the card stands in {other}")
    check(not any(b"4111" in content for content in client.export(ident)[0].values()), "the card stands in the export")
    server.operator().post("/v1/backup", {"to": t.path("backup")}).expect(200)
    check_absent(planted, server.folder, t.path("backup"))
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
    for category, fields in (("orders", {"number": "C-1", "ordered": "2026-11-22", "amount": 10, "delivery": "4111 1111 1111 1111"}),
                             ("feedback", {"at": NOW, "comment": "card 5500-0000-0000-0004"}), ("card", CARD)):
        client.record(ident, category, fields).refused("card-number", "usage", "conflict", "undeclared", status=None)
    client.change(ident, "account", {"account": {"screen_name": "4111111111111111"}}).refused("card-number", status=422)
    client.post("/v1/subjects", {"data": {**person(2), "card": CARD}, "source": "person"}).refused()
    server.stop()
    check_absent(planted + ["5500-0000-0000-0004", "5500000000000004"], server.folder)


@promise("DM-04")
def no_recoverable_password(t):
    """Identifier or e-mail, screen name and a password of which only a digest is kept; no security question; nobody can read a password again."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now=NOW, arguments=mailbox.arguments())
    client, address, new = server.client("app"), "clarisse.1@conso.example", "Zul+9-girafe-Lente"
    registered(server, mailbox, person(1), address)
    for identifier in (address, "login-1"):                           # by either
        visitor(server, identifier)
    one = visitor(server, address)
    for fields in ({"password": PASSWORD}, {"secret_question": "Nom du chien ?"}, {"secret_answer": "Planted-Rex"}, {"security_answer": "Planted-Rex"}):
        client.change(one.id, "account", {"account": fields}).refused("undeclared", status=422, clause="^categories")
    # A forgotten password is replaced through a link, never sent.
    server.anyone().post("/v1/password/reset", {"identifier": address}).expect(202)
    letter = mailbox.wait(address, "reset")
    token = letter.links[0].rsplit("/", 1)[1]
    server.anyone().post("/v1/password/reset/confirm", {"token": token, "password": new}).expect(204)
    mailbox.wait(address, "reset_done")
    for one_letter in mailbox.letters:
        check(PASSWORD not in one_letter.text + one_letter.html and new not in one_letter.text + one_letter.html, "a letter holds a password")
    server.anyone().post("/v1/session", {"identifier": address, "password": PASSWORD}).refused("unauthorised", status=401)
    visitor(server, address, new)
    # It is in no answer and in no file, not as it was and not as its digest.
    access = client.get(f"/v1/subjects/{one.id}/access").expect(200)
    _, exported = client.export(one.id)
    held = access.body.decode() + json.dumps(exported) + server.operator().get(f"/v1/accounts/{one.id}").expect(200).body.decode()
    check("argon2id" not in held and PASSWORD not in held and new not in held and "Planted-Rex" not in held, "an answer holds a password")
    check_searchable([PASSWORD, new], t.folder)
    check_absent([PASSWORD, new, "$argon2id$", "Planted-Rex", token], server.folder)
    document = client.get("/v1/policy").expect(200).json["document"]["security"]["password"]
    check(document["storage"] == "argon2id" and document["secret_question"] == "false", f"{document}")
    board = {probe["name"]: probe for probe in server.operator().get("/v1/promises").expect(200).json["probes"]}
    check(board["passwords"]["state"] == "kept" and board["passwords"]["figure"] == 1, f"{board['passwords']}")
