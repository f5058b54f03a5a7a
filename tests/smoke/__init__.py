"""An opt-in run against a deployed stack; see docs/smoke.md."""
