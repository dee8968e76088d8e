"""Checkpoint to bundle: ONNX graphs, golden set and parity."""
