#!/usr/bin/python3
"""The commands of README.md and README.fr.md: each block and each command of their tables is run in a fresh folder, in its order.

A block that is there to be looked at says so on the line before it: <!-- illustrative: why -->. Nothing else is passed over: a block
that is neither run here nor marked fails. docs/operations.md is walked by tests/fault/backup.py."""
import contextlib, json, os, re, shutil, signal, subprocess, tempfile, time
from common import SMALL, TOP, Server, check, garant, tests
from garant import PROGRAM, Fault, free_port

PAGES = ("README.md", "README.fr.md")
ELSEWHERE = {"./check": "this test is one of its own", "./demo --tour": "tests/fresh/run"}      # commands that are walked elsewhere, and where


def text_of(name):
    with open(os.path.join(TOP, name), encoding="utf-8") as file:
        return file.read()


def blocks(page):
    """(language, text, the reason why it is only looked at or None) of each fenced block."""
    found = re.findall(r"(?:<!-- illustrative: (.+?) -->\n)?```(\w*)\n(.*?)^```$", text_of(page), re.S | re.M)
    return [(language, body, why or None) for why, language, body in found]


def commands_of(page):
    """The rows of the table of tasks that name commands: lists of what stands between back quotes."""
    table = re.search(r"^\|---\|---\|\n((?:\|.*\n)+)", text_of(page), re.M)[1]             # the page's first one
    rows = re.findall(r"^\| ([^|]+) \| (.+) \|$", table, re.M)
    return [re.findall(r"`([^`]+)`", row) for _, row in rows if re.search(r"`(build/garant|\./|--)", row)]


def verbs():
    return re.findall(r"^VERB\((\w+),", text_of("src/cli/verbs.def"), re.M)


def options_of(verb):
    return re.findall(rf'^OPTION\((?:{verb}|all), "([\w-]+)"', text_of("src/cli/verbs.def"), re.M)


def spelled(row):
    """The commands of a row written out: after `build/garant account open`, `list` is `build/garant account list`, and `erase ID` a verb."""
    out, verb = [], None
    for code in row:
        words = code.split()
        if words[0] == "build/garant" and len(words) > 1:
            verb = words[1]
            out.append(words)
        elif verb and words[0] in verbs() and (len(words) > 1 or verb != "account"):
            out.append(["build/garant", *words])
        elif verb == "account" and words[0] in ("list", "import", "close"):
            out.append(["build/garant", "account", *words])
        elif words[0].startswith("--"):
            out.append(["build/garant", "serve", *words])
    return out


@tests.test("both pages have the same blocks and commands, whatever the names in them")
def same():
    shape = {page: [(language, len(body.splitlines()), bool(why)) for language, body, why in blocks(page)] for page in PAGES}
    check(shape[PAGES[0]] == shape[PAGES[1]], f"{shape}")
    said = {page: [[word for word in words if word.startswith(("build/", "--")) or word in verbs()] for row in commands_of(page) for words in spelled(row)]
            for page in PAGES}
    check(said[PAGES[0]] == said[PAGES[1]], "\n".join(f"{a} {b}" for a, b in zip(*said.values()) if a != b))
    return f"{len(shape[PAGES[0]])} blocks, {len(said[PAGES[0]])} commands"


@tests.test("every block is run here, walked elsewhere, or marked as illustrative")
def known():
    for page in PAGES:
        for language, body, why in blocks(page):
            check(why or language in RUN, f"{page}: a block of {language or 'no language'} is neither run nor marked: {body[:60]}")
    return f"{sum(1 for page in PAGES for _ in blocks(page))} blocks"


# ---- Blocks. ----

def run_shell(body):
    for line in body.splitlines():
        command = line.split("#")[0].strip()
        if not command or command in ELSEWHERE:
            check(not command or os.access(os.path.join(TOP, command.split()[0]), os.X_OK), f"{command} is no program of this tree")
            continue
        subprocess.run(["bash", "-ec", command], cwd=TOP, check=True, timeout=600, stdin=subprocess.DEVNULL)


def run_policy(body):
    """Keys of a policy file: with a controller and what else a file needs, they can be run."""
    small = text_of("tests/lib/small.yaml")
    head = re.sub(r"^(categories|purposes|never|retention|collection|accounts|roles|systems|cookies|holds):.*?(?=^\w|\Z)", "", small, flags=re.S | re.M)
    with tempfile.TemporaryDirectory(prefix="garant-readme-") as folder:
        path = os.path.join(folder, "policy.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(head + body)
        garant("check", path)


@contextlib.contextmanager
def demo(policy):
    """./demo --policy POLICY as a person runs it, in a copy of the build folder's name for its data; the lines of shell that it prints."""
    command = ["/usr/bin/python3", "tools/demo.py", "--policy", policy]
    process = subprocess.Popen(command, cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env={**os.environ, "NO_COLOR": "1"}, start_new_session=True)
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Ctrl-C"):
                break
        else:
            raise Fault("./demo ended: " + "".join(said)[-800:])
        yield [line.strip() for line in said if re.match(r"\s+(ask\(\)|people=)", line)]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def plain(text):
    """Without what differs from run to run (ids, times, digests), and without blanks at line ends of the page."""
    text = re.sub(r"\n *", "", text)
    for pattern, name in ((r"\b[0-9A-HJKMNP-TV-Z]{26}\b", "ID"), (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"), (r'"jws":"[^"]*', '"jws":"')):
        text = re.sub(pattern, name, text)
    return text


def run_console(body):
    """Lines after "$ " are run with the lines that ./demo prints; what is answered has what the page shows, in its order, "…" for the rest."""
    shown = re.findall(r"^\$ (.+?)\n(.*?)(?=^\$ |\Z)", body, re.S | re.M)
    check(shown, f"no command: {body[:60]}")
    with demo("myportal") as lines:
        for command, expected in shown:
            run = subprocess.run(["bash", "-c", "\n".join([*lines, command])], capture_output=True, text=True, timeout=120)
            answer, at = plain(run.stdout.strip()), 0
            for part in plain(expected.strip()).split("…"):
                part = part.strip(" ,")
                found = answer.find(part, at)
                check(found >= 0, f"{command}: the page shows {part!r}; the answer has {answer[at:at + 600]!r}")
                at = found + len(part)


RUN = {"sh": run_shell, "yaml": run_policy, "console": run_console}


@tests.test("every block that can be run is run, and gives what the page shows")
def run_blocks():
    seen, ran = set(), 0
    for page in PAGES:
        for language, body, why in blocks(page):
            code = "\n".join(line.split("#")[0].rstrip() for line in body.splitlines()) if language == "sh" else body
            if not why and (language, code) not in seen:
                seen.add((language, code))
                RUN[language](body)
                ran += 1
    return f"{ran} blocks"


# ---- The table of tasks. ----

def walk(page, folder):
    """Each command of the page's table, with things of this folder for its placeholders. The server stops where the command asks for it."""
    with contextlib.ExitStack() as stack:
        policy = os.path.join(TOP, "policies/site-fr.yaml")
        server = stack.enter_context(Server(policy, arguments=["--country", "FR"]))
        data = {"identity": {"first_name": "Zoé", "last_name": "Martin"}, "contact": {"email": "zoe@people.example"}}
        ident = server.client("app").create(data)["id"]
        table = os.path.join(folder, "people.csv")
        with open(table, "w", encoding="utf-8") as file:
            file.write("identity.first_name;identity.last_name;contact.email\nAna;Blanc;ana@people.example\n")
        told = {"ID": ident, "FILE": policy, "FICHIER": policy, "OLD": policy, "NEW": policy, "ANCIEN": policy, "NOUVEAU": policy,
                "people.csv": table, "personnes.csv": table}
        backup, done = os.path.join(folder, "backup"), []
        for row in commands_of(page):
            for words in spelled(row):
                verb, rest = words[1], [told.get(word, word) for word in words[2:]]
                for option in (word[2:] for word in words if word.startswith("--")):
                    check(option in options_of(verb), f"{page}: {verb} has no option --{option}")
                done.append(verb)
                if verb == "serve":
                    continue                                    # its options are looked at; the server that runs was started by the same command
                elif verb == "new":
                    run = subprocess.run([PROGRAM, "new", *rest], cwd=folder, input="\n\nFR\n" + "\n" * 40, capture_output=True, text=True, timeout=60)
                    check(run.returncode == 0, f"{words}: {run.stdout[-300:]}{run.stderr[-300:]}")
                    found = json.loads(garant("lint", os.path.join(folder, rest[0]), "--json", ok=(0, 1, 2)))
                    check({one["rule"] for one in found if one["severity"] in "EW"} <= {"D04", "N02"}, f"more than what was left to fill in: {found}")
                elif verb in ("check", "lint", "notice", "register", "diff"):
                    garant(verb, *rest, ok=(0, 1, 2))
                elif verb == "token":
                    server.run(verb, *[word for word in rest if word not in ("--data", "DIR")])
                elif verb == "account":
                    given = json.dumps({"data": {"identity": {"first_name": "Léo", "last_name": "Roux"}, "contact": {"email": "leo@people.example"}},
                                        "supplied_by": "person"}) if rest[0] == "open" else ""
                    more = [ident_of_leo(server)] if rest == ["close"] else ["--supplied-by", "person", "--no-invitation"] if rest[0] == "import" else []
                    server.run(verb, *rest, *more, given=given)
                elif verb == "backup":
                    server.run(verb, backup)
                elif verb == "restore":
                    server.stop()
                    server.run(verb, backup)
                    server.start()
                elif verb == "rotate":
                    server.run(verb, os.path.join(folder, "new.key"))
                elif verb == "export":
                    server.run(verb, ident, "--to", os.path.join(folder, "export.zip"))
                elif verb == "verify" and "--backup" in rest:
                    server.run(verb, "--backup", backup)
                elif verb in ("doctor", "promises"):
                    server.run(verb, ok=(0, 1, 2))               # what they find is their status; a made-up platform has open duties
                else:
                    server.run(verb, *rest)
        return done


def ident_of_leo(server):
    return json.loads(server.run("account", "list", "--json"))["accounts"][0]["id"]


@tests.test("every command of the table of tasks is run in its order, in both languages, with the options it names")
def table():
    counts = []
    for page in PAGES:
        with tempfile.TemporaryDirectory(prefix="garant-readme-") as folder:
            done = walk(page, folder)
            check({"new", "check", "lint", "serve", "token", "account", "subject", "export", "erase", "backup", "restore", "verify", "doctor"} <= set(done),
                  f"{page}: commands are missing from the table: {done}")
            counts.append(len(done))
    return f"{counts[0]} commands"


@tests.test("every page and program that the pages name is there")
def named():
    for page in PAGES:
        body = text_of(page)
        names = re.findall(r"\]\(([\w./-]+)\)", body) + re.findall(r"`((?:docs|policies|tests|tools|bench|src)/[\w./-]+|\./\w+)`", body)
        for name in names:
            check(os.path.exists(os.path.join(TOP, name)), f"{page} names {name}, which is not there")
    return f"{len(names)} names"


tests.main()
