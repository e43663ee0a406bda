"""What draws: safe elements, words and charts. It knows no session, no index and no page."""
