"""Staff, roles and rights."""
