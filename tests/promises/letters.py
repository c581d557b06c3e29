"""Marketing emails: to whoever agreed and to nobody else, ended in every way at once, measured only of who agrees to that."""
import json, os, re, subprocess, time
from browser import Browser
from garant import check
from mailbox import Mailbox, wait_for
from people import form, registered, staff, visitor
from promise import further, part, promise
from words import word

NOW = "2026-11-22T10:00:00Z"
SITE = "https://shop.example/autumn"
SAID = {"subject": {"en": "Planted autumn", "fr": "Automne planté"},
        "text": {"en": f"# Autumn\n\nHello & welcome.\n\n- [See the news]({SITE}?from=letter&page=1)\n- or {SITE}.",
                 "fr": f"Bonjour & bienvenue.\n\n[Voir les nouveautés]({SITE}?from=letter&page=1), ou {SITE}."}}


def agreed(client, data, purposes, address, decision="given", **more):
    """Somebody with that address who decided so about each purpose, by email."""
    return client.create(data(address), consents=[{"purpose": purpose, "channel": "email", "decision": decision} for purpose in purposes], **more)["id"]


def written(client, purpose, name="Autumn", **more):
    return client.post("/v1/campaigns", {"name": name, "purpose": purpose, **SAID, **more}).expect(201).json["id"]


def shown(client, ident):
    return client.get(f"/v1/campaigns/{ident}").expect(200).json


def started(client, ident, **more):
    client.post(f"/v1/campaigns/{ident}/count").expect(200)
    return client.post(f"/v1/campaigns/{ident}/steer", {"do": "start", **more}).expect(200)


def done(client, ident):
    """The campaign, once nobody is left."""
    return wait_for(lambda: (row := shown(client, ident))["state"] == "done" and row)


def sent(client, purpose, name, **more):
    ident = written(client, purpose, name, **more)
    started(client, ident)
    return done(client, ident)


def letters(box, address):
    return [letter for letter in box.find(address) if letter.subject == SAID["subject"]["en"] or letter.subject == SAID["subject"]["fr"]]


def ways(letter):
    """The address and the link that the header names, and the links of the text: those that end something."""
    mail, link = re.match(r"<mailto:([^>]+)>,\s*<([^>]+)>$", letter.headers["list-unsubscribe"]).groups()
    return mail, path_of(link), [path_of(one) for one in letter.links if "/unsubscribe/" in one]


def path_of(link):
    return "/" + link.split("/", 3)[3]


def live(server, ident):
    return server.operator().get(f"/v1/subjects/{ident}/consents").expect(200).json["live"]


# ---- MO-21: news with consent only, and every way to leave works at once. ----

PURPOSE = "product_news"


def rooms(address):
    return {"identity": {"display_name": "kestrel"}, "login": {"email": address}}


def to_whom(server, box, app):
    """Everybody else but those who agree now gets none."""
    people = {"yes": agreed(app, rooms, [PURPOSE], "yes@rooms.example"),
              "no": agreed(app, rooms, [PURPOSE], "no@rooms.example", decision="refused"),
              "nothing": app.create(rooms("nothing@rooms.example"))["id"],
              "other": agreed(app, rooms, ["interest_tracking"], "other@rooms.example")}
    for name in ("withdrew", "objected", "restricted", "closed", "erased", "late"):
        people[name] = agreed(app, rooms, [PURPOSE], f"{name}@rooms.example")
    operator = server.operator()
    app.consent(people["withdrew"], PURPOSE, "withdrawn", channel="email").expect(201)
    operator.put(f"/v1/subjects/{people['objected']}/objections/{PURPOSE}").expect(200, 201, 204)
    operator.put(f"/v1/subjects/{people['restricted']}/restriction", {"ground": "contested"}).expect(200, 201, 204)
    operator.post(f"/v1/subjects/{people['closed']}/close").expect(200, 201, 204)
    app.erase(people["erased"])
    with part("counted, previewed and tried before it goes"):
        ident = written(app, PURPOSE)
        app.post(f"/v1/campaigns/{ident}/steer", {"do": "start"}).refused("conflict", status=409)
        check(app.post(f"/v1/campaigns/{ident}/count").expect(200).json == {"recipients": 2}, "who would get it is counted otherwise")
        letter = app.get(f"/v1/campaigns/{ident}/preview?language=fr").expect(200).json
        check(letter["subject"] == "Automne planté" and "Bonjour &amp; bienvenue." in letter["html"] and "Bonjour & bienvenue." in letter["text"], f"{letter}")
        app.post(f"/v1/campaigns/{ident}/test").expect(200)
        check(box.wait("privacy@myownconference.example").subject in SAID["subject"].values(), "no test to oneself")
    with part("to who agrees now and to nobody else, decided again as each leaves"):
        app.post(f"/v1/campaigns/{ident}/steer", {"do": "start"}).expect(200)
        after = done(app, ident)
        got = sorted(address for letter in box.letters if letter.subject in SAID["subject"].values() for address in letter.to)
        check(got == ["late@rooms.example", "privacy@myownconference.example", "yes@rooms.example"], f"letters went to {got}")
        check((after["sent"], after["failed"], after["uncertain"]) == (2, 0, 0), f"{after}")
    return people, ident


# ---- Each way of ending it. ----

def by_the_link(server, letter, ident):
    mail, click, links = ways(letter)
    reader = Browser(server)
    with part("a look at the link ends nothing; its button does, without signing in"):
        for path in (click, *links):
            reader.get(path).expect(200).form(path.split("?")[0])
            server.anyone().request("HEAD", path)
        check(PURPOSE in live(server, ident), "a look at the link ended it")
        reader.submit(reader.get(links[0]), links[0].split("?")[0]).expect(200).has(word("unsubscribe.done", "fr"))
        check(PURPOSE not in live(server, ident), "the link's button did not end it")
        row = server.operator().get(f"/v1/subjects/{ident}/consents").expect(200).json["consents"][-1]
        check((row["decision"], row["method"], row["channel"], row["by"]) == ("withdrawn", "link", "email", "person"), f"{row}")


def by_one_click(server, letter, ident, parts):
    """As mail programs do it (RFC 8058): no cookie, no Origin, one member, in either form."""
    mail, click, _ = ways(letter)
    with part("one click of a mail program ends it"):
        check(letter.headers["list-unsubscribe-post"] == "List-Unsubscribe=One-Click", f"{letter.headers}")
        if parts:
            body = b'--abc\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--abc--\r\n'
            kind = "multipart/form-data; boundary=abc"
        else:
            body, kind = b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"
        server.anyone().post(click, body, **{"Content-Type": kind}).expect(200)
        check(PURPOSE not in live(server, ident), "one click did not end it")
        row = server.operator().get(f"/v1/subjects/{ident}/consents").expect(200).json["consents"][-1]
        check((row["decision"], row.get("method")) == ("withdrawn", "one_click"), f"{row}")


def by_writing(server, letter, ident):
    mail, _, _ = ways(letter)
    with part("an email to the letter's address ends it, in whatever case it comes"):
        server.run_refused("not-found", "mail", "receive", "--to", "unsubscribe+nobody@garant.example")
        check(mail in letter.text and PURPOSE in live(server, ident), "the address stands not in the text, or it had ended")
        local, _, domain = mail.partition("@")
        check(len(local) <= 64 and domain == "garant.example", f"no mail server takes {mail}")
        said = json.loads(server.run("mail", "receive", "--to", mail.lower(), "--json"))
        check(said["became"] == "stopped" and PURPOSE not in live(server, ident), f"{said}")


def in_settings(server, address, ident):
    own = visitor(server, address, tenant="myownconference")
    with part("in one's settings, and told to staff"):
        form(own, "/me/consents", purpose=PURPOSE, channel="email", decision="withdrawn", csrf=own.csrf).expect(303)
        check(PURPOSE not in live(server, ident), "the settings did not end it")


def told_to_staff(server, desk, ident):
    with part("in one's settings, and told to staff"):
        desk.post(f"/v1/subjects/{ident}/consents", {"purpose": PURPOSE, "channel": "email", "decision": "withdrawn", "method": "staff"}).expect(201)
        check(PURPOSE not in live(server, ident), "staff could not end it")


def every_way(server, box, app):
    """Six get a letter; each leaves in a way of their own; the next campaign goes to the one who stayed."""
    desk = staff(server, rooms("desk@rooms.example"), "desk@rooms.example", "representative")
    people = {name: agreed(app, rooms, [PURPOSE], f"{name}@rooms.example") for name in ("link", "click", "parts", "write", "staff", "stay")}
    registered(server, box, rooms("settings@rooms.example"), "settings@rooms.example")
    people["settings"] = visitor(server, "settings@rooms.example", tenant="myownconference").id
    app.consent(people["settings"], PURPOSE, channel="email").expect(201)
    ident = written(desk, PURPOSE, "For seven")
    started(desk, ident)
    done(desk, ident)
    letter = {name: letters(box, f"{name}@rooms.example")[0] for name in people}
    by_the_link(server, letter["link"], people["link"])
    by_one_click(server, letter["click"], people["click"], parts=False)
    by_one_click(server, letter["parts"], people["parts"], parts=True)
    by_writing(server, letter["write"], people["write"])
    in_settings(server, "settings@rooms.example", people["settings"])
    told_to_staff(server, desk, people["staff"])
    with part("whoever left gets no other"):
        before = {name: len(letters(box, f"{name}@rooms.example")) for name in people}
        sent(app, PURPOSE, "For who stayed")
        after = {name: len(letters(box, f"{name}@rooms.example")) for name in people}
        check({name: after[name] - before[name] for name in people} == {name: int(name == "stay") for name in people}, f"{before} {after}")
    return letter["stay"], people["stay"]


def in_the_middle(server, box, app):
    """One letter an hour: who withdraws after the start gets none."""
    people = {name: agreed(app, rooms, [PURPOSE], f"{name}@slow.example") for name in ("a", "b", "c", "d")}
    with part("stopped at once, in the middle of a campaign too"):
        ident = written(app, PURPOSE, "Slow")
        started(app, ident, pace=1)
        wait_for(lambda: shown(app, ident)["sent"] == 1)
        left = next(name for name in people if not box.find(f"{name}@slow.example"))
        app.consent(people[left], PURPOSE, "withdrawn", channel="email").expect(201)
        app.post(f"/v1/campaigns/{ident}/steer", {"do": "pause"}).expect(200)
        server.advance(hours=3)
        box.none_within(1.2, to=f"{left}@slow.example")
        check(shown(app, ident)["state"] == "paused" and shown(app, ident)["sent"] == 1, "paused, it went on")
        app.post(f"/v1/campaigns/{ident}/steer", {"do": "resume", "pace": 0}).expect(200)
        after = done(app, ident)
        got = {name: len(box.find(f"{name}@slow.example")) for name in people}
        check(got == {name: int(name != left) for name in people}, f"{left} withdrew: {got} {after}")


def when_the_mail_server_fails(server, box, app):
    """Away, it is tried again however long that lasts; what it refuses for now, a few times; for good, once."""
    for name in ("well", "later", "never"):
        agreed(app, rooms, [PURPOSE], f"{name}@fails.example")
    with part("each once at most; of whom a crash leaves it uncertain is listed"):
        box.refuse("later@fails.example", "451 later")
        box.refuse("never@fails.example", "550 unknown")
        ident = written(app, PURPOSE, "Fails")
        app.post(f"/v1/campaigns/{ident}/count").expect(200)
        box.stop()
        server.restart()                                         # on no connection of before, which would wait for its end
        app.post(f"/v1/campaigns/{ident}/steer", {"do": "start"}).expect(200)
        for _ in range(8):
            time.sleep(0.3)
            server.advance(minutes=2)
        check((shown(app, ident)["sent"], shown(app, ident)["failed"]) == (0, 0), f"{shown(app, ident)}")
        box.start()

        def over():
            server.advance(hours=7)
            time.sleep(0.6)
            return shown(app, ident)["state"] == "done"
        wait_for(over)
        after = shown(app, ident)
        for name in ("later", "never"):
            box.refuse(f"{name}@fails.example")
        check(len(box.find("well@fails.example")) == 1 and after["failed"] == 2 and after["uncertain"] == 0, f"{after}")


def killed(server, box, app):
    """kill -9 while a letter leaves: it goes no second time, and is listed."""
    for name in ("k1", "k2", "k3"):
        agreed(app, rooms, [PURPOSE], f"{name}@kill.example")
    with part("each once at most; of whom a crash leaves it uncertain is listed"):
        ident = written(app, PURPOSE, "Killed")
        app.post(f"/v1/campaigns/{ident}/count").expect(200)
        wanted = len(box.letters) + 2

        def at_the_second():
            if len(box.letters) < wanted:
                box.before_answer = at_the_second
            else:
                server.kill()
        box.before_answer = at_the_second
        app.post(f"/v1/campaigns/{ident}/steer", {"do": "start"}).expect(200)
        wait_for(lambda: server.process is None)
        doubtful = box.letters[wanted - 1].to[0]
        server.start()
        after = done(app, ident)
        names = [address for letter in box.letters[wanted - 2:] for address in letter.to]
        check(len(names) == len(set(names)) and after["uncertain"] == 1, f"{names} {after}")
        listed = app.get(f"/v1/campaigns/{ident}/uncertain").expect(200).json["uncertain"]
        data = app.read(listed[0]["subject"], PURPOSE).expect(200).json["data"]
        check(len(listed) == 1 and data["login"]["email"] == doubtful, f"{listed} {data}")


def for_ever(server, letter, ident, t):
    with part("the link works after a change of the master key, and years later"):
        server.run("rotate", t.path("new.key"))
        server.restart()
        server.advance(days=150)
        check(PURPOSE in live(server, ident), "it had ended before")
        _, click, links = ways(letter)
        for wrong in (click[:-1] + ("A" if click[-1] != "A" else "B"), click[:20], "/unsubscribe/" + "A" * 52):
            server.anyone().post(wrong, b"List-Unsubscribe=One-Click", **{"Content-Type": "application/x-www-form-urlencoded"}).expect(404)
        check(PURPOSE in live(server, ident), "a token that was never made ended it")
        server.anyone().post(click, b"List-Unsubscribe=One-Click", **{"Content-Type": "application/x-www-form-urlencoded"}).expect(200)
        check(PURPOSE not in live(server, ident), "the old link does not work")
        server.advance(days=4000)
        server.anyone().post(click, b"List-Unsubscribe=One-Click", **{"Content-Type": "application/x-www-form-urlencoded"}).expect(200)


def by_page_and_command(server, desk_address, box):
    """The pages of staff, and the operator's command: what they show, and that they send nothing that the role may not."""
    desk = staff(server, rooms(desk_address), desk_address, "representative")
    books = staff(server, rooms("books@rooms.example"), "books@rooms.example", "accounting")
    with part("by page, API and command: the policy decides who writes and who sends"):
        fields = {"name": "By page", "purpose": PURPOSE, **{f"{part_}.{code}": SAID[part_][code] for part_ in SAID for code in ("en", "fr")}}
        made = form(desk, "/staff/campaigns", csrf=desk.csrf, **fields).expect(303).headers["location"]
        path = made.split("?")[0]
        for do in ("count", "test"):
            form(desk, path, csrf=desk.csrf, do=do, pace="0").expect(303)
        wait_for(lambda: letters(box, desk_address))
        page = desk.get(path + "?lang=en", Accept="text/html").expect(200).body.decode()
        check("Planted autumn" in page and "Automne planté" in page and "Start sending" in page, page)
        form(desk, path, csrf=desk.csrf, do="start", pace="0").expect(303)
        ident = path.rsplit("/", 1)[1]
        done(desk, ident)
        for who, ask in ((books, lambda: form(books, "/staff/campaigns", csrf=books.csrf, **fields)),
                         (books, lambda: books.post("/v1/campaigns", {"name": "x", "purpose": PURPOSE, **SAID}))):
            check(ask().status == 403, "accounting wrote a marketing email")
        server.run_refused("forbidden", "campaign", "new", given=json.dumps({"name": "x", "purpose": PURPOSE, **SAID}))
        check(json.loads(server.run("campaign", "list", "--json"))["campaigns"] == [], "the operator sees campaigns of a purpose that is not theirs")
        desk.post("/v1/campaigns", {"name": "x", "purpose": "service", **SAID}).refused("purpose-refused", status=403, clause=r"^purposes\.service$")
        desk.post("/v1/campaigns", {"name": "x", "purpose": "sale", **SAID}).refused("purpose-refused", status=403, clause=r"^never\.sale")
        for bad in ({"subject": {**SAID["subject"], "en": "A\r\nBcc: x@x.example"}}, {"text": {**SAID["text"], "fr": "\u0007"}}, {"subject": {"en": "A"}}):
            check(desk.post("/v1/campaigns", {"name": "x", "purpose": PURPOSE, **SAID, **bad}).status == 422, f"{bad} is taken")


@promise("MO-21")
def leaving_the_news(t):
    with Mailbox() as box:
        server = t.server(now=NOW, tenant="myownconference", arguments=box.arguments())
        app = server.client("app")
        to_whom(server, box, app)
        letter, ident = every_way(server, box, app)
        in_the_middle(server, box, app)
        killed(server, box, app)
        when_the_mail_server_fails(server, box, app)
        by_page_and_command(server, "writer@rooms.example", box)
        with part("the board looks at each: a consent in force when it left"):
            seen = server.operator().get("/v1/promises?fresh=true").expect(200).json["probes"]
            row, = [one for one in seen if one["name"] == "letters"]
            check(row["state"] == "kept" and row["figure"] >= 15 and row["bad"] == 0, f"{row}")
        for_ever(server, letter, ident, t)


# ---- MO-09, DM-14: measured of who agrees to that, and of nobody else. ----

def links_of(letter):
    """The image of a letter, and where its links lead: as its HTML has them."""
    pixels = [path_of(one) for one in re.findall(r'<img [^>]*src="([^"]+)"', letter.html)]
    followed = [path_of(one) for one in re.findall(r'href="([^"]+)"', letter.html) if "/go/" in one]
    return pixels, followed


def opens(server, pixel):
    """A mail program fetches the image: the same bytes and no cookie, whatever is recorded."""
    answer = server.anyone().get(pixel).expect(200)
    check(answer.headers["content-type"] == "image/gif" and answer.body.startswith(b"GIF89a") and "set-cookie" not in answer.headers, f"{answer.headers}")
    return answer.body


def follows(server, path, to):
    answer = server.anyone().get(path)
    check(answer.status in (302, 303) and answer.headers["location"] == to and "set-cookie" not in answer.headers, f"{answer.status} {answer.headers}")


def noted(server, ident, category):
    """What the person's own record says was opened and followed."""
    rows = server.operator().get(f"/v1/subjects/{ident}/access").expect(200).json["data"].get(category, [])
    return [(row["fields"]["action"], row["fields"].get("link")) for row in rows]


def measured(server, box, client, data, news, measuring, category, domain):
    """One who agreed to both, one to the letters alone, one who refused the measure, one to nothing."""
    people = {name: agreed(client, data, [news], f"{name}@{domain}") for name in ("both", "letters", "refused")}
    people["nothing"] = client.create(data(f"nothing@{domain}"))["id"]
    people["measure"] = agreed(client, data, [measuring], f"measure@{domain}")
    client.consent(people["both"], measuring, channel="email").expect(201)
    client.consent(people["refused"], measuring, "refused", channel="email").expect(201)
    sent(client, news, "Autumn letter", measure=True)
    return people, {name: letters(box, f"{name}@{domain}") for name in people}


@promise("MO-09")
def followed_with_consent_only(t):
    """Promotional mail and tracking of interest, each under a consent of its own."""
    with Mailbox() as box:
        server = t.server(now=NOW, tenant="myownconference", arguments=box.arguments())
        app = server.client("app")
        people, got = measured(server, box, app, rooms, PURPOSE, "interest_tracking", "interest", "rooms.example")
        with part("without consent no mail"):
            check({name: len(got[name]) for name in people} == {"both": 1, "letters": 1, "refused": 1, "nothing": 0, "measure": 0}, f"{got}")
        with part("without consent no beacon, whether refused or never asked"):
            for name in ("letters", "refused"):
                pixels, followed = links_of(got[name][0])
                check(not pixels and got[name][0].html.count("<img") == 0, f"{name} has a beacon: {pixels}")
                check(len(ways(got[name][0])[2]) == 1, "who is not measured has a link that ends the measure")
                for path in followed:
                    server.anyone().get(path)
                check(not noted(server, people[name], "interest"), f"{name} was followed")
        pixels, followed = links_of(got["both"][0])
        with part("with it the beacon counts opens and links"):
            check(len(pixels) == 1 and len(followed) == 2, f"{pixels} {followed}")
            opens(server, pixels[0])
            opens(server, pixels[0])
            follows(server, followed[0], f"{SITE}?from=letter&page=1")
            check(noted(server, people["both"], "interest") == [("opened", None)] * 2 + [("link", f"{SITE}?from=letter&page=1")],
                  f"{noted(server, people['both'], 'interest')}")
            read = app.read(people["both"], "interest_tracking").expect(200).json["data"]["interest"]
            check({row["fields"]["message"] for row in read} == {"Autumn letter"}, f"{read}")
        with part("the person sees it, on the page, in the answer and by command"):
            told = json.loads(server.run("subject", "access", people["both"], "--json"))
            check(len(told["data"]["interest"]) == 3 and [row["campaign"] for row in told["campaigns"]] == ["Autumn letter"], f"{told['campaigns']}")
            registered(server, box, rooms("reader@rooms.example"), "reader@rooms.example")
            own = visitor(server, "reader@rooms.example", tenant="myownconference")
            for purpose in (PURPOSE, "interest_tracking"):
                form(own, "/me/consents", purpose=purpose, channel="email", decision="given", csrf=own.csrf).expect(303)
            sent(app, PURPOSE, "For the reader", measure=True)
            opens(server, links_of(letters(box, "reader@rooms.example")[0])[0][0])
            page = own.get("/me?lang=en", Accept="text/html").expect(200).body.decode()
            check("Interest in our mails" in page and "For the reader" in page, "the page does not tell")
        with part("withdrawn, the old beacon is blank and records nothing; the letters go on"):
            before, quiet = noted(server, people["both"], "interest"), [one for one in ways(got["both"][0])[2]][-1]
            image = opens(server, "/pixel/" + "A" * 64)
            server.anyone().post(quiet, b"", **{"Content-Type": "application/x-www-form-urlencoded"}).expect(200)
            check(live(server, people["both"]) == [PURPOSE], f"{live(server, people['both'])}")
            check(opens(server, pixels[0]) == image, "the image tells whether it is recorded")
            follows(server, followed[0], f"{SITE}?from=letter&page=1")
            check(noted(server, people["both"], "interest") == before, "after the withdrawal something was recorded")
            sent(app, PURPOSE, "Second", measure=True)
            pixels, _ = links_of(letters(box, "both@rooms.example")[-1])
            check(len(letters(box, "both@rooms.example")) >= 2 and not pixels, "the next letter has a beacon, or did not come")


def shop(address):
    return {"contact": {"name": "Clarisse Planted", "email": address}}


@promise("DM-14")
def totals_that_lead_to_nobody(t):
    """Beacons in campaign mail: per person with consent only; without it, totals that cannot be traced."""
    with Mailbox() as box:
        server = t.server(now=NOW, arguments=box.arguments())
        app = server.client("app")
        people, got = measured(server, box, app, shop, "marketing", "mail_measure", "mail_events", "shop.example")
        with part("measured by person with that consent alone"):
            pixels, followed = links_of(got["both"][0])
            opens(server, pixels[0])
            follows(server, followed[0], f"{SITE}?from=letter&page=1")
            check(noted(server, people["both"], "mail_events") == [("opened", None), ("link", f"{SITE}?from=letter&page=1")], "not measured")
            for name in ("letters", "refused"):
                check(not links_of(got[name][0])[0], f"{name} has a beacon")
        with part("totals too small are not shown"):
            ident, = [row["id"] for row in app.get("/v1/campaigns").expect(200).json["campaigns"]]
            follows(server, links_of(got["letters"][0])[1][0], f"{SITE}?from=letter&page=1")
            row = shown(app, ident)
            check(row["opened"] is None and row["measured"] is None and [one["followed"] for one in row["links"]] == [None], f"{row}")
        crowd = {f"c{number}@crowd.example": agreed(app, shop, ["marketing"], f"c{number}@crowd.example") for number in range(12)}
        ident = sent(app, "marketing", "Crowd", measure=True)["id"]
        with part("without it, totals that cannot be traced"):
            ways_on = {address: links_of(letters(box, address)[0])[1] for address in crowd}
            check(len({tuple(paths) for paths in ways_on.values()}) == 1, f"links that tell people apart: {ways_on}")
            for address in crowd:
                follows(server, ways_on[address][0], f"{SITE}?from=letter&page=1")
            row = shown(app, ident)
            check([one for one in row["links"] if one["followed"] == 12 and one["link"] == f"{SITE}?from=letter&page=1"], f"{row['links']}")
            check(not any(noted(server, one, "mail_events") for one in crowd.values()), "somebody was followed")
            said = [line for line in server.log().splitlines() if "/go/" in line or "127.0.0.1" in line and "listening" not in line and "http://" not in line]
            check(not said, f"the log tells who followed: {said}")
        with part("by page and command the same"):
            desk = staff(server, {**shop("desk@shop.example")}, "desk@shop.example", "campaigns")
            page = desk.get(f"/staff/campaigns/{ident}?lang=en", Accept="text/html").expect(200).body.decode()
            check(re.search(re.escape("page=1") + r"</span>[^<]*12<", page.replace("&amp;", "&")), page)
            server.run_refused("forbidden", "campaign", "show", ident)
        with part("a link leads to what the letter says, and nowhere else"):
            for wrong in (f"/go/{ident}/7", f"/go/{ident}/-1", f"/go/{'0' * 26}/0", f"/go/{'A' * 64}/0", f"/go/{ident}/https:%2F%2Fevil.example"):
                check(server.anyone().get(wrong).status in (400, 404), wrong)


# ---- DM-18: by telephone and by post, staff carry it out. ----

BY_HAND = {"phone": "channels: [email, sms, post]\n    opt_out: [link, page, email, sms, post]",
           "with": "channels: [email, sms, post, phone]\n    opt_out: [link, page, email, sms, post, phone]"}


def with_phone(text):
    return text.replace(BY_HAND["phone"], BY_HAND["with"])


def reachable(app, name, channel, decision="given", **fields):
    """Somebody with a number and an address who decided so about marketing by that channel."""
    data = {"contact": {"name": f"Planted {name}", "email": f"{name}.{channel}@conso.example", "phone": "+33611110001",
                        "address": "3 allée des Planted-Tilleuls", **fields}}
    return app.create(data, consents=[{"purpose": "marketing", "channel": channel, "decision": decision, "wording": "Oui."}])["id"]


def who_may_not(server, app, channel):
    """Each reason for which somebody is left out."""
    operator = server.operator()
    out = {"no": reachable(app, "no", channel, "refused"), "other": reachable(app, "other." + channel, "email"),
           "nowhere": app.create({"contact": {"name": "Planted nowhere", "email": f"nowhere.{channel}@conso.example"}}, consents=[
               {"purpose": "marketing", "channel": channel, "decision": "given", "wording": "Oui."}])["id"]}
    for name in ("withdrew", "objected", "restricted", "closed", "erased"):
        out[name] = reachable(app, name, channel)
    app.consent(out["withdrew"], "marketing", "withdrawn", channel=channel).expect(201)
    operator.put(f"/v1/subjects/{out['objected']}/objections/marketing").expect(200, 201, 204)
    operator.put(f"/v1/subjects/{out['restricted']}/restriction", {"ground": "contested"}).expect(200, 201, 204)
    operator.post(f"/v1/subjects/{out['closed']}/close").expect(200, 201, 204)
    app.erase(out["erased"])
    return out


def people_of(client, ident):
    return {row["subject"]: row for row in client.get(f"/v1/campaigns/{ident}/people").expect(200).json["people"]}


def by_telephone(server, app):
    with part("by telephone: a list of who agreed to be called and of nobody else, each handed out once, decided again in the write"):
        who_may_not(server, app, "phone")
        yes, late, stops, away = (reachable(app, name, "phone") for name in ("yes", "late", "stops", "away"))
        app.post("/v1/campaigns", {"name": "Calls", "purpose": "contests", "channel": "phone", **SAID}).refused("purpose-refused", status=403)
        ident = written(app, "marketing", channel="phone")
        app.post(f"/v1/campaigns/{ident}/take", {}).refused("conflict", status=409)
        started(app, ident)
        first = app.post(f"/v1/campaigns/{ident}/take", {"most": 1}).expect(200).json
        rest = app.post(f"/v1/campaigns/{ident}/take", {}).expect(200).json
        check((first["taken"], rest["taken"], rest["over"]) == (1, 3, True), f"{first} {rest}")
        app.post(f"/v1/campaigns/{ident}/take", {}).refused("conflict", status=409)
        check(set(people_of(app, ident)) == {yes, late, stops, away}, f"{people_of(app, ident)}")
        row = people_of(app, ident)[yes]
        check((row["name"], row["phone"]) == ("Planted yes", "+33611110001") and "Bonjour & bienvenue." in row["text"], f"{row}")
        app.consent(late, "marketing", "withdrawn", channel="phone").expect(201)
        check(set(people_of(app, ident)) == {yes, stops, away}, "who withdrew since is still to be called")
        server.client("contest_site").get(f"/v1/campaigns/{ident}/people").refused("forbidden", status=403)
        for verb in (("take",), ("people",), ("call", "--subject", yes, "--result", "stop"), ("posted",)):
            server.run_refused("forbidden", "campaign", verb[0], ident, *verb[1:])          # the operator is of no role
    with part("what the person said on the telephone is noted at once: a stop withdraws that channel, the call is a contact"):
        call = lambda subject, result, **more: app.post(f"/v1/campaigns/{ident}/calls", {"subject": subject, "result": result,
                                                                                         "fields": {"motive": "general"}, **more})
        call(away, "no_answer").expect(200)
        check(people_of(app, ident)[away]["tries"] == 1, f"{people_of(app, ident)}")
        call(stops, "stop").expect(200)
        rows = [row for row in server.operator().get(f"/v1/subjects/{stops}/consents").expect(200).json["consents"] if row["channel"] == "phone"]
        check(any((row["decision"], row.get("method")) == ("withdrawn", "telephone") for row in rows), f"{rows}")
        check("marketing" not in live(server, stops), "the consent still stands")
        call(yes, "perhaps").refused("invalid-value", status=422)
        call(yes, "reached").expect(200)
        call(yes, "reached").refused("conflict", status=409)
        contacts = app.get(f"/v1/subjects/{yes}/contacts?purpose=customer_service").expect(200).json["contacts"]
        check([row["fields"]["channel"] for row in contacts] == ["phone"], f"{contacts}")
        check(set(people_of(app, ident)) == {away}, f"{people_of(app, ident)}")
        told = server.operator().get(f"/v1/subjects/{yes}/access").expect(200).json
        check([row["state"] for row in told["campaigns"]] == ["sent"], f"{told['campaigns']}")


def read_pdf(file, *how):
    """What Debian's poppler makes of it."""
    return subprocess.run(how, input=file if isinstance(file, bytes) else file.encode("latin-1"), check=True, capture_output=True).stdout.decode()


def words(file):
    return read_pdf(file, "pdftotext", "-layout", "-", "-")


def printable(file, ident, token):
    """One letter each, its address where the envelope's window is (NF Z 10-011), letters beyond Latin-1 as they are, the font in the file."""
    text = words(file)
    pages = text.split("\f")[:-1]
    check(len(pages) == 2 and text.count("Automne planté") == 2 and text.count("3 allée des Planted-Tilleuls") == 2, text)
    check(token in "".join(text.split()) and "Łódź, Αθήνα, œuvre" in text, text)
    place = re.search(r'xMin="([\d.]+)" yMin="([\d.]+)"[^>]*>Planted-Tilleuls', read_pdf(file, "pdftotext", "-bbox", "-", "-"))
    left, top = (float(one) / 72 * 25.4 for one in place.groups())
    check(105 <= left <= 195 and 45 <= top <= 85, f"the address stands {left:.0f} mm from the left, {top:.0f} mm from the top")
    fonts = read_pdf(file, "pdffonts", "-").splitlines()[2:]
    check(fonts and all(line.split()[-5] == "yes" for line in fonts) and len(file) < 400_000, f"{fonts} {len(file)}")


def beyond_one_page(server, app, desk):
    """More people than one page of the list: the table has them all, and the letters come in files, each once."""
    for number in range(204):
        reachable(app, f"many{number}", "post")
    ident = written(app, "marketing", channel="post")
    started(app, ident)
    taken = sum(app.post(f"/v1/campaigns/{ident}/take", {"most": 200}).expect(200).json["taken"] for _ in range(2))
    page = desk.submit(desk.get(f"/staff/campaigns/{ident}").expect(200), f"/staff/campaigns/{ident}", press={"do": "people"}).expect(200)
    csrf = next(f["value"] for f in page.form(f"/staff/campaigns/{ident}")["fields"] if f.get("name") == "csrf")
    table = desk.send("POST", f"/staff/campaigns/{ident}/csv", {"csrf": csrf}).expect(200).body
    check((table if isinstance(table, str) else table.decode()).count("\r\n") == taken + 1 > 201, f"the table ends early: {taken}")
    printed = desk.send("POST", f"/staff/campaigns/{ident}/print", {"csrf": csrf}).expect(200)
    after = re.search(r'name="after" value="(\w+)"', str(printed.html))[1]
    files = [desk.send("POST", f"/staff/campaigns/{ident}/pdf", {"csrf": csrf, "after": one}).expect(200).body for one in ("", after)]
    names = [name for file in files for name in re.findall(r"Planted many\d+", words(file))]
    check(len(names) == len(set(names)) == 204, f"{len(names)} letters, {len(set(names))} people")
    rest = desk.send("POST", f"/staff/campaigns/{ident}/print", {"csrf": csrf, "after": after}).expect(200)
    check(str(rest.html).count('<article class="letter"') == taken - 200, "the pages to print end early")


def by_post(server, app):
    with part("by post: letters to print and their addresses, to who agreed to letters; who stops them since is taken out, each sending on record"):
        who_may_not(server, app, "post")
        yes, late = reachable(app, "yes", "post"), reachable(app, "late", "post")
        ident = written(app, "marketing", channel="post", text={"en": "Łódź", "fr": "Bonjour & bienvenue.\n\nŁódź, Αθήνα, œuvre"})
        started(app, ident)
        check(app.post(f"/v1/campaigns/{ident}/take", {}).expect(200).json["taken"] == 2, "another number")
        rows = people_of(app, ident)
        check(set(rows) == {yes, late} and rows[yes]["post"] == "3 allée des Planted-Tilleuls", f"{rows}")
        check("/unsubscribe/" in rows[yes]["text"] and "Vous recevez ce courrier parce que" in rows[yes]["text"], f"{rows[yes]['text']}")
        token = re.search(r"/unsubscribe/(\w+)", rows[late]["text"]).group(1)
        desk = Browser.of(server, staff(server, dm_person(95), "clarisse.95@conso.example", "campaigns", language="en"))
        page = desk.get(f"/staff/campaigns/{ident}").expect(200)
        page = desk.submit(page, f"/staff/campaigns/{ident}", press={"do": "people"}).expect(200).has("3 allée des Planted-Tilleuls", "Planted yes")
        csrf = next(f["value"] for f in page.form(f"/staff/campaigns/{ident}")["fields"] if f.get("name") == "csrf")
        printed = desk.send("POST", f"/staff/campaigns/{ident}/print", {"csrf": csrf}).expect(200)
        check(str(printed.html).count('<article class="letter"') == 2, f"{printed.html}")
        printable(desk.send("POST", f"/staff/campaigns/{ident}/pdf", {"csrf": csrf}).expect(200).body, ident, token)
        file = app.get(f"/v1/campaigns/{ident}/letters?limit=1").expect(200)
        check(file.headers["content-type"] == "application/pdf" and 'rel="next"' in file.headers["link"], f"{file.headers}")
        named, path = os.path.join(server.folder, "letters.token"), os.path.join(server.folder, "letters.pdf")
        with open(named, "w", encoding="ascii") as token_file:
            token_file.write(app.token)
        os.chmod(named, 0o600)
        server.run("campaign", "people", ident, "--limit", "1", "--pdf", path, "--as", named)
        with open(path, "rb") as kept:
            check(words(kept.read()) == words(file.body), "the command keeps other letters")
        check(words(file.body).count("Automne planté") == 1 and len(app.get(
            f"/v1/campaigns/{ident}/letters?limit=1&after={min(yes, late)}").expect(200).body) > 1000, "a page of it holds another number of letters")
        table = desk.send("POST", f"/staff/campaigns/{ident}/csv", {"csrf": csrf}).expect(200)
        body = table.body.decode() if isinstance(table.body, bytes) else table.body
        check('"Planted yes","3 allée des Planted-Tilleuls"' in body and body.count("\r\n") == 3, body)
        Browser(server).send("POST", f"/unsubscribe/{token}", {}).expect(200)
        said = app.post(f"/v1/campaigns/{ident}/posted").expect(200).json
        check(said == {"out": [late], "sent": 1}, f"{said}")
        after = shown(app, ident)
        check((after["sent"], after["failed"], after["state"]) == (1, 1, "done"), f"{after}")
        check(not people_of(app, ident), "somebody is still to be written to")
        beyond_one_page(server, app, desk)
        form = words(server.anyone().get("/forms/spring_contest/pdf?lang=fr").expect(200).body)
        check("Concours de printemps" in form and "Signature" in form and "par courrier postal" in form and "spring_contest, version" in form, form)
        server.anyone().get("/forms/nothing/pdf").refused("not-found", status=404)
        path = os.path.join(server.folder, "contest.pdf")
        told = json.loads(server.run("form", "show", "spring_contest", "--pdf", path, "--lang", "fr", "--json"))
        with open(path, "rb") as file:
            kept = file.read()
        check(told == {"file": path, "bytes": len(kept)} and "Concours de printemps" in words(kept) and os.stat(path).st_mode & 0o777 == 0o600, f"{told}")
        server.run_refused("conflict", "form", "show", "spring_contest", "--pdf", path)
        server.run_refused("not-found", "form", "show", "nothing", "--pdf", path + ".none")
        check(not os.path.exists(path + ".none"), "a file is left that holds nothing")


def dm_person(number):
    return {"contact": {"name": f"Clarisse Planted-{number}", "email": f"clarisse.{number}@conso.example"},
            "account": {"screen_name": f"clarisse{number}"}}


@further("DM-18")
def by_hand(t):
    with Mailbox() as box:
        server = t.server(policy=t.copy_of_policy(with_phone), now=NOW, arguments=box.arguments())
        app = server.client("app")
        by_telephone(server, app)
        by_post(server, app)
