"""Reads XML files of annotation tools: elements that know their line, and no entities."""
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Optional
from xml.etree import ElementTree
from xml.parsers import expat

from ...utils import TALDataError
from ..converters.sources import Fields
from .rows import LabelFile


class Element(ElementTree.Element):
    """An element that knows the line it begins in."""

    line = 0


def read_xml(path: str) -> Element:
    """Read an XML file.

    Document type declarations are refused: none of the tools writes one, and entities that it may
    define can take any amount of memory, or read other files.

    Args:
        path (str): The file.

    Returns:
        Element: Its root.

    Raises:
        TALDataError: If it cannot be read, is no XML or has such a declaration.
    """
    found = LabelFile(path)
    builder = ElementTree.TreeBuilder(element_factory=Element)
    parser = expat.ParserCreate()

    def start(tag: str, attributes: dict) -> None:
        builder.start(tag, attributes).line = parser.CurrentLineNumber

    def refuse(*_) -> None:
        raise found.bad(f'line {parser.CurrentLineNumber}', 'has a document type declaration '
                        '(<!DOCTYPE ...>), which is not read')

    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        with open(path, 'rb') as file:
            parser.ParseFile(file)
    except OSError as error:
        raise found.bad('file', f'cannot be read ({error})') from error
    except TALDataError:
        raise
    except (expat.ExpatError, LookupError, ValueError) as error:  # the last two: of encodings
        raise found.bad('file', f'is not valid XML ({error})') from error
    return builder.close()


def attributes(found: LabelFile, element: Element, video: Optional[str] = None) -> Fields:
    """The attributes of an element, with its tag and line for errors."""
    return found.fields(dict(element.attrib), f'line {element.line}, {element.tag}', video)


@contextmanager
def collected(found: LabelFile, element: Element, video: Optional[str] = None) -> Iterator[Fields]:
    """Read the attributes of an element; what is wrong is added to the problems of the file."""
    with found.collecting():
        yield attributes(found, element, video)
