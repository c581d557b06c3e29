"""R9: the master key lost, wrong, readable by others; one person's key shredded: the erasure search; what memory keeps."""
import os, re, resource, signal
from common import person, server, tests
from garant import TOP, Client, Server, check, check_absent, check_bytes_absent, check_searchable, wrapped_keys
from people import Visitor, opened


def refuses(change):
    """Starts over a data folder whose master key was changed; what was said."""
    with server() as subject:
        client = subject.client("app")
        ident = client.create(person(3))["id"]
        subject.stop()
        key = os.path.join(subject.data, "master.key")
        with open(key, "rb") as file:
            kept = file.read()
        change(key)
        status, said = subject.refuses_to_start()
        check("key" in said.lower(), f"the reason is not said: {said}")
        check_absent([value for fields in person(3).values() for value in fields.values()], subject.folder)
        if os.path.exists(key):
            os.unlink(key)
        with open(os.open(key, os.O_CREAT | os.O_WRONLY, 0o600), "wb") as file:
            file.write(kept)
        subject.start()
        client.read(ident, "service").expect(200)
        return f"status {status}: {said.strip().splitlines()[-1][:160]}"


def write_key(path, text, mode=0o600):
    os.unlink(path)
    with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
    os.chmod(path, mode)


@tests.test("R9 master key lost: refuses to start, says so, goes on when it is back")
def lost():
    return refuses(os.unlink)


@tests.test("R9 master key wrong: refuses to start, says so")
def wrong():
    return refuses(lambda key: write_key(key, os.urandom(32).hex() + "\n"))


@tests.test("R9 master key malformed: refuses to start, says so")
def malformed():
    return refuses(lambda key: write_key(key, "not a key\n"))


@tests.test("R9 after an erasure no planted value nor key is found in any file")
def erasure_search():
    with server() as subject:
        client, operator = subject.client("app"), subject.operator()
        for number in range(20, 40):
            client.create(person(number))
        data = person(11)
        planted = [value for fields in data.values() for value in fields.values()]
        planted += ["/planted/page/11", "Planted-Former-11", "planted attachment eleven",
                    "planted-refused-value-11", "planted.other.11@fault.example"]
        check_searchable(planted, subject.folder)
        known = wrapped_keys(subject.data)
        ident = client.create(data, consents=[{"purpose": "news", "decision": "given"}])["id"]
        keys = wrapped_keys(subject.data) - known
        check(keys, "no key was made for the person")
        client.record(ident, "visits", {"page": "/planted/page/11"}).expect(201)
        client.record(ident, "invoices", {"number": "planted-invoice-held-11", "amount": 12}).expect(201)
        client.change(ident, "service", {"identity": {"last_name": "Planted-Former-11"}}).expect(200)
        client.change(ident, "service", {"identity": {"last_name": "Fault-11"}}).expect(200)
        client.request("POST", f"/v1/subjects/{ident}/attachments?category=contact&name=planted.txt", b"planted attachment eleven",
                       {"Content-Type": "text/plain"}.items()).expect(201)
        client.change(ident, "service", {"identity": {"planted-refused-value-11": "planted-refused-value-11"}}).expect(422)
        client.change(ident, "service", {"contact": {"email": "planted.other.11@fault.example"}}).expect(200)
        client.change(ident, "service", {"contact": {"email": data["contact"]["email"]}}).expect(200)
        files, _ = client.export(ident)
        check(b"planted attachment eleven" in b"".join(files.values()), "the attachment is not exported")
        client.get(f"/v1/subjects/{ident}/access").expect(200)
        copy = os.path.join(subject.folder, "backup")
        operator.post("/v1/backup", {"to": copy}).expect(200)
        check_absent(planted, subject.folder)                     # even before: nothing stands in clear
        client.erase(ident)
        check_absent(planted, subject.folder)
        check_bytes_absent(keys, subject.data)
        subject.stop()
        check_absent(planted, subject.folder)
        check_bytes_absent(keys, subject.data)
    return f"{len(planted)} values and {len(keys)} wrapped key(s) searched for in data, WAL, keyring, journal, log and backup"


def in_memory(pid, planted):
    """How often the bytes stand in what the process may write to."""
    found = 0
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if not span:
                continue
            first, end = (int(x, 16) for x in span.groups())
            memory.seek(first)
            try:
                found += memory.read(end - first).count(planted)
            except OSError:
                pass                                             # a guard or device page: nothing of ours stands there
    return found


@tests.test("what a request brought is wiped from memory with it: passwords typed rightly and wrongly, a JSON body")
def memory():
    right, wrong = "Planted-pass-word-4711-right", "Planted-pass-word-4711-wrong"
    with Server(os.path.join(TOP, "tests/front/signin.yaml")) as subject:
        data = person(41)
        del data["contact"]["phone"]
        opened(subject, data, password=right)
        for _ in range(5):
            Visitor(subject).sign_in("planted.41@fault.example", right)
            Visitor(subject).post("/v1/session", {"identifier": "planted.41@fault.example", "password": wrong}).expect(401)
            Client(subject.port, subject.client("app").token).post("/v1/subjects", {"nothing": "Planted-pass-word-4711-json"})
        if os.geteuid() != 0:
            return "another user's memory cannot be read: looked at as root only"
        seen = {word: in_memory(subject.process.pid, word.encode()) for word in (right, wrong, "Planted-pass-word-4711-json")}
        check(not any(seen.values()), f"still in memory: {seen}")


@tests.test("a crash leaves no core file, whatever limit the shell had")
def core():
    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        subject = server()
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)
    with subject:
        os.kill(subject.process.pid, signal.SIGABRT)
        _, status = os.waitpid(subject.process.pid, 0)
        subject.process.returncode = -signal.SIGABRT
        check(os.WIFSIGNALED(status) and not os.WCOREDUMP(status), f"it ended with {status:#x}: a core was written")
