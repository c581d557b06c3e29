"""R11: every kind of look and write beside an erasure under way, and holds and restrictions beside erasure and sweep: nothing linked to nobody,
nothing of the person after the certificate, nothing acknowledged ignored, and the journal verifies."""
import sqlite3, threading
from common import RELEASE, person, server, tests
from garant import check, garant

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


def beside(acts, last):
    """All of `acts` and `last` at one moment; the answers of the acts, and that of `last`."""
    gate, answers = threading.Barrier(len(acts) + 1), [[] for _ in acts]

    def run(index, act):
        gate.wait()
        for _ in range(4):
            answers[index].append(act())
    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    gate.wait()
    end = last()
    for thread in threads:
        thread.join()
    return [answer for row in answers for answer in row], end


def looker(subject, method, path, body):
    client = subject.client("app", timeout=60)
    return lambda: client.request(method, path, body)


def linked_to_nobody(subject):
    """How many entries lead to people without a key; the server is stopped."""
    data = sqlite3.connect(f"file:{subject.data}/data.db?mode=ro", uri=True)
    data.execute("ATTACH ? AS keyring", (f"file:{subject.data}/keys.db?mode=ro",))
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
        rows = sqlite3.connect(f"file:{subject.data}/data.db?mode=ro", uri=True).execute(
            "SELECT count(*) FROM record WHERE category = 'contact'").fetchone()[0]
        check(rows == kept, f"{kept} holds were acknowledged, and {rows} records kept")
    return f"{kept} holds kept, {refused} came too late"


@tests.test("R11 a hold that was acknowledged is kept by the sweep beside it")
def holds_beside_sweep():
    people = 400 if not RELEASE else 1000
    kept = 0
    with server() as subject:
        app = subject.client("app")
        idents = []
        for number in range(people):
            idents.append(app.create(person(number))["id"])
            app.record(idents[-1], "visits", {"page": f"/held/{number}"}).expect(201)
        subject.advance(days=400)
        operator = subject.operator(timeout=60)
        gate, lock, held = threading.Barrier(5), threading.Lock(), []

        def hold(part):
            client = subject.client("app", timeout=60)
            gate.wait()
            for ident in part:
                if client.post(f"/v1/subjects/{ident}/holds", {"category": "visits", "ground": "a lawsuit"}).status == 201:
                    there = bool(client.read(ident, "service").json["data"].get("visits"))
                    with lock:
                        held.append((ident, there))
        threads = [threading.Thread(target=hold, args=(idents[part::4],)) for part in range(4)]
        for thread in threads:
            thread.start()
        gate.wait()
        operator.post("/v1/sweep").expect(200)
        for thread in threads:
            thread.join()
        operator.post("/v1/sweep").expect(200)
        for ident, there in held:
            if there:
                kept += 1
                check(app.read(ident, "service").json["data"].get("visits"), "what was held is gone")
    check(kept, "no hold came before the sweep")
    return f"{people} people, {kept} held in time"
