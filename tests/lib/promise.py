"""Scenarios of promises, each under the promise's id, driving a server that runs that platform's policy file alone."""
import contextlib, os, tempfile, shutil
from garant import TOP, Server

SCENARIOS = {}
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
    """Runs one scenario; None when the promise is kept, else the exception."""
    try:
        with Trial(ident) as trial:
            SCENARIOS[ident](trial)
    except Exception as fault:              # any break of a scenario is its answer
        return fault
    return None
