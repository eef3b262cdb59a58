"""How runs are executed."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field, SecretStr, field_validator

from connectors.settings import SettingsModel

Executor: TypeAlias = Literal["in_process", "multiprocess", "celery", "k8s"]


class RunSettings(SettingsModel):
    """How the steps of a run are executed: docs/operations.md."""

    executor: Executor = Field(default="in_process", description="What executes them")
    slots: int = Field(default=2, ge=1, description="Steps at a time: processes, Celery workers or pods")
    broker: SecretStr | None = Field(default=None, description="Celery's queue: redis://host:6379/0")
    backend: SecretStr | None = Field(default=None, description="Where Celery keeps results: redis://host:6379/1")

    @field_validator("broker", "backend")
    @classmethod
    def _is_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and "://" not in value.get_secret_value():
            raise ValueError("must be a URL that Celery knows, such as redis://host:6379/0")
        return value

    @property
    def spreads(self) -> bool:
        """Whether the steps of a run are executed by several processes."""
        return self.executor != "in_process"
