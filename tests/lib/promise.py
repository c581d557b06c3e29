"""Scenarios of promises, each under the promise's id, driving a server that runs that platform's policy file alone."""
import contextlib, os, re, shutil, tempfile
import sample
from garant import TOP, Server, check

SCENARIOS = {}
PARTS = {}                                      # of promises that are open: what of them is kept already, and the scenario that shows it
TABLE = os.path.join(TOP, "tests/promises/promises.tsv")


class Row:
    """A row of promises.tsv."""

    def __init__(self, line):
        self.id, self.policy, self.says, self.waits = line.rstrip("\n").split("\t")


def rows():
    with open(TABLE, encoding="utf-8") as file:
        return [Row(line) for line in file if line.strip() and not line.startswith("#")]


POLICY = {row.id: row.policy for row in rows()}


def promise(ident):
    """Registers the scenario of a promise."""
    assert ident in POLICY and ident not in SCENARIOS, ident

    def register(scenario):
        SCENARIOS[ident] = scenario
        return scenario
    return register


def part(ident, says):
    """Registers the scenario of a part of a promise. It is run and must hold, and does not make the promise count as kept."""
    assert ident in POLICY and ident not in PARTS, ident

    def register(scenario):
        PARTS[ident] = says, scenario
        return scenario
    return register


class Trial(contextlib.ExitStack):
    """What a scenario works with: servers under the platform's policy and folders, all gone at its end."""

    def __init__(self, ident):
        super().__init__()
        self.policy = POLICY[ident]
        self.folder = tempfile.mkdtemp(prefix=f"garant-{ident}-")
        self.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.made = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def server(self, **options):
        """A server with its own data folder."""
        self.made += 1
        where = self.path(f"server{self.made}")
        os.mkdir(where)
        return self.enter_context(Server(options.pop("policy", self.policy), folder=where, **options))

    def copy_of_policy(self, change):
        """The platform's policy file with `change(text)` made to it: a path, for what the running file must not allow."""
        with open(os.path.join(TOP, "policies", self.policy + ".yaml"), encoding="utf-8") as file:
            before = file.read()
        after = change(before)
        assert after != before, "the change changed nothing"
        path = self.path(self.policy + "-changed.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(after)
        return path


def run(ident):
    """Runs the scenarios of a promise, the part's and the whole's; None when they hold, else the exception."""
    scenarios = [PARTS[ident][1]] if ident in PARTS else []
    try:
        for scenario in scenarios + ([SCENARIOS[ident]] if ident in SCENARIOS else []):
            with Trial(ident) as trial:
                scenario(trial)
    except Exception as fault:              # any break of a scenario is its answer
        return fault
    return None


# ---- What several platforms promise in the same words. ----

def only_as_declared(t, server, client, ident, ident_of_promise, actor="app"):
    """Each purpose of the policy reads its own categories and no other; a consent opens what rests on it and its withdrawal
    closes it; a purpose that the policy does not have is refused. Every refusal names its clause and the promise."""
    document = sample.Document(client.get("/v1/policy").expect(200).json["document"])
    allowed_purposes = sample.listed(document.systems[actor]["purposes"])
    seen = {"allowed": 0, "refused": 0}

    def each(purpose, expected):
        for category, body in document.categories.items():
            if "transient" in body:
                continue
            answer = client.read(ident, purpose, [category])
            if category in sample.listed(document.purposes[purpose]["categories"]) and expected is None:
                answer.expect(200)
                seen["allowed"] += 1
            elif category in sample.listed(document.purposes[purpose]["categories"]):
                answer.refused(expected, status=403, clause=rf"^purposes\.{purpose}\b", promise=ident_of_promise)
                seen["refused"] += 1
            else:
                answer.refused("purpose-refused", "consent-missing", status=403, clause=rf"^purposes\.{purpose}\b",
                               promise=ident_of_promise)
                seen["refused"] += 1
    for purpose, body in document.purposes.items():
        if purpose not in allowed_purposes:
            client.read(ident, purpose).refused("purpose-refused", "forbidden", status=403)
        elif body["basis"] != "consent":
            each(purpose, None)
        else:
            channels = sample.listed(body.get("channels"))
            channel = {"channel": channels[0]} if channels else {}
            if purpose in client.get(f"/v1/subjects/{ident}/consents").expect(200).json["live"]:
                client.consent(ident, purpose, "withdrawn", **channel).expect(201)
            each(purpose, "consent-missing")
            client.consent(ident, purpose, "given", wording="Oui.", **channel).expect(201)
            each(purpose, None)
            client.consent(ident, purpose, "withdrawn", **channel).expect(201)
            each(purpose, "consent-missing")
    for purpose in ("curiosity", "resale", "Service", "service ", "*"):
        client.read(ident, purpose).refused("purpose-refused", status=403, clause="^purposes", promise=ident_of_promise)
    check(seen["allowed"] > 3 and seen["refused"] > 3, f"the policy leaves little to see: {seen}")


def refuses_elsewhere(t, places, foreign, accepted=None):
    """The policy runs as it is; with one of the places moved to `foreign`, the start is refused and names file, line and country."""
    t.server().stop()
    for before in places:
        check(before.count("country: ") == 1, before)
        after = re.sub(r"country: \w+", f"country: {foreign}", before)
        policy = t.copy_of_policy(lambda text: text.replace(before, after))
        with open(policy, encoding="utf-8") as file:
            line = next(number for number, text in enumerate(file, 1) if after.strip().split("\n")[-1].strip() in text)
        server = t.server(policy=policy, start=False)
        status, said = server.refuses_to_start()
        check(status == 78, f"status {status}, and a policy that cannot be run is 78")
        check(f"{policy}:" in said and foreign in said and "hosting" in said, f"no clear error: {said}")
        check(any(f"{policy}:{near}:" in said for near in (line - 1, line, line + 1)), f"line {line} is not named: {said}")
        check(not os.path.exists(os.path.join(server.data, "data.db")), "a data folder was made all the same")
    if accepted:
        before = places[0]
        policy = t.copy_of_policy(lambda text: text.replace(before, re.sub(r"country: \w+", f"country: {accepted}", before)))
        t.server(policy=policy).stop()
