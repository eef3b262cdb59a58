"""Excel: every place that can hold words, and the values as people see them."""

from __future__ import annotations

import pytest

from pipelines.chunking.formats import read_blocks
from tests.pipelines.chunking import files
from tests.pipelines.chunking.office_files import (
    CHART_FRAME,
    chart,
    drawn,
    element,
    number_cell,
    relations,
    rows,
    text_cell,
    xlsx,
)


def _texts(content: bytes) -> list[str]:
    return [block.text for block in read_blocks(content, files.XLSX)]


def _cells(content: bytes) -> list[str]:
    """The cells of the first table, row by row."""
    lines = next(text for text in _texts(content) if text.startswith("|")).split("\n")
    return [line.strip("| ") for line in lines if not line.startswith("| ---")]  # without empty cells at the ends


def _styles(*codes: str) -> str:
    formats = "".join(f'<numFmt numFmtId="{200 + at}" formatCode="{code}"/>' for at, code in enumerate(codes))
    styles = "".join(f'<xf numFmtId="{200 + at}"/>' for at in range(len(codes)))
    return f'<numFmts>{formats}</numFmts><cellStyleXfs><xf numFmtId="9"/></cellStyleXfs><cellXfs>{styles}</cellXfs>'


def test_values_of_every_kind() -> None:
    cells = "".join(
        [
            '<c t="s"><v>0</v></c>',
            '<c t="s"><v>1</v></c>',
            text_cell("inline_x000D__x263A_"),
            '<c t="str"><f>UPPER(A1)</f><v>kept value</v></c>',
            '<c t="b"><v>1</v></c>',
            '<c t="e"><v>#N/A</v></c>',
            '<c t="d"><v>2026-03-04</v></c>',
            "<c><f>NOW()</f></c>",
            '<c t="s"><v>99</v></c>',
            "<c><v>not a number</v></c>",
        ]
    )
    strings = "<si><t>shared</t><rPh sb='0' eb='1'><t>reading</t></rPh></si><si><r><t>ri</t></r><r><t>ch</t></r></si>"
    assert _cells(xlsx(rows(cells, text_cell("x")), strings=strings)) == [
        "shared | rich | inline ☺ | kept value | TRUE | #N/A | 2026-03-04 | not a number",
        "x",
    ]


def test_numbers_are_read_in_their_formats() -> None:
    codes = ["General", "0.0%", "00000", "[h]:mm", "dd.mm.yyyy", "&quot;Nr. &quot;0", "@&quot; pcs&quot;"]
    values = [0.1, 0.125, 42, 1.253472222222222, 46085, 77]
    cells = "".join(number_cell(value, style) for style, value in enumerate(values))
    named = '<c s="6" t="inlineStr"><is><t>ten</t></is></c><c s="999"><v>1</v></c><c s="x"><v>2</v></c>'
    content = xlsx(rows(cells + named), styles=_styles(*codes))
    assert _cells(content) == ["0.1 | 12.5% | 00042 | 30:05 | 04.03.2026 | Nr. 77 | ten pcs | 1 | 2"]


def test_dates_of_strict_files() -> None:
    cells = "".join(f'<c t="d" s="{style}"><v>2026-03-04T10:30:00</v></c>' for style in (0, 1))
    content = xlsx(rows(cells), styles=_styles("General", "d.m.yyyy h:mm"))
    assert _cells(content) == ["2026-03-04T10:30:00 | 4.3.2026 10:30"]


def test_dates_since_1904() -> None:
    content = xlsx(
        rows(number_cell(44623) + text_cell("x")), styles=_styles("yyyy-mm-dd"), workbook='<workbookPr date1904="1"/>'
    )
    assert _cells(content) == ["2026-03-04 | x"]


@pytest.mark.parametrize("styles", ["<cellXfs><xf numFmtId='a'/></cellXfs>", "<fills><fill/></fills><fonts>", ""])
def test_odd_styles_fail_no_file(styles: str) -> None:
    assert _cells(xlsx(rows(number_cell(5) + text_cell("x")), styles=styles)) == ["5 | x"]


@pytest.mark.parametrize("place", ["XFD1", "XFD1048576"])
def test_a_stray_cell_costs_nothing(place: str) -> None:
    content = xlsx(
        '<sheetData><row r="1"><c r="A1" t="str"><v>Name</v></c><c r="B1" t="str"><v>Role</v></c></row>'
        '<row r="2"><c r="A2" t="str"><v>Ann</v></c><c r="B2" t="str"><v>miner</v></c></row>'
        f'<row r="{place.lstrip("XFD")}"><c r="{place}" t="str"><v>stray</v></c></row></sheetData>'
    )
    assert sorted(" ".join(_cells(content)).replace("|", " ").split()) == ["Ann", "Name", "Role", "miner", "stray"]
    assert len("".join(_texts(content))) < 200


def test_merged_cells_stand_in_each_place_that_they_cover() -> None:
    content = xlsx(
        rows(
            text_cell("Costs of 2026", "A1"),
            text_cell("Region", "A2") + text_cell("Q1", "B2") + text_cell("Q2", "D2"),
            text_cell("Plan", "B3") + text_cell("Real", "C3") + text_cell("Plan", "D3") + text_cell("Real", "E3"),
            text_cell("North", "A4") + "".join(number_cell(at, 0, f"{column}4") for at, column in enumerate("BCDE")),
            "".join(number_cell(at, 0, f"{column}5") for at, column in enumerate("BCDE")),
        )
        + '<mergeCells><mergeCell ref="A1:E1"/><mergeCell ref="A2:A3"/><mergeCell ref="B2:C2"/>'
        '<mergeCell ref="D2:E2"/><mergeCell ref="A4:A5"/><mergeCell ref="odd"/></mergeCells>'
    )
    assert _texts(content)[1] == "Costs of 2026"
    assert _cells(content) == [
        "Region | Q1 | Q1 | Q2 | Q2",
        "Region | Plan | Real | Plan | Real",
        "North | 0 | 1 | 2 | 3",
        "North | 0 | 1 | 2 | 3",
    ]


def test_comments_threads_and_notes() -> None:
    threads = '<threadedComment ref="B4" personId="{1}"><text>a thread</text></threadedComment>'
    comments = (
        "<authors><author>Ann</author></authors><commentList>"
        '<comment ref="A1" authorId="0"><text><r><t>a no</t></r><r><t>te</t></r></text></comment>'
        '<comment ref="B4" authorId="0"><text><t>[Threaded comment] a thread</t></text></comment></commentList>'
    )
    content = xlsx(
        rows(text_cell("x"))
        + '<dataValidations><dataValidation promptTitle="Ask" prompt="whole euros"/></dataValidations>'
        + "<headerFooter><oddHeader>&amp;C&amp;&quot;Arial,Bold&quot;&amp;12R&amp;&amp;D report&amp;R&amp;P</oddHeader>"
        "<oddFooter>&amp;P / &amp;N</oddFooter></headerFooter>",
        sheet_targets={"c": "comments ../comments1.xml", "t": "threadedComment ../threads1.xml"},
        main={"people": "person persons/person.xml"},
        parts={
            "xl/comments1.xml": element("comments", comments),
            "xl/threads1.xml": element("ThreadedComments", threads),
            "xl/persons/person.xml": element("personList", '<person id="{1}" displayName="Ben"/>'),
        },
    )
    assert _texts(content)[2:] == [
        "Ask: whole euros",
        "Header: R&D report",
        "Comment on B4 by Ben: a thread",
        "Comment on A1 by Ann: a note",
    ]


def test_what_is_drawn_on_a_sheet() -> None:
    names = '<xdr:nvSpPr><xdr:cNvPr id="1" name="S" descr="{}"/></xdr:nvSpPr>'
    box = f"<xdr:sp>{names.format('')}<xdr:txBody>{drawn('a box')}</xdr:txBody></xdr:sp>"
    group = f"<xdr:grpSp><xdr:sp><xdr:txBody>{drawn('grouped')}</xdr:txBody></xdr:sp></xdr:grpSp>"
    frame = f"<xdr:graphicFrame>{names.format('a chart of costs')}{CHART_FRAME}</xdr:graphicFrame>"
    anchors = "".join(f"<xdr:twoCellAnchor>{one}</xdr:twoCellAnchor>" for one in (box, group, frame))
    buttons = "<v:shape><v:textbox><div><font>Press<br>\n me</font></div></v:textbox></v:shape>"
    content = xlsx(
        rows(text_cell("x")),
        sheet_targets={"d": "drawing ../drawings/drawing1.xml", "v": "vmlDrawing ../drawings/vml1.vml"},
        parts={
            "xl/drawings/drawing1.xml": element("xdr:wsDr", anchors),
            "xl/drawings/_rels/drawing1.xml.rels": relations(chart="chart ../charts/chart1.xml"),
            "xl/drawings/vml1.vml": element("xml", buttons),
            "xl/charts/chart1.xml": chart("Costs", "EUR", ["Desk"], [0.5]),
        },
    )
    assert _texts(content)[2:] == [
        "a box",
        "grouped",
        "a chart of costs",
        "Chart: Costs",
        "| Category | EUR |\n| --- | --- |\n| Desk | 50.0% |",
        "Press me",
    ]


def test_each_block_knows_its_sheet_and_a_broken_one_costs_itself() -> None:
    content = xlsx(rows(text_cell("first")), "<sheetData>", rows(), rows(text_cell("last")))
    assert [(block.page, block.text.split("\n")[0]) for block in read_blocks(content, files.XLSX)] == [
        (1, "## Sheet 1"),
        (1, "| first |"),
        (4, "## Sheet 4"),
        (4, "| last |"),
        (None, "damaged parts are left out: xl/worksheets/sheet2.xml"),
    ]


def test_sheets_of_charts() -> None:
    content = xlsx(
        "",
        sheet_targets={"d": "drawing ../drawings/drawing1.xml"},
        parts={
            "xl/drawings/drawing1.xml": element("xdr:wsDr", f"<xdr:graphicFrame>{CHART_FRAME}</xdr:graphicFrame>"),
            "xl/drawings/_rels/drawing1.xml.rels": relations(chart="chart ../charts/chart1.xml"),
            "xl/charts/chart1.xml": chart("Costs", "EUR", ["Desk"], [0.5]),
        },
    )
    assert _texts(content)[1] == "Chart: Costs"


def test_a_sheet_of_scattered_cells_is_written_without_the_empty_ones() -> None:
    lines = [f'<row r="{at}"><c r="{"ABCDEFGHIJ"[at % 10]}{at}"><v>{at}</v></c></row>' for at in range(1, 5001)]
    texts = _texts(xlsx(f"<sheetData>{''.join(lines)}</sheetData>"))
    assert texts[1:4] == ["1", "2", "3"]
    assert len(texts) == 5001
