"""Figures of use from sums of months: those of a count by hand over the same events, whatever happens to events and people meanwhile."""
import contextlib, json, random, re, time
import engine
from garant import Server, check, check_absent, milliseconds

PEOPLE, COMPANIES = 30, ("Planted-A", "Planted-B")
MONTHS = ("2026-08", "2026-09", "2026-10")


def body(number):
    return {"identity": {"first_name": "A", "last_name": str(number)},
            "contact": {"email": f"s{number}@exemple.example", "phone": f"+3312345{number:04}", "address": "1 rue A"},
            "work": {"company": COMPANIES[number % 2], "site": "Planted-S"}}


class World:
    """What was sent, kept here in the plainest way, beside the server that was told it."""

    def __init__(self, server, seed):
        self.server, self.draw, self.sent, self.number = server, random.Random(seed), [], 0
        self.app, self.tracker = server.client("app"), server.client("tracker")
        self.company = {self.app.create(body(number))["id"]: COMPANIES[number % 2] for number in range(PEOPLE)}
        self.counted = set(self.company)

    def event(self, person, day):
        draw, second = self.draw, self.draw.randrange(20 * 3600)
        fields = {"page": draw.choice(("/planted-a", "/planted-b", "/planted-c")), "action": draw.choice(("view", "click", "download", "error"))}
        if draw.random() < 0.7:
            fields["response_ms"] = draw.choice((0, 3, 90, draw.randrange(5000)))
        if fields["action"] == "error":
            fields["error"] = "planted 503"
        self.number += 1
        at = f"{day}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"
        return {"person": person, "at": at, "day": day, "company": self.company[person], "number": self.number, **fields}

    def send(self, month, days, count):
        """So many events of anybody on these days, in any order."""
        who = sorted(self.company)
        new = [self.event(self.draw.choice(who), f"{month}-{self.draw.choice(days):02}") for _ in range(count)]
        self.tracker.post("/v1/usage", {"events": [
            {"id": f"e{one['number']}", "subject": one["person"], "at": one["at"],
             "fields": {key: one[key] for key in ("page", "action", "response_ms", "error") if key in one}} for one in new]}).expect(200)
        self.sent += [one for one in new if one["person"] in self.counted]

    def gone(self, person):
        self.company.pop(person)
        self.counted.discard(person)
        self.sent = [one for one in self.sent if one["person"] != person]

    def by_hand(self, events):
        times = sorted(one["response_ms"] for one in events if "response_ms" in one)
        rank = lambda per_cent: times[(len(times) * per_cent + 99) // 100 - 1] if times else None
        return {"people": len({one["person"] for one in events}), "events": len(events), "errors": sum("error" in one for one in events),
                "downloads": sum(one["action"] == "download" for one in events), "p50": rank(50), "p95": rank(95)}

    def agree(self, month, when):
        """The server's figures of that month, by everything, and those of the month before beside them."""
        former = MONTHS[MONTHS.index(month) - 1] if month != MONTHS[0] else None
        of = lambda month: [one for one in self.sent if month and one["day"].startswith(month) and one["person"] in self.counted]
        for by in ("day", "page", "action", "company", "person"):
            told = self.app.get(f"/v1/usage/figures?purpose=statistics&month={month}&by={by}").expect(200).json
            groups = {}
            for one in of(month):
                groups.setdefault(one[by], []).append(one)
            shown = {row["key"]: row for row in told["rows"]}
            check(set(shown) <= set(groups) and len(shown) + told["hidden"] == len(groups), f"{when}, {month} by {by}: {sorted(shown)} for {sorted(groups)}")
            check(by == "day" or shown or not groups, f"{when}, {month} by {by}: nothing is shown")
            for key, row in [*shown.items(), (None, told["all"])]:
                hand = self.by_hand(groups[key] if key else of(month))
                differ = {name: (row[name], value) for name, value in hand.items() if row[name] is not None and row[name] != value}
                check(not differ, f"{when}, {month} by {by}, {key}: {differ}")
            enough = len({one["person"] for one in of(month) if "response_ms" in one}) >= 10
            check(by == "person" or not enough or None not in (told["all"]["p50"], told["all"]["p95"]), f"{when}, {month} by {by}: no times of all")
            all_before = told["all"]["events_before"]
            check(all_before is None or all_before == len(of(former)), f"{when}, {month} by {by}: {all_before} the month before, and not {len(of(former))}")


def summed(server):
    with engine.base(server.data, write=True) as db:
        return {(bytes(row[0]), row[1]) for row in db.execute("SELECT subject, first FROM usage_month")}


def wait_summed(server, count, otherwise):
    """The jobs add up what is over within a second or two; a busy machine needs longer."""
    for _ in range(600):
        if len(summed(server)) == count:
            return
        time.sleep(0.1)
    check(False, f"{otherwise}: {len(summed(server))} months are added up, and not {count}")


def months_of(world):
    return len({(one["person"], one["day"][:7]) for one in world.sent})


def life(world, server):
    days = range(1, 28)
    for month in MONTHS[:2]:
        server.set_clock(milliseconds(f"{month}-28T09:00:00Z"))
        world.send(month, days, 700)
    server.set_clock(milliseconds("2026-10-01T00:00:30Z"))                    # 02:00 in Paris: September is over
    world.agree("2026-08", "before they are added up")
    wait_summed(server, months_of(world), "two months")
    world.agree("2026-08", "added up")
    world.agree("2026-09", "added up")
    check_absent(["planted-a", "planted-b", "Planted-A", "planted 503"], server.data)
    world.send("2026-09", [26, 27], 60)                                       # late: those months are counted, until the next day
    check(len(summed(server)) < months_of(world), "what was added up before stays")
    world.agree("2026-09", "events that came late")
    server.set_clock(milliseconds("2026-10-02T09:00:00Z"))
    wait_summed(server, months_of(world), "after late events")
    world.agree("2026-09", "late ones added up")


def changes(world, server):
    """People go, object, are restricted, and move to another company in the middle of a month."""
    app, who = world.app, sorted(world.company)
    server.set_clock(milliseconds("2026-10-15T09:00:00Z"))
    world.send("2026-10", range(2, 15), 400)
    for person in who[:4]:
        other = COMPANIES[1 - COMPANIES.index(world.company[person])]
        app.change(person, "service", {"work": {"company": other}}).expect(200)
        world.company[person] = other
    server.set_clock(milliseconds("2026-10-28T09:00:00Z"))
    world.send("2026-10", range(16, 28), 400)
    server.set_clock(milliseconds("2026-11-03T09:00:00Z"))
    wait_summed(server, months_of(world), "three months")
    world.agree("2026-10", "who moved counts where they were")
    kept = months_of(world)
    app.erase(who[5])
    world.gone(who[5])
    check(len(summed(server)) == months_of(world) < kept, "what was added up of who was erased is there")
    app.put(f"/v1/subjects/{who[6]}/objections/statistics").expect(204)
    app.put(f"/v1/subjects/{who[7]}/restriction", {"ground": "accuracy"}).expect(204)
    world.counted -= {who[6], who[7]}
    for month in MONTHS[1:]:
        world.agree(month, "erased, objected, restricted")
    app.delete(f"/v1/subjects/{who[8]}/records/usage").expect(204)
    world.sent = [one for one in world.sent if one["person"] != who[8]]
    world.agree("2026-10", "one's events erased")


def terms(world, server):
    """On its day each event is gone from the figures too."""
    for now, last in (("2027-09-10T23:30:00Z", "2026-09-10"), ("2027-10-09T23:30:00Z", "2026-10-09")):
        server.set_clock(milliseconds(now))
        server.sweep()
        world.sent = [one for one in world.sent if one["day"] > last]
        for month in MONTHS[1:]:
            if any(one["day"].startswith(month) for one in world.sent):
                world.agree(month, f"at the term of {last}")


def spoil_key(server):
    """The key of one person, in the midst of the others, opens no more."""
    with contextlib.closing(engine.base(server.data)) as db:
        people = sorted(bytes(row[0]) for row in db.execute("SELECT id FROM subject"))
    one = people[len(people) // 2]
    with contextlib.closing(engine.base(server.data, "keys.db", write=True)) as db, db:
        wrapped = bytes(db.execute("SELECT wrapped FROM key WHERE class = 0 AND subject = ?", (one,)).fetchone()[0])
        db.execute("UPDATE key SET wrapped = ? WHERE class = 0 AND subject = ?", (wrapped[:-1] + bytes([wrapped[-1] ^ 1]), one))
    return one


def failures(server):
    lines = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == "job.failed" and line["job"] == "steps"]


def turns_more(server, count):
    """The jobs go round so many times more."""
    turns = lambda: float(re.search(r'^garant_job_turns_total\{job="steps"\} (\S+)$', server.anyone().get("/metrics").expect(200).body.decode(), re.M)[1])
    until = turns() + count
    for _ in range(600):
        if turns() >= until:
            return
        time.sleep(0.1)
    check(False, "the jobs do not go round")


def one_cannot(world, server):
    """One whose key does not open, in the midst of the others: theirs are added up once, and the log says so once a day."""
    server.set_clock(milliseconds("2026-08-28T09:00:00Z"))
    world.send("2026-08", range(1, 28), 700)
    server.stop()
    spoiled = spoil_key(server)
    server.set_clock(milliseconds("2026-09-01T00:00:30Z"))
    server.start()
    wait_summed(server, months_of(world) - 1, "all but one")
    check(spoiled not in {subject for subject, _ in summed(server)}, "whose key does not open is added up")
    turns_more(server, 3)
    check(len(failures(server)) == 1, f"told {len(failures(server))} times: {failures(server)[:3]}")
    server.set_clock(milliseconds("2026-09-02T09:00:00Z"))
    turns_more(server, 3)
    check(len(failures(server)) == 2, f"told {len(failures(server))} times in two days")
    with contextlib.closing(engine.base(server.data)) as db:
        acts = db.execute("SELECT COUNT(*) FROM journal WHERE leaf LIKE '%usage.summed%'").fetchone()[0]
    check(acts == 1, f"added up in {acts} commits")


def register(tests):
    @tests.test("usage: one person whose key does not open keeps nobody else's months from being added up")
    def spoiled():
        with Server("mxplorerplace", now="2026-08-20T09:00:00Z") as server:
            one_cannot(World(server, 13), server)

    @tests.test("usage: figures added up by month are those of a count by hand, through late events, moves, erasures, objections and terms")
    def by_hand():
        for seed in (13, 2026):
            with Server("mxplorerplace", now="2026-08-20T09:00:00Z") as server:
                world = World(server, seed)
                life(world, server)
                changes(world, server)
                terms(world, server)
