"""Kills ingestion at random points; at the end nothing is lost, doubled, half visible, or computed twice."""

import os
import random
import signal
import time

from . import library, reading, store


def modes(quarry, folder):
    """The command lines that are killed. The chunks of a rebuild differ, so that there is something to renew."""
    found = [["ingest", folder], ["ingest", folder], ["ingest", "--sync", folder], ["ingest", "--sync", folder],
             ["ingest", "--rebuild", "--set", "chunking.tokens=160"], ["ingest", "--rebuild"]]
    if quarry.offers("watch"):
        found += [["watch", "--once", folder], ["watch", "--once", folder]]
    return found


def run(program, folder, seed, kills, say, make=store.Quarry):
    """Returns one line of figures; raises Failure."""
    chance = random.Random(seed)
    documents = library.Library(folder / "library", chance)
    documents.fill(10)
    quarry = make(program, folder / "data")
    quarry.run("documents", "list")
    quarry.audit_embeddings()
    quarry.run("ingest", documents.root)
    killed, runs, by = 0, 0, {}
    reader = reading.Reader(quarry)
    took = {}  # seconds that a mode takes when nobody kills it
    try:
        while killed < kills:
            before = quarry.chunk_texts()
            contents = documents.contents().values()
            done = [documents.change() for _ in range(chance.randint(1, 4))]
            now = set(documents.contents().values())
            reader.watch({v: documents.words[v] for v in now | set(contents)})
            words = chance.choice(modes(quarry, documents.root))
            name = " ".join(word for word in words if isinstance(word, str))
            process, began = quarry.start(*words), time.monotonic()
            victim = chance.choice(["worker", "group", "group", "reader"])
            delay = chance.uniform(0, 1.05 * took.get(name, 2.0))
            say(f"run {runs}: {done}; {name}, {victim} after {delay:.2f} s")
            if kill(quarry, process, victim, delay, chance):
                killed += 1
                by[victim] = by.get(victim, 0) + 1
            elif process.returncode == 0:
                took[name] = 0.7 * took.get(name, time.monotonic() - began) + 0.3 * (time.monotonic() - began)
            runs += 1
            quarry.half_visible()
            quarry.check_embeddings()
            reader.check(before, quarry.chunk_texts())
            if runs % 20 == 0:
                settle(quarry, documents)
                # Some documents changed twice, so that not all states seen are known.
                reader.forget()
    finally:
        if os.environ.get("SOAK_KEEP"):
            say(f"kept: {folder}")
        reader.stop()
    settle(quarry, documents)
    quarry.verify()
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(by.items()))
    return (f"{killed} kills ({kinds}) in {runs} runs; {quarry.check_embeddings()} embeddings, none twice; "
            f"{reader.looks} snapshots and {reader.searches} searches meanwhile, none saw half a document")


def settle(quarry, documents):
    """A run that nobody kills brings the index up to the directory, and leaves nothing to do."""
    scanned = time.time()
    # Runs that were killed leave more to delete than the guard lets pass.
    summary = quarry.json("ingest", "--sync", "--allow-mass-delete", documents.root)
    if summary["failed"] or summary["skipped"] or summary["refused_deletions"]:
        raise store.Failure(f"a run that nobody killed said: {summary}")
    quarry.run("ingest", "--rebuild")
    quarry.check_equal(documents.contents())
    quarry.half_visible()
    quarry.check_jobs(scanned)
    again = quarry.json("ingest", "--sync", documents.root)
    if again["unchanged"] != len(documents.files()):
        raise store.Failure(f"a second run found something to do: {again}")


def kill(quarry, process, victim, delay, chance):
    """Kills after `delay`. Returns whether there was still something to kill; the process has ended then."""
    try:
        process.wait(delay)
        return False
    except store.subprocess.TimeoutExpired:
        pass
    children = quarry.readers(process.pid)
    if victim == "reader":
        # The reader of one document; the run goes on and says so.
        if not children:
            process.wait(600)
            return False
        try:
            os.kill(chance.choice(children), signal.SIGKILL)
        except ProcessLookupError:
            pass
        if process.wait(600) not in (0, 2):
            raise store.Failure(f"the run ended with {process.returncode} when its reader was killed")
        return True
    os.killpg(process.pid, signal.SIGKILL) if victim == "group" else process.kill()
    if process.wait(60) != -signal.SIGKILL:
        return False
    store.wait_until(30, "a reader outlived the worker that was killed",
                     lambda: not any(store.alive(child) for child in children))
    return True
