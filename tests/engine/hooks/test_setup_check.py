import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmaction.registry import HOOKS, TASK_UTILS, TRANSFORMS
from mmengine.config import Config
from mmengine.dataset import BaseDataset, ConcatDataset, RepeatDataset
from mmengine.runner import BaseLoop

from cltdr_mm.datasets import LoadTALProposals, TALDataError
from cltdr_mm.structures import TimeMajor


class Videos:
    """As much of a data set as the hook looks at."""

    ann_file = 'ann.json'

    def __init__(self, labels=(0, 1), channels=4, classes=('run', 'jump')):
        self.labels, self.channels = labels, channels
        self.metainfo = dict(classes=classes)

    def __len__(self):
        return len(self.labels)

    def get_data_info(self, i):
        return dict(video_name=f'v{i}', gt_labels=np.array([self.labels[i]]))

    def __getitem__(self, i):
        return dict(inputs=torch.zeros(self.channels, 7))


class Agnostic(Videos):
    class_agnostic = True


class Wrapped(BaseDataset):
    """The same as a data set of MMEngine, as its wrappers want it."""

    def __init__(self, videos):
        self.class_agnostic = getattr(videos, 'class_agnostic', False)
        self.videos, self.ann_file, self._fully_initialized = videos, videos.ann_file, True
        self._metainfo = videos.metainfo
        self.pipeline = getattr(videos, 'pipeline', SimpleNamespace(transforms=[]))

    def full_init(self):
        pass

    def __len__(self):
        return len(self.videos)

    def get_data_info(self, idx):
        return self.videos.get_data_info(idx)

    def __getitem__(self, idx):
        return self.videos[idx]


class Metric:
    def __init__(self):
        self.asked = []

    def check_videos(self, names):
        self.asked.append(names)


class EmptyMetric(Metric):
    """One whose subset has no instance."""

    def check_instances(self):
        raise TALDataError.of('title', 'ann.json', 'annotations', 'none')


class TimeMajorVideos(Videos):
    def __getitem__(self, i):
        return dict(inputs=TimeMajor(torch.zeros(7, self.channels)))


def runner(dataset, num_classes=2, fusion=None):
    loader = SimpleNamespace(dataset=dataset)
    loop = SimpleNamespace(dataloader=loader,
                           evaluator=SimpleNamespace(metrics=[Metric(), object()]))
    model = SimpleNamespace(
        head=SimpleNamespace(num_classes=num_classes), backbone=SimpleNamespace(in_channels=4),
        postprocessor=SimpleNamespace(fusion=fusion))
    return SimpleNamespace(model=model, train_loop=SimpleNamespace(dataloader=loader),
                           val_loop=loop, test_loop=loop)


@pytest.mark.parametrize('stage', ['before_train', 'before_val', 'before_test'])
@pytest.mark.parametrize('wrong, message', [
    (dict(dataset=Videos(channels=6)),
     'ann.json: channels: features have 6 channels, but model.backbone.in_channels is 4'),
    (dict(dataset=TimeMajorVideos(channels=6)),
     'ann.json: channels: features have 6 channels, but model.backbone.in_channels is 4'),
    (dict(dataset=Videos(labels=(0, 2), classes=None)), 'ann.json: label: there are instances of '
     'class 3, counted from one, but model.head.num_classes is 2: `cltdr init` writes'),
    (dict(dataset=Videos(), num_classes=20), 'ann.json: classes: there are 2, by the list in this '
     'file or in metainfo of the data set, but model.head.num_classes is 20'),
    # one of them without any instance
    (dict(dataset=Videos(classes=('run', 'jump', 'sit'))),
     'ann.json: classes: there are 3, .* but model.head.num_classes is 2: `cltdr init` writes'),
])
def test_what_does_not_fit_stops_the_run(stage, wrong, message):
    with pytest.raises(TALDataError, match=message):
        getattr(HOOKS.build(dict(type='SetupCheckHook')), stage)(runner(**wrong))


@pytest.mark.parametrize('head, nms, expected', [
    ('CLTDRHead', None, False), ('CLTDRHead', object(), True), ('localizer', None, True)])
def test_metrics_know_whether_candidates_are_suppressed(head, nms, expected):
    run, told = runner(Videos()), []
    if head == 'CLTDRHead':
        run.model.head.all_points = None
    run.model.postprocessor.nms = nms
    run.test_loop.evaluator.metrics[0].set_suppressed = told.append
    HOOKS.build(dict(type='SetupCheckHook')).before_test(run)
    assert told == [expected]


def test_validation_on_features_made_otherwise_stops_a_training():
    train, validation = Videos(), Videos()
    run = runner(train)
    run.val_loop = SimpleNamespace(dataloader=SimpleNamespace(dataset=validation),
                                   evaluator=SimpleNamespace(metrics=[]))
    train.metainfo['features'] = dict(stride=4, window=8, recognizer='motion')
    HOOKS.build(dict(type='SetupCheckHook')).before_train(run)  # of one kind nothing is known
    validation.metainfo['features'] = dict(stride=2, window=8, recognizer='motion')
    with pytest.raises(TALDataError, match=r'ann\.json: features: were made otherwise than those '
                                           r'of the training \(stride: 4 and 2, the training'):
        HOOKS.build(dict(type='SetupCheckHook')).before_train(run)


class Strided(Videos):
    def __init__(self, *grids):
        super().__init__([0] * len(grids))
        self.grids = grids

    def get_data_info(self, i):
        return dict(super().get_data_info(i), stride=self.grids[i][0], window=self.grids[i][1])


@pytest.fixture
def warned(monkeypatch):
    found = []
    monkeypatch.setattr('cltdr_mm.engine.hooks.setup_check.print_log',
                        lambda message, **_: found.append(message))
    return found


@pytest.mark.parametrize('training, validation, words', [
    ([(4, 0), (4, 0)], [(2, 0)], 'are 2 and 0, but 4 and 0 of the training set'),
    ([(4, 0)], [(4, 16.)], 'are 4 and 16, but 4 and 0 of'),
    ([(4, 0)], [(4., 0.)], None),
    ([(4, 0), (3, 0)], [(2, 0)], None),  # a stride each
    ([(4, 0)], [(None, None)], None)])
def test_validation_on_steps_of_another_length_is_a_warning(training, validation, words, warned):
    run = runner(Strided(*training))
    run.val_loop = SimpleNamespace(evaluator=SimpleNamespace(metrics=[]), dataloader=(
        SimpleNamespace(dataset=Strided(*validation))))
    HOOKS.build(dict(type='SetupCheckHook')).before_train(run)
    assert len(warned) == (words is not None)
    assert words is None or 'ann.json: feature_stride and feature_window ' + words in warned[0]


@pytest.mark.parametrize('starts, count', [
    (dict(), 1), (dict(_load_from='a.pth'), 0), (dict(_resume=True), 0)])
def test_what_a_front_remarks_is_a_warning(starts, count, warned):
    run = runner(Videos(labels=()))
    run.model.front = SimpleNamespace(remark=lambda: 'random')
    vars(run).update(starts)
    HOOKS.build(dict(type='SetupCheckHook')).before_train(run)
    assert warned == ['random'] * count


@pytest.mark.parametrize('fits', [
    dict(dataset=Videos()), dict(dataset=Videos(), num_classes=20, fusion=object()),
    dict(dataset=TimeMajorVideos()),
    dict(dataset=Agnostic(labels=(0, 0)), num_classes=1),
    dict(dataset=RepeatDataset(Wrapped(Agnostic(labels=(0, 0))), 1), num_classes=1),
    dict(dataset=Videos(labels=(0, 0)), num_classes=1, fusion=object()),
    dict(dataset=Videos(labels=())),
    dict(dataset=Videos(classes=None), num_classes=20),
])
def test_what_fits_passes_and_metrics_are_asked_once(fits):
    run = runner(**fits)
    hook = HOOKS.build(dict(type='SetupCheckHook'))
    for _ in range(3):
        hook.before_train(run)
        hook.before_val(run)
    metric = run.val_loop.evaluator.metrics[0]
    assert metric.asked == [[f'v{i}' for i in range(len(fits['dataset']))]]


@pytest.mark.parametrize('hooks, stops', [
    ([SimpleNamespace(save_best=None), object()], False), ([], False),
    ([object(), SimpleNamespace(save_best='average_mAP')], True),
    ([SimpleNamespace(save_best=['mAP@0.5', 'average_mAP'])], True)])
def test_a_best_checkpoint_needs_something_to_find(hooks, stops):
    run = runner(Videos())
    run.hooks = hooks
    run.val_loop.evaluator.metrics = [object(), EmptyMetric()]
    hook = HOOKS.build(dict(type='SetupCheckHook'))
    hook.before_val(run)  # no training, nothing to keep
    hook.before_test(run)
    if stops:
        with pytest.raises(TALDataError, match='ann.json: annotations: none'):
            hook.before_train(run)
    else:
        hook.before_train(run)
    run.val_loop = None  # nothing is validated
    hook.before_train(run)


class NamedMetric(Metric):
    def metric_names(self):
        return ['average_mAP', 'mAP@0.5']


@pytest.mark.parametrize('metrics, save_best, stops', [
    ([NamedMetric()], 'mAP', True), ([NamedMetric()], ['average_mAP', 'mAP'], True),
    ([NamedMetric()], ['average_mAP', 'mAP@0.5'], False), ([NamedMetric()], 'auto', False),
    # another may measure it
    ([NamedMetric(), Metric()], 'mAP', False)])
def test_a_best_checkpoint_goes_by_what_is_measured(metrics, save_best, stops):
    run = runner(Videos())
    run.hooks, run.val_loop.evaluator.metrics = [SimpleNamespace(save_best=save_best)], metrics
    hook = HOOKS.build(dict(type='SetupCheckHook'))
    if stops:
        with pytest.raises(ValueError, match='measures no `mAP`, but average_mAP, mAP@0.5'):
            hook.before_train(run)
    else:
        hook.before_train(run)


def test_what_is_not_kept_is_not_asked_for():
    class Unasked(Metric):
        def check_instances(self):
            raise AssertionError

        metric_names = check_instances

    run = runner(Videos())
    run.hooks, run.val_loop.evaluator.metrics = [SimpleNamespace(save_best=None)], [Unasked()]
    HOOKS.build(dict(type='SetupCheckHook')).before_train(run)


@pytest.mark.parametrize('wrong', [dict(max_epochs=0), dict(max_iters=-3), dict(val_interval=0)])
def test_length_of_a_training(wrong):
    run = runner(Videos())
    run.train_loop.max_epochs, run.train_loop.val_interval = 1, 1
    hook = HOOKS.build(dict(type='SetupCheckHook'))
    hook.before_train(run)
    vars(run.train_loop).update(wrong)
    name, value = next(iter(wrong.items()))
    with pytest.raises(ValueError, match=f'train_cfg.{name} must be at least 1, got {value}'):
        hook.before_train(run)


class Unpacked(Videos):
    def __getitem__(self, i):
        return dict(rows=torch.zeros(self.channels, 7))


def test_data_sets_that_are_none_or_make_no_inputs():
    hook = HOOKS.build(dict(type='SetupCheckHook'))
    with pytest.raises(TALDataError, match='ann.json: pipeline: .*PackTALInputs'):
        hook.before_test(runner(Unpacked()))
    with pytest.raises(ValueError, match="must be dict.*, got 'TALDataset'"):
        hook.before_test(runner('TALDataset'))


def resumed(saved, optimizer):
    model = torch.nn.Linear(1, 1)
    run = SimpleNamespace(
        model=model, _load_from='e.pth', _resume=True, _train_loop=None, _val_loop=None,
        _test_loop=None, optim_wrapper=SimpleNamespace(optimizer=optimizer(model.parameters())))
    HOOKS.build(dict(type='SetupCheckHook')).after_load_checkpoint(run, dict(
        state_dict=model.state_dict(), meta={}, message_hub={},
        optimizer=saved(model.parameters()).state_dict()))


def test_another_optimizer_cannot_be_resumed():
    sgd = partial(torch.optim.SGD, lr=1.)
    resumed(torch.optim.AdamW, torch.optim.AdamW)
    resumed(torch.optim.Adam, torch.optim.AdamW)  # of the same state
    for saved, optimizer in ((torch.optim.AdamW, sgd), (sgd, torch.optim.AdamW)):
        with pytest.raises(TALDataError, match='e.pth: optimizer: is not of .* are missing'):
            resumed(saved, optimizer)


class Tested(BaseLoop):
    """A test loop over a data set, which does not work."""

    def __init__(self, dataset):
        self.dataloader = SimpleNamespace(dataset=dataset)

    def run(self):
        raise NotImplementedError


def test_a_checkpoint_of_another_fold_is_not_tested():
    model, dataset = torch.nn.Linear(1, 1), Videos()
    run = SimpleNamespace(model=model, _load_from='e.pth', _resume=False, _train_loop=None,
                          _val_loop=None, _test_loop=Tested(dataset))
    config = Config(dict(train_dataloader=dict(dataset=dict(ann_file='ann_fold0.json'))))
    checkpoint = dict(state_dict=model.state_dict(), meta=dict(
        cfg=config.pretty_text, dataset_meta=dict(classes=['run', 'jump'])))
    hook = HOOKS.build(dict(type='SetupCheckHook'))
    for ann_file in ('other.json', 'ann_fold0.json'):
        dataset.ann_file = ann_file
        hook.after_load_checkpoint(run, checkpoint)
    for ann_file in ('ann.json', 'ann_fold1.json'):
        dataset.ann_file = ann_file
        with pytest.raises(TALDataError, match='e.pth: fold: was trained on fold 0'):
            hook.after_load_checkpoint(run, checkpoint)


def test_strangers_are_not_asked():
    run = runner(Videos())
    run.model = SimpleNamespace()
    run.train_loop = SimpleNamespace(dataloader=SimpleNamespace(dataset=[1, 2]))
    run.val_loop = None
    HOOKS.build(dict(type='SetupCheckHook')).before_train(run)


# transforms of the pipeline


def with_proposals(tmp_path, names=('v0', ), **kwargs):
    """A data set whose pipeline looks up proposals, which some videos have."""
    (tmp_path / 'proposals.json').write_text(json.dumps(dict(results={n: [] for n in names})))
    dataset = Videos(**kwargs)
    dataset.pipeline = SimpleNamespace(transforms=[object(), TRANSFORMS.build(dict(
        type='LoadTALProposals', proposal_files=str(tmp_path / 'proposals.json')))])
    return dataset


@pytest.mark.parametrize('stage', ['before_train', 'before_val', 'before_test'])
@pytest.mark.parametrize('wrap', [
    lambda d: d, lambda d: RepeatDataset(d, 2), lambda d: ConcatDataset([Wrapped(Videos()), d])])
def test_proposals_of_another_set_stop_the_run(tmp_path, stage, wrap):
    def check(dataset):
        getattr(HOOKS.build(dict(type='SetupCheckHook')), stage)(runner(wrap(dataset)))

    check(Wrapped(with_proposals(tmp_path, ('v0', 'v1', 'v2'))))
    with pytest.raises(TALDataError, match=r"proposals\.json: video 'v1': results: no entry"):
        check(Wrapped(with_proposals(tmp_path)))
    with pytest.raises(TALDataError) as caught:
        check(Wrapped(with_proposals(tmp_path, (), labels=(0, ) * 9)))
    assert len(caught.value.problems) == 9, 'all at once'
    (tmp_path / 'proposals.json').unlink()
    dataset = Videos()
    dataset.pipeline = SimpleNamespace(transforms=[LoadTALProposals(str(tmp_path / 'gone.json'))])
    with pytest.raises(TALDataError, match=r'gone\.json: file: cannot be read'):
        check(Wrapped(dataset))


# video-level scores


def scored(score_file, names=2, **kwargs):
    """A runner whose model multiplies with the scores of a file; its videos are v0, v1, ..."""
    run = runner(Videos(labels=(0, ) * names, **kwargs))
    run.model.postprocessor = TASK_UTILS.build(dict(
        type='TALPostProcessor', fusion=dict(type='ExternalScores', score_file=str(score_file))))
    return run


@pytest.mark.parametrize('stage', ['before_train', 'before_val', 'before_test'])
def test_missing_scores_stop_the_run_before_it_begins(tmp_path, stage):
    path = tmp_path / 'cuhk.json'
    path.write_text(json.dumps({'v0': [0.1, 0.9]}))

    def check(run):
        getattr(HOOKS.build(dict(type='SetupCheckHook')), stage)(run)

    check(scored(path, names=1))
    with pytest.raises(TALDataError, match=r"cuhk\.json: scores: none for 1 of 2 videos: 'v1'"):
        check(scored(path))
    with pytest.raises(TALDataError, match=r'none\.json: file: cannot be read'):
        check(scored(tmp_path / 'none.json'))


def test_scores_in_another_order_follow_the_labels(tmp_path):
    path = tmp_path / 'cuhk.json'
    path.write_text(json.dumps({'class': ['jump', 'run'], 'results': {'v0': [0.1, 0.9]}}))
    run = scored(path, names=1)
    HOOKS.build(dict(type='SetupCheckHook')).before_test(run)
    assert run.model.postprocessor.fusion.scores['v0'].tolist() == [0.9, 0.1]


def test_training_without_validation_asks_for_no_scores(tmp_path):
    run = scored(tmp_path / 'none.json')
    run.val_loop = None
    HOOKS.build(dict(type='SetupCheckHook')).before_train(run)


def test_the_hook_that_was_is_answered():
    with pytest.raises(TypeError, match='`ExternalScoresHook` is gone: write SetupCh'):
        HOOKS.build(dict(type='ExternalScoresHook'))
