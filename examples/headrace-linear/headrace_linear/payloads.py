"""The parts of Linear's schema that are asked for, and the queries that ask for them.

https://github.com/linear/linear/blob/master/packages/sdk/src/schema.graphql
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, TypeVar

from pydantic import AwareDatetime, ConfigDict, Field
from pydantic.alias_generators import to_camel

from connectors.payloads import Payload

ISSUES_PER_PAGE = 40
COMMENTS_PER_ISSUE = 50
"""A query may cost 10,000 points, a point or so for each object that it could give: these two make some 6,500.

https://linear.app/developers/rate-limiting#complexity-limits
"""

_COMMENT = "id body createdAt updatedAt user { name }"
_PAGE = "pageInfo { hasNextPage endCursor }"
_ISSUE = f"""
id identifier title description url priorityLabel createdAt updatedAt archivedAt trashed
state {{ name }} labels(first: 20) {{ nodes {{ name }} }} creator {{ name }} assignee {{ name }} team {{ id }}
comments(first: {COMMENTS_PER_ISSUE}) {{ nodes {{ {_COMMENT} }} {_PAGE} }}
"""
_ISSUES = """
query {name}($first: Int!, $after: String, $filter: IssueFilter, $orderBy: PaginationOrderBy, $archived: Boolean) {{
  issues(first: $first, after: $after, filter: $filter, orderBy: $orderBy, includeArchived: $archived) {{
    nodes {{ {fields} }} {page}
  }}
}}
"""

QUERIES = {
    "Viewer": "query Viewer { viewer { name } organization { name urlKey } }",
    "Teams": "query Teams($first: Int!, $after: String) { teams(first: $first, after: $after) "
    f"{{ nodes {{ id key name visibility }} {_PAGE} }} }}",
    "Members": "query Members($team: String!, $first: Int!, $after: String) { team(id: $team) "
    f"{{ members(first: $first, after: $after) {{ nodes {{ email active guest }} {_PAGE} }} }} }}",
    "Users": "query Users($first: Int!, $after: String) { users(first: $first, after: $after) "
    f"{{ nodes {{ email active guest }} {_PAGE} }} }}",
    "Issues": _ISSUES.format(name="Issues", fields=_ISSUE, page=_PAGE),
    # The same times, in the same order, as `Issues` has them: fingerprints are made of these.
    "IssueTimes": _ISSUES.format(
        name="IssueTimes",
        fields=f"id title createdAt updatedAt comments(first: {COMMENTS_PER_ISSUE}) {{ nodes {{ id updatedAt }} }}",
        page=_PAGE,
    ),
    "Issue": f"query Issue($id: String!) {{ issue(id: $id) {{ {_ISSUE} }} }}",
    "IssueComments": "query IssueComments($id: String!, $first: Int!, $after: String) { issue(id: $id) "
    f"{{ comments(first: $first, after: $after) {{ nodes {{ {_COMMENT} }} {_PAGE} }} }} }}",
}
"""By operation name."""

N = TypeVar("N")


class LinearPayload(Payload):
    model_config = ConfigDict(alias_generator=to_camel)


class LinearPageInfo(LinearPayload):
    has_next_page: bool = False
    end_cursor: str = ""


class LinearPage(LinearPayload, Generic[N]):
    """A connection, in the words of Relay; most lists of Linear come as such pages."""

    nodes: tuple[N, ...]
    page_info: LinearPageInfo = LinearPageInfo()


class LinearName(LinearPayload):
    name: str = ""


class LinearTeam(LinearPayload):
    """`visibility` is `public`, `restricted` or `private`; a team that does not say is taken for the last."""

    id: str
    key: str = ""
    name: str
    visibility: str = "private"


class LinearTeamKey(LinearPayload):
    id: str


class LinearUser(LinearPayload):
    email: str = ""
    active: bool = True
    guest: bool = False


class LinearComment(LinearPayload):
    id: str
    body: str = ""
    created_at: AwareDatetime | None = None
    updated_at: AwareDatetime
    user: LinearName = LinearName()


class LinearIssue(LinearPayload):
    """An issue with its first page of comments."""

    id: str
    identifier: str = ""
    title: str
    description: str = ""
    url: str = ""
    priority_label: str = ""
    created_at: AwareDatetime
    updated_at: AwareDatetime
    archived_at: AwareDatetime | None = None
    trashed: bool = False
    state: LinearName = LinearName()
    labels: LinearPage[LinearName] = LinearPage(nodes=())
    creator: LinearName = LinearName()
    assignee: LinearName = LinearName()
    team: LinearTeamKey | None = None
    comments: LinearPage[LinearComment] = LinearPage(nodes=())

    @property
    def changed_at(self) -> datetime:
        """Linear does not say whether a comment counts as an update of its issue; here it does."""
        return max((self.updated_at, *(comment.updated_at for comment in self.comments.nodes)))

    @property
    def is_gone(self) -> bool:
        return self.trashed or self.archived_at is not None


class OddIssue(LinearPayload):
    """What an issue is read as that is not as the schema says: its neighbours on the page are read all the same."""

    id: str


AnyIssue = Annotated[LinearIssue | OddIssue, Field(union_mode="left_to_right")]


class IssuesData(LinearPayload):
    issues: LinearPage[AnyIssue]


class IssueData(LinearPayload):
    issue: LinearIssue


class CommentsOfIssue(LinearPayload):
    comments: LinearPage[LinearComment]


class CommentsData(LinearPayload):
    issue: CommentsOfIssue


class TeamsData(LinearPayload):
    teams: LinearPage[LinearTeam]


class MembersOfTeam(LinearPayload):
    members: LinearPage[LinearUser]


class MembersData(LinearPayload):
    team: MembersOfTeam


class UsersData(LinearPayload):
    users: LinearPage[LinearUser]


class ViewerData(LinearPayload):
    viewer: LinearName = LinearName()
    organization: LinearName = LinearName()


class LinearErrorExtensions(LinearPayload):
    code: str = ""


class LinearError(LinearPayload):
    message: str = ""
    extensions: LinearErrorExtensions = LinearErrorExtensions()


class LinearErrors(LinearPayload):
    errors: tuple[LinearError, ...] = ()


class WebhookIssue(LinearPayload):
    """`data` of a webhook: an issue has `team_id`, a comment of an issue `issue_id`."""

    id: str
    team_id: str = ""
    issue_id: str = ""


class Delivery(LinearPayload):
    """https://linear.app/developers/webhooks#the-webhook-payload"""

    action: str
    type: str
    data: WebhookIssue
    webhook_timestamp: float
    """Milliseconds since 1970."""
