"""Transport: TLS inside, its certificate and renewal, what a proxy says, and the headers that every answer has."""
import contextlib, os, re, resource, shutil, signal, socket, ssl, subprocess, tempfile, threading, time
from certificates import Certificates
from garant import TOP, Client, Fault, Server, check, free_port
from nginx import Nginx
from serving import Elsewhere

POLICY = "tests/front/actors.yaml"
PERSON = {"identity": {"first_name": "Zoé", "last_name": "Martin"}, "contact": {"email": "zoe.martin@example.org"}}
VERSION = ssl.TLSVersion
HSTS = "strict-transport-security"
# All that is taken of TLS 1.2; whatever else this machine's library can ask for must be refused.
GOOD = {"ec": ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"],
        "2048": ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305"]}


@contextlib.contextmanager
def encrypted(kind="ec", policy=POLICY, **options):
    """A server that ends TLS itself."""
    folder = tempfile.mkdtemp(prefix="garant-tls-")
    try:
        with Server(policy, tls=Certificates(os.path.join(folder, "tls"), kind), **options) as server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def behind_proxy():
    with Elsewhere("127.0.0.1:0", arguments=["--proxy"]) as server:
        yield server


@contextlib.contextmanager
def policy_with(old, new):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        with open(os.path.join(TOP, POLICY), encoding="utf-8") as source:
            text = source.read()
        check(old in text, f"{old} is not in the policy")
        file.write(text.replace(old, new))
        file.flush()
        yield file.name


def dial(server, context, timeout=60):
    raw = socket.create_connection(("127.0.0.1", server.port), timeout)
    try:
        return context.wrap_socket(raw, server_hostname="localhost")
    except Exception:
        raw.close()
        raise


def agreed(server, context):
    """(version, cipher) that were agreed on, or the name of the refusal."""
    try:
        with dial(server, context) as connection:
            return connection.version(), connection.cipher()[0]
    except ssl.SSLError as error:
        return error.reason
    except ConnectionError as error:
        return type(error).__name__


def serial(server):
    """The serial number of the certificate that a new connection gets."""
    with dial(server, server.tls.context()) as connection:
        return int(connection.getpeercert()["serialNumber"], 16)


def client_talk(server, *arguments, said=b""):
    """What openssl s_client says, and its status."""
    run = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-CAfile", server.tls.authority, *arguments],
                         input=said, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
    return run.returncode, run.stdout.decode(errors="replace")


def curl(server, *arguments):
    """The status of curl, and what it printed."""
    run = subprocess.run(["curl", "-sS", "--cacert", server.tls.authority, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         timeout=60)
    return run.returncode, run.stdout


def wait_until(true, otherwise, seconds=60):
    end = time.monotonic() + seconds
    while not true():
        check(time.monotonic() < end, otherwise)
        time.sleep(0.05)


def figure(server, name):
    body = server.operator().get("/metrics").expect(200).body.decode()
    return float(next(line.split()[1] for line in body.splitlines() if line.startswith(name + " ")))


def versions_and_ciphers(tests):
    @tests.test("tls: 1.2 and above, nothing weak")
    def strength():
        count = 0
        for kind, ciphers in GOOD.items():
            with encrypted(kind) as server:
                make = server.tls.context
                for old in (VERSION.TLSv1, VERSION.TLSv1_1):
                    said = agreed(server, make(old, old))
                    check("PROTOCOL_VERSION" in str(said), f"{old.name} with {kind}: {said}")
                check(agreed(server, make(VERSION.TLSv1_2, VERSION.TLSv1_2))[0] == "TLSv1.2", "1.2 is not spoken")
                check(agreed(server, make(VERSION.TLSv1_3))[0] == "TLSv1.3" and agreed(server, make())[0] == "TLSv1.3", "1.3 is not spoken")
                for cipher in ciphers:
                    said = agreed(server, make(VERSION.TLSv1_2, VERSION.TLSv1_2, cipher))
                    check(said == ("TLSv1.2", cipher), f"{cipher}: {said}")
                every = make(VERSION.TLSv1_2, VERSION.TLSv1_2, "ALL:COMPLEMENTOFALL").get_ciphers()
                for cipher in {one["name"] for one in every if one["protocol"] != "TLSv1.3"} - {name for names in GOOD.values() for name in names}:
                    said = str(agreed(server, make(VERSION.TLSv1_2, VERSION.TLSv1_2, cipher)))
                    if "NO_CIPHERS_AVAILABLE" in said:             # needs what this client lacks: a shared key, for example
                        continue
                    check("HANDSHAKE_FAILURE" in said, f"{cipher} with {kind}: {said}")
                    count += 1
                server.anyone().get("/healthz").expect(200)
        check(count >= 80, f"only {count} other ciphers could be asked for")
        return f"{count} others refused"

    @tests.test("tls: the policy's floor")
    def floor():
        with policy_with("security:\n", 'security:\n  transport: {tls: "1.3"}\n') as policy, encrypted(policy=policy) as server:
            said = agreed(server, server.tls.context(VERSION.TLSv1_2, VERSION.TLSv1_2))
            check("PROTOCOL_VERSION" in str(said), f"1.2 under a floor of 1.3: {said}")
            check(agreed(server, server.tls.context())[0] == "TLSv1.3", "1.3")
            with open(policy, encoding="utf-8") as file:
                text = file.read()
            with open(policy, "w", encoding="utf-8") as file:
                file.write(text.replace('tls: "1.3"', 'tls: "1.2"').replace('version: "1.0"', 'version: "1.1"'))
            server.operator().post("/v1/policy/reload").expect(200)
            wait_until(lambda: agreed(server, server.tls.context(VERSION.TLSv1_2, VERSION.TLSv1_2))[0] == "TLSv1.2",
                       "a new policy's floor is not taken up")

    @tests.test("tls: as openssl and curl see it")
    def others():
        with encrypted() as server:
            status, said = client_talk(server, "-verify_return_error", "-verify_hostname", "localhost", "-alpn", "h2,http/1.1")
            check(status == 0 and "Verification: OK" in said and "ALPN protocol: http/1.1" in said, said)
            check("Compression: NONE" in said and "X25519" in said and "TLSv1.3" in said, said)
            status, said = client_talk(server, "-tls1_2")
            check(status == 0 and "Secure Renegotiation IS supported" in said, said)
            check("New Session Ticket" not in client_talk(server, "-tls1_3")[1] and "TLS session ticket:" not in said, "tickets are given")
            check("Reused" not in client_talk(server, "-tls1_2", "-reconnect")[1], "a session is resumed")
            status, said = client_talk(server, "-alpn", "h2")
            check(status != 0 and "no application protocol" in said, f"another protocol: {said}")
            status, said = client_talk(server, "-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0")
            check(status != 0 and "protocol version" in said, f"1.1: {said}")
            status, said = client_talk(server, "-tls1_2", "-legacy_renegotiation", said=b"R\n")
            check("no renegotiation" in said or status != 0, f"renegotiated: {said}")
            url = f"https://localhost:{server.port}"
            status, said = curl(server, "-w", "%{http_version} %{http_code} %{ssl_verify_result}", "-o", "/dev/null", "--http2", f"{url}/healthz")
            check(status == 0 and said == b"1.1 200 0", f"curl: {said}")
            check(curl(server, "--tls-max", "1.1", "--tlsv1.0", f"{url}/healthz")[0] == 35, "curl speaks 1.1")
            check(curl(server, f"http://localhost:{server.port}/healthz")[1] == b"Only encrypted connections are taken here\n",
                  "plain HTTP is not told what this is")
            run = subprocess.run(["curl", "-sS", f"{url}/healthz"], capture_output=True)
            check(run.returncode == 60, "an unknown authority is trusted")

    @tests.test("tls: an address beyond loopback")
    def beyond():
        with encrypted(start=False) as server:
            line = server.command()
            line[line.index("--listen") + 1] = "0.0.0.0:0"
            at = line.index("--clock-file")
            server.command = lambda: line[:at] + line[at + 2:]
            server.start()
            check(f"https://0.0.0.0:{server.port}" in server.log(), "the address is not told")


def files(tests):
    @tests.test("tls: files it does not start with")
    def refused():
        folder = tempfile.mkdtemp(prefix="garant-tls-")
        good = Certificates(os.path.join(folder, "good"))
        other = Certificates(os.path.join(folder, "other"))

        def path(name, data):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)
            return os.path.join(folder, name)
        from certificates import make_key, pem
        expired, expired_key = good.make(begins=-20, ends=-1)
        early, early_key = good.make(begins=1, ends=9)
        short, short_key = good.make(kind="1024")
        with open(good.certificate, "rb") as file:
            sound = file.read()
        cases = [("cannot be read: No such file", os.path.join(folder, "none.pem"), good.key),
                 ("cannot be read: No such file", good.certificate, os.path.join(folder, "none.key")),
                 ("cannot be read: Is a directory", folder, good.key), ("cannot be read: Is a directory", good.certificate, folder),
                 ("holds no certificate", path("empty.pem", b""), good.key), ("holds no certificate", good.key, good.key),
                 ("holds no private key", good.certificate, path("empty.key", b"")), ("holds no private key", good.certificate, good.certificate),
                 ("holds no certificate", path("cut.pem", sound[:-60]), good.key),
                 ("larger than", path("large.pem", sound + b"#" * 300_000), good.key),
                 ("has a pass phrase", good.certificate, path("sealed.key", pem(make_key("ec"), b"secret"))),
                 ("is not that of the certificate", good.certificate, other.key),
                 ("has expired: it was valid until 20", path("expired.pem", expired), path("expired.key", expired_key)),
                 ("is not valid yet: it is from 20", path("early.pem", early), path("early.key", early_key)),
                 ("key too small", path("short.pem", short), path("short.key", short_key))]
        try:
            for word, certificate, key in cases:
                server = Server(POLICY, start=False, arguments=["--tls-certificate", certificate, "--tls-key", key])
                status, said = server.refuses_to_start()
                check(status == 78 and word in said, f"{word}: status {status}, said {said}")
                shutil.rmtree(server.folder, ignore_errors=True)
            for half in (["--tls-certificate", good.certificate], ["--tls-key", good.key]):
                server = Server(POLICY, start=False, arguments=half)
                status, said = server.refuses_to_start()
                check(status == 78 and "go together" in said, f"{half}: {status} {said}")
                shutil.rmtree(server.folder, ignore_errors=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return f"{len(cases) + 2} cases"

    @tests.test("tls: a key that anyone can read is warned of")
    def open_key():
        with encrypted() as server:
            check("can read" not in server.log(), "a warning without a reason")
            os.chmod(server.tls.key, 0o644)
            server.restart()
            check("can read the certificate's key" in server.log(), "no warning")

    @tests.test("tls: renewal drops no connection")
    def renewal():
        with encrypted() as server:
            kept = server.client("app")
            kept.get("/v1/policy").expect(200)
            connection = kept.local.connection[0]
            first = serial(server)
            check(first == server.tls.serial, "the first certificate")
            second = server.tls.renew()
            wait_until(lambda: serial(server) == second, "a changed file is not noticed")
            kept.get("/v1/policy").expect(200)
            check(kept.local.connection[0] is connection, "the connection was dropped")
            # A bad file changes nothing; the pair of it, when it comes, does.
            certificate, key = server.tls.make()
            server.tls.write(server.tls.certificate, certificate)
            wait_until(lambda: "not that of the certificate" in server.log(), "a certificate without its key is not told of")
            check(serial(server) == second, "half a pair is used")
            server.tls.write(server.tls.key, key)
            wait_until(lambda: serial(server) == server.tls.serial, "the whole pair is not taken up")
            third = server.tls.serial
            server.tls.renew(begins=-9, ends=-1)
            wait_until(lambda: "has expired" in server.log(), "an expired certificate is not told of")
            check(serial(server) == third, "an expired certificate is used")
            count = server.log().count("certificate not read")
            time.sleep(2.5)
            check(server.log().count("certificate not read") == count, "the same fault is told of again and again")
            os.unlink(server.tls.certificate)
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: "No such file" in server.log(), "a missing file is not told of")
            check(serial(server) == third, "the former certificate is gone")
            last = server.tls.renew()
            server.process.send_signal(signal.SIGHUP)
            wait_until(lambda: serial(server) == last, "SIGHUP reads nothing")
            kept.get("/v1/policy").expect(200)
            check(kept.local.connection[0] is connection, "the connection was dropped")

    @tests.test("tls: renewal under load")
    def renewal_under_load():
        with encrypted() as server:
            stop, failed, counts = threading.Event(), [], [0] * 4

            def work(n):
                client = server.client("app") if n % 2 else None
                while not stop.is_set():
                    try:
                        (client or server.anyone()).get("/healthz").expect(200)
                        counts[n] += 1
                    except Exception as error:                  # whatever it is, it is the answer of this test
                        failed.append(repr(error))
                        return
            threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
            for thread in threads:
                thread.start()
            for _ in range(10):
                last = server.tls.renew()
                server.process.send_signal(signal.SIGHUP)
                time.sleep(0.2)
            stop.set()
            for thread in threads:
                thread.join()
            check(not failed and serial(server) == last, f"{failed[:3]}")
            return f"{sum(counts)} requests over 10 renewals, none failed"


def passing(tests):
    @tests.test("tls: 1,000 handshakes")
    def handshakes():
        with encrypted() as server:
            context = server.tls.context()
            server.anyone().get("/healthz").expect(200)
            time.sleep(0.5)
            before = figure(server, "process_open_fds"), figure(server, "process_resident_memory_bytes")
            began = time.monotonic()

            def some():
                for _ in range(250):
                    with dial(server, context) as connection:
                        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                        check(connection.recv(4096).startswith(b"HTTP/1.1 200"), "no answer")
                done.append(True)
            done = []
            threads = [threading.Thread(target=some) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            took = time.monotonic() - began
            check(len(done) == 4, "a handshake failed")
            check(figure(server, "garant_tls_handshakes_total") >= 1000, "they are not counted")
            wait_until(lambda: figure(server, "process_open_fds") <= before[0] + 3, "descriptors are left open")
            grown = (figure(server, "process_resident_memory_bytes") - before[1]) / (1 << 20)
            check("sanit" in os.environ.get("GARANT_BUILD", "") or grown < 16, f"memory grew by {grown:.1f} MiB")
            return f"{1000 / took:.0f} a second, client and server on one machine; memory +{grown:.1f} MiB"

    @tests.test("tls: half-closed connections")
    def half_closed():
        with encrypted() as server:
            context = server.tls.context()
            request = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            for end in ("alert", "fin"):
                with socket.create_connection(("127.0.0.1", server.port), 10) as raw:
                    sent, got = ssl.MemoryBIO(), ssl.MemoryBIO()
                    tls = context.wrap_bio(got, sent, server_hostname="localhost")

                    def until(step):
                        """Runs the step of TLS, feeding it from the wire."""
                        while True:
                            try:
                                result = step()
                                raw.sendall(sent.read())
                                return result
                            except ssl.SSLWantReadError:
                                raw.sendall(sent.read())
                                data = raw.recv(65536)
                                got.write(data) if data else got.write_eof()
                    until(tls.do_handshake)
                    tls.write(request)
                    if end == "alert":
                        with contextlib.suppress(ssl.SSLWantReadError):
                            tls.unwrap()
                    raw.sendall(sent.read())
                    raw.shutdown(socket.SHUT_WR)
                    received = b""
                    while True:
                        data = raw.recv(65536)
                        if not data:
                            break
                        got.write(data)
                        if end == "alert":
                            received += data
                            continue
                        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
                            while True:
                                some = tls.read(65536)
                                if not some:
                                    break
                                received += some
                    if end == "fin":
                        check(received.startswith(b"HTTP/1.1 200") and received.rstrip().endswith(b"}"), f"{end}: {received[:200]}")
                    else:
                        check(len(received) > 50_000, f"{end}: only {len(received)} bytes came back")
            wait_until(lambda: figure(server, "garant_connections") <= 1, "half-closed connections stay")

    @tests.test("tls: large bodies both ways, and a slow reader")
    def large():
        with policy_with("    many: true\n", "    many: true\n    files: true\n") as policy, encrypted(policy=policy) as server:
            app = server.client("app")
            ident = app.create(PERSON)["id"]
            results = []

            def one(n):
                client = server.client("app")
                body = os.urandom((1, 70_000, 5 << 20, (32 << 20) - 1)[n])
                made = client.request("POST", f"/v1/subjects/{ident}/attachments?category=visits&name=f{n}.bin", body,
                                      {"Content-Type": "application/octet-stream"}.items()).expect(201).json["id"]
                got = client.get(f"/v1/subjects/{ident}/attachments/{made}?purpose=service").expect(200).body
                results.append((n, got == body, made))
            threads = [threading.Thread(target=one, args=(n,)) for n in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            check(sorted(results)[0][1] and len(results) == 4 and all(same for _, same, _ in results), f"{results}")
            largest = max(results)[2]
            with dial(server, server.tls.context(), 30) as connection:
                connection.sendall(f"GET /v1/subjects/{ident}/attachments/{largest}?purpose=service HTTP/1.1\r\nHost: x\r\n"
                                   f"Authorization: Bearer {app.token}\r\nConnection: close\r\n\r\n".encode())
                got, began = 0, time.monotonic()
                while some := connection.recv(65536):
                    got += len(some)
                    if got < 1 << 20:
                        time.sleep(0.02)
            check(got > 32 << 20, f"a slow reader got {got} bytes")
            with tempfile.NamedTemporaryFile() as file:
                status, _ = curl(server, "-H", f"Authorization: Bearer {app.token}", "-o", file.name,
                                 f"https://localhost:{server.port}/v1/subjects/{ident}/attachments/{largest}?purpose=service")
                check(status == 0 and os.path.getsize(file.name) == (32 << 20) - 1, f"curl: {status}")

    @tests.test("tls: kept, pipelined, and in drops")
    def kept():
        with encrypted() as server:
            client = server.client("app")
            client.get("/v1/policy").expect(200)
            connection = client.local.connection[0]
            for _ in range(300):
                client.post("/v1/decisions", {"purpose": "service", "act": "read"}).expect(200)
            check(client.local.connection[0] is connection, "the connection is not kept")
            one = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
            with dial(server, server.tls.context()) as connection:
                connection.sendall(one * 99 + one.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
                got = b""
                while some := connection.recv(65536):
                    got += some
                check(got.count(b"HTTP/1.1 200") == 100, f"{got.count(b'HTTP/1.1 200')} answers of 100")
            # A record a byte, more of them than a socket pair has places.
            long = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 1500 + b"\r\n" + b"X: y\r\n" * 60 + b"Connection: close\r\n\r\n"
            with dial(server, server.tls.context()) as connection:
                for n in range(len(long)):
                    connection.sendall(long[n:n + 1])
                check(connection.recv(4096).startswith(b"HTTP/1.1 200"), "a head in drops is not answered")

    @tests.test("tls: descriptors run out")
    def descriptors():
        with encrypted() as server:
            server.anyone().get("/healthz").expect(200)
            hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)[1]
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (150, hard))
            idle, refused = [], 0
            for _ in range(200):
                idle.append(socket.create_connection(("127.0.0.1", server.port), 60))
            for _ in range(30):
                for _ in range(20):
                    try:
                        server.anyone().get("/healthz").expect(200)
                        break
                    except OSError:
                        refused += 1
                        time.sleep(0.01)
                else:
                    raise Fault("nobody is served any more")
            for one in idle:
                one.close()
            wait_until(lambda: figure(server, "garant_connections") <= 3, "connections stay")
            server.anyone().get("/healthz").expect(200)
            return f"30 served, {refused} had to try again"

    @tests.test("tls: limits see the client, and a stop ends what has begun")
    def limits():
        with encrypted() as server:
            statuses = [Client(server.port, f"garant_{'A' * 40}{n:03}", context=server.context).get("/v1/policy").status for n in range(30)]
            check(statuses[:20] == [401] * 20 and statuses[20:] == [429] * 10, f"failures do not count for their address: {statuses}")
            client = server.client("app")
            client.get("/openapi.json").expect(200)
            with dial(server, server.tls.context()) as connection:
                connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
                time.sleep(0.2)
                stopping = threading.Thread(target=server.stop)
                stopping.start()
                got = b""
                with contextlib.suppress(OSError):
                    while some := connection.recv(65536):
                        got += some
                stopping.join()
                check(got.rstrip().endswith(b"}"), "the stop cut an answer")


def headers(tests):
    @tests.test("transport: HSTS over TLS and behind a proxy, never in the clear")
    def hsts():
        with encrypted() as server:
            for path, status in (("/healthz", 200), ("/nothing", 404), ("/privacy", 200), ("/v1/policy", 401)):
                said = server.anyone().get(path).expect(status).headers.get(HSTS, "")
                check(re.fullmatch(r"max-age=31536000", said), f"{path}: {said!r}")
            with dial(server, server.tls.context()) as connection:
                connection.sendall(b"GARBAGE\r\n\r\n")
                check(b"Strict-Transport-Security: max-age=31536000\r\n" in connection.recv(8192), "a refusal at the door lacks it")
            check(HSTS not in server.operator().get("/healthz").headers, "the folder's socket has it")
        with Server(POLICY) as server:
            check(HSTS not in server.anyone().get("/healthz").headers, "plain HTTP has it, which RFC 6797 forbids")
            check(HSTS not in server.anyone().get("/healthz", **{"X-Forwarded-Proto": "https"}).headers, "an undeclared proxy is believed")
        with behind_proxy() as server:
            ask = server.anyone().get
            check(HSTS in ask("/healthz", **{"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}).headers, "behind a proxy")
            check(HSTS not in ask("/healthz", **{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http"}).headers, "in the clear")

    @tests.test("transport: behind a real nginx, as the manual has it")
    def behind_nginx():
        with open(os.path.join(TOP, "docs/transport.md"), encoding="utf-8") as file:
            place = re.search(r"```nginx\n(.*?)```", file.read(), re.S)[1]
        check("$remote_addr" in place and "127.0.0.1:8080" in place, "the manual has another configuration")
        folder, ports = tempfile.mkdtemp(prefix="garant-tls-"), [free_port() for _ in range(3)]
        certificates = Certificates(folder)
        try:
            with behind_proxy() as server:
                near = place.replace("127.0.0.1:8080", f"127.0.0.1:{server.port}")
                far = near.replace("$remote_addr", "198.51.100.7")                        # as if the client were there
                tls = f"ssl_certificate {certificates.certificate}; ssl_certificate_key {certificates.key};"
                site = (f"server {{ listen 127.0.0.1:PORT; {near} }} server {{ listen 127.0.0.1:{ports[0]}; {far} }}"
                        f"server {{ listen 127.0.0.1:{ports[1]} ssl; {tls} {far} }}")
                with Nginx(site) as nginx:
                    def ask(port, context=None, **headers):
                        return Client(port, server.client("app").token, context=context).get("/v1/policy", **headers)
                    check(ask(nginx.port).expect(200).headers.get(HSTS) is None, "from this machine in the clear")
                    for forged in ({}, {"X-Forwarded-Proto": "https"}, {"X-Forwarded-For": "127.0.0.1"}):
                        ask(ports[0], **forged).refused("forbidden", status=403)
                    check(ask(ports[1], certificates.context()).expect(200).headers[HSTS] == "max-age=31536000", "over TLS")
                    check(ask(ports[1], certificates.context(), **{"X-Forwarded-Proto": "http"}).status == 200, "a client's own word is passed on")
                    # Forms are held against the host that the browser named, port and all.
                    for origin, status in ((f"https://127.0.0.1:{ports[1]}", 400), ("https://127.0.0.1", 403), ("https://evil.example", 403)):
                        answer = Client(ports[1], context=certificates.context()).post("/v1/session", {}, Origin=origin)
                        check(answer.status == status or status == 400 and answer.status not in (200, 403), f"{origin}: {answer.status} {answer.body}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @tests.test("transport: a proxy that was spoken to in the clear")
    def forwarded():
        with behind_proxy() as server:
            client = server.client("app")
            for scheme in ("http", "HTTP", "ws", "", "https, http", "x"):
                answer = client.get("/v1/policy", **{"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": scheme})
                answer.refused("forbidden", status=403)
                check("TLS" in answer.json["detail"] and HSTS not in answer.headers, f"{scheme}: {answer.body}")
            client.get("/v1/policy", **{"X-Forwarded-For": "192.0.2.1"}).refused("forbidden", status=403)
            for scheme in ("https", "HTTPS"):
                client.get("/v1/policy", **{"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": scheme}).expect(200)
            for address in ("192.0.2.1:4711", "[2001:db8::1]:4711", "unknown", "_hidden", "x", "127.0.0.1:x", "127.0.0.1, unknown"):
                client.get("/v1/policy", **{"X-Forwarded-For": address, "X-Forwarded-Proto": "http"}).refused("forbidden", status=403)
                client.get("/v1/policy", **{"X-Forwarded-For": address, "X-Forwarded-Proto": "https"}).expect(200)
            # Of several proxies the word beside the client's address counts, and the near ones are no clients.
            for addresses, schemes, status in (("192.0.2.1, 127.0.0.1", "https, http", 200), ("192.0.2.1, 127.0.0.1", "http, https", 403),
                                               ("127.0.0.1, 192.0.2.1", "https, http", 403), (", 192.0.2.1,,", "https", 200)):
                answer = client.get("/v1/policy", **{"X-Forwarded-For": addresses, "X-Forwarded-Proto": schemes})
                check(answer.status == status, f"{addresses} by {schemes}: {answer.status}")
            for forwarded, status in (("for=192.0.2.1;proto=https", 200), ("For=\"[2001:db8::1]:4711\" ; Proto=HTTPS", 200),
                                      ("for=192.0.2.1;proto=http", 403),
                                      ("for=192.0.2.1", 403), ("for=unknown;proto=http", 403), ("for=\"a,b;proto=https\";proto=http", 403),
                                      ("for=127.0.0.1;proto=https, for=192.0.2.1;proto=http", 403),
                                      ("for=192.0.2.1;proto=https, for=127.0.0.1;proto=http", 200)):
                check(client.get("/v1/policy", Forwarded=forwarded).status == status, f"Forwarded: {forwarded}")
            client.get("/v1/policy", **{"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "http", "Forwarded": "for=127.0.0.1;proto=https"}).expect(403)
            with socket.create_connection(("127.0.0.1", server.port)) as two:          # HAProxy writes a line of its own
                two.sendall(b"GET /signin HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 127.0.0.1\r\nX-Forwarded-For: 192.0.2.1\r\n"
                            b"X-Forwarded-Proto: http\r\n\r\n")
                check(two.recv(99).startswith(b"HTTP/1.1 403"), "the second line is not read")
            for near in ("127.0.0.1", "127.9.9.9", "::1", "[::1]"):
                client.get("/v1/policy", **{"X-Forwarded-For": near, "X-Forwarded-Proto": "http"}).expect(200)
            client.get("/v1/policy", **{"X-Forwarded-For": "127.0.0.1, 192.0.2.1", "X-Forwarded-Proto": "http"}).expect(403)
            with socket.create_connection(("127.0.0.1", server.port)) as two:
                two.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n\r\n")
                check(two.recv(99).startswith(b"HTTP/1.1 403"), "two schemes")
            with socket.create_connection(("127.0.0.1", server.port)) as two:          # each of two proxies writes its own line
                two.sendall(b"GET /v1/policy HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n"
                            b"X-Forwarded-Proto: https\r\nAuthorization: Bearer " + client.token.encode() + b"\r\n\r\n")
                check(two.recv(99).startswith(b"HTTP/1.1 200"), "two lines")
            # What came through a proxy that names nobody is nobody of this machine.
            for said in ({"X-Forwarded-Proto": "http"}, {"X-Forwarded-For": "", "X-Forwarded-Proto": "http"}, {"X-Forwarded-For": ""},
                         {"X-Real-IP": "192.0.2.1", "X-Forwarded-Proto": "http"}):
                client.get("/v1/policy", **said).refused("forbidden", status=403)
            server.operator().get("/healthz", **{"X-Forwarded-Proto": "http"}).expect(200)


def register(tests):
    for part in (versions_and_ciphers, files, passing, headers):
        part(tests)
