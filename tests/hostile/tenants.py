"""Two tenants of one server: whoever is of one, by whatever route and act, finds the other's people, files, holds and papers as absent as nobody's.

Each request is first shown to be good on the caller's own, so that it is the tenant that it is refused for, not its form."""
import contextlib, datetime, itertools, os, tempfile, time, uuid
from garant import TOP, Client, Server, check
from mailbox import Mailbox
from people import PASSWORD, Visitor, opened, registered, visitor
from routes import OPEN, POLICY, UNKNOWN, Routes
from sessions import FORM, form_of

MORE = """  code:
    transient: {for: 15min}
    fields: {number: {type: text}}
  invoices:
    many: true
    held: true
    fields: {number: {type: text, required: true}}
  network:
    source: [net]
    fields: {name: {type: text}}
  clicks:
    many: true
    stream: usage
    fields: {page: {type: text}}
"""
TENANTS = "tenants:\n  one: {title: {en: One, fr: Un}, legal_name: One SAS}\n  two: {title: {en: Two, fr: Deux}, legal_name: Two SAS}\n" \
          "capacity: {purpose: service, keep: 1y}\narchive: {separate: true, readers: [support], logged: true}\n" \
          "sources:\n  net: {title: {en: Network, fr: Réseau}, third_party: true, notice_within: 1mo, permission: true}\n"
MARK = "Planted-of-the-first"                                    # stands in all that the first tenant holds
REASON = "audit.2027"



def signed():
    """Decided by telephone, right now: after all that was decided before."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"decision": "given", "method": "phone", "signed": now}


# What is asked, by the route's name: a body with which it succeeds on one's own. `ident` is the person's id, or another's.
BODIES = {
    "subject_patch": lambda ident: {"identity": {"note": "changed"}}, "record_add": lambda ident: {"fields": {"page": "/changed"}},
    "consent_record": lambda ident: {"purpose": "news", "decision": "given", "channel": "email", "wording": "Yes."},
    "objection_decide": lambda ident: {"decision": "upheld", "reason": "their own situation"},
    "restriction_set": lambda ident: {"ground": "accuracy contested"}, "event_add": lambda ident: {"event": "last_use"},
    "hold_create": lambda ident: {"category": "visits", "ground": "file 12"}, "attachment_add": lambda ident: b"changed",
    "transient_put": lambda ident: {"number": "12"},
    "disclosure_make": lambda ident: {"recipient": "carrier", "purpose": "service", "categories": ["contact"]},
    "folder_grant": lambda ident: {"folder": "dossier", "name": "sales", "why": "works on it"},
    "folder_revoke": lambda ident: {"folder": "dossier", "name": "sales", "why": "left"},
    "preference_set": lambda ident: {"colour": "#112233"}, "contact_send": lambda ident: {"purpose": "service", "subject": "Rooms", "text": "They move."},
    "contact_call": lambda ident: {"purpose": "service", "subject": "Rooms"},
    "account_role": lambda ident: {"role": None}, "account_manager": lambda ident: {"manager": None},
    "account_agreement": lambda ident: {"date": "2026-01-05", "reference": "safe"},
    "staff_look": lambda ident: {"purpose": "service"}, "staff_folders_look": lambda ident: {"purpose": "service"},
    "staff_contacts_look": lambda ident: {"purpose": "service"},
    "staff_folder_grant": lambda ident: {"folder": "dossier", "name": "sales", "why": "works on it"},
    "staff_folder_revoke": lambda ident: {"folder": "dossier", "name": "sales", "why": "left"},
    "staff_call": lambda ident: {"purpose": "service", "subject": "Rooms"},
    "staff_message": lambda ident: {"purpose": "service", "subject": "Rooms", "text": "They move."},
    "staff_agreement": lambda ident: {"date": "2026-01-05", "reference": "safe"}, "staff_decide": lambda ident: {"decision": "approve"},
    "staff_close": lambda ident: {}, "source_permit": lambda ident: {},
    "staff_correct": lambda ident: {"category": "identity", "version": "*", "purpose": "service", "source": "person", "identity.first_name": "Changed",
                                    "identity.last_name": "Changed", "identity.note": "changed"},
    "staff_choice": lambda ident: {"choice": "news email", "decision": "withdrawn", "method": "telephone", "purpose": "service"},
    "signed_record": lambda ident: {**signed(), "purpose": "news", "channel": "email", "version": "1.0", "language": "en"},
    "staff_signed_do": lambda ident: {**signed(), "wording": "news|email|1.0|en"},
    "campaign_steer": lambda ident: {"do": "stop"}, "staff_campaign_act": lambda ident: {"do": "count"},
    "breach_move": lambda ident: {"text": "seen"}, "staff_breach_do": lambda ident: {"move": "note", "text": "seen"},
    "request_move": lambda ident: {"text": "seen"}, "staff_request_do": lambda ident: {"move": "note", "text": "seen"},
    "told_answer": lambda ident: {"state": "acknowledged"},
    "authority_document_put": lambda ident: b"%PDF-1.4 planted", "authority_refuse": lambda ident: {"text": "No law requires it."},
    "authority_secrecy": lambda ident: {"secrecy": "A law", "secret_until": "2030-01-01"},
    "staff_authority_do": lambda ident: {"act": "secrecy", "secrecy": "A law", "secret_until": "2030-01-01"},
    "authority_hand": lambda ident: {"subject": ident}, "staff_authority_hand": lambda ident: {"subject": ident},
    # Routes that name the person in their body.
    "subject_decide": lambda ident: {"subject": ident, "purpose": "service", "act": "read", "categories": ["contact"]},
    "authorize": lambda ident: {"subject": ident, "folder": "dossier", "name": "sales"},
    "acknowledgement_add": lambda ident: {"subject": ident},
    "batch": lambda ident: {"requests": [{"method": "GET", "path": f"/v1/subjects/{ident}?purpose=service"}]},
    "token_create": lambda ident: {"name": "t" + uuid.uuid4().hex[:12], "actor": "support", "holder": ident},
}
IN_BODY = ("subject_decide", "authorize", "acknowledgement_add", "batch", "token_create")
# After these, nothing of what they were asked about is as it was.
ENDING = {"subject_erase", "subject_close", "staff_close", "record_drop", "hold_release", "attachment_drop", "duty_done", "objection_decide", "objection_lift",
          "folder_revoke", "staff_folder_revoke", "transient_drop", "preference_drop", "account_manager", "account_role", "restriction_set", "account_invite",
          "authority_refuse", "told_answer"}
# No request of this test can succeed there: nobody waits for approval in the second tenant.
NEVER_OWN = {"account_approve", "account_refuse", "staff_decide"}
# Nor there: nobody uploaded a proof, wrote an email or asked for somebody else, nothing is only stored, no second person approved what an authority asked,
# nobody planted the sign of a breach, this policy shows nothing in public, the platform has no stores of its own, no campaign goes by phone or post, and a form
# to correct says which version it was made from. That who may succeeds is shown by tests/front (requests.py, staffpages.py, stores.py) and tests/promises.
NEVER_THERE = {"request_proof", "staff_request_proof", "request_mandate", "staff_request_mandate", "publication_send", "publication_end",
               "staff_publish", "staff_publish_do", "staff_correct",
               "authority_hand", "staff_authority_hand", "breach_dismiss", "request_mail", "staff_request_mail",
               "mail_aside_file", "support_get", "support_decide", "support_look", "support_change", "staff_support_one", "staff_support_one_do",
               "connector_job", "connector_retry", "connector_evidence", "campaign_take", "campaign_people", "campaign_note", "campaign_posted",
               "campaign_stops", "campaign_letters", "staff_campaign_pdf", "staff_campaign_print", "staff_campaign_csv"}


def policy_of(folder):
    """The policy of the other tests of all routes, with two tenants, a category kept after erasure, and one in memory only."""
    with open(os.path.join(TOP, POLICY), encoding="utf-8") as file:
        text = file.read()
    for before, after in (("\npurposes:\n", "\n" + MORE + "purposes:\n"),
                          ("categories: [identity, contact, visits, connection, preferences, folder_rights, contacts]",
                           "categories: [identity, contact, visits, connection, preferences, folder_rights, contacts, code, invoices, network, clicks]"),
                          ("  contacts: {from: event, active: 3y}\n",
                           "  contacts: {from: event, active: 3y}\n  invoices: {from: collection, active: 1y, archive: 9y, ground: a law}\n"
                           "  clicks: {from: event, active: 1y}\n"),
                          ("approval: false", "approval: true"), ("method: [tick]", "method: [tick, staff]"),
                          ("purposes: [service]\n    acts: [read, write, send,", "purposes: [service, news]\n    acts: [read, write, send,"),
                          ("\nlinks:\n", "\n" + TENANTS + "links:\n")):
        check(before in text or not after, f"the policy has no {before!r}")
        text = text.replace(before, after, 1) if after else text
    path = os.path.join(folder, "tenants.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def data(name):
    return {"identity": {"first_name": name, "last_name": name, "note": name}, "contact": {"email": f"{name.lower()}@people.example", "phone": "+33612345678"}}


def planted(app, operator, name, role=None):
    """A person with an account and something of everything: what of theirs has an id, by the name of the path's parameter."""
    ident = operator.post("/v1/accounts", {"data": data(name), "supplied_by": "person", **({"role": role} if role else {})}).expect(201).json["id"]
    app.record(ident, "visits", {"page": name}).expect(201)
    app.record(ident, "invoices", {"number": name}).expect(201)
    file = app.request("POST", f"/v1/subjects/{ident}/attachments?category=visits&name={name}", name.encode(), {"Content-Type": "text/plain"}.items())
    app.put(f"/v1/subjects/{ident}/objections/news").expect(204)
    app.put(f"/v1/subjects/{ident}/transient/code", {"number": name}).expect(204)
    app.put(f"/v1/subjects/{ident}/preferences/preferences/a?purpose=service", {"colour": "#445566"}).expect(200)
    hold = app.post(f"/v1/subjects/{ident}/holds", {"category": "connection", "ground": name}).expect(201).json["id"]
    question = {"kind": "question", "channel": "post", "email": f"{name.lower()}@people.example", "text": name}
    asked = operator.post("/v1/requests", question).expect(201).json["id"]
    ordered = operator.post("/v1/authorities", {"authority": name, "ground": name, "received": "2026-01-05", "subjects": [ident],
                                                "categories": ["connection"]}).expect(201).json["id"]
    operator.request("POST", f"/v1/authorities/{ordered}/document?name=a.pdf", b"%PDF-1.4 planted", {"Content-Type": "text/plain"}.items()).expect(201)
    breach = operator.post("/v1/breaches", {"what": name}).expect(201).json["id"]
    said = dict.fromkeys(("en", "fr"), name)
    campaign = app.post("/v1/campaigns", {"name": name, "purpose": "news", "subject": said, "text": said}).expect(201).json["id"]
    app.consent(ident, "news", "refused", channel="email").expect(201)
    decision, = [row["receipt"] for row in app.get(f"/v1/subjects/{ident}/consents").expect(200).json["consents"] if "receipt" in row]
    return {"id": ident, "attachment": file.expect(201).json["id"], "hold": hold, "request": asked, "campaign": campaign, "proof": UNKNOWN,
            "authority": ordered, "decision": decision, "breach": breach, "mail": UNKNOWN}


def paper(app, operator, name):
    """Somebody erased of whom invoices stay and whom a recipient is to be told of: the certificate, the id in the archive, the duty."""
    gone = app.create(data(name))["id"]
    app.record(gone, "invoices", {"number": name}).expect(201)
    app.post(f"/v1/subjects/{gone}/disclosures", {"recipient": "carrier", "purpose": "service", "categories": ["contact"]}).expect(201)
    certificate = app.erase(gone)["certificate"]["id"]
    archived = operator.get("/v1/archive").expect(200).json["archive"][-1]["id"]
    duty = app.get("/v1/duties").expect(200).json["duties"][-1]
    return {"certificate": certificate, "archive": archived, "duty": duty.get("id") or duty["duty"]}


class Stage:
    """The server, its first tenant's people and papers, and callers of the second."""

    def __init__(self, server, mailbox):
        self.server, self.mailbox, self.routes, self.count, self.kept = server, mailbox, Routes(server), 0, {}
        self.first = server.client("app", tenant="one")
        self.operator_of_first = Client(path=os.path.join(server.data, "garant.sock"), headers={"Garant-Tenant": "one"})
        self.theirs = {**planted(self.first, self.operator_of_first, MARK), **paper(self.first, self.operator_of_first, MARK + "-gone")}
        registered(server, mailbox, data(MARK + "-waiting"), f"{MARK.lower()}-waiting@people.example")
        self.theirs["waiting"] = next(row["id"] for row in self.operator_of_first.get("/v1/accounts?state=awaiting").expect(200).json["accounts"])
        self.app, self.operator = server.client("app"), server.operator()
        self.alice = opened(server, data("alice"))
        for name, role in (("manager", "manager"), ("support", "support")):
            ident = opened(server, data(name), role=role)
            self.operator.post(f"/v1/accounts/{ident}/agreement", {"date": "2026-01-05", "reference": "safe"}).expect(200)
        self.callers = {"app": self.app, "reader": server.client("reader"), "carrier": server.client("carrier"), "operator": self.operator,
                        **{name: visitor(server, f"{name}@people.example", tenant="two") for name in ("support", "manager", "alice")}}

    def own(self):
        """Somebody of the second tenant within the callers' reach, with all that the first tenant's person has."""
        self.count += 1
        name = f"Own-{self.count}"
        found = {**planted(self.app, self.operator, name), **paper(self.app, self.operator, name + "-gone")}
        self.operator.put(f"/v1/accounts/{found['id']}/manager", {"manager": self.callers["manager"].id}).expect(204)
        return found

    def good(self, caller, row):
        """Whether the route does what it is asked about the caller's own, and what it said."""
        if not self.kept:
            self.kept.update(self.own())
        mine = {"alice": self.alice}.get(caller) or (self.callers["support"].id if row["name"] == "token_create" else self.kept["id"])
        answer = self.ask(caller, row, {**self.kept, "id": mine})
        if row["name"] in ENDING and succeeded(answer):
            self.kept.clear()
        return succeeded(answer), f"{caller}: {answer[0]} {answer[1][:300]}"

    def ask(self, caller, row, things):
        """The route asked about these things, by that caller."""
        client, name = self.callers[caller], row["name"]
        ident = things["certificate"] if "certificates" in row["path"] else things["archive"] if "archive" in row["path"] \
            else things["campaign"] if "/campaigns" in row["path"] else things["request"] if "/requests" in row["path"] \
            else things["authority"] if "/authorities" in row["path"] \
            else things["breach"] if "/breaches" in row["path"] \
            else things["waiting"] if name in NEVER_OWN and "waiting" in things else things["id"]
        category = {"transient_put": "code", "transient_get": "code", "transient_drop": "code", "archive_read": "invoices"}.get(name)
        category = category or ("preferences" if "preference" in name else "visits")
        values = {**things, "id": ident, "category": category, "purpose": "news", "place": "a", "source": "net", "move": "note",
                  "recipient": "carrier"}
        queries = {"purpose": "service"} if "purpose" in self.routes.parameters(row, "query") else {}
        queries |= {"reason": REASON} if name == "archive_read" else {}
        queries |= {"category": "visits", "name": "a.txt"} if name == "attachment_add" else {}
        queries |= {"name": "a.pdf"} if name == "authority_document_put" else {}
        body = BODIES[name](ident) if name in BODIES else {} if row["body"] in ("json", "form") else None
        headers = {"Accept": "text/html"} if self.routes.is_page(row) else {}
        if row["method"] == "PATCH":
            headers["If-Match"] = "*"
        if row["body"] == "form":
            headers["Content-Type"], body = FORM, form_of({**body, "csrf": getattr(client, "csrf", None) or ""})
        elif row["body"] == "file":
            headers["Content-Type"] = "text/plain"
        answer = client.request(row["method"], self.routes.path(row, values, queries), body, headers.items())
        told = answer.body.decode(errors="replace")
        for value in sorted({str(thing) for thing in things.values()}, key=len, reverse=True):
            told = told.replace(value, "ID").replace(value[-6:], "ID")       # a page may tell the end of a number
        kept = {k: v for k, v in answer.headers.items() if k not in ("date", "content-length", "set-cookie")}
        return answer.status, told, {k: v.replace(ident, "ID") for k, v in kept.items()}

    def concerned(self):
        """Routes that name a person, or something of theirs, in the path or in the body."""
        for row in self.routes.rows:
            named = set(self.routes.parameters(row, "path")) & {"id", "attachment", "hold", "duty"}
            if row["who"] not in (*OPEN, "self") and (named or row["name"] in IN_BODY):
                yield row


@contextlib.contextmanager
def staged():
    with tempfile.TemporaryDirectory(prefix="garant-tenants-") as folder, Mailbox() as mailbox, \
            Server(policy_of(folder), tenant="two", arguments=mailbox.arguments()) as server:
        yield Stage(server, mailbox)


def succeeded(answer):
    """It did what it was asked: of a batch, its one request."""
    status, told, _ = answer
    return status in (200, 201, 202, 204, 303) or (status == 207 and '"status":200' in told)


def standing(access):
    """What is held of a person, but for the letters that may still have been on their way."""
    return {**{name: access[name] for name in ("holds", "disclosures", "version", "restricted", "closed")},
            "data": {name: held for name, held in access["data"].items() if name != "contacts"}}


def register(tests):
    @tests.test("tenants: whoever asks, on every route and for every act, the other's are as absent as nobody's")
    def every_route():
        wrong, good, said, asked = [], {}, {}, 0
        with staged() as stage:
            nobody = dict.fromkeys(stage.theirs, UNKNOWN)
            before = stage.first.get(f"/v1/subjects/{stage.theirs['id']}/access").expect(200).json
            newest = before["looks"][0]["entry"]
            for row in stage.concerned():
                for caller in stage.callers:
                    if row["who"] == "staff" and not isinstance(stage.callers[caller], Visitor) or row["who"] == "operator" and caller != "operator":
                        continue
                    foreign, unknown = stage.ask(caller, row, stage.theirs), stage.ask(caller, row, nobody)
                    asked += 2
                    if foreign != unknown:
                        wrong.append(f"{row['name']} as {caller}: {foreign[0]} {foreign[1][:300]} / {unknown[0]} {unknown[1][:300]}")
                    if succeeded(foreign) and not (stage.routes.is_page(row) and row["method"] == "GET"):
                        wrong.append(f"{row['name']} as {caller}: done to another tenant's: {foreign[0]} {foreign[1][:300]}")
                    if MARK in foreign[1]:
                        wrong.append(f"{row['name']} as {caller} shows what the first tenant holds")
                    if not good.get(row["name"]) and row["name"] not in NEVER_OWN | NEVER_THERE:
                        good[row["name"]], said[row["name"]] = stage.good(caller, row)
            after = stage.first.get(f"/v1/subjects/{stage.theirs['id']}/access").expect(200).json
            check(standing(after) == standing(before), f"the first tenant's person was changed: {standing(before)} {standing(after)}")
            looks = stage.first.get(f"/v1/subjects/{stage.theirs['id']}/looks").expect(200).json["looks"]
            since = [look for look in looks if look["entry"] > newest and (look["act"], look["actor"]) != ("access", "app") and look["actor"] != "garant"]
            check(not since, f"there are entries about the first tenant's person: {since}")
            stage.operator.post("/v1/journal/verify").expect(200)
        bad = [f"{name}: {said[name]}" for name, done in good.items() if not done]
        check(not bad, f"{len(bad)} routes succeed on nobody's own, so that their refusal shows nothing:\n" + "\n".join(bad))
        check(not wrong, f"{len(wrong)} wrong:\n" + "\n".join(wrong[:25]))
        check(asked > 400 and len(good) > 55, f"only {asked} requests of {len(good)} routes")
        return f"{asked} requests about {len(good)} routes, each good on one's own"

    @tests.test("tenants: within one, whoever is out of reach is as absent as nobody, for acts as for looks")
    def out_of_reach():
        """A manager reaches a team, a person nobody but themselves: asked of anybody else of their own tenant, with requests that succeed where they may."""
        wrong, done, asked = [], {"manager": 0, "alice": 0}, 0
        with staged() as stage:
            other = {**planted(stage.app, stage.operator, MARK), **paper(stage.app, stage.operator, MARK + "-gone"), "waiting": UNKNOWN}
            nobody = dict.fromkeys(other, UNKNOWN)
            before = stage.app.get(f"/v1/subjects/{other['id']}/access").expect(200).json
            for row in stage.concerned():
                for caller in done:
                    if row["who"] == "operator" or "/campaigns" in row["path"]:    # a campaign is nobody's
                        continue
                    foreign, unknown = stage.ask(caller, row, other), stage.ask(caller, row, nobody)
                    asked += 2
                    if foreign != unknown:
                        wrong.append(f"{row['name']} as {caller}: {foreign[0]} {foreign[1][:300]} / {unknown[0]} {unknown[1][:300]}")
                    if MARK in foreign[1] or succeeded(foreign) and not (stage.routes.is_page(row) and row["method"] == "GET"):
                        wrong.append(f"{row['name']} as {caller} reaches whom they may not: {foreign[0]} {foreign[1][:300]}")
                    if row["name"] not in ENDING or caller == "manager":
                        done[caller] += stage.good(caller, row)[0]
            after = stage.app.get(f"/v1/subjects/{other['id']}/access").expect(200).json
            check(standing(after) == standing(before), f"changed: {standing(before)} {standing(after)}")
        check(not wrong, f"{len(wrong)} wrong:\n" + "\n".join(wrong[:25]))
        check(done["manager"] > 12 and done["alice"] > 6 and asked > 200, f"of {asked}, done on one's own: {done}")
        return f"{asked} requests; done within reach: {done}"

    @tests.test("tenants: no list, page, search or sign-in of one tenant knows the other's people")
    def lists():
        wrong, count = [], 0
        with staged() as stage:
            secrets = [MARK, MARK.lower(), *map(str, stage.theirs.values())]
            for row in stage.routes.rows:
                if row["method"] != "GET" or set(stage.routes.parameters(row, "path")) or row["name"] in ("metrics", "openapi"):
                    continue
                for caller, client in {**stage.callers, "nobody": stage.server.anyone()}.items():
                    if caller == "operator" and row["who"] == "operator":        # the operator's own lists are of the whole instance
                        continue
                    for accept in ("application/json", "text/html"):
                        queries = {"purpose": "service"} if "purpose" in stage.routes.parameters(row, "query") else {}
                        answer = client.get(stage.routes.path(row, {}, queries), Accept=accept)
                        count += 1
                        found = [secret for secret in secrets if secret.encode() in answer.body]
                        if found:
                            wrong.append(f"{row['name']} as {caller}: {found}")
            check(not wrong and count > 300, f"of {count}: " + "\n".join(wrong[:20]))
            known, nobody = ({"contact.email": f"{name}@people.example"} for name in (MARK.lower(), "nobody"))
            for caller in ("app", "reader", "support", "manager"):
                said = [stage.callers[caller].lookup(identifier, "service") for identifier in (known, nobody)]
                check(said[0].status >= 400 and said[0].body == said[1].body, f"a look-up as {caller}: {said[0].body} {said[1].body}")
            for tenant in ("two", None):
                told = [stage.server.anyone().post("/v1/session", {"identifier": name, "password": PASSWORD, **({"tenant": tenant} if tenant else {})})
                        for name in (f"{MARK.lower()}@people.example", "nobody@people.example")]
                check([one.status for one in told] == [401, 401] and told[0].json == told[1].json, f"{told[0].body} {told[1].body}")
            made = stage.app.post("/v1/subjects", {"data": data(MARK), "source": "person"}).expect(201).json["id"]     # the address is free here
            check(stage.app.lookup(known, "service").expect(200).json["id"] == made, "another's id")
        return f"{count} requests"

    @tests.test("tenants: each knows the load of its own events, and the machine's is the operator's alone")
    def loads():
        with staged() as stage:
            first, own = stage.first, stage.app
            for client, ident, events in ((first, stage.theirs["id"], 5), (own, stage.own()["id"], 2)):
                sent = [{"id": f"e{number}", "subject": ident, "category": "clicks", "fields": {"page": MARK}} for number in range(events)]
                client.post("/v1/usage", {"events": sent, "purpose": "service"}).expect(200)
            stage.server.advance(hours=1)
            for client, events in ((first, 5), (own, 2)):
                told = client.get("/v1/capacity").expect(200).json
                check(sum(told["hours"]["values"]) == events and MARK not in str(told), f"{told['hours']}")
                for measure in ("requests", "response", "storage"):
                    client.get(f"/v1/capacity?measure={measure}").refused("forbidden", status=403, clause="^tenants$")
            stage.operator.get("/v1/capacity?measure=storage").expect(200)

    @tests.test("tenants: another tenant's and nobody's are answered in the same time")
    def same_time():
        """Pairs, in every order as often as in any other; beside them pairs of two that are both nobody's, which tell what chance does."""
        pairs = 10_000 if os.environ.get("GARANT_TIER") == "release" else 1_200
        said = []
        with staged() as stage:
            ids = {"foreign": stage.theirs["id"], "unknown": UNKNOWN, "control": UNKNOWN[:-1] + "W"}
            names = {"foreign": f"{MARK.lower()}@people.example", "unknown": "nobody.at.all@people.example", "control": "no.one.at.all@people.example"}
            asks = {"a read": lambda client, who: client.get(f"/v1/subjects/{ids[who]}?purpose=service"),
                    "a copy": lambda client, who: client.get(f"/v1/subjects/{ids[who]}/access"),
                    "a search": lambda client, who: client.lookup({"contact.email": names[who]}, "service"),
                    "a record": lambda client, who: client.record(ids[who], "visits", {"page": "/a"})}
            client, orders = stage.app, list(itertools.permutations(ids))
            for name, ask in asks.items():
                share = pairs // len(asks)
                ahead = {"foreign": 0, "control": 0}
                for i in range(share + 20):
                    took = {}
                    for who in orders[i % len(orders)]:
                        began = time.perf_counter()
                        status = ask(client, who).status
                        took[who] = time.perf_counter() - began
                        check(status == 404, f"{name} of {who}: {status}")
                    for who in ahead if i >= 20 else ():                 # the first warm up
                        ahead[who] += took[who] > took["unknown"]
                rank, chance, slack = ahead["foreign"] / share, ahead["control"] / share, 4 * 0.5 / share ** 0.5
                told = f"{name}: another tenant's is slower in {rank:.1%} of {share} pairs, by chance {chance:.1%}"
                check(abs(rank - 0.5) < slack + abs(chance - 0.5), told)
                said.append(f"{name} slower in {rank:.1%}, control {chance:.1%}")
        return f"{pairs} pairs: " + "; ".join(said)
