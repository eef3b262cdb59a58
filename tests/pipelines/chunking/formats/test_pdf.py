"""PDF: every place that holds words, page by page, within bounds."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pipelines.chunking.bounds import most_characters
from pipelines.chunking.chunker import chunk_content
from pipelines.chunking.formats.pdf import MOST_PAGES, pdf_blocks
from pipelines.chunking.formats.pdf_direction import turned
from pipelines.chunking.formats.pdf_text import join_words
from pipelines.errors import DocumentError
from tests.pipelines.chunking import files
from tests.pipelines.chunking.files import MakeDocument
from tests.pipelines.chunking.pdf_files import Pdf, packed_pages, text_field


def lines(data: bytes) -> list[str]:
    return [line for block in pdf_blocks(data) for line in block.text.split("\n")]


@pytest.mark.parametrize(
    ("field", "line"),
    [
        (text_field("cust", "Hippogriff GmbH", "/TU (Customer)"), "Customer: Hippogriff GmbH"),
        (text_field("cust", "Hippogriff GmbH"), "Name: Hippogriff GmbH"),
        (
            "/Subtype /Widget /FT /Ch /Ff 131072 /T (plan) /TU (Plan) /V (g) "
            "/Opt [[(s) (Silver plan)] [(g) (Gold plan)]]",
            "Plan: Gold plan",
        ),
        ("/Subtype /Widget /FT /Ch /T (c) /TU (Colour) /V (teal) /Opt [(red) (teal)]", "Colour: teal"),
        ("/Subtype /Widget /FT /Btn /T (ok) /TU (Agreed) /V /Yes /AS /Yes /AP << /N << /Yes null >> >>", "Agreed: yes"),
        ("/Subtype /FreeText /Contents (Typed onto the page: hematite)", "Typed onto the page: hematite"),
        ("/Subtype /Text /T (Ann) /Contents (Please check)", "Ann: Please check"),
        ("/Subtype /Highlight /T (Bob) /Contents (Why so much?)", "Bob: Why so much?"),
        ("/Subtype /FreeText /RC (<body><p>rich words</p></body>)", "rich words"),
    ],
)
def test_fields_and_annotations(field: str, line: str) -> None:
    assert line in lines(Pdf().page("Name:", annotations=[field]).data())


@pytest.mark.parametrize(
    "field",
    [
        text_field("pin", "1234", "/Ff 8192"),
        text_field("cust", ""),
        "/Subtype /Link /Contents (a link)",
        "/Subtype /Text /F 2 /Contents (hidden)",
        "/Subtype /Widget /FT /Btn /T (ok) /TU (Agreed) /V /Off /AS /Off",
    ],
)
def test_what_nobody_sees_is_left_out(field: str) -> None:
    assert lines(Pdf().page("Name:", annotations=[field]).data()) == ["Name:"]


@pytest.mark.parametrize(
    ("shown", "read"),
    [
        (("the emer-", "gency desk"), "the emergency desk"),
        (("order ABC-", "123 waits"), "order ABC-123 waits"),
        (("ticket ERR-", "4711 waits"), "ticket ERR-4711 waits"),
        (("the Nord-", "Ost train"), "the Nord-Ost train"),
        (("Unter\x01", "nehmens\x01", "wert"), "Unternehmenswert"),
        (("order ABC\x01", "123 waits"), "order ABC-123 waits"),
        (("ausschlie\xdf-", "lich"), "ausschließlich"),
        (("caf\xe9-", "teria"), "caféteria"),
        (("\x02\x03-", "\x02\x03"), "бвбв"),
        (("\x02\x03\x01", "\x02\x03"), "бвбв"),
        (("Caf\xc9-", "4711"), "CafÉ-4711"),
        (("soft\xad", "ware"), "software"),
    ],
)
def test_a_hyphen_at_a_line_end(shown: tuple[str, ...], read: str) -> None:
    assert lines(Pdf().page(*shown).data()) == [read]


@pytest.mark.parametrize(
    ("word", "middles", "read"),
    [
        ("גבא", (10, 20, 30), "אבג"),
        ("אבג", (30, 20, 10), "אבג"),
        ("אבג", (30, 15, 17), "אבג"),  # one above the other
        ("محضر"[::-1], (10, 20, 30, 40), "محضر"),
        ("-12ABC", (40, 50, 60, 10, 20, 30), "ABC-12"),
        ("ABC-12", (10, 20, 30, 40, 50, 60), "ABC-12"),
        ("2024م", (20, 30, 40, 50, 10), "2024م"),
        ("١٢", (10, 20), "١٢"),
        ("בִא", (10, 15, 20), "בִא"),
        ("גבא", (10, 10, 10), "גבא"),  # upright
    ],
)
def test_words_of_a_line_from_right_to_left(word: str, middles: tuple[float, ...], read: str) -> None:
    assert turned(word, [(middle, 700 - (len(set(middles)) == 1) * at) for at, middle in enumerate(middles)]) == read


def test_a_hyphen_that_browsers_print_may_be_a_line_of_its_own() -> None:
    assert join_words("Unter\n\u2010\nnehmen\nABC\n\u2010\n123") == "Unternehmen\nABC-123"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("前の行\n縦\n書\nき\n次の行", "前の行\n縦書き\n次の行"),
        ("日\n月", "日\n月"),
        ("a\nb\nc", "a\nb\nc"),
    ],
)
def test_what_is_written_from_top_to_bottom(text: str, read: str) -> None:
    assert join_words(text) == read


def test_a_dash_at_a_line_end_is_no_hyphen() -> None:
    assert lines(Pdf().page("\xe9 -", "then", "-", "x").data()) == ["é -", "then", "-", "x"]


def test_titles_of_the_outline_are_headings(document: MakeDocument) -> None:
    pdf = Pdf().page("Intake", "Water comes in.", title="Intake").page("Water goes out.", title="Outlet").page("Words")
    chunks = chunk_content(document(pdf.data(), files.PDF)).chunks
    assert [(one.page, one.headings, one.text) for one in chunks] == [
        (1, (), "# Intake\n\nWater comes in."),
        (2, (), "# Outlet\n\nWater goes out."),
        (3, ("Outlet",), "Words"),
    ]


def test_a_chunk_lies_on_one_page(document: MakeDocument) -> None:
    pdf = Pdf().page("first page").page("second page", annotations=[text_field("a", "b")]).page("third page").data()
    chunks = chunk_content(document(pdf, files.PDF)).chunks
    assert [(one.page, one.text.split("\n")[0]) for one in chunks] == [
        (1, "first page"),
        (2, "second page"),
        (3, "third page"),
    ]


def test_pages_that_hold_a_picture_are_named(document: MakeDocument) -> None:
    pdf = Pdf().page("words").page(image=0.2).page("Page 3", image=1.0).page("words", image=0.2).page(image=1.0).page()
    content = chunk_content(document(pdf.data(), files.PDF))
    assert content.pictures == (2, 3, 5)
    assert content.partly_read == "partly read: pages 2-3, 5 hold pictures only"


def test_a_broken_file_fails_on_itself_whatever_was_read_before() -> None:
    reasons = []
    for data in (Pdf().data(), files.pdf("secret", encrypted=True), Pdf().data()):
        with pytest.raises(DocumentError) as caught:
            pdf_blocks(data)
        reasons.append((caught.value.reason, caught.value.skip))
    assert reasons[0] == reasons[2] != reasons[1]
    assert not reasons[0][1]


def test_pages_are_bounded(document: MakeDocument) -> None:
    pdf = Pdf().pages_alike(MOST_PAGES + 1, "BT /F1 11 Tf 50 700 Td (words) Tj ET").data()
    content = chunk_content(document(pdf, files.PDF))
    assert len(content.chunks) == MOST_PAGES
    assert content.partly_read == "partly read: only the first 3,000 of 3,001 pages are read"


def test_characters_of_a_small_file_are_bounded(document: MakeDocument) -> None:
    pdf = packed_pages(20, "a word after a word after a word after a word", 600)
    content = chunk_content(document(pdf, files.PDF))
    read = sum(len(one.text) for one in content.chunks)
    assert 150_000 < read <= most_characters(len(pdf)) == 200_000
    assert content.partly_read == "partly read: only the first 200,000 characters are read"


STORY = ("The mill at the river was", "built of oak long before", "the town had walls, and", "its wheel turns even now")
TALE = ("A ferry crossed the lake", "twice on every day but", "in winter, when ice kept", "all boats on the shore")


def drawn_row_by_row(left: Sequence[str], right: Sequence[str], pitch: int = 14) -> bytes:
    """A page of two columns, 270 points apart, of which each line is drawn across both."""
    rows = " ".join(
        f"1 0 0 1 50 {700 - pitch * at} Tm ({one}) Tj 1 0 0 1 320 {700 - pitch * at} Tm ({other}) Tj"
        for at, (one, other) in enumerate(zip(left, right, strict=True))
    )
    return Pdf().pages_alike(1, f"BT /F1 11 Tf {rows} ET").data()


def test_columns_that_are_drawn_row_by_row_are_read_one_after_the_other() -> None:
    assert lines(drawn_row_by_row(STORY, TALE)) == [*STORY, *TALE]


@pytest.mark.parametrize(
    ("left", "right", "pitch"),
    [
        (STORY, TALE, 28),
        (("North", "South", "East", "West"), ("ten", "thirty", "none", "five"), 14),
        (
            ("Mean time to repair", "Mean time between failures", "Time to first answer", "Time to live"),
            ("How long it takes to mend", "How long it lasts", "How long one waits for it", "How long it is kept"),
            14,
        ),
        (STORY[:3], TALE[:3], 14),
    ],
    ids=["far apart", "single words", "capitals", "three rows"],
)
def test_rows_of_a_table_stay_rows(left: Sequence[str], right: Sequence[str], pitch: int) -> None:
    found = "\n".join(lines(drawn_row_by_row(left, right, pitch)))
    for one, other in zip(left, right, strict=True):
        assert f"{one} {other}" in found
