"""Wakes on jobs, has turns answered and delivered, folds what no longer fits."""

from bot.worker.answering import Answerer
from bot.worker.attaching import Attaching
from bot.worker.caring import Caring
from bot.worker.queue import Queue
from bot.worker.queued import Queued
from bot.worker.worker import Worker

__all__ = ["Answerer", "Attaching", "Caring", "Queue", "Queued", "Worker"]
