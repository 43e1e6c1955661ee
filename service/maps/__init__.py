"""Map pages, their data and downloads."""
