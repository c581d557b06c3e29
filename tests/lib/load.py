"""Writers that keep a ledger of what the server acknowledged and must then still know. For tests/lib/small.yaml."""
import http.client, random, threading, uuid
from garant import Client, check

BREAKS = (OSError, http.client.HTTPException)                    # of a connection: whether the write was done is not known


class Person:
    """What was acknowledged of one person."""

    def __init__(self, ident, data, version, news):
        self.id, self.data, self.version, self.visits, self.erased = ident, data, version, [], None
        self.decisions = [news] if news else []


class Act:
    """One write, with the key under which it may be repeated, and what its acknowledgement means."""

    def __init__(self, method, path, body, acknowledged, etag=None):
        self.method, self.path, self.body, self.acknowledged = method, path, body, acknowledged
        self.key, self.headers = uuid.uuid4().hex, {"If-Match": etag} if etag else {}

    def send(self, client):
        """True when it was acknowledged, False when the server said that it was not done now. A break raises."""
        answer = client.request(self.method, self.path, self.body, self.headers.items(), self.key)
        if answer.status in (503, 507):
            return False
        check(answer.status < 300, f"{answer.asked} under load: {answer.status} {answer.body[:400]!r}")
        self.acknowledged(answer)
        return True


class Writer(threading.Thread):
    """Writes about people of its own until told to stop or the connection breaks; the act it was at is then `unknown`."""

    def __init__(self, load, number):
        super().__init__(daemon=True)
        self.load, self.random = load, random.Random(f"{load.seed}/{number}")
        self.client = load.new_client()
        self.unknown, self.fault = None, None

    def run(self):
        try:
            while not self.load.stopping.is_set():
                act = self.next_act()
                self.unknown = act
                try:
                    if not act.send(self.client):
                        self.load.refused += 1
                        self.load.stopping.wait(0.01)
                        continue                                 # kept as unknown: repeated by settle()
                except BREAKS:
                    return
                self.unknown = None
                self.load.acknowledged += 1
        except Exception as fault:
            self.fault = fault

    def next_act(self):
        if self.unknown:
            return self.unknown
        alive = [p for p in self.load.mine(self) if p.erased is None]
        kind = self.random.choices(("create", "change", "consent", "visit", "erase"), (50, 15, 15, 15, 5))[0]
        return self.create() if kind == "create" or not alive else getattr(self, kind)(self.random.choice(alive[-200:]))

    def create(self):
        name = uuid.uuid4().hex[:12]
        news = self.random.choice((None, "given", "refused"))
        data = {"identity": {"first_name": "Ana-" + name, "last_name": "Load"},
                "contact": {"email": f"{name}@load.example", "phone": "+33600000000"}}
        body = {"data": data, "source": "person", **({"consents": [{"purpose": "news", "decision": news}]} if news else {})}

        def acknowledged(answer):
            self.load.add(self, Person(answer.json["id"], data, answer.json["version"], news))
        return Act("POST", "/v1/subjects", body, acknowledged)

    def change(self, person):
        last = "Load-" + uuid.uuid4().hex[:8]

        def acknowledged(answer):
            person.data["identity"]["last_name"], person.version = last, answer.json["version"]
        return Act("PATCH", f"/v1/subjects/{person.id}?purpose=service", {"identity": {"last_name": last}}, acknowledged,
                   etag=f'"{person.version}"')

    def consent(self, person):
        decision = self.random.choice(("given", "withdrawn", "refused"))
        return Act("POST", f"/v1/subjects/{person.id}/consents", {"purpose": "news", "decision": decision},
                   lambda answer: person.decisions.append(decision))

    def visit(self, person):
        page = "/page/" + uuid.uuid4().hex[:8]
        return Act("POST", f"/v1/subjects/{person.id}/records/visits", {"fields": {"page": page}},
                   lambda answer: person.visits.append(page))

    def erase(self, person):
        def acknowledged(answer):
            person.erased = answer.json
        return Act("POST", f"/v1/subjects/{person.id}/erase", {"ground": "request"}, acknowledged)


class Load:
    def __init__(self, server, writers=8, seed=1):
        self.server, self.count, self.seed, self.rounds = server, writers, seed, 0
        self.token = server.token("app")
        self.people, self.lock, self.stopping, self.writers, self.unknown = {}, threading.Lock(), threading.Event(), [], []
        self.acknowledged = self.refused = 0

    def new_client(self):
        return Client(lambda: self.server.port, self.token, timeout=60, epoch=lambda: self.server.starts, context=self.server.context)

    def mine(self, writer):
        return self.people.setdefault(writer.name, [])

    def add(self, writer, person):
        self.mine(writer).append(person)

    def everyone(self):
        return [person for people in self.people.values() for person in people]

    def start(self):
        self.rounds += 1
        self.stopping.clear()
        self.writers = [Writer(self, f"{self.rounds}/{n}") for n in range(self.count)]
        for writer in self.writers:
            writer.start()

    def stop(self):
        """Ends the writers; what they did not hear an answer to is kept for settle()."""
        self.stopping.set()
        for writer in self.writers:
            writer.join(60)
            check(not writer.is_alive(), "a writer hangs: the server neither answers nor breaks the connection")
            if writer.fault:
                raise writer.fault
            if writer.unknown:
                self.unknown.append(writer.unknown)
        self.writers = []

    def settle(self):
        """Repeats what is unknown under its own key: done before or done now, it must be acknowledged, once."""
        client, count = self.new_client(), len(self.unknown)
        for act in self.unknown:
            check(act.send(client), f"{act.method} {act.path}: not done when repeated")
        self.unknown = []
        return count

    def verify(self, people=None):
        """Everything acknowledged is there, whole; everything erased is gone; the number of people looked at."""
        client = self.new_client()
        people = self.everyone() if people is None else people
        for person in people:
            self.verify_person(client, person)
        return len(people)

    def verify_person(self, client, person):
        found = client.lookup({"contact.email": person.data["contact"]["email"]}, "service")
        if person.erased is not None:
            found.expect(404)
            client.read(person.id, "service").expect(404, 410)
            client.get(f"/v1/certificates/{person.erased['certificate']['id']}").expect(200)
            return
        check(found.expect(200).json["id"] == person.id, f"{person.id}: its address leads to {found.json['id']}")
        held = client.read(person.id, "service").expect(200).json
        visits = [record["fields"]["page"] for record in held["data"].pop("visits", [])]
        check(held["data"] == person.data, f"{person.id}: acknowledged {person.data}, held {held['data']}")
        check(held["version"] >= person.version, f"{person.id}: acknowledged version {person.version}, held {held['version']}")
        check(sorted(visits) == sorted(person.visits), f"{person.id}: acknowledged visits {person.visits}, held {visits}")
        rows = client.get(f"/v1/subjects/{person.id}/consents").expect(200).json["consents"]
        said = [row["decision"] for row in rows for _ in range(row.get("times", 1))]      # an unchanged decision again is one row that counts
        check(said == person.decisions, f"{person.id}: consents {person.decisions}, held {rows}")


def journal_holds(server):
    """The server reads its whole journal again and finds it consistent; the size."""
    return server.operator().post("/v1/journal/verify").expect(200).json["size"]
