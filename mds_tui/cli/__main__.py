"""`python -m mds_tui.cli`, for processes that start one another without looking for the script."""

from mds_tui.cli import main

if __name__ == "__main__":
    main()
