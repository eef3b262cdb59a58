"""A repository that is being read, and the guard that turns trouble with one object into a recorded failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote

from connectors.contract import Deleted, Failed
from connectors.errors import AuthenticationFailed, InvalidResponse, NotFound, RateLimited, SourceError, Unavailable
from connectors.github import access
from connectors.github.client import GitHubClient
from connectors.github.documents import DocumentMaker
from connectors.github.file_rules import FileRules
from connectors.github.responses import Payload
from connectors.github.settings import GitHubConnection
from connectors.model import Unit

T = TypeVar("T")

FAILURES_IN_A_ROW = 3
"""So many objects that the server does not answer for, one after the other, are trouble with the server."""


@dataclass(frozen=True, slots=True)
class Repository:
    """`payload` is GitHub's description of it, as told at `read_at` by the server's clock."""

    client: GitHubClient
    name: str
    payload: Payload
    make: DocumentMaker
    rules: FileRules
    guard: Guard
    read_at: datetime

    @property
    def path(self) -> str:
        return f"repos/{quote(self.name)}"

    def has(self, feature: str) -> bool:
        """Whether `issues` or `discussions` are switched on; taken for granted where the server does not tell."""
        return self.payload.get(f"has_{feature}") is not False


def opened(client: GitHubClient, connection: GitHubConnection, unit: Unit) -> Repository:
    """Raises SourceError: NotFound for a repository that now has another name, which is another unit."""
    payload, read_at = client.repository(unit.id)
    name = str(payload.get("full_name") or unit.id)
    if name.lower() != unit.id.lower():
        raise NotFound(f"{connection.base_url}/repos/{unit.id}, which is {name} now,")
    make = DocumentMaker(
        connection=connection.id,
        unit=unit.id,
        url=str(payload.get("html_url") or unit.url),
        branch=str(payload.get("default_branch") or "main"),
        readers=access.readers(connection.id, unit.id, payload),
    )
    return Repository(client, unit.id, payload, make, FileRules(connection.files), Guard(), read_at)


class Guard:
    """Trouble with one object is that object's, trouble with the server is everybody's."""

    def __init__(self) -> None:
        self._unanswered = 0

    def __call__(self, document_id: str, title: str, read: Callable[[], T]) -> T | Deleted | Failed:
        """What `read` gives, `Deleted` where there is nothing, `Failed` where it cannot be had."""
        unanswered, self._unanswered = self._unanswered, 0
        try:
            return read()
        except (RateLimited, AuthenticationFailed):
            raise
        except NotFound:
            return Deleted(document_id)
        except (Unavailable, InvalidResponse) as error:
            self._unanswered = unanswered + 1
            if self._unanswered >= FAILURES_IN_A_ROW:
                raise
            return Failed(document_id, title, str(error))
        except SourceError as error:
            return Failed(document_id, title, str(error))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            return Failed(document_id, title, f"the payload is not as documented: {type(error).__name__}: {error}")
