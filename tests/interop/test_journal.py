#!/usr/bin/python3
"""The journal read over HTTP by tests/interop/verify.py, written from the C2SP specifications alone; and its alterations found."""
import json, os, subprocess, sys
from common import person, server, tests
from garant import TOP, check

VERIFY = os.path.join(TOP, "tests/interop/verify.py")


def verify(*arguments):
    return subprocess.run([sys.executable, VERIFY, *arguments], capture_output=True, text=True, timeout=120)


@tests.test("an independent verifier reads tiles and checkpoint, and recomputes the root")
def tiles():
    with server() as subject:
        client = subject.client("app")
        for number in range(300):                                # more than one full tile
            ident = client.create(person(number))["id"]
        with open(os.path.join(subject.folder, "certificate.json"), "w") as file:
            json.dump(client.erase(ident), file)
        run = verify(f"http://127.0.0.1:{subject.port}/v1/journal", "--certificate", file.name, "--least", "300",
                     "--header", "Authorization: Bearer " + client.token)
        check(run.returncode == 0, run.stdout + run.stderr)
        return run.stdout.strip().splitlines()[-1]


tests.main()
