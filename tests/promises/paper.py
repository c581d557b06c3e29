"""Consents on paper or by telephone: printed from the policy's forms, entered by staff, and then like any other."""
import html, json, os, re
from browser import Browser
from collect import found, ledger
from garant import check, check_absent
from mailbox import Mailbox
from mp import person
from notices import own_copy
from people import form, opened, staff, upload, visitor
from promise import further, part, promise

NOW = "2026-12-20T10:00:00Z"
SCAN = b"%PDF-1.4\n" + b"planted signature of the person " * 4000
WORDS = {"en": "I agree: Tell you about our services, by email", "fr": "J'accepte : Vous informer sur nos services, par courriel"}


def entry(**other):
    return {"purpose": "news", "channel": "email", "decision": "given", "method": "paper", "signed": "2026-12-12", "version": "2.0", "language": "fr", **other}


def scanned(client, ident, content=SCAN):
    return client.request("POST", f"/v1/subjects/{ident}/attachments?category=consents&name=signed.pdf", content,
                          [("Content-Type", "application/pdf")]).expect(201).json["id"]


def entered(client, ident, **other):
    body = entry(**other)
    if "scan" not in body and body["method"] == "paper":
        body["scan"] = scanned(client, ident)
    return client.post(f"/v1/subjects/{ident}/signed", {name: value for name, value in body.items() if value is not None})


def rows(server, ident, purpose="news"):
    return [row for row in ledger(server, ident)["consents"] if row["purpose"] == purpose]


def prints(server):
    with part("each collection point has a form to print, which names its version"):
        for row in server.anyone().get("/v1/forms").expect(200).json["forms"]:
            said = server.anyone().get(f"/v1/forms/{row['form']}").expect(200).json
            for language in ("en", "fr"):
                page = Browser(server).get(f"/forms/{row['form']}/paper?lang={language}").expect(200)
                text = html.unescape(page.body.decode() if isinstance(page.body, bytes) else page.body)
                check(f"version 2.0, {language}" in text and "11 villa Gaudelet" in text, f"{row['form']}: no version or address: {text}")
                check("<form" not in text.split('class="paper"')[1].split("</article>")[0], "what is printed is a form to send")
                if language == "en":
                    for one in (*said["boxes"], *said["purposes"], *said["fields"]):
                        check((one.get("wording") or one["title"]) in text, f"{row['form']} does not print {one}")
        css = server.anyone().get("/static/garant.css").expect(200).body.decode()
        check(re.search(r"@media print ?\{[^@]*\.paper", css), "it has no style to print it")
        check("/forms/newsletter/paper" in str(Browser(server).get("/forms/newsletter").expect(200).body), "the form does not lead to it")


def by_page(server, desk, ident):
    page = desk.get(f"/staff/people/{ident}/signed", Accept="text/html").expect(200).body.decode()
    offered = html.unescape(page)
    check(WORDS["fr"] in offered and WORDS["en"] in offered and "2.0" in offered, f"the wordings are not offered: {offered}")
    check("testimonials|" not in offered, "a purpose of another role is offered")
    sent = {"csrf": desk.csrf, "wording": "news|email|2.0|fr", "decision": "given", "method": "paper", "signed": "2026-12-12"}
    upload(desk, f"/staff/people/{ident}/signed", {"scan": ("../form signed.pdf", "application/pdf", SCAN)}, **sent).expect(303)
    page = upload(desk, f"/staff/people/{ident}/signed", {}, **{**sent, "signed": "2026-12-13"}).expect(422).body.decode()
    check("scan" in page, "what is missing is not said on the page")


def by_command(server, ident):
    path = os.path.join(server.data, "..", "signed.pdf")
    with open(path, "wb") as file:
        file.write(SCAN)
    listed = json.loads(server.run("form", "wordings", "--purpose", "news", "--json"))["wordings"]
    check({(row["version"], row["language"], row["channel"]): row["wording"] for row in listed}["2.0", "fr", "email"] == WORDS["fr"], f"{listed}")
    told = json.loads(server.run("subject", "signed", ident, "--scan", path, "--json", given=json.dumps(entry())))
    check(told["wording"] == WORDS["fr"] and told["signed"] == "2026-12-12", f"{told}")
    server.run_refused("missing-field", "subject", "signed", ident, given=json.dumps(entry(purpose="partner_news", signed="2026-12-13")))


def enters(server, desk, app):
    made = {}
    with part("staff enter it with date and scan, in the words of its version: by page, by a program and by the command"):
        for number, door in enumerate(("page", "program", "command"), 30):
            made[door] = opened(server, person(number))
            check(found(server, f"thibault.{number}@societe.example") is None, "news are allowed before")
        by_page(server, desk, made["page"])
        entered(app, made["program"]).expect(201)
        by_command(server, made["command"])
        for door, ident in made.items():
            row, = rows(server, ident)
            check((row["decision"], row["method"], row["policy"], row["wording"], row["signed"], row["at"][:10]) ==
                      ("given", "paper", "2.0", WORDS["fr"], "2026-12-12", "2026-12-11"), f"by {door}: {row}")
            check(row["scan"] and row["entered"][:10] == "2026-12-20", f"by {door}: {row}")
        entered(app, made["program"], method="phone").refused("undeclared", clause=r"^consent\.method$")       # told to staff alone
        entered(desk, made["program"], method="phone", purpose="partner_news", language="en", signed="2026-12-15T09:30:00Z").expect(201)
        row, = rows(server, made["program"], "partner_news")
        check(row["method"] == "phone" and "scan" not in row and row["at"] == "2026-12-15T09:30:00.000Z", f"{row}")
    return made


def counts(server, app, made):
    with part("it counts like any other"):
        for number, ident in enumerate(made.values(), 30):
            check(found(server, f"thibault.{number}@societe.example") == ident and "news" in ledger(server, ident)["live"], "it does not count")
            app.read(ident, "news").expect(200)
            app.post(f"/v1/subjects/{ident}/messages", {"purpose": "news", "subject": "News", "text": "Here.", "channel": "email"})
        entered(app, made["page"], decision="refused", signed="2026-12-18", channel="phone").expect(201)
        check([(row["channel"], row["decision"]) for row in rows(server, made["page"])] == [("email", "given"), ("phone", "refused")], "a refusal is no row")
    with part("the person sees it, with its date and how"):
        own = visitor(server, "thibault.31@societe.example")
        page = html.unescape(own.get("/me/consents", Accept="text/html").expect(200).body.decode())
        check("on paper, decided on" in page and "12 December 2026" in page and "Vous informer sur nos services, par courriel" in page, f"{page}")
        last = own.get(f"/v1/subjects/{made['program']}/consents").expect(200).json["last"]
        check({row["purpose"]: row["method"] for row in last} == {"news": "paper", "partner_news": "phone"}, f"{last}")
        told = json.loads(server.run("subject", "consents", made["program"], "--json"))["consents"]
        check([row["signed"] for row in told] == ["2026-12-12", "2026-12-15T09:30:00Z"], f"{told}")
        files, _ = server.operator().export(made["program"])
        check(SCAN in files.values(), f"the scan is not in the export: {list(files)}")


def withdraws(server, app, made):
    with part("it is withdrawn like any other"):
        own = visitor(server, "thibault.30@societe.example")
        form(own, "/me/consents", csrf=own.csrf, purpose="news", channel="email", decision="withdrawn").expect(303)
        own = visitor(server, "thibault.31@societe.example")
        own.post(f"/v1/subjects/{made['program']}/consents", {"purpose": "news", "channel": "email", "decision": "withdrawn"}).expect(201)
        app.consent(made["command"], "news", "withdrawn", channel="email", method="letter").expect(201)
        for number, ident in enumerate(made.values(), 30):
            check("news" not in ledger(server, ident)["live"] and found(server, f"thibault.{number}@societe.example") is None, "it still counts")
    with part("what is entered late undoes nothing that was decided since"):
        for ident in made.values():
            entered(app, ident).refused("conflict", status=409)
            entered(app, ident, signed="2026-12-20").refused("conflict", status=409)       # of the day: before or after?
            check("news" not in ledger(server, ident)["live"], "an old paper undid a withdrawal")
        server.advance(hours=1)
        entered(app, made["page"], signed="2026-12-20T10:30:00Z").expect(201)
        check("news" in ledger(server, made["page"])["live"], "a paper signed after the withdrawal does not count")


def renews(edit, server, app, ident):
    """The purpose changes in a way that matters: what was signed before is asked again, in the new words or in none."""
    with part("what is entered late undoes nothing that was decided since"):
        server.advance(days=2)
        edit(('version: "2.0"', 'version: "3.0"'), ("date: 2026-11-21", "date: 2026-12-22"),
             ('{fr: "Vous informer sur nos services", en: "Tell you about our services"}', '{fr: "Vous parler de tout", en: "Tell you about everything"}'),
             ("    pixel: false\n    categories: [identity, contact, company]", "    pixel: false\n    categories: [identity, contact, company, navigation]"))
        server.operator().post("/v1/policy/reload").expect(200)
        entered(app, ident, signed="2026-12-21").refused("conflict", status=409)
        entered(app, ident, signed="2026-12-21", version="3.0").refused("invalid-value", status=422, field="signed")
        server.advance(hours=2)
        entered(app, ident, signed="2026-12-22T11:30:00Z", version="3.0", language="en").expect(201)
        check(rows(server, ident)[-1]["wording"] == "I agree: Tell you about everything, by email", "in other words than those of its version")


def refuses(server, app, desk, ident):
    with part("without a date, a scan, or in words that nobody was asked, it is refused"):
        scan = scanned(app, ident)
        for other, code in (({"signed": None}, "missing-field"), ({"scan": None}, "missing-field"), ({"version": None}, "missing-field"),
                            ({"signed": "2026-12-21"}, "invalid-value"), ({"signed": "hier"}, "invalid-value"), ({"signed": "2026-11-01"}, "invalid-value"),
                            ({"method": "silence"}, "invalid-value"), ({"decision": "withdrawn"}, "invalid-value"), ({"scan": "no-id"}, "invalid-value"),
                            ({"version": "1.0"}, "undeclared"), ({"language": "de"}, "undeclared"), ({"purpose": "service", "channel": None}, "undeclared"),
                            ({"channel": "sms"}, "undeclared"), ({"channel": None}, "undeclared"), ({"scan": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}, "not-found")):
            body = {**entry(scan=scan), **other}
            app.post(f"/v1/subjects/{ident}/signed", {name: value for name, value in body.items() if value is not None}).refused(code)
        other = opened(server, person(40))
        app.post(f"/v1/subjects/{ident}/signed", entry(scan=scanned(app, other))).refused("not-found", status=404)     # another person's
        desk.post(f"/v1/subjects/{ident}/signed", entry(scan=scan, purpose="testimonials", channel=None) | {"channel": ""}).refused("forbidden", status=403)
        server.anyone().post(f"/v1/subjects/{ident}/signed", entry(scan=scan)).refused("unauthorised", status=401)
        check(not rows(server, ident) and not rows(server, ident, "testimonials"), "refused, and on record all the same")


def keeps(server, app, ident):
    with part("the scan is stored encrypted, and read by who takes consents alone"):
        check_absent(["planted signature", "signed.pdf", "form signed"], server.data)
        scan = rows(server, ident)[0]["scan"]
        where = f"/v1/subjects/{ident}/attachments/{scan}"
        check(app.get(where + "?purpose=consents").expect(200).body == SCAN, "the scan is another file")
        recruiter = staff(server, person(50), "thibault.50@societe.example", "recruiter")
        for purpose in ("consents", "recruitment"):
            recruiter.get(f"{where}?purpose={purpose}").refused("forbidden", status=403)
        app.delete(where).refused("conflict", status=409)
    with part("the scan goes with the proof, and with the person"):
        loose = scanned(app, ident)
        server.advance(days=4)
        server.sweep()
        app.get(f"/v1/subjects/{ident}/attachments/{loose}?purpose=consents").refused("not-found", status=404)
        app.get(where + "?purpose=consents").expect(200)
        app.consent(ident, "news", "withdrawn", channel="email").expect(201)
        for days, status in ((365, 200), (5 * 366, 404)):
            server.advance(days=days)
            app.post(f"/v1/subjects/{ident}/events", {"event": "last_contact"})
            server.sweep()
            server.sweep()
            app.get(where + "?purpose=consents").expect(status)


def erased(server, app, ident):
    with part("the scan goes with the proof, and with the person"):
        scan = scanned(app, ident)
        app.post(f"/v1/subjects/{ident}/erase", {"ground": "request"}).expect(200)
        app.get(f"/v1/subjects/{ident}/attachments/{scan}?purpose=consents").refused("not-found", status=404)


@promise("MP-04")
def on_paper(t):
    with Mailbox() as box:
        edit = own_copy(t)
        server = t.server(policy=edit(), now=NOW, arguments=box.arguments())
        app, desk = server.client("app"), staff(server, person(20), "thibault.20@societe.example", "sales")
        prints(server)
        refuses(server, app, desk, opened(server, person(39)))
        made = enters(server, desk, app)
        counts(server, app, made)
        withdraws(server, app, made)
        renews(edit, server, app, made["program"])
        erased(server, app, made["command"])
        keeps(server, app, made["page"])


@further("MP-04")
def of_a_minor(t):
    """Younger than the policy's age: a parent signs too, by page and by a program; without one it is refused, and a refusal needs none."""
    edit = own_copy(t)
    text = open(edit(), encoding="utf-8").read()
    old = text[text.index("minors:\n"):text.index("\n\nretention:", text.index("minors:\n"))]
    server = t.server(policy=edit((old, "minors: {plausible: true, age: 15}")), now=NOW)
    app, desk = server.client("app"), staff(server, person(60), "thibault.60@societe.example", "sales")
    one, two, three = (opened(server, person(number)) for number in (61, 62, 63))
    with part("of a minor a parent signs too, and the person sees who"):
        for wrong in ({"minor": True}, {"minor": True, "parent": " "}, {"parent": "x" * 201}, {"minor": True, "parent": "a\nb"},
                      {"parent": "4111 1111 1111 1111"}):
            entered(app, one, **wrong).refused(status=422)
        check(not rows(server, one), "refused, and on record all the same")
        entered(app, one, minor=True, parent="Maud Planted-Parent").expect(201)
        check(rows(server, one)[-1]["parent"] == "Maud Planted-Parent" and "news" in ledger(server, one)["live"], f"{rows(server, one)}")
        entered(app, two, minor=True, decision="refused").expect(201)
        where = f"/staff/people/{three}/signed"
        sent = {"csrf": desk.csrf, "wording": "news|email|2.0|fr", "decision": "given", "method": "paper", "signed": "2026-12-12", "minor": "on"}
        page = upload(desk, where, {"scan": ("form.pdf", "application/pdf", SCAN)}, **sent)
        check(page.status == 422 and not rows(server, three), f"{page.status}: a minor alone")
        upload(desk, where, {"scan": ("form.pdf", "application/pdf", SCAN)}, parent="Luc Planted-Parent", **sent).expect(303)
        check(rows(server, three)[-1]["parent"] == "Luc Planted-Parent", f"{rows(server, three)}")
        own = visitor(server, "thibault.63@societe.example").get("/me/consents", Accept="text/html").expect(200).body.decode()
        check("Luc Planted-Parent" in own, "the person does not see who signed")
        check_absent(["Planted-Parent"], server.data)
