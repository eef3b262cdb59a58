"""Whether a connection works: who the integration is, what of each part it may read, and how much is shared with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from connectors.contract import Finding
from connectors.errors import AuthenticationFailed, SourceError
from connectors.notion import access
from connectors.notion.client import OLDER_VERSION, NotionClient
from connectors.notion.hierarchy import Hierarchy
from connectors.notion.objects import MAPPED_KINDS, Kind, NotionObject, Ref
from connectors.notion.part_table import BLOCKS, COMMENTS, PARTS_BY_NAME, PEOPLE, ROWS, SEARCH
from connectors.notion.settings import NotionConnection
from connectors.source_parts import probe_on, probe_part


def check(connection: NotionConnection, client: NotionClient) -> list[Finding]:
    """Ends at credentials that are refused."""
    findings: list[Finding] = []
    try:
        findings.extend(_findings(connection, client))
    except SourceError as error:
        findings.append(Finding("credentials", False, str(error)))
    return findings


def _findings(connection: NotionConnection, client: NotionClient) -> Iterator[Finding]:
    """Raises AuthenticationFailed, and where not even the integration itself can be asked for, SourceError."""
    yield _check_credentials(client)
    yield _check_people(connection, client)
    found: list[NotionObject] = []
    yield probe_part(PARTS_BY_NAME[SEARCH], lambda: found.extend(next(client.search()).items))
    yield _count(found)
    pages = _all("page", found)
    yield _on_object(BLOCKS, pages, lambda own: client.children(own))
    yield _on_object(ROWS, _sources(client, found), _row_reader(client))
    yield _on_object(COMMENTS, pages, lambda own: client.comments(own))
    if connection.readers_by_page:
        yield _check_map(connection, client, found)


def _on_object(part: str, found: list[NotionObject], ask: Callable[[str], object]) -> Finding:
    return probe_on(PARTS_BY_NAME[part], found, lambda one: one.title, lambda one: ask(one.ref.id))


def _all(kind: Kind, found: list[NotionObject]) -> list[NotionObject]:
    return [one for one in found if one.ref.kind == kind]


def _sources(client: NotionClient, found: list[NotionObject]) -> list[NotionObject]:
    """Data sources (in the older version, databases), wherever search names some."""
    kind: Kind = "database" if client.version == OLDER_VERSION else "data_source"
    if not found:
        return []
    try:
        return _all(kind, found) or _all(kind, [*next(client.search(only=kind)).items])
    except AuthenticationFailed:
        raise
    except SourceError:
        return []


def _row_reader(client: NotionClient) -> Callable[[str], object]:
    return client.database_rows if client.version == OLDER_VERSION else client.rows


def _check_credentials(client: NotionClient) -> Finding:
    user = client.me()
    integration = f"integration {user.name or user.id}"
    of = f" of {user.bot.workspace_name}" if user.bot.workspace_name else ""
    older = f", API version {OLDER_VERSION}" if client.version == OLDER_VERSION else ""
    return Finding("credentials", True, f"{integration}{of}{older}")


def _check_people(connection: NotionConnection, client: NotionClient) -> Finding:
    """Addresses are needed only where readers are the workspace's people; names are for all pages."""
    addresses: list[str] = []
    finding = probe_part(PARTS_BY_NAME[PEOPLE], lambda: addresses.extend(access.addresses(client.users())))
    if not finding.ok:
        return finding
    detail, part = f"{len(addresses)} with an e-mail address", PARTS_BY_NAME[PEOPLE]
    if addresses or not access.names_workspace(connection):
        return Finding(PEOPLE, True, detail)
    return Finding(PEOPLE, False, detail, part.lost, part.permission)


def _check_map(connection: NotionConnection, client: NotionClient, found: list[NotionObject]) -> Finding:
    """What is not in reach is not seen to be above anything: what may be below it is for `certain_readers` alone."""
    hierarchy = Hierarchy(client)
    for one in found:
        hierarchy.add(one, is_current=False)
    pages = connection.readers_by_page
    missing = [own for own in pages if not any(hierarchy.visible(Ref(kind, own)) for kind in MAPPED_KINDS)]
    if missing:
        advice = "share them with the integration, or correct the settings"
        return Finding("readers_by_page", False, f"not in reach: {', '.join(missing)}; {advice}")
    if apart := [one.title for one in found if _is_apart(connection, hierarchy, one)]:
        named = (
            f"{len(apart)} of the first {len(found)} pages and databases, as {apart[0]!r}, are in what is not in reach"
        )
        lost = "only those read them whom `readers` and every entry of `readers_by_page` name"
        return Finding("readers_by_page", False, f"{named}: {lost}; share what they are in, or name them there")
    return Finding("readers_by_page", True, f"{len(pages)} pages and databases in reach")


def _is_apart(connection: NotionConnection, hierarchy: Hierarchy, found: NotionObject) -> bool:
    """Whether the settings name neither an object nor what it is in, and that is not in reach."""
    named, above = connection.readers_by_page, found.parent
    if above is None or found.ref.id in named or above.id in named:
        return False
    # Blocks are not asked for: each is a request of its own.
    return above.kind != "block" and hierarchy.visible(above) is None


def _count(found: list[NotionObject]) -> Finding:
    """One page of search is enough: listing all would take long in a large workspace."""
    advice = "" if found else "; share pages with the integration (`Connections` in a page's menu)"
    return Finding("pages", bool(found), f"{len(found)} pages and databases in reach, or more{advice}")
