"""Restarts what stands behind a target that is down, within bounds."""
