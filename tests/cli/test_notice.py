#!/usr/bin/python3
"""garant notice, register and diff: without a server, on files that run and on published ones."""
import csv, glob, io, json, os, re, tempfile, zipfile
import xml.etree.ElementTree as ET
from common import TOP, ask, check, garant, says, tests

SITE = os.path.join(TOP, "policies/site-fr.yaml")
ROOMS = os.path.join(TOP, "policies/myownconference.yaml")
ALL = sorted(glob.glob(os.path.join(TOP, "policies/*.yaml")) + glob.glob(os.path.join(TOP, "policies/published/*.yaml")))


@tests.test("notice: every form, both languages, every policy")
def forms():
    for policy in ALL:
        for language, word in (("fr", "Vos données personnelles"), ("en", "Your personal data")):
            for form, mark in (("html", "<!doctype html>"), ("md", "# "), ("txt", "====")):
                said = garant("notice", "--policy", policy, "--lang", language, "--format", form)
                check(word in said and mark in said, f"{policy} {language} {form}: {said[:200]}")
        check(json.loads(garant("notice", "--policy", policy, "--format", "json-ld"))["@type"] == "dpv:PrivacyNotice", policy)
    said = garant("notice", "--policy", SITE, "--lang", "fr")
    check(all(len(line) <= 78 for line in said.splitlines() if " " in line[2:]), "a line of the plain text is too long")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "notice.html")
        garant("notice", "--policy", SITE, "--format", "html", "--page", "cookies", "--lang", "fr", "--to", path)
        with open(path, encoding="utf-8") as file:
            page = file.read()
        check("Cookies et autres traceurs" in page, "--to")
        check("<style>" in page and "/static/" not in page and 'class="places"' not in page, "a page in a file does not stand alone")


@tests.test("notice: what is wrong is said")
def refusals():
    says(64, "notice", words=["--policy"])
    says(64, "notice", "--policy", SITE, "--format", "pdf", words=["html, md, txt or json-ld"])
    says(64, "notice", "--policy", SITE, "--page", "shop")
    says(78, "notice", "--policy", "/nothing.yaml")
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write("garant: 1\npurposes: {x: {basis: whim}}\n")
        file.flush()
        says(78, "notice", "--policy", file.name, words=[f"{file.name}:2:"])


@tests.test("register: a row for each purpose in the template's columns, the same in CSV, ODS and HTML")
def register():
    for language, head in (("fr", "Activité de traitement"), ("en", "Processing activity")):
        text = garant("register", "--policy", SITE, "--lang", language)
        rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
        check(len(rows) == 6 and head in rows[0] and len(rows[0]) == 22, f"{len(rows)} rows, {list(rows[0])}")
        for row in rows:
            check(all(value is not None for value in row.values()), f"{row}")
            check(sum(bool(value) for value in row.values()) >= 20, f"empty columns: {row}")
    billing = next(row for row in rows if row["Processing activity"].startswith("Invoice"))
    check(billing["Legal basis"] == "legal obligation: C. com. L123-22" and "then 9\u00a0years in the archive" in billing["Time limits for erasure"]
          and billing["Internal recipients"] == "Accounting" and "Site Exemple SAS, 10 rue de l'Exemple" in billing["Controller: name and contact"],
          f"{billing}")
    check(billing["Applications and place of storage"].startswith("The site; ") and "France" in billing["Applications and place of storage"], f"{billing}")
    check(billing["Transfers out of the EEA"] == "none" and billing["Safeguards of transfers"] == "none", f"{billing}")
    html = garant("register", "--policy", SITE, "--lang", "en", "--format", "html")
    check(html.count("<h2>") == 6 and "C. com. L123-22" in html, "HTML")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "register.ods")
        garant("register", "--policy", ROOMS, "--lang", "en", "--format", "ods", "--to", path)
        with zipfile.ZipFile(path) as sheet:
            first = sheet.infolist()[0]
            check(first.filename == "mimetype" and first.compress_type == zipfile.ZIP_STORED
                  and sheet.read("mimetype") == b"application/vnd.oasis.opendocument.spreadsheet", "ODF's type stands first, as it is")
            content = ET.fromstring(sheet.read("content.xml"))
            ET.fromstring(sheet.read("META-INF/manifest.xml"))
        table = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
        sheets = content.findall(f".//{table}table")
        check([sheet.get(table + "name") for sheet in sheets] == ["Controller", "Processor"], "two sheets")
        counts = [len(sheet.findall(f"./{table}table-row")) for sheet in sheets]
        expected = len(list(csv.reader(io.StringIO(garant("register", "--policy", ROOMS))))) - 1
        check(counts == [expected, 2], f"rows: {counts}")


@tests.test("register: a transfer is one wherever the file says it, with its recipient, country and safeguard, of its purpose alone")
def transfers():
    with open(SITE, encoding="utf-8") as file:
        policy = file.read()
    abroad = "  meterer:\n    title: {fr: Mesure, en: Measure}\n    name: Exemple Inc.\n    purposes: [performance]\n    categories: [usage]\n" \
             "    country: US\n    safeguard: scc\n"
    listed = "transfers:\n  mail: {recipient: post, country: JP, safeguard: adequacy}\n"
    post = "  post:\n    title: {fr: Routage, en: Mailing}\n    name: Exemple KK\n    purposes: [account]\n    categories: [contact]\n    country: JP\n"
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        file.write(policy.replace("recipients:\n", "recipients:\n" + abroad + post).replace("transfers: none\n", listed)
                   .replace("  countries: [FR]\n", "  countries: [FR, US, JP]\n"))
        file.flush()
        rows = list(csv.DictReader(io.StringIO(garant("register", "--policy", file.name, "--lang", "en").lstrip("\ufeff"))))
    said = [(row["Transfers out of the EEA"], row["Safeguards of transfers"]) for row in rows]
    check([s for s in said if s[0] != "none"] == [("Exemple KK: Japan", said[0][1]), ("Exemple Inc.: United States", said[3][1])], f"{said}")
    check("adequacy" in said[0][1] and "clauses" in said[3][1].lower(), f"{said}")


@tests.test("register: the processor's part has each customer, with the fields it may hold and no more")
def processor():
    rows = list(csv.DictReader(io.StringIO(garant("register", "--policy", ROOMS, "--as", "processor", "--lang", "en").lstrip("\ufeff"))))
    check([row["Controller on whose behalf"] for row in rows] == ["Académie Exemple", "Example Studio Ltd"], f"{rows}")
    check("Position" in rows[1]["Categories of data"] and "Position" not in rows[0]["Categories of data"], f"{rows}")
    check(rows[0]["Categories of processing"] == "storage", f"{rows}")
    empty = garant("register", "--policy", SITE, "--as", "processor", "--lang", "en")
    check(len(list(csv.reader(io.StringIO(empty)))) == 1, "a site that serves nobody else has customers")


@tests.test("register: no cell is a formula, quotes and line ends stay inside it")
def formulas():
    with open(SITE, encoding="utf-8") as file:
        text = file.read().replace('en: "Invoice and keep accounts"', "en: '=HYPERLINK(\"x\")'")
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        rows = list(csv.reader(io.StringIO(garant("register", "--policy", file.name, "--lang", "en"))))
    check(any(row[0] == "'=HYPERLINK(\"x\")" for row in rows), f"{[row[0] for row in rows]}")
    check(not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row), "a cell would be computed")


@tests.test("diff: nothing of itself, everything of another, as text and JSON")
def differences():
    check("No change." in garant("diff", SITE, SITE, "--lang", "en"), "a file differs from itself")
    check(ask("diff", SITE, SITE) == {"material": 0, "editorial": 0, "changes": []}, "a file differs from itself")
    for old, new in zip(ALL, ALL[1:]):
        said = ask("diff", old, new, "--lang", "fr")
        check(said["material"] > 0 and said["material"] + said["editorial"] == len(said["changes"]), f"{old} {new}")
        for change in said["changes"]:
            check(change["says"] and change["for"] and not re.search(r"[{}]|\(null\)|: \.$", change["says"]), f"{change}")
            check(change["old_line"] or change["new_line"], f"{change}")
    says(64, "diff", SITE)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file, open(SITE, encoding="utf-8") as old:
        file.write(old.read().replace("usage: {from: event, active: 12mo}", "usage: {from: event, active: 24mo}"))
        file.flush()
        one = ask("diff", SITE, file.name, "--lang", "fr")["changes"]
        check(len(one) == 1 and one[0]["weight"] == "material" and one[0]["path"] == "retention.usage.active"
              and "gardées pendant 24\u00a0mois au lieu de 12\u00a0mois" in one[0]["says"] and one[0]["for"] == "clients, visiteurs", f"{one}")

@tests.test("health data is special in the register by its DPV term; the notice tells no folder of the file")
def special():
    with tempfile.TemporaryDirectory() as folder, open(SITE, encoding="utf-8") as old:
        path = os.path.join(folder, "with-care.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(old.read().replace("\ncategories:\n", "\ncategories:\n  care: {title: {en: Care notes, fr: Soins}, dpv: pd:Health, "
                                          "ground: consent, source: person, fields: {note: {type: text}}}\n", 1)
                       .replace("categories: [", "categories: [care, ", 1))
        rows = list(csv.DictReader(io.StringIO(garant("register", "--policy", path, "--lang", "en").lstrip("\ufeff"))))
        found = {row["Special category data"] for row in rows}
        check("Care notes" in found, f"{found}")
        html = garant("notice", "--policy", path, "--lang", "en", "--format", "html")
        check("Care notes" in html and folder not in html, "folders in the notice")


tests.main()
