#!/usr/bin/python3
"""Receipts of consent, read by a JSON-LD processor of others (PyLD) and verified from the specifications alone (verify.py)."""
import base64, json, os, subprocess, sys
from common import tests
from garant import TOP, Server, check, garant
from mailbox import Mailbox
from people import registered, visitor
from pyld import jsonld

DPV, PD, GDPR = "https://w3id.org/dpv#", "https://w3id.org/dpv/pd#", "https://w3id.org/dpv/legal/eu/gdpr#"
VERIFY = os.path.join(TOP, "tests/interop/verify.py")
NOW, URL = "2026-11-30T09:00:00Z", "https://desk.example"
# The terms of DPV 2.3 that a receipt may use: what stands in the profile's example, and the three states of a consent.
TERMS = set("""ConsentReceipt ConsentRecord ConsentNotice DataSubject DataController Recipient Process Purpose PersonalData StorageLocation StorageDuration
    StorageDeletion TemporalDuration UntilEventDuration WithdrawConsent DataSubjectRight ConsentGiven ConsentRefused ConsentWithdrawn ExpressedConsent
    hasIdentifier hasRecordOfActivity hasDataSubject hasNotice hasDataController hasName hasAddress hasContact hasJurisdiction hasApplicableLaw hasAuthority
    hasProcess hasLegalBasis hasPurpose hasPersonalData hasRecipient hasStorageCondition hasLocation hasDuration hasConsentControl isExercisedAt hasRight
    hasConsentStatus isIndicatedBy hasIndicationMethod isIndicatedAtTime""".split())


def no_network(url, options):
    raise AssertionError(f"the receipt needs {url}")


jsonld.set_document_loader(no_network)


def person(number):
    return {"contact": {"name": f"Clarisse Planted-{number}", "email": f"clarisse.{number}@conso.example", "phone": f"+3361111{number:04d}"},
            "account": {"screen_name": f"clarisse{number}"}}


def decided(client, ident, purpose, decision, **more):
    row, = client.consent(ident, purpose, decision, **more).expect(201).json["consents"]
    return row


def receipts(client, ident):
    """Every receipt of a person, by (purpose, decision)."""
    rows = [row for row in client.get(f"/v1/subjects/{ident}/consents").expect(200).json["consents"] if "receipt" in row]
    return {(row["purpose"], row["decision"]): (row, client.get(f"/v1/subjects/{ident}/receipts/{row['receipt']}").expect(200).json) for row in rows}


def keys_of(value, inside=False):
    if isinstance(value, list):
        return {key for item in value for key in keys_of(item, inside)}
    if not isinstance(value, dict):
        return {value} if inside else set()
    return {key for name, inner in value.items() if name != "@context" for key in {name} | keys_of(inner, name == "@type")}


def chosen(server):
    """A person who gave, refused and withdrew, and objected once."""
    client = server.client("app")
    ident = client.create(person(1))["id"]
    decided(client, ident, "marketing", "given", channel="email", wording="Envoyez-moi vos nouvelles par courriel", method="tick")
    decided(client, ident, "marketing", "refused", channel="sms")
    decided(client, ident, "mobile_features", "given", method="button")
    server.advance(days=3)
    decided(client, ident, "marketing", "withdrawn", channel="email")
    return client, ident


@tests.test("each decision has a receipt, whose terms a JSON-LD processor knows, every one")
def terms():
    with Server("deskmanager", now=NOW, arguments=["--url", URL]) as server:
        client, ident = chosen(server)
        all_of = receipts(client, ident)
        wanted = {("marketing", "given"), ("marketing", "refused"), ("marketing", "withdrawn"), ("mobile_features", "given")}
        check(set(all_of) == wanted, f"{set(all_of)}")
        for (purpose, decision), (row, answer) in all_of.items():
            source = answer["receipt"]
            expanded = jsonld.expand(source)
            prefixes = {name: iri for name, iri in source["@context"].items() if isinstance(iri, str)}

            def full(term):
                prefix, _, rest = term.partition(":")
                return prefixes[prefix] + rest if prefix in prefixes else term
            wanted, kept = {full(term) for term in keys_of(source)}, keys_of(expanded)
            check(wanted <= kept, f"{decision}: lost by the processor: {sorted(wanted - kept)}")
            check(all("://" in term or term.startswith(("@", "urn:")) for term in kept), f"not absolute: {sorted(kept)}")
            used = {term[len(DPV):] for term in kept if term.startswith(DPV)}
            check(used <= TERMS, f"unknown terms: {sorted(used - TERMS)}")
            check(jsonld.to_rdf(source, {})["@default"], "no graph")


@tests.test("a receipt says who decided what, when, how, on which words, and how to withdraw")
def content():
    with Server("deskmanager", now=NOW, arguments=["--url", URL]) as server:
        client, ident = chosen(server)
        for (purpose, decision), (row, answer) in receipts(client, ident).items():
            record, = answer["receipt"]["dpv:hasRecordOfActivity"],
            status, process = record["dpv:hasConsentStatus"][0], record["dpv:hasProcess"][0]
            check(status["@type"][0] == f"dpv:Consent{decision.capitalize()}", f"{status}")
            check(status["dpv:isIndicatedAtTime"] == row["at"] and status.get("dpv:hasIndicationMethod") == row.get("method"), f"{status} of {row}")
            check(record["dpv:hasNotice"].get("dct:description") == row.get("wording"), f"{record['dpv:hasNotice']}")
            check(record["dpv:hasNotice"]["dct:hasVersion"] == row["policy"], f"{record['dpv:hasNotice']}")
            check(process["dpv:hasLegalBasis"] == "eu-gdpr:A6-1-a" and process["dpv:hasPurpose"]["@id"] == f"urn:garant:purpose:{purpose}", f"{process}")
            check(record["dpv:hasConsentControl"]["dpv:isExercisedAt"] == URL + "/me/consents", f"{record['dpv:hasConsentControl']}")
            check(record["dpv:hasDataController"]["dpv:hasName"] and record["dpv:hasDataController"]["dpv:hasAddress"], f"{record['dpv:hasDataController']}")
            check(ident in record["dpv:hasDataSubject"]["@id"] and "clarisse" not in json.dumps(answer), "it names the person")
            again = client.get(f"/v1/subjects/{ident}/receipts/{row['receipt']}").expect(200).json["receipt"]
            check(again["@id"] == answer["receipt"]["@id"], "the same row has another id")
        told = [answer["receipt"]["@id"] for _, answer in receipts(client, ident).values()]
        check(len(set(told)) == 4, f"ids repeat: {told}")
        french = client.get(f"/v1/subjects/{ident}/receipts/{row['receipt']}", **{"Accept-Language": "fr"}).expect(200).json["receipt"]
        check(french["dpv:hasRecordOfActivity"]["dct:language"] == "fr", "not in French")


@tests.test("it is signed: the command and an independent verifier accept it, and no altered one")
def signed():
    with Server("deskmanager", now=NOW, arguments=["--url", URL]) as server:
        client, ident = chosen(server)
        key = server.run("journal", "key").strip()
        for name, (row, answer) in receipts(client, ident).items():
            file = os.path.join(server.folder, "receipt.json")

            def verified(said):
                with open(file, "w", encoding="utf-8") as out:
                    out.write(said if isinstance(said, str) else json.dumps(said))
                told = garant("verify", "--receipt", file, "--key", key, "--json", ok=None)
                other = subprocess.run([sys.executable, VERIFY, f"http://127.0.0.1:{server.port}/v1/journal", "--receipt", file, "--header",
                                        "Authorization: Bearer " + client.token], capture_output=True, text=True, timeout=120)
                check((told.returncode == 0) == (other.returncode == 0), f"they differ: {told} {other}")
                return json.loads(told.stdout) if told.returncode == 0 else None
            for said in (answer, answer["jws"]):
                told = verified(said)
                check(told and told["id"] == answer["receipt"]["@id"] and told["at"] == row["at"], f"{told}")
            changed = json.loads(json.dumps(answer).replace("dpv:Consent" + name[1].capitalize(), "dpv:ConsentRequested"))
            check(changed != answer and verified(changed) is None, "an altered readable part is accepted")
            head, body, signature = answer["jws"].split(".")
            payload = base64.urlsafe_b64decode(body + "==").replace(b"2026-11", b"2025-11")
            check(verified(".".join((head, base64.urlsafe_b64encode(payload).decode().rstrip("="), signature))) is None, "an altered payload is accepted")
        certificate = client.erase(ident)
        check(verified(certificate["jws"]) is None, "a certificate is taken for a receipt")


@tests.test("for its person by page, by command for the operator, and for nobody else; an objection has none")
def access():
    with Mailbox() as box, Server("deskmanager", now=NOW, arguments=box.arguments()) as server:
        client = server.client("app")
        for number in (1, 2):
            registered(server, box, person(number), f"clarisse.{number}@conso.example")
        ident = visitor(server, "clarisse.1@conso.example").id
        decided(client, ident, "marketing", "given", channel="email")
        client.put(f"/v1/subjects/{ident}/objections/improvement", {}).expect(204)
        rows = client.get(f"/v1/subjects/{ident}/consents").expect(200).json["consents"]
        place, = [row["receipt"] for row in rows if "receipt" in row]
        one, two = visitor(server, "clarisse.1@conso.example"), visitor(server, "clarisse.2@conso.example")
        page = one.get("/me/consents").expect(200).body.decode()
        check(f"/me/consents/{place}/receipt" in page, "the page offers none")
        file = one.get(f"/me/consents/{place}/receipt").expect(200)
        check("attachment" in file.headers["content-disposition"] and file.json["receipt"]["@type"] == "dpv:ConsentReceipt", f"{file.headers}")
        told = json.loads(server.run("subject", "receipt", ident, place, "--json"))["receipt"]
        check(told["@id"] == file.json["receipt"]["@id"], "the command gives another")
        one.get(f"/v1/subjects/{ident}/receipts/{place}").expect(200)
        for who in (two, server.client("contest_site")):
            check(who.get(f"/v1/subjects/{ident}/receipts/{place}").status in (403, 404), "somebody else has it")
        two.get(f"/me/consents/{place}/receipt").refused("not-found", status=404)
        server.anyone().get(f"/v1/subjects/{ident}/receipts/{place}").refused("unauthorised", status=401)
        time, seq, channel, purpose = place.split(".")
        for wrong in ("x", "1.1.email.marketing", f"{time}.{int(seq) + 1}.{channel}.{purpose}", f"{time}.{seq}.sms.{purpose}",
                      f"{time}.1.objection.improvement", f"{time}.{seq}.{channel}.", "9" * 30 + ".1.email.marketing"):
            client.get(f"/v1/subjects/{ident}/receipts/{wrong}").refused("not-found", status=404)
        looks = [row for row in client.get(f"/v1/subjects/{ident}/looks").expect(200).json["looks"] if row["act"] == "read" and row["purpose"] == "consents"]
        check(looks, "the look is not on record")


tests.main()
