#!/usr/bin/python3
"""garant new: every combination of answers gives a commented policy that runs and lints clean; a server runs on it with all promises kept."""
import csv, io, itertools, json, os, shutil, subprocess, tempfile
from common import Server, ask, check, garant, says, tests
from garant import PROGRAM, TOP

SWITCHES = ("accounts", "usage", "invoices", "news")


def made(folder, *more, file="policy.yaml"):
    path = os.path.join(folder, file)
    garant("new", path, "--yes", *more)
    return path


@tests.test("each combination of yes and no, in both languages: garant check and garant lint find no error and no warning")
def combinations():
    folder = tempfile.mkdtemp(prefix="garant-new-")
    try:
        files = []
        for number, answers in enumerate(itertools.product(("yes", "no"), repeat=len(SWITCHES))):
            options = [word for name, answer in zip(SWITCHES, answers) for word in ("--" + name, answer)]
            options += ["--host", "Autre Hébergement SAS, 59100 Roubaix"] if number % 3 == 0 else []
            files.append(made(folder, *options, "--lang", ("en", "fr")[number % 2], file=f"{number}.yaml"))
        for report in json.loads(garant("check", *files, "--json")):
            check(report["runs"] and not report["findings"], f"{report}")
        findings = ask("lint", *files)
        check(not [one for one in findings if one["severity"] in "EW" and not one["accepted"]], f"{findings}")
        return f"{len(files)} policies"
    finally:
        shutil.rmtree(folder)


@tests.test("answers stand where they belong, quotes and accents included; comments in the language asked for; an existing file stays")
def answers():
    folder = tempfile.mkdtemp(prefix="garant-new-")
    try:
        path = made(folder, "--name", 'Société "Été" & Cie \\ Fils', "--address", "3 rue du Port, 29000 Quimper", "--email", "vie@ete.example",
                    "--title", "L'Été en ligne", "--site", "https://ete.example", "--lang", "fr")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        check(text.count("\n#") > 10 and "Qui décide" in text and "Who decides" not in text, "comments in French")
        with Server(path, arguments=["--country", "FR"]) as server:
            document = server.operator().get("/v1/policy").expect(200).json["document"]
            check(document["controller"]["legal_name"] == 'Société "Été" & Cie \\ Fils', f"{document['controller']}")
            check(document["controller"]["site"] == "https://ete.example" and document["policy"]["id"] == "l-ete-en-ligne", f"{document['policy']}")
            server.operator().post("/v1/backup", {"to": os.path.join(server.folder, "copy")}).expect(200)
            seen = server.operator().get("/v1/promises?fresh=true").expect(200).json
            check(seen["state"] == "kept" and seen["counts"]["kept"] > 50, f"{seen['counts']}")
        before = os.path.getmtime(path)
        says(1, "new", path, "--yes", words=["is there already"])
        check(os.path.getmtime(path) == before, "it was written over")
    finally:
        shutil.rmtree(folder)


@tests.test("whoever else hosts is a processor: the notice and the record name them; who hosts alone has nobody outside")
def somebody_hosts():
    folder = tempfile.mkdtemp(prefix="garant-new-")
    try:
        own = made(folder, "--name", "Marais SARL", "--host", "Marais SARL, 44000 Nantes", file="own.yaml")
        path = made(folder, "--name", "Marais SARL", "--host", "Autre Hébergement SAS, 59100 Roubaix", "--usage", "yes")
        alone, told = (garant("notice", "--policy", file, "--lang", "en") for file in (own, path))
        check("Nobody outside receives your data" in alone and "Nobody outside receives your data" not in told, told[:1500])
        check("- Outside: Autre Hébergement SAS" in told and "It works for us and only follows our instructions" in told, told[:1500])
        for row in list(csv.DictReader(io.StringIO(garant("register", "--policy", path, "--lang", "en").lstrip("\ufeff")))):
            check("Autre Hébergement SAS" in row["Processors"], f"{row}")
        with Server(path, arguments=["--country", "FR"]) as server:
            server.operator().post("/v1/backup", {"to": os.path.join(server.folder, "copy")}).expect(200)
            seen = server.operator().get("/v1/promises?fresh=true").expect(200).json
            check(seen["state"] == "kept", f"{seen['counts']}")
        with open(path, encoding="utf-8") as file:
            check("write the day when it was signed" in file.read(), "nobody is told to date the contract")
    finally:
        shutil.rmtree(folder)


@tests.test("the questions are asked and answered on the terminal's input; its end takes what is usual")
def interview():
    folder = tempfile.mkdtemp(prefix="garant-new-")
    try:
        path = os.path.join(folder, "asked.yaml")
        run = subprocess.run([PROGRAM, "new", path, "--lang", "en"], input="Asked Ltd\n\nFR\nprivacy@asked.example\n", text=True, capture_output=True,
                             cwd=TOP, timeout=30)
        check(run.returncode == 0 and "Legal name" in run.stderr and "garant lint" in run.stdout and "--country FR" in run.stdout, f"{run}")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        check('legal_name: "Asked Ltd"' in text and 'title: {fr: "Asked Ltd", en: "Asked Ltd"}' in text and "privacy@asked.example" in text, text[:600])
    finally:
        shutil.rmtree(folder)


@tests.test("answers that would not run or not be lawful write nothing and say why")
def refusals():
    folder = tempfile.mkdtemp(prefix="garant-new-")
    try:
        path = os.path.join(folder, "none.yaml")
        says(78, "new", path, "--yes", "--email", "nobody", words=["nobody", "e-mail address"])
        says(78, "new", path, "--yes", "--country", "Frankreich", words=["country"])
        says(64, "new", path, "--yes", "--news", "perhaps", words=["--news"])
        says(74, "new", os.path.join(folder, "none", "policy.yaml"), "--yes", words=["No such file or directory"])
        says(64, "new", path, "--yes", "--name", "two\nlines", words=["control character"])
        run = garant("new", path, "--yes", "--country", "US", ok=None)
        check(run.returncode not in (0, 70) and "representative" in run.stdout + run.stderr, f"{run}")
        check(not os.path.exists(path), "something was written")
    finally:
        shutil.rmtree(folder)


tests.main()
