"""Data sets: samples on disk, samplers, and the commands that make them."""
