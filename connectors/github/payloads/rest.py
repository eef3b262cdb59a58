"""Objects of GitHub's REST API. https://docs.github.com/en/rest"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self, TypeAlias

from pydantic import BeforeValidator, Field, StrictBool, StrictInt

from connectors.github.payloads.issue_facts import (
    DependenciesSummary,
    IssueFieldValue,
    NamedObject,
    NameOrObject,
    SubIssuesSummary,
    names_of,
)
from connectors.github.payloads.parsing import ListedObject, time_or_none
from connectors.payloads import ExactText, Flag, Maybe, Number, OrElse, Payload, Several, Text


class GitHubAccount(Payload):
    """A person, an organisation or an app."""

    id: Text = ""
    login: Text = ""
    type: Text = ""


class InstallationGrant(Payload):
    """https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app"""

    token: Text = ""
    expires_at: Text = ""


class RepositoryBlock(Payload):
    """Why a repository is withheld, and where that is told."""

    reason: Text = ""
    html_url: Text = ""


class BlockedAnswer(Payload):
    """What GitHub answers with 451."""

    block: Maybe[RepositoryBlock] = None


_Stated: TypeAlias = Annotated[StrictBool | None, OrElse(None)]
"""A bool that the server states; None where it does not."""
_Identity: TypeAlias = Annotated[Annotated[StrictInt, Field(gt=0)] | None, OrElse(None)]
"""A number that the server gives to nothing else; None for what cannot be one."""


class RepositoryPermissions(Payload):
    push: _Stated = None


PropertyValue: TypeAlias = Annotated[
    Several[Text], BeforeValidator(lambda value: value if isinstance(value, list) else [value])
]
"""Of a property that an organisation has defined: one text, or several."""


class GitHubRepository(Payload):
    """`size` is in kilobytes. `master_branch` is what older webhooks call the default branch."""

    id: _Identity = None
    full_name: Text = ""
    html_url: Text = ""
    default_branch: Text = ""
    master_branch: Text = ""
    # What is no visibility is not a missing one: that would leave the say to `private`.
    visibility: Annotated[str | None, OrElse("unknown")] = None
    private: _Stated = None
    has_issues: _Stated = None
    has_discussions: _Stated = None
    has_wiki: _Stated = None
    size: Number = None
    pushed_at: Text = ""
    owner: Maybe[GitHubAccount] = None
    description: Text = ""
    topics: Several[Text] = ()
    custom_properties: Annotated[dict[str, PropertyValue], OrElse({})] = Field(default_factory=dict)
    permissions: Maybe[RepositoryPermissions] = None

    @property
    def may_be_written(self) -> bool:
        """Whether the token may write to it, which only a listing tells; taken for granted where it does not."""
        return self.permissions is None or self.permissions.push is not False

    @property
    def is_public(self) -> bool:
        """Whether everybody may read it. Older servers send `private` alone."""
        if self.visibility is not None:
            return self.visibility == "public" and self.private is not True
        return self.private is False

    @property
    def organisation(self) -> str:
        """Login of the organisation that owns it; empty where a person does."""
        return self.owner.login if self.owner and self.owner.type == "Organization" else ""

    @property
    def unit_id(self) -> str:
        """Id of the unit that it is: a name can pass to another repository, its id cannot. Empty without an id."""
        return str(self.id) if self.id else ""


class GitHubMilestone(Payload):
    title: Text = ""


class GitHubBranch(Payload):
    ref: Text = ""


class PullRequestLink(Payload):
    """Marks an issue as a pull request. https://docs.github.com/en/rest/issues/issues#list-repository-issues"""

    merged_at: Text = ""


PullRequestField: TypeAlias = Annotated[
    PullRequestLink | None, OrElse(PullRequestLink()), BeforeValidator(lambda value: value or None)
]
"""Anything but null, false and an empty object says that an issue is a pull request."""


class GitHubIssue(ListedObject):
    """An issue or a pull request, the latter in either form: as an issue with `pull_request`, or with `head`."""

    nameless = "an issue without a number"

    number: StrictInt
    title: Text = ""
    body: ExactText | None = None
    state: Text = ""
    state_reason: Text = ""
    draft: Flag = None
    user: GitHubAccount | None = None
    type: Maybe[NameOrObject] = None
    labels: Several[NameOrObject] = ()
    issue_field_values: Several[IssueFieldValue] = ()
    milestone: GitHubMilestone | None = None
    assignee: Maybe[GitHubAccount] = None
    assignees: Several[GitHubAccount] = ()
    locked: Flag = None
    active_lock_reason: Text = ""
    parent_issue_url: Text = ""
    sub_issues_summary: Annotated[SubIssuesSummary, OrElse(SubIssuesSummary())] = SubIssuesSummary()
    issue_dependencies_summary: Annotated[DependenciesSummary, OrElse(DependenciesSummary())] = DependenciesSummary()
    head: Maybe[GitHubBranch] = None
    base: Maybe[GitHubBranch] = None
    requested_reviewers: Several[GitHubAccount] = ()
    requested_teams: Several[NamedObject] = ()
    review_comments: Number = None
    merged_at: Text = ""
    pull_request: PullRequestField = None
    comments: Number = None
    created_at: ExactText | None = None
    updated_at: ExactText | None = None
    html_url: Text = ""
    repository_url: Text = ""

    @property
    def is_pull_request(self) -> bool:
        return self.pull_request is not None

    @property
    def updated(self) -> datetime | None:
        return time_or_none(self.updated_at)

    @property
    def merged_time(self) -> str:
        """When a pull request was merged, in either form; empty where it was not."""
        return self.merged_at or (self.pull_request.merged_at if self.pull_request else "")

    @property
    def label_names(self) -> tuple[str, ...]:
        return names_of(self.labels)

    @property
    def type_name(self) -> str:
        """Of a type that an organisation has defined, such as `Bug`; empty without one."""
        return "".join(names_of([self.type])) if self.type else ""

    @property
    def assignee_names(self) -> tuple[str, ...]:
        """Older servers name one alone."""
        found = self.assignees or ((self.assignee,) if self.assignee else ())
        return tuple(one.login for one in found if one.login)

    def with_details(self, pull: GitHubIssue) -> Self:
        """A pull request in the form of an issue, with what only its own form tells."""
        told = ("head", "base", "requested_reviewers", "requested_teams", "review_comments")
        return self.model_copy(update={name: getattr(pull, name) for name in told})

    def as_issue(self) -> Self:
        """A pull request as the listing of issues would give it."""
        return self.model_copy(update={"pull_request": PullRequestLink(merged_at=self.merged_at)})


class LinkedIssue(Payload):
    """An issue that another one names."""

    number: StrictInt
    state: Text = ""
    repository_url: Text = ""
    repository: Maybe[GitHubRepository] = None


class GitHubAsset(Payload):
    """A file of a release; GitHub shows `label` in place of its name."""

    name: Text = ""
    label: Text = ""


class GitHubRelease(ListedObject):
    nameless = "a release without an id"

    id: int | str
    tag_name: Text = ""
    name: Text = ""
    body: ExactText | None = None
    draft: Flag = None
    prerelease: Flag = None
    author: GitHubAccount | None = None
    assets: Several[GitHubAsset] = ()
    created_at: ExactText | None = None
    published_at: ExactText | None = None
    updated_at: ExactText | None = None
    html_url: Text = ""
