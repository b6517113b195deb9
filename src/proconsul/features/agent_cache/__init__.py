"""The agent's cache: answers of servers that are kept for reads with ``?cached``."""
