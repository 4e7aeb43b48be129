"""Which language a chat message is in."""

from __future__ import annotations

import subprocess
import sys
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalogue import Catalogue
from bot.catalogue.language import language_of

PHRASES = [
    # Chinese, alone and with the English that engineers mix in
    ("你好", "zh"), ("好", "zh"), ("東京", "zh"), ("怎么重置密码？", "zh"), ("請問可以退貨嗎", "zh"),
    ("帮我看看这个 error message", "zh"), ("这个API怎么用", "zh"), ("Kubernetes 部署失败了", "zh"),
    ("看看https://example.com/a这个页面", "zh"), ("邮件发到ann@example.com了吗", "zh"),
    ("```" + "long log line\n" * 1_000 + "```\n为什么？", "zh"),
    ("使用 kubernetes deployment rollout restart 的时候报错 connection refused to the server", "zh"),
    ("<@U12345> 帮我总结一下 https://example.com/very/long/path/to/page", "zh"),
    ("报错如下：\n```\nTraceback (most recent call last): something went terribly wrong\n```", "zh"),
    # other scripts
    ("これはペンです", "ja"), ("東京に行きたいです", "ja"), ("エラーが出ました", "ja"),
    ("デプロイ失敗", "ja"),
    ("안녕하세요", "ko"), ("비밀번호를 어떻게 바꾸나요?", "ko"), ("API 오류가 발생했습니다", "ko"),
    ("Привет, как дела?", "ru"), ("Не работает git push", "ru"),
    ("Привіт, як змінити пароль? Дякую, її", "uk"),
    ("كيف يمكنني تغيير كلمة المرور؟", "ar"), ("چطور رمز عبور را تغییر دهم؟ پیشاپیش", "fa"),
    ("איך מחליפים סיסמה?", "he"), ("เปลี่ยนรหัสผ่านอย่างไร", "th"), ("पासवर्ड कैसे बदलें?", "hi"),
    ("Πώς αλλάζω τον κωδικό;", "el"), ("როგორ ხარ", "ka"), ("Ինչպես ես", "hy"), ("আপনি কেমন আছেন", "bn"),
    ("எப்படி இருக்கிறீர்கள்", "ta"),
    # Latin, long and clear
    ("Wie setze ich mein Passwort zurück?", "de"), ("Der Server antwortet nicht mehr, was tun?", "de"),
    ("Comment puis-je réinitialiser mon mot de passe ?", "fr"), ("Merci beaucoup pour votre aide", "fr"),
    ("¿Cómo cambio mi contraseña?", "es"), ("Muchas gracias por la ayuda", "es"),
    ("Come posso cambiare la password?", "it"), ("Como faço para mudar minha senha?", "pt"),
    ("Hoe wijzig ik mijn wachtwoord?", "nl"), ("Jak mogę zmienić hasło?", "pl"),
    ("Şifremi nasıl değiştirebilirim?", "tr"), ("Làm thế nào để đổi mật khẩu?", "vi"),
    ("Hur byter jag lösenord?", "sv"), ("Bagaimana cara mengganti kata sandi saya?", "id"),
    ("Jak si změním heslo do systému?", "cs"), ("Hogyan tudom megváltoztatni a jelszavamat?", "hu"),
    # Latin, short or unclear: English
    ("Hello", "en"), ("ok", "en"), ("thanks!", "en"), ("LGTM", "en"), ("Bonjour", "en"), ("merci", "en"),
    ("How do I reset my password?", "en"), ("git push origin main rejected non-fast-forward", "en"),
    ("npm install error EACCES permission denied", "en"), ("restart nginx server", "en"),
    ("kubectl get pods crashloopbackoff", "en"), ("please translate 你好 into English for me", "en"),
    ('Can you say "Guten Morgen"?', "en"), ("what does “привет” mean in English", "en"), ("a" * 40_000, "en"),
    ("Can you summarise https://beispiel.example/wie-setze-ich-mein-passwort-zurueck for us?", "en"),
    # nothing to tell by
    ("", ""), ("   \n", ""), ("👍", ""), ("🎉🎉🎉 :tada:", ""), ("123 + 456 = 579", ""),
    ("?!…", ""), ("\x00", ""),
    ("```print('hello world')```", ""), ("`ls -la`", ""), ("https://example.com/hello/world", ""),
    ("<@U12345>", ""), ("<https://example.com|the page>", ""), ("@alice #general", ""),
    ("ann@example.com", ""),
    ("```\nan open fence that never closes", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "language"), PHRASES, ids=lambda value: str(value)[:24])
def test_a_phrase_is_told(text: str, language: str) -> None:
    assert language_of(text) == language


def test_the_table_is_long_enough() -> None:
    assert len(PHRASES) >= 60


def test_the_catalogue_tells_languages_too() -> None:
    assert Catalogue().language_of("你好") == "zh"


@given(st.text(max_size=200))
def test_any_text_gets_a_code_or_nothing(text: str) -> None:
    assert len(language_of(text)) in {0, 2}


@given(st.sampled_from([text for text, language in PHRASES if language not in {"", "en"}]))
def test_code_beside_it_changes_nothing(text: str) -> None:
    assert language_of(f"{text}\n```\nfor line in open(path): print(line, end='')\n```") == language_of(text)


@pytest.mark.parametrize(
    "part",
    ["中", "word ", "<", "<a", "`", "`a", "```", "a@", "a.", "@", ":a", ":", "http://", "a" * 60 + "'", "#a"],
)
def test_forty_thousand_characters_take_no_time(part: str) -> None:
    language_of("Wie setze ich mein Passwort zurück?")  # the model is loaded before the clock starts
    began = process_time()
    language_of(part * (40_000 // len(part)))
    assert process_time() - began < 1.0


def test_chinese_and_plain_english_do_not_unpack_the_model_and_nothing_loads_numpy() -> None:
    code = (
        "import sys; from bot.catalogue import Catalogue, language; tell = Catalogue().language_of\n"
        "assert tell('你好') == 'zh' and tell('ok') == 'en'\n"
        "assert tell('How do I reset my password, please?') == 'en'\n"
        "assert not language._opened\n"
        "assert tell('Wie setze ich mein Passwort zurück?') == 'de' and language._opened\n"
        "assert 'py3langid' not in sys.modules and 'numpy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
