"""MX: mxplorerplace, a portal of TV-data dashboards whose accounts are opened by staff."""
import html, io, json, os, re, subprocess, threading, time, urllib.parse, zipfile
import acts, doors
from acts import Journal, Stage
from browser import Browser, member, pages_of
from garant import DAY, TOP, add_months, check, check_absent, check_searchable, garant, milliseconds
from mailbox import Mailbox, wait_for
from people import PASSWORD, Visitor, form, opened, staff, visitor
from promise import further, part, promise
from uses import command
from words import word


def person(number, **contact):
    return {"identity": {"first_name": f"Marguerite-{number}", "last_name": f"Desrosiers-{number}"},
            "contact": {"email": f"marguerite.{number}@regie.example", "phone": f"+3312345{number:04d}",
                        "address": f"{number} avenue de la Planted-Adresse", **contact},
            "work": {"company": f"Régie Planted {number}", "site": f"Agence Planted {number}"}}


def values(data):
    return [value for fields in data.values() for value in fields.values()]


@promise("MX-01")
def controller_is_public(t):
    """The notice page and the access answer carry name and address, from the policy file."""
    def other(text):
        return text.replace("legal_name: Espaces TV Communication", "legal_name: Une Autre Société & Cie") \
                   .replace("address: 35 rue du Val de Marne, 75013 Paris", "address: 7 place de l'Essai, 69001 Lyon")
    def carried(server, name, address):
        with part("the notice page carries name and address"):
            for language in ("fr", "en"):
                page = server.anyone().get("/privacy", **{"Accept-Language": language}).expect(200)
                check(page.headers["content-type"].startswith("text/html"), f"the notice is {page.headers['content-type']}")
                text = html.unescape(page.body.decode())
                check(name in text and address in text, f"the notice page does not carry {name}, {address}")
        with part("the access answer carries name and address"):
            client = server.client("app")
            controller = client.get(f"/v1/subjects/{client.create(person(1))['id']}/access").expect(200).json["controller"]
            check(controller["legal_name"] == name and controller["address"] == address, f"the access answer says {controller}")
    carried(t.server(), "Espaces TV Communication", "35 rue du Val de Marne, 75013 Paris")
    with part("both come from the policy file"):
        carried(t.server(policy=t.copy_of_policy(other)), "Une Autre Société & Cie", "7 place de l'Essai, 69001 Lyon")


USUAL = {"dashboard.colour": "#0055a4", "dashboard.items": 20}              # the policy's defaults
WRONG = ({"dashboard.colour": "rouge"}, {"dashboard.colour": "#12345"}, {"dashboard.colour": ""}, {"dashboard.items": 4}, {"dashboard.items": 101},
         {"dashboard.items": 20.5}, {"dashboard.items": "many"})


def saved_on_the_page(server, browser, elsewhere):
    """The same in the person's own pages: a form a dashboard, whose values are there on another device, and stay theirs when one is refused."""
    page, action = "/me/preferences/preferences?place=", "/me/preferences/preferences"

    def shown(one, place):
        """What stands in the form of that dashboard."""
        fields = {field["name"]: field.get("value", "") for field in one.get(page + place).expect(200).form(action)["fields"] if "name" in field}
        return {"dashboard.colour": fields["preferences.dashboard.colour"], "dashboard.items": int(fields["preferences.dashboard.items"])}

    def save(place, **values):
        typed = {f"preferences.dashboard.{name}": value for name, value in values.items()}
        return browser.submit(browser.get(page + place), action, press={"act": "save"}, fields=typed)
    mine = {"dashboard.colour": "#1f6f43", "dashboard.items": 35}
    with part("saved on the page"):
        check(shown(browser, "ventes") == USUAL, "the policy's defaults do not stand in the form")
        save("ventes", colour="#1f6f43", items="35").expect(200).has("ventes", "#1f6f43", "35")
        check(shown(browser, "ventes") == mine, "what was saved does not stand in the form")
        check(browser.api.get("/v1/me/preferences/preferences/ventes").expect(200).json["values"] == mine, "the API tells others")
    with part("returned at the next sign-in on another device"):
        check(shown(elsewhere, "ventes") == mine, "not on another device's page")
    with part("each dashboard has its own"):
        check(shown(browser, "reach") == USUAL, "one dashboard's values stand in another's form")
    with part("held against the policy's types by the page"):
        for name, value in (("colour", "rouge"), ("items", "4"), ("items", "101"), ("items", "many"), ("items", "20,5")):
            refused = save("ventes", **{name: value}).expect(422)
            field = next(field for field in refused.form(action)["fields"] if field.get("name") == "preferences.dashboard." + name)
            check(field.get("aria-invalid") == "true" and field["value"] == value, f"{name}={value}: the form does not point at it: {field}")
            check(shown(browser, "ventes") == mine, f"{name}={value} was saved")
    browser.submit(browser.get(page + "ventes"), action, press={"act": "drop"}).expect(200)
    check(shown(elsewhere, "ventes") == USUAL, "dropped, and still there")


def events_of(page, **more):
    """A view, a click, a download and its failure on that page, as a tracker tells them."""
    stem = more.pop("stem")
    return [{"id": f"{stem}-{number}", "fields": {"page": page, **fields}, **more} for number, fields in enumerate((
        {"action": "view", "response_ms": 120}, {"action": "click", "target": "Planted bouton"}, {"action": "download", "target": "planted-grille.csv"},
        {"action": "download", "target": "planted-panne.csv", "error": "Planted 503"}))]


def usage_of(archive):
    """What the export holds of use: of data.json and of the table."""
    return [row["fields"] for row in json.loads(archive["data.json"])["data"].get("usage", [])], archive.get("usage.csv", b"").decode()


@promise("MX-03")
def use_is_kept(t):
    """Page views, clicks and downloads of a signed-in person arrive in the usage log, by their own session, the tracker and the command, once each."""
    server = t.server(now="2026-11-22T10:00:00Z")
    boss, tracker = in_role(server, 90, "account_staff"), server.client("tracker")
    dossier = [{"folder": "dossier", "name": "A", "why": "B"}]
    browser, ident = member(server, person(3), "marguerite.3@regie.example", opener=boss, folders=dossier)
    own = visitor(server, "marguerite.3@regie.example")
    other = opened(server, person(4), opener=boss, folders=dossier)
    sent = {"their own session": lambda: own.post("/v1/usage", {"events": events_of("/planted/session", stem="s")}),
            "a tracker": lambda: tracker.post("/v1/usage", {"events": events_of("/planted/tracker", stem="t", subject=ident)})}
    with part("views, clicks and downloads arrive"):
        for name, send in sent.items():
            told = send().expect(200).json
            check(told == {"refused": [], "taken": 4, "repeated": 0}, f"{name}: {told}")
        told = json.loads(server.run("usage", "send", "--json", given=json.dumps({"events": events_of("/planted/command", stem="c", subject=ident)})))
        check(told["taken"] == 4, f"the command: {told}")
        alone = own.post("/v1/usage", {"events": {"id": "alone", "at": "2026-11-21T08:00:00Z", "fields": {"page": "/planted/seule", "action": "view"}}})
        check(alone.expect(200).json["taken"] == 1, f"one event: {alone.json}")
    with part("each once, however often it is sent"):
        for name, send in sent.items():
            told = send().expect(200).json
            check(told == {"refused": [], "taken": 0, "repeated": 4}, f"{name}, again: {told}")
        server.restart()
        check(sent["a tracker"]().expect(200).json["repeated"] == 4, "after a restart they are taken again")
    with part("kept: on the page, in the answer and the export"):
        browser.sign_in("marguerite.3@regie.example", PASSWORD)
        browser.get("/me/history?of=usage").expect(200).has("/planted/session", "/planted/tracker", "/planted/command", "/planted/seule", "Planted bouton",
                                                            "planted-grille.csv", "Planted 503")
        answer = own.sign_in("marguerite.3@regie.example", PASSWORD).get(f"/v1/subjects/{ident}/access").expect(200).json["data"]["usage"]
        rows, table = usage_of(own.export(ident)[0])
        for held in (rows, [row["fields"] for row in answer]):
            check(sorted((row["page"], row["action"]) for row in held) == sorted(
                [(f"/planted/{by}", act) for by in ("session", "tracker", "command") for act in ("view", "click", "download", "download")] +
                [("/planted/seule", "view")]), f"held: {held}")
        check(all(row["at"].startswith("2026-11-2") for row in rows), f"without their time: {rows}")
        check(table.count("/planted/") == 13 and "Planted 503" in table, f"the table: {table}")
    with part("nobody else's"):
        check(usage_of(server.client("app").export(other)[0])[0] == [], "another person has them")
        own.post("/v1/usage", {"events": events_of("/planted/autrui", stem="x", subject=other)[0]}).refused("not-found", status=404)
    with part("an objection to all of its purposes, or a restriction, stops it at once"):
        for purpose in ("statistics", "improvement", "capacity"):
            sent_now = {"events": [{"id": f"o-{purpose}", "subject": who, "fields": {"action": "view"}} for who in (ident, other)]}
            check(tracker.post("/v1/usage", sent_now).expect(200).json["taken"] == 2, f"stopped before {purpose} was objected to") \
                if purpose == "statistics" else None
            own.put(f"/v1/subjects/{ident}/objections/{purpose}").expect(204)
            sent_now = {"events": [{"id": f"p-{purpose}", "subject": who, "fields": {"action": "view"}} for who in (ident, other)]}
            told = tracker.post("/v1/usage", sent_now).expect(200).json
            check(told["taken"] == 1 and [row["code"] for row in told["refused"]] == ["purpose-refused"], f"after {purpose} was objected to: {told}")
        own.post("/v1/usage", {"events": events_of("/planted/après", stem="y")[0]}).refused("purpose-refused", status=403)
        server.client("app").put(f"/v1/subjects/{other}/restriction", {"ground": "accuracy"}).expect(204)
        restricted = {"id": "r", "subject": other, "fields": {"action": "view"}}
        tracker.post("/v1/usage", {"events": restricted}).refused("purpose-refused", status=403, clause="^rights$")
    with part("erased with their person, and at their term"):
        server.set_clock(add_months(server.now(), 12) + 2 * DAY)
        server.sweep()
        app = server.client("app")
        check(usage_of(app.export(other)[0])[0] != [], "restricted, and gone all the same")
        check(usage_of(app.export(ident)[0])[0] == [], "kept beyond their term")
        app.delete(f"/v1/subjects/{other}/restriction").expect(204)
        server.advance(minutes=5)
        again = {"id": "again", "subject": other, "fields": {"page": "/planted/encore", "action": "view"}}
        tracker.post("/v1/usage", {"events": again}).expect(200)
        server.sweep()
        check([row["page"] for row in usage_of(app.export(other)[0])[0]] == ["/planted/encore"], "the old ones stay, or the new one went too")
        app.erase(other)
        check(tracker.post("/v1/usage", {"events": [{"id": "late", "subject": other, "fields": {"action": "view"}}]}).expect(200).json["taken"] == 0,
              "taken about nobody")
        check_absent(["/planted/session", "/planted/encore"], server.folder)


COLLECTED = {                                   # the datum of the policy's text: its field, its value, and what brings it
    "IP address": ("ip", "192.0.2.77", {"action": "view"}), "browser version": ("browser", "Firefox 145", {"action": "view"}),
    "system version": ("system", "Windows 11", {"action": "view"}), "downloads": ("target", "planted-rapport.csv", {"action": "download"}),
    "usage indicators": ("indicators", {"planted": 3}, {"action": "indicator"}), "connectivity": ("connectivity", "planted 4g", {"action": "view"}),
    "errors": ("error", "Planted TypeError", {"action": "error"}), "response times": ("response_ms", 431, {"action": "view"}),
    "download errors": ("error", "Planted 404", {"action": "download", "target": "planted-rien.csv"}),
    "clicks": ("target", "Planted lien", {"action": "click"}), "mouse moves": ("indicators", {"planted_moves": 41}, {"action": "mouse"}),
    "date and time": ("at", "2026-11-22T09:59:00.000Z", {"action": "view"}), "page": ("page", "/planted/page", {"action": "view"})}


def by_hand(events, key):
    """The figures of these events (person, page, action, company, site, day, response, error), counted in the plainest way."""
    rows = {}
    for event in events:
        rows.setdefault(event[key], []).append(event)
    return {name: {"people": len({one["person"] for one in of}), "events": len(of), "errors": sum("error" in one for one in of),
                   "downloads": sum(one["action"] == "download" for one in of)} for name, of in rows.items()}


@promise("MX-04")
def figures_of_use(t):
    """Figures by day, page, person, company and site are those of a count by hand; small groups are not shown, nor what would tell of them."""
    server = t.server(now="2026-10-05T10:00:00Z")
    app, tracker = server.client("app"), server.client("tracker")
    made = []
    for number in range(36):                    # companies of 18, 14, and 4 people; sites of 20, 12, and 4
        data = person(number)
        data["work"] = {"company": "Régie A" if number < 18 else "Régie B" if number < 32 else "Régie rare",
                        "site": "Nord" if number < 20 else "Sud" if number < 32 else "Rare"}
        made.append(app.create(data)["id"])
    events = []
    for day in (5, 6):
        for number, ident in enumerate(made):
            if number >= 6 and day == 6 and number % 9 == 0:
                continue
            for page, action in (("/accueil", "view"), ("/grille", "view"), ("/grille", "download")):
                if page == "/grille" and number % 3 == 2:
                    continue
                events.append({"person": ident, "page": page, "action": action, "day": f"2026-10-0{day}", "response_ms": 100 + number * 37 % 101,
                               "company": app_work(made, number)[0], "site": app_work(made, number)[1],
                               **({"error": "503"} if action == "download" and number % 2 else {})})
    for start in range(0, len(events), 1000):
        tracker.post("/v1/usage", {"events": [
            {"id": f"e{start + number}", "subject": one["person"], "at": f"{one['day']}T{9 if one['day'].endswith('5') else 7}:00:00Z".replace("T9", "T09")
             .replace("T7", "T07"), "fields": {key: one[key] for key in ("page", "action", "response_ms", "error") if key in one}}
            for number, one in enumerate(events[start:start + 1000]) if one["day"] == "2026-10-05"]}).expect(200)
    server.set_clock(server.now() + DAY)
    late = [one for one in events if one["day"] == "2026-10-06"]
    tracker.post("/v1/usage", {"events": [{"id": f"l{number}", "subject": one["person"], "at": "2026-10-06T07:00:00Z",
                                           "fields": {key: one[key] for key in ("page", "action", "response_ms", "error") if key in one}}
                                          for number, one in enumerate(late)]}).expect(200)
    app.change(made[0], "service", {"work": {"company": "Régie B"}}).expect(200)        # after the month's events: they stay with A
    tracker_asks = "/v1/usage/figures?purpose=statistics&month=2026-10&by="
    app.get(tracker_asks + "day").refused(status=422)                                   # not over yet
    server.set_clock(add_months(server.now(), 1))
    analyst = in_role(server, 92, "analyst")
    why = {"Garant-Reason": "Planted rapport mensuel"}

    def asked(by, who=app, **more):
        answer = who.get(tracker_asks + by, **more).expect(200).json
        return {row["key"]: row for row in answer["rows"]}, answer
    with part("by day, page, action, person, company and site, as counted by hand"):
        for by in ("day", "page", "action"):
            rows, answer = asked(by)
            for key, counted in by_hand(events, by).items():
                check({name: rows[key][name] for name in counted if rows[key][name] is not None} == {
                    name: value for name, value in counted.items() if rows[key][name] is not None}, f"by {by}: {rows[key]} for {counted}")
            check(answer["all"]["events"] == len(events) and answer["all"]["people"] == 36 and answer["hidden"] == 0, f"all by {by}: {answer['all']}")
        hand = sorted(one["response_ms"] for one in events)
        check(answer["all"]["p50"] == hand[(len(hand) * 50 + 99) // 100 - 1] and answer["all"]["p95"] == hand[(len(hand) * 95 + 99) // 100 - 1], "times")
        rows, _ = asked("person")
        counted = by_hand(events, "person")
        check({key: row["events"] for key, row in rows.items()} == {key: row["events"] for key, row in counted.items()}, "by person")
        rows, answer = asked("company")
        check({key: row["events"] for key, row in rows.items()} == {"Régie A": by_hand(events, "company")["Régie A"]["events"]}, f"by company: {rows}")
        rows, _ = asked("site")
        check({key: row["people"] for key, row in rows.items()} == {"Nord": 20}, f"by site: {rows}")
    with part("the page and the table show the same"):
        asks = {"purpose": "statistics", "by": "page", "month": "2026-10", "reason": "Planted rapport mensuel", "csrf": analyst.csrf}
        page = html.unescape(form(analyst, "/staff/usage", **asks).expect(200).body.decode())
        table = form(analyst, "/staff/usage.csv", **asks).expect(200).body.decode()
        api = app.get("/v1/usage/figures.csv?purpose=statistics&by=page&month=2026-10").expect(200).body.decode()
        check(table == api and "/accueil" in table, f"the tables: {table} {api}")
        for key, counted in by_hand(events, "page").items():
            check(key in page and f">{counted['events']}<" in page and f'{counted["events"]}' in table, f"the page: {key} {counted}")
    with part("small groups are not shown, nor what would tell of them by subtraction"):
        for by, rare in (("company", "Régie rare"), ("site", "Rare")):
            rows, answer = asked(by)
            shown = sum(row["events"] for row in rows.values())
            hidden = {one["person"] for one in events if one[by] not in rows}
            check(rare not in rows and rare not in json.dumps(answer, ensure_ascii=False) and answer["hidden"] == 2 and len(hidden) >= 10, f"{by}: {answer}")
            check(answer["all"]["events"] - shown == sum(one["person"] in hidden for one in events), "the rest is not that of the hidden")
        few = made[34]
        server.client("tracker").post("/v1/usage", {"events": {"id": "few", "subject": few, "fields": {"page": "/rare", "action": "view"}}}).expect(200)
        app.get(tracker_asks.replace("2026-10", "2026-11") + "page").refused(status=422)
        server.set_clock(add_months(server.now(), 1))
        november = app.get(tracker_asks.replace("2026-10", "2026-11") + "page").expect(200).json
        check(november["rows"] == [] and november["all"]["events"] is None and "/rare" not in json.dumps(november), f"of one person: {november}")
    with part("each look has its purpose and reason, and by person stands among their looks"):
        analyst = in_role(server, 93, "analyst")
        analyst.get(tracker_asks + "page").refused("reason-missing", status=403)
        asked("person", analyst, **why)
        looks = app.get(f"/v1/subjects/{made[1]}/looks").expect(200).json["looks"]
        check(any(look["act"] == "usage.listed" and look["purpose"] == "statistics" and look.get("reason") == why["Garant-Reason"] for look in looks),
              f"the person's looks: {looks}")
        app.get("/v1/usage/figures?purpose=capacity&by=person&month=2026-10").refused("undeclared", status=422, clause=r"^purposes\.capacity$")
        app.get("/v1/usage/figures?purpose=service&by=day&month=2026-10").refused(status=422)
        tracker.get(tracker_asks + "day").refused("forbidden", status=403)
    with part("who objected or is restricted does not count"):
        app.put(f"/v1/subjects/{made[2]}/objections/statistics").expect(204)
        app.put(f"/v1/subjects/{made[3]}/restriction", {"ground": "accuracy"}).expect(204)
        left = [one for one in events if one["person"] not in (made[2], made[3])]
        rows, answer = asked("page")
        check({key: row["events"] for key, row in rows.items()} == {key: row["events"] for key, row in by_hand(left, "page").items()}, f"counted: {rows}")
        check(answer["all"]["people"] == 34, f"counted: {answer['all']}")
    with part("compared with the month before, and nothing is told of it that asking for it does not show"):
        check(november["all"]["events_before"] == len(events) and november["all"]["people_before"] == 36, f"November: {november['all']}")
        used = {"2026-12": {"/accueil": 12, "/grille": 3}, "2027-01": {"/accueil": 15, "/grille": 11, "/nouveau": 10}}
        for month, pages in used.items():
            server.set_clock(milliseconds(f"{month}-08T10:00:00Z"))
            for page, count in pages.items():
                tracker.post("/v1/usage", {"events": [{"id": f"{month}-{page}-{one}", "subject": one, "fields": {"page": page, "action": "view"}}
                                                      for one in made[4:4 + count]]}).expect(200)
        server.set_clock(milliseconds("2027-02-01T10:00:00Z"))
        answer = app.get(tracker_asks.replace("2026-10", "2027-01") + "page").expect(200).json
        said = {row["key"]: (row["events"], row["events_before"], row["people_before"]) for row in answer["rows"]}
        check(said["/accueil"][1:] in ((12, 12), (None, None)) and said["/grille"] == (11, None, None) and said["/nouveau"] == (10, None, None), f"{said}")
        alone = app.get(tracker_asks.replace("2026-10", "2026-12") + "page").expect(200).json
        shown = {row["key"]: row["events"] for row in alone["rows"]}
        check(all(told[1] == shown.get(key) for key, told in said.items()), f"{said}, and asked for itself {shown}")
        by_day = app.get(tracker_asks.replace("2026-10", "2027-01") + "day").expect(200).json["rows"]
        check([(row["key"], row["events_before"]) for row in by_day] == [("2027-01-08", 15)], f"by day: {by_day}")
        table = app.get("/v1/usage/figures.csv?purpose=statistics&by=day&month=2027-01").expect(200).body.decode()
        check("2027-01-08,15,36,0,0,,,12,15" in table.replace('"', ""), f"the table: {table}")
        asks = {"purpose": "statistics", "by": "day", "month": "2027-01", "reason": "Planted rapport mensuel"}
        analyst = in_role(server, 95, "analyst")
        page = html.unescape(form(analyst, "/staff/usage", csrf=analyst.csrf, **asks).expect(200).body.decode())
        check(re.search(r">8 January 2027</th>.*>36</td>.*>12</td><td[^>]*>15</td></tr>", page), "the page")


def app_work(made, number):
    """Company and site of that one of the people, when the events happened."""
    check(number < len(made), "nobody of that number")
    return "Régie A" if number < 18 else "Régie B" if number < 32 else "Régie rare", "Nord" if number < 20 else "Sud" if number < 32 else "Rare"


@promise("MX-14")
def collected_is_declared(t):
    """Each datum that is collected is a field of a declared category, arrives, and is in the export; another is refused by name."""
    server = t.server(now="2026-11-22T10:00:00Z")
    boss, tracker = in_role(server, 90, "account_staff"), server.client("tracker")
    dossier = [{"folder": "dossier", "name": "A", "why": "B"}]
    browser, ident = member(server, person(14), "marguerite.14@regie.example", opener=boss, folders=dossier)
    own = visitor(server, "marguerite.14@regie.example")
    categories = server.operator().get("/v1/policy").expect(200).json["document"]["categories"]
    events = [{"id": name, "subject": ident, "fields": {**base, field: value}} for name, (field, value, base) in COLLECTED.items()]
    own.put(f"/v1/me/preferences/preferences/planted-grille", {"dashboard.items": 42}).expect(200)
    with part("each is a declared field"):
        check(all(field in categories["usage"]["fields"] for field, _, _ in COLLECTED.values()), "a datum is not declared")
        check({"ip", "browser", "system", "at"} <= set(categories["connection"]["fields"]) and "email" in categories["contact"]["fields"], "connection data")
    with part("each arrives"):
        check(tracker.post("/v1/usage", {"events": events}).expect(200).json["taken"] == len(events), "not all are taken")
    with part("each is in the export and on the page"):
        archive = own.export(ident)[0]
        (rows, table), data = usage_of(archive), json.loads(archive["data.json"])
        page = browser.get("/me/history?of=usage").expect(200).read.text
        for name, (field, value, base) in COLLECTED.items():
            check(any(row.get(field) == value and row["action"] == base["action"] for row in rows), f"{name} is not in the export: {rows}")
            if isinstance(value, str) and field != "at":
                check(value in table and value in page, f"{name} is not in the table or on the page")
        check(data["data"]["contact"]["email"] == "marguerite.14@regie.example", "the e-mail address")
        check(data["account"]["password_set"].startswith("2026-11-22T"), "that there is a password")
        check(any(row["fields"]["ip"] == "127.0.0.1" and row["fields"]["result"] == "success" for row in data["data"]["connection"]), "connection data")
        check("42" in json.dumps(data["data"]["preferences"]), "preferences")
    with part("what is not declared is refused by name"):
        wrong = {"location": {"action": "view", "location": "Planted Paris"}, "action": {"action": "keystroke"}, "keys": {"action": "view", "keys": "Planted"}}
        for name, fields in wrong.items():
            event = {"events": [events[0], {"id": "w", "subject": ident, "fields": fields}]}
            for who in (tracker, server.operator()):
                answer = who.post("/v1/usage", event).refused(status=422, clause=r"^categories\.usage")
                check(name in answer["detail"] and "Planted" not in json.dumps(answer), f"{name}: {answer}")
            event["events"] = {"id": "w", "fields": fields}
            own.post("/v1/usage", event).refused(status=422, clause=r"^categories\.usage")
            status, said = command(server, "usage", "send", given=json.dumps({"events": {"id": "w", "subject": ident, "fields": fields}}))
            check(status != 0 and name in said and "Planted" not in said, f"the command with {name}: {said}")
        tracker.post("/v1/usage", {"events": {"id": "w", "subject": ident, "category": "contact", "fields": {"phone": "+33123456789"}}}) \
            .refused("undeclared", status=422)
        check(len(usage_of(own.export(ident)[0])[0]) == len(events), "something undeclared was kept")


@promise("MX-05")
def preferences_of_a_dashboard(t):
    """Colour and number of items are saved a dashboard each, checked by their types, and there at the next sign-in on another device."""
    server = t.server(now="2026-11-22T10:00:00Z")
    clerk = staff(server, person(900), "marguerite.900@regie.example", "account_staff")
    folders = [{"folder": "dossier", "name": "audiences", "why": "abonnement de la régie"}]
    ident = opened(server, person(1), opener=clerk, folders=folders)
    other = opened(server, person(2), opener=clerk, folders=folders)
    desk, colleague = visitor(server, "marguerite.1@regie.example"), visitor(server, "marguerite.2@regie.example")
    base = "/v1/me/preferences/preferences/"
    mine = {"dashboard.colour": "#8a1538", "dashboard.items": 50}
    with part("saved over the API"):
        check(desk.get(base + "audiences").expect(200).json["values"] == USUAL, "the policy's defaults do not hold")
        said = desk.put(base + "audiences", {"dashboard.colour": "#8a1538"}).expect(200).json["values"]
        check(said == {**USUAL, "dashboard.colour": "#8a1538"}, f"saved: {said}")
        check(desk.put(base + "audiences", {"dashboard.items": 50}).expect(200).json["values"] == mine, "the second save lost the first")
    desk.put(base + "planted-dashboard", {"dashboard.items": 99}).expect(200)
    app, path = server.client("app"), f"/v1/subjects/{ident}/preferences/preferences/audiences"
    with part("held against the policy's types by the API"):
        for wrong in WRONG:
            field = next(iter(wrong))
            for who, where in ((desk, base + "audiences"), (app, path)):
                who.put(where, wrong).refused("invalid-value", status=422, field="preferences." + field,
                                              clause=rf"^categories\.preferences\.fields\.{re.escape(field)}", promise="MX-05")
            app.record(ident, "preferences", wrong).refused("invalid-value", status=422, promise="MX-05",
                                                            clause=rf"^categories\.preferences\.fields\.{re.escape(field)}")
        for who, where in ((desk, base + "audiences"), (app, path)):
            who.put(where, {"dashboard.size": 3}).refused("undeclared", status=422, clause=r"^categories\.preferences", promise="MX-05")
        desk.put("/v1/me/preferences/colours/audiences", {"dashboard.items": 9}).refused("undeclared", status=422, clause="^categories$")
        check(desk.get(base + "audiences").json["values"] == mine, "what was refused was saved")
    # Another device, after the first is signed out; another person has their own.
    desk.delete("/v1/session").expect(204)
    desk.get(base + "audiences").refused("unauthorised", status=401)
    phone = visitor(server, "marguerite.1@regie.example")
    with part("returned at the next sign-in on another device"):
        check(phone.get(base + "audiences").expect(200).json["values"] == mine, "not there on another device")
    with part("each dashboard has its own"):
        check(phone.get(base + "parts-de-marche").expect(200).json["values"] == USUAL, "one dashboard's colour is another's")
        phone.put(base + "*", {"dashboard.items": 10}).expect(200)
        check(phone.get(base + "parts-de-marche").json["values"]["dashboard.items"] == 10 and phone.get(base + "audiences").json["values"] == mine,
              "what is saved for all dashboards")
    first, second = Browser(server), Browser(server)
    for browser in (first, second):
        browser.sign_in("marguerite.1@regie.example", PASSWORD).expect(200)
    first.api = phone                                                 # the same person's, asked over the API
    phone.put(base + "*", {"dashboard.items": 20}).expect(200)
    saved_on_the_page(server, first, second)
    with part("each person has their own"):
        check(colleague.get(base + "audiences").json["values"] == USUAL, "a colleague has them")
        check(app.get(path).expect(200).json["values"] == mine, "the platform, which draws the dashboard, reads others")
        check(app.get(path.replace(ident, other)).expect(200).json["values"] == USUAL, "the platform reads them of a colleague")
        for answer in (colleague.get(path), colleague.put(path, {"dashboard.items": 30}), colleague.delete(path)):
            answer.refused("forbidden", status=403, clause="^roles$")
    preferences_are_for_the_service(server, ident, path, mine)
    # Exported, sealed, and erased at their term.
    held = {row["fields"].get("dashboard"): row["fields"].get("dashboard.items") for row in app.export(ident)[1]["data"]["preferences"]}
    check(held == {"audiences": 50, "planted-dashboard": 99, None: 20}, f"exported: {held}")
    check_absent(["planted-dashboard"], server.folder)
    phone.post("/v1/me/close", {}).expect(204)
    server.advance(days=29)
    check("preferences" not in server.sweep()["erased"], "erased before their term")
    server.advance(days=2)
    check(server.sweep()["erased"].get("preferences"), "kept beyond their term")
    check(app.get(f"/v1/subjects/{other}/preferences/preferences/audiences").expect(200).json["values"] == USUAL, "a colleague's went with them")


def preferences_are_for_the_service(server, ident, path, mine):
    """Besides the person, who serves them reads and sets them, for that end alone; nobody else does."""
    clerk, manager = in_role(server, 901, "account_staff"), in_role(server, 902, "manager")
    analyst = in_role(server, 903, "analyst")
    server.operator().put(f"/v1/accounts/{ident}/manager", {"manager": manager.id}).expect(204)
    why = {"Garant-Reason": "quarterly figures"}
    with part("each person has their own"):
        check(clerk.get(path).expect(200).json["values"] == mine, "who serves the person does not see what they set")
        clerk.put(path, {"dashboard.items": 51}).expect(200)
        clerk.put(path, {"dashboard.items": 50}).expect(200)
        for who, clause in ((manager, r"^roles\.manager$"), (analyst, r"^roles\.analyst$"), (server.client("tracker"), r"^systems\.tracker$")):
            who.get(path, **why).refused("forbidden", status=403, clause=clause)
            who.put(path, {"dashboard.items": 33}, **why).refused("forbidden", status=403, clause=clause)
            who.delete(path, **why).refused("forbidden", status=403, clause=clause)
        for answer in (server.anyone().get(path), server.anyone().put(path, {"dashboard.items": 33}), server.anyone().delete(path)):
            answer.refused("unauthorised", status=401)
        check(clerk.get(path).expect(200).json["values"] == mine, "set by who may not")


def in_role(server, number, role, **more):
    """Somebody in a role, signed in."""
    return staff(server, person(number), f"marguerite.{number}@regie.example", role, **more)


@promise("MX-06")
def contacts_are_noted(t):
    """A service message by e-mail and a call: both stand in the person's contact log, which they see, for its own term and no longer."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now="2026-11-22T10:00:00Z", arguments=mailbox.arguments())
    client, desk = server.client("app"), in_role(server, 901, "account_staff")
    ident, other = (opened(server, person(number), opener=desk, folders=FOLDERS) for number in (6, 7))
    log, to = f"/v1/subjects/{ident}/contacts?purpose=service_messages", "marguerite.6@regie.example"
    browser = Browser(server)
    browser.cookies = dict(desk.cookies)

    def rows():
        found = [row["fields"] for row in client.get(log).expect(200).json["contacts"]]
        return sorted((row["channel"], row["subject"]) for row in found if "account" not in row["subject"])    # besides letters of the account itself
    with part("a service message goes by e-mail"):
        client.post(f"/v1/subjects/{ident}/messages", {"purpose": "service_messages", "subject": "Tableaux de bord arrêtés dimanche",
                    "text": "Les tableaux de bord seront arrêtés dimanche de 6 h à 8 h."}).expect(202)
        letter = mailbox.wait(to, "service_message")
        check(letter.subject == "Tableaux de bord arrêtés dimanche" and "de 6 h à 8 h" in letter.text, f"what came: {letter.text}")
        sent = {"subject": "Nouveaux filtres", "text": "Les filtres ont changé."}
        browser.submit(browser.get(f"/staff/people/{ident}/contacts"), f"/staff/people/{ident}/messages", **sent).expect(200)
        letter = mailbox.wait(to, "service_message", count=2)
        check(letter.subject == sent["subject"] and sent["text"] in letter.text, f"what came: {letter.text}")
    with part("a call is noted"):
        client.post(f"/v1/subjects/{ident}/calls", {"purpose": "service_messages", "subject": "Rappel au sujet des filtres",
                    "at": "2026-11-22T09:30:00Z"}).expect(201)
        browser.submit(browser.get(f"/staff/people/{ident}/contacts"), f"/staff/people/{ident}/calls", subject="Rappel du soir").expect(200)
        check([subject for channel, subject in rows() if channel == "phone"] == ["Rappel au sujet des filtres", "Rappel du soir"], f"{rows()}")
    noted = [("email", "Nouveaux filtres"), ("email", "Tableaux de bord arrêtés dimanche"), ("phone", "Rappel au sujet des filtres"),
             ("phone", "Rappel du soir")]
    with part("both stand in the contact log"):
        wait_for(lambda: len(rows()) == 4)
        check(rows() == noted, f"the log: {rows()}")
        found = client.get(log).expect(200).json["contacts"]
        check(all(row["fields"].keys() == {"at", "channel", "subject"} for row in found), f"more is noted than declared: {found}")
        shown = form(desk, f"/staff/people/{ident}/contacts", purpose="service_messages").expect(200)
        check(all(subject in html.unescape(shown.body.decode()) for _, subject in noted), "not on the page of staff")
        theirs = client.get(log.replace(ident, other)).expect(200).body.decode()
        check(not [subject for _, subject in noted if subject in theirs], f"another person's log has it: {theirs}")
    with part("the person sees the log"):
        own = Browser(server)
        own.sign_in(to, PASSWORD).expect(200)
        held = own.get("/me").expect(200).read.text
        files, exported = client.export(ident)
        texts = (client.get(f"/v1/subjects/{ident}/access").expect(200).body.decode(), json.dumps(exported, ensure_ascii=False),
                 html.unescape(files["index.html"].decode()), server.run("subject", "access", ident, "--json"), held)
        check(all(subject in text for text in texts for _, subject in noted), "the person does not see it all")
    for_the_service_only(server, ident, log)
    # Its own term: three years from each contact.
    end = add_months(server.now(), 36)
    for months in (20, 16):                                      # the account stays in use
        server.set_clock(add_months(server.now(), months) - (DAY if months == 16 else 0))
        client.post(f"/v1/subjects/{ident}/events", {"event": "last_use"}).expect(204)
        server.sweep()
    check(server.now() == end - DAY and len(rows()) == 4, "gone before the term")
    server.set_clock(end + DAY)
    server.sweep()
    check(rows() == [], "kept beyond the term")


def for_the_service_only(server, ident, log):
    """For the working of the service, by who may send, and nothing else: nothing goes, nothing is noted."""
    client, why = server.client("app"), {"Garant-Reason": "quarterly figures"}
    manager, analyst = in_role(server, 902, "manager"), in_role(server, 903, "analyst")
    with part("for the service only"):
        before = client.get(log).expect(200).body
        for purpose in ("statistics", "improvement", "capacity"):
            for act, more in (("messages", {"text": "b"}), ("calls", {})):
                client.post(f"/v1/subjects/{ident}/{act}", {"purpose": purpose, "subject": "a", **more}) \
                    .refused("purpose-refused", status=403, clause=rf"^purposes\.{purpose}")
        for purpose in ("service", "access_rights"):
            client.get(log.replace("service_messages", purpose)).refused("purpose-refused", status=403, clause=rf"^purposes\.{purpose}$")
        server.operator().put(f"/v1/accounts/{ident}/manager", {"manager": manager.id}).expect(204)
        for who, clause in ((server.client("tracker"), r"^systems\.tracker$"), (manager, r"^roles\.manager$"), (analyst, r"^roles\.analyst$")):
            for act, more in (("messages", {"text": "b"}), ("calls", {})):
                who.post(f"/v1/subjects/{ident}/{act}", {"purpose": "service_messages", "subject": "a", **more}, **why) \
                    .refused("forbidden", status=403, clause=clause)
            who.get(log, **why).refused("forbidden", status=403, clause=clause)
        for act in ("messages", "calls"):
            check(form(manager, f"/staff/people/{ident}/{act}", purpose="service_messages", subject="a", **({"text": "b"} if act == "messages" else {}))
                  .status == 403, f"{act} on the page")
        server.anyone().post(f"/v1/subjects/{ident}/messages", {"purpose": "service_messages", "subject": "a", "text": "b"}).refused("unauthorised", status=401)
        check(client.get(log).expect(200).body == before, "something was noted")


SUPPLIER = "Paule Planted, responsable"
NEEDED = ("identity.first_name", "identity.last_name", "contact.email", "work.company", "work.site")


def lacking(data, field):
    """The data without that field, in each way in which one leaves a thing out."""
    category, name = field.split(".")
    rest = {key: value for key, value in data[category].items() if key != name}
    return [{**data, category: {**rest, **more}} for more in ({}, {name: None}, {name: ""}, {name: " \u00a0\u2003"})] + \
           ([{key: value for key, value in data.items() if key != category}] if len(rest) == 0 else [])


def flat(data):
    """As a page's form names its inputs."""
    return {f"{category}.{field}": value for category, fields in data.items() for field, value in fields.items()}


def on_the_page(server, who, **fields):
    """The page on which staff open accounts, filled in and sent."""
    browser = Browser(server)
    browser.cookies = dict(who.cookies)
    return browser.submit(browser.get("/staff/open").expect(200), "/staff/open", fields=fields)


def nothing_may_be_missing(server, desk, manager, folders):
    """Each needed field is named alone, whoever opens the account and by which door; and nobody is there afterwards."""
    app, data = server.client("app"), person(2)

    def refused(answer, field):
        problem = answer.refused("missing-field", status=422, clause=r"^accounts\.needs$", promise="MX-02")
        check(problem["field"] == field and not any(other in problem["detail"] for other in NEEDED if other != field), f"not named alone: {problem}")
    with part("a missing field is refused by name"):
        for field in NEEDED:
            for partly in lacking(data, field):
                refused(desk.post("/v1/accounts", {"data": partly, "folders": folders, "supplied_by": "manager"}), field)
            for who in (app, manager, server.operator()):
                refused(who.post("/v1/accounts", {"data": lacking(data, field)[0], "folders": folders, "supplied_by": "manager"}), field)
            page = on_the_page(server, desk, **{**flat(data), field: " "}, supplied_by="manager", name="A", why="B").expect(422).has(field, "accounts.needs")
            wrong = [one["name"] for one in page.form("/staff/open")["fields"] if one.get("aria-invalid") == "true"]
            check(wrong == [field], f"the form points at {wrong}, not at {field}")
            said = server.run_refused("missing-field", "account", "open", status=65, clause=r"^accounts\.needs$",
                                      given=json.dumps({"data": lacking(data, field)[0], "folders": folders, "supplied_by": "manager"}))
            check(f" {field} (" in said["detail"], f"not named alone: {said}")
    with part("missing folders are refused by name"):
        for none in ({}, {"folders": []}):
            for who in (desk, app, manager, server.operator()):
                refused(who.post("/v1/accounts", {"data": data, "supplied_by": "manager", **none}), "folders")
        server.run_refused("missing-field", "account", "open", status=65, clause=r"^accounts\.needs$",
                           given=json.dumps({"data": data, "supplied_by": "manager"}))
        app.post("/v1/accounts", {"data": data, "folders": folders, "supplied_by": "manager"}) \
           .refused("forbidden", status=403, clause=r"^folders\.dossier\.granted_by$")
        on_the_page(server, manager, **flat(data), supplied_by="manager").expect(422).has("an account also needs folders", "accounts.needs")
        on_the_page(server, desk, **flat(data), supplied_by="manager").expect(422).has("an account also needs folders", "accounts.needs")
        for missing in ("name", "why"):
            page = on_the_page(server, desk, **flat(data), supplied_by="manager", **{"name": "A", "why": "B", missing: " "})
            check(page.status == 422, f"a folder without {missing}: {page.status}")
            short = [{key: value for key, value in folders[0].items() if key != missing}]
            problem = desk.post("/v1/accounts", {"data": data, "supplied_by": "manager", "folders": short}).refused("missing-field", status=422)
            check(problem["field"].endswith(missing), f"the folder's {missing} is not named: {problem}")
    desk.lookup({"contact.email": "marguerite.2@regie.example"}, "service").refused("not-found", status=404)


def opened_by_others(server, mailbox, manager, folders):
    """The manager for their own team, and the operator, over the API, on the page and by the command: with the folders, and none afterwards."""
    with part("staff open an account with its folders"):
        made = {10: manager.post("/v1/accounts", {"data": person(10), "folders": folders, "supplied_by": "manager"}).expect(201).json["id"]}
        shown = on_the_page(server, manager, **flat(person(11)), supplied_by="manager", name=folders[0]["name"], why=folders[0]["why"]).expect(200)
        made[11] = re.fullmatch(r"/staff/people/(\w{26})\?done=account_opened", shown.path)[1]
        body = {"data": person(12), "folders": folders, "supplied_by": "manager"}
        made[12] = json.loads(server.run("account", "open", "--json", given=json.dumps(body)))["id"]
        for number, ident in made.items():
            file = server.client("app").get(f"/v1/subjects/{ident}/access").expect(200).json
            check([(row["name"], row["allowed"]) for row in file["folders"]] == [(folders[0]["name"], True)], f"{number}: {file['folders']}")
            check(sources_of(file) == {(category, "manager") for category in ("identity", "contact", "work")}, f"{number}: {sources_of(file)}")
        table = "identity.first_name,identity.last_name,contact.email,work.company,work.site,folder.dossier\n" \
                "Ana,Imported,marguerite.13@regie.example,Régie,Lyon,Importé\nBea,Imported,marguerite.17@regie.example,Régie,Lyon,\n"
        lines = in_role(server, 904, "account_staff").request("POST", "/v1/accounts/import?supplied_by=manager&why=annuaire", table.encode(),
                                                              [("Content-Type", "text/csv")]).expect(207).json["lines"]
        check([line["status"] for line in lines] == [201, 422] and "folders" in json.dumps(lines[1]), f"by a table: {lines}")
        team = [row["id"] for row in manager.get("/v1/accounts").expect(200).json["accounts"]]
        check(sorted(team) == sorted([made[10], made[11]]), f"the team: {team}")
    with part("told where the data came from when a manager supplied them"):
        for number in (*made, 13):
            told = mailbox.wait(f"marguerite.{number}@regie.example", "opened_by_other")
            check("line manager" in told.text or "responsable hiérarchique" in told.text, told.text)
    with part("staff open an account with its folders"):
        manager.post(f"/v1/subjects/{made[10]}/folders", {**folders[0], "name": "B"}) \
            .refused("forbidden", status=403, clause=r"^folders\.dossier\.granted_by$")


def opened_by_whom(server, folders):
    """Who may: account staff, and managers for their team. Nobody else, by API or page."""
    analyst, plain = in_role(server, 903, "analyst"), visitor(server, "marguerite.3@regie.example")
    body = {"data": person(8), "folders": folders, "supplied_by": "person"}
    with part("nobody opens an account whom the policy does not name"):
        for who, clause in ((analyst, r"^roles\.analyst$"), (server.client("tracker"), r"^systems\.tracker$"), (plain, r"^roles$")):
            who.post("/v1/accounts", body).refused("forbidden", status=403, clause=clause)
        server.anyone().post("/v1/accounts", body).refused("unauthorised", status=401)
        for who in (analyst, plain):
            check(form(who, "/staff/open", **flat(person(8)), supplied_by="person", folder="dossier", name="A", why="B").status == 403, "opened on the page")
        server.anyone().post("/v1/accounts/register", {"data": person(8), "password": PASSWORD}) \
            .refused("forbidden", status=403, clause=r"^accounts\.opened_by$", promise=None)
        server.client("app").lookup({"contact.email": "marguerite.8@regie.example"}, "service").refused("not-found", status=404)


def invited(server, mailbox, address):
    """Follows the invitation; the person, signed in."""
    token = re.split("[/=]", mailbox.wait(address, "invitation").links[0])[-1]
    server.anyone().post("/v1/invitations/accept", {"token": token, "password": PASSWORD}).expect(200)
    return visitor(server, address)


def sources_of(file):
    """Who is said to have supplied each category of an access answer."""
    return {(one["category"], field["source"]) for one in file["categories"] if one["category"] in ("identity", "contact", "work")
            for record in one["records"] for field in record["fields"].values()}


def supplied_by_a_manager(server, mailbox, desk, ident, folder, number, language):
    """What is kept of who supplied the data, and what the person is told of it."""
    to, says = f"marguerite.{number}@regie.example", {"fr": "responsable hiérarchique", "en": "line manager"}[language]
    with part("told where the data came from when a manager supplied them"):
        told = mailbox.wait(to, "opened_by_other")
        for body in (told.text, told.html):
            check(says in html.unescape(body) and "Espaces TV Communication" in body and "/privacy" in body, body)
        wait_for(lambda: not [duty for duty in server.operator().get("/v1/duties").expect(200).json["duties"] if duty["subject"] == ident])
    one = invited(server, mailbox, to)
    with part("who supplied the data is kept"):
        file = one.get(f"/v1/subjects/{ident}/access").expect(200).json
        check(file["source"] == "manager" and file["account"]["opened_by"] == "account_staff", f"{file['source']}, {file['account']}")
        for access in (file, server.client("app").export(ident)[1], json.loads(server.run("subject", "access", ident, "--json"))):
            check(sources_of(access) == {(category, "manager") for category in ("identity", "contact", "work")}, f"{sources_of(access)}")
        browser = Browser(server, language)
        browser.cookies = dict(one.cookies)
        check(says in browser.get("/me").expect(200).read.text.lower(), "the person's page does not say who supplied them")
    with part("the person and staff read who supplied the data"):
        files, exported = server.client("app").export(ident)
        for access in (file, exported, json.loads(server.run("subject", "access", ident, "--json")), json.loads(server.run("account", "show", ident, "--json")),
                       desk.get(f"/v1/accounts/{ident}").expect(200).json):
            check(access["supplied_by"] == SUPPLIER, f"supplied by {access.get('supplied_by')}")
        for text in (browser.get("/me").html, files["index.html"].decode(), desk.get(f"/staff/people/{ident}", Accept="text/html").expect(200).body.decode()):
            check(SUPPLIER in html.unescape(text), "who supplied them does not stand there")
    with part("staff open an account with its folders"):
        check([(f["name"], f["allowed"], f["history"][0]["why"]) for f in file["folders"]] == [(folder["name"], True, folder["why"])], f"{file['folders']}")
        browser.get("/me/rights").expect(200).has(folder["name"], folder["why"])
        asked = {"subject": ident, "folder": "dossier"}
        for name, allowed in ((folder["name"], True), ("Another", False)):
            said = server.client("app").post("/v1/authorize", {**asked, "name": name}).expect(200).json
            check(said["allowed"] is allowed and (allowed or said["clause"]["path"] == "folders.dossier"), f"{name}: {said}")
    return one


@promise("MX-02")
def accounts_are_opened_whole(t):
    """Staff open an account with its folders; who supplied the data is kept, and the person told when it was somebody else."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now="2026-11-22T10:00:00Z", arguments=mailbox.arguments())
    desk, manager = in_role(server, 1, "account_staff"), in_role(server, 901, "manager")
    folders = [{"folder": "dossier", "name": "Audiences de Planted", "why": "demande de sa responsable", "until": "2027-06-30"}]
    nothing_may_be_missing(server, desk, manager, folders)
    # The manager wrote by e-mail; staff open the account, over the API and on the page.
    made = desk.post("/v1/accounts", {"data": person(2), "folders": folders, "supplied_by": "manager", "supplier": SUPPLIER, "language": "fr"}) \
        .expect(201).json["id"]
    supplied_by_a_manager(server, mailbox, desk, made, folders[0], 2, "fr")
    page = on_the_page(server, desk, **flat(person(4)), supplied_by="manager", supplier=SUPPLIER, name=folders[0]["name"], why=folders[0]["why"], language="en")
    made = re.fullmatch(r"/staff/people/(\w{26})\?done=account_opened", page.expect(200).path)[1]
    supplied_by_a_manager(server, mailbox, desk, made, folders[0], 4, "en")
    opened_by_others(server, mailbox, manager, folders)
    with part("who supplied their own data is told of nobody else"):
        ident = desk.post("/v1/accounts", {"data": person(3), "folders": folders, "supplied_by": "person"}).expect(201).json["id"]
        one = invited(server, mailbox, "marguerite.3@regie.example")
        file = one.get(f"/v1/subjects/{ident}/access").expect(200).json
        check(file["source"] == "person" and {source for _, source in sources_of(file)} == {"person"}, f"{file['source']}, {sources_of(file)}")
        mailbox.none_within(0.3, "marguerite.3@regie.example", "opened_by_other")
        check(server.operator().get("/v1/duties").expect(200).json["duties"] == [], "somebody is owed a word")
    desk.post("/v1/accounts", {"data": person(5), "folders": folders}) \
        .refused("missing-field", status=422, field="supplied_by", clause="^sources$")
    desk.post("/v1/accounts", {"data": person(5), "folders": folders, "supplied_by": "a friend"}).refused("undeclared", status=422, clause="^sources$")
    opened_by_whom(server, folders)
    check_absent([SUPPLIER, "Audiences de Planted"], server.data)


@promise("MX-09")
def backup_restores(t):
    """An online backup under load restores to the last acknowledged write."""
    server = t.server()
    client, made, stop = server.client("app"), {}, threading.Event()

    def write(thread):
        number = thread * 100_000
        while not stop.is_set():
            number += 1
            made[client.create(person(number))["id"]] = person(number)
    threads = [threading.Thread(target=write, args=(n,), daemon=True) for n in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    with part("an online backup under load"):
        before, first, written = dict(made), t.path("under-load"), t.path("by-command")
        server.operator(timeout=120).post("/v1/backup", {"to": first}).expect(200)
        server.run("backup", written)
        going_on = len(made)
        wait_for(lambda: len(made) > going_on)
        check(len(before) > 20, f"no load before the backup: {len(before)}")
    stop.set()
    for thread in threads:
        thread.join()
    last = t.path("last")
    server.operator(timeout=120).post("/v1/backup", {"to": last}).expect(200)
    with part("restored to the last acknowledged write"):
        for copy, expected in ((first, before), (written, before), (last, dict(made))):
            after = client.create(person(999_000 + len(expected) + len(copy)))["id"]       # what came after the backup is not in it
            server.stop()
            garant("restore", copy, "--data", server.data)
            server.start()
            for ident, data in expected.items():
                held = client.read(ident, "service").expect(200).json["data"]
                check({name: held[name] for name in data} == data, f"{ident} was restored as {held}")
            client.read(after, "service").refused("not-found", status=404)
            server.operator().post("/v1/journal/verify").expect(200)
            server.run("verify")


def held_and_owed(server, desk, ident, plant):
    """What is written of what keeps data, of duties, and in answers that are kept for a repetition: read again by whom it is for."""
    operator, app = server.operator(), server.client("app")
    reference = plant("ground")
    hold = {"category": "identity", "ground": reference}
    for _ in range(2):
        operator.post(f"/v1/subjects/{ident}/holds", hold, key="the-hold-" + ident).expect(201)
    check(reference in app.get(f"/v1/subjects/{ident}/access").expect(200).body.decode(), "the ground is not told")
    for duty in operator.get("/v1/duties").expect(200).json["duties"]:
        operator.post(f"/v1/duties/{duty['id']}/done", {"outcome": "done", "note": plant("note")}).expect(204)
    gone = app.create(person(8))["id"]
    operator.post(f"/v1/subjects/{gone}/holds", {"category": "identity", "ground": plant("after")}).expect(201)
    certified = [app.post(f"/v1/subjects/{gone}/erase", {}, key="the-end-" + gone).expect(200).body for _ in range(2)]
    check(certified[0] == certified[1] and plant("after").encode() in certified[0], f"the certificate: {certified[0]}")


def planted_by_every_door(server, mailbox):
    """Values that came in by staff, person, program and operator, in whatever they may write: each stands somewhere in an answer."""
    planted, operator = [], server.operator()
    desk, manager, analyst = (in_role(server, number, role) for number, role in ((901, "account_staff"), (902, "manager"), (903, "analyst")))

    def plant(what):
        planted.append(f"planted-{what}-Zorglub")
        return planted[-1]
    operator.post(f"/v1/accounts/{desk.id}/agreement", {"date": "2026-01-06", "reference": plant("agreement")}).expect(200)
    folder = {"folder": "dossier", "name": plant("folder"), "why": plant("why")}
    ident = desk.post("/v1/accounts", {"data": person(6), "folders": [folder], "supplied_by": "manager", "supplier": plant("supplier"),
                                       "manager": manager.id}).expect(201).json["id"]
    one, path = invited(server, mailbox, "marguerite.6@regie.example"), f"/v1/subjects/{ident}"
    operator.put(path + "/restriction", {"ground": plant("restriction")}).expect(204)
    operator.delete(path + "/restriction").expect(204)
    desk.post(path + "/messages", {"purpose": "service_messages", "subject": plant("subject"), "text": plant("text")}).expect(202)
    desk.post(path + "/calls", {"purpose": "service_messages", "subject": plant("call")}).expect(201)
    one.put("/v1/me/preferences/preferences/" + plant("dashboard"), {"dashboard.items": 12}).expect(200)
    analyst.get(path + "?purpose=statistics", **{"Garant-Reason": plant("reason")}).expect(200)
    server.client("app").request("POST", f"{path}/attachments?category=identity&name={plant('file')}", plant("content").encode(),
                                 [("Content-Type", "text/plain")]).expect(201)
    Visitor(server, headers={"User-Agent": plant("agent")}).sign_in("marguerite.6@regie.example").get("/v1/session").expect(200)
    one.put(path + "/objections/improvement").expect(204)
    operator.post(path + "/objections/improvement/decision", {"decision": "overridden", "reason": plant("decision")}).expect(204)
    third = desk.post("/v1/subjects", {"data": person(7), "source": "manager", "supplied_by": plant("supplied")}).expect(201).json["id"]
    held_and_owed(server, desk, third, plant)
    desk.request("DELETE", path + "/folders", {"folder": "dossier", "name": folder["name"], "why": plant("revoked")}).expect(204)
    told = one.get(path + "/access").expect(200).body.decode()
    kept = [value for value in planted if value in told]
    check(len(kept) >= 9, f"little of what was planted is held: {kept}")          # a message only until it is sent
    return planted + values(person(6)) + values(person(7))


@promise("MX-11")
def nothing_in_clear(t):
    """No planted value is found by a byte search of every data file, in use, at rest and in a backup."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now="2026-11-22T10:00:00Z", arguments=mailbox.arguments())
    client, planted = server.client("app"), planted_by_every_door(server, mailbox)
    for number in range(1001, 1005):
        data = person(number)
        planted += values(data)
        ident = client.create(data)["id"]
        client.record(ident, "access", {"folder": f"planted-folder-{number}", "granted_by": f"planted-granter-{number}"}).expect(201)
        client.record(ident, "connection", {"at": "2026-11-21T10:00:00Z", "browser": f"PlantedBrowser/{number}",
                                            "result": "success"}).expect(201)
        client.change(ident, "service", {"identity": {"last_name": f"Nouveau-{number}"}}).expect(200)
        client.lookup({"contact.email": data["contact"]["email"]}, "service").expect(200)
        client.post("/v1/subjects", {"data": data, "source": "person"}).refused("conflict", status=409)
        client.get(f"/v1/subjects/{ident}/access").expect(200)
        client.export(ident)
        planted += [f"planted-folder-{number}", f"planted-granter-{number}", f"PlantedBrowser/{number}", f"Nouveau-{number}"]
    check_searchable(planted[:6], t.folder)
    with part("no planted value in any file while in use"):
        check_absent(planted, server.folder)
    with part("grounds of holds, notes of duties and names of tokens are sealed or not personal"):
        written = [value for value in planted if value.startswith(("planted-ground", "planted-note", "planted-after"))]
        check(len(set(written)) == 3, f"{written}")
        check_absent(written, server.folder)
        server.operator().post("/v1/tokens", {"name": "Zoé Planted <zoe@regie.example>", "actor": "app"}).refused("invalid-value", status=422)
    copy, by_command = t.path("backup"), t.path("by-command")
    server.operator().post("/v1/backup", {"to": copy, "keys": True}).expect(200)
    server.run("backup", by_command, "--keys")
    with part("none in a backup"):
        check(all(os.path.getsize(os.path.join(folder, "data.db")) > 10_000 for folder in (copy, by_command)), "there is nothing to search in")
        check_absent(planted, copy, by_command)
    server.stop()
    with part("none at rest"):
        check(any(os.path.getsize(os.path.join(server.data, name)) > 10_000 for name in os.listdir(server.data)), "there is nothing to search in")
        check_absent(planted, server.folder)


def profile_corrects(server, boss):
    """The same in the person's own page: added and updated there, the former value seen there and by nobody else there, and gone at its term."""
    dossier = [{"folder": "dossier", "name": "A", "why": "B"}]
    browser, ident = member(server, person(15), "marguerite.15@regie.example", opener=boss, folders=dossier)
    other, _ = member(server, person(16), "marguerite.16@regie.example", opener=boss, folders=dossier)
    typed = {"contact.address": "2 quai de la Planted-Nouvelle"}
    with part("a rectification keeps the former value"):
        changed = browser.submit(browser.get("/me/edit/contact"), "/me/edit/contact", fields=typed).expect(200)
    with part("the person reads it"):
        changed.has("2 quai de la Planted-Nouvelle", word("card.before") + " 15 avenue de la Planted-Adresse")
        browser.get("/me/edit/contact").expect(200).has(word("edit.formers"), "15 avenue de la Planted-Adresse")
    with part("entitled staff read it"):
        rows = boss.get(f"/v1/subjects/{ident}/former").expect(200).json["former"]
        check([row["value"] for row in rows] == ["15 avenue de la Planted-Adresse"], f"entitled staff read {rows}")
    with part("nobody else reads it"):
        other.get("/me").expect(200).lacks("15 avenue de la Planted-Adresse")
    with part("its own retention"):
        server.set_clock(add_months(server.now(), 12) - DAY)
        server.sweep()
        browser.sign_in("marguerite.15@regie.example", PASSWORD)
        browser.get("/me").expect(200).has("15 avenue de la Planted-Adresse")
        server.advance(days=2)
        server.sweep()
        browser.sign_in("marguerite.15@regie.example", PASSWORD)
        browser.get("/me").expect(200).has("2 quai de la Planted-Nouvelle").lacks("15 avenue de la Planted-Adresse")


@promise("MX-13")
def own_page(t):
    """Their page and the export hold name, address, e-mail, rights and navigation history, each of them whole; and nobody else's."""
    server = t.server(now="2026-11-22T10:00:00Z")
    app = server.client("app")
    boss = staff(server, person(90), "marguerite.90@regie.example", "account_staff")
    folders = [{"folder": "dossier", "name": "Planted grille du soir", "why": "Suit la planted-chaîne"},
               {"folder": "dossier", "name": "Planted audiences", "why": "Remplace une planted-collègue", "until": "2026-12-31"}]
    browser, ident = member(server, person(13), "marguerite.13@regie.example", opener=boss, folders=folders)
    other, _ = member(server, person(14), "marguerite.14@regie.example", opener=boss,
                      folders=[{"folder": "dossier", "name": "Planted autre dossier", "why": "Autre motif"}])
    boss.request("DELETE", f"/v1/subjects/{ident}/folders", {"folder": "dossier", "name": "Planted audiences", "why": "Planted fin de mission"}).expect(204)
    visits = 123
    for number in range(visits):
        server.advance(minutes=7)
        app.record(ident, "usage", {"at": f"2026-11-22T10:{number % 60:02}:{number // 60:02}Z", "page": f"/planted/tableau-{number:03}", "action": "view"}) \
           .expect(201)
    browser.sign_in("marguerite.13@regie.example", PASSWORD)
    with part("the page holds all five"):
        browser.get("/me").expect(200).has("Marguerite-13", "Desrosiers-13", "13 avenue de la Planted-Adresse", "marguerite.13@regie.example",
                                           "Régie Planted 13")
        rights = browser.get("/me/rights").expect(200)
        rights.has("Planted grille du soir", "Suit la planted-chaîne", "Planted audiences", "Remplace une planted-collègue", word("rights.act.granted"),
                   word("rights.act.revoked"), "Planted fin de mission")
        signins = browser.get("/me/history").expect(200).read.text
        check(signins.count("127.0.0.1") >= 2, f"the sign-ins are not in the history: {signins}")
    with part("complete"):
        pages, number = [], 1
        while number:
            pages.append(browser.get(f"/me/history?of=usage&page={number}").expect(200))
            number = number + 1 if f"/me/history?of=usage&page={number + 1}" in pages[-1].read.links else 0
        shown = re.findall(r"/planted/tableau-(\d+)", " ".join(page.read.text for page in pages))
        check(sorted(map(int, shown)) == list(range(visits)), f"{len(shown)} of {visits} visits are shown, on {len(pages)} pages")
    taken = browser.submit(browser.get("/me/export"), "/me/export").expect(200)
    by_command = t.path("export.zip")
    server.run("export", ident, "--to", by_command)
    with open(by_command, "rb") as file:
        exports = [taken.body, visitor(server, "marguerite.13@regie.example").get(f"/v1/subjects/{ident}/export").expect(200).body, file.read()]
    for body in exports:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            data, page = json.loads(archive.read("data.json")), html.unescape(archive.read("index.html").decode())
        with part("the export holds all five"):
            check(data["data"]["identity"] == person(13)["identity"] and data["data"]["contact"] == person(13)["contact"], "the export lacks who they are")
            check({f["name"] for f in data["folders"]} == {"Planted grille du soir", "Planted audiences"}, f"the export's rights: {data['folders']}")
            check("/planted/tableau-122" in page and "13 avenue de la Planted-Adresse" in page, "the export's page lacks them")
        with part("complete"):
            check([row["fields"]["page"] for row in data["data"]["usage"]] == [f"/planted/tableau-{n:03}" for n in range(visits)], "the export's history")
    with part("nobody else's"):
        for path in ("/me", "/me/rights", "/me/history", "/me/history?of=usage", "/me/looks"):
            text = other.get(path).expect(200).read.text
            check("Desrosiers-13" not in text and "Planted audiences" not in text and "tableau" not in text, f"{path} of another shows this person's")
        colleague = visitor(server, "marguerite.14@regie.example")
        for path in ("access", "export", "looks", "folders", "former"):
            colleague.get(f"/v1/subjects/{ident}/{path}").refused("not-found", status=404, clause="^rights$")


@promise("MX-15")
def former_values(t):
    """A rectification keeps the former value, for the person and entitled staff only, under its own retention."""
    server = t.server(now="2026-11-22T10:00:00Z")
    client, boss = server.client("app"), in_role(server, 90, "account_staff")
    ident = opened(server, person(1), opener=boss, folders=FOLDERS)
    one, former = visitor(server, "marguerite.1@regie.example"), f"/v1/subjects/{ident}/former"

    def kept(who=client):
        return {(row["category"], row["field"]): row["value"] for row in who.get(former).expect(200).json["former"]}
    with part("a rectification keeps the former value"):
        check(kept() == {}, "there are former values before any change")
        client.change(ident, "service", {"identity": {"last_name": "Rectifiée"}}).expect(200)
        check(client.read(ident, "service").expect(200).json["data"]["identity"]["last_name"] == "Rectifiée", "the change is not held")
        boss.change(ident, "service", {"work": {"site": "Agence nouvelle"}}).expect(200)
        version = client.read(ident, "service").expect(200).json["version"]
        one.patch(f"/v1/subjects/{ident}", {"contact": {"phone": None}}, etag=f'"{version}"').expect(200)
        server.run("subject", "patch", ident, "--version", version + 1, "--source", "person", given=json.dumps({"work": {"company": "Régie nouvelle"}}))
        client.change(ident, "service", {"contact": {"address": "1 rue ajoutée"}, "identity": {"first_name": "Marguerite-1"}}).expect(200)
    values_kept = {("identity", "last_name"): "Desrosiers-1", ("work", "site"): "Agence Planted 1", ("work", "company"): "Régie Planted 1",
                   ("contact", "phone"): "+33123450001", ("contact", "address"): "1 avenue de la Planted-Adresse"}
    with part("entitled staff read it"):
        check(kept() == values_kept and kept(boss) == values_kept, f"former values: {kept()}")
        told = json.loads(server.run("subject", "former", ident, "--json"))["former"]
        check({(row["category"], row["field"]): row["value"] for row in told} == values_kept, f"by the command: {told}")
    with part("the person reads it"):
        check(kept(one) == values_kept, f"the person reads {kept(one)}")
        for text in (one.get(f"/v1/subjects/{ident}/access").expect(200).body, one.export(ident)[0]["data.json"], one.export(ident)[0]["index.html"]):
            check(b"Desrosiers-1" in text and b"Agence Planted 1" in text, "the person does not see the former values")
    with part("nobody else reads it"):
        manager, analyst = in_role(server, 91, "manager"), in_role(server, 92, "analyst")
        server.operator().put(f"/v1/accounts/{ident}/manager", {"manager": manager.id}).expect(204)
        opened(server, person(2), opener=boss, folders=FOLDERS)
        server.client("tracker").get(former).refused("forbidden", status=403, clause=r"^systems\.tracker$")
        manager.get(former).refused("forbidden", status=403, clause=r"^roles\.manager$")
        analyst.get(former, **{"Garant-Reason": "figures"}).refused("forbidden", status=403, clause=r"^roles\.analyst$")
        visitor(server, "marguerite.2@regie.example").get(former).refused("not-found", status=404, clause="^rights$")
        server.anyone().get(former).refused("unauthorised", status=401)
        shown = form(manager, f"/staff/people/{ident}", purpose="access_rights").expect(200).body.decode()
        check("Rectifiée" in shown and "Desrosiers-1" not in shown, "the page for managers shows what was there before")
    # Their own term: 12 months from the change, while the data itself stays.
    with part("its own retention"):
        end = add_months(server.now(), 12)
        server.set_clock(end - DAY)
        server.sweep()
        check(kept() == values_kept, f"gone before their term: {kept()}")
        server.set_clock(end + DAY)
        server.sweep()
        check(kept() == {}, "kept beyond their term")
        check(client.read(ident, "service").expect(200).json["data"]["identity"]["last_name"] == "Rectifiée", "the data went with them")
    profile_corrects(server, in_role(server, 93, "account_staff"))


@further("MX-13")
def history_by_visits(t):
    """Their history stands as visits of a day, with pages, downloads, errors and how long; by day and by what is looked for; and of nobody else."""
    server = t.server(now="2026-11-22T20:00:00Z")
    tracker, app = server.client("tracker"), server.client("app")
    browser, ident = member(server, person(13), "marguerite.13@regie.example")
    other = app.create(person(14))["id"]
    happened = [("21T09:00", "/planted/matin", {}), ("21T09:20", "/planted/grille", {"action": "download"}),
                ("21T09:49", "/planted/Éphémère", {"error": "503"}), ("21T10:20", "/planted/seconde", {}), ("22T18:00", "/planted/soir", {})]
    for who, stem in ((ident, "a"), (other, "b")):
        tracker.post("/v1/usage", {"events": [
            {"id": f"{stem}{number}", "subject": who, "at": f"2026-11-{at}:00Z",
             "fields": {"action": "view", "page": page + ("" if stem == "a" else "-autrui"), **more}}
            for number, (at, page, more) in enumerate(happened)]}).expect(200)

    def visits(query=""):
        """(events, minutes, downloads, errors) of each visit that the page shows, newest first, and the pages in it."""
        body = html.unescape(browser.get(f"/me/history?lang=en{query}").expect(200).body.decode()).replace("\u00a0", " ").replace("\u202f", " ")
        part_of = body[body.index('id="s-usage"'):]
        heads = re.findall(
            r'class="visit">.*?<p class="aside">(\d+) events?(?:, (\d+) minutes?)?(?:, (\d+) downloads?)?(?:, (\d+) errors?)?</p>', part_of, re.S)
        check("autrui" not in body, "somebody else's")
        return [tuple(int(one or 0) for one in head) for head in heads], re.findall(r"/planted/[\w-]+", part_of)
    check(visits() == ([(1, 0, 0, 0), (1, 0, 0, 0), (3, 49, 1, 1)],
                       ["/planted/soir", "/planted/seconde", "/planted/Éphémère", "/planted/grille", "/planted/matin"]), f"the visits: {visits()}")
    for day in ("2026-11-21", "21/11/2026"):
        check([head[0] for head in visits("&day=" + day)[0]] == [1, 3], f"of {day}: {visits('&day=' + day)}")
    for text in ("ÉPHÉ", "éphémère"):
        check(visits("&find=" + urllib.parse.quote(text))[1] == ["/planted/Éphémère"], f"{text}")
    check(visits("&find=grille&day=2026-11-22") == ([], []), "found on another day")
    browser.get("/me/history?lang=en&find=absent").expect(200).has(word("history.none_found"))
    browser.get("/me/history?day=demain").expect(422)


ENDS = {"access_rights": {"identity", "contact", "work", "access"}, "closing": {"identity", "contact", "work", "access"}, "improvement": {"identity", "usage"}}


def whole_person(server, clerk, number, manager):
    """An account of which something is held in every category, in that manager's team: its id."""
    ident, app = opened(server, person(number), opener=clerk, manager=manager.id, folders=FOLDERS), server.client("app")
    app.record(ident, "usage", {"at": "2026-11-21T09:30:00Z", "page": f"/planted/{number}", "action": "view"}).expect(201)
    app.put(f"/v1/subjects/{ident}/preferences/preferences/audiences", {"dashboard.items": 33}).expect(200)
    app.post(f"/v1/subjects/{ident}/calls", {"purpose": "service_messages", "subject": f"planted call {number}"}).expect(201)
    return ident


def team_for_three_ends(server, manager, mine, other):
    """By API and page: what each end gives, whole and no more; and the team's list, search and folders, of the team alone."""
    held = {**person(4), "usage": "/planted/4", "access": "audience-2026"}

    def shows(text, categories):
        for category, value in held.items():
            words = [value] if isinstance(value, str) else [v for field, v in value.items() if (category, field) != ("identity", "first_name")]
            for word in words:
                check((word in text) == (category in categories), f"{category}: {word} {'is not shown' if category in categories else 'is shown'}")
    with part("a manager sees their team for the three ends"):
        for end, categories in ENDS.items():
            data = manager.read(mine, end).expect(200).json["data"]
            check(set(data) <= categories and {c: data[c] for c in categories if c in person(4)} == {c: person(4)[c] for c in categories if c in person(4)},
                  f"{end} gives {data}")
            if end == "improvement":
                check([row["fields"]["page"] for row in data["usage"]] == ["/planted/4"], f"{data}")
            shown = html.unescape(form(manager, f"/staff/people/{mine}", purpose=end).expect(200).body.decode()).split("<main")[1]
            shows(shown, categories)
        for purpose in ENDS:
            if "contact" in ENDS[purpose]:
                found = manager.lookup({"contact.email": "marguerite.4@regie.example"}, purpose).expect(200).json["id"]
                check(found == mine, "the team is not found")
        check([row["id"] for row in manager.get("/v1/accounts").expect(200).json["accounts"]] == [mine], "the list is not the team")
        check([row["name"] for row in manager.get(f"/v1/subjects/{mine}/folders").expect(200).json["folders"]] == ["audience-2026"], "their folders")
        check("audience-2026" in manager.get(f"/staff/people/{mine}/folders").expect(200).body.decode(), "their folders' page")
    with part("a manager sees nothing else"):
        listed_page = manager.get("/staff/people").expect(200).body.decode()
        check(mine in listed_page and other not in listed_page, "the page's list is not the team")
        for end, categories in ENDS.items():
            for category in {"identity", "contact", "work", "access", "preferences", "connection", "usage", "contacts"} - categories:
                manager.read(mine, end, [category]).refused("purpose-refused", status=403, clause=rf"^purposes\.{end}$")
        for path in ("former", "looks", "access", "export", "consents", "disclosures", "preferences", "contacts?purpose=access_rights"):
            manager.get(f"/v1/subjects/{mine}/{path}").refused("forbidden", "purpose-refused", status=403, clause=r"^(roles\.manager|purposes\.access_rights)$")
        for answer in (manager.get(f"/staff/people/{mine}/contacts"), form(manager, f"/staff/people/{mine}/contacts", purpose="access_rights")):
            check("planted call" not in answer.body.decode(), "the page shows what was said on the telephone")


def no_other_end(server, manager, mine):
    """Each other purpose of the policy, and those that it never has, by read, search, page and file."""
    purposes = server.operator().get("/v1/policy").expect(200).json["document"]["purposes"]
    others = [end for end in purposes if end not in ENDS]
    check(len(others) >= 5, f"the policy has few other ends: {others}")
    file = server.client("app").request("POST", f"/v1/subjects/{mine}/attachments?category=identity&name=a.txt", b"planted",
                                        [("Content-Type", "text/plain")]).expect(201).json["id"]
    with part("another end is refused with its clause"):
        for end in others:
            for answer in (manager.read(mine, end), manager.get(f"/v1/subjects/{mine}/attachments/{file}?purpose={end}"),
                           manager.lookup({"contact.email": "marguerite.4@regie.example"}, end),
                           manager.post("/v1/decisions", {"subject": mine, "purpose": end, "act": "read"})):
                answer.refused("forbidden", status=403, clause=r"^roles\.manager$", promise="MX-08")
            refused = form(manager, f"/staff/people/{mine}", purpose=end).expect(403).body.decode()
            check("roles.manager" in refused and "Desrosiers-4" not in refused, f"the page for {end}: {refused[-600:]}")
        for end, clause in (("sale", r"^never\.sale"), ("rent", r"^never\.sale"), ("curiosity", "^purposes$")):
            manager.read(mine, end).refused("purpose-refused", status=403, clause=clause)
        for end in ENDS:
            manager.get(f"/v1/subjects/{mine}/attachments/{file}?purpose={end}").expect(200)


def no_other_reader(server, mine, rival, stranger):
    """Another manager, a colleague, a role for its other ends, a program, nobody: each is refused by what it is."""
    analyst, tracker = in_role(server, 906, "analyst"), server.client("tracker")
    why = {"Garant-Reason": "quarterly figures"}
    with part("another reader is refused with the clause"):
        for path in (f"/v1/subjects/{mine}?purpose=access_rights", f"/v1/subjects/{mine}/folders", f"/v1/accounts/{mine}"):
            absent = rival.get(path).refused("not-found", status=404, clause=r"^roles\.manager$", promise="MX-08")
            nobody = rival.get(path.replace(mine, "01ARZ3NDEKTSV4RRFFQ69G5FAV")).refused("not-found", status=404, clause=r"^roles\.manager$")
            check(nobody == absent, f"absent and out of reach differ: {nobody} {absent}")
        rival.lookup({"contact.email": "marguerite.4@regie.example"}, "access_rights").refused("not-found", status=404, clause=r"^roles\.manager$")
        rival.patch(f"/v1/subjects/{mine}?purpose=access_rights", {"work": {"site": "Lyon"}}, etag="*") \
            .refused("not-found", status=404, clause=r"^roles\.manager$")
        for path in (f"/staff/people/{mine}", f"/staff/people/{mine}/folders"):
            rival.get(path, Accept="text/html").expect(404)
        check(mine not in rival.get("/staff/people").body.decode() + rival.get("/v1/accounts").body.decode(), "listed to another manager")
        for end in ENDS:
            stranger.read(mine, end).refused("forbidden", status=403, clause="^roles$")
            tracker.read(mine, end).refused("forbidden", status=403, clause=r"^systems\.tracker$")
            server.anyone().read(mine, end).refused("unauthorised", status=401)
        for end in ("access_rights", "closing"):
            analyst.get(f"/v1/subjects/{mine}?purpose={end}", **why).refused("forbidden", status=403, clause=r"^roles\.analyst$")
        for path in ("access", "export", "looks", "former", "folders", "consents"):
            stranger.get(f"/v1/subjects/{mine}/{path}").refused("not-found", status=404, clause="^rights$")
            server.anyone().get(f"/v1/subjects/{mine}/{path}").refused("unauthorised", status=401)
        for path in (f"/staff/people/{mine}", "/staff/people", "/staff/open"):
            check(stranger.get(path, Accept="text/html").status == 403, f"a colleague sees {path}")


def acts_of_a_manager(server, manager, mine, other):
    """Every act of the API: what the role says is done, all else is refused, and of another team nothing is there; nothing is given to anybody."""
    stage = Stage(server)
    stage.tokens["manager"] = server.operator().post("/v1/tokens", {"name": "of-manager", "actor": "manager", "holder": manager.id}).expect(201).json["token"]
    files = {name: stage.app.request("POST", f"/v1/subjects/{mine}/attachments?category={name}&name=a.txt", b"planted",
                                     [("Content-Type", "text/plain")]).expect(201).json["id"] for name in stage.policy.categories}
    with part("acts are held to the same ends"):
        case = acts.Case(stage, "manager", "MX-08")
        acts.decisions(case, mine)
        acts.reads(case, mine, files)
        acts.writes(case, mine)
        acts.sends(case, mine, "contact")
        acts.rights(case, mine)
        check(case.counts[True] > 20 and case.counts[False] > 60, f"{case.counts}")
        for method, path, body in (("POST", "disclosures", {"recipient": "anybody", "purpose": "access_rights", "categories": ["identity"]}),
                                   ("POST", "erase", {}), ("PUT", "restriction", {"ground": "x"}), ("POST", "holds", {"category": "identity", "ground": "x"}),
                                   ("DELETE", "records/usage", None), ("DELETE", f"attachments/{files['identity']}", None),
                                   ("POST", "calls", {"purpose": "service_messages", "subject": "a"})):
            manager.request(method, f"/v1/subjects/{mine}/{path}", body).refused("forbidden", status=403, clause=r"^roles\.manager$", promise="MX-08")
        for method in ("POST", "DELETE"):
            manager.request(method, f"/v1/subjects/{mine}/folders", {"folder": "dossier", "name": "audience-2026", "why": "w"}) \
                .refused("forbidden", status=403, clause=r"^folders\.dossier\.granted_by$")
        for method, path, body in (("PATCH", "?purpose=access_rights", {"work": {"site": "Lyon"}}), ("POST", "/records/usage", {"fields": {}}),
                                   ("POST", "/close", {}), ("POST", "/folders", {"folder": "dossier", "name": "A", "why": "B"})):
            manager.request(method, f"/v1/subjects/{other}{path}", body, [("If-Match", "*")]).refused("not-found", status=404, clause=r"^roles\.manager$")
        folder, message = {"folder": "dossier", "name": "A", "why": "B"}, {"purpose": "service_messages", "subject": "a"}
        for path, fields in (("close", {}), ("invite", {}), ("grant", folder), ("revoke", folder), ("calls", message), ("messages", {**message, "text": "b"})):
            answer = form(manager, f"/staff/people/{other}/{path}", **fields)
            check(answer.status in (403, 404) and "Desrosiers-5" not in answer.body.decode(), f"{path} of another team: {answer.status}")
        check(server.client("app").read(other, "service").expect(200).json["data"]["work"] == person(5)["work"], "changed by another team's manager")


def each_look(server, one, manager, mine):
    """What was looked at, by whom, for what: in the person's own view, over the API and on the page in both languages, and in the journal."""
    with part("each look is logged"):
        before, size = len(looks(one)), server.operator().post("/v1/journal/verify").expect(200).json["size"]
        for end in ENDS:
            manager.read(mine, end).expect(200)
            form(manager, f"/staff/people/{mine}", purpose=end).expect(200)
        manager.lookup({"contact.email": "marguerite.4@regie.example"}, "closing").expect(200)
        manager.get(f"/v1/subjects/{mine}/folders").expect(200)
        manager.get(f"/v1/accounts/{mine}").expect(200)
        manager.get(f"/v1/accounts/{mine}?purpose=closing").expect(200)
        manager.read(mine, "service").refused("forbidden", status=403)
        form(manager, f"/staff/people/{mine}", purpose="statistics").expect(403)
        seen = [look for look in looks(one)[before:] if look["actor"] == "manager"]
        accounts = [look["purpose"] for look in seen if look["act"] == "account.read"]
        check(accounts.count("closing") >= 1 and None in accounts and set(accounts) <= {None, *ENDS}, f"a purpose that nobody named: {accounts}")
        told = [(look["act"], look["purpose"], look["outcome"]) for look in seen if look["act"] != "account.read"]
        expected = [("read", end, "done") for end in ENDS for _ in range(2)] + [("subject.lookup", "closing", "done"), ("read", "access_rights", "done"),
                                                                                ("refusal", "service", "refused"), ("refusal", "statistics", "refused")]
        check(sorted(told) == sorted(expected), f"the person is told of {told}")
        journal = Journal(server).since(size)
        check([entry["purpose"] for entry in journal if entry["actor"] == "manager" and entry["act"] == "read"] ==
              [end for end in ENDS for _ in range(2)] + ["access_rights"], f"on record: {journal}")
        check(server.operator().post("/v1/journal/verify").expect(200).json["size"] >= size + len(expected), "the journal")
        for language, words in (("en", ("Line manager", "Close an account", "Improve functions and mend errors")),
                                ("fr", ("Responsable hiérarchique", "Fermer un compte", "Améliorer les fonctions et corriger les erreurs"))):
            shown = html.unescape(one.get(f"/me/looks?lang={language}").expect(200).body.decode())
            check(all(word in shown for word in words), f"the page in {language} does not tell of the looks")


def moved_to_another_team(server, manager, rival, mine):
    """Who has another manager is that one's at once and nobody else's; a token that stands for no manager in person reaches nobody."""
    move = f"/v1/accounts/{mine}/manager"
    with part("a manager sees nothing else"):
        server.client("manager").read(mine, "closing").refused("not-found", status=404, clause=r"^roles\.manager$")
        for was, now in ((manager, rival), (rival, manager)):
            server.operator().put(move, {"manager": now.id}).expect(204)
            now.read(mine, "closing").expect(200)
            was.read(mine, "closing").refused("not-found", status=404, clause=r"^roles\.manager$")
            check(mine not in was.get("/v1/accounts").expect(200).body.decode() and was.get(f"/staff/people/{mine}", Accept="text/html").status == 404,
                  "still in the former manager's list")
        server.operator().put(f"/v1/accounts/{rival.id}/role", {"role": None}).expect(204)
        rival.read(mine, "closing").refused("unauthorised", status=401)


@promise("MX-08")
def shared_with_manager_for_three_ends(t):
    """Besides the person, their manager reads them, for access rights, closing and improvement alone; each look is on the person's own page,
    each other end is refused by its clause, and other teams are not there at all."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now="2026-11-22T10:00:00Z", arguments=mailbox.arguments())
    clerk, manager, rival = in_role(server, 901, "account_staff"), in_role(server, 902, "manager"), in_role(server, 903, "manager")
    mine, other = whole_person(server, clerk, 4, manager), whole_person(server, clerk, 5, rival)
    one, stranger = visitor(server, "marguerite.4@regie.example"), visitor(server, "marguerite.5@regie.example")
    each_look(server, one, manager, mine)
    team_for_three_ends(server, manager, mine, other)
    no_other_end(server, manager, mine)
    no_other_reader(server, mine, rival, stranger)
    acts_of_a_manager(server, manager, mine, other)
    moved_to_another_team(server, manager, rival, mine)
    # What a manager may do about it: closing, after which nobody is there.
    stranger.post(f"/v1/subjects/{mine}/close", {}).refused("forbidden", status=403, clause="^roles$")
    own = one.get(f"/v1/subjects/{mine}/access").expect(200).json["data"]["contact"]["email"]
    check(own == "marguerite.4@regie.example", "not the person themselves")
    with part("acts are held to the same ends"):
        form(manager, f"/staff/people/{mine}/close").expect(303)
        manager.read(mine, "access_rights").refused("not-found", status=404, clause=r"^roles\.manager$")
        one.get("/v1/session").refused("unauthorised", status=401)


def looks(one):
    """What the person is told of who looked, oldest first."""
    return one.get(f"/v1/subjects/{one.id}/access").expect(200).json["looks"][::-1]


FOLDERS = [{"folder": "dossier", "name": "audience-2026", "why": "planted"}]
OWN_PAGES = ("/me", "/me/rights", "/me/consents", "/me/looks", "/me/history", "/me/sessions", "/me/export", "/me/erase", "/me/security")


def portal_person(t, number=7):
    """A server, and somebody with an account of whom a browser is signed in."""
    server = t.server(now="2026-11-22T09:00:00Z")
    clerk = staff(server, person(900), "marguerite.900@regie.example", "account_staff")
    opened(server, person(number), opener=clerk, folders=FOLDERS)
    clerk.delete("/v1/session").expect(204)
    browser = Browser(server)
    browser.sign_in(f"marguerite.{number}@regie.example", PASSWORD)
    return server, browser


@promise("MX-07")
def only_declared_cookies(t):
    """Only the declared cookie ever leaves; the session ends after half an hour without use, by page and API, and slides with use of either."""
    server, browser = portal_person(t)
    address, ident = "marguerite.7@regie.example", Visitor(server).sign_in("marguerite.7@regie.example").id
    declared = server.client("app").get("/v1/policy").expect(200).json["document"]["cookies"]
    version = server.anyone().get("/v1/policy/versions").expect(200).json["versions"][0]["hash"]
    paths = pages_of(server, category="contact", id=ident, hash=version, older=version, newer=version, token="A" * 43)
    with part("no undeclared cookie leaves the server"):
        stranger = Browser(server)
        for one in (browser, stranger):
            for path in (*paths, "/nowhere", "/healthz", "/openapi.json", "/v1/session", "/v1/me/preferences", "/v1/forward-auth", "/robots.txt"):
                one.send("GET", path, headers={"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/", "X-Forwarded-Host": "regie.example"})
        stranger.send("POST", "/v1/session", {"identifier": "nobody@regie.example", "password": "wrong"})
        stranger.submit(stranger.get("/signin"), "/signin", identifier=address, password="wrong")
        cookies = {said.split("=")[0] for page in browser.seen + stranger.seen for name, said in page.headers.items() if name == "set-cookie"}
        check(len(browser.seen) > 35 and cookies == {"__Host-sid"} and set(declared) == {"sid"}, f"cookies {cookies}, declared {set(declared)}")
        check(not [page.path for page in stranger.seen if page.status == 200 and "set-cookie" in page.headers], "a cookie for somebody who is not signed in")
        said = next(page.headers["set-cookie"] for page in browser.seen if "set-cookie" in page.headers)
        check(all(word in said for word in ("HttpOnly", "Secure", "SameSite=Lax", "Path=/")) and "Domain" not in said, said)
        # A policy that declares no cookie for it has no sessions: nothing is set that people were not told of.
        bare = t.server(policy=t.copy_of_policy(lambda text: text.replace("exempt: authentication", "exempt: load_balancing")))
        opened(bare, person(8), role="account_staff")
        answer = Visitor(bare).post("/v1/session", {"identifier": "marguerite.8@regie.example", "password": PASSWORD})
        answer.refused("forbidden", status=403, clause=r"^security\.session$")
        check("set-cookie" not in answer.headers, "a cookie that is not declared was set")
    with part("reserved data needs the session"):
        reserved = [path for path in paths if path.startswith(("/me", "/staff", "/privacy/acknowledge", "/signin/again"))]
        check(len(reserved) > 18, f"few pages are reserved: {reserved}")
        for path in reserved:
            asked = stranger.send("GET", path)
            check(asked.status == 303 and asked.headers["location"].startswith("/signin?next="), f"{path} without a session: {asked.status}")
            check("Desrosiers" not in asked.html, f"{path} shows what is reserved")
        for path in ("/v1/session", "/v1/me/sessions", "/v1/me/folders", "/v1/me/preferences", f"/v1/subjects/{ident}/access", f"/v1/subjects/{ident}/export"):
            Visitor(server).get(path).refused("unauthorised", status=401)
    by_api, idle = visitor(server, address), visitor(server, address)
    browser.send("GET", "/me")
    with part("activity makes it slide"):
        for _ in range(5):                                           # two hours and a half in steps of 29 minutes
            server.advance(minutes=29)
            page = browser.send("GET", "/me")
            check(page.status == 200, f"a session in use ended: {page.status} {page.headers} {page.body[:300]}")
            by_api.get("/v1/me/preferences").expect(200)
    with part("idle beyond the limit is refused"):
        idle.get("/v1/session").refused("unauthorised", status=401)
        server.advance(minutes=30)
        gone = browser.send("GET", "/me")
        check(gone.status == 303 and gone.headers["location"].startswith("/signin?next=%2Fme"), f"idle for half an hour: {gone.status}")
        by_api.get("/v1/me/preferences").refused("unauthorised", status=401)
        by_api.put("/v1/me/preferences/preferences/a", {"dashboard.items": 10}).refused("unauthorised", status=401)
    server.restart()

    def board():
        return {one["name"]: one["state"] for one in server.operator().get("/v1/promises?fresh=true").expect(200).json["probes"]}
    wait_for(lambda: board()["cookies"] == board()["sessions"] == "kept")


def leaves(page):
    """Whether the page lets who is signed in sign out with one press."""
    out = [form for form in page.read.forms if form["action"].split("?")[0] == "/signout"]
    return len(out) == 1 and out[0]["method"] == "post" and len(out[0]["buttons"]) == 1 and all(f.get("type") == "hidden" for f in out[0]["fields"])


def sign_out_everywhere(server, ident, person_, clerk):
    """Of every page, and of what is shown instead of one, as a person without a role sees it and as staff do."""
    version = server.anyone().get("/v1/policy/versions").expect(200).json["versions"][0]["hash"]
    known = {"category": "contact", "id": ident, "hash": version, "older": version, "newer": version, "token": "A" * 43}
    paths = pages_of(server, **known)
    check(len(paths) > 30, f"few pages: {paths}")
    seen, without = {}, []
    for who, browser in (("person", person_), ("staff", clerk)):
        for path in (*paths, "/me/preferences/preferences", "/nothing-here", "/me/edit/nothing", "/me/history?page=no"):
            query = {"/leave": "?to=nobody", "/signin/again": "?next=%2Fme", "/invitation": "?token=" + "A" * 43,
                     "/registration": "?token=" + "A" * 43, "/confirm": "?token=" + "A" * 43}
            page = browser.send("GET", path + query.get(path, ""))
            if page.status in (302, 303):                            # it leads to another page
                continue
            check(page.type.startswith("text/html"), f"{path} is {page.type}")
            without += [] if leaves(page) else [f"{who} {path} ({page.status})"]
            seen[page.status] = seen.get(page.status, 0) + 1
        check(browser.send("GET", "/me").status == 200, f"{who}: no longer signed in")
    check(not without, f"no way to sign out on {', '.join(without)}")
    check(seen[200] > 45 and seen[404] >= 6 and seen[400] >= 2 and seen[403] >= 4, f"pages seen by status: {seen}")
    refused = person_.submit(person_.get("/me/edit/contact"), "/me/edit/contact", fields={"contact.phone": "no number"})
    check(refused.status == 422 and leaves(refused), f"no way to sign out on a form that is refused: {refused.status}")


def back_shows_nothing(t, server, address, secrets):
    """In Chromium: signed out here or from elsewhere, neither back nor forward shows what the pages held."""
    told = t.path("back.json")
    with open(told, "w", encoding="utf-8") as file:
        json.dump({"origin": f"http://127.0.0.1:{server.port}", "identifier": address, "password": PASSWORD, "secrets": secrets,
                   "paths": ["/me", "/me/rights"]}, file)
    run = subprocess.run(["node", os.path.join(TOP, "tests/browser/back.mjs"), told], capture_output=True, text=True, timeout=900)
    doors.used("page", "back and forward in Chromium")
    check(run.returncode == 0 and not run.stdout, f"who sits down next: {run.stdout}{run.stderr}")


@promise("MX-12")
def people_sign_out(t):
    """Signing out stands on every page, here and on all devices, and leaves nothing that the back button shows."""
    server = t.server(now="2026-11-22T09:00:00Z")
    boss = in_role(server, 900, "account_staff")
    ident = opened(server, person(7), opener=boss, folders=FOLDERS)
    boss.read(ident, "service").expect(200)
    address = "marguerite.7@regie.example"
    browser, clerk = Browser(server), Browser(server)
    browser.sign_in(address, PASSWORD).expect(200)
    clerk.cookies = dict(boss.cookies)
    with part("sign-out on every page"):
        sign_out_everywhere(server, ident, browser, clerk)
    signed_out_here(server, browser, address)
    with part("sign-out of all devices"):
        for way in ("API", "page"):
            phone, tablet, here = visitor(server, address), visitor(server, address), Browser(server)
            here.sign_in(address, PASSWORD).expect(200)
            if way == "page":
                sessions = here.get("/me/sessions").expect(200)
                check(len([form for form in sessions.read.forms if form["action"] == "/me/sessions"]) == 3, "not each device has its own, and all theirs")
                here.submit(sessions, "/me/sessions", like={"session": "others"}).expect(200)
            else:
                api = Visitor(server)
                api.cookies = here.cookies
                api.csrf = api.get("/v1/session").expect(200).json["csrf"]
                api.delete("/v1/me/sessions").expect(204)
                check(len(api.get("/v1/me/sessions").expect(200).json["sessions"]) == 1, "others are still listed")
            for one in (phone, tablet):
                one.get("/v1/session").refused("unauthorised", status=401)
            check(here.send("GET", "/me").status == 200, "signed out here too, which nobody asked for")
            here.submit(here.get("/me"), "/signout").expect(200)
            check(here.send("GET", "/me").status == 303, "still signed in here")
    with part("nothing readable by the back button"):
        back_shows_nothing(t, server, address, ["Desrosiers-7", address, "audience-2026"])


def signed_out_here(server, browser, address):
    """One device's sign-out ends its session and no other; what the browser still has opens nothing, and nothing may be kept by it."""
    phone = visitor(server, address)
    kept = dict(browser.cookies)
    with part("nothing readable by the back button"):
        for path in OWN_PAGES:
            page = browser.get(path).expect(200)
            check(page.headers["cache-control"] == "no-store", f"{path} may be kept: {page.headers['cache-control']}")
        own = f"/v1/subjects/{phone.id}"
        for path in ("/v1/session", "/v1/me/sessions", "/v1/me/folders", "/v1/me/preferences", own + "/access", own + "/export"):
            answer = phone.get(path).expect(200)
            check(answer.headers["cache-control"] == "no-store", f"{path} may be kept: {answer.headers['cache-control']}")
        out = browser.submit(browser.get("/me"), "/signout")
        wiped = [page.headers["clear-site-data"] for page in browser.seen if "clear-site-data" in page.headers]
        check(not wiped, f"what other sites of the domain keep is wiped too: {wiped}")
        check(out.status == 200 and not browser.cookies, f"{out.status}, cookies {browser.cookies}")
        browser.cookies = kept                                        # somebody goes back, with whatever the browser had
        for path in OWN_PAGES:
            back = browser.send("GET", path)
            check(back.status == 303 and b"Desrosiers" not in back.body, f"{path} after signing out: {back.status}")
        old = Visitor(server)
        old.cookies = kept
        for path in ("/v1/session", "/v1/me/sessions", f"/v1/subjects/{phone.id}/access"):
            old.get(path).refused("unauthorised", status=401)
    phone.get("/v1/session").expect(200)                              # signed out here only
    phone.delete("/v1/session").expect(204)
    phone.get("/v1/session").refused("unauthorised", status=401)
