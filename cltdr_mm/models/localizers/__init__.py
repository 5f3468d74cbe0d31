"""Localizers: whole models in MMAction2's interface, put together from the parts next door."""
from .encoded import EncodedLocalizer, SequenceLocalizerHead
from .end_to_end import EndToEndLocalizer
from .single_stage import SingleStageLocalizer
from .verb_noun import VerbNounLocalizer

__all__ = [
    'EncodedLocalizer', 'EndToEndLocalizer', 'SequenceLocalizerHead', 'SingleStageLocalizer',
    'VerbNounLocalizer'
]
