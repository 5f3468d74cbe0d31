"""ONNX files against torch: every encoder, neck and head, at lengths they were not recorded at."""
import inspect
import json
import sys

import numpy as np
import pytest
import torch
from mmaction.registry import MODELS
from mmengine.config import Config

from cltdr_mm.apis import TALInferencer
from cltdr_mm.apis.export import onnx_export
from cltdr_mm.apis.export.onnx_export import (
    PointGraph,
    compare,
    export_onnx,
    open_session,
    write_graph,
)
from cltdr_mm.cli import export, infer
from cltdr_mm.models.backbones import PyramidBackbone
from cltdr_mm.models.heads import PointHead
from cltdr_mm.utils import TALDataError

onnx = pytest.importorskip('onnx', reason='ONNX files need the extra "export"')
pytest.importorskip('onnxruntime', reason='ONNX files need the extra "export"')

CHANNELS, WIDTH, CLASSES = 6, 16, 3
#: None of them is the recorded one; one step, odd ones, one longer than any window or table.
LENGTHS = (1, 2, 7, 64, 801)


def registered(base):
    """Names of all registered subclasses."""
    return sorted(name for name, cls in MODELS.module_dict.items()
                  if inspect.isclass(cls) and issubclass(cls, base))


BACKBONES = [(name, {}) for name in registered(PyramidBackbone)] + [
    ('GMG', dict(global_mixer='affine', fft_norm='ortho', gate_act=None, stem_kernel_size=1)),
    ('GMG', dict(global_mixer='attention', use_abs_pe=True, max_len=50)),
    ('GMG', dict(global_mixer='fnet', fft_norm='ortho')),
    ('GMG', dict(global_mixer='gfnet', num_frequencies=20)),
    ('GMG', dict(global_mixer='afno')),
    ('SGP', dict(window_size=5, k=2)),
    ('ConvPyramid', dict(streams=[(2, 4), (CHANNELS - 2, 8)])),
    ('ActionFormer', dict(window_size=[3, 5, -1], use_abs_pe=True, max_len=50)),
    ('ConvPyramid', dict(kernel_size=[1, 9, 3], embed_kernel_size=9, embed_norm=False))]
HEADS = [(name, options) for name in registered(PointHead)
         for options in ({}, dict(refinement=dict(type='FineBoundaries')),
                         dict(quality=dict(type='QualityBranch', exponent=0.6)))] + [
    ('TridentHead', dict(refinement=dict(type='FineBoundaries', per_class=False),
                         quality=dict(type='QualityBranch', exponent=0.6))),
    ('CLTDRHead', dict(fusion='concat', score_fusion='logit_product', offsets_per_class=True,
                       offset_unit='grid', boundary_feats='pyramid')),
    ('CLTDRHead', dict(fusion_depthwise=False, fusion_kernel_size=1, kernel_size=5))]
assert {'GMG', 'SGP', 'LoGo'} <= {name for name, _ in BACKBONES}
assert {'CLTDRHead', 'TridentHead', 'CLFFHead'} <= {name for name, _ in HEADS}


def make_head(name, **options):
    bins = {} if name == 'ActionFormerHead' else dict(num_bins=4)
    return dict(type=name, num_classes=CLASSES, **bins, **options)


def make_model(backbone='GMG', head=None, neck='IdentityNeck', preprocessor=None, **options):
    """A localizer of three levels whose parameters are far from their start."""
    torch.manual_seed(4)
    stem = 0 if backbone in ('LoGo', 'TemporalMaxer') else 1
    model = MODELS.build(dict(
        type='SingleStageLocalizer',
        backbone=dict(type=backbone, in_channels=CHANNELS, embed_dims=WIDTH, arch=(1, stem, 2),
                      **options),
        neck=neck and dict(type=neck), head=head or make_head('CLTDRHead'),
        data_preprocessor=preprocessor))
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    return model.eval()


def check(model, path, lengths=LENGTHS):
    graph = PointGraph(model)
    assert len(graph.example()) not in lengths
    write_graph(graph, str(path), {})
    with torch.no_grad():
        scores, segments = graph(torch.randn(lengths[-1], CHANNELS))
    assert scores.std(0).min() > 1e-3 and segments.diff().std() > 1e-2, 'all points say the same'
    for parity in compare(graph, str(path), lengths):
        assert parity.holds and parity.segments < 1e-5, parity


@pytest.mark.parametrize(('name', 'options'), BACKBONES)
def test_backbones(name, options, tmp_path):
    check(make_model(name, **options), tmp_path / 'model.onnx')


@pytest.mark.parametrize(('name', 'options'), HEADS)
def test_heads(name, options, tmp_path):
    check(make_model('TemporalMaxer', make_head(name, **options)), tmp_path / 'model.onnx')


@pytest.mark.parametrize(('backbone', 'neck', 'head'), [
    ('GMG', 'IdentityNeck', make_head('TridentHead')),
    ('SGP', 'FPN1D', dict(type='ASLHead', head=make_head('ActionFormerHead'))),
    ('LoGo', None, make_head('CLTDRHead'))])
def test_mixtures(backbone, neck, head, tmp_path):
    check(make_model(backbone, head, neck), tmp_path / 'model.onnx')


@pytest.mark.parametrize('backbone', ['GMG', 'ActionFormer', 'LoGo'])
def test_padding_of_published_weights_is_in_the_graph(backbone, tmp_path):
    """Below what they are padded to, at it, and at and between the multiples above."""
    model = make_model(backbone, preprocessor=dict(pad_to=48))
    check(model, tmp_path / 'model.onnx', (1, 30, 48, 49, 52, 301))


def test_points_are_those_of_all_levels(tmp_path):
    path = str(tmp_path / 'model.onnx')
    write_graph(PointGraph(make_model(head=make_head('ActionFormerHead'))), path, {})
    scores, segments = open_session(path).run(
        None, dict(features=np.zeros((9, CHANNELS), np.float32)))
    assert scores.shape == (9 + 5 + 3, CLASSES)
    assert segments.shape == (9 + 5 + 3, 1, 2), 'classes share their boundaries'


@pytest.fixture
def exported(cfg, weights, tmp_path):
    path = tmp_path / 'model.onnx'
    assert [parity.steps for parity in export_onnx(cfg, weights, path, (1, 50))] == [1, 50]
    return path


def same_detections(found, expected):
    assert len(found) == len(expected) > 5
    assert [d['label'] for d in found] == [d['label'] for d in expected]
    for key, tolerance in (('score', 1e-5), ('segment', 1e-4)):
        np.testing.assert_allclose([d[key] for d in found], [d[key] for d in expected],
                                   atol=tolerance)


def test_the_file_alone_gives_the_detections(cfg, weights, folder, exported):
    expected = TALInferencer(cfg, weights, device='cpu')(str(folder))['predictions']
    inferencer = TALInferencer(str(exported))
    for batch_size in (1, 3):
        found = inferencer(str(folder), batch_size=batch_size)['predictions']
        for one, other in zip(found, expected):
            assert one['video_name'] == other['video_name']
            same_detections(one['detections'], other['detections'])
    with pytest.raises(ValueError, match='the model takes 6 channels'):
        inferencer(np.zeros((20, 5), np.float32), fps=10.)
    with pytest.raises(ValueError, match='holds its weights'):
        TALInferencer(str(exported), weights)


def test_sliding_windows(cfg, weights, folder, tmp_path):
    cfg.test_dataloader.dataset.window = dict(size=24, overlap=0.5)
    cfg.test_evaluator.postprocessor = cfg.model.pop('postprocessor')
    expected = TALInferencer(cfg, weights, device='cpu')(str(folder / 'v2.npy'))
    export_onnx(cfg, weights, tmp_path / 'model.onnx', (24, ))
    found = TALInferencer(str(tmp_path / 'model.onnx'))(str(folder / 'v2.npy'))
    same_detections(*(out['predictions'][0]['detections'] for out in (found, expected)))


def test_metadata(exported):
    known = {entry.key: entry.value for entry in onnx.load(exported).metadata_props}
    assert json.loads(known['classes']) == ['walk', 'sit', 'lie']
    assert json.loads(known['grid']) == dict(stride=5, window=10, fps=10.0)
    assert json.loads(known['candidates']) == dict(
        num_levels=3, score_thr=0.001, nms_pre=2000, min_length=0.05)
    config = Config.fromstring(known['config'], '.py')
    assert config.model.postprocessor.nms.type == 'SoftNMS'
    assert config.test_evaluator.protocol == 'thumos14'


def test_a_file_that_differs_is_not_written(cfg, weights, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_export, 'TOLERANCE', 0.)
    with pytest.raises(ValueError, match='not written.*differ from those of torch'):
        export_onnx(cfg, weights, tmp_path / 'model.onnx', (50, ))
    assert not list(tmp_path.glob('*.onnx'))


def test_nan_is_a_difference():
    assert not onnx_export.Parity(1, float('nan'), 0.).holds
    assert not onnx_export.Parity(1, 0., float('nan')).holds


def test_other_models_are_refused():
    with pytest.raises(ValueError, match='Linear cannot be exported'):
        PointGraph(torch.nn.Linear(1, 1))


def test_other_files_are_refused(bare, tmp_path):
    with pytest.raises(TALDataError, match='there is no such file'):
        TALInferencer(str(tmp_path / 'none.onnx'))
    (tmp_path / 'text.onnx').write_text('no graph')
    with pytest.raises(TALDataError, match='text.onnx'):
        TALInferencer(str(tmp_path / 'text.onnx'))
    with pytest.raises(TALDataError, match='not that of a file written by `cltdr export`'):
        TALInferencer(bare)


SETTINGS = dict(num_levels=3, nms_pre=10, score_thr=0.1, min_length=0.1)


@pytest.mark.parametrize(('key', 'text', 'message'), [
    ('classes', '[1]', 'must be a list of names'), ('classes', '[', 'must be a list of names'),
    ('candidates', '[]', 'must give numbers for num_levels'),
    ('candidates', json.dumps(dict(SETTINGS, nms_pre=1.5)), 'must give numbers'),
    ('candidates', json.dumps(dict(SETTINGS, score_thr='x')), 'must give numbers'),
    ('config', 'a = print(1)', 'is not made of literals')])
def test_metadata_that_says_something_else(key, text, message, bare, tmp_path):
    metadata = dict(classes='["a"]', candidates=json.dumps(SETTINGS), config='a = 1')
    model = onnx.load(bare)
    onnx.helper.set_model_props(model, dict(metadata, **{key: text}))
    onnx.save(model, tmp_path / 'changed.onnx')
    with pytest.raises(ValueError, match=f'changed.onnx.*{message}'):
        TALInferencer(str(tmp_path / 'changed.onnx'))


@pytest.fixture(scope='module')
def bare(tmp_path_factory):
    """A file without metadata."""
    path = str(tmp_path_factory.mktemp('bare') / 'bare.onnx')
    write_graph(PointGraph(make_model('TemporalMaxer')), path, {})
    return path


def test_without_the_runtime(monkeypatch, cfg, weights, tmp_path):
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    with pytest.raises(ImportError, match=r'pip install "cltdr-mm\[export\]"'):
        export_onnx(cfg, weights, tmp_path / 'model.onnx')


def test_file_knows_how_features_were_made(cfg, weights, tmp_path):
    """So that a video can be taken anywhere, where the training's manifest does not lie."""
    settings = dict(recognizer='motion', stride=5, window=10, fps=10.0, channels=CHANNELS)
    checkpoint = torch.load(weights)
    checkpoint['meta']['dataset_meta']['features'] = settings
    torch.save(checkpoint, weights)
    path = str(tmp_path / 'm.onnx')
    export_onnx(cfg, weights, path, [3])
    assert TALInferencer(path).pipeline.source.settings == settings


def test_command_line(cfg, weights, folder, tmp_path, capsys):
    """Export, then infer with the file."""
    cfg.dump(tmp_path / 'config.py')
    out = tmp_path / 'out'
    export.main([str(tmp_path / 'config.py'), weights, '--out', str(tmp_path / 'm.onnx'),
                 '--lengths', '3', '40'])
    printed = capsys.readouterr().out
    assert f'wrote {tmp_path / "m.onnx"}' in printed and 'untrained' not in printed
    infer.main([str(tmp_path / 'm.onnx'), str(folder / 'v1.npy'), '--out-dir', str(out),
                '--formats', 'json'])
    detections = json.loads((out / 'results.json').read_text())['results']['v1']
    expected = TALInferencer(cfg, weights, device='cpu')(str(folder / 'v1.npy'))
    same_detections(detections, expected['predictions'][0]['detections'])
    words = [str(tmp_path / 'm.onnx'), str(folder / 'v1.npy'), '--out-dir', str(out)]
    with pytest.raises(SystemExit, match='an ONNX file holds its weights and takes no checkpoint'):
        infer.main([words[0], weights, *words[1:]])
    with pytest.raises(SystemExit, match='as with an ONNX file, a number is wanted'):
        infer.main([*words, '--min-score', 'auto'])


def test_command_line_without_weights_says_so(cfg, tmp_path, capsys):
    cfg.dump(tmp_path / 'config.py')
    export.main([str(tmp_path / 'config.py'), '--out', str(tmp_path / 'm.onnx'),
                 '--lengths', '3'])
    assert 'the model is untrained' in capsys.readouterr().out


def test_command_line_changes_the_config(cfg, tmp_path):
    cfg.dump(tmp_path / 'config.py')
    with pytest.raises(SystemExit, match='model.head.num_clases: .* has no such argument'):
        export.main([str(tmp_path / 'config.py'), '--out', str(tmp_path / 'm.onnx'),
                     '--cfg-options', 'model.head.num_clases=3'])


@pytest.mark.parametrize('arguments', [
    ['config.py', 'x.pth'], ['checkpoint', '--out', 'm.onnx'], ['config.py', '--out', 'm.pt'],
    ['config.py', '--out', 'm.onnx', '--lengths', '0'],
    ['checkpoint', 'x.pth', '--out', 'm.onnx', '--cfg-options', 'model.head.num_bins=4']])
def test_wrong_arguments(arguments):
    with pytest.raises(SystemExit):
        export.parse_args(arguments)
