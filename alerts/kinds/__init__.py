"""One module per kind of alert: from its JSON, or from prose, to drafts of alerts."""
