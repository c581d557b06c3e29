"""Slow clients: headers, bodies and reads in drops, on many connections, while an honest client is served as before."""
import contextlib, os, resource, select, socket, ssl, statistics, tempfile, threading, time
import wire
from certificates import Certificates
from garant import Server, check

RELEASE = os.environ.get("GARANT_TIER") == "release"
SOCKETS = 1000
SECONDS = 600 if RELEASE else 14


def over(connection):
    """Whether the server has closed."""
    if not select.select([connection], [], [], 0)[0]:
        return False
    if isinstance(connection, ssl.SSLSocket):
        return connection.recv(4096) == b""
    return connection.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK) == b""


GUARD = 300                                                     # seconds after which a test hangs


def drip(port, first, drop, count, until, context=None):
    """Opens connections that send `first` and then a `drop` each second, until that time and until nine of ten are closed; how many the
    server has closed."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    open_ones, closed = [], 0
    for _ in range(count):
        with contextlib.suppress(OSError):
            connection = wire.connect(port)
            connection = context.wrap_socket(connection, server_hostname="localhost") if context else connection
            connection.sendall(first)
            open_ones.append(connection)
    while time.monotonic() < until or (closed < count * 0.9 and time.monotonic() < until + GUARD):
        for connection in list(open_ones):
            try:
                connection.sendall(drop)
                ended = over(connection)
            except OSError:
                ended = True
            if ended:
                open_ones.remove(connection)
                connection.close()
                closed += 1
        time.sleep(1)
    for connection in open_ones:
        connection.close()
    return closed


def waits(server, control, going_on, actor="app"):
    """What an honest client waits, on new and on kept connections, in milliseconds: with the server, and with another beside it that is
    left alone, in turn. The machine may be busy with other things: both then wait alike."""
    clients = [(server, server.client(actor), []), (control, control.client(actor), [])]
    while going_on() or len(clients[0][2]) < 100:
        for one, client, times in clients:
            began = time.monotonic()
            client.post("/v1/decisions", {"purpose": "service", "act": "read"}).expect(200)
            times.append((time.monotonic() - began) * 1000)
            began = time.monotonic()
            one.anyone().get("/healthz").expect(200)
            times.append((time.monotonic() - began) * 1000)
        time.sleep(0.005)
    return [times for _, _, times in clients]


def p99(times):
    return statistics.quantiles(times, n=100)[98]


def honest(server, control, seconds):
    """The p99 of both."""
    end = time.monotonic() + seconds
    return [p99(times) for times in waits(server, control, lambda: time.monotonic() < end)]


def undisturbed(server, control, seconds, least=20):
    """The best of four looks, in so many seconds: what an honest client waits here is about what it waits with the control."""
    looks = []
    for _ in range(4):
        looks.append(honest(server, control, seconds / 4))
    under, alone = min(looks, key=lambda look: look[0] / look[1])
    check(under <= max(2 * alone, alone + least), f"an honest client's p99: {looks} ms here and with a server left alone")
    return f"an honest client's p99 {under:.1f} ms, {alone:.1f} ms with a server left alone"


def register(tests):
    def slowly(name, first, drop):
        @tests.test("slow: " + name)
        def function():
            with Server("tests/lib/small.yaml") as server, Server("tests/lib/small.yaml") as control:
                until, result = time.monotonic() + SECONDS, {}
                thread = threading.Thread(target=lambda: result.update(closed=drip(server.port, first, drop, SOCKETS, until)))
                thread.start()
                time.sleep(1)
                said = undisturbed(server, control, SECONDS - 2)
                thread.join()
                check(result["closed"] >= SOCKETS * 0.9, f"only {result['closed']} of {SOCKETS} slow connections were closed")
                server.anyone().get("/healthz").expect(200)
            return f"{result['closed']} of {SOCKETS} closed; {said}"

    slowly("headers in drops", b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"X: y\r\n")
    slowly("request line in drops", b"GET /", b"a")
    slowly("nothing sent", b"", b"")

    @tests.test("slow: handshakes that stop, and heads in drops over TLS")
    def handshakes():
        kinds = [(b"", b"", 350), (b"\x16\x03\x01\x02\0\x01", b"\0", 350),                  # nothing; a hello byte by byte
                 (b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"X: y\r\n", 300)]             # a handshake, then a head in drops
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            tls = Certificates(folder)
            server, control = (stack.enter_context(Server("tests/lib/small.yaml", tls=tls)) for _ in range(2))
            until, closed = time.monotonic() + SECONDS, []
            threads = [threading.Thread(target=lambda k=k, c=c: closed.append(drip(server.port, *k, until, c)))
                       for k, c in zip(kinds, (None, None, server.context))]
            for thread in threads:
                thread.start()
            time.sleep(1)
            said = undisturbed(server, control, SECONDS - 2)
            for thread in threads:
                thread.join()
            check(sum(closed) >= SOCKETS * 0.9, f"only {sum(closed)} of {SOCKETS} slow connections were closed")
            server.anyone().get("/healthz").expect(200)
        return f"{sum(closed)} of {SOCKETS} closed; {said}"

    @tests.test("slow: bodies in drops")
    def bodies():
        head = b"POST /v1/decisions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
        with Server("tests/lib/small.yaml") as server:
            until = time.monotonic() + 20
            closed = drip(server.port, head, b" ", 200, until)
            check(closed >= 180, f"only {closed} of 200 slow bodies were given up")
            server.anyone().get("/healthz").expect(200)
        return f"{closed} of 200 given up"

    @tests.test("slow: answers that nobody reads")
    def reads():
        with Server("tests/lib/small.yaml") as server, Server("tests/lib/small.yaml") as control:
            stuck = []
            for _ in range(200):
                connection = socket.socket()
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                connection.connect(("127.0.0.1", server.port))
                connection.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    for _ in range(200):
                        connection.send(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
                stuck.append(connection)
            said = undisturbed(server, control, 4, 100)
            held = given_up(lambda: open_connections(server), 20)
            check(held <= 20, f"{held} connections are still held")
            for connection in stuck:
                connection.close()
        return f"{held} of 200 still held at the end; {said}"

    @tests.test("slow: answers that nobody reads, over TLS")
    def encrypted_reads():
        """What the server has given away still waits between it and the client: that is given up too, and its memory is bounded."""
        with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
            tls = Certificates(folder)
            server, control = (stack.enter_context(Server("tests/lib/small.yaml", tls=tls)) for _ in range(2))
            before, stuck = descriptors(server), []
            for _ in range(150):
                raw = socket.socket()
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                raw.connect(("127.0.0.1", server.port))
                connection = server.context.wrap_socket(raw, server_hostname="localhost")
                connection.setblocking(False)
                with contextlib.suppress(OSError):
                    for _ in range(200):
                        connection.send(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
                stuck.append(connection)
            said = undisturbed(server, control, 4, 100)
            held = given_up(lambda: open_connections(server), 20)
            open_ones = given_up(lambda: descriptors(server) - before, 60)
            check(held <= 20 and open_ones <= 60, f"{held} connections and {open_ones} descriptors are still held")
            for connection in stuck:
                connection.close()
        return f"{held} of 150 still held at the end, {open_ones} descriptors; {said}"

    @tests.test("slow: more connections than there may be")
    def many():
        with Server("tests/lib/small.yaml", arguments=["--connections", "100"]) as server:
            idle = [wire.connect(server.port) for _ in range(300)]
            for _ in range(20):
                server.anyone().get("/healthz").expect(200)
            check(open_connections(server) <= 140, f"{open_connections(server)} connections are held")
            for connection in idle:
                connection.close()


def given_up(count, enough):
    """How many are left, once few enough are, by the server's own limits on an answer that nobody reads."""
    end = time.monotonic() + GUARD
    while (left := count()) > enough and time.monotonic() < end:
        time.sleep(0.2)
    return left


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def open_connections(server):
    body = server.operator().get("/metrics").expect(200).body.decode()
    return int(next(line.split()[1] for line in body.splitlines() if line.startswith("garant_connections ")))
