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
