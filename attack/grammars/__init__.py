"""The grammars of disguises: what is called, how it is written, what it is wrapped in, and where it lies."""

from attack.grammars.pickles import PICKLES

GRAMMARS = (PICKLES,)
