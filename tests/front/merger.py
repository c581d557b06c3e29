"""A new owner of the company, on the page of staff: its signature recorded in two steps, who would be told, how far the telling went."""
import os, tempfile, urllib.parse
from browser import Browser
from garant import TOP, Server, check, policy_file
from mailbox import Mailbox, wait_for
from people import opened, staff

OLD, NEW, START = "MyPortal SAS", "Portail Planté SAS", "2026-11-25T09:00:00Z"
PDF, EDGE = b"%PDF-1.4 planted signature", "planted-edge"
TYPED = {"controller": NEW, "by": "Jonas Planted", "signed": "20 November 2026"}


def person(number):
    return {"identity": {"first_name": f"Irma-{number}", "last_name": f"Vidal-{number}"}, "contact": {"email": f"irma.{number}@exemple.example"}}


def owned(folder, *changes):
    """The policy of the portal, which says what happens when the company is sold, changed so."""
    path = os.path.join(folder, "policy.yaml")
    with open(os.path.join(TOP, policy_file("myportal")), encoding="utf-8") as file:
        text = file.read()
    for before, after in (("\nautomated_decisions: none\n", "\nmerger: {same_rules: true, tell: true}\nautomated_decisions: none\n"), *changes):
        check(before in text, f"the policy has no {before}")
        text = text.replace(before, after, 1)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def sent_with(clerk, page, content):
    """The second step's form, with the document."""
    fields = {f["name"]: f.get("value", "") for f in page.form("/staff/merger", step="record")["fields"] if f["name"] != "document"}
    parts = [f'--{EDGE}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields.items()]
    parts.append(f'--{EDGE}\r\nContent-Disposition: form-data; name="document"; filename="signed.pdf"\r\nContent-Type: application/pdf\r\n\r\n'.encode() +
                 content + f"\r\n--{EDGE}--\r\n".encode())
    return clerk.raw("POST", "/staff/merger", b"".join(parts), f"multipart/form-data; boundary={EDGE}")


def register(tests):
    tests.test("merger: staff record a new owner's signature in two steps, see who would be told, and how far the telling went")(recorded)
    tests.test("merger: staff of one tenant do not see how many emails went to the people of all")(one_of_two)
    tests.test("merger: the page is for who answers everybody, under a policy that says what happens then")(closed)


def recorded():
    with tempfile.TemporaryDirectory(prefix="garant-merger-") as folder, Mailbox() as box:
        path = owned(folder)
        with Server(path, now=START, arguments=box.arguments()) as server:
            people = [opened(server, person(number)) for number in (1, 2)]
            server.client("app").create(person(3))                              # has no account
            clerk = Browser.of(server, staff(server, person(90), "irma.90@exemple.example", "dpo"))
            check("/staff/merger" in clerk.get("/staff").read.links, "the menu has no such place")
            page = clerk.get("/staff/merger").expect(200).has("No new owner has signed", "People who would be told 4", "with an account 3", "25 December 2026")
            clerk.submit(page, "/staff/merger", **{**TYPED, "signed": "20 November 2027"}).expect(422).lacks("Nothing is recorded yet")
            clerk.submit(page, "/staff/merger", **{**TYPED, "controller": OLD}).expect(422)
            second = clerk.submit(page, "/staff/merger", **TYPED).expect(200).has("Nothing is recorded yet", NEW, "Jonas Planted", "20 November 2026", "2.0")
            check(not server.operator().get("/v1/mergers").expect(200).json["acceptances"], "the first step recorded it")
            sent_with(clerk, second, b"no document").expect(415)
            sent_with(clerk, second, PDF).expect(200).has("The signature is recorded", "signed.pdf", "Jonas Planted")
            told = server.operator().get("/v1/mergers").expect(200).json
            row, = told["acceptances"]
            check((row["controller"], row["signed"], row["version"], told["people"], told["accounts"], told["earliest"], told["in_force"]) ==
                  (NEW, row["signed"], "2.0", 4, 3, "2026-12-25", "2.0") and row["signed"].startswith("2026-11-20"), f"{told}")
            check(server.operator().get(f"/v1/mergers/{row['digest']}").expect(200).body == PDF, "another document")
            sent_with(clerk, second, PDF).expect(409)
            owned(folder, (f"legal_name: {OLD}\n", f"legal_name: {NEW}\n"), ('version: "2.0"', 'version: "9.0"'), ("date: 2026-11-21", "date: 2027-02-01"))
            server.operator().post("/v1/policy/reload").expect(200)
            wait_for(lambda: server.operator().get("/v1/mergers").expect(200).json["announced"]["everyone_told"])
            clerk.get("/staff/merger").expect(200).has("Everyone was told", NEW, "1 February 2027", "Emails made so far")
            check(box.wait("irma.1@exemple.example", "controller_changes").text.count("/me/close") == 1, "no way to leave first")
            server.operator().post("/v1/journal/verify").expect(200)
            return f"{len(people)} people, {row['version']}"


def one_of_two():
    last = "\nautomated_decisions: none\n"
    both = (last, last + "tenants: {one: {title: One, legal_name: Portail Un}, two: {title: Two, legal_name: Portail Deux}}\n")
    with tempfile.TemporaryDirectory(prefix="garant-merger-") as folder, Mailbox() as box:
        with Server(owned(folder, both), now=START, arguments=box.arguments(), tenant="one") as server:
            server.client("app").create(person(1))
            for number in (2, 3):
                server.client("app", tenant="two").create(person(number))
            clerk = Browser.of(server, staff(server, person(90), "irma.90@exemple.example", "dpo"))
            signed = {"controller": NEW, "by": "Jonas Planted", "signed": "2026-11-20", "version": "2.0", "name": "signed.pdf"}
            server.operator().post("/v1/mergers?" + urllib.parse.urlencode(signed), PDF).expect(201)
            owned(folder, both, (f"legal_name: {OLD}\n", f"legal_name: {NEW}\n"),
                  ('version: "2.0"', 'version: "9.0"'), ("date: 2026-11-21", "date: 2027-02-01"))
            server.operator().post("/v1/policy/reload").expect(200)
            wait_for(lambda: server.operator().get("/v1/mergers").expect(200).json["announced"]["everyone_told"])
            check(server.operator().get("/v1/mergers").json["announced"]["told"] == 4, "the operator does not see all")
            clerk.get("/staff/merger").expect(200).has("Everyone was told", "People who would be told 2").lacks("Emails made so far")


def closed():
    with tempfile.TemporaryDirectory(prefix="garant-merger-") as folder, Server(owned(folder), now=START) as server:
        page = Browser.of(server, staff(server, person(91), "irma.91@exemple.example", "communication")).get("/staff/merger")
        check(page.status == 403, f"a role that may not export: {page.status}")
        check(server.anyone().get("/staff/merger", Accept="text/html").status in (303, 401), "anyone sees it")
    with Server("myportal", now=START) as server:
        clerk = Browser.of(server, staff(server, person(90), "irma.90@exemple.example", "dpo"))
        check("/staff/merger" not in clerk.get("/staff").read.links, "the menu has a place that the policy does not")
        check(clerk.get("/staff/merger").status == 422, "a page without its clause")
