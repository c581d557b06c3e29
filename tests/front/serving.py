"""Starting, stopping, reloading: what the server refuses to start with, and that it ends what it has begun."""
import gzip, html, os, re, shutil, signal, socket, stat, subprocess, threading, time
import engine, people
from garant import TOP, Client, Fault, Server, check, garant

POLICY = "tests/front/actors.yaml"
PERSON = {"identity": {"first_name": "Zoé", "last_name": "Martin"}, "contact": {"email": "zoe.martin@example.org"}}


def refuses(status, word, *arguments, **more):
    server = Server(POLICY, start=False, arguments=arguments, **more)
    got, said = server.refuses_to_start()
    check(got == status and word in said, f"{arguments}: status {got}, said {said}")
    check(not os.path.exists(server.data), f"{arguments}: it did not start, and left a data folder")
    shutil.rmtree(server.folder, ignore_errors=True)


class Elsewhere(Server):
    """A server whose address is told."""
    def __init__(self, listen, **more):
        self.listen = listen
        super().__init__(POLICY, **more)

    def command(self):
        line = super().command()
        line[line.index("--listen") + 1] = self.listen
        at = line.index("--clock-file")
        return line[:at] + line[at + 2:]


def soon(true):
    """Whether it comes true while a test may wait."""
    end = time.monotonic() + 60
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    return time.monotonic() < end


def register(tests):
    @tests.test("serving: what it does not start with")
    def refused():
        refuses(78, "go together", "--tls-certificate", "x.pem")
        refuses(64, "number", "--threads", "0")
        for listen, word in (("0.0.0.0:0", "loopback"), ("[::]:0", "loopback"), ("nonsense", "no address"),
            ("127.0.0.1", "no address"), ("127.0.0.1:99999", "no address")):
            server = Elsewhere(listen, start=False)
            status, said = server.refuses_to_start()
            check(status == 78 and word in said, f"{listen}: {status} {said}")
            check(not os.path.exists(server.data), f"{listen}: it did not start, and left a data folder")
            shutil.rmtree(server.folder, ignore_errors=True)
        with Elsewhere("0.0.0.0:0", arguments=["--proxy"]) as server:
            server.anyone().get("/healthz").expect(200)

    @tests.test("serving: what a newer program wrote is refused, and left as it is")
    def newer():
        with Server(POLICY) as server:
            ident = server.client("app").create(PERSON)["id"]
            server.stop()
            for name in ("data.db", "keys.db"):
                newer = engine.version(server.data, name, 1)
                status, said = server.refuses_to_start()
                check(status == 78 and "newer" in said and name in said, f"{name}: {status} {said}")
                check(engine.version(server.data, name) == newer, f"{name} was changed")
                engine.version(server.data, name, -1)
            server.start()
            server.client("app").read(ident, "service").expect(200)

    @tests.test("serving: one port, one folder, one server")
    def alone():
        with Server(POLICY) as server:
            other = Server(POLICY, start=False)
            other.port = server.port
            status, said = other.refuses_to_start()
            check(status == 78 and "listened" in said, f"the same port: {status} {said}")
            check(not os.path.exists(other.data), "the same port: it did not start, and left a data folder")
            shutil.rmtree(other.folder, ignore_errors=True)
            twin = Server(POLICY, start=False, folder=server.folder, log=os.path.join(server.folder, "twin.log"))
            status, said = twin.refuses_to_start()
            check(status == 75, f"the same folder: {status} {said}")
            server.operator().get("/healthz").expect(200)

    @tests.test("serving: the folder's socket")
    def folder_socket():
        deep = os.path.join("x" * 60, "y" * 60)
        with Server(POLICY) as server:
            mode = os.stat(os.path.join(server.data, "garant.sock")).st_mode
            check(stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600, f"mode {mode:o}")
            server.operator().get("/v1/policy").expect(200)
            if os.geteuid() == 0:
                os.chmod(server.folder, 0o755)
                os.chmod(server.data, 0o755)
                os.chmod(os.path.join(server.data, "garant.sock"), 0o666)
                code = ("import os,socket,sys;os.setuid(65534);s=socket.socket(socket.AF_UNIX);s.connect(sys.argv[1]);"
                        "s.sendall(b'GET /v1/policy HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');sys.exit(bool(s.recv(9)))")
                run = subprocess.run(["/usr/bin/python3", "-c", code, os.path.join(server.data, "garant.sock")],
                    capture_output=True, text=True)
                check(run.returncode == 0 or "ConnectionReset" in run.stderr or "BrokenPipe" in run.stderr,
                    f"another user is served: {run.stderr}")
            server.stop()
            check(not os.path.exists(os.path.join(server.data, "garant.sock")), "the socket stays behind")
        server = Server(POLICY, start=False)
        server.data = os.path.join(server.folder, deep, "data")
        os.makedirs(os.path.dirname(server.data))
        with server:
            server.start()
            check(server.token("app"), "a folder with a long path")

    @tests.test("serving: a new policy without a pause")
    def reload():
        server = Server(POLICY, start=False)
        server.policy = os.path.join(server.folder, "policy.yaml")
        shutil.copy(os.path.join(TOP, POLICY), server.policy)
        with server:
            server.start()
            client, operator = server.client("app"), server.operator()
            with open(server.policy, encoding="utf-8") as file:
                text = file.read()
            def write(new):
                with open(server.policy, "w", encoding="utf-8") as file:
                    file.write(new)
            def version():
                return client.get("/v1/policy").expect(200).json["version"]
            def signalled(wanted):
                server.process.send_signal(signal.SIGHUP)
                check(soon(wanted), "SIGHUP had no effect: " + server.log()[-800:])
            write(text.replace('version: "1.0"', 'version: "1.1"'))
            signalled(lambda: version() == "1.1")
            write(text.replace("categories: [identity", "categories: [idenity"))
            signalled(lambda: "not reloaded" in server.log())
            check(version() == "1.1" and "idenity" in server.log(), "a faulty file changed something, or nothing was said")
            problem = operator.post("/v1/policy/reload")
            check(problem.status == 422 and problem.json["findings"][0]["line"] > 0, f"{problem.status} {problem.body}")
            check(problem.headers["content-type"] == "application/problem+json", "no problem")
            write(text.replace('version: "1.0"', 'version: "1.2"'))
            check(operator.post("/v1/policy/reload").expect(200).json["version"] == "1.2" and version() == "1.2", "over the API")

    @tests.test("serving: a term of minutes or months is asked about, and erases nothing meanwhile")
    def asked():
        with open(os.path.join(TOP, "tests/lib/small.yaml"), encoding="utf-8") as file:
            text = file.read()
        for written in ("6m", "6M", "6 m"):
            server = Server("tests/lib/small.yaml", start=False)
            server.policy = os.path.join(server.folder, "policy.yaml")
            with server, open(server.policy, "w", encoding="utf-8") as file:
                file.write(text.replace("active: 12mo}", f"active: {written}}}"))
                file.flush()
                for verb in ("check", "lint"):
                    run = garant(verb, server.policy, ok=None)
                    told = run.stderr + run.stdout
                    check(run.returncode == 78 and "minutes or months" in told and "6min" in told and "6mo" in told, f"{verb} {written}: {told}")
                server.start()
                check("read as months" in server.log(), server.log()[-800:])
                client = server.client("app")
                ident = client.create(PERSON)["id"]
                client.record(ident, "visits", {"page": "/a"}).expect(201)
                def held():
                    server.sweep()
                    return len(client.read(ident, "service").json["data"].get("visits") or [])
                server.advance(minutes=7)
                check(held() == 1, f"{written}: erased after minutes")
                problem = server.operator().post("/v1/policy/reload")
                check(problem.status == 422 and "minutes or months" in problem.json["detail"], f"{problem.status} {problem.body}")
                server.advance(days=170)
                check(held() == 1, f"{written}: erased before six months")
                server.advance(days=20)
                check(held() == 0, f"{written}: kept beyond six months")

    @tests.test("serving: what is begun is ended")
    def drain():
        with Server(POLICY) as server:
            client, answers, failed = server.client("app"), [], []
            def work(n):
                own = Client(server.port, client.token)
                for k in range(10_000):
                    try:
                        answers.append(own.post("/v1/subjects", {"data": {**PERSON,
                            "contact": {"email": f"p{n}-{k}@example.org"}}, "source": "person"}).expect(201).json["id"])
                    except (OSError, Fault, __import__("http").client.HTTPException) as error:
                        failed.append(repr(error))
                        return
            threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
            for thread in threads:
                thread.start()
            time.sleep(1)
            began = time.monotonic()
            status = server.stop()
            took = time.monotonic() - began
            for thread in threads:
                thread.join()
            check(status == 0, f"status {status} after {took:.1f} s")
            check(not [f for f in failed if "HTTP" in f and "Remote" not in f or "Fault" in f], f"{failed[:3]}")
            server.start()
            held = {server.client("app").get(f"/v1/subjects/{i}?purpose=service").status for i in answers}
            check(held == {200}, f"acknowledged people are gone: {held}")
            return f"{len(answers)} made, all held; stopped in {took * 1000:.0f} ms"

    @tests.test("serving: behind a proxy, failures count for whom it names")
    def proxied():
        with Elsewhere("127.0.0.1:0", arguments=["--proxy"]) as server:
            def bad(address):
                return Client(server.port, "garant_" + "A" * 43).get("/v1/policy", **{"X-Forwarded-For": address,
                                                                                                "X-Forwarded-Proto": "https"}).status
            check([bad("192.0.2.7") for _ in range(30)][-1] == 429, "not slowed down")
            check(bad("198.51.100.9, 192.0.2.8") == 401 and bad("2001:db8::1") == 401, "another client is slowed down too")

    @tests.test("serving: the access log names no path")
    def access_log():
        with Server(POLICY, arguments=["--access-log"]) as server:
            made = server.client("app").create(PERSON)
            server.client("app").read(made["id"], "service").expect(200)
            log = server.log()
            check('"route":"/v1/subjects/{id}"' in log and '"status":200' in log, "no line")
            check(made["id"] not in log and "zoe" not in log.lower() and "purpose=" not in log, "the log says too much")

    @tests.test("serving: large bodies are read from known callers only, and not too many at once")
    def large_bodies():
        with Server(POLICY) as server:
            def head(token, size):
                return (f"POST /v1/subjects HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n"
                        + (f"Authorization: Bearer {token}\r\n" if token else "") + "\r\n").encode()
            def first_line(data):
                with socket.create_connection(("127.0.0.1", server.port), 20) as one:
                    one.sendall(data)
                    return one.recv(200).split(b"\r\n")[0]
            token, reader = server.client("app").token, server.client("reader").token
            check(b" 401 " in first_line(head(None, 500_000)), "a stranger's body is waited for")
            check(b" 403 " in first_line(head(reader, 500_000)), "a body is waited for from who may not send it")
            held = []
            def hold(caller, count):
                for _ in range(count):
                    one = socket.create_connection(("127.0.0.1", server.port), 20)
                    one.sendall(head(caller, 1 << 20))
                    held.append(one)
            def full(caller, status):
                hold(caller, 20)                   # a slow machine gives the first up before the last have come
                return status in first_line(head(caller, 1 << 20))
            hold(token, 100)
            check(soon(lambda: full(token, b" 429 ")), "there is no end to one caller's bodies")
            others = [server.token("app") for _ in range(20)]
            for other in others:                   # each has a share of its own, and all together there is an end too
                hold(other, 20)
            check(soon(lambda: full(others[-1], b" 503 ") or full(server.token("app"), b" 503 ")), "there is no end to the bodies")
            server.client("app").get("/v1/policy").expect(200)
            for one in held:
                one.close()
            check(soon(lambda: server.client("app").post("/v1/subjects", {"data": PERSON, "source": "person"}).status == 201), "bodies stay counted")

    @tests.test("serving: limit of an address")
    def per_address():
        with Server(POLICY, arguments=["--per-address", "5"]) as server:
            kept = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
            server.anyone().get("/healthz").expect(200)          # loopback has no share
            for one in kept:
                one.close()

    @tests.test("serving: the promise board in parts: no page above 60 kB with its style, unpacked, and no sentence lost")
    def parts():
        said = []
        for policy in ("mxplorerplace", "myportal", "deskmanager", "site-fr", "myownconference"):
            with Server(policy) as server:
                style, most = len(server.anyone().get("/static/garant.css").expect(200).body), 0

                def shown(path):
                    nonlocal most
                    body = server.anyone().get(path, Accept="text/html").expect(200).body
                    most = max(most, len(body) + style)
                    return html.unescape(body.decode())
                for language in ("fr", "en"):
                    page, seen = shown(f"/promises?lang={language}"), 0
                    for part in re.findall(r'href="/promises\?of=([^&"]+)&lang', page):
                        for sheet in range(1, 99):
                            one = shown(f"/promises?of={part}&sheet={sheet}&lang={language}")
                            seen += one.split('<ul class="clauses">')[1].count("<li>")
                            if f"&sheet={sheet + 1}&" not in one:
                                break
                    told = server.operator().get("/v1/promises").expect(200).json["clauses"]
                    check(seen == len(told), f"{policy}: {seen} sentences on the pages, {len(told)} in the answer")
                check(most <= 60_000, f"{policy}: a page weighs {most} with its style")
                said.append(f"{policy} {most}")
                for wrong, status in (("of=nothing", 404), ("of=rights&sheet=0", 400), ("of=rights&sheet=x", 400)):
                    server.anyone().get(f"/promises?{wrong}", Accept="text/html").expect(status)
        return ", ".join(said)

    @tests.test("serving: public pages come packed to whoever takes that, small with their style, and never with somebody's token in them")
    def packed():
        said = []
        for policy in ("mxplorerplace", "myportal", "deskmanager", "site-fr", "myownconference"):
            with Server(policy) as server:
                style = len(server.anyone().get("/static/garant.css", **{"Accept-Encoding": "gzip"}).expect(200).body)
                for path in ("/privacy", "/promises", "/cookies", "/privacy/versions", "/privacy.jsonld", "/openapi.json", "/static/garant.css"):
                    plain = server.anyone().get(path, Accept="*/*").expect(200)
                    taken = server.anyone().get(path, Accept="*/*", **{"Accept-Encoding": "br, gzip"}).expect(200)
                    check("content-encoding" not in plain.headers and "Accept-Encoding" in plain.headers["vary"], f"{path}: {plain.headers}")
                    check(taken.headers["content-encoding"] == "gzip" and "Accept-Encoding" in taken.headers["vary"], f"{path}: {taken.headers}")
                    if path != "/promises":                      # its figures move
                        check(gzip.decompress(taken.body) == plain.body, f"{path}: other bytes when packed")
                    check(len(taken.body) + style <= 60_000, f"{path} weighs {len(taken.body) + style} with its style")
                    if "etag" in taken.headers:
                        check(taken.headers["etag"] != plain.headers["etag"], f"{path}: one tag for two codings")
                        again = server.anyone().get(path, Accept="*/*", **{"Accept-Encoding": "gzip", "If-None-Match": taken.headers["etag"]})
                        check(again.status == 304 and again.headers["etag"] == taken.headers["etag"] or path.startswith(("/static", "/openapi")),
                              f"{path}: {again.status} {again.headers}")
                for coding in ("identity", "gzip;q=0", "br", ""):
                    check("content-encoding" not in server.anyone().get("/privacy", **{"Accept-Encoding": coding}).headers, f"packed for {coding!r}")
                weights = [len(server.anyone().get("/privacy?lang=fr", **{"Accept-Encoding": "gzip"}).body) + style]
                times = []
                for _ in range(30):
                    began = time.monotonic()
                    server.anyone().get("/privacy?lang=fr").expect(200)
                    times.append(time.monotonic() - began)
                said.append(f"{policy} {weights[0]} bytes, {min(times) * 1000:.1f} ms")
                check(min(times) < 0.01, f"the notice takes {min(times) * 1000:.1f} ms")
        with Server("mxplorerplace") as server:
            data = {"identity": {"first_name": "Ana", "last_name": "Pack"}, "contact": {"email": "ana@people.example"}, "work": {"company": "S", "site": "L"}}
            people.opened(server, data)
            who = people.visitor(server, "ana@people.example")
            for path in ("/privacy", "/promises", "/me"):
                page = who.get(path, Accept="text/html", **{"Accept-Encoding": "gzip"}).expect(200)
                check("content-encoding" not in page.headers and who.csrf.encode() in page.body, f"{path}: packed with a token in it")
        return "; ".join(said)
