"""A mailbox that is read by IMAP: Debian's Dovecot in a temporary folder, on loopback with TLS, stopped by its process.

    with Dovecot() as box:
        box.put(raw)                                     # delivers: a file of the Maildir, as a mail server does
        box.arguments("vie-privee@site-fr.example")      # what `garant serve` is told of it
"""
import contextlib, imaplib, json, os, pwd, shutil, signal, socket, ssl, subprocess, tempfile, threading, time
from garant import check, free_port
from postgres import Missing

SERVER = "/usr/sbin/dovecot"
USER, PASSWORD = "boite", "Mot de passe \"très\" \\long"
SECONDS = 30

OLD = """
ssl_cert = <{dir}/cert.pem
ssl_key = <{dir}/key.pem
mail_location = maildir:{dir}/mail
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {dir}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/home
}}
"""
NEW = """
ssl_server_cert_file = {dir}/cert.pem
ssl_server_key_file = {dir}/key.pem
mail_driver = maildir
mail_path = {dir}/mail
passdb passwd-file {{
  passwd_file_path = {dir}/users
  default_password_scheme = PLAIN
}}
userdb static {{
  fields {{
    uid = {uid}
    gid = {gid}
    home = {dir}/home
  }}
}}
"""
BOTH = """
protocols = imap
listen = 127.0.0.1
base_dir = {dir}/run
log_path = {dir}/log
ssl = required
first_valid_uid = 0
first_valid_gid = 0
default_login_user = {login}
default_internal_user = {internal}
default_internal_group = {group}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class Dovecot:
    def __init__(self):
        self.process, self.port, self.count = None, free_port(), 0

    def __enter__(self):
        if not os.path.exists(SERVER):
            raise Missing("there is no Dovecot here: tools/install check brings it")
        self.dir = tempfile.mkdtemp(prefix="garant-dovecot-")
        try:
            os.chmod(self.dir, 0o755)
            self.configure()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def configure(self):
        root = os.getuid() == 0
        me = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.getuid())
        version = subprocess.run([SERVER, "--version"], capture_output=True, text=True, check=True).stdout.split()[0]
        new = tuple(int(part) for part in version.split(".")[:2]) >= (2, 4)
        names = {"login": "dovenull", "internal": "dovecot", "group": "dovecot"} if root else \
            {"login": me.pw_name, "internal": me.pw_name, "group": subprocess.run(["id", "-gn"], capture_output=True, text=True, check=True).stdout.strip()}
        for folder in ("run", "home", "mail", "mail/new", "mail/cur", "mail/tmp"):
            os.mkdir(os.path.join(self.dir, folder), 0o755)
        with open(f"{self.dir}/users", "w", encoding="utf-8") as file:
            file.write(f"{USER}:{{PLAIN}}{PASSWORD}:::::\n")
        self.authority = os.path.join(self.dir, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{self.dir}/key.pem",
                        "-out", self.authority, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        head = f"dovecot_config_version = {version}\ndovecot_storage_version = {version}\n" if new else ""
        with open(f"{self.dir}/conf", "w", encoding="utf-8") as file:
            file.write((head + BOTH + (NEW if new else OLD)).format(dir=self.dir, port=self.port, uid=me.pw_uid, gid=me.pw_gid, **names))
        if root:
            for at in ("home", "mail", "mail/new", "mail/cur", "mail/tmp"):
                os.chown(os.path.join(self.dir, at), me.pw_uid, me.pw_gid)
        self.owner = me

    def start(self):
        self.process = subprocess.Popen([SERVER, "-F", "-c", f"{self.dir}/conf"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=open(f"{self.dir}/said", "w", encoding="utf-8"))
        until = time.monotonic() + SECONDS
        while True:
            try:
                self.connect().logout()
                return
            except (OSError, imaplib.IMAP4.error) as fault:
                if self.process.poll() is not None or time.monotonic() > until:
                    said = "".join(open(f"{self.dir}/{name}", encoding="utf-8").read() for name in ("said", "log") if os.path.exists(f"{self.dir}/{name}"))
                    raise RuntimeError(f"dovecot did not start: {fault} {said[-2000:]}") from fault
                time.sleep(0.05)

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(SECONDS)
            self.process = None

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def connect(self):
        """Another program that reads the same mailbox."""
        context = ssl.create_default_context(cafile=self.authority)
        box = imaplib.IMAP4_SSL("127.0.0.1", self.port, ssl_context=context, timeout=SECONDS)
        box.login(USER, '"' + PASSWORD.replace("\\", "\\\\").replace('"', '\\"') + '"') if PASSWORD.isascii() else \
            box.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode())
        return box

    def put(self, raw):
        """Delivers a message: whole from the moment that its name is there."""
        self.count += 1
        name = f"{int(time.time())}.M{self.count:06}P{os.getpid()}.garant"
        path = f"{self.dir}/mail/tmp/{name}"
        with open(path, "wb") as file:
            file.write(raw.replace(b"\r\n", b"\n"))
        if os.getuid() == 0:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)
        os.rename(path, f"{self.dir}/mail/new/{name}")

    def flags(self, mailbox="INBOX"):
        """The flags of each message of the mailbox, in order: a set each."""
        box = self.connect()
        try:
            state, told = box.select(mailbox, readonly=True)
            if state != "OK" or told == [b"0"]:
                return []
            _, rows = box.fetch("1:*", "(FLAGS)")
            return [{flag.decode() for flag in imaplib.ParseFlags(row)} for row in rows if row]
        finally:
            box.logout()

    def create(self, mailbox):
        box = self.connect()
        check(box.create(mailbox)[0] == "OK", "the mailbox was not made")
        box.logout()

    def arguments(self, address, **more):
        """The settings file, and what `garant serve` is told of it."""
        return settings(self.dir, self.port, self.authority, address, PASSWORD, **more)


def settings(folder, port, authority, whose, secret, **more):
    password_file, path = os.path.join(folder, "password"), os.path.join(folder, "imap.yaml")
    with open(password_file, "w", encoding="utf-8") as file:
        file.write(secret + "\n")
    os.chmod(password_file, 0o600)
    said = {"url": f"imaps://127.0.0.1:{port}", "user": USER, "password": password_file, "address": whose, "every": 1, "ca": authority, **more}
    with open(path, "w", encoding="utf-8") as file:
        json.dump({name: value for name, value in said.items() if value is not None}, file)       # YAML reads JSON
    return ["--imap", path]


def ended(*sockets):
    for one in sockets:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


class Between:
    """Stands before that mailbox with its certificate: counts what goes each way, and calls `act` once when a command with `word` comes,
    which is then not passed on."""

    def __init__(self, box):
        self.box, self.word, self.act, self.down, self.commands, self.over = box, None, None, 0, [], False
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(box.authority, f"{box.dir}/key.pem")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def arguments(self, address, **more):
        return settings(self.box.dir, self.port, self.box.authority, address, PASSWORD, **more)

    def serve(self):
        while not self.over:
            try:
                plain, _ = self.listener.accept()
                threading.Thread(target=self.talk, args=(plain,), daemon=True).start()
            except OSError:
                return

    def talk(self, plain):
        try:
            near = self.context.wrap_socket(plain, server_side=True)
            far = ssl.create_default_context(cafile=self.box.authority).wrap_socket(
                socket.create_connection(("127.0.0.1", self.box.port), timeout=SECONDS), server_hostname="127.0.0.1")
            far.settimeout(None)
        except OSError:
            plain.close()
            return
        other = threading.Thread(target=self.back, args=(far, near), daemon=True)
        other.start()
        with contextlib.suppress(OSError):
            for line in near.makefile("rb"):
                self.commands.append(line)
                if self.word and self.word in line:
                    self.word, act = None, self.act
                    act()
                    break
                far.sendall(line)
        ended(far, near)
        other.join()                                             # closed only when nobody reads: the number is another socket's at once
        far.close()
        near.close()

    def back(self, far, near):
        with contextlib.suppress(OSError):
            while some := far.recv(65536):
                self.down += len(some)
                near.sendall(some)
        ended(far, near)


class Pretender:
    """No mail server, though it has a certificate and says that signing in went well: what it answers then is `answer(line, number)`, bytes,
    more than one of them, or None for silence."""

    def __init__(self, folder, answer):
        self.certificate, key, self.answer, self.seen, self.over = os.path.join(folder, "false.pem"), os.path.join(folder, "false.key"), answer, [], False
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
                        self.certificate, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate, key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    __enter__, __exit__ = Between.__enter__, Between.__exit__
    serve = Between.serve

    def talk(self, plain):
        try:
            near = self.context.wrap_socket(plain, server_side=True)
            near.sendall(b"* OK [CAPABILITY IMAP4rev1] here\r\n")
            for line in near.makefile("rb"):
                self.seen.append(line)
                tag, _, said = line.strip().partition(b" ")
                if tag.startswith(b"G"):
                    answer = self.answer(said, tag)
                elif said.upper().startswith(b"CAPABILITY"):
                    answer = b"* CAPABILITY IMAP4rev1\r\n" + tag + b" OK\r\n"
                else:
                    answer = tag + b" OK\r\n"
                if answer is None:
                    time.sleep(SECONDS * 4)
                    return
                for part in [answer] if isinstance(answer, bytes) else answer:
                    near.sendall(part)
        except OSError:
            pass
        finally:
            plain.close()
