"""What dlt is told while it writes the landing: what stands here, whatever else lies about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

SETTINGS = {"runtime": {"dlthub_telemetry": False}, "data_writer": {"disable_compression": True}}


@contextmanager
def own_dlt_settings() -> Iterator[None]:
    """Let dlt see `SETTINGS` alone, and neither the environment nor a `.dlt` folder; afterwards all of them again.

    For one run dlt asks each of its providers some thousand times, at each level of sections: with this one alone a
    run of a few rows takes half the CPU time. And no setting that is meant for another pipeline moves our files.
    """
    from dlt.common.configuration.container import Container
    from dlt.common.configuration.providers import CustomLoaderDocProvider
    from dlt.common.configuration.specs import PluggableRunContext
    from dlt.common.configuration.specs.config_providers_context import ConfigProvidersContainer
    from dlt.common.runtime.telemetry import stop_telemetry

    context = Container()[PluggableRunContext]
    stop_telemetry()  # the context has started it just now, before it could see our settings
    before = context.providers
    own = CustomLoaderDocProvider("Headrace", lambda: SETTINGS, supports_secrets=True)
    context.providers = ConfigProvidersContainer([own])
    try:
        yield
    finally:
        context.providers = before
