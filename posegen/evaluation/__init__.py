"""How good generated images are, on samples that no training saw: `posegen evaluate`."""
