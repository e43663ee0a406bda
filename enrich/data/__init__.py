"""What each question's answer holds: one file per question, every field with what it means.

The command line's JSON, the database's documents and the pages have it from here.
"""
