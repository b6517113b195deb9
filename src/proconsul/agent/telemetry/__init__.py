"""What the agent tells about itself: logs, metrics, measurements."""
