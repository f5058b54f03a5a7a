"""Requires, sets, inherits and escalates tags."""
