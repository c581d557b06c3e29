"""What a test looked at and by which door (page, API, command, letter, file), and how often it asserted something there."""
import contextlib, re, threading

HERE = threading.local()
MACHINE = ("/v1/", "/openapi.json", "/healthz", "/metrics", "/privacy.jsonld")


class Watch:
    """What was seen while it was open: doors in the order of their first use, and the number of assertions."""

    def __init__(self):
        self.doors, self.asserted = {}, 0


def open_ones():
    if not hasattr(HERE, "watches"):
        HERE.watches = []
    return HERE.watches


@contextlib.contextmanager
def watching():
    """A watch over what this thread does inside; they may stand in one another."""
    watch = Watch()
    open_ones().append(watch)
    try:
        yield watch
    finally:
        open_ones().remove(watch)


def used(door, what):
    """That something was done through a door: ("API", "GET /v1/session")."""
    for watch in open_ones():
        watch.doors.setdefault(door, {})[what] = True


def asserted():
    """That something was held against what was expected."""
    for watch in open_ones():
        watch.asserted += 1


def route(method, path):
    """A request without its parameters and what names one person or thing."""
    path = path.partition("?")[0]
    path = re.sub(r"/[0-9A-HJKMNP-TV-Z]{26}(?=/|$)", "/{id}", path)
    return method + " " + re.sub(r"/[0-9a-f]{64}(?=/|$)", "/{hash}", path)


def requested(method, path, operator=False, html=False):
    """That a request was sent: to the API, or to a page of the site. A server that is asked whether it has started is no test of it."""
    if path == "/healthz":
        return
    machine = path.startswith(MACHINE) and not html
    used("API by the operator" if operator else "API" if machine else "page", route(method, path))


def commanded(arguments):
    """That the program was run: its verb, of one or two words."""
    words = [str(argument) for argument in arguments[:2] if re.fullmatch(r"[a-z-]+", str(argument))]
    used("command", "garant " + " ".join(word for word in words if not word.startswith("-")))


def told(watch):
    """The doors of a watch, on one line."""
    return "; ".join(f"{door}: {', '.join(names)}" for door, names in watch.doors.items()) or "no door"
