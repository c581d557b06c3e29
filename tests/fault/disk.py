"""R4: the disk is full, then freed. R3: errors of write and fsync, from the n-th call on, through a shim under the server."""
import contextlib, errno, os, struct, subprocess, tempfile, time
from common import RELEASE, person, preloaded, server, tests
from garant import check
from load import BREAKS, journal_holds

WRITE, SYNC, GROW, TORN = 1, 2, 4, 8


class Shim:
    """The control file of tests/fault/shim.c, and the environment that preloads it."""

    def __init__(self, folder, data):
        self.path = os.path.join(folder, "faults")
        self.set()
        self.env = {"LD_PRELOAD": preloaded("shim"), "FAULT_CONTROL": self.path, "FAULT_FOLDER": data}

    def set(self, kinds=0, error=0, after=0, times=0):
        """Calls of these kinds fail with this error, `times` of them (-1: all), once `after` more have passed."""
        mode = "r+b" if os.path.exists(self.path) else "wb"
        with open(self.path, mode) as file:
            file.write(struct.pack("=5q", 0, error, after, times, 0))
            file.flush()
            file.seek(0)
            file.write(struct.pack("=q", kinds))

    def failed(self):
        with open(self.path, "rb") as file:
            return struct.unpack("=5q", file.read(40))[4]


@contextlib.contextmanager
def shimmed():
    """A server whose disk can be made to fail."""
    with server(start=False) as subject:
        shim = Shim(subject.folder, subject.data)
        subject.env = shim.env
        subject.start()
        yield subject, shim


def full_disk(subject, client, fill, free):
    """With `fill` the disk is full, with `free` no longer: refusals, what still works, and that it resumes alone."""
    ident = client.create(person(0), consents=[{"purpose": "news", "decision": "given"}])["id"]
    filler = fill()
    made, refused = [], None
    for number in range(1, 20000):
        answer = client.post("/v1/subjects", {"data": person(number), "source": "person"})
        if answer.status != 201:
            refused = answer
            break
        made.append(answer.json["id"])
    check(refused is not None, "20,000 people fit on a full disk")
    problem = refused.refused("storage-full", "storage")
    check(problem["status"] in (503, 507), f"refused with {problem}")
    client.consent(ident, "news", "withdrawn").expect(201)
    look = client.read(ident, "service").expect(200, 503, 507)   # answered only when the journal can say that it was looked at
    client.get("/privacy").expect(200)
    free(filler)
    deadline = time.monotonic() + 60
    while client.post("/v1/subjects", {"data": person(30000), "source": "person"}).status != 201:
        check(time.monotonic() < deadline, "it does not resume by itself within a minute")
        time.sleep(0.1)
    for known in [ident, *made]:
        client.read(known, "service").expect(200)
    journal_holds(subject)
    subject.restart()
    for known in [ident, *made]:
        client.read(known, "service").expect(200)
    check(client.get(f"/v1/subjects/{ident}/consents").expect(200).json["live"] == [], "the withdrawal was lost")
    journal_holds(subject)
    return (f"after {len(made)} more: {problem['status']} {problem['code']}; a withdrawal worked, the notice was served, "
            f"a read of personal data was answered {look.status}; resumed alone")


class SmallDisk:
    """A file system of its own of a few megabytes, where this machine lets us mount one."""

    def __init__(self, megabytes):
        self.path = tempfile.mkdtemp(prefix="garant-disk-")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "garant-test", self.path],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.mounted = done.returncode == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.mounted:
            subprocess.run(["umount", "-l", self.path], check=True)
        os.rmdir(self.path)

    def fill(self):
        """Takes all that is left; the path of the file that takes it."""
        path = os.path.join(self.path, "filler")
        with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * 4096)
        return path


@tests.test("R4 disk full, then freed")
def full():
    with SmallDisk(24) as disk:
        if disk.mounted:
            with server(data=os.path.join(disk.path, "data")) as subject:
                return "a file system of 24 MB: " + full_disk(subject, subject.client("app"), disk.fill, os.unlink)
    with shimmed() as (subject, shim):                             # nobody may mount here: the calls fail instead
        return "ENOSPC of every write: " + full_disk(subject, subject.client("app"),
                                                     lambda: shim.set(WRITE | GROW, errno.ENOSPC, times=-1), lambda _: shim.set())


def one_failure(subject, shim, kinds, error, after, known, number):
    """Writes until the fault has struck: what was acknowledged is in `known`; whether the process ended."""
    client = subject.client("app", timeout=20)
    shim.set(kinds, error, after, times=1)
    for step in range(400):
        data = person(number * 1000 + step)
        try:
            answer = client.post("/v1/subjects", {"data": data, "source": "person"})
        except BREAKS:
            break
        if answer.status == 201:
            known[answer.json["id"]] = data
        else:
            check(answer.status in (503, 507), f"{answer.status} {answer.body[:300]!r}")
        if shim.failed():
            break
    check(shim.failed(), f"no call failed in 400 writes: kinds {kinds}, after {after}")
    with contextlib.suppress(subprocess.TimeoutExpired):
        subject.process.wait(0.5 if kinds == SYNC else 0.02)
    return subject.process.poll() is not None


def writes_again(client, known, number):
    """It accepts writes by itself soon after the fault."""
    deadline = time.monotonic() + 60
    while True:
        data = person(number * 1000 + 999)
        answer = client.post("/v1/subjects", {"data": data, "source": "person"})
        if answer.status == 201:
            known[answer.json["id"]] = data
            return
        check(time.monotonic() < deadline, f"it does not go on by itself: {answer.status} {answer.body[:300]!r}")
        time.sleep(0.05)


def failing(kinds, error):
    """One call fails, once the 0th, 1st, 2nd… has passed; never a false acknowledgement, never a broken store."""
    count, ended, known = (2000 if RELEASE else 30 if kinds == SYNC else 60), 0, {}
    with shimmed() as (subject, shim):
        client = subject.client("app")
        for number in range(count):
            stopped = one_failure(subject, shim, kinds, error, number, known, number)
            shim.set()
            ended += stopped
            if stopped:
                subject.process.wait()
            if stopped or number % 10 == 9:                      # what was acknowledged is in the files, not in the process
                subject.kill()
                subject.start()
            writes_again(client, known, number)
            for ident in list(known)[-40:]:
                client.read(ident, "service").expect(200)
        for ident, data in known.items():
            held = client.read(ident, "service").expect(200).json["data"]
            check({name: held[name] for name in data} == data, f"{ident}: {held}")
        journal_holds(subject)
    return f"{count} faults, {len(known)} writes acknowledged and all there, the process ended {ended} times"


for name, kinds, error in (("fsync fails with EIO", SYNC, errno.EIO), ("write fails with EIO", WRITE, errno.EIO),
                           ("write fails with ENOSPC", WRITE, errno.ENOSPC), ("write is short", WRITE, 0)):
    tests.test(f"R3 {name}")(lambda kinds=kinds, error=error: failing(kinds, error))
