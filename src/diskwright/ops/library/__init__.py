"""The verbs of the private image library: plan() reads, run() puts records (docs/layout.md)."""
