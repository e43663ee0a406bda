"""What came after the alert, and in which order things were done."""
