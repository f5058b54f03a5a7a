"""Watches the status checks of instances, and repairs those that are opted in, within bounds."""
