"""What a newcomer does at Google Drive to connect it. The guide has it with all variants."""

from __future__ import annotations

from pathlib import Path

from connectors.setup import Setup

SETUP = Setup(
    steps="Make a service account in the Google Cloud console, with the Drive, Sheets and Admin SDK APIs enabled, and "
    "a JSON key for it. Share folders or drives with its address; or let it act for the Workspace with these scopes "
    "(Admin console, Security, API controls, Domain-wide delegation), and add `subject` and `directory_url` to the "
    "settings. What is asked for is the path of the key's file.",
    manifest=Path(__file__).with_name("scopes.txt"),
    variable="GOOGLE_TOKEN",
    guide="docs/sources/google-drive.md",
)
