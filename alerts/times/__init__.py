"""Times as alerts write them, and what they leave open."""
