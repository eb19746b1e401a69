"""`python -m registration` is the command `tunnus-registration`."""

from registration.cli import main

if __name__ == "__main__":
    main(prog_name="tunnus-registration")
