"""R2: the power is cut, or the operating system dies. What was written and not synced may be on the disk, or not, or in part, in any order; so may names
that no sync of their folder holds. A shim under the server writes down what it asked for (cut.c); from that the disks that may be left are made, and the
server is started on them: what was acknowledged is there. A disk that says "synced" and lies shows that a loss would be seen."""
import os, random, shutil, struct, time
from common import RELEASE, preloaded, server, tests
from garant import Fault, check
from load import Load, journal_holds

WRITTEN, CUT_TO, SYNC_BEGUN, SYNC_ENDED, CREATED, REMOVED, LINKED, RENAMED = range(1, 9)
SECTOR = 512                                                     # what a disk writes whole
HEAD = struct.Struct("=IIqq")
NOT_KEPT = ("-shm", "garant.sock")                               # of the running system: gone with it


def records(path):
    """(kind, path, at, bytes) of each call, in order; the last may be cut off."""
    with open(path, "rb") as file:
        while len(head := file.read(HEAD.size)) == HEAD.size:
            kind, length, at, size = HEAD.unpack(head)
            name = file.read(length).decode()
            content = file.read(size)
            if len(content) < size or name.endswith(NOT_KEPT):
                continue
            yield kind, name, at, content


class Node:
    """A file as the disk knows it: what is on it for sure, and what was asked for since its last sync."""

    def __init__(self, content=b""):
        self.safe, self.asked, self.syncing = bytearray(content), [], {}

    def ask(self, call):
        self.asked.append(call)

    def begin(self, by):
        self.syncing[by] = len(self.asked)

    def end(self, by):
        count = self.syncing.pop(by, 0)
        for call in self.asked[:count]:
            apply(self.safe, *call)
        del self.asked[:count]
        self.syncing = {other: max(0, until - count) for other, until in self.syncing.items()}

    def left(self, dice, chance):
        """One of the contents that may be there: each sector of what was not synced, by itself."""
        content = bytearray(self.safe)
        for at, bytes_ in self.asked:
            if bytes_ is None:
                if dice.random() < chance:
                    apply(content, at, None)
                continue
            for begin in range(0, len(bytes_), SECTOR):
                if dice.random() < chance:
                    apply(content, at + begin, bytes_[begin:begin + SECTOR])
        return content


def apply(content, at, bytes_):
    if bytes_ is None:
        content[at:] = b"" if len(content) > at else bytes(at - len(content))
        return
    if len(content) < at:
        content.extend(bytes(at - len(content)))
    content[at:at + len(bytes_)] = bytes_


class Disk:
    """The names and files of a folder; names are safe once the folder was synced."""

    def __init__(self, folder, lies=False):
        self.folder, self.lies, self.safe, self.asked, self.syncing, self.calls = folder, lies, {}, [], {}, 0
        for at, _, files in os.walk(folder):
            for name in files:
                path = os.path.join(at, name)
                if os.path.isfile(path) and not name.endswith(NOT_KEPT):
                    with open(path, "rb") as file:
                        self.safe[path] = Node(file.read())
        self.now = dict(self.safe)

    def run(self, calls):
        for kind, path, at, content in calls:
            self.calls += 1
            if kind in (SYNC_BEGUN, SYNC_ENDED):
                self.sync(kind, path, at)
            elif kind in (WRITTEN, CUT_TO):
                if path in self.now:                             # else removed under its writer
                    self.now[path].ask((at, content if kind == WRITTEN else None))
            else:
                self.rename(kind, path, content.decode())

    def sync(self, kind, path, by):
        if self.lies:
            return
        if path.rstrip("/") == self.folder.rstrip("/"):
            if kind == SYNC_BEGUN:
                self.syncing[by] = len(self.asked)
            else:
                count = self.syncing.pop(by, 0)
                for change in self.asked[:count]:
                    turn(self.safe, *change)
                del self.asked[:count]
                self.syncing = {other: max(0, until - count) for other, until in self.syncing.items()}
        elif path in self.now:
            (self.now[path].begin if kind == SYNC_BEGUN else self.now[path].end)(by)

    def rename(self, kind, path, to):
        node = Node() if kind == CREATED else self.now.get(path)
        if node is None:
            return
        change = (kind, path, to, node)
        self.asked.append(change)
        turn(self.now, *change)

    def leave(self, dice, chance):
        """Writes the folder as a cut of the power may leave it: of the names the first few changes, as their journal keeps order."""
        names = dict(self.safe)
        for change in self.asked[:int(len(self.asked) * dice.choice((0, 0.5, 1)))]:
            turn(names, *change)
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder, mode=0o700)
        lost = 0
        for path, node in names.items():
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(node.left(dice, chance))
            lost += len(node.asked)
        return lost


def turn(names, kind, path, to, node):
    if kind in (REMOVED, RENAMED):
        names.pop(path, None)
    if kind != REMOVED:
        names[path if kind == CREATED else to] = node


class Cuts:
    """A server under load whose power is cut again and again."""

    def __init__(self, subject, lies=False):
        self.subject, self.lies, self.log, self.load = subject, lies, os.path.join(subject.folder, "calls"), Load(subject, writers=4)
        self.dice, self.open_calls, self.calls = random.Random(2026), 0, 0
        subject.stop()
        subject.env = {"LD_PRELOAD": preloaded("cut"), "CUT_LOG": self.log, "CUT_FOLDER": subject.data}
        self.begin()

    def begin(self):
        self.disk = Disk(self.subject.data, self.lies)
        open(self.log, "wb").close()
        return self.subject.start()

    def cut(self, chance):
        self.load.start()
        time.sleep(self.dice.uniform(0.05, 0.6))
        self.subject.kill()
        self.load.stop()
        self.disk.run(records(self.log))
        self.open_calls += self.disk.leave(self.dice, chance)
        self.calls += self.disk.calls
        return self.begin()


@tests.test("R2 the power is cut under load: nothing acknowledged is lost, whatever was not synced")
def power():
    count, slowest, spent = 500 if RELEASE else 8, 0, 0
    with server() as subject:
        cuts = Cuts(subject)
        for number in range(count):
            slowest = max(slowest, cuts.cut((0, 0.5, 0.9, 1)[number % 4]))
            cuts.load.settle()
            people = cuts.load.everyone()
            spent += cuts.load.verify(people[-100:] + cuts.dice.sample(people, min(50, len(people))))
        cuts.load.verify()
        size = journal_holds(subject)
    check(cuts.load.acknowledged > count * 5, f"only {cuts.load.acknowledged} writes in {count} rounds: there was no load")
    check(cuts.open_calls > 0, "nothing was ever unsynced: the cut takes nothing away")
    return (f"{count} cuts, {cuts.load.acknowledged} writes acknowledged, {cuts.open_calls} of {cuts.calls} calls open to chance, 0 lost, "
            f"ready in {slowest * 1000:.0f} ms at most, journal of {size} entries verified")


@tests.test("R2 a disk that lies about its syncs loses something, and this test sees it")
def lies():
    with server() as subject:
        cuts = Cuts(subject, lies=True)
        try:
            cuts.cut(0)
            cuts.load.settle()
            cuts.load.verify()
        except Fault as fault:
            return str(fault)[:100]
    raise Fault("every write outlived a disk that kept none")
