"""Gather and apply: the only part of this chore that talks to AWS."""

from .evidence import gather
from .start import start
from .walk import Walk

__all__ = ["Walk", "gather", "start"]
