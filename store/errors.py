"""Every error retrospan raises on purpose.

RetrospanError
├── UsageError            the caller asked for something that cannot be asked           (exit 2)
├── DataError             input that cannot be read; names file, record and reason      (exit 4)
├── NotFoundError         an id that is not in the store; shows the nearest ones        (exit 4)
├── StoreError            the store file itself
│   ├── StoreBusyError    another process holds the store; names the holder             (exit 1)
│   ├── StoreVersionError the file was written by another schema version                (exit 4)
│   └── StoreMissingError there is no store file yet; says how to make one              (exit 4)
└── InvariantError        a promise inside our own code was broken: a bug               (exit 1)
"""


class RetrospanError(Exception):
    """Base of all errors that end in one clear line and an exit code, never in a traceback."""

    exit_code = 1


class UsageError(RetrospanError):
    """Raised when options or arguments do not fit together; the message lists what would."""

    exit_code = 2


class DataError(RetrospanError):
    """Raised when an input cannot be read at all; the message names file, place and reason."""

    exit_code = 4


class NotFoundError(RetrospanError):
    """Raised when an id is not in the store; the message shows the nearest known ones."""

    exit_code = 4


class StoreError(RetrospanError):
    """Base of what can be wrong with the store file itself."""


class StoreBusyError(StoreError):
    """Raised when the wait for the lease ran out; names the process that holds the store."""


class StoreVersionError(StoreError):
    """Raised when the file's schema version is not ours; names both and the way out."""

    exit_code = 4


class StoreMissingError(StoreError):
    """Raised when a reader asks for a store that does not exist; says how to make one."""

    exit_code = 4


class InvariantError(RetrospanError):
    """Raised when something that must hold inside our own code does not."""
