"""Every act of every actor of a policy, held against what the policy says of that actor: allowed acts are done, others refused, and both
stand in the journal before they are answered. What is expected is read from the policy file alone."""
import itertools, json, urllib.parse
import engine
import sample
from garant import Client, check
from sample import listed, truth

REASON = {"Garant-Reason": "asked by the person"}
ALL_ACTS = ("read", "write", "send", "disclose", "erase", "export", "consent")
FILE = {"Content-Type": "text/plain"}


class Journal:
    """The journal's leaves as they stand in the data folder, read beside the running server."""

    def __init__(self, server):
        self.base = engine.base(server.data, only=("journal",))

    def rows(self, sql, *values):
        if engine.POSTGRESQL:
            self.base.more("journal", "seq")
        return list(self.base.execute(sql, values))

    def size(self):
        return self.rows("SELECT coalesce(max(seq), -1) + 1 FROM journal")[0][0]

    def since(self, size):
        return [json.loads(leaf) for (leaf,) in self.rows("SELECT leaf FROM journal WHERE seq >= ? ORDER BY seq", size)]


class Policy:
    """What the policy says of actors and purposes."""

    def __init__(self, document):
        self.tree = document.tree
        self.purposes, self.categories = document.purposes, {name: body for name, body in document.categories.items() if "transient" not in body}
        self.actors = {**(document.tree.get("roles") or {}), **document.systems}
        tenants = document.tree.get("tenants") or {}
        own = listed((next(iter(tenants.values()), None) or {}).get("staff"))     # roles of the operator's own tenant; all where none are named
        self.roles, self.document = {name: role for name, role in (document.tree.get("roles") or {}).items() if not own or name in own}, document
        recipients = document.tree.get("recipients")
        self.recipients = recipients if isinstance(recipients, dict) else {}

    def of(self, actor, key):
        return listed(self.actors[actor].get(key))

    def reaches(self, actor, category):
        return not self.of(actor, "categories") or category in self.of(actor, "categories")

    def may_for(self, actor, act, purpose, category=None):
        """Consents all given, nothing objected to."""
        return purpose in self.of(actor, "purposes") and act in self.of(actor, "acts") and \
            (category is None or (category in listed(self.purposes[purpose]["categories"]) and self.reaches(actor, category)))

    def may(self, actor, act, category):
        return any(self.may_for(actor, act, purpose, category) for purpose in self.purposes)

    def purposes_without_consent(self, category):
        return [name for name, body in self.purposes.items() if body["basis"] != "consent" and category in listed(body["categories"])]

    def consents(self):
        """(purpose, channel or None) of each consent that can be given."""
        for name, body in self.purposes.items():
            if body["basis"] == "consent":
                for channel in listed(body.get("channels")) or [None]:
                    yield name, channel


def consent_body(purpose, channel, decision):
    return {"purpose": purpose, "decision": decision, "wording": "Oui.", **({"channel": channel} if channel else {})}


class Stage:
    """A server, its policy, a person of whom everything is held, and a client for each actor of the policy."""

    def __init__(self, server, main="app", first=1):
        self.server, self.app, self.journal = server, server.client(main), Journal(server)
        self.document = sample.Document(self.app.get("/v1/policy").expect(200).json["document"])
        self.policy, self.main, self.numbers, self.tokens = Policy(self.document), main, itertools.count(first), {}
        server.accept_once(server.tenant)

    def person(self):
        """Everything that can be held of a person is held of this one; every consent is given."""
        number = next(self.numbers)
        consents = [consent_body(purpose, channel, "given") for purpose, channel in self.policy.consents()]
        data = {name: sample.fields(body, number) for name, body in self.policy.categories.items() if self.sent_at_once(name)}
        made = self.app.post("/v1/subjects", {"data": data, "source": "person", "consents": consents}).expect(201).json["id"]
        for name, body in self.policy.categories.items():
            if truth(body.get("many")) and self.records(name):
                self.app.record(made, name, sample.fields(body, number), **self.source(body)).expect(201)
        return made

    def sent_at_once(self, category):
        body = self.policy.categories[category]
        return not truth(body.get("many")) and "person" in (listed(body.get("source")) or ["person"]) and self.policy.may(self.main, "write", category)

    def records(self, category):
        """Whether records of it are added by hand: those of folders are not."""
        return self.policy.categories[category].get("stream") != "folders" and self.policy.may(self.main, "write", category)

    @staticmethod
    def source(body):
        sources = listed(body.get("source"))
        return {"source": sources[0]} if sources else {}

    def actor(self, name):
        """A client for an actor: for a role, in the name of somebody whose agreement is recorded."""
        if name not in self.tokens:
            self.tokens[name] = self.holder(name) if name in self.policy.roles else self.server.client(name).token
        return self.by(self.tokens[name])

    def holder(self, role, agreement=True):
        """A token in the name of somebody who was given that role."""
        return self.employed(role, agreement)[1]

    def employed(self, role, agreement=True):
        """Somebody with an account in that role: their id and a token."""
        operator, number = self.server.operator(), next(self.numbers)
        data = {name: sample.fields(self.policy.categories[name], number) for name in self.document.single()}
        body = {"data": data, "supplied_by": "person", "role": role}
        ident = operator.post("/v1/accounts", body).expect(201).json["id"]
        if agreement:
            operator.post(f"/v1/accounts/{ident}/agreement", {"date": "2026-01-05", "reference": "safe, shelf 2"}).expect(200)
        return ident, operator.post("/v1/tokens", {"name": f"of-{ident[-8:].lower()}", "actor": role, "holder": ident}).expect(201).json["token"]

    def clerk(self):
        """Somebody who works here, whose account is looked after: one for the whole stage."""
        if "clerk" not in self.tokens:
            self.tokens["clerk"] = self.employed(next(name for name, body in self.policy.roles.items() if body["sees"] == "all"))[0]
        return self.tokens["clerk"]

    def by(self, token):
        return Client(lambda: self.server.port, token, headers=REASON, epoch=lambda: self.server.starts)


class Case:
    """One request of one actor, which must be allowed or refused, with its entry in the journal."""

    def __init__(self, stage, actor, promise=None):
        self.stage, self.actor, self.client, self.promise = stage, actor, stage.actor(actor), promise
        self.counts = {True: 0, False: 0}

    def ask(self, what, allowed, act, method, path, body=None, **headers):
        """`act`: of the entry in the journal when it is done; None where there is none."""
        size = self.stage.journal.size()
        answer = self.client.request(method, path, body, {**REASON, **headers}.items())
        new = [entry for entry in self.stage.journal.since(size) if entry["actor"] == self.actor]
        self.counts[allowed] += 1
        if not allowed:
            check(answer.status in (403, 404), f"{self.actor}: {what} is not refused: {answer.asked}: {answer.status} {answer.body[:300]!r}")
            check([entry for entry in new if entry["outcome"] == "refused"], f"{self.actor}: {what} is refused, and not on record: {new}")
            if answer.status == 403:
                answer.refused(clause=".", status=403)
            return answer
        check(answer.status < 300, f"{self.actor}: {what} is refused: {answer.asked}: {answer.status} {answer.body[:300]!r}")
        if act:
            found = [entry for entry in new if entry["act"] == act and entry["outcome"] == "done"]
            check(found, f"{self.actor}: {what} is done, and not on record as {act}: {new}")
        return answer


# ---- The acts. ----

def decisions(case, subject):
    """What is asked before a use."""
    policy = case.stage.policy
    for purpose, body in policy.purposes.items():
        channels = listed(body.get("channels"))
        for act in ALL_ACTS:
            asked = {"subject": subject, "purpose": purpose, "act": act, **({"channel": channels[0]} if channels and act == "send" else {})}
            case.ask(f"to {act} for {purpose}", policy.may_for(case.actor, act, purpose), None, "POST", "/v1/decisions", asked)


def reads(case, subject, files):
    policy = case.stage.policy
    category, field = case.stage.document.identifier()
    value = case.stage.app.read(subject, case.stage.document.using(category)[0], [category]).expect(200).json["data"][category][field]
    for purpose in policy.purposes:
        allowed = policy.may_for(case.actor, "read", purpose, category)
        case.ask(f"a search for {purpose}", allowed, "subject.lookup", "POST", "/v1/subjects/lookup",
                 {"identifier": {f"{category}.{field}": value}, "purpose": purpose})
        # For a purpose that is not the actor's one category is enough to see it.
        names = list(policy.categories) if policy.may_for(case.actor, "read", purpose) else listed(policy.purposes[purpose]["categories"])[:1]
        for name in names:
            allowed = policy.may_for(case.actor, "read", purpose, name)
            case.ask(f"a read of {name} for {purpose}", allowed, "read", "GET", f"/v1/subjects/{subject}?purpose={purpose}&categories={name}")
        for name in filter(files.get, names):
            allowed = policy.may_for(case.actor, "read", purpose, name)
            case.ask(f"a file of {name} for {purpose}", allowed, "attachment.read", "GET",
                     f"/v1/subjects/{subject}/attachments/{files[name]}?purpose={purpose}")


def writes(case, subject):
    policy = case.stage.policy
    for name, body in policy.categories.items():
        allowed = policy.may(case.actor, "write", name)
        if not allowed and case.stage.sent_at_once(name):
            case.ask(f"a person made with {name}", False, None, "POST", "/v1/subjects", {"data": {name: sample.fields(body, 7)}, "source": "person"})
        query = urllib.parse.urlencode({"category": name, "name": "planted.txt"})
        case.ask(f"a file added to {name}", allowed, "attachment.add", "POST", f"/v1/subjects/{subject}/attachments?{query}", b"planted", **FILE)
        if truth(body.get("many")) and case.stage.records(name):
            case.ask(f"a record added to {name}", allowed, "subject.update", "POST", f"/v1/subjects/{subject}/records/{name}",
                     {"fields": sample.fields(body, 1), **case.stage.source(body)})
        elif case.stage.sent_at_once(name):
            unlike = {field: value for field, value in sample.fields(body, 1).items() if not truth(body["fields"][field].get("identifier"))}
            if unlike:
                case.ask(f"a change of {name}", allowed, "rectify", "PATCH", f"/v1/subjects/{subject}", {name: unlike}, **{"If-Match": "*"})


def sends(case, subject, address):
    """A service message: for a purpose that is no marketing, by e-mail, to an address that the purpose may use."""
    policy = case.stage.policy
    for purpose, body in policy.purposes.items():
        channels = listed(body.get("channels"))
        allowed = policy.may_for(case.actor, "send", purpose, address) and not truth(body.get("marketing")) and (not channels or "email" in channels)
        case.ask(f"a message for {purpose}", allowed, "mail.queued", "POST", f"/v1/subjects/{subject}/messages",
                 {"purpose": purpose, "subject": "Planned work", "text": "The service is away on Sunday."})


def disclosures(case, subject):
    policy = case.stage.policy
    for recipient, body in policy.recipients.items():
        may = "disclose" in policy.of(case.actor, "acts")
        for purpose in policy.purposes if may else listed(body["purposes"]):
            receives = purpose in listed(body["purposes"]) and body.get("charter") == "accepted"
            for name in policy.categories:
                used = name in listed(policy.purposes[purpose]["categories"])
                if not used and (not receives or not policy.may_for(case.actor, "disclose", purpose)):
                    continue                                     # refused for two reasons: nothing new
                allowed = receives and name in listed(body["categories"]) and policy.may_for(case.actor, "disclose", purpose, name)
                case.ask(f"a disclosure of {name} to {recipient} for {purpose}", allowed, "disclosure", "POST", f"/v1/subjects/{subject}/disclosures",
                         {"recipient": recipient, "purpose": purpose, "categories": [name]})


def rights(case, subject):
    """What answers people: for who may export, consent, or erase."""
    policy, acts = case.stage.policy, case.stage.policy.of(case.actor, "acts")
    for path, act in (("access", "access"), ("export", "export"), ("looks", "read"), ("former", "read"), ("disclosures", "read")):
        case.ask(f"the person's {path}", "export" in acts, act, "GET", f"/v1/subjects/{subject}/{path}")
    case.ask("the ledger of consents", "export" in acts or "consent" in acts, "read", "GET", f"/v1/subjects/{subject}/consents")
    for purpose, channel in policy.consents():
        case.ask(f"a consent to {purpose}", policy.may_for(case.actor, "consent", purpose), "consent.given", "POST", f"/v1/subjects/{subject}/consents",
                 consent_body(purpose, channel, "given"))
    # Who looks after accounts reaches all that people are found by.
    finds = [name for name, body in policy.categories.items() if any(truth(type_.get("identifier")) for type_ in body["fields"].values())]
    looks_after = policy.actors[case.actor].get("sees") != "team" and all(policy.may(case.actor, "write", name) for name in finds)
    case.ask("an agreement noted", looks_after, "account.agreement", "POST",
             f"/v1/accounts/{case.stage.clerk()}/agreement", {"date": "2026-01-06", "reference": "safe, shelf 3"})
    readers = listed((policy.tree.get("archive") or {}).get("readers"))
    case.ask("the archive", case.actor in readers, "archive.list", "GET", "/v1/archive")


def closes(policy, actor):
    """Who answers rights closes accounts, and who manages them."""
    return "erase" in policy.of(actor, "acts") or any(
        body["dpv"] == "dpv:AccountManagement" and policy.may_for(actor, "write", name) for name, body in policy.purposes.items())


def endings(case):
    """What ends something: each on a person of its own, from the lightest to the last."""
    stage, policy, erases = case.stage, case.stage.policy, "erase" in case.stage.policy.of(case.actor, "acts")
    subject = stage.person()
    free = next(name for name, body in policy.categories.items() if not truth(body.get("held")) and policy.may(stage.main, "write", name))
    file = stage.app.request("POST", f"/v1/subjects/{subject}/attachments?category={free}&name=a.txt", b"planted", FILE.items()).expect(201).json["id"]
    case.ask("the end of a file", erases, "attachment.delete", "DELETE", f"/v1/subjects/{subject}/attachments/{file}")
    many = next((name for name, body in policy.categories.items()
                 if truth(body.get("many")) and not truth(body.get("held")) and stage.records(name)), None)
    if many:
        case.ask(f"the end of {many}", erases, "subject.update", "DELETE", f"/v1/subjects/{subject}/records/{many}", **{"If-Match": "*"})
    held = case.ask("a hold", erases, "hold.set", "POST", f"/v1/subjects/{subject}/holds", {"category": free, "ground": "Affaire 12"})
    hold = held.json["id"] if erases else \
        stage.app.post(f"/v1/subjects/{subject}/holds", {"category": free, "ground": "Affaire 12"}).expect(201).json["id"]
    case.ask("the end of a hold", erases, "hold.released", "DELETE", f"/v1/subjects/{subject}/holds/{hold}")
    case.ask("a contract's end", erases, "milestone", "POST", f"/v1/subjects/{subject}/events", {"event": "contract_end"})
    case.ask("a closing", closes(policy, case.actor), "subject.close", "POST", f"/v1/subjects/{subject}/close")
    other = subject if not closes(policy, case.actor) else stage.person()
    case.ask("an erasure", erases, "subject.erase", "POST", f"/v1/subjects/{other}/erase", {})
    if not erases:
        stage.app.read(other, stage.document.main_purpose()).expect(200)


def as_declared(server, address, team=(), main="app"):
    """Every act by every actor but those of `team`, who reach nobody here. `address`: the category that holds where people are written to."""
    stage = Stage(server, main)
    subject = stage.person()
    files = {name: stage.app.request("POST", f"/v1/subjects/{subject}/attachments?category={name}&name=a.txt", b"planted", FILE.items())
             .expect(201).json["id"] for name in stage.policy.categories if stage.policy.may(main, "write", name)}
    for actor in stage.policy.actors:
        case = Case(stage, actor)
        if actor in team:
            case.ask("a stranger's data", False, None, "GET", f"/v1/subjects/{subject}?purpose={stage.policy.of(actor, 'purposes')[0]}")
            continue
        decisions(case, subject)
        reads(case, subject, files)
        writes(case, subject)
        sends(case, subject, address)
        disclosures(case, subject)
        rights(case, subject)
        endings(case)
        check(case.counts[True] and case.counts[False] > 10, f"little to see of {actor}: {case.counts}")
    return stage, subject


# ---- The person's own word: consent, objection, restriction. ----

def uses(stage, subject, purpose, file_of, channel=None):
    """Each use by the main actor for a purpose that the person's word bears on: what it is, and its answer."""
    app, policy = stage.app, stage.policy
    category = next(name for name in listed(policy.purposes[purpose]["categories"]) if name in policy.categories)
    yield "read", app.read(subject, purpose, [category])
    yield "read of all", app.read(subject, purpose)
    if category in file_of:
        yield "file", app.get(f"/v1/subjects/{subject}/attachments/{file_of[category]}?purpose={purpose}")
    for act in ("read", "write", "send", "disclose"):
        if policy.may_for(stage.main, act, purpose):
            asked = {"subject": subject, "purpose": purpose, "act": act, "categories": [category]}
            yield f"decision to {act}", app.post("/v1/decisions", {**asked, **({"channel": channel} if channel and act == "send" else {})})
    # What is written without naming a purpose is for any that the category has: those of this purpose alone tell of it.
    for name in listed(policy.purposes[purpose]["categories"]):
        if name not in policy.categories or [other for other in policy.purposes if policy.may_for(stage.main, "write", other, name)] != [purpose]:
            continue
        yield f"file added to {name}", app.request("POST", f"/v1/subjects/{subject}/attachments?category={name}&name=b.txt", b"planted", FILE.items())
        if truth(policy.categories[name].get("many")) and stage.records(name):
            body = policy.categories[name]
            yield f"record of {name}", app.record(subject, name, sample.fields(body, 1), **stage.source(body))
    if stage.sent_at_once(category):
        types, values = policy.categories[category]["fields"], sample.fields(policy.categories[category], 1)
        unlike = {field: value for field, value in values.items() if not truth(types[field].get("identifier"))}
        yield "change", app.patch(f"/v1/subjects/{subject}?purpose={purpose}", {category: unlike}, etag="*")
    for recipient, their in policy.recipients.items():
        if purpose in listed(their["purposes"]) and category in listed(their["categories"]) and their.get("charter") == "accepted":
            yield f"disclosure to {recipient}", app.post(f"/v1/subjects/{subject}/disclosures",
                                                         {"recipient": recipient, "purpose": purpose, "categories": [category]})
    if not truth(policy.purposes[purpose].get("marketing")) and "contact" in listed(policy.purposes[purpose]["categories"]) and \
            "email" in (listed(policy.purposes[purpose].get("channels")) or ["email"]):
        yield "message", app.post(f"/v1/subjects/{subject}/messages", {"purpose": purpose, "subject": "Planned work", "text": "On Sunday."})


def all_uses(stage, subject, purpose, files, expected, state, channel=None):
    """All of them are allowed (expected None), or refused with that code and a clause."""
    for what, answer in uses(stage, subject, purpose, files, channel):
        if expected is None:
            check(answer.status < 300, f"{state}: {what} for {purpose} is refused: {answer.status} {answer.body[:300]!r}")
        else:
            check(answer.status == 403, f"{state}: {what} for {purpose} is not refused: {answer.status} {answer.body[:300]!r}")
            answer.refused(expected, status=403, clause=".")


def own_word(server, main="app"):
    """Consent, by channel; objection, lifted, upheld, overridden; restriction, lifted: each on every use."""
    stage = Stage(server, main)
    app, policy, operator = stage.app, stage.policy, server.operator()
    subject = stage.person()
    files = {name: app.request("POST", f"/v1/subjects/{subject}/attachments?category={name}&name=a.txt", b"planted", FILE.items())
             .expect(201).json["id"] for name in policy.categories if policy.may(main, "write", name)}
    mine = policy.of(main, "purposes")

    def decide(purpose, decision, channels):
        for channel in channels:
            app.post(f"/v1/subjects/{subject}/consents", consent_body(purpose, channel, decision)).expect(201)
    for purpose in mine:
        body = policy.purposes[purpose]
        channels = listed(body.get("channels")) or [None]
        usual = channels[0]
        if body["basis"] == "consent":
            all_uses(stage, subject, purpose, files, None, "given", usual)
            for decision in ("withdrawn", "refused"):
                decide(purpose, decision, channels)
                all_uses(stage, subject, purpose, files, "consent-missing", decision, usual)
            if len(channels) > 1:
                decide(purpose, "given", channels[1:])
                asked = {"subject": subject, "purpose": purpose, "act": "send"}
                app.post("/v1/decisions", {**asked, "channel": usual}).refused("consent-missing", status=403, clause=".")
                app.post("/v1/decisions", {**asked, "channel": channels[1]}).expect(200)
                app.post("/v1/decisions", {**asked, "channel": "carrier-pigeon"}).refused("purpose-refused", status=403, clause=".")
            decide(purpose, "given", channels)
        if body["basis"] in ("legitimate_interest", "public_task") or truth(body.get("marketing")):
            path = f"/v1/subjects/{subject}/objections/{purpose}"
            app.put(path).expect(204)
            all_uses(stage, subject, purpose, files, "purpose-refused", "objected", usual)
            decision = operator.post(path + "/decision", {"decision": "overridden", "reason": "Claims are pending."})
            if truth(body.get("marketing")):
                decision.refused(status=403, clause=".")
            else:
                decision.expect(204)
                all_uses(stage, subject, purpose, files, None, "overridden", usual)
                app.put(path).expect(204)
            operator.post(path + "/decision", {"decision": "upheld", "reason": "Granted."}).expect(204)
            all_uses(stage, subject, purpose, files, "purpose-refused", "upheld", usual)
            app.delete(path).expect(204)
        elif body["basis"] != "consent":
            app.put(f"/v1/subjects/{subject}/objections/{purpose}").refused("invalid-value", status=422, clause=".")
        if body["basis"] != "consent":                           # asked for what rests on something else, a consent would mislead
            app.post(f"/v1/subjects/{subject}/consents", consent_body(purpose, usual, "given")).refused("invalid-value", status=422, clause=".")
        all_uses(stage, subject, purpose, files, None, "nothing in its way", usual)
    app.put(f"/v1/subjects/{subject}/restriction", {"ground": "accuracy contested"}).expect(204)
    for purpose in mine:
        channels = listed(policy.purposes[purpose].get("channels")) or [None]
        stands = policy.purposes[purpose].get("despite_restriction")
        all_uses(stage, subject, purpose, files, None if stands else "purpose-refused", "restricted", channels[0])
    app.get(f"/v1/subjects/{subject}/access").expect(200)         # the person's rights go on
    app.delete(f"/v1/subjects/{subject}/restriction").expect(204)
    for purpose in mine:
        channels = listed(policy.purposes[purpose].get("channels")) or [None]
        all_uses(stage, subject, purpose, files, None, "released", channels[0])
