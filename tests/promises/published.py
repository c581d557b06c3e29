"""What people show in public: testimonials, photographs and videos, under a consent that is in force at each look."""
import html, json, re
import pictures
from browser import Browser
from garant import check, check_absent
from mailbox import Mailbox
from paper import entered
from people import form, opened, registered, staff, totp, upload, visitor
from promise import part, promise
import dm, mp

NOW = "2026-12-20T10:00:00Z"


def send(who, ident, category, fields, file=None, **more):
    """What a program sends in: with a file as a form, else as JSON."""
    path = f"/v1/subjects/{ident}/publications"
    if file is None:
        return who.post(path, {"category": category, "fields": fields, **more})
    return upload(who, path, {"file": file}, category=category, fields=json.dumps(fields), **{name: str(value).lower() for name, value in more.items()})


def decide(who, publication, decision="publish", **more):
    return who.post(f"/v1/decide/{publication}", {"decision": decision, **more})


class Place:
    """The public side of a category, through each of its doors."""

    def __init__(self, server, name):
        self.server, self.name = server, name

    def shown(self):
        """The ids that everybody sees, the same by page, API, command, script and each by its own address."""
        items = self.server.anyone().get(f"/v1/publications/{self.name}").expect(200).json["items"]
        told = json.loads(self.server.run("publication", "list", self.name, "--json"))["items"]
        check(items == told, f"the command tells {told}, the API {items}")
        page = html.unescape(Browser(self.server).get(f"/publications/{self.name}").expect(200).body.decode())
        answer = self.server.anyone().get(f"/embed/publications/{self.name}").expect(200)
        script, kind = answer.body.decode(), answer.headers["content-type"]
        check(kind.startswith("text/javascript") and answer.headers["cross-origin-resource-policy"] == "cross-origin", f"{answer.headers}")
        for item in items:
            check(f'id="p-{item["id"]}"' in page and item["id"] in script, f"{item} is not everywhere")
            self.server.anyone().get(f"/publications/{self.name}/{item['id']}").expect(200)
        check(page.count('class="card publication"') == len(items) and script.count('"titles":') == len(items), "page or script shows others")
        return [item["id"] for item in items]

    def is_gone(self, *publications):
        """By no door, in no answer, and nobody may keep one."""
        check(not set(self.shown()) & set(publications), "it is still listed")
        for one in publications:
            for path in (f"/publications/{self.name}/{one}", f"/publications/{self.name}/{one}/file", f"/v1/publications/{self.name}/{one}"):
                answer = self.server.anyone().get(path)
                check(answer.status in (404, 410), f"{path}: {answer.status}")
        kept = self.server.anyone().get(f"/v1/publications/{self.name}").expect(200).headers["cache-control"]
        check(kept == "no-store", f"it may be kept elsewhere: {kept}")


# ---- MP-12: testimonials only with permission. ----

def sends_in(server, place):
    """By the person on their page, by a program, by staff, by the command; without a consent by nobody."""
    app, made = server.client("app"), {}
    desk = staff(server, mp.person(20), "thibault.20@societe.example", "communication")
    fields = {"quote": "Un bon outil, dit Planted.", "signed": "T. M."}
    with part("nothing is sent in without the person's consent, by any door"):
        for number, door in enumerate(("page", "program", "staff", "command"), 30):
            made[door] = opened(server, mp.person(number))
        own = visitor(server, "thibault.30@societe.example")
        upload(own, "/me/publications", {}, csrf=own.csrf, category="testimonial", **{"testimonial.quote": "Sans accord"}).expect(403)
        for who, ident in ((app, made["program"]), (desk, made["staff"])):
            send(who, ident, "testimonial", fields).refused("consent-missing", status=403)
        server.run_refused("consent-missing", "publication", "send", made["command"], given=json.dumps({"category": "testimonial", "fields": fields}))
        check("Sans accord" not in str(server.operator().get(f"/v1/subjects/{made['page']}/access").expect(200).json), "refused, and held all the same")
        send(app, made["program"], "identity", {"last_name": "X"}, agree=True).refused("not-found", status=404)
    with part("it is sent in by the person or entered by staff, and waits for approval"):
        page = html.unescape(own.get("/me/publications", Accept="text/html").expect(200).body.decode())
        check("I agree: Publish your testimonial" in page and not re.search(r"<input[^>]* checked", page), f"{page}")
        typed = {"testimonial.quote": fields["quote"], "testimonial.signed": "T. M."}
        upload(own, "/me/publications", {}, csrf=own.csrf, category="testimonial", agree="on", **typed).expect(303)
        send(app, made["program"], "testimonial", fields, agree=True).expect(201)
        entered(app, made["staff"], purpose="testimonials", channel=None).expect(201)                # on paper
        upload(desk, f"/staff/people/{made['staff']}/publish", {}, csrf=desk.csrf, category="testimonial", **typed).expect(303)
        app.consent(made["command"], "testimonials", "given", method="tick", wording="Oui.").expect(201)
        server.run("publication", "send", made["command"], "--json", given=json.dumps({"category": "testimonial", "fields": fields}))
        check(place.shown() == [], "what nobody approved is public")
        waiting = app.get("/v1/waiting/testimonial").expect(200).json["waiting"]
        check({row["subject"] for row in waiting} == set(made.values()), f"{waiting}")
        page = desk.get("/staff/publications", Accept="text/html").expect(200).body.decode()
        check(page.count('value="publish"') == len(made) and "Un bon outil, dit Planted." in page, f"{page}")
        recruiter = staff(server, mp.person(21), "thibault.21@societe.example", "recruiter")
        recruiter.get("/v1/waiting/testimonial").refused("forbidden", status=403)
        decide(recruiter, waiting[0]["id"]).refused("forbidden", status=403)
    return desk, made, {row["subject"]: row["id"] for row in waiting}


def approves(server, box, place, desk, made, ids):
    app = server.client("app")
    with part("the public list shows only what is approved and has a live consent"):
        form(desk, "/staff/publications", csrf=desk.csrf, publication=ids[made["page"]], decision="publish").expect(303)
        for door in ("program", "staff", "command"):
            decide(app, ids[made[door]]).expect(200)
        check(set(place.shown()) == set(ids.values()), "not all are shown")
        signed, before = visitor(server, "thibault.30@societe.example"), server.operator().post("/v1/journal/verify").expect(200).json["size"]
        page = signed.get("/publications/testimonial", Accept="text/html").expect(200).body.decode()
        check(all(f'id="p-{one}"' in page for one in ids.values()), "who is signed in sees others only")
        after = server.operator().post("/v1/journal/verify").expect(200).json["size"]
        check(after <= before + 2, f"a look at what is public wrote {after - before} entries")
        decide(app, ids[made["page"]]).refused("conflict", status=409)
        refused = send(app, made["program"], "testimonial", {"quote": "Autre chose, Planted."}).expect(201).json["id"]
        place.is_gone(ids[made["program"]])                                # the person says something else now
        decide(app, refused, "refuse").refused("missing-field", field="reason")
        before = len(box.find("thibault.31@societe.example"))
        decide(app, refused, "refuse", reason="Ce texte nomme un concurrent.").expect(200)
        check("Ce texte nomme un concurrent." in box.wait("thibault.31@societe.example", count=before + 1).text, "the person is not told why")
        place.is_gone(refused)
    with part("marked as public on the person's page and in the export"):
        own = visitor(server, "thibault.30@societe.example")
        page = own.get("/me/publications", Accept="text/html").expect(200).body.decode()
        check(f"/publications/testimonial/{ids[made['page']]}" in page and ">public<" in page, f"{page}")
        _, data = server.operator().export(made["page"])
        row, = data["publications"]
        check(row["public"] and row["state"] == "published" and row["address"].endswith(ids[made["page"]]), f"{row}")
        told = json.loads(server.run("subject", "access", made["page"], "--json"))["publications"]
        check(told == [row], f"the command tells {told}")


def takes_down(server, place, made, ids):
    app = server.client("app")
    with part("withdrawal takes one down at once, by page, API and command, and giving it again brings back nothing"):
        own = visitor(server, "thibault.30@societe.example")
        form(own, "/me/consents", csrf=own.csrf, purpose="testimonials", channel="", decision="withdrawn").expect(303)
        place.is_gone(ids[made["page"]])
        form(own, "/me/consents", csrf=own.csrf, purpose="testimonials", channel="", decision="given").expect(303)
        place.is_gone(ids[made["page"]])
        app.consent(made["command"], "news", "withdrawn", channel="email").expect(201)
        check(ids[made["command"]] in place.shown(), "withdrawing something else takes it down")
        app.consent(made["staff"], "testimonials", "withdrawn").expect(201)
        place.is_gone(ids[made["staff"]])
        server.run("publication", "end", made["command"], ids[made["command"]])
        place.is_gone(ids[made["command"]])
        decide(app, ids[made["page"]]).refused("conflict", "consent-missing")
    with part("objection, restriction, erasure and the term take one down in the same commit"):
        for number, (act, what) in enumerate(ENDS.items(), 50):
            ident = app.create(mp.person(number))["id"]
            one = send(app, ident, "testimonial", {"quote": f"Planted {number}"}, agree=True).expect(201).json["id"]
            decide(app, one).expect(200)
            check(one in place.shown(), f"{act}: it is not shown before")
            what(server, app, ident)
            place.is_gone(one)


ENDS = {
    "refusal": lambda server, app, ident: app.consent(ident, "testimonials", "refused", wording="Non.").expect(201),
    "restriction": lambda server, app, ident: server.operator().put(f"/v1/subjects/{ident}/restriction", {"ground": "accuracy contested"}).expect(204),
    "closing": lambda server, app, ident: app.post(f"/v1/subjects/{ident}/close").expect(204),
    "erasure of the category": lambda server, app, ident: app.delete(f"/v1/subjects/{ident}/records/testimonial").expect(204),
    "rectification": lambda server, app, ident: app.change(ident, "testimonials", {"testimonial": {"quote": "Tout autre chose"}}).expect(200),
    "erasure": lambda server, app, ident: app.post(f"/v1/subjects/{ident}/erase", {"ground": "request"}).expect(200),
    "the term": lambda server, app, ident: server.advance(days=3 * 366),
}


@promise("MP-12")
def testimonials(t):
    with Mailbox() as box:
        server = t.server(now=NOW, arguments=box.arguments())
        place = Place(server, "testimonial")
        desk, made, ids = sends_in(server, place)
        approves(server, box, place, desk, made, ids)
        takes_down(server, place, made, ids)


# ---- DM-09: content made by people. ----

FILES = {"photo.jpg": ("image/jpeg", pictures.jpeg()), "photo.png": ("image/png", pictures.png()), "photo.webp": ("image/webp", pictures.webp()),
         "film.mp4": ("video/mp4", pictures.mp4())}
SHOWS = {"photo.jpg": b"planted pixels", "photo.webp": b"planted pixels!", "film.mp4": bytes(range(256))}


def content(server, ident, name, **more):
    kind, given = FILES[name]
    return send(server.client("app"), ident, "content", {"title": f"Planted {name}", "kind": "photo" if name.startswith("photo") else "video"},
                (name, kind, given), **more)


def cleaned(server, place, ident):
    app, ids = server.client("app"), {}
    with part("a file loses where and when it was taken, and what hangs behind it, before it is stored"):
        for name, (kind, given) in FILES.items():
            ids[name] = content(server, ident, name, agree=True).expect(201).json["id"]
            decide(app, ids[name]).expect(200)
            answer = server.anyone().get(f"/publications/content/{ids[name]}/file").expect(200)
            check(answer.headers["content-type"] == kind and SHOWS.get(name, b"IDAT") in answer.body, f"{name} shows something else: {answer.headers}")
            check(pictures.SECRETS[0] in given and pictures.SECRETS[3] in given, f"{name} tells nothing to begin with")
            for secret in pictures.SECRETS:
                check(secret not in answer.body, f"{name} still tells {secret}")
        turned = server.anyone().get(f"/publications/content/{ids['photo.jpg']}/file").expect(200).body
        check(turned[2:4] == b"\xff\xe1" and turned[6:12] == b"Exif\0\0" and turned[30:32] == b"\0\x06", "the turn of the photograph is lost")
        check(set(place.shown()) == set(ids.values()), "not all are shown")
        for secret in pictures.SECRETS:
            check(all(secret not in file for file in server.operator().export(ident)[0].values()), f"{secret} is kept")
    return ids


def refused(server, ident):
    with part("what is no picture or video, or cannot be cleaned, is refused with what is wrong"):
        hostile = {"page.html": b"<html><script>alert(1)</script>", "letter.pdf": b"%PDF-1.4 " + bytes(100), "fake.jpg": b"MZ" + bytes(200),
                   "cut.jpg": pictures.jpeg()[:-60], "cut.png": pictures.png()[:60], "empty.jpg": b"\xff\xd8\xff\xd9", "empty": b"x",
                   "bomb.png": pictures.png(1)[:16] + b"\xff" * 8 + pictures.png()[24:], "huge.jpg": pictures.jpeg(60000, 60000),
                   "huge.webp": pictures.webp(0x3FFF), "places.mp4": pictures.mp4(tracks=(b"vide", b"meta")), "cut.mp4": pictures.mp4()[:100]}
        app, path = server.client("app"), f"/v1/subjects/{ident}"
        before = len(server.operator().get(f"{path}/access").expect(200).json["attachments"])
        for name, given in hostile.items():
            answer = send(app, ident, "content", {"title": name, "kind": "photo"}, (name, "image/jpeg", given)).refused("invalid-value", status=422)
            check("published" in answer["detail"], f"{name}: {answer}")
        named, whole = b'Content-Disposition: form-data; name="a"', "multipart/form-data; boundary=x"
        for body, kind in ((b"nothing", "multipart/form-data"), (b"--x\r\n\r\n", whole), (b"--y--", whole), (b"--x\r\n" + named + b"\r\n\r\nb", whole),
                           (b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--", whole),
                           (b"--x\r\n" + named + b"\r\nContent-Transfer-Encoding: base64\r\n\r\nb\r\n--x--", whole)):
            app.request("POST", f"{path}/publications", body, [("Content-Type", kind)]).refused("usage", status=400)
        send(app, ident, "content", {"title": "t", "kind": "photo"}, ("a.jpg", "image/jpeg", b"\xff\xd8\xff" + bytes(33 << 20))) \
            .refused("too-large", status=413)
        check(len(server.operator().get(f"{path}/access").expect(200).json["attachments"]) == before, "refused, and held all the same")


def ranges(server, film):
    with part("a video is served in ranges, from an address that tells nothing"):
        path = f"/publications/content/{film}/file"
        whole = server.anyone().get(path).expect(200)
        check(whole.headers["accept-ranges"] == "bytes" and "clarisse" not in path and "film" not in path, f"{whole.headers}")
        size = len(whole.body)
        for asked, begin, end in (("bytes=0-0", 0, 1), ("bytes=65530-65545", 65530, 65546), ("bytes=100-", 100, size),
                                  ("bytes=-10", size - 10, size), (f"bytes=10-{size * 2}", 10, size)):
            answer = server.anyone().get(path, Range=asked).expect(206)
            check(answer.body == whole.body[begin:end] and answer.headers["content-range"] == f"bytes {begin}-{end - 1}/{size}", f"{asked}: {answer.headers}")
        answer = server.anyone().get(path, Range=f"bytes={size}-").expect(416)
        check(answer.headers["content-range"] == f"bytes */{size}", f"{answer.headers}")
        for asked in ("bytes=5-1", "bytes=0-1,5-6", "lines=1-2", "bytes=a-b"):
            check(server.anyone().get(path, Range=asked).expect(200).body == whole.body, f"{asked} is understood")


def reports(server, box, place, ident, ids):
    with part("what others published can be reported, and both sides get a reasoned decision"):
        target = f"/publications/content/{ids['photo.png']}/report"
        page = Browser(server).get(target).expect(200)
        typed = {"reason": "Ma photo, prise sans mon accord.", "email": "witness@x.example", "good_faith": "on"}
        Browser(server).submit(page, target, **typed).expect(200).has("A person will look at it")
        api = f"/v1/publications/content/{ids['photo.webp']}/report"
        server.anyone().post(api, {"reason": "Déplaisant."}).refused("missing-field", field="good_faith")
        server.anyone().post(api, {"reason": "x", "good_faith": True, "email": "none"}).refused("invalid-value", field="email")
        server.anyone().post(api, {"reason": "Déplaisant.", "email": "other@x.example", "good_faith": True}).expect(200)
        nothing = "/v1/publications/content/01ARZ3NDEKTSV4RRFFQ69G5FAV/report"
        server.anyone().post(nothing, {"reason": "x", "good_faith": True}).refused("not-found", status=404)
        check(set(place.shown()) == set(ids.values()), "a report alone takes something down")
        check_absent(["witness@x.example", "prise sans mon accord"], server.data)
        desk = moderator(server, box)
        waiting = {row["publication"]: row["id"] for row in desk.get("/v1/reports").expect(200).json["reports"]}
        check(set(waiting) == {ids["photo.png"], ids["photo.webp"]}, f"{waiting}")
        others = server.client("contest_site").get("/v1/reports").expect(200).json["reports"]
        check(not others, f"who works for another purpose sees {others}")
        looks = server.operator().get(f"/v1/subjects/{ident}/looks?limit=1000").expect(200).json["looks"]
        check([row["outcome"] for row in looks if row["act"] == "report.listed"] == ["done"], f"the look at the reports is not on record once: {looks}")
        desk.post(f"/v1/reports/{waiting[ids['photo.png']]}", {"decision": "take_down"}).refused("missing-field", field="reason")
        form(desk, "/staff/publications", csrf=desk.csrf, report=waiting[ids["photo.png"]], decision="take_down", why="Droit à l'image.").expect(303)
        place.is_gone(ids["photo.png"])
        desk.post(f"/v1/reports/{waiting[ids['photo.webp']]}", {"decision": "keep", "reason": "Rien d'illicite."}).expect(200)
        check(ids["photo.webp"] in place.shown(), "what was kept is not shown")
        desk.post(f"/v1/reports/{waiting[ids['photo.webp']]}", {"decision": "keep", "reason": "Encore."}).refused("not-found", status=404)
        for address, words in (("witness@x.example", "Droit à l'image."), ("other@x.example", "Rien d'illicite.")):
            check(words in box.wait(address).text.replace("’", "'"), f"{address} is not told why")
        box.wait(dm_address(1), count=3)
        author = [letter.text.replace("’", "'") for letter in box.find(dm_address(1))]
        for words in ("Droit à l'image.", "Rien d'illicite."):
            check(any(words in text for text in author), f"the author is not told why: {author}")
        check(not desk.get("/v1/reports").expect(200).json["reports"], "an answered report still waits")


def moderator(server, box):
    """Accounts of this platform open themselves; the operator gives one a role."""
    registered(server, box, dm.person(90), dm_address(90))
    ident = visitor(server, dm_address(90)).id
    server.operator().put(f"/v1/accounts/{ident}/role", {"role": "moderation"}).expect(204)
    server.operator().post(f"/v1/accounts/{ident}/agreement", {"date": "2026-01-05", "reference": "safe, shelf 2"})
    one = visitor(server, dm_address(90))
    secret = one.post("/v1/me/factor", {}).expect(200).json["secret"]
    one.post("/v1/me/factor/confirm", {"code": totp(secret, server.now())}).expect(200)
    one.csrf = one.get("/v1/session").expect(200).json["csrf"]
    return one


def dm_address(number):
    return dm.person(number)["contact"]["email"]


@promise("DM-09")
def content_of_people(t):
    with Mailbox() as box:
        server = t.server(now=NOW, arguments=box.arguments())
        app, place = server.client("app"), Place(server, "content")
        registered(server, box, dm.person(1), dm_address(1))
        ident = visitor(server, dm_address(1)).id
        with part("it is published with consent alone, once approved"):
            content(server, ident, "photo.jpg").refused("consent-missing", status=403)
            check(place.shown() == [], "something is shown")
        ids = cleaned(server, place, ident)
        refused(server, ident)
        ranges(server, ids["film.mp4"])
        reports(server, box, place, ident, ids)
        with part("files are stored encrypted, each under its person's key"):
            check_absent([b"planted pixels", b"Planted photo.jpg", b"Planted film.mp4"], server.data)
        with part("it is sent in and taken down by its person, on their page"):
            own = visitor(server, dm_address(1))
            upload(own, "/me/publications", {"file": ("moi.jpg", "image/jpeg", FILES["photo.jpg"][1])}, csrf=own.csrf, category="content", agree="on",
                   **{"content.title": "Par la page", "content.kind": "photo"}).expect(303)
            mine, = app.get("/v1/waiting/content").expect(200).json["waiting"]
            file = app.get(f"/v1/subjects/{ident}/attachments/{mine['attachment']}?purpose=community").expect(200).body
            check(file.startswith(b"\xff\xd8"), "no file")
            decide(app, mine["id"]).expect(200)
            form(own, "/me/publications/end", csrf=own.csrf, publication=mine["id"]).expect(303)
            place.is_gone(mine["id"])
        with part("it is erased with them"):
            left = set(place.shown())
            check(left, "nothing is left to be erased")
            certificate = app.post(f"/v1/subjects/{ident}/erase", {"ground": "request"}).expect(200).json
            check(certificate["jws"], f"{certificate}")
            place.is_gone(*ids.values())
            check_absent([b"planted pixels"], server.data)
