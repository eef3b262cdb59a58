"""What every connection is told, whatever its source. Each source adds its own in its `settings`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import ClassVar, Self, get_args

from croniter import CroniterBadDateError, croniter
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    field_validator,
    model_validator,
)

from connectors.pushed_documents import DocumentStore
from connectors.tokens import check_token
from connectors.web_urls import check_web_url

CRON_FIELDS = 5
"""Minute, hour, day of the month, month and day of the week."""
MOST_TOKENS = 10**15
YEARS_BETWEEN_TICKS = 5
"""A schedule that comes round less often is none: four years lie between two 29ths of February."""
_FEBRUARY = 2
_NO_DAYS_OF_FEBRUARY = ([30], [31])


class SettingsModel(BaseModel):
    """What all settings share: an unknown key is an error, and so is a truth value where a number belongs, which would
    be taken as 1 or 0."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _truth_is_no_number(cls, given: object) -> object:
        """As a word it is refused where a number belongs, with the field's path."""
        if not isinstance(given, dict):
            return given
        return {name: str(value).lower() if cls._is_misplaced(name, value) else value for name, value in given.items()}

    @classmethod
    def _is_misplaced(cls, name: str, value: object) -> bool:
        if not isinstance(value, bool) or name not in cls.model_fields:
            return False
        annotation = cls.model_fields[name].annotation
        kinds = set(get_args(annotation) or (annotation,))
        return bool(kinds & {int, float}) and bool not in kinds


class Budget(SettingsModel):
    """What embedding a connection's texts may cost. Once that is spent, new texts wait for the next day or month (UTC);
    deletions, rights and all that needs no new vector go on."""

    usd_per_month: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="US dollars in a month; needs a provider's known price"
    )
    tokens_per_day: int | None = Field(default=None, gt=0, le=MOST_TOKENS, description="Tokens of texts in a day")

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.usd_per_month is None and self.tokens_per_day is None:
            raise ValueError("needs usd_per_month or tokens_per_day")
        return self


class Connection(SettingsModel):
    """One configured account of a source: `source` names it, as in the registry."""

    names_know_case: ClassVar[bool] = True
    """Whether names of units that differ in case alone name different units."""
    token_prefixes: ClassVar[tuple[str, ...]] = ()
    """How the tokens of the source begin, by which one is known that stands in another's connection."""
    unfit_tokens: ClassVar[Mapping[str, str]] = {}
    """How tokens of the source begin that are for something else, and what to give instead."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="Name of the connection, used in ids and commands")
    source: str = Field(description="Whose API it is")
    token: SecretStr = Field(description="What requests show; written as `${NAME}`, never itself")
    base_url: str = Field(description="Where the source's API is")
    include: tuple[str, ...] = Field(default=("*",), description="Units to read, by id or name, with * for anything")
    exclude: tuple[str, ...] = Field(default=(), description="Units to leave out, of those that `include` takes in")
    schedule: str = Field(default="*/15 * * * *", description="When what changed is read (cron)")
    reconcile_schedule: str = Field(default="41 3 * * *", description="When a listing is compared in full (cron)")
    memberships_schedule: str = Field(default="3-59/10 * * * *", description="When memberships are read (cron)")
    poll_seconds: int | None = Field(
        default=None, ge=60, description="How often the worker reads what changed, for sources without webhooks"
    )
    webhook_secret: SecretStr | None = Field(
        default=None, description="What deliveries are verified with; without it there are no webhooks"
    )
    budget: Budget | None = Field(default=None, description="What embedding its texts may cost; default: any amount")
    # Follows from other settings than the connection's own, so that nobody writes it here.
    _reads_pictures: bool = PrivateAttr(default=False)
    _store: DocumentStore | None = PrivateAttr(default=None)

    @field_validator("schedule", "reconcile_schedule", "memberships_schedule")
    @classmethod
    def _cron(cls, value: str) -> str:
        if not _is_cron(value):
            raise ValueError('must be a cron schedule of five fields, such as "*/15 * * * *"')
        if not _has_ticks(value):
            raise ValueError("must be a cron schedule whose dates exist: this one never comes round")
        return value

    @field_validator("token")
    @classmethod
    def _fit_token(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value().strip()
        if text:
            check_token(text, cls.unfit_tokens)
        elif cls.model_fields["token"].is_required():
            raise ValueError("is empty")
        return SecretStr(text)

    @field_validator("base_url")
    @classmethod
    def _is_base(cls, value: str) -> str:
        """Without the slash at its end."""
        parts = check_web_url(value)
        if parts.query or parts.fragment:
            raise ValueError("must be a URL with a host, without query and fragment")
        return value.rstrip("/")

    @property
    def reads_pictures(self) -> bool:
        """Whether files that are pictures are handed on as documents: there is an API that reads them."""
        return self._reads_pictures

    def with_pictures(self) -> Self:
        """The same connection, which hands on pictures."""
        changed = self.model_copy()
        changed._reads_pictures = True
        return changed

    @property
    def store(self) -> DocumentStore | None:
        """What was pushed to the connection, for a source that takes documents; None where nobody has opened it."""
        return self._store

    def with_store(self, store: DocumentStore) -> Self:
        """The same connection, which reads what is in this store."""
        changed = self.model_copy()
        changed._store = store
        return changed

    @property
    def narrows_readers(self) -> bool:
        """Whether these settings give some documents other readers than their unit has."""
        return False

    @property
    def reader_settings(self) -> str:
        """What in these settings says who may read, as one text; empty where the source alone tells."""
        return ""

    @property
    def certain_readers(self) -> frozenset[str] | None:
        """Reader tokens that these settings give to all documents alike; None where the source alone tells."""
        return None

    @property
    def unit_patterns(self) -> str:
        """The patterns as one text, and what else here takes away: equal as long as they decide alike."""
        said = [self.reader_settings] if self.reader_settings else []
        return json.dumps([self.include, self.exclude, *said], ensure_ascii=False)

    def includes(self, *names: str) -> bool:
        """Whether the unit patterns take in a unit known under any of `names` (its id, its name)."""
        fold = str if self.names_know_case else str.lower
        folded = [fold(name) for name in names]
        return any(_matches(name, map(fold, self.include)) for name in folded) and not any(
            _matches(name, map(fold, self.exclude)) for name in folded
        )


def reader_settings_in(unit_patterns: str) -> str:
    """What `Connection.unit_patterns` says of readers; empty where it says nothing."""
    _, _, *said = json.loads(unit_patterns)
    return str(said[0]) if said else ""


def _is_cron(value: str) -> bool:
    """Whether Dagster knows the form. What runs the schedules is older than croniter's nearest weekday (`15W`)."""
    fields = value.split()
    if value.startswith("@"):
        return croniter.is_valid(value)
    return len(fields) == CRON_FIELDS and "w" not in fields[2].lower() and croniter.is_valid(value)


def _has_ticks(value: str) -> bool:
    """Whether some date fulfils a schedule. Dagster takes none for the 30th or 31st of February alone, even where it
    names a day of the week beside."""
    _, _, days, months, _ = croniter.expand(value)[0]
    if months == [_FEBRUARY] and days in _NO_DAYS_OF_FEBRUARY:
        return False
    try:
        croniter(value, datetime.now(UTC), max_years_between_matches=YEARS_BETWEEN_TICKS).get_next(datetime)
    except CroniterBadDateError:
        return False
    return True


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
