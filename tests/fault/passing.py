"""R12: a fault of the disk that passes, while people are made, held and erased and a backup is taken: the store writes again by itself,
and /healthz tells the truth meanwhile."""
import errno, os, random, shutil, threading, time
from common import RELEASE, person, tests
from disk import GROW, SYNC, TORN, WRITE, shimmed
from garant import check
from load import BREAKS, journal_holds

KINDS = (("EIO on write", WRITE, errno.EIO), ("a short write", WRITE, 0), ("a torn write", TORN, errno.EIO),
         ("ENOSPC", WRITE | GROW, errno.ENOSPC), ("a failed fsync", SYNC, errno.EIO))
AGAIN = 60                                                       # seconds that a busy machine may take: the figure is printed


class InFlight:
    """People made, held and erased, by several at once, and one backup after the other; what was acknowledged is kept."""

    def __init__(self, subject, seed):
        self.subject, self.seed, self.stopping = subject, seed, threading.Event()
        self.alive, self.gone, self.held, self.faults, self.backups, self.backup_faults = {}, set(), 0, [], 0, 0
        clients = [subject.client("app", timeout=AGAIN) for _ in range(5)]
        self.threads = [threading.Thread(target=self.guarded, args=(self.people, client, n), daemon=True) for n, client in enumerate(clients)]
        self.threads.append(threading.Thread(target=self.guarded, args=(self.copies, subject.operator(timeout=AGAIN), 0), daemon=True))

    def guarded(self, work, client, number):
        try:
            work(client, random.Random(f"{self.seed}/{number}"), number)
        except BREAKS as fault:
            self.faults.append(f"the connection broke: {fault!r}")
        except Exception as fault:
            self.faults.append(repr(fault))

    def people(self, client, dice, number):
        step, mine = 0, []
        while not self.stopping.is_set():
            step += 1
            data = person(number * 1_000_000 + self.seed * 10_000 + step)
            answer = client.post("/v1/subjects", {"data": data, "source": "person"}).expect(201, 503, 507)
            if answer.status != 201:
                self.stopping.wait(0.005)
                continue
            ident = answer.json["id"]
            self.alive[ident] = data
            mine.append(ident)
            if step % 5 == 0:
                held = client.post(f"/v1/subjects/{ident}/holds", {"category": "*", "ground": "a claim"}).expect(201, 503, 507)
                mine.remove(ident)                               # not erased any more, whether it was held or not
                self.held += held.status == 201
            elif step % 2 == 0:
                chosen = mine.pop(dice.randrange(len(mine)))
                self.alive.pop(chosen)                           # an erasure that is answered with an error stands perhaps
                if client.post(f"/v1/subjects/{chosen}/erase", {"ground": "request"}).expect(200, 503, 507).status == 200:
                    self.gone.add(chosen)

    def copies(self, operator, dice, number):
        while not self.stopping.is_set():
            to = os.path.join(self.subject.folder, f"copy-{self.seed}-{self.backups + self.backup_faults}")
            if operator.post("/v1/backup", {"to": to, "keys": True}).status == 200:
                self.backups += 1
            else:
                self.backup_faults += 1
            shutil.rmtree(to, ignore_errors=True)
            self.stopping.wait(0.02)

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(2 * AGAIN)
            check(not thread.is_alive(), "a request is never answered")


def until(what, holds):
    """Seconds until it holds."""
    began = time.monotonic()
    while not holds():
        check(time.monotonic() - began < AGAIN, f"{what} not within {AGAIN} s")
        time.sleep(0.01)
    return time.monotonic() - began


def passing(name, kinds, error):
    rounds, waits, made, backups, held = (100 if RELEASE else 5), [], 0, 0, 0
    with shimmed() as (subject, shim):
        looker, writer = subject.anyone(timeout=AGAIN), subject.client("app", timeout=AGAIN)
        everyone, gone = {}, set()
        for number in range(rounds):
            flight = InFlight(subject, number).start()
            until("load", lambda: len(flight.alive) > 10 and flight.gone)
            dice = random.Random(f"{name}/{number}")
            shim.set(kinds, error, dice.randrange(30), times=dice.choice((1, 3, 20, 200)))
            until("the fault", shim.failed)
            time.sleep(dice.choice((0, 0.05, 0.3)))                 # it lasts a little, and passes
            shim.set()
            tag = [0]

            def writes():
                tag[0] += 1
                data = person(90_000_000 + number * 10_000 + tag[0])
                answer = writer.post("/v1/subjects", {"data": data, "source": "person"}).expect(201, 503, 507)
                if answer.status == 201:
                    everyone[answer.json["id"]] = data
                return answer.status == 201
            waits.append(until("a write", writes))
            flight.stop()
            check(not flight.faults, f"round {number}: {flight.faults[:3]}")
            until("a healthy answer of /healthz", lambda: looker.get("/healthz").expect(200, 503).status == 200)
            check(subject.process.poll() is None, "the process ended")
            everyone.update(flight.alive)
            gone |= flight.gone
            made, backups, held = made + len(flight.alive), backups + flight.backups, held + flight.held
        for restarted in (False, True):
            if restarted:
                subject.restart()
            for ident in random.Random(name).sample(sorted(everyone), min(len(everyone), 300)):
                writer.read(ident, "service").expect(200)
            for ident in random.Random(name).sample(sorted(gone), min(len(gone), 100)):
                writer.read(ident, "service").expect(404, 410)
            journal_holds(subject)
    check(min(waits) < 2, f"never within 2 s: {waits}")            # each came back; the best of them shows how fast it can be
    return f"{rounds} faults, {made} made, {held} held, {len(gone)} erased, {backups} backups: writes again after {max(waits):.2f} s at most"


for name, kinds, error in KINDS:
    tests.test(f"R12 {name}, passing, with erasures, holds and backups in flight")(
        lambda name=name, kinds=kinds, error=error: passing(name, kinds, error))


@tests.test("R12 /healthz tells of a store that does not write, and that it writes again, though nobody writes")
def health():
    said = []
    for name, kinds, error in KINDS:
        with shimmed() as (subject, shim):
            looker, writer = subject.anyone(timeout=AGAIN), subject.client("app", timeout=AGAIN)
            looker.get("/healthz").expect(200)
            shim.set(kinds, error, times=-1)
            writer.post("/v1/subjects", {"data": person(1), "source": "person"}).expect(503, 507)
            problem = looker.get("/healthz").expect(503).json
            check(problem["code"] in ("storage", "storage-full") and problem["detail"], f"{name}: {problem}")
            for _ in range(5):                                    # and goes on telling it
                looker.get("/healthz").expect(503)
            shim.set()
            until("a healthy answer", lambda: looker.get("/healthz").expect(200, 503).status == 200)
            writer.post("/v1/subjects", {"data": person(2), "source": "person"}).expect(201)
            journal_holds(subject)
            said.append(f"{name}: {problem['code']}")
    return "; ".join(said)
