"""Clients that are known by the URL of a document about them (draft-ietf-oauth-client-id-metadata-document).

Anybody can name a URL, and this server then reads it: so only from addresses of the public internet, pinned to the one
that was looked at, without redirects, and bounded in time, size and number.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, Field, ValidationError

from pipelines.catalog.oauth_clients import OAuthClient
from pipelines.service.sign_in.fetching import FetchFailed, fetch_object, open_client
from pipelines.service.sign_in.known_clients import KNOWN_CLIENTS

LIFETIME = 24 * 3600
TROUBLE_LIFETIME = 60
"""Seconds for which a document, or that there is none, is remembered."""
MOST_BYTES = 64 * 1024
MOST_REMEMBERED = 1_000
MOST_AT_ONCE = 4
_CLIENT_ID = re.compile(
    r"https://(?=[^/?#]*\.)[a-z0-9.-]+/[\w/.~%!$&'()*+,;=:@-]+(\?[\w/.~%!$&'()*+,;=:@?-]*)?", re.ASCII
)
_TRANSLATED = IPv6Network("64:ff9b::/32")
"""Stands for any IPv4 address (RFC 6052, RFC 8215)."""

Resolve = Callable[[str], Sequence[str]]


class DocumentRefused(Exception):
    """There is no client with such a document. The message says why."""


class ClientDocument(BaseModel):
    client_id: str
    client_name: str | None = Field(default=None, max_length=200)
    redirect_uris: list[str] = Field(min_length=1, max_length=50)


def is_document_url(client_id: str) -> bool:
    """Whether a client id is the URL of a document: https, a host name, the usual port, a path without dot segments."""
    if len(client_id) > 500 or not _CLIENT_ID.fullmatch(client_id):
        return False
    parts = urlsplit(client_id)
    return parts.path != "/" and not {".", ".."} & set(parts.path.split("/")) and not _is_address(parts.hostname or "")


def resolve(host: str) -> list[str]:
    """All addresses of a host. Raises OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)]


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet, and stands for no other."""
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        if parsed in _TRANSLATED or parsed.sixtofour or parsed.teredo:
            return False
        return _is_global(parsed.ipv4_mapped or parsed)
    return _is_global(parsed)


class ClientDocuments:
    """Blocks; safe to call from several threads."""

    def __init__(
        self,
        resolve: Resolve = resolve,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # Not through a proxy of the environment, which would look the host up again.
        self._client = open_client(transport, proxies=False)
        self._resolve = resolve
        self._clock = clock
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._remembered: OrderedDict[str, tuple[float, OAuthClient | DocumentRefused]] = OrderedDict()

    def find(self, client_id: str) -> OAuthClient:
        """Raises DocumentRefused."""
        if client_id in KNOWN_CLIENTS:
            return KNOWN_CLIENTS[client_id]
        with self._lock:
            until, found = self._remembered.get(client_id, (0.0, DocumentRefused("")))
        if self._clock() >= until:
            found = self._read(client_id)
        if isinstance(found, DocumentRefused):
            raise DocumentRefused(str(found))
        return found

    def _read(self, client_id: str) -> OAuthClient | DocumentRefused:
        if not self._turns.acquire(blocking=False):
            return DocumentRefused("too many documents of clients are being read: try again in some seconds")
        found: OAuthClient | DocumentRefused
        try:
            found = self._fetch(client_id)
        except DocumentRefused as refused:
            found = refused
        finally:
            self._turns.release()
        lifetime = TROUBLE_LIFETIME if isinstance(found, DocumentRefused) else LIFETIME
        with self._lock:
            self._remembered[client_id] = (self._clock() + lifetime, found)
            if len(self._remembered) > MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        return found

    def _fetch(self, client_id: str) -> OAuthClient:
        host = urlsplit(client_id).hostname or ""
        pinned = httpx.URL(client_id).copy_with(host=self._public_address(host))
        # The address that was looked at is the one that is asked; the certificate must still be the host's.
        request = self._client.build_request(
            "GET",
            pinned,
            headers={"Host": host},
            extensions={"sni_hostname": host},
        )
        try:
            document = ClientDocument.model_validate(fetch_object(self._client, request, MOST_BYTES))
        except FetchFailed:
            raise DocumentRefused(f"{client_id} cannot be read, or is no JSON object") from None
        except ValidationError:
            raise DocumentRefused(f"{client_id} does not describe a client") from None
        if document.client_id != client_id:
            raise DocumentRefused(f"{client_id} describes another client")
        return OAuthClient(client_id, document.client_name or host, tuple(document.redirect_uris))

    def _public_address(self, host: str) -> str:
        try:
            addresses = self._resolve(host)
        except OSError:
            raise DocumentRefused(f"there is no host {host}") from None
        if not addresses or not all(is_public(one) for one in addresses):
            raise DocumentRefused(f"{host} is no host of the public internet")
        return addresses[0]


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return host.rpartition(".")[2].isdigit()  # inet_aton reads 127.1 as an address too
    return True
