"""Trouble of one object is its own; a source that is down is left after a few objects in a row."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connectors.contract import Failed
from connectors.errors import AuthenticationFailed, NotFound, RateLimited, SourceError, Unavailable
from connectors.isolation import FAILURES_IN_A_ROW, Isolation


def failing(error: Exception) -> Callable[[], str]:
    def read() -> str:
        raise error

    return read


DOWN = failing(Unavailable("api", "HTTP 503"))
REFUSED = failing(NotFound("api"))
MALFORMED = failing(KeyError("id"))


@pytest.mark.parametrize(
    ("read", "error"),
    [(DOWN, "api: HTTP 503"), (REFUSED, "api: not found"), (MALFORMED, "not as documented: KeyError: 'id'")],
)
def test_trouble_of_one_object_is_its_failure(read: Callable[[], str], error: str) -> None:
    assert Isolation().attempt("a:b/c", "C", read, "https://c") == Failed("a:b/c", "C", error, "https://c")


@pytest.mark.parametrize("error", [AuthenticationFailed("api", "revoked"), RateLimited("api", 9.0)])
def test_wrong_credentials_and_limits_are_raised_at_once(error: SourceError) -> None:
    with pytest.raises(type(error)):
        Isolation().attempt("a:b/c", "C", failing(error))


@pytest.mark.parametrize("between", [lambda: "read", REFUSED, MALFORMED])
def test_any_answer_of_the_source_ends_a_row_of_failures(between: Callable[[], str]) -> None:
    isolation = Isolation()
    for read in [*[DOWN] * (FAILURES_IN_A_ROW - 1), between, *[DOWN] * (FAILURES_IN_A_ROW - 1)]:
        isolation.attempt("a:b/c", "C", read)
    with pytest.raises(Unavailable):
        isolation.attempt("a:b/c", "C", DOWN)


def test_what_was_at_hand_says_nothing_of_the_source() -> None:
    isolation = Isolation(requests=lambda: 7)
    for read in [DOWN, lambda: "at hand", *[DOWN] * (FAILURES_IN_A_ROW - 2), MALFORMED]:
        isolation.attempt("a:b/c", "C", read)
    with pytest.raises(Unavailable):
        isolation.attempt("a:b/c", "C", DOWN)
