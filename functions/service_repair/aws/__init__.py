"""Gather and apply: the only room of this chore that talks to AWS."""

from .evidence import gather, remember
from .steps import Steps

__all__ = ["Steps", "gather", "remember"]
