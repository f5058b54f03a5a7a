"""How a load balancer sees its targets."""

from __future__ import annotations

from dataclasses import dataclass

HEALTHY = "healthy"


@dataclass
class BalancedTarget:
    """A target of a target group."""

    id: str
    port: int = 80
    state: str = HEALTHY
