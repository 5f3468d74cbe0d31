"""Reads labels in tables, as people write them and spreadsheets export them."""
from .numbers import NumberReader, read_cell
from .rows import LabelFile, ReadOptions
from .tables import TextTable, find_columns, full_rows, require_columns

_FIELDS = ('video', 'start', 'end', 'duration', 'start_frame', 'end_frame', 'label', 'fps',
           'subset', 'group')


def read_csv_labels(found: LabelFile, table: TextTable, options: ReadOptions) -> None:
    """Read a table with a segment a row.

    Columns are video, label, and start and end or duration in seconds, or start and end in frames;
    fps, subset and group where there are any. A row with a video and nothing else names a video
    without labels.

    Args:
        found (LabelFile): Takes what is found.
        table (TextTable): The file's cells.
        options (ReadOptions): ``columns`` by field, and ``group``.

    Raises:
        TALDataError: If a column is missing, or it is not clear which one is meant.
        ValueError: If ``columns`` has an unknown field.
    """
    given = dict(options.columns or {})
    if options.group in table.header:  # else it may be known of the videos from elsewhere
        given['group'] = options.group
    columns = find_columns(found, table.header, _FIELDS, given)
    in_frames = _choose_times(columns, given)
    if in_frames:
        times = ('start_frame', 'end_frame')
    else:
        times = ('start', 'duration' if 'duration' in columns and 'end' not in columns else 'end')
    require_columns(found, table.header, columns, ('video', *times, 'label'))
    numbers = NumberReader(table.delimiter)
    read_time = numbers.number if in_frames else numbers.seconds
    for place, cells in full_rows(found, table):
        with found.collecting():
            row = found.fields(cells, place)
            row.video = video = row.text(columns['video'])
            fps = columns.get('fps')
            found.fact(
                video, place,
                fps=read_cell(row, fps, numbers.number) if fps and cells[fps] else None,
                **{name: cells[columns[name]] or None for name in ('subset', 'group')
                   if name in columns})
            if not any(cells[columns[name]] for name in (*times, 'label')):
                continue
            start, end = (read_cell(row, columns[name], read_time) for name in times)
            if times[1] == 'duration':
                end += start
            found.row(place, video, start, end, cells[columns['label']], in_frames)


def _choose_times(columns: dict, given: dict) -> bool:
    """Whether times are taken from the columns of frames; those named by the user go first."""
    frames = 'start_frame' in given or 'end_frame' in given
    if 'duration' in given and 'end' not in given:
        columns.pop('end', None)
    return frames or ('start' not in columns and 'start_frame' in columns)
