#!/usr/bin/env python3
"""Writes Tests/PDFReadingTests/Fixtures/scripts: pages in Arabic, Hebrew, Japanese and Chinese, and what they say.

    generate-script-fixtures.py FONT_FOLDER

Run it once, in a virtual environment outside the repository, with `weasyprint` and `reportlab`; the tests need only
what it wrote. FONT_FOLDER holds DejaVuSans.ttf (Debian's fonts-dejavu-core) and DroidSansFallbackFull.ttf
(fonts-droid-fallback); the files carry only the glyphs that they show. The texts are of our own writing.

For each NAME there is NAME.pdf and NAME.txt: the paragraphs in logical order, one a line.
"""

import os
import pathlib
import sys

os.environ.setdefault("SOURCE_DATE_EPOCH", "1717200000")  # so that two runs give the same bytes

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen import canvas
import weasyprint

FIXTURES = pathlib.Path(__file__).parent.parent / "Tests/PDFReadingTests/Fixtures/scripts"

# Paragraphs that take several lines each, with numbers, Latin words and marks inside right-to-left text.
TEXTS = {
    "arabic": ("ar", "rtl", [
        "يقع السد القديم على النهر الكبير قرب المدينة، وقد بُني في عام 1911 لحماية الحقول من الفيضان. "
        "يبلغ ارتفاعه 34 مترا ويفحصه مهندسان كل ربيع.",
        "تُحفظ التقارير بصيغة PDF في مكتبة البلدية، ويمكن لكل زائر أن يقرأها. هل تُغلق البوابة عند ارتفاع الماء؟ "
        "نعم، يفتحها الحارس في الليل والنهار.",
    ]),
    "hebrew": ("he", "rtl", [
        "הסכר הישן עומד על הנהר הגדול ליד העיר, והוא נבנה בשנת 1911 כדי להגן על השדות מפני שיטפון. "
        "גובהו 34 מטרים ושני מהנדסים בודקים אותו בכל אביב.",
        "הדוחות נשמרים בתבנית PDF בספריית העירייה, וכל מבקר יכול לקרוא אותם. האם השער נסגר כשהמים עולים? "
        "כן, השומר פותח אותו ביום ובלילה.",
    ]),
    "japanese": ("ja", "ltr", [
        "古い堰は町の近くの大きな川にあり、一九一一年に洪水から畑を守るために造られた。高さは三十四メートルで、"
        "毎年春に二人の技術者が点検する。報告書は町の図書館に保管され、だれでも読むことができる。",
        "水位が上がると門は閉じられるのか？はい、番人が昼も夜も開け閉めする。「堰は町の誇りである」と町長は言った。",
    ]),
    "chinese": ("zh-Hans", "ltr", [
        "旧堰坝位于城市附近的大河上，建于一九一一年，目的是保护农田免受洪水侵害。它高三十四米，"
        "每年春天由两名工程师检查。报告保存在市图书馆，任何人都可以阅读。",
        "水位上升时闸门会关闭吗？会的，看守人日夜负责启闭。所有文件都以PDF格式保存，共有27份。",
    ]),
}

STYLE = """
@font-face { font-family: Plain; src: url(%s) }
@page { size: 260pt 300pt; margin: 30pt }
html { font: 11pt/16pt Plain }
p { margin: 0 0 12pt; hyphens: manual }
"""


def horizontal(name, fonts):
    language, direction, paragraphs = TEXTS[name]
    font = fonts / ("DejaVuSans.ttf" if direction == "rtl" else "DroidSansFallbackFull.ttf")
    body = "".join(f"<p>{text}</p>" for text in paragraphs)
    html = f'<html lang="{language}" dir="{direction}"><style>{STYLE % font.as_uri()}</style><body>{body}</body></html>'
    weasyprint.HTML(string=html).write_pdf(FIXTURES / f"{name}.pdf")
    (FIXTURES / f"{name}.txt").write_text("\n".join(paragraphs) + "\n", encoding="utf-8")


def vertical(name, source, fonts):
    """The first paragraph of `source` set in columns from right to left, each from top to bottom."""
    text = TEXTS[source][2][0]
    pdfmetrics.registerFont(TTFont("Plain", fonts / "DroidSansFallbackFull.ttf"))
    page = canvas.Canvas(str(FIXTURES / f"{name}.pdf"), pagesize=(260, 300), invariant=1)
    page.setFont("Plain", 11)
    for index, character in enumerate(text):
        column, row = divmod(index, 18)
        page.drawString(220 - 18 * column, 255 - 13 * row, character)
    page.save()
    (FIXTURES / f"{name}.txt").write_text(text + "\n", encoding="utf-8")


def main():
    fonts = pathlib.Path(sys.argv[1]).resolve()
    FIXTURES.mkdir(parents=True, exist_ok=True)
    for name in TEXTS:
        horizontal(name, fonts)
    vertical("japanese-vertical", "japanese", fonts)


main()
