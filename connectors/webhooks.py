"""Events: what a provider's webhook says, reduced to where to look again.

An event carries no content into the index. It only names what may have changed, and the connector reads that
from the source: so a late, repeated or out-of-order event does no harm. That an object is deleted counts as it is
said, and until that read finds the object.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from connectors.settings import Connection

_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_LONGEST_TEXT = 1_000
"""Characters of an id or name; PostgreSQL's index takes 2,700 bytes."""

Scope: TypeAlias = Literal["document", "unit", "units", "memberships"]


@dataclass(frozen=True, slots=True)
class Invalidation:
    """Where to look again.

    `document`: one object, by its document id; `unit` is its unit where the event tells it, else empty. An event that
    tells neither unit nor id names it by `connectors.contract.in_any_unit`.
    `unit`: whatever changed in a unit since its cursor; in all units where `unit` is empty. `units`: the list of
    units, and then those that are new, renamed, shared anew or gone; `unit` is the one that the provider says to be
    gone or to be read by others, where it says so, and `unit_deleted` that it says it to be deleted, for good and for
    everybody, and not only out of this token's reach. `memberships`: who belongs to which group.

    `withdraws` says that the object may be gone or read by fewer people now: that is looked at before anything else.
    `deleted` says that the document, or all below where it is named by `connectors.contract.all_below`, is gone from
    its place: nobody finds it once the event is stored, whether or not the source answers, until a read finds it.
    """

    scope: Scope
    unit: str = ""
    document_id: str = ""
    withdraws: bool = field(default=False, compare=False)
    unit_deleted: bool = False
    deleted: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Event:
    """A verified delivery. One without changes is ignored; `ignored` says why.

    `id` is the provider's id of the delivery, the same when it is delivered again. `kind` is the provider's
    name of the event. `answer` is the body that the provider expects back, where it expects one.

    `signed_content` is the hash of what the signature covers, where that is neither the id nor the kind: whoever has
    seen a delivery could send it again under another one. `offered_secret` is what a provider wants later deliveries
    to be verified with; nothing proves yet that it is the provider.
    """

    id: str
    kind: str
    invalidations: tuple[Invalidation, ...] = ()
    ignored: str = ""
    answer: dict[str, Any] = field(default_factory=dict)
    signed_content: str = ""
    offered_secret: str = field(default="", repr=False)

    def withdrawing(self) -> Event:
        """The same event about objects that may be gone, or read by fewer people, now."""
        return replace(self, invalidations=tuple(replace(one, withdraws=True) for one in self.invalidations))


def look_around(unit: str = "") -> tuple[Invalidation, ...]:
    """Where to look after an event that is the provider's own and of which no object can be read: in its unit, or where
    it does not tell that either, in the list of units and all of them."""
    return (Invalidation("unit", unit),) if unit else (Invalidation("units"), Invalidation("unit"))


class DeliveryRefused(Exception):
    """The delivery does not come from the provider: no signature, a wrong one, or one out of its time."""


class DeliveryUnreadable(Exception):
    """The delivery is signed, and is not what the provider's documentation promises."""


def secret_of(connection: Connection) -> str:
    """The secret that deliveries are signed with. Raises DeliveryRefused where the settings have none."""
    secret = connection.webhook_secret.get_secret_value() if connection.webhook_secret else ""
    if not secret:
        raise DeliveryRefused(f"{connection.id} has no `webhook_secret`")
    return secret


def verify_signature(connection: Connection, message: bytes, signature: str, *, scheme: str = "") -> None:
    """Raises DeliveryRefused unless `signature` is `scheme` and the hexadecimal HMAC-SHA256 of `message`.

    Compared in constant time. `scheme` is what the provider puts before the digits: `sha256=`.
    """
    secret = secret_of(connection)
    if not signature.startswith(scheme):
        raise DeliveryRefused("there is no signature of the kind that the provider documents")
    if not fits(secret, message, signature.removeprefix(scheme)):
        raise DeliveryRefused("the signature does not fit the body")


def fits(secret: str, message: bytes, digits: str) -> bool:
    """Whether these are the hexadecimal HMAC-SHA256 of a message; compared in constant time."""
    expected = hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), digits.encode(errors="replace"))


def parse_object(body: bytes | str) -> dict[str, Any]:
    """The JSON object of a delivery. Raises DeliveryUnreadable."""
    try:
        text = body if isinstance(body, str) else body.decode()
        found = json.loads(text)
        if _ESCAPED_SURROGATE.search(text):
            json.dumps(found, ensure_ascii=False).encode()  # half a character cannot be stored, nor sent to anybody
    except (ValueError, RecursionError) as error:
        raise DeliveryUnreadable(f"not JSON: {type(error).__name__}") from error
    if not isinstance(found, dict):
        raise DeliveryUnreadable("not a JSON object")
    return found


def check_texts(event: Event) -> None:
    """Raises DeliveryUnreadable where an event says something that no database takes, or at a length that none does."""
    places = (text for one in event.invalidations for text in (one.unit, one.document_id))
    for text in (event.id, event.kind, *places):
        if not is_storable(text):
            raise DeliveryUnreadable("a name in it is too long, or no text")


def is_storable(text: str) -> bool:
    """Whether every database takes an id or name, as it is and at its length."""
    return len(text) <= _LONGEST_TEXT and not _UNSTORABLE.search(text)


def content_id(body: bytes) -> str:
    """An id for deliveries that carry none: equal bodies are the same event."""
    return hashlib.sha256(body).hexdigest()[:32]
