"""What the logs cannot show: which kinds of events they have, of which Regions, since when."""
