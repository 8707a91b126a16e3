"""The program under test, and what its store holds, read by SQL beside it."""

import collections
import json
import os
import pathlib
import sqlite3
import subprocess
import time

from . import library

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Failure(Exception):
    """A promise that did not hold."""


# Each returns a sentence for every disagreement; none may, at any moment, in any snapshot.
HALF_VISIBLE = [
    """SELECT 'a document without a revision: ' || uri FROM documents d
       WHERE NOT EXISTS (SELECT 1 FROM revisions r WHERE r.document = d.key)""",
    """SELECT d.uri || ' has ' || count(c.key) || ' chunks of ' || r.chunk_count FROM revisions r
       JOIN documents d ON d.key = r.document LEFT JOIN chunks c ON c.revision = r.key
       GROUP BY r.key HAVING count(c.key) <> r.chunk_count""",
    """SELECT 'chunk ' || c.id || ' has no vector' FROM chunks c LEFT JOIN vectors v ON v.chunk = c.key
       WHERE v.chunk IS NULL""",
    """SELECT 'text ' || t.key || ' has ' || count(p.key) || ' pages of ' || t.page_count FROM texts t
       LEFT JOIN pages p ON p.text = t.key GROUP BY t.key HAVING count(p.key) <> t.page_count""",
    """SELECT 'two live documents at ' || uri FROM documents GROUP BY collection, uri HAVING count(*) > 1""",
]


class Quarry:
    """The program, with a data directory of its own."""

    def __init__(self, program, folder):
        self.program, self.folder = str(program), pathlib.Path(folder)
        self.path = self.folder / "quarry.sqlite"
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("QUARRY_")}
        # The program's own defaults, whatever the user has configured.
        self.environment.update(QUARRY_CONFIG="/dev/null", QUARRY_DATA_DIRECTORY=str(folder))

    def start(self, *words, **options):
        """Starts a process group of its own."""
        options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
        return subprocess.Popen([self.program, *map(str, words)], env=self.environment, stdin=subprocess.DEVNULL,
                                start_new_session=True, **options)

    def run(self, *words, codes=(0,), timeout=600):
        done = subprocess.run([self.program, *map(str, words)], env=self.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=timeout)
        if done.returncode not in codes:
            raise Failure(f"quarry {' '.join(map(str, words))} ended with {done.returncode}: "
                          f"{done.stderr.decode()[-1500:]}{done.stdout.decode()[-1500:]}")
        return done.stdout.decode()

    def json(self, *words, codes=(0,)):
        return json.loads(self.run(*words, "--json", codes=codes))

    def offers(self, *words):
        command = [self.program, *words, "--help"]
        return subprocess.run(command, env=self.environment, capture_output=True).returncode == 0

    def database(self, read_only=True):
        mode = "ro" if read_only else "rw"
        # Every character that a URI gives a meaning is in the folder's own name, which we chose.
        return sqlite3.connect(f"file:{self.path}?mode={mode}", uri=True, timeout=60, isolation_level=None)

    # Computing twice

    def audit_embeddings(self):
        """From now on, each embedding written to the cache is noted in the very transaction that writes it."""
        with self.database(read_only=False) as database:
            database.execute("CREATE TABLE soak_computed (identity INTEGER, text_hash TEXT)")
            database.execute("""CREATE TRIGGER soak_computed_insert AFTER INSERT ON embedding_cache BEGIN
                                INSERT INTO soak_computed VALUES (new.identity, new.text_hash); END""")

    def check_embeddings(self):
        """Returns how many were computed; none may have been twice."""
        database = self.database()
        try:
            twice = database.execute("SELECT count(*) FROM (SELECT 1 FROM soak_computed GROUP BY identity, text_hash "
                                     "HAVING count(*) > 1)").fetchone()[0]
            if twice:
                raise Failure(f"{twice} embeddings of finished batches were computed again")
            return database.execute("SELECT count(*) FROM soak_computed").fetchone()[0]
        finally:
            database.close()

    # What the index holds

    def half_visible(self, database=None):
        """Checks one snapshot."""
        own = database is None
        database = database or self.database()
        try:
            database.execute("BEGIN")
            try:
                found = [row[0] for sql in HALF_VISIBLE for row in database.execute(sql).fetchmany(3)]
            finally:
                database.execute("COMMIT")
        finally:
            if own:
                database.close()
        if found:
            raise Failure("half of a document is visible: " + "; ".join(found))

    def documents(self):
        """path → (id, SHA-256 of the version)."""
        database = self.database()
        try:
            rows = database.execute("SELECT uri, id, version FROM documents").fetchall()
        finally:
            database.close()
        return {library.path_of(uri): (id, version) for uri, id, version in rows}

    def chunk_texts(self):
        """version → the chunk texts of each document that has it, in the space that is searched."""
        database = self.database()
        sets = collections.defaultdict(lambda: collections.defaultdict(set))
        try:
            for version, key, text in database.execute(
                    """SELECT r.version, r.key, c.content FROM chunks c JOIN revisions r ON r.key = c.revision
                       WHERE r.space = (SELECT active_space FROM store)"""):
                sets[version][key].add(text)
        finally:
            database.close()
        return {version: {frozenset(texts) for texts in of.values()} for version, of in sets.items()}

    def check_equal(self, expected):
        """The index has exactly these versions at these paths."""
        found = {path: version for path, (_, version) in self.documents().items()}
        if found == expected:
            return
        lost = [f"lost: {path!r}" for path in sorted(expected.keys() - found.keys())]
        more = [f"not on disk: {path!r}" for path in sorted(found.keys() - expected.keys())]
        other = [f"another version: {path!r}" for path in sorted(expected.keys() & found.keys())
                 if expected[path] != found[path]]
        raise Failure("the index is not the directory: " + "; ".join((lost + more + other)[:10]))

    def check_jobs(self, scanned):
        """No job waits, or claims to be at work, when no process is. A hold that had not ended when the directory was
        `scanned` (seconds since 1970) is left to the next scan."""
        database = self.database()
        try:
            rows = database.execute("""SELECT uri, state, error FROM jobs WHERE state <> 'done'
                                       AND NOT (state = 'running' AND lease_until > ?)""", (scanned,)).fetchmany(5)
        finally:
            database.close()
        if rows:
            raise Failure(f"jobs are not done when nothing works: {rows}")

    def verify(self):
        """The product's own checks."""
        self.run("doctor")
        if self.offers("verify"):
            self.run("verify")

    # Processes

    def readers(self, process):
        """The children that read a document: not the one that is asked for its version when a run begins, nor one that
        is about to become a reader and is still this process's twin."""
        try:
            children = [child for task in os.listdir(f"/proc/{process}/task")
                        for child in open(f"/proc/{process}/task/{task}/children").read().split()]
            return [int(child) for child in children
                    if "quarry-pdf-reader" in (words := open(f"/proc/{child}/cmdline").read())
                    and "--version" not in words]
        except OSError:
            return []


def alive(process):
    try:
        return open(f"/proc/{process}/stat").read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(seconds, message, condition):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(message)
        time.sleep(0.05)
