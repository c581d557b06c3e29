"""Pages of a person, as a browser without scripts sees them: each in both languages, forms, forged requests, hostile values, leaving."""
import contextlib, io, json, os, re, tempfile, urllib.parse, zipfile
from browser import Browser, member
from garant import TOP, Server, check
from mailbox import Mailbox
from people import PASSWORD, registered, staff, totp
from words import title, typed, word

POLICY = "mxplorerplace"
PLACES = ("/me", "/me/consents", "/me/rights", "/me/preferences", "/me/looks", "/me/looks?who=you", "/me/history", "/me/security", "/me/sessions",
          "/me/export", "/me/close", "/me/erase", "/me/edit/identity", "/me/edit/contact", "/me/preferences/preferences", "/signin/again")
DOORS = ("/signin", "/password/reset", "/confirm?token=x", "/registration?token=x", "/reset/unknown", "/invitation?token=x", "/nothing")
CANARY = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{csrf}}"


def data(number=1, **contact):
    return {"identity": {"first_name": "Inès", "last_name": f"Lefèvre-{number}"}, "contact": {"email": f"ines.{number}@regie.example", **contact},
            "work": {"company": "Régie Lumière", "site": "Lyon"}}


@contextlib.contextmanager
def signed_in(number=1, language="en", policy=POLICY, arguments=(), **contact):
    """A server, and a person of it who is signed in: (server, browser, id)."""
    with Server(policy, now="2026-03-03T09:00:00Z", arguments=arguments) as server:
        boss = staff(server, {**data(99), "contact": {"email": "boss@regie.example"}}, "boss@regie.example", "account_staff")
        browser, ident = member(server, data(number, **contact), f"ines.{number}@regie.example", language, opener=boss,
                                folders=[{"folder": "dossier", "name": "Client A", "why": "Works for client A"}])
        yield server, browser, ident


def sound(page, language):
    """What holds of every page."""
    read, where = page.read, page.path
    check(not read.faults, f"{where}: {read.faults}")
    check(len(read.ids) == len(set(read.ids)), f"{where}: an id stands twice: {[i for i in read.ids if read.ids.count(i) > 1]}")
    check(f'<html lang="{language}">' in page.html and read.title, f"{where}: no language or title")
    check(page.headers["cache-control"] == "no-store" and page.headers["content-language"] == language, f"{where}: {page.headers}")
    check("default-src 'self'" in page.headers["content-security-policy"], f"{where}: {page.headers}")
    scripts = [attributes for tag, attributes in read.elements if tag == "script"]
    secret = any(f.get("type") == "password" for form in read.forms for f in form["fields"])
    check(all(one in ({"src": "/static/secret.js", "defer": None}, {"src": "/static/local.js", "defer": None}) for one in scripts)
          and (secret or not any("secret" in one["src"] for one in scripts)), f"{where} has a script: {scripts}")
    for tag, attributes in read.elements:
        check(not any(name == "style" or name.startswith("on") for name in attributes), f"{where}: <{tag}> {attributes}")
        for name in ("href", "src", "action"):
            target = attributes.get(name) or ""
            check(not re.match(r"(\w+:)?//|javascript:|data:", target), f"{where}: <{tag}> leads to {target}")
        if tag == "a" and (attributes.get("href") or "").startswith("#"):
            check(attributes["href"][1:] in read.ids, f"{where}: {attributes['href']} leads nowhere")
    for form in read.forms:
        for field in form["fields"]:
            named = field.get("type") in ("hidden", "submit") or field.get("id") in read.labels
            check(named, f"{where}: a field without label: {field}")
        if form["method"] == "post":
            check("csrf" in {f.get("name") for f in form["fields"]}, f"{where}: the form {form['action']} has no token")
    heads = [tag for tag, _ in read.elements if re.fullmatch("h[1-6]", tag)]
    check(heads[0] == "h1" and heads.count("h1") == 1, f"{where}: headings {heads}")
    check(all(int(b[1]) - int(a[1]) <= 1 for a, b in zip(heads, heads[1:])), f"{where}: a heading level is left out: {heads}")


def links_of(page):
    return {link.split("#")[0].split("?")[0] for link in page.read.links if link.startswith("/")}


def register(tests):
    @tests.test("pages: every page in both languages")
    def every_page():
        count = 0
        with signed_in() as (server, browser, _):
            for language in ("en", "fr"):
                for path in PLACES:
                    page = browser.get(path + ("&" if "?" in path else "?") + f"lang={language}").expect(200)
                    sound(page, language)
                    page.form("/signout")
                    check({"/privacy", "/cookies"} <= links_of(page), f"{path} has no link to the notice or the cookies")
                    count += 1
                for path in DOORS:
                    asked = f"{'&' if '?' in path else '?'}lang={language}" if path != "/nothing" else ""
                    page = Browser(server, language).get(path + asked)
                    sound(page, language)
                    count += 1
            check("/confirm?lang=fr&token=x" in Browser(server).get("/confirm?token=x").read.links, "the other language forgets the link's token")
            check("/signin?lang=fr&next=/me/looks" in Browser(server).get("/me/looks").read.links, "the other language forgets where to go")
            at_work = staff(server, {**data(98), "contact": {"email": "work@regie.example"}}, "work@regie.example", "account_staff")
            check(b'href="/staff"' in at_work.get("/me").expect(200).body and "/staff" not in browser.get("/me").read.links, "who works here, and who not")
            browser.get("/me?lang=xx").expect(200)
            menu = links_of(browser.get("/me"))
            reached = {p.split("?")[0] for p in PLACES if p.count("/") == 2} | {"/me"}
            check(reached - {"/signin/again"} <= menu, f"the menu lacks {reached - menu}")
            chosen = browser.submit(browser.get("/me/looks"), "/me/language", press={"language": "fr"}).expect(200)
            check(chosen.path == "/me/looks" and word("title.looks", "fr") in chosen.read.text, "the chosen language does not hold")
            sound(browser.get("/me"), "fr")
            return f"{count} pages"

    @tests.test("pages: a correction, its former value, what was wrong")
    def correction():
        with signed_in() as (server, browser, ident):
            page = browser.get("/me/edit/identity").expect(200)
            done = browser.submit(page, "/me/edit/identity", fields={"identity.last_name": "Lefèvre-Moreau"}).expect(200)
            done.has("Lefèvre-Moreau", word("card.before"), "Lefèvre-1", word("done.saved"))
            # The same form again was made from data that have changed meanwhile.
            stale = browser.submit(page, "/me/edit/identity", fields={"identity.last_name": "Late"}).expect(412)
            stale.has(title("precondition-failed")[0])
            page = browser.get("/me/edit/contact").expect(200).has("ines.1@regie.example")
            check("contact.email" not in {f.get("name") for f in page.form("/me/edit/contact")["fields"]}, "the address is changed without confirmation")
            wrong = browser.submit(page, "/me/edit/contact", fields={"contact.phone": "call me", "contact.address": "1 rue Neuve"}).expect(422)
            field = {f.get("name"): f for f in wrong.form("/me/edit/contact")["fields"]}
            check(field["contact.phone"]["value"] == "call me" and field["contact.address"]["value"] == "1 rue Neuve", "what was typed is lost")
            check(field["contact.phone"].get("aria-invalid") == "true", "the wrong field is not marked")
            check(f"#{field['contact.phone']['id']}" in wrong.read.links, "the problem has no link to its field")
            sound(wrong, "en")
            browser.submit(wrong, "/me/edit/contact", fields={"contact.phone": "+33 4 78 00 00 00"}).expect(200).has("+33 4 78 00 00 00", "1 rue Neuve")
            browser.submit(browser.get("/me/edit/contact"), "/me/edit/contact", fields={"contact.address": ""}).expect(200)
            held = server.client("app").read(ident, "service").expect(200).json["data"]["contact"]
            check("address" not in held and held["phone"] == "+33 4 78 00 00 00", f"held: {held}")
            source = server.client("app").get(f"/v1/subjects/{ident}/access").expect(200).json
            fields = next(c for c in source["categories"] if c["category"] == "contact")["records"][0]["fields"]
            check(fields["phone"]["source"] == "person", f"the source is {fields['phone']}")
            for other in ("/me/edit/nothing", "/me/edit/usage", "/me/edit/preferences"):
                browser.get(other).expect(404)

    @tests.test("pages: hostile values stay values")
    def canaries():
        with signed_in() as (server, browser, ident):
            app = server.client("app")
            app.change(ident, "service", {"identity": {"first_name": CANARY, "last_name": CANARY}, "work": {"company": CANARY, "site": CANARY},
                                          "contact": {"address": CANARY}}).expect(200)
            app.change(ident, "service", {"identity": {"last_name": CANARY + "2"}}).expect(200)
            shown = 0
            for path in PLACES:
                for language in ("en", "fr"):
                    page = browser.get(path + ("&" if "?" in path else "?") + f"lang={language}").expect(200)
                    sound(page, language)
                    check("<script>alert" not in page.html and "<img src=x" not in page.html, f"{path} runs what was stored")
                    shown += page.html.count("&lt;script&gt;alert(1)")
            wrong = browser.submit(browser.get("/me/edit/contact"), "/me/edit/contact", fields={"contact.phone": CANARY}).expect(422)
            sound(wrong, "en")
            sent = Browser(server).send("POST", "/signin", {"identifier": CANARY, "password": "x", "next": "/me\"><script>"}).expect(422)
            sound(sent, "en")
            check(shown > 10 and "&lt;script&gt;" in wrong.html and "&lt;script&gt;" in sent.html, "the canary was not shown at all")
            for query in ("done=" + urllib.parse.quote(CANARY), "next=" + urllib.parse.quote("/" + CANARY)):
                check("<script>" not in Browser(server).get("/signin?" + query).html, f"/signin?{query}")
            return f"shown {shown} times"

    @tests.test("pages: choices, given and withdrawn alike")
    def choices():
        with Mailbox() as box, Server("myownconference", now="2026-03-03T09:00:00Z", tenant="myownconference", arguments=box.arguments()) as server:
            registered(server, box, {"identity": {"display_name": "kestrel"}, "login": {"email": "kestrel@rooms.example"}}, "kestrel@rooms.example")
            browser = Browser(server)
            browser.sign_in("kestrel@rooms.example", PASSWORD).expect(200)
            page = browser.get("/me/consents").expect(200).has(word("consents.no")).lacks(word("consents.yes"))
            news = {"purpose": "product_news", "decision": "given"}
            page = browser.submit(page, "/me/consents", like=news).expect(200).has(word("done.given"), word("consents.yes"))
            page = browser.submit(page, "/me/consents", like={"purpose": "product_news", "decision": "withdrawn"}).expect(200)
            page.has(word("done.withdrawn")).lacks(word("consents.yes"))
            ident = server.client("app").lookup({"login.email": "kestrel@rooms.example"}, "service").expect(200).json["id"]
            rows = server.client("app").get(f"/v1/subjects/{ident}/consents").expect(200).json["consents"]
            check([(r["decision"], r["channel"], r["method"]) for r in rows] == [("given", "email", "button"), ("withdrawn", "email", "button")], f"{rows}")
            check(all(r["by"] == "person" and r["wording_hash"] for r in rows), f"{rows}")
            csrf = page.form("/signout")["fields"][0]["value"]
            browser.send("POST", "/me/consents", {"csrf": csrf, "purpose": "service", "decision": "object"}).expect(422)
            browser.send("POST", "/me/consents", {"csrf": csrf, "purpose": "product_news", "decision": "object"}).expect(303)
            browser.get("/me/consents").expect(200).has(word("decision.objected"))

    @tests.test("pages: nobody forges a form, and each sees themselves only")
    def forged():
        with signed_in() as (server, browser, ident):
            token = browser.get("/me").form("/signout")["fields"][0]["value"]
            forms = ("/me/edit/identity", "/me/drop/identity", "/me/consents", "/me/sessions", "/me/export", "/me/close", "/me/erase", "/me/language",
                     "/me/security/password", "/me/security/address", "/me/security/factor", "/me/security/confirm", "/me/security/codes",
                     "/me/security/unfactor", "/me/preferences/preferences", "/signin/again", "/signout")
            for path in forms:
                for sent in ({}, {"csrf": "A" * 43}, {"csrf": token[:-1]}):
                    browser.send("POST", path, sent).expect(403)
                browser.send("POST", path, {"csrf": token}, {"Sec-Fetch-Site": "cross-site"}).expect(403)
                browser.send("GET", path, None).expect(405) if path in ("/signout", "/me/language") else None
                if path != "/signout":
                    answer = Browser(server).send("POST", path, {"csrf": token})      # kept until its person has signed in, and done by nobody else
                    check(answer.status == 422 and answer.form("/signin"), f"{path} without a session: {answer.status}")
            browser.get("/me").expect(200).has("Lefèvre-1")
            for path in PLACES:
                answer = Browser(server).send("GET", path)
                wanted = "/signin?next=" + urllib.parse.quote(path, safe="/")
                check(answer.status == 303 and answer.headers["location"].startswith("/signin?next="), f"{path}: {answer.status} {wanted}")
            return f"{len(forms)} forms"

    @tests.test("pages: sign-in leads on, only here; sign-out leaves nothing")
    def doors():
        with signed_in() as (server, browser, _):
            for evil in ("//evil.example", "https://evil.example", "/\\evil.example", "/%09/evil.example", "javascript:alert(1)"):
                other = Browser(server)
                other.sign_in("ines.1@regie.example", PASSWORD, next=evil)
                check(all(re.match(r"/[^/\\\\]|$", p.headers.get("location") or "") for p in other.seen),
                      f"{evil}: {[p.headers.get('location') for p in other.seen]}")
            other = Browser(server)
            there = other.sign_in("ines.1@regie.example", PASSWORD, next="/me/looks?who=you").expect(200)
            check(there.path == "/me/looks?who=you", f"led to {there.path}")
            wrong = Browser(server)
            same = [wrong.sign_in(name, "Wrong-1-password-x").expect(422).read.text.replace(name, "") for name in ("ines.1@regie.example", "nobody@x.example")]
            check(same[0] == same[1], f"an account is told from none: {same}")
            page = browser.get("/me/sessions").expect(200)
            check(len([f for f in page.read.forms if f["action"] == "/me/sessions"]) >= 2, "other sessions are not listed")
            browser.submit(page, "/me/sessions", like={"session": "others"}).expect(200).has(word("done.ended"))
            check(other.send("GET", "/me").status == 303, "the other session lives on")
            cookies = dict(browser.cookies)
            out = browser.submit(browser.get("/me"), "/signout").expect(200).has(word("done.signedout"))
            gone = next(p for p in browser.seen[::-1] if p.path == "/signout")
            check("clear-site-data" not in gone.headers and not browser.cookies, f"what is not ours goes too, or a cookie stays: {gone.headers}")
            browser.cookies = cookies
            check(browser.send("GET", "/me").status == 303 and out.path.startswith("/signin"), "the old cookie still opens the page")

    @tests.test("pages: password, address and second factor")
    def security():
        with Mailbox() as box, signed_in(arguments=box.arguments()) as (server, browser, _):
            page = browser.get("/me/security").expect(200).has("At least 12")
            browser.submit(page, "/me/security/password", current="not it", new="Another-73-lantern-Vole").expect(422)
            weak = browser.submit(page, "/me/security/password", current=PASSWORD, new="short").expect(422)
            weak.has("it needs at least", "it needs a digit")
            browser.submit(page, "/me/security/password", current=PASSWORD, new="Another-73-lantern-Vole").expect(200).has(word("done.password"))
            browser.submit(browser.get("/me/security"), "/me/security/address", value="ines.new@regie.example").expect(200).has(word("done.confirm"))
            link = box.wait("ines.new@regie.example").links[0]
            page = browser.get("/" + link.split("/", 3)[3]).expect(200)
            browser.submit(page, "/confirm").expect(200)
            browser.get("/me").expect(200).has("ines.new@regie.example", word("card.before") + " ines.1@regie.example")
            page = browser.submit(browser.get("/me/security"), "/me/security/factor").expect(200)
            sound(page, "en")
            secret = re.search(r"\b[A-Z2-7]{32,}\b", page.read.text)[0]
            check(re.search(r'<path d="(M\d+ \d+h\d+v1h-\d+z)+"/>', page.html), "there is no picture of the key")
            codes = browser.submit(page, "/me/security/confirm", code=totp(secret, server.now())).expect(200).has(word("title.codes"))
            sound(codes, "en")
            kept = [w for w in codes.read.words if re.fullmatch(r"[A-Z2-7]{8}-[A-Z2-7]{8}", w)]
            check(len(kept) == 10, f"{len(kept)} recovery codes")
            other = Browser(server)
            page = other.sign_in("ines.new@regie.example", "Another-73-lantern-Vole").expect(200).has(word("title.factor"))
            check(not other.cookies, "a session before the second factor")
            page = other.submit(page, "/signin", code="000000").expect(422)
            other.submit(page, "/signin", code=kept[0]).expect(200).has(word("done.recovery"))
            browser.submit(browser.get("/me/security"), "/me/security/unfactor").expect(200).has(word("done.unfactored"))
            server.advance(minutes=16)
            page = browser.submit(browser.get("/me/security"), "/me/security/factor").expect(200).has(word("title.again"))
            browser.submit(page, "/signin/again", password="wrong").expect(422)
            check(browser.submit(page, "/signin/again", password="Another-73-lantern-Vole").path == "/me/security", "not led back")

    @tests.test("pages: a form that was sent after its session ended is kept, for its person alone, and sent by a press")
    def kept():
        with signed_in() as (server, browser, ident):
            late = browser.get("/me/edit/identity").expect(200)
            server.advance(hours=13)
            page = browser.submit(late, "/me/edit/identity", fields={"identity.last_name": "O'Brien & <b>Fils</b>"}).expect(422)
            page.has(word("kept.over"), word("kept.signin"))
            sound(page, "en")
            carried = {f.get("name"): f.get("value") for f in page.form("/signin")["fields"]}["kept"]
            check("Brien" not in page.html, "what was typed can be read without signing in")
            again = browser.submit(page, "/signin", identifier="ines.1@regie.example", password="wrong").expect(422)
            page = browser.submit(again, "/signin", identifier="ines.1@regie.example", password=PASSWORD).expect(200)
            page.has(word("title.kept"), "O'Brien & <b>Fils</b>")
            sound(page, "en")
            browser.get("/me").lacks("Fils")
            browser.submit(page, "/me/edit/identity").expect(200).has("O'Brien & <b>Fils</b>")

            stranger, _ = member(server, data(2), "ines.2@regie.example", opener=staff(server, {**data(98), "contact": {"email": "b2@regie.example"}},
                                 "b2@regie.example", "account_staff"), folders=[{"folder": "dossier", "name": "B", "why": "b"}])
            def given(identifier, what):
                other = Browser(server)
                asked = other.get("/signin")
                sent = {f["name"]: f["value"] for f in asked.form("/signin")["fields"] if f.get("name") and "value" in f}
                return other.follow(other.send("POST", "/signin", {**sent, "identifier": identifier, "password": PASSWORD, "kept": what})).expect(200)
            check(given("ines.2@regie.example", carried).lacks("Fils").path == "/me", "another person is shown what was typed")
            check(given("ines.1@regie.example", carried).has("Fils").path != "/me", "it went with the first sign-in")
            for bad in (carried[:-1] + ("A" if carried[-1] != "A" else "B"), str(int(carried.split(".")[0]) + 1) + "." + carried.split(".")[1], "x", "1.x"):
                check(given("ines.1@regie.example", bad).path == "/me", f"opened although altered: {bad[:20]}")
            server.advance(minutes=31)
            check(given("ines.1@regie.example", carried).path == "/me", "it is kept for longer than half an hour")

            old = browser.get("/me/edit/identity")
            if old.path != "/me/edit/identity":
                browser.sign_in("ines.1@regie.example", PASSWORD)
                old = browser.get("/me/edit/identity").expect(200)
            server.advance(hours=13)
            fields = {f["name"]: f.get("value", "") for f in old.form("/me/edit/identity")["fields"] if f.get("name")}
            fields["identity.last_name"] = "Planted"
            for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"}):
                answer = browser.send("POST", "/me/edit/identity", fields, headers=headers)
                check(answer.status == 303 and "kept" not in answer.html, f"kept for a page of another site: {headers}")
            answer = browser.send("POST", "/me/edit/identity", {**fields, "csrf": "x"})
            check(answer.status == 303, "kept without the token of a session")
            browser.sign_in("ines.1@regie.example", PASSWORD)
            page = browser.send("POST", "/me/edit/identity", fields).expect(200).has(word("title.kept"), "Planted")
            browser.submit(page, "/me/edit/identity").expect(200).has("Planted")
            page = stranger.sign_in("ines.2@regie.example", PASSWORD) and stranger.send("POST", "/me/edit/identity", fields).expect(403)
            page.lacks(word("title.kept"))
            secret = browser.get("/me/security")
            server.advance(hours=13)
            page = browser.submit(secret, "/me/security/password", current=PASSWORD, new="Another-73-lantern-Vole")
            check("kept" not in page.html.split("<main")[1] and page.path.startswith("/signin"), "a password is carried")

    @tests.test("pages: a forgotten password")
    def forgotten():
        with Mailbox() as box, signed_in(arguments=box.arguments()) as (server, browser, _):
            other = Browser(server, "fr")
            said = [other.submit(other.get("/password/reset"), "/password/reset", identifier=name).expect(200).read.text
                    for name in ("ines.1@regie.example", "nobody@x.example")]
            check(said[0] == said[1] and word("forgotten.sent", "fr") in typed(said[0]), f"{said}")
            link = next(found for found in box.wait("ines.1@regie.example", letter="reset").links)
            path = "/" + link.split("/", 3)[3]
            check('<html lang="en">' in other.get(path).expect(200).html, "the link of an English letter leads to a page in French")
            page = other.get(path + "?lang=fr").expect(200)
            sound(page, "fr")
            again = other.submit(page, "/" + path.split("?")[0].lstrip("/"), password="azertyuiop12").expect(422)
            sound(again, "fr")
            other.submit(again, path.split("?")[0], password="Nouveau-73-lantern-Vole").expect(200).has(word("done.password", "fr"))
            other.get(path).expect(404)
            check(browser.send("GET", "/me").status == 303, "a session outlives the reset")
            other.sign_in("ines.1@regie.example", "Nouveau-73-lantern-Vole").expect(200)

    @tests.test("pages: registering, with nothing ticked beforehand")
    def registering():
        with Mailbox() as box, Server("myownconference", now="2026-03-03T09:00:00Z", tenant="myownconference", arguments=box.arguments()) as server:
            browser = Browser(server)
            page = browser.get("/register").expect(200)
            sound(page, "en")
            form = page.form("/register")
            boxes = [f for f in form["fields"] if f.get("type") == "checkbox"]
            check(boxes and not any("checked" in f for f in boxes), f"consents: {boxes}")
            names = {f["name"] for f in form["fields"] if f["name"] and "." in f["name"]}
            check({"identity.display_name", "login.email"} <= names and "identity.last_name" not in names, f"asked: {names}")
            check("password" not in {f["name"] for f in form["fields"]}, "a password is asked for before the address is confirmed")
            filled = {"identity.display_name": "", "login.email": "kestrel"}
            page = browser.submit(page, "/register", fields=filled, press={"consent.product_news.email": "on"}).expect(422)
            faults = [link for link in page.read.links if link.startswith("#f-")]
            check(faults == ["#f-identity.display_name", "#f-login.email"], f"not all that is wrong is told at once: {faults}")
            page.has(word("fault.missing"), word("fault.email"), word("problem.title"))
            check(all(f.get("aria-invalid") == "true" and f["aria-describedby"] == f"e-{f['name']}"
                      for f in page.form("/register")["fields"] if f["name"] in filled), "the fields do not say it")
            filled = {"identity.display_name": "kestrel", "login.email": "kestrel@rooms.example"}
            page = browser.submit(page, "/register", fields={**filled, "identity.display_name": ""}).expect(422)
            kept = {f["name"]: f for f in page.form("/register")["fields"]}
            check(kept["login.email"]["value"] == "kestrel@rooms.example" and "checked" in kept["consent.product_news.email"], "what was typed is lost")
            browser.submit(page, "/register", fields={**filled, "next": "/me/consents"}).expect(200) \
                   .has(word("registered.sent"), "kestrel@rooms.example")
            link = "/" + box.wait("kestrel@rooms.example").links[0].split("/", 3)[3]
            page = browser.get(link).expect(200)
            browser.submit(page, "/registration", password="short").expect(422).has("it needs at least 12 characters")
            there = browser.submit(page, "/registration", password=PASSWORD).expect(200).has(word("done.welcome"), word("consents.yes"))
            check(there.path.startswith("/me/consents"), f"led to {there.path}")
            Browser(server).get(link).expect(404).has(word("link.used"), word("signin.button"))
            ident = server.client("app").lookup({"login.email": "kestrel@rooms.example"}, "service").expect(200).json["id"]
            rows = server.client("app").get(f"/v1/subjects/{ident}/consents").expect(200).json["consents"]
            check([(r["purpose"], r["decision"]) for r in rows] == [("product_news", "given")], f"{rows}")

    @tests.test("pages: links of letters that were used, replaced or are over say which, and lead to a new one")
    def spent():
        with Mailbox() as box, Server("mxplorerplace", now="2026-03-03T09:00:00Z", arguments=box.arguments()) as server:
            made = server.operator().post("/v1/accounts", {"data": data(1), "supplied_by": "person", "role": "manager", "language": "fr"}).expect(201).json
            def at(link):
                return "/" + link.split("/", 3)[3]
            first = at(made["link"])
            second = at(server.operator().post(f"/v1/accounts/{made['id']}/invite").expect(200).json["link"])
            browser = Browser(server)                                # an English browser: the account speaks French, and so do its links
            browser.get(first).expect(404).has(word("link.replaced", "fr"))
            server.advance(days=4)
            page = browser.get(second).expect(404).has(word("link.expired", "fr"), word("link.ask.invitation", "fr"))
            browser.submit(page, "/invitation/again").expect(200).has(word("done.invited_again", "fr"))
            third = at(box.wait("ines.1@regie.example", "invitation", count=3).links[0])
            page = browser.get(third).expect(200)
            check(page.read.elements[0][1].get("lang") == "fr", f"{page.read.elements[0]}")
            browser.submit(page, "/invitation", password=PASSWORD).expect(200)
            check(browser.get("/me").expect(200).path == "/me", "not signed in after the invitation")
            Browser(server).get(third).expect(404).has(word("link.used", "fr"))
            Browser(server).get("/invitation?token=" + "A" * 43).expect(404).has(word("link.unknown"))
            ask = Browser(server)
            ask.submit(ask.get("/password/reset"), "/password/reset", identifier="ines.1@regie.example").expect(200)
            reset = at(box.wait("ines.1@regie.example", "reset").links[0])
            ask.submit(ask.get(reset).expect(200), reset.split("?")[0], password="Nouveau-73-lantern-Vole").expect(200)
            ask.get(reset).expect(404).has(word("link.used", "fr"), word("link.ask.reset", "fr"))

    @tests.test("pages: a form's or a recipient's link that works no longer says which it is, and leads on; what is over, for a week")
    def gone():
        with Mailbox() as box, Server("myportal", now="2026-03-03T09:00:00Z", arguments=box.arguments()) as server:
            def sent(address):
                stamp = server.anyone().get("/v1/forms/newsletter").expect(200).json["stamp"]
                server.advance(seconds=3)
                data = {"identity": {"last_name": "Planted"}, "contact": {"email": address}}
                server.anyone().post("/forms/newsletter", {"data": data, "boxes": ["news.email"], "stamp": stamp})
                return "/" + box.wait(address).links[0].split("/", 3)[3]

            def over(link, *words):
                page = Browser(server).get(link).expect(404).has(word("title.link"), *words).lacks(word("problem.not-found"), word("problem.lead"))
                return page
            used, late = sent("used@exemple.example"), sent("late@exemple.example")
            browser = Browser(server)
            page = browser.get(used).expect(200)
            browser.submit(page, "/confirm-form").expect(200)
            again = over(used, word("link.used.form"), word("link.do.form.used"))
            check("/forms/newsletter" not in again.html, "what is confirmed is asked for again")
            browser.submit(page, "/confirm-form").expect(404).has(word("link.used.form"))
            server.advance(days=3)
            for _ in range(2):                                       # before the sweep, and after
                check("/forms/newsletter" in over(late, word("link.expired"), word("link.do.form"), word("link.ask.form")).html, "no way to a new one")
                server.sweep()
            over("/confirm-form?token=" + "A" * 43, word("link.unknown"), word("link.do.form.unknown"), word("link.contact"))
            server.advance(days=8)
            server.sweep()
            for link in (used, late):
                over(link, word("link.unknown"))
            operator = server.operator()
            made = operator.post("/v1/recipients/host/links").expect(201).json
            revoked, kept = made["link"], operator.post("/v1/recipients/host/links").expect(201).json["link"]
            operator.delete(f"/v1/recipients/host/links/{made['id']}").expect(204)
            over("/" + revoked.split("/", 3)[3], word("link.replaced.charter"), word("link.do.charter"))
            server.advance(days=31)
            for _ in range(2):
                over("/" + kept.split("/", 3)[3], word("link.expired"), word("link.do.charter"))
                over("/" + revoked.split("/", 3)[3], word("link.replaced.charter"))
                server.sweep()
            stop = over("/unsubscribe/" + "A" * 52, word("link.unknown"), word("link.do.stop"), word("link.ask.choices"))
            check("/me/consents" in stop.html, "no way to the choices")
            over("/go/" + "A" * 64 + "/1", word("link.do.followed"))

    @tests.test("pages: a form's page is called as the policy calls the form, else by what it is for")
    def called():
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(TOP, "policies/site-fr.yaml"), encoding="utf-8") as file:
                text = file.read()
            title = '    title: {fr: "Formulaire de contact", en: "Contact form"}\n'
            check(title in text, "the form's title has moved")
            bare = os.path.join(folder, "bare.yaml")
            with open(bare, "w", encoding="utf-8") as file:
                file.write(text.replace(title, ""))
            for policy, language, heading in (("site-fr", "fr", "Formulaire de contact"), ("site-fr", "en", "Contact form"), (bare, "en", None)):
                with Server(policy) as server:
                    page = Browser(server, language).get("/forms/contact").expect(200)
                    shown = re.search(r"<h1>(.*?)</h1>", page.html)[1]
                    heading = heading or server.anyone().get("/v1/forms/contact").expect(200).json["purposes"][0]["title"]
                    check(heading in typed(shown) and heading in typed(page.read.title) and shown not in ("contact", "Form"), f"{shown}: {page.read.title}")

    @tests.test("pages: that nothing was changed is said where something would have been")
    def unchanged():
        with Server("mxplorerplace") as server:
            browser = Browser(server)
            browser.get("/nowhere").expect(404).lacks(word("problem.lead"))
            page = browser.get("/signin").expect(200)
            browser.submit(page, "/signin", identifier="nobody@exemple.example", password="wrong").expect(422) \
                   .has(word("problem.signin.unauthorised")).lacks(word("problem.lead"))
        with signed_in() as (server, browser, _):
            browser.send("POST", "/me/consents", {"csrf": "wrong", "purpose": "x", "decision": "given"}).has(word("problem.lead"))

    @tests.test("pages: preferences of a place")
    def preferences():
        with signed_in() as (server, browser, _):
            page = browser.get("/me/preferences").expect(200).has(word("preferences.every"))
            fields = {f["name"]: f for f in browser.get("/me/preferences/preferences?place=sales").form("/me/preferences/preferences")["fields"]}
            number = next(name for name, f in fields.items() if f.get("inputmode") == "numeric")
            page = browser.get("/me/preferences/preferences?place=sales").expect(200)
            browser.submit(page, "/me/preferences/preferences", fields={number: "many"}, press={"act": "save"}).expect(422)
            browser.submit(page, "/me/preferences/preferences", fields={number: "15"},
                           press={"act": "save"}).expect(200).has("sales", "15", word("preferences.by.place"))
            page = browser.get("/me/preferences/preferences?place=sales").expect(200)
            browser.submit(page, "/me/preferences/preferences", press={"act": "drop"}).expect(200).lacks("sales")

    @tests.test("pages: taking away, closing, erasing")
    def leaving():
        with signed_in() as (server, browser, ident):
            answer = browser.submit(browser.get("/me/export"), "/me/export").expect(200)
            with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
                check(json.loads(archive.read("data.json"))["id"] == ident, "the export is somebody else's")
            server.advance(minutes=20)
            page = browser.get("/me/erase").expect(200).has(word("title.again"))
            page = browser.submit(page, "/signin/again", password=PASSWORD).expect(200).has(word("erase.gone"), word("erase.stays"), "Identity")
            browser.submit(page, "/me/erase").expect(422)
            last = browser.submit(page, "/me/erase", press={"sure": "yes"}).expect(200)
            check(ident not in last.html, "the certificate names the person")
            check(not browser.cookies and "clear-site-data" not in last.headers, "the session stays, or what is not ours goes")
            last.has("ertificate")
            check(browser.send("GET", "/me").status == 303, "the page is still there")
            server.client("app").read(ident, "service").refused("not-found", status=404)
            Browser(server).sign_in("ines.1@regie.example", PASSWORD).expect(422)
        with signed_in(2) as (server, browser, ident):
            browser.submit(browser.get("/me/close"), "/me/close").expect(422).has(word("close.tick"))
            check(browser.get("/me").expect(200).path == "/me", "closed by one press")
            browser.submit(browser.get("/me/close"), "/me/close", press={"sure": "yes"}).expect(200) \
                   .has(word("title.goodbye"), word("close.until"), "2026")
            check(browser.send("GET", "/me").status == 303, "still signed in after the account was closed")
            check(browser.send("GET", "/me").status == 303 and not browser.cookies, "the session stays")
            Browser(server).sign_in("ines.2@regie.example", PASSWORD).expect(422)
