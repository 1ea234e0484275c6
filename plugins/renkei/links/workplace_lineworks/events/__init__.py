"""WORKPLACE's workflow events → each member's messenger (W1 to W9).

event        what is pushed at us, checked (our own contract)
addresses    how each channel reaches a member, or why it does not
entries      from an event to the outbox's messages
texts        what they say
summary      what was too old to be sent, told in one message
faults       registrations that a service calls void
files        events that come as files
worker       all of it, for one tenant under its lease
tables       the rows
"""
