"""The audit stream: who did what through this agent, and which rule allowed it."""
