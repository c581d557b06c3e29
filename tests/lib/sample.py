"""Made-up people for any policy: values are chosen by the types that the policy declares, never by whose policy it is."""
import re

PEOPLE = [("Camille", "Bernard"), ("Inès", "Lefèvre"), ("Mathis", "Dubois"), ("Zoé", "Garnier"), ("Youssef", "Benali"),
          ("Jonas", "Weber"), ("Ana", "Pereira"), ("Louise", "Moreau"), ("Giulia", "Rossi"), ("Aleksas", "Kazlauskas")]
# Words in names of fields that tell what a person would write there; a field that has none of them gets a plain sentence.
WORDS = [("first", 0), ("given", 0), ("last", 1), ("family", 1), ("surname", 1),
         ("company", "Studio Lumière"), ("employer", "Studio Lumière"), ("title", "Director of studies"), ("function", "Director of studies"),
         ("street", "12 rue des Lilas"), ("address", "12 rue des Lilas, 69003 Lyon"), ("post", "69003"), ("city", "Lyon"), ("town", "Lyon"),
         ("site", "Lyon agency"), ("pseudonym", "kite-flyer"), ("screen", "kite-flyer"), ("nick", "kite-flyer"), ("login", "kite-flyer"),
         ("number", "N-2026-0042"), ("reference", "R-2026-0042")]


def listed(value):
    """What the policy file gives as one word or as a list of them, as a list."""
    return [] if value in (None, "none", "") else [value] if isinstance(value, str) else list(value)


def said(value, language="en"):
    """A text of the policy in a language."""
    return value if isinstance(value, str) else (value or {}).get(language) or next(iter((value or {"": ""}).values()))


def truth(value):
    return value == "true"


class Document:
    """The policy as JSON, as GET /v1/policy gives it; every scalar is a text."""

    def __init__(self, tree):
        self.tree = tree
        self.categories, self.purposes = tree["categories"], tree["purposes"]
        self.systems = tree.get("systems") or {}

    def actor(self):
        """The system that may do most."""
        def reach(name):
            return len(listed(self.systems[name]["acts"])), len(listed(self.systems[name]["purposes"]))
        return max(self.systems, key=reach)

    def actor_purposes(self):
        return listed(self.systems[self.actor()]["purposes"])

    def using(self, category):
        """Purposes of the actor that may use a category, those that need no consent first."""
        able = [name for name in self.actor_purposes() if category in listed(self.purposes[name]["categories"])]
        return sorted(able, key=lambda name: self.purposes[name]["basis"] == "consent")

    def consent_purposes(self):
        return [name for name in self.actor_purposes() if self.purposes[name]["basis"] == "consent"]

    def identifier(self):
        """(category, field) by which people are looked up."""
        found = [(category, field) for category, body in self.categories.items() for field, type_ in body["fields"].items()
                 if truth(type_.get("identifier"))]
        return min(found, key=lambda pair: self.categories[pair[0]]["fields"][pair[1]]["type"] != "email")

    def single(self):
        """Categories that stand once a person, come from that person, are written to disk, and need no consent."""
        return [name for name, body in self.categories.items()
                if not truth(body.get("many")) and "transient" not in body and self.using(name)
                and self.purposes[self.using(name)[0]]["basis"] != "consent" and "stream" not in body
                and "person" in (listed(body.get("source")) or ["person"])]

    def main_purpose(self):
        """The purpose without consent that uses the most of what a person gives."""
        able = [name for name in self.actor_purposes() if self.purposes[name]["basis"] != "consent"]
        return max(able, key=lambda name: len(set(listed(self.purposes[name]["categories"])) & set(self.single())))


def value(name, field, number):
    """A value of the field's type."""
    first, last = PEOPLE[number % len(PEOPLE)]
    kind = field["type"]
    if kind == "text":
        hint = next((hint for word, hint in WORDS if word in name), f"{first} {last}" if "name" in name else "as told on the phone")
        text = (first, last)[hint] if isinstance(hint, int) else hint
        if truth(field.get("identifier")):                       # one person's alone
            text = f"{text}-{number}"
        return text[:int(field.get("max", 1000))].ljust(int(field.get("min", 0)), "x")
    if kind in ("integer", "number"):
        return int(field.get("default") or field.get("min") or 1)
    plain = re.sub(r"[^a-z]", "", f"{first}{last}".lower().translate(str.maketrans("éèëï", "eeei")))
    return {"email": f"{plain}{number}@people.example", "phone": f"+3361234{number:04d}", "boolean": True, "date": "1988-04-17",
            "time": "2026-11-21T09:30:00.000Z", "colour": "#0055a4", "country": "FR", "url": "https://people.example/" + plain,
            "ip": f"192.0.2.{number % 250 + 1}", "iban": "FR7630006000011234567890189", "json": {},
            "choice": (listed(field.get("choices")) or [""])[0]}[kind]


def fields(category, number):
    """A filled category: each field whose condition holds (conditions are on a field of the same category)."""
    types = category["fields"]
    filled = {name: value(name, type_, number) for name, type_ in types.items()
              if "when" not in type_ and type_["type"] != "card"}
    for name, type_ in types.items():
        conditions = type_.get("when") or {}
        if conditions and all(str(filled.get(other, "")).lower() == wanted for other, wanted in conditions.items()):
            filled[name] = value(name, type_, number)
    return filled


def person(document, number):
    """Everything that a person gives once."""
    return {name: fields(document.categories[name], number) for name in document.single()}


def values(data):
    """The texts of some data that are long enough to be searched for as bytes."""
    found = []
    for body in data.values():
        found += [text for text in body.values() if isinstance(text, str) and len(text) >= 8]
    return found
