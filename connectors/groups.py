"""Reading the groups of a connection one by one: one group's trouble is its own, that of the source everybody's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from connectors.contract import EmptyGroup, Membership, MembershipItem, UnreadableGroup
from connectors.errors import (
    REFUSALS,
    AuthenticationFailed,
    RateLimited,
    SourceError,
    TransientError,
)
from connectors.isolation import FAILURES_IN_A_ROW, MALFORMED


class GroupReads:
    """Turns what is known of a group's members into memberships, and its trouble into `UnreadableGroup`.

    Wrong credentials and a limit are raised at once. Groups that fail for a passing reason may be many, where one part
    of the source is down: as often as a few in a row have failed, the source is asked whether it answers at all.
    """

    def __init__(self, probe: Callable[[], object]) -> None:
        """`probe` sends a request that a source which is not down answers."""
        self._probe = probe
        self._in_a_row = 0

    def read(self, group: str, addresses: Callable[[], Iterable[str]]) -> Iterator[MembershipItem]:
        """A group's memberships, by the e-mail addresses of its members, each once.

        Raises SourceError where the trouble is not this group's alone.
        """
        try:
            found = dict.fromkeys(addresses())
        except (AuthenticationFailed, RateLimited):
            raise
        except TransientError as error:
            self._count_failure()
            yield UnreadableGroup(group, str(error))
            return
        except (SourceError, *MALFORMED) as error:
            reason = str(error) if isinstance(error, SourceError) else f"not as documented: {type(error).__name__}"
            yield UnreadableGroup(group, reason)
            return
        self._in_a_row = 0
        members = [Membership(group, address) for address in found if address]
        yield from members
        if not members:
            yield EmptyGroup(group)

    def _count_failure(self) -> None:
        self._in_a_row += 1
        if self._in_a_row < FAILURES_IN_A_ROW:
            return
        self._in_a_row = 0
        with suppress(*REFUSALS):  # a refusal is an answer, too
            self._probe()
