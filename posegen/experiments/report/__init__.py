"""An experiment as files: the table, every image's values, the paper's figures, one page."""

from posegen.experiments.report.write import write_report

__all__ = ["write_report"]
