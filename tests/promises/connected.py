"""DM: what comes from a social network that the person authorised, and what it serves."""
import html, json
from acts import Journal
from browser import Browser
from dm import NOW, fields_of, person
from garant import check, milliseconds
from mailbox import Mailbox
from people import PASSWORD, registered, visitor
from promise import part, promise
from words import word

BEFORE, LATER = "2026-11-20T08:30:00Z", "2026-11-23T10:00:00Z"
CLAUSE, SOURCE = r"^sources\.social_network\.permission$", "social_network"
ADDRESS = "clarisse.1@conso.example"


def arrive(client, ident, fields, permitted=None):
    """What the connector brings."""
    return client.change(ident, "social", {"social_profile": fields}, source=SOURCE, permitted=permitted)


def told(access):
    """The row in force of the network in an access answer, or None."""
    return next((row for row in access["permissions"] if row["source"] == SOURCE), None)


def without_permission(server, client, ident):
    """By no door: as a change, with a new person, as a file, by the operator, the command and in a batch."""
    path, operator = f"/v1/subjects/{ident}", server.operator()
    version = client.read(ident, "account").expect(200).json["version"]
    for answer in (arrive(client, ident, {"name": "Cla"}), client.change(ident, "account", {"contact": {"phone": "+33611110009"}}, source=SOURCE),
                   operator.patch(f"{path}?source={SOURCE}", {"contact": {"phone": "+33611110009"}}, etag=f'"{version}"'),
                   client.post("/v1/subjects", {"data": {"contact": person(7)["contact"]}, "source": SOURCE}),
                   client.request("POST", f"{path}/attachments?category=social_profile&name=a.txt", b"planted", [("Content-Type", "text/plain")])):
        answer.refused("missing-field", status=422, clause=CLAUSE, promise="DM-10")
    batch = {"requests": [{"method": "POST", "path": "/v1/subjects", "body": {"data": {"contact": person(7)["contact"]}, "source": SOURCE}}]}
    said = client.post("/v1/batch", batch).expect(207).json["results"][0]
    check(said["status"] == 422 and said["body"]["code"] == "missing-field", f"by a batch: {said}")
    server.run_refused("missing-field", "subject", "patch", ident, "--version", version, "--source", SOURCE, clause=CLAUSE,
                       given=json.dumps({"contact": {"phone": "+33611110009"}}))
    held = client.get(f"{path}/access").expect(200).json
    check(not held["attachments"] and SOURCE not in {row["source"] for row in fields_of(held)}, "refused, and held all the same")


def malformed(client, ident):
    """A permission says when, for what of the source's own, and by whom; nothing else, and nothing that is still to come."""
    def sent(permission):
        return client.post("/v1/subjects", {"data": {"contact": person(8)["contact"]}, "source": SOURCE, "permission": permission})
    for members in ({}, {"fields": ["contact"]}, {"at": ""}):
        sent(members).refused("missing-field", status=422, clause=CLAUSE)
    for value in ({"at": LATER}, {"at": "hier"}, {"at": BEFORE, "fields": []}, {"at": BEFORE, "by": "x" * 300}):
        sent(value).refused("invalid-value", status=422)
    for value in ({"at": BEFORE, "fields": "contact"}, {"at": BEFORE, "fields": [1]}, {"at": BEFORE, "scope": "all"}, "yes"):
        sent(value).refused("usage", status=400)
    for beyond in ({"at": BEFORE, "fields": ["orders"]}, {"at": BEFORE, "fields": ["contact.income"]}):
        sent(beyond).refused("undeclared", status=422, clause=CLAUSE, promise="DM-10")
    client.post("/v1/subjects", {"data": {"contact": person(8)["contact"]}, "source": "site", "permission": {"at": BEFORE}}) \
          .refused("undeclared", status=422, clause=r"^sources\.site$")
    client.put(f"/v1/subjects/{ident}/sources/site").refused("undeclared", status=422)
    client.put(f"/v1/subjects/{ident}/sources/a_friend").refused("undeclared", status=422)


@promise("DM-10")
def authorised_network(t):
    """Data of a social network come in under a permission on record, within it, until the person ends it."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now=NOW, arguments=mailbox.arguments())
    client, contests = server.client("app"), server.client("contest_site")
    registered(server, mailbox, person(1), ADDRESS)
    own = visitor(server, ADDRESS)
    ident, path = own.id, f"/v1/subjects/{own.id}"
    browser = Browser(server)
    browser.sign_in(ADDRESS, PASSWORD).expect(200)
    client.consent(ident, "social", "given", wording="Oui.").expect(201)
    with part("what arrives without a permission is refused with its clause"):
        check(word("consents.sources") not in browser.get("/me/consents").expect(200).read.text, "a source that nobody permitted is shown")
        without_permission(server, client, ident)
        malformed(client, ident)
    with part("who permitted what, and when, is on record"):
        arrive(client, ident, {"name": "Cla", "network": "Planted-Net"}, permitted=BEFORE).expect(200)
        row = told(client.get(f"{path}/access").expect(200).json)
        check(row["decision"] == "given" and row["by"] == "person" and milliseconds(row["at"]) == milliseconds(NOW) and
              milliseconds(row["permitted"]["at"]) == milliseconds(BEFORE) and
              sorted(row["permitted"]["fields"]) == ["social_profile.name", "social_profile.network"], f"{row}")
        made = client.post("/v1/subjects", {"data": {"contact": person(5)["contact"]}, "source": SOURCE,
                                            "permission": {"at": BEFORE, "fields": ["contact"], "by": "her guardian"}}).expect(201).json["id"]
        row = told(client.get(f"/v1/subjects/{made}/access").expect(200).json)
        check((row["by"], row["permitted"]["fields"], row["times"]) == ("her guardian", ["contact"], 1), f"{row}")
        client.change(made, "account", {"contact": {"phone": "+33611110005"}}, source=SOURCE).expect(200)
        row = told(client.get(f"/v1/subjects/{made}/access").expect(200).json)
        check(row["times"] == 2 and row["by"] == "her guardian", f"under the permission in force, which counts it: {row}")
    with part("nothing beyond the declared fields"):
        for beyond in ({"friends": ["a"]}, {"name": "Cla", "birthday": "1990-01-01"}):
            arrive(client, ident, beyond, permitted=NOW).refused("undeclared", status=422, clause=r"^categories\.social_profile")
        client.change(ident, "social", {"friends": {"name": "a"}}, source=SOURCE, permitted=NOW).refused("undeclared", status=422, clause="^categories")
        client.change(ident, "account", {"account": {"screen_name": "cla"}}, source=SOURCE, permitted=NOW) \
              .refused("undeclared", clause=r"^categories\.account$")
    with part("nothing beyond what was permitted"):
        client.change(made, "account", {"contact": {"phone": "+33611110006"}}, source=SOURCE).expect(200)
        client.consent(made, "social", "given", wording="Oui.").expect(201)
        arrive(client, made, {"name": "Cla"}).refused("consent-missing", status=403, clause=CLAUSE, promise="DM-10")
        arrive(client, ident, {"permission": "public profile"}).refused("consent-missing", status=403, clause=CLAUSE, promise="DM-10")
        arrive(client, ident, {"name": "Clarisse"}).expect(200)
    the_person_sees(server, client, browser, own)
    the_person_ends(server, client, contests, browser, own)
    with part("by each door alike, and only a new permission opens it again"):
        others_purpose(t)
    with part("the board looks for data without a permission"):
        board = {one["name"]: one for one in server.operator().get("/v1/promises?fresh=true").expect(200).json["probes"]}
        check(board["permissions"]["state"] == "kept", f"{board['permissions']}")
    server.operator().post("/v1/journal/verify").expect(200)


def the_person_sees(server, client, browser, own):
    """On the page, by their own session, and in what they download."""
    with part("the person sees it, on the page, over the API and in the export"):
        page = browser.get("/me/consents").expect(200)
        page.has("The social network that you authorised", word("consents.allowed"), "Name shown", "Network")
        check([row["source"] for row in own.get(f"/v1/subjects/{own.id}/consents").expect(200).json["last"] if "source" in row] == [SOURCE], "over the API")
        files, exported = client.export(own.id)
        check(told(exported)["permitted"] == told(own.get(f"/v1/subjects/{own.id}/access").expect(200).json)["permitted"], "the export says otherwise")
        check("The social network that you authorised" in html.unescape(files["index.html"].decode()), "the export's page does not name the source")
        said = json.loads(server.run("subject", "access", own.id, "--json"))
        check(told(said)["decision"] == "given", "by the command")


def the_person_ends(server, client, contests, browser, own):
    """With one press; then nothing comes in whatever is said, until they or who takes their consents permit it anew."""
    path = f"/v1/subjects/{own.id}/sources/{SOURCE}"
    journal = Journal(server)

    def closed(clause=CLAUSE):
        for permitted in (None, NOW, BEFORE):
            arrive(client, own.id, {"name": "Cla 2"}, permitted=permitted).refused("consent-missing", status=403, clause=clause, promise="DM-10")
    with part("the person ends it, and nothing comes in any more"):
        contests.delete(path).refused("forbidden", status=403)
        contests.put(path).refused("forbidden", status=403)
        size = journal.size()
        browser.submit(browser.get("/me/consents"), "/me/consents", like={"source": SOURCE, "decision": "end"}).expect(200).has(word("done.stopped"))
        check([(entry["act"], entry["clause"]) for entry in journal.since(size) if entry["act"].startswith("source.")] ==
              [("source.ended", "sources.social_network.permission")], f"{journal.since(size)}")
        closed()
        browser.get("/me/consents").expect(200).has(word("consents.ended"))
        check(told(own.get(f"/v1/subjects/{own.id}/access").expect(200).json)["decision"] == "withdrawn", "the access answer")
        own.delete(path).refused("not-found", status=404)
        check(client.read(own.id, "social").expect(200).json["data"]["social_profile"]["name"] == "Clarisse", "what came before is kept for its term")
    with part("by each door alike, and only a new permission opens it again"):
        browser.submit(browser.get("/me/consents"), "/me/consents", like={"source": SOURCE, "decision": "allow"}).expect(200).has(word("done.allowed"))
        arrive(client, own.id, {"name": "Cla 3"}).expect(200)
        own.delete(path).expect(204)
        closed()
        own.put(path, {"fields": ["social_profile.name"]}).expect(204)
        arrive(client, own.id, {"name": "Cla 4"}).expect(200)
        arrive(client, own.id, {"network": "Other"}).refused("consent-missing", status=403, clause=CLAUSE)
        client.delete(path).expect(204)
        closed()
        client.put(path, {"at": BEFORE}).expect(204)
        arrive(client, own.id, {"name": "Cla 5", "network": "Other"}).expect(200)
        server.run("subject", "end", own.id, SOURCE)
        closed()
        server.run("subject", "permit", own.id, SOURCE, given=json.dumps({"at": BEFORE, "fields": ["social_profile"]}))
        arrive(client, own.id, {"name": "Cla 6"}).expect(200)


def others_purpose(t):
    """Who takes consents, but for none of the purposes that the source serves, permits nothing; what a person ends is taken by anybody who may."""
    narrow = "purposes: [account, mobile_features]"
    server = t.server(policy=t.copy_of_policy(lambda text: text.replace(narrow, "purposes: [mobile_features]")), now=NOW)
    client, mobile = server.client("app"), server.client("mobile")
    ident = client.post("/v1/subjects", {"data": {"contact": person(9)["contact"]}, "source": "site"}).expect(201).json["id"]
    path = f"/v1/subjects/{ident}/sources/{SOURCE}"
    mobile.put(path).refused("forbidden", status=403, clause=r"^systems\.mobile$")
    client.change(ident, "account", {"contact": {"phone": "+33611110009"}}, source=SOURCE).refused("missing-field", status=422, clause=CLAUSE)
    client.put(path).expect(204)
    mobile.delete(path).expect(204)


@promise("DM-19")
def social_functions(t):
    """What social functions use comes from the declared source alone, and serves the declared purpose alone."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now=NOW, arguments=mailbox.arguments())
    client = server.client("app")
    document = client.get("/v1/policy").expect(200).json["document"]
    registered(server, mailbox, person(1), ADDRESS)
    own = visitor(server, ADDRESS)
    ident = own.id
    browser = Browser(server)
    browser.sign_in(ADDRESS, PASSWORD).expect(200)
    with part("its purpose needs a consent, given and withdrawn by the person"):
        version = client.read(ident, "account").expect(200).etag
        client.patch(f"/v1/subjects/{ident}?purpose=social&source={SOURCE}&permitted={BEFORE}", {"social_profile": {"name": "Cla"}}, etag=version) \
              .refused("consent-missing", status=403, clause=r"^purposes\.social$", promise="DM-19")
        browser.submit(browser.get("/me/consents"), "/me/consents", like={"purpose": "social", "decision": "given"}).expect(200)
        arrive(client, ident, {"name": "Cla"}, permitted=BEFORE).expect(200)
        check(client.read(ident, "social").expect(200).json["data"] == {"social_profile": {"name": "Cla"}}, "held as it came")
    with part("from the declared source alone"):
        for other in [name for name in ("person", *document["sources"]) if name != SOURCE]:
            client.change(ident, "social", {"social_profile": {"name": "Clo"}}, source=other) \
                  .refused("undeclared", status=422, clause=r"^categories\.social_profile$")
        version = own.get(f"/v1/subjects/{ident}/access").expect(200).json["version"]
        own.patch(f"/v1/subjects/{ident}", {"social_profile": {"name": "Clo"}}, etag=f'"{version}"').refused("undeclared", status=422)
        row = [one for one in fields_of(own.get(f"/v1/subjects/{ident}/access").expect(200).json) if one["category"] == "social_profile"]
        check([one["source"] for one in row] == [SOURCE], f"{row}")
        browser.get("/me").expect(200).has("The social network that you authorised")
    with part("for the declared purpose alone"):
        for purpose in [name for name in document["purposes"] if name != "social"]:
            client.read(ident, purpose, ["social_profile"]).refused("purpose-refused", "consent-missing", status=403, clause=rf"^purposes\.{purpose}")
            client.post("/v1/decisions", {"subject": ident, "purpose": purpose, "categories": ["social_profile"], "act": "read"}) \
                .refused("purpose-refused", "consent-missing", status=403, clause=rf"^purposes\.{purpose}")
        for role in ("mobile", "contest_site", "campaigns", "accounting"):
            server.client(role).read(ident, "social").refused("forbidden", status=403)
        server.run_refused("forbidden", "subject", "show", ident, "--purpose", "orders", "--categories", "social_profile", clause="^rights$")
        own.consent(ident, "social", "withdrawn").expect(201)
        client.read(ident, "social").refused("consent-missing", status=403, clause=r"^purposes\.social$", promise="DM-19")
