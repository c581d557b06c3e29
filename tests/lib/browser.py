"""A browser without scripts, as far as HTTP goes: cookies kept, forms filled in and sent with what stands in them, redirections followed."""
import html.parser, http.client, re, urllib.parse
import doors
from garant import check
from people import PASSWORD, first_folder
from words import typed

VOID = {"input", "meta", "link", "br", "img", "hr"}


class Reader(html.parser.HTMLParser):
    """A page's forms, links, text and what is badly nested in it."""

    def __init__(self, body):
        super().__init__(convert_charrefs=True)
        self.forms, self.links, self.words, self.ids, self.open, self.faults = [], [], [], [], [], []
        self.title, self.labels, self.scripts, self.elements = "", set(), 0, []
        self.feed(body)
        self.close()
        self.faults += [f"<{tag}> is not closed" for tag in self.open]

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        self.elements.append((tag, known))
        if len(known) != len(attributes):
            self.faults.append(f"<{tag}> has an attribute twice")
        if "id" in known:
            self.ids.append(known["id"])
        self.scripts += tag == "script"
        if tag == "form":
            self.forms.append({"action": known.get("action"), "method": known.get("method", "get"), "fields": [], "buttons": []})
        if tag == "a" and "href" in known:
            self.links.append(known["href"])
        if tag == "label":
            self.labels.add(known.get("for"))
        if self.forms and tag in ("input", "textarea", "select"):
            self.forms[-1]["fields"].append(dict(known, tag=tag))
        if self.forms and tag == "option" and self.forms[-1]["fields"]:
            field = self.forms[-1]["fields"][-1]
            field.setdefault("options", []).append(known.get("value"))
            if "selected" in known or "value" not in field:
                field["value"] = known.get("value", "")
        if self.forms and tag == "button":
            self.forms[-1]["buttons"].append(known)
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)

    def handle_endtag(self, tag):
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.faults.append(f"</{tag}> closes nothing; open: {self.open[-3:]}")

    def handle_data(self, data):
        if self.open and self.open[-1] == "title":
            self.title += data
        elif self.open and self.open[-1] == "textarea" and self.forms:
            self.forms[-1]["fields"][-1]["value"] = data
        if data.strip():
            self.words.append(" ".join(data.split()))

    @property
    def text(self):
        return " ".join(self.words)


class Page:
    def __init__(self, path, status, headers, body):
        self.path, self.status, self.headers, self.body = path, status, headers, body
        self.type = self.headers.get("content-type", "")
        self.html = body.decode() if self.type.startswith("text/") else ""
        self.read = Reader(self.html)

    def expect(self, status=200):
        check(self.status == status, f"{self.path}: status {self.status} instead of {status}: {self.read.text[:600]}")
        return self

    def has(self, *words):
        for word in words:
            check(word in typed(self.read.text), f"{self.path} does not say \"{word}\": {self.read.text[:1500]}")
        return self

    def lacks(self, *words):
        for word in words:
            check(word not in typed(self.read.text), f"{self.path} says \"{word}\"")
        return self

    def form(self, action, **like):
        """The first form with that action whose fields have these values."""
        for form in self.read.forms:
            given = {f.get("name"): f.get("value", "") for f in form["fields"]}
            if form["action"].split("?")[0] == action and all(given.get(k) == v for k, v in like.items()):
                return form
        raise AssertionError(f"{self.path} has no form that posts {like} to {action}: {[f['action'] for f in self.read.forms]}")


class Browser:
    def __init__(self, server, language="en", agent="Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"):
        self.server, self.cookies, self.seen = server, {}, []
        self.headers = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "Accept-Language": language, "User-Agent": agent}

    def send(self, method, path, fields=None, headers=()):
        """One request, no redirection followed."""
        doors.requested(method, path, html=not path.startswith("/v1/"))
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        sent = dict(self.headers)
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        body = None
        if fields is not None:
            body = urllib.parse.urlencode(fields, doseq=True)
            sent["Content-Type"] = "application/x-www-form-urlencoded"
            sent["Sec-Fetch-Site"] = "same-origin"
        sent.update(headers)
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        data = answer.read()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, rest = value.split("=", 1)
                content = rest.split(";")[0]
                self.cookies.pop(key, None)
                if content and "Max-Age=0" not in value:
                    self.cookies[key] = content
        connection.close()
        page = Page(path, answer.status, {k.lower(): v for k, v in answer.getheaders()}, data)
        self.seen.append(page)
        return page

    def follow(self, page):
        for _ in range(5):
            if page.status not in (302, 303):
                return page
            target = page.headers["location"]
            check(target.startswith("/") and not target.startswith("//"), f"redirected to {target}")
            page = self.send("GET", target)
        raise AssertionError(f"{page.path}: redirected without end")

    def get(self, path):
        return self.follow(self.send("GET", path))

    def submit(self, page, action, like=(), press=(), **typed):
        """Fills in a form of the page and sends it; names with a dot are given in `like` or as {"a.b": …} through typed["fields"]."""
        form = page.form(action, **dict(like))
        fields = {}
        for field in form["fields"]:
            ticked = field.get("type") not in ("checkbox", "radio") or "checked" in field
            if field.get("name") and ticked:
                fields[field["name"]] = field.get("value", "")
        more = typed.pop("fields", {})
        unknown = (set(typed) | set(more)) - {f.get("name") for f in form["fields"]}
        check(not unknown, f"{page.path}: the form {action} has no {unknown}")
        fields.update(typed)
        fields.update(more)
        fields.update(dict(press))
        sent = {k: v for k, v in fields.items() if v is not None}
        answer = self.send("POST", form["action"], sent)
        if answer.status == 307:                                 # the same form, elsewhere
            answer = self.send("POST", answer.headers["location"], sent)
        return self.follow(answer)

    @classmethod
    def of(cls, server, visitor, language="en"):
        """A browser that goes on with the session of a Visitor (people.py)."""
        browser = cls(server, language)
        browser.cookies = dict(visitor.cookies)
        return browser

    def raw(self, method, path, body, kind):
        """A body of its own kind, as a form with a file sends it."""
        doors.requested(method, path, html=True)
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        sent = {**self.headers, "Content-Type": kind, "Sec-Fetch-Site": "same-origin"}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        page = Page(path, answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        connection.close()
        return self.follow(page)

    def sign_in(self, identifier, password, next=None):
        page = self.get("/signin" + ("?" + urllib.parse.urlencode({"next": next}) if next else "")).expect(200)
        if not page.path.startswith("/signin"):                  # still signed in
            return page
        return self.submit(page, "/signin", identifier=identifier, password=password)


def member(server, data, identifier, language="en", password=PASSWORD, opener=None, **more):
    """An account opened for a person and its invitation accepted on its page; the person signed in: (browser, id)."""
    operator = server.operator()
    made = (opener or operator).post("/v1/accounts", {"data": data, "supplied_by": "person", "language": language,
                                                            **first_folder(server, more.get("role")), **more}).expect(201).json
    link = made.get("link") or operator.post(f"/v1/accounts/{made['id']}/invite").expect(200).json["link"]
    browser = Browser(server, language)
    page = browser.get("/" + link.split("/", 3)[3]).expect(200)
    browser.submit(page, "/invitation", password=password).expect(200)
    browser.sign_in(identifier, password).expect(200)
    check(browser.cookies, "no cookie came with the sign-in")
    return browser, made["id"]


def pages_of(server, **known):
    """Every page of the server that is asked for with GET, as /openapi.json tells, with what its addresses need."""
    known = {"name": "contact", "number": "1", "token": "x", "id": "x", "recipient": "carrier", **known}     # there or not: a page is answered
    paths = []
    for route, methods in server.anyone().get("/openapi.json").expect(200).json["paths"].items():
        types = [name for answer in methods.get("get", {}).get("responses", {}).values() for name in answer.get("content", {})]
        if any(name.startswith("text/html") for name in types):
            paths.append(re.sub(r"\{(\w+)\}", lambda found: known[found[1]], route))
    return paths
