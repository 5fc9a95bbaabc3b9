"""Runs the real program, breaks what it stands on, and looks what was lost: `scripts/chaos`."""
