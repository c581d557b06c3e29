"""R8: a backup under load restores to everything acknowledged before it, and never brings back an erased person."""
import hashlib, json, os, re, shutil, sqlite3, subprocess, time
from common import person, server, tests
from garant import TOP, check, check_absent, garant
from load import Load, journal_holds


@tests.test("R8 backup under load, restored")
def under_load():
    with server() as subject:
        load = Load(subject)
        load.start()
        time.sleep(1)
        before = [p for p in load.everyone() if p.erased is None]
        copy = os.path.join(subject.folder, "backup")
        subject.operator(timeout=120).post("/v1/backup", {"to": copy}).expect(200)
        time.sleep(0.3)
        load.stop()
        load.settle()
        alive = [p.id for p in before if p.erased is None]
        erased = [p for p in load.everyone() if p.erased is not None]
        subject.stop()
        garant("restore", copy, "--data", subject.data)
        subject.start()
        client = load.new_client()
        for ident in alive:
            client.read(ident, "service").expect(200)
        for person_ in erased:
            client.read(person_.id, "service").expect(404, 410)
        check(len(alive) > 50 and erased, f"too little load: {len(alive)} alive, {len(erased)} erased")
        size = journal_holds(subject)
        return f"{len(alive)} people acknowledged before it all there, {len(erased)} erased since all silent, journal of {size}"


@tests.test("R8 a quiet backup restores to the last acknowledged write")
def to_the_last():
    with server() as subject:
        load = Load(subject, writers=4)
        load.start()
        time.sleep(1)
        load.stop()
        load.settle()
        copy = os.path.join(subject.folder, "backup")
        subject.operator(timeout=120).post("/v1/backup", {"to": copy}).expect(200)
        client = load.new_client()
        later = client.create(person(1))["id"]
        subject.stop()
        garant("restore", copy, "--data", subject.data)
        subject.start()
        client.read(later, "service").expect(404, 410)
        return f"{load.verify()} people as they were acknowledged"


@tests.test("R8 no planted value of an erased person stands in a backup or its restoration")
def silent_copy():
    with server() as subject:
        client = subject.client("app")
        data = person(7)
        planted = [value for fields in data.values() for value in fields.values()]
        ident = client.create(data)["id"]
        copy = os.path.join(subject.folder, "backup")
        subject.operator().post("/v1/backup", {"to": copy}).expect(200)
        check_absent(planted, copy)
        client.erase(ident)
        subject.stop()
        garant("restore", copy, "--data", subject.data)
        subject.start()
        client.read(ident, "service").expect(404, 410)
        client.lookup({"contact.email": data["contact"]["email"]}, "service").expect(404)
        client.get(f"/v1/subjects/{ident}/access").expect(404, 410)
        check_absent(planted, subject.folder)


# ---- S10: altered without a key. New machine. ----

def tampered(change):
    """A data folder and its backup, with the keyring's beside it, changed by somebody who has no key: what restore, verify and doctor say."""
    with server() as subject:
        client = subject.client("app")
        ident = client.create(person(1), consents=[{"purpose": "news", "decision": "refused"}])["id"]
        copy = os.path.join(subject.folder, "backup")
        subject.operator().post("/v1/backup", {"to": copy, "keys": True}).expect(200)
        key = subject.operator().get("/v1/journal/key").expect(200).body.decode().strip()
        subject.stop()
        garant("verify", "--backup", copy, "--data", subject.data)
        garant("verify", "--backup", copy, "--key", key)
        place = change(copy)
        said = []
        for arguments in (("verify", "--backup", copy, "--data", subject.data), ("verify", "--backup", copy, "--key", key),
                          ("doctor", "--backup", copy, "--data", subject.data, "--policy", subject.policy),
                          ("restore", copy, "--data", subject.data),
                          ("restore", copy, "--data", os.path.join(subject.folder, "elsewhere"), "--keys", copy,
                           "--master", os.path.join(subject.data, "master.key"))):
            if place.startswith("keys") and arguments[0] == "restore" and "--keys" not in arguments:
                continue                                         # the keyring's copy is not looked at there
            run = garant(*arguments, ok=None)
            check(run.returncode not in (0, 70) and place in run.stdout + run.stderr,
                  f"{arguments[:2]}: status {run.returncode}, \"{place}\" is not named: {run.stdout[-600:]} {run.stderr}")
            said.append(run.stderr.strip().splitlines()[-1][:150])
        check(not os.path.exists(os.path.join(subject.folder, "elsewhere")), "a restore that was refused left a folder")
        subject.start()
        client.read(ident, "service").expect(200)
        check(client.get(f"/v1/subjects/{ident}/consents").expect(200).json["live"] == [], "the refused restore changed something")
        return said[-2]


def manifest_of(copy, name="manifest.json"):
    with open(os.path.join(copy, name), encoding="utf-8") as file:
        return json.load(file)


def write_manifest(copy, content, name="manifest.json"):
    with open(os.path.join(copy, name), "w", encoding="utf-8") as file:
        json.dump(content, file, ensure_ascii=False, separators=(",", ":"))


def sums_made_anew(copy, file="data.db", name="manifest.json", **more):
    with open(os.path.join(copy, file), "rb") as opened:
        body = opened.read()
    write_manifest(copy, {**manifest_of(copy, name), "bytes": len(body), "sha256": hashlib.sha256(body).hexdigest(), **more}, name)


def alter_rows(copy):
    base = sqlite3.connect(os.path.join(copy, "data.db"))
    check(base.execute("UPDATE consent SET decision = 'given'").rowcount == 1, "no consent to alter")
    base.commit()
    base.close()


@tests.test("S10 a backup's rows are altered, and its sums made anew")
def rows_and_sums():
    def change(copy):
        alter_rows(copy)
        sums_made_anew(copy)
        return "manifest.json"
    return tampered(change)


@tests.test("S10 a backup's rows are altered, its manifest is not")
def rows_alone():
    def change(copy):
        alter_rows(copy)
        return "data.db"
    return tampered(change)


@tests.test("S10 a backup's signature is stripped, and the form of before is claimed")
def stripped():
    def change(copy):
        alter_rows(copy)
        sums_made_anew(copy)
        write_manifest(copy, {**{k: v for k, v in manifest_of(copy).items() if k != "signature"}, "garant_backup": 1})
        return "manifest.json"
    return tampered(change)


@tests.test("S10 a backup's signature is stripped, its form is not changed")
def stripped_alone():
    def change(copy):
        write_manifest(copy, {k: v for k, v in manifest_of(copy).items() if k != "signature"})
        return "manifest.json"
    return tampered(change)


@tests.test("S10 something is added to a manifest behind and before its signature, or one byte of it is another")
def added():
    def behind(copy):
        write_manifest(copy, {**manifest_of(copy), "more": True})
        return "manifest.json"

    def before(copy):
        write_manifest(copy, {"more": True, **manifest_of(copy)})
        return "manifest.json"

    def date(copy):
        sums_made_anew(copy, at="2031-01-01T00:00:00.000Z")
        return "manifest.json"
    return "; ".join([tampered(behind), tampered(before), tampered(date)])


@tests.test("S10 a manifest is missing, empty, or of another backup")
def missing():
    def gone(copy):
        os.unlink(os.path.join(copy, "manifest.json"))
        return "manifest.json"

    def empty(copy):
        open(os.path.join(copy, "manifest.json"), "w").close()
        return "manifest.json"
    return "; ".join([tampered(gone), tampered(empty)])


@tests.test("S10 the keyring's copy is altered, and its sums made anew; another's keyring")
def keyring_altered():
    def change(copy):
        base = sqlite3.connect(os.path.join(copy, "keys.db"))
        base.execute("DELETE FROM key")
        base.commit()
        base.close()
        sums_made_anew(copy, "keys.db", "keys.json")
        return "keys.json"
    return tampered(change)


@tests.test("S10 a backup of another instance is refused")
def another():
    with server() as subject, server() as other:
        other.client("app").create(person(5))
        copy = os.path.join(other.folder, "backup")
        other.operator().post("/v1/backup", {"to": copy, "keys": True}).expect(200)
        subject.stop()
        run = garant("restore", copy, "--data", subject.data, ok=None)
        check(run.returncode != 0 and "manifest.json" in run.stderr and "another instance" in run.stderr, run.stderr)
        run = garant("restore", copy, "--data", os.path.join(subject.folder, "new"), "--keys", copy,
                     "--master", os.path.join(subject.data, "master.key"), ok=None)
        check(run.returncode != 0 and "master" in run.stderr, run.stderr)
        check(not os.path.exists(os.path.join(subject.folder, "new")), "a restore that was refused left a folder")
        return run.stderr.strip()[:200]


@tests.test("R8 a new machine: data, keyring and master key are all that is needed; docs/operations.md walks it")
def new_machine():
    with server() as subject:
        client = subject.client("app")
        data = person(1)
        alive, gone = client.create(data)["id"], client.create(person(2))["id"]
        copy, keys = os.path.join(subject.folder, "backup"), os.path.join(subject.folder, "keyring")
        subject.operator().post("/v1/backup", {"to": copy, "keys": True}).expect(200)
        client.erase(gone)
        os.mkdir(keys)
        for name in ("keys.db", "keys.json"):                    # kept in a place of its own, as the page says
            os.rename(os.path.join(copy, name), os.path.join(keys, name))
        master = os.path.join(subject.folder, "safe")
        os.rename(os.path.join(subject.data, "master.key"), master)
        subject.stop()
        shutil.rmtree(subject.data)
        refusals = []
        for missing_ in ((), ("--keys", keys), ("--master", master)):
            run = garant("restore", copy, "--data", subject.data, *missing_, ok=None)
            check(run.returncode == 78, f"{missing_}: {run.returncode} {run.stderr}")
            check(("--keys" if "--keys" not in missing_ else "--master") in run.stderr or "no data folder" in run.stderr, run.stderr)
            check(not os.path.exists(subject.data), f"{missing_}: a folder was left")
            refusals.append(run.stderr.strip()[:160])
        garant("restore", copy, "--data", subject.data, "--keys", keys, "--master", master)
        again = garant("restore", copy, "--data", subject.data, "--keys", keys, "--master", master, ok=None)
        check(again.returncode != 0 and "without --keys" in again.stderr, again.stderr)
        subject.arguments = ["--master", master]
        subject.start()
        held = client.read(alive, "service").expect(200).json["data"]
        check({name: held[name] for name in data} == data, f"{held}")
        client.create(person(3))
        journal_holds(subject)
        return "; ".join(refusals)


@tests.test("docs/operations.md: every command of the page is walked, in its order")
def page():
    with open(os.path.join(TOP, "docs/operations.md"), encoding="utf-8") as file:
        commands = [line.split("#")[0].strip() for block in re.findall(r"```sh\n(.*?)```", file.read(), re.S) for line in block.splitlines()]
    with server(start=False) as subject:
        root = subject.folder
        subject.data = os.path.join(root, "var/lib/garant")
        for folder in ("backups", "elsewhere/keyring", "safe", "etc", "var/lib"):
            os.makedirs(os.path.join(root, folder), exist_ok=True)
        subject.start()
        client = subject.client("app")
        ident = client.create(person(4))["id"]
        walked, fresh = 0, True
        for command in commands:
            words = [os.path.join(root, word[1:]) if word.startswith("/") else word for word in command.split()]
            words = [subject.policy if word == "policy.yaml" else os.path.join(root, word) if word == "journal.key" else word for word in words]
            if words[1] == "restore" and subject.process:
                subject.stop()
            if words[0] == "install":                             # the new machine: nothing of the old one but what the page says
                os.rename(os.path.join(subject.data, "master.key"), os.path.join(root, "safe/master.key"))
                shutil.rmtree(subject.data)
            if words[:2] == ["garant", "serve"]:
                subject.arguments = ["--master", words[words.index("--master") + 1]]
                subject.start()
                client.read(ident, "service").expect(200)
            elif words[0] == "garant" and ">" in words:
                with open(words[-1], "w", encoding="utf-8") as to:
                    to.write(garant(*words[1:words.index(">")]))
            elif words[0] == "garant":
                garant(*words[1:])
            else:
                subprocess.run(" ".join(words), shell=True, check=True)
            walked += 1
        client.read(ident, "service").expect(200)
        subject.restart()
        client.read(ident, "service").expect(200)
        return f"{walked} commands"
