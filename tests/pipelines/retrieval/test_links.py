"""What in a text names a document."""

from __future__ import annotations

import pytest

from pipelines.retrieval.links import Mention, last_part, mentions_in, surroundings


def said(mention: Mention) -> str:
    return mention.url or f"{mention.unit}#{mention.number}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://example.com/a/14.", ["https://example.com/a/14"]),
        (
            "(https://example.com/a_(b)) and <https://example.com/c>",
            ["https://example.com/a_(b)", "https://example.com/c"],
        ),
        (
            "[issue](https://example.com/issues/3#note), [b](http://b.test)",
            ["https://example.com/issues/3#note", "http://b.test"],
        ),
        ("Closes #12, acme/api#13 and gateway#118!", ["#12", "acme/api#13", "gateway#118"]),
        ("colour #fff, C#7x, &#39; and a/b/#4", []),
        ("https://example.com/x#12", ["https://example.com/x#12"]),
        ("nothing", []),
    ],
)
def test_mentions(text: str, expected: list[str]) -> None:
    found = list(mentions_in(text))
    assert [said(one) for one in found] == expected
    assert all(text[one.start : one.end] == said(one) for one in found)


def test_what_is_said_around_a_mention_is_on_one_line() -> None:
    (mention,) = mentions_in(f"{'a ' * 200}\n\nsee #12\n{'b ' * 200}")
    around = surroundings(f"{'a ' * 200}\n\nsee #12\n{'b ' * 200}", mention)
    assert "see #12 b" in around
    assert len(around) < 260


@pytest.mark.parametrize("url", ["https://a.test/x/14", "https://a.test/x/14/", "https://a.test/x/14?a=b#c"])
def test_an_address_ends_with_its_name(url: str) -> None:
    assert last_part(url) == "14"
