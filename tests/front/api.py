"""The API: every route with the wrong actor, the description, batches, repeated requests, languages."""
import json, re
from garant import Client, Server, check, garant
from words import title

POLICY = "tests/front/actors.yaml"
PERSON = {"identity": {"first_name": "Zoé", "last_name": "Martin"}, "contact": {"email": "zoe.martin@example.org"}}
UNKNOWN = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


def routes():
    return json.loads(garant("help", "routes", "--json"))


def target(route, description):
    """A path of the route with values for its parameters, the required ones of the query included."""
    path = re.sub(r"\{(\w+)\*?\}", lambda m: {"id": UNKNOWN, "purpose": "service", "category": "visits"}.get(m[1], "x1"),
        route["path"])
    operation = description["paths"][route["path"].replace("*", "")][route["method"].lower()]
    wanted = [f"{p['name']}=service" for p in operation["parameters"] if p["in"] == "query" and p["required"]]
    return path + ("?" + "&".join(wanted) if wanted else "")


def ask(client, route, path):
    body = {"json": {}, "optional": None, "none": None, "file": b"file", "form": {}}[route["body"]]
    return client.request(route["method"], path, body, {"If-Match": '"1"'}.items() if route["method"] == "PATCH" else ())


def register(tests):
    @tests.test("api: every route with the wrong actor")
    def wrong_actors():
        with Server(POLICY) as server:
            description = server.anyone().get("/openapi.json").expect(200).json
            actors = {"reader": {"read"}, "writer": {"write"}}
            clients = {name: server.client(name) for name in (*actors, "app")}
            asked = 0
            for route in routes():
                path = target(route, description)
                if route["who"] == "public":
                    ask(server.anyone(), route, path).expect(200, 302, 404)
                    continue
                if route["who"] == "anyone":                       # a session counts, a token does not
                    for caller in (server.anyone(), clients["app"]):
                        check(ask(caller, route, path).status not in (405, 500), route["name"])
                    continue
                for caller in (server.anyone(), Client(server.port, "garant_" + "A" * 43)):
                    answer = ask(caller, route, path)
                    asked += 1
                    if answer.status == 303 and not caller.token:      # a page: to the sign-in, and back
                        check(answer.headers["location"].startswith("/signin"), f"{route['name']}: to {answer.headers['location']}")
                        continue
                    if answer.status != 429:
                        answer.refused("unauthorised", status=401)
                    check(answer.status == 429 or answer.headers.get("www-authenticate") == "Bearer", "no WWW-Authenticate")
                for name, acts in actors.items():
                    answer = ask(clients[name], route, path)
                    asked += 1
                    if route["who"] == "operator":
                        answer.refused("forbidden", status=403)
                    elif route["act"] and route["act"] not in acts:
                        answer.refused("forbidden", status=403, clause=f"systems.{name}")
                    else:
                        check(answer.status not in (401, 405, 500),
                            f"{route['name']} as {name}: {answer.status} {answer.body[:300]}")
                if route["who"] == "operator":
                    ask(clients["app"], route, path).refused("forbidden", status=403)
            size = clients["app"].get("/v1/journal/checkpoint").expect(200).body.decode().split("\n")[1]
            whole, rest = divmod(int(size), 256)
            tiles = [f"{n:03}" for n in range(whole)] + ([f"{whole:03}.p/{rest}"] if rest else [])
            bundle = "".join(clients["app"].get(f"/v1/journal/tile/entries/{tile}").expect(200).body.decode(errors="replace") for tile in tiles)
            for name in ("reader", "writer"):
                check(re.search(r'"act":"refusal","tenant":"[^"]*","actor":"%s"[^}]*"clause":"systems.%s","outcome":"refused"' % (name, name),
                    bundle), f"refusals of {name} are not in the journal")
            return f"{asked} requests"

    @tests.test("api: absent and forbidden people look alike")
    def alike():
        with Server(POLICY) as server:
            app = server.client("app")
            for path in (f"/v1/subjects/{UNKNOWN}?purpose=service", "/v1/subjects/x?purpose=service",
                f"/v1/subjects/{UNKNOWN.lower()}?purpose=service"):
                app.get(path).refused("not-found", status=404)

    @tests.test("api: the description fits the routes")
    def description():
        with Server(POLICY) as server:
            for language in ("en", "fr"):
                text = server.anyone().get("/openapi.json", **{"Accept-Language": language}).expect(200)
                whole = text.json
                check(whole["openapi"] == "3.1.0", "no OpenAPI 3.1")
                names = whole["components"]["schemas"]
                missing = {ref for ref in re.findall(r'"#/components/schemas/(\w+)"', text.body.decode())} - set(names)
                check(not missing, f"schemas that are not there: {missing}")
                operations = [(path, method, op) for path, methods in whole["paths"].items() for method, op in methods.items()]
                listed = {(r["path"].replace("*", ""), r["method"].lower()) for r in routes()}
                check({(path, method) for path, method, _ in operations} == listed, "routes and paths differ")
                check(len({op["operationId"] for _, _, op in operations}) == len(operations), "an operationId stands twice")
                for path, _, op in operations:
                    inside = set(re.findall(r"\{(\w+)\}", path))
                    check({p["name"] for p in op["parameters"] if p["in"] == "path"} == inside, f"parameters of {path}")
                unused = [n for n in names if f'"#/components/schemas/{n}"' not in text.body.decode()]
                check(not unused, f"schemas that nothing uses: {unused}")

    @tests.test("api: languages")
    def languages():
        with Server(POLICY) as server:
            english, french = (server.anyone().get("/nothing", **{"Accept-Language": x}).json["title"] for x in ("en",
                "fr-FR, en;q=0.5"))
            check((english, french) == title("not-found"), f"{english} / {french}")
            for language, word in (("fr", "Vos droits"), ("en", "Your rights")):
                page = server.anyone().get(f"/privacy?lang={language}").expect(200).body.decode()
                check(word in page and f'<html lang="{language}">' in page and "Actors Example SAS" in page
                    and "75001 Paris" in page, f"the notice in {language}")
                check(not re.search(r"(src|href)=\"(https?:)?//", page), "the notice names another host")
            style = server.anyone().get("/static/garant.css").expect(200)
            check(style.headers["content-type"] == "text/css; charset=utf-8", f"{style.headers}")

    @tests.test("api: conditions and repeated requests")
    def conditions():
        with Server(POLICY) as server:
            app = server.client("app")
            body = {"data": PERSON, "source": "person"}
            first = app.post("/v1/subjects", body, key="once").expect(201)
            check(first.headers["location"] == "/v1/subjects/" + first.json["id"] and first.etag == '"1"', f"{first.headers}")
            again = app.post("/v1/subjects", body, key="once").expect(201)
            check(again.json == first.json and again.headers["location"] == first.headers["location"],
                "the repeated request is not answered alike")
            app.post("/v1/subjects", {**body, "source": "other"}, key="once").refused("conflict", status=409)
            path = f"/v1/subjects/{first.json['id']}?purpose=service"
            patch = {"contact": {"email": "zoe@example.net"}}
            app.patch(path, patch).refused("precondition-required", status=428)
            app.patch(path, patch, etag='"9"').refused("precondition-failed", status=412)
            changed = app.patch(path, patch, etag='"1"').expect(200)
            check(changed.json["version"] == 2 and changed.etag == '"2"', f"{changed.json}")
            check(app.get(path).expect(200).etag == '"2"', "the new tag")
            answer = app.request("HEAD", path)
            check(answer.status == 200 and answer.body == b"" and answer.etag == '"2"', f"HEAD: {answer.status}")
            allow = app.request("PUT", path, {}).refused("method-not-allowed", status=405)
            check(allow, "405")

    @tests.test("api: batches")
    def batches():
        with Server(POLICY) as server:
            app = server.client("app")
            def create(n):
                return {"method": "POST", "path": "/v1/subjects", "body": {"data": {**PERSON,
                    "contact": {"email": f"p{n}@example.org"}}, "source": "person"}}
            many = {"requests": [create(n) for n in range(200)]}
            made = app.post("/v1/batch", many, key="batch").expect(207).json["results"]
            check(all(r["status"] == 201 and r["etag"] == '"1"' for r in made), f"{made[:3]}")
            check(len({r["body"]["id"] for r in made}) == 200, "ids are not each their own")
            check(app.post("/v1/batch", many, key="batch").expect(207).json["results"] == made,
                "the repeated batch is not answered alike")
            person = made[0]["body"]["id"]
            path = f"/v1/subjects/{person}?purpose=service"
            steps = [{"method": "PATCH", "path": path, "if_match": f'"{n}"', "body": {"contact": {"email": f"v{n}@example.org"}}}
                for n in range(1, 21)]
            done = app.post("/v1/batch", {"requests": steps}).expect(207).json["results"]
            check([r["status"] for r in done] == [200] * 20, f"requests about one person are not done in their order: {done[:4]}")
            mixed = app.post("/v1/batch", {"requests": [
                {"method": "GET", "path": path}, {"method": "GET", "path": "/nothing"},
                    {"method": "GET", "path": "/v1/subjects/%zz"}, {"method": "BREW", "path": path},
                {"method": "POST", "path": "/v1/batch", "body": {"requests": []}}, {"method": "POST", "path": "/v1/sweep"},
                    {"method": "GET", "path": "/healthz"},
                {"method": "GET", "path": path, "colour": "red"}, {"method": "PATCH", "path": path, "body": {}},
                    {"method": "GET", "path": path, "body": {}}]}).expect(207).json["results"]
            check([r["status"] for r in mixed] == [200, 404, 400, 400, 400, 403, 400, 400, 428, 400], f"{mixed}")
            check(app.post("/v1/batch", {"requests": []}).expect(207).json == {"results": []}, "the empty batch")

    @tests.test("api: failed credentials are slowed down")
    def throttle():
        with Server(POLICY) as server:
            good = server.client("app")
            statuses = [Client(server.port, f"garant_{'A' * 40}{n:03}").get("/v1/policy").status for n in range(30)]
            check(statuses[:20] == [401] * 20 and statuses[20:] == [429] * 10, f"{statuses}")
            good.get("/v1/policy").expect(200)
            server.operator().get("/v1/policy").expect(200)

    @tests.test("api: metrics")
    def metrics():
        with Server(POLICY) as server:
            server.anyone().get("/nothing")
            server.client("app").create(PERSON)
            text = server.anyone().get("/metrics").expect(200).body.decode()
            values = {}
            for line in text.splitlines():
                if not line.startswith("#"):
                    found = re.fullmatch(r'([a-z_]+)(\{[a-z_]+="[^"]*"(?:,[a-z_]+="[^"]*")*\})? ([0-9.e+-]+)', line)
                    check(found, f"no line of Prometheus: {line}")
                    values[found[1] + (found[2] or "")] = float(found[3])
            check(values['garant_job_turns_total{job="policy"}'] >= 0 and values['garant_job_failures_total{job="sweep"}'] == 0, f"{values}")
            check(values['garant_requests_total{route="none",status="404"}'] == 1 and values["garant_subjects"] == 1, f"{values}")
            check(values['garant_requests_total{route="subject_create",status="201"}'] == 1
                and values["garant_journal_entries"] >= 2, f"{values}")
            commits = values["garant_commits_total"]
            check(commits == values["garant_group_seconds_count"] == values['garant_group_writes_bucket{le="+Inf"}'] >= 2
                and values["garant_group_writes_sum"] == values["garant_writes_total"] >= commits
                and 0 < values['garant_group_writes_bucket{le="1"}'] <= values['garant_group_writes_bucket{le="2"}'] <= commits
                and values["garant_group_seconds_sum"] > 0, f"groups of writes: {values}")
            check(values["process_open_fds"] > 5 and values["process_resident_memory_bytes"] > 1 << 20, "the process")
            check("zoe" not in text.lower() and "127.0.0.1" not in text, "metrics hold something personal")

    @tests.test("api: the journal is served as tiles")
    def tiles():
        with Server(POLICY) as server:
            app = server.client("app")
            app.create(PERSON)
            note = app.get("/v1/journal/checkpoint").expect(200).body.decode()
            origin, size, root = note.split("\n")[:3]
            key = server.anyone().get("/v1/journal/key").expect(200).body.decode().strip()
            check(key.startswith(origin + "+"), f"{key} is not the key of {origin}")
            tile = app.get(f"/v1/journal/tile/0/000.p/{size}").expect(200)
            check(len(tile.body) == 32 * int(size), f"{len(tile.body)} bytes for {size} entries")
            app.get(f"/v1/journal/tile/entries/000.p/{size}").expect(200)
            for wrong in ("0/0", "0/1000", "0/000.p/0", "0/000.p/256", "0/000.p/01", "00/000", "0/x000/000", "0/999", "64/000",
                "a/000", "0/000.p/", "0/000/"):
                app.get("/v1/journal/tile/" + wrong).expect(404)
            proof = app.get("/v1/journal/proof?index=0").expect(200).json
            check(proof["size"] == int(size) and proof["checkpoint"] == note, f"{proof}")
            app.get(f"/v1/journal/proof?index={size}").expect(404)
            app.get("/v1/journal/proof?index=-1").expect(400)
