"""FR: site-fr, a plain site hosted in France that never prospects."""
import html, io, json, re, zipfile
from browser import Browser
from garant import DAY, add_months, check, check_absent, check_searchable, garant, milliseconds, policy_file
from mailbox import Mailbox, wait_for
from notices import journal_of
from people import PASSWORD, form, registered, staff, visitor
from promise import further, only_as_declared, part, promise, refuses_elsewhere
from uses import command, refused, uses_of
from words import word


def person(number):
    return {"identity": {"first_name": f"Apolline-{number}", "last_name": f"Vasseur-{number}"},
            "contact": {"email": f"apolline.{number}@exemple.example", "phone": f"+3347800{number:04d}",
                        "address": f"{number} montée de la Grande-Côte"}}


INVOICE = {"invoice": "F-2026-0117", "issued": "2026-11-20", "amount": 125.5, "recipient": "Apolline Vasseur-1"}
FRAUD = {"at": "2026-11-21T08:00:00Z", "fact": "Three cards refused in a row", "ip": "192.0.2.17"}
MESSAGE = {"at": "2026-11-21T09:00:00Z", "subject": "Where is my order", "message": "It has not come."}
VISIT = {"at": "2026-11-21T09:05:00Z", "page": "/orders", "response_ms": 41}


def complete(client, number=1):
    """A person of whom something is held in every category."""
    ident = client.create(person(number))["id"]
    for category, fields in (("billing", INVOICE), ("fraud", FRAUD), ("exchanges", MESSAGE), ("usage", VISIT)):
        client.record(ident, category, fields, at=fields.get("at", "2026-11-20")).expect(201)
    return ident


@promise("FR-01")
def as_declared(t):
    """Identifying data is used only as declared: every purpose against every category."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(arguments=mailbox.arguments())
    client = server.client("app")
    only_as_declared(server, client, complete(client), "FR-01", desk=staff(server, person(90), "apolline.90@exemple.example", "support"))
    with part("a read for another purpose is refused with its clause"):      # what one token may not do, the policy says as well
        server.client("meter").read(client.create(person(2))["id"], "performance") \
              .refused("forbidden", "purpose-refused", status=403, clause=r"^systems\.meter$")


@promise("FR-02")
def stored_in_france(t):
    """A store or processor outside France stops the start with a clear error, EU or not."""
    stores = ["main: {country: FR", "backups: {country: FR"]
    processors = ["name: Exemple Maintenance SARL\n    purposes: [account, improvement]\n    categories: [identity, contact, usage]\n    country: FR",
                  "name: Exemple Hébergement SAS\n    purposes: [account]\n    categories: [identity, contact, exchanges]\n    country: FR"]
    refuses_elsewhere(t, stores, processors, "DE", "France")
    refuses_elsewhere(t, stores[:1], processors[:1], "US", "France")


MARKETING = ("prospecting", "marketing", "advertising", "newsletter")
READS = ("a read", "a read of one category", "a look-up", "the contact log", "a batch", "a file", "the question whether to read",
         "the question whether to read, of nobody in particular")
SENDS = ("a message", "a call noted", "a disclosure", "the question whether to send", "the question whether to send, of nobody in particular",
         "the question whether to disclose", "the question whether to disclose, of nobody in particular")
# What the class of each actor may do at all: the rest is refused before anybody asks what for, with the class as its clause.
MAY = {"app": READS + SENDS, "operator": READS + SENDS, "meter": (), "support": READS + SENDS[:2] + SENDS[3:5], "accounting": READS, "fraud_desk": READS}


def actors_of(server, mailbox):
    """Whoever the policy names, and the operator; staff by their session, with what their role needs."""
    found = {name: server.client(name) for name in ("app", "meter")} | {"operator": server.operator()}
    for number, role in enumerate(("support", "accounting", "fraud_desk"), 91):
        registered(server, mailbox, person(number), f"apolline.{number}@exemple.example")
        found[role] = staff(server, person(number + 100), f"apolline.{number + 100}@exemple.example", role)
        found[role].headers = {"Garant-Reason": "file 2026-4711"}
    return found


@promise("FR-03")
def never_prospecting(t):
    """Any read or send for marketing is refused whatever the consent, by page, API and command, for every actor, with its clause; and a policy
    that declares one beside does not run."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(arguments=mailbox.arguments())
    client = server.client("app")
    ident, address = complete(client), {"contact": {"email": person(1)["contact"]["email"]}}
    file = client.request("POST", f"/v1/subjects/{ident}/attachments?category=exchanges&name=note.txt", b"a note",
                          {"Content-Type": "text/plain"}.items()).expect(201).json["id"]
    everybody = actors_of(server, mailbox)

    def no_use(who, purpose, names):
        uses = uses_of(everybody[who], ident, purpose, address, {"contact": {"phone": "+33147200000"}}, recipient="maintenance", attachment=file)
        check(set(names) <= set(uses), f"{set(names) - set(uses)}")
        for name in names:
            expected = {"clause": "^never.prospecting$", "promise": "FR-03"} if name in MAY[who] else {"clause": rf"^(never\.prospecting|[a-z]+\.{who})$"}
            refused(f"{who}, {name} for {purpose}", uses[name](), "purpose-refused", "forbidden", status=403, **expected)

    def refused_by_page(path, purpose, **fields):
        desk = everybody["support"]
        page = form(desk, f"/staff/people/{ident}{path}", purpose=purpose, csrf=desk.csrf, **fields).expect(403)
        check("never.prospecting" in page.body.decode() and person(1)["identity"]["last_name"] not in page.body.decode(), f"{path}: {page.body}")

    def refused_by_command(purpose, *words, given=None):
        status, said = command(server, "subject", *words, "--purpose", purpose, given=given)
        check(status == 1 and "never.prospecting" in said and "policies/site-fr.yaml:" in said and "Vasseur" not in said, f"{words}: {status} {said}")
    with part("a read for marketing is refused, by page, API and command, for every actor"):
        for purpose in MARKETING:
            for who in everybody:
                no_use(who, purpose, READS)
            refused_by_page("", purpose)
            refused_by_page("/contacts", purpose)
            refused_by_command(purpose, "show", ident)
            refused_by_command(purpose, "find", "contact.email", given=address["contact"]["email"] + "\n")
    with part("a send for marketing is refused, by page and API, for every actor"):
        for purpose in MARKETING:
            for who in everybody:
                no_use(who, purpose, SENDS)
            refused_by_page("/messages", purpose, subject="An offer", text="Buy it.")
            refused_by_page("/calls", purpose, subject="An offer")
        mailbox.none_within(0.3, address["contact"]["email"])
    with part("nor is anything written for it"):
        for purpose in MARKETING:
            for who in everybody:
                no_use(who, purpose, ("a change", "the question whether to write"))
            refused_by_command(purpose, "patch", ident, "--version", "1", given='{"contact": {"phone": "+33147200000"}}')
            client.post("/v1/subjects", {"data": person(5), "source": "person", "purpose": purpose}) \
                  .refused("purpose-refused", status=403, clause="^never.prospecting$", promise="FR-03")
        check(client.read(ident, "account").expect(200).json["data"]["contact"] == person(1)["contact"], "something was changed")
    with part("whatever the consent: none can be given"):
        for number, purpose in enumerate(MARKETING, 40):
            yes = {"purpose": purpose, "decision": "given", "wording": "Oui, écrivez-moi."}
            for who in ("app", "operator"):
                everybody[who].post(f"/v1/subjects/{ident}/consents", yes) \
                    .refused("purpose-refused", status=403, clause="^never.prospecting$", promise="FR-03")
            client.post("/v1/subjects", {"data": person(number), "source": "person", "consents": [yes]}) \
                  .refused("purpose-refused", status=403, clause="^never.prospecting$", promise="FR-03")
            server.anyone().post("/v1/accounts/register", {"data": person(number), "password": PASSWORD, "consents": [yes]}) \
                  .refused("purpose-refused", status=403, clause="^never.prospecting$")
            one = visitor(server, "apolline.91@exemple.example")
            page = form(one, "/me/consents", purpose=purpose, decision="given", csrf=one.csrf).expect(403).body.decode()
            check("never.prospecting" in page, f"{page}")
            one.post(f"/v1/subjects/{one.id}/consents", yes).refused("purpose-refused", status=403, clause="^never.prospecting$", promise="FR-03")
            kept = [client.get(f"/v1/subjects/{whose}/consents").expect(200).json for whose in (ident, one.id)]
            check(all(ledger["consents"] == [] and ledger["live"] == [] for ledger in kept), f"a consent is on record: {kept}")
    with part("whatever the consent: one that a former policy took counts for nothing"):
        former_consent(t)
    with part("what is not marketing goes on"):
        client.read(ident, "account").expect(200)
        client.post("/v1/decisions", {"subject": ident, "purpose": "account", "categories": ["contact"], "act": "send"}).expect(200)
        client.post(f"/v1/subjects/{ident}/messages", {"purpose": "account", "subject": "Your order", "text": "It is on its way."}).expect(202)
        mailbox.wait(address["contact"]["email"], "service_message")
    with part("no policy with a marketing purpose runs"):
        def with_marketing(text):
            return text.replace("\nnever:\n", "  offers:\n    dpv: dpv:DirectMarketing\n    basis: consent\n    marketing: true\n"
                                "    categories: [contact]\n\nnever:\n")
        status, said = t.server(policy=t.copy_of_policy(with_marketing), start=False).refuses_to_start()
        check(status == 78 and "purposes.offers" in said and "never.prospecting" in said, f"status {status}: {said}")


def former_consent(t):
    """A consent to newsletters, given and used while the policy allowed it; then the policy as it is comes into force."""
    with open(policy_file(t.policy), encoding="utf-8") as file:
        now = file.read()
    then = re.sub(r"\nnever:\n(?:  .*\n)+", "\n", now).replace(", never.prospecting", "").replace("  FR-03: [never.prospecting, ", "  FR-03: [") \
             .replace("\nminors:", "  newsletter:\n    title: {fr: Lettre, en: Newsletter}\n    dpv: dpv:DirectMarketing\n    basis: consent\n"
                      "    marketing: true\n    channels: [email]\n    opt_out: [link, page, email]\n    pixel: false\n    categories: [identity, contact]\n"
                      "consent: {method: [tick, button], separate: true, preticked: false, proof: [who, when, wording, version, how],\n"
                      "          withdraw: [page, link, email]}"
                      "\nminors:", 1) \
             .replace("purposes: [account, improvement, disputes,", "purposes: [newsletter, account, improvement, disputes,", 1)
    path = t.path("policy.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(then)
    server = t.server(policy=path, now="2026-11-21T10:00:00Z")
    client = server.client("app")
    ident = client.create(person(1))["id"]
    client.consent(ident, "newsletter", "given", channel="email", wording="Oui, écrivez-moi.").expect(201)
    client.read(ident, "newsletter").expect(200)
    with open(path, "w", encoding="utf-8") as file:
        file.write(now)
    server.advance(days=1)
    server.operator().post("/v1/policy/reload").expect(200)
    rows = client.get(f"/v1/subjects/{ident}/consents").expect(200).json["consents"]
    check([row["decision"] for row in rows] == ["given"], f"the consent is not on record any more: {rows}")
    uses = uses_of(client, ident, "newsletter", {"contact": {"email": person(1)["contact"]["email"]}}, {"contact": {"phone": "+33147200000"}},
                   recipient="maintenance")
    for name, use in uses.items():
        refused(f"with a consent, {name}", use(), "purpose-refused", status=403, clause="^never.prospecting$")


@promise("FR-04")
def providers(t):
    """A disclosure carries recipient, purpose and categories, and is recorded; marketing and what was not declared is refused."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(arguments=mailbox.arguments())
    client, everybody = server.client("app"), actors_of(server, mailbox)
    one, ident = visitor(server, "apolline.91@exemple.example"), client.lookup({"contact.email": "apolline.91@exemple.example"}, "account").json["id"]
    client.record(ident, "exchanges", MESSAGE, at=MESSAGE["at"]).expect(201)
    path, data = f"/v1/subjects/{ident}/disclosures", {name: person(91)[name] for name in ("identity", "contact")}
    asked = {"recipient": "maintenance", "purpose": "account", "categories": ["identity", "contact"]}
    with part("a disclosure carries recipient, purpose and categories, and hands out these alone"):
        given = client.post(path, asked).expect(201).json
        check(given["data"] == data, f"disclosed: {given['data']}")
        check(client.post(path, {**asked, "recipient": "host", "categories": ["contact"]}).expect(201).json["data"] == {"contact": data["contact"]}, "more")
        for missing in asked:
            answer = client.post(path, {name: value for name, value in asked.items() if name != missing})
            answer.refused("usage", "missing-field", status=422 if answer.status == 422 else 400)
    with part("the person sees it: page, answers, export and command"):
        rows = [("maintenance", "account", ["contact", "identity"]), ("host", "account", ["contact"])]
        command_said = json.loads(garant("subject", "access", ident, "--data", server.data, "--policy", server.policy, "--json"))["disclosures"]
        for known in (client.get(f"/v1/subjects/{ident}/access").expect(200).json["disclosures"], one.get(path).expect(200).json["disclosures"],
                      client.export(ident)[1]["disclosures"], command_said):
            told = [(row["recipient"], row["purpose"], sorted(row["categories"].split(","))) for row in known]
            check(sorted(told) == sorted(rows), f"the person sees {known}")
        for language in ("fr", "en"):
            shown = html.unescape(one.get(f"/me?lang={language}", Accept="text/html").expect(200).body.decode())
            check("Exemple Maintenance SARL" in shown and "Exemple Hébergement SAS" in shown and word("me.disclosed", language) in shown,
                  f"the page in {language}: {shown}")
        looks = [look for look in one.get(f"/v1/subjects/{ident}/looks").expect(200).json["looks"] if look["act"] == "disclosure"]
        check([(look["actor"], look["purpose"], look["clause"]) for look in looks] ==
              [("app", "account", "recipients.host"), ("app", "account", "recipients.maintenance")], f"{looks}")
    with part("what the policy does not declare is refused with its clause: recipient, purpose, category"):
        for other, clause in (({"purpose": "disputes"}, "^recipients.maintenance$"),
                              ({"categories": ["exchanges"]}, "^(recipients.maintenance|purposes.account)"),
                              ({"recipient": "advertiser"}, "^recipients$"), ({"purpose": "improvement", "categories": ["contact"]}, "^purposes.improvement"),
                              ({"recipient": "host", "categories": ["usage"]}, "^(recipients.host|purposes.account)"),
                              ({"purpose": "curiosity"}, "^purposes$")):
            refused(f"{other}", client.post(path, {**asked, **other}), clause=clause)
    with part("a disclosure for marketing is refused with its clause"):
        for purpose in MARKETING:
            for recipient in ("maintenance", "host"):
                client.post(path, {**asked, "recipient": recipient, "purpose": purpose}) \
                      .refused("purpose-refused", status=403, clause="^never.prospecting$")
    with part("nobody discloses whom the policy does not let"):
        for who in ("meter", "support", "accounting", "fraud_desk"):
            everybody[who].post(path, asked).refused("forbidden", status=403, clause=rf"\.{who}$")
        server.operator().post(path, asked).refused("forbidden", status=403, clause="^rights$")
        one.post(path, asked).refused("forbidden", status=403)
    with part("what was refused is on record and hands out nothing"):
        looks = one.get(f"/v1/subjects/{ident}/looks").expect(200).json["looks"]
        count = len([look for look in looks if look["outcome"] == "refused" and look["clause"] == "never.prospecting"])
        check(count == 2 * len(MARKETING), f"{count} refusals for marketing: {looks}")
        check(len(one.get(path).expect(200).json["disclosures"]) == 2, "a refused disclosure is listed")
        check_absent([value for fields in data.values() for value in fields.values()], server.folder)       # nor in what is kept of one


@promise("FR-06")
def four_rights(t):
    """Access, modification, extraction in an open format, and deletion: on the person's page, by API and by command."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(arguments=mailbox.arguments())
    client, people = server.client("app"), {}
    for number, language in ((5, "fr"), (6, "en")):
        address = person(number)["contact"]["email"]
        registered(server, mailbox, person(number), address, language=language)
        ident = client.lookup({"contact.email": address}, "account").expect(200).json["id"]
        for category, fields in (("billing", INVOICE), ("fraud", FRAUD), ("exchanges", MESSAGE), ("usage", VISIT)):
            client.record(ident, category, fields, at=fields.get("at", "2026-11-20")).expect(201)
        browser = Browser(server, language)
        browser.sign_in(address, PASSWORD).expect(200)
        people[language] = {"id": ident, "number": number, "browser": browser, "own": visitor(server, address)}
    with part("access, by page, API and command"):
        for language, one in people.items():
            values = [value for fields in person(one["number"]).values() for value in fields.values()]
            values += [INVOICE["invoice"], FRAUD["fact"], MESSAGE["subject"], VISIT["page"]]
            told = ["Exemple Maintenance SARL", "Exemple Hébergement SAS", "CNIL", "Site Exemple SAS", "vie-privee@site-fr.example"]
            said = json.loads(garant("subject", "access", one["id"], "--data", server.data, "--policy", server.policy, "--json"))
            path = f"/v1/subjects/{one['id']}/access"
            for answer in (client.get(path).expect(200).json, one["own"].get(path).expect(200).json, said):
                text = json.dumps(answer, ensure_ascii=False)
                missing = [word for word in (*values, *told, "account", "improvement", "disputes", "billing", "fraud") if word not in text]
                check(not missing, f"access lacks {missing}")
            one["browser"].get("/me").expect(200).has(*(values if language == "en" else values[:5]), *told)
    with part("modification, by page, API and command, with the former value kept for the person"):
        for language, one in people.items():
            browser, ident, number = one["browser"], one["id"], one["number"]
            browser.submit(browser.get("/me/edit/contact"), "/me/edit/contact", fields={"contact.address": "1 place Bellecour"}).expect(200) \
                   .has("1 place Bellecour")
            own = one["own"].patch(f"/v1/subjects/{ident}", {"contact": {"phone": "+33478009999"}}, etag="*").expect(200)
            check(own.json["changed"] == ["contact.phone"], f"{own.json}")
            client.change(ident, "account", {"identity": {"first_name": f"Apoline-{number}"}}, source="person").expect(200)
            held = client.read(ident, "account").expect(200).json["data"]
            check(held["contact"]["address"] == "1 place Bellecour" and held["contact"]["phone"] == "+33478009999"
                  and held["identity"]["first_name"] == f"Apoline-{number}", f"the modifications are not held: {held}")
            former = json.loads(garant("subject", "former", ident, "--data", server.data, "--policy", server.policy, "--json"))["former"]
            was = person(number)["contact"]
            check({row["value"] for row in former} == {was["address"], was["phone"], f"Apolline-{number}"}, f"{former}")
            browser.get("/me").expect(200).has(f"{number} montée de la Grande-Côte", "1 place Bellecour")
    with part("extraction in an open format, by page, API and command"):
        for language, one in people.items():
            browser, ident = one["browser"], one["id"]
            taken = browser.submit(browser.get("/me/export"), "/me/export").expect(200)
            path = t.path(f"export-{language}.zip")
            garant("export", ident, "--to", path, "--data", server.data, "--policy", server.policy)
            with open(path, "rb") as file:
                by_command = file.read()
            for body in (taken.body, client.get(f"/v1/subjects/{ident}/export").expect(200).body,
                         one["own"].get(f"/v1/subjects/{ident}/export").expect(200).body, by_command):
                with zipfile.ZipFile(io.BytesIO(body)) as archive:
                    names = archive.namelist()
                    check({"data.json", "index.html", "contact.csv", "billing.csv"} <= set(names), f"{names}")
                    data = json.loads(archive.read("data.json"))
                    check(data["data"]["contact"]["address"] == "1 place Bellecour", f"{data['data']}")
                    for value in ("1 place Bellecour", "Vasseur-", INVOICE["invoice"], FRAUD["fact"], MESSAGE["message"], VISIT["page"]):
                        check(value in json.dumps(data, ensure_ascii=False), f"data.json lacks {value}")
                        check(value in html.unescape(archive.read("index.html").decode()), f"index.html lacks {value}")
                    check("1 place Bellecour" in archive.read("contact.csv").decode("utf-8-sig"), "the table lacks the address")
    with part("deletion, by page, API and command"):
        third = complete(client, 7)
        client.erase(third)
        fourth = complete(client, 8)
        garant("erase", fourth, "--data", server.data, "--policy", server.policy)
        for language, one in people.items():
            must = {tongue: (word("erase.gone", tongue), word("erase.stays", tongue)) for tongue in ("fr", "en")}
            page = one["browser"].get("/me/erase").expect(200).has(*must[language], "L123-22")
            last = one["browser"].submit(page, "/me/erase", press={"sure": "yes"}).expect(200).has("L123-22")
            check(not one["browser"].cookies and one["browser"].send("GET", "/me").status == 303, f"the session outlives the person: {last.status}")
        for ident in (third, fourth, *(one["id"] for one in people.values())):
            client.read(ident, "account").refused("not-found", status=404)
        wait_for(lambda: not server.operator().get("/v1/mail").expect(200).json["queued"])
        gone = [value for number in (5, 6, 7, 8) for fields in person(number).values() for value in fields.values() if len(value) > 8]
        check_absent([*gone, "1 place Bellecour", MESSAGE["message"]], server.folder)
    with part("all four from the privacy centre, which every page of it leads to"):
        registered(server, mailbox, person(9), "apolline.9@exemple.example")
        browser = Browser(server)
        browser.sign_in("apolline.9@exemple.example", PASSWORD).expect(200)
        for start in ("/me", "/me/consents", "/me/looks", "/me/security"):
            shown = browser.get(start).expect(200)
            check({"/me", "/me/export", "/me/erase"} <= {link.partition("?")[0] for link in shown.read.links}, f"{start}: {shown.read.links}")
        check("/me/edit/contact" in browser.get("/me").read.links, "no modification from the page")


KEPT = {"fr": [("Éléments de facturation", "C. com. L123-22", "31 décembre 2036"),
               ("Éléments de lutte contre la fraude", "RGPD 17(3)(e), C. civ. 2224", "21 novembre 2031")],
        "en": [("Billing elements", "C. com. L123-22", "31 December 2036"),
               ("Elements of the fight against fraud", "GDPR 17(3)(e), C. civ. 2224", "21 November 2031")]}
PAPERS = (("billing", INVOICE, "2036-12-31T00:00:00.000Z"), ("fraud", FRAUD, "2031-11-21T00:00:00.000Z"))


def tells(what, text, language, apart=()):
    """A text tells what is kept, why and until when, in that language; nothing of what is not kept."""
    text = html.unescape(text).replace("\u00a0", " ").replace("’", "'")
    for words in KEPT[language]:
        for word in words:
            check(word in text, f"{what} in {language} does not tell {word!r}: {text}")
    for word in apart:
        check(word not in text, f"{what} in {language} tells {word!r}")


def erased_by(t, server, mailbox):
    """Four people erased: by their page in either language, by API, by command. What each was told, by the id that was theirs."""
    client, told = server.client("app"), {}
    for number, language in ((1, "fr"), (2, "en"), (3, "fr"), (4, "en")):
        address = person(number)["contact"]["email"]
        registered(server, mailbox, person(number), address, language=language)
        ident = client.lookup({"contact.email": address}, "account").expect(200).json["id"]
        for category, fields in (("billing", INVOICE), ("fraud", FRAUD), ("exchanges", MESSAGE), ("usage", VISIT)):
            client.record(ident, category, fields, at=fields.get("at", "2026-11-20")).expect(201)
        told[ident] = {"address": address, "language": language, "number": number}
    with part("told before: on the page, in the access answer and the export, what stays, why and until when"):
        for ident, one in told.items():
            browser = Browser(server, one["language"])
            browser.sign_in(one["address"], PASSWORD).expect(200)
            one["browser"] = browser
            one["page"] = browser.get("/me/erase").expect(200)
            must = one["page"].read.text
            tells("the page before", must[max(must.find(word("erase.stays")), must.find(word("erase.stays", "fr"))):], one["language"], ["CNIL"])
            access = client.get(f"/v1/subjects/{ident}/access", **{"Accept-Language": one["language"]}).expect(200).json
            for category, _, until in PAPERS:
                row = next(row for row in access["categories"] if row["category"] == category)
                grounds = [words[1] for words in KEPT[one["language"]]]
                check(row["kept_after_erasure"] and row["retention"]["ground"] in grounds and row["records"][0]["until"] == until, f"{row}")
            page = client.request("GET", f"/v1/subjects/{ident}/export", None, {"Accept-Language": one["language"]}.items()).expect(200)
            with zipfile.ZipFile(io.BytesIO(page.body)) as archive:
                tells("the export", archive.read("index.html").decode(), one["language"])
    by_page, _, by_api, by_command = told
    for ident in list(told)[:2]:
        one = told[ident]
        one["page after"] = one["browser"].submit(one["page"], "/me/erase", press={"sure": "yes"}).expect(200).read.text
    told[by_api]["certificate"] = client.post(f"/v1/subjects/{by_api}/erase", {}, **{"Accept-Language": "fr"}).expect(200).json["certificate"]
    told[by_command]["certificate"] = json.loads(garant("erase", by_command, "--data", server.data, "--policy", server.policy, "--json",
                                                        "--lang", "en"))["certificate"]
    return told, by_page


@promise("FR-08")
def erased_but(t):
    """The person is told what is kept, why and until when; the rest is gone at once; at the term it goes by itself."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now="2026-11-22T10:00:00Z", arguments=mailbox.arguments())
    client, operator = server.client("app"), server.operator()
    desks = {role: staff(server, person(number), f"apolline.{number}@exemple.example", role)
             for role, number in (("accounting", 91), ("fraud_desk", 92), ("support", 93))}
    untouched = complete(client, 80)
    told, by_page = erased_by(t, server, mailbox)
    with part("told by letter in both languages what is kept, why and until when"):
        for one in told.values():
            letter = mailbox.wait(one["address"], "erased")
            tells("the letter", letter.text, one["language"], ["Vasseur", "F-2026-0117"])
            tells("the letter's page", letter.html, one["language"])
    with part("told by the certificate: page, API and command"):
        for ident, one in told.items():
            number = re.search(r"\b[0-9A-HJKMNP-TV-Z]{26}\b", mailbox.wait(one["address"], "erased").text)[0]
            certificate = client.get(f"/v1/certificates/{number}").expect(200).json["certificate"]
            kept = {row["category"]: (row["title"], row["ground"], row["until"], row["records"]) for row in certificate["kept"]}
            check(kept == {category: (*words[:2], until, 1) for (category, _, until), words in zip(PAPERS, KEPT[one["language"]])}, f"{kept}")
            for reader in ("fr", "en"):                             # whatever language the erasure was asked in
                tells("its page", client.get(f"/v1/certificates/{number}", Accept="text/html", **{"Accept-Language": reader}).expect(200)
                      .body.decode(), reader, [words[0] for words in KEPT["en" if reader == "fr" else "fr"]])
            if "page after" in one:
                tells("the page after", one["page after"], one["language"])
                check(number in one["page after"], "the page after names another certificate")
            else:
                check(one["certificate"] == certificate, f"{one['certificate']}")
    with part("all else is gone at once, by page, API and command, and from the files"):
        for ident, one in told.items():
            for path in ("?purpose=account", "/access", "/export", "/former", "/consents"):
                client.get(f"/v1/subjects/{ident}{path}").refused("not-found", status=404)
            client.lookup({"contact.email": one["address"]}, "account").refused("not-found", status=404)
            check(command(server, "subject", "show", ident, "--purpose", "account")[0] != 0, "a command shows the person")
            server.anyone().post("/v1/session", {"identifier": one["address"], "password": PASSWORD}).refused("unauthorised", status=401)
        gone = [value for one in told.values() for fields in person(one["number"]).values() for value in fields.values() if len(value) > 8]
        check_searchable(gone[:2], t.folder)
        check_absent([*gone, MESSAGE["subject"], MESSAGE["message"]], server.folder)
        client.read(untouched, "account").expect(200)
    with part("what is kept stands apart: for its readers alone, for a reason that is on record"):
        row = f"/v1/archive/{by_page}"
        for desk, category in (("accounting", "billing"), ("fraud_desk", "fraud")):
            held = desks[desk].get(f"{row}/{category}?reason=audit.2027").expect(200).json["records"]
            check(len(held) == 1 and held[0]["fields"] == dict(next(p[1] for p in PAPERS if p[0] == category)), f"{held}")
            desks[desk].get(f"{row}/{category}").refused(status=400)
        for who in (client, server.client("meter"), desks["support"]):
            who.get("/v1/archive").refused("forbidden", status=403, clause="^archive")
            who.get(f"{row}/billing?reason=audit.2027").refused("forbidden", status=403, clause="^archive")
        entries = [entry for entry in journal_of(server, t.path("journal")) if "audit.2027" in entry]
        check(len(entries) >= 2 and any("accounting" in entry for entry in entries), f"{entries}")
    with part("gone by itself at the term, to the day"):
        def archived(category):
            return [row["id"] for row in operator.get("/v1/archive").expect(200).json["archive"] if row["category"] == category and row["id"] in told]
        for category, _, until in sorted(PAPERS, key=lambda p: p[2]):
            server.set_clock(milliseconds(until) - 1000)
            for _ in range(2):
                server.sweep()
            check(len(archived(category)) == 4, f"{category} went before its term")
            server.set_clock(milliseconds(until) + 1000)
            if category == "fraud":                                  # nobody sweeps: the server's own work of time does, once a minute
                wait_for(lambda category=category: not archived(category), within=300)
            else:
                swept = json.loads(garant("sweep", "--data", server.data, "--policy", server.policy, "--json"))
                check(swept["erased"].get(category) == 5, f"{swept}")
                check(not archived(category), f"{category} is kept beyond its term")
            operator.get(f"/v1/archive/{by_page}/{category}?reason=audit").refused("not-found", status=404)
        check(archived("billing") == archived("fraud") == [], "something is left")
        check_absent([INVOICE["invoice"], FRAUD["fact"]], server.folder)
        operator.post("/v1/journal/verify").expect(200)


@further("FR-08")
def told_at_the_end(t):
    """Who goes at the end of their term is told as who asked for it: by a last letter, before the address goes with the rest."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now="2026-11-22T10:00:00Z", arguments=mailbox.arguments())
    client, operator = server.client("app"), server.operator()
    idle, closed, held = (person(number)["contact"]["email"] for number in (5, 6, 7))
    registered(server, mailbox, person(5), idle, language="en")
    people = {idle: client.lookup({"contact.email": idle}, "account").expect(200).json["id"],
              closed: client.create(person(6))["id"], held: client.create(person(7))["id"]}
    for ident in people.values():
        for category, fields in (("billing", INVOICE), ("fraud", FRAUD)):
            client.record(ident, category, fields, at=fields.get("at", "2026-11-20")).expect(201)
    hold = client.post(f"/v1/subjects/{people[held]}/holds", {"category": "*", "ground": "dossier 7"}).expect(201).json["id"]
    for address in (closed, held):
        client.post(f"/v1/subjects/{people[address]}/close").expect(204)
        check("22 décembre 2026" in mailbox.wait(closed, "closed").text, "when it will be erased is not told at the closing")

    def swept(at):
        server.set_clock(milliseconds(at))
        for _ in range(2):
            server.sweep()
        wait_for(lambda: not operator.get("/v1/mail").expect(200).json["queued"])
        return [(letter.to[0], letter.letter) for letter in mailbox.letters if letter.letter == "erased"]
    with part("told by a last letter too who goes at the end of a term"):
        check(swept("2026-12-21T22:59:59Z") == [], "told before the end")
        check(swept("2026-12-22T10:00:00Z") == [(closed, "erased")], f"{swept('2026-12-22T10:00:00Z')}")
        operator.delete(f"/v1/subjects/{people[held]}/holds/{hold}").expect(204)
        check(swept("2026-12-22T11:00:00Z") == [(closed, "erased"), (held, "erased")], "told once the hold is released")
        server.restart()
        check(swept("2028-11-21T10:00:00Z") == [(closed, "erased"), (held, "erased")], "told before the end")
        check(swept("2028-11-22T10:00:00Z")[2:] == [(idle, "erased")], "an account that nobody uses goes, and nobody is told")
        for address, language in ((closed, "fr"), (held, "fr"), (idle, "en")):
            tells("the last letter", mailbox.wait(address, "erased").text, language)
            number = re.search(r"\b[0-9A-HJKMNP-TV-Z]{26}\b", mailbox.wait(address, "erased").text)[0]
            check(client.get(f"/v1/certificates/{number}").expect(200).json["certificate"]["ground"] == "term", "the certificate it names")
            client.get(f"/v1/subjects/{people[address]}/access").refused("not-found", status=404)
        check_absent([idle, closed, held], server.folder)
        operator.post("/v1/journal/verify").expect(200)


@promise("FR-05")
def follows_relation_and_law(t):
    """Retention starts at the declared event; a legal hold stops it and its end resumes it."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now="2026-11-22T10:00:00Z", arguments=mailbox.arguments())
    client, operator, begun = server.client("app"), server.operator(), milliseconds("2026-11-22T10:00:00Z")
    people = {}
    for number, name in enumerate(("told", "closed by API", "closed by the person", "closed on the page", "closed by command", "open", "held", "held wholly",
                                   "held for a time", "held, asked to go", "held by a kind"), 1):
        registered(server, mailbox, person(number), person(number)["contact"]["email"])
        people[name] = client.lookup({"contact.email": person(number)["contact"]["email"]}, "account").expect(200).json["id"]
        client.record(people[name], "exchanges", {**MESSAGE, "subject": f"Planted exchange {number}"}, at=MESSAGE["at"]).expect(201)
    numbers = {name: number for number, name in enumerate(people, 1)}
    on_page = Browser(server)
    on_page.sign_in(person(numbers["closed on the page"])["contact"]["email"], PASSWORD).expect(200)
    own = visitor(server, person(numbers["closed by the person"])["contact"]["email"])

    def there(name, word="Apolline-{}"):
        answer = operator.get(f"/v1/subjects/{people[name]}/access").expect(200, 404, 410)
        return answer.status == 200 and json.dumps(word.format(numbers[name]))[1:-1] in answer.body.decode()

    holds = {}

    def use():
        """The accounts that go on are used, so that none ends of idleness."""
        for name in ("open", *holds):
            client.post(f"/v1/subjects/{people[name]}/events", {"event": "last_use"}).expect(204, 404)
    with part("a legal hold stops it: the sweep, an erasure, and the erasure of one category"):
        for name, body in (("held", {"category": "identity", "ground": "GDPR 17(3)(e), file 2027-31"}),
                           ("held wholly", {"category": "*", "ground": "GDPR 17(3)(e), file 40"}),
                           ("held for a time", {"category": "identity", "ground": "GDPR 17(3)(b), file 9", "until": "2027-06-01T00:00:00Z"}),
                           ("held by a kind", {"category": "identity", "ground": "litigation"}),
                           ("held, asked to go", {"category": "contact", "ground": "GDPR 17(3)(e), file 12"})):
            holds[name] = client.post(f"/v1/subjects/{people[name]}/holds", body).expect(201).json["id"]
            shown = client.get(f"/v1/subjects/{people[name]}/access").expect(200).json["holds"]
            ground = {"litigation": "RGPD 17(3)(e)"}.get(body["ground"], body["ground"])
            check([(row["category"], row["ground"]) for row in shown] == [(body["category"], ground)], f"the person is not told of the hold: {shown}")
        for who in (server.client("meter"), server.anyone()):
            who.post(f"/v1/subjects/{people['open']}/holds", {"category": "*", "ground": "a file"}).expect(401, 403)
        client.delete(f"/v1/subjects/{people['held wholly']}/records/exchanges").refused("conflict", status=409)
        gone = client.erase(people["held, asked to go"])["certificate"]
        check([(row["category"], row["ground"], row["until"]) for row in gone["kept"]] == [("contact", "GDPR 17(3)(e), file 12", None)], f"{gone['kept']}")
        check(person(numbers["held, asked to go"])["contact"]["email"] not in server.log(), "the log names the person")
    with part("retention starts at the declared event, whoever tells it: the platform, the person, a command"):
        server.set_clock(milliseconds("2027-03-01T10:00:00Z"))
        use()
        server.sweep()
        check(all(there(name) for name in people if name != "held, asked to go"), "erased before the relation ended")
        own.sign_in(person(numbers["closed by the person"])["contact"]["email"])
        on_page.sign_in(person(numbers["closed on the page"])["contact"]["email"], PASSWORD).expect(200)
        for name in ("told", "held", "held wholly", "held for a time", "held by a kind"):
            client.post(f"/v1/subjects/{people[name]}/events", {"event": "closure"}).expect(204)
        client.post(f"/v1/subjects/{people['closed by API']}/close").expect(204)
        own.post("/v1/me/close", {}).expect(204)
        on_page.submit(on_page.get("/me/close").expect(200), "/me/close", press={"sure": "yes"}).expect(200)
        garant("account", "close", people["closed by command"], "--data", server.data, "--policy", server.policy)
        closed = ("told", "closed by API", "closed by the person", "closed on the page", "closed by command")
        end = milliseconds("2027-03-31T00:00:00Z")                   # terms of days end with the day, in UTC
        for at, held in ((end - 60_000, True), (end + 60_000, False)):
            server.set_clock(at)
            server.sweep()
            for name in closed:
                check(there(name) == held, f"{name}: {'erased before' if held else 'kept beyond'} 30 days from the end of the relation")
        check(there("open"), "erased though the relation goes on")
        check_absent([person(numbers[name])["identity"]["last_name"] for name in closed if numbers[name] != 1], server.folder)
    with part("and each thing from its own event"):          # what was said three years from when it was said, whatever the account
        check(all(there(name, "Planted exchange {}") for name in closed), "exchanges went with the account")
        check(not there("held", person(numbers["held"])["contact"]["email"]), "the hold kept more than the category that it names")
        check(there("held wholly", person(numbers["held wholly"])["contact"]["email"]), "a hold of everything did not keep the address")
    with part("a legal hold stops it: the sweep, an erasure, and the erasure of one category"):
        check(all(there(name) for name in ("held", "held wholly", "held for a time", "held by a kind")), "erased though a legal hold stopped it")
        server.set_clock(milliseconds("2027-05-31T23:00:00Z"))
        server.sweep()
        check(all(there(name) for name in ("held", "held wholly", "held for a time", "held by a kind")), "erased weeks into the hold")
    with part("its end resumes it: released, at its own term, and at the longest that the policy lets"):
        operator.delete(f"/v1/subjects/{people['held']}/holds/{holds['held']}").expect(204)
        server.sweep()
        check(not there("held"), "still held after the hold was released")
        check(there("held for a time") and there("held wholly"), "another's hold ended with it")
        server.set_clock(milliseconds("2027-06-01T00:01:00Z"))
        server.sweep()
        check(not there("held for a time"), "still held after the hold's own term")
        longest = add_months(begun, 12)                              # a hold of a declared kind ends at the policy's 12 months
        for at, held in ((longest - 60_000, True), (longest + 60_000, False)):
            server.set_clock(at)
            server.sweep()
            check(there("held by a kind") == held, f"a hold of litigation {'ended before' if held else 'outlived'} 12 months")
        check(there("held wholly"), "a hold without an end ended by itself")
        operator.delete(f"/v1/subjects/{people['held wholly']}/holds/{holds['held wholly']}").expect(204)
        server.sweep()
        check(not there("held wholly"), "still held after the hold was released")
        check_absent([person(numbers[name])["identity"]["last_name"] for name in holds if numbers[name] != 1], server.folder)
        operator.post("/v1/journal/verify").expect(200)
