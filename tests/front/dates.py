"""One date wherever the end of something is told: the person's page, the access answer, the export, what an erasure foresees, its certificate, the
archive, and what then happens; with a hold, with one that has no end, under a restriction, closed, erased."""
import os, re
import sample
from browser import member
from garant import DAY, TOP, Server, check, milliseconds, moment
from identifiers import variant
from mailbox import Mailbox
from terms import NOW, Terms
from words import word

MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]


def day(until):
    """As a page says it."""
    at = moment(milliseconds(until))
    return f"{at.day} {MONTHS[at.month - 1]} {at.year}"


def told(file):
    """By category and item: until when, and when it goes to the archive."""
    return {(row["category"], one["item"]): (one["until"], one["archived_at"]) for row in file["categories"] for one in row["records"]}


def newest(file):
    """The last end of each category, None when one of its things has none."""
    ends = {}
    for (category, _), (until, _) in told(file).items():
        ends[category] = None if until is None or ends.get(category, "") is None else max(until, ends.get(category, ""))
    return ends


def cards(page):
    """The texts of a page's cards, by category."""
    parts = re.split(r'<section class="card" aria-labelledby="c-(\w+)">', page.html)
    return {name: re.sub(r"<[^>]*>", " ", text) for name, text in zip(parts[1::2], parts[2::2])}


def filled(terms, number):
    """A person with something in every category that has a term; signed in where staff open accounts."""
    document = terms.document
    terms.number = number
    data, (where, name) = sample.person(document, number), document.identifier()
    by_staff = "staff" in sample.listed(document.tree["accounts"].get("opened_by"))
    browser, ident = member(terms.server, data, data[where][name]) if by_staff else (None, terms.app.create(data)["id"])
    for category in document.categories:
        if category in terms.rows and document.categories[category].get("stream") != "folders":
            terms.put(ident, category)
    return browser, ident


def everywhere(terms, browser, ident):
    """What one person is told, compared; the access answer."""
    file = terms.app.get(f"/v1/subjects/{ident}/access").expect(200).json
    _, exported = terms.app.export(ident)
    check(told(exported) == told(file), f"the export tells {told(exported)}, the access answer {told(file)}")
    check(exported["until"] == file["until"], "two ends of the whole")
    page = cards(browser.get("/me").expect(200)) if browser else {}
    for (category, item), (until, _) in told(file).items():
        if category in page and until and f"{word('card.erased')} {day(until)}" not in " ".join(page[category].split()):
            check(False, f"{category} {item}: the page does not say {day(until)}: {page[category]}")
    return file


def erased(terms, browser, ident, held):
    """An erasure: foreseen, certified and archived alike, and as the access answer told of what is `held` by the policy."""
    foreseen = browser.get("/me/erase").expect(200).read.text if browser else None
    kept = {row["category"]: row["until"] for row in terms.app.erase(ident)["certificate"]["kept"]}
    for category, until in kept.items():
        check(not foreseen or (day(until) if until else word("erase.open")) in foreseen, f"{category}: foreseen otherwise than {until}")
    archive = {row["category"]: row["until"] for row in terms.operator.get("/v1/archive").expect(200).json["archive"] if row["id"] == ident}
    kept.pop("consents", None)
    check(archive == kept, f"the archive tells {archive}, the certificate {kept}")
    for category, until in kept.items():
        rows = terms.operator.get(f"/v1/archive/{ident}/{category}?reason=look").expect(200).json["records"]
        check(max(row["until"] or "9" for row in rows) == (until or "9"), f"{category}: read in the archive {rows}, certified {until}")
        check(held.get(category, until) == until, f"{category}: told before {held.get(category)}, certified {until}")
    return kept


def gone_on_time(terms, ident, kept):
    """Each thing of an erased person is there the day before what was told of it, and not the day after."""
    for until in sorted({until for until in kept.values() if until}):
        for move, there in ((-DAY, True), (DAY, False)):
            terms.server.set_clock(milliseconds(until) + move)
            terms.server.sweep()
            left = {row["category"] for row in terms.operator.get("/v1/archive").expect(200).json["archive"] if row["id"] == ident}
            for category, end in kept.items():
                check(end != until or (category in left) == there, f"{category}: {'not ' if there else ''}there at {moment(terms.server.now())}, told {until}")


def register(tests):
    for policy in ("myportal", "site-fr", "deskmanager", "myownconference", "mxplorerplace"):
        @tests.test(f"dates: one end wherever it is told, under {policy}")
        def one_end(policy=policy):
            with Server(policy, now=NOW, tenant="myownconference" if policy == "myownconference" else None) as server:
                terms = Terms(server)
                document, people = terms.document, [filled(terms, number) for number in range(10, 15)]
                plain, timed, open_, still, closed = people
                by_law = {name for name, body in document.categories.items() if sample.truth(body.get("held"))}
                later, category = "2040-01-02T00:00:00.000Z", document.single()[0]
                server.operator().post(f"/v1/subjects/{timed[1]}/holds", {"category": category, "ground": "file 7", "until": later}).expect(201)
                server.operator().post(f"/v1/subjects/{open_[1]}/holds", {"category": "*", "ground": "file 8"}).expect(201)
                terms.app.put(f"/v1/subjects/{still[1]}/restriction", {"ground": "accuracy contested"}).expect(204)
                files = [everywhere(terms, *one) for one in people]
                check(all(until is None for until, _ in told(files[2]).values()) and files[2]["until"] is None, "an open hold has an end")
                check(all(until is None for until, _ in told(files[3]).values()) and files[3]["until"] is None, "a restriction has an end")
                before = newest(files[0])
                check(newest(files[1])[category] == (later if before[category] else None), f"with a hold: {newest(files[1])[category]}")
                # Closed: the operator and the archive tell the same.
                terms.app.post(f"/v1/subjects/{closed[1]}/close").expect(204)
                file = newest(server.operator().get(f"/v1/subjects/{closed[1]}/access").expect(200).json)
                archive = {row["category"]: row["until"] for row in server.operator().get("/v1/archive").expect(200).json["archive"]}
                check(archive == file, f"closed: the archive tells {archive}, the access answer {file}")
                # Erased: foreseen, certified, archived, and gone on that day.
                kept = erased(terms, *plain, {name: before[name] for name in by_law})
                check(set(kept) == by_law, f"kept: {kept}, and the policy holds {by_law}")
                held = erased(terms, *timed, {name: before[name] for name in by_law} | {category: later})
                check(set(held) == by_law | {category}, f"kept with a hold: {held}")
                check(all(until is None for until in erased(terms, *open_, {}).values()), "an open hold has an end in the certificate")
                gone_on_time(terms, timed[1], held)
                return f"{sum(len(told(file)) for file in files)} ends"

    @tests.test("dates: the receipt of a consent that was signed before its version was published here names the policy of its day")
    def receipt():
        with Server("myportal", now="2026-12-20T10:00:00Z", start=False) as server:
            with open(os.path.join(TOP, "policies/myportal.yaml"), encoding="utf-8") as file:
                first = file.read()
            server.policy = os.path.join(server.folder, "policy.yaml")

            def write(text):
                with open(server.policy, "w", encoding="utf-8") as file:
                    file.write(text)
            write(first)
            server.start()
            app = server.client("app")
            ident = app.create({"identity": {"first_name": "Irma", "last_name": "Vidal"}, "contact": {"email": "irma@people.example"}})["id"]
            scan = app.request("POST", f"/v1/subjects/{ident}/attachments?category=consents&name=signed.pdf", b"%PDF-1.4 planted signature",
                               [("Content-Type", "application/pdf")]).expect(201).json["id"]
            app.post(f"/v1/subjects/{ident}/signed", {"purpose": "news", "channel": "email", "decision": "given", "method": "paper", "signed": "2026-12-12",
                                                      "version": "2.0", "language": "en", "scan": scan}).expect(201)
            server.advance(minutes=1)
            write(first.replace('version: "2.0"', 'version: "2.1"').replace("date: 2026-11-21", "date: 2026-12-20"))
            server.operator().post("/v1/policy/reload").expect(200)
            check(server.operator().get("/v1/policy").json["version"] == "2.1", "it is not in force")
            place = server.operator().get(f"/v1/subjects/{ident}/consents").expect(200).json["consents"][0]["receipt"]
            notice = str(server.operator().get(f"/v1/subjects/{ident}/receipts/{place}").expect(200).json["receipt"])
            check("2026-11-21" in notice and "2026-12-20'" not in notice, notice)

    @tests.test("dates: a version that applies sooner than people were promised is warned of; who heard of one that is withdrawn hears that too")
    def withdrawn():
        with Mailbox() as mailbox, Server("site-fr", now=NOW, start=False, arguments=mailbox.arguments()) as server:
            with open(os.path.join(TOP, "policies/site-fr.yaml"), encoding="utf-8") as file:
                first = file.read()
            server.policy = os.path.join(server.folder, "policy.yaml")

            def write(text):
                with open(server.policy, "w", encoding="utf-8") as file:
                    file.write(text)

            def reload(date=None):
                """The findings of a reload: of the first version, or of another that applies from `date`."""
                write(first if not date else first.replace("date: 2026-11-21", f"date: {date}").replace('version: "2.0"', 'version: "2.1"')
                      .replace("exchanges: {from: event, active: 3y}", "exchanges: {from: event, active: 4y}"))
                return server.operator().post("/v1/policy/reload").expect(200).json
            write(first)
            server.start()
            document = sample.Document(server.operator().get("/v1/policy").expect(200).json["document"])
            app, (where, name) = server.client(document.actor()), document.identifier()
            data = [sample.person(document, number) for number in range(4)]
            told = [one[where][name] for one in data[:3]]
            idents = [app.create(one)["id"] for one in data[:3]]
            for date, warned in (("2026-12-21", True), ("2026-12-22", False)):
                answer = reload(date)
                check([row["path"] for row in answer["findings"]] == ["policy.date"] * warned, f"{date}: {answer}")
                check(answer["coming"]["version"] == "2.1", f"{answer}")
                for address in told:
                    mailbox.wait(address, "policy_changed", count=1 if warned else 2)
                if warned:
                    continue
                server.advance(minutes=1)
                server.advance(seconds=1)
                app.create(data[3])                              # came after it was announced, and was not told
                app.erase(idents[2])                             # was told, and is no more
                check(reload()["findings"] == [], "the version in force is warned of")
            for address in told[:2]:                             # of the first when the second took its place, then of the second
                mailbox.wait(address, "policy_withdrawn", count=2)
                days = sorted(re.findall(r"\b(\d+) décembre 2026", " ".join(letter.text for letter in mailbox.find(address, "policy_withdrawn"))))
                check(days == ["21", "22"], f"{address} heard of the withdrawal of {days}")
            mailbox.none_within(1.5, data[3][where][name])
            check(len(mailbox.find(told[2], "policy_withdrawn")) <= 1 and len(mailbox.find(told[0], "policy_withdrawn")) == 2, "told again and again")
            return f"{len(told)} people, two versions announced and withdrawn"

    @tests.test("dates: the ground of a hold is told in the language of its reader, in the access answer and the archive")
    def grounds():
        both = ('    ground: "RGPD 17(3)(e)"', '    ground: {fr: "Défendre un droit en justice.", en: "Defend a claim in court."}')
        with Mailbox() as mailbox, variant("policies/site-fr.yaml", both) as policy, Server(policy, arguments=mailbox.arguments()) as server:
            document = sample.Document(server.operator().get("/v1/policy").expect(200).json["document"])
            app = server.client(document.actor())
            made = app.create(sample.person(document, 1), source="person")["id"]
            operator = server.operator()
            operator.post(f"/v1/subjects/{made}/holds", {"category": "contact", "ground": "litigation"}).expect(201)
            for language, says in (("en", "Defend a claim in court."), ("fr", "Défendre un droit en justice.")):
                operator.headers = {"Accept-Language": language}
                held = operator.get(f"/v1/subjects/{made}/access").expect(200).json["holds"]
                check([hold["ground"] for hold in held] == [says], f"{language}: {held}")
            operator.erase(made)
            for language, says in (("en", "Defend a claim in court."), ("fr", "Défendre un droit en justice.")):
                operator.headers = {"Accept-Language": language}
                rows = operator.get("/v1/archive").expect(200).json["archive"]
                check(says in [row["ground"] for row in rows], f"{language}: {rows}")
            typed = app.create(sample.person(document, 2), source="person")["id"]
            for ground in ('{"en":"x"}', '{"en":"Because"', "Affaire 12"):
                operator.post(f"/v1/subjects/{typed}/holds", {"category": "contact", "ground": ground}).expect(201)
            check(sorted(hold["ground"] for hold in operator.get(f"/v1/subjects/{typed}/access").expect(200).json["holds"]) ==
                  sorted(['{"en":"x"}', '{"en":"Because"', "Affaire 12"]), "a ground that was typed is told otherwise")
