#!/usr/bin/python3
"""Tests the independent verifier on journals made here: true ones hold, and whatever is altered in them is seen.

A verifier that says yes to everything would pass a test with a true journal only, so each resource is spoilt in turn.
Prints "ok NAME" or "not ok NAME" a test.
"""
import base64, functools, hashlib, http.server, json, os, shutil, subprocess, sys, tempfile, threading, traceback

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import verify

NAME = "test.example/journal"


def sha(data):
    return hashlib.sha256(data).digest()


def mth(leaves):
    """RFC 6962 §2.1, word for word."""
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha(b"\x01" + mth(leaves[:k]) + mth(leaves[k:]))


class Signer:
    def __init__(self, seed, name=NAME):
        self.key, self.name = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32), name
        public = b"\x01" + self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.id = sha(name.encode() + b"\n" + public)[:4]
        self.line = f"{name}+{self.id.hex()}+{base64.b64encode(public).decode()}"

    def note(self, text):
        signature = base64.b64encode(self.id + self.key.sign(text.encode())).decode()
        return f"{text}\n— {self.name} {signature}\n".encode()

    def checkpoint(self, leaves):
        return self.note(f"{self.name}\n{len(leaves)}\n{base64.b64encode(mth(leaves)).decode()}\n")

    def jws(self, payload, **header):
        head = {"alg": "EdDSA", "kid": f"{self.name}+{self.id.hex()}", "typ": "vnd.garant.certificate+json", **header}
        parts = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in (head, payload)]
        signature = self.key.sign(".".join(parts).encode())
        return ".".join(parts + [base64.urlsafe_b64encode(signature).decode().rstrip("=")])


SIGNER = Signer(1)


def entry(i):
    return json.dumps({"v": 1, "act": "read", "number": i}).encode()


def path(n):
    return f"{n:03}" if n < 1000 else f"x{n // 1000:03}/{n % 1000:03}"


def make(size, entries=None):
    """The resources of a journal of `size` entries, by name."""
    entries = [entry(i) for i in range(size)] if entries is None else entries
    leaves = [sha(b"\x00" + e) for e in entries]
    made = {"checkpoint": SIGNER.checkpoint(leaves), "key": SIGNER.line.encode() + b"\n"}
    level, hashes = 0, leaves
    while hashes:
        for n in range(0, len(hashes), 256):
            width = len(hashes[n:n + 256])
            suffix = path(n // 256) + ("" if width == 256 else f".p/{width}")
            made[f"tile/{level}/{suffix}"] = b"".join(hashes[n:n + 256])
            if not level:
                made[f"tile/entries/{suffix}"] = b"".join(len(e).to_bytes(2, "big") + e for e in entries[n:n + 256])
        hashes = [mth(hashes[n:n + 256]) for n in range(0, len(hashes) - 255, 256)]
        level += 1
    return made


class Memory:
    """A source of resources as verify.Source is, without files."""

    def __init__(self, made):
        self.made = made

    def get(self, name):
        return self.made.get(name)

    def need(self, name):
        verify.need(name in self.made, f"{name} is missing")
        return self.made[name]


def journal(made, pruned=0):
    return verify.check_journal(Memory(made), verify.Verifier(SIGNER.line), 0, pruned, lambda text: None)


def broken(expected, call, *args):
    try:
        call(*args)
    except verify.Broken as e:
        assert expected in str(e), f"expected {expected!r}, got {str(e)!r}"
        return
    raise AssertionError(f"nothing was found broken; expected {expected!r}")


# ---- In this process. ----

def true_journals():
    for size in (0, 1, 2, 3, 255, 256, 257, 511, 512, 600, 65536, 70000):
        made = make(size)
        j = journal(made)
        assert (j.size, j.pruned) == (size, 0)
        for index in {0, size // 2, size - 1} if size else ():
            assert j.entry(index) == entry(index)
        broken("has no entry", j.entry, size)


def names_of_tiles():
    for level, index, width, name in (("entries", 0, 256, "tile/entries/000"), (0, 999, 256, "tile/0/999"),
                                      (0, 1000, 5, "tile/0/x001/000.p/5"), (1, 1234067, 255, "tile/1/x001/x234/067.p/255")):
        assert verify.tile_name(level, index, width) == name


def published_vectors():
    """Of certificate-transparency's merkle tests and of Go's sumdb/note."""
    leaves = [verify.leaf_hash(bytes.fromhex(h)) for h in
              ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]
    assert verify.tree_hash(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    assert verify.tree_hash(leaves[:5]).hex() == "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"
    foo = verify.Verifier("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    note = ("This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ER"
            "YNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n")
    assert verify.open_note(foo, note.encode()) == "This is an example message.\n"
    broken("does not hold", verify.open_note, foo, b"x" + note.encode())


def proofs_of_small_trees():
    most = 66
    leaves = [sha(b"\x00" + entry(i)) for i in range(most)]
    for size in range(1, most):
        j = journal(make(size))
        for index in range(size):
            proof = j.inclusion(index)
            verify.check_inclusion(index, size, leaves[index], proof, j.root)
            broken("", verify.check_inclusion, index, size, leaves[most - 1], proof, j.root)
            broken("", verify.check_inclusion, index, size, leaves[index], proof + [j.root], j.root)
            if proof:
                broken("", verify.check_inclusion, index, size, leaves[index], proof[1:], j.root)
        for old in range(1, size + 1):
            proof, root = j.consistency(old), mth(leaves[:old])
            verify.check_consistency(old, root, size, j.root, proof)
            broken("", verify.check_consistency, old, leaves[5], size, j.root, proof)
            broken("", verify.check_consistency, old, root, size, leaves[5], proof)
            broken("", verify.check_consistency, old, root, size, j.root, proof + [root])
            for i in range(len(proof)):
                broken("", verify.check_consistency, old, root, size, j.root, proof[:i] + [sha(b"no such hash")] + proof[i + 1:])


def altered_resources():
    good = make(600)
    for name in sorted(set(good) - {"key"}):
        for at in {0, 1, 40, len(good[name]) // 2, len(good[name]) - 1}:
            bad = bytearray(good[name])
            bad[at] ^= 1
            broken("", journal, {**good, name: bytes(bad)})
        broken("", journal, {**good, name: good[name][:-1]})
        broken("", journal, {**good, name: good[name] + b"\0"})
        broken("missing", journal, {n: d for n, d in good.items() if n != name})


def rewritten_history():
    good, other = make(600), make(600, [entry(i if i != 300 else 7777) for i in range(600)])
    assert journal(other).root != journal(good).root
    swapped = {**good, "tile/entries/001": other["tile/entries/001"]}
    broken("tile/0/001: hash 44", journal, swapped)
    swapped["tile/0/001"] = other["tile/0/001"]
    broken("tile/1/000.p/2: hash 1", journal, swapped)
    swapped["tile/1/000.p/2"] = other["tile/1/000.p/2"]
    broken("another root than the checkpoint's", journal, swapped)


def partial_tile_gone():
    """Once the journal has grown, the full tile may stand for the partial one of an older checkpoint."""
    old, grown = make(300), make(600)
    resources = {**grown, "checkpoint": old["checkpoint"], "tile/1/000.p/1": old["tile/1/000.p/1"]}
    assert journal(resources).size == 300


def pruned():
    good = make(1000)
    for tiles_too in (False, True):
        kept = {n: d for n, d in good.items() if n not in ("tile/entries/000", "tile/entries/001")}
        if tiles_too:
            kept = {n: d for n, d in kept.items() if n not in ("tile/0/000", "tile/0/001")}
        broken("the oldest 512 entries are missing", journal, kept, 511)
        j = journal(kept, 512)
        assert j.pruned == 512 and j.entry(512) == entry(512)
        broken("pruned", j.entry, 511)
        verify.check_consistency(600, mth([sha(b"\x00" + entry(i)) for i in range(600)]), 1000, j.root, j.consistency(600))
        if tiles_too:
            broken("pruned", j.consistency, 100)
    broken("older entries are kept", journal, {n: d for n, d in good.items() if n != "tile/entries/001"})
    broken("tile/0/001 is missing", journal, {n: d for n, d in good.items() if n != "tile/0/001"})
    broken("missing", journal, {n: d for n, d in good.items() if not n.startswith("tile/entries")})


def malformed_checkpoints():
    v = verify.Verifier(SIGNER.line)
    root = base64.b64encode(sha(b"")).decode()
    assert verify.Checkpoint(v, SIGNER.note(f"{NAME}\n0\n{root}\n")).size == 0
    assert verify.Checkpoint(v, SIGNER.note(f"{NAME}\n0\n{root}\nextension\n")).size == 0
    for text in (f"other\n0\n{root}\n", f"{NAME}\n00\n{root}\n", f"{NAME}\n-1\n{root}\n", f"{NAME}\n٣\n{root}\n", f"{NAME}\n0\nAAAA\n",
                 f"{NAME}\n0\n", f"{NAME}\n0\n{root}\n\nx\n", f"{NAME}\n0\n{root}=\n"):
        broken("", verify.Checkpoint, v, SIGNER.note(text))
    good = SIGNER.note(f"{NAME}\n0\n{root}\n")
    broken("not signed", verify.Checkpoint, v, Signer(2).note(f"{NAME}\n0\n{root}\n"))
    broken("not signed", verify.Checkpoint, v, Signer(1, "x.example").note(f"{NAME}\n0\n{root}\n"))
    broken("malformed", verify.Checkpoint, v, good + b"x\n")
    broken("signatures", verify.Checkpoint, v, good[:-1])
    broken("UTF-8", verify.Checkpoint, v, b"\xff" + good)
    assert verify.Checkpoint(v, good + Signer(2).note("x\n").partition(b"\n\n")[2]).size == 0       # another's is passed over


def verifiers():
    for line in ("", "a+b", SIGNER.line[:-1], SIGNER.line.replace("test", "best"), SIGNER.line.replace("+A", "+B", 1), "a b" + SIGNER.line):
        broken("", verify.Verifier, line)


def certificates():
    v, j = verify.Verifier(SIGNER.line), journal(make(10))
    leaf = sha(b"\x00" + entry(4)).hex()
    good = SIGNER.jws({"act": "erasure", "journal": {"index": 4, "leaf": leaf}})
    payload = verify.check_certificate(v, good + "\n")
    assert verify.check_certificate_entry(j, payload) == "names entry 4, which is in the journal"
    answer = {"certificate": payload, "jws": good}
    assert verify.check_certificate(v, json.dumps(answer)) == payload
    broken("says other things", verify.check_certificate, v, json.dumps({**answer, "certificate": {"act": "none"}}))
    broken("no jws", verify.check_certificate, v, "{}")
    for at in range(0, len(good)):
        other = "A" if good[at] != "A" else "B"
        broken("", verify.check_certificate, v, good[:at] + other + good[at + 1:])
    for header in ({"alg": "none"}, {"alg": "HS256"}, {"alg": "ES256"}, {"kid": Signer(2).line}, {"typ": "JWT"}, {"crit": ["x"]}):
        broken("", verify.check_certificate, v, SIGNER.jws({}, **header))
    broken("does not hold", verify.check_certificate, v, Signer(2).jws({}, kid=v.kid))
    broken("compact", verify.check_certificate, v, good + ".x")
    for place in ({}, {"index": 10}, {"index": -1}, {"index": "4"}, {"index": True}, {"index": 5, "leaf": leaf}, []):
        broken("", verify.check_certificate_entry, j, {"journal": place})


def stand_alone_proofs():
    v, made = verify.Verifier(SIGNER.line), make(600)
    j = journal(made)
    lines = "".join(base64.b64encode(h).decode() + "\n" for h in j.inclusion(300))
    good = f"c2sp.org/tlog-proof@v1\nindex 300\n{lines}\n".encode() + made["checkpoint"]
    assert verify.check_proof(v, good, entry(300))[0] == 300
    extra = good.replace(b"@v1\n", b"@v1\nextra eHg=\n")
    assert verify.check_proof(v, extra, entry(300))[0] == 300
    broken("another root", verify.check_proof, v, good, entry(301))
    for a, b in ((b"@v1", b"@v2"), (b"index 300", b"index 299"), (b"index 300", b"index 0300"), (b"index", b"Index"), (b"\n\n", b"\n")):
        broken("", verify.check_proof, v, good.replace(a, b, 1), entry(300))
    broken("not base64", verify.check_proof, v, extra.replace(b"eHg=", b"eHg"), entry(300))
    for at in range(len(good)):
        broken("", verify.check_proof, v, good[:at] + bytes([good[at] ^ 1]) + good[at + 1:], entry(300))


# ---- From outside: files, HTTP, exit statuses. ----

def lay_out(folder, made):
    for name, data in made.items():
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)


def program(status, text, *args):
    run = subprocess.run(["/usr/bin/python3", os.path.join(HERE, "verify.py"), *args], capture_output=True, text=True, timeout=60)
    assert run.returncode == status and text in run.stdout + run.stderr, (args, run)
    assert "Traceback" not in run.stderr, run.stderr
    return run.stdout


def the_program(folder):
    def file(name, data):
        with open(os.path.join(folder, name), "wb") as out:
            out.write(data)
        return out.name
    made, at = make(600), os.path.join(folder, "journal")
    lay_out(at, made)
    old, forged = file("old", make(300)["checkpoint"]), file("forged", make(300, [b"x"] * 300)["checkpoint"])
    certificate = file("certificate", SIGNER.jws({"journal": {"index": 4}}).encode())
    out = program(0, "600 entries", at, "--entry", "599", "--old", old, "--certificate", certificate, "--key", SIGNER.line, "--least", "600")
    assert out.count("ok ") == 5 and '"number": 599' in out, out
    program(1, "FAILED the consistency proof", at, "--old", forged)
    program(1, "fewer than 601", at, "--least", "601")
    program(1, "not signed by", at, "--key", Signer(2).line)
    program(1, "no entry 600", at, "--entry", "600")
    program(1, "FAILED", at, "--certificate", old)
    program(1, "the journal only 300", *(lay_out(at + "2", make(300)) or [at + "2"]), "--old", os.path.join(at, "checkpoint"))
    program(1, "key is missing", os.path.join(folder, "nothing"))
    program(2, "--leaf", at, "--proof", old)
    os.unlink(os.path.join(at, "tile/entries/002.p/88"))
    program(1, "tile/entries/002.p/88 is missing", at)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.headers.get("Authorization") == "Bearer secret":
            super().do_GET()
        else:
            self.send_error(401)

    def log_message(self, *args):
        pass


def over_http(folder):
    lay_out(folder, make(600))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            address = f"http://127.0.0.1:{server.server_port}"
            program(0, "600 entries", address, "--header", "Authorization: Bearer secret", "--entry", "0")
            program(1, "FAILED key: the server answers 401", address)
            os.unlink(os.path.join(folder, "tile/1/000.p/2"))
            program(1, "FAILED tile/1/000.p/2 is missing", address, "--header", "Authorization: Bearer secret")
        finally:
            server.shutdown()
            thread.join()


def main():
    failed = False
    tests = [true_journals, names_of_tiles, published_vectors, proofs_of_small_trees, altered_resources, rewritten_history,
             partial_tile_gone, pruned, malformed_checkpoints, verifiers, certificates, stand_alone_proofs, the_program, over_http]
    for test in tests:
        folder = tempfile.mkdtemp(prefix="garant-verify-")
        try:
            test(folder) if test.__code__.co_argcount else test()
            print(f"ok verify: {test.__name__}")
        except Exception:                               # each test is told, whatever went wrong in it
            failed = True
            print(f"not ok verify: {test.__name__}")
            print("".join("# " + line for line in traceback.format_exc().splitlines(True)))
        finally:
            shutil.rmtree(folder)
    return failed


if __name__ == "__main__":
    sys.exit(main())
