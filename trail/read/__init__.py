"""One reader for every shape of log and alert, used by both sides.

`containers` makes text of bytes, `mend` repairs what pasting broke, `walk` finds records in what
JSON says, wherever they stand, `flat` and `ocsf` put rows of other tools back into CloudTrail's
spelling, `structs` reads what Athena prints, `others` names what is no CloudTrail. Each says what
it did; none invents anything.
"""
