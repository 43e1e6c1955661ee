"""What the public may see: immutable disclosed snapshots."""
