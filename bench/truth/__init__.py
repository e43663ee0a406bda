"""Made-up worlds whose truth is known, and whether Backtrail's answers about them are true.

`aws` writes records as AWS does, `world` holds who made which credential, `kinds` tells the
stories, `damage` does to the logs what customers do to them, `alerts` asks about one event in many
forms and `judging` holds an answer against the truth. None of these knows anything of Backtrail:
a truth that its own rules had written would prove nothing. Only `running` calls it.
"""
