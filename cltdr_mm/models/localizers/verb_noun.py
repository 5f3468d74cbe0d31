"""Two localizers of one grid, of verbs and of nouns, as one of actions.

Source: the action task of EPIC-KITCHENS-100 (Damen et al., IJCV 2022), solved as OpenTAD publishes
it: see :func:`.pair_actions`.
"""
from typing import Optional

import torch
from mmaction.registry import MODELS, TASK_UTILS
from mmengine.model import BaseModel
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ...structures import PackedRows
from ..heads import PointHead
from ..task_modules import Pairs, mean_segments, pair_actions
from .single_stage import Inputs, set_predictions


@MODELS.register_module()
class VerbNounLocalizer(BaseModel):
    """Actions, which are pairs of a verb and a noun, of two trained models.

    Both models see the same input on the same points. At every point the best verbs and nouns are
    paired: a pair scores the geometric mean of both, and its segment is the mean of the verb's and
    the noun's. The best pairs of an input are the candidates. Action (v, n) of N nouns has the
    label v * N + n.

    A prediction sets ``pred_instances``, the actions, and ``verb_instances`` and
    ``noun_instances``, what each model finds by itself.

    Args:
        verb (dict): A :class:`SingleStageLocalizer` of verbs.
        noun (dict): One of nouns.
        postprocessor (dict, optional): Built from TASK_UTILS; makes results of the actions'
            candidates. Defaults to None: as the verbs' model.
        top_classes (int): Verbs, and nouns, of a point that are paired. Defaults to 10.
        score_thr (float): Least score of a candidate. Defaults to 0.001.
        nms_pre (int): Most candidates of an input. Defaults to 5000.
        init_cfg (dict, optional): See BaseModule.

    Raises:
        ValueError: If the models have not the same levels, channels and padding; names both.
    """

    def __init__(self,
                 verb: dict,
                 noun: dict,
                 postprocessor: Optional[dict] = None,
                 top_classes: int = 10,
                 score_thr: float = 0.001,
                 nms_pre: int = 5000,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.verb, self.noun = MODELS.build(verb), MODELS.build(noun)
        self._check_same()
        of_verb = self.verb.data_preprocessor
        self.data_preprocessor = MODELS.build(dict(
            type='TALDataPreprocessor', pad_to=of_verb.pad_to,
            size_divisor=None if of_verb.pad_to is None else of_verb.size_divisor))
        self.postprocessor = (self.verb.postprocessor if postprocessor is None
                              else TASK_UTILS.build(postprocessor))
        self.top_classes, self.score_thr, self.nms_pre = top_classes, score_thr, nms_pre

    def _check_same(self) -> None:
        def facts(model) -> dict:
            if not isinstance(_point_head(model), PointHead):
                raise ValueError(f'{type(model).__name__}: actions are paired at the points of a '
                                 'SingleStageLocalizer with a point head')
            return {'levels': model.backbone.num_levels, 'channels': model.backbone.in_channels,
                    'pad_to': model.data_preprocessor.pad_to,
                    'size_divisor': model.data_preprocessor.size_divisor}

        verb, noun = facts(self.verb), facts(self.noun)
        wrong = [f'{name} {verb[name]} and {noun[name]}' for name in verb
                 if verb[name] != noun[name]]
        if wrong:
            raise ValueError('the models of verbs and nouns have not the same points, verb first: '
                             + ', '.join(wrong))

    @property
    def num_classes(self) -> tuple[int, int]:
        """tuple[int, int]: Number of verbs V and of nouns N."""
        return self.verb.head.num_classes, self.noun.head.num_classes

    def forward(self, inputs: Inputs, data_samples: Optional[list] = None, mode: str = 'tensor'):
        """Run both models.

        Args:
            inputs (PackedRows | Tensor | Sequence[TimeMajor | Tensor]): See
                :class:`SingleStageLocalizer`.
            data_samples (list, optional): B data samples. Needed by 'predict'.
            mode (str): 'tensor' returns the raw outputs of both, 'predict' the data samples with
                their predictions. Defaults to 'tensor'.

        Returns:
            tuple or list: By mode.

        Raises:
            ValueError: On another mode, or without the data samples it needs. The models are
                trained apart, which is why there is no mode 'loss'.
        """
        if mode not in ('tensor', 'predict'):
            raise ValueError(f"mode must be 'tensor' or 'predict', got {mode!r}: the models of "
                             'verbs and nouns are trained apart')
        if mode == 'tensor':
            return self.verb(inputs), self.noun(inputs)
        if data_samples is None:
            raise ValueError(f'mode {mode!r} needs data_samples')
        verb, noun = self.verb.extract_feat(inputs), self.noun.extract_feat(inputs)
        for model, pyramid, name in ((self.verb, verb, 'verb_instances'),
                                     (self.noun, noun, 'noun_instances')):
            model.add_predictions(model.head.predict(pyramid, None, data_samples), data_samples)
            for sample in data_samples:
                sample.set_field(sample.pop('pred_instances'), name)
        return set_predictions(self.candidates(verb, noun, len(data_samples)), data_samples,
                               self.postprocessor)

    @torch.no_grad()
    def candidates(self, verb: list[PackedRows], noun: list[PackedRows],
                   num_videos: int) -> list[InstanceData]:
        """Actions of a batch, before any suppression.

        Args:
            verb (list[PackedRows]): Pyramid of the verbs' model.
            noun (list[PackedRows]): Pyramid of the nouns' model.
            num_videos (int): Inputs B of the batch.

        Returns:
            list[InstanceData]: Per input ``segments`` (M, 2) in grid steps, neither clipped nor
            suppressed, ``scores`` (M,) and ``labels`` (M,).
        """
        heads = [_point_head(model) for model in (self.verb, self.noun)]
        tables = [head.table_of(pyramid, None) for head, pyramid in zip(heads, (verb, noun))]
        outs = [head.outputs_of(table) for head, table in zip(heads, tables)]
        scores = [head.scores(table, out) for head, table, out in zip(heads, tables, outs)]
        rows = [out.layout.valid_rows for out in outs]  # (P,) the same points in both tables
        video = outs[0].layout.video[rows[0]]
        result = []
        for index in range(num_videos):
            mine = [points[video == index] for points in rows]
            found = pair_actions(*(score[points] for score, points in zip(scores, mine)),
                                 self.top_classes, self.score_thr, self.nms_pre)
            segments = mean_segments(*(
                head.segments(out, Pairs(points[found.point], label)) for head, out, points, label
                in zip(heads, outs, mine, (found.verb, found.noun))))
            result.append(_longer(segments, found.scores,
                                  found.verb * self.num_classes[1] + found.noun,
                                  heads[0].test_cfg['min_length']))
        return result


def _point_head(model: nn.Module) -> Optional[nn.Module]:
    """The head of a localizer, or the one in it, as in ASL's, which differs in training only."""
    head = getattr(model, 'head', None)
    return head if isinstance(head, PointHead) else getattr(head, 'head', None)


def _longer(segments: Tensor, scores: Tensor, labels: Tensor, min_length: float) -> InstanceData:
    """Candidates that are longer than ``min_length`` grid steps."""
    # NaN stays, for the post-processor to name its video
    kept = ~(segments[:, 1] - segments[:, 0] <= min_length)
    return InstanceData(segments=segments[kept], scores=scores[kept], labels=labels[kept])
