"""Damages files with a seed, and reads them in a process apart."""
