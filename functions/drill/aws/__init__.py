"""Gather and apply: the only room of this chore that talks to AWS."""

from __future__ import annotations

from functions.drill.aws.evidence import gather
from functions.drill.aws.steps import Steps

__all__ = ["Steps", "gather"]
