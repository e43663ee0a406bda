"""An alert and its answers written out: the command line's JSON, and Markdown."""
