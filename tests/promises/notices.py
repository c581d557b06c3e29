"""What several platforms promise of their notice, cookie page and versions."""
import html, json, re, time
from garant import check, garant, milliseconds, policy_file
from promise import promise

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
    """Page, access answer and machine-readable notice name the controller, from the policy file."""
    server = t.server(tenant=TENANT)
    for language in ("fr", "en"):
        text = page(server, "/privacy", language)
        check("UAB Akovana" in text and "Didžioji g. 18, 01128 Vilnius" in text and "privacy@myownconference.example" in text,
              f"the notice in {language} does not name the controller")
    data = server.anyone().get("/privacy.jsonld").expect(200).json["dpv:hasDataController"]
    check(data["dpv:hasName"] == "UAB Akovana", f"{data}")
    client = server.client("app")
    made = client.create({"identity": {"display_name": "kestrel"}, "login": {"email": "kestrel@rooms.example"}})["id"]
    controller = client.get(f"/v1/subjects/{made}/access").expect(200).json["controller"]
    check(controller["legal_name"] == "UAB Akovana", f"the access answer says {controller}")


@promise("MO-19")
def third_party_advertising(t):
    """The cookie page says how to refuse it, and a page without that clause does not."""
    server = t.server(tenant=TENANT)
    check("Pour refuser celle des régies sur d’autres sites, suivez le lien « About Cookies »" in page(server, "/cookies").replace("\u00a0", " "),
          "the cookie page in French does not say it")
    check("To refuse that of networks on other sites, follow the link" in page(server, "/cookies", "en"), "nor does the one in English")
    check('href="/leave?to=about_cookies"' in page(server, "/cookies"), "the link is not there")
    silent = t.copy_of_policy(lambda text: re.sub(r"\n  advertising: \{fr: .*\n.*en: .*\}\n", "\n", text)
                              .replace("MO-19: [trackers.advertising]", "MO-19: [trackers]"))
    without = page(t.server(policy=silent, tenant=TENANT), "/cookies")
    check("régies" not in without and "Cookies" in without, "it is said whatever the policy says")


@promise("MO-25")
def leaving(t):
    """Each declared link passes a page that warns; no other address can be reached through it, and no page links out directly."""
    server = t.server(tenant=TENANT)
    declared = {"about_cookies": "https://www.aboutcookies.org", "paysera": "https://www.paysera.com", "paypal": "https://www.paypal.com"}
    notice = page(server, "/privacy")
    for name, url in declared.items():
        check(f'href="/leave?to={name}"' in notice, f"the notice does not link {name} through the warning")
        check(f'href="{url}"' not in notice, f"the notice links {url} without a warning")
        warning = page(server, f"/leave?to={name}")
        check(f'href="{url}"' in warning and "propres règles" in warning, f"no warning before {url}")
    for path in ("/privacy", "/cookies", "/privacy/versions", "/promises", "/signin"):
        direct = re.findall(r'href="(https?://[^"]*)"', page(server, path))
        check(not direct, f"{path} links out without a warning: {direct}")
    for wrong in ("https://evil.example", "//evil.example", "nothing", "", "paypal%00"):
        answer = server.anyone().get(f"/leave?to={wrong}")
        check(answer.status in (400, 404) and b"evil" not in answer.body, f"/leave?to={wrong}: {answer.status}")
    check(server.anyone().get("/leave").status == 400, "no name is asked for")


@promise("DM-13")
def cookies_are_managed(t):
    """The cookie page lists every declared cookie with purpose, lifetime, consent and refusal, every page links it; a template's
    unfilled address is an error of the linter."""
    server = t.server()
    check('href="/cookies?lang=fr"' in page(server, "/privacy"), "the notice does not link the cookie page")
    text = page(server, "/cookies")
    document = server.client("app").get("/v1/policy").expect(200).json["document"]
    for name, cookie in document["cookies"].items():
        row = re.search(rf'<tr id="cookies\.{name}-row".*?</tr>', text, re.S).group(0)
        needed = cookie["exempt"] not in ("none",)
        check(("dispensé de consentement" in row and "non dispensé" not in row) == needed, f"{name}: consent: {row}")
        check(cookie["title"]["fr"].rstrip(".").replace("'", "’") in row and "Finalité" in row, f"{name}: what for: {row}")
        check(re.search(r"\d+\u00a0(minutes|mois|jours)", row), f"{name}: lifetime: {row}")
    check("Votre navigateur peut aussi effacer les cookies" in text and "Vous changez d’avis" in text, "how to refuse is not said")
    run = garant("lint", policy_file("published/deskmanager"), "--json", ok=None)
    found = json.loads(run.stdout)
    check(any(f["rule"] == "D04" and f["severity"] == "E" for f in found), "the unfilled placeholder is no error")


@promise("DM-24")
def what_people_publish(t):
    """What people publish themselves is marked public, and left out of what is said to be confidential."""
    server = t.server()
    text = page(server, "/privacy")
    card = re.search(r'id="categories\.content">.*?</div>', text, re.S).group(0)
    check("montrées au public" in card and "Ce qui est public n’est pas confidentiel" in card, f"{card}")
    check("Ce que vous publiez vous-même est visible de tous. La confidentialité ne le couvre pas." in text, "public content is not told apart")
    for category in ("contact", "orders"):
        check("montrées au public" not in re.search(rf'id="categories\.{category}">.*?</div>', text, re.S).group(0), f"{category} is marked public")
    client = server.client("app")
    made = client.create({"contact": {"name": "Clarisse", "email": "clarisse@conso.example"}, "account": {"screen_name": "clarisse"}})["id"]
    content = {"title": "Ma photo", "kind": "photo"}
    client.record(made, "content", content).refused("consent-missing", clause="^purposes.community")
    client.consent(made, "community", "given", wording="Oui, publiez.").expect(201)
    client.record(made, "content", content).expect(201)


@promise("DM-01")
def visiting_is_no_consent(t):
    """Consent by use is an error of the linter and stops the start; that the notice was shown is recorded, and is no consent."""
    policy = t.copy_of_policy(lambda text: text.replace("method: [tick, button, staff]", "method: [tick, use]"))
    run = garant("lint", policy, "--json", ok=None)
    check(any(f["rule"] == "B06" and f["severity"] == "E" for f in json.loads(run.stdout)), f"the linter says {run.stdout}")
    status, said = t.server(policy=policy, start=False).refuses_to_start()
    check(status != 0 and "B06" in said, f"it starts: {said}")
    server = t.server(now=NOW)
    client = server.client("app")
    made = client.create({"contact": {"name": "Clarisse", "email": "clarisse@conso.example"}, "account": {"screen_name": "clarisse"}})["id"]
    shown = {"event": "notice_shown", "version": "2.0"}
    for _ in range(3):
        client.post(f"/v1/subjects/{made}/events", shown).expect(204)
    consents = client.get(f"/v1/subjects/{made}/consents").expect(200).json
    check(consents["consents"] == [] and consents["live"] == [], f"being shown the notice made consents: {consents}")
    for purpose in ("marketing", "profile", "personalisation"):
        client.read(made, purpose).refused("consent-missing", clause=f"^purposes.{purpose}")
    entries = json.dumps(client.get(f"/v1/subjects/{made}/access").expect(200).json)
    check(entries.count("notice.shown") >= 3, "that the notice was shown is not on record for the person")


@promise("DM-02")
def going_on_is_no_consent(t):
    """Acceptance by going on is an error of the linter; when a purpose changes in a way that matters its consents are asked again,
    and only its."""
    policy = t.copy_of_policy(lambda text: text.replace("acceptance: asked", "acceptance: use"))
    run = garant("lint", policy, "--json", ok=None)
    check(any(f["rule"] == "D02" and f["severity"] == "E" for f in json.loads(run.stdout)), f"the linter says {run.stdout}")
    edit = own_copy(t)
    server = t.server(policy=edit(), now=NOW)
    client = server.client("app")
    made = client.create({"contact": {"name": "Clarisse", "email": "clarisse@conso.example"}, "account": {"screen_name": "clarisse"}},
                         consents=[{"purpose": "profile", "decision": "given", "wording": "Oui."},
                                   {"purpose": "personalisation", "decision": "given", "wording": "Oui."}])["id"]
    client.read(made, "profile").expect(200)
    profile = "    profiling: true\n    categories: [demographics, tastes"
    published(server, edit, (profile + "]", profile + ", feedback]"),
              ('date: 2026-11-21\n', 'date: 2026-12-21\n'))
    for _ in range(3):                                              # going on, the notice shown or not, gives nothing back
        client.post(f"/v1/subjects/{made}/events", {"event": "notice_shown"}).expect(204)
        client.post(f"/v1/subjects/{made}/events", {"event": "last_use"}).expect(204)
    client.read(made, "profile").refused("consent-missing", clause="^purposes.profile")
    client.read(made, "personalisation").expect(200)
    live = client.get(f"/v1/subjects/{made}/consents").expect(200).json["live"]
    check(live == ["personalisation"], f"still taken for live: {live}")
    banner = server.anyone().get("/v1/policy/banner").expect(200).json
    check(banner["changed"] and any("avis" in said or "feedback" in said for said in banner["says"]), f"the change is not told: {banner}")
    server.restart()
    client = server.client("app")
    client.read(made, "profile").refused("consent-missing")
    server.advance(hours=1)
    client.consent(made, "profile", "given", wording="Oui, aussi mes avis.").expect(201)
    client.read(made, "profile").expect(200)


def versions_are_kept(t, server, edit, changes, says):
    """The old and the new version are readable, with the difference in plain words in both languages, and visitors can be told."""
    shown = page(server, "/privacy")
    banner = server.anyone().get("/v1/policy/banner").expect(200).json
    check(banner["changed"] is False, f"a first version has changed: {banner}")
    old, new = published(server, edit, *changes)
    check(page(server, "/privacy") != shown, "the notice did not follow")
    listed = page(server, "/privacy/versions")
    check(old in listed and new in listed and f"/privacy/versions/{old}/diff/{new}" in listed, "the list of versions is not whole")
    before = page(server, f"/privacy/versions/{old}")
    check("Cette version n’est plus en vigueur" in before, "the former version does not say so")
    for language, words in says.items():
        text = page(server, f"/privacy/versions/{old}/diff/{new}", language)
        banner = server.anyone().get("/v1/policy/banner", **{"Accept-Language": language}).expect(200).json
        for word in words:
            check(word in text, f"{language}: the difference does not say {word!r}: {text}")
            check(any(word in said for said in banner["says"]), f"{language}: the banner does not say {word!r}: {banner}")
        check(banner["changed"] and banner["link"] == f"/privacy/versions/{old}/diff/{new}", f"{banner}")
    differences = server.anyone().get(f"/v1/policy/versions/{old}/diff/{new}").expect(200).json
    check(differences["material"] == len(next(iter(says.values()))), f"{differences}")
    check(all(change["for"] and change["path"] for change in differences["changes"]), f"{differences}")
    server.restart()
    page(server, f"/privacy/versions/{old}")
    server.anyone().get("/privacy/versions/" + "0" * 64).expect(404)
    server.operator().post("/v1/journal/verify").expect(200)
    run = garant("diff", policy_file(t.policy), t.path("policy.yaml"), "--json", "--lang", "fr")
    check(json.loads(run)["material"] == differences["material"], f"the command says {run}")
    return old, new


@promise("MP-20")
def policy_evolves(t):
    """Versions are kept, compared in plain words and told, with who is concerned and which consents are asked again."""
    edit = own_copy(t)
    server = t.server(policy=edit(), now=NOW)
    with open(policy_file(t.policy), encoding="utf-8") as file:
        text = file.read()
    news = re.search(r"\n  news:\n(?:    .*\n)*?    categories: \[(.*)\]\n", text).group(0)
    wider = news.replace("categories: [", "categories: [preferences, ")
    check(wider != news, "news cannot be widened")
    old, new = versions_are_kept(t, server, edit, [(news, wider)],
                                 {"fr": ["Vous informer sur nos services\u00a0: utilise aussi préférences d’affichage"],
                                  "en": ["also uses display preferences"]})
    change = server.anyone().get(f"/v1/policy/versions/{old}/diff/{new}").expect(200).json["changes"][0]
    check(change["consent_again"] and change["path"].startswith("purposes.news"), f"{change}")


@promise("FR-09")
def policy_may_change(t):
    """As MP-20: a longer retention and a new recipient are told."""
    edit = own_copy(t)
    server = t.server(policy=edit(), now=NOW)
    versions_are_kept(t, server, edit,
                      [("  usage: {from: event, active: 12mo}", "  usage: {from: event, active: 13mo}"),
                       ("recipients:\n", "recipients:\n  carrier:\n    title: {fr: Transporteur, en: Carrier}\n    name: Exemple Transport SAS\n"
                        "    purposes: [account]\n    categories: [contact]\n    country: FR\n    processor: true\n    contract: 2026-12-01\n"
                        "    contract_kind: article_28\n    charter: accepted\n    answers_rights: controller\n")],
                      {"fr": ["gardées pendant 13\u00a0mois au lieu de 12\u00a0mois", "Nouveau destinataire\u00a0: Transporteur"],
                       "en": ["kept for 13\u00a0months instead of 12\u00a0months", "New recipient: Carrier"]})


@promise("MP-01")
def reaches_every_partner(t):
    """Every partner account can read each version, and its acknowledgement is recorded; those who still owe one are named."""
    edit = own_copy(t)
    server = t.server(policy=edit(), now=NOW)
    tokens = {name: server.operator().post("/v1/tokens", {"name": name, "actor": "partner"}).expect(201).json["token"]
              for name in ("lyon", "nantes", "lille")}
    client = server.client("app")

    def acts_as(name):
        other = server.anyone()
        other.token = tokens[name]
        return other

    def standing():
        said = client.get("/v1/policy/acknowledgements").expect(200).json
        return {(row["party"], row["hash"]) for row in said["acknowledgements"]}, set(said["awaited"])
    first = server.anyone().get("/v1/policy/versions").expect(200).json["versions"][0]["hash"]
    check(standing() == (set(), set(tokens)), f"{standing()}")
    for name in ("lyon", "nantes"):
        check(acts_as(name).get("/v1/policy").expect(200).json["hash"] == first, "a partner does not get the policy")
        acts_as(name).post("/v1/policy/acknowledgements", {"version": first}).expect(201)
    check(standing() == ({("lyon", first), ("nantes", first)}, {"lille"}), f"{standing()}")
    # Nobody acknowledges for another, nor without being asked to; what was never published cannot be acknowledged.
    acts_as("lille").post("/v1/policy/acknowledgements", {"party": "lyon"}).refused("forbidden", clause="^changes.acknowledged_by", promise="MP-01")
    server.client("recruiter").post("/v1/policy/acknowledgements", {}).refused("forbidden")
    server.anyone().post("/v1/policy/acknowledgements", {}).expect(401)
    acts_as("lille").post("/v1/policy/acknowledgements", {"version": "9.9"}).expect(404)
    _, second = published(server, edit, ("  review: 12mo", "  review: 6mo"))
    check(standing()[1] == set(tokens), "a new version is owed by all again")
    acts_as("lille").post("/v1/policy/acknowledgements").expect(400, 422)
    acts_as("lille").post("/v1/policy/acknowledgements", {}).expect(201)
    server.restart()
    check(standing() == ({("lyon", first), ("nantes", first), ("lille", second)}, {"lyon", "nantes"}), f"{standing()}")
    server.operator().post("/v1/journal/verify").expect(200)
