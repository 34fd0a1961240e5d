"""Calls and their answers, as CloudTrail records: the recording side of the laptop."""
