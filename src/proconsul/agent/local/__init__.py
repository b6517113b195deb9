"""What is registered here, kept on disk, and brought into the catalog."""
