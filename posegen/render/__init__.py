"""Rendered scenes with known poses (PyVista)."""
