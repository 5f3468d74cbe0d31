"""Checkpoints that an older version trained under other defaults."""
import pytest
from mmaction.registry import MODELS
from mmengine.config import Config

from cltdr_mm.engine.checkpoint_fit import check_fit
from cltdr_mm.engine.older_defaults import older_settings
from cltdr_mm.utils import TALDataError
from cltdr_mm.version import __version__


def localizer(backbone=None, head=None):
    return dict(
        type='SingleStageLocalizer', data_preprocessor=dict(type='TALDataPreprocessor'),
        backbone=dict(type='GMG', in_channels=4, embed_dims=16, arch=(2, 1, 1), **(backbone or {})),
        neck=dict(type='IdentityNeck'),
        head=dict(type='CLTDRHead', num_classes=2, num_bins=4, **(head or {})))


def checkpoint_of(model, trained_as=None, version='0.2.0'):
    """Weights of a model beside the config that a version would have stored."""
    cfg = dict(model=trained_as or model)
    meta = {}
    if version is None:  # 0.1.0 did not write it
        cfg['default_hooks'] = dict(external_scores=dict(type='ExternalScoresHook'))
    elif version:
        meta['cltdr_mm_version'] = version
    meta['cfg'] = Config(cfg).pretty_text
    return dict(meta=meta, state_dict=MODELS.build(model).state_dict())


@pytest.mark.parametrize('version', [None, '0.1.0', '0.2.0', '0.3.0.dev0'])
def test_another_norm_of_the_transform_is_refused_and_the_override_named(version):
    checkpoint = checkpoint_of(localizer(), version=version)
    trained_by = version or '0.1.0'
    with pytest.raises(TALDataError, match=r"x\.pth: fft_norm: was 'backward' .* by version "
                       f"{trained_by}, and is 'ortho' .*model.backbone.fft_norm=backward"):
        check_fit(checkpoint, MODELS.build(localizer()), 'x.pth')
    check_fit(checkpoint, MODELS.build(localizer(dict(fft_norm='backward'))), 'x.pth')


@pytest.mark.parametrize('trained_as', [
    localizer(dict(fft_norm='ortho')), localizer(dict(variant='release'))])
def test_the_norm_that_was_set_is_the_one_that_counts(trained_as):
    check_fit(checkpoint_of(localizer(), trained_as), MODELS.build(localizer()), 'x.pth')


def test_todays_checkpoints_weights_alone_and_other_encoders_pass():
    attention = localizer(dict(global_mixer='attention'))
    check_fit(checkpoint_of(attention), MODELS.build(attention), 'x.pth')
    model = MODELS.build(localizer())
    check_fit(checkpoint_of(localizer(), version=__version__), model, 'x.pth')
    check_fit(dict(state_dict=model.state_dict()), model, 'x.pth')
    check_fit(checkpoint_of(localizer(), version=''), model, 'x.pth')  # MMEngine's own hook


def test_kernels_that_have_changed_are_named_where_weights_do_not_fit():
    hacs = localizer(head=dict(kernel_size=5))
    old = checkpoint_of(localizer(
        head=dict(kernel_size=5, refine_kernel_sizes=dict(trunk=5, cls=5, offset=5))), hacs)
    with pytest.raises(TALDataError, match='does not fit .* version 0.2.0 trained it') as caught:
        check_fit(old, MODELS.build(hacs), 'x.pth')
    options = str(caught.value).split('--cfg-options ')[1].split()
    assert 'model.head.refine_kernel_sizes.offset=5' in options
    cfg = Config(dict(model=hacs))
    cfg.merge_from_dict({key: value if not value.isdigit() else int(value)
                         for key, value in (option.split('=') for option in options)})
    check_fit(old, MODELS.build(cfg.model), 'x.pth')


def test_a_head_inside_of_asl():
    old = localizer()
    old['head'] = dict(type='ASLHead', head=dict(old['head'], kernel_size=5))
    settings = older_settings(checkpoint_of(localizer(), old))
    assert settings['model.head.head.refine_kernel_sizes.trunk'] == 5
    assert not any(key.startswith('model.head.refine') for key in settings)


def test_values_of_levels_are_written_as_an_option_takes_them():
    settings = older_settings(checkpoint_of(
        localizer(), localizer(dict(kernel_size=[3, 5], fft_norm='ortho'))))
    assert settings['model.backbone.kernel_size'] == [3, 5]
    assert settings['model.backbone.fft_norm'] == 'ortho'
