"""Reads an index while others write to it and are killed: half of a document must never be seen."""

import json
import re
import threading
import urllib.error
import urllib.request

from . import store


class Reader(threading.Thread):
    """Looks at the store by SQL and, through `quarry serve`, by searching for words that only one text holds."""

    def __init__(self, quarry):
        super().__init__(daemon=True)
        self.quarry, self.words, self.stopping = quarry, {}, threading.Event()
        self.lock, self.observed, self.problem, self.looks, self.searches = threading.Lock(), [], None, 0, 0
        self.server = quarry.start("serve", "--port", 0, stderr=store.subprocess.PIPE)
        self.address = None
        for line in self.server.stderr:
            if found := re.search(rb"http://[0-9.]+:[0-9]+", line):
                self.address = found.group().decode()
                break
        if not self.address:
            raise store.Failure("quarry serve did not start")
        threading.Thread(target=self.server.stderr.read, daemon=True).start()
        self.start()

    def run(self):
        database = self.quarry.database()
        try:
            while not self.stopping.is_set():
                self.quarry.half_visible(database)
                self.looks += 1
                with self.lock:
                    words = dict(self.words)
                for version, word in list(words.items())[self.looks % 3::3]:
                    if self.stopping.is_set():
                        break
                    # Held for the whole search, so that none is under way when what was seen is compared.
                    with self.lock:
                        self.observed.append((version, word, self.search(word)))
                    self.searches += 1
        except Exception as problem:  # told by `check`, in the main thread
            self.problem = problem
        finally:
            database.close()

    def search(self, word):
        body = json.dumps({"question": word, "top_k": 100}).encode()
        request = urllib.request.Request(f"{self.address}/v1/search", body, {"Content-Type": "application/json"})
        try:
            answer = json.load(urllib.request.urlopen(request, timeout=60))
        except urllib.error.HTTPError as error:
            raise store.Failure(f"search answered {error.code}: {error.read().decode()[:500]}")
        return frozenset(passage["text"] for passage in answer["passages"] if word in passage["text"].lower())

    def watch(self, words):
        """Searches for these from now on: version → word."""
        with self.lock:
            self.words = dict(words)

    def forget(self):
        """Leaves unchecked what searches saw since the last check."""
        with self.lock:
            self.observed = []

    def check(self, before, after):
        """What was seen since the last call must be whole documents of either state: version → sets of texts."""
        with self.lock:
            observed, self.observed = self.observed, []
        if self.problem:
            raise self.problem
        if not self.is_alive():
            raise store.Failure("the reader ended")
        for version, word, texts in observed:
            whole = before.get(version, set()) | after.get(version, set())
            covered = frozenset().union(*(set_ for set_ in whole if set_ <= texts))
            if texts != covered:
                missing = [[len(text) for text in set_ - texts] for set_ in sorted(whole, key=len)]
                raise store.Failure(f"a search for {word} saw {len(texts)} texts of a document that has "
                                    f"{sorted(map(len, whole))}; not of any: {[*texts - frozenset().union(*whole)]}; "
                                    f"of each not seen, by length: {missing}; seen: {sorted(texts)}")

    def stop(self):
        self.stopping.set()
        self.join(60)
        self.server.terminate()
        code = self.server.wait(60)
        if code != 0:
            raise store.Failure(f"quarry serve ended with {code}")
