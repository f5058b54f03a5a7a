"""The wire: names resolved by threads, requests sent by libcurl, all from one thread."""

from .engine import Engine

__all__ = ["Engine"]
