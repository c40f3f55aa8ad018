"""The lab's HTTPS API: a child process with a database, a cache and nothing simulated but its subject."""
