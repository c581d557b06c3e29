"""Pictures and videos as cameras make them, with where and when they were taken, a comment, and something behind their end."""
import struct, zlib

SECRETS = (b"planted-place 48.8566N 2.3522E", b"planted-comment", b"planted-camera", b"planted-behind")


def exif(turn=6):
    """A directory with the turn, the camera's name and a place."""
    camera = SECRETS[2] + b"\0"
    place = SECRETS[0] + b"\0"
    count, at = 3, 8 + 2 + 3 * 12 + 4
    rows = struct.pack(">HHIHH", 0x0112, 3, 1, turn, 0) + struct.pack(">HHII", 0x010F, 2, len(camera), at) + \
        struct.pack(">HHII", 0x8825, 2, len(place), at + len(camera))
    return b"MM\0*" + struct.pack(">I", 8) + struct.pack(">H", count) + rows + struct.pack(">I", 0) + camera + place


def segment(marker, content):
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def jpeg(width=16, height=16, turn=6, shown=b"planted pixels"):
    coded, thumbnail = b"\x3f\xff\x00" + shown + b"\xff\x00\x7a", b"JFIF\0\1\1\0\0\1\0\1\x08\x08" + SECRETS[0]
    return b"\xff\xd8" + segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0") + segment(0xE0, thumbnail) + \
        segment(0xEE, b"Adobe" + bytes(7) + SECRETS[2]) + segment(0xE1, b"Exif\0\0" + exif(turn)) + segment(0xFE, SECRETS[1]) + \
        segment(0xED, b"Photoshop 3.0\0" + SECRETS[0]) + segment(0xDB, b"\0" + bytes(64)) + \
        segment(0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0") + segment(0xC4, b"\0" + bytes(16)) + \
        segment(0xDA, b"\1\1\0\0\x3f\0") + coded + b"\xff\xd9" + SECRETS[3]


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width=4, height=4):
    rows = b"".join(b"\0" + b"\x20\x80\xc0" * width for _ in range(height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + chunk(b"tEXt", b"Comment\0" + SECRETS[1]) + \
        chunk(b"eXIf", exif()) + chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + SECRETS[0]) + chunk(b"IDAT", zlib.compress(rows)) + \
        chunk(b"IEND", b"") + SECRETS[3]


def riff(name, content):
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) & 1)


def webp(side=16, more=b""):
    pictured = bytes(3) + b"\x9d\x01\x2a" + struct.pack("<HH", side, side) + b"planted pixels!"
    extended = struct.pack("<I", 0x08 | 0x04) + struct.pack("<I", 15)[:3] + struct.pack("<I", 15)[:3]
    body = riff(b"VP8X", extended) + riff(b"VP8 ", pictured) + more + riff(b"EXIF", exif()) + riff(b"XMP ", SECRETS[0])
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body + SECRETS[3]


def box(name, content):
    return struct.pack(">I", len(content) + 8) + name + content


def track(handler, more=b""):
    head = box(b"tkhd", b"\0\0\0\7" + struct.pack(">II", 3_800_000_000, 3_800_000_001) + bytes(72))
    said = box(b"hdlr", bytes(8) + handler + bytes(12) + SECRETS[2] + b"\0")
    return box(b"trak", head + box(b"mdia", box(b"mdhd", b"\0\0\0\0" + struct.pack(">II", 3_800_000_000, 3_800_000_001) + bytes(12)) + said +
                                   box(b"minf", box(b"stbl", box(b"stco", bytes(8))))) + more)


def mp4(size=200_000, tracks=(b"vide", b"soun")):
    udta = box(b"udta", box(b"\xa9xyz", SECRETS[0]))
    moov = box(b"moov", box(b"mvhd", b"\0\0\0\0" + struct.pack(">II", 3_800_000_000, 3_800_000_001) + bytes(88)) +
               b"".join(track(kind) for kind in tracks) + udta + box(b"meta", bytes(4) + SECRETS[1]))
    media = bytes(range(256)) * (size // 256)
    return box(b"ftyp", b"isom\0\0\2\0isomiso2mp41") + moov + box(b"mdat", media) + box(b"uuid", SECRETS[3])
