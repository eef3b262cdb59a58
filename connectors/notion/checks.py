"""Whether a connection works: who the integration is, whether it sees people, and how much is shared with it."""

from __future__ import annotations

from functools import partial

from connectors.contract import Finding
from connectors.errors import AccessDenied, SourceError
from connectors.notion import access
from connectors.notion.client import OLDER_VERSION, NotionClient
from connectors.notion.hierarchy import Hierarchy
from connectors.notion.objects import MAPPED_KINDS, Ref
from connectors.notion.settings import NotionConnection


def check(connection: NotionConnection, client: NotionClient) -> list[Finding]:
    """Ends at the first thing that cannot be asked for."""
    findings: list[Finding] = []
    for subject, look in (
        ("credentials", partial(_check_credentials, client)),
        ("people", partial(_check_people, connection, client)),
        ("pages", partial(_check_pages, client)),
        *([("readers_by_page", partial(_check_map, connection, client))] if connection.readers_by_page else []),
    ):
        try:
            findings.append(look())
        except SourceError as error:
            return [*findings, Finding(subject, False, str(error))]
    return findings


def _check_credentials(client: NotionClient) -> Finding:
    user = client.me()
    integration = f"integration {user.name or user.id}"
    of = f" of {user.bot.workspace_name}" if user.bot.workspace_name else ""
    older = f", API version {OLDER_VERSION}" if client.version == OLDER_VERSION else ""
    return Finding("credentials", True, f"{integration}{of}{older}")


def _check_people(connection: NotionConnection, client: NotionClient) -> Finding:
    """Only where readers are the workspace's people does anything depend on seeing them."""
    if not access.names_workspace(connection):
        return Finding("people", True, "not asked for: `readers` names who may read")
    try:
        count = len(access.addresses(client))
    except AccessDenied as error:
        return Finding("people", False, f"{error}; give the integration the capability to read users with e-mail")
    advice = "" if count else "; give the integration the capability to read users with their e-mail addresses"
    return Finding("people", count > 0, f"{count} with an e-mail address{advice}")


def _check_map(connection: NotionConnection, client: NotionClient) -> Finding:
    """What is not in reach narrows nothing: what is below it, and shared by itself, has the readers of all."""
    hierarchy = Hierarchy(client)
    pages = connection.readers_by_page
    missing = [own for own in pages if not any(hierarchy.visible(Ref(kind, own)) for kind in MAPPED_KINDS)]
    if not missing:
        return Finding("readers_by_page", True, f"{len(pages)} pages and databases in reach")
    advice = "share them with the integration, or correct the settings"
    return Finding("readers_by_page", False, f"not in reach: {', '.join(missing)}; {advice}")


def _check_pages(client: NotionClient) -> Finding:
    """One page of search is enough: listing all would take long in a large workspace."""
    page = next(client.search())
    more = "at least " if page.next_cursor else ""
    advice = "" if page.items else "; share pages with the integration (`Connections` in a page's menu)"
    return Finding("pages", bool(page.items), f"{more}{len(page.items)} pages and databases in reach{advice}")
