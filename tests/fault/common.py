"""What the fault tests share: their registry, the tier, and the small policy."""
import functools, os, subprocess
from garant import BUILD, TOP, Server
from tap import Tests

SMALL = os.path.join(TOP, "tests/lib/small.yaml")
RELEASE = os.environ.get("GARANT_TIER") == "release"
tests = Tests()


def server(**options):
    return Server(SMALL, **options)


@functools.cache
def preloaded(name):
    """tests/fault/NAME.c as a library that a server is started with."""
    library = os.path.join(BUILD, f"fault/{name}.so")
    os.makedirs(os.path.dirname(library), exist_ok=True)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, os.path.join(TOP, f"tests/fault/{name}.c")], check=True)
    return library


def person(number, last="Fault"):
    """Data of a made-up person; every value is long enough to be searched for."""
    return {"identity": {"first_name": f"Planted-{number}", "last_name": f"{last}-{number}"},
            "contact": {"email": f"planted.{number}@fault.example", "phone": f"+3361{number:07d}"}}
