"""Inbox, cases, review, audit trail, metrics, reports and redaction, over one database.

Open it with `cases.database.open_database()`. Reading functions take the database; writing ones
take the acting user's name too, and check its role themselves. The pages draw what these return.
"""
