"""Requests of public authorities where calls cross: repeated, refused while handed over, kept secret while told, and their people erased."""
import threading
from garant import Server, check, milliseconds
from mailbox import Mailbox, wait_for
from people import staff

POLICY, START = "site-fr", "2026-11-23T10:00:00Z"
PDF = b"%PDF-1.4 planted requisition of the court"
LAW = "Code de procédure pénale, art. 11"
KEYED = {"Idempotency-Key": "planted-7"}


def person(number):
    return {"identity": {"first_name": f"Irma-{number}", "last_name": f"Vidal-{number}"}, "contact": {"email": f"irma.{number}@exemple.example"}}


def asked(*people, **more):
    return {"authority": "Tribunal de Planted", "ground": "CPP 77-1-1", "received": "2026-11-20", "subjects": list(people), "categories": ["identity"], **more}


def attach(client, ident, **headers):
    named = {"Content-Type": "application/octet-stream", **headers}
    return client.request("POST", f"/v1/authorities/{ident}/document?name=a.pdf", PDF, named.items())


def approved(server, desk, *people, **more):
    """Entered, with its document, approved by the operator and by staff."""
    operator = server.operator()
    ident = operator.post("/v1/authorities", asked(*people, **more)).expect(201).json["id"]
    attach(operator, ident).expect(201)
    for one in (operator, desk):
        one.post(f"/v1/authorities/{ident}/approve").expect(200)
    return ident


def register(tests):
    tests.test("authorities: a repeated call is answered, not done again")(repeated)
    tests.test("authorities: what was handed over is refused by nobody, and what was told is no secret any more")(crossed)
    tests.test("authorities: secrecy that ends for more than two hundred people at once falls due by itself, in steps, and everybody is told once")(ended)
    tests.test("authorities: somebody of whom more than two hundred requests were answered sees all of them")(hundreds)
    tests.test("authorities: a request whose people were erased is closed, and goes at its term")(deserted)


def started(box):
    return Server(POLICY, arguments=box.arguments(), now=START)


def at_desk(server):
    return staff(server, person(90), "irma.90@exemple.example", "support")


def repeated():
    with Mailbox() as box, started(box) as server:
        operator, app = server.operator(), server.client("app")
        subject = app.create(person(1))["id"]
        first = app.post("/v1/authorities", asked(subject), **KEYED).expect(201)
        again = app.post("/v1/authorities", asked(subject), **KEYED).expect(201)
        check(first.json["id"] == again.json["id"] and first.headers["location"] == again.headers["location"], f"{first.body} {again.body}")
        check(len(app.get("/v1/authorities").expect(200).json["authorities"]) == 1, "it was entered twice")
        app.post("/v1/authorities", asked(subject, ground="another"), **KEYED).refused("conflict", status=409)
        ident = first.json["id"]
        for turn in range(2):
            check(attach(operator, ident, **KEYED | {"Idempotency-Key": "document"}).expect(201).json["id"] == ident, f"attached {turn}")
        for turn in range(2):
            operator.post(f"/v1/authorities/{ident}/approve", **{"Idempotency-Key": "approve"}).expect(200)
        check(app.get(f"/v1/authorities/{ident}").json["state"] == "entered", "one person approved twice")
        for turn in range(2):
            said = operator.post(f"/v1/authorities/{ident}/refuse", {"text": "No law requires it."}, **{"Idempotency-Key": "refuse"}).expect(200)
            check(said.json["state"] == "refused", f"{turn}: {said.body}")
        return "entered, attached, approved and refused"


def both(*calls):
    """All at one moment; their answers."""
    answers, gate = [None] * len(calls), threading.Barrier(len(calls))

    def run(number):
        gate.wait()
        answers[number] = calls[number]()
    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def crossed():
    with Mailbox() as box, started(box) as server:
        desk = at_desk(server)
        subject, seen = server.client("app").create(person(1))["id"], set()
        for turn in range(40):
            ident = approved(server, desk, subject, secrecy=LAW, secret_until="2027-03-01")
            one, other = server.operator(), server.operator()
            handed, refused = both(lambda: one.post(f"/v1/authorities/{ident}/hand", {"subject": subject}),
                                   lambda: other.post(f"/v1/authorities/{ident}/refuse", {"text": "No law requires it."}))
            file = server.operator().get(f"/v1/authorities/{ident}").expect(200).json
            check((handed.status, refused.status) in ((201, 409), (409, 200), (412, 200)), f"{turn}: {handed.status} {refused.status}")
            check((file["state"] == "refused") == (file["people"][0]["handed"] is None), f"{turn}: refused, and handed over: {file}")
            seen.add(refused.status)
        for turn in range(40):
            ident = approved(server, desk, subject)
            one, other = server.operator(), server.operator()
            handed, kept = both(lambda: one.post(f"/v1/authorities/{ident}/hand", {"subject": subject}),
                                lambda: other.post(f"/v1/authorities/{ident}/secrecy", {"secrecy": LAW, "secret_until": "2027-03-01"}))
            file = server.operator().get(f"/v1/authorities/{ident}").expect(200).json
            check((handed.status, kept.status) != (201, 200) or not file["people"][0]["told"], f"{turn}: told, and kept secret since: {file}")
            check(handed.status in (201, 412) and kept.status in (200, 409, 412), f"{turn}: {handed.status} {kept.status}")
        return f"80 crossings; refusals were answered {sorted(seen)}"


def ended():
    with Mailbox() as box, started(box) as server:
        app, operator, desk, count = server.client("app"), server.operator(), at_desk(server), 260
        people = [app.create(person(number))["id"] for number in range(101, count + 101)]
        files = [approved(server, desk, *people[first:first + 130], secrecy=LAW, secret_until="2026-12-01") for first in range(0, count, 130)]
        for number, subject in enumerate(people):
            operator.post(f"/v1/authorities/{files[number // 130]}/hand", {"subject": subject}).expect(201)
        server.set_clock(milliseconds("2026-11-30T22:00:00Z"))               # an hour before that day, in Paris
        server.sweep()
        check(not any(one["told"] for ident in files for one in operator.get(f"/v1/authorities/{ident}").json["people"]), "told before the law lets it")
        server.set_clock(milliseconds("2026-11-30T23:00:01Z"))
        wait_for(lambda: all(operator.get(f"/v1/authorities/{ident}").json["state"] == "closed" for ident in files), within=120)
        told = [one["told"] for ident in files for one in operator.get(f"/v1/authorities/{ident}").json["people"]]
        check(len(told) == count and all(told), f"{sum(map(bool, told))} of {count} are told")
        with open(server.log_file) as log:
            check('"job":"features"' not in log.read(), "a turn failed")
        return f"{count} people of {len(files)} requests"


def hundreds():
    with Mailbox() as box, started(box) as server:
        app, operator, desk, count = server.client("app"), server.operator(), at_desk(server), 203
        subject = app.create(person(1))["id"]
        for _ in range(count):
            operator.post(f"/v1/authorities/{approved(server, desk, subject)}/hand", {"subject": subject}).expect(201)
        told = operator.get(f"/v1/subjects/{subject}/access").expect(200).json["authorities"]
        check(len(told) == count, f"{len(told)} of {count}")


def deserted():
    with Mailbox() as box, started(box) as server:
        app, operator, desk = server.client("app"), server.operator(), at_desk(server)
        people = [app.create(person(number))["id"] for number in range(1, 5)]
        told_none = approved(server, desk, people[0], secrecy=LAW, secret_until="2027-09-01")
        some = approved(server, desk, people[1], people[2])
        bare = app.post("/v1/authorities", asked(people[3])).expect(201).json["id"]
        for ident, subject in ((told_none, people[0]), (some, people[1])):
            operator.post(f"/v1/authorities/{ident}/hand", {"subject": subject}).expect(201)
        check(operator.get(f"/v1/authorities/{some}").json["state"] == "approved", "closed with one left")
        for subject in (people[0], people[2], people[3]):
            operator.post(f"/v1/subjects/{subject}/erase", {}).expect(200)
        operator.post("/v1/sweep").expect(200)
        wait_for(lambda: all(server.operator().get(f"/v1/authorities/{ident}").expect(200).json["state"] == "closed"
                                    for ident in (told_none, some, bare)))
        server.advance(days=366 * 6)
        server.operator().post("/v1/sweep").expect(200)
        wait_for(lambda: server.operator().get(f"/v1/authorities/{told_none}").status == 404)
        return "told in part, never told, never approved"
