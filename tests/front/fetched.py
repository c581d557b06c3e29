"""Emails fetched from a mailbox by IMAP: filed as those that LMTP brings, once each, and marked only when they are filed."""
import itertools, os, re, tempfile, time
from dovecot import PASSWORD, USER, Between, Dovecot, Pretender, settings
from garant import TOP, Server, check, check_absent, garant
from mailbox import Mailbox, wait_for
from post import came, file_of, mail, only_mail, requests_of

POLICY, START, US = "site-fr", "2026-11-23T10:00:00Z", "vie-privee@site-fr.example"
HUGE, FILED = 27 << 20, '"Filed \\"here\\""'                          # as IMAP quotes it


def register(tests):
    tests.test("fetched: what stands in a mailbox becomes a request as by LMTP, and is marked as read")(filed)
    tests.test("fetched: kill -9 between the commit and the mark files it once")(killed)
    tests.test("fetched: deleted or moved once it is filed")(taken_away)
    tests.test("fetched: one too large is not fetched: staff see its head, and it stays marked")(large)
    tests.test("fetched: a mailbox that does not answer is told of, and asked again")(dead)
    tests.test("fetched: only under TLS with a certificate that holds: to no other is the password said")(secured)
    tests.test("fetched: an answer without end, or that is none, takes nothing and stops nobody")(hostile)
    tests.test("fetched: one that its server cannot give, or mark, holds up nobody behind it, and is tried again")(kept_back)
    tests.test("fetched: a reload that names its address no more marks nothing, and says so")(readdressed)
    tests.test("fetched: what was written to two tenants comes to both, and a link to stop takes no request's place")(to_each)
    tests.test("fetched: settings that cannot be used are refused at the start")(refused)


def served(arguments, **options):
    return Server(POLICY, now=START, arguments=arguments, **options)


def read_by_all(box, count, mailbox="INBOX", flag="\\Seen"):
    return wait_for(lambda: (now := box.flags(mailbox)) and len(now) == count and all(flag in one for one in now) and now)


def figures_of(server):
    said = server.anyone().get("/metrics").expect(200).body.decode()
    return {name: int(value) for name, value in re.findall(r"^garant_mailbox_(\w+) (\d+)$", said, re.M)}


def filed():
    with Dovecot() as box, Mailbox() as letters, served(box.arguments(US) + letters.arguments()) as server:
        app = server.client("app")
        smuggled = "Bonjour\r\nG4 OK Fetch completed.\r\n* 2 FETCH (UID 2 BODY[] {9}\r\n)\r\n* BYE\r\n"
        raw = mail("Zoé <zoe@exemple.example>", US, "Droit d'accès", "Je veux une copie de mes données.\n" + smuggled)
        box.put(raw)
        wait_for(lambda: requests_of(app))
        row = file_of(app, requests_of(app)[0]["id"])
        check((row["kind"], row["email"], row["channel"]) == ("access", "zoe@exemple.example", "email"), f"{row}")
        original = app.get(f"/v1/requests/{row['id']}/emails/{row['emails'][0]['mail']}/files/original").expect(200).body
        check(original == raw, "it is not kept as it came")
        read_by_all(box, 1)
        letter = letters.wait("zoe@exemple.example", letter="request_received")
        box.put(mail("zoe@exemple.example", letter.headers["reply-to"], "Re", "And for how long?"))
        box.put(mail("robot@exemple.example", US, "Away", "delete my data", Auto_Submitted="auto-replied"))
        box.put(mail("other@exemple.example", "friends@elsewhere.example", "Hidden copy", "Where is my data?"))
        box.put(mail("third@exemple.example", "third@elsewhere.example", "Moved here", "Where is my data?", Delivered_To="<" + US + ">"))
        read_by_all(box, 5)
        check(len(file_of(app, row["id"])["emails"]) == 2, "the answer is not in its request")
        check([one["class"] for one in app.get("/v1/mail/aside").expect(200).json["emails"]] == ["auto"], "the machine's is no machine's")
        check(sorted(file_of(app, one["id"])["email"] for one in requests_of(app))
              == ["other@exemple.example", "third@exemple.example", "zoe@exemple.example"], f"{requests_of(app)}")
        again = mail("both@exemple.example", US, "Twice", "Where is my data?")
        check(came(server, again, US, "both@exemple.example")["became"] == "request", "not taken")
        box.put(again)
        read_by_all(box, 6)
        check(len(requests_of(app)) == 4, "one that LMTP brought was filed again")
        check(figures_of(server) == {"reached": 1, "fetched_total": 6, "failures_total": 0}, f"{figures_of(server)}")
        check_absent([PASSWORD, "zoe@exemple.example"], server.log_file)


def killed():
    with Dovecot() as box, Between(box) as between:
        server = served(between.arguments(US), start=False)
        between.word, between.act = b"STORE", server.kill
        with server:
            for number in range(3):
                box.put(mail(f"k{number}@exemple.example", US, f"Question {number}", "Where is my data?"))
            server.spawn()
            wait_for(lambda: between.word is None)
            wait_for(lambda: server.process is None)
            check(sum("\\Seen" in one for one in box.flags()) == 0, "marked before it was filed")
            server.start()
            app = server.client("app")
            read_by_all(box, 3)
            found = sorted(file_of(app, one["id"])["email"] for one in requests_of(app))
            check(found == [f"k{number}@exemple.example" for number in range(3)], f"{found}")
            fetches = sum(b"BODY.PEEK[]" in line for line in between.commands)
            check(fetches == 4, f"{fetches} messages were fetched: the crash came too late to show anything")


def taken_away():
    with Dovecot() as box:
        box.put(mail("d@exemple.example", US, "Question", "Where is my data?"))
        with served(box.arguments(US, then="delete")) as server:
            wait_for(lambda: len(requests_of(server.client("app"))) == 1)
            wait_for(lambda: not box.flags())
        box.create(FILED)
        box.put(mail("m@exemple.example", US, "Question", "Where is my data?"))
        with served(box.arguments(US, then={"move": "Filed \"here\""})) as server:
            wait_for(lambda: len(requests_of(server.client("app"))) == 1)
            wait_for(lambda: not box.flags() and len(box.flags(FILED)) == 1)


def large():
    with Dovecot() as box, Between(box) as between:
        box.put(mail("big@exemple.example", US, "Erase my photographs", "x").replace(b"\r\n\r\n", b"\r\n\r\n" + (b"x" * 998 + b"\r\n") * (HUGE // 1000)))
        box.put(mail("small@exemple.example", US, "Question", "Where is my data?"))
        with served(between.arguments(US)) as server:
            app = server.client("app")
            wait_for(lambda: len(requests_of(app)) == 1)
            read_by_all(box, 2)
            check(sorted("\\Flagged" in one for one in box.flags()) == [False, True], f"{box.flags()}")
            one, = app.get("/v1/mail/aside").expect(200).json["emails"]
            check((one["class"], one["sender"], one["subject"]) == ("large", "big@exemple.example", "Erase my photographs"), f"{one}")
            check(between.down < 1 << 20, f"{between.down} bytes were fetched")
            made = app.post(f"/v1/mail/aside/{one['mail']}").expect(200).json
            check(made["email"] == "big@exemple.example" and len(requests_of(app)) == 2, f"{made}")


def dead():
    with Dovecot() as box, served(box.arguments(US)) as server:
        app, operator = server.client("app"), server.operator()
        wait_for(lambda: figures_of(server)["reached"] == 1)
        box.stop()
        told = wait_for(lambda: (now := operator.get("/v1/mail").expect(200).json["mailbox"])["code"] == "unreachable" and now)
        check(figures_of(server)["reached"] == 0 and figures_of(server)["failures_total"] > 0, f"{figures_of(server)}")
        check(told["reached"] is False and told["since"], f"{told}")
        doctor = garant("doctor", "--data", server.data, "--lang", "en", ok=None)
        check("emails are not fetched: unreachable" in doctor.stdout and doctor.returncode != 0, doctor.stdout)
        check("mailbox (IMAP) :" not in doctor.stdout and "unreachable" in server.log() and "mailbox.not-reached" in server.log(), "the log says nothing")
        box.start()
        box.put(mail("late@exemple.example", US, "Question", "Where is my data?"))
        wait_for(lambda: requests_of(app))
        wait_for(lambda: figures_of(server)["reached"] == 1)
        check("répond" in garant("doctor", "--data", server.data, "--lang", "fr", ok=None).stdout, "doctor says otherwise")


def secured():
    with Dovecot() as box:
        box.put(mail("d@exemple.example", US, "Question", "Where is my data?"))
        with Between(box) as between, served(between.arguments(US, ca=None)) as server:
            wait_for(lambda: figures_of(server)["failures_total"] > 0)
            check(server.operator().get("/v1/mail").expect(200).json["mailbox"]["code"] == "tls" and not between.commands, f"{between.commands}")
        with Between(box) as between, served(between.arguments(US, url=f"imaps://localhost.localdomain:{between.port}")) as server:
            wait_for(lambda: figures_of(server)["failures_total"] > 0)
            check(not between.commands, f"another host's certificate is believed: {between.commands}")
        arguments = settings(box.dir, box.port, box.authority, US, "another password")
        with served(arguments) as server:
            wait_for(lambda: figures_of(server)["failures_total"] > 0)
            check(server.operator().get("/v1/mail").expect(200).json["mailbox"]["code"] == "login", "a wrong password is something else")
        with served(box.arguments(US, mailbox="Nowhere")) as server:
            wait_for(lambda: figures_of(server)["failures_total"] > 0)
            check(server.operator().get("/v1/mail").expect(200).json["mailbox"]["code"] == "mailbox", "no such mailbox")
        check(box.flags() == [set()] or box.flags() == [{"\\Recent"}], f"{box.flags()}")


def normal(**others):
    """Answers as a mail server with one message would, but for the commands that begin with a word of `others`."""
    message = mail("false@exemple.example", US, "Question", "Where is my data?")

    def answer(said, tag):
        for word, other in others.items():
            if word.encode() in said:
                return other(tag) if callable(other) else other
        body = b""
        if b"SEARCH" in said:
            body = b"* SEARCH 7\r\n"
        elif b"RFC822.SIZE" in said:
            body = b"* 1 FETCH (RFC822.SIZE %d UID 7)\r\n" % len(message)
        elif b"BODY" in said:
            body = b"* 1 FETCH (BODY[] {%d}\r\n%s UID 7)\r\n" % (len(message), message)
        return body + tag + b" OK done\r\n"
    return answer


HOSTILE = {
    "a line without end": (dict(SEARCH=b"* SEARCH " + b"1" * (5 << 20)), "answer"),
    "a number that is none": (dict(SEARCH=lambda tag: b"* SEARCH 99999999999\r\n" + tag + b" OK\r\n"), "answer"),
    "lines without end": (dict(SELECT=b"* 1 EXISTS\r\n" * (1 << 19)), "answer"),
    "literals without end": (dict(SEARCH=lambda _: itertools.repeat(b"* X {65536}\r\n" + b"x" * 65536)), "answer"),
    "no IMAP": (dict(SEARCH=b"HTTP/1.1 200 OK\r\n\r\n"), "answer"),
    "4 GB of a message": (dict(BODY=b"* 1 FETCH (UID 7 BODY[] {4294967296}\r\n"), "answer"),
    "a size that it has not": (dict(BODY=b"* 1 FETCH (UID 7 BODY[] {%d}\r\n" % (40 << 20)), "answer"),
    "a negative size": (dict(BODY=lambda tag: b"* 1 FETCH (UID 7 BODY[] {-5}\r\n" + tag + b" OK\r\n"), None),
    "another's message": (dict(BODY=lambda tag: b"* 1 FETCH (UID 8 BODY[] {3}\r\nabc)\r\n" + tag + b" OK\r\n"), "answer"),
    "nothing": (dict(BODY=lambda tag: tag + b" OK\r\n"), None),
    "a goodbye": (dict(SEARCH=b"* BYE\r\n"), "unreachable"),
    "a refusal": (dict(SEARCH=lambda tag: tag + b" NO\r\n"), "refused"),
    "a refused mark": (dict(STORE=lambda tag: tag + b" NO\r\n"), "refused")}


def hostile():
    with tempfile.TemporaryDirectory(prefix="garant-false-") as folder:
        for name, (others, code) in HOSTILE.items():
            with Pretender(folder, normal(**others)) as false, served(settings(folder, false.port, false.certificate, US, "planted")) as server:
                wait_for(lambda: figures_of(server)["failures_total" if code else "reached"] > 0)
                told = server.operator().get("/v1/mail").expect(200).json["mailbox"]
                check(told["code"] == code, f"{name}: {told}")
                found = requests_of(server.client("app"))
                check(len(found) == (name == "a refused mark"), f"{name}: {found}")
        for name, other in {"silent": None, "endless": HOSTILE["literals without end"][0]["SEARCH"]}.items():
            with Pretender(folder, normal(SEARCH=other)) as false, served(settings(folder, false.port, false.certificate, US, "planted")) as server:
                wait_for(lambda: any(b"SEARCH" in line for line in false.seen))
                check(server.stop(20) == 0, f"a mailbox that is {name} holds the server up")
        with Pretender(folder, normal()) as false, served(settings(folder, false.port, false.certificate, US, "planted")) as server:
            wait_for(lambda: len(requests_of(server.client("app"))) == 1)
        return f"{len(HOSTILE) + 2} answers"


class Several:
    """Answers as a mail server with messages 7 and 8, but for what `wrong` says of 7 while `ill`."""

    def __init__(self, *words, wrong):
        self.words, self.wrong, self.ill, self.read = words, wrong, True, set()
        self.mails = {uid: mail(f"uid{uid}@exemple.example", US, "Question", "Where is my data?") for uid in (7, 8)}

    def __call__(self, said, tag):
        uid = int(re.search(rb"UID \w+ (?:UID )?(\d+)", said)[1]) if said.startswith(b"UID") else 0
        wrong = self.wrong(tag, said) if self.ill and uid == 7 and any(word in said for word in self.words) else None
        body = b""
        if wrong is not None:
            return wrong
        if b"SEARCH" in said:
            body = b"* SEARCH " + b" ".join(b"%d" % one for one in self.mails if one >= uid and one not in self.read) + b"\r\n"
        elif b"RFC822.SIZE" in said:
            body = b"* 1 FETCH (RFC822.SIZE %d UID %d)\r\n" % (len(self.mails[uid]), uid)
        elif b"BODY" in said:
            body = b"* 1 FETCH (BODY[] {%d}\r\n%s UID %d)\r\n" % (len(self.mails[uid]), self.mails[uid], uid)
        elif b"STORE" in said:
            self.read.add(uid)
        return body + tag + b" OK done\r\n"


def too_long(tag, said, header=b"x" * (1 << 17)):
    size, longer = b"RFC822.SIZE %d" % HUGE, b"BODY[HEADER]<0> {%d}\r\n%s" % (len(header), header)
    return b"* 1 FETCH (UID 7 %s)\r\n%s OK done\r\n" % (size if b"RFC822.SIZE" in said else longer, tag)


KEPT_BACK = {
    "NO to its text": (("BODY",), lambda tag, _: tag + b" NO it is corrupt\r\n", "refused"),
    "BAD to its size": (("RFC822.SIZE",), lambda tag, _: tag + b" BAD it is corrupt\r\n", "refused"),
    "NO to its mark": (("STORE",), lambda tag, _: tag + b" NO read-only\r\n", "refused"),
    "a size that was an estimate": (("BODY",), lambda tag, _: b"* 1 FETCH (UID 7 BODY[] {%d}\r\n" % HUGE, "answer"),
    "a header longer than was asked for": (("RFC822.SIZE", "BODY"), too_long, "answer"),
    "a server that ends over it": (("BODY",), lambda tag, _: b"* BYE\r\n", "unreachable")}


def kept_back():
    with tempfile.TemporaryDirectory(prefix="garant-false-") as folder:
        for name, (words, wrong, code) in KEPT_BACK.items():
            several = Several(*[word.encode() for word in words], wrong=wrong)
            with Pretender(folder, several) as false, served(settings(folder, false.port, false.certificate, US, "planted")) as server:
                def senders():
                    return sorted(file_of(app, one["id"])["email"] for one in requests_of(app))

                def told():
                    return server.operator().get("/v1/mail").expect(200).json["mailbox"]
                app = server.client("app")
                wait_for(lambda: "uid8@exemple.example" in senders())
                wait_for(lambda: 8 in several.read)
                check(7 not in several.read and ("uid7@exemple.example" in senders()) == (words == ("STORE",)), f"{name}: {senders()}")
                tried = [line for line in false.seen if b"FETCH 7" in line]
                wait_for(lambda: sum(b"FETCH 7" in line for line in false.seen) > len(tried))
                check(told()["code"] == code and not told()["reached"], f"{name}: {told()}")
                several.ill = False
                wait_for(lambda: 7 in several.read and told()["reached"])
                check(senders() == ["uid7@exemple.example", "uid8@exemple.example"], f"{name}: {senders()}")
        return f"{len(KEPT_BACK)} answers"


def readdressed():
    """The policy is reloaded while its mail server gives an email, and again with the address that it had."""
    message = mail("moved@exemple.example", US, "Question", "Where is my data?")
    with tempfile.TemporaryDirectory(prefix="garant-false-") as folder:
        def named(address, again=True):
            with open(server.policy, "w", encoding="utf-8") as file:
                file.write(policy.replace(US, address))
            if again:
                server.operator().post("/v1/policy/reload").expect(200)

        def body(tag):
            if not given:
                given.append(message)
                named("nouvelle@site-fr.example")
            return b"* 1 FETCH (BODY[] {%d}\r\n%s UID 7)\r\n%s OK\r\n" % (len(message), message, tag)
        given = []
        with Pretender(folder, normal(BODY=body)) as false, \
                served(settings(folder, false.port, false.certificate, US, "planted"), start=False) as server:
            with open(os.path.join(TOP, "policies/site-fr.yaml"), encoding="utf-8") as file:
                policy = file.read()
            server.policy = os.path.join(server.folder, "policy.yaml")
            named(US, again=False)
            server.start()
            app = server.client("app")
            wait_for(lambda: server.operator().get("/v1/mail").expect(200).json["mailbox"]["code"] == "address")
            asked, failed = len(false.seen), figures_of(server)["failures_total"]
            wait_for(lambda: figures_of(server)["failures_total"] > failed + 1)
            check(given and not any(b"STORE" in line for line in false.seen), "what was not filed is marked")
            check(len(false.seen) == asked and not requests_of(app), "it is fetched for an address that is not ours")
            named(US)
            wait_for(lambda: len(requests_of(app)) == 1 and any(b"STORE" in line for line in false.seen))


def to_each():
    academy, studio, ours = "donnees@academie.example", "privacy@studio.example", "privacy@myownconference.example"
    with Dovecot() as box, Mailbox() as letters, \
            Server("myownconference", now=START, tenant="myownconference", arguments=box.arguments(ours) + letters.arguments()) as server:
        box.put(mail("ana@exemple.example", f"{academy}, Studio <{studio}>", "My data", "Please erase my data.", Cc=academy.upper()))
        read_by_all(box, 1)
        told = wait_for(lambda: len(found := letters.find("ana@exemple.example")) == 2 and found)
        said = "".join(one.text for one in told)
        check("tenant=academy" in said and "tenant=studio" in said, f"one tenant alone was told: {said}")
        app = server.client("app")
        ident = app.create({"identity": {"display_name": "Dan"}, "login": {"email": "dan@exemple.example"}},
                           consents=[{"purpose": "product_news", "channel": "email", "decision": "given"}])["id"]
        campaign = app.post("/v1/campaigns", {"name": "n", "purpose": "product_news", "subject": {"en": "Autumn", "fr": "Automne"},
                                              "text": {"en": "Hello.", "fr": "Bonjour."}}).expect(201).json["id"]
        app.post(f"/v1/campaigns/{campaign}/count").expect(200)
        app.post(f"/v1/campaigns/{campaign}/steer", {"do": "start"}).expect(200)
        link = re.match(r"<mailto:([^>]+)>", letters.wait("dan@exemple.example", letter="marketing").headers["list-unsubscribe"])[1]
        box.put(mail("dan@exemple.example", f"{link}, {studio}", "Stop", "No more, and erase my data.", Delivered_To=link.lower()))
        read_by_all(box, 2)
        rows = server.operator().get(f"/v1/subjects/{ident}/consents").expect(200).json["consents"]
        check([(row["decision"], row.get("times", 1)) for row in rows] == [("given", 1), ("withdrawn", 1)], f"one email withdraws once: {rows}")
        check("tenant=studio" in letters.wait("dan@exemple.example", letter="request_received").text, "what was asked beside it is lost")
        stop = "unsubscribe+AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA@garant.example"
        box.put(mail("bob@exemple.example", f"{stop}, {studio}", "Stop", "Please erase my data."))
        box.put(mail("cia@exemple.example", stop, "Stop", "No more emails, please.", Delivered_To=stop.lower(), X_Original_To="portal@garant.example"))
        read_by_all(box, 4)
        check("tenant=studio" in letters.wait("bob@exemple.example").text, "a link to stop took the place of a request")
        check([file_of(app, one["id"])["email"] for one in requests_of(app)] == ["cia@exemple.example"],
              "nobody reads who wants no more emails, by a link that is none")


def refused():
    good = {"url": "imaps://127.0.0.1:9", "user": USER, "address": US}
    with tempfile.TemporaryDirectory(prefix="garant-false-") as folder:
        for wrong in ({"url": "imap://127.0.0.1:9"}, {"url": "imaps://user@127.0.0.1"}, {"url": "imaps://127.0.0.1/INBOX"}, {"url": None},
                      {"address": "nobody@site-fr.example"}, {"address": None}, {"every": 0}, {"every": "often"}, {"then": "forget"},
                      {"then": {"move": "Ouvert\u00e9"}}, {"mailbox": "IN\tBOX"}, {"password": os.path.join(folder, "none")}, {"starttls": True}):
            arguments = settings(folder, 9, "", "", "planted", **{**good, "ca": None, **wrong})
            server = Server(POLICY, arguments=arguments, start=False)
            with server:
                status, said = server.refuses_to_start()
                name = "credentials" if "password" in wrong else "ASCII" if "move" in str(wrong) or "mailbox" in wrong else f'"{next(iter(wrong))}"'
                check(name in said, f"{wrong}: {status} {said[-300:]}")
        arguments = settings(folder, 9, "", "", "planted", **good)
        os.chmod(os.path.join(folder, "password"), 0o644)
        with Server(POLICY, arguments=arguments, start=False) as server:
            check("open to everybody" in server.refuses_to_start()[1], "a password that everybody may read")
