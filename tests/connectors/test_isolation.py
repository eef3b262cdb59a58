"""One object's trouble is its own; that of the source is everybody's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connectors.contract import Failed
from connectors.errors import (
    AccessDenied,
    AuthenticationFailed,
    InvalidResponse,
    NotFound,
    RateLimited,
    RequestRejected,
    SourceError,
    Unavailable,
)
from connectors.isolation import FAILURES_IN_A_ROW, MALFORMED, Isolation

PASSING: list[SourceError] = [Unavailable("api/issues/1", "HTTP 503"), InvalidResponse("api/issues/1", "not JSON")]
REFUSED: list[Exception] = [
    AccessDenied("api/issues/1", "SAML"),
    NotFound("api/issues/1"),
    RequestRejected("api/issues/1", 422, "no"),
    *(kind("odd") for kind in MALFORMED),
]


def failing(error: Exception) -> Callable[[], str]:
    def read() -> str:
        raise error

    return read


def attempt(isolation: Isolation, read: Callable[[], str]) -> str | Failed:
    return isolation.attempt("acme:a/1", "One", read, "https://acme.test/1")


def test_what_can_be_read_is_returned() -> None:
    assert attempt(Isolation(), lambda: "read") == "read"


@pytest.mark.parametrize("error", [*PASSING, *REFUSED], ids=lambda error: type(error).__name__)
def test_trouble_of_an_object_is_its_failure(error: Exception) -> None:
    failed = attempt(Isolation(), failing(error))
    assert isinstance(failed, Failed)
    assert (failed.document_id, failed.title, failed.url) == ("acme:a/1", "One", "https://acme.test/1")
    assert str(error) in failed.error


@pytest.mark.parametrize(
    "error",
    [AuthenticationFailed("api", "revoked"), RateLimited("api", 3600.0)],
    ids=lambda error: type(error).__name__,
)
def test_trouble_of_the_credentials_is_raised_at_once(error: SourceError) -> None:
    with pytest.raises(type(error)):
        attempt(Isolation(), failing(error))


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_a_source_that_is_down_is_left_after_a_few_objects(error: SourceError) -> None:
    isolation = Isolation()
    failed = [attempt(isolation, failing(error)) for _ in range(FAILURES_IN_A_ROW - 1)]
    assert all(isinstance(one, Failed) for one in failed)
    with pytest.raises(type(error)):
        attempt(isolation, failing(error))


@pytest.mark.parametrize("between", [lambda: "read", failing(REFUSED[0]), failing(KeyError("id"))])
def test_an_answer_in_between_means_that_the_source_is_up(between: Callable[[], str]) -> None:
    isolation = Isolation()
    for _ in range(3 * FAILURES_IN_A_ROW):
        for _ in range(FAILURES_IN_A_ROW - 1):
            assert isinstance(attempt(isolation, failing(PASSING[0])), Failed)
        attempt(isolation, between)


def test_many_objects_that_are_refused_say_nothing_of_the_others() -> None:
    isolation = Isolation()
    assert all(isinstance(attempt(isolation, failing(REFUSED[0])), Failed) for _ in range(10))
    assert attempt(isolation, lambda: "read") == "read"
