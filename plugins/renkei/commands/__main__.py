"""`python -m renkei.commands`, where the command itself is not on the path."""

from renkei.commands.app import main

main()
