"""The triage page: asking for an alert, and the five answers about one."""
