"""Figures are those of the rehearsed month that reports are tested with."""

from tests.webui.reports.conftest import month, whole_month

__all__ = ["month", "whole_month"]
