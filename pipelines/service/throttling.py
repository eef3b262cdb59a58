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
from pipelines.service.errors import Problem, problem_response
from pipelines.service.request_guard import WEBHOOKS_PATH

V = TypeVar("V")

FREE_TRIES = 20
"""Wrong keys from one address within a minute before it is slowed: access tokens that have ended are among them."""
SLOWED_SECONDS = 1.0
"""By which the refusal of one more is put off."""
MOST_SLOWED = 8
"""Refusals that are put off for one address at once. Meanwhile nobody there can try a key that was never right."""
_MINUTE = 60.0
_MOST_REMEMBERED = 10_000
"""Of addresses, keys and askers each; the one that was seen longest ago is forgotten first."""


@dataclass(slots=True)
class _Tries:
    """Wrong keys from one address in the minute that began at `since`, and how many refusals are put off."""

    since: float
    wrong: int = 0
    put_off: int = 0


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
        network, key = _network(request), hash_key(sent)
        tries = self._tries_of(network)
        if tries.put_off >= MOST_SLOWED and key not in self._right:
            await problem_response(request, _slow_down())(scope, receive, send)
            return

        async def send_when_due(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] == 401:
                    await self._put_off(tries, network)
                else:
                    _remember(self._right, key, None)
            await send(message)

        await self._app(scope, receive, send_when_due)

    def _tries_of(self, network: str) -> _Tries:
        now = time.monotonic()
        tries = self._tries.get(network) or _Tries(now)
        if now - tries.since > _MINUTE:
            tries.since, tries.wrong = now, 0
        _remember(self._tries, network, tries)
        return tries

    async def _put_off(self, tries: _Tries, network: str) -> None:
        tries.wrong += 1
        if tries.wrong == FREE_TRIES + 1:
            audit("slowed", address=network, wrong_keys=tries.wrong)
        if tries.wrong > FREE_TRIES:
            tries.put_off += 1
            try:
                await asyncio.sleep(SLOWED_SECONDS)
            finally:
                tries.put_off -= 1


class RequestRate:
    """So many requests a minute for whoever asks, as many of them at once. Safe to call from several threads."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._paid_until: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, principal: Principal) -> None:
        """Count a request. Raises a 429 problem that says when to ask again.

        Each request is worth a moment; whoever is a minute ahead of the clock has asked too much (the generic cell
        rate algorithm, ITU-T I.371).
        """
        asker = _asker(principal)
        with self._lock:
            now = time.monotonic()
            paid = max(self._paid_until.get(asker, now), now) + _MINUTE / self._per_minute
            if paid <= now + _MINUTE:
                _remember(self._paid_until, asker, paid)
                return
        detail = f"{self._per_minute} requests a minute are taken from whoever asks; ask more slowly."
        raise Problem(429, "Too many requests", detail, {"Retry-After": str(ceil(paid - now - _MINUTE))})


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
    return Problem(429, "Too many requests", detail, {"Retry-After": str(ceil(SLOWED_SECONDS))})


def _remember(seen: OrderedDict[str, V], name: str, value: V) -> None:
    seen[name] = value
    seen.move_to_end(name)
    if len(seen) > _MOST_REMEMBERED:
        seen.popitem(last=False)
