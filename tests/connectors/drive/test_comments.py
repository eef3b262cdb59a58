"""Comments join a document's text: none of theirs is lost, none is invented."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.drive.comments import HEADING, takes_comments, with_comments
from connectors.drive.formats import Content
from connectors.drive.payloads import Comment
from connectors.model import HTML, MARKDOWN, PLAIN_TEXT

WORDS = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=12)
REPLY = st.fixed_dictionaries(
    {"content": WORDS, "deleted": st.booleans()}, optional={"author": st.fixed_dictionaries({"displayName": WORDS})}
)
COMMENT = st.fixed_dictionaries(
    {"content": WORDS, "replies": st.lists(REPLY, max_size=3)},
    optional={
        "author": st.fixed_dictionaries({"displayName": WORDS}),
        "quotedFileContent": st.fixed_dictionaries({"value": WORDS}),
        "resolved": st.booleans(),
    },
)


@given(comments=st.lists(COMMENT.map(Comment.model_validate), max_size=4), media_type=st.sampled_from([MARKDOWN, HTML]))
def test_all_that_was_said_and_nothing_else(comments: list[Comment], media_type: str) -> None:
    content = with_comments(Content("Body.", media_type), comments)
    assert isinstance(content.body, str)
    expected = [HEADING] if comments else []
    for comment in comments:
        quoted = comment.quoted_file_content
        expected += [html.unescape(quoted.value)] if quoted else []
        for one in (comment, *(reply for reply in comment.replies if not reply.deleted)):
            expected += [f"{one.author.display_name}:"] if one.author else []
            expected.append(one.content)
    text = content.body.removeprefix("Body.")
    if media_type == HTML:
        text = html.unescape(re.sub(r"</?(?:p|b|h2|blockquote)>", " ", text))
    else:
        text = re.sub(r"(?m)^(?:## |> )|^\*\*(?=.*:\*\* )", "", text).replace(":** ", ": ")
    assert text.split() == " ".join(expected).split()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (Content("text", MARKDOWN), True),
        (Content("text", HTML), True),
        (Content("text", PLAIN_TEXT), False),
        (Content(b"PK", MARKDOWN), False),
    ],
)
def test_only_a_documents_text_takes_comments(content: Content, expected: bool) -> None:
    assert takes_comments(content) == expected


def test_without_comments_the_text_stays() -> None:
    content = Content("Body.\n", MARKDOWN)
    assert with_comments(content, []) is content
    assert with_comments(content, [Comment(content=" ")]) is content
