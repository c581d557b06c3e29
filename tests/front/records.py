"""What is told and put on record is true: acknowledgements, sign-out, sources, purposes, wordings, suppliers, versions told."""
import json, re, time
from accounts import FOLDERS, portal, token_of
from browser import Browser
from garant import Server, check
from identifiers import variant
from mailbox import Mailbox
from people import PASSWORD, Visitor, form, opened, registered, staff, visitor

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
            page = browser.submit(browser.get("/promises"), "/signout").expect(200).has("signed out")
            check(not browser.cookies and browser.send("GET", "/me").status == 303, "still signed in")
            check("/signout" not in browser.get("/privacy").html, "the sign-out stays")
            check(server.client("app").get(f"/v1/subjects/{ident}/access").status == 200, "gone")
