"""What is read of a Windows guest: its registry, and the few files that it starts by."""
