"""Probes web services, remembers how they were, and has what stands behind them repaired."""
