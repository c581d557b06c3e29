"""What the fault tests share: their registry, the tier, and the small policy."""
import os
from garant import TOP, Server
from tap import Tests

SMALL = os.path.join(TOP, "tests/lib/small.yaml")
RELEASE = os.environ.get("GARANT_TIER") == "release"
tests = Tests()


def server(**options):
    return Server(SMALL, **options)


def person(number, last="Fault"):
    """Data of a made-up person; every value is long enough to be searched for."""
    return {"identity": {"first_name": f"Planted-{number}", "last_name": f"{last}-{number}"},
            "contact": {"email": f"planted.{number}@fault.example", "phone": f"+3361{number:07d}"}}
