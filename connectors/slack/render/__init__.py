"""From payloads to Markdown. Pure."""
