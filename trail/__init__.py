"""CloudTrail files in, an event index out: the lowest layer, which imports nothing of ours."""
