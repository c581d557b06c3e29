"""A PostgreSQL of the tests' own: in a temporary folder, reached by a UNIX socket alone, stopped by its process."""
import glob
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
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


class Postgres:
    """with Postgres() as server: server.run(sql). Nothing in it outlives a crash of the machine: it is for tests."""

    def __enter__(self):
        self.bin, self.who = programs(), nobody_special()
        self.dir = tempfile.mkdtemp(prefix="garant-pg-")
        try:
            if self.who:
                os.chown(self.dir, self.who["user"], self.who["group"])
            self.made = subprocess.run([f"{self.bin}/initdb", "-D", f"{self.dir}/data", "-U", "garant", "-A", "trust", "-E", "UTF8",
                                        "--locale=C", "--no-sync"], cwd=self.dir, text=True, capture_output=True, timeout=SECONDS, **self.who)
            if self.made.returncode:
                raise RuntimeError(f"initdb: {self.made.stderr}")
            self.log = open(f"{self.dir}/log", "w+", encoding="utf-8")
            self.process = subprocess.Popen([f"{self.bin}/postgres", "-D", f"{self.dir}/data", "-k", self.dir, "-c", "listen_addresses=",
                                             "-c", "fsync=off", "-c", "shared_buffers=16MB"], cwd=self.dir, stdin=subprocess.DEVNULL,
                                            stdout=self.log, stderr=self.log, **self.who)
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def wait(self):
        until = time.monotonic() + SECONDS
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > until:
                self.log.seek(0)
                raise RuntimeError(f"postgres did not start: {self.log.read()[-2000:]}")
            time.sleep(0.02)

    def ready(self):
        return subprocess.run([f"{self.bin}/pg_isready", "-q", "-h", self.dir], check=False).returncode == 0

    def psql(self, sql, errors):
        return subprocess.run([f"{self.bin}/psql", "-h", self.dir, "-U", "garant", "-d", "postgres", "-X", "-q", "-A", "-t", "-F", "\t"],
                              input=sql, text=True, stdout=subprocess.PIPE, stderr=errors, timeout=SECONDS, check=False)

    def run(self, sql):
        """Runs it in one session, statement after statement whatever fails: rows as psql prints them unaligned, and errors."""
        done = self.psql(sql, subprocess.PIPE)
        return done.stdout, done.stderr

    def both(self, sql):
        """The same, with each error where it arose among what is printed."""
        return self.psql(sql, subprocess.STDOUT).stdout

    def __exit__(self, *_):
        if getattr(self, "process", None):
            self.process.send_signal(signal.SIGINT)       # its fast shutdown
            try:
                self.process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if getattr(self, "log", None):
            self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)
