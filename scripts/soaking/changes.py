"""Random changes of a directory against a model; the index equals the directory after every batch."""

import random
import time

from . import library, store


class Model:
    """What the index should hold: every PDF on disk, except where a document was deleted by API."""

    def __init__(self, quarry, documents):
        self.quarry, self.documents, self.tombstones, self.held_back = quarry, documents, set(), 0

    def expected(self):
        return {path: version for path, version in self.documents.contents().items() if path not in self.tombstones}

    def delete_by_api(self, chance):
        path, (identifier, _) = chance.choice(sorted(self.quarry.documents().items()))
        self.quarry.run("documents", "delete", identifier)
        self.tombstones.add(path)
        return f"delete_by_api {path}"

    def matches(self):
        return {path: version for path, (_, version) in self.quarry.documents().items()} == self.expected()


def run(program, folder, seed, operations, say, live=False, make=store.Quarry):
    """Returns one line of figures; raises Failure. `live`: `quarry watch` follows, else `ingest --sync` is run."""
    chance = random.Random(seed)
    # Under `watch` so many that the deletions of ten minutes are no half of them, which would be held back.
    size = max(20, operations // 2) if live else 20
    documents = library.Library(folder / "library", chance, pages=(1, 1), smallest=size - 8, largest=2 * size)
    documents.fill(size)
    quarry = make(program, folder / "data")
    quarry.run("documents", "list")
    quarry.audit_embeddings()
    model = Model(quarry, documents)
    watcher = quarry.start("watch", documents.root) if live else None
    done, batches, kept, slowest, counts = 0, 0, 0, 0.0, {}
    try:
        bring_up(model, watcher)
        while done < operations:
            before, versions = quarry.documents(), model.expected()
            said = []
            for _ in range(min(operations - done, chance.randint(1, 12))):
                if chance.random() < 0.03 and not live or chance.random() < 0.01:
                    said.append(model.delete_by_api(chance))
                else:
                    said.append(documents.change())
                counts[said[-1].split()[0]] = counts.get(said[-1].split()[0], 0) + 1
                done += 1
                if live:
                    time.sleep(chance.choice([0, 0, 0.01, 0.2]))
            say(f"batch {batches}: {said}")
            began = time.monotonic()
            bring_up(model, watcher)
            slowest = max(slowest, time.monotonic() - began)
            if not live:
                others = set(documents.contents()) | model.tombstones
                kept += check_renames(before, versions, quarry.documents(), others)
            quarry.half_visible()
            batches += 1
    finally:
        if watcher:
            watcher.terminate()
            if watcher.wait(60) != 0:
                raise store.Failure(f"quarry watch ended with {watcher.returncode}")
    computed = quarry.check_embeddings()
    quarry.check_jobs(time.time())
    quarry.verify()
    kinds = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    how = (f"`watch` alongside, slowest batch {slowest:.1f} s, {model.held_back} times told to delete" if live
           else f"{kept} renames kept their id")
    return (f"{done} operations ({kinds}) in {batches} batches, the index equal to the directory after each; {how}; "
            f"{computed} embeddings, none twice")


def bring_up(model, watcher):
    quarry, documents = model.quarry, model.documents
    if watcher:
        def caught_up():
            if watcher.poll() is not None:
                raise store.Failure(f"quarry watch ended with {watcher.returncode}")
            return quarry.path.exists() and model.matches()
        try:
            store.wait_until(30, "", caught_up)
        except store.Failure as failure:
            if str(failure):
                raise
            # More than half of the documents may be gone within ten minutes here: deletions are held back then, as they
            # should be, until somebody says that they are right. Nothing else may be missing.
            expected = model.expected()
            found = {path: version for path, (_, version) in quarry.documents().items()}
            if {path: version for path, version in found.items() if path in expected} != expected:
                quarry.check_equal(expected)
            quarry.json("ingest", "--sync", "--allow-mass-delete", documents.root)
            model.held_back += 1
            store.wait_until(30, "", caught_up)
        return
    summary = quarry.json("ingest", "--sync", documents.root, codes=(0, 2))
    if summary["refused_deletions"]:
        summary = quarry.json("ingest", "--sync", "--allow-mass-delete", documents.root)
    if summary["failed"]:
        raise store.Failure(f"failed: {summary['failed']}")
    quarry.check_equal(model.expected())


def check_renames(before, versions, after, others):
    """A file that only changed its path keeps its document. Content that several files have tells nothing, nor do
    `others`: paths that are still there, or whose document was deleted by API."""
    kept = 0
    then = {version: path for path, version in versions.items()}
    for path, (identifier, version) in after.items():
        old = then.get(version)
        alone = sum(v == version for v in versions.values()) == 1 and sum(v == version for _, v in after.values()) == 1
        if not alone or old is None or old == path or old in others:
            continue
        if before.get(old, (None, None))[0] != identifier:
            raise store.Failure(f"{old!r} was renamed to {path!r} and became another document")
        kept += 1
    return kept
