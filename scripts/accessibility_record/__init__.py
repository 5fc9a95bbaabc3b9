"""The record of accessibility, `docs/accessibility.md`, made from the running program."""
