"""Tries the frame of the scenarios itself, on planted rows: a part that nobody asserts, or that the table does not have, must be a fault."""
import promise
from garant import check
from promise import part


def of(*names):
    """A scenario that shows parts of these names."""
    def scenario(_):
        for name in names:
            with part(name):
                check(True, "")
    return scenario


def empty(_):
    with part("first"):
        pass


def broken(_):
    with part("first"):
        check(False, "planted")


PLANTED = [                                     # the row's parts, its scenario, and what is said of it
    ("first | second", of("first", "second", "first"), None),
    ("first | ?second", of("first"), None),
    ("first | second", of("first"), 'no scenario asserts the part "second"'),
    ("first", of("first", "third"), 'no part "third" in promises.tsv'),
    ("first | ?second", of("first", "second"), 'take the "?" before it away'),
    ("first", empty, "nothing is asserted"),
    ("first", broken, "planted"),
    ("", of(), "the row names no parts"),
]


def faults():
    """Which of the planted rows went otherwise than they must; their traces are gone afterwards."""
    found = []
    for number, (parts, scenario, says) in enumerate(PLANTED):
        ident = f"planted-{number}"
        promise.ROWS[ident] = promise.Row(f"{ident}\tsite-fr\tplanted\t\t{parts}\n")
        promise.SCENARIOS[ident] = scenario
        fault = promise.run(ident)
        if (fault is None) != (says is None) or (says and says not in str(fault)):
            found.append(f"{parts} with {scenario.__name__}: {fault}")
        for table in (promise.ROWS, promise.SCENARIOS, promise.SHOWN):
            table.pop(ident, None)
    return found
