"""Which objects each of GitHub's events is about. https://docs.github.com/en/webhooks/webhook-events-and-payloads"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from connectors.github.payloads.rest import GitHubRepository
from connectors.github.payloads.webhooks import GitHubDelivery, NumberedObject, RelatedIssue, RelatingIssue
from connectors.webhooks import DeliveryUnreadable, Invalidation, is_storable, look_around

T = TypeVar("T")

TAKES_AWAY = ("deleted", "privatized", "transferred", "unpublished")
"""What may happen to a repository, so that the token sees it no longer."""
_REPOSITORY = re.compile(r"/repos/([^/]+/[^/]+)$")
_PARENT = re.compile(r"/repos/([^/]+/[^/]+)/issues/(\d+)$")
_UNITS = Invalidation("units")
_MEMBERSHIPS = Invalidation("memberships")

Invalidations: TypeAlias = tuple[Invalidation, ...]


@dataclass(frozen=True, slots=True)
class EventReader:
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


def _required(value: T | None, name: str) -> T:
    if not value:
        raise DeliveryUnreadable(f"not as documented: no usable `{name}`")
    return value


def _unit_id(repository: GitHubRepository) -> str:
    return _required(repository.unit_id, "repository.id")


def _issue(event: EventReader) -> Invalidations:
    issue, changes = _required(event.payload.issue, "issue"), event.payload.changes
    here = event.document("pull" if issue.pull_request else "issues", issue.number)
    return (here, *_new_place(event, "issues", changes.new_issue), *_parent_of(event, issue))


def _parent_of(event: EventReader, issue: RelatingIssue) -> Invalidations:
    """The parent in the same repository: it shows how many of its sub-issues are completed."""
    parent = _PARENT.search(issue.parent_issue_url)
    is_own = parent is not None and parent[1].lower() == event.repository.full_name.lower()
    return (event.document("issues", parent[2]),) if parent and is_own else ()


def _sub_issues(event: EventReader) -> Invalidations:
    told = event.payload
    parent = _related(event, told.parent_issue, told.parent_issue_repo)
    return (*parent, *_related(event, told.sub_issue, told.sub_issue_repo))


def _issue_dependencies(event: EventReader) -> Invalidations:
    told = event.payload
    blocked = _related(event, told.blocked_issue, told.blocked_issue_repo)
    return (*blocked, *_related(event, told.blocking_issue, told.blocking_issue_repo))


def _related(event: EventReader, issue: RelatedIssue | None, repository: GitHubRepository | None) -> Invalidations:
    """An issue, in the repository that is named beside it, or in the event's own; that as a whole, where the issue
    cannot be read."""
    if issue is None:
        return look_around(_unit_id(repository or event.repository))
    named = _REPOSITORY.search(issue.repository_url)
    is_elsewhere = named is not None and named[1].lower() != event.repository.full_name.lower()
    if is_elsewhere and not repository:
        return ()
    return (event.document("issues", issue.number, repository if is_elsewhere else None),)


def _pull_request(event: EventReader) -> Invalidations:
    return (event.document("pull", _required(event.payload.pull_request, "pull_request").number),)


def _discussion(event: EventReader) -> Invalidations:
    discussion, changes = _required(event.payload.discussion, "discussion"), event.payload.changes
    here = event.document("discussions", discussion.number)
    return (here, *_new_place(event, "discussions", changes.new_discussion), *_converted_issue(event))


def _gone_after(actions: Sequence[str], read: Callable[[EventReader], Invalidations]) -> Callable[..., Invalidations]:
    """As `read`, whose first object is gone from its place after these actions."""

    def read_with_end(event: EventReader) -> Invalidations:
        own, *others = read(event)
        return (replace(own, deleted=event.payload.action in actions), *others)

    return read_with_end


def _new_place(event: EventReader, kind: str, moved: NumberedObject | None) -> Invalidations:
    """Where an object went that was transferred."""
    repository = event.payload.changes.new_repository
    return (event.document(kind, moved.number, repository),) if moved and repository else ()


def _converted_issue(event: EventReader) -> Invalidations:
    """The issue that became this discussion."""
    issue, repository = event.payload.changes.old_issue, event.payload.changes.old_repository
    return (event.document("issues", issue.number, repository),) if issue else ()


def _release(event: EventReader) -> Invalidations:
    return (event.document("releases", _required(event.payload.release, "release").id),)


def _commit_comment(event: EventReader) -> Invalidations:
    comment = _required(event.payload.comment, "comment")
    return _named(event, "commit", _required(comment.commit_id, "comment.commit_id"))


def _push(event: EventReader) -> Invalidations:
    """The tree tells which files changed, also after a forced push or one with more commits than a payload holds.

    Files that the commits removed are named beside: what they lose waits for no reading of the unit.
    """
    branch = event.repository.default_branch or event.repository.master_branch
    is_default = _required(event.payload.ref, "ref") == f"refs/heads/{_required(branch, 'default_branch')}"
    removed = (event.document("blob", path) for commit in event.payload.commits for path in commit.removed)
    named = (replace(one, withdraws=True) for one in removed if is_storable(one.document_id))
    return (*_unit(event), *named) if is_default else ()


def _unit(event: EventReader) -> Invalidations:
    return (Invalidation("unit", _unit_id(event.repository)),)


def _label(event: EventReader) -> Invalidations:
    """What carries one that was renamed shows its name, and does not change with it."""
    if event.payload.action != "edited":
        return _unless_created(event)
    label = _required(event.payload.label, "label")
    return _named(event, "labels", label.name) if event.payload.changes.name else ()


def _milestone(event: EventReader) -> Invalidations:
    if event.payload.action != "edited":
        return _unless_created(event)
    milestone = _required(event.payload.milestone, "milestone")
    return _named(event, "milestones", milestone.number) if event.payload.changes.title else ()


def _named(event: EventReader, kind: str, name: object) -> Invalidations:
    """By its name, if that can be kept. A label or milestone has no document: what carries it is looked at."""
    found = event.document(kind, name)
    return (found,) if is_storable(found.document_id) else ()


def _unless_created(event: EventReader) -> Invalidations:
    return () if event.payload.action == "created" else _unit(event)


def _repository(event: EventReader) -> Invalidations:
    """`edited` can be another default branch; all else is a new unit, another name, or other readers.

    What may take the unit away names it: the list of units alone cannot tell one that is gone from one that it
    does not show for the moment.
    """
    action = event.payload.action
    if action == "edited":
        return _unit(event)
    if action not in TAKES_AWAY:
        return (_UNITS, _MEMBERSHIPS)
    unit = Invalidation("units", _unit_id(event.repository), unit_deleted=action == "deleted")
    return (unit, _MEMBERSHIPS)


def _installation(event: EventReader) -> Invalidations:
    """Repositories that were taken from an app are named, as those that are out of reach otherwise."""
    removed = tuple(Invalidation("units", one.unit_id) for one in event.payload.repositories_removed if one.unit_id)
    return (*(removed or (_UNITS,)), _MEMBERSHIPS)


def _organization(event: EventReader) -> Invalidations:
    if event.payload.action == "member_invited":
        return ()
    return (_UNITS, _MEMBERSHIPS) if event.payload.action in ("renamed", "deleted") else (_MEMBERSHIPS,)


def _always(*found: Invalidation) -> Callable[[EventReader], Invalidations]:
    return lambda event: found


EVENTS: dict[str, Callable[[EventReader], Invalidations]] = {
    "commit_comment": _commit_comment,
    "custom_property_values": _unit,
    "discussion": _gone_after(("deleted", "transferred"), _discussion),
    "discussion_comment": _discussion,
    "gollum": _unit,
    "installation": _always(_UNITS, _MEMBERSHIPS),
    "installation_repositories": _installation,
    "installation_target": _always(_UNITS, _MEMBERSHIPS),
    "issue_comment": _issue,
    "issue_dependencies": _issue_dependencies,
    "issues": _gone_after(("deleted", "transferred"), _issue),
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
    "release": _gone_after(("deleted",), _release),
    "repository": _repository,
    "sub_issues": _sub_issues,
    "team": _always(_MEMBERSHIPS),
    "team_add": _always(_MEMBERSHIPS),
    "user": _always(_MEMBERSHIPS),
}
