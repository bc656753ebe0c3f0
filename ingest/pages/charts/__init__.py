"""The charts of the pages as SVG text. Each is drawn for wide and for narrow screens, so that its text stays readable.

Gaps are hatched and partly counted half hours or days have a hatched base; neither ever looks like zero. The page
offers the same numbers as a table next to each chart.
"""
