"""The application: command line, configuration, reports, demo.

In: what a user types. Out: documents, files, exit codes. Start reading at `cli/`.
"""


def version() -> str:
    """The installed version; the lookup reads package metadata, so it happens on demand."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("retrospan")
    except PackageNotFoundError:
        return "0.0.0"
