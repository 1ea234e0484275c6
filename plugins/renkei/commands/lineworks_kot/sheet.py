"""`renkei kingoftime template`: a fresh sheet of the link."""

from renkei.commands.templates import template_group
from renkei.links.lineworks_kot.sheet.template import TEMPLATE

app = template_group(TEMPLATE)
