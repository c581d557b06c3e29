"""The command line: help, complaints, exit statuses, and the same acts with and without a server."""
import json, os, shutil, subprocess, tempfile
import engine
from garant import TOP, Client, Server, check, garant

POLICY = "tests/front/actors.yaml"
PERSON = {"identity": {"first_name": "Zoé", "last_name": "Martin"}, "contact": {"email": "zoe.martin@example.org"}}


def with_input(text, *arguments):
    run = garant(*arguments, given=text, ok=None)
    return run.stdout + run.stderr


def complaint(status, *arguments):
    run = garant(*arguments, ok=None)
    check(run.returncode == status, f"garant {' '.join(arguments)}: status {run.returncode}, not {status}: {run.stderr}")
    return run.stderr


def register(tests):
    @tests.test("command: help in both languages")
    def help_texts():
        verbs = [line.split()[0] for line in garant("help", "--lang", "en").split("Verbs:\n")[1].split("\n\n")[0].splitlines()
            if line[2] != " "]
        check(len(verbs) >= 15 and "serve" in verbs, f"{verbs}")
        for verb in verbs:
            for language in ("en", "fr"):
                text = garant(verb, "--help", "--lang", language)
                check(text.startswith(f"garant {verb}") and ("--data DIR" if language == "en" else "--data DOSSIER") in text, f"{verb} in {language}: {text}")
                check(all(len(line) <= 102 for line in text.splitlines()), f"lines of {verb} are too long")
        check("Usage :" in garant("help", "--lang", "fr"), "French overview")
        check("start the server" in garant("--help", env={"LC_ALL": "C"}) and "démarrer le serveur" in garant("--help",
            env={"LC_ALL": "fr_FR.UTF-8"}), "language of the environment")

    @tests.test("command: the man page")
    def man():
        for language in ("en", "fr"):
            page = garant("help", "man", "--lang", language)
            check(page.startswith('.\\" ') and ".TH GARANT 1" in page and ".SH FILES" in page or ".SH FICHIERS" in page,
                "no man page")
            if shutil.which("groff"):
                run = subprocess.run(["groff", "-man", "-Tutf8", "-Kutf8", "-ww"], input=page, capture_output=True, text=True)
                check(run.returncode == 0 and not run.stderr, f"groff: {run.stderr[:500]}")

    @tests.test("command: complaints name what was meant")
    def complaints():
        check('did you mean "serve"?' in complaint(64, "serv"), "verb")
        check('did you mean "--policy"?' in complaint(64, "serve", "--polcy", "x"), "option")
        check("needs a value" in complaint(64, "serve", "--policy"), "value")
        check("given twice" in complaint(64, "check", "--policy", "a", "--policy", "b"), "twice")
        check("two dashes" in complaint(64, "serve", "-p"), "dash")
        check("takes no value" in complaint(64, "check", "--json=x"), "switch")
        check("takes a number" in complaint(64, "serve", "--threads", "many", "--data", "/nonexistent"), "number")
        check("--data DIR" in complaint(64, "verify"), "folder")
        said = json.loads(complaint(64, "verify", "--json"))
        check(said["code"] == "usage" and said["status"] == 64, f"{said}")
        french = complaint(64, "verify", "--lang", "fr")
        check("indiquez le dossier des données avec --data DIR" in french and "Mode d'emploi : garant help verify" in french, french)

    @tests.test("command: check")
    def checking():
        check("can be run" in garant("check", POLICY, "--lang", "en"), "a good policy")
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            with open(os.path.join(TOP, POLICY), encoding="utf-8") as good:
                lines = good.read().split("\n")
            at = next(n for n, line in enumerate(lines) if "service: {basis" in line)
            lines[at] = lines[at].replace("visits", "visit")
            file.write("\n".join(lines))
            file.flush()
            said = complaint(78, "check", file.name)
            check(f"{file.name}:{at + 1}:" in said and 'did you mean "visits"?' in said, said)
            run = garant("check", file.name, "--json", ok=None)
            found = json.loads(run.stdout)
            check(run.returncode == 78 and at + 1 in [f["line"] for f in found[0]["findings"]] and not found[0]["runs"],
                f"{found}")

    @tests.test("command: the same with a server and without")
    def both():
        with Server(POLICY) as server:
            made = server.client("app").create(PERSON)
            def acts():
                access = json.loads(garant("subject", "consents", made["id"], "--data", server.data, "--policy", POLICY,
                    "--json"))
                check(access["live"] == [], f"{access}")
                refused = garant("subject", "show", made["id"], "--purpose", "service", "--data", server.data, "--policy",
                    POLICY, "--lang", "en", ok=None)
                check(refused.returncode == 1 and POLICY in refused.stderr and "actor" in refused.stderr,
                    f"the operator reads: {refused.stdout} {refused.stderr}")
                found = with_input("zoe.martin@example.org\n", "subject", "find", "contact.email", "--purpose", "service",
                    "--data", server.data, "--policy", POLICY)
                check("actor" in found, f"{found}")
                verified = json.loads(garant("verify", "--data", server.data, "--policy", POLICY, "--json"))
                shown = json.loads(garant("policy", "--data", server.data, "--policy", POLICY, "--json"))
                check(shown["id"] == "actors" and verified["size"] > 2, f"{verified}")
                exams = json.loads(garant("doctor", "--data", server.data, "--policy", POLICY, "--json"))
                check(all(e["level"] != "bad" for e in exams), f"{exams}")
                return verified["size"]
            before = acts()
            server.stop()
            after = acts()
            check(after > before, "the journal did not grow")
            swept = json.loads(garant("sweep", "--data", server.data, "--json"))       # under the folder's last policy
            check(set(swept) >= {"erased", "archived"}, f"{swept}")

    @tests.test("command: doctor sees what is wrong")
    def doctor():
        with Server(POLICY) as server:
            server.stop()
            secret = "master.key" if engine.POSTGRESQL else "keys.db"
            os.chmod(os.path.join(server.data, secret), 0o644)
            run = garant("doctor", "--data", server.data, "--policy", POLICY, "--json", ok=None)
            bad = [e["check"] for e in json.loads(run.stdout) if e["level"] == "bad"]
            check(run.returncode == 78 and any(secret in b for b in bad), f"{run.returncode} {bad}")
        check(garant("doctor", "--data", "/nonexistent", "--policy", POLICY, ok=None).returncode == 78, "a missing folder")

    @tests.test("command: tokens")
    def tokens():
        with Server(POLICY) as server:
            said = json.loads(garant("token", "create", "--name", "one", "--actor", "app", "--expires", "2099-01-01T00:00:00Z",
                "--data", server.data, "--json"))
            client = Client(server.port, said["token"])
            client.get("/v1/policy").expect(200)
            check("conflict" in complaint(1, "token", "create", "--name", "one", "--actor", "app", "--data", server.data,
                "--json"), "twice the same name")
            garant("token", "revoke", "one", "--data", server.data)
            client.get("/v1/policy").refused("unauthorised", status=401)
            check(complaint(64, "token", "create", "--actor", "app", "--data", server.data), "without a name")
