"""Which engine the servers of a test store on. With GARANT_ENGINE=postgresql each data folder has two databases of its own on one PostgreSQL,
which this process starts, unless who started this one did: GARANT_POSTGRESQL_AT names its folder. Otherwise files of the folder."""
import atexit, contextlib, hashlib, os, shutil, sqlite3, threading
from postgres import Postgres

POSTGRESQL = os.environ.get("GARANT_ENGINE", "") == "postgresql"
FILES = {"data.db": "data", "keys.db": "keys"}
LOCK, STATE = threading.Lock(), {}


def shared():
    """The PostgreSQL of this process, or of who started it."""
    with LOCK:
        if "server" not in STATE and "GARANT_POSTGRESQL_AT" in os.environ:
            STATE["server"] = Postgres.running(os.environ["GARANT_POSTGRESQL_AT"])
        elif "server" not in STATE:
            STATE["server"] = Postgres().__enter__()              # pylint: disable=unnecessary-dunder-call
            atexit.register(STATE["server"].__exit__)
            os.environ["GARANT_POSTGRESQL_AT"] = STATE["server"].dir
        return STATE["server"]


def name(data, file="data.db"):
    """The database of a folder's file."""
    return f"g{hashlib.sha256(os.path.realpath(data).encode()).hexdigest()[:16]}_{FILES[file]}"


def address(data, file="data.db"):
    return f"postgresql://garant@/{name(data, file)}?host={shared().dir}"


def environment(data):
    """What tells a command where the data of that folder are."""
    return {"GARANT_STORE": address(data), "GARANT_KEYRING": address(data, "keys.db")} if POSTGRESQL and data else {}


def ready(data):
    """Before a start: a folder that has none yet gets its databases, empty."""
    if not POSTGRESQL or os.path.exists(os.path.join(data, "postgresql")):
        return
    dropped(data)
    for file in FILES:
        _, errors = shared().run(f"CREATE DATABASE {name(data, file)} TEMPLATE template0;\n")
        assert not errors, errors


def dropped(data):
    if POSTGRESQL:
        shared().run("".join(f"DROP DATABASE IF EXISTS {name(data, file)} WITH (FORCE);\n" for file in FILES))


def base(data, file="data.db"):
    """For reading: the folder's file as SQLite opens it, or what the database holds now, in a copy of that form."""
    if not POSTGRESQL:
        return sqlite3.connect(f"file:{os.path.join(data, file)}?mode=ro", uri=True, timeout=30)
    where, into = name(data, file), sqlite3.connect(":memory:")
    tables, _ = shared().run("SELECT table_name, string_agg(column_name || ' ' || data_type, ',' ORDER BY ordinal_position) FROM"
                             " information_schema.columns WHERE table_schema = 'public' GROUP BY table_name;\n", where)
    for line in tables.splitlines():
        table, columns = line.split("\t")
        columns = [column.split(" ", 1) for column in columns.split(",")]
        into.execute(f'CREATE TABLE "{table}" ({", ".join(chr(34) + column + chr(34) for column, _ in columns)})')
        told = ", ".join(f"encode(convert_to(\"{c}\"::text, 'UTF8'), 'hex')" if kind == "text" else f"encode(\"{c}\", 'hex')" if kind == "bytea"
                         else f'"{c}"::text' for c, kind in columns)
        rows, errors = shared().run(f"\\pset null -\nSELECT {told} FROM \"{table}\";\n", where)
        assert not errors, errors
        read = {"text": lambda v: bytes.fromhex(v).decode(), "bytea": bytes.fromhex, "bigint": int}
        values = [[None if v == "-" else read[kind](v) for v, (_, kind) in zip(row.split("\t"), columns)] for row in rows.splitlines()]
        into.executemany(f'INSERT INTO "{table}" VALUES ({", ".join("?" * len(columns))})', values)
    return into


@contextlib.contextmanager
def reading(data, file="data.db"):
    opened = base(data, file)
    try:
        yield opened
    finally:
        opened.close()


def copied(data, to, **options):
    """A copy of a folder, with its databases when it has some; the server on it must have stopped, or be of no matter."""
    shutil.copytree(data, to, **options)
    if POSTGRESQL:
        dropped(to)
        for file in FILES:
            shared().run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name(data, file)}';\n"
                         f"CREATE DATABASE {name(to, file)} TEMPLATE {name(data, file)};\n")
    return to
