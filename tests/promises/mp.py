"""MP: myportal, a portal of applications with customers, distributing partners, prospects and applicants."""
import contextlib, hashlib, html, json, os, re, shutil, subprocess, time
import engine
from browser import member
from garant import DAY, PROGRAM, add_months, check, check_absent, garant, milliseconds, policy_file
from mailbox import Mailbox
from notices import own_copy
from people import PASSWORD, Visitor, form, opened, staff, visitor
from promise import closed_is_not_there, further, only_as_declared, part, promise, refuses_elsewhere
from sample import Document, listed, person as a_person
from uses import command, refused
from terms import Terms

NOW = "2026-11-22T10:00:00Z"


def person(number):
    return {"identity": {"first_name": f"Thibault-{number}", "last_name": f"Marchand-{number}"},
            "contact": {"email": f"thibault.{number}@societe.example", "phone": f"+3315555{number:04d}"},
            "company": {"name": f"Société {number}", "address": f"{number} rue du Port", "position": "Acheteur"},
            "preferences": {"theme": "dark", "topics": "mesure"},
            "application": {"position": "Développeuse", "experience": "Douze ans de C"}}


RECORDS = {"navigation": ("browser", {"at": NOW, "page": "/tarifs", "referrer": "https://autre.example/", "seconds": 30, "browser": "Firefox 145",
                          "ip": "192.0.2.9", "place": "Lyon"}),
           "logs": ("browser", {"at": NOW, "ip": "192.0.2.9", "file": "/index.html", "status": 200, "bytes": 5120, "browser": "Firefox 145",
                    "system": "Linux", "domain": "myportal.example", "provider": "Exemple Télécom", "referrer": "https://autre.example/"}),
           "registrations": ("person", {"event": "Journée des partenaires", "on": "2026-12-03"}),
           "billing": ("person", {"invoice": "F-2026-0042", "issued": "2026-11-22", "amount": 990, "recipient": "Société 1"}),
           "abuse": ("person", {"at": NOW, "fact": "Compte réutilisé par un tiers"})}


def complete(client, number=1):
    """A person of whom something is held in every category."""
    made = client.create(person(number), consents=[{"purpose": "testimonials", "decision": "given", "wording": "Oui, publiez."}])["id"]
    client.change(made, "testimonials", {"testimonial": {"quote": "Un bon outil.", "signed": "T. M."}}).expect(200)
    for category, (source, fields) in RECORDS.items():
        client.record(made, category, fields, source=source).expect(201)
    return made


@promise("MP-02")
def listed_purposes(t):
    """A read for another purpose, or for one whose consent is missing, is refused with the clause named."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(arguments=mailbox.arguments())
    client = server.client("app")
    only_as_declared(server, client, complete(client), "MP-02", desk=staff(server, person(90), "thibault.90@societe.example", "support"))


@promise("MP-05")
def from_the_same_page(t):
    """Withdrawing is as easy as giving, on the same page, which leads to rectification and erasure too; and the same by API."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(arguments=mailbox.arguments())
    client = server.client("app")
    browser, ident = member(server, person(3), "thibault.3@societe.example")
    own = visitor(server, "thibault.3@societe.example")
    document = client.get("/v1/policy").expect(200).json["document"]
    asked = [(purpose, channel) for purpose, body in document["purposes"].items() if body["basis"] == "consent"
             for channel in (body.get("channels") or [None])]
    check(len(asked) == 6, f"{asked}")

    def choose(purpose, channel, decision):
        """One press of one button, without typing anything: the form that does it, and the page after."""
        page = browser.get("/me/consents").expect(200)
        about = {"purpose": purpose, **({"channel": channel} if channel else {}), "decision": decision}
        one = page.form("/me/consents", **about)
        check(all(field.get("type") == "hidden" for field in one["fields"]) and len(one["buttons"]) == 1, f"{about}: more than a press: {one}")
        return one, browser.submit(page, "/me/consents", like=about).expect(200)

    def live(purpose):
        return purpose in client.get(f"/v1/subjects/{ident}/consents").expect(200).json["live"]
    with part("withdrawn on the page where it was given, purpose by purpose and channel by channel"):
        for purpose, channel in asked:
            client.read(ident, purpose).refused("consent-missing", status=403, clause=rf"^purposes\.{purpose}$")
            choose(purpose, channel, "given")
            check(live(purpose), f"{purpose} by {channel} is not given")
            client.read(ident, purpose).expect(200)
            others = [other for other, _ in asked if other != purpose and live(other)]
            check(not others, f"{others} came with {purpose}")
            choose(purpose, channel, "withdrawn")
            check(not live(purpose), f"{purpose} by {channel} is not withdrawn")
            client.read(ident, purpose).refused("consent-missing", status=403, clause=rf"^purposes\.{purpose}$")
        rows = client.get(f"/v1/subjects/{ident}/consents").expect(200).json["consents"]
        check([row["decision"] for row in rows] == ["given", "withdrawn"] * len(asked), f"the ledger: {rows}")
    with part("as easy as giving: the same press on the same page, and the same request"):
        giving, page = choose("news", "email", "given")
        taking, _ = choose("news", "email", "withdrawn")
        check(len(giving["fields"]) == len(taking["fields"]) and giving["action"] == taking["action"]
              and [f["name"] for f in giving["fields"]] == [f["name"] for f in taking["fields"]], f"{giving} {taking}")
        check("sure" not in str(taking) and "password" not in str(taking), "withdrawing asks for more")
        for decision in ("given", "withdrawn"):
            own.post(f"/v1/subjects/{ident}/consents", {"purpose": "news", "channel": "email", "decision": decision}).expect(201)
            check(live("news") == (decision == "given"), f"{decision} by API")
        browser.get("/me?lang=en").expect(200)
        check("/me/consents" in browser.get("/me").read.links, "the choices are not one link from the person's page")
    with part("rectification, one link from there"):
        page = browser.get("/me/consents").expect(200)
        check("/me" in page.read.links and "/me/edit/contact" in browser.get("/me").read.links, f"{page.read.links}")
        browser.submit(browser.get("/me/edit/contact"), "/me/edit/contact", fields={"contact.phone": "+33155550099"}).expect(200)
        check(client.read(ident, "service").expect(200).json["data"]["contact"]["phone"] == "+33155550099", "not corrected")
    with part("oblivion and erasure, one link from there"):
        page = browser.get("/me/consents").expect(200)
        check("/me/erase" in page.read.links, f"{page.read.links}")
        dropped = browser.submit(browser.get("/me/edit/company"), "/me/drop/company", press={"sure": "yes"}).expect(200)
        left = client.read(ident, "service").expect(200).json["data"]
        check("Société 3" not in dropped.read.text and "company" not in left, "the company is not forgotten")
        browser.submit(browser.get("/me/erase"), "/me/erase", press={"sure": "yes"}).expect(200)
        client.read(ident, "service").refused("not-found", status=404)
        own.get("/v1/session").expect(401)


@promise("MP-07")
def nothing_sensitive(t):
    """Declared categories only; a special category is refused unless the policy says why."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(arguments=mailbox.arguments())
    client = server.client("app")
    ident = complete(client)
    opened(server, person(5))
    own, desk = visitor(server, "thibault.5@societe.example"), staff(server, person(9), "thibault.9@societe.example", "support")
    desk.headers = {"Garant-Reason": "ticket 4711"}
    with part("declared categories are held: identity, contact, company, navigation"):
        for held in (client.get(f"/v1/subjects/{ident}/access").expect(200).body.decode(), json.dumps(client.export(ident)[1], ensure_ascii=False)):
            for word in ("Firefox 145", "192.0.2.9", "https://autre.example/", "/tarifs", "Lyon", "Société 1", "Marchand-1"):
                check(word in held, f"declared, sent, and not held: {word}")
    with part("an undeclared one is refused with its clause, by page, API, table and command"):
        before = client.get(f"/v1/subjects/{own.id}/access").expect(200).json["data"]
        for extra in ({"health": {"allergies": "Planted pollen"}}, {"identity": {"religion": "Planted pollen"}},
                      {"company": {"trade_union": "Planted pollen"}}):
            (category, fields), = extra.items()
            (field, value), = fields.items()
            data = {**person(2), category: {**person(2).get(category, {}), **fields}}
            del data["application"]
            table = f"identity.first_name,identity.last_name,contact.email,{category}.{field}\nA,B,a@societe.example,{value}\n".encode()
            typed = {"identity.first_name": "A", "identity.last_name": "B", "contact.email": "a@societe.example", f"{category}.{field}": value}
            for name, answer in {
                    "made": client.post("/v1/subjects", {"data": data, "source": "person"}),
                    "changed": client.change(ident, "service", extra),
                    "changed by the person": own.patch(f"/v1/subjects/{own.id}", extra, etag="*"),
                    "changed by staff": desk.patch(f"/v1/subjects/{ident}?purpose=service", extra, etag="*"),
                    "registered": server.anyone().post("/v1/accounts/register", {"data": data, "password": PASSWORD}),
                    "an account opened": server.operator().post("/v1/accounts", {"data": data, "supplied_by": "person"}),
                    "a table": server.operator().request("POST", "/v1/accounts/import?supplied_by=person", table,
                                                         {"Content-Type": "text/csv"}.items())}.items():
                refused(f"{name}: {extra}", answer, "undeclared", status=422, clause="^categories", promise="MP-07")
            for path, more in (("/register", {"password": PASSWORD}), (f"/me/edit/{category}", {"version": "1", "csrf": own.csrf})):
                page = form(own if path.startswith("/me") else server.anyone(), path, **typed, **more)
                check(page.status in (404, 422) and b"Planted" not in page.body.split(b"</header>")[0], f"{path} with {extra}: {page.status}")
            status, said = command(server, "subject", "create", given=json.dumps({"data": data, "source": "person"}))
            check(status != 0 and "Planted" not in said, f"the command with {extra}: {said}")
        for category, fields in (("biometrics", {"print": "x"}), ("navigation", {**RECORDS["navigation"][1], "mood": "fine"})):
            client.record(ident, category, fields, source="browser").refused("undeclared", status=422, clause="^categories", promise="MP-07")
        check(client.get(f"/v1/subjects/{own.id}/access").expect(200).json["data"] == before, "something was kept")
        check_absent(["Planted pollen"], server.folder)

    def with_health(more):
        body = f"  health:\n    dpv: pd:Health\n    fields:\n      allergies: {{type: text}}\n{more}purposes:\n  care:\n" \
               "    basis: consent\n    categories: [health]\n"
        term = "  health: {from: collection, active: 1y}\n"
        return lambda text: text.replace("\npurposes:\n", "\n" + body).replace("\nretention:\n", "\nretention:\n" + term)
    with part("a special category is refused unless the policy says why: at the start, by the linter, at a reload"):
        for more in ("", "    special: true\n"):
            path = t.copy_of_policy(with_health(more))
            status, said = t.server(policy=path, start=False).refuses_to_start()
            check(status == 78 and "health" in said and "9(2)" in said.replace("9 (2)", "9(2)"), f"status {status}: {said}")
            checked = garant("check", path, ok=None)
            check(checked.returncode != 0 and "health" in checked.stdout + checked.stderr, f"garant check: {checked}")
        founded = t.copy_of_policy(with_health("    special: true\n    ground: consent\n"))
        running = t.server(policy=founded)
        with open(founded, encoding="utf-8") as file:
            text = file.read()
        with open(founded, "w", encoding="utf-8") as file:
            file.write(text.replace("    special: true\n    ground: consent\n", ""))
        running.operator().post("/v1/policy/reload").expect(422)
        with open(founded, "w", encoding="utf-8") as file:
            file.write(text)
    with part("with its ground it is held with that consent alone"):
        other = running.client("app")
        made = other.create(person(4))["id"]
        care = other.get("/v1/policy").expect(200).json["document"]["systems"]["app"]["purposes"]
        check("care" not in care, "the platform may read it without being named")
        other.change(made, "service", {"health": {"allergies": "pollen"}}).refused(status=403)


def line_of(user, path="/planted/page.html", status=200, referrer="https://planted.example/d?secret=planted-query",
            agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0",
            at="22/Nov/2026:09:30:00 +0000", ip="192.0.2.81", size="5120"):
    """A line as nginx and Apache write it."""
    return f'{ip} - {user} [{at}] "GET {path} HTTP/1.1" {status} {size} "{referrer}" "{agent}"'


def import_log(server, path, *more):
    """What the command tells of that file."""
    return json.loads(server.run("usage", "import", path, "--json", *more))


def held_logs(client, ident):
    """The logs in the export: rows, and the table."""
    archive = client.export(ident)[0]
    return [row["fields"] for row in json.loads(archive["data.json"])["data"].get("logs", [])], archive.get("logs.csv", b"").decode()


ODD = [b"not a log line", b'2001:db8::1 - - [22/Nov/2026:09:31:00 +0000] "\\x16\\x03\\x01" 400 157 "-" "-"', b"\xff\xfe broken \x00 bytes", b"x" * 70000, b"",
       b'192.0.2.9 - thibault.1@societe.example [99/Foo/2026:09:31:00 +0000] "GET / HTTP/1.1" 200 1 "-" "-"']


@promise("MP-08")
def logs_are_tied(t):
    """Lines of web servers' logs are taken in and tied to their person, each once, cut to what is declared, and go with them."""
    server = t.server(now=NOW)
    client, path = server.client("app"), t.path("access.log")
    browser, ident = member(server, person(1), "thibault.1@societe.example")
    other = client.create(person(2))["id"]
    lines = [line_of("thibault.1@societe.example", "/planted/un.html?mail=planted@query.example"), line_of(ident, "/planted/deux.pdf", 404),
             line_of("-", "/planted/personne"), line_of("inconnu@societe.example", "/planted/inconnu"),
             line_of("THIBAULT.1@Societe.Example", '/planted/trois \\" quote', ip="2001:db8::77"), line_of(other, "/planted/carte/4111111111111111"),
             line_of(other, "/planted/vieux", at="01/Jan/2020:00:00:00 +0100")]
    with open(path, "wb") as file:
        file.write("\n".join(lines).encode() + b"\n" + b"\n".join(ODD) + b"\n" + b"192.0.2.1 - - [22/Nov")
    told = import_log(server, path)
    with part("lines are taken and tied to their person"):
        check((told["taken"], told["nobody"], told["over"], told["bad"]) == (4, 3, 1, 5), f"told: {told}")
        rows, table = held_logs(client, ident)
        check([row["file"] for row in rows] == ["/planted/un.html", "/planted/deux.pdf", "/planted/trois"], f"held: {rows}")
        first = {"at": "2026-11-22T09:30:00.000Z", "ip": "192.0.2.81", "file": "/planted/un.html", "status": 200, "bytes": 5120, "browser": "Firefox 145",
                 "system": "Linux", "referrer": "https://planted.example/d"}
        check(rows[0] == first and rows[2]["ip"] == "2001:db8::77", f"the first line: {rows[0]}")
    with part("in JSON too, with all that the policy declares"):
        as_json = t.path("access.json")
        with open(as_json, "w", encoding="utf-8") as file:
            for number in range(3):
                json.dump({"time_iso8601": "2026-11-22T09:40:00+00:00", "remote_addr": "192.0.2.82", "remote_user": "thibault.1@societe.example",
                           "request_uri": f"/planted/json-{number}?q=planted-query", "status": 200, "body_bytes_sent": 7, "domain": "planted.example",
                           "provider": "Planted Télécom", "http_user_agent": "Firefox/145.0", "upstream": "10.0.0.7", "cookie": "planted-cookie"}, file)
                file.write("\n")
        by_json = import_log(server, as_json, "--format", "json")
        check(by_json["taken"] == 3 and {row["field"] for row in by_json["dropped"]} == {"upstream", "cookie"}, f"of JSON: {by_json}")
        rows, table = held_logs(client, ident)
        check(rows[-1]["domain"] == "planted.example" and rows[-1]["provider"] == "Planted Télécom", f"held of JSON: {rows[-1]}")
    with part("each line once: the file again, grown, under another name, after a restart"):
        again = import_log(server, path)
        check((again["taken"], again["bad"], again["position"]) == (0, 0, told["position"]), f"the file again: {again}")
        with open(path, "ab") as file:
            file.write(b'/2026:09:45:00 +0000] "GET / HTTP/1.1" 200 1 "-" "-"\n' + line_of(ident, "/planted/plus").encode() + b"\n")
        os.rename(path, t.path("access.log.1"))
        server.restart()
        grown = import_log(server, t.path("access.log.1"))
        check((grown["taken"], grown["nobody"]) == (1, 1), f"grown and renamed: {grown}")
        check(len(held_logs(client, ident)[0]) == 7, "a line is held twice")
    with part("query strings, undeclared fields and card numbers are not kept, and counted"):
        check(told["queries"] >= 4 and told["masked"] == 1, f"told: {told}")
        check("/planted/carte/****************" in json.dumps(held_logs(client, other)[0]), "the masked line")
        for who in (ident, other):
            kept = client.get(f"/v1/subjects/{who}/access").expect(200).body.decode()
            check("planted-query" not in kept and "planted@query" not in kept and "planted-cookie" not in kept and "4111111111111111" not in kept, "kept")
    with part("bad lines are counted and named, and stop nothing"):
        check([fault["line"] for fault in told["faults"]] == [8, 10, 11, 12, 13], f"named: {told['faults']}")
    with part("on their page, in the answer and the export"):
        browser.sign_in("thibault.1@societe.example", PASSWORD)
        browser.get("/me/history?of=logs").expect(200).has("/planted/un.html", "Planted Télécom", "https://planted.example/d", "192.0.2.81")
        check("/planted/un.html" in client.get(f"/v1/subjects/{ident}/access").expect(200).body.decode(), "not in the answer")
        check("/planted/un.html" in held_logs(client, ident)[1], "not in the table")
    with part("erased with them, and nobody else's"):
        check([row["file"] for row in held_logs(client, other)[0]] == ["/planted/carte/****************"], "another's lines")
        client.erase(ident)
        client.erase(other)
        check_absent(["/planted/un.html", "/planted/json-1", "Planted Télécom", "planted-query", "planted-cookie"], server.data)
        with open(path, "w", encoding="utf-8") as file:
            file.write(line_of(ident, "/planted/après", at="22/Nov/2026:09:59:59 +0000") + "\n")
        check(import_log(server, path)["nobody"] == 1, "a line of an erased person is taken")


@further("MP-08")
def a_log_that_grows(t):
    """`usage import --follow`: what is added is taken at once, a half line when it is whole, over a rotation by name and by emptying, each once, also
    after a stop in the middle."""
    server = t.server(now=NOW)
    client, path = server.client("app"), t.path("live.log")
    ident = client.create(person(1))["id"]

    def follow():
        return subprocess.Popen([PROGRAM, "usage", "import", path, "--follow", "--json", "--data", server.data, "--policy", server.policy],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def add(text, mode="a"):
        with open(path, mode, encoding="utf-8") as file:
            file.write(text)

    def until(count):
        end = time.monotonic() + 20
        while len(held_logs(client, ident)[0]) < count and time.monotonic() < end:
            time.sleep(0.1)
        return [row["file"] for row in held_logs(client, ident)[0]]

    def stopped(process):
        process.terminate()
        said, complained = process.communicate(timeout=20)
        check(process.returncode == 0, f"status {process.returncode}: {complained}")
        told, at = [], 0
        while said[at:].strip():
            one, length = json.JSONDecoder().raw_decode(said[at:].lstrip())
            at += len(said[at:]) - len(said[at:].lstrip()) + length
            told.append(one)
        return told
    number = iter(range(100, 200))

    def line():
        return line_of(ident, f"/planted/live-{next(number)}") + "\n"
    first = follow()                            # the file is not there yet
    try:
        add(line() + line())
        check(len(until(2)) == 2, "what is added first")
        half = line()
        add(half[:40])
        add(half[40:] + line())
        check(len(until(4)) == 4, "a line that came in two parts")
        os.rename(path, path + ".1")
        with open(path + ".1", "a", encoding="utf-8") as old:
            old.write(line())
        add(line())
        check(len(until(6)) == 6, "the last of the old file, the first of the new one")
        add("".join(line() for _ in range(5)), "w")
        check(len(until(11)) == 11, "a file that was emptied to begin anew, and is longer than it was")
    finally:
        told = stopped(first)
    check([one["taken"] for one in told] == [5, 1, 5], f"what was told: {told}")
    add(line())
    second = follow()
    try:
        files = until(12)
        check(sorted(files) == [f"/planted/live-{number}" for number in range(100, 112)], f"each once: {files}")
    finally:
        check([one["taken"] for one in stopped(second)] == [1], "a line is taken again after a stop")
    both = server.run("usage", "import", path, path, "--follow", ok=None)
    check(both.returncode == 64, f"two files: {both.returncode}")


@promise("MP-13")
def each_at_its_term(t):
    """With the clock moved forward, each category is erased at its term and none earlier."""
    server = t.server(now=NOW)
    client, now = server.client("app"), milliseconds(NOW)
    ident, closed, idle = (complete(client, number) for number in (1, 2, 3))
    client.change(ident, "service", {"company": {"position": "Directeur"}}).expect(200)
    client.post(f"/v1/subjects/{ident}/events", {"event": "last_contact", "at": NOW}).expect(204)
    client.post(f"/v1/subjects/{closed}/events", {"event": "closure", "at": NOW}).expect(204)

    def held(who):
        answer = server.operator().get(f"/v1/subjects/{who}/access").expect(200, 404, 410)
        return answer.body.decode() if answer.status == 200 else ""
    # What shows that it is held, of whom, and when it ends.
    ends = [("preferences, from closing", '"mesure"', closed, now + 30 * DAY), ("navigation", "/tarifs", ident, now + 30 * DAY),
            ("former values", "Acheteur", ident, add_months(now, 6)), ("logs", "Exemple Télécom", ident, add_months(now, 12)),
            ("registrations, from the event of 3 December", "Journée des partenaires", ident, add_months(milliseconds("2026-12-03T00:00:00Z"), 12)),
            ("application, from the last contact", "Douze ans de C", ident, add_months(now, 24)),
            ("an account out of use: what has no longer term", "Exemple Télécom", idle, add_months(now, 12)),
            ("the whole of an account out of use, with the longest of its terms", "Thibault-3", idle, add_months(now, 36)),
            ("testimonial", "Un bon outil.", ident, add_months(now, 36)),
            ("company, from the last contact", "rue du Port", ident, add_months(now, 36)),
            ("contact, from the last contact", "thibault.1@societe.example", ident, add_months(now, 36))]
    with part("each category is erased at its term"), part("none earlier"):
        for end in sorted({end for _, _, _, end in ends}):
            for move, there in ((-DAY, True), (DAY, False)):
                server.set_clock(end + move)
                if move < 0:                                         # this person goes on using the account, the idle one does not
                    client.post(f"/v1/subjects/{ident}/events", {"event": "last_use"}).expect(204)
                server.sweep()
                for name, shown, who, its in ends:
                    if its == end:
                        check((shown in held(who)) == there, f"{name}: erased a day early" if there else f"{name}: held a day after its term")
        check_absent(["Journée des partenaires", "Douze ans de C", "Un bon outil.", "thibault.1@societe.example"], server.folder)
        # The same of every key of `retention` in every policy: categories, and what the server itself keeps, the log of accesses included.
        for policy in ("myportal", "mxplorerplace", "myownconference", "site-fr", "deskmanager"):
            with t.server(policy=policy, now=NOW, tenant="myownconference" if policy == "myownconference" else None) as one:
                check(Terms(one).run() >= 4, f"{policy}: its terms were not tried")


@promise("MP-14")
def closed_then_erased(t):
    """A closed account is out of reach, its address nobody else's; each thing goes at its own term, and the address is then free."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now=NOW, arguments=mailbox.arguments())
    client, operator, now, address = server.client("app"), server.operator(), milliseconds(NOW), "thibault.1@societe.example"
    ident = opened(server, person(1))
    for category, (source, fields) in RECORDS.items():
        client.record(ident, category, fields, source=source).expect(201)
    owner = visitor(server, address)
    opened(server, person(2))
    client.post(f"/v1/subjects/{ident}/close").expect(204)
    # From the same moment nobody reaches it: not by a session, a password, a link, the API, or a search; and nothing tells it apart.
    with part("no sign-in"):
        owner.get("/v1/session").expect(401)
        never = {"identifier": "nobody@societe.example", "password": PASSWORD}
        said = [Visitor(server).post("/v1/session", {**never, **other}).expect(401).json for other in ({}, {"identifier": address})]
        check(said[0] == said[1], f"signing in tells that it was closed: {said}")
    with part("unreachable by the ordinary API"):
        unknown = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
        for path in ("?purpose=service", "/former", "/attachments/01ARZ3NDEKTSV4RRFFQ69G5FAV?purpose=service"):
            said = [client.get(f"/v1/subjects/{one}{path}").refused("not-found", status=404)["detail"] for one in (ident, unknown)]
            check(said[0] == said[1], f"{path}: {said}")
        client.get(f"/v1/accounts/{ident}").refused("not-found", status=404)
        check(ident not in [row["id"] for row in client.get("/v1/accounts").expect(200).json["accounts"]], "still listed")
        client.lookup({"contact.email": address}, "service").refused("not-found", status=404)
    # The address is nobody else's, and nobody learns why.
    def new(email):
        return client.post("/v1/accounts", {"data": {**person(9), "contact": {"email": email}}, "supplied_by": "person"})
    with part("the address is nobody else's"):
        taken = [new(email).refused("conflict", status=409)["detail"] for email in (address, "thibault.2@societe.example")]
        check(taken[0] == taken[1], f"told apart: {taken}")
        body = {"data": {**person(9), "contact": {"email": address}}, "password": PASSWORD}
        free = {"data": {**person(8), "contact": {"email": "free@societe.example"}}, "password": PASSWORD}
        del body["data"]["application"], free["data"]["application"]
        said = [server.anyone().post("/v1/accounts/register", one).expect(202).body for one in (body, free)]
        check(said[0] == said[1], "registering tells that the address is reserved")
        mailbox.wait("free@societe.example", "identifier_confirm")
        mailbox.none_within(0.3, address, "identifier_confirm")
    # It is in the archive, with the day on which each thing goes, for those whom the policy names, who read it for a reason.
    keeper = staff(server, person(20), "thibault.20@societe.example", "accounting")
    other = staff(server, person(21), "thibault.21@societe.example", "sales")
    ten, three = milliseconds("2036-12-31T00:00:00Z"), milliseconds("2029-11-22T00:00:00Z")
    month = now // DAY * DAY + 30 * DAY
    ends = {"billing": ten, "identity": three, "contact": three, "company": three, "application": add_months(three, -12),
            "preferences": month, "navigation": month, "logs": add_months(three, -24), "abuse": add_months(three, -12),
            "registrations": milliseconds("2027-12-03T00:00:00Z")}

    def archived(reader):
        rows = reader.get("/v1/archive").expect(200).json["archive"]
        return {row["category"]: milliseconds(row["until"]) for row in rows if row["id"] == ident}
    with part("in the archive"):
        for reader in (operator, keeper):
            check(archived(reader) == ends, f"in the archive: {archived(reader)}, and not {ends}")
            seen = reader.get(f"/v1/archive/{ident}/contact?reason=tax.audit").expect(200).json["records"]
            check(seen[0]["fields"]["email"] == address and milliseconds(seen[0]["until"]) == three, f"read in the archive: {seen}")
        for no_reader in (client, other, server.client("campaigns")):
            no_reader.get("/v1/archive").refused("forbidden", status=403)
            no_reader.get(f"/v1/archive/{ident}/contact?reason=curious").refused("forbidden", status=403)
        keeper.get(f"/v1/archive/{ident}/contact").expect(400, 422)
    # Each at its own term: preferences 30 days after the closing, the person three years after the last contact, invoices ten years.
    with part("erased at its term"):
        server.set_clock(now + 31 * DAY)
        check(server.sweep()["erased"].get("preferences"), "the preferences are kept beyond their term")
        check("preferences" not in archived(operator), "the archive tells what is gone")
        new(address).refused("conflict", status=409)
        server.set_clock(add_months(now, 36) - DAY)
        server.sweep()
        new(address).refused("conflict", status=409)
        server.set_clock(add_months(now, 36) + DAY)
        check(server.sweep()["people"] >= 1, "the person is kept beyond their term")
        again = new(address).expect(201).json["id"]
        check(again != ident and client.lookup({"contact.email": address}, "service").expect(200).json["id"] == again, "the address is not free")
        check(archived(operator) == {"billing": ten}, f"left of the person: {archived(operator)}")
        for move, there in ((-DAY, {"billing": ten}), (DAY, {})):
            server.set_clock(ten + move)
            server.sweep()
            check(archived(operator) == there, f"{move} ms from its end the archive has {archived(operator)}")
    # Whatever the policy, no route reaches a closed account: an application is told what it is told of nobody.
    with part("unreachable by the ordinary API"):
        shown, every = set(), set()
        for policy in ("myportal", "mxplorerplace", "myownconference"):
            with t.server(policy=policy, now=NOW, tenant="myownconference" if policy == "myownconference" else None) as one:
                more, every = closed_is_not_there(one)
                shown |= more
        check(shown == every, f"no policy shows anything of {sorted(every - shown)}")


@promise("MP-16")
def least_privilege(t):
    """Access is least-privilege and logged; the log shows any tampering."""
    server = t.server()
    client = server.client("app")
    ident = complete(client)
    client.create(person(2))
    # Least privilege: what each token may is what its class may, no more.
    campaigns, site = server.client("campaigns"), server.client("site")
    campaigns.read(ident, "service").refused("forbidden", "purpose-refused", status=403, clause="campaigns")
    client.consent(ident, "news", "given", channel="email").expect(201)
    campaigns.read(ident, "news", ["contact"]).expect(200)
    campaigns.read(ident, "news", ["company"]).refused(status=403, clause="campaigns")
    campaigns.post(f"/v1/subjects/{ident}/erase", {}).refused("forbidden", status=403, clause="campaigns")
    site.read(ident, "resources").refused("forbidden", status=403, clause="site")
    for role in ("support", "sales", "recruiter", "accounting"):
        server.client(role).read(ident, "service").refused(status=403)
    # Logged: each look, allowed or refused, is in the journal before its answer, and the person sees who looked and for what.
    def size():
        return server.operator().post("/v1/journal/verify").expect(200).json["size"]
    before = size()
    for _ in range(5):
        client.read(ident, "service").expect(200)
    campaigns.read(ident, "service").expect(403)
    check(size() >= before + 6, f"{size() - before} entries for five reads and a refusal")
    looks = client.get(f"/v1/subjects/{ident}/access").expect(200).json["looks"]
    seen = [look for look in looks if look["actor"] == "app" and look["purpose"] == "service" and look["act"] == "read"]
    check(len(seen) >= 5, f"the person sees {looks}")
    check([look for look in looks if look["actor"] == "campaigns" and look["outcome"] == "refused"], "the refused look is not shown")
    # Tampering: each alteration of what the journal holds is found by the offline verification.
    server.stop()
    garant("verify", "--policy", server.policy, "--data", server.data)
    tampered = 0
    for table, column, rowid in journal_cells(server.data):
        altered = t.path("altered")
        engine.copied(server.data, altered)
        if alter(altered, table, column, rowid):
            run = garant("verify", "--policy", server.policy, "--data", altered, ok=None)
            check(run.returncode != 0, f"an altered {table}.{column} of row {rowid} is not seen: {run.stdout}")
            tampered += 1
        shutil.rmtree(altered)
    check(tampered >= 5, f"only {tampered} alterations could be made")


def journal_cells(data):
    """Some cells of the tables in which the journal stands, whatever they are called: (table, column, rowid)."""
    base = engine.base(data)
    cells = []
    for (table,) in base.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE '%journal%'"):
        columns = [row[1] for row in base.execute(f'PRAGMA table_info("{table}")')]
        rows = [row[0] for row in base.execute(f'SELECT rowid FROM "{table}" ORDER BY rowid LIMIT 3')]
        cells += [(table, column, rowid) for column in columns for rowid in rows]
    base.close()
    return cells


def alter(data, table, column, rowid):
    """Changes one bit or digit of a cell, or links it to another row's person; False when it has nothing to change."""
    with contextlib.closing(engine.base(data, write=True)) as base:
        value = base.execute(f'SELECT "{column}" FROM "{table}" WHERE rowid = ?', (rowid,)).fetchone()[0]
        other = base.execute(f'SELECT "{column}" FROM "{table}" WHERE "{column}" <> ? LIMIT 1', (value,)).fetchone()
        changed = other[0] if column == "subject" and other else \
            value[:-1] + bytes([value[-1] ^ 1]) if isinstance(value, bytes) and value else \
            value[:-1] + ("a" if value[-1] != "a" else "b") if isinstance(value, str) and value else \
            value + 1_000_000 if isinstance(value, int) else None
        if changed is None:
            return False
        base.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', (changed, rowid))
        base.commit()
        return True


@promise("MP-19")
def in_the_union(t):
    """A processor or store outside the Union stops the start with a clear error; another member state does not."""
    stores = ["main: {country: FR", "backups: {country: DE"]
    processors = ["name: Exemple Courriel GmbH\n    purposes: [service, news, partner_news]\n    categories: [identity, contact]\n    country: DE"]
    refuses_elsewhere(t, stores, processors, "US", "the Union", accepted="LT")
    refuses_elsewhere(t, stores[:1], processors, "CH", "the Union")


@promise("MP-18")
def four_classes(t):
    """A password has eight characters, upper, lower, digit, special; each missing class is named, wherever one is chosen: by page and API, when an
    invitation is accepted, an account registered, a password changed or reset."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(now="2026-11-22T09:00:00Z", arguments=mailbox.arguments())
    lacking = {"aB3$efg": ["length"], "kobu-7-renard": ["upper"], "KOBU-7-RENARD": ["lower"], "Kobu-renard": ["digit"], "Kobu7renard": ["special"],
               "koburenard": ["upper", "digit", "special"], "zqk": ["length", "upper", "digit", "special"]}
    words = {"en": {"length": "8 characters", "upper": "uppercase", "lower": "lowercase", "digit": "digit", "special": "special character"},
             "fr": {"length": "8 caractères", "upper": "majuscule", "lower": "minuscule", "digit": "chiffre", "special": "caractère spécial"}}
    identity = {k: person(1)[k] for k in ("identity", "contact")}
    made = server.operator().post("/v1/accounts", {"data": identity, "supplied_by": "person"}).expect(201).json
    token = made["link"].split("=")[-1]
    good, next_one, third = "Kb7$vitq", "Zu9+lent", "Pq4;rubi"

    def each(choose):
        for password, missing in lacking.items():
            problem = choose(password).refused("weak-password", status=422, clause=r"^security\.password$", promise="MP-18")
            check(problem["missing"] == missing, f"{password} lacks {problem['missing']}, not {missing}")
            check(password not in str(problem), "the refusal repeats the password")

    def each_on_page(choose, some=tuple(lacking)):
        for password, missing in ((password, lacking[password]) for password in some):
            for language in words:
                page = choose(password, language)
                said = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.body.decode()))).replace("\u00a0", " ")
                check(page.status == 422 and password not in said, f"{page.asked}: {page.status}")
                asked = [words[language][one] for one in missing]
                check(all(word in said for word in asked), f"{page.asked} in {language} with {password} does not name {asked}: {said}")
    anyone = server.anyone()
    registering = {k: person(2)[k] for k in ("identity", "contact")}
    typed = {f"{category}.{field}": value for category, fields in registering.items() for field, value in fields.items()}
    with part("each missing class is named, wherever a password is chosen by API"):
        each(lambda password: anyone.post("/v1/invitations/accept", {"token": token, "password": password}))
        anyone.post("/v1/invitations/accept", {"token": token, "password": good}).expect(200)
        one = visitor(server, "thibault.1@societe.example", good)
        each(lambda password: one.put("/v1/me/password", {"current": good, "new": password}))
        one.put("/v1/me/password", {"current": good, "new": next_one}).expect(204)
        visitor(server, "thibault.1@societe.example", next_one)
        each(lambda password: anyone.post("/v1/accounts/register", {"data": registering, "password": password}))
        anyone.post("/v1/password/reset", {"identifier": "thibault.1@societe.example"}).expect(202)
        secret = re.split("[/=]", mailbox.wait("thibault.1@societe.example", "reset").links[0])[-1]
        each(lambda password: anyone.post("/v1/password/reset/confirm", {"token": secret, "password": password}))
    with part("and on the pages, in both languages"):
        each_on_page(lambda password, language: form(anyone, f"/register?lang={language}", **typed, password=password), ["zqk"])
        each_on_page(lambda password, language: form(anyone, f"/reset/{secret}?lang={language}", password=password))
        invited = server.operator().post("/v1/accounts", {"data": {k: person(3)[k] for k in ("identity", "contact")}, "supplied_by": "person"}).expect(201)
        again = invited.json["link"].split("=")[-1]
        each_on_page(lambda password, language: form(anyone, f"/invitation?lang={language}", token=again, password=password))
    with part("nothing weaker was taken, and what has all four is"):
        for password in list(lacking)[:4]:
            Visitor(server).post("/v1/session", {"identifier": "thibault.2@societe.example", "password": password}).expect(401)
        anyone.post("/v1/password/reset/confirm", {"token": secret, "password": third}).expect(204)
        visitor(server, "thibault.1@societe.example", third)
        form(anyone, "/invitation", token=again, password=good).expect(303)
        visitor(server, "thibault.3@societe.example", good)
    with part("eight characters are lawful only where guessing is slowed down: it is"):
        fresh = t.server()                                           # where nobody has failed yet
        opened(fresh, {k: person(1)[k] for k in ("identity", "contact")}, password=good)
        wrong = {"identifier": "thibault.1@societe.example", "password": "wrong"}
        for _ in range(10):
            Visitor(fresh).post("/v1/session", wrong).refused("unauthorised", status=401)
        slowed = Visitor(fresh).post("/v1/session", wrong)
        slowed.refused("too-many-requests", status=429)
        check(int(slowed.headers["retry-after"]) >= 1, f"{slowed.headers}")
        Visitor(fresh).post("/v1/session", {**wrong, "password": good}).refused("too-many-requests", status=429)


@further("MP-10")
def charter_of_its_own(t):
    """A recipient accepts the charter itself, by a link or its token: the file's word opens nothing, a new version lapses what was accepted before."""
    mailbox = t.enter_context(Mailbox())
    edit = own_copy(t)
    server = t.server(policy=edit(), now=NOW, arguments=mailbox.arguments())
    server.charters = None
    client, operator, anyone = server.client("app"), server.operator(), server.anyone()
    ident = complete(client)

    def given(recipient="host"):
        return client.post(f"/v1/subjects/{ident}/disclosures", {"recipient": recipient, "purpose": "service", "categories": ["identity"]})

    def stands(recipient="host"):
        rows = {row["recipient"]: row["charter"] for row in operator.get("/v1/recipients").expect(200).json["recipients"]}
        said = {row["recipient"]: row["charter"] for row in json.loads(server.run("recipient", "list", "--json"))["recipients"]}
        check(rows == said, f"the command says {said}, the API {rows}")
        return rows[recipient]

    def refused():
        given().refused("forbidden", status=403, clause=r"^recipients\.host$", promise="MP-10")

    def press(link, **more):
        shown = operator.get("/v1/recipients").expect(200).json["charter"]
        form = {"token": link.split("token=")[1], "name": "Ana Souza", "read": "yes", "language": "en", "version": shown["version"], "hash": shown["hash"]}
        return anyone.post("/charter?lang=en", {**form, **more}, Accept="text/html")
    with part("the file's word opens nothing: only its own acceptance of this version does"):
        check(stands() == "pending", f"the file's word accepts for it: {stands()}")
        refused()
        check(client.get(f"/v1/subjects/{ident}/disclosures").expect(200).json["disclosures"] == [], "what was refused is in the register")
        link = operator.post("/v1/recipients/host/links").expect(201).json["link"]
        for _ in range(3):                                       # a mail scanner follows it
            page = anyone.get("/charter?lang=en&token=" + link.split("token=")[1], Accept="text/html").expect(200)
        check(b"garant-1" in page.body and stands() == "pending", "a look accepts")
        refused()
        for more, code in (({"read": ""}, 400), ({"name": " "}, 400), ({"hash": "0" * 64}, 409), ({"version": "0"}, 409)):
            answer = press(link, **more)
            check(answer.status in (code, 422) and stands() == "pending", f"{more}: {answer.status}")
        refused()
        press(link, function="Head of legal").expect(200)
        row = operator.get("/v1/recipients/host").expect(200).json
        words = operator.get("/v1/recipients").expect(200).json["charter"]
        check(row["charter"] == "accepted" and row["accepted_by"] == "Ana Souza" and row["accepted_as"] == "Head of legal", f"{row}")
        check(row["accepted_version"] == "garant-1" and row["accepted_via"] == "link", f"{row}")
        check(row["accepted_hash"] == hashlib.sha256(words["text"].encode()).hexdigest(), "the digest is not of the words shown")
        given().expect(201)
        check(stands("mailer") == "pending", "one accepts for another")
        check_absent(["Ana Souza"], server.folder)
    with part("a link can be revoked, ends by itself, and reaches no other recipient"):
        made = operator.post("/v1/recipients/mailer/links", {"email": "legal@mailer.example"}).expect(201).json
        check(made["link"] in mailbox.wait("legal@mailer.example").text, "the letter has another link")
        page = anyone.get("/charter?lang=en&token=" + made["link"].split("token=")[1], Accept="text/html").expect(200)
        check(b"Exemple Courriel GmbH" in page.body and "Exemple Hébergement".encode() not in page.body, "whose page")
        operator.delete(f"/v1/recipients/host/links/{made['id']}").refused("not-found", status=404)
        operator.delete(f"/v1/recipients/mailer/links/{made['id']}").expect(204)
        check(press(made["link"]).status == 404 and stands("mailer") == "pending", "a revoked link accepts")
        late = operator.post("/v1/recipients/mailer/links").expect(201).json["link"]
        server.advance(days=31)
        check(press(late).status == 404 and stands("mailer") == "pending", "a link that is over accepts")
    with part("its token accepts too"):
        own = server.client("mailer")
        shown = own.get("/v1/charter").expect(200).json
        body = {"read": True, "name": "Ana Souza", "version": shown["version"], "hash": shown["hash"], "language": shown["language"]}
        own.post("/v1/charter", {**body, "read": False}).refused("missing-field", field="read")
        check(own.post("/v1/charter", body).expect(200).json["charter"] == "accepted", "its token does not accept")
        client.get("/v1/charter").refused("forbidden", status=403)
        check(stands("mailer") == "accepted" and operator.get("/v1/recipients/mailer").json["accepted_via"] == "token", "via")
    with part("a new version lapses it; staff end it"):
        edit(("\nrecipients:\n", '\ncharter: {version: "2", text: {en: "Keep it secret.", fr: "Gardez le secret."}}\nrecipients:\n'))
        operator.post("/v1/policy/reload").expect(200)
        check(stands() == "lapsed", f"after a new version: {stands()}")
        refused()
        server.accept_charters("host")
        given().expect(201)
        check([row["version"] for row in operator.get("/v1/recipients/host").expect(200).json["acceptances"]] == ["2", "garant-1"], "the history")
        server.run("recipient", "end", "host")
        check(stands() == "pending", "it was ended")
        refused()


@further("MP-10")
def charter_by_staff(t):
    """Staff make a link on a page, revoke it, and end an acceptance."""
    with open(policy_file("myownconference"), encoding="utf-8") as file:
        tenant = re.search(r"^tenants:\n  (\w+):", file.read(), re.M)
    server = t.server(policy="myownconference", now=NOW, tenant=tenant and tenant.group(1))
    document = Document(server.operator().get("/v1/policy").expect(200).json["document"])
    data, (category, field) = a_person(document, 1), document.identifier()
    browser = staff(server, data, data[category][field], "dpo")
    where, page = "/staff/recipients/host", {"Accept": "text/html"}
    check(b"UAB Example Hosting" in browser.get("/staff/recipients", **page).expect(200).body, "it is not listed")
    csrf = re.search(rb'name="csrf" value="([^"]+)"', browser.get(where, **page).expect(200).body).group(1).decode()
    made = browser.post(where, {"do": "link", "csrf": csrf}, **page).expect(200, 303).body.decode()
    secret, link = re.search(r"/charter\?token=([\w-]{43})", made).group(1), re.search(r'name="link" value="(\w+)"', made).group(1)
    server.anyone().get("/charter?token=" + secret, **page).expect(200)
    browser.post(where, {"do": "unlink", "link": link, "csrf": csrf}, **page).expect(303)
    server.anyone().get("/charter?token=" + secret, **page).expect(404)
    server.accept_charters("host")
    check(b"Ana Souza" in browser.get(where, **page).expect(200).body, "who accepted is not shown")
    browser.post(where, {"do": "end", "csrf": csrf}, **page).expect(303)
    check(server.operator().get("/v1/recipients/host").expect(200).json["charter"] == "pending", "it was ended")


@promise("MP-10")
def charter_before_data(t):
    """Staff and sub-processors are given data once they accepted the charter: before that nothing, whatever is consented to; the register shows all."""
    mailbox = t.enter_context(Mailbox())
    edit = own_copy(t)
    server = t.server(policy=edit(), now=NOW, arguments=mailbox.arguments())
    client, operator = server.client("app"), server.operator()
    ident = complete(client)
    for purpose, body in client.get("/v1/policy").expect(200).json["document"]["purposes"].items():
        for channel in (listed(body.get("channels")) or [None]) if body["basis"] == "consent" else []:
            client.consent(ident, purpose, "given", wording="Oui.", **({"channel": channel} if channel else {})).expect(201)
    path = f"/v1/subjects/{ident}/disclosures"

    def disclosed(recipient, purpose, *categories, who=client):
        return who.post(path, {"recipient": recipient, "purpose": purpose, "categories": list(categories)})

    def register():
        """Over the API, in the access answer, the export, by the command."""
        rows = [client.get(path).expect(200).json["disclosures"], client.get(f"/v1/subjects/{ident}/access").expect(200).json["disclosures"],
                client.export(ident)[1]["disclosures"], json.loads(server.run("subject", "access", ident, "--json"))["disclosures"]]
        told = [sorted((row["recipient"], row["purpose"], row["categories"]) for row in one) for one in rows]
        check(all(one == told[0] for one in told), f"the registers differ: {told}")
        return told[0]
    with part("a sub-processor that accepted the charter is given what the policy says"):
        for recipient, purpose, categories in (("host", "service", ("identity", "contact")), ("mailer", "news", ("contact",))):
            data = disclosed(recipient, purpose, *categories).expect(201).json["data"]
            check(data == {name: person(1)[name] for name in categories}, f"{recipient} is given {data}")
        disclosed("mailer", "service", "company").refused("purpose-refused", status=403, clause=r"^recipients\.mailer$")
        disclosed("host", "news", "contact").refused("forbidden", status=403, clause=r"^recipients\.host$")
    given = [("host", "service", "identity,contact"), ("mailer", "news", "contact")]
    with part("a disclosure to who has not accepted it is refused"):
        for categories in (("identity",), ("contact",), ("registrations",), ("identity", "contact", "registrations")):
            disclosed("organiser", "events", *categories).refused("forbidden", status=403, clause=r"^recipients\.organiser$", promise="MP-10")
        disclosed("stranger", "events", "contact").refused("undeclared", status=422, clause="^recipients$", promise="MP-10")
        for who in ("site", "campaigns", "sales"):
            disclosed("mailer", "news", "contact", who=server.client(who)).refused("forbidden", status=403, clause=rf"^(systems|roles)\.{who}$")
        check(register() == given, f"what was refused stands in the register: {register()}")
    with part("the register shows all"):
        check(register() == given, f"the register: {register()}")
        refusals = [look for look in client.get(f"/v1/subjects/{ident}/access").expect(200).json["looks"] if look["act"] == "refusal"]
        check(sum(look["clause"] == "recipients.organiser" for look in refusals) == 4, f"the refusals are not on record: {refusals}")
        for language in ("fr", "en"):
            text = server.run("register", "--format", "csv", "--lang", language)
            check(all(name in text for name in ("Exemple Hébergement SAS", "Exemple Courriel GmbH", "Exemple Événements SARL")), "the register of processing")
    with part("staff work once they signed"):
        clerk = operator.post("/v1/accounts", {"data": {k: person(5)[k] for k in ("identity", "contact")}, "supplied_by": "person", "role": "sales"}) \
            .expect(201).json["id"]
        token = operator.post("/v1/tokens", {"name": "clerk", "actor": "sales", "holder": clerk}).expect(201).json["token"]
        sales = server.anyone()
        sales.token = token
        sales.read(ident, "news", ["contact"]).refused("forbidden", status=403, clause=r"^roles\.sales$")
        operator.post(f"/v1/accounts/{clerk}/agreement", {"date": "2026-01-05", "reference": "charter, shelf 2"}).expect(200)
        sales.read(ident, "news", ["contact"]).expect(200)
    with part("accepted, it is open"):
        server.advance(days=1)
        edit(("    charter: pending\n", "    charter: accepted\n"))
        operator.post("/v1/policy/reload").expect(200)
        server.accept_charters()
        data = disclosed("organiser", "events", "contact", "registrations").expect(201).json["data"]
        check(set(data) == {"contact", "registrations"} and data["contact"] == person(1)["contact"], f"the organiser is given {data}")
        check(register() == sorted([*given, ("organiser", "events", "contact,registrations")]), f"the register: {register()}")
