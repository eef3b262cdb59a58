"""Requests are slowed: those with wrong keys by the address they come from, all others by whoever asks.

Both are counted in this process alone, and forgotten when it ends.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import TypeVar

from fastapi import FastAPI, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.audit import audit
from pipelines.catalog.assistants import hash_key
from pipelines.service.authentication import Principal
from pipelines.service.errors import WEBHOOKS_PATH, Problem, problem_response

V = TypeVar("V")

_KNOWN_BY_KEY = ("principal", "pushes_to")
"""What a request's state says where its key was right."""

FREE_TRIES = 20
"""Wrong keys from one address within a minute before it is slowed: access tokens that have ended are among them."""
SLOWED_SECONDS = 1.0
"""By which the refusal of one more is put off."""
MOST_AT_ONCE = 8
"""Keys that are tried at once from an address that is slowed, put off or not yet looked at; more are not tried."""
REGISTRATIONS_PER_HOUR = 20
"""Of OAuth clients, from one address."""
_MINUTE = 60.0
_HOUR = 60 * _MINUTE
_MOST_REMEMBERED = 10_000
"""Of addresses, keys and askers each; the one that was seen longest ago is forgotten first."""


@dataclass(slots=True)
class _Tries:
    """Wrong keys from one network in the minute that began at `since`, and how many are tried at once."""

    network: str
    since: float
    wrong: int = 0
    at_once: int = 0


class WrongKeyThrottle:
    """Slows whoever tries keys, and nobody else at the same address: a key that was right before is let through."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._tries: OrderedDict[str, _Tries] = OrderedDict()
        self._right: OrderedDict[str, None] = OrderedDict()  # hashes of keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope) if scope["type"] == "http" else None
        sent = request.headers.get("authorization") if request else None
        if request is None or not sent or request.url.path.startswith(WEBHOOKS_PATH):
            await self._app(scope, receive, send)
            return
        key, tries = hash_key(sent), self._tries_from(_network(request))
        if tries.wrong < FREE_TRIES or key in self._right:
            await self._try(key, tries, request, receive, send)
        elif tries.at_once < MOST_AT_ONCE:
            tries.at_once += 1
            try:
                await self._try(key, tries, request, receive, send)
            finally:
                tries.at_once -= 1
        else:
            await problem_response(request, _slow_down())(scope, receive, send)

    async def _try(self, key: str, tries: _Tries, request: Request, receive: Receive, send: Send) -> None:
        async def send_when_due(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] == 401:
                    await self._put_off(tries)
                elif any(hasattr(request.state, name) for name in _KNOWN_BY_KEY):
                    _remember(self._right, key, None)
            await send(message)

        await self._app(request.scope, receive, send_when_due)

    def _tries_from(self, network: str) -> _Tries:
        now = time.monotonic()
        tries = self._tries.get(network) or _Tries(network, now)
        if now - tries.since > _MINUTE:
            tries.since, tries.wrong = now, 0
        _remember(self._tries, network, tries)
        return tries

    async def _put_off(self, tries: _Tries) -> None:
        tries.wrong += 1
        if tries.wrong == FREE_TRIES + 1:
            audit("slowed", address=tries.network, wrong_keys=tries.wrong)
        if tries.wrong > FREE_TRIES:
            await asyncio.sleep(SLOWED_SECONDS)


class _RateLimit:
    """So many turns in a period for each name, as many of them at once. Safe to call from several threads."""

    def __init__(self, most: int, seconds: float) -> None:
        self._seconds = seconds
        self._each = seconds / most
        self._paid_until: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str) -> float:
        """0 where a turn was free, which is counted; else the seconds until one is.

        Each turn is worth a moment; whoever is a period ahead of the clock has taken too many (the generic cell rate
        algorithm, ITU-T I.371).
        """
        with self._lock:
            now = time.monotonic()
            paid = max(self._paid_until.get(name, now), now) + self._each
            if paid <= now + self._seconds:
                _remember(self._paid_until, name, paid)
                return 0
        return paid - now - self._seconds


class RequestRate:
    """So many requests a minute for whoever asks, as many of them at once. Safe to call from several threads."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._limit = _RateLimit(per_minute, _MINUTE)

    def take(self, principal: Principal) -> None:
        """Count a request. Raises a 429 problem that says when to ask again."""
        if wait := self._limit.take(_asker(principal)):
            detail = f"{self._per_minute} requests a minute are taken from whoever asks; ask more slowly."
            raise _too_many(detail, wait)


class RegistrationRate:
    """So many clients an hour from one address: anybody may register them."""

    def __init__(self) -> None:
        self._limit = _RateLimit(REGISTRATIONS_PER_HOUR, _HOUR)

    def take(self, request: Request) -> None:
        """Count a registration. Raises a 429 problem that says when to try again."""
        if wait := self._limit.take(_network(request)):
            detail = f"{REGISTRATIONS_PER_HOUR} clients an hour may register from one address; try again later."
            raise _too_many(detail, wait)


def install(app: FastAPI) -> None:
    app.add_middleware(WrongKeyThrottle)


def _asker(principal: Principal) -> str:
    """An assistant that names people is one; each person who is known without that is another."""
    proven = principal.user if principal.proof not in (None, "named") else ""
    return f"{principal.assistant.id} {proven}"


def _network(request: Request) -> str:
    """The client's address; of an IPv6 address the /64, since whoever has one has all of it."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(getattr(address, "ipv4_mapped", None) or address)


def _slow_down() -> Problem:
    detail = "Many wrong keys come from this address; try again in a moment."
    return _too_many(detail, SLOWED_SECONDS)


def _too_many(detail: str, wait: float) -> Problem:
    return Problem(429, "Too many requests", detail, {"Retry-After": str(ceil(wait))})


def _remember(seen: OrderedDict[str, V], name: str, value: V) -> None:
    seen[name] = value
    seen.move_to_end(name)
    if len(seen) > _MOST_REMEMBERED:
        seen.popitem(last=False)
