"""E4: what the check accepts as an address can be mailed as it is written, by any server."""

from __future__ import annotations

import pytest

from renkei.texts import Fault, mail_addresses


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("soumu@acme.example.jp", ("soumu@acme.example.jp",)),
        (" ｓｏｕｍｕ＠acme.example.jp\n", ("soumu@acme.example.jp",)),
        ("a@b.co.jp; c@d.co.jp、e@f.co.jp", ("a@b.co.jp", "c@d.co.jp", "e@f.co.jp")),
        ("a+b/c'd%e@acme.example.jp", ("a+b/c'd%e@acme.example.jp",)),
        ("soumu@日本語.jp", ("soumu@xn--wgv71a119e.jp",)),
        ("a..b@docomo.ne.jp", ("a..b@docomo.ne.jp",)),
        (".a@docomo.ne.jp", (".a@docomo.ne.jp",)),
        ("a..b@DoCoMo.ne.jp", ("a..b@DoCoMo.ne.jp",)),
        ("a.@ezweb.ne.jp", ("a.@ezweb.ne.jp",)),
        ("-a@au.com", ("-a@au.com",)),
        ("x" * 64 + "@acme.example.jp", ("x" * 64 + "@acme.example.jp",)),
    ],
)
def test_e4_an_address_is_taken_as_it_is_sent(text: str, addresses: tuple[str, ...]) -> None:
    """In ASCII alone; old addresses of carriers are in use."""
    assert mail_addresses(text) == addresses


@pytest.mark.parametrize(
    "text",
    [
        "山田@acme.example.jp",
        '"a b"@acme.example.jp',
        '"a..b"@docomo.ne.jp',
        "a..b@acme.example.jp",
        ".a@docomo.ne.jp.evil.example.jp",
        "総務 <soumu@acme.example.jp>",
        "soumu@acme.example.jp(総務)",
        "mailto:soumu@acme.example.jp",
        "soumu@acme.example.jp.",
        "soumu@acme",
        "soumu@localhost",
        "soumu@[192.0.2.1]",
        "soumu@192.0.2.1",
        "soumu@a_b.example.jp",
        "x" * 65 + "@acme.example.jp",
        "a@" + "b." * 130 + "jp",
        "soumu@acme.invalid",
        "soumu",
        "@acme.example.jp",
    ],
)
def test_e4_what_no_server_can_be_given_is_refused(text: str) -> None:
    """L8: with the form that is meant."""
    with pytest.raises(Fault, match=r"name@example\.co\.jp"):
        mail_addresses(text)
