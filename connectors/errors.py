"""Errors of reading a source.

SourceError
├─ TransientError            another attempt later can succeed
│  ├─ RateLimited            … not before `retry_after` seconds
│  ├─ Unavailable            network trouble, a 5xx answer
│  ├─ InvalidResponse        truncated or not what the API promises
│  └─ AlreadyFailed          one of these before, and not asked again
├─ AuthenticationFailed      the credentials are wrong: the user's to fix
├─ AccessDenied              the credentials do not reach this object
├─ NotFound                  no such object, or not for these credentials
│  ├─ Gone                   no such object any more
│  └─ Blocked                the source withholds it from everybody
├─ RequestRejected           any other 4xx answer
├─ AnswerTooLarge            the answer is larger than anything that is read
└─ UnreadableUnits           all units were listed but some
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.model import Unit


class SourceError(Exception):
    """Reading a source failed. Messages name the provider's URL without secrets."""


class TransientError(SourceError):
    """Another attempt later can succeed."""


class RateLimited(TransientError):
    def __init__(self, where: str, retry_after: float | None) -> None:
        self.retry_after = retry_after
        wait = f", retry after {retry_after:.0f} s" if retry_after is not None else ""
        super().__init__(f"{where}: rate limit reached{wait}")


class Unavailable(TransientError):
    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: {reason}")


class InvalidResponse(TransientError):
    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: unusable answer: {reason}")


class AlreadyFailed(TransientError):
    """Raised for what several objects need, where it failed for the first of them: no request was sent for it now."""

    def __init__(self, error: TransientError) -> None:
        super().__init__(str(error))


class AuthenticationFailed(SourceError):
    def __init__(self, where: str, reason: str) -> None:
        super().__init__(f"{where}: the credentials were refused ({reason}); check the connection's token")


class AccessDenied(SourceError):
    """`permission` is what to grant, where the source names it."""

    def __init__(self, where: str, reason: str, permission: str = "") -> None:
        self.permission = permission
        super().__init__(f"{where}: access denied ({reason}); check the token's scopes and shares")


class NotFound(SourceError):
    def __init__(self, where: str) -> None:
        super().__init__(f"{where}: not found")


class Gone(NotFound):
    """It was there and is no more, by the source's own word (RFC 9110, 15.5.11)."""


class Blocked(NotFound):
    """Withheld from everybody, by the source's own word: by law (RFC 7725), or by its rules."""

    def __init__(self, where: str, reason: str) -> None:
        SourceError.__init__(self, f"{where}: blocked at the source ({reason}): nobody can read it")


class RequestRejected(SourceError):
    def __init__(self, where: str, status: int, reason: str) -> None:
        self.status = status
        super().__init__(f"{where}: HTTP {status}: {reason}")


REFUSALS = (AccessDenied, NotFound, RequestRejected)
"""Answers by which a source refuses what is asked, whoever asks again with the same credentials."""


class AnswerTooLarge(SourceError):
    def __init__(self, where: str, most: int) -> None:
        super().__init__(f"{where}: the answer has more than {most / 1e6:.0f} MB")


@dataclass(frozen=True, slots=True)
class UnreadableUnit:
    """A unit that the settings spell out, by the name or id that they have for it, and that could not be looked at.

    `is_refused` tells what the source refuses, which is out of reach, from trouble that passes and is no evidence.
    """

    name: str
    reason: str
    is_refused: bool


@dataclass(frozen=True, slots=True)
class ListingGap:
    """Units that the source has left out of its list: `covers` tells which may be among them. That such a unit is not
    listed is no evidence that it is gone. `is_refused` as in `UnreadableUnit`."""

    reason: str
    covers: Callable[[Unit], bool] = lambda unit: True
    is_refused: bool = True


class UnreadableUnits(SourceError):
    """Some units could not be looked at, or were left out; a listing raises this after it has named all others.

    `are_refused`: none of those that could not be looked at failed for a passing reason.
    """

    def __init__(self, units: Iterable[UnreadableUnit] = (), gaps: Iterable[ListingGap] = ()) -> None:
        self.units = tuple(units)
        self.gaps = tuple(gaps)
        self.are_refused = all(unit.is_refused for unit in self.units)
        said = (*(f"{unit.name}: {unit.reason}" for unit in self.units), *(gap.reason for gap in self.gaps))
        super().__init__("; ".join(said))
