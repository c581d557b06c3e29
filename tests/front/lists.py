"""What is longer than usual: JSON beyond its bound, lists in pages, and what is held but cannot be read."""
import csv, html, io, json, os, re
import engine
from garant import Server, check, garant
from identifiers import variant
from people import opened, visitor
from visitor import account
from words import event, word

PEOPLE = "tests/hostile/people.yaml"
LONG = os.environ.get("GARANT_TIER") == "release"              # what is larger than an answer can be, for real


def data(name):
    return {"identity": {"first_name": "Marguerite", "last_name": "Duras"}, "contact": {"email": f"{name}@people.example"}}


def memory(server, what):
    """KiB that the server's process has, by /proc."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii", errors="replace") as file:
        return int(re.search(rf"{what}:\s+(\d+)", file.read())[1])


def pages(client, path, member, limit):
    """All rows of a list, a page after the other by its Link; the number of pages."""
    rows, count = [], 0
    at = f"{path}?limit={limit}"
    while at:
        answer = client.get(at).expect(200)
        got = answer.json[member]
        check(0 < len(got) <= limit, f"{at}: {len(got)} rows")
        rows += got
        count += 1
        link = answer.headers.get("link")
        check(bool(link) == bool(answer.json["next"]), f"{at}: link {link!r}, next {answer.json['next']!r}")
        check(not link or link.endswith('; rel="next"'), f"link {link!r}")
        at = link and link[1:link.index(">")]
    return rows, count


def register(tests):
    @tests.test("lists: JSON beyond its bound is refused by name, and what was held before is read as before")
    def bounds():
        with Server(PEOPLE) as server:
            app = server.client("app")
            held = app.post("/v1/subjects", {"data": data("alice"), "source": "person"}).expect(201).json["id"]
            visits = f"/v1/subjects/{held}/records/visits"
            app.post(visits, {"fields": {"page": "a", "more": {"note": "<" * 300}}}).expect(201)
            for letter, times in (("<", 250_000), ("<", 12_000), ("a", 250_000), ("\u00e9", 66_000)):      # "<" is stored as \u003c
                app.post(visits, {"fields": {"page": "b", "more": letter * times}}).refused("invalid-value", status=422)
            check("<" * 300 in str(app.get(f"/v1/subjects/{held}/access").expect(200).json), "what was held is whole")

    @tests.test("lists: consents and disclosures come in pages, all of them and each once; none is ever empty")
    def paged():
        with Server(PEOPLE) as server:
            alice = account(server, data("alice"))
            alice.sign_in().expect(200)
            app, most = server.client("app"), 120
            for i in range(most // 40):
                alice.post(f"/v1/subjects/{alice.subject}/consents",
                           [{"purpose": "news", "decision": "given" if k % 2 else "withdrawn", "channel": "email"} for k in range(40)]).expect(201)
            path = f"/v1/subjects/{alice.subject}/consents"
            whole = alice.get(path).expect(200).json
            for limit in (1000, 50, 7):
                rows, count = pages(alice, path, "consents", limit)
                check(rows == whole["consents"] and count == -(-len(rows) // limit), f"{limit}: {len(rows)} rows on {count} pages")
            check(len(whole["last"]) == 1 and whole["last"][0] == whole["consents"][-1], f"in force: {whole['last']}")
            for wrong in ("limit=0", "limit=1001", "limit=x", "after=x", "after=1.2"):
                alice.get(f"{path}?{wrong}").refused("invalid-value", status=422)
            alice.get(f"{path}?page=2").refused("usage", status=400)
            one = {"method": "POST", "path": f"/v1/subjects/{alice.subject}/disclosures",
                   "body": {"recipient": "carrier", "purpose": "service", "categories": ["identity"]}}
            app.post("/v1/batch", {"requests": [one] * 30}).expect(207)
            rows, count = pages(app, f"/v1/subjects/{alice.subject}/disclosures", "disclosures", 8)
            check(len({row["id"] for row in rows}) == len(rows) == 30 and count == 4, f"{len(rows)} disclosures on {count} pages")

    @tests.test("lists: looks, former values, accounts and duties come in pages too, all of them and each once")
    def others():
        with Server(PEOPLE) as server:
            alice = account(server, data("alice"))
            alice.sign_in().expect(200)
            account(server, data("bob"))
            app, path = server.client("app"), f"/v1/subjects/{alice.subject}"
            for i in range(6):
                app.patch(path, {"identity": {"first_name": f"M{i}"}}, etag="*").expect(200)
            rows, count = pages(app, f"{path}/looks", "looks", 1000)
            entries = [row["entry"] for row in rows]
            check(count == 1 and entries == sorted(set(entries), reverse=True) and len(entries) > 8, f"{entries}")
            told = [row["entry"] for row in app.get(f"{path}/access").expect(200).json["looks"]]
            check(set(entries) < set(told), f"the access answer tells {told}, the list {entries}")
            some, count = pages(alice, f"{path}/looks", "looks", 4)      # each page is a look itself, newer than all that follow
            check(set(told) <= {row["entry"] for row in some} and count >= 3, f"{len(some)} looks on {count} pages")
            whole = app.get(f"{path}/former").expect(200).json
            rows, count = pages(app, f"{path}/former", "former", 2)
            check(rows == whole["former"] and count == 3, f"{len(rows)} former values on {count} pages")
            operator = server.operator()
            rows, count = pages(operator, "/v1/accounts", "accounts", 1)
            check(rows == operator.get("/v1/accounts").expect(200).json["accounts"] and count == len(rows) >= 2, f"{count} pages")
            for list_ in (f"{path}/looks", f"{path}/former", "/v1/accounts", "/v1/duties", "/v1/mail", "/v1/archive", "/v1/policy/acknowledgements"):
                operator.get(f"{list_}?limit=0").refused("invalid-value", status=422)
                operator.get(f"{list_}?after=x").refused("invalid-value", status=422)

    @tests.test("lists: many records are all in the access answer and the export, each once and in their order")
    def many_records():
        with Server("tests/hostile/people.yaml") as server:
            app, count = server.client("app"), 700
            alice = app.create({"identity": {"first_name": "Ana", "last_name": "Test"}, "contact": {"email": "alice@people.example"}})["id"]
            for begin in range(0, count, 350):
                app.post("/v1/batch", {"requests": [{"method": "POST", "path": f"/v1/subjects/{alice}/records/visits",
                                                     "body": {"fields": {"page": f"/page/{n}"}}} for n in range(begin, begin + 350)]}).expect(207)
            wanted = [f"/page/{n}" for n in range(count)]
            files, exported = app.export(alice)
            for file in (app.get(f"/v1/subjects/{alice}/access").expect(200).json, exported):
                check([one["fields"]["page"] for one in file["data"]["visits"]] == wanted, f"{len(file['data']['visits'])} visits")
                records = next(one["records"] for one in file["categories"] if one["category"] == "visits")
                check([one["item"] for one in records] == [one["item"] for one in file["data"]["visits"]], f"{len(records)} records")
                check(list(file["data"]) == ["identity", "contact", "visits", "folder_rights"] and not file["unreadable"], f"{list(file['data'])}")
            check(files["visits.csv"].count(b"/page/") == count, "the table has others")

    @tests.test("lists: a large copy comes whole, in little memory, in every part of it")
    def large_copy():
        with variant("tests/front/values.yaml", ("note: {type: text, max: 500}", "note: {type: text, max: 60000}")) as policy, Server(policy) as server:
            app, count, size = server.client("app"), 1_500 if LONG else 180, 58_000
            ident = app.create({"identity": {"name": "Zoe"}, "contact": {"email": "z@ex.example"}})["id"]

            def note(n):
                return f"{n} " + "\u00e9" * (size // 2)
            path = f"/v1/subjects/{ident}/records/events"
            for begin in range(0, count, 15):
                made = app.post("/v1/batch", {"requests": [{"method": "POST", "path": path, "body": {"fields": {
                    "at": "2026-11-01T09:00:00Z", "note": note(n)}}} for n in range(begin, begin + 15)]}).expect(207).json["results"]
                check(all(one["status"] == 201 for one in made), f"{made[0]}")
            with open(f"/proc/{server.process.pid}/clear_refs", "w", encoding="ascii") as file:
                file.write("5")                                       # its peak from now on
            before = memory(server, "VmHWM")
            files, exported = app.export(ident)
            grown = memory(server, "VmHWM") - before
            told = len(files["data.json"]) >> 20
            check(told > 64 or not LONG, f"{told} MiB are not more than an answer holds")
            check([one["fields"]["note"] for one in exported["data"]["events"]] == [note(n) for n in range(count)], "not all, or not in their order")
            records = next(one["records"] for one in exported["categories"] if one["category"] == "events")
            check([one["item"] for one in records] == [one["item"] for one in exported["data"]["events"]], f"{len(records)} records")
            rows = list(csv.reader(io.StringIO(files["events.csv"].decode("utf-8-sig"), newline="")))
            check([row[-1] for row in rows[1:]] == [note(n) for n in range(count)], f"{len(rows)} rows")
            page = files["index.html"].decode()
            check("data.json" in page and note(0) in page and note(count - 1) not in page, "the page does not say that there are more")
            check(grown < 48 << 10, f"{grown} KiB for a copy of {told} MiB")
            with open(f"/proc/{server.process.pid}/clear_refs", "w", encoding="ascii") as file:
                file.write("5")
            before = memory(server, "VmHWM")
            answer = app.get(f"/v1/subjects/{ident}/access").expect(200)
            grown = max(grown, memory(server, "VmHWM") - before)
            check(answer.json["data"] == exported["data"] and answer.headers["content-type"] == "application/json", "the access answer is another")
            check(grown < 48 << 10, f"{grown} KiB for an access answer of {len(answer.body) >> 20} MiB")
            part = app.post("/v1/batch", {"requests": [{"method": "GET", "path": f"/v1/subjects/{ident}/access"}]}).expect(207).json["results"][0]
            check(part["status"] == 413 and part["body"]["code"] == "too-large", f"in a batch: {str(part)[:300]}")
            return f"{told} MiB of data.json, {grown >> 10} MiB of memory"

    @tests.test("lists: the page of looks leads to the very first, past the newest two thousand")
    def first_look():
        with Server("tests/hostile/people.yaml") as server:
            app = server.client("app")
            alice = opened(server, {"identity": {"first_name": "Ana", "last_name": "Test"}, "contact": {"email": "alice@people.example"}})
            look = {"method": "GET", "path": f"/v1/subjects/{alice}?purpose=service"}
            for _ in range(3):
                app.post("/v1/batch", {"requests": [look] * 700}).expect(207)
            one = visitor(server, "alice@people.example")
            seen = 0
            for path, first in (("/me/looks?page=40", "read"), ("/me/looks?who=done", "subject.create")):
                while path:
                    text = one.get(path, Accept="text/html").expect(200).body.decode()
                    seen += text.count('<p class="when">')
                    link = re.search(rf'href="([^"]*)">{word("looks.earlier")}</a>', text)
                    path = html.unescape(link[1]) if link else None
                check(event(first) in text, f"the first is on no page: {text[-600:]}")
            check(100 < seen < 400, f"{seen} looks on the pages behind")
        return f"{seen} looks behind the first 1,950"

    @tests.test("lists: what is held and cannot be read is named in the access answer, which has all the rest")
    def unreadable():
        with Server(PEOPLE) as server:
            app = server.client("app")
            person = app.post("/v1/subjects", {"data": data("alice"), "source": "person"}).expect(201).json["id"]
            before = app.get(f"/v1/subjects/{person}/access").expect(200).json
            check(before["unreadable"] == [] and "identity" in before["data"], "all is read at first")
            server.stop()
            store = engine.base(server.data, write=True)
            changed = store.execute("UPDATE record SET sealed = zeroblob(length(sealed)) WHERE category = 'identity'").rowcount
            store.commit()
            store.close()
            check(changed == 1, f"{changed} records altered")
            server.start()
            after = app.get(f"/v1/subjects/{person}/access").expect(200).json
            check([(one["category"], one["records"]) for one in after["unreadable"]] == [("identity", 1)], f"{after['unreadable']}")
            check(after["data"]["contact"] == before["data"]["contact"], "the rest is told")
            check(app.get(f"/v1/subjects/{person}/export").expect(200).body[:2] == b"PK", "a copy is made")
            read = app.get(f"/v1/subjects/{person}?purpose=service").expect(200).json
            check([(one["category"], one["records"]) for one in read["unreadable"]] == [("identity", 1)], f"a read: {read}")
            check("identity" not in read["data"] and read["data"]["contact"] == before["data"]["contact"], "a read has the rest")
            app.patch(f"/v1/subjects/{person}", {"identity": {"first_name": "M"}}, **{"If-Match": "*"}).refused("integrity", "cryptography", status=500)

    @tests.test("lists: the board and doctor name whatever is held and cannot be read, by its place and without values")
    def named():
        with Server(PEOPLE) as server:
            app, alice = server.client("app"), account(server, data("alice"))
            alice.sign_in().expect(200)
            person = alice.subject
            app.post(f"/v1/subjects/{person}/records/visits", {"fields": {"page": "/seen"}}).expect(201)
            app.post(f"/v1/subjects/{person}/attachments?category=identity&name=pass.txt", b"hello", **{"Content-Type": "text/plain"}).expect(201)
            one = {"purpose": "news", "decision": "given", "channel": "email", "evidence": "asked by mail"}
            alice.post(f"/v1/subjects/{person}/consents", [one]).expect(201)
            sound = garant("doctor", "--data", server.data, "--json")
            check("unreadable" not in sound, f"sound: {sound}")
            server.stop()
            store = engine.base(server.data, write=True)
            for change in ("UPDATE record SET sealed = (SELECT sealed FROM record WHERE category = 'contact') WHERE category IN ('identity', 'visits')",
                           "UPDATE attachment SET meta = zeroblob(length(meta))", "UPDATE consent SET evidence = zeroblob(length(evidence))"):
                check(store.execute(change).rowcount > 0, change)
            store.commit()
            store.close()
            for running in (False, True):
                if running:
                    server.start()
                run = garant("doctor", "--data", server.data, "--json", ok=None)
                check(run.returncode != 0, f"doctor ends with {run.returncode}")
                lines = [one["detail"] for one in json.loads(run.stdout) if one["check"] == "unreadable"]
                kinds = sorted(tuple(line.split()[2:4]) for line in lines)
                check(kinds == [("attachment", "identity"), ("consent", "news"), ("record", "identity"), ("record", "visits")], f"{lines}")
                check(all(line.split()[:2] == ["people", person] for line in lines) and "Duras" not in run.stdout, f"{lines}")
            board = server.operator().get("/v1/promises?fresh=true").expect(200).json
            probe = next(one for one in board["probes"] if one["name"] == "readable")
            check(probe["state"] == "broken" and probe["bad"] == 4, f"{probe}")
            check(server.operator().get("/v1/unreadable").expect(200).json["all"] == 4, "all")
            app.get("/v1/unreadable").expect(403)
            answer = app.get(f"/v1/subjects/{person}/access").expect(200).json
            page = alice.get("/me", Accept="text/html").expect(200).body.decode()
            check(page.count("could not read it") == 2, "/me names what it cannot show")
            check(answer["attachments"][0]["unreadable"] and answer["consents"][0]["unreadable"], "the access answer says it")
