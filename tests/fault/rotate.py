"""The master key is changed: under load, killed in the middle, on a disk that fails, and what it means for backups of the keyring."""
import errno, os, signal, threading
from common import RELEASE, person, server, tests
from disk import SYNC, WRITE, shimmed
from garant import check, garant, wrapped_keys
from load import BREAKS, Load, journal_holds
from passing import until


def masters(data):
    """The ids of the master keys that wrap the keyring's keys."""
    return {key[1:5].hex() for key in wrapped_keys(data)}


def all_under(subject, master):
    left = masters(subject.data)
    check(left == {master}, f"keys are under {left}, the master key is {master}")
    check(not os.path.exists(os.path.join(subject.data, "master.key.former")), "the former key was not forgotten")


@tests.test("the master key is changed under load, twice; backups before and behind it")
def under_load():
    with server() as subject:
        load, operator = Load(subject), subject.operator(timeout=120)
        copies = [os.path.join(subject.folder, name) for name in ("before", "behind")]
        load.start()
        until("load", lambda: load.acknowledged > 60)
        operator.post("/v1/backup", {"to": copies[0], "keys": True}).expect(200)
        former = os.path.join(subject.folder, "former.key")
        with open(os.path.join(subject.data, "master.key"), "rb") as key, open(os.open(former, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as kept:
            kept.write(key.read())
        done = [operator.post("/v1/keys/rotate", {"to": os.path.join(subject.folder, f"next-{n}.key")}).expect(200).json for n in range(2)]
        check(done[0]["rewrapped"] > 20 and done[1]["rewrapped"] > 20, f"{done}")
        operator.post("/v1/keys/rotate", {"to": os.path.join(subject.folder, "next-1.key")}).refused("conflict", status=409)
        operator.post("/v1/backup", {"to": copies[1], "keys": True}).expect(200)
        load.stop()
        load.settle()
        all_under(subject, done[1]["master"])
        people = load.verify()
        subject.restart()
        all_under(subject, done[1]["master"])
        load.verify()
        journal_holds(subject)
        subject.stop()
        # A copy of the keyring opens with the master key of its day, and says which that is.
        for copy, right, wrong in ((copies[0], former, os.path.join(subject.data, "master.key")),
                                   (copies[1], os.path.join(subject.data, "master.key"), former)):
            new = os.path.join(subject.folder, "new-" + os.path.basename(copy))
            run = garant("restore", copy, "--data", new, "--keys", copy, "--master", wrong, ok=None)
            check(run.returncode != 0 and "master" in run.stderr and not os.path.exists(new), run.stderr)
            garant("restore", copy, "--data", new, "--keys", copy, "--master", right)
            garant("verify", "--data", new, "--master", right)
        garant("restore", copies[0], "--data", subject.data)       # the data of before, beside the keyring of today
        return f"{done[0]['rewrapped']} and {done[1]['rewrapped']} keys, {people} people as they were acknowledged"


@tests.test("the master key is changed by a command, with and without a server")
def command():
    with server() as subject:
        client = subject.client("app")
        ident = client.create(person(1))["id"]
        said = garant("rotate", os.path.join(subject.folder, "one.key"), "--data", subject.data, "--json")
        subject.stop()
        garant("rotate", os.path.join(subject.folder, "two.key"), "--data", subject.data)
        with open(os.path.join(subject.data, "master.key")) as now, open(os.path.join(subject.folder, "two.key")) as two:
            check(now.read() == two.read(), "the new key does not stand in the master key's own file")
        subject.start()
        client.read(ident, "service").expect(200)
        journal_holds(subject)
        board = subject.operator().get("/v1/promises?fresh=true").expect(200).body
        check(b"keys.rotate" not in board or b"broken" not in board.split(b"keys.rotate")[0][-400:], "the board calls it broken")
        return said.strip()


def cut(kinds, error, what):
    """Killed, or the disk fails, at the n-th write or fsync of a rotation: it goes on, and the next one is as any."""
    count, told = 0, 0
    with shimmed() as (subject, shim):
        load = Load(subject, writers=4)
        load.start()
        until("load", lambda: load.acknowledged > 150)
        load.stop()
        load.settle()
        for number in range(60 if RELEASE else 14):
            operator = subject.operator(timeout=60)
            shim.set(kinds, error, number, times=1)
            try:
                told = operator.post("/v1/keys/rotate", {"to": os.path.join(subject.folder, f"{kinds}-{number}.key")}).status
            except BREAKS:
                told = None
            struck = shim.failed()
            shim.set()
            if error < 0 and struck:
                subject.process.wait()
                subject.process = None
                subject.start()
            count += bool(struck)
            until("a rotation that ends", lambda: not os.path.exists(os.path.join(subject.data, "master.key.former")))
            until("healthy", lambda: subject.anyone().get("/healthz").status == 200)
            check(len(masters(subject.data)) == 1, f"{what} {number}: {masters(subject.data)}")
            load.verify(load.everyone()[:20])
        check(count > 3, f"only {count} faults fell into a rotation")
        subject.restart()
        load.verify()
        journal_holds(subject)
    return f"{count} times"


for name, kinds, error in (("killed at its writes", WRITE, -signal.SIGKILL), ("killed at its fsyncs", SYNC, -signal.SIGKILL),
                           ("EIO at its writes", WRITE, errno.EIO), ("EIO at its fsyncs", SYNC, errno.EIO)):
    tests.test(f"a change of the master key, {name}, goes on by itself")(lambda kinds=kinds, error=error, name=name: cut(kinds, error, name))
