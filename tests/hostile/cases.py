"""The cases of hostile input: request lines, headers, framing, targets, bodies, credentials."""
import contextlib, json, os, random, re, socket, ssl, tempfile, time
import wire
from certificates import Certificates
from garant import Fault, Server, check

HOST = b"Host: x\r\n"
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Smuggled: yes\r\n\r\n"


def request_lines():
    for name, line in {
        "no blank": b"GARBAGE", "empty method": b" /healthz HTTP/1.1", "no target": b"GET HTTP/1.1",
        "no version": b"GET /healthz",
        "two blanks before the target": b"GET  /healthz HTTP/1.1", "two blanks before the version": b"GET /healthz  HTTP/1.1",
        "blank at the end": b"GET /healthz HTTP/1.1 ", "tab for a blank": b"GET\t/healthz\tHTTP/1.1",
        "tab in the target": b"GET /heal\tthz HTTP/1.1",
        "blank in the target": b"GET /heal thz HTTP/1.1", "vertical tab": b"GET\x0b/healthz HTTP/1.1",
        "HTTP/1.2": b"GET /healthz HTTP/1.2",
        "HTTP/2.0": b"GET /healthz HTTP/2.0", "HTTP/0.9": b"GET /healthz HTTP/0.9", "HTTP/1": b"GET /healthz HTTP/1",
        "HTTP/1.10": b"GET /healthz HTTP/1.10",
        "http/1.1": b"GET /healthz http/1.1", "HTTP/1.1x": b"GET /healthz HTTP/1.1x", "HTTP 1.1": b"GET /healthz HTTP 1.1",
        "HTTP/+1.1": b"GET /healthz HTTP/+1.1",
        "NUL in the method": b"GE\0T /healthz HTTP/1.1", "NUL in the target": b"GET /heal\0thz HTTP/1.1",
        "NUL in the version": b"GET /healthz HTTP/1.1\0",
        "NUL at the start": b"\0GET /healthz HTTP/1.1", "high byte in the method": b"G\xc9T /healthz HTTP/1.1",
        "bracket in the method": b"GE(T /healthz HTTP/1.1",
        "colon in the method": b"GE:T /healthz HTTP/1.1", "long method": b"G" * 300 + b" /healthz HTTP/1.1",
        "unknown method": b"BREW /healthz HTTP/1.1",
        "lower case method": b"get /healthz HTTP/1.1", "TRACE": b"TRACE /healthz HTTP/1.1", "CONNECT": b"CONNECT x:443 HTTP/1.1",
        "PRI": b"PRI * HTTP/2.0",
        "absolute form, no host": b"GET http:///healthz HTTP/1.1", "absolute form with a user": b"GET http://a:b@x/healthz HTTP/1.1",
        "absolute form, other scheme": b"GET ftp://x/healthz HTTP/1.1", "absolute form, dots": b"GET http://x/../healthz HTTP/1.1",
        "scheme-relative": b"GET //evil.example/healthz HTTP/1.1", "GET *": b"GET * HTTP/1.1",
        "authority form": b"GET x:80 HTTP/1.1",
        "backslash": b"GET \\healthz HTTP/1.1", "question mark alone": b"GET ? HTTP/1.1",
        "TLS hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "SSH": b"SSH-2.0-OpenSSH_9.2", "lone carriage return": b"GET /healthz\rHTTP/1.1",
        "carriage return in the target": b"GET /heal\rthz HTTP/1.1",
        "target of 40,000 bytes": b"GET /" + b"a" * 40000 + b" HTTP/1.1",
        "10,000 parameters": b"GET /healthz?" + b"&".join([b"a=1"] * 10000) + b" HTTP/1.1",
        "version of 10,000 bytes": b"GET /healthz HTTP/1." + b"1" * 10000, "emoji target": "GET /😀 HTTP/1.1".encode(),
    }.items():
        yield "line: " + name, line + b"\r\n" + HOST + b"\r\n"
    yield "line: bare line feed", b"GET /healthz HTTP/1.1\n" + HOST + b"\r\n"
    yield "line: only line feeds", b"GET /healthz HTTP/1.1\nHost: x\n\n"


def with_headers(*headers, line=b"GET /healthz HTTP/1.1", host=HOST, body=b""):
    return line + b"\r\n" + host + b"".join(h + b"\r\n" for h in headers) + b"\r\n" + body


def headers():
    for name, header in {
        "no colon": b"Foo", "no name": b": value", "blank before the colon": b"Foo : value",
        "tab before the colon": b"Foo\t: value",
        "blank in the name": b"Fo o: value", "leading blank": b" Foo: value", "folded": b"Foo: a\r\n b",
        "folded with a tab": b"Foo: a\r\n\tb",
        "folded twice": b"Foo: a\r\n b\r\n c", "NUL in the name": b"Fo\0o: value", "NUL in the value": b"Foo: va\0lue",
        "two NULs in the value": b"Foo: a\0\0b: c",
        "NUL then a header": b"Foo: a\0\nContent-Length: 5", "control byte in the value": b"Foo: a\x01b",
        "escape in the value": b"Foo: a\x1bb", "DEL in the value": b"Foo: a\x7fb",
        "backspace in the value": b"Foo: a\x08b", "Latin-1 in the reason": b"Garant-Reason: caf\xe9 \x01",
        "high byte in the name": b"F\xc3\xa9: x", "bracket in the name": b"Fo(o): x", "quote in the name": b'"Foo": x',
        "slash in the name": b"Fo/o: x", "at in the name": b"a@b: x",
        "equals in the name": b"a=b: x", "semicolon in the name": b"a;b: x", "carriage return in the value": b"Foo: a\rb",
        "carriage return and header": b"Foo: a\rHost: y",
        "bare line feed": b"Foo: a\nBar: b", "line feed first": b"\nFoo: a", "underscored length": b"Content_Length: 5",
        "underscored coding": b"Transfer_Encoding: chunked",
        "two hosts": b"Host: y", "two equal hosts": b"Host: x",
        "two authorizations": b"Authorization: Bearer a\r\nAuthorization: Bearer b",
        "two types": b"Content-Type: a/b\r\nContent-Type: c/d",
        "two keys": b"Idempotency-Key: a\r\nIdempotency-Key: b", "two If-Match": b"If-Match: \"1\"\r\nIf-Match: \"2\"",
        "unknown expectation": b"Expect: 200-ok",
        "compressed body": b"Content-Encoding: gzip", "name of 40,000 bytes": b"F" * 40000 + b": x",
        "value of 40,000 bytes": b"Foo: " + b"a" * 40000,
    }.items():
        yield "header: " + name, with_headers(header)
    for name, host in {
        "missing": b"", "empty": b"Host:\r\n", "blank": b"Host:  \r\n", "with a path": b"Host: x/y\r\n",
        "with a user": b"Host: u@x\r\n", "two names": b"Host: x, y\r\n", "blank inside": b"Host: x y\r\n",
        "with a query": b"Host: x?y\r\n", "of 300 bytes": b"Host: " + b"x" * 300 + b"\r\n", "with a quote": b"Host: \"x\"\r\n",
        "high byte": b"Host: \xc3\xa9\r\n", "backslash": b"Host: x\\y\r\n",
    }.items():
        yield "host: " + name, with_headers(host=host)
    yield "headers: 101", with_headers(*[b"X-%d: y" % i for i in range(100)])
    yield "headers: 1,000", with_headers(*[b"X-%d: y" % i for i in range(1000)])
    yield "headers: 5,000", with_headers(*[b"X-%d: y" % i for i in range(5000)])
    yield "headers: 1,000 equal", with_headers(*[b"X: y"] * 1000)


def post(*headers, body=b"", path=b"/v1/decisions"):
    return with_headers(*headers, line=b"POST " + path + b" HTTP/1.1", body=body)


def framing():
    """Where two readers could disagree on where the body ends, what follows must never be read as a request."""
    body = b"0\r\n\r\n"
    for name, lines in {
        "length and coding": (b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        "coding and length": (b"Transfer-Encoding: chunked", b"Content-Length: 5"),
        "length 0 and coding": (b"Content-Length: 0", b"Transfer-Encoding: chunked"),
        "two lengths": (b"Content-Length: 5", b"Content-Length: 0"),
        "two equal lengths": (b"Content-Length: 5", b"Content-Length: 5"), "list of lengths": (b"Content-Length: 5, 5",),
        "list of unequal lengths": (b"Content-Length: 5, 0",),
        "signed length": (b"Content-Length: +5",), "negative length": (b"Content-Length: -5",),
        "hexadecimal length": (b"Content-Length: 0x5",), "length with a point": (b"Content-Length: 5.0",),
        "exponent": (b"Content-Length: 5e0",), "length with letters": (b"Content-Length: 5abc",),
        "letters": (b"Content-Length: abc",), "empty length": (b"Content-Length:",),
        "blank inside the length": (b"Content-Length: 5 0",), "tab before the length": (b"Content-Length:\t+5",),
        "length beyond 64 bits": (b"Content-Length: 18446744073709551621",),
        "length of 100 digits": (b"Content-Length: " + b"9" * 100,), "length with underscore": (b"Content-Length: 1_0",),
        "Arabic digits": ("Content-Length: ٥".encode(),),
        "length behind a blank name": (b"Content-Length : 5",), "length behind a tab": (b"Content-Length\t: 5",),
        "folded length": (b"Content-Length:\r\n 5",),
        "folded coding": (b"Transfer-Encoding:\r\n chunked",), "coding behind a blank": (b"Transfer-Encoding : chunked",),
        "coding gzip, chunked": (b"Transfer-Encoding: gzip, chunked",),
        "coding chunked, gzip": (b"Transfer-Encoding: chunked, gzip",), "coding identity": (b"Transfer-Encoding: identity",),
        "coding identity with length": (b"Transfer-Encoding: identity", b"Content-Length: 5"),
        "coding xchunked": (b"Transfer-Encoding: xchunked",), "coding chunkedx": (b"Transfer-Encoding: chunkedx",),
        "coding with a tab": (b"Transfer-Encoding: \tchunked\t",),
        "coding with a vertical tab": (b"Transfer-Encoding: \x0bchunked",), "coding quoted": (b'Transfer-Encoding: "chunked"',),
        "coding twice": (b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
        "coding then identity": (b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
        "identity then coding": (b"Transfer-Encoding: identity", b"Transfer-Encoding: chunked"),
        "coding with a parameter": (b"Transfer-Encoding: chunked;q=1",),
        "coding with a comma": (b"Transfer-Encoding: ,chunked",),
        "coding with a trailing comma": (b"Transfer-Encoding: chunked,",),
        "empty coding": (b"Transfer-Encoding:",), "empty coding with length": (b"Transfer-Encoding:", b"Content-Length: 5"),
        "coding with NUL": (b"Transfer-Encoding: chunked\0",),
        "coding with CR": (b"Transfer-Encoding: chunked\r",), "coding behind a line feed": (b"X: y\nTransfer-Encoding: chunked",
        ), "coding on a folded line": (b"X: y\r\n Transfer-Encoding: chunked",),
        "two hosts and a length": (b"Host: y", b"Content-Length: 5"),
        "length in a folded value": (b"X: y\r\n\tContent-Length: 5",),
    }.items():
        yield "framing: " + name, post(*lines, body=body + SMUGGLED)
    yield "framing: coding in 1.0", with_headers(b"Transfer-Encoding: chunked", line=b"POST /v1/decisions HTTP/1.0",
        body=body + SMUGGLED)
    yield "framing: length on a GET", with_headers(b"Content-Length: %d" % len(SMUGGLED), body=SMUGGLED)
    yield "framing: coding on a GET", with_headers(b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n")
    yield "framing: length on a DELETE", with_headers(b"Content-Length: 5", line=b"DELETE /v1/tokens/x HTTP/1.1", body=b"hello")


def chunked(body, size, extension=b"", trailers=b""):
    """A body in chunks of that size (RFC 9112, 7.1)."""
    parts = [body[i:i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x%s\r\n%s\r\n" % (len(part), extension, part) for part in parts) + b"0\r\n" + trailers + b"\r\n"


def sound_chunks(token):
    """(name, request) of bodies in chunks that are to be taken: 200."""
    body = b'{"purpose": "service", "act": "read"}'
    lines = (b"Authorization: Bearer " + token, b"Content-Type: application/json")
    for name, sent in {
        "one": chunked(body, 100), "of five": chunked(body, 5), "of one byte": chunked(body, 1), "extensions": chunked(body, 7, b";a=b;c=\"d e\""),
        "trailers": chunked(body, 7, trailers=b"Digest: x\r\nContent-Length: 5\r\n"), "zeros": b"00000025\r\n" + body + b"\r\n000\r\n\r\n",
        "capitals": b"25\r\n" + body + b"\r\n0\r\n\r\n", "large": chunked(body[:-1] + b" " * 900_000 + b"}", 8191),
    }.items():
        for coding in (b"Transfer-Encoding: chunked", b"transfer-encoding: Chunked"):
            yield name, post(*lines, coding, body=sent)
    yield "expected", post(*lines, b"Transfer-Encoding: chunked", b"Expect: 100-continue", body=chunked(body, 9))


def chunks(token=None):
    """Malformed ones: refused, with a good token too."""
    lines = [b"Authorization: Bearer " + token] if token else []
    for name, body in {
        "no size": b"\r\nhello\r\n0\r\n\r\n", "letters": b"zz\r\nhello\r\n", "negative": b"-5\r\nhello\r\n0\r\n\r\n",
        "signed": b"+5\r\nhello\r\n0\r\n\r\n", "0x": b"0x5\r\nhello\r\n0\r\n\r\n",
        "blank before": b" 5\r\nhello\r\n0\r\n\r\n", "blank behind": b"5 \r\nhello\r\n0\r\n\r\n",
        "65 bits": b"10000000000000005\r\nhello\r\n0\r\n\r\n", "100 digits": b"f" * 100 + b"\r\nhello\r\n",
        "point": b"5.0\r\nhello\r\n", "underscore": b"0_5\r\nhello\r\n", "comma": b"5,5\r\nhello\r\n",
        "NUL": b"5\0\r\nhello\r\n0\r\n\r\n", "no end of the data": b"5\r\nhelloX\r\n0\r\n\r\n",
        "too short": b"3\r\nhello\r\n0\r\n\r\n", "tab": b"5\t\r\nhello\r\n0\r\n\r\n",
        "trailer without colon": b"5\r\nhello\r\n0\r\nFoo\r\n\r\n",
        "size line of 40,000 bytes": b"5;" + b"a" * 40000 + b"\r\nhello\r\n0\r\n\r\n",
        "bare line feed behind the size": b"5\nhello\r\n0\r\n\r\n", "bare line feed in the extension": b"5;a\nhello\r\n0\r\n\r\n",
        "bare line feed behind the data": b"5\r\nhello\n0\r\n\r\n", "bare line feed in the trailers": b"5\r\nhello\r\n0\r\nA: b\n\r\n",
        "trailer with a blank name": b"5\r\nhello\r\n0\r\nA : b\r\n\r\n", "100 trailers": b"0\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(100)) + b"\r\n",
        "data behind the end": b"5\r\nhello\r\n0\r\n\r\n" + SMUGGLED, "carriage return alone": b"5\rhello\r\n0\r\n\r\n",
    }.items():
        yield "chunk: " + name, post(*lines, b"Transfer-Encoding: chunked", b"Content-Type: application/json", body=body)


def targets():
    for target in [b"/nothing", b"/healthz/", b"//healthz", b"/./healthz", b"/a/../healthz", b"/..", b"/../../etc/passwd",
        b"/%2e%2e/healthz", b"/%2E/healthz", b"/.%2e/", b"/healthz%00",
                   b"/%00", b"/%0a", b"/%0d%0aX:y", b"/%7f", b"/%", b"/%4", b"/%zz", b"/%u0041", b"/%c0%ae%c0%ae/", b"/%c0%af",
                   b"/%e0%80%af", b"/%ed%a0%80", b"/%f4%90%80%80", b"/%ff", b"/%fe%ff",
                   b"/a%2fb", b"/a%5cb", b"/%252e", b"/healthz;x=y", b"/healthz#x", b"/<script>", b"/\"", b"/`", b"/{id}", b"/|",
                   b"/^", b"/healthz?x", b"/healthz?x=1", b"/healthz?%zz", b"/healthz?a=%00",
                   b"/healthz?a=%ff", b"/healthz?%c0%af=1", b"/v1/subjects", b"/v1/subjects/", b"/v1/subjects/%2e%2e",
                   b"/v1/subjects/" + b"a/" * 50, b"/v1/subjects/" + b"0" * 8000, b"/v1/subjects/01?purpose=%0a",
                   b"/v1/subjects/01?purpose=a&purpose=b", b"/v1/subjects/01?purpose=a&other=b",
                   b"/v1/subjects/01?" + b"&".join(b"p%d=1" % i for i in range(1000)), b"/static/../routes.def",
                   b"/static/%2e%2e/routes.def", b"/static/", b"/static/nothing.css", b"/privacy?lang=%00",
                   b"/privacy?lang=fr&lang=fr", b"/.git/config", b"/admin", b"/V1/subjects", b"/v1//subjects"]:
        yield "target: " + target[:60].decode("latin-1"), with_headers(line=b"GET " + target + b" HTTP/1.1")


def bodies(token):
    """JSON that is no JSON, or too much of it, sent with a good token."""
    deep = 100_000
    good = {"purpose": "service"}
    for name, body in {
        "empty": b"", "blank": b"  ", "garbage": b"hello", "half an object": b'{"purpose": "a"',
        "half a text": b'{"purpose": "a', "single quotes": b"{'purpose': 'a'}", "comment": b'{"purpose": "a" /* x */}',
        "trailing comma": b'{"purpose": "a",}', "two values": b'{"purpose": "a"}{}', "trailing garbage": b'{"purpose": "a"}x',
        "unquoted name": b'{purpose: "a"}', "NaN": b'{"purpose": NaN}',
        "Infinity": b'{"purpose": Infinity}', "leading zero": b'{"purpose": 01}', "plus": b'{"purpose": +1}',
        "point first": b'{"purpose": .5}', "point last": b'{"purpose": 5.}', "hexadecimal": b'{"purpose": 0x10}',
        "huge integer": b'{"purpose": ' + b"9" * 400 + b"}", "huge exponent": b'{"purpose": 1e999999}',
        "tiny exponent": b'{"purpose": 1e-999999999}', "number of a megabyte": b'{"purpose": ' + b"1" * 1_000_000 + b"}",
        "duplicate names": b'{"purpose": "a", "purpose": "b"}',
        "duplicate names, escaped": b'{"purpose": "a", "purpos\\u0065": "b"}', "NUL byte": b'{"purpose": "a\0b"}',
        "escaped NUL": b'{"purpose": "a\\u0000b"}',
        "escaped NUL in a name": b'{"pur\\u0000pose": "a"}', "raw control byte": b'{"purpose": "a\x01b"}',
        "raw line feed": b'{"purpose": "a\nb"}', "overlong UTF-8": b'{"purpose": "\xc0\xaf"}',
        "overlong NUL": b'{"purpose": "\xc0\x80"}',
        "surrogate in UTF-8": b'{"purpose": "\xed\xa0\x80"}', "lone surrogate": b'{"purpose": "\\ud800"}',
        "reversed surrogates": b'{"purpose": "\\udc00\\ud800"}', "beyond Unicode": b'{"purpose": "\xf4\x90\x80\x80"}',
        "half a character": b'{"purpose": "\xe2\x82"}', "stray continuation": b'{"purpose": "\x80"}',
        "Latin-1": b'{"purpose": "caf\xe9"}', "byte order mark": b'\xef\xbb\xbf{"purpose": "a"}',
        "UTF-16": '{"purpose": "a"}'.encode("utf-16"),
        "bad escape": b'{"purpose": "\\x41"}', "half an escape": b'{"purpose": "\\u00"}', "array": b"[]", "text": b'"purpose"',
        "number": b"1", "true": b"true", "null": b"null", "empty object": b"{}",
        "deep arrays": b"[" * deep, "deep objects": b'{"a":' * deep, "deep and closed": b"[" * deep + b"]" * deep,
        "deep, in a text after": b'{"a":' + b"[" * 33 + b"]" * 33 + b"}", "a million values": b"[" + b"0," * 400_000 + b"0]",
        "100,000 names": b"{" + b",".join(b'"%d":0' % i for i in range(90_000)) + b"}",
        "unknown member": b'{"purpose": "service", "act": "read", "colour": "red"}',
        "number for a text": b'{"purpose": 1, "act": "read"}',
        "array for a text": b'{"purpose": ["service"], "act": "read"}', "null for a text": b'{"purpose": null, "act": "read"}',
        "empty text": b'{"purpose": "", "act": "read"}',
        "text of a megabyte": b'{"purpose": "' + b"a" * 1_000_000 + b'", "act": "read"}',
        "prototype": b'{"__proto__": {"admin": true}}', "constructor": b'{"constructor": {"prototype": {}}}',
        "path for a purpose": b'{"purpose": "../../etc/passwd", "act": "read"}',
        "SQL for a purpose": b'{"purpose": "\' OR 1=1 --", "act": "read"}',
        "format for a purpose": b'{"purpose": "%s%n%x", "act": "read"}',
    }.items():
        yield "json: " + name, post(b"Authorization: Bearer " + token, b"Content-Type: application/json",
            b"Content-Length: %d" % len(body), body=body)
    body = json.dumps(good).encode()
    for kind in (b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", b"application/xml",
        b"text/html", b"application/jsonx", b"json", b"", b"application/json5"):
        yield "type: " + kind.decode(), post(b"Authorization: Bearer " + token, b"Content-Type: " + kind,
            b"Content-Length: %d" % len(body), body=body)
    for name, size in {"one above the limit": (1 << 20) + 1, "16 MiB": 16 << 20, "beyond the machine": 1 << 60}.items():
        yield "size: declared, " + name, post(b"Authorization: Bearer " + token, b"Content-Type: application/json",
            b"Content-Length: %d" % size, body=b"{" * 100_000)
    yield "size: chunked, 2 MiB", post(b"Authorization: Bearer " + token, b"Transfer-Encoding: chunked",
        b"Content-Type: application/json",
        body=b"10000\r\n" + b" " * 65536 + b"\r\n" + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 31 + b"0\r\n\r\n")
    for name, values in {"none": b'{"requests": 1}', "not a list": b'{"requests": {}}',
        "too many": b'{"requests": [' + b",".join([b"{}"] * 1001) + b"]}", "with more": b'{"requests": [], "x": 1}'}.items():
        yield "batch: " + name, post(b"Authorization: Bearer " + token, b"Content-Type: application/json",
            b"Content-Length: %d" % len(values), body=values, path=b"/v1/batch")


def credentials(token):
    sound = b'{"purpose": "service", "act": "read"}'
    for name, header in {
        "none": None, "empty": b"", "no scheme": token, "scheme alone": b"Bearer", "scheme and blank": b"Bearer ",
        "Basic": b"Basic " + token, "two blanks": b"Bearer  x", "two tokens": b"Bearer " + token + b" " + token,
        "list": b"Bearer " + token + b", Bearer x", "cut": b"Bearer " + token[:-1], "longer": b"Bearer " + token + b"x",
        "other case": b"Bearer " + token.swapcase(), "of 10,000 bytes": b"Bearer " + b"x" * 10000,
        "percent": b"Bearer %00", "quoted": b'Bearer "' + token + b'"', "SQL": b"Bearer ' OR '1'='1",
        "high bytes": "Bearer é".encode(), "underscore": b"Bearer_" + token,
    }.items():
        lines = [b"Content-Type: application/json", b"Content-Length: %d" % len(sound)] + ([b"Authorization: " + header]
            if header is not None else [])
        yield "credential: " + name, post(*lines, body=sound)
    for name, header in {"empty key": b"Idempotency-Key:", "blank in the key": b"Idempotency-Key: a b",
        "long key": b"Idempotency-Key: " + b"a" * 129, "key not ASCII": "Idempotency-Key: é".encode(),
                         "weak tag": b'If-Match: W/"1"', "bare tag": b"If-Match: 1", "list of tags": b'If-Match: "1", "2"',
                         "negative tag": b'If-Match: "-1"', "tag of letters": b'If-Match: "abc"',
                         "huge tag": b'If-Match: "99999999999999999999"'}.items():
        yield "condition: " + name, post(b"Authorization: Bearer " + token, header, b"Content-Type: application/json",
            b"Content-Length: %d" % len(sound), body=sound)


def judge(name, replies):
    """What is wrong with the answer to a hostile request, or None."""
    if len(replies) != 1:
        return f"{len(replies)} answers: {replies}"
    reply = replies[0]
    if not 400 <= reply.status < 500:
        return f"status {reply.status}: {reply}"
    if not reply.headers.get("content-type", "").startswith("application/problem+json"):
        return f"no problem: {reply}"
    body = json.loads(reply.body)
    if body["status"] != reply.status or not body.get("title") or not body.get("detail"):
        return f"the problem lacks its reason: {reply}"
    for header, value in {"cache-control": "no-store", "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin"}.items():
        if reply.headers.get(header) != value:
            return f"{header} is {reply.headers.get(header)}"
    if "frame-ancestors 'none'" not in reply.headers.get("content-security-policy", "") or "set-cookie" in reply.headers:
        return f"headers: {reply.headers}"
    return None


def busy(process):
    """Seconds of CPU the process has used."""
    with open(f"/proc/{process.pid}/stat") as file:
        return sum(map(int, file.read().rpartition(")")[2].split()[11:13])) / os.sysconf("SC_CLK_TCK")


def memory(process):
    with open(f"/proc/{process.pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])


def run(server, cases):
    wrong, count = [], 0
    for name, data in cases:
        count += 1
        try:
            fault = judge(name, wire.exchange(server.port, data)[0])
        except (ValueError, KeyError, OSError) as error:
            fault = repr(error)
        if fault:
            wrong.append(f"{name}: {fault}")
        if server.process.poll() is not None:
            raise Fault(f"the server died at {name}: {server.log()[-2000:]}")
    check(not wrong, f"{len(wrong)} of {count} wrong:\n" + "\n".join(wrong))
    return count


def run_kept(server, cases):
    """The same after a sound request on the same connection, where libmicrohttpd reads first: one answer of success, never two."""
    wrong, count = [], 0
    for name, data in cases:
        count += 1
        raw = wire.exchange_raw(server.port, with_headers() + data)[0]
        if raw.count(b"HTTP/1.1 2") != 1 or not raw.startswith(b"HTTP/1.1 200"):
            wrong.append(f"{name}: {raw[:600]!r}")
        if server.process.poll() is not None:
            raise Fault(f"the server died at {name}: {server.log()[-2000:]}")
    check(not wrong, f"{len(wrong)} of {count} wrong:\n" + "\n".join(wrong))
    return count


def register(tests):
    def suite(name, make, least):
        @tests.test("hostile: " + name)
        def function():
            with Server("tests/lib/small.yaml") as server:
                token = server.token("app").encode()
                server.client("app").post("/v1/decisions", {"purpose": "service", "act": "read"}).expect(200)
                before = memory(server.process)
                count = run(server, make(token))
                check(count >= least, f"only {count} cases")
                server.anyone().get("/healthz").expect(200)
                server.client("app").post("/v1/decisions", {"purpose": "service", "act": "read"}).expect(200)
                grown = memory(server.process) - before
                sanitized = "sanit" in os.environ.get("GARANT_BUILD", "")
                check(sanitized or grown <= 16 << 10, f"memory grew by {grown} KiB")
            return f"{count} cases, memory +{grown / 1024:.1f} MiB"

    suite("request lines", lambda token: request_lines(), 45)
    suite("headers", lambda token: headers(), 55)
    suite("framing and smuggling", lambda token: framing(), 50)
    suite("chunks", lambda token: [*chunks(), *chunks(token)], 50)
    suite("targets", lambda token: targets(), 55)
    suite("bodies", bodies, 80)
    suite("credentials and conditions", credentials, 25)

    def taken(server, token, before=b""):
        """Each sound body in chunks is read whole; behind it nothing is read as a request."""
        count = 0
        for name, data in sound_chunks(token):
            for behind in (b"", SMUGGLED):
                # It ends: a silence behind the first reply is a busy machine's, however long.
                replies, ended = wire.exchange(server.port, before + data + behind, quiet=60)
                wanted = [200] * (2 if before else 1)
                check([reply.status for reply in replies if reply.status != 100] == wanted and ended, f"{name}: {replies}, ended {ended}")
                count += 1
        return count

    def lenient(server, token):
        """Behind another request the library reads chunks first, and takes a bare line feed for a line's end: whatever it takes, the connection
        ends with that answer, so that nothing behind is ever a request, however a proxy in front read the same bytes."""
        body, count = b'{"purpose": "service", "act": "read"}', 0
        size = b"%x" % len(body)
        lines = (b"Authorization: Bearer " + token, b"Transfer-Encoding: chunked", b"Content-Type: application/json")
        for end in (b"\n", b"\r\n", b" \r\n", b";a\n", b"\r", b"\n\r\n"):
            for data_end in (b"\n", b"\r\n"):
                for last in (b"0\n\n", b"0\r\n\r\n", b"0\r\nA: b\n\r\n", b"0\r\nFoo\r\n\r\n"):
                    sent = with_headers() + post(*lines, body=size + end + body + data_end + last) + SMUGGLED
                    raw, ended = wire.exchange_raw(server.port, sent, quiet=60)
                    answers = re.findall(rb"HTTP/1\.1 (\d+)", raw)
                    check(len(answers) == 2 and answers[0] == b"200" and answers[1] in (b"200", b"400") and ended, f"{end}, {data_end}, {last}: {raw!r}")
                    check(b"Connection: close" in raw or answers[1] == b"400", f"{end}, {data_end}, {last}: not the last answer: {raw!r}")
                    count += 1
        return count

    def too_much(server, token):
        """Beyond the route's limit, told while it is sent; a route without a body takes none."""
        lines = (b"Authorization: Bearer " + token, b"Transfer-Encoding: chunked", b"Content-Type: application/json")
        for before in (b"", with_headers()):
            for body in (chunked(b" " * ((1 << 20) + 1), 65536), b"10000\r\n" + (b" " * 65536 + b"\r\n10000\r\n") * 400):
                replies, _ = wire.exchange(server.port, before + post(*lines, body=body))
                check([reply.status for reply in replies] == ([200] if before else []) + [413], f"{replies}")
            replies, _ = wire.exchange(server.port, before + with_headers(*lines, line=b"GET /v1/policy HTTP/1.1", body=chunked(b"hello", 2)))
            check(replies[-1].status == 400 and len(replies) == 1 + bool(before), f"{replies}")

    @tests.test("hostile: bodies in chunks")
    def in_chunks():
        """Plain and over TLS, as the first request of a connection and as a later one."""
        with tempfile.TemporaryDirectory() as folder, Server("tests/lib/small.yaml") as plain, \
                Server("tests/lib/small.yaml", tls=Certificates(folder)) as encrypted:
            wire.ENCRYPTED[encrypted.port] = encrypted.context
            count = 0
            for server in (plain, encrypted):
                token = server.token("app").encode()
                count += taken(server, token) + taken(server, token, with_headers())
                count += lenient(server, token)
                too_much(server, token)
                server.client("app").post("/v1/decisions", {"purpose": "service", "act": "read"}).expect(200)
        return f"{count} taken"

    @tests.test("hostile: the same over TLS")
    def over_tls():
        with tempfile.TemporaryDirectory() as folder, Server("tests/lib/small.yaml", tls=Certificates(folder)) as server:
            wire.ENCRYPTED[server.port] = server.context
            token = server.token("app").encode()
            count = sum(run(server, make) for make in (request_lines(), headers(), framing(), chunks(), targets(), bodies(token),
                                                       credentials(token)))
            count += sum(run_kept(server, make()) for make in (request_lines, headers, framing, chunks, targets))
            before = busy(server.process)
            time.sleep(1)
            spent = busy(server.process) - before
            check(spent < 0.2, f"the idle server spends {spent:.2f} s of a second")
            server.anyone().get("/healthz").expect(200)
        return f"{count} cases"

    @tests.test("hostile: what is no TLS")
    def no_tls():
        """Bytes in place of a handshake, cut and altered handshakes: the server ends the connection and goes on."""
        with tempfile.TemporaryDirectory() as folder, Server("tests/lib/small.yaml", tls=Certificates(folder)) as server:
            hello = ssl.MemoryBIO()
            with contextlib.suppress(ssl.SSLWantReadError):
                server.context.wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost").do_handshake()
            hello, chance = hello.read(), random.Random(4)
            tries = [b"", b"\0", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"SSH-2.0-x\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x80\x2e\x01\0\x02",
                     b"\x16\x03\x01\xff\xff" + b"\0" * 70_000, b"\x15\x03\x01\0\x02\x02\x28", b"\x17\x03\x03\0\x10" + b"a" * 16, hello + hello,
                     hello + b"\x17\x03\x03\0\x05hello", hello + b"\x14\x03\x03\0\x01\x01" * 50, chance.randbytes(100_000)]
            tries += [hello[:n] for n in range(1, len(hello), 40)]
            for _ in range(300):
                altered = bytearray(hello)
                for _ in range(chance.randint(1, 8)):
                    altered[chance.randrange(len(altered))] = chance.randrange(256)
                tries.append(bytes(altered))
            before = memory(server.process)
            for data in tries:
                with socket.create_connection(("127.0.0.1", server.port), 5) as raw, contextlib.suppress(OSError):
                    raw.sendall(data)
                    raw.shutdown(socket.SHUT_WR)
                    while raw.recv(65536):
                        pass
                check(server.process.poll() is None, f"the server died at {data[:80]!r}: {server.log()[-2000:]}")
            server.anyone().get("/healthz").expect(200)
            grown = memory(server.process) - before
            check("sanit" in os.environ.get("GARANT_BUILD", "") or grown <= 16 << 10, f"memory grew by {grown} KiB")
        return f"{len(tries)} tries"

    @tests.test("hostile: the same on a kept connection")
    def kept():
        with Server("tests/lib/small.yaml") as server:
            before = busy(server.process)
            count = sum(run_kept(server, make()) for make in (request_lines, headers, framing, chunks, targets))
            began = busy(server.process)
            time.sleep(1)
            spent = busy(server.process) - began
            check(spent < 0.2, f"the idle server spends {spent:.2f} s of a second")
            server.anyone().get("/healthz").expect(200)
        return f"{count} cases, {began - before:.1f} s of CPU"

    @tests.test("hostile: what is sound is answered")
    def sound():
        """The same shapes without the fault, so that the refusals above mean something."""
        with Server("tests/lib/small.yaml") as server:
            token = server.token("app").encode()
            body = b'{"purpose": "service", "act": "read"}'
            lines = [b"Authorization: Bearer " + token, b"Content-Type: application/json"]
            good = {
                "GET": with_headers(), "GET 1.0": with_headers(line=b"GET /healthz HTTP/1.0", host=b""),
                "empty query": with_headers(line=b"GET /healthz? HTTP/1.1"),
                "escaped letter": with_headers(line=b"GET /%68ealthz HTTP/1.1"), "UTF-8 value": with_headers("Foo: é".encode()),
                "tab in a value": with_headers(b"Foo: a\tb"), "Latin-1 value": with_headers(b"Foo: caf\xe9", b"User-Agent: \xe9\xc0\xaf"),
                "absolute form": with_headers(line=b"GET http://x/healthz HTTP/1.1"),
                "absolute form, other host": with_headers(line=b"GET HTTPS://other.example:443/healthz HTTP/1.1"),
                "tracked link": with_headers(line=b"GET /privacy?utm_source=a|b&fbclid=%zz&lang=de HTTP/1.1"), "empty value": with_headers(b"Foo:"),
                "no blank behind the colon": with_headers(b"Foo:bar"), "98 headers": with_headers(*[b"X-%d: y" % i
                for i in range(98)]), "length 0": with_headers(b"Content-Length: 0"),
                "POST": post(*lines, b"Content-Length: %d" % len(body), body=body), "empty line first": b"\r\n" + with_headers(),
                "Expect": post(*lines, b"Expect: 100-continue", b"Content-Length: %d" % len(body), body=body),
                "IPv6 host": with_headers(host=b"Host: [::1]:80\r\n"),
            }
            for name, data in good.items():
                replies, _ = wire.exchange(server.port, data)
                check(len(replies) == 1 and replies[0].status == 200, f"{name}: {replies}")
            two = with_headers() + post(*lines, b"Content-Length: %d" % len(body), body=body) + with_headers(b"Connection: close")
            replies, ended = wire.exchange(server.port, two)
            check([r.status for r in replies] == [200, 200, 200] and ended, f"pipelined: {replies}")
            slow = [bytes([b]) for b in with_headers(b"Connection: close")]
            replies, _ = wire.exchange(server.port, slow, pause=lambda: time.sleep(0.001))
            check([r.status for r in replies] == [200], f"byte by byte: {replies}")
            replies = wire.split(head_only(server.port), head=True)
            check(replies[0].status == 200 and int(replies[0].headers["content-length"]) > 0, f"HEAD: {replies}")


def head_only(port):
    with wire.connect(port) as connection:
        connection.sendall(with_headers(b"Connection: close", line=b"HEAD /healthz HTTP/1.1"))
        return wire.read_all(connection)[0]
