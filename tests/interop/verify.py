#!/usr/bin/python3
"""Verifies a journal, its proofs and its certificates, from the published specifications alone.

    tests/interop/verify.py JOURNAL [--key LINE|FILE] [--entry N]… [--old CHECKPOINT]… [--proof FILE --leaf FILE]
                            [--certificate FILE]… [--least N] [--pruned N] [--header "Name: value"]…

JOURNAL is a folder, or the address under which a server shows its journal, holding the resources of c2sp.org/tlog-tiles:
    checkpoint                          the signed tree head
    tile/L/N[.p/W]                      hashes; N in groups of three digits: x001/x234/067
    tile/entries/N[.p/W]                entries, each behind its length in two bytes
    key                                 the verifier's line "name+hexid+base64", unless --key gives it

Nothing here was written from, or calls, the program whose journal it checks: it follows RFC 6962, RFC 9162, RFC 8032,
c2sp.org/signed-note, tlog-checkpoint, tlog-tiles and tlog-proof, RFC 7515 and RFC 8037. Signatures are verified by Debian's
python3-cryptography. A key that comes with the journal proves only that journal and key belong together: give --key from
elsewhere to know whose journal it is.

Prints a line a check. Exit status: 0 all hold, 1 one does not or cannot be made, 2 wrong use.
"""
import argparse, base64, binascii, hashlib, http.client, json, os, re, sys, urllib.error, urllib.request

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

WIDTH = 256                                             # hashes in a full tile
TYP, RECEIPT = "vnd.garant.certificate+json", "vnd.garant.receipt+json"     # docs/verify.md


class Broken(Exception):
    """Something does not hold; the text says what."""


def need(condition, text):
    if not condition:
        raise Broken(text)


# ---- RFC 6962 §2.1: hashes. ----

def sha256(data):
    return hashlib.sha256(data).digest()


def leaf_hash(entry):
    return sha256(b"\x00" + entry)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


def tree_hash(hashes):
    """MTH over hashes of equal sub-trees. Pairing from the left, a last one alone moving up, builds the same tree."""
    if not hashes:
        return sha256(b"")
    while len(hashes) > 1:
        paired = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes) - 1, 2)]
        hashes = paired + hashes[len(paired) * 2:]
    return hashes[0]


def split(count):
    """The largest power of two below count."""
    return 1 << (count - 1).bit_length() - 1


# ---- RFC 9162 §2.1.3 and §2.1.4: proofs. ----

def check_inclusion(index, size, leaf, path, root):
    need(0 <= index < size, f"a tree of {size} has no entry {index}")
    fn, sn, r = index, size - 1, leaf
    for p in path:
        need(sn > 0, "the inclusion proof is too long")
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0, "the inclusion proof is too short")
    need(r == root, f"the inclusion proof of entry {index} leads to another root")


def check_consistency(old_size, old_root, size, root, path):
    need(0 < old_size <= size, f"a tree of {size} does not continue one of {old_size}")
    if old_size == size:
        need(not path and old_root == root, "two trees of one size have different roots")
        return
    path = list(path)
    if old_size == 1 << old_size.bit_length() - 1:
        path.insert(0, old_root)
    need(path, "the consistency proof is empty")
    fn, sn = old_size - 1, size - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        need(sn > 0, "the consistency proof is too long")
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0, "the consistency proof is too short")
    need(fr == old_root, "the consistency proof does not lead to the old root")
    need(sr == root, "the consistency proof does not lead to the new root")


# ---- c2sp.org/signed-note and tlog-checkpoint. ----

def b64(text, what):
    """Standard base64 in its one canonical form."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Broken(f"{what} is not base64") from None
    need(base64.b64encode(data).decode() == text, f"{what} is not canonical base64")
    return data


def name_valid(name):
    return name and "+" not in name and not any(c.isspace() for c in name)


class Verifier:
    """The public half of a signer, from "name+hexid+base64"."""

    def __init__(self, line):
        parts = line.strip("\r\n").split("+", 2)
        need(len(parts) == 3 and name_valid(parts[0]) and re.fullmatch("[0-9a-fA-F]{8}", parts[1]), "malformed verifier's line")
        key = b64(parts[2], "the verifier's key")
        need(len(key) == 33 and key[0] == 1, "the verifier's key is not an Ed25519 key")
        self.name, self.id = parts[0], bytes.fromhex(parts[1])
        need(self.id == sha256(self.name.encode() + b"\n" + key)[:4], "the verifier's id is not that of its name and key")
        self.kid = f"{self.name}+{self.id.hex()}"
        self.key = Ed25519PublicKey.from_public_bytes(key[1:])

    def verify(self, signature, message, what):
        try:
            self.key.verify(signature, message)
        except InvalidSignature:
            raise Broken(f"{what}: the signature does not hold under {self.kid}") from None


def open_note(verifier, data):
    """The text of a signed note, with its last newline."""
    try:
        note = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Broken("the note is not UTF-8") from None
    need(not any(ord(c) < 32 and c != "\n" for c in note), "the note holds control characters")
    text, separator, signatures = note.rpartition("\n\n")
    need(separator and signatures.endswith("\n"), "the note has no signatures")
    text += "\n"
    signed = False
    for line in signatures[:-1].split("\n"):
        match = re.fullmatch("\u2014 ([^ ]+) ([^ ]+)", line)
        need(match and name_valid(match[1]), "malformed signature line")
        raw = b64(match[2], "a signature")
        need(len(raw) > 4, "a signature is too short")
        if match[1] == verifier.name and raw[:4] == verifier.id:
            verifier.verify(raw[4:], text.encode(), "note")
            signed = True
    need(signed, f"the note is not signed by {verifier.kid}")
    return text


class Checkpoint:
    def __init__(self, verifier, data):
        lines = open_note(verifier, data)[:-1].split("\n")
        need(len(lines) >= 3 and all(lines), "a checkpoint has three lines or more, none empty")
        need(lines[0] == verifier.name, f"the origin {lines[0]!r} is not {verifier.name!r}")
        need(re.fullmatch("0|[1-9][0-9]*", lines[1]), "the size is not a decimal number")
        self.size, self.root = int(lines[1]), b64(lines[2], "the root")
        need(len(self.root) == 32, "the root is not a SHA-256")


# ---- c2sp.org/tlog-tiles. ----

class Source:
    """Resources by name, from a folder or over HTTP; None where there is none."""

    def __init__(self, place, headers):
        self.place, self.headers = place.rstrip("/"), headers
        self.remote = bool(re.match("https?://", place))

    def get(self, name):
        if not self.remote:
            try:
                return read(os.path.join(self.place, name))
            except (FileNotFoundError, NotADirectoryError):
                return None
        try:
            asked = urllib.request.Request(f"{self.place}/{name}", headers=self.headers)
            with urllib.request.urlopen(asked, timeout=30) as answer:
                return answer.read()
        except urllib.error.HTTPError as e:
            need(e.code in (404, 410), f"{name}: the server answers {e.code}")
            return None

    def need(self, name):
        data = self.get(name)
        need(data is not None, f"{name} is missing")
        return data


def tile_name(level, index, width):
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03}")
    return f"tile/{level}/{'/'.join(groups)}" + (f".p/{width}" if width < WIDTH else "")


def split_bundle(data, name):
    entries, at = [], 0
    while at < len(data):
        need(at + 2 <= len(data), f"{name} ends inside a length")
        size = int.from_bytes(data[at:at + 2], "big")
        need(at + 2 + size <= len(data), f"{name} ends inside an entry")
        entries.append(data[at + 2:at + 2 + size])
        at += 2 + size
    return entries


class Journal:
    """A journal at the size of one checkpoint, read through its tiles, each of which is checked before use."""

    def __init__(self, source, checkpoint):
        self.source, self.size, self.root = source, checkpoint.size, checkpoint.root
        self.levels = []                                # hashes of each level of tiles; None where pruned
        self.withheld = 0                               # entries of which only the hash is shown
        self.pruned = 0                                 # entries no longer kept, all before the others

    def fetch(self, level, index, width):
        """A tile or bundle; where the partial one is gone, the full one serves."""
        data = self.source.get(tile_name(level, index, width))
        if data is None and width < WIDTH:
            data = self.source.get(tile_name(level, index, WIDTH))
        return data

    def widths(self, level):
        full, rest = divmod(self.size >> 8 * level, WIDTH)
        return [WIDTH] * full + ([rest] if rest else [])

    def entries(self, index, width):
        name = tile_name("entries", index, width)
        data = self.fetch("entries", index, width)
        if data is None:
            return None
        entries = split_bundle(data, name)
        need(len(entries) in (width, WIDTH), f"{name} holds {len(entries)} entries, not {width}")
        return entries[:width]

    def tile(self, level, index, width):
        data = self.fetch(level, index, width)
        if data is None:
            return None
        need(len(data) in (32 * width, 32 * WIDTH), f"{tile_name(level, index, width)} has {len(data)} bytes, not {32 * width}")
        return [data[i:i + 32] for i in range(0, 32 * width, 32)]

    def made_of_entries(self, index, width):
        """The leaves of a bundle; None for each when it was pruned, which takes whole bundles from the oldest on."""
        entries = self.entries(index, width)
        if entries is not None:
            self.withheld += entries.count(b"")         # of a tenant that is nobody else's to read: its hash stands in the tile
            return [leaf_hash(e) if e else None for e in entries]
        name = tile_name("entries", index, width)
        need(width == WIDTH, f"{name} is missing")
        need(self.pruned == index * WIDTH, f"{name} is missing, though older entries are kept")
        self.pruned += width
        return [None] * width

    def made_of_tiles(self, level, index, width):
        under, first = self.levels[level - 1], index * WIDTH
        tiles = [under[i * WIDTH:(i + 1) * WIDTH] for i in range(first, first + width)]
        return [None if None in hashes else tree_hash(hashes) for hashes in tiles]

    def check(self):
        """Entries against tiles, tiles against those under them, and the root."""
        level = 0
        while self.size >> 8 * level:
            hashes = []
            for index, width in enumerate(self.widths(level)):
                made = self.made_of_tiles(level, index, width) if level else self.made_of_entries(index, width)
                served = self.tile(level, index, width)
                name = tile_name(level, index, width)
                need(served is not None or made == [None] * WIDTH, f"{name} is missing")
                for i, found in enumerate(served or []):
                    need(made[i] in (None, found), f"{name}: hash {i} is not that of what lies under it")
                hashes += served or made
            self.levels.append(hashes)
            level += 1
        need(self.range_root(0, self.size) == self.root, "the tiles lead to another root than the checkpoint's")

    def node(self, level, index):
        """The hash of the 2**level entries from index * 2**level on."""
        tile_level, height = divmod(level, 8)
        hashes = self.levels[tile_level][index << height:(index + 1) << height]
        need(None not in hashes, f"the hashes of entries from {index << level} on were pruned")
        return tree_hash(hashes)

    def range_root(self, low, high):
        """MTH(D[low:high]) for the ranges that RFC 6962 divides a tree into."""
        if low == high:
            return sha256(b"")
        roots, at = [], low
        while at < high:
            level = (high - at).bit_length() - 1
            roots.append(self.node(level, at >> level))
            at += 1 << level
        root = roots.pop()
        while roots:
            root = node_hash(roots.pop(), root)
        return root

    def inclusion(self, index):
        """PATH(index, D[size]) of RFC 6962 §2.1.1."""
        def path(low, high):
            if high - low == 1:
                return []
            middle = low + split(high - low)
            if index < middle:
                return path(low, middle) + [self.range_root(middle, high)]
            return path(middle, high) + [self.range_root(low, middle)]
        return path(0, self.size)

    def consistency(self, old):
        """PROOF(old, D[size]) of RFC 6962 §2.1.2."""
        def subproof(low, high, whole):
            if old == high:
                return [] if whole else [self.range_root(low, high)]
            middle = low + split(high - low)
            if old <= middle:
                return subproof(low, middle, whole) + [self.range_root(middle, high)]
            return subproof(middle, high, False) + [self.range_root(low, middle)]
        return subproof(0, self.size, True)

    def entry(self, index):
        """The entry, once it is shown to be in the journal."""
        need(0 <= index < self.size, f"the journal of {self.size} entries has no entry {index}")
        bundle = index // WIDTH
        entries = self.entries(bundle, min(WIDTH, self.size - bundle * WIDTH))
        need(entries is not None, f"entry {index} was pruned")
        entry = entries[index % WIDTH]
        need(entry, f"entry {index} is withheld")
        check_inclusion(index, self.size, leaf_hash(entry), self.inclusion(index), self.root)
        return entry


# ---- c2sp.org/tlog-proof. ----

def check_proof(verifier, data, entry):
    head, separator, note = data.partition(b"\n\n")
    need(head.isascii(), "the proof is not ASCII before its checkpoint")
    lines = head.decode().split("\n")
    need(separator and lines.pop(0) == "c2sp.org/tlog-proof@v1", "not a c2sp.org/tlog-proof@v1")
    if lines and lines[0].startswith("extra "):
        b64(lines.pop(0)[6:], "the proof's extra data")
    match = re.fullmatch("index (0|[1-9][0-9]*)", lines.pop(0) if lines else "")
    need(match, "the proof has no index")
    path = [b64(line, "a hash of the proof") for line in lines]
    need(all(len(h) == 32 for h in path), "a hash of the proof is not a SHA-256")
    checkpoint = Checkpoint(verifier, note)
    check_inclusion(int(match[1]), checkpoint.size, leaf_hash(entry), path, checkpoint.root)
    return int(match[1]), checkpoint


# ---- RFC 7515 and RFC 8037: certificates. ----

def b64url(text, what):
    need(re.fullmatch("[A-Za-z0-9_-]*", text) and len(text) % 4 != 1, f"{what} is not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    need(base64.urlsafe_b64encode(data).decode().rstrip("=") == text, f"{what} is not canonical base64url")
    return data


def strict_json(data, what):
    def unique(pairs):
        need(len({k for k, _ in pairs}) == len(pairs), f"{what}: a name stands twice")
        return dict(pairs)
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=unique)
    except ValueError:
        raise Broken(f"{what} is not JSON") from None
    need(isinstance(value, dict), f"{what} is not an object")
    return value


def check_certificate(verifier, text, typ=TYP, member="certificate"):
    """The payload of a certificate or receipt: a compact JWS, or the JSON of an answer that holds one as its "jws"."""
    if text.lstrip().startswith("{"):
        answer = strict_json(text.encode(), "the file")
        text = answer.get("jws")
        need(isinstance(text, str), "the file holds no jws")
    else:
        answer = {}
    parts = text.strip().split(".")
    need(len(parts) == 3, "not a compact JWS")
    header = strict_json(b64url(parts[0], "the header"), "the header")
    need(header.get("alg") == "EdDSA", f"the algorithm is {header.get('alg')!r}, not EdDSA")
    need("crit" not in header, "the header asks for an extension")
    need(header.get("kid") == verifier.kid, f"the key is {header.get('kid')!r}, not {verifier.kid!r}")
    need(header.get("typ") == typ, f"the type is {header.get('typ')!r}, not {typ!r}")
    verifier.verify(b64url(parts[2], "the signature"), f"{parts[0]}.{parts[1]}".encode(), "certificate")
    payload = strict_json(b64url(parts[1], "the payload"), "the payload")
    need(answer.get(member, payload) == payload, f"the {member} beside the jws says other things than the signed one")
    return payload


def check_certificate_entry(journal, payload):
    """The act that a certificate names stands in the journal: {"journal": {"index", "leaf"?}}; leaf is the hash, in hexadecimal."""
    place = payload.get("journal")
    if place is None:
        return "names no entry of the journal"
    need(isinstance(place, dict) and type(place.get("index")) is int, "the certificate's journal has no index")
    index = place["index"]
    need(0 <= index < journal.size, f"the certificate names entry {index} of a journal of {journal.size}")
    if index < journal.pruned:
        return f"names entry {index}, which was pruned"
    leaf = leaf_hash(journal.entry(index)).hex()
    need(place.get("leaf", leaf) == leaf, f"the certificate's leaf is not that of entry {index}")
    return f"names entry {index}, which is in the journal"


# ---- The program. ----

def read(path):
    with open(path, "rb") as file:
        return file.read()


def read_key(source, given):
    line = source.need("key") if given is None else read(given) if os.path.exists(given) else given.encode()
    return Verifier(line.decode())


def check_journal(source, verifier, least, pruned, tell):
    checkpoint = Checkpoint(verifier, source.need("checkpoint"))
    tell(f"checkpoint: {checkpoint.size} entries, signed by {verifier.kid}")
    need(checkpoint.size >= least, f"the journal has {checkpoint.size} entries, fewer than {least}")
    journal = Journal(source, checkpoint)
    journal.check()
    need(journal.pruned <= pruned, f"the oldest {journal.pruned} entries are missing: --pruned {journal.pruned} accepts that")
    tell(f"tree: {journal.size - journal.pruned} entries, {len(journal.levels)} levels of tiles and the root agree"
         + (f"; {journal.pruned} entries were pruned" if journal.pruned else "")
         + (f"; {journal.withheld} entries are withheld, and only their hash is shown" if journal.withheld else ""))
    return journal


def run(o, tell):
    source = Source(o.journal, {k.strip(): v.strip() for k, v in (h.split(":", 1) for h in o.header)})
    verifier = read_key(source, o.key)
    journal = check_journal(source, verifier, o.least, o.pruned, tell)
    for index in o.entry:
        tell(f"entry {index} is in the journal: {journal.entry(index).decode('utf-8', 'backslashreplace')}")
    for name in o.old:
        old = Checkpoint(verifier, read(name))
        need(old.size <= journal.size, f"{name} has {old.size} entries, the journal only {journal.size}")
        if old.size:
            check_consistency(old.size, old.root, journal.size, journal.root, journal.consistency(old.size))
        tell(f"consistency: the journal continues that of {old.size} entries in {name}")
    if o.proof:
        index, seen = check_proof(verifier, read(o.proof), read(o.leaf))
        need(seen.size <= journal.size and journal.range_root(0, seen.size) == seen.root, "the proof is of another journal")
        tell(f"proof: the entry is number {index} of {seen.size}")
    for name in o.receipt:
        payload = check_certificate(verifier, read(name).decode(), RECEIPT, "receipt")
        tell(f"receipt {name}: signed by {verifier.kid}, {payload.get('@id')}")
    for name in o.certificate:
        payload = check_certificate(verifier, read(name).decode())
        tell(f"certificate {name}: signed by {verifier.kid}, {check_certificate_entry(journal, payload)}")


def main():
    p = argparse.ArgumentParser(description="Verifies a journal, its proofs and its certificates, from the specifications alone.")
    p.add_argument("journal", help="folder or address with checkpoint, tile/… and key")
    p.add_argument("--key", help="the verifier's line, or a file that holds it")
    p.add_argument("--entry", type=int, action="append", default=[], metavar="N", help="show entry N and prove that it is there")
    p.add_argument("--old", action="append", default=[], metavar="FILE", help="an older checkpoint that the journal must continue")
    p.add_argument("--proof", metavar="FILE", help="a c2sp.org/tlog-proof text for the entry in --leaf")
    p.add_argument("--leaf", metavar="FILE", help="the bytes of that entry")
    p.add_argument("--certificate", action="append", default=[], metavar="FILE", help="a certificate: a JWS, or JSON with a jws")
    p.add_argument("--receipt", action="append", default=[], metavar="FILE", help="a receipt of a consent: a JWS, or JSON with a jws")
    p.add_argument("--least", type=int, default=0, metavar="N", help="entries that the journal must have at least")
    p.add_argument("--pruned", type=int, default=0, metavar="N", help="how many of the oldest entries may be gone, at most")
    p.add_argument("--header", action="append", default=[], help='sent with each request, as "Authorization: Bearer …"')
    o = p.parse_args()
    if bool(o.proof) != bool(o.leaf):
        p.error("--proof and --leaf go together")
    if any(":" not in h for h in o.header):
        p.error('--header is written "Name: value"')
    try:
        run(o, lambda text: print("ok", text))
    except (Broken, OSError, UnicodeDecodeError, http.client.HTTPException) as e:
        print("FAILED", e)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
