#!/usr/bin/python3
"""The notice as data, read by a JSON-LD processor of others (PyLD): it expands, it makes RDF, and says what the policy says in DPV."""
import glob, json, os
from common import tests
from garant import TOP, check, garant
from pyld import jsonld

DPV, PD, GDPR = "https://w3id.org/dpv#", "https://w3id.org/dpv/pd#", "https://w3id.org/dpv/legal/eu/gdpr#"
DCT, SKOS, RDF = "http://purl.org/dc/terms/", "http://www.w3.org/2004/02/skos/core#", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
POLICIES = sorted(glob.glob(os.path.join(TOP, "policies/*.yaml")))


def no_network(url, options):
    raise AssertionError(f"the document needs {url}")


jsonld.set_document_loader(no_network)


def document(policy):
    return json.loads(garant("notice", "--policy", policy, "--format", "json-ld"))


def triples(policy):
    return [(t["subject"]["value"], t["predicate"]["value"], t["object"]["value"])
            for t in jsonld.to_rdf(document(policy), {})["@default"]]


def keys_of(value, inside=False):
    """Every key of a document, and every term given as a type."""
    if isinstance(value, list):
        return {key for item in value for key in keys_of(item, inside)}
    if not isinstance(value, dict):
        return {value} if inside else set()
    return {key for name, inner in value.items() if name != "@context"
            for key in {name} | keys_of(inner, name == "@type")}


@tests.test("all five documents expand without a term lost, without a look-up elsewhere")
def expand():
    check(len(POLICIES) >= 5, f"{POLICIES}")
    for policy in POLICIES:
        source = document(policy)
        expanded = jsonld.expand(source)
        check(len(expanded) == 1 and expanded[0]["@type"] == [DPV + "PrivacyNotice"], f"{policy}: {expanded[:1]}")
        prefixes = {name: iri for name, iri in source["@context"].items() if isinstance(iri, str)}

        def full(term):
            prefix, _, rest = term.partition(":")
            return prefixes[prefix] + rest if prefix in prefixes else term
        wanted = {full(term) for term in keys_of(source)}
        kept = keys_of(expanded)
        check(wanted <= kept, f"{policy}: lost by the processor: {sorted(wanted - kept)}")
        check(all("://" in term or term.startswith(("@", "urn:")) for term in kept), f"{policy}: not absolute: {sorted(kept)}")


@tests.test("the graph says which data which purpose uses, on which basis, for how long, to whom")
def graph():
    for policy in POLICIES:
        name = os.path.basename(policy)[:-5]
        said = triples(policy)
        urn = f"urn:garant:{name}:"
        process = {s for s, p, o in said if p == RDF + "type" and o == DPV + "Process"}
        check(process and all(s.startswith(urn + "process:") for s in process), f"{name}: {process}")
        for s in process:
            bases = [o for t, p, o in said if t == s and p == DPV + "hasLegalBasis"]
            check(len(bases) == 1 and bases[0].startswith(GDPR + "A6-1-"), f"{s}: {bases}")
            data = [o for t, p, o in said if t == s and p == DPV + "hasPersonalData"]
            check(data and all((d, RDF + "type", DPV + "PersonalData") in said for d in data), f"{s}: {data}")
            for d in data:
                check(any(t == d and p == DPV + "hasStorageCondition" for t, p, o in said), f"{d}: no term")
        check(any(p == RDF + "value" and o.startswith("P") for s, p, o in said), f"{name}: no duration")
        check(any(p == DPV + "hasRight" for s, p, o in said), f"{name}: no right")
        check(any(p == DPV + "hasName" and s == urn + "controller:self" for s, p, o in said), f"{name}: no controller")
    said = triples(os.path.join(TOP, "policies/site-fr.yaml"))
    check(("urn:garant:site-fr:purpose:account", SKOS + "broader", DPV + "ServiceProvision") in said, "the purpose's DPV term")
    check(("urn:garant:site-fr:data:contact", SKOS + "broader", PD + "Contact") in said, "the category's DPV term")
    check(("urn:garant:site-fr:process:billing", DPV + "hasLegalBasis", GDPR + "A6-1-c") in said, "the legal obligation")


@tests.test("labels are French and English")
def labels():
    text = json.dumps(document(os.path.join(TOP, "policies/site-fr.yaml")), ensure_ascii=False)
    check('{"@value": "Coordonnées", "@language": "fr"}' in text and '{"@value": "Contact details", "@language": "en"}' in text, "labels")


tests.main()
