"""What parts beside a head cost: the models that are timed differ by them alone."""
import pytest
import torch
from inputs import DATA_SETS, draw_video, make_batch
from parts import PLAIN, build, measure


@pytest.fixture(scope='module')
def models():
    return build('cltdr_synthetic', 0)


@pytest.fixture(scope='module')
def batch(models):
    plain = models[PLAIN]
    videos = [draw_video(DATA_SETS['quick'], steps, plain.head.num_classes, 0)
              for steps in (96, 64)]
    return make_batch(DATA_SETS['quick'], videos, plain.backbone.in_channels, 0)


def test_parts_stand_beside_the_same_weights(models):
    plain = models[PLAIN].state_dict()
    added = {name: {key.split('.')[1] for key in set(model.state_dict()) - set(plain)}
             for name, model in models.items()}
    assert added == {PLAIN: set(), 'FineBoundaries': {'refinement'}, 'QualityBranch': {'quality'},
                     'both': {'refinement', 'quality'}}
    assert all(torch.equal(model.state_dict()[key], value)
               for model in models.values() for key, value in plain.items())


def test_every_model_takes_its_steps(models, batch):
    seconds = measure(models, [batch], 1)
    assert set(seconds) == set(models)
    assert all(len(spent) == 1 and spent[0] > 0 for spent in seconds.values())


def test_other_losses_are_no_comparison(models, batch):
    other = build('cltdr_synthetic', 1)
    with pytest.raises(RuntimeError, match='both: .*, but the plain model has'):
        measure({PLAIN: models[PLAIN], 'both': other['both']}, [batch], 1)
