"""Who was given data, from outside: told of each correction and restriction of what they were given (GDPR 19), once until it is done."""
from garant import Server, check

POLICY, START = "tests/hostile/people.yaml", "2026-11-21T09:00:00Z"


def owed(app, ident):
    """(kind, recipient) of what is owed about that person, with the disclosures that it names."""
    return {(row["kind"], row["about"]): row for row in app.get("/v1/duties").expect(200).json["duties"] if row["subject"] == ident and row["kind"] != "inform"}


def register(tests):
    @tests.test("given: a recipient is to be told of a correction and of a restriction, each once until it is done, and of nothing it was not given")
    def told():
        with Server(POLICY, now=START) as server:
            app = server.client("app")
            ident, other = (app.create({"identity": {"first_name": "Marguerite", "last_name": "Duras"}, "contact": {"email": f"{name}@people.example"}})["id"]
                            for name in ("alice", "bob"))
            what = {"recipient": "carrier", "purpose": "service", "categories": ["identity"]}
            given = [app.post(f"/v1/subjects/{ident}/disclosures", what).expect(201).json["id"] for _ in range(2)]
            app.change(ident, "service", {"contact": {"email": "alice.new@people.example"}})
            app.change(other, "service", {"identity": {"last_name": "Donnadieu"}})
            check(not owed(app, ident) and not owed(app, other), f"nothing of what was given was changed: {owed(app, ident)}, {owed(app, other)}")
            app.change(ident, "service", {"identity": {"last_name": "Donnadieu"}})
            app.change(ident, "service", {"identity": {"last_name": "Mascolo"}})
            first = owed(app, ident)
            check(list(first) == [("tell_correction", "carrier")], f"after two corrections: {first}")
            row = first["tell_correction", "carrier"]
            check(row["article"] == "GDPR 19" and sorted(row["note"].split(",")) == sorted(given) and row["due"][:10] == "2026-11-28", f"{row}")
            app.put(f"/v1/subjects/{ident}/restriction", {"ground": "accuracy contested"}).expect(204)
            check(sorted(owed(app, ident)) == [("tell_correction", "carrier"), ("tell_restriction", "carrier")], f"restricted: {owed(app, ident)}")
            app.delete(f"/v1/subjects/{ident}/restriction").expect(204)
            app.post(f"/v1/duties/{row['id']}/done", {"outcome": "done", "note": "by letter"}).expect(204)
            app.change(ident, "service", {"identity": {"first_name": "Marguerite Germaine"}})
            again = owed(app, ident)["tell_correction", "carrier"]
            check(again["id"] != row["id"], "what is corrected after the recipient was told is told again")
            server.operator().post("/v1/journal/verify").expect(200)
            app.erase(ident)
            left = app.get("/v1/duties").expect(200).json["duties"]
            check([(one["kind"], one["about"], one["subject"]) for one in left if one["kind"].startswith("tell")] == [("tell", "carrier", None)],
                  f"the erasure takes the place of what was owed: {left}")
