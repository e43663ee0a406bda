"""Measurements of the event index against the obvious ways, as ratios from one run."""
