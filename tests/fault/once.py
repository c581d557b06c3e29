"""10,000 concurrent creates of one e-mail address make exactly one person."""
import asyncio, json
from common import person, server, tests
from garant import check

REQUESTS, CONNECTIONS = 10_000, 250


async def connection(port, token, count, statuses):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(count):
        body = json.dumps({"data": person(1), "source": "person"}).encode()
        writer.write(b"POST /v1/subjects HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAuthorization: Bearer "
                     + token.encode() + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        answer = json.loads(await reader.readexactly(length))
        statuses.append((int(head.split()[1]), answer.get("id") or answer.get("code")))
    writer.close()


@tests.test("concurrent creates of one address give exactly one person")
def one_of_many():
    with server() as subject:
        token, statuses = subject.token("app"), []

        async def all_at_once():
            await asyncio.gather(*(connection(subject.port, token, REQUESTS // CONNECTIONS, statuses) for _ in range(CONNECTIONS)))
        asyncio.run(asyncio.wait_for(all_at_once(), 120))
        made = [said for status, said in statuses if status == 201]
        check(len(statuses) == REQUESTS and len(made) == 1, f"{len(made)} made of {len(statuses)}")
        others = {answer for answer in statuses if answer[0] != 201}
        check(others == {(409, "conflict")}, f"the others were answered {others}")
        found = subject.client("app").lookup({"contact.email": "PLANTED.1@fault.example"}, "service")
        check(found.expect(200).json["id"] == made[0], "the look-up leads to someone else")
    return f"{REQUESTS} requests on {CONNECTIONS} connections, 1 made, {REQUESTS - 1} refused as taken"
