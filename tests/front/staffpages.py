"""Staff pages from outside: accounts opened, invited, approved, closed by forms; folders, letters and calls; reasons; who may not."""
import html, re
from browser import Browser
from garant import Server, check
from mailbox import Mailbox
from people import form, opened, registered, staff, visitor
from words import typed, word

CANARY = '<b class=canary>&"\'{{csrf}}'


def portal(number, name="Canari"):
    return {"identity": {"first_name": "Ana", "last_name": name}, "contact": {"email": f"ana.{number}@people.example"},
            "work": {"company": "Studio", "site": "Lyon"}}


def flat(data):
    """As the form names its inputs."""
    return {f"{category}.{field}": value for category, fields in data.items() for field, value in fields.items()}


def text(answer):
    return html.unescape(answer.body.decode())


def register(tests):
    @tests.test("staff pages: an account from its opening to its closing")
    def life():
        with Server("mxplorerplace") as server:
            clerk = staff(server, portal(1), "ana.1@people.example", "account_staff")
            folder = {"folder": "dossier", "name": "Paris", "why": "contract"}
            check("also needs folders" in text(form(clerk, "/staff/open", **flat(portal(2)), supplied_by="person").expect(422)),
                  "opened without the folder that the policy needs")
            again = text(form(clerk, "/staff/open", **{**flat(portal(2, CANARY)), "contact.email": "no address"}, supplied_by="person", **folder).expect(422))
            check(f'value="{CANARY}"' in html.unescape(again) and "canary>" not in form(clerk, "/staff/open", **flat(portal(2, CANARY)),
                  supplied_by="nobody", **folder).expect(422).body.decode(), "what was typed is lost, or not escaped")
            made = form(clerk, "/staff/open", **flat(portal(2, CANARY)), supplied_by="person", **folder).expect(303).headers["location"]
            ident = re.fullmatch(r"/staff/people/(\w{26})\?done=account_opened", made)[1]
            page = text(clerk.get(made))
            check("invited" in page and word("staff.invite") in page and "Canari" not in page, "data shown before a purpose is named")
            link = server.operator().post(f"/v1/accounts/{ident}/invite").expect(200).json["link"]
            check(link.startswith(f"http://127.0.0.1:{server.port}/"), f"a link that leads elsewhere: {link.split('?')[0]}")
            form(clerk, f"/staff/people/{ident}/invite").expect(303)
            check(server.anyone().get(re.sub("^https?://[^/]*", "", link), Accept="text/html").status in (404, 410), "the former link still works")
            looked = form(clerk, f"/staff/people/{ident}", purpose="service").expect(200)
            check(CANARY in text(looked) and b"<b class=canary>" not in looked.body, "the look is not whole, or not escaped")
            check(form(clerk, f"/staff/people/{ident}", purpose="statistics").expect(403).body.count(b"roles.account_staff") == 1, "no clause named")
            check(ident in text(clerk.get("/staff/people?state=invited")) and ident not in text(clerk.get("/staff/people?state=open")), "lists")
            form(clerk, f"/staff/people/{ident}/close").expect(303)
            clerk.get(f"/staff/people/{ident}").expect(404)
            check(ident not in text(clerk.get("/staff/people")), "a closed account is listed")

    @tests.test("staff pages: folders with their history, letters and calls")
    def file():
        with Server("mxplorerplace") as server:
            clerk = staff(server, portal(1), "ana.1@people.example", "account_staff")
            manager = staff(server, portal(2), "ana.2@people.example", "manager")
            ident = opened(server, portal(3), opener=clerk, manager=manager.id, folders=[{"folder": "dossier", "name": "Paris", "why": "contract"}])
            here = f"/staff/people/{ident}"
            form(clerk, here + "/grant", folder="dossier", name=CANARY, why="asked for", until="2099-12-31").expect(303)
            form(clerk, here + "/grant", folder="dossier", name="Lyon", why="asked for", until="yesterday").expect(422)
            shown = clerk.get(here + "/folders").expect(200)
            check(CANARY in text(shown) and b"<b class" not in shown.body and "31 December 2099" in text(shown), "the folder is not shown as it is")
            form(manager, here + "/grant", folder="dossier", name="Nice", why="mine").expect(403)
            form(clerk, here + "/revoke", folder="dossier", name="Paris", why="contract over").expect(303)
            form(clerk, here + "/revoke", folder="dossier", name="Paris", why="again").expect(404)
            shown = text(clerk.get(here + "/folders"))
            check("contract over" in shown and shown.count(word("staff.folder_shut")) == 1 and "Nice" not in shown, "the history is not whole")
            form(clerk, here + "/calls", purpose="service_messages", subject=CANARY).expect(303)
            form(clerk, here + "/messages", purpose="service_messages", subject="Works", text="Tonight.\r\n\r\nNone after.").expect(303)
            form(clerk, here + "/messages", purpose="service_messages", subject="two\r\nBcc: x@y.example", text="no").expect(422)
            form(manager, here + "/messages", purpose="access_rights", subject="Works", text="Tonight.").expect(403)
            log = form(clerk, here + "/contacts", purpose="service_messages").expect(200)
            check(CANARY in text(log) and b"<b class" not in log.body and word("staff.letter.queued") in text(log), "the log is not whole, or not escaped")

    @tests.test("staff pages: a reason before each look, and none in an address")
    def reasons():
        with Server("mxplorerplace") as server:
            analyst = staff(server, portal(1), "ana.1@people.example", "analyst")
            clerk = staff(server, portal(2), "ana.2@people.example", "account_staff")
            ident = opened(server, portal(3), opener=clerk, folders=[{"folder": "dossier", "name": "Paris", "why": "contract"}])
            why = "monthly figures of March"
            check(ident not in text(analyst.get("/staff/people").expect(200)), "a list before its reason")
            check(ident in text(form(analyst, "/staff/people", reason=why).expect(200)), "no list with a reason")
            form(analyst, "/staff/people", reason="4111 1111 1111 1111").expect(422)
            check("opened" not in text(analyst.get(f"/staff/people/{ident}").expect(200)).split("<main")[1].lower(), "an account before its reason")
            form(analyst, f"/staff/people/{ident}", purpose="statistics").expect(403)
            check("Canari" in text(form(analyst, f"/staff/people/{ident}", purpose="statistics", reason=why).expect(200)), "no look with a reason")
            form(analyst, "/staff/find", field="contact.email", value="ana.3@people.example", purpose="statistics", reason=why).expect(403)
            check(why not in server.log() and "March" not in server.log(), "the reason is in the log")
            looks = visitor(server, "ana.3@people.example").get("/me/looks").expect(200)
            check(why in text(looks), "the person does not read the reason")

    @tests.test("staff pages: who registers alone is approved or refused")
    def approval():
        with Mailbox() as mailbox, Server("myportal", arguments=mailbox.arguments()) as server:
            clerk = staff(server, {"identity": {"last_name": "Roche"}, "contact": {"email": "roche@people.example"}}, "roche@people.example", "support")
            why = "new registrations"
            for name, decision in (("good", "approve"), ("bad", "refuse")):
                address = f"{name}@people.example"
                registered(server, mailbox, {"identity": {"last_name": name}, "contact": {"email": address}}, address)
                listed = text(form(clerk, "/staff/people", state="awaiting", reason=why).expect(200))
                ident = re.findall(r'action="/staff/people/(\w{26})"', listed)[-1]
                check(name in listed and ident not in re.sub("<[^>]*>", "", listed), "a number in place of a name")
                check("Approve" in text(form(clerk, f"/staff/people/{ident}", purpose="service", reason=why).expect(200)), "nothing to approve by")
                form(clerk, f"/staff/people/{ident}/decide", decision=decision, reason=why).expect(303)
                mailbox.wait(address, "approved" if decision == "approve" else "refused_account")
                form(clerk, f"/staff/people/{ident}/decide", decision=decision, reason=why).expect(409, 404)

    @tests.test("staff pages: a person is found and seen in one step, by name, and corrected, given a copy and erased at their request")
    def request():
        with Server("mxplorerplace") as server:
            clerk = staff(server, portal(1), "ana.1@people.example", "account_staff")
            ident = opened(server, portal(3, "Zephyr"), opener=clerk, folders=[{"folder": "dossier", "name": "Paris", "why": "contract"}])
            desk = Browser(server)
            desk.cookies = dict(clerk.cookies)
            listed = desk.get("/staff/people").expect(200).has("Ana Zephyr")
            check(ident not in listed.read.text, "a bare number in the list")
            page = desk.submit(listed, "/staff/find", field="contact.email", value="ana.3@people.example", purpose="service").expect(200)
            check(page.path == f"/staff/people/{ident}", f"led to {page.path}")
            page.has("Ana Zephyr", "ana.3@people.example")
            check("Zephyr" not in page.read.title, "a name in the window's title")
            here = f"/staff/people/{ident}"
            fixed = desk.submit(page, here + "/correct", like={"category": "identity"}, fields={"identity.last_name": "Zéphyr-Roux"}).expect(200)
            fixed.has(word("done.saved"), "Ana Zéphyr-Roux")
            again = desk.submit(page, here + "/correct", like={"category": "identity"}, fields={"identity.last_name": "Late"}).expect(412)
            check('value="Late"' in again.html, "what was typed is lost")
            empty = desk.submit(fixed, here + "/correct", like={"category": "identity"}, fields={"identity.last_name": ""}).expect(422)
            check("identity.last_name" in empty.html.split('role="alert"')[1].split("</div>")[0], "the fault leads to no field")
            taken = desk.submit(fixed, here + "/export")
            check(taken.expect(200).type == "application/zip" and taken.body[:2] == b"PK", f"no archive: {taken.headers}")
            asked = desk.submit(fixed, here + "/erase").expect(200).has(word("erase.gone"), word("staff.erase_sure"))
            person = visitor(server, "ana.3@people.example")
            looks = text(person.get("/me/looks").expect(200))
            check("Identity" in looks.split("Account shown in a list")[1].split("</dl>")[0], "the person does not read that their name was listed")
            desk.submit(asked, here + "/erase").expect(200).has(word("staff.erase_sure"))
            done = desk.submit(asked, here + "/erase", press={"sure": "yes"}).expect(200)
            check("certificate" in done.html and desk.get(here).status == 404, "nobody was erased, or no certificate given")

    @tests.test("staff pages: purpose and reason go along; names stay with roles that may read them; decisions told by telephone")
    def carried():
        with Mailbox() as mailbox, Server("myportal", arguments=mailbox.arguments()) as server:
            def desk_of(name, role):
                address = f"{name}@people.example"
                who = staff(server, {"identity": {"last_name": name}, "contact": {"email": address}}, address, role)
                desk = Browser(server)
                desk.cookies = dict(who.cookies)
                return desk
            support, sales = desk_of("roche", "support"), desk_of("sauge", "sales")
            why = "call of 3 March"
            registered(server, mailbox, {"identity": {"last_name": "Quine"}, "contact": {"email": "quine@people.example"}}, "quine@people.example")
            support.get("/staff").expect(200).has(f"1 {word('staff.waiting').split('|')[0]}")
            waiting = support.get("/staff/people?state=awaiting").expect(200).lacks("Quine")
            listed = support.submit(waiting, "/staff/people", state="awaiting", reason=why).expect(200).has("Quine")
            decide = next(f["action"] for f in listed.read.forms if f["action"].endswith("/decide"))
            support.submit(listed, decide, press={"decision": "approve"}).expect(200).has(word("done.approved"))
            mailbox.wait("quine@people.example", "approved")
            support.get("/staff").expect(200).lacks(word("staff.waiting").split("|")[0])

            found = support.submit(support.get("/staff/people"), "/staff/find", field="contact.email", value="quine@people.example",
                                   purpose="service", reason=why).expect(200).has("Quine", "quine@people.example")
            here = found.path
            for form_of in found.read.forms:
                fields = {f.get("name"): f.get("value") for f in form_of["fields"]}
                if form_of["action"].startswith(here):
                    check(fields.get("reason") == why, f"the reason is asked again: {form_of['action']} {fields}")
            check(why not in " ".join(found.read.links), "a reason in an address")
            support.submit(found, here + "/contacts").expect(200).has("Quine").lacks(word("problem.title"))
            check(not any(f["action"].endswith(("/export", "/erase", "/choice")) for f in found.read.forms), "offered what the role may not do")

            page = sales.submit(sales.get("/staff/people"), "/staff/find", field="contact.email", value="quine@people.example", purpose="news")
            check(page.status in (403, 404) and "Quine" not in page.read.text, f"found without a consent: {page.status}")
            ident = here.split("/")[-1]
            check("Quine" not in sales.get("/staff/people").expect(200).read.text, "a name without a consent")
            server.client("app").post(f"/v1/subjects/{ident}/consents", {"purpose": "news", "channel": "email", "decision": "given", "method": "button",
                                      "wording": "News?"}).expect(201)
            page = sales.submit(sales.get("/staff/people").has("Quine"), "/staff/find", field="contact.email", value="quine@people.example",
                                purpose="news").expect(200)
            page.has("Quine")
            done = sales.submit(page, here + "/choice", choice="news email", decision="withdrawn", method="telephone")
            done.expect(200).has(word("done.recorded"))
            rows = server.client("app").get(f"/v1/subjects/{ident}/consents").expect(200).json["consents"]
            check([(r["decision"], r["method"]) for r in rows if r["purpose"] == "news"][-1] == ("withdrawn", "telephone"), f"{rows}")

    @tests.test("staff pages: what went wrong is told in the language of the page")
    def told():
        with Server("mxplorerplace") as server:
            clerk = staff(server, portal(1), "ana.1@people.example", "account_staff", language="fr")
            ident = opened(server, portal(3), opener=clerk, folders=[{"folder": "dossier", "name": "Paris", "why": "contract"}])
            for path, fields, status, says in ((f"/staff/people/{ident}", {"purpose": "statistics"}, 403, "finalité « statistics »"),
                                               ("/staff/open", {**flat(portal(2)), "supplied_by": "person"}, 422, "un compte demande aussi : folders"),
                                               (f"/staff/people/{ident}/invite", {}, 409, "ce compte n'attend pas d'invitation")):
                page = form(clerk, path, **fields).expect(status)
                check('lang="fr"' in text(page) and says in typed(text(page)), f"{path}: {typed(text(page)).split('role=')[1][:400]}")
            answer = clerk.post(f"/v1/accounts/{ident}/invite", {}, **{"Accept-Language": "fr"})
            check("n'attend pas" in answer.json["detail"], f"{answer.json}")
