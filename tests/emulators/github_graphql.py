"""The part of GitHub's GraphQL schema that is about discussions, executed by graphql-core.

https://docs.github.com/en/graphql/guides/using-the-graphql-api-for-discussions
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError, build_schema, graphql_sync

Payload = dict[str, Any]

_SCHEMA = build_schema("""
scalar DateTime
scalar URI
interface Node { id: ID! }
interface Actor { login: String! }
type User implements Actor { login: String! email: String! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Label { name: String! }
type LabelConnection { nodes: [Label] totalCount: Int! }
type DiscussionCategory { name: String! }
type DiscussionComment implements Node {
  id: ID! body: String! createdAt: DateTime! author: Actor isAnswer: Boolean!
  replies(first: Int, after: String): DiscussionCommentConnection!
}
type DiscussionCommentConnection { nodes: [DiscussionComment] pageInfo: PageInfo! totalCount: Int! }
enum DiscussionStateReason { RESOLVED OUTDATED DUPLICATE REOPENED }
type Discussion {
  number: Int! title: String! body: String! url: URI! createdAt: DateTime! updatedAt: DateTime!
  closed: Boolean! stateReason: DiscussionStateReason author: Actor category: DiscussionCategory!
  answer: DiscussionComment
  labels(first: Int, after: String): LabelConnection
  comments(first: Int, after: String): DiscussionCommentConnection!
}
type DiscussionConnection { nodes: [Discussion] pageInfo: PageInfo! totalCount: Int! }
enum DiscussionOrderField { CREATED_AT UPDATED_AT }
enum OrderDirection { ASC DESC }
input DiscussionOrder { field: DiscussionOrderField! direction: OrderDirection! }
type Repository {
  nameWithOwner: String! hasDiscussionsEnabled: Boolean!
  discussion(number: Int!): Discussion
  discussions(first: Int, after: String, orderBy: DiscussionOrder): DiscussionConnection!
}
type Query {
  repository(owner: String!, name: String!, followRenames: Boolean): Repository
  user(login: String!): User
  node(id: ID!): Node
}
""")
_LARGEST_PAGE = 100


def executed(repositories: Mapping[str, Any], query: str, variables: Payload) -> Payload:
    """The answer to a query over these repositories, by full name."""
    result = graphql_sync(_SCHEMA, query, root_value=_Root(repositories), variable_values=variables)
    answer: Payload = {"data": result.data}
    if result.errors:
        answer["errors"] = [_described(error) for error in result.errors]
    return answer


class _Root:
    def __init__(self, repositories: Mapping[str, Any]) -> None:
        self._repositories = repositories

    def repository(self, info: Any, owner: str, name: str) -> _Repository:
        found = self._repositories.get(f"{owner}/{name}")
        if not found:
            raise GraphQLError(
                f"Could not resolve to a Repository with the name '{owner}/{name}'.", extensions={"type": "NOT_FOUND"}
            )
        return _Repository(found)

    def node(self, info: Any, id: str) -> Payload | None:
        for repository in self._repositories.values():
            for discussion in repository.discussions.values():
                for comment in discussion["comments"]:
                    if comment["id"] == id:
                        return _comment(comment, discussion)
        return None


class _Repository:
    def __init__(self, repository: Any) -> None:
        self._repository = repository
        self.nameWithOwner = repository.full_name
        self.hasDiscussionsEnabled = repository.has_discussions

    def discussion(self, info: Any, number: int) -> Payload:
        found = self._repository.discussions.get(number)
        if not found:
            message = f"Could not resolve to a Discussion with the number of {number}."
            raise GraphQLError(message, extensions={"type": "NOT_FOUND"})
        return _discussion(found)

    def discussions(self, info: Any, first: int, after: str | None = None, orderBy: Payload | None = None) -> Payload:
        order = orderBy or {"field": "UPDATED_AT", "direction": "DESC"}
        key = {"UPDATED_AT": "updatedAt", "CREATED_AT": "createdAt"}[order["field"]]
        found = sorted(self._repository.discussions.values(), key=lambda one: (one[key], one["number"]))
        if order["direction"] == "DESC":
            found.reverse()
        return _connection([_discussion(one) for one in found], first, after)


def _discussion(payload: Payload) -> Payload:
    def comments(info: Any, first: int, after: str | None = None) -> Payload:
        return _connection([_comment(one, payload) for one in payload["comments"]], first, after)

    def labels(info: Any, first: int, after: str | None = None) -> Payload:
        return _connection([{"name": name} for name in payload["labels"]], first, after)

    answer = next((one for one in payload["comments"] if one["id"] == (payload["answer"] or {}).get("id")), None)
    return {
        **payload,
        "author": _actor(payload["author"]),
        "comments": comments,
        "labels": labels,
        "answer": _comment(answer, payload) if answer else None,
    }


def _comment(comment: Payload, discussion: Payload) -> Payload:
    def replies(info: Any, first: int, after: str | None = None) -> Payload:
        return _connection([_comment(one, discussion) for one in comment["replies"]], first, after)

    is_answer = comment["id"] == (discussion["answer"] or {}).get("id")
    return {
        **comment,
        "__typename": "DiscussionComment",
        "author": _actor(comment["author"]),
        "isAnswer": is_answer,
        "replies": replies,
    }


def _actor(author: Payload | None) -> Payload | None:
    return {"__typename": "User", **author} if author else None


def _connection(found: list[Payload], first: int, after: str | None) -> Payload:
    if not 1 <= first <= _LARGEST_PAGE:
        raise GraphQLError(f"`first` of {first} exceeds the limit of {_LARGEST_PAGE} records.")
    start = int(base64.b64decode(after)) if after else 0
    end = start + first
    return {
        "nodes": found[start:end],
        "totalCount": len(found),
        "pageInfo": {
            "hasNextPage": end < len(found),
            "endCursor": base64.b64encode(str(min(end, len(found))).encode()).decode() if found else None,
        },
    }


def _described(error: GraphQLError) -> Payload:
    """As GitHub writes it: the kind stands beside the message."""
    extensions = error.extensions or {}
    described: Payload = {"message": error.message, "path": error.path}
    if "type" in extensions:
        described["type"] = extensions["type"]
    if "Cannot query field" in error.message:
        described["extensions"] = {"code": "undefinedField"}
    return described
