"""What processes of Dagster write to standard error, where the settings ask for JSON lines."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import dagster as dg
from dagster._core.execution import context_creation_job
from dagster._core.log_manager import has_log_record_metadata

from pipelines.logs import JsonLines, StandardErrorHandler, to_standard_error

_LEVEL = {"log_level": dg.Field(str, default_value="INFO", is_required=False)}


@dg.logger(_LEVEL, description="JSON lines, as all of Headrace writes them.")
def json_lines(context: dg.InitLoggerContext) -> logging.Logger:
    handler = StandardErrorHandler()
    handler.setFormatter(JsonLines())
    found = logging.Logger("dagster", context.logger_config["log_level"])
    found.addHandler(handler)
    return found


def write_json_lines() -> None:
    """Let this process, and the runs in it, write JSON lines.

    Loggers of a run stand in its own configuration. One that has none gets loggers for which Dagster has no setting.
    """
    handler = to_standard_error(logging.INFO, "json")
    # Where `python_logs` in dagster.yaml names Headrace's loggers, their lines are written by the run's.
    handler.addFilter(lambda record: not has_log_record_metadata(record))
    context_creation_job.default_system_loggers = _system_loggers  # type: ignore[attr-defined]


def _system_loggers(
    instance: dg.DagsterInstance | None,
) -> Sequence[tuple[dg.LoggerDefinition, Mapping[str, object]]]:
    return [(json_lines, {"log_level": "INFO"})]
