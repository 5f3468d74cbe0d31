"""A page of HTML that shows detections and labels on a timeline beside the video, to be corrected.

``page.py`` puts the page together of ``report.html``, ``report.css`` and four scripts:
``model.js`` holds the segments and what can be done to them, ``timeline.js`` draws them by
Plotly, ``page.js`` shows all the rest, ``actions.js`` answers keys and clicks.
"""
from .page import report_content, report_page

__all__ = ['report_content', 'report_page']
