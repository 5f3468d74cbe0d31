import json
from types import SimpleNamespace

import pytest
from mmaction.registry import HOOKS, TASK_UTILS

from cltdr_mm.datasets import TALDataError


class Videos:
    """As much of a dataset as the hook looks at."""

    metainfo = dict(classes=('run', 'jump'))

    def __init__(self, names):
        self.names = names

    def __len__(self):
        return len(self.names)

    def get_data_info(self, i):
        return dict(video_name=self.names[i])


def runner(names, score_file=None):
    fusion = None if score_file is None else dict(type='ExternalScores', score_file=score_file)
    processor = TASK_UTILS.build(dict(type='TALPostProcessor', fusion=fusion))
    loop = SimpleNamespace(dataloader=SimpleNamespace(dataset=Videos(names)))
    return SimpleNamespace(model=SimpleNamespace(postprocessor=processor), val_loop=loop,
                           test_loop=loop)


@pytest.mark.parametrize('stage', ['before_train', 'before_val', 'before_test'])
def test_missing_scores_stop_the_run_before_it_begins(tmp_path, stage):
    path = tmp_path / 'cuhk.json'
    path.write_text(json.dumps({'a': [0.1, 0.9]}))
    check = getattr(HOOKS.build(dict(type='ExternalScoresHook')), stage)
    check(runner(['a', 'a'], str(path)))
    check(runner(['a', 'b']))  # no fusion: nothing to ask for
    with pytest.raises(TALDataError, match=r"cuhk\.json: scores: none for 1 of 2 videos: 'b'"):
        check(runner(['a', 'b'], str(path)))
    with pytest.raises(TALDataError, match=r'none\.json: file: cannot be read'):
        check(runner(['a'], str(tmp_path / 'none.json')))


def test_scores_in_another_order_follow_the_labels(tmp_path):
    path = tmp_path / 'cuhk.json'
    path.write_text(json.dumps({'class': ['jump', 'run'], 'results': {'a': [0.1, 0.9]}}))
    stopped = runner(['a'], str(path))
    HOOKS.build(dict(type='ExternalScoresHook')).before_test(stopped)
    assert stopped.model.postprocessor.fusion.scores['a'].tolist() == [0.9, 0.1]


def test_training_without_validation(tmp_path):
    without = runner([], str(tmp_path / 'none.json'))
    without.val_loop = None
    HOOKS.build(dict(type='ExternalScoresHook')).before_train(without)
