"""The calls that each kind of work makes, with true-to-life parameters and refusals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from random import Random
from typing import Any

from demo.company import HOME_REGION
from demo.ids import named_hexadecimal
from demo.records import Call

Menu = tuple[Sequence[Call], Sequence[float]]
"""Calls and how often each is made."""

_BUCKETS = (
    "example-shop-assets",
    "example-shop-orders",
    "example-data-lake",
    "example-ci-artifacts",
)
_SECRETS = ("shop/db-password", "shop/payment-token", "ci/registry", "data/warehouse")


def read(service: str, name: str, /, **params: Any) -> Call:
    """A read without an answer in the log, as most are."""
    return Call(service, name, params=params or None)


def write(service: str, name: str, response: Any = None, /, **params: Any) -> Call:
    """A change."""
    return Call(service, name, read=False, params=params or None, response=response)


def get_object(account: str, bucket: str, key: str, *, name: str = "GetObject") -> Call:
    """An S3 data event on one object."""
    bucket_arn = f"arn:aws:s3:::{bucket}"
    return Call(
        "s3",
        name,
        read=name != "PutObject",
        params={
            "bucketName": bucket,
            "Host": f"{bucket}.s3.{HOME_REGION}.amazonaws.com",
            "key": key,
        },
        resources=(
            {"type": "AWS::S3::Object", "ARN": f"{bucket_arn}/{key}"},
            {"accountId": account, "type": "AWS::S3::Bucket", "ARN": bucket_arn},
        ),
        data=True,
    )


def secret_arn(account: str, name: str) -> str:
    """A secret's full ARN, with its random tail."""
    tail = named_hexadecimal(f"secret:{name}", 6)
    return f"arn:aws:secretsmanager:{HOME_REGION}:{account}:secret:{name}-{tail}"


def _encoded(number: int) -> str:
    return named_hexadecimal(f"encoded:{number}", 160)


def ec2_denied(call: Call, who: str, number: int = 0) -> Call:
    """EC2's refusal, which keeps its parameters."""
    return call.failing(
        "Client.UnauthorizedOperation",
        f"You are not authorized to perform this operation. User: {who} is not authorized to "
        f"perform: ec2:{call.name} because no identity-based policy allows the ec2:{call.name} "
        f"action. Encoded authorization failure message: {_encoded(number)}",
    )


def denied(call: Call, who: str, resource: str = "*") -> Call:
    """The usual refusal, without parameters."""
    action = f"{call.service}:{call.name}"
    return call.failing(
        "AccessDenied",
        f"User: {who} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action",
        keep_params=False,
    )


def _menu(*entries: tuple[float, Call]) -> Menu:
    return [call for _, call in entries], [weight for weight, _ in entries]


def _things(kind: str, account: str, count: int) -> list[str]:
    return [f"{kind}-0{named_hexadecimal(f'{kind}:{account}:{n}', 16)}" for n in range(count)]


@cache
def web_server(account: str) -> Menu:
    """A shop web server: assets, a parameter, its own metrics and agent."""
    objects = [f"catalogue/{n:04d}.webp" for n in range(40)]
    return _menu(
        *((0.6, get_object(account, "example-shop-assets", key)) for key in objects),
        (6, write("ssm", "UpdateInstanceInformation", agentName="amazon-ssm-agent")),
        (5, read("ssm", "GetParameter", name="/shop/web/config", withDecryption=True)),
        (4, read("kms", "Decrypt", encryptionAlgorithm="SYMMETRIC_DEFAULT")),
        (3, read("ec2", "DescribeTags", filterSet={"items": []})),
        (2, read("elasticloadbalancing", "DescribeTargetHealth")),
        (1, read("secretsmanager", "GetSecretValue", secretId=secret_arn(account, _SECRETS[0]))),
        (1, read("sts", "GetCallerIdentity")),
        (
            0.8,
            get_object(account, "example-shop-assets", "catalogue/gone.webp").failing(
                "NoSuchKey", "The specified key does not exist."
            ),
        ),
        (
            0.8,
            read("ssm", "GetParameter", name="/shop/web/beta").failing(
                "ParameterNotFound", "Parameter /shop/web/beta not found."
            ),
        ),
    )


@cache
def batch_worker(account: str) -> Menu:
    """A data worker: reads the lake, writes results, talks to Glue and Athena."""
    keys = [f"orders/2026/03/part-{n:05d}.parquet" for n in range(60)]
    return _menu(
        *((0.4, get_object(account, "example-data-lake", key)) for key in keys),
        *(
            (0.2, get_object(account, "example-data-lake", f"out/{key}", name="PutObject"))
            for key in keys[:20]
        ),
        (6, read("glue", "GetTable", databaseName="orders", name="daily")),
        (4, read("glue", "GetPartitions", databaseName="orders", tableName="daily")),
        (3, write("athena", "StartQueryExecution", {"queryExecutionId": "example"})),
        (5, read("athena", "GetQueryExecution", queryExecutionId="example")),
        (4, write("kms", "GenerateDataKey", keySpec="AES_256")),
        (2, read("sqs", "ReceiveMessage", queueUrl="example-jobs")),
        (
            1.2,
            read("glue", "GetTable", databaseName="orders", name="old").failing(
                "EntityNotFoundException", "Entity Not Found"
            ),
        ),
    )


@cache
def container(account: str) -> Menu:
    """An application container or function: secrets, queues, tables, keys."""
    return _menu(
        (8, read("kms", "Decrypt", encryptionAlgorithm="SYMMETRIC_DEFAULT")),
        *(
            (1, read("secretsmanager", "GetSecretValue", secretId=secret_arn(account, name)))
            for name in _SECRETS[:2]
        ),
        (4, read("dynamodb", "DescribeTable", tableName="example-carts")),
        (5, read("sqs", "GetQueueAttributes", queueUrl="example-orders")),
        (4, read("sqs", "GetQueueUrl", queueName="example-orders")),
        (3, read("ssm", "GetParametersByPath", path="/shop/", recursive=True)),
        (2, read("logs", "DescribeLogStreams", logGroupName="/example/app")),
        (1, write("logs", "CreateLogStream", logGroupName="/example/app")),
        (
            1.2,
            read("dynamodb", "DescribeTable", tableName="example-carts-old").failing(
                "ResourceNotFoundException", "Requested resource not found: Table not found"
            ),
        ),
        (
            0.6,
            read("secretsmanager", "DescribeSecret").failing(
                "ThrottlingException", "Rate exceeded"
            ),
        ),
    )


@cache
def crawler(account: str) -> Menu:
    """Config, the auditors and the monitoring vendor: describe everything, again and again."""
    names = [
        "ec2:DescribeInstances",
        "ec2:DescribeVolumes",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
        "ec2:DescribeRouteTables",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSnapshots",
        "ec2:DescribeImages",
        "ec2:DescribeAddresses",
        "ec2:DescribeFlowLogs",
        "rds:DescribeDBInstances",
        "rds:DescribeDBSnapshots",
        "rds:DescribeDBClusters",
        "lambda:ListFunctions20150331",
        "lambda:GetPolicy20150331v2",
        "s3:ListBuckets",
        "s3:GetBucketPolicy",
        "s3:GetBucketEncryption",
        "s3:GetBucketPublicAccessBlock",
        "iam:ListRoles",
        "iam:ListUsers",
        "iam:GetAccountSummary",
        "iam:ListPolicies",
        "kms:ListKeys",
        "kms:DescribeKey",
        "sns:ListTopics",
        "sqs:ListQueues",
        "dynamodb:ListTables",
        "ecs:ListClusters",
        "ecs:DescribeServices",
        "eks:DescribeCluster",
        "cloudtrail:DescribeTrails",
        "cloudtrail:GetTrailStatus",
        "elasticloadbalancing:DescribeLoadBalancers",
        "autoscaling:DescribeAutoScalingGroups",
        "monitoring:DescribeAlarms",
        "logs:DescribeLogGroups",
        "secretsmanager:ListSecrets",
        "acm:ListCertificates",
        "guardduty:ListDetectors",
    ]
    entries = [(2.0, read(*name.split(":"))) for name in names]
    entries += [
        (
            0.5,
            read("s3", "GetBucketPolicy", bucketName=bucket).failing(
                "NoSuchBucketPolicy", "The bucket policy does not exist"
            ),
        )
        for bucket in _BUCKETS
    ]
    entries.append(
        (
            1.0,
            read("ec2", "DescribeInstances").failing(
                "Client.RequestLimitExceeded", "Request limit exceeded."
            ),
        )
    )
    return _menu(*entries)


@cache
def pipeline(account: str) -> Menu:
    """A deployment: images, stacks, services, functions."""
    tasks = _things("task", account, 6)
    return _menu(
        (6, read("cloudformation", "DescribeStacks", stackName="example-shop")),
        (4, read("cloudformation", "DescribeStackEvents", stackName="example-shop")),
        (1, write("cloudformation", "CreateChangeSet", stackName="example-shop")),
        (1, write("cloudformation", "ExecuteChangeSet", stackName="example-shop")),
        (3, read("ecr", "GetAuthorizationToken")),
        (3, read("ecr", "BatchCheckLayerAvailability", repositoryName="example/shop")),
        (2, write("ecr", "InitiateLayerUpload", repositoryName="example/shop")),
        (2, write("ecr", "PutImage", repositoryName="example/shop", imageTag="build")),
        (4, read("ecs", "DescribeServices", cluster="example", services=["shop"])),
        (2, write("ecs", "UpdateService", cluster="example", service="shop")),
        (1, write("ecs", "RegisterTaskDefinition", family=tasks[0])),
        (1, write("lambda", "UpdateFunctionCode20150331v2", functionName="example-thumbnails")),
        (2, read("lambda", "GetFunction20150331v2", functionName="example-thumbnails")),
        (3, read("s3", "GetBucketLocation", bucketName="example-ci-artifacts")),
        (2, read("iam", "GetRole", roleName="example-task")),
        (1, read("sts", "GetCallerIdentity")),
        (
            0.3,
            write("cloudformation", "CreateChangeSet", stackName="example-shop").failing(
                "ValidationException", "No updates are to be performed."
            ),
        ),
    )


@cache
def legacy_build(account: str) -> Menu:
    """The old build server: pushes packages, and little else."""
    return _menu(
        *(
            (1, get_object(account, "example-ci-artifacts", f"pkg/{n}.tar.gz", name="PutObject"))
            for n in range(8)
        ),
        (4, read("s3", "GetBucketLocation", bucketName="example-ci-artifacts")),
        (3, read("ecr", "GetAuthorizationToken")),
        (2, read("ecr", "DescribeRepositories")),
        (2, read("codeartifact", "GetAuthorizationToken", domain="example")),
    )


@cache
def developer(account: str) -> Menu:
    """A person at work: looks around a lot, changes a little, is refused now and then."""
    instances = _things("i", account, 5)
    who = f"arn:aws:sts::{account}:assumed-role/example"
    return _menu(
        (8, read("ec2", "DescribeInstances", filterSet={}, instancesSet={})),
        (4, read("ec2", "DescribeSecurityGroups")),
        (3, read("ec2", "DescribeVolumes")),
        (5, read("logs", "FilterLogEvents", logGroupName="/example/app")),
        (4, read("logs", "DescribeLogGroups")),
        (4, read("monitoring", "DescribeAlarms")),
        (5, read("cloudformation", "DescribeStacks")),
        (4, read("ecs", "ListTasks", cluster="example")),
        (4, read("ecs", "DescribeTasks", cluster="example")),
        (5, read("s3", "ListBuckets")),
        (3, read("s3", "GetBucketLocation", bucketName=_BUCKETS[0])),
        (3, read("lambda", "ListFunctions20150331")),
        (2, read("lambda", "GetFunction20150331v2", functionName="example-thumbnails")),
        (2, write("lambda", "UpdateFunctionConfiguration20150331v2", functionName="example-mail")),
        (3, read("iam", "ListRoles")),
        (2, read("rds", "DescribeDBInstances")),
        (2, read("sts", "GetCallerIdentity")),
        (1, read("secretsmanager", "ListSecrets")),
        (1, write("ssm", "StartSession", {"sessionId": "example"}, target=instances[0])),
        (1, write("ec2", "StartInstances", instancesSet={"items": [{"instanceId": instances[1]}]})),
        (1, write("ec2", "StopInstances", instancesSet={"items": [{"instanceId": instances[1]}]})),
        (0.5, write("ec2", "CreateTags", resourcesSet={"items": [{"resourceId": instances[2]}]})),
        (0.6, ec2_denied(read("ec2", "DescribeInstanceAttribute", instanceId=instances[3]), who)),
        (0.6, denied(read("iam", "GetRolePolicy"), who, f"arn:aws:iam::{account}:role/example")),
    )


@cache
def console_pages(account: str) -> Menu:
    """What console pages ask for by themselves, besides what the person wants."""
    calls, weights = developer(account)
    extra = _menu(
        (6, read("ec2", "DescribeAccountAttributes")),
        (5, read("resource-explorer-2", "ListIndexes")),
        (5, read("notifications", "ListNotificationHubs")),
        (4, read("health", "DescribeEventAggregates")),
        (4, read("ce", "GetCostAndUsage")),
        (3, read("ec2", "DescribeRegions")),
    )
    return [*calls, *extra[0]], [*weights, *extra[1]]


@cache
def analyst(account: str) -> Menu:
    """Queries over the data lake."""
    return _menu(
        (6, write("athena", "StartQueryExecution", {"queryExecutionId": "example"})),
        (8, read("athena", "GetQueryExecution", queryExecutionId="example")),
        (5, read("athena", "GetQueryResults", queryExecutionId="example")),
        (3, read("glue", "GetTables", databaseName="orders")),
        (2, read("s3", "ListBuckets")),
        (1, read("quicksight", "ListDashboards")),
        (
            0.5,
            write("athena", "StartQueryExecution").failing(
                "InvalidRequestException", "line 1:8: Column 'exampel' cannot be resolved"
            ),
        ),
    )


@cache
def bookkeeper(account: str) -> Menu:
    """Bills and budgets."""
    return _menu(
        (6, read("ce", "GetCostAndUsage")),
        (2, read("ce", "GetCostForecast")),
        (2, read("budgets", "DescribeBudgets")),
        (1, read("organizations", "ListAccounts")),
    )


def choose(menu: Menu, count: int, rng: Random) -> list[Call]:
    """`count` calls in the menu's proportions."""
    return rng.choices(menu[0], weights=menu[1], k=count) if count > 0 else []
