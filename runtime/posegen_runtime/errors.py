"""The error that a user can mend."""

import re

_NOT_SHOWN = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Control characters, ends of lines, and bytes of a name that are not UTF-8."""


class PoseGenError(Exception):
    """Bad usage or unusable input.

    The message is one line that names the file or option, says what is wrong and what to do.
    Commands print it without a traceback and exit with code 2.
    """

    def __str__(self) -> str:
        return printable(super().__str__())


class MaskRejected(PoseGenError):
    """One silhouette that cannot be generated (empty, unreadable); the run goes on."""


def printable(text: str) -> str:
    """`text` on one line and as UTF-8: what cannot be shown becomes %0A, as in a URL.

    Names of files may hold anything: ends of lines, commands to a terminal, bytes of no encoding.
    """
    return _NOT_SHOWN.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    try:
        data = match[0].encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a pair, as JSON and Windows may hold
        data = match[0].encode("utf-8", "surrogatepass")
    return "".join(f"%{byte:02X}" for byte in data)
