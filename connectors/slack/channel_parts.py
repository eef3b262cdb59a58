"""What became of the parts of one read of a channel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from connectors.contract import PartState
from connectors.errors import REFUSALS, AuthenticationFailed, RateLimited, SourceError, TransientError
from connectors.sampling import REFUSED_BESIDE_OTHERS
from connectors.slack.part_table import BY_NAME, HISTORY
from connectors.slack.refusals import is_of_method
from connectors.source_parts import Part, state_of

ANY_FILE = "F0"
"""Names no file: asked for where it matters only whether files may be asked for."""


class PartClosed(Exception):
    """A part is refused or fails, and is not asked for any more in this read."""

    def __init__(self, part: Part, error: SourceError) -> None:
        self.part = part
        self.error = error
        super().__init__(f"{part.name}: {error}")


class ChannelParts:
    """The parts of one channel in one read: which were asked for, and which are closed.

    `closed` maps the names of closed parts to an object that shows whether they are open again. It is the cursor's:
    what a closed part had to tell is still to be read. `unanswered` are parts that never answered in the read, and
    are not closed: which objects those were, the ledger knows.
    """

    def __init__(self, closed: dict[str, str], probe: Callable[[], object]) -> None:
        """`probe` sends a request that a source which is not down answers."""
        self.closed = closed
        self._probe = probe
        self._errors: dict[str, SourceError | None] = {}
        self._answered: set[str] = set()
        self._suspected: set[str] = set()
        self._unanswered: dict[str, tuple[SourceError, str]] = {}
        self._refused: dict[str, dict[str, SourceError]] = {}

    @property
    def unanswered(self) -> dict[str, str]:
        """Names of parts, each with an object that was asked for."""
        silent = self._unanswered.keys() - self._answered - self.closed.keys() - {HISTORY.name}
        return {name: self._unanswered[name][1] for name in sorted(silent)}

    def is_closed(self, part: Part) -> bool:
        return self._errors.get(part.name) is not None

    def was_asked(self, part: Part) -> bool:
        return part.name in self._errors

    def ask(self, part: Part) -> None:
        """Note that a part is asked for. Raises PartClosed where it is closed."""
        if error := self._errors.get(part.name):
            raise PartClosed(part, error)
        self._errors[part.name] = None

    @contextmanager
    def asking(self, part: Part, object_id: str) -> Iterator[None]:
        """Around requests for a part. Raises PartClosed where the part is closed, or is by their refusal; any other
        error is the object's."""
        self.ask(part)
        try:
            with self.noting(part, object_id):
                yield
        except SourceError as error:
            if is_of_method(error):
                self.close(part, error, object_id)
            raise

    @contextmanager
    def noting(self, part: Part, object_id: str) -> Iterator[None]:
        """Around requests for a part: whether there are answers at all, and objects among them."""
        try:
            yield
        except TransientError as error:
            self._unanswered[part.name] = (error, object_id)
            raise
        except REFUSALS as error:
            if object_id != ANY_FILE and not is_of_method(error):
                self._refused.setdefault(part.name, {})[object_id] = error
            raise
        self._answered.add(part.name)

    def close(self, part: Part, error: SourceError, object_id: str) -> NoReturn:
        """Ask for a part no more. Raises PartClosed; or the error, where it is not of the part alone: of the
        credentials, a limit, or a source that does not answer at all."""
        if isinstance(error, AuthenticationFailed | RateLimited):
            raise error
        if isinstance(error, TransientError):
            self._probe()
        self.add(part, error, object_id)
        raise PartClosed(part, error) from error

    def is_open(self, part: Part, object_id: str, ask: Callable[[], object]) -> bool:
        """Whether `ask` gets an answer of a part, be it that an object is gone; closes the part if not.

        Raises SourceError where the trouble is not of the part alone.
        """
        try:
            ask()
        except AuthenticationFailed:
            raise
        except PartClosed:
            return False
        except TransientError as error:
            with suppress(PartClosed):
                self.close(part, error, object_id)
            return False
        except SourceError:
            return True
        return True

    def suspect(self, part: Part) -> None:
        """A part that did not answer in the read before, and does not by now."""
        self._suspected.add(part.name)

    def is_suspected(self, part: Part) -> bool:
        return part.name in self._suspected

    def close_again(self, part: Part, error: TransientError, object_id: str) -> NoReturn:
        """Close a part that is suspected. Raises the error for others: a source that is down is left, and a read goes
        on from its last checkpoint; only what stays down is gone without."""
        if part.name not in self._suspected:
            raise error
        self.close(part, error, object_id)

    def add(self, part: Part, error: SourceError | None, object_id: str) -> None:
        """What is known of a part that was asked for elsewhere."""
        self._errors[part.name] = error
        if error and part is not HISTORY:  # how far that was read, the cursor says anyway
            self.closed[part.name] = object_id

    def states(self, prefixes: dict[str, tuple[str, ...]]) -> Iterator[PartState]:
        """Of each part that was asked for; one fails as well that never answered, and one is refused, though nothing of
        it is left out, of which several objects were. Of a single one, nothing is told of the part. `prefixes` are
        those of the ids of each part's documents."""
        for name, error in self._errors.items():
            is_silent = name not in self._answered
            unanswered = self._unanswered.get(name, (None, ""))[0] if is_silent else None
            refused = list(self._refused.get(name, {}).values()) if is_silent else []
            if error or unanswered or not refused:
                yield state_of(BY_NAME[name], error or unanswered, prefixes.get(name, ()))
            elif len(refused) >= REFUSED_BESIDE_OTHERS:
                yield state_of(BY_NAME[name], refused[0])
