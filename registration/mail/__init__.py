"""E-mail: written into the outbox in the transaction of what it tells, sent by a process of its own."""
