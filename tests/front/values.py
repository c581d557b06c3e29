"""What people bring: every type by its standard, one mailbox and one telephone in all their writings, blanks,
    line breaks."""
import json
from garant import Server, check
from people import form, opened, visitor

POLICY = "tests/front/values.yaml"
NAME = {"identity": {"name": "A"}}


def made(app, **categories):
    return app.post("/v1/subjects", {"data": {**NAME, **categories}, "source": "person"})


def raw(app, misc):
    """A person with `misc` as it stands: for numbers that Python would write otherwise."""
    body = '{"data":{"identity":{"name":"A"},"misc":%s},"source":"person"}' % misc
    return app.request("POST", "/v1/subjects", body.encode(), {"Content-Type": "application/json"}.items())


def held(app, answer, category="misc"):
    return app.read(answer.expect(201).json["id"], "service").json["data"].get(category)


KEPT = {
    "txt": [("a\r\nb", "a\nb"), ("a\rb\u2028c\u0085d", "a\nb\nc\nd"), (" a ", "a"), ("e\u0301", "\u00e9"),
        ("\ufeffx\u200b", "x"), ("a\u200db", "a\u200db")],
    "c": [("fr", "FR"), (" Fr ", "FR")],
    "iban": [("fr14 2004 1010 0505 0001 3m02 606", "FR1420041010050500013M02606"),
        ("IBAN DE89\u00a03704 0044 0532 0130 00", "DE89370400440532013000")],
    "col": [("#ABC", "#aabbcc"), ("#1A7F37", "#1a7f37")],
    "ch": [("\u00cele-de-France", "\u00cele-de-France"), ("I\u0302le-de-France ", "\u00cele-de-France")],
    "u": [("HTTPS://Ex.Example/A?b", "https://ex.example/A?b"), ("https://B\u00fccher.example",
        "https://xn--bcher-kva.example"),
          ("http://[2001:db8::1]:8080/x", "http://[2001:db8::1]:8080/x")],
    "d": [("2024-02-29", "2024-02-29")],
    "t": [("2016-12-31T23:59:60Z", "2016-12-31T23:59:60Z"), ("2017-01-01T00:59:60+01:00", "2017-01-01T00:59:60+01:00"),
        ("2026-01-01 10:00:00z", "2026-01-01 10:00:00z")],
    "ip": [("2001:db8::1", "2001:db8::1"), (" 192.0.2.1", "192.0.2.1"), ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("::FFFF:192.0.2.1", "::ffff:192.0.2.1"),
        ("2606:4700:4700::1111", "2606:4700:4700::1111"), ("2001:41d0:4111:1111:1111:1111::", "2001:41d0:4111:1111:1111:1111::"),
        ("fd00::4111:1111:1111:1111", "fd00::4111:1111:1111:1111")],
}
REFUSED = {
    "txt": ["a\u0007b", "a\u009bb"],
    "c": ["France", "\u00c9tats-Unis", "UK", "ZZ", "FRA", "F", "F1"],
    "iban": ["FR1420041010050500013M02607", "DE8937040044053201300", "ZZ9941111111111111111", "4111111111111111",
        "DE00370400440532013000"],
    "col": ["red", "#12", "#ggg", "1a7f37", "#1a7f3"],
    "ch": ["maybe", "YES!"],
    "u": ["javascript:alert(1)", "ftp://ex.example", "https://user:secret@ex.example", "https://ex.example:0",
        "https://ex.example:65536",
          "https://ex example", "https://", "//ex.example", "https://ex.example/\u202eevil", "https://a..b",
          "https://256.1.1.1/", "https://1.2.3/", "https://a.0x7f/",
              "https://ex.example:80x"],
    "d": ["2023-02-29", "2026-13-01", "29/02/2024", "2026-1-1", "0000-01-01", "20260101"],
    "t": ["2026-01-01T24:00:00Z", "2026-01-01T23:59:60Z", "2026-06-30T22:59:60Z", "2026-01-01T10:00:00",
        "2026-01-01T10:00:00+24:00"],
    "ip": ["192.0.2.256", "2001:db8::g", "192.0.2.1/24", "4111:1111:1111:1111::", "::4111:1111:1111:1111",
        "2001:db8:0:4111:1111:1111:1111:0"],
    "i": [1.5, "12", True, 101, -1],
    "n": ["12,5", "12", 100.5, -0.5],
}
MAILBOX = ["x1@ex.example", "X1@Ex.Example", "x1@ex.example\u200b", "\u200bx1@ex.example", "x1@ex.example\u00a0",
    "x1\u00ad@ex.example", "x1@ex.example\ufeff",
           "x1@ex.example\u0085", "x1@ex.example.", "x1\uff20ex.example", "x1@ex\u3002example", "\uff581@ex.example",
               '"x1"@ex.example', "\u202ax1@ex.example\u202c",
           "mailto:x1@ex.example", "<x1@ex.example>", " < X1@ex.example > ", "mailto:%20x1%40ex.example?subject=a",
           "MAILTO:%781@ex.example",
           "Doe, Ann <x1@ex.example>", '"Doe, Ann" <x1@ex.example>;', "'x1@ex.example'", "x1@ex.example,", "x1\u034f@ex.example"]
HOST = ["y@b\u00fccher.example", "y@bu\u0308cher.example", "Y@B\u00dcCHER.example", "y@xn--bcher-kva.example",
    "y@XN--BCHER-KVA.EXAMPLE"]
NO_MAILBOX = ["x1@ex.example\ufffd", "a b@ex.example", ".a@ex.example", "a..b@ex.example", "a.@ex.example", "a@ex",
    "a@-ex.example", "a@[192.0.2.1]", "a@192.0.2.1", "@ex.example",
              "a" * 65 + "@ex.example", "a@" + "b" * 64 + ".example", '"a b"@ex.example', "a@b@ex.example",
                  "a@ex_1.example", "\u200b", "a@ex..example",
              "a@ex.example <b@ex>", "Bcc: <a@ex.example>",
              "a <b@ex.example> c", "mailto:", "<>", "a@ex.example, b@ex.example", "a@ex.example\r\nBcc: b@ex.example"]


def one_person(app, field, first, others, distinct):
    made(app, contact={field: first}).expect(201)
    for other in others:
        made(app, contact={field: other}).expect(409)
        app.lookup({f"contact.{field}": other}, "service").expect(200)
    for other in distinct:
        made(app, contact={field: other}).expect(201)


def register(tests):
    @tests.test("values: each type in the form of its standard, or refused")
    def types():
        with Server(POLICY) as server:
            app = server.client("app")
            for field, rows in KEPT.items():
                for sent, wanted in rows:
                    got = held(app, made(app, misc={field: sent}))
                    check(got == {field: wanted}, f"{field} {sent!a}: {got}")
            for field, rows in REFUSED.items():
                for sent in rows:
                    answer = made(app, misc={field: sent}).expect(422)
                    check(answer.json["field"] == f"misc.{field}" and str(sent) not in answer.json["detail"].split(": did you mean")[0],
                          f"{field} {sent!a}: {answer.json}")
            for said, code in (("France", "FR"), ("\u00c9tats-Unis", "US"), ("germany", "DE"), ("UK", "GB"), ("Deutschland", "DE"),
                               ("\u00d6sterreich", "AT"), ("Espa\u00f1a", "ES"), ("The Netherlands", "NL"), ("R\u00e9publique tch\u00e8que", "CZ"),
                               ("Turkey", "TR"), ("ITA", "IT"), ("Great Britain", "GB"), ("Ivory Coast", "CI")):
                check(f"did you mean {code}" in made(app, misc={"c": said}).json["detail"], f"{said}: no code is proposed")

    @tests.test("values: numbers are kept as they are, or refused, never changed")
    def numbers():
        with Server(POLICY) as server:
            app = server.client("app")
            for sent, wanted in (("0.1", 0.1), ("-0", 0), ("-0.0", 0), ("1e2", 100), ("99.99", 99.99)):
                got = app.read(raw(app, '{"n":%s}' % sent).expect(201).json["id"], "service")
                check(got.json["data"]["misc"] == {"n": wanted} and b"0.1000000000000000" not in got.body,
                    f"{sent}: {got.body}")
            for sent in ("101", "100.5", "-0.5", "1e300", "-1e-9"):
                raw(app, '{"n":%s}' % sent).expect(422)
            for sent in ("NaN", "Infinity", "007", "1,5", ".5", "+1", "1e400", "99999999999999999999"):
                raw(app, '{"n":%s}' % sent).expect(400)
            answer = raw(app, '{"n":100.5}')
            check("between 0 and 100" in answer.json["detail"], answer.json["detail"])

    @tests.test("values: what is required is not a blank")
    def blanks():
        with Server(POLICY) as server:
            app = server.client("app")
            for blank in ("", " ", "\u00a0", "\u2003", "\u3000", "\u200b", "\u2060", "\ufeff", "\u00ad", "\u3164",
                "\u2800", "\u180e", "\r\n\t", "\u202e"):
                answer = app.post("/v1/subjects", {"data": {"identity": {"name": blank}}, "source": "person"})
                check(answer.status == 422 and answer.json["code"] == "missing-field",
                    f"{blank!a}: {answer.status} {answer.body}")

    @tests.test("values: one mailbox is one person, in every writing of it")
    def mailboxes():
        with Server(POLICY) as server:
            app = server.client("app")
            one_person(app, "email", MAILBOX[0], MAILBOX[1:], ["x.1@ex.example", "x1+a@ex.example", "\u04451@ex.example"])
            one_person(app, "email", HOST[0], HOST[1:], ["stra\u00dfe@ex.example", "strasse@ex.example",
                "z@fa\u00df.example", "z@fass.example"])
            for address in NO_MAILBOX:
                answer = made(app, contact={"email": address})
                check(answer.status == 422, f"{address!a}: {answer.status}")

    @tests.test("values: one telephone is one person, in every writing of it")
    def telephones():
        with Server(POLICY) as server:
            app = server.client("app")
            one_person(app, "phone", "06 12 34 56 78", ["+33 6 12 34 56 78", "+33 (0)6 12 34 56 78",
                "0033 6 12 34 56 78", "(+33) 6 12 34 56 78", "06.12.34.56.78",
                       "06\u00a012\u202f34\u201156-78", "tel:+33612345678", "\u0660\u0666 12 34 56 78", "33612345678",
                       "sms:+33612345678", "callto:0612345678", "whatsapp:+33 6 12 34 56 78",
                       "tel:612345678;phone-context=+33", "011 33 6 12 34 56 78",
                       "06/12/34/56/78", "06\u00b712\u00b734\u00b756\u00b778", "+33-0-612345678", "\uff0b33612345678", "+330612345678"],
                           ["06 12 34 56 79", "01 23 45 67 89 poste 12"])
            for number in ("12345", "06 12 34 56 7a", "tel:612345678;phone-context=example.org",
                "06 12 34 56 78 / 01 23 45 67 89", "+1234567890123456", "+0612345678"):
                made(app, contact={"phone": number}).expect(422)
            for number in range(15193760600, 15193760640):
                made(app, contact={"phone": f"49{number}"}).expect(201)
            made(app, contact={"phone": "378282246310005"}).expect(422)

    @tests.test("values: one login is one person, and signs in however it is typed")
    def logins():
        with Server(POLICY) as server:
            app = server.client("app")
            opened(server, {**NAME, "contact": {"login": "Zo\u00e9", "email": "z@b\u00fccher.example",
                "phone": "06 12 34 56 78"}})
            for typed in ("Zo\u00e9", "zoe\u0301", "\uff3a\uff2f\u00c9", " zo\u00e9\u200b", "z@b\u00fccher.example",
                "Z@XN--BCHER-KVA.example.", "+33 (0)6 12 34 56 78"):
                visitor(server, typed)
            made(app, contact={"login": "ZO\u00c9"}).expect(409)
            opened(server, {**NAME, "contact": {"login": "Zo\u00e9 Du Pont", "email": "du@ex.example"}})
            for typed in ("zo\u00e9  du pont", "zo\u00e9\tdu\u3000pont", "Zo\u00e9\u00a0 Du \u200b Pont"):
                visitor(server, typed)
                made(app, contact={"login": typed}).expect(409)

    @tests.test("values: a form's line breaks, comma and day are those of people, and what was not touched stays as it was")
    def forms():
        with Server(POLICY) as server:
            ident = opened(server, {**NAME, "contact": {"email": "z@ex.example"}})
            who, app = visitor(server, "z@ex.example"), server.client("app")

            def save(version, **fields):
                form(who, "/me/edit/misc", csrf=who.csrf, version=str(version), **{f"misc.{k}": v for k,
                    v in fields.items()}).expect(303)
                return app.read(ident, "service").json["data"].get("misc")
            typed = dict(txt="10 rue\r\n69002 Lyon", n="12,5", d="29/02/2024", col="")
            check(save(1, **typed) == {"txt": "10 rue\n69002 Lyon", "n": 12.5, "d": "2024-02-29"}, "not as typed")
            check(save(2, **{**typed, "i": "1\u202f0"}) == {"txt": "10 rue\n69002 Lyon", "n": 12.5, "d": "2024-02-29",
                "i": 10}, "changed by another field")
            page = who.get("/me/edit/misc", Accept="text/html").body.decode()
            check('type="color"' not in page, "an empty colour would be sent as black")

    @tests.test("values: a password is one in every form, and not made of one's own data")
    def passwords():
        with Server(POLICY) as server:
            composed = "Tromb\u00f4ne-Lich\u00e8n 42 Kestr\u00e9ls!"
            apart = "Trombo\u0302ne-Liche\u0300n\u00a042 Kestre\u0301ls!"
            opened(server, {**NAME, "contact": {"email": "z@ex.example"}}, password=apart)
            visitor(server, "z@ex.example", composed)
            visitor(server, "z@ex.example", apart)
            server.anyone().post("/v1/session", {"identifier": "z@ex.example", "password": composed + " "}).expect(401)
            data = {"identity": {"name": "Guillaume Dup\u00e9ront"},
                "contact": {"email": "g.vermeille@azurite.example", "phone": "06 12 34 56 78"}, "misc": {"d": "1984-07-23"}}
            for password in ("GuillaumeDuperont1!", "Duperont-Guillaume2!", "GUILLAUME dup\u00e9ront 1",
                "Emualliug-1!tnorepuD", "Vermeille-Azurite1!", "Azurite+23071984a!",
                             "Gu1ll@ume!Dup3ront", "Duperont-19840723!", "Duperont-840723-Aa!", "0612345678-Duperont!",
                             "0612345678Aa!!", "33612345678Aa!!", "612345678-Aa!", "876543216-0Aa!"):
                answer = server.anyone().post("/v1/accounts/register", {"data": data, "password": password})
                check(answer.status == 422 and "own" in answer.json.get("missing", []),
                    f"{password!a}: {answer.status} {answer.body}")

    @tests.test("values: the page of registration asks for all that an account needs")
    def needs():
        with Server(POLICY) as server:
            page = server.anyone().get("/register", Accept="text/html").body.decode()
            for name in ("identity.name", "contact.email"):
                check(f'name="{name}"' in page, f"{name} is not asked for")
            check('name="contact.login"' not in page, "more than needed is asked for")
            form(server.anyone(), "/register", **{"identity.name": "Zoe",
                "password": "Trombone-Lichen 42 Kestrels!"}).expect(422)
