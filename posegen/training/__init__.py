"""Training: the loop, its exact resume, its evaluation and its samples."""
