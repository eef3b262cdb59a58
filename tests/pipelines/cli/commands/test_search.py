"""`headrace search` as it is called."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connectors.registry import sources
from tests.pipelines.cli.conftest import Done
from tests.pipelines.documents import document


def test_a_search_is_narrowed_to_a_source(headrace: Callable[..., Done]) -> None:
    found = headrace("search", "penstock", "--source", "github", "--json").json
    assert document(1).id in [one["document_id"] for one in found["results"]]
    assert headrace("search", "penstock", "--source", "slack", "--json").json["results"] == []


def test_no_line_is_broken_for_a_pipe(headrace: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    found = headrace("search", "penstock", "--json").json["results"]
    lines = headrace("search", "penstock").out.splitlines()
    assert len(lines) == 3 * len(found) + 1 > 1
    assert found[0]["title"] in lines[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--source", "sharepoint"), f"unknown source 'sharepoint' (installed: {', '.join(sources())})"),
        (("--mode", "magic"), "mode: Input should be 'hybrid', 'dense' or 'lexical'"),
    ],
)
def test_wrong_use_is_named(headrace: Callable[..., Done], options: tuple[str, ...], message: str) -> None:
    done = headrace("search", "penstock", *options)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert "Value error" not in done.err
