"""Text messages: by a gateway on loopback, to whoever agreed to them and to nobody else, stopped by an answer or by staff."""
import base64, concurrent.futures, json, threading, time
from browser import Browser
from gateway import BEARER, SECRET, Gateway
from garant import check
from letters import NOW, dm_person, done, reachable, shown, who_may_not, with_phone
from mailbox import wait_for
from people import staff
from promise import further, part

SENT = "by text message: to who agreed to them and to nobody else, each once at most, decided again as each leaves; sender and way to stop in each"
STOPPED = "an answer that stops text messages, or staff who note it, withdraws that channel at once; who is asked about shows in no answer"
SAID = {"text": {"en": "Planted autumn is here: [see](https://shop.example/a).", "fr": "# L'automne planté\n\nÀ bientôt, œuvre"}}
SPACE = {"Authorization": f"Bearer {SECRET}"}


def numbered(app, name, number, **more):
    return reachable(app, name, "sms", phone=number, **more)


def written(app, name="Texts", **more):
    return app.post("/v1/campaigns", {"name": name, "purpose": "marketing", "channel": "sms", **SAID, **more}).expect(201).json["id"]


def started(app, ident, **more):
    app.post(f"/v1/campaigns/{ident}/count").expect(200)
    return app.post(f"/v1/campaigns/{ident}/steer", {"do": "start", **more}).expect(200)


def live(server, ident):
    rows = server.operator().get(f"/v1/subjects/{ident}/consents").expect(200).json["consents"]
    return [row for row in rows if row["channel"] == "sms"][-1]


def measured(app):
    """Its length before it goes, in the alphabet of the network."""
    ident = written(app)
    french, english = (app.get(f"/v1/campaigns/{ident}/preview?language={one}").expect(200).json for one in ("fr", "en"))
    check(french["text"] == "Boutique\nL'automne planté\nÀ bientôt, œuvre\nSTOP au 36180", f"{french}")
    check((french["segments"], french["alphabet"], french["letters"], french["beyond"]) == (1, "ucs2", len(french["text"]), "Àôœ"), f"{french}")
    check((english["segments"], english["alphabet"], english["letters"]) == (1, "gsm7", len(english["text"])), f"{english}")
    # "Boutique\n" and "\nSTOP to 36180" take 23 places
    for text, want in (("a" * 137, (1, "gsm7", 160)), ("a" * 138, (2, "gsm7", 161)), ("€" * 69, (2, "gsm7", 161)), ("a" * 283, (2, "gsm7", 306)),
                       ("a" * 284, (3, "gsm7", 307)), ("ê" * 47, (1, "ucs2", 70)), ("ê" * 48, (2, "ucs2", 71)), ("\U0001f600" * 23, (1, "ucs2", 69)),
                       ("a" * 143 + "€" + "a" * 138, (3, "gsm7", 306))):
        one = written(app, text={"fr": text, "en": text})
        got = app.get(f"/v1/campaigns/{one}/preview?language=en").expect(200).json
        check((got["segments"], got["alphabet"], got["letters"]) == want, f"{text[:3]} {len(text)}: {got}")
    for bad in ({"text": {"fr": "a" * 1600, "en": "a"}}, {"measure": True}, {"text": {"fr": "a"}}):
        app.post("/v1/campaigns", {"name": "x", "purpose": "marketing", "channel": "sms", **SAID, **bad}).refused(status=422)
    app.post(f"/v1/campaigns/{ident}/test").refused("missing-field", status=422)             # this policy has no number of the controller
    app.post(f"/v1/campaigns/{ident}/take", {}).refused("conflict", status=409)


def sends(server, gateway, app):
    who_may_not(server, app, "sms")
    yes, late = numbered(app, "yes", "06 11 11 00 02"), numbered(app, "late", "+33611110003")
    abroad, landless = numbered(app, "abroad", "+447911123456"), numbered(app, "landless", "+33 1 23 45 67 89 poste 12")
    ident = written(app)
    check(app.post(f"/v1/campaigns/{ident}/count").expect(200).json["recipients"] >= 3, "nobody would get it")
    gateway.before_answer = lambda: app.consent(late, "marketing", "withdrawn", channel="sms").expect(201)     # while the first one leaves
    gateway.refuse("+447911123456", 400)
    started(app, ident, pace=3600)
    for _ in range(20):
        time.sleep(0.2)
        server.advance(seconds=2)
    after = done(app, ident)
    numbers = [one["to"] for one in gateway.messages]
    check(numbers.count("+33611110002") == 1 and set(numbers) <= {"+33611110002", "+33611110003"} and len(set(numbers)) == len(numbers), f"{numbers}")
    check("+33611110003" not in numbers or numbers[0] == "+33611110003", f"who withdrew meanwhile: {numbers}")
    check((after["sent"], after["failed"], after["uncertain"]) == (len(numbers), 1, 0), f"{after} {numbers}")
    message = gateway.wait("+33611110002")
    check(message["text"].startswith("Boutique\n") and message["text"].endswith("\nSTOP au 36180") and message["from"] == "Boutique", f"{message}")
    check(message["headers"]["authorization"] == f"Bearer {BEARER}" and message["headers"]["webhook-id"] == message["ref"]
          and message["headers"]["webhook-signature"].startswith("v1,"), f"{message['headers']}")
    told = server.operator().get(f"/v1/subjects/{yes}/access").expect(200).json
    check([row["state"] for row in told["campaigns"]] == ["sent"] and not people_state(server, landless), f"{told['campaigns']}")
    check("+33611110002" not in server.log(), "the log tells a number")
    return yes


def people_state(server, ident):
    return server.operator().get(f"/v1/subjects/{ident}/access").expect(200).json["campaigns"]


def away_and_unknown(server, gateway, app):
    """Too busy: again later; never answered, or a 500: nobody knows, and it goes no second time."""
    for name, number in (("busy", "+33611120001"), ("silent", "+33611120002"), ("broken", "+33611120003")):
        numbered(app, name, number)
    gateway.refuse("+33611120001", 503)
    gateway.refuse("+33611120002", 0)
    gateway.refuse("+33611120003", 500)
    ident = written(app, "Away")
    started(app, ident)

    wait_for(lambda: shown(app, ident)["uncertain"] == 2)             # the one that is to be tried again holds up no other
    gateway.refuse("+33611120001")

    def over():
        server.advance(minutes=2)
        time.sleep(0.3)
        return shown(app, ident)["state"] == "done"
    wait_for(over)
    after = shown(app, ident)
    check(len(gateway.to("+33611120001")) == 1 and len(gateway.to("+33611120002")) == 1 and not gateway.to("+33611120003"), f"{after}")
    check(len(app.get(f"/v1/campaigns/{ident}/uncertain").expect(200).json["uncertain"]) == 2, f"{after}")
    for number in ("+33611120002", "+33611120003"):
        gateway.refuse(number)


def killed(server, gateway, app):
    for number in ("+33611130001", "+33611130002", "+33611130003"):
        numbered(app, "k" + number[-1], number)
    ident = written(app, "Killed")
    app.post(f"/v1/campaigns/{ident}/count").expect(200)
    before, wanted = len(gateway.messages), len(gateway.messages) + 2

    def at_the_second():
        if len(gateway.messages) < wanted:
            gateway.before_answer = at_the_second
        else:
            server.kill()
    gateway.before_answer = at_the_second
    app.post(f"/v1/campaigns/{ident}/steer", {"do": "start"}).expect(200)
    wait_for(lambda: server.process is None)
    server.start()
    after = done(app, ident)
    numbers = [one["to"] for one in gateway.messages[before:]]
    check(len(numbers) == len(set(numbers)) and after["uncertain"] == 1, f"{numbers} {after}")


def answer(server, number, said, **more):
    return server.anyone().post("/v1/sms/received", {"msisdn": number, "message": said, "messageId": "4111111111111111", **more}, **SPACE)


def stops(server, gateway, app, yes):
    anyone = server.anyone()
    for wrong in ({}, {"Authorization": "Bearer " + SECRET[:-1] + "2"}, {"Authorization": "Bearer"}, {"Authorization": f"Basic {SECRET}"}):
        anyone.post("/v1/sms/received", {"msisdn": "+33611110002", "message": "STOP"}, **wrong).refused(status=401)
    for number, said in (("+33611110002", "Merci, stop au bruit"), ("+33611110002", ""), ("+33699999999", "STOP"), ("nobody", "STOP"), ("", "STOP")):
        check(answer(server, number, said).expect(204).body in (b"", ""), "an answer tells")
    check(live(server, yes)["decision"] == "given", "a word that stops nothing stopped it")
    answer(server, "33611110002", "  Stop. ").expect(204)
    row = live(server, yes)
    check((row["decision"], row.get("method")) == ("withdrawn", "sms"), f"{row}")
    basic = {"Authorization": "Basic " + base64.b64encode(f"gateway:{SECRET}".encode()).decode(), "Content-Type": "application/x-www-form-urlencoded"}
    abroad = numbered(app, "basic", "+33611140001")
    ident = written(app, "Basic")
    started(app, ident)
    gateway.wait("+33611140001")
    anyone.post("/v1/sms/received", b"msisdn=%2B33611140001&message=ARRET", **basic).expect(204)
    check(live(server, abroad)["decision"] == "withdrawn", f"{live(server, abroad)}")
    check(not gateway.to("+33611110002")[1:], "who stopped them got another")


def plainly(t):
    """A word that stops them, as people type it, and as an operator writes the setting: accents, case and blanks do not count."""
    typed = ("Arr\u00eat", "arre\u0302t merci", "ARRET", "\u00ab STOP \u00bb", "Ne\u00edn.")
    with Gateway(stop_words="STOP, arr\u00eat , Nein") as gateway:
        server = t.server(policy=t.copy_of_policy(with_phone), now=NOW, arguments=gateway.arguments())
        app = server.client("app")
        people = [numbered(app, f"typed{i}", f"+3361117000{i}") for i in range(len(typed))]
        started(app, written(app, "Typed"))
        for i, (yes, said) in enumerate(zip(people, typed)):
            gateway.wait(f"+3361117000{i}")
            for other in ("Arr\u00eatez", "non", "\u0302", ","):
                answer(server, f"+3361117000{i}", other).expect(204)
            check(live(server, yes)["decision"] == "given", "a word that stops nothing stopped it")
            answer(server, f"+3361117000{i}", said).expect(204)
            check(live(server, yes)["decision"] == "withdrawn", f"{said!r} stops nothing")


def noted(server, gateway, app):
    """By staff, on the page, by API and command."""
    one, two = numbered(app, "noted", "+33611150001"), numbered(app, "paged", "+33611150002")
    ident = written(app, "Noted")
    started(app, ident)
    gateway.wait("+33611150002")
    done(app, ident)
    app.post(f"/v1/campaigns/{ident}/stops", {"phone": "+33699999999"}).refused("not-found", status=404)
    app.post(f"/v1/campaigns/{ident}/stops", {"phone": "06 11 15 00 01"}).expect(200)
    check((live(server, one)["decision"], live(server, two)["decision"]) == ("withdrawn", "given"), "another was stopped")
    server.client("contest_site").post(f"/v1/campaigns/{ident}/stops", {"phone": "+33611150002"}).refused("forbidden", status=403)
    server.run_refused("forbidden", "campaign", "stopped", ident, "--phone", "+33611150002")          # the operator is of no role
    desk = Browser.of(server, staff(server, {**dm_person(96), "contact": {**dm_person(96)["contact"], "phone": "+33611150096"}},
                                    "clarisse.96@conso.example", "campaigns", language="en"))
    before, sent = len(gateway.messages), shown(app, ident)["sent"]
    page = desk.get(f"/staff/campaigns/{ident}").expect(200).has("STOP to 36180", "Someone wants no more text messages")
    gateway.refuse("+33611150096", 401)
    desk.submit(page, f"/staff/campaigns/{ident}", press={"do": "test"}).expect(503).has("http-401")
    gateway.refuse("+33611150096")
    desk.submit(page, f"/staff/campaigns/{ident}", press={"do": "test"}).expect(200)
    tried = gateway.wait("+33611150096")
    check(tried["text"].startswith("Boutique\nPlanted autumn") and "STOP to 36180" in tried["text"], f"{tried}")
    check(len(gateway.messages) == before + 1 and shown(app, ident)["sent"] == sent, "a test went to somebody else, or counts as sent")
    desk.submit(page, f"/staff/campaigns/{ident}", phone="+33611150002", press={"do": "stopped"}).expect(200)
    check(live(server, two)["decision"] == "withdrawn", f"{live(server, two)}")


CONTROLLER = "+33611160000"


def controller_phone(text):
    return with_phone(text).replace("  email: vie-privee@deskmanager.example\n", f"  email: vie-privee@deskmanager.example\n  phone: '{CONTROLLER}'\n", 1)


def tests_at_once(server, gateway, app, ident, desks):
    """While the gateway is silent: one of each program, two of the house, and pages are served."""
    goes_on, before = threading.Event(), gateway.seen

    def hold():
        gateway.before_answer = hold
        goes_on.wait(30)
    gateway.before_answer = hold
    with concurrent.futures.ThreadPoolExecutor() as pool:
        try:
            first = pool.submit(server.client("app").post, f"/v1/campaigns/{ident}/test")
            wait_for(lambda: gateway.seen == before + 1)
            problem = app.post(f"/v1/campaigns/{ident}/test").refused(status=429)
            check("at the same time" in problem["detail"], f"{problem}")
            second = pool.submit(pressed, desks[0], ident)
            wait_for(lambda: gateway.seen == before + 2)
            pressed(desks[1], ident).expect(503).has("try again in a minute")
            check(gateway.seen == before + 2, "a third one waits for the gateway")
        finally:
            gateway.before_answer = None
            goes_on.set()
        first.result().expect(200)
        second.result().expect(200)


def pressed(desk, ident, **more):
    return desk.submit(desk.get(f"/staff/campaigns/{ident}", **more).expect(200), f"/staff/campaigns/{ident}", press={"do": "test"})


def tests_bounded(server, gateway, app):
    """Each is paid for and says anything to the number that somebody typed as theirs: few a day, and none to a number that stopped."""
    row = {row["name"]: row for row in server.anyone().get("/openapi.json").expect(200).json["x-garant-budgets"]}["campaign_tests"]
    ident = written(app, "Bounded")
    path = f"/v1/campaigns/{ident}/test"
    desks = [Browser.of(server, staff(server, {**dm_person(n), "contact": {**dm_person(n)["contact"], "phone": f"+336111600{n}"}},
                                      f"clarisse.{n}@conso.example", "campaigns", language="en")) for n in (97, 98)]
    tests_at_once(server, gateway, app, ident, desks)
    for _ in range(row["limit"] - 1):
        app.post(path).expect(200)
    before = len(gateway.messages)
    for language, word in (("en", f"at most {row['limit']} tests"), ("fr", f"au plus {row['limit']} essais")):
        beyond = app.post(path, None, **{"Accept-Language": language})
        check(word in beyond.refused(status=429)["detail"] and 0 < int(beyond.headers["retry-after"]) <= row["within"], f"{beyond.json}")
    by_email = app.post("/v1/campaigns", {"name": "E", "purpose": "marketing", "subject": {"fr": "x", "en": "x"}, **SAID}).expect(201).json["id"]
    app.post(f"/v1/campaigns/{by_email}/test").refused(status=429)
    for _ in range(row["limit"] - 1):
        pressed(desks[0], ident).expect(200)
    pressed(desks[0], ident).expect(429).has(f"at most {row['limit']} tests")
    check(len(gateway.messages) == before + row["limit"] - 1, "more went than may")
    pressed(desks[1], ident).expect(200)                             # another's is another budget
    theirs, also = numbered(app, "stranger", "+33611160098"), numbered(app, "house", CONTROLLER)
    going = written(app, "Going")
    started(app, going)
    gateway.wait("+33611160098"), gateway.wait(CONTROLLER)
    done(app, going)
    for number in ("+33611160098", CONTROLLER):
        answer(server, number, "STOP").expect(204)
    server.advance(days=1)
    before = len(gateway.messages)
    app.post(path).refused("conflict", status=409)
    check((live(server, theirs)["decision"], live(server, also)["decision"]) == ("withdrawn", "withdrawn"), "STOP stopped nothing")
    app.consent(also, "marketing", "given", channel="sms", wording="Oui.").expect(201)
    app.post(path).expect(200)                                       # the next day, to a number that lets it again
    check([one["to"] for one in gateway.messages[before:]] == [CONTROLLER], f"{gateway.messages[before:]}")
    server.operator().put(f"/v1/subjects/{also}/objections/marketing").expect(200, 201, 204)
    app.post(path).refused("conflict", status=409)


@further("DM-18")
def by_text(t):
    with Gateway() as gateway:
        server = t.server(policy=t.copy_of_policy(with_phone), now=NOW, arguments=gateway.arguments())
        app = server.client("app")
        with part(SENT):
            measured(app)
            yes = sends(server, gateway, app)
        with part(STOPPED):
            stops(server, gateway, app, yes)
            noted(server, gateway, app)
            plainly(t)
        with part(SENT):
            away_and_unknown(server, gateway, app)
            killed(server, gateway, app)
    with Gateway() as gateway:
        server = t.server(policy=t.copy_of_policy(controller_phone), now=NOW, arguments=gateway.arguments())
        with part(SENT):
            tests_bounded(server, gateway, server.client("app"))


@further("DM-18")
def without(t):
    """Without a gateway nothing is written that could not go; settings that cannot be are refused at the start."""
    with part(SENT):
        server = t.server(policy=t.copy_of_policy(with_phone), now=NOW)
        server.client("app").post("/v1/campaigns", {"name": "x", "purpose": "marketing", "channel": "sms", **SAID}).refused("conflict", status=409)
        server.anyone().post("/v1/sms/received", {"from": "+33611110002", "text": "STOP"}, **SPACE).refused(status=401)
        for settings in ({"url": "http://gateway.example/send"}, {"body": "{\"to\":\"{to}\"}"}, {"body": "{\"to\":{to},\"text\":\"{text}\"}"}, {"stop": None},
                         {"sender": None}, {"type": "text/xml"}, {"incoming": {"from": "x" * 70}}, {"colour": "blue"}, {"url": None}):
            with Gateway(**settings) as gateway:
                wrong = t.server(policy=t.copy_of_policy(with_phone), now=NOW, arguments=gateway.arguments(), start=False)
                status, said = wrong.refuses_to_start()
                check(status in (64, 78), f"{settings}: {status} {said}")
    with part(SENT), Gateway(form=True) as gateway:
        other = t.server(policy=t.copy_of_policy(with_phone), now=NOW, arguments=gateway.arguments())
        app = other.client("app")
        numbered(app, "form", "+33611160001")
        text = {"fr": "Café & thé = 100 %\n+ \"mieux\"", "en": "x"}
        started(app, written(app, text=text))
        check(gateway.wait("+33611160001")["text"] == f"Boutique\n{text['fr']}\nSTOP au 36180", f"{gateway.messages}")
