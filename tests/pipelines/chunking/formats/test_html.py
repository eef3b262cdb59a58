"""HTML to blocks."""

from __future__ import annotations

import re

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
        ("<h2> </h2><p>&nbsp;</p><pre>\n</pre><table></table>", []),
    ],
)
def test_blocks(html: str, blocks: list[tuple[str, str]]) -> None:
    assert [(block.kind, block.text) for block in html_blocks(html)] == blocks


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
