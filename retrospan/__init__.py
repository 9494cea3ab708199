"""The application: command line, configuration, reports, demo.

In: what a user types. Out: documents, files, exit codes. Start reading at `cli/`.
"""
