"""The mail sink over its real sockets."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
import requests

from tests.harness.mail import Mail


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mail")


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Mail]:
    with Mail.start("--folder", str(folder)) as sink:
        yield sink


@pytest.fixture
def sink(running: Mail) -> Mail:
    running.clear()
    return running


def a_mail(subject: str = "EMC-OK", body: str = "処理結果: 成功\n", charset: str = "utf-8") -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = "連携サーバ <from@example.com>"
    message["To"] = "a@example.com"
    message["Message-ID"] = "<1@example.com>"
    message.set_content(body, charset=charset)
    return message


@pytest.mark.parametrize("charset", ["utf-8", "iso-2022-jp"])
def test_e4_message_is_kept_and_shown_decoded(sink: Mail, folder: Path, charset: str) -> None:
    """Subject, both recipients and the Japanese body come back as they were written, in JSON, page and file."""
    sink.send(a_mail("EMC-OK 連携結果", charset=charset), ["a@example.com", "blind@example.com"])

    (message,) = sink.messages()
    assert message["subject"] == "EMC-OK 連携結果"
    assert message["from"] == "連携サーバ <from@example.com>"
    assert message["to"] == ["a@example.com", "blind@example.com"]
    assert message["body"] == "処理結果: 成功\n"
    assert message["message_id"] == "<1@example.com>"
    assert str(message["received_at"]).endswith("Z")
    page = requests.get(sink.url, timeout=10).content.decode()
    assert "EMC-OK 連携結果" in page
    assert "処理結果: 成功" in page
    assert len(list(folder.glob("*.eml"))) == 1


def test_messages_are_listed_newest_first(sink: Mail) -> None:
    """The last mail sent is the first one listed."""
    for number in range(3):
        sink.send(a_mail(f"mail {number}"), ["a@example.com"])

    assert [message["subject"] for message in sink.messages()] == ["mail 2", "mail 1", "mail 0"]


def test_page_escapes_markup(sink: Mail) -> None:
    """A mail cannot put markup into the page."""
    sink.send(a_mail("<script>1</script>"), ["a@example.com"])

    page = requests.get(sink.url, timeout=10).text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_refused_recipient_leaves_the_others(sink: Mail) -> None:
    """One recipient gets 550, the message reaches the other one."""
    sink.fault(kind="refuse_recipient", recipient="gone@*")

    refused = sink.send(a_mail(), ["gone@example.com", "a@example.com"])

    assert refused["gone@example.com"][0] == 550
    assert [message["to"] for message in sink.messages()] == [["a@example.com"]]


def test_temporary_failure_passes_on_the_second_try(sink: Mail) -> None:
    """451 once and nothing kept, then the same message is taken."""
    sink.fault(kind="temporary")

    with pytest.raises(smtplib.SMTPDataError, match="Try again"):
        sink.send(a_mail(), ["a@example.com"])
    assert sink.messages() == []
    sink.send(a_mail(), ["a@example.com"])
    assert len(sink.messages()) == 1


@pytest.mark.parametrize(("kind", "kept"), [("disconnect", 0), ("disconnect_after", 1)])
def test_disconnect_gives_no_answer(sink: Mail, kind: str, kept: int) -> None:
    """The sender sees a lost connection and cannot tell whether the message was kept; the next mail goes through."""
    sink.fault(kind=kind)

    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionResetError)):
        sink.send(a_mail(), ["a@example.com"])
    assert len(sink.messages()) == kept
    sink.send(a_mail(), ["a@example.com"])
    assert len(sink.messages()) == kept + 1


def test_messages_survive_a_restart(tmp_path: Path) -> None:
    """A sink that is started again on the same folder still lists what it had."""
    with Mail.start("--folder", str(tmp_path)) as first:
        first.send(a_mail("before"), ["a@example.com"])
    with Mail.start("--folder", str(tmp_path)) as second:
        assert [message["subject"] for message in second.messages()] == ["before"]
