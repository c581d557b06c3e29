#!/usr/bin/python3
"""garant new: every combination of answers gives a commented policy that runs and lints clean; a server runs on it with all promises kept;
what nobody answered is left to be filled in, and the linter finds each place."""
import csv, io, itertools, json, os, shutil, subprocess, tempfile
from common import Server, ask, check, garant, says, tests
from garant import PROGRAM, TOP

SWITCHES = ("accounts", "usage", "invoices", "news")


ALL = {"--name": "Exemple SAS", "--address": "1 rue de l'Exemple, 75001 Paris", "--country": "FR", "--email": "privacy@example.org",
       "--balancing": "DPO/2026/3"}


def made(folder, *more, file="policy.yaml"):
    """A policy with every answer that this needs, those given last."""
    path = os.path.join(folder, file)
    asked = {**ALL, **dict(zip(more[::2], more[1::2]))}
    garant("new", path, "--yes", *[word for pair in asked.items() for word in pair])
    return path


def left(path):
    """(rule, path) of what the linter wants filled in."""
    said = json.loads(garant("lint", path, "--json", "--lang", "en", ok=(0, 1, 2)))
    return {(one["rule"], one["message"].rsplit(": ")[-1]) for one in said if one["severity"] in "EW"}


@tests.test("each combination of yes and no, in both languages: garant check and garant lint find no error and no warning")
def combinations():
    folder = tempfile.mkdtemp(prefix="garant-new-")
    try:
        files = []
        for number, answers in enumerate(itertools.product(("yes", "no"), repeat=len(SWITCHES))):
            options = [word for name, answer in zip(SWITCHES, answers) for word in ("--" + name, answer)]
            options += ["--host", "Autre Hébergement SAS, 59100 Roubaix", "--contract", "2026-03-02"] if number % 3 == 0 else []
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
        says(1, "new", path, words=[f"{path} exists"])             # and asks nothing first
        check(os.path.getmtime(path) == before, "it was written over")
    finally:
        shutil.rmtree(folder)


@tests.test("whoever else hosts is a processor: the notice and the record name them; who hosts alone has nobody outside")
def somebody_hosts():
    folder = tempfile.mkdtemp(prefix="garant-new-")
    try:
        own = made(folder, "--name", "Marais SARL", "--host", "Marais SARL, 44000 Nantes", file="own.yaml")
        path = made(folder, "--name", "Marais SARL", "--host", "Autre Hébergement SAS, 59100 Roubaix", "--usage", "yes", "--contract", "2026-03-02")
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


def interview(path, given, *more):
    return subprocess.run([PROGRAM, "new", path, "--lang", "en", *more], input=given, text=True, capture_output=True, cwd=TOP, timeout=30)


@tests.test("an answer that does not fit is said and asked again; Enter leaves it for later, and the end of the input takes what is usual")
def asked_again():
    folder = tempfile.mkdtemp(prefix="garant-new-")
    try:
        path = os.path.join(folder, "asked.yaml")
        run = interview(path, "Asked Ltd\n\n\nFrankreich\nFR\nnobody\nprivacy@asked.example\n\nasked.example\nhttps://asked.example\n\nperhaps\nno\n")
        check(run.returncode == 0 and "garant lint" in run.stdout and "--country FR" in run.stdout, f"{run}")
        check(run.stderr.count("Country") == 3 and "Frankreich" in run.stderr and run.stderr.count("Email address") == 2
              and run.stderr.count("Do people have accounts?") == 2 and "perhaps" in run.stderr, run.stderr)
        check("contract" not in run.stderr, "the contract of a host that is nobody else")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        check('legal_name: "Asked Ltd"' in text and 'title: {fr: "Asked Ltd", en: "Asked Ltd"}' in text and "site: \"https://asked.example\"" in text
              and "  password:" not in text, text[:900])
        check("[Postal address]" in text and "[Postal address]" in run.stdout, f"{run.stdout}")
        check(left(path) == {("D04", "controller.address"), ("D04", "purposes.answers.balancing")}, f"{left(path)}")
        run = interview(os.path.join(folder, "none.yaml"), "Asked Ltd\n")
        check(run.returncode == 64 and "--country" in run.stderr and not os.path.exists(os.path.join(folder, "none.yaml")), f"{run}")
    finally:
        shutil.rmtree(folder)


@tests.test("nothing is invented: no name, address, contract, balancing test or statute that nobody gave, each place found by the linter")
def nothing_invented():
    folder = tempfile.mkdtemp(prefix="garant-new-")
    try:
        path = os.path.join(folder, "bare.yaml")
        run = garant("new", path, "--yes", "--country", "DE", "--host", "Hoster GmbH, Berlin", "--invoices", "yes", "--usage", "yes", "--lang", "en")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for word in ("Exemple SAS", "example.org", "rue de", "C. com.", "C. civ.", "balance-answers", "CNIL\""):
            check(word not in text, f"{word} was invented")
        check("contract: false" in text and 'authority: "BfDI"' in text, text[:1500])
        found = left(path)
        for rule, place in (("D04", "controller.legal_name"), ("D04", "controller.address"), ("D04", "purposes.answers.balancing"),
                            ("D04", "purposes.improvement.balancing"), ("D04", "purposes.billing.law"), ("D04", "retention.billing.ground"),
                            ("D04", "retention.consents.ground")):
            check((rule, place) in found and place in run, f"{rule} {place}: {sorted(found)}")
        check({"P01", "N02"} <= {rule for rule, _ in found}, f"{sorted(found)}")
        french = made(folder, "--invoices", "yes", file="french.yaml")
        with open(french, encoding="utf-8") as file:
            check('law: "C. com. L123-22"' in file.read(), "the French statute in France")
        says(0, "new", os.path.join(folder, "us.yaml"), "--yes", "--country", "US", "--lang", "en", words=["representative", "Fill in"])
    finally:
        shutil.rmtree(folder)


@tests.test("options that do not fit write nothing and say why, before anything is asked")
def refusals():
    folder = tempfile.mkdtemp(prefix="garant-new-")
    try:
        path = os.path.join(folder, "none.yaml")
        says(64, "new", path, "--yes", words=["--country", "FR"])
        says(64, "new", path, "--yes", "--email", "nobody", words=["--email", "nobody", "privacy@"])
        says(64, "new", path, "--email", "nobody", words=["--email"])
        says(64, "new", path, "--yes", "--country", "Frankreich", words=["--country"])
        says(64, "new", path, "--yes", "--country", "FR", "--contract", "yesterday", words=["--contract", "2026-"])
        says(64, "new", path, "--yes", "--news", "perhaps", words=["--news"])
        says(74, "new", os.path.join(folder, "none", "policy.yaml"), "--yes", "--country", "FR", words=["No such file or directory"])
        says(64, "new", path, "--yes", "--name", "two\nlines", words=["control character"])
        check(not os.path.exists(path), "something was written")
    finally:
        shutil.rmtree(folder)


tests.main()
