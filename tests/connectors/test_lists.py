"""A list of an answer that is no list is no empty one: in each source, what is known is not lost without a word."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import import_module
from typing import Any

import httpx
import pytest

from connectors.contract import Checkpoint, Connector, Deleted, Failed, Item, PartState, UnreadableGroup
from connectors.errors import SourceError
from connectors.http import network
from connectors.model import Document, Unit
from tests.connectors.cases import CASES

LISTS = [
    ("drive", r"/files$", "files"),
    ("drive", r"/changes$", "changes"),
    ("drive", r"/drives$", "drives"),
    ("drive", r"/permissions$", "permissions"),
    ("drive", r"/comments$", "comments"),
    ("github", r"/user/repos$", ""),
    ("github", r"/collaborators$", ""),
    ("github", r"/git/trees/", "tree"),
    ("github", r"/acme/api/issues$", ""),
    ("github", r"/issues/\d+/comments$", ""),
    ("github", r"/pulls/\d+/reviews$", ""),
    ("github", r"/pulls/\d+/comments$", ""),
    ("github", r"/releases$", ""),
    ("github", r"/graphql$", "data.repository.discussions"),
    ("github", r"/graphql$", "data.repository.discussions.nodes"),
    ("github", r"/graphql$", "data.repository.d10.comments"),
    ("github", r"/graphql$", "data.repository.d10.comments.nodes"),
    ("notion", r"/search$", "results"),
    ("notion", r"/children$", "results"),
    ("notion", r"/query$", "results"),
    ("notion", r"/comments$", "results"),
    ("notion", r"/users$", "results"),
    ("slack", r"/conversations\.list$", "channels"),
    ("slack", r"/conversations\.history$", "messages"),
    ("slack", r"/conversations\.replies$", "messages"),
    ("slack", r"/conversations\.members$", "members"),
    ("slack", r"/users\.list$", "members"),
    ("slack", r"/usergroups\.list$", "usergroups"),
]
"""Paths of listings, and where in an answer the list stands; nowhere for an answer that is one."""


class NoListTransport(httpx.BaseTransport):
    """The server's own answers, but for one list, once `value` is to stand in its place."""

    def __init__(self, path: str, place: str) -> None:
        self.replaced = 0
        self.value: Any = ...
        self._path = re.compile(path)
        self._keys = place.split(".") if place else []
        self._network = network()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._network.handle_request(request)
        if self.value is ... or not self._path.search(request.url.path) or response.status_code != 200:
            return response
        response.read()
        return httpx.Response(200, json=self._without_list(json.loads(response.content)))

    def _without_list(self, answer: Any) -> Any:
        if not self._keys:
            self.replaced += 1
            return self.value
        holder = answer
        for key in self._keys[:-1]:
            holder = holder.get(key) or {}
        if self._keys[-1] in holder:
            self.replaced += 1
            holder[self._keys[-1]] = self.value
        return answer

    def close(self) -> None:
        self._network.close()


@pytest.mark.each_value
@pytest.mark.parametrize("value", [None, [None], "a secret"], ids=["null", "nothing but null", "a text"])
@pytest.mark.parametrize(("source", "path", "place"), LISTS)
def test_what_is_no_list_loses_nothing_without_a_word(source: str, path: str, place: str, value: Any) -> None:
    transport = NoListTransport(path, place)
    with CASES[source](import_module(f"connectors.{source}.source").connect) as case:
        with closing(case.connect(transport)) as connector:
            before = Observed(connector)
            cursors = {unit.id: read_cursor(before.items[unit.id]) for unit in before.units}
        changed, transport.value = case.change(), value
        with closing(case.connect(transport)) as connector:
            found = Observed(connector, before.units)
            later = [item for unit in before.units for item in found.read(unit, cursors[unit.id])]
    assert transport.replaced
    found.check(before, changed)
    # A shared folder that cannot be listed hides what is below it until it can: nothing else is told to be gone.
    read = [item for items in before.items.values() for item in items if isinstance(item, Document)]
    hiding = {parent.id for item in read for parent in item.parents} - {item.id for item in read}
    assert {item.document_id for item in later if isinstance(item, Deleted)} <= hiding
    assert found.troubles or changed in {item.id for item in later if isinstance(item, Document)}
    assert not [words for words in found.troubles if "secret" in words]


def read_cursor(items: list[Item]) -> dict[str, Any]:
    assert isinstance(items[-1], Checkpoint)
    return items[-1].cursor


class Observed:
    """What a connector tells when it is asked for everything; `troubles` are the reasons of what it could not tell."""

    def __init__(self, connector: Connector, units: list[Unit] | None = None) -> None:
        self._connector = connector
        self.troubles: list[str] = []
        self.named = list(self._asked(connector.units))
        self.units = units or self.named
        self.unnamed = list(self.troubles)
        self.members = list(self._asked(connector.memberships))
        self.unreadable_members = self.troubles[len(self.unnamed) :]
        self.items = {unit.id: self.read(unit) for unit in self.units}

    def read(self, unit: Unit, cursor: dict[str, Any] | None = None) -> list[Item]:
        return list(self._asked(lambda: self._connector.read(unit, cursor)))

    def check(self, before: Observed, changed: str) -> None:
        """Whatever was told before is told now, but for the document `changed`, or it is told why not."""
        assert self.unnamed or {unit.id for unit in self.named} >= {unit.id for unit in before.named}
        assert self.unreadable_members or set(self.members) >= set(before.members)
        assert self.troubles or self.documents(changed) >= before.documents(changed)

    def documents(self, changed: str) -> set[tuple[str, str]]:
        found = (item for items in self.items.values() for item in items if isinstance(item, Document))
        return {(one.id, str(one.content)) for one in found if one.id != changed}

    def _asked(self, ask: Callable[[], Iterator[Any]]) -> Iterator[Any]:
        try:
            for item in ask():
                if trouble := reason_of(item):
                    self.troubles.append(trouble)
                yield item
        except SourceError as error:
            self.troubles.append(str(error))


def reason_of(item: object) -> str:
    """Why something is not told; empty for what is."""
    match item:
        case Failed():
            return item.error
        case PartState(status="refused" | "failing") | UnreadableGroup():
            return item.reason
    return ""
