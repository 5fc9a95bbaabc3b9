"""The commands of `freiplatz`, one file a noun."""
