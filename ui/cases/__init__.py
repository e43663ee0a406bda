"""The pages about cases: the list, one case, the lead's review and numbers, and who is who."""
