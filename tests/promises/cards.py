"""MO-20 and DM-11: a payment card number, however it is disguised and by whatever door it comes, is refused or masked; what only looks like one
is not. The doors come from the route table, so that a new route is tried on its day."""
import json, os, re, urllib.parse
import card_files
from described import Routes, ask
from garant import TOP, check, check_absent, check_searchable, ran
from mailbox import Mailbox
from people import PASSWORD, Visitor, form, registered, staff
from promise import further, part

NOW = "2026-11-22T10:00:00Z"
WRITINGS = ("4111 1111 1111 1111", "5555/5555/5555/4444", "３７８２８２２４６３１０００５")
PLAIN = ["4111 1111 1111 1111", "4111111111111111", "5555/5555/5555/4444", "5555555555554444", "３７８２８２２４６３１０００５", "378282246310005"]
# The card's own place; a route each of whose items is a request; and what would end the trial.
ENDS = ("transient_put", "batch", "signout", "session_end", "close_now", "me_close", "erase_now", "policy_reload")

with open(os.path.join(TOP, "tests/lib/cards.json"), encoding="utf-8") as cases:
    CASES = json.load(cases)
with open(os.path.join(TOP, "src/front/door/guard.def"), encoding="utf-8") as table:
    LEFT = set(re.findall(r'^LEFT\("([a-z_]+)"', table.read(), re.M))
DECLARED = {"Fields", "Data", "Patch", "PreferenceSet"}          # held against the policy, field by field


class Place:
    """Where a policy lets a free text be kept, and people of it."""
    ROWS = {"myownconference": ("support_notes", "note", "room_support", "support_extra", {"at": NOW}, "kestrel.{0}@rooms.example",
                                {"identity": {"display_name": "kestrel-{0}"}, "login": {"email": "kestrel.{0}@rooms.example"}}),
            "deskmanager": ("feedback", "comment", "account", None, {"at": NOW}, "clarisse.{0}@conso.example",
                            {"contact": {"name": "Clarisse Planted-{0}", "email": "clarisse.{0}@conso.example", "phone": "+3361111000{0}",
                                         "address": "{0} allée des Tilleuls"}, "account": {"screen_name": "clarisse{0}", "login": "login-{0}"}}),
            "tests/hostile/people.yaml": ("visits", "page", "service", None, {}, "ada{0}@people.example",
                                          {"identity": {"first_name": "Ada", "last_name": "Planted-{0}"}, "contact": {"email": "ada{0}@people.example"}})}

    def __init__(self, policy):
        self.policy, self.tenant = policy, "myownconference" if policy == "myownconference" else None
        self.category, self.field, self.purpose, self.consent, self.more, self.mailbox, self.data = self.ROWS[policy]

    def person(self, number):
        return json.loads(json.dumps(self.data).replace("{0}", str(number)))

    def address(self, number):
        return self.mailbox.format(number)

    def note(self, client, ident, text):
        return client.record(ident, self.category, {**self.more, self.field: text})

    def made(self, client, number):
        ident = client.create(self.person(number))["id"]
        if self.consent:
            client.consent(ident, self.consent, "given").expect(201)
        return ident


def refused(answer, what):
    """Refused as a card number (or, for signs that no text may hold, as no text), and the refusal repeats no digits."""
    check(answer.status == 422, f"{what}: {answer.status} {answer.body[:200]!r}")
    problem = answer.json
    check(problem["code"] in ("card-number", "invalid-value"), f"{what}: {problem}")
    check(not re.search(r"\d{6}", problem.get("detail", "")), f"{what}: the refusal repeats digits: {problem}")


# ---- Disguises, and what is none. ----

@further("MO-20", "DM-11")
def however_disguised(t):
    """Each disguise as a text, each file that holds one; each number that is none, and each file that holds such, is taken."""
    place = Place(t.policy)
    server = t.server(tenant=place.tenant, now=NOW)
    client = server.client("app")
    ident = place.made(client, 1)
    first = "refused in any field" if place.tenant else "refused or masked elsewhere"
    with part(first):
        for text in CASES["disguised"]:
            refused(place.note(client, ident, text), repr(text))
        for text in CASES["others"]:
            answer = place.note(client, ident, "n° " + text)
            check(answer.status == 201, f"{text!r} is no card: {answer.status} {answer.body[:200]!r}")
    attach = f"/v1/subjects/{ident}/attachments?category={place.category}&name="
    octets = {"Content-Type": "application/octet-stream"}.items()
    with part(first):
        for name, content in {**card_files.holding("4111 1111 1111 1111"), **card_files.nested("4111 1111 1111 1111")}.items():
            refused(client.request("POST", attach + name, content, octets), name)
        for name, content in card_files.innocent().items():
            client.request("POST", attach + name, content, octets).expect(201)
        for name, content in card_files.bombs().items():
            client.request("POST", attach + name, content, octets).refused("too-large", status=413)
    kept = json.dumps(client.get(f"/v1/subjects/{ident}/access").expect(200).json)
    check("4111 1111 1111 1112" in kept or place.tenant is None or "4111111111111112" in kept, "what is no card is not kept")


def split_over_members(place, client, ident):
    """One number, in parts that are none."""
    parts = "4111 1111 1111 1111".split(" ")
    whole = "".join(parts)
    document = client.get("/v1/policy").expect(200).json["document"]
    for category, body in document["categories"].items():
        texts = [name for name, type_ in body["fields"].items() if type_["type"] == "text" and "when" not in type_ and int(type_.get("max", 99)) > 8]
        near = [pair for pair in zip(texts, texts[1:]) if list(body["fields"]).index(pair[1]) == list(body["fields"]).index(pair[0]) + 1]
        for one, other in near[:2]:
            for halves in ((whole[:8], whole[8:]), (" ".join(parts[:2]), " ".join(parts[2:])), ("-".join(parts[:3]), parts[3])):
                answer = client.post("/v1/subjects", {"data": {**place.person(7), category: {one: halves[0], other: halves[1]}}, "source": "person"})
                check(answer.status == 422, f"{category}.{one} and {other} with {halves}: {answer.status} {answer.body[:200]!r}")
    for body in ({"category": "*", "ground": parts[0] + parts[1], "until": parts[2] + parts[3]},
                 {parts[0]: parts[1], "ground": parts[2] + parts[3]}):
        check(400 <= client.post(f"/v1/subjects/{ident}/holds", body).status < 500, f"{body} was taken")
    client.post(f"/v1/subjects/{ident}/holds", {"category": parts[0] + parts[1], "ground": parts[2] + parts[3]}).refused("card-number", status=422)
    asked = {"purpose": whole[:8], "categories": parts[2:], "act": "read"}
    client.post("/v1/decisions", asked).refused("card-number", status=422)


@further("MO-20")
def split_between_members(t):
    """Over fields of one record, members and items of one body."""
    place = Place(t.policy)
    client = t.server(tenant=place.tenant, now=NOW).client("app")
    with part("refused in any field"):
        ident = place.made(client, 1)
        split_over_members(place, client, ident)
        # One half is held, the other comes later: the record is looked at whole.
        payer = {"payer": "company", "company_name": "41111111", "company_address": "Vilniaus g.", "iban": "LT121000011101001000"}
        held = client.create({**place.person(8), "billing": payer})["id"]
        client.change(held, "billing", {"billing": {"company_address": "11111111"}}).refused("card-number", status=422)
        client.change(held, "billing", {"billing": {"company_address": "11111112"}}).expect(200)


# ---- Every door, from the route table. ----

class Doors:
    """What is asked of each route: its members, its query, its path, each with a card number in it."""

    def __init__(self, server, place, mailbox):
        self.server, self.routes, self.place, self.tried, self.wrong = server, Routes(server), place, 0, []
        self.operator, self.app = server.operator(), server.client("app")
        self.subject = place.made(self.app, 1)
        registered(server, mailbox, place.person(2), place.address(2))
        self.own = Visitor(server).sign_in(place.address(2))
        roles = self.operator.get("/v1/policy").expect(200).json["document"].get("roles") or {}
        self.staff = staff(server, place.person(3), place.address(3), next(iter(roles))) if roles else self.own
        self.mailbox = mailbox

    def ask(self, row, path, body=None, **headers):
        """By whom the route is for: of the application and the operator the one that may."""
        callers = {"self": [self.own], "staff": [self.staff], "operator": [self.operator]}.get(row["who"], [self.app, self.operator])
        if row["who"] in ("public", "anyone"):
            callers = [self.server.anyone()]
        for client in callers:
            answer = ask(client, row, path, body, **headers)
            if answer.status != 403:
                break
        return answer

    def values(self, row):
        return {"id": self.subject, "category": self.place.category, "purpose": self.place.purpose, "hash": "1.0", "older": "1.0", "newer": "1.0",
                "index": "000", "level": "0", "name": "garant.css", "place": "*"}

    def schema(self, schema):
        while "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            if name in DECLARED:
                return name, {}
            schema = self.routes.schemas[name]
        for some in ("oneOf", "anyOf"):
            if some in schema:
                return self.schema(schema[some][0])
        return "", schema

    def texts(self, schema, card, depth=0):
        """(name, body) of each body of this schema in which one text alone is the card."""
        name, said = self.schema(schema)
        if name in DECLARED or depth > 5:
            return
        kind = said.get("type")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "object":
            for member, one in said.get("properties", {}).items():
                for inner, value in self.texts(one, card, depth + 1):
                    yield f"{member}.{inner}" if inner else member, {member: value}
        elif kind == "array":
            for inner, value in self.texts(said.get("items", {}), card, depth + 1):
                yield inner, [value]
        elif kind == "string":
            yield "", card

    def bodies(self, row, card):
        content = self.routes.operation(row).get("requestBody", {}).get("content", {})
        for kind, said in content.items():
            if "json" in kind:
                yield from self.texts(said["schema"], card)

    def note(self, row, what, answer, card):
        """An API route refuses it as a card number; a page neither repeats nor takes it (that nothing is kept is looked at in the end)."""
        self.tried += 1
        if not row["path"].startswith("/v1/"):
            if answer.status >= 500 or (answer.status < 300 and row["method"] != "GET" and not row["name"].endswith("_look")):
                self.wrong.append(f"{row['name']} {what}: {answer.status}")
            return
        problem = answer.json if answer.status >= 400 and answer.body else {}
        if answer.status != 422 or problem.get("code") != "card-number":
            self.wrong.append(f"{row['name']} {what}: {answer.status} {str(problem)[:160]}")
        if re.search(r"\d{6}", problem.get("detail", "")) or card in json.dumps(problem, ensure_ascii=False):
            self.wrong.append(f"{row['name']} {what}: repeated: {problem}")

    def members(self, row, card):
        path = self.routes.path(row, self.values(row))
        for name, body in self.bodies(row, card):
            if name.split(".")[-1] in LEFT:
                continue
            if name == "to":                              # a folder that would be made
                body = {"to": os.path.join(self.server.folder, card)}
            answer = self.ask(row, path, body)
            self.note(row, name, answer, card)
            if isinstance(body, dict) and row["body"] == "form":
                sent = urllib.parse.urlencode({member: value for member, value in body.items() if isinstance(value, str)}).encode()
                self.note(row, f"form {name}", self.ask(row, path, sent, **{"Content-Type": "application/x-www-form-urlencoded"}), card)

    def parameters(self, row, card):
        for name in self.routes.parameters(row, "query"):
            if name not in LEFT:
                answer = self.ask(row, self.routes.path(row, self.values(row), {name: card}), self.routes.body(row, "x"))
                self.note(row, "?" + name, answer, card)
        for name in self.routes.parameters(row, "path"):
            answer = self.ask(row, self.routes.path(row, {**self.values(row), name: card}), self.routes.body(row, "x"))
            if answer.status < 400 and row["path"].startswith("/v1/"):
                self.wrong.append(f"{row['name']} path {name}: {answer.status}")


def held_nowhere(doors, server):
    """Neither in what people are told of themselves, nor in lists, files and logs."""
    operator, seen = doors.operator, ""
    for ident in (doors.subject, doors.own.id, doors.staff.id):
        for part_of in ("access", "looks", "consents", "disclosures", "former", "contacts?purpose=" + doors.place.purpose):
            answer = doors.app.get(f"/v1/subjects/{ident}/{part_of}")
            seen += answer.body.decode() if answer.status == 200 else ""
        if doors.app.get(f"/v1/subjects/{ident}/access").status == 200:
            seen += "".join(content.decode("utf-8", "replace") for content in doors.app.export(ident)[0].values())
    for path in ("/v1/me/sessions", "/me", "/me/sessions", "/me/history"):
        seen += doors.own.get(path).body.decode()
    for path in ("/v1/duties", "/v1/mail", "/v1/accounts"):
        seen += operator.get(path).body.decode()
    for card in PLAIN:
        check(card not in seen, f"{card} is shown in {seen[max(0, seen.find(card) - 200):][:300]}")
    server.stop()
    check_absent(PLAIN, server.folder)
    with open(server.log_file, encoding="utf-8") as log:
        said = log.read()
    check(len(said) > 1000, "nothing was logged")
    for card in PLAIN:
        check(card not in said and urllib.parse.quote(card) not in said, f"{card} stands in the log")


@further("MO-20")
def by_every_door(t):
    """Each member of each body, each parameter, each part of a path of the route table; headers that are kept; a policy with roles, too."""
    check_searchable(PLAIN, t.folder)
    mailbox = t.enter_context(Mailbox())
    for policy in (t.policy, "tests/hostile/people.yaml"):
        place = Place(policy)
        server = t.server(policy=policy, tenant=place.tenant, now=NOW, arguments=[*mailbox.arguments(), "--access-log"])
        doors = Doors(server, place, mailbox)
        with part("refused in any event"), part("refused in any message"), part("refused in any field"):
            for row in doors.routes.rows:
                if row["name"] in ENDS:
                    continue
                for card in WRITINGS:
                    doors.members(row, card)
                    doors.parameters(row, card)
            check(not doors.wrong, f"{policy}: {len(doors.wrong)} wrong:\n" + "\n".join(doors.wrong[:40]))
            check(doors.tried > 300, f"only {doors.tried} were tried")
            inside_a_batch(doors)
            kept_headers(doors)
        with part("masked in logs"):
            held_nowhere(doors, server)


def inside_a_batch(doors):
    for card in WRITINGS:
        items = [{"method": "POST", "path": f"/v1/subjects/{doors.subject}/holds", "body": {"category": "*", "ground": card}},
                 {"method": "PUT", "path": f"/v1/subjects/{doors.subject}/restriction", "body": {"ground": card}},
                 {"method": "POST", "path": "/v1/decisions", "body": {"purpose": card, "act": "read"}},
                 {"method": "POST", "path": "/v1/subjects", "body": {"source": card, "data": doors.place.person(9)}}]
        results = doors.app.post("/v1/batch", {"requests": items}).expect(207).json["results"]
        check([one["body"]["code"] for one in results] == ["card-number"] * len(items), f"{results}")


def kept_headers(doors):
    """A reason, a file's media type and name, an idempotency key, what a browser calls itself, where a proxy says that somebody is."""
    app, subject = doors.app, doors.subject
    attach = f"/v1/subjects/{subject}/attachments?category={doors.place.category}&name="
    for card in ("4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005"):
        quoted = urllib.parse.quote(card)
        app.get(f"/v1/subjects/{subject}?purpose={doors.place.purpose}", **{"Garant-Reason": quoted}).refused("card-number", status=422)
        app.request("POST", attach + quoted + ".txt", b"x", {"Content-Type": "text/plain"}.items()).refused("card-number", status=422)
        for kind in (f"text/{card.replace(' ', '')}", f"text/plain; name={card}", f'text/plain; title="{card}"'):
            app.request("POST", attach + "a.txt", b"x", {"Content-Type": kind}.items()).refused("card-number", status=422)
        agent = Visitor(doors.server, headers={"User-Agent": f"Firefox/{card} (Windows NT {card})"})
        agent.sign_in(doors.place.address(2))
        check(card not in agent.get("/v1/me/sessions").expect(200).body.decode(), "the session's list shows it")
        app.post(f"/v1/subjects/{subject}/holds", {"category": "*", "ground": "a dispute"}, key=card.replace(" ", "-")).expect(201)
        for header in ("X-Forwarded-For", "X-Original-URI", "X-Forwarded-Uri", "Accept-Language", "Referer", "X-Request-Id", "Garant-Tenant", "Cookie"):
            for path in ("/v1/forward-auth", "/privacy", "/v1/subjects/" + card.replace(" ", "%20"), "/" + quoted, "/signin?next=/" + quoted):
                doors.server.anyone().get(path, **{header: card})


@further("MO-20")
def by_the_pages(t):
    """A person's own page, a registration: the page says it beside the field, and keeps what was there; a letter that holds one is not sent."""
    place, mailbox = Place(t.policy), t.enter_context(Mailbox())
    server = t.server(tenant=place.tenant, now=NOW, arguments=mailbox.arguments())
    registered(server, mailbox, place.person(2), place.address(2))
    own = Visitor(server).sign_in(place.address(2))
    with part("refused in any field"):
        for card in ("4111 1111 1111 1111", "4111/1111/1111/1111", "４１１１１１１１１１１１１１１１"):
            version = re.search(r'name="version" value="(\d+)"', own.get("/me/edit/identity", Accept="text/html").expect(200).body.decode())[1]
            answer = form(own, "/me/edit/identity", **{"identity.display_name": card, "version": version, "csrf": own.csrf})
            text = answer.body.decode()
            check(answer.status == 422 and "payment card number" in text, f"{answer.status} {text[:300]}")
            check('aria-invalid="true"' in text, "the page does not mark the field")
            check("kestrel-2" in own.get("/me").expect(200).body.decode(), "what was there is gone")
            answer = form(server.anyone(), "/register", **{"identity.display_name": card, "login.email": "new@rooms.example", "password": PASSWORD})
            check(answer.status == 422 and "payment card number" in answer.body.decode(), f"{answer.status} {answer.body[:300]!r}")
    with part("refused in any message"):
        letters, app = len(mailbox.find(place.address(2))), server.client("app")
        path = f"/v1/subjects/{own.id}/messages"
        for text in ("Your card 4111 1111 1111 1111 was charged", "Card:\n4111\n1111\n1111\n1111\n", "see %34111111111111111", "4111,1111,1111,1111"):
            app.post(path, {"purpose": "service", "subject": "Your payment", "text": text}).refused("card-number", status=422, field="text")
            app.post(path, {"purpose": "service", "subject": text.split("\n")[0] + " 4111-1111-1111-1111", "text": "x"}) \
               .refused("card-number", status=422, field="subject")
        app.post(path, {"purpose": "service", "subject": "Your payment", "text": "Reference pay_3MmlLrLkdIwHu7ix, call +33 1 23 45 67 89."}).expect(202)
        mailbox.wait(place.address(2), count=letters + 1)
        check(not any(re.search(r"4111|1111", letter.text) for letter in mailbox.find(place.address(2))), "a letter holds it")


@further("MO-20")
def by_the_commands(t):
    """Tables of people, tokens, folders of policies: refused, and what is said of it repeats no digits."""
    place = Place(t.policy)
    server = t.server(tenant=place.tenant, now=NOW)
    data = ["--data", server.data] + (["--tenant", place.tenant] if place.tenant else [])
    table, policy = t.path("people.csv"), t.path("planted.yaml")
    with part("refused in any field"):
        for card in WRITINGS:
            with open(table, "w", encoding="utf-8") as file:
                file.write(f"identity.display_name;login.email;folder.room\r\n{card};ada@rooms.example;\r\n")
            done = ran(["account", "import", table, "--supplied-by", "person", "--no-invitation", *data], ok=None)
            check("card" in (done.stdout + done.stderr).lower() and card not in done.stdout + done.stderr, f"{done.stdout} {done.stderr}")
            done = ran(["token", "create", card, "--actor", "app", *data], ok=None)
            check(done.returncode != 0, "it was made")
            check(card not in done.stdout + done.stderr, f"{done.stdout} {done.stderr}")
        with open(os.path.join(TOP, "policies", t.policy + ".yaml"), encoding="utf-8") as file:
            text = file.read()
        for card in ("4111 1111 1111 1111", "4111/1111/1111/1111"):
            with open(policy, "w", encoding="utf-8") as file:
                file.write(text + f"\nextra: {{note: \"pay with {card}\"}}\n")
            done = ran(["lint", policy], ok=None)
            check("payment card" in done.stdout + done.stderr, f"{done.stdout} {done.stderr}")
    with part("masked in logs"):
        server.stop()
        check_absent(PLAIN, server.folder)
