"""One record for each kind of sign that content has, as the service's API Reference and CloudTrail
write it, and beside many a record like it that has none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from alerts.content import CONTENT_APIS, KINDS, ContentSign, content_signs
from tests.an_event import ACCOUNT, a_role_session, an_event
from trail.events import event_row

OTHER = "999988887777"


def signs(api: str, request: Any = None, **changes: Any) -> tuple[ContentSign, ...]:
    """The signs of a call of alice's in account 111122223333: "iam CreateUser"."""
    service, name = api.split()
    record = an_event(
        eventSource=f"{service}.amazonaws.com", eventName=name, requestParameters=request, **changes
    )
    return content_signs(event_row(record))


def trust(principal: Any, **condition: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition["condition"]
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def a_role(document: str) -> dict[str, Any]:
    return {"roleName": "ops", "path": "/", "assumeRolePolicyDocument": document}


def resource(principal: Any, action: str = "s3:GetObject", **more: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*", **more},
    ]}  # fmt: skip


def ports(first: int, last: int, cidr: str, protocol: str = "tcp") -> dict[str, Any]:
    kind = "ipv6Ranges" if ":" in cidr else "ipRanges"
    field = "cidrIpv6" if ":" in cidr else "cidrIp"
    return {"groupId": "sg-1", "ipPermissions": {"items": [
        {"ipProtocol": protocol, "fromPort": first, "toPort": last, "groups": {},
         kind: {"items": [{field: cidr}]}, "prefixListIds": {}},
    ]}}  # fmt: skip


def selectors(**changes: Any) -> dict[str, Any]:
    selector = {"readWriteType": "All", "includeManagementEvents": True, "dataResources": [],
                "excludeManagementEventSources": []}  # fmt: skip
    return {"trailName": "main", "eventSelectors": [{**selector, **changes}]}


def advanced(*fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"trailName": "main", "advancedEventSelectors": [
        {"name": "x", "fieldSelectors": list(fields)},
    ]}  # fmt: skip


MANAGEMENT = {"field": "eventCategory", "equals": ["Management"]}
GITHUB = {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"}
ONE_REPOSITORY = {"condition": {"StringLike": {
    "token.actions.githubusercontent.com:sub": "repo:us/app:*"}}}  # fmt: skip
ANY_REPOSITORY = {"condition": {"StringLike": {
    "token.actions.githubusercontent.com:sub": "repo:*"}}}  # fmt: skip
ALL_USERS = {"AccessControlPolicy": {"AccessControlList": {"Grant": [
    {"Grantee": {"xsi:type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"},
     "Permission": "READ"}]}}}  # fmt: skip
ROOT_OF_OTHER = {"AWS": f"arn:aws:iam::{OTHER}:root"}

# Kind, whether grave, the call, its parameters, words of the sentence.
TOLD: list[tuple[str, bool, str, Any, str]] = [
    ("trust_anyone", True, "iam CreateRole", a_role(trust("*")),
     "lets anybody in AWS assume role ops."),
    ("trust_anyone", True, "iam CreateRole", a_role(trust({"AWS": "*"})), "anybody"),
    ("trust_anyone", False, "iam CreateRole",
     a_role(trust("*", condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})),
     "only under conditions (aws:principalorgid)"),
    ("trust_anyone", True, "iam CreateRole",
     a_role(trust("*", condition={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}})), "anybody"),
    ("trust_outside", True, "iam UpdateAssumeRolePolicy",
     {"roleName": "ops", "policyDocument": trust(ROOT_OF_OTHER)},
     "lets account 999988887777 (outside account 111122223333) assume role ops."),
    ("trust_any_subject", True, "iam CreateRole", a_role(trust(GITHUB)),
     "any subject of token.actions.githubusercontent.com"),
    ("trust_any_subject", True, "iam CreateRole", a_role(trust(GITHUB, **ANY_REPOSITORY)), "any"),
    ("login_profile_made", False, "iam CreateLoginProfile",
     {"userName": "eve", "passwordResetRequired": False},
     "gave user eve a console password; it need not be changed"),
    ("login_profile_changed", True, "iam UpdateLoginProfile", {"userName": "eve"},
     "set anew for user eve the console password"),
    ("key_for_another", True, "iam CreateAccessKey", {"userName": "eve"}, "for user eve."),
    ("key_for_oneself", False, "iam CreateAccessKey", {"userName": "alice"},
     "for user alice (the caller)"),
    ("key_switched_on", False, "iam UpdateAccessKey",
     {"userName": "eve", "accessKeyId": "AKIAEVE", "status": "Active"}, "AKIAEVE of user eve on"),
    ("other_credential", False, "iam CreateServiceSpecificCredential",
     {"userName": "eve", "serviceName": "codecommit.amazonaws.com"}, "a password for one service"),
    ("mfa_removed", True, "iam DeactivateMFADevice",
     {"userName": "eve", "serialNumber": f"arn:aws:iam::{ACCOUNT}:mfa/phone"},
     "second factor phone from user eve"),
    ("mfa_removed", False, "iam DeactivateMFADevice", {"userName": "alice"}, "(the caller)"),
    ("mfa_for_another", False, "iam EnableMFADevice", {"userName": "eve"}, "for user eve"),
    ("provider_saml", True, "iam CreateSAMLProvider", {"name": "Okta"}, "identity provider Okta"),
    ("provider_oidc", True, "iam CreateOpenIDConnectProvider",
     {"url": "https://idp.example/x", "clientIDList": ["sts.amazonaws.com"]},
     "identity provider idp.example (OpenID Connect) for sts.amazonaws.com"),
    ("trust_anchor", True, "rolesanywhere CreateTrustAnchor",
     {"name": "ours", "source": {"sourceType": "CERTIFICATE_BUNDLE"}}, "trust anchor ours"),
    ("anywhere_profile", False, "rolesanywhere CreateProfile",
     {"name": "p", "roleArns": [f"arn:aws:iam::{ACCOUNT}:role/ops"]}, "become role ops: profile p"),
    ("password_policy_weakened", False, "iam DeleteAccountPasswordPolicy", None, "deleted"),
    ("password_policy_weakened", False, "iam UpdateAccountPasswordPolicy",
     {"minimumPasswordLength": 6}, "of 6 characters"),
    ("logging_stopped", True, "cloudtrail StopLogging",
     {"name": f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/main"}, "StopLogging stopped trail m"),
    ("logging_stopped", True, "cloudtrail DeleteTrail", {"name": "main"}, "deleted trail main"),
    ("logging_stopped", True, "cloudtrail DeleteEventDataStore",
     {"eventDataStore": f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:eventdatastore/e-1"}, "e-1"),
    ("logging_narrowed", True, "cloudtrail PutEventSelectors",
     selectors(includeManagementEvents=False), "left out of trail main: all management events"),
    ("logging_narrowed", True, "cloudtrail PutEventSelectors", selectors(readWriteType="ReadOnly"),
     "management events that write"),
    ("logging_narrowed", False, "cloudtrail PutEventSelectors",
     selectors(readWriteType="WriteOnly"), "management events that read"),
    ("logging_narrowed", False, "cloudtrail PutEventSelectors",
     selectors(excludeManagementEventSources=["kms.amazonaws.com"]), "of kms.amazonaws.com"),
    ("logging_narrowed", True, "cloudtrail PutEventSelectors",
     advanced({"field": "eventCategory", "equals": ["Data"]}), "all management events"),
    ("logging_narrowed", True, "cloudtrail PutEventSelectors",
     advanced(MANAGEMENT, {"field": "readOnly", "equals": ["true"]}), "that write"),
    ("logging_narrowed", True, "cloudtrail UpdateTrail",
     {"name": "main", "isMultiRegionTrail": False}, "leave out all other Regions"),
    ("logging_narrowed", False, "cloudtrail UpdateTrail",
     {"name": "main", "enableLogFileValidation": False}, "no digests"),
    ("logging_narrowed", False, "cloudtrail PutInsightSelectors",
     {"trailName": "main", "insightSelectors": []}, "no unusual activity"),
    ("logging_redirected", False, "cloudtrail UpdateTrail",
     {"name": "main", "s3BucketName": "b"}, "write to bucket b"),
    ("other_log_stopped", True, "ec2 DeleteFlowLogs",
     {"DeleteFlowLogsRequest": {"FlowLogId": {"tag": 1, "content": "fl-1"}}}, "flow log fl-1"),
    ("other_log_stopped", False, "logs DeleteLogGroup", {"logGroupName": "/aws/x"}, "/aws/x"),
    ("other_log_stopped", False, "s3 PutBucketLogging",
     {"bucketName": "b", "BucketLoggingStatus": {"xmlns": "x"}}, "access log of bucket b off"),
    ("other_log_stopped", True, "bedrock DeleteModelInvocationLoggingConfiguration", None,
     "model invocations"),
    ("other_log_shortened", False, "logs PutRetentionPolicy",
     {"logGroupName": "g", "retentionInDays": 1}, "kept for 1 day alone"),
    ("logs_expire", True, "s3 PutBucketLifecycle",
     {"bucketName": "org-cloudtrail", "LifecycleConfiguration": {"Rule": {
         "Status": "Enabled", "Expiration": {"Days": 1}, "ID": "x"}}}, "deleted after 1 day"),
    ("objects_expire", False, "s3 PutBucketLifecycle",
     {"bucketName": "tmp", "LifecycleConfiguration": {"Rule": [
         {"Status": "Enabled", "Expiration": {"Days": 2}}]}}, "after 2 days"),
    ("detection_off", True, "guardduty DeleteDetector", {"detectorId": "d1"}, "detector d1"),
    ("detection_off", True, "guardduty UpdateDetector", {"detectorId": "d1", "enable": False},
     "switched detector d1 off"),
    ("detection_off", True, "config StopConfigurationRecorder",
     {"configurationRecorderName": "default"}, "configuration recorder default"),
    ("detection_off", True, "securityhub DisableSecurityHub", None, "Security Hub"),
    ("detection_blinded", False, "guardduty CreateFilter",
     {"detectorId": "d1", "name": "f", "action": "ARCHIVE",
      "findingCriteria": {"criterion": {"severity": {"gte": 1}}}}, "archive findings unseen"),
    ("detection_blinded", False, "guardduty CreateIPSet",
     {"name": "ours", "activate": True, "location": "s3://b/ips.txt"}, "trust the addresses"),
    ("organization_left", True, "organizations LeaveOrganization", None, "its organization"),
    ("guard_rail_removed", True, "organizations DetachPolicy",
     {"policyId": "p-1", "targetId": OTHER}, f"from target {OTHER}"),
    ("account_invited", False, "organizations InviteAccountToOrganization",
     {"target": {"type": "ACCOUNT", "id": OTHER}}, OTHER),
    ("region_enabled", False, "account EnableRegion", {"regionName": "af-south-1"}, "af-south-1"),
    ("network_open", True, "ec2 AuthorizeSecurityGroupIngress", ports(22, 22, "0.0.0.0/0"),
     "opened port 22 (SSH) of security group sg-1 to the whole internet (0.0.0.0/0)."),
    ("network_open", True, "ec2 AuthorizeSecurityGroupIngress", ports(3389, 3389, "::/0"), "RDP"),
    ("network_open", True, "ec2 AuthorizeSecurityGroupIngress", ports(-1, -1, "0.0.0.0/0", "-1"),
     "every port and protocol"),
    ("network_open", True, "ec2 AuthorizeSecurityGroupIngress", ports(22, 22, "128.0.0.0/1"),
     "a large part of the internet"),
    ("network_open", False, "ec2 AuthorizeSecurityGroupIngress", ports(443, 443, "0.0.0.0/0"),
     "port 443 of"),
    ("network_open", True, "ec2 AuthorizeSecurityGroupIngress",
     {"groupId": "sg-1", "ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
      "cidrIp": "0.0.0.0/0"}, "port 22"),
    ("network_open", True, "ec2 AuthorizeSecurityGroupIngress",
     {"groupId": "sg-1", "ipPermissions": {}, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
      "cidrIp": "0.0.0.0/0"}, "port 22"),
    ("network_open", True, "ec2 ModifySecurityGroupRules",
     {"ModifySecurityGroupRulesRequest": {"GroupId": "sg-1", "SecurityGroupRule": {
         "SecurityGroupRuleId": "sgr-1", "SecurityGroupRule": {
             "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "0.0.0.0/0"}}}},
     "security group sg-1"),
    ("network_open_to_address", False, "ec2 AuthorizeSecurityGroupIngress",
     ports(22, 22, "8.8.8.8/32"), "to 8.8.8.8/32"),
    ("network_open_to_account", False, "ec2 AuthorizeSecurityGroupIngress",
     {"groupId": "sg-1", "ipPermissions": {"items": [
         {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "groups": {"items": [
             {"userId": OTHER, "groupId": "sg-2"}]}}]}}, f"account {OTHER}"),
    ("resource_public", True, "s3 PutBucketPolicy",
     {"bucketName": "b", "bucketPolicy": resource("*")},
     "lets anybody call s3:GetObject on bucket b."),
    ("resource_public", False, "s3 PutBucketPolicy",
     {"bucketName": "b", "bucketPolicy": resource(
         "*", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}})}, "only under conditions"),
    ("resource_public", True, "sqs SetQueueAttributes",
     {"queueUrl": "https://sqs/1/q", "attributes": {"Policy": json.dumps(resource("*"))}},
     "queue q"),
    ("resource_shared", True, "s3 PutBucketPolicy",
     {"bucketName": "b", "bucketPolicy": resource(ROOT_OF_OTHER)}, f"account {OTHER}"),
    ("resource_shared", True, "secretsmanager PutResourcePolicy",
     {"secretId": "db", "resourcePolicy": json.dumps(resource(ROOT_OF_OTHER))}, "secret db"),
    ("resource_shared", True, "ecr SetRepositoryPolicy",
     {"repositoryName": "r", "policyText": json.dumps(resource({"AWS": OTHER}))}, "repository r"),
    ("key_policy_public", True, "kms PutKeyPolicy",
     {"keyId": "k", "policyName": "default", "policy": json.dumps(resource("*", "kms:*"))},
     "call kms:* on key k"),
    ("key_policy_shared", True, "kms PutKeyPolicy",
     {"keyId": "k", "policy": json.dumps(resource(ROOT_OF_OTHER, "kms:*"))}, f"account {OTHER}"),
    ("key_grant_outside", True, "kms CreateGrant",
     {"keyId": "k", "granteePrincipal": f"arn:aws:iam::{OTHER}:role/x",
      "operations": ["Decrypt"]}, "use key k: Decrypt"),
    ("snapshot_public", True, "ec2 ModifySnapshotAttribute",
     {"snapshotId": "snap-1", "createVolumePermission": {"add": {"items": [{"group": "all"}]}}},
     "lets everybody make a disk of snapshot snap-1"),
    ("snapshot_public", True, "rds ModifyDBSnapshotAttribute",
     {"dBSnapshotIdentifier": "s", "attributeName": "restore", "valuesToAdd": ["all"]},
     "everybody restore database snapshot s"),
    ("snapshot_shared", True, "rds ModifyDBClusterSnapshotAttribute",
     {"dBClusterSnapshotIdentifier": "s", "attributeName": "restore", "valuesToAdd": [OTHER]},
     f"account {OTHER}"),
    ("image_public", True, "ec2 ModifyImageAttribute",
     {"imageId": "ami-1", "launchPermission": {"add": {"items": [{"group": "all"}]}}}, "start im"),
    ("image_shared", True, "ec2 ModifyImageAttribute",
     {"imageId": "ami-1", "launchPermission": {"add": {"items": [{"userId": OTHER}]}}}, OTHER),
    ("resources_shared", True, "ram CreateResourceShare",
     {"name": "net", "principals": [OTHER], "resourceArns": [
         f"arn:aws:ec2:us-east-1:{ACCOUNT}:subnet/subnet-1"]}, "resource share net with subnet-1"),
    ("acl_public", True, "s3 PutBucketAcl", {"bucketName": "b", **ALL_USERS},
     "lets everybody read: bucket b"),
    ("acl_public", True, "s3 PutObjectAcl",
     {"bucketName": "b", "key": "k", "x-amz-acl": ["public-read"]}, "everybody read: object b/k"),
    ("public_access_unblocked", False, "s3 PutBucketPublicAccessBlock",
     {"bucketName": "b", "PublicAccessBlockConfiguration": {
         "RestrictPublicBuckets": True, "BlockPublicPolicy": False, "BlockPublicAcls": False,
         "IgnorePublicAcls": True}}, "BlockPublicAcls and BlockPublicPolicy off"),
    ("public_access_unblocked", True, "s3 DeleteAccountPublicAccessBlock", {"accountId": ACCOUNT},
     f"account {ACCOUNT}"),
    ("bucket_replicated_outside", True, "s3 PutBucketReplication",
     {"bucketName": "b", "ReplicationConfiguration": {"Role": "r", "Rule": {
         "Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::theirs",
                                              "Account": OTHER}}}}, "bucket theirs"),
    ("database_public", False, "rds ModifyDBInstance",
     {"dBInstanceIdentifier": "db", "publiclyAccessible": True}, "database db"),
    ("function_code_changed", False, "lambda UpdateFunctionCode20150331v2",
     {"functionName": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f", "s3Bucket": "b",
      "s3Key": "x/code.zip"}, "code of function f, from code.zip in bucket b"),
    ("function_layer_outside", False, "lambda UpdateFunctionConfiguration20150331v2",
     {"functionName": "f", "layers": [f"arn:aws:lambda:us-east-1:{OTHER}:layer:l:1"]}, "l:1"),
    ("function_layer_changed", False, "lambda UpdateFunctionConfiguration20150331v2",
     {"functionName": "f", "layers": [f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:l:1"]}, "l:1"),
    ("function_public", True, "lambda AddPermission20150331v2",
     {"functionName": "f", "principal": "*", "action": "lambda:InvokeFunction"},
     "lets anybody call function f."),
    ("function_public", False, "lambda AddPermission20150331v2",
     {"functionName": "f", "principal": "*", "sourceAccount": ACCOUNT}, "under conditions"),
    ("function_shared", True, "lambda AddPermission20150331v2",
     {"functionName": "f", "principal": OTHER}, f"account {OTHER}"),
    ("function_url_open", False, "lambda CreateFunctionUrlConfig",
     {"functionName": "f", "authType": "NONE"}, "no sign-in"),
    ("layer_shared", False, "lambda AddLayerVersionPermission20181031",
     {"layerName": f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:l", "principal": "*"}, "everybody"),
    ("user_data_changed", True, "ec2 ModifyInstanceAttribute",
     {"instanceId": "i-1", "userData": "<sensitiveDataRemoved>"}, "user data) of instance i-1"),
    ("machines_costly", False, "ec2 RunInstances",
     {"instancesSet": {"items": [{"minCount": 1, "maxCount": 2}]}, "instanceType": "p3.2xlarge"},
     "started 2 machines of type p3.2xlarge in eu-west-1: GPU machines"),
    ("machines_many", False, "ec2 RunInstances",
     {"instancesSet": {"items": [{"minCount": 1, "maxCount": 40}]}, "instanceType": "t3.micro"},
     "started 40 machines"),
    ("remote_command", False, "ssm SendCommand",
     {"documentName": "AWS-RunShellScript", "instanceIds": ["i-1", "i-2"],
      "parameters": "HIDDEN_DUE_TO_SECURITY_REASONS"}, "instance i-1 and instance i-2"),
    ("remote_shell", False, "ssm StartSession", {"target": "i-1"}, "on instance i-1"),
    ("ssh_key_pushed", False, "ec2-instance-connect SendSSHPublicKey",
     {"instanceId": "i-1", "instanceOSUser": "root"}, "to instance i-1"),
    ("serial_console_open", True, "ec2 EnableSerialConsoleAccess", None, "serial consoles"),
    ("instance_role_changed", False, "ec2 AssociateIamInstanceProfile",
     {"AssociateIamInstanceProfileRequest": {"InstanceId": "i-1"}}, "instance i-1"),
    ("key_deletion", True, "kms ScheduleKeyDeletion", {"keyId": "k", "pendingWindowInDays": 7},
     "has key k deleted, in 7 days"),
    ("key_off", False, "kms DisableKey", {"keyId": "k"}, "key k"),
    ("secret_deleted", False, "secretsmanager DeleteSecret",
     {"secretId": "db", "forceDeleteWithoutRecovery": True}, "secret db, at once"),
    ("data_under_foreign_key", True, "s3 CopyObject",
     {"bucketName": "b", "key": "k", "x-amz-server-side-encryption-customer-algorithm": "AES256"},
     "object b/k under a key that only the caller has"),
    ("destroyed", False, "s3 DeleteBucket", {"bucketName": "b"}, "deleted bucket b"),
    ("database_deleted", False, "rds DeleteDBInstance",
     {"dBInstanceIdentifier": "db", "skipFinalSnapshot": True}, "without a last copy"),
    ("copies_deleted", False, "ec2 DeleteSnapshot", {"snapshotId": "snap-1"}, "snapshot snap-1"),
    ("versions_suspended", False, "s3 PutBucketVersioning",
     {"bucketName": "b", "VersioningConfiguration": {"Status": "Suspended"}}, "older versions"),
    ("mail_unlimited", False, "ses PutAccountDetails", {"productionAccessEnabled": True}, "sandbo"),
    ("mail_identity", False, "ses CreateEmailIdentity", {"emailIdentity": "a.example"}, "a.exa"),
    ("model_access", False, "bedrock PutFoundationModelEntitlement", {"modelId": "m"}, "model m"),
    ("limit_raised", False, "servicequotas RequestServiceQuotaIncrease",
     {"serviceCode": "ec2", "quotaCode": "L-1", "desiredValue": 512}, "quota L-1 of ec2: 512"),
]  # fmt: skip

AGAINST: list[tuple[str, str, Any]] = [
    ("logging_started", "cloudtrail StartLogging", {"name": "main"}),
    ("logging_started", "cloudtrail CreateTrail", {"name": "main", "s3BucketName": "b"}),
    ("logging_widened", "cloudtrail PutEventSelectors",
     selectors(dataResources=[{"type": "AWS::S3::Object", "values": ["arn:aws:s3"]}])),
    ("logging_widened", "cloudtrail UpdateTrail", {"name": "main", "isMultiRegionTrail": True}),
    ("logging_widened", "cloudtrail PutInsightSelectors",
     {"trailName": "main", "insightSelectors": [{"insightType": "ApiCallRateInsight"}]}),
    ("detection_on", "guardduty CreateDetector", {"enable": True}),
    ("public_access_blocked", "s3 PutBucketPublicAccessBlock",
     {"bucketName": "b", "PublicAccessBlockConfiguration": dict.fromkeys(
         ["RestrictPublicBuckets", "BlockPublicPolicy", "BlockPublicAcls", "IgnorePublicAcls"],
         True)}),
]  # fmt: skip

SILENT: list[tuple[str, Any]] = [
    ("iam CreateRole", a_role(trust({"Service": "ec2.amazonaws.com"}))),
    ("iam CreateRole", a_role(trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}))),
    ("iam CreateRole", a_role(trust(GITHUB, **ONE_REPOSITORY))),
    ("iam CreateAccessKey", None),
    ("cloudtrail PutEventSelectors", selectors()),
    ("cloudtrail PutEventSelectors", advanced(MANAGEMENT)),
    ("ec2 AuthorizeSecurityGroupIngress", ports(22, 22, "10.0.0.0/8")),
    ("ec2 AuthorizeSecurityGroupIngress", ports(443, 443, "8.8.8.8/32")),
    ("s3 PutBucketPolicy",
     {"bucketName": "b", "bucketPolicy": resource({"Service": "cloudtrail.amazonaws.com"})}),
    ("kms PutKeyPolicy",
     {"keyId": "k", "policy": json.dumps(resource({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}))}),
    ("kms CreateGrant", {"keyId": "k", "granteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/x"}),
    ("ec2 ModifySnapshotAttribute",
     {"snapshotId": "s", "createVolumePermission": {"add": {"items": [{"userId": ACCOUNT}]}}}),
    ("ec2 ModifySnapshotAttribute",
     {"snapshotId": "s", "createVolumePermission": {"remove": {"items": [{"userId": OTHER}]}}}),
    ("lambda AddPermission20150331v2",
     {"functionName": "f", "principal": "events.amazonaws.com", "sourceArn": "arn:x"}),
    ("lambda CreateFunctionUrlConfig", {"functionName": "f", "authType": "AWS_IAM"}),
    ("ec2 RunInstances",
     {"instancesSet": {"items": [{"minCount": 1, "maxCount": 1}]}, "instanceType": "t3.micro"}),
    ("ec2 ModifyInstanceAttribute", {"instanceId": "i-1", "disableApiTermination": {}}),
    ("s3 CopyObject", {"bucketName": "b", "key": "k"}),
    ("s3 PutBucketLifecycle",
     {"bucketName": "logs", "LifecycleConfiguration": {"Rule": {
         "Status": "Enabled", "Expiration": {"Days": 365}}}}),
    ("s3 PutBucketLifecycle",
     {"bucketName": "logs", "LifecycleConfiguration": {"Rule": {
         "Status": "Disabled", "Expiration": {"Days": 1}}}}),
    ("guardduty UpdateDetector", {"detectorId": "d1", "findingPublishingFrequency": "SIX_HOURS"}),
    ("ses PutAccountDetails", {"productionAccessEnabled": False}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "grave", "api", "request_", "words"), TOLD)
def test_each_kind_is_told_of_its_call(
    kind: str, grave: bool, api: str, request_: Any, words: str
) -> None:
    (sign,) = signs(api, request_)
    assert (sign.kind, sign.grave, sign.speaks) == (kind, grave, "for")
    assert words in sign.sentence
    assert sign.sentence.startswith(api.split()[1].split("2")[0])
    assert sign.sentence.endswith(".")
    assert (OTHER in sign.accounts) == (OTHER in sign.sentence and kind not in _NOT_LET_IN)


_NOT_LET_IN = {"account_invited", "guard_rail_removed"}


@pytest.mark.parametrize(("kind", "api", "request_"), AGAINST)
def test_what_adds_to_logs_and_guards_speaks_against(kind: str, api: str, request_: Any) -> None:
    (sign,) = signs(api, request_)
    assert (sign.kind, sign.grave, sign.speaks) == (kind, False, "against")


@pytest.mark.parametrize(("api", "request_"), SILENT)
def test_ordinary_calls_have_no_sign(api: str, request_: Any) -> None:
    assert signs(api, request_) == ()


@pytest.mark.parametrize(("kind", "grave", "api", "request_", "words"), TOLD)
def test_no_failed_call_has_a_sign(
    kind: str, grave: bool, api: str, request_: Any, words: str
) -> None:
    assert signs(api, request_, errorCode="AccessDenied") == ()


def test_a_key_for_root_is_told() -> None:
    root = {"type": "Root", "principalId": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:root",
            "accountId": ACCOUNT}  # fmt: skip
    response = {"accessKey": {"accessKeyId": "AKIAROOT", "status": "Active"}}
    (sign,) = signs("iam CreateAccessKey", None, userIdentity=root, responseElements=response)
    assert (sign.kind, sign.grave) == ("key_of_root", True)


def test_a_record_without_its_account_calls_nobody_an_outsider() -> None:
    request = {"roleName": "r", "policyDocument": trust(ROOT_OF_OTHER)}
    api = {"eventSource": "iam.amazonaws.com", "eventName": "UpdateAssumeRolePolicy"}
    row = event_row(an_event(**api, requestParameters=request))
    assert content_signs(row | {"recipient_account_id": None}) == ()


def test_a_role_s_session_is_no_user_of_the_same_name() -> None:
    found = signs("iam CreateAccessKey", {"userName": "alice"},
                  userIdentity=a_role_session("alice", "alice"))  # fmt: skip
    assert [one.kind for one in found] == ["key_for_another"]


def test_every_kind_has_a_record_here_or_among_the_policies() -> None:
    shown = {kind for kind, *_ in TOLD} | {kind for kind, *_ in AGAINST} | {"key_of_root"}
    of_policies = {
        "policy_allows_all", "policy_allows_all_but", "policy_manages_permissions",
        "policy_passes_any_role", "managed_administrator", "managed_wide",
        "policy_version_switched", "boundary_removed", "added_to_group", "federation_token_wide",
        "session_policy_wide",
    }  # fmt: skip
    assert set(KINDS) == shown | of_policies
    assert all(meaning.endswith(".") for meaning in KINDS.values())


def test_calls_are_named_as_they_are_logged() -> None:
    assert ("lambda.amazonaws.com", "AddPermission20150331v2") in CONTENT_APIS
    assert ("iam.amazonaws.com", "PutUserPolicy") in CONTENT_APIS
    assert not [name for _, name in CONTENT_APIS if name.startswith(("Describe", "List"))]
