"""The five questions, one file each: `(alert, principal, store) → Answer`."""
