"""Why a request was not taken."""


class RefusedError(Exception):
    """Base of what a sender is told; the message is safe to send."""


class UndecodableBodyError(RefusedError):
    """Raised when a body is not what it says it is: sending it again is of no use."""


class TooLargeError(RefusedError):
    """Raised when a body passes `body_bytes`, as sent or decompressed."""


class OverloadedError(RefusedError):
    """Raised when there is no room now; the sender may come again."""
