"""Every term of a policy, to the day: for each key of its `retention` something is held whose term that is; it must be there the day before the
end that the file's own words give, and gone the day after. A key that nothing here knows how to try is a fault."""
import re
import sample
from garant import DAY, add_months, check, milliseconds, moment
from people import staff

NOW = "2026-11-22T10:00:00Z"
NOT_STORED = ("proofs",)             # the product stores nothing of the kind: its board must say "declared", not "kept"
TERM = re.compile(r"(\d+)(min|h|d|mo|y)")


def after(start, term):
    """A term later, in milliseconds, by the calendar of UTC; minutes and hours are exact."""
    count, unit = TERM.fullmatch(term).groups()
    day = start // DAY * DAY
    return {"min": start + int(count) * 60_000, "h": start + int(count) * 3_600_000, "d": day + int(count) * DAY,
            "mo": add_months(day, int(count)), "y": add_months(day, 12 * int(count))}[unit]


def end_of(row, start):
    """When a row of `retention` lets go of what began then."""
    if row["from"] == "year_end":
        start = milliseconds(f"{moment(start).year}-12-31")
    whole = [row[key] for key in ("active", "archive") if key in row]
    months = [int(TERM.fullmatch(term)[1]) * (12 if term.endswith("y") else 1) for term in whole if term.endswith(("mo", "y"))]
    if len(months) == len(whole):
        return add_months(start // DAY * DAY, sum(months))
    for term in whole:
        start = after(start, term)
    return start


class Terms:
    """A server under a policy, and what is held there under each of its terms. Each thing: (key, when it ends, is it there?)."""

    def __init__(self, server):
        self.server, self.operator = server, server.operator()
        self.now = milliseconds(NOW)
        self.document = sample.Document(self.operator.get("/v1/policy").expect(200).json["document"])
        self.app = server.client(self.document.actor())
        self.number, self.using, self.things = 100, [], []
        self.rows = self.document.tree["retention"]

    # ---- People and what they have. ----

    def person(self, used=True):
        self.number += 1
        ident = self.app.create(sample.person(self.document, self.number))["id"]
        if used:
            self.using.append(ident)            # they go on using their account, so that only the term in question ends
        return ident

    def put(self, ident, category):
        """Something of that category, that happened now and came from whom the policy lets it come from."""
        body = self.document.categories[category]
        filled = sample.fields(body, self.number)
        for name, field in body["fields"].items():
            if name in filled and field["type"] in ("date", "time"):
                filled[name] = NOW[:10] if field["type"] == "date" else NOW
        source = (sample.listed(body.get("source")) or ["person"])[0]
        if body.get("stream") == "folders":
            kind, row = next(iter(self.document.tree["folders"].items()))
            self.number += 1
            data, (where, name) = sample.person(self.document, self.number), self.document.identifier()
            giver = staff(self.server, data, data[where][name], sample.listed(row["granted_by"])[0])
            giver.post(f"/v1/subjects/{ident}/folders", {"folder": kind, "name": "F-1", "why": "asked for"}).expect(201)
            return
        purpose = self.document.using(category)
        if purpose and self.document.purposes[purpose[0]]["basis"] == "consent":
            channels = sample.listed(self.document.purposes[purpose[0]].get("channels"))
            self.app.consent(ident, purpose[0], "given", wording="Yes.", **({"channel": channels[0]} if channels else {})).expect(201)
        if sample.truth(body.get("many")):
            self.app.record(ident, category, filled, source=source).expect(201)
        else:
            permitted = f"&permitted={NOW}" if sample.truth(self.document.tree["sources"].get(source, {}).get("permission")) else ""
            self.app.patch(f"/v1/subjects/{ident}?source={source}{permitted}", {category: filled}, etag="*").expect(200)

    def held(self, ident, category):
        """As the operator sees it, or the archive, once the person is closed or erased."""
        answer = self.operator.get(f"/v1/subjects/{ident}/access").expect(200, 404)
        if answer.status == 200:
            return bool(answer.json["data"].get(category)) or any(row["category"] == category for row in answer.json["folders"])
        return any((row["id"], row["category"]) == (ident, category) for row in self.operator.get("/v1/archive").expect(200).json["archive"])

    # ---- What is tried for each key. ----

    def add(self, key, end, there):
        self.things.append((key, end, there))

    def of_category(self, key):
        begins = self.rows[key]["from"]
        # A term from the last use is that of somebody who uses nothing any more; every other person goes on using their account.
        ident = self.person(used=begins not in ("last_use", "closure"))
        self.put(ident, key)
        if begins == "last_use":
            self.app.post(f"/v1/subjects/{ident}/events", {"event": "last_use", "at": NOW}).expect(204)
        elif begins not in ("collection", "event", "year_end"):
            self.app.post(f"/v1/subjects/{ident}/events", {"event": begins, "at": NOW}).expect(204)
        end, file = end_of(self.rows[key], self.now), self.operator.get(f"/v1/subjects/{ident}/access").expect(200).json
        said = [one["until"] for row in file["categories"] if row["category"] == key for one in row["records"]]
        check(all(until and milliseconds(until) == end for until in said), f"retention.{key}: told {said}, and it ends {moment(end)}")
        self.add(key, end, lambda: self.held(ident, key))

    def of_accounts(self, key):
        ident = self.person(used=False)
        self.add(key, end_of(self.rows[key], self.now), lambda: self.app.read(ident, self.document.main_purpose()).expect(200, 404).status == 200)

    def in_ledger(self, ident, channel):
        rows = self.operator.get(f"/v1/subjects/{ident}/access").expect(200).json["consents"]
        return any((row.get("channel") == "objection") == (channel == "objection") for row in rows)

    def of_consents(self, key):
        if not self.document.consent_purposes():          # then there is no consent to prove: none is taken for any purpose
            ident = self.person()
            for purpose in self.document.purposes:
                self.app.consent(ident, purpose, "given", wording="Yes.").expect(403, 409, 422)
            return
        ident, purpose = self.person(), self.document.consent_purposes()[0]
        channel = {"channel": name for name in sample.listed(self.document.purposes[purpose].get("channels"))[:1]}
        for decision in ("given", "withdrawn"):
            self.app.consent(ident, purpose, decision, wording="Yes.", **channel).expect(201)
        self.add(key, end_of(self.rows[key], self.now), lambda: self.in_ledger(ident, ""))

    def of_objections(self, key):
        able = [name for name in self.document.actor_purposes() if self.document.purposes[name]["basis"] == "legitimate_interest"
                or sample.truth(self.document.purposes[name].get("marketing"))]
        check(able, "there is nothing to object to")
        for purpose in able:
            ident = self.person()
            if self.document.purposes[purpose]["basis"] == "consent":
                self.app.consent(ident, purpose, "given", wording="Yes.",
                                 **{"channel": name for name in sample.listed(self.document.purposes[purpose].get("channels"))[:1]}).expect(201)
            self.app.put(f"/v1/subjects/{ident}/objections/{purpose}").expect(204)
            self.add(key, end_of(self.rows[key], self.now), lambda ident=ident: self.in_ledger(ident, "objection"))
            if self.document.purposes[purpose]["basis"] == "consent":       # what was given before it is not given again when it is forgotten
                self.add("objections: the consent before it", 0, lambda ident=ident, purpose=purpose: purpose in
                         self.operator.get(f"/v1/subjects/{ident}/access").expect(200).json["live"] and
                         not self.in_ledger(ident, "objection"))

    def of_former(self, key):
        ident = self.person()
        category = next(name for name in self.document.single() if any(field["type"] == "text" and "when" not in field and
                        "identifier" not in field for field in self.document.categories[name]["fields"].values()))
        name = next(name for name, field in self.document.categories[category]["fields"].items()
                    if field["type"] == "text" and "when" not in field and "identifier" not in field)
        self.app.patch(f"/v1/subjects/{ident}", {category: {name: "Otherwise"}}, etag="*").expect(200)
        self.add(key, end_of(self.rows[key], self.now),
                 lambda: bool(self.operator.get(f"/v1/subjects/{ident}/access").expect(200).json["former"]))

    def of_requests(self, key):
        ident = self.person(used=False)
        certificate = self.app.erase(ident)["certificate"]["id"]
        self.add(key, end_of(self.rows[key], self.now),
                 lambda: self.app.get(f"/v1/certificates/{certificate}").expect(200, 404, 410).status == 200)

    def of_breaches(self, key):
        ident = self.app.post("/v1/breaches", {"what": "A planted list"}).expect(201).json["id"]
        for move, body in (("facts", {"effects": "None", "remedy": "Called back"}), ("assess", {"risk": "negligible", "text": "Nothing left"}),
                           *(("told", {"party": one["party"]}) for one in self.app.get(f"/v1/breaches/{ident}").expect(200).json["parties"]),
                           ("close", {"text": "Two pairs of eyes"})):
            self.app.post(f"/v1/breaches/{ident}/moves/{move}", body).expect(200)
        self.add(key, end_of(self.rows[key], self.now), lambda: self.app.get(f"/v1/breaches/{ident}").expect(200, 404).status == 200)

    def of_journal(self, key):
        ident, first = self.person(), moment(self.now).strftime("%Y-%m-%dT%H:%M")
        self.add(key, end_of(self.rows[key], self.now), lambda: any(
            row["time"].startswith(first) for row in self.operator.get(f"/v1/subjects/{ident}/access").expect(200).json["looks"]))

    def of_nothing(self, key):
        clauses = self.operator.get("/v1/promises?fresh=true").expect(200).json["clauses"]
        said = {row["state"] for row in clauses if row["path"] == f"retention.{key}"}
        check(said == {"declared"}, f"retention.{key}: nothing of the kind is stored, and the board says {said}")

    def prepare(self):
        for key in self.rows:
            if key in self.document.categories:
                self.of_category(key)
            elif key in NOT_STORED:
                self.of_nothing(key)
            else:
                way = getattr(self, f"of_{key}", None)
                check(way, f"retention.{key}: there is no clock test for it")
                way(key)

    # ---- Time passes. ----

    def live_on(self):
        for ident in self.using:
            self.app.post(f"/v1/subjects/{ident}/events", {"event": "last_use"}).expect(204)

    def run(self):
        """The number of terms that were seen to end."""
        self.prepare()
        wrong = []
        ends = sorted({end for _, end, _ in self.things if end})
        last = 0
        for at, before in sorted({(end - DAY, True) for end in ends} | {(end + DAY, False) for end in ends}):
            for step in range(last + 150 * DAY, at, 150 * DAY) if last else ():     # no longer without use than any account's term
                self.server.set_clock(step)
                self.live_on()
            last = at
            self.server.set_clock(at)
            self.live_on()
            self.server.sweep()
            for key, end, there in self.things:
                if not end and there():
                    wrong.append(f"{key}: at {moment(at):%Y-%m-%d}")
                elif end == at + DAY and before and not there():
                    wrong.append(f"retention.{key}: gone a day before its end of {moment(end):%Y-%m-%d}")
                elif end == at - DAY and not before and there():
                    wrong.append(f"retention.{key}: held a day after its end of {moment(end):%Y-%m-%d}")
        check(not wrong, "\n".join(wrong))
        return len(ends)
