"""Kinds of words, most of them closed classes, that tell people's talk from talk with a bot; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

# Who is spoken of (i, we, they, it), how (should, hedge, neg, affect), when (past, time), and what is wanted
# (do, more, need, please). A word may be of several kinds.
_ENGLISH = {
    "i": """
        i i'm im i've ive i'd me my mine myself
    """,
    "we": """
        we us our ours we're we've we'd let's lets
    """,
    "they": """
        he she him her his hers he's she's he'd she'd they they're their them
    """,
    "it": """
        it it's its this that that's these those
    """,
    "neg": """
        not no never nothing don't doesn't didn't won't can't cannot isn't aren't wasn't weren't haven't
        hasn't couldn't wouldn't shouldn't dont doesnt didnt wont cant isnt nope
    """,
    "should": """
        should could might must would may shall gonna
    """,
    "hedge": """
        maybe perhaps probably think guess suppose believe suspect prefer afaik imo imho iirc honestly
        tbh reckon apparently seems sounds looks pretty kinda feel hope bet
    """,
    "past": """
        did was were had got went said told asked tried saw used came took made found broke worked
        happened thought heard forgot changed moved sent ran merged fixed pushed deployed
    """,
    "time": """
        today tomorrow tonight yesterday monday tuesday wednesday thursday friday saturday sunday week
        weekend later soon already morning afternoon evening noon lunch dinner minutes hour hours min
        mins now yet
    """,
    "good": """
        green works worked fixed solved done back found sorted figured running resolved passed perfect
        up finally
    """,
    "polite": """
        thanks thank thx ty cheers appreciate please sorry
    """,
    "social": """
        boss manager colleague colleagues team meeting standup call coffee lunch dinner desk office
        bring join invite ping slack dm friend wife husband mom dad kid kids sister brother guys folks
        everyone everybody anyone someone legal finance marketing sales qa ops hr intern demo party
    """,
    "affect": """
        lol haha phew ugh wow finally crazy love hate weird annoying nice great awesome wild insane
        brutal ouch damn yikes oof omg funny lovely sad glad happy sorry hmm huh neat sweet cool classic
        typical wonderful amazing beautiful terrible awful ridiculous easier worse better smart clever
    """,
    "problem": """
        error errors fail fails failed failing still crash crashes crashed broken stuck nothing says
        missing wrong again same timeout empty
    """,
    "and": """
        and but so also then plus what
    """,
    "do": """
        explain show give list write rewrite rephrase summarise summarize translate tell make add put
        find compare describe draft convert format shorten expand repeat elaborate include remove
        calculate count generate create suggest recommend provide sort turn change break split try
        continue archive book reserve order check remind set update open close delete schedule cancel
        extend filter group sum rank limit plot draw fix correct replace use keep skip drop swap merge
        start restart stop run send post cut combine simplify define name pick choose plan estimate look
        search quote cite insert exclude prefer rename move assign round export
    """,
    "more": """
        more less another shorter longer simpler instead only without same else next other again better
        formal fewer different version example examples option options
    """,
    "please": """
        please pls plz
    """,
    "self": """
        i'll ill gonna we'll lemme done fixed solved worked works found figured managed finished back up
    """,
    "meant": """
        meant mean means wrong actually rather
    """,
    "still": """
        still yet already keeps keep again cannot can't cant won't doesn't
    """,
    "need": """
        need want wanted like looking wish require prefer meant
    """,
    "note": """
        note record update fyi reminder psa heads self btw
    """,
    "who": """
        who whose anybody anyone someone somebody everyone
    """,
    "wh": """
        what whats why how hows where wheres when who whos which whose
    """,
    "aux": """
        is are does do did can could will would should has have was were any
    """,
}
_CHINESE = {
    "i": """
        我 俺 本人
    """,
    "we": """
        我们 咱 大家 一起
    """,
    "they": """
        他 她
    """,
    "it": """
        这 那 它 该
    """,
    "neg": """
        不 没 别 无 未
    """,
    "should": """
        应该 得 最好 不如 必须 该 干脆
    """,
    "hedge": """
        觉得 可能 好像 估计 大概 也许 感觉 应该 猜 怕是 其实 似乎 说不定 反正 吧
    """,
    "past": """
        了 过 刚 昨 上次 之前 已经 以前
    """,
    "time": """
        今天 明天 昨天 后天 今晚 晚上 周一 周二 周三 周四 周五 周末 下周 上周 待会 一会 等下 马上
        早上 下午 中午 上午 回头 刚 礼拜 星期 分钟
    """,
    "social": """
        老板 领导 同事 会 客户 团队 吃饭 开会 咖啡 饭 财务 法务 运维 产品 设计 组 工位 群 朋友 老婆
        老公 妈 爸 孩子 兄弟 哥 姐 老师 同学
    """,
    "affect": """
        哈 呵 哇 厚 蛤 尴尬 抱抱 真惨 羡慕 佩服 好家伙 我就知道 又是 香 爽 救命 卷 狠 气死 唉 哎 啊
        太 终于 居然 竟然 真的 神奇 牛 绝了 烦 气 惨 吓 崩溃 好用 舒服 贵 便宜 离谱 无语 不错 厉害
        哭 笑 可惜 难怪 怪不得 果然 服了 真是 !
    """,
    "problem": """
        报错 错误 失败 还是 不行 不了 没有 没反应 崩 卡 提示 显示 找不到 没用 又 打不开 404 超时
    """,
    "and": """
        那 还有 另外 然后 那么 但 可 所以 如果 要是
    """,
    "do": """
        告诉 说说 说下 讲讲 介绍 解释 列 写 改 翻译 总结 给 算 查 找 加 删 换 做 生成 推荐 说明 整理 比较 对比
        预订 预定 订 提醒 更新 排 举例 讲 发 润色 补充 标 画 转 设
    """,
    "more": """
        更 再 另 别的 其他 还有 换 只 不要 少 多 短 长 简单 正式 详细 例子 版
    """,
    "please": """
        请 麻烦 帮
    """,
    "self": """
        我去 我来 我先 我再 我这 搞定 好了 解决 弄好 修好 试试 成功 可以了 找到了 通了 行了 我给
    """,
    "meant": """
        意思 说的是 指的 问的 不是 错 不对 应该是
    """,
    "still": """
        还是 仍 依然 一直 总是 又 也不
    """,
    "need": """
        想 要是 需要 希望 想要 最好 能不能 求
    """,
    "note": """
        记录 备忘 记个 记一 同步 通知 提醒 各位 更新一下 顺便 补充 ps
    """,
    "good": """
        好了 绿了 通了 行了 收工 搞定 找到 搵到 成了 过了 修好 解决 可以了 完就
    """,
    "polite": """
        谢 感恩 唔该 唔該 辛苦 多谢 thx
    """,
    "who": """
        谁 哪位 有人 大佬 +1 边个
    """,
    "wh": """
        点解 点样 边个 边度 几时 乜 咩 什么 怎么 怎样 如何 为什么 哪 谁 几 多少 多久 多长 多大 啥
        咋 何时
    """,
    "aux": """
        吗 能 可以 是否 会 有没有 是不是 能不能 要不要
    """,
}
# What stands before a comma at the beginning, and is no name.
_OPENERS = re.compile(
    r"(?:那|好|对|不|没|谢|感|请|麻|是|嗯|哦|噢|行|可|但|所|因|如|要|还|另|其|话|顺|我|你|您|他|她|它|这|算|原|明|知|收|了|"
    r"哈|抱|刚|今|昨|已|现|然|首|最|再|同|帮|能|有|在|也|都|真|太|果|厉|完|等|先|打|看|试|问|补|换|按|用|小时|老是|阿里)"
    r"|(?:ok|okay|yes|no|yeah|nope|right|well|so|and|but|also|thanks|sorry|oh|ah|hm+|great|perfect|actually|"
    r"unfortunately|cool|nice|sure|wait|hey|hi|hello|also|then|now|fine|good|understood|alright|however|otherwise|"
    r"[a-z]+ly|first|next|finally|if|in|for|on)\b"
)
_SIMPLIFIED = str.maketrans(
    "們這還誰會說對嗎麼個時間來過後現開點嘗試請幫給聽覺見問題為當應該猜錯壞報沒無著話剛顯東邊裡頭寫發"
    "讓從條總樣種實際認識腦機緊關係軟體訊號設備檔資網頁經濟單產業務標準則須銷",
    "们这还谁会说对吗么个时间来过后现开点尝试请帮给听觉见问题为当应该猜错坏报没无着话刚显东边里头写发"
    "让从条总样种实际认识脑机紧关系软体讯号设备档资网页经济单产业务标准则须销",
)
_STOP_WORDS = """the a an of to in on for with is are it that this i you and or do does can how what"""
_STOP = frozenset(_STOP_WORDS.split())
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|[0-9]+")
_RUN = re.compile(r"[一-鿿]+")

_KINDS: dict[str, tuple[str, ...]] = {}
for _kind, _members in _ENGLISH.items():
    for _member in _members.split():
        _KINDS[_member] = (*_KINDS.get(_member, ()), _kind)
_PARTS = {kind: re.compile("|".join(map(re.escape, members.split()))) for kind, members in _CHINESE.items()}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The kinds of a text's words, those of its first English word, and about how many words it has."""

    kinds: frozenset[str]
    first: tuple[str, ...]
    length: float
    opener: bool


def vocabulary(text: str) -> Vocabulary:
    """Say of what kinds a text's words are; Chinese of both scripts is searched for parts of words."""
    plain = _plain(text)
    words = _WORD.findall(plain)
    kinds = {kind for word in words for kind in _KINDS.get(word, ())}
    letters = sum(len(run) for run in _RUN.findall(plain))
    if letters:
        kinds |= {kind for kind, parts in _PARTS.items() if parts.search(plain)}
        if "我" not in plain.replace("我们", ""):
            kinds.discard("i")
    first = _KINDS.get(words[0], ()) if words else ()
    return Vocabulary(frozenset(kinds), first, len(words) + letters / 1.6, bool(_OPENERS.match(plain)))


def grams(text: str) -> frozenset[str]:
    """Say what a text is about: its longer words, and pairs of Chinese characters."""
    return _grams(text[:500])


@lru_cache(maxsize=1024)  # a thread's lines are compared with each message that comes
def _grams(opening: str) -> frozenset[str]:
    plain = _plain(opening)
    words = {word for word in _WORD.findall(plain) if len(word) > 2 and word not in _STOP}
    return frozenset(words.union(*(_pairs(run) for run in _RUN.findall(plain))))


def _pairs(run: str) -> set[str]:
    return {run[start : start + 2] for start in range(len(run) - 1)}


def _plain(text: str) -> str:
    return text.lower().replace("’", "'").translate(_SIMPLIFIED)
