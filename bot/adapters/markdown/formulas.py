"""Says LaTeX in Unicode where that can be read, else leaves it to be shown as code."""

from __future__ import annotations

import re

_RAISED = dict(
    zip(
        "0123456789+-=()abcdefghijklmnoprstuvwxyzT′",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀ′",
        strict=True,
    )
)
_LOWERED = dict(zip("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))

_TABLE = """
alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ
mu μ nu ν xi ξ pi π rho ρ sigma σ tau τ upsilon υ phi φ varphi ϕ chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ
Lambda Λ Xi Ξ Pi Π Sigma Σ Phi Φ Psi Ψ Omega Ω times × div ÷ cdot · pm ± mp ∓ leq ≤ le ≤ geq ≥ ge ≥ neq ≠ ne ≠
approx ≈ equiv ≡ sim ∼ propto ∝ infty ∞ sum ∑ prod ∏ int ∫ partial ∂ nabla ∇ in ∈ notin ∉ subset ⊂ subseteq ⊆
supset ⊃ cup ∪ cap ∩ emptyset ∅ forall ∀ exists ∃ neg ¬ land ∧ lor ∨ to → rightarrow → leftarrow ←
Rightarrow ⇒ Leftarrow ⇐ implies ⇒ iff ⇔ leftrightarrow ↔ mapsto ↦ ldots … cdots ⋯ dots … angle ∠ perp ⊥
parallel ∥ circ ∘ degree ° prime ′ oplus ⊕ otimes ⊗ ast ∗ star ⋆ mid ∣ langle ⟨ rangle ⟩ lfloor ⌊ rfloor ⌋
lceil ⌈ rceil ⌉ hbar ℏ ell ℓ ll ≪ gg ≫ because ∵ therefore ∴ triangle △ square □ | ‖ sin sin cos cos tan tan
log log ln ln exp exp lim lim max max min min det det gcd gcd mod mod arg arg sup sup inf inf Pr Pr
{ { } } % % $ $ # # & & _ _
"""
_NAMES = _TABLE.split()
_SIGNS = {
    **dict(zip(_NAMES[::2], _NAMES[1::2], strict=True)),
    **{",": " ", ";": " ", ":": " ", "!": "", " ": " ", "quad": "  ", "qquad": "   ", "\\": "\n"},
    **dict.fromkeys(("left", "right", "big", "Big", "displaystyle", "limits"), ""),
}
_SETS = {"R": "ℝ", "N": "ℕ", "Z": "ℤ", "Q": "ℚ", "C": "ℂ", "P": "ℙ", "E": "𝔼"}

_GROUP = r"\{((?:[^{}]|\\[{}])*)\}"
_FRACTION = re.compile(rf"\\[dt]?frac\s*{_GROUP}\s*{_GROUP}")
_ROOT = re.compile(rf"\\sqrt\s*(?:\[(\d)\])?\s*{_GROUP}")
_SET = re.compile(r"\\mathbb\s*\{?([RNZQCPE])\}?")
_NAMED = re.compile(
    rf"\\(?:text|textbf|textit|mathrm|mathbf|mathit|mathcal|operatorname|boxed)\*?\s*{_GROUP}"
)
_ACCENT = re.compile(r"\\(vec|hat|bar|overline|tilde|dot)\s*(?:\{(\w)\}|(\w))")
_ACCENTS = {
    "vec": "\u20d7",
    "hat": "\u0302",
    "bar": "\u0304",
    "overline": "\u0304",
    "tilde": "\u0303",
    "dot": "\u0307",
}
_SCRIPT = re.compile(rf"([_^])\s*(?:{_GROUP}|(\\[A-Za-z]+|[^\s{{}}(]))")
_COMMAND = re.compile(r"\\([A-Za-z]+|.)\s?")
_SPACES = re.compile(r" {2,}")
_LONGEST = 600
_ROUNDS = 8


def readable(latex: str) -> str | None:
    """Say a formula in Unicode; None where too little of it can be said so."""
    if len(latex) > _LONGEST or "\\begin" in latex:
        return None
    text = _SET.sub(lambda found: _SETS[found[1]], latex)
    text = _ACCENT.sub(lambda found: (found[2] or found[3]) + _ACCENTS[found[1]], text)
    for _ in range(_ROUNDS):
        before = text
        text = _NAMED.sub(r"\1", text)
        text = _FRACTION.sub(lambda found: f"{_grouped(found[1])}/{_grouped(found[2])}", text)
        text = _ROOT.sub(_root, text)
        text = _SCRIPT.sub(_script, text)
        if text == before:
            break
    text = _COMMAND.sub(_sign, text)
    if "\\" in text or "{" in text or "}" in text:
        return None
    return _SPACES.sub(" ", text).strip() or None


def raised(text: str, *, lower: bool = False) -> str:
    """Write a text above (or below) the line where there are letters for it, else behind a ^ (or _)."""
    letters = _LOWERED if lower else _RAISED
    if text and all(letter in letters for letter in text):
        return "".join(letters[letter] for letter in text)
    mark = "_" if lower else "^"
    return mark + text if len(text) <= 1 else f"{mark}({text})"


def noted(label: str) -> str:
    """Write the mark of a footnote: a number above the line, a name in brackets."""
    return raised(label) if label.isascii() and label.isdigit() else f"[{label}]"


def _grouped(text: str) -> str:
    simple = re.fullmatch(r"\s*(?:\w+|\\[A-Za-z]+|\d+[.,]\d+)\s*", text)
    return text.strip() if simple else f"({text.strip()})"


def _root(found: re.Match[str]) -> str:
    sign = {"": "√", "3": "∛", "4": "∜"}.get(found[1] or "")
    if sign is None:
        sign = f"{raised(found[1])}√"
    return sign + _grouped(found[2])


def _script(found: re.Match[str]) -> str:
    inner = found[2] if found[2] is not None else found[3]
    if inner == "\\circ":
        return "°"
    if inner == "\\prime":
        return "′"
    if "_" in inner or "^" in inner:
        return found[0] if found[2] is None else f"{found[1]}({inner})"
    said = _COMMAND.sub(_sign, inner).replace(" ", "")
    return raised(said, lower=found[1] == "_") if "\\" not in said else found[0]


def _sign(found: re.Match[str]) -> str:
    name = found[1]
    if name not in _SIGNS:
        return found[0]
    said = _SIGNS[name]
    spaced = found[0][-1:] == " " and len(found[0]) > 2 and said and not said.isspace()
    return said + (" " if spaced else "")
