"""Marks of young people: create, list, correct, withdraw."""
