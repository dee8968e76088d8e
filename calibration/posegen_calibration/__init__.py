"""From a folder of silhouettes to INT8: samples that stand for it, ranges, the quantised graph."""
