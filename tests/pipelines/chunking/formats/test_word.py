"""Word: every place that can hold words, as people see them."""

from __future__ import annotations

import pytest

from pipelines.chunking.formats import read_blocks
from tests.pipelines.chunking import files
from tests.pipelines.chunking.office_files import (
    CHART_FRAME,
    DIAGRAM_FRAME,
    chart,
    diagram,
    docx,
    drawn,
    element,
    paragraph,
    run,
    zipped,
)

_TRACKED = 'w:id="1" w:author="Ann"'


def _texts(content: bytes) -> list[str]:
    return [block.text for block in read_blocks(content, files.DOCX)]


def _inline(content: str) -> str:
    return f"<w:p>{run('Before ')}{content}{run(' after')}</w:p>"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (f"<w:ins {_TRACKED}>{run('new')}</w:ins>", "Before new after"),
        (f"<w:moveTo {_TRACKED}>{run('moved')}</w:moveTo>", "Before moved after"),
        (f"<w:ins {_TRACKED}><w:del {_TRACKED}>{run('gone')}</w:del></w:ins>", "Before after"),
        (f"<w:del {_TRACKED}><w:r><w:delText>gone</w:delText></w:r></w:del>", "Before after"),
        (f"<w:moveFrom {_TRACKED}>{run('gone')}</w:moveFrom>", "Before after"),
        (f"<w:sdt><w:sdtPr/><w:sdtContent>{run('control')}</w:sdtContent></w:sdt>", "Before control after"),
        (f'<w:fldSimple w:instr="REF x">{run("field")}</w:fldSimple>', "Before field after"),
        (f"<w:smartTag>{run('tag')}</w:smartTag>", "Before tag after"),
        (f"<w:customXml>{run('custom')}</w:customXml>", "Before custom after"),
        (f"<w:hyperlink>{run('li')}{run('nk')}</w:hyperlink>", "Before link after"),
        (f"<w:bdo w:val='rtl'>{run('turned')}</w:bdo>", "Before turned after"),
        (
            f"<w:r><w:ruby><w:rt>{run('yomi')}</w:rt><w:rubyBase>{run('base')}</w:rubyBase></w:ruby></w:r>",
            "Before base after",
        ),
        ("<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:noBreakHyphen/><w:t>c</w:t></w:r>", "Before a b-c after"),
        ("<w:r><w:t>a</w:t><w:br/><w:t>b</w:t></w:r>", "Before a\nb after"),
        (
            '<w:r><w:t>a</w:t><w:softHyphen/><w:t>b</w:t><w:sym w:font="Symbol" w:char="F061"/></w:r>',
            "Before abα after",
        ),
        ('<w:r><w:sym w:font="Wingdings" w:char="F0FC"/></w:r>', "Before ✓ after"),
    ],
)
def test_what_wraps_words(content: str, text: str) -> None:
    assert _texts(docx(_inline(content))) == [text]


def test_whole_paragraphs_that_are_deleted_or_stand_twice() -> None:
    twice = f"<mc:Choice>{paragraph('once')}</mc:Choice><mc:Fallback>{paragraph('once')}</mc:Fallback>"
    body = (
        f"<w:del {_TRACKED}>{paragraph('gone')}</w:del><w:moveFrom {_TRACKED}>{paragraph('gone')}</w:moveFrom>"
        f"<mc:AlternateContent>{twice}</mc:AlternateContent>"
    )
    assert _texts(docx(body)) == ["once"]


def _field(kind: str) -> str:
    return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'


def test_fields_show_their_results_and_no_instructions() -> None:
    def whole(instruction: str, result: str) -> str:
        return f"{_field('begin')}{instruction}{_field('separate')}{run(result)}{_field('end')}"

    inner = whole("<w:r><w:instrText>REF inner</w:instrText></w:r>", "hidden")
    outer = whole(f"<w:r><w:instrText>IF</w:instrText></w:r>{inner}", "shown")
    assert _texts(docx(_inline(outer))) == ["Before shown after"]


def test_a_field_that_never_ends_hides_nothing_of_the_next_paragraph() -> None:
    assert _texts(docx(f"<w:p>{_field('begin')}{run('instruction')}</w:p>{paragraph('next')}")) == ["next"]


def test_fields_of_forms() -> None:
    choices = '<w:ddList><w:result w:val="1"/><w:listEntry w:val="red"/><w:listEntry w:val="blue"/></w:ddList>'
    box = "<w:checkBox><w:checked/></w:checkBox>"
    fields = "".join(
        f'<w:r><w:fldChar w:fldCharType="begin"><w:ffData>{one}</w:ffData></w:fldChar></w:r>{_field("end")}'
        for one in (choices, box)
    )
    assert _texts(docx(_inline(fields))) == ["Before blue☒ after"]


def test_a_paragraph_whose_end_was_deleted_goes_on_in_the_next() -> None:
    first = paragraph("over", f"<w:rPr><w:del {_TRACKED}/></w:rPr>")
    assert _texts(docx(first + paragraph("flow"))) == ["overflow"]


@pytest.mark.parametrize(
    ("equation", "text"),
    [
        ("<m:r><m:t>E=m</m:t></m:r><m:r><m:t>c</m:t></m:r>", "E=mc"),
        ("<m:f><m:num><m:r><m:t>loss</m:t></m:r></m:num><m:den><m:r><m:t>a+b</m:t></m:r></m:den></m:f>", "loss/(a+b)"),
        ("<m:sSup><m:e><m:r><m:t>x</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup>", "x^2"),
        ("<m:sSub><m:e><m:r><m:t>v</m:t></m:r></m:e><m:sub><m:r><m:t>max</m:t></m:r></m:sub></m:sSub>", "v_(max)"),
        ("<m:rad><m:deg/><m:e><m:r><m:t>y</m:t></m:r></m:e></m:rad>", "√y"),
        ("<m:d><m:e><m:r><m:t>p</m:t></m:r></m:e><m:e><m:r><m:t>q</m:t></m:r></m:e></m:d>", "(p|q)"),
        (
            '<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub><m:r><m:t>i</m:t></m:r></m:sub><m:sup/>'
            "<m:e><m:r><m:t>mass</m:t></m:r></m:e></m:nary>",
            "∑_i mass",
        ),
        (f"<w:del {_TRACKED}><m:r><m:t>gone</m:t></m:r></w:del><m:r><m:t>kept</m:t></m:r>", "kept"),
    ],
)
def test_equations(equation: str, text: str) -> None:
    assert _texts(docx(f"<m:oMathPara><m:oMath>{equation}</m:oMath></m:oMathPara>")) == [text]
    assert _texts(docx(_inline(f"<m:oMath>{equation}</m:oMath>"))) == [f"Before {text} after"]


def test_notes_and_comments_stand_behind_their_paragraph() -> None:
    notes = element(
        "w:footnotes",
        f'<w:footnote w:type="separator" w:id="0">{paragraph("line")}</w:footnote>'
        f'<w:footnote w:id="2">{paragraph("dolomite")}</w:footnote>'
        f'<w:footnote w:id="3">{paragraph("unused")}</w:footnote>',
    )
    ends = element("w:endnotes", f'<w:endnote w:id="2">{paragraph("basalt")}</w:endnote>')
    comments = element(
        "w:comments",
        f'<w:comment w:id="0" w:author="Ann">{paragraph("why")}</w:comment>'
        f'<w:comment w:id="1" w:author="Ben">{paragraph("because")}</w:comment>',
    )
    body = (
        '<w:p><w:r><w:t>One</w:t><w:footnoteReference w:id="2"/></w:r><w:r><w:commentReference w:id="0"/></w:r></w:p>'
        '<w:p><w:r><w:t>Two</w:t><w:endnoteReference w:id="2"/></w:r></w:p>'
    )
    parts = {"word/footnotes.xml": notes, "word/endnotes.xml": ends, "word/comments.xml": comments}
    content = docx(body, parts, f="footnotes footnotes.xml", e="endnotes endnotes.xml", c="comments comments.xml")
    assert _texts(content) == [
        "One",
        "Footnote: dolomite",
        "Comment by Ann: why",
        "Two",
        "Endnote: basalt",
        "Comment by Ben: because",
    ]


_BOX = f"<w:txbxContent>{paragraph('boxed')}</w:txbxContent>"
_SHAPE = f"<a:graphic><wps:wsp><wps:txbx>{_BOX}</wps:txbx></wps:wsp></a:graphic>"
_MODERN_BOX = f"<w:drawing><wp:anchor>{_SHAPE}</wp:anchor></w:drawing>"
_OLD_BOX = f"<w:pict><v:shape><v:textbox>{_BOX}</v:textbox></v:shape></w:pict>"
_FALLBACK = f"<mc:Fallback>{_OLD_BOX}</mc:Fallback>"


@pytest.mark.parametrize(
    "box",
    [
        _MODERN_BOX,
        _OLD_BOX,
        f"<mc:AlternateContent><mc:Choice>{_MODERN_BOX}</mc:Choice>{_FALLBACK}</mc:AlternateContent>",
        f"<mc:AlternateContent>{_FALLBACK}</mc:AlternateContent>",
    ],
)
def test_text_boxes_are_read_once_and_apart(box: str) -> None:
    assert _texts(docx(f"<w:p>{run('word')}<w:r>{box}</w:r></w:p>")) == ["word", "boxed"]


def test_pictures_charts_and_smart_art() -> None:
    def drawing(content: str, description: str = "") -> str:
        names = f'<wp:docPr id="1" name="P" descr="{description}"/>'
        return f"<w:p><w:r><w:drawing><wp:inline>{names}{content}</wp:inline></w:drawing></w:r></w:p>"

    label = f"<c:dLbls><c:dLbl><c:tx><c:rich>{drawn('peak')}</c:rich></c:tx></c:dLbl></c:dLbls>"
    parts = {
        "word/charts/chart1.xml": chart("Sales", "North", ["Q1", "Q2"], [0.5, 0.25], label),
        "word/diagrams/data1.xml": diagram("plan", "build"),
    }
    body = drawing("", "a red door") + drawing(CHART_FRAME) + drawing(DIAGRAM_FRAME)
    content = docx(body, parts, chart="chart charts/chart1.xml", diagram="diagramData diagrams/data1.xml")
    assert _texts(content) == [
        "a red door",
        "Chart: Sales",
        "| Category | North |\n| --- | --- |\n| Q1 | 50.0% |\n| Q2 | 25.0% |",
        "Labels: peak",
        "- plan",
        "- build",
    ]


def _cell(content: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{content}</w:tc>"


def _control(content: str) -> str:
    return f"<w:sdt><w:sdtContent>{content}</w:sdtContent></w:sdt>"


def _row(*cells: str) -> str:
    return f"<w:tr>{''.join(cells)}</w:tr>"


def test_merged_cells_stand_in_each_place_that_they_cover() -> None:
    table = "".join(
        [
            _row(_cell(paragraph("Sales"), '<w:gridSpan w:val="2"/>'), _cell(paragraph("Owner"))),
            _row(
                _cell(paragraph("North"), '<w:vMerge w:val="restart"/>'),
                _cell(paragraph("10")),
                _cell(paragraph("Ann")),
            ),
            _row(_cell("<w:p/>", "<w:vMerge/>"), _cell(paragraph("20")), _cell(paragraph("Ben"))),
        ]
    )
    assert _texts(docx(f"<w:tbl>{table}</w:tbl>")) == [
        "| Sales | Sales | Owner |\n| --- | --- | --- |\n| North | 10 | Ann |\n| North | 20 | Ben |"
    ]


def test_rows_and_cells_that_are_wrapped_or_deleted() -> None:
    inner = f"<w:tbl>{_row(_cell(paragraph('left')), _cell(paragraph('right')))}</w:tbl>"
    table = "".join(
        [
            _row(_cell(paragraph("Item")), _cell(paragraph("Note"))),
            _control(_row(_cell(paragraph("a")), _control(_cell(paragraph("b"))))),
            f"<w:tr><w:trPr><w:del {_TRACKED}/></w:trPr>{_cell(paragraph('gone'))}{_cell(paragraph('gone'))}</w:tr>",
            _row(_cell(paragraph("c")), _cell(f"{inner}<w:p/>")),
        ]
    )
    assert _texts(docx(f"<w:tbl>{table}</w:tbl>")) == ["| Item | Note |\n| --- | --- |\n| a | b |\n| c | left right |"]


def test_a_table_of_one_column_is_a_frame() -> None:
    assert _texts(docx(f"<w:tbl>{_row(_cell(paragraph('one') + paragraph('two')))}</w:tbl>")) == ["one", "two"]


def test_headings_and_lists_by_styles_of_any_language() -> None:
    styles = element(
        "w:styles",
        '<w:style w:styleId="berschrift2"><w:name w:val="heading 2"/></w:style>'
        '<w:style w:styleId="Mine"><w:name w:val="Mine"/><w:basedOn w:val="berschrift2"/></w:style>'
        '<w:style w:styleId="Loop"><w:name w:val="Loop"/><w:basedOn w:val="Loop"/></w:style>'
        '<w:style w:styleId="Liste2"><w:name w:val="List Bullet 2"/></w:style>',
    )
    body = "".join(
        [
            paragraph("Chapter", '<w:pStyle w:val="Mine"/>'),
            paragraph("Section", '<w:outlineLvl w:val="3"/>'),
            paragraph("text", '<w:pStyle w:val="Loop"/>'),
            paragraph("point", '<w:pStyle w:val="Liste2"/>'),
            paragraph("number", '<w:numPr><w:ilvl w:val="0"/><w:numId w:val="5"/></w:numPr>'),
            paragraph("none", '<w:pStyle w:val="Liste2"/><w:numPr><w:numId w:val="0"/></w:numPr>'),
        ]
    )
    assert _texts(docx(body, {"word/styles.xml": styles}, s="styles styles.xml")) == [
        "## Chapter",
        "#### Section",
        "text",
        "  - point",
        "- number",
        "none",
    ]


def test_headers_and_footers_are_read_once() -> None:
    parts = {
        "word/header1.xml": element("w:hdr", paragraph("Annual report")),
        "word/header2.xml": element("w:hdr", paragraph("Annual report")),
        "word/footer1.xml": element("w:ftr", paragraph("internal")),
    }
    content = docx(paragraph("body"), parts, a="header header1.xml", b="header header2.xml", c="footer footer1.xml")
    assert _texts(content) == ["body", "Header: Annual report", "Footer: internal"]


def test_embedded_files_are_read_in_their_place() -> None:
    nested = docx(paragraph("inner") + '<w:altChunk r:id="x"/>', x="aFChunk x.html")
    types = (
        '<Types><Default Extension="html" ContentType="text/html"/><Default Extension="txt" ContentType="text/plain"/>'
        '<Default Extension="mht" ContentType="message/rfc822"/><Default Extension="docx" '
        f'ContentType="{files.DOCX}.main+xml"/></Types>'
    )
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": types,
        "word/a.html": "<p>from <b>HTML</b></p>",
        "word/b.docx": nested,
        "word/c.txt": "grün".encode("cp1252"),
        "word/d.mht": b"Content-Type: text/html\r\n\r\n<p>from a page</p>",
    }
    body = "".join(f'<w:altChunk r:id="{key}"/>{paragraph(key)}' for key in "abcade")
    targets = {"a": "a.html", "b": "b.docx", "c": "c.txt", "d": "d.mht", "e": "missing.html"}
    content = docx(body, parts, **{key: f"aFChunk {target}" for key, target in targets.items()})
    assert _texts(content) == ["from HTML", "a", "inner", "b", "grün", "c", "a", "from a page", "d", "e"]


def test_strict_files_have_other_namespaces() -> None:
    document = (
        '<w:document xmlns:w="http://purl.oclc.org/ooxml/wordprocessingml/main"><w:body>'
        '<w:p><w:pPr><w:outlineLvl w:val="0"/></w:pPr><w:r><w:t>Heading</w:t></w:r></w:p></w:body></w:document>'
    )
    assert _texts(zipped({"word/document.xml": document})) == ["# Heading"]
