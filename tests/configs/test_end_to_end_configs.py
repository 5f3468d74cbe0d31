"""The base of end-to-end models, and others that put a front before a model of features."""
import pytest
from config_models import CONFIGS, build, load, millions
from mmengine.config import Config


def test_base():
    """ActionFormer as it is, of the front's width; MMAction2's SlowOnly-R50 without classifier."""
    model = build(load('_base_/models/end_to_end_actionformer'))
    assert model.backbone.in_channels == model.front.out_channels == 2048
    assert millions(model.front) == pytest.approx(31.63, abs=0.01)
    features = build(load('_base_/models/actionformer'))
    assert millions(model) - millions(model.front) == millions(features)
    assert all(param.requires_grad for param in model.parameters())


@pytest.mark.parametrize('name', ['cltdr_gmg', 'tridet', 'logo', 'temporalmaxer'])
def test_a_front_before_any_model(name, tmp_path):
    """As docs/methods/end_to_end.md has it."""
    path = tmp_path / 'mine.py'
    path.write_text(
        f"_base_ = [{str(CONFIGS / '_base_/models' / name) + '.py'!r}]\n"
        "model = dict(\n"
        "    type='EndToEndLocalizer',\n"
        "    data_preprocessor=dict(type='TALVideoPreprocessor'),\n"
        "    front=dict(type='ClipFront', frames_per_step=4, backbone=dict(\n"
        "        type='SwinTransformer3D', arch='tiny', pretrained2d=False)),\n"
        "    backbone=dict(in_channels=None))\n")
    model = build(Config.fromfile(path))
    assert model.backbone.in_channels == model.front.out_channels == 768
