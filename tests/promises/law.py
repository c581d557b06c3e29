"""What the linter and the versions keep of promises whose other part is kept elsewhere, or is still open."""
import html, json, os, re
from garant import TOP, check, check_absent, garant, policy_file
from mailbox import URL, Mailbox
from notices import NOW, own_copy, page, plain, published
from people import registered
from promise import part, partly, promise


def lint(path, *more):
    """The findings of a policy file, by rule."""
    found = {}
    for finding in json.loads(garant("lint", path, "--json", *more, ok=None).stdout):
        found.setdefault(finding["rule"], []).append(finding)
    return found


def as_published(t):
    return policy_file("published/" + t.policy)


def line_of(finding):
    with open(os.path.join(TOP, finding["file"]), encoding="utf-8") as file:
        return file.read().split("\n")[finding["line"] - 1]


def error(found, rule, says, at):
    """The one finding of that rule: an error, not accepted, that says this at a line with that."""
    check(len(found.get(rule, [])) == 1, f"{rule}: {found.get(rule)}")
    finding = found[rule][0]
    check(finding["severity"] == "E" and not finding["accepted"], f"{finding}")
    check(says in finding["message"] and at in line_of(finding), f"{rule} says {finding} of {line_of(finding)!r}")


def refuses(t, path, *says):
    """A server does not start on that file, and says why."""
    status, said = t.server(policy=path, start=False).refuses_to_start()
    check(status == 78 and all(word in said for word in says), f"status {status}: {said}")


def sixty_days(t):
    """Of the notice as published and of the running file with its 60 days, which does not start; one month leaves no remark."""
    error(lint(as_published(t)), "R02", "rights.answer_within: 60d > 1mo", "answer_within: 60d")
    french = lint(as_published(t), "--lang", "fr")["R02"][0]["message"]
    check(french == "Délai de réponse supérieur à un mois : rights.answer_within: 60d > 1mo", french)
    check("R02" not in lint(policy_file(t.policy)), "one month is remarked on")
    late = t.copy_of_policy(lambda text: text.replace("answer_within: 1mo", "answer_within: 60d"))
    error(lint(late), "R02", "60d > 1mo", "answer_within: 60d")
    refuses(t, late, "R02 (line ")
    for within in ("31d", "30d", "15d"):
        check("R02" not in lint(t.copy_of_policy(lambda text: text.replace("answer_within: 1mo", f"answer_within: {within}"))), within)


@partly("MP-18", "the linter computes the entropy and compares it with the CNIL's levels")
def entropy(t):
    """Eight characters of four classes are 53 bits: too few alone, enough where attempts are slowed down."""
    def with_password(body):
        return t.copy_of_policy(lambda text: re.sub(r"\n  password:\n(?:    .*\n)+", f"\n  password: {{{body}}}\n", text))
    every = "classes: [upper, lower, digit, special]"
    with part("the linter computes the entropy"):
        error(lint(as_published(t)), "S01", "security.password.min_length: 53.0 bits < 80 bits", "min_length: 8")
        check("S01" not in lint(policy_file(t.policy)), "eight characters with slowed attempts are remarked on")
    with part("compared with the CNIL's levels, and no server runs below them"):
        for body, says in ((f"min_length: 8, {every}", "53.0 bits < 80 bits"), ("min_length: 13, classes: [upper, lower]", "74.1 bits < 80 bits"),
                           ("min_length: 12, classes: [digit], attempts: 5", "39.9 bits < 50 bits"),
                           ("min_length: 3, classes: [digit], profile: cnil-device, attempts: 3", "10.0 bits < 13 bits")):
            weak = with_password(body)
            check(says in lint(weak)["S01"][0]["message"], f"{body}: {lint(weak).get('S01')}")
            refuses(t, weak, "S01 (line ")
        for body in (f"min_length: 12, {every}", f"min_length: 8, {every}, attempts: 5", "words: 7", "min_length: 18, classes: [lower]",
                     "min_length: 4, classes: [digit], profile: cnil-device, attempts: 3"):
            check("S01" not in lint(with_password(body)), f"{body} is remarked on")


@promise("MO-04")
def kept_to_a_minimum(t):
    """The linter points at a category that no purpose uses. A server does not run with one, whatever its file accepts, and a running
    one does not take it over; so nothing can be held in it."""
    unused = "  hobbies:\n    title: {fr: Loisirs, en: Hobbies}\n    many: true\n    fields: {hobby: {type: text}}\n"
    term = "  hobbies: {from: collection, active: 1y}\n"
    path = t.copy_of_policy(lambda text: text.replace("\npurposes:\n", "\n" + unused + "\npurposes:\n").replace("\nretention:\n", "\nretention:\n" + term))
    with open(path, encoding="utf-8") as file:
        wide = file.read()
    line, reason = wide[:wide.index("  hobbies:\n")].count("\n") + 1, 'no purpose uses the category "hobbies"'
    with part("the linter points at a category without purpose, with its line, in both languages"):
        error(lint(path), "N06", "categories.hobbies", "hobbies:")
        french, english = (lint(path, "--lang", language)["N06"][0] for language in ("fr", "en"))
        check(french["line"] == english["line"] == line and french["message"] != english["message"], f"{french} {english}")
        check("N06" not in lint(policy_file(t.policy)), "the running policy has a category without purpose")
    with part("no server runs with it, whatever its file accepts"):
        refuses(t, path, reason, f"{path}:{line}:")
        checked = garant("check", path, ok=None)
        check(checked.returncode != 0 and f"{path}:{line}:" in checked.stdout + checked.stderr, f"garant check takes it: {checked}")
        with open(path, "a", encoding="utf-8") as file:
            file.write("\naccept: {N06: 'planted'}\n")
        refuses(t, path, reason)
    edit = own_copy(t)
    server = t.server(policy=edit(), tenant="myownconference")
    client = server.client("app")
    with part("nor does a running one take it over"):
        with open(t.path("policy.yaml"), "w", encoding="utf-8") as file:
            file.write(wide)
        before = client.get("/v1/policy").expect(200).json["hash"]
        answer = server.operator().post("/v1/policy/reload").expect(422)
        check([reason in finding["message"] for finding in answer.json["findings"]] == [True], f"{answer.body}")
        check(client.get("/v1/policy").expect(200).json["hash"] == before, "it was taken over all the same")
    with part("the server refuses what would be held in it: made, changed, recorded, attached, in memory"):
        data = {"identity": {"display_name": "kestrel"}, "login": {"email": "kestrel@rooms.example"}}
        ident = client.create(data)["id"]
        hobby = {"hobby": "Planted falconry"}
        for answer in (client.record(ident, "hobbies", hobby), client.post("/v1/subjects", {"data": {**data, "hobbies": hobby}, "source": "person"}),
                       client.change(ident, "service", {"hobbies": hobby}), client.put(f"/v1/subjects/{ident}/transient/hobbies", hobby),
                       client.put(f"/v1/subjects/{ident}/preferences/hobbies/a?purpose=service", hobby),
                       client.request("POST", f"/v1/subjects/{ident}/attachments?category=hobbies&name=a.txt", b"Planted falconry",
                                      {"Content-Type": "text/plain"}.items())):
            problem = answer.refused("undeclared", status=422, clause="^categories", promise="MO-04")
            check("Planted" not in json.dumps(problem), f"{problem}")
        held = client.get(f"/v1/subjects/{ident}/access").expect(200).body.decode()
        check("Planted" not in held, "data for nothing are held")
        check_absent(["Planted falconry"], server.folder)


@partly("MO-17", "the linter reports the contradiction in the original text")
def cookie_contradiction(t):
    """The site sets none, and sets one; anonymous, and spares the password; a session, and 30 days."""
    with part("the linter reports the contradiction in the original text"):
        found = lint(as_published(t))
        error(found, "K02", "statements.site_sets_", "site_sets_")
        error(found, "K08", "cookies.x", "x:")
        check(found["K09"][0]["severity"] == "W" and "lifetime: 30d" in line_of(found["K09"][0]), f"{found['K09']}")
        check(not {"K02", "K08", "K09", "D06"} & set(lint(policy_file(t.policy))), "the running policy contradicts itself")


@promise("MO-28")
def changes_are_told(t):
    """What a site shows its visitors: the version, its date, what changed in both languages, and where it is explained; and the same
    by e-mail, once to each person who was there."""
    edit, mailbox = own_copy(t), t.enter_context(Mailbox())
    server = t.server(policy=edit(), tenant="myownconference", now=NOW, arguments=mailbox.arguments())
    people = told_people(server, mailbox)
    days = {"fr": "24 décembre 2026", "en": "24 December 2026"}

    def banner(language="fr"):
        return server.anyone().get("/v1/policy/banner", **{"Accept-Language": language}).expect(200).json
    with part("version and date are on the page"):
        first = banner()
        for language, day in (("fr", "21 novembre 2026"), ("en", "21 November 2026")):
            text = plain(page(server, "/privacy", language))
            check(f"ersion {first['version']}" in text and day in text, f"version and date are not on the page in {language}")
    with part("the banner tells it, in both languages"):
        check(first["changed"] is False and first["says"] == [], f"a first version has changed: {first}")
    with open(policy_file(t.policy), encoding="utf-8") as file:
        text = file.read()
    head, date = (re.search(rf"\n  {key}: .*\n", text).group(0) for key in ("version", "date"))
    term = re.search(r"\n  connection: \{from: event, active: (\w+)[^\n]*\n", text)
    longer = re.sub(r"active: \w+", "active: 3y", term.group(0))
    old, new = published(server, edit, (head, "\n  version: '7.5'\n"), (date, "\n  date: 2026-12-24\n"), (term.group(0), longer))
    link, word = f"/privacy/versions/{old}/diff/{new}", {"fr": "gardées pendant 3 ans", "en": "kept for 3 years"}
    with part("the banner tells it, in both languages"):
        for language in days:
            said = banner(language)
            check(said["changed"] and said["version"] == "7.5" and said["date"] == "2026-12-24" and said["link"] == link, f"{said}")
            check(any(word[language] in plain(change) for change in said["says"]), f"{said}")
    with part("with the differences"):
        for language in days:
            for change in banner(language)["says"]:
                check(change in html.unescape(page(server, link, language)), f"the page of differences does not say {change!r}")
        ran = json.loads(garant("diff", policy_file(t.policy), t.path("policy.yaml"), "--json", "--lang", "fr"))
        check(set(banner()["says"]) <= {change["says"] for change in ran["changes"]}, f"the command says {ran}")
    with part("version and date are on the page"):
        for language, day in days.items():
            notice = plain(page(server, "/privacy", language))
            check("ersion 7.5" in notice and day in notice, f"the page in {language} has not version and date")
    with part("the mail tells it, in both languages, once to each person, whatever they chose"):
        for address, language in people.items():
            letter = mailbox.wait(address, "policy_changed")
            check(days[language] in plain(letter.text) and days[language] in plain(letter.subject) and "7.5" in letter.text, f"{letter.text}")
            for change in banner(language)["says"]:
                check(change in letter.text and plain(change) in plain(html.unescape(letter.html)), f"{change!r} is not in {letter.text}")
            check(letter.links[0] == f"{URL}{link}?lang={language}", f"{letter.links}")
            server.anyone().get(letter.links[0][len(URL):]).expect(200)
        # Once to each, and of what matters only; who comes later came under it.
        server.advance(hours=1)
        server.client("app").create({"identity": {"display_name": "late"}, "login": {"email": "late@rooms.example"}})
        server.restart()
        published(server, edit, ("  scope: {fr: \"", "  scope: {fr: \"Aussi : "))
        check(not banner()["changed"], f"a change of words matters: {banner()}")
        mailbox.none_within(2.5, letter="policy_changed", count=len(people))


def told_people(server, mailbox):
    """Three people without an account, one of whom refused everything that can be refused, and one with an account in English: the language of each
    address."""
    client = server.client("app")
    made = {f"told.{number}@rooms.example": client.create({"identity": {"display_name": f"told-{number}"},
            "login": {"email": f"told.{number}@rooms.example"}})["id"] for number in range(3)}
    client.consent(made["told.2@rooms.example"], "product_news", "refused", channel="email").expect(201)
    client.put(f"/v1/subjects/{made['told.2@rooms.example']}/objections/product_news").expect(204)
    registered(server, mailbox, {"identity": {"display_name": "told-3"}, "login": {"email": "told.3@rooms.example"}}, "told.3@rooms.example", language="en")
    return {**dict.fromkeys(made, "fr"), "told.3@rooms.example": "en"}


@partly("DM-04", "a recoverable password and a secret question are errors of the linter, and no server runs with them")
def no_recoverable_password(t):
    """Of the notice as published; and each alone in the running file stops the start, so that it is never built."""
    found = lint(as_published(t))

    def stops(before, after, rule):
        refuses(t, t.copy_of_policy(lambda text: text.replace(before, after, 1)), f"{rule} (line ")
    with part("a recoverable password is a lint error"):
        error(found, "S02", "security.password.storage", "storage: recoverable")
        for storage in ("recoverable", "clear"):
            stops("storage: argon2id", f"storage: {storage}", "S02")
    with part("a secret question is a lint error"):
        error(found, "S03", "security.password.secret_question", "secret_question: true")
        stops("secret_question: false", "secret_question: true", "S03")
        check(not {"S02", "S03"} & set(lint(policy_file(t.policy))), "the running policy recovers passwords")


@partly("DM-07", "flash cookies are linted as dead, a third-party tracker for its transfer")
def dead_and_abroad(t):
    """Of the notice as published; and a tracker's provider outside the area stops the start unless its transfer is founded."""
    found = lint(as_published(t))
    error(found, "K10", "trackers.kinds: flash †2020-12-31", "flash")
    check("recipients.google_analytics.country" in found["P03"][0]["message"], f"{found['P03']}")
    check("third_parties" in line_of(found["K13"][0]), f"{found['K13']}")
    check(found["P05"][0]["severity"] == "E" and "transfers: {}" in line_of(found["P05"][0]), f"{found['P05']}")

    def with_tracker(country, more=""):
        tracker = "  measure:\n    title: {fr: Mesure, en: Measure}\n    name: Exemple Mesure Inc.\n    kinds: [mesure]\n    purposes: [personalisation]\n" \
                  f"    categories: [usage]\n    country: {country}\n    processor: true\n    contract: 2026-11-01\n    contract_kind: article_28\n" \
                  f"    charter: accepted\n    answers_rights: controller\n{more}"
        return t.copy_of_policy(lambda text: text.replace("\nrecipients:\n", "\nrecipients:\n" + tracker))
    for country, rule in (("US", "P07"), ("IN", "P04")):
        abroad = with_tracker(country)
        error(lint(abroad), rule, "recipients.measure.safeguard", "measure")
        refuses(t, abroad, f"recipients.measure is in {country}, outside hosting.area")
        check(rule not in lint(with_tracker(country, "    safeguard: scc\n")), f"{country}: standard clauses are remarked on")
