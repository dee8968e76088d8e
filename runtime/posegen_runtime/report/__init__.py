"""`report.html`: what a run made, how fast, where the time went, and what went wrong.

One file with everything inside, so that it can be mailed and opened years later: no script, no
font, picture or style from elsewhere. `write_report` reads rows once, as a stream, and keeps only
sums and a sample of them, so that it costs the same memory at 100 and at 1,000,000 images.
"""

from posegen_runtime.report.rows import ReportRow
from posegen_runtime.report.write import REPORT, write_report

__all__ = ["REPORT", "ReportRow", "write_report"]
