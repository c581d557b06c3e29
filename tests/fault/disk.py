"""R4: the disk is full, then freed. R3: errors of write and fsync, through the fault shim."""
import os, subprocess, tempfile
from common import person, server, tests
from garant import check
from load import journal_holds


class SmallDisk:
    """A file system of its own of a few megabytes, where this machine lets us mount one."""

    def __init__(self, megabytes):
        self.path = tempfile.mkdtemp(prefix="garant-disk-")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "garant-test", self.path],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.mounted = done.returncode == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.mounted:
            subprocess.run(["umount", "-l", self.path], check=True)
        os.rmdir(self.path)

    def fill(self):
        """Takes all that is left; the path of the file that takes it."""
        path = os.path.join(self.path, "filler")
        with open(path, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError:
                pass
        return path


@tests.test("R4 disk full, then freed")
def full():
    with SmallDisk(24) as disk:
        if not disk.mounted:
            return "this machine lets nobody mount a file system: the same is tested through the fault shim (R3)"
        with server(data=os.path.join(disk.path, "data")) as subject:
            client = subject.client("app")
            ident = client.create(person(0), consents=[{"purpose": "news", "decision": "given"}])["id"]
            filler = disk.fill()
            made, refused = [], None
            for number in range(1, 20000):
                answer = client.post("/v1/subjects", {"data": person(number), "source": "person"})
                if answer.status != 201:
                    refused = answer
                    break
                made.append(answer.json["id"])
            check(refused is not None, "20,000 people fit on a full disk")
            problem = refused.refused("storage-full", "storage")
            check(problem["status"] in (503, 507), f"refused with {problem}")
            client.consent(ident, "news", "withdrawn").expect(201)
            check(client.get(f"/v1/subjects/{ident}/consents").expect(200).json["live"] == [], "the withdrawal does not count")
            client.read(ident, "service").expect(200)
            os.unlink(filler)
            client.create(person(30000))
            for known in [ident, *made]:
                client.read(known, "service").expect(200)
            journal_holds(subject)
            subject.restart()
            for known in [ident, *made]:
                client.read(known, "service").expect(200)
            journal_holds(subject)
            return f"after {len(made)} more: {problem['status']} {problem['code']}; reads and a withdrawal worked; resumed alone"
