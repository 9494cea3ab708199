"""SLO files of other tools as OpenSLO v1 documents.

One module per tool, found by its place: it exports `CONVERTER`. What has no counterpart is refused
by name, never left out in silence.
"""

from analyzer.slo.convert.converter import Converted, Converter, convert

__all__ = ["Converted", "Converter", "convert"]
