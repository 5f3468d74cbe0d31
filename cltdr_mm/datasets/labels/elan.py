"""Reads labels in ELAN's annotation format (.eaf), versions 2.7 to 3.0."""
from typing import Optional

from ...utils.json_files import shown
from .names import file_of_url
from .rows import LabelFile, ReadOptions
from .xml_files import Element, attributes, collected

_ALIGNED, _REFERRING = 'ALIGNABLE_ANNOTATION', 'REF_ANNOTATION'


def read_elan(found: LabelFile, root: Element, options: ReadOptions) -> None:
    """Read annotations of some tiers, which have the class as their value.

    An annotation of a tier that depends on another (symbolic association) has the times of the
    one it refers to. Times count from the beginning of the first video that the file names, or
    of the first other recording if it names no video.

    Args:
        found (LabelFile): Takes what is found.
        root (Element): The file.
        options (ReadOptions): ``tiers``.

    Raises:
        TALDataError: If the file names no recording, has times in other units, or it is not clear
            which tier is meant.
    """
    video, origin = _video(found, root)
    found.fact(video, 'HEADER')
    slots = _time_slots(found, root, origin)
    tiers: dict[str, list] = {}
    by_id: dict[str, Element] = {}
    for tier in root.iter('TIER'):
        with collected(found, tier) as fields:
            items = [item for kind in (_ALIGNED, _REFERRING) for item in tier.iter(kind)]
            tiers.setdefault(fields.text('TIER_ID'), []).extend(items)
            by_id.update((item.get('ANNOTATION_ID'), item) for item in items)
    counts = {name: len(items) for name, items in tiers.items()}
    for name in found.chosen_tiers(counts, options.tiers, 'tiers'):
        parents: dict[Optional[str], int] = {}
        for item in tiers[name]:
            with collected(found, item, video) as fields:
                parent = item.get('ANNOTATION_REF')
                if item.tag == _REFERRING and parents.setdefault(parent, item.line) != item.line:
                    raise fields.bad('ANNOTATION_REF', f'refers to {shown(parent)} as the '
                                     f'annotation in line {parents[parent]} does: of the parts of '
                                     'an annotation (symbolic subdivision) no time is known')
                start, end = _times(found, item, by_id, slots)
                found.row(f'line {item.line}, tier {shown(name)}', video, start, end,
                          item.findtext('ANNOTATION_VALUE') or '')


def _video(found: LabelFile, root: Element) -> tuple[str, float]:
    """Name of the recording, and the time in it at which the file's times begin, milliseconds."""
    header = root.find('HEADER')
    if header is None:
        raise found.bad('HEADER', 'is missing')
    units = header.get('TIME_UNITS', 'milliseconds')
    if units != 'milliseconds':
        raise attributes(found, header).bad('TIME_UNITS', f'must be milliseconds, got '
                                            f'{shown(units)}')
    media = header.findall('MEDIA_DESCRIPTOR')
    films = [item for item in media if item.get('MIME_TYPE', '').startswith('video')] or media
    if not films:
        raise attributes(found, header).bad('MEDIA_DESCRIPTOR', 'is missing: no recording is '
                                            'linked to the annotations')
    fields = attributes(found, films[0])
    names = [file_of_url(item.get('MEDIA_URL') or item.get('RELATIVE_MEDIA_URL') or '')
             for item in films]
    if not names[0]:
        raise fields.bad('MEDIA_URL', 'names no file')
    if len(names) > 1:
        found.remarks.append(f'{found.path}: {len(names)} recordings are linked, '
                             f'{", ".join(map(shown, names))}; the labels are of the first')
    origin = fields.number('TIME_ORIGIN', quoted=True) if 'TIME_ORIGIN' in fields.values else 0
    return names[0], float(origin)


def _time_slots(found: LabelFile, root: Element, origin: float) -> dict[str, Optional[float]]:
    """Seconds in the recording by time slot; None for slots that are not aligned."""
    slots = {}
    for slot in root.iter('TIME_SLOT'):
        with collected(found, slot) as fields:
            slots[fields.text('TIME_SLOT_ID')] = (
                (fields.number('TIME_VALUE', quoted=True) + origin) / 1000
                if 'TIME_VALUE' in fields.values else None)
    return slots


def _times(found: LabelFile, item: Element, by_id: dict, slots: dict) -> tuple[float, float]:
    """Start and end of an annotation, seconds; raises TALDataError."""
    fields = attributes(found, item)
    seen = set()
    while item.tag == _REFERRING:
        parent = fields.text('ANNOTATION_REF')
        if parent not in by_id or parent in seen:
            raise fields.bad('ANNOTATION_REF', f'there is no annotation {shown(parent)} with a '
                             'time')
        seen.add(parent)
        item = by_id[parent]
        fields = attributes(found, item)
    times = []
    for field in ('TIME_SLOT_REF1', 'TIME_SLOT_REF2'):
        slot = fields.text(field)
        if slots.get(slot) is None:
            raise fields.bad(field, f'the time slot {shown(slot)} '
                             + ('has no time: the annotation is not aligned' if slot in slots
                                else 'is not in the file'))
        times.append(slots[slot])
    return times[0], times[1]
