#!/usr/bin/python3
"""The linter from outside: its JSON against what was found by hand, SARIF against the standard's schema, exit statuses, dates."""
import collections, csv, hashlib, json, os, subprocess, tempfile
import jsonschema
from common import tests
from garant import PROGRAM, TOP, Server, check

SEEDS = {"S0": "mxplorerplace", "S1": "myportal", "S2": "site-fr"}
ALL = sorted(SEEDS.values()) + ["deskmanager", "myownconference"]
MEMBERS = ["rule", "severity", "file", "line", "column", "message", "accepted"]


def lint(*arguments):
    run = subprocess.run([PROGRAM, "lint", *arguments], cwd=TOP, capture_output=True, text=True, timeout=60)
    return run.returncode, run.stdout, run.stderr


def published(name):
    return f"policies/published/{name}.yaml"


def found(name, *arguments):
    _, out, _ = lint("--json", *arguments, published(name))
    return json.loads(out)


@tests.test("lint: what was found by hand in three notices, no more and no less")
def gold():
    with open(os.path.join(TOP, "tests/gold/gold.tsv"), encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    for seed, name in SEEDS.items():
        expected = collections.Counter((r["rule"], r["severity"]) for r in rows if r["seed"] == seed)
        got = collections.Counter((f["rule"], f["severity"]) for f in found(name))
        check(got == expected, f"{name}: missing {expected - got}, too many {got - expected}")


@tests.test("lint: JSON is an array of the seven members, each at a line of the file")
def members():
    for name in ALL:
        with open(os.path.join(TOP, published(name)), encoding="utf-8") as file:
            lines = file.read().split("\n")
        for finding in found(name):
            check(list(finding) == MEMBERS, f"members {list(finding)}")
            check(finding["severity"] in ("E", "W", "A") and finding["file"] == published(name), str(finding))
            check(1 <= finding["column"] <= len(lines[finding["line"] - 1]), f"{name}: {finding} is beyond its line")


@tests.test("lint: the policies that run leave it without a remark")
def clean():
    status, out, err = lint("--json", *[f"policies/{name}.yaml" for name in ALL])
    check(status == 0 and json.loads(out) == [], f"{status} {out} {err}")


@tests.test("lint: SARIF 2.1.0 is valid by the standard's schema")
def sarif():
    with open(os.path.join(TOP, "tests/gold/sarif-2.1.0.json"), encoding="utf-8") as file:
        schema = json.load(file)
    for language in ("en", "fr"):
        _, out, _ = lint("--sarif", "--lang", language, *[published(name) for name in ALL])
        log = json.loads(out)
        jsonschema.Draft7Validator(schema).validate(log)
        check(len(log["runs"][0]["results"]) == sum(len(found(name)) for name in ALL), "results")
        check(log["runs"][0]["invocations"][0]["executionSuccessful"], "a run that went well")


@tests.test("lint: a file with a fault of form, that is not there, or that is no file, is no clean run in SARIF nor in JSON, alone or among others")
def unread():
    with open(os.path.join(TOP, "policies/site-fr.yaml"), encoding="utf-8") as file:
        policy = file.read()
    with tempfile.TemporaryDirectory() as folder:
        kinds = {"unknown key": policy + "\nunknown_key: 1\n", "broken": "garant: 1\npolicy: {id: x\n", "empty": "", "a list": "- a\n", "latin": "# \xe9\n"}
        paths = {"absent": os.path.join(folder, "absent.yaml"), "a folder": folder}
        for name, text in kinds.items():
            paths[name] = os.path.join(folder, name + ".yaml")
            with open(paths[name], "wb") as file:
                file.write(text.encode("latin-1" if name == "latin" else "utf-8"))
        for name, path in paths.items():
            for among in ([path], [path, "policies/site-fr.yaml"]):
                status, out, _ = lint("--sarif", *among)
                run = json.loads(out)["runs"][0]["invocations"][0]
                check(status == 78 and not run["executionSuccessful"] and run["toolExecutionNotifications"], f"{name}: {status} {run}")
                status, out, _ = lint("--json", *among)
                check(status == 78 and [one for one in json.loads(out) if one["rule"] == "form" and one["file"] == path], f"{name}: {status} {out[:300]}")


@tests.test("lint: exit statuses, acceptance, faults of form")
def statuses():
    with tempfile.TemporaryDirectory() as folder:
        def written(name, text):
            path = os.path.join(folder, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            return path
        with open(os.path.join(TOP, "policies/site-fr.yaml"), encoding="utf-8") as file:
            policy = file.read()
        late = policy.replace("answer_within: 1mo", "answer_within: 60d")
        check(late != policy, "the policy states one month")
        check(lint(written("ok.yaml", policy))[0] == 0, "a clean policy ends with 0")
        check(lint(written("late.yaml", late))[0] == 2, "an error ends with 2")
        check(lint(written("vague.yaml", policy.replace("propagate: true", "propagate: false")))[0] == 1, "a warning ends with 1")
        accepted = lint("--json", written("accepted.yaml", late + '\naccept: {R02: "told to the authority"}\n'))
        check(accepted[0] == 0 and [f["accepted"] for f in json.loads(accepted[1])] == [True], str(accepted))
        check(lint(written("key.yaml", policy + "\nunknown_key: 1\n"))[0] == 78, "an unknown key is a fault of form")
        status, out, err = lint(written("broken.yaml", "a: [b\n"))
        check(status == 78 and "broken.yaml:" in err, err)
        check(lint(os.path.join(folder, "absent.yaml"))[0] not in (0, 1, 2), "an absent file is no finding")


@tests.test("lint: text in both languages, dates, explanations")
def words():
    _, english, _ = lint("--lang", "en", published("myportal"))
    _, french, _ = lint("--lang", "fr", published("myportal"))
    check(": error R02: Answer time exceeds one month\n" in english and "= law: GDPR 12(3) ✔\n" in english, english[:500])
    check(" : " in french and ": erreur R02: Délai de réponse supérieur à un mois\n" in french and "RGPD 12(3)" in french, french[:500])
    check(any(f["rule"] == "M05" for f in found("deskmanager")), "M05 holds today")
    check(not any(f["rule"] == "M05" for f in found("deskmanager", "--as-of", "2026-01-01")), "M05 did not hold in January 2026")
    check(lint("--as-of", "2026-13-01", published("myportal"))[0] == 64, "no such date")
    status, out, _ = lint("--explain", "M04", "--lang", "en")
    check(status == 0 and "In force since 2026-08-11" in out and "C. conso L223‑1" in out, out)
    check(lint("--explain", "X99")[0] == 64, "no such rule")


@tests.test("lint: a server does not start on a policy with errors of law that it does not accept, and names them")
def gate():
    with open(os.path.join(TOP, "policies/site-fr.yaml"), encoding="utf-8") as file:
        policy = file.read()
    with tempfile.TemporaryDirectory() as folder:
        late = os.path.join(folder, "late.yaml")
        with open(late, "w", encoding="utf-8") as file:
            file.write(policy.replace("answer_within: 1mo", "answer_within: 60d"))
        run = subprocess.run([PROGRAM, "serve", "--policy", late, "--data", os.path.join(folder, "data"), "--listen", "127.0.0.1:0"],
                             capture_output=True, text=True, timeout=60)
        check(run.returncode == 78 and "R02 (line " in run.stderr, f"{run.returncode} {run.stderr}")


@tests.test("lint: what a policy accepts is in the journal when that version is published, a rule an entry, and no word of a reason")
def acceptances():
    with open(os.path.join(TOP, "policies/site-fr.yaml"), encoding="utf-8") as file:
        policy = file.read().replace("answer_within: 1mo", "answer_within: 60d").replace("before: 1mo, ", "")
    reasons = {"R02": "agreed with the authority, file 2026-Planted-77", "D03": "the Planted press prints it"}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "policy.yaml")

        def write(text, accepted):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text + "\naccept: {" + ", ".join(f"{rule}: '{reasons[rule]}'" for rule in accepted) + "}\n")
            with open(path, "rb") as file:
                return hashlib.sha256(file.read()).hexdigest()

        def entries(server):
            server.operator().post("/v1/journal/verify").expect(200)
            data = server.operator().get("/v1/journal/checkpoint").expect(200).body.decode()
            size, said, at = int(data.split("\n")[1]), [], 0
            check(size < 256, f"{size} entries are more than a bundle")
            bundle = server.operator().get(f"/v1/journal/tile/entries/000.p/{size}").expect(200).body
            check(b"Planted" not in bundle, "a reason stands in the journal")
            while at < len(bundle):
                length = int.from_bytes(bundle[at:at + 2], "big")
                said.append(json.loads(bundle[at + 2:at + 2 + length]))
                at += 2 + length
            return [(e["policy"], e["clause"], e["outcome"], e["actor"]) for e in said if e["act"] == "policy.accepted"]
        first = write(policy, ["R02"])
        with Server(path, folder=folder) as server:
            expected = [(first, "accept.R02", "done", "operator")]
            check(entries(server) == expected, f"{entries(server)}")
            server.restart()
            server.operator().post("/v1/policy/reload").expect(200)
            check(entries(server) == expected, "the same version again is no new acceptance")
            second = write(policy.replace("tell: [notice, email], ", ""), ["R02", "D03"])
            server.operator().post("/v1/policy/reload").expect(200)
            expected += [(second, "accept.R02", "done", "operator"), (second, "accept.D03", "done", "operator")]
            check(entries(server) == expected, f"{entries(server)}")
            # A purpose that the version before does not have, and nobody is told beforehand: B15, also where the file alone is silent.
            extra = policy.replace("\npurposes:\n", "\npurposes:\n  studies:\n    title: Studies\n    basis: contract\n    categories: [contact]\n")
            check(extra != policy, "no purpose was added")
            write(extra, ["R02"])
            refused = server.operator().post("/v1/policy/reload")
            check(refused.status == 422 and "B15 (line " in refused.json["detail"], f"{refused.status} {refused.body}")
            check(server.operator().get("/v1/policy").expect(200).json["hash"] == second, "the version before is no longer in force")
            check(entries(server) == expected, "a refused version left an acceptance")
        old = os.path.join(folder, "old.yaml")
        with open(old, "w", encoding="utf-8") as file:
            file.write(policy)
        status, out, _ = lint("--json", "--previous", old, path)
        check(status == 2 and [f["rule"] for f in json.loads(out) if f["severity"] == "E" and not f["accepted"]] == ["B15"], out)
        status, out, _ = lint("--json", path)
        check(status != 2 and "B15" not in out, out)


tests.main()
