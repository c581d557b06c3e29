"""R5: memory is short. The n-th wish for memory of a request fails, alone or with all behind it: the server lives on, says that it could not, does what it
did not do when it is asked again, and nothing that it acknowledged is half done."""
import http.client, os, random, struct, time
from common import RELEASE, person, preloaded, server, tests
from garant import check
from load import journal_holds

SPARE = 4                                                        # wishes of other threads meanwhile: the last numbers of a request may not come


class Memory:
    """The control file of tests/fault/memory.c, and the environment that preloads it."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "memory")
        self.set(0)
        self.env = {"LD_PRELOAD": preloaded("memory"), "MEMORY_CONTROL": self.path}

    def set(self, armed, after=1 << 40, times=0):
        with open(self.path, "r+b" if os.path.exists(self.path) else "wb") as file:
            file.write(struct.pack("=5q", 0, 0, after, times, 0))
            file.flush()
            file.seek(0)
            file.write(struct.pack("=q", armed))

    def told(self):
        """(wishes, those that failed) since it was armed."""
        with open(self.path, "rb") as file:
            return struct.unpack("=5q", file.read(40))[1::3]


def acts(subject):
    """Name: a request, made anew each time, for it may be made many times."""
    app, staff, visitor, numbers = subject.client("app", timeout=60), subject.operator(timeout=60), subject.anyone(timeout=60), iter(range(10**6))
    made = app.create(person(next(numbers)))["id"]

    def erase():
        return app.post(f"/v1/subjects/{gone.pop()}/erase", {"ground": "request"})
    gone = [app.create(person(next(numbers)))["id"] for _ in range(2000 if RELEASE else 200)]
    return {"create": lambda: app.post("/v1/subjects", {"data": person(next(numbers)), "source": "person"}),
            "read": lambda: app.read(made, "service"),
            "access answer": lambda: app.get(f"/v1/subjects/{made}/access"),
            "export": lambda: app.get(f"/v1/subjects/{made}/export"),
            "consent": lambda: app.post(f"/v1/subjects/{made}/consents", {"purpose": "news", "decision": "given"}),
            "erase": erase,
            "notice": lambda: visitor.get("/privacy?lang=fr"),
            "board": lambda: staff.get("/v1/promises"),
            "sign-in": lambda: visitor.post("/v1/signin", {"identifier": "planted.1@fault.example", "password": "wrong password 1"})}


def asked(act):
    """The status; None when the connection ended without an answer."""
    try:
        return act().status
    except (OSError, http.client.HTTPException):
        return None


def starved(subject, memory, dice, count):
    """People made while any wish may fail, of the store that comes back to itself too; how many were told to be there."""
    app, told = subject.client("app", timeout=60), []
    for number in range(10**6, 10**6 + count):
        memory.set(dice.choice((0, 1)), dice.randrange(300), dice.choice((1, 1 << 40)))
        try:
            answer = app.post("/v1/subjects", {"data": person(number), "source": "person"})
            told += [answer.json["id"]] if answer.status == 201 else []
        except (OSError, http.client.HTTPException):
            pass
        memory.set(0)
        check(subject.process.poll() is None, f"the server ended at {number}: {subject.log()[-600:]}")
    check(again(lambda: app.post("/v1/subjects", {"data": person(10**7), "source": "person"}), 201), "it writes no more")
    for ident in told:
        app.read(ident, "service").expect(200)
    return len(told)


def again(act, sound, within=60):
    """Whether it is answered as before: at once, or once the store has come back by itself."""
    end = time.monotonic() + within
    while (status := asked(act)) != sound and time.monotonic() < end:
        check(status in (None, 500, 503, 507), f"answered {status}")
        time.sleep(0.02)
    return status == sound


@tests.test("R5 the n-th wish for memory fails, alone or with all behind it: no crash, and nothing half done")
def short():
    dice, tried, silent, refused, failed = random.Random(2026), 0, 0, 0, 0
    with server(start=False) as subject:
        memory = Memory(subject.folder)
        subject.env = memory.env
        subject.start()
        for name, act in acts(subject).items():
            act()
            memory.set(1)
            sound = asked(act)
            wishes = memory.told()[0]
            memory.set(0)
            check(sound and sound < 500, f"{name}: {sound} with all the memory there is")
            every = RELEASE or name == "create"                  # of one request each: what reads its body is never left to the dice
            numbers = range(wishes + SPARE) if every else sorted(dice.sample(range(wishes + SPARE), min(25, wishes + SPARE)))
            for number in numbers:
                for times in (1, 1 << 40):
                    memory.set(1, number, times)
                    status = asked(act)
                    failed += memory.told()[1]
                    memory.set(0)
                    tried += 1
                    silent += status is None
                    refused += status is not None and status >= 500
                    check(subject.process.poll() is None, f"{name}, wish {number} of {wishes}, {times}: the server ended")
                    check(status in (None, sound, 500, 503, 507), f"{name}, wish {number} of {wishes}, {times}: {status}, {sound} with memory")
            check(again(act, sound), f"{name}: not as before, once there is memory again")
        made = starved(subject, memory, dice, 50_000 if RELEASE else 3000)
        size = journal_holds(subject)
    check(refused + silent > tried / 20, f"{refused} and {silent} of {tried}: too few of these wishes were of the request")
    return (f"{tried} requests, {failed} wishes failed: {refused} told so, {silent} connections ended, no crash, as before once there is memory; "
            f"{made} people made meanwhile are all there; "
            f"journal of {size} entries verified")
