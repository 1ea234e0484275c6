"""Messages to one person each, in whatever messenger: sent at most once, in order (docs/decisions/0020).

    outbox   what waits, what is being sent, what became of it
    sender   sends it, each channel by itself
    tables   the rows

A message's way: waiting → sending → sent, refused or unknown; dropped, where it was not to be sent any more. It is
`sending` before anything is sent, so whatever a killed process may have sent is known to be unknown, and stays so.
"""
