"""What a data folder holds of one person, whatever its tables: every row with the person's id, read from the files beside the running server."""
import contextlib
import engine

DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def id_bytes(ident):
    """The 16 bytes of an id of 26 characters (Crockford's base 32)."""
    value = 0
    for character in ident:
        value = value * 32 + DIGITS.index(character)
    return value.to_bytes(16, "big")


def rows_of(data, ident, base="data.db"):
    """{table: rows that name the person}, of every table of the file, whatever the column."""
    wanted, found = id_bytes(ident), {}
    with contextlib.closing(engine.base(data, base)) as file:
        for (table,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            columns = [row[1] for row in file.execute(f'PRAGMA table_info("{table}")')]
            where = " OR ".join(f'"{column}" = ?' for column in columns)
            count = file.execute(f'SELECT count(*) FROM "{table}" WHERE {where}', [wanted] * len(columns)).fetchone()[0]
            if count:
                found[table] = count
    return found


def counts(data, base="data.db"):
    """{table: rows}."""
    with contextlib.closing(engine.base(data, base)) as file:
        tables = [row[0] for row in file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {table: file.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0] for table in tables}
