"""Files that hold a text, in the forms that people and programs make: for the guard against payment card numbers."""
import base64
import gzip
import io
import tarfile
import zipfile
import zlib


def zipped(members, compression=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def pdf(objects):
    """A PDF of these objects: bytes, or (dictionary, stream)."""
    out, places = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        if isinstance(body, tuple):
            body = b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(body[1]), body[0], body[1])
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"xref\n0 %d\n0000000000 65535 f \n%strailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, table, len(objects) + 1, len(out))


def pdf_page(content, dictionary=b"", more=()):
    return pdf([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>", (dictionary, content),
                b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>", *more])


def flate(content):
    return zlib.compress(content)


CMAP = (b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
        b"1 beginbfrange <0013> <001C> <0030> endbfrange\n2 beginbfchar <0003> <0020> <0010> <002D> endbfchar endcmap")


def glyphs(text):
    """The codes of a subset font whose digits begin at 0x13, as office programs write them."""
    return "".join(f"{0x13 + int(c):04X}" if c.isdigit() else "0003" for c in text).encode()


def ascii85(content):
    return base64.a85encode(content) + b"~>"


WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def docx(runs):
    body = "".join(f'<w:r w:rsidR="00A12345"><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">{run}</w:t></w:r>' for run in runs)
    return zipped({"[Content_Types].xml": "<Types/>", "word/document.xml":
                   f'<?xml version="1.0"?><w:document xmlns:w="{WORD}"><w:body><w:p>{body}</w:p></w:body></w:document>'})


def xlsx(cells=(), strings=()):
    row = "".join(f'<c r="{chr(65 + i)}1"><v>{cell}</v></c>' for i, cell in enumerate(cells))
    shared = "".join(f"<si><t>{one}</t></si>" for one in strings)
    return zipped({"xl/workbook.xml": "<workbook/>", "xl/sharedStrings.xml": f'<sst xmlns="{SHEET}">{shared}</sst>',
                   "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{SHEET}"><sheetData><row r="1">{row}</row></sheetData></worksheet>'})


def odf(paragraphs, kind="text"):
    body = "".join(f"<text:p>{one}</text:p>" for one in paragraphs)
    return zipped({"mimetype": f"application/vnd.oasis.opendocument.{kind}",
                   "content.xml": f"<office:document-content><office:body>{body}</office:body></office:document-content>"})


def rtf(text):
    return b"{\\rtf1\\ansi{\\fonttbl\\f0 Arial;}\\f0\\fs24 " + text + b"\\par }"


def mail(body, encoding):
    return (b"From: a@example.org\r\nSubject: hello\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: "
            + encoding + b"\r\n\r\n" + body)


def attached(content):
    """A mail with that file attached."""
    return (b"From: a@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=zz\r\n\r\n--zz\r\nContent-Type: text/plain\r\n\r\n"
            b"See the file.\r\n--zz\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            + base64.encodebytes(content).replace(b"\n", b"\r\n") + b"--zz--\r\n")


def taped(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members.items():
            head = tarfile.TarInfo(name)
            head.size = len(content)
            archive.addfile(head, io.BytesIO(content))
    return out.getvalue()


def within(files):
    """Files that hold one of those given, which hold others themselves."""
    out = {}
    for name, content in files.items():
        out.update({f"{name}.gz": gzip.compress(content), f"{name}.eml": attached(content), f"{name}.zip": zipped({name: content}),
                    f"{name}.tar": taped({"read.me": b"see the other", name: content}), f"{name}.tgz": gzip.compress(taped({name: content})),
                    f"{name}.json": ('{"file": "' + base64.b64encode(content).decode() + '"}').encode(),
                    f"{name}.eml.zip": zipped({f"{name}.eml": attached(content)})})
    return out


HOLDERS = ("archive.zip", "log.gz", "letter.docx", "numbers.xlsx", "text.odt", "flate.pdf", "plain.rtf")


def holding(card):
    """name: bytes of files that hold this card number of sixteen digits, grouped by four with blanks."""
    whole, parts = card.replace(" ", ""), card.split(" ")
    octal = "".join(f"\\{ord(c):03o}" for c in whole).encode()
    kerned = b"[" + b" -30 ".join(b"(" + part.encode() + b")" for part in parts) + b"] TJ"
    wide = "".join(chr(0xFF10 + int(c)) for c in whole)
    quoted = "".join(f"={ord(c):02X}" for c in card).encode()
    said = b"Dear all, the corporate card of the team this year is " + card.encode() + b", please be careful with it."
    embedded = zipped({"inner/list.csv": f"name;card\r\nAda;{whole}\r\n"})
    return {
        "note.txt": f"pay with {card} please".encode(), "note-slash.txt": ("pay with " + "/".join(parts)).encode(),
        "bom.txt": b"\xef\xbb\xbf" + card.encode(), "latin1.txt": f"numéro de carte : {card}, échéance".encode("latin-1"),
        "cp1252-nbsp.txt": f"n° {card}".replace(" ", "\u00a0").encode("cp1252"), "utf16le-bom.txt": b"\xff\xfe" + f"é {card}".encode("utf-16-le"),
        "utf16be-bom.txt": b"\xfe\xff" + f"é {card}".encode("utf-16-be"), "utf16le.txt": f"card {card}".encode("utf-16-le"),
        "utf16be.txt": f"card {card}".encode("utf-16-be"), "utf16-wide.txt": b"\xff\xfe" + wide.encode("utf-16-le"),
        "utf16be-wide-bare.txt": wide.encode("utf-16-be"), "utf32.txt": card.encode("utf-32"), "utf32be.txt": card.encode("utf-32-be"),
        "wide.txt": wide.encode(), "list.csv": f'"name","card"\r\n"Ada","{card}"\r\n'.encode(), "split.csv": f"Ada;{';'.join(parts)};12/27\r\n".encode(),
        "tabs.tsv": "\t".join(["Ada", *parts]).encode(), "lines.txt": "\r\n".join(["card:", *parts, "end"]).encode(),
        "card.vcf": f"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ada\r\nNOTE:pays with {whole[:9]}\r\n {whole[9:]}\r\nEND:VCARD\r\n".encode(),
        "quoted.vcf": b"BEGIN:VCARD\r\nVERSION:2.1\r\nNOTE;ENCODING=QUOTED-PRINTABLE:" + quoted + b"\r\nEND:VCARD",
        "event.ics": f"BEGIN:VEVENT\r\nDESCRIPTION:{parts[0]}\\, {parts[1]}\\, {parts[2]}\\, {parts[3]}\r\nEND:VEVENT".encode(),
        "page.html": f"<html><body><p>{'</b><b>'.join(parts)}</p></body></html>".encode(),
        "entities.html": ("<p>" + "".join(f"&#{ord(c)};" for c in card) + "</p>").encode(),
        "cells.html": ("<tr><td>" + "</td><td>".join(parts) + "</td></tr>").encode(),
        "data.json": ('{"pay":["' + '","'.join(parts) + '"]}').encode(), "escaped.json": ('{"a":"' + "".join(f"\\u{ord(c):04x}" for c in card) + '"}').encode(),
        "fields.xml": f"<a><b>{parts[0]}</b><b>{parts[1]}</b><b>{parts[2]}</b><b>{parts[3]}</b></a>".encode(),
        "mail.eml": mail(base64.encodebytes(said), b"base64"),
        "mail-qp.eml": mail(f"caf=C3=A9 {parts[0]}=20{parts[1]}=\r\n=20{parts[2]}=20{parts[3]}".encode(), b"quoted-printable"),
        "log.gz": gzip.compress(f"card={whole}\n".encode()), "archive.zip": embedded, "stored.zip": zipped({"a.txt": card}, zipfile.ZIP_STORED),
        "named.zip": zipped({f"{whole}.txt": "x"}), "nested.zip": zipped({"outer.zip": embedded}), "bzip2.zip": zipped({"a.txt": card}, zipfile.ZIP_BZIP2),
        "letter.docx": docx([f"Card {card}."]), "runs.docx": docx([parts[0], " " + parts[1], " ", parts[2], " " + parts[3]]), "pieces.docx": docx(list(whole)),
        "numbers.xlsx": xlsx(cells=[1, whole, 3]), "parts.xlsx": xlsx(cells=parts), "strings.xlsx": xlsx(strings=["Ada", card, "12/27"]),
        "text.odt": odf([f"Carte {card}"]), "spans.odt": odf(["<text:span>" + "</text:span><text:s/><text:span>".join(parts) + "</text:span>"]),
        "sheet.ods": odf(["Ada", whole], "spreadsheet"), "slides.pptx": zipped({"ppt/slides/slide1.xml": f"<a:p><a:r><a:t>{card}</a:t></a:r></a:p>"}),
        "book.epub": zipped({"mimetype": "application/epub+zip", "c1.xhtml": f"<p>{card}</p>"}),
        "plain.rtf": rtf(card.encode()),
        "words.rtf": rtf(b"\\b " + b"\\b0  \\b ".join(p.encode() for p in parts)),
        "hex.rtf": rtf("".join(f"\\'{ord(c):02x}" for c in whole).encode()),
        "plain.pdf": pdf_page(b"BT /F1 12 Tf (" + card.encode() + b") Tj ET"),
        "flate.pdf": pdf_page(flate(b"BT /F1 12 Tf (pay " + card.encode() + b") Tj ET"), b"/Filter /FlateDecode"),
        "kerned.pdf": pdf_page(flate(b"BT /F1 12 Tf " + kerned + b" ET"), b"/Filter/FlateDecode"),
        "octal.pdf": pdf_page(flate(b"BT (" + octal + b") Tj ET"), b"/Filter /FlateDecode"),
        "hex.pdf": pdf_page(flate(b"BT <" + card.encode().hex().encode() + b"> Tj ET"), b"/Filter [/FlateDecode]"),
        "moved.pdf": pdf_page(flate(b"BT " + b" ".join(b"(" + p.encode() + b") Tj 30 0 Td" for p in parts) + b" ET"), b"/Filter /FlateDecode"),
        "a85.pdf": pdf_page(ascii85(flate(b"BT (" + card.encode() + b") Tj ET")), b"/Filter [ /ASCII85Decode /FlateDecode ]"),
        "ahx.pdf": pdf_page((b"BT (" + card.encode() + b") Tj ET").hex().encode() + b">", b"/Filter /ASCIIHexDecode"),
        "cid.pdf": pdf_page(flate(b"BT /F1 12 Tf <" + glyphs(card) + b"> Tj ET"), b"/Filter /FlateDecode", [(b"/Filter /FlateDecode", flate(CMAP))]),
        "field.pdf": pdf_page(b"BT ET", b"", [b"<< /FT /Tx /T (pan) /V (" + card.encode() + b") >>"]),
        "field-wide.pdf": pdf_page(b"BT ET", b"", [b"<< /FT /Tx /V <FEFF" + card.encode("utf-16-be").hex().encode() + b"> >>"]),
        "objects.pdf": pdf_page(b"BT ET", b"", [(b"/Type /ObjStm /N 1 /First 4 /Filter /FlateDecode", flate(b"9 0 << /Contents (" + card.encode() + b") >>"))]),
        "embedded.pdf": pdf_page(b"BT ET", b"", [(b"/Type /EmbeddedFile /Filter /FlateDecode", flate(embedded))]),
        "comment.png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR" + bytes(range(17)) + b"\x00\x00\x00\x20tEXtComment\x00" + card.encode() + b"\x01\x02\x03\x04",
        "old.doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + f"Carte {card}".encode("utf-16-le") + bytes(512),
        "old8.doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + f"Carte {card}".encode("latin-1") + bytes(512),
    }


def innocent():
    """The same kinds of files, with numbers that are no card."""
    none = "4111 1111 1111 1112"
    made = {f"none-{name}": content for name, content in holding(none).items()}
    made.update({f"none-{name}": content for name, content in nested(none).items()})
    return {**made, "photo.jpg": b"\xff\xd8\xff\xe0" + bytes((i * i * 31 + i // 7) % 256 for i in range(200_000)),
            "prices.csv": "\r\n".join(f"{i};{1000 + i * 37 % 9000};{1000 + i * 101 % 9000};{1000 + i * 173 % 9000};{1000 + i * 997 % 9000}"
                                      for i in range(2000)).encode(),
            "iban.txt": b"FR76 3000 6000 0112 3456 7890 189, +33 6 12 34 56 78"}


def nested(card):
    """Those that hold others, within others."""
    files = holding(card)
    return within({name: files[name] for name in HOLDERS})


def bombs():
    """Files that unpack to far more than they are, hold too many, or go too deep: what cannot be looked through is not taken."""
    deep = b"x"
    for _ in range(8):
        deep = zipped({"a.zip": deep})
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    return {"bomb.gz": packed, "many.zip": zipped({f"{i}": "x" for i in range(4100)}, zipfile.ZIP_STORED), "deep.zip": deep,
            "bomb.pdf": pdf_page(flate(b"(4 4) " * (4 << 20)), b"/Filter /FlateDecode")}
