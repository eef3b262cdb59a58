"""What an error comes from: a backend that is away, which is waited for, or the one thing that was worked on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import TimeoutError as PoolExhausted

from connectors.errors import AuthenticationFailed, RateLimited, SourceError, TransientError
from pipelines.catalog import Catalog
from pipelines.catalog.failures import Activity, Cause
from pipelines.catalog.totals import Total
from pipelines.errors import (
    CatalogLost,
    CatalogUnavailable,
    EmbeddingError,
    HeadraceError,
    IndexBusy,
    IndexMismatch,
    IndexUnavailable,
    LandingDamaged,
    LandingUnavailable,
    LeaseLost,
    PartitionUnavailable,
    TextRefused,
    UnitBusy,
    UsageError,
)
from pipelines.ingestion.report import SyncReport

logger = logging.getLogger(__name__)

_TYPES: tuple[tuple[tuple[type[BaseException], ...], Cause], ...] = (
    ((RateLimited,), "source_limit"),
    ((AuthenticationFailed,), "source_credentials"),
    ((TransientError,), "source_unavailable"),
    ((TextRefused,), "other"),
    ((PartitionUnavailable,), "partition"),
    ((EmbeddingError,), "embedding"),
    ((IndexUnavailable, IndexBusy, IndexMismatch), "index"),
    ((CatalogUnavailable, PoolExhausted), "catalog"),
    ((CatalogLost,), "catalog_lost"),
    ((LandingUnavailable,), "landing"),
    ((LandingDamaged,), "other"),  # nobody need wait for it
    ((FileNotFoundError,), "other"),
    ((OSError,), "landing"),
)
"""The first that fits. Sources, index and catalog have errors of their own: what is left of OSError is a disk that is
full, or an object store."""

_OBJECT_STORE_PACKAGES = ("aiobotocore", "aiohttp", "botocore")
"""Not all of their errors are an OSError, and importing them takes seconds."""


def find_cause(error: BaseException) -> Cause:
    """What an error, or one that it was raised from, comes from. Pure."""
    return _find_origin(error)[1]


def _find_origin(error: BaseException) -> tuple[BaseException, Cause]:
    """Which of an error and those that it was raised from tells what it comes from, and that."""
    for one in _chain(error):
        for types, cause in _TYPES:
            if isinstance(one, types):
                return one, cause
        if any(base.__module__.partition(".")[0] in _OBJECT_STORE_PACKAGES for base in type(one).__mro__):
            return one, "landing"
    return error, "other"


@contextmanager
def track(catalog: Catalog, activity: Activity, connection: str = "", unit: str = "") -> Iterator[None]:
    """Record that an activity fails, with what is raised, or that it succeeds again."""
    try:
        yield
    except (UnitBusy, UsageError):  # says nothing of what was to be done
        raise
    except Exception as error:
        if (cause := find_cause(error)) != "catalog":  # which is where it would be recorded
            catalog.failures.record(activity, connection, unit, cause, describe_error(error))
            catalog.totals.add({Total("errors", connection, cause): 1})
        raise
    catalog.failures.resolve(activity, connection, unit)


@contextmanager
def record_errors(report: SyncReport, name: str) -> Iterator[None]:
    """Turn what stops a unit into an entry of the report, so that the others go on; without a catalog none does."""
    try:
        yield
    except (UsageError, LeaseLost, CatalogUnavailable):
        raise
    except (SourceError, HeadraceError) as error:
        logger.error("%s: %s", name, error)
        report.record_error(name, str(error), find_cause(error))
    except Exception as error:
        cause = find_cause(error)
        # A backend that is away is no fault in the program: its traceback would tell nobody anything.
        logger.error("%s: %s", name, describe_error(error), exc_info=cause == "other")
        report.record_error(name, describe_error(error), cause)


def describe_error(error: Exception) -> str:
    """An error as people read it; one that is not Headrace's own with its type, and the setting that it is about."""
    if isinstance(error, SourceError | HeadraceError):
        return str(error)
    origin, cause = _find_origin(error)  # what libraries say around it is long, and for those who know them
    where = {"landing": "landing.url: ", "catalog": "catalog.url: "}.get(cause)
    return f"{where}{type(origin).__name__}: {origin}" if where else f"unexpected {type(error).__name__}: {error}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, what it was raised from, and so on."""
    current: BaseException | None = error
    seen: set[int] = set()
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
