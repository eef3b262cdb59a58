"""A new unit found at a source becomes a partition by itself, whoever found it."""

import dagster as dg

from assets.partitions import PARTITIONS, partition_key
from assets.runtime import Runtime
from connectors import SOURCES


@dg.sensor(
    name="units",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Makes a partition of every unit in the catalog.",
)
def units_sensor(context: dg.SensorEvaluationContext, runtime: dg.ResourceParam[Runtime]) -> dg.SensorResult:
    sources = {connection.id: connection.source for connection in runtime.settings.connections}
    with runtime.workspace() as workspace:
        states = [state for state in workspace.catalog.units.all() if state.connection in sources]
    requests = []
    for source in SOURCES:
        known = set(context.instance.get_dynamic_partitions(f"{source}_units"))
        keys = [partition_key(one.connection, one.unit.id) for one in states if sources[one.connection] == source]
        if new := [key for key in keys if key not in known]:
            requests.append(PARTITIONS[source].build_add_request(new))
    return dg.SensorResult(dynamic_partitions_requests=requests)
