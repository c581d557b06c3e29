"""Emails that come in: each becomes a request, more for one, or is set aside; nothing that was accepted is lost."""
import grp, os, random, re, smtplib, socket, subprocess, tempfile, threading, time
from browser import Browser
from garant import PROGRAM, Server, check, check_absent, milliseconds
from mailbox import Mailbox, wait_for
from people import opened, staff
from postfix import Postfix
from post import Lmtp, came, file_of, mail, only_mail, requests_of, ways

POLICY, START, US = "site-fr", "2026-11-23T10:00:00Z", "vie-privee@site-fr.example"
MACHINES = {                                    # how a machine's email is known, held here by itself
    "auto": [{"Auto_Submitted": "auto-replied"}, {"X_Autoreply": "yes"}, {"X_Autorespond": "1"}, {"Precedence": "auto_reply"},
             {"Subject": "Automatic reply: away"}, {"Subject": "Réponse automatique : congés"}, {"Subject": "Out of office"}],
    "list": [{"List_Id": "<news.exemple.example>"}, {"Precedence": "bulk"}, {"Precedence": "list"}, {"List_Unsubscribe": "<mailto:off@exemple.example>"}],
    "spam": [{"X_Spam_Flag": "YES"}, {"X_Spam_Status": "Yes, score=9.1"}],
    "bounce": [{"Content_Type": "multipart/report; report-type=delivery-status; boundary=b"}],
    "loop": [{"Service_Notice": "letter=request_received"}]}
KINDS = [("erasure", "fr", "Compte", "Bonjour, veuillez supprimer mon compte. Merci"), ("erasure", "en", "Please delete my data", "Now."),
         ("access", "fr", "Droit d'accès", "à tout ce que vous avez"), ("access", "en", "Hello", "I want a copy of my personal data, please."),
         ("rectification", "fr", "Adresse", "Merci de modifier mon adresse : elle a changé."), ("rectification", "en", "Please correct my name", "It is Zoé."),
         ("portability", "fr", "Portabilité", "de mes données"), ("restriction", "en", "Restriction of processing", "Article 18"),
         ("objection", "fr", "Mes données", "Je m'oppose à cet usage."), ("withdrawal", "en", "Unsubscribe", "Stop it"),
         ("complaint", "fr", "Réclamation", "Rien ne va."), ("question", "fr", "Une question", "Bonjour, où sont mes données ?"),
         ("question", "en", "Hello", "Where is my data stored? Regards"), ("question", "fr", "?", "…")]


def register(tests):
    tests.test("inbound: an email becomes a request, acknowledged by itself, alike for everyone")(becomes_a_request)
    tests.test("inbound: what it asks for is told by its words, in both languages, and staff set it right")(kinds)
    tests.test("inbound: what machines write makes no request, is answered by nobody, and can be made one")(machines)
    tests.test("inbound: an answer goes to its request, by address, by letter, by thread; to no closed one")(threads)
    tests.test("inbound: brought twice it is filed once; too much of one sender is looked at first")(repeated)
    tests.test("inbound: the command tells the mail server what to do with it")(statuses)
    tests.test("inbound: LMTP, its commands and limits; 552 for what is too large")(dialogue)
    tests.test("inbound: what LMTP accepted is there after kill -9")(accepted)
    tests.test("inbound: Debian's Postfix, set up as docs/packaging says, brings each once, and again after kill -9")(by_postfix)
    tests.test("inbound: a thousand odd emails, of every encoding and none, and none is lost")(odd)
    tests.test("inbound: a payment card number is never kept")(cards)
    tests.test("inbound: sealed, gone with its person, and at its term")(ends)
    tests.test("inbound: a report marks the address, and for good no campaign goes there")(returned)
    tests.test("inbound: files are shown to who answers alone, and only evidence that our mail server wrote")(shown)


class Door:
    """A server that takes emails in, and the mailbox of whoever writes."""

    def __init__(self, policy=POLICY, **options):
        self.folder = tempfile.TemporaryDirectory(prefix="garant-post-")
        self.box = Mailbox()
        arguments, self.path = ways(self.folder.name)
        self.options = {"now": START, "arguments": [*arguments], **options}
        self.policy = policy

    def __enter__(self):
        self.box.__enter__()
        self.options["arguments"] += self.box.arguments()
        self.server = Server(self.policy, **self.options)
        self.client = self.server.client("app")
        return self

    def __exit__(self, *fault):
        self.server.__exit__(*fault)
        self.box.__exit__(*fault)
        self.folder.cleanup()

    def sent(self, sender, subject="A question", text="Why?", to=US, **more):
        return came(self.server, mail(sender, to, subject, text, **more), to, sender)


def person(number):
    return {"identity": {"first_name": f"Zoé-{number}", "last_name": f"Carrel-{number}"}, "contact": {"email": f"zoe.{number}@exemple.example"}}


def becomes_a_request():
    with Door() as door:
        ident = opened(door.server, person(1))
        for address in ("zoe.1@exemple.example", "stranger@exemple.example"):
            raw = mail(f"Zoé Carrel <{address}>", US, "Droit d'accès", "Je veux une copie de mes données.\n\nZoé", Message_ID="<first@exemple.example>")
            told = came(door.server, raw.replace(b"first@", address[:5].encode() + b"@"), US, address)
            check(told["became"] == "request" and told["why"] is None, f"{told}")
            row = file_of(door.client, told["reference"])
            check((row["kind"], row["channel"], row["state"], row["identity"], row["subject"]) == ("access", "email", "received", "none", None), f"{row}")
            check((row["email"], row["name"], row["language"]) == (address, "Zoé Carrel", "fr") and row["received"] == "2026-11-23T10:00:00.000Z", f"{row}")
            check("copie de mes données" in row["text"] and row["emails"][0]["subject"] == "Droit d'accès", f"{row}")
        with open(f"/proc/{door.server.process.pid}/maps") as maps:
            check("libgmime" not in maps.read(), "the server itself has what takes emails apart in memory")
        mine, theirs = (door.box.wait(address, letter="request_received") for address in ("zoe.1@exemple.example", "stranger@exemple.example"))
        check(mine.headers["auto-submitted"] == "auto-replied" and mine.headers["in-reply-to"] == "<zoe.1@exemple.example>", f"{mine.headers}")
        check(re.match(r"vie-privee\+[0-9A-Z]{39}@site-fr\.example$", mine.headers["reply-to"]), f"{mine.headers}")
        blank = re.compile(r"[0-9A-Z]{26,}|https?://\S+|zoe\.1@|stranger@|zoe\.1|stran")
        check(blank.sub("", mine.text) == blank.sub("", theirs.text), "the letter tells who is known")
        check(requests_of(door.client)[0]["id"] in mine.text or requests_of(door.client)[1]["id"] in mine.text, "no reference in the letter")
        link = "/" + mine.links[0].split("/", 3)[3]
        browser = Browser(door.server)
        browser.submit(browser.get(link).expect(200), "/requests/follow", like={"move": "confirm"}.items()).expect(200)
        known = [row for row in requests_of(door.client) if row["identity"] == "link"]
        check(len(known) == 1 and file_of(door.client, known[0]["id"])["subject"] == ident, "the link did not tell who asks")


def kinds():
    with Door() as door:
        for number, (kind, language, subject, text) in enumerate(KINDS):
            told = door.sent(f"asks.{number}@exemple.example", subject, text)
            row = file_of(door.client, told["reference"])
            check((row["kind"], row["language"]) == (kind, language), f"{subject} {text}: {row['kind']} {row['language']}")
        moved = door.client.post(f"/v1/requests/{told['reference']}/moves/set_kind", {"kind": "erasure"}).expect(200).json
        check(moved["kind"] == "erasure" and moved["history"][-1]["move"] == "set_kind" and moved["needs_identity"], f"{moved}")
        door.client.post(f"/v1/requests/{told['reference']}/moves/set_kind", {"kind": "nothing"}).refused("invalid-value", status=422, field="kind")
        return f"{len(KINDS)} emails"


def machines():
    with Door() as door:
        for why, all_of in MACHINES.items():
            for number, headers in enumerate(all_of):
                headers = dict(headers)
                raw = mail(f"robot.{why}.{number}@exemple.example", US, headers.pop("Subject", "Delete my data"), "delete my account", **headers)
                told = came(door.server, raw, US, f"robot.{why}.{number}@exemple.example")
                check((told["became"], told["why"]) == ("aside", why), f"{headers}: {told}")
        for sender in ("", "<>", "MAILER-DAEMON"):
            check(came(door.server, mail("daemon@exemple.example", US, "x", "x"), US, sender)["why"] == "bounce", f"{sender} is somebody")
        check(came(door.server, mail(US, US, "x", "delete my data"), US, US)["why"] == "loop", "our own address asks us")
        one = came(door.server, mail("many@exemple.example", US, "x", "x", Received="from a by b"), US, "many@exemple.example")
        check(one["became"] == "request", "one hop is a loop")
        check(len(requests_of(door.client)) == 1, f"{requests_of(door.client)}")
        door.box.none_within(1, to="robot.auto.0@exemple.example")
        check(not [letter for letter in door.box.letters if "robot" in str(letter.to)], "a machine was answered")
        page = door.client.get("/v1/mail/aside?limit=5").expect(200).json
        check(len(page["emails"]) == 5 and page["next"], f"{page}")
        rest = door.client.get(f"/v1/mail/aside?limit=100&after={page['next']}").expect(200).json["emails"]
        rest += page["emails"]
        one = next(row for row in rest if row["sender"] == "robot.list.0@exemple.example")
        door.server.advance(days=3)
        made = door.client.post(f"/v1/mail/aside/{one['mail']}").expect(200).json
        check(made["kind"] == "erasure" and made["received"] == "2026-11-23T10:00:00.000Z" and made["emails"][0]["mail"] == one["mail"], f"{made}")
        door.client.post(f"/v1/mail/aside/{one['mail']}").refused("conflict", status=409)
        desk = Browser.of(door.server, staff(door.server, person(90), "zoe.90@exemple.example", "support"))
        shown = desk.get("/staff/mail").expect(200).has("robot.spam.0@exemple.example")
        spam = next(row["mail"] for row in rest if row["sender"] == "robot.spam.0@exemple.example")
        done = desk.submit(shown, "/staff/mail", like={"mail": spam}.items()).expect(200)
        check("robot.spam.0@exemple.example" in done.html and len(requests_of(door.client)) == 3, "the page made no request")
        door.server.advance(days=31)
        door.server.sweep()
        check(not door.server.client("app").get("/v1/mail/aside").expect(200).json["emails"], "what was set aside stays")
        check(file_of(door.server.client("app"), made["id"])["emails"], "an email of a request went with those set aside")


def answered_to(door, letter, sender, text, **headers):
    """An answer to a letter of ours, as a mail program writes one."""
    return came(door.server, mail(sender, letter.headers["reply-to"], "Re: " + letter.subject, text, **headers), letter.headers["reply-to"], sender)


def threads():
    with Door() as door:
        first = door.sent("ann@exemple.example", "Hello", "Where is my data?", Message_ID="<ann.1@exemple.example>")["reference"]
        letter = door.box.wait("ann@exemple.example", letter="request_received")
        told = answered_to(door, letter, "ann@exemple.example", "And for how long?", In_Reply_To=letter.headers["message-id"])
        check((told["became"], told["reference"]) == ("reply", first), f"by address: {told}")
        told = came(door.server, mail("ann@exemple.example", US, "Re", "One more", References=letter.headers["message-id"]), US, "ann@exemple.example")
        check((told["became"], told["reference"]) == ("reply", first), f"by our Message-ID: {told}")
        told = came(door.server, mail("ann@exemple.example", US, "Re", "I forgot", In_Reply_To="<ann.1@exemple.example>"), US, "ann@exemple.example")
        check((told["became"], told["reference"]) == ("reply", first), f"by her own: {told}")
        told = came(door.server, mail("eve@exemple.example", US, "Re", "I am Ann", In_Reply_To="<ann.1@exemple.example>"), US, "eve@exemple.example")
        check(told["became"] == "request" and told["reference"] != first, f"somebody else's thread: {told}")
        bad = letter.headers["reply-to"].replace("@", "A@").replace("+", "+B")
        check(came(door.server, mail("eve@exemple.example", bad, "Re", "x"), bad, "eve@exemple.example")["became"] == "request", "a token that was never made")
        row = file_of(door.client, first)
        check([step["move"] for step in row["history"]] == ["received", "mail", "mail", "mail"] and len(row["emails"]) == 4, f"{row['history']}")
        check(row["state"] == "received" and row["identity"] == "none", f"{row}")
        door.client.post(f"/v1/requests/{first}/moves/clarify", {"text": "Which data?"}).expect(200)
        asked = door.box.wait("ann@exemple.example", letter="request_clarify")
        answered_to(door, asked, "ann@exemple.example", "The invoices.")
        row = file_of(door.client, first)
        check((row["state"], row["reply"]) == ("progress", "The invoices."), f"{row}")
        away = mail("ann@exemple.example", US, "Out of office", "x", In_Reply_To=letter.headers["message-id"], Auto_Submitted="auto-replied")
        away = came(door.server, away, US, "ann@exemple.example")
        check(away["became"] == "aside", f"{away}")
        door.client.post(f"/v1/requests/{first}/moves/refuse", {"text": "We have none."}).expect(200)
        refused = door.box.wait("ann@exemple.example", letter="request_refused")
        told = answered_to(door, refused, "ann@exemple.example", "I disagree.")
        check(told["became"] == "request" and told["reference"] != first, f"{told}")
        check(file_of(door.client, told["reference"])["history"][0]["text"] == first, "it does not name the earlier one")


def repeated():
    with Door() as door:
        raw = mail("bob@exemple.example", US, "Hello", "Where is my data?")
        first = came(door.server, raw, US, "bob@exemple.example")
        for _ in range(3):
            told = came(door.server, raw, US, "bob@exemple.example")
            check((told["became"], told["reference"]) == ("again", first["reference"]), f"{told}")
        check(len(requests_of(door.client)) == 1, "filed twice")
        became = [door.sent("flood@exemple.example", f"Hello {number}", f"Question {number}") for number in range(25)]
        check([row["became"] for row in became] == ["request"] * 20 + ["aside"] * 5 and became[-1]["why"] == "many", f"{became}")
        door.box.wait("flood@exemple.example", letter="request_received", count=5)
        door.box.none_within(1, to="nobody@exemple.example")
        check(len(door.box.find("flood@exemple.example")) == 5, f"{len(door.box.find('flood@exemple.example'))} letters to one address")


def handed(server, raw, *options):
    return subprocess.run([PROGRAM, "mail", "receive", *options, "--data", server.data, "--policy", server.policy], input=raw,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False).returncode


def statuses():
    with Door() as door:
        raw, to = mail("cleo@exemple.example", US, "Hello", "Why?"), ("--to", US, "--from", "cleo@exemple.example")
        check(handed(door.server, raw, *to) == 0, "EX_OK")
        check(handed(door.server, raw, "--to", "nobody@site-fr.example") == 67, "EX_NOUSER for an address that is not ours")
        check(handed(door.server, b"", *to) == 65, "EX_DATAERR for an empty one")
        check(handed(door.server, b"Subject: x\r\n\r\n" + b"x" * 80 * (26 << 20 >> 6), *to) == 65, "EX_DATAERR for one that is too large")
        check(handed(door.server, raw) == 64, "EX_USAGE without an address")
        check(handed(door.server, b"\0\xff\xfe broken \r\n\r\n\0\0", *to) == 0, "what is no email is lost")
        door.server.stop()
        check(handed(door.server, raw, *to) == 75, "EX_TEMPFAIL when no server takes it")


def spoken(path, *lines):
    """The answers to these bytes, until the server ends."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(60)
        line.connect(path)
        line.sendall(b"".join(lines))
        said = b""
        while piece := line.recv(65536):
            said += piece
        return said.decode()


def dialogue():
    with Door() as door, Lmtp(door.path) as line:
        check(line.has_extn("size") and int(line.esmtp_features["size"]) == 25 << 20 and line.has_extn("pipelining"), f"{line.esmtp_features}")
        check(line.bring("dan@exemple.example", US, mail("dan@exemple.example", US, "Hello", "Why?")) == {}, "not taken")
        refused = line.bring("dan@exemple.example", [US, "nobody@site-fr.example"], mail("dan@exemple.example", US, "Hello again", ".\r\n..\r\n.dots"))
        check(list(refused) == ["nobody@site-fr.example"] and refused["nobody@site-fr.example"][0] == 550, f"{refused}")
        texts = [file_of(door.client, row["id"])["text"] for row in requests_of(door.client)]
        check(sorted(texts) == ["Hello\n\nWhy?", "Hello again\n\n.\n..\n.dots"], f"{texts}")
        huge = b"Subject: huge\r\n\r\n" + (b"x" * 998 + b"\r\n") * (50 << 10)
        try:
            line.bring("dan@exemple.example", US, huge)
            check(False, "50 MB are taken")
        except smtplib.SMTPSenderRefused as fault:
            check(fault.smtp_code == 552, f"{fault}")
        line.mail("dan@exemple.example")                     # without SIZE it is told at the end
        line.rcpt(US)
        check(line.data(huge)[0] == 552, "50 MB are taken")
        check(line.noop()[0] == 250, "the connection is lost")
        hello = b"LHLO x\r\nMAIL FROM:<dan@exemple.example>\r\nRCPT TO:<" + US.encode() + b">\r\nDATA\r\n"
        for ending in (b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\r"):
            whole = b"Subject: smuggled " + ending.hex().encode() + b"\r\n\r\nfirst" + ending + b"MAIL FROM:<x@y.example>"
            said = spoken(door.path, hello, whole, b"\r\n.\r\nQUIT\r\n")
            check(len(re.findall(r"^250 2\.0\.0 filed", said, re.M)) == 1 and "221" in said, f"{ending}: {said}")
        for bad in (b"DATA\r\n", b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<a@b.example>\r\n", b"LHLO x\r\nMAIL FROM:nobody\r\n", b"EHLO x\r\n"):
            check(re.search(r"^50[0-3] ", spoken(door.path, bad, b"QUIT\r\n"), re.M), f"{bad} is taken")
        check("5.5.6" in spoken(door.path, b"x" * 10000 + b"\r\n"), "a line without end is taken")
        check(spoken(door.path, b"LHLO x\r\n", b"MAIL FROM:<" + b"a" * 400 + b"@x.example>\r\nQUIT\r\n").count("501 ") == 1, "a long address")


def accepted():
    with Door() as door:
        done, stop = [], threading.Event()

        def bring(worker):
            number = 0
            try:
                with Lmtp(door.path) as line:
                    while not stop.is_set():
                        sender = f"w{worker}.{number}@exemple.example"
                        if line.bring(sender, US, mail(sender, US, f"Hello {worker} {number}", "Why?")) == {}:
                            done.append(sender)
                        number += 1
            except (OSError, smtplib.SMTPException):
                pass
        workers = [threading.Thread(target=bring, args=(number,)) for number in range(4)]
        for worker in workers:
            worker.start()
        wait_for(lambda: len(done) >= 40)
        door.server.kill()
        stop.set()
        for worker in workers:
            worker.join()
        door.server.restart()
        found, after = set(), ""
        client = door.server.client("app")
        while after is not None:
            page = client.get(f"/v1/requests?limit=100&after={after}").expect(200).json
            found |= {file_of(client, row["id"])["email"] for row in page["requests"]}
            after = page.get("next")
        check(not set(done) - found, f"lost: {sorted(set(done) - found)}")
        return f"{len(done)} accepted, {len(found)} there"


def by_postfix():
    with Door() as door, Postfix(US, door.path) as postfix:
        os.chmod(door.folder.name, 0o755)
        os.chown(door.path, -1, grp.getgrnam("postfix").gr_gid)     # as in a group that both are in
        raw = mail("Ève <eve@exemple.example>", US, "Droit d'accès", "Je veux une copie de mes données.\n.\n..\nÈve",
                   files=[("a.bin", bytes(range(256)), "application/octet-stream")])
        check(postfix.send("eve@exemple.example", US, raw) == {}, "Postfix took it not")
        wait_for(lambda: requests_of(door.client))
        row = file_of(door.client, requests_of(door.client)[0]["id"])
        one = only_mail(door.client, row["id"])
        check((row["kind"], row["email"], one["sender"], one["from_name"]) == ("access", "eve@exemple.example", "eve@exemple.example", "Ève"), f"{row}")
        kept = door.client.get(f"/v1/requests/{row['id']}/emails/{one['mail']}/files/original").expect(200).body
        check(kept.endswith(raw) and b"Received: from" in kept, "it is not kept as it came")
        letter = door.box.wait("eve@exemple.example", letter="request_received")
        postfix.send("eve@exemple.example", letter.headers["reply-to"], mail("eve@exemple.example", letter.headers["reply-to"], "Re", "Until when?"))
        wait_for(lambda: len(file_of(door.client, row["id"])["emails"]) == 2)
        postfix.send("", US, mail("daemon@exemple.example", US, "Returned", "Something came back"))
        wait_for(lambda: [one["class"] for one in door.client.get("/v1/mail/aside").expect(200).json["emails"]] == ["bounce"])
        postfix.send("eve@exemple.example", "nobody@site-fr.example", mail("eve@exemple.example", "nobody@site-fr.example", "x", "x"))
        postfix.send("eve@exemple.example", US, b"Subject: huge\r\n\r\n" + (b"x" * 998 + b"\r\n") * (27 << 10))
        wait_for(lambda: "5.3.4" in postfix.log() or "exceeds size limit" in postfix.log())
        check(len(requests_of(door.client)) == 1, "what is not ours, or is too large, was taken")
        people = [f"p{number}@exemple.example" for number in range(30)]
        for number, sender in enumerate(people):
            postfix.send(sender, US, mail(sender, US, f"Question {number}", "Where is my data?"))
            if number == 15:
                wait_for(lambda: len(requests_of(door.client)) > 5)
                door.server.kill()
        door.server.restart()
        os.chown(door.path, -1, grp.getgrnam("postfix").gr_gid)
        client = door.server.client("app")

        def senders():
            rows = client.get("/v1/requests?limit=100").expect(200).json["requests"]
            return sorted(file_of(client, one["id"])["email"] for one in rows)
        found = wait_for(lambda: len(now := senders()) >= 31 and now)
        check(found == sorted([*people, "eve@exemple.example"]), f"{found}")
        return f"{len(found)} requests, {postfix.log().count('status=deferred')} tries while the server was down"


SETS = ("utf-8", "iso-8859-1", "iso-8859-15", "windows-1252", "koi8-r", "utf-7", "utf-16", "iso-2022-jp", "gb18030", "nonsense", "")
CODINGS = ("7bit", "8bit", "base64", "quoted-printable", "binary", "x-uuencode", "nonsense")


def odd_mail(chance, number):
    """Broken in ways that mail is broken, always other ones; a mark tells it from all others."""
    mark = f"odd.{number}@exemple.example".encode()
    some = lambda most: bytes(chance.getrandbits(8) for _ in range(chance.randrange(most)))
    body = chance.choice((some(3000), b"Bonjour, supprimer mon compte \xe9\xff", "Zoé ☃ 日本".encode(), b"", b"." * 500, b"=3D=\r\n=" * 90, b"x" * 200_000))
    for _ in range(chance.choice((0, 0, 1, 2, 8, 60))):
        edge = b"b%d" % chance.randrange(9)
        kind = chance.choice((b"multipart/mixed", b"multipart/alternative", b"multipart/report", b"multipart/signed", b"message/rfc822", b"text/html"))
        inner = b"--" + edge + b"\r\nContent-Type: text/plain\r\n\r\n" + body + chance.choice((b"\r\n--" + edge + b"--\r\n", b"", b"\r\n--" + edge))
        body = b"Content-Type: " + kind + b"; boundary=" + chance.choice((edge, b'"' + edge + b'"', b"", some(8))) + b"\r\n\r\n" + inner
    head = [b"From: " + chance.choice((mark, b"=?utf-8?B?WmnDqQ==?= <" + mark + b">", b"a@b.example, " + mark, b"<" * 50 + mark, some(60).replace(b"\n", b""))),
            b"Subject: " + chance.choice((b"=?iso-8859-1?Q?=E9t=E9?=", b"=?utf-8?B?////?=", some(200).replace(b"\n", b""), b"x" * 5000, b"")),
            b"Message-ID: " + chance.choice((b"<" + mark + b">", b"<<>>", b"", some(40).replace(b"\n", b""))),
            b"Date: " + chance.choice((b"Mon, 23 Nov 2026 10:00:00 +0000", b"yesterday", b"Mon, 99 Foo 99999 99:99", b"")),
            f"Content-Type: text/{chance.choice(('plain', 'html', '', 'x'))}; charset={chance.choice(SETS)}".encode(),
            f"Content-Transfer-Encoding: {chance.choice(CODINGS)}".encode(), *(b"X-Long-%d: " % n + b"y" * 900 for n in range(chance.choice((0, 0, 3, 300))))]
    chance.shuffle(head)
    return b"\r\n".join(head[:chance.choice((len(head), len(head), 2, 0))] + [b"X-Mark: " + mark]) + b"\r\n\r\n" + body


def odd():
    chance, count, lost = random.Random(20261123), 1000, []
    with Door() as door:
        mails = [odd_mail(chance, number) for number in range(count)]

        def bring(worker):
            with Lmtp(door.path) as line:
                for number in range(worker, count, 8):
                    line.mail(f"odd.{number}@exemple.example")
                    line.rcpt(US)
                    said = line.data(mails[number])
                    if said[0] != 250:
                        lost.append((number, said))
        began = time.monotonic()
        workers = [threading.Thread(target=bring, args=(worker,)) for worker in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        took = time.monotonic() - began
        check(not lost, f"not taken: {lost[:3]}")
        there, after = set(), ""
        while after is not None:
            page = door.client.get(f"/v1/requests?limit=200&after={after}").expect(200).json
            there |= {row["id"] for row in page["requests"]}
            after = page.get("next")
        senders, after = {file_of(door.client, ident)["email"] for ident in there}, ""
        while after is not None:
            page = door.client.get(f"/v1/mail/aside?limit=200&after={after}").expect(200).json
            senders |= {row["sender"] for row in page["emails"]}
            after = page.get("next")
        missing = [number for number in range(count) if f"odd.{number}@exemple.example" not in senders]
        check(not missing, f"lost: {missing[:10]}")
        unread = sum('"mail.unreadable"' in line for line in door.server.log().split("\n"))
        check(unread < count / 50, f"{unread} could not be read")
        return f"{count} emails in {took:.1f} s, {count / took:.0f}/s; {len(there)} requests, {unread} kept unread"


def cards():
    number, hidden = "4111 1111 1111 1111", "*" * 4
    with Door() as door:
        plain = door.sent("eli@exemple.example", "Refund " + number, f"My card is {number}, delete my data.")
        row = file_of(door.client, plain["reference"])
        check(number not in str(row) and hidden in row["text"] and row["kind"] == "erasure" and not row["emails"][0]["kept"], f"{row}")
        inside = mail("fay@exemple.example", US, "Hello", "See the file", files=[("card.txt", number.encode(), "text/plain")])
        inside = came(door.server, inside, US, "fay@exemple.example")
        mails = file_of(door.client, inside["reference"])["emails"]
        check(not mails[0]["kept"], "a file with a card number is kept")
        for what in ("original", "0"):
            door.client.get(f"/v1/requests/{inside['reference']}/emails/{mails[0]['mail']}/files/{what}").refused("erased", status=410)
        html = mail("ida@exemple.example", US, "Hello", "<p>4111&nbsp;1111&nbsp;1111&nbsp;<b>1111</b></p>", Content_Type="text/html")
        check(not only_mail(door.client, came(door.server, html, US, "ida@exemple.example")["reference"])["kept"], "HTML hides it")
        made_up = mail("jo@exemple.example", US, "Hello", "Why?", Message_ID="<4111111111111111.5500005555555559@exemple.example>", X_Trace="4111111111111111")
        row = only_mail(door.client, came(door.server, made_up, US, "jo@exemple.example")["reference"])
        check(row["kept"], "what a program made up is taken for a card")
        door.server.stop()
        check_absent([number], door.server.data)


def ends():
    with Door() as door:
        ident = opened(door.server, person(2))
        text = "planted words of an email about nothing"
        raw = mail("zoe.2@exemple.example", US, "Delete my data", text, files=[("planted.pdf", b"%PDF-1.4 planted bytes", "application/pdf")])
        told = came(door.server, raw, US, "zoe.2@exemple.example")
        other = door.sent("gil@exemple.example", "Hello", text)["reference"]
        link = "/" + door.box.wait("zoe.2@exemple.example", letter="request_received").links[0].split("/", 3)[3]
        browser = Browser(door.server)
        browser.submit(browser.get(link).expect(200), "/requests/follow", like={"move": "confirm"}.items()).expect(200)
        check(only_mail(door.client, told["reference"])["files"][0]["name"] == "planted.pdf", "no file")
        export = door.server.operator().get(f"/v1/subjects/{ident}/access").expect(200).json
        check(text in str(export["requests"]), "the access answer does not tell it")
        door.client.post(f"/v1/requests/{told['reference']}/moves/answer", {}).expect(200)
        check(file_of(door.client, told["reference"])["emails"] == [], "the email outlives its person")
        door.client.post(f"/v1/requests/{other}/moves/refuse", {"text": "No."}).expect(200)
        check(only_mail(door.client, other)["text"] == text, "gone too early")
        door.server.stop()
        check_absent([text, "planted bytes", "gil@exemple.example"], door.server.data)
        door.server.start()
        door.server.set_clock(milliseconds("2031-12-31T00:00:00Z"))
        door.server.sweep()
        door.server.client("app").get(f"/v1/requests/{other}").refused("not-found", status=404)


def report(letter, to, status="5.1.1", action="failed", ident=None):
    """What a mail server writes of a letter that it could not deliver (RFC 3464)."""
    return (f"From: MAILER-DAEMON@mx.example\r\nTo: {letter.sender}\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/report; report-type=delivery-status; boundary=edge\r\n\r\n--edge\r\n\r\nIt failed.\r\n--edge\r\n"
            f"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; {to}\r\nAction: {action}\r\n"
            f"Status: {status}\r\n\r\n--edge\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {ident or letter.headers['message-id']}\r\n\r\n"
            "--edge--\r\n").encode()


def returned():
    said = {"subject": {"en": "Autumn", "fr": "Automne"}, "text": {"en": "Hello.", "fr": "Bonjour."}}
    with Door("myownconference", tenant="myownconference") as door:
        client = door.client

        def sent(name):
            ident = client.post("/v1/campaigns", {"name": name, "purpose": "product_news", **said}).expect(201).json["id"]
            client.post(f"/v1/campaigns/{ident}/count").expect(200)
            client.post(f"/v1/campaigns/{ident}/steer", {"do": "start"}).expect(200)
            return wait_for(lambda: (row := client.get(f"/v1/campaigns/{ident}").expect(200).json)["state"] == "done" and row)

        yes = [{"purpose": "product_news", "channel": "email", "decision": "given"}]
        people = {name: client.create({"identity": {"display_name": name}, "login": {"email": f"{name}@rooms.example"}}, consents=yes)["id"]
                  for name in ("gone", "full", "good")}
        first = sent("first")
        check((first["sent"], first["failed"]) == (3, 0), f"{first}")
        letter = {name: next(one for one in door.box.find(f"{name}@rooms.example") if one.subject in said["subject"].values()) for name in people}
        home = letter["gone"].sender
        forged = came(door.server, report(letter["gone"], "gone@rooms.example", ident="<0123456789abcdef0123456789abcdef@garant.example>"), home, "")
        other = came(door.server, report(letter["gone"], "good@rooms.example"), home, "")
        check((forged["became"], other["became"]) == ("aside", "aside"), f"a report of nobody's letter is believed: {forged} {other}")
        check(came(door.server, report(letter["gone"], "gone@rooms.example"), home, "")["became"] == "bounce", "the report is not taken")
        check(came(door.server, report(letter["full"], "full@rooms.example", "5.2.2"), home, "")["became"] == "bounce", "the report is not taken")
        after = client.get(f"/v1/campaigns/{first['id']}").expect(200).json
        check((after["sent"], after["failed"]) == (1, 2), f"{after}")
        second = sent("second")
        check((second["sent"], second["skipped"]) == (2, 1), f"{second}")
        client.change(people["gone"], "service", {"login": {"email": "back@rooms.example"}}, source="person")
        third = sent("third")
        check(third["sent"] == 3 and door.box.find("back@rooms.example"), f"another address of theirs gets none: {third}")
        return "one for good, one that may pass, two that are nobody's"


def shown():
    with Door() as door:
        files = [("../étrange\r\nname.html", b"<script>alert(1)</script>", "text/html"), ("a.bin", bytes(range(256)) * 40, "application/octet-stream")]
        raw = mail("Hal <hal@elsewhere.example>", US, "Hello", "Why?", files=[(name.replace("\r\n", " "), content, kind) for name, content, kind in files])
        raw = (b"Authentication-Results: mx.garant.example; spf=pass smtp.mailfrom=hal@exemple.example; dkim=fail\r\n"
               b"Authentication-Results: mx.garant.example; spf=pass smtp.mailfrom=older\r\n") + raw
        told = came(door.server, raw, US, "hal@exemple.example")
        one = only_mail(door.client, told["reference"])
        check(one["authentication"] == "spf=pass smtp.mailfrom=hal@exemple.example; dkim=fail", f"{one}")
        check((one["sender"], one["from"], one["from_name"]) == ("hal@exemple.example", "hal@elsewhere.example", "Hal"), f"{one}")
        forged = came(door.server, b"Authentication-Results: evil.example; spf=pass\r\n" + raw.split(b"\r\n", 2)[2], US, "hal@exemple.example")
        check(only_mail(door.client, forged["reference"])["authentication"] is None, "anybody's results are shown")
        base = f"/v1/requests/{told['reference']}/emails/{one['mail']}/files/"
        for number, (_, content, _) in enumerate(files):
            got = door.client.get(base + str(number)).expect(200)
            check(got.body.replace(b"\r\n", b"\n").rstrip(b"\n") == content if number == 0 else got.body == content, f"file {number} is another")
            check(got.headers["content-type"] == "application/octet-stream" and "attachment" in got.headers["content-disposition"], f"{got.headers}")
        check(door.client.get(base + "original").expect(200).body == raw, "the original is another")
        check("/" not in one["files"][0]["name"], f"{one['files']}")
        for bad in ("2", "-1", "x"):
            door.client.get(base + bad).refused("not-found", status=404)
        door.client.get(base.replace(told["reference"], forged["reference"]) + "0").refused("not-found", status=404)
        desk = Browser.of(door.server, staff(door.server, person(91), "zoe.91@exemple.example", "support"))
        page = desk.get(f"/staff/requests/{told['reference']}").expect(200).has("hal@exemple.example").has("spf=pass")
        desk.submit(page, base.replace("/v1/", "/staff/") + "1").expect(200)
        check(not os.stat(door.path).st_mode & 0o007, "anybody may write to the socket")
