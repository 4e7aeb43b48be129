"""Settings from the environment, `.env` and `bot.toml`, and what is said of wrong ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from platformdirs import user_data_path

from bot.config import read_settings
from bot.errors import SettingError


@pytest.fixture(autouse=True)
def _nothing_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.upper().startswith(("BOT_", "OPENAI_")):
            monkeypatch.delenv(name)


def refusal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingError) as caught:
        read_settings()
    return str(caught.value)


def test_nothing_has_to_be_set() -> None:
    settings = read_settings()
    assert settings.slack.bot_token is None
    assert settings.discord.token is None
    assert not settings.model.hosted
    assert (settings.web.host, settings.web.port) == ("127.0.0.1", 8080)
    assert settings.log.format == "console"


def test_data_lies_in_the_users_folder_and_roots_where_postgres_may_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert read_settings().data_dir == user_data_path("frontdesk").absolute()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert read_settings().data_dir == Path("/var/lib/frontdesk")


def test_the_environment_wins_over_the_env_file_and_that_over_toml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bot.toml").write_text(
        'persona = "toml"\n[web]\nport = 1\nhost = "toml"\n[log]\nformat = "json"'
    )
    (tmp_path / ".env").write_text("BOT_PERSONA=file\nBOT_WEB__PORT=2\n")
    monkeypatch.setenv("BOT_PERSONA", "environment")
    settings = read_settings()
    assert settings.persona == "environment"
    assert (settings.web.port, settings.web.host) == (2, "toml")
    assert settings.log.format == "json"


def test_a_setting_that_is_left_empty_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "BOT_DATA_DIR",
        "BOT_WEB__PORT",
        "BOT_DISCORD__TOKEN",
        "BOT_MODEL__PATH",
        "BOT_DATABASE_URL",
    ):
        monkeypatch.setenv(name, "")
    settings = read_settings()
    assert settings.data_dir.is_absolute()
    assert settings.data_dir != Path.cwd()
    assert settings.web.port == 8080
    assert settings.discord.token is None


def test_paths_are_made_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("BOT_DATA_DIR", "~/bot")
    monkeypatch.setenv("BOT_MODEL__PATH", "own.gguf")
    settings = read_settings()
    assert settings.data_dir == tmp_path / "bot"
    assert settings.model.path == Path.cwd() / "own.gguf"


@pytest.mark.parametrize("written", ["U1,U2", " U1 , U2,", '["U1", "U2"]'])
def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("BOT_SLACK__ALLOW_USERS", written)
    assert read_settings().slack.allow_users == {"U1", "U2"}


@pytest.mark.parametrize("answer", ["4096", "5000"])
def test_an_answer_has_to_fit_into_the_context(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setenv("BOT_MODEL__BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("BOT_MODEL__CONTEXT_TOKENS", "4096")
    monkeypatch.setenv("BOT_MODEL__ANSWER_TOKENS", answer)
    with pytest.raises(SettingError, match=rf"BOT_MODEL__ANSWER_TOKENS.*{answer}.*BOT_MODEL__CONTEXT_TOKENS"):
        read_settings()
    monkeypatch.setenv("BOT_MODEL__ANSWER_TOKENS", "4095")
    assert read_settings().model.answer_tokens == 4095


def test_a_small_context_asks_for_a_small_answer_only_of_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_MODEL__CONTEXT_TOKENS", "1024")
    assert read_settings().model.context_tokens == 1024  # on board the answer's room is half at most
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with pytest.raises(SettingError, match=r"BOT_MODEL__ANSWER_TOKENS.*BOT_MODEL__CONTEXT_TOKENS"):
        read_settings()


def test_an_answer_of_a_fallback_has_to_fit_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_MODEL__FALLBACKS", '[{"name": "a"}, {"name": "b", "context_tokens": 600}]')
    with pytest.raises(
        SettingError, match=r"BOT_MODEL__FALLBACKS: answer_tokens of number 2 .*context_tokens"
    ) as told:
        read_settings()
    assert "\n" not in str(told.value)


def test_lists_in_toml_are_lists(tmp_path: Path) -> None:
    (tmp_path / "bot.toml").write_text(
        '[discord]\nblock_roles = ["1", "2"]\n[[model.fallbacks]]\nname = "b"\nbase_url = "http://b/v1"\n'
    )
    settings = read_settings()
    assert settings.discord.block_roles == {"1", "2"}
    assert [choice.name for choice in settings.model.fallbacks] == ["b"]


def test_fallback_models_are_written_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_MODEL__FALLBACKS", '[{"name": "a", "api_key": "k"}, {"name": "b"}]')
    first, second = read_settings().model.fallbacks
    assert (first.name, second.name) == ("a", "b")
    assert first.api_key is not None
    assert first.api_key.get_secret_value() == "k"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("BOT_WEB__PORT", "eighty", "'eighty'"),
        ("BOT_WEB__PORT", "70000", "65535"),
        ("BOT_LOG__FORMAT", "xml", "'console' or 'json'"),
        ("BOT_MODEL__CONTEXT_TOKENS", "12", "512"),
        ("BOT_MODEL__BASE_URL", "localhost:8000", "http://"),
        ("BOT_MODEL__FALLBACKS", "[{", "JSON"),
        ("BOT_DISCORD__API_URL", "discord.com", "http"),
        ("BOT_DATABASE_URL", "mysql://me:hush@host/bot", "postgresql://"),
        ("BOT_SLACK", "xoxb-hush", "one by one"),
        ("BOT_SLACK__BOT_TOKE", "xoxb-hush", "no such setting"),
        ("BOT_SLACK__BOT_TOKEN", "xoxb-hush", "BOT_SLACK__APP_TOKEN: missing"),
        ("BOT_SLACK__PROXY", "proxy.hush:80", "http://"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_setting_and_no_secret(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    text = refusal(monkeypatch, **{name: value})
    assert "\n" not in text
    assert text.startswith((f"{name}: ", "BOT_SLACK__APP_TOKEN: "))
    assert said in text
    assert "hush" not in text


@pytest.mark.parametrize("name", ["BOT_SLACK__APP_TOKEN", "BOT_SLACK__SIGNING_SECRET"])
def test_slack_without_the_bots_token_is_one_line(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    text = refusal(monkeypatch, **{name: "hush"})
    assert text.startswith("BOT_SLACK__BOT_TOKEN: missing")
    assert "hush" not in text
    assert "\n" not in text


def test_slack_takes_either_way_of_delivery(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_SLACK__BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("BOT_SLACK__SIGNING_SECRET", "secret")
    assert read_settings().slack.app_token is None
    monkeypatch.setenv("BOT_SLACK__APP_TOKEN", "xapp-1")
    assert read_settings().slack.signing_secret is not None


INSTALLED = {
    "BOT_SLACK__CLIENT_ID": "1.2",
    "BOT_SLACK__CLIENT_SECRET": "hush-1",
    "BOT_SLACK__SIGNING_SECRET": "hush-2",
    "BOT_WEB__PUBLIC_URL": "https://bot.example.com",
    "BOT_SECRETS__KEY": "hush-3",
}


@pytest.mark.parametrize("absent", INSTALLED)
def test_what_an_app_to_install_lacks_is_one_line_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, absent: str
) -> None:
    text = refusal(monkeypatch, **{name: value for name, value in INSTALLED.items() if name != absent})
    assert text.startswith(f"{absent}: missing; ")
    assert "\n" not in text
    assert "hush" not in text


def test_all_that_is_missing_of_an_app_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = refusal(monkeypatch, BOT_SLACK__CLIENT_SECRET="hush").splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        name for name in INSTALLED if "CLIENT_S" not in name
    ]


def test_an_app_to_install_excludes_a_token_and_takes_either_way_of_delivery(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = refusal(monkeypatch, **INSTALLED, BOT_SLACK__BOT_TOKEN="xoxb-hush")
    assert text.startswith("BOT_SLACK__BOT_TOKEN: ")
    assert "hush" not in text
    monkeypatch.delenv("BOT_SLACK__BOT_TOKEN")
    monkeypatch.delenv("BOT_SLACK__SIGNING_SECRET")
    monkeypatch.setenv("BOT_SLACK__APP_TOKEN", "xapp-1")
    assert read_settings().slack.client_id == "1.2"


def test_each_of_several_wrong_values_has_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    text = refusal(monkeypatch, BOT_WEB__PORT="x", BOT_LOG__FORMAT="y")
    assert [line.partition(":")[0] for line in text.splitlines()] == ["BOT_WEB__PORT", "BOT_LOG__FORMAT"]


def test_a_broken_toml_file_is_one_line_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bot.toml").write_text("[web\nport = 1")
    assert "line 1" in refusal(monkeypatch)


@pytest.mark.parametrize(
    ("file", "line", "name"),
    [(".env", "BOT_PRESONA=hush", "BOT_PRESONA"), ("bot.toml", 'presona = "hush"', "BOT_PRESONA")],
)
def test_a_name_misspelt_in_a_file_of_ours_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, line: str, name: str
) -> None:
    (tmp_path / file).write_text(f"{line}\n")
    assert refusal(monkeypatch) == f"{name}: there is no such setting; .env.example names all"


def test_another_programs_name_in_the_environment_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_TOKEN", "hush")
    read_settings()


def test_openais_own_names_are_honoured_also_from_the_env_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("OPENAI_API_KEY=from-file\n")
    model = read_settings().model
    assert model.hosted
    assert model.api_key is not None
    assert model.api_key.get_secret_value() == "from-file"
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert read_settings().model.base_url == "http://127.0.0.1:9/v1"


def test_a_model_of_ones_own_wins_over_openais_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "stray")
    monkeypatch.setenv("BOT_MODEL__API_KEY", "mine")
    model = read_settings().model
    assert model.api_key is not None
    assert model.api_key.get_secret_value() == "mine"


def test_secrets_do_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_DISCORD__TOKEN", "hush")
    monkeypatch.setenv("BOT_WEB__TOKEN", "hush")
    assert "hush" not in repr(read_settings())


def test_a_section_that_does_not_exist_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BOT_DISCROD__TOKEN=hush\n")
    text = refusal(monkeypatch, BOT_SLAKC__BOT_TOKEN="xoxb-hush")
    assert [line.split(":")[0] for line in text.splitlines()] == [
        "BOT_DISCROD__TOKEN",
        "BOT_SLAKC__BOT_TOKEN",
    ]
    assert "hush" not in text


def test_another_programs_simple_name_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_TOKEN", "of another bot")
    assert read_settings().slack.bot_token is None


def test_a_models_own_wishes_are_read_for_each_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_MODEL__API", "responses")
    monkeypatch.setenv("BOT_MODEL__EFFORT", "low")
    monkeypatch.setenv("BOT_MODEL__SEES", "true")
    monkeypatch.setenv("BOT_MODEL__FALLBACKS", '[{"name": "b", "thinking": "folded", "temperature": 0.2}]')
    model = read_settings().model
    assert (model.api, model.effort, model.thinking, model.sees) == ("responses", "low", "hidden", True)
    (second,) = model.fallbacks
    assert (second.api, second.thinking, second.temperature, second.sees) == ("chat", "folded", 0.2, None)


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("BOT_MODEL__API", "completions", "chat"),
        ("BOT_MODEL__EFFORT", "huge", "medium"),
        ("BOT_MODEL__THINKING", "loud", "folded"),
        ("BOT_MODEL__TEMPERATURE", "3", "2"),
        ("BOT_MODEL__PROXY", "proxy:3128", "http://"),
    ],
)
def test_a_wrong_wish_of_a_model_is_one_clear_line(
    name: str, value: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = refusal(monkeypatch, **{name: value})
    assert told.startswith(name)
    assert hint in told
    assert "\n" not in told


def test_a_proxys_password_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "secret" not in refusal(monkeypatch, BOT_MODEL__PROXY="ann:secret@proxy:3128")
