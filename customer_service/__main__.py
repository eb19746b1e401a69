"""`python -m customer_service` is the command `tunnus-customer-service`."""

from customer_service.cli import main

if __name__ == "__main__":
    main(prog_name="tunnus-customer-service")
