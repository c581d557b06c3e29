"""What several promises say of every act alike: each actor does what the policy says of it, and nothing else, and all of it is on record."""
import sample
from acts import Stage, as_declared, consent_body, own_word
from garant import check
from mailbox import Mailbox
from people import Visitor, opened, registered, visitor
from promise import further, part
from sample import listed, truth
from traces import rows_of

ADDRESS = {"myportal": "contact", "site-fr": "contact"}
TEAMS = {"myportal": ("partner",)}
TENANTS = {"myownconference": "myownconference"}


@further("MP-02", "FR-01")
def held_to_the_same_purposes(t):
    """Reading, writing, sending, attaching, disclosing, answering, archiving, closing, erasing: by every actor, for every purpose."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(arguments=mailbox.arguments())
    with part("acts are held to the same purposes"):
        as_declared(server, ADDRESS[t.policy], TEAMS.get(t.policy, ()))


@further("MP-02", "FR-01", "MO-05")
def the_persons_word_counts_for_every_act(t):
    """Consent by its channel, objection, and restriction: on each read, file, record, change, disclosure, message and decision."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(arguments=mailbox.arguments(), tenant=TENANTS.get(t.policy))
    with part("acts are held to the same purposes"):
        own_word(server)


@further("MO-24")
def closed_for_every_act(t):
    """Whatever a role may do, nobody in it does before the signature: reading, searching, writing, sending, recording a consent."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(arguments=mailbox.arguments(), tenant=TENANTS.get(t.policy))
    stage, operator = Stage(server), server.operator()
    policy, subject = stage.policy, stage.person()
    category, field = stage.document.identifier()
    value = stage.app.read(subject, stage.document.using(category)[0], [category]).expect(200).json["data"][category][field]

    def acts(one, role, whom):
        """Each act of the role on a person, as a request; none of them ends anything."""
        able, purposes = policy.of(role, "acts"), policy.of(role, "purposes")
        for purpose in purposes:
            yield one.read(whom, purpose)
            yield one.post("/v1/decisions", {"subject": whom, "purpose": purpose, "act": "read"})
        if category in listed(policy.purposes[purposes[0]]["categories"]):
            yield one.lookup({f"{category}.{field}": value}, purposes[0])
        if "write" in able:
            name = next(name for name in policy.categories if policy.may(role, "write", name))
            yield one.request("POST", f"/v1/subjects/{whom}/attachments?category={name}&name=a.txt", b"planted", [("Content-Type", "text/plain")])
        if "send" in able:
            yield one.post(f"/v1/subjects/{whom}/messages", {"purpose": "service", "subject": "Planned work", "text": "On Sunday."})
        if "consent" in able:
            purpose, channel = next(pair for pair in stage.policy.consents() if pair[0] in stage.policy.of(role, "purposes"))
            yield one.post(f"/v1/subjects/{whom}/consents", consent_body(purpose, channel, "given"))
            yield one.get(f"/v1/subjects/{whom}/consents")

    with part("the role is closed until the signature"):
        waiting = {role: stage.employed(role, agreement=False) for role in policy.roles if policy.actors[role]["sees"] == "all"}
        for role, (_, token) in waiting.items():
            for answer in acts(stage.by(token), role, subject):
                answer.refused("forbidden", status=403, clause=rf"^roles\.{role}")
    with part("the role opens then"):
        for role, (ident, token) in waiting.items():
            operator.post(f"/v1/accounts/{ident}/agreement", {"date": "2026-01-05", "reference": "safe, shelf 2"}).expect(200)
            for answer in acts(stage.by(token), role, subject):
                check(answer.status < 300 or answer.json["code"] in ("consent-missing", "purpose-refused"), f"{role}: {answer.asked}: {answer.body[:300]!r}")


@further("MP-16")
def oneself_and_nobody_else(t):
    """A signed-in person reaches their own data alone: whatever they ask of another is as absent as nobody's, and changes nothing."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(arguments=mailbox.arguments())
    stage = Stage(server)
    data = {number: sample.person(stage.document, number) for number in (901, 902)}
    mine, other = (opened(server, one) for one in data.values())
    nobody = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
    file = stage.app.request("POST", f"/v1/subjects/{other}/attachments?category=company&name=a.txt", b"planted", [("Content-Type", "text/plain")]) \
                .expect(201).json["id"]
    before = stage.app.read(other, "service").expect(200)
    one = visitor(server, data[901]["contact"]["email"])
    asked = [("GET", path, None) for path in ("access", "looks", "export", "former", "disclosures", "consents", "folders",
                                              f"attachments/{file}?purpose=service")]
    asked += [("PATCH", "", {"company": {"position": "Planted position"}}), ("POST", "consents", consent_body("news", "email", "given")),
              ("PUT", "objections/news", None), ("DELETE", "objections/news", None), ("POST", "erase", {})]
    with part("least privilege"):
        for method, path, body in asked:
            said = [one.request(method, f"/v1/subjects/{whom}/{path}".rstrip("/"), body, [("If-Match", "*")]) for whom in (other, nobody)]
            for answer in said:
                answer.refused("not-found", status=404)
            check(said[0].body == said[1].body, f"{method} {path}: told apart: {said[0].body!r} {said[1].body!r}")
        for method, path, body in (("GET", f"/v1/subjects/{other}?purpose=service", None), ("GET", "/v1/accounts", None),
                                   ("GET", f"/v1/accounts/{other}", None),
                                   ("POST", "/v1/subjects/lookup", {"identifier": {"contact.email": data[902]["contact"]["email"]}, "purpose": "service"}),
                                   ("GET", "/v1/archive", None), ("POST", f"/v1/subjects/{other}/close", {}), ("POST", "/v1/sweep", {})):
            one.request(method, path, body).refused("forbidden", status=403)
        after = stage.app.read(other, "service").expect(200)
        check(after.body == before.body, f"changed by another: {after.body!r}")
        check(stage.app.get(f"/v1/subjects/{other}/consents").expect(200).json["consents"] == [], "another decided for them")
        for path in ("access", "looks", "export", "former", "disclosures", "consents"):
            one.get(f"/v1/subjects/{mine}/{path}").expect(200)
    with part("each access is logged"):
        acts = [look["act"] for look in stage.app.get(f"/v1/subjects/{mine}/looks").expect(200).json["looks"] if look["actor"] == "person"]
        check({"access", "export", "read"} <= set(acts), f"their own looks: {acts}")
        tried = [entry for entry in stage.journal.since(0) if entry["actor"] == "person" and entry["outcome"] == "refused"]
        check(len(tried) >= 2 * len(asked), f"{len(tried)} refusals on record")


# ---- Erasure: every kind of row that can be of one person. ----

def all_that_is_of_one(t, server, mailbox, number, held):
    """Somebody with an account, of whom there is a row of every kind that the platform can make; held: also of what the law keeps. Their id."""
    stage = Stage(server, first=number * 100)
    policy, app = stage.policy, stage.app
    data = {name: fields for name, fields in sample.person(stage.document, number).items() if held or not truth(policy.categories[name].get("held"))}
    opened_by = listed((policy.tree.get("accounts") or {}).get("opened_by"))
    category, field = stage.document.identifier()
    address = data[category][field]
    if "staff" in opened_by:
        boss = next((role for role, body in policy.roles.items() if body["sees"] == "team"), None)
        team = {"manager": stage.employed(boss)[0]} if boss else {}
        ident = opened(server, data, **team)
    else:
        needs = [need.split(".")[0] for need in listed((policy.tree.get("accounts") or {}).get("needs"))]
        registered(server, mailbox, {name: body for name, body in data.items() if name in needs or name == category}, address)
        ident = app.lookup({f"{category}.{field}": address}, stage.document.using(category)[0]).expect(200).json["id"]
    third = next((name for name, body in (policy.tree.get("sources") or {}).items() if truth(body.get("third_party"))), None)
    theirs = next((name for name in data if third in listed(policy.categories[name].get("source"))), None)
    if theirs:                                                   # which makes a duty to tell
        app.change(ident, stage.document.using(theirs)[0], {theirs: {**data[theirs]}}, source=third).expect(200)
    for kind, body in (policy.tree.get("folders") or {}).items():
        giver = stage.actor(listed(body["granted_by"])[0])
        giver.post(f"/v1/subjects/{ident}/folders", {"folder": kind, "name": "Planted folder", "why": "Planted"}).expect(201)
    has = set(data)
    for name, body in policy.categories.items():
        if truth(body.get("many")) and stage.records(name) and (held or not truth(body.get("held"))) and policy.purposes_without_consent(name):
            sources, has = listed(body.get("source")), has | {name}
            app.record(ident, name, sample.fields(body, number), **({"source": sources[0]} if sources else {})).expect(201)
    free = next(name for name in data if name != category and not truth(policy.categories[name].get("held")))
    types = policy.categories[free]["fields"]
    text = next(name for name, type_ in types.items() if type_["type"] == "text" and not type_.get("when"))
    purpose = stage.document.using(free)[0]
    app.change(ident, purpose, {free: {text: "Planted earlier"}}, source="person").expect(200)
    app.change(ident, purpose, {free: {text: "Planted later"}}, source="person").expect(200)
    app.request("POST", f"/v1/subjects/{ident}/attachments?category={free}&name=a.txt", b"planted", [("Content-Type", "text/plain")]).expect(201)
    app.post(f"/v1/subjects/{ident}/events", {"event": "last_contact"}).expect(204)
    empty = next((name for name in policy.categories if name not in has and policy.categories[name].get("stream") not in ("folders", "contacts", "logs")),
                 None)
    if empty:
        app.post(f"/v1/subjects/{ident}/holds", {"category": empty, "ground": "Affaire 12"}).expect(201)      # of what there is nothing: keeps nothing
    for recipient, body in policy.recipients.items():
        for one in listed(body["purposes"]):
            if one in policy.purposes and policy.purposes[one]["basis"] != "consent" and body.get("charter") == "accepted":
                app.post(f"/v1/subjects/{ident}/disclosures", {"recipient": recipient, "purpose": one, "categories": [category]})
    one = visitor(server, address, **({"tenant": server.tenant} if server.tenant else {}))
    one.post("/v1/policy/acknowledgements", {}).expect(201)
    wrong = {"identifier": address, "password": "Planted wrong 1!", **({"tenant": server.tenant} if server.tenant else {})}
    for _ in range(2):
        Visitor(server, headers={"User-Agent": "another"}).post("/v1/session", wrong).expect(401)
    server.anyone().post("/v1/password/reset", {key: value for key, value in wrong.items() if key != "password"}).expect(202)
    mailbox.wait(address, "reset")
    if held:
        for name, channel in policy.consents():
            app.post(f"/v1/subjects/{ident}/consents", consent_body(name, channel, "given")).expect(201)
    return ident, address


@further("MO-15", "MP-05", "FR-06", "MX-13")
def nothing_is_left(t):
    """After an erasure no row of any table, no key, names the person; where the law keeps something, that alone is left."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(arguments=mailbox.arguments(), tenant=TENANTS.get(t.policy))
    app = server.client("app")
    ident, address = all_that_is_of_one(t, server, mailbox, 71, held=False)
    was = rows_of(server.data, ident)
    always = {"subject", "identifier", "record", "former", "attachment", "attachment_part", "milestone", "account", "session", "ticket", "attempt",
              "device", "idempotency", "mail", "acknowledgement", "journal"}
    more = {"myportal": {"team", "disclosure", "duty", "hold"}, "site-fr": {"disclosure"}, "myownconference": {"duty", "disclosure", "hold"},
            "mxplorerplace": {"team", "duty", "folder_grant"}}[t.policy]
    check(always | more <= set(was), f"of the person there is no {(always | more) - set(was)}: {was}")
    check(rows_of(server.data, ident, "keys.db"), "no key of the person stands in the keyring")
    app.erase(ident)
    left = rows_of(server.data, ident) | rows_of(server.data, ident, "keys.db")
    check(not left, f"left of the person: {left}")
    document = Stage(server).document
    app.lookup({".".join(document.identifier()): address}, document.using(document.identifier()[0])[0]).expect(404)
    ident, _ = all_that_is_of_one(t, server, mailbox, 72, held=True)
    app.erase(ident)
    left = set(rows_of(server.data, ident))
    check(left <= {"subject", "record", "milestone", "consent", "hold", "bound", "ledger"}, f"left beside what the law keeps: {left}")
    if t.policy == "myportal":                               # somebody who works here: their token ends with them
        clerk, token = Stage(server, first=9000).employed("support")
        check("token_holder" in rows_of(server.data, clerk), "no token stands for them")
        app.erase(clerk)
        check(not rows_of(server.data, clerk), f"left of somebody who worked here: {rows_of(server.data, clerk)}")
        Stage(server).by(token).get("/v1/accounts").expect(401)
    if t.policy == "site-fr":
        check("record" in left, f"what the law keeps is gone: {left}")


@further("FR-04")
def who_gives_must_be_entitled(t):
    """A disclosure is held to both ends: whoever gives must have the purpose and the categories, even where the recipient may receive them."""
    policy = t.copy_of_policy(lambda text: text.replace("    purposes: [account, disputes]\n    acts: [read, write, send, erase, export]",
                                                        "    purposes: [account, disputes]\n    acts: [read, write, send, disclose, erase, export]"))
    stage = Stage(t.server(policy=policy))
    subject, giver = stage.person(), stage.actor("support")

    def give(purpose, category):
        return giver.post(f"/v1/subjects/{subject}/disclosures", {"recipient": "maintenance", "purpose": purpose, "categories": [category]})
    give("account", "contact").expect(201)
    size = stage.journal.size()
    give("improvement", "usage").refused("purpose-refused", "forbidden", status=403, clause=r"^roles\.support")
    check([entry["outcome"] for entry in stage.journal.since(size)] == ["refused"], "the refusal is not on record")
    stage.app.post(f"/v1/subjects/{subject}/disclosures", {"recipient": "maintenance", "purpose": "improvement", "categories": ["usage"]}).expect(201)


@further("FR-06", "MP-05")
def all_of_it_is_answered(t):
    """The access answer and the export hold whatever is held: each record, file, former value, decision, disclosure, hold, letter, account and look."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(arguments=mailbox.arguments())
    ident, address = all_that_is_of_one(t, server, mailbox, 81, held=True)
    stage = Stage(server, first=20000)
    app, policy = stage.app, stage.policy
    objected = next(name for name, body in policy.purposes.items() if body["basis"] == "legitimate_interest")
    app.put(f"/v1/subjects/{ident}/objections/{objected}").expect(204)
    app.post(f"/v1/subjects/{ident}/holds", {"category": "identity", "ground": "Affaire 2027-31"}).expect(201)
    app.post(f"/v1/subjects/{ident}/messages", {"purpose": next(iter(policy.purposes)), "subject": "Planned work", "text": "On Sunday."}).expect(202)
    mailbox.wait(address, "service_message")
    files, exported = app.export(ident)
    for answer in (app.get(f"/v1/subjects/{ident}/access").expect(200).json, exported):
        held = {name for name, body in policy.categories.items() if answer["data"].get(name)}
        rows = rows_of(server.data, ident)
        check(sum(len(row["records"]) for row in answer["categories"]) == rows["record"], f"records: {rows['record']}, told: {answer['categories']}")
        check({row["category"] for row in answer["categories"] if row["records"]} == held, f"categories with data: {held}")
        check(len(answer["attachments"]) == rows["attachment"] == 1 and answer["attachments"][0]["name"] == "a.txt", f"files: {answer['attachments']}")
        check({row["value"] for row in answer["former"]} >= {"Planted earlier"}, f"former values: {answer['former']}")
        check(len(answer["consents"]) == rows["consent"], f"decisions: {rows['consent']}, told: {answer['consents']}")
        check(objected in [row["purpose"] for row in answer["consents"]], f"the objection: {answer['consents']}")
        check(len(answer["disclosures"]) == rows["disclosure"], f"disclosures: {rows['disclosure']}, told: {answer['disclosures']}")
        check("Affaire 2027-31" in [row["ground"] for row in answer["holds"]], f"holds: {answer['holds']}")
        check({"reset", "service_message"} <= {row["letter"] for row in answer["letters"]}, f"letters: {answer['letters']}")
        check(answer["account"]["state"] == "open" and answer["account"]["sessions"] == 1, f"account: {answer['account']}")
        check({row["purpose"] for row in answer["purposes"]} == set(policy.purposes), "purposes")
        check(all(row["rights"] for row in answer["purposes"]), "the rights that follow from each")
        check({row["recipient"] for row in answer["recipients"]} == set(policy.recipients), "recipients")
        check({"signin", "rectify", "disclosure", "attachment.add"} <= {row["act"] for row in answer["looks"]}, "looks")
        check(answer["controller"]["legal_name"] and answer["authority"], "who answers, and who is complained to")
    check(any(name.endswith("a.txt") and body == b"planted" for name, body in files.items()), f"the file is not in the export: {list(files)}")
