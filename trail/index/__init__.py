"""The event index on disk: how it is built, published, looked after and described."""
