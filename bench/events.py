"""Events of use: taken in one by one and a hundred a request, at first and after many; and those of one person, shown, exported and erased."""
import os, time
from garant import Server
from people import PASSWORD, opened, staff, visitor

NOW, DAYS = "2026-11-23T10:00:00Z", 20


def body(number):
    return {"identity": {"first_name": "Camille", "last_name": f"Bernard {number}"},
            "contact": {"email": f"p{number}@bench.example", "phone": f"+3312345{number:04}", "address": "1 rue A"},
            "work": {"company": "Bench", "site": "Lyon"}}


def bytes_of(server):
    return sum(os.path.getsize(os.path.join(server.data, name)) for name in os.listdir(server.data) if name.startswith("data.db"))


def seconds(act):
    began = time.monotonic()
    act().expect(200)
    return time.monotonic() - began


def own(server, ident, address, count):
    """What one person with very many events waits for."""
    tracker = server.client("tracker")
    for start in range(0, count, 1000):
        day, first = start * DAYS // count + 1, start % (count // DAYS)
        clock = [f"2026-11-{day:02}T{8 + s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}Z" for s in range(first, first + 1000)]
        tracker.post("/v1/usage", {"events": [{"id": f"own-{start + n}", "subject": ident, "at": at, "fields": {
            "page": f"/page-{n % 37}", "action": "view", "response_ms": n % 400}} for n, at in enumerate(clock)]}).expect(200)
    who = visitor(server, address)
    page = min(seconds(lambda: who.get("/me/history?of=usage")) for _ in range(3))
    who.sign_in(address, PASSWORD)
    return {"events": count, "page_ms": page * 1000, "export_s": seconds(lambda: who.get(f"/v1/subjects/{ident}/export")),
            "erase_s": seconds(lambda: server.operator().post(f"/v1/subjects/{ident}/erase", {}))}


def measure(folder, load, memory, env, many, count):
    """`load(port, act, token, ids file)`: one run; `many`: events before the rate is taken again; `count`: those of one person."""
    ids_file = os.path.join(folder, "users")
    with Server("mxplorerplace", folder=folder, data=os.path.join(folder, "events"), now=NOW, env=env) as server:
        boss = staff(server, body(0), "p0@bench.example", "account_staff")
        people = [opened(server, body(n), opener=boss, folders=[{"folder": "dossier", "name": "A", "why": "B"}]) for n in range(1, 101)]
        with open(ids_file, "w") as file:
            file.writelines(f"{ident} p\n" for ident in people)
        token, rows, taken = server.client("tracker").token, {}, 0
        for name, act in (("one by one", "event"), ("a hundred", "events")):
            rows[name] = load(server.port, act, token, ids_file)
        rows["memory_mb"], before = memory(server.process, "VmHWM"), bytes_of(server)
        while taken < many:
            taken += 100 * load(server.port, "events", token, ids_file)["requests"]
        rows["bytes"] = (bytes_of(server) - before) / taken
        rows["a hundred after"], rows["taken"] = load(server.port, "events", token, ids_file), taken
        rows["own"] = own(server, people[0], "p1@bench.example", count)
        server.advance(days=10)                                  # the month is over
        views = {by: min(seconds(lambda: server.client("app").get(f"/v1/usage/figures?purpose=statistics&month=2026-11&by={by}")) for _ in range(3))
                 for by in ("day", "page", "person")}
        rows["view_ms"] = max(views.values()) * 1000
    return rows
