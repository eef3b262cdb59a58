"""Trouble of one object is its own; a source that is down is left after a few objects in a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest
from pydantic import BaseModel

from connectors.contract import Failed
from connectors.errors import AlreadyFailed, AuthenticationFailed, NotFound, RateLimited, SourceError, Unavailable
from connectors.isolation import FAILURES_IN_A_ROW, Attempt, Isolation

Read: TypeAlias = Callable[[], str]


class CountedRequests:
    """What reads objects: with a request each, or from what is at hand."""

    def __init__(self) -> None:
        self.sent = 0
        self.isolation = Isolation(lambda: self.sent)

    def attempt(self, read: Read, *, asks: bool = True) -> str | Failed:
        return self.isolation.attempt("a:b/c", "C", self._counted(read, asks), "https://c")

    def observe(self, read: Read) -> Attempt[str]:
        return self.isolation.observe(self._counted(read))

    def _counted(self, read: Read, asks: bool = True) -> Read:
        def counted() -> str:
            self.sent += asks
            return read()

        return counted


def failing(error: Exception) -> Read:
    def read() -> str:
        raise error

    return read


def succeed() -> str:
    return "read"


class Named(BaseModel):
    name: str


DOWN = failing(Unavailable("api", "HTTP 503"))
REFUSED = failing(NotFound("api"))
MALFORMED = failing(KeyError("id"))


def read_nameless() -> str:
    return Named.model_validate({"name": 7}).name


@pytest.fixture
def source() -> CountedRequests:
    return CountedRequests()


@pytest.mark.parametrize(
    ("read", "error", "is_transient"),
    [
        (DOWN, "api: HTTP 503", True),
        (REFUSED, "api: not found", False),
        (MALFORMED, "not as documented: KeyError: 'id'", False),
        (failing(ValueError("a secret of theirs")), "not as documented: ValueError", False),
        (
            lambda: Named.model_validate({"name": 7}).name,
            "not as documented: name: Input should be a valid string",
            False,
        ),
    ],
)
def test_trouble_of_one_object_is_its_failure(
    source: CountedRequests, read: Read, error: str, is_transient: bool
) -> None:
    assert source.attempt(read) == Failed("a:b/c", "C", error, "https://c", is_transient=is_transient)


@pytest.mark.parametrize("error", [AuthenticationFailed("api", "revoked"), RateLimited("api", 9.0)])
def test_wrong_credentials_and_limits_are_raised_at_once(source: CountedRequests, error: SourceError) -> None:
    with pytest.raises(type(error)):
        source.attempt(failing(error))


@pytest.mark.parametrize("between", [succeed, REFUSED, MALFORMED])
def test_any_answer_of_the_source_ends_a_row_of_failures(source: CountedRequests, between: Read) -> None:
    for read in [*[DOWN] * (FAILURES_IN_A_ROW - 1), between, *[DOWN] * (FAILURES_IN_A_ROW - 1)]:
        source.attempt(read)
    assert source.isolation.is_failing
    assert not source.isolation.is_exhausted
    with pytest.raises(Unavailable):
        source.attempt(DOWN)
    assert source.isolation.is_exhausted


def test_a_row_is_of_objects_in_order_and_not_of_those_that_came_to_an_end_first(source: CountedRequests) -> None:
    """Where several are read at once, those that fail are often done before their neighbours that do not."""
    failed, succeeded = (source.observe(read) for read in (DOWN, succeed))
    for tried in [*[failed, succeeded] * FAILURES_IN_A_ROW, *[failed] * (FAILURES_IN_A_ROW - 1)]:
        source.isolation.judge("a:b/c", "C", tried)
    with pytest.raises(Unavailable):
        source.isolation.judge("a:b/c", "C", failed)


@pytest.mark.parametrize("between", [succeed, REFUSED, MALFORMED])
def test_what_took_no_request_says_nothing_of_the_source(source: CountedRequests, between: Read) -> None:
    for _ in range(FAILURES_IN_A_ROW - 1):
        source.attempt(between, asks=False)
        source.attempt(DOWN)
    source.attempt(between, asks=False)
    with pytest.raises(Unavailable):
        source.attempt(DOWN)


def test_what_failed_for_another_object_is_one_failure(source: CountedRequests) -> None:
    """As where one container cannot be asked for, and many objects are in it."""
    source.attempt(DOWN)
    known = failing(AlreadyFailed(Unavailable("api", "HTTP 503")))
    for _ in range(2 * FAILURES_IN_A_ROW):
        failed = Failed("a:b/c", "C", "api: HTTP 503", "https://c", is_transient=True)
        assert source.attempt(known, asks=False) == failed
    source.attempt(DOWN)
    with pytest.raises(Unavailable):
        source.attempt(DOWN)
