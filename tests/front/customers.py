"""Letters to customers without consent (CPCE L34-5): only where a sale is on record at which they could oppose, and never once they did."""
import json, os, re, tempfile
from garant import Server, check, garant, policy_file
from mailbox import Mailbox, wait_for
from browser import Browser
from people import form, registered, staff, visitor

OFFERS = """  offers:
    title: {fr: "Vous proposer nos autres salles", en: "Offer you our other rooms"}
    dpv: dpv:DirectMarketing
    basis: legitimate_interest
    interest: {fr: "Proposer des produits analogues à nos clients.", en: "Offer similar products to our customers."}
    balancing: balance-offers-2026
    marketing: true
    customers_only: true
    channels: [email]
    opt_out: [link, page, email]
    pixel: false
    categories: [identity, login]
  interest_tracking:
"""
SAID = {"subject": {"en": "Planted rooms", "fr": "Salles plantées"}, "text": {"en": "Hello.", "fr": "Bonjour."}}
SOLD = {"purpose": "offers", "channel": "email", "decision": "offered", "wording": "No offers of similar rooms, please: [ ]", "evidence": "order 4711"}
CLAUSE = r"^purposes\.offers$"


def policy():
    with open(policy_file("myownconference"), encoding="utf-8") as file:
        text = file.read()
    text = text.replace("  interest_tracking:\n", OFFERS, 1).replace("[service, product_news]", "[service, product_news, offers]", 1)
    text = text.replace("billing, product_news, interest_tracking, support_extra", "billing, product_news, offers, interest_tracking, support_extra", 1)
    path = os.path.join(tempfile.mkdtemp(), "myownconference.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def rooms(name):
    return {"identity": {"display_name": name}, "login": {"email": f"{name}@rooms.example"}}


def bought(app, name, **more):
    """A customer of whom the shop told what the sale offered."""
    ident = app.create(rooms(name))["id"]
    app.post(f"/v1/subjects/{ident}/consents", {**SOLD, **more}).expect(201)
    return ident


def campaign(app):
    ident = app.post("/v1/campaigns", {"name": "Rooms", "purpose": "offers", **SAID}).expect(201).json["id"]
    count = app.post(f"/v1/campaigns/{ident}/count").expect(200).json["recipients"]
    app.post(f"/v1/campaigns/{ident}/steer", {"do": "start"}).expect(200)
    wait_for(lambda: app.get(f"/v1/campaigns/{ident}").expect(200).json["state"] == "done")
    return count


def refusals(app, ident, own):
    """What is no proof of a sale."""
    app.post(f"/v1/subjects/{ident}/consents", {**SOLD, "decision": "given"}).refused("invalid-value", status=422)
    for missing in ("evidence", "wording"):
        app.post(f"/v1/subjects/{ident}/consents", {k: v for k, v in SOLD.items() if k != missing}).refused("missing-field", clause=CLAUSE)
    app.post(f"/v1/subjects/{ident}/consents", {**SOLD, "purpose": "product_news"}).refused("invalid-value", status=422)
    own.post(f"/v1/subjects/{own.id}/consents", SOLD).refused("invalid-value", status=422, clause=CLAUSE)


def register(tests):
    @tests.test("customers: staff record on their page that a sale offered to oppose; without the sale or the words nothing is recorded")
    def by_staff():
        with Mailbox() as box, Server(policy(), tenant="myownconference", arguments=box.arguments()) as server:
            ident = server.client("app").create(rooms("bought"))["id"]
            clerk = Browser.of(server, staff(server, rooms("clerk"), "clerk@rooms.example", "representative"))
            path = f"/staff/people/{ident}/signed"
            for language, says in (("fr", "Enregistrer la vente"), ("en", "Record the sale")):
                page = clerk.get(f"{path}?lang={language}").expect(200).has(says)
            said = {"offer": "offers|email", "sale": "order 4711", "said": SOLD["wording"]}
            for wrong in ({"sale": " "}, {"said": ""}, {"offer": "product_news|email"}, {"offer": "service"}, {"offer": "x" * 9000}):
                answer = clerk.submit(page, path, {"sold": "yes"}, **{**said, **wrong})
                check(answer.status in (403, 422), f"{wrong} is taken: {answer.status}")
            told = json.loads(server.run("subject", "consents", ident, "--json"))["consents"]
            check(not told, f"something was recorded: {told}")
            clerk.submit(page, path, {"sold": "yes"}, **said).expect(200)
            rows = server.operator().get(f"/v1/subjects/{ident}/consents").expect(200).json["consents"]
            check([(row["decision"], row["wording"], row["evidence"]) for row in rows] == [("offered", SOLD["wording"], "order 4711")], f"{rows}")
            check(campaign(server.client("app")) == 1, "who bought is not counted")

    @tests.test("customers: letters without consent go to who could oppose at a sale and never did; the link ends them for good")
    def customers():
        path = policy()
        with Mailbox() as box, Server(path, tenant="myownconference", arguments=box.arguments()) as server:
            app = server.client("app")
            check("nothing to remark" in garant("lint", path), "the policy is not clean")
            people = {name: bought(app, name) for name in ("stays", "leaves", "objects", "declined")}
            people["stranger"] = app.create(rooms("stranger"))["id"]
            registered(server, box, rooms("own"), "own@rooms.example")
            own = visitor(server, "own@rooms.example", tenant="myownconference")
            refusals(app, people["stranger"], own)
            app.post(f"/v1/subjects/{people['declined']}/consents", {**SOLD, "decision": "refused"}).expect(201)
            app.post(f"/v1/subjects/{people['declined']}/consents", SOLD).expect(201)          # a later sale takes no opposition back
            app.put(f"/v1/subjects/{people['objects']}/objections/offers").expect(204)
            app.delete(f"/v1/subjects/{people['objects']}/objections/offers").expect(204)      # taken back, it stays one that was made
            check(campaign(app) == 2, "others are counted")
            got = {name for name in (*people, "own") if any(one.subject in SAID["subject"].values() for one in box.find(f"{name}@rooms.example"))}
            check(got == {"stays", "leaves"}, f"letters went to {got}")
            letter = [one for one in box.find("leaves@rooms.example") if one.subject in SAID["subject"].values()][0]
            check("you are our customer" in letter.text or "vous êtes client" in letter.text, f"it does not say why: {letter.text}")
            link = re.search(r"<(https?://[^>]+)>", letter.headers["list-unsubscribe"])[1]
            server.anyone().post("/" + link.split("/", 3)[3], b"List-Unsubscribe=One-Click",
                                 **{"Content-Type": "application/x-www-form-urlencoded"}).expect(200, 202, 204)
            app.post(f"/v1/subjects/{people['leaves']}/consents", SOLD).expect(201)
            check(campaign(app) == 1, "who left is counted again")
            rows = [(row["decision"], row["wording"]) for row in server.operator().get(f"/v1/subjects/{people['stays']}/consents").expect(200).json["consents"]]
            check(rows == [("offered", SOLD["wording"])], f"the proof: {rows}")
            told = json.loads(server.run("subject", "consents", people["stays"], "--json"))
            check(told["consents"][0]["decision"] == "offered", f"the command: {told}")
            check("You could refuse when you bought" in server.anyone().get("/privacy?lang=en", Accept="text/html").expect(200).body.decode(), "not published")
            server.restart()                                        # the board looks at its start

            def looked():
                rows = server.operator().get("/v1/promises").expect(200).json["probes"]
                return next((row for row in rows if row["name"] == "letters" and row["figure"] == 3), None)
            check(wait_for(looked)["bad"] == 0, "the board takes a letter for one that nobody agreed to")
