"""How families of models want to be asked, as a table; what it does not know is learnt from refusals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit


class Switch(StrEnum):
    """By what parameter a model is told how much to think."""

    EFFORT = "reasoning_effort"  # OpenAI, and most that serve several families
    QWEN = "enable_thinking"  # Alibaba Cloud Model Studio; only where the answer streams, as ours do
    TEMPLATE = "chat_template_kwargs"  # vLLM, SGLang and llama.cpp's server: passed to the chat template
    TYPE = "thinking"  # DeepSeek and Zhipu


@dataclass(frozen=True, slots=True)
class Habits:
    """
    How one family of models wants to be asked.

    `thinks` says that thoughts are paid for out of the answer's tokens, `cool` that a temperature is taken.
    """

    sees: bool = False
    thinks: bool = False
    cool: bool = True
    switch: Switch = Switch.EFFORT


_OPENAI = Habits(sees=True, thinks=True, cool=False)

# The first that fits the name, without what stands before its last slash. After the vendors' own pages:
# "Reasoning models" (OpenAI), "Thinking Mode" (DeepSeek), "Deep thinking" (Model Studio), "Vision" (all).
_FAMILIES: tuple[tuple[re.Pattern[str], Habits], ...] = tuple(
    (re.compile(pattern), habits)
    for pattern, habits in (
        (r"gpt-[5-9][\d.]*-chat", Habits(sees=True, cool=False)),
        (r"gpt-[5-9]", _OPENAI),
        (r"o1-(mini|preview)|o3-mini", Habits(thinks=True, cool=False)),
        (r"o[134](-|$)", _OPENAI),
        (r"gpt-oss", Habits(thinks=True)),
        (r"gpt-4(o|\.1|-turbo)|chatgpt-4o", Habits(sees=True)),
        (r"deepseek-(flash|v4.*vision)", Habits(sees=True, thinks=True, switch=Switch.TYPE)),
        (r"deepseek-(reasoner|r1|v[4-9])", Habits(thinks=True, switch=Switch.TYPE)),
        (r"deepseek", Habits(switch=Switch.TYPE)),
        (r"qvq", Habits(sees=True, thinks=True, switch=Switch.QWEN)),
        (r"qwq", Habits(thinks=True, switch=Switch.QWEN)),
        (r"qwen.*(-vl|omni)|qwen3\.[5-9]-(plus|flash|\d)", Habits(sees=True, switch=Switch.QWEN)),
        (r"qwen", Habits(switch=Switch.QWEN)),
        (r"glm-[4-9][\d.]*v", Habits(sees=True, switch=Switch.TYPE)),
        (r"glm-", Habits(switch=Switch.TYPE)),
        (r"magistral", Habits(sees=True, thinks=True)),
        (r"pixtral|mistral-(small|medium|large)", Habits(sees=True)),
        (r"claude-|gemini-|grok-[4-9]|kimi-k2\.[5-9]", Habits(sees=True)),
        (r"llama-?4|gemma-?[34]|llava|minicpm-v|internvl", Habits(sees=True)),
    )
)  # fmt: skip
_STRANGER = Habits()
# Vendors whose reasoning models read and write far more than we ask for; a server of one's own may not.
_ROOMY = (
    ".openai.com", ".azure.com", ".deepseek.com", ".aliyuncs.com", ".mistral.ai", ".groq.com", ".x.ai",
    ".z.ai", ".openrouter.ai", ".googleapis.com", ".bigmodel.cn", ".moonshot.cn", ".moonshot.ai",
    ".siliconflow.cn",
)  # fmt: skip
# Thoughts are paid out of the answer's tokens: so many times its room is given on top, at the most so much.
_THOUGHT_SHARE, _MOST_THOUGHT = 8, 16_384
_MODEL_STUDIO = ("aliyuncs.com", "alibabacloud.com", "siliconflow.cn", "siliconflow.com")


def habits_of(model: str) -> Habits:
    """Look a model up by its name; of a stranger nothing is supposed."""
    name = model.lower().rpartition("/")[2]
    return next((habits for pattern, habits in _FAMILIES if pattern.match(name)), _STRANGER)


def thinking_room(habits: Habits, base_url: str, effort: str, answer_tokens: int) -> int:
    """Say how many tokens more than the answer's a model is given to think."""
    host = f".{urlsplit(base_url).hostname or ''}"
    if not habits.thinks or effort == "none" or not host.endswith(_ROOMY):
        return 0
    return min(answer_tokens * _THOUGHT_SHARE, _MOST_THOUGHT)


def thinking(habits: Habits, base_url: str, effort: str) -> dict[str, object]:
    """Write how much the model shall think, as a part of a chat request; nothing where that is left to it."""
    if not effort:
        return {}
    thinks = effort != "none"
    switch = habits.switch
    if switch is Switch.QWEN and not (urlsplit(base_url).hostname or "").endswith(_MODEL_STUDIO):
        switch = Switch.TEMPLATE
    if switch is Switch.QWEN:
        return {switch.value: thinks}
    if switch is Switch.TEMPLATE:
        return {switch.value: {"enable_thinking": thinks}}
    if switch is Switch.TYPE:
        kind = {"type": "enabled" if thinks else "disabled"}
        return {switch.value: kind, **({Switch.EFFORT.value: effort} if thinks else {})}
    return {switch.value: effort}
