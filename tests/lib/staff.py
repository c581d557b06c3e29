"""Staff who sign in: an account in a role of the policy, its confidentiality agreement on record, its second factor set up."""
import base64, hashlib, hmac, struct, urllib.parse
from people import PASSWORD, Visitor, opened

AGREED = {"date": "2026-01-05", "reference": "safe, shelf 2"}


def totp(secret, at):
    """The code that an authenticator shows at that time, in milliseconds (RFC 6238, 30 s, six digits)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    mac = hmac.new(key, struct.pack(">Q", at // 30_000), hashlib.sha1).digest()
    where = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[where:where + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def enrol(server, visitor):
    """Sets up the second factor of who is signed in; its secret. The session then counts as one with a second factor."""
    secret = visitor.post("/v1/me/factor", {}).expect(200).json["secret"]
    visitor.post("/v1/me/factor/confirm", {"code": totp(secret, server.now())}).expect(200)
    return secret


def person_signed_in(server, data, identifier, password=PASSWORD, **more):
    """Somebody without a role, signed in; a Visitor."""
    opened(server, data, password, **more)
    return Visitor(server).sign_in(identifier, password)


def staff_signed_in(server, data, identifier, role, password=PASSWORD, agreement=True, factor=True, **more):
    """Somebody in that role, signed in; a Visitor. Without agreement or factor where the policy wants them, the role stays closed."""
    operator = server.operator()
    made = operator.post("/v1/accounts", {"data": data, "supplied_by": "person", "role": role, **more}).expect(201).json
    token = urllib.parse.parse_qs(urllib.parse.urlsplit(made["link"]).query)["token"][0]
    server.anyone().post("/v1/invitations/accept", {"token": token, "password": password}).expect(200)
    if agreement:
        operator.post(f"/v1/accounts/{made['id']}/agreement", AGREED).expect(200)
    visitor = Visitor(server).sign_in(identifier, password)
    if factor:
        enrol(server, visitor)
        visitor.csrf = visitor.get("/v1/session").expect(200).json["csrf"]
    return visitor
