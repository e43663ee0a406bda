"""What several pages show alike, over the kit and the shell."""
