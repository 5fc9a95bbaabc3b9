"""Measurements of the running program. Absolute times mean little on shared machines: every
figure stands beside another one of the same run."""
