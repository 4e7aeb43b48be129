"""What Chinese phrases tell, in both scripts."""

from __future__ import annotations

import pytest

from bot.attention.wording import read


@pytest.mark.parametrize(
    "text", ["为什么", "為什麼", "支持吗", "有兩個螢幕嗎", "有用不", "定了没", "要多久", "哪个桥", "能不能退"]
)
def test_questions(text: str) -> None:
    assert read(text).asks


@pytest.mark.parametrize("text", ["还是不行", "上傳失敗", "第二个", "我的包裹一直没到", "關了"])
def test_statements_are_no_questions(text: str) -> None:
    assert not read(text).asks


@pytest.mark.parametrize(
    "text", ["请对比一下", "翻成英文", "继续", "短一点", "能给个例子吗", "再活潑一點的", "用 python 写一个"]
)
def test_requests(text: str) -> None:
    assert read(text).requests
    assert not read(text).to_you


@pytest.mark.parametrize("text", ["你用的是旧电脑吗", "您那边好了吗", "妳明天進公司喔", "要不要我重启一下"])
def test_second_persons(text: str) -> None:
    assert read(text).to_you


@pytest.mark.parametrize(
    "text", ["明天谁有空", "有人一起打吗", "还有人遇到吗", "大家覺得呢", "各位中午前投票", "谁来弄"]
)
def test_people_are_sought(text: str) -> None:
    assert read(text).seeks


@pytest.mark.parametrize("text", ["有人知道要多久吗", "誰知道怎麼弄"])
def test_whoever_knows_is_asked(text: str) -> None:
    assert (read(text).asks_all, read(text).seeks) == (True, False)


@pytest.mark.parametrize("text", ["不对，我说的是上周", "我的意思是另一个", "错了吧", "不是團隊版"])
def test_corrections(text: str) -> None:
    assert read(text).corrects


@pytest.mark.parametrize("text", ["试试重启", "應該是快取", "估计是代理", "建議先重開"])
def test_advice(text: str) -> None:
    assert read(text).advises


@pytest.mark.parametrize("text", ["咱们分一下", "我們都該再看一次", "风险登记表我来"])
def test_what_a_team_does(text: str) -> None:
    assert read(text).team
