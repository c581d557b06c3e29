"""R8: a backup under load restores to everything acknowledged before it, and never brings back an erased person."""
import os, time
from common import person, server, tests
from garant import check, check_absent, garant
from load import Load, journal_holds


@tests.test("R8 backup under load, restored")
def under_load():
    with server() as subject:
        load = Load(subject)
        load.start()
        time.sleep(1)
        before = [p for p in load.everyone() if p.erased is None]
        copy = os.path.join(subject.folder, "backup")
        subject.operator(timeout=120).post("/v1/backup", {"to": copy}).expect(200)
        time.sleep(0.3)
        load.stop()
        load.settle()
        alive = [p.id for p in before if p.erased is None]
        erased = [p for p in load.everyone() if p.erased is not None]
        subject.stop()
        garant("restore", copy, "--data", subject.data)
        subject.start()
        client = load.new_client()
        for ident in alive:
            client.read(ident, "service").expect(200)
        for person_ in erased:
            client.read(person_.id, "service").expect(404, 410)
        check(len(alive) > 50 and erased, f"too little load: {len(alive)} alive, {len(erased)} erased")
        size = journal_holds(subject)
        return f"{len(alive)} people acknowledged before it all there, {len(erased)} erased since all silent, journal of {size}"


@tests.test("R8 a quiet backup restores to the last acknowledged write")
def to_the_last():
    with server() as subject:
        load = Load(subject, writers=4)
        load.start()
        time.sleep(1)
        load.stop()
        load.settle()
        copy = os.path.join(subject.folder, "backup")
        subject.operator(timeout=120).post("/v1/backup", {"to": copy}).expect(200)
        client = load.new_client()
        later = client.create(person(1))["id"]
        subject.stop()
        garant("restore", copy, "--data", subject.data)
        subject.start()
        client.read(later, "service").expect(404, 410)
        return f"{load.verify()} people as they were acknowledged"


@tests.test("R8 no planted value of an erased person stands in a backup or its restoration")
def silent_copy():
    with server() as subject:
        client = subject.client("app")
        data = person(7)
        planted = [value for fields in data.values() for value in fields.values()]
        ident = client.create(data)["id"]
        copy = os.path.join(subject.folder, "backup")
        subject.operator().post("/v1/backup", {"to": copy}).expect(200)
        check_absent(planted, copy)
        client.erase(ident)
        subject.stop()
        garant("restore", copy, "--data", subject.data)
        subject.start()
        client.read(ident, "service").expect(404, 410)
        client.lookup({"contact.email": data["contact"]["email"]}, "service").expect(404)
        client.get(f"/v1/subjects/{ident}/access").expect(404, 410)
        check_absent(planted, subject.folder)
