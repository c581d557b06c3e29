"""Collection points: the forms that a policy declares, what they ask and say, what is sent by them, and who it belongs to."""
import gzip, html, json, os, re, subprocess, urllib.parse
import dm, mp, tracked_site
from browser import Browser
from garant import TOP, check, check_absent, milliseconds
from mailbox import Mailbox
from people import staff
from promise import further, part, promise

START = "2026-11-22T10:00:00Z"
NEWS = ("news.email", "partner_news.email")


def sent(server, form, data, boxes=(), **more):
    """The form as a program fills it in: read first, for its stamp, and sent a little later."""
    said = server.anyone().get(f"/v1/forms/{form}").expect(200).json
    server.advance(seconds=3)
    return server.anyone().post(f"/forms/{form}", {"data": data, "boxes": list(boxes), "stamp": said["stamp"], **more})


def token_of(letter):
    return urllib.parse.parse_qs(urllib.parse.urlsplit(letter.links[0]).query)["token"][0]


def confirmed(server, box, address, count=1):
    """Who has the letter follows its link: the page that it opens changes nothing, its button does."""
    link = box.wait(address, count=count).links[0]
    visitor = Browser(server)
    path = "/" + link.split("/", 3)[3]
    visitor.get(path).expect(200)
    return visitor.submit(visitor.get(path), "/confirm-form").expect(200)


def ledger(server, ident):
    return server.operator().get(f"/v1/subjects/{ident}/consents").expect(200).json


def found(server, address, purpose="news"):
    answer = server.client("app").lookup({"contact.email": address}, purpose)
    return answer.json["id"] if answer.status == 200 else None


def newsletter(name, address):
    return {"identity": {"last_name": name}, "contact": {"email": address}}


# ---- MP-06: five collection points, each with its own purposes. ----

POINTS = {                                      # of myportal: what each serves, and a full answer
    "resource": (["resources", "news", "partner_news"], {"company": {"name": "Société Planted"}}),
    "demonstration": (["demonstrations", "news"], {"company": {"name": "Société Planted", "position": "Acheteuse"}}),
    "newsletter": (["news", "partner_news"], {}),
    "event": (["events", "news"], {"registrations": {"event": "Journée Planted", "on": "2026-12-03"}}),
    "job": (["recruitment"], {"application": {"position": "Développeuse", "experience": "Douze ans"}})}


def answer_to(form, address):
    return {"identity": {"last_name": f"Planted-{form}"}, "contact": {"email": address}, **POINTS[form][1]}


def each_point_says(server):
    visitor = Browser(server)
    for form, (purposes, _) in POINTS.items():
        with part("each form names its own purposes, before anything is asked"):
            said = server.anyone().get(f"/v1/forms/{form}").expect(200).json
            check([row["purpose"] for row in said["purposes"]] == purposes or sorted(row["purpose"] for row in said["purposes"]) == sorted(purposes),
                  f"{form} serves {said['purposes']}")
            told = json.loads(server.run("form", "show", form, "--json"))
            check({**told, "stamp": ""} == {**said, "stamp": ""}, f"the command tells another form: {told}")
            for language in ("en", "fr"):
                page = visitor.get(f"/forms/{form}?lang={language}").expect(200)
                text = html.unescape(page.body.decode() if isinstance(page.body, bytes) else page.body)
                for words in ("MyPortal SAS", f"/privacy?lang={language}"):
                    check(words in text, f"/forms/{form} in {language} does not say {words}")
                if language == "en":
                    for row in (*said["purposes"], *said["kept"]):
                        check(row["title"] in text and (row.get("basis") or row["term"]) in text, f"/forms/{form} does not say {row}")
                check(not re.search(r"<input[^>]* checked", text), f"a box of /forms/{form} is ticked")
    listed = [row["form"] for row in server.anyone().get("/v1/forms").expect(200).json["forms"]]
    check(listed == list(POINTS), f"the forms are {listed}")
    check([row["form"] for row in json.loads(server.run("form", "list", "--json"))["forms"]] == listed, "the command lists others")


def nothing_beyond_a_form(server):
    with part("a form takes its own fields and boxes alone"):
        strays = ({"application": {"position": "Développeuse"}}, {"contact": {"email": "stray@x.example", "phone": "+33155550001"}})
        for extra in strays:
            sent(server, "newsletter", {**newsletter("Stray", "stray@x.example"), **extra}) \
                .refused("undeclared", status=422, clause=r"^collection\.newsletter$")
        sent(server, "demonstration", answer_to("demonstration", "stray@x.example"), ["partner_news.email"]) \
            .refused("undeclared", status=422, clause=r"^collection\.demonstration$")
        sent(server, "newsletter", {"contact": {"email": "stray@x.example"}}, ["news.email"]).refused("missing-field", field="identity.last_name")
        server.anyone().get("/v1/forms/casting").refused("not-found", status=404)


def unproven(server, box):
    """Anybody types anybody's address."""
    app, victim = server.client("app"), "victim@x.example"
    ident = app.create({"identity": {"first_name": "Vic", "last_name": "Tim"}, "contact": {"email": victim}},
                       consents=[{"purpose": "news", "channel": "email", "decision": "given", "wording": "Oui."}])["id"]
    before = server.operator().get(f"/v1/subjects/{ident}/access").expect(200).json
    letters = len(box.find(victim))
    with part("a known address and a new one get the same answer"):
        answers = [sent(server, "resource", answer_to("resource", address), []) for address in (victim, "unknown@x.example")]
        check(len({(one.status, one.body) for one in answers}) == 1 and answers[0].status == 200, f"{answers[0].body} {answers[1].body}")
        subjects = {box.wait(address, count=letters + 1 if address == victim else 1).subject for address in (victim, "unknown@x.example")}
        check(len(subjects) == 1, f"letters differ: {subjects}")
    with part("what is not proven changes, joins, reads and withdraws nothing"):
        after = server.operator().get(f"/v1/subjects/{ident}/access").expect(200).json
        for member in ("categories", "consents", "live", "submissions"):
            check(before.get(member) == after.get(member), f"{member} changed without a proof: {after.get(member)}")
        check(found(server, "unknown@x.example") is None, "an address that nobody proved is a person already")
        link = box.find("unknown@x.example")[-1].links[0]
        Browser(server).get("/" + link.split("/", 3)[3]).expect(200)
        check(found(server, "unknown@x.example") is None, "a link that was only looked at made a person")
    return ident, victim


def proven(server, box, ident, victim):
    with part("proven, it is joined to its person, whose data stay as they are and whose live consents stand"):
        confirmed(server, box, victim)
        held = server.operator().get(f"/v1/subjects/{ident}/access").expect(200).json
        data = server.client("app").read(ident, "resources").expect(200).json["data"]
        check(data["identity"]["last_name"] == "Tim", f"a form changed a name: {data}")
        check(data["company"]["name"] == "Société Planted", f"what was not held yet is missing: {data}")
        check([row["form"] for row in held["submissions"]] == ["resource"], f"{held['submissions']}")
        check("news" in ledger(server, ident)["live"], "an unticked box withdrew a live consent")
        rows = [row for row in ledger(server, ident)["consents"] if row["purpose"] == "partner_news"]
        check([row["decision"] for row in rows] == ["refused"], f"the unticked box is no row: {rows}")
    with part("a link works once"):
        token = token_of(box.find(victim)[-1])
        server.anyone().post("/v1/submissions/confirm", {"token": token}).refused("not-found", status=404)
        server.anyone().post("/v1/submissions/confirm", {"token": "x" * 43}).refused("not-found", status=404)


def over(server, box):
    with part("what nobody confirms goes in 72 hours; an application stays, unproven"):
        sent(server, "newsletter", newsletter("Planted-Gone", "gone@x.example"), ["news.email"]).expect(200)
        sent(server, "job", answer_to("job", "job@x.example")).expect(200)
        token = token_of(box.wait("gone@x.example"))
        recruiter, sales = server.client("app"), server.client("app")
        check(len(sales.get("/v1/forms/newsletter/answers?purpose=news").expect(200).json["answers"]) == 1, "the pending answer is not there")
        server.advance(hours=73)
        server.sweep()
        server.anyone().post("/v1/submissions/confirm", {"token": token}).refused("not-found", status=404)
        check(found(server, "gone@x.example") is None, "a person was made")
        check(not sales.get("/v1/forms/newsletter/answers?purpose=news").expect(200).json["answers"], "what nobody confirmed is still held")
        kept = recruiter.get("/v1/forms/job/answers?purpose=recruitment").expect(200).json["answers"]
        check([(row["proven"], row["subject"], row["data"]["identity"]["last_name"]) for row in kept] == [(False, None, "Planted-job")], f"{kept}")
        check_absent(["Planted-job", "Planted-Gone", "gone@x.example"], server.data)


def answers_of(server, form, purpose):
    return server.client("app").get(f"/v1/forms/{form}/answers?purpose={purpose}").expect(200).json["answers"]


def held(server, ident):
    """The categories of which something is held of the person; None: there is nobody of that id, by API, export and command."""
    answer, paths = server.operator().get(f"/v1/subjects/{ident}/access"), ("export", "consents")
    if answer.status == 404:
        for path in paths:
            server.operator().get(f"/v1/subjects/{ident}/{path}").refused("not-found", status=404)
        check(server.run("subject", "access", ident, "--json", ok=None).returncode != 0, "the command still shows them")
        return None
    return {row["category"] for row in answer.expect(200).json["categories"] if row["records"]}


def listed(server, one, form, purpose):
    """What a page of staff shows of a form's answers."""
    page = one.submit(one.get(f"/staff/forms/{form}").expect(200), f"/staff/forms/{form}", purpose=purpose).expect(200)
    return page.body.decode() if isinstance(page.body, bytes) else page.body


def applied(server, box, address, count=1):
    sent(server, "job", answer_to("job", address)).expect(200)
    confirmed(server, box, address, count=count)
    return found(server, address, "recruitment")


def applications(t, box):
    """Five who applied: by that form alone; a customer; who gets the news; who asked for a demonstration too; and one under a hold."""
    server = t.server(now=START, arguments=box.arguments())
    app = server.client("app")
    customer = app.create({"identity": {"first_name": "Cus", "last_name": "Tomer"}, "contact": {"email": "customer@alone.example"}})["id"]
    app.record(customer, "billing", {"invoice": "F-1", "issued": "2026-11-02", "amount": 12, "recipient": "Cus Tomer"}).expect(201)
    who = {name: applied(server, box, f"{name}@alone.example") for name in ("alone", "customer", "news", "guest", "hold")}
    check(who["customer"] == customer, "the application is not the customer's")
    for name, form, boxes in (("news", "newsletter", ["news.email"]), ("guest", "demonstration", [])):
        sent(server, form, answer_to(form, f"{name}@alone.example"), boxes).expect(200)
        confirmed(server, box, f"{name}@alone.example", count=2)
    with part("the notice of a form says its own term, and so do access and export"):
        kept = server.anyone().get("/v1/forms/job").expect(200).json["kept"]
        check([row["term"] for row in kept] == ["2 years from the day you send it"], f"{kept}")
        Browser(server).get("/forms/job?lang=fr").expect(200).has("2 ans à compter de votre envoi")
        Browser(server).get("/privacy?lang=en").expect(200).has("We keep what only this form collects for 2 years from the day you send it")
        for told in (server.operator().get(f"/v1/subjects/{who['alone']}/access").expect(200).json,
                     server.operator().export(who["alone"])[1]):
            rows = told["submissions"]
            check([(row["form"], row["until"]) for row in rows] == [("job", "2028-11-22T00:00:00.000Z")], f"{rows}")
    hold = server.operator().post(f"/v1/subjects/{who['hold']}/holds", {"category": "*", "ground": "a dispute before a court"}).expect(201).json["id"]
    ends(server, who, hold)


def ends(server, who, hold):
    server.set_clock(milliseconds("2028-11-21T23:50:00Z"))
    desk = Browser.of(server, staff(server, mp.person(95), "thibault.95@societe.example", "recruiter"))
    with part("what an application alone brought goes two years after it, to the day"):
        server.sweep()
        check(all("application" in held(server, ident) for ident in who.values()), "an application went before its day")
        check(held(server, who["alone"]) == {"identity", "contact", "application"}, f"{held(server, who['alone'])}")
        check(len(answers_of(server, "job", "recruitment")) == 5 and listed(server, desk, "job", "recruitment").count("Douze ans") == 5, "staff miss one")
        server.set_clock(milliseconds("2028-11-22T00:00:01Z"))
        server.sweep()
        check(held(server, who["alone"]) is None and found(server, "alone@alone.example", "recruitment") is None, "who only applied is still held")
        check([row["subject"] for row in answers_of(server, "job", "recruitment")] == [who["hold"]], "staff still have an application")
        check(listed(server, desk, "job", "recruitment").count("Douze ans") == 1, "a page of staff still shows an application")
    with part("what something else needs stays: an order, a live consent, another form, a hold while it lasts"):
        check({"identity", "contact", "billing"} == held(server, who["customer"]), f"{held(server, who['customer'])}")
        check({"identity", "contact"} == held(server, who["news"]), f"{held(server, who['news'])}")
        check({"identity", "contact", "company"} == held(server, who["guest"]), f"{held(server, who['guest'])}")
        check("application" in held(server, who["hold"]), "a hold did not keep the application")
        check("news" in server.operator().get(f"/v1/subjects/{who['news']}/access").expect(200).json["live"], "the consent went")
        server.operator().delete(f"/v1/subjects/{who['hold']}/holds/{hold}").expect(200, 204)
        server.sweep()
        check(held(server, who["hold"]) is None, "after the hold, what it kept is still there")
        check_absent(["alone@alone.example", "Douze ans"], server.data)


@promise("MP-06")
def five_points(t):
    with Mailbox() as box:
        server = t.server(now=START, arguments=box.arguments())
        applications(t, box)
        each_point_says(server)
        nothing_beyond_a_form(server)
        proven(server, box, *unproven(server, box))
        over(server, box)
        with part("a form sent from a site that the policy does not list is refused with its clause"):
            body = {"data": newsletter("Planted", "site@x.example"), "boxes": ["news.email"]}
            for origin, status in (("https://docs.myportal.example", 200), ("https://evil.example", 403), ("null", 403)):
                answer = server.anyone().post("/forms/newsletter", body, Origin=origin)
                if status == 200:
                    check(answer.expect(200).headers["access-control-allow-origin"] == origin, f"{answer.headers}")
                else:
                    answer.refused("forbidden", status=403, clause=r"^collection\.newsletter")
            server.anyone().post("/forms/newsletter", body).refused("invalid-value", status=422)   # nobody's page, and no stamp
        drawn_by_listed_sites(server)
        with part("what fills in the field that people do not see is answered, and left"):
            sent(server, "newsletter", newsletter("Planted", "robot@x.example"), ["news.email"], website="http://spam.example").expect(200)
            check(not box.find("robot@x.example"), "a robot had a letter sent")


# ---- MP-03: consent is asked purpose by purpose on forms. ----

@promise("MP-03")
def purpose_by_purpose(t):
    with Mailbox() as box:
        server = t.server(now=START, arguments=box.arguments())
        visitor = Browser(server)
        with part("one unticked box for each purpose and channel"):
            page = visitor.get("/forms/newsletter").expect(200)
            text = page.body.decode() if isinstance(page.body, bytes) else page.body
            names = ["consent.news.email", "consent.news.phone", "consent.partner_news.email"]
            once = all(text.count(f'name="{name}"') == 1 for name in names) and text.count('name="consent.') == 3
            check(once and not re.search(r"<input[^>]* checked", text), text)
            boxes = [row["box"] for row in server.anyone().get("/v1/forms/newsletter").expect(200).json["boxes"]]
            check(boxes == [name[8:] for name in names], f"the API asks for {boxes}")
        with part("confirmed by the letter's link, the ledger has wording, version, time, channel and form"):
            server.advance(seconds=3)
            visitor.submit(page, "/forms/newsletter", **{"identity.last_name": "Planted", "contact.email": "by.page@x.example",
                                                         "consent.news.email": "on"}).expect(200).has("Open the email")
            check(found(server, "by.page@x.example") is None, "nobody confirmed yet")
            confirmed(server, box, "by.page@x.example")
            ident = found(server, "by.page@x.example")
            rows = {(row["purpose"], row.get("channel")): row for row in ledger(server, ident)["consents"]}
            check({key: row["decision"] for key, row in rows.items()} ==
                  {("news", "email"): "given", ("news", "phone"): "refused", ("partner_news", "email"): "refused"}, f"{rows}")
            version = server.client("app").get("/v1/policy").expect(200).json["document"]["policy"]["version"]
            for (purpose, _), row in rows.items():
                check(row["wording"].startswith("I agree: ") and row["policy"] == version and row["method"] == "tick" and row["at"]
                      and row["evidence"].startswith("form newsletter, en, "), f"{purpose}: {row}")
        with part("by a program the same, and by the command no consent without the link"):
            sent(server, "newsletter", newsletter("Planted", "by.api@x.example"), ["partner_news.email"]).expect(200)
            server.anyone().post("/v1/submissions/confirm", {"token": token_of(box.wait("by.api@x.example"))}).expect(200)
            live = ledger(server, found(server, "by.api@x.example", "partner_news"))["live"]
            check(live == ["partner_news"], f"{live}")
            told = json.loads(server.run("subject", "consents", found(server, "by.api@x.example", "partner_news"), "--json"))
            check(told["live"] == live, f"the command tells {told}")
        with part("what needs a choice does not happen without it"):
            sent(server, "newsletter", newsletter("Planted", "none@x.example")).refused("consent-missing", status=403)


# ---- Drawn by a script in the page of a listed site. ----

def drawn_page(garant, language, form="resource", more='crossorigin="anonymous"'):
    return f"""<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>A site</title>
<link rel="icon" href="data:,"></head><body><main><h1>A site</h1>
<script src="{garant}/embed/form.js?form={form}&amp;lang={language}" {more}></script>
<p>What stands after it.</p></main></body></html>"""


def script_from(server, **headers):
    return server.anyone().request("GET", "/embed/form.js?form=newsletter&lang=en", None, headers.items())


def drawn_by_listed_sites(server):
    with part("one script tag draws the form in the pages of the listed sites alone, in 4 kB"):
        drawn = script_from(server, Origin="https://docs.myportal.example").expect(200)
        check(drawn.headers["access-control-allow-origin"] == "https://docs.myportal.example"
              and drawn.headers["cross-origin-resource-policy"] == "cross-origin", f"{drawn.headers}")
        for form in POINTS:
            size = len(gzip.compress(server.anyone().get(f"/embed/form.js?form={form}").expect(200).body))
            check(size <= 4096, f"with what {form} says, form.js has {size} bytes")
        check("https://evil.example" not in str(script_from(server, Referer="https://docs.myportal.example/a").expect(200).headers), "Referer")
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Referer": "https://evil.example/docs.myportal.example"}):
            script_from(server, **headers).refused("forbidden", status=403, clause=r"^collection\.newsletter")
        server.anyone().get("/embed/form.js?form=absent").refused("not-found", status=404)
    with part("what it sends is taken from the listed sites alone, each fault told at its field"):
        form = urllib.parse.urlencode({"contact.email": "script@x.example", "consent.news.email": "on"})
        send = lambda body, origin: server.anyone().request("POST", "/embed/forms/newsletter?lang=en", body.encode(), {
            "Origin": origin, "Content-Type": "application/x-www-form-urlencoded"}.items())
        send(form, "https://evil.example").expect(403)
        server.anyone().post("/embed/forms/newsletter", {"contact.email": "script@x.example"}, Origin="https://evil.example") \
            .refused("forbidden", status=403, clause=r"^collection\.newsletter")
        answer = send(form, "https://myportal.example").expect(422)
        check([row["field"] for row in answer.json["faults"]] == ["identity.last_name"] and answer.json["faults"][0]["says"].startswith("Last name: "),
              f"{answer.json}")
        check(answer.headers["access-control-allow-origin"] == "https://myportal.example", f"{answer.headers}")
        said = send(form + "&identity.last_name=Planted", "https://myportal.example").expect(200).json
        check(said["state"] == "confirm" and len(said["says"]) == 2 and not said["gives"], f"{said}")


@further("MP-06")
def drawn_in_a_browser(t):
    with part("in a browser, under a strict policy of the site: labels, faults beside fields and above, unticked boxes, what happens next; nothing is kept"), \
            Mailbox() as box, tracked_site.listening(tracked_site.SITE) as site, tracked_site.listening(tracked_site.STRANGER) as stranger:
        named = tracked_site.origin(site).split("//")[1]
        edit = lambda text: younger(text).replace("sites: [myportal.example", f"sites: [{named}, myportal.example")
        server = t.server(policy=t.copy_of_policy(edit), arguments=box.arguments())
        garant = f"http://127.0.0.1:{server.port}"
        strict = f"default-src 'none'; script-src {garant}; connect-src {garant}; img-src data:; base-uri 'none'; form-action 'none'; " \
                 "require-trusted-types-for 'script'"
        site.headers = {"Content_Security_Policy": strict}
        site.pages = {language: drawn_page(garant, language) for language in ("en", "fr")}
        stranger.pages = {"en": drawn_page(garant, "en"), "fr": drawn_page(garant, "fr", more='referrerpolicy="no-referrer"')}
        told = t.path("drawn.json")
        with open(told, "w", encoding="utf-8") as file:
            json.dump({"garant": garant, "site": tracked_site.origin(site), "stranger": tracked_site.origin(stranger)}, file)
        ran = subprocess.run(["node", os.path.join(TOP, "tests/browser/form.mjs"), told], capture_output=True, text=True, timeout=600, check=False)
        check(ran.returncode == 0, f"the browser failed: {ran.stderr[-2000:]}")
        check(json.loads(ran.stdout) == [], f"{ran.stdout}")
        for language, purposes in (("en", {"news"}), ("fr", set())):
            confirmed(server, box, f"drawn.{language}@x.example")
            live = ledger(server, found(server, f"drawn.{language}@x.example", "resources"))["live"]
            check(set(live) & {"news", "partner_news"} == purposes, f"{language}: {live}")
        check(not box.find("stranger@x.example"), "what another site sent had a letter")


# ---- deskmanager. ----

@promise("DM-08")
def feedback(t):
    with Mailbox() as box:
        server = t.server(now=START, arguments=box.arguments())
        site, visitor = server.client("app"), Browser(server)
        with part("feedback is taken without an identifier, and stored without a person"):
            page = visitor.get("/forms/feedback").expect(200).has("2 years")
            server.advance(seconds=3)
            visitor.submit(page, "/forms/feedback", **{"feedback.product": "Bureau", "feedback.comment": "Planted-Solide"}).expect(200) \
                .has("We do not know who you are")
            sent(server, "feedback", {"feedback": {"comment": "Planted-Léger"}}).expect(200)
            answers = site.get("/v1/forms/feedback/answers?purpose=feedback").expect(200).json["answers"]
            said = [(row["subject"], row["data"]["feedback"]["comment"]) for row in answers]
            check(said == [(None, "Planted-Solide"), (None, "Planted-Léger")], f"{answers}")
            told = server.run("form", "answers", "feedback", "--purpose", "feedback", "--json", ok=None)
            check(told.returncode != 0, "the operator reads what no role of theirs is for")
            check_absent(["Planted-Solide", "Planted-Léger"], server.data)
        with part("read for its purpose alone"):
            site.get("/v1/forms/feedback/answers?purpose=marketing").refused("purpose-refused", status=403, clause=r"^collection\.feedback$")
            server.client("contest_site").get("/v1/forms/feedback/answers?purpose=feedback").refused("forbidden", status=403)
        with part("it goes at its own term"):
            server.advance(days=725)
            server.sweep()
            check(len(site.get("/v1/forms/feedback/answers?purpose=feedback").expect(200).json["answers"]) == 2, "it went before its term")
            server.advance(days=10)
            server.sweep()
            check(not site.get("/v1/forms/feedback/answers?purpose=feedback").expect(200).json["answers"], "it is held beyond its term")


@promise("DM-17")
def contest(t):
    entry = {"contact": {"name": "Clarisse Planted", "email": "contest@x.example"}, "entries": {"contest": "printemps 2027", "answer": "Le chêne"}}
    with Mailbox() as box:
        server = t.server(now=START, arguments=box.arguments())
        visitor = Browser(server)
        with part("not yet open, and closed, it says so and takes nothing"):
            visitor.get("/forms/spring_contest").expect(200).has("does not take answers now", "20 March 2027")
            sent(server, "spring_contest", entry).refused("conflict", status=409, clause=r"^collection\.spring_contest$")
            check(not json.loads(server.run("form", "show", "spring_contest", "--json"))["open"], "the command says it is open")
        with part("open, under its published rules"):
            server.set_clock(milliseconds("2027-03-20T10:00:00Z"))
            check("https://deskmanager.example/concours/printemps-2027" in str(visitor.get("/forms/spring_contest").expect(200).body), "no rules on the page")
            check(server.anyone().get("/v1/forms/spring_contest").expect(200).json["rules"].startswith("https://deskmanager.example/"), "no rules by the API")
            sent(server, "spring_contest", entry, ["marketing.email"]).expect(200)
            confirmed(server, box, "contest@x.example")
            site = server.client("app")
            answers = site.get("/v1/forms/spring_contest/answers?purpose=contests").expect(200).json["answers"]
            check([(row["proven"], row["data"]["entries"]["answer"]) for row in answers] == [(True, "Le chêne")], f"{answers}")
            both = site.lookup({"contact.email": "contest@x.example"}, "contests").expect(200).json["id"]
            sent(server, "spring_contest", {**entry, "contact": {"name": "Seule Planted", "email": "alone@x.example"}}).expect(200)
            confirmed(server, box, "alone@x.example")
            alone = site.lookup({"contact.email": "alone@x.example"}, "contests").expect(200).json["id"]
        with part("its notice says the contest's own term"):
            kept = server.anyone().get("/v1/forms/spring_contest").expect(200).json["kept"]
            check(kept[0]["term"] == "6 months from the last day of the form, 20 April 2027", f"{kept}")
            visitor.get("/forms/spring_contest?lang=fr").expect(200).has("6 mois à compter du dernier jour du formulaire, le 20 avril 2027")
        with part("an entry goes six months after the contest, to the day"):
            server.set_clock(milliseconds("2027-10-19T23:50:00Z"))
            server.sweep()
            check("entries" in held(server, both) and "entries" in held(server, alone), "an entry went before its day")
            desk = Browser.of(server, staff(server, dm.person(95), dm.person(95)["contact"]["email"], "campaigns"))
            check(listed(server, desk, "spring_contest", "contests").count("Le chêne") == 2, "staff miss an entry")
            server.set_clock(milliseconds("2027-10-20T00:00:01Z"))
            sent(server, "spring_contest", entry).refused("conflict", status=409, clause=r"^collection\.spring_contest$")
            server.sweep()
            check(not site.get("/v1/forms/spring_contest/answers?purpose=contests").expect(200).json["answers"], "the entry is held beyond its term")
            check("Le chêne" not in listed(server, desk, "spring_contest", "contests"), "a page of staff still shows an entry")
        with part("who only entered goes whole; who agreed to letters keeps their address for them"):
            check(held(server, alone) is None, "who only entered the contest is still held")
            check(held(server, both) == {"contact"} and "marketing" in ledger(server, both)["live"], f"{held(server, both)}")
            check_absent(["Seule Planted", "alone@x.example", "Le chêne"], server.data)


# ---- Younger than the policy's age: a parent agrees too (LIL 45). ----

def younger(text):
    start = text.index("minors:\n")
    return text[:start] + "minors: {plausible: true, age: 15}\n" + text[text.index("\n\nretention:", start):]


def asked_parent(server, box):
    """Of a form that is all consent, all waits; of another one, what agrees to something."""
    visitor = Browser(server)
    with part("who says that they are younger gives the address of a parent"):
        page = visitor.get("/forms/newsletter?lang=en").expect(200).has("I am under 15 years old")
        check(server.anyone().get("/v1/forms/newsletter").expect(200).json["minor_age"] == 15, "the API does not tell the age")
        server.advance(seconds=3)
        filled = {"identity.last_name": "Planted", "contact.email": "child@x.example", "consent.news.email": "on", "minor": "on"}
        visitor.submit(page, "/forms/newsletter", **filled).expect(422).has("different from yours")
        visitor.submit(page, "/forms/newsletter", **filled, parent="Child@x.example").expect(422).has("different from yours")
        for wrong in ("nobody", "a@x.example\r\nBcc: b@x.example", "x" * 300 + "@x.example", "4111 1111 1111 1111"):
            answer = sent(server, "newsletter", newsletter("Planted", "child@x.example"), ["news.email"], minor=True, parent=wrong)
            check(answer.status == 422, f"{wrong[:20]} is taken as an address: {answer.status}")
        sent(server, "newsletter", newsletter("Planted", "child@x.example"), ["news.email"], minor=[1], parent="p@x.example") \
            .refused("invalid-value", status=422)
        check(not box.find("child@x.example") and not box.find("b@x.example"), "a letter went for what was refused")
        visitor.submit(page, "/forms/newsletter", **filled, parent="parent@x.example").expect(200)
    with part("until the parent agreed too nothing counts; then both are on record"):
        confirmed(server, box, "child@x.example").has("We have written to your parent")
        check(found(server, "child@x.example") is None, "somebody younger is written to without a parent")
        letter = box.wait("parent@x.example")
        check("child@x.example" in letter.text and "under 15" in letter.text and "I agree: " in letter.text, letter.text)
        looked = Browser(server).get("/" + letter.links[0].split("/", 3)[3]).expect(200).has("asks for your agreement", "I agree: ")
        check(looked and found(server, "child@x.example") is None, "a look at the parent's link agreed")
        confirmed(server, box, "parent@x.example")
        rows = {(row["purpose"], row.get("channel")): row for row in ledger(server, found(server, "child@x.example"))["consents"]}
        row = rows["news", "email"]
        check(row["decision"] == "given" and "they confirmed 2026-11-22" in row["evidence"], f"{row}")
        check("parent parent@x.example agreed 2026-11-22" in row["evidence"], f"{row}")
        check(rows["news", "phone"]["decision"] == "refused" and "parent" not in rows["news", "phone"]["evidence"], f"{rows}")
        server.anyone().post("/v1/submissions/confirm", {"token": token_of(letter)}).refused("not-found", status=404)


def waits_apart(server, box):
    def demonstration(name):
        sent(server, "demonstration", answer_to("demonstration", f"{name}@x.example"), ["news.email"], minor=True,
             parent=f"{name}.parent@x.example").expect(200)
        answer = server.anyone().post("/v1/submissions/confirm", {"token": token_of(box.wait(f"{name}@x.example"))}).expect(200)
        check(answer.json == {"form": "demonstration", "state": "parent", "gives": None}, f"{answer.json}")
        return found(server, f"{name}@x.example", "demonstrations"), token_of(box.wait(f"{name}.parent@x.example"))
    with part("what needs no consent joins at once, the rest when the parent agrees"):
        ident, token = demonstration("apart")
        held_rows = server.operator().get(f"/v1/subjects/{ident}/access").expect(200).json["submissions"]
        check(sorted(row["waits"] for row in held_rows) == [False, True], f"{held_rows}")
        check(len(answers_of(server, "demonstration", "demonstrations")) == 1, "what waits is listed as an answer")
        check("news" not in ledger(server, ident)["live"], "a consent counts before the parent agreed")
        server.anyone().post("/v1/submissions/confirm", {"token": token}).expect(200)
        check(ledger(server, ident)["live"] == ["news"], "the parent agreed, and nothing counts")
        check([row["waits"] for row in server.operator().get(f"/v1/subjects/{ident}/access").expect(200).json["submissions"]] == [False], "it still waits")
    with part("what they decided since stands; what no parent agreed to goes in 72 hours, or with its person"):
        ident, token = demonstration("since")
        server.advance(minutes=1)
        server.operator().post(f"/v1/subjects/{ident}/consents", {"purpose": "news", "channel": "email", "decision": "refused"}).expect(200, 201)
        server.anyone().post("/v1/submissions/confirm", {"token": token}).expect(200)
        check("news" not in ledger(server, ident)["live"], "a parent's link undid what was decided since")
        ident, token = demonstration("late")
        gone, last = demonstration("gone")
        server.operator().erase(gone)
        server.anyone().post("/v1/submissions/confirm", {"token": last}).refused("not-found", status=404)
        server.advance(hours=73)
        server.sweep()
        server.anyone().post("/v1/submissions/confirm", {"token": token}).refused("not-found", status=404)
        check([row["waits"] for row in server.operator().get(f"/v1/subjects/{ident}/access").expect(200).json["submissions"]] == [False], "it waits for ever")
        check(ledger(server, ident)["live"] == [], "it counts without the parent")
        check_absent(["late.parent@x.example", "gone.parent@x.example"], server.data)


GUIDE = "https://docs.myportal.example/guide.pdf"


def handing_over(text):
    before = "purposes: [resources, news, partner_news]\n    sites"
    return younger(text).replace(before, f"purposes: [resources, news, partner_news]\n    gives: {GUIDE}\n    sites")


def what_happens_next(server, box):
    """Confirmed, the resource is there on the page, by the API and in a letter, which names each receipt; staff are told."""
    visitor, address = Browser(server), "guide@x.example"
    with part("once confirmed, the page and a letter hand over what was asked for, and name the receipt of each consent"):
        page = visitor.get("/forms/resource?lang=fr").expect(200)
        server.advance(seconds=3)
        filled = {"identity.last_name": "Planted", "contact.email": address, "company.name": "Société", "consent.news.email": "on"}
        said = visitor.submit(page, "/forms/resource", **filled).expect(200).has("aucun de vos choix ne compte")
        check(GUIDE not in str(said.body), "it is handed over before anybody confirmed")
        done = confirmed(server, box, address)
        check(GUIDE in str(done.body), f"the page hands nothing over: {done.body}")
        letter = box.wait(address, count=2)
        rows = [row for row in ledger(server, found(server, address))["consents"] if row["decision"] == "given"]
        check(len(rows) == 1 and rows[0]["receipt"] in letter.text and GUIDE in letter.text, f"{rows} {letter.text}")
        server.operator().get(f"/v1/subjects/{found(server, address)}/receipts/{rows[0]['receipt']}").expect(200)
        sent(server, "resource", answer_to("resource", "guide.api@x.example")).expect(200)
        token = token_of(box.wait("guide.api@x.example"))
        answer = server.anyone().post("/v1/submissions/confirm", {"token": token}).expect(200).json
        check(answer == {"form": "resource", "state": "done", "gives": GUIDE}, f"{answer}")
    with part("staff who serve a purpose of the form see on their first page that answers came; others do not"):
        for role, told in (("sales", True), ("accounting", False)):
            person = mp.person(95 if told else 96)
            first = Browser.of(server, staff(server, person, person["contact"]["email"], role)).get("/staff?lang=en").expect(200)
            check(("answers to forms this week" in first.read.text) is told, f"{role}: {first.read.text}")


@further("MP-06")
def with_a_parent(t):
    with Mailbox() as box:
        server = t.server(policy=t.copy_of_policy(handing_over), now=START, arguments=box.arguments())
        asked_parent(server, box)
        waits_apart(server, box)
        what_happens_next(server, box)
