"""A PostgreSQL of the tests' own: in a temporary folder, reached by a UNIX socket alone, stopped by its process."""
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

SECONDS = 60


class Missing(Exception):
    """There is no PostgreSQL here, or nobody who may run it."""


def programs():
    """Debian's folder of programs: they stand beside each other, a folder a version."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"), key=lambda path: int(path.split("/")[4]))
    if not found:
        raise Missing("there is no PostgreSQL here: tools/install check brings it")
    return os.path.dirname(found[-1])


def nobody_special():
    """Who runs it: this user, or, since root may not, the user that the package made."""
    if os.getuid():
        return {}
    try:
        who = pwd.getpwnam("postgres")
    except KeyError:
        raise Missing("PostgreSQL does not run as root, and there is no user postgres") from None
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Postgres:
    """with Postgres() as server: server.run(sql). Nothing in it outlives a crash of the machine: it is for tests.
    `loopback`: it listens on 127.0.0.1 too, at server.port. `settings` are of postgresql.conf, `access` is its pg_hba.conf."""

    def __init__(self, loopback=False, settings=None, access=None):
        self.port = free_port() if loopback else None
        self.settings = {"fsync": "off", "shared_buffers": "16MB", "max_connections": "400", "autovacuum": "off", **(settings or {})}
        self.access, self.process, self.log = access, None, None
        self.sessions, self.lock = {}, threading.Lock()

    @classmethod
    def running(cls, folder):
        """One that somebody else started, and stops."""
        self = cls()
        self.bin, self.who, self.dir = programs(), nobody_special(), folder
        return self

    def __enter__(self):
        self.bin, self.who = programs(), nobody_special()
        self.dir = tempfile.mkdtemp(prefix="garant-pg-")
        try:
            self.given(self.dir)
            os.chmod(self.dir, 0o755)                             # its socket is for the tests' user, its data are its own
            self.made = subprocess.run([f"{self.bin}/initdb", "-D", f"{self.dir}/data", "-U", "garant", "-A", "trust", "-E", "UTF8",
                                        "--locale=C", "--no-sync"], cwd=self.dir, text=True, capture_output=True, timeout=SECONDS, check=False,
                                       **self.who)
            if self.made.returncode:
                raise RuntimeError(f"initdb: {self.made.stderr}")
            if self.access:
                with open(f"{self.dir}/data/pg_hba.conf", "w", encoding="utf-8") as file:
                    file.write(self.access)
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def given(self, path):
        """The file or folder becomes its own."""
        if self.who:
            os.chown(path, self.who["user"], self.who["group"])

    def start(self):
        self.log = open(f"{self.dir}/log", "a+", encoding="utf-8")     # pylint: disable=consider-using-with
        listen = ["-c", f"listen_addresses={'127.0.0.1' if self.port else ''}", *(["-p", str(self.port)] if self.port else [])]
        words = [word for name, value in self.settings.items() for word in ("-c", f"{name}={value}")]
        self.process = subprocess.Popen([f"{self.bin}/postgres", "-D", f"{self.dir}/data", "-k", self.dir, *listen, *words], cwd=self.dir,
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, **self.who)
        self.wait()

    def stop(self, how=signal.SIGINT):
        """SIGINT is its fast shutdown, SIGQUIT the immediate one: as after a crash, it recovers at its next start."""
        process, self.process = self.process, None
        if process:
            process.send_signal(how)
            try:
                process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self.log:
            self.log.close()
            self.log = None

    def wait(self):
        until = time.monotonic() + SECONDS
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > until:
                self.log.seek(0)
                raise RuntimeError(f"postgres did not start: {self.log.read()[-2000:]}")
            time.sleep(0.02)

    def reached(self):
        return ["-h", self.dir, *(["-p", str(self.port)] if self.port else [])]

    def ready(self):
        return subprocess.run([f"{self.bin}/pg_isready", "-q", *self.reached()], check=False).returncode == 0

    def psql(self, sql, errors, database="postgres"):
        return subprocess.run([f"{self.bin}/psql", *self.reached(), "-U", "garant", "-d", database, "-X", "-q", "-A", "-t", "-F", "\t"],
                              input=sql, text=True, stdout=subprocess.PIPE, stderr=errors, timeout=SECONDS, check=False)

    def run(self, sql, database="postgres"):
        """Runs it in one session, statement after statement whatever fails: rows as psql prints them unaligned, and errors."""
        done = self.psql(sql, subprocess.PIPE, database)
        return done.stdout, done.stderr

    def ask(self, sql, database="postgres"):
        """Rows of a question, as run() gives them, in a session that is kept for the next one. An error raises."""
        with self.lock:
            kept = self.sessions.get(database)
            if kept is None or kept.poll() is not None:
                kept = self.sessions[database] = subprocess.Popen(
                    [f"{self.bin}/psql", *self.reached(), "-U", "garant", "-d", database, "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1",
                     "-P", "null=-"], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            kept.stdin.write(f"{sql}\n\\echo @end\n")
            kept.stdin.flush()
            rows = []
            for line in kept.stdout:
                if line == "@end\n":
                    return "".join(rows)
                rows.append(line)
        raise RuntimeError(f"{sql}: {''.join(rows)}")

    def forget(self, database):
        """Ends the session that ask() kept."""
        with self.lock:
            kept = self.sessions.pop(database, None)
        if kept:
            kept.stdin.close()
            kept.wait(SECONDS)
            kept.stdout.close()

    def both(self, sql):
        """The same, with each error where it arose among what is printed."""
        return self.psql(sql, subprocess.STDOUT).stdout

    def __exit__(self, *_):
        for database in list(self.sessions):
            self.forget(database)
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)
