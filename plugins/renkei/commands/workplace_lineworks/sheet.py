"""`renkei workplace template`: a fresh sheet of the link."""

from renkei.commands.templates import template_group
from renkei.links.workplace_lineworks.sheet.template import TEMPLATE

app = template_group(TEMPLATE)
