#!/usr/bin/python3
"""The OpenAPI 3.1 description: well formed, complete, and true of the server that serves it."""
import re
from common import person, server, tests
from garant import TOP, check

METHODS = {"get", "put", "post", "delete", "patch", "head", "options", "trace"}
TYPES = {"string", "number", "integer", "boolean", "array", "object", "null"}


def pointer(document, reference):
    check(reference.startswith("#/"), f"a reference leaves the document: {reference}")
    at = document
    for word in reference[2:].split("/"):
        word = word.replace("~1", "/").replace("~0", "~")
        check(isinstance(at, dict) and word in at, f"nothing is at {reference}")
        at = at[word]
    return at


def walk(document, at, path="#"):
    """Every object of the document with its place."""
    if isinstance(at, dict):
        yield path, at
        for key, value in at.items():
            yield from walk(document, value, f"{path}/{key}")
    elif isinstance(at, list):
        for index, value in enumerate(at):
            yield from walk(document, value, f"{path}/{index}")


def check_schema(document, schema, path):
    check(isinstance(schema, (dict, bool)), f"{path}: a schema is an object or a boolean")
    if isinstance(schema, bool):
        return
    if "$ref" in schema:
        pointer(document, schema["$ref"])
    types = schema.get("type", [])
    for type_ in [types] if isinstance(types, str) else types:
        check(type_ in TYPES, f"{path}: no type {type_}")
    check(types != "array" or "items" in schema, f"{path}: an array without items")
    for name in schema.get("required", []):
        check(name in schema.get("properties", {}), f"{path}: requires {name}, which it does not describe")
    if "pattern" in schema:
        re.compile(schema["pattern"])
    for name, inner in schema.get("properties", {}).items():
        check_schema(document, inner, f"{path}/properties/{name}")
    for key in ("items", "additionalProperties"):
        if key in schema:
            check_schema(document, schema[key], f"{path}/{key}")
    for key in ("oneOf", "anyOf", "allOf"):
        for index, inner in enumerate(schema.get(key, [])):
            check_schema(document, inner, f"{path}/{key}/{index}")


def operations(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in METHODS:
                yield path, method, item, operation


@tests.test("openapi.json is a well-formed OpenAPI 3.1 document")
def well_formed():
    with server() as subject:
        answer = subject.anyone().get("/openapi.json").expect(200)
        document = answer.json
    check(document["openapi"].startswith("3.1."), f"version {document['openapi']}")
    check(document["info"]["title"] and document["info"]["version"], "info lacks title or version")
    for path, at in walk(document, document):
        if isinstance(at.get("$ref"), str):
            pointer(document, at["$ref"])
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        check_schema(document, schema, f"#/components/schemas/{name}")
    seen = set()
    for path, method, item, operation in operations(document):
        where = f"{method.upper()} {path}"
        check(operation.get("operationId") and operation["operationId"] not in seen, f"{where}: operationId missing or used twice")
        seen.add(operation["operationId"])
        check(operation.get("summary") or operation.get("description"), f"{where}: nothing says what it does")
        named = [parameter if "$ref" not in parameter else pointer(document, parameter["$ref"])
                 for parameter in item.get("parameters", []) + operation.get("parameters", [])]
        in_path = {parameter["name"] for parameter in named if parameter["in"] == "path"}
        check(in_path == set(re.findall(r"{(\w+)}", path)), f"{where}: parameters of the path: {in_path}")
        for parameter in named:
            check(parameter["in"] in ("path", "query", "header", "cookie") and "schema" in parameter, f"{where}: {parameter}")
            check(parameter["in"] != "path" or parameter.get("required") is True, f"{where}: a parameter of the path is required")
        check(operation.get("responses"), f"{where}: no answers")
        for status, said in operation["responses"].items():
            check(re.fullmatch(r"[1-5](\d\d|XX)|default", status), f"{where}: status {status}")
            said = pointer(document, said["$ref"]) if "$ref" in said else said
            check(said.get("description"), f"{where} {status}: no description")
            for media in said.get("content", {}).values():
                check_schema(document, media.get("schema", True), where)
        for media in operation.get("requestBody", {}).get("content", {}).values():
            check_schema(document, media.get("schema", True), where)
    check(len(seen) > 20, f"only {len(seen)} operations are described")
    return f"{len(seen)} operations, {len(document['components']['schemas'])} schemas"


@tests.test("every operation described exists, and asks for credentials unless it is public")
def described_exists():
    with server() as subject:
        document = subject.anyone().get("/openapi.json").json
        public = 0
        for path, method, _, operation in operations(document):
            asked = [parameter["name"] + "=0" for parameter in operation.get("parameters", [])
                     if parameter.get("in") == "query" and parameter.get("required")]
            filled = re.sub(r"{\w+}", "0", path) + ("?" + "&".join(asked) if asked else "")
            answer = subject.anyone().request(method.upper(), filled, b"{}" if "requestBody" in operation else None,
                                              {"Content-Type": "application/json"}.items())
            if operation["x-garant-who"] == "anyone":                 # whoever asks; what they are asked for may still be refused
                check(answer.status not in (405, 501), f"{method.upper()} {path} answers {answer.status}")
            elif operation["x-garant-who"] == "public":
                public += 1
                check(answer.status not in (401, 403, 405, 501), f"{method.upper()} {path} is public and answers {answer.status}")
            elif answer.status == 303:                                # a page: to the sign-in, and back
                check(answer.headers["location"].startswith("/signin"), f"{method.upper()} {path} goes to {answer.headers['location']}")
            else:
                check(answer.status in (401, 403), f"{method.upper()} {path} without credentials answers {answer.status}")
    return f"{public} public"


@tests.test("every path of docs/api.md is described")
def documented():
    with open(f"{TOP}/docs/api.md", encoding="utf-8") as file:
        rows = re.findall(r"^\| ([A-Z, ]+) (/[^|]*?) \|", file.read(), re.M)
    with server() as subject:
        document = subject.anyone().get("/openapi.json").json
    described = {re.sub(r"{\w+}", "{}", path): item for path, item in document["paths"].items()}
    for methods, paths in rows:
        path = re.sub(r"{\w+}", "{}", re.sub(r"\[.*?\]|\?.*|\(.*?\)", "", paths.split(" · ")[0]).strip())
        check(path in described or "/journal/tile" in path, f"{path} of docs/api.md is not described")
        for method in methods.replace(",", " ").split():
            check("/journal/" in path or method.lower() in described[path], f"{method} {path} of docs/api.md is not described")
    check(len(rows) > 20, f"only {len(rows)} rows were read of docs/api.md")


@tests.test("answers fit the schemas that describe them")
def true_of_answers():
    with server() as subject:
        document = subject.anyone().get("/openapi.json").json
        client = subject.client("app")
        made = client.post("/v1/subjects", {"data": person(1), "source": "person"}).expect(201)
        ident = made.json["id"]
        asked = [("post", "/v1/subjects", made), ("get", "/v1/subjects/{id}", client.read(ident, "service")),
                 ("post", "/v1/subjects/{id}/consents", client.consent(ident, "news")),
                 ("get", "/v1/subjects/{id}/consents", client.get(f"/v1/subjects/{ident}/consents")),
                 ("get", "/v1/subjects/{id}/former", client.get(f"/v1/subjects/{ident}/former")),
                 ("get", "/v1/subjects/{id}/access", client.get(f"/v1/subjects/{ident}/access")),
                 ("get", "/v1/policy", client.get("/v1/policy")),
                 ("get", "/healthz", client.get("/healthz")),
                 ("get", "/v1/subjects/{id}", client.read(ident, "nonsense")),
                 ("post", "/v1/subjects/{id}/erase", client.post(f"/v1/subjects/{ident}/erase", {}))]
        for method, path, answer in asked:
            item = next(item for name, item in document["paths"].items() if re.sub(r"{\w+}", "{}", name) == re.sub(r"{\w+}", "{}", path))
            responses = item[method]["responses"]
            said = responses.get(str(answer.status)) or responses.get(f"{answer.status // 100}XX") or responses.get("default")
            check(said, f"{answer.asked}: {answer.status} is not described")
            said = pointer(document, said["$ref"]) if "$ref" in said else said
            for media, content in said.get("content", {}).items():
                if media in answer.headers["content-type"]:
                    fits(document, content["schema"], answer.json, answer.asked)
    return f"{len(asked)} answers"


KINDS = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict, "null": type(None)}


def fits(document, schema, value, where):
    """The part of JSON Schema that the description uses."""
    if isinstance(schema, bool):
        return check(schema, f"{where}: nothing fits here")
    if "$ref" in schema:
        return fits(document, pointer(document, schema["$ref"]), value, where)
    types = schema.get("type")
    types = [types] if isinstance(types, str) else types
    if types:
        check(any(isinstance(value, KINDS[t]) and not (isinstance(value, bool) and t in ("integer", "number")) for t in types),
              f"{where}: {value!r:.100} is not {types}")
    check("enum" not in schema or value in schema["enum"], f"{where}: {value!r:.100} is not one of {schema.get('enum')}")
    check("const" not in schema or value == schema["const"], f"{where}: {value!r:.100} is not {schema.get('const')}")
    if isinstance(value, str) and "pattern" in schema:
        check(re.search(schema["pattern"], value), f"{where}: {value!r:.100} does not match {schema['pattern']}")
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        for name in schema.get("required", []):
            check(name in value, f"{where}: {name} is missing")
        for name, inner in value.items():
            if name in properties:
                fits(document, properties[name], inner, f"{where}.{name}")
            elif "additionalProperties" in schema:
                fits(document, schema["additionalProperties"], inner, f"{where}.{name}")
    if isinstance(value, list) and "items" in schema:
        for index, inner in enumerate(value):
            fits(document, schema["items"], inner, f"{where}[{index}]")
    for inner in schema.get("allOf", []):
        fits(document, inner, value, where)
    faults = []
    for inner in schema.get("anyOf", schema.get("oneOf", [])):
        try:
            return fits(document, inner, value, where)
        except AssertionError as fault:
            faults.append(str(fault))
    check(not faults, f"{where} fits none: {'; '.join(faults)}")


tests.main()
