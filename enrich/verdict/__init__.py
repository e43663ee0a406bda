"""What the answers say together: what speaks for and against, and what to do next."""
