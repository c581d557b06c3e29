#!/usr/bin/python3
"""A year of events of use: many people, each day, and what staff wait for who look at a month of it: bench/year.py [EVENTS [PEOPLE [MONTHS]]]

10 million events of 2,000 people when nothing is said; MONTHS: only so many months of that year are made, and the last of them is looked at. It is no
act of bench/run, since the year takes very long to make. The server is the one that is built: GARANT_BUILD=build-o2 bench/year.py takes another folder's."""
import concurrent.futures, datetime, os, random, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../tests/lib")]
sys.dont_write_bytecode = True
import engine
from garant import Server, check, milliseconds

PER_DAY, PAGES = 20, 200            # events of a person on a day of work, pages of the service
ACTIONS = ("view",) * 14 + ("click",) * 4 + ("download", "error")
VIEWS = ("day", "page", "action", "company", "person")


def body(number):
    return {"identity": {"first_name": "Camille", "last_name": f"Bernard {number}"},
            "contact": {"email": f"y{number}@bench.example", "phone": f"+3312{number:06}", "address": "1 rue A"},
            "work": {"company": f"Company {number % 40}", "site": f"Site {number % 7}"}}


def days_of(events, people):
    """Days of work of 2026, as many as the events need; the last is in December."""
    all_days = [datetime.date(2026, 1, 5) + datetime.timedelta(n) for n in range(360)]
    some = [day for day in all_days if day.weekday() < 5]
    need = max(12, events // (people * PER_DAY))
    check(need <= len(some), "so many events need more people")
    return [some[n * len(some) // need] for n in range(need)]


def batch(day, draw, some):
    """What those people do on that day."""
    events = []
    for number, ident in some:
        for n, second in enumerate(sorted(draw.sample(range(36_000), PER_DAY))):
            action = draw.choice(ACTIONS)
            fields = {"page": f"/page-{int(draw.paretovariate(1)) % PAGES}", "action": action, "response_ms": int(draw.lognormvariate(5, 1))}
            if action == "error":
                fields["error"] = "TypeError app.js:12"
            events.append({"id": f"{day}-{number}-{n}", "subject": ident,
                           "at": f"{day}T{8 + second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{draw.randrange(1000):03}Z", "fields": fields})
    return events


def send(client, day, number, some):
    client.post("/v1/usage", {"events": batch(day, random.Random(f"{day}/{number}"), some)}).expect(200)


def fill(server, events, people, months, say):
    """The events of those months, day by day, with the server's clock behind them; how many."""
    app, per_request, taken = server.client("app"), 1000 // PER_DAY, 0
    who = [(number, app.create(body(number))["id"]) for number in range(people)]
    groups = [who[n:n + per_request] for n in range(0, len(who), per_request)]
    clients = [server.client("tracker") for _ in range(4)]
    with concurrent.futures.ThreadPoolExecutor(len(clients)) as crew:
        for day in days_of(events, people):
            if day.month > months:
                break
            server.set_clock(milliseconds(f"{day}T19:00:00Z"))
            parts = [crew.submit(lambda one=one, day=day: [send(clients[one], day, n, groups[n]) for n in range(one, len(groups), len(clients))])
                     for one in range(len(clients))]
            for part in parts:
                part.result()
            taken += PER_DAY * people
            say(f"  year       {day}: {taken:,} events")
    return taken


def seconds(act):
    began = time.monotonic()
    act().expect(200)
    return time.monotonic() - began


def views(server, month):
    """How long each view of that month takes, in milliseconds: the first, and the best of three further ones."""
    app, told = server.client("app"), {}
    for by in VIEWS:
        path = f"/v1/usage/figures?purpose=statistics&month={month}&by={by}"
        first = seconds(lambda path=path: app.get(path))
        told[by] = (first * 1000, min(seconds(lambda path=path: app.get(path)) for _ in range(3)) * 1000)
    return told


def added_up(server):
    """Waits until the jobs have added up what is over: how many rows, and their bytes."""
    before = None
    while True:
        with engine.base(server.data, write=True) as db:
            now = db.execute("SELECT COUNT(*), SUM(LENGTH(sealed)) FROM usage_month").fetchone()
        if now[0] and now == before:
            return now
        before = now
        time.sleep(5)


def spent(server):
    """Seconds of processor that the server has had."""
    with open(f"/proc/{server.process.pid}/stat") as file:
        used = file.read().rsplit(")", 1)[1].split()
    return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")


def measure(folder, events, people, months, say):
    with Server("mxplorerplace", folder=folder, data=os.path.join(folder, "year"), now="2026-01-05T06:00:00Z") as server:
        began = time.monotonic()
        taken = fill(server, events, people, months, say)
        filled = time.monotonic() - began
        server.set_clock(milliseconds("2027-01-01T06:00:00Z" if months == 12 else f"2026-{months + 1:02}-01T06:00:00Z"))
        rows, size = added_up(server)
        before = spent(server)
        told = views(server, f"2026-{months:02}")
        return {"events": taken, "people": people, "made in s": round(filled), "rows added up": rows, "their bytes": size,
                "processor of a view in ms": round((spent(server) - before) * 1000 / (4 * len(VIEWS))),
                "views in ms, the first and the best of three": {by: [round(ms) for ms in took] for by, took in told.items()}}


if __name__ == "__main__":
    asked = [int(one) for one in sys.argv[1:]] + [10_000_000, 2_000, 12][len(sys.argv) - 1:]
    with tempfile.TemporaryDirectory(prefix="garant-year-") as where:
        for name, figure in measure(where, *asked, lambda line: print(line, file=sys.stderr, flush=True)).items():
            print(f"{name}: {figure}")
