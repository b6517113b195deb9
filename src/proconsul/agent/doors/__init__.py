"""Where requests come in: listeners, TLS, the HTTP front door, the DNS service."""
