"""What is known without asking the index: addresses, clients, services, techniques, names."""
