"""MMEngine's errors in the words of a config."""
import pytest
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.runner import Runner

import cltdr_mm  # noqa: F401
from cltdr_mm.utils.explained import explain, place, suggestion


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


def test_an_argument_of_the_part_inside():
    cfg = Config(dict(model=dict(type='SingleStageLocalizer', head=dict(
        type='ASLHead', refinement=dict(type='FineBoundaries'),
        head=dict(type='ActionFormerHead', num_classes=2)),
        backbone=dict(type='GMG', in_channels=4, embed_dims=16))))
    with pytest.raises(TypeError) as error:
        MODELS.build(cfg.model)
    assert explain(error.value, cfg) == (
        'model.head.refinement: ASLHead has no such argument, ActionFormerHead inside it has: '
        'write model.head.head.refinement')


def test_an_argument_of_a_part_whose_type_is_the_default():
    cfg = Config(dict(model=dict(
        type='SingleStageLocalizer', backbone=dict(type='GMG', in_channels=4, embed_dims=16),
        head=dict(type='CLTDRHead', num_classes=2), data_preprocessor=dict(input_nois=0.5))))
    with pytest.raises(TypeError) as error:
        MODELS.build(cfg.model)
    assert explain(error.value, cfg) == (
        'model.data_preprocessor.input_nois: TALDataPreprocessor has no such argument: did you '
        'mean `input_noise`? (model.data_preprocessor has no `type`)')


def test_other_errors_are_left_alone():
    assert explain(ValueError('x'), {}) is None
    assert explain(KeyError('x'), {}) is None
    assert explain(TypeError("f() got an unexpected keyword argument 'x'"), {}) == (
        "f() got an unexpected keyword argument 'x'")


def test_suggestions():
    assert suggestion('adamw', ['AdamW', 'SGD']) == ': did you mean `AdamW`?'
    assert suggestion('adamw', ['SGD']) == ''


def placed(build, cfg):
    with pytest.raises(Exception) as error:
        build()
    return place(error.value, cfg)


def test_the_part_that_was_being_built():
    good = dict(type='GMG', in_channels=16, embed_dims=16)
    cfg = Config(dict(model=dict(
        type='SingleStageLocalizer', backbone=good,
        head=dict(type='CLTDRHead', num_classes=0)), other=dict(a=1), visualizer=3))
    # the localizer adds the width and the levels of the backbone to what the config says
    assert placed(lambda: MODELS.build(cfg.model), cfg) == 'model.head'
    cfg.model.backbone = 'GMG'
    assert placed(lambda: MODELS.build(cfg.model), cfg) == 'model.backbone'
    assert placed(lambda: Runner.build_visualizer(None, cfg.visualizer), cfg) == 'visualizer'
    assert placed(lambda: MODELS.build(dict(type='Gone')), cfg) == ''
    assert placed(lambda: MODELS.build(cfg.model), {}) == ''


@pytest.mark.parametrize('error, cfg, line', [
    (KeyError('model'), dict(a=1), 'the config has no `model`'),
    (KeyError('INFOO'), dict(log_level='INFOO'), "log_level: 'INFOO' is not known"),
    (KeyError('X is not in the mmaction::data sampler registry. Please'),
     dict(train_dataloader=dict(sampler=dict(type='X'))),
     'train_dataloader.sampler.type: `X` is not registered (as data_sampler)'),
    (KeyError('TALVisualizer is not in the mmengine::visualizer registry. Please'),
     dict(default_scope='mmactoin', visualizer=dict(type='TALVisualizer')),
     "visualizer.type: `TALVisualizer` is not found from default_scope='mmactoin'"),
    (TypeError("DataLoader.__init__() got an unexpected keyword argument 'batchsize'"),
     dict(val_dataloader=dict(batchsize=1)),
     'val_dataloader.batchsize: DataLoader has no such argument: did you mean `batch_size`?'),
    (ValueError('val_dataloader, val_cfg, and val_evaluator should be either all None or not None, '
                'but got ...'), dict(val_dataloader=dict(a=1), val_cfg=dict(b=1)),
     'val_evaluator of val_dataloader, val_cfg, val_evaluator is None or missing: they are given '
     'together or not at all')])
def test_other_words(error, cfg, line):
    assert explain(error, Config(cfg)) == line
