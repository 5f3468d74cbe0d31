"""Checkpoints against models and classes."""
import numpy as np
import pytest
import torch
from torch import nn

from cltdr_mm.engine.checkpoint_fit import (
    check_classes,
    check_features,
    check_fit,
    check_overlap,
    checkpoint_classes,
    checkpoint_features,
    misfits,
    state_dict_in,
)
from cltdr_mm.utils import TALDataError


def model():
    return nn.ModuleDict(dict(a=nn.Linear(2, 3), b=nn.Linear(3, 1, bias=False)))


def checkpoint(classes=None, **changes):
    state = {**model().state_dict(), **changes}
    meta = {} if classes is None else dict(dataset_meta=dict(classes=classes))
    return dict(meta=meta, state_dict={k: v for k, v in state.items() if v is not None})


def test_what_fits():
    check_fit(checkpoint(), model(), 'x.pth')
    assert misfits(model().state_dict(), model().state_dict()) == ''


@pytest.mark.parametrize('changes, words', [
    ({'a.bias': None}, 'missing: a.bias$'), ({'c': torch.zeros(2)}, 'left over: c$'),
    ({'a.weight': torch.zeros(3, 3)}, r'of another shape: a.weight is \(3, 3\), not \(3, 2\)$'),
    ({f'c{i}': torch.zeros(1) for i in range(6)}, 'left over: c0, c1, c2, c3 and 2 more$'),
    # a module that the model has not is one name, whatever it holds
    ({'a.c.x': torch.zeros(1), 'a.c.d.y': torch.zeros(1)}, r'left over: a.c \(2 weights\)$'),
    ({'a.weight': None, 'a.bias': None}, r'missing: a \(2 weights\)$')])
def test_what_does_not(changes, words):
    with pytest.raises(TALDataError, match=f'x.pth: state_dict: does not fit .*{words}'):
        check_fit(checkpoint(**changes), model(), 'x.pth')


@pytest.mark.parametrize('content, words', [
    ({}, 'is missing: the file holds an empty dict'), ([1], 'is missing: the file holds a list'),
    (torch.zeros(2), 'is missing: the file holds a Tensor'),
    (dict(model().state_dict()), 'holds bare weights; save dict.state_dict=weights.'),
    (dict(model=3, epoch=2), r"is missing; the file has \['epoch', 'model'\]"),
    (dict(state_dict={}), 'is empty'), (dict(state_dict=dict(a='x')), 'must be tensors by name'),
    (dict(state_dict=[torch.zeros(1)]), 'must be tensors by name'),
    (dict(state_dict={'module.a': torch.zeros(1)}), 'save model.module.state_dict'),
    (dict(state_dict={'module.a': torch.zeros(1)}, state_dict_ema={}), 'convert_checkpoint.py')])
def test_what_is_no_checkpoint(content, words):
    with pytest.raises(TALDataError, match=f'x.pth: state_dict: .*{words}'):
        state_dict_in(content, 'x.pth')


def test_a_training_may_start_from_a_part():
    check_overlap(checkpoint(**{'a.weight': None, 'c': torch.zeros(1)}), model(), 'x.pth')
    none = dict(state_dict={'a.weight': torch.zeros(9), 'other': torch.zeros(1)})
    with pytest.raises(TALDataError, match='has nothing for the model'):
        check_overlap(none, model(), 'x.pth')


def test_classes_of_a_checkpoint():
    assert checkpoint_classes(checkpoint(('run', 'jump'))) == ['run', 'jump']
    assert checkpoint_classes(dict(meta=dict(dataset_meta=dict(CLASSES=['a'])))) == ['a']
    for none in ({}, dict(meta=None), dict(meta=dict(dataset_meta=None)), checkpoint()):
        assert checkpoint_classes(none) is None


def test_classes_must_be_those_of_the_data_in_their_order(mm_log):
    check_classes(checkpoint(('run', 'jump')), ['run', 'jump'], 'x.pth')
    check_classes(checkpoint(('run', 'jump')), None, 'x.pth')
    with pytest.raises(TALDataError, match="x.pth: classes: stand in another order .*: class 0 is "
                                           "'run' in the checkpoint, 'jump' in the data set"):
        check_classes(checkpoint(('run', 'jump')), ('jump', 'run'), 'x.pth')
    with pytest.raises(TALDataError, match=r"2 against 3, only in the checkpoint \['run'\], only "
                                           r"in the data set \['sit', 'walk'\]"):
        check_classes(checkpoint(('run', 'jump')), ['jump', 'sit', 'walk'], 'x.pth')
    assert not mm_log.text
    check_classes(checkpoint(), ['run'], 'x.pth')
    assert 'x.pth does not say what its classes are called' in mm_log.text


def test_features_must_be_of_the_kind_of_the_training():
    settings = dict(stride=4, window=16, fps=None, recognizer='motion', weights=None)
    content = dict(meta=dict(dataset_meta=dict(features=settings)))
    assert checkpoint_features(content) == settings
    for none in ({}, dict(meta=dict(dataset_meta=dict(features=3))), checkpoint(),
                 dict(meta=dict(dataset_meta=dict(features=dict(stride='4'))))):
        assert checkpoint_features(none) is None
    for same in (None, settings, dict(settings, weights=None)):
        check_features(settings, same, 'x.pth')
        check_features(same, settings, 'x.pth')
    with pytest.raises(TALDataError, match=r'x\.pth: features: was trained on features that were '
                                           r'made otherwise .*\(stride: 4 and 8\)'):
        check_features(settings, dict(settings, stride=8), 'x.pth')


# ---- what is no plain number


def test_any_precision_fits():
    half = {key: value.half() for key, value in model().state_dict().items()}
    check_fit(checkpoint(**half), model(), 'x.pth')


@pytest.mark.parametrize('weight, words', [
    (torch.ones(3, 2).to_sparse(), "'a.weight' is no plain tensor"),
    (torch.empty(3, 2, device='meta'), "'a.weight' is no plain tensor"),
    (torch.ones(3, 2, dtype=torch.int64), 'of another type: a.weight is torch.int64, not torch.fl'),
    (torch.ones(3, 2, dtype=torch.complex64), 'of another type: a.weight is torch.complex64'),
    (torch.tensor([[0., 1], [2, float('nan')], [4, 5]]), 'holds NaN or infinity in a.weight'),
    (torch.full((3, 2), -float('inf')), 'holds NaN or infinity in a.weight'),
    (np.ones((3, 2)), 'must be tensors by name'),
])
def test_weights_must_be_numbers(weight, words):
    with pytest.raises(TALDataError, match=f'x.pth: state_dict: .*{words}'):
        check_fit(checkpoint(**{'a.weight': weight}), model(), 'x.pth')


def test_keys_must_be_names():
    state = {**model().state_dict(), 3: torch.ones(1)}
    with pytest.raises(TALDataError, match='must be tensors by name'):
        check_fit(dict(state_dict=state), model(), 'x.pth')


def test_a_constant_of_the_model_may_be_infinite():
    own = model()
    own.register_buffer('largest', torch.tensor([1., float('inf')]))
    check_fit(dict(state_dict=own.state_dict()), own, 'x.pth')


@pytest.mark.parametrize('meta', [
    3, dict(dataset_meta=1.5), dict(dataset_meta=dict(classes='ab')),
    dict(dataset_meta=dict(classes=[1, 2])), dict(dataset_meta=dict(classes=[[[]], 'a'])),
    dict(dataset_meta=dict(classes=7)), dict(dataset_meta=dict(classes=np.ones(2)))])
def test_what_is_no_list_of_names_names_no_classes(meta):
    assert checkpoint_classes(dict(meta=meta)) is None
    check_classes(dict(meta=meta), ['run', 'jump'], 'x.pth')
