"""The web application of Safer Places."""
