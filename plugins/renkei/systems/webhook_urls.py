"""What is wrong with a webhook's URL, before anything is sent there (L7)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from renkei.systems.hosts import is_trusted

OWNERS = (  # whose URL somebody may paste instead
    ("hooks.slack.com", "Slack"),
    ("hooks.slack-gov.com", "Slack"),
    ("logic.azure.com", "Microsoft Teams"),
    ("api.powerplatform.com", "Microsoft Teams"),
    ("webhook.office.com", "Microsoft Teams"),
    ("chat.googleapis.com", "Google Chat"),
)


@dataclass(frozen=True, slots=True)
class WebhookUrl:
    """How a service's webhooks look. `ask` says in Japanese where to find the right one."""

    owner: str  # one of OWNERS
    what: str  # in a sentence: 「…のURLではありません」
    hosts: tuple[str, ...]  # each with the hosts below it where it begins with a dot
    path_fault: Callable[[str, str], str]  # of path (without %-signs, and a slash at its end) and query
    ask: str

    def fault(self, url: str, allowed: Collection[str] = ()) -> str:
        """Why `url` is none, in Japanese and without the URL; empty where it is one. `allowed`: see `is_trusted`."""
        if not url or any(c.isspace() or not c.isprintable() for c in url):
            return f"URLが空か、途中に空白や改行があります。{self.ask}"
        if is_trusted(url, lambda host: False, allowed):
            return ""
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            return f"URLの形をしていません。{self.ask}"
        if is_trusted(url, self._official):
            return self.path_fault(unquote(parts.path).rstrip("/"), parts.query)
        owner = next((name for domain, name in OWNERS if is_below(host, domain)), self.owner)
        if owner != self.owner:
            return f"これは{owner}のURLです。サービスを{owner}にするか、{self.owner}のURLに替えてください。{self.ask}"
        if self._official(host) and parts.scheme == "http":
            return "http:// で始まっています。https:// で始まるURLにしてください。"
        return f"{self.what}のURLではありません。{self.ask}"

    def _official(self, host: str) -> bool:
        return any(host.endswith(own) if own.startswith(".") else host == own for own in self.hosts)


def is_below(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def without_slash(url: str) -> str:
    """The URL without a slash at the end of its path: people copy one along, and not every service takes it."""
    path, mark, tail = url.partition("?")
    return path.rstrip("/") + mark + tail
