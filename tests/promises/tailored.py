"""DM: personalisation, by consent, and what goes with it."""
from dm import person
from garant import check, check_absent
from mailbox import Mailbox
from people import form, registered, visitor
from promise import part, promise

NOW = "2026-12-20T10:00:00Z"
CLAUSE = r"^purposes\.personalisation$"
NAME, PAGE = "Planted-Remembered", "/planted-tailored-page"


def held(server, ident):
    """The categories of which something is held."""
    file = server.operator().get(f"/v1/subjects/{ident}/access").expect(200).json
    return {row["category"] for row in file["categories"] if row["records"]}


def known(server, box, app, number, door):
    """Somebody who agreed, and of whom the sites remember something."""
    address = person(number)["contact"]["email"]
    registered(server, box, person(number), address)
    own = visitor(server, address)
    with part("the remembered name and tailored content are kept and read with consent alone"):
        tailoring = {"tailoring": {"remembered_name": f"{NAME}-{number}", "pages": {"first": PAGE}}}
        own_change = app.patch(f"/v1/subjects/{own.id}?purpose=personalisation&source=site", tailoring, etag="*")
        own_change.refused("consent-missing", status=403, clause=CLAUSE, promise="DM-20")
        app.record(own.id, "usage", {"at": NOW, "page": PAGE}, source="site").refused("consent-missing", status=403, clause=CLAUSE)
        app.read(own.id, "personalisation").refused("consent-missing", status=403, clause=CLAUSE, promise="DM-20")
        if door == "page":
            form(own, "/me/consents", csrf=own.csrf, purpose="personalisation", channel="", decision="given").expect(303)
        else:
            app.consent(own.id, "personalisation", "given", method="tick", wording="Oui.").expect(201)
        app.change(own.id, "personalisation", tailoring, source="site").expect(200)
        app.record(own.id, "usage", {"at": NOW, "page": PAGE}, source="site").expect(201)
        read = app.read(own.id, "personalisation").expect(200).json["data"]
        check(read["tailoring"]["remembered_name"] == f"{NAME}-{number}" and set(read) <= {"tailoring", "usage", "basket"}, f"{read}")
        app.read(own.id, "account", ["tailoring"]).refused("purpose-refused", status=403)
    app.change(own.id, "account", {"basket": {"items": {"chair": number}}}, source="site").expect(200)
    return own


def withdraw(server, app, own, door):
    if door == "page":
        form(own, "/me/consents", csrf=own.csrf, purpose="personalisation", channel="", decision="withdrawn").expect(303)
    elif door == "API":
        own.post(f"/v1/subjects/{own.id}/consents", {"purpose": "personalisation", "decision": "withdrawn"}).expect(201)
    elif door == "refused":
        app.consent(own.id, "personalisation", "refused", wording="Non.").expect(201)
    else:
        app.consent(own.id, "personalisation", "withdrawn").expect(201)


def shared(t, box):
    """Under a policy whose personalisation reads the basket too: it is the contract's all the same."""
    path = t.copy_of_policy(lambda text: text.replace("categories: [tailoring, usage]", "categories: [tailoring, usage, basket]"))
    server = t.server(policy=path, now=NOW, arguments=box.arguments())
    own = known(server, box, server.client("app"), 21, "program")
    withdraw(server, server.client("app"), own, "program")
    with part("the basket of the contract stays"):
        check("basket" in held(server, own.id) and "tailoring" not in held(server, own.id), f"{held(server, own.id)}")


@promise("DM-20")
def personalisation(t):
    with Mailbox() as box:
        server = t.server(now=NOW, arguments=box.arguments())
        app = server.client("app")
        for number, door in enumerate(("page", "API", "program", "refused"), 1):
            own = known(server, box, app, number, door)
            app.change(own.id, "personalisation", {"tailoring": {"remembered_name": f"{NAME}-{number}-corrected"}}, source="site").expect(200)
            with part("on withdrawal what it alone used is erased in the same commit, by page, API and command"):
                check({"tailoring", "usage", "basket"} <= held(server, own.id), f"{held(server, own.id)}")
                entries = server.operator().get(f"/v1/subjects/{own.id}/former").expect(200).json
                check(any(row["category"] == "tailoring" for row in entries["former"]), "nothing former is kept that could be erased")
                withdraw(server, app, own, door)
                check(not {"tailoring", "usage"} & held(server, own.id), f"by {door} it is held still: {held(server, own.id)}")
                entries = server.operator().get(f"/v1/subjects/{own.id}/former").expect(200).json
                check(not any(row["category"] == "tailoring" for row in entries["former"]), "its former values are held still")
                told = server.run("subject", "access", own.id, "--json")
                check(NAME not in told and PAGE not in told, "the command tells it still")
                form(own, "/me/consents", csrf=own.csrf, purpose="personalisation", channel="", decision="given").expect(303)
                check("tailoring" not in app.read(own.id, "personalisation").expect(200).json["data"], "agreeing again brings it back")
            with part("the basket of the contract stays"):
                check(app.read(own.id, "account").expect(200).json["data"]["basket"]["items"] == {"chair": number}, "the basket is gone")
        with part("nothing of it is left readable on the disk"):
            check_absent([NAME, PAGE], server.data)
        with part("its cookies are cleared at the next visit"):
            sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in {**own.cookies, "remember": "abc", "basket": "xyz", "choice": "n"}.items())}
            kept = own.get("/v1/session", **sent).expect(200).headers.get("set-cookie", "")
            check("remember=" not in kept, f"taken back while the consent is in force: {kept}")
            app.consent(own.id, "personalisation", "withdrawn").expect(201)
            for path in ("/me", "/v1/session"):
                told = own.get(path, **sent).expect(200).headers.get("set-cookie", "")
                check("remember=; Path=/; Max-Age=0" in told and "basket=" not in told and "choice=" not in told, f"{path}: {told}")
        with part("a legal hold keeps what it holds"):
            own = known(server, box, app, 9, "program")
            server.operator().post(f"/v1/subjects/{own.id}/holds", {"category": "tailoring", "ground": "dispute"}).expect(201)
            app.consent(own.id, "personalisation", "withdrawn").expect(201)
            check("tailoring" in held(server, own.id) and "usage" not in held(server, own.id), f"{held(server, own.id)}")
            app.read(own.id, "personalisation").refused("consent-missing", status=403, clause=CLAUSE)
        shared(t, box)
