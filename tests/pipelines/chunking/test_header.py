from __future__ import annotations

import pytest

from connectors.model import Parent
from pipelines.chunking.header import header
from pipelines.chunking.tokens import estimate_tokens
from tests.pipelines.chunking.files import MakeDocument


def test_header(document: MakeDocument) -> None:
    assert header(document("x")) == "Login fails after an upgrade\nacme > acme/api\ngithub · issue · 2026-01-05 · ada"


def test_what_is_unknown_leaves_no_trace(document: MakeDocument) -> None:
    bare = document("x", title="", author="", created_at=None, parents=())
    assert header(bare) == "github · issue"


def test_a_parent_named_like_the_document_is_not_repeated(document: MakeDocument) -> None:
    assert "acme\n" in header(document("x", title="acme/api"))


@pytest.mark.parametrize("name", ["long words in a title " * 50, "x" * 900, "字" * 500, "line\nbreak\n" * 90])
def test_header_stays_short(name: str, document: MakeDocument) -> None:
    parents = tuple(Parent(f"p{number}", f"{number} {name}") for number in range(9))
    text = header(document("x", title=name, author=name, kind=name, parents=parents))
    assert estimate_tokens(text) <= 60
    assert text.count("\n") == 2


def test_the_nearest_parent_is_kept(document: MakeDocument) -> None:
    parents = (*(Parent(f"p{number}", f"Outer folder number {number}") for number in range(9)), Parent("n", "Nearest"))
    assert header(document("x", parents=parents)).split("\n")[1].endswith("> Nearest")
