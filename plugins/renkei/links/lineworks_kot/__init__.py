"""LINE WORKS to KING OF TIME (text 4): who writes 出勤 to the bot has punched, once, with the time of the message."""

LINK = "lineworks_kot"  # as its Dags, its folder of sheets and its tables are called
