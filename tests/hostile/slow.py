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


def drip(port, first, drop, count, until, context=None):
    """Opens connections that send `first` and then a `drop` each second; gives how many the server has closed by the end."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    open_ones, closed = [], 0
    for _ in range(count):
        with contextlib.suppress(OSError):
            connection = wire.connect(port)
            connection = context.wrap_socket(connection, server_hostname="localhost") if context else connection
            connection.sendall(first)
            open_ones.append(connection)
    while time.monotonic() < until:
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


def honest(server, seconds):
    """Latencies of an honest client, in milliseconds, on new and on kept connections."""
    times, end = [], time.monotonic() + seconds
    client = server.client("app")
    while time.monotonic() < end:
        began = time.monotonic()
        client.post("/v1/decisions", {"purpose": "service", "act": "read"}).expect(200)
        times.append((time.monotonic() - began) * 1000)
        began = time.monotonic()
        server.anyone().get("/healthz").expect(200)
        times.append((time.monotonic() - began) * 1000)
        time.sleep(0.005)
    return times


def p99(times):
    return statistics.quantiles(times, n=100)[98]


def register(tests):
    def slowly(name, first, drop):
        @tests.test("slow: " + name)
        def function():
            with Server("tests/lib/small.yaml") as server:
                baseline = p99(honest(server, 2))
                until, result = time.monotonic() + SECONDS, {}
                thread = threading.Thread(target=lambda: result.update(closed=drip(server.port, first, drop, SOCKETS, until)))
                thread.start()
                time.sleep(1)
                under = p99(honest(server, SECONDS - 2))
                thread.join()
                limit = max(2 * baseline, baseline + 20)
                check(under <= limit, f"an honest client's p99 went from {baseline:.1f} to {under:.1f} ms")
                check(result["closed"] >= SOCKETS * 0.9, f"only {result['closed']} of {SOCKETS} slow connections were closed")
                server.anyone().get("/healthz").expect(200)
            return f"{result['closed']} of {SOCKETS} closed; an honest client's p99 {baseline:.1f} ms before, {under:.1f} ms meanwhile"

    slowly("headers in drops", b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"X: y\r\n")
    slowly("request line in drops", b"GET /", b"a")
    slowly("nothing sent", b"", b"")

    @tests.test("slow: handshakes that stop, and heads in drops over TLS")
    def handshakes():
        kinds = [(b"", b"", 350), (b"\x16\x03\x01\x02\0\x01", b"\0", 350),                  # nothing; a hello byte by byte
                 (b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"X: y\r\n", 300)]             # a handshake, then a head in drops
        with tempfile.TemporaryDirectory() as folder, Server("tests/lib/small.yaml", tls=Certificates(folder)) as server:
            baseline = p99(honest(server, 2))
            until, closed = time.monotonic() + SECONDS, []
            threads = [threading.Thread(target=lambda k=k, c=c: closed.append(drip(server.port, *k, until, c)))
                       for k, c in zip(kinds, (None, None, server.context))]
            for thread in threads:
                thread.start()
            time.sleep(1)
            under = p99(honest(server, SECONDS - 2))
            for thread in threads:
                thread.join()
            limit = max(2 * baseline, baseline + 20)
            check(under <= limit, f"an honest client's p99 went from {baseline:.1f} to {under:.1f} ms")
            check(sum(closed) >= SOCKETS * 0.9, f"only {sum(closed)} of {SOCKETS} slow connections were closed")
            server.anyone().get("/healthz").expect(200)
        return f"{sum(closed)} of {SOCKETS} closed; an honest client's p99 {baseline:.1f} ms before, {under:.1f} ms meanwhile"

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
        with Server("tests/lib/small.yaml") as server:
            limit = max(2 * p99(honest(server, 2)), 100)
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
            waits = p99(honest(server, 3))
            check(waits <= limit, f"an honest client waits {waits:.0f} ms")
            time.sleep(patience(server))
            held = open_connections(server)
            check(held <= 20, f"{held} connections are still held")
            for connection in stuck:
                connection.close()
        return f"{held} of 200 still held at the end"

    @tests.test("slow: answers that nobody reads, over TLS")
    def encrypted_reads():
        """What the server has given away still waits between it and the client: that is given up too, and its memory is bounded."""
        with tempfile.TemporaryDirectory() as folder, Server("tests/lib/small.yaml", tls=Certificates(folder)) as server:
            limit = max(2 * p99(honest(server, 2)), 100)
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
            waits = p99(honest(server, 3))
            check(waits <= limit, f"an honest client waits {waits:.0f} ms")
            time.sleep(patience(server))
            held, open_ones = open_connections(server), descriptors(server) - before
            check(held <= 20 and open_ones <= 60, f"{held} connections and {open_ones} descriptors are still held")
            for connection in stuck:
                connection.close()
        return f"{held} of 150 still held at the end, {open_ones} descriptors"

    @tests.test("slow: more connections than there may be")
    def many():
        with Server("tests/lib/small.yaml", arguments=["--connections", "100"]) as server:
            idle = [wire.connect(server.port) for _ in range(300)]
            for _ in range(20):
                server.anyone().get("/healthz").expect(200)
            check(open_connections(server) <= 140, f"{open_connections(server)} connections are held")
            for connection in idle:
                connection.close()


def patience(server):
    """Seconds after which an answer that nobody reads is given up: 20, and one for each 16 KiB of it."""
    return 22 + len(server.anyone().get("/openapi.json").expect(200).body) // (16 << 10)


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def open_connections(server):
    body = server.operator().get("/metrics").expect(200).body.decode()
    return int(next(line.split()[1] for line in body.splitlines() if line.startswith("garant_connections ")))
