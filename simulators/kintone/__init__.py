"""A simulated kintone domain: apps with their forms and records, API tokens, the REST API and a page that shows it all.

Sources of the behaviour are kintone's own pages, its OpenAPI description and notes on a real tenant; what nobody has
published is a guess, marked "(guess)" in the code and listed in docs/assumptions.md.
"""
