"""Padding, masks, noise and the errors that name the video."""
import pytest
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample

from cltdr_mm.models.data_preprocessor import TALDataPreprocessor, pad_sequences, padded_length


def samples(*names):
    return [ActionDataSample(metainfo=dict(video_name=name)) for name in names]


@pytest.mark.parametrize(('longest', 'divisor', 'pad_to', 'expected'), [
    (5, 1, None, 5), (5, 8, None, 8), (8, 8, None, 8), (9, 8, None, 16), (1, 32, None, 32),
    (5, 8, 60, 60), (60, 8, 60, 60), (61, 8, 60, 64),
])
def test_padded_length(longest, divisor, pad_to, expected):
    assert padded_length(longest, divisor, pad_to) == expected


def test_pad_sequences():
    inputs = [torch.randn(3, n) for n in (5, 9, 1)]
    batch, masks = pad_sequences(inputs, size_divisor=4)
    assert batch.shape == (3, 3, 12) and masks.shape == (3, 12)
    assert masks.dtype == torch.bool
    for row, x in enumerate(inputs):
        assert torch.equal(batch[row, :, :x.shape[1]], x)
        assert (batch[row, :, x.shape[1]:] == 0).all()
        assert masks[row].tolist() == [True] * x.shape[1] + [False] * (12 - x.shape[1])


def test_gradients_reach_the_inputs():
    """Features may come from a network before this one."""
    x = torch.randn(3, 5, requires_grad=True)
    pad_sequences([x, torch.randn(3, 7)])[0].sum().backward()
    assert (x.grad == 1).all()


def test_forward():
    preprocessor = MODELS.build(dict(type='TALDataPreprocessor', size_divisor=8, pad_to=20))
    given = samples('a', 'b')
    out = preprocessor(dict(inputs=[torch.randn(3, 5), torch.randn(3, 9)], data_samples=given))
    assert set(out) == {'inputs', 'masks', 'data_samples'}
    assert out['inputs'].shape == (2, 3, 20)
    assert out['masks'].sum(dim=1).tolist() == [5, 9]
    assert [sample.video_name for sample in out['data_samples']] == ['a', 'b']
    assert preprocessor(dict(inputs=[torch.randn(3, 5)]))['data_samples'] is None


def test_noise_in_training_at_valid_steps_only():
    torch.manual_seed(0)
    preprocessor = TALDataPreprocessor(input_noise=0.5)
    inputs = [torch.zeros(50, 400), torch.zeros(50, 100)]
    out = preprocessor(dict(inputs=inputs), training=True)
    valid = out['inputs'].transpose(1, 2)[out['masks']]
    assert abs(float(valid.std()) - 0.5) < 0.01 and abs(float(valid.mean())) < 0.01
    assert (out['inputs'][1, :, 100:] == 0).all()
    assert (inputs[0] == 0).all()  # the data set's own tensor is not touched
    assert (preprocessor(dict(inputs=inputs), training=False)['inputs'] == 0).all()


@pytest.mark.parametrize(('bad', 'error', 'message'), [
    (torch.randn(4, 5), ValueError, "video 'late': 4 channels in a batch that starts with 3"),
    (torch.randn(3, 0), ValueError, "video 'late': features have no time step"),
    (torch.randn(3), ValueError, r"video 'late': features must be \(channels, steps\)"),
    (torch.ones(3, 4).long(), TypeError, "video 'late': .* floating point tensor, got torch.int64"),
])
def test_bad_input_names_the_video(bad, error, message):
    data = dict(inputs=[torch.randn(3, 5), bad], data_samples=samples('early', 'late'))
    with pytest.raises(error, match=message):
        TALDataPreprocessor()(data)


def test_bad_input_without_samples_names_its_place():
    with pytest.raises(ValueError, match='input 1: features have no time step'):
        pad_sequences([torch.randn(3, 5), torch.randn(3, 0)])
    with pytest.raises(TypeError, match='input 0: .* got list'):
        pad_sequences([[1.0, 2.0]])
    with pytest.raises(ValueError, match='empty batch'):
        pad_sequences([])


@pytest.mark.parametrize('kwargs', [dict(size_divisor=0), dict(pad_to=0), dict(input_noise=-1)])
def test_bad_arguments(kwargs):
    with pytest.raises(ValueError, match=next(iter(kwargs))):
        TALDataPreprocessor(**kwargs)
