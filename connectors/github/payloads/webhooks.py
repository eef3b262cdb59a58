"""What GitHub's webhooks deliver. https://docs.github.com/en/webhooks/webhook-events-and-payloads"""

from __future__ import annotations

from typing import Annotated

from connectors.github.payloads.rest import GitHubRepository, PullRequestField
from connectors.payloads import ExactText, Maybe, OrElse, Payload, Several, Text


class NumberedObject(Payload):
    """An issue, pull request or discussion by its number."""

    number: int
    pull_request: PullRequestField = None


class IdentifiedObject(Payload):
    """A release by its id."""

    id: int


class PushedCommit(Payload):
    """What a commit did to files, by their paths. https://docs.github.com/en/webhooks/webhook-events-and-payloads#push"""

    removed: Several[ExactText] = ()


class DeliveryChanges(Payload):
    """Where an object went that was transferred, or what became of it."""

    new_issue: Maybe[NumberedObject] = None
    new_discussion: Maybe[NumberedObject] = None
    new_repository: Maybe[GitHubRepository] = None
    old_issue: Maybe[NumberedObject] = None
    old_repository: Maybe[GitHubRepository] = None


class GitHubDelivery(Payload):
    """Every event in one: what it is about is there, all else is absent."""

    action: Text = ""
    ref: Text = ""
    repository: Maybe[GitHubRepository] = None
    issue: Maybe[NumberedObject] = None
    pull_request: Maybe[NumberedObject] = None
    discussion: Maybe[NumberedObject] = None
    release: Maybe[IdentifiedObject] = None
    commits: Several[PushedCommit] = ()
    repositories_removed: Several[GitHubRepository] = ()
    changes: Annotated[DeliveryChanges, OrElse(DeliveryChanges())] = DeliveryChanges()
