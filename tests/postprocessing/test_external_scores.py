import json

import numpy as np
import pytest
import torch
from mmaction.registry import TASK_UTILS

from cltdr_mm.datasets import TALDataError
from cltdr_mm.postprocessing.functional import fuse_scores

SCORES = {'a': [0.1, 0.7, 0.2], 'b': [[0.5, 0.2, 0.3]]}


def write(folder, suffix, classes=None, key='classes'):
    path = folder / f'scores{suffix}'
    if suffix == '.json':
        content = {'results': SCORES, key: classes} if classes else SCORES
        path.write_text(json.dumps(content))
    elif suffix == '.npz':
        arrays = {k: np.array(v) for k, v in SCORES.items()}
        np.savez(path, **arrays, **(dict(classes=np.array(classes)) if classes else {}))
    else:
        table = np.array([(k, np.ravel(v)) for k, v in SCORES.items()],
                         dtype=[('video', 'U8'), ('scores', 'f8', (3, ))])
        np.save(path, table)
    return str(path)


def build(path, **kwargs):
    return TASK_UTILS.build(dict(type='ExternalScores', score_file=path, **kwargs))


@pytest.mark.parametrize('suffix', ['.json', '.npz', '.npy'])
def test_formats(tmp_path, suffix):
    scores = build(write(tmp_path, suffix))
    assert scores.scores['a'].tolist() == [0.1, 0.7, 0.2]
    assert scores.scores['b'].tolist() == [0.5, 0.2, 0.3]
    segments, fused, labels = scores(torch.tensor([[0., 1.], [2., 4.]]), torch.tensor([0.5, 0.25]),
                                     'a')
    assert labels.tolist() == [1, 1, 2, 2]
    assert fused.tolist() == pytest.approx([0.35, 0.175, 0.1, 0.05])
    assert segments.tolist() == [[0., 1.], [2., 4.], [0., 1.], [2., 4.]]


@pytest.mark.parametrize('suffix', ['.json', '.npz'])
def test_classes_in_another_order(tmp_path, suffix):
    scores = build(write(tmp_path, suffix, ['x', 'y', 'z']), classes=['z', 'x'])
    assert scores.scores['a'].tolist() == [0.2, 0.1]
    with pytest.raises(TALDataError, match=r"scores\..*: classes: no scores for \['w'\]"):
        build(write(tmp_path, suffix, ['x', 'y', 'z']), classes=['w']).check_videos(['a'])


def test_geometric_mean_ranks_the_same():
    g = torch.Generator().manual_seed(0)
    segments, scores = torch.rand(30, 2, generator=g), torch.rand(30, generator=g)
    classes = torch.rand(5, generator=g)
    _, product, labels = fuse_scores(segments, scores, classes, 3)
    _, mean, mean_labels = fuse_scores(segments, scores, classes, 3, 'geometric_mean')
    assert labels.tolist() == mean_labels.tolist()
    torch.testing.assert_close(mean, product.sqrt())
    expected = sorted((float(s) * float(c) for s in scores for c in classes.topk(3)[0]),
                      reverse=True)
    assert product.tolist() == pytest.approx(expected)


def test_prefix_and_more_classes_asked_than_there_are(tmp_path):
    path = tmp_path / 's.json'
    path.write_text(json.dumps({'v_a': [0.4, 0.6]}))
    segments, fused, labels = build(str(path), prefix='v_', topk=5)(
        torch.tensor([[0., 1.]]), torch.tensor([1.]), 'a')
    assert labels.tolist() == [1, 0] and fused.tolist() == pytest.approx([0.6, 0.4])
    empty = build(str(path))(torch.zeros(0, 2), torch.zeros(0), 'v_a')
    assert [len(x) for x in empty] == [0, 0, 0]


def test_missing_video_names_file_and_video(tmp_path):
    path = write(tmp_path, '.json')
    with pytest.raises(TALDataError, match=r"scores\.json: scores: none for 1 of 2 videos: 'c'"):
        build(path).check_videos(['a', 'c'])
    with pytest.raises(TALDataError, match=r"scores\.json: scores: none .* 'c'"):
        build(path)(torch.zeros(1, 2), torch.zeros(1), 'c')


@pytest.mark.parametrize('content, message', [
    ('{"a": [0.1, NaN]}', "video 'a': scores: NaN"),
    ('{"a": [0.1, -2]}', "video 'a': scores: must not be negative"),
    ('{"a": "high"}', "video 'a': scores: not a list of numbers"),
    ('{"a": [[1, 2], [3, 4]]}', r"video 'a': scores: must be one number a class, .*\(2, 2\)"),
    ('{}', 'holds no video'),
    ('{"a": [1, 1' + '0' * 400 + ']}', "video 'a': scores: not a list of numbers"),
    ('[1]', 'file: must hold a JSON object'),
    ('{"a"', 'file: is not valid JSON'),
])
def test_bad_files(tmp_path, content, message):
    path = tmp_path / 'bad.json'
    path.write_text(content)
    with pytest.raises(TALDataError, match=r'bad\.json: .*' + message):
        build(str(path)).check_videos(['a'])


def test_no_file_and_pickles(tmp_path):
    with pytest.raises(TALDataError, match='file: cannot be read'):
        build(str(tmp_path / 'none.json')).check_videos(['a'])
    with pytest.raises(TALDataError, match='a pickle can run code'):
        build(str(tmp_path / 'scores.pkl')).check_videos(['a'])
    for name in ('damaged.npz', 'damaged.npy'):
        (tmp_path / name).write_bytes(b'PK\x03\x04 nonsense')
        with pytest.raises(TALDataError, match=rf'{name}: file: cannot be read'):
            build(str(tmp_path / name)).check_videos(['a'])
    np.save(tmp_path / 'object.npy', np.array([dict(a=[1.])], dtype=object))
    with pytest.raises(TALDataError, match=r'object\.npy: file: cannot be read'):
        build(str(tmp_path / 'object.npy')).check_videos(['a'])


def test_bad_arguments():
    with pytest.raises(ValueError, match='fusion must be one of'):
        build('x.json', fusion='sum')
    with pytest.raises(ValueError, match='topk must be positive'):
        build('x.json', topk=0)


@pytest.mark.parametrize('key', ['classes', 'class'])
def test_the_data_sets_classes_order_the_scores(tmp_path, key):
    path = write(tmp_path, '.json', ['x', 'y', 'z'], key)
    with pytest.raises(TALDataError, match=r'scores\.json: classes: are named'):
        build(path).check_videos(['a'])  # nobody has said how the labels are ordered
    processor = TASK_UTILS.build(dict(
        type='TALPostProcessor', fusion=dict(type='ExternalScores', score_file=path)))
    processor.set_classes(None)
    processor.set_classes(['y', 'z', 'x'])
    assert processor.fusion.scores['a'].tolist() == [0.7, 0.2, 0.1]
    own = build(path, classes=['z', 'x'])
    own.set_classes(['x', 'y'])
    assert own.scores['a'].tolist() == [0.2, 0.1], "the config's own go first"


def test_one_score_a_class(tmp_path):
    scores = build(write(tmp_path, '.json'))
    scores.set_classes(['x', 'y'])
    with pytest.raises(TALDataError, match=r"scores\.json: video 'a': scores: 3 numbers for 2 cl"):
        scores.check_videos(['a'])


def test_videos_in_another_unicode_form(tmp_path):
    composed, decomposed = 'K\u00fcche', 'Ku\u0308che'
    for name, asked, prefix in ((composed, decomposed, ''), (f'v_{decomposed}', composed, 'v_')):
        (tmp_path / 's.json').write_text(json.dumps({name: [0.1, 0.9]}))
        scores = build(str(tmp_path / 's.json'), topk=1, prefix=prefix)
        scores.check_videos([asked])
        assert scores(torch.tensor([[0., 1.]]), torch.tensor([1.]), asked)[2].tolist() == [1]
    (tmp_path / 's.json').write_text(json.dumps({'\u00e9e\u0301': [1], 'e\u0301e\u0301': [1]}))
    with pytest.raises(TALDataError, match=r's\.json: .*2 names differ from .* Unicode form only'):
        build(str(tmp_path / 's.json')).check_videos(['\u00e9\u00e9'])


def test_an_archive_that_unpacks_a_thousandfold(tmp_path):
    np.savez_compressed(tmp_path / 's.npz', a=np.zeros(2**24))
    with pytest.raises(TALDataError, match=r's\.npz: file: .*would take 134,2.*CLTDR_MAX_BYTES'):
        build(str(tmp_path / 's.npz')).check_videos(['a'])


@pytest.mark.parametrize('classes', [np.array(3), np.array('x'), np.array([1, 2, 3]),
                                     np.array([['x', 'y', 'z']]), np.array(['x', 'x', 'y'])])
def test_classes_of_a_file_must_be_names(tmp_path, classes):
    np.savez(tmp_path / 's.npz', a=np.ones(3), classes=classes)
    with pytest.raises(TALDataError, match=r's\.npz: '):
        build(str(tmp_path / 's.npz'), classes=['x', 'y', 'z']).check_videos(['a'])


def test_names_that_are_no_text(tmp_path):
    """A damaged file may hold numbers beyond any character."""
    table = np.array([('ab', [0.5, 0.5])], dtype=[('video', 'U2'), ('scores', 'f8', (2, ))])
    np.save(tmp_path / 's.npy', table)
    content = (tmp_path / 's.npy').read_bytes()
    (tmp_path / 's.npy').write_bytes(content.replace(b'a\0\0\0b', b'a\xff\xff\xffb'))
    with pytest.raises(TALDataError, match=r's\.npy: file: .*names hold what is no text'):
        build(str(tmp_path / 's.npy')).check_videos(['ab'])


def test_a_video_in_two_rows(tmp_path):
    table = np.array([('a', [0.5, 0.5])] * 2, dtype=[('video', 'U2'), ('scores', 'f8', (2, ))])
    np.save(tmp_path / 's.npy', table)
    with pytest.raises(TALDataError, match='a video is there twice'):
        build(str(tmp_path / 's.npy')).check_videos(['a'])


def test_logits_take_their_softmax(tmp_path):
    """The layout of TCANet's file of HACS: (1, K) logits by video, names under `class`."""
    logits = {'a': [[2., -1., 0.5]], 'b': [[-3., -1., -2.]]}
    path = tmp_path / 'validation94.32.json'
    path.write_text(json.dumps({'results': logits, 'class': ['x', 'y', 'z']}))
    scores = build(str(path), classes=['z', 'x', 'y'], topk=3, softmax=True)
    for video, (row, ) in logits.items():
        expected = np.exp(row) / np.exp(row).sum()
        np.testing.assert_allclose(scores.scores[video], expected[[2, 0, 1]], rtol=1e-12)
    _, fused, labels = scores(torch.tensor([[0., 1.]]), torch.tensor([0.5]), 'a')
    assert labels.tolist() == [1, 0, 2] and float(fused.sum()) == pytest.approx(0.5)
    # the published score doubles the softmax: other scores, the same order
    _, doubled, published = fuse_scores(torch.tensor([[0., 1.]]), torch.tensor([0.5]),
                                        2 * torch.from_numpy(scores.scores['a']), 3)
    assert published.tolist() == labels.tolist()
    torch.testing.assert_close(doubled, 2 * fused)
    with pytest.raises(TALDataError, match="video 'a': scores: must not be negative: of logits .*"
                                           'softmax=True'):
        build(str(path), classes=['x', 'y', 'z']).check_videos(['a'])
