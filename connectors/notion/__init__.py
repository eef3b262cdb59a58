"""Notion: pages, databases and their rows."""
