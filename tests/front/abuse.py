"""What somebody with bad intentions tries: guessing around the delays, letters for strangers, links and addresses that outlive their reason."""
import concurrent.futures, contextlib, os, re, tempfile, time, urllib.parse
from garant import TOP, Server, check, garant
from mailbox import Mailbox
from visitor import GOOD, OTHER, Visitor, account, totp

SIGNIN, PEOPLE = "tests/front/signin.yaml", "tests/hostile/people.yaml"
START = "2026-11-21T09:00:00Z"


def data(name):
    return {"identity": {"first_name": "Marguerite", "last_name": "Duras"}, "contact": {"email": f"{name}@people.example"}}


def token_of(link):
    return re.split("[/=]", link)[-1]


def form(visitor, path, **members):
    """Posts as a page does; the answer."""
    body = urllib.parse.urlencode({"csrf": visitor.csrf or "", **members}).encode()
    return visitor.request("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}.items())


@contextlib.contextmanager
def variant(policy, old, new):
    """A policy with one passage written otherwise."""
    with open(os.path.join(TOP, policy), encoding="utf-8") as file, tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as out:
        text = file.read()
        check(text.count(old) == 1, f"{policy} has {text.count(old)} times {old!r}")
        out.write(text.replace(old, new))
        out.flush()
        yield out.name


def register(tests):
    @tests.test("abuse: spellings of one identifier are counted as one, account or none")
    def spellings():
        with Server(SIGNIN, now=START) as server:
            account(server, data("zoe"))
            for name in ("zoe@people.example", "nobody@people.example"):
                said = [Visitor(server, name, agent="x").sign_in("wrong", one).status
                        for one in (name, name.upper(), name.title(), f" {name}", f"{name}  ") * 2 + (name.upper(), name, f"\t{name}")]
                check(said == [401] * 10 + [429] * 3, f"{name}: {said}")

    @tests.test("abuse: who found a browser left open does not guess the password under other names of browsers")
    def proofs():
        with Server(SIGNIN, now=START) as server:
            zoe = account(server, data("zoe"))
            zoe.sign_in().expect(200)
            said = []
            for i in range(13):
                zoe.agent = f"browser {i}"
                said.append((zoe.post("/v1/session/proof", {"password": "wrong"}) if i % 2 else
                             zoe.put("/v1/me/password", {"current": "wrong", "new": OTHER})).status)
            check(said == [401] * 10 + [429] * 3, f"{said}")

    @tests.test("abuse: a restored backup brings back no former password, ended session or second factor that was set up since")
    def restored():
        with Server(SIGNIN) as server:
            zoe, other = account(server, data("zoe")), account(server, data("ada"))
            for one in (zoe, other):
                one.sign_in().expect(200)
            copy = os.path.join(server.folder, "copy")
            server.operator().post("/v1/backup", {"to": copy}).expect(200)
            cookies = dict(other.cookies)
            other.delete("/v1/session").expect(204)
            zoe.put("/v1/me/password", {"current": GOOD, "new": OTHER}).expect(204)
            secret = zoe.post("/v1/me/factor", {}).expect(200).json["secret"]
            zoe.post("/v1/me/factor/confirm", {"code": totp(secret, server.now())}).expect(200)
            server.stop()
            garant("restore", copy, "--data", server.data)
            server.start()
            check(Visitor(server, "zoe@people.example").sign_in(GOOD).status == 401, "the former password opens again")
            check(Visitor(server, "zoe@people.example").sign_in(OTHER).expect(200).json["factor"] == "needed", "the second factor is gone")
            other.cookies = cookies
            check(other.get("/v1/session").status == 401, "the session that was ended is back")
            zoe.get("/v1/session").expect(200)

    @tests.test("abuse: the link that stands for a password dies with the sign-in it was for")
    def half_way():
        with Server(SIGNIN, now=START) as server:
            zoe = account(server, data("zoe"))
            zoe.sign_in().expect(200)
            secret, codes = zoe.enrol()
            ticket = zoe.another().sign_in().expect(200).json["ticket"]
            zoe.another().post("/v1/session", {"ticket": ticket, "code": codes[0]}).expect(200)
            zoe.another().post("/v1/session", {"ticket": ticket, "code": codes[1]}).refused("unauthorised", status=401)

    @tests.test("abuse: a role that needs a second factor closes when it is removed")
    def unfactored():
        with Server(SIGNIN, now=START) as server:
            zoe = account(server, data("zoe"), role="support")
            zoe.sign_in().expect(200)
            zoe.enrol()
            check(zoe.get("/v1/session").json["closed"] is None, "not enrolled")
            zoe.delete("/v1/me/factor").expect(204)
            check(zoe.get("/v1/session").json["closed"] == "factor", "the role goes on without a second factor")

    @tests.test("abuse: a browser where somebody is signed in signs in somebody else, and takes their links")
    def another():
        with Mailbox() as mailbox, Server(SIGNIN, now=START, arguments=mailbox.arguments()) as server:
            zoe, tom = account(server, data("zoe")), account(server, data("tom"))
            zoe.sign_in().expect(200)
            zoe.post("/v1/password/reset", {"identifier": tom.identifier}).expect(202)
            link = mailbox.wait(to=tom.identifier, letter="reset").links[0]
            zoe.post("/v1/password/reset/confirm", {"token": token_of(link), "password": OTHER}).expect(204)
            zoe.sign_in(OTHER, tom.identifier).expect(200)
            check(zoe.get("/v1/session").json["subject"] == tom.subject, "somebody else is signed in")

    @tests.test("abuse: the link of a reset leads to its page")
    def reset_page():
        with Mailbox() as mailbox, Server(SIGNIN, now=START, arguments=mailbox.arguments()) as server:
            zoe = account(server, data("zoe"))
            Visitor(server).post("/v1/password/reset", {"identifier": zoe.identifier}).expect(202)
            parts = urllib.parse.urlsplit(mailbox.wait(to=zoe.identifier, letter="reset").links[0])
            path, anyone = parts.path + ("?" + parts.query if parts.query else ""), Visitor(server)
            page = anyone.request("GET", path, headers={"Accept": "text/html"}.items()).expect(200).body.decode()
            action = re.search(r'<form[^>]* action="(/reset/[^"]*)"', page)[1]
            form(anyone, action, password=OTHER).expect(303)
            zoe.sign_in(OTHER).expect(200)

    @tests.test("abuse: what was asked for before a change of password is void after it")
    def stale_change():
        with Mailbox() as mailbox, Server(SIGNIN, now=START, arguments=mailbox.arguments()) as server:
            zoe = account(server, data("zoe"))
            zoe.sign_in().expect(200)
            zoe.post("/v1/me/identifier", {"field": "contact.email", "value": "thief@people.example"}).expect(202)
            link = mailbox.wait(to="thief@people.example", letter="identifier_confirm").links[0]
            zoe.put("/v1/me/password", {"current": GOOD, "new": OTHER}).expect(204)
            Visitor(server).post("/v1/identifier/confirm", {"token": token_of(link)}).refused("not-found", status=404)
            zoe.another().sign_in(OTHER).expect(200)

    @tests.test("abuse: a new address ends the links that went to the former one, and the other sessions")
    def new_address():
        with Mailbox() as mailbox, Server(SIGNIN, now=START, arguments=mailbox.arguments()) as server:
            zoe = account(server, data("zoe"))
            zoe.sign_in().expect(200)
            phone = zoe.another()
            phone.sign_in().expect(200)
            zoe.post("/v1/me/identifier", {"field": "contact.email", "value": "new@people.example"}).expect(202)
            link = mailbox.wait(to="new@people.example", letter="identifier_confirm").links[0]
            Visitor(server).post("/v1/password/reset", {"identifier": zoe.identifier}).expect(202)
            reset = mailbox.wait(to=zoe.identifier, letter="reset").links[0]
            Visitor(server).post("/v1/identifier/confirm", {"token": token_of(link)}).expect(200)
            Visitor(server).post("/v1/password/reset/confirm", {"token": token_of(reset), "password": OTHER}).refused("not-found", status=404)
            zoe.get("/v1/session").expect(200)
            phone.get("/v1/session").refused("unauthorised", status=401)

    @tests.test("abuse: staff do not take over an account by its address")
    def takeover():
        with Mailbox() as mailbox, Server(SIGNIN, now=START, arguments=mailbox.arguments()) as server:
            zoe, chief = account(server, data("zoe")), account(server, data("chief"), role="support")
            app = server.client("app")

            def patch(who, subject):
                version = server.operator().get(f"/v1/subjects/{subject}/access").expect(200).json["version"]
                return who.request("PATCH", f"/v1/subjects/{subject}", {"contact": {"email": f"x{version}@people.example"}},
                                   {"If-Match": f'"{version}"'}.items())
            patch(app, chief.subject).refused("forbidden", status=403, clause=r"^roles\.support$")
            Visitor(server).post("/v1/password/reset", {"identifier": zoe.identifier}).expect(202)
            reset = mailbox.wait(to=zoe.identifier, letter="reset").links[0]
            zoe.sign_in().expect(200)
            patch(app, zoe.subject).expect(200)
            mailbox.wait(to=zoe.identifier, letter="identifier_changed")
            zoe.get("/v1/session").refused("unauthorised", status=401)
            Visitor(server).post("/v1/password/reset/confirm", {"token": token_of(reset), "password": OTHER}).refused("not-found", status=404)

    @tests.test("abuse: nobody's mailbox is filled with confirmations, and no server with registrations")
    def letters():
        with Mailbox() as mailbox, Server(PEOPLE, now=START, arguments=mailbox.arguments()) as server:
            zoe = account(server, data("zoe"))
            zoe.sign_in().expect(200)
            said = []
            for i in range(7):
                said.append(zoe.post("/v1/me/identifier", {"field": "contact.email", "value": f"stranger{i}@people.example"}).status)
                server.advance(seconds=61)
            check(said == [202] * 5 + [429] * 2, f"changes of address: {said}")
            told = {"zoe": "known_address", "fresh": "identifier_confirm"}
            for name, letter in told.items():
                for i in range(7):
                    Visitor(server).post("/v1/accounts/register", {"data": data(name), "password": GOOD}).expect(202)
                    mailbox.wait(f"{name}@people.example", letter, count=min(i + 1, 5))
            time.sleep(1)
            for name, letter in told.items():
                came = len(mailbox.find(f"{name}@people.example", letter))
                check(came == 5, f"{came} letters {letter} to {name}")
        with Mailbox() as mailbox, Server(PEOPLE, now=START, arguments=mailbox.arguments()) as server:
            body = lambda i: {"identity.first_name": "Zoé", "identity.last_name": "Martin", "contact.email": f"p{i}@people.example", "password": GOOD}
            said = [form(Visitor(server), "/register", **body(i)).status for i in range(23)]
            check(said == [200] * 20 + [429] * 3, f"registrations by the page: {said}")
        with Server(SIGNIN, now=START) as server:
            said = [(Visitor(server).post("/v1/password/reset", {"identifier": f"p{i}@people.example"}) if i % 2 else
                     form(Visitor(server), "/password/reset", identifier=f"p{i}@people.example")).status for i in range(23)]
            check(set(said[:20]) == {200, 202} and said[20:] == [429] * 3, f"resets asked for: {said}")

    @tests.test("abuse: codes are slowed down where the policy lets passwords be guessed")
    def codes():
        classes = "    classes: [upper, lower, digit, special]\n"
        slowed = "    profile: cnil-restricted\n    min_length: 8\n" + classes + "    attempts: 10\n    throttle: growing"
        unslowed = "    profile: cnil-alone\n    min_length: 12\n" + classes + "    throttle: none"
        with variant(SIGNIN, slowed, unslowed) as policy, Server(policy, now=START) as server:
            zoe = account(server, data("zoe"))
            zoe.sign_in().expect(200)
            secret, _ = zoe.enrol()
            server.advance(seconds=60)
            right = {totp(secret, server.now() + 30_000 * k) for k in (-1, 0, 1)}
            wrong = [code for code in (f"{n:06}" for n in range(1, 20)) if code not in right]
            said = [zoe.another().sign_in(code=code).status for code in wrong[:13]]
            check(said == [401] * 10 + [429] * 3, f"{said}")

    @tests.test("abuse: a name that is taken does not tell whether an address is")
    def oracle():
        with variant(PEOPLE, "      phone: {type: phone}", "      phone: {type: phone}\n      login: {type: text, identifier: true}") as policy, \
             Mailbox() as mailbox, Server(policy, now=START, arguments=mailbox.arguments()) as server:
            def ask(name, login):
                body = data(name)
                body["contact"]["login"] = login
                answer = Visitor(server).post("/v1/accounts/register", {"data": body, "password": GOOD})
                return answer.status, answer.json.get("field"), answer.json.get("detail"), answer.json.get("state")
            account(server, data("zoe"))
            check(ask("mine", "mine")[0] == 202, "not registered")
            link = mailbox.wait("mine@people.example").links[0]
            Visitor(server).post("/v1/registrations/confirm", {"token": token_of(link), "password": GOOD}).expect(200)
            said = {ask(name, "mine") for name in ("zoe", "nobody", "mine")}
            check(len(said) == 1 and said.copy().pop()[:2] == (409, "contact.login"), f"{said}")
            check({ask("zoe", "free1"), ask("nobody", "free2")} == {(202, None, None, "confirm")}, "a free name tells")
            check(ask("nobody", "free2")[0] == 202, "a registration that was not confirmed is in its own way")

    @tests.test("abuse: a role that must say why says it before it takes the whole file, too")
    def why():
        with variant(PEOPLE, "  support:\n    sees: all", "  support:\n    sees: all\n    reason: required") as policy, Server(policy, now=START) as server:
            zoe, desk = account(server, data("zoe")), account(server, data("desk"), role="support")
            server.operator().post(f"/v1/accounts/{desk.subject}/agreement", {"date": "2026-01-05", "reference": "safe"}).expect(200)
            desk.sign_in().expect(200)
            said = "Letter of 20 November"
            for what in ("access", "export", "former", "disclosures", "consents", "folders", "preferences"):
                desk.get(f"/v1/subjects/{zoe.subject}/{what}").refused("reason-missing", status=403, clause=r"^roles\.support\.reason$")
                desk.request("GET", f"/v1/subjects/{zoe.subject}/{what}", headers={"Garant-Reason": said}.items()).expect(200)
            looks = server.operator().get(f"/v1/subjects/{zoe.subject}/access").expect(200).json["looks"]
            check(sum(look["reason"] == said for look in looks) == 7, f"{[(look['act'], look['reason']) for look in looks]}")

    @tests.test("abuse: lists of people hold a manager's team and nobody else, and nothing before the agreement")
    def lists():
        with Server(PEOPLE, now=START) as server:
            zoe, boss = account(server, data("zoe")), account(server, data("boss"), role="manager")
            zoe.sign_in().expect(200)
            version = server.operator().get("/v1/policy/versions").expect(200).json["versions"][0]["hash"]
            zoe.post("/v1/policy/acknowledgements", {"version": version}).expect(201)
            boss.sign_in().expect(200)
            desk = account(server, data("desk"), role="support")
            desk.sign_in().expect(200)
            desk.get("/v1/policy/acknowledgements").refused("forbidden", status=403)
            server.operator().post(f"/v1/accounts/{desk.subject}/agreement", {"date": "2026-01-05", "reference": "safe"}).expect(200)
            desk.get("/v1/policy/acknowledgements").expect(200)
            listed = lambda: [row.get("subject") for row in boss.get("/v1/policy/acknowledgements").expect(200).json["acknowledgements"]]
            check(listed() == [], f"another's people are listed: {listed()}")
            server.client("app").put(f"/v1/accounts/{zoe.subject}/manager", {"manager": boss.subject}).expect(204)
            check(listed() == [zoe.subject], f"the team is not listed: {listed()}")

    @tests.test("abuse: a burst of resets is no way around their number")
    def burst():
        with Mailbox() as mailbox, Server(SIGNIN, now=START, arguments=mailbox.arguments()) as server:
            zoe = account(server, data("zoe"))
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                said = list(pool.map(lambda _: Visitor(server).post("/v1/password/reset", {"identifier": zoe.identifier}).status, range(16)))
            check(said == [202] * 16, f"{said}")
            mailbox.wait(zoe.identifier, "reset")
            time.sleep(1.5)
            came = len(mailbox.find(zoe.identifier, "reset"))
            check(1 <= came <= 5, f"{came} letters")
