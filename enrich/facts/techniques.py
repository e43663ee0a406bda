"""The calls that matter to an intruder, with ATT&CK ids and one line on why (data, §6.3, §6.5).

What adds to logs or guards (StartLogging, CreateTrail) is no such call, and stands in no table; a
call that may do either says so, and its content tells which (`alerts.content`).

Keyed by service label and event name without its date suffix. A sensitive read is a call the
original rule leaves out when it succeeds; a high-signal call is one it mostly shows already.
ATT&CK renumbers itself: the ids are data here, and nothing else depends on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from enrich.facts.service_names import service_label
from trail.event_names import plain_name

__all__ = [
    "KINDS",
    "Signal",
    "arrival",
    "high_signal",
    "plain_name",
    "sensitive_read",
]


@dataclass(frozen=True)
class Signal:
    """Why a call matters."""

    kind: str
    """The tactic in words ("persistence"), or "sensitive read"."""
    techniques: tuple[str, ...]
    why: str


def high_signal(event_source: str | None, event_name: str) -> Signal | None:
    return _HIGH.get((service_label(event_source), plain_name(event_name)))


def arrival(event_source: str | None, event_name: str) -> Signal | None:
    """What a call means in a role session's own records, where it is that of the session's own
    beginning: the console writes a switch of roles as made by the session that came of it (§2.2).
    """
    return _ARRIVALS.get((service_label(event_source), event_name))


def sensitive_read(event_source: str | None, event_name: str) -> Signal | None:
    return _READS.get((service_label(event_source), plain_name(event_name)))


# service label(s), names, ATT&CK ids, why
_Rows = tuple[tuple[str, str, str, str], ...]

_SENSITIVE_READS: _Rows = (
    (
        "secretsmanager",
        "GetSecretValue BatchGetSecretValue",
        "T1555.006",
        "Returns secrets in clear.",
    ),
    (
        "ssm",
        "GetParameter GetParameters GetParametersByPath GetParameterHistory",
        "T1555.006",
        "Returns parameters, secure strings included.",
    ),
    ("ec2", "GetPasswordData", "T1552", "Returns a Windows administrator password."),
    (
        "ec2",
        "DescribeInstanceAttribute DescribeLaunchTemplateVersions",
        "T1552 T1580",
        "Can show user data, which often holds secrets.",
    ),
    (
        "lambda",
        "GetFunction GetFunctionConfiguration ListFunctions",
        "T1552.001",
        "Shows code and environment variables.",
    ),
    ("sts", "GetCallerIdentity", "T1087.004 T1033", "The usual first call with a stolen key."),
    (
        "sts",
        "GetSessionToken GetFederationToken",
        "T1550.001 T1098.001",
        "Derives a new credential that outlives the old key.",
    ),
    (
        "signin",
        "GetSigninToken",
        "T1550.001 T1021.007",
        "Turns a credential into a console session.",
    ),
    (
        "signin",
        "CreateOAuth2Token AuthorizeOAuth2Access",
        "T1528 T1550.001",
        "Hands a console session to a command line.",
    ),
    (
        "sso",
        "GetRoleCredentials ListAccounts ListAccountRoles",
        "T1528",
        "Uses an Identity Center token to reach accounts.",
    ),
    (
        "ecr codeartifact ecr-public",
        "GetAuthorizationToken",
        "T1528",
        "Returns a token for the registry.",
    ),
    (
        "redshift redshift-serverless",
        "GetClusterCredentials GetClusterCredentialsWithIAM GetCredentials",
        "T1552",
        "Returns database credentials.",
    ),
    (
        "s3",
        "GetObject SelectObjectContent ListObjects ListObjectsV2 ListObjectVersions",
        "T1530",
        "Reads stored data.",
    ),
    ("kms", "Decrypt", "T1530", "Opens encrypted data."),
    (
        "iam",
        "GetCredentialReport GetAccountAuthorizationDetails ListUsers ListRoles ListAccessKeys",
        "T1087.004 T1069.003",
        "Maps the account's identities and rights.",
    ),
    (
        "iam",
        "GenerateCredentialReport SimulatePrincipalPolicy SimulateCustomPolicy",
        "T1087.004 T1069.003",
        "Maps the account's identities and rights.",
    ),
    (
        "cloudtrail",
        "LookupEvents GetTrailStatus DescribeTrails GetEventSelectors GetTrail ListTrails",
        "T1526 T1518.001",
        "Finds out what is logged.",
    ),
    (
        "guardduty",
        "ListDetectors GetDetector",
        "T1518.001",
        "Finds out whether detection is on.",
    ),
    (
        "ses email",
        "GetSendQuota GetAccount ListIdentities GetAccountSendingEnabled ListEmailIdentities",
        "T1526",
        "Prepares sending mail.",
    ),
    (
        "bedrock",
        "ListFoundationModels GetFoundationModelAvailability GetUseCaseForModelAccess"
        " GetModelInvocationLoggingConfiguration ListInferenceProfiles",
        "T1526",
        "Prepares use of models at the owner's cost.",
    ),
    (
        "servicequotas",
        "ListServiceQuotas GetServiceQuota",
        "T1580",
        "Finds out how much can be started.",
    ),
    ("ec2", "DescribeAccountLimits", "T1580", "Finds out how much can be started."),
    (
        "organizations",
        "DescribeOrganization ListAccounts",
        "T1580",
        "Maps the organization's accounts.",
    ),
    ("rds", "DownloadDBLogFilePortion", "T1530", "Downloads database logs."),
    ("ebs", "GetSnapshotBlock ListSnapshotBlocks", "T1530", "Reads a disk out of a snapshot."),
    (
        "ec2",
        "GetEbsDefaultKmsKeyId DescribeSnapshots",
        "T1580",
        "Prepares taking disks away.",
    ),
    ("ec2", "GetConsoleOutput GetConsoleScreenshot", "T1552", "Shows what an instance printed."),
)

_EXECUTION: _Rows = (
    ("ssm", "SendCommand", "T1651", "Runs commands on instances."),
    ("ssm", "StartSession", "T1651 T1021.007", "Opens a shell on an instance."),
    (
        "lambda",
        "CreateFunction Invoke UpdateFunctionCode",
        "T1648",
        "Runs code with a function's role.",
    ),
    (
        "ec2",
        "RunInstances",
        "T1578.002 T1496.001",
        "Starts machines: to run code, or to mine at the owner's cost.",
    ),
    (
        "ec2",
        "ModifyInstanceAttribute",
        "T1578 T1059.009",
        "Can plant start-up code in an instance.",
    ),
    (
        "sagemaker",
        "CreateNotebookInstanceLifecycleConfig UpdateNotebookInstanceLifecycleConfig",
        "T1059.009",
        "Runs code whenever a notebook starts.",
    ),
    ("codebuild", "StartBuild", "T1648", "Runs code with a build's role."),
    ("ecs", "RunTask StartTask", "T1610", "Runs a container with a task's role."),
    ("states", "StartExecution", "T1648", "Starts a workflow with its role."),
    ("cloudformation", "CreateStack", "T1059.009", "Creates resources with the stack's role."),
)

_PERSISTENCE: _Rows = (
    ("iam", "CreateUser", "T1136.003", "Makes an identity that stays."),
    ("iam", "CreateAccessKey", "T1098.001", "Makes a long-lived key."),
    (
        "iam",
        "CreateLoginProfile UpdateLoginProfile",
        "T1098.001",
        "Gives a user a console password.",
    ),
    ("iam", "AddUserToGroup", "T1098.003", "Widens a user's rights."),
    ("iam", "CreateRole", "T1136.003", "Makes a role that someone else may assume."),
    ("iam", "UpdateAssumeRolePolicy", "T1098.003", "Changes who may assume a role."),
    (
        "iam",
        "CreateServiceSpecificCredential ResetServiceSpecificCredential UploadSSHPublicKey"
        " UploadSigningCertificate",
        "T1098.001",
        "Makes a credential that is easily overlooked.",
    ),
    (
        "iam",
        "CreateSAMLProvider UpdateSAMLProvider CreateOpenIDConnectProvider"
        " AddClientIDToOpenIDConnectProvider",
        "T1484.002",
        "Lets an outside identity provider sign in.",
    ),
    (
        "rolesanywhere",
        "CreateTrustAnchor CreateProfile",
        "T1098.001",
        "Lets outside certificates become roles.",
    ),
    ("lambda", "AddPermission", "T1546", "Lets someone else call a function."),
    (
        "lambda",
        "CreateFunctionUrlConfig UpdateFunctionUrlConfig",
        "T1546",
        "Opens a function to the internet.",
    ),
    (
        "lambda",
        "PublishLayerVersion UpdateFunctionConfiguration",
        "T1525",
        "Can slip code into a function.",
    ),
    ("ec2", "CreateKeyPair ImportKeyPair", "T1098.004", "Makes a key for logging in."),
    ("events", "PutRule PutTargets", "T1546", "Runs something on every matching event."),
    (
        "sso",
        "CreateAccountAssignment CreatePermissionSet ProvisionPermissionSet"
        " AttachManagedPolicyToPermissionSet PutInlinePolicyToPermissionSet",
        "T1098.003",
        "Gives people rights in accounts.",
    ),
    ("iam", "EnableMFADevice CreateVirtualMFADevice", "T1098.005", "Registers a second factor."),
    ("organizations", "InviteAccountToOrganization", "T1136.003", "Draws an account in."),
)

_ESCALATION: _Rows = (
    (
        "iam",
        "CreatePolicyVersion SetDefaultPolicyVersion AttachUserPolicy AttachGroupPolicy"
        " AttachRolePolicy PutUserPolicy PutGroupPolicy PutRolePolicy",
        "T1098.003",
        "Changes what an identity may do.",
    ),
    (
        "iam",
        "DeleteRolePermissionsBoundary DeleteUserPermissionsBoundary PutUserPermissionsBoundary"
        " DeleteRolePolicy",
        "T1098.003 T1548.005",
        "Removes or moves a limit on rights.",
    ),
    ("sts", "AssumeRoot", "T1548.005 T1078.004", "Acts as a member account's root."),
    (
        "glue",
        "CreateDevEndpoint UpdateDevEndpoint CreateJob",
        "T1548.005",
        "Runs code with another role's rights.",
    ),
    (
        "datapipeline codestar",
        "CreatePipeline ActivatePipeline CreateProject",
        "T1548.005",
        "Runs code with another role's rights.",
    ),
    (
        "sagemaker",
        "CreateNotebookInstance CreatePresignedNotebookInstanceUrl CreatePresignedDomainUrl",
        "T1548.005",
        "Opens a notebook with its role's rights.",
    ),
    ("codebuild", "CreateProject", "T1548.005", "Runs code with another role's rights."),
    ("lambda", "CreateEventSourceMapping", "T1548.005", "Has a function run on its own."),
    ("ecs", "RegisterTaskDefinition", "T1548.005", "Defines a container with a role's rights."),
    (
        "ec2",
        "AssociateIamInstanceProfile ReplaceIamInstanceProfileAssociation",
        "T1548.005",
        "Gives an instance another role.",
    ),
)

_EVASION: _Rows = (
    (
        "cloudtrail",
        "StopLogging DeleteTrail DeleteEventDataStore StopEventDataStoreIngestion",
        "T1562.008",
        "Stops the audit log.",
    ),
    (
        "cloudtrail",
        "UpdateTrail PutEventSelectors PutInsightSelectors",
        "T1562.008",
        "Can narrow the audit log, or widen it: its parameters say which.",
    ),
    ("ec2", "DeleteFlowLogs", "T1562.008", "Stops network logs."),
    (
        "route53resolver",
        "DeleteResolverQueryLogConfig DisassociateResolverQueryLogConfig",
        "T1562.008",
        "Stops DNS logs.",
    ),
    (
        "logs",
        "DeleteLogGroup DeleteLogStream PutRetentionPolicy",
        "T1562.008 T1070",
        "Removes logs or shortens their life.",
    ),
    (
        "guardduty",
        "DeleteDetector UpdateDetector CreateFilter CreateIPSet DisassociateFromMasterAccount"
        " DisassociateFromAdministratorAccount StopMonitoringMembers DeleteMembers",
        "T1562.001",
        "Switches detection off or blinds it.",
    ),
    (
        "securityhub",
        "DisableSecurityHub BatchDisableStandards",
        "T1562.001",
        "Switches posture checks off.",
    ),
    (
        "config",
        "StopConfigurationRecorder DeleteConfigurationRecorder DeleteDeliveryChannel"
        " DeleteConfigRule",
        "T1562.001",
        "Stops the record of changes.",
    ),
    (
        "wafv2 waf waf-regional",
        "DeleteWebACL DeleteRuleGroup",
        "T1562.007",
        "Removes a web firewall.",
    ),
    ("monitoring", "DisableAlarmActions DeleteAlarms", "T1562.001", "Silences alarms."),
    (
        "organizations",
        "LeaveOrganization DetachPolicy",
        "T1666",
        "Escapes the organization's guard rails.",
    ),
    (
        "bedrock",
        "DeleteModelInvocationLoggingConfiguration",
        "T1562.008",
        "Stops logs of model use.",
    ),
    ("iam", "DeactivateMFADevice", "T1556.006", "Takes a second factor away."),
    (
        "iam",
        "UpdateAccountPasswordPolicy DeleteAccountPasswordPolicy",
        "T1556",
        "Weakens passwords.",
    ),
    ("macie2", "DisableMacie", "T1562.001", "Switches data discovery off."),
    ("access-analyzer", "DeleteAnalyzer", "T1562.001", "Switches exposure findings off."),
    ("account", "EnableRegion", "T1535", "Opens a region nobody watches."),
)

_LATERAL: _Rows = (
    ("signin", "SwitchRole", "T1550.001", "Takes on another role in the console."),
    (
        "ec2-instance-connect",
        "SendSSHPublicKey SendSerialConsoleSSHPublicKey",
        "T1021.004 T1021.008",
        "Pushes a key that opens a shell.",
    ),
    ("ec2", "EnableSerialConsoleAccess", "T1021.008", "Opens consoles of instances."),
    ("eks", "CreateAccessEntry AssociateAccessPolicy", "T1098.006", "Lets an identity in."),
    (
        "ec2",
        "AuthorizeSecurityGroupIngress",
        "T1562.007",
        "Opens the network to instances.",
    ),
    ("ec2", "CreateVpcPeeringConnection CreateRoute", "T1599", "Joins networks."),
)

_EXFILTRATION: _Rows = (
    (
        "ec2",
        "CreateSnapshot CreateSnapshots ModifySnapshotAttribute SharedSnapshotCopyInitiated"
        " CopySnapshot ModifyImageAttribute CreateImage ExportImage CreateInstanceExportTask"
        " CreateStoreImageTask",
        "T1537",
        "Copies or shares a disk.",
    ),
    (
        "rds",
        "ModifyDBSnapshotAttribute ModifyDBClusterSnapshotAttribute StartExportTask"
        " RestoreDBInstanceFromDBSnapshot RestoreDBClusterFromSnapshot"
        " RestoreDBInstanceToPointInTime",
        "T1537",
        "Copies or shares a database.",
    ),
    (
        "rds",
        "ModifyDBInstance ModifyDBCluster",
        "T1098",
        "Can set the database's master password.",
    ),
    (
        "s3",
        "PutBucketPolicy PutBucketAcl PutObjectAcl PutBucketReplication DeletePublicAccessBlock"
        " DeleteBucketPublicAccessBlock CreateAccessPoint",
        "T1537 T1530",
        "Can open stored data to others.",
    ),
    (
        "s3",
        "PutBucketPublicAccessBlock",
        "T1537 T1530",
        "Opens stored data to others, or closes it: its parameters say which.",
    ),
    (
        "s3 s3control",
        "PutAccountPublicAccessBlock DeleteAccountPublicAccessBlock",
        "T1530",
        "Changes whether data may be public.",
    ),
    ("ecr", "SetRepositoryPolicy", "T1537", "Opens images to others."),
    (
        "ec2",
        "CreateTrafficMirrorSession",
        "T1020.001",
        "Copies network traffic.",
    ),
    ("secretsmanager", "PutResourcePolicy", "T1537", "Opens a secret to others."),
    ("kms", "CreateGrant PutKeyPolicy", "T1098", "Lets others use a key."),
    ("kms", "ReEncrypt ReEncryptFrom ReEncryptTo", "T1486", "Moves data under another key."),
    ("s3", "CopyObject", "T1530 T1486", "Copies data, or rewrites it under another key."),
    ("bcm-data-exports", "CreateExport CreateDataExport", "T1537", "Sends reports elsewhere."),
    ("ram", "CreateResourceShare", "T1537", "Shares resources with another account."),
)

_IMPACT: _Rows = (
    (
        "s3",
        "DeleteBucket DeleteObject DeleteObjects",
        "T1485",
        "Deletes stored data.",
    ),
    (
        "s3",
        "PutBucketVersioning PutBucketLifecycle PutBucketLifecycleConfiguration",
        "T1490 T1485",
        "Can remove older versions, or have data expire.",
    ),
    ("secretsmanager", "DeleteSecret", "T1485", "Deletes a secret."),
    (
        "kms",
        "ScheduleKeyDeletion DisableKey ImportKeyMaterial DeleteImportedKeyMaterial",
        "T1486 T1485",
        "Can make data unreadable.",
    ),
    (
        "rds",
        "DeleteDBCluster DeleteDBInstance DeleteGlobalCluster",
        "T1485",
        "Deletes a database.",
    ),
    ("ec2", "TerminateInstances", "T1485 T1489", "Destroys machines."),
    ("elasticfilesystem", "DeleteFileSystem", "T1485", "Deletes a file system."),
    ("ec2", "DeleteSnapshot DeregisterImage", "T1490", "Removes copies."),
    ("backup", "DeleteRecoveryPoint DeleteBackupVault", "T1490", "Removes backups."),
    ("organizations account", "CloseAccount", "T1531", "Closes an account."),
    ("cloudformation", "DeleteStack", "T1485", "Deletes what a stack made."),
    (
        "iam",
        "DeleteUser DeleteAccessKey DeleteLoginProfile UpdateAccessKey",
        "T1531",
        "Can lock people out.",
    ),
)

_HIJACKING: _Rows = (
    (
        "ec2 autoscaling",
        "RequestSpotInstances RequestSpotFleet CreateFleet CreateAutoScalingGroup"
        " CreateLaunchTemplate",
        "T1496.001",
        "Starts machines at the owner's cost.",
    ),
    (
        "servicequotas",
        "RequestServiceQuotaIncrease",
        "T1496.001",
        "Raises limits, as mining needs.",
    ),
    ("ecs", "CreateCluster CreateService", "T1496.001", "Starts containers at the owner's cost."),
    ("batch", "CreateComputeEnvironment", "T1496.001", "Starts machines at the owner's cost."),
    (
        "sagemaker",
        "CreateEndpoint CreateTrainingJob",
        "T1496.001",
        "Starts costly machines.",
    ),
    (
        "bedrock",
        "InvokeModel InvokeModelWithResponseStream Converse ConverseStream",
        "T1496.004",
        "Uses models at the owner's cost.",
    ),
    (
        "bedrock",
        "PutUseCaseForModelAccess PutFoundationModelEntitlement CreateFoundationModelAgreement",
        "T1496.004",
        "Opens access to models.",
    ),
    (
        "ses email",
        "SendEmail SendRawEmail UpdateAccountSendingEnabled VerifyEmailIdentity"
        " VerifyDomainIdentity CreateEmailIdentity PutAccountDetails",
        "T1496.004",
        "Sends mail in the owner's name.",
    ),
    (
        "sns",
        "Publish SetSMSAttributes CreateSMSSandboxPhoneNumber",
        "T1496.003",
        "Sends text messages at the owner's cost.",
    ),
    (
        "lightsail amplify gamelift",
        "CreateInstances CreateApp CreateFleet CreateContainerService",
        "T1496.001",
        "Starts machines where few look.",
    ),
)

_ACCESS: _Rows = (
    (
        "signin",
        "ConsoleLogin PasswordRecoveryRequested PasswordRecoveryCompleted",
        "T1078.004",
        "A way into the console.",
    ),
)


def _spread(kind: str, rows: _Rows) -> Iterator[tuple[tuple[str, str], Signal]]:
    for services, names, techniques, why in rows:
        signal = Signal(kind, tuple(techniques.split()), why)
        for service in services.split():
            for name in names.split():
                yield (service, name), signal


def _table(*groups: tuple[str, _Rows]) -> dict[tuple[str, str], Signal]:
    """The first mention of a call counts, so that groups go from the gravest on."""
    table: dict[tuple[str, str], Signal] = {}
    for kind, rows in groups:
        for key, signal in _spread(kind, rows):
            table.setdefault(key, signal)
    return table


_GROUPS = (
    ("defence evasion", _EVASION),
    ("privilege escalation", _ESCALATION),
    ("persistence", _PERSISTENCE),
    ("impact", _IMPACT),
    ("exfiltration", _EXFILTRATION),
    ("lateral movement", _LATERAL),
    ("resource hijacking", _HIJACKING),
    ("execution", _EXECUTION),
    ("initial access", _ACCESS),
)
KINDS = (*(kind for kind, _ in _GROUPS), "sensitive read")
"""Every `Signal.kind`, the gravest first."""
_HIGH = _table(*_GROUPS)
_ARRIVALS = {
    ("signin", "SwitchRole"): Signal(
        "lateral movement",
        ("T1550.001",),
        "Somebody switched into this role in the console: it is how its session began.",
    ),
}
_READS = _table(("sensitive read", _SENSITIVE_READS))
