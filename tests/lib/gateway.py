"""A gateway for text messages on loopback, as operators are sold them: it takes each by HTTP, and keeps what it was given.

    with Gateway() as gateway, Server("deskmanager", arguments=gateway.arguments()) as server:
        ...
        message = gateway.wait("+33611110001")           # {"to", "text", "from", "ref", "headers"}
"""
import http.server, json, os, shutil, tempfile, threading, time, urllib.parse
import doors
from garant import Fault

SECRET, BEARER, SIGN = "gateway-answers-planted-0001", "gateway-token-planted", "gateway-signs-planted-000001"
URL = "https://portal.garant.example"


class Gateway:
    """form=True: it takes forms instead of JSON. Answers each with 200, or as `refuse` says."""

    def __init__(self, form=False, **settings):
        self.folder, self.lock = tempfile.mkdtemp(prefix="garant-sms-"), threading.Lock()
        self.messages, self.refusals, self.seen, self.before_answer, self.form = [], {}, 0, None, form
        self.settings, self.server, self.port = settings, None, 0
        self.start()

    def start(self):
        gateway = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = gateway.take(body, dict(self.headers))
                if status:
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, body, headers):
        """The answer's status; None: the connection ends without one."""
        said = dict(urllib.parse.parse_qsl(body.decode())) if self.form else json.loads(body)
        with self.lock:
            self.seen += 1
            status = self.refusals.get(said["to"], 200)
            if status in (200, None):
                self.messages.append({**said, "headers": {name.lower(): value for name, value in headers.items()}, "body": body})
            before, self.before_answer = self.before_answer, None
        if before:
            before()
        return status

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def arguments(self, url=URL):
        """The settings file, and what `garant serve` is told of it."""
        credentials, path = os.path.join(self.folder, "credentials"), os.path.join(self.folder, "sms.yaml")
        with open(credentials, "w", encoding="utf-8") as file:
            file.write(f"bearer={BEARER}\nsecret={SIGN}\nincoming={SECRET}\n")
        os.chmod(credentials, 0o600)
        body = "from={sender}&to={to}&text={text}&ref={id}" if self.form else '{"from":"{sender}","to":"{to}","text":"{text}","ref":"{id}"}'
        settings = {"url": f"http://127.0.0.1:{self.port}/send?v=1", "body": body, "credentials": credentials, "sender": "Boutique",
                    "type": "application/x-www-form-urlencoded" if self.form else "application/json",
                    "stop": {"fr": "STOP au 36180", "en": "STOP to 36180"}, "incoming": {"from": "msisdn", "text": "message"}, **self.settings}
        with open(path, "w", encoding="utf-8") as file:
            json.dump({name: value for name, value in settings.items() if value is not None}, file, ensure_ascii=False)   # YAML reads JSON
        return ["--sms", path, "--url", url]

    def refuse(self, number, status=None):
        """From now on a message to that number is answered so; 0: taken, and never answered; None: taken again."""
        if status is None:
            self.refusals.pop(number, None)
        else:
            self.refusals[number] = status or None

    def to(self, number):
        with self.lock:
            return [message for message in self.messages if message["to"] == number]

    def wait(self, number, count=1, within=60):
        until = time.monotonic() + within
        while time.monotonic() < until:
            found = self.to(number)
            if len(found) >= count:
                doors.used("letter", "sms")
                doors.asserted()
                return found[-1]
            time.sleep(0.02)
        raise Fault(f"no message came to {number}: {[(one['to'], one['text']) for one in self.messages]}")
