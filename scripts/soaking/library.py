"""A directory of PDFs that changes at random, every change chosen by one random generator."""

import hashlib
import os
import pathlib
import shutil

WORDS = """river bridge harbour granite copper lantern orchard valley window letter engine captain winter summer market
garden winding silver narrow ancient hollow distant quiet broken careful northern measured carries follows crosses
reports inspects repairs replaces describes compares between beneath against without during pressure traffic weather
budget council survey meeting station railway tunnel ferry timber quarry mason foreman ledger account invoice permit
drawing section chapter figure record annual monthly winter evening morning stone brick mortar gravel sand clay""".split()


def digest(data):
    return hashlib.sha256(data).hexdigest()


def path_of(uri):
    """Quarry writes `file://` and the path as it is."""
    return uri[len("file://"):] if uri.startswith("file://") else uri


def pdf(pages):
    """A PDF (ISO 32000-1, 7.5) with a page of Helvetica for each list of lines."""
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"", b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    kids = []
    for lines in pages:
        content = ("BT /F1 11 Tf 60 740 Td 14 TL\n" + "".join(f"({line}) Tj T*\n" for line in lines) + "ET").encode()
        kids.append(f"{len(objects) + 1} 0 R")
        objects.append(f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents {len(objects) + 2} 0 R"
                       "/Resources<</Font<</F1 3 0 R>>>>>>".encode())
        objects.append(b"<</Length %d>>\nstream\n" % len(content) + content + b"\nendstream")
    objects[1] = f"<</Type/Pages/Kids[{' '.join(kids)}]/Count {len(kids)}>>".encode()
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(out)


def document(random, word, pages, lines=22):
    """Distinct text in which every sentence holds `word`, so that a search for it must find all of the document."""
    def sentence():
        words = random.choices(WORDS, k=10)
        words.insert(random.randrange(1, 10), word)
        return " ".join(words).capitalize() + "."
    return pdf([[sentence() for _ in range(lines)] for _ in range(pages)])


class Library:
    """The directory. What the index should hold follows from the disk alone, tombstones apart."""

    OPERATIONS = ["add"] * 5 + ["edit"] * 4 + ["rename"] * 3 + ["rename_folder"] + ["copy"] * 2 + ["delete"] * 3 + [
        "touch"] * 2

    def __init__(self, root, random, pages=(1, 3), smallest=6, largest=16):
        self.root, self.random, self.pages = pathlib.Path(root), random, pages
        self.smallest, self.largest, self.serial = smallest, largest, 0
        self.words = {}  # content's digest → the word that only it holds
        self.root.mkdir(parents=True)

    def files(self):
        return sorted(path for path in self.root.rglob("*.pdf") if path.is_file())

    def contents(self):
        """path → SHA-256, of every PDF there is."""
        return {str(path): digest(path.read_bytes()) for path in self.files()}

    def fill(self, count):
        while len(self.files()) < count:
            self.add()

    def change(self):
        """One random operation; returns what was done."""
        count = len(self.files())
        name = self.random.choice(self.OPERATIONS)
        if count <= self.smallest and name == "delete":
            name = "add"
        if count >= self.largest and name in ("add", "copy"):
            name = "delete"
        return getattr(self, name)()

    # The operations

    def add(self):
        path = self._new_path()
        self._write(path, self._content())
        return f"add {path.name}"

    def edit(self):
        path = self._any()
        self._write(path, self._content())
        return f"edit {path.name}"

    def rename(self):
        path, other = self._any(), self._new_path()
        other.parent.mkdir(parents=True, exist_ok=True)
        path.rename(other)
        return f"rename {path.name} {other.name}"

    def rename_folder(self):
        folders = sorted(path for path in self.root.iterdir() if path.is_dir())
        if not folders:
            return self.rename()
        folder = self.random.choice(folders)
        self.serial += 1
        folder.rename(self.root / f"folder {self.serial}")
        return f"rename_folder {folder.name}"

    def copy(self):
        path, other = self._any(), self._new_path()
        other.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, other)
        return f"copy {path.name} {other.name}"

    def delete(self):
        path = self._any()
        path.unlink()
        return f"delete {path.name}"

    def touch(self):
        path = self._any()
        os.utime(path)
        return f"touch {path.name}"

    # Parts

    def _any(self):
        return self.random.choice(self.files())

    def _new_path(self):
        self.serial += 1
        folder = self.random.choice(["", "", "a", "b", "b/deep", "ordner ü", "émoji 📄"])
        if self.random.random() < 0.1:
            # One name to Unicode, two to the file system.
            path = self.root / folder / self.random.choice(["caf\u00e9.pdf", "cafe\u0301.pdf"])
            if not path.exists():
                return path
        suffix = self.random.choice(["", "", " with spaces", "%20", "#1", "'\"", "\n"])
        return self.root / folder / f"{self.serial:05}{suffix}.pdf"

    def _content(self):
        self.serial += 1
        word = f"zq{self.serial:05}"
        data = document(self.random, word, self.random.randint(*self.pages))
        self.words[digest(data)] = word
        return data

    def _write(self, path, data):
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.random.random() < 0.5:
            path.write_bytes(data)
        else:
            part = path.with_name("." + path.name + ".part")
            part.write_bytes(data)
            part.replace(path)
