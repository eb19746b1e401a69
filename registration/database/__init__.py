"""The database: tables, transactions, migrations, and what is said when it cannot be used."""
