"""What stands under every page: server, sign-in, session, the open index, jobs."""
