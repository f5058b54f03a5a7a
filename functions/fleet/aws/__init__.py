"""Gather and apply: the only room of this chore that talks to AWS."""

from .evidence import gather, is_usual, remember_planned
from .machine import start
from .shelf import Shelf

__all__ = ["Shelf", "gather", "is_usual", "remember_planned", "start"]
