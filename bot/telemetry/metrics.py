"""What is counted, as Prometheus has it; `docs/monitoring.md` says what each metric means and what to do."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from bot.dialogue import Answer, Platform, Turn

# A label never has more values than this, whatever a settings file or a server makes up.
_MOST_NAMES = 20
_OTHER = "other"

_QUICK = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 300.0)
_LONG = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)


class Names:
    """The first so many different names; every later one is "other", so that a label stays bounded."""

    def __init__(self, most: int = _MOST_NAMES) -> None:
        """`most` is how many are told apart."""
        self._most = most
        self._known: set[str] = set()

    def bounded(self, name: str) -> str:
        """Give the name, or "other" where there are too many already; an empty name is "none"."""
        name = name or "none"
        if name not in self._known and len(self._known) >= self._most:
            return _OTHER
        self._known.add(name)
        return name


class Metrics:
    """
    What happens in this process, counted where it happens.

    The labels are platforms, models, and the program's own words; never a person, a workspace or a text.
    """

    def __init__(self, platforms: Iterable[Platform], version: str) -> None:
        """Those of `platforms` are there from the start with a zero, so that a first event is a rise."""
        self.registry = CollectorRegistry()
        self._models, self._reasons, self._outcomes = Names(), Names(40), Names(40)
        ProcessCollector(registry=self.registry)
        self._gauge("frontdesk_build_info", "The program's version.", "version").labels(version).set(1)
        self._define_questions()
        self._define_answers()
        self._define_work()
        for platform in platforms:
            for counter in (self._accepted, self._posts, self._retried, self._taken_over, self._rescued):
                counter.labels(platform)
            self.in_work.labels(platform)

    def accepted(self, platform: Platform) -> None:
        """Count a message that was accepted for an answer."""
        self._accepted.labels(platform).inc()

    def taken(self, turn: Turn) -> None:
        """Count a turn that was taken up, and from whom."""
        platform = turn.conversation.channel.platform
        if turn.waited is not None:
            self._wait.labels(platform).observe(turn.waited)
        if turn.taken_over:
            self._taken_over.labels(platform).inc()

    def ended(self, turn: Turn, answer: Answer) -> None:
        """Count how a turn ended, how long it took and what it cost."""
        platform, model = turn.conversation.channel.platform, self._models.bounded(answer.model)
        self._answers.labels(platform, model, answer.outcome).inc()
        if answer.error:
            self._failures.labels(platform, self._reasons.bounded(answer.error)).inc()
        self._seconds.labels(platform, model).observe(answer.seconds)
        if answer.first_text_seconds is not None:
            self._first_text.labels(platform, model).observe((turn.waited or 0.0) + answer.first_text_seconds)
        if answer.usage is not None:
            self._tokens.labels(platform, model, "prompt").inc(answer.usage.prompt_tokens)
            self._tokens.labels(platform, model, "completion").inc(answer.usage.completion_tokens)
        if answer.cost is not None:
            self._cost.labels(platform, model).inc(float(answer.cost))

    def called(self, model: str, outcome: str, first_seconds: float | None) -> None:
        """Count a call of a model, by its outcome ("ok", or why not) and its first token."""
        model = self._models.bounded(model)
        self._calls.labels(model, self._outcomes.bounded(outcome)).inc()
        if first_seconds is not None:
            self._first_token.labels(model).observe(first_seconds)

    def posted(self, platform: Platform) -> None:
        """Count a post that stands."""
        self._posts.labels(platform).inc()

    def retried(self, platform: Platform) -> None:
        """Count a post that is tried once more, in this process or after another one's death."""
        self._retried.labels(platform).inc()

    def rescued(self, platform: str) -> None:
        """Count a wake-up that its worker left behind."""
        self._rescued.labels(Platform(platform)).inc()

    def _define_questions(self) -> None:
        where, model = ("platform",), ("platform", "model")
        self._accepted = self._counter("frontdesk_accepted", "Messages accepted for an answer.", *where)
        self._wait = self._times(
            "frontdesk_wait_seconds", "From accepted (or asked again) to taken up.", _QUICK, *where
        )
        self._first_text = self._times(
            "frontdesk_first_text_seconds", "From accepted to the answer's first text.", _QUICK, *model
        )

    def _define_answers(self) -> None:
        model = ("platform", "model")
        self._answers = self._counter("frontdesk_answers", "Turns ended, by outcome.", *model, "outcome")
        self._failures = self._counter(
            "frontdesk_failures", "Turns ended with an error, by its reason.", "platform", "reason"
        )
        self._seconds = self._times("frontdesk_answer_seconds", "From taken up to its end.", _LONG, *model)
        self._tokens = self._counter("frontdesk_tokens", "Tokens of the answers.", *model, "kind")
        self._cost = self._counter("frontdesk_cost_dollars", "US dollars that answers cost.", *model)
        self._calls = self._counter(
            "frontdesk_model_calls", 'Calls of a model; the outcome "ok", or why not.', "model", "outcome"
        )
        self._first_token = self._times(
            "frontdesk_model_first_token_seconds", "From the call to its first token.", _QUICK, "model"
        )

    def _define_work(self) -> None:
        where = ("platform",)
        self._posts = self._counter("frontdesk_posts", "Posts that were made or edited.", *where)
        self._retried = self._counter(
            "frontdesk_posts_retried",
            "Posts tried again: refused for now, unanswered, or left by a death.",
            *where,
        )
        self._taken_over = self._counter(
            "frontdesk_leases_taken_over", "Turns taken over from a holder that fell silent.", *where
        )
        self._rescued = self._counter(
            "frontdesk_wakeups_rescued", "Wake-ups that their worker left behind.", *where
        )
        self.in_work = self._gauge("frontdesk_answers_in_work", "Answers in hand in this process.", *where)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _times(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(name, text, labels, buckets=buckets, registry=self.registry)
