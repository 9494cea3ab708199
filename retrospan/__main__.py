"""`python -m retrospan` is the same program as `retrospan`."""

from retrospan.cli import main

if __name__ == "__main__":
    main()
