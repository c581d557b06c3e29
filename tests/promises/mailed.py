"""What people write by email: requests and questions in the right tenant, answered from the register."""
import json, re
import engine
import asking, law
from asking import moved, open_ones, partner, path_of
from browser import Browser
from garant import check, check_absent, milliseconds
from mailbox import Mailbox, wait_for
from people import opened, staff
from post import Lmtp, came, file_of, mail, ways
from promise import part, promise
from tenants import by_command, held, invited, program
from words import word

START = "2026-11-23T10:00:00Z"


def taking_in(t, **options):
    """A server that takes emails in by LMTP, its mailbox, and the socket."""
    box = t.enter_context(Mailbox())
    arguments, path = ways(t.folder)
    return t.server(arguments=[*box.arguments(), *arguments], now=START, **options), box, path


def board(server):
    said = server.operator().get("/v1/promises?fresh=true").expect(200).json
    return {clause["path"]: clause["state"] for clause in said["clauses"]}


# ---- MP-15: by email or registered post, answered in time. ----

DPO = "rgpd@myportal.example"


def written(server, box, app):
    """Three ways in, and what becomes of each."""
    with part("an email becomes a request by itself, and its sender has its reference"):
        raw = mail("Anouk Perrin <anouk.1@exemple.example>", DPO, "Droit d'accès", "Bonjour,\nje veux une copie de mes données.")
        with Lmtp(server.lmtp) as line:
            check(line.bring("anouk.1@exemple.example", DPO, raw) == {}, "the email is not taken")
        row, = open_ones(app)
        check((row["kind"], row["channel"], row["state"], row["identity"]) == ("access", "email", "received", "none"), f"{row}")
        check((row["received"], row["due"]) == ("2026-11-23T10:00:00.000Z", "2026-12-23"), f"{row}")
        letter = box.wait("anouk.1@exemple.example", letter="request_received")
        check(row["id"] in letter.text and letter.headers["auto-submitted"] == "auto-replied", f"{letter.text}")
        check(json.loads(server.run("request", "show", row["id"], "--json"))["emails"][0]["subject"] == "Droit d'accès", "the command shows no email")
        told = came(server, mail("anouk.2@exemple.example", DPO, "Please delete my data", "Thank you"), DPO, "anouk.2@exemple.example")
        check(file_of(app, told["reference"])["kind"] == "erasure", f"{told}")
        page = server.clerk.get(f"/staff/requests/{row['id']}").expect(200)
        page.has("je veux une copie de mes données", "anouk.1@exemple.example")
    return row["id"], told["reference"]


def machines(server, box, app):
    with part("what machines write is no request, and can be made one"):
        before = len(open_ones(app))
        for sender, headers in (("", {}), ("away@exemple.example", {"Auto_Submitted": "auto-replied"}),
                                ("list@exemple.example", {"List_Id": "<l.exemple.example>"}), ("spam@exemple.example", {"X_Spam_Flag": "YES"})):
            told = came(server, mail(sender or "daemon@exemple.example", DPO, "Re: delete my data", "delete my data", **headers), DPO, sender)
            check(told["became"] == "aside" and told["reference"] is None, f"{told}")
        check(len(open_ones(app)) == before, "a machine made a request")
        kept = app.get("/v1/mail/aside").expect(200).json["emails"]
        one = next(row for row in kept if row["sender"] == "list@exemple.example")
        page = server.clerk.get("/staff/mail").expect(200).has("list@exemple.example")
        server.clerk.submit(page, "/staff/mail", like={"mail": one["mail"]}.items()).expect(200).has("list@exemple.example")
        check(len(open_ones(app)) == before + 1, "the page made no request")
        box.none_within(1, to="away@exemple.example")


def in_time(server, box, app, by_lmtp, by_command):
    """Who asks is proven by the link of the answer; then each is answered in another way."""
    browser = Browser(server)
    for number in (1, 2):
        there = path_of(box.wait(f"anouk.{number}@exemple.example", letter="request_received").links[0])
        browser.submit(browser.get(there).expect(200), "/requests/follow", like={"move": "confirm"}.items()).expect(200)
    with part("answered in time, by page, API and command, to who proved who they are"):
        stranger = came(server, mail("nobody@exemple.example", DPO, "Copy of my data", "please"), DPO, "nobody@exemple.example")["reference"]
        moved(app, stranger, "take")
        app.post(f"/v1/requests/{stranger}/moves/answer", {}).refused("conflict", status=409)
        page = server.clerk.get(f"/staff/requests/{by_lmtp}").expect(200)
        server.clerk.submit(page, f"/staff/requests/{by_lmtp}", like={"move": "answer"}.items()).expect(200)
        check(json.loads(server.run("request", "move", by_command, "answer", "--json"))["certificate"], "nothing was erased")
        question = came(server, mail("why@exemple.example", DPO, "Question", "Where?"), DPO, "why@exemple.example")["reference"]
        moved(app, question, "take")
        moved(app, question, "answer", text="In France.")
        for ident in (by_lmtp, by_command, question):
            row = file_of(app, ident)
            check(row["state"] == "answered" and not row["late"] and row["closed"] < row["due"], f"{row}")
        visitor = Browser(server)
        link = path_of(box.wait("anouk.1@exemple.example", letter="request_answered").links[0])
        visitor.submit(visitor.get(link).expect(200), "/requests/link").expect(200)
        visitor.get(link).expect(404)


def turns(server, app):
    with part("the board turns when one is late"):
        paths = ("rights.channels.email", "rights.channels.post", "rights.answer_within")
        before = board(server)
        check(all(before[path] != "broken" for path in paths), f"{ {path: before[path] for path in paths} }")
        server.advance(days=60)
        after = board(server)
        check(all(after[path] == "broken" for path in paths), f"{ {path: after[path] for path in paths} }")


@promise("MP-15")
def by_mail_or_post(t):
    """By email and by post to the DPO, within the time of the policy and of the law."""
    with part("the linter says that the law gives one month"):
        law.sixty_days(t)
    with part("post is entered by staff with its true day, by page, API and command"):
        asking.entered_by_post(t)
    server, box, server_lmtp = taking_in(t)
    server.lmtp, app = server_lmtp, server.client("app")
    for number in (1, 2):
        opened(server, partner(number))
    server.clerk = Browser.of(server, staff(server, partner(90), "anouk.90@exemple.example", "dpo"))
    by_lmtp, by_command = written(server, box, app)
    machines(server, box, app)
    in_time(server, box, app, by_lmtp, by_command)
    with part("the deadline counts down, and staff are told before its end"):
        row = open_ones(app)[0]
        server.advance(days=24)
        server.sweep()
        later = open_ones(server.client("app"))[0]
        check(row["days_left"] - later["days_left"] == 24 and later["id"] == row["id"], f"{row} {later}")
        wait_for(lambda: [one for one in box.find(DPO) if one.letter == "request_due" and row["id"] in one.text])
    turns(server, app)


# ---- MO-13: visitors of rooms write to the privacy address. ----

ROOM, PLATFORM = "donnees@academie.example", "privacy@myownconference.example"


def visitor_of(room, name):
    made = room.create({"visitor": {"name": name, "email": f"{name.lower()}@visits.example"}}, source="customer")
    return made["id"]


def proven(server, box, address, count=1):
    browser = Browser(server)
    there = path_of(box.wait(address, letter="request_received", count=count).links[0])
    browser.submit(browser.get(there).expect(200), "/requests/follow", like={"move": "confirm"}.items()).expect(200)


@promise("MO-13")
def visitors_write(t):
    """To the room's own address, and to the platform's, which only stores what the room holds and asks whose it is."""
    server, box, path = taking_in(t, tenant="myownconference")
    ours, (room, studio) = server.client("app"), (program(server, invited(server, box, tenant), tenant) for tenant in ("academy", "studio"))
    ident = {name: visitor_of(room, name) for name in ("Nour", "Oscar", "Pia")}
    with part("a room's own address makes a request in its tenant, and nowhere else"):
        with Lmtp(path) as line:
            check(line.bring("nour@visits.example", ROOM, mail("nour@visits.example", ROOM, "Delete my data", "All of it, please.")) == {}, "not taken")
        row, = open_ones(room)
        check((row["kind"], row["channel"]) == ("erasure", "email") and open_ones(ours) == [] and open_ones(studio) == [], f"{row}")
        ours.get(f"/v1/requests/{row['id']}").refused("not-found", status=404)
        letter = box.wait("nour@visits.example", letter="request_received")
        check(letter.headers["reply-to"].startswith("donnees+") and row["id"] in letter.text, f"{letter.headers}")
        own = held(t, "token", next(token for name, token in server.tokens.items() if "app-academy" in name))
        code, said = by_command(server, own, "request", "show", row["id"])
        check(code == 0 and json.loads(said)["emails"][0]["to"] == ROOM, f"{said}")
        check(server.run("request", "show", row["id"], "--tenant", "academy", ok=None).returncode != 0, "the operator reads what the room was written")
    with part("nobody is told who is known"):
        came(server, mail("ghost@visits.example", ROOM, "Delete my data", "All of it, please."), ROOM, "ghost@visits.example")
        mine, theirs = (box.wait(f"{name}@visits.example", letter="request_received") for name in ("nour", "ghost"))
        bare = [re.sub(r"[0-9A-Z]{26}|https?://\S+", "", one.text) for one in (mine, theirs)]
        check(bare[0] == bare[1], "the letter tells who is known")
    with part("the platform's own address asks which room, and the answer passes the request on"):
        first = came(server, mail("oscar@visits.example", PLATFORM, "Please correct my name", "It is Oskar, with k."), PLATFORM, "oscar@visits.example")
        asked = box.wait("oscar@visits.example", letter="request_which")
        check(first["became"] == "request" and "Académie Exemple" in asked.text and "Example Studio Ltd" in asked.text, f"{asked.text}")
        check([row["id"] for row in open_ones(ours)] == [first["reference"]] and len(open_ones(room)) == 2, "it is not with the platform")
        back = asked.headers["reply-to"]
        both = mail("oscar@visits.example", back, "Re", "Académie Exemple or Example Studio Ltd?", In_Reply_To=asked.headers["message-id"])
        check(came(server, both, back, "oscar@visits.example")["became"] == "reply", "two names decide")
        quoted = "> Reply with the name: Académie Exemple, Example Studio Ltd"
        answer = mail("oscar@visits.example", back, "Re", f"ACADEMIE EXEMPLE\n\n{quoted}", In_Reply_To=asked.headers["message-id"])
        eve = came(server, answer.replace(b"oscar@", b"eve@"), back, "eve@visits.example")
        check(eve["became"] == "reply", f"somebody else decides: {eve}")
        told = came(server, answer, back, "oscar@visits.example")
        check(told["became"] == "passed" and open_ones(ours) == [] and open_ones(studio) == [], f"{told}")
        there = file_of(room, told["reference"])
        check((there["kind"], there["received"], there["email"]) == ("rectification", "2026-11-23T10:00:00.000Z", "oscar@visits.example"), f"{there}")
        check("Oskar" in there["text"] and len(there["emails"]) == 2, f"{there}")
    with part("nothing of it stays at the platform"):
        left = file_of(ours, first["reference"])
        check((left["state"], left["text"], left["email"], left["name"], left["emails"]) == ("passed", None, None, None, []), f"{left}")
        check(left["history"][-1]["text"] == "Académie Exemple", f"{left['history']}")
        with engine.base(server.data, write=True) as db:
            check(db.execute("SELECT COUNT(*) FROM dsr_mail WHERE tenant = 'myownconference'").fetchone()[0] == 0, "an email stays")
    with part("data is added, changed and deleted on request"):
        proven(server, box, "oscar@visits.example")
        check(file_of(room, told["reference"])["subject"] == ident["Oscar"], "it is not known whose it is")
        room.change(ident["Oscar"], "room_visitors", {"visitor": {"name": "Oskar"}}, source="person").expect(200)
        moved(room, told["reference"], "answer")
        added = came(server, mail("pia@visits.example", ROOM, "Please update my data", "Add my town: Lyon."), ROOM, "pia@visits.example")
        proven(server, box, "pia@visits.example")
        room.change(ident["Pia"], "room_visitors", {"visitor": {"town": "Lyon"}}, source="person").expect(200)
        moved(room, added["reference"], "answer")
        proven(server, box, "nour@visits.example")
        moved(room, row["id"], "answer")
        check(room.read(ident["Oscar"], "room_visitors").expect(200).json["data"]["visitor"]["name"] == "Oskar", "not changed")
        check(room.read(ident["Pia"], "room_visitors").expect(200).json["data"]["visitor"]["town"] == "Lyon", "not added")
        room.read(ident["Nour"], "room_visitors").expect(404)
        server.stop()
        check_absent(["nour@visits.example", "oscar@visits.example", "All of it, please."], server.data)


# ---- MO-27: questions go to the privacy address. ----

@promise("MO-27")
def questions(t):
    """By email: filed, answered, and gone on with."""
    with part("by form and telephone too"):
        asking.questions(t)
    server, box, path = taking_in(t, tenant="myownconference")
    app, address = server.client("app"), "curious@exemple.example"
    with part("a question by email is filed in the register"):
        with Lmtp(path) as line:
            check(line.bring(address, PLATFORM, mail(address, PLATFORM, "Where?", "Hello, where does the planted data stand?")) == {}, "not taken")
        row, = open_ones(app)
        check((row["kind"], row["channel"]) == ("question", "email"), f"{row}")
        check("planted data" in json.loads(server.run("request", "show", row["id"], "--json"))["text"], "the command has no question")
        letter = box.wait(address, letter="request_which")
        check(row["id"] in letter.text, "the sender has no reference")
    with part("what the sender writes further stands in the same file"):
        told = came(server, mail(address, letter.headers["reply-to"], "Re", "And the backups?"), letter.headers["reply-to"], address)
        check((told["became"], told["reference"]) == ("reply", row["id"]), f"{told}")
        check("And the backups?" in [one["text"] for one in file_of(app, row["id"])["emails"]], "it is not in the file")
    with part("answered from its file by API and command, and followed on its page"):
        others = [f"q{number}@exemple.example" for number in (1, 2)]
        more = [came(server, mail(one, PLATFORM, "Why?", "Hello, why?"), PLATFORM, one)["reference"] for one in others]
        moved(app, row["id"], "take")
        app.post(f"/v1/requests/{row['id']}/moves/answer", {}).refused("missing-field", status=422)
        moved(app, row["id"], "answer", text="In two data centres of the Union.")
        for move, said in (("take", ()), ("answer", ("--text", "Because the law asks."))):
            server.run("request", "move", more[0], move, *said)
        moved(app, more[1], "take")
        moved(app, more[1], "answer", text="Because.")
        followed = Browser(server).get(path_of(letter.links[0])).expect(200)
        followed.has(row["id"], word("request.state.answered", letter.headers["content-language"]))
        check([file_of(app, ident)["state"] for ident in (row["id"], *more)] == ["answered"] * 3, "one is open")
    with part("the answer waits behind a link that works once"):
        visitor, link = Browser(server), path_of(box.wait(address, letter="request_answered").links[0])
        check("In two data centres" not in visitor.get(link).expect(200).html, "a look shows the answer")
        visitor.submit(visitor.get(link), "/requests/link").expect(200).has("In two data centres of the Union.")
        visitor.get(link).expect(404)
    server.set_clock(milliseconds("2031-12-31T00:00:00Z"))
    server.sweep()
    server.stop()
    check_absent([address, "planted data"], server.data)

