"""What a route does not know is named: members of bodies at any depth, parameters of queries. Made from the route table."""
import urllib.parse
from described import Routes, ask
from garant import Server, check
from people import Visitor, opened

PEOPLE = "tests/hostile/people.yaml"
ODD = "colour_of_hair"
FREE = {"Fields", "Data", "Patch", "PreferenceSet", "Form"}       # the policy says what is in them
ENDS = ("me_close", "session_end", "session_drop_others")         # what would end the trial
GATED = ("sms_received",)            # a form of the gateway's own members, and its secret is asked for before they are looked at: 401


class Callers:
    """Whom each route is for."""

    def __init__(self, server):
        data = {"identity": {"first_name": "Ada", "last_name": "One"}, "contact": {"email": "ada@people.example"}}
        opened(server, data)
        self.server, self.app, self.operator = server, server.client("app"), server.operator()
        self.own = Visitor(server).sign_in("ada@people.example")
        self.subject = self.app.create({"identity": {"first_name": "Grace", "last_name": "Two"}, "contact": {"email": "grace@people.example"}})["id"]

    def values(self):
        return {"id": self.subject, "category": "visits", "purpose": "service", "hash": "1.0", "older": "1.0", "newer": "1.0", "index": "000",
                "level": "0", "name": "garant.css", "place": "*"}

    def ask(self, row, path, body=None):
        callers = {"self": [self.own], "staff": [self.own], "operator": [self.operator], "public": [self.server.anyone()],
                   "anyone": [self.server.anyone()]}.get(row["who"], [self.app, self.operator])
        for client in callers:
            answer = ask(client, row, path, body)
            if answer.status != 403:
                break
        return answer


def odd_bodies(routes, schema, depth=0):
    """(where, body) for each object of this schema: the same with one member more."""
    name = ""
    while "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = routes.schemas[name]
    for some in ("oneOf", "anyOf"):
        if some in schema:
            yield from odd_bodies(routes, schema[some][0], depth)
            return
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if name in FREE or depth > 4:
        return
    if kind == "array":
        for where, body in odd_bodies(routes, schema.get("items", {}), depth + 1):
            yield where, [body]
    elif kind == "object":
        if not schema.get("additionalProperties"):
            yield name, {ODD: "red"}
        for member, one in schema.get("properties", {}).items():
            for where, body in odd_bodies(routes, one, depth + 1):
                yield f"{name}.{member}: {where}", {member: body}


def register(tests):
    @tests.test("names: an unknown member of a body is named, by every route")
    def members():
        wrong, count = [], 0
        with Server(PEOPLE) as server:
            routes, callers = Routes(server), Callers(server)
            for row in routes.rows:
                content = routes.operation(row).get("requestBody", {}).get("content", {})
                kinds = [said for kind, said in content.items() if "json" in kind]
                if not row["path"].startswith("/v1/") or row["name"] in ENDS + GATED or row["body"] in ("none", "file"):
                    continue
                bodies = [pair for said in kinds for pair in odd_bodies(routes, said["schema"])] if kinds else [("nothing", {ODD: "red"})]
                for where, body in bodies:
                    answer = callers.ask(row, routes.path(row, callers.values()), body)
                    problem, status = answer.json if answer.status >= 400 else {}, answer.status
                    if status == 207 and "BatchItem" in where:
                        status, problem = answer.json["results"][0]["status"], answer.json["results"][0]["body"]
                    count += 1
                    if status != 400 or ODD not in problem.get("detail", "") or problem.get("field") != ODD:
                        wrong.append(f"{row['name']} {where}: {answer.status} {str(problem)[:200]}")
        check(not wrong, f"{len(wrong)} of {count} wrong:\n" + "\n".join(wrong[:40]))
        check(count > 50, f"only {count} bodies")
        return f"{count} bodies"

    @tests.test("names: several at once, a likely one, and never a value")
    def told():
        with Server(PEOPLE) as server:
            app = server.client("app")
            said = app.post("/v1/decisions", {"purpos": "service", "act": "read"}).refused("usage", status=400, field="purpos")
            check('"purpos"' in said["detail"] and 'did you mean "purpose"' in said["detail"], f"{said}")
            said = app.post("/v1/decisions", {"dryRun": True, "purpose": "service", "per-page": 5}).refused("usage", status=400)
            check('"dryRun"' in said["detail"] and '"per-page"' in said["detail"], f"{said}")
            for value in ("ada@people.example", "Ada Lovelace", "+33612345678", "0612345678", "4111111111111111", "é", "x" * 100):
                said = app.post("/v1/decisions", {value: 1}).refused("usage", status=400)
                check(value not in said["detail"] and value not in said.get("field", ""), f"{said}")

    @tests.test("names: an unknown parameter is named by the API, and passed over by pages")
    def parameters():
        wrong, count = [], 0
        with Server(PEOPLE) as server:
            routes, callers = Routes(server), Callers(server)
            for row in routes.rows:
                if row["name"] in ENDS:
                    continue
                api = row["path"].startswith("/v1/")
                if not api and (row["method"] != "GET" or row["who"] not in ("public", "anyone")):
                    continue
                plain = callers.ask(row, routes.path(row, callers.values()), routes.body(row, "x")) if not api else None
                for odd in (ODD, "utm_source", "Purpose"):
                    path = routes.path(row, callers.values(), {odd: "x"})
                    answer = callers.ask(row, path, routes.body(row, "x"))
                    problem = answer.json if api and answer.status >= 400 else {}
                    count += 1
                    if api and (answer.status != 400 or odd not in problem.get("detail", "") or problem.get("field") != odd):
                        wrong.append(f"{row['name']} ?{odd}: {answer.status} {str(problem)[:160]}")
                    pages = "text/html" in answer.headers.get("content-type", "") or answer.status in (302, 303)
                    if plain is not None and pages and answer.status != plain.status:
                        wrong.append(f"{row['name']} ?{odd}: {answer.status}, and {plain.status} without")
            twice = callers.app.get(f"/v1/subjects/{callers.subject}?purpose=service&" + urllib.parse.urlencode({"purpose": "news"}))
            twice.refused("usage", status=400)
        check(not wrong, f"{len(wrong)} of {count} wrong:\n" + "\n".join(wrong[:40]))
        return f"{count} queries"
