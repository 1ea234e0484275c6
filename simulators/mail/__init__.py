"""A mail server that keeps every message and shows it, in place of a customer's mailbox."""
