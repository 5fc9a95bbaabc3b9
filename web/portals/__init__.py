"""Reporting once: reports of our homes are passed on to other deployments of Freiplatz."""
