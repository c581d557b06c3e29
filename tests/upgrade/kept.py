"""A kept data folder: how its questions are asked, and what of an answer must stand for ever."""
import contextlib, hashlib, io, json, os, shutil, tarfile, tempfile, zipfile
from garant import TOP, Client, Fault, Server, check, milliseconds
from people import PASSWORD, Visitor, totp

FOLDERS = os.path.join(TOP, "tests/upgrade/folders")
MADE = milliseconds("2026-11-22T10:00:00Z")                      # the clock while a folder is made…
ASKED = milliseconds("2026-11-22T15:00:00Z")                     # …and when its answers are taken, by every program


# What asking itself changes; and ends for which older programs gave the time of the next look at the row.
MOVES = ("/access.at", "/export.at", ".last_use", ".last_visit", ".account.sessions", "/v1/journal/proof.checkpoint", ".former.until",
         "/v1/archive.archive.until")

# Sentences of the program, not facts that were stored: a later one may say them better, and must still say them.
WORDS = (".title", ".detail", ".complaint", ".says")


def names():
    return sorted(name for name in os.listdir(FOLDERS) if os.path.exists(os.path.join(FOLDERS, name, "data.tar.gz")))


class Kept:
    """One of the folders, in a place of its own that goes with it."""

    def __init__(self, name):
        self.name, self.source = name, os.path.join(FOLDERS, name)
        self.policy = f"tests/upgrade/folders/{name}/policy.yaml"
        with open(os.path.join(self.source, "answers.json"), encoding="utf-8") as file:
            self.said = json.load(file)

    @contextlib.contextmanager
    def folder(self):
        """A copy of it: its path, with data/, backup/ and the clock in it."""
        place = tempfile.mkdtemp(prefix="garant-upgrade-")
        try:
            with tarfile.open(os.path.join(self.source, "data.tar.gz")) as archive:
                archive.extraction_filter = getattr(tarfile, "data_filter", None)    # Debian 12's Python has none, and needs none
                archive.extractall(place)
            os.chmod(os.path.join(place, "data"), 0o700)
            os.chmod(os.path.join(place, "data/master.key"), 0o600)
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def server(self, place, **options):
        return Server(self.policy, folder=place, now=ASKED, **options)


class Asker:
    """Who asks: by the tokens made then, and by people who sign in again with the passwords and the second factor of then."""

    def __init__(self, server, tokens, factor):
        self.server, self.tokens, self.factor, self.visitors = server, tokens, factor, {}

    def client(self, who):
        if who == "operator":
            return self.server.operator()
        if who == "anyone":
            return self.server.anyone()
        if who in self.tokens:
            return Client(self.server.port, self.tokens[who], epoch=lambda: self.server.starts)
        if who not in self.visitors:
            code = {"code": totp(self.factor[who], self.server.now())} if who in self.factor else {}
            self.visitors[who] = Visitor(self.server).sign_in(who, PASSWORD, **code)
        return self.visitors[who]

    def ask(self, question):
        answer = self.client(question["who"]).request(question["method"], question["path"], question.get("json"), key=question.get("key"))
        kind = answer.headers.get("content-type", "").split(";")[0]
        if kind == "application/zip":
            return {"status": answer.status, "json": exported(answer.body)}
        if kind.endswith("json"):
            return {"status": answer.status, "json": answer.json}
        return {"status": answer.status, "length": len(answer.body), "sha256": hashlib.sha256(answer.body).hexdigest()}


def exported(body):
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return json.loads(archive.read("data.json"))


# The one member that says something else now: a list that ends has no next page (it used to name its last row).
LAST_PAGE = "/v1/archive.next"


def holds(then, now, where):
    """All that was said then is said now: a later program may add members and rows, never lose or change one."""
    if isinstance(then, dict):
        check(isinstance(now, dict), f"{where}: was an object, is {now!r:.200}")
        for name, value in then.items():
            place = f"{where}.{name}"
            if not place.endswith(MOVES):
                check(name in now, f"{place} is not said any more; now {sorted(now)}")
                holds(value, now[name], place)
        return
    if isinstance(then, list):
        check(isinstance(now, list), f"{where}: was a list, is {now!r:.200}")
        rest = iter(now)
        for at, value in enumerate(then):
            check(any(same(value, one, where) for one in rest), f"{where}[{at}]: {value!r:.400} is not among {now!r:.2000}")
        return
    if now is None and where.endswith(LAST_PAGE):
        return
    if where.endswith(WORDS) and isinstance(then, str):
        check(isinstance(now, str) and now, f"{where}: was {then!r:.300}, is {now!r:.300}")
        return
    check(then == now, f"{where}: was {then!r:.300}, is {now!r:.300}")


def same(then, now, where):
    try:
        holds(then, now, where)
        return True
    except Fault:
        return False
