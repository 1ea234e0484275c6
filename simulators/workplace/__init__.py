"""A simulated WORKPLACE: members apply for absences, an approver decides, and Renkei reads them.

It answers by include/contracts/workplace.openapi.yaml, which is a contract of the project's own, not the vendor's API.
"""
