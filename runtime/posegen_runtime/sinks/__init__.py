"""Where generated images go."""
