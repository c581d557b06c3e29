"""A person at a browser without pages: keeps the cookies it is given, sends the token against forged requests, signs in and out.

    visitor = account(server, {"contact": {"email": "zoe@example.org"}, …})      # opened, invited, accepted
    visitor.sign_in().expect(200)
    visitor.get("/v1/session").expect(200)
"""
import base64, hashlib, hmac, re, struct
from garant import Client, check

GOOD, OTHER = "Kobu-7-renard-Vite", "Zul+9-girafe-Lente"         # passwords that every profile takes
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def totp(secret, now, digits=6):
    """RFC 6238 of a base32 secret at a time in milliseconds."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", now // 30_000), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7FFFFFFF) % 10 ** digits:0{digits}d}"


class Visitor(Client):
    def __init__(self, server, identifier=None, password=GOOD, agent=AGENT, **options):
        super().__init__(server.port, epoch=lambda: server.starts, context=server.context, **options)
        self.server, self.identifier, self.password, self.agent = server, identifier, password, agent
        self.cookies, self.attributes, self.csrf, self.subject = {}, {}, None, None

    def request(self, method, path, body=None, headers=(), key=None):
        sent = {"User-Agent": self.agent}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if self.csrf and method not in ("GET", "HEAD"):
            sent["X-CSRF-Token"] = self.csrf
        answer = super().request(method, path, body, {**sent, **dict(headers)}.items(), key)
        self.take(answer.headers.get("set-cookie"))
        return answer

    def take(self, line):
        """A Set-Cookie line, as a browser takes it: the "__Host-" prefix binds it to Secure, Path=/ and no Domain."""
        if not line:
            return
        first, *rest = line.split("; ")
        name, value = first.split("=", 1)
        said = {part.split("=", 1)[0].lower(): part.split("=", 1)[1] if "=" in part else True for part in rest}
        if name.startswith("__Host-"):
            check(said.get("secure") and said.get("path") == "/" and "domain" not in said, f"a browser refuses {line}")
        self.attributes[name] = said
        if said.get("max-age") == "0" or not value:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value

    def sign_in(self, password=None, identifier=None, **more):
        """The answer, whatever it is."""
        answer = self.post("/v1/session", {"identifier": identifier or self.identifier, "password": password or self.password, **more})
        return self.signed(answer)

    def signed(self, answer):
        if answer.status == 200 and "csrf" in answer.json:
            self.csrf, self.subject = answer.json["csrf"], answer.json["subject"]
        return answer

    def sign_out(self):
        return self.delete("/v1/session")

    def another(self, agent="Another browser"):
        """The same person elsewhere, not signed in."""
        return Visitor(self.server, self.identifier, self.password, agent)

    def enrol(self):
        """Sets up a second factor; its secret and the recovery codes."""
        begun = self.post("/v1/me/factor").expect(200).json
        confirmed = self.post("/v1/me/factor/confirm", {"code": totp(begun["secret"], self.server.now())}).expect(200).json
        return begun["secret"], confirmed["recovery_codes"]


def account(server, data, password=GOOD, role=None, **more):
    """An account that was opened for somebody and whose invitation was accepted; not signed in yet."""
    made = server.operator().post("/v1/accounts", {"data": data, "supplied_by": "person", **({"role": role} if role else {}), **more}).expect(201).json
    visitor = Visitor(server, data["contact"]["email"], password)
    token = re.split("[/=]", made["link"])[-1]
    visitor.post("/v1/invitations/accept", {"token": token, "password": password}).expect(200)
    visitor.subject = made["id"]
    return visitor
