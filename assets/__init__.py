"""How Dagster sees Headrace: assets, checks, jobs, schedules and the definitions that name them."""
