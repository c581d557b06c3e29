"""Sign-in from outside: what a password lacks, flows, enumeration by answer and time, fixation, ends of sessions, delays, second factor, flood."""
import collections, concurrent.futures, contextlib, http.client, json, os, re, select, socket, statistics, subprocess, sys, threading, time
import uuid
from garant import Server, check, find_values
from mailbox import Mailbox
from visitor import AGENT, GOOD, OTHER, Visitor, account, totp

POLICY = "tests/front/signin.yaml"
START = "2026-11-21T09:00:00Z"


def data(name):
    return {"identity": {"first_name": "Marguerite", "last_name": "Duras"}, "contact": {"email": f"{name}@people.example"}}


class From(Visitor):
    """A visitor at another address of loopback."""
    number = 0

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        From.number += 1
        self.source = f"127.0.{1 + From.number // 250}.{1 + From.number % 250}"

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout, source_address=(self.source, 0))


def elsewhere(server, visitor=None, agent=AGENT):
    return From(server, visitor and visitor.identifier, visitor.password if visitor else GOOD, agent)


def memory(server):
    """Most that was resident, in MiB."""
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmHWM:\s+(\d+) kB", file.read())[1]) / 1024


def rest_of(connection):
    """What comes until the connection ends."""
    with connection, contextlib.suppress(ConnectionError):
        return b"".join(iter(lambda: connection.recv(65536), b""))
    return b""


# Asks other routes in turn until its input ends, from a process of its own, so that what it measures is the server.
WATCH = """
import http.client, json, select, sys, time
connection, times = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=300), []
while not select.select([sys.stdin], [], [], 0.01)[0]:
    for path in ("/v1/session", "/privacy", "/healthz"):
        began = time.perf_counter()
        connection.request("GET", path, headers={"Cookie": "__Host-sid=" + sys.argv[2]})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, (path, answer.status)
        times.append(time.perf_counter() - began)
print(json.dumps(times))
"""


def ranks(one, other):
    """How often a value of one is above its pair in the other: a half when nothing tells them apart."""
    return sum(a > b for a, b in zip(one, other)) / len(one)


def register(tests):
    @tests.test("sign-in: everything a password lacks is named")
    def lacks():
        rows = {"aB3$efg": ["length"], "xwq7-vkzrmt": ["upper"], "XWQ7-VKZRMT": ["lower"], "Xwqu-Vkzrmt": ["digit"], "Xwqu7Vkzrmt": ["special"],
                "xwqu vkzrmt": ["upper", "digit"], "zq": ["length", "upper", "digit", "special"], "Password1234!": ["common"],
                "Motdepasse1!": ["common"], "Azerty123456!": ["common"], "Marguerite-1": ["own", "common"], "Duras-1914!": ["own"],
                "x" * 1025: ["long"], "Xwqu-7-\x07vkzrmt": ["form"]}
        with Server(POLICY) as server:
            made = server.operator().post("/v1/accounts", {"data": data("lacks"), "supplied_by": "person"}).expect(201).json
            token, anyone = re.split("[/=]", made["link"])[-1], Visitor(server)
            for password, missing in rows.items():
                problem = anyone.post("/v1/invitations/accept", {"token": token, "password": password}).refused("weak-password", status=422,
                    clause=r"^security\.password$")
                check(problem.get("missing") == missing, f"{password[:20]!r} lacks {problem.get('missing')}, not {missing}")
                check(password not in str(problem), "the password is said again")
            anyone.post("/v1/invitations/accept", {"token": token, "password": GOOD}).expect(200)
            return f"{len(rows)} passwords refused"

    @tests.test("sign-in: in, here, there, out")
    def flows():
        with Server(POLICY, now=START) as server:
            zoe = account(server, data("zoe"))
            for path in ("/v1/session", "/v1/me/sessions"):
                zoe.get(path).refused("unauthorised", status=401)
            answer = zoe.sign_in(next="/me?tab=1").expect(200)
            check(answer.json["next"] == "/me?tab=1" and answer.json["factor"] is None, f"{answer.json}")
            check(answer.headers["cache-control"] == "no-store", "a sign-in may be stored")
            name, = zoe.cookies
            said = zoe.attributes[name]
            check(name == "__Host-sid" and len(zoe.cookies[name]) == 43, f"the cookie {name} of {len(zoe.cookies[name])} signs")
            check(said.get("httponly") and said.get("secure") and said.get("samesite") == "Lax" and "max-age" not in said, f"{said}")
            session = zoe.get("/v1/session").expect(200)
            check(session.headers["cache-control"] == "no-store" and session.json["subject"] == zoe.subject, "the session says something else")
            phone = zoe.another()
            phone.sign_in().expect(200)
            check(len(zoe.get("/v1/me/sessions").expect(200).json["sessions"]) == 2, "not two sessions")
            stolen = dict(zoe.cookies)
            gone = zoe.sign_out().expect(204)
            check(name + "=;" in gone.headers.get("set-cookie", "") and not zoe.cookies, "signing out leaves the cookie in the browser")
            check("clear-site-data" not in gone.headers, "signing out wipes what is not of these pages")
            zoe.cookies = stolen
            zoe.get("/v1/session").refused("unauthorised", status=401)
            phone.get("/v1/session").expect(200)
            zoe.cookies = {}
            zoe.sign_in().expect(200)
            zoe.delete("/v1/me/sessions").expect(204)
            phone.get("/v1/session").refused("unauthorised", status=401)
            zoe.get("/v1/session").expect(200)
            check(not find_values([stolen[name], GOOD, zoe.csrf], server.data), "a secret stands in a file")
            return f"cookie {name}; nothing of it or of the password in any file"

    @tests.test("sign-in: a session ends by idleness, slides with use, and has a last hour")
    def ends():
        with Server(POLICY, now=START) as server:
            zoe = account(server, data("zoe"))
            zoe.sign_in().expect(200)
            for _ in range(23):
                server.advance(minutes=29)
                zoe.get("/v1/session").expect(200)
            server.advance(minutes=30)
            zoe.get("/v1/session").refused("unauthorised", status=401)
            zoe.cookies = {}
            zoe.sign_in().expect(200)
            for _ in range(47):
                server.advance(minutes=15)
                zoe.get("/v1/session").expect(200)
            server.advance(minutes=15)
            zoe.get("/v1/session").refused("unauthorised", status=401)

    @tests.test("sign-in: a clock that was ahead and is set right prolongs no session, and keeps nobody out")
    def clock_set_right():
        with Server(POLICY, now=START) as server:
            zoe, max_, ana = (account(server, data(name)) for name in ("zoe", "max", "ana"))
            ana.sign_in().expect(200)
            secret, _ = ana.enrol()
            server.advance(days=2)                                # nobody noticed that it is wrong
            ana.another().sign_in(code=totp(secret, server.now())).expect(200)
            zoe.sign_in().expect(200)
            phone = zoe.another()
            phone.sign_in().expect(200)
            for _ in range(14):
                elsewhere(server, max_).sign_in("Wrong-7-vkzrmt-Xw").expect(401, 429)
            elsewhere(server, max_).sign_in().expect(429)
            server.advance(days=-2)
            max_.sign_in().expect(200)                            # not after two days
            server.advance(minutes=2)                             # a code that was used is none again, one that was not is good
            code = totp(secret, server.now())
            ana.another().sign_in(code=code).expect(200)
            ana.another().sign_in(code=code).expect(401)
            server.advance(minutes=-2)
            now = zoe.get("/v1/session").expect(200).json
            check(not now["fresh"], "what was typed ahead of the clock counts as just now")
            check(now["until"] <= "2026-11-21T21:00:00.000Z", f"signed in until {now['until']}")
            shown = {row["until"] for row in zoe.get("/v1/me/sessions").expect(200).json["sessions"] if row["this"]}
            check(shown == {now["until"]}, f"the list says {shown}")
            phone.get("/v1/session").expect(200)
            server.advance(minutes=31)
            phone.get("/v1/session").refused("unauthorised", status=401)
            zoe.get("/v1/session").refused("unauthorised", status=401)
            server.advance(days=2, hours=1)
            zoe.sign_in().expect(200)
            server.advance(days=-2)
            for turn in range(25):                                # used all the time, across a restart: its last hour comes
                zoe.get("/v1/session").expect(200)
                server.restart() if turn == 12 else None
                server.advance(minutes=29)
            zoe.get("/v1/session").refused("unauthorised", status=401)

    @tests.test("sign-in: a cookie from before is never adopted, and the former one dies")
    def fixation():
        with Server(POLICY) as server:
            zoe = account(server, data("zoe"))
            planted = "A" * 43
            zoe.cookies = {"__Host-sid": planted}
            zoe.sign_in().expect(200)
            first = zoe.cookies["__Host-sid"]
            check(first != planted, "a planted secret was adopted")
            zoe.sign_in().expect(200)
            second = zoe.cookies["__Host-sid"]
            check(second != first, "a second sign-in kept the secret")
            zoe.cookies = {"__Host-sid": first}
            zoe.get("/v1/session").refused("unauthorised", status=401)
            for evil in ("//evil.example", "https://evil.example", "/\\evil.example", "\r\nSet-Cookie: x=1", "javascript:alert(1)"):
                check(zoe.another().sign_in(next=evil).expect(200).json["next"] == "/me", f"next {evil!r}")
            zoe.cookies = {"__Host-sid": second}
            zoe.csrf = None
            for answer in (zoe.sign_in(), zoe.delete("/v1/session"), zoe.put("/v1/me/password", {"current": GOOD, "new": OTHER}),
                           zoe.post("/v1/me/factor"), zoe.post("/v1/session/proof", {"password": GOOD})):
                answer.refused("forged", status=403)
            fresh = zoe.another()
            fresh.request("POST", "/v1/session", {"identifier": zoe.identifier, "password": GOOD}, {"Sec-Fetch-Site": "cross-site"}.items()) \
                 .refused("forged", status=403)

    @tests.test("sign-in: no answer tells whether there is an account")
    def enumeration():
        with Server(POLICY) as server:
            zoe = account(server, data("zoe"))
            server.operator().post("/v1/accounts", {"data": data("invited"), "supplied_by": "person"}).expect(201)
            closed = account(server, data("closed"))
            closed.sign_in().expect(200)
            server.operator().post(f"/v1/subjects/{closed.subject}/close").expect(200, 204)
            seen = set()
            for identifier, password in ((zoe.identifier, "wrong"), ("nobody@people.example", GOOD), ("invited@people.example", GOOD),
                (closed.identifier, GOOD), ("not an address", GOOD), (zoe.identifier.upper(), "wrong")):
                answer = elsewhere(server).sign_in(password, identifier)
                answer.refused("unauthorised", status=401)
                seen.add((answer.body, tuple(sorted(name for name in answer.headers if name != "date"))))
            check(len(seen) == 1, f"{len(seen)} different answers: {seen}")
            seen = set()
            for identifier in (zoe.identifier, "nobody@people.example", "invited@people.example", closed.identifier, "not an address"):
                answer = elsewhere(server).post("/v1/password/reset", {"identifier": identifier}).expect(202)
                seen.add((answer.body, tuple(sorted(name for name in answer.headers if name != "date"))))
            check(len(seen) == 1, f"{len(seen)} different answers to a reset: {seen}")

    @tests.test("sign-in: no time tells whether there is an account")
    def timing():
        pairs = 60 if os.environ.get("GARANT_TIER") != "release" else 2000
        with Server(POLICY) as server:
            people = [account(server, data(f"p{i}")) for i in range(-(-pairs // 6))]

            def timed(path, body):
                caller, began = elsewhere(server), time.perf_counter()
                caller.get("/healthz").expect(200)
                began = time.perf_counter()
                status = caller.post(path, body).status
                check(status in (401, 202), f"{path}: {status}")
                return time.perf_counter() - began
            said = []
            for path, more in (("/v1/session", {"password": "wrong"}), ("/v1/password/reset", {})):
                known, unknown = [], []
                for i in range(pairs):
                    turn = [(known, people[i % len(people)].identifier), (unknown, f"nobody{uuid.uuid4().hex[:8]}@people.example")]
                    for times, identifier in turn if i % 2 else reversed(turn):
                        times.append(timed(path, {"identifier": identifier, **more}))
                rank, medians = ranks(known, unknown), [statistics.median(times) * 1000 for times in (known, unknown)]
                slack = 4 * 0.5 / pairs ** 0.5
                apart = abs(medians[0] - medians[1])
                check(abs(rank - 0.5) <= slack or apart < 0.1 * max(medians) or apart < 0.5,
                      f"{path}: medians {medians[0]:.2f} and {medians[1]:.2f} ms, an account is slower in {rank:.0%} of pairs")
                said.append(f"{path}: medians {medians[0]:.2f} and {medians[1]:.2f} ms, slower in {rank:.0%} of {pairs} pairs")
            return "; ".join(said)

    @tests.test("sign-in: delays grow, alike for none, and a known device is exempt")
    def delays():
        with Server(POLICY, now=START) as server:
            zoe = account(server, data("zoe"))
            zoe.sign_in().expect(200)
            for identifier in (zoe.identifier, "nobody@people.example"):
                for _ in range(10):
                    elsewhere(server, agent="x").sign_in("wrong", identifier).refused("unauthorised", status=401)
                waits = []
                for _ in range(12):
                    answer = elsewhere(server, agent="x").sign_in(GOOD, identifier)
                    answer.refused("too-many-requests", status=429)
                    waits.append(int(answer.headers["retry-after"]))
                    server.advance(seconds=waits[-1])
                    elsewhere(server, agent="x").sign_in("wrong", identifier).refused("unauthorised", status=401)
                check(waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900], f"{identifier}: {waits}")
            zoe.cookies, zoe.csrf = {}, None
            zoe.sign_in().expect(200)
            server.advance(seconds=900)
            elsewhere(server, zoe, agent="x").sign_in().expect(200)
            with concurrent.futures.ThreadPoolExecutor(30) as pool:          # a burst is no way around the count
                other = account(server, data("burst"))
                codes = list(pool.map(lambda _: elsewhere(server, other, "x").sign_in("wrong").status, range(60)))
            check(codes.count(401) <= 12 and set(codes) <= {401, 429}, f"of 60 at once {codes.count(401)} were heard")
            crowd, got = From(server), []
            for i in range(30):
                got.append(crowd.sign_in("wrong", f"nobody{i}@people.example"))
            check([a.status for a in got[:20]] == [401] * 20 and {a.status for a in got[21:]} == {429}, "an address guesses on")
            check(got[-1].headers["retry-after"] == "60", "no word on when")
            return f"waits of {waits} s; {codes.count(401)} of 60 at once were heard"

    @tests.test("sign-in: second factor, replay, recovery codes")
    def factor():
        with Server(POLICY, now=START) as server:
            zoe = account(server, data("zoe"), role="support")
            check(zoe.sign_in().expect(200).json["factor"] == "enrol", "the role needs no factor")
            check(zoe.get("/v1/session").json["closed"] == "factor", "the role is open without a factor")
            begun = zoe.post("/v1/me/factor").expect(200).json
            check(begun["uri"].startswith("otpauth://totp/Sign-in%20Example%20SAS:zoe%40people.example?secret=" + begun["secret"]), begun["uri"])
            check(begun["qr"].startswith("<svg ") and not re.search("script|href|on[a-z]+=", begun["qr"]), "the picture holds more than a picture")
            zoe.post("/v1/me/factor/confirm", {"code": "000000"}).refused("invalid-value", status=422)
            codes = zoe.post("/v1/me/factor/confirm", {"code": totp(begun["secret"], server.now())}).expect(200).json["recovery_codes"]
            check(len(codes) == 10 and zoe.get("/v1/session").json["closed"] is None, "not enrolled")
            check(not find_values([begun["secret"], *codes], server.data), "a secret of the factor stands in a file")
            zoe.sign_out().expect(204)
            zoe.csrf = None
            half = zoe.sign_in().expect(200)
            check(half.json["factor"] == "needed" and not zoe.cookies, "the password alone signs in")
            code = totp(begun["secret"], server.now())
            zoe.sign_in(code=code).refused("unauthorised", status=401)               # it confirmed the enrolment
            server.advance(seconds=30)
            code = totp(begun["secret"], server.now())
            zoe.signed(zoe.post("/v1/session", {"ticket": half.json["ticket"], "code": code})).expect(200)
            check(zoe.get("/v1/session").json["factor"] is True, "no factor on the session")
            for again in ({"ticket": half.json["ticket"], "code": code}, {"identifier": zoe.identifier, "password": GOOD, "code": code}):
                elsewhere(server).post("/v1/session", again).refused("unauthorised", status=401)
            other = zoe.another()
            check(other.sign_in(code=codes[0].lower().replace("-", " ")).expect(200).json["recovery_codes_left"] == 9, "a recovery code is not counted")
            zoe.another().sign_in(code=codes[0]).refused("unauthorised", status=401)
            server.advance(minutes=16)
            for answer in (zoe.delete("/v1/me/factor"), zoe.post("/v1/me/factor/codes")):
                answer.refused("reauthenticate", status=403)
            zoe.post("/v1/session/proof", {"password": GOOD}).refused("missing-field", status=422)
            zoe.post("/v1/session/proof", {"password": GOOD, "code": totp(begun["secret"], server.now())}).expect(204)
            fresh = zoe.post("/v1/me/factor/codes").expect(200).json["recovery_codes"]
            zoe.another().sign_in(code=codes[1]).refused("unauthorised", status=401)
            zoe.another().sign_in(code=fresh[0]).expect(200)
            zoe.delete("/v1/me/factor").expect(204)
            check(zoe.another().sign_in().expect(200).json["factor"] == "enrol", "the factor is still asked for")

    @tests.test("sign-in: reset by a link, and change, each told to the address")
    def reset():
        with Mailbox() as mailbox, Server(POLICY, arguments=mailbox.arguments()) as server:
            zoe = account(server, data("zoe"))
            zoe.sign_in().expect(200)
            phone = zoe.another()
            phone.sign_in().expect(200)
            letter = mailbox.wait(to=zoe.identifier, letter="signin_new_device")
            check(phone.cookies["__Host-sid"] not in letter.text, "the letter holds a secret")
            Visitor(server).post("/v1/password/reset", {"identifier": zoe.identifier}).expect(202)
            link, = mailbox.wait(to=zoe.identifier, letter="reset").links[:1]
            token = re.split("[/=]", link)[-1]
            anyone = Visitor(server)
            anyone.post("/v1/password/reset/confirm", {"token": token, "password": "short"}).refused("weak-password", status=422)
            anyone.post("/v1/password/reset/confirm", {"token": token, "password": OTHER}).expect(204)
            mailbox.wait(to=zoe.identifier, letter="reset_done")
            for one in (zoe, phone):
                one.get("/v1/session").refused("unauthorised", status=401)
            for used in (token, "A" * 43, ""):
                anyone.post("/v1/password/reset/confirm", {"token": used, "password": GOOD}).refused("not-found", status=404)
            zoe.cookies, zoe.csrf = {}, None
            zoe.sign_in(GOOD).refused("unauthorised", status=401)
            zoe.sign_in(OTHER).expect(200)
            phone.cookies, phone.csrf = {}, None
            phone.sign_in(OTHER).expect(200)
            zoe.put("/v1/me/password", {"current": GOOD, "new": GOOD}).refused("unauthorised", status=401)
            zoe.put("/v1/me/password", {"current": OTHER, "new": "kobu"}).refused("weak-password", status=422)
            zoe.put("/v1/me/password", {"current": OTHER, "new": GOOD}).expect(204)
            zoe.get("/v1/session").expect(200)
            phone.get("/v1/session").refused("unauthorised", status=401)
            check(not find_values([token, GOOD, OTHER], server.data), "a password or a link stands in a file")

    @tests.test("sign-in: a link of reset ends after a day")
    def link_ends():
        with Mailbox() as mailbox, Server(POLICY, now=START, arguments=mailbox.arguments()) as server:
            zoe = account(server, data("zoe"))
            tokens = []
            for _ in range(2):
                Visitor(server).post("/v1/password/reset", {"identifier": zoe.identifier}).expect(202)
                tokens.append(mailbox.wait(to=zoe.identifier, letter="reset", count=len(tokens) + 1).links[0].rsplit("/", 1)[1])
            confirm = lambda token: Visitor(server).post("/v1/password/reset/confirm", {"token": token, "password": OTHER})
            confirm(tokens[0]).refused("not-found", status=404)                       # the newer one is the one
            server.advance(hours=24)
            confirm(tokens[1]).refused("not-found", status=404)
            zoe.sign_in(GOOD).expect(200)

    @tests.test("sign-in: what is on record")
    def record():
        with Server(POLICY, now=START) as server:
            zoe = account(server, data("zoe"))
            zoe.sign_in("wrong").refused("unauthorised", status=401)
            zoe.sign_in().expect(200)
            zoe.sign_out().expect(204)
            visits = server.client("app").read(zoe.subject, "service", ["connection"]).expect(200).json["data"]["connection"]
            fields = [visit["fields"] for visit in visits]
            check([f["result"] for f in fields] == ["failure", "success"], f"{fields}")
            check(fields[1]["ip"] == "127.0.0.1" and "Firefox" in fields[1]["browser"] and fields[1]["system"], f"{fields[1]}")
            size = server.operator().get("/v1/journal/checkpoint").expect(200).body.decode().split("\n")[1]
            bundle = server.operator().get(f"/v1/journal/tile/entries/000.p/{size}").expect(200).body.decode(errors="replace")
            for act in ("signin.failed", "signin", "signout"):
                leaf = re.search(r'\{[^{}]*"act":"%s"[^{}]*\}' % re.escape(act), bundle)
                check(leaf and '"who":"' in leaf[0], f"{act} is not in the journal with a pseudonym")
                check(zoe.subject not in leaf[0] and "people.example" not in leaf[0], f"{act} names the person: {leaf[0]}")
            check("people.example" not in server.log(), "the log names a person")

    @tests.test("sign-in: those that wait at the stop are refused, not worked off")
    def stop_in_a_flood():
        many = 400
        with Server(POLICY, arguments=["--per-address", "2000"]) as server:
            begun = []
            for k in range(many):
                body = json.dumps({"identifier": f"p{k}@people.example", "password": "wrong"})
                connection = socket.create_connection(("127.0.0.1", server.port), 300, (f"127.0.{3 + k // 200}.{1 + k % 200}", 0))
                connection.sendall((f"POST /v1/session HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Type: application/json\r\n"
                                    f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}").encode())
                begun.append(connection)
            select.select(begun, [], [], 300)
            check(server.stop() == 0, "the server did not stop in order")
            answers = [answer for answer in map(rest_of, begun) if answer]             # none: not read yet when the stop came
            statuses = collections.Counter(answer[9:12] for answer in answers)
            check(set(statuses) == {b"401", b"503"}, f"{statuses}")
            check(all(b"\r\nretry-after: " in one.lower() for one in answers if one[9:12] == b"503"), "when to come back is not told")
            return f"{statuses[b'401']} answered, {statuses[b'503']} refused"

    @tests.test("sign-in: 500 at once")
    def flood():
        many = 500
        with Server(POLICY, arguments=["--per-address", "2000"]) as server, Server(POLICY) as control:
            people = [account(server, data(f"p{i}")) for i in range(50)]
            watcher = account(server, data("watcher"))
            watcher.sign_in().expect(200)
            visitors = [elsewhere(server, people[i % 50]) for i in range(many)]
            gate = threading.Barrier(many + 1)
            alone = account(control, data("watcher"))
            alone.sign_in().expect(200)
            watching = [subprocess.Popen([sys.executable, "-c", WATCH, str(one.port), who.cookies["__Host-sid"]], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True) for one, who in ((server, watcher), (control, alone))]

            def sign_in(visitor):
                visitor.get("/healthz")
                gate.wait()
                return visitor.sign_in()

            threading.stack_size(256 << 10)
            with concurrent.futures.ThreadPoolExecutor(many + 8) as pool:
                done = [pool.submit(sign_in, visitor) for visitor in visitors]
                gate.wait()
                began = time.perf_counter()
                answers = [one.result() for one in done]
                took = time.perf_counter() - began
            threading.stack_size(0)
            times, others = (sorted(json.loads(one.communicate(timeout=300)[0])) for one in watching)
            good, busy = sum(a.status == 200 for a in answers), [a for a in answers if a.status == 503]
            check(good + len(busy) == many and all("retry-after" in a.headers for a in busy), f"{[a.status for a in answers if a.status != 200][:9]}")
            # Beside a server that is left alone at the same moment, on the same machine.
            p99, same = (rows[int(len(rows) * 0.99)] * 1000 for rows in (times, others))
            check(p99 < max(3 * same, same + 50), f"other routes: p99 {p99:.0f} ms of {len(times)}, {same:.0f} ms where nobody signs in")
            check(memory(server) < 256, f"{memory(server):.0f} MiB")
            return (f"{good} signed in, {len(busy)} told to come back, {many / took:.0f} a second; "
                    f"other routes p99 {p99:.1f} ms of {len(times)}, {same:.1f} ms where nobody does; "
                    f"{memory(server):.0f} MiB at most")
