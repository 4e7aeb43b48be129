"""English phrases that tell whom a message is for."""

from __future__ import annotations

from bot.attention.phrases import Phrases, either

# Words at the very beginning that say nothing yet.
_OPENING = (
    r"^(?>[\W_]*\b(?:and|so|but|ok(?:ay)?|well|also|hm+|wait|then|oh|ah|btw|now|great|nice|cool|thanks|"
    r"thank you|yes|yeah|no|not|sorry|actually|by the way|damn|bruh)\b)*[\W_]*"
)
_AUXILIARY = (
    r"(?:is|are|does|do|did|can|could|would|will|should|has|have|was|were|"
    r"isn't|doesn't|didn't|can't|won't|aren't)"
)
_WORK = (
    r"(?:explain|show|give|list|write|rewrite|rephrase|summari[sz]e|translate|tell|make|add|put|find|"
    r"compare|"
    r"describe|draft|convert|format|shorten|expand|repeat|say|elaborate|include|remove|calculate|count|"
    r"generate|"
    r"create|suggest|recommend|provide|sort|turn|change|break|split|try again|go on|continue|archive|"
    r"look up)"
)

PHRASES = Phrases(
    question=either(
        r"\?",
        rf"{_OPENING}(?:what|why|how|where|when|who|which|whose|any)(?:'s|'re)?\b",
        rf"{_OPENING}{_AUXILIARY} (?:i|it|this|that|the|there|they|we|he|she|you|u|my|our|any|[a-z]+s)\b",
    ),
    enquiry=either(r"\b(?:how|what|where|which|why)\b(?!\s*\?*$)"),
    request=either(
        r"\b(?:please|pls|plz)\b",
        rf"{_OPENING}(?:{_WORK}|more|shorter|longer|again|instead|(?:how|what) (?:about|if))\b",
        rf"{_OPENING}in (?:english|chinese|spanish|french|german|japanese|a table)\b",
        rf"[.!,] (?:but |and |now ){{0,2}}{_WORK}\b",
    ),
    able=either(
        rf"\b(?:can|could|would|will) (?:you|u)(?: (?:also|please|pls|maybe|at least|just|again|"
        rf"now))* {_WORK}\b"
    ),
    you=either(
        r"(?<!thank )(?<!see )(?<!bless )\b(?:you|u|ya|yours|you're|you've|you'd|y'all)\b",
        r"\b(?:your|ur)\b(?! (?:answer|list|suggestion|example|last|first))",
        r"\b(?:wanna|want me to)\b",
    ),
    asks_all=either(
        r"\b(?:any|some)(?:one|body)\b(?: (?:here|else|of you|happen to))* (?:know|knows|can tell|sure)\b"
    ),
    seeks=either(
        r"\b(?:any|some)(?:one|body)\b",
        r"\bwho (?:else|wants?|can|could|will|has time|takes?|is (?:free|in|up|around|taking|doing))\b",
        r"\b(?:you all|y'all|you guys|you both|all of you|one of you)\b",
        r"^(?:hey |hi |ok )?(?:guys|folks|team|everyone|everybody|all)\b\s*[,:!]",
    ),
    team=either(
        rf"{_OPENING}(?:let's|lets|let us|we (?:should|could|need|must|all|can)|shall we|should we)\b",
        rf"{_OPENING}fyi\b",
    ),
    advice=either(
        rf"{_OPENING}(?:try(?! again)|maybe|perhaps|probably|looks like|i(?:'d| would| think| guess|"
        rf" don't think| believe|"
        r" suspect| use| had to))\b",
        r"\b(?:maybe|perhaps)\W*$|\bmaybe try\b",
    ),
    correction=either(
        r"^(?:no|nope|not|wrong|sorry)\b.{0,12}\b(?:i meant?|i asked|what i|the|that)\b",
        r"\bi meant\b|\bthat(?:'s| is) (?:wrong|not)\b",
    ),
    later=either(
        r"(?:i'?ll|i will|gonna|let me|lemme|i'm (?:going to|gonna)|will)\s(?!be\b)(?!(?:just |also )?"
        r"(?:take|have|need|go with|pay|want|like|prefer|choose|pick|book|stay|leave|start|arrive|eat|"
        r"use)\b)",
        r"brb|afk|off to|(?:going|gone) (?:to|for) \w+$",
    ),
    assent=either(
        r"(?:ok(?:ay|ie)?|kk?|yes|yep|yeah|yup|yess+|sure(?: thing)?|alright|right|fine|sounds good|"
        r"do it|go ahead|"
        r"please do|yes please)\b"
    ),
    done=either(
        r"(?:thanks?(?: you| u)?(?: for (?:the|your|all the) help)?|thx|tysm|ty|cheers|perfect|awesome|"
        r"excellent|"
        r"amazing|great|brilliant|fantastic|nice|neat|sweet|cool|wow|omg|good (?:to know|one|job|bot|"
        r"stuff)|good|"
        r"(?:that's|that was|very) (?:it|great|perfect|helpful|all|awesome|good|useful)|helpful|"
        r"(?:that )?makes? sense|i see|gotcha|got it|understood|noted|til|appreciated?(?: it)?)\b",
        r"(?:lol+|lmao+|rofl|xd|(?:ha|he){2,}h?|ha|me too|mine too|same(?: here)?|following|looks good|"
        r"lgtm|"
        r"never ?mind|nvm|(?:i )?found it|my bad|all good|done|fixed|solved|resolved|true|agreed|exactly|"
        r"(?:it |that |this |now )*(?:works|worked|working|helped|did it|did the trick|was it|fixed it|"
        r"solved it))\b",
        r"(?:no (?:thanks|thank you|worries|problem|need)|np|you're welcome|bye+|goodbye|cya|"
        r"see (?:you|ya)(?: (?:later|tomorrow|then|there|around))?|good ?night|will do|on it|"
        r"have a (?:nice|good|great) (?:day|one|evening|weekend)|hi|hello|hey|(?:good )?morning)\b",
    ),
    filler=either(
        r"(?:so|please|very|much|again|a lot|man|mate|bro|really|now|all|everyone|guys|bot|then|oh|ah+|aha+|"
        r"hm+|huh|just|"
        r"anyway|a million|again|there|folks|team|and|but still|today|finally|it|that|the)\b"
    ),
)
