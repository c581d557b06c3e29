"""Who was given data, from outside: told of each correction and restriction of what they were given (GDPR 19), once until it is done."""
import base64, contextlib, csv, hashlib, hmac, http.server, io, json, os, re, tempfile, threading, time
import engine
from garant import Server, check, milliseconds
from mailbox import Mailbox

POLICY, START, SECRET = "tests/hostile/people.yaml", "2026-11-21T09:00:00Z", "planted-secret-of-a-webhook-1234"


class Hook:
    """A recipient's application: what it was sent, and what it answers."""

    def __init__(self):
        self.seen, self.status, self.body, self.hold, hook = [], 204, "", None, self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body, head = self.rfile.read(int(self.headers["content-length"])), self.headers
                text = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + body
                good = "v1," + base64.b64encode(hmac.new(SECRET.encode(), text, hashlib.sha256).digest()).decode()
                hook.seen.append({"id": head["webhook-id"], "body": body.decode(), "json": json.loads(body), "signed": head["webhook-signature"] == good})
                if hook.hold:
                    hook.hold.wait(30)
                answer = hook.body.encode()
                try:
                    self.send_response(200 if answer else hook.status)
                    self.send_header("content-length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                except OSError:                                              # who asked was killed
                    pass

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/garant"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def wait(self, count):
        until(lambda: len(self.seen) >= count)
        return self.seen


def until(found, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = found()
        if got:
            return got
        time.sleep(0.05)
    raise AssertionError("it did not come about")


def settings(folder, rows, *changes):
    """A policy in a folder of its own, changed so, with how its recipients are told."""
    os.chmod(folder, 0o755)
    with open(POLICY) as of, open(f"{folder}/people.yaml", "w") as to:
        text = of.read()
        for before, after in changes:
            check(before in text, f"the policy has no {before}")
            text = text.replace(before, after)
        to.write(text)
    for name, text in (("recipients.yaml", f"recipients:\n  {rows}\n"), ("secret", SECRET)):
        with open(f"{folder}/{name}", "w") as file:
            file.write(text)
    os.chmod(f"{folder}/secret", 0o600)
    return f"{folder}/people.yaml"


def rows_of(server, recipient="carrier"):
    return server.operator().get(f"/v1/recipients/{recipient}/told").expect(200).json["told"]


def owed(app, ident):
    """(kind, recipient) of what is owed about that person, with the disclosures that it names."""
    return {(row["kind"], row["about"]): row for row in app.get("/v1/duties").expect(200).json["duties"] if row["subject"] == ident and row["kind"] != "inform"}


def register(tests):
    @tests.test("given: a recipient is to be told of a correction and of a restriction, each once until it is done, and of nothing it was not given")
    def told():
        with Server(POLICY, now=START) as server:
            app = server.client("app")
            ident, other = (app.create({"identity": {"first_name": "Marguerite", "last_name": "Duras"}, "contact": {"email": f"{name}@people.example"}})["id"]
                            for name in ("alice", "bob"))
            what = {"recipient": "carrier", "purpose": "service", "categories": ["identity"]}
            given = [app.post(f"/v1/subjects/{ident}/disclosures", what).expect(201).json["id"] for _ in range(2)]
            app.change(ident, "service", {"contact": {"email": "alice.new@people.example"}})
            app.change(other, "service", {"identity": {"last_name": "Donnadieu"}})
            check(not owed(app, ident) and not owed(app, other), f"nothing of what was given was changed: {owed(app, ident)}, {owed(app, other)}")
            app.change(ident, "service", {"identity": {"last_name": "Donnadieu"}})
            app.change(ident, "service", {"identity": {"last_name": "Mascolo"}})
            first = owed(app, ident)
            check(list(first) == [("tell_correction", "carrier")], f"after two corrections: {first}")
            row = first["tell_correction", "carrier"]
            check(row["article"] == "GDPR 19" and sorted(row["note"].split(",")) == sorted(given) and row["due"][:10] == "2026-11-28", f"{row}")
            app.put(f"/v1/subjects/{ident}/restriction", {"ground": "accuracy contested"}).expect(204)
            check(sorted(owed(app, ident)) == [("tell_correction", "carrier"), ("tell_restriction", "carrier")], f"restricted: {owed(app, ident)}")
            app.delete(f"/v1/subjects/{ident}/restriction").expect(204)
            check(sorted(owed(app, ident)) == [("tell_correction", "carrier")], f"nobody is told to restrict what is restricted no more: {owed(app, ident)}")
            given.append(app.post(f"/v1/subjects/{ident}/disclosures", what).expect(201).json["id"])
            app.change(ident, "service", {"identity": {"last_name": "Antelme"}})
            later = owed(app, ident)["tell_correction", "carrier"]
            check(later["id"] == row["id"] and sorted(later["note"].split(",")) == sorted(given), f"what was disclosed since is not told: {later}")
            app.post(f"/v1/duties/{row['id']}/done", {"outcome": "done", "note": "by letter"}).expect(204)
            app.change(ident, "service", {"identity": {"first_name": "Marguerite Germaine"}})
            again = owed(app, ident)["tell_correction", "carrier"]
            check(again["id"] != row["id"], "what is corrected after the recipient was told is told again")
            server.operator().post("/v1/journal/verify").expect(200)
            app.erase(ident)
            left = app.get("/v1/duties").expect(200).json["duties"]
            check([(one["kind"], one["about"], one["subject"]) for one in left if one["kind"].startswith("tell")] == [("tell", "carrier", None)],
                  f"the erasure takes the place of what was owed: {left}")

    @tests.test("given: disclosed three thousand times to one recipient, a person is corrected, restricted, swept and erased as any other")
    def thousands():
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="garant-told-"))
            policy = settings(folder, "carrier: {by: staff}", ("categories: [identity, contact], country", "categories: [identity, contact, visits], country"))
            server = stack.enter_context(Server(policy, now=START))
            app, count = server.client("app"), 3000
            ident = app.create({"identity": {"first_name": "Marguerite", "last_name": "Duras"}, "contact": {"email": "alice@people.example"}})["id"]
            app.record(ident, "visits", {"page": "/one"}).expect(201)
            what = {"recipient": "carrier", "purpose": "service", "categories": ["identity", "visits"]}
            for number in range(1, count + 1):
                app.post(f"/v1/subjects/{ident}/disclosures", what).expect(201)
                if number % 1000 == 0:                                       # a day's most
                    server.advance(hours=25)
            app.change(ident, "service", {"identity": {"last_name": "Donnadieu"}})
            app.put(f"/v1/subjects/{ident}/restriction", {"ground": "accuracy contested"}).expect(204)
            check({kind: len(row["note"].split(",")) for (kind, _), row in owed(app, ident).items()} ==
                  {"tell_correction": count, "tell_restriction": count}, "it is told of less than it was given")
            app.delete(f"/v1/subjects/{ident}/restriction").expect(204)
            server.set_clock(milliseconds("2027-12-10T09:00:00Z"))
            server.sweep()
            check(len(owed(app, ident)["tell_part", "carrier"]["note"].split(",")) == count, "the sweep tells of less than was given")
            app.erase(ident)
            told = [row for row in app.get("/v1/duties").expect(200).json["duties"] if row["kind"] == "tell"]
            check([len(row["note"].split(",")) for row in told] == [count], "the erasure is told of less than it was given")
            server.operator().post("/v1/journal/verify").expect(200)

    @tests.test("given: a webhook and a letter tell a recipient by themselves of what was done, by the ids of disclosures alone, again until it answers")
    def by_itself():
        with contextlib.ExitStack() as stack:
            hook, folder = stack.enter_context(Hook()), stack.enter_context(tempfile.TemporaryDirectory(prefix="garant-told-"))
            policy = settings(folder, f"carrier: {{by: webhook, url: '{hook.url}', secret: {folder}/secret}}")
            server = stack.enter_context(Server(policy, now=START))
            app = server.client("app")
            ident = app.create({"identity": {"first_name": "Marguerite", "last_name": "Duras"}, "contact": {"email": "planted.alice@people.example"}})["id"]
            what = {"recipient": "carrier", "purpose": "service", "categories": ["identity"]}
            given = app.post(f"/v1/subjects/{ident}/disclosures", what).expect(201).json["id"]
            hook.status = 500
            app.change(ident, "service", {"identity": {"last_name": "Mascolo"}})
            first = hook.wait(1)[0]
            said = first["json"]
            check(first["signed"] and said["type"] == "correction" and said["references"] == [given] and said["id"] == first["id"], f"{first}")
            for name in ("Marguerite", "Mascolo", "Duras", "planted.alice", ident):
                check(name not in first["body"], f"what is told names more than the disclosure: {first['body']}")
            row = until(lambda: [one for one in rows_of(server) if one["state"] == "failed"])[0]
            check(row["why"] == "http" and row["tries"] == 1 and row["references"] == [given], f"{row}")
            check(owed(app, ident)["tell_correction", "carrier"]["id"] == row["id"], "what is told is another duty")
            app.change(ident, "service", {"identity": {"last_name": "Donnadieu"}})                # after a try began: it is told apart
            check(len(rows_of(server)) == 2, "a correction after the first try is lost in it")
            hook.wait(2)
            hook.status = 204
            server.set_clock(milliseconds(START) + 120_000)
            ids = {one["id"] for one in hook.wait(4)}
            check(ids == {one["id"] for one in rows_of(server)}, "told again under another id")
            until(lambda: all(one["state"] == "sent" for one in rows_of(server)))
            check(len(hook.seen) == 4, "told again before its time")
            hook.body = json.dumps({"state": "acknowledged"})
            server.set_clock(milliseconds(START) + 8 * 86_400_000)
            until(lambda: all(one["state"] == "acknowledged" and one["via"] == "webhook" and not one["references"] for one in rows_of(server)))
            check(not owed(app, ident) and len(hook.seen) == 6, f"answered, and still owed: {owed(app, ident)}")
            hook.body = json.dumps({"state": "impossible", "reason": "planted: no such parcel"})
            app.erase(ident)
            last = until(lambda: [one for one in rows_of(server) if one["kind"] == "erasure" and one["state"] == "impossible"])[0]
            check(last["reason"] == "planted: no such parcel" and hook.seen[-1]["json"]["references"] == [given], f"{last}")
            server.operator().post("/v1/journal/verify").expect(200)
            server.stop()
            with contextlib.closing(engine.base(server.data)) as db:
                left = db.execute("SELECT kind, note FROM duty WHERE via IS NOT NULL AND note IS NOT NULL").fetchall()
            check(not left, f"by what a recipient knew the person is kept after its answer: {left}")
            held = b"".join(open(os.path.join(where, name), "rb").read() for where, _, names in os.walk(server.data) for name in names)
            check(b"no such parcel" not in held, "a recipient's reason lies open in the data folder")

    @tests.test("given: who was told of a restriction is told of its end, nobody else is, and a telling that no longer holds is not repeated")
    def released():
        with contextlib.ExitStack() as stack:
            hook, folder = stack.enter_context(Hook()), stack.enter_context(tempfile.TemporaryDirectory(prefix="garant-told-"))
            policy = settings(folder, f"carrier: {{by: webhook, url: '{hook.url}', secret: {folder}/secret}}")
            server = stack.enter_context(Server(policy, now=START))
            app = server.client("app")
            ident = app.create({"identity": {"first_name": "Marguerite", "last_name": "Duras"}})["id"]
            what = {"recipient": "carrier", "purpose": "service", "categories": ["identity"]}
            given = app.post(f"/v1/subjects/{ident}/disclosures", what).expect(201).json["id"]

            def turn(on, seen):
                path = f"/v1/subjects/{ident}/restriction"
                server.advance(seconds=1)                                    # so that rows stand in their order
                (app.put(path, {"ground": "accuracy contested"}) if on else app.delete(path)).expect(204)
                return hook.wait(seen)[-1]["json"]

            def states():
                return [(one["kind"], one["state"]) for one in reversed(rows_of(server))]
            hook.body = json.dumps({"state": "acknowledged"})
            check(turn(True, 1)["type"] == "restriction", "not told of the restriction")
            until(lambda: states() == [("restriction", "acknowledged")])
            last = turn(False, 2)                                            # its references were erased with its answer
            check(last["type"] == "release" and last["references"] == [given], f"{last}")
            until(lambda: states()[1:] == [("release", "acknowledged")])
            hook.body, hook.status = "", 500
            turn(True, 3)
            until(lambda: states()[2:] == [("restriction", "failed")])
            hook.status = 204
            check(turn(False, 4)["type"] == "release", "it may have heard of the second restriction")
            until(lambda: states()[2:] == [("restriction", "over"), ("release", "sent")])
            server.advance(hours=1)                                         # the restriction would be tried again by now
            check(turn(True, 5)["type"] == "restriction", "what no longer holds is told again")
            until(lambda: states()[3:] == [("release", "over"), ("restriction", "sent")])
            row = rows_of(server)[1]
            check(row["answered"] is None and not row["references"], f"nobody answered it: {row}")
            server.operator().post("/v1/journal/verify").expect(200)

    @tests.test("given: rows of what is owed that were altered, however many, hold up no other, and are logged once")
    def altered():
        with contextlib.ExitStack() as stack:
            hook, folder = stack.enter_context(Hook()), stack.enter_context(tempfile.TemporaryDirectory(prefix="garant-told-"))
            policy = settings(folder, f"carrier: {{by: webhook, url: '{hook.url}', secret: {folder}/secret}}")
            server = stack.enter_context(Server(policy, now=START))
            app, ids = server.client("app"), []
            hook.status = 500
            for number in range(48):
                ident = app.create({"identity": {"first_name": "Marguerite", "last_name": f"Duras{number}"}})["id"]
                what = {"recipient": "carrier", "purpose": "service", "categories": ["identity"]}
                ids.append(app.post(f"/v1/subjects/{ident}/disclosures", what).expect(201).json["id"])
                app.erase(ident)
            hook.wait(len(ids))
            until(lambda: all(one["state"] == "failed" for one in rows_of(server)))
            server.stop()
            with contextlib.closing(engine.base(server.data, write=True)) as db, db:
                rows = db.execute("SELECT id, note FROM duty WHERE done IS NULL AND about = 'carrier' ORDER BY at, id").fetchall()
                parts = {rows[0][0][15] >> 2, rows[-1][0][15] >> 2}          # docs/ledger.md: a part is served whole, or not at all
                rows = [row for row in rows if row[0][15] >> 2 not in parts]
                check(sum(db.execute("UPDATE duty SET note = note || 'X' WHERE id = ?", (row[0],)).rowcount for row in rows) > 32, "a round passes over 32")
            good, before = set(ids) - {row[1] for row in rows}, len(hook.seen)

            def told():
                return {reference for one in hook.seen[before:] for reference in one["json"]["references"]}
            server.set_clock(milliseconds(START) + 3600_000)
            server.start()
            until(lambda: told() == good)                                    # none of them took it
            before, hook.status = len(hook.seen), 204
            server.advance(minutes=10)                                       # the first stands before those that are passed over
            until(lambda: told() == good)
            check(len(hook.seen) == before + len(good), f"told again: {len(hook.seen)}")
            said = server.log().count("told.passed")
            check(said == 2 and "told.stopped" not in server.log(), f"the log says it {said} times")
            return f"{len(rows)} altered, {len(good)} told"

    @tests.test("given: a key that recipients.yaml does not know is named with its line, and nothing is sent")
    def misspelt():
        for row, key, line in (("carrier: {by: letter, to: privacy@carrier.example, langauge: fr}", "langauge", 2),
                               ("carrier: {by: letter, to: privacy@carrier.example}\nagian: 3", "agian", 3),
                               ("carrier: {by: letter, to: privacy@carrier.example, ca_file: /etc/planted.pem}", "ca_file", 2)):
            with tempfile.TemporaryDirectory(prefix="garant-told-") as folder, Server(settings(folder, row), now=START) as server:
                seen = server.operator().get("/v1/recipients/carrier/told").expect(200).json
                check(seen["by"] == "staff" and f"recipients.yaml:{line}" in seen["fault"] and f'"{key}"' in seen["fault"], f"{key}: {seen}")

    @tests.test("given: killed after the webhook had it, a recipient is told again under the same id")
    def killed():
        with contextlib.ExitStack() as stack:
            hook, folder = stack.enter_context(Hook()), stack.enter_context(tempfile.TemporaryDirectory(prefix="garant-told-"))
            policy = settings(folder, f"carrier: {{by: webhook, url: '{hook.url}', secret: {folder}/secret}}")
            server = stack.enter_context(Server(policy, now=START))
            app = server.client("app")
            ident = app.create({"identity": {"first_name": "Marguerite", "last_name": "Duras"}})["id"]
            app.post(f"/v1/subjects/{ident}/disclosures", {"recipient": "carrier", "purpose": "service", "categories": ["identity"]}).expect(201)
            hook.hold = threading.Event()
            app.erase(ident)
            first = hook.wait(1)[0]
            server.kill()                                                    # it has it, and nothing here says so
            hook.hold.set()
            server.set_clock(milliseconds(START) + 61_000)
            server.start()
            again = hook.wait(2)[1]
            check(again["id"] == first["id"] and again["json"]["references"] == first["json"]["references"], f"{again}")
            until(lambda: [one["state"] for one in rows_of(server)] == ["sent"])
            return "1 id, 2 requests"

    @tests.test("given: a letter's link shows what is asked and spends nothing; the answer, by link or by token, is taken once")
    def answers():
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="garant-told-"))
            policy = settings(folder, "carrier: {by: letter, to: privacy@carrier.example, language: fr}")
            mailbox = stack.enter_context(Mailbox())
            server = stack.enter_context(Server(policy, now=START, arguments=mailbox.arguments()))
            app, anyone = server.client("app"), server.anyone()
            idents = [app.create({"identity": {"first_name": "Marguerite", "last_name": f"Planted{n}"}})["id"] for n in range(2)]
            what = {"recipient": "carrier", "purpose": "service", "categories": ["identity"]}
            given = [app.post(f"/v1/subjects/{one}/disclosures", what).expect(201).json["id"] for one in idents]
            app.erase(idents[0])
            letter = mailbox.wait(to="privacy@carrier.example")
            text = letter.text
            check(given[0] in text and "Planted" not in text and "Marguerite" not in text, text)
            path = re.search(r"/told\?token=\w+", text)[0]
            for _ in range(2):
                page = anyone.get(path, Accept="text/html").expect(200)
                check(given[0].encode() in page.body and b'name="state"' in page.body, page.body)
            check([one["state"] for one in rows_of(server)] == ["sent"], "opening the link took something")
            token = path.split("=")[1]
            wrong = token[:-1] + ("0" if token[-1] != "0" else "1")
            anyone.get(f"/told?token={wrong}", Accept="text/html").expect(404)
            anyone.post("/told", {"token": token, "state": "impossible"}, Accept="text/html").expect(422)
            check([one["state"] for one in rows_of(server)] == ["sent"], "impossible without a reason")
            anyone.post("/told", {"token": token, "state": "acknowledged"}, Accept="text/html").expect(200)
            check([one["state"] for one in rows_of(server)] == ["acknowledged"], f"{rows_of(server)}")
            anyone.get(path, Accept="text/html").expect(404)
            app.put(f"/v1/subjects/{idents[1]}/restriction", {"ground": "accuracy contested"}).expect(204)
            carrier = server.client("carrier")
            row, = carrier.get("/v1/told").expect(200).json["told"]
            check(row["kind"] == "restriction" and row["references"] == [given[1]], f"{row}")
            app.get("/v1/told").refused("forbidden", status=403)
            carrier.post(f"/v1/told/{row['id']}", {"state": "impossible"}).expect(422)
            carrier.post(f"/v1/told/{row['id']}", {"state": "impossible", "reason": "It is archived"}).expect(200)
            carrier.post(f"/v1/told/{row['id']}", {"state": "acknowledged"}).refused("not-found", status=404)
            check(not carrier.get("/v1/told").expect(200).json["told"], "it is answered, and asked again")
            check([(one["state"], one["reason"], one["via"]) for one in rows_of(server) if one["kind"] == "restriction"] ==
                  [("impossible", "It is archived", "token")], f"{rows_of(server)}")

    @tests.test("given: a recipient is told of what is erased in part, by hand, by a withdrawal, by its term, where it was given just that")
    def in_part():
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="garant-told-"))
            policy = settings(folder, "carrier: {by: staff}",
                              ("categories: [identity, contact], country", "categories: [identity, contact, visits, tastes], country"),
                              ("SA\", purposes: [service]", "SA\", purposes: [service, tailoring]"),
                              ("  visits:\n    many", "  tastes: {fields: {taste: {type: text}}}\n  visits:\n    many"),
                              ("app: {purposes: [service, news]", "app: {purposes: [service, news, tailoring]"),
                              ("  news: {basis", "  tailoring: {basis: consent, categories: [tastes], forgotten: true}\n  news: {basis"))
            server = stack.enter_context(Server(policy, now=START))
            app = server.client("app")
            ident = app.create({"identity": {"first_name": "Marguerite", "last_name": "Duras"}})["id"]
            person = f"/v1/subjects/{ident}"

            def parts():
                return [(row["categories"], row["note"], row["id"]) for row in app.get("/v1/duties").expect(200).json["duties"] if row["kind"] == "tell_part"]

            def over():
                for _, _, duty in parts():
                    app.post(f"/v1/duties/{duty}/done", {"outcome": "done"}).expect(204)

            def give(purpose, category):
                return app.post(f"{person}/disclosures", {"recipient": "carrier", "purpose": purpose, "categories": [category]}).expect(201).json["id"]
            visits = [app.record(ident, "visits", {"page": f"/planted/{n}"}).expect(201).json["item"] for n in range(2)]
            app.consent(ident, "tailoring", method="tick", wording="Yes").expect(201)
            app.change(ident, "tailoring", {"tastes": {"taste": "tea"}})
            give("service", "identity")
            app.delete(f"{person}/records/visits?item={visits[0]}").expect(204)
            check(not parts(), f"told of what it was not given: {parts()}")
            given = [give("service", "visits"), give("tailoring", "tastes")]
            app.delete(f"{person}/records/visits?item={visits[1]}").expect(204)
            check([row[:2] for row in parts()] == [("visits", given[0])], f"{parts()}")
            app.consent(ident, "tailoring", "withdrawn", method="page").expect(201)
            check(sorted(row[:2] for row in parts()) == [("tastes", given[1]), ("visits", given[0])], f"{parts()}")
            over()
            for day in (0, 10):
                server.set_clock(milliseconds(START) + day * 86_400_000)
                app.record(ident, "visits", {"page": f"/planted/{day}"}).expect(201)
                given.append(give("service", "visits") if not day else None)
            server.set_clock(milliseconds("2027-11-25T09:00:00Z"))
            server.sweep()
            check([row[0] for row in parts()] == ["visits"] and given[2] in parts()[0][1], f"{parts()}")
            over()
            server.set_clock(milliseconds("2027-12-10T09:00:00Z"))
            swept = server.sweep()
            check("visits" in json.dumps(swept), f"nothing was erased: {swept}")
            check(not parts(), f"told of what came after it was given something: {parts()}")

    @tests.test("given: a recipient fetches by its token what was disclosed to it for a purpose, its fields alone, each fetch decided and recorded")
    def pulled():
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="garant-told-"))
            policy = settings(folder, "carrier: {by: staff}",
                              ("categories: [identity, contact], country",
                               "categories: [identity, contact, visits], fields: [identity.last_name, visits.page], country"))
            server = stack.enter_context(Server(policy, now=START))
            app = server.client("app")
            idents = [app.create({"identity": {"first_name": "Marguerite", "last_name": name, "note": "=planted"}})["id"]
                      for name in ("Duras", "Mascolo", "Antelme")]
            app.record(idents[0], "visits", {"page": "/one", "more": {"planted": 1}}).expect(201)
            what = {"recipient": "carrier", "purpose": "service", "categories": ["identity", "visits"]}
            given = [app.post(f"/v1/subjects/{one}/disclosures", what).expect(201).json["id"] for one in idents[:2]]
            server.set_clock(milliseconds(START) + 60_000)
            carrier = server.client("carrier")
            asked = "/v1/disclosures?purpose=service"

            def pull(more=""):
                return carrier.get(asked + more).expect(200)
            first = {row["reference"]: row for row in pull().json["people"]}
            check(sorted(first) == sorted(given), f"others than were disclosed: {first}")
            check(first[given[0]]["data"]["identity"] == {"last_name": "Duras"} and not re.search("Marguerite|planted", json.dumps(first)), f"{first}")
            rows = app.get(f"/v1/subjects/{idents[0]}/disclosures").expect(200).json["disclosures"]
            check(first[given[0]]["id"] == rows[-1]["id"] or first[given[0]]["id"] == rows[0]["id"], f"the fetch is no disclosure on record: {rows}")
            check(len(rows) == 1 and rows[0]["last"] == "2026-11-21T09:01:00.000Z" and rows[0]["fields"] == "identity.last_name,visits.page", f"{rows}")
            for hours in (25, 1, 1):
                server.advance(hours=hours)
                pull()
            rows = app.get(f"/v1/subjects/{idents[0]}/disclosures").expect(200).json["disclosures"]
            check(len(rows) == 2 and rows[1]["at"] < rows[1]["last"] and {row["fields"] for row in rows} == {"identity.last_name,visits.page"}, f"{rows}")
            looked = [one for one in app.get(f"/v1/subjects/{idents[0]}/looks").expect(200).json["looks"] if one["act"] == "disclosure"]
            check(len(looked) == 5, f"each fetch is on record: {looked}")
            pages = [pull("&limit=1").json]
            pages.append(pull(f"&limit=1&after={pages[0]['next']}").json)
            check([len(page["people"]) for page in pages] == [1, 1] and pages[1]["next"] is None, f"{pages}")
            again = pull("&limit=1").json["next"]
            check(again != pages[0]["next"], "the place of a page is the same for everybody")
            for wrong in (idents[0], again[:-2] + "AA", "x"):
                carrier.get(f"{asked}&after={wrong}").refused("invalid-value", status=422)
            carrier.get(f"/v1/disclosures?purpose=news&after={again}").refused("invalid-value", status=422)
            sheet = list(csv.reader(io.StringIO(pull("&format=csv").body.decode("utf-8-sig"))))
            check(sheet[0] == ["reference", "id", "identity.last_name", "visits.page"], f"{sheet}")
            check(["Duras", ""] in [row[2:] for row in sheet] and ["", "/one"] in [row[2:] for row in sheet] and len(sheet) == 4, f"{sheet}")
            check(any(app.post(f"/v1/subjects/{idents[0]}/disclosures", what).status == 429 for _ in range(1001)), "a day has no most")
            worn = {row["reference"]: row for row in pull().json["people"]}
            check((worn[given[0]]["refused"], worn[given[0]]["data"]) == ("too-many-requests", None) and worn[given[1]]["data"],
                  f"who is refused holds up another: {worn}")
            app.put(f"/v1/subjects/{idents[1]}/restriction", {"ground": "accuracy contested"}).expect(204)
            held = {row["reference"]: row for row in pull().json["people"]}[given[1]]
            check(held["data"] is None and held["refused"] == "purpose-refused", f"{held}")
            app.get(asked).refused("forbidden", status=403)
            server.operator().post("/v1/recipients/carrier/end", None).expect(204)
            carrier.get(asked).refused("forbidden", status=403)
            carrier.get("/v1/disclosures?purpose=news").refused("forbidden", status=403)      # nor is it told that there is nobody
