"""A run launcher that starts each run in a process that outlives its command, as one on a cluster does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Self

from dagster._config.config_schema import UserConfigSchema
from dagster._core.launcher import LaunchRunContext, RunLauncher
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import ConfigurableClass
from dagster._serdes.config_class import ConfigurableClassData

SETTINGS = {
    "run_launcher": {"module": "tests.emulators.detached_launcher", "class": "DetachedLauncher"},
    "run_coordinator": {"module": "dagster.core.run_coordinator", "class": "DefaultRunCoordinator"},
}
"""For dagster.yaml: without a queue, for which a daemon would be needed."""


class DetachedLauncher(RunLauncher[Any], ConfigurableClass):
    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        self._inst_data = inst_data
        super().__init__()  # type: ignore[no-untyped-call]

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return self._inst_data

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        return cls(inst_data)

    def launch_run(self, context: LaunchRunContext) -> None:
        origin = context.job_code_origin
        assert origin
        run = context.dagster_run.run_id
        command = ExecuteRunArgs(job_origin=origin, run_id=run, instance_ref=self._instance.get_ref())
        # The shell ends at once: what it has started is nobody's child.
        subprocess.run(
            ["sh", "-c", '"$@" >/dev/null 2>&1 &', "sh", sys.executable, "-m", *command.get_command_args()],
            start_new_session=True,
            check=True,
        )

    def terminate(self, run_id: str) -> bool:
        raise NotImplementedError(run_id)
