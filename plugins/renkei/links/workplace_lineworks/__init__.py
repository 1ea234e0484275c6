"""WORKPLACE to LINE WORKS (text 3): absences into members' calendars, and events into their messengers."""

LINK = "workplace_lineworks"  # as its Dags, its folder of sheets and its tables are called
