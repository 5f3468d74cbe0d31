"""Judging detections: protocols, measures, result files, the Runner's metric."""
from .action_lists import judge_actions, load_actions
from .evaluate import evaluate_detections, flat_metrics, report_text
from .ground_truth import load_ground_truth
from .metrics import EPICActionMetric, ProposalMetric, TALMetric, TEMCurves
from .protocols import PROTOCOLS, Protocol, get_protocol
from .remarks import ground_truth_remarks
from .result_file import ResultFile, read_results, results_of
from .structures import Detections, GroundTruth
from .submissions import check_submission, read_submission, write_submission

__all__ = [
    'EPICActionMetric', 'PROTOCOLS', 'Detections', 'GroundTruth', 'ProposalMetric', 'Protocol',
    'ResultFile', 'TALMetric', 'TEMCurves', 'check_submission', 'evaluate_detections',
    'flat_metrics', 'get_protocol', 'ground_truth_remarks', 'judge_actions', 'load_actions',
    'load_ground_truth', 'read_results', 'read_submission', 'report_text', 'results_of',
    'write_submission'
]
