"""Debian's Postfix in a temporary folder, on loopback, with a queue of its own, that hands emails of one domain to an LMTP door; stopped by
its process. Its master process runs as root alone, so that these tests do too."""
import os, pwd, shutil, signal, smtplib, subprocess, tempfile, time
from garant import TOP, free_port
from postgres import Missing

SERVER, DAEMONS, SECONDS = "/usr/sbin/postfix", "/usr/lib/postfix/sbin", 60
EXAMPLE = os.path.join(TOP, "docs/packaging/postfix")                # what operators are shown is what is tried
MAIN = """
compatibility_level = 3.6
command_directory = /usr/sbin
daemon_directory = {daemons}
queue_directory = {dir}/spool
data_directory = {dir}/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = {dir}/log
maillog_file_prefixes = {dir}
myhostname = mx.garant.example
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
local_recipient_maps =
alias_maps =
smtpd_relay_restrictions = permit_mynetworks, reject
disable_dns_lookups = yes
mailbox_size_limit = 0
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 1s
lmtp_destination_recipient_limit = 50
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""


class Postfix:
    """The settings of docs/packaging/postfix, with this address and this socket in the place of theirs."""

    def __init__(self, address, socket):
        self.address, self.socket, self.port, self.process = address, socket, free_port(), None

    def __enter__(self):
        if not os.path.exists(SERVER):
            raise Missing("there is no Postfix here: tools/install check brings it")
        if os.getuid():
            raise Missing("Postfix starts as root alone")
        self.dir = tempfile.mkdtemp(prefix="garant-postfix-")
        try:
            owner = pwd.getpwnam("postfix")
            os.chmod(self.dir, 0o755)
            for name in ("spool", "data"):
                os.mkdir(f"{self.dir}/{name}", 0o755)
            os.chown(f"{self.dir}/data", owner.pw_uid, owner.pw_gid)
            self.example("main.cf", MAIN.format(dir=self.dir, daemons=DAEMONS))
            self.example("transport", "")
            self.write("master.cf", MASTER.format(port=self.port))
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def write(self, name, text):
        with open(f"{self.dir}/{name}", "w", encoding="utf-8") as file:
            file.write(text)

    def example(self, name, before):
        with open(os.path.join(EXAMPLE, name), encoding="utf-8") as file:
            said = file.read()
        for theirs, ours in (("/etc/postfix/transport", f"{self.dir}/transport"), ("/run/garant/lmtp", self.socket), ("privacy@your.site", self.address),
                             ("your.site", self.address.split("@")[1])):
            said = said.replace(theirs, ours)
        self.write(name, before + said)

    def start(self):
        said = open(f"{self.dir}/said", "w", encoding="utf-8")
        self.process = subprocess.Popen([SERVER, "-c", self.dir, "start-fg"], stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        until = time.monotonic() + SECONDS
        while True:
            try:
                smtplib.SMTP("127.0.0.1", self.port, timeout=SECONDS).quit()
                return
            except OSError as fault:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"Postfix did not start: {fault} {self.log()[-2000:]}") from fault
                time.sleep(0.05)

    def __exit__(self, *_):
        master = self.master()
        if master:
            os.kill(master, signal.SIGTERM)                          # what it started ends with it
            until = time.monotonic() + SECONDS
            while self.master() == master and time.monotonic() < until:
                if self.process:
                    self.process.poll()
                time.sleep(0.02)
        if self.process:
            self.process.wait(SECONDS)
        shutil.rmtree(self.dir, ignore_errors=True)

    def master(self):
        """The process that all others are children of; None when there is none."""
        try:
            with open(f"{self.dir}/spool/pid/master.pid", encoding="ascii") as file:
                pid = int(file.read())
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                return pid if b"master" in file.read() else None
        except (OSError, ValueError):
            return None

    def log(self):
        """What it said of its deliveries."""
        said = ""
        for name in ("said", "log"):
            if os.path.exists(f"{self.dir}/{name}"):
                with open(f"{self.dir}/{name}", encoding="utf-8", errors="replace") as file:
                    said += file.read()
        return said

    def send(self, sender, to, raw):
        with smtplib.SMTP("127.0.0.1", self.port, timeout=SECONDS) as line:
            return line.sendmail(sender, to, raw)
