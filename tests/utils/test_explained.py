"""MMEngine's errors in the words of a config."""
import pytest
from mmaction.registry import MODELS
from mmengine.config import Config

import cltdr_mm  # noqa: F401
from cltdr_mm.utils.explained import explain, suggestion


def built(**backbone):
    """What is said of a model with such a backbone."""
    cfg = Config(dict(model=dict(type='SingleStageLocalizer', backbone=backbone,
                                 head=dict(type='PointHead'))))
    with pytest.raises((KeyError, TypeError)) as error:
        MODELS.build(cfg.model.backbone)
    return explain(error.value, cfg)


def test_a_misspelt_type():
    assert built(type='SPG') == ('model.backbone.type: `SPG` is not registered (as model): did you '
                                 'mean `SGP`?')
    assert built(type='Zzzzzz').endswith('`Zzzzzz` is not registered (as model)')


def test_a_misspelt_argument():
    settings = dict(type='GMG', in_channels=4, embed_dims=8)
    assert built(**settings, ffn_dim=8) == (
        'model.backbone.ffn_dim: GMG has no such argument: did you mean `ffn_dims`?')
    # the base class takes this one, and its error names that class
    assert built(**settings, init_cgf=None) == (
        'model.backbone.init_cgf: GMG has no such argument: did you mean `init_cfg`?')


def test_other_errors_are_left_alone():
    assert explain(ValueError('x'), {}) is None
    assert explain(KeyError('x'), {}) is None
    assert explain(TypeError("f() got an unexpected keyword argument 'x'"), {}) == (
        "f() got an unexpected keyword argument 'x'")


def test_suggestions():
    assert suggestion('adamw', ['AdamW', 'SGD']) == ': did you mean `AdamW`?'
    assert suggestion('adamw', ['SGD']) == ''
