"""A repository's own words as Markdown."""

from __future__ import annotations

from connectors.github.payloads.rest import GitHubRepository
from connectors.github.render.markdown import fact_line, join_blocks


def render_repository(repository: GitHubRepository) -> str:
    """Its description, topics and properties; empty where it has none of them."""
    topics = ", ".join(topic for topic in repository.topics if topic)
    properties = {
        " ".join(name.split()): ", ".join(" ".join(value.split()) for value in values if value)
        for name, values in repository.custom_properties.items()
    }
    return join_blocks([repository.description.strip(), fact_line({"Topics": topics}), fact_line(properties)])
