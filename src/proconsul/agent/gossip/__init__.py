"""The pools this agent is a member of: joining, keys, tags, coordinates."""
