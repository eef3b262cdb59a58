"""Dagster's migrations, read once by a process: it reads all of them for each database that it opens, and makes one for
each run."""

from __future__ import annotations

from alembic.config import Config
from alembic.script import ScriptDirectory


def keep_migration_scripts() -> None:
    """From here on, each folder of migrations is read when it is first asked for."""
    from_config = ScriptDirectory.from_config
    found: dict[str | None, ScriptDirectory] = {}

    def read_once(config: Config) -> ScriptDirectory:
        location = config.get_main_option("script_location")
        if location not in found:
            found[location] = from_config(config)
        return found[location]

    setattr(ScriptDirectory, "from_config", read_once)  # noqa: B010 - a method is not assigned to
