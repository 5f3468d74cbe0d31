"""Keys and names of an earlier version are answered with what to write instead."""
import pytest
from mmengine.registry import Registry

from cltdr_mm.utils import moved_class, refuse_moved

MOVED = dict(variant='stem_kernel_size=..., see docs/changelog.md', width='embed_dims=...')


def test_every_moved_key_gets_a_line():
    with pytest.raises(TypeError) as caught:
        refuse_moved(dict(variant='release', depth=3, width=8), 'GMG', MOVED)
    assert str(caught.value).splitlines() == [
        'GMG: `variant` is gone: write stem_kernel_size=..., see docs/changelog.md',
        'GMG: `width` is gone: write embed_dims=...']


def test_other_keys_are_left_to_the_caller():
    refuse_moved(dict(depth=3), 'GMG', MOVED)


def test_a_moved_name_is_found_and_answers_in_a_config():
    registry = Registry('parts')
    registry.register_module(module=moved_class('OldHook', 'NewHook'))
    with pytest.raises(TypeError, match='`OldHook` is gone: write NewHook'):
        registry.build(dict(type='OldHook', some=1))
