"""People who sign in: a client with a browser's cookie and the session's token against forged requests, and accounts opened for it."""
import http.cookies, urllib.parse
from garant import Client, check

PASSWORD = "Trombone-Lichen 42 Kestrels!"


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


def opened(server, data, password=PASSWORD, opener=None, role=None, **more):
    """An account opened by `opener` (the operator), whose invitation was accepted; the person's id."""
    operator = server.operator()
    made = (opener or operator).post("/v1/accounts", {"data": data, "supplied_by": "person", **more}).expect(201).json
    link = made.get("link") or operator.post(f"/v1/accounts/{made['id']}/invite").expect(200).json["link"]
    token = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["token"][0]
    server.anyone().post("/v1/invitations/accept", {"token": token, "password": password}).expect(200)
    if role:
        operator.put(f"/v1/accounts/{made['id']}/role", {"role": role}).expect(204)
    return made["id"]


def visitor(server, identifier, password=PASSWORD, **more):
    """A new browser, signed in."""
    return Visitor(server).sign_in(identifier, password, **more)
