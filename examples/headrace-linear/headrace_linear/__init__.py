"""Linear: the issues of teams, with their comments. https://linear.app/developers/graphql"""

from __future__ import annotations

from connectors.registry import Implementation, Source
from headrace_linear.settings import LinearConnection


def _implementation() -> Implementation[LinearConnection]:
    from headrace_linear.source import connect
    from headrace_linear.webhooks import receive

    return Implementation(connect, receive)


SOURCE = Source(
    name="linear",
    label="Linear",
    settings=LinearConnection,
    implementation=_implementation,
    signature_headers=("linear-signature",),
    icon="M2.5 9.5l4 4M2 6l8 8M4 3.5l8.5 8.5M7.5 2.5l6 6",  # slanting stripes
)
