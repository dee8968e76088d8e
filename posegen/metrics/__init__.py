"""The paper's metrics (section 5.1), its baseline and oracles (5.3), and per-image values."""
