"""Trackers that need a choice: what is asked, by banner, page, program and command, and the proof of each answer."""
import gzip, hashlib, json, os, re, subprocess
import tracked_site
from browser import Browser, member
from garant import TOP, add_months, check, garant, policy_file
from notices import own_copy
from promise import part, promise
from words import typed

START = "2026-11-22T10:00:00Z"
SITE = "https://myportal.example"
PATH = "/v1/trackers/choices"
PURPOSES = ["personalisation", "audience"]


def asked(server, language="en"):
    return server.anyone().get(f"/v1/trackers?lang={language}").expect(200).json


def chosen(server, given, language="en", origin=SITE, **more):
    """As the banner sends it, from a page of the site."""
    said = asked(server, language)
    server.advance(seconds=1)
    headers = {"Origin": origin} if origin else {}
    return server.anyone().post(f"{PATH}?lang={language}", {"version": said["version"], "wording": said["wording"], "given": given,
                                                           "method": "banner", **more}, **headers)


def proofs(server):
    return server.operator().get(PATH).expect(200).json["choices"]


def rows_of(server, choice):
    return {row["purpose"]: row for row in proofs(server) if row["choice"] == choice["choice"]}


def is_asked(server):
    with part("what is asked, purpose by purpose, in both languages: by the banner, the page, a program and the command"):
        check([row["purpose"] for row in asked(server)["shown"]["purposes"]] == PURPOSES, f"{asked(server)}")
        for language in ("en", "fr"):
            said = asked(server, language)
            script = server.anyone().get(f"/embed/consent.js?lang={language}").expect(200)
            check(len(gzip.compress(script.body)) <= 16_000, f"consent.js has {len(gzip.compress(script.body))} bytes")
            check(script.headers["cross-origin-resource-policy"] == "cross-origin", f"{script.headers}")
            page = Browser(server, language).get(f"/consent?lang={language}").expect(200)
            check(json.loads(server.run("tracker", "show", "--json", "--lang", language)) == said, "the command shows something else")
            for row in said["shown"]["purposes"]:
                for words in [row["title"], *[one[key] for one in row["trackers"] for key in ("name", "title", "lifetime")]]:
                    check(json.dumps(words, ensure_ascii=False).encode() in script.body, f"the banner does not say {words}")
                    page.has(typed(words))
        check(asked(server)["wording"] != asked(server, "fr")["wording"], "two languages have one hash")


def nothing_before(server):
    with part("nothing is set before a choice or after a refusal, and no page is kept back"):
        visitor = Browser(server)
        for path in ("/", "/privacy", "/cookies", "/consent", "/signin"):
            visitor.get(path).expect(200)
        check(not visitor.cookies, f"set without a choice: {visitor.cookies}")
        page = visitor.get("/consent?lang=en").expect(200)
        check(not re.search(r"<input[^>]* checked", page.html), "a box is ticked")
        visitor.submit(page, "/consent", press={"do": "refuse"}).expect(200).has("Your choice is recorded")
        check(visitor.cookies == {"choice": "0."}, f"after a refusal: {visitor.cookies}")
        for path in ("/", "/privacy", "/cookies", "/consent"):
            visitor.get(path).expect(200)
        check(visitor.cookies == {"choice": "0."}, f"after a refusal, on other pages: {visitor.cookies}")


def signals(server):
    with part("Global Privacy Control without a script is a recorded refusal, once; what is chosen then wins"):
        def by_signal():
            return [row["decision"] for row in proofs(server) if row["method"] == "signal"]
        before, visitor, gpc = by_signal(), Browser(server), {"Sec-GPC": "1"}
        elsewhere = server.anyone().get("/consent?lang=en", Accept="text/html", **gpc, **{"Sec-Fetch-Dest": "image"}).expect(200)
        check("set-cookie" not in elsewhere.headers and by_signal() == before, "a picture of another site made a choice")
        first = server.anyone().get("/consent?lang=en", Accept="text/html", **gpc).expect(200)
        check(first.headers["set-cookie"].startswith("choice=0.;"), f"{first.headers}")
        check("recorded this as a refusal" in first.body.decode() and "You have not chosen yet" not in first.body.decode(), "the page does not say so")
        check(by_signal() == before + ["refused"] * len(PURPOSES), f"{by_signal()}")
        again = server.anyone().get("/consent?lang=en", Accept="text/html", Cookie="choice=0.", **gpc).expect(200)
        kept = len(by_signal())
        visitor.submit(visitor.get("/consent?lang=en"), "/consent", press={"do": "accept"}).expect(200)
        wins = server.anyone().get("/consent?lang=en", Accept="text/html", Cookie=f"choice={visitor.cookies['choice']}", **gpc).expect(200)
        check("set-cookie" not in again.headers and "set-cookie" not in wins.headers and len(by_signal()) == kept, "a choice was overruled")


def as_easy(server):
    with part("refusing is as easy as accepting: the same press, beside it, and before it"):
        page = Browser(server).get("/consent?lang=en").expect(200)
        buttons = page.form("/consent")["buttons"]
        check([one["value"] for one in buttons] == ["refuse", "accept", "save"], f"{buttons}")
        check(len({one.get("class") for one in buttons}) == 1 and len({one["name"] for one in buttons}) == 1, f"{buttons}")
        refusing, accepting = [chosen(server, given).expect(201).json for given in ([], PURPOSES)]
        check(refusing.keys() == accepting.keys(), f"{refusing} {accepting}")


def is_proved(server):
    with part("each choice is proved: a row a purpose, refusals included, with version, time, hash of what was shown, language and site"):
        said = asked(server, "fr")
        for given in ([], ["audience"]):
            choice = chosen(server, given, "fr").expect(201).json
            rows = rows_of(server, choice)
            check({name: row["decision"] for name, row in rows.items()} ==
                  {name: "given" if name in given else "refused" for name in PURPOSES}, f"{rows}")
            for row in rows.values():
                check(row["policy"] == said["version"] and row["wording"] == said["wording"] and row["language"] == "fr"
                      and row["site"] == "myportal.example" and row["method"] == "banner" and row["at"] == choice["at"], f"{row}")
        shown = json.dumps(said["shown"], ensure_ascii=False, separators=(",", ":")).encode()
        check(hashlib.sha256(shown).hexdigest() == said["wording"], "the hash is of something else")
        listed = json.loads(server.run("tracker", "choices", "--json"))["choices"]
        check(listed == proofs(server), "the command lists others")


def identifies(server):
    with part("a refusal has no identifier; a random one comes with an acceptance alone, and is declared"):
        refusals = [chosen(server, []).expect(201).json for _ in range(2)]
        check(all(one["device"] is None and one["cookie"]["value"] == "0." for one in refusals), f"{refusals}")
        check(not any(row["identified"] for one in refusals for row in rows_of(server, one).values()), "a refusal is identified")
        first, second = [chosen(server, ["audience"]).expect(201).json for _ in range(2)]
        check(first["device"] != second["device"] and len(first["device"]) == 43, f"{first['device']} {second['device']}")
        check(first["cookie"]["value"] == f"0.audience.{first['device']}", f"{first['cookie']}")
        rows = rows_of(server, first)
        check(rows["audience"]["identified"] and not rows["personalisation"]["identified"], f"{rows}")
        declared = server.client("app").get("/v1/policy").expect(200).json["document"]["cookies"]["choice"]
        check(declared["identifies"] == "true" and declared["exempt"] == "choice", f"{declared}")


def withdraws(server):
    with part("withdrawn as it was given, by banner and page, and proved as such"):
        given = chosen(server, PURPOSES).expect(201).json
        one = chosen(server, ["audience"], device=given["device"]).expect(201).json
        check({name: row["decision"] for name, row in rows_of(server, one).items()} ==
              {"audience": "given", "personalisation": "withdrawn"}, f"{one}")
        check(one["device"] == given["device"], "another device")
        none = chosen(server, [], device=given["device"]).expect(201).json
        check(rows_of(server, none)["audience"]["decision"] == "withdrawn" and rows_of(server, none)["personalisation"]["decision"] == "refused",
              f"{none}")
        check(none["device"] is None and none["cookie"]["value"] == "0.", "the random value stays")
        visitor = Browser(server)
        visitor.submit(visitor.get("/consent?lang=en"), "/consent", press={"do": "accept"}).expect(200)
        check(visitor.cookies["choice"].startswith("0.personalisation~audience."), f"{visitor.cookies}")
        page = visitor.get("/consent?lang=en").expect(200)
        check(len(re.findall(r"<input[^>]* checked", page.html)) == 2, "the page does not show what was chosen")
        server.advance(seconds=1)
        visitor.submit(page, "/consent", press={"do": "refuse"}).expect(200)
        check(visitor.cookies["choice"] == "0.", f"{visitor.cookies}")
        last = [(row["decision"], row["method"]) for row in proofs(server)[-2:]]
        check(last == [("withdrawn", "page")] * 2, f"{last}")


def refused_elsewhere(server):
    with part("another site, purpose, version or wording is refused with its clause; browsers are told so before"):
        said, before = asked(server), len(proofs(server))
        for origin in ("https://evil.example", "null", "https://myportal.example.evil.example"):
            chosen(server, [], origin=origin).refused("forbidden", status=403, clause="^trackers$")
        chosen(server, ["news"]).refused("undeclared", status=422, clause="^trackers$")
        chosen(server, ["audience", "casting"]).refused("undeclared", status=422)
        chosen(server, [], version="1.0").refused("conflict", status=409, clause="^trackers$")
        chosen(server, [], wording="0" * 64).refused("conflict", status=409, clause="^trackers$")
        chosen(server, [], method="fingerprint").refused("invalid-value", status=422)
        chosen(server, [], origin=None, site="evil.example").refused("forbidden", status=403, clause="^trackers$")
        check(len(proofs(server)) == before, "a refused choice was kept")
        for origin, told in ((SITE, SITE), ("https://docs.myportal.example", "https://docs.myportal.example"), ("https://evil.example", None)):
            answer = server.anyone().request("OPTIONS", PATH, None, {"Origin": origin, "Access-Control-Request-Method": "POST"}.items())
            check(answer.headers.get("access-control-allow-origin") == told, f"{origin}: {answer.headers}")
        answer = chosen(server, []).expect(201)
        check(answer.headers["access-control-allow-origin"] == SITE and "access-control-allow-credentials" not in answer.headers, f"{answer.headers}")
        server.run_refused("undeclared", "tracker", "choose", given=json.dumps({"version": said["version"], "wording": said["wording"],
                                                                             "given": ["news"]}))


def asked_again(server, edit):
    with part("asked again after six months, and when a purpose, tracker or recipient changes in a way that matters; not for less"):
        choice = chosen(server, ["audience"]).expect(201).json
        ends = add_months(server.now(), 6) // 1000
        check(abs(server.now() // 1000 + choice["cookie"]["max_age"] - ends) <= 86400, f"{choice['cookie']}")
        visitor = Browser(server)
        visitor.cookies["choice"] = choice["cookie"]["value"]

        def published(*changes):
            server.advance(hours=1)
            edit(*changes)
            server.operator().post("/v1/policy/reload").expect(200)
            return visitor.get("/consent?lang=en").expect(200)
        editorial = published(('version: "2.0"', 'version: "2.1"'), ("Compte les visites, si vous l'acceptez.", "Compte vos visites, si vous l'acceptez."))
        editorial.lacks("You have not chosen yet")
        check(asked(server)["asked"] == 0, "asked again for a word")
        longer = published(('version: "2.1"', 'version: "2.2"'), ("lifetime: 13mo\n", "lifetime: 14mo\n"))
        longer.has("You have not chosen yet")
        check(asked(server)["asked"] == server.now() // 1000, f"{asked(server)['asked']}")
        chosen(server, [], version="2.1").refused("conflict", status=409)
        renewed = chosen(server, ["audience"]).expect(201).json
        visitor.cookies["choice"] = renewed["cookie"]["value"]
        visitor.get("/consent?lang=en").expect(200).lacks("You have not chosen yet")
        reader = published(('version: "2.2"', 'version: "2.3"'), ("    purpose: audience\n    exempt: none\n",
                                                                  "    purpose: audience\n    exempt: none\n    provider: Mesure SA\n    country: FR\n"))
        reader.has("You have not chosen yet", "Mesure SA")


def in_the_account(t):
    """The device's choice and the account's, of somebody who is signed in."""
    server = t.server(now=START)
    browser, ident = member(server, {"identity": {"first_name": "Odile", "last_name": "Planted"}, "contact": {"email": "odile@societe.example"}},
                            "odile@societe.example")

    def live():
        return server.operator().get(f"/v1/subjects/{ident}/consents").expect(200).json["live"]

    def press(what, **more):
        server.advance(seconds=1)
        return browser.submit(browser.get("/consent?lang=en"), "/consent", press={"do": what, **more}).expect(200)
    with part("an account takes a device's choice over only when the person says so, refusals as well as acceptances"):
        press("accept").has("Keep this choice in my account too")
        check(live() == [] and browser.cookies["choice"].startswith("0.personalisation~audience."), f"{live()} {browser.cookies}")
        press("accept", account="on")
        check(sorted(live()) == sorted(PURPOSES), f"{live()}")
        press("refuse")
        check(sorted(live()) == sorted(PURPOSES) and browser.cookies["choice"] == "0.", f"{live()} {browser.cookies}")
        press("refuse", account="on")
        check(live() == [], f"{live()}")
        rows = server.operator().get(f"/v1/subjects/{ident}/consents").expect(200).json["consents"]
        check(len(rows) == 4 and all(row["evidence"].startswith("choice about trackers ") and row["wording"] for row in rows), f"{rows}")
        server.run("erase", ident, "--yes")
        check(len(proofs(server)) == 8, "the device's proofs, which are of nobody known, went with the account")


def ends(server):
    with part("the proof goes at its term"):
        check(proofs(server), "there is none")
        server.set_clock(add_months(server.now(), 7))
        server.sweep()
        check(not proofs(server), f"{len(proofs(server))} are held beyond their term")


def in_a_browser(t):
    """What leaves Chromium on a site of others, as tests/browser/banner.mjs counts it."""
    with part("in a browser, on a site of others: no request, cookie, storage or script of a tracker before a choice, after a refusal or a withdrawal, "
              "under Global Privacy Control, or while the choice is not recorded"), tracked_site.tracked() as (site, stranger, other, give):
        path, told = t.path("tracked.yaml"), t.path("tracked.json")
        with open(policy_file(t.policy), encoding="utf-8") as file:
            text = tracked_site.policy(file.read(), tracked_site.origin(site).split("//")[1])
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        server = t.server(policy=path)
        give(f"http://127.0.0.1:{server.port}")
        with open(told, "w", encoding="utf-8") as file:
            json.dump({"at": tracked_site.settings(server, site, stranger, other)}, file)
        ran = subprocess.run(["node", os.path.join(TOP, "tests/browser/banner.mjs"), told], capture_output=True, text=True, timeout=600, check=False)
        check(ran.returncode == 0, f"the browser failed: {ran.stderr[-2000:]}")
        check(json.loads(ran.stdout) == [], f"{ran.stdout}")
        kept = {(row["method"], row["decision"]) for row in proofs(server)}
        check({("banner", "given"), ("banner", "refused"), ("banner", "withdrawn"), ("signal", "refused")} <= kept, f"the proofs are {kept}")


@promise("MP-09")
def before_any_cookie(t):
    edit = own_copy(t)
    server = t.server(policy=edit(), now=START)
    in_a_browser(t)
    in_the_account(t)
    is_asked(server)
    nothing_before(server)
    signals(server)
    as_easy(server)
    is_proved(server)
    identifies(server)
    withdraws(server)
    refused_elsewhere(server)
    asked_again(server, edit)
    ends(server)
    exempt = t.server(policy="site-fr", now=START)
    with part("no banner where every tracker is exempt"):
        check(asked(exempt)["shown"]["purposes"] == [], f"{asked(exempt)}")
        Browser(exempt).get("/consent?lang=en").expect(200).has("nothing to choose").lacks("Refuse all")
        check("/consent" not in Browser(exempt).get("/privacy?lang=en").expect(200).html, "a link to a choice that nobody has")
        chosen(exempt, [], origin=None).refused("not-found", status=404)
    with part("the choice is one link from every page"):
        for path in ("/", "/privacy", "/cookies", "/promises", "/privacy/versions", "/signin", "/forms/newsletter"):
            check(any(link.startswith("/consent") for link in Browser(server).get(path).expect(200).read.links), f"no link on {path}")


# ---- DM-07: trackers and beacons as declared. ----

def beacon(text):
    """The policy with trackers of each kind, a third party's beacon among them, under the one purpose that rests on consent."""
    return tracked_site.policy(text, "shop.deskmanager.example").replace("kind: pixel\n    purpose: audience", "kind: pixel\n    purpose: personalisation")


def told_as_declared(server):
    with part("each tracker and beacon is told as declared, with kind, lifetime, reader and country: by banner, page, API and command"):
        document = server.client("app").get("/v1/policy").expect(200).json["document"]["cookies"]
        waiting = {name: row for name, row in document.items() if row["exempt"] == "none"}
        check(set(waiting) == {"remember", "beacon", "tastes", "tastes_now"}, f"{set(waiting)}")
        said = {row["name"]: row for purpose in asked(server)["shown"]["purposes"] for row in purpose["trackers"]}
        check({name: row["kind"] for name, row in said.items()} == {name: row["kind"] for name, row in waiting.items()}, f"{said}")
        check("Mesure SA (France)" == said["beacon"]["provider"], f"{said['beacon']}")
        check(json.loads(server.run("tracker", "show", "--json")) == asked(server), "the command tells something else")
        script = server.anyone().get("/embed/consent.js?lang=en").expect(200).body.decode()
        cookies, choice = (Browser(server).get(f"{path}?lang=en").expect(200) for path in ("/cookies", "/consent"))
        for name, row in said.items():
            for words in (name, row["title"], row["provider"]):
                check(not words or json.dumps(words, ensure_ascii=False)[1:-1] in script, f"the banner does not say {words}")
            choice.has(*[typed(words) for words in (name, row["title"], row["lifetime"], row["provider"]) if words])
            cookies.has(*[typed(words) for words in (name, row["title"], row["lifetime"], row["provider"]) if words])
        cookies.has("set only if you agree")


def waits(server):
    with part("what needs a choice waits for it, and the server sets nothing that the policy does not declare"):
        visitor = Browser(server)
        for path in ("/", "/cookies", "/consent", "/signin", "/forms/feedback"):
            visitor.get(path).expect(200)
        check(not visitor.cookies, f"{visitor.cookies}")
        visitor.submit(visitor.get("/consent?lang=en"), "/consent", press={"do": "accept"}).expect(200)
        check(set(visitor.cookies) == {"choice"}, f"{visitor.cookies}")
        check({row["decision"] for row in proofs(server)} == {"given"} and len(proofs(server)) == 1, f"{proofs(server)}")


def linted(t, rule, line, before, after):
    policy = t.copy_of_policy(lambda text: beacon(text).replace(before, after))
    found = [one for one in json.loads(garant("lint", policy, "--json", ok=None).stdout) if one["rule"] == rule]
    with open(policy, encoding="utf-8") as file:
        lines = file.read().splitlines()
    check(found and any(line in lines[one["line"] - 1] for one in found), f"{rule}: {found}")
    return found


@promise("DM-07")
def as_declared(t):
    policy = t.copy_of_policy(beacon)
    server = t.server(policy=policy, now=START)
    told_as_declared(server)
    waits(server)
    with part("flash cookies are linted as dead"):
        found = linted(t, "K10", "beacon", "    kind: pixel\n    purpose: personalisation", "    kind: flash\n    purpose: audience")
        check(any("2020-12-31" in one["message"] and one["severity"] == "E" for one in found), f"{found}")
    with part("a tracker that a third party reads is linted for its transfer"):
        clean = json.loads(garant("lint", t.copy_of_policy(beacon), "--json", ok=None).stdout)
        check(not [one for one in clean if one["rule"] in ("K10", "P04", "P07") or (one["rule"] == "P05" and "country" in one["message"])], f"{clean}")
        linted(t, "P05", "beacon", "    provider: Mesure SA\n    country: FR\n", "    provider: Mesure SA\n")
        linted(t, "P04", "beacon", "    country: FR\n    where: [public]", "    country: CN\n    where: [public]")
        linted(t, "P07", "beacon", "    country: FR\n    where: [public]", "    country: US\n    where: [public]")
