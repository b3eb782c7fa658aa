"""`python -m e1_driver.ctl` is e1ctl."""

from e1_driver.ctl.cli import main

if __name__ == "__main__":
    main()
