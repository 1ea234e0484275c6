"""A simulated Hot Profile: companies, leads with their departments, users, the reading part of its REST API, and pages.

Hammock publishes no manual of this API. What the certified Power Platform connector and public scripts show is followed;
everything else is a guess, marked "(guess)" in the code and listed in docs/assumptions.md.
"""
