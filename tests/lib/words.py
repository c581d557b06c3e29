"""The words of the pages by their key, so that a test asserts which sentence is shown and not how it is put; and texts as typed."""
import pathlib
import re

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "src"
LITERAL = r'(?:"(?:\\.|[^"\\])*"\s*)+'
ROW = re.compile(rf'^(?:WORD|EVENT|LOOK)\(({LITERAL}),\s*({LITERAL}),\s*({LITERAL})\)', re.M)


def joined(literals):
    """The text of C string literals that stand behind each other."""
    return "".join(re.findall(r'"((?:\\.|[^"\\])*)"', literals)).replace('\\"', '"').replace("\\n", "\n")


def rows():
    """{key: (English, French)} of every row of words and of acts of the journal."""
    found = {}
    for path in SOURCES.rglob("*.def"):
        for key, en, fr in ROW.findall(path.read_text()):
            found[joined(key)] = (joined(en), joined(fr))
    return found


WORDS = rows()


def word(key, language="en"):
    """The word of that key, as words.def has it: straight apostrophes and plain blanks, which is how Page.has compares."""
    return WORDS[key][language == "fr"]


def typed(text):
    """Typographic apostrophes and blanks as one types them."""
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("’", "'")


def event(act, language="en"):
    """The sentence of an act of the journal (events.def)."""
    return WORDS[act][language == "fr"]


def title(slug):
    """(English, French) title of the error of that slug (errors.def)."""
    row = re.search(rf'"{slug}",[^"]*"([^"]*)",\s*"([^"]*)"', (SOURCES / "base/errors.def").read_text())
    return row[1], row[2]
