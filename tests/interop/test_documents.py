#!/usr/bin/python3
"""Standard documents and headers: problem details, security.txt, no-store, conditional requests, merge patch, the zip of an export."""
import datetime, io, re, urllib.parse, zipfile
from common import SMALL, person, server, tests
from garant import Server, check
import sample


@tests.test("problem details (RFC 9457) with media type, status and a title in the reader's language")
def problems():
    with server() as subject:
        client = subject.client("app")
        english, french = (client.get("/v1/subjects/0/former", **{"Accept-Language": language}) for language in ("en", "fr, en;q=0.5"))
        for answer in (english, french):
            problem = answer.refused("not-found", status=404)
            check(problem["type"].startswith("https://") and problem["title"], f"{problem}")
        check(english.json["title"] != french.json["title"], "the title follows no language")
        check(client.get("/nothing/here").status == 404 and client.post("/healthz").status == 405, "404 and 405")


@tests.test("no answer may be kept by a cache, and none tells the server's version")
def headers():
    with server() as subject:
        client = subject.client("app")
        ident = client.create(person(1))["id"]
        for answer in (client.read(ident, "service"), client.get(f"/v1/subjects/{ident}/export"), client.get("/v1/nothing")):
            check(answer.headers.get("cache-control") == "no-store", f"{answer.asked}: Cache-Control {answer.headers.get('cache-control')}")
            check("set-cookie" not in answer.headers and not any(c.isdigit() for c in answer.headers.get("server", "")), f"{answer.headers}")


@tests.test("public pages: validators, 304, a language each, one heading, no script, nothing from another host (RFC 9110, 13)")
def pages():
    with server() as subject:
        seen = set()
        for path in ("/privacy", "/cookies", "/privacy.jsonld"):
            for language in ("fr", "en"):
                first = subject.anyone().get(path, **{"Accept-Language": language}).expect(200)
                check(first.headers["cache-control"] == "no-cache" and first.headers["content-language"] == language, f"{first.headers}")
                check("accept-language" in first.headers["vary"].lower() and first.etag.startswith('"'), f"{first.headers}")
                seen.add(first.etag)
                for tag in (first.etag, "W/" + first.etag, f'"x", {first.etag}', "*"):
                    again = subject.anyone().get(path, **{"Accept-Language": language, "If-None-Match": tag})
                    check(again.status == 304 and again.body == b"" and again.etag == first.etag, f"{path} {tag}: {again.status}")
                subject.anyone().get(path, **{"Accept-Language": language, "If-None-Match": '"x"'}).expect(200)
                forced = subject.anyone().get(f"{path}?lang={language}", **{"Accept-Language": "de"}).expect(200)
                check(forced.etag == first.etag, f"{path}: the parameter and the header differ")
                head = subject.anyone().request("HEAD", path, headers={"Accept-Language": language}.items()).expect(200)
                check(head.etag == first.etag and head.body == b"", "HEAD")
        check(len(seen) == 6, f"pages share a validator: {seen}")
        for path in ("/privacy", "/cookies", "/privacy/versions"):
            text = subject.anyone().get(path).expect(200).body.decode()
            check(text.count("<h1") == 1 and "<script" not in text and "style=" not in text and 'class="skip"' in text, f"{path}")
            check(not re.search(r"(src|href)=\"(https?:)?//", text), f"{path} loads or links another host")
            ids = re.findall(r' id="([^"]*)"', text)
            check(len(ids) == len(set(ids)) and set(re.findall(r'href="#([^"]*)"', text)) <= set(ids), f"{path}: anchors")


@tests.test("a signed-in person says on a page that they read the version in force; nobody else can, for nobody else, and it is no consent")
def acknowledged():
    with Server("site-fr") as subject:
        operator, anyone = subject.operator(), subject.anyone()
        document = sample.Document(operator.get("/v1/policy").expect(200).json["document"])
        data, password = sample.person(document, 1), "Lichen-Trombone-42"
        made = operator.post("/v1/accounts", {"data": data, "supplied_by": "person"}).expect(201).json
        anyone.post("/v1/invitations/accept", {"token": made["link"].rsplit("=", 1)[1], "password": password}).expect(200)
        signed = anyone.post("/v1/session", {"identifier": data["contact"]["email"], "password": password}).expect(200)
        cookie = {"Cookie": signed.headers["set-cookie"].split(";")[0]}
        path, version = "/privacy/acknowledge", operator.get("/v1/policy").expect(200).json["hash"]

        def acknowledged_by():
            return [row.get("subject") for row in operator.get("/v1/policy/acknowledgements").expect(200).json["acknowledgements"]]

        def press(csrf, **headers):
            body = urllib.parse.urlencode({"csrf": csrf, "version": version}).encode()
            return anyone.request("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html", **headers}.items())
        # Without a session: to the sign-in and back; a token of a system is nobody to read it.
        answer = anyone.get(path, Accept="text/html")
        check(answer.status == 303 and answer.headers["location"] == "/signin?next=%2Fprivacy%2Facknowledge", f"{answer.status} {answer.headers}")
        check(subject.client("app").get(path).status in (401, 403), "a system reads for a person")
        for pressed, statuses in ((press(signed.json["csrf"]), (303, 401)), (press("x" * 43, **cookie), (403,))):
            check(pressed.status in statuses, f"without session or its token: {pressed.status} {pressed.headers} {pressed.body}")
        check(acknowledged_by() == [], "a refused press was recorded")
        page = anyone.get(path, **cookie, Accept="text/html").expect(200)
        text = page.body.decode()
        check("no-store" in page.headers["cache-control"] and signed.json["csrf"] in text and version in text, f"{page.headers}")
        for _ in range(2):
            pressed = press(signed.json["csrf"], **cookie)
            check(pressed.status == 303 and pressed.headers["location"] == path, f"{pressed.status} {pressed.body}")
        check(acknowledged_by() == [made["id"]], f"{acknowledged_by()}")
        text = anyone.get(path, **cookie, Accept="text/html").expect(200).body.decode()
        check("You said on" in text and 'action="/privacy/acknowledge"' not in text and 'name="version"' not in text, "the page does not tell that it was said")
        check(subject.client("app").get(f"/v1/subjects/{made['id']}/consents").expect(200).json["consents"] == [], "reading was taken for consent")
        whole = operator.get(f"/v1/policy/versions/{version}").expect(200).json
        check(whole["document"]["policy"]["id"] == "site-fr" and whole["in_force"] and "policy:" in whole["source"], f"{whole}")
        anyone.get(f"/v1/policy/versions/{version}").expect(401)


@tests.test("conditional changes: 428 without If-Match, 412 when stale, weak tags never match")
def conditions():
    with server() as subject:
        client = subject.client("app")
        made = client.post("/v1/subjects", {"data": person(1), "source": "person"}).expect(201)
        path, patch = f"/v1/subjects/{made.json['id']}?purpose=service", {"identity": {"last_name": "Autre"}}
        client.patch(path, patch).refused("precondition-required", status=428)
        client.patch(path, patch, etag=made.etag).expect(200)
        client.patch(path, patch, etag=made.etag).refused("precondition-failed", status=412)
        check(client.read(made.json["id"], "service").etag != made.etag, "the tag did not change")


@tests.test("idempotency: the same key and request are answered again, another request under it is 409")
def idempotency():
    with server() as subject:
        client = subject.client("app")
        body = {"data": person(1), "source": "person"}
        first = client.post("/v1/subjects", body, key="the-same-key").expect(201)
        again = client.post("/v1/subjects", body, key="the-same-key").expect(201)
        check(again.json == first.json, f"{first.json} then {again.json}")
        client.post("/v1/subjects", {"data": person(2), "source": "person"}, key="the-same-key").refused("conflict", status=409)


@tests.test("security.txt (RFC 9116) has contact and an expiry to come")
def security_txt():
    with server() as subject:
        text = subject.anyone().get("/.well-known/security.txt").expect(200).body.decode()
        fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line and not line.startswith("#"))
        check(fields.get("Contact", "").startswith(("mailto:", "https:")), f"{text}")
        expires, now = datetime.datetime.fromisoformat(fields["Expires"].replace("Z", "+00:00")), datetime.datetime.now(datetime.timezone.utc)
        check(now < expires < now + datetime.timedelta(365), f"expired, or for more than a year: {text}")
        check(set(fields["Preferred-Languages"].split(", ")) <= {"en", "fr"} and text.count("Expires:") == 1, f"{text}")


@tests.test("security.txt names its own place where the server's address is known")
def security_txt_canonical():
    with server() as subject:
        check("Canonical:" not in subject.anyone().get("/.well-known/security.txt").body.decode(), "a place that nobody told")
    with Server(SMALL, arguments=["--url", "https://garant.example/"]) as subject:
        text = subject.anyone().get("/.well-known/security.txt").expect(200).body.decode()
        check("\nCanonical: https://garant.example/.well-known/security.txt\n" in text, text)


@tests.test("change-password leads to the page, gpc.json says that the signal is honoured, and nothing else is there")
def well_known():
    with server() as subject:
        ask = subject.anyone().get
        answer = ask("/.well-known/change-password").expect(302)
        check(answer.headers["location"] == "/me/security" and answer.body == b"", f"{answer.headers}")
        answer = ask("/.well-known/gpc.json").expect(200)
        check(answer.headers["content-type"] == "application/json" and answer.json["gpc"] is True, f"{answer.body}")
        datetime.date.fromisoformat(answer.json["lastUpdate"])
        ask("/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200").expect(404)


@tests.test("an export is a zip that other programs read, with its files named in UTF-8")
def export():
    with server() as subject:
        client = subject.client("app")
        ident = client.create(person(1))["id"]
        client.request("POST", f"/v1/subjects/{ident}/attachments?category=contact&name=pi%C3%A8ce%20jointe.txt", b"contenu",
                       {"Content-Type": "text/plain"}.items()).expect(201)
        with zipfile.ZipFile(io.BytesIO(client.get(f"/v1/subjects/{ident}/export").expect(200).body)) as archive:
            check(archive.testzip() is None and {"data.json", "index.html"} <= set(archive.namelist()), f"{archive.namelist()}")
            check(any(name.startswith("attachments/") and name.endswith("pièce jointe.txt") for name in archive.namelist()),
                  f"{archive.namelist()}")
            check("Interop-1" in archive.read("index.html").decode(), "the page does not hold the data")


@tests.test("metrics are Prometheus text, without personal data")
def metrics():
    with server() as subject:
        client = subject.client("app")
        client.create(person(1))
        text = client.get("/metrics").expect(200).body.decode()
        for line in text.splitlines():
            name = line.split("{")[0].split(" ")[0]
            check(line.startswith("#") or (name.replace("_", "a").isalnum() and float(line.rsplit(" ", 1)[1]) >= 0), f"{line}")
        check("Interop-1" not in text and "interop.example" not in text, "a personal datum in the metrics")


tests.main()
