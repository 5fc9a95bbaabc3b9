"""Starts what compose.yaml describes as plain processes, and tries changes under load."""
