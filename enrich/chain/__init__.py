"""Who is behind a session: the rules of matching, hop by hop, in both directions."""
