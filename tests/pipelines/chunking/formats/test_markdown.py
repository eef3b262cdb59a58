"""Markdown to blocks."""

from __future__ import annotations

import time

import pytest

from pipelines.chunking.formats import markdown
from pipelines.chunking.formats.markdown import markdown_blocks
from pipelines.chunking.formats.markdown_comments import without_comments

LONG_LIST = "\n".join(f"- item {number} with some words" for number in range(40))


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("One\ntwo\n\nthree", [("text", "One\ntwo"), ("text", "three")]),
        ("# A #\n\nB\n===\n\nC\n---", [("heading", "# A"), ("heading", "# B"), ("heading", "## C")]),
        ("#\n\ntext", [("text", "text")]),
        ("## [Link](u) and `code`", [("heading", "## [Link](u) and `code`")]),
        ("- a\n- b\n  - c\n\ntext", [("item", "- a\n- b\n  - c"), ("text", "text")]),
        ("> quoted\n> more", [("item", "> quoted\n> more")]),
        ("```py\nx = 1\n\ny = 2\n```\nafter", [("code", "```py\nx = 1\n\ny = 2\n```"), ("text", "after")]),
        ("text\n\n    indented\n      code", [("text", "text"), ("code", "    indented\n      code")]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", [("table", "| a | b |\n|---|---|\n| 1 | 2 |")]),
        ("~~gone~~ **bold** [x](https://e.org)", [("text", "~~gone~~ **bold** [x](https://e.org)")]),
        ("Intro:\nA | B\n--|--\n1 | 2", [("text", "Intro:"), ("table", "A | B\n--|--\n1 | 2")]),
        ("Intro:\nÄ B | C\n:-|-:\n1 | 2", [("text", "Intro:"), ("table", "Ä B | C\n:-|-:\n1 | 2")]),
        ("| a\t|\tb |\n|---\t|\t---|\t\n| 1 | 2 |", [("table", "| a\t|\tb |\n|---\t|\t---|\t\n| 1 | 2 |")]),
        ("- a | b\n--- | ---\nx", [("item", "- a | b\n--- | ---\nx")]),
        ("```x | y\n--- | ---\n```\nz", [("code", "```x | y\n--- | ---\n```"), ("text", "z")]),
        ("- [ ] [a][b]\n- two\n\n[b]:\n  /u", [("item", "- [ ] [a][b]\n- two"), ("text", "[b]:\n  /u")]),
        ("## A \\# ## #\n\n# B#", [("heading", "## A \\# ##"), ("heading", "# B#")]),
        ("A\n  b\n===\n- # c", [("heading", "# A b"), ("item", "- # c")]),
        (
            "été\n\n日本 **x**\n\n> 😀\n\n    ü",
            [("text", "été"), ("text", "日本 **x**"), ("item", "> 😀"), ("code", "    ü")],
        ),
        ("[ref]: https://example.com\n\nSee [ref].", [("text", "[ref]: https://example.com"), ("text", "See [ref].")]),
        ("<!-- hidden\n\n# not a heading -->\n\nseen", [("text", "seen")]),
        (
            "<details>\n<summary>More</summary>\n</details>",
            [("text", "<details>\n<summary>More</summary>\n</details>")],
        ),
        ("a\n\n---\n\nb", [("text", "a"), ("text", "b")]),
        ("---\ntitle: T\n---\n# H", [("text", "title: T"), ("heading", "# H")]),
        ("---\ntitle: T\n", [("text", "title: T")]),
        (
            "# not code in ```\n```\n# a comment\n```",
            [("heading", "# not code in ```"), ("code", "```\n# a comment\n```")],
        ),
    ],
)
def test_blocks(text: str, blocks: list[tuple[str, str]]) -> None:
    assert [(block.kind, block.text) for block in markdown_blocks(text)] == blocks


def test_heading_levels() -> None:
    assert [block.level for block in markdown_blocks("# a\n\n### b\n\nc\n--\n\n###### d")] == [1, 3, 2, 6]


def test_a_long_list_is_divided_into_its_items() -> None:
    blocks = markdown_blocks(LONG_LIST)
    assert [block.text for block in blocks] == LONG_LIST.split("\n")
    assert {block.gap for block in blocks[1:]} == {"\n"}


def test_code_inside_a_long_item_stays_whole() -> None:
    code = "  ```\n" + "\n".join(f"  line {number}" for number in range(50)) + "\n  ```"
    item = "- " + "words " * 400 + "\n\n" + code + "\n\n  after"
    blocks = markdown_blocks(item)
    assert code in [block.text for block in blocks if block.kind == "code"]


def test_a_long_quote_is_divided_where_its_parts_end() -> None:
    items, after = "> - one\n> - two", "> After the list" + " words" * 90
    blocks = markdown_blocks(f"{items}\n>\n{after}\n\nend")
    assert [block.text for block in blocks] == [f"{items}\n>", after, "end"]


@pytest.mark.parametrize("nested", ["".join("  " * depth + "- a\n" for depth in range(1_000)), "> " * 10_000 + "a"])
def test_what_is_nested_too_deep_is_text(nested: str) -> None:
    assert "a" in markdown_blocks(nested)[-1].text


def test_a_text_that_the_parser_fails_at_is_read_without_structure(monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        """As pyo3's, which is in no module."""

    def fail(*_: object, **__: object) -> None:
        raise PanicException("index out of bounds")

    monkeypatch.setattr("pyromark.events_with_range", fail)
    assert [block.text for block in markdown_blocks("# A\n\n- b")] == ["# A\n\n- b"]


@pytest.mark.parametrize(
    "unit", ["> ", "- a\n", "```\n", "a\n---\n", "a|b\n-|-\n", "-\t|\t", "|-", "[a](", "]:", "<a ", "*a _b ", "``a "]
)
def test_structure_is_found_in_linear_time(unit: str) -> None:
    start = time.process_time()
    markdown_blocks(unit * (300_000 // len(unit)) + "x")
    assert time.process_time() - start < 5


def test_a_table_keeps_its_header_lines() -> None:
    (block,) = markdown_blocks("| a | b |\n|:--|--:|\n| 1 | 2 |\n| 3 | 4 |")
    assert block.head == "| a | b |\n|:--|--:|"


@pytest.mark.parametrize("text", [LONG_LIST, "x" * 2000 + "\n" + "y" * 2000, "x" * 2000], ids=["list", "lines", "line"])
def test_portions_without_blank_lines_lose_nothing(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markdown, "_PORTION", 500)
    assert "\n".join(block.text for block in markdown_blocks(text)) == text


def test_a_long_text_is_parsed_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n\n".join(f"# Part {number}\n\n- one\n- two\n\nText {number}" for number in range(200))
    whole = markdown_blocks(text)
    monkeypatch.setattr(markdown, "_PORTION", 500)
    assert markdown_blocks(text) == whole


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a <!-- x --> b", "a  b"),
        ("a <!-- x\n\ny -->b", "a b"),
        ("- item <!-- x -->\n- more", "- item \n- more"),
        ("<!--> a --> <!---> b", " a -->  b"),
        ("<!-- ```\nx\n``` --> y", " y"),
        ("`<!-- code -->` <!-- x -->", "`<!-- code -->` "),
        ("```\n<!-- code -->\n```\n<!-- x -->end", "```\n<!-- code -->\n```\nend"),
        ("- ~~~~\n  <!-- code -->\n  ~~~~\n<!-- x -->end", "- ~~~~\n  <!-- code -->\n  ~~~~\nend"),
        ("unclosed <!-- words stay", "unclosed <!-- words stay"),
    ],
)
def test_comments_go_wherever_they_stand_but_in_code(text: str, kept: str) -> None:
    assert without_comments(text) == kept


@pytest.mark.parametrize("unit", ["<!--", "a<!--", "<!-- x -->", "```\n<!--", "~~~\n`", "> ", "- ", "`a", "``a`"])
def test_comments_are_found_in_linear_time(unit: str) -> None:
    start = time.process_time()
    without_comments(unit * (1_000_000 // len(unit)) + "<!--")
    without_comments("".join("`" * length + " " for length in range(1, 1_000)) + "<!-- x -->")
    assert time.process_time() - start < 5
