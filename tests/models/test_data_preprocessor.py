"""Packing, padding, noise and the errors that name the video."""
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.structures import InstanceData

from cltdr_mm.models.data_preprocessor import TALDataPreprocessor
from cltdr_mm.structures import TimeMajor, unpack


def samples(*names):
    return [ActionDataSample(metainfo=dict(video_name=name)) for name in names]


@pytest.mark.parametrize(('longest', 'divisor', 'pad_to', 'expected'), [
    (5, None, None, [5, 2]), (5, None, 60, [60, 60]), (60, 8, 60, [60, 60]),
    (61, 8, 60, [64, 64]), (61, None, 60, [61, 61]), (1, 32, 1, [32, 32]),
])
def test_rows_that_a_model_sees(longest, divisor, pad_to, expected):
    """Its own, or with `pad_to` the padded length of the batch."""
    preprocessor = TALDataPreprocessor(pad_to=pad_to, size_divisor=divisor)
    layout = preprocessor.pack([torch.randn(3, longest), torch.randn(3, 2)]).layout
    assert layout.lengths == (longest, 2) and list(layout.seen) == expected


@pytest.mark.parametrize('pad_to', [None, 12])
def test_pack(pad_to):
    inputs = [torch.randn(3, n) for n in (5, 9, 1)]
    packed = TALDataPreprocessor(pad_to=pad_to).pack(inputs)
    batch, mask = unpack(packed)
    assert batch.shape == (3, 3, pad_to or 9)
    for row, x in enumerate(inputs):
        assert torch.equal(batch[row, :, :x.shape[1]], x)
        assert (batch[row, :, x.shape[1]:] == 0).all()
        assert mask[row].nonzero()[:, 0].tolist() == list(range(x.shape[1]))
    assert not packed.rows[packed.layout.gap_rows].any()


def test_which_way_a_sequence_lies():
    """A plain tensor is (C, T), a TimeMajor (T, C); nothing is guessed, not even of a square."""
    pack = TALDataPreprocessor().pack
    for channels, steps in ((4, 7), (4, 4)):
        x = torch.randn(channels, steps)
        plain, rows = pack([x]), pack([TimeMajor(x.t().contiguous())])
        assert plain.layout.lengths == rows.layout.lengths == (steps, )
        assert torch.equal(plain.rows, rows.rows)
        assert torch.equal(plain.rows[plain.layout.valid_rows], x.t())
    square = torch.randn(4, 4)
    assert not torch.equal(pack([square]).rows, pack([TimeMajor(square)]).rows)
    mixed = pack([square, TimeMajor(square.t())])
    assert torch.equal(*unpack(mixed)[0])


def test_gradients_reach_the_inputs():
    """Features may come from a network before this one."""
    x = torch.randn(3, 5, requires_grad=True)
    TALDataPreprocessor(pad_to=9).pack([x, torch.randn(3, 7)]).rows.sum().backward()
    assert (x.grad == 1).all()


def test_forward():
    preprocessor = MODELS.build(dict(type='TALDataPreprocessor', size_divisor=8, pad_to=20))
    given = samples('a', 'b')
    inputs = [torch.randn(3, 5), TimeMajor(torch.randn(9, 3))]
    out = preprocessor(dict(inputs=inputs, data_samples=given))
    assert set(out) == {'inputs', 'data_samples'}
    layout = out['inputs'].layout
    assert layout.lengths == (5, 9) and layout.seen == (20, 20)
    assert out['inputs'].rows.shape == (layout.num_rows, 3)
    assert [sample.video_name for sample in out['data_samples']] == ['a', 'b']
    assert preprocessor(dict(inputs=inputs))['data_samples'] is None


@pytest.mark.parametrize('pad_to', [None, 500])
def test_noise_in_training_at_valid_steps_only(pad_to):
    torch.manual_seed(0)
    preprocessor = TALDataPreprocessor(input_noise=0.5, pad_to=pad_to)
    inputs = [torch.zeros(50, 400), torch.zeros(50, 100)]
    packed = preprocessor(dict(inputs=inputs), training=True)['inputs']
    valid = packed.rows[packed.layout.valid]
    assert abs(float(valid.std()) - 0.5) < 0.01 and abs(float(valid.mean())) < 0.01
    assert (packed.rows[~packed.layout.valid] == 0).all()
    assert (inputs[0] == 0).all()  # the data set's own tensor is not touched
    assert (preprocessor(dict(inputs=inputs), training=False)['inputs'].rows == 0).all()


@pytest.mark.parametrize(('bad', 'error', 'message'), [
    (torch.randn(4, 5), ValueError, "video 'late': 4 channels in a batch that starts with 3"),
    (TimeMajor(torch.randn(3, 5)), ValueError, "video 'late': 5 channels in a batch .* with 3"),
    (torch.randn(3, 0), ValueError, "video 'late': features have no time step"),
    (torch.randn(3), ValueError, r"video 'late': features must be \(channels, steps\)"),
    (TimeMajor(torch.randn(3)), ValueError, r"video 'late': .* \(steps, channels\), got .*3,"),
    (torch.ones(3, 4).long(), TypeError, "video 'late': .* floating point tensor, got torch.int64"),
])
def test_bad_input_names_the_video(bad, error, message):
    data = dict(inputs=[torch.randn(3, 5), bad], data_samples=samples('early', 'late'))
    with pytest.raises(error, match=message):
        TALDataPreprocessor()(data)


def test_bad_input_without_samples_names_its_place():
    pack = TALDataPreprocessor().pack
    with pytest.raises(ValueError, match='input 1: features have no time step'):
        pack([torch.randn(3, 5), torch.randn(3, 0)])
    with pytest.raises(TypeError, match='input 0: .* got list'):
        pack([[1.0, 2.0]])
    with pytest.raises(ValueError, match='empty batch'):
        pack([])


@pytest.mark.parametrize('label', [3, -1])
def test_labels_are_looked_at_before_they_are_moved(label):
    """On a GPU a look would have to wait for it."""
    moved = []

    class Watched(TALDataPreprocessor):
        def cast_data(self, data):
            moved.append(data)
            return super().cast_data(data)

    preprocessor = Watched()
    preprocessor.num_classes = 3
    given = samples('early', 'late')
    for sample, labels in zip(given, ([2, 0], [1, label])):
        sample.gt_instances = InstanceData(segments=torch.rand(2, 2), labels=torch.tensor(labels))
    data = dict(inputs=[torch.randn(3, 5)] * 2, data_samples=given)
    with pytest.raises(ValueError, match='video late has labels .*, but num_classes is 3'):
        preprocessor(data)
    assert not moved
    given[1].gt_instances.labels = torch.tensor([1, 2])
    preprocessor(data)
    assert moved
    # videos to predict need no labels
    preprocessor(dict(inputs=[torch.randn(3, 5)], data_samples=samples('test')))


@pytest.mark.parametrize('kwargs, message', [
    (dict(size_divisor=0), 'size_divisor must be at least 1'),
    (dict(size_divisor=8), 'size_divisor belongs to pad_to'),
    (dict(pad_to=0), 'pad_to must be at least 1'),
    (dict(input_noise=-1), 'input_noise must not be negative'),
])
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        TALDataPreprocessor(**kwargs)


def test_unknown_arguments():
    with pytest.raises(TypeError, match='TALDataPreprocessor has no argument .*colour'):
        TALDataPreprocessor(colour='red')
