"""Police files: import, manifest, lake, summaries."""
