"""Somebody in front of the simulated SmartHR's pages, in a browser without scripts."""

from __future__ import annotations

import requests

from scripts.page_forms import forms_of
from tests.harness.smarthr import SmartHR

PASSWORD = "smarthr"


class Person:
    """Of a company of the simulator: admin@NAME may allow, member@NAME may not."""

    def __init__(self, smarthr: SmartHR, user: str = "admin@acme") -> None:
        self.smarthr, self.user = smarthr, user
        self.browser = requests.Session()

    def answers(self, url: str, answer: str = "allow") -> str:
        """Logs in and answers the consent to which `url` leads; where SmartHR then sends the browser."""
        sent = self.submit(self.log_in(self.browser.get(url, timeout=30)), follow=False, _answer=answer)
        return str(sent.headers["location"])

    def log_in(self, shown: requests.Response) -> requests.Response:
        return self.submit(shown, email=self.user, password=PASSWORD)

    def submit(self, shown: requests.Response, follow: bool = True, **values: str) -> requests.Response:
        """Sends the page's form."""
        assert shown.status_code == 200, shown.text
        form = forms_of(shown.text)[0]
        data = form.fields | values
        return self.browser.post(self.smarthr.url + form.action, data=data, allow_redirects=follow, timeout=30)
