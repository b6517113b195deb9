"""The asynchronous client, as it is written. `proconsul.client.blocking` is made of it, except for its `kit`."""
