"""Letters from outside: a real SMTP server with STARTTLS, what it refuses, when it is away, crashes, and headers that hold."""
import base64, html, os, re, socket, subprocess, time
import dkim
from garant import DAY, Server, check, check_absent, garant
from mailbox import FROM, PASSWORD, URL, Mailbox, wait_for

POLICY = "mxplorerplace"
PERSON = {"identity": {"first_name": "Zoé", "last_name": "Desprès"}, "contact": {"email": "zoe.despres@example.org"},
          "work": {"company": "Régie", "site": "Agence"}}
TO = PERSON["contact"]["email"]
MINUTE = 60_000


def person(client, email=TO):
    return client.create({**PERSON, "contact": {"email": email}})["id"]


def message(client, ident, subject="Coupure prévue dimanche à 6 h", text="Le portail sera fermé dimanche.\n\nMerci de votre patience, à bientôt."):
    return client.post(f"/v1/subjects/{ident}/messages", {"purpose": "service_messages", "subject": subject, "text": text})


def contacts(client, ident):
    return client.get(f"/v1/subjects/{ident}/contacts?purpose=service_messages").expect(200).json


def outbox(server):
    return server.operator().get("/v1/mail").expect(200).json


def signing_key(mailbox):
    """A key for DKIM: what the DNS says of it, and what `garant serve` is told."""
    path = os.path.join(mailbox.folder, "dkim.pem")
    subprocess.run(["openssl", "genrsa", "-out", path, "2048"], check=True, stderr=subprocess.DEVNULL)
    public = subprocess.run(["openssl", "rsa", "-in", path, "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    return record, [*mailbox.arguments(), "--dkim-key", path, "--dkim-selector", "letters"]


def verified(message, record):
    """Whether Debian's python3-dkim takes the signature, with this record where the DNS would have it."""
    return dkim.verify(message, dnsfunc=lambda name, timeout=5: record if name == b"letters._domainkey.garant.example." else None)


def register(tests):
    @tests.test("mail: a service message goes under TLS, whole, and is logged")
    def goes():
        with Mailbox(auth=True) as mailbox, Server(POLICY, arguments=mailbox.arguments()) as server:
            client = server.client("app")
            ident = person(client)
            before = contacts(client, ident)
            check(before["contacts"] == before["letters"] == [], f"there are contacts before any: {before}")
            text = "Le portail sera fermé dimanche.\n.\n.point\nà bientôt = merci " + "é" * 200 + "\n\nFrom ici\nœuvre   \nfin"
            message(client, ident, text=text).expect(202)
            letter = mailbox.wait(TO)
            check(letter.secured and letter.user == "portail", f"sent without TLS or unsigned: {letter.user}")
            check(letter.sender == FROM and letter.to == [TO], f"the envelope: {letter.sender} {letter.to}")
            check(letter.subject == "Coupure prévue dimanche à 6 h", f"the subject: {letter.subject}")
            check(text in letter.text, f"the text: {letter.text!r}")
            check("Bonjour" in letter.text and "message de service" in letter.text and f"{URL}/privacy" in letter.text, "not marked in its text")
            check("fermé dimanche" in letter.html and '<html lang="fr">' in letter.html and "src=" not in letter.html, "the HTML part")
            check(letter.headers["service-notice"] == "letter=service_message; purpose=service_messages", f"{letter.headers}")
            check(letter.headers["auto-submitted"] == "auto-generated" and letter.headers["content-language"] == "fr", f"{letter.headers}")
            check(letter.message["From"].addresses[0].display_name == "MXplorerplace" and letter.message["Date"].datetime, "From or Date")
            check(letter.message["Reply-To"].addresses[0].addr_spec == "privacy@mxplorerplace.example", "Reply-To")
            check(all(len(line) <= 998 for line in letter.bytes.split(b"\r\n")) and all(byte < 128 for byte in letter.bytes), "not 7 bit")
            check(not letter.message.defects and not any(p.defects for p in letter.message.walk()), "the message has defects")
            wait_for(lambda: contacts(client, ident)["contacts"])
            row = contacts(client, ident)["contacts"][0]["fields"]
            check(row["channel"] == "email" and row["subject"] == letter.subject, f"logged as {row}")
            check(letter.subject in client.get(f"/v1/subjects/{ident}/access").expect(200).body.decode(), "not in the access answer")
            check_absent([TO, "dimanche", "Coupure prévue"], server.data, server.log_file)
            figures = server.anyone().get("/metrics").expect(200).body.decode()
            check("garant_mail_queued 0" in figures and "garant_mail_sent_total 1" in figures, "the figures of /metrics")

    @tests.test("mail: signed by DKIM, the headers that end marketing included, as another program verifies it")
    def signed():
        with Mailbox() as mailbox:
            key, arguments = signing_key(mailbox)
            with Server("myownconference", tenant="myownconference", arguments=arguments) as server:
                app = server.client("app")
                data = {"identity": {"display_name": "kestrel"}, "login": {"email": "kestrel@rooms.example"}}
                ident = app.create(data, consents=[{"purpose": "product_news", "channel": "email", "decision": "given"}])["id"]
                app.post(f"/v1/subjects/{ident}/messages", {"purpose": "service_notices", "subject": "Coupure dimanche à 6 h",
                                                            "text": ".\nÀ bientôt " + "é" * 300}).expect(202)
                mailbox.wait("kestrel@rooms.example")
                words = {"en": "News & more, é", "fr": "Actualités"}
                made = app.post("/v1/campaigns", {"name": "Signed", "purpose": "product_news", "subject": words, "text": words}).expect(201).json["id"]
                app.post(f"/v1/campaigns/{made}/count").expect(200)
                app.post(f"/v1/campaigns/{made}/steer", {"do": "start"}).expect(200)
                mailbox.wait("kestrel@rooms.example", count=2)
                service, marketing = mailbox.find("kestrel@rooms.example")
            for letter in (service, marketing):
                check(verified(letter.bytes, key), f"another program does not verify it: {letter.bytes.decode()}")
                covered = re.search(r";\s*h=([^;]+);", "".join(letter.headers["dkim-signature"].split()))[1].lower().split(":")
                check({"from", "to", "subject", "date", "message-id"} <= set(covered) and covered.count("from") == 2, f"{covered}")
                check(not verified(letter.bytes.replace(b"garant.example>", b"garant.example> ", 1).replace(b"Subject: ", b"Subject: x", 1), key), "altered")
            check({"list-unsubscribe", "list-unsubscribe-post"} <= set(covered), f"{covered}")
            check(not verified(marketing.bytes.replace(b"/unsubscribe/", b"/unsubscribe/A", 1), key), "the link is not covered")
            for wrong in (["--dkim-key", os.path.join(mailbox.folder, "cert.pem")], ["--dkim-key", "/nothing"]):
                with Server(POLICY, start=False, arguments=[*mailbox.arguments(), *wrong, "--dkim-selector", "letters"]) as server:
                    status, said = server.refuses_to_start()
                    check(status == 78 and "--dkim-key" in said, f"{status} {said}")

    @tests.test("mail: a server without STARTTLS, or unknown to the authorities, gets nothing")
    def no_tls():
        with Mailbox(plain=True) as mailbox:
            arguments = [*mailbox.arguments()[:-1], "--smtp-ca", mailbox.certificate]
            with Server(POLICY, arguments=arguments) as server:
                client = server.client("app")
                message(client, person(client)).expect(202)
                wait_for(lambda: outbox(server)["letters"])
                check(outbox(server)["letters"][0]["code"] == "tls" and not mailbox.seen, f"{outbox(server)}")
        with Mailbox() as mailbox:
            with Server(POLICY, arguments=mailbox.arguments()[:-2]) as server:
                client = server.client("app")
                message(client, person(client)).expect(202)
                wait_for(lambda: outbox(server)["letters"])
                check(outbox(server)["letters"][0]["code"] == "tls" and not mailbox.seen, f"{outbox(server)}")

    @tests.test("mail: options that cannot be are refused at the start")
    def options():
        with Mailbox(plain=True) as mailbox:
            good = mailbox.arguments()
            for change, says in (({"--smtp": "smtp://mail.example.org:25"}, "--smtp-plain"),
                ({"--smtp": "smtp://127.example.org:25"}, "--smtp-plain"), ({"--smtp": "http://127.0.0.1"}, "smtp://"),
                ({"--smtp": "smtp://user:x@127.0.0.1"}, "smtp://"), ({"--mail-from": "nobody"}, "--mail-from"), ({"--url": "ftp://x"}, "--url"),
                ({"--url": None}, "--url"), ({"--smtp": None}, "goes with --smtp")):
                arguments = []
                for name, value in zip(good[::2], good[1::2]):
                    value = change.get(name, value)
                    arguments += [name, value] if value else []
                server = Server(POLICY, arguments=[*arguments, "--smtp-plain"], start=False)
                with server:
                    status, said = server.refuses_to_start()
                    check(status in (64, 78) and says in said, f"{change}: {status} {said}")

    @tests.test("mail: 4xx is tried again in its time, 5xx is given up, others go on")
    def refusals():
        with Mailbox() as mailbox, Server(POLICY, arguments=mailbox.arguments(), now="2026-11-22T10:00:00Z") as server:
            client = server.client("app")
            later, never, fine = (person(client, f"{name}@example.org") for name in ("later", "never", "fine"))
            mailbox.refuse("later@example.org", "451 4.2.1 later")
            mailbox.refuse("never@example.org", "550 5.1.1 nobody here")
            for ident in (later, never, fine):
                message(client, ident).expect(202)
            mailbox.wait("fine@example.org")
            wait_for(lambda: len(outbox(server)["letters"]) == 2)
            rows = {row["code"]: row for row in outbox(server)["letters"]}
            check(rows["smtp-550"]["state"] == "given_up" and rows["smtp-451"]["state"] == "queued", f"{rows}")
            check(contacts(client, never)["letters"][0]["state"] == "given_up" and not contacts(client, never)["contacts"], "not shown")
            mailbox.none_within(1.2, "later@example.org")
            server.set_clock(server.now() + MINUTE)
            wait_for(lambda: contacts(client, later)["letters"][0]["tries"] == 2)
            mailbox.refuse("later@example.org")
            server.set_clock(server.now() + 5 * MINUTE)
            mailbox.wait("later@example.org")
            wait_for(lambda: not contacts(client, later)["letters"])
            # Refused after the message was given, for good.
            mailbox.after_data = "554 5.7.1 no"
            message(client, fine, "Deuxième").expect(202)
            wait_for(lambda: contacts(client, fine)["letters"] and contacts(client, fine)["letters"][0]["state"] == "given_up")
            figures = server.anyone().get("/metrics").expect(200).body.decode()
            check("garant_mail_given_up 2" in figures and "garant_mail_failed_total 2" in figures, "the figures of /metrics")
            doctor = garant("doctor", "--data", server.data, "--lang", "en", ok=None).stdout
            check("2 could not be sent" in doctor, doctor)

    @tests.test("mail: addresses beyond ASCII go only where they are taken; a domain goes everywhere")
    def beyond_ascii():
        for utf8 in (False, True):
            mailbox = Mailbox(start=False)
            mailbox.utf8 = utf8
            mailbox.start()
            with mailbox, Server(POLICY, arguments=mailbox.arguments()) as server:
                app = server.client("app")
                for address in ("julie@müller.example", "rené@example.org", "last@example.org"):
                    message(app, person(app, address)).expect(202)
                host = mailbox.wait("julie@xn--mller-kva.example")
                check("julie@xn--mller-kva.example" in host.headers["to"] and all(b < 128 for b in host.bytes), f"{host.headers['to']}")
                mailbox.wait("last@example.org")
                if utf8:
                    check("rené@example.org" in str(mailbox.wait("rené@example.org").bytes, "utf-8"), "the header To")
                    continue
                wait_for(lambda: outbox(server)["given_up"] == 1)
                check([row["code"] for row in outbox(server)["letters"]] == ["smtputf8"], f"{outbox(server)}")
                check(not mailbox.find("rené@example.org"), "sent all the same")

    @tests.test("mail: a password or sender that the mail server refuses is somebody's to mend: letters wait")
    def mendable():
        with Mailbox(auth=True) as mailbox:
            with open(mailbox.password_file, "w", encoding="utf-8") as file:
                file.write("wrong\n")
            with Server(POLICY, arguments=mailbox.arguments(), now="2026-11-22T10:00:00Z") as server:
                client = server.client("app")
                message(client, person(client)).expect(202)
                wait_for(lambda: outbox(server)["letters"])
                row = outbox(server)["letters"][0]
                check(row["state"] == "queued" and row["code"] == "login", f"{row}")
                mailbox.refuse(None, "553 5.7.1 not you")
                with open(mailbox.password_file, "w", encoding="utf-8") as file:
                    file.write(PASSWORD + "\n")
                server.restart()
                server.set_clock(server.now() + MINUTE)
                wait_for(lambda: outbox(server)["letters"][0]["tries"] == 2)
                row = outbox(server)["letters"][0]
                check(row["state"] == "queued" and row["code"] == "smtp-553", f"{row}")

    @tests.test("mail: the mail server away, then back")
    def away():
        mailbox = Mailbox(start=False)
        with mailbox, Server(POLICY, arguments=mailbox.arguments(), now="2026-11-22T10:00:00Z") as server:
            client = server.client("app")
            ident = person(client)
            message(client, ident).expect(202)
            wait_for(lambda: contacts(client, ident)["letters"][0]["tries"] == 1)
            check(contacts(client, ident)["letters"][0]["code"] == "unreachable", "the code")
            mailbox.start()
            mailbox.none_within(1.5)
            server.set_clock(server.now() + MINUTE)
            mailbox.wait(TO)
            wait_for(lambda: contacts(client, ident)["contacts"])

    @tests.test("mail: a crash between sending and marking sends again under the same Message-ID")
    def crash():
        with Mailbox() as mailbox, Server(POLICY, arguments=mailbox.arguments()) as server:
            client = server.client("app")
            ident = person(client)
            mailbox.before_answer = server.kill
            message(client, ident).expect(202)
            first = mailbox.wait(TO)
            wait_for(lambda: server.process is None)
            server.start()
            again = mailbox.wait(TO, count=2)
            check(again.headers["message-id"] == first.headers["message-id"] and again.bytes == first.bytes, "another Message-ID or text")
            mailbox.none_within(1.5, TO, count=2)
            wait_for(lambda: contacts(client, ident)["contacts"])
            check(len(contacts(client, ident)["contacts"]) == 1, "logged more than once")

    @tests.test("mail: letters wait without --smtp, and go once there is one")
    def waits():
        with Mailbox() as mailbox:
            with Server(POLICY) as server:
                client = server.client("app")
                ident = person(client)
                message(client, ident).expect(202)
                check(outbox(server)["queued"] == 1 and not outbox(server)["sender"], f"{outbox(server)}")
                doctor = garant("doctor", "--data", server.data, "--lang", "en", ok=None).stdout
                check("1 email waits" in doctor and "--smtp" in doctor, doctor)
                server.arguments += mailbox.arguments()
                server.restart()
                mailbox.wait(TO)
                wait_for(lambda: contacts(client, ident)["contacts"])

    @tests.test("mail: what was queued by a clock that was ahead goes once it is set right")
    def clock_set_right():
        with Mailbox() as mailbox, Server(POLICY) as server:
            client = server.client("app")
            server.advance(days=10)
            message(client, person(client)).expect(202)
            server.advance(days=-10)
            server.arguments = mailbox.arguments()
            server.restart()
            mailbox.wait(TO)

    @tests.test("mail: nothing is injected into headers, nothing that is no notice goes")
    def injection():
        with Mailbox() as mailbox, Server(POLICY, arguments=mailbox.arguments()) as server:
            client = server.client("app")
            ident = person(client)
            for subject in ("a\r\nBcc: eve@example.org", "a\nX: y", "a\rb", "a\0b", "a\x0bb", "", "   ", "x" * 201):
                message(client, ident, subject).refused("invalid-value", "missing-field", "malformed-json", "usage")
            for address in ("zoe@example.org\r\nBcc: eve@example.org", "zoe@example.org, eve@example.org", "<zoe@example.org", "Bcc: <zoe@example.org>"):
                client.post("/v1/subjects", {"data": {**PERSON, "contact": {"email": address}}, "source": "person"}).refused("invalid-value")
            encoded = "=?utf-8?q?Bcc:_eve?= <eve@example.org>"
            message(client, ident, encoded, "Bcc: eve@example.org\n.\nMAIL FROM:<x@example.org>").expect(202)
            letter = mailbox.wait(TO)
            check(letter.to == [TO] and letter.subject == encoded and "bcc" not in letter.headers, f"{letter.headers}")
            check("Bcc: eve@example.org\n.\nMAIL FROM:<x@example.org>" in letter.text, f"{letter.text}")
            for body, codes in (({"purpose": "statistics"}, ("purpose-refused", "forbidden")), ({"purpose": "sale"}, ("purpose-refused",))):
                client.post(f"/v1/subjects/{ident}/messages", {"subject": "a", "text": "b", **body}).refused(*codes)
            server.client("analyst").post(f"/v1/subjects/{ident}/messages", {"purpose": "improvement", "subject": "a", "text": "b"}).refused("forbidden")
            check(outbox(server)["queued"] == 0, "something else was queued")

    @tests.test("mail: subjects and texts of every kind come back whole")
    def whole():
        subjects = ["é" * 100, "x" * 200, "L’œuvre — « déjà » 😀 à 6 h", "=?UTF-8?B?", "a=b; \"c\" <d>", "日本語" * 20, "e\u0301" * 40, "a " * 60 + "b", "."]
        texts = ["ligne " * 40, "=" * 300, "fin d'espace \nsuite", "\tretrait", "a" * 5000, "😀" * 1000, "--=_\n--=_x--", "<b>&amp;</b>", "é\n" * 300]
        with Mailbox() as mailbox, Server(POLICY, arguments=mailbox.arguments()) as server:
            client = server.client("app")
            ident = person(client)
            for count, (subject, text) in enumerate(zip(subjects, texts), 1):
                message(client, ident, subject, text).expect(202)
                mailbox.wait(TO, count=count)                    # one by one: letters of one millisecond go in any order
            for letter, subject, text in zip(mailbox.find(TO), subjects, texts):
                check(letter.subject == subject.strip() or letter.subject == subject, f"{subject!r} came as {letter.subject!r}")
                check(text in letter.text, f"{text[:60]!r} came as {letter.text!r}")
                check(html.escape(text.split("\n")[0], quote=False) in letter.html.replace("&#39;", "'").replace("&quot;", '"'), f"{letter.html}")
                check(all(len(line) <= 78 for line in letter.bytes.split(b"\r\n")), "a line is longer than 78")
                check(not any(p.defects for p in letter.message.walk()), f"defects: {[p.defects for p in letter.message.walk()]}")
            wait_for(lambda: len(contacts(client, ident)["contacts"]) == len(subjects))
            listed = client.get(f"/v1/subjects/{ident}/access").expect(200).json["letters"]
            check([row["state"] for row in listed] == ["sent"] * len(subjects), f"the access answer lists {listed}")

    @tests.test("mail: a restored backup sends nothing again")
    def restored():
        mailbox = Mailbox(start=False)
        with mailbox, Server(POLICY, arguments=mailbox.arguments(), now="2026-11-22T10:00:00Z") as server:
            client = server.client("app")
            ident, gone = person(client), person(client, "gone@example.org")
            for one in (ident, gone):
                message(client, one).expect(202)
            wait_for(lambda: contacts(client, ident)["letters"][0]["tries"] == 1)
            copy = os.path.join(server.folder, "backup")
            server.operator().post("/v1/backup", {"to": copy}).expect(200)         # both letters wait in it
            mailbox.start()
            client.erase(gone)
            server.set_clock(server.now() + MINUTE)
            mailbox.wait(TO)
            last = mailbox.wait("gone@example.org").letter                         # the one letter after an erasure, and no other
            check(last == "erased", f"an erasure is told by {last}")
            wait_for(lambda: contacts(client, ident)["contacts"])
            server.stop()
            garant("restore", copy, "--data", server.data)
            server.start()
            server.set_clock(server.now() + DAY)
            mailbox.none_within(2, count=2)
            check(outbox(server)["queued"] == 0, f"{outbox(server)}")

    @tests.test("mail: a mail server that says nothing holds up neither the server nor its end")
    def silent():
        with socket.create_server(("127.0.0.1", 0)) as mute, Mailbox(start=False) as mailbox:
            arguments = mailbox.arguments()
            arguments[arguments.index("--smtp") + 1] = f"smtp://127.0.0.1:{mute.getsockname()[1]}"
            with Server(POLICY, arguments=arguments) as server:
                client = server.client("app")
                ident = person(client)
                message(client, ident).expect(202)
                with mute.accept()[0]:                           # held open, or the server would be told at once
                    check(contacts(client, ident)["letters"][0]["tries"] == 0, "it was given up at once")
                    began = time.monotonic()
                    check(server.stop() == 0 and time.monotonic() - began < 5, "the server did not end at once")

    @tests.test("mail: a command that writes letters without a server must know the public address")
    def offline():
        with Server(POLICY) as server:
            client = server.client("app")
            ident = person(client)
            server.stop()
            close = ["account", "close", ident, "--data", server.data, "--policy", server.policy, "--lang", "en"]
            run = garant(*close, ok=None)
            check(run.returncode == 78 and "--url" in run.stderr, f"{run.returncode} {run.stdout} {run.stderr}")
            garant(*close, env={"GARANT_URL": URL})
            server.start()
            check(outbox(server)["queued"] == 1, f"{outbox(server)}")

    @tests.test("mail: an erased person gets no letter that was waiting, but the one that tells of it")
    def erased():
        mailbox = Mailbox(start=False)
        with mailbox, Server(POLICY, arguments=mailbox.arguments(), now="2026-11-22T10:00:00Z") as server:
            client = server.client("app")
            ident = person(client)
            message(client, ident).expect(202)
            wait_for(lambda: contacts(client, ident)["letters"][0]["tries"] == 1)
            client.erase(ident)
            mailbox.start()
            server.set_clock(server.now() + DAY)
            last = mailbox.wait(letter="erased")
            check("2026" in last.text, last.text)
            wait_for(lambda: outbox(server)["queued"] == 0)
            mailbox.none_within(2, count=1)
