"""Alerts: readers without an account are told by mail or push when a home begins to match."""
