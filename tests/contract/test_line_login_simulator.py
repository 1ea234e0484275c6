"""LINE's simulator: LINE Login as a browser and an app see it."""

from __future__ import annotations

import httpx
import jwt
import pytest

from scripts.page_forms import field_of
from tests.harness.chat import Chat
from tests.harness.line import CALLBACK, App, a_push, messaging_api, people, returned


@pytest.fixture
def app(chat: Chat) -> App:
    return App(chat)


class TestLogin:
    def test_page_names_the_account_and_what_is_asked(self, app: App) -> None:
        page = app.page().text

        for words in ("Renkei通知", "佐藤 花子", "許可する", "キャンセル", "プロフィール", "友だち追加"):
            assert words in page
        assert "友だち追加" not in app.page(bot_prompt=None).text

    def test_login_gives_the_messaging_user_id(self, chat: Chat, app: App) -> None:
        """N4: consent, code, tokens; the `sub` of the id_token is the id that a push takes."""
        back = returned(app.answer("田中 美咲"))
        assert back["state"] == app.asked["state"]
        assert back["friendship_status_changed"] == "true"

        answer = app.exchange(back["code"])
        tokens = answer.json()
        claims = app.claims(tokens["id_token"])
        with messaging_api(chat.registrations["line"]) as api:
            api.push_message(a_push(claims["sub"], "連携しました"))

        assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 2592000, "profile openid")
        assert "x-line-request-id" in answer.headers
        assert (claims["nonce"], claims["name"], claims["amr"]) == (app.asked["nonce"], "田中 美咲", ["linesso"])
        assert claims["exp"] - claims["iat"] == 3600
        assert app.is_friend(tokens["access_token"])
        assert [one["place"] for one in chat.messages("line")] == ["田中 美咲"]

    @pytest.mark.parametrize(
        ("name", "friend", "changed", "now_friend"),
        [
            ("佐藤 花子", True, "false", True),
            ("田中 美咲", False, "false", False),
            ("高橋 健", True, "true", True),
            ("高橋 健", False, "false", False),
        ],
        ids=["was a friend", "does not add", "ends the block", "stays blocked"],
    )
    def test_friendship_is_told(self, app: App, name: str, friend: bool, changed: str, now_friend: bool) -> None:
        back = returned(app.answer(name, friend=friend))

        assert back["friendship_status_changed"] == changed
        assert app.is_friend(app.exchange(back["code"]).json()["access_token"]) is now_friend

    def test_without_prompt_nothing_is_said_of_friendship(self, app: App) -> None:
        assert set(returned(app.answer("田中 美咲", bot_prompt=None))) == {"code", "state"}

    @pytest.mark.parametrize(("upper_case", "word"), [(False, "access_denied"), (True, "ACCESS_DENIED")])
    def test_cancel_returns_the_error_and_the_state(self, chat: Chat, app: App, upper_case: bool, word: str) -> None:
        chat.sim("POST", "line/login", {"upper_case": upper_case})

        back = returned(app.answer(decision="cancel"))

        described = "The resource owner denied the request."
        assert back == {"error": word, "error_description": described, "state": app.asked["state"]}

    @pytest.mark.parametrize(
        "changes",
        [
            {"client_id": "2000000009"},
            {"redirect_uri": "https://evil.example/callback"},
            {"redirect_uri": "http://localhost.evil.example/callback"},
            {"redirect_uri": "http://localhost@evil.example/callback"},
            {"redirect_uri": "http://localhost:8080/callback#x"},
            {"redirect_uri": "javascript:alert(1)"},
            {"redirect_uri": None},
            {"state": None},
            {"state": ""},
        ],
        ids=str,
    )  # fmt: skip
    def test_request_that_nobody_may_be_returned_from_ends_on_a_page(self, app: App, changes: dict[str, str]) -> None:
        page = app.page(**changes)

        assert (page.status_code, page.headers.get("location")) == (400, None)
        assert "400 Bad Request" in page.text

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"response_type": None}, "unsupported_response_type"),
            ({"scope": None}, "invalid_scope"),
            ({"scope": "profile openid everything"}, "invalid_scope"),
            ({"code_challenge_method": "plain"}, "invalid_request"),
            ({"code_challenge_method": None}, "invalid_request"),
            ({"code_challenge": "short"}, "invalid_request"),
            ({"code_challenge": None}, "invalid_request"),
            ({"bot_prompt": "yes"}, "invalid_request"),
        ],
        ids=str,
    )  # fmt: skip
    def test_other_bad_request_returns_with_an_error(self, app: App, changes: dict[str, str], error: str) -> None:
        back = returned(app.page(**changes))

        assert (back["error"], back["state"]) == (error, app.asked["state"])
        assert "code" not in back

    def test_registered_callback_is_the_only_one(self, chat: Chat, app: App) -> None:
        """A query may be added to a registered callback; the answer comes after it."""
        chat.sim("POST", "line/login", {"redirect_uris": ["https://renkei.example/callback"]})
        assert app.page().status_code == 400

        answer = app.answer(redirect_uri="https://renkei.example/callback?tenant=acme")

        assert answer.headers["location"].startswith("https://renkei.example/callback?tenant=acme&code=")

    def test_consent_is_given_once(self, app: App) -> None:
        form = {
            "request": field_of(app.page().text, "request"),
            "user_id": people(app.chat)["佐藤 花子"],
            "decision": "allow",
        }

        statuses = [httpx.post(f"{app.base}/oauth2/v2.1/consent", data=form).status_code for _ in range(2)]

        assert statuses == [302, 400]


class TestToken:
    def test_code_works_once(self, app: App) -> None:
        code = app.code()

        assert app.exchange(code).status_code == 200
        again = app.exchange(code)
        assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")

    @pytest.mark.parametrize(("ahead_s", "status"), [(590, 200), (600, 400)])
    def test_code_lives_ten_minutes(self, chat: Chat, app: App, ahead_s: int, status: int) -> None:
        code = app.code()
        chat.sim("POST", "line", {"ahead_s": ahead_s})

        assert app.exchange(code).status_code == status

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"grant_type": "password"}, "unsupported_grant_type"),
            ({"client_secret": "0" * 32}, "invalid_client"),
            ({"client_secret": None}, "invalid_client"),
            ({"client_id": "2000000001"}, "invalid_client"),
            ({"code": "guessed"}, "invalid_grant"),
            ({"redirect_uri": CALLBACK + "/"}, "invalid_grant"),
            ({"code_verifier": "v" * 43}, "invalid_grant"),
            ({"code_verifier": None}, "invalid_grant"),
        ],
        ids=str,
    )  # fmt: skip
    def test_bad_exchange_is_refused(self, app: App, changes: dict[str, str], error: str) -> None:
        answer = app.exchange(**{"code": app.code(), **changes})

        assert (answer.status_code, answer.json()["error"]) == (400, error)
        assert "access_token" not in answer.json()

    def test_body_that_is_no_form_is_refused(self, app: App) -> None:
        assert httpx.post(f"{app.base}/oauth2/v2.1/token", json={"code": app.code()}).status_code == 400

    def test_pkce_is_optional_but_not_one_sided(self, app: App) -> None:
        plain = {"code_challenge": None, "code_challenge_method": None}

        assert app.exchange(app.code(**plain), code_verifier=None).status_code == 200
        assert app.exchange(app.code(**plain)).status_code == 400

    def test_id_token_comes_with_openid_and_a_name_with_profile(self, app: App) -> None:
        assert "id_token" not in app.exchange(app.code(scope="profile")).json()
        assert "name" not in app.claims(app.exchange(app.code(scope="openid")).json()["id_token"])
        no_nonce = app.exchange(app.code(nonce=None)).json()["id_token"]
        assert "nonce" not in app.claims(no_nonce)

    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong"])
    def test_friendship_needs_a_token(self, app: App, header: str) -> None:
        headers = {"authorization": header}
        assert httpx.get(f"{app.base}/friendship/v1/status", headers=headers).status_code == 401

    def test_friendship_needs_the_profile_scope(self, app: App) -> None:
        headers = {"authorization": f"Bearer {app.exchange(app.code(scope='openid')).json()['access_token']}"}
        assert httpx.get(f"{app.base}/friendship/v1/status", headers=headers).status_code == 403

    def test_access_token_can_be_verified_until_it_expires(self, chat: Chat, app: App) -> None:
        token = app.exchange(app.code()).json()["access_token"]
        url = f"{app.base}/oauth2/v2.1/verify"

        verified = httpx.get(url, params={"access_token": token}).json()
        assert (verified["client_id"], verified["scope"]) == (app.registration["channel_id"], "profile openid")
        chat.sim("POST", "line", {"ahead_s": 31 * 86400})
        assert httpx.get(url, params={"access_token": token}).json()["error_description"] == "access token expired"


class TestIdTokenFaults:
    @pytest.mark.parametrize(
        ("fault", "error", "description"),
        [
            ("signature", jwt.InvalidSignatureError, "Invalid IdToken."),
            ("unsigned", jwt.InvalidAlgorithmError, "Invalid IdToken."),
            ("issuer", jwt.InvalidIssuerError, "Invalid IdToken Issuer."),
            ("expired", jwt.ExpiredSignatureError, "IdToken expired."),
            ("audience", jwt.InvalidAudienceError, "Invalid IdToken Audience."),
        ],
    )
    def test_fault_is_in_one_token(
        self, chat: Chat, app: App, fault: str, error: type[Exception], description: str
    ) -> None:
        chat.sim("POST", "line/login", {"faults": [fault]})

        bad, good = (app.exchange(app.code()).json()["id_token"] for _ in range(2))

        with pytest.raises(error):
            app.claims(bad)
        assert app.verify(bad).json() == {"error": "invalid_request", "error_description": description}
        assert app.verify(good).json() == app.claims(good)

    def test_wrong_nonce(self, chat: Chat, app: App) -> None:
        chat.sim("POST", "line/login", {"faults": ["nonce"]})

        bad = app.exchange(app.code()).json()["id_token"]

        assert app.claims(bad)["nonce"] != app.asked["nonce"]
        assert app.verify(bad, nonce=app.asked["nonce"]).json()["error_description"] == "Invalid IdToken Nonce."
        assert app.verify(bad).status_code == 200

    def test_wrong_state(self, chat: Chat, app: App) -> None:
        chat.sim("POST", "line/login", {"faults": ["state"]})

        assert returned(app.answer())["state"] != app.asked["state"]
        assert returned(app.answer())["state"] == app.asked["state"]
