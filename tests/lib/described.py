"""The routes of a server, from its own table and description: what is asked of each is made from them, so that a new route is tested on its day."""
import json, re, urllib.parse
from garant import garant


class Routes:
    """The routes of a server, with what its description says of each."""

    def __init__(self, server):
        self.server = server
        self.rows = json.loads(garant("help", "routes", "--json"))
        self.description = server.anyone().get("/openapi.json").expect(200).json
        self.schemas = self.description["components"]["schemas"]

    def operation(self, row):
        return self.description["paths"][row["path"].replace("*", "")][row["method"].lower()]

    def is_page(self, row):
        return "text/html; charset=utf-8" in self.operation(row)["responses"][str(row["status"])].get("content", {})

    def body(self, row, value):
        """A body of the described form with `value` for each text in it, or None."""
        content = self.operation(row).get("requestBody", {}).get("content", {})
        for kind, said in content.items():
            if kind.startswith("application/json") or kind.startswith("application/merge-patch"):
                return self.fill(said["schema"], value)
        return b"file" if content else None

    def fill(self, schema, value, depth=0):
        if "$ref" in schema:
            return self.fill(self.schemas[schema["$ref"].rpartition("/")[2]], value, depth + 1) if depth < 6 else {}
        for some in ("oneOf", "anyOf"):
            if some in schema:
                return self.fill(schema[some][0], value, depth)
        kind = schema.get("type")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "object":
            members = {name: self.fill(one, value, depth) for name, one in schema.get("properties", {}).items()}
            more = schema.get("additionalProperties")
            return members or {value: self.fill(more, value, depth) if isinstance(more, dict) and more else value}
        return {"array": [self.fill(schema.get("items", {}), value, depth)] if kind == "array" else [], "integer": 1, "number": 1,
                "boolean": True}.get(kind, value)

    def path(self, row, values, queries=None):
        """The path with values for its parameters (else "x1"), and a query; what is required in it and not given is "service"."""
        path = re.sub(r"\{(\w+)\*?\}", lambda m: urllib.parse.quote(values.get(m[1], "x1"), safe=""), row["path"])
        query = {p["name"]: "service" for p in self.operation(row)["parameters"] if p["in"] == "query" and p["required"]}
        query.update(queries or {})
        return path + ("?" + urllib.parse.urlencode(query, quote_via=urllib.parse.quote) if query else "")

    def parameters(self, row, where):
        return [p["name"] for p in self.operation(row)["parameters"] if p["in"] == where]


def ask(client, row, path, body=None, **headers):
    if row["method"] == "PATCH":
        headers["If-Match"] = '"1"'
    return client.request(row["method"], path, body, headers.items())
