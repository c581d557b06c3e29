"""A real SMTP server on loopback, with STARTTLS and a certificate of its own, that keeps what it is given; and a server told of it.

    with Mailbox() as mailbox, Server("mxplorerplace", arguments=mailbox.arguments()) as server:
        ...
        letter = mailbox.wait(to="zoe@example.org")      # a Letter: .subject .text .html .links .headers
"""
import email, email.policy, json, logging, os, re, shutil, ssl, subprocess, tempfile, threading, time
import aiosmtpd.controller, aiosmtpd.smtp
import doors
from garant import Fault, check, free_port

logging.getLogger("mail").setLevel(logging.CRITICAL)
logging.getLogger("asyncio").setLevel(logging.CRITICAL)
FROM = "portal@garant.example"
URL = "https://portal.garant.example"
USER, PASSWORD = "portail", "Mot de passe très long"


def wait_for(holds, within=60):
    """What `holds` gives, once it is true."""
    end = time.monotonic() + within
    while not (found := holds()):
        check(time.monotonic() < end, "what was awaited did not come")
        time.sleep(0.02)
    doors.asserted()
    return found


class Letter:
    """What came: the message as Python's own parser reads it, and the envelope."""

    def __init__(self, envelope, secured, user):
        self.bytes, self.sender, self.to, self.secured, self.user = envelope.content, envelope.mail_from, envelope.rcpt_tos, secured, user
        self.message = email.message_from_bytes(envelope.content, policy=email.policy.SMTP)
        self.headers = {name.lower(): str(value) for name, value in self.message.items()}
        self.subject = str(self.message["Subject"])

    def part(self, kind):
        return self.message.get_body((kind,)).get_content().replace("\r\n", "\n")

    @property
    def text(self):
        return self.part("plain")

    @property
    def html(self):
        return self.part("html")

    @property
    def links(self):
        """The addresses that stand alone on a line of the text: what the person is to follow."""
        return re.findall(r"^https?://\S+$", self.text, re.M)

    @property
    def letter(self):
        """Which one it is: a name of letters.def; "marketing" for one that is no service notice."""
        return re.match(r"letter=(\w+)", self.headers.get("service-notice", "letter=marketing"))[1]


class Handler:
    def __init__(self, box):
        self.box = box

    async def handle_MAIL(self, server, session, envelope, address, options):
        envelope.mail_from = address
        return self.box.answer_to(None) or "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self.box.answer_to(address)
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        with self.box.lock:
            self.box.seen += 1
        if self.box.after_data:
            return self.box.after_data
        with self.box.lock:
            self.box.letters.append(Letter(envelope, session.ssl is not None, session.auth_data))
            self.box.file(len(self.box.letters), self.box.letters[-1])
            before_answer, self.box.before_answer = self.box.before_answer, None
        if before_answer:
            before_answer()
        return "250 taken"


class Mailbox:
    """plain=True: no TLS at all. auth=True: only who signs in with USER and PASSWORD may send. keep: a folder that gets each letter as a file of
    JSON too, for tests that are no Python."""

    def __init__(self, plain=False, auth=False, start=True, keep=None):
        self.folder = tempfile.mkdtemp(prefix="garant-mail-")
        self.plain, self.auth, self.port, self.controller, self.keep = plain, auth, free_port(), None, keep
        self.letters, self.refusals, self.seen, self.lock = [], {}, 0, threading.Lock()
        self.utf8 = True                                         # whether it says that it takes addresses beyond ASCII (RFC 6531)
        self.after_data = None                                   # the answer to every message, instead of taking it
        self.before_answer = None                                # called once: a message was taken, and nobody knows yet
        self.certificate, key = os.path.join(self.folder, "cert.pem"), os.path.join(self.folder, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
                        self.certificate, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate, key)
        self.password_file = os.path.join(self.folder, "password")
        with open(self.password_file, "w", encoding="utf-8") as file:
            file.write(PASSWORD + "\n")
        if start:
            self.start()

    def start(self):
        def authenticate(server, session, envelope, mechanism, data):
            good = data.login == USER.encode() and data.password == PASSWORD.encode()
            return aiosmtpd.smtp.AuthResult(success=good, handled=good, auth_data=data.login.decode())
        options = {} if self.plain else {"tls_context": self.context, "require_starttls": True}
        if self.auth:
            options.update(authenticator=authenticate, auth_required=True, auth_require_tls=not self.plain)
        self.controller = aiosmtpd.controller.Controller(Handler(self), hostname="127.0.0.1", port=self.port, enable_SMTPUTF8=self.utf8, **options)
        self.controller.start()

    def stop(self):
        if self.controller:
            self.controller.stop()
            self.controller = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def arguments(self, url=URL, sender=FROM):
        """What `garant serve` is told of it."""
        return ["--smtp", f"smtp://127.0.0.1:{self.port}", "--mail-from", sender, "--url", url,
                *(["--smtp-plain"] if self.plain else ["--smtp-ca", self.certificate]),
                *(["--smtp-user", USER, "--smtp-password-file", self.password_file] if self.auth else [])]

    def file(self, number, letter):
        """Keeps it where `keep` says: whole from the moment that its name is there."""
        if not self.keep:
            return
        path = os.path.join(self.keep, f"{number:04}.json")
        with open(path + ".part", "w", encoding="utf-8") as file:
            json.dump({"to": letter.to, "subject": letter.subject, "letter": letter.letter, "links": letter.links, "text": letter.text}, file)
        os.rename(path + ".part", path)

    def refuse(self, address, answer=None):
        """From now on this recipient (None: the sender) is answered so ("451 later", "550 unknown"); None: taken again."""
        self.refusals[address] = answer

    def answer_to(self, address):
        return self.refusals.get(address)

    def find(self, to=None, letter=None):
        with self.lock:
            return [x for x in self.letters if (to is None or to in x.to) and (letter is None or x.letter == letter)]

    def wait(self, to=None, letter=None, count=1, within=60):
        """The newest letter to that address (of that kind), once there are `count` of them."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            found = self.find(to, letter)
            if len(found) >= count:
                doors.used("letter", letter or "of any kind")
                doors.asserted()
                return found[-1]
            time.sleep(0.02)
        raise Fault(f"no letter came: wanted {count} to {to} ({letter}), there are {[(x.to, x.letter) for x in self.letters]}")

    def none_within(self, seconds, to=None, letter=None, count=0):
        """No more than `count` such letters come."""
        time.sleep(seconds)
        found = self.find(to, letter)
        check(len(found) <= count, f"letters came that should not: {[(x.to, x.letter) for x in found]}")
