"""HTML to blocks."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml.etree import HTMLParser, fromstring

from pipelines.chunking.formats.html import html_blocks
from pipelines.errors import DocumentError


@pytest.mark.parametrize(
    ("html", "blocks"),
    [
        ("", []),
        ("plain", [("text", "plain")]),
        ("<h1>A<br>b</h1><p>one\n two</p>", [("heading", "# A b"), ("text", "one two")]),
        ("hel<b>lo</b> <i>you</i><br>next", [("text", "hello you\nnext")]),
        ("<ul><li>a<ul><li>b</ul><li><p>c</ul>", [("item", "- a"), ("item", "  - b"), ("item", "- c")]),
        ("<ol><li><p>a</p><p>b</p></li></ol>", [("item", "- a"), ("text", "b")]),
        ("<pre>a\n  <b>b</b>\n</pre>x", [("code", "```\na\n  b\n```"), ("text", "x")]),
        (
            "<table><tr><th>x<th>y|z<tr><td>1<td><p>2</p><p>3</p></table>",
            [("table", "| x | y\\|z |\n| --- | --- |\n| 1 | 2 3 |")],
        ),
        (
            "<table><tr><th><p><em><code>a</code></em> (<b>b</b> c)<br>d</p>e<script>x</script>f</table>",
            [("table", "| a (b c) d ef |\n| --- |")],
        ),
        ("<h2><a><code>f</code></a>(<i>x</i>) <img alt='y'>z</h2>", [("heading", "## f(x) y z")]),
        ("<p>a <em>b <code>c</code> d</em> e</p>", [("text", "a b c d e")]),
        ("<table><caption>C<tr><td>1<td>2</table>", [("text", "C"), ("table", "| 1 | 2 |\n| --- | --- |")]),
        ("<table><tr><td><p>of one</p><p>column</table>", [("text", "of one"), ("text", "column")]),
        ("<table><tr><td><table><tr><td>in</table>out</table>", [("text", "in"), ("text", "out")]),
        ("<style>s</style><script>t</script><!-- c -->seen", [("text", "seen")]),
        ("<a href='https://e.org'>link</a> <img alt='picture'>", [("text", "link picture")]),
        ("<dl><dt>term<dd>meaning</dl>", [("text", "term"), ("text", "meaning")]),
        ("<?xml version='1.0' encoding='latin-1'?><p>gr&uuml;n ü</p>", [("text", "grün ü")]),
        ("<head><title>T</title></head><p>a</p>", [("text", "T"), ("text", "a")]),
        ("<head><title>T</title></head><h1>T</h1>", [("heading", "# T")]),
        ("<div>one<hr>two</div>", [("text", "one"), ("text", "two")]),
        ("<select><optgroup label=G><option>R</option><option>B</option></optgroup></select>", [("text", "G R B")]),
        ("<button>Save</button><button>Cancel</button><x-a>1</x-a><x-a>2</x-a>", [("text", "Save Cancel 1 2")]),
        ("<button aria-label=Close></button><a title=Home href=x></a>", [("text", "Close Home")]),
        ("<label>Name</label><input value=Ada placeholder=x><input type=hidden value=h>", [("text", "Name Ada")]),
        ("<input placeholder=City><textarea>notes</textarea>", [("text", "City notes")]),
        ("<p hidden>h</p><p style='color:red; display : none'>n</p><p hidden=until-found>f</p>", [("text", "f")]),
        ("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp>字<rt>じ</rt></ruby>を", [("text", "漢字 (かんじ) を")]),
        ("<abbr title='mill power'>MP</abbr> word<sup><a>1</a></sup>", [("text", "MP (mill power) word 1")]),
        ("<svg><style>s</style><text>drawn<tspan dy=1>below</tspan></text></svg>", [("text", "drawn below")]),
        ("<math><mi>a</mi><mo>=</mo><mn>2</mn></math>", [("text", "a = 2")]),
        (
            "<details><summary>s</summary>d</details><noscript>n</noscript>",
            [("text", "s"), ("text", "d"), ("text", "n")],
        ),
        ("<p>a</body></html><p>footer", [("text", "a"), ("text", "footer")]),
        ("<iframe srcdoc='&lt;p&gt;in&lt;/p&gt;'></iframe>out", [("text", "in"), ("text", "out")]),
        ("<pre>a<br>b</pre>", [("code", "```\na\nb\n```")]),
        ("<h2> </h2><p>&nbsp;</p><pre>\n</pre><table></table>", []),
    ],
)
def test_blocks(html: str, blocks: list[tuple[str, str]]) -> None:
    assert [(block.kind, block.text) for block in html_blocks(html)] == blocks


@pytest.mark.parametrize(
    ("html", "lines"),
    [
        (
            "<tr><th>Region<th colspan=2>Q1<th>Owner<tr><td rowspan=2>North<td>10<td>12<td>Ann<tr><td>20<td>22<td>Bob",
            ["| Region | Q1 | Q1 | Owner |", "| North | 10 | 12 | Ann |", "| North | 20 | 22 | Bob |"],
        ),
        (
            "<thead><tr><th rowspan=2>Region<th colspan=2>Q1<tr><th>Jan<th>Feb<tbody><tr><td>North<td>1<td>2",
            ["| Region | Q1 Jan | Q1 Feb |", "| North | 1 | 2 |"],
        ),
        (
            "<tr><td rowspan=2>Region<td colspan=2>Q1<tr><td>Jan<td>Feb<tr><td>North<td>1<td>2",
            ["| Region | Q1 Jan | Q1 Feb |", "| North | 1 | 2 |"],
        ),
        (
            "<tr><th colspan=2>Report<tr><th>a<th>b<tr><td colspan=2>both<tr><td>1<td>2",
            ["Report", "| a | b |", "| both |  |", "| 1 | 2 |"],
        ),
        ("<tr><th>a<th>b<tr><td rowspan=-1 colspan=x>1<td>2<td>3", ["| a | b |  |", "| 1 | 2 | 3 |"]),
        (
            "<thead><tr><th>R<th>V<tbody><tr><td rowspan=0>South<td>31<tr><td>41<tbody><tr><td>North<td>51",
            ["| R | V |", "| South | 31 |", "| South | 41 |", "| North | 51 |"],
        ),
        ("stray<form><tr><td>1<td>2</form>", ["stray", "| 1 | 2 |"]),
        ("<td>1<td>2", ["| 1 | 2 |"]),
    ],
)
def test_merged_cells_stand_under_their_headers(html: str, lines: list[str]) -> None:
    shown = "\n".join(block.text for block in html_blocks(f"<table>{html}</table>")).split("\n")
    assert [line for line in shown if "---" not in line] == lines


@pytest.mark.parametrize(
    "html",
    [
        "<table><tr><td>x" * 1_000,
        "<table>" + "<tr>" + "<td colspan=1000 rowspan=65534>x" * 1_000 + "<tr><td>y" * 5_000,
        "<table>" + "<tr><td rowspan=65534>word " * 5_000,
        "<table><tr>" + "<td>x" * 5_000 + "<tr><td>y" * 5_000,
        "<p " + " ".join(f"a{number}=1" for number in range(50_000)) + ">x",
        "<ruby>a<rt>b" * 500,
        "<button><x-a>" * 400,
    ],
    ids=["nested", "spans", "rows", "wide", "attributes", "ruby", "buttons"],
)
def test_hostile_pages_take_a_moment_and_little_room(html: str) -> None:
    start = time.process_time()
    try:
        size = sum(len(block.text) for block in html_blocks(html))
    except DocumentError:
        size = 0
    assert time.process_time() - start < 10
    assert size < 10 * len(html) + 1_000_000


_tags = st.sampled_from(["p", "em", "code", "div", "li", "ul", "h2", "blockquote", "dl", "dd", "a", "br", "section"])
_tree = st.recursive(
    st.text("abcdefghij ", min_size=1, max_size=9),
    lambda inner: st.one_of(
        st.tuples(_tags, st.lists(inner, max_size=4)).map(lambda pair: f"<{pair[0]}>{''.join(pair[1])}</{pair[0]}>"),
        st.lists(inner, min_size=1, max_size=3).map(lambda cells: f"<table><tr><td>{'<td>'.join(cells)}</table>"),
    ),
    max_leaves=25,
)


@settings(max_examples=60, deadline=None)
@given(html=_tree)
def test_every_word_is_kept_in_its_order(html: str) -> None:
    whole = "".join(fromstring(f"<body>{html}</body>", HTMLParser()).itertext()) if html.strip() else ""
    read = "".join(block.text for block in html_blocks(html))
    assert re.sub("[^a-j]", "", read) == re.sub("[^a-j]", "", whole)


def test_deep_trees() -> None:
    assert [block.text for block in html_blocks("<div>" * 1500 + "deep")] == ["deep"]
    with pytest.raises(DocumentError, match="nested too deep"):
        html_blocks("<div>" * 100_000 + "deeper")
