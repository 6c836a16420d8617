"""Frozen values that the rooms hand to each other. No file, socket, clock or environment here."""
