"""Portals that offer reports of our homes as a file, which is fetched on a schedule."""
