"""Every door through which a person's data can be used for a purpose: reads and acts, each as a request that names the purpose."""
import json, urllib.parse
from garant import check, garant


def uses_of(client, ident, purpose, identifier, patch, recipient=None, attachment=None, preferences=None, transient=None):
    """What an actor can ask for that purpose, by name: a request each, that gives its answer. `identifier` and `patch` are {category: {field: value}}
    of the person; `preferences` is (category, place, values)."""
    person, for_it = f"/v1/subjects/{ident}", "?" + urllib.parse.urlencode({"purpose": purpose})
    (category, given), = identifier.items()
    asked = {f"{category}.{field}": value for field, value in given.items()}
    found = {
        "a read": lambda: client.get(person + for_it),
        "a read of one category": lambda: client.get(f"{person}{for_it}&categories={category}"),
        "a look-up": lambda: client.lookup(asked, purpose),
        "a change": lambda: client.patch(person + for_it, patch, etag="*"),
        "a message": lambda: client.post(person + "/messages", {"purpose": purpose, "subject": "An offer", "text": "Buy it."}),
        "a call noted": lambda: client.post(person + "/calls", {"purpose": purpose, "subject": "An offer"}),
        "the contact log": lambda: client.get(f"{person}/contacts{for_it}"),
        "a batch": lambda: client.post("/v1/batch", {"requests": [{"method": "GET", "path": person + for_it}]}),
    }
    for act in ("read", "write", "send", "disclose"):
        found[f"the question whether to {act}"] = lambda act=act: client.post("/v1/decisions", {
            "subject": ident, "purpose": purpose, "categories": [category], "act": act, **({"channel": "email"} if act == "send" else {})})
        found[f"the question whether to {act}, of nobody in particular"] = lambda act=act: client.post("/v1/decisions", {
            "purpose": purpose, "categories": [category], "act": act, **({"channel": "email"} if act == "send" else {})})
    if recipient:
        found["a disclosure"] = lambda: client.post(person + "/disclosures", {"recipient": recipient, "purpose": purpose, "categories": [category]})
    if attachment:
        found["a file"] = lambda: client.get(f"{person}/attachments/{attachment}{for_it}")
    if transient:
        found["what is only in memory"] = lambda: client.get(f"{person}/transient/{transient}{for_it}")
    if preferences:
        place = f"{person}/preferences/{preferences[0]}/{preferences[1]}{for_it}"
        found["preferences, listed"] = lambda: client.get(f"{person}/preferences{for_it}")
        found["preferences, read"] = lambda: client.get(place)
        found["preferences, saved"] = lambda: client.put(place, preferences[2])
        found["preferences, forgotten"] = lambda: client.delete(place)
    return found


def refused(name, answer, *codes, **expected):
    """The answer is a refusal with its clause; of a batch, that of its item."""
    try:
        if answer.status == 207:
            item = answer.json["results"][0]
            check(item["status"] == expected.get("status", item["status"]), f"{item}")
            answer.status, answer.body, answer.headers = item["status"], json.dumps(item["body"]).encode(), {"content-type": "application/problem+json"}
        return answer.refused(*codes, **expected)
    except AssertionError as fault:
        raise AssertionError(f"{name}: {fault}") from fault


def command(server, *arguments, given=None):
    """A command beside the server that runs: its exit status and all that it said."""
    run = garant(*arguments, "--data", server.data, "--policy", server.policy, *(["--tenant", server.tenant] if server.tenant else []), "--lang", "en",
                 ok=None, given=given)
    return run.returncode, run.stdout + run.stderr
