"""Which other issues an issue names: its parent, its sub-issues, and those that it waits for.

https://docs.github.com/en/rest/issues/sub-issues
https://docs.github.com/en/rest/issues/issue-dependencies
"""

from __future__ import annotations

import re

from connectors.errors import REFUSALS
from connectors.github.payloads.rest import GitHubIssue, LinkedIssue
from connectors.github.render.issue_facts import IssueRelations
from connectors.github.repository import Repository

_ISSUE = re.compile(r"/repos/([^/]+/[^/]+)/issues/(\d+)$")
_REPOSITORY = re.compile(r"/repos/([^/]+/[^/]+)$")
_NOT_TOLD = REFUSALS
"""Also by servers that know no such relations."""
_HIDDEN = "an issue of another repository"


def read_relations(repository: Repository, issue: GitHubIssue) -> IssueRelations:
    """At most three requests, none for an issue that stands by itself. Raises SourceError and NotAsDocumented."""
    place = f"{repository.path}/issues/{issue.number}"
    sub_issues: tuple[str, ...] = ()
    blocked_by: tuple[str, ...] = ()
    if issue.sub_issues_summary.total:
        sub_issues = _list_issues(repository, f"{place}/sub_issues")
    if issue.issue_dependencies_summary.blocked_by:
        blocked_by = _list_issues(repository, f"{place}/dependencies/blocked_by")
    return IssueRelations(_parent(repository, issue), sub_issues, blocked_by)


def _parent(repository: Repository, issue: GitHubIssue) -> str:
    named = _ISSUE.search(issue.parent_issue_url)
    if not named:
        return ""
    if named[1].lower() == repository.name.lower():
        return f"#{named[2]}"
    try:
        return _name(repository, repository.client.get(LinkedIssue, f"{repository.path}/issues/{issue.number}/parent"))
    except _NOT_TOLD:
        return _HIDDEN


def _list_issues(repository: Repository, path: str) -> tuple[str, ...]:
    try:
        return tuple(_with_state(repository, one) for one in repository.client.listing(LinkedIssue, path))
    except _NOT_TOLD:
        return ()


def _with_state(repository: Repository, issue: LinkedIssue) -> str:
    return f"{_name(repository, issue)}{' (closed)' if issue.state == 'closed' else ''}"


def _name(repository: Repository, issue: LinkedIssue) -> str:
    """Its number; one of another repository by name only where everybody may know that."""
    if issue.repository:
        owner = issue.repository.full_name
    else:
        named = _REPOSITORY.search(issue.repository_url)
        owner = named[1] if named else repository.name
    if owner.lower() == repository.name.lower():
        return f"#{issue.number}"
    return f"{owner}#{issue.number}" if issue.repository and issue.repository.is_public else _HIDDEN
