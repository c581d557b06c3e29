"""Debian's nginx on loopback, in a folder of its own, with a configuration given; stopped by its process id."""
import http.client, os, shutil, subprocess, tempfile, time
from garant import check, free_port

KINDS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class Nginx:
    """`site`: what stands inside http { }; it listens on PORT, and FOLDER is its own folder. Used with `with`."""

    def __init__(self, site, workers=1):
        self.folder, self.port, self.process = tempfile.mkdtemp(prefix="garant-nginx-"), free_port(), None
        self.program = shutil.which("nginx", path="/usr/sbin:/usr/bin:" + os.environ.get("PATH", ""))
        site = site.replace("PORT", str(self.port)).replace("FOLDER", self.folder)
        temporary = "".join(f"{kind}_temp_path {self.folder}/{kind};\n" for kind in KINDS)
        who = "user root;\n" if os.geteuid() == 0 else ""
        with open(os.path.join(self.folder, "nginx.conf"), "w", encoding="utf-8") as file:
            file.write(f"daemon off;\n{who}worker_processes {workers};\npid {self.folder}/pid;\nerror_log {self.folder}/error.log;\n"
                       f"events {{ worker_connections 1024; }}\nhttp {{\naccess_log off;\n{temporary}{site}\n}}\n")

    def __enter__(self):
        check(self.program, "there is no nginx: tools/install installs it")
        log = os.path.join(self.folder, "error.log")
        self.process = subprocess.Popen([self.program, "-p", self.folder, "-e", log, "-c", os.path.join(self.folder, "nginx.conf")],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while time.monotonic() < end and self.process.poll() is None:
            try:
                http.client.HTTPConnection("127.0.0.1", self.port, timeout=1).connect()
                return self
            except OSError:
                time.sleep(0.02)
        said = open(log, errors="replace").read() if os.path.exists(log) else ""
        self.__exit__()
        check(False, f"nginx did not start: {said[-800:]}")

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
