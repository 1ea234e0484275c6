"""People in the record of runs: everybody searched, and one person explained. What is shown here is personal (L6)."""
