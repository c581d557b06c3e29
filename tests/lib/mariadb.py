"""A MariaDB of the tests' own: in a temporary folder, reached by a UNIX socket alone, stopped by its process."""
import os
import pwd
import shutil
import subprocess
import tempfile
import time

from postgres import Missing

SECONDS = 120
SERVER = "/usr/sbin/mariadbd"


class MariaDB:
    """with MariaDB() as server: server.run(sql). `settings`: more of its own options. It is for tests: nothing survives a crash."""

    def __init__(self, *settings):
        self.settings = settings

    def __enter__(self):
        if not os.path.exists(SERVER):
            raise Missing("there is no MariaDB here: tools/install check brings it")
        self.dir = tempfile.mkdtemp(prefix="garant-maria-")
        try:
            self.socket, self.who = f"{self.dir}/sock", []
            if not os.getuid():
                user = pwd.getpwnam("mysql")
                os.chown(self.dir, user.pw_uid, user.pw_gid)
                self.who = ["--user=mysql"]
            os.chmod(self.dir, 0o755)
            made = subprocess.run(["mariadb-install-db", "--no-defaults", f"--datadir={self.dir}/data", "--auth-root-authentication-method=normal",
                                   "--skip-test-db", "--innodb-flush-log-at-trx-commit=0", *self.who], cwd=self.dir, text=True, capture_output=True,
                                  timeout=SECONDS, check=False)
            if made.returncode:
                raise RuntimeError(f"mariadb-install-db: {made.stdout}{made.stderr}")
            self.log = open(f"{self.dir}/log", "w+", encoding="utf-8")
            self.process = subprocess.Popen([SERVER, "--no-defaults", f"--datadir={self.dir}/data", f"--socket={self.socket}", "--skip-networking",
                                             "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M", "--log-bin=binlog",
                                             *self.settings, *self.who], cwd=self.dir, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
            self.wait()
            self.run("CREATE DATABASE shop CHARACTER SET utf8mb4; CREATE USER garant@localhost IDENTIFIED BY 'Pass-word 1';"
                     "GRANT ALL ON shop.* TO garant@localhost;", "")
        except BaseException:
            self.__exit__()
            raise
        return self

    def wait(self):
        until = time.monotonic() + SECONDS
        while self.client("SELECT 1", "").returncode:
            if self.process.poll() is not None or time.monotonic() > until:
                self.log.seek(0)
                raise RuntimeError(f"mariadbd did not start: {self.log.read()[-2000:]}")
            time.sleep(0.05)

    def client(self, sql, database):
        return subprocess.run(["mariadb", "--no-defaults", "-S", self.socket, "-uroot", "-N", "-B", *([database] if database else [])], input=sql, text=True,
                              capture_output=True, timeout=SECONDS, check=False)

    def run(self, sql, database="shop"):
        """What it prints, a row a line; what fails is an error."""
        done = self.client(sql, database)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout

    def stop(self):
        """Ends it at once; start() brings it back with its data."""
        self.process.kill()
        self.process.wait()

    def __exit__(self, *_):
        if getattr(self, "process", None) and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if getattr(self, "log", None):
            self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)
