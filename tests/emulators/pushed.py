"""What was pushed, kept in memory and asked for over HTTP: a store whose requests a test can make fail."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
from pydantic import TypeAdapter

from connectors.http import ApiClient
from connectors.push.accepting import accept
from connectors.push.settings import PushConnection
from connectors.pushed_documents import PushedDocument, PushedFile, RemovedDocument, StoredDocument

URL = "http://pushed.test"
_STORED = TypeAdapter(list[StoredDocument | RemovedDocument])
_UNITS = TypeAdapter(list[str])


@dataclass
class PushedInMemory:
    """A few of anything a page."""

    connection: PushConnection
    page_size: int = 3
    documents: dict[str, StoredDocument | RemovedDocument] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    number: int = 0

    def put(self, name: str, file: PushedFile | None = None, **fields: object) -> None:
        self.number += 1
        accepted = accept(self.connection, PushedDocument.model_validate(fields), file, datetime.now(UTC))
        body = str(self.number)
        self.bodies[body] = accepted.content
        self.documents[name] = StoredDocument(
            name, accepted.unit, self.number, accepted.fields, accepted.fingerprint, body
        )

    def remove(self, name: str) -> None:
        self.number += 1
        self.documents[name] = RemovedDocument(name, self.documents[name].unit, self.number)

    def answer(self, request: httpx.Request) -> httpx.Response:
        asked = request.url.params
        match request.url.path:
            case "/units":
                units = sorted({one.unit for one in self.documents.values()})
                return httpx.Response(200, content=_UNITS.dump_json(units))
            case "/changes":
                return _listed(self._changes(asked["unit"], int(asked["after"]))[: self.page_size])
            case "/documents":
                return _listed([self.documents[one] for one in asked.get_list("name") if one in self.documents])
            case path if (body := path.removeprefix("/bodies/")) in self.bodies:
                return httpx.Response(200, content=self.bodies[body])
        return httpx.Response(404)

    def _changes(self, unit: str, after: int) -> list[StoredDocument | RemovedDocument]:
        found = [one for one in self.documents.values() if one.unit == unit and one.number > after]
        return sorted(found, key=lambda one: one.number)


class StoreOverHttp:
    """See `connectors.pushed_documents.DocumentStore`."""

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._api = ApiClient(URL, {}, transport=transport)

    @property
    def requests(self) -> int:
        return self._api.requests

    def units(self) -> Sequence[str]:
        return self._api.send("GET", "/units", parse=lambda answer: _UNITS.validate_json(answer.content))

    def changes(self, unit: str, after: int, limit: int) -> Sequence[StoredDocument | RemovedDocument]:
        return self._api.send("GET", "/changes", params={"unit": unit, "after": after}, parse=_parse)

    def find(self, names: Collection[str]) -> Mapping[str, StoredDocument | RemovedDocument]:
        found = self._api.send("GET", "/documents", params={"name": list(names)}, parse=_parse)
        return {one.name: one for one in found}

    def read(self, document: StoredDocument) -> bytes:
        return self._api.get_bytes(f"/bodies/{document.body}")


def _listed(found: list[StoredDocument | RemovedDocument]) -> httpx.Response:
    return httpx.Response(200, content=_STORED.dump_json(found))


def _parse(answer: httpx.Response) -> list[StoredDocument | RemovedDocument]:
    return _STORED.validate_json(answer.content)
