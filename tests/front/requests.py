"""Requests about data: every state with every move, by whoever may make it, each also cut off by kill -9; the clock, reminders, and what is left."""
import contextlib, datetime, json, os, random, tempfile, threading, time, urllib.parse
from browser import Browser, member
from garant import DAY, Server, check, milliseconds, policy_file
from mailbox import Mailbox
from people import staff
from words import word

POLICY, START = "site-fr", "2026-11-23T10:00:00Z"                # a Monday
OPEN = ("received", "identity", "clarification", "progress", "others", "mandate")
STATES = OPEN + ("answered", "refused", "withdrawn", "joined")
# What each move leads to, from which states, and whether something is written with it: held here by itself, beside the program's own table.
MOVES = {
    "take": (("received",), "progress", "none"), "ask_link": (("received", "progress", "mandate"), "identity", "none"),
    "ask_proof": (("received", "progress"), "identity", "must"), "accept_proof": (("identity",), "progress", "none"),
    "refuse_proof": (("identity",), "identity", "must"), "clarify": (("received", "progress"), "clarification", "must"),
    "reply": (("clarification",), "progress", "must"), "wait": (("progress",), "others", "must"), "resume": (("others",), "progress", "may"),
    "note": (OPEN, None, "must"), "set_kind": (OPEN, None, "none"), "extend": (OPEN, None, "must"), "answer": (("progress",), "answered", "may"),
    "send_again": (("answered",), "answered", "none"), "refuse": (OPEN, "refused", "must"), "withdraw": (OPEN, "withdrawn", "may"),
    "join": (OPEN, "joined", "may"), "ask_mandate": (("received", "identity", "progress"), "mandate", "may"),
    "accept_mandate": (("mandate",), "progress", "may"), "refuse_mandate": (("mandate",), "mandate", "must")}
ASKER = {"confirm": (("received", "identity"), "progress"), "reply": (("clarification",), "progress"), "withdraw": (OPEN, "withdrawn")}
WAY = {"received": (), "identity": ("ask_proof",), "clarification": ("clarify",), "progress": ("take",), "others": ("take", "wait"),
       "mandate": ("ask_mandate",),
       "answered": ("take", "answer"), "refused": ("refuse",), "withdrawn": ("withdraw",), "joined": ("join",)}
PROOF = b"%PDF-1.4\n%%EOF planted\n"


def person(number):
    return {"identity": {"first_name": f"Zoé-{number}", "last_name": f"Carrel-{number}"}, "contact": {"email": f"zoe.{number}@exemple.example"}}


def body(move):
    """What goes with it: every move that may have a text has one."""
    said = MOVES[move][2]
    if move == "set_kind":
        return {"kind": "question"}
    return {} if said == "none" else {"text": f"because of {move}"}


class Desk:
    """Who answers people, by the API; and the mailbox of whoever asks."""

    def __init__(self, server, box):
        self.server, self.box, self.client, self.made = server, box, server.client("app"), 0

    def enter(self, kind="question", channel="post", **more):
        self.made += 1
        email = f"asks.{self.made}@exemple.example"
        asked = {"kind": kind, "channel": channel, "email": email, "text": "Why is that so?", **more}
        return self.client.post("/v1/requests", asked).expect(201).json["id"], email

    def get(self, ident):
        return self.client.get(f"/v1/requests/{ident}").expect(200).json

    def move(self, ident, move, **more):
        if move == "join" and "into" not in more:
            more["into"] = self.enter()[0]
            if self.get(ident)["agent"]:
                self.client.post(f"/v1/requests/{more['into']}/moves/ask_mandate", {}).expect(200)
        return self.client.post(f"/v1/requests/{ident}/moves/{move}", {**body(move), **more})

    def brought(self, state, subject, **more):
        ident, email = self.enter(subject=subject, **more)
        for move in WAY[state]:
            self.move(ident, move).expect(200)
        if state == "identity":
            self.prove(email).expect(200)
        if state == "mandate":
            self.mandate(ident).expect(201)
        check(self.get(ident)["state"] == state, f"{ident} is not {state}")
        return ident, email

    def link(self, email):
        return urllib.parse.parse_qs(urllib.parse.urlsplit(self.box.wait(email, letter="request_received").links[0]).query)["token"][0]

    def mandate(self, ident, content=PROOF):
        sent = {"Content-Type": "application/octet-stream"}.items()
        return self.client.request("POST", f"/v1/requests/{ident}/mandate?name=mandate.pdf", content, sent)

    def prove(self, email, token=None, what="identity"):
        line, token = "planted-boundary", token or self.link(email)
        sent = (f'--{line}\r\nContent-Disposition: form-data; name="what"\r\n\r\n{what}\r\n'
                f'--{line}\r\nContent-Disposition: form-data; name="token"\r\n\r\n{token}\r\n--{line}\r\nContent-Disposition: form-data; '
                f'name="file"; filename="a.pdf"\r\n\r\n').encode() + PROOF + f"\r\n--{line}--\r\n".encode()
        return Browser(self.server).raw("POST", "/requests/proof", sent, f"multipart/form-data; boundary={line}")

    def by_link(self, email, move):
        said = {"text": "it is so"} if move == "reply" else {}
        return Browser(self.server).send("POST", "/requests/follow", {"token": self.link(email), "move": move, **said})


def started(box, **options):
    return Server(options.pop("policy", POLICY), arguments=box.arguments(), now=START, **options)


def register(tests):
    tests.test("requests: every state with every move, as its row says")(every_move)
    tests.test("requests: a move cut off by kill -9 is done whole, once, or not at all")(cut_off)
    tests.test("requests: an erasure cut off by kill -9 is completed and answered")(erasure_cut_off)
    tests.test("requests: two of one matter become one, with both histories and the earlier date")(joined)
    tests.test("requests: what would lose something is not joined, and two at once join one way")(not_joined)
    tests.test("requests: joined by page and by command")(joined_by_hand)
    tests.test("requests: who asks for somebody else has nothing before a mandate was seen, and the person is told")(by_agent)
    tests.test("requests: an agent's own address, identity document or link proves nothing of whom they ask for")(agent_alone)
    tests.test("requests: a mandate by post, where no letter can go, by page and by command")(mandate_by_hand)
    tests.test("requests: two dates, by the law and by the policy, with pauses and one extension")(dates)
    tests.test("requests: the dates of every day of four years")(every_day)
    tests.test("requests: staff are reminded, and what lay for 45 days still completes")(reminded)
    tests.test("requests: a repeated request is answered, not done again; a refusal names reasons, authority and court")(repeated)
    tests.test("requests: who must say why they look does so before a move, by page and API")(with_reason)
    tests.test("requests: by session, and nobody else's")(by_session)
    tests.test("requests: a link that was used, replaced or is over says which, and a press sends a new one to the same address")(links_over)
    tests.test("requests: what one person proved is no proof of another, and the answer goes to the address on file")(of_another)
    tests.test("requests: where it is free, the board tells when staff ask somebody for money, and of nothing else")(priced)


def priced():
    with Mailbox() as box, started(box) as server:
        desk = Desk(server, box)

        def fee():
            board = server.operator().get("/v1/promises?fresh=true").expect(200).json
            return next(one["state"] for one in board["clauses"] if one["path"] == "rights.fee")
        ident, email = desk.enter(channel="post", text="Must I pay a fee of 20 euros? You have to pay me!")
        desk.move(ident, "note", text="A lawyer says: a fee of 20 EUR would be unlawful.").expect(200)
        desk.move(ident, "clarify", text="Quelle facture de 20 € voulez-vous ?").expect(200)
        desk.by_link(email, "reply").expect(200)
        check(fee() == "kept", f"{fee()}: nobody was asked for money")
        for number, said in enumerate(("Veuillez  RÉGLER 20 € d'avance.", "Please\npay first.")):
            other = desk.enter()[0]
            desk.move(other, "clarify", text=said).expect(200)
            check(fee() == "broken", f"{said} is not seen")
            if not number:
                desk.move(other, "reply", text="It was a mistake: it is free.").expect(200)


def every_move():
    with Mailbox() as box, started(box) as server:
        desk, walked = Desk(server, box), 0
        subject = desk.client.create(person(1))["id"]
        for state in STATES:
            for move, (origin, to, _) in MOVES.items():
                ident, _ = desk.brought(state, subject)
                before, answer = desk.get(ident), desk.move(ident, move)
                told = [one["move"] for one in before["moves"]]
                check((move in told) == (state in origin), f"{state}: {move} is {'told' if move in told else 'not told'}")
                if state in origin:
                    check(answer.expect(200).json["state"] == (to or state), f"{state} {move}: {answer.json['state']}")
                    check(desk.get(ident)["history"][-1]["move"] == move, f"{state} {move}: not in the history")
                else:
                    answer.refused("conflict", status=409)
                    after = desk.get(ident)
                    check({**after, "history": 0} == {**before, "history": 0} and after["history"] == before["history"], f"{state} {move}: refused, and done")
                walked += 1
            for move, (origin, to) in ASKER.items():
                ident, email = desk.brought(state, subject)
                page = desk.by_link(email, move)
                check(page.status == (200 if state in origin else 409), f"{state} {move} by the link: {page.status}")
                # an address that nobody has on file proves nothing while a proof is awaited
                due = state if state not in origin or (state, move) == ("identity", "confirm") else to
                check(desk.get(ident)["state"] == due, f"{state} {move} by the link: {desk.get(ident)['state']}")
                walked += 1
            ident, _ = desk.brought(state, subject)
            for move in ("confirm", "give_proof", "fetch", "mail", "take_in", "give_mandate", "disown", "link_again"):
                desk.client.post(f"/v1/requests/{ident}/moves/{move}", {}).refused("forbidden", status=403)
                walked += 1
        ident, _ = desk.enter()
        for move in (name for name, row in MOVES.items() if row[2] == "must" and "received" in row[0]):
            desk.client.post(f"/v1/requests/{ident}/moves/{move}", {}).refused("missing-field", status=422, field="text")
        desk.client.post(f"/v1/requests/{ident}/moves/take", {"text": "x"}).refused(status=400)
        return f"{len(STATES)} states, {walked} moves"


def cut(server, ask):
    """The server dies at some moment of that request, and starts again."""
    sending = threading.Thread(target=lambda: quiet(ask))
    sending.start()
    time.sleep(random.uniform(0, 0.012))
    server.kill()
    sending.join()
    server.start()


def quiet(ask):
    try:
        ask()
    except Exception:                                            # pylint: disable=broad-except
        pass                                                     # it was cut off: what is there tells


def cut_off():
    with Mailbox() as box, started(box) as server:
        desk, done, cuts = Desk(server, box), 0, 0
        subject = desk.client.create(person(1))["id"]
        for state in STATES:
            for move in (name for name, row in MOVES.items() if state in row[0]):
                ident, _ = desk.brought(state, subject)
                before = desk.get(ident)
                cut(server, lambda: desk.move(ident, move))
                after = desk.get(ident)
                made = len(after["history"]) - len(before["history"])
                check(made in (0, 1), f"{state} {move}: {made} steps")
                if not made:
                    same = {key: value for key, value in after.items() if key not in ("proofs", "moves")}
                    check(same == {key: before[key] for key in same}, f"{state} {move}: half done: {before} {after}")
                    desk.move(ident, move).expect(200)
                check(desk.get(ident)["state"] == (MOVES[move][1] or state), f"{state} {move}: {desk.get(ident)['state']}")
                check([one["move"] for one in desk.get(ident)["history"]].count(move) == 1 + WAY[state].count(move), f"{state} {move}: made twice")
                done += made
                cuts += 1
        server.run("verify")
        return f"{cuts} moves, {done} of them durable when it died"


def erasure_cut_off():
    with Mailbox() as box, started(box) as server:
        desk = Desk(server, box)
        for number in range(2, 12):
            subject = desk.client.create(person(number))["id"]
            email = person(number)["contact"]["email"]
            ident = desk.client.post("/v1/requests", {"kind": "erasure", "channel": "phone", "email": email}).expect(201).json["id"]
            check(desk.by_link(email, "confirm").status == 200 and desk.get(ident)["identity"] == "link", "the link proves nothing")
            cut(server, lambda: desk.move(ident, "answer"))
            if desk.get(ident)["state"] != "answered":
                desk.move(ident, "answer").expect(200)
            check(desk.get(ident)["state"] == "answered" and not desk.get(ident)["subject"], f"{desk.get(ident)}")
            desk.client.read(subject, "account").refused("not-found", status=404)
        server.run("verify")
        return "10 times"


# ---- Two of one matter. ----

def joined():
    with Mailbox() as box, started(box) as server:
        desk = Desk(server, box)
        subject = desk.client.create(person(1))["id"]
        early, asked = desk.enter(kind="access", received="2026-11-03", text="planted early words")
        late, email = desk.enter(kind="access", subject=subject, received="2026-11-20")
        third, _ = desk.enter(kind="access", received="2026-11-10")
        desk.move(early, "note", text="planted note of the early one").expect(200)
        desk.move(third, "join", into=early).expect(200)
        before, dates_of = desk.get(late), lambda file: (file["received"][:10], file["alarm"], file["due"], file["law"], file["promise"])
        first = desk.get(early)
        gone = desk.move(early, "join", into=late, text="the same copy").expect(200).json
        check((gone["state"], gone["joined"], gone["open"]) == ("joined", late, False), f"{gone}")
        kept = desk.get(late)
        check(dates_of(kept) == dates_of(first) and kept["due"] < before["due"], f"{dates_of(before)} became {dates_of(kept)}, not {dates_of(first)}")
        history = [(one["move"], one["text"], one["request"]) for one in kept["history"]]
        check(("note", "planted note of the early one", early) in history and ("take_in", "the same copy", None) in history
              and ("received", None, third) in history and ("join", "because of join", third) in history, f"{history}")
        check({one["request"] for one in kept["joined_from"]} == {early, third} and desk.get(third)["joined"] == late, f"{kept['joined_from']}")
        check("planted early words" in json.dumps(kept["joined_from"]), "what was asked in the early one is lost")
        letter = box.wait(asked, letter="request_joined")
        check(late in letter.text and early in letter.text, f"the letter does not name both: {letter.text}")
        page = Browser(server).get("/" + letter.links[0].split("/", 3)[3]).expect(200).has(late)
        page.lacks("planted note")
        followed = Browser(server).get(f"/requests/follow?token={desk.link(email)}").expect(200)
        followed.lacks("planted note").lacks("planted early words")
        check([one["id"] for one in desk.client.get("/v1/requests").expect(200).json["requests"]] == [late], "the others are open still")
        for withdrawn in (False, True):                          # kept as long as the one in which they went on, and no longer
            server.advance(days=6 * 366)
            server.sweep()
            desk.client = server.client("app")
            for ident in (early, third, late):
                answer = desk.client.get(f"/v1/requests/{ident}")
                check(answer.status == (404 if withdrawn else 200), f"{ident}: {answer.status}, withdrawn: {withdrawn}")
            if not withdrawn:
                desk.move(late, "withdraw").expect(200)
        server.run("verify")
        return "three files, one month"


def not_joined():
    with Mailbox() as box, started(box) as server:
        desk = Desk(server, box)
        one, other = (desk.client.create(person(number))["id"] for number in (1, 2))
        first, _ = desk.enter(kind="access", subject=one)
        desk.move(first, "join", into=first).refused(status=422, field="into")
        desk.client.post(f"/v1/requests/{first}/moves/join", {}).refused("missing-field", status=422, field="into")
        desk.move(first, "join", into=one).refused(status=422, field="into")
        desk.move(first, "join", into=desk.enter(kind="erasure", subject=one)[0]).refused("conflict", status=409)
        desk.move(first, "join", into=desk.enter(kind="access", subject=other)[0]).refused("conflict", status=409)
        answered, _ = desk.brought("answered", one)
        desk.move(desk.enter()[0], "join", into=answered).refused("conflict", status=409)
        known = desk.client.post("/v1/requests", {"kind": "access", "channel": "phone", "email": person(1)["contact"]["email"]}).expect(201).json["id"]
        check(desk.by_link(person(1)["contact"]["email"], "confirm").status == 200, "the link proves nothing")
        desk.move(known, "join", into=first).refused("conflict", status=409)
        check(desk.get(first)["state"] == "received" and desk.get(known)["state"] == "progress", "refused, and done")
        desk.move(first, "join", into=known).expect(200)
        for _ in range(10):                                      # each into the other: one of them stays
            pair = [desk.enter()[0], desk.enter()[0]]
            turns = [threading.Thread(target=desk.client.post, args=(f"/v1/requests/{a}/moves/join", {"into": b})) for a, b in (pair, pair[::-1])]
            for turn in turns:
                turn.start()
            for turn in turns:
                turn.join()
            states = sorted(desk.get(ident)["state"] for ident in pair)
            check(states == ["joined", "received"], f"each joined to the other: {states}")
        return "seven refused; ten at once"


def joined_by_hand():
    with Mailbox() as box, started(box) as server:
        desk = Desk(server, box)
        subject = desk.client.create(person(1))["id"]
        first, second, third = (desk.enter(subject=subject, text=f"planted {number}")[0] for number in range(3))
        role = Browser.of(server, staff(server, person(90), "zoe.90@exemple.example", "support"))
        page = role.get(f"/staff/requests/{first}").expect(200)
        page = role.submit(page, f"/staff/requests/{first}", like={"move": "join"}.items(), into=second).expect(200).has(second)
        role.get(f"/staff/requests/{second}").expect(200).has(first).has("planted 0")
        told = json.loads(server.run("request", "move", third, "join", "--into", second, "--json"))
        check(told["joined"] == second and len(desk.get(second)["joined_from"]) == 2, f"{told}")
        return "page and command"


# ---- Somebody asks for somebody else. ----

def opened(server, letter, where):
    """The page of a letter's link, in a browser of its own."""
    browser = Browser(server)
    path = "/" + letter.links[0].split("/", 3)[3]
    check(path.startswith(where), f"the letter leads to {path}")
    return browser, browser.get(path).expect(200)


def by_agent():
    with Mailbox() as box, started(box) as server:
        desk, email = Desk(server, box), "lawyer@exemple.example"
        subject, address = desk.client.create(person(1))["id"], person(1)["contact"]["email"]
        visitor = Browser(server)
        sent = {"kind": "access", "email": email, "name": "Maître Planted", "person": "Zoé-1 Carrel-1"}
        visitor.submit(visitor.get("/requests").expect(200), "/requests", **sent).expect(200)
        ref = desk.client.get("/v1/requests").expect(200).json["requests"][0]["id"]
        file = desk.get(ref)
        check((file["state"], file["agent"], file["person"], file["paused"]) == ("mandate", True, "Zoé-1 Carrel-1", False), f"{file}")
        browser, page = opened(server, box.wait(email, letter="request_mandate"), "/requests/follow")
        token = page.form("/requests/proof")["fields"]
        token = next(field["value"] for field in token if field.get("name") == "token")
        for move in ("take", "answer", "confirm"):
            check(desk.client.post(f"/v1/requests/{ref}/moves/{move}", {}).status in (403, 409), f"{move} is done before a mandate")
        desk.move(ref, "accept_mandate", subject=subject).refused("conflict", status=409)
        check(desk.prove(email, token, "identity").status == 409, "an agent shows an identity document in place of a mandate")
        check(desk.prove(email, token, "mandate").expect(200).status == 200, "the mandate is not taken")
        kept = desk.get(ref)["proofs"]
        check([(one["what"], one["result"]) for one in kept] == [("mandate", "waiting")], f"{kept}")
        check(desk.client.get(f"/v1/requests/{ref}/proofs/{kept[0]['proof']}").expect(200).body == PROOF, "another file came")
        desk.move(ref, "refuse_mandate").expect(200)
        box.wait(email, letter="request_mandate", count=2)
        desk.move(ref, "accept_mandate", subject=subject).refused("conflict", status=409)
        check(not box.find(address, "request_agent"), "the person is told of what was refused")
        desk.prove(email, token, "mandate").expect(200)
        file = desk.move(ref, "accept_mandate", subject=subject).expect(200).json
        check((file["state"], file["identity"], file["subject"]) == ("progress", "mandate", subject), f"{file}")
        browser, page = opened(server, box.wait(address, letter="request_agent"), "/requests/link")
        page.has("Maître Planted")
        check(desk.get(ref)["identity"] == "mandate", "looking at the link says that there was no mandate")
        browser.submit(page, "/requests/link").expect(200)
        file = desk.get(ref)
        check((file["state"], file["identity"]) == ("mandate", "none") and file["history"][-1]["move"] == "disown", f"{file}")
        desk.client.post(f"/v1/requests/{ref}/moves/answer", {}).refused("conflict", status=409)
        desk.prove(email, token, "mandate").expect(200)
        desk.move(ref, "accept_mandate").expect(200)
        box.wait(address, letter="request_agent", count=2)
        desk.move(ref, "answer").expect(200)
        browser, page = opened(server, box.wait(email, letter="request_answered"), "/requests/link")
        copy = browser.submit(page, "/requests/link").expect(200)
        check(b"PK" == copy.body[:2] or b"Carrel-1" in copy.body, f"no copy came: {copy.body[:80]}")
        server.advance(days=8)
        server.sweep()
        desk.client.get(f"/v1/requests/{ref}/proofs/{kept[0]['proof']}").refused(status=410)
        check(server.run("verify"), "the journal does not verify")
        return "refused, accepted, disowned, accepted, answered"


def links_over():
    with Mailbox() as box, started(box) as server:
        desk = Desk(server, box)
        subject, address = desk.client.create(person(1))["id"], person(1)["contact"]["email"]

        def at(letter):
            return "/" + letter.links[0].split("/", 3)[3]

        def over(link, *words):
            return Browser(server).get(link).expect(404).has(word("title.link"), *words).lacks(word("problem.not-found"), "Zoé-1")

        def renewed(link, email, letter, count):
            browser = Browser(server)
            browser.submit(browser.get(link).expect(404), "/requests/link/again").expect(200).has(word("request.again"))
            return at(box.wait(email, letter=letter, count=count))
        ref, email = desk.enter(kind="access", subject=subject)
        desk.move(ref, "ask_link").expect(200)
        first = at(box.wait(address, letter="request_identity"))
        Browser(server).get(first).expect(200)
        Browser(server).send("POST", "/requests/link/again", {"token": first.split("token=")[1].split("&")[0]}).expect(404)
        server.advance(days=4)
        page = over(first, word("link.expired"), word("link.do.identity.expired"), word("link.ask.answer"))
        check("no request" not in page.html and not box.find(address, "request_received"), "a letter too many")
        second = renewed(first, address, "request_identity", 2)
        over(first, word("link.replaced"))
        browser = Browser(server)
        browser.submit(browser.get(second).expect(200), "/requests/link").expect(200)
        over(second, word("link.used"), word("link.do.identity.used"))
        Browser(server).send("POST", "/requests/link/again", {"token": second.split("token=")[1].split("&")[0]}).expect(404)
        desk.move(ref, "answer").expect(200)
        answer = at(box.wait(address, letter="request_answered"))
        browser.submit(browser.get(answer).expect(200), "/requests/link").expect(200)
        over(answer, word("link.used"), word("link.do.answer"))
        newer = renewed(answer, address, "request_answered", 2)
        over(answer, word("link.used"))
        check("/requests/link/again" not in Browser(server).get(answer).html, "each press on an old link makes another one")
        server.advance(days=31)
        newest = renewed(newer, address, "request_answered", 3)
        over(newer, word("link.replaced"))
        browser.submit(browser.get(newest).expect(200), "/requests/link").expect(200)
        check([one["move"] for one in desk.get(ref)["history"]].count("link_again") == 3, f"{desk.get(ref)['history']}")
        for path in ("/requests/link", "/requests/follow"):
            over(f"{path}?token=" + "A" * 43, word("link.unknown"), word("link.ask.request"))
        over("/requests/follow", word("link.do.follow"))
        check(server.run("verify"), "the journal does not verify")


def agent_alone():
    """An agent whose own address is on file, as somebody else's."""
    with Mailbox() as box, started(box) as server:
        desk = Desk(server, box)
        subject, agent = (desk.client.create(person(number))["id"] for number in (1, 2))
        email, address = person(2)["contact"]["email"], person(1)["contact"]["email"]
        ref = desk.client.post("/v1/requests", {"kind": "access", "channel": "agent", "email": email, "name": "Agent"}).expect(201).json["id"]
        check(desk.get(ref)["state"] == "mandate", f"{desk.get(ref)}")
        desk.move(ref, "ask_link", subject=subject).expect(200)
        token = urllib.parse.parse_qs(urllib.parse.urlsplit(box.wait(email, letter="request_mandate").links[0]).query)["token"][0]
        Browser(server).send("POST", "/requests/follow", {"token": token, "move": "confirm"})
        check(desk.prove(email, token).status == 409, "an identity document is taken from an agent")
        file = desk.get(ref)
        check((file["state"], file["identity"], file["subject"]) == ("identity", "none", subject), f"the agent's own address proves something: {file}")
        check("ask_proof" not in [one["move"] for one in file["moves"]], "a proof of identity is offered")
        desk.move(ref, "accept_proof").refused("conflict", status=409)
        browser, page = opened(server, box.wait(address, letter="request_identity"), "/requests/link")
        browser.submit(page, "/requests/link").expect(200)
        file = desk.get(ref)
        check((file["identity"], file["agent"], file["email"]) == ("link", False, address), f"the person says it is theirs: {file}")
        desk.move(ref, "ask_mandate").refused("conflict", status=409)
        desk.move(ref, "answer").expect(200)
        box.wait(address, letter="request_answered")
        check(not box.find(email, "request_answered"), "the answer goes to the agent")
        other = desk.client.post("/v1/requests", {"kind": "access", "channel": "agent", "email": email}).expect(201).json["id"]
        desk.mandate(other).expect(201)
        desk.move(other, "accept_mandate", subject=subject).expect(200)
        desk.move(other, "clarify").expect(200)
        check(desk.client.get(f"/v1/requests/{other}").json["identity"] == "mandate", "it is lost on the way")
        mine = desk.client.post("/v1/requests", {"kind": "access", "channel": "post", "subject": subject}).expect(201).json["id"]
        desk.move(mine, "join", into=other).refused("conflict", status=409)
        return f"{agent} asks for {subject}"


def mandate_by_hand():
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        policy = os.path.join(folder, "policy.yaml")
        with open(policy_file(POLICY), encoding="utf-8") as file, open(policy, "w", encoding="utf-8") as out:
            out.write(file.read().replace("email: {type: email, required: true,", "email: {type: email, required: false,"))
        server = stack.enter_context(Server(policy, now=START))
        desk = Desk(server, None)
        nobody = desk.client.create({"identity": person(3)["identity"], "contact": {"phone": "+33612345678"}})["id"]
        asked = {"kind": "erasure", "channel": "post", "name": "Agent", "person": "Zoé-3 Carrel-3", "subject": nobody}
        ref = desk.client.post("/v1/requests", asked).expect(201).json["id"]
        for content, status in ((b"<html>", 415), (b"", 422), (PROOF + b"\0" * (5 << 20), 413)):
            check(desk.mandate(ref, content).status == status, f"{status}: {content[:9]}")
        path = os.path.join(folder, "mandate.pdf")
        with open(path, "wb") as out:
            out.write(PROOF)
        told = json.loads(server.run("request", "attach", ref, path, "--json"))
        check([(one["name"], one["what"]) for one in told["proofs"]] == [("mandate.pdf", "mandate")], f"{told['proofs']}")
        desk.client.post(f"/v1/requests/{ref}/moves/accept_mandate", {}).refused("missing-field", status=422, field="text")
        role = Browser.of(server, staff(server, person(90), "zoe.90@exemple.example", "support"))
        page = role.get(f"/staff/requests/{ref}").expect(200).has("Zoé-3 Carrel-3")
        page = role.submit(page, f"/staff/requests/{ref}", like={"move": "accept_mandate"}.items(), text="by a letter of 24 November").expect(200)
        check(desk.get(ref)["identity"] == "mandate", f"{desk.get(ref)}")
        desk.move(ref, "answer").expect(200)
        desk.client.read(nobody, "account").refused("not-found", status=404)
        other = desk.client.post("/v1/requests", {**asked, "subject": desk.client.create(person(4))["id"]}).expect(201).json["id"]
        page = role.get(f"/staff/requests/{other}").expect(200)
        token = next(field["value"] for field in page.form(f"/staff/requests/{other}/mandate")["fields"] if field.get("name") == "csrf")
        line = "planted-boundary"
        sent = (f'--{line}\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{token}\r\n--{line}\r\nContent-Disposition: form-data; '
                f'name="file"; filename="b.pdf"\r\n\r\n').encode() + PROOF + f"\r\n--{line}--\r\n".encode()
        role.raw("POST", f"/staff/requests/{other}/mandate", sent, f"multipart/form-data; boundary={line}").expect(200).has("b.pdf")
        check([one["name"] for one in desk.get(other)["proofs"]] == ["b.pdf"], f"{desk.get(other)['proofs']}")
        return "told by letter; attached by command and by page"


# ---- The clock. ----

def day(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).date().isoformat()


def other_policy(folder, within):
    path = os.path.join(folder, f"within-{within}.yaml")
    with open(policy_file(POLICY), encoding="utf-8") as file, open(path, "w", encoding="utf-8") as out:
        out.write(file.read().replace("answer_within: 1mo", f"answer_within: {within}"))
    return path


def dates():
    with Mailbox() as box, started(box) as server:
        desk = Desk(server, box)
        # a month from 20 November ends on a Sunday: the law's last day is Monday, the alarm is not moved
        late = desk.get(desk.enter(received="2026-11-20")[0])
        check((late["received"][:10] in ("2026-11-19", "2026-11-20"), late["alarm"], late["due"]) == (True, "2026-12-20", "2026-12-21"), f"{late}")
        check(late["days_left"] == 28, f"{late['days_left']} days are left")
        desk.client.post("/v1/requests", {"kind": "question", "channel": "post", "text": "?", "received": "2026-11-25"}).refused(field="received", status=422)
        ident, _ = desk.enter()
        check((desk.get(ident)["alarm"], desk.get(ident)["due"]) == ("2026-12-23", "2026-12-23"), f"{desk.get(ident)}")
        server.advance(days=2)
        desk.move(ident, "clarify").expect(200)
        server.advance(days=10)
        check(desk.get(ident)["alarm"] == "2026-12-23", "a pause moves the alarm")
        after = desk.move(ident, "reply").expect(200).json
        check((after["due"], after["alarm"], after["days_paused"]) == ("2027-01-04", "2026-12-23", 10), f"after ten days of pause: {after}")
        # what is asked a fortnight after the receipt pauses nothing
        ident, _ = desk.enter(received=day(server.now() - 14 * DAY))
        due = desk.get(ident)["due"]
        desk.move(ident, "clarify").expect(200)
        server.advance(days=5)
        check(desk.move(ident, "reply").expect(200).json["due"] == due, "asked late, and paused")
        # one extension, with reasons, inside the first month
        ident, email = desk.enter()
        first = desk.get(ident)["due"]
        longer = desk.move(ident, "extend").expect(200).json
        check(longer["due"] > first and longer["extended"], f"not extended: {longer}")
        check("because of extend" in box.wait(email, letter="request_extended").text, "the letter has no reason")
        desk.move(ident, "extend").refused("conflict", status=409)
        ident, _ = desk.enter()
        server.advance(days=40)
        check("extend" not in [one["move"] for one in desk.get(ident)["moves"]], "it is extended after its month")
        desk.move(ident, "extend").refused("conflict", status=409)
        check(desk.get(ident)["late"], "it is not late")
    with tempfile.TemporaryDirectory() as folder, Mailbox() as box, started(box, policy=other_policy(folder, "15d")) as server:
        file = Desk(server, box).get(Desk(server, box).enter()[0])
        check((file["promise"], file["due"], file["law"]) == ("2026-12-08", "2026-12-08", "2026-12-23"), f"the promise of 15 days: {file}")
    return "a late entry, a pause, none when asked late, one extension, a promise that ends first"


def month_later(start):
    """The same day number a month later, or that month's last day (Regulation 1182/71, 3(2)(c))."""
    year, month = start.year + start.month // 12, start.month % 12 + 1
    last = (datetime.date(year + month // 12, month % 12 + 1, 1) - datetime.timedelta(1)).day
    return datetime.date(year, month, min(start.day, last))


def every_day():
    first, count, rolled = datetime.date(2027, 3, 1), 4 * 365 + 1, 0
    with Mailbox() as box, started(box) as server:
        server.set_clock(milliseconds("2031-03-02T12:00:00Z"))
        client = server.client("app")
        for n in range(count):
            start = first + datetime.timedelta(n)
            made = client.post("/v1/requests", {"kind": "access", "channel": "post", "received": f"{start}"}).expect(201).json
            alarm, due = datetime.date.fromisoformat(made["alarm"]), datetime.date.fromisoformat(made["due"])
            check(alarm == month_later(start), f"{start}: the alarm is {alarm}")
            check(alarm <= due <= alarm + datetime.timedelta(4) and due.weekday() < 5, f"{start}: the last day is {due}, a {due:%A}")
            rolled += due != alarm
            if n % 73 == 0:
                told = json.loads(server.run("deadline", "--from", f"{start}", "--term", "1mo", "--json"))
                check((told["alarm"], told["legal"]) == (f"{alarm}", f"{due}"), f"{start}: {made} is not {told}")
        return f"{count} days, {rolled} rolled to a working day"


def of_another():
    with Mailbox() as box, started(box) as server:
        desk = Desk(server, box)
        one, other = (desk.client.create(person(number))["id"] for number in (1, 2))
        ident, typed = desk.enter(kind="access", subject=one)

        def proves(number):
            link = box.wait(f"zoe.{number}@exemple.example", letter="request_identity").links[0]
            visitor = Browser(server)
            visitor.submit(visitor.get("/" + link.split("/", 3)[3]).expect(200), "/requests/link").expect(200)
        desk.move(ident, "ask_link").expect(200)
        proves(1)
        check(desk.get(ident)["identity"] == "link", f"{desk.get(ident)}")
        desk.move(ident, "ask_link").refused("conflict", status=409)
        told = desk.move(ident, "ask_link", subject=other).expect(200).json
        check(told["identity"] == "none", f"proven of somebody else: {told}")
        desk.by_link(typed, "confirm")
        check(desk.get(ident)["identity"] == "none" and desk.get(ident)["state"] == "identity", "the former proof counts for another")
        proves(2)
        desk.move(ident, "answer").expect(200)
        box.wait("zoe.2@exemple.example", letter="request_answered")
        check(not box.find(typed, "request_answered") and not box.find("zoe.1@exemple.example", "request_answered"), "the answer went elsewhere")


def reminded():
    with Mailbox() as box, started(box) as server:
        desk = Desk(server, box)
        ident, email = desk.enter()
        dpo = "vie-privee@site-fr.example"
        for moment, count in (("2026-12-16T12:00:00Z", 0), ("2026-12-17T12:00:00Z", 1), ("2026-12-24T12:00:00Z", 2)):
            server.set_clock(milliseconds(moment))
            server.sweep()
            server.sweep()
            if count:
                box.wait(dpo, letter="request_due", count=count)
            check(len(box.find(dpo, "request_due")) == count, f"{moment}: {len(box.find(dpo, 'request_due'))} reminders instead of {count}")
        letter = box.find(dpo, "request_due")[0]
        check(ident in letter.text and email not in letter.text and "Why is that so" not in letter.text, "the reminder tells more than it must")
        for _ in range(3):
            server.stop()
            server.advance(days=5)
            server.start()
        check(server.now() > milliseconds(START) + 45 * DAY and desk.get(ident)["late"], "it is not late")
        desk.move(ident, "take").expect(200)
        check(desk.move(ident, "answer").expect(200).json["state"] == "answered", "it does not complete")
        link = box.wait(email, letter="request_answered").links[0]
        visitor = Browser(server)
        page = visitor.get("/" + link.split("/", 3)[3]).expect(200)
        visitor.submit(page, "/requests/link").expect(200).has("because of answer")
        server.sweep()
        check(len(box.find(dpo, "request_due")) <= 4, "reminded of what is closed")
        return "before the alarm and at it; completed after 46 days"


def repeated():
    with Mailbox() as box, started(box) as server:
        desk = Desk(server, box)
        asked = {"kind": "access", "channel": "phone", "email": "asks.1@exemple.example", "language": "fr"}
        first, again = (desk.client.post("/v1/requests", asked, key="enter-1").expect(201).json for _ in range(2))
        check(first == again and len(desk.client.get("/v1/requests").expect(200).json["requests"]) == 1, f"entered twice: {first} {again}")
        said = {"text": "Demande déjà satisfaite en octobre"}
        for _ in range(2):
            answer = desk.client.post(f"/v1/requests/{first['id']}/moves/refuse", said, key="refuse-1").expect(200).json
            check(answer["state"] == "refused", f"{answer}")
        check(len(desk.get(first["id"])["history"]) == 2, "refused twice")
        letter = box.wait("asks.1@exemple.example", letter="request_refused")
        for words in ("Demande déjà satisfaite en octobre", "autorité de protection des données, CNIL", "un tribunal (articles 77 et 79)",
                      first["id"]):
            check(words in " ".join(letter.text.split()), f"the letter does not say {words}: {letter.text}")
        check(desk.get(first["id"])["reasons"] == "Demande déjà satisfaite en octobre", "the file has no reasons")
        return "entered and refused"


def with_reason():
    with tempfile.TemporaryDirectory() as folder, Mailbox() as box:
        path = os.path.join(folder, "reason.yaml")
        with open(policy_file(POLICY), encoding="utf-8") as file, open(path, "w", encoding="utf-8") as out:
            acts = "    acts: [read, write, send, erase, export]\n"
            out.write(file.read().replace(acts, acts + "    reason: required\n"))
        with started(box, policy=path) as server:
            desk = Desk(server, box)
            subject = desk.client.create(person(1))["id"]
            ident, _ = desk.enter(subject=subject)
            role = staff(server, person(90), "zoe.90@exemple.example", "support")
            role.get("/v1/requests").refused("reason-missing", status=403)
            role.get(f"/v1/requests/{ident}").refused("reason-missing", status=403)
            role.post(f"/v1/requests/{ident}/moves/take", {}).refused("reason-missing", status=403)
            check(desk.get(ident)["state"] == "received", "a move was made without a reason")
            role.post(f"/v1/requests/{ident}/moves/take", {}, **{"Garant-Reason": "planted ticket 7"}).expect(200)
            browser = Browser.of(server, role)
            page = browser.submit(browser.get("/staff/requests").expect(200), "/staff/requests", reason="planted ticket 8").expect(200)
            check(ident in page.html, "the list does not have it")
            page = browser.get(f"/staff/requests/{ident}").expect(200).lacks("Why is that so?")
            page = browser.submit(page, f"/staff/requests/{ident}", reason="planted ticket 9")
            page = browser.submit(page.expect(200).has("Why is that so?"), f"/staff/requests/{ident}", like={"move": "note"}.items(), text="seen")
            check(page.expect(200).status == 200 and desk.get(ident)["history"][-1]["text"] == "seen", "the note is not there")
            told = json.dumps(desk.client.get(f"/v1/subjects/{subject}/access").expect(200).json)
            check("planted ticket 7" in told and "planted ticket 9" in told, "the person cannot read why")
            return "list, file and moves"


def by_session():
    with Mailbox() as box, started(box) as server:
        mine, me = member(server, person(1), "zoe.1@exemple.example")
        other, _ = member(server, person(2), "zoe.2@exemple.example")
        page = mine.submit(mine.get("/me/requests").expect(200), "/me/requests", kind="rectification", text="My planted name is wrong").expect(200)
        page.has("My planted name is wrong")
        desk = Desk(server, box)
        ref = desk.client.get("/v1/requests").expect(200).json["requests"][0]["id"]
        file = desk.get(ref)
        check((file["identity"], file["subject"], file["channel"], file["email"]) == ("session", me, "profile", "zoe.1@exemple.example"), f"{file}")
        other.get("/me/requests").expect(200).lacks("My planted name is wrong")
        token = next(f["value"] for f in other.get("/me/requests").form("/me/requests")["fields"] if f.get("name") == "csrf")
        check(other.send("POST", f"/me/requests/{ref}", {"csrf": token, "move": "withdraw"}).status == 404, "somebody else withdraws it")
        desk.move(ref, "clarify").expect(200)
        page = mine.get("/me/requests").expect(200).has("because of clarify")
        page = mine.submit(page, f"/me/requests/{ref}", like={"move": "reply"}.items(), text="It is written with an accent").expect(200)
        check(desk.get(ref)["reply"] == "It is written with an accent", "the reply did not come")
        desk.move(ref, "answer").expect(200)
        mine.get("/me/requests").expect(200).has("because of answer")
        check(ref in json.dumps(desk.client.get(f"/v1/subjects/{me}/access").expect(200).json["requests"]), "the access answer does not have it")
        server.operator().post(f"/v1/subjects/{me}/erase", {}).expect(200)
        check(desk.get(ref)["subject"] is None and desk.get(ref)["answer"] == "because of answer", "the file goes with the person, or leads to them")
        return "asked, clarified, answered; kept without its person"
