"""Raw HTTP: what is sent and what comes back, byte for byte."""
import contextlib, re, socket, ssl


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self):
        return f"{self.status} {self.headers.get('content-type', '')} {self.body[:160]!r}"


ENCRYPTED = {}                                                  # port: the ssl.SSLContext of a server that ends TLS itself


def connect(port, timeout=60):
    raw = socket.create_connection(("127.0.0.1", port), timeout)
    return ENCRYPTED[port].wrap_socket(raw, server_hostname="localhost") if port in ENCRYPTED else raw


def whole(raw):
    """Whether the bytes are one or more whole replies."""
    try:
        replies = split(raw)
    except ValueError:
        return False
    return bool(replies) and all(len(r.body) == int(r.headers.get("content-length", 0)) for r in replies)


def read_all(connection, timeout=60, quiet=0.3):
    """All that comes until the end, and whether the end came; after whole replies, silence is an end too."""
    got = b""
    while True:
        connection.settimeout(quiet if whole(got) else timeout)
        try:
            some = connection.recv(65536)
        except (TimeoutError, socket.timeout):
            return got, False
        except (ConnectionError, ssl.SSLError):
            return got, True
        if not some:
            return got, True
        got += some


def split(raw, head=False):
    """The replies in raw bytes; what is no reply raises ValueError."""
    replies = []
    while raw:
        top, found, rest = raw.partition(b"\r\n\r\n")
        lines = top.split(b"\r\n")
        first = re.fullmatch(rb"HTTP/1\.1 (\d{3}) [ -~]+", lines[0])
        if not first or not found:
            raise ValueError(f"no HTTP reply: {raw[:120]!r}")
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            if not colon:
                raise ValueError(f"no header: {line!r}")
            headers[name.decode().lower()] = value.strip().decode()
        status = int(first[1])
        length = 0 if head or status == 204 or status < 200 else int(headers.get("content-length", 0))
        if status >= 200:
            replies.append(Reply(status, headers, rest[:length]))
        raw = rest[length:]
    return replies


def exchange_raw(port, data, timeout=60, pause=None, quiet=0.3):
    """Sends and reads to the end: (bytes, ended). Sending may break off when the server has already refused. `quiet`: see read_all()."""
    with connect(port, timeout) as connection:
        with contextlib.suppress(OSError):
            for part in data if pause else [data]:
                connection.sendall(part)
                if pause:
                    pause()
        return read_all(connection, timeout, quiet)


def exchange(port, data, timeout=60, pause=None, quiet=0.3):
    raw, ended = exchange_raw(port, data, timeout, pause, quiet)
    return split(raw), ended
