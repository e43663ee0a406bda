"""The pages that walk the index itself: entities, events, coverage."""
