"""The page of the detection rules: which there are, and what came of each."""
