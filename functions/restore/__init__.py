"""The restore chore: volumes and instances brought back to one moment, from a plan one approved."""
