"""Other deployments that we follow, and what of their homes is shown here (docs/federation.md)."""
