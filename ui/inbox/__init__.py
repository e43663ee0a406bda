"""The inbox page: the queue of alerts, how they come in, and their answers computed ahead."""
