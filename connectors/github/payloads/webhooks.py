"""What GitHub's webhooks deliver. https://docs.github.com/en/webhooks/webhook-events-and-payloads"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from connectors.github.payloads.issue_facts import NamedObject
from connectors.github.payloads.rest import GitHubRepository, PullRequestField
from connectors.payloads import ExactText, Maybe, OrElse, Payload, Several, Text


class NumberedObject(Payload):
    """An issue, pull request or discussion by its number."""

    number: int
    pull_request: PullRequestField = None


class RelatingIssue(NumberedObject):
    parent_issue_url: Text = ""


class RelatedIssue(NumberedObject):
    """An issue that is related to another one. Its repository may be named beside it."""

    repository_url: Text = ""


class IdentifiedObject(Payload):
    """A release by its id."""

    id: int


class CommentOnCommit(Payload):
    commit_id: Text = ""


class PushedCommit(Payload):
    """What a commit did to files, by their paths. https://docs.github.com/en/webhooks/webhook-events-and-payloads#push"""

    removed: Several[ExactText] = ()


class NameBefore(Payload):
    """What something was called before."""

    former: Text = Field(default="", alias="from")


class DeliveryChanges(Payload):
    """Where an object went that was transferred, what became of it, or what it was called before: a name that cannot
    be read was another one."""

    name: Annotated[NameBefore | None, OrElse(NameBefore())] = None
    title: Annotated[NameBefore | None, OrElse(NameBefore())] = None

    new_issue: Maybe[NumberedObject] = None
    new_discussion: Maybe[NumberedObject] = None
    new_repository: Maybe[GitHubRepository] = None
    old_issue: Maybe[NumberedObject] = None
    old_repository: Maybe[GitHubRepository] = None


_ANY_CHANGE = DeliveryChanges(name=NameBefore(), title=NameBefore())
"""What changes that cannot be read may be."""


class GitHubDelivery(Payload):
    """Every event in one: what it is about is there, all else is absent."""

    action: Text = ""
    ref: Text = ""
    repository: Maybe[GitHubRepository] = None
    issue: Maybe[RelatingIssue] = None
    pull_request: Maybe[NumberedObject] = None
    discussion: Maybe[NumberedObject] = None
    release: Maybe[IdentifiedObject] = None
    comment: Maybe[CommentOnCommit] = None
    label: Maybe[NamedObject] = None
    milestone: Maybe[NumberedObject] = None
    parent_issue: Maybe[RelatedIssue] = None
    parent_issue_repo: Maybe[GitHubRepository] = None
    sub_issue: Maybe[RelatedIssue] = None
    sub_issue_repo: Maybe[GitHubRepository] = None
    blocked_issue: Maybe[RelatedIssue] = None
    blocked_issue_repo: Maybe[GitHubRepository] = None
    blocking_issue: Maybe[RelatedIssue] = None
    blocking_issue_repo: Maybe[GitHubRepository] = None
    commits: Several[PushedCommit] = ()
    repositories_removed: Several[GitHubRepository] = ()
    changes: Annotated[DeliveryChanges, OrElse(_ANY_CHANGE)] = DeliveryChanges()
