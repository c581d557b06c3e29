"""What is told and put on record is true: acknowledgements, sign-out, sources, purposes, wordings, suppliers, versions told."""
import contextlib, json, subprocess, tempfile
import engine
from accounts import FOLDERS, portal, token_of
from browser import Browser
from garant import PROGRAM, TOP, Server, check
from identifiers import variant
from mailbox import Mailbox
from people import PASSWORD, Visitor, argon2, bcrypt, form, opened, registered, staff, visitor
from words import word

NOW = "2026-11-23T09:00:00Z"
VALUES = "tests/front/values.yaml"


def partner(name):
    return {"identity": {"first_name": name, "last_name": "Vasseur"}, "contact": {"email": f"{name.lower()}@exemple.example"}}


def register(tests):
    @tests.test("records: a partner who is signed in acknowledges, by API as by page, and who still owes one is named")
    def partners():
        with Server("myportal", now=NOW) as server:
            app = server.client("app")
            one, two, gone = (staff(server, partner(name), f"{name}@exemple.example", "partner") for name in ("lea", "max", "ida"))
            other = opened(server, partner("nil"))
            owed = app.get("/v1/policy/acknowledgements").expect(200).json
            check(set(owed["awaited"]) == {one.id, two.id, gone.id} and owed["awaited_count"] == 3, f"{owed}")
            version = server.anyone().get("/v1/policy/versions").expect(200).json["versions"][0]["hash"]
            one.post("/v1/policy/acknowledgements", {"version": version}).expect(201)
            one.post("/v1/policy/acknowledgements", {"subject": two.id}).refused("forbidden", "not-found")
            one.post("/v1/policy/acknowledgements", {"party": "lyon"}).refused("forbidden", status=403)
            check(form(two, "/privacy/acknowledge", csrf=two.csrf, version=version).status == 303, "the page")
            app.post(f"/v1/subjects/{gone.id}/close").expect(204)
            said = app.get("/v1/policy/acknowledgements").expect(200).json
            check({(row["subject"], row["by"]) for row in said["acknowledgements"]} == {(one.id, "partner"), (two.id, "person")}, f"{said}")
            check(said["awaited"] == [] and said["awaited_count"] == 0, f"{said}")
            visitor(server, "nil@exemple.example").post("/v1/policy/acknowledgements", {}).expect(201)
            check(other in [row["subject"] for row in app.get("/v1/policy/acknowledgements").json["acknowledgements"]], "a customer's")

    @tests.test("records: who is signed in signs out on every page, public ones and faults too, and no cache keeps such a page")
    def sign_out():
        with Server("mxplorerplace", now=NOW) as server:
            ident = opened(server, portal("zoe"))
            browser = Browser(server)
            versions = [v["hash"] for v in server.anyone().get("/v1/policy/versions").json["versions"]]
            paths = ["/privacy", "/cookies", "/promises", "/privacy/versions", f"/privacy/versions/{versions[0]}", "/nowhere", "/privacy/versions/unknown",
                     "/privacy/acknowledge", "/me", "/me/security", "/me/nowhere", "/staff", "/privacy?lang=fr", "/promises?lang=fr"]
            before = {path: browser.get(path) for path in ("/privacy", "/cookies", "/promises")}
            check(all("/signout" not in page.html for page in before.values()), "a stranger signs out")
            browser.sign_in(portal("zoe")["contact"]["email"], PASSWORD)
            for path in paths:
                page = browser.get(path)
                check([f["action"] for f in page.read.forms].count("/signout") == 1, f"{path}: {page.status} no sign-out, or several")
                check(page.headers["cache-control"] == "no-store" and "etag" not in page.headers, f"{path}: {page.headers}")
                check(not page.read.faults, f"{path}: {page.read.faults}")
            kept = browser.send("GET", "/privacy", headers={"If-None-Match": before["/privacy"].headers["etag"]})
            check(kept.status == 200, f"what a stranger was shown counts as seen: {kept.status}")
            page = browser.submit(browser.get("/promises"), "/signout").expect(200).has(word("done.signedout"))
            check(not browser.cookies and browser.send("GET", "/me").status == 303, "still signed in")
            check("/signout" not in browser.get("/privacy").html, "the sign-out stays")
            check(server.client("app").get(f"/v1/subjects/{ident}/access").status == 200, "gone")

    @tests.test("records: each datum has the source that was told, or who brought it; never the person's without a word")
    def sources():
        with Server("deskmanager", now=NOW) as server:
            app, mobile = server.client("app"), server.client("mobile")
            ident = app.post("/v1/subjects", {"data": {"contact": {"name": "Kes", "email": "kes@shop.example"}}, "source": "site"}).expect(201).json["id"]
            def source(category, field):
                file = app.get(f"/v1/subjects/{ident}/access").expect(200).json
                record = next(one for one in file["categories"] if one["category"] == category)["records"][-1]
                return record["fields"][field]["source"], file
            app.change(ident, "account", {"contact": {"phone": "+33612345678"}}).expect(200)
            said, file = source("contact", "phone")
            check(said == "app", f"recorded as that of {said}")
            app.change(ident, "account", {"contact": {"phone": "+33612345679"}}, source="messages").expect(200)
            check(source("contact", "phone")[0] == "messages" and source("contact", "email")[0] == "site", "the source that was told")
            app.change(ident, "account", {"contact": {"phone": "+33612345670"}}, source="rumour").refused("undeclared", status=422)
            app.consent(ident, "personalisation", "given").expect(201)
            app.record(ident, "usage", {"at": NOW, "page": "/a"}).expect(201)
            check(source("usage", "page")[0] == "app", "a guess among several sources")
            server.operator().patch(f"/v1/subjects/{ident}", {"contact": {"address": "1 rue A"}}, etag=f'"{source("usage", "page")[1]["version"]}"').expect(200)
            check(source("contact", "address")[0] == "operator", "the operator's")
            # Files, too; and one from a third party is owed to be told (Art. 14).
            path = f"/v1/subjects/{ident}/attachments?category=contact&name="
            app.post(path + "d.txt&source=social_network", b"text", **{"Content-Type": "text/plain"}).refused("missing-field", status=422)
            permitted = "&source=social_network&permitted=2026-01-01T00:00:00Z"
            for name, more, right in (("a.txt", "", "app"), ("b.txt", "&source=person", "person"), ("c.txt", permitted, "social_network")):
                app.post(path + name + more, b"text", **{"Content-Type": "text/plain"}).expect(201)
            app.post(path + "d.txt&source=credit_agency", b"text", **{"Content-Type": "text/plain"}).refused("undeclared", status=422)
            file = app.get(f"/v1/subjects/{ident}/access").expect(200).json
            said = {one["name"]: one["source"] for one in file["attachments"]}
            check(said == {"a.txt": "app", "b.txt": "person", "c.txt": "social_network"}, f"{said}")
            duties = [one for one in server.operator().get("/v1/duties").expect(200).json["duties"] if one["kind"] == "inform"]
            check(len(duties) == 1, f"{duties}")
        with Server(VALUES, now=NOW) as server:
            opened(server, {"identity": {"name": "Z"}, "contact": {"email": "z@ex.example"}})
            own = visitor(server, "z@ex.example")
            version = own.get(f"/v1/subjects/{own.id}/access").json["version"]
            own.patch(f"/v1/subjects/{own.id}", {"identity": {"nick": "zz"}}, etag=f'"{version}"').expect(200)
            file = own.get(f"/v1/subjects/{own.id}/access").json
            record = next(one for one in file["categories"] if one["category"] == "identity")["records"][0]
            check(record["fields"]["nick"]["source"] == "person", f"{record}")

    @tests.test("records: who supplied an account's data is told to its person, in their copy, and to staff")
    def supplier():
        with Mailbox() as mailbox, Server("mxplorerplace", now=NOW, arguments=mailbox.arguments()) as server:
            desk = staff(server, portal("desk"), portal("desk")["contact"]["email"], "account_staff")
            body = {"data": portal("zoe"), "folders": FOLDERS, "supplied_by": "manager", "supplier": "Paule Planted <b>", "language": "en"}
            ident = desk.post("/v1/accounts", body).expect(201).json["id"]
            token = token_of(mailbox.wait(portal("zoe")["contact"]["email"], "invitation").links[0])
            server.anyone().post("/v1/invitations/accept", {"token": token, "password": PASSWORD}).expect(200)
            browser = Browser(server)
            browser.sign_in(portal("zoe")["contact"]["email"], PASSWORD)
            browser.get("/me").expect(200).has("Paule Planted <b>")
            own = visitor(server, portal("zoe")["contact"]["email"])
            check(own.get(f"/v1/subjects/{ident}/access").json["supplied_by"] == "Paule Planted <b>", "the access answer")
            files = server.client("app").export(ident)[0]
            check(json.loads(files["data.json"])["supplied_by"] == "Paule Planted <b>" and b"Paule Planted &lt;b&gt;" in files["index.html"], "the export")
            check(desk.get(f"/v1/accounts/{ident}").expect(200).json["supplied_by"] == "Paule Planted <b>", "the API of staff")
            page = desk.get(f"/staff/people/{ident}", Accept="text/html").expect(200).body.decode()
            check("Paule Planted &lt;b&gt;" in page, "the staff page")
            other = desk.post("/v1/accounts", {**body, "data": portal("max"), "supplier": ""}).expect(201).json["id"]
            check(desk.get(f"/v1/accounts/{other}").expect(200).json["supplied_by"] is None, "nobody was named")

    @tests.test("records: a look is on record for the purpose that was named, and for none where nobody named one")
    def purposes():
        with Server("myportal", now=NOW) as server:
            app = server.client("app")
            sales = staff(server, partner("Sol"), "sol@exemple.example", "sales")
            ident = opened(server, partner("Lea"))
            def looks():
                return [(row["act"], row["actor"], row["purpose"]) for row in app.get(f"/v1/subjects/{ident}/access").json["looks"] if row["actor"] == "sales"]
            sales.get(f"/v1/subjects/{ident}?purpose=resources").expect(200)
            check(sales.get(f"/staff/people/{ident}", Accept="text/html").status == 200, "the page is refused for a purpose nobody named")
            page = form(sales, f"/staff/people/{ident}", csrf=sales.csrf, purpose="resources").expect(200)
            check(b"lea@exemple.example" in page.body, "the page does not show what the API does")
            check(form(sales, f"/staff/people/{ident}", csrf=sales.csrf, purpose="news").status == 403, "without consent")
            sales.get(f"/v1/accounts/{ident}").expect(200)
            sales.get(f"/v1/accounts/{ident}?purpose=resources").expect(200)
            sales.get(f"/v1/accounts/{ident}?purpose=news").refused("consent-missing", status=403)
            sales.get(f"/v1/accounts/{ident}?purpose=recruitment").refused(status=403)
            seen = looks()
            check({purpose for act, _, purpose in seen if act == "account.read"} == {None, "resources"}, f"{seen}")
            check({purpose for act, _, purpose in seen if act == "read"} == {"resources"}, f"{seen}")

    @tests.test("records: the words of a consent that staff took come out of the ledger, on the page and in the copy")
    def wording():
        with Server("myownconference", now=NOW, tenant="myownconference") as server:
            app = server.client("app")
            data = {"identity": {"display_name": "kes"}, "login": {"email": "kes@rooms.example"}}
            ident = app.post("/v1/subjects", {"data": data, "source": "person"}).expect(201).json["id"]
            asked = "May we keep your note, as you told me by telephone?"
            app.consent(ident, "support_extra", "given", wording=asked, by="Rasa of support", method="staff").expect(201)
            row = app.get(f"/v1/subjects/{ident}/consents").expect(200).json
            check(row["consents"][0]["wording"] == asked and row["last"][0]["wording"] == asked, f"{row}")
            check(row["consents"][0]["by"] == "Rasa of support" and row["consents"][0]["method"] == "staff", f"{row}")
            file = app.get(f"/v1/subjects/{ident}/access").expect(200).json
            check(file["consents"][0]["wording"] == asked, f"{file['consents']}")
            files = app.export(ident)[0]
            check(asked in files["data.json"].decode() and asked in files["index.html"].decode(), "the copy")

    @tests.test("records: staff's decision on an objection, and the end of a restriction, are told by letter with the reason")
    def decisions():
        with Mailbox() as mailbox, Server("myportal", now=NOW, arguments=mailbox.arguments()) as server:
            app, to = server.client("app"), "lea@exemple.example"
            opened(server, partner("Lea"), language="en")
            lea = visitor(server, to)
            path = f"/v1/subjects/{lea.id}/objections/"
            interest = next(p["purpose"] for p in lea.get(f"/v1/subjects/{lea.id}/access").json["purposes"] if p["basis"] == "legitimate_interest")
            for decision, letter in (("overridden", "objection_overridden"), ("upheld", "objection_upheld")):
                app.put(path + interest).expect(200, 201, 204)
                reason = f"We looked at <b>{decision}</b>.\nSecond line."
                app.post(path + interest + "/decision", {"decision": decision, "reason": reason}).expect(200, 201, 204)
                said = mailbox.wait(to, letter)
                check(f"We looked at <b>{decision}</b>." in said.text and "Second line." in said.text and "<b>" not in said.html, f"{said.text}")
                check(decision == "upheld" or ("CNIL" in said.text and "court" in said.text), f"the remedies are not named: {said.text}")
            app.put(f"/v1/subjects/{lea.id}/restriction", {"ground": "accuracy contested"}).expect(204)
            app.request("DELETE", f"/v1/subjects/{lea.id}/restriction", json.dumps({"ground": "the data were right"}).encode(),
                        {"Content-Type": "application/json"}.items()).expect(204)
            check("the data were right" in mailbox.wait(to, "restriction_ended").text, "the end of the restriction")
            app.request("DELETE", f"/v1/subjects/{lea.id}/restriction").expect(204)
            check(len(mailbox.find(to, "restriction_ended")) == 1, "told of the end of nothing")
            bare = app.post("/v1/subjects", {"data": {"identity": {"last_name": "X"}}, "source": "person"})
            if bare.status == 201:               # nobody can be written to: the decision stands all the same
                ident = bare.json["id"]
                app.put(f"/v1/subjects/{ident}/objections/{interest}").expect(200, 201, 204)
                app.post(f"/v1/subjects/{ident}/objections/{interest}/decision", {"decision": "upheld", "reason": "x"}).expect(200, 201, 204)

    @tests.test("records: a name of letters that look alike is marked for staff, in the list, on the page and by API")
    def confusable():
        with Server(VALUES, now=NOW) as server:
            app = server.client("app")
            clerk = staff(server, {"identity": {"name": "C"}, "contact": {"email": "clerk@ex.example"}}, "clerk@ex.example", "clerk")
            rows = {"plain": ("z@ex.example", "zed", []), "login": ("y@ex.example", "p\u0430ypal", ["contact.login"]),
                    "local": ("p\u0430ypal@ex.example", "l", ["contact.email"]), "host": ("x@p\u0430ypal.example", "h", ["contact.email"]),
                    "whole": ("w@ex.example", "\u0438\u0432\u0430\u043d", []), "accents": ("v@ex.example", "\u00e9t\u00e9-na\u00efve", [])}
            for name, (email, login, right) in rows.items():
                ident = opened(server, {"identity": {"name": name}, "contact": {"email": email, "login": login}})
                check(app.get(f"/v1/accounts/{ident}").expect(200).json["confusable"] == right, f"{name}")
                listed = {row["id"]: row["confusable"] for row in app.get("/v1/accounts").expect(200).json["accounts"]}
                check(listed[ident] is bool(right), f"{name} in the list")
                page = Browser(server)
                page.cookies = dict(clerk.cookies)
                shown = page.get(f"/staff/people/{ident}").expect(200).read.text
                check((word("staff.confusable") in shown) is bool(right), f"{name} on the page")
            shown = page.get("/staff/people").expect(200).read.text
            check(shown.count(word("staff.confusable")) == 3, f"{shown.count(word('staff.confusable'))} marks in the list")

    @tests.test("records: passwords of other programs sign in and are hashed anew, whatever the form of the table that brought them")
    def passwords():
        kept = {kind: argon2(PASSWORD, kind) for kind in ("id", "i")}
        kept["spring"] = "{bcrypt}" + bcrypt(PASSWORD).replace("$2b$", "$2a$")
        kept["django"] = "argon2" + argon2(PASSWORD)
        with Server(VALUES, now=NOW) as server:
            def account_import(table, *more, ok=0):
                with tempfile.NamedTemporaryFile("wb", suffix=".csv", dir=server.folder, delete=False) as file:
                    file.write(table)
                done = subprocess.run([PROGRAM, "account", "import", file.name, "--supplied-by", "person", "--data", server.data, "--json", *more],
                                      cwd=TOP, capture_output=True, text=True, timeout=60)
                check(done.returncode == ok, f"{done.returncode} {done.stdout} {done.stderr}")
                return json.loads(done.stdout)

            def stored():
                with contextlib.closing(engine.base(server.data)) as base:
                    return {row[0]: row[1] for row in base.execute("SELECT subject, password FROM account")}
            def ids():
                return [row["id"] for row in server.client("app").get("/v1/accounts").expect(200).json["accounts"]]
            for name, hash_ in kept.items():
                table = f"Nom;Courriel;Mot;Inconnu\nA;{name}@ex.example;{hash_};x\n".encode("utf-16")
                chosen = ("--map", "Nom=identity.name,Courriel=contact.email,Mot=password_hash,*=-")
                people, dry = ids(), account_import(table, *chosen, "--dry-run")
                check((dry["dry_run"], dry["opened"], dry["refused"]) == (True, 1, 0), f"{dry}")
                check(ids() == people, "the dry run wrote")
                check([row.get("field") for row in dry["columns"]] == ["identity.name", "contact.email", "password_hash", None], f"{dry['columns']}")
                check(account_import(table, *chosen)["opened"] == 1, "not opened")
                said = Visitor(server).post("/v1/session", {"identifier": f"{name}@ex.example", "password": PASSWORD + "x"})
                check(said.status == 401, "another password opens")
                before = stored()
                for changed in (True, False):
                    Visitor(server).post("/v1/session", {"identifier": f"{name}@ex.example", "password": PASSWORD}).expect(200)
                    after = stored()
                    check((after != before) is changed, "the hash stays as it came" if changed else "a hash of our form is made anew")
                    before = after
            for what, body, words in (("a workbook", b"PK\x03\x04\x14\0\6\0", "save it as CSV"),
                                      ("an old workbook", b"\xd0\xcf\x11\xe0\xa1\xb1", "save it as CSV"),
                                      ("a page", b"<html><table><tr><td>identity.name</td></tr></table>", "column 1"),
                                      ("a header alone", b"Nom;Inconnu\n", "column 2")):
                with tempfile.NamedTemporaryFile("wb", suffix=".csv", dir=server.folder, delete=False) as file:
                    file.write(body)
                command = [PROGRAM, "account", "import", file.name, "--supplied-by", "person", "--data", server.data]
                refused = subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=60)
                check(refused.returncode != 0 and words in refused.stderr, f"{what}: {refused}")
            with tempfile.NamedTemporaryFile("wb", suffix=".csv", dir=server.folder, delete=False) as file:
                file.write("Nom;Courriel\nA;z@ex.example\n".encode("utf-16"))
            refused = subprocess.run([PROGRAM, "account", "import", file.name, "--supplied-by", "person", "--data", server.data, "--json", "--map",
                                      "Nom=identity.nom,*=-"], cwd=TOP, capture_output=True, text=True, timeout=60)
            check(refused.returncode == 1 and "identity.nom" in refused.stderr, f"{refused}")
