"""The sources that are installed. Each registers itself by an entry point of the group `headrace.sources`.

Whatever depends on which sources there are (settings, filters, scopes, schemas, assets, pages, look-ups) reads it
here: nothing outside a source's own package names it, and the four that come with Headrace are registered exactly as
a package by somebody else is:

    [project.entry-points."headrace.sources"]
    linear = "headrace_linear:SOURCE"
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from itertools import groupby
from operator import attrgetter
from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar, cast, get_args, get_origin

from pydantic import (
    AfterValidator,
    BeforeValidator,
    GetJsonSchemaHandler,
    SerializeAsAny,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError

from connectors.contract import Connector
from connectors.errors import SourceError
from connectors.model import Utterance
from connectors.pushed_documents import AcceptedDocument, PushedDocument, PushedFile, PushRefused
from connectors.settings import Connection
from connectors.setup import Setup
from connectors.source_parts import Part
from connectors.webhooks import DeliveryRefused, DeliveryUnreadable, Event, check_texts

logger = logging.getLogger(__name__)

GROUP = "headrace.sources"
S = TypeVar("S", bound=Connection)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_DROP = "M8 2c2.5 3 4 5 4 7.2a4 4 0 0 1-8 0C4 7 5.5 5 8 2z"


@dataclass(frozen=True, slots=True)
class Implementation(Generic[S]):
    """What does a source's work.

    `connect` opens a connection and sends nothing yet. `receive` verifies a webhook's delivery (headers by lower-case
    name, body, Unix time) and raises DeliveryRefused and DeliveryUnreadable; a source without webhooks has none.
    `accept` says what is to be kept of a document that was pushed, with its file where it is one, and raises
    PushRefused; a source that takes no documents has none.
    """

    connect: Callable[[S], Connector]
    receive: Callable[[S, Mapping[str, str], bytes, float], Event] | None = None
    accept: Callable[[S, PushedDocument, PushedFile | None, datetime], AcceptedDocument] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Generic[S]):
    """What Headrace must know of a source. Import what is heavy inside of the functions.

    `name` begins with a letter and goes on with lower-case letters, digits and underscores: it stands in ids, in
    filters and in the names of Dagster's groups.

    `settings` is the model of a connection; its field `source` is the literal `name`. `implementation` is asked for
    when a connection is opened or a delivery comes: the place to import the client and all that it needs.

    `address_tokens` gives the reader tokens that a person's address alone gives its holder, from a connection's id
    and the address; `group_domain` the domain whose people are a group, by its id, or nothing. `ids_in_url` gives the
    ids in a URL that name one object anywhere, in the form in which document ids end with them, the closest one first;
    `urls_of_same` other URLs of what is at one, where ids say too little: of the forms in which the catalog may hold
    them, or the URL of a unit with the end of a document's id behind it. `said_in_url` gives what was said that a URL
    names without its document.

    `documents_have_unit_readers` says that whoever may read a unit may read each of its documents, and nobody else:
    then its documents follow at once when a listing shows other readers of the unit, without being read again.

    `signature_headers` are the names, in lower case, of headers of which every signed delivery has one: deliveries with
    none of them are refused before they are read. A source that names none has all of them read. `offers_secret`
    says that the provider makes the secret of its webhooks itself, and sends it once to the address that it is to
    deliver to.

    `takes_documents` says that documents are pushed to its connections (`connectors.pushed_documents`), each with the
    connection's `token` as key; its `Implementation` has `accept`, and the settings of a connection a `store`.

    `parts` is the table of what a sync asks for and which permission each needs (`connectors.source_parts`).

    `setup` is what `headrace init` says and asks: where the token comes from, and what has to be written beside it.

    `icon` is the path of an SVG, drawn with strokes in a view box of 16 by 16.
    """

    name: str
    label: str
    settings: type[S]
    implementation: Callable[[], Implementation[S]]
    address_tokens: Callable[[str, str], Sequence[str]] = lambda connection, address: ()
    group_domain: Callable[[str], str] = lambda group: ""
    ids_in_url: Callable[[str], Sequence[str]] = lambda url: ()
    urls_of_same: Callable[[str], Sequence[str]] = lambda url: ()
    said_in_url: Callable[[str], Utterance | None] = lambda url: None
    documents_have_unit_readers: bool = True
    signature_headers: tuple[str, ...] = ()
    offers_secret: bool = False
    takes_documents: bool = False
    parts: tuple[Part, ...] = ()
    setup: Setup = field(default_factory=Setup)
    icon: str = _DROP

    @property
    def documents_tell_units(self) -> bool:
        """Whether whoever sees a document may see its unit: neither its source nor settings give it further readers."""
        narrows = self.settings.narrows_readers is not Connection.narrows_readers
        return self.documents_have_unit_readers and not narrows


class UnknownSource(ValueError):
    """No source of this name can be used."""

    def __init__(self, name: object) -> None:
        broken = unusable_sources().get(str(name))
        installed = ", ".join(sources()) or "none; install Headrace again"
        reason = f"the source {name!r} cannot be used: {broken}" if broken else f"unknown source {name!r}"
        super().__init__(f"{reason} (installed: {installed})")


def sources() -> Mapping[str, Source[Any]]:
    """Every source that is installed and can be used, by name, in order of the names."""
    return _registered()[0]


def unusable_sources() -> Mapping[str, str]:
    """Why a source that is installed cannot be used, by name."""
    return _registered()[1]


def source(name: str) -> Source[Any]:
    """Raises UnknownSource."""
    try:
        return sources()[name]
    except KeyError:
        raise UnknownSource(name) from None


def connect(connection: Connection) -> Connector:
    """Open a connection. Nothing is sent before the first call on it. Raises SourceError where it cannot be opened."""
    try:
        return source(connection.source).implementation().connect(connection)
    except SourceError:
        raise
    except Exception as error:
        logger.exception("%s cannot be opened", connection.id)
        raise SourceError(f"{connection.id} cannot be opened: {type(error).__name__}: {error}") from error


def receive(connection: Connection, headers: Mapping[str, str], body: bytes, now: float) -> Event:
    """Verify a delivery and read what it points at; `headers` by lower-case name, `now` in Unix seconds.

    Raises DeliveryRefused and DeliveryUnreadable.
    """
    one = source(connection.source)
    try:
        receiver = one.implementation().receive
        if receiver is None:
            raise DeliveryRefused(f"{connection.source} has no webhooks")
        event = receiver(connection, headers, body, now)
        check_texts(event)
        return event
    except (DeliveryRefused, DeliveryUnreadable):
        raise
    except Exception as error:
        logger.exception("%s: a delivery cannot be read", connection.id)
        raise DeliveryUnreadable(f"unexpected {type(error).__name__}") from error


def takes_documents(connection: Connection) -> bool:
    """Whether documents are pushed to a connection."""
    one = sources().get(connection.source)
    return one is not None and one.takes_documents


def accept(
    connection: Connection, document: PushedDocument, file: PushedFile | None, now: datetime
) -> AcceptedDocument:
    """What is to be kept of a document that is pushed to a connection. Raises PushRefused."""
    accepting = source(connection.source).implementation().accept
    if accepting is None:
        raise PushRefused("", f"{connection.source} takes no documents")
    return accepting(connection, document, file, now)


def address_tokens(connection: Connection, address: str) -> tuple[str, ...]:
    """Reader tokens that an address alone gives its holder; none where the source's own code fails."""
    try:
        return tuple(source(connection.source).address_tokens(connection.id, address))
    except Exception:
        logger.exception("%s: what an address may read cannot be told", connection.id)
        return ()


def ids_in_url(one: Source[Any], url: str) -> tuple[str, ...]:
    """Ids of this source in a URL; none where its own code fails."""
    try:
        return tuple(one.ids_in_url(url))
    except Exception:
        logger.exception("%s: ids cannot be found in a URL", one.name)
        return ()


def urls_of_same(one: Source[Any], url: str) -> tuple[str, ...]:
    """Other URLs of what is at a URL; none where the source's own code fails."""
    try:
        return tuple(one.urls_of_same(url))
    except Exception:
        logger.exception("%s: other URLs of the same cannot be told", one.name)
        return ()


def said_in_url(one: Source[Any], url: str) -> Utterance | None:
    """What was said that a URL names without its document; None where the source's own code fails."""
    try:
        return one.said_in_url(url)
    except Exception:
        logger.exception("%s: what was said cannot be found in a URL", one.name)
        return None


def parse_connection(value: Any, context: Any = None) -> Connection:
    """The settings of a connection, by the model of its source. Raises pydantic's ValidationError."""
    if isinstance(value, Connection):
        return value
    name = value.get("source") if isinstance(value, Mapping) else None
    if isinstance(value, Mapping) and name is None:
        raise _invalid("missing", "missing: one of " + ", ".join(sources()), value)
    try:
        model = source(str(name)).settings if isinstance(value, Mapping) else Connection
    except UnknownSource as error:
        raise _invalid("unknown_source", str(error), name) from None
    made = cast(Connection, model.model_validate(value, context=context))
    _refuse_foreign_token(made)
    return made


def _refuse_foreign_token(connection: Connection) -> None:
    """By its form, a token is seen to be of another source. Raises pydantic's ValidationError."""
    token = connection.token.get_secret_value()
    for other in sources().values():
        if other.name != connection.source and token.startswith(other.settings.token_prefixes):
            reason = f"is a token of {other.label}, and the source is {connection.source}"
            raise _invalid("foreign_token", reason, None, "token")


def _parse_in_context(value: Any, info: ValidationInfo) -> Connection:
    return parse_connection(value, info.context)


AnyConnection: TypeAlias = Annotated[SerializeAsAny[Connection], BeforeValidator(_parse_in_context)]
"""A connection in a pydantic model: validated by the model of its source, errors at its own path."""


class _OneOfTheSources:
    """Schemas name the sources that are installed when the schema is asked for."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "enum": list(sources())}


def _known(name: str) -> str:
    return source(name).name


SourceName: TypeAlias = Annotated[str, AfterValidator(_known), _OneOfTheSources()]
"""The name of an installed source in a pydantic model."""


@cache  # what is installed later is seen by the next process
def _registered() -> tuple[dict[str, Source[Any]], dict[str, str]]:
    """Sources that can be used, and why others cannot, by name."""
    usable: dict[str, Source[Any]] = {}
    unusable: dict[str, str] = {}
    by_name = attrgetter("name")
    for name, group in groupby(sorted(entry_points(group=GROUP), key=by_name), key=by_name):
        entries = list(group)
        own = [entry for entry in entries if entry.module.startswith(f"{__package__}.")]
        if own and len(entries) > 1:  # nobody takes the place of a source that comes with Headrace
            logger.warning("another package registers the source %r too, and is ignored", name)
        entry, *others = own or entries
        if others:
            # Which of them is meant, nobody knows: one may be there to read what the other's tokens reach.
            unusable[name] = "two packages register it: " + ", ".join(sorted(map(_package, (entry, *others))))
            continue
        try:
            usable[name] = _load(entry)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a foreign package may raise anything; the others stay usable
            unusable[name] = f"{_package(entry)}: {type(error).__name__}: {error}"
    return usable, unusable


def _load(entry: EntryPoint) -> Source[Any]:
    found = entry.load()
    if not isinstance(found, Source):
        raise TypeError(f"{entry.value} is a {type(found).__name__}, and must be a connectors.registry.Source")
    if not _NAME.fullmatch(entry.name):
        raise ValueError(f"the name {entry.name!r} must be lower-case letters, digits and underscores, a letter first")
    if not (isinstance(found.label, str) and isinstance(found.icon, str)):
        raise TypeError(f"`label` and `icon` of {entry.value} must be texts")
    if found.name != entry.name:
        raise ValueError(f"{entry.value} is named {found.name!r}, and its entry point {entry.name!r}")
    if not (isinstance(found.settings, type) and issubclass(found.settings, Connection)):
        raise TypeError(f"the settings of {entry.value} must be a subclass of connectors.settings.Connection")
    field = found.settings.model_fields["source"].annotation
    if (get_origin(field), get_args(field)) != (Literal, (found.name,)):
        raise TypeError(f"the field `source` of {found.settings.__name__} must be Literal[{found.name!r}]")
    return found


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value


def _invalid(kind: str, message: str, value: object, field: str = "source") -> ValidationError:
    error = PydanticCustomError("source", "{reason}", {"reason": message})
    return ValidationError.from_exception_data(kind, [InitErrorDetails(type=error, loc=(field,), input=value)])
