"""MP-17: a breach is told to the authority, the people and the processors in time, from one register; by page, API and command."""
import json
from browser import Browser
from garant import check, check_absent, milliseconds
from mailbox import Mailbox
from notices import journal_of
from people import staff
from promise import part, promise

BEFORE, START = "2026-11-29T09:00:00Z", "2026-11-30T09:00:00Z"
CATEGORIES = ["contact", "company"]
FACTS = {"nature": "confidentiality", "began": "2026-11-29", "discovery": "A customer wrote to us", "origin": "An email to a wrong address",
         "cause": "No second pair of eyes", "before": "Access by role", "effects": "Unwanted planted emails", "remedy": "The planted list was called back",
         "advice": "Trust no email that asks for a password"}


def partner(number):
    return {"identity": {"first_name": f"Bérénice-{number}", "last_name": f"Colas-{number}"}, "contact": {"email": f"berenice.{number}@exemple.example"}}


def clerk_of(server, number):
    """Somebody of the DPO's, signed in."""
    return Browser.of(server, staff(server, partner(number), f"berenice.{number}@exemple.example", "dpo"))


def on_board(server):
    """What the promise board says of the clocks."""
    clauses = server.operator().get("/v1/promises?fresh=true").expect(200).json["clauses"]
    return {clause["state"] for clause in clauses if clause["path"] == "security.breach"}


def move(client, ident, name, **body):
    return client.post(f"/v1/breaches/{ident}/moves/{name}", body)


def row(server, ident, which="open"):
    return next(one for one in json.loads(server.run("breach", "list", "--which", which, "--json"))["breaches"] if one["id"] == ident)


def acts(t, server):
    t.saved = getattr(t, "saved", 0) + 1
    return [json.loads(line) for line in journal_of(server, t.path(f"journal{t.saved}"))]


@promise("MP-17")
def told_within_72_hours(t):
    """The clock runs from awareness; the authority's form is ready; those affected are found and told; what is late says why."""
    box = t.enter_context(Mailbox())
    server = t.server(arguments=box.arguments(), now=BEFORE)
    app = server.client("app")
    people = [app.create(partner(number))["id"] for number in range(1, 6)]
    server.set_clock(milliseconds(START))
    clerk = clerk_of(server, 90)
    with part("the clock runs from awareness, whenever it is entered, and pauses never"):
        page = clerk.get("/staff/breaches/new").expect(200)
        page = clerk.submit(page, "/staff/breaches/new", what="A planted list of customers went to a wrong address", known="2026-11-29T20:30:00Z").expect(200)
        first = app.get("/v1/breaches").expect(200).json["breaches"][0]
        ident = first["id"]
        check((first["authority_by"], first["people_by"], first["processors_by"]) ==
              ("2026-12-02T20:30:00.000Z", "2026-12-02T20:30:00.000Z", "2026-11-30T20:30:00.000Z"), f"{first}")
        page.has("A planted list of customers", "2 December 2026")
        left = first["hours_left"]
        server.advance(hours=5)
        clerk = clerk_of(server, 91)
        check(row(server, ident)["hours_left"] == left - 5 == 54, "it does not count down")
        drill = json.loads(server.run("breach", "open", "--what", "Rehearsal", "--drill", "--json"))["id"]
        app.post("/v1/breaches", {"what": "x", "known": "2027-01-01"}).refused("invalid-value", status=422)
        server.client("campaigns").get("/v1/breaches").refused("forbidden", status=403)
    with part("those affected are found, with counts by category and country, under one journal entry"):
        page = clerk.get(f"/staff/breaches/{ident}").expect(200)
        clerk.submit(page, f"/staff/breaches/{ident}", like={"move": "find"}.items(), categories="contact").expect(200)
        file = app.get(f"/v1/breaches/{ident}").expect(200).json
        check(file["people"] == 5 and file["counts"]["categories"][0]["people"] == 5, f"{file['counts']}")
        check(sum(one["people"] for one in file["counts"]["countries"]) == 5, f"{file['counts']}")
        found = json.loads(server.run("breach", "people", ident, "--json"))["people"]
        check(sorted(people) == sorted(found), f"{found}")
        entries = [line for line in acts(t, server) if line["act"] == "breach.found"]
        check(len(entries) == 1 and entries[0]["count"] == 5, f"{entries}")
        app.create(partner(7))
        again = move(app, ident, "find", categories=CATEGORIES).expect(200).json
        check(again["people"] == 5, "who came after it was known is affected")
        for actor, count in (("campaigns", 0), ("app", 5)):
            narrow = move(app, ident, "find", categories=CATEGORIES, actor=actor, until=file["known"]).expect(200).json
            check(narrow["people"] == count, f"{actor} has entries about {narrow['people']} people")
        check(move(app, ident, "find", categories=CATEGORIES).expect(200).json["people"] == 5, "the scope cannot be widened again")
        move(app, ident, "find", categories=["nothing"]).refused("undeclared", status=422)
    with part("the risk stands on the CNIL's scale, with reasons"):
        move(app, ident, "assess", risk="high", text="x").refused("invalid-value", status=422)
        move(app, ident, "assess", risk="maximal").refused("missing-field", status=422)
        server.run("breach", "move", ident, "assess", "--risk", "significant", "--text", "Many addresses in one list")
        check(row(server, ident)["risk"] == "significant", "the command assesses nothing")
    with part("the notification in the authority's fields is ready to send: to print, as JSON, and as text"):
        missing = app.get(f"/v1/breaches/{ident}/form?stage=initial").expect(200).json["missing"]
        check(missing == ["nature"], f"{missing}")
        move(app, ident, "notify", stage="initial").refused("missing-field", status=422)
        move(app, ident, "facts", **FACTS).expect(200)
        form = app.get(f"/v1/breaches/{ident}/form?stage=initial").expect(200).json
        values = {field["field"]: field["value"] for field in form["fields"]}
        check(not form["missing"] and values["nature"] == "confidentiality" and values["people"] == "5" and values["controller"] == "MyPortal SAS",
              f"{form['missing']} {values}")
        check("Unwanted planted emails" in form["text"] and "Likely consequences" in form["text"], form["text"])
        french = json.loads(server.run("breach", "form", ident, "--lang", "fr", "--json"))
        check("Conséquences probables" in french["text"], french["text"])
        clerk.get(f"/staff/breaches/{ident}/form?stage=final").expect(200).has("Unwanted planted emails", "MyPortal SAS")
        page = clerk.get(f"/staff/breaches/{ident}").expect(200)
        clerk.submit(page, f"/staff/breaches/{ident}", like={"move": "notify"}.items(), stage="initial", text="CNIL-2026-1").expect(200)
        check(app.get(f"/v1/breaches/{ident}").expect(200).json["notified"] == "2026-11-30T14:00:00.000Z", "it was not notified")
    with part("lateness needs a reason: to the authority, to people and to processors"):
        late = app.post("/v1/breaches", {"what": "An old planted backup was lost", "known": "2026-11-20"}).expect(201).json
        move(app, late["id"], "facts", nature="availability", effects="None", remedy="Restored").expect(200)
        move(app, late["id"], "notify", stage="initial").refused("missing-field", status=422, clause=r"^security\.breach\.authority$", promise="MP-17")
        check(server.run("breach", "move", late["id"], "notify", "--stage", "initial", ok=None).returncode != 0, "the command is late in silence")
        page = clerk.get(f"/staff/breaches/{late['id']}").expect(200).has("late")
        clerk.submit(page, f"/staff/breaches/{late['id']}", like={"move": "notify"}.items(), stage="initial").expect(422)
        move(app, late["id"], "tell", how="sealed", text="The keys were elsewhere").refused("missing-field", status=422, clause=r"^security\.breach\.subjects$")
        move(app, late["id"], "told", party="host").refused("missing-field", status=422, clause=r"^security\.breach\.processors$")
        move(app, late["id"], "told", party="host", late="Nobody knew it concerned them").expect(200)
        move(app, late["id"], "notify", stage="initial", late="It was taken for a test").expect(200)
        told = move(app, late["id"], "tell", how="sealed", text="The keys were elsewhere", late="It was taken for a test").expect(200).json
        check(told["late_authority"] == "It was taken for a test" and told["how"] == "sealed", f"{told}")
        proof = {field["field"]: field["value"] for field in app.get(f"/v1/breaches/{late['id']}/form").expect(200).json["fields"]}["sealed_proof"]
        check("XChaCha20" in proof, f"no proof that the data is of no use: {proof}")
        late_one = app.post("/v1/breaches", {"what": "Forgotten", "known": "2026-11-20"}).expect(201).json["id"]
        check("broken" in on_board(server), f"the board says {on_board(server)} while {late_one} is late")
        move(app, late_one, "assess", risk="negligible", text="Nothing left the house").expect(200)
        check("broken" not in on_board(server) and "at_risk" in on_board(server), f"the board says {on_board(server)}")
    with part("people are told by email in plain words: contact, consequences, measures"):
        page = clerk.get(f"/staff/breaches/{ident}").expect(200)
        clerk.submit(page, f"/staff/breaches/{ident}", like={"move": "tell"}.items(), how="letter",
                     text="A planted list with your email address was sent to a wrong address.").expect(200)
        check(app.get(f"/v1/breaches/{ident}").expect(200).json["going"], "no letter is on its way")
        server.sweep()
        letter = box.wait("berenice.1@exemple.example", letter="breach")
        for said in ("A planted list with your email address", FACTS["effects"], FACTS["remedy"], FACTS["advice"], "rgpd@myportal.example"):
            check(said in letter.text, f"the letter lacks {said}: {letter.text}")
        file = app.get(f"/v1/breaches/{ident}").expect(200).json
        check((file["letters"], file["unreached"], file["going"]) == (5, 0, False), f"{file}")
        box.none_within(1, "berenice.7@exemple.example", letter="breach")
        move(app, ident, "tell", how="letter", text="Again").refused("conflict", status=409)
    with part("a public notice stands where writing to each is disproportionate"):
        public = app.post("/v1/breaches", {"what": "A planted poster"}).expect(201).json["id"]
        move(app, public, "tell", how="public").refused("missing-field", status=422)
        Browser(server).get("/incidents?lang=en").expect(200).lacks("planted poster of")
        move(app, public, "tell", how="public", text="A planted poster of our visitors was shown in a hall.").expect(200)
        Browser(server).get("/incidents?lang=en").expect(200).has("A planted poster of our visitors")
    with part("processors are told, each a task with its clock, and nothing closes before"):
        file = app.get(f"/v1/breaches/{ident}").expect(200).json
        waiting = [one["party"] for one in file["parties"] if one["waiting"]]
        check({"host", "mailer", "organiser"} <= set(waiting), f"{waiting}")
        move(app, ident, "notify", stage="final", text="CNIL-2026-1").expect(200)
        move(app, ident, "close", text="Two pairs of eyes").refused("conflict", status=409)
        page = clerk.get(f"/staff/breaches/{ident}").expect(200)
        clerk.submit(page, f"/staff/breaches/{ident}", like={"move": "told", "party": waiting[0]}.items()).expect(200)
        server.run("breach", "move", ident, "told", "--party", waiting[1])
        for one in waiting[2:]:
            move(app, ident, "told", party=one).expect(200)
        move(app, ident, "told", party=waiting[0]).refused("conflict", status=409)
    with part("the register keeps facts, effects and remedy, sealed, for the policy's term"):
        move(app, ident, "close", text="Two pairs of eyes").expect(200)
        register = json.loads(server.run("breach", "register", "--json"))["breaches"]
        mine = next(one for one in register if one["id"] == ident)
        check(mine["facts"]["what"] and mine["effects"] == FACTS["effects"] and mine["remedy"] == FACTS["remedy"] and mine["closed"], f"{mine}")
        check([step["move"] for step in mine["history"]][0] == "opened", f"{mine['history']}")
        check(drill not in {one["id"] for one in register}, "the register has a drill")
        move(app, ident, "note", text="later").refused("conflict", status=409)
    with part("a drill rehearses all of it, and sends and changes nothing"):
        before = {one: app.get(f"/v1/subjects/{one}/access").json for one in people[:2]}
        sent = len(box.letters)
        move(app, drill, "facts", **FACTS).expect(200)
        move(app, drill, "find", categories=CATEGORIES).expect(200)
        move(app, drill, "assess", risk="maximal", text="As if").expect(200)
        move(app, drill, "tell", how="letter", text="As if").expect(200)
        server.sweep()
        file = app.get(f"/v1/breaches/{drill}").expect(200).json
        check(file["drill"] and not file["going"] and file["letters"] == file["people"] > 0, f"{file}")
        check(app.get(f"/v1/breaches/{drill}/form").expect(200).json["fields"][0]["field"] == "drill", "the form does not say that it is a drill")
        server.sweep()
        check(len(box.letters) == sent, "a drill sends")
        after = {one: app.get(f"/v1/subjects/{one}/access").json for one in people[:2]}
        for one in before:
            held, now = ({k: v for k, v in said[one].items() if k not in ("looks", "at")} for said in (before, after))
            check(held == now, "a drill changes")
    with part("signs are proposed, and open nothing by themselves"):
        for number in range(60):
            app.post("/v1/breaches/none/moves/note", {"text": "x"})
            app.get(f"/v1/subjects/{people[0]}?purpose=resale")
        opened = len(app.get("/v1/breaches").expect(200).json["breaches"])
        server.advance(minutes=11)
        server.sweep()
        listed = app.get("/v1/breaches").expect(200).json
        check([(one["kind"], one["actor"]) for one in listed["signs"]] == [("refusals", "app")] and len(listed["breaches"]) == opened, f"{listed}")
        clerk.get("/staff/breaches").expect(200).has("Many refused reads")
        server.run("breach", "dismiss", listed["signs"][0]["id"], "--text", "A test of ours")
        check(not app.get("/v1/breaches").expect(200).json["signs"], "it is proposed again")
    server.stop()
    check_absent(["A planted list", "Unwanted planted emails", "A test of ours"], server.data)
    server.start()
    server.set_clock(milliseconds("2031-12-02T00:00:00Z"))
    server.sweep()
    server.client("app").get(f"/v1/breaches/{ident}").refused("not-found", status=404)
