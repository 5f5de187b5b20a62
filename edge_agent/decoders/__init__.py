"""Bytes to readings. Sans-I/O and standard library only: one file a protocol."""
