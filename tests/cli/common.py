"""What the tests of the command line share."""
import json, os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.dont_write_bytecode = True
from garant import TOP, Server, check, garant
from tap import Tests

tests = Tests()
SMALL = os.path.join(TOP, "tests/lib/small.yaml")


def ask(*arguments):
    """The JSON that a command answers."""
    return json.loads(garant(*arguments, "--json"))


def says(status, *arguments, words=(), env=None):
    """A command that ends with this status; its standard output and error together, in which these words stand."""
    run = garant(*arguments, ok=None, env=env)
    said = run.stdout + run.stderr
    check(run.returncode == status, f"garant {' '.join(arguments)}: status {run.returncode}, expected {status}: {said[-600:]}")
    for word in words:
        check(word in said, f"garant {' '.join(arguments)} does not say {word!r}: {said[-600:]}")
    return said
