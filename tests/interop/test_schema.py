#!/usr/bin/python3
"""The JSON Schema of the policy file, as an editor uses it: valid by its own standard, described throughout, and of one mind with garant check.
And bad input to every command that reads a policy: an error with its place, at once, never a crash."""
import copy, glob, json, os, re, resource, subprocess, tempfile
import jsonschema, yaml
from common import tests
from garant import PROGRAM, TOP, check

RUNNING = sorted(glob.glob(os.path.join(TOP, "policies/*.yaml")))
PUBLISHED = sorted(glob.glob(os.path.join(TOP, "policies/published/*.yaml")))


class Loader(yaml.SafeLoader):
    """YAML 1.2 as editors read it: only true and false are booleans, and a date is a text."""


Loader.yaml_implicit_resolvers = {}
for tag, pattern, first in (("bool", r"^(?:true|false)$", "tf"), ("int", r"^[-+]?[0-9]+$", "-+0123456789"), ("null", r"^(?:null|~|)$", "n~"),
                            ("float", r"^[-+]?[0-9]+\.[0-9]+$", "-+0123456789")):
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


def read(path):
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader)


def schema():
    with open(os.path.join(TOP, "schema/garant-policy.schema.json"), encoding="utf-8") as file:
        return json.load(file)


def lenient(node):
    """The schema without what a server needs to be there: of a notice that is only read."""
    if isinstance(node, list):
        return [lenient(item) for item in node]
    return {key: lenient(value) for key, value in node.items() if key != "required" or isinstance(value, dict)} if isinstance(node, dict) else node


def validator(of=lambda document: document):
    return jsonschema.Draft202012Validator(of(schema()))


@tests.test("the policy's JSON Schema is one by draft 2020-12, and describes every key in both languages")
def sound():
    document = schema()
    jsonschema.Draft202012Validator.check_schema(document)
    keys = 0

    def walk(node, path):
        nonlocal keys
        for name, inner in node.get("properties", {}).items():
            keys += 1
            check(len(inner.get("description", "")) > 3 and len(inner.get("x-description-fr", "")) > 3, f"{path}.{name} is not described")
            walk(inner, f"{path}.{name}")
        for key in ("additionalProperties", "items"):
            if isinstance(node.get(key), dict):
                walk(node[key], f"{path}.*")
        for key in ("anyOf", "oneOf", "allOf"):
            for inner in node.get(key, []):
                walk(inner, path)
    walk(document, "$")
    check(keys > 200, f"{keys} keys")
    return f"{keys} keys"


@tests.test("every policy of this house is valid by the schema; one as published lacks at most what a server needs")
def valid():
    for path in RUNNING + PUBLISHED:
        faults = [f"{'.'.join(map(str, fault.absolute_path))}: {fault.message[:160]}"
                  for fault in validator(lenient if path in PUBLISHED else dict).iter_errors(read(path))]
        check(not faults, f"{os.path.basename(path)}: {faults[:5]}")


def garant_check(text):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        run = subprocess.run([PROGRAM, "check", file.name], capture_output=True, text=True, timeout=30)
    return run.returncode, run.stderr


@tests.test("what is wrong by its form is wrong for both, the schema and garant check")
def of_one_mind():
    good = read(os.path.join(TOP, "policies/site-fr.yaml"))
    status, said = garant_check(yaml.safe_dump(good, allow_unicode=True))
    check(status == 0, f"the good one, written again: {said[:600]}")
    wrong = {"an unknown key": lambda p: p.update(purpose={}), "an unknown key below": lambda p: p["controller"].update(fax="1"),
             "a word that is none": lambda p: p["purposes"]["account"].update(basis="whim"), "a list for a map": lambda p: p.update(rights=[]),
             "a text for a number": lambda p: p["security"]["password"].update(min_length="long"),
             "a text for yes or no": lambda p: p["security"]["password"].update(secret_question="perhaps"),
             "a number for a text": lambda p: p["categories"].update(contact=1), "a term that is none": lambda p: p["rights"].update(answer_within="soon")}
    for name, change in wrong.items():
        bad = copy.deepcopy(good)
        change(bad)
        status, said = garant_check(yaml.safe_dump(bad, allow_unicode=True))
        check(status == 78 and re.search(r"\.yaml:\d+:\d+: ", said), f"{name}: check says {status} {said}")
        check(list(validator().iter_errors(bad)), f"{name}: the schema has nothing against it")


@tests.test("tabs: where YAML lets them separate or stand alone they change nothing; where they indent they are named with their place")
def tabs():
    with open(os.path.join(TOP, "policies/site-fr.yaml"), encoding="utf-8") as file:
        good = file.read()
    fine = {"before a comment": ("authority: CNIL", "authority: CNIL\t# x"), "at a line's end": ("authority: CNIL", "authority: CNIL\t"),
            "behind a colon": ("authority: CNIL", "authority:\tCNIL"), "on a line of its own": ("authority: CNIL", "\t \nauthority: CNIL\n\t"),
            "before a comment of its own": ("authority: CNIL", "\t# x\nauthority: CNIL"), "in a list": ("[fr, en]", "[fr,\ten]"), "and CRLF": ("\n", "\t\r\n")}
    for name, (old, new) in fine.items():
        check(old in good, name)
        status, said = garant_check(good.replace(old, new))
        check(status == 0, f"{name}: {status} {said}")
    for name, text in {"a map": "a:\n\tb: 1\n", "behind blanks": "a:\n  \tb: 1\n", "a list": "a:\n  -\tb: 1\n"}.items():
        status, said = garant_check(text)
        check(status == 78 and re.search(r":2:\d: a tab", said) or re.search(r":3:\d: a tab", said), f"{name}: {status} {said}")


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join(['*a' + str(n - 1)] * 9)}]\n" for n in range(1, 12))
HOSTILE = {
    "a bomb of aliases": BOMB, "an anchor": "a: &x 1\nb: 2\n", "an alias": "a: [*x]\n", "a merge key": "a:\n  <<: {b: 1}\n", "a tab": "a:\n\tb: 1\n",
    "a key twice": "garant: 1\ngarant: 1\n", "10 MB of text": "a: " + "x" * 10_000_000 + "\n", "10 MB of lists": "- a\n" * 2_500_000,
    "deep lists": "[" * 100_000, "deep maps": "{a: " * 50_000, "an unknown key": "garant: 1\nwhatever: 2\n", "a list for a map": "controller: [a]\n",
    "a text for a map": "purposes: none of them\n", "nothing": "", "a NUL": "a: b\0c\n", "no UTF-8": b"a: \xc0\xaf\n", "a second document": "a: 1\n---\nb: 2\n",
    "an unclosed quote": "a: 'b\n", "a tag": "a: !!python/object:os.system x\n", "a directive": "%YAML 1.1\n---\na: 1\n",
    "a key that is a list": "? [a]\n: 1\n",
    "a long key": "k" * 100_000 + ": 1\n", "many keys": "".join(f"k{n}: 1\n" for n in range(100_000)),
}


def spent():
    """Seconds of the processor that programs started here have taken: alike on a busy machine."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@tests.test("bad input to check, lint, notice, register, diff and serve: an error with its place, at once, never a crash or a hang")
def hostile():
    slowest = 0
    with tempfile.TemporaryDirectory() as folder:
        path, good = os.path.join(folder, "bad.yaml"), os.path.join(TOP, "policies/site-fr.yaml")
        commands = (["check", path], ["lint", path], ["notice", "--policy", path], ["register", "--policy", path], ["diff", good, path],
                    ["serve", "--policy", path, "--data", os.path.join(folder, "data"), "--listen", "127.0.0.1:0"])
        for name, text in HOSTILE.items():
            with open(path, "wb") as file:
                file.write(text if isinstance(text, bytes) else text.encode())
            for command in commands:
                began = spent()
                run = subprocess.run([PROGRAM, *command], capture_output=True, timeout=60)
                took = spent() - began
                slowest = max(slowest, took)
                said = (run.stderr + run.stdout).decode(errors="replace")
                check(0 < run.returncode < 126, f"{name}: garant {command[0]} ends with {run.returncode}: {said[:300]}")
                check(took < 10, f"{name}: garant {command[0]} takes {took:.1f} s of the processor")
                check(re.search(r"bad\.yaml(:\d+:\d+: | is larger|: )", said), f"{name}: garant {command[0]} names no place: {said[:300]}")
                check(len(said) < 200_000, f"{name}: garant {command[0]} says {len(said)} characters")
    return f"{len(HOSTILE)} inputs, {len(commands)} commands, the slowest in {slowest:.2f} s"


tests.main()
