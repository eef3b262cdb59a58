"""Comments join a document's text: none of theirs is lost, none is invented."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.drive.comments import HEADING, add_comments, takes_comments
from connectors.drive.payloads import DriveComment
from connectors.file_content import FileContent
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


@given(
    comments=st.lists(COMMENT.map(DriveComment.model_validate), max_size=4),
    media_type=st.sampled_from([MARKDOWN, HTML]),
)
def test_all_that_was_said_and_nothing_else(comments: list[DriveComment], media_type: str) -> None:
    content = add_comments(FileContent("Body.", media_type), comments)
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
        (FileContent("text", MARKDOWN), True),
        (FileContent("text", HTML), True),
        (FileContent("text", PLAIN_TEXT), False),
        (FileContent(b"PK", MARKDOWN), False),
    ],
)
def test_only_a_documents_text_takes_comments(content: FileContent, expected: bool) -> None:
    assert takes_comments(content) == expected


def test_without_comments_the_text_stays() -> None:
    content = FileContent("Body.\n", MARKDOWN)
    assert add_comments(content, []) is content
    assert add_comments(content, [DriveComment(content=" ")]) is content
