"""Budgets from outside, made from what /openapi.json says of each: spent to the last one, refused in the asker's language with the time to try
again, kept apart from person to person, whole again the next day; and what withdraws, erases or takes back goes on beyond them."""
import os, urllib.parse
import engine
from garant import Server, check
from people import Visitor, opened, visitor

RELEASE = os.environ.get("GARANT_TIER") == "release"
POLICY, START = "tests/hostile/people.yaml", "2026-11-21T09:00:00Z"


def data(name):
    return {"identity": {"first_name": "Marguerite", "last_name": "Duras"}, "contact": {"email": f"{name}@people.example"}}


def budgets(server):
    """By name: limit, unit, within, says."""
    rows = server.anyone().get("/openapi.json").expect(200).json["x-garant-budgets"]
    return {row["name"]: row for row in rows}


def refused(answer, row, status=429):
    """Beyond a budget: the sentence of its row, and when to try again."""
    problem = answer.refused(status=status)
    check(row["says"] in problem["detail"] and str(row["limit"]) in problem["detail"], f"{row['name']}: {problem}")
    if status == 429:
        check(0 < int(answer.headers["retry-after"]) <= max(row["within"], 1), f"{row['name']}: {answer.headers.get('retry-after')}")


def spend(server, client, request, row):
    """All of it, in batches where there are very many; then one more, which the answer is of."""
    method, path, body = request
    left = row["limit"]
    while 0 < left <= 1000:
        client.request(method, path, body).expect(201, 202)
        server.advance(ms=2)
        left -= 1
    while left:
        count = min(left, 500)
        items = client.post("/v1/batch", {"requests": [{"method": method, "path": path, "body": body}] * count}).expect(207).json["results"]
        wrong = [item for item in items if item["status"] >= 300]
        check(not wrong, f"{row['name']}: {wrong[:2]}")
        left -= count
    return client.request(method, path, body)


def register(tests):
    @tests.test("budgets: of each act a day's, to the last one, of that person alone, and the next day again")
    def of_acts():
        with Server(POLICY, now=START) as server:
            app, rows = server.client("app"), budgets(server)
            alice, bob = (app.create(data(name))["id"] for name in ("alice", "bob"))
            service = {"purpose": "service"}
            acts = {"messages": ("POST", "messages", {**service, "subject": "A letter", "text": "What it says."}),
                    "calls": ("POST", "calls", {**service, "subject": "A call"}),
                    "holds": ("POST", "holds", {"category": "contacts", "ground": "dispute"}),
                    "disclosures": ("POST", "disclosures", {**service, "recipient": "carrier", "categories": ["identity"]}),
                    "changes": ("POST", "records/visits", {"fields": {"page": "/"}})}
            if not RELEASE:
                del acts["changes"]                              # ten thousand of them take a while; the unit tests count them every time
            for name, (method, path, body) in acts.items():
                refused(spend(server, app, (method, f"/v1/subjects/{alice}/{path}", body), rows[name]), rows[name])
                app.post(f"/v1/subjects/{bob}/{path}", body).expect(201, 202)
            french = app.post(f"/v1/subjects/{alice}/calls", acts["calls"][2], **{"Accept-Language": "fr"}).refused(status=429)
            check(french["detail"].startswith(f"au plus {rows['calls']['limit']} appels"), f"{french}")
            app.record(alice, "visits", {"page": "/"}).expect(201)
            # What ends something is no such act, however many there were.
            app.consent(alice, "news", "withdrawn", channel="email").expect(201)
            app.put(f"/v1/subjects/{alice}/objections/news").expect(204)
            app.delete(f"/v1/subjects/{alice}/records/visits").expect(204)
            server.advance(days=1)
            for name, (method, path, body) in acts.items():
                app.post(f"/v1/subjects/{alice}/{path}", body).expect(201, 202)
            app.post(f"/v1/subjects/{bob}/erase", {"ground": "request"}).expect(200)
        return ", ".join(f"{name} {rows[name]['limit']}" for name in acts)

    @tests.test("budgets: files of one person are bounded by number; one that is erased leaves room")
    def files():
        with Server(POLICY, now=START) as server:
            app, rows = server.client("app"), budgets(server)
            alice = app.create(data("alice"))["id"]

            def add(n):
                return app.request("POST", f"/v1/subjects/{alice}/attachments?category=visits&name=f{n}", b"x", {"Content-Type": "text/plain"}.items())
            limit, a_day = rows["files_held"]["limit"], rows["files_added"]["limit"]
            for n in range(limit):
                if n % a_day == 0 and n:
                    refused(add(n), rows["files_added"])
                    server.advance(days=1)
                last = add(n).expect(201).json["id"]
            server.advance(days=1)
            refused(add(limit), rows["files_held"], 409)
            app.delete(f"/v1/subjects/{alice}/attachments/{last}").expect(204)
            add(limit).expect(201)
        return f"{limit} files"

    @tests.test("budgets: a signed-in person's requests of a minute, on pages too, and never what withdraws or signs out")
    def requests():
        with Server(POLICY) as server:
            rows = budgets(server)
            alice = opened(server, data("alice"))
            opened(server, data("bob"))
            one, other = visitor(server, "alice@people.example"), visitor(server, "bob@people.example")
            said = one.get("/v1/session")
            for _ in range(3 * rows["requests"]["limit"]):       # a minute may end meanwhile, twice on a slow machine
                said = one.get("/v1/session")
                if said.status != 200:
                    break
            refused(said, rows["requests"])
            page = one.get("/me?lang=fr", Accept="text/html")
            check(page.status == 429 and page.headers["retry-after"].isdigit() and "au plus" in page.body.decode(), f"{page.status} {page.body[:300]}")
            other.get("/v1/session").expect(200)
            one.consent(alice, "news", "withdrawn", channel="email").expect(201)
            form = urllib.parse.urlencode({"csrf": one.csrf}).encode()
            one.post("/signout", form, **{"Content-Type": "application/x-www-form-urlencoded"}).expect(303)

    @tests.test("budgets: links and devices beyond theirs take the place of the oldest")
    def oldest():
        with Server(POLICY, now=START) as server:
            rows = budgets(server)
            opened(server, data("alice"))
            for n in range(rows["devices"]["limit"] + 5):
                Visitor(server, headers={"User-Agent": f"browser {n}"}).sign_in("alice@people.example")
                server.advance(seconds=1)
            operator, links = server.operator(), []
            later = operator.post("/v1/accounts", {"data": data("later"), "supplied_by": "person"}).expect(201).json["id"]
            for _ in range(rows["links"]["limit"] + 5):
                links.append(operator.post(f"/v1/accounts/{later}/invite").expect(200).json["link"])
                server.advance(seconds=1)
            server.stop()
            with engine.base(server.data, write=True) as base:
                held = {name: base.execute(f"SELECT count(*) FROM {table} GROUP BY subject ORDER BY 1 DESC LIMIT 1").fetchone()[0]
                        for name, table in (("devices", "device"), ("links", "ticket"), ("sessions", "session"))}
            check(held["devices"] == rows["devices"]["limit"] and held["sessions"] == rows["sessions"]["limit"], f"{held}")
            check(held["links"] <= rows["links"]["limit"], f"{held}")
        return f"{held}"
