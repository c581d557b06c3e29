#!/usr/bin/python3
"""The manual pages that the program prints, in both languages: well-formed roff, and garant-policy(5) with every key of the schema."""
import os, re, subprocess
from common import Server, TOP, check, garant, says, tests


def keys():
    with open(os.path.join(TOP, "src/policy/schema.def"), encoding="utf-8") as file:
        return re.findall(r'^KEY\("([^"]+)"', file.read(), re.M)


@tests.test("garant-policy(5) has every key of the schema with its description, in English and in French")
def all_keys():
    paths = keys()
    check(len(paths) > 300, f"{len(paths)} keys were found")
    pages = {lang: garant("help", "policy-man", "--lang", lang) for lang in ("en", "fr")}
    described = {}
    for lang, page in pages.items():
        entries = re.findall(r'^\.TP\n\.BR (\S+) " \(([^"]+)\)"\n(.+)$', page, re.M)
        check([name.replace("\\-", "-") for name, _, _ in entries] == paths, f"the keys in {lang}")
        check(all(len(said) > 5 for _, _, said in entries), f"a key without description in {lang}")
        described[lang] = [said for _, _, said in entries]
    same = [path for path, en, fr in zip(paths, described["en"], described["fr"]) if en == fr]
    check(not same, f"the same in both languages: {same}")
    return f"{len(paths)} keys"


@tests.test("groff has no complaint about any page")
def well_formed():
    for topic in ("man", "policy-man"):
        for lang in ("en", "fr"):
            run = subprocess.run(["groff", "-k", "-man", "-ww", "-rLL=120n", "-Tutf8"], input=garant("help", topic, "--lang", lang).encode(),
                                 capture_output=True, timeout=60)
            said = [line for line in run.stderr.decode().split("\n") if line and "can't break line" not in line and "adjust" not in line]
            check(run.returncode == 0 and len(run.stdout) > 2000 and not said, f"{topic} in {lang}: {said[:5]}")


@tests.test("help on each verb in both languages stays within its width, and no line ends in a blank")
def help_is_tidy():
    with open(os.path.join(TOP, "src/cli/verbs.def"), encoding="utf-8") as file:
        verbs = re.findall(r"^VERB\((\w+),", file.read(), re.M)
    check(len(verbs) > 20, f"{verbs}")
    for lang in ("en", "fr"):
        for line in "".join(garant(*words, "--lang", lang) for words in [("help",)] + [("help", verb) for verb in verbs]).split("\n"):
            check(line == line.rstrip() and len(line) <= 100, f"{lang}: {line!r}")


@tests.test("a file that cannot be read, an argument too many, an action that does not exist: said in words, by the status of its kind")
def mistakes():
    says(78, "check", "/nonexistent.yaml", words=["cannot be read: No such file or directory"])
    says(78, "lint", "/tmp", words=["cannot be read: Is a directory"])
    says(78, "lint", "/nonexistent.yaml", "--lang", "fr", words=["garant : /nonexistent.yaml ne peut pas être lu"])
    says(64, "lint", "--bogus", words=["unknown option", "garant help lint"])
    for verb in ("doctor", "sweep", "promises", "version", "verify", "serve", "deadline"):
        says(64, verb, "extra", words=[f"{verb} takes no argument", "extra"])
    says(64, "verify", "--key", "abc", words=["--key goes with --certificate"])
    policy = os.path.join(TOP, "policies/site-fr.yaml")
    check(garant("notice", policy) == garant("notice", "--policy", policy), "a file as argument is another notice")
    with Server(policy, arguments=["--country", "FR"]) as server:
        for _ in range(3):                                  # what was never opened is not closed
            says(64, "policy", "frob", "--data", server.data, words=["use show, source or reload"])
            says(0, "policy", "reload", "--data", server.data, words=["version"])


tests.main()
