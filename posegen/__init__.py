"""PoseGen training: models, losses, data and the training loop (PyTorch)."""
