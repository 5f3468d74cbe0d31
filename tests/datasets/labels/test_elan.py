"""ELAN's annotation format."""
import pytest

MEDIA = ('<MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/my films/a%20b.mp4" MIME_TYPE="video/mp4" '
         'RELATIVE_MEDIA_URL="./a b.mp4"/>')
EAF = '''<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2024-05-01T10:00:00+01:00" FORMAT="3.0" VERSION="3.0">
    <HEADER MEDIA_FILE="" TIME_UNITS="milliseconds">
        {media}
        <PROPERTY NAME="lastUsedAnnotationId">5</PROPERTY>
    </HEADER>
    <TIME_ORDER>
        <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="780"/>
        <TIME_SLOT TIME_SLOT_ID="ts2" TIME_VALUE="1590"/>
        <TIME_SLOT TIME_SLOT_ID="ts3" TIME_VALUE="2000"/>
        <TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="10500"/>
        <TIME_SLOT TIME_SLOT_ID="ts5"/>
    </TIME_ORDER>
    <TIER LINGUISTIC_TYPE_REF="default-lt" TIER_ID="action" PARTICIPANT="p1">
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts3">
                <ANNOTATION_VALUE>run</ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
        <ANNOTATION>
            <ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4">
                <ANNOTATION_VALUE> sit </ANNOTATION_VALUE>
            </ALIGNABLE_ANNOTATION>
        </ANNOTATION>
    </TIER>
    {more}
    <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="default-lt" TIME_ALIGNABLE="true"/>
</ANNOTATION_DOCUMENT>
'''
HOW = '''<TIER LINGUISTIC_TYPE_REF="how" PARENT_REF="action" TIER_ID="how">
    <ANNOTATION>
        <REF_ANNOTATION ANNOTATION_ID="a3" ANNOTATION_REF="{parent}">
            <ANNOTATION_VALUE>{value}</ANNOTATION_VALUE>
        </REF_ANNOTATION>
    </ANNOTATION>
    {again}
</TIER>'''
ROWS = [('a b', 0.78, 2.0, 'run'), ('a b', 2.0, 10.5, 'sit')]


def eaf(media=MEDIA, more=''):
    return EAF.format(media=media, more=more)


def how(parent='a1', value='fast', again=''):
    return HOW.format(parent=parent, value=value, again=again)


def test_rows(files):
    assert files.rows('x.eaf', eaf()) == ROWS
    # a tier without annotations is no choice
    assert files.rows('x.eaf', eaf(more='<TIER TIER_ID="notes"/>')) == ROWS
    assert files.rows('x.xml', eaf()) == ROWS


def test_tiers(files):
    text = eaf(more=how())
    assert files.problems('x.eaf', text) == [
        "tiers: 2 tiers have labels: 'action' (2), 'how' (1); say which are to be read (tiers)"]
    assert files.rows('x.eaf', text, tiers=['action']) == ROWS
    # annotations of a tier that depends on another have the times of those they refer to
    assert files.rows('x.eaf', text, tiers=['how']) == [('a b', 0.78, 2.0, 'fast')]
    labels = files.labels('x.eaf', text, tiers=['how', 'action', 'hands'])
    assert [row.label for row in labels.rows] == ['fast', 'run', 'sit']
    assert labels.remarks == [f'{files.folder}/x.eaf: there is no \'hands\' among its tiers']
    assert files.problems('x.eaf', text, tiers=['hands']) == [
        "tiers: there is none of ['hands'], but 'action', 'how'"]


@pytest.mark.parametrize('descriptors, name, start', [
    (['audio/x-wav" MEDIA_URL="file:///a.wav', 'video/mp4" MEDIA_URL="file:///b.mp4'], 'b', 0.78),
    (['audio/x-wav" MEDIA_URL="file:///c.wav'], 'c', 0.78),
    (['video/mp4" RELATIVE_MEDIA_URL="./films/d.mp4" MEDIA_URL="'], 'd', 0.78),
    # the recording was moved against the time line: what is at 0 there is at 1.5 s of it
    (['video/mp4" MEDIA_URL="file:///e.mp4" TIME_ORIGIN="1500'], 'e', 2.28),
])
def test_recordings(files, descriptors, name, start):
    media = ''.join(f'<MEDIA_DESCRIPTOR MIME_TYPE="{text}"/>' for text in descriptors)
    video, first, _, _ = files.rows('x.eaf', eaf(media))[0]
    assert (video, first) == (name, pytest.approx(start))


def test_several_videos(files):
    media = MEDIA + MEDIA.replace('a%20b', 'side')
    labels = files.labels('x.eaf', eaf(media))
    assert labels.remarks == [f"{files.folder}/x.eaf: 2 recordings are linked, 'a b.mp4', "
                              "'side.mp4'; the labels are of the first"]
    assert list(labels.videos) == ['a b']


@pytest.mark.parametrize('change, words', [
    (('ts4" TIME_VALUE="10500"', 'ts4"'), "line 21, ALIGNABLE_ANNOTATION, TIME_SLOT_REF2: the time "
     "slot 'ts4' has no time: the annotation is not aligned"),
    (('REF2="ts4"', 'REF2="ts9"'), "line 21, ALIGNABLE_ANNOTATION, TIME_SLOT_REF2: the time slot "
     "'ts9' is not in the file"),
    (('VALUE="780"', 'VALUE="x"'), "line 8, TIME_SLOT, TIME_VALUE: must be a number, got 'x'"),
    (('TIER_ID="action"', ''), 'line 14, TIER, TIER_ID: is missing'),
    (('> sit <', '> <'), "line 21, tier 'action': the label is empty"),
    (('"milliseconds"', '"PAL-frames"'), "line 3, HEADER, TIME_UNITS: must be milliseconds, got "
     "'PAL-frames'"),
    ((MEDIA, ''), 'line 3, HEADER, MEDIA_DESCRIPTOR: is missing: no recording'),
    (('C:/my films/a%20b.mp4', ''), 'line 4, MEDIA_DESCRIPTOR, MEDIA_URL: names no file'),
    (('HEADER', 'HEAD'), 'HEADER: is missing'),
    (('VALUE="2000"', 'VALUE="0"'),
     "line 16, tier 'action': end 0 s is not after start 0.78 s"),
])
def test_bad_files(files, change, words):
    text = eaf()
    assert change[0] in text
    text = text.replace('RELATIVE_MEDIA_URL="./a b.mp4"', '') if 'names no' in words else text
    assert files.problems('x.eaf', text.replace(*change))[0].startswith(words)


def test_annotations_without_a_time_of_their_own(files):
    again = '''<ANNOTATION><REF_ANNOTATION ANNOTATION_ID="a4" ANNOTATION_REF="a1"
        PREVIOUS_ANNOTATION="a3"><ANNOTATION_VALUE>slow</ANNOTATION_VALUE></REF_ANNOTATION>
        </ANNOTATION>'''
    problem, = files.problems('x.eaf', eaf(more=how(again=again)), tiers=['how'])
    assert "refers to 'a1' as the annotation in line 28 does" in problem
    for parent in ('a3', 'a9'):  # itself, and none
        problem, = files.problems('x.eaf', eaf(more=how(parent)), tiers=['how'])
        assert problem.endswith(f"ANNOTATION_REF: there is no annotation '{parent}' with a time")
