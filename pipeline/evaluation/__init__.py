"""Positions from anyone's files, and how good they are: `biotrakr locate` and `evaluate`."""
