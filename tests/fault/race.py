"""R11: every kind of look and write beside an erasure under way, and holds and restrictions beside erasure and sweep: nothing linked to nobody,
nothing of the person after the certificate, nothing acknowledged ignored, and the journal verifies."""
import concurrent.futures, contextlib, http.client, itertools, threading, uuid
import engine
import sample
from common import RELEASE, person, server, tests
from garant import Answer, Client, Server, check, garant
from mailbox import Mailbox
from people import PASSWORD, Visitor, opened, staff

ROUNDS = 1000 if RELEASE else 50
LOOKERS = 3

ACTS = {
    "read": ("GET", "?purpose=service", None), "refused": ("GET", "?purpose=news", None), "access": ("GET", "/access", None),
    "export": ("GET", "/export", None), "consents": ("GET", "/consents", None), "former": ("GET", "/former", None),
    "disclosures": ("GET", "/disclosures", None),
    "file": ("GET", "/attachments/{file}?purpose=service", None), "file dropped": ("DELETE", "/attachments/{file}", None),
    "record": ("POST", "/records/visits", {"fields": {"page": "/raced"}}),
    "held record": ("POST", "/records/invoices", {"fields": {"number": "raced", "amount": 1}}),
    "consent": ("POST", "/consents", {"purpose": "news", "decision": "given"}),
    "withdrawal": ("POST", "/consents", {"purpose": "news", "decision": "withdrawn"}),
    "objection": ("PUT", "/objections/news", None), "restriction": ("PUT", "/restriction", {"ground": "accuracy contested"}),
    "close": ("POST", "/close", None), "erasure": ("POST", "/erase", {"ground": "request"}),
}


def beside(acts, last, first=False):
    """All of `acts` and `last` at one moment, or with `first` `last` when one of the acts was answered and the others are under way; the answers of
    the acts, and that of `last`."""
    gate, answered, answers = threading.Barrier(len(acts) + 1), threading.Event(), [[] for _ in acts]

    def run(index, act):
        gate.wait()
        for _ in range(4):
            answers[index].append(act())
            answered.set()
    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    gate.wait()
    if first:
        answered.wait()
    end = last()
    for thread in threads:
        thread.join()
    return [answer for row in answers for answer in row], end


def looker(subject, method, path, body):
    """What it reads may end in the middle: a file whose person is erased meanwhile."""
    client = subject.client("app", timeout=60)

    def look():
        try:
            return client.request(method, path, body)
        except http.client.IncompleteRead:
            return Answer(f"{method} {path}", 200, {}, b"")
    return look


def linked_to_nobody(subject):
    """How many entries lead to people without a key; the server is stopped."""
    data = engine.base(subject.data)
    engine.attach(data, subject.data, "keys.db", "keyring")
    return data.execute("SELECT count(*) FROM journal j WHERE subject IS NOT NULL AND NOT EXISTS"
                        " (SELECT 1 FROM keyring.key k WHERE k.tenant = j.tenant AND k.subject = j.subject AND k.class = 0)").fetchone()[0]


def journal_holds(subject):
    subject.stop()
    check(linked_to_nobody(subject) == 0, "entries of the journal lead to people without a key")
    garant("verify", "--policy", subject.policy, "--data", subject.data)


def round_of(subject, app, kind, number):
    method, path, body = ACTS[kind]
    ident = app.create(person(number))["id"]
    if "{file}" in path:
        made = app.request("POST", f"/v1/subjects/{ident}/attachments?category=contact&name=a.txt", b"raced " * 20000,
                           {"Content-Type": "text/plain"}.items()).expect(201)
        path = path.replace("{file}", made.json["id"])
    acts = [looker(subject, method, f"/v1/subjects/{ident}{path}", body) for _ in range(LOOKERS)]
    answers, end = beside(acts, lambda: app.post(f"/v1/subjects/{ident}/erase", {"ground": "request"}))
    statuses = {answer.status for answer in answers}
    check(all(status < 500 for status in statuses), f"{kind}: {sorted(statuses)}")
    if kind == "erasure":
        check(end.status in (200, 404, 409), f"an erasure beside others: {end.status}")
    elif kind == "close" and end.status == 404:                 # closed first, and so out of this application's reach
        subject.operator().post(f"/v1/subjects/{ident}/erase", {"ground": "request"}).expect(200)
    else:
        end.expect(200)
    app.get(f"/v1/subjects/{ident}?purpose=service").expect(404)
    return statuses


def race(kind):
    @tests.test(f"R11 {kind} beside an erasure under way")
    def run():
        with server() as subject:
            app = subject.client("app")
            statuses = set()
            for number in range(ROUNDS):
                statuses |= round_of(subject, app, kind, number)
            check(statuses & ({403} if kind == "refused" else {200, 201, 204}), f"no {kind} came before its erasure: {sorted(statuses)}")
            journal_holds(subject)
        return f"{ROUNDS} erasures, {LOOKERS} beside each"


for kind in ACTS:
    race(kind)


# ---- The same of what needs an account, a role or a mailbox, under a policy that has them. ----

class World:
    """A server of an account portal, with a member of staff who gives access to folders and writes to people."""

    def __init__(self, stack):
        self.mailbox = stack.enter_context(Mailbox())
        self.subject = stack.enter_context(Server("mxplorerplace", arguments=self.mailbox.arguments()))
        self.document = sample.Document(self.subject.operator().get("/v1/policy").expect(200).json["document"])
        data, (where, name) = sample.person(self.document, 9999), self.document.identifier()
        clerk = staff(self.subject, data, data[where][name], "account_staff")
        self.clerk = clerk.cookies, clerk.csrf

    def as_clerk(self):
        visitor = Visitor(self.subject)
        visitor.cookies, visitor.csrf = dict(self.clerk[0]), self.clerk[1]
        return visitor

    def account(self, number, role=None):
        data, (where, name) = sample.person(self.document, number), self.document.identifier()
        return opened(self.subject, data, role=role), data[where][name]

    def manager(self, number):
        return self.account(number, "manager")

    def person(self, number):
        return self.subject.client("app").create(sample.person(self.document, number))["id"], None


def signing_in(world, ident, address):
    visitor = Visitor(world.subject)
    return lambda: visitor.post("/v1/session", {"identifier": address, "password": PASSWORD})


def asking_for_a_link(world, ident, address):
    return lambda: world.subject.anyone().post("/v1/password/reset", {"identifier": address})


def writing_to(world, ident, _):
    clerk = world.as_clerk()
    return lambda: clerk.post(f"/v1/subjects/{ident}/messages", {"purpose": "service_messages", "subject": "Raced", "text": "Raced."})


def opening_a_folder(world, ident, _):
    clerk, names = world.as_clerk(), itertools.count()
    return lambda: clerk.post(f"/v1/subjects/{ident}/folders", {"folder": "dossier", "name": f"{id(names)}-{next(names)}", "why": "raced"})


def reading_the_archive(world, ident, _):
    operator, turn = world.subject.operator(), itertools.cycle((f"/v1/archive/{ident}/identity?reason=raced", "/v1/archive", f"/v1/subjects/{ident}/folders"))
    return lambda: operator.get(next(turn))


def attaching(world, ident, _):
    app = world.subject.client("app", timeout=60)
    path = f"/v1/subjects/{ident}/attachments?category=usage&name=a.txt"
    return lambda: app.request("POST", path, b"raced " * 2000, {"Content-Type": "text/plain"}.items())


def giving_a_token(world, ident, _):
    operator = world.subject.operator()
    return lambda: operator.post("/v1/tokens", {"name": f"raced-{uuid.uuid4().hex[:12]}", "actor": "manager", "holder": ident})


def using_a_token(world, ident, address):
    made = world.subject.operator().post("/v1/tokens", {"name": f"raced-{uuid.uuid4().hex[:12]}", "actor": "manager", "holder": ident}).expect(201)
    client = Client(lambda: world.subject.port, made.json["token"], timeout=60)
    return lambda: client.get("/v1/accounts")


# What is done beside the erasure, of whom, and the answers of which at least one must come.
RICH = {"sign-in": (signing_in, World.account, {200}), "link asked for": (asking_for_a_link, World.account, {200, 202, 204}),
        "letter": (writing_to, World.person, {202}), "folder": (opening_a_folder, World.person, {201}),
        "archive": (reading_the_archive, World.person, {200}), "attachment": (attaching, World.person, {201, 403}),
        "token given": (giving_a_token, World.manager, {201}), "token used": (using_a_token, World.manager, {200, 403})}


def left_of_nobody(subject):
    """Rows of people without a key, by table: nothing of an erased person may be left, but their own row's end, the proof of
    their consents, and the sums that show whether any of it is put back."""
    data = engine.base(subject.data)
    engine.attach(data, subject.data, "keys.db", "keyring")
    left = {}
    for (table,) in data.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'").fetchall():
        columns = {row[1] for row in data.execute(f'PRAGMA main.table_info("{table}")')}
        for column in columns & {"subject", "holder", "manager"}:
            if "tenant" in columns and table not in ("erasing", "consent", "bound", "ledger"):
                count = data.execute(f'SELECT count(*) FROM main."{table}" t WHERE t.{column} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM keyring.key k'
                                     f' WHERE k.tenant = t.tenant AND k.subject = t.{column} AND k.class = 0)').fetchone()[0]
                left.update({f"{table}.{column}": count} if count else {})
    return left


def rich_race(kind):
    @tests.test(f"R11 {kind} beside an erasure under way")
    def run():
        prepare, make, wanted = RICH[kind]
        rounds, statuses = (ROUNDS if make is World.person else ROUNDS // 2), set()
        with contextlib.ExitStack() as stack:
            world = World(stack)
            app = world.subject.client("app")
            for number in range(rounds):
                ident, address = make(world, number)
                acts = [prepare(world, ident, address) for _ in range(LOOKERS)]
                answers, end = beside(acts, lambda ident=ident: app.post(f"/v1/subjects/{ident}/erase", {"ground": "request"}),
                                      first=kind == "sign-in")                   # hashing a password takes longer than an erasure
                end.expect(200)
                statuses |= {answer.status for answer in answers}
                check(all(answer.status < 500 for answer in answers), f"{sorted(statuses)}")
            check(statuses & wanted, f"no {kind} came before its erasure: {sorted(statuses)}")
            left = (world.subject.stop(), left_of_nobody(world.subject))[1]
            check(not left, f"left of erased people: {left}")
            journal_holds(world.subject)
        return f"{rounds} erasures, {LOOKERS} beside each: {sorted(statuses)}"


for kind in RICH:
    rich_race(kind)


@tests.test("R11 a hold that was acknowledged is kept by the erasure beside it, and the certificate tells so")
def holds_beside_erasure():
    kept = refused = 0
    with server() as subject:
        app = subject.client("app")
        for number in range(ROUNDS * 3):
            ident = app.create(person(number))["id"]
            client = subject.client("app", timeout=60)
            gate, answers = threading.Barrier(2), []

            def hold():
                gate.wait()
                answers.append(client.post(f"/v1/subjects/{ident}/holds", {"category": "contact", "ground": "a lawsuit"}))
            thread = threading.Thread(target=hold)
            thread.start()
            gate.wait()
            certificate = app.post(f"/v1/subjects/{ident}/erase", {"ground": "request"}).expect(200).json["certificate"]
            thread.join()
            told = [row["category"] for row in certificate["kept"]]
            if answers[0].status == 201:
                kept += 1
                check(told == ["contact"], f"a hold answered 201 is not in the certificate: {told}")
            else:
                refused += 1
                answers[0].expect(404)
                check(told == [], f"nothing was held, and the certificate tells {told}")
        subject.stop()
        rows = engine.base(subject.data).execute(
            "SELECT count(*) FROM record WHERE category = 'contact'").fetchone()[0]
        check(rows == kept, f"{kept} holds were acknowledged, and {rows} records kept")
    return f"{kept} holds kept, {refused} came too late"


@tests.test("R11 a hold that was acknowledged is kept by the sweep beside it")
def holds_beside_sweep():
    """People whose visits are due, again and again, until a hundred holds came while a sweep was running and before it came to theirs."""
    wanted, most, people, hands = (1000, 400, 120, 12) if RELEASE else (100, 80, 120, 12)
    kept = late = rounds = 0
    with server() as subject, concurrent.futures.ThreadPoolExecutor(hands) as pool:
        app, operator = subject.client("app", timeout=60), subject.operator(timeout=60)
        idents = list(pool.map(lambda number: app.create(person(number))["id"], range(people)))
        while kept < wanted and rounds < most:
            rounds += 1
            list(pool.map(lambda ident: app.record(ident, "visits", {"page": "/held"}).expect(201), idents))
            subject.advance(days=400)
            gate, swept = threading.Barrier(hands + 1), threading.Event()

            def hold(part):
                """(person, hold, held in time and while the sweep ran) of each whose hold was acknowledged."""
                gate.wait()
                done = []
                for ident in part:
                    answer, beside = app.post(f"/v1/subjects/{ident}/holds", {"category": "visits", "ground": "a lawsuit"}), not swept.is_set()
                    done.append((ident, answer.expect(201).json["id"], beside, bool(app.read(ident, "service").json["data"].get("visits"))))
                return done
            under_way = [pool.submit(hold, idents[part::hands]) for part in range(hands)]
            gate.wait()
            operator.post("/v1/sweep").expect(200)
            swept.set()
            held = [row for one in under_way for row in one.result()]
            operator.post("/v1/sweep").expect(200)
            kept += sum(beside and there for _, _, beside, there in held)
            late += sum(not there for *_, there in held)
            for ident, _, _, there in held:
                check(not there or app.read(ident, "service").json["data"].get("visits"), "what was held is gone")
            list(pool.map(lambda row: app.delete(f"/v1/subjects/{row[0]}/holds/{row[1]}").expect(204), held))
            operator.post("/v1/sweep").expect(200)
    check(kept >= wanted, f"only {kept} holds of {rounds} rounds came in time")
    check(late, "every hold came before its sweep: nothing raced")
    return f"{kept} held in time, {late} too late, in {rounds} rounds of {people}"
