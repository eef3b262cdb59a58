-- Runs once, when the server's volume is empty; POSTGRES_DB, the catalog's, is there already.
CREATE DATABASE dagster;
