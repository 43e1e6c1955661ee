"""Geospatial library of Safer Places: frames and arrays in, frames and arrays out; usable in a notebook alone."""
