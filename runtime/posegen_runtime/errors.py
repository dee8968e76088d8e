"""The error that a user can mend."""


class PoseGenError(Exception):
    """Bad usage or unusable input.

    The message is one line that names the file or option, says what is wrong and what to do.
    Commands print it without a traceback and exit with code 2.
    """


class MaskRejected(PoseGenError):
    """One silhouette that cannot be generated (empty, unreadable); the run goes on."""
