"""Let old snapshots go: judged by rules and gates, marked, and deleted two days later."""
