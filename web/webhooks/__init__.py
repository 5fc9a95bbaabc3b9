"""Webhooks: telling others of changes by HTTP, signed as standardwebhooks.com has it."""
