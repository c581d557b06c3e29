"""Tables of the program (*.def) as text, with the fragments of the features in the place where each is included."""
import os, re

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def table(path):
    """The rows of src/`path`, as the compiler finds them."""
    with open(os.path.join(TOP, "src", path), encoding="utf-8") as file:
        return re.sub(r'^#include "([^"]+\.def)"\n', lambda row: table(row[1]), file.read(), flags=re.M)
