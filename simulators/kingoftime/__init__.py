"""A simulated KING OF TIME: one company with its 所属, 雇用区分 and employees, the WebAPI, and the day's punches as a page.

Sources of the behaviour are the vendor's own pages, a transcription of its API description and public clients; what
nobody has published is a guess, marked "(guess)" in the code and listed in docs/assumptions.md.
"""
