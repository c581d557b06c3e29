"""R6: the clock jumps: 400 days ahead, an hour back, the two changes of Paris, 29 February."""
from common import person, server, tests
from garant import DAY, add_months, check, milliseconds, moment
from load import journal_holds


def held(client, ident):
    return len(client.read(ident, "service", ["visits"]).expect(200).json["data"].get("visits", []))


def term_is_exact(start, months=12):
    """Visits are kept for 12 calendar months: all there the day before the end, all gone the day after, and swept once."""
    with server(now=start) as subject:
        client = subject.client("app")
        ident = client.create(person(1))["id"]
        client.record(ident, "visits", {"page": "/first"}).expect(201)
        end = add_months(milliseconds(start), months)
        subject.set_clock(end - DAY)
        first = subject.sweep()["erased"].get("visits", 0)
        check(first == 0 and held(client, ident) == 1, f"erased {first} a day before the end {moment(end)}")
        subject.set_clock(end + DAY)
        client.read(ident, "service").expect(200)
        subject.sweep()
        check(held(client, ident) == 0, f"still held a day after the end {moment(end)}")
        check(subject.sweep()["erased"].get("visits", 0) == 0, "a second sweep erased again")
        journal_holds(subject)


for name, start in (("an ordinary day", "2026-11-22T12:00:00Z"), ("29 February", "2028-02-29T10:00:00Z"),
                    ("Paris goes to summer time", "2026-03-29T00:30:00Z"), ("Paris goes to winter time", "2026-10-25T00:30:00Z"),
                    ("the last moment of a year", "2027-12-31T23:59:59Z")):
    tests.test(f"R6 terms are exact from {name}")(lambda start=start: term_is_exact(start))


@tests.test("R6 400 days ahead and back an hour: nothing erased early, times never go back in the journal")
def jumps():
    with server(now="2026-11-22T12:00:00Z") as subject:
        client = subject.client("app")
        ident = client.create(person(1))["id"]
        subject.advance(hours=-1)
        client.record(ident, "visits", {"page": "/an-hour-back"}).expect(201)
        client.consent(ident, "news").expect(201)
        subject.sweep()
        check(held(client, ident) == 1, "erased when the clock went back")
        subject.advance(days=400)
        subject.sweep()
        check(held(client, ident) == 0, "still held 400 days later")
        client.read(ident, "service").expect(200)
        subject.advance(hours=-1)
        client.consent(ident, "news", "withdrawn").expect(201)
        rows = client.get(f"/v1/subjects/{ident}/consents").expect(200).json
        check(rows["live"] == [] and len(rows["consents"]) == 2, f"the newest decision does not count: {rows}")
        journal_holds(subject)
        subject.restart()
        journal_holds(subject)
