"""What several platforms promise of their notice, cookie page and versions."""
import html, json, os, re, time
from browser import Browser, member, pages_of
from garant import check, garant, milliseconds, policy_file, routes
from mailbox import URL, Mailbox
from people import PASSWORD, form, opened, registered, visitor
from promise import part, promise
from words import event, word

NOW = "2026-11-22T10:00:00Z"
TENANT = "myownconference"


def page(server, path, language="fr", status=200):
    """A page's text, its entities read."""
    answer = server.anyone().get(path, **{"Accept-Language": language}).expect(status)
    check(answer.headers["content-type"].startswith("text/html"), f"{path} is {answer.headers['content-type']}")
    return html.unescape(answer.body.decode())


def own_copy(t):
    """A copy of the platform's policy file that a server runs and that `edit` changes."""
    path = t.path("policy.yaml")
    with open(policy_file(t.policy), encoding="utf-8") as file:
        text = file.read()

    def edit(*changes):
        nonlocal text
        for before, after in changes:
            check(text.count(before) == 1, f"{before!r} stands {text.count(before)} times in the policy")
            text = text.replace(before, after)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path
    return edit


def in_force(server):
    return next(one["hash"] for one in server.anyone().get("/v1/policy/versions").expect(200).json["versions"] if one["in_force"])


def comes_into_force(server, coming, before):
    banner = server.anyone().get("/v1/policy/banner").expect(200).json
    check(banner["coming"]["version"] == coming["version"] and banner["coming"]["date"] == coming["date"] and banner["coming"]["says"], f"{banner}")
    check(in_force(server) == before, "it applies before its day")
    check("/diff/" + coming["hash"] in page(server, "/privacy"), "the notice does not announce it")
    server.set_clock(milliseconds(coming["date"] + "T00:00:00Z"))
    for _ in range(400):                                             # the server's own work of time looks about once a second
        if in_force(server) == coming["hash"]:
            return
        time.sleep(0.1)
    check(False, "it does not come into force on its day")


def published(server, edit, *changes):
    """The versions before and after a change of the file, once the server has read it again; one whose day lies ahead is announced until
    that day, while the former is in force, and comes into force by itself."""
    before = server.anyone().get("/v1/policy/versions").expect(200).json["versions"][0]["hash"]
    server.advance(hours=1)
    edit(*changes)
    coming = server.operator().post("/v1/policy/reload").expect(200).json.get("coming")
    if coming:
        comes_into_force(server, coming, before)
    after = server.anyone().get("/v1/policy/versions").expect(200).json["versions"][0]["hash"]
    check(before != after, "no new version was published")
    return before, after


@promise("MO-02")
def controller_is_named(t):
    """Page, access answer, export, letters and the notice for machines name the controller, from the policy file; each tenant its own."""
    mailbox = t.enter_context(Mailbox())
    path = t.copy_of_policy(lambda text: text.replace("legal_name: UAB Akovana", "legal_name: UAB Kita Bendrovė & Co")
                            .replace("Didžioji g. 18, 01128 Vilnius", "Naujoji g. 7, 44001 Kaunas"))

    def named(server, name, address, number):
        with part("the notice page carries name and address, in both languages"):
            for language in ("fr", "en"):
                text = page(server, "/privacy", language)
                check(name in text and address in text and "privacy@myownconference.example" in text, f"the notice in {language} does not name the controller")
            data = server.anyone().get("/privacy.jsonld").expect(200).json["dpv:hasDataController"]
            check(data["dpv:hasName"] == name, f"{data}")
            check(name in garant("notice", server.policy, "--lang", "en"), "the command's notice does not name the controller")
        client, mail = server.client("app"), f"kestrel.{number}@rooms.example"
        with part("the access answer carries name and address, and so does what is taken away"):
            registered(server, mailbox, {"identity": {"display_name": "kestrel"}, "login": {"email": mail}}, mail)
            one = visitor(server, mail, tenant=TENANT)
            for who in (client, one, server.operator()):
                controller = who.get(f"/v1/subjects/{one.id}/access").expect(200).json["controller"]
                check(controller["legal_name"] == name and controller["address"] == address, f"the access answer says {controller}")
            files, data = client.export(one.id)
            check(data["controller"]["legal_name"] == name and name in html.unescape(files["index.html"].decode()), "the export does not name the controller")
            check(name in html.unescape(one.get("/me", Accept="text/html").expect(200).body.decode()), "the person's page does not name the controller")
            said = json.loads(garant("subject", "access", one.id, "--data", server.data, "--policy", server.policy, "--tenant", TENANT, "--json"))
            check(said["controller"]["legal_name"] == name, f"the command says {said['controller']}")
        with part("letters carry name and address"):
            for letter in mailbox.find(mail):
                check(f"{name}, {address}" in letter.text and name in html.unescape(letter.html), f"{letter.text}")
            check(mailbox.find(mail), "no letter came")
    named(t.server(tenant=TENANT, arguments=mailbox.arguments()), "UAB Akovana", "Didžioji g. 18, 01128 Vilnius", 1)
    with part("from the policy file"):
        named(t.server(policy=path, tenant=TENANT, arguments=mailbox.arguments()), "UAB Kita Bendrovė & Co", "Naujoji g. 7, 44001 Kaunas", 2)


@promise("MO-19")
def third_party_advertising(t):
    """The cookie page says how to refuse it, in both languages, and a page without that clause does not."""
    server = t.server(tenant=TENANT)
    silent = t.copy_of_policy(lambda text: re.sub(r"\n  advertising: \{fr: .*\n.*en: .*\}\n", "\n", text)
                              .replace("MO-19: [trackers.advertising]", "MO-19: [trackers]"))
    with part("the cookie page holds it, in both languages, with the way there"):
        for language, says in (("fr", "Pour refuser celle des régies sur d'autres sites, suivez le lien « About Cookies »"),
                               ("en", "To refuse that of networks on other sites, follow the link")):
            check(says in plain(page(server, "/cookies", language)), f"the cookie page in {language} does not say it")
            check('href="/leave?to=about_cookies"' in page(server, "/cookies", language), "the link is not there")
        check("https://www.aboutcookies.org" in page(server, "/leave?to=about_cookies"), "it leads elsewhere")
    with part("said because the policy says it"):
        without = page(t.server(policy=silent, tenant=TENANT), "/cookies")
        check("régies" not in without and "Cookies" in without, "it is said whatever the policy says")


@promise("MO-25")
def leaving(t):
    """Each declared link passes a page that warns; no other address can be reached through it, and no page links out directly."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(tenant=TENANT, arguments=mailbox.arguments())
    declared = {"about_cookies": "https://www.aboutcookies.org", "paysera": "https://www.paysera.com", "paypal": "https://www.paypal.com"}
    with part("declared links warn before leaving, in both languages"):
        for language, says in (("fr", "propres règles"), ("en", "own rules on personal data")):
            notice = page(server, "/privacy", language)
            for name, url in declared.items():
                check(f'href="/leave?to={name}"' in notice, f"the notice does not link {name} through the warning")
                check(f'href="{url}"' not in notice, f"the notice links {url} without a warning")
                warning = page(server, f"/leave?to={name}", language)
                check(f'href="{url}"' in warning and says in warning, f"no warning before {url} in {language}: {warning}")
    with part("no page links out directly"):
        registered(server, mailbox, {"identity": {"display_name": "kestrel"}, "login": {"email": "kestrel@rooms.example"}}, "kestrel@rooms.example")
        browser = Browser(server)
        browser.sign_in("kestrel@rooms.example", PASSWORD).expect(200)
        public = [path for method, path, who in routes() if method == "GET" and who in ("PUBLIC", "ANYONE", "SELF")
                  and not path.startswith(("/v1/", "/leave", "/static")) and "{" not in path]
        seen = [browser.get(path) for path in public]
        seen = [shown for shown in seen if shown.type.startswith("text/html") and shown.status == 200]
        check(len(seen) > 15, f"only {len(seen)} pages")
        for shown in seen:
            direct = [link for link in shown.read.links if re.match(r"(https?:)?//", link)]
            check(not direct, f"{shown.path} links out without a warning: {direct}")
    with part("no other address can be reached through it"):
        for wrong in ("https://evil.example", "//evil.example", "nothing", "", "paypal%00", "PayPal", "paypal/../evil"):
            answer = server.anyone().get(f"/leave?to={wrong}")
            check(answer.status in (400, 404) and b"evil" not in answer.body, f"/leave?to={wrong}: {answer.status}")
        check(server.anyone().get("/leave").status == 400, "no name is asked for")


CLARISSE = {"contact": {"name": "Clarisse", "email": "clarisse@conso.example"}, "account": {"screen_name": "clarisse"}}


def flat(text):
    """Without what a form of the notice adds: tags, line ends, stars, straight apostrophes."""
    return " ".join(re.sub(r"<[^>]+>", "", text).replace("*", "").split()).replace("'", "’")


COOKIE_PAGES = {"fr": {"exempt": "dispensé de consentement", "asked": "non dispensé", "for": "Finalité", "term": r"\d+\u00a0(minutes|mois|jours)",
                       "manage": ["supprimer et bloquer les cookies", "Vous pouvez changer d’avis", "Refuser"]},
                "en": {"exempt": "exempt from consent:", "asked": "not exempt", "for": "Purpose", "term": r"\d+\u00a0(minutes|months|days)",
                       "manage": ["delete and block cookies", "You can change your mind", "Refusing"]}}


def every_cookie(t, server, document):
    """On the page in both languages, and in what the command writes: each declared cookie, what for, how long, with or without consent."""
    with part("the cookie page lists each cookie"):
        for language, words in COOKIE_PAGES.items():
            text = page(server, "/cookies", language)
            check(len(re.findall(r'<tr id="cookies\.', text)) == len(document["cookies"]) == 4, "other cookies stand there")
            for name, cookie in document["cookies"].items():
                row = re.search(rf'<tr id="cookies\.{name}-row".*?</tr>', text, re.S).group(0)
                asked = cookie["exempt"] == "none"
                check((words["asked"] in row) == asked and (words["exempt"] in row) == (not asked), f"{name}: consent: {row}")
                check(cookie["title"][language].rstrip(".").replace("'", "’") in row and words["for"] in row, f"{name}: what for: {row}")
                check(re.search(words["term"], row), f"{name}: lifetime: {row}")
            written = server.run("notice", "--page", "cookies", "--lang", language)
            for cookie in document["cookies"].values():
                check(flat(cookie["title"][language].rstrip(".")) in flat(written), f"the command's page lacks {cookie['title']}: {written}")
    with part("how to refuse is said"):
        for language, words in COOKIE_PAGES.items():
            text = page(server, "/cookies", language)
            check(all(said in text for said in words["manage"]), f"how to refuse is not said in {language}")
        bare = t.copy_of_policy(lambda text: text.replace("  refuse: same_level\n  withdraw: every_page\n", "  refuse: same_level\n"))
        check("You can change your mind" not in garant("notice", bare, "--page", "cookies", "--lang", "en"), "said whatever the policy says")


def linked_everywhere(server, mailbox):
    """From every page, as nobody and as somebody signed in; the link leads there."""
    registered(server, mailbox, CLARISSE, "clarisse@conso.example")
    signed, nobody = Browser(server), Browser(server)
    signed.sign_in("clarisse@conso.example", PASSWORD).expect(200)
    version = server.anyone().get("/v1/policy/versions").expect(200).json["versions"][0]["hash"]
    paths = pages_of(server, category="contact", id="01ARZ3NDEKTSV4RRFFQ69G5FAV", hash=version, older=version, newer=version, token="A" * 43)
    seen = 0
    with part("every page links the cookie page"):
        for browser in (nobody, signed):
            for path in (*paths, "/nothing-here"):
                shown = browser.send("GET", path)
                if shown.status in (302, 303):                       # it leads to another page
                    continue
                links = [link for link in shown.read.links if link.split("?")[0] == "/cookies"]
                check(links, f"{path} ({shown.status}) does not link the cookie page")
                seen += 1
        check(seen > 45, f"only {seen} pages were seen")
        check(nobody.get(links[0]).expect(200).read.title.startswith("Cookies"), "the link leads elsewhere")


def unfilled(t):
    """What a template left open is an error at its line, in the notice as published and in the running file, which then does not start."""
    with part("the unfilled placeholder is a lint error"):
        published = json.loads(garant("lint", policy_file("published/deskmanager"), "--json", ok=None).stdout)
        found = [one for one in published if one["rule"] == "D04"]
        with open(policy_file("published/deskmanager"), encoding="utf-8") as file:
            lines = file.read().split("\n")
        check(any("INSERER LE LIEN" in lines[one["line"] - 1] for one in found) and all(one["severity"] == "E" for one in found), f"{found}")
        check("D04" not in [one["rule"] for one in json.loads(garant("lint", policy_file(t.policy), "--json", ok=None).stdout)], "the running policy has one")
        for left in ("[INSÉRER LE LIEN]", "voir {{lien}}", "À COMPLÉTER", "[lien vers la politique de cookies]"):
            path = t.copy_of_policy(lambda text: text.replace("Retient votre panier.", f"Retient votre panier, {left}."))
            found = [one for one in json.loads(garant("lint", path, "--json", ok=None).stdout) if one["rule"] == "D04"]
            with open(path, encoding="utf-8") as file:
                line = next(number for number, text in enumerate(file, 1) if left in text)
            check([(one["severity"], one["accepted"], one["line"]) for one in found] == [("E", False, line)], f"{left}: {found}")
            status, said = t.server(policy=path, start=False).refuses_to_start()
            check(status == 78 and "D04 (line " in said, f"{left}: it starts: {status} {said}")


@promise("DM-13")
def cookies_are_managed(t):
    """The cookie page lists every declared cookie with purpose, lifetime, consent and refusal, every page links it; a template's
    unfilled address is an error of the linter."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(arguments=mailbox.arguments())
    every_cookie(t, server, server.client("app").get("/v1/policy").expect(200).json["document"])
    linked_everywhere(server, mailbox)
    unfilled(t)


NOT_CONFIDENTIAL = {"fr": ["peuvent être publiques", "Tout le monde peut copier ce qui est public",
                           "Tout le monde peut voir ce que vous publiez vous-même. Ce n’est pas confidentiel.",
                           "Ces protections ne couvrent pas ce que vous publiez vous-même en public"],
                    "en": ["can be public", "Anyone can copy what is public",
                           "Everyone can see what you publish yourself. It is not confidential.",
                           "These protections do not cover what you publish in public yourself"]}


@promise("DM-24")
def what_people_publish(t):
    """What people publish themselves is marked public, in the notice and with the data, and left out of what is said to be confidential."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(arguments=mailbox.arguments())
    client = server.client("app")
    registered(server, mailbox, CLARISSE, "clarisse@conso.example")
    made = client.lookup({"contact.email": "clarisse@conso.example"}, "account").expect(200).json["id"]
    content = {"title": "Ma photo", "kind": "photo"}
    client.record(made, "content", content, source="mini_site").refused("consent-missing", status=403, clause=r"^purposes\.community$")
    for purpose in ("community", "social"):                          # the second stays when the first is withdrawn
        client.consent(made, purpose, "given", wording="Oui, publiez.").expect(201)
    client.record(made, "content", content, source="mini_site").expect(201)
    browser = Browser(server)
    browser.sign_in("clarisse@conso.example", PASSWORD).expect(200)

    def marked():
        """Which categories are marked in the access answer, the same in the export and by the command; and what the pages say of them."""
        access = client.get(f"/v1/subjects/{made}/access").expect(200).json
        files, exported = client.export(made)
        for one in (exported, json.loads(server.run("subject", "access", made, "--json"))):
            check([row["public"] for row in one["categories"]] == [row["public"] for row in access["categories"]], "the export marks others")
        card = re.search(r'aria-labelledby="c-content".*?</section>', browser.get("/me").expect(200).html, re.S).group(0)
        categories = {row["category"]: row["public"] for row in access["categories"] if row["public"]}
        return categories, html.unescape(card), html.unescape(files["index.html"].decode())
    with part("published content is marked public"):
        for language in ("fr", "en"):
            text = page(server, "/privacy", language)
            card = re.search(r'id="categories\.content">.*?</div>', text, re.S).group(0)
            check(all(word in flat(card) for word in NOT_CONFIDENTIAL[language][:2]), f"{card}")
            for category in ("contact", "account", "orders", "feedback", "entries", "contacts"):
                other = re.search(rf'id="categories\.{category}">.*?</div>', text, re.S).group(0)
                check(NOT_CONFIDENTIAL[language][0] not in other, f"{category} is marked public")
        categories, card, exported = marked()
        check(categories == {"content": "community"}, f"marked with the data: {categories}")
        for shown in (card, exported):
            check("Public, because you agreed. Anyone can copy what is public." in shown, f"not marked: {shown}")
        client.consent(made, "community", "withdrawn").expect(201)
        categories, card, exported = marked()
        for shown in (card, exported):
            check("Not public: you have not agreed." in shown and "because you agreed" not in shown, f"withdrawn, and still public: {shown}")
    with part("left out of what is said to be confidential"):
        for language, said in NOT_CONFIDENTIAL.items():
            for form in ("html", "md", "txt"):
                written = flat(html.unescape(server.run("notice", "--format", form, "--lang", language)))
                check(all(flat(word) in written for word in said[1:]), f"the notice as {form} in {language} does not tell public content apart")
            check(all(flat(word) in flat(page(server, "/privacy", language)) for word in said[1:3]), f"nor does the page in {language}")
        # A platform whose people publish nothing says none of it.
        private = t.copy_of_policy(lambda text: text.replace("  user_content: public\n", "  user_content: private\n").replace("    public: community\n", "")
                                   .replace("  DM-24: [declared.public_spaces, categories.content]", "  DM-24: [categories.content]")
                                   .replace("  public_spaces: {fr:", "  other_spaces: {fr:"))
        for language, said in NOT_CONFIDENTIAL.items():
            written = flat(garant("notice", private, "--lang", language))
            check(not [word for word in said[:3] if flat(word) in written], f"said whatever the policy says: {language}")


def refused_by_the_linter(t, rule, before, after, path):
    """That clause is an error of the linter at its line, in French and English; a server does not start on it, and a running one does not take it over."""
    policy = t.copy_of_policy(lambda text: text.replace(before, after))
    with open(policy, encoding="utf-8") as file:
        line = next(number for number, text in enumerate(file, 1) if after in text)
    for language in ("en", "fr"):
        found = [one for one in json.loads(garant("lint", policy, "--json", "--lang", language, ok=None).stdout) if one["rule"] == rule]
        check([(one["severity"], one["accepted"], one["line"]) for one in found] == [("E", False, line)] and path in found[0]["message"], f"{after}: {found}")
    status, said = t.server(policy=policy, start=False).refuses_to_start()
    check(status == 78 and f"{rule} (line {line}" in said, f"it starts: {status} {said}")
    edit = own_copy(t)
    server = t.server(policy=edit(), now=NOW)
    runs = server.operator().get("/v1/policy").expect(200).json["hash"]
    edit((before, after))
    answer = server.operator().post("/v1/policy/reload").expect(422)
    check(rule in answer.body.decode(), f"taken over: {answer.body}")
    check(rule in server.run_refused("policy", "policy", "reload", status=78)["detail"], "nor by the command")
    check(server.operator().get("/v1/policy").expect(200).json["hash"] == runs, "another policy runs")


@promise("DM-01")
def visiting_is_no_consent(t):
    """Consent by use is an error of the linter and stops the start; that the notice was shown is recorded, and is no consent."""
    with part("the linter refuses use as consent"):
        as_published = json.loads(garant("lint", policy_file("published/deskmanager"), "--json", ok=None).stdout)
        check([(one["severity"], one["accepted"]) for one in as_published if one["rule"] == "B06"] == [("E", False)], f"{as_published}")
        check("B06" not in garant("lint", policy_file(t.policy), "--json"), "the running policy takes visiting for consent")
        for way in ("use", "signup", "terms", "silence", "form"):
            refused_by_the_linter(t, "B06", "method: [tick, button, staff]", f"method: [tick, {way}]", "consent.method")
    mailbox = t.enter_context(Mailbox())
    server = t.server(now=NOW, arguments=mailbox.arguments())
    client = server.client("app")
    registered(server, mailbox, CLARISSE, "clarisse@conso.example")
    browser = Browser(server)
    browser.sign_in("clarisse@conso.example", PASSWORD).expect(200)
    made = client.lookup({"contact.email": "clarisse@conso.example"}, "account").expect(200).json["id"]
    with part("that the notice was shown is recorded"):
        for _ in range(3):
            client.post(f"/v1/subjects/{made}/events", {"event": "notice_shown", "version": "2.0"}).expect(204)
        for looks in (client.get(f"/v1/subjects/{made}/access").expect(200).json["looks"],
                      json.loads(server.run("subject", "looks", made, "--json"))["looks"]):
            check([look["act"] for look in looks].count("notice.shown") == 3, f"not on record for the person: {looks}")
        check(browser.get("/me/looks?who=done").expect(200).read.text.count(event("notice.shown")) == 3, "not on the person's page")
    with part("never as a consent"):
        for path in ("/privacy", "/cookies", "/me", "/me/consents", "/privacy/versions"):
            browser.get(path).expect(200)
        for _ in range(3):
            client.post(f"/v1/subjects/{made}/events", {"event": "last_use"}).expect(204)
        own = visitor(server, "clarisse@conso.example")
        for who in (client, server.operator(), own, server.client("mobile")):
            for method in ("use", "visit", "browsing", "scroll", "silence", "signup", "terms", "default"):
                who.post(f"/v1/subjects/{made}/consents", {"purpose": "mobile_features", "decision": "given", "wording": "En visitant…", "method": method}) \
                   .refused("undeclared", status=422, field="method", clause=r"^consent\.method$", promise="DM-01")
        refused = {"data": {"contact": {"name": "B", "email": "b@conso.example"}, "account": {"screen_name": "b"}}, "source": "person",
                   "consents": [{"purpose": "profile", "decision": "given", "method": "use"}]}
        client.post("/v1/subjects", refused).refused("undeclared", status=422, clause=r"^consent\.method$", promise="DM-01")
        server.anyone().post("/v1/accounts/register", {"data": refused["data"], "password": PASSWORD, "consents": refused["consents"]}) \
            .refused("undeclared", status=422, field="method", clause=r"^consent\.method$", promise="DM-01")
        consents = client.get(f"/v1/subjects/{made}/consents").expect(200).json
        check(consents["consents"] == [] and consents["live"] == [], f"being shown the notice made consents: {consents}")
        document = client.get("/v1/policy").expect(200).json["document"]["purposes"]
        for purpose in [name for name, body in document.items() if body["basis"] == "consent"]:
            client.read(made, purpose).refused("consent-missing", status=403, clause=rf"^purposes\.{purpose}$")
            client.post("/v1/decisions", {"subject": made, "purpose": purpose, "act": "read"}).refused("consent-missing", status=403)
        check(word("consents.no") in browser.get("/me/consents").expect(200).read.text, "the page takes it for consent")


@promise("DM-02")
def going_on_is_no_consent(t):
    """Acceptance by going on is an error of the linter; when a purpose changes in a way that matters its consents are asked again,
    and only its."""
    with part("the linter refuses going on as acceptance"):
        as_published = json.loads(garant("lint", policy_file("published/deskmanager"), "--json", ok=None).stdout)
        check([(one["severity"], one["accepted"]) for one in as_published if one["rule"] == "D02"] == [("E", False)], f"{as_published}")
        refused_by_the_linter(t, "D02", "acceptance: asked", "acceptance: use", "changes.acceptance")
    mailbox = t.enter_context(Mailbox())
    edit = own_copy(t)
    server = t.server(policy=edit(), now=NOW, arguments=mailbox.arguments())
    client, to = server.client("app"), "clarisse@conso.example"
    registered(server, mailbox, CLARISSE, to)
    made = client.lookup({"contact.email": to}, "account").expect(200).json["id"]
    for purpose in ("profile", "personalisation"):
        client.consent(made, purpose, "given", wording="Oui.").expect(201)
        client.read(made, purpose).expect(200)
    profile = "    profiling: true\n    categories: [demographics, tastes"
    old, new = published(server, edit, (profile + "]", profile + ", feedback]"), ('date: 2026-11-21\n', 'date: 2026-12-21\n'))
    browser = Browser(server)
    browser.sign_in(to, PASSWORD).expect(200)

    def asked_again(missing):
        """By reads and acts, the ledger, and the person's page."""
        for purpose in ("profile", "personalisation"):
            for answer in (client.read(made, purpose), client.post("/v1/decisions", {"subject": made, "purpose": purpose, "act": "read"})):
                if purpose in missing:
                    answer.refused("consent-missing", status=403, clause=rf"^purposes\.{purpose}")
                else:
                    answer.expect(200)
        live = client.get(f"/v1/subjects/{made}/consents").expect(200).json["live"]
        check(set(live) == {"profile", "personalisation"} - missing, f"taken for live: {live}")
        for purpose in ("profile", "personalisation"):
            wanted = "given" if purpose in missing else "withdrawn"
            browser.get("/me/consents").expect(200).form("/me/consents", purpose=purpose, decision=wanted)
    with part("changed purposes ask again"):
        asked_again({"profile"})
        for _ in range(3):                                              # going on, the notice shown or not, gives nothing back
            client.post(f"/v1/subjects/{made}/events", {"event": "notice_shown"}).expect(204)
            client.post(f"/v1/subjects/{made}/events", {"event": "last_use"}).expect(204)
            browser.get("/me").expect(200)
        asked_again({"profile"})
        server.restart()
        asked_again({"profile"})
    with part("the change is told"):
        for language, word in (("fr", "avis"), ("en", "feedback")):
            banner = server.anyone().get("/v1/policy/banner", **{"Accept-Language": language}).expect(200).json
            check(banner["changed"] and any(word in said for said in banner["says"]), f"the change is not told: {banner}")
            check(word in page(server, f"/privacy/versions/{old}/diff/{new}", language), "nor on the page of differences")
        letter = mailbox.wait(to, "policy_changed")
        check(any("avis" in line or "feedback" in line for line in letter.text.split("\n")), f"nor by letter: {letter.text}")
    with part("changed purposes ask again"):
        server.advance(hours=1)
        browser.sign_in(to, PASSWORD)
        browser.submit(browser.get("/me/consents"), "/me/consents", like={"purpose": "profile", "decision": "given"}).expect(200)
        asked_again(set())


DAY_TOLD = {"fr": "24\u00a0décembre 2026", "en": "24\u00a0December 2026"}


def plain(text):
    """With the blanks and apostrophes of a keyboard: letters and pages set them differently."""
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("’", "'")


def versions_are_kept(t, edit, changes, says, person, consents=()):
    """A version of 24 December and what changes by it: kept, compared, told. `says`: words of each change, by language; `person(number)` a person's
    data. Gives the server, its people's addresses, and the hashes of the former and the new version."""
    mailbox = t.enter_context(Mailbox())
    server = t.server(policy=edit(), now=NOW, arguments=mailbox.arguments())
    client, document = server.client("app"), server.client("app").get("/v1/policy").expect(200).json["document"]
    with open(t.path("policy.yaml"), encoding="utf-8") as file:
        former = file.read()
    people = {}
    for number, language in ((1, "fr"), (2, "en")):
        member(server, person(number), person(number)["contact"]["email"], language=language)
        people[person(number)["contact"]["email"]] = language
    client.create(person(3), consents=list(consents))                # who has no account is told in the policy's first language
    people[person(3)["contact"]["email"]] = "fr"
    left = client.create(person(4))["id"]
    client.erase(left)
    before = {language: page(server, "/privacy", language) for language in says}
    check(server.anyone().get("/v1/policy/banner").expect(200).json["changed"] is False, "a first version has changed")
    number = re.search(r"\n  version: \S+\n", former).group(0)
    old, new = published(server, edit, *changes, (number, "\n  version: '7.5'\n"), ("\n  date: 2026-11-21\n", "\n  date: 2026-12-24\n"))
    link = f"/privacy/versions/{old}/diff/{new}"
    with part("versions are kept, by page and API, with their file, for good"):
        for _ in range(2):
            for language, text in before.items():
                kept, own = page(server, f"/privacy/versions/{old}", language), page(server, "/privacy", language)
                ended = {"fr": "Cette version n’est plus en vigueur", "en": "This version is no longer in force"}[language]
                check(ended in kept and ended not in own, f"the former version in {language} does not say so")
                missing = [line for line in sentences(text) if line not in sentences(kept)]
                check(not missing, f"the former version in {language} lost {missing[:3]}")
                check(set(sentences(text)) - set(sentences(own)), f"the notice in {language} did not follow")
                listed = page(server, "/privacy/versions", language)
                check(f"/privacy/versions/{old}" in listed and f"/privacy/versions/{new}" in listed and link in listed, "the list of versions is not whole")
            whole = client.get(f"/v1/policy/versions/{old}").expect(200).json
            check(whole["source"] == former and whole["document"] == document and whole["in_force"] is False, "the former file is not kept as it was")
            server.restart()
        for wrong in ("0" * 64, "7.5.1", new[:63]):
            server.anyone().get(f"/privacy/versions/{wrong}").expect(404)
    with part("compared in plain words in both languages, by page, API and command, with who is concerned"):
        for language, words in says.items():
            shown = page(server, link, language)
            differences = server.anyone().get(f"/v1{link[8:].replace('/versions', '/policy/versions')}?lang={language}").expect(200).json
            ran = json.loads(garant("diff", policy_file(t.policy), t.path("policy.yaml"), "--json", "--lang", language))
            for word in words:
                check(word in shown, f"{language}: the page does not say {word!r}: {shown}")
                check(any(word in change["says"] and change["for"] and change["path"] for change in differences["changes"]), f"{differences}")
                check(any(word in change["says"] for change in ran["changes"]), f"the command says {ran}")
            check(differences["material"] == ran["material"] == len(words), f"{differences['material']}, {ran['material']} of {len(words)}")
    with part("told on the site: announced before its day, and from then on by the banner"):
        for language, words in says.items():
            banner = server.anyone().get("/v1/policy/banner", **{"Accept-Language": language}).expect(200).json
            check(banner["changed"] and banner["version"] == "7.5" and banner["date"] == "2026-12-24" and banner["link"] == link, f"{banner}")
            check(all(any(word in said for said in banner["says"]) for word in words), f"{language}: the banner does not say {words}: {banner}")
            notice = page(server, "/privacy", language)
            check("ersion 7.5" in notice and plain(DAY_TOLD[language]) in plain(notice), f"version and date are not on the notice in {language}")
    with part("told by e-mail in both languages, once to each person who was there"):
        for address, language in people.items():
            letter = mailbox.wait(address, "policy_changed")
            subject = {"fr": "Notre politique de confidentialité change le 24 décembre 2026",
                       "en": "Our privacy policy changes on 24 December 2026"}[language]
            check(plain(letter.subject) == subject, f"{letter.subject}")
            for word in (*says[language], "7.5", DAY_TOLD[language]):
                check(plain(word) in plain(letter.text) and plain(word) in plain(html.unescape(letter.html)), f"{address}: no {word!r} in {letter.text}")
            check(letter.links[0] == f"{URL}{link}?lang={language}", f"{letter.links}")
            server.anyone().get(letter.links[0][len(URL):]).expect(200)
    with part("recorded in the journal"):
        entries = journal_of(server, t.path("journal"))
        for event, hash_ in (("policy.published", old), ("policy.announced", new), ("policy.published", new), ("policy.told", new)):
            check(any(event in entry and hash_ in entry for entry in entries), f"no {event} of {hash_}")
        server.operator().post("/v1/journal/verify").expect(200)
    return server, mailbox, people, old, new


def told_once(server, mailbox, edit, people, later):
    """Whoever comes later came under the version, and what matters to nobody is told to nobody."""
    with part("told by e-mail in both languages, once to each person who was there"):
        server.advance(days=1)
        server.client("app").create(later)
        published(server, edit, ("  scope: {fr: \"", "  scope: {fr: \"Aussi : "))
        server.restart()
        mailbox.none_within(2.5, letter="policy_changed", count=len(people))
        check({to for letter in mailbox.find(letter="policy_changed") for to in letter.to} == set(people), "others were written to")


def sentences(text):
    """What a notice says in its chapters, without the examples, which count from today."""
    main = re.search(r'<div class="text">.*?</main>', text, re.S).group(0)
    said = [" ".join(line.split()) for line in re.sub(r"<[^>]+>", "\n", main).split("\n")]
    return [line for line in said if len(line) > 40 and not line.startswith("Exempl")]


def journal_of(server, folder):
    """The journal's entries, as texts."""
    found = []
    for where, _, names in os.walk(os.path.join(server.save_journal(folder), "tile/entries")):
        for name in names:
            with open(os.path.join(where, name), "rb") as file:
                found += re.findall(r"\{.*?\}(?=[^\x20-\x7e]|$)", file.read().decode("latin-1"), re.S)
    check(found, "the journal has no entries")
    return found


@promise("MP-20")
def policy_evolves(t):
    """Versions are kept, compared in plain words and told, with who is concerned and which consents are asked again."""
    edit = own_copy(t)
    with open(policy_file(t.policy), encoding="utf-8") as file:
        text = file.read()
    news = re.search(r"\n  news:\n(?:    .*\n)*?    categories: \[(.*)\]\n", text).group(0)
    wider = news.replace("categories: [", "categories: [preferences, ")
    check(wider != news, "news cannot be widened")
    server, mailbox, people, old, new = versions_are_kept(t, edit, [(news, wider)], {
        "fr": ["Vous informer sur nos services\u202f: utilise aussi préférences d’affichage"], "en": ["also uses display preferences"]}, customer,
        consents=[{"purpose": purpose, "channel": "email", "decision": "given", "wording": "Oui."} for purpose in ("news", "partner_news")])
    with part("which consents are asked again is told, and they are"):
        change = next(one for one in server.anyone().get(f"/v1/policy/versions/{old}/diff/{new}").expect(200).json["changes"] if one["weight"] == "material")
        check(change["consent_again"] and change["path"].startswith("purposes.news"), f"{change}")
        for language, word in (("fr", "Votre consentement vous sera redemandé."), ("en", "Your consent will be asked again.")):
            check(word in page(server, f"/privacy/versions/{old}/diff/{new}", language), f"the page in {language} does not say it")
        client = server.client("app")
        ident = client.lookup({"contact.email": customer(3)["contact"]["email"]}, "service").expect(200).json["id"]
        check(client.get(f"/v1/subjects/{ident}/consents").expect(200).json["live"] == ["partner_news"], "the consents that are live")
        client.read(ident, "news").refused("consent-missing", status=403, clause=r"^purposes\.news$")
        client.read(ident, "partner_news").expect(200)
    with part("told on the person's page"):
        for address, language in people.items():
            if address == customer(3)["contact"]["email"]:           # who has no account
                continue
            browser = Browser(server, language)
            browser.sign_in(address, PASSWORD).expect(200)
            own = browser.get("/me").expect(200)
            said = {"fr": "Notre politique de confidentialité a changé le 24 décembre 2026", "en": "Our privacy policy changed on 24 December 2026"}
            check(said[language] in plain(own.read.text), f"{language}: {own.read.text[:1500]}")
            check(f"/privacy/versions/{old}/diff/{new}?lang={language}" in own.read.links, f"{own.read.links}")
    told_once(server, mailbox, edit, people, customer(5))


def customer(number):
    return {"identity": {"first_name": f"Thibault-{number}", "last_name": f"Marchand-{number}"},
            "contact": {"email": f"thibault.{number}@societe.example"}, "company": {"name": f"Société {number}"}}


@promise("FR-09")
def policy_may_change(t):
    """As MP-20: a longer retention and a new recipient are told."""
    edit = own_copy(t)
    server, mailbox, people, _, _ = versions_are_kept(
        t, edit, [("  usage: {from: event, active: 12mo}", "  usage: {from: event, active: 13mo}"),
                  ("recipients:\n", "recipients:\n  carrier:\n    title: {fr: Transporteur, en: Carrier}\n    name: Exemple Transport SAS\n"
                   "    purposes: [account]\n    categories: [contact]\n    country: FR\n    processor: true\n    contract: 2026-12-01\n"
                   "    contract_kind: article_28\n    charter: accepted\n    answers_rights: controller\n")],
        {"fr": ["gardées pendant 13\u00a0mois au lieu de 12\u00a0mois", "Nouveau destinataire\u202f: Transporteur"],
         "en": ["kept for 13\u00a0months instead of 12\u00a0months", "New recipient: Carrier"]}, customer_of_the_site)
    told_once(server, mailbox, edit, people, customer_of_the_site(5))


def customer_of_the_site(number):
    return {"identity": {"first_name": f"Apolline-{number}", "last_name": f"Vasseur-{number}"}, "contact": {"email": f"apolline.{number}@exemple.example"}}


@promise("MP-01")
def reaches_every_partner(t):
    """Every partner account gets each version, by letter, on its page and by API, and its acknowledgement is recorded, by page, session or token;
    those who still owe one are named."""
    edit, mailbox = own_copy(t), t.enter_context(Mailbox())
    server = t.server(policy=edit(), now=NOW, arguments=mailbox.arguments())
    client, operator, people = server.client("app"), server.operator(), {}
    for number, language in ((1, "fr"), (2, "en"), (3, "fr"), (4, "en")):
        people[number] = opened(server, customer(number), role="partner" if number < 4 else None, language=language)

    def address(number):
        return customer(number)["contact"]["email"]
    one, two, three, other = (visitor(server, address(number)) for number in people)
    tokens = {name: operator.post("/v1/tokens", {"name": name, "actor": "partner"}).expect(201).json["token"] for name in ("lyon", "nantes", "lille")}

    def acts_as(name):
        shop = server.anyone()
        shop.token = tokens[name]
        return shop

    def standing():
        said = client.get("/v1/policy/acknowledgements?limit=1000").expect(200).json
        check(said["awaited_count"] == len(said["awaited"]), f"{said}")
        return {(row.get("party") or row["subject"], row["hash"]) for row in said["acknowledgements"]}, set(said["awaited"])
    owing, first = {*tokens, people[1], people[2], people[3]}, in_force(server)
    with part("who still owes one is named: accounts and tokens alike, and nobody else"):
        check(standing() == (set(), owing), f"{standing()}")
    with part("its acknowledgement is recorded: by page, by session and by token, with version and time, in the journal"):
        page = two.get("/privacy/acknowledge", Accept="text/html").expect(200).body.decode()
        check(f'value="{first}"' in page, "the page does not name the version")
        check(form(two, "/privacy/acknowledge", version=first, csrf=two.csrf).status == 303, "the page does not take it")
        said = one.post("/v1/policy/acknowledgements", {"version": first}).expect(201).json
        check(said["hash"] == first and milliseconds(said["at"]) == server.now(), f"{said}")
        for name in ("lyon", "nantes"):
            acts_as(name).post("/v1/policy/acknowledgements", {"version": first}).expect(201)
        done = {(people[1], first), (people[2], first), ("lyon", first), ("nantes", first)}
        check(standing() == (done, {"lille", people[3]}), f"{standing()}")
        server.restart()
        check(standing() == (done, {"lille", people[3]}), f"after a restart: {standing()}")
        for language, word in (("fr", "22 novembre 2026"), ("en", "22 November 2026")):
            shown = plain(html.unescape(two.get(f"/privacy/acknowledge?lang={language}", Accept="text/html").expect(200).body.decode()))
            check(word in shown and "csrf" not in re.sub(r"<form[^>]*signout.*?</form>", "", shown, flags=re.S), f"the page asks again: {shown}")
        entries = journal_of(server, t.path("journal"))
        check(len([entry for entry in entries if "policy.acknowledged" in entry]) == 4, "not four entries")
    with part("nobody acknowledges for another, nor what was never published, nor without being asked"):
        for who in (acts_as("lille"), three):
            who.post("/v1/policy/acknowledgements", {"party": "lyon"}).refused("forbidden", status=403, clause="^changes.acknowledged_by$", promise="MP-01")
            who.post("/v1/policy/acknowledgements", {"version": "9.9"}).expect(404)
        three.post("/v1/policy/acknowledgements", {"subject": people[1]}).refused("forbidden", "not-found")
        server.client("recruiter").post("/v1/policy/acknowledgements", {}).refused("forbidden", status=403)
        server.anyone().post("/v1/policy/acknowledgements", {}).refused("unauthorised", status=401)
        check(standing()[1] == {"lille", people[3]}, f"{standing()}")
        operator.post("/v1/policy/acknowledgements", {"subject": people[4]}).expect(201)       # what staff take down on paper is of that person alone
        check(standing()[1] == {"lille", people[3]}, "a customer's counts for a partner")
    _, second = published(server, edit, ("  navigation: {from: event, active: 30d}", "  navigation: {from: event, active: 60d}"),
                          ("\n  date: 2026-11-21\n", "\n  date: 2026-12-24\n"), ('\n  version: "2.0"\n', "\n  version: '7.5'\n"))
    with part("every partner account gets each version: by letter, on its page, and by API"):
        for number, language in ((1, "fr"), (2, "en"), (3, "fr")):
            letter = mailbox.wait(address(number), "policy_changed")
            word = {"fr": "gardées pendant 60 jours au lieu de 30 jours", "en": "kept for 60 days instead of 30 days"}[language]
            check(word in plain(letter.text) and "7.5" in letter.text, f"{letter.text}")
            partner = visitor(server, address(number))
            own = plain(html.unescape(partner.get("/me", Accept="text/html").expect(200).body.decode()))
            check(word in own, f"the partner's page in {language} does not tell it")
        for name in tokens:
            said = acts_as(name).get("/v1/policy").expect(200).json
            check(said["hash"] == second and "60d" in json.dumps(said["document"]["retention"]["navigation"]), "a token does not get the new version")
        check(standing()[1] == owing, f"a new version is owed by all again: {standing()}")
    with part("who comes later owes it too, and who leaves owes nothing"):
        later = opened(server, customer(6), role="partner")
        check(standing()[1] == owing | {later}, f"{standing()}")
        client.post(f"/v1/subjects/{people[3]}/close").expect(204)
        check(standing()[1] == (owing | {later}) - {people[3]}, f"{standing()}")
        visitor(server, address(1)).post("/v1/policy/acknowledgements", {}).expect(201)
        acts_as("lille").post("/v1/policy/acknowledgements", {}).expect(201)
        check((people[1], second) in standing()[0] and standing()[1] == {"lyon", "nantes", people[2], later}, f"{standing()}")
        operator.post("/v1/journal/verify").expect(200)
