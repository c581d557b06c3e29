"""Requests about data: by the form without an account, by post and telephone, by session; who asks, in time, and answered."""
import io, json, re, urllib.parse, zipfile
from browser import Browser
from garant import check, check_absent, check_searchable, milliseconds
from mailbox import Mailbox
from notices import journal_of
from people import opened, staff
from promise import part, promise

START = "2026-11-23T10:00:00Z"                  # a Monday
PROOF = b"%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF planted-proof-of-identity\n"


def path_of(link):
    return "/" + link.split("/", 3)[3]


def token_of(link):
    return urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["token"][0]


def asked(server, kind, email, text="", language="en"):
    """By the public form, as a browser fills it in; the page that answers."""
    visitor = Browser(server, language)
    return visitor.submit(visitor.get(f"/requests?lang={language}").expect(200), "/requests", kind=kind, email=email, text=text)


def followed(server, box, email, count=1):
    """The link of the acknowledgement: (browser, its path)."""
    link = box.wait(email, letter="request_received", count=count).links[0]
    return Browser(server), path_of(link)


def open_ones(client):
    return client.get("/v1/requests").expect(200).json["requests"]


def moved(client, ident, move, status=200, **body):
    return client.post(f"/v1/requests/{ident}/moves/{move}", body).expect(status)


def journal(t, server):
    """The journal's entries."""
    t.saved = getattr(t, "saved", 0) + 1
    return [json.loads(entry) for entry in journal_of(server, t.path(f"journal{t.saved}"))]


def upload(browser, path, content=PROOF, name="identity.pdf"):
    """The page's form with a file, as a browser sends it."""
    token = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query)["token"][0]
    page = browser.get(path).expect(200)
    form = page.form("/requests/proof")
    line = "planted-boundary-7"
    body = b"".join((f'--{line}\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n\r\n'.encode(),
                     f'--{line}\r\nContent-Disposition: form-data; name="token"\r\n\r\n{token}\r\n'.encode(),
                     f'--{line}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: application/pdf\r\n\r\n'.encode(),
                     content, f"\r\n--{line}--\r\n".encode()))
    check(any(field.get("value") == token for field in form["fields"]), f"the form does not carry the link: {form['fields']}")
    return browser.raw("POST", form["action"], body, f"multipart/form-data; boundary={line}")


# ---- FR-07: an account is deleted on request by the contact form. ----

def person(number):
    return {"identity": {"first_name": f"Apolline-{number}", "last_name": f"Vasseur-{number}"},
            "contact": {"email": f"apolline.{number}@exemple.example", "phone": f"+3347800{number:04d}",
                        "address": f"{number} montée de la Grande-Côte"}}


def bare(page):
    """A page without what differs from one to the next."""
    return re.sub(r'name="csrf" value="[^"]*"', "", page.html)


@promise("FR-07")
def by_the_contact_form(t):
    """The form makes a request, who asks is proven by the link to the address on file, and the erasure follows."""
    box = t.enter_context(Mailbox())
    server = t.server(arguments=box.arguments(), now=START)
    address, stranger = "apolline.1@exemple.example", "nobody@exemple.example"
    ident = opened(server, person(1))
    desk = staff(server, person(90), "apolline.90@exemple.example", "support")
    app = server.client("app")
    with part("the contact form leads there, and the form makes a request"):
        Browser(server).get("/forms/contact?lang=en").expect(200)
        check("/requests?lang=en" in Browser(server).get("/forms/contact?lang=en").read.links, "the contact form does not lead to requests")
        page = asked(server, "erasure", address, "My account, please").expect(200)
        rows = open_ones(app)
        check([(row["kind"], row["channel"], row["state"], row["identity"]) for row in rows] == [("erasure", "form", "received", "none")], f"{rows}")
        ref = rows[0]["id"]
        check(json.loads(server.run("request", "list", "--json"))["requests"][0]["id"] == ref, "the command lists others")
        check(ref in Browser.of(server, desk).get("/staff/requests").expect(200).html, "staff do not see it")
    with part("answered the same whether or not anyone is known"):
        other = asked(server, "erasure", stranger, "My account, please").expect(200)
        check(bare(page) == bare(other), "the page tells who is known")
        mine, theirs = box.wait(address, letter="request_received"), box.wait(stranger, letter="request_received")
        blank = re.compile(r"[0-9A-Z]{26}|https?://\S+")
        check(blank.sub("", mine.text) == blank.sub("", theirs.text), "the letter tells who is known")
        browser, there = followed(server, box, stranger)
        done = browser.submit(browser.get(there).expect(200), "/requests/follow", like={"move": "confirm"}.items()).expect(200)
        strange = next(row for row in open_ones(app) if row["id"] != ref)
        check(strange["identity"] == "none" and strange["state"] == "progress", f"a stranger is somebody: {strange}")
    with part("nothing is erased before it is known who asks"):
        app.post(f"/v1/requests/{ref}/moves/answer", {}).refused("conflict", status=409)
        moved(app, strange["id"], "note", text="nobody by that address")
        app.post(f"/v1/requests/{strange['id']}/moves/answer", {}).refused("conflict", status=409, clause=r"^rights\.identity$", promise="FR-07")
        check(server.run("request", "move", strange["id"], "answer", ok=None).returncode != 0, "the command answers a stranger")
        app.read(ident, "account").expect(200)
    with part("who asks is proven by the link to the address on file; looking at it spends nothing"):
        browser, there = followed(server, box, address)
        for _ in range(3):
            page = browser.get(there).expect(200)
        check(app.get(f"/v1/requests/{ref}").expect(200).json["state"] == "received", "a look changed something")
        mine = browser.submit(page, "/requests/follow", like={"move": "confirm"}.items()).expect(200)
        told, same = (html_of.replace(who, "").replace(token_of(box.wait(email, letter="request_received").links[0]), "")
                      for html_of, who, email in ((bare(mine), ref, address), (bare(done), strange["id"], stranger)))
        check(told == same, "the page after the link tells who is known")
        file = app.get(f"/v1/requests/{ref}").expect(200).json
        check((file["state"], file["identity"], file["subject"]) == ("progress", "link", ident), f"{file}")
        check([step["move"] for step in file["history"]] == ["received", "confirm"], f"{file['history']}")
    with part("the erasure follows, with its certificate behind a link that works once"):
        staffed = Browser.of(server, desk)
        page = staffed.get(f"/staff/requests/{ref}").expect(200).has(address)
        staffed.submit(page, f"/staff/requests/{ref}", like={"move": "answer"}.items()).expect(200)
        app.read(ident, "account").expect(404)
        file = app.get(f"/v1/requests/{ref}").expect(200).json
        check(file["state"] == "answered" and file["certificate"] and not file["subject"], f"{file}")
        link = path_of(box.wait(address, letter="request_answered").links[0])
        visitor = Browser(server)
        visitor.get(link).expect(200)
        shown = visitor.submit(visitor.get(link).expect(200), "/requests/link").expect(200)
        check(file["certificate"] in shown.html, f"the answer is no certificate: {shown.read.text[:300]}")
        visitor.get(link).expect(404)
        check(json.loads(server.run("request", "show", ref, "--json"))["state"] == "answered", "the command tells another state")
    with part("the file is sealed, and goes at its term"):
        server.stop()
        check_absent([address, "My account, please"], server.data)
        server.start()
        server.set_clock(milliseconds("2031-12-31T00:00:00Z"))
        server.sweep()
        server.client("app").get(f"/v1/requests/{ref}").refused("not-found", status=404)


# ---- MX-10: proof of identity may be asked before data is handed over. ----

def member_of(number):
    return {"identity": {"first_name": f"Solène-{number}", "last_name": f"Kerjean-{number}"},
            "contact": {"email": f"solene.{number}@exemple.example"}, "work": {"company": "Société Planted", "site": "Agence Planted"}}


@promise("MX-10")
def proof_before_data(t):
    """A request from an address that nobody has on file waits for proof, which is looked at, decided on and destroyed."""
    box = t.enter_context(Mailbox())
    server = t.server(arguments=box.arguments(), now=START)
    app = server.client("app")
    ident = app.create(member_of(1))["id"]
    desk = Browser.of(server, staff(server, member_of(90), "solene.90@exemple.example", "account_staff"))
    elsewhere = "private@elsewhere.example"
    with part("a request by an unauthenticated channel waits for proof, and nothing is handed over before"):
        asked(server, "access", elsewhere, "All that you have of me").expect(200)
        ref = open_ones(app)[0]["id"]
        browser, there = followed(server, box, elsewhere)
        browser.submit(browser.get(there), "/requests/follow", like={"move": "confirm"}.items()).expect(200)
        app.post(f"/v1/requests/{ref}/moves/answer", {}).refused("conflict", status=409, clause=r"^rights\.identity$", promise="MX-10")
        page = desk.get(f"/staff/requests/{ref}").expect(200)
        page = desk.submit(page, f"/staff/requests/{ref}", like={"move": "ask_proof"}.items(), text="The address is not the one that we know").expect(200)
        file = app.get(f"/v1/requests/{ref}").expect(200).json
        check((file["state"], file["paused"]) == ("identity", True), f"it does not wait for a proof: {file}")
        for refusal in (app.post(f"/v1/requests/{ref}/moves/answer", {}), app.post(f"/v1/requests/{ref}/moves/accept_proof", {"subject": ident})):
            refusal.refused("conflict", status=409)
        check(server.run("request", "move", ref, "answer", ok=None).returncode != 0, "the command answers who has shown nothing")
        check(path_of(box.wait(elsewhere, letter="request_proof").links[0]) == there, "the letter leads elsewhere")
    with part("a proof is uploaded by the link, as a file that shows what it is"):
        upload(browser, there, b"<html>planted</html>").expect(415)
        upload(browser, there, b"").expect(422)
        upload(browser, there, PROOF + b"\0" * (5 << 20)).expect(413)
        upload(browser, there).expect(200)
        proofs = app.get(f"/v1/requests/{ref}").expect(200).json["proofs"]
        check([(one["name"], one["result"]) for one in proofs] == [("identity.pdf", "waiting")], f"{proofs}")
        got = app.get(f"/v1/requests/{ref}/proofs/{proofs[0]['proof']}").expect(200)
        check(got.body == PROOF and got.headers["content-type"] == "application/pdf", f"another file came: {got.headers}")
        desk.submit(desk.get(f"/staff/requests/{ref}"), f"/staff/requests/{ref}/proofs/{proofs[0]['proof']}").expect(200)
        for other in ("analyst", "tracker"):
            server.client(other).get(f"/v1/requests/{ref}/proofs/{proofs[0]['proof']}").refused("forbidden", status=403)
    with part("a proof accepted or refused is logged"):
        moved(app, ref, "refuse_proof", text="The document is not readable")
        upload(browser, there, PROOF.replace(b"7", b"8")).expect(200)
        page = desk.get(f"/staff/requests/{ref}").expect(200)
        desk.submit(page, f"/staff/requests/{ref}", like={"move": "accept_proof"}.items(), subject=ident).expect(200)
        file = json.loads(server.run("request", "show", ref, "--json"))
        check((file["state"], file["identity"], file["subject"]) == ("progress", "proof", ident), f"{file}")
        check(sorted(one["result"] for one in file["proofs"]) == ["accepted", "refused"], f"{file['proofs']}")
        acts = [line["act"] for line in journal(t, server)]
        check(acts.count("request.unproven") == 1 and acts.count("request.accepted") == 1, f"the journal has {acts}")
    with part("then the data is handed over, by a link that looking at does not spend"):
        moved(app, ref, "answer")
        link = path_of(box.wait(elsewhere, letter="request_answered").links[0])
        for _ in range(3):
            page = browser.get(link).expect(200)
        taken = browser.submit(page, "/requests/link").expect(200)
        with zipfile.ZipFile(io.BytesIO(taken.body)) as packed:
            check("Kerjean-1" in packed.read("data.json").decode(), "the copy is not theirs")
        browser.get(link).expect(404)
        moved(app, ref, "send_again")
        again = path_of(box.wait(elsewhere, letter="request_answered", count=2).links[-1])
        check(again != link, "the same link is sent again")
    with part("the proof itself is deleted after the policy's term, with an entry that says only that it was checked"):
        server.stop()
        check_searchable(["planted-proof-of-identity"], t.folder)
        check_absent(["planted-proof-of-identity", "The document is not readable"], server.data)
        server.start()
        server.advance(days=6)
        server.sweep()
        check(len(app.get(f"/v1/requests/{ref}").expect(200).json["proofs"]) == 2, "a proof goes before its term")
        server.advance(days=2)
        server.sweep()
        file = app.get(f"/v1/requests/{ref}").expect(200).json
        check(not file["proofs"], f"a proof outlives its term: {file['proofs']}")
        app.get(f"/v1/requests/{ref}/proofs/{proofs[0]['proof']}").refused("erased", status=410)
        entries = [line for line in journal(t, server) if line["act"] == "request.checked"]
        check(len(entries) == 2, f"{len(entries)} entries say that a proof was checked")
        for entry in entries:
            check(not entry.get("who") and not entry.get("purpose") and not entry.get("categories"), f"the entry says more: {entry}")


# ---- MP-15: asked by e-mail or post, answered in time. MO-27: questions. ----

def partner(number):
    return {"identity": {"first_name": f"Anouk-{number}", "last_name": f"Perrin-{number}"}, "contact": {"email": f"anouk.{number}@exemple.example"}}


def entered_by_post(t):
    """Staff enter a letter with its true day: the deadline counts down from there, and the law's month stands beside the policy's promise."""
    box = t.enter_context(Mailbox())
    server = t.server(arguments=box.arguments(), now=START)
    app = server.client("app")
    clerk = Browser.of(server, staff(server, partner(90), "anouk.90@exemple.example", "dpo"))
    page = clerk.get("/staff/requests/new").expect(200)
    page = clerk.submit(page, "/staff/requests/new", kind="access", channel="post", received="2026-11-16", name="Anouk Perrin-1",
                        address="1 rue Planted, 75011 Paris", text="What do you have of me?").expect(200)
    row = open_ones(app)[0]
    check((row["channel"], row["alarm"], row["due"], row["law"], row["promise"]) == ("post", "2026-12-16", "2026-12-16", "2026-12-16", "2026-12-16"), f"{row}")
    page.has("Anouk Perrin-1", "16 December 2026")
    left = row["days_left"]
    server.advance(days=3)
    check(json.loads(server.run("request", "list", "--json"))["requests"][0]["days_left"] == left - 3 == 20, "it does not count down")
    by_api = app.post("/v1/requests", {"kind": "erasure", "channel": "phone", "received": "2026-11-10", "name": "Anouk Perrin-2"}).expect(201).json
    by_command = json.loads(server.run("request", "enter", "--json", given=json.dumps({"kind": "rectification", "channel": "post", "received": "2026-11-12"})))
    check([one["id"] for one in open_ones(app)] == [by_api["id"], by_command["id"], row["id"]], "the first is not what is due first")


def questions(t):
    """Questions are filed and answered in the register: by the form, by telephone; the answer waits behind a link that works once."""
    box = t.enter_context(Mailbox())
    server = t.server(arguments=box.arguments(), now=START, tenant="myownconference")
    app = server.client("app")
    address = "curious@exemple.example"
    asked(server, "question", address, "Where does the planted data stand?").expect(200)
    row = open_ones(app)[0]
    check((row["kind"], row["channel"]) == ("question", "form"), f"{row}")
    moved(app, row["id"], "take")
    app.post(f"/v1/requests/{row['id']}/moves/answer", {}).refused("missing-field", status=422)
    moved(app, row["id"], "answer", text="In two data centres of the Union.")
    visitor, link = Browser(server), path_of(box.wait(address, letter="request_answered").links[0])
    check("In two data centres" not in visitor.get(link).expect(200).html, "a look shows the answer")
    visitor.submit(visitor.get(link), "/requests/link").expect(200).has("In two data centres of the Union.")
    visitor.get(link).expect(404)
    check(json.loads(server.run("request", "show", row["id"], "--json"))["answer"] == "In two data centres of the Union.", "the register has no answer")
