"""The demo and its tour: a server under a policy with made-up people; nothing here knows which platform it serves."""
import argparse, contextlib, html, json, os, re, shutil, subprocess, sys, tempfile, textwrap, urllib.parse

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests/lib"))
sys.dont_write_bytecode = True
import sample
from garant import Fault, Server, check, check_absent, find_values
from mailbox import Mailbox
from people import PASSWORD, Visitor, first_folder, visitor

COLOURS = sys.stdout.isatty() and "NO_COLOR" not in os.environ
WIDTH = min(shutil.get_terminal_size((110, 24)).columns, 120)


# ---- How it looks. ----

def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOURS else text


def short(value, room=None):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    room = room or WIDTH - 8
    return text if len(text) <= room else text[:room - 1] + "…"


class Steps:
    """Numbered steps, each with what was asked and what came back."""

    def __init__(self):
        self.count = 0

    def __call__(self, title):
        self.count += 1
        print(f"\n{paint('1;34', f'{self.count:>2}')}  {paint('1', title)}")

    def asked(self, request, body=None):
        print(paint("2", f"    → {short(request)}"))
        if body is not None:
            print(paint("2", f"      {short(body)}"))

    def got(self, text):
        for line in str(text).split("\n"):
            print(f"    {paint('32', '←')} {short(line)}")

    def note(self, text):
        print(textwrap.fill(text, WIDTH - 6, initial_indent="      ", subsequent_indent="      "))

    def refusal(self, problem):
        print(f"    {paint('33', '←')} {problem['status']} {paint('33', problem['code'])}: "
              f"{short(problem['detail'], WIDTH - 12 - len(problem['code']))}")
        clause = problem.get("clause")
        if clause:
            promises = f"  (promise {', '.join(clause['promises'])})" if clause.get("promises") else ""
            print(f"      {paint('36', clause['file'] + ':' + str(clause['line']))}  {clause['path']}{promises}")


class Unsaid:
    """Steps done without a word."""

    def __call__(self, *_):
        pass

    asked = got = note = refusal = __call__


# ---- The server under the policy. ----

def open_server(stack, name, folder, arguments=()):
    path = os.path.join("policies", name + ".yaml")
    if not os.path.exists(os.path.join(TOP, path)):
        known = sorted(f[:-5] for f in os.listdir(os.path.join(TOP, "policies")) if f.endswith(".yaml"))
        sys.exit(f"there is no {path}; there are: {', '.join(known)}")
    os.makedirs(folder, exist_ok=True)
    return stack.enter_context(Server(path, folder=folder, arguments=arguments))


def client_of(server):
    """A client for the system that the policy lets do most, for the platform itself where it serves others too; and the policy."""
    with open(os.path.join(TOP, server.policy), encoding="utf-8") as file:
        server.tenant = re.search(r"^policy:.*?\bid: ([\w-]+)", file.read(), re.M | re.S)[1]
    document = sample.Document(server.operator().get("/v1/policy").expect(200).json["document"])
    return server.client(document.actor()), document


# ---- The tour. ----

GUEST = 2                                                       # of sample.PEOPLE: who gets an account


class Tour:
    def __init__(self, server, folder, step=None):
        self.server, self.folder, self.step = server, folder, step or Steps()
        self.client, self.policy = client_of(server)
        self.category, self.field = self.policy.identifier()
        self.purpose = self.policy.main_purpose()
        self.data = sample.person(self.policy, 0)
        self.id = None

    def path(self, rest="", **query):
        return f"/v1/subjects/{self.id}{rest}" + ("?" + urllib.parse.urlencode(query) if query else "")

    def refused(self, answer, *codes):
        problem = answer.refused(*codes, clause=".")
        self.step.refusal(problem)
        return problem

    def person(self):
        self.step("A person is created: every value fits its declared type, is sealed under a key of their own, and journalled")
        self.step.asked("POST /v1/subjects", {"data": self.data, "source": "person"})
        made = self.client.post("/v1/subjects", {"data": self.data, "source": "person"}).expect(201)
        self.id = made.json["id"]
        self.step.got(f"201  id {self.id}, version {made.json['version']}")
        identifier = {f"{self.category}.{self.field}": self.data[self.category][self.field]}
        self.step.asked("POST /v1/subjects/lookup", {"identifier": identifier, "purpose": self.purpose})
        found = self.client.lookup(identifier, self.purpose).expect(200)
        check(found.json["id"] == self.id, "the look-up leads to someone else")
        self.step.got("200  the same id: identifiers stand in bodies and as keyed digests, never in an address nor in clear")

    def undeclared(self):
        self.step("A field that the policy does not declare is refused")
        patch = {self.category: {"shoe_size": "42"}}
        self.step.asked("PATCH " + self.path(purpose=self.purpose), patch)
        self.refused(self.client.change(self.id, self.purpose, patch), "undeclared")

    def read(self):
        self.step(f"Read for a declared purpose: {self.purpose}, “{sample.said(self.policy.purposes[self.purpose].get('title'))}”")
        self.step.asked("GET " + self.path(purpose=self.purpose))
        self.step.got(f"200  {short(self.client.read(self.id, self.purpose).expect(200).json['data'], WIDTH - 16)}")

    def wrong_purposes(self):
        self.step("Read for a purpose that the policy does not declare is refused, with the clause that decided")
        self.step.asked("GET " + self.path(purpose="resale"))
        self.refused(self.client.read(self.id, "resale"), "purpose-refused")
        for name, clause in (self.policy.tree.get("never") or {}).items():
            for purpose in sample.listed(clause.get("purposes"))[:1]:
                self.step.asked("GET " + self.path(purpose=purpose))
                self.refused(self.client.read(self.id, purpose), "purpose-refused")
                self.step.note(f"“{sample.said(clause['says'])}”")
        outside = [(purpose, category) for purpose in self.policy.actor_purposes() for category in self.data
                   if category not in sample.listed(self.policy.purposes[purpose]["categories"])
                   and self.policy.purposes[purpose]["basis"] != "consent"]
        if outside:
            purpose, category = outside[0]
            self.step.asked("GET " + self.path(purpose=purpose, categories=category))
            self.refused(self.client.read(self.id, purpose, [category]), "purpose-refused")

    def objection(self):
        able = [name for name in self.policy.actor_purposes()
                if self.policy.purposes[name]["basis"] == "legitimate_interest"
                and set(sample.listed(self.policy.purposes[name]["categories"])) & set(self.data)]
        if not able:
            return
        purpose = able[0]
        self.step(f"The person objects to {purpose} (Art. 21), which rests on a legitimate interest")
        self.step.asked("PUT " + self.path(f"/objections/{purpose}"))
        self.client.put(self.path(f"/objections/{purpose}")).expect(204)
        self.step.asked("GET " + self.path(purpose=purpose))
        self.refused(self.client.read(self.id, purpose))
        self.client.delete(self.path(f"/objections/{purpose}")).expect(204)

    def rectification(self):
        category, field = next((c, f) for c, body in self.data.items() for f, v in body.items()
                               if isinstance(v, str) and self.policy.categories[c]["fields"][f]["type"] == "text")
        former, corrected = self.data[category][field], self.data[category][field] + "-Martin"
        self.step("A value is corrected; the former one is kept, for its own term")
        self.step.asked("PATCH " + self.path(purpose=self.purpose), {category: {field: corrected}})
        changed = self.client.change(self.id, self.purpose, {category: {field: corrected}}, source="person").expect(200)
        self.step.got(f"200  {short(changed.json)}")
        self.data[category][field] = corrected
        self.step.asked("GET " + self.path("/former"))
        kept = self.client.get(self.path("/former")).expect(200).json["former"]
        check((category, field, former) in [(row["category"], row["field"], row["value"]) for row in kept], f"not kept: {kept}")
        self.step.got(f"200  {short(kept[-1], WIDTH - 16)}")

    def card(self):
        category, field = next((c, f) for c, body in self.data.items() for f in body
                               if self.policy.categories[c]["fields"][f]["type"] == "text")
        self.step("A payment card number is refused wherever it is put")
        patch = {category: {field: "4111 1111 1111 1111"}}
        self.step.asked("PATCH " + self.path(purpose=self.purpose), patch)
        problem = self.client.change(self.id, self.purpose, patch).refused("card-number")
        self.step.refusal(problem)
        check("4111" not in json.dumps(problem), "the refusal repeats the number")

    def export(self):
        self.step("Everything held is exported, for people and for programs")
        self.step.asked("GET " + self.path("/export"))
        files, data = self.client.export(self.id)
        for category, body in self.data.items():
            for value in body.values():
                check(not isinstance(value, str) or value in json.dumps(data, ensure_ascii=False), f"a value of {category} is missing")
        self.step.got("200  a zip: " + ", ".join(f"{name} ({len(content):,} bytes)" for name, content in files.items()))
        access = self.client.get(self.path("/access")).expect(200).json
        self.step.asked("GET " + self.path("/access"))
        self.step.got(f"200  the answer of Art. 15: {', '.join(access)}")

    def backup(self):
        self.backup_folder = os.path.join(self.folder, "backup")
        self.step("A backup is made while the server works (the operator, on the data folder's own socket)")
        self.step.asked("POST /v1/backup", {"to": self.backup_folder})
        self.server.operator().post("/v1/backup", {"to": self.backup_folder}).expect(200)
        check_absent(sample.values(self.data), self.backup_folder, self.server.data)
        self.step.got(f"200  {sum(len(files) for _, _, files in os.walk(self.backup_folder))} files; "
                      "none of this person's values stands in clear in the backup nor in the data folder")

    def account(self, mailbox):
        """Somebody gets an account as the policy has it: invited by staff, or by their own registration; then signs in."""
        self.guest = sample.person(self.policy, GUEST)
        address = self.guest[self.category][self.field]
        openers = sample.listed((self.policy.tree.get("accounts") or {}).get("opened_by"))
        anyone = self.server.anyone()
        if "staff" in openers:
            self.step("An account is opened for somebody; a letter brings a link that works once")
            body = {"data": self.guest, "supplied_by": "person", "language": "en", **first_folder(self.server)}
            self.step.asked("POST /v1/accounts", body)
            made = self.server.operator().post("/v1/accounts", body).expect(201).json
            self.step.got(f"201  {made['state']}, the link holds until {made['expires'][:16]}")
            token = self.follow(mailbox, address, "invitation")
            self.step.asked("POST /v1/invitations/accept", {"token": "…", "password": "12345678"})
            self.refused(anyone.post("/v1/invitations/accept", {"token": token, "password": "12345678"}), "weak-password")
            anyone.post("/v1/invitations/accept", {"token": token, "password": PASSWORD}).expect(200)
        else:
            self.step("Somebody registers; a letter asks them to confirm their address")
            body = {"data": self.guest, "password": PASSWORD, "language": "en"}
            self.step.asked("POST /v1/accounts/register", {**body, "password": "…"})
            self.refused(anyone.post("/v1/accounts/register", {**body, "password": "12345678"}), "weak-password")
            anyone.post("/v1/accounts/register", body).expect(202)
            token = self.follow(mailbox, address, None)
            anyone.post("/v1/registrations/confirm", {"token": token, "password": PASSWORD}).expect(200)
        self.step.got("200  the account is open; of the password there is an Argon2id hash, sealed")

    def follow(self, mailbox, address, letter):
        """The secret of the link in the letter that came to that address."""
        came = mailbox.wait(address) if letter is None else mailbox.wait(address, letter)
        self.step.got(f"“{came.subject}”, to the address given")
        return urllib.parse.parse_qs(urllib.parse.urlsplit(came.links[0]).query)["token"][0]

    def session(self):
        address = self.guest[self.category][self.field]
        self.step("They sign in and see what is held of them, and who looked")
        self.step.asked("POST /v1/session", {"identifier": address, "password": "…"})
        wrong = Visitor(self.server).post("/v1/session", {"identifier": address, "password": "Wrong, and 12 letters!"})
        self.refused_plainly(wrong)
        browser = visitor(self.server, address)
        cookie = next(iter(browser.cookies))
        state = browser.get("/v1/session").expect(200).json
        self.step.got(f"200  cookie {cookie}, opaque; without use it ends {state['idle_until'][:16]}, at the latest {state['until'][:16]}")
        self.client.read(browser.id, self.purpose).expect(200)
        self.step.asked("GET /me")
        page = browser.get("/me", Accept="text/html").expect(200)
        check(html.escape(address) in page.body.decode(), "the person's page lacks their address")
        self.step.got("200  a page of their own: categories, purposes, sources, terms, choices, looks, sessions, export, erasure")
        self.step.asked("GET /me/looks")
        browser.get("/me/looks", Accept="text/html").expect(200)
        self.step.asked(f"GET /v1/subjects/{self.id}/access", None)
        self.refused_plainly(browser.get(f"/v1/subjects/{self.id}/access"))
        self.step.note("That is another person: to a signed-in one they do not exist.")
        browser.delete("/v1/session").expect(204)
        check(browser.get("/v1/session").status == 401, "signed out, and still in")
        self.step.got("204  signed out, and the browser is told to forget what it kept")

    def refused_plainly(self, answer):
        """A refusal that names no clause, since it must not tell whether anybody is there."""
        self.step.refusal(answer.refused())

    def erasure(self):
        self.step("The person is erased: keys shredded, rows gone, and a signed certificate")
        self.step.asked("POST " + self.path("/erase"), {"ground": "request"})
        answer = self.client.erase(self.id)
        self.certificate = os.path.join(self.folder, "certificate.json")
        with open(self.certificate, "w", encoding="utf-8") as file:
            json.dump(answer, file, ensure_ascii=False)
        self.step.got("200  certificate " + short(answer["certificate"], WIDTH - 26))
        self.step.asked("GET " + self.path(purpose=self.purpose))
        gone = self.client.read(self.id, self.purpose).expect(404, 410)
        self.step.got(f"{gone.status}  {gone.json['title']}")

    def verification(self):
        self.step("Certificate and journal are verified offline: by a program in Python that shares no code with the server, and by it")
        journal = self.server.save_journal(os.path.join(self.folder, "journal"))
        self.server.stop()
        self.run(["/usr/bin/python3", "tests/interop/verify.py", journal, "--certificate", self.certificate])
        self.run(["build/garant", "verify", "--policy", self.server.policy, "--data", self.server.data])

    def run(self, command):
        self.step.asked("$ " + " ".join(command))
        done = subprocess.run(command, cwd=TOP, capture_output=True, text=True)
        check(done.returncode == 0, f"{' '.join(command)}: status {done.returncode}: {done.stdout}{done.stderr}")
        self.step.got(done.stdout.strip())

    def restoration(self):
        self.step("The old backup, made before the erasure, is restored beside today's keyring: it stays silent")
        self.run(["build/garant", "restore", self.backup_folder, "--data", self.server.data])
        self.server.start()
        self.client.port = self.server.port
        self.step.asked("GET " + self.path(purpose=self.purpose))
        gone = self.client.read(self.id, self.purpose).expect(404, 410)
        self.step.got(f"{gone.status}  {gone.json['title']}")
        hits = find_values(sample.values(self.data), self.server.data, self.backup_folder, self.server.log_file)
        check(not hits, f"found: {hits[:3]}")
        self.step.got("a search of every file, for every value in six encodings, finds nothing")


def consent_step(stack, tour, folder):
    """Consent given and withdrawn; under another policy of the tree when this one rests nothing on consent."""
    client, policy, purposes, name = tour.client, tour.policy, tour.policy.consent_purposes(), None
    if not purposes:
        for name in sorted(f[:-5] for f in os.listdir(os.path.join(TOP, "policies")) if f.endswith(".yaml")):
            server = open_server(stack, name, os.path.join(folder, name))
            client, policy = client_of(server)
            purposes = policy.consent_purposes()
            if purposes:
                break
            server.stop()
    check(purposes, "no policy of the tree rests anything on consent")
    purpose = next((name for name in purposes if set(sample.listed(policy.purposes[name]["categories"])) & set(policy.single())),
                   purposes[0])
    channels = sample.listed(policy.purposes[purpose].get("channels"))
    with_channel = {"channel": channels[0]} if channels else {}
    tour.step(f"A consent is given and withdrawn: {purpose}, “{sample.said(policy.purposes[purpose].get('title'))}”")
    ident = tour.id
    if client is not tour.client:
        tour.step.note(f"{tour.policy.tree['policy']['id']} rests nothing on consent; "
                       f"for this step the same program serves policies/{name}.yaml.")
        ident = client.create(sample.person(policy, 1))["id"]
    path = f"/v1/subjects/{ident}"

    def read():
        tour.step.asked(f"GET {path}?purpose={purpose}")
        return client.read(ident, purpose)

    tour.refused(read(), "consent-missing")
    for decision, wording in (("given", "Yes, write to me about this."), ("withdrawn", "No more, please.")):
        body = {"purpose": purpose, "decision": decision, "wording": wording, **with_channel}
        tour.step.asked(f"POST {path}/consents", body)
        row = client.post(f"{path}/consents", body).expect(201).json["consents"][0]
        tour.step.got(f"201  {decision} at {row['at']}, under policy {row['policy']}, wording {row['wording_hash'][:16]}…")
        if decision == "given":
            tour.step.got(f"{read().expect(200).status}  allowed now")
    tour.refused(read(), "consent-missing")


def tour(name):
    folder = tempfile.mkdtemp(prefix="garant-tour-")
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        mailbox = stack.enter_context(Mailbox(plain=True))
        server = open_server(stack, name, os.path.join(folder, "main"), mailbox.arguments())
        walk = Tour(server, folder)
        tree = walk.policy.tree
        print(paint("1", f"Garant serves policies/{name}.yaml") + f"  {tree['controller']['legal_name']}, "
              f"version {tree['policy']['version']}, on http://127.0.0.1:{server.port}")
        walk.person()
        walk.read()
        walk.undeclared()
        walk.wrong_purposes()
        consent_step(stack, walk, folder)
        walk.objection()
        walk.rectification()
        walk.card()
        walk.account(mailbox)
        walk.session()
        walk.export()
        walk.backup()
        walk.erasure()
        walk.verification()
        walk.restoration()
        print("\n" + paint("1;32", f"All {walk.step.count} steps went as the policy promises."))


# ---- The demo that stays. ----

def serve(name):
    folder = os.path.join(TOP, "build/demo", name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    with contextlib.ExitStack() as stack:
        mailbox = stack.enter_context(Mailbox(plain=True))
        server = open_server(stack, name, folder, mailbox.arguments())
        client, policy = client_of(server)
        guest = Tour(server, folder, Unsaid())
        guest.account(mailbox)
        people = []
        for number in (n for n in range(len(sample.PEOPLE)) if n != GUEST):
            data = sample.person(policy, number)
            people.append((client.create(data)["id"], data))
        category, field = policy.identifier()
        purpose, (ident, data) = policy.main_purpose(), people[0]
        address = f"http://127.0.0.1:{server.port}"
        tree = policy.tree
        print(f"\n{paint('1', 'Garant')} serves {paint('1', f'policies/{name}.yaml')} of {tree['controller']['legal_name']} with "
              f"{len(people)} made-up people:\n")
        print(f"    {paint('1;34', address + '/privacy')}         what people read")
        print(f"    {paint('1;34', address + '/openapi.json')}    what programs read")
        print(f"    {paint('1;34', address + '/me')}              what a person sees: sign in as {guest.guest[category][field]},")
        print(f"    {' ' * len(address)}                 password {PASSWORD}")
        print(f"\nTo try, in another terminal, with the token of the system “{policy.actor()}”:\n")
        print(f"    ask() {{ curl -s -w '\\n' -H 'Accept-Language: en' -H 'Authorization: Bearer {client.token}' \"$@\"; }}")
        print(f"    people={address}/v1/subjects  someone={ident}\n")
        lookup = json.dumps({"identifier": {f"{category}.{field}": data[category][field]}, "purpose": purpose})
        for what, command in (
                ("find someone by an identifier, which never stands in an address", f"ask $people/lookup --json '{lookup}'"),
                (f"read for a declared purpose: {sample.said(policy.purposes[purpose].get('title'))}",
                 f"ask \"$people/$someone?purpose={purpose}\""),
                ("read for another: refused, with the line of the policy", "ask \"$people/$someone?purpose=resale\""),
                ("everything held about them", "ask $people/$someone/access"),
                ("the same to take away", "ask $people/$someone/export -o export.zip"),
                ("erase them; the answer is a signed certificate", "ask -X POST $people/$someone/erase"),
                ("then there is nothing", f"ask \"$people/$someone?purpose={purpose}\"")):
            print(f"    {paint('2', '# ' + what)}\n    {command}\n")
        print("Ctrl-C ends it.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            status = server.process.wait()
            sys.exit(f"the server ended by itself with status {status}:\n{server.log()[-1500:]}")
        print()


def main():
    parser = argparse.ArgumentParser(prog="./demo")
    parser.add_argument("--policy", default="mxplorerplace", help="a name of policies/")
    parser.add_argument("--tour", action="store_true", help="walk the main job and end")
    options = parser.parse_args()
    name = os.path.basename(options.policy).removesuffix(".yaml")
    try:
        tour(name) if options.tour else serve(name)
    except Fault as fault:
        sys.exit(paint("1;31", "\nNot as promised: ") + str(fault))


main()
