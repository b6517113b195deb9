"""What the suites that run real processes share."""
