"""Ground floor, which every room may use and which knows none: errors, JSON, whole files."""
from .exits import exit_on_error
from .file_names import file_name, fold_file, matching_name, name_problem
from .json_files import read_json
from .moved import moved_class, refuse_moved, refuse_moved_name
from .problems import Problem, TALDataError, one_line, report_problems
from .result_files import read_result_file, result_content
from .sizes import size_problem
from .writing import atomic_path, out_file, out_folder, remove_parts, write_json

__all__ = [
    'Problem', 'TALDataError', 'atomic_path', 'exit_on_error', 'file_name', 'fold_file',
    'matching_name', 'moved_class', 'name_problem', 'one_line', 'out_file', 'out_folder',
    'read_json', 'read_result_file', 'refuse_moved', 'refuse_moved_name', 'remove_parts',
    'report_problems', 'result_content', 'size_problem', 'write_json'
]
