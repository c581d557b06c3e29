"""A small site of its own on one loopback address, with trackers of its own and of a third party on another, and what each was asked for."""
import contextlib, http.server, threading

SITE, OTHER, STRANGER = "127.0.0.2", "127.0.0.3", "127.0.0.4"      # the same site under a name that no policy lists: STRANGER
GIF = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")


def page(garant, other, language):
    """What waits for a choice stands in templates; the rest is what any page has."""
    return f"""<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>A shop</title>
<link rel="icon" href="data:,"></head>
<body><main><h1>A shop</h1><p>What anybody may read, whatever they choose.</p>
<template data-purpose="audience"><script src="{other}/count.js"></script><img src="{other}/seen.gif" alt=""></template>
<template data-purpose="audience"><script>
document.cookie = 'audience=42; Path=/; Max-Age=3600';
document.cookie = 'audience=43; Path=/shop; Max-Age=3600';
navigator.sendBeacon('{other}/beacon', 'visit');
</script></template>
<template data-purpose="personalisation"><iframe src="{other}/frame" title="What others liked"></iframe><script>
document.cookie = 'taste=blue; Path=/; Max-Age=3600';
localStorage.setItem('tastes', 'blue');
sessionStorage.setItem('tastes_now', 'blue');
</script></template></main>
<script src="{garant}/embed/consent.js?lang={language}" defer></script></body></html>"""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body, kind="text/html; charset=utf-8", status=200, **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path = self.path.split("?")[0]
        self.server.seen.append((self.command, path, self.headers.get("Cookie")))
        if self.server.pages:
            self.answer(self.server.pages[path[-2:] if path.endswith(("/en", "/fr")) else "en"].encode(), **self.server.headers)
        elif path == "/seen.gif":
            self.answer(GIF, "image/gif", Set_Cookie="third=1; Path=/; Max-Age=3600")
        elif path == "/count.js":
            self.answer(b"document.documentElement.dataset.counted = 'yes';", "text/javascript")
        else:
            self.answer(b"<!doctype html><title>Others</title><p>Others liked this.</p>")

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, self.path, self.headers.get("Cookie")))
        self.answer(b"", status=204)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def listening(address, port=0):
    server = http.server.ThreadingHTTPServer((address, port), Handler)
    server.daemon_threads, server.seen, server.pages, server.headers = True, [], {}, {}
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def origin(server):
    return f"http://{server.server_address[0]}:{server.server_address[1]}"


def policy(text, site):
    """The platform's policy with that site, and with trackers of each kind that the pages above use."""
    more = """  beacon:
    title: {fr: "Dit à un tiers qu'une page est vue, si vous l'acceptez.", en: "Tells a third party that a page is seen, if you accept."}
    kind: pixel
    purpose: audience
    exempt: none
    lifetime: session
    personal: false
    identifies: true
    provider: Mesure SA
    country: FR
    where: [public]
  tastes:
    title: {fr: "Retient vos goûts, si vous l'acceptez.", en: "Remembers your tastes, if you accept."}
    kind: local_storage
    purpose: personalisation
    exempt: none
    lifetime: 6mo
    personal: false
    identifies: true
    where: [public]
  tastes_now:
    title: {fr: "Retient vos goûts du moment, si vous l'acceptez.", en: "Remembers your tastes of now, if you accept."}
    kind: session_storage
    purpose: personalisation
    exempt: none
    lifetime: session
    personal: false
    identifies: true
    where: [public]
trackers:
"""
    assert text.count("\ntrackers:\n") == 1
    head, tail = text.split("\ntrackers:\n")
    tail = tail.replace("  sites: [", f"  sites: [{site}, ", 1)
    return head + "\n" + more + tail


@contextlib.contextmanager
def tracked():
    """(site, stranger, other): the site, the same under another address, and the third party; give() then tells them where garant is."""
    with listening(SITE) as site, listening(STRANGER) as stranger, listening(OTHER) as other:
        def give(garant):
            for one in (site, stranger):
                one.pages = {language: page(garant, origin(other), language) for language in ("en", "fr")}
        yield site, stranger, other, give


def settings(garant, site, stranger, other):
    """What banner.mjs is told: origins, and the words that stand on the banner's buttons."""
    said = {language: garant.anyone().get(f"/v1/trackers?lang={language}").expect(200).json["shown"] for language in ("en", "fr")}
    return {"garant": f"http://127.0.0.1:{garant.port}", "site": origin(site), "stranger": origin(stranger), "other": origin(other),
            "words": {language: one["texts"] for language, one in said.items()},
            "titles": {row["purpose"]: row["title"] for row in said["en"]["purposes"]}}
