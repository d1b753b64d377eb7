"""What each dialog asks and which command its answers make, a module a subject. Pure: no widget in sight."""

from mds_tui.forms.form import HOLDS, Field, Form, Option, Values, answers

__all__ = ["HOLDS", "Field", "Form", "Option", "Values", "answers"]
