"""How Dagster sees Headrace: assets, checks, jobs, schedules and the definitions that gather them."""
