"""Gather and apply: the only room of this chore that talks to AWS."""

from .changes import Changes
from .evidence import gather
from .lists import put_table

__all__ = ["Changes", "gather", "put_table"]
