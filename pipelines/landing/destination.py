"""dlt's file system, which knows what it can do without asking for its configuration each time."""

from __future__ import annotations

from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.normalizers.naming import NamingConvention
from dlt.destinations import filesystem
from dlt.destinations.impl.filesystem.configuration import FilesystemDestinationClientConfiguration
from dlt.destinations.impl.filesystem.filesystem import FilesystemClient


class _LandingClient(FilesystemClient):
    def create_dataset(self) -> None:
        """The folder may be there without dlt's own file in it: a process was killed between the two, or makes them
        now. dlt would fail, and go on failing."""
        self.fs_client.makedirs(self.dataset_path, exist_ok=True)


class LandingDestination(filesystem):
    """dlt asks for capabilities 17 times a load, and resolves the configuration for each: a third of its CPU time."""

    def capabilities(
        self,
        config: FilesystemDestinationClientConfiguration | None = None,
        naming: NamingConvention | None = None,
    ) -> DestinationCapabilitiesContext:
        # Of the configuration the protocol alone makes a difference.
        known = config or FilesystemDestinationClientConfiguration(bucket_url=self.config_params["bucket_url"])
        return super().capabilities(known, naming)

    @property
    def client_class(self) -> type[FilesystemClient]:
        return _LandingClient
