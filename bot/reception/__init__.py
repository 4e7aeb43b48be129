"""The door in, behind which everything that people do is kept and carried out."""

from bot.reception.courtesy import Courtesy
from bot.reception.reception import Reception

__all__ = ["Courtesy", "Reception"]
