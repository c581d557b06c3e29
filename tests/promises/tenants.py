"""MO-11 and MO-12: each customer of a platform is a tenant of its own, whose data the operator stores and does nothing else with; support asks first."""
import json, os, re, subprocess, sys, urllib.parse
from acts import Journal
from described import Routes, ask
from garant import TOP, Client, check, check_absent, check_searchable, garant
from mailbox import Mailbox
from people import PASSWORD, form, staff, visitor
from promise import UNKNOWN, part, promise
from uses import refused
from words import word

OURS, ACADEMY, STUDIO = "myownconference", "academy", "studio"
ADDRESS = {ACADEMY: "donnees@academie.example", STUDIO: "privacy@studio.example"}
GUEST = {"name": "Planted-kestrel guest", "email": "planted.kestrel@guests.example", "phone": "+33612345678", "town": "Planted-Toulouse", "country": "FR"}
OTHER = {"name": "Planted-heron guest", "position": "Planted-curator", "handle": "planted.heron"}
WHY = "planted ticket 4712: a guest cannot enter"


def invited(server, mailbox, tenant):
    """The first of a tenant's own staff: the operator asks for the letter, and whoever reads the tenant's mail has the link."""
    made = json.loads(server.run("tenant", "invite", tenant, "--json"))
    check("link" not in made and made["state"] == "invited", f"the operator is told how to get in: {made}")
    link = mailbox.wait(ADDRESS[tenant]).links[0]
    token = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["token"][0]
    server.anyone().post("/v1/invitations/accept", {"token": token, "password": PASSWORD}).expect(200)
    return visitor(server, ADDRESS[tenant], tenant=tenant)


def program(server, owner, tenant, actor="app"):
    """A token of the operator's for a tenant, which that tenant has accepted."""
    name = f"{actor}-{tenant}-{len(server.tokens)}"
    server.tokens[name] = server.token(actor, name=name, tenant=tenant)
    owner.post(f"/v1/tenant/tokens/{name}", {"decision": "accept"}).expect(204)
    return Client(lambda: server.port, server.tokens[name], epoch=lambda: server.starts)


def held(t, name, text):
    path = t.path(name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def by_command(server, token_file, *arguments, given=""):
    """A command on the data folder, by the holder of that token: what it said, and its exit status."""
    run = garant(*arguments, "--data", server.data, "--policy", server.policy, "--as", token_file, "--json", "--lang", "en", ok=None, given=given)
    return run.returncode, run.stdout + run.stderr


class House:
    """The platform, two of its customers with their own staff and programs, and a guest of each."""

    def __init__(self, t):
        self.t, self.mailbox = t, t.enter_context(Mailbox())
        self.server = t.server(tenant=OURS, arguments=self.mailbox.arguments())
        self.owners = {tenant: invited(self.server, self.mailbox, tenant) for tenant in ADDRESS}
        self.apps = {tenant: program(self.server, owner, tenant) for tenant, owner in self.owners.items()}
        self.guests = {ACADEMY: self.apps[ACADEMY].create({"visitor": GUEST}, source="customer")["id"],
                       STUDIO: self.apps[STUDIO].create({"visitor": OTHER}, source="customer")["id"]}

    def desk(self, number=7):
        """Somebody of the platform's own support, who may do nothing for a customer by that."""
        return staff(self.server, {"identity": {"display_name": f"desk-{number}"}, "login": {"email": f"desk.{number}@rooms.example"}},
                     f"desk.{number}@rooms.example", "support")


@promise("MO-11")
def each_customer_is_a_tenant(t):
    """What a customer may hold is its own; the operator makes nothing of it, by whatever door; no customer sees another's."""
    house = House(t)
    server, (academy, studio), operator = house.server, house.owners.values(), house.server.operator()
    clause = rf"^tenants\.{ACADEMY}"
    with part("each tenant holds its own fields, and no others: by API, batch, record, command and page"):
        for tenant, extra in ((ACADEMY, {"visitor": {"name": "A", "position": "planted"}}), (ACADEMY, {"visitor": {"name": "A", "handle": "planted"}}),
                              (STUDIO, {"visitor": {"name": "A", "town": "planted"}}), (STUDIO, {"visitor": {"name": "A", "email": "a@b.example"}}),
                              (ACADEMY, {"billing": {"payer": "person"}}), (STUDIO, {"identity": {"display_name": "planted"}}),
                              (ACADEMY, {"settings": {"language": "en"}})):
            app, guest, where = house.apps[tenant], house.guests[tenant], rf"^tenants\.{tenant}{'.fields' if 'visitor' in extra else ''}"
            source = "customer" if "visitor" in extra else "person"
            refused("a person made", app.post("/v1/subjects", {"data": extra, "source": source}), "undeclared", "purpose-refused", "forbidden", clause=where,
                    promise="MO-11")
            many = app.post("/v1/batch", {"requests": [{"method": "POST", "path": "/v1/subjects", "body": {"data": extra, "source": source}}]})
            check([one["status"] in (403, 422) for one in many.expect(207).json["results"]] == [True], f"by batch: {many.body}")
            answer = app.patch(f"/v1/subjects/{guest}?source={source}", extra, etag="*")
            check(answer.status in (403, 422) and re.search(where, answer.json["clause"]["path"]), f"a change: {answer.body}")
            code, said = by_command(server, held(t, "token", server.tokens[f"app-{tenant}-{list(ADDRESS).index(tenant)}"]), "subject", "create",
                                    given=json.dumps({"data": extra, "source": source}))
            check(code != 0 and re.search(where[1:], said), f"by command: {code} {said}")
        noted = house.apps[ACADEMY].record(house.guests[ACADEMY], "rooms", {"title": "planted"})
        check(noted.status in (403, 422) and noted.json["clause"]["path"] in (f"tenants.{ACADEMY}", f"tenants.{ACADEMY}.fields"), f"a record: {noted.body}")
        page = form(academy, f"/staff/people/{house.guests[ACADEMY]}/correct", category="visitor", version="*", purpose="room_visitors", source="customer",
                    **{"visitor.name": "A", "visitor.position": "planted"}, csrf=academy.csrf)
        check(page.status >= 400, f"a page takes a field that the tenant does not hold: {page.status}")
        for tenant, data in ((ACADEMY, GUEST), (STUDIO, OTHER)):
            check(house.owners[tenant].get(f"/v1/subjects/{house.guests[tenant]}?purpose=room_visitors").expect(200).json["data"]["visitor"] == data,
                  "the tenant's own staff does not read what it holds")
    with part("nothing there is used for the platform's own ends, by its programs either"):
        for purpose in ("product_news", "interest_tracking", "billing", "support_extra", "service_notices"):
            for act, category in (("read", "visitor"), ("send", "login"), ("write", "login")):
                body = {"subject": house.guests[ACADEMY], "purpose": purpose, "act": act, "categories": [category], "channel": "email"}
                said = house.apps[ACADEMY].post("/v1/decisions", body)
                check(said.status == 403 or (act == "send" and said.json["code"] == "purpose-refused"), f"{purpose}, {act}: {said.status} {said.body}")
            house.apps[ACADEMY].read(house.guests[ACADEMY], purpose).refused("forbidden", status=403, clause=clause)
        house.apps[ACADEMY].read(house.guests[ACADEMY], "room_visitors").expect(200)
    routes = Routes(server)
    with part("the operator's socket is closed: every route, with the clause, but for what lets the tenant's own people in"):
        there = Client(path=os.path.join(server.data, "garant.sock"), headers={"Garant-Tenant": ACADEMY}, epoch=lambda: server.starts)
        values = {"id": house.guests[ACADEMY], "tenant": "nobody", "purpose": "room_visitors", "category": "visitor"}
        count = 0
        for row in routes.rows:
            answer = ask(there, row, routes.path(row, values), routes.body(row, "room_visitors"))
            count += 1
            if row["name"] in ("token_create", "tenant_invite"):
                continue
            check(answer.status == 403 and re.search(clause, answer.json["clause"]["path"]), f"{row['name']} is open: {answer.status} {answer.body[:200]}")
            check("kestrel" not in answer.body.decode(errors="replace"), f"{row['name']} shows the tenant's data")
        check(count > 150, f"only {count} routes")
        check([e["outcome"] for e in Journal(server).since(0) if e["act"] == "refusal" and e.get("tenant") == ACADEMY].count("refused") > 100,
              "what was refused is not on record")
    with part("and every command"):
        for words in (("subject", "show", house.guests[ACADEMY], "--purpose", "room_visitors"), ("subject", "access", house.guests[ACADEMY]),
                      ("subject", "looks", house.guests[ACADEMY]), ("subject", "consents", house.guests[ACADEMY]), ("export", house.guests[ACADEMY]),
                      ("erase", house.guests[ACADEMY], "--yes"), ("account", "list"), ("account", "show", house.guests[ACADEMY]), ("token", "list"),
                      ("request", "list"), ("campaign", "list"), ("form", "list"), ("support", "list")):
            run = garant(*words, "--data", server.data, "--policy", server.policy, "--tenant", ACADEMY, "--json", ok=None)
            said = f"{words}: {run.returncode} {run.stdout[:200]} {run.stderr[:300]}"
            check(run.returncode != 0 and not run.stdout and f"tenants.{ACADEMY}" in run.stderr, said)
        find = garant("subject", "find", "visitor.email", "--purpose", "room_visitors", "--data", server.data, "--policy", server.policy,
                      "--tenant", ACADEMY, ok=None,
                      given=GUEST["email"])
        check(find.returncode != 0 and f"tenants.{ACADEMY}" in find.stderr, f"a search: {find.returncode} {find.stderr}")
    with part("the operator's own staff, its programs and lists know nobody there"):
        desk = house.desk()
        for who in (desk, server.client("app"), operator):
            for ident in (house.guests[ACADEMY], UNKNOWN):
                who.get(f"/v1/subjects/{ident}?purpose=room_visitors", **{"Garant-Reason": "audit"}).expect(404)
            found = who.request("POST", "/v1/subjects/lookup", {"identifier": {"visitor.email": GUEST["email"]}, "purpose": "room_visitors"},
                                {"Garant-Reason": "audit"}.items())
            check(found.status in (403, 404), f"found: {found.body}")
        listed = operator.get("/v1/accounts").expect(200).body.decode() + operator.get("/v1/tokens").expect(200).body.decode()
        check(house.guests[ACADEMY] not in listed and "app-academy" not in listed and ADDRESS[ACADEMY] not in listed, "listed")
        for name in ("metrics", "v1/unreadable", "v1/promises", "v1/mail"):
            said = operator.get(f"/{name}").expect(200).body.decode()
            check(not any(word_ in said for word_ in (*GUEST.values(), house.guests[ACADEMY]) if len(word_) > 2), f"/{name} tells of the tenant: {said[:300]}")
    with part("nobody of the operator's gets a role there, nor a token for one"):
        for role in ("support", "representative", "accounting"):
            body = {"data": {"login": {"email": f"{role}@rooms.example"}}, "supplied_by": "person", "role": role}
            academy.post("/v1/accounts", body).refused("forbidden", status=403, clause=clause)
            run = garant("token", "create", "--name", f"t-{role}", "--actor", role, "--tenant", ACADEMY, "--data", server.data, "--policy", server.policy,
                         "--json", ok=None)
            check(run.returncode != 0 and f"tenants.{ACADEMY}" in run.stderr, f"a token for {role}: {run.stdout} {run.stderr}")
        colleague = academy.post("/v1/accounts", {"data": {"login": {"email": "colleague@academie.example"}}, "supplied_by": "person", "role": "customer"})
        check("link" not in colleague.expect(201).json and house.mailbox.wait("colleague@academie.example").links, "the tenant's staff lets nobody in")
    with part("a token of the operator's opens nothing before the tenant accepts it, and nothing once it is revoked: by page, API and command"):
        for number, way in enumerate(("api", "page", "command")):
            name = f"waits-{number}"
            token = server.token("app", name=name, tenant=ACADEMY)
            client = Client(lambda: server.port, token, epoch=lambda: server.starts)
            for path in ("/v1/accounts", f"/v1/subjects/{house.guests[ACADEMY]}?purpose=room_visitors", "/v1/tenant/tokens", "/v1/support"):
                client.get(path).refused("unauthorised", status=401, clause=clause)
            client.post(f"/v1/tenant/tokens/{name}", {"decision": "accept"}).refused("unauthorised", status=401)
            operator.post(f"/v1/tenant/tokens/{name}", {"decision": "accept"}).refused("forbidden", status=403)
            studio.post(f"/v1/tenant/tokens/{name}", {"decision": "accept"}).refused("not-found", status=404)
            own = held(t, "own", server.tokens["app-academy-0"])
            state = {row["name"]: row["state"] for row in academy.get("/v1/tenant/tokens").expect(200).json["tokens"]}
            check(state[name] == "waits" and name in academy.get("/staff/support").expect(200).body.decode(), f"the tenant does not see it: {state}")
            if way == "api":
                academy.post(f"/v1/tenant/tokens/{name}", {"decision": "accept"}).expect(204)
            elif way == "page":
                form(academy, "/staff/support", token=name, decision="accept", csrf=academy.csrf).expect(303)
            else:                                                # a token of the tenant's own staff, which the tenant accepted
                server.tokens["clerk"] = garant("token", "create", "--name", "clerk", "--actor", "customer", "--holder", academy.id, "--tenant", ACADEMY, "-q",
                                                "--data", server.data).strip()
                academy.post("/v1/tenant/tokens/clerk", {"decision": "accept"}).expect(204)
                code, said = by_command(server, held(t, "clerk", server.tokens["clerk"]), "tenant", "accept", name)
                check(code == 0, f"by command: {said}")
                code, said = by_command(server, own, "tenant", "tokens")
                check(code != 0 and "own staff" in said, f"a program decides on tokens: {said}")
            client.get(f"/v1/subjects/{house.guests[ACADEMY]}?purpose=room_visitors").expect(200)
            academy.post(f"/v1/tenant/tokens/{name}", {"decision": "revoke"}).expect(204)
            client.get(f"/v1/subjects/{house.guests[ACADEMY]}?purpose=room_visitors").refused("unauthorised", status=401)
    with part("tenants never see each other: absent and another's are alike"):
        for mine, theirs in ((ACADEMY, STUDIO), (STUDIO, ACADEMY)):
            for who in (house.apps[mine], house.owners[mine]):
                for path in ("/v1/subjects/{}?purpose=room_visitors", "/v1/subjects/{}/access", "/v1/subjects/{}/export", "/v1/subjects/{}/consents",
                             "/v1/subjects/{}/looks", "/v1/accounts/{}"):
                    said = [who.get(path.format(one)).refused(status=404)["detail"] for one in (house.guests[theirs], UNKNOWN)]
                    check(said[0] == said[1], f"{path}: told apart: {said}")
                everything = "".join(who.get(path).expect(200).body.decode() for path in ("/v1/accounts", "/v1/duties", "/v1/support"))
                check(house.guests[theirs] not in everything and ADDRESS[theirs] not in everything, "listed")
    with part("the journal that the operator sees says nothing of the tenant, and still proves all of it"):
        folder = server.save_journal(t.path("journal"))
        exported = t.path("exported")
        operator.post("/v1/journal/export", {"to": exported}).expect(200)
        for where in (folder, exported):
            kept = b"".join(open(os.path.join(place, name), "rb").read() for place, _, names in os.walk(where) for name in names)
            check(f'"tenant":"{ACADEMY}"'.encode() not in kept and f'"tenant":"{OURS}"'.encode() in kept, f"{where} tells of the tenant")
            told = subprocess.run([sys.executable, os.path.join(TOP, "tests/interop/verify.py"), where], capture_output=True, text=True, timeout=120)
            check(told.returncode == 0 and "withheld" in told.stdout, f"an independent program does not verify it: {told.stdout}{told.stderr}")
        operator.post("/v1/journal/verify").expect(200)
    with part("backups, rotation and verify work, and no value of it stands in clear in any file"):
        backup = t.path("backup")
        operator.post("/v1/backup", {"to": backup, "keys": True}).expect(200)
        operator.post("/v1/keys/rotate", {"to": t.path("master2")}).expect(200)
        garant("verify", "--data", server.data, "--policy", server.policy)
        planted = [value for value in (*GUEST.values(), *OTHER.values(), WHY) if len(value) >= 6]
        check_searchable(planted, t.path("."))
        check_absent(planted, server.data, backup, t.path("journal"), exported, server.log_file)
        check(house.apps[ACADEMY].read(house.guests[ACADEMY], "room_visitors").expect(200).json["data"]["visitor"] == GUEST, "it does not open any more")
    with part("each tenant has a notice of its own, and letters in its name"):
        for language, none in (("en", "Tell you about our other products"), ("fr", "Références de paiement")):
            whole = server.anyone().get(f"/privacy?lang={language}").expect(200).body.decode()
            own = server.anyone().get(f"/privacy?lang={language}&tenant={ACADEMY}").expect(200).body.decode()
            check(none in whole and none not in own, f"the tenant's notice tells what it does not hold, in {language}")
            check("Académie Exemple" in own and ADDRESS[ACADEMY] in own and "UAB Akovana" not in own and "Example Studio" not in own
                  and ADDRESS[STUDIO] not in own, f"the tenant's notice in {language}")
        server.anyone().get(f"/privacy?tenant={OURS}").expect(404)
        server.anyone().get("/privacy?tenant=nobody").expect(404)
        letter = house.mailbox.wait(ADDRESS[ACADEMY]).text
        check("Académie Exemple" in letter and f"/privacy?tenant={ACADEMY}" in letter and "UAB Akovana" not in letter, f"a letter in its name: {letter}")
    with part("the notice says so, with the tenant's own name, address and what it may hold, and who could open it all the same"):
        for language, needle in (("en", "master key"), ("fr", "clé maîtresse")):
            said = server.anyone().get(f"/privacy?lang={language}").expect(200).body.decode()
            check(needle in said and "Académie Exemple" in said and ADDRESS[ACADEMY] in said and ADDRESS[STUDIO] in said, f"the notice in {language}")


@promise("MO-12")
def support_asks_first(t):
    """Support sees a customer's data in a session that the customer opened, for a stated reason and time; each look is listed for the customer."""
    house = House(t)
    server, academy, studio, guest = house.server, house.owners[ACADEMY], house.owners[STUDIO], house.guests[ACADEMY]
    desk, other = house.desk(), house.desk(8)
    for owner in (academy, studio):
        owner.csrf = owner.get("/v1/session").expect(200).json["csrf"]
    server.tokens["desk"] = garant("token", "create", "--name", "desk", "--actor", "support", "--holder", desk.id, "--tenant", OURS, "-q", "--data",
                                   server.data).strip()
    server.tokens["clerk"] = garant("token", "create", "--name", "clerk", "--actor", "customer", "--holder", academy.id, "--tenant", ACADEMY, "-q", "--data",
                                    server.data).strip()
    academy.post("/v1/tenant/tokens/clerk", {"decision": "accept"}).expect(204)
    theirs, ours = held(t, "clerk", server.tokens["clerk"]), held(t, "desk", server.tokens["desk"])
    machine = Client(lambda: server.port, server.tokens["desk"], epoch=lambda: server.starts)

    def fresh():
        """The customer types the password again: a consent is asked for by credentials of the last minutes."""
        nonlocal academy
        academy = visitor(server, ADDRESS[ACADEMY], tenant=ACADEMY)

    def asked(who=None, **more):
        return (who or desk).post("/v1/support", {"tenant": ACADEMY, "reason": WHY, "for": "30m", **more}).expect(201).json["id"]

    def look(session, who=None, one=guest):
        return (who or desk).post(f"/v1/support/{session}/look", {"subject": one})

    def closed(session, why):
        look(session).refused("forbidden", status=403, clause=r"^support$", promise="MO-12")
        look(session, one=UNKNOWN).refused("forbidden", status=403)
        desk.post(f"/v1/support/{session}/look", {"identifier": {"visitor.email": GUEST["email"]}}).refused("forbidden", status=403)
        page = form(desk, f"/staff/support/{session}", do="look", field="id", value=guest, csrf=desk.csrf)
        check(page.status == 403 and GUEST["name"] not in page.body.decode(), f"{why}: the page opens: {page.status}")

    def open_(session, **more):
        fresh()
        return academy.post(f"/v1/support/{session}", {"do": "consent", **more}).expect(200).json

    with part("a session needs a reason, a tenant whose data is stored, and a role that has the policy's purpose"):
        desk.post("/v1/support", {"tenant": ACADEMY, "for": "30m"}).refused("missing-field", status=422, field="reason")
        desk.post("/v1/support", {"tenant": ACADEMY, "reason": WHY, "for": "3h"}).refused("invalid-value", status=422, field="for", clause=r"^support$")
        desk.post("/v1/support", {"tenant": OURS, "reason": WHY}).refused("undeclared", status=422)
        server.client("app").post("/v1/support", {"tenant": ACADEMY, "reason": WHY}).refused("forbidden", status=403)
        studio.post("/v1/support", {"tenant": ACADEMY, "reason": WHY}).refused("forbidden", status=403)
        server.operator().post("/v1/support", {"tenant": ACADEMY, "reason": WHY}).refused("forbidden", status=403)
    with part("without the customer's consent nothing opens: asked, refused, by page, API and command"):
        session = asked()
        letter = house.mailbox.wait(ADDRESS[ACADEMY], letter="support_asked")
        check(WHY in letter.text and f"/staff/support/{session}" in letter.text, f"the letter: {letter.text}")
        closed(session, "only asked")
        code, said = by_command(server, ours, "support", "look", session, guest)
        check(code != 0 and GUEST["name"] not in said, f"by command: {said}")
        for who, status in ((desk, 403), (studio, 404), (other, 404), (house.apps[ACADEMY], 404), (machine, 403)):
            check(who.post(f"/v1/support/{session}", {"do": "consent"}).status == status, "somebody else consents")
        academy.post(f"/v1/support/{session}", {"do": "refuse"}).expect(200)
        closed(session, "refused")
        academy.post(f"/v1/support/{session}", {"do": "consent"}).refused("conflict", status=409)
        for way in ("page", "command"):
            session = asked()
            if way == "page":
                shown = academy.get(f"/staff/support/{session}?lang=en").expect(200).body.decode()
                check(WHY in shown and word("support.keys") in shown, "the page does not say why, or who could open it all the same")
                form(academy, f"/staff/support/{session}", do="refuse", csrf=academy.csrf).expect(303)
            else:
                check(by_command(server, theirs, "support", "refuse", session)[0] == 0, "the command does not refuse")
            closed(session, f"refused by {way}")
    with part("with it support sees what the purpose allows, for the reason given, and only to read"):
        session = asked()
        said = open_(session)
        check(said["state"] == "open" and said["write"] is False and said["minutes"] == 30, f"opened: {said}")
        data = look(session).expect(200).json
        check(data["data"]["visitor"] == GUEST and data["purpose"] == "room_support" and set(data["data"]) <= {"visitor"}, f"seen: {data}")
        found = desk.post(f"/v1/support/{session}/look", {"identifier": {"visitor.email": GUEST["email"]}}).expect(200).json
        check(found["id"] == guest, "not found by an identifier")
        code, said = by_command(server, ours, "support", "look", session, guest)
        check(code == 0 and GUEST["name"] in said, f"their own token does not look, by command: {said}")
        page = form(desk, f"/staff/support/{session}", do="look", field="visitor.email", value=GUEST["email"], csrf=desk.csrf).expect(200).body.decode()
        check(GUEST["name"] in page and GUEST["town"] in page, "the page shows nothing")
        for one in (house.guests[STUDIO], UNKNOWN):
            look(session, one=one).refused("not-found", status=404)
        for who in (other, studio, house.apps[STUDIO], server.client("app")):
            look(session, who=who).refused("not-found", status=404)
        desk.patch(f"/v1/support/{session}/subjects/{guest}", {"visitor": {"town": "Elsewhere"}}, etag="*") \
            .refused("forbidden", status=403, clause=r"^support$")
        for path in ("?purpose=room_support", "/access", "/export", "/looks"):
            said = [desk.get(f"/v1/subjects/{one}{path}", **{"Garant-Reason": "audit"}) for one in (guest, UNKNOWN)]
            check(said[0].status in (403, 404) and said[0].body == said[1].body, f"besides the session: {said[0].body}")
        first = session
    with part("each look is listed for the customer, and told to the visitor with its reason: by page, API and command"):
        looks = academy.get(f"/v1/support/{first}").expect(200).json["looks"]
        check(len(looks) == 4 and {row["subject"] for row in looks} == {guest} and all(not row["write"] for row in looks), f"listed: {looks}")
        shown = academy.get(f"/staff/support/{first}?lang=en").expect(200).body.decode()
        check(shown.count(guest) >= 4 and word("support.looks") in shown, "the page does not list them")
        code, said = by_command(server, theirs, "support", "show", first)
        check(code == 0 and len(json.loads(said)["looks"]) == 4, f"the command does not list them: {said}")
        check(studio.get(f"/v1/support/{first}").status == 404 and other.get(f"/v1/support/{first}").status == 404, "somebody else sees the session")
        told = house.owners[ACADEMY].get(f"/v1/subjects/{guest}/access").expect(200).json["looks"]
        mine = [row for row in told if row["act"] == "support.read"]
        check(len(mine) == 4 and all(row["reason"] == WHY and row["actor"] == "support" and row["purpose"] == "room_support" for row in mine), f"told: {told}")
        acts = [entry for entry in Journal(server).since(0) if entry.get("tenant") == ACADEMY and entry["act"].startswith("support.")]
        check({"support.asked", "support.refused", "support.opened", "support.read"} <= {entry["act"] for entry in acts} and
              all(entry.get("by") for entry in acts), f"on record: {acts}")
    with part("it ends by itself, to the minute, and nobody makes it longer than the policy's time"):
        server.advance(minutes=29, seconds=50)
        look(first).expect(200)
        server.advance(seconds=15)
        closed(first, "over")
        check(academy.get(f"/v1/support/{first}").expect(200).json["state"] == "over", "it is not over")
        session = asked()
        fresh()
        academy.post(f"/v1/support/{session}", {"do": "consent", "for": "3h"}).refused("invalid-value", status=422, field="for", clause=r"^support$")
        said = academy.post(f"/v1/support/{session}", {"do": "consent", "for": "5m"}).expect(200).json
        check(said["minutes"] == 5, f"the customer's own time: {said}")
        server.advance(minutes=5, seconds=1)
        closed(session, "over sooner")
        session = asked()
        server.advance(days=8)
        fresh()
        academy.post(f"/v1/support/{session}", {"do": "consent"}).refused("conflict", status=409)
    with part("it ends at the customer's press, by page, API and command; and at that of who asked"):
        desk = house.desk(9)
        for way in ("api", "page", "command", "asker"):
            session = asked(desk)
            open_(session)
            look(session, desk).expect(200)
            if way == "api":
                academy.post(f"/v1/support/{session}", {"do": "end"}).expect(200)
            elif way == "page":
                form(academy, f"/staff/support/{session}", do="end", csrf=academy.csrf).expect(303)
            elif way == "command":
                check(by_command(server, theirs, "support", "end", session)[0] == 0, "the command does not end it")
            else:
                desk.post(f"/v1/support/{session}", {"do": "end"}).expect(200)
            closed(session, f"ended by {way}")
    with part("more than reading only where support asked for it and the customer gave it"):
        session = asked(desk)
        check(open_(session, write=True)["write"] is False, "more than was asked for")
        session = asked(desk, write=True)
        check(open_(session)["write"] is False, "more than was given")
        desk.patch(f"/v1/support/{session}/subjects/{guest}", {"visitor": {"town": "Elsewhere"}}, etag="*").refused("forbidden", status=403)
        session = asked(desk, write=True)
        check(open_(session, write=True)["write"] is True, "not given")
        desk.patch(f"/v1/support/{session}/subjects/{guest}", {"visitor": {"town": "Albi"}}, etag="*").expect(200)
        desk.patch(f"/v1/support/{session}/subjects/{guest}", {"visitor": {"position": "x"}}, etag="*").refused("undeclared", "purpose-refused")
        check(house.apps[ACADEMY].read(guest, "room_visitors").expect(200).json["data"]["visitor"]["town"] == "Albi", "not changed")
        seen = academy.get(f"/v1/support/{session}").expect(200).json["looks"]
        check([row["write"] for row in seen] == [True], f"the change is not listed: {seen}")
    with part("asked, opened and looked by command, with tokens of both sides"):
        code, said = by_command(server, ours, "support", "ask", ACADEMY, WHY, "--for", "20m")
        check(code == 0, f"not asked: {said}")
        session = json.loads(said)["id"]
        check(by_command(server, theirs, "support", "consent", session, "--for", "10m")[0] == 0, "no consent by command")
        code, said = by_command(server, ours, "support", "look", session, guest)
        check(code == 0 and GUEST["name"] in said, f"no look by command: {said}")
        check(session in by_command(server, theirs, "support", "list")[1] and session in by_command(server, ours, "support", "list")[1], "not listed")
    with part("the reason stands nowhere in clear, and the visitor's erasure takes them off the list"):
        check_absent([WHY, GUEST["name"], "planted ticket"], server.data, server.log_file)
        house.apps[ACADEMY].erase(guest)
        check(all(row["subject"] is None for row in academy.get(f"/v1/support/{session}").expect(200).json["looks"]), "somebody erased is named")
    with part("the board looks at it, and the notice says it"):
        said = server.operator().get("/v1/promises").expect(200).json
        check(any("MO-12" in (row.get("promises") or "") and row["state"] == "kept" for row in said["clauses"]), f"the board: {said}")
        for language, needle in (("en", "Support can only see"), ("fr", "L\u2019assistance ne voit")):
            check(needle in server.anyone().get(f"/privacy?lang={language}").expect(200).body.decode(), f"the notice in {language}")
