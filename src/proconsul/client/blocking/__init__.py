"""The client for threads. Made of `proconsul.client.aio` by scripts/make_blocking_client.py, except for its `kit`."""
