"""Issues, pull requests, discussions and releases as the Markdown that a person would read. Pure."""
