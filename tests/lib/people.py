"""People who sign in: a client with a browser's cookie and the session's token against forged requests, accounts opened for it, staff."""
import base64, ctypes, hashlib, hmac, http.cookies, re, struct, urllib.parse
from garant import Client, check

PASSWORD = "Trombone-Lichen 42 Kestrels!"


def bcrypt(password, cost=10):
    """A password as other programs keep it, by the system's libcrypt."""
    make = ctypes.CDLL("libcrypt.so.1").crypt
    make.restype = ctypes.c_char_p
    return make(password.encode(), f"$2b${cost:02}$abcdefghijklmnopqrstuu".encode()).decode()


def argon2(password, kind="id", passes=3, memory=64 << 20):
    """The same by libsodium: Argon2id or Argon2i."""
    out = ctypes.create_string_buffer(128)
    make = getattr(ctypes.CDLL("libsodium.so.23"), f"crypto_pwhash_argon2{kind}_str")
    check(make(out, password.encode(), ctypes.c_ulonglong(len(password.encode())), ctypes.c_ulonglong(passes), ctypes.c_size_t(memory)) == 0, "no hash")
    return out.value.decode()


class Visitor(Client):
    """Requests of one browser: keeps the cookies it is given, and sends the session's token with what changes something."""

    def __init__(self, server, port=None, **options):
        super().__init__(port or server.port, epoch=lambda: server.starts, **options)
        self.cookies, self.csrf, self.id = {}, None, None

    def request(self, method, path, body=None, headers=(), key=None):
        sent = dict(headers)
        if self.cookies:
            sent.setdefault("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if self.csrf and method not in ("GET", "HEAD"):
            sent.setdefault("X-CSRF-Token", self.csrf)
        answer = super().request(method, path, body, sent.items(), key)
        for name, morsel in http.cookies.SimpleCookie(answer.headers.get("set-cookie", "")).items():
            if morsel["max-age"] == "0" or not morsel.value:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value
        return answer

    def sign_in(self, identifier, password=PASSWORD, **more):
        """Signs in; the visitor itself."""
        self.post("/v1/session", {"identifier": identifier, "password": password, **more}).expect(200)
        session = self.get("/v1/session").expect(200).json
        check(self.cookies and session["csrf"], f"signed in without cookie or token: {session}")
        self.csrf, self.id = session["csrf"], session["subject"]
        return self


def first_folder(server, role=None):
    """The folder that an account needs where the policy says so, as a member of POST /v1/accounts."""
    with open(server.policy, encoding="utf-8") as file:
        policy = file.read()
    needs = re.search(r"^accounts:.*?\bneeds: *\[([^\]]*)\]", policy, re.S | re.M)
    if role or not needs or "folders" not in needs[1]:
        return {}
    kind = re.search(r"^folders:\n  (\w+):", policy, re.M)[1]
    return {"folders": [{"folder": kind, "name": "Premier dossier", "why": "demande du responsable"}]}


def opened(server, data, password=PASSWORD, opener=None, role=None, **more):
    """An account opened by `opener` (the operator), whose invitation was accepted; the person's id."""
    operator = server.operator()
    body = {"data": data, "supplied_by": "person", **({"role": role} if role else {}), **first_folder(server, role), **more}
    made = (opener or operator).post("/v1/accounts", body) \
                               .expect(201).json
    link = made.get("link") or operator.post(f"/v1/accounts/{made['id']}/invite").expect(200).json["link"]
    token = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["token"][0]
    server.anyone().post("/v1/invitations/accept", {"token": token, "password": password}).expect(200)
    return made["id"]


def registered(server, mailbox, data, address, password=PASSWORD, **more):
    """An account that its person opened alone and confirmed by the letter's link."""
    known = len(mailbox.find(address))
    server.anyone().post("/v1/accounts/register", {"data": data, "password": password, **more}).expect(202)
    link = mailbox.wait(address, count=known + 1).links[0]
    token = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["token"][0]
    server.anyone().post("/v1/registrations/confirm", {"token": token, "password": password}).expect(200)


def form(who, path, **fields):
    """A form of a page, sent as a browser does."""
    return who.post(path, urllib.parse.urlencode(fields).encode(), **{"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"})


def upload(who, path, files, **fields):
    """A form of a page with files, {input: (file name, media type, bytes)}, sent as a browser does."""
    edge, parts = "----planted-edge-0815", []
    for name, value in fields.items():
        parts.append(f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    for name, (file, kind, content) in files.items():
        head = f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\nContent-Type: {kind}\r\n\r\n'
        parts.append(head.encode() + content + b"\r\n")
    return who.post(path, b"".join(parts) + f"--{edge}--\r\n".encode(), **{"Content-Type": f"multipart/form-data; boundary={edge}", "Accept": "text/html"})


def visitor(server, identifier, password=PASSWORD, **more):
    """A new browser, signed in."""
    return Visitor(server).sign_in(identifier, password, **more)


def totp(secret, at):
    """The code that an authenticator shows at that time, in milliseconds (RFC 6238: 30 s, six digits)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", at // 30_000), hashlib.sha1).digest()
    where = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[where:where + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def staff(server, data, identifier, role, **more):
    """Somebody in a role of the policy, with agreement and second factor, signed in."""
    ident = opened(server, data, role=role, **more)
    server.operator().post(f"/v1/accounts/{ident}/agreement", {"date": "2026-01-05", "reference": "safe, shelf 2"}).expect(200)
    one = visitor(server, identifier)
    secret = one.post("/v1/me/factor", {}).expect(200).json["secret"]
    one.codes = one.post("/v1/me/factor/confirm", {"code": totp(secret, server.now())}).expect(200).json["recovery_codes"]
    one.csrf = one.get("/v1/session").expect(200).json["csrf"]
    return one
