"""Services an intruder goes for, each with the reason in one line (data from §6.3 to §6.5)."""

from __future__ import annotations

from enrich.facts.service_names import service_label

VALUABLE_SERVICES = {
    "bedrock": "Model calls run up a bill and can be resold.",
    "cloudtrail": "Trails can be stopped or narrowed so that later actions leave no record.",
    "codeartifact": "Its tokens open the package registry.",
    "dynamodb": "Tables hold application data.",
    "ebs": "Disk blocks can be read out of snapshots.",
    "ec2": "Instances run code, mine coins and hold role credentials; snapshots hold disks.",
    "ec2-instance-connect": "A pushed key opens a shell on an instance.",
    "ecr": "Its tokens open the image registry.",
    "ecs": "Tasks run code with a role's rights.",
    "eks": "Access entries open a cluster.",
    "email": "Mail sent from a trusted domain serves phishing and spam.",
    "glue": "Development endpoints and jobs run code with a role's rights.",
    "guardduty": "Detection can be switched off, or findings archived unseen.",
    "iam": "New keys, users and policies keep access and widen it.",
    "identitystore": "Users and groups decide who may sign in to every account.",
    "kms": "Keys open encrypted data, and losing them destroys it.",
    "lambda": "Functions run code with a role's rights; their settings often hold secrets.",
    "organizations": "It lists every account and can remove the guard rails of all.",
    "ram": "Resources can be shared to an account outside.",
    "rds": "Databases and their snapshots hold data and can be shared away.",
    "redshift": "Temporary database credentials can be asked for.",
    "redshift-serverless": "Temporary database credentials can be asked for.",
    "rolesanywhere": "A trust anchor lets outside certificates become roles.",
    "s3": "Buckets hold data to steal, encrypt or delete.",
    "sagemaker": "Notebooks run code with a role's rights on costly machines.",
    "secretsmanager": "It holds passwords and keys.",
    "servicequotas": "Raised limits prepare mining.",
    "ses": "Mail sent from a trusted domain serves phishing and spam.",
    "signin": "Credentials can be turned into a console session.",
    "sns": "Text messages cost money and serve fraud.",
    "ssm": "Commands and sessions run on instances; parameters hold secrets.",
    "sso": "Permission sets and assignments open other accounts.",
    "sso-directory": "Users and groups decide who may sign in to every account.",
    "sts": "It turns one credential into others.",
}


def why_valuable(event_source: str | None) -> str | None:
    """What the service offers an intruder, or None."""
    return VALUABLE_SERVICES.get(service_label(event_source))
