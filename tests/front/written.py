"""What people type and read in their own language: days and moments in forms, choices and countries in words, roles by their titles."""
import html
from browser import Browser, member
from garant import Server, check, garant
from identifiers import variant
from people import staff
from words import word

START = "2026-11-23T10:00:00Z"
FIELDS = '''      wish: {type: choice, choices: [a1, b2], required: false, labels: {a1: {fr: "Du calme", en: "Quiet"}}, title: {fr: "Souhait", en: "Wish"}}
      met: {type: time, required: false, title: {fr: "Rencontre", en: "Meeting"}}
      born: {type: date, required: false, title: {fr: "Naissance", en: "Birth"}}
      home: {type: country, required: false, title: {fr: "Pays", en: "Country"}}
'''
CONTACT = '      phone: {type: phone, required: false, title: {fr: "Téléphone", en: "Telephone"}}\n'


def portal(number):
    return {"identity": {"first_name": "Ana", "last_name": f"Canari-{number}"}, "contact": {"email": f"ana.{number}@people.example"},
            "work": {"company": "Studio", "site": "Lyon"}}


def register(tests):
    tests.test("written: a choice, a day, a moment and a country are typed and read in words, on pages and in the export")(fields)
    tests.test("written: forms of staff take days as people write them, and say what is none")(days)
    tests.test("written: a label of what is no choice is refused")(labels)


def fields():
    with variant("policies/mxplorerplace.yaml", (CONTACT, FIELDS + CONTACT)) as policy, Server(policy, now=START) as server:
        browser, ident = member(server, portal(1), "ana.1@people.example")
        page = browser.get("/me/edit/contact").expect(200).has("Quiet", word("form.hint.time"), word("form.hint.country")).lacks("2026-")
        typed = {"contact.wish": "a1", "contact.met": "31/12/2026 18:30", "contact.born": "1/2/1990", "contact.home": "Germany"}
        browser.submit(page, "/me/edit/contact", fields=typed).expect(200)
        held = server.client("app").get(f"/v1/subjects/{ident}?purpose=service").expect(200).json["data"]["contact"]
        check(held["met"] == "2026-12-31T18:30:00+01:00" and held["born"] == "1990-02-01" and held["home"] == "DE" and held["wish"] == "a1", f"{held}")
        again = browser.get("/me/edit/contact").expect(200)
        shown = {f["name"]: f.get("value") for f in again.form("/me/edit/contact")["fields"] if f.get("name") in typed}
        check(shown["contact.met"] == "31/12/2026 18:30" and shown["contact.born"] == "01/02/1990" and shown["contact.home"] == "Germany", f"{shown}")
        before = server.client("app").get(f"/v1/subjects/{ident}/access").expect(200).json["former"]
        browser.submit(again, "/me/edit/contact")                 # as it stands: nothing changed, and nothing is written
        check(server.client("app").get(f"/v1/subjects/{ident}/access").expect(200).json["former"] == before, "sent as it was, it counts as a change")
        browser.get("/me").has("Quiet", "Germany", "1 February 1990").lacks("1990-02-01")
        french = Browser(server, "fr")
        french.cookies = dict(browser.cookies)
        french.get("/me?lang=fr").has("Du calme", "Allemagne", "1er février 1990").lacks("1990-02-01")
        index = html.unescape(server.client("app").export(ident)[0]["index.html"].decode())
        check(all(said in index for said in ("Quiet", "Germany", "31 December 2026")), "the export's page lacks words")
        check(">a1<" not in index and "1990-02-01" not in index, "raw values in the export")


def days():
    with Server("mxplorerplace", now=START) as server:
        clerk = Browser.of(server, staff(server, portal(2), "ana.2@people.example", "account_staff"))
        for path in ("/staff/authorities/new", "/staff/breaches/new", "/staff/requests/new"):
            clerk.get(path).expect(200).has("31/12/2026").lacks("2026-11")
        _, ident = member(server, portal(3), "ana.3@people.example")
        page = clerk.get("/staff/authorities/new")
        asked = {"authority": "Tribunal", "ground": "CPP 77-1-1", "subjects": ident, "fields": {"category.contact": "on"}}
        wrong = clerk.submit(page, "/staff/authorities/new", received="yesterday", **asked).expect(422)
        wrong.has(word("fault.day")).lacks("2026-11-20")
        made = clerk.submit(wrong, "/staff/authorities/new", received="20/11/2026", **{**asked, "fields": {}}).expect(200)
        made.has("20 November 2026", "Account staff", word("staff.see_person")).lacks("account_staff")
        breach = clerk.submit(clerk.get("/staff/breaches/new"), "/staff/breaches/new", what="A list went astray", known="22/11/2026 09:30").expect(200)
        breach.has("22 November 2026, 09:30", "Account staff").lacks("account_staff")
        clerk.submit(clerk.get("/staff/requests/new"), "/staff/requests/new", name="Anouk", received="20 November 2026").expect(200).has("20 November 2026")


def labels():
    with variant("policies/mxplorerplace.yaml", (CONTACT, FIELDS.replace("{a1:", "{c3:") + CONTACT)) as policy:
        run = garant("check", policy, ok=None)
        check(run.returncode and "c3 is no choice of" in run.stdout + run.stderr, f"{run.returncode} {run.stdout} {run.stderr}")
