"""Compaction: the small loads of a unit are united, so that a landing of many events has few files.

An event lands one document; after a year a busy unit has as many loads as it had events, and a rebuild of the index
opens each. Where so many of one size have gathered, the rows that are needed are copied into one load. What they leave
is obsolete from then on, and leaves the landing by `retention`: nothing is removed that a backup of that day may name.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pipelines.catalog.compaction import SmallLoad
from pipelines.catalog.conditions import FULL_BYTES, FULL_ROWS
from pipelines.errors import UnitBusy
from pipelines.landing.load_paths import united_path
from pipelines.landing.uniting import NeededRows, copy_chunks, copy_documents
from pipelines.services import Services

logger = logging.getLogger(__name__)

LEAST_LOADS = 32
MOST_LOADS = 64
"""So many are united at a time: it takes less than half a second, in which nobody else works on the unit."""

LOADS_PER_LOOK = 32 * MOST_LOADS
"""What a pass has no time for is not looked at."""

TIERS = (range(1, LEAST_LOADS), range(LEAST_LOADS, FULL_ROWS))
"""Loads of one tier are united when there are enough of them, and become one of the next: a row is copied twice."""


@dataclass(slots=True)
class Compacted:
    """How many loads were united, into how many; `busy` ones are left, because others work on their units."""

    united: int = 0
    into: int = 0
    busy: int = 0

    def add(self, loads: int) -> None:
        self.united += loads
        self.into += 1


def compact(services: Services, seconds: float | None) -> Compacted:
    """Unite what is small. After `seconds` no further unit is looked at and nothing further is begun, but a first group
    in any case; None goes on to the end. May be killed at any moment, and run again. While the index is rebuilt, which
    goes through the loads, nothing is done."""
    done = Compacted()
    if services.catalog.leases.is_reindexing():
        return done
    until = None if seconds is None else time.monotonic() + seconds
    units = services.catalog.compaction.units(LEAST_LOADS)
    random.shuffle(units)  # no unit is always the one for which no time is left
    for number, (connection, unit) in enumerate(units):
        if number and _is_past(until):
            break
        _compact_unit(services, connection, unit, until, done)
    return done


def _compact_unit(services: Services, connection: str, unit: str, until: float | None, done: Compacted) -> None:
    for group in _groups_of(services, connection, unit):
        # A store that takes long to tell how large files are would let no group begin, however many passes there are.
        if done.into and _is_past(until):
            return
        try:
            with services.catalog.leases.hold(connection, unit):
                united = _unite(services, connection, unit, group)
        except UnitBusy:
            done.busy += len(group)
            return
        if not united:
            return
        done.add(united)


def _is_past(until: float | None) -> bool:
    return until is not None and time.monotonic() >= until


def plan_compaction(services: Services) -> Compacted:
    """What `compact` would do, to the end."""
    planned, compaction = Compacted(), services.catalog.compaction
    for connection, unit in compaction.units(LEAST_LOADS):
        loads = compaction.small_loads(connection, unit)
        while groups := list(_groups(loads, lambda load: _size(services, load))):
            for group in groups:
                planned.add(len(group))
            gone = {load.id for group in groups for load in group}
            loads = [load for load in loads if load.id not in gone] + [_as_one(group) for group in groups]
    return planned


def _groups_of(services: Services, connection: str, unit: str) -> Iterator[list[SmallLoad]]:
    """Groups of loads that are to be united, as long as there are any: what was united may be small still."""
    compaction, any_left = services.catalog.compaction, True
    while any_left:
        any_left = False
        loads = compaction.small_loads(connection, unit, LOADS_PER_LOOK)
        for group in _groups(loads, lambda load: _recorded_size(services, load)):
            any_left = True
            yield group


def _groups(loads: Sequence[SmallLoad], size_of: Callable[[SmallLoad], int | None]) -> Iterator[list[SmallLoad]]:
    for tier in TIERS:
        own = [load for load in loads if load.rows in tier]
        if len(own) >= LEAST_LOADS:
            yield from _filled(own, size_of)


def _filled(loads: Sequence[SmallLoad], size_of: Callable[[SmallLoad], int | None]) -> Iterator[list[SmallLoad]]:
    """Loads as they make one that is full, or as many as may be; of what is left, enough, or none."""
    group: list[SmallLoad] = []
    size = 0
    for load in loads:
        own = size_of(load)
        if own is None or own >= FULL_BYTES:
            continue
        group, size = [*group, load], size + own
        if len(group) == MOST_LOADS or size >= FULL_BYTES or sum(one.rows for one in group) >= FULL_ROWS:
            yield group
            group, size = [], 0
    if len(group) >= LEAST_LOADS:
        yield group


def _size(services: Services, load: SmallLoad) -> int | None:
    """Of a load's file; None where it is gone, because its unit is being purged, or until it is restored."""
    return load.bytes if load.bytes is not None else services.landing.files.size(load.documents_path)


def _recorded_size(services: Services, load: SmallLoad) -> int | None:
    """What is full although it has few rows need not be looked at again."""
    size = _size(services, load)
    if load.bytes is None and size is not None and size >= FULL_BYTES:
        services.catalog.compaction.record_size(load.id, size)
    return size


def _as_one(group: Sequence[SmallLoad]) -> SmallLoad:
    rows, size = sum(load.rows for load in group), sum(load.bytes or 0 for load in group)
    return SmallLoad(-group[0].id, group[0].documents_path, rows, size)


def _unite(services: Services, connection: str, unit: str, group: Sequence[SmallLoad]) -> int:
    """Copy what is needed of these loads into a new one, under the lease of their unit; returns of how many. The
    documents come before the row that says where, as with every load, and the chunks, which stand under its id, after
    it. A damaged load is left alone."""
    compaction, landing = services.catalog.compaction, services.landing
    needed = compaction.documents_of(connection, unit, [load.id for load in group])
    sources = {load.id: NeededRows(load.documents_path, needed[load.id]) for load in group if load.id in needed}
    path = united_path(load.documents_path for load in group)
    copied = {load: needed[load] for load in copy_documents(landing.files, sources, path)}
    if len(copied) < 2:
        landing.files.remove(path)
        return 0
    rows = sum(len(documents) for documents in copied.values())
    united = compaction.add(connection, unit, path, rows, landing.files.size(path) or 0)
    chunks_path = landing.chunks_path(connection, united)
    own = (NeededRows(landing.chunks_path(connection, load), documents) for load, documents in copied.items())
    chunks = copy_chunks(landing.files, own, chunks_path)
    return len(copied) if compaction.replace(connection, unit, copied, united, chunks_path, chunks) else 0
