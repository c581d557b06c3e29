"""A campaign of marketing emails against an SMTP sink on loopback: emails a second, memory on the way, and what others wait meanwhile."""
import multiprocessing, os, socket, time
from garant import Server, check, free_port


def sink(port, ready, taken):
    """Takes every message and keeps none: how many, in `taken`. A process of its own, one connection after the other."""
    listener = socket.create_server(("127.0.0.1", port))
    ready.set()
    while True:
        connection, _ = listener.accept()
        with connection, connection.makefile("rwb") as lines:
            def say(line):
                lines.write(line + b"\r\n")
                lines.flush()
            say(b"220 sink")
            for line in lines:
                verb = line[:4].upper()
                if verb == b"DATA":
                    say(b"354 go on")
                    for text in lines:
                        if text == b".\r\n":
                            break
                    taken.value += 1
                    say(b"250 taken")
                elif verb == b"QUIT":
                    say(b"221 bye")
                    break
                else:
                    say(b"250 sink" if verb == b"EHLO" else b"250 ok")


def recipients(client, count):
    """People who agreed to the news, a thousand a request."""
    for at in range(0, count, 500):
        requests = [{"method": "POST", "path": "/v1/subjects", "body": {
            "source": "person", "data": {"identity": {"display_name": f"kestrel-{n}"}, "login": {"email": f"k{n}@bench.example"}},
            "consents": [{"purpose": "product_news", "channel": "email", "decision": "given"}]}} for n in range(at, min(at + 500, count))]
        answer = client.post("/v1/batch", {"requests": requests}).expect(207).json["results"]
        check(all(row["status"] == 201 for row in answer), f"{[row for row in answer if row['status'] != 201][:1]}")


def campaign(client, words):
    said = {"name": "Bench", "purpose": "product_news", "subject": {"en": "News", "fr": "Nouvelles"}, "text": words}
    ident = client.post("/v1/campaigns", said).expect(201).json["id"]
    client.post(f"/v1/campaigns/{ident}/count").expect(200)
    return ident


def letters(folder, people, load, memory, env):
    """`load()` is one run of reads at few connections, `memory(process, what)` in MB."""
    words = {"en": "# News\n\nHello.\n\n- [One](https://rooms.example/one)\n- [Two](https://rooms.example/two)", "fr": "Bonjour."}
    port, ready, taken = free_port(), multiprocessing.Event(), multiprocessing.Value("q", 0, lock=False)
    taker = multiprocessing.Process(target=sink, args=(port, ready, taken), daemon=True)
    taker.start()
    ready.wait(20)
    arguments = ["--smtp", f"smtp://127.0.0.1:{port}", "--smtp-plain", "--mail-from", "news@rooms.example", "--url", "https://rooms.example"]
    try:
        with Server("myownconference", tenant="myownconference", folder=folder, data=os.path.join(folder, "letters"), arguments=arguments,
                    env=env) as server:
            client = server.client("app", timeout=300)
            recipients(client, people)
            one = client.lookup({"login.email": "k0@bench.example"}, "service").expect(200).json["id"]
            ids = os.path.join(folder, "reader")
            with open(ids, "w", encoding="utf-8") as file:
                file.write(f"{one} k0@bench.example\n")
            alone = load(server.port, client.token, ids)
            ident = campaign(client, words)
            client.post(f"/v1/campaigns/{ident}/steer", {"do": "start"}).expect(200)
            began, early, beside = time.monotonic(), 0, None
            while (row := client.get(f"/v1/campaigns/{ident}").expect(200).json)["state"] == "running":
                if not early and row["sent"] >= people // 10:
                    early, beside = memory(server.process, "VmRSS"), load(server.port, client.token, ids)
                time.sleep(0.2)
            took = time.monotonic() - began                      # reads of others in it
            check(row["sent"] == people == taken.value and beside, f"{row} {taken.value}")
            return {"people": people, "rate": people / took, "memory_early_mb": early, "memory_late_mb": memory(server.process, "VmRSS"),
                    "p99_alone_ms": alone["p99_ms"], "p99_beside_ms": beside["p99_ms"]}
    finally:
        taker.terminate()
        taker.join()
