"""Where a token may go, and where it may not."""

from __future__ import annotations

import pytest

from renkei.systems.smarthr.hosts import is_smarthr_url


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.smarthr.jp",
        "https://acme.smarthr.jp/",
        "https://ACME.SmartHR.jp:443",
        "https://acme-2.daruma.space",
        "HTTPS://acme.smarthr.jp/api/v1/crews",
    ],
)
def test_l7_a_company_of_smarthr_is_one(url: str) -> None:
    """Production and sandbox, by HTTPS."""
    assert is_smarthr_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.smarthr.jp",
        "https://smarthr.jp",
        "https://.smarthr.jp",
        "https://a.b.smarthr.jp",
        "https://app.smarthr.jp",
        "https://acme.smarthr.jp.",
        "https://acme.smarthr.jp.evil.example",
        "https://evilsmarthr.jp",
        "https://acme.smarthr.jp:8443",
        "https://acme.smarthr.jp:0",
        "https://acme.smarthr.jp:x",
        "https://acme.smarthr.jp@evil.example",
        "https://acme.smarthr.jp:443@evil.example",
        "https://evil.example@acme.smarthr.jp",
        "https://acme.smarthr.jp\\@evil.example",
        "https://evil.example\\.smarthr.jp",
        "https://evil.example/.smarthr.jp",
        "https://evil.example?.smarthr.jp",
        "https://evil.example#.smarthr.jp",
        "https://аcme.smarthr.jp",
        "https://acme.smarthr。jp",
        "https://acme_x.smarthr.jp",
        "//acme.smarthr.jp",
        "acme.smarthr.jp",
        "ftp://acme.smarthr.jp",
        "https://[",
        "",
    ],
)
def test_l7_everything_else_is_not(url: str) -> None:
    """Other hosts, other ports, no TLS, and URLs made to look like SmartHR's."""
    assert not is_smarthr_url(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8181", "https://127.0.0.1:8181", "http://localhost:1"])
def test_l7_a_stand_in_is_one_where_the_operator_says_so(url: str) -> None:
    """With its port, or at any port."""
    assert is_smarthr_url(url, ("127.0.0.1:8181", "localhost"))
    assert not is_smarthr_url(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8182", "http://localhost:80@evil.example", "ftp://localhost"])
def test_l7_what_only_looks_like_a_stand_in_is_none(url: str) -> None:
    """Another port, a user's name, another protocol."""
    assert not is_smarthr_url(url, ("127.0.0.1:8181", "localhost"))
