"""GitHub's webhooks: verified, and mapped to where to look again.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
A delivery bears no time, so an old one looks like a new one. Neither its id nor the event's name are covered by its
signature: it is known by its body too, and a body must fit the event that is named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import TypeAlias, TypeVar
from urllib.parse import parse_qs

from connectors.github.payloads.parsing import parse
from connectors.github.payloads.rest import GitHubRepository
from connectors.github.payloads.webhooks import GitHubDelivery, NumberedObject, RelatedIssue, RelatingIssue
from connectors.settings import Connection
from connectors.webhooks import (
    DeliveryUnreadable,
    Event,
    Invalidation,
    content_id,
    is_storable,
    look_around,
    parse_object,
    verify_signature,
)

T = TypeVar("T")

_TAKES_AWAY = ("deleted", "privatized", "transferred", "unpublished")
"""What may happen to a repository, so that the token sees it no longer."""
_REPOSITORY = re.compile(r"/repos/([^/]+/[^/]+)$")
_PARENT = re.compile(r"/repos/([^/]+/[^/]+)/issues/(\d+)$")
_UNITS = Invalidation("units")
_MEMBERSHIPS = Invalidation("memberships")

_OTHERS = """
branch_protection_configuration branch_protection_rule cache_sync check_run check_suite code_scanning_alert
content_reference create custom_property custom_property_values delete dependabot_alert deploy_key deployment
deployment_protection_rule deployment_review deployment_status enterprise fork github_app_authorization image
marketplace_purchase merge_group meta org_block package page_build
personal_access_token_request project project_card project_column projects_v2 projects_v2_item
projects_v2_status_update registry_package repository_advisory repository_dispatch repository_import
repository_ruleset repository_vulnerability_alert secret_scanning_alert secret_scanning_alert_location
secret_scanning_scan security_advisory security_and_analysis sponsorship star status watch
workflow_dispatch workflow_job workflow_run
"""
NOT_READ = {
    **dict.fromkeys(_OTHERS.split(), "nothing that is read changes"),
    "commit_comment": "comments on commits are not read",
    "gollum": "wikis are not read: GitHub has no API for them",
    "ping": "GitHub tries the webhook",
}
"""Documented events about nothing that Headrace reads, with the reason."""


Invalidations: TypeAlias = tuple[Invalidation, ...]


@dataclass(frozen=True, slots=True)
class _EventReader:
    """What a webhook of a connection says."""

    connection: str
    payload: GitHubDelivery

    @property
    def repository(self) -> GitHubRepository:
        return _required(self.payload.repository, "repository")

    def document(self, kind: str, name: object, repository: GitHubRepository | None = None) -> Invalidation:
        """One document, by what its id says."""
        unit = _unit_id(repository or self.repository)
        return Invalidation("document", unit, f"github:{self.connection}/{unit}/{kind}/{name}")


def receive(connection: Connection, headers: Mapping[str, str], body: bytes, now: float) -> Event:
    """See `connectors.registry.receive`."""
    verify_signature(connection, body, headers.get("x-hub-signature-256", ""), scheme="sha256=")
    kind = headers.get("x-github-event", "")
    if not kind:
        raise DeliveryUnreadable("no X-GitHub-Event header")
    delivered = parse_object(_json_text(headers, body))
    _check_kind(kind, delivered)
    event = _event(connection, kind, parse(GitHubDelivery, delivered))
    content = content_id(body)
    return replace(event, id=headers.get("x-github-delivery") or content, signed_content=content)


def _event(connection: Connection, kind: str, payload: GitHubDelivery) -> Event:
    if kind not in _EVENTS:
        return Event("", kind, ignored=NOT_READ.get(kind, f"the event {kind!r} is not known"))
    # Whether the repository is read, the catalog knows: `include` may spell a name that it no longer has.
    try:
        found = tuple(dict.fromkeys(_EVENTS[kind](_EventReader(connection.id, payload))))
    except DeliveryUnreadable:  # it is GitHub's, and does not tell what it is about
        found = look_around((payload.repository and payload.repository.unit_id) or "")
    event = Event("", kind, found, ignored="" if found else "nothing that is read changes")
    return event.withdrawing() if payload.action in _TAKES_AWAY else event


def _json_text(headers: Mapping[str, str], body: bytes) -> str:
    """The JSON of a body, which can also come as a form's field: both are settings of a webhook."""
    try:
        text = body.decode()
        if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return parse_qs(text, strict_parsing=True)["payload"][0]
    except (KeyError, ValueError) as error:
        raise DeliveryUnreadable(f"not JSON: {type(error).__name__}") from error
    return text


def _check_kind(kind: str, names: Iterable[str]) -> None:
    """Raises DeliveryUnreadable where a body, by its names, is about something else than the event."""
    if kind in _SUBJECTS and (others := _ALL_SUBJECTS.intersection(names).difference(_SUBJECTS[kind])):
        raise DeliveryUnreadable(f"the event {kind!r} is not about `{min(others)}`")


def _required(value: T | None, name: str) -> T:
    if not value:
        raise DeliveryUnreadable(f"not as documented: no usable `{name}`")
    return value


def _unit_id(repository: GitHubRepository) -> str:
    return _required(repository.unit_id, "repository.id")


def _issue(event: _EventReader) -> Invalidations:
    issue, changes = _required(event.payload.issue, "issue"), event.payload.changes
    here = event.document("pull" if issue.pull_request else "issues", issue.number)
    return (here, *_new_place(event, "issues", changes.new_issue), *_parent_of(event, issue))


def _parent_of(event: _EventReader, issue: RelatingIssue) -> Invalidations:
    """The parent in the same repository: it shows how many of its sub-issues are completed."""
    parent = _PARENT.search(issue.parent_issue_url)
    is_own = parent is not None and parent[1].lower() == event.repository.full_name.lower()
    return (event.document("issues", parent[2]),) if parent and is_own else ()


def _sub_issues(event: _EventReader) -> Invalidations:
    told = event.payload
    parent = _related(event, told.parent_issue, told.parent_issue_repo)
    return (*parent, *_related(event, told.sub_issue, told.sub_issue_repo))


def _issue_dependencies(event: _EventReader) -> Invalidations:
    told = event.payload
    blocked = _related(event, told.blocked_issue, told.blocked_issue_repo)
    return (*blocked, *_related(event, told.blocking_issue, told.blocking_issue_repo))


def _related(event: _EventReader, issue: RelatedIssue | None, repository: GitHubRepository | None) -> Invalidations:
    """An issue, in the repository that is named beside it, or in the event's own."""
    if issue is None:
        return ()
    named = _REPOSITORY.search(issue.repository_url)
    is_elsewhere = named is not None and named[1].lower() != event.repository.full_name.lower()
    if is_elsewhere and not repository:
        return ()
    return (event.document("issues", issue.number, repository if is_elsewhere else None),)


def _pull_request(event: _EventReader) -> Invalidations:
    return (event.document("pull", _required(event.payload.pull_request, "pull_request").number),)


def _discussion(event: _EventReader) -> Invalidations:
    discussion, changes = _required(event.payload.discussion, "discussion"), event.payload.changes
    here = event.document("discussions", discussion.number)
    return (here, *_new_place(event, "discussions", changes.new_discussion), *_converted_issue(event))


def _new_place(event: _EventReader, kind: str, moved: NumberedObject | None) -> Invalidations:
    """Where an object went that was transferred."""
    repository = event.payload.changes.new_repository
    return (event.document(kind, moved.number, repository),) if moved and repository else ()


def _converted_issue(event: _EventReader) -> Invalidations:
    """The issue that became this discussion."""
    issue, repository = event.payload.changes.old_issue, event.payload.changes.old_repository
    return (event.document("issues", issue.number, repository),) if issue else ()


def _release(event: _EventReader) -> Invalidations:
    return (event.document("releases", _required(event.payload.release, "release").id),)


def _push(event: _EventReader) -> Invalidations:
    """The tree tells which files changed, also after a forced push or one with more commits than a payload holds.

    Files that the commits removed are named beside: what they lose waits for no reading of the unit.
    """
    branch = event.repository.default_branch or event.repository.master_branch
    is_default = _required(event.payload.ref, "ref") == f"refs/heads/{_required(branch, 'default_branch')}"
    removed = (event.document("blob", path) for commit in event.payload.commits for path in commit.removed)
    named = (replace(one, withdraws=True) for one in removed if is_storable(one.document_id))
    return (*_unit(event), *named) if is_default else ()


def _unit(event: _EventReader) -> Invalidations:
    return (Invalidation("unit", _unit_id(event.repository)),)


def _label(event: _EventReader) -> Invalidations:
    """What carries one that was renamed shows its name, and does not change with it."""
    if event.payload.action != "edited":
        return _unless_created(event)
    label = _required(event.payload.label, "label")
    return _carriers(event, "labels", label.name) if event.payload.changes.name else ()


def _milestone(event: _EventReader) -> Invalidations:
    if event.payload.action != "edited":
        return _unless_created(event)
    milestone = _required(event.payload.milestone, "milestone")
    return _carriers(event, "milestones", milestone.number) if event.payload.changes.title else ()


def _carriers(event: _EventReader, kind: str, name: object) -> Invalidations:
    """They are found when it is looked at: it has no document of its own."""
    named = event.document(kind, name)
    return (named,) if is_storable(named.document_id) else ()


def _unless_created(event: _EventReader) -> Invalidations:
    return () if event.payload.action == "created" else _unit(event)


def _repository(event: _EventReader) -> Invalidations:
    """`edited` can be another default branch; all else is a new unit, another name, or other readers.

    What may take the unit away names it: the list of units alone cannot tell one that is gone from one that it
    does not show for the moment.
    """
    action = event.payload.action
    if action == "edited":
        return _unit(event)
    if action not in _TAKES_AWAY:
        return (_UNITS, _MEMBERSHIPS)
    unit = Invalidation("units", _unit_id(event.repository), unit_deleted=action == "deleted")
    return (unit, _MEMBERSHIPS)


def _installation(event: _EventReader) -> Invalidations:
    """Repositories that were taken from an app are named, as those that are out of reach otherwise."""
    removed = tuple(Invalidation("units", one.unit_id) for one in event.payload.repositories_removed if one.unit_id)
    return (*(removed or (_UNITS,)), _MEMBERSHIPS)


def _organization(event: _EventReader) -> Invalidations:
    if event.payload.action == "member_invited":
        return ()
    return (_UNITS, _MEMBERSHIPS) if event.payload.action in ("renamed", "deleted") else (_MEMBERSHIPS,)


def _always(*found: Invalidation) -> Callable[[_EventReader], Invalidations]:
    return lambda event: found


_EVENTS: dict[str, Callable[[_EventReader], Invalidations]] = {
    "discussion": _discussion,
    "discussion_comment": _discussion,
    "installation": _always(_UNITS, _MEMBERSHIPS),
    "installation_repositories": _installation,
    "installation_target": _always(_UNITS, _MEMBERSHIPS),
    "issue_comment": _issue,
    "issue_dependencies": _issue_dependencies,
    "issues": _issue,
    "label": _label,
    "member": _always(_MEMBERSHIPS),
    "membership": _always(_MEMBERSHIPS),
    "milestone": _milestone,
    "organization": _organization,
    "public": _always(_UNITS, _MEMBERSHIPS),
    "pull_request": _pull_request,
    "pull_request_review": _pull_request,
    "pull_request_review_comment": _pull_request,
    "pull_request_review_thread": _pull_request,
    "push": _push,
    "release": _release,
    "repository": _repository,
    "sub_issues": _sub_issues,
    "team": _always(_MEMBERSHIPS),
    "team_add": _always(_MEMBERSHIPS),
    "user": _always(_MEMBERSHIPS),
}
_SUBJECTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_EVENTS, ()),
    "discussion": ("discussion", "label"),
    "discussion_comment": ("comment", "discussion"),
    "issue_comment": ("comment", "issue"),
    "issue_dependencies": ("blocked_issue", "blocking_issue"),
    "issues": ("issue", "label", "milestone"),
    "label": ("label",),
    "member": ("member",),
    "membership": ("member", "team"),
    "milestone": ("milestone",),
    "organization": ("invitation", "membership"),
    "pull_request": ("label", "milestone", "pull_request"),
    "pull_request_review": ("pull_request", "review"),
    "pull_request_review_comment": ("comment", "pull_request"),
    "pull_request_review_thread": ("pull_request", "thread"),
    "push": ("ref",),
    "release": ("release",),
    "sub_issues": ("parent_issue", "sub_issue"),
    "team": ("team",),
    "team_add": ("team",),
}
"""What the events that are read can be about, by the names in their bodies."""
_ALL_SUBJECTS = frozenset(chain.from_iterable(_SUBJECTS.values())).union(
    ("alert", "check_run", "check_suite", "deployment", "forkee", "hook", "key", "package", "pages", "sha"),
    (
        "new_property_values",
        "project_column",
        "repository_ruleset",
        "rule",
        "starred_at",
        "workflow",
        "workflow_job",
        "workflow_run",
    ),
)
"""Those too by which others are told that are not read."""
