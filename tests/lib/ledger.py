"""Rows that decide, altered behind the server's back: which tables are bound to the journal, and what somebody with the file in hand could do."""
import contextlib, re, shutil
import engine
import rows

TOLD = {("policy_version", "text"), ("wording", "text")}      # by table and column: found by its digest, or sealed to its row, and not bound
TYPES = {}                                      # by table and column; what is sealed has none, and is bytes


def bound_tables():
    """Of tables.def: table to (kind, columns, key)."""
    text = rows.table("store/tables.def")
    found = {}
    for name, kind, rest in re.findall(r"^TABLE\((\w+), \w+, \w+, \w+, (\w+),\n(.*?)KEY\(", text, re.S | re.M):
        key = re.search(rf"^TABLE\({name},.*?KEY\(([^)]*)\)", text, re.S | re.M)[1]
        TYPES.update({(name, column): type_ for column, type_ in re.findall(r"COLUMN\((\w+), (\w+)", rest)})
        told = re.findall(r"SEALED\((\w+), \w+, (?:row|consents|requests)\)", rest)
        TOLD.update((name, column) for column in told)
        found[name] = kind, re.findall(r"(?:COLUMN|SEALED)\((\w+)", rest), [column.strip() for column in key.split(",")]
    return {name: spec for name, spec in found.items() if spec[0] != "free"}


@contextlib.contextmanager
def opened(data):
    with contextlib.closing(engine.base(data, write=True)) as base:
        yield base
        base.commit()


def execute(data, *statements):
    """Statements on the file, as anybody with it in hand runs them; the rows that each touched."""
    with opened(data) as base:
        return [base.execute(statement).rowcount for statement in statements]


def decides(table):
    """Of meta only these rows decide."""
    return " WHERE name IN ('policy', 'journal.first', 'retention')" if table == "meta" else ""


def filled(data):
    """The bound tables that have a row here."""
    with opened(data) as base:
        return [table for table in bound_tables() if base.execute(f"SELECT 1 FROM {table}{decides(table)} LIMIT 1").fetchone()]


def other(value, type_=None):
    if value is None:
        value = {"integer": 0, "text": ""}.get(type_, b"")
    if isinstance(value, int):
        return value + 1
    return value + "x" if isinstance(value, str) else bytes([value[0] ^ 1]) + value[1:] if value else b"x"


def where(base, table, row, columns, key):
    return " AND ".join(f"{column} IS ?" for column in key), [row[columns.index(column)] for column in key]


def one_row(base, table, columns):
    return list(base.execute(f"SELECT {', '.join(columns)} FROM {table}{decides(table)} ORDER BY 1 LIMIT 1").fetchone())


def alter(data, table, number):
    """Another value in the column of that number; its name, or None where the table has no such column or takes no such value."""
    _, columns, key = bound_tables()[table]
    if number >= len(columns) or (table, columns[number]) in TOLD:
        return None
    with opened(data) as base:
        row = one_row(base, table, columns)
        place, values = where(base, table, row, columns, key)
        if table == "meta" and columns[number] == "name":
            return None
        base.execute(f"UPDATE {table} SET {columns[number]} = ? WHERE {place}", [other(row[number], TYPES.get((table, columns[number]))), *values])
    return columns[number]


def delete(data, table):
    _, columns, key = bound_tables()[table]
    with opened(data) as base:
        place, values = where(base, table, one_row(base, table, columns), columns, key)
        base.execute(f"DELETE FROM {table} WHERE {place}", values)


def copy(data, table):
    """The row once more under another key: another person's where it is a person's."""
    _, columns, key = bound_tables()[table]
    if table == "meta":
        return False
    with opened(data) as base:
        row = one_row(base, table, columns)
        for column in reversed(key):
            at = columns.index(column)
            if column == "subject" or (column == "id" and "subject" not in key) or column == key[-1]:
                row[at] = other(row[at])
                break
        base.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", row)
    return True


def put_back(data, older, tables):
    """Those tables as an older copy of the folder has them."""
    with opened(data) as base:
        engine.attach(base, older)
        for table in tables:
            base.execute(f"DELETE FROM main.{table}")
            base.execute(f"INSERT INTO main.{table} SELECT * FROM older.{table}")
        base.commit()
        base.execute("DETACH older")


def put_back_whole(data, older, tables):
    """Those tables as they were, together with all that binds their rows: the bindings and the heads."""
    names = {"person" if bound_tables()[table][0] in ("person", "itself") else table for table in tables}
    several = ", ".join("?" * len(tables))
    with opened(data) as base:
        engine.attach(base, older)
        for table in tables:
            base.execute(f"DELETE FROM main.{table}")
            base.execute(f"INSERT INTO main.{table} SELECT * FROM older.{table}")
        base.execute(f"DELETE FROM main.bound WHERE of_table IN ({several})", tables)
        base.execute(f"INSERT INTO main.bound SELECT * FROM older.bound WHERE of_table IN ({several})", tables)
        for name in names:
            base.execute("DELETE FROM main.ledger WHERE name = ?", (name,))
            base.execute("INSERT INTO main.ledger SELECT * FROM older.ledger WHERE name = ?", (name,))
        base.commit()
        base.execute("DETACH older")


@contextlib.contextmanager
def tampered(data, folder):
    """A copy of the data folder to alter; gone behind the block."""
    shutil.rmtree(folder, ignore_errors=True)
    engine.copied(data, folder, ignore=shutil.ignore_patterns("garant.sock"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
