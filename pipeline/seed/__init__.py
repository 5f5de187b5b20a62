"""A hospital group that does not exist, in every detail, for demonstrations, tests and benchmarks.

The same size, seed and time give the same rows, in every table, on every machine.
"""
