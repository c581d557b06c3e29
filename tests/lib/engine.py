"""Which engine the servers of a test store on. With GARANT_ENGINE=postgresql each data folder has two databases of its own on one PostgreSQL,
which this process starts, unless who started this one did: GARANT_POSTGRESQL_AT names its folder. Otherwise files of the folder."""
import atexit, contextlib, hashlib, os, shutil, sqlite3, threading
from postgres import Postgres

POSTGRESQL = os.environ.get("GARANT_ENGINE", "") == "postgresql"
FILES = {"data.db": "data", "keys.db": "keys"}
LOCK, STATE = threading.Lock(), {}
MADE = set()                                                     # folders that got databases here


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
    with LOCK:
        gone = [folder for folder in MADE if not os.path.exists(os.path.dirname(folder))]
        MADE.difference_update(gone)
        MADE.add(os.path.abspath(data))
    for folder in [data, *gone]:
        dropped(folder)
    for file in FILES:
        _, errors = shared().run(f"CREATE DATABASE {name(data, file)} TEMPLATE template0;\n")
        assert not errors, errors


def dropped(data):
    if POSTGRESQL:
        for file in FILES:
            shared().forget(name(data, file))
        shared().run("".join(f"DROP DATABASE IF EXISTS {name(data, file)} WITH (FORCE);\n" for file in FILES))


class Copied(sqlite3.Connection):
    """What a database of PostgreSQL holds, in SQLite's form; what is altered goes there when it is committed."""

    where, tables, were = None, {}, {}

    def fill(self, where, only=None):
        """Reads all of it, or these tables."""
        self.where, self.tables, self.were = where, {}, {}
        found = shared().ask("SELECT table_name, string_agg(column_name || ' ' || data_type, ',' ORDER BY ordinal_position) FROM"
                                " information_schema.columns WHERE table_schema = 'public' GROUP BY table_name ORDER BY 1;", where)
        keyed = shared().ask("SELECT table_name, string_agg(column_name, ',' ORDER BY ordinal_position) FROM information_schema.key_column_usage"
                             " WHERE table_schema = 'public' GROUP BY table_name;", where)
        keys = dict(line.split("\t") for line in keyed.splitlines())
        for line in found.splitlines():
            table, columns = line.split("\t")
            if only and table not in only:
                continue
            self.tables[table] = [tuple(column.split(" ", 1)) for column in columns.split(",")]
            named = ", ".join(f'"{column}"' for column, _ in self.tables[table])
            self.execute(f'CREATE TABLE "{table}" ({named}, PRIMARY KEY ({keys[table]}))')
            self.executemany(f'INSERT INTO "{table}" VALUES ({", ".join("?" * len(self.tables[table]))})', self.read(table))
            self.were[table] = self.held(table)
        super().commit()

    def more(self, table, column):
        """The rows that came since, of a table that only grows in that column."""
        last = self.execute(f'SELECT coalesce(max("{column}"), -1) FROM "{table}"').fetchone()[0]
        self.executemany(f'INSERT INTO "{table}" VALUES ({", ".join("?" * len(self.tables[table]))})',
                         self.read(table, f'WHERE "{column}" > {last}'))

    def read(self, table, where=""):
        told = ", ".join(f"encode(convert_to(\"{name}\"::text, 'UTF8'), 'hex')" if kind == "text" else f"encode(\"{name}\", 'hex')"
                         if kind == "bytea" else f'"{name}"::text' for name, kind in self.tables[table])
        rows = shared().ask(f'SELECT {told} FROM "{table}" {where} ORDER BY 1, 2;', self.where)
        ways = {"text": lambda value: bytes.fromhex(value).decode(), "bytea": bytes.fromhex, "bigint": int}
        kinds = [ways[kind] for _, kind in self.tables[table]]
        return [[None if value == "-" else way(value) for value, way in zip(row.split("\t"), kinds)] for row in rows.split("\n")[:-1]]

    def held(self, table):
        return self.execute(f'SELECT * FROM "{table}"').fetchall()

    def commit(self):
        super().commit()
        changed = {table: rows for table in self.tables if (rows := self.held(table)) != self.were[table]}
        words = {str: lambda value: value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r"),
                 bytes: lambda value: "\\\\x" + value.hex(), int: str, float: lambda value: str(int(value)),
                 type(None): lambda value: "\\N"}
        script = "".join(f'DELETE FROM "{table}";\nCOPY "{table}" FROM STDIN;\n'
                         + "".join("\t".join(words[type(value)](value) for value in row) + "\n" for row in rows) + "\\.\n"
                         for table, rows in changed.items())
        if script:
            _, errors = shared().run(f"BEGIN;\n{script}COMMIT;\n", self.where)
            assert not errors, errors
        self.were |= changed

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.commit()


def base(data, file="data.db", write=False, only=None, **options):
    """The folder's file as SQLite opens it, or a copy in that form of what its database holds now: Copied (of the tables `only`)."""
    if not POSTGRESQL:
        path = os.path.join(data, file)
        return sqlite3.connect(path if write else f"file:{path}?mode=ro", uri=not write, **{"timeout": 30, **options})
    copy = sqlite3.connect(":memory:", factory=Copied, **options)
    copy.fill(name(data, file), only)
    return copy


def version(data, file, by=0):
    """The version of that file's tables, raised by so many before."""
    if not POSTGRESQL:
        with contextlib.closing(sqlite3.connect(os.path.join(data, file), isolation_level=None)) as opened:
            now = opened.execute("PRAGMA user_version").fetchone()[0] + by
            opened.execute(f"PRAGMA user_version = {now}")
            return now
    said, errors = shared().run(f"UPDATE garant_version SET version = version + {by} RETURNING version;\n", name(data, file))
    assert not errors, errors
    return int(said)


def attach(opened, data, file="data.db", called="older"):
    """Another folder's, or another file, beside it."""
    if not POSTGRESQL:
        opened.execute(f"ATTACH ? AS {called}", (os.path.join(data, file),))
        return
    opened.execute(f"ATTACH ':memory:' AS {called}")
    with contextlib.closing(base(data, file)) as other:
        for table, columns in other.tables.items():
            opened.execute(f'CREATE TABLE {called}."{table}" ({", ".join(chr(34) + column + chr(34) for column, _ in columns)})')
            opened.executemany(f'INSERT INTO {called}."{table}" VALUES ({", ".join("?" * len(columns))})', other.held(table))


def copied(data, to, **options):
    """A copy of a folder, with its databases when it has some; the server on it must have stopped, or be of no matter."""
    shutil.copytree(data, to, **options)
    if POSTGRESQL:
        dropped(to)
        for file in FILES:
            shared().forget(name(data, file))
            shared().run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name(data, file)}';\n"
                         f"CREATE DATABASE {name(to, file)} TEMPLATE {name(data, file)};\n")
    return to


def _database(to, of):
    """Of that name, as it is copied from another; `of` None: empty."""
    ends = f"SET client_min_messages = error;\nSELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname IN ('{to}', '{of}');\n"
    for one in (to, of):
        shared().forget(one)
    _, errors = shared().run(f"{ends}DROP DATABASE IF EXISTS {to} WITH (FORCE);\nCREATE DATABASE {to} TEMPLATE {of or 'template0'};\n")
    assert not errors, errors


def set_aside(data, path):
    """A copy of data.db, or of its database, for put_back(); the server on it must have stopped."""
    if POSTGRESQL:
        _database(name(path), name(data))
    else:
        shutil.copy(os.path.join(data, "data.db"), path)


def put_back(data, path):
    if POSTGRESQL:
        _database(name(data), name(path))
        return
    for log in ("data.db-wal", "data.db-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.remove(os.path.join(data, log))
    shutil.copy(path, os.path.join(data, "data.db"))


def taken_away(data, path):
    """data.db is moved out of the way; its database is made anew, empty."""
    if POSTGRESQL:
        _database(name(data), None)
    else:
        os.rename(os.path.join(data, "data.db"), path)
