"""Benchmarks: one module a topic, each row against a named reference measured in the same run."""
