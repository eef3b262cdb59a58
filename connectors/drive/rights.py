"""Reading rights alone, without contents, from one call to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from connectors.contract import Checkpoint, Cursor, Failed, RightsItem
from connectors.drive.cursor import DriveCursor, ListingCursor, RightsCursor, parse_cursor, parse_rights_cursor


def read_rights(
    cursor: Cursor | None,
    read_since: Callable[[DriveCursor | None], Iterator[RightsItem | Checkpoint]],
    fetch: Callable[[Sequence[str]], Iterator[RightsItem]],
) -> Iterator[RightsItem | Checkpoint]:
    """What has changed since a cursor, then what nobody told of before. See `connectors.contract.RightsFeed`.

    A naming of everything has no checkpoint but the last: only whole it shows what a unit has no more.
    """
    before = parse_rights_cursor(cursor)
    position, untold = before.position, set(before.untold)
    for item in read_since(position):
        if not isinstance(item, Checkpoint):
            _note(item, untold)
            yield item
        elif not isinstance(position := parse_cursor(item.cursor), ListingCursor):
            yield Checkpoint(RightsCursor(position, frozenset(untold)).as_json(), item.complete)
    if again := sorted(untold & before.untold):
        for found in fetch(again):
            _note(found, untold)
            yield found
        yield Checkpoint(RightsCursor(position, frozenset(untold)).as_json())


def _note(item: RightsItem, untold: set[str]) -> None:
    if isinstance(item, Failed):
        untold.add(item.document_id)
    else:
        untold.discard(item.document_id)
