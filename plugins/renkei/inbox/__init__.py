"""Messages that outside systems push at us: accepted once they are durable, worked off one by one (docs/decisions/0017).

    receiver    writes what arrives
    lease       who works it off: one process at a time
    inbox       what waits, what is being done, what became of it
    tables      the rows

A message's way: waiting → sending → done, refused, held or unknown. It is `sending` before anything is done about it,
so whatever a killed process may have done is known to be unknown.
"""
