"""The program with its index in OpenSearch, and what the index holds, read by HTTP beside it."""

import collections
import json
import pathlib
import subprocess
import urllib.error
import urllib.request

from . import library, store

NODE = store.ROOT.parent / "shared/opensearch/node"


class Node:
    """A node of its own, which can be killed and started again."""

    def __init__(self, folder, port=0):
        self.folder, self.port = pathlib.Path(folder), port
        self.url = None
        self.start()

    def _run(self, *words, check=True):
        done = subprocess.run([str(NODE), *map(str, words)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise store.Failure(f"OpenSearch: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self):
        said = self._run("start", "--dir", self.folder, "--port", self.port, "--heap", "768m").split()
        self.url = [word for word in said if word.startswith("http")][-1]
        # The next start is found at the same address.
        self.port = int(self.url.rsplit(":", 1)[1])

    def kill(self):
        self._run("kill", "--dir", self.folder)

    def end(self):
        self._run("kill", "--dir", self.folder, check=False)


class Nothing:
    def close(self):
        pass


class Quarry(store.Quarry):
    """The program, with an index in a cluster."""

    def __init__(self, program, folder, url, index="soak"):
        super().__init__(program, folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.path, self.url, self.index = self.folder, url, index
        self.environment.update(
            QUARRY_STORE_KIND="opensearch", QUARRY_STORE_URL=url, QUARRY_STORE_INDEX=index,
            QUARRY_STORE_KNN_ENGINE="lucene", QUARRY_STORE_GRACE="10s")

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/{path}", data, {"Content-Type": "application/json"}, method=method)
        try:
            return json.load(urllib.request.urlopen(request, timeout=60))
        except urllib.error.HTTPError as error:
            raise store.Failure(f"{method} {path}: {error.code}: {error.read().decode()[:500]}")

    def database(self, read_only=True):
        return Nothing()

    def hits(self, index, query=None, source=True, size=10_000):
        body = {"size": size, "query": query or {"match_all": {}}, "_source": source, "version": True}
        return self.ask("POST", f"{self.index}-{index}/_search", body)["hits"]["hits"]

    def state(self):
        return self.ask("GET", f"{self.index}-control/_doc/state")["_source"]["record"]

    @staticmethod
    def shows(state, revision):
        hidden = {one["vn"] for one in state["hidden"]}
        spaces = {space["key"] for space in state["spaces"]}
        return revision["vn"] < state["next"] and revision["vn"] not in hidden and revision["space"] in spaces

    def records(self):
        return [hit["_source"]["record"] for hit in self.hits("documents")]

    def visible(self, state=None):
        """(record, the revision that is searched) of every document that can be seen."""
        state = state or self.state()
        for record in self.records():
            shown = sorted((one for one in record["revisions"] if self.shows(state, one)), key=lambda one: one["vn"])
            if shown:
                active = [one for one in shown if one["space"] == state.get("active")]
                yield record, (active or shown)[-1]

    def audit_embeddings(self):
        pass

    def check_embeddings(self):
        """Returns how many were computed; a record that was written twice was computed twice."""
        self.ask("POST", f"{self.index}-embeddings/_refresh")
        hits = self.hits("embeddings", source=False)
        if twice := [hit["_id"] for hit in hits if hit["_version"] > 1]:
            raise store.Failure(f"{len(twice)} embeddings of finished batches were computed again")
        return len(hits)

    def counts(self, index):
        body = {"size": 0, "aggs": {"by": {"terms": {"field": "vn", "size": 60_000}}}}
        found = self.ask("POST", f"{self.index}-{index}/_search", body)
        return {bucket["key"]: bucket["doc_count"] for bucket in found["aggregations"]["by"]["buckets"]}

    def half_visible(self, database=None):
        before = self.state()
        if not before.get("active"):
            return
        # By id, for what is visible was made searchable before.
        records = self.records()
        try:
            chunks, pages = self.counts(f"chunks-{before['active']}"), self.counts("pages")
        except store.Failure:
            if self.state().get("active") == before["active"]:
                raise
            return
        after = self.state()
        places = collections.Counter()
        for record in records:
            for one in record["revisions"]:
                if not (self.shows(before, one) and self.shows(after, one)) or one["space"] != before["active"]:
                    continue
                places[record["collection"], one["uri"]] += 1
                if chunks.get(one["vn"], 0) != one["chunkCount"]:
                    raise store.Failure(f"{one['uri']} has {chunks.get(one['vn'], 0)} chunks of {one['chunkCount']}")
                if pages.get(one["vn"], 0) != one["pageCount"]:
                    raise store.Failure(f"{one['uri']} has {pages.get(one['vn'], 0)} pages of {one['pageCount']}")
        if twice := [place for place, count in places.items() if count > 1]:
            raise store.Failure(f"two live documents at {twice[0]}")

    def documents(self):
        self.ask("POST", f"{self.index}-documents/_refresh")
        return {library.path_of(one["uri"]): (record["id"], one["version"]) for record, one in self.visible()}

    def chunk_texts(self):
        self.ask("POST", f"{self.index}-documents/_refresh")
        state = self.state()
        sets = collections.defaultdict(set)
        if not state.get("active"):
            return sets
        texts = collections.defaultdict(set)
        for hit in self.hits(f"chunks-{state['active']}", source=["vn", "words", "record"]):
            found, record = hit["_source"], hit["_source"]["record"]
            text = record.get("text") or found["words"].encode()[record["skip"]:].decode()
            texts[found["vn"]].add(text)
        for record, one in self.visible(state):
            sets[one["version"]].add(frozenset(texts[one["vn"]]))
        return sets

    def check_jobs(self, scanned):
        self.ask("POST", f"{self.index}-jobs/_refresh")
        waiting = [hit["_source"] for hit in self.hits("jobs") if hit["_source"]["state"] != "done"]
        waiting = [job for job in waiting
                   if not (job["state"] == "running" and (job["record"].get("until") or 0) > scanned)]
        if waiting:
            raise store.Failure(f"jobs are not done when nothing works: {waiting[:5]}")

    def verify(self):
        self.run("verify")
