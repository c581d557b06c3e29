"""Folders of files as stores: a person's files found by name, counted, copied, erased or kept; nothing beyond the folder is reached, whatever a name holds."""
import base64, contextlib, json, os, random, threading, time
from garant import Server, check
from mailbox import Mailbox
from requests import Desk, quiet
from stores import START, Platform, answered, asked, certificate, email_of, person, until

MAP = """  archive:
    kind: folder
    path: {path}
    key: {key}
    backup_days: 5
    files:
      photos: {{name: "photos/{{}}.jpg", category: identity, erase: delete}}
      letters: {{name: "letters/{{}}/", category: contact, erase: delete}}
      contracts: {{name: "contracts/{{}}.pdf", category: contact, erase: keep, ground: "Code de commerce, L123-22", until: "10 years"}}
"""
CUTS, MANY = 4, 1500


def register(tests):
    tests.test("files: a person's files are counted, copied, erased or kept, and the certificate names how many and how large")(whole)
    tests.test("files: links, '..' in a value, names in Unicode, a folder that is not there: nothing else is touched, and the request waits")(hostile)
    tests.test("files: an erasure cut off by kill -9 at any moment is done once, and the certificate's counts are those of before")(cut_off)


@contextlib.contextmanager
def started(key="contact.email"):
    with contextlib.ExitStack() as stack:
        box = stack.enter_context(Mailbox())
        platform = Platform(stack, ())
        root = f"{platform.folder}/files"
        platform.more = MAP.format(path=root, key=key)
        platform.write()
        server = stack.enter_context(Server(platform.policy, arguments=box.arguments(), now=START))
        yield platform, server, Desk(server, box), root


def put(path, content=b"planted"):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(content)


def filled(root, name):
    put(f"{root}/photos/{name}.jpg", b"a picture")
    put(f"{root}/letters/{name}/1.txt", b"one")
    put(f"{root}/letters/{name}/older/2.txt", b"two of 1999")
    put(f"{root}/contracts/{name}.pdf", b"%PDF")


def rows_of(paper):
    return {one["table"]: (one["found"], one["erased"], one["kept"], one["bytes"]) for one in paper["stores"][0]["tables"]}


def names_in(root):
    return sorted(os.path.relpath(os.path.join(folder, name), root) for folder, folders, names in os.walk(root) for name in (*folders, *names))


def why(desk, text):
    return until(text, lambda: [one for one in desk.client.get("/v1/connectors").json["jobs"] if text in (one["stores"][0]["why"] or "")])[0]


def whole():
    with started() as (platform, server, desk, root):
        filled(root, email_of(1))
        filled(root, "other@exemple.example")
        subject = desk.client.create(person(1))["id"]
        check(desk.client.post("/v1/connectors/check", None).expect(200).json["whole"], "the map is not whole")
        dry = desk.client.get(f"/v1/subjects/{subject}/stores").expect(200).json["stores"][0]
        check([(one["table"], one["found"], one["bytes"]) for one in dry["tables"]] == [("photos", 1, 9), ("letters", 2, 14), ("contracts", 1, 4)], f"{dry}")
        held = desk.client.get(f"/v1/subjects/{subject}/access").expect(200).json["stores"][0]
        files = {row["name"].split("/", 1)[-1]: base64.b64decode(row["content"]) for table in held["tables"] for row in table["rows"]}
        check(files == {f"{email_of(1)}.jpg": b"a picture", "1.txt": b"one", "older/2.txt": b"two of 1999", f"{email_of(1)}.pdf": b"%PDF"}, f"{files}")
        os.link(f"{root}/photos/{email_of(1)}.jpg", f"{root}/photos/cover.jpg")
        ident = asked(desk, 1)
        answered(desk, ident)
        paper = certificate(desk, desk.get(ident)["certificate"])
        check(rows_of(paper) == {"photos": (1, 1, 0, 9), "letters": (2, 2, 0, 14), "contracts": (1, 0, 1, 4)}, f"{paper}")
        left = [(one["what"], bool(one["until"])) for one in paper["stores"][0]["remains"]]
        check(left == [("disk-blocks", False), ("hard-links", False), ("backups", True)] and paper["interim"] is False, f"{left}")
        mine = [name for name in names_in(root) if email_of(1) in name]
        check(mine == [f"contracts/{email_of(1)}.pdf"], f"left: {mine}")
        check(len([name for name in names_in(root) if "other@" in name]) == 6, "somebody else's files went")
        put(f"{root}/photos/{email_of(2)}.jpg", bytes(5 << 20))
        subject = desk.client.create(person(2))["id"]
        held = desk.client.get(f"/v1/subjects/{subject}/access").expect(200).json["stores"][0]
        check(held["state"] == "failed" and "4 MiB" in held["why"], f"{held}")
        ident = asked(desk, 2, "access")
        check("4 MiB" in json.dumps(desk.move(ident, "answer").refused("conflict", status=409)), "answered without the files")
        server.run("verify")
        return "5 files, one kept"


def files_in(folder):
    try:
        return len(os.listdir(folder))
    except FileNotFoundError:
        return 0


def cut_off():
    """Killed while files go: what is left is found again, and what was counted before the first went is what the certificate says."""
    with started() as (platform, server, desk, root):
        halves = 0
        filled(root, "other@exemple.example")
        chance = random.Random(9)
        for number in range(10, 10 + CUTS):
            name = email_of(number)
            filled(root, name)
            for extra in range(MANY):
                put(f"{root}/letters/{name}/more/{extra}.txt", b"more")
            desk.client.create(person(number))
            ident = asked(desk, number)
            sending = threading.Thread(target=lambda: quiet(lambda: desk.move(ident, "answer")))
            sending.start()
            at = chance.randrange(MANY)
            folder, end = f"{root}/letters/{name}/more", time.monotonic() + 20
            while files_in(folder) > at and time.monotonic() < end:
                pass
            server.kill()
            sending.join()
            left = until("the process to end with its server", lambda: (before := files_in(folder), time.sleep(0.05))[0] == files_in(folder) and (before,))[0]
            halves += 0 < left < MANY
            server.start()

            def tried_again():
                server.advance(minutes=1)
                return desk.move(ident, "answer").status == 200 or desk.get(ident)["state"] == "answered"
            until("the answer", tried_again)
            check([one for one in names_in(root) if name in one] == [f"contracts/{name}.pdf"], f"left: {[one for one in names_in(root) if name in one]}")
            paper = certificate(desk, desk.get(ident)["certificate"])
            found = {one["table"]: (one["found"], one["kept"]) for one in paper["stores"][0]["tables"]}
            check(paper["interim"] is False and found == {"photos": (1, 0), "letters": (2 + MANY, 0), "contracts": (1, 1)}, f"{paper}")
        check(len([one for one in names_in(root) if "other@" in one]) == 6, "somebody else's files went")
        check(halves, "no erasure was cut off in its middle: this shows nothing")
        check(not desk.client.get("/v1/connectors").json["jobs"], "a job is left")
        server.run("verify")
        return f"{CUTS} times, {halves} in the middle"


def hostile():
    with started("identity.last_name") as (platform, server, desk, root):
        def made(number, name):
            return desk.client.create({"identity": {"first_name": "Zoé", "last_name": name}, "contact": {"email": email_of(number)}})["id"]

        made(3, "Carrel")
        ident = asked(desk, 3)
        desk.move(ident, "answer").refused("conflict", status=409)
        job = why(desk, "cannot be opened")
        filled(root, "Carrel")
        outside = f"{platform.folder}/outside"
        put(f"{outside}/Carrel.jpg", b"another's")
        put(f"{outside}/Carrel/1.txt", b"another's")
        os.rename(f"{root}/photos", f"{root}/photos.own")
        os.symlink(outside, f"{root}/photos")                    # a folder of the map that leads out

        def again():
            desk.client.post(f"/v1/connectors/{job['job']}/retry", None).expect(200)

        again()
        why(desk, "a link stands")
        os.unlink(f"{root}/photos")
        os.rename(f"{root}/photos.own", f"{root}/photos")
        os.rename(f"{root}/letters/Carrel", f"{root}/letters/Carrel.own")
        os.symlink(f"{outside}/Carrel", f"{root}/letters/Carrel")  # the person's own folder is a link
        again()
        why(desk, "where a person's folder is expected")
        os.unlink(f"{root}/letters/Carrel")
        os.rename(f"{root}/letters/Carrel.own", f"{root}/letters/Carrel")
        os.symlink(f"{outside}/Carrel", f"{root}/letters/Carrel/more")   # links among the files go, what they lead to stays
        os.symlink(f"{outside}/Carrel.jpg", f"{root}/letters/Carrel/older/face")
        os.unlink(f"{root}/photos/Carrel.jpg")
        os.symlink(f"{outside}/Carrel.jpg", f"{root}/photos/Carrel.jpg")
        os.symlink(f"/proc/self/root{outside}", f"{root}/letters/Carrel/magic")
        again()
        answered(desk, ident)
        paper = certificate(desk, desk.get(ident)["certificate"])
        check("link-targets" in json.dumps(paper), f"{paper}")
        check([name for name in names_in(root) if "Carrel" in name] == ["contracts/Carrel.pdf"], f"{names_in(root)}")
        check(names_in(outside) == ["Carrel", "Carrel.jpg", "Carrel/1.txt"], f"what links lead to was touched: {names_in(outside)}")
        put(f"{platform.folder}/secret.jpg", b"not theirs")
        put(f"{root}/secret.jpg", b"not theirs")
        names = {"../secret": "%2E.%2Fsecret", "..": "%2E.", "../../secret": "%2E.%2F..%2Fsecret", "50%2Fsecret": "50%252Fsecret",
                 "O'Neil {} Zoé-東京 ☃": "O'Neil {} Zoé-東京 ☃", ".hidden": "%2Ehidden"}
        for number, (value, name) in enumerate(names.items(), 20):
            filled(root, name)
            made(number, value)
            ident = asked(desk, number)
            answered(desk, ident)
            paper = certificate(desk, desk.get(ident)["certificate"])
            check(rows_of(paper)["letters"][:2] == (2, 2) and rows_of(paper)["photos"][:2] == (1, 1), f"{value}: {paper}")
            check([one for one in names_in(root) if name in one] == [f"contracts/{name}.pdf"], f"{value}: {names_in(root)}")
            os.unlink(f"{root}/contracts/{name}.pdf")
        check(names_in(root) == ["contracts", "contracts/Carrel.pdf", "letters", "photos", "secret.jpg"], f"{names_in(root)}")
        check(os.path.exists(f"{platform.folder}/secret.jpg"), "a file beyond the folder went")
        platform.write(lambda text: text.replace("photos/{}.jpg", "../{}.jpg"))
        found = desk.client.post("/v1/connectors/check", None).expect(200).json["stores"][0]
        check(found["state"] == "unmapped" and found["faults"][0]["table"] == "photos", f"{found}")
        platform.write(lambda text: text.replace("category: identity", "category: nothing").replace("letters/{}/", "letters/"))
        faults = json.dumps(desk.client.get("/v1/connectors").json["faults"])
        check("photos are of the category" in faults and "with {} for" in faults, faults)
        server.run("verify")
        return f"{len(names)} names, 5 links"
