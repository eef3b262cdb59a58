"""Issues and pull requests that show the name of a label or milestone, which do not change when it is renamed.

https://docs.github.com/en/rest/issues/issues#list-repository-issues
"""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import quote

from connectors.contract import id_prefix
from connectors.errors import NotFound
from connectors.github.client import GitHubClient
from connectors.github.payloads.rest import GitHubIssue

_CARRIED = re.compile(r"(\d+)/(labels|milestones)/(.+)", re.DOTALL)
"""What an event names that has no document of its own: unit, kind, and the label's name or the milestone's number."""
_PARAMETERS = {"labels": "labels", "milestones": "milestone"}


def find_carriers(
    client: GitHubClient, connection: str, names: Collection[str], units: Collection[str]
) -> dict[str, list[str]]:
    """Ids of documents that show what `names` name, by unit, of these `units`. Raises SourceError."""
    found: dict[str, list[str]] = {}
    prefix = id_prefix("github", connection)
    for name in names:
        carried = _CARRIED.fullmatch(name.removeprefix(prefix)) if name.startswith(prefix) else None
        if carried and carried[1] in units:
            unit, kind, value = carried.groups()
            found.setdefault(unit, []).extend(_list_carriers(client, f"{prefix}{unit}", _PARAMETERS[kind], value))
    return {unit: list(dict.fromkeys(ids)) for unit, ids in found.items() if ids}


def _list_carriers(client: GitHubClient, root: str, parameter: str, value: str) -> list[str]:
    try:
        repository = client.repository_by_id(root.rpartition("/")[2]).payload
    except NotFound:  # also on servers that know repositories by name alone
        return []
    path, chosen = f"repos/{quote(repository.full_name)}/issues", {parameter: value}
    pages = client.pages(GitHubIssue, path, None, state="all", **chosen)
    issues = (issue for page in pages for issue in page.items)
    return [f"{root}/{'pull' if issue.is_pull_request else 'issues'}/{issue.number}" for issue in issues]
