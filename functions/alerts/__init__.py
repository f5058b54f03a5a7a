"""Send what was not sent, remind, escalate, and see to it that somebody listens."""
