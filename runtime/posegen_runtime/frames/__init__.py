"""Whole frames: generated crops go back into the user's own full-size images."""
