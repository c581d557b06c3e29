"""Applications as stores: signed messages to one on loopback, answered at once, later by a call back, wrongly or never; what was asked waits meanwhile."""
import base64, contextlib, hashlib, hmac, http.server, json, os, ssl, threading, urllib.parse
from browser import Browser
from certificates import Certificates
import engine
from garant import Client, Server, check
from mailbox import Mailbox
from people import staff
from requests import Desk, quiet
from stores import START, Platform, answered, asked, certificate, email_of, person, until

SECRET = b"a secret of thirty-two characters"
MAP = """  crm:
    kind: webhook
    url: {url}
    secret: {folder}/crm.secret
    {more}key: [contact.email]
    restrict: true
    object: [improvement]
    correct: [contact.email]
    wait_days: 2
    backup_days: 7
"""
ERASED = {"tables": [{"table": "contacts", "found": 2, "erased": 2}, {"table": "bills", "found": 1, "kept": 1, "ground": "Code de commerce, L123-22"}],
          "remains": [{"what": "search-index", "days": 1}]}


def register(tests):
    tests.test("hooks: an application is told by signed messages, and its counts stand in the certificate")(at_once)
    tests.test("hooks: an application that answers later calls back, once, by an address of that step alone")(later)
    tests.test("hooks: an application that fails, redirects, answers too much or less than asked keeps the request open, and is asked again")(failing)
    tests.test("hooks: who never calls back is asked anew after the term; kill -9 between hand-over and call back loses nothing")(cut_off)


class Application:
    """On loopback: each message is checked as Standard Webhooks says, kept, and answered by `answer(act, data)`: a status and a body."""

    def __init__(self, stack, tls=None):
        self.answer, self.got, self.wrong, app = (lambda act, data: (200, {})), [], [], self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                ident, at = self.headers["webhook-id"], self.headers["webhook-timestamp"]
                mac = base64.b64encode(hmac.new(SECRET, f"{ident}.{at}.".encode() + body, hashlib.sha256).digest()).decode()
                if self.headers["webhook-signature"] != f"v1,{mac}" or self.path != "/garant":
                    app.wrong.append((self.path, dict(self.headers)))
                told = json.loads(body)
                app.got.append((ident, told["type"].removeprefix("garant."), told["data"]))
                status, answer = app.answer(*app.got[-1][1:])
                sent = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    if status == 302:
                        self.send_header("Location", f"{app.url}-elsewhere")
                    self.send_header("Content-Length", str(len(sent)))
                    self.end_headers()
                    self.wfile.write(sent)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.certificate, tls.key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}/garant"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stack.callback(server.server_close)
        stack.callback(server.shutdown)

    def acts(self, act):
        return [(ident, data) for ident, what, data in self.got if what == act]


@contextlib.contextmanager
def started(tls=False):
    with contextlib.ExitStack() as stack:
        box = stack.enter_context(Mailbox())
        platform = Platform(stack, ())
        made = Certificates(f"{platform.folder}/tls") if tls else None
        app = Application(stack, made)
        platform.credentials("crm.secret", SECRET.decode() + "\n")
        platform.more = MAP.format(url=app.url, folder=platform.folder, more=f"ca: {made.authority}\n    " if made else "")
        platform.write()
        server = stack.enter_context(Server(platform.policy, arguments=box.arguments(), now=START))
        yield platform, server, Desk(server, box), app
        check(not app.wrong, f"a message is not signed, or went elsewhere: {app.wrong}")


def path_of(data):
    return urllib.parse.urlsplit(data["callback"]["url"]).path


def called(server, path, **told):
    """As an application does: no token of the API, no cookie."""
    return Client(lambda: server.port, epoch=lambda: server.starts).post(path, told)


def job_of(desk):
    return desk.client.get("/v1/connectors").expect(200).json["jobs"][0]


def part_of(desk):
    return job_of(desk)["stores"][0]


def why(desk, text):
    until(text, lambda: text in (part_of(desk)["why"] or ""))


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return {name: value.strip() for name, _, value in (line.partition(":") for line in file)}


def counts(act, data):
    return 200, ERASED if act == "erase" else {"tables": [{"table": "contacts", "found": 2}, {"table": "bills", "found": 1}]}


def rows_of(paper):
    return {one["table"]: (one["found"], one["erased"], one["changed"], one["kept"]) for one in paper["stores"][0]["tables"]}


def no_canary(server, number):
    """What the person was looked up by is in no file of the data folder once the last step is done."""
    server.run("verify")
    server.stop()
    for folder, _, names in os.walk(server.data):
        for name in names:
            with contextlib.suppress(OSError), open(os.path.join(folder, name), "rb") as file:
                check(email_of(number).encode() not in file.read(), f"{name} holds what the person was looked up by")
    with contextlib.closing(engine.base(server.data)) as db:
        check(db.execute("SELECT COUNT(*) FROM connector_value").fetchone() == (0,), "values to look people up by are left")


def at_once():
    with started(tls=True) as (platform, server, desk, app):
        app.answer = counts
        subject = desk.client.create(person(1))["id"]
        found = desk.client.post("/v1/connectors/check", None).expect(200).json
        check(found["whole"] and app.got[-1][1:] == ("check", {}), f"{found} {app.got}")
        dry = desk.client.get(f"/v1/subjects/{subject}/stores").expect(200).json
        check([one["found"] for one in dry["stores"][0]["tables"]] == [2, 1] and not app.acts("erase"), f"{dry}")
        app.answer = lambda act, data: (200, {"tables": [{"table": "contacts", "rows": [{"email": data["values"]["contact.email"][0], "calls": 3}]}]})
        held = desk.client.get(f"/v1/subjects/{subject}/access").expect(200).json["stores"][0]
        check(held["state"] == "done" and held["tables"][0]["rows"] == [{"email": email_of(1), "calls": 3}], f"{held}")
        app.answer = counts
        ident = asked(desk, 1)
        answered(desk, ident)
        paper = certificate(desk, desk.get(ident)["certificate"])
        check(paper["interim"] is False and rows_of(paper) == {"contacts": (2, 2, 0, 0), "bills": (1, 0, 0, 1)}, f"{paper}")
        left = [(one["what"], one["until"][:10] if one["until"] else None) for one in paper["stores"][0]["remains"]]
        check([one[0] for one in left] == ["search-index", "backups"] and all(one[1] for one in left), f"{left}")
        (_, data), = app.acts("erase")
        check(data["values"] == {"contact.email": [email_of(1)]}, f"it is given more than its key: {data}")
        subject = desk.client.create(person(2))["id"]
        operator = server.operator()
        operator.put(f"/v1/subjects/{subject}/objections/improvement").expect(204)
        until("the objection", lambda: app.acts("set"))
        check(app.acts("set")[-1][1]["set"] == {"object": "improvement", "on": True}, f"{app.acts('set')}")
        desk.client.change(subject, "account", {"contact": {"email": "zoe.new@exemple.example"}, "identity": {"first_name": "Zoa"}}).expect(200)
        until("the correction", lambda: len(app.acts("set")) > 1)
        check(app.acts("set")[-1][1]["set"] == {"correct": {"contact.email": "zoe.new@exemple.example"}}, f"{app.acts('set')}")
        desk.client.change(subject, "account", {"identity": {"first_name": "Zoé"}}).expect(200)
        until("the end", lambda: not desk.client.get("/v1/connectors").json["jobs"])
        check(len(app.acts("set")) == 2, "it is told of a field that is none of its own")
        no_canary(server, 1)
        return "check, count, copy, erase, object, correct"


def later():
    with started() as (platform, server, desk, app):
        app.answer = lambda act, data: (202, {}) if act == "erase" else counts(act, data)
        desk.client.create(person(3))
        ident = asked(desk, 3)
        desk.move(ident, "answer").refused("conflict", status=409)
        until("the hand-over", lambda: part_of(desk)["state"] == "waits")
        said = desk.move(ident, "answer").refused("conflict", status=409)
        check("has not called back" in json.dumps(said) and "2026-11-25" in json.dumps(said), f"{said}")
        check(part_of(desk)["asked_again"].startswith("2026-11-25"), f"{part_of(desk)}")
        for i, language, says in ((90, "fr", "redemandé le 25 novembre 2026"), (91, "en", "asked again on 25 November 2026")):
            role = Browser.of(server, staff(server, person(i), email_of(i), "support", language=language), language)
            page = role.get("/staff/stores").expect(200)
            role.submit(page, "/staff/stores", reason="planted ticket 7").expect(200).has(says).lacks("2026-11-25").lacks("it is asked")
        (_, data), = app.acts("erase")
        path, job = path_of(data), job_of(desk)["job"]
        check(certificate(desk, job)["interim"] is True, "the certificate is the last one before the application has done it")
        token = path.rsplit("/", 1)[1]
        for wrong in (path[:-1] + ("A" if path[-1] != "A" else "B"), path.replace(job, desk.client.create(person(4))["id"]),
                      path.replace(token, ""), path.replace(token, "x")):
            answer = called(server, wrong, state="done", **ERASED)
            check(answer.status == 404 and token not in answer.body.decode(), f"{wrong}: {answer.status}")
        called(server, path, state="done", tables=[{"table": "contacts", "found": 2, "erased": 1}]).refused("invalid-value", status=422)
        called(server, path, state="maybe").refused("invalid-value", status=422)
        check(part_of(desk)["state"] == "waits", "a call that says less than was asked ended the wait")
        called(server, path, state="done", **ERASED).expect(204)
        called(server, path, state="done", **ERASED).refused("not-found", status=404)
        answered(desk, ident)
        paper = certificate(desk, desk.get(ident)["certificate"])
        check(paper["interim"] is False and rows_of(paper) == {"contacts": (2, 2, 0, 0), "bills": (1, 0, 0, 1)}, f"{paper}")
        app.answer = lambda act, data: (202, {})                 # even the count
        desk.client.create(person(5))
        ident = asked(desk, 5)
        quiet(lambda: desk.move(ident, "answer"))
        until("the count's hand-over", lambda: part_of(desk)["state"] == "waits")
        path = path_of(app.acts("count")[-1][1])
        called(server, path, state="failed", code="not today").expect(204)
        why(desk, "no-code")
        desk.client.post(f"/v1/connectors/{job_of(desk)['job']}/retry", None).expect(200)
        until("a new message", lambda: path_of(app.acts("count")[-1][1]) != path and part_of(desk)["state"] == "waits")
        check(app.acts("count")[-1][0] != app.acts("count")[-2][0], "another message has the id of the one that failed")
        called(server, path, state="done").refused("not-found", status=404)
        called(server, path_of(app.acts("count")[-1][1]), state="done", tables=[{"table": "contacts", "found": 9}]).expect(204)
        until("the erasure", lambda: len(app.acts("erase")) > 1 and part_of(desk)["state"] == "waits")
        called(server, path_of(app.acts("erase")[-1][1]), state="done", tables=[{"table": "contacts", "found": 9, "erased": 9}]).expect(204)
        answered(desk, ident)
        check(rows_of(certificate(desk, desk.get(ident)["certificate"])) == {"contacts": (9, 9, 0, 0)}, "other counts")
        check(token not in server.log(), "the log has the token")
        early = []                                               # it calls back before it has answered

        def at_the_same_time(act, data):
            if act == "erase":
                early.append(called(server, path_of(data), state="done", **ERASED).status)
            return (202, {}) if act == "erase" else counts(act, data)

        app.answer = at_the_same_time
        desk.client.create(person(10))
        ident = asked(desk, 10)
        answered(desk, ident)
        check(until("what it got for its early call", lambda: early) == [204], f"{early}")
        no_canary(server, 3)
        return "erasure and count, each later"


def failing():
    with started() as (platform, server, desk, app):
        app.answer = lambda act, data: (500, {}) if act == "erase" else counts(act, data)
        desk.client.create(person(6))
        ident = asked(desk, 6)
        quiet(lambda: desk.move(ident, "answer"))
        for tries in range(1, 4):
            until(f"try {tries}", lambda: len(app.acts("erase")) >= tries)
            why(desk, "answered 500")
            check("answered 500" in json.dumps(desk.move(ident, "answer").refused("conflict", status=409)), "the reason is not told")
            server.advance(minutes=11)
        check(len({one for one, _ in app.acts("erase")}) == 1, "the tries of one message have several ids")
        check(len({path_of(data) for _, data in app.acts("erase")}) == 1, "the tries of one message have several addresses")
        few = {"tables": [{"table": "contacts", "found": 2, "erased": 1}]}
        unfounded = {"tables": [{"table": "contacts", "found": 2, "kept": 2}]}
        for answer, reason in (((302, {}), "no redirection is followed"), ((200, b"x" * (2 << 20)), "too-large"), ((200, b"[]"), "no JSON object"),
                               ((200, few), "neither erased"), ((200, unfounded), "without a ground"), ((200, {"state": "failed"}), "a state"),
                               ((404, {}), "answered 404")):
            app.answer = lambda act, data, answer=answer: answer
            server.advance(minutes=11)
            why(desk, reason)
        app.answer = counts
        server.advance(minutes=11)
        answered(desk, ident)
        platform.write(lambda text: text.replace("kind: webhook", "kind: webhook\n    ca: /etc/hostname") .replace("http://127.0.0.1", "http://example.org"))
        found = desk.client.post("/v1/connectors/check", None).expect(200).json
        check(not found["whole"] and "this machine alone" in found["stores"][0]["why"], f"{found}")
        platform.write(lambda text: text.replace(app.url, "https://crm.invalid/garant"))      # names are looked up in a thread, locked in
        found = desk.client.post("/v1/connectors/check", None).expect(200).json
        check("did not answer: unreachable" in found["stores"][0]["why"], f"{found}")
        platform.write(lambda text: text.replace("    key: [contact.email]\n", ""))
        check("has no \"key\"" in json.dumps(desk.client.get("/v1/connectors").json["faults"]).replace("\\", ""), "a webhook without a key")
        def stores():
            return next(one for one in server.operator().get("/v1/promises?fresh=true").expect(200).json["probes"] if one["name"] == "stores")

        check(stores()["state"] == "at_risk" and "connectors.yaml" in stores()["risk"], f"{stores()}")
        platform.write(lambda text: text.replace("here: [main, backups]", "here: [main]"))
        check(stores()["state"] == "at_risk", "the board does not see that a store of the policy is forgotten")
        platform.write()
        check(stores()["state"] == "kept" and stores()["figure"] >= 2, f"{stores()}")
        app.answer = lambda act, data: (202, {})
        subject = desk.client.create(person(7))["id"]
        check(desk.client.get(f"/v1/subjects/{subject}/access").expect(200).json["stores"][0]["state"] == "failed", "a copy that comes later")
        ident = asked(desk, 7, "access")
        check("crm cannot give its copy" in json.dumps(desk.move(ident, "answer").refused("conflict", status=409)), "answered without its copy")
        no_canary(server, 6)
        return "500 three times, and 7 other ways"


def cut_off():
    with started() as (platform, server, desk, app):
        app.answer = lambda act, data: (202, {}) if act == "erase" else counts(act, data)
        desk.client.create(person(8))
        ident = asked(desk, 8)
        quiet(lambda: desk.move(ident, "answer"))
        until("the hand-over", lambda: part_of(desk)["state"] == "waits")
        server.kill()
        server.start()
        check(part_of(desk)["state"] == "waits" and len(app.acts("erase")) == 1, "it is asked again though it was handed over")
        server.advance(days=1, hours=23)
        # The courier goes through its work twice more: whatever it would have asked again is asked by then.
        subject, operator = desk.client.create(person(10))["id"], server.operator()
        operator.put(f"/v1/subjects/{subject}/objections/improvement").expect(204)
        until("another job", lambda: len(app.acts("set")) == 1)
        operator.request("DELETE", f"/v1/subjects/{subject}/objections/improvement").expect(204)
        until("one more", lambda: len(app.acts("set")) == 2 and len(desk.client.get("/v1/connectors").json["jobs"]) == 1)
        check(len(app.acts("erase")) == 1, "it is asked again before its term")
        server.advance(hours=2)
        old = path_of(app.acts("erase")[0][1])
        called(server, old, state="done", **ERASED).refused("not-found", status=404)
        until("asked anew", lambda: len(app.acts("erase")) == 2 and part_of(desk)["state"] == "waits")
        check(path_of(app.acts("erase")[1][1]) != old and app.acts("erase")[1][0] != app.acts("erase")[0][0], "the address that is over serves again")
        # Killed while the application has it and its answer is on the way: the same message comes again, and either answer counts once.
        held, locked = threading.Event(), []

        def at_work():
            """The server's children that the kernel holds to a filter of calls: the process that waits for the application's answer."""
            for one in filter(str.isdigit, os.listdir("/proc")):
                with contextlib.suppress(OSError):
                    said = status_of(one)
                    if said["PPid"] == str(server.process.pid) and said["Seccomp"] == "2" and said["NoNewPrivs"] == "1":
                        locked.append(one)

        app.answer = lambda act, data: (at_work(), held.wait(60), (202, {}))[2] if act == "erase" else counts(act, data)
        desk.client.create(person(9))
        other = asked(desk, 9)
        quiet(lambda: desk.move(other, "answer"))
        until("the message", lambda: len(app.acts("erase")) == 3)
        until("a process that reaches stores, locked in", lambda: locked)
        server.kill()
        held.set()
        server.start()
        until("the message again", lambda: len(app.acts("erase")) == 4)
        check(app.acts("erase")[3][0] == app.acts("erase")[2][0] and path_of(app.acts("erase")[3][1]) == path_of(app.acts("erase")[2][1]),
              "after a crash the message has another id, or another address")
        called(server, path_of(app.acts("erase")[2][1]), state="done", **ERASED).expect(204)
        server.kill()
        server.start()
        answered(desk, other)
        check(rows_of(certificate(desk, desk.get(other)["certificate"]))["contacts"] == (2, 2, 0, 0), "counts are lost")
        called(server, path_of(app.acts("erase")[1][1]), state="done", **ERASED).expect(204)
        answered(desk, ident)
        no_canary(server, 8)
        return "killed three times"
