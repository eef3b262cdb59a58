"""Whatever a message is made of: no word of it is lost, and none is invented."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.slack.render.messages import render_body
from connectors.slack.render.mrkdwn import Names
from tests.connectors.slack.conftest import parse_message

NAMES = Names(lambda user: f"name{user}", lambda channel: f"#name{channel}", lambda group: f"name{group}")
WORD = re.compile(r"w\d+x")

words = st.integers(0, 10_000).map(lambda number: f"w{number}x")
texts = st.lists(words, min_size=1, max_size=5).map(" ".join)
plain = st.builds(lambda text: {"type": "plain_text", "text": text}, texts)
mrkdwn = st.builds(
    lambda text, mark: {"type": "mrkdwn", "text": f"{mark}{text}{mark}"},
    texts,
    st.sampled_from(["", "*", "_", "~", "`"]),
)
text_objects = plain | mrkdwn
styles = st.fixed_dictionaries({}, optional={style: st.booleans() for style in ("bold", "italic", "strike", "code")})
inline = (
    st.builds(lambda text, style: {"type": "text", "text": text, "style": style}, texts, styles)
    | st.builds(lambda text: {"type": "link", "url": "https://example.com", "text": text}, texts)
    | st.builds(lambda text: {"type": "from_the_future", "text": text}, texts)
)
rich = st.recursive(
    st.builds(
        lambda kind, elements: {"type": kind, "elements": elements},
        st.sampled_from(["rich_text_section", "rich_text_preformatted", "rich_text_quote"]),
        st.lists(inline, min_size=1, max_size=3),
    ),
    lambda children: st.builds(
        lambda style, elements: {"type": "rich_text_list", "style": style, "elements": elements},
        st.sampled_from(["bullet", "ordered"]),
        st.lists(children, min_size=1, max_size=3),
    ),
    max_leaves=5,
)
blocks = (
    st.builds(lambda text: {"type": "section", "text": text}, text_objects)
    | st.builds(lambda fields: {"type": "section", "fields": fields}, st.lists(text_objects, min_size=1, max_size=3))
    | st.builds(lambda text: {"type": "header", "text": text}, plain)
    | st.builds(lambda elements: {"type": "context", "elements": elements}, st.lists(text_objects, min_size=1))
    | st.builds(lambda alt: {"type": "image", "alt_text": alt, "image_url": "https://example.com"}, texts)
    | st.builds(lambda elements: {"type": "rich_text", "elements": elements}, st.lists(rich, min_size=1, max_size=3))
    | st.builds(lambda text: {"type": "from_the_future", "text": text}, texts)
    | st.builds(
        lambda rows: {"type": "table", "rows": [[{"type": "raw_text", "text": cell} for cell in row] for row in rows]},
        st.lists(st.lists(texts, min_size=1, max_size=3), min_size=1, max_size=3),
    )
)
attachments = st.fixed_dictionaries(
    {"text": texts},
    optional={
        "title": texts,
        "pretext": texts,
        "author_name": texts,
        "footer": texts,
        "fields": st.lists(st.fixed_dictionaries({"title": texts, "value": texts}), max_size=2),
        "blocks": st.lists(blocks, max_size=2),
    },
)
files = st.fixed_dictionaries(
    {"title": texts}, optional={"preview": texts, "permalink": st.just("https://example.com")}
)
messages = st.fixed_dictionaries(
    {"text": texts | st.just("")},
    optional={
        "blocks": st.lists(blocks, max_size=3),
        "attachments": st.lists(attachments, max_size=2),
        "files": st.lists(files, max_size=2),
    },
)


@settings(max_examples=300, deadline=None)
@given(messages)
def test_all_words_and_only_words_of_the_message(message: dict[str, Any]) -> None:
    rendered = render_body(parse_message(message), NAMES)
    assert set(WORD.findall(rendered)) == set(WORD.findall(json.dumps(message)))
    assert not re.sub(r"w\d+x|https://example\.com|File:|---|[\s*`~>|_\-#()\[\]\\:]|\d+\.", "", rendered)
