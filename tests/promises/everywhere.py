"""What several promises say of every act alike: each actor does what the policy says of it, and nothing else, and all of it is on record."""
import sample
from acts import Stage, as_declared, consent_body, own_word
from garant import check
from mailbox import Mailbox
from people import opened, visitor
from promise import further, part
from sample import listed

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
            yield one.post(f"/v1/subjects/{whom}/consents", {"purpose": "support_extra", "decision": "given", "wording": "Oui."})
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
