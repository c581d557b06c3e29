#!/usr/bin/python3
"""Commands as somebody new meets them: options before the verb, confirmations on a terminal, tokens, certificates in a file, errors said once."""
import glob, json, os, pty, re, select, shutil, subprocess, tempfile, time
from common import SMALL, Server, ask, check, garant, says, tests
from garant import PROGRAM, TOP

PERSON = {"identity": {"first_name": "Zoé", "last_name": "Martin"}, "contact": {"email": "zoe.martin@example.org"}}


def on_terminal(answer, *arguments, awaited="?"):
    """(status, what was shown) of a command on a terminal of its own, answered once when `awaited` stands there."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(TOP)
        os.execv(PROGRAM, [PROGRAM, *arguments])
    shown, given, end = b"", False, time.monotonic() + 60
    while time.monotonic() < end:
        if not select.select([fd], [], [], 1)[0]:
            continue
        try:
            more = os.read(fd, 65536)
        except OSError:                                     # Linux tells of a closed terminal so
            break
        if not more:
            break
        shown += more
        if not given and answer is not None and awaited.encode() in shown:
            os.write(fd, answer.encode())
            given = True
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode(errors="replace")


@tests.test("options that go with every verb may stand before it; what is unknown there is named")
def before_the_verb():
    check(garant("--lang", "fr", "help") == garant("help", "--lang", "fr"), "--lang before help")
    check(garant("--lang=fr") == garant("help", "--lang", "fr"), "--lang alone")
    check(garant("--lang", "fr", "check", "--help") == garant("check", "--help", "--lang", "fr"), "--lang before check")
    check(json.loads(garant("--json", "version"))["name"] == "garant", "--json before version")
    says(64, "--lang", "fr", "chek", words=["« check »"])
    says(64, "--lang", "de", "check", words=["--lang"])
    says(64, "--smtp", "x", "serve", words=["--smtp"])
    says(64, "--lang", words=["--lang", "fr|en"])
    says(64, "--lang", "fr", "check", "--lang", "en", words=["--lang"])


@tests.test("what erases or replaces asks on a terminal: no answer but yes does it, --yes asks nothing, and no script is stopped")
def confirmations():
    with Server(SMALL, arguments=["--country", "FR"]) as server:
        app = server.client("app")
        ids = [app.create({**PERSON, "contact": {"email": f"zoe{n}@example.org"}})["id"] for n in range(4)]
        here = ("--data", server.data, "--lang", "en")
        status, shown = on_terminal("no\n", "erase", ids[0], *here)
        check(status == 1 and ids[0] in shown and "cannot be undone" in shown and "Nothing was done" in shown, shown)
        status, shown = on_terminal("\n", "erase", ids[0], *here)
        check(status == 1, f"an empty answer is taken for yes: {shown}")
        app.read(ids[0], "service").expect(200)
        status, shown = on_terminal("oui\n", "erase", ids[0], "--data", server.data, "--lang", "fr")
        check(status == 0 and "définitivement" in shown, shown)
        status, shown = on_terminal(None, "erase", ids[1], "--yes", *here)
        check(status == 0 and "?" not in shown, shown)
        status, shown = on_terminal(None, "erase", ids[2], "-y", *here)
        check(status == 0, shown)
        garant("erase", ids[3], *here)                       # no terminal: nobody to ask
        server.run("token", "create", "one", "--actor", "app")
        status, shown = on_terminal("n\n", "token", "revoke", "one", *here)
        check(status == 1 and "one" in shown, shown)
        check({t["name"]: t["state"] for t in ask("token", "list", "--data", server.data)["tokens"]}["one"] == "valid", "revoked all the same")
        for words in (("sweep",), ("account", "close", ids[0]), ("restore", "/nonexistent")):
            status, shown = on_terminal("n\n", *words, *here)
            check(status == 1 and "Nothing was done" in shown, f"{words}: {shown}")


@tests.test("erase --to FILE keeps the certificate, which verify reads; a file that exists is seen before anything is erased")
def certificate():
    with Server(SMALL, arguments=["--country", "FR"]) as server:
        one = server.client("app").create(PERSON)["id"]
        path, key = os.path.join(server.folder, "one.jws"), os.path.join(server.folder, "journal.key")
        with open(path, "w", encoding="utf-8") as file:
            file.write("mine")
        says(1, "erase", one, "--to", path, "--data", server.data, words=[path])
        says(74, "erase", one, "--to", os.path.join(server.folder, "none", "one.jws"), "--data", server.data, words=["none/one.jws"])
        server.client("app").read(one, "service").expect(200)
        os.remove(path)
        says(1, "erase", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "--to", path, "--data", server.data)
        check(not os.path.exists(path), "an erasure that failed left an empty file")
        answer = ask("erase", one, "--to", path, "--data", server.data)
        check(answer["file"] == path and "jws" not in answer, f"{answer}")
        with open(path, encoding="utf-8") as file:
            jws = file.read()
        check(re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", jws), jws[:200])
        with open(key, "w", encoding="utf-8") as file:
            file.write(garant("journal", "key", "--data", server.data))
        says(0, "verify", "--certificate", path, "--key", key)


@tests.test("token list names each token, whose it is and until when, never its secret; -q prints a new token or id alone")
def tokens():
    with Server(SMALL, arguments=["--country", "FR"]) as server:
        here = ("--data", server.data)
        token = garant("token", "create", "till", "--actor", "app", "--expires", "2099-01-01T00:00:00Z", "-q", *here)
        check(re.fullmatch(r"garant_[\w-]{20,}\n", token), token)
        check(server.client("app").get("/v1/policy").status == 200, "a token of the API")
        garant("token", "create", "old", "--actor", "app", *here)
        garant("token", "revoke", "old", *here)
        listed = {one["name"]: one for one in ask("token", "list", *here)["tokens"]}
        check(listed["till"]["actor"] == "app" and listed["till"]["expires"].startswith("2099-01-01") and listed["till"]["state"] == "valid", f"{listed}")
        check(listed["old"]["state"] == "revoked" and listed["old"]["revoked"], f"{listed}")
        check(token.strip() not in garant("token", "list", *here) and "garant_" not in json.dumps(listed), "a secret in the list")
        first = ask("token", "list", "--limit", "1", *here)
        rest = ask("token", "list", "--after", first["next"], *here)
        check([t["name"] for t in first["tokens"] + rest["tokens"]] == list(listed), f"{first} {rest}")
        check(garant("sweep", "--quiet", *here) == "", "-q where nothing is made")
        garant("policy", "reload", *here)
        says(64, "token", "frob", "x", *here, words=["frob", "list"])


@tests.test("check explains name: and about, lists the keys of a map, and takes no longer name for one of the server's own records")
def explained():
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write("garant: 1\nname: x\ncontroller: {name: Foo}\nretention:\n  requests_log: {from: event, active: 1y}\n"
                   "categories:\n  contact: {about: x, colour: red, fields: {email: {type: email}}}\n")
        file.flush()
        said = says(78, "check", file.name, words=['unknown key "name" in controller, write "legal_name"',
                                                   'unknown key "about" in categories.contact, write "title"',
                                                   'unknown key "colour" in categories.contact: its keys are title, ',
                                                   'unknown category "requests_log": declare it under categories'])
        check('did you mean "requests"' not in said, said)


@tests.test("complaints are French for who asked for French, and none repeats its title")
def in_french():
    for words, status, said in ((("check", "/nonexistent.yaml"), 78, "/nonexistent.yaml ne peut pas être lu : fichier ou dossier introuvable"),
                                (("serve", "--bogus"), 64, "option inconnue « --bogus »"), (("erase",), 64, "« erase » demande l'identifiant d'une personne"),
                                (("account", "frob"), 64, "action inconnue « frob »"), (("doctor", "x"), 64, "doctor ne prend pas d'argument"),
                                (("doctor",), 64, "indiquez le dossier des données"), (("deadline",), 64, "demande --from et --term")):
        says(status, *words, "--lang", "fr", words=[said])
    shown = garant("token", "--help", "--lang", "fr")
    check("NOM" in shown and "NAME" not in shown and "DOSSIER" in shown, shown)
    with open(os.path.join(TOP, "src/base/errors.def"), encoding="utf-8") as file:
        titles = dict(re.findall(r'ERROR\((\w+), "[^"]*", \d+, \d+, "([^"]*)"', file.read()))
    check(len(titles) > 30, f"{titles}")
    repeated = []
    for path in glob.glob(os.path.join(TOP, "src/cli/*.c")):
        with open(path, encoding="utf-8") as file:
            for code, detail in re.findall(r'\b(?:say|cli_fault)\([\w\->]+, ERR_(\w+),\s*"((?:\\.|[^"\\])*)"', file.read()):
                title, words = (set(re.findall(r"[a-z]{4,}", text.lower())) for text in (titles[code], detail))
                if len(words) > 1 and len(title & words) * 2 > len(words):
                    repeated.append((titles[code], detail))
    check(not repeated, f"{repeated}")


@tests.test("an action that does not exist is named, with what was meant or all there are, by every verb that has some")
def no_action():
    rows = dict(re.findall(r'^VERB\((\w+), "([^"]*)"', open(os.path.join(TOP, "src/cli/verbs.def"), encoding="utf-8").read(), re.M))
    tried = 0
    for verb, arguments in rows.items():
        actions = [re.match(r"[a-z]*", one.lstrip("["))[0] for one in arguments.split("|")]
        if not actions[0]:
            continue
        for lang, mark in (("en", '"'), ("fr", "« ")):
            told = [f"{mark}qqqqqqqqqq", f"garant help {verb}", *filter(None, actions)]
            said = says(64, verb, "qqqqqqqqqq", "--data", "/nonexistent", "--lang", lang, words=told)
            check(said.count("\n") == 2 and "malformed" not in said and "mal formée" not in said, said)
        near = max(actions, key=len)
        says(64, verb, near[:-1] + "q", "--data", "/nonexistent", "--lang", "en", words=["did you mean", near])
        tried += 1
    check(tried > 12, f"{tried} verbs with actions")


@tests.test("bash and zsh complete verbs, their options and actions, from the rows of the verbs")
def completions():
    script = garant("help", "bash")
    def completed(*words):
        line = " ".join(f"'{word}'" for word in words)
        asked = f"{script}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _garant; echo \"${{COMPREPLY[@]}}\""
        return subprocess.run(["bash", "-c", asked], capture_output=True, text=True, check=True).stdout.split()
    verbs = re.findall(r"^VERB\((\w+),", open(os.path.join(TOP, "src/cli/verbs.def"), encoding="utf-8").read(), re.M)
    check(set(verbs) <= set(completed("garant", "")), f"verbs that are not offered: {set(verbs) - set(completed('garant', ''))}")
    for words, offered in ((("garant", "tok"), ["token"]), (("garant", "erase", "--t"), ["--tenant", "--to"]), (("garant", "policy", "re"), ["reload"]),
                           (("garant", "--lang", ""), ["fr", "en"]), (("garant", "--lang", "fr", "doc"), ["doctor"])):
        check(completed(*words) == offered, f"{words}: {completed(*words)}")
    zsh = garant("help", "zsh")
    check(zsh.startswith("#compdef garant") and all(f"'{verb}:" in zsh and f"\n    {verb})" in zsh for verb in verbs), "zsh misses a verb")
    if shutil.which("zsh"):
        subprocess.run(["zsh", "-n"], input=zsh, text=True, check=True)


tests.main()
