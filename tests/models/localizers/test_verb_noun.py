"""Actions of a model of verbs and one of nouns: against loops, alone and in a batch."""
import pytest
import torch
from batteries import randomise
from head_batteries import WIDTH, awaken, make_samples
from mmaction.registry import MODELS

CHANNELS, VERBS, NOUNS = 6, 4, 7
LENGTHS = [53, 9, 1]
NMS = dict(type='TALPostProcessor', nms=dict(type='SoftNMS', sigma=0.4), max_per_video=300)


def part(classes, head, **backbone):
    around = dict(type='ASLHead') if head == 'ASLHead' else None
    head = dict(type='ActionFormerHead' if around else head, num_classes=classes)
    cfg = dict(type='ConvPyramid', in_channels=CHANNELS, embed_dims=WIDTH, arch=(1, 1, 2),
               ffn_dims=24)
    return dict(type='SingleStageLocalizer', backbone={**cfg, **backbone},
                head=dict(around, head=head) if around else head, postprocessor=NMS)


def build(verb='ActionFormerHead', noun='CLTDRHead', **kwargs):
    torch.manual_seed(0)
    model = MODELS.build(dict(type='VerbNounLocalizer', verb=part(VERBS, verb),
                              noun=part(NOUNS, noun), **kwargs))
    return awaken(randomise(model, 0)).eval()


def inputs_of(lengths):
    return [torch.randn(CHANNELS, n, generator=torch.Generator().manual_seed(n)) for n in lengths]


@torch.no_grad()
def detect(model, lengths):
    samples = make_samples([(n, [], []) for n in lengths])
    return model(inputs_of(lengths), samples, mode='predict')


@pytest.mark.parametrize('verb, noun', [('ActionFormerHead', 'ActionFormerHead'),
                                        ('ActionFormerHead', 'CLTDRHead'),
                                        ('TridentHead', 'CLTDRHead'),
                                        ('ASLHead', 'ActionFormerHead')])
@torch.no_grad()
def test_candidates_are_those_of_a_loop(verb, noun):
    model = build(verb, noun, top_classes=3, score_thr=0.01, nms_pre=60)
    pyramids = [m.extract_feat(inputs_of([53])) for m in (model.verb, model.noun)]
    found, = model.candidates(*pyramids, 1)
    (p, pv), (q, qn) = (m.head.all_points(x) for m, x in zip((model.verb, model.noun), pyramids))
    expected = []
    for i in range(len(p)):
        for v in p[i].argsort(descending=True)[:3].tolist():
            for n in q[i].argsort(descending=True)[:3].tolist():
                one, other = pv[i, min(v, pv.shape[1] - 1)], qn[i, min(n, qn.shape[1] - 1)]
                expected.append((float((p[i, v] * q[i, n]).sqrt()), v * NOUNS + n,
                                 *((one + other) / 2).tolist()))
    expected = [row for row in sorted(expected, reverse=True)[:60] if row[0] > 0.01]
    expected = [row for row in expected if row[3] - row[2] > 0.05]
    ours = torch.cat([found.scores[:, None], found.labels[:, None], found.segments], dim=1)
    assert len(expected) > 20
    torch.testing.assert_close(ours, torch.tensor(expected), rtol=1e-4, atol=1e-4)


def test_detections_do_not_depend_on_company():
    model = build()
    together = detect(model, LENGTHS)
    for sample, length in zip(together, LENGTHS):
        alone, = detect(model, [length])
        for name in ('pred_instances', 'verb_instances', 'noun_instances'):
            one, other = sample.get(name), alone.get(name)
            assert len(one) == len(other) > 0
            torch.testing.assert_close(one.scores, other.scores, rtol=1e-4, atol=1e-5)
    assert together[0].pred_instances.labels.max() >= NOUNS


def test_what_each_model_finds_is_what_it_finds_alone():
    model = build()
    sample, = detect(model, [53])
    for part_, name in ((model.verb, 'verb_instances'), (model.noun, 'noun_instances')):
        with torch.no_grad():
            alone, = part_(inputs_of([53]), make_samples([(53, [], [])]), mode='predict')
        for key in ('segments', 'scores', 'labels'):
            assert torch.equal(sample.get(name)[key], alone.pred_instances[key])


def test_models_of_other_points_are_refused():
    for change, text in ((dict(arch=(1, 1, 3)), 'levels 3 and 4'),
                         (dict(in_channels=5), 'channels 6 and 5')):
        with pytest.raises(ValueError, match=f'not the same points, verb first: {text}'):
            MODELS.build(dict(type='VerbNounLocalizer', verb=part(VERBS, 'ActionFormerHead'),
                              noun=part(NOUNS, 'ActionFormerHead', **change)))
    noun = dict(part(NOUNS, 'ActionFormerHead'), data_preprocessor=dict(pad_to=64))
    with pytest.raises(ValueError, match='pad_to None and 64'):
        MODELS.build(dict(type='VerbNounLocalizer', verb=part(VERBS, 'ActionFormerHead'),
                          noun=noun))


def test_there_is_nothing_to_train():
    with pytest.raises(ValueError, match="'tensor' or 'predict', got 'loss'.* trained apart"):
        build()(inputs_of([9]), make_samples([(9, [], [])]), mode='loss')
