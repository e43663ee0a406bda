"""The name people use for an AWS service, from its `eventSource` (§6.6)."""

from __future__ import annotations

SERVICE_NAMES = {
    "access-analyzer": "IAM Access Analyzer",
    "acm": "Certificate Manager",
    "agreement-marketplace": "Marketplace",
    "aoss": "OpenSearch Serverless",
    "apigateway": "API Gateway",
    "application-autoscaling": "Auto Scaling",
    "autoscaling": "Auto Scaling",
    "aws-mcp": "AWS MCP Server",
    "backup": "Backup",
    "backup-storage": "Backup",
    "batch": "Batch",
    "bedrock": "Bedrock",
    "bedrock-agentcore": "Bedrock",
    "ce": "Cost Explorer",
    "cloudformation": "CloudFormation",
    "cloudfront": "CloudFront",
    "cloudshell": "CloudShell",
    "cloudtrail": "CloudTrail",
    "codeartifact": "CodeArtifact",
    "codebuild": "CodeBuild",
    "codepipeline": "CodePipeline",
    "cognito-identity": "Cognito",
    "cognito-idp": "Cognito",
    "config": "Config",
    "discovery": "Application Discovery",
    "dynamodb": "DynamoDB",
    "ebs": "EBS direct",
    "ec2": "EC2",
    "ec2-instance-connect": "EC2 Instance Connect",
    "ec2messages": "Systems Manager",
    "ecr": "ECR",
    "ecs": "ECS",
    "eks": "EKS",
    "eks-auth": "EKS Pod Identity",
    "elasticache": "ElastiCache",
    "elasticfilesystem": "EFS",
    "elasticloadbalancing": "ELB",
    "elasticmapreduce": "EMR",
    "email": "SES",
    "es": "OpenSearch",
    "events": "EventBridge",
    "firehose": "Kinesis Data Firehose",
    "glue": "Glue",
    "guardduty": "GuardDuty",
    "health": "Health",
    "iam": "IAM",
    "identitystore": "IAM Identity Center",
    "inspector2": "Inspector",
    "iot": "IoT",
    "iotdata": "IoT",
    "kinesis": "Kinesis",
    "kinesisanalytics": "Kinesis Data Analytics",
    "kms": "KMS",
    "lambda": "Lambda",
    "lightsail": "Lightsail",
    "logs": "CloudWatch Logs",
    "macie2": "Macie",
    "monitoring": "CloudWatch",
    "network-firewall": "Network Firewall",
    "organizations": "Organizations",
    "pipes": "EventBridge",
    "ram": "Resource Access Manager",
    "rds": "RDS",
    "rds-data": "RDS Data API",
    "redshift": "Redshift",
    "redshift-serverless": "Redshift Serverless",
    "resource-explorer-2": "Resource Explorer",
    "resource-groups": "Tag editor",
    "rolesanywhere": "Roles Anywhere",
    "route53": "Route 53",
    "route53resolver": "Route 53 Resolver",
    "s3": "S3",
    "s3express": "S3 Express",
    "sagemaker": "SageMaker",
    "scheduler": "EventBridge",
    "secretsmanager": "Secrets Manager",
    "securityhub": "Security Hub",
    "serverlessrepo": "Serverless Repository",
    "servicecatalog": "Service Catalog",
    "servicediscovery": "Cloud Map",
    "servicequotas": "Service Quotas",
    "ses": "SES",
    "signin": "AWS Sign-In / console",
    "sns": "SNS",
    "sqs": "SQS",
    "ssm": "Systems Manager",
    "ssmmessages": "Systems Manager",
    "sso": "IAM Identity Center",
    "sso-directory": "IAM Identity Center",
    "sso-oauth": "IAM Identity Center",
    "states": "Step Functions",
    "sts": "STS",
    "support": "Support",
    "tagging": "Tag editor",
    "transfer": "Transfer Family",
    "trustedadvisor": "Trusted Advisor",
    "waf-regional": "WAF Regional",
    "wafv2": "WAF",
    "xray": "X-Ray",
}

_ENDINGS = (".amazonaws.com.cn", ".amazonaws.com", ".aws.internal")


def service_label(event_source: str | None) -> str:
    """ "ec2" of "ec2.amazonaws.com": what is left when the source has no better name."""
    if event_source is None:
        return "unknown"
    for ending in _ENDINGS:
        if event_source.endswith(ending):
            return event_source.removesuffix(ending)
    return event_source


def service_name(event_source: str | None) -> str:
    """ "Step Functions" of "states.amazonaws.com"; the label where no other name is known."""
    label = service_label(event_source)
    return SERVICE_NAMES.get(label, label)
