"""A client of an Unstructured API, hosted or self-hosted: https://docs.unstructured.io/api-reference/partition/overview

One page or picture is sent at a time: what the API charges for and what it refuses is then known by page, and a process
that dies loses one.
"""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from pipelines.errors import PartitionRefused, PartitionUnavailable, SettingsError
from pipelines.settings import PartitionSettings

if TYPE_CHECKING:
    from unstructured_client import UnstructuredClient

_TIMEOUT_MS = 180_000
"""Of one page: a model reads it."""
_RETRY_MS = (1_000, 10_000, 30_000)
"""First pause, longest pause, and after how long no attempt is made any more."""
_OF_ONE_FILE = frozenset({400, 413, 415, 422})
"""What the API says of a file that it cannot read. Everything else is about the API, or about the key."""
_PATH = "/general/v0/general"
"""What the client itself puts behind the base URL; people paste addresses with it."""


class UnstructuredApi:
    """Threads may share it."""

    def __init__(self, settings: PartitionSettings) -> None:
        self._settings = settings
        # A redirection elsewhere would take the key along.
        self._http = httpx.Client(follow_redirects=False)
        # The API's client puts one around it that closes nothing.
        self._transport = self._http._transport

    def close(self) -> None:
        self._transport.close()
        self._http.close()

    @property
    def strategy(self) -> str:
        return self._settings.strategy

    def read(self, content: bytes, name: str, media_type: str) -> str:
        """The elements of a page or picture, as JSON. Raises PartitionRefused for one that cannot be read, and
        PartitionUnavailable."""
        from unstructured_client.models import errors, operations, shared

        parameters = shared.PartitionParameters(
            files=shared.Files(content=content, file_name=name, content_type=media_type),
            strategy=shared.Strategy(self._settings.strategy),
            split_pdf_page=False,  # which asks for the API's documentation first, and needs another PDF library here
        )
        try:
            request = operations.PartitionRequest(partition_parameters=parameters)
            answer = self._client.general.partition(request=request)
        except errors.UnstructuredClientError as error:
            if error.status_code in _OF_ONE_FILE:
                raise PartitionRefused(f"HTTP {error.status_code}: {_detail(error.body)}") from None
            raise PartitionUnavailable(self._host, f"HTTP {error.status_code}: {_detail(error.body)}") from None
        except (httpx.HTTPError, errors.NoResponseError) as error:
            raise PartitionUnavailable(self._host, f"{type(error).__name__}: {error}") from None
        return json.dumps(answer.elements or [])

    def try_out(self) -> str:
        """Send one word, which the hosted API may charge as a page. Raises PartitionUnavailable and SettingsError."""
        with suppress(PartitionRefused):
            self.read(b"Headrace", "check.txt", "text/plain")
        return f"{self._host} answers, strategy {self.strategy}"

    @property
    def _host(self) -> str:
        return urlsplit(self._settings.url).netloc

    @cached_property
    def _client(self) -> UnstructuredClient:
        try:
            from unstructured_client import UnstructuredClient
            from unstructured_client.utils import BackoffStrategy, RetryConfig
        except ModuleNotFoundError:
            raise SettingsError("partition", "needs the extra `scans`: pip install 'headrace[scans]'") from None
        key, (first, longest, total) = self._settings.api_key, _RETRY_MS
        return UnstructuredClient(
            api_key_auth=key.get_secret_value() if key else None,
            client=self._http,
            server_url=self._settings.url.rstrip("/").removesuffix(_PATH),
            timeout_ms=_TIMEOUT_MS,
            retry_config=RetryConfig("backoff", BackoffStrategy(first, longest, 2.0, total), True),
        )


def _detail(body: str) -> str:
    """What an answer says is wrong, on one line."""
    with suppress(ValueError, KeyError, TypeError):
        body = str(json.loads(body)["detail"])
    return " ".join(body.split())[:200] or "no reason given"
