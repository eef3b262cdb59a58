"""Office files that are made to cost memory or time, or that are damaged: a reason each, and soon."""

from __future__ import annotations

import io
import random
import zipfile

import pytest

from pipelines.chunking.chunker import chunk_content
from pipelines.chunking.formats import read_blocks
from pipelines.chunking.formats.openxml.package import PART_BYTES
from pipelines.chunking.formats.openxml.xml_stream import stream_elements
from pipelines.errors import DocumentError
from tests.pipelines.chunking import files
from tests.pipelines.chunking.files import MakeDocument
from tests.pipelines.chunking.office_files import (
    CHART_FRAME,
    chart,
    docx,
    element,
    number_cell,
    paragraph,
    pptx,
    relations,
    rows,
    run,
    shape,
    text_cell,
    xlsx,
    zipped,
)

_ENTITIES = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'


def _body(content: str, start: str = "") -> bytes:
    return zipped({"word/document.xml": start + element("w:document", f"<w:body>{content}</w:body>")})


@pytest.mark.one_case
@pytest.mark.parametrize(
    ("content", "media_type", "reason"),
    [
        (docx("<w:p/>" * 310_000), files.DOCX, "too expensive: over 300,000 paragraphs"),
        (docx(f"<w:p>{'<w:r/>' * 1_600_000}</w:p>"), files.DOCX, "too expensive: over 1,500,000 tags"),
        (docx("<w:p " + " ".join(f'a{at}=""' for at in range(1_600_000)) + "/>"), files.DOCX, "too expensive: "),
        (docx(paragraph("x" * 11_000_000)), files.DOCX, "broken Word document: word/document.xml: "),
        (docx("<w:tbl><w:tr><w:tc>" * 1000), files.DOCX, "broken Word document: word/document.xml: "),
        (_body("<w:p>&b;</w:p>", _ENTITIES), files.DOCX, "broken Word document: word/document.xml: it declares"),
        (_body("<w:p>&f;</w:p>", _ENTITIES), files.DOCX, "broken Word document: word/document.xml: it declares"),
        (_body("<w:p>&unknown;</w:p>"), files.DOCX, "broken Word document: word/document.xml: "),
        (
            xlsx(rows(*['<c t="s"><v>0</v></c>' * 100] * 40), strings=f"<si><t>{'x' * 9000}</t></si>"),
            files.XLSX,
            "too expensive: its cells show over 32 million characters",
        ),
    ],
    ids=["paragraphs", "runs", "attributes", "text", "depth", "laughs", "file", "entity", "strings"],
)
def test_what_is_too_much_has_a_reason(content: bytes, media_type: str, reason: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_blocks(content, media_type)
    assert caught.value.reason.startswith(reason)


def test_a_part_is_measured_by_what_comes_out_of_it() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file, file.open("xl/workbook.xml", "w") as part:
        part.write(b"<workbook>")
        for _ in range(PART_BYTES // 1_000_000 + 1):
            part.write(b"<a/>" + b" " * 1_000_000)
    content = buffer.getvalue()
    assert len(content) < 100_000
    with pytest.raises(DocumentError, match=r"too expensive: xl/workbook\.xml has over 64 MB unpacked"):
        read_blocks(content, files.XLSX)


def test_merged_cells_beyond_all_measure_are_left_out_of_account() -> None:
    everything = '<mergeCell ref="Z1:XFD1048576"/>'
    lines = [number_cell(at, 0, f"A{at}") + number_cell(at, 0, f"Z{at}") for at in range(1, 500)]
    last = text_cell("label", "A500") + text_cell("x", "B500"), text_cell("y", "B501")
    sheet = f'{rows(*lines, *last)}<mergeCells>{everything * 200}<mergeCell ref="A500:A501"/></mergeCells>'
    assert sum(block.text.count("label") for block in read_blocks(xlsx(sheet), files.XLSX)) == 1


def test_what_was_read_is_given_free() -> None:
    many = b"<body>" + b"<wrap><p>text</p></wrap>" * 3_000 + b"</body>"
    around = [
        len(element.getparent().getparent()) for element in stream_elements([many[:40_000], many[40_000:]], ("p",))
    ]
    assert len(around) == 3_000
    assert around[-1] < 1_500


def test_odd_numbers_and_places_cost_nothing_else() -> None:
    digits = "9" * 5000
    cells = f'<c r="{digits}" s="{digits}" t="s"><v>{digits}</v></c><c r="?1"><v>{digits}</v></c>{text_cell("kept")}'
    content = xlsx(f'<sheetData><row r="{digits}">{cells}</row></sheetData>')
    assert "kept" in read_blocks(content, files.XLSX)[1].text


@pytest.mark.parametrize("target", ["missing.xml", "https://example.com/x.xml", "../../../../etc/passwd", ""])
def test_a_broken_relation_costs_what_it_leads_to(target: str) -> None:
    body = f"<w:p>{run('kept')}<w:r><w:drawing>{CHART_FRAME}</w:drawing></w:r></w:p>"
    content = docx(body, chart=f"chart {target}", styles=f"styles {target}", notes=f"footnotes {target}")
    assert [block.text for block in read_blocks(content, files.DOCX)] == ["kept"]


_ONE_SLIDE = {"ppt/_rels/presentation.xml.rels": relations(slide1="slide slides/slide1.xml")}
_CHUNKED = docx('<w:p/><w:altChunk r:id="a"/>' + paragraph("kept"), {"word/a.docx": "no file"}, a="aFChunk a.docx")


@pytest.mark.parametrize(
    ("content", "media_type", "left_out"),
    [
        (
            pptx(shape("kept"), shape("lost"), parts={"ppt/slides/slide2.xml": "<x"}),
            files.PPTX,
            "ppt/slides/slide2.xml",
        ),
        (pptx(shape("kept"), shape("lost"), parts=_ONE_SLIDE), files.PPTX, "slide 2"),
        (docx(paragraph("kept"), {"word/n.xml": "<x"}, n="footnotes n.xml"), files.DOCX, "word/n.xml"),
        (docx(paragraph("kept"), {"word/_rels/document.xml.rels": "<x"}), files.DOCX, "word/_rels/document.xml.rels"),
        (
            docx(
                paragraph("kept"),
                {f"word/{at}.xml": "<x" for at in "abcde"},
                **{at: f"header {at}.xml" for at in "abcde"},
            ),
            files.DOCX,
            "word/a.xml, word/b.xml, word/c.xml and 2 more",
        ),
        (_CHUNKED, files.DOCX, "word/a.docx"),
        (xlsx(rows(text_cell("kept")), parts={"xl/styles.xml": "<x"}), files.XLSX, "xl/styles.xml"),
        (xlsx(rows(text_cell("kept")), parts={"xl/sharedStrings.xml": "<x"}), files.XLSX, "xl/sharedStrings.xml"),
        (xlsx(rows(text_cell("kept") + '<c t="s"><v>7</v></c>')), files.XLSX, "xl/sharedStrings.xml"),
    ],
)
def test_what_is_damaged_is_told(content: bytes, media_type: str, left_out: str, document: MakeDocument) -> None:
    read = chunk_content(document(content, media_type))
    assert "kept" in read.chunks[-1].text
    assert read.partly_read == f"partly read: damaged parts are left out: {left_out}"


@pytest.mark.parametrize("media_type", [files.DOCX, files.PPTX, files.XLSX])
def test_nothing_is_told_of_a_whole_file(media_type: str) -> None:
    assert "unread" not in {block.kind for block in read_blocks(_whole_files()[media_type], media_type)}


def _whole_files() -> dict[str, bytes]:
    drawing = f"<w:p>{run('text')}<w:r><w:drawing>{CHART_FRAME}</w:drawing></w:r></w:p>"
    parts = {"word/charts/chart1.xml": chart("T", "S", ["a"], [1])}
    return {
        files.DOCX: docx(drawing, parts, chart="chart charts/chart1.xml"),
        files.PPTX: pptx(shape("text", "title"), shape("more")),
        files.XLSX: xlsx(rows(text_cell("text") + number_cell(1)), strings="<si><t>x</t></si>"),
    }


@pytest.mark.parametrize("media_type", [files.DOCX, files.PPTX, files.XLSX])
def test_damaged_files_have_a_reason(media_type: str) -> None:
    """Bytes of the zip and of its parts are changed and cut off: text or a DocumentError comes out, nothing else."""
    chance = random.Random(7)
    whole = _whole_files()[media_type]
    with zipfile.ZipFile(io.BytesIO(whole)) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    outcomes = set()
    for _ in range(150):
        name = chance.choice(list(parts))
        damaged = [_flip(whole, chance), zipped({**parts, name: _flip(parts[name], chance)})]
        damaged.append(zipped({**parts, name: parts[name][: chance.randrange(len(parts[name]))]}))
        outcomes |= {_outcome(content, media_type) for content in damaged}
    assert outcomes == {"text", "reason"}


def _flip(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _outcome(content: bytes, media_type: str) -> str:
    try:
        read_blocks(content, media_type)
    except DocumentError:
        return "reason"
    return "text"
