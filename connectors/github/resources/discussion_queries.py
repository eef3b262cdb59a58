"""What is asked of discussions, in GraphQL. https://docs.github.com/en/graphql/guides/using-the-graphql-api-for-discussions

Servers of other versions do not know all fields, and refuse a query as a whole for one of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from connectors.github.graphql import select_by_alias

_REPOSITORY = "repository(owner: $owner, name: $name)"

LISTING = f"""
query($owner: String!, $name: String!, $after: String) {{
  {_REPOSITORY} {{
    discussions(first: 100, after: $after, orderBy: {{field: UPDATED_AT, direction: DESC}}) {{
      totalCount pageInfo {{ hasNextPage endCursor }}
      nodes {{ number title updatedAt }}
    }}
  }}
}}"""

_OF_WHAT_IS_SAID = ("isMinimized",)
_OF_A_DISCUSSION = (
    "closed",
    "stateReason",
    "labels(first: 50) { nodes { name } }",
    "poll { question options(first: 50) { nodes { option } } }",
)
"""What is asked for where the server knows it. Votes are left out: they would change a text at every vote."""


def is_optional(field: str) -> bool:
    """Whether queries can do without this field."""
    return any(_names(part, field) for part in (*_OF_WHAT_IS_SAID, *_OF_A_DISCUSSION))


def discussions(numbers: Sequence[int], without: Collection[str]) -> str:
    """Of whole discussions, each under the alias `d<number>`; `without` the fields that the server does not know."""
    fields = {f"d{number}": f"discussion(number: {number}) {{ ...whole }}" for number in numbers}
    return f"""
query($owner: String!, $name: String!) {{ {_REPOSITORY} {{ {select_by_alias(fields)} }} }}
fragment whole on Discussion {{
number title url body createdAt updatedAt author {{ login }} category {{ name }} answer {{ id }}
{_known(_OF_A_DISCUSSION, without)}
comments(first: 50) {{ {_comments(without)} }}
}}"""


def more_comments(without: Collection[str]) -> str:
    return f"""
query($owner: String!, $name: String!, $number: Int!, $after: String!) {{
  {_REPOSITORY} {{ discussion(number: $number) {{ comments(first: 50, after: $after) {{ {_comments(without)} }} }} }}
}}"""


def more_replies(without: Collection[str]) -> str:
    return f"""
query($id: ID!, $after: String!) {{
  node(id: $id) {{ ... on DiscussionComment {{ replies(first: 50, after: $after) {{ {_replies(without)} }} }} }}
}}"""


def _comments(without: Collection[str]) -> str:
    nodes = f"{_said(without)} isAnswer replies(first: 50) {{ {_replies(without)} }}"
    return f"pageInfo {{ hasNextPage endCursor }} nodes {{ {nodes} }}"


def _replies(without: Collection[str]) -> str:
    return f"pageInfo {{ hasNextPage endCursor }} nodes {{ {_said(without)} }}"


def _said(without: Collection[str]) -> str:
    return f"id body createdAt author {{ login }} {_known(_OF_WHAT_IS_SAID, without)}"


def _known(parts: Sequence[str], without: Collection[str]) -> str:
    return " ".join(part for part in parts if not any(_names(part, field) for field in without))


def _names(part: str, field: str) -> bool:
    return re.search(rf"\b{re.escape(field)}\b", part) is not None
