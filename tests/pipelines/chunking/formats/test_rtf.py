"""RTF: what its readers see, and nothing of how it is laid out."""

from __future__ import annotations

import time

import pytest

from connectors.media import RTF
from pipelines.chunking.formats import read_blocks

FONTS = rb"{\fonttbl{\f0 Times;}{\f1\fcharset204 Arial Cyr;}{\f2\fcharset128 MS Mincho;}{\f3\fcharset161 Arial Greek;}}"


def _read(body: bytes, head: bytes = rb"\ansi\ansicpg1252\deff0") -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in read_blocks(rb"{\rtf1" + head + FONTS + body + b"}", RTF)]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (rb"Caf\'e9 {\b gar}net", "Café garnet"),
        (rb"\u1087?\u1088\'3f", "пр"),
        (rb"{\uc0 \u8364} {\uc2\u8364 ab c} \u-10179?\u-8704?", "€ € c 😀"),
        (rb"{\f1 \'cf\'f0\'e8\'e2\'e5\'f2} {\f3 \'e1\'e2} {\f2 \'83K\'81[\'83l\'83b\'83g}", "Привет αβ ガーネット"),
        (
            rb"\lquote q\rquote  \emdash  a\~b soft\-hyphen non\_breaking \{x\}",
            "‘q’ — a\u00a0b softhyphen non-breaking {x}",
        ),
        (rb"{\field{\*\fldinst HYPERLINK x}{\fldrslt shown}}", "shown"),
        (rb"seen{\v unseen}{\deleted gone}{\mvf moved} {\revised new}", "seen new"),
        (rb"{\*\unknown x}{\info{\title y}}{\stylesheet{\s1 z;}}{\pict\pngblip 8950}words", "words"),
        (rb"{\upr{ansi}{\*\ud{unicode}}}", "unicode"),
        (rb"{\object{\*\objdata 0105}{\result object}}", "object"),
        (rb"{\listtext\'95\tab}item", "•\titem"),
        (rb"before{\pict\bin9 }}}{{{\xx}after", "beforeafter"),
        (rb"{\mmath{\*\moMath{\mr x+y}}{\mmathPict z}}", "x+y"),
    ],
)
def test_text(body: bytes, text: str) -> None:
    assert _read(body) == [("text", text)]


@pytest.mark.parametrize(("head", "text"), [(rb"\pc", "ü"), (rb"\mac", "Å"), (rb"\ansi\ansicpg1251", "Ѓ")])
def test_code_pages(head: bytes, text: str) -> None:
    assert _read(rb"\'81", head) == [("text", text)]


def test_what_stands_beside_the_text() -> None:
    body = (
        rb"{\header head\par}{\footer\pard foot\par}one{\footnote note}two{\*\annotation said}\par"
        rb"{\shp{\*\shpinst\shpleft0{\sp{\sn wzDescription}{\sv alt}}{\sp{\sn fill}{\sv 1}}{\shptxt box\par}}"
        rb"{\shprslt again}}\par"
    )
    assert [text for _, text in _read(body)] == ["head", "foot", "onetwo", "note", "said", "alt", "box"]


def test_headings_and_tables() -> None:
    body = (
        rb"\pard\outlinelevel1 Mills\par\pard text\par"
        rb"\trowd\clvmgf\cellx1\cellx2\pard\intbl Region\cell Power\cell\row"
        rb"\trowd\clvmgf\cellx1\cellx2\pard\intbl North\cell 10\cell\row"
        rb"\trowd\clvmrg\cellx1\cellx2\pard\intbl \cell two\par lines\cell\row\pard after\par"
    )
    assert _read(body) == [
        ("heading", "## Mills"),
        ("text", "text"),
        ("table", "| Region | Power |\n| --- | --- |\n| North | 10 |\n| North | two lines |"),
        ("text", "after"),
    ]


@pytest.mark.parametrize("end", [b"", rb"{\footnote cut", rb"\trowd\cellx1\intbl cut", rb"{{{{ cut", rb"\'8", rb"\u"])
def test_what_is_cut_off_is_read_so_far(end: bytes) -> None:
    read = " ".join(text for _, text in _read(rb"words\par " + end))
    assert "words" in read
    assert ("cut" in read) == (b"cut" in end)


@pytest.mark.one_case
@pytest.mark.parametrize(
    "body",
    [
        b"{" * 500_000,
        rb"{\*" * 200_000,
        rb"\'e9" * 200_000,
        rb"\u1?" * 200_000,
        b"\\a" + b"1" * 500_000,
        rb"\bin99999999 ",
        rb"\trowd\clvmrg\cellx1\pard\intbl x\cell\row " * 20_000,
        rb"{\footnote x" * 50_000,
    ],
    ids=["groups", "destinations", "bytes", "characters", "number", "binary", "rows", "notes"],
)
def test_hostile_files_take_a_moment(body: bytes) -> None:
    start = time.process_time()
    _read(body)
    assert time.process_time() - start < 10
