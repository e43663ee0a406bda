"""What an identity made or changed, and which later calls took it back."""
