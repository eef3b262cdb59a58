"""Benchmarks: `make bench`. They measure; they judge nothing."""
