"""Office files made part by part, for what no library writes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

_OFFICE = "http://schemas.openxmlformats.org"
_RELATIONS = f"{_OFFICE}/officeDocument/2006/relationships"
_NAMESPACES = {
    "w": f"{_OFFICE}/wordprocessingml/2006/main",
    "m": f"{_OFFICE}/officeDocument/2006/math",
    "a": f"{_OFFICE}/drawingml/2006/main",
    "c": f"{_OFFICE}/drawingml/2006/chart",
    "dgm": f"{_OFFICE}/drawingml/2006/diagram",
    "wp": f"{_OFFICE}/drawingml/2006/wordprocessingDrawing",
    "xdr": f"{_OFFICE}/drawingml/2006/spreadsheetDrawing",
    "p": f"{_OFFICE}/presentationml/2006/main",
    "r": _RELATIONS,
    "mc": f"{_OFFICE}/markup-compatibility/2006",
    "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
    "a14": "http://schemas.microsoft.com/office/drawing/2010/main",
    "cx": "http://schemas.microsoft.com/office/drawing/2014/chartex",
    "p188": "http://schemas.microsoft.com/office/powerpoint/2018/8/main",
    "v": "urn:schemas-microsoft-com:vml",
}
_SHEET = f"{_OFFICE}/spreadsheetml/2006/main"
XMLNS = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in _NAMESPACES.items())


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    """A zip of parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, part in parts.items():
            file.writestr(name, part)
    return buffer.getvalue()


def relations(**targets: str) -> str:
    """Relations by their ids, each as `kind target`."""
    lines = []
    for key, one in targets.items():
        kind, _, target = one.partition(" ")
        lines.append(f'<Relationship Id="{key}" Type="{_RELATIONS}/{kind}" Target="{target}"/>')
    return f'<Relationships xmlns="{_OFFICE}/package/2006/relationships">{"".join(lines)}</Relationships>'


def element(name: str, content: str) -> str:
    """The root of a part."""
    return f'<{name} {XMLNS} xmlns="{_SHEET}">{content}</{name}>'


def docx(body: str, parts: Mapping[str, str | bytes] | None = None, **targets: str) -> bytes:
    """A Word file of this body; `targets` are the body's relations, `parts` what they lead to."""
    return zipped(
        {
            "_rels/.rels": relations(main="officeDocument word/document.xml"),
            "word/document.xml": element("w:document", f"<w:body>{body}</w:body>"),
            "word/_rels/document.xml.rels": relations(**targets),
            **(parts or {}),
        }
    )


def paragraph(text: str, properties: str = "") -> str:
    """A paragraph of Word of one run."""
    return f"<w:p>{properties and f'<w:pPr>{properties}</w:pPr>'}{run(text)}</w:p>"


def run(text: str) -> str:
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def pptx(
    *slides: str,
    parts: Mapping[str, str | bytes] | None = None,
    targets: Mapping[str, str] | None = None,
    main: Mapping[str, str] | None = None,
) -> bytes:
    """A presentation of slides given as the shapes on them; `targets` are the first slide's relations."""
    numbers = range(1, len(slides) + 1)
    listed = "".join(f'<p:sldId id="{255 + number}" r:id="slide{number}"/>' for number in numbers)
    return zipped(
        {
            "_rels/.rels": relations(main="officeDocument ppt/presentation.xml"),
            "ppt/presentation.xml": element("p:presentation", f"<p:sldIdLst>{listed}</p:sldIdLst>"),
            "ppt/_rels/presentation.xml.rels": relations(
                **{f"slide{number}": f"slide slides/slide{number}.xml" for number in numbers}, **(main or {})
            ),
            **{
                f"ppt/slides/slide{number}.xml": element("p:sld", f"<p:cSld><p:spTree>{shapes}</p:spTree></p:cSld>")
                for number, shapes in zip(numbers, slides, strict=True)
            },
            "ppt/slides/_rels/slide1.xml.rels": relations(**(targets or {})),
            **(parts or {}),
        }
    )


def shape(text: str, place: str | None = None, description: str = "") -> str:
    """A shape of a slide, drawn freely or in the place of a layout."""
    properties = "" if place is None else f'<p:ph type="{place}"/>' if place else "<p:ph/>"
    return (
        f'<p:sp><p:nvSpPr><p:cNvPr id="2" name="S" descr="{description}"/><p:nvPr>{properties}</p:nvPr></p:nvSpPr>'
        f"<p:txBody>{drawn(text)}</p:txBody></p:sp>"
    )


def drawn(text: str) -> str:
    """A paragraph of DrawingML."""
    return f"<a:p><a:r><a:t>{text}</a:t></a:r></a:p>"


def xlsx(
    *sheets: str,
    parts: Mapping[str, str | bytes] | None = None,
    styles: str = "",
    strings: str = "",
    workbook: str = "",
    sheet_targets: Mapping[str, str] | None = None,
    main: Mapping[str, str] | None = None,
) -> bytes:
    """A workbook of sheets given as their content; `sheet_targets` are the first sheet's relations."""
    numbers = range(1, len(sheets) + 1)
    listed = "".join(f'<sheet name="Sheet {number}" sheetId="{number}" r:id="sheet{number}"/>' for number in numbers)
    return zipped(
        {
            "_rels/.rels": relations(main="officeDocument xl/workbook.xml"),
            "xl/workbook.xml": element("workbook", f"{workbook}<sheets>{listed}</sheets>"),
            "xl/_rels/workbook.xml.rels": relations(
                **{f"sheet{number}": f"worksheet worksheets/sheet{number}.xml" for number in numbers},
                styles="styles styles.xml",
                strings="sharedStrings sharedStrings.xml",
                **(main or {}),
            ),
            **{
                f"xl/worksheets/sheet{number}.xml": element("worksheet", content)
                for number, content in zip(numbers, sheets, strict=True)
            },
            "xl/worksheets/_rels/sheet1.xml.rels": relations(**(sheet_targets or {})),
            "xl/styles.xml": element("styleSheet", styles),
            "xl/sharedStrings.xml": element("sst", strings),
            **(parts or {}),
        }
    )


def rows(*lines: str) -> str:
    """The rows of a sheet, each given as its cells."""
    return f"<sheetData>{''.join(f'<row>{line}</row>' for line in lines)}</sheetData>"


def text_cell(text: str, place: str = "") -> str:
    return f'<c {place and f"r={chr(34)}{place}{chr(34)}"} t="inlineStr"><is><t>{text}</t></is></c>'


def number_cell(number: float | str, style: int = 0, place: str = "") -> str:
    return f'<c {place and f"r={chr(34)}{place}{chr(34)}"} s="{style}"><v>{number}</v></c>'


def chart(title: str, series: str, categories: list[str], values: list[float], more: str = "") -> str:
    """A bar chart."""
    names = "".join(f'<c:pt idx="{at}"><c:v>{name}</c:v></c:pt>' for at, name in enumerate(categories))
    numbers = "".join(f'<c:pt idx="{at}"><c:v>{value}</c:v></c:pt>' for at, value in enumerate(values))
    return element(
        "c:chartSpace",
        f"<c:chart><c:title><c:tx><c:rich>{drawn(title)}</c:rich></c:tx></c:title><c:plotArea><c:barChart><c:ser>"
        f'<c:tx><c:strRef><c:strCache><c:pt idx="0"><c:v>{series}</c:v></c:pt></c:strCache></c:strRef></c:tx>{more}'
        f"<c:cat><c:strRef><c:strCache>{names}</c:strCache></c:strRef></c:cat>"
        f"<c:val><c:numRef><c:numCache><c:formatCode>0.0%</c:formatCode>{numbers}</c:numCache></c:numRef></c:val>"
        "</c:ser></c:barChart></c:plotArea></c:chart>",
    )


def diagram(*texts: str) -> str:
    """The data of a SmartArt."""
    points = "".join(f"<dgm:pt><dgm:t>{drawn(text)}</dgm:t></dgm:pt>" for text in texts)
    return element("dgm:dataModel", f"<dgm:ptLst>{points}</dgm:ptLst>")


CHART_FRAME = '<a:graphic><a:graphicData><c:chart r:id="chart"/></a:graphicData></a:graphic>'
DIAGRAM_FRAME = '<a:graphic><a:graphicData><dgm:relIds r:dm="diagram"/></a:graphicData></a:graphic>'
