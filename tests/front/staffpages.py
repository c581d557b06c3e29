"""Staff pages from outside: accounts opened, invited, approved, closed by forms; folders, letters and calls; reasons; who may not."""
import html, re
from garant import Server, check
from mailbox import Mailbox
from people import form, opened, registered, staff, visitor
from words import word

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
                ident = re.findall(r'href="/staff/people/(\w{26})"', listed)[-1]
                check("Approve" in text(form(clerk, f"/staff/people/{ident}", purpose="service", reason=why).expect(200)), "nothing to approve by")
                form(clerk, f"/staff/people/{ident}/decide", decision=decision, reason=why).expect(303)
                mailbox.wait(address, "approved" if decision == "approve" else "refused_account")
                form(clerk, f"/staff/people/{ident}/decide", decision=decision, reason=why).expect(409, 404)
