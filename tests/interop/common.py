"""What the interoperability tests of the server share: where the fixtures are, their registry, the small policy."""
import os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.dont_write_bytecode = True
from garant import TOP, Server
from tap import Tests

tests = Tests()
SMALL = os.path.join(TOP, "tests/lib/small.yaml")


def person(number):
    return {"identity": {"first_name": "Inès", "last_name": f"Interop-{number}"},
            "contact": {"email": f"ines.{number}@interop.example", "phone": "+33123456789"}}


def server():
    return Server(SMALL)
