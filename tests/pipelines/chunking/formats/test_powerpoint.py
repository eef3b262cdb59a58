"""PowerPoint: every place that can hold words, slide by slide."""

from __future__ import annotations

from pipelines.chunking.formats import read_blocks
from tests.pipelines.chunking import files
from tests.pipelines.chunking.office_files import (
    CHART_FRAME,
    DIAGRAM_FRAME,
    chart,
    diagram,
    drawn,
    element,
    pptx,
    relations,
    shape,
)


def _texts(content: bytes) -> list[str]:
    return [block.text for block in read_blocks(content, files.PPTX)]


def _frame(content: str, description: str = "") -> str:
    names = f'<p:nvGraphicFramePr><p:cNvPr id="3" name="F" descr="{description}"/></p:nvGraphicFramePr>'
    return f"<p:graphicFrame>{names}{content}</p:graphicFrame>"


def _cell(text: str, **properties: str) -> str:
    given = " ".join(f'{name}="{value}"' for name, value in properties.items())
    return f"<a:tc {given}><a:txBody>{drawn(text) if text else '<a:p/>'}</a:txBody></a:tc>"


def test_the_shapes_of_a_slide() -> None:
    slide = "".join(
        [
            shape("drawn freely", description="a described shape"),
            f"<p:grpSp>{shape('in a group')}<p:grpSp>{shape('in a group of it')}</p:grpSp></p:grpSp>",
            f"<mc:AlternateContent><mc:Choice>{shape('new')}</mc:Choice><mc:Fallback>{shape('new')}</mc:Fallback>"
            "</mc:AlternateContent>",
            '<p:pic><p:nvPicPr><p:cNvPr id="4" name="P" descr="a picture"/></p:nvPicPr></p:pic>',
            shape("Plan", "ctrTitle"),
            shape("Page 1", "sldNum"),
            shape("internal", "ftr"),
        ]
    )
    assert _texts(pptx(slide, shape("internal", "ftr") + shape("next", ""))) == [
        "# Plan",
        "drawn freely",
        "a described shape",
        "in a group",
        "in a group of it",
        "new",
        "a picture",
        "internal",
        "- next",
    ]


def test_lists_have_levels_and_lines() -> None:
    paragraphs = "".join(
        [
            "<a:p><a:r><a:t>fi</a:t></a:r><a:r><a:t>rst</a:t></a:r></a:p>",
            '<a:p><a:pPr lvl="1"/><a:r><a:t>below</a:t></a:r><a:br/><a:fld type="slidenum"><a:t>7</a:t></a:fld></a:p>',
            "<a:p><a:pPr><a:buNone/></a:pPr><a:r><a:t>no item</a:t></a:r></a:p>",
            "<a:p><a14:m><m:oMath><m:r><m:t>E=mc</m:t></m:r></m:oMath></a14:m></a:p>",
        ]
    )
    body = f'<p:sp><p:nvSpPr><p:nvPr><p:ph type="body"/></p:nvPr></p:nvSpPr><p:txBody>{paragraphs}</p:txBody></p:sp>'
    assert _texts(pptx(body)) == ["- first", "  - below\n7", "no item", "- E=mc"]


def test_tables_with_merged_cells() -> None:
    rows = [
        [_cell("Sales", gridSpan="2"), _cell("", hMerge="1"), _cell("Owner")],
        [_cell("North", rowSpan="2"), _cell("10"), _cell("Ann")],
        [_cell("", vMerge="1"), _cell("20"), _cell("Ben")],
    ]
    table = "".join(f"<a:tr>{''.join(row)}</a:tr>" for row in rows)
    slide = _frame(f"<a:graphic><a:graphicData><a:tbl>{table}</a:tbl></a:graphicData></a:graphic>", "a table of sales")
    assert _texts(pptx(slide)) == [
        "a table of sales",
        "| Sales | Sales | Owner |\n| --- | --- | --- |\n| North | 10 | Ann |\n| North | 20 | Ben |",
    ]


def test_charts_and_smart_art() -> None:
    more = f"<c:dLbls><c:dLbl><c:tx><c:rich>{drawn('peak')}</c:rich></c:tx></c:dLbl></c:dLbls>"
    drawing = element("c:userShapes", f"<c:sp><c:txBody>{drawn('drawn on the chart')}</c:txBody></c:sp>")
    content = pptx(
        _frame(CHART_FRAME, "a chart") + _frame(DIAGRAM_FRAME),
        targets={"chart": "chart ../charts/chart1.xml", "diagram": "diagramData ../diagrams/data1.xml"},
        parts={
            "ppt/charts/chart1.xml": chart("Growth", "South", ["May", "June"], [0.1, 0.2], more),
            "ppt/charts/_rels/chart1.xml.rels": relations(drawing="chartUserShapes ../drawings/d.xml"),
            "ppt/drawings/d.xml": drawing,
            "ppt/diagrams/data1.xml": diagram("first step", "second step"),
        },
    )
    assert _texts(content) == [
        "a chart",
        "Chart: Growth",
        "| Category | South |\n| --- | --- |\n| May | 10.0% |\n| June | 20.0% |",
        "Labels: peak",
        "drawn on the chart",
        "- first step",
        "- second step",
    ]


def test_the_newer_charts() -> None:
    points = '<cx:pt idx="0">4</cx:pt><cx:pt idx="1">9</cx:pt>'
    numbers = f'<cx:numDim type="val"><cx:lvl formatCode="0">{points}</cx:lvl></cx:numDim>'
    names = '<cx:strDim type="cat"><cx:lvl><cx:pt idx="0">007</cx:pt><cx:pt idx="1">steel</cx:pt></cx:lvl></cx:strDim>'
    series = "<cx:tx><cx:txData><cx:v>tons</cx:v></cx:txData></cx:tx><cx:dataId val='0'/>"
    space = (
        f"<cx:chartData><cx:data id='0'>{names}{numbers}</cx:data></cx:chartData><cx:chart><cx:title><cx:tx><cx:rich>"
        f"{drawn('Waterfall')}</cx:rich></cx:tx></cx:title><cx:plotArea><cx:plotAreaRegion><cx:series>{series}"
        "</cx:series></cx:plotAreaRegion></cx:plotArea></cx:chart>"
    )
    frame = '<a:graphic><a:graphicData><cx:chart r:id="chart"/></a:graphicData></a:graphic>'
    slide = f"<mc:AlternateContent><mc:Choice>{_frame(frame)}</mc:Choice><mc:Fallback/></mc:AlternateContent>"
    content = pptx(
        slide,
        targets={"chart": "chartEx ../charts/chartEx1.xml"},
        parts={"ppt/charts/chartEx1.xml": element("cx:chartSpace", space)},
    )
    assert _texts(content) == [
        "Chart: Waterfall",
        "| Category | tons |\n| --- | --- |\n| 007 | 4 |\n| steel | 9 |",
    ]


def test_notes_and_comments() -> None:
    notes = "".join([shape("", "sldImg"), shape("say this", "body"), shape("1", "sldNum"), shape("page header", "hdr")])
    classic = '<p:cm authorId="0"><p:text>why so late</p:text></p:cm>'
    modern = (
        f'<p188:cm authorId="{{A}}"><p188:replyLst><p188:reply authorId="{{B}}"><p188:txBody>{drawn("a reply")}'
        f"</p188:txBody></p188:reply></p188:replyLst><p188:txBody>{drawn('a remark')}</p188:txBody></p188:cm>"
    )
    content = pptx(
        shape("Title", "title"),
        targets={
            "notes": "notesSlide ../notesSlides/notesSlide1.xml",
            "old": "comments ../comments/comment1.xml",
            "new": "comments ../comments/modernComment1.xml",
        },
        main={"old": "commentAuthors commentAuthors.xml", "new": "authors authors.xml"},
        parts={
            "ppt/notesSlides/notesSlide1.xml": element("p:notes", f"<p:cSld><p:spTree>{notes}</p:spTree></p:cSld>"),
            "ppt/comments/comment1.xml": element("p:cmLst", classic),
            "ppt/comments/modernComment1.xml": element("p188:cmLst", modern),
            "ppt/commentAuthors.xml": element("p:cmAuthorLst", '<p:cmAuthor id="0" name="Ann"/>'),
            "ppt/authors.xml": element("p188:authorLst", '<p188:author id="{A}" name="Ben"/>'),
        },
    )
    assert _texts(content) == [
        "# Title",
        "Notes: say this",
        "page header",
        "Comment by Ann: why so late",
        "Comment by Ben: a remark",
        "Comment: a reply",
    ]


def test_each_block_knows_its_slide() -> None:
    broken = "<p:sp>"  # the second slide is no XML
    content = pptx(shape("one"), broken, shape("three"))
    assert [(block.page, block.text) for block in read_blocks(content, files.PPTX)] == [
        (1, "one"),
        (3, "three"),
        (None, "damaged parts are left out: ppt/slides/slide2.xml"),
    ]


def test_what_layouts_say_is_not_read() -> None:
    content = files.slides()
    assert all("Click to" not in text for text in _texts(content))
    assert "# Slide 1" in _texts(content)
