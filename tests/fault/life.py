"""R1: kill -9 at random points under load. R7: two processes on one data folder. S: start and stop."""
import random, time
from common import RELEASE, server, tests
from garant import Server, check
from load import Load, journal_holds


@tests.test("R1 kill -9 under load loses nothing acknowledged")
def kills():
    count, spent, slowest, settled = 2000 if RELEASE else 20, 0, 0, 0
    chance = random.Random(2026)
    with server() as subject:
        load = Load(subject)
        for _ in range(count):
            load.start()
            time.sleep(chance.uniform(0.05, 0.5))
            subject.kill()
            load.stop()
            slowest = max(slowest, subject.start())
            settled += load.settle()
            people = load.everyone()
            spent += load.verify(people[-100:] + chance.sample(people, min(100, len(people))))
        load.verify()
        size = journal_holds(subject)
    check(load.acknowledged > count * 10, f"only {load.acknowledged} writes in {count} rounds: there was no load")
    return (f"{count} kills, {load.acknowledged} writes acknowledged, {settled} of unknown outcome repeated, 0 lost, 0 half done, "
            f"ready in {slowest * 1000:.0f} ms at most, journal of {size} entries verified")


@tests.test("R7 a second process refuses the data folder at once")
def two_processes():
    with server() as first:
        second = Server(first.policy, folder=first.folder, data=first.data, log=first.folder + "/second.log", start=False)
        status, said = second.refuses_to_start()
        check("another process" in said.lower(), f"the reason is not said: {said}")
        check(first.anyone().get("/healthz").status == 200, "the first process was disturbed")
    return f"status {status}"


@tests.test("stop and start: SIGTERM ends cleanly and everything is there")
def stop_start():
    with server() as subject:
        load = Load(subject, writers=4)
        load.start()
        time.sleep(0.5)
        status = subject.stop()
        check(status == 0, f"SIGTERM ended with status {status}")
        load.stop()
        subject.start()
        load.settle()
        return f"{load.verify()} people after a restart under load"
