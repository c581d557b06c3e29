#!/usr/bin/python3
"""garant deadline, held against every vector of tests/gold/vectors.tsv."""
import csv, os
from common import TOP, ask, check, says, tests

TERMS = {"dsr1m": "1mo", "promise60d": "1mo", "delete180d": "180d", "breach72h": "72h", "keep36mo": "36mo", "keep25mo": "25mo",
         "keep120mo": "10y"}


def vectors():
    with open(os.path.join(TOP, "tests/gold/vectors.tsv"), encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def deadline(start, term, calendar="fr", *more):
    return ask("deadline", "--from", start, "--term", term, "--calendar", calendar, *more)


@tests.test("each vector's alarm and legal date, extended and in Alsace where the vector tells")
def all_vectors():
    asked = 0
    for row in vectors():
        if row["kind"] not in TERMS:
            continue
        term, start = TERMS[row["kind"]], row["in"]
        got, keeping = deadline(start, term), row["kind"] == "delete180d" or row["kind"].startswith("keep")
        check(got["alarm"] == row["alarm_nominal"], f"{row['kind']} from {start}: {got}")
        check(keeping or got["legal"] == row["legal_fr"], f"{row['kind']} from {start}: {got}")       # keeping never rolls, deadlines do
        asked += 1
        if row["legal_alsace_moselle"] and row["kind"] == "dsr1m":
            got = deadline(start, term, "fr-alsace-moselle")
            check(got["legal"] == row["legal_alsace_moselle"], f"{start} in Alsace: {got}")
        if row["ext_alarm"] and row["kind"] == "dsr1m":
            got = deadline(start, term, "fr", "--extended")
            check(got == {"alarm": row["ext_alarm"], "legal": row["ext_legal_fr"]}, f"{start} extended: {got}")
        if row["kind"] == "promise60d":
            got = deadline(start, "60d")
            check("promise=" + got["alarm"] == row["ext_legal_fr"], f"60 days from {start}: {got}")
    check(asked == 23, f"{asked} vectors were asked")


@tests.test("72 hours with an offset, and as local time without one")
def hours():
    want = {"alarm": "2026-11-23T17:20:00+01:00", "legal": "2026-11-23T17:20:00+01:00"}
    check(deadline("2026-11-20T17:20+01:00", "72h") == want and deadline("2026-11-20T17:20", "72h") == want, "72 hours")
    check(deadline("2026-11-20T16:20:00Z", "72h") == want, "72 hours from UTC")


@tests.test("what is no date, term or calendar is refused with its reason; French calendar unless another is named")
def refusals():
    says(65, "deadline", "--from", "2026-02-30", "--term", "1mo", words=["--from"])
    says(65, "deadline", "--from", "2026-03-05", "--term", "soon", words=["--term"])
    says(65, "deadline", "--from", "2026-03-05", "--term", "1mo", "--calendar", "xx", words=["fr-alsace-moselle"])
    says(64, "deadline", "--from", "2026-03-05", "--term", "72h", "--extended", words=["12(3)"])
    says(64, "deadline", "--from", "2026-03-05")
    says(0, "deadline", "--from", "2026-03-05", "--term", "1mo", words=["alarm: 2026-04-05", "legal: 2026-04-07"])


tests.main()
