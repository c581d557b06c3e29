"""Scenarios of promises, each under the promise's id, driving a server that runs that platform's policy file alone; and the parts that they show."""
import contextlib, os, re, shutil, sys, tempfile, threading, urllib.parse
import doors, sample
from described import Routes, ask
from garant import TOP, Server, check, garant
from people import form
from uses import command

SCENARIOS = {}
PARTLY = {}                                     # of promises that are open: what of them is kept already, and the scenario that shows it
FURTHER = {}                                    # by promise: scenarios beside its own, of a whole kind of acts or data that several promises share
SHOWN = {}                                      # by promise and part: where a scenario asserted it, and through which doors
CURRENT = threading.local()                     # the promise whose scenario this thread runs
TABLE = os.path.join(TOP, "tests/promises/promises.tsv")


class Row:
    """A row of promises.tsv. Its parts stand in order; those with a "?" before them are shown by no scenario yet."""

    def __init__(self, line):
        self.id, self.policy, self.says, self.waits, parts = line.rstrip("\n").split("\t")
        named = [name for name in parts.split(" | ") if name]
        self.parts = {name.removeprefix("?"): not name.startswith("?") for name in named}
        assert len(self.parts) == len(named), f"{self.id}: a part stands twice"

    def faults(self):
        """What the scenarios that ran left out of the table's parts, or showed beyond them."""
        shown = SHOWN.get(self.id, {})
        if self.id in SCENARIOS and not self.parts:
            return ["the row names no parts"]
        return [f'no scenario asserts the part "{name}"' for name, due in self.parts.items() if due and name not in shown] + \
               [f'the part "{name}" is asserted: take the "?" before it away' for name, due in self.parts.items() if not due and name in shown]


def read_rows():
    with open(TABLE, encoding="utf-8") as file:
        return {row.id: row for row in (Row(line) for line in file if line.strip() and not line.startswith("#"))}


ROWS = read_rows()


def rows():
    return ROWS.values()


def promise(ident):
    """Registers the scenario of a promise."""
    assert ident in ROWS and ident not in SCENARIOS, ident

    def register(scenario):
        SCENARIOS[ident] = scenario
        return scenario
    return register


def partly(ident, says):
    """Registers the scenario of what is kept of an open promise. It is run and must hold, and does not make the promise count as kept."""
    assert ident in ROWS and ident not in PARTLY, ident

    def register(scenario):
        PARTLY[ident] = says, scenario
        return scenario
    return register


def further(*idents):
    """Registers a scenario that these promises have beside their own: it runs with them, and they hold only if it does."""
    assert all(ident in ROWS for ident in idents), idents

    def register(scenario):
        for ident in idents:
            FURTHER.setdefault(ident, []).append(scenario)
        return scenario
    return register


class part:                                     # pylint: disable=invalid-name
    """`with part("the clause is named"):` shows that part of the promise whose scenario runs. What stands inside must assert something, and
    the part must stand in the promise's row."""

    def __init__(self, name):
        self.name, caller = name, sys._getframe(1)
        self.place = f"{os.path.relpath(caller.f_code.co_filename, TOP)}:{caller.f_lineno} {caller.f_code.co_name}"

    def __enter__(self):
        row = ROWS[CURRENT.ident]
        check(self.name in row.parts, f'{row.id} has no part "{self.name}" in promises.tsv, but {", ".join(row.parts)}')
        self.watching = doors.watching()
        self.watch = self.watching.__enter__()

    def __exit__(self, kind, value, trace):
        self.watching.__exit__(None, None, None)
        if kind is not None:
            value.add_note(f"part: {self.name}")
            return
        check(self.watch.asserted, f'nothing is asserted where the part "{self.name}" is said to be shown')
        SHOWN.setdefault(CURRENT.ident, {}).setdefault(self.name, {})[f"{self.place}: {doors.told(self.watch)}"] = True


class Trial(contextlib.ExitStack):
    """What a scenario works with: servers under the platform's policy and folders, all gone at its end."""

    def __init__(self, ident):
        super().__init__()
        self.policy = ROWS[ident].policy
        self.folder = tempfile.mkdtemp(prefix=f"garant-{ident}-")
        self.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.made = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def server(self, **options):
        """A server with its own data folder."""
        self.made += 1
        where = self.path(f"server{self.made}")
        os.mkdir(where)
        return self.enter_context(Server(options.pop("policy", self.policy), folder=where, **options))

    def copy_of_policy(self, change):
        """The platform's policy file with `change(text)` made to it: a path, for what the running file must not allow."""
        with open(os.path.join(TOP, "policies", self.policy + ".yaml"), encoding="utf-8") as file:
            before = file.read()
        after = change(before)
        assert after != before, "the change changed nothing"
        path = self.path(self.policy + "-changed.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(after)
        return path


def run(ident):
    """Runs the scenarios of a promise, the part's and the whole's; None when they hold and show its parts, else the exception."""
    scenarios = [PARTLY[ident][1]] if ident in PARTLY else []
    CURRENT.ident = ident
    try:
        for scenario in scenarios + ([SCENARIOS[ident]] if ident in SCENARIOS else []) + FURTHER.get(ident, []):
            with Trial(ident) as trial:
                scenario(trial)
        faults = ROWS[ident].faults()
        check(not faults, "; ".join(faults))
    except Exception as fault:              # any break of a scenario is its answer
        return fault
    return None


# ---- What several platforms promise in the same words. ----

def only_as_declared(server, client, ident, ident_of_promise, actor="app", desk=None):
    """Each purpose of the policy reads its own categories and no other; a consent opens what rests on it and its withdrawal
    closes it; a purpose that the policy does not have is refused. Every refusal names its clause and the promise. By page as well when there is a
    `desk`: somebody signed in to a role that may look for a reason."""
    document = sample.Document(client.get("/v1/policy").expect(200).json["document"])
    allowed_purposes = sample.listed(document.systems[actor]["purposes"])
    seen = {"allowed": 0, "refused": 0}

    def each(purpose, expected):
        for category, body in document.categories.items():
            if "transient" in body:
                continue
            answer = client.read(ident, purpose, [category])
            if category in sample.listed(document.purposes[purpose]["categories"]) and expected is None:
                check(set(answer.expect(200).json["data"]) <= {category}, f"{purpose}: more than {category}: {answer.body}")
                seen["allowed"] += 1
            elif category in sample.listed(document.purposes[purpose]["categories"]):
                answer.refused(expected, status=403, clause=rf"^purposes\.{purpose}\b", promise=ident_of_promise)
                seen["refused"] += 1
            else:
                answer.refused("purpose-refused", "consent-missing", status=403, clause=rf"^purposes\.{purpose}\b",
                               promise=ident_of_promise)
                seen["refused"] += 1

    resting = [purpose for purpose in allowed_purposes if document.purposes[purpose]["basis"] == "consent"]
    with part("a read for another purpose is refused with its clause"):
        for purpose, body in document.purposes.items():
            if purpose not in allowed_purposes:
                client.read(ident, purpose).refused("purpose-refused", "forbidden", status=403)
            elif purpose not in resting:
                each(purpose, None)
        for purpose in ("curiosity", "resale", "Service", "service ", "*", "s" * 300):
            client.read(ident, purpose).refused("purpose-refused", status=403, clause="^purposes$", promise=ident_of_promise)
            client.lookup({".".join(document.identifier()): "nobody@people.example"}, purpose) \
                  .refused("purpose-refused", status=403, clause="^purposes$", promise=ident_of_promise)
            one, = client.post("/v1/batch", {"requests": [{"method": "GET", "path": f"/v1/subjects/{ident}?purpose={urllib.parse.quote(purpose)}"}]}) \
                         .expect(207).json["results"]
            check(one["status"] == 403 and one["body"]["clause"]["path"] == "purposes", f"in a batch: {one}")
            if desk:
                page = form(desk, f"/staff/people/{ident}", purpose=purpose, reason="file 4711", csrf=desk.csrf).expect(403).body.decode()
                check(re.search(r">purposes<", page), f"the page for {purpose} names no clause: {page}")
        status, said = command(server, "subject", "show", ident, "--purpose", "curiosity")
        check(status == 1 and re.search(rf"\({re.escape(server.policy)}:\d+, purposes\)", said), f"garant subject show: {status} {said}")
    for purpose in resting:
        with part("a read without its consent is refused with its clause"):
            channels = sample.listed(document.purposes[purpose].get("channels"))
            channel = {"channel": channels[0]} if channels else {}
            if purpose in client.get(f"/v1/subjects/{ident}/consents").expect(200).json["live"]:
                client.consent(ident, purpose, "withdrawn", **channel).expect(201)
            each(purpose, "consent-missing")
            client.consent(ident, purpose, "refused", wording="Non.", **channel).expect(201)
            each(purpose, "consent-missing")
            client.consent(ident, purpose, "given", wording="Oui.", **channel).expect(201)
            each(purpose, None)
            client.consent(ident, purpose, "withdrawn", **channel).expect(201)
            each(purpose, "consent-missing")
    check(seen["allowed"] > 3 and seen["refused"] > 3, f"the policy leaves little to see: {seen}")


def refuses_elsewhere(t, stores, processors, foreign, where, accepted=None):
    """The policy runs as it is; with one of the places moved to `foreign`, which is outside `where`, the start is refused and names file, line
    and country, `garant check` says the same, and a running server does not take it over."""
    path = t.path("moved.yaml")
    with open(os.path.join(TOP, "policies", t.policy + ".yaml"), encoding="utf-8") as file:
        text = file.read()

    def moved(before, country):
        check(before.count("country: ") == 1 and text.count(before) == 1, before)
        after = re.sub(r"country: \w+", f"country: {country}", before)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(before, after))
        return text[:text.index(before)].count("\n") + before[:before.index("country: ")].count("\n") + 1
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    running = t.server(policy=path)

    def stops(before):
        line = moved(before, foreign)
        server = t.server(policy=path, start=False)
        status, said = server.refuses_to_start()
        check(status == 78, f"status {status}, and a policy that cannot be run is 78")
        check(not os.path.exists(os.path.join(server.data, "data.db")), "a data folder was made all the same")
        with part("the error is clear"):
            checked = garant("check", path, ok=None)
            for told in (said, checked.stdout + checked.stderr):
                check(foreign in told and "hosting" in told and any(f"{path}:{near}:" in told for near in (line - 1, line, line + 1)),
                      f"file, line {line} and country are not named: {told}")
            check(checked.returncode != 0, "garant check takes it")
        with part("nor does a running server take it over"):
            answer = running.operator().post("/v1/policy/reload").expect(422)
            check(any(foreign in finding["message"] for finding in answer.json["findings"]), f"{answer.body}")
            check(running.anyone().get("/privacy").expect(200), "it stopped")
    for name, places in ((f"a store outside {where} stops the start", stores), (f"a processor outside {where} stops the start", processors)):
        for place in places:
            with part(name):
                stops(place)
    if accepted:
        moved(stores[0], accepted)
        with part(f"inside {where} it starts"):
            check(where_of(t.server(policy=path)) == accepted, "it runs with another policy")


def where_of(server):
    """The country of the first store that a running server's policy names."""
    stores = server.operator().get("/v1/policy").expect(200).json["document"]["hosting"]["stores"]
    return next(iter(stores.values()))["country"]


# ---- A closed account. ----

UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
SERVED_TO_ALL = {"certificate_get", "archive_read", "session_drop"}      # their id is no person's, or they are the archive's own


def person_routes(routes):
    """Routes that name a person in their path and are not the operator's alone."""
    return [row for row in routes.rows if re.match(r"/v1/(subjects|accounts)/\{id\}", row["path"]) and row["who"] != "operator"]


def asked_of(document, row):
    """Path values, query and body with which a route reaches the person, under any policy."""
    purpose = document.main_purpose()
    many = next((name for name, body in document.categories.items() if sample.truth(body.get("many")) and document.using(name)), "none")
    transient = next((name for name, body in document.categories.items() if "transient" in body), "none")
    stream = next((name for name, body in document.categories.items() if body.get("stream") == "preferences"), document.single()[0])
    folders, recipients = ({} if isinstance(document.tree.get(key), str) else document.tree.get(key) or {} for key in ("folders", "recipients"))
    recipient = next((name for name, body in recipients.items() if body.get("charter", "accepted") == "accepted"), "none")
    consent = next(iter(document.consent_purposes()), purpose)
    category = {"record_add": many, "transient_put": transient, "transient_get": transient, "transient_drop": transient}.get(row["name"], stream)
    values = {"category": category, "purpose": consent, "attachment": UNKNOWN, "hold": UNKNOWN, "place": "all"}
    disclosed = recipients.get(recipient, {})
    bodies = {
        "subject_patch": {}, "record_add": {"fields": {}}, "consent_record": {"purpose": consent, "decision": "withdrawn"},
        "objection_decide": {"decision": "upheld", "reason": "It is founded."}, "restriction_set": {"ground": "accuracy contested"},
        "event_add": {"event": "last_contact"}, "hold_create": {"category": "*", "ground": "dispute"}, "transient_put": {},
        "disclosure_make": {"recipient": recipient, "purpose": (sample.listed(disclosed.get("purposes")) or [purpose])[0],
                            "categories": sample.listed(disclosed.get("categories"))[:1]},
        "folder_grant": {"folder": next(iter(folders), "none"), "name": "F-1", "why": "asked"},
        "folder_revoke": {"folder": next(iter(folders), "none"), "name": "F-1", "why": "asked"},
        "preference_set": {"values": {}}, "contact_send": {"purpose": consent, "subject": "News", "text": "Here it is."},
        "contact_call": {"purpose": consent, "subject": "News"},
        "publication_send": {"category": next((name for name, body in document.categories.items() if "public" in body), "none"), "fields": {}},
        "account_manager": {"manager": None}, "account_agreement": {"date": "2026-01-05", "reference": "safe"}}
    query = {"purpose": purpose} if row["name"] in ("subject_read", "attachment_get") else {}
    return values, query, bodies.get(row["name"], {})


def reached(client, routes, document, row, ident):
    """What a route answers about a person, without anything that tells which person was asked about."""
    values, query, body = asked_of(document, row)
    content = b"a file" if row["name"] == "attachment_add" else body if row["body"] != "none" else None
    query = {"category": document.single()[0], "name": "a.txt", **query} if row["name"] == "attachment_add" else query
    answer = ask(client, row, routes.path(row, {**values, "id": ident}, query), content)
    return answer.status, re.sub(rb'"(instance|request|id)":"[^"]*"', b"", answer.body.replace(ident.encode(), b"ID"))


def closed_is_not_there(server):
    """Over every route that reaches a person: a closed one is to the applications exactly what an unknown one is. The names of the routes that
    tell an open person from an unknown one under this policy, so that it means something."""
    routes = Routes(server)
    document = sample.Document(server.operator().get("/v1/policy").expect(200).json["document"])
    app = server.client(document.actor())
    shown, told = set(), []
    closed = app.create(sample.person(document, 40))["id"]
    app.post(f"/v1/subjects/{closed}/close").expect(204)
    for number, row in enumerate(person_routes(routes), 41):
        there = app.create(sample.person(document, number))["id"]
        unknown = reached(app, routes, document, row, UNKNOWN)
        if reached(app, routes, document, row, there) != unknown:
            shown.add(row["name"])
        for name in document.systems:
            client = server.client(name)
            said, nobody = reached(client, routes, document, row, closed), reached(client, routes, document, row, UNKNOWN)
            told += [f"{row['name']} tells {name} of a closed account: {said}, and of nobody {nobody}"] if said != nobody else []
    check(not told, "\n".join(told))
    return shown, {row["name"] for row in person_routes(routes)}
